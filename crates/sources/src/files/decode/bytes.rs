//! The bytes of a file: decompressed, counted and hashed on the way.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::rc::Rc;

use domain::config::Compression;
use flate2::bufread::MultiGzDecoder;
use xxhash_rust::xxh3::Xxh3;

use super::format;
use crate::error::ReadError;
use crate::files::id;

/// How much is read from the file at a time.
const BUFFER_BYTES: usize = 256 << 10;

/// As the settings call it.
fn name_of(compression: Compression) -> &'static str {
    match compression {
        Compression::None => "none",
        Compression::Gz => "gz",
        Compression::Zst => "zst",
    }
}

/// What has been read of the file as it lies.
#[derive(Clone, Default)]
pub(super) struct Meter(Rc<RefCell<(Xxh3, u64)>>);

impl Meter {
    /// How many bytes were read.
    pub(super) fn bytes(&self) -> u64 {
        self.0.borrow().1
    }

    /// The hash of what was read.
    pub(super) fn hash(&self) -> String {
        id::hex(&self.0.borrow().0)
    }
}

/// A file whose bytes are counted and hashed as they are read.
struct Metered {
    file: File,
    meter: Meter,
}

impl Read for Metered {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        let mut meter = self.meter.0.borrow_mut();
        meter.0.update(&buffer[..count]);
        meter.1 += count as u64;
        Ok(count)
    }
}

/// The decompressed bytes of a file.
pub(super) struct Input {
    reader: Box<dyn Read>,
    /// Looked at, but not yet read.
    pending: Vec<u8>,
    compression: Compression,
    meter: Meter,
}

impl Input {
    /// Opens a file; its compression is the one that is set, or else recognised.
    pub(super) fn open(
        file: File,
        relative: &str,
        set: Option<Compression>,
    ) -> Result<Self, ReadError> {
        let meter = Meter::default();
        let metered = Metered {
            file,
            meter: meter.clone(),
        };
        let mut raw = BufReader::with_capacity(BUFFER_BYTES, metered);
        let beginning = raw.fill_buf()?;
        let found = format::compression(relative, beginning)?;
        let compression = set.unwrap_or(found);
        match (set, found) {
            (Some(Compression::Gz), _) if beginning.is_empty() => {
                return Err(ReadError::Truncated { compression: "gz" });
            }
            (Some(Compression::Zst), _) if beginning.is_empty() => {
                return Err(ReadError::Truncated { compression: "zst" });
            }
            (Some(set), found) if set != found => {
                return Err(ReadError::Misdeclared {
                    by: "`compression`",
                    said: name_of(set),
                    found: match found {
                        Compression::None => "bytes that are not compressed by it",
                        found => name_of(found),
                    },
                });
            }
            _ => {}
        }
        let reader: Box<dyn Read> = match compression {
            Compression::None => Box::new(raw),
            Compression::Gz => Box::new(MultiGzDecoder::new(raw)),
            Compression::Zst => {
                Box::new(zstd::stream::read::Decoder::with_buffer(raw).map_err(ReadError::Io)?)
            }
        };
        Ok(Self {
            reader,
            pending: Vec::new(),
            compression,
            meter,
        })
    }

    pub(super) fn meter(&self) -> Meter {
        self.meter.clone()
    }

    pub(super) fn compression(&self) -> Compression {
        self.compression
    }

    /// The next bytes, up to `count` or the end, without taking them.
    pub(super) fn peek(&mut self, count: usize) -> Result<&[u8], ReadError> {
        let mut length = self.pending.len();
        self.pending.resize(count.max(length), 0);
        while length < count {
            match self.reader.read(&mut self.pending[length..]) {
                Ok(0) => break,
                Ok(read) => length += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(self.failed(error)),
            }
        }
        self.pending.truncate(length);
        Ok(&self.pending)
    }

    /// Takes the next bytes; 0 at the end.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, ReadError> {
        if !self.pending.is_empty() {
            let count = buffer.len().min(self.pending.len());
            buffer[..count].copy_from_slice(&self.pending[..count]);
            self.pending.drain(..count);
            return Ok(count);
        }
        loop {
            match self.reader.read(buffer) {
                Ok(count) => return Ok(count),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(self.failed(error)),
            }
        }
    }

    /// Refuses what can only be read from a file that is not compressed.
    pub(super) fn refuse_compression(&self, what: &'static str) -> Result<(), ReadError> {
        match self.compression {
            Compression::None => Ok(()),
            Compression::Gz | Compression::Zst => Err(ReadError::NotReadable { what }),
        }
    }

    /// What an error means: of a decompressor, or of the file below it.
    fn failed(&self, error: io::Error) -> ReadError {
        let compression = match self.compression {
            Compression::None => return error.into(),
            compression => name_of(compression),
        };
        match error.kind() {
            ErrorKind::UnexpectedEof => ReadError::Truncated { compression },
            ErrorKind::InvalidData | ErrorKind::InvalidInput | ErrorKind::Other => {
                ReadError::Damaged { cause: error }
            }
            _ => error.into(),
        }
    }
}
