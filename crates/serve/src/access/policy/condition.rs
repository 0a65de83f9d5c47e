//! SQL in `access.yml`: `country = {{ user.country }}`.
//!
//! What stands in double braces never becomes text of the SQL: it is a parameter, and its value is
//! bound to the finished plan with the attribute's own type.

use datafusion::common::ScalarValue;
use datafusion::sql::sqlparser::ast::{Expr, Value, visit_expressions};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::Token;
use std::ops::ControlFlow;

use crate::access::principal::{Attribute, Principal};

/// An SQL expression with places for attributes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Condition {
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Piece {
    Sql(String),
    /// `{{ user.… }}`.
    Attribute(String),
    /// `{{ column }}`, in masks.
    Column,
}

/// The SQL with `$1`, `$2` … and their values.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bound {
    pub(crate) sql: String,
    pub(crate) values: Vec<ScalarValue>,
}

impl std::fmt::Display for Condition {
    /// As `access.yml` has it.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for piece in &self.pieces {
            match piece {
                Piece::Sql(text) => out.write_str(text)?,
                Piece::Attribute(name) => write!(out, "{{{{ user.{name} }}}}")?,
                Piece::Column => out.write_str("{{ column }}")?,
            }
        }
        Ok(())
    }
}

impl Condition {
    /// Reads an expression. `is_mask`: it may say `{{ column }}`.
    ///
    /// # Errors
    /// It is no SQL expression, or what stands in braces is not known.
    pub(crate) fn parse(text: &str, is_mask: bool) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let Some((inside, after)) = after.split_once("}}") else {
                return Err("`{{` is not closed by `}}`".to_owned());
            };
            pieces.push(Piece::Sql(before.to_owned()));
            pieces.push(match inside.trim() {
                "column" if is_mask => Piece::Column,
                inside => match inside.strip_prefix("user.") {
                    Some(name) if is_name(name) => Piece::Attribute(name.to_owned()),
                    _ => return Err(format!("`{{{{ {inside} }}}}` is not known here")),
                },
            });
            rest = after;
        }
        pieces.push(Piece::Sql(rest.to_owned()));
        let condition = Self { pieces };
        condition.check()?;
        Ok(condition)
    }

    /// It must be one whole expression, and each attribute a value of its own in it.
    fn check(&self) -> Result<(), String> {
        let sql = self.unbound("column");
        let asked = self
            .pieces
            .iter()
            .filter(|piece| matches!(piece, Piece::Attribute(_)))
            .count();
        let wrong = |error: &dyn std::fmt::Display| format!("it is no SQL expression: {error}");
        let mut parser = Parser::new(&GenericDialect {})
            .with_recursion_limit(50)
            .try_with_sql(&sql)
            .map_err(|error| wrong(&error))?;
        let expr = parser.parse_expr().map_err(|error| wrong(&error))?;
        let next = parser.peek_token().token;
        if next != Token::EOF {
            return Err(wrong(&format!("`{next}` stands after its end")));
        }
        let mut found = 0;
        let _: ControlFlow<()> = visit_expressions(&expr, |expr: &Expr| {
            if let Expr::Value(value) = expr
                && matches!(value.value, Value::Placeholder(_))
            {
                found += 1;
            }
            ControlFlow::Continue(())
        });
        match found == asked {
            true => Ok(()),
            false => Err(
                "an attribute is a value of its own: write it without quotes, and no `$` or `?` \
                 beside it"
                    .to_owned(),
            ),
        }
    }

    /// With places for attributes and nothing in them, for a check.
    /// `column`: what `{{ column }}` is.
    pub(crate) fn unbound(&self, column: &str) -> String {
        let mut asked = 0;
        let piece = |piece: &Piece| match piece {
            Piece::Sql(text) => text.clone(),
            Piece::Column => quoted(column),
            Piece::Attribute(_) => {
                asked += 1;
                format!("${asked}")
            }
        };
        self.pieces.iter().map(piece).collect()
    }

    /// With the attributes of a principal. `column`: what `{{ column }}` is.
    ///
    /// # Errors
    /// The name of an attribute that the principal does not have, or of a list of several values.
    pub(crate) fn bind(&self, principal: &Principal, column: &str) -> Result<Bound, String> {
        let mut bound = Bound {
            sql: String::new(),
            values: vec![],
        };
        for piece in &self.pieces {
            match piece {
                Piece::Sql(text) => bound.sql.push_str(text),
                Piece::Column => bound.sql.push_str(&quoted(column)),
                Piece::Attribute(name) => {
                    let values = values(principal, name).ok_or_else(|| name.clone())?;
                    let places = values.into_iter().map(|value| {
                        bound.values.push(value);
                        format!("${}", bound.values.len())
                    });
                    let places: Vec<String> = places.collect();
                    bound.sql.push_str(&places.join(", "));
                }
            }
        }
        Ok(bound)
    }
}

fn values(principal: &Principal, name: &str) -> Option<Vec<ScalarValue>> {
    let text = |text: &String| ScalarValue::Utf8(Some(text.clone()));
    Some(match principal.attributes.get(name) {
        Some(Attribute::Text(value)) => vec![text(value)],
        Some(Attribute::Integer(value)) => vec![ScalarValue::Int64(Some(*value))],
        Some(Attribute::Boolean(value)) => vec![ScalarValue::Boolean(Some(*value))],
        // `in (null)` holds for no row.
        Some(Attribute::Texts(all)) if all.is_empty() => vec![ScalarValue::Utf8(None)],
        Some(Attribute::Texts(all)) => all.iter().map(text).collect(),
        None if name == "name" => vec![text(&principal.name)],
        None => return None,
    })
}

/// A name as SQL takes it literally.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn is_name(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !text.is_empty() && text.chars().all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_bound_and_never_pasted() {
        let condition = Condition::parse("country = {{ user.country }}", false).expect("parse");
        let ana = Principal::user("ana", [])
            .with_attribute("country", Attribute::Text("' or '1'='1".into()));
        let bound = condition.bind(&ana, "").expect("bound");
        assert_eq!(bound.sql, "country = $1");
        assert_eq!(bound.values, [ScalarValue::from("' or '1'='1")]);
        assert_eq!(
            condition.bind(&Principal::user("bo", []), ""),
            Err("country".to_owned())
        );
    }

    #[test]
    fn lists_become_as_many_values() {
        let condition = Condition::parse("c in ({{user.countries}}) and d", false).expect("parse");
        let texts = Attribute::Texts(vec!["DE".into(), "AT".into()]);
        let ana = Principal::user("ana", []).with_attribute("countries", texts);
        let bound = condition.bind(&ana, "").expect("bound");
        assert_eq!(bound.sql, "c in ($1, $2) and d");
        let none = Principal::user("bo", []).with_attribute("countries", Attribute::Texts(vec![]));
        assert_eq!(
            condition.bind(&none, "").expect("bound").values,
            [ScalarValue::Utf8(None)]
        );
    }

    #[test]
    fn what_is_no_single_expression_is_refused() {
        let refused = [
            "country = ",
            "true) or (true",
            "a = 1; drop table x",
            "a = '{{ user.country }}'",
            "a = {{ user.country",
            "a = {{ country }}",
            "a = {{ column }}",
            "a = $1",
        ];
        for text in refused {
            assert!(Condition::parse(text, false).is_err(), "{text}");
        }
        let mask = Condition::parse("left({{ column }}, 2)", true).expect("parse");
        let bound = mask
            .bind(&Principal::user("ana", []), "e\"mail")
            .expect("bound");
        assert_eq!(bound.sql, "left(\"e\"\"mail\", 2)");
    }
}
