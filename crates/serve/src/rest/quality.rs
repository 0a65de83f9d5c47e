//! `/quality`: results of checks, the balance of the books, and rows in quarantine.

use axum::extract::Path;
use axum::response::Response;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::ask::Ask;
use super::endpoint::Endpoint;
use super::page::{self, Of};
use super::problem::Problem;
use super::rows;
use super::tables::{self, RowsPage, example};

/// Runs that are looked at for the newest one with checks.
const RUNS: u32 = 50;

/// Results of checks.
#[derive(Debug, Serialize, ToSchema)]
struct Results {
    /// The run that made them; null if none has.
    run_id: Option<String>,
    /// The checks of tables that the caller may see.
    checks: Vec<CheckResult>,
    /// Where the rows of each stream went; for administrators.
    balances: Option<Vec<Value>>,
}

/// Result of a check.
#[derive(Debug, Serialize, ToSchema)]
struct CheckResult {
    /// Its name.
    check: String,
    /// The model that it is about.
    model: String,
    /// `error` or `warn`.
    severity: String,
    /// Rows that fail it; null where it could not be run.
    failures: Option<i64>,
    /// It passed.
    is_passed: bool,
}

/// Tables of rows that could not be taken.
#[derive(Debug, Serialize, ToSchema)]
struct Quarantine {
    /// Their names.
    tables: Vec<String>,
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    let results = json!({
        "run_id": "20260630T040000000000Z",
        "checks": [{"check": "unique_fct_order_order_key", "model": "fct_order",
                    "severity": "error", "failures": 0, "is_passed": true}],
        "balances": null,
    });
    vec![
        Endpoint::get("/api/v1/quality/results", results_of)
            .says(
                "listCheckResults",
                "Results of checks",
                "The checks of the newest run that made some.",
            )
            .tag("quality")
            .gives::<Results>(200, "The results.", results),
        Endpoint::get("/api/v1/quality/quarantine", quarantine)
            .says(
                "listQuarantine",
                "Tables in quarantine",
                "The tables of rows that could not be taken, as they came.",
            )
            .tag("quality")
            .admin()
            .gives::<Quarantine>(
                200,
                "The tables.",
                json!({"tables": ["stg_shopify__orders"]}),
            ),
        Endpoint::get("/api/v1/quality/quarantine/{table}", quarantined)
            .says(
                "listQuarantinedRows",
                "Rows in quarantine",
                "The rows as they came, with the rule that they break.",
            )
            .tag("quality")
            .admin()
            .takes(&page::PARAMS)
            .takes_conditions()
            .gives_rows::<RowsPage>("The rows.", example()),
    ]
}

async fn results_of(ask: Ask) -> Result<Response, Problem> {
    let runs = ask.app.doors.runs.newest(RUNS).await?;
    let has = |report: &Value| report["report"]["checks"].is_array();
    let Some(run) = runs.into_iter().find(|run| has(&run.report)) else {
        return Ok(rows::json(&Results {
            run_id: None,
            checks: vec![],
            balances: None,
        }));
    };
    let session = ask.session().await?;
    let names = tables::names(&session);
    let models = &ask.app.doors.manifest.models;
    let is_told = |model: &str| {
        let found = models.get(model).map(|model| model.table());
        ask.caller.is_admin || found.is_some_and(|table| names.contains(&table))
    };
    let report = &run.report["report"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let checks = report["checks"].as_array().into_iter().flatten();
    let checks = checks.map(|check| {
        let failures = check["failures"].as_i64();
        CheckResult {
            check: text(&check["check"]),
            model: text(&check["model"]),
            severity: text(&check["severity"]),
            failures,
            is_passed: failures == Some(0) && check["error"].is_null(),
        }
    });
    let balances = report["balances"].as_array().cloned();
    Ok(rows::json(&Results {
        checks: checks.filter(|check| is_told(&check.model)).collect(),
        balances: balances.filter(|_| ask.caller.is_admin),
        run_id: Some(run.run_id),
    }))
}

async fn quarantine(ask: Ask) -> Result<Response, Problem> {
    let session = ask.session().await?;
    let names = tables::names(&session).into_iter();
    let tables = names.filter_map(|name| Some(name.strip_prefix("quarantine.")?.to_owned()));
    Ok(rows::json(&Quarantine {
        tables: tables.collect(),
    }))
}

async fn quarantined(ask: Ask, Path(table): Path<String>) -> Result<Response, Problem> {
    page::page(&ask, Of::table("quarantine", &table)).await
}
