//! The commit layer: what is written is there once, what is noted survives, and nothing personal
//! stands in the log.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow_array::{Date32Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use chrono::NaiveDate;
use datafusion::prelude::SessionContext;

use crate::file::day_number;
use crate::{Change, FileWriter, Lake, LakeTable, Layout, Origin, Table, TableName};

fn day(number: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 1, number).expect("a day")
}

fn layout() -> Layout {
    let schema = Arc::new(Schema::new(vec![
        Field::new("day", DataType::Date32, true),
        Field::new("id", DataType::Int64, true),
        Field::new("email", DataType::Utf8, true),
    ]));
    Layout {
        interval: Some("day".into()),
        ordered: true,
        sort: vec!["id".into()],
        ..Layout::new(TableName::new("star", "fct"), schema)
    }
}

fn rows(days: &[(u32, usize)]) -> RecordBatch {
    let numbers = days
        .iter()
        .flat_map(|(d, count)| vec![day_number(day(*d)); *count]);
    let numbers: Date32Array = numbers.map(Some).collect();
    let ids: Int64Array = (0..numbers.len() as i64).map(Some).collect();
    let emails: StringArray = (0..ids.len())
        .map(|n| Some(format!("person{n}@secret.example")))
        .collect();
    RecordBatch::try_new(
        layout().schema,
        vec![Arc::new(numbers), Arc::new(ids), Arc::new(emails)],
    )
    .expect("a batch")
}

async fn add(lake: &Lake, base: Option<&Table>, days: &[(u32, usize)]) -> Arc<Table> {
    let layout = layout();
    let store = lake.store(&layout.table).expect("store");
    let mut writer = FileWriter::new(layout.clone(), store);
    writer.write(&rows(days)).await.expect("write");
    let mut change = Change::new(layout);
    change.adds = writer.finish().await.expect("finish");
    lake.commit(base, change).await.expect("commit")
}

fn lake() -> (tempfile::TempDir, Lake) {
    let folder = tempfile::tempdir().expect("folder");
    let lake = Lake::open(folder.path()).expect("lake");
    (folder, lake)
}

#[tokio::test]
async fn sparse_days_share_a_file_and_dense_days_have_their_own() {
    let (_folder, lake) = lake();
    let table = add(
        &lake,
        None,
        &[(1, 10), (2, 10), (3, 70_000), (4, 70_000), (5, 3)],
    )
    .await;
    let days: Vec<BTreeSet<NaiveDate>> = table
        .files
        .iter()
        .map(|file| file.tag.days.keys().copied().collect())
        .collect();
    assert!(
        days.contains(&BTreeSet::from([day(1), day(2), day(3)])),
        "{days:?}"
    );
    assert!(days.contains(&BTreeSet::from([day(4)])), "{days:?}");
    assert_eq!(table.rows(), 140_023);
    for (index, one) in days.iter().enumerate() {
        for other in &days[index + 1..] {
            assert!(one.is_disjoint(other), "a day lies in one file");
        }
    }
}

#[tokio::test]
async fn what_the_log_notes_survives_checkpoints() {
    let (folder, lake) = lake();
    let mut table = add(&lake, None, &[(1, 2)]).await;
    for number in 2..=28 {
        table = add(&lake, Some(&table), &[(number, 2)]).await;
    }
    let log = folder.path().join("star/fct/_delta_log");
    let names: Vec<String> = std::fs::read_dir(log)
        .expect("the log")
        .map(|entry| {
            entry
                .expect("entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    assert!(
        names.iter().any(|name| name.contains("checkpoint")),
        "{names:?}"
    );
    // Another process opens it anew, from the checkpoint.
    let again = Lake::open(folder.path()).expect("lake");
    let committed = table.clone();
    let table = again
        .table(&table.name)
        .await
        .expect("table")
        .expect("it is there");
    assert_eq!(table.ledger.batch, 28);
    let days = table.days();
    assert_eq!(days.len(), 28);
    assert_eq!((days[&day(1)], days[&day(28)]), (1, 28));
    assert_eq!(table.days_after(26), BTreeSet::from([day(27), day(28)]));
    // What the commit gave is what another process reads.
    let said = |table: &Table| -> Vec<_> {
        let files = table.files.iter();
        files
            .map(|file| (file.add.clone(), file.rows, file.tag.clone()))
            .collect()
    };
    assert_eq!(said(&table), said(&committed));
    assert_eq!(
        (table.version, &table.ledger, &table.schema),
        (committed.version, &committed.ledger, &committed.schema)
    );
}

#[tokio::test]
async fn of_two_writers_on_the_same_version_one_is_refused() {
    let (folder, lake) = lake();
    let base = add(&lake, None, &[(1, 1)]).await;
    let other = Lake::open(folder.path()).expect("lake");
    let theirs = other
        .table(&base.name)
        .await
        .expect("table")
        .expect("it is there");
    add(&lake, Some(&base), &[(2, 1)]).await;
    let mut change = Change::new(layout());
    let mut writer = FileWriter::new(layout(), other.store(&base.name).expect("store"));
    writer.write(&rows(&[(3, 1)])).await.expect("write");
    change.adds = writer.finish().await.expect("finish");
    assert!(other.commit(Some(&theirs), change).await.is_err());
    let now = other
        .reload(&base.name)
        .await
        .expect("table")
        .expect("it is there");
    assert_eq!((now.rows(), now.ledger.batch), (2, 2));
}

#[tokio::test]
async fn no_text_stands_in_the_log_or_in_a_footer() {
    let (folder, lake) = lake();
    let table = add(&lake, None, &[(1, 5)]).await;
    let stats = table.files[0].add.stats.clone().expect("statistics");
    assert!(
        stats.contains("\"id\"") && stats.contains("2026-01-01"),
        "{stats}"
    );
    assert!(!stats.contains("secret"), "{stats}");
    let path = folder
        .path()
        .join("star/fct")
        .join(&table.files[0].add.path);
    let bytes = std::fs::read(path).expect("the file");
    let footer = u32::from_le_bytes(
        bytes[bytes.len() - 8..bytes.len() - 4]
            .try_into()
            .expect("4"),
    );
    let footer = &bytes[bytes.len() - 8 - footer as usize..];
    assert!(!String::from_utf8_lossy(footer).contains("secret"));
}

#[tokio::test]
async fn a_scan_reads_only_files_that_can_match_and_gives_all_rows() {
    let (_folder, lake) = lake();
    let table = add(&lake, None, &[(1, 70_000), (2, 70_000), (3, 4)]).await;
    let session = SessionContext::new();
    session
        .register_table("fct", Arc::new(LakeTable::new(&table)))
        .expect("register");
    let count = |sql: &'static str| {
        let session = session.clone();
        async move {
            let rows = session
                .sql(sql)
                .await
                .expect("plan")
                .collect()
                .await
                .expect("rows");
            datafusion::arrow::util::pretty::pretty_format_batches(&rows)
                .expect("text")
                .to_string()
        }
    };
    assert!(count("select count(*) from fct").await.contains("140004"));
    let one = "select count(*) from fct where day = date '2026-01-03'";
    assert!(count(one).await.contains("| 4 "));
    let plan = count("explain select id from fct where day = date '2026-01-01'").await;
    assert_eq!(plan.matches(".zstd.parquet").count(), 1, "{plan}");
}

#[tokio::test]
async fn a_replaced_file_leaves_and_its_source_files_are_forgotten() {
    let (_folder, lake) = lake();
    let mut layout = layout();
    layout.interval = None;
    layout.ordered = false;
    layout.schema = Arc::new(Schema::new(vec![Field::new(
        "_raw_id",
        DataType::Int64,
        true,
    )]));
    let origin = |file_id: i64| Origin {
        file_id,
        path: format!("{file_id}.csv"),
        content_hash: String::new(),
        rows: 1,
        bytes: 1,
        version: 1,
        reading: String::new(),
    };
    let write = |file_id: i64| {
        let layout = layout.clone();
        let store = lake.store(&layout.table).expect("store");
        async move {
            let ids = Int64Array::from(vec![file_id << crate::RAW_ID_ROW_BITS | 1]);
            let batch = RecordBatch::try_new(layout.schema.clone(), vec![Arc::new(ids)]);
            let mut writer = FileWriter::new(layout, store).with_origins([origin(file_id)]);
            writer.write(&batch.expect("batch")).await.expect("write");
            writer.finish().await.expect("finish")
        }
    };
    let mut change = Change::new(layout.clone());
    change.adds = write(7).await;
    let table = lake.commit(None, change).await.expect("commit");
    assert_eq!(table.origins().into_keys().collect::<Vec<_>>(), [7]);
    let mut change = Change::new(layout.clone());
    change.adds = write(8).await;
    change.removes = vec![table.files[0].add.path.clone()];
    let table = lake.commit(Some(&table), change).await.expect("commit");
    assert_eq!(table.origins().into_keys().collect::<Vec<_>>(), [8]);
    assert_eq!(table.rows(), 1);
}
