//! The text of a file: decoded to UTF-8 piece by piece, with what is not yet read kept in reach.
//!
//! Bytes that are no characters of an encoding that was recognised become replacement characters,
//! and are counted. An encoding that is set is a promise: the first such byte ends the reading.

use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE};

use super::bytes::Input;
use super::stats::Tally;
use super::{Limits, format};
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
    /// Characters that had to be replaced.
    pub(super) replaced: Tally,
    /// The project says the encoding.
    is_set: bool,
}

impl Text {
    /// Begins to decode. A byte order mark says the encoding; else it is the one that is set,
    /// else UTF-8.
    ///
    /// # Errors
    /// The encoding that is set is not known or plainly not the file's, the bytes are no text, or
    /// the file cannot be read.
    pub(super) fn open(
        mut input: Input,
        set: Option<&str>,
        limits: Limits,
    ) -> Result<Self, ReadError> {
        let beginning = input.peek(format::PEEK_BYTES)?;
        let marked = Encoding::for_bom(beginning);
        let (encoding, mark_bytes) = match (marked, set) {
            (Some(marked), _) => marked,
            (None, Some(label)) => {
                let encoding = named(label)?;
                refuse_other(encoding, beginning)?;
                (encoding, 0)
            }
            (None, None) => (unmarked(beginning), 0),
        };
        if encoding != UTF_16LE && encoding != UTF_16BE {
            format::refuse_binary(beginning)?;
        }
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
            replaced: Tally::default(),
            is_set: set.is_some() && marked.is_none(),
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
        self.decode(length)?;
        Ok(true)
    }

    /// Puts a replacement character for bytes that are none.
    fn replace(&mut self) -> Result<(), ReadError> {
        let line = if self.replaced.count == 0 {
            self.line + memchr::memchr_iter(b'\n', self.unread().as_bytes()).count() as u64
        } else {
            self.replaced.first_line
        };
        if self.is_set {
            return Err(ReadError::WrongEncoding {
                line,
                encoding: self.encoding(),
                seems: None,
            });
        }
        self.text.push(char::REPLACEMENT_CHARACTER);
        self.replaced.add(line);
        Ok(())
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
    fn decode(&mut self, length: usize) -> Result<(), ReadError> {
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
                DecoderResult::InputEmpty => return Ok(()),
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(..) => self.replace()?,
            }
        }
    }
}

/// What an encoding other than the one that is set seems to be, if the first bytes tell it.
fn refuse_other(set: &'static Encoding, beginning: &[u8]) -> Result<(), ReadError> {
    let is_wide = |encoding| encoding == UTF_16LE || encoding == UTF_16BE;
    let looks = unmarked(beginning);
    let is_utf_8 = match std::str::from_utf8(beginning) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    };
    let seems = if is_wide(looks) && set != looks {
        looks
    } else if is_wide(set) && looks == UTF_8 && is_utf_8 && !beginning.contains(&0) {
        UTF_8
    } else if set.is_single_byte() && is_utf_8 && !beginning.is_ascii() {
        // Bytes above 127 that by chance are all whole characters of UTF-8 hardly ever occur.
        UTF_8
    } else {
        return Ok(());
    };
    let outside = if is_wide(seems) || is_wide(set) {
        0
    } else {
        beginning.iter().take_while(|byte| byte.is_ascii()).count()
    };
    let before = beginning.get(..outside).unwrap_or_default();
    Err(ReadError::WrongEncoding {
        line: 1 + memchr::memchr_iter(b'\n', before).count() as u64,
        encoding: set.name(),
        seems: Some(seems.name()),
    })
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

/// UTF-8, unless most second bytes are zero, as in UTF-16 of Latin letters: delimiters, digits and
/// line ends are among them in every language.
fn unmarked(beginning: &[u8]) -> &'static Encoding {
    let (pairs, _) = beginning.as_chunks::<2>();
    let most = |test: fn(&&[u8; 2]) -> bool| {
        pairs.len() >= 2 && pairs.iter().filter(test).count() * 2 > pairs.len()
    };
    if most(|pair| pair[0] != 0 && pair[1] == 0) {
        UTF_16LE
    } else if most(|pair| pair[0] == 0 && pair[1] != 0) {
        UTF_16BE
    } else {
        UTF_8
    }
}
