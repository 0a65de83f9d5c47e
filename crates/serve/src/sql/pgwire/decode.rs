//! Parameters as clients send them, as values of the engine.

use std::sync::Arc;

use arrow_cast::CastOptions;
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::common::ScalarValue;

use super::error::PgError;
use super::kinds;

/// Days from 1970 to 2000, where PostgreSQL's dates begin.
const EPOCH_DAYS: i32 = 10_957;
/// The same in microseconds.
const EPOCH_MICROS: i64 = 946_684_800_000_000;
/// Elements that an array parameter may have.
const ELEMENTS: usize = 100_000;

type Result<T> = std::result::Result<T, PgError>;

fn garbled() -> PgError {
    PgError::new("22P03", "a parameter's binary form is not that of its type")
}

/// A parameter's value. `oid` is the type that the client says, `wanted` the one that the statement
/// asks for.
pub(super) fn parameter(
    bytes: Option<&[u8]>,
    is_binary: bool,
    oid: u32,
    wanted: Option<&DataType>,
) -> Result<ScalarValue> {
    let own = kinds::parameter(oid);
    let target = wanted.cloned().or(own).unwrap_or(DataType::Utf8);
    let Some(bytes) = bytes else {
        return ScalarValue::try_from(&target).map_err(|_| PgError::unsupported("a type"));
    };
    let value = match is_binary {
        true => binary(bytes, oid)?,
        false => text(bytes, oid, &target)?,
    };
    cast(value, &target)
}

fn cast(value: ScalarValue, target: &DataType) -> Result<ScalarValue> {
    if value.data_type() == *target {
        return Ok(value);
    }
    let options = CastOptions {
        safe: false,
        ..CastOptions::default()
    };
    value.cast_to_with_options(target, &options).map_err(|_| {
        PgError::new(
            "22P02",
            "a parameter is not of the type that the statement asks for",
        )
    })
}

fn text(bytes: &[u8], oid: u32, target: &DataType) -> Result<ScalarValue> {
    let text = std::str::from_utf8(bytes)
        .map_err(|_| PgError::new("22021", "invalid byte sequence for encoding UTF8"))?;
    if text.contains('\0') {
        return Err(PgError::new(
            "22021",
            "invalid byte sequence for encoding UTF8: 0x00",
        ));
    }
    let is_bytes = oid == kinds::BYTEA
        || matches!(
            target,
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView
        );
    if is_bytes && let Some(digits) = text.strip_prefix("\\x") {
        let bytes = hex::decode(digits);
        let bytes = bytes.map_err(|_| PgError::new("22P02", "invalid hexadecimal digits"))?;
        return Ok(ScalarValue::Binary(Some(bytes)));
    }
    if let DataType::List(element) | DataType::LargeList(element) = target {
        return list_of_text(text, element);
    }
    if matches!(target, DataType::Boolean) {
        return truth(text).map(|truth| ScalarValue::Boolean(Some(truth)));
    }
    if target.is_temporal() {
        return Ok(ScalarValue::Utf8(Some(temporal(text, target))));
    }
    let is_number = target.is_numeric();
    Ok(ScalarValue::Utf8(Some(
        if is_number { text.trim() } else { text }.to_owned(),
    )))
}

fn truth(text: &str) -> Result<bool> {
    match text.trim().to_lowercase().as_str() {
        "t" | "true" | "1" | "on" | "yes" | "y" => Ok(true),
        "f" | "false" | "0" | "off" | "no" | "n" => Ok(false),
        _ => Err(PgError::new(
            "22P02",
            "invalid input syntax for type boolean",
        )),
    }
}

/// A text of a day or a time as the engine reads it: a day has no time of day, and a time without a
/// zone has none, whatever the client's driver sends along.
fn temporal(text: &str, target: &DataType) -> String {
    let text = text.trim();
    match target {
        DataType::Date32 | DataType::Date64 => {
            let end = text.find([' ', 'T']).unwrap_or(text.len());
            text.get(..end).unwrap_or(text).to_owned()
        }
        DataType::Timestamp(_, None) | DataType::Time32(_) | DataType::Time64(_) => {
            let clock = text.find(':').unwrap_or(text.len());
            let tail = text.get(clock..).unwrap_or_default();
            let end = tail
                .find(['+', '-', 'Z', 'z'])
                .map_or(text.len(), |end| clock + end);
            text.get(..end).unwrap_or(text).trim().to_owned()
        }
        _ => with_whole_offset(text),
    }
}

/// `…+01` with the minutes that the engine's reader of times asks for.
fn with_whole_offset(text: &str) -> String {
    let text = text.trim();
    let tail = text.len().checked_sub(3).and_then(|at| text.get(at..));
    let is_short = text.len() > 13
        && tail.is_some_and(|tail| {
            tail.starts_with(['+', '-']) && tail.bytes().skip(1).all(|byte| byte.is_ascii_digit())
        })
        && text.contains(':');
    if is_short {
        format!("{text}:00")
    } else {
        text.to_owned()
    }
}

/// `{a,"b c",NULL}`.
pub(super) fn array_elements(text: &str) -> Result<Vec<Option<String>>> {
    let wrong = || PgError::new("22P02", "malformed array literal");
    let inside = text
        .trim()
        .strip_prefix('{')
        .and_then(|text| text.strip_suffix('}'));
    let mut chars = inside.ok_or_else(wrong)?.chars().peekable();
    let mut found = Vec::new();
    while chars.peek().is_some() {
        let (mut value, mut is_quoted) = (String::new(), false);
        loop {
            match chars.next() {
                None | Some(',') => break,
                Some('"') if value.is_empty() => {
                    is_quoted = true;
                    loop {
                        match chars.next().ok_or_else(wrong)? {
                            '"' => break,
                            '\\' => value.push(chars.next().ok_or_else(wrong)?),
                            other => value.push(other),
                        }
                    }
                }
                Some('\\') => value.push(chars.next().ok_or_else(wrong)?),
                Some('{' | '}') => {
                    return Err(PgError::unsupported("arrays of arrays are not taken"));
                }
                Some(other) if is_quoted && other.is_whitespace() => {}
                Some(other) => value.push(other),
            }
        }
        let plain = value.trim();
        found.push(match is_quoted {
            true => Some(value),
            false if plain.eq_ignore_ascii_case("null") => None,
            false => Some(plain.to_owned()),
        });
        if found.len() > ELEMENTS {
            return Err(PgError::new(
                "54000",
                "an array parameter has too many elements",
            ));
        }
    }
    Ok(found)
}

fn list_of_text(text: &str, element: &Field) -> Result<ScalarValue> {
    let elements = array_elements(text)?.into_iter();
    let element = element.data_type();
    let values = elements.map(|value| {
        parameter(
            value.as_deref().map(str::as_bytes),
            false,
            kinds::UNKNOWN,
            Some(element),
        )
    });
    let values = values.collect::<Result<Vec<_>>>()?;
    Ok(ScalarValue::List(ScalarValue::new_list_nullable(
        &values, element,
    )))
}

fn fixed<const N: usize>(bytes: &[u8]) -> Result<[u8; N]> {
    bytes.try_into().map_err(|_| garbled())
}

fn binary(bytes: &[u8], oid: u32) -> Result<ScalarValue> {
    Ok(match oid {
        kinds::BOOL => ScalarValue::Boolean(Some(fixed::<1>(bytes)? != [0])),
        kinds::INT2 => ScalarValue::Int16(Some(i16::from_be_bytes(fixed(bytes)?))),
        kinds::INT4 => ScalarValue::Int32(Some(i32::from_be_bytes(fixed(bytes)?))),
        kinds::INT8 => ScalarValue::Int64(Some(i64::from_be_bytes(fixed(bytes)?))),
        kinds::OID => ScalarValue::Int64(Some(u32::from_be_bytes(fixed(bytes)?).into())),
        kinds::FLOAT4 => ScalarValue::Float32(Some(f32::from_be_bytes(fixed(bytes)?))),
        kinds::FLOAT8 => ScalarValue::Float64(Some(f64::from_be_bytes(fixed(bytes)?))),
        kinds::BYTEA => ScalarValue::Binary(Some(bytes.to_vec())),
        kinds::DATE => {
            let days = i32::from_be_bytes(fixed(bytes)?).checked_add(EPOCH_DAYS);
            ScalarValue::Date32(Some(days.ok_or_else(garbled)?))
        }
        kinds::TIME => ScalarValue::Time64Microsecond(Some(i64::from_be_bytes(fixed(bytes)?))),
        kinds::TIMESTAMP | kinds::TIMESTAMPTZ => {
            let micros = i64::from_be_bytes(fixed(bytes)?).checked_add(EPOCH_MICROS);
            let zone = (oid == kinds::TIMESTAMPTZ).then(|| Arc::from("UTC"));
            ScalarValue::TimestampMicrosecond(Some(micros.ok_or_else(garbled)?), zone)
        }
        kinds::NUMERIC => ScalarValue::Utf8(Some(numeric(bytes)?)),
        kinds::UUID => {
            let digits = hex::encode(fixed::<16>(bytes)?);
            let parts = [(0, 8), (8, 12), (12, 16), (16, 20), (20, 32)];
            let parts = parts.map(|(from, to)| digits.get(from..to).unwrap_or_default());
            ScalarValue::Utf8(Some(parts.join("-")))
        }
        kinds::JSONB => {
            return text(
                bytes.get(1..).unwrap_or_default(),
                kinds::TEXT,
                &DataType::Utf8,
            );
        }
        _ if kinds::element_of(oid).is_some() => list_of_binary(bytes)?,
        _ => return text(bytes, kinds::TEXT, &DataType::Utf8),
    })
}

/// Takes so many bytes from the front.
fn take<'a>(bytes: &mut &'a [u8], count: usize) -> Result<&'a [u8]> {
    let (front, rest) = bytes.split_at_checked(count).ok_or_else(garbled)?;
    *bytes = rest;
    Ok(front)
}

fn integer(bytes: &mut &[u8]) -> Result<i32> {
    Ok(i32::from_be_bytes(fixed(take(bytes, 4)?)?))
}

fn list_of_binary(bytes: &[u8]) -> Result<ScalarValue> {
    let mut rest = bytes;
    let dimensions = integer(&mut rest)?;
    integer(&mut rest)?;
    let element = u32::from_be_bytes(fixed(take(&mut rest, 4)?)?);
    let data = kinds::parameter(element).unwrap_or(DataType::Utf8);
    let count = match dimensions {
        0 => 0,
        1 => {
            let count = integer(&mut rest)?;
            integer(&mut rest)?;
            usize::try_from(count).map_err(|_| garbled())?
        }
        _ => return Err(PgError::unsupported("arrays of arrays are not taken")),
    };
    if count > ELEMENTS {
        return Err(PgError::new(
            "54000",
            "an array parameter has too many elements",
        ));
    }
    let mut values = Vec::new();
    for _ in 0..count {
        let value = match usize::try_from(integer(&mut rest)?) {
            Ok(length) => Some(take(&mut rest, length)?),
            Err(_) => None,
        };
        values.push(parameter(value, true, element, Some(&data))?);
    }
    Ok(ScalarValue::List(ScalarValue::new_list_nullable(
        &values, &data,
    )))
}

/// The digits of a number in groups of four.
fn numeric(bytes: &[u8]) -> Result<String> {
    let mut rest = bytes;
    let mut word = || -> Result<u16> { Ok(u16::from_be_bytes(fixed(take(&mut rest, 2)?)?)) };
    let count = word()?;
    let weight = i32::from(word()?.cast_signed());
    let sign = word()?;
    let scale = usize::from(word()?);
    match sign {
        0 | 0x4000 => {}
        0xC000 => return Ok("NaN".to_owned()),
        _ => return Err(garbled()),
    }
    let mut groups = Vec::new();
    for _ in 0..count {
        groups.push(word()?);
    }
    let group = |at: i32| {
        let group = usize::try_from(at).ok().and_then(|at| groups.get(at));
        group.copied().unwrap_or(0)
    };
    let mut text = String::new();
    for at in 0..=weight.max(0) {
        text.push_str(&format!("{:04}", if weight < 0 { 0 } else { group(at) }));
    }
    let mut fraction = String::new();
    for (at, _) in (weight + 1..).zip(0..scale.div_ceil(4)) {
        fraction.push_str(&format!("{:04}", group(at)));
    }
    let whole = text.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let minus = if sign == 0x4000 { "-" } else { "" };
    let fraction = fraction.get(..scale).unwrap_or_default();
    Ok(match scale {
        0 => format!("{minus}{whole}"),
        _ => format!("{minus}{whole}.{fraction}"),
    })
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::datatypes::TimeUnit;

    use super::*;

    #[test]
    fn texts_become_what_the_statement_asks_for() {
        let of = |text: &str, oid, wanted: &DataType| {
            parameter(Some(text.as_bytes()), false, oid, Some(wanted)).unwrap()
        };
        assert_eq!(of("7", 0, &DataType::Int64), ScalarValue::Int64(Some(7)));
        assert_eq!(
            of("t", 0, &DataType::Boolean),
            ScalarValue::Boolean(Some(true))
        );
        assert_eq!(
            of("2026-02-01", kinds::VARCHAR, &DataType::Date32),
            ScalarValue::Date32(Some(20_485))
        );
        let instant = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        assert_eq!(
            of("2026-02-01 01:00:00+01", 0, &instant),
            ScalarValue::TimestampMicrosecond(Some(1_769_904_000_000_000), Some("UTC".into()))
        );
        let day = of("2000-01-01 +00", 0, &DataType::Date32);
        assert_eq!(day, ScalarValue::Date32(Some(10_957)));
        let time = DataType::Timestamp(TimeUnit::Microsecond, None);
        assert_eq!(
            of("1970-01-01 00:00:01.5+02", 0, &time),
            ScalarValue::TimestampMicrosecond(Some(1_500_000), None)
        );
        assert!(parameter(Some(b"x"), false, 0, Some(&DataType::Int64)).is_err());
    }

    #[test]
    fn binary_forms_are_read() {
        let of = |bytes: &[u8], oid| parameter(Some(bytes), true, oid, None).unwrap();
        assert_eq!(
            of(&7_i32.to_be_bytes(), kinds::INT4),
            ScalarValue::Int32(Some(7))
        );
        assert_eq!(
            of(&0_i32.to_be_bytes(), kinds::DATE),
            ScalarValue::Date32(Some(10_957))
        );
        assert_eq!(
            numeric(&[0, 3, 0, 1, 0, 0, 0, 3, 0, 1, 9, 41, 26, 124]).unwrap(),
            "12345.678"
        );
        assert_eq!(
            numeric(&[0, 1, 255, 255, 64, 0, 0, 2, 1, 244]).unwrap(),
            "-0.05"
        );
        for wrong in [&b""[..], b"\0", b"\0\0\0\0\0"] {
            assert!(parameter(Some(wrong), true, kinds::INT4, None).is_err());
            assert!(parameter(Some(wrong), true, 1007, None).is_err());
        }
    }

    #[test]
    fn arrays_are_read_in_both_forms() {
        let elements = array_elements("{a,\"b,\\\"c\", NULL ,\"null\",\"\"}").unwrap();
        let expected = [Some("a"), Some("b,\"c"), None, Some("null"), Some("")];
        assert_eq!(elements, expected.map(|text| text.map(str::to_owned)));
        let mut bytes = Vec::new();
        for number in [1_i32, 0, 23, 2, 1, 4, 7, -1] {
            bytes.extend_from_slice(&number.to_be_bytes());
        }
        let ScalarValue::List(list) = parameter(Some(&bytes), true, 1007, None).unwrap() else {
            panic!("a list");
        };
        assert_eq!(arrow_array::Array::len(list.values()), 2);
    }
}
