//! Rows become Parquet files of a table, with statistics, and without being in the table yet.
//!
//! Writing and committing are apart: files are written, checked, and only then named in the log
//! (design decision 12). A file that is never committed is an orphan, not a fault.
//! Contract: a table kept by day gets its rows in the order of its days; a file holds whole days,
//! and closes at a day's end once it is large enough. So sparse days share a file, dense days have
//! their own, and a day can be replaced without a directory for each.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{DataType, SchemaRef};
use chrono::{DateTime, NaiveDate, SecondsFormat};
use datafusion::arrow::compute;
use deltalake::kernel::Add;
use object_store::ObjectStore;
use object_store::buffered::BufWriter;
use object_store::path::Path;
use parquet::arrow::AsyncArrowWriter;
use serde_json::{Map, Value, json};

use crate::file::{Origin, day_from_number};
use crate::layout::{Layout, RANGE_CELLS, range_cells_of};
use crate::order::Seen;
use crate::{LakeError, Result, content, crash};

/// A file holds at least this many rows before the next day gets a file of its own.
const DAY_FILE_ROWS_MIN: usize = 65_536;
/// A range of keys that gets a file of its own holds at least about this many rows.
const RANGE_ROWS_MIN: usize = 65_536;
/// A file holds at most about this many rows.
const FILE_ROWS_MAX: usize = 4_194_304;

/// The column that says which raw row a row comes from.
pub const RAW_ID: &str = "_raw_id";
/// Lower bits of a `_raw_id`: the row; above them the source file's key.
pub const RAW_ID_ROW_BITS: u32 = 29;

/// A file that is written and not yet committed.
#[derive(Debug, Clone)]
pub struct NewFile {
    /// The action that would add it, without our tag.
    pub add: Add,
    /// Rows in it.
    pub rows: usize,
    /// The days in it, for a table kept by day.
    pub days: Vec<NaiveDate>,
    /// Of these the ones whose rows did not change, with the batch in which they last did.
    pub unchanged: BTreeMap<NaiveDate, i64>,
    /// For a table in parts: the part whose rows it holds.
    pub part: String,
    /// What the rows of each of its days say, as a number.
    pub day_sums: BTreeMap<NaiveDate, u64>,
    /// What its rows say, for a table that is not kept by day.
    pub sum: Option<u64>,
    /// The source files in it, for raw and staged tables.
    pub origins: Vec<Origin>,
    /// The columns by which its rows were seen to lie in ascending order, nulls last.
    pub sorted: Vec<String>,
}

/// Writes rows to files of one table.
pub struct FileWriter {
    layout: Layout,
    store: Arc<dyn ObjectStore>,
    interval_index: Option<usize>,
    current: Option<OpenFile>,
    done: Vec<NewFile>,
    known: BTreeMap<i64, Origin>,
    /// For a table split by ranges: the last cell of the key space that was written.
    last_cell: Option<u32>,
    /// And the lowest.
    first_cell: Option<u32>,
    /// The part of the table that is written.
    part: String,
}

struct OpenFile {
    writer: AsyncArrowWriter<BufWriter>,
    path: String,
    rows: usize,
    days: Vec<NaiveDate>,
    day_set: BTreeSet<i32>,
    origins: BTreeSet<i64>,
    ranges: BTreeMap<String, Range>,
    day_sums: BTreeMap<NaiveDate, u64>,
    sum: u64,
    seen: Seen,
}

#[derive(Default)]
struct Range {
    min: Option<i64>,
    max: Option<i64>,
    nulls: usize,
}

impl FileWriter {
    /// A writer of files into `store`, which is rooted at the table's folder.
    pub fn new(layout: Layout, store: Arc<dyn ObjectStore>) -> Self {
        let interval_index = layout
            .interval
            .as_ref()
            .and_then(|name| layout.schema.index_of(name).ok());
        Self {
            layout,
            store,
            interval_index,
            current: None,
            done: Vec::new(),
            known: BTreeMap::new(),
            last_cell: None,
            first_cell: None,
            part: String::new(),
        }
    }

    /// Writes files of one part of a table in parts.
    #[must_use]
    pub fn of_part(mut self, part: &str) -> Self {
        part.clone_into(&mut self.part);
        self
    }

    /// Notes each file's source files, found by the upper bits of `_raw_id`: for raw and staged
    /// tables.
    #[must_use]
    pub fn with_origins(mut self, origins: impl IntoIterator<Item = Origin>) -> Self {
        self.add_origins(origins);
        self
    }

    /// More source files whose rows may come.
    pub fn add_origins(&mut self, origins: impl IntoIterator<Item = Origin>) {
        self.known
            .extend(origins.into_iter().map(|origin| (origin.file_id, origin)));
    }

    /// Rows written so far.
    pub fn rows(&self) -> usize {
        let done: usize = self.done.iter().map(|file| file.rows).sum();
        done + self.current.as_ref().map_or(0, |file| file.rows)
    }

    /// Writes a batch. Its columns are taken by name and cast to the table's types; those that it
    /// lacks are null.
    ///
    /// # Errors
    /// A value cannot be cast, a row lacks its day, or the store fails.
    pub async fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let batch = conform(batch, &self.layout.schema)?;
        let Some(index) = self.interval_index else {
            return self.by_range(&batch).await;
        };
        let days = batch.column(index).clone();
        let days = days
            .as_primitive_opt::<Date32Type>()
            .ok_or_else(|| self.no_day(&batch))?;
        if days.null_count() > 0 {
            return Err(LakeError::NoInterval {
                table: self.layout.table.to_string(),
                column: self.layout.interval.clone().unwrap_or_default(),
                rows: days.null_count(),
            });
        }
        if !self.layout.ordered {
            self.append(&batch, None).await?;
            if let Some(file) = self.current.as_mut() {
                let mut last = None;
                for day in days.values() {
                    if last != Some(*day) {
                        last = Some(*day);
                        file.day_set.insert(*day);
                    }
                }
            }
            return Ok(());
        }
        let mut start = 0;
        while start < days.len() {
            let day = days.value(start);
            let mut end = start + 1;
            while end < days.len() && days.value(end) == day {
                end += 1;
            }
            self.append(&batch.slice(start, end - start), day_from_number(day))
                .await?;
            start = end;
        }
        Ok(())
    }

    fn no_day(&self, batch: &RecordBatch) -> LakeError {
        LakeError::NoInterval {
            table: self.layout.table.to_string(),
            column: self.layout.interval.clone().unwrap_or_default(),
            rows: batch.num_rows(),
        }
    }

    /// Appends rows that may be split by ranges of a key: a file ends where a range does.
    async fn by_range(&mut self, batch: &RecordBatch) -> Result<()> {
        let Some(cells) = range_cells_of(&self.layout, batch) else {
            return self.append(batch, None).await;
        };
        for (cell, rows) in cells {
            if self
                .last_cell
                .is_some_and(|last| cell > last && self.ends_range(last, cell))
            {
                self.close_file().await?;
            }
            self.last_cell = Some(cell);
            // Rows in no order may come back to lower keys.
            self.first_cell = Some(self.first_cell.map_or(cell, |first| first.min(cell)));
            self.append(&batch.slice(rows.start, rows.len()), None)
                .await?;
        }
        Ok(())
    }

    /// Whether a file ends between two cells of the key space. Keys are hashes, so the rows up to
    /// here tell how many there will be, and with them how fine the ranges are: a power of two of
    /// them, each with at least [`RANGE_ROWS_MIN`] rows.
    fn ends_range(&self, last: u32, cell: u32) -> bool {
        let first = self.first_cell.unwrap_or(0);
        let expected = self.rows() as u64 * u64::from(RANGE_CELLS) / u64::from(cell - first);
        let ranges = (expected / RANGE_ROWS_MIN as u64).clamp(1, u64::from(RANGE_CELLS));
        let width = RANGE_CELLS >> ranges.ilog2();
        last / width != cell / width
    }

    async fn append(&mut self, batch: &RecordBatch, day: Option<NaiveDate>) -> Result<()> {
        let full = self.current.as_ref().is_some_and(|file| {
            let new_day = day.is_some() && file.days.last().copied() != day;
            file.rows >= FILE_ROWS_MAX || (new_day && file.rows >= DAY_FILE_ROWS_MIN)
        });
        if full {
            self.close_file().await?;
        }
        if self.current.is_none() {
            self.current = Some(self.open_file(batch)?);
            crash::point("file.opened");
        }
        let Some(file) = self.current.as_mut() else {
            return Ok(());
        };
        file.seen.take(batch)?;
        file.writer.write(batch).await.map_err(engine)?;
        file.rows += batch.num_rows();
        if !self.known.is_empty()
            && let Some(ids) = batch.column_by_name(RAW_ID)
            && let Some(ids) = ids.as_primitive_opt::<Int64Type>()
        {
            let mut last = None;
            for id in ids.values() {
                let file_id = id >> RAW_ID_ROW_BITS;
                if last != Some(file_id) {
                    last = Some(file_id);
                    file.origins.insert(file_id);
                }
            }
        }
        if let Some(day) = day
            && file.days.last() != Some(&day)
        {
            file.days.push(day);
        }
        if self.layout.sums {
            let sum = content::sum(&content::row_hashes(batch)?);
            let known = match day {
                Some(day) => file.day_sums.entry(day).or_default(),
                None => &mut file.sum,
            };
            *known = known.wrapping_add(sum);
        }
        for (name, range) in &mut file.ranges {
            if let Some(column) = batch.column_by_name(name) {
                range.extend(column);
            }
        }
        Ok(())
    }

    /// A file that begins with these rows.
    fn open_file(&self, first: &RecordBatch) -> Result<OpenFile> {
        let path = format!("part-{}.zstd.parquet", uuid::Uuid::now_v7().simple());
        let object = BufWriter::new(self.store.clone(), Path::from(path.as_str()));
        let writer = AsyncArrowWriter::try_new(
            object,
            self.layout.schema.clone(),
            Some(self.layout.writer_properties(&content::diverse(first)?)),
        )
        .map_err(engine)?;
        let ranges = self
            .layout
            .stats_columns()
            .into_iter()
            .map(|name| (name, Range::default()))
            .collect();
        Ok(OpenFile {
            writer,
            path,
            rows: 0,
            days: Vec::new(),
            day_set: BTreeSet::new(),
            origins: BTreeSet::new(),
            ranges,
            day_sums: BTreeMap::new(),
            sum: 0,
            seen: Seen::new(&self.layout),
        })
    }

    async fn close_file(&mut self) -> Result<()> {
        let Some(mut file) = self.current.take() else {
            return Ok(());
        };
        crash::point("file.before_close");
        file.writer.finish().await.map_err(engine)?;
        crash::point("file.closed");
        let size = file.writer.bytes_written() as i64;
        let stats = statistics(&file, &self.layout.schema);
        let unordered = file.day_set.iter().filter_map(|day| day_from_number(*day));
        self.done.push(NewFile {
            add: Add {
                path: file.path,
                size,
                modification_time: crate::file::log_time_millis(),
                data_change: true,
                stats: Some(stats),
                ..Add::default()
            },
            rows: file.rows,
            sum: (self.layout.sums && file.days.is_empty()).then_some(file.sum),
            days: file.days.into_iter().chain(unordered).collect(),
            unchanged: BTreeMap::new(),
            part: self.part.clone(),
            day_sums: file.day_sums,
            origins: file
                .origins
                .iter()
                .filter_map(|id| self.known.get(id).cloned())
                .collect(),
            sorted: file.seen.columns().to_vec(),
        });
        Ok(())
    }

    /// Ends the current file, so that the next batch opens a new one.
    ///
    /// # Errors
    /// The store fails.
    pub async fn cut(&mut self) -> Result<()> {
        self.close_file().await
    }

    /// Ends the last file and gives all that were written.
    ///
    /// # Errors
    /// The store fails.
    pub async fn finish(mut self) -> Result<Vec<NewFile>> {
        self.close_file().await?;
        Ok(self.done)
    }
}

fn engine(error: impl Into<datafusion::error::DataFusionError>) -> LakeError {
    LakeError::from(error.into())
}

/// The batch with exactly the columns of `schema`, by name.
///
/// # Errors
/// A value cannot be cast.
pub fn conform(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    if batch.schema_ref() == schema {
        return Ok(batch.clone());
    }
    let columns = schema
        .fields()
        .iter()
        .map(|field| match batch.column_by_name(field.name()) {
            None => Ok(arrow_array::new_null_array(
                field.data_type(),
                batch.num_rows(),
            )),
            Some(column) if column.data_type() == field.data_type() => Ok(column.clone()),
            Some(column) => compute::cast(column, field.data_type()).map_err(engine),
        })
        .collect::<Result<Vec<ArrayRef>>>()?;
    RecordBatch::try_new(schema.clone(), columns).map_err(engine)
}

impl Range {
    fn extend(&mut self, column: &ArrayRef) {
        self.nulls += column.null_count();
        let (min, max) = match column.data_type() {
            DataType::Int64 => {
                let values = column.as_primitive::<Int64Type>();
                (compute::min(values), compute::max(values))
            }
            DataType::Date32 => {
                let values = column.as_primitive::<Date32Type>();
                (
                    compute::min(values).map(i64::from),
                    compute::max(values).map(i64::from),
                )
            }
            DataType::Timestamp(_, _) => {
                let values = column.as_primitive::<TimestampMicrosecondType>();
                (compute::min(values), compute::max(values))
            }
            _ => (None, None),
        };
        self.min = [self.min, min].into_iter().flatten().min();
        self.max = [self.max, max].into_iter().flatten().max();
    }
}

/// The statistics of a file as Delta's protocol writes them.
fn statistics(file: &OpenFile, schema: &SchemaRef) -> String {
    let (mut mins, mut maxs, mut nulls) = (Map::new(), Map::new(), Map::new());
    for (name, range) in &file.ranges {
        let Ok(field) = schema.field_with_name(name) else {
            continue;
        };
        let text = |value: i64| match field.data_type() {
            DataType::Date32 => {
                day_from_number(value as i32).map(|day| Value::from(day.to_string()))
            }
            DataType::Timestamp(_, _) => DateTime::from_timestamp_micros(value)
                .map(|at| Value::from(at.to_rfc3339_opts(SecondsFormat::Millis, true))),
            _ => Some(Value::from(value)),
        };
        if let Some(value) = range.min.and_then(text) {
            mins.insert(name.clone(), value);
        }
        // Rounded up to the millisecond, as readers that compare exactly need it.
        let ceiling = matches!(field.data_type(), DataType::Timestamp(_, _)) as i64 * 999;
        if let Some(value) = range.max.map(|max| max + ceiling).and_then(text) {
            maxs.insert(name.clone(), value);
        }
        nulls.insert(name.clone(), Value::from(range.nulls));
    }
    json!({"numRecords": file.rows, "minValues": mins, "maxValues": maxs, "nullCount": nulls})
        .to_string()
}
