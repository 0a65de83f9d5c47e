//! What functions over a measure mean, and which of them mean nothing.

use datafusion::common::{Column, ExprSchema as _, plan_err};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::{BinaryExpr, Expr, LogicalPlan, Operator, expr_rewriter};
use domain::metrics::{Additivity, Aggregate as How, Found, Measure};

use super::measure::MEASURE;
use super::resolve::{Refused, currency_rule};
use super::rewrite::Use;
use super::table::Needed;
use super::tables::ADDITIVITY;

/// What an aggregate asks for.
pub(super) enum Asked {
    /// A measure, as it is.
    Measure(String),
    /// Something of the dimensions.
    Other(Expr),
}

impl Use<'_> {
    /// What an aggregate asks for.
    pub(super) fn asked(&self, expr: &Expr) -> Result<Asked> {
        let Expr::AggregateFunction(call) = expr_rewriter::unalias(expr.clone()) else {
            return plan_err!("`{expr}` cannot be asked of `{}`", self.name);
        };
        let function = call.func.name().to_owned();
        let columns: Vec<Column> = call
            .params
            .args
            .iter()
            .flat_map(Expr::column_refs)
            .cloned()
            .collect();
        let measure = columns.iter().find(|column| self.is_measure(&column.name));
        let Some(measure) = measure else {
            return self.of_dimensions(&function, &columns, call);
        };
        let name = measure.name.clone();
        let alone = matches!(call.params.args.as_slice(), [one] if is_column(one, measure));
        if !alone
            || call.params.distinct
            || call.params.filter.is_some()
            || !call.params.order_by.is_empty()
        {
            let refused = Refused::new(format!("`{expr}` does more to `{name}` than group it"))
                .hint(format!(
                    "write `measure({name})`, put conditions after `where`, and compute with the \
                     result in an outer query"
                ));
            return Err(error(&refused));
        }
        self.may_be(&function, &name)?;
        Ok(Asked::Measure(name))
    }

    /// Refuses functions that would make something else of a figure than it is.
    fn may_be(&self, function: &str, name: &str) -> Result<()> {
        if function == MEASURE {
            return Ok(());
        }
        let hint = format!("write `measure({name})`");
        let Some(measure) = self.table.measure(name) else {
            return match function {
                "bool_or" | "max" => Ok(()),
                _ => Err(error(
                    &Refused::new(format!("`{function}({name})` means nothing")).hint(hint),
                )),
            };
        };
        let additivity = self
            .table
            .layer
            .additivity(Found::Measure(&self.table.subject, measure));
        let fits = match additivity {
            Additivity::Sum => function == "sum",
            Additivity::Extreme => match measure.aggregate {
                Some(How::Min) => function == "min",
                _ => function == "max",
            },
            _ => false,
        };
        if fits {
            return Ok(());
        }
        let why = match (additivity, function) {
            (Additivity::Ratio, "avg") => {
                "a mean of ratios weighs groups alike that are not alike: it is computed anew"
            }
            (Additivity::Ratio, _) => "a ratio is computed anew for every group, never added",
            (Additivity::Distinct, _) => {
                "whoever stands in several groups or on several days would count several times"
            }
            (Additivity::Last, _) => "it is the state at the end of the time, and no sum over it",
            (Additivity::Extreme, _) => "it is the least or greatest of all values",
            (Additivity::Sum, _) => "the table has no rows of its own, only figures of groups",
        };
        let refused = Refused::new(format!("`{function}({name})` means nothing"));
        Err(error(&refused.why(why).hint(hint)))
    }

    /// Aggregates of dimensions: which values there are.
    fn of_dimensions(
        &self,
        function: &str,
        columns: &[Column],
        call: AggregateFunction,
    ) -> Result<Asked> {
        let distinct = call.params.distinct && function == "count";
        // Tools ask whether there is any row at all: how many the subject's own table has.
        let rows = columns.is_empty() && function == "count" && !call.params.distinct;
        let values = distinct || ["min", "max"].contains(&function);
        let fits = rows || (!columns.is_empty() && values);
        if !fits {
            let refused = Refused::new(format!("`{function}` cannot be asked of `{}`", self.name))
                .why("the table has no rows of its own, only figures of groups")
                .hint("of dimensions there are min, max and count(distinct …); figures are its measures");
            return Err(error(&refused));
        }
        Ok(Asked::Other(Expr::AggregateFunction(call)))
    }

    /// Refuses sums that mean nothing.
    pub(super) fn may_be_added(
        &self,
        measure: &Measure,
        groups: &[Expr],
        filters: &[Expr],
        needed: &Needed<'_>,
    ) -> Result<()> {
        let currency = currency_rule(measure);
        let rules = self.table.subject.never_across(measure);
        for rule in rules.into_iter().chain(&currency) {
            let name = rule.dimension.as_str();
            let is_it = |expr: &Expr| matches!(bare(expr), Expr::Column(c) if c.name == name);
            let fits = groups.iter().any(is_it)
                || filters.iter().any(|filter| pins(filter, name))
                || needed
                    .defaults
                    .iter()
                    .any(|(dimension, _)| *dimension == name);
            if !fits {
                let full = format!("{}.{}", self.table.subject.name, measure.name);
                let refused = Refused::new(format!(
                    "`{full}` cannot be added over all values of `{name}`"
                ))
                .why(&rule.why)
                .hint(format!("group by `{name}`, or write `where {name} = …`"));
                return Err(error(&refused));
            }
        }
        Ok(())
    }
}

pub(super) fn error(refused: &Refused) -> DataFusionError {
    DataFusionError::Plan(refused.to_string())
}

/// Whether it counts rows, whatever is in them.
pub(super) fn is_count(expr: &Expr) -> bool {
    match expr_rewriter::unalias(expr.clone()) {
        Expr::AggregateFunction(call) => {
            let mut columns = call.params.args.iter().flat_map(Expr::column_refs);
            call.func.name() == "count" && columns.next().is_none()
        }
        _ => false,
    }
}

/// Without casts and other names.
fn bare(expr: &Expr) -> &Expr {
    match expr {
        Expr::Alias(alias) => bare(&alias.expr),
        Expr::Cast(cast) => bare(&cast.expr),
        Expr::TryCast(cast) => bare(&cast.expr),
        other => other,
    }
}

fn is_column(expr: &Expr, column: &Column) -> bool {
    matches!(bare(expr), Expr::Column(found) if found == column)
}

/// Whether a condition leaves one value of a dimension.
fn pins(filter: &Expr, name: &str) -> bool {
    let is_it = |expr: &Expr| matches!(bare(expr), Expr::Column(c) if c.name == name);
    let is_value = |expr: &Expr| matches!(bare(expr), Expr::Literal(..) | Expr::Placeholder(_));
    match filter {
        Expr::BinaryExpr(BinaryExpr {
            left,
            op: Operator::Eq,
            right,
        }) => (is_it(left) && is_value(right)) || (is_it(right) && is_value(left)),
        Expr::InList(list) => !list.negated && list.list.len() == 1 && is_it(&list.expr),
        other => is_it(other),
    }
}

/// Refuses sums and means of figures that are no sums themselves, in a query around theirs.
pub(super) fn no_second_sum(node: &LogicalPlan) -> Result<()> {
    let LogicalPlan::Aggregate(aggregate) = node else {
        return Ok(());
    };
    for expr in &aggregate.aggr_expr {
        let Expr::AggregateFunction(call) = expr_rewriter::unalias(expr.clone()) else {
            continue;
        };
        let function = call.func.name();
        if !["sum", "avg"].contains(&function) {
            continue;
        }
        for argument in &call.params.args {
            let Expr::Column(column) = bare(argument) else {
                continue;
            };
            let Ok(field) = aggregate.input.schema().field_from_column(column) else {
                continue;
            };
            let additivity = field
                .metadata()
                .get(ADDITIVITY)
                .map_or("sum", String::as_str);
            if additivity != "sum" {
                let what = format!("`{function}({})` means nothing", column.name);
                let why = match additivity {
                    "distinct" => "whoever stands in several of the rows would count several times",
                    "ratio" => "a ratio has to be computed anew for every group",
                    _ => "its figures are no parts of a sum",
                };
                let hint = "ask for the measure by the groups that you want";
                return Err(error(&Refused::new(what).why(why).hint(hint)));
            }
        }
    }
    Ok(())
}
