//! One request, one query. Each subject is aggregated by itself to the dimensions of the request,
//! and only then do figures of several stand side by side: no row of one is multiplied by rows of
//! another. Ratios come last. Values are parameters.

use domain::config::ProjectConfig;
use domain::metrics::{Additivity, Dimension, DimensionType, Found, Layer, Unit};
use serde::Serialize;
use serde_json::Value;

use super::day::Day;
use super::query::partial;
use super::request::{Comparison, Filter, Request};
use super::resolve::{Meant, Refused, additivity_text, pinned, resolve};

/// A query and what its columns mean.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Compiled {
    /// The query, over governed tables, with `$1`, `$2` … for values.
    pub sql: String,
    /// The values.
    pub parameters: Vec<Parameter>,
    /// Its columns, in their order.
    pub columns: Vec<Column>,
    /// The tables that it reads.
    pub tables: Vec<String>,
}

/// A value of a request.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", content = "value", rename_all = "lowercase")]
pub enum Parameter {
    /// A text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// True or false.
    Boolean(bool),
    /// A day, in days since 1970.
    Day(i32),
}

/// What a column of the answer is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its name for people.
    pub label: String,
    /// What it means.
    pub description: String,
    /// Which part of the answer it is.
    pub kind: ColumnKind,
    /// What a figure is counted in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<Unit>,
    /// ISO 4217 code of money; none where the rows say it, in `currency_column`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// The dimension that says the currency of each row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency_column: Option<String>,
    /// What may be done with figures once they are grouped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub additivity: Option<Additivity>,
    /// The same in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub additivity_note: Option<&'static str>,
}

/// Which part of an answer a column is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnKind {
    /// First day of a time bucket.
    Time,
    /// What figures are grouped by.
    Dimension,
    /// A figure.
    Metric,
    /// Something said of the row: `is_partial`, `is_total`.
    Flag,
}

/// Compiles a request.
///
/// # Errors
/// It asks for what is not there, or for what would mean nothing; the refusal says why.
pub fn compile(
    layer: &Layer,
    config: &ProjectConfig,
    request: &Request,
) -> Result<Compiled, Refused> {
    let meant = resolve(layer, config, request)?;
    let mut query = Query {
        config,
        layer,
        request,
        meant: &meant,
        parameters: vec![],
        filters: vec![],
        days: (None, None),
    };
    query.days = (
        query.bound(request.from.as_deref(), "from")?,
        query.bound(request.to.as_deref(), "to")?,
    );
    query.whole_buckets()?;
    for filter in &request.filters {
        let tests = query.filter(filter)?;
        query.filters.push(tests);
    }
    let sql = query.text()?;
    let mut tables: Vec<String> = Vec::new();
    for part in &meant.parts {
        let own = part.subject.table.iter().cloned();
        let joined = query.labels(part, true).joins.into_iter();
        let joined = joined.map(|join| join.table).collect::<Vec<_>>();
        for table in own.chain(joined) {
            if !tables.contains(&table) {
                tables.push(table);
            }
        }
    }
    Ok(Compiled {
        sql,
        columns: query.columns(),
        parameters: query.parameters,
        tables,
    })
}

pub(super) struct Query<'a> {
    pub(super) config: &'a ProjectConfig,
    pub(super) layer: &'a Layer,
    pub(super) request: &'a Request,
    pub(super) meant: &'a Meant<'a>,
    pub(super) parameters: Vec<Parameter>,
    /// Each filter as SQL that has `{}` for its dimension.
    pub(super) filters: Vec<String>,
    pub(super) days: (Option<String>, Option<String>),
}

impl Query<'_> {
    fn parameter(&mut self, value: Parameter) -> String {
        self.parameters.push(value);
        format!("${}", self.parameters.len())
    }

    fn bound(&mut self, text: Option<&str>, which: &str) -> Result<Option<String>, Refused> {
        let Some(text) = text else {
            return Ok(None);
        };
        let day = Day::parse(text).ok_or_else(|| {
            Refused::new(format!("`{which}` is `{text}`, which is no day")).hint("as 2026-01-31")
        })?;
        Ok(Some(self.parameter(Parameter::Day(day.number()))))
    }

    /// Rows of whole months cannot be cut in their middle.
    fn whole_buckets(&self) -> Result<(), Refused> {
        let day = |text: &Option<String>| text.as_deref().and_then(Day::parse);
        for part in &self.meant.parts {
            let Some(grain) = part.subject.time.as_ref().map(|time| time.grain) else {
                continue;
            };
            let week_start = self.config.reporting.week_start;
            let first = day(&self.request.from).is_none_or(|d| d.begins(grain, week_start));
            let last = day(&self.request.to).is_none_or(|d| d.next().begins(grain, week_start));
            if !first || !last {
                let what = format!(
                    "`from` and `to` cut a {} of `{}` in its middle",
                    grain.name(),
                    part.subject.name
                );
                let hint = format!(
                    "begin with the first day of a {0}, and end with the last one of a {0}",
                    grain.name()
                );
                return Err(Refused::new(what).hint(hint));
            }
        }
        Ok(())
    }

    /// A filter as SQL, with `{}` where its dimension stands.
    fn filter(&mut self, filter: &Filter) -> Result<String, Refused> {
        let name = &filter.dimension;
        let kind = self.layer.dimensions.get(name).map(|found| found.kind);
        let kind = kind.unwrap_or_default();
        let mut values = Vec::new();
        for value in &filter.values {
            let value = parameter(kind, value)
                .ok_or_else(|| Refused::new(format!("`{value}` is no value of `{name}`")))?;
            values.push(self.parameter(value));
        }
        let only = |wanted: usize| match values.len() == wanted {
            true => Ok(values.first().cloned().unwrap_or_default()),
            false => Err(Refused::new(format!(
                "the filter of `{name}` needs {wanted} value(s) and has {}",
                values.len()
            ))),
        };
        let text = |test: &str| match kind {
            DimensionType::Text => Ok(()),
            _ => Err(Refused::new(format!(
                "`{name}` is no text, and cannot be asked what it {test}"
            ))),
        };
        let list = values.join(", ");
        Ok(match filter.op {
            Comparison::In | Comparison::NotIn if values.is_empty() => {
                return Err(Refused::new(format!(
                    "the filter of `{name}` has no values"
                )));
            }
            Comparison::In => format!("{{}} in ({list})"),
            Comparison::NotIn => format!("({{}} is null or {{}} not in ({list}))"),
            Comparison::Is => format!("{{}} = {}", only(1)?),
            Comparison::IsNot => format!("{{}} is distinct from {}", only(1)?),
            Comparison::Less => format!("{{}} < {}", only(1)?),
            Comparison::AtMost => format!("{{}} <= {}", only(1)?),
            Comparison::Greater => format!("{{}} > {}", only(1)?),
            Comparison::AtLeast => format!("{{}} >= {}", only(1)?),
            Comparison::Contains => {
                text("contains")?;
                format!("strpos({{}}, {}) > 0", only(1)?)
            }
            Comparison::StartsWith => {
                text("starts with")?;
                format!("starts_with({{}}, {})", only(1)?)
            }
            Comparison::IsNull | Comparison::IsNotNull if !values.is_empty() => {
                return Err(Refused::new(format!(
                    "the filter of `{name}` takes no value"
                )));
            }
            Comparison::IsNull => "{} is null".into(),
            Comparison::IsNotNull => "{} is not null".into(),
        })
    }

    fn columns(&self) -> Vec<Column> {
        let mut columns = Vec::new();
        if let Some(grain) = self.request.grain {
            let description = grain.description();
            columns.push(plain(
                grain.name(),
                grain.name(),
                description,
                ColumnKind::Time,
            ));
        }
        for dimension in &self.meant.dimensions {
            let Dimension {
                name, description, ..
            } = dimension;
            columns.push(plain(
                name,
                &dimension.label(),
                description,
                ColumnKind::Dimension,
            ));
        }
        for asked in &self.meant.asked {
            columns.push(self.column(&asked.name, asked.found));
        }
        if self.meant.parts.iter().any(|part| partial(part).is_some()) {
            let description = "Money of some rows is missing for want of an exchange rate.";
            columns.push(plain(
                "is_partial",
                "Partial",
                description,
                ColumnKind::Flag,
            ));
        }
        if self.request.totals {
            let description = "The row is over everything, computed anew.";
            columns.push(plain("is_total", "Total", description, ColumnKind::Flag));
        }
        columns
    }

    fn column(&self, name: &str, found: Found<'_>) -> Column {
        let mut column = plain(
            name,
            &found.label(),
            found.description(),
            ColumnKind::Metric,
        );
        let additivity = self.layer.additivity(found);
        column.unit = Some(found.unit());
        column.additivity = Some(additivity);
        column.additivity_note = Some(additivity_text(additivity));
        match found.currency() {
            Some("reporting") => column.currency = Some(self.config.reporting.currency.clone()),
            Some(dimension) => match pinned(&self.request.filters, dimension) {
                Some(code) => column.currency = Some(code),
                None => column.currency_column = Some(dimension.to_owned()),
            },
            None => {}
        }
        column
    }
}

fn plain(name: &str, label: &str, description: &str, kind: ColumnKind) -> Column {
    Column {
        name: name.to_owned(),
        label: label.to_owned(),
        description: description.to_owned(),
        kind,
        unit: None,
        currency: None,
        currency_column: None,
        additivity: None,
        additivity_note: None,
    }
}

/// A value of a request as a parameter of the dimension's type.
fn parameter(kind: DimensionType, value: &Value) -> Option<Parameter> {
    match (kind, value) {
        (DimensionType::Text, Value::String(text)) => Some(Parameter::Text(text.clone())),
        // A program that reads names as numbers means the text.
        (DimensionType::Text, Value::Number(number)) => Some(Parameter::Text(number.to_string())),
        (DimensionType::Integer, Value::Number(number)) => number.as_i64().map(Parameter::Integer),
        (DimensionType::Integer, Value::String(text)) => text.parse().ok().map(Parameter::Integer),
        (DimensionType::Boolean, Value::Bool(value)) => Some(Parameter::Boolean(*value)),
        (DimensionType::Boolean, Value::String(text)) => text.parse().ok().map(Parameter::Boolean),
        (DimensionType::Day, Value::String(text)) => {
            Some(Parameter::Day(Day::parse(text)?.number()))
        }
        _ => None,
    }
}
