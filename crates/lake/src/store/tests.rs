//! A store that fails one call in five: what it answers is still definite, and no commit is lost
//! or doubled.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::{Int64Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use datafusion::execution::object_store::ObjectStoreUrl;
use domain::config::LakeConfig;
use futures::TryStreamExt as _;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt as _, PutMode, PutOptions};

use super::faults::{Faults, Settings};
use super::steady::{Patience, Steady};
use super::{Location, Root};
use crate::{Change, FileWriter, Lake, LakeError, Layout, Table, TableName};

/// Seeds of each test.
const SEEDS: std::ops::Range<u64> = 0..3;

fn settings(seed: u64, rate: f64) -> Settings {
    Settings {
        seed,
        rate,
        full_after: None,
        late: true,
    }
}

/// A bucket that fails one call in five.
fn faulty(memory: &Arc<InMemory>, seed: u64) -> (Arc<Faults>, Steady) {
    let faults = Arc::new(Faults::new(
        memory.clone(),
        Some(memory.clone()),
        settings(seed, 0.2),
    ));
    let steady = Steady::new(faults.clone(), Some(faults.clone()), Patience::short(seed));
    (faults, steady)
}

fn lake_over(store: Arc<dyn ObjectStore>) -> Lake {
    Lake::over(Root {
        location: Location::S3 {
            bucket: "memory".into(),
            prefix: "lake".into(),
            endpoint: None,
            region: None,
            allow_http: false,
        },
        store,
        store_url: ObjectStoreUrl::parse("s3://memory").expect("url"),
        url: url::Url::parse("s3://memory/lake/").expect("url"),
    })
}

fn create() -> PutOptions {
    PutMode::Create.into()
}

#[tokio::test]
async fn of_many_that_create_one_object_exactly_one_wins_and_knows_it() {
    for seed in SEEDS {
        let memory = Arc::new(InMemory::new());
        let (faults, steady) = faulty(&memory, seed);
        let steady = Arc::new(steady);
        for key in 0..25 {
            let path = Path::from(format!("key-{key}"));
            let mut tasks = tokio::task::JoinSet::new();
            for writer in 0..4 {
                let (steady, path) = (steady.clone(), path.clone());
                tasks.spawn(async move {
                    let body = format!("writer {writer}");
                    let put = steady.put_opts(&path, body.clone().into(), create());
                    (body, put.await)
                });
            }
            let mut winners = Vec::new();
            while let Some(done) = tasks.join_next().await {
                match done.expect("task") {
                    (body, Ok(_)) => winners.push(body),
                    (_, Err(Error::AlreadyExists { .. })) => {}
                    (_, Err(error)) => panic!("seed {seed}: {error}"),
                }
            }
            let there = memory.get(&path).await.expect("object");
            let there = there.bytes().await.expect("bytes");
            assert_eq!(winners, [String::from_utf8_lossy(&there)], "seed {seed}");
        }
        assert!(faults.injected() > 20, "seed {seed}");
    }
}

#[tokio::test]
async fn uploads_in_parts_lists_and_removals_are_whole() {
    for seed in SEEDS {
        let memory = Arc::new(InMemory::new());
        let (faults, steady) = faulty(&memory, seed);
        let body: Vec<u8> = (0..50_000_u32).flat_map(u32::to_le_bytes).collect();
        for name in 0..12 {
            let path = Path::from(format!("big/{name}"));
            let mut upload = steady.put_multipart(&path).await.expect("upload");
            for part in body.chunks(30_000) {
                upload.put_part(part.to_vec().into()).await.expect("part");
            }
            upload.complete().await.expect("complete");
            let got = steady.get(&path).await.expect("object");
            assert!(got.bytes().await.expect("bytes") == body, "seed {seed}");
        }
        let list = || async {
            let found = steady.list(Some(&Path::from("big")));
            let found: Vec<_> = found.try_collect().await.expect("list");
            found.into_iter().map(|o| o.location).collect::<Vec<_>>()
        };
        let all = list().await;
        assert_eq!(all.len(), 12, "seed {seed}");
        let gone = futures::stream::iter(all.into_iter().map(Ok));
        let gone: Vec<_> = steady
            .delete_stream(Box::pin(gone))
            .try_collect()
            .await
            .expect("delete");
        assert_eq!((gone.len(), list().await.len()), (12, 0), "seed {seed}");
        assert!(faults.injected() > 20, "seed {seed}");
    }
}

#[tokio::test]
async fn a_store_that_never_recovers_gives_its_error_and_a_full_one_at_once() {
    let memory = Arc::new(InMemory::new());
    let over = |settings: Settings| {
        let faults = Arc::new(Faults::new(memory.clone(), None, settings));
        let steady = Steady::new(faults.clone(), None, Patience::short(1));
        (faults, steady)
    };
    let (faults, steady) = over(settings(1, 1.0));
    let error = steady.get(&Path::from("x")).await.expect_err("an error");
    assert!(matches!(error, Error::Generic { .. }), "{error}");
    assert_eq!(faults.injected(), 12);
    let mut full = settings(1, 0.0);
    full.full_after = Some(10);
    let (_, steady) = over(full);
    let path = Path::from("x");
    steady.put(&path, "12345".into()).await.expect("room");
    let error = steady.put(&path, "1234567".into()).await;
    assert!(crate::error::full(&error.expect_err("full")).is_some());
}

fn layout(name: &str) -> Layout {
    let field = Field::new("id", DataType::Int64, true);
    Layout {
        stats: vec!["id".into()],
        ..Layout::new(
            TableName::new("star", name),
            Arc::new(Schema::new(vec![field])),
        )
    }
}

/// A commit of one row with this number, on top of `base`.
async fn commit(lake: &Lake, base: Option<&Table>, id: i64) -> crate::Result<Arc<Table>> {
    let layout = layout("t");
    let mut writer = FileWriter::new(layout.clone(), lake.store(&layout.table)?);
    let ids = Arc::new(Int64Array::from(vec![id]));
    let batch = RecordBatch::try_new(layout.schema.clone(), vec![ids]).expect("a batch");
    writer.write(&batch).await?;
    let mut change = Change::new(layout);
    change.adds = writer.finish().await?;
    lake.commit(base, change).await
}

fn ids(table: &Table) -> Vec<i64> {
    let smallest = table.files.iter().map(|file| {
        let min = file.stats["id"].min.clone();
        match min.expect("a minimum") {
            datafusion::common::ScalarValue::Int64(Some(id)) => id,
            other => panic!("{other}"),
        }
    });
    let mut all: Vec<i64> = smallest.collect();
    all.sort_unstable();
    all
}

/// Writers that each commit numbers of their own: on a conflict they read the table anew and try
/// again, on another error they go on. What was "done" and what is in the table must be the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_commit_that_is_done_is_in_the_table_once_and_every_error_is_not() {
    const WRITERS: i64 = 4;
    const COMMITS: i64 = 12;
    for seed in SEEDS {
        let memory = Arc::new(InMemory::new());
        let mut tasks = tokio::task::JoinSet::new();
        for writer in 0..WRITERS {
            let (_, steady) = faulty(&memory, seed * 100 + writer as u64);
            let lake = lake_over(Arc::new(steady));
            tasks.spawn(async move {
                let mut done = BTreeSet::new();
                let mut conflicts = 0;
                for number in 0..COMMITS {
                    let id = writer * 1_000 + number;
                    loop {
                        let name = layout("t").table;
                        let base = lake.reload(&name).await.expect("table");
                        match commit(&lake, base.as_deref(), id).await {
                            Ok(_) => break,
                            Err(LakeError::Conflict { .. }) => conflicts += 1,
                            Err(error) => panic!("seed {seed}: {error}"),
                        }
                    }
                    done.insert(id);
                }
                (done, conflicts)
            });
        }
        let (mut done, mut conflicts) = (BTreeSet::new(), 0);
        while let Some(ended) = tasks.join_next().await {
            let (theirs, met) = ended.expect("task");
            done.extend(theirs);
            conflicts += met;
        }
        let sound = lake_over(memory);
        let table = sound.reload(&layout("t").table).await.expect("table");
        let table = table.expect("it is there");
        assert_eq!(ids(&table), Vec::from_iter(done), "seed {seed}");
        assert_eq!(table.files.len() as i64, WRITERS * COMMITS, "seed {seed}");
        assert_eq!(table.version as i64, WRITERS * COMMITS - 1, "seed {seed}");
        assert_eq!(table.ledger.batch, WRITERS * COMMITS, "seed {seed}");
        assert!(conflicts > 0, "seed {seed}: the writers never met");
    }
}

/// Where the store is given up so soon that errors are told, an error means that nothing is in the
/// table, and only `Unclear` leaves it open.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_error_that_is_told_is_true() {
    let (mut told, mut unclear) = (0, 0);
    for seed in 0..4 {
        let memory = Arc::new(InMemory::new());
        let mut wrong = settings(seed, 0.6);
        wrong.late = false;
        let faults = Arc::new(Faults::new(memory.clone(), Some(memory.clone()), wrong));
        let steady = Steady::new(faults.clone(), Some(faults), Patience::little(seed));
        let (faulty, sound) = (lake_over(Arc::new(steady)), lake_over(memory));
        faulty.proved.set(()).expect("not yet proved");
        for id in 0..60 {
            let base = sound.reload(&layout("t").table).await.expect("table");
            let there = |table: Option<Arc<Table>>| table.is_some_and(|t| ids(&t).contains(&id));
            let answer = commit(&faulty, base.as_deref(), id).await;
            let now = sound.reload(&layout("t").table).await.expect("table");
            match answer {
                Ok(_) => assert!(there(now), "seed {seed}: {id} is done and not there"),
                Err(LakeError::Unclear { .. }) => unclear += 1,
                Err(error) => {
                    told += 1;
                    assert!(!there(now), "seed {seed}: {id} is there after: {error}");
                }
            }
        }
    }
    assert!(told > 10, "{told} errors, {unclear} unclear");
}

/// The answer to a commit is lost, and before the log is read back another writer has committed
/// on top of it.
#[tokio::test]
async fn a_commit_that_others_built_upon_is_found() {
    let memory: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let (ours, theirs) = (lake_over(memory.clone()), lake_over(memory));
    let base = commit(&ours, None, 1).await.expect("commit");
    let second = commit(&ours, Some(&base), 2).await.expect("commit");
    commit(&theirs, Some(&second), 3).await.expect("commit");
    let error = || LakeError::Missing("an answer".into());
    let uuid = &second.ledger.commit_uuid;
    let name = &second.name;
    let found = ours.decide(name, Some(&base), uuid, error()).await;
    assert_eq!(ids(&found.expect("it is in the log")), [1, 2, 3]);
    let other = ours.decide(name, Some(&base), "another", error()).await;
    assert!(matches!(other, Err(LakeError::Conflict { version: 1, .. })));
    let now = ours.reload(name).await.expect("table");
    let absent = ours.decide(name, now.as_deref(), "another", error());
    assert!(matches!(absent.await, Err(LakeError::Missing(_))));
}

#[tokio::test]
async fn tables_are_listed_and_dropped_in_a_bucket() {
    let memory = Arc::new(InMemory::new());
    let (_, steady) = faulty(&memory, 3);
    let lake = lake_over(Arc::new(steady));
    let table = commit(&lake, None, 1).await.expect("commit");
    let orphan = Path::from("lake/star/orphan/part-1.parquet");
    memory
        .put(&orphan, "no log names it".into())
        .await
        .expect("put");
    assert_eq!(
        lake.names().await.expect("names"),
        std::slice::from_ref(&table.name)
    );
    assert_eq!(lake.tables().await.expect("tables").len(), 1);
    lake.drop_table(&table.name).await.expect("drop");
    assert_eq!(lake.names().await.expect("names"), []);
    assert!(lake.table(&table.name).await.expect("look").is_none());
}

/// A store that ignores "only where nothing is".
#[derive(Debug)]
struct Overwriting(InMemory);

impl std::fmt::Display for Overwriting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "overwriting")
    }
}

#[async_trait::async_trait]
impl ObjectStore for Overwriting {
    async fn put_opts(
        &self,
        location: &Path,
        payload: object_store::PutPayload,
        _options: PutOptions,
    ) -> object_store::Result<object_store::PutResult> {
        self.0.put(location, payload).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: object_store::PutMultipartOptions,
    ) -> object_store::Result<Box<dyn object_store::MultipartUpload>> {
        self.0.put_multipart_opts(location, options).await
    }

    async fn get_opts(
        &self,
        location: &Path,
        options: object_store::GetOptions,
    ) -> object_store::Result<object_store::GetResult> {
        self.0.get_opts(location, options).await
    }

    fn delete_stream(
        &self,
        locations: futures::stream::BoxStream<'static, object_store::Result<Path>>,
    ) -> futures::stream::BoxStream<'static, object_store::Result<Path>> {
        self.0.delete_stream(locations)
    }

    fn list(
        &self,
        prefix: Option<&Path>,
    ) -> futures::stream::BoxStream<'static, object_store::Result<object_store::ObjectMeta>> {
        self.0.list(prefix)
    }

    async fn list_with_delimiter(
        &self,
        prefix: Option<&Path>,
    ) -> object_store::Result<object_store::ListResult> {
        self.0.list_with_delimiter(prefix).await
    }

    async fn copy_opts(
        &self,
        from: &Path,
        to: &Path,
        options: object_store::CopyOptions,
    ) -> object_store::Result<()> {
        self.0.copy_opts(from, to, options).await
    }
}

#[tokio::test]
async fn nothing_is_committed_to_a_store_that_overwrites() {
    let lake = lake_over(Arc::new(Overwriting(InMemory::new())));
    let error = commit(&lake, None, 1).await.expect_err("refused");
    assert!(matches!(error, LakeError::NoConditionalPut(_)), "{error}");
    let text = error.to_string();
    assert!(
        text.contains("hint:") && text.contains("s3://memory/lake"),
        "{text}"
    );
    assert!(lake.names().await.expect("names").is_empty());
}

#[test]
fn a_location_is_a_folder_or_a_bucket_and_never_holds_credentials() {
    let of = |text: &str| {
        let config = LakeConfig {
            location: Some(text.into()),
            ..LakeConfig::default()
        };
        Location::from_config(&config, "/project".as_ref(), PathBuf::new())
    };
    assert_eq!(
        of("tables").expect("a folder"),
        Location::Folder("/project/tables".into())
    );
    let bucket = of("s3://bucket/a/b/").expect("a bucket");
    assert_eq!(bucket.to_string(), "s3://bucket/a/b");
    for text in ["gs://bucket/a", "s3:///a", "https://host/a"] {
        let error = of(text).expect_err("refused").to_string();
        assert!(error.contains("hint:"), "{error}");
    }
    let error = of("s3://AKIA:hush@bucket/a")
        .expect_err("refused")
        .to_string();
    assert!(
        error.contains("environment") && !error.contains("hush"),
        "{error}"
    );
}
