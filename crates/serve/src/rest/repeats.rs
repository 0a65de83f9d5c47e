//! Requests that may be sent again: what changes something is done once per `Idempotency-Key`.
//!
//! The answer is kept for a day, in memory, and given again to the same principal only; the key
//! itself and the request are kept as hashes. After a restart the keys are forgotten.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest as _, Sha256};

use super::problem::Problem;

/// Answers that are kept; without room a request with a key is refused.
const KEPT: usize = 10_000;
/// How long an answer is kept.
const FOR: TimeDelta = TimeDelta::hours(24);
/// Longest key.
const KEY_BYTES: usize = 255;

/// An answer that was given.
#[derive(Clone)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

struct Known {
    request: [u8; 32],
    /// None while it is being worked out.
    answer: Option<Answer>,
    at: DateTime<Utc>,
}

/// What is known of keys.
#[derive(Default)]
pub(super) struct Repeats {
    known: Mutex<HashMap<[u8; 32], Known>>,
}

/// What a key means.
pub(super) enum Begun {
    /// Nothing was done under it: do it, and say how it ended to [`Repeats::end`].
    New([u8; 32]),
    /// It was done: give this answer again.
    Done(Box<Answer>),
}

impl Repeats {
    fn known(&self) -> MutexGuard<'_, HashMap<[u8; 32], Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a request under a key. `place` is who asks for what: principal, method and path.
    ///
    /// # Errors
    /// The key has no form; it was used for another request; that request still runs; or there is
    /// no room.
    pub(super) fn begin(
        &self,
        key: &str,
        place: &[&str],
        body: &[u8],
        now: DateTime<Utc>,
    ) -> Result<Begun, Problem> {
        if key.is_empty()
            || key.len() > KEY_BYTES
            || !key.bytes().all(|byte| byte.is_ascii_graphic())
        {
            return Err(Problem::bad("`Idempotency-Key` has no form of a key")
                .hint("1 to 255 letters, digits and signs without spaces, such as a UUID"));
        }
        let id = hashed(
            place
                .iter()
                .map(|part| part.as_bytes())
                .chain([key.as_bytes()]),
        );
        let request = hashed([body]);
        let mut all = self.known();
        if all.len() >= KEPT {
            all.retain(|_, known| now - known.at < FOR);
        }
        if let Some(known) = all.get(&id).filter(|known| now - known.at < FOR) {
            if known.request != request {
                return Err(Problem::unprocessable(
                    "this `Idempotency-Key` was used for another request",
                )
                .hint("use a new key for each request, and the same one to send it again"));
            }
            return match &known.answer {
                Some(answer) => Ok(Begun::Done(Box::new(answer.clone()))),
                None => Err(Problem::new(
                    StatusCode::CONFLICT,
                    "the request with this `Idempotency-Key` still runs",
                )
                .after(1)),
            };
        }
        if all.len() >= KEPT {
            let detail = "too many requests with an `Idempotency-Key` are remembered";
            return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail).after(60));
        }
        let known = Known {
            request,
            answer: None,
            at: now,
        };
        all.insert(id, known);
        Ok(Begun::New(id))
    }

    /// How a request ended; none: it may be tried again under its key.
    pub(super) fn end(&self, id: [u8; 32], answer: Option<Answer>) {
        let mut all = self.known();
        match answer {
            None => {
                all.remove(&id);
            }
            Some(answer) => {
                if let Some(known) = all.get_mut(&id) {
                    known.answer = Some(answer);
                }
            }
        }
    }
}

fn hashed<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    hasher.finalize().into()
}
