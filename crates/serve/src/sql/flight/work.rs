//! What a statement is to this door: a query, whose rows are fetched, or a change, which is done.

use std::sync::Arc;

use arrow_schema::{DataType, SchemaRef};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};
use tonic::Status;

use super::{error, placeholders, stream};
use crate::access::error::Result;
use crate::access::{AccessError, Reason, Session, Statement};

/// First words of statements that change something.
const CHANGING: [&str; 9] = [
    "alter", "comment", "create", "delete", "drop", "insert", "merge", "truncate", "update",
];

/// A statement.
#[derive(Debug, Clone)]
pub(super) enum Work {
    /// It was planned, and gives rows.
    Query(Statement),
    /// It is done when it is run, once.
    Change(Arc<str>),
}

impl Work {
    /// Looks at a statement, and plans it if it is a query.
    ///
    /// # Errors
    /// It cannot be planned, or may not be run.
    pub(super) async fn of(session: &Session, sql: &str) -> Result<Self, Status> {
        if is_change(sql) {
            return Ok(Self::Change(sql.into()));
        }
        let statement = session.prepare(&placeholders::numbered(sql)).await;
        statement
            .map(Self::Query)
            .map_err(|error| error::of(&error))
    }

    /// Its text.
    pub(super) fn sql(&self) -> &str {
        match self {
            Self::Query(statement) => statement.sql(),
            Self::Change(sql) => sql,
        }
    }

    /// Its parameters; a change has none.
    pub(super) fn parameters(&self) -> &[(String, Option<DataType>)] {
        match self {
            Self::Query(statement) => statement.parameters(),
            Self::Change(_) => &[],
        }
    }

    /// The columns as they are sent; none of a change.
    pub(super) fn columns(&self) -> Option<SchemaRef> {
        match self {
            Self::Query(statement) => Some(stream::plain_schema(statement.schema())),
            Self::Change(_) => None,
        }
    }
}

/// Does what a statement says; gives the rows that it changed.
///
/// # Errors
/// A session reads and nothing else.
pub(super) async fn change(session: &Session, sql: &str) -> Result<Option<u64>> {
    match session.prepare(sql).await {
        Err(error) => Err(error),
        Ok(_) => Err(gives_rows()),
    }
}

/// A query was sent as if it changed something.
pub(super) fn gives_rows() -> AccessError {
    let text = "the statement gives rows and changes nothing";
    AccessError::new(Reason::Invalid, text).hint("run it as a query")
}

/// Whether a statement begins with a word that changes something.
pub(super) fn is_change(sql: &str) -> bool {
    // Comments before it, as tools write them, can be of any form; more of it need not be read.
    let mut tokens = Vec::new();
    let mut end = sql.len().min(LOOKED_AT);
    while !sql.is_char_boundary(end) {
        end -= 1;
    }
    // A text that is cut off is an error, after the tokens before it.
    let _ = Tokenizer::new(&GenericDialect {}, sql.get(..end).unwrap_or_default())
        .tokenize_with_location_into_buf(&mut tokens);
    let first = tokens.iter().find_map(|token| match &token.token {
        Token::Whitespace(_) | Token::SemiColon => None,
        Token::Word(word) if word.quote_style.is_none() => Some(Some(word.value.as_str())),
        _ => Some(None),
    });
    first
        .flatten()
        .is_some_and(|word| CHANGING.iter().any(|one| word.eq_ignore_ascii_case(one)))
}

/// How far into a statement its first word is looked for, in bytes.
const LOOKED_AT: usize = 16 << 10;

#[cfg(test)]
mod tests {
    use super::is_change;

    #[test]
    fn the_first_word_says_what_a_statement_is() {
        for sql in [
            "create table x as select 1",
            " /* tool: {\"create\"} */ -- x\n ;INSERT into x values ('",
            "Drop view x",
            "update x set a = 1",
        ] {
            assert!(is_change(sql), "{sql}");
        }
        for sql in [
            "select 1",
            "with x as (delete from y) select 1",
            "\"create\" x",
            "-- create\nselect 1",
            "(select 1)",
            "explain create table x as select 1",
            "",
            "'create'",
        ] {
            assert!(!is_change(sql), "{sql}");
        }
        let long = format!("select '{}'", "ä".repeat(20_000));
        assert!(!is_change(&long));
    }
}
