//! How a file was read: its columns as SQL names them, its header, encoding, delimiter and decimal
//! sign.

use std::fmt::{self, Display, Formatter};

use arrow_array::{Array as _, RecordBatch, StringArray};
use arrow_schema::SchemaRef;
use domain::config::Stream;
use domain::parse::decimal_sign;
use serde_json::{Value, json};
use sources::{ReadStats, RowSink, SinkError};

use crate::load;

/// Takes the rows of a file and keeps what shows how it is written.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) rows: usize,
    schema: Option<SchemaRef>,
    /// Numbers with a decimal comma, and with a point.
    commas: usize,
    points: usize,
}

impl RowSink for Seen {
    fn open(&mut self, schema: &SchemaRef) -> Result<(), SinkError> {
        self.schema = Some(schema.clone());
        Ok(())
    }

    fn write(&mut self, batch: RecordBatch) -> Result<(), SinkError> {
        self.rows += batch.num_rows();
        let schema = batch.schema();
        let columns = schema.fields().iter().zip(batch.columns());
        let texts = columns
            .filter(|(field, _)| is_provided(field.name()) && field.name() != ::sources::PAYLOAD)
            .filter_map(|(_, column)| column.as_any().downcast_ref::<StringArray>());
        for value in texts.flat_map(|texts| texts.iter().flatten()) {
            match decimal_sign(value, false) {
                Some(',') => self.commas += 1,
                Some(_) => self.points += 1,
                None => {}
            }
        }
        Ok(())
    }
}

impl Seen {
    /// The columns as the raw table has them, in their order in the file.
    pub(super) fn columns(&self) -> Vec<String> {
        let names = self.schema.as_ref().map(load::raw_columns);
        provided(names.iter().flatten().map(String::as_str))
    }
}

/// Whether a raw column is the provider's and not one that the program adds.
fn is_provided(name: &str) -> bool {
    !::sources::META_COLUMNS.contains(&name)
        && ![
            ::sources::SURPLUS,
            ::sources::MALFORMED,
            ::sources::PREAMBLE,
            "_loaded_at",
        ]
        .contains(&name)
}

/// The provider's columns among those of a raw table.
pub(super) fn provided<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    names
        .filter(|name| is_provided(name))
        .map(str::to_owned)
        .collect()
}

/// The columns as they stand in SQL: in quotes, where a name must be.
pub(super) fn listed(columns: &[String]) -> String {
    let is_plain = |name: &str| {
        let mut bytes = name.bytes();
        let starts = bytes
            .next()
            .is_some_and(|byte| byte.is_ascii_lowercase() || byte == b'_');
        starts && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    let quoted = columns.iter().map(|name| match is_plain(name) {
        true => name.clone(),
        false => format!("\"{name}\""),
    });
    quoted.collect::<Vec<_>>().join(", ")
}

/// How a file was read.
#[derive(Debug)]
pub(super) struct Shape {
    format: String,
    encoding: Option<&'static str>,
    delimiter: Option<char>,
    /// From 1; 0 without one.
    header_line: u64,
    preamble_lines: u64,
    /// What the project says, else what most of its numbers show.
    decimal: Option<char>,
    is_decimal_said: bool,
}

impl Shape {
    /// What reading a file of a stream showed.
    pub(super) fn of(stream: &Stream, stats: &ReadStats, seen: &Seen) -> Self {
        let said = stream
            .files
            .decimal
            .as_ref()
            .and_then(|text| text.chars().next());
        let shown = match seen.commas.cmp(&seen.points) {
            std::cmp::Ordering::Greater => Some(','),
            std::cmp::Ordering::Less => Some('.'),
            std::cmp::Ordering::Equal => None,
        };
        Self {
            format: format!("{:?}", stats.format).to_lowercase(),
            encoding: stats.encoding,
            delimiter: stats.delimiter,
            header_line: stats.header_line,
            preamble_lines: stats.preamble_lines,
            decimal: said.or(shown),
            is_decimal_said: said.is_some(),
        }
    }

    /// The same for programs.
    pub(super) fn json(&self) -> Value {
        json!({
            "format": self.format,
            "encoding": self.encoding,
            "delimiter": self.delimiter,
            "header_line": (self.header_line > 0).then_some(self.header_line),
            "preamble_lines": self.preamble_lines,
            "decimal": self.decimal,
        })
    }
}

impl Display for Shape {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        out.write_str(&self.format)?;
        if let Some(encoding) = self.encoding {
            write!(out, ", {encoding}")?;
        }
        match self.delimiter {
            Some('\t') => out.write_str(", delimiter tab")?,
            Some(delimiter) => write!(out, ", delimiter `{delimiter}`")?,
            None => return Ok(()),
        }
        if self.header_line > 0 {
            write!(out, ", header on line {}", self.header_line)?;
        }
        match self.preamble_lines {
            0 => {}
            1 => out.write_str(", 1 line before it")?,
            lines => write!(out, ", {lines} lines before it")?,
        }
        match self.decimal {
            Some(sign) if self.is_decimal_said => write!(out, ", decimal sign `{sign}` (said)"),
            Some(sign) => write!(out, ", decimal sign `{sign}`"),
            None => out.write_str(", decimal sign not shown by any number"),
        }
    }
}
