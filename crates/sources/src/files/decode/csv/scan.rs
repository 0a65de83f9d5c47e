//! Where a record ends and where its fields lie.
//!
//! A field that begins with a quote goes on to the next single quote; two quotes in it are one. A
//! quote elsewhere is a character like others. Records end with LF, CR LF or CR.

use memchr::{memchr, memchr_iter, memchr3};

/// Where a field lies in its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Field {
    start: usize,
    end: usize,
    /// It has to be unquoted, because it lies there with doubled quotes or text behind them.
    is_quoted: bool,
}

impl Field {
    /// Its text.
    pub(super) fn text<'a>(&self, record: &'a str, scratch: &'a mut String) -> &'a str {
        let received = record.get(self.start..self.end).unwrap_or_default();
        if !self.is_quoted {
            return received;
        }
        scratch.clear();
        let mut rest = received.strip_prefix('"').unwrap_or(received);
        while let Some((inside, behind)) = rest.split_once('"') {
            scratch.push_str(inside);
            let Some(doubled) = behind.strip_prefix('"') else {
                // The quote that closes: what follows is no longer quoted.
                scratch.push_str(behind);
                return scratch;
            };
            scratch.push('"');
            rest = doubled;
        }
        scratch.push_str(rest);
        scratch
    }
}

/// A record that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    /// Where its text ends.
    pub(super) end: usize,
    /// Where the next record begins.
    pub(super) next: usize,
    /// How many lines it takes up.
    pub(super) lines: u64,
}

/// What a scan came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Scan {
    /// A whole record.
    Record(Step),
    /// The record goes on behind these bytes.
    More,
    /// The file ends within quotes that were opened so many lines further down.
    Unclosed { lines: u64 },
}

/// Finds records; keeps the fields of the last one.
pub(super) struct Scanner {
    delimiter: u8,
    fields: Vec<Field>,
}

impl Scanner {
    pub(super) fn new(delimiter: u8) -> Self {
        Self {
            delimiter,
            fields: Vec::new(),
        }
    }

    /// The fields of the record that was found last.
    pub(super) fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// Finds the record that begins with these bytes.
    pub(super) fn scan(&mut self, bytes: &[u8], is_last: bool) -> Scan {
        self.fields.clear();
        let mut at = 0;
        let mut lines = 1;
        loop {
            let Some((field, end)) = self.field(bytes, at, is_last) else {
                return if is_last {
                    Scan::Unclosed { lines: lines - 1 }
                } else {
                    Scan::More
                };
            };
            if bytes.get(at) == Some(&b'"') {
                lines += memchr_iter(b'\n', &bytes[at..field.end]).count() as u64;
            }
            self.fields.push(field);
            let record = |end, next| Scan::Record(Step { end, next, lines });
            let Some(end) = end else {
                return if is_last {
                    record(bytes.len(), bytes.len())
                } else {
                    Scan::More
                };
            };
            match (bytes[end], bytes.get(end + 1)) {
                (b'\n', _) => return record(end, end + 1),
                (b'\r', Some(b'\n')) => return record(end, end + 2),
                (b'\r', Some(_)) => return record(end, end + 1),
                (b'\r', None) if is_last => return record(end, end + 1),
                (_, None) if !is_last => return Scan::More,
                _ => at = end + 1,
            }
        }
    }

    /// The field that begins here, and where it ends if it does so in these bytes; none if its
    /// quotes do not.
    fn field(&self, bytes: &[u8], at: usize, is_last: bool) -> Option<(Field, Option<usize>)> {
        if bytes.get(at) != Some(&b'"') {
            let end = self.field_end(bytes, at);
            let field = Field {
                start: at,
                end: end.unwrap_or(bytes.len()),
                is_quoted: false,
            };
            return Some((field, end));
        }
        let close = closing_quote(bytes, at + 1, is_last)?;
        let end = self.field_end(bytes, close.at + 1);
        let has_tail = end.unwrap_or(bytes.len()) > close.at + 1;
        let field = if close.is_plain && !has_tail {
            Field {
                start: at + 1,
                end: close.at,
                is_quoted: false,
            }
        } else {
            Field {
                start: at,
                end: end.unwrap_or(bytes.len()),
                is_quoted: true,
            }
        };
        Some((field, end))
    }

    /// Where an unquoted stretch ends: at a delimiter or the end of the line.
    fn field_end(&self, bytes: &[u8], from: usize) -> Option<usize> {
        memchr3(self.delimiter, b'\n', b'\r', bytes.get(from..)?).map(|length| from + length)
    }
}

/// The quote that closes a field.
struct ClosingQuote {
    at: usize,
    /// There is no doubled quote before it.
    is_plain: bool,
}

fn closing_quote(bytes: &[u8], from: usize, is_last: bool) -> Option<ClosingQuote> {
    let mut from = from;
    let mut is_plain = true;
    loop {
        let at = from + memchr(b'"', bytes.get(from..)?)?;
        match bytes.get(at + 1) {
            Some(b'"') => {
                is_plain = false;
                from = at + 2;
            }
            None if !is_last => return None,
            _ => return Some(ClosingQuote { at, is_plain }),
        }
    }
}
