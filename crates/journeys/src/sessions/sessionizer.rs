//! The streaming sessionizer.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate};

use super::{SessionPolicy, SessionSettings};

/// What the sessionizer must know of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SessionEvent<'a> {
    /// When it happened, microseconds since 1970.
    pub at_us: i64,
    /// Session id the tracker gave, if it gave one; empty counts as none.
    pub native_session_id: Option<&'a str>,
    /// Where the visitor came from, if the event says so and it is not direct. Only
    /// [`SessionPolicy::UniversalAnalytics`] looks at it.
    pub traffic: Option<Traffic<'a>>,
}

/// Where a visitor came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traffic<'a> {
    /// Source.
    pub source: &'a str,
    /// Medium.
    pub medium: &'a str,
    /// Campaign.
    pub campaign: &'a str,
}

/// In which session an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionStep {
    /// Number of the session among the device's, 0-based, in the order in which they opened. A
    /// caller that makes a key when `is_start` can look it up again by this number.
    pub session: usize,
    /// This event opens the session.
    pub is_start: bool,
    /// Time of the session's first event, microseconds since 1970.
    pub started_at_us: i64,
    /// Place of the event in the session, 1-based.
    pub event_index: u32,
}

/// Cuts the events of one device into sessions.
///
/// With a native id the session is that id, however long its pauses. An event without one belongs
/// to the device's latest session, native or not, if neither the pause nor the length is too long;
/// else it opens a session of its own.
#[derive(Debug)]
pub struct Sessionizer {
    settings: SessionSettings,
    sessions: Vec<Open>,
    by_native_id: HashMap<String, usize>,
    latest: Option<Latest>,
}

/// A session of the device.
#[derive(Debug)]
struct Open {
    started_at_us: i64,
    events: u32,
}

/// The session of the device's latest event.
#[derive(Debug)]
struct Latest {
    session: usize,
    at_us: i64,
    native_id: Option<String>,
    traffic: Option<[String; 3]>,
    day: Option<NaiveDate>,
}

impl Sessionizer {
    /// For the first device.
    pub fn new(settings: SessionSettings) -> Self {
        Self {
            settings,
            sessions: Vec::new(),
            by_native_id: HashMap::new(),
            latest: None,
        }
    }

    /// The next event is of another device.
    pub fn begin_device(&mut self) {
        self.sessions.clear();
        self.by_native_id.clear();
        self.latest = None;
    }

    /// The session of the device's next event, in the order (time, sequence, event id).
    pub fn next(&mut self, event: &SessionEvent<'_>) -> SessionStep {
        let known = match event.native_session_id.filter(|id| !id.is_empty()) {
            Some(id) => self.native(id),
            None => self
                .latest
                .as_ref()
                .filter(|latest| self.goes_on(latest, event))
                .map(|l| l.session),
        };
        let (session, is_start) = match known {
            Some(session) => (session, false),
            None => (self.open(event), true),
        };
        let open = &mut self.sessions[session];
        open.events += 1;
        let step = SessionStep {
            session,
            is_start,
            started_at_us: open.started_at_us,
            event_index: open.events,
        };
        self.remember(session, event, is_start);
        step
    }

    /// The session of this native id, if it is open. The latest one is the usual one.
    fn native(&self, id: &str) -> Option<usize> {
        match &self.latest {
            Some(latest) if latest.native_id.as_deref() == Some(id) => Some(latest.session),
            _ => self.by_native_id.get(id).copied(),
        }
    }

    fn goes_on(&self, latest: &Latest, event: &SessionEvent<'_>) -> bool {
        let started_at_us = self.sessions[latest.session].started_at_us;
        if event.at_us.saturating_sub(latest.at_us) > self.settings.timeout_us
            || event.at_us.saturating_sub(started_at_us) > self.settings.length_max_us
        {
            return false;
        }
        match self.settings.policy {
            SessionPolicy::Ga4 => true,
            SessionPolicy::UniversalAnalytics { .. } => {
                self.day(event.at_us) == latest.day && !changes(latest, event.traffic)
            }
        }
    }

    fn open(&mut self, event: &SessionEvent<'_>) -> usize {
        let session = self.sessions.len();
        self.sessions.push(Open {
            started_at_us: event.at_us,
            events: 0,
        });
        if let Some(id) = event.native_session_id.filter(|id| !id.is_empty()) {
            self.by_native_id.insert(id.to_owned(), session);
        }
        session
    }

    fn remember(&mut self, session: usize, event: &SessionEvent<'_>, is_start: bool) {
        let day = self.day(event.at_us);
        if !is_start
            && let Some(latest) = &mut self.latest
            && latest.session == session
        {
            latest.at_us = event.at_us;
            latest.day = day;
            return;
        }
        let native_id = event
            .native_session_id
            .filter(|id| !id.is_empty())
            .map(str::to_owned);
        let traffic = match self.settings.policy {
            SessionPolicy::Ga4 => None,
            SessionPolicy::UniversalAnalytics { .. } => event.traffic.map(|traffic| {
                [traffic.source, traffic.medium, traffic.campaign].map(str::to_owned)
            }),
        };
        self.latest = Some(Latest {
            session,
            at_us: event.at_us,
            native_id,
            traffic,
            day,
        });
    }

    /// The day in the policy's zone; None where midnight does not matter or the time is no date.
    fn day(&self, at_us: i64) -> Option<NaiveDate> {
        match self.settings.policy {
            SessionPolicy::Ga4 => None,
            SessionPolicy::UniversalAnalytics { zone } => DateTime::from_timestamp_micros(at_us)
                .map(|instant| instant.with_timezone(&zone).date_naive()),
        }
    }
}

/// The event came from another source than the session.
fn changes(latest: &Latest, traffic: Option<Traffic<'_>>) -> bool {
    match (traffic, &latest.traffic) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(new), Some([source, medium, campaign])) => {
            new.source != source || new.medium != medium || new.campaign != campaign
        }
    }
}
