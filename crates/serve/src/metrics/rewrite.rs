//! A use of a table of the schema `metrics` becomes the query that it means.
//!
//! Two forms mean something: an aggregate over the table (`select channel, sum(sessions) … group
//! by channel`), and plain columns of it (`select channel, sessions …`), which are grouped by the
//! dimensions among them. Every other use of a measure is refused, with the reason.

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::metadata::FieldMetadata;
use datafusion::common::tree_node::{Transformed, TreeNode as _, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, TableReference, plan_err};
use datafusion::datasource::DefaultTableSource;
use datafusion::error::Result;
use datafusion::logical_expr::utils::{conjunction, split_conjunction_owned};
use datafusion::logical_expr::{
    Aggregate, Expr, ExprSchemable as _, LogicalPlan, LogicalPlanBuilder, TableSource,
    expr_rewriter,
};
use datafusion::optimizer::AnalyzerRule;
use datafusion::optimizer::analyzer::type_coercion::TypeCoercion;
use domain::metrics::{Aggregate as How, Grain};

use super::meaning::{Asked, error, is_count, no_second_sum};
use super::resolve::Refused;
use super::table::{MetricsTable, Needed, figure_name};
use super::tables::IS_PARTIAL;

/// The rule.
#[derive(Debug)]
pub(super) struct Rewrite;

impl AnalyzerRule for Rewrite {
    fn name(&self) -> &str {
        "metrics"
    }

    fn analyze(&self, plan: LogicalPlan, config: &ConfigOptions) -> Result<LogicalPlan> {
        let done = all_rewritten(plan)?;
        if !done.transformed {
            return Ok(done.data);
        }
        let plan = done.data.transform_up_with_subqueries(|node| {
            let node = node.recompute_schema()?;
            no_second_sum(&node)?;
            Ok(Transformed::yes(node))
        })?;
        TypeCoercion::new().analyze(plan.data, config)
    }
}

/// Puts in what every use below means. Conditions of a use may have uses in subqueries.
fn all_rewritten(plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    plan.transform_down_with_subqueries(|node| match rewritten(&node)? {
        Some(plan) => {
            let plan = all_rewritten(plan)?.data;
            Ok(Transformed::new(plan, true, TreeNodeRecursion::Jump))
        }
        None => Ok(Transformed::no(node)),
    })
}

/// What a node means, if it is the uppermost one of a use.
fn rewritten(node: &LogicalPlan) -> Result<Option<LogicalPlan>> {
    match node {
        LogicalPlan::Aggregate(aggregate) => {
            let exprs = [aggregate.group_expr.clone(), aggregate.aggr_expr.clone()].concat();
            match Use::of(&aggregate.input, exprs, true)? {
                // Rows of a query over the table are the groups that the query gives.
                Some(found) if found.is_selected && aggregate.aggr_expr.iter().any(is_count) => {
                    Ok(None)
                }
                Some(found) => found.aggregated(aggregate).map(Some),
                None => Ok(None),
            }
        }
        LogicalPlan::Projection(_)
        | LogicalPlan::Filter(_)
        | LogicalPlan::SubqueryAlias(_)
        | LogicalPlan::TableScan(_) => {
            let columns = node.schema().columns().into_iter().map(Expr::Column);
            match Use::of(node, columns.collect(), false)? {
                Some(found) if !found.is_selected => {
                    let what = format!("`{}` is used as a whole", found.name);
                    let why = "its rows are the groups of the columns that are selected of it";
                    let hint = format!(
                        "select of it what is needed, before it is joined or windows are put over \
                         it: (select … from {}) as …",
                        found.name
                    );
                    Err(error(&Refused::new(what).why(why).hint(hint)))
                }
                Some(found) => found.plain(node.schema()).map(Some),
                None => Ok(None),
            }
        }
        _ => Ok(None),
    }
}

/// Columns and conditions over a table of the schema, with all that lies between put in.
pub(super) struct Use<'a> {
    pub(super) table: &'a MetricsTable,
    pub(super) name: TableReference,
    pub(super) exprs: Vec<Expr>,
    pub(super) filters: Vec<Expr>,
    /// Whether columns were selected in between.
    pub(super) is_selected: bool,
}

impl<'a> Use<'a> {
    /// What `exprs` over `plan` are of a table of the schema, if it is one.
    fn of(plan: &'a LogicalPlan, exprs: Vec<Expr>, is_aggregate: bool) -> Result<Option<Self>> {
        if !leads_to_metrics(plan, is_aggregate) {
            return Ok(None);
        }
        let (mut node, mut exprs, mut filters) = (plan, exprs, Vec::new());
        let mut is_selected = false;
        loop {
            match node {
                LogicalPlan::Projection(projection) => {
                    let with = projection.expr.clone();
                    let put = |expr| put(expr, &projection.schema, &with);
                    exprs = exprs.into_iter().map(put).collect::<Result<_>>()?;
                    filters = filters.into_iter().map(put).collect::<Result<_>>()?;
                    node = &projection.input;
                    is_selected = true;
                }
                LogicalPlan::SubqueryAlias(alias) => {
                    let inner = alias.input.schema().columns().into_iter();
                    let with: Vec<Expr> = inner.map(Expr::Column).collect();
                    let put = |expr| put(expr, &alias.schema, &with);
                    exprs = exprs.into_iter().map(put).collect::<Result<_>>()?;
                    filters = filters.into_iter().map(put).collect::<Result<_>>()?;
                    node = &alias.input;
                }
                LogicalPlan::Filter(filter) => {
                    filters.extend(split_conjunction_owned(filter.predicate.clone()));
                    node = &filter.input;
                }
                // The order of rows that are then grouped says nothing.
                LogicalPlan::Sort(sort) if is_aggregate && sort.fetch.is_none() => {
                    node = &sort.input;
                }
                LogicalPlan::TableScan(scan) => {
                    let Some(table) = metrics_table(&scan.source) else {
                        return Ok(None);
                    };
                    filters.extend(scan.filters.clone());
                    let name = scan.table_name.clone();
                    return Ok(Some(Self {
                        table,
                        name,
                        exprs,
                        filters,
                        is_selected,
                    }));
                }
                _ => return Ok(None),
            }
        }
    }

    pub(super) fn is_measure(&self, name: &str) -> bool {
        self.table.measure(name).is_some() || name == IS_PARTIAL
    }

    /// Splits the conditions into those on rows and those on figures.
    fn split(&mut self) -> (Vec<Expr>, Vec<Expr>) {
        let filters = std::mem::take(&mut self.filters);
        filters.into_iter().partition(|filter| {
            let mut names = filter.column_refs().into_iter();
            !names.any(|column| self.is_measure(&column.name))
        })
    }

    /// An aggregate over the table.
    fn aggregated(mut self, aggregate: &Aggregate) -> Result<LogicalPlan> {
        let (rows, figures) = self.split();
        if let Some(filter) = figures.first() {
            let refused =
                Refused::new(format!("`where {filter}` asks for a figure of single rows"))
                    .hint("figures are known after grouping: write it after `having`");
            return Err(error(&refused));
        }
        let count = aggregate.group_expr.len();
        let groups: Vec<Expr> = self.exprs[..count].to_vec();
        if groups
            .iter()
            .any(|group| matches!(group, Expr::GroupingSet(_)))
        {
            let refused = Refused::new("rollup, cube and grouping sets are not understood here")
                .hint("ask for the total in a query of its own: it is no sum of the rows");
            return Err(error(&refused));
        }
        for group in &groups {
            let columns = group.column_refs();
            if let Some(column) = columns.iter().find(|column| self.is_measure(&column.name)) {
                let refused = Refused::new(format!(
                    "rows cannot be grouped by the figure `{}`",
                    column.name
                ))
                .hint("group by dimensions, and ask for the figure as `measure(…)`");
                return Err(error(&refused));
            }
        }
        let mut asked = Vec::new();
        for expr in &self.exprs[count..] {
            asked.push(self.asked(expr)?);
        }
        let measures = asked.iter().filter_map(|asked| match asked {
            Asked::Measure(name) => Some(name.as_str()),
            Asked::Other(_) => None,
        });
        let measures: Vec<String> = measures.map(str::to_owned).collect();
        let others: Vec<Expr> = asked
            .iter()
            .filter_map(|asked| match asked {
                Asked::Measure(_) => None,
                Asked::Other(expr) => Some(expr.clone()),
            })
            .collect();
        let built = self.built(&groups, &others, rows, &measures)?;
        let mut columns = Vec::new();
        let mut other = others.len();
        for (at, (relation, field)) in aggregate.schema.iter().enumerate() {
            let figure = match at.checked_sub(count).map(|at| &asked[at]) {
                None => built_column(&built, at),
                Some(Asked::Measure(name)) => self.table.figure(name, &built)?,
                Some(Asked::Other(_)) => {
                    let at = built.schema().fields().len() - other;
                    other -= 1;
                    built_column(&built, at)
                }
            };
            let figure = figure.cast_to(field.data_type(), built.schema())?;
            let name = match at.checked_sub(count).map(|at| &asked[at]) {
                Some(Asked::Measure(name)) => Some(name.as_str()),
                _ => None,
            };
            columns.push(self.named(figure, relation, field.name(), name));
        }
        LogicalPlanBuilder::from(built).project(columns)?.build()
    }

    /// Plain columns: grouped by the dimensions among them.
    fn plain(mut self, schema: &DFSchema) -> Result<LogicalPlan> {
        let (rows, figures) = self.split();
        let mut groups: Vec<Expr> = Vec::new();
        let mut measures: Vec<String> = Vec::new();
        for expr in &self.exprs {
            let mut columns: Vec<&Column> = expr.column_refs().into_iter().collect();
            columns.sort();
            for column in columns {
                let group = Expr::Column(column.clone());
                if self.is_measure(&column.name) {
                    measures.push(column.name.clone());
                } else if !groups.contains(&group) {
                    groups.push(group);
                }
            }
        }
        for column in figures.iter().flat_map(Expr::column_refs) {
            if self.is_measure(&column.name) {
                measures.push(column.name.clone());
            } else if !groups.contains(&Expr::Column(column.clone())) {
                let what = format!(
                    "a condition asks for a figure and for `{}`, by which nothing is grouped",
                    column.name
                );
                return Err(error(&Refused::new(what).hint("write two conditions")));
            }
        }
        measures.sort();
        measures.dedup();
        let built = self.built(&groups, &[], rows, &measures)?;
        let mut inner = Vec::new();
        for (at, group) in groups.iter().enumerate() {
            if let Expr::Column(column) = group {
                let group = built_column(&built, at);
                inner.push(self.named(group, Some(&self.name), &column.name, None));
            }
        }
        let shown = self.table_schema();
        for name in &measures {
            let mut figure = self.table.figure(name, &built)?;
            if let Ok(field) = shown.field_with_name(name) {
                figure = figure.cast_to(field.data_type(), built.schema())?;
            }
            inner.push(self.named(figure, Some(&self.name), name, Some(name)));
        }
        let mut plan = LogicalPlanBuilder::from(built).project(inner)?;
        if let Some(figures) = conjunction(figures) {
            plan = plan.filter(figures)?;
        }
        let columns = self.exprs.iter().zip(schema.iter());
        let columns: Vec<Expr> = columns
            .map(|(expr, (relation, field))| {
                let name = match expr {
                    Expr::Column(column) if self.is_measure(&column.name) => {
                        Some(column.name.as_str())
                    }
                    _ => None,
                };
                self.named(expr.clone(), relation, field.name(), name)
            })
            .collect();
        plan.project(columns)?.build()
    }

    fn table_schema(&self) -> arrow_schema::SchemaRef {
        use datafusion::catalog::TableProvider as _;
        self.table.schema()
    }

    /// A column under its old name, with what is said of its figures.
    fn named(
        &self,
        expr: Expr,
        relation: Option<&TableReference>,
        name: &str,
        measure: Option<&str>,
    ) -> Expr {
        let meaning = measure.map(|measure| self.table.meaning(measure));
        let meaning = meaning.filter(|meaning| !meaning.is_empty());
        let metadata = meaning.map(|meaning| {
            FieldMetadata::from(
                meaning
                    .into_iter()
                    .collect::<std::collections::BTreeMap<_, _>>(),
            )
        });
        expr_rewriter::unalias(expr).alias_qualified_with_metadata(
            relation.cloned(),
            name,
            metadata,
        )
    }

    /// Rows, conditions and aggregates: groups, then what measures are made of, then `others`.
    fn built(
        &self,
        groups: &[Expr],
        others: &[Expr],
        filters: Vec<Expr>,
        measures: &[String],
    ) -> Result<LogicalPlan> {
        let found = measures.iter().filter_map(|name| self.table.measure(name));
        let mut needed = Needed {
            is_partial: measures.iter().any(|name| name == IS_PARTIAL),
            measures: found.collect(),
            ..Needed::default()
        };
        let exprs = groups.iter().chain(others).chain(&filters);
        for column in exprs.flat_map(Expr::column_refs) {
            let grain = Grain::ALL
                .into_iter()
                .find(|grain| grain.name() == column.name);
            match (grain, self.table.subject.dimension(&column.name)) {
                (Some(grain), _) if !needed.grains.contains(&grain) => needed.grains.push(grain),
                (None, Some(own)) if !needed.dimensions.contains(&own.name.as_str()) => {
                    needed.dimensions.push(&own.name);
                }
                (Some(_), _) | (None, Some(_)) => {}
                (None, None) => {
                    return plan_err!("`{}` is no column of metrics", column.name);
                }
            }
        }
        needed.grains.sort();
        needed.dimensions.sort_unstable();
        for default in &self.table.subject.defaults {
            if !needed.dimensions.contains(&default.dimension.as_str()) {
                let name = default.dimension.as_str();
                needed.defaults.push((name, &default.is));
            }
        }
        for measure in self.table.aggregated(&needed) {
            self.may_be_added(measure, groups, &filters, &needed)?;
        }
        let rows = self.table.rows(&needed)?;
        let rows = LogicalPlanBuilder::from(rows).alias(self.name.clone())?;
        let rows = self.filtered(rows.build()?, filters, groups, &needed)?;
        let mut aggregates = self.table.aggregates(&needed, &rows)?;
        aggregates.extend(others.iter().enumerate().map(|(at, other)| {
            expr_rewriter::unalias(other.clone()).alias(figure_name(&format!("other {at}")))
        }));
        if groups.is_empty() && aggregates.is_empty() {
            // Nothing is asked but whether it answers: one row.
            aggregates.push(self.table.expression("count(1)", &rows)?.alias("rows"));
        }
        LogicalPlanBuilder::from(rows)
            .aggregate(groups.to_vec(), aggregates)?
            .build()
    }

    /// The rows that count, with the last values that measures ask for.
    fn filtered(
        &self,
        rows: LogicalPlan,
        filters: Vec<Expr>,
        groups: &[Expr],
        needed: &Needed<'_>,
    ) -> Result<LogicalPlan> {
        let mut rows = LogicalPlanBuilder::from(rows);
        // What was the last value is found among all rows of the time asked for.
        let of_time = |filter: &Expr| {
            let names = filter.column_refs();
            names
                .iter()
                .all(|column| Grain::ALL.iter().any(|grain| grain.name() == column.name))
        };
        let (of_time, of_rest): (Vec<Expr>, Vec<Expr>) = filters.into_iter().partition(of_time);
        if let Some(filter) = conjunction(of_time) {
            rows = rows.filter(filter)?;
        }
        let bucket = self.bucket(groups, needed)?;
        let mut rows =
            LogicalPlanBuilder::from(self.table.with_last(rows.build()?, needed, bucket)?);
        if let Some(filter) = conjunction(of_rest) {
            rows = rows.filter(filter)?;
        }
        rows.build()
    }

    /// The bucket within which the last value counts: the finest that is grouped by.
    fn bucket(&self, groups: &[Expr], needed: &Needed<'_>) -> Result<Option<Grain>> {
        let measures = self.table.aggregated(needed);
        if !measures
            .iter()
            .any(|measure| measure.aggregate == Some(How::Last))
        {
            return Ok(None);
        }
        let mut found = None;
        for group in groups {
            for column in group.column_refs() {
                let grain = Grain::ALL
                    .into_iter()
                    .find(|grain| grain.name() == column.name);
                let Some(grain) = grain else { continue };
                if !matches!(group, Expr::Column(_)) {
                    let refused =
                        Refused::new(format!("the last value within `{group}` is not known"))
                            .hint("group by one of the columns day, week, month, quarter and year");
                    return Err(error(&refused));
                }
                found = Some(found.map_or(grain, |known: Grain| known.min(grain)));
            }
        }
        Ok(found)
    }
}

/// Whether a table of the schema lies below, with nothing between that changes rows.
fn leads_to_metrics(plan: &LogicalPlan, is_aggregate: bool) -> bool {
    let below = match plan {
        LogicalPlan::Projection(projection) => &projection.input,
        LogicalPlan::SubqueryAlias(alias) => &alias.input,
        LogicalPlan::Filter(filter) => &filter.input,
        LogicalPlan::Sort(sort) if is_aggregate && sort.fetch.is_none() => &sort.input,
        LogicalPlan::TableScan(scan) => return metrics_table(&scan.source).is_some(),
        _ => return false,
    };
    leads_to_metrics(below, is_aggregate)
}

fn metrics_table(source: &Arc<dyn TableSource>) -> Option<&MetricsTable> {
    let source = source.as_ref().downcast_ref::<DefaultTableSource>()?;
    source.table_provider.downcast_ref::<MetricsTable>()
}

/// An expression over a plan's columns, as one over what those columns are.
fn put(expr: Expr, schema: &DFSchema, with: &[Expr]) -> Result<Expr> {
    let done = expr.transform(|expr| match &expr {
        Expr::Column(column) => {
            let at = schema.index_of_column(column)?;
            Ok(Transformed::yes(expr_rewriter::unalias(with[at].clone())))
        }
        _ => Ok(Transformed::no(expr)),
    })?;
    Ok(done.data)
}

fn built_column(plan: &LogicalPlan, at: usize) -> Expr {
    Expr::Column(Column::from(plan.schema().qualified_field(at)))
}
