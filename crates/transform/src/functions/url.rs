//! `url_host`, `url_path`, `url_param`: the parts of an address as they stand in it.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::builder::StringBuilder;
use arrow_schema::DataType;
use datafusion::error::Result;
use journeys::channels::url;

use super::keys::pair;
use super::text::{Text, TextFunction};

pub(super) fn functions() -> Vec<TextFunction> {
    let text = DataType::Utf8;
    vec![
        TextFunction::new(
            "url_host",
            1..=1,
            "url_host(address)",
            text.clone(),
            |texts, rows| each(texts, rows, |address, _| url::host(address)),
        ),
        TextFunction::new(
            "url_path",
            1..=1,
            "url_path(address)",
            text.clone(),
            |texts, rows| each(texts, rows, |address, _| url::path(address).map(Into::into)),
        ),
        TextFunction::new(
            "url_param",
            2..=2,
            "url_param(address, 'utm_source')",
            text,
            |texts, rows| each(texts, rows, |address, name| url::param(address, name?)),
        ),
    ]
}

/// Writes what `part` finds in each address, without a text of its own for each row.
fn each<'a>(
    texts: &[Text<'a>],
    rows: usize,
    part: impl Fn(&'a str, Option<&'a str>) -> Option<std::borrow::Cow<'a, str>>,
) -> Result<ArrayRef> {
    let [addresses, names] = pair(texts);
    let mut parts = StringBuilder::with_capacity(rows, rows * 16);
    for row in 0..rows {
        match addresses
            .get(row)
            .and_then(|address| part(address, names.get(row)))
        {
            Some(found) => parts.append_value(found),
            None => parts.append_null(),
        }
    }
    Ok(Arc::new(parts.finish()))
}
