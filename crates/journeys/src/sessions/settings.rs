//! How a session is cut.

use chrono_tz::Tz;

const MINUTE_US: i64 = 60_000_000;
/// A pause that skips a whole day always cuts.
const TIMEOUT_MINUTES_MAX: u32 = 24 * 60;

/// How a session is cut, where the tracker gives no session id of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionSettings {
    /// A longer pause opens a new session; a pause of exactly this does not.
    pub timeout_us: i64,
    /// An event later than this after the session's start opens a new one.
    pub length_max_us: i64,
    /// What else cuts a session.
    pub policy: SessionPolicy,
    /// A session goes over one midnight (UTC) at most, so that the sessions of a day follow from
    /// the events of that day and of the two before it.
    pub one_midnight: bool,
}

/// What cuts a session beside a pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SessionPolicy {
    /// Nothing (GA4).
    #[default]
    Ga4,
    /// Midnight in a zone, and a change of campaign (Universal Analytics).
    UniversalAnalytics {
        /// Zone of midnight.
        zone: Tz,
    },
}

impl From<&domain::config::Sessions> for SessionSettings {
    fn from(config: &domain::config::Sessions) -> Self {
        Self {
            timeout_us: i64::from(config.timeout_minutes.min(TIMEOUT_MINUTES_MAX)) * MINUTE_US,
            length_max_us: i64::from(config.hours_max) * 60 * MINUTE_US,
            policy: SessionPolicy::Ga4,
            one_midnight: true,
        }
    }
}
