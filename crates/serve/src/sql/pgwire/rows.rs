//! The rows of a running query, sent in the form that the client asked for.

use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::RecordBatch;
use arrow_array::timezone::Tz;
use bytes::BufMut as _;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion_postgres::pgwire::messages::PgWireBackendMessage;
use datafusion_postgres::pgwire::messages::copy::{CopyData, CopyDone, CopyOutResponse};
use futures::StreamExt as _;
use futures::channel::oneshot;
use futures::stream::BoxStream;

use super::copy::{BINARY_END, BINARY_HEAD, CopyForm, CopyOptions};
use super::encode::{Column, field};
use super::error::{PgError, Result};
use super::kinds::{self, Kind};
use super::wire::Wire;
use crate::access::{self, AccessError, Canceller};

/// Columns that a message can tell of.
const COLUMNS_MAX: usize = 1_600;

/// The columns of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Columns(Arc<Vec<(String, Kind)>>);

impl Columns {
    pub(super) fn of(schema: &SchemaRef) -> Self {
        let fields = schema.fields().iter();
        let columns = fields.map(|field| (field.name().clone(), kinds::of_field(field)));
        Self(Arc::new(columns.collect()))
    }

    /// The same with other names, if there is one or none for each.
    pub(super) fn named(self, names: Option<Vec<Option<String>>>) -> Self {
        let Some(names) = names.filter(|names| names.len() == self.0.len()) else {
            return self;
        };
        let columns = self.0.iter().zip(names);
        let columns = columns.map(|((own, kind), name)| (name.unwrap_or(own.clone()), *kind));
        Self(Arc::new(columns.collect()))
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Tells the client of them.
    pub(super) fn describe(&self, wire: &mut Wire, formats: &Formats) -> Result<()> {
        if self.len() > COLUMNS_MAX {
            let message = format!("a result has at most {COLUMNS_MAX} columns");
            return Err(PgError::new("54011", message).into());
        }
        wire.put_raw(b'T', |out| {
            out.put_i16(i16::try_from(self.len()).unwrap_or(0));
            for (place, (name, kind)) in self.0.iter().enumerate() {
                let name: Vec<u8> = name.bytes().filter(|byte| *byte != 0).collect();
                out.put_slice(&name);
                out.put_u8(0);
                out.put_i32(0);
                out.put_i16(0);
                out.put_u32(kind.oid);
                out.put_i16(kinds::length(kind.oid));
                out.put_i32(kind.modifier);
                out.put_i16(i16::from(formats.is_binary(place)));
            }
            Ok(())
        })
    }
}

/// Which columns are sent in the binary form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Formats(Vec<i16>);

impl Formats {
    /// # Errors
    /// There are neither none, one nor as many as columns.
    pub(super) fn new(codes: Vec<i16>, columns: usize) -> Result<Self, PgError> {
        let fits = codes.len() <= 1 || codes.len() == columns;
        match fits && codes.iter().all(|code| matches!(code, 0 | 1)) {
            true => Ok(Self(codes)),
            false => Err(PgError::protocol("result formats do not fit the columns")),
        }
    }

    pub(super) fn binary() -> Self {
        Self(vec![1])
    }

    pub(super) fn is_binary(&self, place: usize) -> bool {
        let code = match self.0.len() {
            1 => self.0.first(),
            _ => self.0.get(place),
        };
        code == Some(&1)
    }
}

/// Fires when the client wants its query to end.
pub(super) struct Cancel(Option<oneshot::Receiver<()>>);

impl Cancel {
    pub(super) fn new(receiver: Option<oneshot::Receiver<()>>) -> Self {
        Self(receiver)
    }

    /// Waits for it. A wish that can no longer come is waited for without end.
    pub(super) async fn wanted(&mut self) {
        if let Some(receiver) = &mut self.0
            && receiver.await.is_ok()
        {
            self.0 = None;
            return;
        }
        self.0 = None;
        std::future::pending().await
    }

    /// Does something until it is done or nobody wants it any more.
    pub(super) async fn unless<T, E>(
        &mut self,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T>
    where
        super::error::Stop: From<E>,
    {
        tokio::select! {
            done = work => Ok(done?),
            () = self.wanted() => Err(PgError::cancelled().into()),
        }
    }
}

/// A result that is being read.
pub(super) struct OpenRows {
    pub(super) columns: Columns,
    /// Behind a lock that nobody waits for: a connection is worked on by one thread at a time.
    batches: Mutex<BoxStream<'static, access::error::Result<RecordBatch>>>,
    canceller: Option<Canceller>,
    zone: Tz,
    /// The columns of the batch that is read, its rows, and the next of them.
    current: Option<(Vec<Column>, usize, usize)>,
}

impl OpenRows {
    /// The rows of a query.
    pub(super) fn of_query(rows: access::Rows, zone: Tz) -> Self {
        Self {
            columns: Columns::of(rows.schema()),
            canceller: Some(rows.canceller()),
            batches: Mutex::new(rows.boxed()),
            zone,
            current: None,
        }
    }

    /// The same with other names of its columns.
    pub(super) fn named(mut self, names: Option<Vec<Option<String>>>) -> Self {
        self.columns = self.columns.named(names);
        self
    }

    /// Rows that are there already.
    pub(super) fn of_batch(batch: RecordBatch, zone: Tz) -> Self {
        let columns = Columns::of(&batch.schema());
        Self {
            columns,
            canceller: None,
            batches: Mutex::new(futures::stream::iter([Ok::<_, AccessError>(batch)]).boxed()),
            zone,
            current: None,
        }
    }

    /// Makes sure that there is a next row; false at the end.
    async fn is_ready(&mut self, cancel: &mut Cancel) -> Result<bool> {
        loop {
            if let Some((_, rows, next)) = &self.current
                && next < rows
            {
                return Ok(true);
            }
            let batches = self
                .batches
                .get_mut()
                .unwrap_or_else(PoisonError::into_inner);
            let batch = tokio::select! {
                batch = batches.next() => batch,
                () = cancel.wanted() => {
                    if let Some(canceller) = &self.canceller {
                        canceller.cancel();
                    }
                    return Err(PgError::cancelled().into());
                }
            };
            let Some(batch) = batch.transpose()? else {
                return Ok(false);
            };
            let kinds = self.columns.0.iter().map(|(_, kind)| kind.oid);
            let columns = batch.columns().iter().zip(kinds);
            let columns = columns.map(|(array, oid)| Column::new(array, oid, self.zone));
            let columns = columns.collect::<Result<Vec<_>, PgError>>()?;
            self.current = Some((columns, batch.num_rows(), 0));
        }
    }

    /// The columns of the batch, and the row that is next in it.
    fn take(&mut self) -> Option<(&[Column], usize)> {
        let (columns, _, next) = self.current.as_mut()?;
        *next += 1;
        Some((columns, *next - 1))
    }

    /// Sends rows, at most so many; how many they were, and whether those were all.
    pub(super) async fn send(
        &mut self,
        wire: &mut Wire,
        formats: &Formats,
        most: Option<usize>,
        cancel: &mut Cancel,
    ) -> Result<(usize, bool)> {
        let mut sent = 0;
        let mut row = Vec::new();
        while most.is_none_or(|most| sent < most) {
            if !self.is_ready(cancel).await? {
                return Ok((sent, true));
            }
            let Some((columns, at)) = self.take() else {
                return Ok((sent, true));
            };
            row.clear();
            for (place, column) in columns.iter().enumerate() {
                field(column, at, formats.is_binary(place), &mut row)?;
            }
            let count = i16::try_from(columns.len()).unwrap_or(0);
            wire.put_raw(b'D', |out| {
                out.put_i16(count);
                out.put_slice(&row);
                Ok::<_, PgError>(())
            })?;
            sent += 1;
            wire.flush_much().await?;
        }
        Ok((sent, false))
    }

    /// Passes over rows, at most so many; how many they were.
    pub(super) async fn skip(&mut self, most: Option<usize>, cancel: &mut Cancel) -> Result<usize> {
        let mut passed = 0;
        while most.is_none_or(|most| passed < most) && self.is_ready(cancel).await? {
            self.take();
            passed += 1;
        }
        Ok(passed)
    }

    /// Sends all rows in a form of `copy`; how many they were.
    pub(super) async fn copy(
        &mut self,
        wire: &mut Wire,
        options: &CopyOptions,
        cancel: &mut Cancel,
    ) -> Result<usize> {
        let is_binary = options.form == CopyForm::Binary;
        let count = i16::try_from(self.columns.len())
            .map_err(|_| PgError::new("54011", "too many columns"))?;
        let code = i16::from(is_binary);
        let begun =
            CopyOutResponse::new(i8::from(is_binary), count, vec![code; self.columns.len()]);
        wire.put(&PgWireBackendMessage::CopyOutResponse(begun))?;
        if is_binary {
            put_data(wire, BINARY_HEAD.to_vec())?;
        } else if options.has_header {
            let mut line = Vec::new();
            let names = self.columns.0.iter().map(|(name, _)| Some(name.as_bytes()));
            options.line(names, &mut line);
            put_data(wire, line)?;
        }
        let mut sent = 0;
        while self.is_ready(cancel).await? {
            let Some((columns, row)) = self.take() else {
                break;
            };
            let mut line = Vec::new();
            match is_binary {
                true => {
                    line.extend_from_slice(&count.to_be_bytes());
                    for column in columns {
                        field(column, row, true, &mut line)?;
                    }
                }
                false => copy_line(columns, row, options, &mut line)?,
            }
            put_data(wire, line)?;
            sent += 1;
            wire.flush_much().await?;
        }
        if is_binary {
            put_data(wire, BINARY_END.to_vec())?;
        }
        wire.put(&PgWireBackendMessage::CopyDone(CopyDone::new()))?;
        Ok(sent)
    }
}

fn put_data(wire: &mut Wire, data: Vec<u8>) -> Result<()> {
    wire.put(&PgWireBackendMessage::CopyData(CopyData::new(data.into())))?;
    Ok(())
}

fn copy_line(
    columns: &[Column],
    row: usize,
    options: &CopyOptions,
    line: &mut Vec<u8>,
) -> Result<(), PgError> {
    let mut values = Vec::with_capacity(columns.len());
    for column in columns {
        let mut value = Vec::new();
        if column.is_null(row) {
            values.push(None);
            continue;
        }
        column.text(row, &mut value)?;
        values.push(Some(value));
    }
    options.line(values.iter().map(Option::as_deref), line);
    Ok(())
}
