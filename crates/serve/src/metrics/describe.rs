//! What there is: every metric and dimension, as lists for people and programs.

use domain::config::ProjectConfig;
use domain::metrics::{
    Additivity, DimensionType, Found, Grain, Layer, NeverAcross, Scalar, Subject, Unit,
};
use serde::Serialize;

use super::resolve::{additivity_text, currency_rule};

/// A metric.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MetricInfo {
    /// The shortest name under which it can be asked for.
    pub name: String,
    /// `subject.measure`, or the name of a metric of several subjects.
    pub full_name: String,
    /// Its name for people.
    pub label: String,
    /// What it means.
    pub description: String,
    /// What it is counted in.
    pub unit: Unit,
    /// ISO 4217 code of money; none where rows say it, by the dimension `currency_dimension`.
    pub currency: Option<String>,
    /// The dimension that says the currency of a row.
    pub currency_dimension: Option<String>,
    /// What may be done with its figures once they are grouped.
    pub additivity: Additivity,
    /// The same in words.
    pub additivity_note: &'static str,
    /// The arithmetic, for what is made of other measures.
    pub formula: Option<String>,
    /// The subjects whose rows it is made of.
    pub subjects: Vec<String>,
    /// The dimensions that it can be grouped and filtered by.
    pub dimensions: Vec<String>,
    /// The grains that it can be had by.
    pub grains: Vec<Grain>,
    /// Dimensions that a request must group by or filter to one value.
    pub never_across: Vec<NeverAcross>,
    /// What holds for dimensions that a request says nothing of.
    pub defaults: Vec<DefaultInfo>,
}

/// What holds for a dimension that a request says nothing of.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DefaultInfo {
    /// The dimension.
    pub dimension: String,
    /// Its value.
    pub value: Scalar,
}

/// A dimension.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DimensionInfo {
    /// Its name.
    pub name: String,
    /// Its name for people.
    pub label: String,
    /// What it means.
    pub description: String,
    /// Type of its values.
    #[serde(rename = "type")]
    pub kind: DimensionType,
    /// The subjects that have it.
    pub subjects: Vec<String>,
}

/// All metrics, in the order of subjects.
pub fn metrics(layer: &Layer, config: &ProjectConfig) -> Vec<MetricInfo> {
    layer
        .all()
        .into_iter()
        .map(|found| metric(layer, config, found))
        .collect()
}

/// One metric.
pub fn metric(layer: &Layer, config: &ProjectConfig, found: Found<'_>) -> MetricInfo {
    let formula = layer.formula(found);
    let mut subjects: Vec<&Subject> = Vec::new();
    let mut rules: Vec<NeverAcross> = Vec::new();
    for name in formula.iter().flat_map(|formula| formula.names()) {
        let Ok(Found::Measure(subject, measure)) = layer.find(name) else {
            continue;
        };
        if !subjects.iter().any(|known| known.name == subject.name) {
            subjects.push(subject);
        }
        let currency = currency_rule(measure);
        for rule in subject.never_across(measure).into_iter().chain(&currency) {
            if !rules.contains(rule) {
                rules.push(rule.clone());
            }
        }
    }
    let mut defaults: Vec<DefaultInfo> = Vec::new();
    for default in subjects.iter().flat_map(|subject| &subject.defaults) {
        if !defaults
            .iter()
            .any(|known| known.dimension == default.dimension)
        {
            defaults.push(DefaultInfo {
                dimension: default.dimension.clone(),
                value: default.is.resolved(config),
            });
        }
    }
    let (currency, currency_dimension) = match found.currency() {
        Some("reporting") => (Some(config.reporting.currency.clone()), None),
        other => (None, other.map(str::to_owned)),
    };
    let additivity = layer.additivity(found);
    MetricInfo {
        name: layer.short_name(found),
        full_name: found.full_name(),
        label: found.label(),
        description: found.description().to_owned(),
        unit: found.unit(),
        currency,
        currency_dimension,
        additivity,
        additivity_note: additivity_text(additivity),
        formula: written(found),
        dimensions: shared(layer, &subjects),
        grains: grains(&subjects),
        subjects: subjects
            .iter()
            .map(|subject| subject.name.clone())
            .collect(),
        never_across: rules,
        defaults,
    }
}

/// All dimensions that any subject has.
pub fn dimensions(layer: &Layer) -> Vec<DimensionInfo> {
    let all = layer.dimensions.values();
    let all = all.map(|dimension| DimensionInfo {
        name: dimension.name.clone(),
        label: dimension.label(),
        description: dimension.description.clone(),
        kind: dimension.kind,
        subjects: layer
            .subjects
            .values()
            .filter(|subject| subject.dimension(&dimension.name).is_some())
            .map(|subject| subject.name.clone())
            .collect(),
    });
    all.filter(|dimension| !dimension.subjects.is_empty())
        .collect()
}

/// The arithmetic as it is written.
fn written(found: Found<'_>) -> Option<String> {
    let (ratio, formula) = match found {
        Found::Measure(_, measure) => (&measure.ratio, &measure.formula),
        Found::Metric(metric) => (&metric.ratio, &metric.formula),
    };
    match ratio {
        Some(ratio) if ratio.times == 1 => Some(format!("{} / {}", ratio.of, ratio.per)),
        Some(ratio) => Some(format!("{} * {} / {}", ratio.times, ratio.of, ratio.per)),
        None => formula.clone(),
    }
}

/// The dimensions that all of them have.
fn shared(layer: &Layer, subjects: &[&Subject]) -> Vec<String> {
    let names = layer.dimensions.keys();
    let has_all = |name: &&String| subjects.iter().all(|s| s.dimension(name).is_some());
    names.filter(has_all).cloned().collect()
}

/// The grains that all of them can be had by.
fn grains(subjects: &[&Subject]) -> Vec<Grain> {
    let has = |grain: &Grain| {
        let times = subjects.iter().map(|subject| subject.time.as_ref());
        let mut times = times.map(|time| time.is_some_and(|time| grain.holds(time.grain)));
        times.all(|has| has)
    };
    Grain::ALL.into_iter().filter(has).collect()
}
