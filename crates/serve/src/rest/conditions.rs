//! Conditions on columns in a query string: `channel=Email`, `net_revenue[gte]=10`. They become SQL
//! with parameters; a column is one that the caller sees, or the request is refused.

use arrow_array::StringArray;
use arrow_array::cast::AsArray as _;
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::{DataType, Field, Schema};
use datafusion::common::ScalarValue;
use std::sync::Arc;

use super::encode::type_name;
use super::params::Params;
use super::problem::Problem;

/// What a column can be asked.
const OPERATORS: &str = "eq, ne, gt, gte, lt, lte, in, contains, starts_with, is_null";
/// Conditions of a request.
const MOST: usize = 50;
/// Values of one condition.
const VALUES: usize = 1_000;

/// The `where` of a query, and the values of its parameters.
#[derive(Debug, Default)]
pub(super) struct Where {
    pub(super) tests: Vec<String>,
    pub(super) values: Vec<ScalarValue>,
}

impl Where {
    /// `$n` for one more value.
    pub(super) fn value(&mut self, value: ScalarValue) -> String {
        self.values.push(value);
        format!("${}", self.values.len())
    }

    /// Adds the conditions of a query string. `known` are parameters that mean something else.
    ///
    /// # Errors
    /// There is no such column or operator, or a value is not of the column's type.
    pub(super) fn read(
        &mut self,
        params: &Params,
        known: &[&str],
        schema: &Schema,
    ) -> Result<(), Problem> {
        let mut equal: Vec<(&str, Vec<&str>)> = Vec::new();
        let mut count = 0;
        for (name, value) in params
            .0
            .iter()
            .filter(|(name, _)| !known.contains(&name.as_str()))
        {
            count += 1;
            if count > MOST {
                return Err(Problem::bad(format!(
                    "there are more than {MOST} conditions"
                )));
            }
            let (column, operator) = split(name);
            match operator {
                "eq" => match equal.iter_mut().find(|(known, _)| *known == column) {
                    Some((_, values)) => values.push(value),
                    None => equal.push((column, vec![value])),
                },
                "in" => equal.push((column, value.split(',').collect())),
                _ => {
                    let field = field(schema, column)?;
                    let test = self.one(field, operator, value)?;
                    self.tests.push(test);
                }
            }
        }
        for (column, values) in equal {
            let field = field(schema, column)?;
            if values.len() > VALUES {
                return Err(Problem::bad(format!(
                    "`{column}` has more than {VALUES} values"
                )));
            }
            let mut texts = Vec::with_capacity(values.len());
            for value in values {
                texts.push(self.value(parsed(field, value)?));
            }
            let name = quoted(column);
            self.tests.push(match texts.as_slice() {
                [one] => format!("{name} = {one}"),
                many => format!("{name} in ({})", many.join(", ")),
            });
        }
        Ok(())
    }

    fn one(&mut self, field: &Field, operator: &str, value: &str) -> Result<String, Problem> {
        let name = quoted(field.name());
        let sign = match operator {
            "ne" => "is distinct from",
            "gt" => ">",
            "gte" => ">=",
            "lt" => "<",
            "lte" => "<=",
            "is_null" => {
                return match value {
                    "true" | "" => Ok(format!("{name} is null")),
                    "false" => Ok(format!("{name} is not null")),
                    _ => Err(Problem::bad(format!(
                        "`{}[is_null]` is neither true nor false",
                        field.name()
                    ))),
                };
            }
            "contains" | "starts_with" => {
                if !is_text(field.data_type()) {
                    let detail =
                        format!("`{}` is no text, so it has no `{operator}`", field.name());
                    return Err(Problem::bad(detail));
                }
                let value = self.value(ScalarValue::Utf8(Some(value.to_owned())));
                return Ok(match operator {
                    "contains" => format!("strpos({name}, {value}) > 0"),
                    _ => format!("starts_with({name}, {value})"),
                });
            }
            _ => {
                let problem = Problem::bad(format!("`{}` cannot be asked that", field.name()));
                return Err(problem.hint(format!("one of {OPERATORS}")));
            }
        };
        let value = parsed(field, value)?;
        Ok(format!("{name} {sign} {}", self.value(value)))
    }
}

/// `net_revenue[gte]` as column and operator.
fn split(name: &str) -> (&str, &str) {
    match name
        .strip_suffix(']')
        .and_then(|name| name.rsplit_once('['))
    {
        Some((column, operator)) => (column, operator),
        None => (name, "eq"),
    }
}

/// A column that there is.
///
/// # Errors
/// There is none of the name, or the caller does not see it.
pub(super) fn field<'a>(schema: &'a Schema, name: &str) -> Result<&'a Field, Problem> {
    let found = schema.fields().iter().find(|field| field.name() == name);
    found.map(AsRef::as_ref).ok_or_else(|| {
        let shown: String = name.chars().filter(|c| !c.is_control()).take(63).collect();
        let names: Vec<&str> = schema
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .collect();
        Problem::missing(format!(
            "there is no column `{shown}`, or you may not read it"
        ))
        .hint(format!("there is {}", names.join(", ")))
    })
}

/// A name as SQL writes it.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as a value of a column.
pub(super) fn parsed(field: &Field, text: &str) -> Result<ScalarValue, Problem> {
    let wrong = || {
        let shown: String = text.chars().filter(|c| !c.is_control()).take(63).collect();
        let kind = type_name(field.data_type());
        Problem::bad(format!(
            "`{shown}` is no {kind}, which `{}` is",
            field.name()
        ))
    };
    value_of(field.data_type(), Some(text)).ok_or_else(wrong)
}

/// A text, or null, as a value of a type; none if it is none.
pub(super) fn value_of(kind: &DataType, text: Option<&str>) -> Option<ScalarValue> {
    let kind = plain(kind);
    if !is_comparable(kind) {
        return None;
    }
    let texts = Arc::new(StringArray::from(vec![text])) as arrow_array::ArrayRef;
    let options = CastOptions {
        safe: false,
        ..CastOptions::default()
    };
    let cast = cast_with_options(&texts, kind, &options).ok()?;
    ScalarValue::try_from_array(&cast, 0).ok()
}

/// The type of the values of a dictionary.
fn plain(kind: &DataType) -> &DataType {
    match kind {
        DataType::Dictionary(_, value) => value,
        kind => kind,
    }
}

fn is_text(kind: &DataType) -> bool {
    matches!(
        plain(kind),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
    )
}

/// Whether values of a type can be put in order and be written as a text.
pub(super) fn is_comparable(kind: &DataType) -> bool {
    let kind = plain(kind);
    is_text(kind)
        || kind.is_numeric()
        || matches!(
            kind,
            DataType::Boolean
                | DataType::Date32
                | DataType::Date64
                | DataType::Timestamp(..)
                | DataType::Time32(_)
                | DataType::Time64(_)
        )
}

/// A value of a batch as a text that [`value_of`] reads; none for null.
pub(super) fn text_of(column: &arrow_array::ArrayRef, row: usize) -> Option<String> {
    let one = column.slice(row, 1);
    if arrow_array::Array::is_null(&one, 0) {
        return None;
    }
    let text = arrow_cast::cast(&one, &DataType::Utf8).ok()?;
    Some(text.as_string::<i32>().value(0).to_owned())
}
