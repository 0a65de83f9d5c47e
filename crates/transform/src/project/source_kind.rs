//! The kinds of source that built-in silver models read: `models/1_silver/<kind>/_source.yml`.

use std::collections::BTreeMap;

use domain::config::EffectiveAt;
use serde::{Deserialize, Serialize};

/// A kind of source (`ga4`, `hubspot` …).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceKind {
    /// Its name, as `kind:` in `throughline.yml`.
    pub kind: String,
    /// What it is.
    #[serde(default)]
    pub doc: String,
    /// The shapes it comes in, where there are several.
    #[serde(default)]
    pub layouts: Vec<String>,
    /// Its streams by name.
    #[serde(default)]
    pub streams: BTreeMap<String, StreamKind>,
}

/// A stream that a kind of source can have.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StreamKind {
    /// What one record is.
    pub doc: String,
    /// What says how new a row is, unless the project says otherwise.
    pub effective_at: Option<EffectiveAt>,
    /// Where in a JSON document the records lie, unless the project says otherwise.
    pub records: Option<String>,
    /// Columns that the SQL names; those that a file lacks are there as null (CSV only).
    pub columns: Vec<String>,
    /// How `init --from` recognises its files: file name globs, header columns.
    pub recognise: Option<serde_json::Value>,
}
