//! Users: made, changed, removed, and found at log-in.

use chrono::{DateTime, Utc};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, Sqlite, Transaction};

use super::{
    ADMIN, Change, Found, NewUser, Source, Store, User, check_name, check_words, instant, json,
};
use crate::access::who::password::{self, normal};
use crate::access::who::scram::Verifier;
use crate::access::who::{Secret, WhoError};

impl Store {
    /// Makes the first administrator, if there is none; gives its name and its password, which is
    /// kept nowhere: it is to be shown once.
    ///
    /// # Errors
    /// The file cannot be written.
    pub async fn first_admin(
        &self,
        now: DateTime<Utc>,
    ) -> Result<Option<(String, Secret)>, WhoError> {
        if self.has_admin().await? {
            return Ok(None);
        }
        let password = Secret::random(24)?;
        let (hash, scram) = self.hashes(ADMIN, &password).await?;
        let mut transaction = self.begin().await?;
        // Two may start at once: one of them makes it.
        if self.admins(&mut transaction, None).await? > 0 {
            return Ok(None);
        }
        let sql = "insert into user
                       (name, password_hash, scram, roles, groups, attributes, created_us,
                        changed_us)
                   values (?, ?, ?, '[\"admin\"]', '[]', '{}', ?, ?)
                   on conflict (name) do update set
                       password_hash = excluded.password_hash, scram = excluded.scram,
                       roles = excluded.roles, is_disabled = 0, issuer = null, subject = null,
                       changed_us = excluded.changed_us";
        let made = sqlx::query(sql)
            .bind(ADMIN)
            .bind(hash)
            .bind(scram)
            .bind(now.timestamp_micros())
            .bind(now.timestamp_micros())
            .execute(&mut *transaction)
            .await;
        made.map_err(|source| self.failed(source))?;
        self.raise(&mut transaction).await?;
        self.commit(transaction).await?;
        Ok(Some((ADMIN.to_owned(), password)))
    }

    /// Whether anybody can administer.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn has_admin(&self) -> Result<bool, WhoError> {
        let mut transaction = self.begin().await?;
        Ok(self.admins(&mut transaction, None).await? > 0)
    }

    /// How many can log in by a password and administer, but for this one. Those whom another
    /// service vouches for are not counted: it may be gone tomorrow.
    async fn admins(
        &self,
        transaction: &mut Transaction<'static, Sqlite>,
        but: Option<&str>,
    ) -> Result<i64, WhoError> {
        let sql = "select count(*) from user, json_each(user.roles) as role
                   where role.value = 'admin' and is_disabled = 0 and password_hash is not null
                     and name is not ?";
        let count = sqlx::query_scalar(sql)
            .bind(but)
            .fetch_one(&mut **transaction)
            .await;
        count.map_err(|source| self.failed(source))
    }

    /// Makes a user with a password.
    ///
    /// # Errors
    /// The name is none or taken; the password is refused; the file cannot be written.
    pub async fn add_user(
        &self,
        new: &NewUser,
        password: &Secret,
        now: DateTime<Utc>,
    ) -> Result<User, WhoError> {
        let name = check_name(&new.name)?;
        check_words(
            new.roles
                .iter()
                .chain(&new.groups)
                .chain(new.attributes.keys()),
        )?;
        password::check(&name, password)?;
        let (hash, scram) = self.hashes(&name, password).await?;
        let sql = "insert or ignore into user
                       (name, password_hash, scram, roles, groups, attributes, created_us,
                        changed_us)
                   values (?, ?, ?, ?, ?, ?, ?, ?)";
        let mut transaction = self.begin().await?;
        let made = sqlx::query(sql)
            .bind(&name)
            .bind(hash)
            .bind(scram)
            .bind(json(&new.roles))
            .bind(json(&new.groups))
            .bind(json(&new.attributes))
            .bind(now.timestamp_micros())
            .bind(now.timestamp_micros())
            .execute(&mut *transaction)
            .await
            .map_err(|source| self.failed(source))?;
        if made.rows_affected() == 0 {
            return Err(WhoError::Exists { what: "user", name });
        }
        self.raise(&mut transaction).await?;
        self.commit(transaction).await?;
        self.user(&name).await
    }

    /// Gives a user another password. Its sessions end.
    ///
    /// # Errors
    /// There is no such user, or it has no password here; the password is refused; the file cannot
    /// be written.
    pub async fn set_password(
        &self,
        name: &str,
        password: &Secret,
        now: DateTime<Utc>,
    ) -> Result<(), WhoError> {
        let user = self.user(name).await?;
        if user.source != Source::Password {
            return Err(WhoError::NotLocal(user.name));
        }
        password::check(&user.name, password)?;
        let (hash, scram) = self.hashes(&user.name, password).await?;
        let mut transaction = self.begin().await?;
        let sql = "update user set password_hash = ?, scram = ?, changed_us = ?
                   where name = ? and issuer is null";
        let done = sqlx::query(sql)
            .bind(hash)
            .bind(scram)
            .bind(now.timestamp_micros())
            .bind(&user.name)
            .execute(&mut *transaction)
            .await;
        done.map_err(|source| self.failed(source))?;
        self.end_sessions(&mut transaction, &user.name).await?;
        self.raise(&mut transaction).await?;
        self.commit(transaction).await
    }

    /// Changes a user.
    ///
    /// # Errors
    /// There is no such user; nobody could administer any more; the file cannot be written.
    pub async fn change_user(
        &self,
        name: &str,
        change: &Change,
        now: DateTime<Utc>,
    ) -> Result<User, WhoError> {
        check_words(change.roles.iter().flatten())?;
        check_words(change.groups.iter().flatten())?;
        check_words(change.attributes.iter().flat_map(|map| map.keys()))?;
        let name = self.user(name).await?.name;
        let keeps_admin = change.is_disabled != Some(true)
            && change
                .roles
                .as_ref()
                .is_none_or(|roles| roles.contains(ADMIN));
        let mut transaction = self.begin().await?;
        self.spare_last_admin(&mut transaction, &name, keeps_admin)
            .await?;
        let sql = "update user set
                       roles = coalesce(?, roles),
                       groups = coalesce(?, groups),
                       attributes = coalesce(?, attributes),
                       is_disabled = coalesce(?, is_disabled),
                       changed_us = ?
                   where name = ?";
        let done = sqlx::query(sql)
            .bind(change.roles.as_ref().map(json))
            .bind(change.groups.as_ref().map(json))
            .bind(change.attributes.as_ref().map(json))
            .bind(change.is_disabled)
            .bind(now.timestamp_micros())
            .bind(&name)
            .execute(&mut *transaction)
            .await;
        done.map_err(|source| self.failed(source))?;
        if change.is_disabled == Some(true) {
            self.end_sessions(&mut transaction, &name).await?;
        }
        self.raise(&mut transaction).await?;
        self.commit(transaction).await?;
        self.user(&name).await
    }

    /// Removes a user. Its tokens are revoked, its sessions end.
    ///
    /// # Errors
    /// There is no such user; nobody could administer any more; the file cannot be written.
    pub async fn remove_user(&self, name: &str, now: DateTime<Utc>) -> Result<(), WhoError> {
        let name = self.user(name).await?.name;
        let mut transaction = self.begin().await?;
        self.spare_last_admin(&mut transaction, &name, false)
            .await?;
        let work = async {
            let sql = "update token set owner = null, revoked_us = coalesce(revoked_us, ?)
                       where owner = ?";
            sqlx::query(sql)
                .bind(now.timestamp_micros())
                .bind(&name)
                .execute(&mut *transaction)
                .await?;
            let sql = "delete from user where name = ?";
            sqlx::query(sql)
                .bind(&name)
                .execute(&mut *transaction)
                .await
        };
        work.await.map_err(|source| self.failed(source))?;
        self.raise(&mut transaction).await?;
        self.commit(transaction).await
    }

    /// Refuses a change after which nobody could administer, though somebody could before.
    async fn spare_last_admin(
        &self,
        transaction: &mut Transaction<'static, Sqlite>,
        name: &str,
        keeps_admin: bool,
    ) -> Result<(), WhoError> {
        if keeps_admin
            || self.admins(transaction, Some(name)).await? > 0
            || self.admins(transaction, None).await? == 0
        {
            return Ok(());
        }
        Err(WhoError::LastAdmin(name.to_owned()))
    }

    async fn end_sessions(
        &self,
        transaction: &mut Transaction<'static, Sqlite>,
        name: &str,
    ) -> Result<(), WhoError> {
        let done = sqlx::query("delete from session where user = ?")
            .bind(name)
            .execute(&mut **transaction)
            .await;
        done.map(|_| ()).map_err(|source| self.failed(source))
    }

    /// All users, by name.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn users(&self) -> Result<Vec<User>, WhoError> {
        let rows = sqlx::query("select * from user order by name")
            .fetch_all(&self.pool)
            .await;
        let rows = rows.map_err(|source| self.failed(source))?;
        Ok(rows.iter().map(user).collect())
    }

    /// One user.
    ///
    /// # Errors
    /// There is no such user, or the file cannot be read.
    pub async fn user(&self, name: &str) -> Result<User, WhoError> {
        match self.find(name).await? {
            Some(found) => Ok(found.user),
            None => Err(WhoError::Missing {
                what: "user",
                name: name
                    .chars()
                    .filter(|one| !one.is_control())
                    .take(63)
                    .collect(),
            }),
        }
    }

    /// A user as the log-in sees it; none if there is none of the name.
    pub(in crate::access::who) async fn find(&self, name: &str) -> Result<Option<Found>, WhoError> {
        let name = name.trim().to_ascii_lowercase();
        let row = sqlx::query("select * from user where name = ?")
            .bind(name)
            .fetch_optional(&self.pool)
            .await
            .map_err(|source| self.failed(source))?;
        Ok(row.as_ref().map(|row| Found {
            user: user(row),
            password_hash: row.get("password_hash"),
            scram: row.get("scram"),
        }))
    }

    /// Notes a log-in. It raises no epoch: nothing that anybody may see has changed.
    pub(in crate::access::who) async fn logged_in(
        &self,
        name: &str,
        now: DateTime<Utc>,
    ) -> Result<(), WhoError> {
        let done = sqlx::query("update user set last_login_us = ? where name = ?")
            .bind(now.timestamp_micros())
            .bind(name)
            .execute(&self.pool)
            .await;
        done.map(|_| ()).map_err(|source| self.failed(source))
    }

    /// Notes somebody whom another service vouches for: made at the first log-in, and its groups
    /// and roles as they are there at each. Gives the user; none if the name is another's.
    ///
    /// # Errors
    /// The name is none; the file cannot be written.
    pub async fn vouched(
        &self,
        new: &NewUser,
        (issuer, subject): (&str, &str),
        now: DateTime<Utc>,
    ) -> Result<Option<User>, WhoError> {
        let name = check_name(&new.name)?;
        check_words(
            new.roles
                .iter()
                .chain(&new.groups)
                .chain(new.attributes.keys()),
        )?;
        let mut transaction = self.begin().await?;
        let sql = "insert into user
                       (name, issuer, subject, roles, groups, attributes, created_us, changed_us)
                   values (?, ?, ?, ?, ?, ?, ?, ?)
                   on conflict (issuer, subject) do update set
                       roles = excluded.roles, groups = excluded.groups,
                       attributes = excluded.attributes, changed_us = excluded.changed_us
                       where roles != excluded.roles or groups != excluded.groups
                          or attributes != excluded.attributes
                   on conflict (name) do nothing";
        let done = sqlx::query(sql)
            .bind(&name)
            .bind(issuer)
            .bind(subject)
            .bind(json(&new.roles))
            .bind(json(&new.groups))
            .bind(json(&new.attributes))
            .bind(now.timestamp_micros())
            .bind(now.timestamp_micros())
            .execute(&mut *transaction)
            .await
            .map_err(|source| self.failed(source))?;
        if done.rows_affected() > 0 {
            self.raise(&mut transaction).await?;
        }
        self.commit(transaction).await?;
        let row = sqlx::query("select * from user where issuer = ? and subject = ?")
            .bind(issuer)
            .bind(subject)
            .fetch_optional(&self.pool)
            .await
            .map_err(|source| self.failed(source))?;
        Ok(row.as_ref().map(user))
    }

    /// The Argon2id hash and the SCRAM verifier of a password. The work is done on a thread of its
    /// own: it takes a while.
    async fn hashes(&self, name: &str, password: &Secret) -> Result<(String, String), WhoError> {
        let (hasher, key) = (self.hasher.clone(), self.scram_key.clone());
        let (name, password) = (name.to_owned(), normal(password));
        let work = tokio::task::spawn_blocking(move || {
            let hash = hasher.hash(&password)?;
            let scram = Verifier::make(&password)?.seal(&key, &name);
            Ok((hash, scram))
        });
        work.await.unwrap_or(Err(WhoError::Hash))
    }
}

fn user(row: &SqliteRow) -> User {
    let issuer: Option<String> = row.get("issuer");
    let subject: Option<String> = row.get("subject");
    let source = match issuer.zip(subject) {
        Some((issuer, subject)) => Source::Oidc { issuer, subject },
        None => Source::Password,
    };
    User {
        name: row.get("name"),
        source,
        roles: serde_json::from_str(row.get("roles")).unwrap_or_default(),
        groups: serde_json::from_str(row.get("groups")).unwrap_or_default(),
        attributes: serde_json::from_str(row.get("attributes")).unwrap_or_default(),
        is_disabled: row.get("is_disabled"),
        created_at: instant(row.get("created_us")),
        changed_at: instant(row.get("changed_us")),
        last_login_at: row.get::<Option<i64>, _>("last_login_us").map(instant),
    }
}
