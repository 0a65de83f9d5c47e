//! The files of one load: their hashes, and a shard of them on its way into the lake.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use chrono::{DateTime, Utc};
use domain::config::Stream;
use lake::{FileWriter, Layout, NewFile, Origin, TableName};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use sources::{FileError, FoundFile, ReadStats, RowSink, SinkError};

use super::{Pending, columns};

/// Columns of raw tables with statistics: those that say where a row is from.
pub(super) const STATS: [&str; 3] = ["_raw_id", "_file_id", "_row"];

/// Files up to this size are read whole before a row is written, so that many share one file of
/// the lake; larger ones get their own.
const SMALL_FILE_BYTES: u64 = 4 << 20;

/// Files that were modified longer ago than this are taken to be unchanged if size and time are.
const SETTLED_US: i64 = 2_000_000;

/// Rows of a small file are held in memory up to this size; compressed ones can become large.
const HELD_BYTES_MAX: usize = 64 << 20;

/// What was hashed before: a file of the same size and time is not read again.
pub(crate) struct Hashes {
    path: PathBuf,
    known: BTreeMap<String, Hashed>,
    changed: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Hashed {
    bytes: u64,
    modified_us: i64,
    hash: String,
}

impl Hashes {
    /// The hashes kept in a file; none where it cannot be read, as they can be made again.
    pub(crate) fn open(path: &Path) -> Self {
        let known = std::fs::read(path)
            .ok()
            .and_then(|text| serde_json::from_slice(&text).ok());
        Self {
            path: path.to_owned(),
            known: known.unwrap_or_default(),
            changed: false,
        }
    }

    /// A file's hash.
    pub(crate) fn of(&mut self, file: &FoundFile) -> Result<String, sources::ReadError> {
        if let Some(known) = self.known.get(&file.relative)
            && known.bytes == file.size_bytes
            && known.modified_us == file.modified_us
        {
            return Ok(known.hash.clone());
        }
        let hash = file.content_hash()?;
        self.changed = true;
        let hashed = Hashed {
            bytes: file.size_bytes,
            modified_us: file.modified_us,
            hash: hash.clone(),
        };
        self.known.insert(file.relative.clone(), hashed);
        Ok(hash)
    }

    /// Hashes a file anew in the next run: it could not be loaded, perhaps because it changed.
    pub(super) fn forget(&mut self, relative: &str) {
        self.changed |= self.known.remove(relative).is_some();
    }

    /// Keeps the hashes for the next run, but not of files that were written just now: they may
    /// be written once more at the same instant of a coarse clock.
    pub(crate) fn save(&mut self, now: DateTime<Utc>) -> anyhow::Result<()> {
        if self.changed {
            let settled_us = now.timestamp_micros() - SETTLED_US;
            self.known
                .retain(|_, hashed| hashed.modified_us < settled_us);
            let temporary = self.path.with_extension("tmp");
            lake::crash::point("hashes.before_write");
            std::fs::write(&temporary, serde_json::to_vec(&self.known)?)?;
            lake::crash::point("hashes.written");
            std::fs::rename(&temporary, &self.path)?;
            lake::crash::point("hashes.placed");
        }
        Ok(())
    }
}

/// Files in as many parts as there are threads, of about the same size, each in order.
pub(super) fn shards(mut todo: Vec<Pending>) -> Vec<Vec<Pending>> {
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let total: u64 = todo.iter().map(|pending| pending.file.size_bytes).sum();
    if total < SMALL_FILE_BYTES || todo.len() < 2 {
        return vec![todo];
    }
    todo.sort_by(|a, b| a.file.relative.cmp(&b.file.relative));
    let share = total / threads as u64 + 1;
    let mut shards: Vec<Vec<Pending>> = vec![Vec::new()];
    let mut size = 0;
    for pending in todo {
        if size >= share && shards.len() < threads {
            shards.push(Vec::new());
            size = 0;
        }
        size += pending.file.size_bytes;
        if let Some(last) = shards.last_mut() {
            last.push(pending);
        }
    }
    shards
}

/// What a shard came to.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub(super) files: Vec<NewFile>,
    pub(super) loaded: Vec<Origin>,
    pub(super) schemas: Vec<SchemaRef>,
    pub(super) warnings: Vec<String>,
    pub(super) errors: Vec<String>,
    /// Paths of the files that the errors are about.
    pub(super) refused: Vec<String>,
}

impl Written {
    pub(super) fn add(&mut self, other: Self) {
        self.files.extend(other.files);
        self.loaded.extend(other.loaded);
        self.schemas.extend(other.schemas);
        self.warnings.extend(other.warnings);
        self.errors.extend(other.errors);
        self.refused.extend(other.refused);
    }
}

/// One part of the files on their way into the lake.
pub(super) struct Shard {
    table: TableName,
    store: Arc<dyn lake::ObjectStore>,
    stream: Stream,
    now: DateTime<Utc>,
    known: Option<SchemaRef>,
    shared: Option<(SchemaRef, FileWriter)>,
    written: Written,
}

impl Shard {
    pub(super) fn new(
        table: TableName,
        store: Arc<dyn lake::ObjectStore>,
        stream: Stream,
        now: DateTime<Utc>,
        known: Option<SchemaRef>,
    ) -> Self {
        Self {
            table,
            store,
            stream,
            now,
            known,
            shared: None,
            written: Written::default(),
        }
    }

    /// Loads the files one after another. A file that cannot be read whole leaves nothing behind.
    pub(super) async fn load(mut self, todo: Vec<Pending>) -> anyhow::Result<Written> {
        for pending in todo {
            let is_small = pending.file.size_bytes <= SMALL_FILE_BYTES;
            let held = match is_small {
                true => self.small(&pending).await?,
                false => None,
            };
            let read = match held {
                Some(read) => read,
                None => self.large(&pending).await?,
            };
            match read {
                Ok(stats) => {
                    for warning in stats.warnings() {
                        self.written.warnings.push(format!(
                            "{}: {warning}{}",
                            pending.file.relative,
                            hint(warning.hint())
                        ));
                    }
                    self.written.loaded.push(self.origin(&pending, &stats));
                }
                Err(error) => {
                    self.written.errors.push(said(&error));
                    self.written.refused.push(error.file);
                }
            }
        }
        if let Some((_, writer)) = self.shared.take() {
            self.written.files.extend(writer.finish().await?);
        }
        Ok(self.written)
    }

    fn layout(&self, schema: SchemaRef) -> Layout {
        Layout {
            stats: STATS.iter().map(|column| (*column).to_owned()).collect(),
            ..Layout::new(self.table.clone(), schema)
        }
    }

    /// The schema of a file's rows; its columns are known from now on.
    fn raw_schema(&mut self, schema: &SchemaRef) -> SchemaRef {
        let names = columns::names(schema, self.known.as_ref());
        let raw = columns::raw_schema(schema, &names);
        self.known = Some(columns::union(
            self.known.as_ref(),
            std::slice::from_ref(&raw),
        ));
        self.written.schemas.push(raw.clone());
        raw
    }

    /// A small file: read whole, then written to the file that is shared. None if it holds more
    /// than it seemed.
    async fn small(
        &mut self,
        pending: &Pending,
    ) -> anyhow::Result<Option<Result<ReadStats, FileError>>> {
        let (stream, file) = (self.stream.clone(), pending.file.clone());
        let identity = pending.identity.clone();
        let read = tokio::task::spawn_blocking(move || {
            let mut held = Held::default();
            let stats = sources::read(&stream, &file, &identity, &mut held);
            (stats, held)
        });
        let (stats, rows) = match read.await {
            Ok((_, held)) if held.is_too_much => return Ok(None),
            Ok((Ok(stats), held)) => (stats, held.rows),
            Ok((Err(error), _)) => return Ok(Some(Err(error))),
            Err(error) => return Ok(Some(Err(defect(pending, error)))),
        };
        let Some(schema) = rows.schema else {
            return Ok(Some(Ok(stats)));
        };
        let raw = self.raw_schema(&schema);
        let covers = |wide: &SchemaRef| {
            raw.fields()
                .iter()
                .all(|field| wide.column_with_name(field.name()).is_some())
        };
        if !self.shared.as_ref().is_some_and(|(wide, _)| covers(wide)) {
            if let Some((_, writer)) = self.shared.take() {
                self.written.files.extend(writer.finish().await?);
            }
            let wide = self.known.clone().unwrap_or_else(|| raw.clone());
            let writer = FileWriter::new(self.layout(wide.clone()), self.store.clone());
            self.shared = Some((wide, writer));
        }
        let origin = self.origin(pending, &stats);
        if let Some((_, writer)) = self.shared.as_mut() {
            writer.add_origins([origin]);
            for batch in rows.batches {
                writer
                    .write(&columns::raw_batch(&batch, &raw, self.now)?)
                    .await?;
            }
        }
        Ok(Some(Ok(stats)))
    }

    /// A large file: streamed into files of its own.
    async fn large(&mut self, pending: &Pending) -> anyhow::Result<Result<ReadStats, FileError>> {
        let (sender, mut receiver) = tokio::sync::mpsc::channel::<Message>(4);
        let (stream, file) = (self.stream.clone(), pending.file.clone());
        let identity = pending.identity.clone();
        let reader = tokio::task::spawn_blocking(move || {
            sources::read(&stream, &file, &identity, &mut Channel(sender))
        });
        let mut open: Option<(SchemaRef, FileWriter)> = None;
        while let Some(message) = receiver.recv().await {
            match message {
                Message::Open(schema) => {
                    let raw = self.raw_schema(&schema);
                    let layout = self.layout(raw.clone());
                    let placeholder = self.origin_of(pending);
                    let writer =
                        FileWriter::new(layout, self.store.clone()).with_origins([placeholder]);
                    open = Some((raw, writer));
                }
                Message::Rows(batch) => {
                    if let Some((raw, writer)) = open.as_mut() {
                        writer
                            .write(&columns::raw_batch(&batch, raw, self.now)?)
                            .await?;
                    }
                }
            }
        }
        let stats = match reader.await {
            Ok(Ok(stats)) => stats,
            Ok(Err(error)) => return Ok(Err(error)),
            Err(error) => return Ok(Err(defect(pending, error))),
        };
        if let Some((_, writer)) = open {
            let full = self.origin(pending, &stats);
            for mut file in writer.finish().await? {
                file.origins = vec![full.clone()];
                self.written.files.push(file);
            }
        }
        Ok(Ok(stats))
    }

    /// A file as the log names it, before its rows are counted.
    fn origin_of(&self, pending: &Pending) -> Origin {
        Origin {
            file_id: pending.file_id,
            path: pending.file.relative.clone(),
            content_hash: pending.hash.clone(),
            rows: 0,
            bytes: pending.file.size_bytes,
            version: pending.version,
            reading: reading(&self.stream),
        }
    }

    fn origin(&self, pending: &Pending, stats: &ReadStats) -> Origin {
        Origin {
            rows: stats.rows as i64,
            ..self.origin_of(pending)
        }
    }
}

/// Which settings a stream's files are read by: a file that was read by others is read again.
pub(super) fn reading(stream: &Stream) -> String {
    let files = &stream.files;
    // Words for "no value" and the zone matter here only to the instant in a column or a name.
    let instant = files
        .effective_at
        .as_ref()
        .map(|at| (at, &files.null_words, &stream.zone));
    let all = (
        (files.format, files.compression, &files.delimiter),
        (&files.encoding, files.skip_lines, &files.records),
        instant,
    );
    let mut text = format!("{all:?}");
    if let Some(headings) = files
        .headings
        .as_ref()
        .filter(|_| files.skip_lines.is_none())
    {
        text.push_str(&format!("{headings:?}"));
    }
    let hash = Sha256::digest(text);
    hex::encode(hash.get(..6).unwrap_or_default())
}

/// What is said of a file that could not be loaded.
pub(super) fn said(error: &FileError) -> String {
    format!("{error}{}", hint(error.hint()))
}

fn hint(hint: Option<&str>) -> String {
    hint.map_or_else(String::new, |hint| format!("\n  hint: {hint}"))
}

/// The reader panicked: a defect of ours, which stops no other file.
fn defect(pending: &Pending, error: tokio::task::JoinError) -> FileError {
    let what = error.to_string();
    FileError {
        file: pending.file.relative.clone(),
        error: sources::ReadError::Defect { what },
    }
}

/// Holds the rows of a small file, up to a size.
#[derive(Default)]
struct Held {
    rows: sources::Collected,
    bytes: usize,
    is_too_much: bool,
}

impl RowSink for Held {
    fn open(&mut self, schema: &SchemaRef) -> Result<(), SinkError> {
        self.rows.open(schema)
    }

    fn write(&mut self, batch: RecordBatch) -> Result<(), SinkError> {
        self.bytes += batch.get_array_memory_size();
        if self.bytes > HELD_BYTES_MAX {
            self.is_too_much = true;
            self.rows.batches.clear();
            return Err(SinkError::closed());
        }
        self.rows.write(batch)
    }
}

enum Message {
    Open(SchemaRef),
    Rows(RecordBatch),
}

/// Hands rows to the asynchronous side; a full channel holds the reading back.
struct Channel(tokio::sync::mpsc::Sender<Message>);

impl RowSink for Channel {
    fn open(&mut self, schema: &SchemaRef) -> Result<(), SinkError> {
        self.0
            .blocking_send(Message::Open(schema.clone()))
            .map_err(|_| SinkError::closed())
    }

    fn write(&mut self, batch: RecordBatch) -> Result<(), SinkError> {
        self.0
            .blocking_send(Message::Rows(batch))
            .map_err(|_| SinkError::closed())
    }
}
