//! `COPY (query) TO STDOUT`: its options, and rows in its forms.

use super::error::PgError;
use super::split::Token;

/// The form of the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CopyForm {
    Text,
    Csv,
    Binary,
}

/// How rows are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CopyOptions {
    pub(super) form: CopyForm,
    pub(super) has_header: bool,
    pub(super) delimiter: u8,
    pub(super) null: String,
    pub(super) quote: u8,
    pub(super) escape: u8,
    pub(super) quotes_all: bool,
}

/// What comes before the rows in the binary form: a signature, flags, and no more.
pub(super) const BINARY_HEAD: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// What comes after them.
pub(super) const BINARY_END: &[u8] = &[0xff, 0xff];

type Result<T> = std::result::Result<T, PgError>;

/// The options behind `to stdout`, in the form with parentheses and in the older one.
pub(super) fn copy_options(tokens: &[Token]) -> Result<CopyOptions> {
    let words: Vec<&Token> = tokens
        .iter()
        .filter(|token| !matches!(token, Token::Sign('(' | ')' | ',' | '*')) && !token.is("with"))
        .collect();
    let mut form = CopyForm::Text;
    let (mut has_header, mut quotes_all) = (false, false);
    let (mut delimiter, mut null, mut quote, mut escape) = (None, None, None, None);
    let mut at = 0;
    let next = |at: &mut usize| {
        *at += 1;
        words.get(*at).copied()
    };
    while let Some(word) = words.get(at).and_then(|token| token.name()) {
        match word {
            "format" => form = form_of(next(&mut at).and_then(Token::name))?,
            "csv" | "text" | "binary" => form = form_of(Some(word))?,
            "header" => {
                has_header = match words.get(at + 1) {
                    Some(Token::Word(value)) if is_switch(value) => {
                        at += 1;
                        !["false", "off", "0"].contains(&value.as_str())
                    }
                    _ => true,
                };
            }
            "delimiter" | "delimiters" => delimiter = Some(one(next_text(&mut at, &words), word)?),
            "null" => null = next_text(&mut at, &words),
            "quote" => quote = Some(one(next_text(&mut at, &words), word)?),
            "escape" => escape = Some(one(next_text(&mut at, &words), word)?),
            "force_quote" => quotes_all = true,
            "force" => {
                next(&mut at);
                quotes_all = true;
            }
            "encoding" => {
                let encoding = next_text(&mut at, &words)
                    .unwrap_or_default()
                    .to_lowercase();
                if !["utf8", "utf-8", "unicode"].contains(&encoding.as_str()) {
                    return Err(PgError::unsupported("`copy` writes UTF8"));
                }
            }
            // Columns of `force quote`: all are quoted then.
            _ if quotes_all => {}
            _ => return Err(PgError::syntax(format!("`copy` has no option `{word}`"))),
        }
        at += 1;
    }
    let is_csv = form == CopyForm::Csv;
    let quote = quote.unwrap_or(b'"');
    Ok(CopyOptions {
        form,
        has_header,
        delimiter: delimiter.unwrap_or(if is_csv { b',' } else { b'\t' }),
        null: null.unwrap_or_else(|| {
            if is_csv {
                String::new()
            } else {
                "\\N".to_owned()
            }
        }),
        quote,
        escape: escape.unwrap_or(quote),
        quotes_all,
    })
}

fn is_switch(value: &str) -> bool {
    ["true", "on", "1", "match", "false", "off", "0"].contains(&value)
}

fn form_of(name: Option<&str>) -> Result<CopyForm> {
    match name {
        Some("text") => Ok(CopyForm::Text),
        Some("csv") => Ok(CopyForm::Csv),
        Some("binary") => Ok(CopyForm::Binary),
        _ => Err(PgError::unsupported("`copy` writes text, csv or binary")),
    }
}

/// The text behind an option; the older form has an `as` before it.
fn next_text(at: &mut usize, words: &[&Token]) -> Option<String> {
    *at += 1;
    if words.get(*at).is_some_and(|token| token.is("as")) {
        *at += 1;
    }
    match words.get(*at) {
        Some(Token::Text(text) | Token::Quoted(text) | Token::Word(text)) => Some(text.clone()),
        _ => None,
    }
}

fn one(text: Option<String>, option: &str) -> Result<u8> {
    match text.as_deref().map(str::as_bytes) {
        Some([byte]) if byte.is_ascii() && *byte != b'\n' && *byte != b'\r' => Ok(*byte),
        _ => Err(PgError::new(
            "22023",
            format!("`{option}` is a single one-byte character"),
        )),
    }
}

impl CopyOptions {
    /// A line of values, each with its text or none.
    pub(super) fn line<'a>(
        &self,
        values: impl Iterator<Item = Option<&'a [u8]>>,
        out: &mut Vec<u8>,
    ) {
        for (place, value) in values.enumerate() {
            if place > 0 {
                out.push(self.delimiter);
            }
            match value {
                None => out.extend_from_slice(self.null.as_bytes()),
                Some(value) if self.form == CopyForm::Csv => self.quoted(value, out),
                Some(value) => self.escaped(value, out),
            }
        }
        out.push(b'\n');
    }

    fn quoted(&self, value: &[u8], out: &mut Vec<u8>) {
        let is_special =
            |byte: &u8| [self.delimiter, self.quote, self.escape, b'\n', b'\r'].contains(byte);
        let needs = self.quotes_all
            || value == self.null.as_bytes()
            || value == b"\\."
            || value.iter().any(is_special);
        if !needs {
            out.extend_from_slice(value);
            return;
        }
        out.push(self.quote);
        for byte in value {
            if *byte == self.quote || *byte == self.escape {
                out.push(self.escape);
            }
            out.push(*byte);
        }
        out.push(self.quote);
    }

    fn escaped(&self, value: &[u8], out: &mut Vec<u8>) {
        for byte in value {
            let letter = match byte {
                b'\\' => b'\\',
                b'\n' => b'n',
                b'\r' => b'r',
                b'\t' => b't',
                0x08 => b'b',
                0x0b => b'v',
                0x0c => b'f',
                byte if *byte == self.delimiter => *byte,
                byte => {
                    out.push(*byte);
                    continue;
                }
            };
            out.extend_from_slice(&[b'\\', letter]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::pgwire::split::tokens;

    fn options(text: &str) -> Result<CopyOptions> {
        let tokens: Vec<Token> = tokens(text, 99).into_iter().map(|at| at.token).collect();
        copy_options(&tokens)
    }

    #[test]
    fn both_ways_to_say_it_mean_the_same() {
        let new = options("with (format csv, header true, delimiter ';', null 'NULL')").unwrap();
        let old = options("with csv header delimiter as ';' null as 'NULL'").unwrap();
        assert_eq!(new, old);
        assert_eq!(
            (new.form, new.delimiter, new.has_header),
            (CopyForm::Csv, b';', true)
        );
        assert!(!options("(format csv, header false)").unwrap().has_header);
        assert_eq!(options("").unwrap().null, "\\N");
        assert!(options("(format json)").is_err());
        assert!(options("(delimiter 'ab')").is_err());
        assert!(options("(freeze)").is_err());
    }

    #[test]
    fn values_are_quoted_as_needed() {
        let line = |options: &CopyOptions, values: &[Option<&str>]| {
            let mut out = Vec::new();
            options.line(
                values.iter().map(|value| value.map(str::as_bytes)),
                &mut out,
            );
            String::from_utf8(out).unwrap()
        };
        let csv = options("csv").unwrap();
        let values = [Some("a"), Some("b,\"c"), None, Some(""), Some("x\ny")];
        assert_eq!(line(&csv, &values), "a,\"b,\"\"c\",,\"\",\"x\ny\"\n");
        let text = options("").unwrap();
        assert_eq!(line(&text, &values), "a\tb,\"c\t\\N\t\tx\\ny\n");
        assert_eq!(line(&text, &[Some("a\tb\\")]), "a\\tb\\\\\n");
    }
}
