//! A calendar day, as far as requests need it.

use domain::config::WeekStart;
use domain::metrics::Grain;

/// A day of the Gregorian calendar, as days since 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Day(i32);

impl Day {
    /// Reads `2026-01-31`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let plain = bytes.len() == 10 && bytes[4] == b'-' && bytes[7] == b'-';
        if !plain || !text.chars().all(|c| c.is_ascii_digit() || c == '-') {
            return None;
        }
        let year: i32 = text[0..4].parse().ok()?;
        let month: i32 = text[5..7].parse().ok()?;
        let day: i32 = text[8..10].parse().ok()?;
        if !(1..=12).contains(&month) || day < 1 {
            return None;
        }
        let found = Self::of(year, month, day);
        // A day that the month does not have would be one of the next month.
        (found.civil() == (year, month, day)).then_some(found)
    }

    /// Days since 1970-01-01.
    pub(super) fn number(self) -> i32 {
        self.0
    }

    /// The day after.
    pub(super) fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// Whether a bucket of this width begins with the day.
    pub(super) fn begins(self, grain: Grain, week_start: WeekStart) -> bool {
        let (_, month, day) = self.civil();
        match grain {
            Grain::Day => true,
            // 1970-01-01 was a Thursday.
            Grain::Week => match week_start {
                WeekStart::Monday => (self.0 + 3).rem_euclid(7) == 0,
                WeekStart::Sunday => (self.0 + 4).rem_euclid(7) == 0,
            },
            Grain::Month => day == 1,
            Grain::Quarter => day == 1 && month % 3 == 1,
            Grain::Year => day == 1 && month == 1,
        }
    }

    /// By counting years from March, so that a leap day is a year's last.
    fn of(year: i32, month: i32, day: i32) -> Self {
        let year = if month <= 2 { year - 1 } else { year };
        let era = year.div_euclid(400);
        let of_era = year.rem_euclid(400);
        let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        let days = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
        Self(era * 146_097 + days - 719_468)
    }

    fn civil(self) -> (i32, i32, i32) {
        let days = self.0 + 719_468;
        let era = days.div_euclid(146_097);
        let of_era = days.rem_euclid(146_097);
        let years = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * years + years / 4 - years / 100);
        let shifted = (5 * of_year + 2) / 153;
        let day = of_year - (153 * shifted + 2) / 5 + 1;
        let month = if shifted < 10 {
            shifted + 3
        } else {
            shifted - 9
        };
        let year = years + era * 400 + i32::from(month <= 2);
        (year, month, day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        assert_eq!(Day::parse("1970-01-01"), Some(Day(0)));
        assert_eq!(Day::parse("2026-11-23").map(Day::number), Some(20_780));
        assert_eq!(Day::parse("2024-02-29").map(Day::number), Some(19_782));
        for wrong in [
            "2025-02-29",
            "2026-13-01",
            "2026-1-1",
            "2026-01-32",
            "x",
            "2026-01-3é",
        ] {
            assert_eq!(Day::parse(wrong), None, "{wrong}");
        }
        let day = Day::parse("2026-11-23").unwrap();
        assert!(day.begins(Grain::Week, WeekStart::Monday));
        assert!(!day.begins(Grain::Week, WeekStart::Sunday));
        assert!(
            Day::parse("2026-10-01")
                .unwrap()
                .begins(Grain::Quarter, WeekStart::Monday)
        );
    }
}
