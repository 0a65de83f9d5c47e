//! What reports over a mart share: the table must be there, and its rows are for people or for
//! programs.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use lake::LakeError;
use serde_json::Value;
use serve::Format;

use crate::project::{Opened, Place, now};

/// A project that has the mart.
pub(super) async fn open(place: Place, mart: &str) -> anyhow::Result<Opened> {
    let opened = Opened::open(place, &BTreeMap::new()).await?;
    let names = opened.lake.names().await?;
    let is_there = |name: &lake::TableName| name.schema == "marts" && name.name == mart;
    if !names.iter().any(is_there) {
        bail!("`marts.{mart}` is not built yet\nhint: throughline run");
    }
    {
        let context = opened.context("report", now());
        transform::run::register_views(&context).await?;
    }
    Ok(opened)
}

/// The rows of a query as aligned columns.
pub(super) async fn table(opened: &Opened, sql: &str) -> anyhow::Result<String> {
    let text = written(opened, sql, Format::Table).await?;
    Ok(text.trim_end().to_owned())
}

/// The rows of a query as objects.
pub(super) async fn rows(opened: &Opened, sql: &str) -> anyhow::Result<Vec<Value>> {
    let text = written(opened, sql, Format::Json).await?;
    serde_json::from_str(&text).context("the rows of the report are no JSON")
}

async fn written(opened: &Opened, sql: &str, format: Format) -> anyhow::Result<String> {
    let frame = opened.warehouse.query(sql).await?;
    let schema = Arc::new(frame.schema().as_arrow().clone());
    let rows = frame.collect().await.map_err(LakeError::of_reading)?;
    let mut out = Vec::new();
    serve::write(&mut out, &schema, &rows, format)?;
    Ok(String::from_utf8_lossy(&out).into_owned())
}

/// A text of a row; empty where it is null.
pub(super) fn text<'a>(row: &'a Value, name: &str) -> &'a str {
    row[name].as_str().unwrap_or_default()
}
