//! The audit log: who did what at which door, so that nobody can change it unseen.
//!
//! It is a folder of files of JSON lines, `.throughline/audit/<first sequence>.jsonl`, and no
//! table: a line is appended and synced before what it tells of is answered; nothing ever rewrites
//! one, so that the file can be made append-only or be copied away line by line; and it needs no
//! engine to be read when the rest is broken. For queries it is the table `ops.audit_log`.
//!
//! Every line holds the hash of the one before and a signature under a key made of the project's
//! ([`chain`]); the newest is noted in `head`, and, if so set, in an anchor file that lies
//! elsewhere.

mod chain;
mod files;
mod redact;
mod verify;
mod writer;

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::sync::oneshot;

pub use chain::{Head, Record};
pub use redact::redact;
pub use verify::{Finding, Verified, verify};

use crate::access::who::{Clock, Key};

/// The purpose of the key that records and heads are signed with.
const PURPOSE: &str = "audit";

/// Why the audit log cannot be written or read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AuditError {
    /// A file cannot be read or written.
    #[error(
        "the audit log in `{path}`: {why}\nhint: free space on this disk, and look at its rights"
    )]
    File {
        /// The file.
        path: String,
        /// What the machine says.
        why: String,
    },
    /// Something has been changed in it.
    #[error(
        "the audit log in `{path}` is not as it was written: {why}\n\
         hint: `throughline audit verify` says where; nothing is appended until the folder is \
         moved away"
    )]
    Broken {
        /// The file.
        path: String,
        /// What is wrong.
        why: String,
    },
    /// An earlier write failed: what the disk holds is not known.
    #[error(
        "the audit log cannot be written since an earlier failure\nhint: start the program again"
    )]
    Poisoned,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Somebody logged in, or tried to.
    LogIn,
    /// A session was ended.
    LogOut,
    /// Something was asked for that the principal may not see or do.
    Denied,
    /// A query read tagged data.
    Query,
    /// Data left in a file.
    Export,
    /// Something of a user's own schema was made, changed or removed.
    OwnChange,
    /// A policy changed.
    PolicyChange,
    /// A user changed.
    UserChange,
    /// A token changed.
    TokenChange,
    /// Somebody's data was erased.
    Erasure,
    /// The log itself: what was found when it was opened.
    Log,
}

impl Action {
    /// As it stands in the log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LogIn => "log_in",
            Self::LogOut => "log_out",
            Self::Denied => "denied",
            Self::Query => "query",
            Self::Export => "export",
            Self::OwnChange => "own_change",
            Self::PolicyChange => "policy_change",
            Self::UserChange => "user_change",
            Self::TokenChange => "token_change",
            Self::Erasure => "erasure",
            Self::Log => "log",
        }
    }
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It begins: another record says how it ends, or nothing does, because the machine stopped.
    Begun,
    /// Done.
    Done,
    /// Refused.
    Refused,
    /// It failed.
    Failed,
}

/// What is to be noted. Nothing secret, and no literal of a query, belongs in it.
#[derive(Debug, Clone)]
pub struct Event {
    /// Who; `-` for somebody unknown.
    pub principal: String,
    /// From where.
    pub address: Option<IpAddr>,
    /// At which door.
    pub door: String,
    /// What.
    pub action: Action,
    /// To what: a user, a table, a file.
    pub object: String,
    /// How it ended.
    pub outcome: Outcome,
    /// What else is to be known.
    pub detail: Map<String, Value>,
}

impl Event {
    /// An event without object and detail.
    pub fn new(principal: &str, door: &str, action: Action, outcome: Outcome) -> Self {
        Self {
            principal: principal.to_owned(),
            address: None,
            door: door.to_owned(),
            action,
            object: String::new(),
            outcome,
            detail: Map::new(),
        }
    }

    /// With this end.
    #[must_use]
    pub fn ending(mut self, outcome: Outcome) -> Self {
        self.outcome = outcome;
        self
    }

    /// From this address.
    #[must_use]
    pub fn from(mut self, address: Option<IpAddr>) -> Self {
        self.address = address;
        self
    }

    /// To this.
    #[must_use]
    pub fn to(mut self, object: impl Into<String>) -> Self {
        self.object = object.into();
        self
    }

    /// With this.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.detail.insert(name.to_owned(), value.into());
        self
    }

    /// With this SQL, without its literals.
    #[must_use]
    pub fn with_sql(self, sql: &str) -> Self {
        self.with("sql", redact(sql))
    }
}

/// Where the log lies, and how it is signed.
#[derive(Debug, Clone)]
pub struct Place {
    /// Its folder.
    pub folder: PathBuf,
    /// A file elsewhere, best on another machine, where heads are noted too.
    pub anchor: Option<PathBuf>,
    key: Key,
}

impl Place {
    /// The log in this folder, signed under a key made of the project's.
    pub fn new(folder: &Path, anchor: Option<PathBuf>, project_key: &[u8]) -> Self {
        Self {
            folder: folder.to_owned(),
            anchor,
            key: Key::derive(project_key, PURPOSE),
        }
    }
}

/// The log, open for writing. Clones write to the same. Several processes may write.
#[derive(Debug, Clone)]
pub struct Audit {
    writer: Arc<writer::Handle>,
    place: Place,
}

impl Audit {
    /// Opens the log, making it where there is none. What a killed process left half-written is
    /// cut off: it was never acknowledged.
    ///
    /// # Errors
    /// It cannot be read, or is not as it was written.
    pub fn open(place: Place, clock: Clock) -> Result<Self, AuditError> {
        let writer = Arc::new(writer::Handle::start(place.clone(), clock)?);
        Ok(Self { writer, place })
    }

    /// Where it lies, for reading.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Notes an event; it is on the disk when this is done. Gives its sequence.
    ///
    /// # Errors
    /// It cannot be written: then what it tells of must not be answered.
    pub async fn append(&self, event: Event) -> Result<u64, AuditError> {
        let (sender, receiver) = oneshot::channel();
        self.writer.send(event, sender);
        receiver.await.unwrap_or(Err(AuditError::Poisoned))
    }

    /// Notes an event without waiting for it: for what has been answered already, or must not wait.
    /// It is on the disk soon, and no later than the next that somebody waits for.
    pub fn note(&self, event: Event) {
        let (sender, _) = oneshot::channel();
        self.writer.send(event, sender);
    }
}

/// A file of a log, as far as it counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFile {
    /// Its name in the log's folder.
    pub name: String,
    /// Its content.
    pub content: Vec<u8>,
}

/// The files of a log as they are at one instant, one after another: what is copied of it is a
/// whole log.
///
/// # Errors
/// A file cannot be read, or `take` fails.
pub fn files(
    folder: &Path,
    take: &mut dyn FnMut(LogFile) -> std::io::Result<()>,
) -> Result<(), AuditError> {
    let snapshot = files::snapshot(folder)?;
    let head = snapshot.head.map(|content| LogFile {
        name: files::HEAD.to_owned(),
        content,
    });
    let failed = |error: std::io::Error| files::failed(folder, &error);
    for file in &snapshot.files {
        let name = file.path.file_name().unwrap_or_default();
        let file = LogFile {
            name: name.to_string_lossy().into_owned(),
            content: files::bytes(file)?,
        };
        take(file).map_err(failed)?;
    }
    head.map_or(Ok(()), take).map_err(failed)
}

/// The records of a log in their order, from `after` on, at most so many; and no more than what was
/// whole when this was called. They are not verified.
///
/// # Errors
/// A file cannot be read.
pub fn read(place: &Place, after: u64, count: usize) -> Result<Vec<Record>, AuditError> {
    let snapshot = files::snapshot(&place.folder)?;
    let mut records = Vec::new();
    // Files are named by their first record: those before the last that begins early enough have
    // nothing that is asked for.
    let first = snapshot
        .files
        .iter()
        .rposition(|file| file.first <= after.saturating_add(1))
        .unwrap_or(0);
    for file in snapshot.files.iter().skip(first) {
        let bytes = files::bytes(file)?;
        let lines = bytes.split(|byte| *byte == b'\n');
        let parsed = lines.filter_map(|line| serde_json::from_slice::<Record>(line).ok());
        for record in parsed.filter(|record| record.seq > after) {
            records.push(record);
            if records.len() == count {
                return Ok(records);
            }
        }
    }
    Ok(records)
}

/// How many records the newest has before it and itself; 0 for none.
///
/// # Errors
/// A file cannot be read.
pub fn last_sequence(place: &Place) -> Result<u64, AuditError> {
    Ok(files::tail(&place.folder, &place.key)?.last.seq)
}

fn at_text(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)
}

#[cfg(test)]
mod tamper_tests;
#[cfg(test)]
mod tests;
