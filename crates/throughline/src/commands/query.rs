//! `query`: one SQL query over the lake.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::path::Path;

use anyhow::{Context as _, bail};
use chrono::{DateTime, NaiveDate, Utc};
use serve::Format;

use super::Exit;
use crate::cli::{FormatArg, QueryArgs};
use crate::project::{Opened, Place, now};
use crate::say::Voice;

/// The command.
pub(crate) async fn query(place: Place, args: &QueryArgs, voice: Voice) -> anyhow::Result<Exit> {
    let mut opened = Opened::open(place, &BTreeMap::new()).await?;
    if let Some(time) = &args.as_of {
        as_of(&mut opened, instant(time)?).await?;
    }
    let context = opened.context("query", now());
    transform::run::register_views(&context).await?;
    register_metrics(&opened)?;
    let mut sql = args.sql.clone();
    if sql.trim() == "-" {
        sql.clear();
        std::io::stdin()
            .read_to_string(&mut sql)
            .context("cannot read standard input")?;
    }
    let frame = opened
        .warehouse
        .query(sql.trim().trim_end_matches(';'))
        .await
        .map_err(|error| anyhow::anyhow!("{error}\nhint: list tables with: select table_schema, table_name from information_schema.tables"))?;
    let schema = std::sync::Arc::new(frame.schema().as_arrow().clone());
    let rows = frame.collect().await.map_err(lake::LakeError::of_reading)?;
    written(&schema, &rows, args.format, args.output.as_deref(), voice)
}

/// Makes the schema `metrics` part of the project's session.
pub(super) fn register_metrics(opened: &Opened) -> anyhow::Result<()> {
    let project = &opened.manifest.project;
    let (layer, config) = (project.metrics.clone(), project.config.clone());
    Ok(serve::metrics::register(
        &opened.warehouse.session,
        layer.into(),
        config.into(),
    )?)
}

/// Writes the rows of a query where the command line says.
pub(super) fn written(
    schema: &arrow_schema::SchemaRef,
    rows: &[arrow_array::RecordBatch],
    format: Option<FormatArg>,
    output: Option<&Path>,
    voice: Voice,
) -> anyhow::Result<Exit> {
    let format = match format {
        Some(FormatArg::Table) => Format::Table,
        Some(FormatArg::Json) => Format::Json,
        Some(FormatArg::Csv) => Format::Csv,
        Some(FormatArg::Parquet) => Format::Parquet,
        None if voice.json => Format::Json,
        None => Format::Table,
    };
    match output {
        Some(path) => {
            let mut file = std::fs::File::create(path)
                .with_context(|| format!("cannot make `{}`", path.display()))?;
            serve::write(&mut file, schema, rows, format)?;
        }
        None => {
            let mut out = std::io::BufWriter::new(crate::say::stdout());
            serve::write(&mut out, schema, rows, format)?;
            out.flush()?;
        }
    }
    Ok(Exit::Done)
}

pub(super) fn instant(text: &str) -> anyhow::Result<DateTime<Utc>> {
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Ok(at.with_timezone(&Utc));
    }
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
    let end = day.and_then(|day| day.and_hms_micro_opt(23, 59, 59, 999_999));
    match end {
        Some(end) => Ok(end.and_utc()),
        None => bail!("`--as-of {text}` is no time\nhint: 2026-06-30 or 2026-06-30T12:00:00Z"),
    }
}

/// Puts every table at the version at which the last run before `at` left it.
pub(super) async fn as_of(opened: &mut Opened, at: DateTime<Utc>) -> anyhow::Result<()> {
    let Some(versions) = crate::history::versions_at(&opened.log, at).await? else {
        bail!("no run had ended by {at}\nhint: without --as-of the newest state is read");
    };
    opened.warehouse = opened.warehouse.at(&versions).await?;
    Ok(())
}
