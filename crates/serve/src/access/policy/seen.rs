//! What a principal sees of each table, told to administrators: the columns, what stands in the
//! place of masked ones, what is hidden, and the conditions on rows.

use std::sync::Arc;

use datafusion::prelude::SessionContext;
use serde::Serialize;

use super::check::{Table, seen, tables};
use super::{Mask, Rights};
use crate::access::tags::TagMap;

/// A table of which a principal sees something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SeenTable {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub table: String,
    /// The columns that are seen.
    pub columns: Vec<SeenColumn>,
    /// The columns that are not.
    pub hidden_columns: Vec<String>,
    /// Conditions that rows must meet, all of them, as `access.yml` says them.
    pub row_filters: Vec<String>,
}

/// A column that a principal sees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SeenColumn {
    /// Its name.
    pub name: String,
    /// Its tags, `pii: email`.
    pub tags: Vec<String>,
    /// What stands in its place, as `access.yml` says it; none: the value itself.
    pub mask: Option<String>,
}

/// What `rights` lets be seen of the owner's tables, by schema and name.
pub(crate) async fn tables_of(
    rights: &Rights,
    owner: &SessionContext,
    tags: &Arc<TagMap>,
) -> Vec<SeenTable> {
    let all = tables(owner).await;
    let mut found: Vec<SeenTable> = all
        .iter()
        .filter_map(|table| of(rights, table, tags))
        .collect();
    found.sort_by(|one, other| (&one.schema, &one.table).cmp(&(&other.schema, &other.table)));
    found
}

fn of(rights: &Rights, table: &Table, tags: &TagMap) -> Option<SeenTable> {
    let columns = seen(table, tags);
    let rights = rights.table(&table.schema, &table.name, &columns)?;
    let shown = rights.columns.iter().filter_map(|column| {
        let seen = columns.get(column.index)?;
        Some(SeenColumn {
            name: seen.name.to_owned(),
            tags: seen.tags.iter().map(ToString::to_string).collect(),
            mask: column.mask.as_ref().map(said),
        })
    });
    let is_shown = |at: &usize| rights.columns.iter().any(|column| column.index == *at);
    let hidden = columns.iter().enumerate().filter(|(at, _)| !is_shown(at));
    Some(SeenTable {
        schema: table.schema.clone(),
        table: table.name.clone(),
        columns: shown.collect(),
        hidden_columns: hidden.map(|(_, column)| column.name.to_owned()).collect(),
        row_filters: rights
            .filters
            .iter()
            .map(|rule| rule.condition.to_string())
            .collect(),
    })
}

fn said(mask: &Mask) -> String {
    match mask {
        Mask::Null => "null".to_owned(),
        Mask::Hash { joinable: false } => "hash".to_owned(),
        Mask::Hash { joinable: true } => "hash, joinable".to_owned(),
        Mask::LastFour => "last_four".to_owned(),
        Mask::Sql(expression) => format!("sql: {}", expression.0),
    }
}
