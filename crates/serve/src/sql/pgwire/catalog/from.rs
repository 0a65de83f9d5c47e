//! What a query on the catalogue reads: tables, queries and functions, joined.

use datafusion::sql::sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, JoinConstraint, JoinOperator, TableAlias, TableFactor,
    TableWithJoins,
};

use super::super::oids;
use super::functions;
use super::node::{Comparison, Join, Node, SelectPlan, SetFunction, Source, Step};
use super::order::place_on;
use super::plan::{Gathered, Named, Planner, Scope, With, conjuncts, ident, last, parts};
use super::tables;
use super::types;
use super::value::{Failure, Result};
use super::world::DATABASE;

/// What was read so far.
pub(super) struct Sources<'a> {
    pub(super) scope: Scope<'a>,
    pub(super) steps: Vec<Step>,
}

impl<'a> Sources<'a> {
    pub(super) fn new(scope: Scope<'a>) -> Self {
        Self {
            scope,
            steps: Vec::new(),
        }
    }
}

/// One thing that is read: itself, its columns, and whether it reads what stands before it.
struct Found {
    source: Source,
    columns: Vec<(String, u32)>,
    is_lateral: bool,
    table: Option<u32>,
}

impl Planner<'_> {
    pub(super) fn from(&mut self, sources: &mut Sources<'_>, table: &TableWithJoins) -> Result<()> {
        self.add(sources, &table.relation, Join::Inner, &JoinConstraint::None)?;
        for join in &table.joins {
            let (kind, constraint) = match &join.join_operator {
                JoinOperator::Join(on) | JoinOperator::Inner(on) | JoinOperator::CrossJoin(on) => {
                    (Join::Inner, on)
                }
                JoinOperator::Left(on) | JoinOperator::LeftOuter(on) => (Join::Left, on),
                JoinOperator::Right(on) | JoinOperator::RightOuter(on) => (Join::Right, on),
                JoinOperator::FullOuter(on) => (Join::Full, on),
                _ => return Err(Failure::unsupported("this kind of join")),
            };
            self.add(sources, &join.relation, kind, constraint)?;
        }
        Ok(())
    }

    fn add(
        &mut self,
        sources: &mut Sources<'_>,
        factor: &TableFactor,
        join: Join,
        constraint: &JoinConstraint,
    ) -> Result<()> {
        let start = sources.scope.columns.len();
        if let TableFactor::NestedJoin {
            table_with_joins,
            alias: None,
        } = factor
        {
            self.add_nested(sources, table_with_joins, join)?;
        } else {
            let found = self.factor(factor, &sources.scope)?;
            let (name, columns) = named(factor, &found);
            if let (Some(oid), Some(name)) = (found.table, &name) {
                sources.scope.tables.push((name.clone(), oid));
            }
            let width = columns.len();
            for (column, kind) in columns {
                sources.scope.columns.push(Named {
                    table: name.clone(),
                    name: column,
                    kind,
                    is_hidden: false,
                });
            }
            sources
                .steps
                .push(step(found.source, join, start, width, found.is_lateral));
        }
        let conditions = self.conditions(sources, start, constraint)?;
        if let Some(step) = sources.steps.last_mut() {
            conditions.into_iter().for_each(|node| place_on(node, step));
        }
        Ok(())
    }

    fn add_nested(
        &mut self,
        sources: &mut Sources<'_>,
        table: &TableWithJoins,
        join: Join,
    ) -> Result<()> {
        let start = sources.scope.columns.len();
        let mut inside = Sources::new(Scope {
            columns: Vec::new(),
            tables: Vec::new(),
            outer: sources.scope.outer,
            depth: sources.scope.depth,
        });
        self.from(&mut inside, table)?;
        let width = inside.scope.columns.len();
        let plan = SelectPlan {
            steps: inside.steps,
            filters: Vec::new(),
            sets: Vec::new(),
            group: None,
            windows: Vec::new(),
            columns: Vec::new(),
            shown: 0,
            is_distinct: false,
            width,
        };
        sources.scope.columns.extend(inside.scope.columns);
        sources.scope.tables.extend(inside.scope.tables);
        let source = Source::Nested(Box::new(plan));
        sources.steps.push(step(source, join, start, width, false));
        Ok(())
    }

    fn conditions(
        &mut self,
        sources: &mut Sources<'_>,
        start: usize,
        constraint: &JoinConstraint,
    ) -> Result<Vec<Node>> {
        let names: Vec<String> = match constraint {
            JoinConstraint::None => return Ok(Vec::new()),
            JoinConstraint::On(expr) => {
                let mut parts = Vec::new();
                conjuncts(expr, &mut parts);
                let nodes = parts
                    .into_iter()
                    .map(|part| Ok(self.expr(part, &sources.scope, &mut Gathered::default())?.0));
                return nodes.collect();
            }
            JoinConstraint::Using(names) => names.iter().map(last).collect(),
            JoinConstraint::Natural => {
                let (before, own) = sources.scope.columns.split_at(start);
                let shared = own.iter().filter(|column| {
                    before
                        .iter()
                        .any(|other| other.name == column.name && !other.is_hidden)
                });
                shared.map(|column| column.name.clone()).collect()
            }
        };
        let mut nodes = Vec::new();
        for name in names {
            let columns = &mut sources.scope.columns;
            let is_it = |column: &Named| column.name == name && !column.is_hidden;
            let before = columns.iter().take(start).position(is_it);
            let own = columns
                .iter()
                .skip(start)
                .position(is_it)
                .map(|place| place + start);
            let (Some(before), Some(own)) = (before, own) else {
                let message = format!("column \"{name}\" specified in USING clause does not exist");
                return Err(Failure::new("42703", message));
            };
            if let Some(column) = columns.get_mut(own) {
                column.is_hidden = true;
            }
            let (left, right) = (Node::Column(0, before), Node::Column(0, own));
            nodes.push(Node::Compare(
                Comparison::Equal,
                Box::new(left),
                Box::new(right),
            ));
        }
        Ok(nodes)
    }

    /// What one part of a `from` is.
    fn factor(&mut self, factor: &TableFactor, scope: &Scope<'_>) -> Result<Found> {
        match factor {
            TableFactor::Table {
                name, args: None, ..
            } => self.table(&parts(name)),
            TableFactor::Table {
                name,
                args: Some(args),
                with_ordinality,
                ..
            } => self.function(&last(name), &args.args, *with_ordinality, scope),
            TableFactor::Function {
                name,
                args,
                with_ordinality,
                ..
            } => self.function(&last(name), args, *with_ordinality, scope),
            TableFactor::UNNEST {
                array_exprs,
                with_ordinality,
                ..
            } => self.set_source("unnest", array_exprs.iter(), *with_ordinality, scope),
            TableFactor::Derived { subquery, .. } => {
                let before = std::mem::replace(&mut self.lowest, usize::MAX);
                let plan = self.query(subquery, Some(scope));
                let is_lateral = self.lowest == scope.depth;
                self.lowest = self.lowest.min(before);
                let plan = plan?;
                let columns = plan.names.iter().cloned().zip(plan.kinds.iter().copied());
                Ok(Found {
                    columns: columns.collect(),
                    source: Source::Query(plan),
                    is_lateral,
                    table: None,
                })
            }
            _ => Err(Failure::unsupported("this part of a `from`")),
        }
    }

    fn table(&mut self, name: &[String]) -> Result<Found> {
        let missing = || {
            let message = format!("relation \"{}\" does not exist", name.join("."));
            Err(Failure::new("42P01", message))
        };
        let (schema, table) = match name {
            [table] => (None, table),
            [schema, table] => (Some(schema.as_str()), table),
            [database, schema, table] if database == DATABASE => (Some(schema.as_str()), table),
            _ => return missing(),
        };
        if schema.is_none()
            && let Some((_, with)) = self.with.iter().rev().find(|(own, _)| own == table)
        {
            let (names, kinds, source) = match with {
                With::Plan(plan) => (
                    plan.names.clone(),
                    plan.kinds.clone(),
                    Source::Query(plan.clone()),
                ),
                With::Working(id, names, kinds) => {
                    (names.clone(), kinds.clone(), Source::Working(*id))
                }
            };
            return Ok(Found {
                source,
                columns: names.into_iter().zip(kinds).collect(),
                is_lateral: false,
                table: None,
            });
        }
        let schema =
            schema.or((self.world.schema == "information_schema").then_some("information_schema"));
        let known = tables::known(schema, table)
            .or_else(|| tables::known(None, table).filter(|_| name.len() == 1));
        let Some(known) = known else {
            return missing();
        };
        let columns = known
            .columns
            .iter()
            .map(|column| (column.name.to_owned(), column.kind));
        let relation = format!("{}.{}", known.schema, known.name);
        Ok(Found {
            source: Source::Table(known),
            columns: columns.collect(),
            is_lateral: false,
            table: self.world.relation_named(&relation).map(|one| one.oid),
        })
    }

    fn function(
        &mut self,
        name: &str,
        arguments: &[FunctionArg],
        is_numbered: bool,
        scope: &Scope<'_>,
    ) -> Result<Found> {
        let arguments = arguments.iter().filter_map(|argument| match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
            _ => None,
        });
        self.set_source(name, arguments, is_numbered, scope)
    }

    fn set_source<'e>(
        &mut self,
        name: &str,
        arguments: impl Iterator<Item = &'e Expr>,
        is_numbered: bool,
        scope: &Scope<'_>,
    ) -> Result<Found> {
        let before = std::mem::replace(&mut self.lowest, usize::MAX);
        let mut nodes = Vec::new();
        let mut kinds = Vec::new();
        for argument in arguments {
            let (node, kind) = self.expr(argument, scope, &mut Gathered::default())?;
            nodes.push(node);
            kinds.push(kind);
        }
        let is_lateral = self.lowest == scope.depth;
        self.lowest = self.lowest.min(before);
        let number = is_numbered.then(|| ("ordinality".to_owned(), oids::INT8));
        let (source, columns) = match functions::set(name) {
            Some((SetFunction::Unnest, ..)) => {
                let elements = kinds
                    .iter()
                    .map(|kind| types::element(*kind).unwrap_or(oids::TEXT));
                let columns = elements.map(|kind| ("unnest".to_owned(), kind)).collect();
                (
                    Source::Function(SetFunction::Unnest, nodes, is_numbered),
                    columns,
                )
            }
            Some((SetFunction::ExpandArray, ..)) => {
                let element = kinds.first().and_then(|kind| types::element(*kind));
                let columns = vec![
                    ("x".to_owned(), element.unwrap_or(oids::TEXT)),
                    ("n".to_owned(), oids::INT4),
                ];
                (
                    Source::Function(SetFunction::ExpandArray, nodes, is_numbered),
                    columns,
                )
            }
            Some((function, names, own)) => {
                let columns = names.iter().zip(own);
                let columns = columns
                    .map(|(name, kind)| ((*name).to_owned(), *kind))
                    .collect();
                (Source::Function(function, nodes, is_numbered), columns)
            }
            None => {
                let (node, kind) = self.call(name, nodes, &kinds)?;
                (
                    Source::Value(node, is_numbered),
                    vec![(name.to_owned(), kind)],
                )
            }
        };
        Ok(Found {
            source,
            columns: columns.into_iter().chain(number).collect::<Vec<_>>(),
            is_lateral,
            table: None,
        })
    }
}

fn step(source: Source, join: Join, start: usize, width: usize, is_lateral: bool) -> Step {
    Step {
        source,
        join,
        start,
        width,
        keys: Vec::new(),
        on: Vec::new(),
        own: Vec::new(),
        then: Vec::new(),
        is_lateral,
    }
}

/// The name under which a part of a `from` is known, and its columns with theirs.
fn named(factor: &TableFactor, found: &Found) -> (Option<String>, Vec<(String, u32)>) {
    let alias: Option<&TableAlias> = match factor {
        TableFactor::Table { alias, .. }
        | TableFactor::Derived { alias, .. }
        | TableFactor::Function { alias, .. }
        | TableFactor::UNNEST { alias, .. } => alias.as_ref(),
        _ => None,
    };
    let mut columns = found.columns.clone();
    let name = match (alias, factor) {
        (Some(alias), _) => {
            let is_function = matches!(found.source, Source::Function(..) | Source::Value(..));
            if is_function
                && alias.columns.is_empty()
                && let [column, ..] = columns.as_mut_slice()
            {
                // A function that gives one column gives it the name of the whole.
                column.0 = ident(&alias.name);
            }
            for (column, own) in columns.iter_mut().zip(&alias.columns) {
                column.0 = ident(&own.name);
            }
            Some(ident(&alias.name))
        }
        (None, TableFactor::Table { name, .. } | TableFactor::Function { name, .. }) => {
            Some(last(name))
        }
        (None, TableFactor::UNNEST { .. }) => Some("unnest".to_owned()),
        _ => None,
    };
    (name, columns)
}
