//! What is in a lake's tables, read from their files without the engine under test.
//!
//! A table's content is the number of its rows and a sum over their hashes, so that no order
//! matters, and a column that a row lacks is as one that is null.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::Path;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray as _;
use arrow_array::types::Float64Type;
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use lake::{Lake, Table};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use testkit::Project;

/// Columns that say when the program noticed something: they differ from run to run.
const NOTICED: [&str; 4] = ["_loaded_at", "quarantined_at", "noticed_at", "fitted_at"];

/// Logs, which a rebuild has nothing to write into, and what reads them: customers that moved, and
/// fits that were frozen. What a fit would be now is compared (`int_attribution_fit`).
const HISTORY: [&str; 6] = [
    "identity.customer_alias",
    "marts.mart_attribution_period",
    "star.attribution_fit_log",
    "star.fct_attribution_credit_fit",
    "star.fct_attribution_fit",
    "star.fct_channel_credit",
];

/// The lake of a project.
pub(super) fn lake_of(project: &Project) -> Lake {
    Lake::open(&project.dir().join(".throughline/lake")).unwrap()
}

/// All tables of a project.
pub(crate) fn tables(project: &Project) -> BTreeMap<String, Table> {
    let lake = lake_of(project);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut tables = BTreeMap::new();
        for name in lake.names().await.unwrap() {
            let table = lake.table(&name).await.unwrap().unwrap();
            tables.insert(name.to_string(), Table::clone(&table));
        }
        tables
    })
}

/// Rows, and the sum of their hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Content {
    pub(crate) rows: u64,
    sum: u64,
}

/// The content of every table but those that are a log.
pub(crate) fn contents(project: &Project) -> BTreeMap<String, Content> {
    let mut contents = BTreeMap::new();
    for (name, table) in tables(project) {
        if HISTORY.contains(&name.as_str()) {
            continue;
        }
        let mut content = Content::default();
        each_row(project, &table, |cells| {
            let mut hasher = DefaultHasher::new();
            cells.hash(&mut hasher);
            content.rows += 1;
            content.sum = content.sum.wrapping_add(hasher.finish());
        });
        contents.insert(name, content);
    }
    contents
}

/// Calls `visit` with the cells of every row: pairs of a column's name and its value as text.
fn each_row(project: &Project, table: &Table, mut visit: impl FnMut(&[(&str, String)])) {
    let folder = project
        .dir()
        .join(".throughline/lake")
        .join(&table.name.schema)
        .join(&table.name.name);
    for file in table.files.iter() {
        for batch in batches(&folder.join(&file.add.path)) {
            let options = FormatOptions::default().with_display_error(false);
            let mut columns: Vec<(&str, ArrayFormatter<'_>, usize)> = Vec::new();
            let schema = batch.schema_ref();
            for (index, field) in schema.fields().iter().enumerate() {
                if !NOTICED.contains(&field.name().as_str()) {
                    let values = ArrayFormatter::try_new(batch.column(index), &options).unwrap();
                    columns.push((field.name(), values, index));
                }
            }
            columns.sort_by_key(|(name, _, _)| *name);
            for row in 0..batch.num_rows() {
                let cells: Vec<(&str, String)> = columns
                    .iter()
                    .filter(|(_, _, index)| !batch.column(*index).is_null(row))
                    .map(|(name, values, index)| (*name, cell(&batch, *index, row, values)))
                    .collect();
                visit(&cells);
            }
        }
    }
}

/// A cell as text. Sums of floating point depend on their order in the last digits.
fn cell(batch: &RecordBatch, index: usize, row: usize, values: &ArrayFormatter<'_>) -> String {
    match batch.column(index).as_primitive_opt::<Float64Type>() {
        Some(numbers) => format!("{:.9e}", numbers.value(row)),
        None => values.value(row).to_string(),
    }
}

fn batches(path: &Path) -> Vec<RecordBatch> {
    let file = std::fs::File::open(path).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    reader.build().unwrap().map(Result::unwrap).collect()
}

/// What two projects differ in, in words; empty where their tables are equal. Tables of zones in
/// `besides` are left out.
pub(crate) fn differences(found: &Project, wanted: &Project, besides: &[&str]) -> Vec<String> {
    let (a, b) = (contents(found), contents(wanted));
    let names: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    let mut different = Vec::new();
    for name in names {
        let zone = name.split('.').next().unwrap_or_default();
        let empty = Content::default();
        let (x, y) = (a.get(name).unwrap_or(&empty), b.get(name).unwrap_or(&empty));
        if x != y && !besides.contains(&zone) {
            let rows = format!("{name}: {} rows, a rebuild has {}", x.rows, y.rows);
            different.push(format!("{rows}{}", sample(found, wanted, name)));
        }
    }
    different
}

/// Some rows that only one of two projects has.
fn sample(found: &Project, wanted: &Project, name: &str) -> String {
    let rows = |project: &Project| {
        let mut rows: BTreeMap<String, i64> = BTreeMap::new();
        if let Some(table) = tables(project).get(name) {
            each_row(project, table, |cells| {
                let cells: Vec<String> = cells.iter().map(|(n, v)| format!("{n}={v}")).collect();
                *rows.entry(cells.join(", ")).or_insert(0) += 1;
            });
        }
        rows
    };
    let (a, b) = (rows(found), rows(wanted));
    let mut text = String::new();
    for (label, one, other) in [("only here", &a, &b), ("only in the rebuild", &b, &a)] {
        let missing = one
            .iter()
            .filter(|(row, count)| other.get(*row).copied().unwrap_or(0) < **count);
        for (row, count) in missing.take(3) {
            text.push_str(&format!("\n    {label} ({count} times): {row}"));
        }
    }
    text
}
