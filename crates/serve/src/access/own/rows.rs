//! `insert … values` of many rows: measured row by row, where other statements are measured whole.

use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};

use super::INSERT_BYTES;
use crate::access::error::{AccessError, Reason, Result};
use crate::access::limits::Limits;
use crate::access::session::text;

/// Words and signs of an insert.
const TOKENS: usize = 2_000_000;
/// Operators of one value.
const OPERATORS: usize = 100;

/// Measures a statement: an `insert … values` by its rows, any other as ever.
///
/// # Errors
/// It is too long, too deep, or no SQL.
pub(super) fn check(sql: &str, limits: &Limits) -> Result<()> {
    if sql.len() <= limits.statement_bytes && text::check(sql, limits).is_ok() {
        return Ok(());
    }
    if sql.len() > INSERT_BYTES {
        return Err(too_long());
    }
    let tokens = Tokenizer::new(&GenericDialect {}, sql)
        .tokenize()
        .map_err(|error| AccessError::new(Reason::Syntax, error.to_string()))?;
    let mut words = tokens.iter().filter_map(|token| match token {
        Token::Word(word) => Some(word.keyword),
        _ => None,
    });
    let first = words.next();
    let is_insert = first == Some(Keyword::INSERT) && words.any(|word| word == Keyword::VALUES);
    // The rows of an insert, when they are planned.
    if !is_insert && first != Some(Keyword::VALUES) {
        return text::check(sql, limits);
    }
    if tokens.len() > TOKENS {
        return Err(too_long());
    }
    measure(&tokens, limits.depth)
}

/// A query in an insert must not make use of what rows may: so it is one literal after another.
fn measure(tokens: &[Token], most: usize) -> Result<()> {
    let (mut depth, mut operators) = (0_usize, 0_usize);
    for token in tokens {
        match token {
            Token::LParen | Token::LBracket | Token::LBrace => depth += 1,
            Token::RParen | Token::RBracket | Token::RBrace => depth = depth.saturating_sub(1),
            Token::Comma => operators = 0,
            Token::Word(word)
                if matches!(
                    word.keyword,
                    Keyword::SELECT | Keyword::CASE | Keyword::UNION | Keyword::WITH
                ) && word.quote_style.is_none() =>
            {
                return Err(text::too_complex(
                    "an insert of so many rows takes values alone".to_owned(),
                ));
            }
            Token::Whitespace(_)
            | Token::Word(_)
            | Token::Number(..)
            | Token::SingleQuotedString(_)
            | Token::Period
            | Token::SemiColon
            | Token::EOF => {}
            _ => operators += 1,
        }
        if depth > most || operators > OPERATORS {
            return Err(text::too_complex("a value is nested too deep".to_owned()));
        }
    }
    Ok(())
}

fn too_long() -> AccessError {
    let megabytes = INSERT_BYTES >> 20;
    let message = format!("an insert takes {megabytes} MiB and {TOKENS} words and signs at most");
    AccessError::new(Reason::TooComplex, message)
        .hint("insert in several parts: in dbt by a macro `get_batch_size` of your own")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_rows_are_many_small_things() {
        let limits = Limits::default();
        let rows = vec!["(-1, 'a', '2026-01-01'::date)"; 20_000].join(", ");
        let insert = format!("/* dbt */ insert into dbt.x (a, b, c) values {rows}");
        assert!(text::check(&insert, &limits).is_err());
        assert_eq!(check(&insert, &limits), Ok(()));
        assert_eq!(check(&format!("VALUES {rows}"), &limits), Ok(()));
        assert!(check(&format!("select * from (values {rows})"), &limits).is_err());
        let deep = format!(
            "insert into x values {}1{}",
            "(".repeat(500),
            ")".repeat(500)
        );
        assert!(check(&deep, &limits).is_err());
        let long = format!("insert into x values ({rows}, {}1)", "1+".repeat(5_000));
        assert!(check(&long, &limits).is_err());
        let query = format!("insert into x values {rows}, ((select 1))");
        assert!(check(&query, &limits).is_err());
    }
}
