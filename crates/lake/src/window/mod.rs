//! Window functions over many small partitions.
//!
//! The engine's streaming window keeps a state for each partition, found by hash, and works it off
//! batch by batch: right for endless input, and microseconds for each partition. A journey has a
//! handful of rows and there are as many of them as visitors. Its other window, for frames that
//! look ahead without end, waits for all of its input and gives it out as one batch. Where the
//! input comes sorted by partition, whole partitions are evaluated as they end instead. Memory
//! holds a batch of partitions, or the largest one.

mod values;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use arrow_array::{Array, RecordBatch};
use arrow_schema::ArrowError;
use datafusion::arrow::compute::{concat_batches, partition};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode as _, TreeNodeRecursion};
use datafusion::common::{Statistics, internal_err};
use datafusion::error::Result;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::window::WindowExpr;
use datafusion::physical_expr::{OrderingRequirements, PhysicalExpr};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::execution_plan::{ChildrenPropertiesMode, ReplaceChildrenOptions};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::statistics::StatisticsArgs;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::windows::{BoundedWindowAggExec, WindowAggExec};
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, Distribution, ExecutionPlan, InputDistributionRequirements,
    InputOrderMode, PlanProperties,
};
use futures::{StreamExt as _, TryStreamExt as _, stream};

/// Rows that are waited for before partitions are evaluated.
const ROWS_AT_A_TIME: usize = 65_536;

/// Puts [`PartitionWindowExec`] in the place of sorted windows.
#[derive(Debug, Default)]
pub(crate) struct WholePartitions;

impl PhysicalOptimizerRule for WholePartitions {
    fn name(&self) -> &str {
        "whole_partitions"
    }

    fn schema_check(&self) -> bool {
        true
    }

    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let put = |plan: Arc<dyn ExecutionPlan>| {
            if sorted_by_partition(plan.as_ref()).is_none() {
                return Ok(Transformed::no(plan));
            }
            let whole = PartitionWindowExec::new(plan.clone());
            Ok(Transformed::yes(Arc::new(whole) as Arc<dyn ExecutionPlan>))
        };
        plan.transform_up(put).map(|done| done.data)
    }
}

/// The window functions of a plan, and its input, where that comes sorted by partition.
fn sorted_by_partition(
    plan: &dyn ExecutionPlan,
) -> Option<(&[Arc<dyn WindowExpr>], &Arc<dyn ExecutionPlan>)> {
    let (exprs, input) = if let Some(window) = plan.downcast_ref::<BoundedWindowAggExec>() {
        let is_sorted =
            window.input_order_mode == InputOrderMode::Sorted && window.state_observer().is_none();
        is_sorted.then(|| (window.window_expr(), window.input()))?
    } else {
        let window = plan.downcast_ref::<WindowAggExec>()?;
        (window.window_expr(), window.input())
    };
    let has_partitions = !exprs.first()?.partition_by().is_empty();
    has_partitions.then_some((exprs, input))
}

/// A sorted window that evaluates whole partitions.
#[derive(Debug)]
pub(crate) struct PartitionWindowExec {
    /// The window as it was planned: all but the way of carrying it out is its own.
    planned: Arc<dyn ExecutionPlan>,
    metrics: ExecutionPlanMetricsSet,
}

impl PartitionWindowExec {
    fn new(planned: Arc<dyn ExecutionPlan>) -> Self {
        Self {
            planned,
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }
}

impl DisplayAs for PartitionWindowExec {
    fn fmt_as(&self, format: DisplayFormatType, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "PartitionWindowExec of ")?;
        self.planned.fmt_as(format, out)
    }
}

impl ExecutionPlan for PartitionWindowExec {
    fn name(&self) -> &str {
        "PartitionWindowExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.planned.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        self.planned.children()
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        self.planned.apply_expressions(f)
    }

    fn required_input_ordering(&self) -> Vec<Option<OrderingRequirements>> {
        self.planned.required_input_ordering()
    }

    fn required_input_distribution(&self) -> Vec<Distribution> {
        self.input_distribution_requirements().into_per_child()
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        self.planned.input_distribution_requirements()
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        self.planned.maintains_input_order()
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let planned = Arc::clone(&self.planned).replace_children(children, options)?;
        Ok(Arc::new(Self::new(planned)))
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
        self.planned.statistics_from_inputs(inputs, args)
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let Some((exprs, input)) = sorted_by_partition(self.planned.as_ref()) else {
            return internal_err!("not a window: {}", self.planned.name());
        };
        let memory = MemoryConsumer::new(format!("PartitionWindowExec[{partition}]"))
            .register(context.memory_pool());
        let evaluation = Evaluation {
            exprs: exprs.to_vec(),
            plan: Arc::clone(&self.planned),
            waiting: Vec::new(),
            rows: 0,
            rows_at_a_time: ROWS_AT_A_TIME,
            memory,
            metrics: BaselineMetrics::new(&self.metrics, partition),
        };
        let batch_rows = context.session_config().batch_size();
        let input = input.execute(partition, context)?;
        let done = stream::unfold(Some((evaluation, input)), |state| async move {
            let (mut evaluation, mut input) = state?;
            loop {
                match input.next().await {
                    Some(Err(error)) => return Some((Err(error), None)),
                    Some(Ok(batch)) => match evaluation.take(batch) {
                        Ok(None) => {}
                        Ok(Some(done)) => return Some((Ok(done), Some((evaluation, input)))),
                        Err(error) => return Some((Err(error), None)),
                    },
                    None => return Some((evaluation.finish(), None)),
                }
            }
        });
        let pieces = done
            .map_ok(move |batch| stream::iter(pieces(&batch, batch_rows)))
            .try_flatten();
        let schema = self.schema();
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, pieces)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}

/// A batch in pieces of the size that operators expect.
fn pieces(batch: &RecordBatch, rows: usize) -> Vec<Result<RecordBatch>> {
    let starts = (0..batch.num_rows()).step_by(rows.max(1));
    starts
        .map(|start| Ok(batch.slice(start, rows.min(batch.num_rows() - start))))
        .collect()
}

/// Bytes of a batch's own rows: a piece of a large batch shares the buffers of all of it.
fn bytes(batch: &RecordBatch) -> Result<usize> {
    let mut sizes = batch.columns().iter();
    let all = sizes.try_fold(0, |all, column| {
        let size = column.to_data().get_slice_memory_size()?;
        Ok::<_, ArrowError>(all + size)
    });
    Ok(all?)
}

/// The evaluation of one stream of sorted rows.
struct Evaluation {
    exprs: Vec<Arc<dyn WindowExpr>>,
    plan: Arc<dyn ExecutionPlan>,
    /// Rows of partitions that may not be complete yet.
    waiting: Vec<RecordBatch>,
    rows: usize,
    /// When it is looked for complete partitions; more once one is larger.
    rows_at_a_time: usize,
    memory: MemoryReservation,
    metrics: BaselineMetrics,
}

impl Evaluation {
    /// Takes in rows; gives those of complete partitions once there are enough.
    fn take(&mut self, batch: RecordBatch) -> Result<Option<RecordBatch>> {
        self.memory.try_grow(bytes(&batch)?)?;
        self.rows += batch.num_rows();
        self.waiting.push(batch);
        if self.rows < self.rows_at_a_time {
            return Ok(None);
        }
        let timer = self.metrics.elapsed_compute().clone();
        let _timer = timer.timer();
        let rows = self.gather()?;
        let mut ranges = self.partitions(&rows)?;
        // The last partition may go on in the next batch.
        let last = ranges.pop().map_or(0, |range| range.start);
        let rest = rows.slice(last, rows.num_rows() - last);
        self.rows = rest.num_rows();
        self.rows_at_a_time = ROWS_AT_A_TIME.max(self.rows * 2);
        self.waiting.push(rest);
        // What waits is a piece of these rows and keeps them all.
        self.memory.try_resize(bytes(&rows)?)?;
        if ranges.is_empty() {
            return Ok(None);
        }
        self.evaluate(&rows.slice(0, last), &ranges).map(Some)
    }

    /// The last partitions.
    fn finish(mut self) -> Result<RecordBatch> {
        let rows = self.gather()?;
        let ranges = self.partitions(&rows)?;
        self.evaluate(&rows, &ranges)
    }

    fn gather(&mut self) -> Result<RecordBatch> {
        let waiting = std::mem::take(&mut self.waiting);
        let children = self.plan.children();
        let Some(input) = children.first() else {
            return internal_err!("a window without input");
        };
        Ok(concat_batches(&input.schema(), &waiting)?)
    }

    /// Where the partitions of the rows lie.
    fn partitions(&self, rows: &RecordBatch) -> Result<Vec<Range<usize>>> {
        if rows.num_rows() == 0 {
            return Ok(Vec::new());
        }
        let keys = self.exprs.first().map(|first| first.partition_by());
        let keys = keys.unwrap_or_default().iter();
        let columns = keys
            .map(|key| key.evaluate(rows)?.into_array(rows.num_rows()))
            .collect::<Result<Vec<_>>>()?;
        Ok(partition(&columns)?.ranges())
    }

    fn evaluate(&self, rows: &RecordBatch, partitions: &[Range<usize>]) -> Result<RecordBatch> {
        let mut columns = rows.columns().to_vec();
        for expr in &self.exprs {
            columns.push(values::of(expr, rows, partitions)?);
        }
        let batch = RecordBatch::try_new(self.plan.schema(), columns)?;
        self.metrics.record_output(batch.num_rows());
        Ok(batch)
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::{ArrayRef, Int64Array, StringArray};
    use datafusion::arrow::util::pretty::pretty_format_batches;
    use datafusion::datasource::MemTable;
    use datafusion::physical_plan::displayable;
    use datafusion::prelude::SessionContext;

    use super::*;
    use crate::session;

    /// Visitors with few events each, one with more than are waited for, and some without a name.
    fn events() -> MemTable {
        let mut state = 17_u64;
        let mut next = |below: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) % below
        };
        let rows = 120_000;
        let (mut who, mut at, mut what) = (Vec::new(), Vec::new(), Vec::new());
        for row in 0..rows {
            who.push(match next(10) {
                0..6 => Some(7),
                6 => None,
                _ => Some(next(20_000) as i64),
            });
            at.push(row as i64);
            what.push(["view", "cart", "buy"].get(next(4) as usize).copied());
        }
        let columns: [(&str, ArrayRef); 3] = [
            ("who", Arc::new(Int64Array::from(who))),
            ("at", Arc::new(Int64Array::from(at))),
            ("what", Arc::new(StringArray::from(what))),
        ];
        let batch =
            RecordBatch::try_from_iter_with_nullable(columns.map(|(n, c)| (n, c, true))).unwrap();
        let pieces = pieces(&batch, 8_192).into_iter().collect::<Result<_>>();
        MemTable::try_new(batch.schema(), vec![pieces.unwrap()]).unwrap()
    }

    const QUESTION: &str = "select who, at, what,
            row_number() over by_time as number,
            lag(at) over by_time as before,
            lag(what, 1, 'nothing') over by_time as what_before,
            lag(what) ignore nulls over by_time as last_known,
            lead(what) ignore nulls over by_time as next_known,
            lead(at, 1, -1) over by_time as after,
            lead(at, 3) over by_time as third_after,
            lag(cast(null as bigint)) over by_time as nothing,
            last_value(what) ignore nulls over (partition by who order by at
                rows between unbounded preceding and 1 preceding) as last_what,
            last_value(what) over (partition by who order by at
                rows between 3 preceding and 2 preceding) as what_back,
            last_value(what) ignore nulls over (partition by who order by at
                rows between unbounded preceding and unbounded following) as very_last,
            first_value(what) ignore nulls over (partition by who order by at
                rows between current row and unbounded following) as next_what,
            first_value(what) over by_time as first_what,
            last_value(what) over (partition by who order by what) as last_of_equals,
            first_value(what) ignore nulls over (partition by who order by at
                rows between 1 following and 2 following) as what_soon,
            min(case when what = 'buy' then at end) over (partition by who) as first_buy,
            count(*) over (partition by who order by at
                rows between 2 preceding and current row) as near,
            rank() over (partition by who order by what) as what_rank,
            sum(at) over (partition by who) as all_at,
            count(*) over (partition by who order by at
                rows between current row and unbounded following) as still_to_come
        from events window by_time as (partition by who order by at) order by at";

    async fn answer(context: SessionContext) -> (String, String) {
        context
            .register_table("events", Arc::new(events()))
            .unwrap();
        let frame = context.sql(QUESTION).await.unwrap();
        let plan = frame.clone().create_physical_plan().await.unwrap();
        let plan = displayable(plan.as_ref()).indent(false).to_string();
        let rows = frame.collect().await.unwrap();
        (plan, pretty_format_batches(&rows).unwrap().to_string())
    }

    #[tokio::test]
    async fn whole_partitions_give_what_the_engine_gives() {
        let ours = session::builder(
            &session::Resources {
                memory_bytes: 1 << 30,
                threads: 2,
            },
            Arc::default(),
        );
        let (plan, found) = answer(SessionContext::new_with_state(ours.build())).await;
        assert!(plan.contains("PartitionWindowExec of"), "{plan}");
        // Neither of the engine's own is left.
        let windows = plan.matches("WindowAggExec: ").count();
        assert_eq!(
            windows,
            plan.matches("PartitionWindowExec of").count(),
            "{plan}"
        );
        assert!(plan.contains("of WindowAggExec: "), "{plan}");
        let (plan, wanted) = answer(SessionContext::new()).await;
        assert!(!plan.contains("PartitionWindowExec"), "{plan}");
        let mut lines = found.lines().zip(wanted.lines());
        let differs = lines.find(|(found, wanted)| found != wanted);
        assert!(found == wanted, "ours is not the engine's: {differs:?}");
    }
}
