//! The text of a file: decoded to UTF-8 piece by piece, with what is not yet read kept in reach.
//!
//! Bytes that are no characters become replacement characters, and are counted.

use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE};

use super::Limits;
use super::bytes::Input;
use crate::error::ReadError;

/// The decoded text of a file, as a window that moves over it.
pub(super) struct Text {
    input: Input,
    decoder: Decoder,
    raw: Vec<u8>,
    text: String,
    start: usize,
    is_at_end: bool,
    limits: Limits,
    /// Line (from 1) of what is read next; the readers keep it.
    pub(super) line: u64,
    /// How many characters had to be replaced.
    pub(super) replaced: u64,
}

impl Text {
    /// Begins to decode. A byte order mark says the encoding; else it is the one that is set,
    /// else UTF-8.
    ///
    /// # Errors
    /// The encoding that is set is not known, or the file cannot be read.
    pub(super) fn open(
        mut input: Input,
        set: Option<&str>,
        limits: Limits,
    ) -> Result<Self, ReadError> {
        let beginning = input.peek(64)?;
        let (encoding, mark_bytes) = match (Encoding::for_bom(beginning), set) {
            (Some(marked), _) => marked,
            (None, Some(label)) => (named(label)?, 0),
            (None, None) => (unmarked(beginning), 0),
        };
        let mut mark = [0; 4];
        if mark_bytes > 0 {
            input.read(&mut mark[..mark_bytes])?;
        }
        Ok(Self {
            input,
            decoder: encoding.new_decoder_without_bom_handling(),
            raw: Vec::new(),
            text: String::new(),
            start: 0,
            is_at_end: false,
            limits,
            line: 1,
            replaced: 0,
        })
    }

    /// WHATWG name of the encoding.
    pub(super) fn encoding(&self) -> &'static str {
        self.decoder.encoding().name()
    }

    /// What is decoded and not yet taken.
    pub(super) fn unread(&self) -> &str {
        self.text.get(self.start..).unwrap_or_default()
    }

    /// Whether [`Self::unread`] is all that is left.
    pub(super) fn is_at_end(&self) -> bool {
        self.is_at_end
    }

    /// Takes bytes from the front of [`Self::unread`].
    pub(super) fn take(&mut self, bytes: usize) {
        self.start += bytes;
    }

    /// Decodes more behind what is unread; false if there is no more.
    ///
    /// # Errors
    /// The file cannot be read, or what is unread is already a record that is too long.
    pub(super) fn more(&mut self) -> Result<bool, ReadError> {
        if self.is_at_end {
            return Ok(false);
        }
        self.text.drain(..self.start);
        self.start = 0;
        if self.text.len() > self.limits.record_bytes_max {
            return Err(self.too_long());
        }
        // As much again as there is, so that a long record is not searched over and over; but no
        // more than shows that it is too long.
        let Limits {
            record_bytes_max,
            chunk_bytes,
            ..
        } = self.limits;
        let most = record_bytes_max + chunk_bytes - self.text.len();
        let wanted = self.text.len().max(chunk_bytes).min(most);
        self.raw.resize(wanted, 0);
        let mut length = 0;
        while length < wanted {
            match self.input.read(&mut self.raw[length..])? {
                0 => {
                    self.is_at_end = true;
                    break;
                }
                count => length += count,
            }
        }
        self.decode(length);
        Ok(true)
    }

    /// Makes sure that `bytes` are unread, unless the file ends before.
    pub(super) fn look_ahead(&mut self, bytes: usize) -> Result<(), ReadError> {
        let bytes = bytes.min(self.limits.record_bytes_max);
        while self.unread().len() < bytes && self.more()? {}
        Ok(())
    }

    /// The error for a record that begins here and is too long.
    pub(super) fn too_long(&self) -> ReadError {
        let limit_bytes = self.limits.record_bytes_max;
        ReadError::RecordTooLong {
            line: self.line,
            limit_bytes,
        }
    }

    /// Decodes the first `length` bytes of `raw`.
    fn decode(&mut self, length: usize) {
        let mut from = 0;
        loop {
            let source = &self.raw[from..length];
            let needed = self
                .decoder
                .max_utf8_buffer_length_without_replacement(source.len());
            self.text
                .reserve(needed.unwrap_or(source.len() * 3).max(16));
            let (result, read) = self.decoder.decode_to_string_without_replacement(
                source,
                &mut self.text,
                self.is_at_end,
            );
            from += read;
            match result {
                DecoderResult::InputEmpty => break,
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(..) => {
                    self.text.push(char::REPLACEMENT_CHARACTER);
                    self.replaced += 1;
                }
            }
        }
    }
}

/// The encoding of a name.
fn named(label: &str) -> Result<&'static Encoding, ReadError> {
    Encoding::for_label(label.as_bytes()).ok_or_else(|| ReadError::Setting {
        setting: "encoding",
        value: label.to_owned(),
        cause: "no encoding has this name; `utf-8`, `utf-16le`, `windows-1252` are some that are \
                known"
            .to_owned(),
    })
}

/// UTF-8, unless every second byte is zero, as in UTF-16 of Latin letters.
fn unmarked(beginning: &[u8]) -> &'static Encoding {
    let (pairs, _) = beginning.as_chunks::<2>();
    let all = |test: fn(&[u8; 2]) -> bool| pairs.len() >= 2 && pairs.iter().all(test);
    if all(|pair| pair[0] != 0 && pair[1] == 0) {
        UTF_16LE
    } else if all(|pair| pair[0] == 0 && pair[1] != 0) {
        UTF_16BE
    } else {
        UTF_8
    }
}
