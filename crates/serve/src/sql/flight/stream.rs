//! Rows as they are sent: in types that every client of Flight SQL reads.
//!
//! The engine's views of texts, its dictionaries and run-end encoded columns are how it computes,
//! not what a result means; drivers of several languages cannot read them. They are sent as plain
//! columns, and the schema that is promised before is the one that is sent.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_flight::encode::FlightDataEncoderBuilder;
use arrow_flight::error::FlightError;
use arrow_flight::{FlightData, IpcMessage, SchemaAsIpc};
use arrow_schema::{ArrowError, DataType, Field, FieldRef, Schema, SchemaRef};
use bytes::Bytes;
use datafusion::arrow::ipc::writer::IpcWriteOptions;
use futures::{Stream, StreamExt as _, TryStreamExt as _};
use tonic::Status;

use super::error;

/// What is sent in answer to a ticket.
pub(super) type Flow = Pin<Box<dyn Stream<Item = Result<FlightData, Status>> + Send>>;

/// Metadata of columns that says what a type means to clients; no other is sent.
const EXTENSION: &str = "ARROW:extension:";

/// The columns as they are sent.
pub(super) fn plain_schema(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter();
    Arc::new(Schema::new(
        fields
            .map(|field| plain_field(field).with_nullable(true))
            .collect::<Vec<_>>(),
    ))
}

/// A column as it is sent.
fn plain_field(field: &FieldRef) -> Field {
    let kept: HashMap<String, String> = field
        .metadata()
        .iter()
        .filter(|(name, _)| name.starts_with(EXTENSION))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    Field::new(
        field.name(),
        plain_type(field.data_type()),
        field.is_nullable(),
    )
    .with_metadata(kept)
}

fn plain_type(data_type: &DataType) -> DataType {
    let inside = |field: &FieldRef| Arc::new(plain_field(field));
    match data_type {
        DataType::Utf8View => DataType::Utf8,
        DataType::BinaryView => DataType::Binary,
        DataType::Dictionary(_, values) => plain_type(values),
        DataType::RunEndEncoded(_, values) => plain_type(values.data_type()),
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::ListView(field)
        | DataType::LargeListView(field) => DataType::List(inside(field)),
        DataType::FixedSizeList(field, size) => DataType::FixedSizeList(inside(field), *size),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(inside).collect()),
        DataType::Map(field, is_sorted) => DataType::Map(inside(field), *is_sorted),
        other => other.clone(),
    }
}

/// Rows in the types in which they are sent.
fn plain_batch(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let columns = batch.columns().iter().zip(schema.fields());
    let columns = columns.map(
        |(column, field)| match column.data_type() == field.data_type() {
            true => Ok(column.clone()),
            false => arrow_cast::cast(column, field.data_type()),
        },
    );
    let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(schema.clone(), columns.collect::<Result<_, _>>()?, &rows)
}

/// Rows in messages that fit gRPC's usual limit, after their schema, which is [`plain_schema`].
pub(super) fn encoded(
    schema: SchemaRef,
    batches: impl Stream<Item = Result<RecordBatch, Status>> + Send + 'static,
) -> Flow {
    let sent = schema.clone();
    let batches = batches.map(move |batch| {
        let batch = batch.map_err(|status| FlightError::Tonic(Box::new(status)))?;
        plain_batch(&batch, &sent).map_err(FlightError::from)
    });
    let encoder = FlightDataEncoderBuilder::new().with_schema(schema);
    encoder.build(batches).map_err(error::of_stream).boxed()
}

/// A schema as it stands in the answers of actions.
pub(super) fn schema_bytes(schema: &Schema) -> Result<Bytes, Status> {
    let options = IpcWriteOptions::default();
    let message = IpcMessage::try_from(SchemaAsIpc::new(schema, &options));
    let message = message.map_err(|_| error::internal("the schema cannot be sent"))?;
    Ok(message.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::builder::{ListBuilder, StringViewBuilder};
    use arrow_array::types::Int32Type;
    use arrow_array::{ArrayRef, DictionaryArray, StringArray, StringViewArray, StructArray};

    #[test]
    fn views_and_dictionaries_become_plain_wherever_they_stand() {
        let views: ArrayRef = Arc::new(StringViewArray::from(vec![Some("a"), None]));
        let words: DictionaryArray<Int32Type> = vec![Some("b"), Some("b")].into_iter().collect();
        let words: ArrayRef = Arc::new(words);
        let mut lists = ListBuilder::new(StringViewBuilder::new());
        lists.values().append_value("c");
        lists.append(true);
        lists.append_null();
        let lists: ArrayRef = Arc::new(lists.finish());
        let of = |name: &str, column: &ArrayRef| {
            let secret = [("note".to_owned(), "CNRY".to_owned())].into();
            let field = Field::new(name, column.data_type().clone(), true);
            Arc::new(field.with_metadata(secret))
        };
        let both: ArrayRef = Arc::new(StructArray::from(vec![
            (of("view", &views), views.clone()),
            (of("list", &lists), lists.clone()),
        ]));
        let columns = [
            ("view", views),
            ("word", words),
            ("list", lists),
            ("both", both),
        ];
        let fields: Vec<FieldRef> = columns.iter().map(|(name, one)| of(name, one)).collect();
        let schema = Schema::new(fields).with_metadata([("x".into(), "CNRY".into())].into());
        let arrays = columns.into_iter().map(|(_, column)| column).collect();
        let batch = RecordBatch::try_new(Arc::new(schema), arrays).expect("a batch");
        let plain = plain_schema(&batch.schema());
        let shown = format!("{plain:?}");
        for absent in ["View", "Dictionary", "CNRY"] {
            assert!(!shown.contains(absent), "{shown}");
        }
        let sent = plain_batch(&batch, &plain).expect("plain");
        let first = sent.column(0).as_any().downcast_ref::<StringArray>();
        assert_eq!(first.expect("texts").value(0), "a");
        assert_eq!(sent.num_rows(), 2);
    }

    #[test]
    fn rows_without_columns_are_counted() {
        let rows = RecordBatchOptions::new().with_row_count(Some(3));
        let none = Arc::new(Schema::empty());
        let batch = RecordBatch::try_new_with_options(none.clone(), vec![], &rows);
        let sent = plain_batch(&batch.expect("a batch"), &plain_schema(&none)).expect("plain");
        assert_eq!(sent.num_rows(), 3);
    }
}
