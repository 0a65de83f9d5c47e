//! The barrier: what lies beneath it is planned and done before anything of the user's query.
//!
//! To the engine it is a leaf, with rows of unknown number and order. No rule can push a filter, a
//! limit, a dynamic filter or a projection through it, no statistics and no metrics come out of it,
//! and an error beneath it says nothing but that there was one. Where a principal sees all rows and
//! values of a table, nothing has to be hidden: then it is open, and only asks whether that is
//! still so.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_schema::SchemaRef;
use datafusion::common::config::ConfigOptions;
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Statistics, internal_err};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{RecordBatchStream, SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{
    Boundedness, CardinalityEffect, EmissionType, ReplaceChildrenOptions,
};
use datafusion::physical_plan::filter_pushdown::{FilterDescription, FilterPushdownPhase};
use datafusion::physical_plan::statistics::{ChildStats, StatisticsArgs};
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties as _, Partitioning,
    PlanProperties,
};
use futures::{Stream, StreamExt as _};

use super::table::Under;
use crate::access::error::{AccessError, Reason};

/// The barrier of a [`super::SecuredTable`].
#[derive(Debug)]
pub struct SecureExec {
    inside: Arc<dyn ExecutionPlan>,
    under: Under,
    /// Nothing is hidden: the engine may look through.
    is_open: bool,
    /// What the engine may take for the number of rows.
    rows: Option<usize>,
    schema: SchemaRef,
    properties: Arc<PlanProperties>,
}

impl SecureExec {
    /// Around a plan whose columns are those of `schema`, in their order.
    pub(super) fn new(
        inside: Arc<dyn ExecutionPlan>,
        schema: SchemaRef,
        under: Under,
        is_open: bool,
        rows: Option<usize>,
    ) -> Self {
        let properties = if is_open {
            inside.properties().clone()
        } else {
            let partitions = inside.output_partitioning().partition_count();
            Arc::new(PlanProperties::new(
                EquivalenceProperties::new(schema.clone()),
                Partitioning::UnknownPartitioning(partitions),
                EmissionType::Incremental,
                Boundedness::Bounded,
            ))
        };
        Self {
            inside,
            under,
            is_open,
            rows,
            schema,
            properties,
        }
    }
}

impl DisplayAs for SecureExec {
    fn fmt_as(&self, _: DisplayFormatType, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "SecureExec: {}", self.under.table)
    }
}

impl ExecutionPlan for SecureExec {
    fn name(&self) -> &'static str {
        "SecureExec"
    }

    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        match self.is_open {
            true => vec![&self.inside],
            false => vec![],
        }
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true; self.children().len()]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false; self.children().len()]
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
        match (self.is_open, children.pop()) {
            (false, None) => Ok(self),
            (true, Some(inside)) if children.is_empty() => Ok(Arc::new(Self::new(
                inside,
                self.schema.clone(),
                self.under.clone(),
                true,
                self.rows,
            ))),
            _ => internal_err!("the barrier has other inputs than it was made with"),
        }
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let mode = datafusion::physical_plan::execution_plan::ChildrenPropertiesMode::Recompute;
        self.replace_children(children, ReplaceChildrenOptions::new(mode))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        self.under.check()?;
        let inside = self.inside.execute(partition, context);
        let inside = inside.map_err(|error| hidden(&self.under.table, error))?;
        Ok(Box::pin(SecureStream {
            inside,
            under: self.under.clone(),
            schema: self.schema.clone(),
        }))
    }

    fn child_stats_requests(&self, partition: Option<usize>) -> Vec<ChildStats> {
        let asked = self.children().into_iter();
        asked.map(|_| ChildStats::At(partition)).collect()
    }

    fn statistics_from_inputs(
        &self,
        of_inside: &[Arc<Statistics>],
        args: &StatisticsArgs,
    ) -> Result<Arc<Statistics>> {
        if let Some(statistics) = of_inside.first() {
            return Ok(statistics.clone());
        }
        let mut statistics = Statistics::new_unknown(&self.schema);
        if args.partition().is_none()
            && let Some(rows) = self.rows
        {
            statistics.num_rows = Precision::Inexact(rows);
        }
        Ok(Arc::new(statistics))
    }

    fn supports_limit_pushdown(&self) -> bool {
        self.is_open
    }

    fn cardinality_effect(&self) -> CardinalityEffect {
        match self.is_open {
            true => CardinalityEffect::Equal,
            false => CardinalityEffect::Unknown,
        }
    }

    fn gather_filters_for_pushdown(
        &self,
        _: FilterPushdownPhase,
        filters: Vec<Arc<dyn PhysicalExpr>>,
        _: &ConfigOptions,
    ) -> Result<FilterDescription> {
        match self.is_open {
            true => FilterDescription::from_children(filters, &self.children()),
            false => Ok(FilterDescription::all_unsupported(
                &filters,
                &self.children(),
            )),
        }
    }
}

/// The rows that pass the barrier, as long as they may.
struct SecureStream {
    inside: SendableRecordBatchStream,
    under: Under,
    schema: SchemaRef,
}

impl SecureStream {
    /// The columns under the names and with the types that were promised.
    fn shown(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let columns = batch.columns().to_vec();
        RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)
            .map_err(|error| hidden(&self.under.table, error.into()))
    }
}

impl Stream for SecureStream {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Err(error) = self.under.check() {
            return Poll::Ready(Some(Err(error.into())));
        }
        let next = std::task::ready!(self.inside.poll_next_unpin(context));
        Poll::Ready(next.map(|batch| match batch {
            Ok(batch) => self.shown(&batch),
            Err(error) => Err(hidden(&self.under.table, error)),
        }))
    }
}

impl RecordBatchStream for SecureStream {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }
}

/// An error beneath the barrier, without what it says: that may be a value of a hidden row.
pub(super) fn hidden(table: &str, error: DataFusionError) -> DataFusionError {
    let shown = AccessError::of_running(&error);
    let kept = matches!(
        shown.reason,
        Reason::OutOfMemory | Reason::PolicyChanged | Reason::Unknown | Reason::Denied
    );
    if kept {
        return shown.into();
    }
    log::warn!(
        "reading `{table}` for a governed query failed ({:?})",
        shown.reason
    );
    AccessError::new(Reason::Internal, format!("`{table}` could not be read"))
        .hint("who runs the server finds why in its log")
        .into()
}
