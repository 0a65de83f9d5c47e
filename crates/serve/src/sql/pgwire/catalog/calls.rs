//! Calls of functions in a query on the catalogue: of one row, of many, and of rows around one.

use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause, FunctionArguments,
    OrderByExpr, Query, WindowType,
};

use super::super::oids;
use super::expr::common;
use super::functions;
use super::node::{AggregateCall, Node, SetFunction, WindowCall};
use super::plan::{Gathered, Planner, Scope, Typed, direction, last};
use super::types;
use super::value::{Failure, Result};

impl Planner<'_> {
    pub(super) fn named_call<'e>(
        &mut self,
        name: &str,
        exprs: impl Iterator<Item = &'e Expr>,
        scope: &Scope<'_>,
        gathered: &mut Gathered,
    ) -> Result<Typed> {
        let (mut nodes, mut kinds) = (Vec::new(), Vec::new());
        for expr in exprs {
            let (node, kind) = self.expr(expr, scope, gathered)?;
            nodes.push(node);
            kinds.push(kind);
        }
        self.call(name, nodes, &kinds)
    }

    /// A function of one row.
    pub(super) fn call(&mut self, name: &str, nodes: Vec<Node>, kinds: &[u32]) -> Result<Typed> {
        let mut typed = Vec::new();
        for (node, kind) in nodes.into_iter().zip(kinds) {
            // What a parameter of a function is, most often a name or a number of the catalogue.
            typed.push(self.typed((node, *kind), Some(oids::TEXT)));
        }
        let kinds: Vec<u32> = typed.iter().map(|(_, kind)| *kind).collect();
        if name == "pg_typeof" {
            let kind = kinds.first().copied().unwrap_or(oids::UNKNOWN);
            return Ok((Node::Value(kind.into()), oids::REGTYPE));
        }
        if name == "coalesce" {
            let kind = kinds
                .iter()
                .fold(oids::UNKNOWN, |kind, own| common(kind, *own));
            let nodes = typed.into_iter().map(|(node, _)| node).collect();
            return Ok((Node::Coalesce(nodes), kind));
        }
        let Some(known) = functions::scalar(name, &kinds) else {
            return Err(Failure::new(
                "42883",
                format!("function {name} does not exist"),
            ));
        };
        let shows = matches!(name, "obj_description" | "concat" | "concat_ws" | "format")
            || name.starts_with("json");
        let nodes = typed.into_iter().map(|(node, kind)| {
            match shows && types::is_number(kind) && kind != oids::INT4 {
                // Numbers that are shown as names.
                true if matches!(kind, oids::REGCLASS | oids::REGTYPE | oids::REGPROC) => {
                    Node::Cast(Box::new(node), kind, oids::TEXT)
                }
                _ => node,
            }
        });
        Ok((
            Node::Call(known.function, known.is_strict, nodes.collect()),
            known.kind,
        ))
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "what stands in a call of an aggregate, and where it stands"
    )]
    fn aggregate(
        &mut self,
        name: &'static str,
        exprs: &[&Expr],
        function: &Function,
        is_distinct: bool,
        order: &[OrderByExpr],
        scope: &Scope<'_>,
        gathered: &mut Gathered,
    ) -> Result<Typed> {
        let mut inner = Gathered::default();
        let (mut nodes, mut kinds) = (Vec::new(), Vec::new());
        for expr in exprs.iter().copied() {
            let one = self.expr(expr, scope, &mut inner)?;
            let (node, kind) = self.typed(one, None);
            nodes.push(node);
            kinds.push(kind);
        }
        let filter = match &function.filter {
            Some(filter) => Some(self.expr(filter, scope, &mut inner)?.0),
            None => None,
        };
        let order = self.directed(order, scope)?;
        let first = kinds.first().copied().unwrap_or(oids::TEXT);
        gathered.aggregates.push(AggregateCall {
            name,
            arguments: nodes,
            is_distinct,
            filter,
            order,
        });
        let kind = match name {
            "count" => oids::INT8,
            "sum" if matches!(first, oids::INT2 | oids::INT4) => oids::INT8,
            "avg" => oids::FLOAT8,
            "bool_or" | "bool_and" | "every" => oids::BOOL,
            "string_agg" => oids::TEXT,
            "array_agg" => types::array(if first == oids::UNKNOWN {
                oids::TEXT
            } else {
                first
            })
            .unwrap_or(1009),
            "json_agg" | "jsonb_agg" | "json_object_agg" | "jsonb_object_agg" => oids::JSON,
            _ => first,
        };
        Ok((Node::Aggregate(gathered.aggregates.len() - 1), kind))
    }

    pub(super) fn function_call(
        &mut self,
        function: &Function,
        scope: &Scope<'_>,
        gathered: &mut Gathered,
    ) -> Result<Typed> {
        let name = last(&function.name);
        let list = match &function.args {
            FunctionArguments::Subquery(query) if name == "array" => {
                return self.array_of(query, scope);
            }
            FunctionArguments::Subquery(_) => return Err(Failure::unsupported("this call")),
            FunctionArguments::None => None,
            FunctionArguments::List(list) => Some(list),
        };
        let mut exprs = Vec::new();
        for argument in list.iter().flat_map(|list| &list.args) {
            match argument {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => exprs.push(expr),
                FunctionArg::Unnamed(_) => {}
                FunctionArg::Named { .. } | FunctionArg::ExprNamed { .. } => {
                    return Err(Failure::unsupported("a named argument"));
                }
            }
        }
        if let Some(over) = &function.over {
            return self.window(&name, over, scope, gathered);
        }
        let is_distinct = list.is_some_and(|list| {
            list.duplicate_treatment
                .is_some_and(|how| how.to_string() == "DISTINCT")
        });
        let order = list
            .iter()
            .flat_map(|list| &list.clauses)
            .find_map(|clause| match clause {
                FunctionArgumentClause::OrderBy(order) => Some(order.as_slice()),
                _ => None,
            });
        if let Some(name) = functions::aggregate(&name) {
            let order = order.unwrap_or_default();
            return self.aggregate(name, &exprs, function, is_distinct, order, scope, gathered);
        }
        if let Some((set, _, own)) = functions::set(&name) {
            let (mut nodes, mut kinds) = (Vec::new(), Vec::new());
            for expr in exprs {
                let (node, kind) = self.expr(expr, scope, gathered)?;
                nodes.push(node);
                kinds.push(kind);
            }
            let element = kinds.first().and_then(|kind| types::element(*kind));
            let kind = match set {
                SetFunction::Unnest => element.unwrap_or(oids::TEXT),
                SetFunction::Series => kinds.first().copied().unwrap_or(oids::INT4),
                _ => own.first().copied().unwrap_or(oids::TEXT),
            };
            gathered.sets.push((set, nodes));
            return Ok((Node::Set(gathered.sets.len() - 1), kind));
        }
        self.named_call(&name, exprs.into_iter(), scope, gathered)
    }

    fn array_of(&mut self, query: &Query, scope: &Scope<'_>) -> Result<Typed> {
        let plan = self.query(query, Some(scope))?;
        let element = plan.kinds.first().copied().unwrap_or(oids::TEXT);
        let kind = types::array(element).unwrap_or(1009);
        Ok((Node::ArrayOf(plan), kind))
    }

    fn directed(
        &mut self,
        order: &[OrderByExpr],
        scope: &Scope<'_>,
    ) -> Result<Vec<(Node, bool, bool)>> {
        let order = order.iter().map(|one| {
            let (is_down, nulls_first) = direction(one);
            let node = self.expr(&one.expr, scope, &mut Gathered::default())?.0;
            Ok((node, is_down, nulls_first))
        });
        order.collect()
    }

    fn window(
        &mut self,
        name: &str,
        over: &WindowType,
        scope: &Scope<'_>,
        gathered: &mut Gathered,
    ) -> Result<Typed> {
        let known = ["row_number", "rank", "dense_rank", "count"];
        let (Some(name), WindowType::WindowSpec(spec)) =
            (known.into_iter().find(|own| *own == name), over)
        else {
            return Err(Failure::unsupported(format!("`{name}` over a window")));
        };
        let mut partition = Vec::new();
        for expr in &spec.partition_by {
            partition.push(self.expr(expr, scope, &mut Gathered::default())?.0);
        }
        let order = self.directed(&spec.order_by, scope)?;
        gathered.windows.push(WindowCall {
            name,
            partition,
            order,
        });
        Ok((Node::Window(gathered.windows.len() - 1), oids::INT8))
    }
}
