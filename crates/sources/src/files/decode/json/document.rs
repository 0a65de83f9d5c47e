//! Documents: each a record, or with records in a list or at a path; of any size.
//!
//! Only one record is held at a time. The end of a value is found by its brackets and quotes;
//! whether it is valid is checked when it is taken.

use std::collections::BTreeSet;

use super::Records;
use crate::error::ReadError;
use crate::files::decode::text::Text;

/// Lists within lists on the way to the records are followed so far.
const DEPTH_MAX: usize = 64;

/// Names that an error about a wrong path lists.
const NAMES_LISTED: usize = 12;

/// Reads all documents of a file.
pub(super) fn read(
    text: &mut Text,
    path: &[String],
    records: &mut Records<'_>,
) -> Result<(), ReadError> {
    let mut walk = Walk {
        text,
        records,
        path,
        has_arrived: false,
        furthest: 0,
        present: None,
    };
    let mut has_document = false;
    while walk.peek()?.is_some() {
        walk.value(0, 0)?;
        has_document = true;
    }
    if has_document && !walk.has_arrived && !path.is_empty() {
        return Err(walk.no_records());
    }
    Ok(())
}

/// A way through the documents.
struct Walk<'a, 'r> {
    text: &'a mut Text,
    records: &'a mut Records<'r>,
    path: &'a [String],
    /// The path led to something.
    has_arrived: bool,
    /// How far it led, and which names are there.
    furthest: usize,
    present: Option<BTreeSet<String>>,
}

impl Walk<'_, '_> {
    /// Reads the value that is next, `done` names down the path.
    fn value(&mut self, done: usize, depth: usize) -> Result<(), ReadError> {
        if depth > DEPTH_MAX {
            return Err(self.broken("lists are nested too deeply"));
        }
        let is_there = done == self.path.len();
        self.has_arrived |= is_there;
        match self.peek()? {
            Some(b'[') => self.list(done, depth),
            Some(b'{') if !is_there => self.object(done, depth),
            Some(b'n') if is_there && self.is_null()? => self.skip_value(),
            Some(_) if is_there => self.record(),
            Some(_) => self.skip_value(),
            None => Err(self.broken("the document ends where a value should stand")),
        }
    }

    /// Reads a list: of records, or of values that the path goes on in.
    fn list(&mut self, done: usize, depth: usize) -> Result<(), ReadError> {
        self.skip(1);
        loop {
            match self.peek()? {
                Some(b']') => {
                    self.skip(1);
                    return Ok(());
                }
                Some(b',') => self.skip(1),
                Some(_) if done == self.path.len() => self.record()?,
                Some(_) => self.value(done, depth + 1)?,
                None => return Err(self.broken("the document ends inside a list")),
            }
        }
    }

    /// Reads an object in which the path goes on.
    fn object(&mut self, done: usize, depth: usize) -> Result<(), ReadError> {
        self.skip(1);
        loop {
            match self.peek()? {
                Some(b'}') => {
                    self.skip(1);
                    return Ok(());
                }
                Some(b',') => self.skip(1),
                Some(b'"') => {
                    let name = self.name()?;
                    if self.peek()? != Some(b':') {
                        return Err(self.broken("a colon should stand behind a name"));
                    }
                    self.skip(1);
                    if self.path.get(done) == Some(&name) {
                        self.value(done + 1, depth + 1)?;
                    } else {
                        self.saw(done, name);
                        self.skip_value()?;
                    }
                }
                Some(_) => return Err(self.broken("a name in quotes should stand here")),
                None => return Err(self.broken("the document ends inside an object")),
            }
        }
    }

    /// Remembers a name, for the error if the path leads nowhere.
    fn saw(&mut self, done: usize, name: String) {
        if self.present.is_none() || done > self.furthest {
            (self.furthest, self.present) = (done, Some(BTreeSet::new()));
        }
        if let Some(present) = &mut self.present
            && done == self.furthest
            && present.len() < NAMES_LISTED
        {
            present.insert(name);
        }
    }

    /// Takes the value that is next as a record.
    fn record(&mut self) -> Result<(), ReadError> {
        let length = self.value_end()?;
        let line = self.text.line;
        let value = self.text.unread().get(..length).unwrap_or_default();
        if !self.records.push_valid(value, line)? {
            // Something that does not even begin like a value is damage of the document.
            if !value.starts_with(['{', '[']) {
                return Err(self.broken("a value should stand here"));
            }
            self.records.push_malformed(value, line)?;
        }
        self.skip(length);
        Ok(())
    }

    /// Whether the value that is next stands for no records at the end of a path.
    fn is_null(&mut self) -> Result<bool, ReadError> {
        let length = self.value_end()?;
        Ok(!self.path.is_empty() && self.text.unread().get(..length) == Some("null"))
    }

    /// Takes the name that is next.
    fn name(&mut self) -> Result<String, ReadError> {
        let length = self.value_end()?;
        let quoted = self.text.unread().get(..length).unwrap_or_default();
        let name = serde_json::from_str(quoted);
        let name = name.map_err(|error| self.broken(&error.to_string()))?;
        self.skip(length);
        Ok(name)
    }

    /// The length of the value that is next, which is then unread as a whole.
    fn value_end(&mut self) -> Result<usize, ReadError> {
        let mut end = ValueEnd::default();
        let mut looked = 0;
        loop {
            let bytes = self.text.unread().as_bytes();
            if let Some(length) = end.find(&bytes[looked..]) {
                return Ok((looked + length).max(1));
            }
            looked = bytes.len();
            if !self.text.more()? {
                return if end.may_end() {
                    Ok(looked)
                } else {
                    Err(self.broken("the document ends inside the value that begins here"))
                };
            }
        }
    }

    /// Leaves the value that is next out, however long it is.
    fn skip_value(&mut self) -> Result<(), ReadError> {
        let mut end = ValueEnd::default();
        self.peek()?;
        loop {
            let bytes = self.text.unread().as_bytes();
            let found = end.find(bytes);
            let length = found.unwrap_or(bytes.len());
            if found == Some(0) && !end.has_begun() {
                return Err(self.broken("a value should stand here"));
            }
            self.skip(length);
            if found.is_some() {
                return Ok(());
            }
            if !self.text.more()? {
                return if end.may_end() {
                    Ok(())
                } else {
                    Err(self.broken("the document ends inside a value"))
                };
            }
        }
    }

    /// The next byte that is not white space; what is before it is taken.
    fn peek(&mut self) -> Result<Option<u8>, ReadError> {
        loop {
            let bytes = self.text.unread().as_bytes();
            // 0x1e begins each record of a JSON text sequence (RFC 7464).
            let is_blank = |byte: &&u8| byte.is_ascii_whitespace() || **byte == 0x1e;
            let blank = bytes.iter().take_while(is_blank).count();
            let next = bytes.get(blank).copied();
            self.skip(blank);
            if next.is_some() || !self.text.more()? {
                return Ok(next);
            }
        }
    }

    /// Takes so many bytes.
    fn skip(&mut self, bytes: usize) {
        let taken = self
            .text
            .unread()
            .as_bytes()
            .get(..bytes)
            .unwrap_or_default();
        self.text.line += memchr::memchr_iter(b'\n', taken).count() as u64;
        self.text.take(bytes);
    }

    fn broken(&self, cause: &str) -> ReadError {
        ReadError::JsonBroken {
            line: self.text.line,
            cause: cause.to_owned(),
        }
    }

    fn no_records(&self) -> ReadError {
        let names = self
            .present
            .iter()
            .flatten()
            .map(|name| format!("`{name}`"));
        let present = names.collect::<Vec<_>>().join(", ");
        ReadError::NoRecords {
            path: self.path.join("."),
            at: match self.path.get(..self.furthest).unwrap_or_default() {
                [] => "the top".to_owned(),
                names => names.join("."),
            },
            present: if present.is_empty() {
                "no object".to_owned()
            } else {
                present
            },
        }
    }
}

/// Finds where a value ends, over as many pieces of text as it takes.
#[derive(Debug, Default)]
struct ValueEnd {
    depth: usize,
    is_in_string: bool,
    is_escaped: bool,
    /// A number or a word, which ends before the next sign.
    is_in_word: bool,
}

impl ValueEnd {
    /// The length of the rest of the value in this piece; none if it goes on behind it.
    fn find(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            if self.is_escaped {
                self.is_escaped = false;
                at += 1;
            } else if self.is_in_string {
                let next = memchr::memchr2(b'"', b'\\', &bytes[at..])?;
                at += next + 1;
                if bytes[at - 1] == b'\\' {
                    self.is_escaped = true;
                } else {
                    self.is_in_string = false;
                    if self.depth == 0 {
                        return Some(at);
                    }
                }
            } else if let Some(length) = self.outside(byte, at) {
                return Some(length);
            } else {
                at += 1;
            }
        }
        None
    }

    /// Takes a byte outside of strings.
    fn outside(&mut self, byte: u8, at: usize) -> Option<usize> {
        match byte {
            b'}' | b']' | b',' if self.depth == 0 => return Some(at),
            b'{' | b'[' | b'"' if self.is_in_word && self.depth == 0 => return Some(at),
            b'"' => self.is_in_string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => {
                self.depth -= 1;
                if self.depth == 0 {
                    return Some(at + 1);
                }
            }
            _ if self.depth > 0 => {}
            _ if byte.is_ascii_whitespace() => return self.is_in_word.then_some(at),
            _ => self.is_in_word = true,
        }
        None
    }

    /// Whether anything of a value was seen.
    fn has_begun(&self) -> bool {
        self.depth > 0 || self.is_in_string || self.is_in_word
    }

    /// Whether the value is whole if the file ends here.
    fn may_end(&self) -> bool {
        self.depth == 0 && !self.is_in_string && self.is_in_word
    }
}
