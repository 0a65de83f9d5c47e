//! The lake as a place: a root below which each zone is a folder and each table a folder in it.

use std::collections::HashMap;
use std::path::{Path as FilePath, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::execution::object_store::ObjectStoreUrl;
use deltalake::DeltaTableBuilder;
use deltalake::logstore::LogStoreRef;
use object_store::ObjectStore;
use object_store::path::Path;
use url::Url;

use crate::error::DeltaContext;
use crate::table::Table;
use crate::{LakeError, LakeTable, NewFile, Result, TableName, commit};

/// A lake on local disk.
#[derive(Debug)]
pub struct Lake {
    root: PathBuf,
    tables: Mutex<HashMap<TableName, Arc<Table>>>,
}

impl Lake {
    /// Opens the lake at `root`, making the folder where there is none.
    ///
    /// # Errors
    /// The folder cannot be made or found.
    pub fn open(root: &FilePath) -> Result<Self> {
        let place = |error: std::io::Error| LakeError::Place {
            path: root.display().to_string(),
            why: error.to_string(),
        };
        std::fs::create_dir_all(root).map_err(place)?;
        let root = root.canonicalize().map_err(place)?;
        Ok(Self {
            root,
            tables: Mutex::default(),
        })
    }

    /// The folder of the lake.
    pub fn root(&self) -> &FilePath {
        &self.root
    }

    fn url(&self, name: &TableName) -> Result<Url> {
        let folder = self.root.join(&name.schema).join(&name.name);
        Url::from_directory_path(&folder).map_err(|()| LakeError::Place {
            path: folder.display().to_string(),
            why: "not an absolute path".into(),
        })
    }

    pub(crate) fn log_store(&self, name: &TableName) -> Result<LogStoreRef> {
        let folder = self.root.join(&name.schema).join(&name.name);
        std::fs::create_dir_all(&folder).map_err(|error| LakeError::Place {
            path: folder.display().to_string(),
            why: error.to_string(),
        })?;
        DeltaTableBuilder::from_url(self.url(name)?)
            .and_then(|builder| builder.build_storage())
            .during(name, "opening the store")
    }

    /// The store of one table, rooted at its folder: where [`crate::FileWriter`] writes to.
    ///
    /// # Errors
    /// The folder cannot be used.
    pub fn store(&self, name: &TableName) -> Result<Arc<dyn ObjectStore>> {
        Ok(self.log_store(name)?.object_store(None))
    }

    fn prefix(&self, name: &TableName) -> Result<Path> {
        let folder = self.root.join(&name.schema).join(&name.name);
        Path::from_absolute_path(&folder).map_err(|error| LakeError::Place {
            path: folder.display().to_string(),
            why: error.to_string(),
        })
    }

    fn exists(&self, name: &TableName) -> bool {
        self.root
            .join(&name.schema)
            .join(&name.name)
            .join("_delta_log")
            .is_dir()
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
        let table = self.open_version(name, None).await?.map(Arc::new);
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        match &table {
            Some(table) => tables.insert(name.clone(), table.clone()),
            None => tables.remove(name),
        };
        Ok(table)
    }

    /// The table as it was at `version`.
    ///
    /// # Errors
    /// Its log cannot be read, or the version is gone.
    pub async fn table_at(&self, name: &TableName, version: u64) -> Result<Option<Table>> {
        self.open_version(name, Some(version)).await
    }

    async fn open_version(&self, name: &TableName, version: Option<u64>) -> Result<Option<Table>> {
        if !self.exists(name) {
            return Ok(None);
        }
        let Some(delta) = commit::open(name, self.log_store(name)?, version).await? else {
            return Ok(None);
        };
        let store_url = ObjectStoreUrl::local_filesystem();
        Table::from_delta(name.clone(), delta, store_url, self.prefix(name)?)
            .await
            .map(Some)
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
            schema,
            ObjectStoreUrl::local_filesystem(),
            prefix,
            base,
            adds,
        ))
    }

    /// Removes a table with all its files, and forgets it.
    ///
    /// # Errors
    /// The folder cannot be removed.
    pub fn drop_table(&self, name: &TableName) -> Result<()> {
        self.tables
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(name);
        let folder = self.root.join(&name.schema).join(&name.name);
        match std::fs::remove_dir_all(&folder) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(LakeError::Place {
                path: folder.display().to_string(),
                why: error.to_string(),
            }),
        }
    }

    /// The names of all tables, in order.
    ///
    /// # Errors
    /// The lake's folder cannot be listed.
    pub fn names(&self) -> Result<Vec<TableName>> {
        let place = |error: std::io::Error| LakeError::Place {
            path: self.root.display().to_string(),
            why: error.to_string(),
        };
        let mut names = Vec::new();
        for zone in std::fs::read_dir(&self.root).map_err(place)? {
            let zone = zone.map_err(place)?;
            if !zone.path().is_dir() {
                continue;
            }
            for table in std::fs::read_dir(zone.path()).map_err(place)? {
                let table = table.map_err(place)?;
                let name = TableName::new(
                    zone.file_name().to_string_lossy(),
                    table.file_name().to_string_lossy(),
                );
                if self.exists(&name) {
                    names.push(name);
                }
            }
        }
        names.sort();
        Ok(names)
    }
}
