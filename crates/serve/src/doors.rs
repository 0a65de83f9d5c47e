//! What all doors share: the gate, who may come in, and what they tell about the project. A door
//! recognises a principal by [`Doors::who`] and gives it what [`Doors::session`] lets it have; it
//! has no rules of its own.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use futures::future::BoxFuture;
use serde::Serialize;
use transform::compile::Manifest;

use crate::access::error::{AccessError, Reason, Result};
use crate::access::who::oidc::Oidc;
use crate::access::who::{Clock, Origin, Who};
use crate::access::{Gate, Principal, Session};
use crate::tls::Tls;

/// What all doors share. Cheap to clone.
#[derive(Clone)]
pub struct Doors {
    /// The policy gate.
    pub gate: Gate,
    /// Users, tokens and log-in.
    pub who: Who,
    /// Log-in by another's directory, where it is set up.
    pub oidc: Option<Arc<Oidc>>,
    /// The models, and in them the project's settings and its semantic layer.
    pub manifest: Arc<Manifest>,
    /// The runs that made the tables.
    pub runs: Arc<dyn Runs>,
    /// What connections are encrypted with; without it only this machine may connect.
    pub tls: Option<Tls>,
    /// What time it is.
    pub clock: Clock,
}

/// One run of the project.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Run {
    /// Its name.
    pub run_id: String,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// `running`, `done`, `failed_checks`, `failed` or `recovered`.
    pub status: String,
    /// What it loaded and built, and the version of every table afterwards.
    pub report: serde_json::Value,
}

/// The runs of a project.
pub trait Runs: Send + Sync {
    /// The newest, newest first, at most so many.
    ///
    /// # Errors
    /// They cannot be read.
    fn newest(&self, count: u32) -> BoxFuture<'_, Result<Vec<Run>>>;

    /// One, with its report; none if there is no such run.
    ///
    /// # Errors
    /// It cannot be read.
    fn one<'a>(&'a self, run_id: &'a str) -> BoxFuture<'a, Result<Option<Run>>>;
}

impl Doors {
    /// A session of a principal that a door has recognised. `as_of` is a time (RFC 3339), a day
    /// (its end in UTC) or the name of a run: then tables are read as they were.
    ///
    /// # Errors
    /// `as_of` is none of these, or nothing is known of that time.
    pub async fn session(
        &self,
        principal: Principal,
        origin: Origin,
        as_of: Option<&str>,
    ) -> Result<Session> {
        let session = match as_of.map(str::trim).filter(|text| !text.is_empty()) {
            None => self.gate.session(principal)?,
            Some(text) => {
                let at = self.instant(text).await?;
                self.gate.session_as_of(principal, at).await?
            }
        };
        Ok(session.from(origin))
    }

    /// The moment that an `as of` means.
    ///
    /// # Errors
    /// It is no time, no day and no run that has ended.
    pub async fn instant(&self, text: &str) -> Result<DateTime<Utc>> {
        if let Some(at) = time_of(text) {
            return Ok(at);
        }
        let run = self.runs.one(text).await?;
        run.and_then(|run| run.ended_at).ok_or_else(|| {
            let message = "`as of` is no time, no day and no run that has ended";
            AccessError::new(Reason::Invalid, message)
                .hint("2026-06-30T12:00:00Z, 2026-06-30, or the name of a run")
        })
    }
}

/// A time with its zone, or the end of a day.
fn time_of(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Some(at.with_timezone(&Utc));
    }
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    Some(day.and_hms_micro_opt(23, 59, 59, 999_999)?.and_utc())
}

#[cfg(test)]
mod tests {
    use super::time_of;

    #[test]
    fn a_day_means_its_end() {
        let at = |text| time_of(text).map(|at| at.to_rfc3339());
        assert_eq!(
            at("2026-06-30").as_deref(),
            Some("2026-06-30T23:59:59.999999+00:00")
        );
        assert_eq!(
            at("2026-06-30T12:00:00+02:00").as_deref(),
            Some("2026-06-30T10:00:00+00:00")
        );
        assert_eq!(at("yesterday"), None);
        assert_eq!(at("2026-02-30"), None);
    }
}
