//! All definitions together: built-in ones with the project's own over them.

use std::collections::BTreeMap;
use std::fmt;

use super::check;
use super::formula::{Formula, Name};
use super::written::{
    Additivity, Aggregate, Dimension, File, Measure, Metric, NeverAcross, Scalar, Subject,
    SubjectDimension, Unit,
};
use crate::config::ProjectConfig;

/// A file of definitions.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// Its path, for messages.
    pub path: String,
    /// Its text.
    pub text: String,
    /// Whether it is the project's: it may replace what is built in.
    pub is_project: bool,
}

/// Something wrong in a file of definitions.
#[derive(Debug, Clone, PartialEq)]
pub struct Wrong {
    /// What.
    pub what: String,
    /// Path of the file.
    pub path: String,
    /// Line, from 1.
    pub line: usize,
    /// Why, if that is not plain.
    pub why: Option<String>,
    /// What to do.
    pub hint: Option<String>,
}

impl fmt::Display for Wrong {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}\n --> {}:{}", self.what, self.path, self.line)?;
        if let Some(why) = &self.why {
            write!(out, "\n  why: {why}")?;
        }
        if let Some(hint) = &self.hint {
            write!(out, "\n  hint: {hint}")?;
        }
        Ok(())
    }
}

/// Where a definition stands.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Spot {
    pub(super) source: usize,
    pub(super) line: usize,
}

/// All definitions.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Layer {
    /// Dimensions by name.
    pub dimensions: BTreeMap<String, Dimension>,
    /// Subjects by name.
    pub subjects: BTreeMap<String, Subject>,
    /// Figures made of several subjects, by name.
    pub metrics: BTreeMap<String, Metric>,
    pub(super) sources: Vec<Source>,
    /// By `kind name`.
    pub(super) spots: BTreeMap<String, Spot>,
}

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Found<'a> {
    /// A measure of a subject.
    Measure(&'a Subject, &'a Measure),
    /// A figure made of several.
    Metric(&'a Metric),
}

impl Layer {
    /// Reads files, the built-in ones before the project's.
    ///
    /// # Errors
    /// Everything that is wrong in them.
    pub fn read(sources: Vec<Source>) -> Result<Self, Vec<Wrong>> {
        let mut layer = Self {
            sources,
            ..Self::default()
        };
        let mut wrongs = Vec::new();
        for at in 0..layer.sources.len() {
            match serde_yaml_ng::from_str::<Option<File>>(&layer.sources[at].text) {
                Ok(file) => layer.add(at, file.unwrap_or_default(), &mut wrongs),
                Err(error) => wrongs.push(check::unreadable(&layer.sources[at], &error)),
            }
        }
        // What cannot be read is missing elsewhere: one problem, not twenty.
        if wrongs.is_empty() {
            check::check(&layer, &mut wrongs);
        }
        match wrongs.is_empty() {
            true => Ok(layer),
            false => Err(wrongs),
        }
    }

    fn add(&mut self, at: usize, file: File, wrongs: &mut Vec<Wrong>) {
        for dimension in file.dimensions {
            if self.stands("dimension", &dimension.name, at, wrongs) {
                self.dimensions.insert(dimension.name.clone(), dimension);
            }
        }
        for subject in file.subjects {
            self.add_subject(at, subject, wrongs);
        }
        for metric in file.metrics {
            if self.stands("metric", &metric.name, at, wrongs) {
                self.metrics.insert(metric.name.clone(), metric);
            }
        }
    }

    fn add_subject(&mut self, at: usize, subject: Subject, wrongs: &mut Vec<Wrong>) {
        let name = subject.name.clone();
        for measure in &subject.measures {
            let line = check::line_of(&self.sources[at].text, &measure.name);
            self.spots.insert(
                format!("measure {name}.{}", measure.name),
                Spot { source: at, line },
            );
        }
        if !subject.extend {
            if self.stands("subject", &name, at, wrongs) {
                self.subjects.insert(name, subject);
            }
            return;
        }
        match self.subjects.get_mut(&name) {
            Some(known) => {
                extend(known, subject);
                // What is wrong with both together is most likely wrong here.
                let line = check::line_of(&self.sources[at].text, &name);
                let spot = Spot { source: at, line };
                self.spots.insert(format!("subject {name}"), spot);
            }
            None => wrongs.push(check::wrong(
                &self.sources[at],
                &name,
                format!("`extend: true`, but there is no subject `{name}` to extend"),
            )),
        }
    }

    /// Notes where something stands. False, and a problem, if one file of the same origin has it.
    fn stands(&mut self, kind: &str, name: &str, at: usize, wrongs: &mut Vec<Wrong>) -> bool {
        let line = check::line_of(&self.sources[at].text, name);
        let spot = Spot { source: at, line };
        let before = self.spots.insert(format!("{kind} {name}"), spot);
        let Some(before) = before else {
            return true;
        };
        let (old, new) = (&self.sources[before.source], &self.sources[at]);
        if old.is_project == new.is_project {
            let what = format!("the {kind} `{name}` is defined twice");
            let other = format!("the other one is at {}:{}", old.path, before.line);
            wrongs.push(Wrong {
                why: Some(other),
                ..check::wrong(new, name, what)
            });
            return false;
        }
        true
    }

    /// What a name stands for: `measure`, `subject.measure` or the name of a metric.
    ///
    /// # Errors
    /// Nothing has the name, or several things have; the text says which.
    pub fn find(&self, name: &Name) -> Result<Found<'_>, String> {
        if let Some(subject) = &name.subject {
            let Some(subject) = self.subjects.get(subject) else {
                return Err(format!("there is no subject `{subject}`"));
            };
            return match subject.measure(&name.measure) {
                Some(measure) => Ok(Found::Measure(subject, measure)),
                None => Err(format!(
                    "the subject `{}` has no measure `{}`",
                    subject.name, name.measure
                )),
            };
        }
        if let Some(metric) = self.metrics.get(&name.measure) {
            return Ok(Found::Metric(metric));
        }
        let having = |yields: bool| -> Vec<Found<'_>> {
            let subjects = self.subjects.values();
            let subjects = subjects.filter(|subject| subject.yields == yields);
            subjects
                .filter_map(|subject| {
                    let measure = subject.measure(&name.measure)?;
                    (!measure.hidden).then_some(Found::Measure(subject, measure))
                })
                .collect()
        };
        let mut found = having(false);
        if found.is_empty() {
            found = having(true);
        }
        match found.as_slice() {
            [one] => Ok(*one),
            [] => Err(format!("there is no metric `{name}`")),
            several => {
                let names: Vec<String> = several
                    .iter()
                    .map(|found| format!("`{}`", found.full_name()))
                    .collect();
                Err(format!(
                    "`{name}` is a measure of several subjects: {}",
                    names.join(", ")
                ))
            }
        }
    }

    /// Everything that can be asked for by name, in the order of subjects and their measures, then
    /// of metrics.
    pub fn all(&self) -> Vec<Found<'_>> {
        let measures = self.subjects.values().flat_map(|subject| {
            let shown = subject.measures.iter().filter(|measure| !measure.hidden);
            shown.map(move |measure| Found::Measure(subject, measure))
        });
        let metrics = self.metrics.values().map(Found::Metric);
        measures.chain(metrics).collect()
    }

    /// The shortest name under which it is found.
    pub fn short_name(&self, found: Found<'_>) -> String {
        let Found::Measure(subject, measure) = found else {
            return found.full_name();
        };
        let bare = Name {
            subject: None,
            measure: measure.name.clone(),
        };
        match self.find(&bare) {
            Ok(Found::Measure(other, _)) if other.name == subject.name => measure.name.clone(),
            _ => found.full_name(),
        }
    }

    /// What it is in measures that aggregate rows, each with its subject.
    ///
    /// # Errors
    /// A name in a formula is unknown, or a measure is made of itself.
    pub fn formula(&self, found: Found<'_>) -> Result<Formula, String> {
        self.expanded(found, &mut Vec::new())
    }

    fn expanded(&self, found: Found<'_>, above: &mut Vec<String>) -> Result<Formula, String> {
        let full = found.full_name();
        if above.contains(&full) {
            return Err(format!("`{full}` is made of itself"));
        }
        let (home, ratio, formula) = match found {
            Found::Measure(subject, measure) if measure.aggregate.is_some() => {
                return Ok(Formula::Measure(Name {
                    subject: Some(subject.name.clone()),
                    measure: measure.name.clone(),
                }));
            }
            Found::Measure(subject, measure) => (Some(subject), &measure.ratio, &measure.formula),
            Found::Metric(metric) => (None, &metric.ratio, &metric.formula),
        };
        let written = match (ratio, formula) {
            (Some(ratio), _) => Formula::of_ratio(ratio),
            (None, Some(text)) => Formula::parse(text)?,
            (None, None) => return Err(format!("`{full}` says neither how nor of what")),
        };
        above.push(full);
        let mut failed = None;
        let expanded = written.replaced(&mut |name| {
            let named = Name {
                subject: match home {
                    Some(home) => Some(home.name.clone()),
                    None => name.subject.clone(),
                },
                measure: name.measure.clone(),
            };
            let outside =
                home.is_some_and(|home| name.subject.as_ref().is_some_and(|n| *n != home.name));
            let part = match outside {
                true => Err(format!("`{name}` is of another subject: make it a metric")),
                false => self
                    .find(&named)
                    .and_then(|part| self.expanded(part, above)),
            };
            part.unwrap_or_else(|why| {
                failed.get_or_insert(why);
                Formula::Measure(name.clone())
            })
        });
        above.pop();
        match failed {
            Some(why) => Err(why),
            None => Ok(expanded),
        }
    }

    /// What may be done with its figures.
    pub fn additivity(&self, found: Found<'_>) -> Additivity {
        if let Found::Measure(_, measure) = found
            && let Some(aggregate) = measure.aggregate
        {
            return match aggregate {
                Aggregate::Sum | Aggregate::Count => Additivity::Sum,
                Aggregate::CountDistinct => Additivity::Distinct,
                Aggregate::Last => Additivity::Last,
                Aggregate::Min | Aggregate::Max => Additivity::Extreme,
                Aggregate::Average => Additivity::Ratio,
            };
        }
        let Ok(formula) = self.formula(found) else {
            return Additivity::Ratio;
        };
        let parts = formula.names().into_iter().filter_map(|name| {
            let part = self.find(name).ok()?;
            Some(self.additivity(part))
        });
        let all_sums = parts.into_iter().all(|part| part == Additivity::Sum);
        let plain = !formula.divides() && !formula.multiplies();
        match plain && all_sums {
            true => Additivity::Sum,
            false => Additivity::Ratio,
        }
    }

    /// The dimensions of a subject, with what is shared of them.
    pub fn dimensions_of<'a>(
        &'a self,
        subject: &'a Subject,
    ) -> impl Iterator<Item = (&'a SubjectDimension, &'a Dimension)> {
        let own = subject.dimensions.iter();
        own.filter_map(|own| Some((own, self.dimensions.get(&own.name)?)))
    }

    /// The line on which something stands, with the path of its file.
    pub fn place(&self, kind: &str, name: &str) -> Option<(&str, usize)> {
        let spot = self.spots.get(&format!("{kind} {name}"))?;
        Some((&self.sources[spot.source].path, spot.line))
    }
}

impl Subject {
    /// The measure of this name, hidden ones too.
    pub fn measure(&self, name: &str) -> Option<&Measure> {
        self.measures.iter().find(|measure| measure.name == name)
    }

    /// The dimension of this name, as this subject has it.
    pub fn dimension(&self, name: &str) -> Option<&SubjectDimension> {
        self.dimensions.iter().find(|own| own.name == name)
    }

    /// Its name for people.
    pub fn label(&self) -> String {
        self.label.clone().unwrap_or_else(|| titled(&self.name))
    }

    /// Dimensions over which a measure may not be added, the subject's among them.
    pub fn never_across<'a>(&'a self, measure: &'a Measure) -> Vec<&'a NeverAcross> {
        self.never_across
            .iter()
            .chain(&measure.never_across)
            .collect()
    }
}

impl Dimension {
    /// Its name for people.
    pub fn label(&self) -> String {
        self.label.clone().unwrap_or_else(|| titled(&self.name))
    }
}

impl Measure {
    /// What it is counted in.
    pub fn unit(&self) -> Unit {
        match (self.unit, self.aggregate) {
            (Some(unit), _) => unit,
            (None, Some(Aggregate::Count | Aggregate::CountDistinct)) => Unit::Count,
            (None, Some(_)) => Unit::Number,
            (None, None) => Unit::Rate,
        }
    }
}

impl<'a> Found<'a> {
    /// `subject.measure`, or the metric's name.
    pub fn full_name(&self) -> String {
        match self {
            Self::Measure(subject, measure) => format!("{}.{}", subject.name, measure.name),
            Self::Metric(metric) => metric.name.clone(),
        }
    }

    /// Its own name.
    pub fn name(&self) -> &'a str {
        match self {
            Self::Measure(_, measure) => &measure.name,
            Self::Metric(metric) => &metric.name,
        }
    }

    /// Its name for people.
    pub fn label(&self) -> String {
        let (name, label) = match self {
            Self::Measure(_, measure) => (&measure.name, &measure.label),
            Self::Metric(metric) => (&metric.name, &metric.label),
        };
        label.clone().unwrap_or_else(|| titled(name))
    }

    /// What it means.
    pub fn description(&self) -> &'a str {
        match self {
            Self::Measure(_, measure) => &measure.description,
            Self::Metric(metric) => &metric.description,
        }
    }

    /// What it is counted in.
    pub fn unit(&self) -> Unit {
        match self {
            Self::Measure(_, measure) => measure.unit(),
            Self::Metric(metric) => metric.unit.unwrap_or(Unit::Rate),
        }
    }

    /// For money: `reporting`, or the dimension that says the currency.
    pub fn currency(&self) -> Option<&'a str> {
        match self {
            Self::Measure(_, measure) => measure.currency.as_deref(),
            Self::Metric(metric) => metric.currency.as_deref(),
        }
    }
}

impl Scalar {
    /// The settings that definitions may ask for.
    pub const SETTINGS: [&'static str; 6] = [
        "attribution.default_model",
        "reporting.currency",
        "reporting.zone",
        "revenue.exclude_shipping",
        "revenue.exclude_tax",
        "revenue.subtract_refunds",
    ];

    /// What a setting is; none if there is no such setting.
    pub fn setting(config: &ProjectConfig, name: &str) -> Option<Self> {
        Some(match name {
            "attribution.default_model" => Self::Text(config.attribution.default_model.clone()),
            "reporting.currency" => Self::Text(config.reporting.currency.clone()),
            "reporting.zone" => Self::Text(config.reporting.zone.clone()),
            "revenue.exclude_shipping" => Self::Boolean(config.revenue.exclude_shipping),
            "revenue.exclude_tax" => Self::Boolean(config.revenue.exclude_tax),
            "revenue.subtract_refunds" => Self::Boolean(config.revenue.subtract_refunds),
            _ => return None,
        })
    }

    /// The value itself, where a setting has been looked up.
    #[must_use]
    pub fn resolved(&self, config: &ProjectConfig) -> Self {
        match self {
            Self::Setting { setting } => {
                Self::setting(config, setting).unwrap_or_else(|| Self::Text(String::new()))
            }
            value => value.clone(),
        }
    }
}

/// `cost_per_click` as `Cost per click`.
fn titled(name: &str) -> String {
    let words = name.replace('_', " ");
    let mut letters = words.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => words,
    }
}

/// Lays a subject over another: what it says replaces, what it names anew is added.
fn extend(known: &mut Subject, over: Subject) {
    known.label = over.label.or(known.label.take());
    if !over.description.is_empty() {
        known.description = over.description;
    }
    known.table = over.table.or(known.table.take());
    known.time = over.time.or(known.time.take());
    known.yields |= over.yields;
    known.filters.extend(over.filters);
    for default in over.defaults {
        known
            .defaults
            .retain(|old| old.dimension != default.dimension);
        known.defaults.push(default);
    }
    known.never_across.extend(over.never_across);
    for dimension in over.dimensions {
        known.dimensions.retain(|old| old.name != dimension.name);
        known.dimensions.push(dimension);
    }
    for measure in over.measures {
        match known.measures.iter_mut().find(|m| m.name == measure.name) {
            Some(old) => *old = measure,
            None => known.measures.push(measure),
        }
    }
}
