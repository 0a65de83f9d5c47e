//! Which command a statement is.

use super::copy::{CopyOptions, copy_options};
use super::error::PgError;
use super::split::{At, Token, tokens};

/// Words that are looked at to know a command.
const WORDS: usize = 400;

/// How far a cursor goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Count {
    Rows(usize),
    All,
}

/// A command, as far as this door does it by itself.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Command {
    /// Gives rows.
    Query(String),
    /// Begins a transaction.
    Begin,
    Commit,
    Rollback,
    Savepoint(String),
    Release(String),
    RollbackTo(String),
    /// Sets a setting; the flag: only until the transaction ends.
    Set(String, String, bool),
    /// How transactions are: there is one way.
    SetTransaction,
    Show(String),
    /// One setting, or all.
    Reset(Option<String>),
    Discard(String),
    Prepare(String, String),
    Execute(String, String),
    /// One prepared statement, or all.
    Deallocate(Option<String>),
    Declare {
        name: String,
        is_binary: bool,
        is_held: bool,
        query: String,
    },
    Fetch(String, Count),
    Move(String, Count),
    /// One cursor, or all.
    Close(Option<String>),
    CopyOut(String, CopyOptions),
    Unlisten,
    /// Changes something: the principal's own schema may be changed.
    Change(String),
}

type Result<T> = std::result::Result<T, PgError>;

/// The command that a statement is.
pub(super) fn command(sql: &str) -> Result<Command> {
    let mut words = Words::new(sql);
    let Some(first) = words.next() else {
        return Err(PgError::syntax("the statement is empty"));
    };
    let Token::Word(first) = first else {
        // `(select …) union …`
        return Ok(Command::Query(sql.to_owned()));
    };
    match first.as_str() {
        "select" | "with" | "values" | "table" | "explain" | "describe" => {
            Ok(Command::Query(sql.to_owned()))
        }
        "begin" | "start" => Ok(Command::Begin),
        "commit" | "end" => no_two_phases(&mut words, Command::Commit),
        "abort" => Ok(Command::Rollback),
        "rollback" => rollback(&mut words),
        "savepoint" => Ok(Command::Savepoint(words.name()?)),
        "release" => {
            words.skip("savepoint");
            Ok(Command::Release(words.name()?))
        }
        "set" => set(&mut words),
        "show" => Ok(Command::Show(setting_name(&mut words)?)),
        "reset" => {
            let name = setting_name(&mut words)?;
            Ok(Command::Reset((name != "all").then_some(name)))
        }
        "discard" => Ok(Command::Discard(words.name()?)),
        "prepare" => prepare(&mut words),
        "execute" => {
            let name = words.name()?;
            Ok(Command::Execute(name, words.rest()))
        }
        "deallocate" => {
            words.skip("prepare");
            all_or_one(&mut words).map(Command::Deallocate)
        }
        "declare" => declare(&mut words),
        "fetch" => fetch(&mut words).map(|(name, count)| Command::Fetch(name, count)),
        "move" => fetch(&mut words).map(|(name, count)| Command::Move(name, count)),
        "close" => all_or_one(&mut words).map(Command::Close),
        "copy" => copy(&mut words),
        "unlisten" => Ok(Command::Unlisten),
        "listen" | "notify" => Err(PgError::unsupported("there are no notifications here")),
        "lock" => Err(PgError::unsupported(
            "tables are not locked here: readers never wait",
        )),
        "call" | "do" => Err(PgError::unsupported("there are no procedures here")),
        _ => Ok(Command::Change(sql.to_owned())),
    }
}

/// The words of a statement, one after the other.
struct Words<'a> {
    sql: &'a str,
    all: Vec<At>,
    at: usize,
}

impl<'a> Words<'a> {
    fn new(sql: &'a str) -> Self {
        Self {
            sql,
            all: tokens(sql, WORDS),
            at: 0,
        }
    }

    fn peek(&self) -> Option<&Token> {
        self.all.get(self.at).map(|at| &at.token)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.peek().cloned();
        self.at += 1;
        token
    }

    fn skip(&mut self, word: &str) -> bool {
        let is_there = self.peek().is_some_and(|token| token.is(word));
        self.at += usize::from(is_there);
        is_there
    }

    fn skip_sign(&mut self, sign: char) -> bool {
        let is_there = self.peek() == Some(&Token::Sign(sign));
        self.at += usize::from(is_there);
        is_there
    }

    fn name(&mut self) -> Result<String> {
        let token = self.next();
        let name = token.as_ref().and_then(Token::name);
        name.map(str::to_owned)
            .ok_or_else(|| PgError::syntax("a name is missing"))
    }

    /// The text from here on.
    fn rest(&self) -> String {
        let start = self.all.get(self.at).map_or(self.sql.len(), |at| at.start);
        self.sql.get(start..).unwrap_or_default().trim().to_owned()
    }

    /// The text in the parentheses that begin here.
    fn inside(&mut self) -> Result<String> {
        let open = self.all.get(self.at).map_or(0, |at| at.start);
        if !self.skip_sign('(') {
            return Err(PgError::syntax("a parenthesis is missing"));
        }
        let mut depth = 1_usize;
        // The statement may be longer than what was cut into words so far.
        if self.all.len() >= WORDS {
            self.all = tokens(self.sql, usize::MAX);
        }
        while let Some(At { token, start }) = self.all.get(self.at) {
            self.at += 1;
            match token {
                Token::Sign('(') => depth += 1,
                Token::Sign(')') => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                let inside = self.sql.get(open + 1..*start);
                return Ok(inside.unwrap_or_default().to_owned());
            }
        }
        Err(PgError::syntax("a parenthesis is not closed"))
    }
}

fn no_two_phases(words: &mut Words<'_>, command: Command) -> Result<Command> {
    match words.peek() {
        Some(token) if token.is("prepared") => {
            Err(PgError::unsupported("there are no prepared transactions"))
        }
        _ => Ok(command),
    }
}

fn rollback(words: &mut Words<'_>) -> Result<Command> {
    let _ = words.skip("work") || words.skip("transaction");
    if words.skip("to") {
        words.skip("savepoint");
        return Ok(Command::RollbackTo(words.name()?));
    }
    no_two_phases(words, Command::Rollback)
}

fn setting_name(words: &mut Words<'_>) -> Result<String> {
    if words.skip("time") {
        words.skip("zone");
        return Ok("timezone".to_owned());
    }
    if words.skip("transaction") {
        let part = match words.next() {
            Some(Token::Word(part)) if part == "read" => "read_only".to_owned(),
            Some(Token::Word(part)) => part,
            _ => "isolation".to_owned(),
        };
        return Ok(format!("transaction_{part}"));
    }
    if words.skip("session") && words.skip("authorization") {
        return Ok("session_authorization".to_owned());
    }
    let mut name = words.name()?.to_lowercase();
    while words.skip_sign('.') {
        name = format!("{name}.{}", words.name()?.to_lowercase());
    }
    Ok(name)
}

fn set(words: &mut Words<'_>) -> Result<Command> {
    let is_local = words.skip("local");
    if words.skip("session") {
        if words.skip("characteristics") {
            return Ok(Command::SetTransaction);
        }
        if words.peek().is_some_and(|token| token.is("authorization")) {
            return Err(not_another());
        }
    }
    if words.skip("transaction") || words.skip("constraints") {
        return Ok(Command::SetTransaction);
    }
    if words.peek().is_some_and(|token| token.is("role")) {
        words.next();
        return match words.next() {
            Some(Token::Word(word)) if word == "none" => Ok(Command::SetTransaction),
            _ => Err(not_another()),
        };
    }
    if words.skip("names") {
        let value = value(words)?;
        return Ok(Command::Set("client_encoding".to_owned(), value, is_local));
    }
    let name = setting_name(words)?;
    if name == "timezone" {
        let _ = words.skip_sign('=') || words.skip("to");
    } else if !words.skip_sign('=') && !words.skip("to") {
        return Err(PgError::syntax(format!("`set {name}` needs a value")));
    }
    Ok(Command::Set(name, value(words)?, is_local))
}

fn not_another() -> PgError {
    PgError::new(
        "42501",
        "a connection is one principal's from its beginning to its end",
    )
    .hint("connect as the other one")
}

/// The value that a setting is given: words, texts and numbers, several with commas.
fn value(words: &mut Words<'_>) -> Result<String> {
    let mut value = String::new();
    while let Some(token) = words.next() {
        match token {
            Token::Word(text) | Token::Quoted(text) | Token::Text(text) => {
                if value.ends_with(|c: char| c.is_alphanumeric()) {
                    value.push(' ');
                }
                value.push_str(&text);
            }
            Token::Sign(',') => value.push_str(", "),
            Token::Sign(sign) => value.push(sign),
        }
    }
    match value.is_empty() && !matches!(words.all.last().map(|at| &at.token), Some(Token::Text(_)))
    {
        true => Err(PgError::syntax("a value is missing")),
        false => Ok(value),
    }
}

fn all_or_one(words: &mut Words<'_>) -> Result<Option<String>> {
    match words.peek() {
        Some(token) if token.is("all") => Ok(None),
        _ => words.name().map(Some),
    }
}

fn prepare(words: &mut Words<'_>) -> Result<Command> {
    if words.peek().is_some_and(|token| token.is("transaction")) {
        return Err(PgError::unsupported("there are no prepared transactions"));
    }
    let name = words.name()?;
    if words.peek() == Some(&Token::Sign('(')) {
        // The types: those that the statement tells are used.
        words.inside()?;
    }
    if !words.skip("as") {
        return Err(PgError::syntax("`prepare` needs `as` and a statement"));
    }
    Ok(Command::Prepare(name, words.rest()))
}

fn declare(words: &mut Words<'_>) -> Result<Command> {
    let name = words.name()?;
    let (mut is_binary, mut is_held) = (false, false);
    loop {
        let Some(Token::Word(word)) = words.next() else {
            return Err(PgError::syntax("`declare` needs `cursor for` and a query"));
        };
        match word.as_str() {
            "binary" => is_binary = true,
            "scroll" | "insensitive" | "asensitive" | "cursor" => {}
            "no" => {
                words.skip("scroll");
            }
            "with" => is_held = words.skip("hold") || is_held,
            "without" => {
                words.skip("hold");
            }
            "for" => break,
            _ => return Err(PgError::syntax(format!("`declare` has no `{word}`"))),
        }
    }
    Ok(Command::Declare {
        name,
        is_binary,
        is_held,
        query: words.rest(),
    })
}

fn fetch(words: &mut Words<'_>) -> Result<(String, Count)> {
    let backward = || {
        PgError::new("55000", "cursor can only scan forward")
            .hint("declare it again to go back to its beginning")
    };
    let word = match words.peek() {
        Some(Token::Word(word)) => word.clone(),
        _ => String::new(),
    };
    let count = match word.as_str() {
        "next" => {
            words.next();
            Count::Rows(1)
        }
        "all" => {
            words.next();
            Count::All
        }
        "forward" => {
            words.next();
            number(words)?.unwrap_or(Count::Rows(1))
        }
        "prior" | "first" | "last" | "absolute" | "relative" | "backward" => {
            return Err(backward());
        }
        _ if words.peek() == Some(&Token::Sign('-')) => return Err(backward()),
        _ => number(words)?.unwrap_or(Count::Rows(1)),
    };
    let _ = words.skip("from") || words.skip("in");
    Ok((words.name()?, count))
}

fn number(words: &mut Words<'_>) -> Result<Option<Count>> {
    let Some(Token::Word(word)) = words.peek().cloned() else {
        return Ok(None);
    };
    if word == "all" {
        words.next();
        return Ok(Some(Count::All));
    }
    if !word.starts_with(|c: char| c.is_ascii_digit()) {
        return Ok(None);
    }
    words.next();
    let rows = word.parse();
    rows.map(|rows| Some(Count::Rows(rows)))
        .map_err(|_| PgError::syntax("a number of rows is expected"))
}

fn copy(words: &mut Words<'_>) -> Result<Command> {
    let only_out = || {
        PgError::unsupported("only `copy … to stdout` is offered")
            .hint("data comes in through sources; files are written by the client")
    };
    let query = match words.peek() {
        Some(Token::Sign('(')) => words.inside()?,
        _ => {
            let start = words.all.get(words.at).map_or(0, |at| at.start);
            words.name()?;
            while words.skip_sign('.') {
                words.name()?;
            }
            let end = words.all.get(words.at).map_or(start, |at| at.start);
            let table = words.sql.get(start..end).unwrap_or_default();
            let columns = match words.peek() {
                Some(Token::Sign('(')) => words.inside()?,
                _ => "*".to_owned(),
            };
            format!("select {columns} from {table}")
        }
    };
    if !words.skip("to") || !words.skip("stdout") {
        return Err(only_out());
    }
    let mut rest = Vec::new();
    while let Some(token) = words.next() {
        rest.push(token);
    }
    Ok(Command::CopyOut(query, copy_options(&rest)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_known_by_their_words() {
        let is = |sql: &str| command(sql).unwrap();
        assert_eq!(
            is("/* x */ select 1"),
            Command::Query("/* x */ select 1".into())
        );
        assert_eq!(is("BEGIN READ ONLY"), Command::Begin);
        assert_eq!(
            is("rollback to savepoint a"),
            Command::RollbackTo("a".into())
        );
        assert_eq!(
            is("set DateStyle to 'ISO, MDY'"),
            Command::Set("datestyle".into(), "ISO, MDY".into(), false)
        );
        assert_eq!(
            is("SET search_path = a, \"B\""),
            Command::Set("search_path".into(), "a, B".into(), false)
        );
        assert_eq!(
            is("set local time zone interval '+00:00' hour to minute"),
            Command::Set(
                "timezone".into(),
                "interval +00:00 hour to minute".into(),
                true
            )
        );
        assert_eq!(is("SHOW TRANSACTION ISOLATION LEVEL"), {
            Command::Show("transaction_isolation".into())
        });
        assert_eq!(
            is("fetch 100 in \"C1\""),
            Command::Fetch("C1".into(), Count::Rows(100))
        );
        assert_eq!(is("fetch all c"), Command::Fetch("c".into(), Count::All));
        assert_eq!(
            is("move forward all in c"),
            Command::Move("c".into(), Count::All)
        );
        assert_eq!(is("close all"), Command::Close(None));
        assert_eq!(is("prepare p (int) as select $1"), {
            Command::Prepare("p".into(), "select $1".into())
        });
        assert_eq!(is("create view a as select 1"), {
            Command::Change("create view a as select 1".into())
        });
    }

    #[test]
    fn what_is_not_offered_is_refused_by_name() {
        for (sql, code) in [
            ("copy t from stdin", "0A000"),
            ("copy (select 1) to '/tmp/x'", "0A000"),
            ("copy (select 1) to program 'x'", "0A000"),
            ("set role admin", "42501"),
            ("set session authorization root", "42501"),
            ("fetch backward 1 from c", "55000"),
            ("listen x", "0A000"),
            ("declare c", "42601"),
            ("prepare transaction 'x'", "0A000"),
        ] {
            assert_eq!(command(sql).unwrap_err().code, code, "{sql}");
        }
    }
}
