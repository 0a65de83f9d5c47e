//! The header: what separates its names, and what the columns are called.

use std::collections::BTreeSet;

use super::scan::Scanner;
use super::{Text, next_record, take};
use crate::error::ReadError;
use crate::files::decode::COLUMNS_MAX;
use crate::files::schema::{MALFORMED, META_COLUMNS, PREAMBLE, SURPLUS};

/// What can separate fields; of equals the first wins.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// What seems to separate the names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FoundDelimiter {
    /// The most frequent one.
    pub(super) best: u8,
    /// Which bytes the header has outside of quotes.
    bytes: u128,
}

impl FoundDelimiter {
    /// Whether the header has this byte outside of quotes.
    pub(super) fn has(&self, byte: u8) -> bool {
        byte.is_ascii() && self.bytes & (1 << byte) != 0
    }
}

/// The delimiter of a text that begins with the header; none if it has none of the usual ones.
pub(super) fn recognise_delimiter(text: &str) -> Option<FoundDelimiter> {
    let text = text.trim_start_matches(['\n', '\r']);
    let (header, length) = counts(text);
    // A header such as `spend, net;clicks` has a comma too; the rows tell the two apart.
    let (row, _) = counts(
        text.get(length..)
            .unwrap_or_default()
            .trim_start_matches(['\n', '\r']),
    );
    let seen = header
        .iter()
        .zip(row)
        .enumerate()
        .filter(|(_, (count, _))| **count > 0);
    let best = seen.max_by_key(|(index, (count, in_row))| {
        (**count, **count == *in_row, std::cmp::Reverse(*index))
    })?;
    let outside = text.get(..length).unwrap_or_default();
    let bytes = outside
        .bytes()
        .filter(u8::is_ascii)
        .fold(0, |bytes, byte| bytes | 1 << byte);
    Some(FoundDelimiter {
        best: DELIMITERS[best.0],
        bytes,
    })
}

/// How often each delimiter stands in the first record, outside of quotes, and where that ends.
fn counts(text: &str) -> ([usize; 4], usize) {
    let mut counts = [0; 4];
    let mut is_quoted = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'"' => is_quoted = !is_quoted,
            b'\n' | b'\r' if !is_quoted => return (counts, at),
            _ if is_quoted => {}
            _ => {
                if let Some(index) = DELIMITERS.iter().position(|known| *known == byte) {
                    counts[index] += 1;
                }
            }
        }
    }
    (counts, text.len())
}

/// The names of the columns.
#[derive(Debug, Default)]
pub(super) struct Header {
    /// As they are called in the rows: each once, none empty.
    pub(super) names: Vec<String>,
    /// As they stand in the file, trimmed.
    pub(super) received: Vec<String>,
    /// The line of the file on which it stands, from 1; 0 for a file without one.
    pub(super) line: u64,
}

impl Header {
    /// Takes the header; an empty file has one without names.
    ///
    /// # Errors
    /// It has too many columns.
    pub(super) fn read(text: &mut Text, scanner: &mut Scanner) -> Result<Self, ReadError> {
        let mut scratch = String::new();
        while let Some(step) = next_record(text, scanner)? {
            let record = text.unread().get(..step.end).unwrap_or_default();
            let columns = scanner.fields().len();
            if columns > COLUMNS_MAX {
                return Err(ReadError::TooManyColumns {
                    columns,
                    limit: COLUMNS_MAX,
                });
            }
            let is_blank = record.is_empty();
            let line = text.line;
            let fields = scanner.fields().iter();
            let received: Vec<String> = fields
                .map(|field| field.text(record, &mut scratch).trim().to_owned())
                .collect();
            take(text, step);
            if !is_blank {
                return Ok(Self {
                    names: column_names(&received),
                    received,
                    line,
                });
            }
        }
        Ok(Self::default())
    }

    /// Where a column is: by its very name, or else in any case.
    pub(super) fn position(&self, name: &str) -> Option<usize> {
        let exactly = self.names.iter().position(|known| known == name);
        exactly.or_else(|| {
            self.names
                .iter()
                .position(|known| known.eq_ignore_ascii_case(name))
        })
    }
}

/// Names that can be columns of one table: none empty, none twice (in any case, because Delta
/// tables are read by engines that do not tell cases apart), none of those that raw rows have.
fn column_names(received: &[String]) -> Vec<String> {
    let clean: Vec<String> = received
        .iter()
        .enumerate()
        .map(|(index, name)| {
            let name: String = name
                .chars()
                .map(|c| if c.is_control() { ' ' } else { c })
                .collect();
            match name.trim() {
                "" => format!("column_{}", index + 1),
                name => name.to_owned(),
            }
        })
        .collect();
    let mut taken: BTreeSet<String> = META_COLUMNS.map(str::to_owned).into();
    taken.extend([SURPLUS, PREAMBLE, MALFORMED, "_loaded_at"].map(str::to_owned));
    let in_file: BTreeSet<String> = clean.iter().map(|name| name.to_lowercase()).collect();
    let mut names = Vec::with_capacity(clean.len());
    for name in clean {
        let mut unique = name.clone();
        let mut number = 2;
        // A number is not given that another column of the file already has.
        while taken.contains(&unique.to_lowercase())
            || (number > 2 && in_file.contains(&unique.to_lowercase()))
        {
            unique = format!("{name}_{number}");
            number += 1;
        }
        taken.insert(unique.to_lowercase());
        names.push(unique);
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(received: &[&str]) -> Vec<String> {
        column_names(
            &received
                .iter()
                .map(|&name| name.to_owned())
                .collect::<Vec<_>>(),
        )
    }

    #[test]
    fn every_column_has_a_name_of_its_own() {
        assert_eq!(names(&["a", "a", "a"]), ["a", "a_2", "a_3"]);
        assert_eq!(names(&["a", "a", "a_2"]), ["a", "a_3", "a_2"]);
        assert_eq!(names(&["Id", "ID", "id"]), ["Id", "ID_2", "id_3"]);
        assert_eq!(names(&["", "x", ""]), ["column_1", "x", "column_3"]);
        assert_eq!(names(&["_row", "_file"]), ["_row_2", "_file_2"]);
        assert_eq!(names(&["a\nb", "\0"]), ["a b", "column_2"]);
    }

    #[test]
    fn the_delimiter_is_the_most_frequent_one_outside_of_quotes() {
        let best = |text: &str| recognise_delimiter(text).map(|found| char::from(found.best));
        assert_eq!(best("a,b,c\n"), Some(','));
        assert_eq!(best("\n\r\na;b;c\n"), Some(';'));
        assert_eq!(best("a\tb,c\td"), Some('\t'));
        assert_eq!(best("a|b|c"), Some('|'));
        assert_eq!(best("\"a,b,c\";d\n1;2"), Some(';'));
        assert_eq!(
            best("spend, net;clicks\n1;2\n"),
            Some(';'),
            "the row decides"
        );
        assert_eq!(best("name\nx,y"), None);
        assert_eq!(best(""), None);
    }
}
