//! One file, decoded: which compression, encoding and format it has is recognised (or set), its
//! rows are handed on in batches, and at the end it is checked that it was one and the same file
//! all the while.

mod bytes;
mod csv;
mod effective;
pub(crate) mod format;
mod json;
mod parquet;
mod rows;
pub(crate) mod stats;
mod text;

use domain::config::{FileFormat, Stream};

use self::bytes::Input;
use self::effective::Effective;
use self::rows::Target;
use self::stats::ReadStats;
use self::text::Text;
use crate::error::{FileError, ReadError};
use crate::files::find::FoundFile;
use crate::files::id;
use crate::sink::RowSink;

/// Rows of a batch.
pub const BATCH_ROWS: usize = 8192;

/// Bytes of text after which a batch is handed on with fewer rows.
pub const BATCH_BYTES: usize = 8 << 20;

/// Longest row or record, in bytes of its text, unless the stream's `record_max_mib` says
/// otherwise. It is held in memory whole, a few times over.
pub const RECORD_BYTES_MAX: usize = 16 << 20;

/// The most that `record_max_mib` can say: columns of text cannot hold much more.
const RECORD_MIB_MAX: usize = 1024;

/// Most columns of a text file.
pub const COLUMNS_MAX: usize = 4096;

/// Most rows of a file: what fits into a `_raw_id`.
pub const ROWS_MAX: u64 = (1 << id::ROW_BITS) - 1;

/// The limits that hold while a file is read.
#[derive(Debug, Clone, Copy)]
struct Limits {
    batch_rows: usize,
    batch_bytes: usize,
    record_bytes_max: usize,
    rows_max: u64,
    /// How much is decoded at a time.
    chunk_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            batch_rows: BATCH_ROWS,
            batch_bytes: BATCH_BYTES,
            record_bytes_max: RECORD_BYTES_MAX,
            rows_max: ROWS_MAX,
            chunk_bytes: 256 << 10,
        }
    }
}

impl Limits {
    /// The limits of a stream.
    ///
    /// # Errors
    /// A limit is none that can be kept.
    fn of(stream: &Stream) -> Result<Self, ReadError> {
        let mut limits = Self::default();
        if let Some(mebibytes) = stream.files.record_max_mib {
            if !(1..=RECORD_MIB_MAX).contains(&mebibytes) {
                return Err(ReadError::Setting {
                    setting: "record_max_mib",
                    value: mebibytes.to_string(),
                    cause: format!("it must be a number from 1 to {RECORD_MIB_MAX}"),
                });
            }
            limits.record_bytes_max = mebibytes << 20;
        }
        Ok(limits)
    }
}

/// Reads a file and hands its rows to a sink.
///
/// `content_hash` is the file's, as [`FoundFile::content_hash`] gave it: the rows' ids are made
/// from it, and a file that no longer has this content is refused. What follows a `#` in it is no
/// part of the hash, only of the ids: for a content that returns after another one.
///
/// # Errors
/// The file cannot be read whole, see [`ReadError`]; then nothing that the sink was given counts.
pub fn read(
    stream: &Stream,
    file: &FoundFile,
    content_hash: &str,
    sink: &mut dyn RowSink,
) -> Result<ReadStats, FileError> {
    let read =
        Limits::of(stream).and_then(|limits| read_within(stream, file, content_hash, sink, limits));
    read.map_err(|error| FileError {
        file: file.relative.clone(),
        error,
    })
}

/// The hash itself, without what makes its ids different.
fn content_of(content_hash: &str) -> &str {
    content_hash.split('#').next().unwrap_or(content_hash)
}

fn read_within(
    stream: &Stream,
    file: &FoundFile,
    content_hash: &str,
    sink: &mut dyn RowSink,
    limits: Limits,
) -> Result<ReadStats, ReadError> {
    let opened = id::open(&file.path)?;
    let metadata = opened.metadata()?;
    if !file.is_unchanged(&metadata) {
        return Err(ReadError::Changed);
    }
    let effective = Effective::of(stream, &file.relative)?;
    let for_parquet = opened.try_clone()?;
    let mut input = Input::open(opened, &file.relative, stream.files.compression)?;
    let beginning = input.peek(format::PEEK_BYTES)?;
    format::refuse_unreadable(beginning)?;
    let recognised = format::recognise(stream.files.format, &file.relative, beginning);
    format::refuse_other_format(recognised, beginning)?;
    let meter = input.meter();
    let target = Target {
        sink,
        limits,
        meter: meter.clone(),
        file: file.relative.clone(),
        file_id: id::file_id(&stream.source, &stream.name, &file.relative, content_hash),
        stats: ReadStats::new(recognised.format, input.compression()),
    };
    let read = match recognised.format {
        FileFormat::Parquet => {
            input.refuse_compression("a compressed Parquet file")?;
            parquet::read(for_parquet, target, &effective)
        }
        FileFormat::Csv | FileFormat::Tsv => {
            let text = Text::open(input, stream.files.encoding.as_deref(), limits)?;
            csv::read(
                text,
                target,
                &effective,
                &csv::Settings::of(&stream.files, recognised)?,
            )
        }
        FileFormat::Json | FileFormat::Ndjson => {
            let text = Text::open(input, stream.files.encoding.as_deref(), limits)?;
            json::read(
                text,
                target,
                &effective,
                &json::Settings::of(&stream.files, recognised),
            )
        }
    };
    // A file that is being written fails in many ways; that it changes is the true reason.
    let now = std::fs::metadata(&file.path)?;
    if !file.is_unchanged(&now) {
        return Err(ReadError::Changed);
    }
    let mut stats = read?;
    // Parquet is not read from beginning to end, so its bytes are hashed once more.
    let hash = match recognised.format {
        FileFormat::Parquet => id::content_hash(&file.path)?,
        _ => meter.hash(),
    };
    if hash != content_of(content_hash) {
        return Err(ReadError::Changed);
    }
    stats.bytes = file.size_bytes;
    Ok(stats)
}

#[cfg(test)]
mod tests;
