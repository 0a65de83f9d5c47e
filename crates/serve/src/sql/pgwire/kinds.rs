//! The types of PostgreSQL that columns have on the wire.

use datafusion::arrow::datatypes::{DataType, Field};

pub(super) use super::oids::*;

/// Name of the metadata in which a field says its type's number itself.
pub(super) const KIND: &str = "pg.type";

/// A column's type on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind {
    pub(super) oid: u32,
    /// What belongs to the type: precision and scale of a number; -1 for nothing.
    pub(super) modifier: i32,
}

/// The type of a column.
pub(super) fn of_field(field: &Field) -> Kind {
    let own = field.metadata().get(KIND).and_then(|oid| oid.parse().ok());
    match own {
        Some(oid) => Kind { oid, modifier: -1 },
        None => of_type(field.data_type()),
    }
}

/// The type of values of the engine.
pub(super) fn of_type(data: &DataType) -> Kind {
    let plain = |oid| Kind { oid, modifier: -1 };
    match data {
        DataType::Boolean => plain(BOOL),
        DataType::Int8 | DataType::Int16 | DataType::UInt8 => plain(INT2),
        DataType::Int32 | DataType::UInt16 => plain(INT4),
        DataType::Int64 | DataType::UInt32 => plain(INT8),
        DataType::UInt64 => plain(NUMERIC),
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => Kind {
            oid: NUMERIC,
            modifier: match u8::try_from(*scale) {
                Ok(scale) => (i32::from(*precision) << 16 | i32::from(scale)) + 4,
                Err(_) => -1,
            },
        },
        DataType::Float16 | DataType::Float32 => plain(FLOAT4),
        DataType::Float64 => plain(FLOAT8),
        DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::FixedSizeBinary(_) => plain(BYTEA),
        DataType::Date32 | DataType::Date64 => plain(DATE),
        DataType::Time32(_) | DataType::Time64(_) => plain(TIME),
        DataType::Timestamp(_, None) => plain(TIMESTAMP),
        DataType::Timestamp(_, Some(_)) => plain(TIMESTAMPTZ),
        DataType::Interval(_) | DataType::Duration(_) => plain(INTERVAL),
        DataType::Dictionary(_, values) => of_type(values),
        DataType::RunEndEncoded(_, values) => of_type(values.data_type()),
        DataType::List(element)
        | DataType::LargeList(element)
        | DataType::FixedSizeList(element, _)
        | DataType::ListView(element)
        | DataType::LargeListView(element) => {
            let element = of_field(element);
            let array = (element.oid != JSON)
                .then(|| array_of(element.oid))
                .flatten();
            Kind {
                oid: array.unwrap_or(JSON),
                modifier: if array.is_some() {
                    element.modifier
                } else {
                    -1
                },
            }
        }
        DataType::Struct(_) | DataType::Map(..) | DataType::Union(..) => plain(JSON),
        _ => plain(TEXT),
    }
}

/// The engine's type for a parameter whose type the client names.
pub(super) fn parameter(oid: u32) -> Option<DataType> {
    use datafusion::arrow::datatypes::TimeUnit;
    Some(match oid {
        BOOL => DataType::Boolean,
        INT2 => DataType::Int16,
        INT4 => DataType::Int32,
        INT8 | OID => DataType::Int64,
        FLOAT4 => DataType::Float32,
        FLOAT8 => DataType::Float64,
        BYTEA => DataType::Binary,
        DATE => DataType::Date32,
        TIME => DataType::Time64(TimeUnit::Microsecond),
        TIMESTAMP => DataType::Timestamp(TimeUnit::Microsecond, None),
        TIMESTAMPTZ => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        TEXT | VARCHAR | BPCHAR | NAME | CHAR | UUID | JSON | JSONB => DataType::Utf8,
        array => {
            let element = parameter(element_of(array)?)?;
            DataType::List(std::sync::Arc::new(Field::new_list_field(element, true)))
        }
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::datatypes::TimeUnit;

    use super::*;

    #[test]
    fn types_of_the_engine_are_types_of_the_wire() {
        let oid = |data: DataType| of_type(&data).oid;
        assert_eq!(oid(DataType::Utf8View), TEXT);
        assert_eq!(oid(DataType::UInt64), NUMERIC);
        let text = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
        assert_eq!(oid(text), TEXT);
        let zoned = DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()));
        assert_eq!(oid(zoned), TIMESTAMPTZ);
        let list = |of| DataType::List(Arc::new(Field::new_list_field(of, true)));
        assert_eq!(oid(list(DataType::Int64)), 1016);
        assert_eq!(oid(list(list(DataType::Int64))), JSON);
        assert_eq!(
            of_type(&DataType::Decimal128(18, 2)).modifier,
            (18 << 16 | 2) + 4
        );
    }
}
