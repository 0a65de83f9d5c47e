//! Which versions of all tables belong together: those that a run left when it ended.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use orchestrate::{RunLog, Status};

/// The version of each table (`schema.name`) as the last run that had ended by `at` left it; none
/// where none had.
pub(crate) async fn versions_at(
    log: &RunLog,
    at: DateTime<Utc>,
) -> anyhow::Result<Option<BTreeMap<String, u64>>> {
    let runs = log.newest(100_000).await?;
    let run = runs
        .into_iter()
        .find(|run| run.status != Status::Running && run.ended_at.is_some_and(|ended| ended <= at));
    let Some(run) = run else {
        return Ok(None);
    };
    let report: serde_json::Value = serde_json::from_str(&run.report)?;
    let versions = serde_json::from_value(report["report"]["versions"].clone());
    Ok(Some(versions.unwrap_or_default()))
}
