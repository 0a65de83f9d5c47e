//! A run: what is dirty is built, in order, and nothing else.
//!
//! `plan` compares each table's ledger with its inputs and says what is to be built and why; `run`
//! does exactly that, each model as soon as its inputs are built, and goes on past a model that
//! fails with all that does not depend on it. Nothing is published before its blocking checks have
//! passed.

mod build;
mod by_key;
pub(crate) mod checks;
pub(crate) mod days;
mod decide;
mod keys;
mod parts;
mod queue;
mod rows;
mod seeds;
mod share;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use lake::InputMark;
use serde::Serialize;

use crate::compile::{Manifest, ParsedModel};
use crate::graph::{Graph, Node};
use crate::project::Materialized;
use crate::silver::Cleansing;
use crate::silver::account::Balance;
use crate::{Result, TransformError, Warehouse};

pub use checks::{CheckResult, checks_after, run_checks};
pub use decide::{Decision, Reason};

/// What every part of a run needs to know.
pub struct Context<'a> {
    /// The lake in SQL.
    pub warehouse: &'a Warehouse,
    /// The project's models.
    pub manifest: &'a Manifest,
    /// Name of this run.
    pub run_id: &'a str,
    /// Now, as the caller's clock says.
    pub now: DateTime<Utc>,
    /// Where compiled SQL is written: `target`.
    pub target: PathBuf,
}

impl Context<'_> {
    /// Writes a model's SQL as it runs.
    pub(crate) fn write_compiled(&self, model: &str, sql: &str) -> Result<()> {
        Ok(self.manifest.write_compiled_sql(&self.target, model, sql)?)
    }

    /// Refuses to commit what was read from other versions of its inputs than it will be marked
    /// with: where machines share a lake, a table may have become newer in between.
    pub(crate) fn unmoved(&self, model: &str, inputs: &BTreeMap<String, InputMark>) -> Result<()> {
        let mut inputs = inputs.iter();
        let shown = |name: &str| self.warehouse.version_shown(name);
        match inputs.find(|(name, mark)| shown(name) != Some(mark.version)) {
            None => Ok(()),
            Some((input, _)) => Err(TransformError::Moved {
                model: model.to_owned(),
                input: input.clone(),
            }),
        }
    }

    /// An error of a model's SQL, with where to look.
    pub(crate) fn model_error(&self, model: &ParsedModel, error: TransformError) -> TransformError {
        match error {
            TransformError::Engine(cause) => TransformError::Model {
                model: model.name().to_owned(),
                path: model.model.path.clone(),
                why: cause.strip_backtrace(),
                compiled: format!(
                    "target/compiled/{}/{}.sql",
                    model.layer().schema(),
                    model.name()
                ),
            },
            other => other,
        }
    }
}

/// What a run is asked for.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Build only these; all where empty.
    pub only: Option<Vec<String>>,
    /// Build everything selected from the beginning.
    pub full_refresh: bool,
    /// Build these days whether dirty or not: first and last.
    pub days: Option<(chrono::NaiveDate, chrono::NaiveDate)>,
}

/// What became of one model.
#[derive(Debug, Clone, Serialize)]
pub struct ModelResult {
    /// The model.
    pub model: String,
    /// `star.fct_order`.
    pub table: String,
    /// What became of it.
    pub outcome: Outcome,
    /// Why it was built.
    pub reason: String,
    /// Rows in the table afterwards.
    pub rows: usize,
    /// Days that were replaced, for a table kept by day.
    pub days: usize,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// The table's version in its log.
    pub version: Option<u64>,
    /// What went wrong.
    pub error: Option<String>,
}

/// What became of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Its table was built and published.
    Built,
    /// It was up to date.
    UpToDate,
    /// It is a view.
    View,
    /// It failed; the table is as before.
    Failed,
    /// A blocking check failed; the table is as before.
    Blocked,
    /// Something that it reads failed.
    Skipped,
}

/// What a run came to.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// Tables built.
    pub built: usize,
    /// All models, in the order in which they were looked at.
    pub models: Vec<ModelResult>,
    /// What the checks found.
    pub checks: Vec<CheckResult>,
    /// For every stream: where its rows are.
    pub balances: Vec<Balance>,
    /// What cleansing did, by model, column and rule, in all files that count.
    pub cleansed: Vec<Cleansing>,
    /// The version of every table after the run: what `--as-of` reads.
    pub versions: BTreeMap<String, u64>,
}

impl Report {
    /// A model failed.
    pub fn has_failed(&self) -> bool {
        self.models
            .iter()
            .any(|m| matches!(m.outcome, Outcome::Failed | Outcome::Skipped))
    }

    /// A check of severity `error` failed, or a balance does not hold.
    pub fn has_failed_checks(&self) -> bool {
        self.models.iter().any(|m| m.outcome == Outcome::Blocked)
            || self.checks.iter().any(CheckResult::is_failure)
            || self.balances.iter().any(|balance| !balance.holds())
    }
}

/// Told what a run is doing.
pub trait Observer: Sync {
    /// A model is being looked at: number `index` of `total`.
    fn starts(&self, model: &str, index: usize, total: usize);
    /// A model is done.
    fn ends(&self, result: &ModelResult);
}

/// The models of a run in the order in which they are built.
fn ordered(context: &Context<'_>, options: &Options) -> Result<Vec<String>> {
    let graph = Graph::new(context.manifest)?;
    let all = graph.models().map(str::to_owned);
    Ok(match &options.only {
        None => all.collect(),
        Some(only) => all.filter(|name| only.contains(name)).collect(),
    })
}

/// The models of a run, and the unselected views that lie between them: those are registered anew,
/// so that they show what the run has built.
fn with_views_between(context: &Context<'_>, chosen: &[String]) -> Result<Vec<String>> {
    let graph = Graph::new(context.manifest)?;
    let chosen: BTreeSet<&str> = chosen.iter().map(String::as_str).collect();
    let is_view = |name: &str| {
        let model = context.manifest.models.get(name);
        model.is_some_and(|model| model.config.materialized == Materialized::View)
    };
    let node = |name: &str| Node::Model(name.to_owned());
    let mut shows_new = BTreeSet::new();
    for name in graph.models() {
        let (own, mut parents) = (node(name), graph.ancestors(&node(name)).into_iter());
        let reads_new = parents.any(|parent| parent.as_model().is_some_and(|p| chosen.contains(p)));
        let is_read = graph.descendants(&own).iter().any(|child| {
            let name = child.as_model();
            name.is_some_and(|child| chosen.contains(child))
        });
        if is_view(name) && reads_new && is_read {
            shows_new.insert(name);
        }
    }
    let all = graph.models();
    Ok(all
        .filter(|name| chosen.contains(name) || shows_new.contains(name))
        .map(str::to_owned)
        .collect())
}

/// Says what a run would build, and why, without building. What depends on a table that would
/// change is said to depend on it; how far the change reaches is known when it is built. `loading`
/// names raw tables that are about to get new files.
///
/// # Errors
/// A table cannot be read.
pub async fn plan(
    context: &Context<'_>,
    options: &Options,
    loading: &[String],
) -> Result<Vec<Decision>> {
    register_views(context).await?;
    let mut decisions: Vec<Decision> = Vec::new();
    let mut changing = seeds::changing(context).await?;
    changing.extend(loading.iter().cloned());
    for name in ordered(context, options)? {
        let Some(model) = context.manifest.models.get(&name) else {
            continue;
        };
        let decision = decide::decide(context, model, options, &changing).await?;
        if decision.builds() {
            changing.insert(model.table());
            if model.config.entity.is_some() {
                changing.insert(format!("staged.{name}"));
            }
        }
        decisions.push(decision);
    }
    Ok(decisions)
}

/// Registers the views of the project over the tables as they are.
///
/// # Errors
/// The models cannot be ordered.
pub async fn register_views(context: &Context<'_>) -> Result<()> {
    let graph = Graph::new(context.manifest)?;
    let order: Vec<String> = graph.models().map(str::to_owned).collect();
    context
        .warehouse
        .register_views(context.manifest, &order)
        .await?;
    Ok(())
}

/// Builds what is dirty.
///
/// # Errors
/// The project cannot be ordered, the lake cannot be read, or there is no room to write. What else
/// goes wrong in one model stands in its result.
pub async fn run(
    context: &Context<'_>,
    options: &Options,
    observer: &dyn Observer,
) -> Result<Report> {
    seeds::load(context).await?;
    register_views(context).await?;
    let chosen = ordered(context, options)?;
    let order = with_views_between(context, &chosen)?;
    let queue = queue::Queue::new(context, &order, options, observer);
    let mut models = queue.build_all().await?;
    models.retain(|model| chosen.contains(&model.model) || model.outcome == Outcome::Failed);
    if options.only.is_some() {
        // Views that nobody in this run reads; checks may.
        register_views(context).await?;
    }
    let mut report = Report {
        models,
        ..Report::default()
    };
    let built = |model: &&ModelResult| model.outcome == Outcome::Built;
    report.built = report.models.iter().filter(built).count();
    report.balances = crate::silver::account::balances(context).await?;
    report.cleansed = crate::silver::cleansings(context).await?;
    for name in context.warehouse.lake.names().await? {
        if let Some(table) = context.warehouse.lake.table(&name).await? {
            report.versions.insert(name.to_string(), table.version);
        }
    }
    Ok(report)
}

fn failure(model: &ParsedModel, outcome: Outcome, error: String) -> ModelResult {
    ModelResult {
        model: model.name().to_owned(),
        table: model.table(),
        outcome,
        reason: String::new(),
        rows: 0,
        days: 0,
        seconds: 0.0,
        version: None,
        error: Some(error),
    }
}
