//! Values for the parameters of a prepared statement, as a client sends them.

use std::collections::HashMap;

use arrow_array::RecordBatch;
use arrow_flight::FlightData;
use arrow_flight::decode::FlightRecordBatchStream;
use arrow_flight::error::FlightError;
use arrow_schema::{DataType, Field, Schema};
use datafusion::arrow::ipc::root_as_message;
use datafusion::common::{ParamValues, ScalarValue};
use futures::{Stream, StreamExt as _, TryStreamExt as _};
use tonic::{Code, Status};

use super::error;
use super::stream::plain_schema;

/// A parameter of a statement, with its type where the statement tells it.
type Parameter = (String, Option<DataType>);

/// Sets of values that are taken at once; each is one run of the statement.
const SETS: usize = 1_000;
/// Bytes of values that are taken at once.
const BYTES: usize = 8 << 20;
/// Values that are taken at once.
const VALUES: usize = 100_000;
/// What a value takes beside its bytes, about.
const VALUE: usize = 128;

/// The parameters of a statement, as columns: their types where the statement tells them, else
/// text, which fits most places.
pub(super) fn schema(known: &[Parameter]) -> Schema {
    let fields = known.iter().map(|(name, data_type)| {
        let data_type = data_type.clone().unwrap_or(DataType::Utf8);
        Field::new(name, data_type, true)
    });
    let plain = plain_schema(&Schema::new(fields.collect::<Vec<_>>()));
    plain.as_ref().clone()
}

/// Reads all that a client sends for a statement.
///
/// # Errors
/// It cannot be read, or is too much.
pub(super) async fn read(
    sent: impl Stream<Item = Result<FlightData, Status>> + Send + 'static,
) -> Result<Vec<RecordBatch>, Status> {
    let mut bytes = 0;
    // A message without a header is the command alone.
    let sent = sent.try_filter(|data| std::future::ready(!data.data_header.is_empty()));
    let checked = sent.map(move |data| {
        let data = data.map_err(|status| FlightError::Tonic(Box::new(status)))?;
        bytes += data.data_body.len() + data.data_header.len();
        let refused = match bytes > BYTES {
            true => Some(too_much()),
            false => is_compressed(&data).then(|| {
                error::unsupported(
                    "parameters are not taken compressed",
                    "send them as they are",
                )
            }),
        };
        match refused {
            Some(status) => Err(FlightError::Tonic(Box::new(status))),
            None => Ok(data),
        }
    });
    // In a task of its own: what is malformed may make the decoder panic.
    let reading = tokio::spawn(async move {
        let mut batches = FlightRecordBatchStream::new_from_flight_data(checked);
        let mut all = Vec::new();
        let mut rows = 0_usize;
        while let Some(batch) = batches.try_next().await? {
            rows = rows.saturating_add(batch.num_rows());
            if rows > SETS {
                return Err(FlightError::Tonic(Box::new(too_much())));
            }
            all.push(batch);
        }
        Ok(all)
    });
    match reading.await {
        Ok(Ok(batches)) => Ok(batches),
        Ok(Err(FlightError::Tonic(status))) => Err(*status),
        Ok(Err(_)) | Err(_) => Err(error::malformed("the parameters")),
    }
}

/// The values of each run, by what the statement calls them.
///
/// # Errors
/// Some are missing, or do not fit their type.
pub(super) fn values(
    known: &[Parameter],
    batches: &[RecordBatch],
) -> Result<Vec<ParamValues>, Status> {
    let mut sets = Vec::new();
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    if rows.saturating_mul(known.len()) > VALUES {
        return Err(too_much());
    }
    for batch in batches {
        let columns = columns(known, batch)?;
        for row in 0..batch.num_rows() {
            sets.push(one(known, batch, &columns, row)?);
        }
    }
    Ok(sets)
}

/// The column of each parameter. Numbered ones go by their place, since drivers call columns as
/// they like; those with a name go by it.
fn columns(known: &[Parameter], batch: &RecordBatch) -> Result<Vec<usize>, Status> {
    let schema = batch.schema();
    let found = known.iter().map(|(parameter, _)| {
        let name = parameter.trim_start_matches('$');
        let place = match name.parse::<usize>() {
            Ok(number) => number.checked_sub(1),
            Err(_) => schema
                .fields()
                .iter()
                .position(|field| field.name().trim_start_matches('$') == name),
        };
        place
            .filter(|place| *place < batch.num_columns())
            .ok_or_else(|| {
                let text = format!("no value was sent for the parameter {parameter}");
                error::said(Code::InvalidArgument, "07001", text)
            })
    });
    found.collect()
}

fn one(
    known: &[Parameter],
    batch: &RecordBatch,
    columns: &[usize],
    row: usize,
) -> Result<ParamValues, Status> {
    let mut values = HashMap::new();
    for ((parameter, data_type), column) in known.iter().zip(columns) {
        let value = ScalarValue::try_from_array(batch.column(*column), row);
        let value = value.and_then(|value| match data_type {
            Some(data_type) => value.cast_to(data_type),
            None => Ok(value),
        });
        let value = value.map_err(|_| {
            let text = format!("the value sent for the parameter {parameter} is of another type");
            error::said(Code::InvalidArgument, "22P02", text)
        })?;
        values.insert(parameter.trim_start_matches('$').to_owned(), value);
    }
    Ok(ParamValues::from(values.into_iter().collect::<Vec<_>>()))
}

/// What a client says of the size of compressed values could be any number, and memory would be
/// taken for it.
fn is_compressed(data: &FlightData) -> bool {
    let Ok(message) = root_as_message(&data.data_header) else {
        return false;
    };
    let batch = match message.header_as_dictionary_batch() {
        Some(dictionary) => dictionary.data(),
        None => message.header_as_record_batch(),
    };
    batch.is_some_and(|batch| batch.compression().is_some())
}

fn too_much() -> Status {
    let text = format!(
        "more than {SETS} sets, {VALUES} values or {} MiB of parameters were sent",
        BYTES >> 20
    );
    error::said(Code::ResourceExhausted, "54000", text)
}

/// Bytes that values take, about.
pub(super) fn size(known: &[Parameter], batches: &[RecordBatch]) -> usize {
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    let values = rows.saturating_mul(known.len());
    let bytes = batches.iter().map(RecordBatch::get_array_memory_size);
    values.saturating_mul(VALUE).saturating_add(bytes.sum())
}

/// Refuses values for a statement that takes none.
///
/// # Errors
/// There are some.
pub(super) fn none(batches: &[RecordBatch]) -> Result<(), Status> {
    let is_any = |batch: &RecordBatch| batch.num_rows() > 0 && batch.num_columns() > 0;
    match batches.iter().any(is_any) {
        true => Err(error::unsupported(
            "a statement that changes something takes no parameters",
            "write the values into it, or insert from a query",
        )),
        false => Ok(()),
    }
}
