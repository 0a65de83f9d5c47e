//! JSON lines: one record on each line. A line that is none becomes a malformed row.

use memchr::memchr;
use serde::de::IgnoredAny;

use super::Records;
use crate::error::ReadError;
use crate::files::decode::text::Text;

/// Reads all lines.
pub(super) fn read(text: &mut Text, records: &mut Records<'_>) -> Result<(), ReadError> {
    // How much of what is unread is known to have no line end.
    let mut searched = 0;
    loop {
        let unread = text.unread();
        let (line, next) = match memchr(b'\n', &unread.as_bytes()[searched..]) {
            Some(length) => {
                let end = searched + length;
                (unread.get(..end).unwrap_or_default(), end + 1)
            }
            None => {
                searched = unread.len();
                if text.more()? {
                    continue;
                }
                (text.unread(), searched)
            }
        };
        if next == 0 {
            return Ok(());
        }
        let (line, number) = (line.trim(), text.line);
        if line.is_empty() {
            records.rows.stats().blank_lines += 1;
        } else {
            one_line(line, number, records)?;
        }
        text.take(next);
        text.line += 1;
        searched = 0;
    }
}

/// Takes one line: one record, or several without anything between them.
fn one_line(line: &str, number: u64, records: &mut Records<'_>) -> Result<(), ReadError> {
    if records.push_valid(line, number)? {
        return Ok(());
    }
    let Some(parts) = split(line) else {
        return records.push_malformed(line, number);
    };
    for part in parts {
        if !records.push_valid(part, number)? {
            records.push_malformed(part, number)?;
        }
    }
    Ok(())
}

/// The whole objects or lists that a line consists of; none if it has anything else.
pub(super) fn split(line: &str) -> Option<Vec<&str>> {
    let mut values = serde_json::Deserializer::from_str(line).into_iter::<IgnoredAny>();
    let mut parts = Vec::new();
    let mut start = 0;
    while let Some(value) = values.next() {
        value.ok()?;
        let end = values.byte_offset();
        let part = line.get(start..end)?.trim();
        if !part.starts_with(['{', '[']) {
            return None;
        }
        parts.push(part);
        start = end;
    }
    (!parts.is_empty() && line.get(start..)?.trim().is_empty()).then_some(parts)
}
