//! Lines before the header, as the pages of tools write them: the report's name, the account, the
//! days. The header is the first line that has several of the headings that are known.
//!
//! Where none has, nothing is taken, and the first line is the header as ever.

use domain::heading::Heading;

use super::scan::{Scan, Scanner};
use super::{Delimiter, LOOK_AHEAD_BYTES, Settings, Text, header};
use crate::error::ReadError;

/// How far down the header is looked for.
const LINES_MAX: usize = 60;

/// So many known headings make a header; a line with [`ENOUGH_AT_LEAST`] is one if no line has
/// more.
const ENOUGH: usize = 3;
const ENOUGH_AT_LEAST: usize = 2;

/// What stood before the header.
#[derive(Debug, Default)]
pub(super) struct Preamble {
    /// How many lines.
    pub(super) lines: u64,
    /// They, as received; none if there were none.
    pub(super) text: Option<String>,
}

/// Takes what stands before the header.
///
/// # Errors
/// The file cannot be read.
pub(super) fn take(text: &mut Text, settings: &Settings) -> Result<Preamble, ReadError> {
    if settings.headings.is_empty() {
        return Ok(Preamble::default());
    }
    text.look_ahead(LOOK_AHEAD_BYTES)?;
    let Some((lines, length)) = find(text.unread(), settings) else {
        return Ok(Preamble::default());
    };
    // The line by which Excel names the delimiter is read by itself.
    if lines == 0 || (lines == 1 && text.unread().starts_with("sep=")) {
        return Ok(Preamble::default());
    }
    let received = text.unread().get(..length).unwrap_or_default().trim_end();
    let received = received.to_owned();
    text.take(length);
    text.line += lines;
    Ok(Preamble {
        lines,
        text: Some(received),
    })
}

/// How many lines stand before the header, and how many bytes they have.
fn find(text: &str, settings: &Settings) -> Option<(u64, usize)> {
    let mut second_best = None;
    let (mut start, mut lines) = (0, 0);
    for line in text.split_inclusive('\n').take(LINES_MAX) {
        let known = known_headings(text.get(start..)?, settings);
        if known >= ENOUGH.min(settings.headings.len()) {
            return Some((lines, start));
        }
        if known >= ENOUGH_AT_LEAST && second_best.is_none() {
            second_best = Some((lines, start));
        }
        start += line.len();
        lines += 1;
    }
    second_best
}

/// How many of the fields of the first record are known headings.
fn known_headings(text: &str, settings: &Settings) -> usize {
    let delimiter = match (settings.delimiter, header::recognise_delimiter(text)) {
        (Delimiter::Set(set), _) => set,
        (_, Some(found)) => found.best,
        (_, None) => return 0,
    };
    // A blank line would be skipped to the record behind it, which comes by itself.
    if text.starts_with(['\n', '\r']) {
        return 0;
    }
    let mut scanner = Scanner::new(delimiter);
    let Scan::Record(step) = scanner.scan(text.as_bytes(), true) else {
        return 0;
    };
    let record = text.get(..step.end).unwrap_or_default();
    let mut scratch = String::new();
    let is_known = |name: &str| {
        let mut headings = settings.headings.iter();
        headings.any(|heading: &Heading| heading.matches(name))
    };
    let fields = scanner.fields().iter();
    fields
        .filter(|field| is_known(field.text(record, &mut scratch)))
        .count()
}
