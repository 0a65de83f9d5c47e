//! Tables kept by day: the days are cut into chunks that fit into memory, and the files that hold
//! a dirty day are replaced.
//!
//! A file may hold clean days beside dirty ones (sparse days share a file): their rows are carried
//! over into the new file, and they keep the batch in which they last changed. Files without a
//! dirty day keep their paths.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{Days, NaiveDate};
use datafusion::dataframe::DataFrame;
use datafusion::prelude::{Expr, col, lit};
use futures::StreamExt as _;
use lake::file::day_number;
use lake::{Change, FileWriter, LakeTable, Layout, Table};

use crate::Result;
use crate::Warehouse;

/// A chunk is sized so that about this many input rows are sorted at a time.
const CHUNK_ROWS: f64 = 1_500_000.0;

/// A range of days, open at an end where it is the first or last of a whole build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chunk {
    pub(crate) from: Option<NaiveDate>,
    pub(crate) to: Option<NaiveDate>,
}

impl Chunk {
    /// A SQL condition on `column`, widened by days before and after; empty for everything.
    pub(crate) fn condition(&self, column: &str, before: u32, after: u32) -> String {
        let mut parts = Vec::new();
        if let Some(from) = self
            .from
            .and_then(|d| d.checked_sub_days(Days::new(before.into())))
        {
            parts.push(format!("\"{column}\" >= date '{from}'"));
        }
        if let Some(to) = self
            .to
            .and_then(|d| d.checked_add_days(Days::new(after.into())))
        {
            parts.push(format!("\"{column}\" <= date '{to}'"));
        }
        parts.join(" and ")
    }
}

/// Rows per day, as the files of the inputs suggest: a file's rows are spread over its days.
pub(crate) fn weights<'a>(inputs: impl IntoIterator<Item = &'a Table>) -> BTreeMap<NaiveDate, f64> {
    let mut weights = BTreeMap::new();
    for table in inputs {
        for file in table.files.iter() {
            let share = file.rows as f64 / file.tag.days.len().max(1) as f64;
            for day in file.tag.days.keys() {
                *weights.entry(*day).or_insert(0.0) += share;
            }
        }
    }
    weights
}

/// Cuts days into chunks. With `dirty` only the span of those days; without, all of time.
pub(crate) fn chunks(
    weights: &BTreeMap<NaiveDate, f64>,
    dirty: Option<&BTreeSet<NaiveDate>>,
) -> Vec<Chunk> {
    let days: Vec<NaiveDate> = match dirty {
        Some(dirty) => dirty.iter().copied().collect(),
        None => weights.keys().copied().collect(),
    };
    let mut chunks = Vec::new();
    let (mut start, mut rows) = (None, 0.0);
    for (index, day) in days.iter().enumerate() {
        let start_day = *start.get_or_insert(*day);
        rows += weights.get(day).copied().unwrap_or(0.0);
        let next_rows = days
            .get(index + 1)
            .and_then(|next| weights.get(next))
            .copied();
        let last = index + 1 == days.len();
        if last || rows + next_rows.unwrap_or(0.0) > CHUNK_ROWS {
            chunks.push(Chunk {
                from: Some(start_day),
                to: Some(*day),
            });
            (start, rows) = (None, 0.0);
        }
    }
    if dirty.is_none() {
        // A whole build leaves no day out, also none that no input file names.
        if chunks.is_empty() {
            return vec![Chunk {
                from: None,
                to: None,
            }];
        }
        for index in 1..chunks.len() {
            let before = chunks[index - 1].to;
            chunks[index].from = before.and_then(|day| day.checked_add_days(Days::new(1)));
        }
        let last = chunks.len() - 1;
        chunks[0].from = None;
        chunks[last].to = None;
    }
    chunks
}

/// Files being written for days of one table.
pub(crate) struct DayWriter<'a> {
    warehouse: &'a Warehouse,
    layout: Option<Layout>,
    /// The part of the table that is written, and that part as it is.
    part: &'a str,
    base: Option<Arc<Table>>,
    /// The days that are replaced; none where all are.
    dirty: Option<BTreeSet<NaiveDate>>,
    /// Files of `base` that hold a dirty day.
    hit: BTreeSet<String>,
    writer: Option<FileWriter>,
    /// Clean days of the hit files that were carried already.
    carried: BTreeSet<NaiveDate>,
}

impl<'a> DayWriter<'a> {
    pub(crate) fn new(
        warehouse: &'a Warehouse,
        part: &'a str,
        base: Option<Arc<Table>>,
        dirty: Option<BTreeSet<NaiveDate>>,
    ) -> Self {
        let hit = match (&base, &dirty) {
            (Some(base), Some(dirty)) => base
                .files
                .iter()
                .filter(|file| file.tag.days.keys().any(|day| dirty.contains(day)))
                .map(|file| file.add.path.clone())
                .collect(),
            (Some(base), None) => base
                .files
                .iter()
                .map(|file| file.add.path.clone())
                .collect(),
            (None, _) => BTreeSet::new(),
        };
        Self {
            warehouse,
            layout: None,
            part,
            base,
            dirty,
            hit,
            writer: None,
            carried: BTreeSet::new(),
        }
    }

    /// Writes the rows of a chunk, with the clean rows of the files that it replaces.
    pub(crate) async fn write(
        &mut self,
        layout: &Layout,
        chunk: Chunk,
        is_last: bool,
        rows: DataFrame,
    ) -> Result<()> {
        let column = layout.interval.clone().unwrap_or_default();
        let mut rows = rows.filter(day_is_set(&column))?;
        rows = restrict(rows, &column, chunk)?;
        if let Some(dirty) = &self.dirty {
            rows = rows.filter(one_of(&column, dirty, chunk))?;
            if let Some(carried) = self.carry(&column, chunk, is_last).await? {
                rows = rows.union_by_name(carried)?;
            }
        }
        let order: Vec<_> = std::iter::once(&column)
            .chain(&layout.sort)
            .map(|name| col(format!("\"{name}\"")).sort(true, false))
            .collect();
        let mut stream = rows.sort(order)?.execute_stream().await?;
        if self.writer.is_none() {
            let store = self.warehouse.lake.store(&layout.table)?;
            self.writer = Some(FileWriter::new(layout.clone(), store).of_part(self.part));
            self.layout = Some(layout.clone());
        }
        let Some(writer) = self.writer.as_mut() else {
            return Ok(());
        };
        while let Some(batch) = stream.next().await {
            writer.write(&batch?).await?;
        }
        Ok(())
    }

    /// Rows of clean days up to the chunk's end that stand in files with a dirty day.
    async fn carry(
        &mut self,
        column: &str,
        chunk: Chunk,
        is_last: bool,
    ) -> Result<Option<DataFrame>> {
        let (Some(base), Some(dirty)) = (&self.base, &self.dirty) else {
            return Ok(None);
        };
        let clean: BTreeSet<NaiveDate> = base
            .files
            .iter()
            .filter(|file| self.hit.contains(&file.add.path))
            .flat_map(|file| file.tag.days.keys().copied())
            .filter(|day| !dirty.contains(day) && !self.carried.contains(day))
            .filter(|day| is_last || chunk.to.is_none_or(|to| *day <= to))
            .collect();
        if clean.is_empty() {
            return Ok(None);
        }
        let scan = LakeTable::only(base, |file| {
            self.hit.contains(&file.add.path) && file.tag.days.keys().any(|day| clean.contains(day))
        });
        let model = &base.name.name;
        let lent = self.warehouse.lend(model, "__carried", Arc::new(scan))?;
        let rows = self.warehouse.session.table(lent.as_str()).await?;
        let whole = Chunk {
            from: None,
            to: None,
        };
        let rows = rows.filter(one_of(column, &clean, whole))?;
        self.carried.extend(clean);
        Ok(Some(rows))
    }

    /// Ends writing: the change that puts the new files in the place of the old ones.
    pub(crate) async fn finish(mut self, layout: Layout) -> Result<Change> {
        let mut change = Change::new(self.layout.unwrap_or(layout));
        if let Some(writer) = self.writer {
            change.adds = writer.finish().await?;
        }
        change.removes = self.hit.into_iter().collect();
        change.overwrite = self.dirty.is_none() && self.base.is_some();
        let Some(base) = &self.base else {
            return Ok(change);
        };
        let before = base.days();
        self.carried.extend(as_they_were(base, &change));
        for file in &mut change.adds {
            let days = file.days.iter().filter(|day| self.carried.contains(day));
            let known = days.filter_map(|day| Some((*day, *before.get(day)?)));
            file.unchanged = known.collect();
        }
        // A day that had rows and has none now leaves a note, or nobody downstream would see it.
        let written: BTreeSet<NaiveDate> = change
            .adds
            .iter()
            .flat_map(|file| file.days.iter().copied())
            .collect();
        let batch = base.ledger.batch + 1;
        let mut emptied = base.ledger.emptied.clone();
        for day in before.keys() {
            let replaced = self.dirty.as_ref().is_none_or(|dirty| dirty.contains(day));
            let had_rows = base.files.iter().any(|f| f.tag.days.contains_key(day));
            if replaced && had_rows && !written.contains(day) {
                emptied.insert(*day, batch);
            }
        }
        emptied.retain(|day, _| !written.contains(day));
        change.is_as_before = written.is_subset(&self.carried)
            && base.schema == change.layout.schema
            && emptied.values().all(|changed| *changed < batch);
        match self.part {
            "" => change.ledger.emptied = emptied,
            part => {
                let parts = &mut change.ledger.emptied_parts;
                parts.insert(part.to_owned(), emptied);
            }
        }
        Ok(change)
    }
}

/// The days that were built again and whose rows say what they said before.
fn as_they_were(base: &Table, change: &Change) -> BTreeSet<NaiveDate> {
    if base.schema != change.layout.schema {
        return BTreeSet::new();
    }
    let before = base.day_sums();
    let mut now: BTreeMap<NaiveDate, u64> = BTreeMap::new();
    for (day, sum) in change.adds.iter().flat_map(|file| &file.day_sums) {
        let known = now.entry(*day).or_default();
        *known = known.wrapping_add(*sum);
    }
    let same = now
        .iter()
        .filter(|(day, sum)| before.get(*day) == Some(*sum));
    same.map(|(day, _)| *day).collect()
}

fn day(value: NaiveDate) -> Expr {
    lit(datafusion::common::ScalarValue::Date32(Some(day_number(
        value,
    ))))
}

fn day_is_set(column: &str) -> Expr {
    col(format!("\"{column}\"")).is_not_null()
}

fn restrict(rows: DataFrame, column: &str, chunk: Chunk) -> Result<DataFrame> {
    let mut rows = rows;
    if let Some(from) = chunk.from {
        rows = rows.filter(col(format!("\"{column}\"")).gt_eq(day(from)))?;
    }
    if let Some(to) = chunk.to {
        rows = rows.filter(col(format!("\"{column}\"")).lt_eq(day(to)))?;
    }
    Ok(rows)
}

/// The day is one of these that lie in the chunk; a gapless run becomes a range.
fn one_of(column: &str, days: &BTreeSet<NaiveDate>, chunk: Chunk) -> Expr {
    let name = col(format!("\"{column}\""));
    let inside = days.iter().filter(|day| {
        chunk.from.is_none_or(|from| **day >= from) && chunk.to.is_none_or(|to| **day <= to)
    });
    let mut runs: Vec<(NaiveDate, NaiveDate)> = Vec::new();
    for value in inside {
        match runs.last_mut() {
            Some((_, end)) if end.succ_opt() == Some(*value) => *end = *value,
            _ => runs.push((*value, *value)),
        }
    }
    runs.into_iter()
        .map(|(from, to)| name.clone().between(day(from), day(to)))
        .reduce(Expr::or)
        .unwrap_or_else(|| lit(false))
}
