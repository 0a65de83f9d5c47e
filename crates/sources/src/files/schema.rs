//! The columns of raw rows.
//!
//! The lake adds `_loaded_at`; everything else that a raw row has is named here.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};

/// The columns that every raw row begins with, in their order.
pub const META_COLUMNS: [&str; 6] = [
    "_raw_id",
    "_file_id",
    "_file",
    "_row",
    "_effective_at",
    "_row_hash",
];

/// Column of text files for what is beyond the header: a JSON list of texts, null if nothing is.
pub const SURPLUS: &str = "_surplus";

/// Column of text files in which lines stand before the header: those lines, as received.
pub const PREAMBLE: &str = "_preamble";

/// Column of JSON and Parquet files: the record as JSON text.
pub const PAYLOAD: &str = "payload";

/// Column of JSON and Parquet files: true where `payload` is not valid JSON but the text that
/// stood in place of a record.
pub const MALFORMED: &str = "_malformed";

fn meta_fields() -> Vec<Field> {
    let instant = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    META_COLUMNS
        .into_iter()
        .map(|name| match name {
            "_file" => Field::new(name, DataType::Utf8, false),
            "_effective_at" => Field::new(name, instant.clone(), true),
            _ => Field::new(name, DataType::Int64, false),
        })
        .collect()
}

/// The columns of a text file (CSV, TSV) with these header names; [`PREAMBLE`] too if it has one.
pub fn text_schema(names: &[String], has_preamble: bool) -> SchemaRef {
    let mut fields = meta_fields();
    fields.extend(
        names
            .iter()
            .map(|name| Field::new(name, DataType::Utf8, true)),
    );
    fields.push(Field::new(SURPLUS, DataType::Utf8, true));
    if has_preamble {
        fields.push(Field::new(PREAMBLE, DataType::Utf8, true));
    }
    Arc::new(Schema::new(fields))
}

/// The columns of a file of records (JSON, Parquet).
pub fn payload_schema() -> SchemaRef {
    let mut fields = meta_fields();
    fields.push(Field::new(PAYLOAD, DataType::Utf8, false));
    fields.push(Field::new(MALFORMED, DataType::Boolean, false));
    Arc::new(Schema::new(fields))
}
