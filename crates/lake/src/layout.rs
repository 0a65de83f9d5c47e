//! How a table lies on disk: its order, its ranges, its statistics and its bloom filters.
//!
//! What a layout asks for is written down in the table itself (its Delta properties), so that
//! compaction keeps it without knowing the model. Nobody trusts it: whether files really lie in
//! order is noted per file by their writer, and proved from statistics by each scan.

use std::collections::BTreeMap;
use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, SchemaRef};
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::SortingColumn;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use crate::TableName;

/// Rows of a row group: what a scan splits its work by.
const ROW_GROUP_ROWS_MAX: usize = 262_144;
/// The key space of a range column is cut into this many cells; a range is a run of them.
pub(crate) const RANGE_CELLS: u32 = 1 << RANGE_BITS;
const RANGE_BITS: u32 = 10;

/// Table property: the interval column of a table kept by day.
const INTERVAL: &str = "throughline.interval";
/// Table property: the columns by which rows are sorted, separated by commas.
const SORT: &str = "throughline.sort";
/// Table property: the column by whose ranges files are split.
const RANGE: &str = "throughline.range";
/// Table property: the columns with bloom filters, separated by commas.
const BLOOM: &str = "throughline.bloom";
/// Table property: `true` where a file holds whole days, in their order.
const WHOLE_DAYS: &str = "throughline.wholeDays";
/// All of them.
const PROPERTIES: [&str; 5] = [INTERVAL, WHOLE_DAYS, SORT, RANGE, BLOOM];
/// Delta's property: the columns with statistics, separated by commas.
const STATS: &str = "delta.dataSkippingStatsColumns";

/// How a table's files are written.
#[derive(Debug, Clone)]
pub struct Layout {
    /// The table.
    pub table: TableName,
    /// Schema in which its rows are kept.
    pub schema: SchemaRef,
    /// For a table kept by day: the day's column.
    pub interval: Option<String>,
    /// Rows come in the order of their days, and a file holds whole days. Otherwise the days in a
    /// file are only noted.
    pub ordered: bool,
    /// Columns by which rows are sorted within a file, after the interval.
    pub sort: Vec<String>,
    /// The first sort column, a 64-bit key: files end at fixed prefixes of it, so that a scan can
    /// give each thread the keys of its own ranges.
    pub range: Option<String>,
    /// Columns whose range stands in the log. Days, integers, instants and booleans only; never
    /// personal data.
    pub stats: Vec<String>,
    /// Columns that people look a row up by: each row group gets a bloom filter. Never personal
    /// data.
    pub bloom: Vec<String>,
    /// What rows say is noted with each file, as a number: who builds the table again can tell
    /// whether it came out as it was.
    pub sums: bool,
}

impl Layout {
    /// Rows as they come, with statistics of nothing.
    pub fn new(table: TableName, schema: SchemaRef) -> Self {
        Self {
            table,
            schema,
            interval: None,
            ordered: false,
            sort: Vec::new(),
            range: None,
            stats: Vec::new(),
            bloom: Vec::new(),
            sums: false,
        }
    }

    /// The columns in whose order rows are written.
    pub(crate) fn order(&self) -> Vec<&str> {
        let interval = self.interval.iter().filter(|_| self.ordered);
        if self.interval.is_some() && !self.ordered {
            return Vec::new();
        }
        interval.chain(&self.sort).map(String::as_str).collect()
    }

    /// The table properties that say so.
    pub(crate) fn table_properties(&self) -> BTreeMap<String, String> {
        let whole_days = self.ordered && self.interval.is_some();
        let said = [
            (INTERVAL, self.interval.clone().unwrap_or_default()),
            (
                WHOLE_DAYS,
                String::from(if whole_days { "true" } else { "" }),
            ),
            (SORT, self.sort.join(",")),
            (RANGE, self.range.clone().unwrap_or_default()),
            (BLOOM, self.bloom.join(",")),
        ];
        let said = said.into_iter().filter(|(_, value)| !value.is_empty());
        said.map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// The columns that get statistics: those asked for, the interval and typed sort columns.
    pub(crate) fn stats_columns(&self) -> Vec<String> {
        let wanted = self.interval.iter().chain(&self.sort).chain(&self.stats);
        let mut columns: Vec<String> = Vec::new();
        for name in wanted {
            let typed = self
                .schema
                .field_with_name(name)
                .is_ok_and(|field| is_typed(field.data_type()));
            if typed && !columns.contains(name) {
                columns.push(name.clone());
            }
        }
        columns
    }

    /// How Parquet files are written. Columns of which nearly every value is another one
    /// (`diverse`) get no dictionary: to look for repetitions is much of the cost of writing.
    pub(crate) fn writer_properties(&self, diverse: &[String]) -> WriterProperties {
        let stats = self.stats_columns();
        let order = self.order();
        let sorting = order
            .iter()
            .filter_map(|name| self.schema.index_of(name).ok())
            .map(|index| SortingColumn {
                column_idx: index as i32,
                descending: false,
                nulls_first: false,
            })
            .collect::<Vec<_>>();
        let level = ZstdLevel::try_new(1)
            .map(Compression::ZSTD)
            .unwrap_or(Compression::SNAPPY);
        // Statistics of texts would repeat values of personal data in the footer.
        let mut builder = WriterProperties::builder()
            .set_compression(level)
            .set_max_row_group_row_count(Some(ROW_GROUP_ROWS_MAX))
            .set_statistics_enabled(EnabledStatistics::None);
        for field in self.schema.fields() {
            let path = ColumnPath::new(vec![field.name().clone()]);
            let impersonal = stats.contains(field.name())
                || matches!(
                    field.data_type(),
                    DataType::Int64 | DataType::Date32 | DataType::Boolean
                );
            if impersonal {
                builder =
                    builder.set_column_statistics_enabled(path.clone(), EnabledStatistics::Chunk);
            }
            if diverse.contains(field.name()) {
                builder = builder.set_column_dictionary_enabled(path.clone(), false);
            }
            if self.bloom.contains(field.name()) {
                // Sized for a row group of distinct values, and folded to what came.
                builder = builder
                    .set_column_bloom_filter_max_ndv(path.clone(), ROW_GROUP_ROWS_MAX as u64)
                    .set_column_bloom_filter_fpp(path, 0.01);
            }
        }
        let flat = self.schema.fields().iter();
        if !sorting.is_empty() && flat.clone().all(|field| !field.data_type().is_nested()) {
            builder = builder.set_sorting_columns(Some(sorting));
        }
        builder.build()
    }
}

/// What a table says of its layout: which of our properties it has, by name.
pub(crate) fn said(properties: &std::collections::HashMap<String, String>) -> Said {
    let list = |name: &str| -> Vec<String> {
        let text = properties.get(name).map_or("", String::as_str);
        let names = text
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty());
        names.map(str::to_owned).collect()
    };
    Said {
        interval: list(INTERVAL).pop(),
        whole_days: !list(WHOLE_DAYS).is_empty(),
        sort: list(SORT),
        range: list(RANGE).pop(),
        bloom: list(BLOOM),
        stats: list(STATS),
    }
}

/// The properties whose value has to change, empty where one has to go.
pub(crate) fn changed(
    properties: &std::collections::HashMap<String, String>,
    layout: &Layout,
) -> Vec<(&'static str, Option<String>)> {
    let wanted = layout.table_properties();
    let names = PROPERTIES.into_iter();
    names
        .filter(|name| properties.get(*name) != wanted.get(*name))
        .map(|name| (name, wanted.get(name).cloned()))
        .collect()
}

/// A table's own words on its layout.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) interval: Option<String>,
    pub(crate) whole_days: bool,
    pub(crate) sort: Vec<String>,
    pub(crate) range: Option<String>,
    pub(crate) bloom: Vec<String>,
    pub(crate) stats: Vec<String>,
}

/// Types whose values can be compared as 64-bit integers.
pub(crate) fn is_typed(kind: &DataType) -> bool {
    matches!(
        kind,
        DataType::Int64 | DataType::Date32 | DataType::Timestamp(_, _)
    )
}

/// The cell of the key space in which a key lies.
fn range_cell(key: i64) -> u32 {
    (unsigned(key) >> (u64::BITS - RANGE_BITS)) as u32
}

/// A key as a number that is ordered as the key is, from 0.
pub(crate) fn unsigned(key: i64) -> u64 {
    key as u64 ^ (1 << 63)
}

/// The rows of each cell, where the rows of a batch come in the order of the range column; none
/// where there is no such column, or the rows come in another order.
pub(crate) fn range_cells_of(
    layout: &Layout,
    batch: &RecordBatch,
) -> Option<Vec<(u32, Range<usize>)>> {
    let column = batch.column_by_name(layout.range.as_ref()?)?;
    let keys = column.as_primitive_opt::<Int64Type>()?;
    let mut cells: Vec<(u32, Range<usize>)> = Vec::new();
    for row in 0..keys.len() {
        let cell = match keys.is_valid(row) {
            true => range_cell(keys.value(row)),
            // Nulls come last.
            false => RANGE_CELLS - 1,
        };
        match cells.last_mut() {
            Some((last, _)) if *last > cell => return None,
            Some((last, rows)) if *last == cell => rows.end = row + 1,
            _ => cells.push((cell, row..row + 1)),
        }
    }
    Some(cells)
}
