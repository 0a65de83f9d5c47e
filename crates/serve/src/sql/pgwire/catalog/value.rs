//! Values of the catalogue, and how they compare.

use std::cmp::Ordering;
use std::fmt::Write as _;
use std::sync::Arc;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::sql::pgwire) enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Arc<str>),
    Array(Arc<Vec<Value>>),
    /// Fields with their names.
    Record(Arc<Vec<(&'static str, Value)>>),
}

/// A row of a table or a result.
pub(in crate::sql::pgwire) type Row = Vec<Value>;

/// Why a query on the catalogue cannot be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sql::pgwire) struct Failure {
    pub(in crate::sql::pgwire) code: &'static str,
    pub(in crate::sql::pgwire) message: String,
}

pub(super) type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    /// What is no part of SQL here.
    pub(super) fn unsupported(what: impl std::fmt::Display) -> Self {
        Self::new(
            "0A000",
            format!("{what} is not supported in a query on the catalogue"),
        )
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Bool(truth)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Int(number.into())
    }
}

impl From<Vec<Value>> for Value {
    fn from(values: Vec<Value>) -> Self {
        Self::Array(Arc::new(values))
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl Value {
    pub(super) fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// True, false or unknown.
    pub(in crate::sql::pgwire) fn truth(&self) -> Option<bool> {
        match self {
            Self::Bool(truth) => Some(*truth),
            Self::Int(number) => Some(*number != 0),
            Self::Text(text) => match text.to_lowercase().as_str() {
                "t" | "true" | "on" | "yes" | "1" => Some(true),
                _ => Some(false),
            },
            _ => None,
        }
    }

    pub(in crate::sql::pgwire) fn int(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            Self::Float(number) => Some(number.round() as i64),
            Self::Bool(truth) => Some(i64::from(*truth)),
            Self::Text(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    pub(in crate::sql::pgwire) fn float(&self) -> Option<f64> {
        match self {
            Self::Float(number) => Some(*number),
            Self::Text(text) => text.trim().parse().ok(),
            other => other.int().map(|number| number as f64),
        }
    }

    pub(in crate::sql::pgwire) fn array(&self) -> Option<&[Value]> {
        match self {
            Self::Array(values) => Some(values),
            _ => None,
        }
    }

    /// As text; none for null.
    pub(in crate::sql::pgwire) fn text(&self) -> Option<Arc<str>> {
        Some(match self {
            Self::Null => return None,
            Self::Text(text) => text.clone(),
            Self::Bool(truth) => if *truth { "true" } else { "false" }.into(),
            Self::Int(number) => number.to_string().into(),
            Self::Float(number) => number.to_string().into(),
            Self::Array(values) => array_text(values).into(),
            Self::Record(fields) => {
                let fields = fields
                    .iter()
                    .map(|(_, value)| value.text().unwrap_or_default());
                let fields: Vec<_> = fields.map(|text| text.to_string()).collect();
                format!("({})", fields.join(",")).into()
            }
        })
    }

    /// Which comes first; none if one is null.
    pub(super) fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Null, _) | (_, Self::Null) => None,
            (Self::Text(left), Self::Text(right)) => Some(left.cmp(right)),
            (Self::Int(left), Self::Int(right)) => Some(left.cmp(right)),
            (Self::Bool(left), Self::Bool(right)) => Some(left.cmp(right)),
            (Self::Array(left), Self::Array(right)) => Some(order_all(left, right)),
            (Self::Record(left), Self::Record(right)) => {
                let values = |record: &[(&str, Self)]| {
                    record
                        .iter()
                        .map(|(_, value)| value.clone())
                        .collect::<Vec<_>>()
                };
                Some(order_all(&values(left), &values(right)))
            }
            (Self::Int(_) | Self::Float(_), Self::Int(_) | Self::Float(_)) => {
                Some(self.float()?.total_cmp(&other.float()?))
            }
            _ => Some(self.text()?.cmp(&other.text()?)),
        }
    }

    /// Which comes first, nulls last.
    pub(super) fn order(&self, other: &Self) -> Ordering {
        match (self.is_null(), other.is_null()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) => self.compare(other).unwrap_or(Ordering::Equal),
        }
    }

    /// A text that is the same for equal values.
    pub(super) fn key(&self, out: &mut String) {
        match self {
            Self::Null => out.push('~'),
            other => {
                let text = other.text().unwrap_or_default();
                // Nothing that is written here can fail.
                let _ = write!(out, "{}:{text}", text.len());
            }
        }
        out.push('|');
    }
}

fn order_all(left: &[Value], right: &[Value]) -> Ordering {
    let pairs = left.iter().zip(right);
    pairs
        .map(|(left, right)| left.order(right))
        .find(|order| order.is_ne())
        .unwrap_or_else(|| left.len().cmp(&right.len()))
}

fn array_text(values: &[Value]) -> String {
    let element = |value: &Value| match (value, value.text()) {
        (_, None) => "NULL".to_owned(),
        (Value::Array(_), Some(text)) => text.to_string(),
        (_, Some(text)) => {
            let is_special = |c: char| "{},\"\\".contains(c) || c.is_whitespace();
            match text.is_empty() || text.eq_ignore_ascii_case("null") || text.contains(is_special)
            {
                true => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
                false => text.to_string(),
            }
        }
    };
    let elements: Vec<String> = values.iter().map(element).collect();
    format!("{{{}}}", elements.join(","))
}

/// The elements of `{a,"b c",NULL}`.
pub(super) fn array_of_text(text: &str) -> Vec<Value> {
    let inside = text.trim();
    let inside = inside
        .strip_prefix('{')
        .and_then(|text| text.strip_suffix('}'));
    let Some(inside) = inside.filter(|inside| !inside.trim().is_empty()) else {
        // `int2vector` and `oidvector` are written with blanks between.
        return match text.trim().starts_with('{') {
            true => Vec::new(),
            false => text.split_whitespace().map(Value::from).collect(),
        };
    };
    let mut found = Vec::new();
    let (mut value, mut is_quoted, mut was_quoted, mut is_escaped) =
        (String::new(), false, false, false);
    let mut end = |value: &mut String, was_quoted: &mut bool| {
        let is_null = !*was_quoted && value.trim().eq_ignore_ascii_case("null");
        let text = if *was_quoted {
            value.as_str()
        } else {
            value.trim()
        };
        found.push(if is_null { Value::Null } else { text.into() });
        value.clear();
        *was_quoted = false;
    };
    for one in inside.chars() {
        match one {
            c if is_escaped => {
                value.push(c);
                is_escaped = false;
            }
            '\\' => is_escaped = true,
            '"' => {
                is_quoted = !is_quoted;
                was_quoted = true;
            }
            ',' if !is_quoted => end(&mut value, &mut was_quoted),
            c => value.push(c),
        }
    }
    end(&mut value, &mut was_quoted);
    found
}
