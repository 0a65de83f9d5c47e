//! A model kept by day: the dirty days of each of its parts are replaced, in one commit.
//!
//! Most models have one part, without a name. Where rows come from inputs that change on other
//! days (`config(parts=[…])`), each part keeps its own days in files of its own.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::NaiveDate;
use lake::{Change, Table};

use super::Context;
use super::build::{self, Prepared};
use super::days::{DayWriter, chunks, weights};
use super::decide::{self, Decision};
use super::rows::{Bounds, model_rows};
use crate::compile::{Dependency, ParsedModel};
use crate::{Result, TransformError};

/// Under this name a table notes the days that its last build was of, changed or not; null for all.
const BUILT_DAYS: &str = "built_days";

/// Writes what is dirty of each part.
pub(super) async fn by_day(
    context: &Context<'_>,
    model: &ParsedModel,
    decision: &Decision,
) -> Result<Prepared> {
    let base = context
        .warehouse
        .lake
        .table(&build::own_name(model))
        .await?;
    let mut joined: Option<Change> = None;
    for (part, reads) in model.parts() {
        let dirty = decision.parts.get(part).cloned().flatten();
        let base = base.as_ref().map(|base| Arc::new(base.part(part)));
        if let Some(change) = one(context, model, (part, reads), dirty, base).await? {
            match &mut joined {
                None => joined = Some(change),
                Some(joined) => join(model, joined, change)?,
            }
        }
    }
    let Some(mut change) = joined else {
        return Ok(None);
    };
    if let Some(base) = &base {
        keep_notes(model, base, &mut change);
    }
    let built = serde_json::json!(decision.days);
    change.ledger.notes.insert(BUILT_DAYS.into(), built);
    change.ledger.parts = model.parts.keys().cloned().collect();
    change.ledger.fingerprint = decision.fingerprint.clone();
    change.ledger.inputs = decision.inputs.clone();
    let days: BTreeSet<NaiveDate> = change
        .adds
        .iter()
        .flat_map(|file| file.days.iter().copied())
        .collect();
    Ok(Some((base, change, days.len())))
}

/// Writes the dirty days of one part, all where they are not known; nothing where there are none.
async fn one(
    context: &Context<'_>,
    model: &ParsedModel,
    (part, reads): (&str, &[Dependency]),
    dirty: Option<BTreeSet<NaiveDate>>,
    base: Option<Arc<Table>>,
) -> Result<Option<Change>> {
    let mut bounded = Vec::new();
    for (name, input) in decide::inputs_of(context.manifest, model, reads).tables {
        if input.reach.is_bounded
            && let Some(table) = context.warehouse.lake.table(&name).await?
        {
            bounded.push(table);
        }
    }
    let dirty = base.as_ref().and(dirty);
    let chunks = chunks(&weights(bounded.iter().map(Arc::as_ref)), dirty.as_ref());
    let is_incremental = dirty.is_some();
    let mut writer = DayWriter::new(context.warehouse, part, base.clone(), dirty);
    let mut last_layout = None;
    for (index, chunk) in chunks.iter().enumerate() {
        let reads = (part, reads);
        let base = base.as_deref();
        let bounds = Bounds::Days(*chunk);
        let rows = model_rows(context, model, reads, bounds, is_incremental, base).await?;
        let layout = build::layout(model, &rows)?;
        let is_last = index + 1 == chunks.len();
        writer
            .write(&layout, *chunk, is_last, rows)
            .await
            .map_err(|error| context.model_error(model, error))?;
        last_layout = Some(layout);
    }
    match last_layout {
        None => Ok(None),
        Some(layout) => Ok(Some(writer.finish(layout).await?)),
    }
}

/// Adds the change of a part to that of the parts before it.
fn join(model: &ParsedModel, joined: &mut Change, change: Change) -> Result<()> {
    if joined.layout.schema != change.layout.schema {
        return Err(TransformError::Silver {
            model: model.name().to_owned(),
            why: "its parts do not give the same columns".into(),
            hint: "give each part the same columns in the same order and of the same types".into(),
        });
    }
    joined.adds.extend(change.adds);
    joined.removes.extend(change.removes);
    joined.overwrite &= change.overwrite;
    joined.is_as_before &= change.is_as_before;
    joined.ledger.emptied.extend(change.ledger.emptied);
    joined
        .ledger
        .emptied_parts
        .extend(change.ledger.emptied_parts);
    Ok(())
}

/// What is noted of parts that were not built stays; the files of parts that the model no longer
/// has go.
fn keep_notes(model: &ParsedModel, base: &Table, change: &mut Change) {
    let names: BTreeSet<&str> = model.parts().into_iter().map(|(part, _)| part).collect();
    let gone: Vec<_> = base
        .files
        .iter()
        .filter(|file| !names.contains(file.tag.part.as_str()))
        .collect();
    if !gone.is_empty() {
        let batch = base.ledger.batch + 1;
        let days = gone.iter().flat_map(|file| file.tag.days.keys());
        change.ledger.emptied.extend(days.map(|day| (*day, batch)));
        let paths = gone.iter().map(|file| file.add.path.clone());
        change.removes.extend(paths);
        change.is_as_before = false;
    }
    for (day, batch) in &base.ledger.emptied {
        if !names.contains("") {
            change.ledger.emptied.entry(*day).or_insert(*batch);
        }
    }
    for (part, days) in &base.ledger.emptied_parts {
        if names.contains(part.as_str()) {
            let parts = &mut change.ledger.emptied_parts;
            parts.entry(part.clone()).or_insert_with(|| days.clone());
        }
    }
}
