//! The reference documentation that is made from code: `docs/reference/entities.md` and, in
//! `generate_metrics`, `docs/reference/metrics.md`.
//!
//! Pure functions from definitions to text; `gen` writes it, tidy compares it. Nothing else
//! writes these pages.

use std::fmt::Write as _;
use std::path::Path;

use domain::entity::{Column, ColumnKind, Entity, Pii, entities};

/// The pages, by their path in the repository.
///
/// # Errors
/// The definitions of metrics cannot be read.
pub(crate) fn pages(root: &Path) -> anyhow::Result<Vec<(&'static str, String)>> {
    let metrics = crate::generate_metrics::page(root)?;
    Ok(vec![
        ("docs/reference/entities.md", entities_page(entities())),
        ("docs/reference/metrics.md", metrics),
    ])
}

const HEAD: &str = "\
# The canonical entities

<!-- Written by `make docs` from crates/domain/src/entities.yml. Change it there. -->

A silver model with `{{ config(entity='…') }}` promises the columns of that entity, by name. It may
leave out any that is not required, and give more: those go to `properties`. Identity, star and
marts read entities only, never a source.

The types are: `text` · `integer` (64 bits) · `amount` (decimal(18,6), in the row's
`currency_code`) · `rate` (decimal(18,8)) · `number` (double) · `boolean` · `instant` (UTC,
microseconds) · `day` · `json` (text). A silver model may give any of them as text; the runner
casts. A row whose value cannot be cast, or that lacks a required one, goes to quarantine with the
reason.

* **Key**: rows of one source that agree in it are one thing. The row with the latest
  `effective_at` stays, the others are counted as duplicates. Where versions are kept,
  `effective_at` is part of the key.
* **Event time**: its UTC day is the interval that the row belongs to. An entity without one is kept
  whole.
* **Personal data**: an `email` or a `phone` is stored as a keyed hash, in a column with `_hash` at
  the end of its name. A `name` is not stored, unless the project looks for probable links: then
  keyed hashes of it and of its sound are, in columns with `_hash` and `_sound_hash` at the end of
  their names. Other personal data is not stored in silver.
* **Id of**: the natural id of another entity. The runner stores it as `<source>:<id>`.

Every entity also has `properties` (JSON of what else the source gives), `source_name`,
`effective_at`, `_raw_id` and, where the event time is an instant, `event_date`.
";

fn entities_page(entities: &[Entity]) -> String {
    let mut page = HEAD.to_owned();
    page.push_str("\n| entity | one row is |\n|---|---|\n");
    for entity in entities {
        push_row(
            &mut page,
            &[&format!("[{0}](#{0})", entity.name), &entity.doc],
        );
    }
    for entity in entities {
        push_entity(&mut page, entity);
    }
    page
}

fn push_entity(page: &mut String, entity: &Entity) {
    let key = entity
        .key
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ");
    let event_time = match &entity.event_time {
        Some(name) => format!("Event time: `{name}`."),
        None => "Kept whole.".to_owned(),
    };
    let versions = if entity.versioned {
        " Every version is kept."
    } else {
        ""
    };
    page.push_str("\n## ");
    page.push_str(&entity.name);
    page.push_str("\n\n");
    page.push_str(&entity.doc);
    // Writing to a string does not fail.
    let _ = write!(page, "\n\nKey: {key}. {event_time}{versions}\n\n");
    page.push_str("| column | type | unit | required | personal data | what it means |\n");
    page.push_str("|---|---|---|---|---|---|\n");
    for column in &entity.columns {
        push_row(
            page,
            &[
                &format!("`{}`", column.name),
                type_name(column.kind),
                column.unit.as_deref().unwrap_or_default(),
                if column.required { "yes" } else { "" },
                column.pii.map(pii_name).unwrap_or_default(),
                &meaning(column),
            ],
        );
    }
}

pub(crate) fn push_row(page: &mut String, cells: &[&str]) {
    for cell in cells {
        page.push_str("| ");
        page.push_str(&cell.replace('|', "\\|"));
        page.push(' ');
    }
    page.push_str("|\n");
}

/// The column's doc, and what else the contract says of it.
fn meaning(column: &Column) -> String {
    let mut meaning = column.doc.clone();
    if let Some(entity) = &column.reference {
        let _ = write!(meaning, " Id of: {entity}.");
    }
    if let Some(values) = &column.accepted {
        let values = values
            .iter()
            .map(|value| format!("`{value}`"))
            .collect::<Vec<_>>();
        let _ = write!(meaning, " One of {}.", values.join(", "));
    }
    if let Some(min) = column.min {
        let _ = write!(meaning, " At least {min}.");
    }
    meaning
}

fn type_name(kind: ColumnKind) -> &'static str {
    match kind {
        ColumnKind::Text => "text",
        ColumnKind::Integer => "integer",
        ColumnKind::Amount => "amount",
        ColumnKind::Rate => "rate",
        ColumnKind::Number => "number",
        ColumnKind::Boolean => "boolean",
        ColumnKind::Instant => "instant",
        ColumnKind::Day => "day",
        ColumnKind::Json => "json",
    }
}

fn pii_name(pii: Pii) -> &'static str {
    match pii {
        Pii::Email => "email",
        Pii::Phone => "phone",
        Pii::Name => "name",
        Pii::Address => "address",
        Pii::Ip => "ip",
    }
}
