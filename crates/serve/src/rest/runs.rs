//! `/runs`: the runs of the project.

use axum::extract::Path;
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::ask::Ask;
use super::endpoint::{Endpoint, Param};
use super::problem::Problem;
use super::rows;
use crate::doors::Run;

/// Runs.
#[derive(Debug, Serialize, ToSchema)]
struct Runs {
    /// They, newest first.
    runs: Vec<RunName>,
}

/// A run.
#[derive(Debug, Serialize, ToSchema)]
struct RunName {
    /// Its name; `as_of` takes it.
    run_id: String,
    /// When it began.
    started_at: DateTime<Utc>,
    /// When it ended.
    ended_at: Option<DateTime<Utc>>,
    /// `running`, `done`, `failed_checks`, `failed` or `recovered`.
    status: String,
}

/// A run with its report.
#[derive(Debug, Serialize, ToSchema)]
struct RunReport {
    /// The run.
    #[serde(flatten)]
    run: RunName,
    /// What it loaded and built, and the version of every table afterwards; for administrators.
    report: Option<Value>,
}

const LIMIT: Param = Param {
    name: "limit",
    schema: r#"{"type": "integer", "minimum": 1, "maximum": 1000, "default": 50}"#,
    description: "At most so many runs.",
};

pub(super) fn endpoints() -> Vec<Endpoint> {
    let run = json!({
        "run_id": "20260630T040000000000Z", "started_at": "2026-06-30T04:00:00Z",
        "ended_at": "2026-06-30T04:03:20Z", "status": "done",
    });
    let mut full = run.clone();
    full["report"] = Value::Null;
    vec![
        Endpoint::get("/api/v1/runs", list)
            .says("listRuns", "Runs", "The newest runs, newest first.")
            .tag("runs")
            .takes(&[LIMIT])
            .gives::<Runs>(200, "The runs.", json!({"runs": [run]})),
        Endpoint::get("/api/v1/runs/{id}", show)
            .says("getRun", "One run", "A run; administrators see its report.")
            .tag("runs")
            .gives::<RunReport>(200, "The run.", full),
    ]
}

async fn list(ask: Ask) -> Result<Response, Problem> {
    let count = ask.params.number(LIMIT.name, 1..=1_000)?.unwrap_or(50);
    let runs = ask
        .app
        .doors
        .runs
        .newest(u32::try_from(count).unwrap_or(1_000));
    let runs = runs.await?.into_iter().map(|run| named(&run)).collect();
    Ok(rows::json(&Runs { runs }))
}

async fn show(ask: Ask, Path(id): Path<String>) -> Result<Response, Problem> {
    let run = ask.app.doors.runs.one(&id).await?;
    let run = run.ok_or_else(|| {
        Problem::missing("there is no such run").hint("GET /api/v1/runs lists them")
    })?;
    Ok(rows::json(&RunReport {
        run: named(&run),
        report: ask.caller.is_admin.then_some(run.report),
    }))
}

fn named(run: &Run) -> RunName {
    RunName {
        run_id: run.run_id.clone(),
        started_at: run.started_at,
        ended_at: run.ended_at,
        status: run.status.clone(),
    }
}
