//! Parquet: each record becomes one JSON text, nested as it is, without the nulls.
//!
//! Whole numbers are JSON numbers, decimals keep their digits, dates and times are ISO 8601.

use std::fs::File;

use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use ::parquet::file::metadata::ParquetMetaData;
use arrow_json::WriterBuilder;
use arrow_json::writer::LineDelimited;

use super::effective::Effective;
use super::json::record;
use super::rows::{PayloadRows, Target};
use super::stats::ReadStats;
use crate::error::ReadError;

/// Records that are turned into JSON at a time: nested ones are large.
const RECORDS: usize = 1024;

/// Bytes of records that are decoded at a time.
const BATCH_BYTES: u64 = 32 << 20;

/// How many records are decoded at a time: fewer where they are long.
fn records_at_a_time(metadata: &ParquetMetaData) -> usize {
    let groups = metadata.row_groups().iter();
    let longest = groups
        .map(|group| {
            let bytes = u64::try_from(group.total_byte_size()).unwrap_or_default();
            bytes / u64::try_from(group.num_rows()).unwrap_or_default().max(1)
        })
        .max();
    let records = BATCH_BYTES / longest.unwrap_or_default().max(1);
    usize::try_from(records)
        .unwrap_or(RECORDS)
        .clamp(1, RECORDS)
}

/// Reads a Parquet file.
pub(super) fn read(
    file: File,
    mut target: Target<'_>,
    effective: &Effective,
) -> Result<ReadStats, ReadError> {
    let broken = |error: ::parquet::errors::ParquetError| ReadError::Parquet(error.into());
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(broken)?;
    let records = records_at_a_time(builder.metadata());
    let reader = builder.with_batch_size(records).build().map_err(broken)?;
    let limit_bytes = target.limits.record_bytes_max;
    target.stats.missing_effective_at = effective.missing_in_name();
    let path = effective.path().map(record::Path::new).unwrap_or_default();
    let mut rows = PayloadRows::open(target)?;
    let mut lines = Vec::new();
    let mut number = 0;
    for batch in reader {
        let batch = batch.map_err(|error| ReadError::Parquet(error.into()))?;
        lines.clear();
        let mut writer = WriterBuilder::new()
            .with_explicit_nulls(false)
            .build::<_, LineDelimited>(&mut lines);
        writer
            .write(&batch)
            .and_then(|()| writer.finish())
            .map_err(|error| ReadError::Parquet(error.into()))?;
        drop(writer);
        let text = std::str::from_utf8(&lines).map_err(|error| ReadError::Parquet(error.into()))?;
        for line in text.lines() {
            number += 1;
            if line.len() > limit_bytes {
                return Err(ReadError::RecordTooLong {
                    line: number,
                    limit_bytes,
                });
            }
            let at = match path.is_empty() {
                true => effective.of_file(),
                false => match record::inspect(line, &path, effective) {
                    Ok(record::Seen { at_us, is_unread }) => {
                        if is_unread {
                            rows.stats().unread_effective_at.add(number);
                        }
                        at_us
                    }
                    Err(_) => None,
                },
            };
            rows.push(line, false, at)?;
        }
    }
    rows.finish()
}
