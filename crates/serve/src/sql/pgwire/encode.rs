//! Values as they stand on the wire: text, and the binary form that some clients ask for.

use std::io::Write as _;
use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::timezone::Tz;
use arrow_array::types::{
    Date32Type, Float32Type, Float64Type, Int64Type, IntervalMonthDayNanoType,
    Time64MicrosecondType, TimestampMicrosecondType,
};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Date32Array, Float32Array, Float64Array, Int64Array,
    IntervalMonthDayNanoArray, LargeBinaryArray, LargeStringArray, ListArray,
    Time64MicrosecondArray, TimestampMicrosecondArray,
};
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_cast::{CastOptions, cast_with_options};
use chrono::{DateTime, Datelike as _, NaiveDate, NaiveDateTime, TimeDelta, Timelike as _};
use datafusion::arrow::datatypes::{DataType, Field, IntervalUnit, TimeUnit};

use super::error::PgError;
use super::kinds;

/// Days from 1970 to 2000, where PostgreSQL's dates begin.
const EPOCH_DAYS: i32 = 10_957;
/// The same in microseconds.
const EPOCH_MICROS: i64 = 946_684_800_000_000;

/// A column of a batch in one of the few forms that values are written from.
pub(super) struct Column {
    values: Values,
    oid: u32,
}

enum Values {
    Null,
    Boolean(BooleanArray),
    Integer(Int64Array),
    Float(Float32Array),
    Double(Float64Array),
    /// Digits as text.
    Numeric(LargeStringArray),
    Text(LargeStringArray),
    Bytes(LargeBinaryArray),
    Date(Date32Array),
    Time(Time64MicrosecondArray),
    Timestamp(TimestampMicrosecondArray),
    /// With the zone that it is shown in.
    Instant(TimestampMicrosecondArray, Tz),
    Interval(IntervalMonthDayNanoArray),
    List(ListArray, Box<Column>),
}

type Result<T> = std::result::Result<T, PgError>;

fn failed() -> PgError {
    PgError::new("XX000", "a value cannot be sent in the type of its column")
}

impl Column {
    /// A column that the client was told to be of this type.
    pub(super) fn new(array: &ArrayRef, oid: u32, zone: Tz) -> Result<Self> {
        let to = |data: &DataType| {
            let options = CastOptions {
                safe: false,
                format_options: FormatOptions::default(),
            };
            cast_with_options(array, data, &options).map_err(|_| failed())
        };
        let micros = |zone: Option<Arc<str>>| DataType::Timestamp(TimeUnit::Microsecond, zone);
        let values = match oid {
            _ if *array.data_type() == DataType::Null => Values::Null,
            kinds::BOOL => Values::Boolean(to(&DataType::Boolean)?.as_boolean().clone()),
            kinds::INT2 | kinds::INT4 | kinds::INT8 | kinds::OID | kinds::XID => {
                Values::Integer(to(&DataType::Int64)?.as_primitive::<Int64Type>().clone())
            }
            kinds::FLOAT4 => Values::Float(
                to(&DataType::Float32)?
                    .as_primitive::<Float32Type>()
                    .clone(),
            ),
            kinds::FLOAT8 => Values::Double(
                to(&DataType::Float64)?
                    .as_primitive::<Float64Type>()
                    .clone(),
            ),
            kinds::NUMERIC => Values::Numeric(to(&DataType::LargeUtf8)?.as_string::<i64>().clone()),
            kinds::BYTEA => Values::Bytes(to(&DataType::LargeBinary)?.as_binary::<i64>().clone()),
            kinds::DATE => {
                Values::Date(to(&DataType::Date32)?.as_primitive::<Date32Type>().clone())
            }
            kinds::TIME => {
                let times = to(&DataType::Time64(TimeUnit::Microsecond))?;
                Values::Time(times.as_primitive::<Time64MicrosecondType>().clone())
            }
            kinds::TIMESTAMP => {
                let times = to(&micros(None))?;
                Values::Timestamp(times.as_primitive::<TimestampMicrosecondType>().clone())
            }
            kinds::TIMESTAMPTZ => {
                let times = to(&micros(Some("UTC".into())))?;
                let times = times.as_primitive::<TimestampMicrosecondType>().clone();
                Values::Instant(times, zone)
            }
            kinds::INTERVAL => Values::Interval(intervals(array)?),
            kinds::JSON => Values::Text(json(array)?),
            _ => match kinds::element_of(oid) {
                Some(element) if is_list(array.data_type()) => list(array, element, zone)?,
                _ => Values::Text(texts(array)?),
            },
        };
        Ok(Self { values, oid })
    }

    pub(super) fn is_null(&self, row: usize) -> bool {
        match &self.values {
            Values::Null => true,
            Values::Boolean(values) => values.is_null(row),
            Values::Integer(values) => values.is_null(row),
            Values::Float(values) => values.is_null(row),
            Values::Double(values) => values.is_null(row),
            Values::Numeric(values) | Values::Text(values) => values.is_null(row),
            Values::Bytes(values) => values.is_null(row),
            Values::Date(values) => values.is_null(row),
            Values::Time(values) => values.is_null(row),
            Values::Timestamp(values) | Values::Instant(values, _) => values.is_null(row),
            Values::Interval(values) => values.is_null(row),
            Values::List(values, _) => values.is_null(row),
        }
    }

    /// Writes a value that is not null, as text.
    pub(super) fn text(&self, row: usize, out: &mut Vec<u8>) -> Result<()> {
        match &self.values {
            Values::Null => Ok(()),
            Values::Boolean(values) => put(out, if values.value(row) { "t" } else { "f" }),
            Values::Integer(values) => write!(out, "{}", values.value(row)).map_err(|_| failed()),
            Values::Float(values) => {
                let value = values.value(row);
                float(
                    f64::from(value),
                    &format!("{value:?}"),
                    &format!("{value:e}"),
                    6,
                    out,
                )
            }
            Values::Double(values) => {
                let value = values.value(row);
                float(value, &format!("{value:?}"), &format!("{value:e}"), 15, out)
            }
            Values::Numeric(values) | Values::Text(values) => put(out, values.value(row)),
            Values::Bytes(values) => {
                put(out, "\\x")?;
                put(out, &hex::encode(values.value(row)))
            }
            Values::Date(values) => {
                date(day(values.value(row))?, out).and_then(|era| put(out, era))
            }
            Values::Time(values) => time(values.value(row), out),
            Values::Timestamp(values) => {
                let time = moment(values.value(row))?;
                let era = date_time(time, out)?;
                put(out, era)
            }
            Values::Instant(values, zone) => {
                let moment =
                    DateTime::from_timestamp_micros(values.value(row)).ok_or_else(failed)?;
                instant(moment, *zone, out)
            }
            Values::Interval(values) => {
                let value = values.value(row);
                interval(value.months, value.days, value.nanoseconds / 1_000, out)
            }
            Values::List(values, inner) => list_text(values, inner, row, out),
        }
    }

    /// Writes a value that is not null, in the binary form.
    pub(super) fn binary(&self, row: usize, out: &mut Vec<u8>) -> Result<()> {
        match &self.values {
            Values::Null => {}
            Values::Boolean(values) => out.push(u8::from(values.value(row))),
            Values::Integer(values) => {
                let bytes = values.value(row).to_be_bytes();
                let width = usize::try_from(kinds::length(self.oid)).unwrap_or(8);
                out.extend_from_slice(bytes.get(8 - width..).ok_or_else(failed)?);
            }
            Values::Float(values) => out.extend_from_slice(&values.value(row).to_be_bytes()),
            Values::Double(values) => out.extend_from_slice(&values.value(row).to_be_bytes()),
            Values::Numeric(values) => numeric_binary(values.value(row), out)?,
            Values::Text(values) => put(out, values.value(row))?,
            Values::Bytes(values) => out.extend_from_slice(values.value(row)),
            Values::Date(values) => {
                let days = values
                    .value(row)
                    .checked_sub(EPOCH_DAYS)
                    .ok_or_else(failed)?;
                out.extend_from_slice(&days.to_be_bytes());
            }
            Values::Time(values) => out.extend_from_slice(&values.value(row).to_be_bytes()),
            Values::Timestamp(values) | Values::Instant(values, _) => {
                let micros = values
                    .value(row)
                    .checked_sub(EPOCH_MICROS)
                    .ok_or_else(failed)?;
                out.extend_from_slice(&micros.to_be_bytes());
            }
            Values::Interval(values) => {
                let value = values.value(row);
                out.extend_from_slice(&(value.nanoseconds / 1_000).to_be_bytes());
                out.extend_from_slice(&value.days.to_be_bytes());
                out.extend_from_slice(&value.months.to_be_bytes());
            }
            Values::List(values, inner) => list_binary(values, inner, row, out)?,
        }
        Ok(())
    }
}

fn put(out: &mut Vec<u8>, text: &str) -> Result<()> {
    out.extend_from_slice(text.as_bytes());
    Ok(())
}

fn is_list(data: &DataType) -> bool {
    matches!(
        data,
        DataType::List(_)
            | DataType::LargeList(_)
            | DataType::FixedSizeList(..)
            | DataType::ListView(_)
            | DataType::LargeListView(_)
    )
}

fn list(array: &ArrayRef, element: u32, zone: Tz) -> Result<Values> {
    let inner = match array.data_type() {
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::FixedSizeList(field, _)
        | DataType::ListView(field)
        | DataType::LargeListView(field) => field.clone(),
        _ => return Err(failed()),
    };
    let options = CastOptions::default();
    let lists = cast_with_options(array, &DataType::List(inner), &options).map_err(|_| failed())?;
    let lists = lists.as_list::<i32>().clone();
    let inner = Column::new(lists.values(), element, zone)?;
    Ok(Values::List(lists, Box::new(inner)))
}

fn intervals(array: &ArrayRef) -> Result<IntervalMonthDayNanoArray> {
    let months = DataType::Interval(IntervalUnit::MonthDayNano);
    let options = CastOptions::default();
    let array = match array.data_type() {
        DataType::Duration(_) => {
            let micros = DataType::Duration(TimeUnit::Microsecond);
            let counted = cast_with_options(array, &micros, &options).map_err(|_| failed())?;
            let counted =
                cast_with_options(&counted, &DataType::Int64, &options).map_err(|_| failed())?;
            let made = counted.as_primitive::<Int64Type>().iter().map(|micros| {
                micros.map(|micros| {
                    let nanos = micros.saturating_mul(1_000);
                    IntervalMonthDayNanoType::make_value(0, 0, nanos)
                })
            });
            return Ok(made.collect());
        }
        _ => cast_with_options(array, &months, &options).map_err(|_| failed())?,
    };
    Ok(array.as_primitive::<IntervalMonthDayNanoType>().clone())
}

/// Any values as text.
fn texts(array: &ArrayRef) -> Result<LargeStringArray> {
    let options = CastOptions::default();
    if let Ok(texts) = cast_with_options(array, &DataType::LargeUtf8, &options) {
        return Ok(texts.as_string::<i64>().clone());
    }
    let options = FormatOptions::default();
    let shown = ArrayFormatter::try_new(array, &options).map_err(|_| failed())?;
    let texts = (0..array.len()).map(|row| {
        let value = || shown.value(row).try_to_string().map_err(|_| failed());
        array.is_valid(row).then(value).transpose()
    });
    texts.collect()
}

/// Nested values as JSON.
fn json(array: &ArrayRef) -> Result<LargeStringArray> {
    if matches!(
        array.data_type(),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Dictionary(..)
    ) {
        return texts(array);
    }
    let field = Arc::new(Field::new("value", array.data_type().clone(), true));
    let options = arrow_json::EncoderOptions::default();
    let encoder = arrow_json::writer::make_encoder(&field, array, &options);
    let Ok(mut encoder) = encoder else {
        return texts(array);
    };
    let mut bytes = Vec::new();
    let values = (0..array.len()).map(|row| {
        if array.is_null(row) {
            return Ok(None);
        }
        bytes.clear();
        encoder.encode(row, &mut bytes);
        let text = std::str::from_utf8(&bytes).map_err(|_| failed())?;
        Ok(Some(text.to_owned()))
    });
    values.collect()
}

/// A float with as few digits as tell it from all others, as PostgreSQL writes it.
fn float(value: f64, plain: &str, power: &str, digits: i32, out: &mut Vec<u8>) -> Result<()> {
    if value.is_nan() {
        return put(out, "NaN");
    }
    if value.is_infinite() {
        return put(out, if value > 0.0 { "Infinity" } else { "-Infinity" });
    }
    let (head, exponent) = power.split_once('e').ok_or_else(failed)?;
    let exponent: i32 = exponent.parse().map_err(|_| failed())?;
    if value != 0.0 && (exponent < -4 || exponent >= digits) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return write!(out, "{head}e{sign}{:02}", exponent.abs()).map_err(|_| failed());
    }
    match plain.contains('e') {
        true => write!(out, "{value}").map_err(|_| failed()),
        false => put(out, plain.strip_suffix(".0").unwrap_or(plain)),
    }
}

fn day(days: i32) -> Result<NaiveDate> {
    let first = NaiveDate::from_ymd_opt(1970, 1, 1);
    let day = first.and_then(|first| first.checked_add_signed(TimeDelta::days(days.into())));
    day.ok_or_else(|| PgError::new("22008", "date out of range"))
}

fn moment(micros: i64) -> Result<NaiveDateTime> {
    let moment = DateTime::from_timestamp_micros(micros);
    moment
        .map(|moment| moment.naive_utc())
        .ok_or_else(|| PgError::new("22008", "timestamp out of range"))
}

/// Writes a day; what comes behind all else says the era.
fn date(day: NaiveDate, out: &mut Vec<u8>) -> Result<&'static str> {
    let (is_ad, year) = day.year_ce();
    write!(out, "{year:04}-{:02}-{:02}", day.month(), day.day()).map_err(|_| failed())?;
    Ok(if is_ad { "" } else { " BC" })
}

fn time(micros: i64, out: &mut Vec<u8>) -> Result<()> {
    let seconds = micros / 1_000_000;
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    write!(out, "{hour:02}:{minute:02}:{second:02}").map_err(|_| failed())?;
    fraction(micros % 1_000_000, out)
}

fn fraction(micros: i64, out: &mut Vec<u8>) -> Result<()> {
    if micros == 0 {
        return Ok(());
    }
    let digits = format!("{micros:06}");
    write!(out, ".{}", digits.trim_end_matches('0')).map_err(|_| failed())
}

fn date_time(moment: NaiveDateTime, out: &mut Vec<u8>) -> Result<&'static str> {
    let era = date(moment.date(), out)?;
    out.push(b' ');
    let seconds = i64::from(moment.num_seconds_from_midnight());
    time(
        seconds * 1_000_000 + i64::from(moment.nanosecond() / 1_000),
        out,
    )?;
    Ok(era)
}

fn instant(moment: DateTime<chrono::Utc>, zone: Tz, out: &mut Vec<u8>) -> Result<()> {
    let there = moment.with_timezone(&zone);
    let era = date_time(there.naive_local(), out)?;
    let offset = chrono::Offset::fix(there.offset()).local_minus_utc();
    let (sign, size) = (if offset < 0 { '-' } else { '+' }, offset.abs());
    write!(out, "{sign}{:02}", size / 3_600).map_err(|_| failed())?;
    if size % 3_600 != 0 {
        write!(out, ":{:02}", size / 60 % 60).map_err(|_| failed())?;
    }
    put(out, era)
}

fn interval(months: i32, days: i32, micros: i64, out: &mut Vec<u8>) -> Result<()> {
    let mut parts = Vec::new();
    let mut part = |number: i32, unit: &str| {
        if number != 0 {
            let many = if number.abs() == 1 { "" } else { "s" };
            parts.push(format!("{number} {unit}{many}"));
        }
    };
    part(months / 12, "year");
    part(months % 12, "mon");
    part(days, "day");
    put(out, &parts.join(" "))?;
    if micros != 0 || parts.is_empty() {
        if !parts.is_empty() {
            out.push(b' ');
        }
        if micros < 0 {
            out.push(b'-');
        }
        time(
            i64::try_from(micros.unsigned_abs()).map_err(|_| failed())?,
            out,
        )?;
    }
    Ok(())
}

fn list_text(lists: &ListArray, inner: &Column, row: usize, out: &mut Vec<u8>) -> Result<()> {
    out.push(b'{');
    let mut value = Vec::new();
    for (place, element) in elements(lists, row)?.enumerate() {
        if place > 0 {
            out.push(b',');
        }
        if inner.is_null(element) {
            put(out, "NULL")?;
            continue;
        }
        value.clear();
        inner.text(element, &mut value)?;
        quote_element(&value, out);
    }
    out.push(b'}');
    Ok(())
}

fn elements(lists: &ListArray, row: usize) -> Result<std::ops::Range<usize>> {
    let bound = |at: usize| {
        let offset = lists.value_offsets().get(at).copied();
        offset
            .and_then(|offset| usize::try_from(offset).ok())
            .ok_or_else(failed)
    };
    Ok(bound(row)?..bound(row + 1)?)
}

fn quote_element(value: &[u8], out: &mut Vec<u8>) {
    let is_special = |byte: &u8| b"{},\"\\".contains(byte) || byte.is_ascii_whitespace();
    let needs =
        value.is_empty() || value.eq_ignore_ascii_case(b"null") || value.iter().any(is_special);
    if !needs {
        out.extend_from_slice(value);
        return;
    }
    out.push(b'"');
    for byte in value {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(*byte);
    }
    out.push(b'"');
}

fn list_binary(lists: &ListArray, inner: &Column, row: usize, out: &mut Vec<u8>) -> Result<()> {
    let range = elements(lists, row)?;
    let count = i32::try_from(range.len()).map_err(|_| failed())?;
    let has_nulls = range.clone().any(|element| inner.is_null(element));
    out.extend_from_slice(&i32::from(count > 0).to_be_bytes());
    out.extend_from_slice(&i32::from(has_nulls).to_be_bytes());
    out.extend_from_slice(&inner.oid.to_be_bytes());
    if count > 0 {
        out.extend_from_slice(&count.to_be_bytes());
        out.extend_from_slice(&1_i32.to_be_bytes());
    }
    for element in range {
        field(inner, element, true, out)?;
    }
    Ok(())
}

/// Writes a value with its length before it, as it stands in rows and arrays.
pub(super) fn field(column: &Column, row: usize, is_binary: bool, out: &mut Vec<u8>) -> Result<()> {
    let start = out.len();
    out.extend_from_slice(&(-1_i32).to_be_bytes());
    if column.is_null(row) {
        return Ok(());
    }
    match is_binary {
        true => column.binary(row, out)?,
        false => column.text(row, out)?,
    }
    let length = i32::try_from(out.len() - start - 4)
        .map_err(|_| PgError::new("54000", "a value is too large to be sent"))?;
    let place = out.get_mut(start..start + 4).ok_or_else(failed)?;
    place.copy_from_slice(&length.to_be_bytes());
    Ok(())
}

/// A decimal number in groups of four digits.
fn numeric_binary(text: &str, out: &mut Vec<u8>) -> Result<()> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (0x4000_u16, digits),
        None => (0, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let whole = whole.trim_start_matches('0');
    if !whole
        .bytes()
        .chain(fraction.bytes())
        .all(|digit| digit.is_ascii_digit())
    {
        return Err(failed());
    }
    let padded = format!(
        "{}{whole}{fraction}{}",
        "0".repeat((4 - whole.len() % 4) % 4),
        "0".repeat((4 - fraction.len() % 4) % 4)
    );
    let group = |four: &[u8]| {
        four.iter()
            .fold(0_u16, |sum, digit| sum * 10 + u16::from(digit - b'0'))
    };
    let mut groups: Vec<u16> = padded.as_bytes().chunks(4).map(group).collect();
    let mut weight = i16::try_from(whole.len().div_ceil(4)).map_err(|_| failed())? - 1;
    while groups.last() == Some(&0) {
        groups.pop();
    }
    while groups.first() == Some(&0) {
        groups.remove(0);
        weight -= 1;
    }
    if groups.is_empty() {
        weight = 0;
    }
    let count = u16::try_from(groups.len()).map_err(|_| failed())?;
    let scale = u16::try_from(fraction.len()).map_err(|_| failed())?;
    out.extend_from_slice(&count.to_be_bytes());
    out.extend_from_slice(&weight.to_be_bytes());
    out.extend_from_slice(&sign.to_be_bytes());
    out.extend_from_slice(&scale.to_be_bytes());
    groups
        .iter()
        .for_each(|group| out.extend_from_slice(&group.to_be_bytes()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(array: ArrayRef, zone: &str) -> Vec<Option<String>> {
        let oid = kinds::of_type(array.data_type()).oid;
        let column = Column::new(&array, oid, zone.parse().unwrap()).unwrap();
        let one = |row| {
            let mut out = Vec::new();
            (!column.is_null(row)).then(|| {
                column.text(row, &mut out).unwrap();
                String::from_utf8(out).unwrap()
            })
        };
        (0..array.len()).map(one).collect()
    }

    #[test]
    fn floats_are_as_short_as_they_can_be() {
        let values = [
            0.0,
            1.0,
            -2.5,
            0.1,
            1e15,
            1e14,
            1e-5,
            0.0001,
            f64::NAN,
            f64::INFINITY,
        ];
        let array = Arc::new(Float64Array::from(values.to_vec()));
        let expected = [
            "0",
            "1",
            "-2.5",
            "0.1",
            "1e+15",
            "100000000000000",
            "1e-05",
            "0.0001",
            "NaN",
            "Infinity",
        ];
        let shown: Vec<String> = shown(array, "UTC").into_iter().flatten().collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn instants_are_shown_in_the_zone_of_the_session() {
        let array = TimestampMicrosecondArray::from(vec![Some(1_753_000_000_250_000), None]);
        let array: ArrayRef = Arc::new(array.with_timezone("UTC"));
        let expected = [Some("2025-07-20 10:26:40.25+02".to_owned()), None];
        assert_eq!(shown(array.clone(), "Europe/Berlin"), expected);
        assert_eq!(
            shown(array, "Asia/Kolkata")[0].as_deref(),
            Some("2025-07-20 13:56:40.25+05:30")
        );
    }

    #[test]
    fn lists_are_quoted_as_arrays() {
        let mut builder =
            arrow_array::builder::ListBuilder::new(arrow_array::builder::StringBuilder::new());
        builder.append_value([Some("a"), None, Some("b,\"c"), Some(""), Some("null")]);
        let lists: ArrayRef = Arc::new(builder.finish());
        let expected = "{a,NULL,\"b,\\\"c\",\"\",\"null\"}";
        assert_eq!(shown(lists, "UTC")[0].as_deref(), Some(expected));
    }

    #[test]
    fn numbers_are_cut_into_groups_of_four_digits() {
        let bytes = |text: &str| {
            let mut out = Vec::new();
            numeric_binary(text, &mut out).unwrap();
            let words = out
                .chunks(2)
                .map(|two| i16::from_be_bytes([two[0], two[1]]));
            words.collect::<Vec<_>>()
        };
        // Groups, weight, sign, scale, and the groups.
        assert_eq!(bytes("12345.678"), [3, 1, 0, 3, 1, 2345, 6780]);
        assert_eq!(bytes("-0.05"), [1, -1, 0x4000, 2, 500]);
        assert_eq!(bytes("0.00"), [0, 0, 0, 2]);
        assert_eq!(bytes("10000"), [1, 1, 0, 0, 1]);
        assert_eq!(bytes("0.00001234"), [1, -2, 0, 8, 1234]);
    }

    #[test]
    fn intervals_have_their_parts() {
        let one = |months, days, micros| {
            let mut out = Vec::new();
            interval(months, days, micros, &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        assert_eq!(one(14, 3, 3_661_500_000), "1 year 2 mons 3 days 01:01:01.5");
        assert_eq!(one(0, 0, 0), "00:00:00");
        assert_eq!(one(0, -1, -60_000_000), "-1 day -00:01:00");
    }
}
