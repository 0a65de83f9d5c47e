//! Backups: what is in one, how it is written and how it is read.
//!
//! A backup is a folder or one `.tar.zst` file with the same files in it. Its manifest names every
//! file with its size and hash and is written last: what has no manifest, or not exactly what the
//! manifest names, is no backup and is never restored.

mod manifest;
mod read;
mod tar;
#[cfg(test)]
mod tests;
mod write;

pub(crate) use manifest::{Entry, Manifest, TableEntry};
pub(crate) use read::{Reader, verify};
pub(crate) use write::{Writer, private_folder};

/// Where in a backup the project's own files are.
pub(crate) const PROJECT: &str = "project/";
/// Where the lake's files are.
pub(crate) const LAKE: &str = "lake/";
/// What the project keeps beside its lake: the log of runs, users, the audit log, own tables.
pub(crate) const STATE: &str = "state/";
/// Folder of the audit log, there and in a project's state.
pub(crate) const AUDIT: &str = "audit";
/// The manifest.
const MANIFEST: &str = "manifest.json";
