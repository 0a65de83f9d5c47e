//! `sources`: what the project's sources lead to, and what is wrong with them.

use serde_json::json;
use transform::silver;

use super::Exit;
use crate::cli::SourcesCommand;
use crate::load;
use crate::project::{Opened, Place};
use crate::say::Voice;

/// The command.
pub(crate) async fn sources(
    place: Place,
    command: &SourcesCommand,
    voice: Voice,
) -> anyhow::Result<Exit> {
    let opened = Opened::open(place, &std::collections::BTreeMap::new()).await?;
    match command {
        SourcesCommand::List => list(&opened, voice).await,
        SourcesCommand::Test { source } => test(&opened, source.as_deref(), voice).await,
    }
}

async fn list(opened: &Opened, voice: Voice) -> anyhow::Result<Exit> {
    let mut hashes = load::Hashes::open(&opened.place.state().join("hashes.json"));
    let mut all = Vec::new();
    voice.line(&format!(
        "{:<40} {:<14} {:>6} {:>6} {:>12}",
        "stream", "kind", "files", "new", "rows loaded"
    ));
    for stream in opened.manifest.project.streams() {
        let (report, pending) =
            load::pending(&opened.place, &opened.lake, &stream, &mut hashes).await?;
        let raw = opened.lake.table(&load::raw_name(&stream)).await?;
        let rows: i64 = raw
            .as_deref()
            .map(silver::current_files)
            .unwrap_or_default()
            .values()
            .map(|origin| origin.rows)
            .sum();
        voice.line(&format!(
            "{:<40} {:<14} {:>6} {:>6} {:>12}",
            format!("{}.{}", stream.source, stream.name),
            stream.kind.as_deref().unwrap_or("own"),
            report.files_found,
            pending.len(),
            rows
        ));
        for warning in report.warnings.iter().chain(&report.errors) {
            voice.line(&format!("  {warning}"));
        }
        all.push(json!({
            "source": stream.source,
            "stream": stream.name,
            "kind": stream.kind,
            "paths": stream.paths,
            "files": report.files_found,
            "new_files": pending.len(),
            "rows": rows,
            "warnings": report.warnings,
            "errors": report.errors,
        }));
    }
    for left_out in &opened.manifest.left_out {
        voice.note(&format!(
            "note: model {} is not built: no stream {}",
            left_out.model,
            left_out.missing_streams.join(", ")
        ));
    }
    voice.result(&json!({"streams": all}));
    Ok(Exit::Done)
}

async fn test(opened: &Opened, only: Option<&str>, voice: Voice) -> anyhow::Result<Exit> {
    let mut hashes = load::Hashes::open(&opened.place.state().join("hashes.json"));
    let (mut read, mut failed, mut results) = (0, 0, Vec::new());
    for stream in opened.manifest.project.streams() {
        if only.is_some_and(|only| only != stream.source) {
            continue;
        }
        let (report, pending) =
            load::pending(&opened.place, &opened.lake, &stream, &mut hashes).await?;
        let warnings = report.warnings.iter().map(|text| ("warning", text));
        let errors = report.errors.iter().map(|text| ("error", text));
        for (what, text) in warnings.chain(errors) {
            let name = format!("{}.{}", stream.source, stream.name);
            voice.line(&format!("{what:<8} {name}: {text}"));
        }
        failed += report.errors.len();
        for pending in pending {
            let mut rows = 0usize;
            let mut count = |batch: arrow_array::RecordBatch| {
                rows += batch.num_rows();
                Ok(())
            };
            let outcome = ::sources::read(&stream, &pending.file, &pending.identity, &mut count);
            read += 1;
            match outcome {
                Ok(stats) => {
                    voice.line(&format!("ok       {}: {rows} rows", pending.file.relative));
                    for warning in stats.warnings() {
                        voice.line(&format!("         {warning}"));
                    }
                    results.push(json!({"file": pending.file.relative, "rows": rows}));
                }
                Err(error) => {
                    failed += 1;
                    let hint = error
                        .hint()
                        .map(|h| format!("\n  hint: {h}"))
                        .unwrap_or_default();
                    voice.line(&format!("error    {error}{hint}"));
                    results
                        .push(json!({"file": pending.file.relative, "error": error.to_string()}));
                }
            }
        }
    }
    voice.line(&format!("{read} new files read, {failed} failed"));
    voice.result(&json!({"files": results, "failed": failed}));
    Ok(if failed > 0 { Exit::Failed } else { Exit::Done })
}
