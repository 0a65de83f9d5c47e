//! Which own schemas, tables and views there are: `.throughline/own.db`, in SQLite.
//!
//! All of it is small and is kept in memory too, where plans look names up. A change is made on a
//! copy, written in one transaction, and only then seen: a crash leaves what was before or what is
//! after, and a name never leads to half a table.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, Utc};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions};
use sqlx::{Row as _, Sqlite, Transaction};

use super::relation::{Body, Relation};
use crate::access::error::{AccessError, Reason, Result};

/// The format that this program writes.
const FORMAT: i64 = 1;
/// How long another process is waited for.
const BUSY: std::time::Duration = std::time::Duration::from_secs(10);

const TABLES: &str = "
create table change (epoch integer not null) strict;
insert into change values (1);
create table own_schema (
    name text primary key, owner text not null, created_us integer not null
) strict;
create table relation (
    schema_name text not null references own_schema (name),
    name text not null,
    body text not null,
    primary key (schema_name, name)
) strict;
create table dropped (id text primary key) strict;
pragma user_version = 1;
";

/// An own schema.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Schema {
    /// Who made it.
    pub(crate) owner: String,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) relations: BTreeMap<String, Arc<Relation>>,
}

/// All there is.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct State {
    pub(crate) schemas: BTreeMap<String, Schema>,
    /// How often something was changed.
    pub(crate) epoch: i64,
}

impl State {
    pub(crate) fn relation(&self, schema: &str, name: &str) -> Option<&Arc<Relation>> {
        self.schemas.get(schema)?.relations.get(name)
    }

    /// All tables and views: schema, name, what is kept of it.
    pub(crate) fn relations(&self) -> impl Iterator<Item = (&str, &str, &Arc<Relation>)> {
        self.schemas.iter().flat_map(|(schema, of)| {
            let relations = of.relations.iter();
            relations.map(move |(name, relation)| (schema.as_str(), name.as_str(), relation))
        })
    }
}

/// A change in the making: a copy of what there is, and what has to be written.
pub(crate) struct Edit {
    pub(crate) state: State,
    writes: Vec<Write>,
}

enum Write {
    Schema(String),
    NoSchema(String),
    Relation(String, String),
    NoRelation(String, String),
    /// A table's files are not needed any more.
    Dropped(String),
}

impl Edit {
    pub(crate) fn add_schema(&mut self, name: &str, owner: &str, at: DateTime<Utc>) {
        let schema = Schema {
            owner: owner.to_owned(),
            created_at: at,
            relations: BTreeMap::new(),
        };
        self.state.schemas.insert(name.to_owned(), schema);
        self.writes.push(Write::Schema(name.to_owned()));
    }

    /// Removes a schema with all that is in it.
    pub(crate) fn remove_schema(&mut self, name: &str) {
        let Some(schema) = self.state.schemas.get(name) else {
            return;
        };
        let names: Vec<String> = schema.relations.keys().cloned().collect();
        for relation in names {
            self.remove(name, &relation);
        }
        self.state.schemas.remove(name);
        self.writes.push(Write::NoSchema(name.to_owned()));
    }

    /// Puts a table or view under a name, in the place of what is there.
    pub(crate) fn put(&mut self, schema: &str, name: &str, relation: Relation) {
        let Some(of) = self.state.schemas.get_mut(schema) else {
            return;
        };
        let new = Arc::new(relation);
        let old = of.relations.insert(name.to_owned(), new.clone());
        if let Some(id) = old.as_ref().and_then(|old| old.id())
            && new.id() != Some(id)
        {
            self.writes.push(Write::Dropped(id.to_owned()));
        }
        self.writes
            .push(Write::Relation(schema.to_owned(), name.to_owned()));
    }

    pub(crate) fn remove(&mut self, schema: &str, name: &str) {
        let of = self.state.schemas.get_mut(schema);
        let Some(old) = of.and_then(|of| of.relations.remove(name)) else {
            return;
        };
        if let Some(id) = old.id() {
            self.writes.push(Write::Dropped(id.to_owned()));
        }
        self.writes
            .push(Write::NoRelation(schema.to_owned(), name.to_owned()));
    }

    /// Gives a table or view another name.
    pub(crate) fn rename(&mut self, schema: &str, from: &str, to: &str) {
        let Some(of) = self.state.schemas.get_mut(schema) else {
            return;
        };
        let Some(relation) = of.relations.remove(from) else {
            return;
        };
        of.relations.insert(to.to_owned(), relation);
        self.writes
            .push(Write::NoRelation(schema.to_owned(), from.to_owned()));
        self.writes
            .push(Write::Relation(schema.to_owned(), to.to_owned()));
    }
}

/// What is kept, and where.
#[derive(Debug)]
pub(crate) struct Registry {
    pool: SqlitePool,
    now: RwLock<Arc<State>>,
    /// One change at a time.
    changing: tokio::sync::Mutex<()>,
}

impl Registry {
    /// Opens the file, making it where there is none, readable for its owner alone.
    pub(crate) async fn open(path: &Path) -> Result<Self> {
        make_private(path).map_err(|error| failed(&error))?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .foreign_keys(true)
            .busy_timeout(BUSY);
        let pool = SqlitePoolOptions::new()
            .max_connections(2)
            .connect_with(options)
            .await
            .map_err(|error| failed(&error))?;
        let registry = Self {
            pool,
            now: RwLock::default(),
            changing: tokio::sync::Mutex::default(),
        };
        registry.prepare().await?;
        registry.reload().await?;
        Ok(registry)
    }

    async fn prepare(&self) -> Result<()> {
        let mut transaction = self.begin().await?;
        let found: i64 = sqlx::query_scalar("pragma user_version")
            .fetch_one(&mut *transaction)
            .await
            .map_err(|error| failed(&error))?;
        if found > FORMAT {
            let message = format!("`own.db` is of format {found}, this program knows {FORMAT}");
            return Err(AccessError::new(Reason::Internal, message)
                .hint("use the program that wrote it, or a later one"));
        }
        if found == 0 {
            let made = sqlx::raw_sql(TABLES).execute(&mut *transaction).await;
            made.map_err(|error| failed(&error))?;
        }
        transaction.commit().await.map_err(|error| failed(&error))
    }

    async fn begin(&self) -> Result<Transaction<'static, Sqlite>> {
        let begun = self.pool.begin_with("begin immediate").await;
        begun.map_err(|error| failed(&error))
    }

    /// What there is now.
    pub(crate) fn now(&self) -> Arc<State> {
        let now = self.now.read().unwrap_or_else(PoisonError::into_inner);
        now.clone()
    }

    fn show(&self, state: State) {
        let mut now = self.now.write().unwrap_or_else(PoisonError::into_inner);
        *now = Arc::new(state);
    }

    /// Reads all of it again if another process has changed it.
    pub(crate) async fn catch_up(&self) -> Result<()> {
        let epoch: i64 = sqlx::query_scalar("select epoch from change")
            .fetch_one(&self.pool)
            .await
            .map_err(|error| failed(&error))?;
        if epoch == self.now().epoch {
            return Ok(());
        }
        let _one = self.changing.lock().await;
        self.reload().await
    }

    async fn reload(&self) -> Result<()> {
        let mut transaction = self.begin().await?;
        let state = read(&mut transaction).await?;
        self.show(state);
        Ok(())
    }

    /// Makes a change and writes it, or neither.
    pub(crate) async fn edit<T>(&self, change: impl FnOnce(&mut Edit) -> Result<T>) -> Result<T> {
        let _one = self.changing.lock().await;
        let mut transaction = self.begin().await?;
        let epoch: i64 = sqlx::query_scalar("select epoch from change")
            .fetch_one(&mut *transaction)
            .await
            .map_err(|error| failed(&error))?;
        let state = match self.now() {
            known if known.epoch == epoch => known.as_ref().clone(),
            _ => read(&mut transaction).await?,
        };
        let mut edit = Edit {
            state,
            writes: vec![],
        };
        let result = change(&mut edit)?;
        for write in &edit.writes {
            one(&mut transaction, &edit.state, write).await?;
        }
        sqlx::query("update change set epoch = epoch + 1")
            .execute(&mut *transaction)
            .await
            .map_err(|error| failed(&error))?;
        transaction.commit().await.map_err(|error| failed(&error))?;
        edit.state.epoch = epoch + 1;
        self.show(edit.state);
        Ok(result)
    }

    /// Tables whose files are not needed any more.
    pub(crate) async fn dropped(&self) -> Result<BTreeSet<String>> {
        let found = sqlx::query_scalar("select id from dropped")
            .fetch_all(&self.pool)
            .await;
        let found: Vec<String> = found.map_err(|error| failed(&error))?;
        Ok(found.into_iter().collect())
    }

    /// The files of a table are gone.
    pub(crate) async fn forget(&self, id: &str) -> Result<()> {
        let done = sqlx::query("delete from dropped where id = ?")
            .bind(id)
            .execute(&self.pool)
            .await;
        done.map(|_| ()).map_err(|error| failed(&error))
    }

    #[cfg(test)]
    pub(crate) async fn break_it(&self) {
        self.pool.close().await;
    }
}

/// The tables that a list names, with their versions.
pub(crate) async fn tables_in(path: &Path) -> Result<Vec<(String, u64)>> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false);
    let pool = SqlitePool::connect_with(options).await;
    let pool = pool.map_err(|error| failed(&error))?;
    let begun = pool.begin_with("begin").await;
    let mut transaction = begun.map_err(|error| failed(&error))?;
    let state = read(&mut transaction).await?;
    drop(transaction);
    pool.close().await;
    let tables = state
        .relations()
        .filter_map(|(_, _, relation)| match &relation.body {
            Body::Table { id, version, .. } => Some((id.clone(), *version)),
            Body::View { .. } => None,
        });
    Ok(tables.collect())
}

async fn read(transaction: &mut Transaction<'static, Sqlite>) -> Result<State> {
    let epoch = sqlx::query_scalar("select epoch from change")
        .fetch_one(&mut **transaction)
        .await
        .map_err(|error| failed(&error))?;
    let mut state = State {
        schemas: BTreeMap::new(),
        epoch,
    };
    let schemas = sqlx::query("select name, owner, created_us from own_schema")
        .fetch_all(&mut **transaction)
        .await
        .map_err(|error| failed(&error))?;
    for row in schemas {
        let schema = Schema {
            owner: row.get("owner"),
            created_at: DateTime::from_timestamp_micros(row.get("created_us")).unwrap_or_default(),
            relations: BTreeMap::new(),
        };
        state.schemas.insert(row.get("name"), schema);
    }
    let relations = sqlx::query("select schema_name, name, body from relation")
        .fetch_all(&mut **transaction)
        .await
        .map_err(|error| failed(&error))?;
    for row in relations {
        let (schema, name): (String, String) = (row.get("schema_name"), row.get("name"));
        let relation = serde_json::from_str(row.get("body")).map_err(|error| failed(&error))?;
        if let Some(of) = state.schemas.get_mut(&schema) {
            of.relations.insert(name, Arc::new(relation));
        }
    }
    Ok(state)
}

async fn one(
    transaction: &mut Transaction<'static, Sqlite>,
    state: &State,
    write: &Write,
) -> Result<()> {
    let query = match write {
        Write::Schema(name) => {
            let Some(schema) = state.schemas.get(name) else {
                return Ok(());
            };
            sqlx::query("insert or replace into own_schema values (?, ?, ?)")
                .bind(name)
                .bind(&schema.owner)
                .bind(schema.created_at.timestamp_micros())
        }
        Write::NoSchema(name) => sqlx::query("delete from own_schema where name = ?").bind(name),
        Write::Relation(schema, name) => {
            // What was put and renamed in one change is written under its last name.
            let Some(relation) = state.relation(schema, name) else {
                return Ok(());
            };
            let body = serde_json::to_string(relation).map_err(|error| failed(&error))?;
            sqlx::query("insert or replace into relation values (?, ?, ?)")
                .bind(schema)
                .bind(name)
                .bind(body)
        }
        Write::NoRelation(schema, name) => {
            sqlx::query("delete from relation where schema_name = ? and name = ?")
                .bind(schema)
                .bind(name)
        }
        Write::Dropped(id) => sqlx::query("insert or ignore into dropped values (?)").bind(id),
    };
    let done = query.execute(&mut **transaction).await;
    done.map(|_| ()).map_err(|error| failed(&error))
}

fn failed(error: &dyn std::fmt::Display) -> AccessError {
    log::error!("own.db: {error}");
    AccessError::new(
        Reason::Internal,
        "the list of own tables cannot be read or written",
    )
    .hint("who runs the server finds why in its log")
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
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path).map(|_| ())
}
