//! Who committed what and when, read from a table's own log.

use chrono::{DateTime, Utc};

use crate::error::DeltaContext as _;
use crate::table::read_commit;
use crate::{Lake, Result, Table};

/// A commit as the log tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// The version that it made.
    pub version: u64,
    /// The run that made it; empty if it was another program.
    pub run_id: String,
    /// When it was made, by the clock of the machine that did.
    pub at: DateTime<Utc>,
}

impl Lake {
    /// The commits of a table whose entries are still in its log, oldest first.
    ///
    /// # Errors
    /// The log cannot be read.
    pub async fn history(&self, table: &Table) -> Result<Vec<Commit>> {
        let store = table.delta.log_store();
        let mut commits = Vec::new();
        for version in 0..=table.version {
            let entry = store.read_commit_entry(version).await;
            let Some(entry) = entry.during(&table.name, "reading a commit")? else {
                continue;
            };
            let (ledger, millis) = read_commit(&table.name, &entry)?;
            commits.push(Commit {
                version,
                run_id: ledger.run_id,
                at: DateTime::from_timestamp_millis(millis).unwrap_or_default(),
            });
        }
        Ok(commits)
    }
}
