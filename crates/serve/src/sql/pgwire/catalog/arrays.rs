//! Functions of arrays.

use super::super::oids;
use super::functions::{Known, int, text};
use super::node::Function;
use super::value::Value;

/// A function by its name; `first`: the type of its first argument.
pub(super) fn scalar(name: &str, first: u32) -> Option<Known> {
    let (kind, function) = measured(name).or_else(|| made(name, first))?;
    Some(Known {
        is_strict: true,
        kind,
        function,
    })
}

/// What arrays are, and texts of them.
fn measured(name: &str) -> Option<(u32, Function)> {
    let found: (u32, Function) = match name {
        "array_to_string" => (oids::TEXT, |_, of| {
            let nulls = of.get(2).and_then(Value::text);
            let values = of.first().and_then(Value::array).unwrap_or_default();
            let parts = values
                .iter()
                .filter_map(|value| value.text().or_else(|| nulls.clone()));
            let parts: Vec<String> = parts.map(|text| text.to_string()).collect();
            Ok(parts.join(&text(of, 1)).into())
        }),
        "string_to_array" | "regexp_split_to_array" => (1009, |_, of| {
            let whole = text(of, 0);
            if whole.is_empty() {
                return Ok(Vec::new().into());
            }
            Ok(whole
                .split(&*text(of, 1))
                .map(Value::from)
                .collect::<Vec<_>>()
                .into())
        }),
        "array_length" | "array_upper" => (oids::INT4, |_, of| {
            let length = of.first().and_then(Value::array).map_or(0, <[Value]>::len);
            let length = i64::try_from(length).unwrap_or(0);
            // `int2vector` begins with 0, but nobody asks for its end.
            Ok(if length == 0 || int(of, 1) != 1 {
                Value::Null
            } else {
                length.into()
            })
        }),
        "array_lower" => (oids::INT4, |_, of| {
            let is_empty = of
                .first()
                .and_then(Value::array)
                .is_none_or(<[Value]>::is_empty);
            Ok(if is_empty || int(of, 1) != 1 {
                Value::Null
            } else {
                1_i64.into()
            })
        }),
        "cardinality" => (oids::INT4, |_, of| {
            let length = of.first().and_then(Value::array).map_or(0, <[Value]>::len);
            Ok(i64::try_from(length).unwrap_or(0).into())
        }),
        "array_ndims" => (oids::INT4, |_, of| {
            let is_empty = of
                .first()
                .and_then(Value::array)
                .is_none_or(<[Value]>::is_empty);
            Ok(if is_empty { Value::Null } else { 1_i64.into() })
        }),
        "array_position" => (oids::INT4, |_, of| {
            let values = of.first().and_then(Value::array).unwrap_or_default();
            let wanted = of.get(1).cloned().unwrap_or(Value::Null);
            let found = values.iter().position(|value| value.order(&wanted).is_eq());
            Ok(found.and_then(|place| i64::try_from(place + 1).ok()).into())
        }),
        _ => return None,
    };
    Some(found)
}

/// Arrays that are made of others.
fn made(name: &str, first: u32) -> Option<(u32, Function)> {
    let found: (u32, Function) = match name {
        "array_append" | "array_cat" | "array_prepend" => (first, |_, of| {
            let mut values = Vec::new();
            for one in of {
                match one {
                    Value::Array(more) => values.extend(more.iter().cloned()),
                    other => values.push(other.clone()),
                }
            }
            Ok(values.into())
        }),
        "array_remove" => (first, |_, of| {
            let values = of.first().and_then(Value::array).unwrap_or_default();
            let unwanted = of.get(1).cloned().unwrap_or(Value::Null);
            let kept = values
                .iter()
                .filter(|value| !value.order(&unwanted).is_eq());
            Ok(kept.cloned().collect::<Vec<_>>().into())
        }),
        _ => return None,
    };
    Some(found)
}
