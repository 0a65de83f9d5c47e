//! The log of runs, in SQLite.

use std::path::Path;

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::Row as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions};

/// Why the log could not be used.
#[derive(Debug, thiserror::Error)]
pub enum RunLogError {
    /// The database fails.
    #[error("the run log `{path}`: {source}\nhint: {}", hint(source))]
    Database {
        /// The file.
        path: String,
        /// What the database says.
        source: sqlx::Error,
    },
    /// A newer program wrote it.
    #[error(
        "the run log `{path}` is of format {found}, this program knows up to {known}\n\
         hint: update the program; nothing was changed"
    )]
    Newer {
        /// The file.
        path: String,
        /// Its format.
        found: usize,
        /// The newest format that is known.
        known: usize,
    },
}

/// SQLite's codes for a full disk and for a write that failed.
const FULL: [&str; 2] = ["13", "778"];

/// What to do about a failing database.
fn hint(error: &sqlx::Error) -> &'static str {
    let code = error.as_database_error().and_then(|error| error.code());
    match code {
        Some(code) if FULL.contains(&code.as_ref()) => {
            "free space on this disk and run again: no table holds anything half-done"
        }
        _ => "it may be deleted: the next run fills it from the logs of the tables",
    }
}

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Under way, or cut off.
    Running,
    /// Done.
    Done,
    /// Done, with failed checks.
    FailedChecks,
    /// Failed.
    Failed,
    /// Known from the tables' logs alone: what it committed is known, how it ended is not.
    Recovered,
}

impl Status {
    /// As it stands in the log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::FailedChecks => "failed_checks",
            Self::Failed => "failed",
            Self::Recovered => "recovered",
        }
    }

    fn parse(text: &str) -> Self {
        match text {
            "done" => Self::Done,
            "failed_checks" => Self::FailedChecks,
            "failed" => Self::Failed,
            "recovered" => Self::Recovered,
            _ => Self::Running,
        }
    }
}

/// One run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunRecord {
    /// Its name.
    pub run_id: String,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// How it ended.
    pub status: Status,
    /// What it did, as JSON: the report, and the version of every table afterwards.
    pub report: String,
}

/// The log of runs.
#[derive(Debug, Clone)]
pub struct RunLog {
    pool: SqlitePool,
    path: String,
    upgraded_from: Option<usize>,
}

/// Step n brings a log of format n to format n + 1: what it does, and how it is marked. The format
/// is the database's `user_version`, 0 before it was said. Steps are never changed, only added.
const STEPS: [(&str, &str); 2] = [
    (
        "create table if not exists run (
            run_id text primary key,
            started_us integer not null,
            ended_us integer,
            status text not null,
            report text not null
        )",
        "pragma user_version = 1",
    ),
    (
        "create index if not exists run_by_start on run (started_us, run_id)",
        "pragma user_version = 2",
    ),
];

impl RunLog {
    /// Opens the log, making it where there is none.
    ///
    /// # Errors
    /// The file cannot be opened or is no log.
    pub async fn open(path: &Path) -> Result<Self, RunLogError> {
        let shown = path.display().to_string();
        let failed = |source| RunLogError::Database {
            path: shown.clone(),
            source,
        };
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .busy_timeout(std::time::Duration::from_secs(10));
        let pool = SqlitePoolOptions::new()
            .max_connections(2)
            .connect_with(options)
            .await
            .map_err(failed)?;
        let (found, is_new) = upgrade(&pool).await.map_err(failed)?;
        if found > STEPS.len() {
            return Err(RunLogError::Newer {
                path: shown,
                found,
                known: STEPS.len(),
            });
        }
        Ok(Self {
            pool,
            path: shown,
            upgraded_from: (!is_new && found < STEPS.len()).then_some(found),
        })
    }

    /// What is to be said of a log that was brought up to date when it was opened.
    pub fn upgraded(&self) -> Option<String> {
        let from = self.upgraded_from?;
        let to = STEPS.len();
        Some(format!(
            "the log of runs was brought from format {from} to {to}"
        ))
    }

    fn failed(&self, source: sqlx::Error) -> RunLogError {
        RunLogError::Database {
            path: self.path.clone(),
            source,
        }
    }

    /// Notes that a run begins.
    ///
    /// # Errors
    /// The log cannot be written.
    pub async fn start(&self, run_id: &str, now: DateTime<Utc>) -> Result<(), RunLogError> {
        sqlx::query("insert into run (run_id, started_us, status, report) values (?, ?, ?, '{}')")
            .bind(run_id)
            .bind(now.timestamp_micros())
            .bind(Status::Running.as_str())
            .execute(&self.pool)
            .await
            .map_err(|error| self.failed(error))?;
        Ok(())
    }

    /// Notes how a run ended.
    ///
    /// # Errors
    /// The log cannot be written.
    pub async fn finish(
        &self,
        run_id: &str,
        now: DateTime<Utc>,
        status: Status,
        report: &str,
    ) -> Result<(), RunLogError> {
        sqlx::query("update run set ended_us = ?, status = ?, report = ? where run_id = ?")
            .bind(now.timestamp_micros())
            .bind(status.as_str())
            .bind(report)
            .bind(run_id)
            .execute(&self.pool)
            .await
            .map_err(|error| self.failed(error))?;
        Ok(())
    }

    /// Writes a copy of the log to `path`, which must not exist, as it is at one instant: runs may
    /// go on meanwhile.
    ///
    /// # Errors
    /// The log cannot be read, or the copy not be written.
    pub async fn copy_to(&self, path: &Path) -> Result<(), RunLogError> {
        sqlx::query("vacuum into ?")
            .bind(path.to_string_lossy().into_owned())
            .execute(&self.pool)
            .await
            .map_err(|error| self.failed(error))?;
        Ok(())
    }

    /// Closes the log: what stands in the file beside it is brought into it.
    pub async fn close(self) {
        self.pool.close().await;
    }

    /// Whether no run is known.
    ///
    /// # Errors
    /// The log cannot be read.
    pub async fn is_empty(&self) -> Result<bool, RunLogError> {
        Ok(self.newest(1).await?.is_empty())
    }

    /// Puts runs in that are known from elsewhere; those that are there stay as they are.
    ///
    /// # Errors
    /// The log cannot be written.
    pub async fn recover(&self, runs: &[RunRecord]) -> Result<(), RunLogError> {
        let work = async {
            let mut transaction = self.pool.begin().await?;
            for run in runs {
                sqlx::query("insert or ignore into run values (?, ?, ?, ?, ?)")
                    .bind(&run.run_id)
                    .bind(run.started_at.timestamp_micros())
                    .bind(run.ended_at.map(|at| at.timestamp_micros()))
                    .bind(run.status.as_str())
                    .bind(&run.report)
                    .execute(&mut *transaction)
                    .await?;
            }
            transaction.commit().await
        };
        work.await.map_err(|error| self.failed(error))
    }

    /// One run, if the log knows it.
    ///
    /// # Errors
    /// The log cannot be read.
    pub async fn one(&self, run_id: &str) -> Result<Option<RunRecord>, RunLogError> {
        let row = sqlx::query(
            "select run_id, started_us, ended_us, status, report from run where run_id = ?",
        )
        .bind(run_id)
        .fetch_optional(&self.pool)
        .await
        .map_err(|error| self.failed(error))?;
        Ok(row.as_ref().map(record))
    }

    /// The newest runs, newest first.
    ///
    /// # Errors
    /// The log cannot be read.
    pub async fn newest(&self, count: u32) -> Result<Vec<RunRecord>, RunLogError> {
        let rows = sqlx::query(
            "select run_id, started_us, ended_us, status, report from run \
             order by started_us desc, run_id desc limit ?",
        )
        .bind(count)
        .fetch_all(&self.pool)
        .await
        .map_err(|error| self.failed(error))?;
        Ok(rows.iter().map(record).collect())
    }
}

fn record(row: &sqlx::sqlite::SqliteRow) -> RunRecord {
    RunRecord {
        run_id: row.get("run_id"),
        started_at: instant(row.get("started_us")),
        ended_at: row.get::<Option<i64>, _>("ended_us").map(instant),
        status: Status::parse(row.get("status")),
        report: row.get("report"),
    }
}

/// Takes the steps that a log has not taken; gives its format before, and whether it was empty.
/// All of them are one transaction: another program waits, and then finds them taken.
async fn upgrade(pool: &SqlitePool) -> Result<(usize, bool), sqlx::Error> {
    let format = "pragma user_version";
    let found: i64 = sqlx::query_scalar(format).fetch_one(pool).await?;
    let found = usize::try_from(found).unwrap_or(usize::MAX);
    if found >= STEPS.len() {
        return Ok((found, false));
    }
    let mut transaction = pool.begin_with("begin immediate").await?;
    let found: i64 = sqlx::query_scalar(format)
        .fetch_one(&mut *transaction)
        .await?;
    let found = usize::try_from(found).unwrap_or(usize::MAX);
    let tables: i64 = sqlx::query_scalar("select count(*) from sqlite_master")
        .fetch_one(&mut *transaction)
        .await?;
    for (step, mark) in STEPS.iter().skip(found) {
        sqlx::query(*step).execute(&mut *transaction).await?;
        sqlx::query(*mark).execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    Ok((found, tables == 0))
}

fn instant(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_run_is_noted_from_start_to_end() {
        let folder = tempfile::tempdir().expect("folder");
        let log = RunLog::open(&folder.path().join("state.db"))
            .await
            .expect("log");
        log.start("a", instant(1_000_000)).await.expect("start");
        log.start("b", instant(2_000_000)).await.expect("start");
        log.finish(
            "b",
            instant(3_000_000),
            Status::FailedChecks,
            "{\"built\":3}",
        )
        .await
        .expect("finish");
        let runs = log.newest(10).await.expect("runs");
        assert_eq!(runs.len(), 2);
        assert_eq!(
            (runs[0].run_id.as_str(), runs[0].status),
            ("b", Status::FailedChecks)
        );
        assert_eq!(runs[0].ended_at, Some(instant(3_000_000)));
        assert_eq!(
            (runs[1].run_id.as_str(), runs[1].status),
            ("a", Status::Running)
        );
        assert_eq!(runs[1].ended_at, None);

        let copy = folder.path().join("copy.db");
        log.copy_to(&copy).await.expect("a copy");
        log.start("c", instant(4_000_000)).await.expect("start");
        let copied = RunLog::open(&copy).await.expect("log");
        assert_eq!(copied.newest(10).await.expect("runs"), runs);
    }

    /// The format of a database.
    async fn format(path: &Path) -> i64 {
        let options = SqliteConnectOptions::new().filename(path);
        let pool = SqlitePool::connect_with(options).await.expect("a database");
        let format = sqlx::query_scalar("pragma user_version")
            .fetch_one(&pool)
            .await;
        pool.close().await;
        format.expect("a format")
    }

    /// Does this to a database, without the program.
    async fn change(path: &Path, sql: &'static str) {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true);
        let pool = SqlitePool::connect_with(options).await.expect("a database");
        sqlx::raw_sql(sql).execute(&pool).await.expect("changed");
        pool.close().await;
    }

    #[tokio::test]
    async fn an_older_log_is_brought_up_to_date_and_a_newer_one_refused() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("state.db");
        // As it was made before formats were said.
        change(
            &path,
            "create table run (run_id text primary key, started_us integer not null, \
             ended_us integer, status text not null, report text not null); \
             insert into run values ('old', 1000000, 2000000, 'done', '{}')",
        )
        .await;
        assert_eq!(format(&path).await, 0);
        let log = RunLog::open(&path).await.expect("log");
        let said = "the log of runs was brought from format 0 to 2";
        assert_eq!(log.upgraded().as_deref(), Some(said));
        let runs = log.newest(10).await.expect("runs");
        assert_eq!(
            (runs[0].run_id.as_str(), runs[0].status),
            ("old", Status::Done)
        );
        log.close().await;
        assert_eq!(format(&path).await, 2);
        let log = RunLog::open(&path).await.expect("log");
        assert_eq!(log.upgraded(), None, "the same format");
        log.close().await;

        change(&path, "pragma user_version = 3").await;
        let error = RunLog::open(&path).await.expect_err("newer").to_string();
        let said = "is of format 3, this program knows up to 2\nhint: update the program";
        assert!(error.contains(said), "{error}");
        assert_eq!(format(&path).await, 3, "nothing was changed");

        let new = RunLog::open(&folder.path().join("new.db"))
            .await
            .expect("log");
        assert_eq!(new.upgraded(), None, "a new log was never older");
    }

    #[tokio::test]
    async fn recovered_runs_come_into_an_empty_log_and_change_no_other() {
        let folder = tempfile::tempdir().expect("folder");
        let log = RunLog::open(&folder.path().join("state.db"))
            .await
            .expect("log");
        assert!(log.is_empty().await.expect("read"));
        log.start("b", instant(2_000_000)).await.expect("start");
        let run = |run_id: &str| RunRecord {
            run_id: run_id.into(),
            started_at: instant(1_000_000),
            ended_at: Some(instant(1_500_000)),
            status: Status::Recovered,
            report: "{}".into(),
        };
        log.recover(&[run("a"), run("b")]).await.expect("recover");
        let runs = log.newest(10).await.expect("runs");
        assert_eq!((runs.len(), runs[0].status), (2, Status::Running));
        assert_eq!(runs[1], run("a"));
    }
}
