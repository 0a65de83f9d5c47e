//! What is kept of an own table or view.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr as _;
use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::access::principal::Principal;
use crate::access::tags::{Tag, Tags};

/// Folder of the own tables' lake in which the tables lie.
pub(crate) const FOLDER: &str = "t";

/// An own table or view.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Relation {
    /// Its rows, or what it asks.
    pub body: Body,
    /// Who made it; with whose rights a view reads.
    pub owner: Principal,
    /// Its columns, in order.
    pub columns: Vec<Column>,
    /// What `comment on` said of it.
    #[serde(default)]
    pub comment: Option<String>,
    /// The tables and views that its query read (`star.fct_order`), all those of its inserts too.
    pub reads: BTreeSet<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When its rows or its definition changed last.
    pub changed_at: DateTime<Utc>,
}

/// Rows, or a query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Body {
    /// A table.
    Table {
        /// Name of its folder in the own tables' lake.
        id: String,
        /// Its version there.
        version: u64,
        /// Rows in it.
        rows: u64,
        /// Bytes of its files.
        bytes: u64,
    },
    /// A view.
    View {
        /// Its query.
        sql: String,
        /// The schema in which names without a schema are looked up.
        search_path: String,
    },
}

/// A column of an own table or view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type, as Arrow writes it.
    pub kind: String,
    /// Its tags (`pii: email`), by lineage.
    #[serde(default)]
    pub tags: BTreeSet<String>,
    /// The columns that its values come from (`star.dim_person.email`).
    #[serde(default)]
    pub from: BTreeSet<String>,
    /// Bytes that its longest value takes at most.
    #[serde(default)]
    pub widest: u64,
    /// What `comment on` said of it.
    #[serde(default)]
    pub comment: Option<String>,
}

impl Column {
    pub(crate) fn new(name: &str, kind: &DataType) -> Self {
        Self {
            name: name.to_owned(),
            kind: kind.to_string(),
            tags: BTreeSet::new(),
            from: BTreeSet::new(),
            widest: 0,
            comment: None,
        }
    }

    /// Its tags.
    pub fn tags(&self) -> Tags {
        self.tags.iter().map(|tag| Tag::parse(tag)).collect()
    }
}

impl Relation {
    /// Whether it is a view.
    pub fn is_view(&self) -> bool {
        matches!(self.body, Body::View { .. })
    }

    /// Name of a table's folder in the own tables' lake.
    pub(crate) fn id(&self) -> Option<&str> {
        match &self.body {
            Body::Table { id, .. } => Some(id),
            Body::View { .. } => None,
        }
    }

    pub(crate) fn bytes(&self) -> u64 {
        match self.body {
            Body::Table { bytes, .. } => bytes,
            Body::View { .. } => 0,
        }
    }

    /// Its columns as they were when it was made: of a view that cannot be planned any more.
    pub(crate) fn schema(&self) -> SchemaRef {
        let field = |column: &Column| {
            let kind = DataType::from_str(&column.kind).unwrap_or(DataType::Utf8);
            Field::new(&column.name, kind, true)
        };
        Arc::new(Schema::new(
            self.columns.iter().map(field).collect::<Vec<_>>(),
        ))
    }

    pub(crate) fn tags(&self) -> BTreeMap<String, Tags> {
        let columns = self.columns.iter();
        columns
            .map(|column| (column.name.clone(), column.tags()))
            .collect()
    }

    pub(crate) fn widest(&self) -> BTreeMap<String, u64> {
        let columns = self.columns.iter();
        columns
            .map(|column| (column.name.clone(), column.widest))
            .collect()
    }

    /// Adds what new rows bring to the columns they go to: tags, sources, longer values.
    pub(crate) fn absorb(&mut self, of: &[Column], reads: &BTreeSet<String>) {
        self.reads.extend(reads.iter().cloned());
        for (column, new) in self.columns.iter_mut().zip(of) {
            column.tags.extend(new.tags.iter().cloned());
            column.from.extend(new.from.iter().cloned());
            column.widest = column.widest.max(new.widest);
        }
    }
}
