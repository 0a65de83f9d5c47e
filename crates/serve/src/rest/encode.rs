//! Rows as bytes, batch after batch: JSON, lines of JSON, CSV, Parquet, an Arrow stream.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_cast::cast;
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};
use datafusion::arrow::ipc::writer::StreamWriter;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::{Compression, ZstdLevel};
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::properties::WriterProperties;
use serde_json::{Map, Value, json};

use super::csv::Csv;
use super::media::Media;
use crate::access::error::{AccessError, Reason, Result};

/// A row group is written when so many bytes of it wait.
const GROUP_BYTES: usize = 16 << 20;

/// Writes batches of one shape in one form.
pub(super) enum Encoder {
    /// One object; with what stands before the rows, and after them.
    Json {
        shape: Shape,
        head: Map<String, Value>,
        tail: Map<String, Value>,
        rows: u64,
    },
    /// An object a line.
    Ndjson { shape: Shape },
    /// Comma separated.
    Csv { shape: Shape, csv: Csv },
    /// A Parquet file.
    Parquet {
        shape: Shape,
        writer: Option<ArrowWriter<Vec<u8>>>,
    },
    /// An Arrow stream.
    Arrow {
        shape: Shape,
        writer: StreamWriter<Vec<u8>>,
    },
}

impl Encoder {
    /// For rows of a schema. `head` and `tail` stand before and after the rows where the form has a
    /// place for them. `is_raw`: texts in CSV as they are, even where a spreadsheet would run them.
    ///
    /// # Errors
    /// The form has no place for a type.
    pub(super) fn new(
        media: Media,
        schema: &SchemaRef,
        head: Map<String, Value>,
        tail: Map<String, Value>,
        is_raw: bool,
    ) -> Result<Self> {
        let shape = Shape::new(schema, matches!(media, Media::Json | Media::Ndjson));
        let shown = shape.schema.clone();
        Ok(match media {
            Media::Json => Self::Json {
                shape,
                head,
                tail,
                rows: 0,
            },
            Media::Ndjson => Self::Ndjson { shape },
            Media::Csv => Self::Csv {
                shape,
                csv: Csv::new(is_raw),
            },
            Media::Parquet => {
                let level = ZstdLevel::try_new(3).map_err(of_parquet)?;
                let properties = WriterProperties::builder()
                    .set_compression(Compression::ZSTD(level))
                    .build();
                let writer = ArrowWriter::try_new(Vec::new(), shown, Some(properties));
                Self::Parquet {
                    shape,
                    writer: Some(writer.map_err(of_parquet)?),
                }
            }
            Media::Arrow => Self::Arrow {
                shape,
                writer: StreamWriter::try_new(Vec::new(), &shown).map_err(of_arrow)?,
            },
        })
    }

    /// What stands before the rows.
    ///
    /// # Errors
    /// A name has no form.
    pub(super) fn begin(&mut self) -> Result<Vec<u8>> {
        Ok(match self {
            Self::Json { head, .. } => {
                let mut text = serde_json::to_string(head).unwrap_or_default();
                text.pop();
                if !head.is_empty() {
                    text.push(',');
                }
                text.push_str("\"rows\":[");
                text.into_bytes()
            }
            Self::Csv { shape, csv } => csv.header(&shape.schema),
            Self::Ndjson { .. } | Self::Parquet { .. } => vec![],
            Self::Arrow { writer, .. } => std::mem::take(writer.get_mut()),
        })
    }

    /// The rows of a batch.
    ///
    /// # Errors
    /// A value has no form.
    pub(super) fn batch(&mut self, batch: &RecordBatch) -> Result<Vec<u8>> {
        match self {
            Self::Json { shape, rows, .. } => {
                let lines = lines(&shape.of(batch)?)?;
                let mut bytes = Vec::with_capacity(lines.len() + 1);
                for line in lines.split(|byte| *byte == b'\n') {
                    if line.is_empty() {
                        continue;
                    }
                    bytes.extend_from_slice(if *rows == 0 { b"\n" } else { b",\n" });
                    bytes.extend_from_slice(line);
                    *rows += 1;
                }
                Ok(bytes)
            }
            Self::Ndjson { shape } => lines(&shape.of(batch)?),
            Self::Csv { shape, csv } => csv.rows(&shape.of(batch)?).map_err(of_arrow),
            Self::Parquet { shape, writer } => {
                let Some(writer) = writer else {
                    return Ok(vec![]);
                };
                writer.write(&shape.of(batch)?).map_err(of_parquet)?;
                if writer.in_progress_size() > GROUP_BYTES {
                    writer.flush().map_err(of_parquet)?;
                }
                Ok(std::mem::take(writer.inner_mut()))
            }
            Self::Arrow { shape, writer } => {
                writer.write(&shape.of(batch)?).map_err(of_arrow)?;
                Ok(std::mem::take(writer.get_mut()))
            }
        }
    }

    /// What stands after the rows. `is_cut`: there were more than asked for.
    ///
    /// # Errors
    /// The end of a file cannot be written.
    pub(super) fn end(&mut self, is_cut: bool) -> Result<Vec<u8>> {
        match self {
            Self::Json { tail, rows, .. } => {
                tail.insert("row_count".to_owned(), (*rows).into());
                tail.entry("is_truncated").or_insert(is_cut.into());
                let text = serde_json::to_string(tail).unwrap_or_default();
                let text = format!("\n],{}\n", text.trim_start_matches('{'));
                Ok(text.into_bytes())
            }
            Self::Ndjson { .. } | Self::Csv { .. } => Ok(vec![]),
            Self::Parquet { writer, .. } => match writer.take() {
                Some(writer) => writer.into_inner().map_err(of_parquet),
                None => Ok(vec![]),
            },
            Self::Arrow { writer, .. } => {
                writer.finish().map_err(of_arrow)?;
                Ok(std::mem::take(writer.get_mut()))
            }
        }
    }
}

/// The columns as they are written: names that differ, types that every reader knows.
pub(super) struct Shape {
    schema: SchemaRef,
}

impl Shape {
    fn new(schema: &SchemaRef, is_json: bool) -> Self {
        let mut names = BTreeSet::new();
        let fields = schema.fields().iter().map(|field| {
            let mut name = field.name().clone();
            let mut number = 2;
            while !names.insert(name.clone()) {
                name = format!("{}_{number}", field.name());
                number += 1;
            }
            let kind = match field.data_type() {
                DataType::Utf8View => DataType::Utf8,
                DataType::BinaryView => DataType::Binary,
                kind if is_json && (kind.is_decimal() || is_key(field.name(), kind)) => {
                    DataType::Utf8
                }
                kind => kind.clone(),
            };
            Field::new(name, kind, true)
        });
        Self {
            schema: Arc::new(Schema::new(fields.collect::<Vec<_>>())),
        }
    }

    fn of(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let columns = batch.columns().iter().zip(self.schema.fields());
        let columns =
            columns.map(
                |(column, field)| match column.data_type() == field.data_type() {
                    true => Ok(column.clone()),
                    false => cast(column, field.data_type()),
                },
            );
        let columns: Vec<ArrayRef> = columns
            .collect::<Result<_, ArrowError>>()
            .map_err(of_arrow)?;
        let options = arrow_array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        RecordBatch::try_new_with_options(self.schema.clone(), columns, &options).map_err(of_arrow)
    }
}

/// Whether a number is a key: all of its digits count, and no sum of it means anything.
fn is_key(name: &str, kind: &DataType) -> bool {
    matches!(kind, DataType::Int64 | DataType::UInt64)
        && (name.ends_with("_key") || name.ends_with("_id") || name == "key")
}

fn lines(batch: &RecordBatch) -> Result<Vec<u8>> {
    if batch.num_columns() == 0 {
        return Ok(b"{}\n".repeat(batch.num_rows()));
    }
    let mut bytes = Vec::new();
    let mut writer = arrow_json::WriterBuilder::new()
        .with_explicit_nulls(true)
        .build::<_, arrow_json::writer::LineDelimited>(&mut bytes);
    writer.write(batch).map_err(of_arrow)?;
    writer.finish().map_err(of_arrow)?;
    drop(writer);
    Ok(bytes)
}

/// The columns as JSON says them, before the rows.
pub(super) fn columns(schema: &Schema) -> Value {
    let fields = schema.fields().iter();
    let all =
        fields.map(|field| json!({"name": field.name(), "type": type_name(field.data_type())}));
    all.collect()
}

/// A type as SQL calls it.
pub(super) fn type_name(kind: &DataType) -> String {
    match kind {
        DataType::Null => "null".to_owned(),
        DataType::Boolean => "boolean".to_owned(),
        DataType::Int8 | DataType::Int16 | DataType::UInt8 => "smallint".to_owned(),
        DataType::Int32 | DataType::UInt16 => "integer".to_owned(),
        DataType::Int64 | DataType::UInt32 | DataType::UInt64 => "bigint".to_owned(),
        DataType::Float16 | DataType::Float32 => "real".to_owned(),
        DataType::Float64 => "double precision".to_owned(),
        DataType::Decimal32(digits, scale)
        | DataType::Decimal64(digits, scale)
        | DataType::Decimal128(digits, scale)
        | DataType::Decimal256(digits, scale) => format!("decimal({digits},{scale})"),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "text".to_owned(),
        DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::FixedSizeBinary(_) => "bytea".to_owned(),
        DataType::Date32 | DataType::Date64 => "date".to_owned(),
        DataType::Time32(_) | DataType::Time64(_) => "time".to_owned(),
        DataType::Timestamp(_, None) => "timestamp".to_owned(),
        DataType::Timestamp(_, Some(_)) => "timestamp with time zone".to_owned(),
        DataType::Interval(_) | DataType::Duration(_) => "interval".to_owned(),
        DataType::Dictionary(_, value) => type_name(value),
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _) => format!("{}[]", type_name(item.data_type())),
        _ => "record".to_owned(),
    }
}

fn of_arrow(error: ArrowError) -> AccessError {
    unwritable(&error)
}

fn of_parquet(error: ParquetError) -> AccessError {
    unwritable(&error)
}

/// What the libraries say may hold a value.
fn unwritable(error: &dyn std::error::Error) -> AccessError {
    log::debug!("rows cannot be written: {}", error.to_string().len());
    AccessError::new(Reason::Unsupported, "a column has no form in this format")
        .hint("cast it to text, or ask for another format")
}
