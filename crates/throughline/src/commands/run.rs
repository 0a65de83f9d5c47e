//! `run`: load new files, build what is dirty, check, balance the books.

use serde_json::json;
use transform::run::{Outcome, Report};
use transform::silver::Cleansing;
use transform::silver::account::Balance;

use super::Exit;
use crate::cli::RunArgs;
use crate::load::{self, StreamReport};
use crate::project::{Opened, Place, now};
use crate::say::{Progress, Voice};

/// What a run came to.
pub(crate) struct Ran {
    pub(crate) run_id: String,
    pub(crate) loads: Vec<StreamReport>,
    pub(crate) report: Report,
    pub(crate) exit: Exit,
    pub(crate) seconds: f64,
}

/// The command.
pub(crate) async fn run(place: Place, args: &RunArgs, voice: Voice) -> anyhow::Result<Exit> {
    let lock = place.lock()?;
    let vars = super::variables(args)?;
    let opened = Opened::open(place, &vars).await?;
    let ran = run_opened(&opened, args, voice).await?;
    drop(lock);
    say(&ran, voice);
    Ok(ran.exit)
}

/// Runs an open project.
pub(crate) async fn run_opened(
    opened: &Opened,
    args: &RunArgs,
    voice: Voice,
) -> anyhow::Result<Ran> {
    let clock = std::time::Instant::now();
    opened.lake.prove_conditional_put().await?;
    let started = now();
    let run_id = started.format(crate::recover::RUN_ID).to_string();
    lake::crash::point("run_log.before_start");
    opened.log.start(&run_id, started).await?;
    lake::crash::point("run_log.started");
    let done = execute(opened, args, voice, &run_id).await;
    let (status, text) = match &done {
        Ok((loads, report)) => {
            let status = match exit_of(loads, report) {
                Exit::Done => orchestrate::Status::Done,
                Exit::FailedChecks => orchestrate::Status::FailedChecks,
                Exit::Failed => orchestrate::Status::Failed,
            };
            (
                status,
                json!({"loads": loads, "report": report}).to_string(),
            )
        }
        Err(error) => (
            orchestrate::Status::Failed,
            json!({"error": error.to_string()}).to_string(),
        ),
    };
    lake::crash::point("run_log.before_finish");
    opened.log.finish(&run_id, now(), status, &text).await?;
    lake::crash::point("run_log.finished");
    let (loads, report) = done?;
    let exit = exit_of(&loads, &report);
    Ok(Ran {
        run_id,
        loads,
        report,
        exit,
        seconds: clock.elapsed().as_secs_f64(),
    })
}

async fn execute(
    opened: &Opened,
    args: &RunArgs,
    voice: Voice,
    run_id: &str,
) -> anyhow::Result<(Vec<StreamReport>, Report)> {
    let progress = Progress::new(voice);
    let now = now();
    let streams = opened.manifest.project.streams();
    let loads = load::load(
        &opened.place,
        &opened.lake,
        &streams,
        run_id,
        now,
        &progress,
    )
    .await?;
    for stream in &streams {
        opened.warehouse.refresh(&load::raw_name(stream)).await?;
    }
    let options = super::options(opened, args)?;
    let context = opened.context(run_id, now);
    let mut report = transform::run::run(&context, &options, &progress).await?;
    if report.built > 0 {
        progress.say("checking", "");
        let built: Vec<&str> = report
            .models
            .iter()
            .filter(|model| model.outcome == Outcome::Built)
            .map(|model| model.model.as_str())
            .collect();
        report.checks = transform::run::checks_after(&context, &built).await?;
    }
    if report.built > 0 || loads.iter().any(|load| load.files_loaded > 0) {
        // All is published: what goes wrong with tidying up is no failure of the run.
        match Box::pin(super::maintain::after_run(opened)).await {
            Ok(versions) => report.versions.extend(versions),
            Err(error) => voice.warn(&format!("warning: small files were not merged: {error}")),
        }
    }
    progress.end();
    Ok((loads, report))
}

fn exit_of(loads: &[StreamReport], report: &Report) -> Exit {
    let unread = loads.iter().any(|load| !load.errors.is_empty());
    if report.has_failed() || unread {
        Exit::Failed
    } else if report.has_failed_checks() {
        Exit::FailedChecks
    } else {
        Exit::Done
    }
}

/// Says what a run came to.
pub(crate) fn say(ran: &Ran, voice: Voice) {
    voice.result(&json!({
        "run_id": ran.run_id,
        "built": ran.report.built,
        "loaded_files": ran.loads.iter().map(|load| load.files_loaded).sum::<usize>(),
        "loaded_rows": ran.loads.iter().map(|load| load.rows_loaded).sum::<i64>(),
        "seconds": ran.seconds,
        "loads": ran.loads,
        "models": ran.report.models,
        "checks": ran.report.checks,
        "balances": ran.report.balances,
        "cleansed": ran.report.cleansed,
        "versions": ran.report.versions,
    }));
    for load in &ran.loads {
        for warning in together(&load.warnings) {
            voice.note(&format!(
                "warning: {}.{}: {warning}",
                load.source, load.stream
            ));
        }
        for error in &load.errors {
            voice.warn(&format!("error: {}.{}: {error}", load.source, load.stream));
        }
    }
    if !voice.quiet {
        balances(&ran.report.balances, voice);
        cleansed(&ran.report.cleansed, voice);
    }
    for check in ran
        .report
        .checks
        .iter()
        .filter(|c| c.failures > 0 || c.error.is_some())
    {
        let what = match &check.error {
            Some(error) => format!("could not be run: {error}"),
            None => format!("{} rows", check.failures),
        };
        let severity = if check.is_failure() {
            "failed"
        } else {
            "warning"
        };
        voice.warn(&format!("{severity}: check `{}`: {what}", check.check));
    }
    let failed = ran
        .report
        .models
        .iter()
        .filter(|m| m.error.is_some())
        .count();
    let checks = ran.report.checks.len();
    voice.note(&format!(
        "run {}: {} tables built, {} failed, {} checks after publishing, {:.1} s",
        ran.run_id, ran.report.built, failed, checks, ran.seconds
    ));
}

/// Warnings that say the same of many files, said once.
fn together(warnings: &[String]) -> Vec<String> {
    let mut same: indexmap::IndexMap<&str, Vec<&str>> = indexmap::IndexMap::new();
    for warning in warnings {
        let (file, what) = warning.split_once(": ").unwrap_or(("", warning));
        same.entry(what).or_default().push(file);
    }
    same.into_iter()
        .map(|(what, files)| match files.as_slice() {
            [""] => what.to_owned(),
            [file] => format!("{file}: {what}"),
            [first, ..] => format!("{} files, the first {first}: {what}", files.len()),
            [] => what.to_owned(),
        })
        .collect()
}

/// The books: for every stream, where its rows are.
fn balances(balances: &[Balance], voice: Voice) {
    if balances.is_empty() {
        return;
    }
    voice.note(&format!(
        "{:<34} {:<44} {:>10} {:>10} {:>10} {:>10} {:>10}",
        "stream", "model", "raw", "silver", "quarantine", "duplicate", "superseded"
    ));
    for balance in balances {
        let verdict = if balance.holds() {
            ""
        } else {
            "  DOES NOT BALANCE"
        };
        voice.note(&format!(
            "{:<34} {:<44} {:>10} {:>10} {:>10} {:>10} {:>10}{verdict}",
            format!("{}.{}", balance.source, balance.stream),
            balance.model,
            balance.raw,
            balance.silver,
            balance.quarantine,
            balance.duplicates,
            balance.superseded
        ));
    }
}

/// What cleansing did: for every column and rule, how many values.
fn cleansed(cleansed: &[Cleansing], voice: Voice) {
    if cleansed.is_empty() {
        return;
    }
    voice.note(&format!(
        "{:<44} {:<24} {:<16} {:>10} {:>10} {:>10}",
        "cleansed model", "column", "rule", "changed", "emptied", "flagged"
    ));
    for rule in cleansed {
        voice.note(&format!(
            "{:<44} {:<24} {:<16} {:>10} {:>10} {:>10}",
            rule.model, rule.column, rule.rule, rule.changed, rule.emptied, rule.flagged
        ));
    }
}
