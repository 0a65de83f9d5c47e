//! The rows of a running query, within its limits.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use arrow_array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use futures::stream::FuturesUnordered;
use futures::{FutureExt as _, Stream, StreamExt as _};
use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;

use super::stop::{Stop, stoppable};
use super::{Planned, Reads};
use crate::access::error::{AccessError, Reason, Result};
use crate::access::gate::Shared;
use crate::access::limits::Permit;
use crate::access::own::Lender;
use crate::access::pool;
use crate::access::standing::Standing;

/// Batches that wait for a client: as many as keep the engine busy, not as many as it makes.
const WAITING: usize = 2;

/// The rows of a query as they are made. Dropping it ends the query.
pub struct Rows {
    schema: SchemaRef,
    batches: mpsc::Receiver<Result<RecordBatch>>,
    /// Ready once the query must end: time, revoked rights, a client that cancelled.
    end: Pin<Box<dyn Future<Output = AccessError> + Send>>,
    work: AbortHandle,
    stop: Arc<Stop>,
    cancel: Arc<watch::Sender<bool>>,
    reads: Reads,
    left: usize,
    is_done: bool,
}

/// Ends a query from elsewhere.
#[derive(Debug, Clone)]
pub struct Canceller(Arc<watch::Sender<bool>>);

impl Canceller {
    /// Ends it: its rows end with an error.
    pub fn cancel(&self) {
        self.0.send_replace(true);
    }
}

impl Rows {
    /// Its columns.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The governed tables that it reads (`star.fct_order`).
    pub fn tables(&self) -> impl Iterator<Item = &str> {
        self.reads.tables.iter().map(String::as_str)
    }

    /// A handle that ends it from elsewhere.
    pub fn canceller(&self) -> Canceller {
        Canceller(self.cancel.clone())
    }

    /// All rows.
    ///
    /// # Errors
    /// The query fails, or comes to one of its limits.
    pub async fn collect(mut self) -> Result<Vec<RecordBatch>> {
        let mut all = Vec::new();
        while let Some(batch) = self.next().await {
            all.push(batch?);
        }
        Ok(all)
    }

    fn ended(&mut self, error: AccessError) -> Poll<Option<Result<RecordBatch>>> {
        self.is_done = true;
        self.stop.stop();
        self.work.abort();
        Poll::Ready(Some(Err(error)))
    }
}

impl Stream for Rows {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.is_done {
            return Poll::Ready(None);
        }
        if let Poll::Ready(error) = self.end.poll_unpin(context) {
            return self.ended(error);
        }
        match std::task::ready!(self.batches.poll_recv(context)) {
            None => {
                self.is_done = true;
                Poll::Ready(None)
            }
            Some(Err(error)) => self.ended(error),
            Some(Ok(batch)) => match self.left.checked_sub(batch.num_rows()) {
                Some(left) => {
                    self.left = left;
                    Poll::Ready(Some(Ok(batch)))
                }
                None => self.ended(
                    AccessError::new(Reason::TooManyRows, "the result has too many rows")
                        .hint("aggregate, filter, or take the rows in parts"),
                ),
            },
        }
    }
}

impl Drop for Rows {
    fn drop(&mut self) {
        self.stop.stop();
        self.work.abort();
    }
}

/// A query that can be executed.
struct Ready {
    plan: Arc<dyn ExecutionPlan>,
    context: Arc<TaskContext>,
    permit: Permit,
}

/// Starts a planned query.
pub(super) async fn start(
    shared: &Arc<Shared>,
    standing: Arc<Standing>,
    planned: Planned,
    deadline: Instant,
) -> Result<Rows> {
    standing.check(planned.stamp)?;
    let schema = Arc::new(planned.plan.schema().as_arrow().clone());
    let (stamp, reads) = (planned.stamp, planned.reads.clone());
    let stop = Stop::at(deadline);
    let job = ready(shared.clone(), planned, stop.clone());
    let ready = shared.in_time(deadline, job).await?;
    let (send, batches) = mpsc::channel(WAITING);
    let cancel = Arc::new(watch::Sender::new(false));
    let lenders = reads.lenders.clone();
    let end = end((standing, stamp), lenders, deadline, cancel.subscribe());
    let work = shared.spawn(async move {
        if let Err(error) = work(ready, &send).await {
            // A client that has gone needs no error.
            let _ = send.send(Err(error)).await;
        }
    });
    Ok(Rows {
        schema,
        batches: watched(batches, work.1),
        end: Box::pin(end),
        work: work.0,
        stop,
        cancel,
        reads,
        left: shared.limits.rows,
        is_done: false,
    })
}

async fn ready(shared: Arc<Shared>, planned: Planned, stop: Arc<Stop>) -> Result<Ready> {
    let of_planning = |error| AccessError::of_planning(&error);
    let environment = pool::environment(planned.state.runtime_env(), &shared.limits);
    let environment = environment.map_err(|error| AccessError::of_running(&error))?;
    let state = SessionStateBuilder::new_from_existing(planned.state)
        .with_runtime_env(environment)
        .build();
    let plan = state.create_physical_plan(&planned.plan).await;
    let plan = plan.and_then(|plan| stoppable(plan, &stop));
    Ok(Ready {
        plan: plan.map_err(of_planning)?,
        context: state.task_ctx(),
        permit: planned.permit,
    })
}

/// The batches, and an error after them if the work ended by a panic: without it a client would
/// take what came so far for the whole.
fn watched(
    mut batches: mpsc::Receiver<Result<RecordBatch>>,
    work: tokio::task::JoinHandle<()>,
) -> mpsc::Receiver<Result<RecordBatch>> {
    let (send, watched) = mpsc::channel(1);
    tokio::spawn(async move {
        while let Some(batch) = batches.recv().await {
            if send.send(batch).await.is_err() {
                return;
            }
        }
        if work.await.is_err_and(|error| error.is_panic()) {
            let error = AccessError::new(Reason::Internal, "the query failed inside the server");
            let _ = send.send(Err(error)).await;
        }
    });
    watched
}

async fn work(ready: Ready, send: &mpsc::Sender<Result<RecordBatch>>) -> Result<()> {
    let Ready {
        plan,
        context,
        // Held until the work has ended, not only until the client has gone.
        permit: _permit,
    } = ready;
    let of_running = |error| AccessError::of_running(&error);
    let mut batches = execute_stream(plan, context).map_err(of_running)?;
    while let Some(batch) = batches.next().await {
        if send.send(Ok(batch.map_err(of_running)?)).await.is_err() {
            return Ok(());
        }
    }
    Ok(())
}

async fn end(
    (standing, stamp): Lender,
    lenders: Vec<Lender>,
    deadline: Instant,
    mut cancel: watch::Receiver<bool>,
) -> AccessError {
    let cancelled = AccessError::new(Reason::Cancelled, "the query was cancelled");
    tokio::select! {
        error = standing.ended(stamp) => error,
        () = any_ended(&lenders) => {
            let message = "what a view in the query may read has changed since it was planned";
            AccessError::new(Reason::PolicyChanged, message).hint("run the query again")
        }
        () = tokio::time::sleep_until(deadline.into()) => {
            AccessError::new(Reason::Cancelled, "the query took longer than it may")
                .hint("read fewer days, or a mart in the place of facts")
        }
        _ = cancel.wait_for(|is_cancelled| *is_cancelled) => cancelled,
    }
}

/// Ends when one of those loses its rights with whose rights a view reads.
async fn any_ended(lenders: &[Lender]) {
    let each = lenders
        .iter()
        .map(|(standing, stamp)| standing.ended(*stamp));
    let mut all: FuturesUnordered<_> = each.collect();
    match all.next().await {
        Some(_) => {}
        None => std::future::pending().await,
    }
}
