//! The log of runs from the logs of the tables, where the former was lost or is another machine's.
//!
//! Every commit names its run. So which runs changed something, when, and at which versions they
//! left the tables is known from the lake alone; how they ended, their checks and runs that changed
//! nothing are not.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDateTime, Utc};
use lake::{Commit, Lake};
use orchestrate::{RunLog, RunRecord, Status};
use serde_json::json;

/// How a run's name tells when it began.
pub(crate) const RUN_ID: &str = "%Y%m%dT%H%M%S%6fZ";

/// Fills an empty log with the runs that the tables name.
pub(crate) async fn recover(log: &RunLog, lake: &Lake) -> anyhow::Result<()> {
    if !log.is_empty().await? {
        return Ok(());
    }
    let mut histories = BTreeMap::new();
    for table in lake.tables().await? {
        histories.insert(table.name.to_string(), lake.history(&table).await?);
    }
    log.recover(&runs(&histories)).await?;
    Ok(())
}

/// The runs that committed to these tables, each with the versions at its last commit.
fn runs(histories: &BTreeMap<String, Vec<Commit>>) -> Vec<RunRecord> {
    let mut ends: BTreeMap<&str, DateTime<Utc>> = BTreeMap::new();
    for commit in histories.values().flatten() {
        let end = ends.entry(&commit.run_id).or_insert(commit.at);
        *end = (*end).max(commit.at);
    }
    let named = ends.into_iter().filter_map(|(run_id, ended_at)| {
        let started_at = NaiveDateTime::parse_from_str(run_id, RUN_ID).ok()?;
        let newest = |commits: &Vec<Commit>| {
            let before = commits.iter().filter(|commit| commit.at <= ended_at);
            before.map(|commit| commit.version).max()
        };
        let versions: BTreeMap<&String, u64> = histories
            .iter()
            .filter_map(|(table, commits)| Some((table, newest(commits)?)))
            .collect();
        Some(RunRecord {
            run_id: run_id.to_owned(),
            started_at: started_at.and_utc(),
            ended_at: Some(ended_at),
            status: Status::Recovered,
            report: json!({"report": {"versions": versions}}).to_string(),
        })
    });
    named.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_those_at_the_end_of_a_run() {
        let commit = |version: u64, run_id: &str, millis: i64| Commit {
            version,
            run_id: run_id.into(),
            at: DateTime::from_timestamp_millis(millis).unwrap_or_default(),
        };
        let (first, second) = ("20260301T100000000000Z", "20260302T100000000000Z");
        let day = 1_772_359_200_000_i64; // 2026-03-01 10:00
        let histories = BTreeMap::from([
            (
                "star.a".to_owned(),
                vec![
                    commit(0, first, day + 1_000),
                    commit(1, second, day + 90_000_000),
                ],
            ),
            (
                "star.b".to_owned(),
                vec![commit(0, second, day + 91_000_000)],
            ),
            ("star.c".to_owned(), vec![commit(0, first, day + 2_000)]),
            ("star.d".to_owned(), vec![commit(0, "", day)]),
        ]);
        let runs = runs(&histories);
        let said: Vec<(&str, &str)> = runs
            .iter()
            .map(|run| (run.run_id.as_str(), run.report.as_str()))
            .collect();
        let one = r#"{"report":{"versions":{"star.a":0,"star.c":0,"star.d":0}}}"#;
        let two = r#"{"report":{"versions":{"star.a":1,"star.b":0,"star.c":0,"star.d":0}}}"#;
        assert_eq!(said, [(first, one), (second, two)]);
        assert_eq!(runs[0].started_at.timestamp_millis(), day);
        assert_eq!(
            runs[0].ended_at.map(|at| at.timestamp_millis()),
            Some(day + 2_000)
        );
    }
}
