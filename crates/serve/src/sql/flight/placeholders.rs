//! `?` in statements: the drivers of JDBC, ODBC and Python's DB-API write it, the engine knows
//! `$1`, `$2` ….

use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};

/// A statement whose `?` are numbered. One that numbers its parameters itself, or that cannot be
/// read, stays as it is.
pub(super) fn numbered(sql: &str) -> String {
    if !sql.contains('?') {
        return sql.to_owned();
    }
    // The dialect in which statements are planned.
    let Ok(tokens) = Tokenizer::new(&GenericDialect {}, sql).tokenize_with_location() else {
        return sql.to_owned();
    };
    let is_own = |token: &Token| matches!(token, Token::Placeholder(name) if name.starts_with('$'));
    if tokens.iter().any(|token| is_own(&token.token)) {
        return sql.to_owned();
    }
    let mut places = tokens.iter().filter(|token| is_question(&token.token));
    let mut place = places.next();
    let mut text = String::with_capacity(sql.len() + 16);
    let (mut line, mut column, mut number) = (1, 1, 0);
    for letter in sql.chars() {
        let here = place.is_some_and(|token| {
            let start = token.span.start;
            (start.line, start.column) == (line, column)
        });
        if here {
            place = places.next();
        }
        match here && letter == '?' {
            true => {
                number += 1;
                text.push_str(&format!("${number}"));
            }
            false => text.push(letter),
        }
        match letter {
            '\n' => (line, column) = (line + 1, 1),
            _ => column += 1,
        }
    }
    text
}

/// A `?` alone, or before a sign that would be an operator of PostgreSQL's geometry.
fn is_question(token: &Token) -> bool {
    match token {
        Token::Question | Token::QuestionMarkDash => true,
        Token::Placeholder(name) => name == "?",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn question_marks_are_numbered_outside_of_texts_and_comments() {
        for (sql, expected) in [
            ("select ?", "select $1"),
            ("select ?,?", "select $1,$2"),
            (
                "select a\nfrom t where x=? and\r\n y in (?, ?)",
                "select a\nfrom t where x=$1 and\r\n y in ($2, $3)",
            ),
            (
                "select '?', \"a?\", ? -- ?\n, /* ? */ ?",
                "select '?', \"a?\", $1 -- ?\n, /* ? */ $2",
            ),
            ("select 'it''s ?', 'ä' || ?", "select 'it''s ?', 'ä' || $1"),
            ("select ?-1", "select $1-1"),
            ("select $1, '?'", "select $1, '?'"),
            ("select $1, ?", "select $1, ?"),
            ("select 'open ?", "select 'open ?"),
            ("select 1", "select 1"),
        ] {
            assert_eq!(numbered(sql), expected);
        }
    }
}
