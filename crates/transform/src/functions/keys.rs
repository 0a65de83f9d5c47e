//! `durable_key`, `pii_hash`, `is_blocked_identifier`: identifiers and what is made of them.

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Int64Array, StringArray};
use arrow_schema::DataType;
use datafusion::common::exec_err;
use datafusion::error::Result;
use domain::key::KeyMaker;
use journeys::identity::{BlockList, NodeType};

use super::text::{Text, TextFunction};

/// Most parts of a key.
const PARTS_MAX: usize = 32;

pub(super) fn functions(keys: &KeyMaker, blocked: &Arc<BlockList>) -> Vec<TextFunction> {
    let (key_maker, hash_maker, blocked) = (keys.clone(), keys.clone(), Arc::clone(blocked));
    vec![
        TextFunction::new(
            "durable_key",
            2..=PARTS_MAX,
            "durable_key('type', part, …)",
            DataType::Int64,
            move |texts, rows| Ok(durable_key(&key_maker, texts, rows)),
        ),
        TextFunction::new(
            "pii_hash",
            2..=2,
            "pii_hash('email', value), pii_hash('phone', value), pii_hash('name', value) or \
             pii_hash('sound', value)",
            DataType::Utf8,
            move |texts, rows| pii_hash(&hash_maker, texts, rows),
        ),
        TextFunction::new(
            "is_blocked_identifier",
            2..=2,
            "is_blocked_identifier('type', value)",
            DataType::Boolean,
            move |texts, rows| is_blocked(&blocked, texts, rows),
        ),
    ]
}

fn durable_key(keys: &KeyMaker, texts: &[Text<'_>], rows: usize) -> ArrayRef {
    let mut parts: Vec<Option<&str>> = Vec::with_capacity(texts.len());
    let made = (0..rows).map(|row| {
        parts.clear();
        parts.extend(texts.iter().map(|text| text.get(row)));
        keys.durable_key(&parts)
    });
    Arc::new(made.collect::<Int64Array>())
}

fn pii_hash(keys: &KeyMaker, texts: &[Text<'_>], rows: usize) -> Result<ArrayRef> {
    let [kinds, values] = pair(texts);
    let hashed = (0..rows).map(|row| {
        let Some(kind) = kinds.get(row) else {
            return Ok(None);
        };
        if !["email", "phone", "name", "sound"].contains(&kind) {
            return exec_err!(
                "`pii_hash` knows no kind `{kind}` (hint: `email`, `phone`, `name` or `sound`)"
            );
        }
        Ok(values.get(row).and_then(|value| keys.pii_hash(kind, value)))
    });
    Ok(Arc::new(hashed.collect::<Result<StringArray>>()?))
}

fn is_blocked(blocked: &BlockList, texts: &[Text<'_>], rows: usize) -> Result<ArrayRef> {
    let [types, values] = pair(texts);
    let judged = (0..rows).map(|row| {
        let (Some(name), Some(value)) = (types.get(row), values.get(row)) else {
            return Ok(None);
        };
        Ok(Some(blocked.is_blocked(
            node_type("is_blocked_identifier", name)?,
            value,
        )))
    });
    Ok(Arc::new(judged.collect::<Result<BooleanArray>>()?))
}

/// The two arguments of a function that the signature has given exactly two.
pub(super) fn pair<'a>(texts: &[Text<'a>]) -> [Text<'a>; 2] {
    let at = |place: usize| texts.get(place).copied().unwrap_or(Text::Constant(None));
    [at(0), at(1)]
}

/// The type of an identifier by its name.
///
/// # Errors
/// There is no such type.
pub(super) fn node_type(function: &str, name: &str) -> Result<NodeType> {
    let Some(found) = NodeType::parse(name) else {
        let known: Vec<&str> = NodeType::ALL
            .iter()
            .map(|node_type| node_type.as_str())
            .collect();
        return exec_err!(
            "`{function}` knows no identifier type `{name}` (hint: {})",
            known.join(", ")
        );
    };
    Ok(found)
}
