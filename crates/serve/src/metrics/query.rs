//! The text of a query: each subject by itself, then side by side, then figures.

use std::fmt::Write as _;

use domain::metrics::{Aggregate, Grain, Name};

use super::compile::Query;
use super::labels::Labels;
use super::resolve::{Part, Refused};
use super::sql;

impl Query<'_> {
    pub(super) fn text(&self) -> Result<String, Refused> {
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
    pub(super) fn labels<'p>(&'p self, part: &'p Part<'_>, grouped: bool) -> Labels<'p> {
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
}

/// A measure's column where several subjects stand side by side.
fn column(part: &Part<'_>, measure: &str) -> String {
    format!("{}.{measure}", part.subject.name)
}

fn over(column: Option<&str>) -> String {
    sql::quoted(column.unwrap_or_default())
}

/// Whether money of any row is missing.
pub(super) fn partial(part: &Part<'_>) -> Option<String> {
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
