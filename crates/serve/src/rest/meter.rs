//! How much one caller may ask: a rate, with a little at once, and so much a day.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::problem::Problem;

/// Callers that are remembered; those who have asked longest ago are forgotten.
const CALLERS: usize = 50_000;

/// How much one caller may ask.
#[derive(Debug, Clone, Copy)]
pub struct Rate {
    /// Requests a minute, in the long run; as many at once.
    pub a_minute: u32,
    /// Requests a day, of UTC.
    pub a_day: u32,
}

impl Default for Rate {
    fn default() -> Self {
        Self {
            a_minute: 1_200,
            a_day: 500_000,
        }
    }
}

/// What one caller has asked.
#[derive(Debug, Clone, Copy)]
struct Spent {
    /// Requests that it may make at once, as of `at`.
    left: f64,
    at: DateTime<Utc>,
    day: NaiveDate,
    on_day: u32,
}

/// What is left after a request, for its headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Left {
    limit: u32,
    left: u32,
    /// Seconds until everything is there again.
    resets: i64,
}

/// Counts what callers ask.
#[derive(Debug)]
pub(super) struct Meter {
    rate: Rate,
    spent: Mutex<HashMap<String, Spent>>,
}

impl Meter {
    pub(super) fn new(rate: Rate) -> Self {
        Self {
            rate,
            spent: Mutex::default(),
        }
    }

    /// Counts a request of a caller.
    ///
    /// # Errors
    /// It is one too many: 429, with the time until the next is answered.
    pub(super) fn count(&self, caller: &str, now: DateTime<Utc>) -> Result<Left, Problem> {
        let most = f64::from(self.rate.a_minute.max(1));
        let mut all = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= CALLERS && !all.contains_key(caller) {
            all.retain(|_, spent| now - spent.at < TimeDelta::minutes(1));
            if all.len() >= CALLERS {
                all.clear();
            }
        }
        let today = now.date_naive();
        let spent = all.entry(caller.to_owned()).or_insert(Spent {
            left: most,
            at: now,
            day: today,
            on_day: 0,
        });
        let seconds = (now - spent.at).num_milliseconds().max(0) as f64 / 1_000.0;
        spent.left = (spent.left + seconds * most / 60.0).min(most);
        spent.at = spent.at.max(now);
        if spent.day != today {
            (spent.day, spent.on_day) = (today, 0);
        }
        if spent.on_day >= self.rate.a_day {
            let midnight = today
                .succ_opt()
                .unwrap_or(today)
                .and_time(Default::default());
            let wait = (midnight.and_utc() - now).num_seconds();
            return Err(too_many("the day's quota is spent").after(wait));
        }
        if spent.left < 1.0 {
            let wait = ((1.0 - spent.left) * 60.0 / most).ceil() as i64;
            return Err(too_many("too many requests in too little time").after(wait));
        }
        spent.left -= 1.0;
        spent.on_day += 1;
        Ok(Left {
            limit: self.rate.a_minute,
            left: (spent.left as u32).min(self.rate.a_day - spent.on_day),
            resets: ((most - spent.left) * 60.0 / most).ceil() as i64,
        })
    }
}

fn too_many(detail: &str) -> Problem {
    Problem::new(StatusCode::TOO_MANY_REQUESTS, detail).hint("`Retry-After` says when to ask again")
}

impl Left {
    /// Writes it into the headers of an answer.
    pub(super) fn write(self, headers: &mut HeaderMap) {
        let mut insert = |name: &'static str, value: i64| {
            headers.insert(HeaderName::from_static(name), HeaderValue::from(value));
        };
        insert("ratelimit-limit", i64::from(self.limit));
        insert("ratelimit-remaining", i64::from(self.left));
        insert("ratelimit-reset", self.resets);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_has_a_rate_and_a_quota() {
        let meter = Meter::new(Rate {
            a_minute: 60,
            a_day: 100,
        });
        let begin = DateTime::UNIX_EPOCH;
        for _ in 0..60 {
            meter.count("ana", begin).expect("one of sixty");
        }
        let problem = meter.count("ana", begin).expect_err("one too many");
        assert_eq!(problem.status(), StatusCode::TOO_MANY_REQUESTS);
        meter.count("bob", begin).expect("another");
        let later = begin + TimeDelta::seconds(10);
        for _ in 0..10 {
            meter.count("ana", later).expect("ten more");
        }
        meter.count("ana", later).expect_err("one too many");
        let much_later = begin + TimeDelta::hours(1);
        for _ in 0..30 {
            meter.count("ana", much_later).expect("the rest of the day");
        }
        meter.count("ana", much_later).expect_err("the day is over");
        meter
            .count("ana", begin + TimeDelta::days(1))
            .expect("the next day");
    }

    #[test]
    fn a_clock_that_goes_back_gives_nothing() {
        let meter = Meter::new(Rate {
            a_minute: 1,
            a_day: 100,
        });
        let begin = DateTime::UNIX_EPOCH + TimeDelta::hours(2);
        meter.count("ana", begin).expect("the first");
        meter
            .count("ana", begin - TimeDelta::hours(1))
            .expect_err("too early");
        meter
            .count("ana", begin + TimeDelta::seconds(30))
            .expect_err("too early");
        meter
            .count("ana", begin + TimeDelta::seconds(60))
            .expect("the second");
    }
}
