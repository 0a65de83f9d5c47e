//! What a request means: which measures of which subjects, and why some requests mean nothing.

use std::fmt;

use domain::config::ProjectConfig;
use domain::metrics::{
    Additivity, Dimension, Formula, Found, Grain, Layer, Measure, Name, NeverAcross, Scalar,
    Subject,
};

use super::request::{Filter, Request};

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// What is refused.
    pub what: String,
    /// Why it would mean nothing, or cannot be done.
    pub why: Option<String>,
    /// What to ask for instead.
    pub hint: Option<String>,
}

impl Refused {
    /// A refusal that needs no reason.
    pub fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            why: None,
            hint: None,
        }
    }

    /// The same, with the reason.
    #[must_use]
    pub fn why(mut self, why: impl Into<String>) -> Self {
        self.why = Some(why.into());
        self
    }

    /// The same, with advice.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl std::error::Error for Refused {}

impl fmt::Display for Refused {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.what)?;
        if let Some(why) = &self.why {
            write!(out, "\n  why: {why}")?;
        }
        if let Some(hint) = &self.hint {
            write!(out, "\n  hint: {hint}")?;
        }
        Ok(())
    }
}

/// A metric that was asked for.
pub(super) struct Asked<'a> {
    /// The name under which it was asked for.
    pub(super) name: String,
    pub(super) found: Found<'a>,
    /// What it is, in measures that aggregate rows.
    pub(super) formula: Formula,
}

/// What is needed of one subject.
pub(super) struct Part<'a> {
    pub(super) subject: &'a Subject,
    pub(super) measures: Vec<&'a Measure>,
    /// Defaults that hold, for the request says nothing of their dimensions.
    pub(super) defaults: Vec<(&'a str, &'a Scalar)>,
}

/// A request that means something.
pub(super) struct Meant<'a> {
    pub(super) asked: Vec<Asked<'a>>,
    pub(super) parts: Vec<Part<'a>>,
    pub(super) dimensions: Vec<&'a Dimension>,
}

/// Finds out what a request means.
pub(super) fn resolve<'a>(
    layer: &'a Layer,
    config: &ProjectConfig,
    request: &Request,
) -> Result<Meant<'a>, Refused> {
    if request.metrics.is_empty() {
        return Err(Refused::new("no metric is asked for").hint(metric_hint(layer, "")));
    }
    let mut asked: Vec<Asked<'a>> = Vec::new();
    for name in &request.metrics {
        if asked.iter().any(|known| known.name == *name) {
            return Err(Refused::new(format!("`{name}` is asked for twice")));
        }
        asked.push(one(layer, name)?);
    }
    let dimensions = dimensions(layer, request)?;
    let mut parts = parts(layer, &asked)?;
    for part in &mut parts {
        has_all(layer, part, request, &asked)?;
        part.defaults = part
            .subject
            .defaults
            .iter()
            .filter(|default| !speaks_of(request, &default.dimension))
            .map(|default| (default.dimension.as_str(), &default.is))
            .collect();
        for measure in &part.measures {
            may_be_added(part, measure, request)?;
        }
    }
    let _ = config;
    Ok(Meant {
        asked,
        parts,
        dimensions,
    })
}

fn one<'a>(layer: &'a Layer, name: &str) -> Result<Asked<'a>, Refused> {
    let found = layer
        .find(&Name::parse(name))
        .map_err(|what| Refused::new(what).hint(metric_hint(layer, name)))?;
    if let Found::Measure(subject, measure) = found
        && measure.hidden
    {
        let what = format!(
            "the measure `{}` of `{}` is only a part of others",
            measure.name, subject.name
        );
        return Err(Refused::new(what));
    }
    let formula = layer.formula(found).map_err(Refused::new)?;
    Ok(Asked {
        name: name.to_owned(),
        found,
        formula,
    })
}

fn metric_hint(layer: &Layer, name: &str) -> String {
    let all: Vec<String> = layer
        .all()
        .into_iter()
        .map(|found| layer.short_name(found))
        .collect();
    let near = all.iter().find(|known| {
        let (known, name) = (known.to_lowercase(), name.to_lowercase());
        !name.is_empty() && (known.contains(&name) || name.contains(&known))
    });
    match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`throughline metrics list` names them all".into(),
    }
}

fn dimensions<'a>(layer: &'a Layer, request: &Request) -> Result<Vec<&'a Dimension>, Refused> {
    let mut found: Vec<&Dimension> = Vec::new();
    for name in &request.dimensions {
        if let Some(grain) = Grain::ALL.iter().find(|grain| grain.name() == name) {
            let what = format!("`{name}` is a grain of time and no dimension");
            let hint = format!("ask for the grain `{}` instead", grain.name());
            return Err(Refused::new(what).hint(hint));
        }
        if found.iter().any(|known| known.name == *name) {
            return Err(Refused::new(format!("`{name}` is asked for twice")));
        }
        found.push(dimension(layer, name)?);
    }
    for filter in &request.filters {
        dimension(layer, &filter.dimension)?;
    }
    Ok(found)
}

fn dimension<'a>(layer: &'a Layer, name: &str) -> Result<&'a Dimension, Refused> {
    if let Some(dimension) = layer.dimensions.get(name) {
        return Ok(dimension);
    }
    let refused = Refused::new(format!("there is no dimension `{name}`"));
    Err(match layer.find(&Name::parse(name)) {
        Ok(_) => refused.why("it is a metric, and figures are not grouped or filtered by figures"),
        Err(_) => refused.hint("`throughline metrics show METRIC` names its dimensions"),
    })
}

/// The subjects whose rows are needed, each with its measures.
fn parts<'a>(layer: &'a Layer, asked: &[Asked<'a>]) -> Result<Vec<Part<'a>>, Refused> {
    let mut parts: Vec<Part<'a>> = Vec::new();
    for name in asked.iter().flat_map(|asked| asked.formula.names()) {
        let Found::Measure(subject, measure) = layer.find(name).map_err(Refused::new)? else {
            continue;
        };
        let part = match parts
            .iter_mut()
            .find(|part| part.subject.name == subject.name)
        {
            Some(part) => part,
            None => {
                parts.push(Part {
                    subject,
                    measures: vec![],
                    defaults: vec![],
                });
                match parts.last_mut() {
                    Some(part) => part,
                    None => continue,
                }
            }
        };
        if !part.measures.iter().any(|known| known.name == measure.name) {
            part.measures.push(measure);
        }
    }
    Ok(parts)
}

fn speaks_of(request: &Request, dimension: &str) -> bool {
    request.dimensions.iter().any(|name| name == dimension)
        || request
            .filters
            .iter()
            .any(|filter| filter.dimension == dimension)
}

/// Refuses dimensions that the subject does not have.
fn has_all(
    layer: &Layer,
    part: &Part<'_>,
    request: &Request,
    asked: &[Asked<'_>],
) -> Result<(), Refused> {
    let subject = part.subject;
    let filters = request.filters.iter().map(|filter| &filter.dimension);
    for name in request.dimensions.iter().chain(filters) {
        if subject.dimension(name).is_some() {
            continue;
        }
        let of: Vec<String> = asked
            .iter()
            .filter(|asked| {
                let names = asked.formula.names();
                let mut subjects = names.iter().filter_map(|name| name.subject.as_ref());
                subjects.any(|needed| *needed == subject.name)
            })
            .map(|asked| format!("`{}`", asked.name))
            .collect();
        let what = format!(
            "{} cannot be had by `{name}`: the subject `{}` lacks that dimension",
            of.join(", "),
            subject.name
        );
        let why = format!(
            "a row of `{}` says nothing of it, so its figures would be repeated for every value",
            subject.table.as_deref().unwrap_or_default()
        );
        return Err(Refused::new(what)
            .why(why)
            .hint(instead(layer, asked, name)));
    }
    if let Some(time) = &subject.time
        && let Some(grain) = request.grain
        && !grain.holds(time.grain)
    {
        let what = format!(
            "figures of `{}` cannot be had by {}",
            subject.name,
            grain.name()
        );
        let why = format!("its rows are of whole {}s", time.grain.name());
        return Err(Refused::new(what).why(why));
    }
    if subject.time.is_none()
        && (request.grain.is_some() || request.from.is_some() || request.to.is_some())
    {
        let what = format!("figures of `{}` have no day", subject.name);
        return Err(Refused::new(what).hint("leave out grain, from and to"));
    }
    Ok(())
}

/// What can be had: metrics like it that have the dimension, else its own dimensions.
fn instead(layer: &Layer, asked: &[Asked<'_>], dimension: &str) -> String {
    let words: Vec<&str> = asked
        .iter()
        .flat_map(|asked| asked.found.name().split('_'))
        .collect();
    let like = layer.all().into_iter().filter(|found| {
        let Ok(formula) = layer.formula(*found) else {
            return false;
        };
        let names = formula.names().into_iter();
        let subjects = names.filter_map(|name| layer.subjects.get(name.subject.as_deref()?));
        let mut subjects = subjects.peekable();
        let same_kind = asked.iter().any(|asked| asked.found.unit() == found.unit());
        same_kind
            && found.name().split('_').any(|word| words.contains(&word))
            && subjects.peek().is_some()
            && subjects.all(|subject| subject.dimension(dimension).is_some())
            && !asked
                .iter()
                .any(|asked| asked.found.full_name() == found.full_name())
    });
    let like: Vec<String> = like.map(|found| layer.short_name(found)).take(4).collect();
    match like.is_empty() {
        true => having(layer, asked),
        false => format!("by `{dimension}` there is: {}", like.join(", ")),
    }
}

/// The dimensions that all subjects of a request have.
fn having(layer: &Layer, asked: &[Asked<'_>]) -> String {
    let mut subjects: Vec<&str> = Vec::new();
    for name in asked.iter().flat_map(|asked| asked.formula.names()) {
        if let Some(subject) = name.subject.as_deref()
            && !subjects.contains(&subject)
        {
            subjects.push(subject);
        }
    }
    let shared: Vec<&str> = layer
        .dimensions
        .keys()
        .filter(|name| {
            let all = subjects
                .iter()
                .filter_map(|subject| layer.subjects.get(*subject));
            all.into_iter()
                .all(|subject| subject.dimension(name).is_some())
        })
        .map(String::as_str)
        .collect();
    match shared.is_empty() {
        true => "they share no dimension but time".into(),
        false => format!("they can be had by: {}", shared.join(", ")),
    }
}

/// Refuses sums that mean nothing.
fn may_be_added(part: &Part<'_>, measure: &Measure, request: &Request) -> Result<(), Refused> {
    let currency = currency_rule(measure);
    let rules = part.subject.never_across(measure);
    for rule in rules.into_iter().chain(&currency) {
        let name = &rule.dimension;
        let pinned = request
            .filters
            .iter()
            .any(|filter| filter.dimension == *name && filter.pins().is_some())
            || part.defaults.iter().any(|(dimension, _)| dimension == name);
        let grouped = request.dimensions.contains(name);
        if pinned || (grouped && !request.totals) {
            continue;
        }
        let full = format!("{}.{}", part.subject.name, measure.name);
        if grouped {
            let what = format!("`{full}` has no total over all values of `{name}`");
            let hint = format!("leave out the totals, or filter to one `{name}`");
            return Err(Refused::new(what).why(&rule.why).hint(hint));
        }
        let what = format!("`{full}` cannot be added over all values of `{name}`");
        let hint = format!("ask for it by the dimension `{name}`, or filter to one `{name}`");
        return Err(Refused::new(what).why(&rule.why).hint(hint));
    }
    Ok(())
}

/// Money as recorded is of one currency at a time.
pub(super) fn currency_rule(measure: &Measure) -> Option<NeverAcross> {
    let currency = measure.currency.as_ref()?;
    (currency != "reporting").then(|| NeverAcross {
        dimension: currency.clone(),
        why: "Amounts of several currencies cannot be added.".into(),
    })
}

/// What is told of a figure's additivity.
pub(super) fn additivity_text(additivity: Additivity) -> &'static str {
    match additivity {
        Additivity::Sum => "may be added",
        Additivity::Distinct => "counts each thing once: groups may share things",
        Additivity::Last => "may be added, but not over time",
        Additivity::Extreme => "may not be added",
        Additivity::Ratio => "computed anew for every group, never added or averaged",
    }
}

/// The value that a filter leaves of a dimension, as text.
pub(super) fn pinned(filters: &[Filter], dimension: &str) -> Option<String> {
    let filter = filters
        .iter()
        .find(|filter| filter.dimension == dimension && filter.pins().is_some())?;
    filter.pins()?.as_str().map(str::to_owned)
}
