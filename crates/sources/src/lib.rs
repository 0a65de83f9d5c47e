//! Data comes in: files are found, read and decoded into raw record batches.
//!
//! The contract: everything in a file becomes a row, as text, exactly as received; what a value
//! means is decided in silver, never here. Reading is a stream in constant memory. A file is
//! loaded whole or not at all: what a [`RowSink`] was given counts only when [`read`] returned
//! `Ok`. Nothing here knows the lake, an engine or a clock.
//!
//! The way of a file: [`find`] lists it, [`FoundFile::content_hash`] says which version of it
//! lies there, [`read`] hands its rows to a sink that the caller brings.

mod error;
mod files;
mod sink;

pub use error::{FileError, ReadError};
pub use files::decode::stats::{ReadStats, Tally, Warning};
pub use files::decode::{BATCH_BYTES, BATCH_ROWS, COLUMNS_MAX, RECORD_BYTES_MAX, ROWS_MAX, read};
pub use files::find::{Finding, Found, FoundFile, find};
pub use files::id::{content_hash, file_id, raw_id};
pub use files::schema::{
    MALFORMED, META_COLUMNS, PAYLOAD, PREAMBLE, SURPLUS, payload_schema, text_schema,
};
pub use sink::{Collected, RowSink, SinkError};
