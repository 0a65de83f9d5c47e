//! Publishing: of the staged rows of one key, the latest is kept.
//!
//! Losers are found on narrow columns (key, `effective_at`, raw id), so that wide rows are never
//! sorted by key. Where an event cannot change its time (or its day is part of its key), the days
//! at hand suffice; else the key is looked for in all days.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Int64Type};
use chrono::NaiveDate;
use datafusion::dataframe::DataFrame;
use datafusion::prelude::{col, not};
use domain::entity::Entity;
use futures::StreamExt as _;
use lake::file::day_from_number;
use lake::schema::kept_schema;
use lake::{Change, FileWriter, Layout, RAW_ID, Table, TableName};

use super::typed::is_one_of;
use crate::compile::ParsedModel;
use crate::project::Rows;
use crate::run::Context;
use crate::run::days::{DayWriter, chunks, weights};
use crate::{Result, Warehouse};

/// How an entity's rows of one key are told apart.
fn partition(entity: &Entity) -> String {
    let mut key: Vec<String> = entity
        .stored_key()
        .iter()
        .map(|column| format!("\"{column}\""))
        .collect();
    if entity.versioned {
        key.push("\"effective_at\"".into());
    }
    key.join(", ")
}

/// Whether the rows of one key always lie on one day.
pub(crate) fn key_stays_on_its_day(entity: &Entity) -> bool {
    let Some(time) = &entity.event_time else {
        return false;
    };
    entity.immutable || entity.key.contains(time)
}

/// SQL over `staged`: `_raw_id` and day of the rows that lose against another of their key.
/// `range` is a condition on the day, empty for all.
pub(super) fn duplicates_sql(entity: &Entity, staged: &str, range: &str) -> String {
    let interval = entity.interval_column();
    let day = interval.map_or("cast(null as date)".to_owned(), |column| {
        format!("\"{column}\"")
    });
    let inner_range = if key_stays_on_its_day(entity) {
        range
    } else {
        ""
    };
    let inner_where = if inner_range.is_empty() {
        String::new()
    } else {
        format!(" where {inner_range}")
    };
    let outer = if range.is_empty() {
        String::new()
    } else {
        format!(" and {range}")
    };
    // Keys that come once (nearly all) are set aside by hashing: only the others are sorted.
    let key = partition(entity);
    let on: Vec<String> = key
        .split(", ")
        .map(|column| format!("(s.{column} is not distinct from d.{column})"))
        .collect();
    format!(
        "select _raw_id, {day} as _day from (select s.*, row_number() over (partition by {} \
         order by effective_at desc nulls last, _raw_id desc) as _rank from {staged} s \
         left semi join (select {key} from {staged}{inner_where} group by {key} \
         having count(*) > 1) d on {}{inner_where}) where _rank > 1{outer}",
        key,
        on.join(" and ")
    )
}

/// The rows of `staged` that are kept.
async fn winners(
    warehouse: &Warehouse,
    entity: &Entity,
    staged: &str,
    range: &str,
    rows: Rows,
    losers: HashSet<i64>,
) -> Result<DataFrame> {
    let and = |condition: &str| match range.is_empty() {
        true => condition.to_owned(),
        false => format!("{condition} and {range}"),
    };
    if rows == Rows::Many {
        // One raw row gives several rows here: a raw id does not name one.
        let sql = format!(
            "select * except (_rank) from (select *, row_number() over (partition by {} \
             order by effective_at desc nulls last, _raw_id desc) as _rank from {staged}) \
             where {}",
            partition(entity),
            and("_rank = 1")
        );
        return warehouse.sql(&sql).await;
    }
    let sql = format!("select * from {staged} where {}", and("true"));
    let all = warehouse.sql(&sql).await?;
    if losers.is_empty() {
        return Ok(all);
    }
    let loses = is_one_of(losers).call(vec![col(RAW_ID)]);
    Ok(all.filter(not(loses))?)
}

/// SQL: the days on which rows of a key stand that also stands on one of the `dirty` days.
pub(crate) fn moved_days_sql(entity: &Entity, staged: &str, dirty: &str) -> Option<String> {
    let interval = entity.interval_column()?;
    if key_stays_on_its_day(entity) {
        return None;
    }
    let key: Vec<String> = entity
        .stored_key()
        .iter()
        .map(|column| format!("\"{column}\""))
        .collect();
    let on: Vec<String> = key
        .iter()
        .map(|column| format!("a.{column} = b.{column}"))
        .collect();
    Some(format!(
        "select distinct a.\"{interval}\" as day from {staged} a \
         left semi join (select {} from {staged} where {dirty}) b on {}",
        key.join(", "),
        on.join(" and ")
    ))
}

/// Adds to `days` those on which rows of a key stand that also stands on one of them: the latest
/// version of an order may lie on another day than the one before.
pub(crate) async fn add_moved_days(
    context: &Context<'_>,
    entity: &Entity,
    column: &str,
    staged: &str,
    days: &mut BTreeSet<NaiveDate>,
) -> Result<()> {
    if days.is_empty() {
        return Ok(());
    }
    let list: Vec<String> = days.iter().map(|day| format!("date '{day}'")).collect();
    let dirty = format!("\"{column}\" in ({})", list.join(", "));
    let Some(sql) = moved_days_sql(entity, staged, &dirty) else {
        return Ok(());
    };
    for batch in context.warehouse.sql(&sql).await?.collect().await? {
        let found = batch.column(0).as_primitive::<Date32Type>();
        days.extend(found.iter().flatten().filter_map(day_from_number));
    }
    Ok(())
}

/// Writes the rows that are kept: of the `dirty` days, or of the whole table where there are none.
/// Gives the change and the number of days written.
pub(crate) async fn publish(
    context: &Context<'_>,
    model: &ParsedModel,
    entity: &Entity,
    staged: &Table,
    base: Option<Arc<Table>>,
    dirty: Option<BTreeSet<NaiveDate>>,
) -> Result<(Change, usize)> {
    let warehouse = context.warehouse;
    let relation = format!("staged.\"{}\"", model.name());
    let table = TableName::new("silver", model.name());
    let interval = entity.interval_column().map(str::to_owned);
    let layout = Layout {
        ordered: interval.is_some(),
        interval: interval.clone(),
        sort: sort_of(entity),
        stats: vec!["_raw_id".into()],
        ..Layout::new(table.clone(), kept_schema(&table, &staged.schema)?)
    };
    let mut duplicates: BTreeMap<String, i64> = base
        .as_ref()
        .filter(|_| dirty.is_some())
        .map(|base| noted_duplicates(&base.ledger))
        .unwrap_or_default();
    let mut change = match &interval {
        Some(column) => {
            let dirty = dirty.filter(|_| base.is_some());
            for day in dirty.iter().flatten() {
                duplicates.remove(&day.to_string());
            }
            let chunks = chunks(&weights([staged]), dirty.as_ref());
            let mut writer = DayWriter::new(warehouse, "", base, dirty.clone());
            for (index, chunk) in chunks.iter().enumerate() {
                let range = chunk.condition(column, 0, 0);
                let losers = losers(
                    context,
                    entity,
                    &relation,
                    &range,
                    dirty.as_ref(),
                    &mut duplicates,
                )
                .await?;
                let many = model.config.rows;
                let rows = winners(warehouse, entity, &relation, &range, many, losers).await?;
                writer
                    .write(&layout, *chunk, index + 1 == chunks.len(), rows)
                    .await?;
            }
            writer.finish(layout).await?
        }
        None => {
            let losers = losers(context, entity, &relation, "", None, &mut duplicates).await?;
            let many = model.config.rows;
            let rows = winners(warehouse, entity, &relation, "", many, losers).await?;
            whole(context, layout, base.as_deref(), rows).await?
        }
    };
    change
        .ledger
        .notes
        .insert("duplicates".into(), serde_json::json!(duplicates));
    let days: BTreeSet<NaiveDate> = change
        .adds
        .iter()
        .flat_map(|file| file.days.iter().copied())
        .collect();
    Ok((change, days.len()))
}

/// The change that replaces a whole table by the rows of a query.
async fn whole(
    context: &Context<'_>,
    layout: Layout,
    base: Option<&Table>,
    rows: DataFrame,
) -> Result<Change> {
    let warehouse = context.warehouse;
    let mut writer = FileWriter::new(layout.clone(), warehouse.lake.store(&layout.table)?);
    let mut stream = rows.execute_stream().await?;
    while let Some(batch) = stream.next().await {
        writer.write(&batch?).await?;
    }
    let mut change = Change::new(layout);
    change.adds = writer.finish().await?;
    if let Some(base) = base {
        change.overwrite = true;
        change.removes = base
            .files
            .iter()
            .map(|file| file.add.path.clone())
            .collect();
    }
    Ok(change)
}

/// What a silver table noted of its duplicates: by day, or under an empty name for a whole table.
pub(crate) fn noted_duplicates(ledger: &lake::Ledger) -> BTreeMap<String, i64> {
    let noted = ledger.notes.get("duplicates").cloned().unwrap_or_default();
    serde_json::from_value(noted).unwrap_or_default()
}

/// Finds the rows that lose, and counts them by day.
async fn losers(
    context: &Context<'_>,
    entity: &Entity,
    staged: &str,
    range: &str,
    dirty: Option<&BTreeSet<NaiveDate>>,
    duplicates: &mut BTreeMap<String, i64>,
) -> Result<HashSet<i64>> {
    let sql = duplicates_sql(entity, staged, range);
    let mut stream = context.warehouse.sql(&sql).await?.execute_stream().await?;
    let mut losers = HashSet::new();
    while let Some(batch) = stream.next().await {
        let batch = batch?;
        losers.extend(batch.column(0).as_primitive::<Int64Type>().values());
        let days = batch.column(1).as_primitive::<Date32Type>();
        for day in days {
            let day = day.and_then(day_from_number);
            if let (Some(day), Some(dirty)) = (day, dirty)
                && !dirty.contains(&day)
            {
                continue;
            }
            *duplicates
                .entry(day.map(|d| d.to_string()).unwrap_or_default())
                .or_insert(0) += 1;
        }
    }
    Ok(losers)
}

/// Events lie by device and time, so that sessions and look-ups read neighbours.
fn sort_of(entity: &Entity) -> Vec<String> {
    let columns: &[&str] = match entity.name.as_str() {
        "web_event" => &["anonymous_id", "event_at"],
        _ => &[],
    };
    columns.iter().map(|column| (*column).to_owned()).collect()
}
