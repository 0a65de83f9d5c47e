//! Queries that can be stopped.
//!
//! A task of the engine ends only where it waits. A join of two small tables can give rows for
//! hours without ever waiting for its input, and a recursive query can go round without giving any.
//! So what can make much of little, and what all rounds begin with, asks before each batch whether
//! the query is still wanted, and lets others go first from time to time.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Instant;

use arrow_array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::internal_err;
use datafusion::common::tree_node::{Transformed, TreeNode as _, TreeNodeRecursion};
use datafusion::error::Result;
use datafusion::execution::{RecordBatchStream, SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::execution_plan::{ChildrenPropertiesMode, ReplaceChildrenOptions};
use datafusion::physical_plan::metrics::MetricsSet;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use futures::{Stream, StreamExt as _};
use tokio::task::coop::poll_proceed;

use crate::access::error::{AccessError, Reason};

/// Operators that can give many batches without asking for any.
const MAKING_MUCH: [&str; 8] = [
    "CrossJoinExec",
    "NestedLoopJoinExec",
    "HashJoinExec",
    "SortMergeJoinExec",
    "PiecewiseMergeJoinExec",
    "SymmetricHashJoinExec",
    "UnnestExec",
    "RecursiveQueryExec",
];

/// Whether a query is still wanted.
#[derive(Debug)]
pub(super) struct Stop {
    deadline: Instant,
    is_stopped: AtomicBool,
}

impl Stop {
    pub(super) fn at(deadline: Instant) -> Arc<Self> {
        Arc::new(Self {
            deadline,
            is_stopped: AtomicBool::new(false),
        })
    }

    /// It is not wanted any more.
    pub(super) fn stop(&self) {
        self.is_stopped.store(true, Ordering::Relaxed);
    }

    fn check(&self) -> Result<()> {
        if self.is_stopped.load(Ordering::Relaxed) || Instant::now() > self.deadline {
            let error = AccessError::new(Reason::Cancelled, "the query took longer than it may");
            return Err(error.into());
        }
        Ok(())
    }
}

/// The plan with places at which it can be stopped.
pub(super) fn stoppable(
    plan: Arc<dyn ExecutionPlan>,
    stop: &Arc<Stop>,
) -> Result<Arc<dyn ExecutionPlan>> {
    let changed = plan.transform_up(|node| {
        let is_meant = node.children().is_empty() || MAKING_MUCH.contains(&node.name());
        Ok(match is_meant {
            false => Transformed::no(node),
            true => Transformed::yes(Arc::new(StopExec {
                inside: node,
                stop: stop.clone(),
            })),
        })
    })?;
    Ok(changed.data)
}

/// A place at which a plan can be stopped.
#[derive(Debug)]
struct StopExec {
    inside: Arc<dyn ExecutionPlan>,
    stop: Arc<Stop>,
}

impl DisplayAs for StopExec {
    fn fmt_as(&self, _: DisplayFormatType, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("StopExec")
    }
}

impl ExecutionPlan for StopExec {
    fn name(&self) -> &'static str {
        "StopExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.inside.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.inside]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match (children.pop(), children.is_empty()) {
            (Some(inside), true) => Ok(Arc::new(Self {
                inside,
                stop: self.stop.clone(),
            })),
            _ => internal_err!("one input is stopped at a time"),
        }
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let mode = ChildrenPropertiesMode::Recompute;
        self.replace_children(children, ReplaceChildrenOptions::new(mode))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        self.stop.check()?;
        Ok(Box::pin(StopStream {
            inside: self.inside.execute(partition, context)?,
            stop: self.stop.clone(),
        }))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        None
    }
}

struct StopStream {
    inside: SendableRecordBatchStream,
    stop: Arc<Stop>,
}

impl Stream for StopStream {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.stop.check()?;
        let turn = ready!(poll_proceed(context));
        let next = self.inside.poll_next_unpin(context);
        if next.is_ready() {
            turn.made_progress();
        }
        next
    }
}

impl RecordBatchStream for StopStream {
    fn schema(&self) -> SchemaRef {
        self.inside.schema()
    }
}
