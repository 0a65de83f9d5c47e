//! Guessing is slowed: ten wrong attempts a minute, then delays that double.
//!
//! What counts is the name with the address, so that nobody locks somebody else out; and, more
//! generously, the address over all names, and the name over all addresses. It is kept in memory
//! and bounded: who floods it with names forgets the oldest, never the busiest.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

/// Attempts in a minute before delays begin.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Of a name from an address.
    pub pair: u32,
    /// From an address, over all names.
    pub address: u32,
    /// Of a name, over all addresses.
    pub name: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            pair: 10,
            address: 100,
            name: 100,
        }
    }
}

/// Longest delay: of a name over all addresses it is short, or anybody could lock anybody out.
const DELAY_MAX: TimeDelta = TimeDelta::minutes(15);
const DELAY_MAX_NAME: TimeDelta = TimeDelta::seconds(10);
/// After so long without an attempt all is forgotten.
const FORGET: TimeDelta = TimeDelta::hours(1);
/// Most keys that are remembered.
const KEYS_MAX: usize = 50_000;

/// An attempt is refused for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many attempts: try again in {} s", .after.num_seconds() + 1)]
pub struct Slowed {
    /// How long to wait.
    pub after: TimeDelta,
    /// Whether this is the first refusal since the last attempt that was let through.
    pub is_first: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Scope {
    Pair(String, Option<IpAddr>),
    Address(Option<IpAddr>),
    Name(String),
}

#[derive(Debug, Clone, Copy)]
struct Count {
    /// Begin of the minute that is counted.
    minute: DateTime<Utc>,
    in_minute: u32,
    /// How often the limit was passed: the delay doubles with it.
    passed: u32,
    closed_until: DateTime<Utc>,
    last: DateTime<Utc>,
    was_refused: bool,
}

/// Counts attempts.
#[derive(Debug, Default)]
pub struct Throttle {
    limits: Limits,
    counts: Mutex<HashMap<Scope, Count>>,
}

impl Throttle {
    /// With other limits than the default ones.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            counts: Mutex::default(),
        }
    }

    /// Counts an attempt before it is made: many at once are counted all the same.
    ///
    /// # Errors
    /// It is one too many.
    pub fn begin(
        &self,
        name: &str,
        address: Option<IpAddr>,
        now: DateTime<Utc>,
    ) -> Result<(), Slowed> {
        let scopes = self.scopes(name, address);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= KEYS_MAX {
            make_room(&mut counts, now);
        }
        for (scope, ..) in &scopes {
            let Some(count) = counts.get_mut(scope) else {
                continue;
            };
            if now < count.closed_until {
                let is_first = !std::mem::replace(&mut count.was_refused, true);
                let after = count.closed_until - now;
                return Err(Slowed { after, is_first });
            }
        }
        for (scope, limit, delay_max) in scopes {
            // Many share an address, or would share in what is done to a name: a quiet minute
            // forgives there. Of a name from an address, only an hour does.
            let forgives = !matches!(scope, Scope::Pair(..));
            let count = counts.entry(scope).or_insert(Count::new(now));
            count.attempt(now, limit, delay_max, forgives);
        }
        Ok(())
    }

    /// The attempt was right: the name is free again from this address, and this attempt does not
    /// count otherwise. Those before do: who knows one password could else try others for ever.
    pub fn succeeded(&self, name: &str, address: Option<IpAddr>) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let [(pair, ..), others @ ..] = self.scopes(name, address);
        counts.remove(&pair);
        for (scope, ..) in others {
            if let Some(count) = counts.get_mut(&scope) {
                count.in_minute = count.in_minute.saturating_sub(1);
            }
        }
    }

    fn scopes(&self, name: &str, address: Option<IpAddr>) -> [(Scope, u32, TimeDelta); 3] {
        let name: String = name.chars().take(64).collect::<String>().to_lowercase();
        let address = address.map(network);
        [
            (
                Scope::Pair(name.clone(), address),
                self.limits.pair,
                DELAY_MAX,
            ),
            (Scope::Address(address), self.limits.address, DELAY_MAX),
            (Scope::Name(name), self.limits.name, DELAY_MAX_NAME),
        ]
    }
}

impl Count {
    fn new(now: DateTime<Utc>) -> Self {
        Self {
            minute: now,
            in_minute: 0,
            passed: 0,
            closed_until: now,
            last: now,
            was_refused: false,
        }
    }

    fn attempt(&mut self, now: DateTime<Utc>, limit: u32, delay_max: TimeDelta, forgives: bool) {
        if now - self.last > FORGET {
            *self = Self::new(now);
        }
        self.last = now;
        self.was_refused = false;
        if now - self.minute >= TimeDelta::minutes(1) && (forgives || self.passed == 0) {
            if self.in_minute < limit {
                self.passed = 0;
            }
            self.minute = now;
            self.in_minute = 0;
        }
        self.in_minute += 1;
        if self.in_minute >= limit {
            let seconds = 1_i64 << self.passed.min(20);
            self.passed += 1;
            self.closed_until = now + TimeDelta::seconds(seconds).min(delay_max);
        }
    }
}

/// An address as attackers have them: of IPv6, a network of 64 bits is one household.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let bits = u128::from(address) >> 64 << 64;
            IpAddr::V6(bits.into())
        }
        address => address,
    }
}

/// Forgets what is old; if that is not enough, the half that was tried least often.
fn make_room(counts: &mut HashMap<Scope, Count>, now: DateTime<Utc>) {
    counts.retain(|_, count| now - count.last <= FORGET);
    if counts.len() < KEYS_MAX {
        return;
    }
    let mut all: Vec<_> = counts.drain().collect();
    all.sort_by_key(|(_, count)| (count.in_minute, count.passed, count.last));
    counts.extend(all.split_off(KEYS_MAX / 2));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).expect("a time")
    }

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().expect("an address"))
    }

    #[test]
    fn ten_a_minute_then_delays_that_double() {
        let throttle = Throttle::default();
        let from = address("203.0.113.7");
        for _ in 0..10 {
            throttle.begin("ana", from, at(0)).expect("let through");
        }
        let slowed = throttle
            .begin("ana", from, at(0))
            .expect_err("the eleventh");
        assert_eq!(slowed.after, TimeDelta::seconds(1));
        assert!(slowed.is_first);
        let again = throttle.begin("ana", from, at(0)).expect_err("again");
        assert!(!again.is_first, "the audit log is not flooded");
        // Whoever waits as told is let through once, and waits twice as long then.
        let mut now = 1;
        for step in 1..9 {
            throttle
                .begin("ana", from, at(now))
                .expect("after the delay");
            let slowed = throttle.begin("ana", from, at(now)).expect_err("at once");
            assert_eq!(slowed.after, TimeDelta::seconds(1 << step));
            now += 1 << step;
        }
        // An hour of guessing is few guesses.
        let mut guesses = 0;
        for second in now..now + 3600 {
            guesses += u32::from(throttle.begin("ana", from, at(second)).is_ok());
        }
        assert!(guesses <= 6, "{guesses}");
        assert!(
            throttle.begin("ANA", from, at(now + 3600)).is_err(),
            "the same name"
        );
    }

    #[test]
    fn nobody_is_locked_out_by_somebody_else() {
        let throttle = Throttle::default();
        for _ in 0..50 {
            let _ = throttle.begin("ana", address("203.0.113.7"), at(0));
        }
        throttle
            .begin("ana", address("198.51.100.1"), at(0))
            .expect("ana herself");
        throttle
            .begin("bob", address("203.0.113.7"), at(0))
            .expect("another name");
    }

    #[test]
    fn many_names_from_one_address_are_slowed_too() {
        let throttle = Throttle::default();
        let from = address("203.0.113.7");
        let tried = |count: u32| {
            (0..count)
                .filter(|n| throttle.begin(&format!("u{n}"), from, at(0)).is_ok())
                .count()
        };
        assert_eq!(tried(500), 100);
        // Addresses of one IPv6 network are one.
        let mut passed = 0;
        for n in 0..500 {
            let from = address(&format!("2001:db8:1:1::{n:x}"));
            passed += u32::from(throttle.begin("ana", from, at(0)).is_ok());
        }
        assert_eq!(passed, 10);
    }

    #[test]
    fn success_forgets_and_time_too() {
        let throttle = Throttle::default();
        let from = address("203.0.113.7");
        for _ in 0..1_000 {
            throttle.begin("ana", from, at(0)).expect("right each time");
            throttle.succeeded("ana", from);
        }
        for second in 0..100 {
            throttle
                .begin("bob", from, at(100 + 7 * second))
                .expect("slow enough");
        }
    }

    #[test]
    fn memory_is_bounded_and_the_busiest_stay() {
        let throttle = Throttle::new(Limits {
            pair: 10,
            address: u32::MAX,
            name: u32::MAX,
        });
        let from = address("203.0.113.7");
        for _ in 0..11 {
            let _ = throttle.begin("ana", from, at(0));
        }
        for n in 0..60_000 {
            let _ = throttle.begin(&format!("u{n}"), from, at(0));
        }
        let kept = throttle.counts.lock().expect("counts").len();
        assert!(kept <= KEYS_MAX + 3, "{kept}");
        assert!(throttle.begin("ana", from, at(0)).is_err(), "still slowed");
    }
}
