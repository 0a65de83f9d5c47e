//! `LakeTable`: how the engine reads a table of ours.
//!
//! It scans exactly the files of one version (or of a version with changes that are not yet
//! committed, for checks before publishing), leaves out files whose range cannot match, and tells
//! the engine how many rows there are. Only for tables that this crate wrote: no deletion vectors,
//! no column mapping. The order of its files and the ranges of their keys are declared as far as
//! their statistics prove them (see `scan`). A place for a governing wrapper around it is kept.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, UInt64Array};
use arrow_schema::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::pruning::PruningStatistics;
use datafusion::common::stats::Precision;
use datafusion::common::{Column, ColumnStatistics, DFSchema, ScalarValue, Statistics};
use datafusion::error::Result as EngineResult;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use object_store::path::Path;

use crate::file::{ColumnRange, DataFile};
use crate::layout::Layout;
use crate::scan::{self, Target};
use crate::table::Table;
use crate::vacuum::Pin;
use crate::write::NewFile;

/// A table of the lake as the engine reads it.
#[derive(Debug, Clone)]
pub struct LakeTable {
    schema: SchemaRef,
    store_url: ObjectStoreUrl,
    prefix: Path,
    files: Vec<ScanFile>,
    /// The column by whose ranges the table asks to be read.
    range: Option<String>,
    /// Keeps the files of this version from being removed by this process.
    pin: Option<Pin>,
}

/// A file as a scan sees it.
#[derive(Debug, Clone)]
pub(crate) struct ScanFile {
    pub(crate) path: String,
    pub(crate) size: u64,
    pub(crate) rows: usize,
    pub(crate) stats: BTreeMap<String, ColumnRange>,
    pub(crate) sorted: Vec<String>,
}

impl From<&DataFile> for ScanFile {
    fn from(file: &DataFile) -> Self {
        Self {
            path: file.add.path.clone(),
            size: file.add.size.max(0) as u64,
            rows: file.rows,
            stats: file.stats.clone(),
            sorted: file.tag.sorted.clone(),
        }
    }
}

impl LakeTable {
    /// The table at the version at which it was read.
    pub fn new(table: &Table) -> Self {
        Self {
            schema: table.schema.clone(),
            store_url: table.store_url.clone(),
            prefix: table.prefix.clone(),
            files: table.files.iter().map(ScanFile::from).collect(),
            range: table.said.range.clone(),
            pin: Some(table.pin.clone()),
        }
    }

    /// Only the files for which `keep` holds.
    #[must_use]
    pub fn only(table: &Table, keep: impl Fn(&DataFile) -> bool) -> Self {
        let mut lake_table = Self::new(table);
        lake_table.files = table
            .files
            .iter()
            .filter(|file| keep(file))
            .map(ScanFile::from)
            .collect();
        lake_table
    }

    /// Files that are written and not yet committed, and those of `base` that stay.
    #[must_use]
    pub fn uncommitted(
        layout: &Layout,
        schema: SchemaRef,
        store_url: ObjectStoreUrl,
        prefix: Path,
        base: Option<(&Table, &[String])>,
        adds: &[NewFile],
    ) -> Self {
        let mut files = Vec::new();
        if let Some((table, removed)) = base {
            let stays = |file: &&DataFile| !removed.contains(&file.add.path);
            files.extend(table.files.iter().filter(stays).map(ScanFile::from));
        }
        for file in adds {
            let mut scanned = ScanFile::from(&DataFile::from_add(file.add.clone(), &schema));
            scanned.sorted.clone_from(&file.sorted);
            files.push(scanned);
        }
        Self {
            schema,
            store_url,
            prefix,
            files,
            range: layout.range.clone(),
            pin: base.map(|(table, _)| table.pin.clone()),
        }
    }

    /// Rows that a whole scan gives.
    pub fn rows(&self) -> usize {
        self.files.iter().map(|file| file.rows).sum()
    }

    fn kept(&self, state: &dyn Session, filters: &[Expr]) -> EngineResult<Vec<&ScanFile>> {
        let all: Vec<&ScanFile> = self.files.iter().collect();
        let Some(filter) = conjunction(filters.to_vec()) else {
            return Ok(all);
        };
        let columns = DFSchema::try_from(self.schema.as_ref().clone())?;
        let physical = state.create_physical_expr(filter, &columns)?;
        let builder = PruningPredicateBuilder::new().with_file_schema(self.schema.clone());
        let Ok(predicate) = builder.try_build(physical) else {
            return Ok(all);
        };
        let keep = predicate.prune(&Ranges {
            files: &self.files,
            schema: &self.schema,
        })?;
        Ok(all
            .into_iter()
            .zip(keep)
            .filter(|(_, keep)| *keep)
            .map(|(file, _)| file)
            .collect())
    }

    fn statistics(&self, files: &[&ScanFile]) -> Statistics {
        let rows: usize = files.iter().map(|file| file.rows).sum();
        let bytes: u64 = files.iter().map(|file| file.size).sum();
        Statistics {
            num_rows: Precision::Exact(rows),
            total_byte_size: Precision::Inexact(bytes as usize),
            column_statistics: self
                .schema
                .fields()
                .iter()
                .map(|field| column_statistics(field.name(), files))
                .collect(),
        }
    }
}

fn column_statistics(name: &str, files: &[&ScanFile]) -> ColumnStatistics {
    let ranges: Option<Vec<&ColumnRange>> = files.iter().map(|file| file.stats.get(name)).collect();
    let mut statistics = ColumnStatistics::new_unknown();
    let Some(ranges) = ranges.filter(|ranges| !ranges.is_empty()) else {
        return statistics;
    };
    let ends = |pick: fn(&ColumnRange) -> Option<&ScalarValue>, smaller: bool| {
        let values: Option<Vec<&ScalarValue>> = ranges.iter().map(|range| pick(range)).collect();
        values?.into_iter().cloned().reduce(|a, b| {
            let a_first = a.partial_cmp(&b).is_some_and(|order| order.is_lt());
            if a_first == smaller { a } else { b }
        })
    };
    if let Some(min) = ends(|range| range.min.as_ref(), true) {
        statistics.min_value = Precision::Inexact(min);
    }
    if let Some(max) = ends(|range| range.max.as_ref(), false) {
        statistics.max_value = Precision::Inexact(max);
    }
    let nulls: Option<u64> = ranges.iter().map(|range| range.nulls).sum();
    if let Some(nulls) = nulls {
        statistics.null_count = Precision::Inexact(nulls as usize);
    }
    statistics
}

#[async_trait]
impl TableProvider for LakeTable {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> EngineResult<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> EngineResult<Arc<dyn ExecutionPlan>> {
        let files = self.kept(state, filters)?;
        if files.is_empty() {
            let schema = match projection {
                Some(columns) => Arc::new(self.schema.project(columns)?),
                None => self.schema.clone(),
            };
            return Ok(Arc::new(EmptyExec::new(schema)));
        }
        let target = Target {
            schema: &self.schema,
            store_url: &self.store_url,
            prefix: &self.prefix,
            statistics: self.statistics(&files),
            predicate: match conjunction(filters.to_vec()) {
                Some(filter) => {
                    let columns = DFSchema::try_from(self.schema.as_ref().clone())?;
                    Some(state.create_physical_expr(filter, &columns)?)
                }
                None => None,
            },
            projection,
            // A limit may only cut the scan short where no filter is left to apply after it.
            limit: limit.filter(|_| filters.is_empty()),
            threads: state.config().target_partitions(),
            pin: self.pin.as_ref(),
        };
        scan::plan(&target, &files, self.range.as_deref())
    }
}

/// The files' ranges as the engine's pruning asks for them.
struct Ranges<'a> {
    files: &'a [ScanFile],
    schema: &'a SchemaRef,
}

impl Ranges<'_> {
    fn ends(
        &self,
        column: &Column,
        pick: fn(&ColumnRange) -> Option<&ScalarValue>,
    ) -> Option<ArrayRef> {
        let kind = self.schema.field_with_name(&column.name).ok()?.data_type();
        let null = ScalarValue::try_from(kind).ok()?;
        let values = self.files.iter().map(|file| {
            file.stats
                .get(&column.name)
                .and_then(pick)
                .cloned()
                .unwrap_or_else(|| null.clone())
        });
        ScalarValue::iter_to_array(values).ok()
    }
}

impl PruningStatistics for Ranges<'_> {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        self.ends(column, |range| range.min.as_ref())
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        self.ends(column, |range| range.max.as_ref())
    }

    fn num_containers(&self) -> usize {
        self.files.len()
    }

    fn null_counts(&self, column: &Column) -> Option<ArrayRef> {
        let nulls = self
            .files
            .iter()
            .map(|file| file.stats.get(&column.name)?.nulls);
        Some(Arc::new(nulls.collect::<UInt64Array>()))
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        Some(Arc::new(
            self.files
                .iter()
                .map(|file| Some(file.rows as u64))
                .collect::<UInt64Array>(),
        ))
    }

    fn contained(
        &self,
        _column: &Column,
        _values: &std::collections::HashSet<ScalarValue>,
    ) -> Option<BooleanArray> {
        None
    }
}
