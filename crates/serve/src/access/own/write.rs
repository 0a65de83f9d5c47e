//! Rows become files of an own table, and files become the table.

use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{DataType, SchemaRef};
use futures::{Stream, StreamExt as _};
use lake::{Change, FileWriter, Layout, NewFile, Table};
use rand::TryRngCore as _;
use rand::rngs::OsRng;

use super::{OwnSchemas, table_name, unkept};
use crate::access::error::{AccessError, Reason, Result};

/// Rows in memory may be this many times as large as the room that is left for their files.
const UNPACKED: u64 = 16;

/// Files that no table has yet.
pub(super) struct Written {
    pub(super) files: Vec<NewFile>,
    pub(super) rows: u64,
    pub(super) bytes: u64,
    /// Bytes of the longest value of each column.
    pub(super) widest: Vec<u64>,
}

/// The place of a new table: it is given up again unless the table gets a name.
pub(super) struct Fresh {
    own: Arc<OwnSchemas>,
    pub(super) id: String,
    is_kept: bool,
}

impl Fresh {
    /// A place that nobody has.
    pub(super) fn new(own: &Arc<OwnSchemas>) -> Result<Self> {
        let mut bytes = [0; 12];
        OsRng
            .try_fill_bytes(&mut bytes)
            .map_err(|error| unkept(&error))?;
        Ok(Self {
            own: own.clone(),
            id: hex::encode(bytes),
            is_kept: false,
        })
    }

    /// A name leads there now.
    pub(super) fn keep(mut self) {
        self.is_kept = true;
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        if !self.is_kept {
            self.own.leave(&self.id);
        }
    }
}

impl OwnSchemas {
    /// Writes rows to files of the table with this id. `room`: bytes that they may take.
    pub(super) async fn write(
        &self,
        id: &str,
        schema: &SchemaRef,
        mut rows: impl Stream<Item = Result<RecordBatch>> + Unpin,
        room: u64,
    ) -> Result<Written> {
        let name = table_name(id);
        let store = self.lake.store(&name).map_err(|error| unkept(&error))?;
        let mut writer = FileWriter::new(Layout::new(name, schema.clone()), store);
        let mut widest = vec![0; schema.fields().len()];
        let mut unpacked = 0_u64;
        while let Some(batch) = rows.next().await {
            let batch = batch?;
            unpacked = unpacked.saturating_add(batch.get_array_memory_size() as u64);
            if unpacked > room.saturating_mul(UNPACKED).max(1 << 24) {
                return Err(full());
            }
            for (widest, column) in widest.iter_mut().zip(batch.columns()) {
                *widest = longest(column).max(*widest);
            }
            writer.write(&batch).await.map_err(|error| unkept(&error))?;
        }
        let rows = writer.rows() as u64;
        let files = writer.finish().await.map_err(|error| unkept(&error))?;
        let bytes = files.iter().map(|file| file.add.size.max(0).unsigned_abs());
        let bytes = bytes.sum();
        match bytes > room {
            true => Err(full()),
            false => Ok(Written {
                files,
                rows,
                bytes,
                widest,
            }),
        }
    }

    /// Makes a table of these files, or adds them to one.
    pub(super) async fn commit(
        &self,
        id: &str,
        schema: &SchemaRef,
        base: Option<&Table>,
        files: Vec<NewFile>,
    ) -> Result<Arc<Table>> {
        let layout = Layout::new(table_name(id), schema.clone());
        let mut change = Change::new(layout);
        change.adds = files;
        let done = self.lake.commit(base, change).await;
        done.map_err(|error| unkept(&error))
    }
}

fn full() -> AccessError {
    AccessError::new(Reason::Full, "there is no room left in the schema")
        .hint("drop tables that are not needed any more, or make smaller ones")
}

/// Bytes of the longest value.
fn longest(column: &ArrayRef) -> u64 {
    let longest = match column.data_type() {
        DataType::Utf8 => {
            let texts = column.as_string::<i32>();
            texts.iter().flatten().map(str::len).max().unwrap_or(0)
        }
        DataType::Binary => {
            let all = column.as_binary::<i32>();
            all.iter().flatten().map(<[u8]>::len).max().unwrap_or(0)
        }
        kind if kind.is_nested() => {
            let each = (0..column.len()).map(|row| column.slice(row, 1).to_data());
            let sizes = each.filter_map(|data| data.get_slice_memory_size().ok());
            sizes.max().unwrap_or(0)
        }
        _ => 16,
    };
    longest as u64
}
