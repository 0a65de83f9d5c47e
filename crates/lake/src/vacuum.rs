//! Vacuum: files that nobody can ask for any more are removed.
//!
//! Kept are the files of every version that was current within the retention, of the versions that
//! ledgers name, and of those that this process reads (each table and plan holds a pin). What is
//! unknown to the log may be a file that somebody is about to commit: it stays for a time of
//! grace. Everything else goes, and with it the part of the log that only told of it. So a reader
//! gets all rows of its version or an error, never a part of them.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use chrono::{DateTime, Utc};
use futures::{StreamExt as _, TryStreamExt as _};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStoreExt as _};
use serde_json::Value;
use tokio::sync::{RwLock, RwLockReadGuard};

use crate::error::DeltaContext;
use crate::file::DataFile;
use crate::table::Table;
use crate::{Lake, LakeError, Result, TableName, crash};

#[cfg(test)]
mod tests;

/// What vacuum must keep.
#[derive(Debug, Clone)]
pub struct Retention {
    /// Versions that were current at this time or later stay readable.
    pub since: DateTime<Utc>,
    /// Files that no log names stay if they were written at this time or later.
    pub orphans_since: DateTime<Utc>,
    /// Further versions that stay readable: those that other tables' ledgers name.
    pub versions: BTreeSet<u64>,
}

/// What vacuum removed, or would remove.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Vacuumed {
    /// Data files.
    pub files: usize,
    /// Their size.
    pub bytes: u64,
    /// Files of the log.
    pub log_files: usize,
    /// The oldest version that can still be read.
    pub oldest: u64,
}

/// What this process reads.
#[derive(Debug, Default)]
pub(crate) struct Pins {
    live: Mutex<HashMap<TableName, Vec<Weak<Vec<DataFile>>>>>,
    /// Held shared while a version is opened and pinned, alone while files are removed.
    gate: RwLock<()>,
}

/// As long as it lives, the files of a version stay.
#[derive(Debug, Clone)]
pub(crate) struct Pin {
    _files: Arc<Vec<DataFile>>,
}

impl Pins {
    pub(crate) async fn pinning(&self) -> RwLockReadGuard<'_, ()> {
        self.gate.read().await
    }

    pub(crate) fn pin(&self, name: &TableName, files: &Arc<Vec<DataFile>>) -> Pin {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        let pins = live.entry(name.clone()).or_default();
        pins.retain(|pin| pin.strong_count() > 0);
        pins.push(Arc::downgrade(files));
        Pin {
            _files: files.clone(),
        }
    }

    fn paths(&self, name: &TableName) -> BTreeSet<String> {
        let live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        let pins = live.get(name).into_iter().flatten();
        let files = pins.filter_map(Weak::upgrade);
        files
            .flat_map(|files| {
                files
                    .iter()
                    .map(|file| file.add.path.clone())
                    .collect::<Vec<_>>()
            })
            .collect()
    }
}

/// What the log says of the versions that stay.
struct Kept {
    paths: BTreeSet<String>,
    /// Files that left before the oldest of them: nobody commits these any more.
    dead: BTreeSet<String>,
    oldest: u64,
}

impl Lake {
    /// Removes the files of a table that nobody can ask for any more; with `dry_run` it only
    /// counts them.
    ///
    /// # Errors
    /// The log cannot be read, or the store fails.
    pub async fn vacuum(
        &self,
        name: &TableName,
        retention: &Retention,
        dry_run: bool,
    ) -> Result<Vacuumed> {
        let Some(table) = self.reload(name).await? else {
            return Ok(Vacuumed::default());
        };
        let _alone = self.pins.gate.write().await;
        let mut kept = kept(&table, retention).await?;
        kept.paths.extend(self.pins.paths(name));
        let mut done = Vacuumed {
            oldest: kept.oldest,
            ..Vacuumed::default()
        };
        let mut leaving: Vec<Path> = Vec::new();
        for object in self.data_files(name).await? {
            let file = object.location.filename().unwrap_or_default();
            let is_young = object.last_modified >= retention.orphans_since;
            if kept.paths.contains(file) || (is_young && !kept.dead.contains(file)) {
                continue;
            }
            done.files += 1;
            done.bytes += object.size;
            leaving.push(object.location);
        }
        let log = self.expired_log(name, kept.oldest).await?;
        done.log_files = log.len();
        if !dry_run {
            // The log first, its oldest part first: what is left always tells a whole story.
            crash::point("vacuum.before");
            for path in log {
                let removed = self.root.store.delete(&path).await;
                removed.map_err(|error| self.root.failed(error))?;
                crash::point("vacuum.log_file_removed");
            }
            crash::point("vacuum.log_removed");
            let leaving = futures::stream::iter(leaving.into_iter().map(Ok)).boxed();
            let removed = self.root.store.delete_stream(leaving);
            let removed = removed.try_collect::<Vec<_>>().await;
            removed.map_err(|error| self.root.failed(error))?;
            crash::point("vacuum.files_removed");
        }
        Ok(done)
    }

    /// Writes a checkpoint of the table's newest version, from which it is then opened; gives
    /// whether there was none yet.
    ///
    /// # Errors
    /// The log cannot be read or written.
    pub async fn checkpoint(&self, name: &TableName) -> Result<bool> {
        let Some(table) = self.reload(name).await? else {
            return Ok(false);
        };
        let log = self.log_files(name).await?;
        let mine = format!("{:020}.checkpoint.parquet", table.version);
        if log.iter().any(|path| path.filename() == Some(&mine)) {
            return Ok(false);
        }
        crash::point("checkpoint.before");
        deltalake::protocol::checkpoints::create_checkpoint(&table.delta, None)
            .await
            .during(name, "writing a checkpoint")?;
        crash::point("checkpoint.written");
        Ok(true)
    }

    /// The Parquet files in a table's folder, whether a log names them or not.
    async fn data_files(&self, name: &TableName) -> Result<Vec<ObjectMeta>> {
        let prefix = self.prefix(name)?;
        let listed = self.root.store.list_with_delimiter(Some(&prefix)).await;
        let listed = listed.map_err(|error| self.root.failed(error))?.objects;
        let is_data = |object: &ObjectMeta| {
            let name = object.location.filename().unwrap_or_default();
            name.ends_with(".parquet") && !name.starts_with(['_', '.'])
        };
        Ok(listed.into_iter().filter(is_data).collect())
    }

    /// The files of a table's log, in the order of their versions.
    async fn log_files(&self, name: &TableName) -> Result<Vec<Path>> {
        let folder = self.prefix(name)?.join("_delta_log");
        let listed = self.root.store.list_with_delimiter(Some(&folder)).await;
        let listed = listed.map_err(|error| self.root.failed(error))?.objects;
        let mut paths: Vec<Path> = listed.into_iter().map(|object| object.location).collect();
        paths.sort();
        Ok(paths)
    }

    /// The files of the log that no version from `oldest` on needs: those before the newest
    /// checkpoint that is not newer than it.
    async fn expired_log(&self, name: &TableName, oldest: u64) -> Result<Vec<Path>> {
        let log = self.log_files(name).await?;
        let start = log
            .iter()
            .filter(|path| is_checkpoint(path))
            .filter_map(version_of)
            .filter(|version| *version <= oldest)
            .max();
        let Some(start) = start else {
            return Ok(Vec::new());
        };
        let is_before = |path: &Path| version_of(path).is_some_and(|version| version < start);
        Ok(log.into_iter().filter(is_before).collect())
    }

    /// The version is older than all that the log still tells.
    pub(crate) async fn is_before_log(&self, name: &TableName, version: u64) -> Result<bool> {
        let log = self.log_files(name).await?;
        Ok(log
            .iter()
            .filter_map(version_of)
            .min()
            .is_some_and(|oldest| version < oldest))
    }

    /// Whether a file of this version was removed.
    pub(crate) async fn has_lost_files(&self, table: &Table) -> Result<bool> {
        let there = self.data_files(&table.name).await?;
        let there: BTreeSet<&str> = there
            .iter()
            .filter_map(|object| object.location.filename())
            .collect();
        let mut files = table.files.iter();
        Ok(files.any(|file| !there.contains(file.add.path.as_str())))
    }
}

fn is_checkpoint(path: &Path) -> bool {
    path.filename()
        .is_some_and(|name| name.ends_with(".checkpoint.parquet"))
}

/// The version that a file of the log is about: its first twenty digits.
fn version_of(path: &Path) -> Option<u64> {
    path.filename()?.get(..20)?.parse().ok()
}

/// Walks the log back as far as something must be kept or may just have left.
async fn kept(table: &Table, retention: &Retention) -> Result<Kept> {
    let name = &table.name;
    let mut paths: BTreeSet<String> = table
        .files
        .iter()
        .map(|file| file.add.path.clone())
        .collect();
    let mut dead = BTreeSet::new();
    let mut oldest = None;
    for version in (0..=table.version).rev() {
        let entry = table.delta.log_store().read_commit_entry(version).await;
        let Some(bytes) = entry.during(name, "reading a commit")? else {
            // Its part of the log is gone: so is the version.
            oldest.get_or_insert(version + 1);
            break;
        };
        let commit = read_commit(name, &bytes)?;
        if oldest.is_none() {
            paths.extend(commit.adds);
            if commit.at < retention.since {
                oldest = Some(version);
            }
        }
        if oldest.is_some() {
            dead.extend(commit.removes);
            if commit.at < retention.orphans_since {
                break;
            }
        }
    }
    let oldest = oldest.unwrap_or(0);
    let mut versions = retention.versions.clone();
    versions.retain(|version| *version < oldest);
    versions.insert(oldest);
    let mut readable = oldest;
    for version in versions {
        let state = crate::commit::open(name, table.delta.log_store(), Some(version)).await;
        let state = match state {
            Ok(Some(state)) => state,
            // It has expired before.
            _ if version < oldest => continue,
            Ok(None) => return Err(LakeError::Missing(name.to_string())),
            Err(error) => return Err(error),
        };
        let state = state.snapshot().during(name, "reading the snapshot")?;
        paths.extend(state.log_data().iter().map(|file| file.path().to_string()));
        readable = readable.min(version);
    }
    dead.retain(|path| !paths.contains(path));
    Ok(Kept {
        paths,
        dead,
        oldest: readable,
    })
}

/// What one commit did.
struct Commit {
    at: DateTime<Utc>,
    adds: Vec<String>,
    removes: Vec<String>,
}

fn read_commit(name: &TableName, bytes: &[u8]) -> Result<Commit> {
    let wrong = |why: String| LakeError::Log {
        table: name.to_string(),
        why,
    };
    let mut commit = Commit {
        // A commit that does not say when it was counts as new: too much is kept, not too little.
        at: DateTime::<Utc>::MAX_UTC,
        adds: Vec::new(),
        removes: Vec::new(),
    };
    let text = std::str::from_utf8(bytes).map_err(|error| wrong(error.to_string()))?;
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let action: Value = serde_json::from_str(line).map_err(|e| wrong(e.to_string()))?;
        let path = |kind: &str| action[kind]["path"].as_str().map(str::to_owned);
        commit.adds.extend(path("add"));
        commit.removes.extend(path("remove"));
        let at = action["commitInfo"]["timestamp"].as_i64();
        if let Some(at) = at.and_then(DateTime::from_timestamp_millis) {
            commit.at = at;
        }
    }
    Ok(commit)
}
