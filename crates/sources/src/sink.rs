//! Where rows go: the one trait that a consumer of files brings.
//!
//! It is synchronous. An asynchronous consumer runs [`crate::read`] on a blocking thread and puts
//! the batches into a bounded channel; a full channel then holds the reading back, and a closed
//! one ends it by [`SinkError::closed`].

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

/// Takes the rows of one file.
///
/// What it was given counts only when [`crate::read`] returned `Ok`: a file can turn out to be
/// cut off or changed at its very end.
pub trait RowSink {
    /// Called once, before any rows, and also for a file that has none: the columns that all
    /// batches of this file have.
    ///
    /// # Errors
    /// Ends the reading.
    fn open(&mut self, schema: &SchemaRef) -> Result<(), SinkError> {
        let _ = schema;
        Ok(())
    }

    /// Takes the next rows, in the order of the file.
    ///
    /// # Errors
    /// Ends the reading.
    fn write(&mut self, batch: RecordBatch) -> Result<(), SinkError>;

    /// Told now and then how many bytes of the file as it lies have been read.
    fn progress(&mut self, bytes_read: u64) {
        let _ = bytes_read;
    }
}

/// A function is a sink that needs to know no more than the rows.
impl<F: FnMut(RecordBatch) -> Result<(), SinkError>> RowSink for F {
    fn write(&mut self, batch: RecordBatch) -> Result<(), SinkError> {
        self(batch)
    }
}

/// Why a sink took no more rows.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct SinkError {
    message: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl SinkError {
    /// The consumer is gone, usually because it failed or was cancelled: its own error says more.
    pub fn closed() -> Self {
        Self {
            message: "the consumer of the rows has ended".to_owned(),
            source: None,
        }
    }

    /// The consumer failed.
    pub fn caused_by(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self {
            message: "the consumer of the rows failed".to_owned(),
            source: Some(error.into()),
        }
    }
}

/// Keeps all rows of a file: for small files, seeds and tests.
#[derive(Debug, Default)]
pub struct Collected {
    /// The columns; none before the file was opened.
    pub schema: Option<SchemaRef>,
    /// The rows.
    pub batches: Vec<RecordBatch>,
}

impl RowSink for Collected {
    fn open(&mut self, schema: &SchemaRef) -> Result<(), SinkError> {
        self.schema = Some(schema.clone());
        Ok(())
    }

    fn write(&mut self, batch: RecordBatch) -> Result<(), SinkError> {
        self.batches.push(batch);
        Ok(())
    }
}
