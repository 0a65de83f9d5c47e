//! JSON: one document, a list, JSON lines, or documents one after the other; each record's text
//! is kept as it was received.
//!
//! A record is never built as a tree of values: its end is found, and it is checked in one pass.
//! What is no valid JSON in place of a record becomes a row all the same, marked as malformed.

mod document;
mod lines;
pub(super) mod record;
mod shape;

use domain::config::{FileConfig, FileFormat};

use self::shape::Shape;
use super::effective::Effective;
use super::format::Recognised;
use super::rows::{PayloadRows, Target};
use super::stats::ReadStats;
use super::text::Text;
use crate::error::ReadError;

/// Much of a file is looked at to tell lines from documents.
const LOOK_AHEAD_BYTES: usize = 64 << 10;

/// How a JSON file is written.
#[derive(Debug)]
pub(super) struct Settings {
    recognised: Recognised,
    /// Names on the way to the records, in a document.
    records: Vec<String>,
}

impl Settings {
    /// The settings of a stream for a file.
    pub(super) fn of(config: &FileConfig, recognised: Recognised) -> Self {
        let records = config
            .records
            .as_deref()
            .unwrap_or_default()
            .trim_start_matches('$');
        let names = records.split('.').filter(|name| !name.is_empty());
        Self {
            recognised,
            records: names.map(str::to_owned).collect(),
        }
    }

    fn shape(&self, text: &mut Text) -> Result<Shape, ReadError> {
        let Recognised { format, is_set, .. } = self.recognised;
        if !self.records.is_empty() {
            return Ok(Shape::Documents);
        }
        if format == FileFormat::Ndjson && is_set {
            return Ok(Shape::Lines);
        }
        text.look_ahead(LOOK_AHEAD_BYTES)?;
        Ok(shape::recognise(
            text.unread(),
            text.is_at_end(),
            format == FileFormat::Ndjson,
        ))
    }
}

/// Reads a JSON file.
pub(super) fn read<'a>(
    mut text: Text,
    mut target: Target<'a>,
    effective: &'a Effective,
    settings: &Settings,
) -> Result<ReadStats, ReadError> {
    target.stats.encoding = Some(text.encoding());
    target.stats.missing_effective_at = effective.missing_in_name();
    let path = effective.path().map(record::Path::new).unwrap_or_default();
    let rows = PayloadRows::open(target)?;
    let mut records = Records {
        rows,
        path,
        effective,
    };
    match settings.shape(&mut text)? {
        Shape::Lines => lines::read(&mut text, &mut records)?,
        Shape::Documents => document::read(&mut text, &settings.records, &mut records)?,
    }
    records.rows.stats().replaced_characters = text.replaced;
    records.rows.finish()
}

/// Takes the records of a file.
struct Records<'a> {
    rows: PayloadRows<'a>,
    path: record::Path,
    effective: &'a Effective,
}

impl Records<'_> {
    /// Takes a text that should be one record; false if it is not, and then it is not taken.
    fn push_valid(&mut self, text: &str, line: u64) -> Result<bool, ReadError> {
        let Ok(seen) = record::inspect(text, &self.path, self.effective) else {
            return Ok(false);
        };
        if seen.is_unread {
            self.rows.stats().unread_effective_at.add(line);
        }
        let at_us = if self.path.is_empty() {
            self.effective.of_file()
        } else {
            seen.at_us
        };
        self.rows.push(text, false, at_us)?;
        Ok(true)
    }

    /// Takes a text that stands in place of a record.
    fn push_malformed(&mut self, text: &str, line: u64) -> Result<(), ReadError> {
        if text.contains('\0') {
            self.rows.stats().zero_bytes.add(line);
        }
        self.rows.stats().malformed_rows.add(line);
        self.rows.push(text, true, self.effective.of_file())
    }
}

#[cfg(test)]
mod tests;
