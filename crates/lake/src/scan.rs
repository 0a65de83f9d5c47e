//! A scan of files: who reads which, and what the engine may know of the order of what comes.
//!
//! The engine believes a declared order or range and leaves out sorts and shuffles, so a wrong one
//! gives wrong rows. Declared is only what statistics prove: within a partition, files follow one
//! another without touching in the leading sort column; between partitions of a range, no key is
//! in two. Files that overlap (late rows, the sorted tail) are merged where the table is split by
//! range; elsewhere, and where nothing is known, nothing is declared. `Partitioning::Hash` is
//! never declared: the engine's hash is not ours.

use std::ops::Range;
use std::sync::Arc;

use arrow_schema::{SchemaRef, SortOptions};
use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics, ScalarValue, Statistics};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::Result;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{
    LexOrdering, PhysicalExpr, PhysicalSortExpr, RangePartitioning, SplitPoint,
};
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties, Partitioning};
use object_store::path::Path;

use crate::merge::MergeRunsExec;
use crate::order::{self, Extent, Piece};
use crate::provider::ScanFile;
use crate::vacuum::Pin;

#[cfg(test)]
mod tests;

/// So many runs are merged at most; beyond, sorting is as good.
const RUNS_MAX: usize = 16;

/// What is to be read.
pub(crate) struct Target<'a> {
    pub(crate) schema: &'a SchemaRef,
    pub(crate) store_url: &'a ObjectStoreUrl,
    pub(crate) prefix: &'a Path,
    pub(crate) statistics: Statistics,
    pub(crate) predicate: Option<Arc<dyn PhysicalExpr>>,
    pub(crate) projection: Option<&'a Vec<usize>>,
    pub(crate) limit: Option<usize>,
    pub(crate) threads: usize,
    pub(crate) pin: Option<&'a Pin>,
}

/// The partitions of a scan.
struct Arrangement {
    /// The files of each partition of the file scan, in the order in which they are read.
    groups: Vec<Vec<usize>>,
    /// The columns by which each of these partitions is sorted.
    sorted: Vec<String>,
    /// The first key of each range but the first.
    splits: Vec<i64>,
    /// Which partitions are merged to one; empty where none are.
    merges: Vec<Range<usize>>,
}

/// The plan of a scan of `files`, of a table that asks to be read by ranges of `range`.
pub(crate) fn plan(
    target: &Target<'_>,
    files: &[&ScanFile],
    range: Option<&str>,
) -> Result<Arc<dyn ExecutionPlan>> {
    let sorted = sorted_by(target, files);
    let arrangement = match pieces(files, &sorted) {
        Some(pieces) if range == sorted.first().map(String::as_str) => {
            by_range(&pieces, target.threads, sorted)
        }
        Some(pieces) => by_order(&pieces, target.threads, sorted),
        None => None,
    };
    if let Some(arrangement) = arrangement
        && let Some(plan) = arranged(target, files, &arrangement, range)?
    {
        return Ok(plan);
    }
    let spread = Arrangement {
        groups: spread(files, target.threads),
        sorted: Vec::new(),
        splits: Vec::new(),
        merges: Vec::new(),
    };
    file_scan(target, files, &spread, None)
}

/// The columns by which every file is sorted, as far as they are read.
fn sorted_by(target: &Target<'_>, files: &[&ScanFile]) -> Vec<String> {
    let Some((first, others)) = files.split_first() else {
        return Vec::new();
    };
    let same = others.iter().fold(first.sorted.len(), |length, file| {
        let pairs = first.sorted.iter().zip(&file.sorted).take(length);
        pairs.take_while(|(one, other)| one == other).count()
    });
    let read = |name: &&String| {
        let index = target.schema.index_of(name).ok();
        let projection = target.projection;
        index.is_some_and(|index| projection.is_none_or(|columns| columns.contains(&index)))
    };
    first.sorted[..same]
        .iter()
        .take_while(read)
        .cloned()
        .collect()
}

fn pieces(files: &[&ScanFile], sorted: &[String]) -> Option<Vec<Piece>> {
    let leading = sorted.first()?;
    let piece = |file: &&ScanFile| {
        Some(Piece {
            extent: Extent::of(file.stats.get(leading))?,
            size: file.size,
        })
    };
    files.iter().map(piece).collect()
}

/// Partitions of adjacent ranges; overlapping files of one are merged.
fn by_range(pieces: &[Piece], threads: usize, sorted: Vec<String>) -> Option<Arrangement> {
    let ranges = order::ranges(pieces, threads);
    let mut groups = Vec::new();
    let mut merges = Vec::new();
    for group in &ranges.groups {
        let runs = order::runs(pieces, group.iter().copied());
        merges.push(groups.len()..groups.len() + runs.len());
        groups.extend(runs);
    }
    if merges.iter().any(|runs| runs.len() > RUNS_MAX) {
        return Some(Arrangement {
            groups: ranges.groups,
            sorted: Vec::new(),
            splits: ranges.splits,
            merges: Vec::new(),
        });
    }
    if merges.iter().all(|runs| runs.len() == 1) {
        merges.clear();
    }
    Some(Arrangement {
        groups,
        sorted,
        splits: ranges.splits,
        merges,
    })
}

/// Partitions of sorted runs, if there are few enough.
fn by_order(pieces: &[Piece], threads: usize, sorted: Vec<String>) -> Option<Arrangement> {
    let runs = order::runs(pieces, 0..pieces.len());
    (runs.len() <= threads).then(|| Arrangement {
        groups: order::cut(pieces, runs, threads),
        sorted,
        splits: Vec::new(),
        merges: Vec::new(),
    })
}

/// Files spread over threads by size, in any order.
fn spread(files: &[&ScanFile], threads: usize) -> Vec<Vec<usize>> {
    let mut groups = vec![Vec::new(); threads.clamp(1, files.len().max(1))];
    let mut sizes = vec![0u64; groups.len()];
    for (index, file) in files.iter().enumerate() {
        // The emptiest group next: scans of equal size run side by side.
        let lightest = (0..sizes.len())
            .min_by_key(|index| sizes[*index])
            .unwrap_or(0);
        groups[lightest].push(index);
        sizes[lightest] += file.size;
    }
    groups
}

/// The plan of an arrangement; none if the engine does not take over the order that it claims.
fn arranged(
    target: &Target<'_>,
    files: &[&ScanFile],
    arrangement: &Arrangement,
    range: Option<&str>,
) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let ranges = match (range, arrangement.splits.is_empty()) {
        (Some(range), false) => {
            let column = Column::new_with_schema(range, target.schema)?;
            Some(ranges_of(column, &arrangement.splits)?)
        }
        _ => None,
    };
    if arrangement.merges.is_empty() {
        let scan = file_scan(target, files, arrangement, ranges)?;
        return Ok(Some(scan));
    }
    // Files stay in their partitions: no byte ranges, no thread takes over another's files.
    let pinned = Partitioning::UnknownPartitioning(arrangement.groups.len());
    let scan = file_scan(target, files, arrangement, Some(pinned))?;
    let Some(ordering) = scan.output_ordering().cloned() else {
        return Ok(None);
    };
    let partitioning = match (range, arrangement.splits.is_empty()) {
        (Some(range), false) => {
            let column = Column::new_with_schema(range, &scan.schema())?;
            ranges_of(column, &arrangement.splits)?
        }
        _ => Partitioning::UnknownPartitioning(arrangement.merges.len()),
    };
    let merges = arrangement.merges.clone();
    Ok(Some(Arc::new(MergeRunsExec::new(
        scan,
        merges,
        ordering,
        partitioning,
    ))))
}

fn ranges_of(column: Column, splits: &[i64]) -> Result<Partitioning> {
    let ordering = LexOrdering::new([ascending(column)]);
    let points = splits
        .iter()
        .map(|split| SplitPoint::new(vec![ScalarValue::Int64(Some(*split))]));
    let Some(ordering) = ordering else {
        return Ok(Partitioning::UnknownPartitioning(splits.len() + 1));
    };
    let ranges = RangePartitioning::try_new(ordering, points.collect())?;
    Ok(Partitioning::Range(ranges))
}

fn ascending(column: Column) -> PhysicalSortExpr {
    let options = SortOptions {
        descending: false,
        nulls_first: false,
    };
    PhysicalSortExpr::new(Arc::new(column), options)
}

fn file_scan(
    target: &Target<'_>,
    files: &[&ScanFile],
    arrangement: &Arrangement,
    partitioning: Option<Partitioning>,
) -> Result<Arc<dyn ExecutionPlan>> {
    let mut source = ParquetSource::new(TableSchema::builder(target.schema.clone()).build());
    if let Some(predicate) = &target.predicate {
        source = source.with_predicate(predicate.clone());
    }
    let groups = arrangement.groups.iter().map(|group| {
        let file = |index: &usize| partitioned_file(target, files[*index], &arrangement.sorted);
        FileGroup::new(group.iter().map(file).collect())
    });
    let sorted = arrangement.sorted.iter();
    let columns = sorted.map(|name| Column::new_with_schema(name, target.schema));
    let columns: Vec<Column> = columns.collect::<Result<_>>()?;
    let ordering = LexOrdering::new(columns.into_iter().map(ascending));
    let config = FileScanConfigBuilder::new(target.store_url.clone(), Arc::new(source))
        .with_file_groups(groups.collect())
        .with_statistics(target.statistics.clone())
        .with_projection_indices(target.projection.cloned())?
        .with_limit(target.limit)
        .with_output_ordering(ordering.into_iter().collect())
        .with_output_partitioning(partitioning)
        .build();
    Ok(DataSourceExec::from_data_source(config))
}

/// A file with its own statistics: by them the engine checks the order that is declared. It asks
/// for those of every sort column, though files that do not touch in the first are in order
/// whatever the others are: an unknown end of one of those is given as null.
fn partitioned_file(target: &Target<'_>, file: &ScanFile, sorted: &[String]) -> PartitionedFile {
    let columns = target.schema.fields().iter().map(|field| {
        let mut column = ColumnStatistics::new_unknown();
        let range = file.stats.get(field.name());
        let end = |known: Option<&ScalarValue>| match known {
            Some(known) => Precision::Inexact(known.clone()),
            None if sorted.contains(field.name()) => {
                let null = ScalarValue::try_from(field.data_type());
                null.map_or(Precision::Absent, Precision::Inexact)
            }
            None => Precision::Absent,
        };
        column.min_value = end(range.and_then(|range| range.min.as_ref()));
        column.max_value = end(range.and_then(|range| range.max.as_ref()));
        if let Some(nulls) = range.and_then(|range| range.nulls) {
            column.null_count = Precision::Exact(nulls as usize);
        }
        column
    });
    let statistics = Statistics {
        num_rows: Precision::Exact(file.rows),
        total_byte_size: Precision::Absent,
        column_statistics: columns.collect(),
    };
    let path = format!("{}/{}", target.prefix, file.path);
    let scanned = PartitionedFile::new(path, file.size).with_statistics(Arc::new(statistics));
    match target.pin {
        // A plan outlives the table that it was made from.
        Some(pin) => scanned.with_extension(pin.clone()),
        None => scanned,
    }
}
