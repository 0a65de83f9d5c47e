//! Days and instants of the demo company: a window of whole days that ends on 2026-06-30.
//!
//! Instants are microseconds since 1970 in UTC. A day belongs to a zone: the website's and the
//! shop's (Europe/Berlin), or an ad account's. The clock of the machine is never asked.

use chrono::{DateTime, Datelike, Days, NaiveDate, TimeZone, Utc, Weekday};
use chrono_tz::Tz;

/// Microseconds of a second.
pub(crate) const SECOND: i64 = 1_000_000;
/// Microseconds of a minute.
pub(crate) const MINUTE: i64 = 60 * SECOND;
/// Microseconds of an hour.
pub(crate) const HOUR: i64 = 60 * MINUTE;
/// Microseconds of 24 hours.
pub(crate) const DAY: i64 = 24 * HOUR;

/// The zones in which something of the company has its day.
pub(crate) const ZONES: [Tz; 4] = [
    Tz::Europe__Berlin,
    Tz::America__Los_Angeles,
    Tz::Europe__London,
    Tz::UTC,
];
/// Index of the website's and the shop's zone in [`ZONES`].
pub(crate) const HOME: usize = 0;

/// The window of days.
pub(crate) struct Calendar {
    /// First day.
    pub(crate) first: NaiveDate,
    /// Number of days.
    pub(crate) days: usize,
    starts: Vec<Vec<i64>>,
}

/// Days before the first whose start is known.
const BEFORE: usize = 2;

impl Calendar {
    /// The window of so many days that ends on 2026-06-30.
    pub(crate) fn new(days: usize) -> Self {
        let end = NaiveDate::from_ymd_opt(2026, 6, 30).unwrap_or_default();
        let first = end - Days::new(days.saturating_sub(1) as u64);
        let starts = ZONES
            .iter()
            .map(|zone| {
                (0..days + BEFORE + 4)
                    .map(|index| {
                        let day = first - Days::new(BEFORE as u64) + Days::new(index as u64);
                        midnight(*zone, day)
                    })
                    .collect()
            })
            .collect();
        Self {
            first,
            days,
            starts,
        }
    }

    /// The day with this index.
    pub(crate) fn day(&self, index: usize) -> NaiveDate {
        self.first + Days::new(index as u64)
    }

    /// When a day begins at home.
    pub(crate) fn start(&self, index: usize) -> i64 {
        self.starts[HOME][(index + BEFORE).min(self.starts[HOME].len() - 1)]
    }

    /// When the window begins at home.
    pub(crate) fn begin(&self) -> i64 {
        self.start(0)
    }

    /// When the window ends at home.
    pub(crate) fn end(&self) -> i64 {
        self.start(self.days)
    }

    /// Index of the day at home; the nearest one outside the window.
    pub(crate) fn index(&self, at: i64) -> usize {
        self.index_in(HOME, at)
    }

    /// Index of the day in a zone of [`ZONES`]; the nearest one outside the window.
    pub(crate) fn index_in(&self, zone: usize, at: i64) -> usize {
        let after = self.starts[zone].partition_point(|start| *start <= at);
        after.saturating_sub(1 + BEFORE).min(self.days - 1)
    }

    /// Saturday or Sunday.
    pub(crate) fn is_weekend(&self, index: usize) -> bool {
        matches!(self.day(index).weekday(), Weekday::Sat | Weekday::Sun)
    }
}

fn midnight(zone: Tz, day: NaiveDate) -> i64 {
    let local = day.and_hms_opt(0, 0, 0).unwrap_or_default();
    zone.from_local_datetime(&local).earliest().map_or_else(
        || local.and_utc().timestamp_micros(),
        |at| at.timestamp_micros(),
    )
}

/// The instant as a UTC date and time.
pub(crate) fn utc(at: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(at).unwrap_or_default()
}

/// As the connectors write it: `2026-04-02 06:00:00.000`, in UTC.
pub(crate) fn plain(at: i64) -> String {
    utc(at).format("%Y-%m-%d %H:%M:%S%.3f").to_string()
}

/// With the offset of the shop: `2026-04-02T08:00:00+02:00`.
pub(crate) fn with_offset(at: i64) -> String {
    utc(at)
        .with_timezone(&ZONES[HOME])
        .format("%Y-%m-%dT%H:%M:%S%:z")
        .to_string()
}

/// `2026-04-02T06:00:00.000Z`.
pub(crate) fn zulu(at: i64) -> String {
    utc(at).format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

/// Easter Sunday of a year.
pub(crate) fn easter(year: i32) -> NaiveDate {
    let century = year / 100;
    let golden = year % 19;
    let skipped = (century - 15) / 2 + 202 - 11 * golden;
    let corrected = skipped
        - i32::from([21, 24, 25, 27, 28, 29, 30, 31, 32, 34, 35, 38].contains(&century))
        - 2 * i32::from([33, 36, 37, 39, 40].contains(&century));
    let moon = corrected.rem_euclid(30);
    let age = moon - i32::from(moon == 29 || (moon == 28 && golden > 10));
    let weekday = (year + year / 4 + age + 2 - century + century / 4).rem_euclid(7);
    let offset = age - weekday;
    let month = 3 + (offset + 40) / 44;
    let day = offset + 28 - 31 * (month / 4);
    NaiveDate::from_ymd_opt(year, month as u32, day as u32).unwrap_or_default()
}
