//! Which file a row is from, and which row of it: numbers that are the same on every machine and
//! in every run.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use crate::error::ReadError;

/// Bits of a `_raw_id` that hold the row number.
pub(crate) const ROW_BITS: u32 = 29;

/// Bits of a `_raw_id` that hold the file: with the row's they leave the sign bit free.
const FILE_BITS: u32 = 34;

/// The 128-bit XXH3 of a file's bytes as they lie, as 32 hexadecimal digits.
///
/// # Errors
/// The file cannot be opened or read.
pub fn content_hash(path: &Path) -> Result<String, ReadError> {
    let mut file = open(path)?;
    let mut hash = Xxh3::new();
    let mut buffer = vec![0; 1 << 18];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex(&hash)),
            count => hash.update(&buffer[..count]),
        }
    }
}

/// Opens a file, and nothing else: to open a pipe would wait for its writer.
pub(crate) fn open(path: &Path) -> Result<File, ReadError> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(ReadError::NotAFile);
    }
    let file = File::open(path)?;
    if !file.metadata()?.is_file() {
        return Err(ReadError::NotAFile);
    }
    Ok(file)
}

/// The digits of a finished 128-bit hash.
pub(crate) fn hex(hash: &Xxh3) -> String {
    format!("{:032x}", hash.digest128())
}

/// The number of one version of a file in a stream: 34 bits of the XXH3 of
/// `<source>.<stream>/<relative path><content hash>`.
pub fn file_id(source: &str, stream: &str, relative: &str, content_hash: &str) -> i64 {
    let text = format!("{source}.{stream}/{relative}{content_hash}");
    // The shift leaves 34 bits, which always fit.
    (xxh3_64(text.as_bytes()) >> (64 - FILE_BITS)).cast_signed()
}

/// The number of a row: the file's number, then the row's (from 1).
pub fn raw_id(file_id: i64, row: i64) -> i64 {
    (file_id << ROW_BITS) | row
}

/// The hash of a row as it was received.
pub(crate) fn row_hash(bytes: &[u8]) -> i64 {
    xxh3_64(bytes).cast_signed()
}
