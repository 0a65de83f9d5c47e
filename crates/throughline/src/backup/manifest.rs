//! The manifest of a backup.

use anyhow::{Context as _, bail};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The form of backups that this program writes, and the newest that it reads.
const FORMAT: u32 = 2;

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    /// The form of the backup.
    pub(crate) format: u32,
    /// Version of the program that wrote it.
    pub(crate) program: String,
    /// When it was begun.
    pub(crate) created_at: DateTime<Utc>,
    /// Name of the project.
    pub(crate) project: String,
    /// The project's key is in it.
    pub(crate) has_key: bool,
    /// The tables, and their versions.
    pub(crate) tables: Vec<TableEntry>,
    /// Every file but the manifest, in the order in which they were written.
    pub(crate) files: Vec<Entry>,
}

/// A table of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TableEntry {
    /// `schema.name`.
    pub(crate) name: String,
    /// Its version in its log.
    pub(crate) version: u64,
    /// Its rows.
    pub(crate) rows: usize,
}

/// A file of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// Where in the backup it is.
    pub(crate) path: String,
    /// Its size.
    pub(crate) bytes: u64,
    /// SHA-256 of its content, in hexadecimal digits.
    pub(crate) sha256: String,
}

impl Manifest {
    /// The manifest of a project, without files yet.
    pub(crate) fn new(project: &str, created_at: DateTime<Utc>) -> Self {
        Self {
            format: FORMAT,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            created_at,
            project: project.to_owned(),
            has_key: false,
            tables: Vec::new(),
            files: Vec::new(),
        }
    }

    /// Reads a manifest.
    pub(super) fn parse(text: &[u8]) -> anyhow::Result<Self> {
        // The form is looked at first: a newer manifest may have other fields.
        let value: serde_json::Value =
            serde_json::from_slice(text).context("its manifest is damaged")?;
        match value["format"].as_u64() {
            Some(format) if format > u64::from(FORMAT) => bail!(
                "the backup is of format {format}, this program knows up to {FORMAT}\nhint: restore it \
                 with the program that wrote it, version {}, or a later one",
                value["program"].as_str().unwrap_or("unknown")
            ),
            Some(_) => {}
            None => bail!("its manifest has no format"),
        }
        serde_json::from_value(value).context("its manifest is damaged")
    }

    /// Bytes of all files.
    pub(crate) fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }
}
