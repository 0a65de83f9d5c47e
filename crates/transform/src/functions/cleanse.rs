//! `cleanse(text, 'rules')`: a value after the rules of a recipe.

use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_schema::DataType;
use datafusion::common::exec_err;
use domain::cleanse::Recipe;

use super::text::{Text, TextFunction};

pub(super) fn functions() -> Vec<TextFunction> {
    vec![TextFunction::new(
        "cleanse",
        2..=2,
        "cleanse(text, 'trim, lower')",
        DataType::Utf8,
        |texts, rows| {
            let [values, Text::Constant(Some(spec))] = texts else {
                return exec_err!("the rules of `cleanse` are one text for all rows");
            };
            let recipe = match Recipe::from_spec(spec) {
                Ok(recipe) => recipe,
                Err(mistake) => return exec_err!("{} (hint: {})", mistake.what, mistake.hint),
            };
            let mut cleaned = StringBuilder::with_capacity(rows, rows * 16);
            for row in 0..rows {
                cleaned.append_option(values.get(row).and_then(|value| recipe.clean(value)));
            }
            Ok(Arc::new(cleaned.finish()))
        },
    )]
}
