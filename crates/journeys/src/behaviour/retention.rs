//! How many customers come back: cohorts by their first period, and the periods after it.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};

/// A piece of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// A day.
    Day,
    /// A week from Monday to Sunday.
    WeekFromMonday,
    /// A week from Sunday to Saturday.
    WeekFromSunday,
    /// A month.
    Month,
}

/// Days since 1970 of the first of January of the year 1, less one, as chrono counts days.
const EPOCH_DAYS: i32 = 719_163;

impl Period {
    /// Number of the period that holds a day (days since 1970).
    pub(super) fn of(self, day: i32) -> i32 {
        match self {
            Self::Day => day,
            // The first of January 1970 was a Thursday.
            Self::WeekFromMonday => (day + 3).div_euclid(7),
            Self::WeekFromSunday => (day + 4).div_euclid(7),
            Self::Month => {
                let date = NaiveDate::from_num_days_from_ce_opt(day + EPOCH_DAYS);
                date.map_or(0, |date| date.year() * 12 + date.month0().cast_signed())
            }
        }
    }

    /// First day of a period, in days since 1970.
    pub(super) fn first_day(self, period: i32) -> i32 {
        match self {
            Self::Day => period,
            Self::WeekFromMonday => period * 7 - 3,
            Self::WeekFromSunday => period * 7 - 4,
            Self::Month => {
                let month = period.rem_euclid(12).cast_unsigned() + 1;
                let date = NaiveDate::from_ymd_opt(period.div_euclid(12), month, 1);
                date.map_or(0, |date| date.num_days_from_ce() - EPOCH_DAYS)
            }
        }
    }
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetentionSettings {
    /// The periods.
    pub period: Period,
    /// How many periods after the first are shown; None: all there are.
    pub periods: Option<i32>,
    /// A customer who comes back in a period counts in all periods before it too.
    pub unbounded: bool,
}

/// A cohort in one period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetentionRow {
    /// First day of the cohort's period, in days since 1970.
    pub cohort_day: i32,
    /// Customers of the cohort.
    pub cohort_customers: u64,
    /// Periods since the cohort's; 0 is its own.
    pub period_number: i32,
    /// First day of the period, in days since 1970.
    pub period_day: i32,
    /// Customers who were there.
    pub customers: u64,
    /// The period is not over in the data: it may still grow.
    pub is_immature: bool,
}

#[derive(Debug, Default)]
struct Cohort {
    customers: u64,
    /// By number of periods since the first, from 1 on.
    returned: Vec<u64>,
}

/// Counts who comes back.
#[derive(Debug)]
pub struct Retention {
    settings: RetentionSettings,
    cohorts: BTreeMap<i32, Cohort>,
    /// Of the customer: the first period, and the last one since that was counted.
    customer: Option<(i32, i32)>,
    last_day: Option<i32>,
}

impl Retention {
    /// For the first customer.
    pub fn new(settings: RetentionSettings) -> Self {
        Self {
            settings,
            cohorts: BTreeMap::new(),
            customer: None,
            last_day: None,
        }
    }

    /// A row of the customer, on this day (days since 1970), in order of time. The first that is a
    /// start makes the cohort; those after it that are a return count.
    pub fn row(&mut self, day: i32, is_start: bool, is_return: bool) {
        self.last_day = self.last_day.max(Some(day));
        let period = self.settings.period.of(day);
        let Some((first, last)) = self.customer else {
            if is_start {
                self.customer = Some((period, period));
                self.cohorts.entry(period).or_default().customers += 1;
            }
            return;
        };
        if is_return && period > last {
            let settings = self.settings;
            self.customer = Some((first, period));
            let cohort = self.cohorts.entry(first).or_default();
            let shown = |number: i32| settings.periods.is_none_or(|periods| number <= periods);
            let from = if settings.unbounded { last + 1 } else { period };
            for number in (from - first..=period - first).take_while(|number| shown(*number)) {
                let place = usize::try_from(number - 1).unwrap_or(0);
                if cohort.returned.len() <= place {
                    cohort.returned.resize(place + 1, 0);
                }
                cohort.returned[place] += 1;
            }
        }
    }

    /// The rows of the customer have ended.
    pub fn end_customer(&mut self) {
        self.customer = None;
    }

    /// Each cohort with each of its periods up to the last one in the data.
    pub fn finish(self) -> Vec<RetentionRow> {
        let period = self.settings.period;
        let Some(last_day) = self.last_day else {
            return Vec::new();
        };
        let last = period.of(last_day);
        let mut rows = Vec::new();
        for (first, cohort) in self.cohorts {
            let periods = self.settings.periods.unwrap_or(i32::MAX).min(last - first);
            for number in 0..=periods {
                let returned = usize::try_from(number - 1).ok();
                let customers = match returned {
                    None => cohort.customers,
                    Some(place) => cohort.returned.get(place).copied().unwrap_or_default(),
                };
                rows.push(RetentionRow {
                    cohort_day: period.first_day(first),
                    cohort_customers: cohort.customers,
                    period_number: number,
                    period_day: period.first_day(first + number),
                    customers,
                    is_immature: first + number >= last,
                });
            }
        }
        rows
    }

    /// Bytes held, about.
    pub fn memory_bytes(&self) -> usize {
        let cohorts = self.cohorts.values();
        cohorts
            .map(|cohort| 64 + cohort.returned.capacity() * 8)
            .sum()
    }
}
