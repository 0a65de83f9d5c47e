//! How a session is cut.

use chrono_tz::Tz;
use domain::config::{SessionPolicy as Policy, Sessions};

use crate::error::{JourneysError, Result};

const MINUTE_US: i64 = 60_000_000;
/// A pause that skips a whole day always cuts.
const TIMEOUT_MINUTES_MAX: u32 = 24 * 60;
/// A session goes over one midnight at most: it has two days.
const HOURS_MAX: u32 = 48;

/// How a session is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionSettings {
    /// A longer pause opens a new session; a pause of exactly this does not.
    pub timeout_us: i64,
    /// An event later than this after the session's start opens a new one.
    pub length_max_us: i64,
    /// What else cuts a session.
    pub policy: SessionPolicy,
    /// A session goes over one midnight (UTC) at most, so that the sessions of a day follow from
    /// the events of that day and of the two before it. [`SessionPolicy::UniversalAnalytics`] needs
    /// no such rule: its sessions end with the day of their zone.
    pub one_midnight: bool,
    /// A session id that the tracker gave is the session.
    pub tracker_ids: bool,
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

impl SessionSettings {
    /// From `sessions:` of `throughline.yml` and the zone of its reports.
    ///
    /// # Errors
    /// A time-out or a length out of range; the tracker's sessions together with a policy that cuts
    /// otherwise; an unknown zone.
    pub fn new(config: &Sessions, zone: &str) -> Result<Self> {
        let fail = |setting: &'static str, value: String, reason: &'static str| {
            Err(JourneysError::Setting {
                setting,
                value,
                reason,
            })
        };
        if !(1..=TIMEOUT_MINUTES_MAX).contains(&config.timeout_minutes) {
            return fail(
                "sessions.timeout_minutes",
                config.timeout_minutes.to_string(),
                "a session ends after a pause of 1 to 1440 minutes (hint: GA4 has 30 and allows \
                 up to 475, which is 7 hours and 55 minutes)",
            );
        }
        if !(1..=HOURS_MAX).contains(&config.hours_max) {
            return fail(
                "sessions.hours_max",
                config.hours_max.to_string(),
                "a session lasts 1 to 48 hours at most (hint: 24 without it)",
            );
        }
        if config.policy == Policy::Ua && config.tracker_ids == Some(true) {
            return fail(
                "sessions.tracker_ids",
                "true".to_owned(),
                "the policy `ua` cuts sessions itself and cannot keep those of the tracker \
                 (hint: leave the setting out)",
            );
        }
        let policy = match config.policy {
            Policy::Ga4 => SessionPolicy::Ga4,
            Policy::Ua => match zone.parse() {
                Ok(zone) => SessionPolicy::UniversalAnalytics { zone },
                Err(_) => {
                    let reason = "this is no IANA zone (hint: for example Europe/Berlin)";
                    return fail("reporting.zone", zone.to_owned(), reason);
                }
            },
        };
        Ok(Self {
            timeout_us: i64::from(config.timeout_minutes) * MINUTE_US,
            length_max_us: i64::from(config.hours_max) * 60 * MINUTE_US,
            policy,
            one_midnight: config.policy == Policy::Ga4,
            tracker_ids: config.keeps_tracker_ids(),
        })
    }
}
