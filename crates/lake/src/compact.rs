//! Compaction: many small files become few sorted ones, and nobody downstream notices.
//!
//! Rows, days, batches and source files stay what they were: the commit says `dataChange: false`
//! and leaves the ledger's `data_batch` alone, so compaction dirties nothing. It is one commit of
//! the one commit layer: there or not there. If somebody else commits first, theirs stands and
//! compaction is committed on top of it, without the files that they took out.
//! Only files that are close in the table's own order are merged, so that what a scan could prove
//! before it can still prove. Tables whose files merely note their days (the staged ones) are left
//! alone: a merged file would tie all its days to each of its source files.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use datafusion::prelude::{SessionContext, col};
use futures::StreamExt as _;

use crate::layout::Layout;
use crate::order::{Extent, Piece, islands};
use crate::table::Table;
use crate::write::NewFile;
use crate::{
    Change, DataFile, FileWriter, Lake, LakeError, LakeTable, RAW_ID, Result, TableName, crash,
};

#[cfg(test)]
mod tests;

/// A file with fewer rows is small.
const SMALL_ROWS: usize = 65_536;
/// So many rows are merged into one group of files at most.
const GROUP_ROWS_MAX: usize = 2_097_152;
/// Late rows of a range are merged into it once they are this part of it.
const TAIL_PART: usize = 8;
/// A commit that others were before is tried so many times.
const TRIES: usize = 5;

/// When compaction is worth its reading and writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// So many small files must be found in a table.
    pub small_files_min: usize,
}

impl Policy {
    /// After each run: only where many small files have come together.
    pub const AFTER_A_RUN: Self = Self {
        small_files_min: 64,
    };
    /// When somebody asks for it.
    pub const ON_DEMAND: Self = Self { small_files_min: 2 };
}

/// What compaction did to a table.
#[derive(Debug, Clone)]
pub struct Compacted {
    /// The table as it now is.
    pub table: Arc<Table>,
    /// Files that were merged.
    pub files_merged: usize,
    /// Files that they became.
    pub files_written: usize,
}

/// Files that become one sorted piece of the table.
struct Group {
    removes: Vec<String>,
    adds: Vec<NewFile>,
}

impl Lake {
    /// Merges the small files of a table, if there are enough of them; none if there are not.
    ///
    /// # Errors
    /// The store fails, or others commit to the table without end.
    pub async fn compact(
        &self,
        session: &SessionContext,
        name: &TableName,
        policy: Policy,
    ) -> Result<Option<Compacted>> {
        // Most tables have nothing to merge: what is known of them says so without a look.
        let known = self.table(name).await?;
        if known.is_none_or(|table| worthwhile(&table, policy).is_empty()) {
            return Ok(None);
        }
        let Some(table) = self.reload(name).await? else {
            return Ok(None);
        };
        let worth = worthwhile(&table, policy);
        if worth.is_empty() {
            return Ok(None);
        }
        let layout = table.layout();
        let mut groups = Vec::new();
        for files in worth {
            groups.push(self.merge(session, &table, &layout, files).await?);
        }
        self.commit_groups(table, groups).await
    }

    /// Writes the rows of some files anew, sorted.
    async fn merge(
        &self,
        session: &SessionContext,
        table: &Table,
        layout: &Layout,
        files: Vec<usize>,
    ) -> Result<Group> {
        let files: Vec<&DataFile> = files.iter().map(|&index| &table.files[index]).collect();
        let paths: BTreeSet<&str> = files.iter().map(|file| file.add.path.as_str()).collect();
        let scan = LakeTable::only(table, |file| paths.contains(file.add.path.as_str()));
        let mut rows = session.read_table(Arc::new(scan))?;
        let mut order = layout.order();
        if order.is_empty() && table.schema.index_of(RAW_ID).is_ok() {
            order.push(RAW_ID);
        }
        if !order.is_empty() {
            let order = order.iter().map(|name| col(format!("\"{name}\"")));
            rows = rows.sort(order.map(|column| column.sort(true, false)).collect())?;
        }
        let origins = files.iter().flat_map(|file| &file.tag.origins).cloned();
        let has_sums = |file: &&DataFile| file.tag.sum.is_some() || !file.tag.day_sums.is_empty();
        let layout = Layout {
            sums: files.iter().all(has_sums),
            ..layout.clone()
        };
        let mut writer = FileWriter::new(layout, self.store(&table.name)?).with_origins(origins);
        // Only files of one part are merged.
        if let Some(file) = files.first() {
            writer = writer.of_part(&file.tag.part);
        }
        let mut stream = rows.execute_stream().await?;
        while let Some(batch) = stream.next().await {
            writer.write(&batch?).await?;
        }
        let mut adds = writer.finish().await?;
        let (before, after): (usize, usize) = (
            files.iter().map(|file| file.rows).sum(),
            adds.iter().map(|file| file.rows).sum(),
        );
        if before != after {
            return Err(LakeError::Log {
                table: table.name.to_string(),
                why: format!("its log counts {before} rows in files that hold {after}"),
            });
        }
        let mut days = BTreeMap::new();
        for (day, batch) in files.iter().flat_map(|file| &file.tag.days) {
            let known = days.entry(*day).or_insert(*batch);
            *known = (*known).max(*batch);
        }
        for file in &mut adds {
            file.add.data_change = false;
            file.unchanged.clone_from(&days);
        }
        Ok(Group {
            removes: paths.into_iter().map(str::to_owned).collect(),
            adds,
        })
    }

    /// Commits what was merged, on top of what others did meanwhile.
    async fn commit_groups(
        &self,
        mut table: Arc<Table>,
        mut groups: Vec<Group>,
    ) -> Result<Option<Compacted>> {
        for attempt in 1.. {
            let there: BTreeSet<&str> = table
                .files
                .iter()
                .map(|file| file.add.path.as_str())
                .collect();
            groups.retain(|group| {
                let mut removes = group.removes.iter();
                removes.all(|path| there.contains(path.as_str()))
            });
            if groups.is_empty() {
                return Ok(None);
            }
            let mut change = Change::new(table.layout());
            change.rearranges = true;
            change.ledger = table.ledger.clone();
            for group in &groups {
                change.adds.extend(group.adds.iter().cloned());
                change.removes.extend(group.removes.iter().cloned());
            }
            let (files_merged, files_written) = (change.removes.len(), change.adds.len());
            crash::point("compact.written");
            match self.commit(Some(&table), change).await {
                Ok(table) => {
                    crash::point("compact.committed");
                    return Ok(Some(Compacted {
                        table,
                        files_merged,
                        files_written,
                    }));
                }
                Err(LakeError::Conflict { .. }) if attempt < TRIES => {
                    let Some(now) = self.reload(&table.name).await? else {
                        return Ok(None);
                    };
                    table = now;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }
}

/// The groups of files that are worth merging, as places in the table's list of files.
fn worthwhile(table: &Table, policy: Policy) -> Vec<Vec<usize>> {
    let said = &table.said;
    let has_days = table.files.iter().any(|file| !file.tag.days.is_empty());
    let groups = match (&said.interval, &said.range) {
        (Some(interval), _) if said.whole_days => neighbours(table, interval),
        _ if has_days => Vec::new(),
        (_, Some(range)) => tails(table, range),
        _ => alike(table),
    };
    let found: usize = groups.iter().map(Vec::len).sum();
    if found < policy.small_files_min {
        return Vec::new();
    }
    groups
}

fn is_small(file: &DataFile) -> bool {
    file.rows < SMALL_ROWS
}

/// Small files of neighbouring days.
fn neighbours(table: &Table, interval: &str) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..table.files.len()).collect();
    order.sort_by_key(|&index| {
        let file = &table.files[index];
        (&file.tag.part, file.day_range(interval), index)
    });
    runs_of_small(table, order)
}

/// All small files, the oldest first.
fn alike(table: &Table) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..table.files.len())
        .filter(|&index| is_small(&table.files[index]))
        .collect();
    // The batch in which it came tells the age; names of one batch ascend with time.
    order.sort_by_key(|&index| (table.files[index].tag.batch, index));
    runs_of_small(table, order)
}

/// Cuts a list of files where one is not small, a part ends or a group is full; single files are
/// left.
fn runs_of_small(table: &Table, order: Vec<usize>) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let (mut open, mut rows, mut part) = (Vec::new(), 0, "");
    for index in order {
        let file = &table.files[index];
        if !is_small(file) || rows + file.rows > GROUP_ROWS_MAX || file.tag.part != part {
            groups.push(std::mem::take(&mut open));
            (rows, part) = (0, &file.tag.part);
        }
        if is_small(file) {
            open.push(index);
            rows += file.rows;
        }
    }
    groups.push(open);
    groups.retain(|group| group.len() > 1);
    groups
}

/// Ranges with late rows, once these are many files or a good part of the rows; and small
/// neighbours.
fn tails(table: &Table, range: &str) -> Vec<Vec<usize>> {
    let files = table.files.iter();
    let pieces: Option<Vec<Piece>> = files
        .map(|file| {
            let extent = Extent::of(file.stats.get(range))?;
            let size = file.rows as u64;
            Some(Piece { extent, size })
        })
        .collect();
    let Some(pieces) = pieces else {
        return Vec::new();
    };
    let (mut groups, mut alone) = (Vec::new(), Vec::new());
    for island in islands(&pieces) {
        if island.len() == 1 {
            alone.extend(island);
            continue;
        }
        let rows: usize = island.iter().map(|&index| table.files[index].rows).sum();
        let largest = island.iter().map(|&index| table.files[index].rows).max();
        let small = island
            .iter()
            .filter(|&&index| is_small(&table.files[index]));
        let late = rows - largest.unwrap_or(0);
        if small.count() > 8 || late * TAIL_PART >= rows {
            groups.push(island);
        }
    }
    groups.extend(runs_of_small(table, alone));
    groups
}
