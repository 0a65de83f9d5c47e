//! `kv_text(list, 'key')`: one value of a list of keys and values, as GA4 keeps its parameters;
//! `kv_canonical(list)`: all of them as one text that does not depend on their order.

use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, ListArray, StringArray, StructArray};
use arrow_schema::{DataType, Field, FieldRef, Fields};
use datafusion::common::cast::{as_list_array, as_string_array, as_struct_array};
use datafusion::common::{ScalarValue, exec_err, internal_err, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

use super::text::Text;

/// The places a value may stand in; the first that has one counts.
const VALUES: [&str; 4] = ["string_value", "int_value", "float_value", "double_value"];

/// `kv_text(list<struct<key, value>>, key)`; `value` is a text or a struct of [`VALUES`].
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct KvText {
    signature: Signature,
}

impl KvText {
    pub(super) fn new() -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for KvText {
    fn name(&self) -> &str {
        "kv_text"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        let [list, _] = arguments else {
            return plan_err!(
                "`kv_text` was given {} arguments (hint: kv_text(list, 'key'))",
                arguments.len()
            );
        };
        let Some(list) = list_of_texts(list) else {
            return plan_err!(
                "`kv_text` takes a list of struct<key, value>, not {list} \
                 (hint: value is a text or has some of {})",
                VALUES.join(", ")
            );
        };
        Ok(vec![list, DataType::Utf8])
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [list, key] = call.args.as_slice() else {
            return internal_err!("`kv_text` was given {} arguments", call.args.len());
        };
        let key = match Text::new(key)? {
            Text::Constant(Some(key)) => key,
            Text::Constant(None) => return Ok(ColumnarValue::Scalar(ScalarValue::Utf8(None))),
            Text::Column(_) => return exec_err!("the key of `kv_text` is a constant text"),
        };
        match list {
            ColumnarValue::Array(list) => {
                Ok(ColumnarValue::Array(kv_text(as_list_array(list)?, key)?))
            }
            ColumnarValue::Scalar(list) => {
                let found = kv_text(as_list_array(&list.to_array()?)?, key)?;
                Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(
                    &found, 0,
                )?))
            }
        }
    }
}

/// The list's type with key and values as plain texts; None where it is no such list.
fn list_of_texts(list: &DataType) -> Option<DataType> {
    let text = |name: &str| Arc::new(Field::new(name, DataType::Utf8, true));
    let element = match list {
        DataType::Null => Fields::from(vec![text("key"), text("value")]),
        DataType::List(field) | DataType::LargeList(field) | DataType::ListView(field) => {
            let DataType::Struct(fields) = field.data_type() else {
                return None;
            };
            let (_, key) = fields.find("key")?;
            let (_, value) = fields.find("value")?;
            if key.data_type().is_nested() {
                return None;
            }
            let value = value_of_texts(value)?;
            let changed = fields.iter().map(|field| match field.name().as_str() {
                "key" => text("key"),
                "value" => Arc::clone(&value),
                _ => Arc::clone(field),
            });
            changed.collect()
        }
        _ => return None,
    };
    let element = Field::new_list_field(DataType::Struct(element), true);
    Some(DataType::List(Arc::new(element)))
}

/// The field `value` with plain texts where a value may stand; None where there is no such place.
fn value_of_texts(value: &FieldRef) -> Option<FieldRef> {
    let data_type = match value.data_type() {
        DataType::Struct(fields) => {
            let is_value = |field: &FieldRef| VALUES.contains(&field.name().as_str());
            fields.iter().find(|field| is_value(field))?;
            let changed = fields.iter().map(|field| match is_value(field) {
                true => Arc::new(Field::new(field.name(), DataType::Utf8, true)),
                false => Arc::clone(field),
            });
            DataType::Struct(changed.collect())
        }
        nested if nested.is_nested() => return None,
        _ => DataType::Utf8,
    };
    Some(Arc::new(Field::new("value", data_type, true)))
}

fn kv_text(list: &ListArray, key: &str) -> Result<ArrayRef> {
    let elements = as_struct_array(list.values())?;
    let (Some(keys), Some(values)) = (
        elements.column_by_name("key"),
        elements.column_by_name("value"),
    ) else {
        return internal_err!("`kv_text` was given a list without `key` and `value`");
    };
    let keys = as_string_array(keys)?;
    let candidates = candidates(values)?;
    let mut texts = StringBuilder::with_capacity(list.len(), list.len() * 8);
    let offsets = list.value_offsets();
    let lengths = keys.value_offsets();
    for row in 0..list.len() {
        if list.is_null(row) {
            texts.append_null();
            continue;
        }
        let range = offsets[row] as usize..offsets[row + 1] as usize;
        // Nearly all keys are told apart by their length alone: no look at the text then.
        let found = range.into_iter().find(|&at| {
            (lengths[at + 1] - lengths[at]) as usize == key.len()
                && keys.value(at) == key
                && keys.is_valid(at)
                && elements.is_valid(at)
        });
        texts.append_option(found.and_then(|at| {
            candidates
                .iter()
                .find(|texts| texts.is_valid(at))
                .map(|texts| texts.value(at))
        }));
    }
    Ok(Arc::new(texts.finish()))
}

/// The columns a value may stand in, in the order in which they are looked at.
fn candidates(values: &ArrayRef) -> Result<Vec<&StringArray>> {
    let Some(values) = values.as_any().downcast_ref::<StructArray>() else {
        return Ok(vec![as_string_array(values)?]);
    };
    Ok(VALUES
        .iter()
        .filter_map(|name| values.column_by_name(name))
        .map(|column| column.as_string::<i32>())
        .collect())
}

/// `kv_canonical(list<struct<key, value>>)`: equal for lists with the same keys and values.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct KvCanonical {
    signature: Signature,
}

impl KvCanonical {
    pub(super) fn new() -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for KvCanonical {
    fn name(&self) -> &str {
        "kv_canonical"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        let list = match arguments {
            [list] => list_of_texts(list),
            _ => None,
        };
        match list {
            Some(list) => Ok(vec![list]),
            None => plan_err!("`kv_canonical` takes a list of struct<key, value>"),
        }
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [list] = call.args.as_slice() else {
            return internal_err!("`kv_canonical` was given {} arguments", call.args.len());
        };
        let rows = match list {
            ColumnarValue::Array(list) => list.len(),
            ColumnarValue::Scalar(_) => 1,
        };
        let texts = kv_canonical(as_list_array(&list.to_array(rows)?)?)?;
        Ok(match list {
            ColumnarValue::Array(_) => ColumnarValue::Array(texts),
            ColumnarValue::Scalar(_) => {
                ColumnarValue::Scalar(ScalarValue::try_from_array(&texts, 0)?)
            }
        })
    }
}

/// Keys in order, each with its values; null and the empty text differ. Control characters part
/// them: an exporter escapes these in JSON, and one that does not has another text all the same.
fn kv_canonical(list: &ListArray) -> Result<ArrayRef> {
    let elements = as_struct_array(list.values())?;
    let (Some(keys), Some(values)) = (
        elements.column_by_name("key"),
        elements.column_by_name("value"),
    ) else {
        return internal_err!("`kv_canonical` was given a list without `key` and `value`");
    };
    let keys = as_string_array(keys)?;
    let candidates = candidates(values)?;
    let offsets = list.value_offsets();
    let mut texts = StringBuilder::with_capacity(list.len(), list.len() * 128);
    let entry = |at: usize| {
        let key = (keys.is_valid(at) && elements.is_valid(at)).then(|| keys.value(at));
        let values = candidates
            .iter()
            .map(move |texts| texts.is_valid(at).then(|| texts.value(at)));
        (key, values)
    };
    let mut places: Vec<usize> = Vec::new();
    let mut text = String::new();
    for row in 0..list.len() {
        if list.is_null(row) {
            texts.append_null();
            continue;
        }
        places.clear();
        places.extend(offsets[row] as usize..offsets[row + 1] as usize);
        places.sort_unstable_by(|a, b| {
            let ((key_a, values_a), (key_b, values_b)) = (entry(*a), entry(*b));
            key_a.cmp(&key_b).then_with(|| values_a.cmp(values_b))
        });
        text.clear();
        for at in &places {
            let (key, values) = entry(*at);
            text.push_str(key.unwrap_or("\u{0}"));
            for value in values {
                text.push('\u{1f}');
                text.push_str(value.unwrap_or("\u{0}"));
            }
            text.push('\u{1e}');
        }
        texts.append_value(&text);
    }
    Ok(Arc::new(texts.finish()))
}
