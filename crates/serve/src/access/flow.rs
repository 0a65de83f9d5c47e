//! What flows from the columns of tables into the columns of a result.
//!
//! One walk over a logical plan, for everything that is asked of a plan column by column: which
//! tags a result carries, how large its values can become. What is asked is a [`Domain`].

use std::collections::HashMap;

use datafusion::common::tree_node::{TreeNode as _, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, JoinType, ScalarValue};
use datafusion::error::Result;
use datafusion::logical_expr::utils::grouping_set_to_exprlist;
use datafusion::logical_expr::{Aggregate, Distinct, Expr, Join, LogicalPlan, Subquery, TableScan};

/// What is known of a column, and how operators change it.
pub(crate) trait Domain {
    /// What is known of one column.
    type Value: Clone + PartialEq;

    /// Of a column of a table.
    fn column(&self, scan: &TableScan, name: &str) -> Self::Value;
    /// Of a literal; of nothing where there is none.
    fn literal(&self, value: Option<&ScalarValue>) -> Self::Value;
    /// Of a value that is one of these.
    fn any(&self, values: &[Self::Value]) -> Self::Value;
    /// Of an operator's or a function's result. For `case`, `values` are those that it can give.
    fn apply(&self, expr: &Expr, values: &[Self::Value]) -> Self::Value;
    /// Of a column that a relation function makes from its input.
    fn made(&self, function: &str, column: &str, inputs: &[(String, Self::Value)]) -> Self::Value;
    /// Of a column that cannot be found.
    fn unknown(&self) -> Self::Value;
    /// Of a recursive column that was `before` one round and `after` the next.
    fn again(&self, before: &[Self::Value; 2], after: &Self::Value) -> Self::Value;
}

/// A walk over one plan.
pub(crate) struct Flow<'a, D: Domain> {
    domain: &'a D,
    /// Columns of the recursive queries that the walk is in.
    recursive: HashMap<String, Vec<D::Value>>,
    /// Columns of the queries around a correlated one.
    outer: Vec<(DFSchema, Vec<D::Value>)>,
}

impl<'a, D: Domain> Flow<'a, D> {
    pub(crate) fn new(domain: &'a D) -> Self {
        Self {
            domain,
            recursive: HashMap::new(),
            outer: vec![],
        }
    }

    /// What is known of each column of a plan.
    pub(crate) fn plan(&mut self, plan: &LogicalPlan) -> Result<Vec<D::Value>> {
        let values = match plan {
            LogicalPlan::Projection(node) => self.exprs(&node.expr, &node.input)?,
            LogicalPlan::Filter(node) => self.with([&node.predicate], &node.input)?,
            LogicalPlan::Sort(node) => {
                self.with(node.expr.iter().map(|sort| &sort.expr), &node.input)?
            }
            LogicalPlan::Limit(node) => self.plan(&node.input)?,
            LogicalPlan::Repartition(node) => self.plan(&node.input)?,
            LogicalPlan::SubqueryAlias(node) => self.plan(&node.input)?,
            LogicalPlan::Subquery(node) => self.plan(&node.subquery)?,
            LogicalPlan::Distinct(Distinct::All(input)) => self.plan(input)?,
            LogicalPlan::Distinct(Distinct::On(node)) => {
                self.exprs(&node.select_expr, &node.input)?
            }
            LogicalPlan::Aggregate(node) => self.aggregate(node, plan.schema().fields().len())?,
            LogicalPlan::Window(node) => {
                let mut values = self.plan(&node.input)?;
                let input = values.clone();
                for expr in &node.window_expr {
                    values.push(self.expr(expr, node.input.schema(), &input)?);
                }
                values
            }
            LogicalPlan::Join(node) => self.join(node)?,
            LogicalPlan::Union(node) => {
                let mut inputs = Vec::new();
                for input in &node.inputs {
                    inputs.push(self.plan(input)?);
                }
                self.by_place(&inputs, plan.schema().fields().len())
            }
            LogicalPlan::TableScan(scan) => self.scan(scan),
            LogicalPlan::Values(node) => {
                let empty = DFSchema::empty();
                let mut rows = Vec::new();
                for row in &node.values {
                    let values = row.iter().map(|expr| self.expr(expr, &empty, &[]));
                    rows.push(values.collect::<Result<Vec<_>>>()?);
                }
                self.by_place(&rows, plan.schema().fields().len())
            }
            LogicalPlan::Unnest(node) => {
                let input = self.plan(&node.input)?;
                let from = node
                    .dependency_indices
                    .iter()
                    .map(|at| input.get(*at).cloned());
                from.map(|value| value.unwrap_or_else(|| self.domain.any(&input)))
                    .collect()
            }
            LogicalPlan::RecursiveQuery(node) => {
                self.recursive_query(&node.name, &node.static_term, &node.recursive_term)?
            }
            other => self.by_name(other)?,
        };
        // What is not understood counts as made from everything.
        if values.len() != plan.schema().fields().len() {
            let any = self.domain.any(&values);
            return Ok(vec![any; plan.schema().fields().len()]);
        }
        Ok(values)
    }

    /// What is known of the columns of `input`; what is asked of them is looked at too.
    fn with<'e>(
        &mut self,
        asked: impl IntoIterator<Item = &'e Expr>,
        input: &LogicalPlan,
    ) -> Result<Vec<D::Value>> {
        let values = self.plan(input)?;
        for expr in asked {
            self.expr(expr, input.schema(), &values)?;
        }
        Ok(values)
    }

    fn aggregate(&mut self, node: &Aggregate, columns: usize) -> Result<Vec<D::Value>> {
        let groups = grouping_set_to_exprlist(&node.group_expr)?;
        let input = self.plan(&node.input)?;
        let mut values = Vec::new();
        for expr in groups {
            values.push(self.expr(expr, node.input.schema(), &input)?);
        }
        // Grouping sets have a column of their own between groups and aggregates.
        while values.len() + node.aggr_expr.len() < columns {
            values.push(self.domain.literal(None));
        }
        for expr in &node.aggr_expr {
            values.push(self.expr(expr, node.input.schema(), &input)?);
        }
        Ok(values)
    }

    fn join(&mut self, node: &Join) -> Result<Vec<D::Value>> {
        let left = self.with(node.on.iter().map(|(left, _)| left), &node.left)?;
        // A lateral query on the right sees the columns on the left.
        let outer = (node.left.schema().as_ref().clone(), left.clone());
        self.outer.push(outer);
        let right = self.with(node.on.iter().map(|(_, right)| right), &node.right);
        self.outer.pop();
        let right = right?;
        if let Some(filter) = &node.filter {
            let schema = node.left.schema().join(node.right.schema())?;
            self.expr(filter, &schema, &[&left[..], &right[..]].concat())?;
        }
        let mark = [self.domain.literal(None)];
        Ok(match node.join_type {
            JoinType::LeftSemi | JoinType::LeftAnti => left,
            JoinType::RightSemi | JoinType::RightAnti => right,
            JoinType::LeftMark => [&left[..], &mark].concat(),
            JoinType::RightMark => [&right[..], &mark].concat(),
            _ => [left, right].concat(),
        })
    }

    fn scan(&self, scan: &TableScan) -> Vec<D::Value> {
        if let Some(values) = self.recursive.get(scan.table_name.table())
            && scan.table_name.schema().is_none()
        {
            // A scan of some of its columns only.
            let all = scan.source.schema();
            let at = |name: &String| {
                all.index_of(name)
                    .ok()
                    .and_then(|at| values.get(at).cloned())
            };
            let fields = scan.projected_schema.fields().iter();
            let each = fields.map(|field| at(field.name()));
            return each
                .map(|value| value.unwrap_or_else(|| self.domain.any(values)))
                .collect();
        }
        let fields = scan.projected_schema.fields().iter();
        fields
            .map(|field| self.domain.column(scan, field.name()))
            .collect()
    }

    fn exprs(&mut self, exprs: &[Expr], input: &LogicalPlan) -> Result<Vec<D::Value>> {
        let values = self.plan(input)?;
        let each = exprs
            .iter()
            .map(|expr| self.expr(expr, input.schema(), &values));
        each.collect()
    }

    fn by_place(&self, rows: &[Vec<D::Value>], columns: usize) -> Vec<D::Value> {
        let column = |at: usize| {
            let values: Vec<_> = rows.iter().filter_map(|row| row.get(at).cloned()).collect();
            self.domain.any(&values)
        };
        (0..columns).map(column).collect()
    }

    /// A node of our own, or an unknown one: columns of the same name pass through, of the others
    /// the domain knows what they are made from.
    fn by_name(&mut self, plan: &LogicalPlan) -> Result<Vec<D::Value>> {
        let mut inputs = Vec::new();
        for input in plan.inputs() {
            let values = self.plan(input)?;
            let fields = input.schema().fields().iter();
            inputs.extend(fields.map(|field| field.name().clone()).zip(values));
        }
        let function = match plan {
            LogicalPlan::Extension(extension) => extension.node.name(),
            _ => "",
        };
        let of = |name: &String| match inputs.iter().find(|(known, _)| known == name) {
            Some((_, value)) => value.clone(),
            None => self.domain.made(function, name, &inputs),
        };
        let fields = plan.schema().fields().iter();
        Ok(fields.map(|field| of(field.name())).collect())
    }

    fn recursive_query(
        &mut self,
        name: &str,
        first: &LogicalPlan,
        next: &LogicalPlan,
    ) -> Result<Vec<D::Value>> {
        let start = self.plan(first)?;
        let shadowed = self.recursive.insert(name.to_owned(), start.clone());
        let mut before = [start.clone(), start.clone()];
        for _ in 0..3 {
            let round = self.plan(next)?;
            let both = |at: usize| [before[0][at].clone(), before[1][at].clone()];
            let after: Vec<_> = (0..start.len())
                .map(|at| match round.get(at) {
                    Some(value) => self.domain.again(&both(at), value),
                    None => self.domain.any(&round),
                })
                .collect();
            self.recursive.insert(name.to_owned(), after.clone());
            before = [before[1].clone(), after];
        }
        match shadowed {
            Some(shadowed) => self.recursive.insert(name.to_owned(), shadowed),
            None => self.recursive.remove(name),
        };
        let [_, last] = before;
        Ok(last)
    }

    fn subquery(
        &mut self,
        query: &Subquery,
        schema: &DFSchema,
        values: &[D::Value],
    ) -> Result<Vec<D::Value>> {
        self.outer.push((schema.clone(), values.to_vec()));
        let inner = self.plan(&query.subquery);
        self.outer.pop();
        inner
    }

    fn of_column(&self, column: &Column, schema: &DFSchema, values: &[D::Value]) -> D::Value {
        let at = schema.maybe_index_of_column(column);
        let known = at.and_then(|at| values.get(at).cloned());
        known.unwrap_or_else(|| self.domain.unknown())
    }

    fn expr(&mut self, expr: &Expr, schema: &DFSchema, values: &[D::Value]) -> Result<D::Value> {
        match expr {
            Expr::Column(column) => Ok(self.of_column(column, schema, values)),
            Expr::OuterReferenceColumn(_, column) => {
                let outer = self.outer.iter().rev();
                let mut found = outer.filter(|(schema, _)| schema.has_column(column));
                Ok(match found.next() {
                    Some((schema, values)) => self.of_column(column, schema, values),
                    None => self.domain.unknown(),
                })
            }
            Expr::Alias(alias) => self.expr(&alias.expr, schema, values),
            Expr::Literal(value, _) => Ok(self.domain.literal(Some(value))),
            Expr::ScalarSubquery(query) => {
                let inner = self.subquery(query, schema, values)?;
                Ok(self.domain.any(&inner))
            }
            Expr::Case(case) => {
                let given = case.when_then_expr.iter().map(|(_, then)| then);
                let given: Vec<_> = given.chain(&case.else_expr).collect();
                let each = given
                    .into_iter()
                    .map(|expr| self.expr(expr, schema, values));
                let given = each.collect::<Result<Vec<_>>>()?;
                Ok(self.domain.apply(expr, &given))
            }
            _ => {
                let asked = match expr {
                    Expr::Exists(asked) => Some(&asked.subquery),
                    Expr::InSubquery(asked) => Some(&asked.subquery),
                    Expr::SetComparison(asked) => Some(&asked.subquery),
                    _ => None,
                };
                if let Some(query) = asked {
                    self.subquery(query, schema, values)?;
                }
                let mut parts = Vec::new();
                expr.apply_children(|child| {
                    parts.push(self.expr(child, schema, values)?);
                    Ok(TreeNodeRecursion::Continue)
                })?;
                Ok(self.domain.apply(expr, &parts))
            }
        }
    }
}
