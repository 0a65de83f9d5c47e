//! SQL without what somebody asked about: literals and comments may hold personal data.

/// Longest text that is kept.
const LENGTH_MAX: usize = 8_192;

/// The text with every literal as `?`, without comments, on one line. Text that is no SQL is taken
/// as if it were: what cannot be told apart is left out.
pub fn redact(sql: &str) -> String {
    let mut redactor = Redactor {
        rest: sql,
        out: String::with_capacity(sql.len().min(LENGTH_MAX)),
    };
    while !redactor.rest.is_empty() && redactor.out.len() < LENGTH_MAX {
        redactor.step();
    }
    let mut out = redactor.out;
    if !redactor.rest.is_empty() {
        out.push_str(" …");
    }
    out.trim().to_owned()
}

struct Redactor<'a> {
    rest: &'a str,
    out: String,
}

impl<'a> Redactor<'a> {
    fn step(&mut self) {
        let Some(first) = self.rest.chars().next() else {
            return;
        };
        match first {
            '\'' => self.quoted(0, false),
            '"' => self.name(),
            '$' => self.dollar(),
            '-' if self.rest.starts_with("--") => {
                let end = self.rest.find('\n').unwrap_or(self.rest.len());
                self.rest = &self.rest[end..];
            }
            '/' if self.rest.starts_with("/*") => self.comment(),
            '0'..='9' => self.number(),
            '.' if self.rest[1..].starts_with(|c: char| c.is_ascii_digit()) => self.number(),
            c if c.is_whitespace() => {
                self.rest = self.rest.trim_start();
                if !self.out.is_empty() && !self.out.ends_with(' ') {
                    self.out.push(' ');
                }
            }
            c if c.is_alphabetic() || c == '_' => self.word(),
            c => {
                self.out.push(if c.is_control() { ' ' } else { c });
                self.rest = &self.rest[c.len_utf8()..];
            }
        }
    }

    fn take(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(bytes);
        self.rest = rest;
        taken
    }

    /// A literal in quotes; one that does not end goes to the end of the text.
    fn quoted(&mut self, prefix: usize, has_escapes: bool) {
        self.take(prefix + 1);
        loop {
            let Some(at) = self.rest.find(['\'', '\\']) else {
                self.rest = "";
                break;
            };
            let found = self.rest.as_bytes()[at];
            self.take(at + 1);
            if found == b'\\' {
                if has_escapes && let Some(next) = self.rest.chars().next() {
                    self.take(next.len_utf8());
                }
                continue;
            }
            match self.rest.starts_with('\'') {
                true => drop(self.take(1)),
                false => break,
            }
        }
        self.out.push('?');
    }

    /// A word: a keyword, a name, or what stands before a literal (`E'…'`, `x'…'`, `U&'…'`).
    fn word(&mut self) {
        let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let word = &self.rest[..end];
        let after = &self.rest[end..];
        if after.starts_with('\'') && end <= 2 && word.is_ascii() {
            return self.quoted(end, word.eq_ignore_ascii_case("e"));
        }
        if after.starts_with("&'") && word.eq_ignore_ascii_case("u") {
            return self.quoted(end + 1, false);
        }
        self.out.push_str(word);
        self.take(end);
    }

    fn number(&mut self) {
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '_';
        let mut end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        // 1e-5
        let is_exponent = self.rest[..end].ends_with(['e', 'E']);
        if is_exponent && self.rest[end..].starts_with(['-', '+']) {
            let digits = &self.rest[end + 1..];
            let count = digits
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(digits.len());
            end += 1 + count;
        }
        self.take(end);
        self.out.push('?');
    }

    /// A name in quotes. One that no table or column would have may be a value in wrong quotes.
    fn name(&mut self) {
        let end = self.rest[1..].find('"').map(|at| at + 1);
        let inner = &self.rest[1..end.unwrap_or(self.rest.len())];
        let is_name = inner.len() <= 63
            && inner.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && inner
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        match (is_name, end) {
            (true, Some(end)) => {
                let taken = self.take(end + 1);
                self.out.push_str(taken);
            }
            (false, Some(end)) => {
                self.take(end + 1);
                self.out.push_str("\"?\"");
            }
            (_, None) => {
                self.rest = "";
                self.out.push_str("\"?\"");
            }
        }
    }

    /// `$1`, or a literal in dollars: `$$…$$`, `$tag$…$tag$`.
    fn dollar(&mut self) {
        let inner = &self.rest[1..];
        let end = inner
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(inner.len());
        if inner[end..].starts_with('$') && !inner.starts_with(|c: char| c.is_ascii_digit()) {
            let tag = &self.rest[..end + 2];
            let after = &self.rest[tag.len()..];
            self.rest = after.find(tag).map_or("", |at| &after[at + tag.len()..]);
            self.out.push('?');
        } else if inner[..end].bytes().all(|byte| byte.is_ascii_digit()) {
            let taken = self.take(1 + end);
            self.out.push_str(taken);
        } else {
            self.take(1 + end);
            self.out.push('?');
        }
    }

    /// A comment; they nest.
    fn comment(&mut self) {
        let mut depth = 0;
        loop {
            if self.rest.starts_with("/*") {
                depth += 1;
                self.take(2);
            } else if self.rest.starts_with("*/") {
                depth -= 1;
                self.take(2);
                if depth == 0 {
                    break;
                }
            } else if let Some(next) = self.rest.chars().next() {
                self.take(next.len_utf8());
            } else {
                break;
            }
        }
        if !self.out.ends_with(' ') {
            self.out.push(' ');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::redact;

    #[test]
    fn literals_and_comments_go() {
        let cases = [
            ("select 1", "select ?"),
            (
                "select email from star.dim_customer where email = 'anna@x.de' and n > 3.5e-7",
                "select email from star.dim_customer where email = ? and n > ?",
            ),
            (
                "select 'it''s', E'a\\'b', x'ff', U&'d\\0061t' from t1",
                "select ?, ?, ?, ? from t1",
            ),
            ("select $$anna$$, $q$ $$ anna $q$, $1", "select ?, ?, $1"),
            (
                "select a -- anna\n, b /* anna /* anna */ anna */ from t",
                "select a , b from t",
            ),
            (
                "select \"Order\" from \"anna@x.de\"",
                "select \"Order\" from \"?\"",
            ),
            ("select 'anna", "select ?"),
            ("select \"anna@", "select \"?\""),
            ("select $x$anna", "select ?"),
            ("select 'a\\' || 'anna'", "select ? || ?"),
            (
                "select date '2026-01-01', interval '1 day'",
                "select date ?, interval ?",
            ),
            (
                "select c2_x, 2c, .5, 1_000\n\n from  t",
                "select c2_x, ?, ?, ? from t",
            ),
            ("", ""),
            ("é'anna'é", "é?é"),
        ];
        for (sql, expected) in cases {
            assert_eq!(redact(sql), expected, "{sql}");
        }
    }

    #[test]
    fn no_text_is_too_long_or_breaks_it() {
        let long = format!("select {}", "a, ".repeat(100_000));
        assert!(redact(&long).len() < 10_000);
        let pieces = [
            "'", "\"", "$", "$$", "/*", "*/", "--", "\n", "é", "\\", "1", "e", "a", "\0",
        ];
        let mut state = 1_u64;
        for _ in 0..20_000 {
            let mut sql = String::new();
            for _ in 0..12 {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                sql.push_str(pieces[(state >> 33) as usize % pieces.len()]);
            }
            let _ = redact(&sql);
        }
    }
}
