//! Checks: tests of the models' `.yml` files and singular tests.
//!
//! Those of a model that block are run before it is published, on what it would be: on the whole
//! table where it is rebuilt whole, on the new files where only days are replaced. All others, and
//! the singular ones, are run afterwards, on request.

use std::sync::Arc;
use std::time::Instant;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use lake::Change;
use serde::Serialize;

use super::Context;
use crate::Result;
use crate::compile::{Check, CheckKind, Dependency, ParsedModel, Relations, Target};
use crate::project::Severity;
use crate::warehouse::lent;

/// What a check found.
#[derive(Debug, Clone, Serialize)]
pub struct CheckResult {
    /// Its name.
    pub check: String,
    /// The model it is about.
    pub model: Option<String>,
    /// What failing does.
    pub severity: Severity,
    /// Rows that offend.
    pub failures: i64,
    /// Why it could not be run.
    pub error: Option<String>,
}

impl CheckResult {
    /// It failed, and its severity is `error`.
    pub fn is_failure(&self) -> bool {
        self.severity == Severity::Error && (self.failures > 0 || self.error.is_some())
    }
}

/// A model's blocking checks on what it would be. Gives what failed, if anything did.
pub(super) async fn before_publishing(
    context: &Context<'_>,
    model: &ParsedModel,
    change: &Change,
) -> Result<Option<String>> {
    let blocking: Vec<&Check> = context
        .manifest
        .checks
        .iter()
        .filter(|check| check.model.as_deref() == Some(model.name()))
        .filter(|check| check.severity == Severity::Error)
        .filter(|check| is_of_one_table(check))
        .collect();
    if blocking.is_empty() {
        return Ok(None);
    }
    let table = context
        .warehouse
        .lake
        .uncommitted(&change.layout, None, &change.adds)?;
    context
        .warehouse
        .lend(model.name(), UNPUBLISHED, Arc::new(table))?;
    let relations = Unpublished {
        context,
        model: model.name(),
    };
    let mut failed = Vec::new();
    for check in blocking {
        let result = run_check(context, check, &relations).await?;
        if result.is_failure() {
            failed.push(match result.error {
                Some(error) => format!("`{}` could not be run: {error}", check.name),
                None => format!("`{}` found {} rows", check.name, result.failures),
            });
        }
    }
    Ok((!failed.is_empty()).then(|| failed.join("; ")))
}

/// The check looks at one table alone. Others may look at tables that are not built yet, and are
/// run when all are.
fn is_of_one_table(check: &Check) -> bool {
    !matches!(
        check.kind,
        CheckKind::Singular { .. } | CheckKind::Relationships { .. }
    )
}

/// Name of a model's rows as they would be.
const UNPUBLISHED: &str = "__unpublished";

struct Unpublished<'a> {
    context: &'a Context<'a>,
    model: &'a str,
}

impl Relations for Unpublished<'_> {
    fn relation(&self, dependency: &Dependency) -> String {
        match &dependency.target {
            Target::Model(name) if name == self.model => lent(self.model, UNPUBLISHED),
            _ => self.context.manifest.relation_of(dependency),
        }
    }

    fn this(&self) -> String {
        lent(self.model, UNPUBLISHED)
    }

    fn is_incremental(&self) -> bool {
        false
    }
}

/// Runs checks on the published tables: those for which `wanted` holds.
///
/// # Errors
/// The lake cannot be read. A check that cannot be run says so in its result.
pub async fn run_checks(
    context: &Context<'_>,
    wanted: impl Fn(&Check) -> bool,
) -> Result<Vec<CheckResult>> {
    let mut results = Vec::new();
    for check in context.manifest.checks.iter().filter(|check| wanted(check)) {
        let relations = crate::warehouse::Whole {
            manifest: context.manifest,
            model: "",
        };
        results.push(run_check(context, check, &relations).await?);
    }
    Ok(results)
}

/// Runs the checks that a run owes: of the models `built` and of what reads them, except those that
/// ran before publishing, and those that read a table which no run has built yet.
///
/// # Errors
/// The lake cannot be read. A check that cannot be run says so in its result.
pub async fn checks_after(context: &Context<'_>, built: &[&str]) -> Result<Vec<CheckResult>> {
    let gives = |model: &str, entity: &str| {
        let parsed = context.manifest.models.get(model);
        parsed.is_some_and(|parsed| parsed.config.entity.as_deref() == Some(entity))
    };
    let is_new = |dependency: &Dependency| match &dependency.target {
        Target::Entity(entity) => built.iter().any(|model| gives(model, entity)),
        other => built.contains(&other.name()),
    };
    let is_there = |dependency: &Dependency| {
        let table = context.manifest.relation_of(dependency);
        context.warehouse.session.table_exist(table).unwrap_or(true)
    };
    run_checks(context, |check| {
        let ran_before = check.severity == Severity::Error && is_of_one_table(check);
        let model = check.model.as_deref();
        let is_owed = model.is_some_and(|model| built.contains(&model))
            || check.dependencies.iter().any(is_new);
        !ran_before && is_owed && check.dependencies.iter().all(is_there)
    })
    .await
}

async fn run_check(
    context: &Context<'_>,
    check: &Check,
    relations: &dyn Relations,
) -> Result<CheckResult> {
    let mut result = CheckResult {
        check: check.name.clone(),
        model: check.model.clone(),
        severity: check.severity,
        failures: 0,
        error: None,
    };
    let sql = context.manifest.check_sql(check, relations)?;
    let counted = format!("select count(*) from (\n{sql}\n) as offending");
    let begun = Instant::now();
    match count(context, &counted).await {
        Ok(failures) => result.failures = failures,
        Err(error) => result.error = Some(error.to_string()),
    }
    log::debug!(
        "check {}: {:.2} s",
        check.name,
        begun.elapsed().as_secs_f64()
    );
    Ok(result)
}

async fn count(context: &Context<'_>, sql: &str) -> Result<i64> {
    let rows = context.warehouse.sql(sql).await?.collect().await?;
    let first = rows.iter().find(|batch| batch.num_rows() > 0);
    Ok(first.map_or(0, |batch| {
        batch.column(0).as_primitive::<Int64Type>().value(0)
    }))
}
