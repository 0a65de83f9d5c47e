//! `check`: all checks on the tables as they are; the exit status says how they ended.

use serde_json::json;

use super::Exit;
use crate::cli::CheckArgs;
use crate::project::{Opened, Place, now};
use crate::say::Voice;

/// The command.
pub(crate) async fn check(place: Place, args: &CheckArgs, voice: Voice) -> anyhow::Result<Exit> {
    let opened = Opened::open(place, &std::collections::BTreeMap::new()).await?;
    let only = super::selected(&opened, &args.select, &[])?;
    let context = opened.context("check", now());
    transform::run::register_views(&context).await?;
    let results = transform::run::run_checks(&context, |check| match &only {
        None => true,
        Some(names) => check
            .model
            .as_ref()
            .is_some_and(|model| names.contains(model)),
    })
    .await?;
    let balances = transform::silver::account::balances(&context).await?;
    let mut failed = 0;
    for result in &results {
        let passed = result.failures == 0 && result.error.is_none();
        if passed {
            continue;
        }
        failed += usize::from(result.is_failure());
        let severity = if result.is_failure() {
            "failed "
        } else {
            "warning"
        };
        let what = match &result.error {
            Some(error) => format!("could not be run: {error}"),
            None => format!("{} rows", result.failures),
        };
        voice.line(&format!("{severity}  {}: {what}", result.check));
    }
    for balance in balances.iter().filter(|balance| !balance.holds()) {
        failed += 1;
        voice.line(&format!(
            "failed   {}.{} does not balance in {}: raw {}, silver {}, quarantine {}, duplicates {}, superseded {}",
            balance.source, balance.stream, balance.model, balance.raw, balance.silver,
            balance.quarantine, balance.duplicates, balance.superseded
        ));
    }
    voice.result(&json!({"checks": results, "balances": balances, "failed": failed}));
    voice.line(&format!(
        "{} checks and {} balances, {failed} failed",
        results.len(),
        balances.len()
    ));
    Ok(if failed > 0 {
        Exit::FailedChecks
    } else {
        Exit::Done
    })
}
