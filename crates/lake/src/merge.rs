//! Sorted runs of files, merged as they are scanned: how late rows join a range of keys.
//!
//! `SortPreservingMergeExec` makes one partition of all. This makes one of each group of runs, so
//! that ranges stay apart and what is known of them (range, order) stays known. To the optimizer
//! it is a leaf: the scan of the runs below it is arranged for it and must not be rearranged.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Statistics, internal_err};
use datafusion::error::Result;
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, LexOrdering, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{
    Boundedness, ChildrenPropertiesMode, EmissionType, ReplaceChildrenOptions,
    apply_expression_roots,
};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::sorts::streaming_merge::StreamingMergeBuilder;
use datafusion::physical_plan::statistics::StatisticsArgs;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties, displayable,
};

/// Merges the partitions of each group of its input to one partition.
#[derive(Debug)]
pub(crate) struct MergeRunsExec {
    input: Arc<dyn ExecutionPlan>,
    /// Partitions of the input that make one of the output.
    groups: Vec<Range<usize>>,
    ordering: LexOrdering,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl MergeRunsExec {
    /// `ordering` is that of every partition of `input`; `partitioning` is true of the groups.
    pub(crate) fn new(
        input: Arc<dyn ExecutionPlan>,
        groups: Vec<Range<usize>>,
        ordering: LexOrdering,
        partitioning: Partitioning,
    ) -> Self {
        let known = EquivalenceProperties::new_with_orderings(input.schema(), [ordering.clone()]);
        let properties = PlanProperties::new(
            known,
            partitioning,
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Self {
            input,
            groups,
            ordering,
            properties: Arc::new(properties),
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }
}

impl DisplayAs for MergeRunsExec {
    fn fmt_as(&self, format: DisplayFormatType, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match format {
            DisplayFormatType::Default | DisplayFormatType::Verbose => write!(
                out,
                "MergeRunsExec: [{}], partitioning={}, runs of {}",
                self.ordering,
                self.properties.output_partitioning(),
                displayable(&*self.input).one_line()
            ),
            DisplayFormatType::TreeRender => write!(out, "order={}", self.ordering),
        }
    }
}

impl ExecutionPlan for MergeRunsExec {
    fn name(&self) -> &str {
        "MergeRunsExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![]
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        apply_expression_roots(self.ordering.iter().map(|sort| &sort.expr), f)
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match children.is_empty() {
            true => Ok(self),
            false => internal_err!("a merge of runs takes no input but its own"),
        }
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
        self.replace_children(children, options)
    }

    fn statistics_from_inputs(
        &self,
        inputs: &[Arc<Statistics>],
        args: &StatisticsArgs,
    ) -> Result<Arc<Statistics>> {
        match args.partition() {
            None => self.input.statistics_from_inputs(inputs, args),
            Some(_) => Ok(Arc::new(Statistics::new_unknown(&self.schema()))),
        }
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let Some(group) = self.groups.get(partition).cloned() else {
            return internal_err!("a merge of runs has no partition {partition}");
        };
        if group.len() == 1 {
            return self.input.execute(group.start, context);
        }
        let memory = MemoryConsumer::new(format!("MergeRunsExec[{partition}]"))
            .register(context.memory_pool());
        let streams = group.map(|run| self.input.execute(run, Arc::clone(&context)));
        StreamingMergeBuilder::new()
            .with_streams(streams.collect::<Result<_>>()?)
            .with_schema(self.schema())
            .with_expressions(&self.ordering)
            .with_metrics(BaselineMetrics::new(&self.metrics, partition))
            .with_batch_size(context.session_config().batch_size())
            .with_reservation(memory)
            // Equal rows come in the order of the runs: the same at each reading.
            .with_round_robin_tie_breaker(false)
            .build()
    }

    fn metrics(&self) -> Option<MetricsSet> {
        let mut all = self.metrics.clone_inner();
        for metric in self.input.metrics().iter().flat_map(MetricsSet::iter) {
            all.push(metric.clone());
        }
        Some(all)
    }
}
