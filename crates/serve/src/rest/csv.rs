//! CSV (RFC 4180) that a spreadsheet shows and does not run.
//!
//! A text that a spreadsheet would take for a formula gets an apostrophe before it; numbers, times
//! and truth values are left as they are. Null is nothing, an empty text is `""`.

use arrow_array::{Array as _, RecordBatch};
use arrow_schema::{ArrowError, DataType, Schema};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};

/// Writes CSV.
#[derive(Debug, Clone, Copy)]
pub(super) struct Csv {
    is_raw: bool,
}

impl Csv {
    /// `is_raw`: for programs that give texts on as they are.
    pub(super) fn new(is_raw: bool) -> Self {
        Self { is_raw }
    }

    /// The names of the columns.
    pub(super) fn header(self, schema: &Schema) -> Vec<u8> {
        let mut out = String::new();
        for (at, field) in schema.fields().iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            self.text(&mut out, field.name());
        }
        out.push_str("\r\n");
        out.into_bytes()
    }

    /// The rows of a batch.
    ///
    /// # Errors
    /// A value has no form.
    pub(super) fn rows(self, batch: &RecordBatch) -> Result<Vec<u8>, ArrowError> {
        let options = FormatOptions::default();
        let columns = batch
            .columns()
            .iter()
            .map(|column| {
                let formatter = ArrayFormatter::try_new(column.as_ref(), &options)?;
                Ok((
                    column.logical_nulls(),
                    formatter,
                    is_plain(column.data_type()),
                ))
            })
            .collect::<Result<Vec<_>, ArrowError>>()?;
        let mut out = String::new();
        for row in 0..batch.num_rows() {
            for (at, (nulls, formatter, is_plain)) in columns.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
                    continue;
                }
                let value = formatter.value(row).try_to_string()?;
                match is_plain {
                    true => out.push_str(&value),
                    false => self.text(&mut out, &value),
                }
            }
            out.push_str("\r\n");
        }
        Ok(out.into_bytes())
    }

    fn text(self, out: &mut String, value: &str) {
        let is_armed = !self.is_raw && is_formula(value);
        let is_quoted = value.is_empty()
            || is_armed
            || value.starts_with(char::is_whitespace)
            || value.ends_with(char::is_whitespace)
            || value.contains(['"', ',', '\n', '\r']);
        if is_quoted {
            out.push('"');
        }
        if is_armed {
            out.push('\'');
        }
        match value.contains('"') {
            true => out.push_str(&value.replace('"', "\"\"")),
            false => out.push_str(value),
        }
        if is_quoted {
            out.push('"');
        }
    }
}

/// Types whose values are no text: a minus before a number is no formula.
fn is_plain(kind: &DataType) -> bool {
    kind.is_numeric() || kind.is_temporal() || matches!(kind, DataType::Boolean)
}

/// Whether a spreadsheet may take a text for a formula: by its first character, or the first after
/// spaces, control characters and quotes, which some of them skip.
fn is_formula(value: &str) -> bool {
    if value.starts_with(['\t', '\r', '\n', '\0']) {
        return true;
    }
    let skipped = |c: char| {
        c.is_whitespace()
            || c.is_control()
            || matches!(
                c,
                '"' | '\'' | '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{2060}'
            )
    };
    let first = value.trim_start_matches(skipped).chars().next();
    first.is_some_and(|c| {
        matches!(
            c,
            '=' | '+'
                | '-'
                | '@'
                | '|'
                | '%'
                | '＝'
                | '＋'
                | '－'
                | '＠'
                | '\u{2212}'
                | '﹢'
                | '﹣'
                | '﹦'
                | '﹫'
        )
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{Float64Array, Int64Array, StringArray};
    use arrow_schema::Field;

    use super::*;

    fn one(value: &str) -> String {
        let mut out = String::new();
        Csv::new(false).text(&mut out, value);
        out
    }

    #[test]
    fn formulas_are_inert() {
        let payloads = [
            "=1+1",
            "+1+1",
            "-1+1",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
            "\n=1",
            "\0=1",
            " =1",
            "\u{a0}=1",
            "＝1+1",
            "＋1",
            "－1",
            "＠A",
            "\"=1\"",
            "'=1",
            "\u{feff}=1",
            "=cmd|' /C calc'!A0",
            "%0A=1",
            "|calc",
            "\u{200b}=1",
            "−1+1",
        ];
        for payload in payloads {
            let cell = one(payload);
            assert!(cell.starts_with("\"'"), "{payload:?} became {cell:?}");
            // What a reader of CSV gets is the payload behind an apostrophe.
            let inner = cell.trim_matches('"').replace("\"\"", "\"");
            let behind = inner.strip_prefix('\'').expect("an apostrophe");
            assert_eq!(behind.trim_end_matches('"'), payload.trim_end_matches('"'));
        }
        for plain in [
            "1",
            "a=b",
            "Paid Search",
            "ana@example.com",
            "2026-01-31",
            "#1",
        ] {
            assert_eq!(one(plain), plain);
        }
        let mut raw = String::new();
        Csv::new(true).text(&mut raw, "=1+1");
        assert_eq!(raw, "=1+1");
    }

    #[test]
    fn numbers_and_nulls_are_left_as_they_are() {
        let schema = Arc::new(Schema::new(vec![
            Field::new("n", DataType::Int64, true),
            Field::new("x", DataType::Float64, true),
            Field::new("=t", DataType::Utf8, true),
        ]));
        let batch = RecordBatch::try_new(
            schema.clone(),
            vec![
                Arc::new(Int64Array::from(vec![Some(-5), None])),
                Arc::new(Float64Array::from(vec![Some(-0.1), Some(1e300)])),
                Arc::new(StringArray::from(vec![Some("a, \"b\""), Some("")])),
            ],
        );
        let csv = Csv::new(false);
        let text = String::from_utf8(csv.header(&schema)).expect("text")
            + &String::from_utf8(csv.rows(&batch.expect("a batch")).expect("rows")).expect("text");
        assert_eq!(
            text,
            "n,x,\"'=t\"\r\n-5,-0.1,\"a, \"\"b\"\"\"\r\n,1e300,\"\"\r\n"
        );
    }
}
