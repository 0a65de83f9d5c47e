//! A text of several statements, and the words of one, by PostgreSQL's rules of quoting.
//!
//! Nothing is planned by what is found here: it says where a statement ends and which command it
//! is, also where the statement is none that any parser of SQL here would take.

/// A word or sign of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A name or keyword without quotes, in lower case.
    Word(String),
    /// A name in double quotes.
    Quoted(String),
    /// A text in single quotes or between dollars.
    Text(String),
    /// Anything else, sign by sign.
    Sign(char),
}

impl Token {
    /// As a name: a word, or what stands in quotes.
    pub(super) fn name(&self) -> Option<&str> {
        match self {
            Self::Word(name) | Self::Quoted(name) => Some(name),
            Self::Text(_) | Self::Sign(_) => None,
        }
    }

    pub(super) fn is(&self, word: &str) -> bool {
        matches!(self, Self::Word(own) if own == word)
    }
}

/// A token and the byte that it begins at.
#[derive(Debug, Clone)]
pub(super) struct At {
    pub(super) token: Token,
    pub(super) start: usize,
}

/// The statements of a text, without the semicolons between them and without those that are empty.
pub(super) fn statements(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut start = 0;
    let mut is_empty = true;
    let mut scan = Scan::new(text);
    while let Some(At { token, start: at }) = scan.next_token() {
        if token == Token::Sign(';') {
            if !is_empty {
                found.push(text.get(start..at).unwrap_or_default().trim());
            }
            start = at + 1;
            is_empty = true;
        } else {
            is_empty = false;
        }
    }
    if !is_empty {
        found.push(text.get(start..).unwrap_or_default().trim());
    }
    found
}

/// The words and signs of a statement, as many as are asked for.
pub(super) fn tokens(text: &str, most: usize) -> Vec<At> {
    let mut scan = Scan::new(text);
    std::iter::from_fn(|| scan.next_token())
        .take(most)
        .collect()
}

struct Scan<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Scan<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            bytes: text.as_bytes(),
            at: 0,
        }
    }

    fn byte(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn part(&self, start: usize, end: usize) -> &'a str {
        self.text.get(start..end).unwrap_or_default()
    }

    fn next_token(&mut self) -> Option<At> {
        self.skip_blank();
        let start = self.at;
        let first = self.text.get(start..)?.chars().next()?;
        let token = match first {
            '\'' => Token::Text(self.quoted(b'\'', false)),
            '"' => Token::Quoted(self.quoted(b'"', false)),
            'e' | 'E' if self.byte(1) == b'\'' => {
                self.at += 1;
                Token::Text(self.quoted(b'\'', true))
            }
            '$' => match self.dollar() {
                Some(text) => Token::Text(text),
                None => self.sign(first),
            },
            letter if letter.is_alphanumeric() || letter == '_' => self.word(),
            _ => self.sign(first),
        };
        Some(At { token, start })
    }

    fn sign(&mut self, sign: char) -> Token {
        self.at += sign.len_utf8();
        Token::Sign(sign)
    }

    fn word(&mut self) -> Token {
        let start = self.at;
        let rest = self.text.get(start..).unwrap_or_default();
        let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
        let length = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        self.at += length;
        Token::Word(self.part(start, self.at).to_lowercase())
    }

    /// What stands in quotes; its end is the end of the text if there is no other.
    fn quoted(&mut self, quote: u8, has_escapes: bool) -> String {
        self.at += 1;
        let mut content = String::new();
        let mut start = self.at;
        loop {
            match self.bytes.get(self.at) {
                None => break,
                Some(b'\\') if has_escapes => {
                    content.push_str(self.part(start, self.at));
                    self.at += 1;
                    content.push(match self.byte(0) {
                        b'n' => '\n',
                        b't' => '\t',
                        b'r' => '\r',
                        b'b' => '\u{8}',
                        b'f' => '\u{c}',
                        _ => {
                            start = self.at;
                            self.at += self.step();
                            continue;
                        }
                    });
                    self.at += 1;
                    start = self.at;
                }
                Some(byte) if *byte == quote && self.byte(1) == quote => {
                    content.push_str(self.part(start, self.at + 1));
                    self.at += 2;
                    start = self.at;
                }
                Some(byte) if *byte == quote => break,
                Some(_) => self.at += 1,
            }
        }
        content.push_str(self.part(start, self.at));
        self.at = (self.at + 1).min(self.bytes.len());
        content
    }

    /// Bytes of the character here.
    fn step(&self) -> usize {
        let rest = self.text.get(self.at..).unwrap_or_default();
        rest.chars().next().map_or(1, char::len_utf8)
    }

    /// A text between dollars: `$$…$$`, `$tag$…$tag$`. A parameter (`$1`) is none.
    fn dollar(&mut self) -> Option<String> {
        let rest = self.text.get(self.at..)?;
        let end = rest.get(1..)?.find('$')? + 2;
        let tag = rest.get(..end)?;
        let name = tag.get(1..end - 1)?;
        let is_name = name.chars().all(|c| c.is_alphanumeric() || c == '_')
            && !name.starts_with(|c: char| c.is_ascii_digit());
        if !is_name {
            return None;
        }
        let inside = rest.get(end..)?;
        let length = inside.find(tag).unwrap_or(inside.len());
        self.at = (self.at + end + length + tag.len()).min(self.bytes.len());
        inside.get(..length).map(str::to_owned)
    }

    fn skip_blank(&mut self) {
        loop {
            match (self.byte(0), self.byte(1)) {
                (b' ' | b'\t' | b'\n' | b'\r' | 0x0c | 0x0b, _) => self.at += 1,
                (b'-', b'-') => {
                    let rest = self.bytes.get(self.at..).unwrap_or_default();
                    let end = rest.iter().position(|byte| *byte == b'\n');
                    self.at += end.map_or(rest.len(), |end| end + 1);
                }
                (b'/', b'*') => self.skip_comment(),
                _ => return,
            }
        }
    }

    /// A comment, with those inside it.
    fn skip_comment(&mut self) {
        let mut depth = 0_usize;
        while self.at < self.bytes.len() {
            match (self.byte(0), self.byte(1)) {
                (b'/', b'*') => {
                    depth += 1;
                    self.at += 2;
                }
                (b'*', b'/') => {
                    depth -= 1;
                    self.at += 2;
                    if depth == 0 {
                        return;
                    }
                }
                _ => self.at += 1,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_end_at_semicolons_that_are_no_part_of_them() {
        let cases: [(&str, &[&str]); 8] = [
            ("", &[]),
            (" ; ;; ", &[]),
            ("-- nothing; at all", &[]),
            ("select 1", &["select 1"]),
            ("select 1; select 2;", &["select 1", "select 2"]),
            ("select ';', \";\" ; x", &["select ';', \";\"", "x"]),
            (
                "/* a; /* b; */ ; */ select $$;$$; y",
                &["/* a; /* b; */ ; */ select $$;$$", "y"],
            ),
            (
                "select E'\\';' , 'a'';b'; z",
                &["select E'\\';' , 'a'';b'", "z"],
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(statements(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_left_open_ends_with_the_text() {
        for text in [
            "select '",
            "select \"a",
            "select $$ a;",
            "select /* ",
            "E'\\",
            "$",
            "'é\\",
        ] {
            assert!(statements(text).len() <= 1, "{text}");
        }
    }

    #[test]
    fn words_are_in_lower_case_and_quotes_are_gone() {
        let found: Vec<Token> = tokens("Set \"My\"\"X\" = E'a\\'b'", 9)
            .into_iter()
            .map(|at| at.token)
            .collect();
        let expected = [
            Token::Word("set".to_owned()),
            Token::Quoted("My\"X".to_owned()),
            Token::Sign('='),
            Token::Text("a'b".to_owned()),
        ];
        assert_eq!(found, expected);
    }
}
