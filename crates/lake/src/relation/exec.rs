//! The operator of a relation function: asks for its input split and sorted, feeds the state.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{SchemaRef, SortOptions};
use datafusion::common::internal_err;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::Result;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::projection::ProjectionMapping;
use datafusion::physical_expr::{
    Distribution, EquivalenceProperties, LexRequirement, OrderingRequirements, PhysicalExpr,
    PhysicalSortRequirement,
};
use datafusion::physical_plan::execution_plan::{
    Boundedness, ChildrenPropertiesMode, EmissionType, ReplaceChildrenOptions,
    apply_expression_roots,
};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties,
    InputDistributionRequirements, Partitioning, PlanProperties,
};
use futures::{StreamExt, stream};

use super::{RelationFunction, RelationOrder, RelationState};

/// Runs one relation function over its input.
#[derive(Debug)]
pub(super) struct FunctionExec {
    function: Arc<dyn RelationFunction>,
    input: Arc<dyn ExecutionPlan>,
    /// Columns by which the input is split.
    keys: Vec<Arc<dyn PhysicalExpr>>,
    /// Columns by which the rows of a group are sorted.
    order: Vec<Arc<dyn PhysicalExpr>>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl FunctionExec {
    pub(super) fn try_new(
        function: Arc<dyn RelationFunction>,
        input: Arc<dyn ExecutionPlan>,
        schema: SchemaRef,
    ) -> Result<Self> {
        let RelationOrder {
            partition_by,
            order_by,
        } = function.order().unwrap_or_default();
        let columns = |names: Vec<&'static str>| -> Vec<Arc<dyn PhysicalExpr>> {
            let found = names.into_iter().filter_map(|name| {
                let index = input.schema().index_of(name).ok()?;
                Some(Arc::new(Column::new(name, index)) as Arc<dyn PhysicalExpr>)
            });
            found.collect()
        };
        let (keys, order) = (columns(partition_by), columns(order_by));
        let properties = Arc::new(properties(&*function, &*input, &keys, schema)?);
        Ok(Self {
            function,
            input,
            keys,
            order,
            properties,
            metrics: ExecutionPlanMetricsSet::new(),
        })
    }
}

/// What is known of the output: how it is split, and (where rows pass through) its order.
fn properties(
    function: &dyn RelationFunction,
    input: &dyn ExecutionPlan,
    keys: &[Arc<dyn PhysicalExpr>],
    schema: SchemaRef,
) -> Result<PlanProperties> {
    let from = input.schema();
    let is_key = |name: &str| {
        keys.iter().any(|key| {
            key.downcast_ref::<Column>()
                .is_some_and(|key| key.name() == name)
        })
    };
    let mut mapping = Vec::new();
    for (to, field) in schema.fields().iter().enumerate() {
        if (function.passes_rows_through() || is_key(field.name()))
            && let Ok(index) = from.index_of(field.name())
            && from.field(index).data_type() == field.data_type()
        {
            let source: Arc<dyn PhysicalExpr> = Arc::new(Column::new(field.name(), index));
            let target: Arc<dyn PhysicalExpr> = Arc::new(Column::new(field.name(), to));
            mapping.push((source, vec![(target, to)].into()));
        }
    }
    let mapping: ProjectionMapping = mapping.into_iter().collect();
    let known = input.equivalence_properties();
    let partitioning = if function.single_partition() {
        Partitioning::UnknownPartitioning(1)
    } else {
        input.output_partitioning().project(&mapping, known)
    };
    // Groups come one after the other, but rows within a group may not: only a function that
    // passes rows through keeps the order.
    let known = if function.passes_rows_through() {
        known.project(&mapping, schema)
    } else {
        EquivalenceProperties::new(schema)
    };
    let emission = match function.order() {
        Some(_) => EmissionType::Incremental,
        None => EmissionType::Final,
    };
    Ok(PlanProperties::new(
        known,
        partitioning,
        emission,
        Boundedness::Bounded,
    ))
}

impl DisplayAs for FunctionExec {
    fn fmt_as(&self, format: DisplayFormatType, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match format {
            DisplayFormatType::Default | DisplayFormatType::Verbose => {
                write!(out, "RelationFunctionExec: {}", self.function.name())
            }
            DisplayFormatType::TreeRender => write!(out, "function={}", self.function.name()),
        }
    }
}

impl ExecutionPlan for FunctionExec {
    fn name(&self) -> &str {
        "RelationFunctionExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        let distribution = if self.function.single_partition() {
            Distribution::SinglePartition
        } else {
            Distribution::KeyPartitioned(self.keys.clone())
        };
        InputDistributionRequirements::new(vec![distribution])
    }

    fn required_input_ordering(&self) -> Vec<Option<OrderingRequirements>> {
        let ascending = SortOptions {
            descending: false,
            nulls_first: false,
        };
        let sorted = self
            .keys
            .iter()
            .chain(&self.order)
            .map(|column| PhysicalSortRequirement::new(Arc::clone(column), Some(ascending)));
        vec![LexRequirement::new(sorted).map(OrderingRequirements::new)]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![self.function.passes_rows_through()]
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        apply_expression_roots(self.keys.iter().chain(&self.order), f)
    }

    fn replace_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
        _options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let (Some(input), true) = (children.pop(), children.is_empty()) else {
            return internal_err!("`{}` takes one input", self.function.name());
        };
        Ok(Arc::new(Self::try_new(
            self.function.clone(),
            input,
            self.schema(),
        )?))
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
        self.replace_children(children, options)
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let schema = self.schema();
        let consumer = format!("RelationFunctionExec[{} {partition}]", self.function.name());
        let pass = Pass {
            input: self.input.execute(partition, Arc::clone(&context))?,
            state: Some(
                self.function
                    .open(self.input.schema(), Arc::clone(&schema))?,
            ),
            ready: VecDeque::new(),
            memory: MemoryConsumer::new(consumer).register(context.memory_pool()),
            metrics: BaselineMetrics::new(&self.metrics, partition),
        };
        let batches = stream::try_unfold(pass, |mut pass| async move {
            Ok(pass.next().await?.map(|batch| (batch, pass)))
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, batches)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}

/// One share of the input on its way through a state.
struct Pass {
    input: SendableRecordBatchStream,
    /// None after the end.
    state: Option<Box<dyn RelationState>>,
    ready: VecDeque<RecordBatch>,
    memory: MemoryReservation,
    metrics: BaselineMetrics,
}

impl Pass {
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some(batch) = self.ready.pop_front() {
                self.metrics.record_output(batch.num_rows());
                return Ok(Some(batch));
            }
            let Some(state) = &mut self.state else {
                return Ok(None);
            };
            match self.input.next().await {
                Some(batch) => {
                    let batch = batch?;
                    let _timer = self.metrics.elapsed_compute().timer();
                    self.ready.extend(state.push(batch)?);
                    self.memory.try_resize(state.memory_bytes())?;
                }
                None => {
                    let _timer = self.metrics.elapsed_compute().timer();
                    self.ready.extend(state.finish()?);
                    self.state = None;
                    let held = self
                        .ready
                        .iter()
                        .map(RecordBatch::get_array_memory_size)
                        .sum();
                    // What is ready goes out next: the account follows, it does not refuse.
                    self.memory.resize(held);
                }
            }
        }
    }
}
