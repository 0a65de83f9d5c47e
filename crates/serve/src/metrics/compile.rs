//! One request, one query. Each subject is aggregated by itself to the dimensions of the request,
//! and only then do figures of several stand side by side: no row of one is multiplied by rows of
//! another. Ratios come last. Values are parameters.

use std::fmt::Write as _;

use domain::config::ProjectConfig;
use domain::metrics::{
    Additivity, Aggregate, Dimension, DimensionType, Found, Grain, Layer, Name, Unit,
};
use serde::Serialize;
use serde_json::Value;

use super::day::Day;
use super::labels::Labels;
use super::request::{Comparison, Filter, Request};
use super::resolve::{Meant, Part, Refused, additivity_text, pinned, resolve};
use super::sql;

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

struct Query<'a> {
    config: &'a ProjectConfig,
    layer: &'a Layer,
    request: &'a Request,
    meant: &'a Meant<'a>,
    parameters: Vec<Parameter>,
    /// Each filter as SQL that has `{}` for its dimension.
    filters: Vec<String>,
    days: (Option<String>, Option<String>),
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

    fn text(&self) -> Result<String, Refused> {
        let mut text = String::from("with ");
        let mut selects = Vec::new();
        for grouped in [true, false] {
            if !grouped && !self.request.totals {
                continue;
            }
            let end = if grouped { "" } else { " total" };
            for part in &self.meant.parts {
                let name = sql::quoted(&format!("{}{end}", part.subject.name));
                // Writing to a string does not fail.
                let _ = write!(
                    text,
                    "{name} as (\n{}\n),\n",
                    self.of_subject(part, grouped)
                );
            }
            let _ = write!(
                text,
                "{} as (\n{}\n),\n",
                sql::quoted(&format!("side by side{end}")),
                self.side_by_side(end, grouped)
            );
            selects.push(self.figures(end, grouped)?);
        }
        text.truncate(text.len() - 2);
        text.push('\n');
        let order = self.order()?;
        let limits = self.limits();
        if self.request.totals {
            let (rows, total) = (&selects[0], &selects[1]);
            let rows = match limits.is_empty() {
                true => rows.clone(),
                false => format!("select * from (\n{rows}\norder by {order}{limits}\n) as page"),
            };
            let _ = write!(
                text,
                "{rows}\nunion all\n{total}\norder by is_total, {order}"
            );
        } else {
            let _ = write!(text, "{}", selects[0]);
            if !order.is_empty() {
                let _ = write!(text, "\norder by {order}");
            }
            text.push_str(&limits);
        }
        Ok(text)
    }

    fn limits(&self) -> String {
        let mut limits = String::new();
        if let Some(limit) = self.request.limit {
            let _ = write!(limits, "\nlimit {limit}");
        }
        if let Some(offset) = self.request.offset {
            let _ = write!(limits, "\noffset {offset}");
        }
        limits
    }

    /// The dimensions that a subject is read with.
    fn labels<'p>(&'p self, part: &'p Part<'_>, grouped: bool) -> Labels<'p> {
        let groups = self.request.dimensions.iter().filter(|_| grouped);
        let filters = self.request.filters.iter().map(|filter| &filter.dimension);
        let defaults = part.defaults.iter().map(|(name, _)| *name);
        let names = groups.chain(filters).map(String::as_str).chain(defaults);
        Labels::of(self.layer, part.subject, names)
    }

    /// A subject aggregated by itself.
    fn of_subject(&self, part: &Part<'_>, grouped: bool) -> String {
        let labels = self.labels(part, grouped);
        let day = sql::day(part.subject).unwrap_or_else(|| "null".into());
        let mut columns = Vec::new();
        if grouped {
            if let Some(grain) = self.request.grain {
                let bucket = sql::bucket(&day, grain, self.config);
                columns.push(format!("{bucket} as {}", sql::quoted(grain.name())));
            }
            for name in &self.request.dimensions {
                let value = labels.value(name);
                columns.push(format!("{value} as {}", sql::quoted(name)));
            }
        }
        let groups = columns.len();
        for measure in &part.measures {
            let input = sql::input(measure, self.config);
            let last = sql::quoted(&format!("last {}", measure.name));
            let last = format!(
                "{last} is not distinct from {}",
                over(measure.over.as_deref())
            );
            let figure = sql::aggregate(measure, input.as_deref(), Some(&last));
            columns.push(format!("{figure} as {}", sql::quoted(&measure.name)));
        }
        if let Some(partial) = partial(part) {
            columns.push(format!("bool_or({partial}) as is_partial"));
        }
        let mut text = format!(
            "    select\n        {}\n    from {}",
            columns.join(",\n        "),
            self.rows(part, &day, grouped)
        );
        for join in &labels.joins {
            let _ = write!(text, "\n    {}", join.text());
        }
        let tests = self.tests(part, &labels);
        if !tests.is_empty() {
            let _ = write!(text, "\n    where {}", tests.join("\n        and "));
        }
        if groups > 0 {
            let list: Vec<String> = (1..=groups).map(|at| at.to_string()).collect();
            let _ = write!(text, "\n    group by {}", list.join(", "));
        }
        text
    }

    /// The rows of a subject; with the last value of a column beside each, where a measure asks.
    fn rows(&self, part: &Part<'_>, day: &str, grouped: bool) -> String {
        let table = sql::table(part.subject.table.as_deref().unwrap_or_default());
        let lasts: Vec<String> = part
            .measures
            .iter()
            .filter(|measure| measure.aggregate == Some(Aggregate::Last))
            .map(|measure| {
                let within = match self.request.grain.filter(|_| grouped) {
                    Some(grain) => {
                        format!("partition by {}", sql::bucket(day, grain, self.config))
                    }
                    None => String::new(),
                };
                format!(
                    "max({}) over ({within}) as {}",
                    over(measure.over.as_deref()),
                    sql::quoted(&format!("last {}", measure.name))
                )
            })
            .collect();
        if lasts.is_empty() {
            return table;
        }
        // The last value is that of all rows in the time asked for, whatever else is filtered.
        let tests = self.row_tests(part);
        let tests = match tests.is_empty() {
            true => String::new(),
            false => format!(" where {}", tests.join(" and ")),
        };
        format!(
            "(select *, {} from {table}{tests}) as fact",
            lasts.join(", ")
        )
    }

    /// Which rows of the subject there are at all, and in the time asked for.
    fn row_tests(&self, part: &Part<'_>) -> Vec<String> {
        let own = part.subject.filters.iter();
        let mut tests: Vec<String> = own.map(|one| sql::condition(one, self.config)).collect();
        if let Some(day) = sql::day(part.subject) {
            if let Some(from) = &self.days.0 {
                tests.push(format!("{day} >= {from}"));
            }
            if let Some(to) = &self.days.1 {
                tests.push(format!("{day} <= {to}"));
            }
        }
        tests
    }

    fn tests(&self, part: &Part<'_>, labels: &Labels<'_>) -> Vec<String> {
        let mut tests = self.row_tests(part);
        for (name, value) in &part.defaults {
            let column = labels.value(name);
            tests.push(format!("{column} = {}", sql::literal(value, self.config)));
        }
        for (filter, test) in self.request.filters.iter().zip(&self.filters) {
            let column = labels.value(&filter.dimension);
            tests.push(test.replace("{}", &column));
        }
        tests
    }

    fn group_names(&self) -> Vec<String> {
        let grain = self.request.grain.map(Grain::name);
        let dimensions = self.request.dimensions.iter().map(String::as_str);
        grain
            .into_iter()
            .chain(dimensions)
            .map(sql::quoted)
            .collect()
    }

    /// Figures of all subjects in one row for each group that any of them has.
    fn side_by_side(&self, end: &str, grouped: bool) -> String {
        let groups = if grouped { self.group_names() } else { vec![] };
        let of = |part: &Part<'_>, name: &str| sql::quoted(&column(part, name));
        let mut outer = groups.clone();
        for part in &self.meant.parts {
            for measure in &part.measures {
                let name = of(part, &measure.name);
                outer.push(format!("max({name}) as {name}"));
            }
        }
        let any_partial = self.meant.parts.iter().any(|part| partial(part).is_some());
        if any_partial {
            outer.push("coalesce(bool_or(is_partial), false) as is_partial".into());
        }
        let branches = self.meant.parts.iter().map(|part| {
            let mut inner = groups.clone();
            for other in &self.meant.parts {
                let is_it = other.subject.name == part.subject.name;
                for measure in &other.measures {
                    let name = of(other, &measure.name);
                    inner.push(match is_it {
                        true => format!("{} as {name}", sql::quoted(&measure.name)),
                        false => format!("null as {name}"),
                    });
                }
            }
            if any_partial {
                inner.push(match partial(part) {
                    Some(_) => "is_partial".into(),
                    None => "false as is_partial".into(),
                });
            }
            let from = sql::quoted(&format!("{}{end}", part.subject.name));
            format!("        select {}\n        from {from}", inner.join(", "))
        });
        let branches: Vec<String> = branches.collect();
        let mut text = format!(
            "    select\n        {}\n    from (\n{}\n    ) as part",
            outer.join(",\n        "),
            branches.join("\n        union all\n")
        );
        if !groups.is_empty() {
            let _ = write!(text, "\n    group by {}", groups.join(", "));
        }
        text
    }

    /// The metrics, from the figures side by side.
    fn figures(&self, end: &str, grouped: bool) -> Result<String, Refused> {
        let mut columns = match grouped {
            true => self.group_names(),
            false => {
                let names = self.group_names().into_iter();
                names.map(|name| format!("null as {name}")).collect()
            }
        };
        for asked in &self.meant.asked {
            let figure = sql::formula(&asked.formula, self.config, &|name| self.figure(name));
            columns.push(format!("{figure} as {}", sql::quoted(&asked.name)));
        }
        if self.meant.parts.iter().any(|part| partial(part).is_some()) {
            columns.push("is_partial".into());
        }
        if self.request.totals {
            columns.push(format!("{} as is_total", !grouped));
        }
        Ok(format!(
            "select\n    {}\nfrom {}",
            columns.join(",\n    "),
            sql::quoted(&format!("side by side{end}"))
        ))
    }

    fn figure(&self, name: &Name) -> String {
        let parts = self.meant.parts.iter();
        let mut found = parts.filter_map(|part| {
            let is_it = name.subject.as_deref() == Some(&part.subject.name);
            let measure = part
                .measures
                .iter()
                .find(|m| is_it && m.name == name.measure)?;
            let figure = sql::quoted(&column(part, &measure.name));
            Some(match sql::is_zero_without_rows(measure) {
                true => format!("coalesce({figure}, 0)"),
                false => figure,
            })
        });
        found.next().unwrap_or_else(|| "null".into())
    }

    fn order(&self) -> Result<String, Refused> {
        let groups = self.group_names();
        let mut order = Vec::new();
        for part in &self.request.order {
            let name = sql::quoted(&part.by);
            if !groups.contains(&name) && !self.request.metrics.contains(&part.by) {
                let what = format!("rows cannot be ordered by `{}`", part.by);
                let hint = "it must be a metric, a dimension or the grain of the request";
                return Err(Refused::new(what).hint(hint));
            }
            let direction = if part.descending { "desc" } else { "asc" };
            order.push((name.clone(), format!("{name} {direction} nulls last")));
        }
        for name in groups {
            if !order.iter().any(|(known, _)| *known == name) {
                order.push((name.clone(), format!("{name} asc nulls last")));
            }
        }
        let order: Vec<String> = order.into_iter().map(|(_, text)| text).collect();
        Ok(order.join(", "))
    }

    fn columns(&self) -> Vec<Column> {
        let mut columns = Vec::new();
        if let Some(grain) = self.request.grain {
            let description = format!("First day of the {}.", grain.name());
            columns.push(plain(
                grain.name(),
                grain.name(),
                &description,
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

/// A measure's column where several subjects stand side by side.
fn column(part: &Part<'_>, measure: &str) -> String {
    format!("{}.{measure}", part.subject.name)
}

fn over(column: Option<&str>) -> String {
    sql::quoted(column.unwrap_or_default())
}

/// Whether money of any row is missing.
fn partial(part: &Part<'_>) -> Option<String> {
    let mut tests: Vec<String> = Vec::new();
    for partial in part
        .measures
        .iter()
        .filter_map(|measure| measure.partial.as_ref())
    {
        let test = format!("({partial})");
        if !tests.contains(&test) {
            tests.push(test);
        }
    }
    (!tests.is_empty()).then(|| tests.join(" or "))
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
