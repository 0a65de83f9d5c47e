//! What definitions must say, and what they must not.

use std::collections::BTreeSet;

use super::formula::{Formula, Name, Operator};
use super::layer::{Found, Layer, Source, Wrong};
use super::written::{Aggregate, Condition, Grain, Measure, Scalar, Subject, Unit};

/// Names that every table of the schema `metrics` or every answer has.
const RESERVED: [&str; 3] = ["date", "is_partial", "is_total"];

/// The first line on which `name: …` or the name as a whole word stands; 1 without it.
pub(super) fn line_of(text: &str, name: &str) -> usize {
    let named = |line: &str| {
        line.split_once("name:").is_some_and(|(_, rest)| {
            let value = rest.split(['#', ',', '}']).next().unwrap_or_default();
            value.trim().trim_matches(['"', '\'']) == name
        })
    };
    let found = text.lines().position(named);
    let found = found.or_else(|| text.lines().position(|line| line.contains(name)));
    found.map_or(1, |at| at + 1)
}

/// A problem at the place where `name` stands.
pub(super) fn wrong(source: &Source, name: &str, what: String) -> Wrong {
    Wrong {
        what,
        path: source.path.clone(),
        line: line_of(&source.text, name),
        why: None,
        hint: None,
    }
}

/// A file that is no YAML, or says what it must not.
pub(super) fn unreadable(source: &Source, error: &serde_yaml_ng::Error) -> Wrong {
    let message = error.to_string();
    let plain = message.split(" at line ").next().unwrap_or(&message);
    let line = error.location().map_or(1, |at| at.line());
    Wrong {
        what: format!("`{}` cannot be understood", source.path),
        path: source.path.clone(),
        line,
        why: Some(plain.to_owned()),
        hint: Some("the keys are listed in docs/concepts/metrics.md".into()),
    }
}

/// Checks everything.
pub(super) fn check(layer: &Layer, wrongs: &mut Vec<Wrong>) {
    let mut checker = Checker { layer, wrongs };
    for dimension in layer.dimensions.values() {
        let parts = [&dimension.table, &dimension.key, &dimension.column];
        let said = parts.iter().filter(|part| part.is_some()).count();
        let name = &dimension.name;
        checker.name("dimension", name, name);
        if said != 0 && said != parts.len() {
            checker.say(
                "dimension",
                name,
                format!("the dimension `{name}` has only some of `table`, `key` and `column`"),
                Some("all three, or none where the subject's column is the value"),
            );
        }
        if let Some(table) = &dimension.table {
            checker.table("dimension", name, table);
        }
    }
    for subject in layer.subjects.values() {
        checker.subject(subject);
    }
    for metric in layer.metrics.values() {
        let name = &metric.name;
        checker.name("metric", name, name);
        if metric.ratio.is_some() == metric.formula.is_some() {
            let what = format!("the metric `{name}` needs either `ratio` or `formula`");
            checker.say("metric", name, what, None);
        }
        checker.derived("metric", name, Found::Metric(metric));
        let clash = layer.subjects.values().find(|subject| {
            let measure = subject.measure(name);
            !subject.yields && measure.is_some_and(|measure| !measure.hidden)
        });
        if let Some(subject) = clash {
            let what = format!(
                "the metric `{name}` has the name of a measure of `{}`",
                subject.name
            );
            checker.say("metric", name, what, Some("call it otherwise"));
        }
    }
}

struct Checker<'a> {
    layer: &'a Layer,
    wrongs: &'a mut Vec<Wrong>,
}

impl Checker<'_> {
    fn say(&mut self, kind: &str, name: &str, what: String, hint: Option<&str>) {
        let (path, line) = self.layer.place(kind, name).unwrap_or_default();
        self.wrongs.push(Wrong {
            what,
            path: path.to_owned(),
            line,
            why: None,
            hint: hint.map(str::to_owned),
        });
    }

    fn name(&mut self, kind: &str, full: &str, name: &str) {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let good = name.chars().all(plain) && name.starts_with(|c: char| c.is_ascii_lowercase());
        if !good {
            let hint = "lower case letters, digits and _, a letter first";
            self.say(
                kind,
                full,
                format!("`{name}` cannot be the name of a {kind}"),
                Some(hint),
            );
        }
        let is_grain = Grain::ALL.iter().any(|grain| grain.name() == name);
        if RESERVED.contains(&name) || (is_grain && kind != "subject") {
            let what = format!("`{name}` is reserved, and cannot be the name of a {kind}");
            self.say(kind, full, what, None);
        }
    }

    fn table(&mut self, kind: &str, name: &str, table: &str) {
        let parts: Vec<&str> = table.split('.').collect();
        if parts.len() != 2 || parts.iter().any(|part| part.is_empty()) {
            let what = format!("`{table}` does not say schema and table");
            self.say(kind, name, what, Some("for example star.fct_session"));
        }
    }

    fn subject(&mut self, subject: &Subject) {
        let name = subject.name.as_str();
        self.name("subject", name, name);
        match &subject.table {
            Some(table) => self.table("subject", name, table),
            None => self.say(
                "subject",
                name,
                format!("the subject `{name}` has no `table`"),
                None,
            ),
        }
        for condition in &subject.filters {
            self.condition("subject", name, condition);
        }
        let mut names = BTreeSet::new();
        for own in &subject.dimensions {
            if !self.layer.dimensions.contains_key(&own.name) {
                let what = format!(
                    "the subject `{name}` has the unknown dimension `{}`",
                    own.name
                );
                let hint = "dimensions are defined under `dimensions:` of any file";
                self.say("subject", name, what, Some(hint));
            }
            if own.column.is_some() && own.sql.is_some() {
                let what = format!(
                    "the dimension `{}` of `{name}` has both `column` and `sql`",
                    own.name
                );
                self.say("subject", name, what, None);
            }
            if !names.insert(&own.name) {
                let what = format!("the subject `{name}` has `{}` twice", own.name);
                self.say("subject", name, what, None);
            }
        }
        let never = subject.never_across.iter().map(|never| &never.dimension);
        let defaults = subject.defaults.iter().map(|default| &default.dimension);
        for dimension in never.chain(defaults) {
            self.has("subject", name, subject, dimension);
        }
        for default in &subject.defaults {
            self.scalar("subject", name, &default.is);
        }
        for measure in &subject.measures {
            let full = format!("{name}.{}", measure.name);
            self.name("measure", &full, &measure.name);
            if !names.insert(&measure.name) {
                let what = format!("the subject `{name}` has `{}` twice", measure.name);
                self.say("measure", &full, what, None);
            }
            self.measure(subject, measure, &full);
        }
        self.unique(subject);
    }

    /// No other subject that does not yield has a measure of the same name.
    fn unique(&mut self, subject: &Subject) {
        if subject.yields {
            return;
        }
        let shown = subject.measures.iter().filter(|measure| !measure.hidden);
        for measure in shown {
            let others = self.layer.subjects.values();
            let mut others = others.filter(|other| !other.yields && other.name < subject.name);
            let twice = others.find(|other| {
                let same = other.measure(&measure.name);
                same.is_some_and(|same| !same.hidden)
            });
            if let Some(other) = twice {
                let full = format!("{}.{}", subject.name, measure.name);
                let what = format!("`{}` is also a measure of `{}`", measure.name, other.name);
                let hint = "call it otherwise, or let one subject say `yields: true`";
                self.say("measure", &full, what, Some(hint));
            }
        }
    }

    fn has(&mut self, kind: &str, full: &str, subject: &Subject, dimension: &str) {
        if subject.dimension(dimension).is_none() {
            let what = format!(
                "`{dimension}` is no dimension of the subject `{}`",
                subject.name
            );
            self.say(kind, full, what, Some("add it to its `dimensions`"));
        }
    }

    fn measure(&mut self, subject: &Subject, measure: &Measure, full: &str) {
        let ways = [
            measure.aggregate.is_some(),
            measure.ratio.is_some(),
            measure.formula.is_some(),
        ];
        if ways.iter().filter(|way| **way).count() != 1 {
            let what = format!("`{full}` needs one of `aggregate`, `ratio` and `formula`");
            self.say("measure", full, what, None);
            return;
        }
        for never in &measure.never_across {
            self.has("measure", full, subject, &never.dimension);
        }
        for condition in &measure.filters {
            self.condition("measure", full, condition);
        }
        self.money(subject, measure, full);
        match measure.aggregate {
            Some(aggregate) => self.aggregate(measure, aggregate, full),
            None => {
                let rows = [
                    &measure.column,
                    &measure.sql,
                    &measure.over,
                    &measure.partial,
                ];
                if rows.iter().any(|said| said.is_some()) || !measure.filters.is_empty() {
                    let what = format!("`{full}` is made of measures and reads no rows");
                    let hint = "leave out `column`, `sql`, `filters`, `over` and `partial`";
                    self.say("measure", full, what, Some(hint));
                }
                self.derived("measure", full, Found::Measure(subject, measure));
            }
        }
    }

    fn aggregate(&mut self, measure: &Measure, aggregate: Aggregate, full: &str) {
        if measure.column.is_some() && measure.sql.is_some() {
            let what = format!("`{full}` has both `column` and `sql`");
            self.say("measure", full, what, None);
        }
        let has_input = measure.column.is_some() || measure.sql.is_some();
        if !has_input && aggregate != Aggregate::Count {
            let what = format!("`{full}` does not say which `column` is aggregated");
            self.say("measure", full, what, None);
        }
        if measure.over.is_some() != (aggregate == Aggregate::Last) {
            let what = format!("`{full}`: `over` and `aggregate: last` belong together");
            let hint = "`over` is the column whose last value counts";
            self.say("measure", full, what, Some(hint));
        }
        let counts = [Aggregate::Count, Aggregate::CountDistinct];
        if measure.unit.is_none() && !counts.contains(&aggregate) {
            let what = format!("`{full}` does not say its `type`");
            let hint = "count, money, milliseconds, seconds, days, rate or number";
            self.say("measure", full, what, Some(hint));
        }
    }

    fn money(&mut self, subject: &Subject, measure: &Measure, full: &str) {
        match (measure.unit() == Unit::Money, measure.currency.as_deref()) {
            (true, None) => {
                let what = format!("`{full}` is money and does not say its `currency`");
                let hint = "`reporting`, or the dimension that says the currency of a row";
                self.say("measure", full, what, Some(hint));
            }
            (true, Some("reporting")) | (false, None) => {}
            (true, Some(dimension)) => self.has("measure", full, subject, dimension),
            (false, Some(_)) => {
                let what = format!("`{full}` has a `currency` and is no money");
                self.say("measure", full, what, Some("write `type: money`"));
            }
        }
    }

    /// A ratio or formula: its names are known, and what is added is of one kind.
    fn derived(&mut self, kind: &str, full: &str, found: Found<'_>) {
        match self.layer.formula(found) {
            Err(why) => {
                let what = format!("`{full}`: {why}");
                self.say(kind, full, what, None);
            }
            Ok(formula) => {
                if let Err(why) = kind_of(self.layer, &formula) {
                    let what = format!("`{full}`: {why}");
                    self.say(kind, full, what, None);
                }
                for setting in settings(&formula) {
                    self.setting(kind, full, &setting);
                }
            }
        }
    }

    fn condition(&mut self, kind: &str, full: &str, condition: &Condition) {
        let said = usize::from(condition.is.is_some())
            + usize::from(condition.is_not.is_some())
            + usize::from(condition.one_of.is_some())
            + usize::from(condition.none_of.is_some())
            + usize::from(condition.is_null.is_some());
        if condition.column.is_empty() || said != 1 {
            let what = format!("a filter of `{full}` needs a `column` and one comparison");
            let hint = "`is`, `is_not`, `in`, `not_in` or `is_null`";
            self.say(kind, full, what, Some(hint));
        }
        let single = condition.is.iter().chain(&condition.is_not);
        let lists = condition.one_of.iter().chain(&condition.none_of).flatten();
        for value in single.chain(lists) {
            self.scalar(kind, full, value);
        }
    }

    fn scalar(&mut self, kind: &str, full: &str, value: &Scalar) {
        if let Scalar::Setting { setting } = value {
            self.setting(kind, full, setting);
        }
    }

    fn setting(&mut self, kind: &str, full: &str, setting: &str) {
        if !Scalar::SETTINGS.contains(&setting) {
            let what = format!("`{full}` asks for the unknown setting `{setting}`");
            let hint = format!("there is: {}", Scalar::SETTINGS.join(", "));
            self.say(kind, full, what, Some(&hint));
        }
    }
}

fn settings(formula: &Formula) -> Vec<String> {
    match formula {
        Formula::Setting(name) => vec![name.clone()],
        Formula::Of(left, _, right) => [settings(left), settings(right)].concat(),
        Formula::NullIfZero(part) => settings(part),
        Formula::Measure(_) | Formula::Number(_) => vec![],
    }
}

/// Unit and currency of a part; none for plain numbers.
type Kind = Option<(Unit, Option<String>)>;

/// Refuses sums of different things.
fn kind_of(layer: &Layer, formula: &Formula) -> Result<Kind, String> {
    match formula {
        Formula::Number(_) | Formula::Setting(_) => Ok(None),
        Formula::NullIfZero(part) => kind_of(layer, part),
        Formula::Measure(name) => measured(layer, name),
        Formula::Of(left, operator, right) => {
            let (first, second) = (kind_of(layer, left)?, kind_of(layer, right)?);
            match operator {
                Operator::Plus | Operator::Minus => match (first, second) {
                    (Some(first), Some(second)) if first != second => Err(format!(
                        "it adds {} and {}, which are not the same thing",
                        shown(&first),
                        shown(&second)
                    )),
                    (first, second) => Ok(first.or(second)),
                },
                Operator::Times => Ok(first.or(second)),
                // What is left of two things is a plain number.
                Operator::Per => Ok(if second.is_none() { first } else { None }),
            }
        }
    }
}

fn measured(layer: &Layer, name: &Name) -> Result<Kind, String> {
    let found = layer.find(name)?;
    Ok(Some((found.unit(), found.currency().map(str::to_owned))))
}

fn shown((unit, currency): &(Unit, Option<String>)) -> String {
    let unit = match unit {
        Unit::Count => "a count",
        Unit::Money => "money",
        Unit::Milliseconds => "milliseconds",
        Unit::Seconds => "seconds",
        Unit::Days => "days",
        Unit::Rate => "a rate",
        Unit::Number => "a number",
    };
    match currency {
        Some(currency) => format!("{unit} in the currency `{currency}`"),
        None => unit.to_owned(),
    }
}
