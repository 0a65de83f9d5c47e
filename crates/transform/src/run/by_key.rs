//! A model kept by key: for the dirty keys its rows are computed anew, and only rows that differ
//! are exchanged.
//!
//! A customer's rows lie anywhere in the table. What comes out as it was stays where it lies; files
//! that hold a row that is no longer true are written again without it; new rows join them, or
//! become a file of their own where no file has to be written.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Instant;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array as _, BooleanArray, RecordBatch};
use datafusion::arrow::buffer::BooleanBuffer;
use datafusion::arrow::compute::filter_record_batch;
use datafusion::common::HashSet;
use datafusion::dataframe::DataFrame;
use datafusion::datasource::MemTable;
use datafusion::error::DataFusionError;
use futures::StreamExt as _;
use lake::{Change, DataFile, FileWriter, LakeTable, Layout, Table};

use super::Context;
use super::build::{self, Prepared};
use super::decide::{Decision, Reason};
use super::keys;
use super::rows::{Bounds, model_rows};
use crate::Result;
use crate::compile::ParsedModel;
use crate::project::Strategy;

/// The key by which a model is kept, where it is.
fn key_of(model: &ParsedModel) -> Option<&str> {
    match model.config.strategy {
        Some(Strategy::ReplaceKey) => model.config.unique_key.first().map(String::as_str),
        _ => None,
    }
}

/// Exchanges the rows of the dirty keys; none where the table has to be built whole: because it is
/// new or changed, because nobody can tell who is dirty, or because nearly everybody is.
pub(super) async fn by_key(
    context: &Context<'_>,
    model: &ParsedModel,
    decision: &Decision,
) -> Result<Option<Prepared>> {
    let table = context
        .warehouse
        .lake
        .table(&build::own_name(model))
        .await?;
    let (Some(key), Some(base), Reason::Inputs(_)) = (key_of(model), table, &decision.reason)
    else {
        return Ok(None);
    };
    let begun = Instant::now();
    let said = |what: &str| {
        let seconds = begun.elapsed().as_secs_f64();
        log::debug!("{}: {what} at {seconds:.2} s", model.name());
    };
    let Some(keys) = keys::dirty(context, model, key, &base).await? else {
        return Ok(None);
    };
    if keys.len() * 2 > base.rows() {
        return Ok(None);
    }
    if keys.is_empty() {
        let mut change = Change::new(base.layout());
        change.is_as_before = true;
        note(&mut change, decision);
        return Ok(Some(Some((Some(base), change, 0))));
    }
    said(&format!("{} keys are dirty", keys.len()));
    keys::lend_keys(context.warehouse, model, KEYS, &keys)?;
    let dirty = Dirty {
        key,
        keys: keys.iter().copied().collect(),
    };
    let reads = ("", model.dependencies.as_slice());
    let bounds = Bounds::Keys(key);
    let rows = model_rows(context, model, reads, bounds, true, Some(&base)).await?;
    let layout = build::layout(model, &rows)?;
    if layout.schema != base.schema {
        return Ok(None);
    }
    let mut change = Change::new(layout.clone());
    let fail = |error: DataFusionError| context.model_error(model, error.into());
    let rows = rows.collect().await.map_err(fail)?;
    // Rows that the SQL gives whatever it reads (reserved members) are not of a dirty key.
    let theirs = rows
        .iter()
        .map(|batch| filter_record_batch(batch, &dirty.rows(batch)).map_err(DataFusionError::from));
    let rows = theirs.collect::<Result<Vec<_>, _>>()?;
    said("rows are there");
    let mut exchange = Exchange::new(&layout, rows)?;
    for file in base.files.iter().filter(|file| may_hold(file, key, &keys)) {
        exchange.compare(context, &base, file, &dirty).await?;
    }
    said("rows are compared");
    exchange.gather_small(&base);
    let mut runs = exchange.remaining(context, &base, &dirty).await?;
    let new = exchange.new_rows()?;
    change.is_as_before = new.is_empty() && exchange.hit.is_empty();
    change.removes = exchange.hit.into_keys().collect();
    runs.push(sorted(context, &layout, new).await?);
    change.adds = write(context, &layout, runs).await?;
    said("rows are written");
    note(&mut change, decision);
    Ok(Some(Some((Some(base), change, 0))))
}

fn note(change: &mut Change, decision: &Decision) {
    change.ledger.fingerprint = decision.fingerprint.clone();
    change.ledger.inputs = decision.inputs.clone();
}

/// A file with fewer rows is small.
const SMALL_ROWS: usize = 65_536;
/// So many small files are not left beside each other: a scan merges few of them only.
const SMALL_FILES_MAX: usize = 8;

/// Under this name the dirty keys are at hand.
pub(super) const KEYS: &str = "__keys";

/// Whether a file's range allows for one of the keys.
fn may_hold(file: &DataFile, key: &str, keys: &BTreeSet<i64>) -> bool {
    let bound = |value: &Option<datafusion::common::ScalarValue>| match value {
        Some(datafusion::common::ScalarValue::Int64(Some(value))) => Some(*value),
        _ => None,
    };
    let range = file.stats.get(key);
    match range.and_then(|range| Some((bound(&range.min)?, bound(&range.max)?))) {
        Some((min, max)) => keys.range(min..=max).next().is_some(),
        None => true,
    }
}

/// The rows of the dirty keys as they are to be, against those in the table.
struct Exchange {
    rows: Vec<RecordBatch>,
    hashes: Vec<Vec<u64>>,
    /// How often each row is still to come.
    missing: HashMap<u64, usize>,
    /// Files with rows that are no longer true: these, and how often each.
    hit: HashMap<String, HashMap<u64, usize>>,
}

impl Exchange {
    fn new(layout: &Layout, rows: Vec<RecordBatch>) -> Result<Self> {
        let rows = rows
            .iter()
            .map(|batch| lake::conform(batch, &layout.schema))
            .collect::<lake::Result<Vec<_>>>()?;
        let hashes = rows
            .iter()
            .map(lake::row_hashes)
            .collect::<lake::Result<Vec<_>>>()?;
        let mut missing = HashMap::new();
        for hash in hashes.iter().flatten() {
            *missing.entry(*hash).or_insert(0) += 1;
        }
        Ok(Self {
            rows,
            hashes,
            missing,
            hit: HashMap::new(),
        })
    }

    /// Finds the rows of a file that stay, and those that are no longer true.
    async fn compare(
        &mut self,
        context: &Context<'_>,
        base: &Table,
        file: &DataFile,
        dirty: &Dirty<'_>,
    ) -> Result<()> {
        let path = &file.add.path;
        let scan = LakeTable::only(base, |other| other.add.path == *path);
        let rows = context.warehouse.session.read_table(Arc::new(scan))?;
        let mut stream = rows.execute_stream().await?;
        let mut untrue: HashMap<u64, usize> = HashMap::new();
        while let Some(batch) = stream.next().await {
            let batch = batch?;
            let theirs =
                filter_record_batch(&batch, &dirty.rows(&batch)).map_err(DataFusionError::from)?;
            for hash in lake::row_hashes(&lake::conform(&theirs, &base.schema)?)? {
                match self.missing.get_mut(&hash) {
                    Some(count) if *count > 0 => *count -= 1,
                    _ => *untrue.entry(hash).or_insert(0) += 1,
                }
            }
        }
        if !untrue.is_empty() {
            self.hit.insert(path.clone(), untrue);
        }
        Ok(())
    }

    /// Where many small files have come together, they are written again with what is written now.
    fn gather_small(&mut self, base: &Table) {
        if self.hit.is_empty() && self.missing.values().all(|count| *count == 0) {
            return;
        }
        let small = base.files.iter().filter(|file| file.rows < SMALL_ROWS);
        if small.clone().count() < SMALL_FILES_MAX {
            return;
        }
        for file in small {
            self.hit.entry(file.add.path.clone()).or_default();
        }
    }

    /// The rows of the files that have to be written again, without those that are no longer true:
    /// for each file, in the table's order.
    async fn remaining(
        &self,
        context: &Context<'_>,
        base: &Table,
        dirty: &Dirty<'_>,
    ) -> Result<Vec<Vec<RecordBatch>>> {
        let mut runs = Vec::new();
        for (path, untrue) in &self.hit {
            let mut untrue = untrue.clone();
            let scan = LakeTable::only(base, |file| file.add.path == *path);
            let rows = context.warehouse.session.read_table(Arc::new(scan))?;
            let rows = build::in_order(rows, &base.layout())?;
            let mut stream = rows.execute_stream().await?;
            let mut kept = Vec::new();
            while let Some(batch) = stream.next().await {
                let batch = lake::conform(&batch?, &base.schema)?;
                let theirs = dirty.rows(&batch);
                let of_theirs =
                    filter_record_batch(&batch, &theirs).map_err(DataFusionError::from)?;
                let mut hashes = lake::row_hashes(&of_theirs)?.into_iter();
                let stays = theirs.values().iter().map(|is_theirs| {
                    let hash = is_theirs.then(|| hashes.next()).flatten();
                    let count = hash.and_then(|hash| untrue.get_mut(&hash));
                    let leaves = count.filter(|count| **count > 0).map(|count| *count -= 1);
                    Some(leaves.is_none())
                });
                let stays: BooleanArray = stays.collect();
                kept.push(filter_record_batch(&batch, &stays).map_err(DataFusionError::from)?);
            }
            runs.push(kept);
        }
        Ok(runs)
    }

    /// The rows that the table lacks.
    fn new_rows(&self) -> Result<Vec<RecordBatch>> {
        let mut missing = self.missing.clone();
        let mut new = Vec::new();
        for (batch, hashes) in self.rows.iter().zip(&self.hashes) {
            let comes = hashes.iter().map(|hash| {
                let count = missing.get_mut(hash).filter(|count| **count > 0);
                Some(count.map(|count| *count -= 1).is_some())
            });
            let comes: BooleanArray = comes.collect();
            if comes.true_count() > 0 {
                new.push(filter_record_batch(batch, &comes).map_err(DataFusionError::from)?);
            }
        }
        Ok(new)
    }
}

/// The keys whose rows may have changed.
struct Dirty<'a> {
    /// The column that holds the key.
    key: &'a str,
    keys: HashSet<i64>,
}

impl Dirty<'_> {
    /// Which rows are of dirty keys.
    fn rows(&self, batch: &RecordBatch) -> BooleanArray {
        let Some(keys) = batch.column_by_name(self.key) else {
            return BooleanArray::from(vec![false; batch.num_rows()]);
        };
        let keys = keys.as_primitive::<Int64Type>();
        let is_dirty = |row| keys.is_valid(row) && self.keys.contains(&keys.value(row));
        BooleanArray::from(BooleanBuffer::collect_bool(keys.len(), is_dirty))
    }
}

/// Rows in the table's order.
async fn sorted(
    context: &Context<'_>,
    layout: &Layout,
    rows: Vec<RecordBatch>,
) -> Result<Vec<RecordBatch>> {
    let table = MemTable::try_new(layout.schema.clone(), vec![rows])?;
    let rows: DataFrame = context.warehouse.session.read_table(Arc::new(table))?;
    Ok(build::in_order(rows, layout)?.collect().await?)
}

/// Writes sorted runs of rows as one.
async fn write(
    context: &Context<'_>,
    layout: &Layout,
    runs: Vec<Vec<RecordBatch>>,
) -> Result<Vec<lake::NewFile>> {
    let table = MemTable::try_new(layout.schema.clone(), runs)?;
    let table = table.with_sort_order(vec![build::order(layout)]);
    let rows = context.warehouse.session.read_table(Arc::new(table))?;
    let rows = build::in_order(rows, layout)?;
    let mut writer = FileWriter::new(layout.clone(), context.warehouse.lake.store(&layout.table)?);
    let mut stream = rows.execute_stream().await?;
    while let Some(batch) = stream.next().await {
        writer.write(&batch?).await?;
    }
    Ok(writer.finish().await?)
}
