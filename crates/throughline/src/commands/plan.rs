//! `plan`: what `run` would load and build, and why.

use serde_json::json;

use super::Exit;
use crate::cli::RunArgs;
use crate::load;
use crate::project::{Opened, Place, now};
use crate::say::Voice;

/// The command.
pub(crate) async fn plan(place: Place, args: &RunArgs, voice: Voice) -> anyhow::Result<Exit> {
    let vars = super::variables(args)?;
    let opened = Opened::open(place, &vars).await?;
    let mut hashes = load::Hashes::open(&opened.place.state().join("hashes.json"));
    let mut files = Vec::new();
    let mut changing = Vec::new();
    for stream in opened.manifest.project.streams() {
        let (report, pending) =
            load::pending(&opened.place, &opened.lake, &stream, &mut hashes).await?;
        say_problems(&report, voice);
        if !pending.is_empty() {
            changing.push(load::raw_name(&stream).to_string());
        }
        files.extend(pending.into_iter().map(|pending| {
            json!({
                "source": stream.source,
                "stream": stream.name,
                "file": pending.file.relative,
                "bytes": pending.file.size_bytes,
                "replaces": pending.version > 1,
            })
        }));
    }
    let options = super::options(&opened, args)?;
    let context = opened.context("plan", now());
    let decisions = transform::run::plan(&context, &options, &changing).await?;
    let builds: Vec<_> = decisions
        .iter()
        .filter(|decision| decision.builds())
        .collect();
    voice.result(&json!({
        "load": files,
        "build": builds.iter().map(|decision| json!({
            "model": decision.model,
            "table": decision.table,
            "why": decision.why(),
            "sure": !decision.is_conditional,
            "days": decision.days,
        })).collect::<Vec<_>>(),
        "up_to_date": decisions.iter().filter(|d| !d.builds()).map(|d| &d.model).collect::<Vec<_>>(),
    }));
    for file in &files {
        let replaces = if file["replaces"] == true {
            "  (a new version)"
        } else {
            ""
        };
        voice.line(&format!(
            "load   {}{replaces}",
            file["file"].as_str().unwrap_or("")
        ));
    }
    for decision in &builds {
        voice.line(&format!("build  {:<44} {}", decision.table, decision.why()));
    }
    if files.is_empty() && builds.is_empty() {
        voice.line("nothing to do: everything is up to date");
    } else {
        let maybe = builds.iter().filter(|d| d.is_conditional).count();
        voice.line(&format!(
            "{} files to load, {} tables to build, {maybe} more if what they read changes",
            files.len(),
            builds.len() - maybe
        ));
    }
    Ok(Exit::Done)
}

/// What is wrong with the files of a stream.
fn say_problems(report: &load::StreamReport, voice: Voice) {
    let name = format!("{}.{}", report.source, report.stream);
    for warning in &report.warnings {
        voice.note(&format!("warning: {name}: {warning}"));
    }
    for error in &report.errors {
        voice.warn(&format!("error: {name}: {error}"));
    }
}
