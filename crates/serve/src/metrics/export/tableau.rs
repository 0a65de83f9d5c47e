//! Data sources (.tds) for Tableau: one for each subject, live over the Postgres wire.
//!
//! Tableau adds measures up by itself. Where that means something it is left to; all other measures
//! are calculations that ask for `measure(…)`, and their columns are hidden.

use std::fmt::Write as _;

use domain::config::ProjectConfig;
use domain::metrics::{Additivity, Dimension, DimensionType, Found, Layer, Measure, Subject, Unit};

use super::dbt::grains;
use super::{DATABASE, Door, ExportFile};
use crate::metrics::tables::SCHEMA;

/// The files.
pub fn tableau(layer: &Layer, config: &ProjectConfig, door: &Door) -> Vec<ExportFile> {
    layer
        .subjects
        .values()
        .map(|subject| ExportFile {
            path: format!("{}.tds", subject.name),
            text: data_source(layer, config, subject, door),
        })
        .collect()
}

fn data_source(layer: &Layer, config: &ProjectConfig, subject: &Subject, door: &Door) -> String {
    let name = &subject.name;
    let mut text = format!(
        "<?xml version='1.0' encoding='utf-8' ?>\n\
         <!-- Written by `throughline metrics export tableau`. -->\n\
         <datasource formatted-name='federated.{DATABASE}_{name}' inline='true' version='18.1' \
         xmlns:user='http://www.tableausoftware.com/xml/user'>\n  \
         <connection class='federated'>\n    <named-connections>\n      \
         <named-connection caption='{host}' name='postgres.{DATABASE}'>\n        \
         <connection authentication='username-password' class='postgres' dbname='{DATABASE}' \
         one-time-sql='' port='{port}' server='{host}' username='' />\n      \
         </named-connection>\n    </named-connections>\n    \
         <relation connection='postgres.{DATABASE}' name='{name}' table='[{SCHEMA}].[{name}]' \
         type='table' />\n  </connection>\n  <aliases enabled='yes' />\n",
        host = escaped(&door.host),
        port = door.port,
    );
    for grain in grains(subject) {
        let description = grain.description();
        let caption = titled(grain.name());
        column(
            &mut text,
            grain.name(),
            &caption,
            description,
            "date",
            "dimension",
            "ordinal",
            "",
        );
    }
    for (own, dimension) in layer.dimensions_of(subject) {
        let (datatype, kind) = type_of(dimension);
        let (label, about) = (dimension.label(), &dimension.description);
        column(
            &mut text,
            &own.name,
            &label,
            about,
            datatype,
            "dimension",
            kind,
            "",
        );
    }
    for measure in subject.measures.iter().filter(|measure| !measure.hidden) {
        push_measure(&mut text, layer, config, subject, measure);
    }
    text.push_str("</datasource>\n");
    text
}

fn push_measure(
    text: &mut String,
    layer: &Layer,
    config: &ProjectConfig,
    subject: &Subject,
    measure: &Measure,
) {
    let found = Found::Measure(subject, measure);
    let format = default_format(config, measure);
    let (name, label, about) = (&measure.name, found.label(), &measure.description);
    if layer.additivity(found) == Additivity::Sum {
        let more = format!(" default-format='{format}'");
        column(
            text,
            name,
            &label,
            about,
            "real",
            "measure",
            "quantitative",
            &more,
        );
        return;
    }
    let caption = format!("{label} (column)");
    column(
        text,
        name,
        &caption,
        about,
        "real",
        "measure",
        "quantitative",
        " hidden='true'",
    );
    let formula = escaped(&format!("RAWSQLAGG_REAL(\"measure(%1)\", [{name}])"));
    // Writing to a string does not fail.
    let _ = write!(
        text,
        "  <column caption='{}' datatype='real' default-format='{format}' \
         name='[{name} figure]' role='measure' type='quantitative'>\n    \
         <calculation class='tableau' formula='{formula}' />\n    {}\n  </column>\n",
        escaped(&label),
        comment(about)
    );
}

#[expect(clippy::too_many_arguments, reason = "the attributes of one element")]
fn column(
    text: &mut String,
    name: &str,
    caption: &str,
    description: &str,
    datatype: &str,
    role: &str,
    kind: &str,
    more: &str,
) {
    let _ = write!(
        text,
        "  <column caption='{}' datatype='{datatype}'{more} name='[{name}]' role='{role}' \
         type='{kind}'>\n    {}\n  </column>\n",
        escaped(caption),
        comment(description)
    );
}

/// What a column means, as Tableau shows it.
fn comment(description: &str) -> String {
    format!(
        "<desc>\n      <formatted-text>\n        <run>{}</run>\n      </formatted-text>\n    </desc>",
        escaped(description)
    )
}

fn type_of(dimension: &Dimension) -> (&'static str, &'static str) {
    match dimension.kind {
        DimensionType::Text => ("string", "nominal"),
        DimensionType::Integer => ("integer", "ordinal"),
        DimensionType::Day => ("date", "ordinal"),
        DimensionType::Boolean => ("boolean", "nominal"),
    }
}

fn default_format(config: &ProjectConfig, measure: &Measure) -> String {
    let format = match (measure.unit(), measure.currency.as_deref()) {
        (Unit::Count, _) => "n#,##0".to_owned(),
        (Unit::Money, Some("reporting")) => {
            format!("n#,##0.00 \"{}\"", config.reporting.currency)
        }
        (Unit::Rate, _) => "n0.0000".to_owned(),
        _ => "n#,##0.00".to_owned(),
    };
    escaped(&format)
}

fn titled(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

/// A text as an attribute or as the content of an element.
fn escaped(text: &str) -> String {
    text.trim()
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('\'', "&apos;")
        .replace('"', "&quot;")
}
