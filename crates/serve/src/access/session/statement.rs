//! Which statements a session may run: it may read, and nothing else.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use datafusion::catalog::default_table_source::source_as_provider;
use datafusion::common::tree_node::{TreeNode as _, TreeNodeRecursion};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{Expr, LogicalPlan, TableSource};
use datafusion::sql::parser::Statement as EngineStatement;
use datafusion::sql::sqlparser::ast::{Query, Select, SetExpr, Statement, Visit as _, Visitor};

use super::text::{Size, too_complex};
use crate::access::error::{AccessError, Reason, Result};
use crate::access::limits::Limits;
use crate::access::own::Lender;
use crate::access::secured::SecuredTable;
use crate::access::tags::Tag;
use crate::metrics::MetricsTable;

/// Levels of a plan, and of an expression in it.
const LEVELS: usize = 300;
/// Operators of a plan.
const NODES: usize = 4_000;

/// Looks at the syntax tree of a statement.
///
/// # Errors
/// It would do anything but read, or is too large.
pub(super) fn check(statement: &EngineStatement, may_explain: bool, limits: &Limits) -> Result<()> {
    let inner = match statement {
        EngineStatement::Statement(inner) => inner,
        EngineStatement::Explain(explain) => {
            explainable(may_explain)?;
            return check(&explain.statement, false, limits);
        }
        _ => return Err(read_only()),
    };
    match &**inner {
        Statement::Query(_)
        | Statement::ShowTables { .. }
        | Statement::ShowColumns { .. }
        | Statement::ExplainTable { .. } => {}
        Statement::Explain { .. } => explainable(may_explain)?,
        Statement::ShowVariable { .. } => {
            return Err(AccessError::new(
                Reason::Setting,
                "settings are not shown here",
            ));
        }
        Statement::Set(_) => {
            return Err(AccessError::new(
                Reason::Setting,
                "this setting may not be set",
            ));
        }
        _ => return Err(read_only()),
    }
    if let ControlFlow::Break(error) = inner.visit(&mut Reading) {
        return Err(error);
    }
    match inner.visit(&mut Size::new(limits)) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

fn explainable(may_explain: bool) -> Result<()> {
    match may_explain {
        true => Ok(()),
        false => Err(AccessError::new(
            Reason::Denied,
            "`explain` shows how tables are stored, and is for administrators",
        )),
    }
}

pub(crate) fn read_only() -> AccessError {
    AccessError::new(Reason::Denied, "this statement would do more than read")
        .hint("a session runs `select`; tables are made by models, or in a schema of your own")
}

/// Finds what writes or locks inside a query.
struct Reading;

impl Visitor for Reading {
    type Break = AccessError;

    fn pre_visit_statement(&mut self, statement: &Statement) -> ControlFlow<AccessError> {
        match statement {
            Statement::Query(_)
            | Statement::ShowTables { .. }
            | Statement::ShowColumns { .. }
            | Statement::ExplainTable { .. }
            | Statement::Explain { .. } => ControlFlow::Continue(()),
            _ => ControlFlow::Break(read_only()),
        }
    }

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<AccessError> {
        let writes = writes(&query.body);
        match writes || !query.locks.is_empty() {
            true => ControlFlow::Break(read_only()),
            false => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<AccessError> {
        match select.into.is_some() {
            true => ControlFlow::Break(read_only()),
            false => ControlFlow::Continue(()),
        }
    }
}

fn writes(body: &SetExpr) -> bool {
    matches!(
        body,
        SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_)
    )
}

/// What a plan reads.
#[derive(Debug, Default, Clone)]
pub(crate) struct Reads {
    /// The governed tables.
    pub(crate) tables: BTreeSet<String>,
    /// The tags of what it may see of them.
    pub(crate) tags: BTreeSet<Tag>,
    /// How many tables it reads, each as often as it does, those in own views too.
    pub(crate) scans: u64,
    /// Those with whose rights own views in it read.
    pub(crate) lenders: Vec<Lender>,
}

/// Schemas beside the governed ones that a plan may read.
pub(super) const DESCRIBING: [&str; 2] = ["information_schema", "pg_catalog"];

/// Looks at a plan: nothing but known operators over governed tables, and not too many.
///
/// # Errors
/// It reads what is not governed, would write, or is too large.
///
/// `schema`: the one that names without a schema are looked up in.
pub(super) fn verify(plan: &LogicalPlan, schema: &str, is_admin: bool) -> Result<Reads> {
    let mut reads = Reads::default();
    let mut levels = 0_usize;
    let mut nodes = 0_usize;
    let outcome = plan.apply_with_subqueries(|node| {
        nodes += 1;
        if nodes > NODES {
            return Err(too_complex("the statement has too many parts".to_owned()).into());
        }
        one(node, schema, is_admin, &mut reads)?;
        node.apply_expressions(|expr| {
            levels = levels.max(depth(expr)?);
            Ok(TreeNodeRecursion::Continue)
        })
    });
    outcome.map_err(|error| AccessError::of_planning(&error))?;
    if levels > LEVELS {
        return Err(too_complex(format!(
            "an expression is more than {LEVELS} levels deep"
        )));
    }
    Ok(reads)
}

fn one(
    node: &LogicalPlan,
    schema: &str,
    is_admin: bool,
    reads: &mut Reads,
) -> Result<(), DataFusionError> {
    match node {
        LogicalPlan::Projection(_)
        | LogicalPlan::Filter(_)
        | LogicalPlan::Window(_)
        | LogicalPlan::Aggregate(_)
        | LogicalPlan::Sort(_)
        | LogicalPlan::Join(_)
        | LogicalPlan::Repartition(_)
        | LogicalPlan::Union(_)
        | LogicalPlan::EmptyRelation(_)
        | LogicalPlan::Subquery(_)
        | LogicalPlan::SubqueryAlias(_)
        | LogicalPlan::Limit(_)
        | LogicalPlan::Values(_)
        | LogicalPlan::Distinct(_)
        | LogicalPlan::Unnest(_)
        | LogicalPlan::RecursiveQuery(_)
        // Only the relation functions of the program have nodes of their own.
        | LogicalPlan::Extension(_)
        | LogicalPlan::DescribeTable(_) => Ok(()),
        LogicalPlan::Explain(_) | LogicalPlan::Analyze(_) if is_admin => Ok(()),
        LogicalPlan::TableScan(scan) => {
            if let Ok(provider) = source_as_provider(&scan.source)
                && let Some(secured) = provider.downcast_ref::<SecuredTable>()
            {
                reads.tables.insert(secured.name().to_owned());
                reads.tags.extend(secured.tags());
                reads.scans = reads.scans.saturating_add(secured.weight());
                reads.lenders.extend(secured.lenders().iter().cloned());
                return Ok(());
            }
            // A metrics table is read from governed tables.
            if let Ok(provider) = source_as_provider(&scan.source)
                && let Some(metrics) = provider.downcast_ref::<MetricsTable>()
            {
                for secured in metrics.sources.values().filter_map(governed_of) {
                    reads.tables.insert(secured.0);
                    reads.tags.extend(secured.1);
                }
                return Ok(());
            }
            let schema = scan.table_name.schema().unwrap_or(schema);
            match DESCRIBING.contains(&schema) || is_harmless(scan) {
                true => Ok(()),
                false => Err(read_only().into()),
            }
        }
        _ => Err(read_only().into()),
    }
}

/// Name and tags of a governed table.
fn governed_of(source: &Arc<dyn TableSource>) -> Option<(String, BTreeSet<Tag>)> {
    let provider = source_as_provider(source).ok()?;
    let secured = provider.downcast_ref::<SecuredTable>()?;
    Some((secured.name().to_owned(), secured.tags()))
}

/// The rows of a recursive `with`, or of a table function that is allowed.
fn is_harmless(scan: &datafusion::logical_expr::TableScan) -> bool {
    source_as_provider(&scan.source).is_ok_and(|provider| {
        provider.is::<datafusion::catalog::cte_worktable::CteWorkTable>()
            || provider.is::<super::functions::Series>()
    })
}

/// Levels of an expression.
fn depth(expr: &Expr) -> Result<usize, DataFusionError> {
    let mut deepest = 0;
    let mut open = vec![(expr, 1)];
    while let Some((expr, level)) = open.pop() {
        deepest = deepest.max(level);
        if level > LEVELS {
            break;
        }
        expr.apply_children(|child| {
            open.push((child, level + 1));
            Ok(TreeNodeRecursion::Continue)
        })?;
    }
    Ok(deepest)
}
