//! Service tokens: made, listed, revoked, and proved.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use subtle::ConstantTimeEq as _;

use super::{NewToken, Store, TokenRecord, check_name, check_words, instant, json};
use crate::access::who::{Secret, WhoError, token};

/// A use within so long after the last that was noted is not noted again.
const NOTED_EVERY: TimeDelta = TimeDelta::minutes(1);

/// The doors that a token may be bound to.
const DOORS: [&str; 4] = ["rest", "postgres", "flight", "page"];

impl Store {
    /// Makes a token; gives what is kept of it, and the token itself, which is kept nowhere: it is
    /// to be shown once.
    ///
    /// # Errors
    /// A name is none or taken; there is no such owner; it would have expired already; the file
    /// cannot be written.
    pub async fn create_token(
        &self,
        new: &NewToken,
        now: DateTime<Utc>,
    ) -> Result<(TokenRecord, Secret), WhoError> {
        check_words(new.roles.iter().chain(new.attributes.keys()))?;
        if let Some(door) = new
            .doors
            .iter()
            .find(|door| !DOORS.contains(&door.as_str()))
        {
            return Err(WhoError::Name {
                name: door.clone(),
                hint: "a door is rest, postgres, flight or page",
            });
        }
        let latest = now + TimeDelta::days(3653);
        if new.expires_at.is_some_and(|at| at <= now || at > latest) {
            return Err(WhoError::Expiry);
        }
        let owner = match &new.owner {
            Some(owner) => Some(self.user(owner).await?.name),
            None => None,
        };
        let (token_id, secret) = token::make()?;
        let made_up = || {
            // A role may be called as no token can be.
            let role = new.roles.first().filter(|role| check_name(role).is_ok());
            format!("{}-{token_id}", role.map_or("token", String::as_str))
        };
        let name = check_name(&new.name.clone().unwrap_or_else(made_up))?;
        let mut transaction = self.begin().await?;
        let sql = "insert or ignore into token
                       (token_id, name, hash, owner, roles, attributes, doors, created_us,
                        expires_us)
                   values (?, ?, ?, ?, ?, ?, ?, ?, ?)";
        let made = sqlx::query(sql)
            .bind(&token_id)
            .bind(&name)
            .bind(secret.sha256().to_vec())
            .bind(&owner)
            .bind(json(&new.roles))
            .bind(json(&new.attributes))
            .bind(json(&new.doors))
            .bind(now.timestamp_micros())
            .bind(new.expires_at.map(|at| at.timestamp_micros()))
            .execute(&mut *transaction)
            .await
            .map_err(|source| self.failed(source))?;
        if made.rows_affected() == 0 {
            return Err(WhoError::Exists {
                what: "token",
                name,
            });
        }
        self.raise(&mut transaction).await?;
        self.commit(transaction).await?;
        let made = self.token(&token_id).await?;
        Ok((made, secret))
    }

    /// Revokes a token, by its name or id.
    ///
    /// # Errors
    /// There is no such token, or the file cannot be written.
    pub async fn revoke_token(
        &self,
        name_or_id: &str,
        now: DateTime<Utc>,
    ) -> Result<TokenRecord, WhoError> {
        let found = self.token(name_or_id).await?;
        let mut transaction = self.begin().await?;
        let sql = "update token set revoked_us = coalesce(revoked_us, ?) where token_id = ?";
        let done = sqlx::query(sql)
            .bind(now.timestamp_micros())
            .bind(&found.token_id)
            .execute(&mut *transaction)
            .await;
        done.map_err(|source| self.failed(source))?;
        self.raise(&mut transaction).await?;
        self.commit(transaction).await?;
        self.token(&found.token_id).await
    }

    /// All tokens, by name; the revoked and expired ones too.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn tokens(&self) -> Result<Vec<TokenRecord>, WhoError> {
        let rows = sqlx::query("select * from token order by name")
            .fetch_all(&self.pool)
            .await;
        let rows = rows.map_err(|source| self.failed(source))?;
        Ok(rows.iter().map(record).collect())
    }

    /// One token, by its name or id.
    ///
    /// # Errors
    /// There is no such token, or the file cannot be read.
    pub async fn token(&self, name_or_id: &str) -> Result<TokenRecord, WhoError> {
        let sql = "select * from token where token_id = ? or name = lower(?)
                   order by token_id = ? desc limit 1";
        let row = sqlx::query(sql)
            .bind(name_or_id)
            .bind(name_or_id)
            .bind(name_or_id)
            .fetch_optional(&self.pool)
            .await
            .map_err(|source| self.failed(source))?;
        match row {
            Some(row) => Ok(record(&row)),
            None => Err(WhoError::Missing {
                what: "token",
                // What was typed may be a token.
                name: name_or_id
                    .chars()
                    .filter(|one| !one.is_control())
                    .take(12)
                    .collect(),
            }),
        }
    }

    /// The token that this is: it is there, and neither revoked nor expired, and its owner, if it
    /// has one, may log in.
    pub(in crate::access::who) async fn prove_token(
        &self,
        token: &Secret,
        now: DateTime<Utc>,
    ) -> Result<Option<TokenRecord>, WhoError> {
        let Some(id) = token::id(token) else {
            return Ok(None);
        };
        let sql = "select token.*, coalesce(user.is_disabled, 0) as owner_is_disabled
                   from token left join user on user.name = token.owner where token_id = ?";
        let row = sqlx::query(sql)
            .bind(id)
            .fetch_optional(&self.pool)
            .await
            .map_err(|source| self.failed(source))?;
        let Some(row) = row else {
            return Ok(None);
        };
        let hash: Vec<u8> = row.get("hash");
        let fits = bool::from(hash.ct_eq(&token.sha256()));
        let record = record(&row);
        if !fits || row.get::<bool, _>("owner_is_disabled") || !record.is_live(now) {
            return Ok(None);
        }
        self.note_use(&record, now).await?;
        Ok(Some(record))
    }

    /// Whether a token that was proved before is still good.
    pub(in crate::access::who) async fn live_token(
        &self,
        name: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<TokenRecord>, WhoError> {
        let sql = "select token.*, coalesce(user.is_disabled, 0) as owner_is_disabled
                   from token left join user on user.name = token.owner where token.name = ?";
        let row = sqlx::query(sql)
            .bind(name)
            .fetch_optional(&self.pool)
            .await
            .map_err(|source| self.failed(source))?;
        let row = row.filter(|row| !row.get::<bool, _>("owner_is_disabled"));
        Ok(row
            .as_ref()
            .map(record)
            .filter(|record| record.is_live(now)))
    }

    async fn note_use(&self, record: &TokenRecord, now: DateTime<Utc>) -> Result<(), WhoError> {
        if record
            .last_used_at
            .is_some_and(|last| now - last < NOTED_EVERY)
        {
            return Ok(());
        }
        let done = sqlx::query("update token set last_used_us = ? where token_id = ?")
            .bind(now.timestamp_micros())
            .bind(&record.token_id)
            .execute(&self.pool)
            .await;
        done.map(|_| ()).map_err(|source| self.failed(source))
    }
}

impl TokenRecord {
    /// Whether it is neither revoked nor expired.
    pub fn is_live(&self, now: DateTime<Utc>) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|at| now < at)
    }
}

fn record(row: &SqliteRow) -> TokenRecord {
    let time = |column| row.get::<Option<i64>, _>(column).map(instant);
    TokenRecord {
        token_id: row.get("token_id"),
        name: row.get("name"),
        owner: row.get("owner"),
        roles: serde_json::from_str(row.get("roles")).unwrap_or_default(),
        attributes: serde_json::from_str(row.get("attributes")).unwrap_or_default(),
        doors: serde_json::from_str(row.get("doors")).unwrap_or_default(),
        created_at: instant(row.get("created_us")),
        expires_at: time("expires_us"),
        last_used_at: time("last_used_us"),
        revoked_at: time("revoked_us"),
    }
}
