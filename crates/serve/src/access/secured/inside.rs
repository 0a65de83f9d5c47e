//! The inside of a secured table: scan, policy's filter, the user's harmless conditions, masks. It
//! is planned with the owner's rights, whole and by itself, before the user's query sees it.

use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::TableProvider;
use datafusion::common::tree_node::{Transformed, TreeNode as _, TreeNodeRecursion};
use datafusion::common::{Column, ScalarValue, TableReference};
use datafusion::datasource::provider_as_source;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::SessionState;
use datafusion::logical_expr::{
    Expr, Filter, LogicalPlan, LogicalPlanBuilder, Subquery, utils::conjunction,
};
use datafusion::physical_plan::ExecutionPlan;

use super::mask::{self, MaskKey};
use crate::access::error::{AccessError, Reason};
use crate::access::policy::condition::quoted;
use crate::access::policy::{FilterRule, TableRights};
use crate::access::principal::Principal;

/// What the inside is made from.
pub(super) struct Inside<'a> {
    pub(super) state: &'a SessionState,
    pub(super) schema: &'a str,
    pub(super) table: &'a str,
    pub(super) inner: &'a Arc<dyn TableProvider>,
    pub(super) rights: &'a TableRights,
    pub(super) principal: &'a Principal,
    pub(super) key: &'a MaskKey,
    /// The columns as the user sees them, by their places in `rights.columns`.
    pub(super) seen: &'a SchemaRef,
}

impl Inside<'_> {
    /// Plans it. `projection`: places in `rights.columns`; `conditions`: of the user, leak-proof.
    pub(super) async fn plan(
        &self,
        projection: &[usize],
        conditions: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let plan = self.logical(projection, conditions, limit).await?;
        self.state.create_physical_plan(&plan).await
    }

    async fn logical(
        &self,
        projection: &[usize],
        conditions: &[Expr],
        limit: Option<usize>,
    ) -> Result<LogicalPlan> {
        let name = self.name();
        let source = provider_as_source(self.inner.clone());
        let mut plan = LogicalPlanBuilder::scan(name.clone(), source, None)?;
        for rule in &self.rights.filters {
            plan = plan.filter(self.condition(rule).await?)?;
        }
        let of_user = conditions.iter().map(|expr| qualified(expr.clone(), &name));
        if let Some(of_user) = conjunction(of_user.collect::<Result<Vec<_>>>()?) {
            plan = plan.filter(of_user)?;
        }
        let shown = self.shown(projection, &plan)?;
        plan = plan.project(shown)?;
        if limit.is_some() {
            plan = plan.limit(0, limit)?;
        }
        plan.build()
    }

    fn name(&self) -> TableReference {
        TableReference::partial(self.schema, self.table)
    }

    /// A row filter as an expression over the table: planned as SQL by the owner, so that it may
    /// ask other tables, by names that no user can shadow.
    async fn condition(&self, rule: &FilterRule) -> Result<Expr> {
        let bound = rule
            .condition
            .bind(self.principal, "")
            .map_err(|attribute| {
                let message = format!("your account lacks the attribute `{attribute}`");
                AccessError::new(Reason::Denied, message)
                    .hint("a row filter needs it: ask who manages the accounts")
            })?;
        let table = format!("{}.{}", quoted(self.schema), quoted(self.table));
        let sql = format!("select 1 from {table} where ({})", bound.sql);
        let plan = self.state.create_logical_plan(&sql).await?;
        let mut found = None;
        plan.apply(|node| {
            if let LogicalPlan::Filter(Filter { predicate, .. }) = node {
                found = Some(predicate.clone());
                return Ok(TreeNodeRecursion::Stop);
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
        match found {
            Some(predicate) => with_values(predicate, &bound.values),
            None => Err(DataFusionError::Internal(
                "a row filter without a filter".into(),
            )),
        }
    }

    fn shown(&self, projection: &[usize], plan: &LogicalPlanBuilder) -> Result<Vec<Expr>> {
        let name = self.name();
        let place = mask::Place {
            state: self.state,
            schema: plan.schema(),
            key: self.key,
            principal: self.principal,
            table: &format!("{}.{}", self.schema, self.table),
        };
        let of = |at: &usize| {
            let rights = &self.rights.columns[*at];
            let seen = self.seen.field(*at);
            let column = Column::new(Some(name.clone()), seen.name());
            let expr = match &rights.mask {
                None => Expr::Column(column),
                Some(mask) => mask::masked(&place, column, seen, mask)?,
            };
            Ok(expr.alias(seen.name()))
        };
        projection.iter().map(of).collect()
    }
}

/// The user's condition on the columns of the table itself.
fn qualified(expr: Expr, name: &TableReference) -> Result<Expr> {
    let changed = expr.transform(|expr| match expr {
        Expr::Column(column) => {
            let column = Column::new(Some(name.clone()), column.name);
            Ok(Transformed::yes(Expr::Column(column)))
        }
        other => Ok(Transformed::no(other)),
    })?;
    Ok(changed.data)
}

/// Binds `$1`, `$2` … of an expression, its subqueries included.
pub(super) fn with_values(expr: Expr, values: &[ScalarValue]) -> Result<Expr> {
    if values.is_empty() {
        return Ok(expr);
    }
    let params = datafusion::common::ParamValues::from(values.to_vec());
    let bound = |query: Subquery| -> Result<Subquery> {
        let plan = query.subquery.as_ref().clone();
        Ok(query.with_plan(Arc::new(plan.replace_params_with_values(&params)?)))
    };
    let changed = expr.transform(|expr| {
        Ok(match expr {
            Expr::Placeholder(place) => {
                let value = params.get_placeholders_with_values(&place.id)?;
                Transformed::yes(Expr::Literal(value.value, None))
            }
            Expr::ScalarSubquery(query) => Transformed::yes(Expr::ScalarSubquery(bound(query)?)),
            Expr::InSubquery(mut asked) => {
                asked.subquery = bound(asked.subquery)?;
                Transformed::yes(Expr::InSubquery(asked))
            }
            Expr::Exists(mut asked) => {
                asked.subquery = bound(asked.subquery)?;
                Transformed::yes(Expr::Exists(asked))
            }
            other => Transformed::no(other),
        })
    })?;
    Ok(changed.data)
}
