//! The streaming sessionizer.
//!
//! With `one_midnight` the sessions of a day are a function of its events and of those of the two
//! days before, however long a device goes on without a pause or its tracker keeps one id: so a
//! day can be built by itself and equals a build of everything.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate};

use super::{SessionPolicy, SessionSettings};

/// What the sessionizer must know of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SessionEvent<'a> {
    /// When it happened, microseconds since 1970.
    pub at_us: i64,
    /// Session id the tracker gave, if it gave one; empty counts as none, and so does every one
    /// where [`SessionSettings::tracker_ids`] is false.
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
///
/// With `one_midnight`, over midnight
/// * a native id keeps its session if it was seen on the day before, and not on the day before
///   that: else the session is another one, of the same id;
/// * an event without one keeps to the latest session if the device's activity without a pause
///   began on the day before, and with no id that was seen before that.
#[derive(Debug)]
pub struct Sessionizer {
    settings: SessionSettings,
    sessions: Vec<Open>,
    natives: Vec<Native>,
    by_native_id: HashMap<String, usize>,
    /// The native id that was seen last: mostly the next one is the same.
    latest_native: Option<usize>,
    latest: Option<Latest>,
    activity: Activity,
}

/// What is known of a native id of the device.
#[derive(Debug)]
struct Native {
    id: String,
    session: usize,
    /// Day on which it was last seen, as a number since 1970.
    day: i64,
    /// It was seen on the day before that, too.
    was_seen_before: bool,
}

/// The device's events without a pause between them.
#[derive(Debug, Default)]
struct Activity {
    /// Day of its first event, as a number since 1970.
    day: i64,
    /// It has a native id that was seen on the day before, too.
    is_carried: bool,
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
    traffic: Option<[String; 3]>,
    day: Option<NaiveDate>,
}

impl Sessionizer {
    /// For the first device.
    pub fn new(settings: SessionSettings) -> Self {
        Self {
            settings,
            sessions: Vec::new(),
            natives: Vec::new(),
            by_native_id: HashMap::new(),
            latest_native: None,
            latest: None,
            activity: Activity::default(),
        }
    }

    /// The next event is of another device.
    pub fn begin_device(&mut self) {
        self.sessions.clear();
        self.natives.clear();
        self.by_native_id.clear();
        self.latest_native = None;
        self.latest = None;
        self.activity = Activity::default();
    }

    /// The session of the device's next event, in the order (time, sequence, event id).
    pub fn next(&mut self, event: &SessionEvent<'_>) -> SessionStep {
        let id = event
            .native_session_id
            .filter(|id| self.settings.tracker_ids && !id.is_empty());
        if self
            .latest
            .as_ref()
            .is_none_or(|latest| self.pauses(latest, event))
        {
            self.activity = Activity {
                day: day_number(event.at_us),
                is_carried: false,
            };
        }
        let native = id.and_then(|id| self.native(id));
        let known = match id {
            Some(_) => native.and_then(|native| self.native_session(native, event.at_us)),
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
        if let Some(id) = id {
            self.see(id, native, session, event.at_us);
        }
        step
    }

    /// Where this native id stands among those of the device.
    fn native(&self, id: &str) -> Option<usize> {
        self.latest_native
            .filter(|native| self.natives[*native].id == id)
            .or_else(|| self.by_native_id.get(id).copied())
    }

    /// The session of a native id, if it goes on.
    fn native_session(&self, native: usize, at_us: i64) -> Option<usize> {
        let native = &self.natives[native];
        let day = day_number(at_us);
        let goes_on = day == native.day || (day == native.day + 1 && !native.was_seen_before);
        (goes_on || !self.settings.one_midnight).then_some(native.session)
    }

    /// Notes that a native id was seen.
    fn see(&mut self, id: &str, native: Option<usize>, session: usize, at_us: i64) {
        let day = day_number(at_us);
        let index = native.unwrap_or_else(|| {
            let index = self.natives.len();
            self.natives.push(Native {
                id: id.to_owned(),
                session,
                day,
                was_seen_before: false,
            });
            self.by_native_id.insert(id.to_owned(), index);
            index
        });
        let native = &mut self.natives[index];
        if native.day != day {
            native.was_seen_before = native.day + 1 == day;
        }
        (native.day, native.session) = (day, session);
        self.activity.is_carried |= native.was_seen_before;
        self.latest_native = Some(index);
    }

    fn pauses(&self, latest: &Latest, event: &SessionEvent<'_>) -> bool {
        event.at_us.saturating_sub(latest.at_us) > self.settings.timeout_us
    }

    /// The activity may take its session over the midnight between two of its events.
    fn crosses(&self, from_us: i64, to_us: i64) -> bool {
        let (from, to) = (day_number(from_us), day_number(to_us));
        from == to || (self.activity.day == from && !self.activity.is_carried)
    }

    fn goes_on(&self, latest: &Latest, event: &SessionEvent<'_>) -> bool {
        let started_at_us = self.sessions[latest.session].started_at_us;
        if self.pauses(latest, event)
            || event.at_us.saturating_sub(started_at_us) > self.settings.length_max_us
            || (self.settings.one_midnight && !self.crosses(latest.at_us, event.at_us))
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
        let traffic = match self.settings.policy {
            SessionPolicy::Ga4 => None,
            SessionPolicy::UniversalAnalytics { .. } => event.traffic.map(|traffic| {
                [traffic.source, traffic.medium, traffic.campaign].map(str::to_owned)
            }),
        };
        self.latest = Some(Latest {
            session,
            at_us: event.at_us,
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

/// Number of the UTC day of an instant since 1970.
fn day_number(at_us: i64) -> i64 {
    const DAY_US: i64 = 86_400_000_000;
    at_us.div_euclid(DAY_US)
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
