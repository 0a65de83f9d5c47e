//! What one query, one principal and all together may use.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::{AccessError, Reason, Result};
use super::principal::PrincipalId;

/// Limits of queries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Memory of a query's operators, in bytes, within that of the process.
    pub memory_bytes: usize,
    /// What a query may spill to disk, in bytes.
    pub spill_bytes: u64,
    /// Time from the start of planning to the last row.
    pub time: Duration,
    /// Rows of a result.
    pub rows: usize,
    /// Queries at a time, of all principals.
    pub queries: usize,
    /// Queries at a time of one principal.
    pub queries_of_one: usize,
    /// How long a query waits for others to end.
    pub wait: Duration,
    /// Length of a statement, in bytes.
    pub statement_bytes: usize,
    /// Words and signs of a statement.
    pub tokens: usize,
    /// Operators of a statement: `and`, `or`, `+` …
    pub operators: usize,
    /// How deep parentheses and subqueries may be nested.
    pub depth: usize,
    /// Tables that a statement reads, those of its `with` as often as they are used.
    pub tables: usize,
    /// Statements joined by `union`, `except` and `intersect`.
    pub unions: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 2 << 30,
            spill_bytes: 20 << 30,
            time: Duration::from_secs(300),
            rows: 10_000_000,
            queries: 32,
            queries_of_one: 8,
            wait: Duration::from_secs(10),
            statement_bytes: 1 << 20,
            tokens: 60_000,
            operators: 2_000,
            depth: 40,
            tables: 200,
            unions: 100,
        }
    }
}

/// Lets so many queries run at a time.
#[derive(Debug)]
pub(crate) struct Admission {
    all: Arc<Semaphore>,
    of_one: usize,
    wait: Duration,
    each: Mutex<BTreeMap<PrincipalId, Weak<Semaphore>>>,
}

/// Leave for one query to run, until it is dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    _of_one: OwnedSemaphorePermit,
    _of_all: OwnedSemaphorePermit,
}

impl Admission {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            all: Arc::new(Semaphore::new(limits.queries)),
            of_one: limits.queries_of_one,
            wait: limits.wait,
            each: Mutex::default(),
        }
    }

    /// Waits until the principal may run one more query.
    ///
    /// # Errors
    /// Too many run for too long.
    pub(crate) async fn admit(&self, id: &PrincipalId) -> Result<Permit> {
        let full = || {
            AccessError::new(Reason::TooMany, "too many queries run at this time")
                .hint("wait until others have ended")
        };
        let own = self.of(id);
        let both = async {
            // The principal's own place first: who waits for itself holds up nobody else.
            let of_one = own.acquire_owned().await.ok()?;
            let of_all = self.all.clone().acquire_owned().await.ok()?;
            Some(Permit {
                _of_one: of_one,
                _of_all: of_all,
            })
        };
        let admitted = tokio::time::timeout(self.wait, both).await;
        admitted.ok().flatten().ok_or_else(full)
    }

    fn of(&self, id: &PrincipalId) -> Arc<Semaphore> {
        let mut each = self.each.lock().unwrap_or_else(PoisonError::into_inner);
        each.retain(|_, known| known.strong_count() > 0);
        if let Some(known) = each.get(id).and_then(Weak::upgrade) {
            return known;
        }
        let own = Arc::new(Semaphore::new(self.of_one));
        each.insert(id.clone(), Arc::downgrade(&own));
        own
    }
}
