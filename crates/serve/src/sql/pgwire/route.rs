//! Which engine answers a query: the warehouse's, or the catalogue's.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, DataType, Expr, Function, FunctionArguments, Ident, ObjectName, Query,
    SelectItem, SetExpr, Statement, Value, ValueWithSpan, Visit as _, VisitMut, Visitor,
    VisitorMut,
};
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::parser::Parser;

use super::catalog::{self, SYSTEM};
use super::error::PgError;
use super::names::output_names;

/// How a query is answered.
#[derive(Debug, Clone)]
pub(super) enum Route {
    /// By the warehouse's engine. The names of its columns, where PostgreSQL would give others.
    Warehouse(Option<Vec<Option<String>>>),
    /// The same, once what it asks about the catalogue is written out.
    Mixed(Box<Statement>),
    /// By the catalogue's.
    Catalog(Box<Query>),
}

/// Finds out how a query is answered. One that cannot be read here is the warehouse's.
///
/// # Errors
/// It reads tables of both.
pub(super) fn route(sql: &str) -> Result<Route, PgError> {
    let parsed = Parser::parse_sql(&PostgreSqlDialect {}, sql);
    let Some(statement @ Statement::Query(_)) = parsed.ok().and_then(|mut all| all.pop()) else {
        return Ok(Route::Warehouse(None));
    };
    let mut seen = Seen::default();
    let _ = statement.visit(&mut seen);
    match (seen.reads_catalog, seen.reads_warehouse) {
        (true, true) => Err(PgError::unsupported(
            "a query reads tables of the catalogue or of the warehouse, not of both",
        )
        .hint("ask twice")),
        (true, false) => Ok(of_catalog(statement)),
        (false, false) if seen.asks_catalog => Ok(of_catalog(statement)),
        (false, _) if seen.asks_catalog || seen.has_dress => Ok(Route::Mixed(Box::new(statement))),
        (false, _) => Ok(Route::Warehouse(output_names(&statement))),
    }
}

fn of_catalog(statement: Statement) -> Route {
    match statement {
        Statement::Query(query) => Route::Catalog(query),
        _ => Route::Warehouse(None),
    }
}

/// What a statement reads and asks for.
#[derive(Default)]
struct Seen {
    /// Names of its `with` queries.
    with: BTreeSet<String>,
    reads_catalog: bool,
    reads_warehouse: bool,
    /// It calls functions about the catalogue.
    asks_catalog: bool,
    /// It writes names and operators with the schema that they have in PostgreSQL.
    has_dress: bool,
}

fn folded(name: &Ident) -> String {
    match name.quote_style {
        Some(_) => name.value.clone(),
        None => name.value.to_lowercase(),
    }
}

fn parts(name: &ObjectName) -> Vec<String> {
    name.0
        .iter()
        .filter_map(|part| part.as_ident())
        .map(folded)
        .collect()
}

/// A type whose values are numbers of things in the catalogue.
fn is_of_catalog(data: &DataType) -> bool {
    let name = data.to_string().to_lowercase();
    let bare = name.rsplit('.').next().unwrap_or_default();
    [
        "regclass",
        "regtype",
        "regproc",
        "regprocedure",
        "regnamespace",
        "regrole",
        "oid",
    ]
    .contains(&bare)
}

impl Visitor for Seen {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        for cte in query.with.iter().flat_map(|with| &with.cte_tables) {
            self.with.insert(folded(&cte.alias.name));
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, name: &ObjectName) -> ControlFlow<()> {
        let parts = parts(name);
        let is_system = match parts.as_slice() {
            [name] if self.with.contains(name) => return ControlFlow::Continue(()),
            [.., schema, _] => SYSTEM.contains(&schema.as_str()),
            [name] => name.starts_with("pg_") && catalog::has_table(None, name),
            [] => false,
        };
        let is_function = parts.last().is_some_and(|name| catalog::is_set(name));
        match (is_function, is_system) {
            // A function that gives rows may be of either.
            (true, _) => {}
            (false, true) => self.reads_catalog = true,
            (false, false) => self.reads_warehouse = true,
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        match expr {
            Expr::Function(function) => {
                let parts = parts(&function.name);
                let name = parts.last().map(String::as_str).unwrap_or_default();
                self.asks_catalog |= catalog::is_about_catalog(name);
                self.has_dress |= parts.len() > 1;
            }
            Expr::Identifier(name) if name.quote_style.is_none() => {
                self.asks_catalog |= name.value.eq_ignore_ascii_case("current_schema");
            }
            Expr::Cast { data_type, .. } => {
                self.asks_catalog |= is_of_catalog(data_type);
                self.has_dress |= data_type
                    .to_string()
                    .to_lowercase()
                    .starts_with("pg_catalog.");
            }
            Expr::Collate { .. } => self.has_dress = true,
            Expr::BinaryOp {
                op: BinaryOperator::PGCustomBinaryOperator(_),
                ..
            } => self.has_dress = true,
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

/// Writes out what a statement asks about the catalogue, and takes off what only PostgreSQL's
/// names have. `value`: what the catalogue says to an expression, as a literal.
///
/// # Errors
/// The catalogue has no answer.
pub(super) fn written_out(
    mut statement: Statement,
    value: &mut dyn FnMut(Query) -> Result<Value, PgError>,
) -> Result<(String, Option<Vec<Option<String>>>), PgError> {
    let names = output_names(&statement);
    let mut plain = Plain { value };
    match VisitMut::visit(&mut statement, &mut plain) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok((statement.to_string(), names)),
    }
}

struct Plain<'a> {
    value: &'a mut dyn FnMut(Query) -> Result<Value, PgError>,
}

impl VisitorMut for Plain<'_> {
    type Break = PgError;

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<PgError> {
        let asks = match expr {
            Expr::Function(function) => {
                let name = parts(&function.name).pop().unwrap_or_default();
                if function.name.0.len() > 1 {
                    function.name = ObjectName::from(vec![Ident::new(name.clone())]);
                }
                catalog::is_about_catalog(&name) && has_literals(function)
            }
            Expr::Identifier(name) => name.value.eq_ignore_ascii_case("current_schema"),
            Expr::Cast {
                data_type, expr, ..
            } => {
                let written = data_type.to_string();
                if let Some(bare) = written.to_lowercase().strip_prefix("pg_catalog.") {
                    let dialect = PostgreSqlDialect {};
                    let parsed = Parser::new(&dialect).try_with_sql(bare);
                    if let Ok(bare) = parsed.and_then(|mut parser| parser.parse_data_type()) {
                        *data_type = bare;
                    }
                }
                is_of_catalog(data_type) && matches!(**expr, Expr::Value(_))
            }
            Expr::Collate { expr: inner, .. } => {
                let inner = std::mem::replace(&mut **inner, null());
                *expr = inner;
                false
            }
            Expr::BinaryOp { op, .. } => {
                if let BinaryOperator::PGCustomBinaryOperator(names) = op
                    && let Some(own) = names.last().and_then(|name| operator(name))
                {
                    *op = own;
                }
                false
            }
            _ => false,
        };
        if !asks {
            return ControlFlow::Continue(());
        }
        let asked = std::mem::replace(expr, null());
        match query_of(asked).and_then(|query| (self.value)(query)) {
            Ok(value) => {
                *expr = Expr::Value(value.with_empty_span());
                ControlFlow::Continue(())
            }
            Err(error) => ControlFlow::Break(error),
        }
    }
}

fn null() -> Expr {
    Expr::Value(ValueWithSpan::from(Value::Null))
}

/// Whether nothing that a function is called with depends on a row.
fn has_literals(function: &Function) -> bool {
    use datafusion::sql::sqlparser::ast::{FunctionArg, FunctionArgExpr};
    match &function.args {
        FunctionArguments::None => true,
        FunctionArguments::Subquery(_) => false,
        FunctionArguments::List(list) => list.args.iter().all(|argument| {
            matches!(
                argument,
                FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Value(_)))
            )
        }),
    }
}

/// `select …` of one expression.
fn query_of(expr: Expr) -> Result<Query, PgError> {
    let wrong = || PgError::new("XX000", "the query cannot be written out");
    let parsed = Parser::parse_sql(&PostgreSqlDialect {}, "select 1").map_err(|_| wrong())?;
    let Some(Statement::Query(mut query)) = parsed.into_iter().next() else {
        return Err(wrong());
    };
    let SetExpr::Select(select) = &mut *query.body else {
        return Err(wrong());
    };
    select.projection = vec![SelectItem::UnnamedExpr(expr)];
    Ok(*query)
}

fn operator(name: &str) -> Option<BinaryOperator> {
    Some(match name {
        "=" => BinaryOperator::Eq,
        "<>" => BinaryOperator::NotEq,
        "<" => BinaryOperator::Lt,
        "<=" => BinaryOperator::LtEq,
        ">" => BinaryOperator::Gt,
        ">=" => BinaryOperator::GtEq,
        "+" => BinaryOperator::Plus,
        "-" => BinaryOperator::Minus,
        "*" => BinaryOperator::Multiply,
        "/" => BinaryOperator::Divide,
        "||" => BinaryOperator::StringConcat,
        "~" => BinaryOperator::PGRegexMatch,
        "~*" => BinaryOperator::PGRegexIMatch,
        "!~" => BinaryOperator::PGRegexNotMatch,
        "!~*" => BinaryOperator::PGRegexNotIMatch,
        "~~" => BinaryOperator::PGLikeMatch,
        "!~~" => BinaryOperator::PGNotLikeMatch,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_answers_what_is_about_it() {
        let is = |sql: &str| match route(sql) {
            Ok(Route::Warehouse(_)) => "warehouse",
            Ok(Route::Mixed(_)) => "mixed",
            Ok(Route::Catalog(_)) => "catalogue",
            Err(_) => "neither",
        };
        for (sql, expected) in [
            ("select 1", "warehouse"),
            ("select * from orders", "warehouse"),
            ("select * from pg_compat_test", "warehouse"),
            ("select * from pg_class", "catalogue"),
            (
                "select * from pg_catalog.pg_class c join pg_namespace n on true",
                "catalogue",
            ),
            ("select * from information_schema.tables", "catalogue"),
            (
                "with pg_class as (select 1) select * from pg_class",
                "warehouse",
            ),
            ("select version()", "catalogue"),
            ("select current_schema", "catalogue"),
            ("select 'x'::regclass", "catalogue"),
            ("select current_user, count(*) from orders", "mixed"),
            ("select pg_catalog.lower(a) from orders", "mixed"),
            ("select * from pg_class, orders", "neither"),
            ("select * from generate_series(1, 3)", "warehouse"),
            ("not sql", "warehouse"),
        ] {
            assert_eq!(is(sql), expected, "{sql}");
        }
    }

    #[test]
    fn what_only_postgres_has_is_taken_off() {
        let Ok(Route::Mixed(statement)) = route(
            "select current_user, pg_catalog.lower(a collate \"C\"), b::pg_catalog.int4 \
             from orders where a operator(pg_catalog.~) 'x'",
        ) else {
            panic!("it is mixed");
        };
        let mut value = |_| Ok(Value::SingleQuotedString("ana".to_owned()));
        let (sql, names) = written_out(*statement, &mut value).unwrap();
        assert!(sql.starts_with("SELECT 'ana', lower(a), b::"), "{sql}");
        assert!(sql.ends_with("WHERE a ~ 'x'"), "{sql}");
        let names: Vec<_> = names.unwrap().into_iter().flatten().collect();
        assert_eq!(names, ["current_user", "lower", "b"]);
    }
}
