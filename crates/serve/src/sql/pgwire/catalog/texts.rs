//! Functions of texts and numbers.

use super::super::oids;
use super::functions::{Known, int, json, text};
use super::node::Function;
use super::types;
use super::value::{Failure, Result, Value};

/// Bytes of a text that a function makes.
const TEXT_BYTES: usize = 1 << 20;

/// A function by its name; `first`: the type of its first argument.
pub(super) fn scalar(name: &str, first: u32) -> Option<Known> {
    let is_open = matches!(
        name,
        "concat"
            | "concat_ws"
            | "quote_nullable"
            | "format"
            | "json_build_object"
            | "jsonb_build_object"
            | "json_build_array"
            | "jsonb_build_array"
            | "greatest"
            | "least"
            | "row_to_json"
            | "to_json"
            | "to_jsonb"
    );
    let (kind, function) = cases(name, first)
        .or_else(|| parts(name, first))
        .or_else(|| numbers(name, first))
        .or_else(|| composing(name, first))
        .or_else(|| choosing(name, first))?;
    Some(Known {
        is_strict: !is_open,
        kind,
        function,
    })
}

fn cases(name: &str, _: u32) -> Option<(u32, Function)> {
    let found: (u32, Function) = match name {
        "lower" => (oids::TEXT, |_, of| Ok(text(of, 0).to_lowercase().into())),
        "upper" => (oids::TEXT, |_, of| Ok(text(of, 0).to_uppercase().into())),
        "initcap" => (oids::TEXT, |_, of| {
            let mut is_first = true;
            let words = text(of, 0)
                .chars()
                .map(|c| {
                    let shown = if is_first {
                        c.to_uppercase().collect()
                    } else {
                        c.to_lowercase().collect::<String>()
                    };
                    is_first = !c.is_alphanumeric();
                    shown
                })
                .collect::<String>();
            Ok(words.into())
        }),
        "length" | "char_length" | "character_length" => (oids::INT4, |_, of| {
            Ok(i64::try_from(text(of, 0).chars().count())
                .unwrap_or(0)
                .into())
        }),
        "octet_length" => (oids::INT4, |_, of| {
            Ok(i64::try_from(text(of, 0).len()).unwrap_or(0).into())
        }),
        _ => return None,
    };
    Some(found)
}

fn parts(name: &str, _: u32) -> Option<(u32, Function)> {
    let found: (u32, Function) = match name {
        "substring" | "substr" => (oids::TEXT, |_, of| {
            let (from, count) = (int(of, 1), of.get(2).and_then(Value::int));
            let skipped = usize::try_from(from - 1).unwrap_or(0);
            // What lies before the first character counts too.
            let count = count.map(|count| usize::try_from(count + (from - 1).min(0)).unwrap_or(0));
            let whole = text(of, 0);
            let part = whole
                .chars()
                .skip(skipped)
                .take(count.unwrap_or(usize::MAX));
            Ok(part.collect::<String>().into())
        }),
        "replace" => (oids::TEXT, |_, of| {
            bounded(text(of, 0).replace(&*text(of, 1), &text(of, 2)))
        }),
        "translate" => (oids::TEXT, |_, of| {
            let (from, to) = (text(of, 1), text(of, 2));
            let to: Vec<char> = to.chars().collect();
            let changed = text(of, 0)
                .chars()
                .filter_map(|c| match from.chars().position(|own| own == c) {
                    Some(place) => to.get(place).copied(),
                    None => Some(c),
                })
                .collect::<String>();
            Ok(changed.into())
        }),
        "btrim" | "trim" | "ltrim" | "rtrim" => {
            let function: Function = match name {
                "ltrim" => |_, of| Ok(text(of, 0).trim_start_matches(&*trimmed(of)).into()),
                "rtrim" => |_, of| Ok(text(of, 0).trim_end_matches(&*trimmed(of)).into()),
                _ => |_, of| Ok(text(of, 0).trim_matches(&*trimmed(of)).into()),
            };
            (oids::TEXT, function)
        }
        "left" => (oids::TEXT, |_, of| {
            let all: Vec<char> = text(of, 0).chars().collect();
            let count = int(of, 1);
            let length = i64::try_from(all.len()).unwrap_or(0);
            let count = if count < 0 { length + count } else { count };
            let count = usize::try_from(count).unwrap_or(0);
            Ok(all.into_iter().take(count).collect::<String>().into())
        }),
        "right" => (oids::TEXT, |_, of| {
            let all: Vec<char> = text(of, 0).chars().collect();
            let count = int(of, 1);
            let length = i64::try_from(all.len()).unwrap_or(0);
            let skipped = if count < 0 { -count } else { length - count };
            let skipped = usize::try_from(skipped).unwrap_or(0);
            Ok(all.into_iter().skip(skipped).collect::<String>().into())
        }),
        _ => return None,
    };
    Some(found)
}

fn numbers(name: &str, first: u32) -> Option<(u32, Function)> {
    let found: (u32, Function) = match name {
        "split_part" => (oids::TEXT, |_, of| {
            let (whole, between) = (text(of, 0), text(of, 1));
            let place = usize::try_from(int(of, 2) - 1).unwrap_or(usize::MAX);
            Ok(whole.split(&*between).nth(place).unwrap_or_default().into())
        }),
        "strpos" | "position" => (oids::INT4, |_, of| {
            let (whole, wanted) = (text(of, 0), text(of, 1));
            let found = whole.find(&*wanted).and_then(|at| whole.get(..at));
            let place = found.map_or(0, |before| before.chars().count() + 1);
            Ok(i64::try_from(place).unwrap_or(0).into())
        }),
        "starts_with" => (oids::BOOL, |_, of| {
            Ok(text(of, 0).starts_with(&*text(of, 1)).into())
        }),
        "md5" | "repeat" | "lpad" | "rpad" => return None,
        "abs" => (first, |_, of| match of.first() {
            Some(Value::Float(number)) => Ok(Value::Float(number.abs())),
            _ => Ok(Value::Int(int(of, 0).saturating_abs())),
        }),
        "round" | "floor" | "ceil" | "ceiling" | "trunc" => {
            let function: Function = match name {
                "floor" => |_, of| Ok(float(of).floor().into_value()),
                "ceil" | "ceiling" => |_, of| Ok(float(of).ceil().into_value()),
                "trunc" => |_, of| Ok(float(of).trunc().into_value()),
                _ => |_, of| Ok(float(of).round().into_value()),
            };
            (oids::FLOAT8, function)
        }
        "mod" => (first, |_, of| match int(of, 1) {
            0 => Err(Failure::new("22012", "division by zero")),
            by => Ok(int(of, 0).wrapping_rem(by).into()),
        }),
        "int4" | "int2" | "int8" => (oids::INT8, |_, of| Ok(int(of, 0).into())),
        "text" | "name" => (oids::TEXT, |_, of| Ok(text(of, 0).into_value())),
        _ => return None,
    };
    Some(found)
}

fn composing(name: &str, _: u32) -> Option<(u32, Function)> {
    let found: (u32, Function) = match name {
        "concat" => (oids::TEXT, |_, of| {
            bounded(
                of.iter()
                    .filter_map(Value::text)
                    .map(|text| text.to_string())
                    .collect(),
            )
        }),
        "concat_ws" => (oids::TEXT, |_, of| {
            let parts = of.iter().skip(1).filter_map(Value::text);
            let parts: Vec<String> = parts.map(|text| text.to_string()).collect();
            bounded(parts.join(&text(of, 0)))
        }),
        "quote_ident" => (oids::TEXT, super::functions::quote),
        "quote_literal" => (oids::TEXT, |_, of| Ok(literal(&text(of, 0)).into())),
        "quote_nullable" => (oids::TEXT, |_, of| {
            let quoted = of.first().and_then(Value::text).map(|text| literal(&text));
            Ok(quoted.unwrap_or_else(|| "NULL".to_owned()).into())
        }),
        "format" => (oids::TEXT, |_, of| formatted(of)),
        "regexp_replace" => (oids::TEXT, |_, of| {
            let flags = text(of, 3);
            let regex = super::sets::pattern(&text(of, 1), false, flags.contains('i'))?;
            // `\1` of PostgreSQL is `${1}` here.
            let with = text(of, 2).replace('$', "$$");
            let digits = super::sets::pattern(r"\\([0-9])", false, false)?;
            let with = digits.replace_all(&with, "$${$1}").into_owned();
            let most = usize::from(!flags.contains('g'));
            bounded(
                regex
                    .replacen(&text(of, 0), most, with.as_str())
                    .into_owned(),
            )
        }),
        "regexp_match" => (1009, |_, of| {
            let rows = super::sets::rows(super::node::SetFunction::RegexMatches, of)?;
            Ok(rows
                .into_iter()
                .next()
                .and_then(|row| row.into_iter().next())
                .unwrap_or(Value::Null))
        }),
        _ => return None,
    };
    Some(found)
}

fn choosing(name: &str, first: u32) -> Option<(u32, Function)> {
    let found: (u32, Function) = match name {
        "pg_size_pretty" => (oids::TEXT, |_, of| {
            Ok(format!("{} bytes", int(of, 0)).into())
        }),
        "greatest" | "least" => {
            let function: Function = match name {
                "greatest" => |_, of| {
                    let known = of.iter().filter(|value| !value.is_null());
                    Ok(known
                        .max_by(|left, right| left.order(right))
                        .cloned()
                        .unwrap_or(Value::Null))
                },
                _ => |_, of| {
                    let known = of.iter().filter(|value| !value.is_null());
                    Ok(known
                        .min_by(|left, right| left.order(right))
                        .cloned()
                        .unwrap_or(Value::Null))
                },
            };
            (first, function)
        }
        "nullif" => (first, |_, of| {
            let same = of
                .first()
                .zip(of.get(1))
                .and_then(|(left, right)| left.compare(right));
            Ok(match same {
                Some(std::cmp::Ordering::Equal) => Value::Null,
                _ => of.first().cloned().unwrap_or(Value::Null),
            })
        }),
        "json_build_object" | "jsonb_build_object" => (oids::JSON, |_, of| {
            let pairs: Vec<String> = of
                .chunks(2)
                .map(|pair| {
                    let name = serde_json::Value::from(&*text(pair, 0));
                    format!("{name} : {}", json(pair.get(1).unwrap_or(&Value::Null)))
                })
                .collect();
            bounded(format!("{{{}}}", pairs.join(", ")))
        }),
        "json_build_array" | "jsonb_build_array" => (oids::JSON, |_, of| {
            let values: Vec<String> = of.iter().map(json).collect();
            bounded(format!("[{}]", values.join(", ")))
        }),
        "to_json" | "to_jsonb" | "row_to_json" => (oids::JSON, |_, of| {
            bounded(json(of.first().unwrap_or(&Value::Null)))
        }),
        _ => return None,
    };
    Some(found)
}

/// The characters that a trim takes away.
fn trimmed(of: &[Value]) -> Vec<char> {
    match of.get(1).and_then(Value::text) {
        Some(text) => text.chars().collect(),
        None => vec![' '],
    }
}

fn float(of: &[Value]) -> f64 {
    of.first().and_then(Value::float).unwrap_or(0.0)
}

trait IntoValue {
    fn into_value(self) -> Value;
}

impl IntoValue for f64 {
    fn into_value(self) -> Value {
        Value::Float(self)
    }
}

impl IntoValue for std::sync::Arc<str> {
    fn into_value(self) -> Value {
        Value::Text(self)
    }
}

fn bounded(text: String) -> Result<Value> {
    match text.len() > TEXT_BYTES {
        true => Err(Failure::new("54000", "a text of the query is too long")),
        false => Ok(text.into()),
    }
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// `format('%I.%s', …)`.
fn formatted(of: &[Value]) -> Result<Value> {
    let whole = text(of, 0);
    let (mut out, mut next) = (String::new(), 1);
    let mut chars = whole.chars();
    while let Some(one) = chars.next() {
        if one != '%' {
            out.push(one);
            continue;
        }
        match chars.next() {
            Some('%') => out.push('%'),
            Some(kind @ ('s' | 'I' | 'L')) => {
                let value = of.get(next).and_then(Value::text);
                next += 1;
                match (kind, value) {
                    ('s', value) => out.push_str(&value.unwrap_or_default()),
                    ('I', Some(value)) => out.push_str(&super::world::quoted(&value)),
                    ('L', Some(value)) => out.push_str(&literal(&value)),
                    ('L', None) => out.push_str("NULL"),
                    _ => {
                        return Err(Failure::new(
                            "22004",
                            "null values cannot be formatted as an SQL identifier",
                        ));
                    }
                }
            }
            _ => {
                return Err(Failure::new(
                    "22023",
                    "unrecognized format() type specifier",
                ));
            }
        }
    }
    bounded(out)
}

/// Whether values of a type are compared as texts.
pub(super) fn is_like_text(kind: u32) -> bool {
    types::is_text(kind) || kind == oids::UNKNOWN
}
