//! `/audit`: who did what at which door, for administrators.

use axum::response::Response;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::ask::Ask;
use super::endpoint::{Endpoint, Param};
use super::problem::Problem;
use super::rows;
use crate::audit::{self, AuditError, Record};

/// Records of the audit log.
#[derive(Debug, Serialize, ToSchema)]
struct Log {
    /// They, oldest first.
    #[schema(value_type = Vec<AuditRecord>)]
    records: Vec<Record>,
    /// What to ask next as `after`: records that are newer than these.
    after: u64,
}

/// A record.
#[derive(Serialize, ToSchema)]
struct AuditRecord {
    /// From 1, without gaps.
    seq: u64,
    /// When it was noted.
    #[schema(format = "date-time")]
    at: String,
    /// Who; `-` for somebody unknown.
    principal: String,
    /// From where.
    address: Option<String>,
    /// At which door.
    door: String,
    /// What.
    action: String,
    /// To what.
    object: String,
    /// How it ended.
    outcome: String,
    /// What else is to be known.
    detail: Map<String, Value>,
}

const AFTER: Param = Param {
    name: "after",
    schema: r#"{"type": "integer", "minimum": 0}"#,
    description: "Records that are newer than the one of this number; the newest of all without \
                  it.",
};
const LIMIT: Param = Param {
    name: "limit",
    schema: r#"{"type": "integer", "minimum": 1, "maximum": 10000, "default": 100}"#,
    description: "At most so many records.",
};

pub(super) fn endpoints() -> Vec<Endpoint> {
    let record = json!({
        "seq": 7, "at": "2026-06-30T08:00:00Z", "principal": "ana", "address": "127.0.0.1",
        "door": "rest", "action": "log_in", "object": "", "outcome": "done",
        "detail": {"by": "password"},
    });
    vec![
        Endpoint::get("/api/v1/audit", list)
            .says(
                "listAudit",
                "The audit log",
                "Its records as they stand; `throughline audit verify` proves that nobody has \
                 changed them.",
            )
            .tag("audit")
            .admin()
            .takes(&[AFTER, LIMIT])
            .gives::<Log>(
                200,
                "The records.",
                json!({"records": [record], "after": 7}),
            ),
    ]
}

async fn list(ask: Ask) -> Result<Response, Problem> {
    let limit = ask.params.number(LIMIT.name, 1..=10_000)?.unwrap_or(100);
    let after = ask.params.number(AFTER.name, 0..=u64::MAX)?;
    let place = ask.app.doors.who.audit().place().clone();
    let read = tokio::task::spawn_blocking(move || {
        let after = match after {
            Some(after) => after,
            None => audit::last_sequence(&place)?.saturating_sub(limit),
        };
        let count = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok::<_, AuditError>((after, audit::read(&place, after, count)?))
    });
    let read = read.await.map_err(|error| Problem::internal(&error))?;
    let (after, records) = read.map_err(|error| Problem::internal(&error))?;
    Ok(rows::json(&Log {
        after: records.last().map_or(after, |record| record.seq),
        records,
    }))
}
