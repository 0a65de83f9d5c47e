//! Schemas of the users' own: where they may make tables and views, and nowhere else.
//!
//! `access.yml` says which principals may write which schemas (`own_schemas`). A table made there
//! holds what its maker saw; a view reads with its maker's rights as they are at that moment. For
//! everybody who reads them they are tables like any other: granted by name, filtered, masked by
//! the tags that their columns have by lineage.
//!
//! Rows lie as Delta tables in a lake of their own, below the project's (`own/`), under names that
//! mean nothing; [`registry`] says which of them has which name. So a new table, a rename, a
//! replacement is one small transaction: there is the old or the new, never half of one.

mod catalog;
mod change;
mod content;
mod names;
mod registry;
pub mod relation;
mod rows;
mod sources;
mod statement;
mod temp;
mod update;
mod write;

use std::collections::{BTreeMap, HashMap};
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use lake::{Lake, Location, TableName};
use tokio::sync::OwnedMutexGuard;

use super::error::{AccessError, Reason, Result};
use super::tags::{TagMap, Tags};
use super::who::Clock;
use registry::{Registry, State};
use relation::{FOLDER, Relation};

pub(crate) use catalog::{Lender, OwnTable, overlay};
pub use change::{Changed, INSERT_BYTES};
pub use names::{TEMP, is_reserved};
pub(crate) use temp::Temp;

/// Folder below the project's lake.
pub const LAKE: &str = "own";
/// File in the project's state folder.
pub const FILE: &str = "own.db";
/// How long the files of a dropped table stay: queries may still be reading them, and a backup may
/// be copying them.
const GRACE: Duration = Duration::from_secs(3_600);

/// What one own schema may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnLimits {
    /// Bytes of the files of its tables.
    pub bytes: u64,
    /// Tables and views in it.
    pub relations: usize,
    /// Own schemas there may be.
    pub schemas: usize,
}

impl Default for OwnLimits {
    fn default() -> Self {
        Self {
            bytes: 10 << 30,
            relations: 1_000,
            schemas: 200,
        }
    }
}

/// Where own tables are kept, and how much.
#[derive(Clone)]
pub struct OwnSettings {
    /// The own tables' lake.
    pub lake: Location,
    /// The list of them.
    pub file: PathBuf,
    /// How much.
    pub limits: OwnLimits,
    /// The time.
    pub clock: Clock,
}

impl OwnSettings {
    /// Beside a project's lake and in its state folder. `clock`: the time of changes.
    pub fn new(project: &Location, state: &Path, clock: Clock) -> Self {
        Self {
            lake: lake_of(project),
            file: state.join(FILE),
            limits: OwnLimits::default(),
            clock,
        }
    }
}

/// The tables that a list (or a copy of it) names, each at the version that goes with it.
///
/// # Errors
/// It cannot be read.
pub async fn tables_in(list: &Path) -> Result<Vec<(TableName, u64)>> {
    let tables = registry::tables_in(list).await?;
    let named = tables.into_iter();
    Ok(named
        .map(|(id, version)| (table_name(&id), version))
        .collect())
}

/// Where the own tables of the project lie whose lake lies at `project`.
pub fn lake_of(project: &Location) -> Location {
    project.below(LAKE)
}

/// The own schemas of a project.
pub struct OwnSchemas {
    pub(crate) lake: Arc<Lake>,
    pub(crate) registry: Registry,
    pub(crate) limits: OwnLimits,
    clock: Clock,
    /// Who changes the rows of a table holds its lock.
    locks: Mutex<HashMap<String, Weak<tokio::sync::Mutex<()>>>>,
    /// Tables whose files may go, and since when.
    leaving: Mutex<HashMap<String, Instant>>,
    /// Locked while this process has them open.
    _alone: Option<File>,
}

impl std::fmt::Debug for OwnSchemas {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("OwnSchemas")
    }
}

/// An own table or view, as a list shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// What is kept of it: its columns with tags and sources, its owner, what it reads.
    pub relation: Arc<Relation>,
    /// The table in the own tables' lake; none for a view.
    pub table: Option<TableName>,
}

impl OwnSchemas {
    /// Opens them, and removes what a change left that was broken off, unless another process has
    /// them open too: it may be at work on it.
    ///
    /// # Errors
    /// The list or the lake cannot be read, or is a newer program's.
    pub async fn open(settings: OwnSettings) -> Result<Self> {
        let lake = Lake::open_at(settings.lake).map_err(|error| unkept(&error))?;
        let alone = alone(&settings.file.with_extension("lock"));
        let is_alone = alone.is_some();
        let own = Self {
            _alone: alone,
            lake: Arc::new(lake),
            registry: Registry::open(&settings.file).await?,
            limits: settings.limits,
            clock: settings.clock,
            locks: Mutex::default(),
            leaving: Mutex::default(),
        };
        let upgraded = own.lake.upgrade().await;
        upgraded.map_err(|error| unkept(&error))?;
        if is_alone {
            own.tidy().await?;
        }
        Ok(own)
    }

    /// Removes the tables that no name leads to: nobody reads them yet.
    async fn tidy(&self) -> Result<()> {
        let state = self.registry.now();
        let named: Vec<&str> = state
            .relations()
            .filter_map(|(_, _, relation)| relation.id())
            .collect();
        let names = self.lake.names().await.map_err(|error| unkept(&error))?;
        for name in names
            .iter()
            .filter(|name| !named.contains(&name.name.as_str()))
        {
            let removed = self.lake.drop_table(name).await;
            removed.map_err(|error| unkept(&error))?;
        }
        for id in self.registry.dropped().await? {
            self.registry.forget(&id).await?;
        }
        Ok(())
    }

    /// All own tables and views, with the tags and the lineage of their columns.
    pub fn list(&self) -> Vec<Listed> {
        let state = self.registry.now();
        let all = state.relations().map(|(schema, name, relation)| Listed {
            schema: schema.to_owned(),
            name: name.to_owned(),
            relation: relation.clone(),
            table: relation.id().map(table_name),
        });
        all.collect()
    }

    /// A number that differs whenever something of them has changed.
    pub fn state(&self) -> i64 {
        self.registry.now().epoch
    }

    /// What is kept of a table or view.
    pub fn relation(&self, schema: &str, name: &str) -> Option<Arc<Relation>> {
        self.registry.now().relation(schema, name).cloned()
    }

    /// What there is now.
    pub(crate) fn now(&self) -> Arc<State> {
        self.registry.now()
    }

    pub(crate) fn time(&self) -> DateTime<Utc> {
        (self.clock)()
    }

    /// Adds their tags to those of the project's tables.
    pub(crate) fn tags_into(&self, map: &mut TagMap) {
        for (schema, name, relation) in self.now().relations() {
            let tags: BTreeMap<String, Tags> = relation.tags();
            map.set(schema, name, tags);
        }
    }

    /// Waits until nobody else changes the rows of a table.
    pub(crate) async fn lock(&self, id: &str) -> OwnedMutexGuard<()> {
        let lock = {
            let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
            locks.retain(|_, lock| lock.strong_count() > 0);
            match locks.get(id).and_then(Weak::upgrade) {
                Some(lock) => lock,
                None => {
                    let lock = Arc::new(tokio::sync::Mutex::new(()));
                    locks.insert(id.to_owned(), Arc::downgrade(&lock));
                    lock
                }
            }
        };
        lock.lock_owned().await
    }

    /// The files of a table are not needed any more.
    pub(crate) fn leave(&self, id: &str) {
        let mut leaving = self.leaving.lock().unwrap_or_else(PoisonError::into_inner);
        leaving.entry(id.to_owned()).or_insert_with(Instant::now);
    }

    /// Sees what another process has changed, and removes the files of tables that were dropped
    /// long enough ago.
    ///
    /// # Errors
    /// The list cannot be read, or the files cannot be removed.
    pub async fn keep_up(&self) -> Result<()> {
        self.registry.catch_up().await?;
        for id in self.registry.dropped().await? {
            self.leave(&id);
        }
        let gone: Vec<String> = {
            let leaving = self.leaving.lock().unwrap_or_else(PoisonError::into_inner);
            let old = leaving.iter().filter(|(_, since)| since.elapsed() > GRACE);
            old.map(|(id, _)| id.clone()).collect()
        };
        for id in gone {
            let removed = self.lake.drop_table(&table_name(&id)).await;
            removed.map_err(|error| unkept(&error))?;
            self.registry.forget(&id).await?;
            let mut leaving = self.leaving.lock().unwrap_or_else(PoisonError::into_inner);
            leaving.remove(&id);
        }
        Ok(())
    }

    /// The table with an id, at the version that the list says or a later one.
    pub(crate) async fn table(&self, id: &str, version: u64) -> Result<Arc<lake::Table>> {
        let name = table_name(id);
        let known = self.lake.table(&name).await;
        let known = match known.map_err(|error| unkept(&error))? {
            Some(table) if table.version >= version => Some(table),
            _ => {
                let newest = self.lake.reload(&name).await;
                newest.map_err(|error| unkept(&error))?
            }
        };
        known.ok_or_else(|| {
            log::error!("the rows of own table {id} are gone");
            AccessError::new(Reason::Internal, "the rows of an own table are gone")
                .hint("make the table again")
        })
    }
}

/// A lock that only one process has at a time; none where another has it.
fn alone(path: &Path) -> Option<File> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).ok()?;
    }
    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).truncate(false).open(path);
    let file = file.ok()?;
    file.try_lock().ok()?;
    Some(file)
}

/// Where the rows of a table lie.
pub(crate) fn table_name(id: &str) -> TableName {
    TableName::new(FOLDER, id)
}

/// An error of the lake: its text names files, and may name values.
pub(crate) fn unkept(error: &dyn std::fmt::Display) -> AccessError {
    log::error!("own tables: {error}");
    AccessError::new(Reason::Internal, "the table could not be kept or read")
        .hint("who runs the server finds why in its log")
}
