//! `from_json`, `json_text`, `to_json`: documents in one pass, without a tree of values.

use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::{Array, ArrayRef};
use arrow_json::writer::{EncoderOptions, make_encoder};
use arrow_schema::{DataType, Field, FieldRef};
use datafusion::common::{
    ScalarValue, exec_datafusion_err, internal_err, plan_datafusion_err, plan_err,
};
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

use super::keys::pair;
use super::text::{Text, TextFunction};
use decode::Decoder;
use path::Path;
use shape::Shape;

mod decode;
mod path;
mod read;
mod shape;
#[cfg(test)]
mod tests;

/// `from_json(text, 'struct<…>')`: the members that the type names, as texts.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct FromJson {
    signature: Signature,
}

impl FromJson {
    pub(super) fn new() -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for FromJson {
    fn name(&self) -> &str {
        "from_json"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        internal_err!("the type of `from_json` stands in its second argument")
    }

    fn return_field_from_args(&self, call: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let Some(Some(ScalarValue::Utf8(Some(shape)))) = call.scalar_arguments.get(1) else {
            return plan_err!("the type that `from_json` reads is a constant text");
        };
        let data_type = parsed(shape)?.data_type();
        Ok(Arc::new(Field::new(self.name(), data_type, true)))
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        match arguments {
            [document, _] if !document.is_nested() => Ok(vec![DataType::Utf8; 2]),
            _ => plan_err!(
                "`from_json` takes a text and a type (hint: from_json(payload, 'struct<a: text>'))"
            ),
        }
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [documents, shape] = call.args.as_slice() else {
            return internal_err!("`from_json` was given {} arguments", call.args.len());
        };
        let Text::Constant(Some(shape)) = Text::new(shape)? else {
            return internal_err!("the type that `from_json` reads is no constant");
        };
        let shape = parsed(shape)?;
        let documents = Text::new(documents)?;
        let is_constant = matches!(documents, Text::Constant(_));
        let rows = if is_constant { 1 } else { call.number_rows };
        let mut decoder = Decoder::new(&shape, rows);
        for row in 0..rows {
            decoder.push(documents.get(row));
        }
        let decoded = decoder.finish()?;
        if is_constant {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(
                &decoded, 0,
            )?));
        }
        Ok(ColumnarValue::Array(decoded))
    }
}

fn parsed(shape: &str) -> Result<Shape> {
    Shape::parse(shape).map_err(|reason| {
        plan_datafusion_err!(
            "the type that `from_json` reads cannot be understood: {reason} \
             (hint: 'struct<id: text, tags: list<text>, rest: json>')"
        )
    })
}

/// `json_text(text, 'a.b[0].c')`: one value of a document, an object or list as JSON.
pub(super) fn json_text() -> TextFunction {
    let usage = "json_text(document, 'a.b[0].c')";
    TextFunction::new(
        "json_text",
        2..=2,
        usage,
        DataType::Utf8,
        move |texts, rows| {
            let [documents, paths] = pair(texts);
            let mut known: Option<(&str, Path)> = None;
            let mut found = StringBuilder::with_capacity(rows, rows * 8);
            for row in 0..rows {
                let (Some(document), Some(text)) = (documents.get(row), paths.get(row)) else {
                    found.append_null();
                    continue;
                };
                let path = match &known {
                    Some((before, path)) if *before == text => path,
                    _ => {
                        let path = Path::parse(text).map_err(|reason| {
                            exec_datafusion_err!(
                                "path `{text}` of `json_text` cannot be understood: {reason} \
                             (hint: {usage})"
                            )
                        })?;
                        &known.insert((text, path)).1
                    }
                };
                found.append_option(path.find(document));
            }
            Ok(Arc::new(found.finish()))
        },
    )
}

/// `to_json(value)`: the JSON text of a struct or list, without the members that are null.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct ToJson {
    signature: Signature,
}

impl ToJson {
    pub(super) fn new() -> Self {
        Self {
            signature: Signature::any(1, Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for ToJson {
    fn name(&self) -> &str {
        "to_json"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        match call.args.as_slice() {
            [ColumnarValue::Array(values)] => Ok(ColumnarValue::Array(to_json(values)?)),
            [ColumnarValue::Scalar(value)] => {
                let text = to_json(&value.to_array()?)?;
                Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(
                    &text, 0,
                )?))
            }
            _ => internal_err!("`to_json` was given {} arguments", call.args.len()),
        }
    }
}

fn to_json(values: &ArrayRef) -> Result<ArrayRef> {
    let field = Arc::new(Field::new("value", values.data_type().clone(), true));
    let options = EncoderOptions::default();
    let mut encoder = make_encoder(&field, values, &options)?;
    let mut texts = StringBuilder::with_capacity(values.len(), values.len() * 32);
    let mut text = Vec::new();
    for row in 0..values.len() {
        if encoder.is_null(row) || values.is_null(row) {
            texts.append_null();
            continue;
        }
        text.clear();
        encoder.encode(row, &mut text);
        texts.append_value(std::str::from_utf8(&text).map_err(|error| {
            exec_datafusion_err!("`to_json` wrote a text that is no UTF-8: {error}")
        })?);
    }
    Ok(Arc::new(texts.finish()))
}
