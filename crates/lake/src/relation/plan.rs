//! From `from name((select …))` to a logical node, and from the node to its operator.

use std::collections::HashSet;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::{Column, DFSchema, DFSchemaRef, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::planner::{
    PlannedRelation, RelationPlanner, RelationPlannerContext, RelationPlanning,
};
use datafusion::logical_expr::{
    Expr, ExprSchemable, Extension, LogicalPlan, LogicalPlanBuilder, UserDefinedLogicalNode,
    UserDefinedLogicalNodeCore,
};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_planner::{ExtensionPlanner, PhysicalPlanner};
use datafusion::sql::sqlparser::ast::{
    Expr as SqlExpr, FunctionArg, FunctionArgExpr, TableFactor, Value,
};

use super::exec::FunctionExec;
use super::{RelationArgument, RelationFunction};

/// Recognises calls of relation functions in a FROM clause.
#[derive(Debug)]
pub(super) struct FunctionPlanner {
    functions: Vec<Arc<dyn RelationFunction>>,
}

impl FunctionPlanner {
    pub(super) fn new(functions: Vec<Arc<dyn RelationFunction>>) -> Self {
        Self { functions }
    }

    fn function(&self, relation: &TableFactor) -> Option<Arc<dyn RelationFunction>> {
        let TableFactor::Table {
            name,
            args: Some(_),
            ..
        } = relation
        else {
            return None;
        };
        let name = name.to_string();
        let name = name.trim_matches('"');
        let named =
            |function: &&Arc<_>| RelationFunction::name(&***function).eq_ignore_ascii_case(name);
        self.functions.iter().find(named).cloned()
    }
}

impl RelationPlanner for FunctionPlanner {
    fn plan_relation(
        &self,
        relation: TableFactor,
        context: &mut dyn RelationPlannerContext,
    ) -> Result<RelationPlanning> {
        let Some(function) = self.function(&relation) else {
            return Ok(RelationPlanning::Original(Box::new(relation)));
        };
        let TableFactor::Table {
            alias,
            args: Some(args),
            ..
        } = relation
        else {
            return Ok(RelationPlanning::Original(Box::new(relation)));
        };
        let name = function.name().to_owned();
        let mut args = args.args.into_iter();
        let Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(SqlExpr::Subquery(query)))) =
            args.next()
        else {
            return plan_err!(
                "`{name}` takes one subquery, in parentheses of its own \
                 (hint: {name}((select … from …)))"
            );
        };
        let arguments: Vec<RelationArgument> = args
            .map(|arg| argument(&name, arg))
            .collect::<Result<_>>()?;
        let function = match function.with_arguments(&arguments)? {
            Some(function) => function,
            None if arguments.is_empty() => function,
            None => {
                return plan_err!("`{name}` takes one subquery and nothing else");
            }
        };
        let derived = TableFactor::Derived {
            lateral: false,
            subquery: query,
            alias: None,
            sample: None,
        };
        let input = shaped(&*function, context.plan(derived)?)?;
        let node = FunctionNode::new(function, arguments, input)?;
        let mut plan = LogicalPlan::Extension(Extension {
            node: Arc::new(node),
        });
        if alias.is_none() {
            // So that `name.column` can be written, as with a table.
            plan = LogicalPlanBuilder::from(plan).alias(name)?.build()?;
        }
        Ok(RelationPlanning::Planned(Box::new(PlannedRelation::new(
            plan, alias,
        ))))
    }
}

/// An argument beside the subquery: `'value'` or `name => 'value'`.
fn argument(function: &str, arg: FunctionArg) -> Result<RelationArgument> {
    let (name, value) = match arg {
        FunctionArg::Unnamed(value) => (None, value),
        FunctionArg::Named { name, arg, .. } => (Some(name.value.to_lowercase()), arg),
        FunctionArg::ExprNamed { name, arg, .. } => (Some(name.to_string().to_lowercase()), arg),
    };
    let literal = match &value {
        FunctionArgExpr::Expr(SqlExpr::Value(literal)) => match &literal.value {
            Value::Number(number, _) => Some(number.to_string()),
            Value::SingleQuotedString(text) => Some(text.clone()),
            Value::Boolean(value) => Some(value.to_string()),
            _ => None,
        },
        _ => None,
    };
    match literal {
        Some(value) => Ok(RelationArgument { name, value }),
        None => plan_err!(
            "`{function}` cannot take `{value}` beside its subquery \
             (hint: a text, a number, true or false, written out)"
        ),
    }
}

/// The input with plain column names, those that the function reads in its types.
fn shaped(function: &dyn RelationFunction, input: LogicalPlan) -> Result<LogicalPlan> {
    let name = function.name();
    let declared = function.input_columns();
    let missing: Vec<String> = declared
        .iter()
        .filter(|column| column.is_required)
        .filter(|column| {
            !input
                .schema()
                .fields()
                .iter()
                .any(|field| field.name() == column.name)
        })
        .map(|column| format!("`{}`", column.name))
        .collect();
    if !missing.is_empty() {
        let there: Vec<String> = input
            .schema()
            .fields()
            .iter()
            .map(|field| format!("`{}`", field.name()))
            .collect();
        return plan_err!(
            "the subquery of `{name}` has no column {} (hint: it has {}; name columns with `as`)",
            missing.join(", "),
            there.join(", ")
        );
    }
    let mut seen = HashSet::new();
    let mut columns = Vec::new();
    for (qualifier, field) in input.schema().iter() {
        if !seen.insert(field.name().clone()) {
            return plan_err!(
                "the subquery of `{name}` has two columns `{}` (hint: rename one with `as`)",
                field.name()
            );
        }
        let mut column = Expr::Column(Column::new(qualifier.cloned(), field.name()));
        if let Some(wanted) = declared.iter().find(|column| column.name == field.name())
            && wanted.data_type != *field.data_type()
        {
            column = column.cast_to(&wanted.data_type, input.schema())?;
        }
        columns.push(column.alias(field.name()));
    }
    LogicalPlanBuilder::from(input).project(columns)?.build()
}

/// A call of a relation function in a logical plan.
#[derive(Debug)]
pub(super) struct FunctionNode {
    function: Arc<dyn RelationFunction>,
    arguments: Vec<RelationArgument>,
    input: LogicalPlan,
    schema: DFSchemaRef,
}

impl FunctionNode {
    fn new(
        function: Arc<dyn RelationFunction>,
        arguments: Vec<RelationArgument>,
        input: LogicalPlan,
    ) -> Result<Self> {
        let schema = function.output_schema(input.schema().as_arrow())?;
        Ok(Self {
            function,
            arguments,
            input,
            schema: Arc::new(DFSchema::try_from(schema)?),
        })
    }

    fn has_input(&self, name: &str) -> bool {
        self.input
            .schema()
            .fields()
            .iter()
            .any(|field| field.name() == name)
    }
}

impl FunctionNode {
    /// A function is its name and what the call says: there is one of a name in a session.
    fn identity(&self) -> (&str, &[RelationArgument]) {
        (self.function.name(), &self.arguments)
    }
}

impl PartialEq for FunctionNode {
    fn eq(&self, other: &Self) -> bool {
        self.identity() == other.identity() && self.input == other.input
    }
}

impl Eq for FunctionNode {}

impl PartialOrd for FunctionNode {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        match self.identity().cmp(&other.identity()) {
            std::cmp::Ordering::Equal => self.input.partial_cmp(&other.input),
            unequal => Some(unequal),
        }
    }
}

impl Hash for FunctionNode {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.identity().hash(state);
        self.input.hash(state);
    }
}

impl UserDefinedLogicalNodeCore for FunctionNode {
    fn name(&self) -> &str {
        self.function.name()
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        vec![]
    }

    /// A predicate on the columns by which the input is split takes or leaves whole groups, so it
    /// may go below; any other would change what the function sees.
    fn prevent_predicate_push_down_columns(&self) -> HashSet<String> {
        let order = self.function.order().unwrap_or_default();
        self.schema
            .fields()
            .iter()
            .map(|field| field.name())
            .filter(|name| !(order.partition_by.contains(&name.as_str()) && self.has_input(name)))
            .cloned()
            .collect()
    }

    fn fmt_for_explain(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "RelationFunction: {}", self.function.name())
    }

    fn with_exprs_and_inputs(
        &self,
        _expressions: Vec<Expr>,
        mut inputs: Vec<LogicalPlan>,
    ) -> Result<Self> {
        match (inputs.pop(), inputs.is_empty()) {
            (Some(input), true) => Self::new(self.function.clone(), self.arguments.clone(), input),
            _ => plan_err!("`{}` takes one input", self.function.name()),
        }
    }

    fn necessary_children_exprs(&self, output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        let read = self.function.input_columns();
        let wanted: HashSet<&str> = output_columns
            .iter()
            .map(|&index| self.schema.field(index).name().as_str())
            .chain(read.iter().map(|column| column.name))
            .collect();
        let reads_all = self.function.reads_all_columns();
        let fields = self.input.schema().fields().iter().enumerate();
        let needed =
            fields.filter(|(_, field)| reads_all || wanted.contains(field.name().as_str()));
        Some(vec![needed.map(|(index, _)| index).collect()])
    }
}

/// Plans the operator of a call.
pub(super) struct FunctionPhysicalPlanner;

#[async_trait]
impl ExtensionPlanner for FunctionPhysicalPlanner {
    async fn plan_extension(
        &self,
        _planner: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        _logical_inputs: &[&LogicalPlan],
        physical_inputs: &[Arc<dyn ExecutionPlan>],
        _session: &dyn Session,
        _context: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let (Some(node), [input]) = (
            node.as_any().downcast_ref::<FunctionNode>(),
            physical_inputs,
        ) else {
            return Ok(None);
        };
        let schema = Arc::clone(node.schema.inner());
        Ok(Some(Arc::new(FunctionExec::try_new(
            node.function.clone(),
            input.clone(),
            schema,
        )?)))
    }
}
