//! Statements that run: their rows as they are fetched, until they end or are cancelled.

use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::RecordBatch;
use arrow_schema::{Schema, SchemaRef};
use datafusion::common::ParamValues;
use futures::stream::BoxStream;
use futures::{StreamExt as _, TryStreamExt as _};
use tokio::sync::watch;
use tonic::Status;

use super::kept::Entry;
use super::work::{Work, change};
use super::{error, stream};
use crate::access::{AccessError, Canceller, Reason, Rows, Session, Statement};

/// Rows, after their columns.
type Batches = (SchemaRef, BoxStream<'static, Result<RecordBatch, Status>>);

/// A statement whose rows can be fetched.
pub(super) struct Waiting {
    session: Arc<Session>,
    work: Work,
    runs: Runs,
    is_cancelled: watch::Sender<bool>,
    running: Mutex<Vec<Canceller>>,
}

/// The parameters of each run of a statement, and the bytes they take, about.
#[derive(Clone)]
pub(super) struct Runs {
    values: Arc<[Option<ParamValues>]>,
    bytes: usize,
}

impl Runs {
    /// One run without parameters.
    pub(super) fn one() -> Self {
        Self {
            values: Arc::from([None]),
            bytes: 0,
        }
    }

    /// A run for each set of values, which take so many bytes.
    pub(super) fn of(values: Vec<ParamValues>, bytes: usize) -> Self {
        Self {
            values: values.into_iter().map(Some).collect(),
            bytes,
        }
    }

    /// What they take.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Waiting {
    /// A statement to be run in a session.
    pub(super) fn new(session: Arc<Session>, work: Work, runs: Runs) -> Self {
        Self {
            session,
            work,
            runs,
            is_cancelled: watch::Sender::new(false),
            running: Mutex::default(),
        }
    }

    /// Whether it may be run once only.
    pub(super) fn is_once(&self) -> bool {
        matches!(self.work, Work::Change(_))
    }

    /// Ends it, whether it runs or not yet.
    pub(super) fn cancel(&self) {
        self.is_cancelled.send_replace(true);
        let running = self.running.lock();
        for one in running.unwrap_or_else(PoisonError::into_inner).drain(..) {
            one.cancel();
        }
    }

    /// What something gives, unless the statement is cancelled before.
    async fn unless_cancelled<T>(
        &self,
        work: impl Future<Output = Result<T, AccessError>>,
    ) -> Result<T, Status> {
        let mut cancelled = self.is_cancelled.subscribe();
        tokio::select! {
            done = work => done.map_err(|error| error::of(&error)),
            _ = cancelled.wait_for(|is_cancelled| *is_cancelled) => Err(was_cancelled()),
        }
    }
}

/// The columns and rows of all runs, one after the other. What fails at once fails here.
pub(super) async fn rows(entry: Arc<Entry<Waiting>>) -> Result<Batches, Status> {
    let waiting = &entry.value;
    let statement = match &waiting.work {
        Work::Query(statement) => statement.clone(),
        Work::Change(sql) => {
            let done = Box::pin(change(&waiting.session, sql));
            waiting.unless_cancelled(done).await?;
            return Ok((Arc::new(Schema::empty()), futures::stream::empty().boxed()));
        }
    };
    let all: Vec<_> = waiting.runs.values.iter().cloned().collect();
    let mut runs = all.into_iter();
    let Some(first) = runs.next() else {
        let schema = stream::plain_schema(statement.schema());
        return Ok((schema, futures::stream::empty().boxed()));
    };
    let first = begin(entry.clone(), statement.clone(), first).await?;
    let schema = stream::plain_schema(first.schema());
    let others = futures::stream::iter(runs)
        .then(move |values| begin(entry.clone(), statement.clone(), values));
    let all = futures::stream::once(async { Ok(first) }).chain(others);
    let rows = all.map_ok(|rows| rows.map_err(|error| error::of(&error)));
    Ok((schema, rows.try_flatten().boxed()))
}

/// Begins one run.
async fn begin(
    entry: Arc<Entry<Waiting>>,
    statement: Statement,
    values: Option<ParamValues>,
) -> Result<Rows, Status> {
    let waiting = &entry.value;
    let run = waiting.session.run(&statement, values);
    let rows = waiting.unless_cancelled(run).await?;
    let canceller = rows.canceller();
    let running = waiting.running.lock();
    let mut running = running.unwrap_or_else(PoisonError::into_inner);
    if *waiting.is_cancelled.borrow() {
        return Err(was_cancelled());
    }
    running.push(canceller);
    Ok(rows)
}

fn was_cancelled() -> Status {
    let error = AccessError::new(Reason::Cancelled, "the query was cancelled");
    error::of(&error)
}
