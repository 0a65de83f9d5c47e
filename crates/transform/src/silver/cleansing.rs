//! What cleansing changed, as a table beside each model: `cleansing.<model>`.
//!
//! It lives as quarantine does: the rows of a source file come with it and leave with it, and it is
//! committed before what is staged, so that a run that is killed anywhere finds its way.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use lake::{Change, FileWriter, Layout, Origin, RAW_ID_ROW_BITS, TableName, crash};
use serde::Serialize;

use super::changes::{Changes, Group, Key};
use super::quarantine::without;
use super::stage::Work;
use crate::Result;
use crate::compile::ParsedModel;
use crate::run::Context;

/// Zone of the tables of what was changed.
pub(crate) const ZONE: &str = "cleansing";

/// Name of the table of what cleansing changed for a model.
pub fn cleansing_name(model: &str) -> TableName {
    TableName::new(ZONE, model)
}

/// The table's columns: `value_count` adds up to all values that a rule did something to. A row
/// with a `row_number` is one value; one without counts those of its file that are not kept.
pub(crate) fn schema() -> SchemaRef {
    let field = |name: &str, kind: DataType| Field::new(name, kind, true);
    Arc::new(Schema::new(vec![
        field("_raw_id", DataType::Int64),
        field("source_name", DataType::Utf8),
        field("stream_name", DataType::Utf8),
        field("file", DataType::Utf8),
        field("row_number", DataType::Int64),
        field("declared_in", DataType::Utf8),
        field("column_name", DataType::Utf8),
        field("rule", DataType::Utf8),
        field("effect", DataType::Utf8),
        field("value_before", DataType::Utf8),
        field("value_after", DataType::Utf8),
        field("is_masked", DataType::Boolean),
        field("value_count", DataType::Int64),
    ]))
}

/// Writes what was changed in the files that are staged, in place of what stood there for them and
/// for files that are gone. A model without rules has no table, and keeps none that it had.
pub(super) async fn replace(
    context: &Context<'_>,
    model: &ParsedModel,
    (source, stream): (&str, &str),
    changes: Option<Changes>,
    leaving: &BTreeSet<i64>,
    work: &Work,
) -> Result<()> {
    let warehouse = context.warehouse;
    let name = cleansing_name(model.name());
    if changes.is_none() && !warehouse.has(ZONE, model.name()) {
        return Ok(());
    }
    let base = warehouse.lake.table(&name).await?;
    let groups = changes.map(Changes::finish).unwrap_or_default();
    let layout = Layout {
        stats: vec!["_raw_id".into()],
        ..Layout::new(name.clone(), schema())
    };
    let mut change = Change::new(layout.clone());
    let mut writer = FileWriter::new(layout, warehouse.lake.store(&name)?)
        .with_origins(work.new.values().cloned());
    if let Some(base) = &base {
        let place = (model.name(), "__cleansing");
        change.removes = without(context, place, base, leaving, work.whole, &mut writer).await?;
        if groups.is_empty() && change.removes.is_empty() {
            return Ok(());
        }
    }
    for (key, group) in &groups {
        let file = work.new.get(&key.file_id);
        writer
            .write(&rows((source, stream), file, key, group)?)
            .await?;
    }
    change.adds = writer.finish().await?;
    crash::point("cleansing.written");
    change.ledger.fingerprint = work.fingerprint.clone();
    change.ledger.inputs = work.inputs.clone();
    change.ledger.run_id = context.run_id.to_owned();
    warehouse.lake.commit(base.as_deref(), change).await?;
    crash::point("cleansing.committed");
    warehouse.refresh(&name).await?;
    warehouse.register_cleansing(context.manifest).await
}

/// The rows of a group: its first values, and how many more there are.
fn rows(
    (source, stream): (&str, &str),
    file: Option<&Origin>,
    key: &Key,
    group: &Group,
) -> Result<RecordBatch> {
    let more = group.count.saturating_sub(group.kept.len());
    let count = group.kept.len() + usize::from(more > 0);
    let row_of = |raw_id: i64| raw_id & ((1 << RAW_ID_ROW_BITS) - 1);
    let ids = group.kept.iter().map(|kept| Some(kept.raw_id));
    // Rows are numbered from one: none has this id.
    let ids = ids.chain((more > 0).then_some(Some(key.file_id << RAW_ID_ROW_BITS)));
    let numbers = group.kept.iter().map(|kept| Some(row_of(kept.raw_id)));
    let befores = group.kept.iter().map(|kept| Some(kept.before.as_str()));
    let afters = group.kept.iter().map(|kept| kept.after.as_deref());
    let counts = std::iter::repeat_n(1, group.kept.len());
    let counts = counts.chain((more > 0).then_some(more as i64));
    let same = |text: &str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(std::iter::repeat_n(
            text, count,
        )))
    };
    let path = file.map(|file| file.path.as_str());
    let paths = std::iter::repeat_n(path, count);
    let columns: Vec<ArrayRef> = vec![
        Arc::new(ids.collect::<Int64Array>()),
        same(source),
        same(stream),
        Arc::new(paths.collect::<StringArray>()),
        Arc::new(
            numbers
                .chain((more > 0).then_some(None))
                .collect::<Int64Array>(),
        ),
        same(key.declared.as_str()),
        same(&key.column),
        same(key.rule),
        same(key.effect.as_str()),
        Arc::new(
            befores
                .chain((more > 0).then_some(None))
                .collect::<StringArray>(),
        ),
        Arc::new(
            afters
                .chain((more > 0).then_some(None))
                .collect::<StringArray>(),
        ),
        Arc::new(BooleanArray::from(vec![key.is_masked; count])),
        Arc::new(counts.collect::<Int64Array>()),
    ];
    let batch = RecordBatch::try_new(schema(), columns);
    Ok(batch.map_err(datafusion::error::DataFusionError::from)?)
}

/// What a rule did in a column of a model, over all its current files.
#[derive(Debug, Clone, Serialize)]
pub struct Cleansing {
    /// The silver model.
    pub model: String,
    /// `stream` for a column as received, `model` for one of the model's output.
    pub declared_in: String,
    /// The column.
    pub column: String,
    /// The rule.
    pub rule: String,
    /// Values that it made another.
    pub changed: i64,
    /// Values that it made null.
    pub emptied: i64,
    /// Values that it could not mend and left as they are.
    pub flagged: i64,
}

/// What cleansing did, over all models.
///
/// # Errors
/// A table cannot be read.
pub async fn cleansings(context: &Context<'_>) -> Result<Vec<Cleansing>> {
    use arrow_array::Array as _;
    use arrow_array::cast::AsArray as _;
    use arrow_array::types::Int64Type;
    let warehouse = context.warehouse;
    let mut all: BTreeMap<[String; 4], Cleansing> = BTreeMap::new();
    let models = context.manifest.models.keys();
    for model in models.filter(|model| warehouse.has(ZONE, model)) {
        let sql = format!(
            "select declared_in, column_name, rule, effect, sum(value_count) from {ZONE}.\"{model}\" \
             group by 1, 2, 3, 4"
        );
        for batch in warehouse.sql(&sql).await?.collect().await? {
            let counts = batch.column(4).as_primitive::<Int64Type>();
            for row in 0..batch.num_rows() {
                let text = |at: usize| {
                    let column = batch.column(at);
                    let found = datafusion::common::ScalarValue::try_from_array(column, row);
                    found.map(|value| value.to_string())
                };
                let (declared_in, column, rule) = (text(0)?, text(1)?, text(2)?);
                let key = [model.clone(), declared_in, column, rule];
                let [model, declared_in, column, rule] = key.clone();
                let known = all.entry(key).or_insert(Cleansing {
                    model,
                    declared_in,
                    column,
                    rule,
                    changed: 0,
                    emptied: 0,
                    flagged: 0,
                });
                let count = if counts.is_valid(row) {
                    counts.value(row)
                } else {
                    0
                };
                match text(3)?.as_str() {
                    "changed" => known.changed += count,
                    "emptied" => known.emptied += count,
                    _ => known.flagged += count,
                }
            }
        }
    }
    Ok(all.into_values().collect())
}
