//! `stated`, `first_text`, `text_if`, `clean_text`, `has_text`, `text_digest`, `to_integer`,
//! `to_number`, `to_boolean`: what nearly every silver column goes through, in one pass over it.
//!
//! The same can be said with `coalesce`, `nullif` and `case`; but the engine carries these out by
//! copying, for each branch, the rows that it concerns with all their columns, and an event has
//! dozens. These look at every argument once and copy nothing that stays as it is.

use std::borrow::Cow;
use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BooleanArray, Float64Array, Int64Array, StringArray};
use arrow_buffer::{BooleanBuffer, NullBuffer};
use arrow_schema::DataType;
use datafusion::common::{ScalarValue, internal_err, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use xxhash_rust::xxh3::Xxh3;

use super::keys::pair;
use super::text::{Text, TextFunction};
use super::written::{Sign, Signs};

/// What GA4 writes where it has no value.
const NOT_SET: &str = "(not set)";
/// Arguments a variadic function takes at most.
const ARGUMENTS_MAX: usize = 64;

pub(super) fn functions() -> Vec<TextFunction> {
    let mut all = texts();
    all.extend(values());
    all
}

/// What gives texts.
fn texts() -> Vec<TextFunction> {
    let text = || DataType::Utf8;
    vec![
        TextFunction::new(
            "stated",
            1..=ARGUMENTS_MAX,
            "stated(text, …)",
            text(),
            |texts, rows| match texts {
                [Text::Column(column)] => Ok(only(column, is_stated)),
                _ => Ok(first(texts, rows, is_stated)),
            },
        ),
        TextFunction::new(
            "first_text",
            1..=ARGUMENTS_MAX,
            "first_text(text, …)",
            text(),
            |texts, rows| Ok(first(texts, rows, |_| true)),
        ),
        TextFunction::new(
            "clean_text",
            1..=1,
            "clean_text(text)",
            text(),
            |texts, rows| Ok(clean(texts[0], rows)),
        ),
        TextFunction::new(
            "text_digest",
            1..=ARGUMENTS_MAX,
            "text_digest(text, …)",
            text(),
            |texts, rows| Ok(digest(texts, rows)),
        ),
    ]
}

/// What reads values from texts.
fn values() -> Vec<TextFunction> {
    vec![
        TextFunction::new(
            "has_text",
            1..=1,
            "has_text(text)",
            DataType::Boolean,
            |texts, rows| {
                let [values, _] = pair(texts);
                let has = |row| {
                    values
                        .get(row)
                        .is_some_and(|text| !trimmed(text).is_empty())
                };
                Ok(Arc::new(BooleanArray::from(BooleanBuffer::collect_bool(
                    rows, has,
                ))))
            },
        ),
        TextFunction::new(
            "to_integer",
            1..=2,
            "to_integer(text) or to_integer(text, ',')",
            DataType::Int64,
            |texts, rows| {
                let values = numbers(texts, rows, integer)?;
                Ok(Arc::new(Int64Array::from(values)))
            },
        ),
        TextFunction::new(
            "to_number",
            1..=2,
            "to_number(text) or to_number(text, ',')",
            DataType::Float64,
            |texts, rows| {
                let values = numbers(texts, rows, number)?;
                Ok(Arc::new(Float64Array::from(values)))
            },
        ),
        TextFunction::new(
            "to_boolean",
            1..=1,
            "to_boolean(text)",
            DataType::Boolean,
            |texts, rows| {
                let [values, _] = pair(texts);
                let values = (0..rows).map(|row| values.get(row).map(trimmed).and_then(boolean));
                Ok(Arc::new(values.collect::<BooleanArray>()))
            },
        ),
    ]
}

fn is_stated(text: &str) -> bool {
    !text.is_empty() && text != NOT_SET
}

/// SQL's `trim`: spaces, and nothing else.
fn trimmed(text: &str) -> &str {
    text.trim_matches(' ')
}

/// The column with null in the place of texts that are not kept. Offsets and bytes are shared.
fn only(column: &StringArray, keep: impl Fn(&str) -> bool) -> ArrayRef {
    let kept = BooleanBuffer::collect_bool(column.len(), |row| {
        column.is_valid(row) && keep(column.value(row))
    });
    let nulls = NullBuffer::new(kept);
    if nulls.null_count() == column.null_count() {
        return Arc::new(column.clone());
    }
    Arc::new(StringArray::new(
        column.offsets().clone(),
        column.values().clone(),
        Some(nulls),
    ))
}

/// Of each row the first argument that has a text which is kept.
fn first(texts: &[Text<'_>], rows: usize, keep: impl Fn(&str) -> bool) -> ArrayRef {
    let mut found = StringBuilder::with_capacity(rows, rows * 8);
    for row in 0..rows {
        let texts = texts.iter().filter_map(|text| text.get(row));
        found.append_option(texts.into_iter().find(|text| keep(text)));
    }
    Arc::new(found.finish())
}

/// Without spaces at either end, and null where nothing is left.
fn clean(texts: Text<'_>, rows: usize) -> ArrayRef {
    if let Text::Column(column) = texts {
        let is_trimmed = |text: &str| !text.starts_with(' ') && !text.ends_with(' ');
        if column.iter().flatten().all(is_trimmed) {
            return only(column, |text| !text.is_empty());
        }
    }
    let mut cleaned = StringBuilder::with_capacity(rows, rows * 8);
    for row in 0..rows {
        let text = texts.get(row).map(trimmed);
        cleaned.append_option(text.filter(|text| !text.is_empty()));
    }
    Arc::new(cleaned.finish())
}

/// A name for the texts of a row taken together: 128 bits in hexadecimal. Null is another text
/// than the empty one, and the border between two texts counts.
fn digest(texts: &[Text<'_>], rows: usize) -> ArrayRef {
    let mut names = StringBuilder::with_capacity(rows, rows * 32);
    let mut hasher = Xxh3::new();
    for row in 0..rows {
        hasher.reset();
        for text in texts {
            match text.get(row) {
                None => hasher.update(&[0]),
                Some(text) => {
                    hasher.update(&[1]);
                    hasher.update(&(text.len() as u64).to_le_bytes());
                    hasher.update(text.as_bytes());
                }
            }
        }
        names.append_value(format!("{:032x}", hasher.digest128()));
    }
    Arc::new(names.finish())
}

/// Values read from texts, each with the decimal sign that the call names for it.
fn numbers<'a, T>(
    texts: &[Text<'a>],
    rows: usize,
    read: impl Fn(&'a str, Sign) -> Option<T>,
) -> Result<Vec<Option<T>>> {
    let signs = Signs::of(texts)?;
    let [values, _] = pair(texts);
    let value = |row| match values.get(row) {
        Some(text) => Ok(read(trimmed(text), signs.get(row)?)),
        None => Ok(None),
    };
    (0..rows).map(value).collect()
}

/// A whole number, also one written as an amount (`1,234` or `12.0`).
fn integer(text: &str, sign: Sign) -> Option<i64> {
    const MILLIONTHS: i128 = 1_000_000;
    text.parse().ok().or_else(|| {
        let millionths = sign.amount(text)?;
        let is_whole = millionths % MILLIONTHS == 0;
        i64::try_from(millionths / MILLIONTHS)
            .ok()
            .filter(|_| is_whole)
    })
}

/// A number; with another sign than the point, `1.5` is none and `1.234` is thousands.
fn number(text: &str, sign: Sign) -> Option<f64> {
    let plain = match sign {
        Sign::Known('.') => text.parse().ok(),
        _ => None,
    };
    plain.or_else(|| sign.amount(text).map(|millionths| millionths as f64 / 1e6))
}

fn boolean(text: &str) -> Option<bool> {
    let text: Cow<'_, str> = match text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        true => text.to_ascii_lowercase().into(),
        false => text.into(),
    };
    match text.as_ref() {
        "true" | "t" | "1" | "1.0" | "yes" | "y" => Some(true),
        "false" | "f" | "0" | "0.0" | "no" | "n" => Some(false),
        _ => None,
    }
}

/// `text_if(condition, text, …)`: the first text that is there, where the condition holds.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct TextIf {
    signature: Signature,
}

impl TextIf {
    pub(super) fn new() -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for TextIf {
    fn name(&self) -> &str {
        "text_if"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        match arguments {
            [DataType::Boolean | DataType::Null, texts @ ..]
                if !texts.is_empty() && !texts.iter().any(DataType::is_nested) =>
            {
                let texts = std::iter::repeat_n(DataType::Utf8, texts.len());
                Ok(std::iter::once(DataType::Boolean).chain(texts).collect())
            }
            _ => plan_err!(
                "`text_if` takes a condition and texts (hint: text_if(is_purchase, a, b))"
            ),
        }
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [condition, texts @ ..] = call.args.as_slice() else {
            return internal_err!("`text_if` was given no arguments");
        };
        let texts = texts.iter().map(Text::new).collect::<Result<Vec<_>>>()?;
        let condition = condition.to_array(call.number_rows)?;
        let condition = condition.as_boolean();
        let mut found = StringBuilder::with_capacity(call.number_rows, call.number_rows);
        for row in 0..call.number_rows {
            let holds = condition.is_valid(row) && condition.value(row);
            let text = texts
                .iter()
                .filter(|_| holds)
                .find_map(|text| text.get(row));
            found.append_option(text);
        }
        let found: ArrayRef = Arc::new(found.finish());
        match call
            .args
            .iter()
            .all(|v| matches!(v, ColumnarValue::Scalar(_)))
        {
            true if found.len() == 1 => Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(
                &found, 0,
            )?)),
            _ => Ok(ColumnarValue::Array(found)),
        }
    }
}
