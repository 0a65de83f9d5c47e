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
    /// Columns that the SQL names; those that a file lacks are there as null.
    pub columns: Vec<KindColumn>,
    /// Words that stand for "no value" in its files, beside those that the project names.
    pub null_words: Vec<String>,
    /// How `init --from` recognises its files: file name globs, header columns; or, by their
    /// headings, declared columns that must be there.
    pub recognise: Option<serde_json::Value>,
}

impl StreamKind {
    /// All headings of its columns; empty if it states none.
    pub fn headings(&self) -> Vec<String> {
        let stated = self.columns.iter().filter(|column| column.has_headings());
        let all = stated.flat_map(|column| column.headings.iter().chain([&column.name]));
        all.cloned().collect()
    }
}

/// A column of a stream: by its name in the file, or under a name of ours with the headings that
/// files give it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "ColumnText", into = "ColumnText")]
pub struct KindColumn {
    /// Name by which the SQL reads it.
    pub name: String,
    /// How files call it, the preferred one first; where there are several in one file, the first
    /// that has a value counts. Its own name is a heading too.
    pub headings: Vec<String>,
}

impl KindColumn {
    /// Whether it is found by headings.
    pub fn has_headings(&self) -> bool {
        !self.headings.is_empty()
    }
}

/// A column as YAML writes it.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum ColumnText {
    Name(String),
    Headed { name: String, headings: Vec<String> },
}

impl From<ColumnText> for KindColumn {
    fn from(text: ColumnText) -> Self {
        match text {
            ColumnText::Name(name) => Self {
                name,
                headings: vec![],
            },
            ColumnText::Headed { name, headings } => Self { name, headings },
        }
    }
}

impl From<KindColumn> for ColumnText {
    fn from(column: KindColumn) -> Self {
        match column.has_headings() {
            false => Self::Name(column.name),
            true => Self::Headed {
                name: column.name,
                headings: column.headings,
            },
        }
    }
}
