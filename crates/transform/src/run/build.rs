//! One model: its inputs are bounded, its rows written, checked, and then published.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use datafusion::dataframe::DataFrame;
use datafusion::logical_expr::SortExpr;
use datafusion::prelude::col;
use futures::StreamExt as _;
use lake::schema::kept_schema;
use lake::{Change, FileWriter, Layout, Table, TableName, crash};

use super::checks;
use super::decide::{self, Decision, Reason};
use super::rows::{Bounds, model_rows};
use super::{Context, ModelResult, Options, Outcome, by_key, parts};
use crate::compile::ParsedModel;
use crate::project::Strategy;
use crate::silver;
use crate::{Result, TransformError};

/// Builds a model if it is dirty.
pub(super) async fn build(
    context: &Context<'_>,
    model: &ParsedModel,
    options: &Options,
) -> Result<ModelResult> {
    let decision = decide::decide(context, model, options, &BTreeSet::new()).await?;
    if decision.reason == Reason::View {
        context
            .warehouse
            .register_view(context.manifest, model.name())
            .await
            .map_err(|error| context.model_error(model, error))?;
        return Ok(result(model, Outcome::View, &decision, None));
    }
    if !decision.builds() {
        // Another machine may have built it since this one looked.
        if context.warehouse.catch_up(&own_name(model)).await? {
            register_entity(context, model).await?;
        }
        let table = context.warehouse.lake.table(&own_name(model)).await?;
        return Ok(result(
            model,
            Outcome::UpToDate,
            &decision,
            table.as_deref(),
        ));
    }
    let days = decision.days.as_ref().map_or(0, BTreeSet::len);
    let change = if model.config.entity.is_some() {
        entity(context, model, options).await?
    } else if decide::is_by_day(model) {
        parts::by_day(context, model, &decision).await?
    } else {
        match by_key::by_key(context, model, &decision).await? {
            Some(exchanged) => exchanged,
            None => whole(context, model, &decision).await?,
        }
    };
    let Some((base, mut change, days_written)) = change else {
        let table = context.warehouse.lake.table(&own_name(model)).await?;
        return Ok(result(
            model,
            Outcome::UpToDate,
            &decision,
            table.as_deref(),
        ));
    };
    change.ledger.run_id = context.run_id.to_owned();
    if change.is_as_before && matches!(decision.reason, Reason::Inputs(_)) {
        // The files there say the same: they stay, and only what was seen is noted.
        context.warehouse.lake.discard(&mut change).await?;
    }
    let points = crash_points(model);
    crash::point(points[0]);
    if let Some(failed) = checks::before_publishing(context, model, &change).await? {
        let mut blocked = result(model, Outcome::Blocked, &decision, base.as_deref());
        blocked.error = Some(failed);
        return Ok(blocked);
    }
    crash::point(points[1]);
    context.unmoved(model.name(), &change.ledger.inputs)?;
    let lake = &context.warehouse.lake;
    let table = lake.commit(base.as_deref(), change).await?;
    crash::point(points[2]);
    context.warehouse.refresh(&table.name).await?;
    register_entity(context, model).await?;
    let mut built = result(model, Outcome::Built, &decision, Some(&table));
    built.days = if days > 0 { days } else { days_written };
    Ok(built)
}

/// Registers anew the union of its entity that a silver model is part of.
async fn register_entity(context: &Context<'_>, model: &ParsedModel) -> Result<()> {
    let entity = model.config.entity.as_deref();
    if let Some(entity) = entity.and_then(domain::entity::entity) {
        let warehouse = context.warehouse;
        warehouse.register_entity(context.manifest, entity).await?;
    }
    Ok(())
}

/// Where a run may be made to end: files written, checks passed, committed.
fn crash_points(model: &ParsedModel) -> [&'static str; 3] {
    match model.config.entity {
        Some(_) => ["silver.written", "silver.checked", "silver.committed"],
        None => ["model.written", "model.checked", "model.committed"],
    }
}

pub(super) fn own_name(model: &ParsedModel) -> TableName {
    TableName::new(model.layer().schema(), model.name())
}

fn result(
    model: &ParsedModel,
    outcome: Outcome,
    decision: &Decision,
    table: Option<&Table>,
) -> ModelResult {
    ModelResult {
        model: model.name().to_owned(),
        table: model.table(),
        outcome,
        reason: decision.why(),
        rows: table.map_or(0, Table::rows),
        days: 0,
        seconds: 0.0,
        version: table.map(|table| table.version),
        error: None,
    }
}

pub(super) type Prepared = Option<(Option<Arc<Table>>, Change, usize)>;

/// A model whose table is rebuilt whole, or only added to.
async fn whole(
    context: &Context<'_>,
    model: &ParsedModel,
    decision: &Decision,
) -> Result<Prepared> {
    let base = context.warehouse.lake.table(&own_name(model)).await?;
    let append = model.config.strategy == Some(Strategy::Append)
        && base.is_some()
        && (matches!(decision.reason, Reason::Inputs(_)) || !model.config.full_refresh);
    let all = ("", model.dependencies.as_slice());
    let rows = model_rows(context, model, all, Bounds::None, append, base.as_deref()).await?;
    let layout = layout(model, &rows)?;
    let mut writer = FileWriter::new(layout.clone(), context.warehouse.lake.store(&layout.table)?);
    let rows = in_order(rows, &layout)?;
    let fail = |error: datafusion::error::DataFusionError| context.model_error(model, error.into());
    let mut stream = rows.execute_stream().await.map_err(fail)?;
    while let Some(batch) = stream.next().await {
        writer.write(&batch.map_err(fail)?).await?;
    }
    let mut change = Change::new(layout);
    change.adds = writer.finish().await?;
    if let Some(base) = &base
        && !append
    {
        change.overwrite = true;
        change.removes = base
            .files
            .iter()
            .map(|file| file.add.path.clone())
            .collect();
        let mut sums = change.adds.iter().map(|file| file.sum);
        let sum = sums.try_fold(0_u64, |all, sum| Some(all.wrapping_add(sum?)));
        change.is_as_before =
            sum.is_some() && sum == base.sum() && base.schema == change.layout.schema;
    }
    change.ledger.fingerprint = decision.fingerprint.clone();
    change.ledger.inputs = decision.inputs.clone();
    Ok(Some((base, change, 0)))
}

/// A silver model with an entity: new source files are staged, then the days that changed (or the
/// whole table) are published.
async fn entity(context: &Context<'_>, model: &ParsedModel, options: &Options) -> Result<Prepared> {
    let work = silver::work(context, model, options.full_refresh).await?;
    if !work.is_empty() {
        silver::stage(context, model, &work).await?;
    }
    let lake = &context.warehouse.lake;
    let staged_name = silver::staged_name(model.name());
    let Some(staged) = context.warehouse.refresh(&staged_name).await? else {
        return Ok(None);
    };
    let base = lake.table(&own_name(model)).await?;
    let Some(entity) = model
        .config
        .entity
        .as_deref()
        .and_then(domain::entity::entity)
    else {
        return Ok(None);
    };
    let relation = format!("staged.\"{}\"", model.name());
    let seen = base
        .as_ref()
        .and_then(|base| base.ledger.inputs.get(&staged_name.to_string()));
    let same = base
        .as_ref()
        .is_some_and(|base| base.ledger.fingerprint == staged.ledger.fingerprint);
    let dirty = match (seen, entity.interval_column(), same) {
        (Some(seen), Some(column), true) => {
            let mut days = staged.days_after(seen.batch);
            silver::add_moved_days(context, entity, column, &relation, &mut days).await?;
            Some(days)
        }
        _ => None,
    };
    let published = silver::publish(context, model, entity, &staged, base.clone(), dirty).await?;
    let (mut change, days) = published;
    change.ledger.fingerprint = staged.ledger.fingerprint.clone();
    change.ledger.inputs = BTreeMap::from([(staged_name.to_string(), staged.mark())]);
    Ok(Some((base, change, days)))
}

/// The order of a table's rows.
pub(super) fn order(layout: &Layout) -> Vec<SortExpr> {
    let columns = layout.sort.iter();
    columns
        .map(|name| col(format!("\"{name}\"")).sort(true, false))
        .collect()
}

/// Rows in the table's order, where it has one.
pub(super) fn in_order(rows: DataFrame, layout: &Layout) -> Result<DataFrame> {
    match layout.sort.is_empty() {
        true => Ok(rows),
        false => Ok(rows.sort(order(layout))?),
    }
}

/// How a model's table is laid out, from the rows that it gives.
pub(super) fn layout(model: &ParsedModel, rows: &DataFrame) -> Result<Layout> {
    let table = own_name(model);
    let schema = kept_schema(&table, rows.schema().as_arrow())?;
    let interval = if decide::is_by_day(model) {
        model.config.event_time.clone()
    } else {
        None
    };
    let missing = interval
        .iter()
        .chain(&model.config.sort)
        .chain(&model.config.bloom)
        .find(|column| schema.column_with_name(column).is_none());
    if let Some(column) = missing {
        return Err(TransformError::Silver {
            model: model.name().to_owned(),
            why: format!("its settings name the column `{column}`, which it does not give"),
            hint: "check `event_time`, `sort` and `bloom` in its config".into(),
        });
    }
    Ok(Layout {
        ordered: interval.is_some(),
        interval,
        sort: model.config.sort.clone(),
        range: model.config.range_by.clone(),
        stats: model.config.stats.clone().unwrap_or_default(),
        bloom: model.config.bloom.clone(),
        sums: model.config.strategy != Some(Strategy::Append),
        ..Layout::new(table, schema)
    })
}
