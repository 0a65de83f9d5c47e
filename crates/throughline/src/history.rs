//! The runs of a project, as others ask for them: which versions of all tables belong together,
//! those that a run left when it ended, and what the doors tell of runs.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use orchestrate::{RunLog, RunLogError, RunRecord, Status};
use serve::access::project::{History, Newest, Versions};
use serve::access::{AccessError, error::Reason};
use serve::{Run, Runs};

/// Runs that are looked at for the newest one that has ended.
const AT_WORK: u32 = 8;

/// The version of each table (`schema.name`) as the last run that had ended by `at` left it; none
/// where none had.
pub(crate) async fn versions_at(
    log: &RunLog,
    at: DateTime<Utc>,
) -> anyhow::Result<Option<BTreeMap<String, u64>>> {
    let runs = log.newest(100_000).await?;
    let ended = runs.into_iter().filter(|run| {
        run.status != Status::Running && run.ended_at.is_some_and(|ended| ended <= at)
    });
    for run in ended {
        let report: serde_json::Value = serde_json::from_str(&run.report)?;
        // A run that failed before it built anything left everything as it was.
        if let Ok(versions) = serde_json::from_value(report["report"]["versions"].clone()) {
            return Ok(Some(versions));
        }
    }
    Ok(None)
}

/// The runs, for the gate and the doors.
pub(crate) struct ProjectRuns(pub(crate) RunLog);

impl History for ProjectRuns {
    fn versions_at(
        &self,
        at: DateTime<Utc>,
    ) -> BoxFuture<'_, Result<Option<Versions>, AccessError>> {
        async move { versions_at(&self.0, at).await.map_err(unreadable) }.boxed()
    }

    fn newest(&self) -> BoxFuture<'_, Result<Newest, AccessError>> {
        async move {
            let runs = self.0.newest(AT_WORK).await.map_err(unreadable)?;
            let ended = runs.iter().find(|run| run.status != Status::Running);
            Ok(Newest {
                ended: ended.map(|run| run.run_id.clone()),
                is_running: runs
                    .first()
                    .is_some_and(|run| run.status == Status::Running),
            })
        }
        .boxed()
    }
}

impl Runs for ProjectRuns {
    fn newest(&self, count: u32) -> BoxFuture<'_, Result<Vec<Run>, AccessError>> {
        async move {
            let runs: Result<Vec<RunRecord>, RunLogError> = self.0.newest(count).await;
            let runs = runs.map_err(unreadable)?;
            Ok(runs.into_iter().map(told).collect())
        }
        .boxed()
    }

    fn one<'a>(&'a self, run_id: &'a str) -> BoxFuture<'a, Result<Option<Run>, AccessError>> {
        async move {
            let run = self.0.one(run_id).await.map_err(unreadable)?;
            Ok(run.map(told))
        }
        .boxed()
    }
}

fn told(run: RunRecord) -> Run {
    Run {
        report: serde_json::from_str(&run.report).unwrap_or_default(),
        run_id: run.run_id,
        started_at: run.started_at,
        ended_at: run.ended_at,
        status: run.status.as_str().to_owned(),
    }
}

fn unreadable(error: impl std::fmt::Display) -> AccessError {
    log::error!("the runs cannot be read: {error}");
    AccessError::new(Reason::Internal, "the runs cannot be read")
}
