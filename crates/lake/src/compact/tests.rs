//! Compaction changes files and nothing else.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow_array::{ArrayRef, Date32Array, Int64Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use chrono::NaiveDate;
use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::prelude::SessionContext;

use super::Policy;
use crate::file::day_number;
use crate::{
    Change, FileWriter, Lake, LakeTable, Layout, NewFile, Origin, RAW_ID_ROW_BITS, Table, TableName,
};

fn lake() -> (tempfile::TempDir, Lake) {
    let folder = tempfile::tempdir().expect("folder");
    let lake = Lake::open(folder.path()).expect("lake");
    (folder, lake)
}

fn raw() -> Layout {
    let field = |name: &str| Field::new(name, DataType::Int64, true);
    let schema = Schema::new(vec![field("_raw_id"), field("value")]);
    Layout {
        stats: vec!["_raw_id".into()],
        ..Layout::new(TableName::new("raw", "shop__orders"), Arc::new(schema))
    }
}

fn by_day() -> Layout {
    let schema = Schema::new(vec![
        Field::new("id", DataType::Int64, true),
        Field::new("day", DataType::Date32, true),
    ]);
    Layout {
        interval: Some("day".into()),
        ordered: true,
        sort: vec!["id".into()],
        ..Layout::new(TableName::new("star", "fct"), Arc::new(schema))
    }
}

fn by_key() -> Layout {
    let field = |name: &str| Field::new(name, DataType::Int64, true);
    let schema = Schema::new(vec![field("key"), field("value")]);
    Layout {
        sort: vec!["key".into()],
        range: Some("key".into()),
        ..Layout::new(TableName::new("star", "touch"), Arc::new(schema))
    }
}

fn origin(file_id: i64) -> Origin {
    Origin {
        file_id,
        path: format!("orders/{file_id}.csv"),
        content_hash: file_id.to_string(),
        rows: 3,
        bytes: 30,
        version: 1,
        reading: String::new(),
    }
}

async fn written(
    lake: &Lake,
    layout: &Layout,
    columns: Vec<ArrayRef>,
    origins: Vec<Origin>,
) -> Vec<NewFile> {
    let batch = RecordBatch::try_new(layout.schema.clone(), columns).expect("a batch");
    let store = lake.store(&layout.table).expect("store");
    let mut writer = FileWriter::new(layout.clone(), store).with_origins(origins);
    writer.write(&batch).await.expect("write");
    writer.finish().await.expect("finish")
}

async fn commit(
    lake: &Lake,
    base: Option<&Table>,
    layout: &Layout,
    adds: Vec<NewFile>,
) -> Arc<Table> {
    let mut change = Change::new(layout.clone());
    change.adds = adds;
    change.ledger.fingerprint = "sql".into();
    lake.commit(base, change).await.expect("commit")
}

async fn load(lake: &Lake, base: Option<&Table>, file_id: i64) -> Arc<Table> {
    let ids = (0..3).map(|row| (file_id << RAW_ID_ROW_BITS) + row);
    let values = (0..3).map(|row| file_id * 10 + row);
    let columns: Vec<ArrayRef> = vec![
        Arc::new(ids.collect::<Int64Array>()),
        Arc::new(values.collect::<Int64Array>()),
    ];
    let adds = written(lake, &raw(), columns, vec![origin(file_id)]).await;
    commit(lake, base, &raw(), adds).await
}

async fn rows(table: &Table) -> Vec<String> {
    let session = SessionContext::new();
    let frame = session.read_table(Arc::new(LakeTable::new(table)));
    let rows = frame.expect("table").collect().await.expect("rows");
    let text = pretty_format_batches(&rows).expect("text").to_string();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

#[tokio::test]
async fn small_raw_files_become_one_and_nobody_downstream_notices() {
    let (_folder, lake) = lake();
    let session = SessionContext::new();
    let mut table = load(&lake, None, 1).await;
    for file_id in 2..=70 {
        table = load(&lake, Some(&table), file_id).await;
        if file_id == 63 {
            let few = lake
                .compact(&session, &table.name, Policy::AFTER_A_RUN)
                .await;
            assert!(few.expect("compact").is_none());
        }
    }
    let (before, mark) = (rows(&table).await, table.mark());
    let done = lake
        .compact(&session, &table.name, Policy::AFTER_A_RUN)
        .await
        .expect("compact")
        .expect("there is something to do");
    assert_eq!((done.files_merged, done.files_written), (70, 1));
    assert_eq!(done.table.files.len(), 1);
    assert_eq!(rows(&done.table).await, before);
    assert_eq!(done.table.origins(), table.origins());
    assert_eq!(done.table.mark().batch, mark.batch);
    assert_eq!(done.table.ledger.batch, table.ledger.batch + 1);
    assert_eq!(done.table.ledger.fingerprint, "sql");
    let again = lake.compact(&session, &table.name, Policy::ON_DEMAND).await;
    assert!(again.expect("compact").is_none());
    let log = done.table.delta.log_store();
    let entry = log
        .read_commit_entry(done.table.version)
        .await
        .expect("log");
    let text = String::from_utf8(entry.expect("a commit").to_vec()).expect("text");
    assert!(text.contains("\"operation\":\"OPTIMIZE\""), "{text}");
    assert!(!text.contains("\"dataChange\":true"), "{text}");
    // The old version is still there to be read.
    let old = lake
        .table_at(&table.name, table.version)
        .await
        .expect("old");
    assert_eq!(rows(&old.expect("table")).await, before);
}

fn day(number: u64) -> NaiveDate {
    let start = NaiveDate::from_ymd_opt(2026, 1, 1).expect("a day");
    start + chrono::Days::new(number)
}

async fn add_day(lake: &Lake, base: Option<&Table>, number: u64, count: i64) -> Arc<Table> {
    let days = vec![day_number(day(number)); count as usize];
    let columns: Vec<ArrayRef> = vec![
        Arc::new((0..count).collect::<Int64Array>()),
        Arc::new(Date32Array::from(days)),
    ];
    let adds = written(lake, &by_day(), columns, vec![]).await;
    commit(lake, base, &by_day(), adds).await
}

#[tokio::test]
async fn small_neighbouring_days_share_a_file_and_keep_the_batch_in_which_they_changed() {
    let (_folder, lake) = lake();
    let session = SessionContext::new();
    let mut table = add_day(&lake, None, 9, 5).await;
    // Out of order, and one dense day in the middle.
    for (number, count) in [(3, 2), (1, 4), (5, 70_000), (2, 3), (7, 6), (8, 1)] {
        table = add_day(&lake, Some(&table), number, count).await;
    }
    let dense = table.files.iter().find(|file| file.rows == 70_000);
    let dense = dense.expect("the dense day").add.path.clone();
    let done = lake
        .compact(&session, &table.name, Policy::ON_DEMAND)
        .await
        .expect("compact")
        .expect("there is something to do");
    assert_eq!((done.files_merged, done.files_written), (6, 2));
    assert_eq!(done.table.days(), table.days());
    assert_eq!(done.table.days_after(5), table.days_after(5));
    assert!(done.table.files.iter().any(|file| file.add.path == dense));
    let days: BTreeSet<Vec<NaiveDate>> = done
        .table
        .files
        .iter()
        .map(|file| file.tag.days.keys().copied().collect())
        .collect();
    let wanted = [vec![1, 2, 3], vec![5], vec![7, 8, 9]];
    let wanted = wanted.map(|days| days.into_iter().map(day).collect());
    assert_eq!(days, BTreeSet::from(wanted));
    assert_eq!(rows(&done.table).await, rows(&table).await);
    let again = lake.compact(&session, &table.name, Policy::ON_DEMAND).await;
    assert!(again.expect("compact").is_none());
}

#[tokio::test]
async fn files_that_only_note_their_days_are_left_alone() {
    let (_folder, lake) = lake();
    let mut layout = by_day();
    layout.ordered = false;
    let mut table: Option<Arc<Table>> = None;
    for number in 0..4 {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from(vec![1])),
            Arc::new(Date32Array::from(vec![day_number(day(number))])),
        ];
        let adds = written(&lake, &layout, columns, vec![]).await;
        table = Some(commit(&lake, table.as_deref(), &layout, adds).await);
    }
    let session = SessionContext::new();
    let done = lake
        .compact(&session, &layout.table, Policy::ON_DEMAND)
        .await;
    assert!(done.expect("compact").is_none());
}

async fn add_keys(lake: &Lake, base: Option<&Table>, keys: Vec<i64>) -> Arc<Table> {
    let values: Int64Array = keys.iter().map(|key| Some(key % 7)).collect();
    let columns: Vec<ArrayRef> = vec![Arc::new(Int64Array::from(keys)), Arc::new(values)];
    let adds = written(lake, &by_key(), columns, vec![]).await;
    commit(lake, base, &by_key(), adds).await
}

#[tokio::test]
async fn the_tail_of_a_range_is_merged_into_it_once_it_is_worth_it() {
    let (_folder, lake) = lake();
    let session = SessionContext::new();
    let table = add_keys(&lake, None, (-70_000..0).collect()).await;
    let table = add_keys(&lake, Some(&table), (1..=70_000).collect()).await;
    let table = add_keys(&lake, Some(&table), (-50..-40).collect()).await;
    let few = lake.compact(&session, &table.name, Policy::ON_DEMAND).await;
    assert!(
        few.expect("compact").is_none(),
        "ten late rows are merged at scan"
    );
    let table = add_keys(&lake, Some(&table), (100..20_000).collect()).await;
    let kept = table.files.iter().find(|file| file.rows == 10);
    let kept = kept.expect("the short tail").add.path.clone();
    let done = lake
        .compact(&session, &table.name, Policy::ON_DEMAND)
        .await
        .expect("compact")
        .expect("there is something to do");
    assert_eq!((done.files_merged, done.files_written), (2, 1));
    assert!(done.table.files.iter().any(|file| file.add.path == kept));
    assert!(
        done.table
            .files
            .iter()
            .all(|file| file.tag.sorted == ["key"])
    );
    assert_eq!(rows(&done.table).await, rows(&table).await);
}

#[tokio::test]
async fn what_others_commit_meanwhile_is_not_lost() {
    let (folder, lake) = lake();
    let session = SessionContext::new();
    let mut table = load(&lake, None, 1).await;
    for file_id in 2..=5 {
        table = load(&lake, Some(&table), file_id).await;
    }
    let group = lake
        .merge(&session, &table, &table.layout(), vec![0, 1, 2])
        .await
        .expect("merge");
    // Another process appends before the commit.
    let other = Lake::open(folder.path()).expect("lake");
    let theirs = other.reload(&table.name).await.expect("table");
    let theirs = load(&other, theirs.as_deref(), 6).await;
    let done = lake
        .commit_groups(table.clone(), vec![group])
        .await
        .expect("commit")
        .expect("something was merged");
    assert_eq!(done.table.files.len(), 4);
    assert_eq!(rows(&done.table).await, rows(&theirs).await);
    assert_eq!(done.table.ledger.data_batch, theirs.ledger.data_batch);
    assert_eq!(done.table.origins(), theirs.origins());
}

#[tokio::test]
async fn files_that_others_took_out_meanwhile_stay_out() {
    let (folder, lake) = lake();
    let session = SessionContext::new();
    let mut table = load(&lake, None, 1).await;
    for file_id in 2..=5 {
        table = load(&lake, Some(&table), file_id).await;
    }
    let layout = table.layout();
    let one = lake.merge(&session, &table, &layout, vec![0, 1]).await;
    let two = lake.merge(&session, &table, &layout, vec![2, 3]).await;
    let other = Lake::open(folder.path()).expect("lake");
    let theirs = other.reload(&table.name).await.expect("table");
    let mut change = Change::new(raw());
    change.removes = vec![table.files[3].add.path.clone()];
    let theirs = other
        .commit(theirs.as_deref(), change)
        .await
        .expect("commit");
    let groups = vec![one.expect("merge"), two.expect("merge")];
    let done = lake
        .commit_groups(table.clone(), groups)
        .await
        .expect("commit")
        .expect("something was merged");
    assert_eq!((done.files_merged, done.files_written), (2, 1));
    assert_eq!(rows(&done.table).await, rows(&theirs).await);
    assert_eq!(done.table.rows(), 12);
}
