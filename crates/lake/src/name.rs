//! How a table is called: a schema (one per zone) and a name.

use std::fmt;

/// `schema.name` of a table, for example `star.fct_session`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableName {
    /// The zone: `raw`, `staged`, `quarantine`, `cleansing`, `silver`, `identity`, `star`, `marts`,
    /// `seeds`, `ops`.
    pub schema: String,
    /// The name within it.
    pub name: String,
}

impl TableName {
    /// A name from its two parts.
    pub fn new(schema: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            schema: schema.into(),
            name: name.into(),
        }
    }

    /// The folder of the table below the lake's root.
    pub fn folder(&self) -> String {
        format!("{}/{}", self.schema, self.name)
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.schema, self.name)
    }
}
