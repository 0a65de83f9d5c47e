//! The rows that a model's SQL gives, over inputs that are bounded to what is to be built.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::dataframe::DataFrame;
use lake::{LakeError, LakeTable, Table, TableName};

use super::days::Chunk;
use super::{Context, by_key, decide, share};
use crate::Result;
use crate::compile::{Dependency, ParsedModel, Relations, Target};
use crate::project::{KeyRule, Layer};
use crate::silver;
use crate::warehouse::lent;

/// What of its inputs a model is to see.
#[derive(Debug, Clone, Copy)]
pub(super) enum Bounds<'a> {
    /// Days of inputs that are kept by day.
    Days(Chunk),
    /// The dirty keys, in inputs that have this column.
    Keys(&'a str),
    /// All.
    None,
}

/// The rows of a model over its inputs, each bounded to what is to be built.
pub(super) async fn model_rows(
    context: &Context<'_>,
    model: &ParsedModel,
    (part, reads): (&str, &[Dependency]),
    bounds: Bounds<'_>,
    is_incremental: bool,
    base: Option<&Table>,
) -> Result<DataFrame> {
    if model.layer() == Layer::Silver {
        silver::register_all_sources(context, model).await?;
    }
    let mut relations = BTreeMap::new();
    for dependency in reads {
        let relation = bounded(context, model, dependency, bounds, base).await?;
        relations.insert(dependency.clone(), relation);
    }
    let relations = Registered {
        context,
        model,
        part,
        relations,
        is_incremental,
    };
    let sql = context.manifest.compile(model.name(), &relations)?;
    context.write_compiled(model.name(), &sql)?;
    share::plan(context, model, &sql)
        .await
        .map_err(|error| context.model_error(model, error))
}

struct Registered<'a> {
    context: &'a Context<'a>,
    model: &'a ParsedModel,
    part: &'a str,
    relations: BTreeMap<Dependency, String>,
    is_incremental: bool,
}

impl Relations for Registered<'_> {
    fn relation(&self, dependency: &Dependency) -> String {
        match self.relations.get(dependency) {
            Some(relation) => relation.clone(),
            None => self.context.manifest.relation_of(dependency),
        }
    }

    fn this(&self) -> String {
        self.context
            .manifest
            .table_of(&Target::Model(self.model.name().to_owned()))
    }

    fn is_incremental(&self) -> bool {
        self.is_incremental
    }

    fn part(&self) -> Option<&str> {
        Some(self.part).filter(|part| !part.is_empty())
    }
}

/// What stands in the SQL for one dependency.
async fn bounded(
    context: &Context<'_>,
    model: &ParsedModel,
    dependency: &Dependency,
    bounds: Bounds<'_>,
    base: Option<&Table>,
) -> Result<String> {
    let warehouse = context.warehouse;
    let whole = context.manifest.relation_of(dependency);
    match &dependency.target {
        Target::Source { source, stream } => Ok(lent(model.name(), &format!("{source}__{stream}"))),
        Target::Previous(name) => previous(context, model, name, base).await,
        Target::Seed(_) => Ok(whole),
        Target::Model(_) | Target::Entity(_) => {
            let rows = match bounds {
                _ if !dependency.is_bounded => None,
                Bounds::None => None,
                Bounds::Days(chunk) => in_days(context, model, dependency, chunk),
                Bounds::Keys(key) => of_keys(context, model, dependency, key).await?,
            };
            let Some(sql) = rows else {
                return Ok(whole);
            };
            let part = dependency.part.iter().map(|part| format!(".{part}"));
            let name = format!("{}{}", dependency.target.name(), part.collect::<String>());
            let view = warehouse.sql(&sql).await?;
            warehouse.lend(model.name(), &name, view.into_view())
        }
    }
}

/// SQL for the days of a relation that a chunk needs; none where that is all of it.
fn in_days(
    context: &Context<'_>,
    model: &ParsedModel,
    dependency: &Dependency,
    chunk: Chunk,
) -> Option<String> {
    let column = interval_of(context, &dependency.target).filter(|_| decide::is_by_day(model))?;
    let before = model.config.lookback_into(dependency.target.name());
    let range = chunk.condition(&column, before, model.config.lookahead);
    let whole = context.manifest.relation_of(dependency);
    (!range.is_empty()).then(|| format!("select * from {whole} where {range}"))
}

/// SQL for the rows of the dirty keys; none where the relation does not have the key.
async fn of_keys(
    context: &Context<'_>,
    model: &ParsedModel,
    dependency: &Dependency,
    key: &str,
) -> Result<Option<String>> {
    let whole = context.manifest.relation_of(dependency);
    let relation = context.warehouse.session.table(whole.as_str()).await?;
    let has_key = relation.schema().has_column_with_unqualified_name(key);
    let column = match model.config.keys_of.get(dependency.target.name()) {
        _ if has_key => key,
        Some(KeyRule::Column(column)) => column.as_str(),
        _ => return Ok(None),
    };
    let keys = lent(model.name(), by_key::KEYS);
    Ok(Some(format!(
        "select r.* from {whole} r left semi join {keys} k on r.\"{column}\" = k.key"
    )))
}

/// The column by which a relation is kept by day.
fn interval_of(context: &Context<'_>, target: &Target) -> Option<String> {
    match target {
        Target::Entity(name) => domain::entity::entity(name)?
            .interval_column()
            .map(str::to_owned),
        Target::Model(name) => {
            let parsed = context.manifest.models.get(name)?;
            if let Some(entity) = &parsed.config.entity {
                return domain::entity::entity(entity)?
                    .interval_column()
                    .map(str::to_owned);
            }
            let is_view = parsed.config.materialized == crate::project::Materialized::View;
            if decide::is_by_day(parsed) || is_view {
                return parsed.config.event_time.clone();
            }
            None
        }
        _ => None,
    }
}

/// The rows of a model as they were when this one was last built; none on the first build.
async fn previous(
    context: &Context<'_>,
    model: &ParsedModel,
    name: &str,
    base: Option<&Table>,
) -> Result<String> {
    let target = Target::Model(name.to_owned());
    let whole = context.manifest.table_of(&target);
    let Some(parsed) = context.manifest.models.get(name) else {
        return Ok(whole);
    };
    let table = TableName::new(parsed.layer().schema(), name);
    let seen = base.and_then(|base| base.ledger.inputs.get(&table.to_string()));
    let registered = format!("__previous_{name}");
    let nothing = format!("(select * from {whole} where false)");
    let Some(mark) = seen else {
        return Ok(nothing);
    };
    match context.warehouse.lake.table_at(&table, mark.version).await {
        Ok(Some(old)) => {
            let old = Arc::new(LakeTable::new(&old));
            context.warehouse.lend(model.name(), &registered, old)
        }
        Ok(None) => Ok(nothing),
        Err(LakeError::Expired { .. }) => {
            log::warn!(
                "{}: {table} as it was at version {} is removed; it is taken as empty",
                model.name(),
                mark.version
            );
            Ok(nothing)
        }
        Err(error) => Err(error.into()),
    }
}
