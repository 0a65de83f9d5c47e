//! Runs and their log.
//!
//! The log is for people and programs that ask what happened: which run, when, how it ended. It
//! lives in SQLite beside the lake and may be deleted: what a run has to know stands in the lake.

mod run_log;

pub use run_log::{RunLog, RunLogError, RunRecord, Status};
