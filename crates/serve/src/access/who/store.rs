//! What is kept of users, tokens and sessions: `.throughline/access.db`, in SQLite.
//!
//! Several processes may have it open. Every change raises the epoch in the same transaction, so
//! that whoever runs queries for somebody sees within a second that it has to ask again.

mod schema;
mod tokens;
mod users;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions};
use sqlx::{Sqlite, Transaction};

use super::WhoError;
use super::password::{Cost, Hasher};
use super::secret::{Key, check_project_key};
use crate::access::Attribute;

/// The role that may administer.
pub const ADMIN: &str = "admin";

/// How a user proves who it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// By a password that is kept here.
    Password,
    /// By another service, as this subject of this issuer.
    Oidc {
        /// The issuer's address.
        issuer: String,
        /// Who it is there.
        subject: String,
    },
}

/// A user, without anything secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct User {
    /// Its name, in lower case.
    pub name: String,
    /// How it proves who it is.
    pub source: Source,
    /// Roles given by name.
    pub roles: BTreeSet<String>,
    /// Groups.
    pub groups: BTreeSet<String>,
    /// What row filters may ask of it.
    pub attributes: BTreeMap<String, Attribute>,
    /// It may not log in.
    pub is_disabled: bool,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When something of it was changed last.
    pub changed_at: DateTime<Utc>,
    /// When it logged in last.
    pub last_login_at: Option<DateTime<Utc>>,
}

/// A user to be made.
#[derive(Debug, Clone, Default)]
pub struct NewUser {
    /// Its name.
    pub name: String,
    /// Roles.
    pub roles: BTreeSet<String>,
    /// Groups.
    pub groups: BTreeSet<String>,
    /// Attributes.
    pub attributes: BTreeMap<String, Attribute>,
}

/// What of a user is to be changed; what is none stays.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// All its roles from now on.
    pub roles: Option<BTreeSet<String>>,
    /// All its groups from now on.
    pub groups: Option<BTreeSet<String>>,
    /// All its attributes from now on.
    pub attributes: Option<BTreeMap<String, Attribute>>,
    /// Whether it may not log in.
    pub is_disabled: Option<bool>,
}

/// A service token to be made.
#[derive(Debug, Clone, Default)]
pub struct NewToken {
    /// Its name; one is made of its roles and id without it.
    pub name: Option<String>,
    /// The user that it belongs to: it ends with that user.
    pub owner: Option<String>,
    /// Roles.
    pub roles: BTreeSet<String>,
    /// Attributes.
    pub attributes: BTreeMap<String, Attribute>,
    /// The doors that take it (`rest`, `postgres`, `flight`, `page`); all if there is none.
    pub doors: BTreeSet<String>,
    /// When it ends.
    pub expires_at: Option<DateTime<Utc>>,
}

/// A service token, without its secret: that is kept nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TokenRecord {
    /// The part of the token that may be seen.
    pub token_id: String,
    /// Its name.
    pub name: String,
    /// The user that it belongs to.
    pub owner: Option<String>,
    /// Roles.
    pub roles: BTreeSet<String>,
    /// Attributes.
    pub attributes: BTreeMap<String, Attribute>,
    /// The doors that take it; all if there is none.
    pub doors: BTreeSet<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it ends.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was used last, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
}

/// A user as the log-in sees it.
#[derive(Debug)]
pub struct Found {
    /// The user.
    pub user: User,
    pub(super) password_hash: Option<String>,
    pub(super) scram: Option<String>,
}

/// What is kept of users, tokens and sessions.
#[derive(Debug, Clone)]
pub struct Store {
    pub(super) pool: SqlitePool,
    path: String,
    pub(super) hasher: Hasher,
    pub(super) scram_key: Key,
    pub(super) fake_key: Key,
}

impl Store {
    /// Opens the file, making it where there is none, readable for its owner alone.
    ///
    /// # Errors
    /// The file cannot be opened, is a newer program's, or was made under another project key; the
    /// project's key could be guessed.
    pub async fn open(path: &Path, project_key: &[u8], cost: Cost) -> Result<Self, WhoError> {
        check_project_key(project_key)?;
        let shown = path.display().to_string();
        make_private(path).map_err(|source| WhoError::File {
            path: shown.clone(),
            source,
        })?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .foreign_keys(true)
            .busy_timeout(std::time::Duration::from_secs(10));
        let pool = SqlitePoolOptions::new()
            .max_connections(4)
            .connect_with(options)
            .await;
        let failed = |source| WhoError::Database {
            path: shown.clone(),
            source,
        };
        let store = Self {
            pool: pool.map_err(failed)?,
            path: shown,
            hasher: Hasher::new(Key::derive(project_key, "password"), cost),
            scram_key: Key::derive(project_key, "scram"),
            fake_key: Key::derive(project_key, "scram of nobody"),
        };
        store.upgrade().await?;
        store
            .check_key(&Key::derive(project_key, "access.db"))
            .await?;
        Ok(store)
    }

    /// Refuses a file that was made under another key; marks one that is new.
    async fn check_key(&self, key: &Key) -> Result<(), WhoError> {
        let mark = hex::encode(key.mac(&[b"this key"]));
        let work = async {
            let sql = "insert or ignore into setting (name, value) values ('key', ?)";
            sqlx::query(sql).bind(&mark).execute(&self.pool).await?;
            let sql = "select value from setting where name = 'key'";
            sqlx::query_scalar::<_, String>(sql)
                .fetch_one(&self.pool)
                .await
        };
        let found = work.await.map_err(|source| self.failed(source))?;
        if found == mark {
            return Ok(());
        }
        Err(WhoError::OtherKey {
            path: self.path.clone(),
        })
    }

    /// Counts the changes: whoever has asked about somebody before it rose has to ask again.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn epoch(&self) -> Result<i64, WhoError> {
        sqlx::query_scalar("select epoch from change")
            .fetch_one(&self.pool)
            .await
            .map_err(|source| self.failed(source))
    }

    /// Raises the epoch: something that is kept elsewhere has changed, for example a policy.
    ///
    /// # Errors
    /// The file cannot be written.
    pub async fn raise_epoch(&self) -> Result<i64, WhoError> {
        let mut transaction = self.begin().await?;
        self.raise(&mut transaction).await?;
        self.commit(transaction).await?;
        self.epoch().await
    }

    /// A key for a purpose beside those here (cursors, tickets), made of the project's: it is the
    /// same after a restart, and whoever has it knows no other.
    pub(crate) fn sub_key(&self, purpose: &str) -> Key {
        Key::derive(self.fake_key.bytes(), purpose)
    }

    /// Closes the file.
    pub async fn close(self) {
        self.pool.close().await;
    }

    pub(super) fn failed(&self, source: sqlx::Error) -> WhoError {
        WhoError::Database {
            path: self.path.clone(),
            source,
        }
    }

    /// Begins a change. Others that want to change something wait.
    pub(super) async fn begin(&self) -> Result<Transaction<'static, Sqlite>, WhoError> {
        let begun = self.pool.begin_with("begin immediate").await;
        begun.map_err(|source| self.failed(source))
    }

    pub(super) async fn raise(
        &self,
        transaction: &mut Transaction<'static, Sqlite>,
    ) -> Result<(), WhoError> {
        let raised = sqlx::query("update change set epoch = epoch + 1")
            .execute(&mut **transaction)
            .await;
        raised.map(|_| ()).map_err(|source| self.failed(source))
    }

    pub(super) async fn commit(
        &self,
        transaction: Transaction<'static, Sqlite>,
    ) -> Result<(), WhoError> {
        transaction
            .commit()
            .await
            .map_err(|source| self.failed(source))
    }
}

/// Makes the file before SQLite does, so that it and those beside it are its owner's alone.
fn make_private(path: &Path) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut options = std::fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
        options.mode(0o600);
        let file = options.open(path)?;
        file.set_permissions(std::fs::Permissions::from_mode(0o600))
    }
    #[cfg(not(unix))]
    options.open(path).map(|_| ())
}

const NAME: &str =
    "1 to 63 of a-z, 0-9, `.`, `_`, `-`, `@` and `+`, beginning with a letter or digit";

/// A name as it is kept: in lower case.
///
/// # Errors
/// It has other characters, is too long, or means something else.
pub fn check_name(name: &str) -> Result<String, WhoError> {
    let lower = name.trim().to_ascii_lowercase();
    let first = lower.bytes().next();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-@+".contains(&byte);
    let is_name = first.is_some_and(|byte| byte.is_ascii_alphanumeric())
        && lower.len() <= 63
        && lower.bytes().all(is_plain)
        // These stand for somebody in particular, or for nobody.
        && !["token", "public", "none", "anonymous", "throughline"].contains(&lower.as_str());
    match is_name {
        true => Ok(lower),
        false => Err(WhoError::Name {
            // What was typed may be a password in the wrong place.
            name: name
                .chars()
                .filter(|one| !one.is_control())
                .take(12)
                .collect(),
            hint: NAME,
        }),
    }
}

/// Checks names of roles, groups and attributes.
pub(super) fn check_words<'a>(words: impl IntoIterator<Item = &'a String>) -> Result<(), WhoError> {
    for word in words {
        let is_word = !word.is_empty()
            && word.len() <= 128
            && word.trim() == word
            && !word.chars().any(char::is_control);
        if !is_word {
            return Err(WhoError::Name {
                name: word
                    .chars()
                    .filter(|one| !one.is_control())
                    .take(40)
                    .collect(),
                hint: "1 to 128 characters, without control characters and outer spaces",
            });
        }
    }
    Ok(())
}

pub(super) fn instant(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or_default()
}

/// A set or map as it is kept.
pub(super) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

#[cfg(test)]
mod tests;
