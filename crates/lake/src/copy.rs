//! Copies of a lake: its tables at versions that fit together, file by file.
//!
//! A run may be committing meanwhile. Nothing is held back: a file that a log names is never
//! changed, so what has to be chosen well is only the set of versions.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;

use futures::{StreamExt as _, TryStreamExt as _};
use object_store::buffered::BufWriter;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};
use tokio::io::AsyncWriteExt as _;

use crate::table::Table;
use crate::{Lake, LakeError, Result, TableName};

/// The zones against the data's way. A table is looked up before those that it is built from, so
/// that it can never be ahead of them; quarantine and what was cleansed are
/// committed before what is staged.
const ZONES: [&str; 9] = [
    "marts",
    "star",
    "identity",
    "silver",
    "staged",
    "cleansing",
    "quarantine",
    "raw",
    "seeds",
];

/// How often the tables are looked up until they fit together.
const TRIES: usize = 50;

/// How many tables of a zone are looked up at a time.
const TABLES_AT_ONCE: usize = 16;

/// Bytes that are read or written at a time.
const CHUNK_BYTES: usize = 1 << 20;

/// A file of a lake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LakeFile {
    /// Its path below the lake's root, with `/`.
    pub path: String,
    /// Its size.
    pub bytes: u64,
}

impl Lake {
    /// All tables, in the order of their names, at versions that fit together: none was built from
    /// a later version of another than the one that is given here. What was not yet built from the
    /// latest is dirty, as it is after a run that was cut off.
    ///
    /// # Errors
    /// A log cannot be read, or others commit faster than the tables can be looked up.
    pub async fn consistent(&self) -> Result<Vec<Arc<Table>>> {
        let mut before = BTreeMap::new();
        for _ in 0..TRIES {
            let mut tables = self.against_the_way().await?;
            let versions: BTreeMap<String, u64> = tables
                .iter()
                .map(|table| (table.name.to_string(), table.version))
                .collect();
            // Where nothing moves, nothing better will come: an input may have been dropped.
            if before == versions || tables.iter().all(|table| fits(table, &versions)) {
                tables.sort_by(|a, b| a.name.cmp(&b.name));
                return Ok(tables);
            }
            before = versions;
        }
        Err(LakeError::Place {
            path: self.location().to_string(),
            why: "its tables change faster than they can be looked up\n\
                  hint: try again when no run is at work"
                .into(),
        })
    }

    /// All tables as they are now, each looked up before what it is built from.
    async fn against_the_way(&self) -> Result<Vec<Arc<Table>>> {
        let place_of = |zone: &str| {
            let place = ZONES.iter().position(|known| *known == zone);
            place.map_or(0, |place| place + 1)
        };
        let place = |name: &TableName| place_of(&name.schema);
        // A listing goes by names, and so may pass a staged table's quarantine before it is there
        // and find the staged table: a second listing finds both.
        let known = self.names().await?;
        let mut zones: BTreeMap<usize, Vec<TableName>> = BTreeMap::new();
        for name in self.names().await? {
            if known.contains(&name) || place(&name) > place_of("staged") {
                zones.entry(place(&name)).or_default().push(name);
            }
        }
        let mut tables = Vec::new();
        for names in zones.into_values() {
            let opened = names.iter().map(|name| self.reload(name));
            let opened: Vec<_> = futures::stream::iter(opened)
                .buffered(TABLES_AT_ONCE)
                .try_collect()
                .await?;
            tables.extend(opened.into_iter().flatten());
        }
        Ok(tables)
    }

    /// The files that a table consists of at its version: the data, then the log up to there. In
    /// this order a copy that is broken off is no table, or an older one.
    ///
    /// # Errors
    /// The log cannot be listed.
    pub async fn files_of(&self, table: &Table) -> Result<Vec<LakeFile>> {
        let folder = table.name.folder();
        let mut files: Vec<LakeFile> = table
            .files
            .iter()
            .map(|file| LakeFile {
                path: format!("{folder}/{}", file.add.path),
                bytes: u64::try_from(file.add.size).unwrap_or_default(),
            })
            .collect();
        let log = self.place(&format!("{folder}/_delta_log"))?;
        let listed = self.root_store().list(Some(&log));
        let listed: Vec<_> = listed.try_collect().await.map_err(|e| self.failed(e))?;
        let mut entries = Vec::new();
        for object in listed {
            let name = object.location.filename().unwrap_or_default();
            let belongs = match version_of(name) {
                Some(version) => version <= table.version,
                None if name == "_last_checkpoint" => {
                    self.checkpoint_named_by(&object.location).await? <= table.version
                }
                None => false,
            };
            if belongs {
                entries.push(LakeFile {
                    path: format!("{folder}/_delta_log/{name}"),
                    bytes: object.size,
                });
            }
        }
        // `_last_checkpoint` sorts after the digits of every commit.
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        files.extend(entries);
        Ok(files)
    }

    async fn checkpoint_named_by(&self, path: &Path) -> Result<u64> {
        let got = self.root_store().get(path).await;
        let bytes = match got {
            Ok(got) => got.bytes().await.map_err(|error| self.failed(error))?,
            Err(error) => return Err(self.failed(error)),
        };
        let said: serde_json::Value = serde_json::from_slice(&bytes).unwrap_or_default();
        Ok(said["version"].as_u64().unwrap_or(u64::MAX))
    }

    /// Reads a file of the lake, piece by piece.
    ///
    /// # Errors
    /// The file is gone or cannot be read, or `take` fails.
    pub async fn read_file(
        &self,
        path: &str,
        take: &mut (dyn FnMut(&[u8]) -> std::io::Result<()> + Send),
    ) -> Result<()> {
        let failed = |error: object_store::Error| self.failed(format!("`{path}`: {error}"));
        let got = self.root_store().get(&self.place(path)?).await;
        let mut pieces = got.map_err(failed)?.into_stream();
        while let Some(piece) = pieces.next().await {
            take(&piece.map_err(failed)?).map_err(|error| self.failed(error))?;
        }
        Ok(())
    }

    /// Writes a file of the lake.
    ///
    /// # Errors
    /// `from` cannot be read, or the store fails.
    pub async fn write_file(&self, path: &str, from: &mut (dyn Read + Send)) -> Result<()> {
        let failed = |error: std::io::Error| self.failed(format!("`{path}`: {error}"));
        let mut writer = BufWriter::new(self.root_store().clone(), self.place(path)?);
        let mut buffer = vec![0; CHUNK_BYTES];
        loop {
            match from.read(&mut buffer).map_err(failed)? {
                0 => break,
                count => writer.write_all(&buffer[..count]).await.map_err(failed)?,
            }
        }
        writer.shutdown().await.map_err(failed)
    }
}

/// Whether a table was built from no later version of another than the one that is there.
fn fits(table: &Table, versions: &BTreeMap<String, u64>) -> bool {
    let mut inputs = table.ledger.inputs.iter();
    inputs.all(|(name, mark)| {
        let there = versions.get(name);
        there.is_some_and(|version| *version >= mark.version)
    })
}

/// The version that a file of the log belongs to: `<20 digits>.json`, `<20 digits>.checkpoint…`.
fn version_of(name: &str) -> Option<u64> {
    let (digits, ending) = name.split_once('.')?;
    let is_entry = ending == "json" || ending == "crc" || ending.starts_with("checkpoint");
    let is_version = digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit());
    (is_entry && is_version).then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_entries_of_the_log_belong_to_a_version() {
        let seven = "00000000000000000007";
        for ending in [
            "json",
            "checkpoint.parquet",
            "checkpoint.0000000001.0000000002.parquet",
        ] {
            assert_eq!(
                version_of(&format!("{seven}.{ending}")),
                Some(7),
                "{ending}"
            );
        }
        for name in [
            "_last_checkpoint",
            "7.json",
            &format!("{seven}.json.tmp"),
            "_commit_x.json",
        ] {
            assert_eq!(version_of(name), None, "{name}");
        }
    }
}
