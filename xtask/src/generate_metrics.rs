//! `docs/reference/metrics.md`, from the definitions in `metrics/`.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context as _;
use domain::metrics::{Additivity, Found, Layer, Measure, Source, Subject, Unit};

use crate::generate::push_row;

const HEAD: &str = "\
# The built-in metrics

<!-- Written by `make docs` from metrics/*.yml. Change them there. -->

What a metric is, how it is asked for and how a project adds its own:
[metrics](../concepts/metrics.md). A metric is asked for by its name, or as `subject.name` where
the table says so.

* **Added**: what may be done with its figures once they are grouped. `sum`: they may be added.
  `distinct`: each thing is counted once, and groups may share things. `ratio`: it is computed anew
  for every group. `last`: the state at the end of the time. `extreme`: the least or greatest value.
* **Never across**: a request groups by these dimensions, or filters each to one value. Where
  something holds by itself, it stands behind `=`.
";

/// The page.
///
/// # Errors
/// A file cannot be read, or says what it must not.
pub(crate) fn page(root: &Path) -> anyhow::Result<String> {
    let layer = layer(&root.join("metrics"))?;
    let mut page = HEAD.to_owned();
    for subject in layer.subjects.values() {
        push_subject(&mut page, &layer, subject);
    }
    page.push_str("\n## Metrics of several subjects\n\n");
    page.push_str(
        "| metric | counted in | added | formula | what it means |\n|---|---|---|---|---|\n",
    );
    for metric in layer.metrics.values() {
        let found = Found::Metric(metric);
        let formula = metric.formula.clone().unwrap_or_else(|| {
            let ratio = metric.ratio.as_ref();
            ratio.map_or_else(String::new, |ratio| format!("{} / {}", ratio.of, ratio.per))
        });
        push_row(
            &mut page,
            &[
                &format!("`{}`", metric.name),
                unit(found),
                added(layer.additivity(found)),
                &format!("`{formula}`"),
                &metric.description,
            ],
        );
    }
    page.push_str("\n## Dimensions\n\n| dimension | subjects | what it means |\n|---|---|---|\n");
    for dimension in layer.dimensions.values() {
        let subjects = layer.subjects.values();
        let having = subjects.filter(|subject| subject.dimension(&dimension.name).is_some());
        let having: Vec<&str> = having.map(|subject| subject.name.as_str()).collect();
        let name = format!("`{}`", dimension.name);
        push_row(
            &mut page,
            &[&name, &having.join(", "), &dimension.description],
        );
    }
    Ok(page)
}

fn layer(folder: &Path) -> anyhow::Result<Layer> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).context("read metrics")? {
        paths.push(entry?.path());
    }
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "yml"));
    paths.sort();
    let mut sources = Vec::new();
    for path in paths {
        sources.push(Source {
            text: std::fs::read_to_string(&path)?,
            path: path.display().to_string(),
            is_project: false,
        });
    }
    Layer::read(sources).map_err(|wrongs| {
        let shown: Vec<String> = wrongs.iter().map(ToString::to_string).collect();
        anyhow::anyhow!(shown.join("\n\n"))
    })
}

fn push_subject(page: &mut String, layer: &Layer, subject: &Subject) {
    // Writing to a string does not fail.
    let _ = write!(
        page,
        "\n## {}\n\n{} From `{}`.",
        subject.name,
        subject.description,
        subject.table.as_deref().unwrap_or_default()
    );
    if let Some(time) = &subject.time {
        let _ = write!(page, " Its day: {}", time.description);
    }
    let names: Vec<String> = subject
        .dimensions
        .iter()
        .map(|own| format!("`{}`", own.name))
        .collect();
    let _ = write!(page, "\n\nDimensions: {}.\n", names.join(", "));
    for rule in &subject.never_across {
        let default = subject
            .defaults
            .iter()
            .find(|d| d.dimension == rule.dimension);
        let default = match default.map(|default| &default.is) {
            Some(domain::metrics::Scalar::Text(text)) => format!(" = {text}"),
            Some(domain::metrics::Scalar::Setting { setting }) => format!(" = {setting}"),
            _ => String::new(),
        };
        let _ = write!(
            page,
            "\nNever across `{}`{default}: {}\n",
            rule.dimension, rule.why
        );
    }
    page.push_str(
        "\n| metric | counted in | added | of | what it means |\n|---|---|---|---|---|\n",
    );
    for measure in subject.measures.iter().filter(|measure| !measure.hidden) {
        let found = Found::Measure(subject, measure);
        push_row(
            page,
            &[
                &format!("`{}`", layer.short_name(found)),
                unit(found),
                added(layer.additivity(found)),
                &of(measure),
                &measure.description,
            ],
        );
    }
}

/// The columns or measures that it is made of.
fn of(measure: &Measure) -> String {
    if let Some(ratio) = &measure.ratio {
        let times = match ratio.times {
            1 => String::new(),
            times => format!("{times} * "),
        };
        return format!("`{times}{} / {}`", ratio.of, ratio.per);
    }
    if let Some(formula) = &measure.formula {
        return format!("`{formula}`");
    }
    match (&measure.column, &measure.sql) {
        (Some(column), _) => format!("`{column}`"),
        (None, Some(sql)) => format!("`{sql}`"),
        (None, None) => "rows".to_owned(),
    }
}

fn unit(found: Found<'_>) -> &'static str {
    match (found.unit(), found.currency()) {
        (Unit::Count, _) => "count",
        (Unit::Money, Some("reporting")) => "money, reporting currency",
        (Unit::Money, _) => "money as recorded",
        (Unit::Milliseconds, _) => "milliseconds",
        (Unit::Seconds, _) => "seconds",
        (Unit::Days, _) => "days",
        (Unit::Rate, _) => "rate",
        (Unit::Number, _) => "number",
    }
}

fn added(additivity: Additivity) -> &'static str {
    match additivity {
        Additivity::Sum => "sum",
        Additivity::Distinct => "distinct",
        Additivity::Last => "last",
        Additivity::Extreme => "extreme",
        Additivity::Ratio => "ratio",
    }
}
