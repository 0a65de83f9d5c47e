//! Which compression and which format a file has: by its settings, its first bytes, its name.

use domain::config::{Compression, FileFormat};

use crate::error::ReadError;

/// How much of a file is looked at.
pub(super) const PEEK_BYTES: usize = 8 << 10;

/// A format, and how sure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Recognised {
    pub(super) format: FileFormat,
    /// The project says so; a file that is otherwise is an error, not another format.
    pub(super) is_set: bool,
}

/// A lower-case name without the ending of its compression, and whether it had one.
pub(crate) fn without_compression(lower: &str) -> (&str, bool) {
    for ending in [".gz", ".gzip", ".zst", ".zstd"] {
        if let Some(plain) = lower.strip_suffix(ending) {
            return (plain, true);
        }
    }
    (lower, false)
}

/// The compression of a file by its first bytes.
///
/// # Errors
/// An empty file that is named as a compressed one: its writer has not finished or has failed.
pub(super) fn compression(relative: &str, beginning: &[u8]) -> Result<Compression, ReadError> {
    Ok(match beginning {
        [0x1f, 0x8b, ..] => Compression::Gz,
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Compression::Zst,
        [] => {
            let lower = relative.to_ascii_lowercase();
            if without_compression(&lower).1 {
                let compression = if lower.contains(".gz") { "gz" } else { "zst" };
                return Err(ReadError::Truncated { compression });
            }
            Compression::None
        }
        _ => Compression::None,
    })
}

/// Refuses what is plainly something else than the formats that are read.
pub(super) fn refuse_unreadable(beginning: &[u8]) -> Result<(), ReadError> {
    let what = match beginning {
        [b'P', b'K', 3, 4, ..] => "a zip archive or an Excel workbook",
        [0xd0, 0xcf, 0x11, 0xe0, ..] => "an old Excel workbook",
        [b'B', b'Z', b'h', b'1'..=b'9', 0x31, ..] => "a bzip2 archive",
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => "an xz archive",
        [b'7', b'z', 0xbc, 0xaf, ..] => "a 7z archive",
        [0x04, 0x22, 0x4d, 0x18, ..] => "an lz4 archive",
        [0x1f, 0x8b, ..] | [0x28, 0xb5, 0x2f, 0xfd, ..] => "compressed twice",
        [b'%', b'P', b'D', b'F', ..] => "a PDF document",
        [b'O', b'b', b'j', 1, ..] => "an Avro file",
        [b'O', b'R', b'C', ..] if beginning.get(3).is_some_and(|byte| *byte < 32) => "an ORC file",
        _ if is_html(beginning) => "a web page (perhaps an error page instead of the export)",
        _ => return Ok(()),
    };
    Err(ReadError::NotReadable { what })
}

fn is_html(beginning: &[u8]) -> bool {
    let text = beginning.trim_ascii_start();
    let begins = |word: &[u8]| {
        text.get(..word.len())
            .is_some_and(|t| t.eq_ignore_ascii_case(word))
    };
    begins(b"<!doctype html") || begins(b"<html")
}

/// The format of a file: as set, by its name, or by its first bytes.
pub(super) fn recognise(set: Option<FileFormat>, relative: &str, beginning: &[u8]) -> Recognised {
    if let Some(format) = set {
        return Recognised {
            format,
            is_set: true,
        };
    }
    // These four bytes begin no text that means anything else.
    if beginning.starts_with(b"PAR1") {
        return Recognised {
            format: FileFormat::Parquet,
            is_set: false,
        };
    }
    let lower = relative.to_ascii_lowercase();
    let (plain, _) = without_compression(&lower);
    let format = match plain.rsplit_once('.').map(|(_, ending)| ending) {
        Some("csv") => FileFormat::Csv,
        Some("tsv" | "tab") => FileFormat::Tsv,
        Some("json") => FileFormat::Json,
        Some("jsonl" | "ndjson") => FileFormat::Ndjson,
        Some("parquet" | "pq") => FileFormat::Parquet,
        _ => by_content(beginning),
    };
    Recognised {
        format,
        is_set: false,
    }
}

/// JSON begins with a bracket in every encoding; all else is taken for CSV.
fn by_content(beginning: &[u8]) -> FileFormat {
    let is_mark = |byte: &u8| matches!(byte, 0 | 0xef | 0xbb | 0xbf | 0xfe | 0xff);
    let first = beginning
        .iter()
        .find(|byte| !is_mark(byte) && !byte.is_ascii_whitespace());
    match first {
        Some(b'{' | b'[') => FileFormat::Json,
        _ => FileFormat::Csv,
    }
}
