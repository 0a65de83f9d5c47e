//! The books: every raw row is in silver, in quarantine, counted as a duplicate, or superseded.
//!
//! The figures come from different places (the raw table's files, the silver table's files, the
//! quarantine, the duplicates counted when silver was published), so that they can disagree.

use lake::TableName;
use serde::Serialize;

use super::publish::noted_duplicates;
use super::stage::current_files;
use crate::Result;
use crate::compile::Target;
use crate::project::{Layer, Rows};
use crate::run::Context;

/// Where the rows of one stream are, as one silver model sees them.
#[derive(Debug, Clone, Serialize)]
pub struct Balance {
    /// The source.
    pub source: String,
    /// The stream.
    pub stream: String,
    /// The silver model.
    pub model: String,
    /// Whether the model takes every row once (`one`), only some (`some`), or makes several
    /// (`many`).
    pub rows: Rows,
    /// Raw rows received.
    pub raw: i64,
    /// Of those, rows of files that were replaced.
    pub superseded: i64,
    /// Rows in silver.
    pub silver: i64,
    /// Rows in quarantine.
    pub quarantine: i64,
    /// Rows that were dropped because another of their key is newer.
    pub duplicates: i64,
}

impl Balance {
    /// raw = silver + quarantine + duplicates + superseded, where the model takes every row once.
    pub fn holds(&self) -> bool {
        self.rows != Rows::One
            || self.raw == self.silver + self.quarantine + self.duplicates + self.superseded
    }
}

/// The books of all streams that a silver model reads.
///
/// # Errors
/// A table cannot be read.
pub async fn balances(context: &Context<'_>) -> Result<Vec<Balance>> {
    let lake = &context.warehouse.lake;
    let mut balances = Vec::new();
    for model in context
        .manifest
        .models
        .values()
        .filter(|m| m.layer() == Layer::Silver)
    {
        let Some((source, stream)) = model.dependencies.iter().find_map(|d| match &d.target {
            Target::Source { source, stream } => Some((source.clone(), stream.clone())),
            _ => None,
        }) else {
            continue;
        };
        let raw = lake
            .table(&TableName::new("raw", format!("{source}__{stream}")))
            .await?;
        let Some(raw) = raw else { continue };
        let silver = lake.table(&TableName::new("silver", model.name())).await?;
        let Some(silver) = silver else { continue };
        let quarantine = lake.table(&super::quarantine_name(model.name())).await?;
        let current: i64 = current_files(&raw).values().map(|origin| origin.rows).sum();
        balances.push(Balance {
            source,
            stream,
            model: model.name().to_owned(),
            rows: model.config.rows,
            raw: raw.rows() as i64,
            superseded: raw.rows() as i64 - current,
            silver: silver.rows() as i64,
            quarantine: quarantine.map_or(0, |table| table.rows() as i64),
            duplicates: noted_duplicates(&silver.ledger).values().sum(),
        });
    }
    Ok(balances)
}
