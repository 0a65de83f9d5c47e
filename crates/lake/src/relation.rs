//! Relation functions: `from name((select …))`, for what SQL cannot say well.
//!
//! A function declares the columns it reads, how its input has to be split and sorted, and a state
//! that takes the rows in that order and gives rows back. Planning, casting, sorting, splitting
//! over threads, memory accounting and the dropping of columns nobody asks for are done here, once
//! for all functions. A function never sees SQL, plans or threads.

use std::fmt::Debug;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::error::Result;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::context::QueryPlanner;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_planner::{DefaultPhysicalPlanner, PhysicalPlanner};

mod exec;
mod plan;
#[cfg(test)]
mod tests;

/// A column that a relation function reads by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputColumn {
    /// Its name.
    pub name: &'static str,
    /// Its type; a column that comes with another type is cast to it.
    pub data_type: DataType,
    /// Planning fails without it.
    pub is_required: bool,
}

impl InputColumn {
    /// A column that must be there.
    pub fn required(name: &'static str, data_type: DataType) -> Self {
        Self {
            name,
            data_type,
            is_required: true,
        }
    }

    /// A column that may be left out.
    pub fn optional(name: &'static str, data_type: DataType) -> Self {
        Self {
            name,
            data_type,
            is_required: false,
        }
    }
}

/// How the input of a relation function is split and sorted. All ascending, nulls last; columns
/// that the input does not have are left out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RelationOrder {
    /// All rows with equal values in these columns come to one state, one group after the other.
    /// They must be columns of the output too, unchanged, if they are to be filtered early.
    pub partition_by: Vec<&'static str>,
    /// The order of the rows of a group.
    pub order_by: Vec<&'static str>,
}

/// What a call says beside its subquery: a text, a number or a boolean.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelationArgument {
    /// Lower case; None where it is given by its place.
    pub name: Option<String>,
    /// The value as text.
    pub value: String,
}

/// A function from a relation to a relation.
pub trait RelationFunction: Debug + Send + Sync {
    /// Its name in SQL, lower case.
    fn name(&self) -> &str;

    /// The function as the arguments of one call make it; None: it takes none.
    ///
    /// # Errors
    /// The arguments cannot be used.
    fn with_arguments(
        &self,
        _arguments: &[RelationArgument],
    ) -> Result<Option<Arc<dyn RelationFunction>>> {
        Ok(None)
    }

    /// The columns it reads. Any other column of the input can only pass through, unchanged, to
    /// the output column of the same name: it is dropped early where nobody asks for that.
    fn input_columns(&self) -> Vec<InputColumn>;

    /// It reads every column of its input, whatever they are called and of whatever type.
    fn reads_all_columns(&self) -> bool {
        false
    }

    /// What comes out. `input` has the columns of [`Self::input_columns`] in their types, those
    /// that are not required possibly not, and possibly others.
    ///
    /// # Errors
    /// The input cannot be used.
    fn output_schema(&self, input: &Schema) -> Result<Schema>;

    /// How the input is split and sorted; None: not at all.
    fn order(&self) -> Option<RelationOrder> {
        None
    }

    /// One state takes the whole input. Else the groups of [`Self::order`] are spread over as
    /// many states as there are threads.
    fn single_partition(&self) -> bool {
        self.order()
            .is_none_or(|order| order.partition_by.is_empty())
    }

    /// Each input row comes back once, in the order of the input, with columns added: whatever
    /// is known of the input's order then holds for the output.
    fn passes_rows_through(&self) -> bool {
        false
    }

    /// A fresh state for one share of the input. Its batches have the columns of `output`.
    ///
    /// # Errors
    /// The function's settings cannot be used.
    fn open(&self, input: SchemaRef, output: SchemaRef) -> Result<Box<dyn RelationState>>;
}

/// One pass of a relation function over its share of the input.
pub trait RelationState: Send {
    /// Takes the next rows, gives what is ready.
    ///
    /// # Errors
    /// The rows cannot be processed; the query fails.
    fn push(&mut self, batch: RecordBatch) -> Result<Vec<RecordBatch>>;

    /// The input has ended: gives the rest. Called once.
    ///
    /// # Errors
    /// The rows cannot be processed; the query fails.
    fn finish(&mut self) -> Result<Vec<RecordBatch>>;

    /// Memory it holds now, in bytes.
    fn memory_bytes(&self) -> usize;
}

/// Makes `functions` known in SQL. It sets the query planner: whatever wraps a query planner (the
/// distributed engine) must be set after it. It may be called several times.
pub fn with_relation_functions(
    mut builder: SessionStateBuilder,
    functions: Vec<Arc<dyn RelationFunction>>,
) -> SessionStateBuilder {
    let mut planners = builder.relation_planners().take().unwrap_or_default();
    planners.push(Arc::new(plan::FunctionPlanner::new(functions)));
    builder
        .with_relation_planners(planners)
        .with_query_planner(Arc::new(FunctionQueryPlanner))
}

/// DataFusion's planner, and ours for the calls of relation functions.
#[derive(Debug)]
struct FunctionQueryPlanner;

#[async_trait]
impl QueryPlanner for FunctionQueryPlanner {
    async fn create_physical_plan(
        &self,
        logical_plan: &LogicalPlan,
        session: &dyn Session,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        DefaultPhysicalPlanner::with_extension_planners(vec![Arc::new(
            plan::FunctionPhysicalPlanner,
        )])
        .create_physical_plan(logical_plan, session)
        .await
    }
}
