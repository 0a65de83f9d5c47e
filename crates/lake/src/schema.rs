//! Which types the lake keeps, and how an engine's types become them.
//!
//! Strings are plain `Utf8`, instants are microseconds in UTC, integers are 64 bits: what every
//! reader of Delta understands. The engine's views, dictionaries and unsigned counts are cast.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};

use crate::{LakeError, Result, TableName};

/// The type in which the lake keeps `kind`, if it keeps it.
fn kept_type(kind: &DataType) -> Option<DataType> {
    use DataType as T;
    Some(match kind {
        T::Utf8 | T::Utf8View | T::LargeUtf8 | T::Null => T::Utf8,
        T::Dictionary(_, value) => kept_type(value)?,
        T::Int8 | T::Int16 | T::Int32 | T::Int64 | T::UInt8 | T::UInt16 | T::UInt32 | T::UInt64 => {
            T::Int64
        }
        T::Float16 | T::Float32 | T::Float64 => T::Float64,
        T::Boolean => T::Boolean,
        T::Date32 | T::Date64 => T::Date32,
        T::Timestamp(_, _) => T::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        T::Decimal32(p, s) | T::Decimal64(p, s) | T::Decimal128(p, s) => T::Decimal128(*p, *s),
        T::Decimal256(p, s) if *p <= 38 => T::Decimal128(*p, *s),
        T::Binary | T::LargeBinary | T::BinaryView => T::Binary,
        T::List(item) | T::LargeList(item) | T::ListView(item) => T::List(Arc::new(Field::new(
            "element",
            kept_type(item.data_type())?,
            true,
        ))),
        T::Struct(fields) => T::Struct(
            fields
                .iter()
                .map(|field| {
                    Some(Arc::new(Field::new(
                        field.name(),
                        kept_type(field.data_type())?,
                        true,
                    )))
                })
                .collect::<Option<_>>()?,
        ),
        _ => return None,
    })
}

/// The schema in which the lake keeps rows of `schema`; every column may be null.
///
/// # Errors
/// A column's type cannot be kept.
pub fn kept_schema(table: &TableName, schema: &Schema) -> Result<SchemaRef> {
    let fields = schema
        .fields()
        .iter()
        .map(|field| {
            let kind = kept_type(field.data_type()).ok_or_else(|| LakeError::ColumnType {
                table: table.to_string(),
                column: field.name().clone(),
                kind: field.data_type().to_string(),
            })?;
            Ok(Field::new(field.name(), kind, true))
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(Arc::new(Schema::new(fields)))
}

/// The columns of `old`, then those that only `new` has.
///
/// # Errors
/// A column has another type in `new`.
pub(crate) fn merged(table: &TableName, old: &Schema, new: &Schema) -> Result<SchemaRef> {
    let mut fields: Vec<Arc<Field>> = old.fields().iter().cloned().collect();
    for field in new.fields() {
        match old.field_with_name(field.name()) {
            Ok(known) if known.data_type() == field.data_type() => {}
            Ok(known) => {
                return Err(LakeError::TypeChanged {
                    table: table.to_string(),
                    column: field.name().clone(),
                    was: known.data_type().to_string(),
                    now: field.data_type().to_string(),
                });
            }
            Err(_) => fields.push(field.clone()),
        }
    }
    Ok(Arc::new(Schema::new(fields)))
}
