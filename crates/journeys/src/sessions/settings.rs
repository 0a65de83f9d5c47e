//! How a session is cut.

use chrono_tz::Tz;

const MINUTE_US: i64 = 60_000_000;

/// How a session is cut, where the tracker gives no session id of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionSettings {
    /// A longer pause opens a new session; a pause of exactly this does not.
    pub timeout_us: i64,
    /// An event later than this after the session's start opens a new one.
    pub length_max_us: i64,
    /// What else cuts a session.
    pub policy: SessionPolicy,
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
            timeout_us: i64::from(config.timeout_minutes) * MINUTE_US,
            length_max_us: i64::from(config.hours_max) * 60 * MINUTE_US,
            policy: SessionPolicy::Ga4,
        }
    }
}
