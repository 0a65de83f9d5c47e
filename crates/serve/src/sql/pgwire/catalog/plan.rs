//! The names of a query on the catalogue are resolved.

use std::sync::Arc;

use datafusion::sql::sqlparser::ast::{
    Cte, Distinct, Expr, GroupByExpr, Ident, LimitClause, ObjectName, OrderBy, OrderByExpr,
    OrderByKind, Query, Select, SelectItem, SelectItemQualifiedWildcardKind, SetExpr, SetOperator,
    SetQuantifier, Value as Literal,
};

use super::super::oids;
use super::from::Sources;
use super::node::{Body, Group, Node, QueryPlan, SelectPlan, SetOperation};
use super::value::{Failure, Result};
use super::world::World;
use crate::sql::pgwire::names::output_name;

/// Queries within queries.
const DEPTH: usize = 40;

/// A column that names can mean.
#[derive(Debug, Clone)]
pub(super) struct Named {
    pub(super) table: Option<String>,
    pub(super) name: String,
    pub(super) kind: u32,
    /// Not meant by a name without a table: a join `using` it has it once.
    pub(super) is_hidden: bool,
}

/// What the names of a query can mean.
pub(in crate::sql::pgwire) struct Scope<'a> {
    pub(super) columns: Vec<Named>,
    /// Tables by their names here, with their numbers.
    pub(super) tables: Vec<(String, u32)>,
    pub(super) outer: Option<&'a Scope<'a>>,
    pub(super) depth: usize,
}

impl<'a> Scope<'a> {
    pub(super) fn inside(outer: Option<&'a Scope<'a>>) -> Self {
        Self {
            columns: Vec::new(),
            tables: Vec::new(),
            outer,
            depth: outer.map_or(0, |outer| outer.depth + 1),
        }
    }
}

/// A `with` query.
#[derive(Clone)]
pub(super) enum With {
    Plan(Arc<QueryPlan>),
    /// One that is being read by itself.
    Working(usize, Vec<String>, Vec<u32>),
}

/// What a `select` gathers beside its expressions.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) sets: Vec<(super::node::SetFunction, Vec<Node>)>,
    pub(super) aggregates: Vec<super::node::AggregateCall>,
    pub(super) windows: Vec<super::node::WindowCall>,
}

/// An expression with its type.
pub(super) type Typed = (Node, u32);

/// Resolves names.
pub(in crate::sql::pgwire) struct Planner<'w> {
    pub(super) world: &'w World,
    /// Types of the parameters, as far as they are known.
    pub(in crate::sql::pgwire) parameters: Vec<Option<u32>>,
    pub(super) with: Vec<(String, With)>,
    next: usize,
    /// The outermost query that something refers to.
    pub(super) lowest: usize,
}

impl<'w> Planner<'w> {
    pub(in crate::sql::pgwire) fn new(world: &'w World, parameters: Vec<Option<u32>>) -> Self {
        Self {
            world,
            parameters,
            with: Vec::new(),
            next: 0,
            lowest: usize::MAX,
        }
    }

    pub(super) fn number(&mut self) -> usize {
        self.next += 1;
        self.next
    }

    /// A query within others.
    pub(in crate::sql::pgwire) fn query(
        &mut self,
        query: &Query,
        outer: Option<&Scope<'_>>,
    ) -> Result<Arc<QueryPlan>> {
        let own = outer.map_or(0, |outer| outer.depth + 1);
        if own > DEPTH {
            return Err(Failure::new("54001", "queries are nested too deep"));
        }
        let before = std::mem::replace(&mut self.lowest, usize::MAX);
        let known = self.with.len();
        let plan = self.query_body(query, outer);
        self.with.truncate(known);
        let is_alone = self.lowest >= own;
        self.lowest = self.lowest.min(before);
        let mut plan = plan?;
        plan.is_alone = is_alone;
        Ok(Arc::new(plan))
    }

    fn query_body(&mut self, query: &Query, outer: Option<&Scope<'_>>) -> Result<QueryPlan> {
        if let Some(with) = &query.with {
            for cte in &with.cte_tables {
                let plan = self.cte(cte, with.recursive, outer)?;
                self.with.push((ident(&cte.alias.name), With::Plan(plan)));
            }
        }
        let order = match query.order_by.as_ref() {
            Some(OrderBy {
                kind: OrderByKind::Expressions(order),
                ..
            }) => order.as_slice(),
            Some(_) => return Err(Failure::unsupported("`order by all`")),
            None => &[],
        };
        let mut plan = match &*query.body {
            SetExpr::Select(select) => self.select(select, order, outer)?,
            body => {
                let mut plan = self.set_expr(body, outer)?;
                plan.order = places(order, &plan.names)?;
                plan
            }
        };
        let scope = Scope::inside(outer);
        let mut count = |expr: &Expr| -> Result<Node> {
            let node = self.expr(expr, &scope, &mut Gathered::default())?;
            Ok(node.0)
        };
        match &query.limit_clause {
            Some(LimitClause::LimitOffset { limit, offset, .. }) => {
                plan.limit = limit.as_ref().map(&mut count).transpose()?;
                plan.offset = offset
                    .as_ref()
                    .map(|offset| count(&offset.value))
                    .transpose()?;
            }
            Some(LimitClause::OffsetCommaLimit { .. }) => {
                return Err(Failure::unsupported("`limit` with a comma"));
            }
            None => {}
        }
        if let Some(quantity) = query
            .fetch
            .as_ref()
            .and_then(|fetch| fetch.quantity.as_ref())
        {
            plan.limit = Some(count(quantity)?);
        }
        Ok(plan)
    }

    fn cte(
        &mut self,
        cte: &Cte,
        is_recursive: bool,
        outer: Option<&Scope<'_>>,
    ) -> Result<Arc<QueryPlan>> {
        let columns: Vec<String> = cte
            .alias
            .columns
            .iter()
            .map(|column| ident(&column.name))
            .collect();
        let renamed = |plan: Arc<QueryPlan>, id: usize| {
            if columns.is_empty() {
                return plan;
            }
            let mut names = columns.clone();
            names.extend(plan.names.iter().skip(columns.len()).cloned());
            Arc::new(plan_of(id, names, plan.kinds.clone(), Body::Nested(plan)))
        };
        let body = &*cte.query.body;
        if let (
            true,
            SetExpr::SetOperation {
                op: SetOperator::Union,
                set_quantifier,
                left,
                right,
            },
        ) = (is_recursive, body)
        {
            let first = self.set_expr(left, outer)?;
            let (id, own) = (self.number(), self.number());
            let names = match columns.is_empty() {
                true => first.names.clone(),
                false => columns.clone(),
            };
            let kinds = first.kinds.clone();
            let name = ident(&cte.alias.name);
            self.with
                .push((name, With::Working(id, names.clone(), kinds.clone())));
            let next = self.set_expr(right, outer);
            self.with.pop();
            let is_all = matches!(set_quantifier, SetQuantifier::All);
            let body = Body::Recursive(Arc::new(first), Arc::new(next?), id, is_all);
            return Ok(Arc::new(plan_of(own, names, kinds, body)));
        }
        let plan = self.query(&cte.query, outer)?;
        let id = self.number();
        Ok(renamed(plan, id))
    }

    fn set_expr(&mut self, body: &SetExpr, outer: Option<&Scope<'_>>) -> Result<QueryPlan> {
        match body {
            SetExpr::Select(select) => self.select(select, &[], outer),
            SetExpr::Query(query) => {
                let plan = self.query(query, outer)?;
                let (names, kinds) = (plan.names.clone(), plan.kinds.clone());
                Ok(plan_of(self.number(), names, kinds, Body::Nested(plan)))
            }
            SetExpr::SetOperation {
                op,
                set_quantifier,
                left,
                right,
            } => {
                let left = self.set_expr(left, outer)?;
                let right = self.set_expr(right, outer)?;
                if left.names.len() != right.names.len() {
                    let message = "each UNION query must have the same number of columns";
                    return Err(Failure::new("42601", message));
                }
                let operation = match op {
                    SetOperator::Union => SetOperation::Union,
                    SetOperator::Intersect => SetOperation::Intersect,
                    SetOperator::Except | SetOperator::Minus => SetOperation::Except,
                };
                let is_all = matches!(set_quantifier, SetQuantifier::All);
                let kinds = left.kinds.iter().zip(&right.kinds);
                let kinds = kinds.map(|(left, right)| match *left {
                    oids::UNKNOWN => *right,
                    left => left,
                });
                let (names, kinds) = (left.names.clone(), kinds.collect());
                let body = Body::Union(Arc::new(left), Arc::new(right), operation, is_all);
                Ok(plan_of(self.number(), names, kinds, body))
            }
            SetExpr::Values(values) => {
                let scope = Scope::inside(outer);
                let mut rows = Vec::new();
                let mut kinds: Vec<u32> = Vec::new();
                for row in &values.rows {
                    let mut nodes = Vec::new();
                    for (place, expr) in row.iter().enumerate() {
                        let (node, kind) = self.expr(expr, &scope, &mut Gathered::default())?;
                        nodes.push(node);
                        match kinds.get_mut(place) {
                            None => kinds.push(kind),
                            Some(known) if *known == oids::UNKNOWN => *known = kind,
                            Some(_) => {}
                        }
                    }
                    rows.push(nodes);
                }
                let names = (1..=kinds.len()).map(|place| format!("column{place}"));
                let names = names.collect();
                Ok(plan_of(self.number(), names, kinds, Body::Values(rows)))
            }
            _ => Err(Failure::unsupported("this statement")),
        }
    }

    fn select(
        &mut self,
        select: &Select,
        order: &[OrderByExpr],
        outer: Option<&Scope<'_>>,
    ) -> Result<QueryPlan> {
        if select.into.is_some() {
            return Err(Failure::new("25006", "the catalogue can only be read"));
        }
        let mut sources = Sources::new(Scope::inside(outer));
        for table in &select.from {
            self.from(&mut sources, table)?;
        }
        let Sources { scope, mut steps } = sources;
        let mut conditions = Vec::new();
        if let Some(condition) = &select.selection {
            let mut parts = Vec::new();
            conjuncts(condition, &mut parts);
            for part in parts {
                conditions.push(self.expr(part, &scope, &mut Gathered::default())?.0);
            }
        }
        let filters = super::order::arrange(&mut steps, conditions);
        let mut gathered = Gathered::default();
        let (mut names, mut nodes, mut kinds) = (Vec::new(), Vec::new(), Vec::new());
        let mut exprs: Vec<Option<&Expr>> = Vec::new();
        for item in &select.projection {
            let columns = self.item(item, &scope, &mut gathered)?;
            for (name, (node, kind), expr) in columns {
                names.push(name);
                nodes.push(node);
                kinds.push(kind);
                exprs.push(expr);
            }
        }
        let shown = nodes.len();
        let order = self.order(order, &names, &mut nodes, &scope, &mut gathered)?;
        let group = self.group(select, &names, &exprs, &scope, &mut gathered)?;
        let is_distinct = match &select.distinct {
            Some(Distinct::Distinct) => true,
            Some(Distinct::On(_)) => return Err(Failure::unsupported("`distinct on`")),
            _ => false,
        };
        let plan = SelectPlan {
            steps,
            filters,
            sets: gathered.sets,
            group,
            windows: gathered.windows,
            columns: nodes,
            shown,
            is_distinct,
            width: scope.columns.len(),
        };
        let mut plan = plan_of(self.number(), names, kinds, Body::Select(Box::new(plan)));
        plan.order = order;
        Ok(plan)
    }

    /// The columns of one item of a `select`.
    fn item<'e>(
        &mut self,
        item: &'e SelectItem,
        scope: &Scope<'_>,
        gathered: &mut Gathered,
    ) -> Result<Vec<(String, Typed, Option<&'e Expr>)>> {
        let starred = |table: Option<String>| {
            let columns = scope.columns.iter().enumerate();
            let columns = columns.filter(|(_, column)| match &table {
                None => !column.is_hidden,
                Some(table) => column.table.as_ref() == Some(table),
            });
            let columns = columns.map(|(place, column)| {
                (
                    column.name.clone(),
                    (Node::Column(0, place), column.kind),
                    None,
                )
            });
            columns.collect::<Vec<_>>()
        };
        match item {
            SelectItem::UnnamedExpr(expr) => {
                // A record with all its fields: `(f(x)).*` has no meaning here.
                let typed = self.expr(expr, scope, gathered)?;
                Ok(vec![(output_name(expr), typed, Some(expr))])
            }
            SelectItem::ExprWithAlias { expr, alias } => {
                let typed = self.expr(expr, scope, gathered)?;
                Ok(vec![(ident(alias), typed, Some(expr))])
            }
            SelectItem::Wildcard(_) => Ok(starred(None)),
            SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), _) => {
                let table = last(name);
                let columns = starred(Some(table.clone()));
                match columns.is_empty() {
                    true => Err(Failure::new(
                        "42P01",
                        format!("missing FROM-clause entry for table \"{table}\""),
                    )),
                    false => Ok(columns),
                }
            }
            _ => Err(Failure::unsupported("this item of a `select`")),
        }
    }

    /// The places by which rows are sorted; what is not shown is added behind what is.
    fn order(
        &mut self,
        order: &[OrderByExpr],
        names: &[String],
        nodes: &mut Vec<Node>,
        scope: &Scope<'_>,
        gathered: &mut Gathered,
    ) -> Result<Vec<(usize, bool, bool)>> {
        let mut found = Vec::new();
        for one in order {
            let (is_down, nulls_first) = direction(one);
            let place = match place_of(&one.expr, names)? {
                Some(place) => place,
                None => {
                    nodes.push(self.expr(&one.expr, scope, gathered)?.0);
                    nodes.len() - 1
                }
            };
            found.push((place, is_down, nulls_first));
        }
        Ok(found)
    }

    fn group(
        &mut self,
        select: &Select,
        names: &[String],
        exprs: &[Option<&Expr>],
        scope: &Scope<'_>,
        gathered: &mut Gathered,
    ) -> Result<Option<Group>> {
        let GroupByExpr::Expressions(by, _) = &select.group_by else {
            return Err(Failure::unsupported("`group by all`"));
        };
        let having = match &select.having {
            Some(having) => Some(self.expr(having, scope, gathered)?.0),
            None => None,
        };
        if by.is_empty() && gathered.aggregates.is_empty() && having.is_none() {
            return Ok(None);
        }
        let mut keys = Vec::new();
        for expr in by {
            let meant = match expr {
                Expr::Value(_) => place_of(expr, names)?,
                Expr::Identifier(name) => {
                    let name = ident(name);
                    let is_column = scope.columns.iter().any(|column| column.name == name);
                    names
                        .iter()
                        .position(|own| *own == name)
                        .filter(|_| !is_column)
                }
                _ => None,
            };
            let meant = meant.and_then(|place| exprs.get(place).copied().flatten());
            keys.push(self.expr(meant.unwrap_or(expr), scope, gathered)?.0);
        }
        Ok(Some(Group {
            keys,
            aggregates: std::mem::take(&mut gathered.aggregates),
            having,
        }))
    }
}

fn plan_of(id: usize, names: Vec<String>, kinds: Vec<u32>, body: Body) -> QueryPlan {
    QueryPlan {
        id,
        is_alone: false,
        names,
        kinds,
        body,
        order: Vec::new(),
        limit: None,
        offset: None,
    }
}

/// The conditions that `and` joins.
pub(super) fn conjuncts<'e>(expr: &'e Expr, found: &mut Vec<&'e Expr>) {
    use datafusion::sql::sqlparser::ast::BinaryOperator;
    match expr {
        Expr::BinaryOp {
            left,
            op: BinaryOperator::And,
            right,
        } => {
            conjuncts(left, found);
            conjuncts(right, found);
        }
        Expr::Nested(inner) => conjuncts(inner, found),
        other => found.push(other),
    }
}

/// Whether downward, and whether nulls come first.
pub(super) fn direction(order: &OrderByExpr) -> (bool, bool) {
    let is_down = order.options.asc == Some(false);
    (is_down, order.options.nulls_first.unwrap_or(is_down))
}

/// The place of a column that is meant by its number or its name.
fn place_of(expr: &Expr, names: &[String]) -> Result<Option<usize>> {
    match expr {
        Expr::Value(value) => match &value.value {
            Literal::Number(number, _) => {
                let place = number.to_string().parse::<usize>().ok();
                let place = place.and_then(|place| place.checked_sub(1));
                let place = place.filter(|place| *place < names.len());
                place.map(Some).ok_or_else(|| {
                    Failure::new("42P10", format!("position {number} is not in select list"))
                })
            }
            _ => Ok(None),
        },
        Expr::Identifier(name) => {
            let name = ident(name);
            Ok(names.iter().position(|own| *own == name))
        }
        _ => Ok(None),
    }
}

fn places(order: &[OrderByExpr], names: &[String]) -> Result<Vec<(usize, bool, bool)>> {
    let places = order.iter().map(|one| {
        let place = place_of(&one.expr, names)?;
        let place = place
            .ok_or_else(|| Failure::unsupported("sorting a union by anything but its columns"))?;
        let (is_down, nulls_first) = direction(one);
        Ok((place, is_down, nulls_first))
    });
    places.collect()
}

/// A name as it is compared: in lower case unless it stands in quotes.
pub(super) fn ident(name: &Ident) -> String {
    match name.quote_style {
        Some(_) => name.value.clone(),
        None => name.value.to_lowercase(),
    }
}

/// The parts of a name.
pub(super) fn parts(name: &ObjectName) -> Vec<String> {
    let parts = name.0.iter().filter_map(|part| part.as_ident());
    parts.map(ident).collect()
}

/// The last part of a name.
pub(super) fn last(name: &ObjectName) -> String {
    parts(name).pop().unwrap_or_default()
}
