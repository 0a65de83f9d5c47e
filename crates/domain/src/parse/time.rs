//! Instants and days in the spellings that exports use.

use chrono::{DateTime, MappedLocalTime, NaiveDateTime, Offset, TimeDelta, TimeZone};
use chrono_tz::Tz;

use super::trim;

const SECOND_US: i64 = 1_000_000;
const DAY_US: i64 = 86_400 * SECOND_US;

/// An instant in microseconds since 1970-01-01T00:00:00Z.
///
/// `zone` is the zone of times that name none; UTC without it. A local time that a change of
/// clocks makes twice is the first one, one that it skips is moved on by the change.
///
/// Understood: ISO 8601 with `T` or a space, one-digit parts, `/` or `.` in the date, missing
/// seconds, fractions, AM and PM, `Z`, `UTC`, `+02:00`, `+0200`, `Europe/Berlin`; a date alone
/// (its midnight); `31.12.2022` (with points the day stands first everywhere); months by name
/// (`5 Jan 2022`, `Jan 5, 2022`, RFC 2822, web server logs); `20220131`, `20220131235959`;
/// seconds, milli-, micro- and nanoseconds since 1970, told apart by their number of digits.
/// `None`: everything else, and above all `01/02/2022`, which means two days.
pub fn instant_us(text: &str, zone: Option<Tz>) -> Option<i64> {
    match read(trim(text))? {
        Reading::Instant(us) => Some(us),
        Reading::Civil(civil) => civil.instant_us(zone),
    }
}

/// A day in days since 1970-01-01, as it is written: a time and a zone behind it do not shift it.
///
/// It takes what [`instant_us`] takes; of seconds (or smaller) since 1970 it is the day in UTC.
pub fn day(text: &str) -> Option<i32> {
    match read(trim(text))? {
        Reading::Instant(us) => i32::try_from(us.div_euclid(DAY_US)).ok(),
        Reading::Civil(civil) => i32::try_from(civil.day).ok(),
    }
}

/// What a text says.
enum Reading {
    /// Microseconds since 1970 in UTC.
    Instant(i64),
    /// A day and a time on some clock.
    Civil(Civil),
}

/// A day and a time as written.
struct Civil {
    /// Days since 1970-01-01.
    day: i64,
    /// Time since midnight.
    time_us: i64,
    /// What the text says of its zone.
    place: Place,
}

/// What a text says of its zone.
enum Place {
    /// Nothing.
    Unsaid,
    /// So much before UTC.
    Ahead { us: i64 },
    /// By name.
    Zone(Tz),
}

impl Civil {
    fn instant_us(&self, zone: Option<Tz>) -> Option<i64> {
        let local_us = self.day * DAY_US + self.time_us;
        match self.place {
            Place::Ahead { us } => Some(local_us - us),
            Place::Zone(zone) => local_to_utc(local_us, zone),
            Place::Unsaid => match zone {
                None | Some(Tz::UTC) => Some(local_us),
                Some(zone) => local_to_utc(local_us, zone),
            },
        }
    }
}

/// The instant at which the clocks of a zone show this time.
fn local_to_utc(local_us: i64, zone: Tz) -> Option<i64> {
    let local = DateTime::from_timestamp_micros(local_us)?.naive_utc();
    let offset_us = |local: &NaiveDateTime| match zone.offset_from_local_datetime(local) {
        MappedLocalTime::Single(offset) | MappedLocalTime::Ambiguous(offset, _) => {
            Some(i64::from(offset.fix().local_minus_utc()) * SECOND_US)
        }
        MappedLocalTime::None => None,
    };
    // In a gap the offset from before the gap counts, which moves the time on by the gap. All
    // gaps but those of zones that crossed the date line are shorter than three hours.
    let offset = offset_us(&local)
        .or_else(|| offset_us(&(local - TimeDelta::hours(3))))
        .or_else(|| offset_us(&(local - TimeDelta::hours(27))))?;
    Some(local_us - offset)
}

/// Reads a trimmed text.
fn read(text: &str) -> Option<Reading> {
    let bytes = text.as_bytes();
    let first = *bytes.first()?;
    if first.is_ascii_digit() {
        let digits = bytes
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        if digits >= 8 {
            return compact(bytes, digits);
        }
    } else if first == b'-' {
        return epoch(bytes.get(1..)?).map(|us| Reading::Instant(-us));
    }
    let mut rest = Rest { bytes };
    let (day, is_named) = rest.date()?;
    civil(day, is_named, rest, text)
}

/// What follows a date: a time, a zone, or nothing.
fn civil(day: i64, is_named: bool, mut rest: Rest<'_>, text: &str) -> Option<Reading> {
    let mut time_us = 0;
    let mut place = Place::Unsaid;
    let had = rest.bytes.len();
    rest.time_separator(is_named);
    if rest.bytes.first().is_some_and(u8::is_ascii_digit) {
        // Digits may not follow the date directly.
        if rest.bytes.len() == had {
            return None;
        }
        time_us = rest.time()?;
    }
    rest.spaces();
    if !rest.bytes.is_empty() {
        let start = text.len() - rest.bytes.len();
        place = place_of(text.get(start..)?)?;
    }
    Some(Reading::Civil(Civil {
        day,
        time_us,
        place,
    }))
}

/// Texts that begin with eight digits or more: `20220131`, `20220131T235959`, epochs.
fn compact(bytes: &[u8], digits: usize) -> Option<Reading> {
    let is_alone = digits == bytes.len();
    match digits {
        8 | 14 if is_alone || bytes[digits] != b'.' => {
            let mut rest = Rest { bytes };
            let day = days(rest.digits(4)?, rest.digits(2)?, rest.digits(2)?)?;
            if digits == 14 {
                let time_us = time_of(rest.digits(2)?, rest.digits(2)?, rest.digits(2)?, 0)?;
                let place = place_of(std::str::from_utf8(rest.bytes).ok()?)?;
                return Some(Reading::Civil(Civil {
                    day,
                    time_us,
                    place,
                }));
            }
            if is_alone {
                return Some(Reading::Civil(Civil {
                    day,
                    time_us: 0,
                    place: Place::Unsaid,
                }));
            }
            let text = std::str::from_utf8(bytes).ok()?;
            civil(day, false, rest, text)
        }
        _ => epoch(bytes).map(Reading::Instant),
    }
}

/// Seconds (9 or 10 digits), milli- (12, 13), micro- (15, 16) or nanoseconds (18, 19) since 1970,
/// perhaps with a fraction.
fn epoch(bytes: &[u8]) -> Option<i64> {
    let digits = bytes
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let (whole, fraction) = bytes.split_at(digits);
    let unit_ns: i128 = match digits {
        9 | 10 => 1_000_000_000,
        12 | 13 => 1_000_000,
        15 | 16 => 1_000,
        18 | 19 => 1,
        _ => return None,
    };
    let value = whole
        .iter()
        .fold(0_i128, |sum, byte| sum * 10 + i128::from(byte - b'0'));
    let mut ns = value * unit_ns;
    match fraction {
        [] => {}
        [b'.', places @ ..] if places.iter().all(u8::is_ascii_digit) => {
            let mut unit_ns = unit_ns;
            for place in places {
                unit_ns /= 10;
                ns += i128::from(place - b'0') * unit_ns;
            }
        }
        _ => return None,
    }
    i64::try_from(ns / 1_000).ok()
}

/// What the text says of its zone, read to its end.
fn place_of(text: &str) -> Option<Place> {
    let text = text.trim_ascii();
    let bytes = text.as_bytes();
    match bytes {
        [] => return Some(Place::Unsaid),
        [b'Z' | b'z'] => return Some(Place::Ahead { us: 0 }),
        [b'+' | b'-', rest @ ..] => {
            let us = offset_us(rest)?;
            return Some(Place::Ahead {
                us: if bytes[0] == b'-' { -us } else { us },
            });
        }
        _ => {}
    }
    for name in ["UTC", "GMT"] {
        if let Some(rest) = text.strip_prefix(name) {
            return match place_of(rest)? {
                Place::Unsaid => Some(Place::Ahead { us: 0 }),
                place @ Place::Ahead { .. } => Some(place),
                Place::Zone(_) => None,
            };
        }
    }
    // Abbreviations such as `CST` stand for several zones; names with a slash for one.
    if !text.contains('/') {
        return None;
    }
    text.trim_matches(['[', ']']).parse().ok().map(Place::Zone)
}

/// `02:00`, `0200` or `02`, perhaps with a remark in brackets behind it that says it again.
fn offset_us(bytes: &[u8]) -> Option<i64> {
    let mut rest = Rest { bytes };
    let hours = rest.digits(2)?;
    let has_colon = rest.eat(b":");
    let minutes = if rest.bytes.first().is_some_and(u8::is_ascii_digit) {
        rest.digits(2)?
    } else if has_colon {
        return None;
    } else {
        0
    };
    rest.spaces();
    let is_remark = matches!(rest.bytes, [b'(', .., b')'] | [b'[', .., b']']);
    if hours > 18 || minutes > 59 || !(rest.bytes.is_empty() || is_remark) {
        return None;
    }
    Some((i64::from(hours) * 60 + i64::from(minutes)) * 60 * SECOND_US)
}

/// What is still to be read.
#[derive(Clone, Copy)]
struct Rest<'a> {
    bytes: &'a [u8],
}

impl Rest<'_> {
    /// Takes one of these bytes, if it is next.
    fn eat(&mut self, any: &[u8]) -> bool {
        match self.bytes {
            [first, rest @ ..] if any.contains(first) => {
                self.bytes = rest;
                true
            }
            _ => false,
        }
    }

    fn spaces(&mut self) {
        while self.eat(b" \t") {}
    }

    /// Takes exactly this many digits.
    fn digits(&mut self, count: usize) -> Option<u32> {
        let (head, rest) = self.bytes.split_at_checked(count)?;
        let mut value = 0;
        for byte in head {
            if !byte.is_ascii_digit() {
                return None;
            }
            value = value * 10 + u32::from(byte - b'0');
        }
        self.bytes = rest;
        Some(value)
    }

    /// Takes one or two digits.
    fn one_or_two_digits(&mut self) -> Option<u32> {
        self.digits(2).or_else(|| self.digits(1))
    }

    /// Takes a date; true beside it when its month is a name.
    fn date(&mut self) -> Option<(i64, bool)> {
        if self.bytes.first()?.is_ascii_digit() {
            let digits = self
                .bytes
                .iter()
                .take_while(|byte| byte.is_ascii_digit())
                .count();
            return match digits {
                4 => Some((self.year_first()?, false)),
                1 | 2 => self.day_first(),
                _ => None,
            };
        }
        self.month_first().map(|day| (day, true))
    }

    /// `2022-01-31`, `2022/1/31`, `2022.01.31`.
    fn year_first(&mut self) -> Option<i64> {
        let year = self.digits(4)?;
        let separator = *self.bytes.first()?;
        if !self.eat(b"-/.") {
            return None;
        }
        let month = self.one_or_two_digits()?;
        if !self.eat(&[separator]) {
            return None;
        }
        days(year, month, self.one_or_two_digits()?)
    }

    /// `31.12.2022`, `31 Dec 2022`, `31-Dec-2022`, `31/Dec/2022`.
    fn day_first(&mut self) -> Option<(i64, bool)> {
        let day = self.one_or_two_digits()?;
        if self.eat(b".") && self.bytes.first().is_some_and(u8::is_ascii_digit) {
            let month = self.one_or_two_digits()?;
            if !self.eat(b".") {
                return None;
            }
            return Some((days(self.digits(4)?, month, day)?, false));
        }
        self.eat(b"-/");
        self.spaces();
        let month = self.month()?;
        while self.eat(b"-/,. ") {}
        Some((days(self.digits(4)?, month, day)?, true))
    }

    /// `Dec 31, 2022`, `Sat Dec 31 2022`, `Sat, 31 Dec 2022`.
    fn month_first(&mut self) -> Option<i64> {
        const WEEKDAYS: [&[u8]; 7] = [b"mon", b"tue", b"wed", b"thu", b"fri", b"sat", b"sun"];
        let word = self.word()?;
        if WEEKDAYS.iter().any(|name| is_short_for(name, word)) {
            self.take_word();
            while self.eat(b",. ") {}
            if self.bytes.first()?.is_ascii_digit() {
                return self
                    .day_first()
                    .filter(|(_, is_named)| *is_named)
                    .map(|(day, _)| day);
            }
        }
        let month = self.month()?;
        while self.eat(b". ") {}
        let day = self.one_or_two_digits()?;
        if !self.eat(b", ") {
            return None;
        }
        self.spaces();
        days(self.digits(4)?, month, day)
    }

    /// The letters that are next.
    fn word(&self) -> Option<&[u8]> {
        let length = self
            .bytes
            .iter()
            .take_while(|byte| byte.is_ascii_alphabetic())
            .count();
        (length >= 3).then(|| &self.bytes[..length])
    }

    fn take_word(&mut self) {
        let length = self
            .bytes
            .iter()
            .take_while(|byte| byte.is_ascii_alphabetic())
            .count();
        self.bytes = &self.bytes[length..];
    }

    /// Takes the English name of a month, whole or its first three letters.
    fn month(&mut self) -> Option<u32> {
        const MONTHS: [&[u8]; 12] = [
            b"january",
            b"february",
            b"march",
            b"april",
            b"may",
            b"june",
            b"july",
            b"august",
            b"september",
            b"october",
            b"november",
            b"december",
        ];
        let word = self.word()?;
        let is_month = |name: &&[u8]| {
            word.eq_ignore_ascii_case(name)
                || word.eq_ignore_ascii_case(&name[..3])
                || (name.starts_with(b"sept") && word.eq_ignore_ascii_case(b"sept"))
        };
        let index = MONTHS.iter().position(is_month)?;
        self.take_word();
        u32::try_from(index + 1).ok()
    }

    /// Takes what stands between a date and a time.
    fn time_separator(&mut self, is_named: bool) {
        if self.eat(b"Tt") || (is_named && self.eat(b":")) {
            return;
        }
        self.eat(b",");
        self.spaces();
    }

    /// Takes a time of day: `2:20:51.123`, `02:20`, `02`, `022051`, `2:20 PM`.
    fn time(&mut self) -> Option<i64> {
        let digits = self
            .bytes
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        let mut parts = [0_u32; 3];
        let mut fraction_us = 0;
        match digits {
            1 | 2 => {
                parts[0] = self.digits(digits)?;
                let mut has_seconds = false;
                for (index, part) in parts.iter_mut().enumerate().skip(1) {
                    if !self.eat(b":") {
                        break;
                    }
                    *part = self.digits(2)?;
                    has_seconds = index == 2;
                }
                if has_seconds && self.eat(b".,") {
                    fraction_us = self.fraction_us()?;
                }
            }
            4 | 6 => {
                for part in parts.iter_mut().take(digits / 2) {
                    *part = self.digits(2)?;
                }
                if digits == 6 && self.eat(b".") {
                    fraction_us = self.fraction_us()?;
                }
            }
            _ => return None,
        }
        let hour = self.half_of_day(parts[0])?;
        time_of(hour, parts[1], parts[2], fraction_us)
    }

    /// Takes the digits behind a second; those beyond microseconds are left out.
    fn fraction_us(&mut self) -> Option<i64> {
        let digits = self
            .bytes
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        if digits == 0 || digits > 9 {
            return None;
        }
        let (head, rest) = self.bytes.split_at(digits);
        self.bytes = rest;
        let value = |sum: i64, byte: &u8| sum * 10 + i64::from(byte - b'0');
        let us = head.iter().take(6).fold(0, value);
        Some(us * 10_i64.pow(u32::try_from(6_usize.saturating_sub(digits)).ok()?))
    }

    /// Takes AM or PM, if it is next, and says the hour on the 24-hour clock.
    fn half_of_day(&mut self, hour: u32) -> Option<u32> {
        let mut ahead = *self;
        ahead.spaces();
        let is_afternoon = match ahead.bytes {
            [b'A' | b'a', b'M' | b'm', ..] => false,
            [b'P' | b'p', b'M' | b'm', ..] => true,
            _ => return Some(hour),
        };
        self.bytes = &ahead.bytes[2..];
        if !(1..=12).contains(&hour) {
            return None;
        }
        Some(hour % 12 + if is_afternoon { 12 } else { 0 })
    }
}

/// Whether a word is a weekday's name or begins like it.
fn is_short_for(name: &[u8], word: &[u8]) -> bool {
    word.len() >= 3 && word[..3].eq_ignore_ascii_case(name)
}

/// Microseconds since midnight; `24:00:00` is the next midnight, a leap second the next second.
fn time_of(hour: u32, minute: u32, second: u32, fraction_us: i64) -> Option<i64> {
    let is_end_of_day = (hour, minute, second, fraction_us) == (24, 0, 0, 0);
    if (hour > 23 && !is_end_of_day) || minute > 59 || second > 60 {
        return None;
    }
    let seconds = (i64::from(hour) * 60 + i64::from(minute)) * 60 + i64::from(second);
    Some(seconds * SECOND_US + fraction_us)
}

/// Days from 1970-01-01 to a date of the Gregorian calendar; `None` for one that it lacks.
fn days(year: u32, month: u32, day: u32) -> Option<i64> {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let length = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        _ => return None,
    };
    if year == 0 || day == 0 || day > length {
        return None;
    }
    // The year is counted from March, so that the leap day is its last day.
    let (year, month, day) = (i64::from(year), i64::from(month), i64::from(day));
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}
