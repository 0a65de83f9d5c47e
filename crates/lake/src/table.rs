//! A table at one version: its schema, its files and its ledger.
//!
//! Everything a run must know of a table stands in the table's own log: which day changed in which
//! batch (tags of the files), and from which batches of its inputs it was built (the last commit's
//! information). So there is no second place that could disagree, and nothing to rebuild.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow_schema::SchemaRef;
use chrono::NaiveDate;
use datafusion::execution::object_store::ObjectStoreUrl;
use deltalake::DeltaTable;
use object_store::path::Path;
use serde::{Deserialize, Serialize};

use crate::error::DeltaContext;
use crate::file::{DataFile, Origin};
use crate::layout::{self, Layout, Said};
use crate::vacuum::{Pin, Pins};
use crate::{LakeError, Result, TableName, schema};

/// What a table's last commit says of how it was built.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ledger {
    /// In which form the notes in this commit and in the tags of its files are; 0 before it was
    /// said.
    pub format: u32,
    /// Number of the commit in the table's own count, also its application transaction.
    pub batch: i64,
    /// The last batch that changed rows; compaction and bookkeeping leave it as it is.
    pub data_batch: i64,
    /// Fingerprint of what built it: SQL, configuration, contract.
    pub fingerprint: String,
    /// From what its rows were built, by input.
    pub inputs: BTreeMap<String, InputMark>,
    /// Days that lost rows without a file of their own to show it, with the batch in which they
    /// did.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub emptied: BTreeMap<NaiveDate, i64>,
    /// The same for each part of a table in parts.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub emptied_parts: BTreeMap<String, BTreeMap<NaiveDate, i64>>,
    /// The parts of a table in parts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<String>,
    /// For a staged table: the source files that were read, also those that gave no good row.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub notes: BTreeMap<String, serde_json::Value>,
    /// The run that committed.
    pub run_id: String,
    /// Made anew for each commit; tells our own commit from another's after an unclear answer.
    pub commit_uuid: String,
}

/// How far an input had come when a table was built from it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputMark {
    /// The input's last batch that changed rows.
    pub batch: i64,
    /// The input's version in the log.
    pub version: u64,
}

/// A table at one version.
#[derive(Clone)]
pub struct Table {
    /// Its name.
    pub name: TableName,
    /// The version in the log.
    pub version: u64,
    /// Its columns.
    pub schema: SchemaRef,
    /// Its files.
    pub files: Arc<Vec<DataFile>>,
    /// Its ledger.
    pub ledger: Ledger,
    /// What it says of its own layout.
    pub(crate) said: Said,
    pub(crate) pin: Pin,
    pub(crate) delta: DeltaTable,
    pub(crate) store_url: ObjectStoreUrl,
    pub(crate) prefix: Path,
}

impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} at version {} with {} files",
            self.name,
            self.version,
            self.files.len()
        )
    }
}

impl Table {
    pub(crate) fn from_delta(
        name: TableName,
        delta: DeltaTable,
        ledger: Ledger,
        store_url: ObjectStoreUrl,
        prefix: Path,
        pins: &Pins,
    ) -> Result<Self> {
        let state = delta.snapshot().during(&name, "reading the snapshot")?;
        let version = state.version();
        let said = layout::said(state.metadata().configuration());
        let arrow = state.snapshot().arrow_schema();
        let schema = schema::kept_schema(&name, &arrow)?;
        let mut files: Vec<DataFile> = state
            .log_data()
            .iter()
            .map(|view| {
                #[expect(deprecated, reason = "the log's action is what we need, with its tags")]
                let add = view.add_action();
                DataFile::from_add(add, &schema)
            })
            .collect();
        files.sort_by(|a, b| a.add.path.cmp(&b.add.path));
        let files = Arc::new(files);
        Ok(Self {
            pin: pins.pin(&name, &files),
            name,
            version,
            schema,
            files,
            ledger,
            said,
            delta,
            store_url,
            prefix,
        })
    }

    /// How its files are written, as the table itself says.
    pub fn layout(&self) -> Layout {
        Layout {
            interval: self.said.interval.clone(),
            ordered: self.said.whole_days,
            sort: self.said.sort.clone(),
            range: self.said.range.clone(),
            bloom: self.said.bloom.clone(),
            stats: self.said.stats.clone(),
            ..Layout::new(self.name.clone(), self.schema.clone())
        }
    }

    /// Rows in the table.
    pub fn rows(&self) -> usize {
        self.files.iter().map(|file| file.rows).sum()
    }

    /// Bytes of its files.
    pub fn bytes(&self) -> u64 {
        self.files
            .iter()
            .map(|file| file.add.size.max(0) as u64)
            .sum()
    }

    /// Each day with rows, or emptied, and the batch in which it last changed.
    pub fn days(&self) -> BTreeMap<NaiveDate, i64> {
        let parts = self.ledger.emptied_parts.values().flatten();
        let emptied = self.ledger.emptied.iter().chain(parts);
        let files = self.files.iter().flat_map(|file| &file.tag.days);
        let mut days = BTreeMap::new();
        for (day, batch) in emptied.chain(files) {
            let known = days.entry(*day).or_insert(*batch);
            *known = (*known).max(*batch);
        }
        days
    }

    /// One part of a table in parts, as a table: its files, its emptied days, and as its last
    /// batch the one in which the part last changed.
    #[must_use]
    pub fn part(&self, part: &str) -> Self {
        let files = self.files.iter().filter(|file| file.tag.part == part);
        let mut table = Self {
            files: Arc::new(files.cloned().collect()),
            ..self.clone()
        };
        table.ledger.emptied = match part {
            "" => table.ledger.emptied,
            part => table.ledger.emptied_parts.remove(part).unwrap_or_default(),
        };
        table.ledger.emptied_parts.clear();
        if !part.is_empty() {
            table.ledger.data_batch = table.days().into_values().max().unwrap_or_default();
        }
        table
    }

    /// What the rows say, as a number; none where it was not noted.
    pub fn sum(&self) -> Option<u64> {
        let mut sums = self.files.iter().map(|file| file.tag.sum);
        sums.try_fold(0_u64, |all, sum| Some(all.wrapping_add(sum?)))
    }

    /// What the rows of each day say, as a number; without the days for which it was not noted.
    pub fn day_sums(&self) -> BTreeMap<NaiveDate, u64> {
        let mut sums: BTreeMap<NaiveDate, Option<u64>> = BTreeMap::new();
        for file in self.files.iter() {
            for day in file.tag.days.keys() {
                let sum = file.tag.day_sums.get(day).copied();
                let known = sums.entry(*day).or_insert(Some(0));
                *known = known.zip(sum).map(|(all, sum)| all.wrapping_add(sum));
            }
        }
        let noted = sums.into_iter().filter_map(|(day, sum)| Some((day, sum?)));
        noted.collect()
    }

    /// The days that changed after `batch`.
    pub fn days_after(&self, batch: i64) -> BTreeSet<NaiveDate> {
        self.days()
            .into_iter()
            .filter(|(_, changed)| *changed > batch)
            .map(|(day, _)| day)
            .collect()
    }

    /// The source files whose rows are in the table, by key.
    pub fn origins(&self) -> BTreeMap<i64, Origin> {
        // A source file without rows has no data file that could name it: the ledger does.
        let empty: Vec<Origin> = self
            .ledger
            .notes
            .get("empty_files")
            .and_then(|list| serde_json::from_value(list.clone()).ok())
            .unwrap_or_default();
        let tags = self
            .files
            .iter()
            .flat_map(|file| file.tag.origins.iter().cloned());
        tags.chain(empty)
            .map(|origin| (origin.file_id, origin))
            .collect()
    }

    /// What a table built from this one must remember of it.
    pub fn mark(&self) -> InputMark {
        InputMark {
            batch: self.ledger.data_batch,
            version: self.version,
        }
    }
}

/// Finds our entry in the commit information of `version`.
pub(crate) async fn read_ledger(
    name: &TableName,
    delta: &DeltaTable,
    version: u64,
) -> Result<Ledger> {
    let entry = delta
        .log_store()
        .read_commit_entry(version)
        .await
        .during(name, "reading the last commit")?;
    match entry {
        Some(entry) => Ok(read_commit(name, &entry)?.0),
        None => Ok(Ledger::default()),
    }
}

/// Our entry in a commit's information, and the commit's time in milliseconds.
pub(crate) fn read_commit(name: &TableName, entry: &[u8]) -> Result<(Ledger, i64)> {
    let wrong = |why: String| LakeError::Log {
        table: name.to_string(),
        why,
    };
    let text = std::str::from_utf8(entry).map_err(|error| wrong(error.to_string()))?;
    for line in text.lines() {
        if !line.contains("\"commitInfo\"") {
            continue;
        }
        let action: serde_json::Value =
            serde_json::from_str(line).map_err(|error| wrong(error.to_string()))?;
        let info = &action["commitInfo"];
        if let Some(text) = info[crate::commit::METADATA_KEY].as_str() {
            let noted: serde_json::Value =
                serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
            // The format is looked at first: a newer note may have another form.
            crate::format::refuse_newer(&format!("table `{name}`"), &noted)?;
            let ledger = serde_json::from_value(noted).map_err(|error| wrong(error.to_string()))?;
            return Ok((ledger, info["timestamp"].as_i64().unwrap_or_default()));
        }
    }
    Ok((Ledger::default(), 0))
}
