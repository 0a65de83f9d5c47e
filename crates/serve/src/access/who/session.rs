//! Sessions of the page: a random cookie of which only the hash is kept, and a secret that the page
//! has to repeat with every change (CSRF).

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::Row as _;

use super::store::{Store, instant};
use super::{Secret, WhoError};

/// A session ends after so long without a request.
const IDLE: TimeDelta = TimeDelta::hours(12);
/// A session ends after so long in any case.
const LONGEST: TimeDelta = TimeDelta::days(7);
/// A request within so long after the last that was noted is not noted again.
const NOTED_EVERY: TimeDelta = TimeDelta::minutes(1);
/// Letters of a cookie and of a CSRF secret: 256 bits.
const LETTERS: usize = 43;

/// A session that has just begun. The cookie is to be set with `HttpOnly`, `SameSite=Lax`, and
/// `Secure` unless the page is on loopback.
#[derive(Debug)]
pub struct NewSession {
    /// The cookie's value; kept nowhere.
    pub cookie: Secret,
    /// What the page has to send with every change.
    pub csrf: Secret,
    /// When it ends in any case.
    pub expires_at: DateTime<Utc>,
}

/// A session that goes on.
#[derive(Debug)]
pub struct Session {
    /// Whose it is.
    pub user: String,
    /// When it began.
    pub created_at: DateTime<Utc>,
    csrf: Secret,
}

impl Session {
    /// What the page has to send with every change.
    pub fn csrf(&self) -> &Secret {
        &self.csrf
    }

    /// Whether a request that changes something comes from our page.
    pub fn is_ours(&self, sent: &str) -> bool {
        self.csrf.is(sent)
    }
}

impl Store {
    /// Begins a session of a user.
    ///
    /// # Errors
    /// The file cannot be written.
    pub async fn begin_session(
        &self,
        user: &str,
        now: DateTime<Utc>,
    ) -> Result<NewSession, WhoError> {
        let (cookie, csrf) = (Secret::random(LETTERS)?, Secret::random(LETTERS)?);
        let expires_at = now + LONGEST;
        let work = async {
            let sql = "delete from session where expires_us <= ? or last_seen_us <= ?";
            sqlx::query(sql)
                .bind(now.timestamp_micros())
                .bind((now - IDLE).timestamp_micros())
                .execute(&self.pool)
                .await?;
            sqlx::query("insert into session values (?, ?, ?, ?, ?, ?)")
                .bind(cookie.sha256().to_vec())
                .bind(user)
                .bind(csrf.expose())
                .bind(now.timestamp_micros())
                .bind(now.timestamp_micros())
                .bind(expires_at.timestamp_micros())
                .execute(&self.pool)
                .await
        };
        work.await.map_err(|source| self.failed(source))?;
        Ok(NewSession {
            cookie,
            csrf,
            expires_at,
        })
    }

    /// The session of a cookie, if it goes on.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn session(
        &self,
        cookie: &Secret,
        now: DateTime<Utc>,
    ) -> Result<Option<Session>, WhoError> {
        let hash = cookie.sha256().to_vec();
        let sql = "select session.* from session join user on user.name = session.user
                   where hash = ? and expires_us > ? and last_seen_us > ?
                     and user.is_disabled = 0";
        let row = sqlx::query(sql)
            .bind(&hash)
            .bind(now.timestamp_micros())
            .bind((now - IDLE).timestamp_micros())
            .fetch_optional(&self.pool)
            .await
            .map_err(|source| self.failed(source))?;
        let Some(row) = row else { return Ok(None) };
        if now - instant(row.get("last_seen_us")) >= NOTED_EVERY {
            let done = sqlx::query("update session set last_seen_us = ? where hash = ?")
                .bind(now.timestamp_micros())
                .bind(&hash)
                .execute(&self.pool)
                .await;
            done.map_err(|source| self.failed(source))?;
        }
        Ok(Some(Session {
            user: row.get("user"),
            created_at: instant(row.get("created_us")),
            csrf: Secret::new(row.get::<String, _>("csrf")),
        }))
    }

    /// Ends a session; gives whose it was.
    ///
    /// # Errors
    /// The file cannot be written.
    pub async fn end_session(&self, cookie: &Secret) -> Result<Option<String>, WhoError> {
        let sql = "delete from session where hash = ? returning user";
        sqlx::query_scalar(sql)
            .bind(cookie.sha256().to_vec())
            .fetch_optional(&self.pool)
            .await
            .map_err(|source| self.failed(source))
    }

    /// Keeps what a log-in by another service has to come back to, under a key that only the
    /// browser has.
    pub(super) async fn keep_login(
        &self,
        key: &Secret,
        state: &str,
        until: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<(), WhoError> {
        let work = async {
            sqlx::query("delete from login_begun where expires_us <= ?")
                .bind(now.timestamp_micros())
                .execute(&self.pool)
                .await?;
            sqlx::query("insert into login_begun values (?, ?, ?)")
                .bind(key.sha256().to_vec())
                .bind(state)
                .bind(until.timestamp_micros())
                .execute(&self.pool)
                .await
        };
        work.await.map(|_| ()).map_err(|source| self.failed(source))
    }

    /// Takes what was kept: it comes back once.
    pub(super) async fn take_login(
        &self,
        key: &Secret,
        now: DateTime<Utc>,
    ) -> Result<Option<String>, WhoError> {
        let sql = "delete from login_begun where hash = ? returning state, expires_us";
        let row = sqlx::query(sql)
            .bind(key.sha256().to_vec())
            .fetch_optional(&self.pool)
            .await
            .map_err(|source| self.failed(source))?;
        let row = row.filter(|row| row.get::<i64, _>("expires_us") > now.timestamp_micros());
        Ok(row.map(|row| row.get("state")))
    }
}
