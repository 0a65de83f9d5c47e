//! CSV and TSV: records as RFC 4180 and its many dialects write them, every column as text.
//!
//! No row is lost: what a row has too much goes to `_surplus`, what it lacks is null.

mod header;
mod preamble;
mod scan;

use domain::config::{FileConfig, FileFormat};
use domain::heading::Heading;

use self::header::Header;
use self::scan::{Scanner, Step};
use super::effective::{Effective, Rule};
use super::format::Recognised;
use super::rows::{Target, TextRows};
use super::stats::ReadStats;
use super::text::Text;
use crate::error::ReadError;

/// Much of a file is looked at to recognise its delimiter.
const LOOK_AHEAD_BYTES: usize = 64 << 10;

/// How a text file is written.
#[derive(Debug)]
pub(super) struct Settings {
    delimiter: Delimiter,
    skip_lines: usize,
    /// By which the header is found; none where the project says how many lines stand before it.
    headings: Vec<Heading>,
}

/// Where the delimiter is known from.
#[derive(Debug, Clone, Copy)]
enum Delimiter {
    /// The project says it.
    Set(u8),
    /// The file's name suggests it.
    Likely(u8),
    /// It is to be recognised.
    Unknown,
}

impl Settings {
    /// The settings of a stream for a file.
    ///
    /// # Errors
    /// The delimiter is none.
    pub(super) fn of(config: &FileConfig, recognised: Recognised) -> Result<Self, ReadError> {
        let is_tsv = recognised.format == FileFormat::Tsv;
        let delimiter = match config.delimiter.as_deref() {
            Some(text) => Delimiter::Set(delimiter_byte(text)?),
            None if is_tsv && recognised.is_set => Delimiter::Set(b'\t'),
            None if is_tsv => Delimiter::Likely(b'\t'),
            None => Delimiter::Unknown,
        };
        let headings = match config.skip_lines {
            Some(_) => &[],
            None => config.headings.as_deref().unwrap_or_default(),
        };
        Ok(Self {
            delimiter,
            skip_lines: config.skip_lines.unwrap_or(0),
            headings: headings.iter().map(|text| Heading::new(text)).collect(),
        })
    }
}

/// The delimiter in the settings: one ASCII character, or a name for one that YAML hides.
fn delimiter_byte(text: &str) -> Result<u8, ReadError> {
    match text.as_bytes() {
        _ if matches!(text, "\\t" | "tab") => Ok(b'\t'),
        [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r') => Ok(*byte),
        _ => Err(ReadError::Setting {
            setting: "delimiter",
            value: text.to_owned(),
            cause: "it must be one ASCII character, and no quote".to_owned(),
        }),
    }
}

/// Reads a text file.
pub(super) fn read<'a>(
    mut text: Text,
    mut target: Target<'a>,
    effective: &'a Effective,
    settings: &Settings,
) -> Result<ReadStats, ReadError> {
    skip_lines(&mut text, settings.skip_lines)?;
    let preamble = preamble::take(&mut text, settings)?;
    target.stats.preamble_lines = preamble.lines;
    let delimiter = find_delimiter(&mut text, settings.delimiter)?;
    let mut scanner = Scanner::new(delimiter);
    target.stats.encoding = Some(text.encoding());
    target.stats.delimiter = Some(char::from(delimiter));
    let header = Header::read(&mut text, &mut scanner)?;
    target.stats.columns.clone_from(&header.names);
    target.stats.header_line = header.line;
    let effective_column = match &effective.rule {
        Rule::Columns(columns) => columns.iter().find_map(|column| header.position(column)),
        Rule::Unsaid | Rule::Name { .. } => None,
    };
    target.stats.missing_effective_at = match effective_column {
        Some(_) => None,
        None => effective.path().map(str::to_owned),
    };
    if target.stats.missing_effective_at.is_none() {
        target.stats.missing_effective_at = effective.missing_in_name();
    }
    let rows = TextRows::open(target, &header.names, preamble.text)?;
    let mut body = Body {
        rows,
        header,
        effective,
        effective_column,
        scratch: String::new(),
    };
    while let Some(step) = next_record(&mut text, &mut scanner)? {
        body.record(&text, &scanner, step)?;
        take(&mut text, step);
    }
    let stats = body.rows.stats();
    stats.replaced_characters = text.replaced;
    body.rows.finish()
}

/// Leaves lines out that stand before the header, and an Excel `sep=` line stays to be read.
fn skip_lines(text: &mut Text, count: usize) -> Result<(), ReadError> {
    for _ in 0..count {
        let length = loop {
            if let Some(end) = memchr::memchr(b'\n', text.unread().as_bytes()) {
                break end + 1;
            }
            if !text.more()? {
                break text.unread().len();
            }
        };
        text.take(length);
        text.line += 1;
    }
    Ok(())
}

/// The delimiter of the file.
fn find_delimiter(text: &mut Text, known: Delimiter) -> Result<u8, ReadError> {
    text.look_ahead(LOOK_AHEAD_BYTES)?;
    // Excel writes and reads a first line that names the delimiter.
    let announced = text.unread().strip_prefix("sep=").and_then(|rest| {
        let line = rest.lines().next()?;
        let [byte] = line.as_bytes() else { return None };
        Some((
            *byte,
            rest.find('\n').map_or(4 + rest.len(), |end| 4 + end + 1),
        ))
    });
    let announced = announced.map(|(byte, length)| {
        text.take(length);
        text.line += 1;
        byte
    });
    let found = header::recognise_delimiter(text.unread());
    match (known, found) {
        (Delimiter::Set(set), Some(found)) if !found.has(set) => Err(ReadError::WrongDelimiter {
            set: char::from(set),
            found: char::from(found.best),
        }),
        (Delimiter::Set(set), _) => Ok(set),
        (_, _) if announced.is_some_and(|byte| byte.is_ascii()) => Ok(announced.unwrap_or(b',')),
        (Delimiter::Likely(likely), Some(found)) if found.has(likely) => Ok(likely),
        (Delimiter::Likely(likely), None) => Ok(likely),
        (_, Some(found)) => Ok(found.best),
        (Delimiter::Unknown, None) => Ok(b','),
    }
}

/// Finds the next record that is not a blank line.
fn next_record(text: &mut Text, scanner: &mut Scanner) -> Result<Option<Step>, ReadError> {
    loop {
        while text.unread().is_empty() {
            if !text.more()? {
                return Ok(None);
            }
        }
        match scanner.scan(text.unread().as_bytes(), text.is_at_end()) {
            scan::Scan::Record(step) => return Ok(Some(step)),
            scan::Scan::More => {
                text.more()?;
            }
            scan::Scan::Unclosed { lines } => {
                return Err(ReadError::UnclosedQuote {
                    line: text.line + lines,
                });
            }
        }
    }
}

/// Takes a record that was read.
fn take(text: &mut Text, step: Step) {
    text.take(step.next);
    text.line += step.lines;
}

/// The rows behind the header.
struct Body<'a> {
    rows: TextRows<'a>,
    header: Header,
    effective: &'a Effective,
    effective_column: Option<usize>,
    scratch: String,
}

impl Body<'_> {
    /// Hands one record on.
    fn record(&mut self, text: &Text, scanner: &Scanner, step: Step) -> Result<(), ReadError> {
        let line = text.line;
        let record = text.unread().get(..step.end).unwrap_or_default();
        if record.is_empty() {
            self.rows.stats().blank_lines += 1;
            return Ok(());
        }
        let fields = scanner.fields();
        let width = self.header.names.len();
        if self.is_header(record, scanner) {
            self.rows.stats().repeated_headers.add(line);
            return Ok(());
        }
        let mut effective_at = self.effective.of_file();
        for column in 0..width {
            let value = fields
                .get(column)
                .map(|field| field.text(record, &mut self.scratch));
            self.rows.value(column, value);
            if self.effective_column == Some(column)
                && let Some(value) = value
            {
                match self.effective.read(value) {
                    Ok(at) => effective_at = at,
                    Err(_) => self.rows.stats().unread_effective_at.add(line),
                }
            }
        }
        if memchr::memchr(0, record.as_bytes()).is_some() {
            self.rows.stats().zero_bytes.add(line);
        }
        if fields.len() < width {
            self.rows.stats().short_rows.add(line);
        }
        let surplus = match fields.get(width..) {
            Some(surplus) if !surplus.is_empty() => {
                self.rows.stats().long_rows.add(line);
                Some(json_list(surplus.iter().map(|field| {
                    let mut scratch = String::new();
                    field.text(record, &mut scratch).to_owned()
                })))
            }
            _ => None,
        };
        self.rows.end_row(record, surplus.as_deref(), effective_at)
    }

    /// Whether a record is the header once more. A header of one column could be a value.
    fn is_header(&mut self, record: &str, scanner: &Scanner) -> bool {
        let fields = scanner.fields();
        let names = &self.header.received;
        names.len() > 1
            && fields.len() == names.len()
            && fields
                .iter()
                .zip(names)
                .all(|(field, name)| field.text(record, &mut self.scratch).trim() == name)
    }
}

/// A JSON list of texts.
fn json_list(texts: impl Iterator<Item = String>) -> String {
    serde_json::Value::from_iter(texts).to_string()
}

#[cfg(test)]
mod tests;
