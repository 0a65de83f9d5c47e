//! A reader gets all rows of its version or an error, whatever is appended, merged and removed
//! meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Int64Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use chrono::{DateTime, Duration, Utc};
use datafusion::physical_plan::execute_stream;
use datafusion::prelude::SessionContext;
use futures::TryStreamExt as _;
use object_store::ObjectStoreExt as _;

use super::Retention;
use crate::{Change, FileWriter, Lake, LakeError, LakeTable, Layout, Policy, Table, TableName};

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp_millis(crate::file::log_time_millis()).expect("now")
}

/// Nothing but the newest version is kept, and what may be about to be committed.
fn nothing() -> Retention {
    Retention {
        since: now() + Duration::seconds(5),
        orphans_since: now() - Duration::hours(1),
        versions: Default::default(),
    }
}

fn layout() -> Layout {
    let schema = Schema::new(vec![Field::new("id", DataType::Int64, true)]);
    Layout {
        sort: vec!["id".into()],
        ..Layout::new(TableName::new("star", "t"), Arc::new(schema))
    }
}

fn lake() -> (tempfile::TempDir, Lake) {
    let folder = tempfile::tempdir().expect("folder");
    let lake = Lake::open(folder.path()).expect("lake");
    (folder, lake)
}

/// Appends one file with these ids; tried again where somebody else was first.
async fn add(lake: &Lake, ids: std::ops::Range<i64>) -> Arc<Table> {
    let layout = layout();
    let store = lake.store(&layout.table).expect("store");
    let mut writer = FileWriter::new(layout.clone(), store);
    let column = Arc::new(ids.collect::<Int64Array>());
    let batch = RecordBatch::try_new(layout.schema.clone(), vec![column]);
    writer.write(&batch.expect("a batch")).await.expect("write");
    let mut change = Change::new(layout.clone());
    change.adds = writer.finish().await.expect("finish");
    loop {
        let base = lake.reload(&layout.table).await.expect("table");
        match lake.commit(base.as_deref(), change.clone()).await {
            Ok(table) => return table,
            Err(LakeError::Conflict { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

async fn ids(scan: LakeTable) -> Result<Vec<i64>, LakeError> {
    let session = SessionContext::new();
    let rows = session.read_table(Arc::new(scan))?.collect().await;
    let rows = rows.map_err(LakeError::of_reading)?;
    let columns = rows
        .iter()
        .map(|batch| batch.column(0).as_primitive::<Int64Type>());
    let mut ids: Vec<i64> = columns
        .flat_map(|column| column.values().to_vec())
        .collect();
    ids.sort_unstable();
    Ok(ids)
}

/// The table as it was, then as one file, and its version before.
async fn compacted(lake: &Lake) -> (Arc<Table>, Arc<Table>) {
    add(lake, 0..3).await;
    add(lake, 3..6).await;
    let before = add(lake, 6..9).await;
    let session = SessionContext::new();
    let done = lake
        .compact(&session, &before.name, Policy::ON_DEMAND)
        .await;
    (before, done.expect("compact").expect("done").table)
}

#[tokio::test]
async fn versions_within_the_retention_stay_and_older_ones_say_that_they_expired() {
    let (folder, lake) = lake();
    let (before, after) = compacted(&lake).await;
    let (name, version) = (before.name.clone(), before.version);
    drop(before);
    let mut week = nothing();
    week.since = now() - Duration::days(7);
    let done = lake.vacuum(&name, &week, false).await.expect("vacuum");
    assert_eq!((done.files, done.oldest), (0, 0));
    let mut named = nothing();
    named.versions = [version].into();
    let done = lake.vacuum(&name, &named, false).await.expect("vacuum");
    assert_eq!((done.files, done.oldest), (0, version));
    let old = lake
        .table_at(&name, version)
        .await
        .expect("old")
        .expect("table");
    assert_eq!(
        ids(LakeTable::new(&old)).await.expect("rows"),
        (0..9).collect::<Vec<_>>()
    );
    drop(old);
    let counted = lake.vacuum(&name, &nothing(), true).await.expect("vacuum");
    let done = lake.vacuum(&name, &nothing(), false).await.expect("vacuum");
    assert_eq!(counted, done);
    assert_eq!((done.files, done.oldest), (3, after.version));
    let left = std::fs::read_dir(folder.path().join("star/t")).expect("folder");
    assert_eq!(left.count(), 2, "one file and the log");
    let error = lake.table_at(&name, version).await.expect_err("expired");
    assert!(
        matches!(error, LakeError::Expired { version: 2, .. }),
        "{error}"
    );
    assert_eq!(ids(LakeTable::new(&after)).await.expect("rows").len(), 9);
}

#[tokio::test]
async fn files_that_no_log_names_stay_for_a_time_of_grace() {
    let (_folder, lake) = lake();
    let table = add(&lake, 0..3).await;
    let store = lake.store(&table.name).expect("store");
    store
        .put(&"part-lost.zstd.parquet".into(), "lost".into())
        .await
        .expect("put");
    store
        .put(&"notes.txt".into(), "not ours".into())
        .await
        .expect("put");
    let done = lake
        .vacuum(&table.name, &nothing(), false)
        .await
        .expect("vacuum");
    assert_eq!(done.files, 0, "somebody may be about to commit it");
    let mut later = nothing();
    later.orphans_since = now() + Duration::seconds(5);
    let done = lake
        .vacuum(&table.name, &later, false)
        .await
        .expect("vacuum");
    assert_eq!((done.files, done.bytes), (1, 4));
    assert_eq!(ids(LakeTable::new(&table)).await.expect("rows"), [0, 1, 2]);
}

#[tokio::test]
async fn a_reader_keeps_its_files_as_long_as_it_or_its_plan_lives() {
    let (_folder, lake) = lake();
    let (before, after) = compacted(&lake).await;
    let name = before.name.clone();
    let scan = LakeTable::new(&before);
    drop(before);
    let done = lake.vacuum(&name, &nothing(), false).await.expect("vacuum");
    assert_eq!(done.files, 0);
    let session = SessionContext::new();
    let frame = session.read_table(Arc::new(scan)).expect("table");
    let plan = frame.create_physical_plan().await.expect("plan");
    drop(frame);
    let done = lake.vacuum(&name, &nothing(), false).await.expect("vacuum");
    assert_eq!(done.files, 0, "the plan alone is left of the reader");
    let rows = execute_stream(plan, session.task_ctx()).expect("stream");
    let rows: Vec<RecordBatch> = rows.try_collect().await.expect("rows");
    assert_eq!(rows.iter().map(RecordBatch::num_rows).sum::<usize>(), 9);
    drop(rows);
    // The tasks that read end when they are asked for more.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    let done = lake.vacuum(&name, &nothing(), false).await.expect("vacuum");
    assert_eq!(done.files, 3);
    assert_eq!(ids(LakeTable::new(&after)).await.expect("rows").len(), 9);
}

#[tokio::test]
async fn a_reader_of_another_process_gets_an_error_and_no_part_of_its_rows() {
    let (folder, lake) = lake();
    add(&lake, 0..3).await;
    let table = add(&lake, 3..6).await;
    let other = Lake::open(folder.path()).expect("lake");
    let theirs = other
        .table(&table.name)
        .await
        .expect("table")
        .expect("there");
    drop(table);
    let session = SessionContext::new();
    let done = lake
        .compact(&session, &theirs.name, Policy::ON_DEMAND)
        .await;
    done.expect("compact").expect("done");
    lake.vacuum(&theirs.name, &nothing(), false)
        .await
        .expect("vacuum");
    let error = ids(LakeTable::new(&theirs))
        .await
        .expect_err("its files are gone");
    assert!(matches!(error, LakeError::Gone { .. }), "{error}");
    assert!(error.to_string().contains("has expired"), "{error}");
}

#[tokio::test]
async fn a_long_log_is_opened_from_its_checkpoint() {
    let (folder, lake) = lake();
    let mut last = None;
    for number in 0..130 {
        last = Some(add(&lake, number..number + 1).await);
    }
    let last = last.expect("a table");
    let name = last.name.clone();
    assert!(lake.checkpoint(&name).await.expect("checkpoint"));
    assert!(
        !lake.checkpoint(&name).await.expect("checkpoint"),
        "there is one"
    );
    let done = lake.vacuum(&name, &nothing(), false).await.expect("vacuum");
    assert!(done.log_files > 100, "{done:?}");
    // The log before the checkpoint is gone: whoever opens the table reads the checkpoint.
    let log = std::fs::read_dir(folder.path().join("star/t/_delta_log")).expect("log");
    let jsons = log
        .filter_map(Result::ok)
        .filter(|entry| entry.path().extension().is_some_and(|kind| kind == "json"))
        .count();
    assert_eq!(jsons, 1);
    let again = Lake::open(folder.path()).expect("lake");
    let table = again.table(&name).await.expect("table").expect("there");
    assert_eq!((table.version, &table.ledger), (129, &last.ledger));
    assert_eq!(table.files.len(), 130);
    assert_eq!(
        ids(LakeTable::new(&table)).await.expect("rows"),
        (0..130).collect::<Vec<_>>()
    );
    let error = again
        .table_at(&name, 17)
        .await
        .expect_err("its log is gone");
    assert!(
        matches!(error, LakeError::Expired { version: 17, .. }),
        "{error}"
    );
    let more = add(&again, 130..131).await;
    assert_eq!((more.version, more.ledger.batch), (130, 131));
}

/// Ids come in order, so a version with `n` files of three ids holds exactly `0..3 * n`.
#[test]
fn pinned_readers_see_their_version_whatever_is_appended_merged_and_removed() {
    const FILES: i64 = 40;
    let (folder, lake) = lake();
    let lake = Arc::new(lake);
    let name = layout().table;
    let block = |future: std::pin::Pin<Box<dyn Future<Output = ()>>>| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.expect("runtime").block_on(future);
    };
    block({
        let lake = lake.clone();
        Box::pin(async move {
            add(&lake, 0..3).await;
        })
    });
    let written = AtomicUsize::new(1);
    let (reads, merges, removed) = (
        AtomicUsize::new(0),
        AtomicUsize::new(0),
        AtomicUsize::new(0),
    );
    let at_end = || written.load(Ordering::SeqCst) as i64 >= FILES;
    std::thread::scope(|threads| {
        threads.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.expect("runtime").block_on(async {
                for file in 1..FILES {
                    add(&lake, file * 3..file * 3 + 3).await;
                    written.fetch_add(1, Ordering::SeqCst);
                }
            });
        });
        threads.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.expect("runtime").block_on(async {
                let session = SessionContext::new();
                while !at_end() {
                    match lake.compact(&session, &name, Policy::ON_DEMAND).await {
                        Ok(done) => {
                            merges.fetch_add(usize::from(done.is_some()), Ordering::SeqCst);
                        }
                        // Appends were first each time: it is done next time.
                        Err(LakeError::Conflict { .. }) => {}
                        Err(error) => panic!("{error}"),
                    }
                    let done = lake.vacuum(&name, &nothing(), false).await.expect("vacuum");
                    removed.fetch_add(done.files, Ordering::SeqCst);
                }
            });
        });
        for reader in 0..3 {
            let (lake, name, reads, at_end) = (&lake, &name, &reads, &at_end);
            threads.spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build();
                runtime.expect("runtime").block_on(async {
                    while !at_end() || reads.load(Ordering::SeqCst) < 10 {
                        let table = lake.reload(name).await.expect("table").expect("there");
                        let wanted: Vec<i64> = (0..table.rows() as i64).collect();
                        // The same reader reads its version several times.
                        for _ in 0..=reader {
                            let found = ids(LakeTable::new(&table)).await.expect("rows");
                            assert_eq!(found, wanted, "version {}", table.version);
                        }
                        reads.fetch_add(1, Ordering::SeqCst);
                    }
                });
            });
        }
    });
    assert!(merges.load(Ordering::SeqCst) > 0 && removed.load(Ordering::SeqCst) > 0);
    block(Box::pin(async move {
        let fresh = Lake::open(folder.path()).expect("lake");
        let table = fresh
            .table(&layout().table)
            .await
            .expect("table")
            .expect("there");
        let found = ids(LakeTable::new(&table)).await.expect("rows");
        assert_eq!(found, (0..FILES * 3).collect::<Vec<_>>());
    }));
}
