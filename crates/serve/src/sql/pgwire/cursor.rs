//! Cursors of SQL: `DECLARE`, `FETCH`, `MOVE`, `CLOSE`. They go forward.

use std::collections::BTreeMap;

use super::command::Count;
use super::error::{PgError, Result};
use super::rows::{Cancel, Columns, Formats, OpenRows};
use super::wire::Wire;

/// Cursors that a connection may have open.
const CURSORS: usize = 100;

/// A cursor.
struct Cursor {
    rows: OpenRows,
    is_binary: bool,
    /// It outlives its transaction.
    is_held: bool,
}

/// The cursors of a connection.
#[derive(Default)]
pub(super) struct Cursors(BTreeMap<String, Cursor>);

impl Count {
    fn most(self) -> Option<usize> {
        match self {
            Self::Rows(rows) => Some(rows),
            Self::All => None,
        }
    }
}

impl Cursors {
    /// # Errors
    /// There is one of that name, or there are too many.
    pub(super) fn check(&self, name: &str) -> Result<(), PgError> {
        if self.0.contains_key(name) {
            let message = format!("cursor \"{name}\" already exists");
            return Err(PgError::new("42P03", message));
        }
        match self.0.len() >= CURSORS {
            true => Err(PgError::new("53400", "too many cursors are open")
                .hint("close those that have been read")),
            false => Ok(()),
        }
    }

    pub(super) fn open(&mut self, name: String, rows: OpenRows, is_binary: bool, is_held: bool) {
        let cursor = Cursor {
            rows,
            is_binary,
            is_held,
        };
        self.0.insert(name, cursor);
    }

    fn one(&mut self, name: &str) -> Result<&mut Cursor, PgError> {
        let cursor = self.0.get_mut(name);
        cursor.ok_or_else(|| PgError::new("34000", format!("cursor \"{name}\" does not exist")))
    }

    /// The columns of a cursor, and the form it is read in.
    pub(super) fn columns(&mut self, name: &str) -> Result<(Columns, Formats), PgError> {
        let cursor = self.one(name)?;
        Ok((cursor.rows.columns.clone(), cursor.formats()))
    }

    /// Sends rows of a cursor; how many they were.
    pub(super) async fn fetch(
        &mut self,
        name: &str,
        count: Count,
        wire: &mut Wire,
        formats: Option<&Formats>,
        cancel: &mut Cancel,
    ) -> Result<usize> {
        let cursor = self.one(name)?;
        let own = cursor.formats();
        let formats = formats.unwrap_or(&own);
        let sent = cursor
            .rows
            .send(wire, formats, count.most(), cancel)
            .await?;
        Ok(sent.0)
    }

    /// Passes over rows of a cursor; how many they were.
    pub(super) async fn pass(
        &mut self,
        name: &str,
        count: Count,
        cancel: &mut Cancel,
    ) -> Result<usize> {
        self.one(name)?.rows.skip(count.most(), cancel).await
    }

    /// # Errors
    /// There is none of that name.
    pub(super) fn close(&mut self, name: Option<&str>) -> Result<(), PgError> {
        match name {
            None => self.0.clear(),
            Some(name) => {
                self.one(name)?;
                self.0.remove(name);
            }
        }
        Ok(())
    }

    /// The transaction has ended.
    pub(super) fn end_transaction(&mut self) {
        self.0.retain(|_, cursor| cursor.is_held);
    }
}

impl Cursor {
    fn formats(&self) -> Formats {
        match self.is_binary {
            true => Formats::binary(),
            false => Formats::default(),
        }
    }
}
