//! Why a file could not be read: what, where, why, and what to do.
//!
//! [`FileError`] names the file, [`ReadError`] the cause. Both stop one file only; whether others
//! go on is the caller's to say.

use std::io;

use crate::sink::SinkError;

/// A file that could not be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read `{file}`: {error}")]
pub struct FileError {
    /// Its path, relative to the project.
    pub file: String,
    /// The cause.
    #[source]
    pub error: ReadError,
}

impl FileError {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        self.error.hint()
    }

    /// The line (of the decoded text, from 1) on which it went wrong, where there is one.
    pub fn line(&self) -> Option<u64> {
        match self.error {
            ReadError::RecordTooLong { line, .. }
            | ReadError::UnclosedQuote { line }
            | ReadError::WrongEncoding { line, .. }
            | ReadError::JsonBroken { line, .. } => Some(line),
            _ => None,
        }
    }

    /// The file is being written: read it again in the next run.
    pub fn is_changing(&self) -> bool {
        matches!(self.error, ReadError::Changed)
    }
}

/// Why a file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It is gone.
    #[error("the file no longer exists")]
    Gone,
    /// The operating system refuses.
    #[error("permission denied")]
    NoPermission,
    /// A folder, a pipe or a device.
    #[error("it is not a file")]
    NotAFile,
    /// The operating system failed.
    #[error("reading failed: {0}")]
    Io(#[source] io::Error),
    /// Size, time or content are not what they were when the file was found.
    #[error("the file changed while it was read")]
    Changed,
    /// The compressed data end too early.
    #[error("the compressed data are cut off: the {compression} stream ends before its end mark")]
    Truncated {
        /// `gz` or `zst`.
        compression: &'static str,
    },
    /// The compressed data are damaged.
    #[error("the compressed data are damaged: {cause}")]
    Damaged {
        /// What the decompressor says.
        cause: io::Error,
    },
    /// A format that is known, but not read.
    #[error("it is {what}, which is not read")]
    NotReadable {
        /// What it is, with its article.
        what: &'static str,
    },
    /// Another format than the project or the file's name says.
    #[error("{by} says {said}, but it holds {found}")]
    Misdeclared {
        /// What says so: `format`, `compression` or the file's name.
        by: &'static str,
        /// What it says.
        said: &'static str,
        /// What the file's first bytes are.
        found: &'static str,
    },
    /// Another encoding than the project says.
    #[error("line {line} is not written in {encoding}, which `encoding` says{}", as_what(*.seems))]
    WrongEncoding {
        /// The first line that is not.
        line: u64,
        /// WHATWG name of what the project says.
        encoding: &'static str,
        /// WHATWG name of what it seems to be, where that can be told.
        seems: Option<&'static str>,
    },
    /// The reader itself failed.
    #[error("the reader failed: {what}")]
    Defect {
        /// What it said.
        what: String,
    },
    /// A setting of the stream that is not valid.
    #[error("`{setting}: {value}` is not valid: {cause}")]
    Setting {
        /// The name of the setting.
        setting: &'static str,
        /// What it was set to.
        value: String,
        /// Why it is not valid.
        cause: String,
    },
    /// The delimiter that was set is not in the header, but another one is.
    #[error("the header has no {set:?}, the delimiter that is set, but has {found:?}")]
    WrongDelimiter {
        /// The delimiter in the settings.
        set: char,
        /// What seems to be the delimiter.
        found: char,
    },
    /// More columns than [`crate::COLUMNS_MAX`].
    #[error("the header has {columns} columns, more than {limit}")]
    TooManyColumns {
        /// How many there are.
        columns: usize,
        /// How many are read.
        limit: usize,
    },
    /// A row or record longer than [`crate::RECORD_BYTES_MAX`], or than `record_max_mib` says.
    #[error("the row that begins on line {line} is longer than {limit_bytes} bytes")]
    RecordTooLong {
        /// Where it begins.
        line: u64,
        /// How long it may be.
        limit_bytes: usize,
    },
    /// More rows than [`crate::ROWS_MAX`].
    #[error("the file has more than {limit} rows")]
    TooManyRows {
        /// How many are read.
        limit: u64,
    },
    /// A quoted field that is never closed, so that all rows behind it would be one.
    #[error("the quote that is opened on line {line} is never closed")]
    UnclosedQuote {
        /// Where it is opened.
        line: u64,
    },
    /// A JSON document that is broken outside its records.
    #[error("broken JSON on line {line}: {cause}")]
    JsonBroken {
        /// Where.
        line: u64,
        /// What is wrong.
        cause: String,
    },
    /// The path to the records leads nowhere.
    #[error("no document has records at `{path}`; at `{at}` there is: {present}")]
    NoRecords {
        /// The path in the settings.
        path: String,
        /// How far it leads.
        at: String,
        /// The names found there.
        present: String,
    },
    /// Parquet that cannot be decoded.
    #[error("cannot decode the Parquet file: {0}")]
    Parquet(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The consumer of the rows took no more.
    #[error("the rows could not be handed on: {0}")]
    Sink(#[from] SinkError),
}

/// The end of a sentence about an encoding.
fn as_what(encoding: Option<&str>) -> String {
    encoding.map_or_else(String::new, |name| format!("; it seems to be {name}"))
}

impl ReadError {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Gone => "if it was moved on purpose, run again",
            Self::NoPermission => "let the user that runs this read the file",
            Self::NotAFile => "name a file, or write the folder as `folder/*.csv`",
            Self::Changed => {
                "it is read again in the next run; \
                              write to another name and rename when done"
            }
            Self::Truncated { .. } | Self::Damaged { .. } => {
                "fetch the file again; nothing of it was loaded"
            }
            Self::NotReadable { .. } => "export it as CSV, JSON lines or Parquet, plain, gz or zst",
            Self::Misdeclared { .. } => {
                "correct or leave out the setting, or the file's name; \
                                         or was another file put there?"
            }
            Self::WrongEncoding { .. } => {
                "set `encoding` to the one it is written in (`windows-1252` is the usual one of \
                 older programs), or leave it out to have such characters replaced"
            }
            Self::Defect { .. } => "please report it, with the file's first lines if you can",
            Self::WrongDelimiter { .. } => {
                "leave `delimiter` out, or set it to the one in the file"
            }
            Self::TooManyColumns { .. } => {
                "check `delimiter` and `skip_lines`; \
                                            or does the file lack line ends?"
            }
            Self::RecordTooLong { .. } => {
                "check for a quote that is never closed and for a file without line ends; \
                 rows that are meant to be so long need `record_max_mib`"
            }
            Self::TooManyRows { .. } => "split the file",
            Self::UnclosedQuote { .. } => {
                "close or double the quote; \
                                           or was the file cut off? nothing of it was loaded"
            }
            Self::JsonBroken { .. } => {
                "check the document with a JSON tool; \
                                        for one record on each line set `format: ndjson`"
            }
            Self::NoRecords { .. } => "set `records` to where the list stands in the document",
            Self::Parquet(_) => "fetch the file again, or export it as CSV or JSON lines",
            Self::Setting { .. } => "correct it in `throughline.yml`",
            Self::Io(_) | Self::Sink(_) => return None,
        })
    }
}

/// The cause of an I/O error of the file itself.
impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::Gone,
            io::ErrorKind::PermissionDenied => Self::NoPermission,
            io::ErrorKind::IsADirectory => Self::NotAFile,
            _ => Self::Io(error),
        }
    }
}
