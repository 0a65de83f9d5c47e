//! A reader of JSON texts that hands out slices: members, elements, raw values.
//!
//! It is as strict as RFC 8259 in what it takes for JSON, and as cheap as looking at each byte
//! once: values that nobody asks for are only walked over, numbers stay as they are written, texts
//! are copied only by who wants them. It never recurses deeper than a limit and never allocates.

use std::borrow::Cow;

/// Deepest nesting of a document.
const DEPTH_MAX: usize = 128;

/// The text is no JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NoJson;

type Result<T> = std::result::Result<T, NoJson>;

/// What kind of value comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `{`
    Object,
    /// `[`
    List,
    /// `"`
    Text,
    /// `null`
    Null,
    /// A number, `true` or `false`.
    Other,
}

/// A text as it stands between its quotes.
#[derive(Debug, Clone, Copy)]
pub(super) struct RawText<'a> {
    inner: &'a str,
    has_escapes: bool,
}

/// Reads one document from its start to its end.
pub(super) struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            depth: 0,
        }
    }

    /// Kind of the value that comes next.
    pub(super) fn kind(&mut self) -> Kind {
        match self.next_byte() {
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::List,
            Some(b'"') => Kind::Text,
            Some(b'n') => Kind::Null,
            _ => Kind::Other,
        }
    }

    /// Enters the object or list that comes next.
    pub(super) fn enter(&mut self) -> Result<()> {
        self.at += 1;
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            Err(NoJson)
        } else {
            Ok(())
        }
    }

    /// The name of the object's next member, its value coming next; None at the object's end.
    pub(super) fn member(&mut self, is_first: bool) -> Result<Option<RawText<'a>>> {
        if !self.separated(is_first, b'}')? {
            return Ok(None);
        }
        if self.next_byte() != Some(b'"') {
            return Err(NoJson);
        }
        let name = self.string()?;
        if self.next_byte() != Some(b':') {
            return Err(NoJson);
        }
        self.at += 1;
        Ok(Some(name))
    }

    /// Whether the list has one more element, which then comes next.
    pub(super) fn element(&mut self, is_first: bool) -> Result<bool> {
        self.separated(is_first, b']')
    }

    /// The text that comes next.
    pub(super) fn string(&mut self) -> Result<RawText<'a>> {
        self.at += 1;
        let start = self.at;
        let mut has_escapes = false;
        loop {
            self.at += plain_bytes(&self.text.as_bytes()[self.at..]);
            match self.text.as_bytes().get(self.at) {
                Some(b'"') => {
                    let inner = &self.text[start..self.at];
                    self.at += 1;
                    return Ok(RawText { inner, has_escapes });
                }
                Some(b'\\') => {
                    has_escapes = true;
                    self.escape()?;
                }
                // A control character, or the end.
                _ => return Err(NoJson),
            }
        }
    }

    /// Walks over the value that comes next: its text.
    pub(super) fn raw(&mut self) -> Result<&'a str> {
        self.skip_space();
        let start = self.at;
        self.skip()?;
        Ok(&self.text[start..self.at])
    }

    /// Walks over the value that comes next.
    pub(super) fn skip(&mut self) -> Result<()> {
        match self.next_byte() {
            Some(b'"') => self.string().map(|_| ()),
            Some(b'{') => {
                self.enter()?;
                let mut is_first = true;
                while self.member(is_first)?.is_some() {
                    self.skip()?;
                    is_first = false;
                }
                Ok(())
            }
            Some(b'[') => {
                self.enter()?;
                let mut is_first = true;
                while self.element(is_first)? {
                    self.skip()?;
                    is_first = false;
                }
                Ok(())
            }
            Some(b't') => self.word("true"),
            Some(b'f') => self.word("false"),
            Some(b'n') => self.word("null"),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => Err(NoJson),
        }
    }

    /// Nothing but white space follows the document.
    pub(super) fn end(&mut self) -> Result<()> {
        if self.next_byte().is_some() {
            Err(NoJson)
        } else {
            Ok(())
        }
    }

    /// Steps over the comma before a value, or over the end of its object or list (then false).
    fn separated(&mut self, is_first: bool, close: u8) -> Result<bool> {
        match self.next_byte() {
            Some(byte) if byte == close => {
                self.at += 1;
                self.depth -= 1;
                Ok(false)
            }
            Some(b',') if !is_first => {
                self.at += 1;
                // What follows has to be a value: `[1,]` is no JSON.
                if self.next_byte() == Some(close) {
                    Err(NoJson)
                } else {
                    Ok(true)
                }
            }
            Some(_) if is_first => Ok(true),
            _ => Err(NoJson),
        }
    }

    /// Steps over one escape, which begins here.
    fn escape(&mut self) -> Result<()> {
        let bytes = &self.text.as_bytes()[self.at + 1..];
        match bytes {
            [b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => self.at += 2,
            [b'u', digits @ ..]
                if digits.len() >= 4 && digits[..4].iter().all(u8::is_ascii_hexdigit) =>
            {
                self.at += 6;
            }
            _ => return Err(NoJson),
        }
        Ok(())
    }

    fn word(&mut self, word: &str) -> Result<()> {
        if !self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            return Err(NoJson);
        }
        self.at += word.len();
        Ok(())
    }

    /// `-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?`
    fn number(&mut self) -> Result<()> {
        let bytes = self.text.as_bytes();
        let digits = |from: usize| {
            from + bytes[from..]
                .iter()
                .take_while(|byte| byte.is_ascii_digit())
                .count()
        };
        let mut at = self.at + usize::from(bytes[self.at] == b'-');
        let whole = at;
        at = digits(at);
        if at == whole || (bytes[whole] == b'0' && at > whole + 1) {
            return Err(NoJson);
        }
        if bytes.get(at) == Some(&b'.') {
            let fraction = at + 1;
            at = digits(fraction);
            if at == fraction {
                return Err(NoJson);
            }
        }
        if matches!(bytes.get(at), Some(b'e' | b'E')) {
            let signed = matches!(bytes.get(at + 1), Some(b'+' | b'-'));
            let exponent = at + 1 + usize::from(signed);
            at = digits(exponent);
            if at == exponent {
                return Err(NoJson);
            }
        }
        self.at = at;
        Ok(())
    }

    /// The next byte that is no white space, not yet stepped over.
    fn next_byte(&mut self) -> Option<u8> {
        self.skip_space();
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        let bytes = self.text.as_bytes();
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = bytes.get(self.at) {
            self.at += 1;
        }
    }
}

impl<'a> RawText<'a> {
    /// Takes the quotes off a raw value that is a text.
    pub(super) fn of_raw(raw: &'a str) -> Option<Self> {
        let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
        Some(Self {
            inner,
            has_escapes: inner.as_bytes().contains(&b'\\'),
        })
    }

    /// The text it stands for is this one.
    pub(super) fn is(&self, text: &str) -> bool {
        if self.has_escapes {
            self.text() == text
        } else {
            self.inner == text
        }
    }

    /// Length of the text in bytes, where it is known without reading escapes.
    pub(super) fn length(&self) -> Option<usize> {
        (!self.has_escapes).then_some(self.inner.len())
    }

    /// The text it stands for.
    pub(super) fn text(&self) -> Cow<'a, str> {
        if !self.has_escapes {
            return Cow::Borrowed(self.inner);
        }
        let mut text = String::with_capacity(self.inner.len());
        self.push_to(&mut text);
        Cow::Owned(text)
    }

    /// Appends the text it stands for. Half of a surrogate pair, as truncation leaves it, becomes
    /// a replacement character.
    pub(super) fn push_to(&self, out: &mut String) {
        if !self.has_escapes {
            out.push_str(self.inner);
            return;
        }
        let mut rest = self.inner;
        while let Some(at) = rest.find('\\') {
            out.push_str(&rest[..at]);
            let (plain, length) = match rest.as_bytes().get(at + 1) {
                Some(b'b') => ('\u{8}', 2),
                Some(b'f') => ('\u{c}', 2),
                Some(b'n') => ('\n', 2),
                Some(b'r') => ('\r', 2),
                Some(b't') => ('\t', 2),
                Some(b'u') => unicode(&rest[at..]),
                Some(&byte) => (char::from(byte), 2),
                None => (char::REPLACEMENT_CHARACTER, 1),
            };
            out.push(plain);
            rest = rest.get(at + length..).unwrap_or_default();
        }
        out.push_str(rest);
    }
}

/// The character of a `\uXXXX`, or of a pair of them, and the length of what was read.
fn unicode(escape: &str) -> (char, usize) {
    let unit = |from: usize| {
        let digits = escape
            .get(from..)
            .and_then(|rest| rest.strip_prefix("\\u"))?
            .get(..4)?;
        u32::from_str_radix(digits, 16).ok()
    };
    let Some(first) = unit(0) else {
        return (char::REPLACEMENT_CHARACTER, 2);
    };
    if let (0xd800..=0xdbff, Some(second @ 0xdc00..=0xdfff)) = (first, unit(6)) {
        let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        return (
            char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER),
            12,
        );
    }
    (
        char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER),
        6,
    )
}

/// Number of bytes before the first quote, backslash or control character; eight at a time.
fn plain_bytes(bytes: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let has_zero = |word: u64| word.wrapping_sub(ONES) & !word;
    let mut at = 0;
    while let Some(chunk) = bytes[at..].first_chunk::<8>() {
        let word = u64::from_le_bytes(*chunk);
        let quotes = has_zero(word ^ (ONES * b'"' as u64));
        let backslashes = has_zero(word ^ (ONES * b'\\' as u64));
        let controls = word.wrapping_sub(ONES * 0x20) & !word;
        // The lowest bit found is exact; those above it need not be.
        let found = (quotes | backslashes | controls) & HIGH;
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    let rest = &bytes[at..];
    at + rest
        .iter()
        .position(|&byte| byte == b'"' || byte == b'\\' || byte < 0x20)
        .unwrap_or(rest.len())
}
