//! Windows that refine a named one: `sum(x) over (by_day rows 6 preceding) … window by_day as (…)`.
//!
//! The engine takes the frame of such a window and forgets its name, so that partition and order
//! are lost and the answer is another one. Here the definition is written out before it is planned,
//! as the SQL standard has it.

use std::ops::ControlFlow;

use datafusion::error::{DataFusionError, Result};
use datafusion::prelude::SessionContext;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast;
use datafusion::sql::sqlparser::ast::{
    Expr, Ident, NamedWindowExpr, Select, VisitMut as _, VisitorMut, WindowSpec, WindowType,
};

/// Parses a statement, and writes out the windows that refine a named one.
///
/// # Errors
/// It cannot be parsed, or a window refines one that is not there, or that has its own partition,
/// order or frame already.
pub fn parse(session: &SessionContext, sql: &str) -> Result<Statement> {
    let state = session.state();
    let dialect = state.config_options().sql_parser.dialect;
    let mut statement = state.sql_to_statement(sql, &dialect)?;
    if let Statement::Statement(inner) = &mut statement {
        let mut written_out = WrittenOut { scopes: Vec::new() };
        if let ControlFlow::Break(why) = inner.visit(&mut written_out) {
            return Err(DataFusionError::Plan(why));
        }
    }
    Ok(statement)
}

struct WrittenOut {
    /// The named windows of each `select` that the visit is in.
    scopes: Vec<Vec<(Ident, WindowSpec)>>,
}

impl VisitorMut for WrittenOut {
    type Break = String;

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<String> {
        let mut known = Vec::new();
        for definition in &mut select.named_window {
            if let NamedWindowExpr::WindowSpec(spec) = &mut definition.1 {
                match refined(spec, &known) {
                    Ok(()) => known.push((definition.0.clone(), spec.clone())),
                    Err(why) => return ControlFlow::Break(why),
                }
            }
        }
        self.scopes.push(known);
        ControlFlow::Continue(())
    }

    fn post_visit_select(&mut self, _: &mut Select) -> ControlFlow<String> {
        self.scopes.pop();
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<String> {
        if let Expr::Function(ast::Function {
            over: Some(WindowType::WindowSpec(spec)),
            ..
        }) = expr
        {
            let known = self.scopes.last().map_or(&[][..], Vec::as_slice);
            if let Err(why) = refined(spec, known) {
                return ControlFlow::Break(why);
            }
        }
        ControlFlow::Continue(())
    }
}

/// Writes out the window that a specification refines, if it does.
fn refined(spec: &mut WindowSpec, known: &[(Ident, WindowSpec)]) -> Result<(), String> {
    let Some(name) = spec.window_name.take() else {
        return Ok(());
    };
    let same = |other: &Ident| match (name.quote_style, other.quote_style) {
        (None, None) => name.value.eq_ignore_ascii_case(&other.value),
        _ => name.value == other.value,
    };
    let Some((_, named)) = known.iter().find(|(other, _)| same(other)) else {
        return Err(format!("the window `{name}` is not defined"));
    };
    let what = match named {
        _ if !spec.partition_by.is_empty() => "may not say `partition by`: that of the named one",
        named if named.window_frame.is_some() => "may not refine one that has a frame: its rows",
        named if !named.order_by.is_empty() && !spec.order_by.is_empty() => {
            "may not say `order by` again: that of the named one"
        }
        named => {
            spec.partition_by.clone_from(&named.partition_by);
            if spec.order_by.is_empty() {
                spec.order_by.clone_from(&named.order_by);
            }
            return Ok(());
        }
    };
    Err(format!("a window that refines `{name}` {what} hold"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(sql: &str) -> Result<String> {
        Ok(parse(&SessionContext::new(), sql)?.to_string())
    }

    #[test]
    fn a_refined_window_has_the_partition_and_order_of_the_named_one() {
        let sql = "SELECT sum(x) OVER (W ROWS 1 PRECEDING) FROM t WINDOW w AS (PARTITION BY a ORDER BY b)";
        let found = written(sql).unwrap();
        let wanted = "sum(x) OVER (PARTITION BY a ORDER BY b ROWS 1 PRECEDING)";
        assert!(found.contains(wanted), "{found}");
        // A name holds in its own select, and a definition may refine an earlier one.
        let sql = "SELECT sum(x) OVER (v ROWS 1 PRECEDING), \
                   (SELECT max(y) OVER w FROM u WINDOW w AS (ORDER BY c)) \
                   FROM t WINDOW w AS (PARTITION BY a), v AS (w ORDER BY b)";
        assert!(written(sql).unwrap().contains(wanted), "{sql}");
    }

    #[test]
    fn a_window_that_cannot_be_refined_so_is_refused() {
        for (over, why) in [
            ("nobody ORDER BY b", "`nobody` is not defined"),
            ("w PARTITION BY b", "may not say `partition by`"),
            ("w ORDER BY b", "may not say `order by` again"),
            ("framed", "has a frame"),
        ] {
            let sql = format!(
                "SELECT sum(x) OVER ({over}) FROM t WINDOW w AS (PARTITION BY a ORDER BY b), \
                 framed AS (ORDER BY b ROWS 1 PRECEDING)"
            );
            let error = written(&sql).unwrap_err().to_string();
            assert!(error.contains(why), "{over}: {error}");
        }
    }

    #[tokio::test]
    async fn the_rows_of_other_partitions_are_not_counted() {
        let sql = "select sum(x) over (w rows between 1 preceding and current row) as s \
                   from (values (1, 1, 10), (1, 2, 20), (2, 1, 40), (2, 2, 80)) as t (a, b, x) \
                   window w as (partition by a order by b) order by s";
        let session = SessionContext::new();
        let (state, statement) = (session.state(), parse(&session, sql).unwrap());
        let plan = state.statement_to_plan(statement).await.unwrap();
        let rows = session.execute_logical_plan(plan).await.unwrap();
        let rows = rows.collect().await.unwrap();
        let shown = datafusion::arrow::util::pretty::pretty_format_batches(&rows).unwrap();
        let found: Vec<_> = shown
            .to_string()
            .split_whitespace()
            .map(str::to_owned)
            .collect();
        let numbers = found.iter().filter_map(|word| word.parse::<i64>().ok());
        assert_eq!(numbers.collect::<Vec<_>>(), [10, 30, 40, 120]);
    }
}
