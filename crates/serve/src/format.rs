//! The forms of a query's result: a table to read, JSON, CSV with a header, Parquet.

use std::io::Write;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use datafusion::arrow::compute::cast;
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};

/// Form of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Aligned columns for people.
    Table,
    /// A list of objects. Keys of 64 bits are texts, because JSON's numbers lose their last digits.
    Json,
    /// Comma separated, with a header.
    Csv,
    /// A Parquet file.
    Parquet,
}

/// Why a result could not be written.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// A value has no form.
    #[error("a value cannot be written: {0}")]
    Value(#[from] ArrowError),
    /// The Parquet writer failed.
    #[error("the Parquet file cannot be written: {0}")]
    Parquet(#[from] datafusion::parquet::errors::ParquetError),
    /// The place cannot be written to.
    #[error("the result cannot be written: {0}")]
    Io(#[from] std::io::Error),
}

/// Writes `rows` of `schema` to `out`.
///
/// # Errors
/// A value has no form, or the place cannot be written to.
pub fn write(
    out: &mut (dyn Write + Send),
    schema: &SchemaRef,
    rows: &[RecordBatch],
    format: Format,
) -> Result<(), FormatError> {
    match format {
        Format::Table => table(out, schema, rows),
        Format::Json => json(out, schema, rows),
        Format::Csv => {
            let mut writer = datafusion::arrow::csv::WriterBuilder::new()
                .with_header(true)
                .with_timestamp_tz_format("%Y-%m-%dT%H:%M:%S%.fZ".into())
                .build(&mut *out);
            if rows.iter().all(|batch| batch.num_rows() == 0) {
                writer.write(&RecordBatch::new_empty(schema.clone()))?;
            }
            for batch in rows {
                writer.write(batch)?;
            }
            Ok(())
        }
        Format::Parquet => {
            let mut writer =
                datafusion::parquet::arrow::ArrowWriter::try_new(out, schema.clone(), None)?;
            for batch in rows {
                writer.write(batch)?;
            }
            writer.close()?;
            Ok(())
        }
    }
}

fn json(
    out: &mut (dyn Write + Send),
    schema: &SchemaRef,
    rows: &[RecordBatch],
) -> Result<(), FormatError> {
    let is_key = |field: &Field| {
        field.data_type() == &DataType::Int64
            && (field.name().ends_with("_key") || field.name().ends_with("_id"))
    };
    let fields: Vec<Field> = schema
        .fields()
        .iter()
        .map(
            |field| match is_key(field) || field.data_type().is_decimal() {
                true => Field::new(field.name(), DataType::Utf8, true),
                false => field.as_ref().clone(),
            },
        )
        .collect();
    let shown = Arc::new(Schema::new(fields));
    let mut writer = arrow_json::WriterBuilder::new()
        .with_explicit_nulls(true)
        .build::<_, arrow_json::writer::JsonArray>(&mut *out);
    for batch in rows {
        let columns = batch
            .columns()
            .iter()
            .zip(shown.fields())
            .map(
                |(column, field)| match column.data_type() == field.data_type() {
                    true => Ok(column.clone()),
                    false => cast(column, field.data_type()),
                },
            )
            .collect::<Result<Vec<ArrayRef>, ArrowError>>()?;
        writer.write(&RecordBatch::try_new(shown.clone(), columns)?)?;
    }
    writer.finish()?;
    drop(writer);
    writeln!(out)?;
    Ok(())
}

/// Columns are padded to this many characters at most: a longer value sticks out of its column.
const PADDED_MAX: usize = 200;

/// Columns as wide as their widest value; numbers to the right.
fn table(
    out: &mut (dyn Write + Send),
    schema: &SchemaRef,
    rows: &[RecordBatch],
) -> Result<(), FormatError> {
    let options = FormatOptions::default().with_null("");
    let mut cells: Vec<Vec<String>> = Vec::new();
    for batch in rows {
        let columns = batch
            .columns()
            .iter()
            .map(|column| ArrayFormatter::try_new(column.as_ref(), &options))
            .collect::<Result<Vec<_>, _>>()?;
        for row in 0..batch.num_rows() {
            cells.push(
                columns
                    .iter()
                    .map(|column| column.value(row).to_string())
                    .collect(),
            );
        }
    }
    let header: Vec<&str> = schema
        .fields()
        .iter()
        .map(|field| field.name().as_str())
        .collect();
    // Of a value of several lines (a plan) the longest line.
    let length = |text: &str| text.lines().map(|line| line.chars().count()).max();
    let width = |index: usize| {
        let values = cells.iter().map(|row| row[index].as_str());
        let longest = values.chain([header[index]]).filter_map(length).max();
        longest.unwrap_or(0).min(PADDED_MAX)
    };
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let right: Vec<bool> = schema
        .fields()
        .iter()
        .map(|field| field.data_type().is_numeric())
        .collect();
    let line = |values: &[&str]| {
        let parts: Vec<String> = values
            .iter()
            .enumerate()
            .map(|(index, value)| match right[index] {
                true => format!("{value:>width$}", width = widths[index]),
                false => format!("{value:<width$}", width = widths[index]),
            })
            .collect();
        parts.join("  ").trim_end().to_owned()
    };
    writeln!(out, "{}", line(&header))?;
    let rule: Vec<String> = widths.iter().map(|width| "─".repeat(*width)).collect();
    writeln!(out, "{}", rule.join("  "))?;
    for row in &cells {
        writeln!(
            out,
            "{}",
            line(&row.iter().map(String::as_str).collect::<Vec<_>>())
        )?;
    }
    Ok(())
}
