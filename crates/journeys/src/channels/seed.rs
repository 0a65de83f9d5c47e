//! Reading a seed: CSV with a header, columns found by name, every complaint with its line.

use crate::error::{JourneysError, Result};

/// One row of a seed.
pub(super) struct SeedRow {
    seed: &'static str,
    line: u64,
    fields: Vec<String>,
}

impl SeedRow {
    /// The trimmed value of the column asked for in that place.
    pub(super) fn get(&self, column: usize) -> &str {
        self.fields.get(column).map_or("", |field| field.trim())
    }

    /// A complaint about this row.
    pub(super) fn error(&self, reason: impl Into<String>) -> JourneysError {
        JourneysError::Seed {
            seed: self.seed,
            line: self.line,
            reason: reason.into(),
        }
    }
}

/// The rows of a seed with the fields of these columns, in this order.
pub(super) fn rows(seed: &'static str, text: &str, columns: &[&str]) -> Result<Vec<SeedRow>> {
    rows_with(seed, text, columns, &[])
}

/// The same, and after them the fields of columns that need not be there; empty where they are not.
pub(super) fn rows_with(
    seed: &'static str,
    text: &str,
    columns: &[&str],
    optional: &[&str],
) -> Result<Vec<SeedRow>> {
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .from_reader(text.as_bytes());
    let fail = |line: u64, reason: String| JourneysError::Seed { seed, line, reason };
    let header = reader
        .headers()
        .map_err(|error| fail(1, error.to_string()))?
        .clone();
    let place = |column: &str| {
        header
            .iter()
            .position(|name| name.trim().trim_start_matches('\u{feff}') == column)
    };
    let required = columns.iter().map(|column| match place(column) {
        Some(at) => Ok(Some(at)),
        None => Err(fail(1, format!("column `{column}` is missing"))),
    });
    let places = required
        .chain(optional.iter().map(|column| Ok(place(column))))
        .collect::<Result<Vec<_>>>()?;
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| {
            fail(
                error.position().map_or(0, csv::Position::line),
                error.to_string(),
            )
        })?;
        let line = record.position().map_or(0, csv::Position::line);
        let fields = places
            .iter()
            .map(|&at| {
                at.and_then(|at| record.get(at))
                    .unwrap_or_default()
                    .to_owned()
            })
            .collect();
        rows.push(SeedRow { seed, line, fields });
    }
    Ok(rows)
}
