//! `sources`: what the project's sources lead to, and what is wrong with them.

mod shape;

use domain::config::Stream;
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
    let mut tested = Tested::default();
    for stream in opened.manifest.project.streams() {
        if only.is_some_and(|only| only != stream.source) {
            continue;
        }
        let (report, pending) =
            load::pending(&opened.place, &opened.lake, &stream, &mut hashes).await?;
        let name = format!("{}.{}", stream.source, stream.name);
        let warnings = report.warnings.iter().map(|text| ("warning", text));
        let errors = report.errors.iter().map(|text| ("error", text));
        for (what, text) in warnings.chain(errors) {
            voice.line(&format!("{what:<8} {name}: {text}"));
        }
        tested.failed += report.errors.len();
        let mut columns: Vec<String> = Vec::new();
        for pending in pending {
            let read = tested.file(&stream, &pending, voice);
            let fresh = read.into_iter().filter(|column| !columns.contains(column));
            columns.extend(fresh.collect::<Vec<_>>());
        }
        // What was loaded before is there to be named in models too.
        if columns.is_empty()
            && let Some(raw) = opened.lake.table(&load::raw_name(&stream)).await?
        {
            let fields = raw.schema.fields();
            columns = shape::provided(fields.iter().map(|field| field.name().as_str()));
        }
        if !columns.is_empty() {
            let table = load::raw_name(&stream);
            voice.line(&format!("columns  {table}: {}", shape::listed(&columns)));
        }
        tested
            .streams
            .push(json!({"stream": name, "columns": columns}));
    }
    voice.line(&format!(
        "{} new files read, {} failed",
        tested.read, tested.failed
    ));
    voice.result(&json!({
        "files": tested.files,
        "streams": tested.streams,
        "failed": tested.failed,
    }));
    Ok(match tested.failed {
        0 => Exit::Done,
        _ => Exit::Failed,
    })
}

/// What a test came to.
#[derive(Default)]
struct Tested {
    read: usize,
    failed: usize,
    files: Vec<serde_json::Value>,
    streams: Vec<serde_json::Value>,
}

impl Tested {
    /// Reads a file and says how it was read; the columns that its raw rows have.
    fn file(&mut self, stream: &Stream, pending: &load::Pending, voice: Voice) -> Vec<String> {
        let mut seen = shape::Seen::default();
        let file = &pending.file.relative;
        let outcome = ::sources::read(stream, &pending.file, &pending.identity, &mut seen);
        self.read += 1;
        match outcome {
            Ok(stats) => {
                let how = shape::Shape::of(stream, &stats, &seen);
                voice.line(&format!("ok       {file}: {} rows", seen.rows));
                voice.line(&format!("         {how}"));
                for warning in stats.warnings() {
                    voice.line(&format!("         {warning}"));
                }
                let columns = seen.columns();
                let mut told = how.json();
                told["file"] = json!(file);
                told["rows"] = json!(seen.rows);
                told["columns"] = json!(columns);
                self.files.push(told);
                columns
            }
            Err(error) => {
                self.failed += 1;
                let hint = error
                    .hint()
                    .map(|h| format!("\n  hint: {h}"))
                    .unwrap_or_default();
                voice.line(&format!("error    {error}{hint}"));
                self.files
                    .push(json!({"file": file, "error": error.to_string()}));
                Vec::new()
            }
        }
    }
}
