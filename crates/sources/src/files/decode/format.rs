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
    /// Neither the project nor the file's name says it, only the content.
    is_guessed: bool,
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
        [0, 0, 0, 0, ..] if beginning.iter().all(|byte| *byte == 0) => {
            "nothing but zero bytes (perhaps its writer was cut off)"
        }
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
            is_guessed: false,
        };
    }
    let lower = relative.to_ascii_lowercase();
    let (plain, _) = without_compression(&lower);
    let named = match plain.rsplit_once('.').map(|(_, ending)| ending) {
        Some("csv") => Some(FileFormat::Csv),
        Some("tsv" | "tab") => Some(FileFormat::Tsv),
        Some("json") => Some(FileFormat::Json),
        Some("jsonl" | "ndjson") => Some(FileFormat::Ndjson),
        Some("parquet" | "pq") => Some(FileFormat::Parquet),
        _ => None,
    };
    Recognised {
        format: named.unwrap_or_else(|| by_content(beginning)),
        is_set: false,
        is_guessed: named.is_none(),
    }
}

/// Refuses a file whose first bytes are plainly of another format than the one that it is said to
/// have: read all the same, it would be rows of nonsense.
pub(super) fn refuse_other_format(
    recognised: Recognised,
    beginning: &[u8],
) -> Result<(), ReadError> {
    let mut text = beginning.iter().filter(|byte| !is_mark(byte));
    let is_blank = text.all(u8::is_ascii_whitespace);
    let found = match recognised.format {
        _ if recognised.is_guessed => return Ok(()),
        FileFormat::Parquet if beginning.is_empty() => "nothing",
        FileFormat::Parquet if beginning.starts_with(PARQUET) => return Ok(()),
        FileFormat::Parquet if is_json(beginning) => "JSON",
        FileFormat::Parquet => "something else, perhaps text",
        _ if is_blank => return Ok(()),
        _ if beginning.starts_with(PARQUET) => "Parquet",
        FileFormat::Csv | FileFormat::Tsv if is_json(beginning) => "JSON",
        FileFormat::Json | FileFormat::Ndjson if !has_json_line(beginning) => {
            "no JSON, perhaps CSV"
        }
        _ => return Ok(()),
    };
    Err(ReadError::Misdeclared {
        by: if recognised.is_set {
            "`format`"
        } else {
            "the file's name"
        },
        said: match recognised.format {
            FileFormat::Csv => "CSV",
            FileFormat::Tsv => "TSV",
            FileFormat::Json => "JSON",
            FileFormat::Ndjson => "JSON lines",
            FileFormat::Parquet => "Parquet",
        },
        found,
    })
}

/// The first bytes of every Parquet file; they begin no text that means anything else.
const PARQUET: &[u8] = b"PAR1";

/// Byte order marks, the zeros of UTF-16, and the sign that begins a record of a JSON sequence.
fn is_mark(byte: &u8) -> bool {
    matches!(byte, 0 | 0xef | 0xbb | 0xbf | 0xfe | 0xff | 0x1e)
}

/// Whether a text begins as JSON does, and as no header would.
fn is_json(beginning: &[u8]) -> bool {
    let mut signs = beginning
        .iter()
        .filter(|byte| !is_mark(byte) && !byte.is_ascii_whitespace());
    match signs.next() {
        Some(b'{') => matches!(signs.next(), Some(b'"' | b'}')),
        Some(b'[') => matches!(signs.next(), Some(b'{' | b'[' | b']')),
        _ => false,
    }
}

/// Whether any of the first lines begins as a record or a list of them does.
fn has_json_line(beginning: &[u8]) -> bool {
    beginning.split(|byte| *byte == b'\n').any(|line| {
        let first = line
            .iter()
            .find(|byte| !is_mark(byte) && !byte.is_ascii_whitespace());
        matches!(first, Some(b'{' | b'['))
    })
}

/// Refuses bytes that are no text: much of them are control characters.
pub(super) fn refuse_binary(beginning: &[u8]) -> Result<(), ReadError> {
    let is_control =
        |byte: &&u8| matches!(byte, 0..=8 | 0x0b | 0x0e..=0x19 | 0x1b) || **byte == 0x7f;
    let count = beginning.iter().filter(is_control).count();
    if count > 8 && count > beginning.len() / 8 {
        let what = "binary data";
        return Err(ReadError::NotReadable { what });
    }
    Ok(())
}

/// Parquet by its mark; JSON begins with a bracket in every encoding; all else is taken for CSV.
fn by_content(beginning: &[u8]) -> FileFormat {
    if beginning.starts_with(PARQUET) {
        return FileFormat::Parquet;
    }
    let first = beginning
        .iter()
        .find(|byte| !is_mark(byte) && !byte.is_ascii_whitespace());
    match first {
        Some(b'{' | b'[') => FileFormat::Json,
        _ => FileFormat::Csv,
    }
}
