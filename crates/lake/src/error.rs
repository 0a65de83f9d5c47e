//! What can go wrong in the lake, told so that a person knows where and what to do.

use datafusion::error::DataFusionError;
use deltalake::DeltaTableError;

/// An error of the lake.
#[derive(Debug, thiserror::Error)]
pub enum LakeError {
    /// The Delta layer refused or failed.
    #[error("table `{table}`: {action} failed: {source}")]
    Delta {
        /// `schema.name`.
        table: String,
        /// What was tried.
        action: &'static str,
        /// The cause.
        source: Box<DeltaTableError>,
    },
    /// The query engine refused or failed.
    #[error(transparent)]
    Engine(DataFusionError),
    /// The disk is full, or a limit on files or quota was reached.
    #[error(
        "there is no room to write: {0}\n\
         hint: free space for the lake and for `.throughline/spill`, and run again: no table holds \
         anything half-done, and the run goes on where this one stopped"
    )]
    Full(String),
    /// Another writer committed to the table first; nothing of ours is in it.
    #[error(
        "table `{table}`: another writer committed version {version} meanwhile; nothing of this \
         commit is in the table\n\
         hint: run again: it is then decided anew from the table as it is"
    )]
    Conflict {
        /// `schema.name`.
        table: String,
        /// The version that they committed.
        version: u64,
    },
    /// The store failed, and the log cannot be read to see whether the commit is in it.
    #[error(
        "table `{table}`: the store failed, and whether the commit is in the table cannot be \
         read: {source}\n\
         hint: run again when the store answers: the table's log says what is in it, and nothing \
         is added twice"
    )]
    Unclear {
        /// `schema.name`.
        table: String,
        /// The failure.
        source: Box<LakeError>,
    },
    /// The store writes where something is although told not to.
    #[error(
        "lake at `{0}`: the store overwrites what it was told to keep (it ignores \
         `If-None-Match: *`), so two writers could overwrite each other's commits\n\
         hint: use a store with conditional put: Amazon S3, Cloudflare R2, MinIO from 2024 on, \
         Ceph from Squid on"
    )]
    NoConditionalPut(String),
    /// A column has a type that the lake does not keep.
    #[error(
        "table `{table}`: column `{column}` has type {kind}, which the lake does not keep\n\
         hint: cast it in the model, for example `cast({column} as text)`"
    )]
    ColumnType {
        /// `schema.name`.
        table: String,
        /// The column.
        column: String,
        /// Its Arrow type.
        kind: String,
    },
    /// A table changed a column's type.
    #[error(
        "table `{table}`: column `{column}` was {was} and is now {now}\n\
         hint: run with --full-refresh to rebuild the table"
    )]
    TypeChanged {
        /// `schema.name`.
        table: String,
        /// The column.
        column: String,
        /// Type in the table.
        was: String,
        /// Type in the new data.
        now: String,
    },
    /// A table that must exist does not.
    #[error("table `{0}` does not exist")]
    Missing(String),
    /// A row without a day in a table that is kept by day.
    #[error("table `{table}`: {rows} rows have no `{column}`, which says on which day a row lies")]
    NoInterval {
        /// `schema.name`.
        table: String,
        /// The interval column.
        column: String,
        /// How many rows.
        rows: usize,
    },
    /// The log holds something that this version did not write.
    #[error("table `{table}`: its log cannot be read: {why}")]
    Log {
        /// `schema.name`.
        table: String,
        /// What is wrong.
        why: String,
    },
    /// A version whose files vacuum removed.
    #[error(
        "table `{table}`: version {version} has expired: its files are removed\n\
         hint: read a newer state; how long versions are kept is said when `maintain` is called"
    )]
    Expired {
        /// `schema.name`.
        table: String,
        /// The version.
        version: u64,
    },
    /// A file that a reader still needed was removed.
    #[error(
        "the file `{path}` is gone: the version that was being read has expired, or its file was \
         removed by hand\n\
         hint: ask again; if that fails too, run with --full-refresh"
    )]
    Gone {
        /// Where it was.
        path: String,
    },
    /// A newer program wrote it.
    #[error(
        "{what} is of format {found}, this program knows up to {known}\n\
         hint: update the program; nothing was changed"
    )]
    Newer {
        /// A lake or a table.
        what: String,
        /// Its format.
        found: u32,
        /// The newest format that is known.
        known: u32,
    },
    /// A path that cannot be used.
    #[error("lake at `{path}`: {why}")]
    Place {
        /// Where.
        path: String,
        /// What is wrong.
        why: String,
    },
}

impl LakeError {
    /// What went wrong while rows were read: a file that is gone is told apart.
    pub fn of_reading(error: DataFusionError) -> Self {
        // The engine's reader turns the store's error into text, so text is what is left of it.
        let text = error.to_string();
        let place = text.split("Object at location ").nth(1);
        match place.and_then(|place| place.split_once(" not found")) {
            Some((path, _)) => Self::Gone {
                path: path.to_owned(),
            },
            None => Self::Engine(error),
        }
    }
}

/// Result of the lake.
pub type Result<T, E = LakeError> = std::result::Result<T, E>;

impl From<DataFusionError> for LakeError {
    fn from(error: DataFusionError) -> Self {
        match full(&error) {
            Some(why) => Self::Full(why.to_string()),
            None => Self::Engine(error),
        }
    }
}

/// The error somewhere below `error` that says that the disk is full, or that a limit was reached.
pub(crate) fn full<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> Option<&'a (dyn std::error::Error + 'static)> {
    use std::io::ErrorKind;
    let mut at = Some(error);
    while let Some(error) = at {
        let kind = error.downcast_ref::<std::io::Error>().map(|e| e.kind());
        if let Some(ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge) =
            kind
        {
            return Some(error);
        }
        at = error.source();
    }
    None
}

pub(crate) trait DeltaContext<T> {
    fn during(self, table: &crate::TableName, action: &'static str) -> Result<T>;
}

impl<T, E: Into<DeltaTableError>> DeltaContext<T> for std::result::Result<T, E> {
    fn during(self, table: &crate::TableName, action: &'static str) -> Result<T> {
        self.map_err(|source| {
            let source: DeltaTableError = source.into();
            match full(&source) {
                Some(why) => LakeError::Full(format!("{table}: {action}: {why}")),
                None => LakeError::Delta {
                    table: table.to_string(),
                    action,
                    source: Box::new(source),
                },
            }
        })
    }
}
