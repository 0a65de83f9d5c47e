//! What a scan claims is true: plans without sort and shuffle where files allow it, and the rows
//! of a plain sort in any case.

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Int64Array, RecordBatch, TimestampMicrosecondArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::datasource::MemTable;
use datafusion::prelude::{SessionConfig, SessionContext};

use crate::session::{Resources, config};
use crate::{Change, FileWriter, Lake, LakeTable, Layout, Table, TableName};

/// Key, second, number.
type Row = (Option<i64>, Option<i64>, i64);

fn schema() -> SchemaRef {
    let instant = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    Arc::new(Schema::new(vec![
        Field::new("number", DataType::Int64, false),
        Field::new("customer_key", DataType::Int64, true),
        Field::new("event_at", instant, true),
        Field::new("is_conversion", DataType::Boolean, false),
    ]))
}

fn layout(range: bool) -> Layout {
    Layout {
        sort: ["customer_key", "event_at", "is_conversion", "number"]
            .map(str::to_owned)
            .to_vec(),
        range: range.then(|| "customer_key".to_owned()),
        ..Layout::new(TableName::new("star", "touch"), schema())
    }
}

fn batch(rows: &[Row]) -> RecordBatch {
    let at: TimestampMicrosecondArray = rows
        .iter()
        .map(|row| row.1.map(|second| second * 1_000_000 + 7))
        .collect();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(rows.iter().map(|row| Some(row.2)).collect::<Int64Array>()),
        Arc::new(rows.iter().map(|row| row.0).collect::<Int64Array>()),
        Arc::new(at.with_timezone("UTC")),
        Arc::new(
            rows.iter()
                .map(|row| Some(row.2 % 2 == 0))
                .collect::<BooleanArray>(),
        ),
    ];
    RecordBatch::try_new(schema(), columns).expect("a batch")
}

fn sorted(mut rows: Vec<Row>) -> Vec<Row> {
    let last = |value: Option<i64>| (value.is_none(), value);
    rows.sort_by_key(|row| (last(row.0), last(row.1), row.2 % 2 == 0, row.2));
    rows
}

struct Place {
    _folder: tempfile::TempDir,
    lake: Lake,
}

fn place() -> Place {
    let folder = tempfile::tempdir().expect("folder");
    let lake = Lake::open(folder.path()).expect("lake");
    Place {
        _folder: folder,
        lake,
    }
}

/// A table with one file for each list of rows, written in the order in which they stand.
async fn table(place: &Place, layout: &Layout, files: &[Vec<Row>]) -> Arc<Table> {
    let store = place.lake.store(&layout.table).expect("store");
    let mut writer = FileWriter::new(layout.clone(), store);
    for rows in files {
        for part in rows.chunks(5) {
            writer.write(&batch(part)).await.expect("write");
        }
        writer.cut().await.expect("cut");
    }
    let mut change = Change::new(layout.clone());
    change.adds = writer.finish().await.expect("finish");
    place.lake.commit(None, change).await.expect("commit")
}

fn session(threads: usize) -> SessionContext {
    let resources = Resources {
        memory_bytes: 64 << 20,
        threads,
    };
    let config: SessionConfig = config(&resources).with_batch_size(4);
    SessionContext::new_with_config(config)
}

async fn lines(session: &SessionContext, sql: &str) -> Vec<String> {
    let frame = session.sql(sql).await.expect("plan");
    let rows = frame.collect().await.expect("rows");
    let text = pretty_format_batches(&rows).expect("text").to_string();
    text.lines().map(str::to_owned).collect()
}

async fn plan(session: &SessionContext, sql: &str) -> String {
    lines(session, &format!("explain {sql}")).await.join("\n")
}

/// The same question to the lake and to the same rows in memory, in no order.
async fn same(lake: &SessionContext, memory: &SessionContext, sql: &str, what: &str) {
    let mut found = lines(lake, sql).await;
    let mut wanted = lines(memory, sql).await;
    found.sort();
    wanted.sort();
    assert_eq!(found, wanted, "{what}: {sql}\n{}", plan(lake, sql).await);
}

/// Results that would be wrong if rows came in another order or a key came to two threads.
const QUESTIONS: [&str; 6] = [
    "select customer_key, event_at, number,
         row_number() over (partition by customer_key order by event_at, number) as place,
         sum(number) over (partition by customer_key order by event_at, number) as total,
         lag(number) over (
             partition by customer_key order by event_at, is_conversion, number) as before
     from touch",
    "select customer_key, count(*), sum(number) from touch group by customer_key",
    "select customer_key, count(distinct event_at), max(number) from touch
     where customer_key > -40 group by customer_key",
    "select count(*) from touch a join touch b on a.customer_key = b.customer_key",
    "select number from touch order by customer_key, event_at, number limit 7",
    "select max(place) from (select rank() over (
         partition by customer_key order by event_at) as place from touch)",
];

const WINDOW: &str = "select customer_key, number,
    lag(event_at) over (
        partition by customer_key order by event_at, is_conversion, number) from touch";

fn register(session: &SessionContext, table: &Table) {
    session
        .register_table("touch", Arc::new(LakeTable::new(table)))
        .expect("register");
}

fn in_memory(files: &[Vec<Row>], threads: usize) -> SessionContext {
    let memory = session(threads);
    let rows = vec![files.iter().map(|rows| batch(rows)).collect()];
    let table = MemTable::try_new(schema(), rows).expect("a table");
    memory
        .register_table("touch", Arc::new(table))
        .expect("register");
    memory
}

fn rows_of(keys: impl IntoIterator<Item = i64>) -> Vec<Row> {
    let rows = keys.into_iter().flat_map(|key| {
        (0..3).map(move |nth| (Some(key), Some(nth * 5), key.wrapping_mul(31) % 1000 + nth))
    });
    sorted(rows.collect())
}

#[tokio::test]
async fn a_window_per_customer_over_ranges_needs_no_sort_and_no_shuffle() {
    let place = place();
    let files = [
        rows_of([-90, -80]),
        rows_of([-70, -5]),
        rows_of([1, 2, 3]),
        rows_of([40]),
    ];
    let table = table(&place, &layout(true), &files).await;
    let session = session(2);
    register(&session, &table);
    let plan = plan(&session, WINDOW).await;
    assert!(!plan.contains("SortExec"), "{plan}");
    assert!(!plan.contains("RepartitionExec"), "{plan}");
    assert!(!plan.contains("Hash"), "{plan}");
    assert!(
        plan.contains("Range([customer_key@1 ASC NULLS LAST], [(0)], 2)"),
        "{plan}"
    );
}

#[tokio::test]
async fn late_rows_are_merged_into_their_range_without_a_sort() {
    let place = place();
    let files = [
        rows_of([-90, -80]),
        rows_of([1, 2, 3]),
        // The tail: late rows of known and new customers.
        sorted(vec![(Some(-80), Some(1), 7), (Some(-70), Some(1), 8)]),
        sorted(vec![(Some(2), Some(6), 9), (Some(2), Some(1), 10)]),
    ];
    let table = table(&place, &layout(true), &files).await;
    let session = session(2);
    register(&session, &table);
    let plan = plan(&session, WINDOW).await;
    assert!(plan.contains("MergeRunsExec"), "{plan}");
    assert!(!plan.contains("SortExec"), "{plan}");
    assert!(!plan.contains("RepartitionExec"), "{plan}");
    let memory = in_memory(&files, 2);
    for question in QUESTIONS {
        same(&session, &memory, question, "a tail").await;
    }
}

#[tokio::test]
async fn a_file_whose_rows_are_in_no_order_drops_the_claim() {
    let place = place();
    let mut files = vec![rows_of([-9, -8]), rows_of([1, 2, 3])];
    files[1].swap(0, 7);
    let table = table(&place, &layout(true), &files).await;
    assert!(table.files.iter().any(|file| file.tag.sorted.is_empty()));
    let session = session(2);
    register(&session, &table);
    let plan = plan(&session, WINDOW).await;
    assert!(plan.contains("SortExec"), "{plan}");
    assert!(!plan.contains("Range("), "{plan}");
    let memory = in_memory(&files, 2);
    for question in QUESTIONS {
        same(&session, &memory, question, "unsorted").await;
    }
}

#[tokio::test]
async fn files_without_statistics_drop_the_claim() {
    let place = place();
    let files = [rows_of([-9, -8]), rows_of([1, 2, 3])];
    let layout = layout(true);
    let store = place.lake.store(&layout.table).expect("store");
    let mut writer = FileWriter::new(layout.clone(), store);
    for rows in &files {
        writer.write(&batch(rows)).await.expect("write");
        writer.cut().await.expect("cut");
    }
    let mut change = Change::new(layout);
    change.adds = writer.finish().await.expect("finish");
    for file in &mut change.adds {
        let rows = file.rows;
        file.add.stats = Some(format!("{{\"numRecords\": {rows}}}"));
    }
    let table = place.lake.commit(None, change).await.expect("commit");
    let session = session(2);
    register(&session, &table);
    let plan = plan(&session, WINDOW).await;
    assert!(
        plan.contains("SortExec") && !plan.contains("Range("),
        "{plan}"
    );
    same(
        &session,
        &in_memory(&files, 2),
        QUESTIONS[0],
        "no statistics",
    )
    .await;
}

#[tokio::test]
async fn uncommitted_files_are_merged_with_those_that_stay() {
    let place = place();
    let files = [rows_of([-9, -8]), rows_of([1, 2, 3])];
    let base = table(&place, &layout(true), &files).await;
    let more = sorted(vec![(Some(2), Some(1), 70), (None, Some(1), 71)]);
    let store = place.lake.store(&base.name).expect("store");
    let mut writer = FileWriter::new(layout(true), store);
    writer.write(&batch(&more)).await.expect("write");
    let adds = writer.finish().await.expect("finish");
    let left = base
        .files
        .iter()
        .find(|file| file.rows == 6)
        .map(|file| file.add.path.clone());
    let removed = [left.expect("the first file")];
    let scan = place
        .lake
        .uncommitted(&layout(true), Some((&base, &removed)), &adds)
        .expect("a scan");
    let session = session(2);
    session
        .register_table("touch", Arc::new(scan))
        .expect("register");
    let memory = in_memory(&[files[1].clone(), more.clone()], 2);
    for question in QUESTIONS {
        same(&session, &memory, question, "uncommitted").await;
    }
}

#[tokio::test]
async fn a_writer_cuts_at_prefixes_of_the_key() {
    let place = place();
    // A quarter of a million hashed keys: four ranges.
    let mut chance = Chance(5);
    let mut keys: Vec<i64> = (0..270_000).map(|_| chance.next() as i64).collect();
    keys.sort_unstable();
    let rows: Vec<Row> = keys.iter().map(|key| (Some(*key), Some(1), 1)).collect();
    let layout = layout(true);
    let store = place.lake.store(&layout.table).expect("store");
    let mut writer = FileWriter::new(layout.clone(), store);
    for part in rows.chunks(8192) {
        writer.write(&batch(part)).await.expect("write");
    }
    let mut change = Change::new(layout);
    change.adds = writer.finish().await.expect("finish");
    let table = place.lake.commit(None, change).await.expect("commit");
    assert_eq!(table.files.len(), 4);
    assert!(table.files.iter().all(|file| file.rows > 65_000));
    let session = session(4);
    register(&session, &table);
    let plan = plan(&session, WINDOW).await;
    let quarter = i64::MIN / 2;
    let points = format!("[({quarter}), (0), ({})], 4)", -quarter);
    assert!(plan.contains(&points), "{plan}");
    assert!(
        !plan.contains("SortExec") && !plan.contains("RepartitionExec"),
        "{plan}"
    );
}

#[tokio::test]
async fn looking_up_a_key_skips_row_groups_by_their_bloom_filters() {
    let place = place();
    let mut layout = layout(false);
    layout.sort = vec!["event_at".into()];
    layout.bloom = vec!["customer_key".into()];
    // Keys are spread over all files: their ranges tell nothing, the filters do.
    let mut chance = Chance(11);
    let mut files: Vec<Vec<Row>> = Vec::new();
    for second in 0..6 {
        let keys = (0..400).map(|_| (Some(chance.next() as i64), Some(second), 1));
        files.push(keys.collect());
    }
    let wanted = files[4][123].0.expect("a key");
    let table = table(&place, &layout, &files).await;
    let session = session(2);
    register(&session, &table);
    let sql = format!("select event_at from touch where customer_key = {wanted}");
    assert_eq!(lines(&session, &sql).await.len(), 5, "one row in its frame");
    let text = lines(&session, &format!("explain analyze {sql}"))
        .await
        .join(" ");
    let pruned = text.split("row_groups_pruned_bloom_filter=").nth(1);
    let pruned = pruned
        .expect("the metric")
        .split(',')
        .next()
        .unwrap_or_default();
    assert_eq!(pruned, "6 total → 1 matched", "{text}");
}

/// SplitMix64.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

/// Files with sorted rows that overlap or do not, some with nulls, some in no order.
fn random_files(chance: &mut Chance) -> Vec<Vec<Row>> {
    let files = 1 + chance.below(7);
    let mut number = 0;
    let mut all = Vec::new();
    for _ in 0..files {
        let start = chance.below(120) as i64 - 60;
        let width = [8, 60][chance.below(2) as usize];
        let width = 1 + chance.below(width);
        let rows = 1 + chance.below(24);
        let mut file: Vec<Row> = Vec::new();
        for _ in 0..rows {
            number += 1;
            let key = (chance.below(25) > 0).then(|| start + chance.below(width) as i64);
            let at = (chance.below(25) > 0).then(|| chance.below(9) as i64);
            file.push((key, at, number));
        }
        if chance.below(12) > 0 {
            file = sorted(file);
        }
        all.push(file);
    }
    all
}

#[tokio::test]
async fn random_sets_of_files_give_the_rows_of_a_plain_sort() {
    let (mut merged, mut ranged, mut ordered) = (0, 0, 0);
    for seed in 0..60 {
        let mut chance = Chance(seed);
        let files = random_files(&mut chance);
        let threads = 1 + chance.below(5) as usize;
        let place = place();
        let layout = layout(chance.below(4) > 0);
        let table = table(&place, &layout, &files).await;
        let session = session(threads);
        register(&session, &table);
        let text = plan(&session, WINDOW).await;
        merged += usize::from(text.contains("MergeRunsExec"));
        ranged += usize::from(text.contains("Range("));
        ordered += usize::from(text.contains("output_ordering"));
        let memory = in_memory(&files, threads);
        for question in QUESTIONS {
            let what = format!("seed {seed}, {threads} threads");
            same(&session, &memory, question, &what).await;
        }
    }
    // The histories must reach what they are to test.
    assert!(
        merged > 5 && ranged > 5 && ordered > 10,
        "{merged} {ranged} {ordered}"
    );
}
