//! `sources.yml` for dbt: the tables of star, marts and metrics, with what is said of them.

use std::fmt::Write as _;

use transform::project::Project;

use super::{DATABASE, ExportFile};
use crate::metrics::describe;
use crate::metrics::tables::SCHEMA;
use domain::metrics::{Found, Grain, Layer, Subject};

/// One file.
pub fn dbt(project: &Project) -> Vec<ExportFile> {
    let mut text = String::from(
        "# Written by `throughline metrics export dbt`. What dbt builds stands in a schema of its\n\
         # own; these tables are read.\nversion: 2\n\nsources:\n",
    );
    let zones = [
        (
            "star",
            "Dimensions and facts, round the customer journey event.",
        ),
        ("marts", "Ready answers."),
    ];
    for (schema, description) in zones {
        source(&mut text, schema, description);
        for model in project.models.values() {
            // What models share among themselves may change from one version to the next.
            let is_public = !model.name.starts_with("int_");
            if model.layer.schema() != schema || !is_public {
                continue;
            }
            let properties = &model.properties;
            table(&mut text, &model.name, &properties.description);
            if !properties.columns.is_empty() {
                text.push_str("        columns:\n");
            }
            for column in &properties.columns {
                entry(&mut text, &column.name, &column.description);
            }
        }
    }
    let about = "Figures by their names. Select dimensions and `measure(…)` of measures, grouped \
                 by the dimensions; a sum that means nothing is refused.";
    source(&mut text, SCHEMA, about);
    let layer = &project.metrics;
    for subject in layer.subjects.values() {
        table(&mut text, &subject.name, &subject.description);
        text.push_str("        columns:\n");
        for grain in grains(subject) {
            entry(&mut text, grain.name(), grain.description());
        }
        for (_, dimension) in layer.dimensions_of(subject) {
            entry(&mut text, &dimension.name, &dimension.description);
        }
        for measure in subject.measures.iter().filter(|measure| !measure.hidden) {
            let found = Found::Measure(subject, measure);
            entry(&mut text, &measure.name, &measure.description);
            meaning(&mut text, layer, project, found);
        }
    }
    let path = "models/throughline/sources.yml".to_owned();
    vec![ExportFile { path, text }]
}

/// The time buckets that a subject has.
pub(super) fn grains(subject: &Subject) -> Vec<Grain> {
    let Some(time) = &subject.time else {
        return vec![];
    };
    let all = Grain::ALL.into_iter();
    all.filter(|grain| grain.holds(time.grain)).collect()
}

fn source(text: &mut String, schema: &str, description: &str) {
    // Writing to a string does not fail.
    let _ = write!(
        text,
        "  - name: {schema}\n    database: {DATABASE}\n    schema: {schema}\n    description: {}\n    \
         tables:\n",
        quoted(description)
    );
}

fn table(text: &mut String, name: &str, description: &str) {
    let _ = write!(
        text,
        "      - name: {name}\n        description: {}\n",
        quoted(description)
    );
}

fn entry(text: &mut String, name: &str, description: &str) {
    let _ = write!(
        text,
        "          - name: {name}\n            description: {}\n",
        quoted(description)
    );
}

fn meaning(text: &mut String, layer: &Layer, project: &Project, found: Found<'_>) {
    let metric = describe::metric(layer, &project.config, found);
    let unit = serde_json::to_value(metric.unit).unwrap_or_default();
    let additivity = serde_json::to_value(metric.additivity).unwrap_or_default();
    let _ = write!(
        text,
        "            meta:\n              unit: {unit}\n              additivity: {additivity}\n"
    );
    if let Some(currency) = &metric.currency {
        let _ = writeln!(text, "              currency: {}", quoted(currency));
    }
    if !metric.never_across.is_empty() {
        let names: Vec<&str> = metric
            .never_across
            .iter()
            .map(|rule| rule.dimension.as_str())
            .collect();
        let _ = writeln!(text, "              never_across: [{}]", names.join(", "));
    }
}

/// A text as YAML, which takes those of JSON.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text.trim()).to_string()
}
