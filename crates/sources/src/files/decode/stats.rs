//! What reading a file came to: counts, what was recognised, and what the user should know.

use domain::config::{Compression, FileFormat};

/// What reading a file came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadStats {
    /// Rows handed on.
    pub rows: u64,
    /// Batches handed on.
    pub batches: u64,
    /// Bytes of the file as it lies.
    pub bytes: u64,
    /// Its format.
    pub format: FileFormat,
    /// Its compression.
    pub compression: Compression,
    /// WHATWG name of its encoding; none for Parquet.
    pub encoding: Option<&'static str>,
    /// Its delimiter; none if it is no text file.
    pub delimiter: Option<char>,
    /// Its text columns as they are named in the rows; empty if it is no text file.
    pub columns: Vec<String>,
    /// The line of the header, from 1; 0 if it is no text file, or an empty one.
    pub header_line: u64,
    /// Characters that the encoding could not read and that were replaced.
    pub replaced_characters: Tally,
    /// Lines before the header, which are no rows; their text is in `_preamble`. Lines that
    /// `skip_lines` names do not count.
    pub preamble_lines: u64,
    /// Lines without anything on them, which are no rows.
    pub blank_lines: u64,
    /// The header once more between the rows, as in files joined to one; these are no rows.
    pub repeated_headers: Tally,
    /// Rows with zero bytes in their text, which they keep.
    pub zero_bytes: Tally,
    /// Rows with fewer fields than the header; what is missing is null.
    pub short_rows: Tally,
    /// Rows with more fields than the header; what is too much is in `_surplus`.
    pub long_rows: Tally,
    /// Rows that are no valid JSON; their text is in `payload`, `_malformed` is true.
    pub malformed_rows: Tally,
    /// Rows whose `_effective_at` is null although they say something there.
    pub unread_effective_at: Tally,
    /// The column or file name pattern of `effective_at` if the file does not have it.
    pub missing_effective_at: Option<String>,
}

/// How often something was seen, and where first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// How often.
    pub count: u64,
    /// The line (from 1) on which it was first; 0 if it was never.
    pub first_line: u64,
}

impl Tally {
    /// Counts one more.
    pub(super) fn add(&mut self, line: u64) {
        if self.count == 0 {
            self.first_line = line;
        }
        self.count += 1;
    }
}

/// What the user should know of a file that was read whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Warning {
    /// It has no rows.
    #[error("the file has no rows")]
    Empty,
    /// The encoding is another one.
    #[error(
        "{} characters are not valid {encoding} and were replaced, the first on line {}",
        .characters.count, .characters.first_line
    )]
    Replaced {
        /// How many, and where.
        characters: Tally,
        /// As what the file was read.
        encoding: &'static str,
    },
    /// Lines before the header.
    #[error("{0} lines stand before the header; they are kept in `_preamble` and are no rows")]
    Preamble(u64),
    /// Rows with zero bytes.
    #[error(
        "{} rows have zero bytes in their text, the first on line {}",
        .0.count, .0.first_line
    )]
    ZeroBytes(Tally),
    /// Rows shorter than the header.
    #[error(
        "{} rows have fewer fields than the header, the first on line {}",
        .0.count, .0.first_line
    )]
    ShortRows(Tally),
    /// Rows longer than the header.
    #[error(
        "{} rows have more fields than the header, the first on line {}",
        .0.count, .0.first_line
    )]
    LongRows(Tally),
    /// The header between the rows.
    #[error(
        "the header is repeated {} times, first on line {}; these lines were left out",
        .0.count, .0.first_line
    )]
    RepeatedHeaders(Tally),
    /// Records that are no JSON.
    #[error(
        "{} records are no valid JSON, the first on line {}",
        .0.count, .0.first_line
    )]
    Malformed(Tally),
    /// Values that are no instants.
    #[error(
        "{} rows have an `effective_at` that is no time, the first on line {}",
        .0.count, .0.first_line
    )]
    UnreadEffectiveAt(Tally),
    /// The file does not have what says how new its rows are.
    #[error("`{0}` is not there, so `effective_at` is unknown")]
    MissingEffectiveAt(String),
}

impl Warning {
    /// What the user can do about it, where there is something.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Replaced { .. } => Some(
                "set `encoding` to the one the file is written in, for example `windows-1252`; \
                 it is then read again",
            ),
            Self::LongRows(_) => Some(
                "such rows are in quarantine, unless what is too much is empty: put values with \
                 the delimiter in them in quotes",
            ),
            Self::ShortRows(_) => Some("what is missing is null; was the file cut off?"),
            Self::ZeroBytes(_) => Some("they are kept; was the file damaged on its way?"),
            Self::Malformed(_) => Some("they are in quarantine, as received"),
            Self::MissingEffectiveAt(_) => {
                Some("correct `effective_at`: without it the file's version decides what is newer")
            }
            Self::Empty
            | Self::Preamble(_)
            | Self::RepeatedHeaders(_)
            | Self::UnreadEffectiveAt(_) => None,
        }
    }
}

impl ReadStats {
    pub(super) fn new(format: FileFormat, compression: Compression) -> Self {
        Self {
            rows: 0,
            batches: 0,
            bytes: 0,
            format,
            compression,
            encoding: None,
            delimiter: None,
            columns: Vec::new(),
            replaced_characters: Tally::default(),
            preamble_lines: 0,
            header_line: 0,
            blank_lines: 0,
            repeated_headers: Tally::default(),
            zero_bytes: Tally::default(),
            short_rows: Tally::default(),
            long_rows: Tally::default(),
            malformed_rows: Tally::default(),
            unread_effective_at: Tally::default(),
            missing_effective_at: None,
        }
    }

    /// What the user should know, the weightiest first.
    pub fn warnings(&self) -> Vec<Warning> {
        let mut warnings = Vec::new();
        if self.rows == 0 {
            warnings.push(Warning::Empty);
        }
        if self.replaced_characters.count > 0 {
            warnings.push(Warning::Replaced {
                characters: self.replaced_characters,
                encoding: self.encoding.unwrap_or("UTF-8"),
            });
        }
        let tallies: [(Tally, fn(Tally) -> Warning); 6] = [
            (self.malformed_rows, Warning::Malformed),
            (self.long_rows, Warning::LongRows),
            (self.short_rows, Warning::ShortRows),
            (self.zero_bytes, Warning::ZeroBytes),
            (self.repeated_headers, Warning::RepeatedHeaders),
            (self.unread_effective_at, Warning::UnreadEffectiveAt),
        ];
        let seen = tallies.into_iter().filter(|(tally, _)| tally.count > 0);
        warnings.extend(seen.map(|(tally, warning)| warning(tally)));
        if self.preamble_lines > 0 {
            warnings.push(Warning::Preamble(self.preamble_lines));
        }
        if let Some(what) = &self.missing_effective_at {
            warnings.push(Warning::MissingEffectiveAt(what.clone()));
        }
        warnings
    }
}
