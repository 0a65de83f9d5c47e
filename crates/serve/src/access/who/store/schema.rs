//! The tables, and how an older file is brought up to date.

use super::Store;
use crate::access::who::WhoError;

/// Step n brings a file of format n to format n + 1: what it does, and how it is marked. Steps are
/// never changed, only added.
const STEPS: [(&str, &str); 1] = [(
    "create table setting (name text primary key, value text not null) strict;
     create table change (epoch integer not null) strict;
     insert into change values (1);
     create table user (
         name text primary key,
         password_hash text,
         scram text,
         issuer text,
         subject text,
         roles text not null,
         groups text not null,
         attributes text not null,
         is_disabled integer not null default 0,
         created_us integer not null,
         changed_us integer not null,
         last_login_us integer,
         unique (issuer, subject)
     ) strict;
     create table token (
         token_id text primary key,
         name text not null unique,
         hash blob not null,
         owner text references user (name),
         roles text not null,
         attributes text not null,
         doors text not null,
         created_us integer not null,
         expires_us integer,
         last_used_us integer,
         revoked_us integer
     ) strict;
     create index token_by_owner on token (owner);
     create table session (
         hash blob primary key,
         user text not null references user (name) on delete cascade,
         csrf text not null,
         created_us integer not null,
         last_seen_us integer not null,
         expires_us integer not null
     ) strict;
     create index session_by_user on session (user);
     create table login_begun (
         hash blob primary key,
         state text not null,
         expires_us integer not null
     ) strict;",
    "pragma user_version = 1",
)];

impl Store {
    /// Takes the steps that a file has not taken. All are one transaction: another program waits,
    /// and then finds them taken.
    pub(super) async fn upgrade(&self) -> Result<(), WhoError> {
        let found = self.format(&self.pool).await?;
        if found == STEPS.len() {
            return Ok(());
        }
        let mut transaction = self.begin().await?;
        let found = self.format(&mut *transaction).await?;
        if found > STEPS.len() {
            return Err(WhoError::Newer {
                path: self.path.clone(),
                found,
                known: STEPS.len(),
            });
        }
        for (step, mark) in STEPS.iter().skip(found) {
            let taken = sqlx::raw_sql(*step).execute(&mut *transaction).await;
            taken.map_err(|source| self.failed(source))?;
            let marked = sqlx::query(*mark).execute(&mut *transaction).await;
            marked.map_err(|source| self.failed(source))?;
        }
        self.commit(transaction).await
    }

    async fn format(
        &self,
        executor: impl sqlx::Executor<'_, Database = sqlx::Sqlite>,
    ) -> Result<usize, WhoError> {
        let found: i64 = sqlx::query_scalar("pragma user_version")
            .fetch_one(executor)
            .await
            .map_err(|source| self.failed(source))?;
        Ok(usize::try_from(found).unwrap_or(usize::MAX))
    }
}
