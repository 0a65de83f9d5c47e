//! Quarantine: the rows that broke a rule, with the rule, the reason and what was received.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow_array::{Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use datafusion::datasource::MemTable;
use futures::StreamExt as _;
use lake::{Change, FileWriter, LakeTable, Layout, Table, TableName, crash};

use super::stage::Work;
use crate::Result;
use crate::compile::ParsedModel;
use crate::run::Context;
use crate::warehouse::lent;

/// A row that broke a rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Bad {
    pub(super) raw_id: i64,
    pub(super) rule: String,
}

/// Name of a model's quarantine.
pub fn quarantine_name(model: &str) -> TableName {
    TableName::new("quarantine", model)
}

fn schema() -> SchemaRef {
    let instant = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let field = |name: &str, kind: DataType| Field::new(name, kind, true);
    Arc::new(Schema::new(vec![
        field("_raw_id", DataType::Int64),
        field("source_name", DataType::Utf8),
        field("stream_name", DataType::Utf8),
        field("rule", DataType::Utf8),
        field("reason", DataType::Utf8),
        field("file", DataType::Utf8),
        field("row_number", DataType::Int64),
        field("payload", DataType::Utf8),
        field("quarantined_at", instant),
    ]))
}

/// What a rule's name means, in words; `records` where JSON was received.
fn reason(rule: &str, records: bool) -> String {
    match rule.split_once(':') {
        Some(("required", column)) => format!("`{column}` is missing"),
        Some(("type", column)) => format!("`{column}` cannot be read as its type"),
        Some(("accepted", column)) => format!("`{column}` has a value that is not accepted"),
        Some(("min", column)) => format!("`{column}` is below its least value"),
        _ if rule == "malformed" && records => "the record is not valid JSON".to_owned(),
        _ if rule == "malformed" => "the row has more fields than the header".to_owned(),
        _ => rule.to_owned(),
    }
}

/// Writes the bad rows of the files that are staged, in place of what stood there for them and
/// for files that are gone.
pub(super) async fn replace(
    context: &Context<'_>,
    model: &ParsedModel,
    place: (&str, &str),
    bad: Vec<Bad>,
    leaving: &BTreeSet<i64>,
    work: &Work,
) -> Result<()> {
    let warehouse = context.warehouse;
    let name = quarantine_name(model.name());
    let base = warehouse.lake.table(&name).await?;
    let layout = Layout {
        stats: vec!["_raw_id".into()],
        ..Layout::new(name.clone(), schema())
    };
    let mut change = Change::new(layout.clone());
    let mut writer = FileWriter::new(layout, warehouse.lake.store(&name)?)
        .with_origins(work.new.values().cloned());
    if let Some(base) = &base {
        let beside = (model.name(), "__quarantine");
        change.removes = without(context, beside, base, leaving, work.whole, &mut writer).await?;
        if bad.is_empty() && change.removes.is_empty() {
            return Ok(());
        }
    }
    if !bad.is_empty() {
        write_bad(context, model, place, bad, &mut writer).await?;
    }
    change.adds = writer.finish().await?;
    crash::point("quarantine.written");
    change.ledger.fingerprint = work.fingerprint.clone();
    change.ledger.inputs = work.inputs.clone();
    change.ledger.run_id = context.run_id.to_owned();
    warehouse.lake.commit(base.as_deref(), change).await?;
    crash::point("quarantine.committed");
    warehouse.refresh(&name).await?;
    Ok(())
}

/// Takes the rows of source files out of a table beside a model's: gives the files that hold some,
/// and writes what else they hold. `place` is the model, and a name under which to read.
pub(super) async fn without(
    context: &Context<'_>,
    (model, lent_as): (&str, &str),
    base: &Arc<Table>,
    leaving: &BTreeSet<i64>,
    is_whole: bool,
    writer: &mut FileWriter,
) -> Result<Vec<String>> {
    let warehouse = context.warehouse;
    let hit = |file: &lake::DataFile| {
        let mut origins = file.tag.origins.iter();
        is_whole || origins.any(|origin| leaving.contains(&origin.file_id))
    };
    let files = base.files.iter().filter(|file| hit(file));
    let removes: Vec<String> = files.map(|file| file.add.path.clone()).collect();
    if is_whole || removes.is_empty() {
        return Ok(removes);
    }
    writer.add_origins(base.origins().into_values());
    let scan = LakeTable::only(base, |file| hit(file));
    let lent = warehouse.lend(model, lent_as, Arc::new(scan))?;
    let list: Vec<String> = leaving.iter().map(i64::to_string).collect();
    let sql = format!(
        "select * from {lent} where (_raw_id >> 29) not in ({})",
        list.join(", ")
    );
    let mut rows = warehouse.sql(&sql).await?.execute_stream().await?;
    while let Some(batch) = rows.next().await {
        writer.write(&batch?).await?;
    }
    Ok(removes)
}

async fn write_bad(
    context: &Context<'_>,
    model: &ParsedModel,
    (source, stream): (&str, &str),
    bad: Vec<Bad>,
    writer: &mut FileWriter,
) -> Result<()> {
    let warehouse = context.warehouse;
    let rows = bad.len();
    let raw = lent(model.name(), &format!("{source}__{stream}"));
    let received = warehouse.session.table(raw.as_str()).await?;
    let records = received
        .schema()
        .has_column_with_unqualified_name("payload");
    let ids: Int64Array = bad.iter().map(|row| Some(row.raw_id)).collect();
    let rules: StringArray = bad.iter().map(|row| Some(row.rule.as_str())).collect();
    let reasons: StringArray = bad
        .iter()
        .map(|row| Some(reason(&row.rule, records)))
        .collect();
    let now = TimestampMicrosecondArray::from(vec![context.now.timestamp_micros(); rows])
        .with_timezone("UTC");
    let columns = RecordBatch::try_from_iter([
        ("id", Arc::new(ids) as _),
        ("rule", Arc::new(rules) as _),
        ("reason", Arc::new(reasons) as _),
        ("now", Arc::new(now) as _),
    ])
    .map_err(datafusion::error::DataFusionError::from)?;
    let table = MemTable::try_new(columns.schema(), vec![vec![columns]])?;
    let bad = warehouse.lend(model.name(), "__bad", Arc::new(table))?;
    let payload = if records {
        "r.payload".to_owned()
    } else {
        let fields = received.schema().fields().iter().map(|field| field.name());
        let fields: Vec<String> = fields
            .filter(|name| {
                name.as_str() == "_surplus" || !super::received::META.contains(&name.as_str())
            })
            .map(|name| format!("'{}', r.\"{name}\"", name.replace('\'', "''")))
            .collect();
        format!("to_json(named_struct({}))", fields.join(", "))
    };
    let sql = format!(
        "select b.id as _raw_id, '{source}' as source_name, '{stream}' as stream_name, b.rule, \
         b.reason, r._file as file, r._row as row_number, {payload} as payload, \
         b.now as quarantined_at from {bad} b inner join {raw} r on r._raw_id = b.id"
    );
    let mut stream = warehouse.sql(&sql).await?.execute_stream().await?;
    while let Some(batch) = stream.next().await {
        writer.write(&batch?).await?;
    }
    Ok(())
}
