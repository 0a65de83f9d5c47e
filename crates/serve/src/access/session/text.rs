//! What is looked at before a statement is parsed, and in its syntax tree: how large it is.
//!
//! A parser and a planner follow a statement's depth with their stacks and its size with their
//! memory, and neither can be stopped from outside. So both are bounded first, by counting.

use std::collections::HashMap;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{Expr, ObjectName, Query, Visitor};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};

use crate::access::error::{AccessError, Reason, Result};
use crate::access::limits::Limits;

/// Sets of groups that `cube` makes double with each column.
const CUBE_COLUMNS: usize = 8;

/// Counts the words and signs of a statement.
///
/// # Errors
/// There are too many, or they are no SQL.
pub(crate) fn check(sql: &str, limits: &Limits) -> Result<()> {
    if sql.len() > limits.statement_bytes {
        let message = format!(
            "the statement is longer than {} bytes",
            limits.statement_bytes
        );
        return Err(too_complex(message));
    }
    let tokens = Tokenizer::new(&GenericDialect {}, sql)
        .tokenize()
        .map_err(|error| AccessError::new(Reason::Syntax, error.to_string()))?;
    let mut count = Count::default();
    for token in &tokens {
        count.add(token);
    }
    let over = |is: usize, most: usize, what: &str| match is > most {
        true => Err(too_complex(format!(
            "the statement has more than {most} {what}"
        ))),
        false => Ok(()),
    };
    over(count.tokens, limits.tokens, "words and signs")?;
    over(count.deepest, limits.depth, "levels of parentheses")?;
    over(count.operators, limits.operators, "operators")?;
    over(count.unions, limits.unions, "unions")?;
    over(count.joins, limits.tables, "joins")?;
    over(count.cases, limits.depth, "levels of `case`")
}

#[derive(Default)]
struct Count {
    tokens: usize,
    depth: usize,
    deepest: usize,
    operators: usize,
    unions: usize,
    joins: usize,
    case: usize,
    cases: usize,
}

impl Count {
    fn add(&mut self, token: &Token) {
        if matches!(token, Token::Whitespace(_)) {
            return;
        }
        self.tokens += 1;
        match token {
            Token::LParen | Token::LBracket | Token::LBrace => {
                // `a[1][1][1]` is as deep as it is long.
                self.operators += usize::from(*token == Token::LBracket);
                self.depth += 1;
                self.deepest = self.deepest.max(self.depth);
            }
            Token::RParen | Token::RBracket | Token::RBrace => {
                self.depth = self.depth.saturating_sub(1);
            }
            Token::Word(word) => self.word(word.keyword),
            Token::Comma
            | Token::Period
            | Token::SemiColon
            | Token::Number(..)
            | Token::SingleQuotedString(_)
            | Token::EscapedStringLiteral(_)
            | Token::DollarQuotedString(_)
            | Token::Placeholder(_)
            | Token::EOF => {}
            // Everything else joins two expressions or goes before one.
            _ => self.operators += 1,
        }
    }

    fn word(&mut self, keyword: Keyword) {
        match keyword {
            Keyword::AND
            | Keyword::OR
            | Keyword::XOR
            | Keyword::NOT
            | Keyword::IS
            | Keyword::NOTNULL
            | Keyword::IN
            | Keyword::BETWEEN
            | Keyword::LIKE
            | Keyword::ILIKE
            | Keyword::RLIKE
            | Keyword::REGEXP
            | Keyword::SIMILAR
            | Keyword::OVERLAPS
            | Keyword::DIV
            | Keyword::COLLATE
            | Keyword::AT => self.operators += 1,
            Keyword::UNION | Keyword::EXCEPT | Keyword::INTERSECT | Keyword::MINUS => {
                self.unions += 1;
            }
            Keyword::JOIN => self.joins += 1,
            Keyword::CASE => {
                self.case += 1;
                self.cases = self.cases.max(self.case);
            }
            Keyword::END => self.case = self.case.saturating_sub(1),
            _ => {}
        }
    }
}

/// Looks at a syntax tree: how many tables it reads once each `with` is put in its places.
pub(super) struct Size<'a> {
    limits: &'a Limits,
    scopes: Vec<Scope>,
    tables: u64,
}

/// A query that the visit is in.
#[derive(Default)]
struct Scope {
    /// Its `with` queries by where they are in memory, until they were visited.
    named: HashMap<usize, String>,
    /// How many tables each of them reads.
    sizes: HashMap<String, u64>,
    tables: u64,
}

impl<'a> Size<'a> {
    pub(super) fn new(limits: &'a Limits) -> Self {
        Self {
            limits,
            scopes: vec![],
            tables: 0,
        }
    }

    fn over(&self, tables: u64) -> ControlFlow<AccessError> {
        match tables > self.limits.tables as u64 {
            true => ControlFlow::Break(too_complex(format!(
                "the statement reads more than {} tables, those of its `with` as often as they \
                 are used",
                self.limits.tables
            ))),
            false => ControlFlow::Continue(()),
        }
    }
}

fn address(query: &Query) -> usize {
    std::ptr::from_ref(query) as usize
}

impl Visitor for Size<'_> {
    type Break = AccessError;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<AccessError> {
        let mut scope = Scope::default();
        for cte in query.with.iter().flat_map(|with| &with.cte_tables) {
            let name = cte.alias.name.value.to_lowercase();
            scope.named.insert(address(&cte.query), name);
        }
        self.scopes.push(scope);
        if self.scopes.len() > self.limits.depth {
            return ControlFlow::Break(too_complex("subqueries are nested too deep".to_owned()));
        }
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &Query) -> ControlFlow<AccessError> {
        let Some(done) = self.scopes.pop() else {
            return ControlFlow::Continue(());
        };
        let tables = done.tables.max(1);
        match self.scopes.last_mut() {
            None => self.tables = self.tables.saturating_add(tables),
            Some(outer) => match outer.named.remove(&address(query)) {
                Some(name) => {
                    outer.sizes.insert(name, tables);
                }
                None => outer.tables = outer.tables.saturating_add(tables),
            },
        }
        self.over(tables.max(self.tables))
    }

    fn pre_visit_relation(&mut self, name: &ObjectName) -> ControlFlow<AccessError> {
        let name = name.to_string().to_lowercase();
        let known = self
            .scopes
            .iter()
            .rev()
            .find_map(|scope| scope.sizes.get(&name));
        let tables = known.copied().unwrap_or(1);
        if let Some(scope) = self.scopes.last_mut() {
            scope.tables = scope.tables.saturating_add(tables);
            let so_far = scope.tables;
            return self.over(so_far);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<AccessError> {
        let columns = match expr {
            Expr::Cube(columns) => columns.len(),
            Expr::Rollup(columns) => columns.len() / 8,
            Expr::GroupingSets(sets) => sets.len() / 8,
            _ => 0,
        };
        match columns > CUBE_COLUMNS {
            true => ControlFlow::Break(too_complex(format!(
                "`cube` of more than {CUBE_COLUMNS} columns"
            ))),
            false => ControlFlow::Continue(()),
        }
    }
}

pub(crate) fn too_complex(message: String) -> AccessError {
    AccessError::new(Reason::TooComplex, message)
        .hint("many values of one column are asked for by `in (…)`; split the statement otherwise")
}
