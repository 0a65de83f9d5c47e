//! The lake as a place: a root below which each zone is a folder and each table a folder in it.
//! On disk and on S3 it is the same: paths below one root of one object store.

use std::collections::HashMap;
use std::path::Path as FilePath;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::execution::runtime_env::RuntimeEnv;
use deltalake::DeltaTable;
use deltalake::logstore::{LogStoreRef, StorageConfig, default_logstore};
use futures::{StreamExt as _, TryStreamExt as _};
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{ObjectStore, ObjectStoreExt as _};
use url::Url;

use crate::error::DeltaContext as _;
use crate::store::{Location, Root};
use crate::table::{Ledger, Table, read_ledger};
use crate::vacuum::Pins;
use crate::{LakeError, LakeTable, NewFile, Result, TableName, commit};

/// Tables that are looked for or opened side by side.
const TABLES_AT_ONCE: usize = 16;

/// A lake, on disk or on S3.
#[derive(Debug)]
pub struct Lake {
    pub(crate) root: Root,
    pub(crate) proved: tokio::sync::OnceCell<()>,
    tables: Mutex<HashMap<TableName, Arc<Table>>>,
    pub(crate) pins: Pins,
}

impl Lake {
    /// Opens the lake in the folder `root`, making it where there is none.
    ///
    /// # Errors
    /// The folder cannot be made or found.
    pub fn open(root: &FilePath) -> Result<Self> {
        Self::open_at(Location::Folder(root.to_owned()))
    }

    /// Opens the lake at `location`. A folder is made where there is none; to a bucket nothing is
    /// sent before the first call.
    ///
    /// # Errors
    /// The folder cannot be made or found, or the settings of the store are wrong.
    pub fn open_at(location: Location) -> Result<Self> {
        Ok(Self::over(Root::open(location)?))
    }

    pub(crate) fn over(root: Root) -> Self {
        Self {
            root,
            proved: tokio::sync::OnceCell::new(),
            tables: Mutex::default(),
            pins: Pins::default(),
        }
    }

    /// Where the lake lies.
    pub fn location(&self) -> &Location {
        &self.root.location
    }

    /// Makes the lake's store known to the engine, so that its tables can be scanned.
    pub fn register(&self, runtime: &RuntimeEnv) {
        let url: &Url = self.root.store_url.as_ref();
        runtime.register_object_store(url, self.root.store.clone());
    }

    /// Proves, once for each open lake, that two writers cannot overwrite each other's commits:
    /// that the store refuses to put where something is. [`Lake::commit`] does so by itself; a run
    /// does it before it reads anything.
    ///
    /// # Errors
    /// The store overwrites, or cannot be reached or written.
    pub async fn prove_conditional_put(&self) -> Result<()> {
        self.proved
            .get_or_try_init(|| self.root.prove_conditional_put())
            .await?;
        Ok(())
    }

    fn url(&self, name: &TableName) -> Result<Url> {
        self.root
            .url
            .join(&format!("{}/", name.folder()))
            .map_err(|error| self.root.failed(error))
    }

    pub(crate) fn log_store(&self, name: &TableName) -> Result<LogStoreRef> {
        let prefixed = PrefixStore::new(self.root.store.clone(), self.prefix(name)?);
        Ok(default_logstore(
            Arc::new(prefixed),
            self.root.store.clone(),
            &self.url(name)?,
            &StorageConfig::default(),
        ))
    }

    /// The store of one table, rooted at its folder: where [`crate::FileWriter`] writes to.
    ///
    /// # Errors
    /// The table's path cannot be used.
    pub fn store(&self, name: &TableName) -> Result<Arc<dyn ObjectStore>> {
        Ok(self.log_store(name)?.object_store(None))
    }

    /// The whole store, in which [`Self::place`] finds what is below the lake's root.
    pub(crate) fn root_store(&self) -> &Arc<dyn ObjectStore> {
        &self.root.store
    }

    /// An error of this lake's place.
    pub(crate) fn failed(&self, error: impl std::fmt::Display) -> LakeError {
        self.root.failed(error)
    }

    /// Where in the store a path below the lake's root is.
    pub(crate) fn place(&self, relative: &str) -> Result<Path> {
        let url = self.root.url.join(relative);
        let url = url.map_err(|error| self.root.failed(error))?;
        Path::from_url_path(url.path()).map_err(|error| self.root.failed(error))
    }

    pub(crate) fn prefix(&self, name: &TableName) -> Result<Path> {
        Path::from_url_path(self.url(name)?.path()).map_err(|error| self.root.failed(error))
    }

    /// The table as it was when this process last opened or changed it; `None` where there is none.
    ///
    /// # Errors
    /// Its log cannot be read.
    pub async fn table(&self, name: &TableName) -> Result<Option<Arc<Table>>> {
        let known = self
            .tables
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(name)
            .cloned();
        match known {
            Some(table) => Ok(Some(table)),
            None => self.reload(name).await,
        }
    }

    /// The table as it is now.
    ///
    /// # Errors
    /// Its log cannot be read.
    pub async fn reload(&self, name: &TableName) -> Result<Option<Arc<Table>>> {
        let table = self.open_version(name, None).await?;
        if table.is_none() {
            self.forget(name);
        }
        Ok(table.map(|table| self.keep(table)))
    }

    /// Remembers a table as the one that this process knows.
    pub(crate) fn keep(&self, table: Table) -> Arc<Table> {
        let table = Arc::new(table);
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        tables.insert(table.name.clone(), table.clone());
        table
    }

    fn forget(&self, name: &TableName) {
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        tables.remove(name);
    }

    /// The table as it was at `version`.
    ///
    /// # Errors
    /// Its log cannot be read, or the version is older than what vacuum keeps.
    pub async fn table_at(&self, name: &TableName, version: u64) -> Result<Option<Table>> {
        let table = match self.open_version(name, Some(version)).await {
            Err(LakeError::Delta { .. }) if self.is_before_log(name, version).await? => {
                return Err(LakeError::Expired {
                    table: name.to_string(),
                    version,
                });
            }
            table => table?,
        };
        match table {
            Some(table) if self.has_lost_files(&table).await? => Err(LakeError::Expired {
                table: name.to_string(),
                version,
            }),
            table => Ok(table),
        }
    }

    pub(crate) async fn open_version(
        &self,
        name: &TableName,
        version: Option<u64>,
    ) -> Result<Option<Table>> {
        // Until it is pinned, nobody removes a file of it.
        let _pinning = self.pins.pinning().await;
        let Some(delta) = commit::open(name, self.log_store(name)?, version).await? else {
            return Ok(None);
        };
        let at = delta.snapshot().during(name, "reading the snapshot")?;
        let ledger = read_ledger(name, &delta, at.version()).await?;
        self.as_table(name, delta, ledger).map(Some)
    }

    pub(crate) fn as_table(
        &self,
        name: &TableName,
        delta: DeltaTable,
        ledger: Ledger,
    ) -> Result<Table> {
        let (url, prefix) = (self.root.store_url.clone(), self.prefix(name)?);
        Table::from_delta(name.clone(), delta, ledger, url, prefix, &self.pins)
    }

    /// What the table would be with these files added and those removed: for checks before a
    /// commit.
    ///
    /// # Errors
    /// The lake's path cannot be used.
    pub fn uncommitted(
        &self,
        layout: &crate::Layout,
        base: Option<(&Table, &[String])>,
        adds: &[NewFile],
    ) -> Result<LakeTable> {
        let schema = match base {
            Some((table, _)) => {
                crate::schema::merged(&layout.table, &table.schema, &layout.schema)?
            }
            None => layout.schema.clone(),
        };
        let prefix = self.prefix(&layout.table)?;
        Ok(LakeTable::uncommitted(
            layout,
            schema,
            self.root.store_url.clone(),
            prefix,
            base,
            adds,
        ))
    }

    /// Removes a table with all its files, and forgets it. Its log goes first, newest commit
    /// first: whenever this is broken off, what is left is an older state or no table.
    ///
    /// # Errors
    /// The store fails.
    pub async fn drop_table(&self, name: &TableName) -> Result<()> {
        self.forget(name);
        let prefix = self.prefix(name)?;
        let list = self.root.store.list(Some(&prefix)).map_ok(|o| o.location);
        let all: Vec<Path> = list.try_collect().await.map_err(|e| self.root.failed(e))?;
        let log_folder = prefix.join("_delta_log");
        let (mut log, files): (Vec<Path>, Vec<Path>) = all
            .into_iter()
            .partition(|path| path.prefix_matches(&log_folder));
        // `_last_checkpoint` sorts after the digits of every commit.
        log.sort();
        for path in log.into_iter().rev() {
            self.root
                .store
                .delete(&path)
                .await
                .map_err(|e| self.root.failed(e))?;
        }
        let files = futures::stream::iter(files.into_iter().map(Ok)).boxed();
        let removed = self.root.store.delete_stream(files).try_collect::<Vec<_>>();
        removed.await.map_err(|error| self.root.failed(error))?;
        if let Location::Folder(root) = &self.root.location {
            // Only empty folders are left; a file system without them would need nothing.
            let _ = std::fs::remove_dir_all(root.join(name.folder()));
        }
        Ok(())
    }

    /// All tables as this process knows them, in the order of their names.
    ///
    /// # Errors
    /// The lake cannot be listed, or a log cannot be read.
    pub async fn tables(&self) -> Result<Vec<Arc<Table>>> {
        self.all(false).await
    }

    /// All tables as they are now, whoever changed them.
    ///
    /// # Errors
    /// As [`Lake::tables`].
    pub async fn newest(&self) -> Result<Vec<Arc<Table>>> {
        self.all(true).await
    }

    async fn all(&self, anew: bool) -> Result<Vec<Arc<Table>>> {
        let names = self.names().await?;
        // Each names its own: futures that borrow from a list cannot be sent to another thread.
        let opened = names.into_iter().map(|name| async move {
            match anew {
                true => self.reload(&name).await,
                false => self.table(&name).await,
            }
        });
        let opened: Vec<_> = futures::stream::iter(opened)
            .buffered(TABLES_AT_ONCE)
            .try_collect()
            .await?;
        Ok(opened.into_iter().flatten().collect())
    }

    /// The names of all tables, in order.
    ///
    /// # Errors
    /// The lake cannot be listed.
    pub async fn names(&self) -> Result<Vec<TableName>> {
        let mut folders = Vec::new();
        for zone in self.folders(&self.root.path()?).await? {
            folders.extend(self.folders(&zone).await?);
        }
        let looks = folders.into_iter().map(|folder| async move {
            let log = folder.clone().join("_delta_log");
            let is_table = !self.list(&log).await?.objects.is_empty();
            let mut parts = folder.parts().map(|part| part.as_ref().to_owned());
            let (name, zone) = (parts.next_back(), parts.next_back());
            let name = zone
                .zip(name)
                .map(|(zone, name)| TableName::new(zone, name));
            Ok::<_, LakeError>(name.filter(|_| is_table))
        });
        let found = futures::stream::iter(looks).buffered(TABLES_AT_ONCE);
        let found: Vec<Option<TableName>> = found.try_collect().await?;
        let mut names: Vec<TableName> = found.into_iter().flatten().collect();
        names.sort();
        Ok(names)
    }

    async fn list(&self, folder: &Path) -> Result<object_store::ListResult> {
        let listed = self.root.store.list_with_delimiter(Some(folder)).await;
        listed.map_err(|error| self.root.failed(error))
    }

    async fn folders(&self, folder: &Path) -> Result<Vec<Path>> {
        Ok(self.list(folder).await?.common_prefixes)
    }
}
