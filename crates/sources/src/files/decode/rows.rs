//! Rows gathered into batches: the columns that every raw row has, and those of each kind of file.

use std::sync::Arc;

use arrow_array::builder::{BooleanBuilder, StringBuilder};
use arrow_array::{
    Array, ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow_schema::SchemaRef;

use super::Limits;
use super::bytes::Meter;
use super::stats::ReadStats;
use crate::error::ReadError;
use crate::files::{id, schema};
use crate::sink::{RowSink, SinkError};

/// Values of a batch at most, so that wide files make batches of fewer rows.
const BATCH_VALUES: usize = 4 << 20;

/// Where the rows of a file go, and what they are marked with.
pub(super) struct Target<'a> {
    pub(super) sink: &'a mut dyn RowSink,
    pub(super) limits: Limits,
    pub(super) meter: Meter,
    pub(super) file: String,
    pub(super) file_id: i64,
    pub(super) stats: ReadStats,
}

/// The columns that every raw row has, of the batch in the making.
struct Meta<'a> {
    target: Target<'a>,
    schema: SchemaRef,
    batch_rows: usize,
    /// Number of the last row in the file.
    row: i64,
    rows: Vec<i64>,
    effective_at: Vec<Option<i64>>,
    hashes: Vec<i64>,
    bytes: usize,
}

impl<'a> Meta<'a> {
    fn open(target: Target<'a>, schema: SchemaRef) -> Result<Self, ReadError> {
        target.sink.open(&schema)?;
        let rows = BATCH_VALUES / schema.fields().len();
        let batch_rows = target.limits.batch_rows.min(rows.max(1));
        Ok(Self {
            target,
            schema,
            batch_rows,
            row: 0,
            rows: Vec::new(),
            effective_at: Vec::new(),
            hashes: Vec::new(),
            bytes: 0,
        })
    }

    /// Marks the next row; true when the batch is full with it.
    fn push(&mut self, received: &[u8], effective_at: Option<i64>) -> Result<bool, ReadError> {
        let limit = self.target.limits.rows_max;
        if self.target.stats.rows >= limit {
            return Err(ReadError::TooManyRows { limit });
        }
        self.target.stats.rows += 1;
        self.row += 1;
        self.rows.push(self.row);
        self.effective_at.push(effective_at);
        self.hashes.push(id::row_hash(received));
        self.bytes += received.len();
        Ok(self.rows.len() >= self.batch_rows || self.bytes >= self.target.limits.batch_bytes)
    }

    /// Hands the batch on, if it has rows.
    fn flush(&mut self, columns: impl IntoIterator<Item = ArrayRef>) -> Result<(), ReadError> {
        let count = self.rows.len();
        if count == 0 {
            return Ok(());
        }
        let file_id = self.target.file_id;
        let rows = std::mem::take(&mut self.rows);
        let raw_ids: Int64Array = rows.iter().map(|row| id::raw_id(file_id, *row)).collect();
        let effective_at = std::mem::take(&mut self.effective_at);
        let mut arrays: Vec<ArrayRef> = vec![
            Arc::new(raw_ids),
            Arc::new(Int64Array::from_value(file_id, count)),
            Arc::new(StringArray::from_iter_values(std::iter::repeat_n(
                &self.target.file,
                count,
            ))),
            Arc::new(Int64Array::from(rows)),
            Arc::new(TimestampMicrosecondArray::from(effective_at).with_timezone("UTC")),
            Arc::new(Int64Array::from(std::mem::take(&mut self.hashes))),
        ];
        arrays.extend(columns);
        let batch =
            RecordBatch::try_new(self.schema.clone(), arrays).map_err(SinkError::caused_by)?;
        self.bytes = 0;
        self.target.stats.batches += 1;
        self.target.sink.write(batch)?;
        self.target.sink.progress(self.target.meter.bytes());
        Ok(())
    }
}

/// Rows of text columns.
pub(super) struct TextRows<'a> {
    meta: Meta<'a>,
    columns: Vec<StringBuilder>,
    surplus: StringBuilder,
    /// The lines before the header.
    preamble: Option<String>,
}

impl<'a> TextRows<'a> {
    /// Tells the sink of the columns.
    pub(super) fn open(
        target: Target<'a>,
        names: &[String],
        preamble: Option<String>,
    ) -> Result<Self, ReadError> {
        let columns = names
            .iter()
            .map(|_| StringBuilder::with_capacity(0, 0))
            .collect();
        let meta = Meta::open(target, schema::text_schema(names, preamble.is_some()))?;
        Ok(Self {
            meta,
            columns,
            surplus: StringBuilder::with_capacity(0, 0),
            preamble,
        })
    }

    pub(super) fn stats(&mut self) -> &mut ReadStats {
        &mut self.meta.target.stats
    }

    /// Appends the value of a column in the row in the making.
    pub(super) fn value(&mut self, column: usize, value: Option<&str>) {
        if let Some(builder) = self.columns.get_mut(column) {
            builder.append_option(value);
        }
    }

    /// Ends the row in the making.
    pub(super) fn end_row(
        &mut self,
        received: &str,
        surplus: Option<&str>,
        effective_at: Option<i64>,
    ) -> Result<(), ReadError> {
        self.surplus.append_option(surplus);
        if self.meta.push(received.as_bytes(), effective_at)? {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), ReadError> {
        let mut columns: Vec<_> = self
            .columns
            .iter_mut()
            .chain([&mut self.surplus])
            .map(finished)
            .collect();
        if let (Some(text), Some(first)) = (&self.preamble, columns.first()) {
            let every = std::iter::repeat_n(text, first.len());
            columns.push(Arc::new(StringArray::from_iter_values(every)));
        }
        self.meta.flush(columns)
    }

    /// Hands on what is left.
    pub(super) fn finish(mut self) -> Result<ReadStats, ReadError> {
        self.flush()?;
        Ok(self.meta.target.stats)
    }
}

/// The column, and in its place an empty one of the same size, which the next batch will have.
fn finished(builder: &mut StringBuilder) -> ArrayRef {
    let array = builder.finish();
    let (rows, bytes) = (array.len(), array.value_data().len());
    *builder = StringBuilder::with_capacity(rows, bytes + bytes / 8);
    Arc::new(array)
}

/// Rows of one payload.
pub(super) struct PayloadRows<'a> {
    meta: Meta<'a>,
    payload: StringBuilder,
    malformed: BooleanBuilder,
}

impl<'a> PayloadRows<'a> {
    /// Tells the sink of the columns.
    pub(super) fn open(target: Target<'a>) -> Result<Self, ReadError> {
        let meta = Meta::open(target, schema::payload_schema())?;
        let payload = StringBuilder::with_capacity(0, 0);
        Ok(Self {
            meta,
            payload,
            malformed: BooleanBuilder::new(),
        })
    }

    pub(super) fn stats(&mut self) -> &mut ReadStats {
        &mut self.meta.target.stats
    }

    /// Appends a record.
    pub(super) fn push(
        &mut self,
        payload: &str,
        is_malformed: bool,
        effective_at: Option<i64>,
    ) -> Result<(), ReadError> {
        self.payload.append_value(payload);
        self.malformed.append_value(is_malformed);
        if self.meta.push(payload.as_bytes(), effective_at)? {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), ReadError> {
        let payload = finished(&mut self.payload);
        let malformed: ArrayRef = Arc::new(self.malformed.finish());
        self.meta.flush([payload, malformed])
    }

    /// Hands on what is left.
    pub(super) fn finish(mut self) -> Result<ReadStats, ReadError> {
        self.flush()?;
        Ok(self.meta.target.stats)
    }
}
