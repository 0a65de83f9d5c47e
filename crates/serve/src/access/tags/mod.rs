//! Tags of columns: what kind of data a column holds, whatever it is called and wherever it went.
//!
//! A tag has a name and may have a value: `pii: email`. Policies speak of tags, so that they follow
//! the data: [`lineage`] carries the tags of what models read to what they make.

pub mod lineage;
mod project;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

pub use project::of_project;

/// A tag of a column.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag {
    /// Its name: `pii`.
    pub name: String,
    /// Its value: `email`; empty where it has none.
    pub value: String,
}

impl Tag {
    /// A tag with a value.
    pub fn new(name: &str, value: &str) -> Self {
        Self {
            name: name.to_owned(),
            value: value.to_owned(),
        }
    }

    /// From `name`, `name: value` or `name=value`.
    pub fn parse(text: &str) -> Self {
        let (name, value) = text.split_once([':', '=']).unwrap_or((text, ""));
        Self::new(name.trim(), value.trim())
    }

    /// Personal data of a kind.
    pub fn pii(kind: &str) -> Self {
        Self::new(PII, kind)
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.value.as_str() {
            "" => write!(out, "{}", self.name),
            value => write!(out, "{}: {value}", self.name),
        }
    }
}

/// Name of the tag for personal data.
pub const PII: &str = "pii";

/// Value of [`PII`] for a column of which nothing is known: who may not see personal data does not
/// see it.
pub const UNCLEAR: &str = "unclear";

/// The tags of one column.
pub type Tags = BTreeSet<Tag>;

/// The tags of the columns of tables and views.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TagMap {
    tables: BTreeMap<(String, String), BTreeMap<String, Tags>>,
}

impl TagMap {
    /// Says what is known of a table: all its columns, with their tags.
    pub fn set(&mut self, schema: &str, table: &str, columns: BTreeMap<String, Tags>) {
        self.tables
            .insert((schema.to_owned(), table.to_owned()), columns);
    }

    /// What is known of a table.
    pub fn table(&self, schema: &str, table: &str) -> Option<&BTreeMap<String, Tags>> {
        self.tables.get(&(schema.to_owned(), table.to_owned()))
    }

    /// Tags of a column. One of which nothing is known (of an older version of a table, say, or of
    /// a table that no model makes any more) counts as personal data.
    pub fn column(&self, schema: &str, table: &str, column: &str) -> Tags {
        let known = self
            .table(schema, table)
            .and_then(|columns| columns.get(column));
        known.cloned().unwrap_or_else(|| [Tag::pii(UNCLEAR)].into())
    }

    /// Tags of a column of the table or view with this name, in whatever schema.
    pub fn of_model(&self, table: &str, column: &str) -> Tags {
        let mut known = self.tables.iter().filter(|((_, name), _)| name == table);
        let columns = known.next().and_then(|(_, columns)| columns.get(column));
        columns
            .cloned()
            .unwrap_or_else(|| [Tag::pii(UNCLEAR)].into())
    }

    /// All tables with their columns' tags.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, &BTreeMap<String, Tags>)> {
        self.tables
            .iter()
            .map(|((schema, table), columns)| (schema.as_str(), table.as_str(), columns))
    }
}
