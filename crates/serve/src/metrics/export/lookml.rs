//! LookML for Looker: a view for each subject, and a model with an explore for each.

use std::fmt::Write as _;

use domain::config::{ProjectConfig, WeekStart};
use domain::metrics::{DimensionType, Found, Layer, Measure, Subject, Unit};

use super::dbt::grains;
use super::{DATABASE, ExportFile};
use crate::metrics::tables::SCHEMA;

/// The files.
pub fn lookml(layer: &Layer, config: &ProjectConfig) -> Vec<ExportFile> {
    let mut files: Vec<ExportFile> = layer
        .subjects
        .values()
        .map(|subject| ExportFile {
            path: format!("views/{}.view.lkml", subject.name),
            text: view(layer, config, subject),
        })
        .collect();
    files.push(ExportFile {
        path: format!("{DATABASE}.model.lkml"),
        text: model(layer, config),
    });
    files
}

fn model(layer: &Layer, config: &ProjectConfig) -> String {
    let week_start = match config.reporting.week_start {
        WeekStart::Monday => "monday",
        WeekStart::Sunday => "sunday",
    };
    let mut text = format!(
        "# Written by `throughline metrics export lookml`.\nconnection: \"{DATABASE}\"\n\
         include: \"/views/*.view.lkml\"\nweek_start_day: {week_start}\n"
    );
    for subject in layer.subjects.values() {
        // Writing to a string does not fail.
        let _ = write!(
            text,
            "\nexplore: {} {{\n  label: {}\n  description: {}\n}}\n",
            subject.name,
            quoted(&subject.label()),
            quoted(&described(subject))
        );
    }
    text
}

/// What the subject is, and what its figures may not be added over.
fn described(subject: &Subject) -> String {
    let mut text = subject.description.clone();
    for rule in &subject.never_across {
        let defaults = &subject.defaults;
        let has_default = defaults
            .iter()
            .any(|default| default.dimension == rule.dimension);
        if !has_default {
            let _ = write!(
                text,
                " Group by {0} or filter to one {0}: {1}",
                rule.dimension, rule.why
            );
        }
    }
    text
}

fn view(layer: &Layer, config: &ProjectConfig, subject: &Subject) -> String {
    let mut text = format!(
        "# Written by `throughline metrics export lookml`.\nview: {name} {{\n  label: {label}\n  \
         sql_table_name: {SCHEMA}.{name} ;;\n",
        name = subject.name,
        label = quoted(&subject.label()),
    );
    for grain in grains(subject) {
        let of = subject
            .time
            .as_ref()
            .map_or("", |time| time.description.as_str());
        let description = format!("{} {of}", grain.description());
        let _ = write!(
            text,
            "\n  dimension: {0} {{\n    type: date\n    datatype: date\n    convert_tz: no\n    \
             group_label: \"Time\"\n    description: {1}\n    sql: ${{TABLE}}.{0} ;;\n  }}\n",
            grain.name(),
            quoted(description.trim())
        );
    }
    for (own, dimension) in layer.dimensions_of(subject) {
        let kind = match dimension.kind {
            DimensionType::Text => "string",
            DimensionType::Integer => "number",
            DimensionType::Day => "date",
            DimensionType::Boolean => "yesno",
        };
        let _ = write!(
            text,
            "\n  dimension: {0} {{\n    type: {kind}\n    label: {1}\n    description: {2}\n    sql: \
             ${{TABLE}}.{0} ;;\n  }}\n",
            own.name,
            quoted(&dimension.label()),
            quoted(&dimension.description)
        );
    }
    for measure in subject.measures.iter().filter(|measure| !measure.hidden) {
        let found = Found::Measure(subject, measure);
        let _ = write!(
            text,
            "\n  measure: {0} {{\n    type: number\n    label: {1}\n    description: {2}\n    \
             {3}\n    sql: measure(${{TABLE}}.{0}) ;;\n  }}\n",
            measure.name,
            quoted(&found.label()),
            quoted(&measure.description),
            format(config, measure)
        );
    }
    text.push_str("}\n");
    text
}

fn format(config: &ProjectConfig, measure: &Measure) -> String {
    match (measure.unit(), measure.currency.as_deref()) {
        (Unit::Count, _) => "value_format_name: decimal_0".into(),
        (Unit::Money, Some("reporting")) => {
            format!(
                "value_format: \"#,##0.00 \\\"{}\\\"\"",
                config.reporting.currency
            )
        }
        (Unit::Rate, _) => "value_format_name: decimal_4".into(),
        _ => "value_format_name: decimal_2".into(),
    }
}

/// A text as LookML writes it.
fn quoted(text: &str) -> String {
    format!(
        "\"{}\"",
        text.trim().replace('\\', "\\\\").replace('"', "\\\"")
    )
}
