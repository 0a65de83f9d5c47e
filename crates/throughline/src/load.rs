//! Loading: files of the sources become raw rows of the lake, each exactly once.
//!
//! A file is known by its path and its content. What is loaded stands in the tags of the raw
//! table's files, committed with the rows: a run that is killed anywhere loads again what was not
//! committed and nothing else. A file that its provider replaced is loaded as a new version.

mod columns;
mod files;

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::config::Stream;
use lake::{Change, Lake, Layout, Origin, Table, TableName};
use serde::Serialize;
use sources::{FileError, Finding, FoundFile};

use crate::project::Place;
use crate::say::Progress;
pub(crate) use files::Hashes;
use files::Written;

/// What became of one stream.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct StreamReport {
    pub(crate) source: String,
    pub(crate) stream: String,
    /// Files that its paths lead to.
    pub(crate) files_found: usize,
    /// Files loaded in this run.
    pub(crate) files_loaded: usize,
    /// Of those, files that replaced an earlier version.
    pub(crate) files_replaced: usize,
    /// Rows loaded in this run.
    pub(crate) rows_loaded: i64,
    /// What the user should know.
    pub(crate) warnings: Vec<String>,
    /// Files that could not be loaded, and why.
    pub(crate) errors: Vec<String>,
}

/// A file that is to be loaded.
#[derive(Debug, Clone)]
pub(crate) struct Pending {
    pub(crate) file: FoundFile,
    pub(crate) hash: String,
    /// What its rows' ids are made from: the hash, or a variant of it for a content that returned.
    pub(crate) identity: String,
    pub(crate) file_id: i64,
    pub(crate) version: i64,
}

/// The files of a stream that are not loaded yet.
pub(crate) async fn pending(
    place: &Place,
    lake: &Lake,
    stream: &Stream,
    hashes: &mut Hashes,
) -> anyhow::Result<(StreamReport, Vec<Pending>)> {
    let mut report = StreamReport {
        source: stream.source.clone(),
        stream: stream.name.clone(),
        ..StreamReport::default()
    };
    let found = sources::find(&place.dir, stream);
    report.files_found = found.files.len();
    let raw = lake.table(&raw_name(stream)).await?;
    let known = raw.as_deref().map(Table::origins).unwrap_or_default();
    say_findings(&found.findings, &known, &mut report);
    let reading = files::reading(stream);
    let mut versions: BTreeMap<&str, Vec<&Origin>> = BTreeMap::new();
    for origin in known.values() {
        versions.entry(&origin.path).or_default().push(origin);
    }
    let mut all = Vec::new();
    for file in found.files {
        let hash = match hashes.of(&file) {
            Ok(hash) => hash,
            Err(error) => {
                let file = file.relative;
                report.errors.push(files::said(&FileError { file, error }));
                continue;
            }
        };
        let before = versions.get(file.relative.as_str());
        let newest = before.and_then(|list| list.iter().max_by_key(|origin| origin.version));
        // A lake of before has no note of the settings: they are taken to be the same.
        let is_same = |origin: &&Origin| {
            let was_so = origin.reading.is_empty() || origin.reading == reading;
            origin.content_hash == hash && was_so
        };
        if newest.is_some_and(is_same) {
            continue;
        }
        let version = newest.map_or(0, |origin| origin.version) + 1;
        let returned = before.is_some_and(|list| list.iter().any(|o| o.content_hash == hash));
        let identity = if returned {
            format!("{hash}#{version}")
        } else {
            hash.clone()
        };
        let file_id = sources::file_id(&stream.source, &stream.name, &file.relative, &identity);
        if known
            .get(&file_id)
            .is_some_and(|origin| origin.path != file.relative)
        {
            report.errors.push(format!(
                "{}: its key collides with that of another file\n  hint: rename the file",
                file.relative
            ));
            continue;
        }
        all.push(Pending {
            file,
            hash,
            identity,
            file_id,
            version,
        });
    }
    Ok((report, all))
}

/// Takes what was found out about the paths of a stream to its report.
fn say_findings(findings: &[Finding], known: &BTreeMap<i64, Origin>, report: &mut StreamReport) {
    for finding in findings {
        let said = format!("{finding}\n  hint: {}", finding.hint());
        if finding.is_error() && !was_loaded(finding, known.values()) {
            report.errors.push(said);
        } else {
            report.warnings.push(said);
        }
    }
}

/// Whether what a path named was loaded before: an export that was cleared away is no failure, its
/// rows stay.
fn was_loaded<'a>(finding: &Finding, mut known: impl Iterator<Item = &'a Origin>) -> bool {
    let Finding::NoMatch {
        named: Some(path), ..
    } = finding
    else {
        return false;
    };
    known.any(|origin| {
        let rest = origin.path.strip_prefix(path.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

/// The names that the columns of a file get in a raw table that does not know them yet.
pub(crate) fn raw_columns(schema: &arrow_schema::SchemaRef) -> Vec<String> {
    columns::names(schema, None)
}

/// Name of a stream's raw table.
pub(crate) fn raw_name(stream: &Stream) -> TableName {
    TableName::new("raw", format!("{}__{}", stream.source, stream.name))
}

/// Loads the new files of all streams.
pub(crate) async fn load(
    place: &Place,
    lake: &Arc<Lake>,
    streams: &[Stream],
    run_id: &str,
    now: DateTime<Utc>,
    progress: &Progress,
) -> anyhow::Result<Vec<StreamReport>> {
    let mut hashes = Hashes::open(&place.state().join("hashes.json"));
    let mut reports = Vec::new();
    for stream in streams {
        let label = format!("loading {}.{}", stream.source, stream.name);
        let (mut report, todo) = pending(place, lake, stream, &mut hashes).await?;
        if !todo.is_empty() {
            progress.say(&label, &format!("{} files", todo.len()));
            let refused = load_stream(lake, stream, todo, run_id, now, &mut report).await?;
            refused.iter().for_each(|file| hashes.forget(file));
            progress.keep(&format!(
                "loaded   {:<40} {:>10} rows  {} files",
                raw_name(stream).to_string(),
                report.rows_loaded,
                report.files_loaded
            ));
        }
        reports.push(report);
    }
    hashes.save(now)?;
    Ok(reports)
}

/// Loads files of one stream and commits them together; gives the paths of those that could not be
/// loaded.
async fn load_stream(
    lake: &Arc<Lake>,
    stream: &Stream,
    todo: Vec<Pending>,
    run_id: &str,
    now: DateTime<Utc>,
    report: &mut StreamReport,
) -> anyhow::Result<Vec<String>> {
    let name = raw_name(stream);
    let base = lake.table(&name).await?;
    let store = lake.store(&name)?;
    let known = base.as_ref().map(|table| table.schema.clone());
    let shards = files::shards(todo);
    let mut tasks = tokio::task::JoinSet::new();
    for shard in shards {
        let writer = files::Shard::new(
            name.clone(),
            store.clone(),
            stream.clone(),
            now,
            known.clone(),
        );
        tasks.spawn(writer.load(shard));
    }
    let mut all = Written::default();
    while let Some(done) = tasks.join_next().await {
        all.add(done??);
    }
    report.warnings.extend(all.warnings);
    report.errors.extend(all.errors);
    report.files_loaded = all.loaded.len();
    report.files_replaced = all
        .loaded
        .iter()
        .filter(|origin| origin.version > 1)
        .count();
    report.rows_loaded = all.loaded.iter().map(|origin| origin.rows).sum();
    if all.loaded.is_empty() {
        return Ok(all.refused);
    }
    let schema = columns::union(base.as_ref().map(|table| &table.schema), &all.schemas);
    let layout = Layout {
        stats: files::STATS
            .iter()
            .map(|column| (*column).to_owned())
            .collect(),
        ..Layout::new(name.clone(), schema)
    };
    let mut change = Change::new(layout);
    change.adds = all.files;
    if let Some(base) = &base {
        change.ledger.notes = base.ledger.notes.clone();
    }
    note_empty_files(&mut change, &all.loaded)?;
    change.ledger.run_id = run_id.to_owned();
    lake::crash::point("raw.written");
    lake.commit(base.as_deref(), change).await?;
    lake::crash::point("raw.committed");
    Ok(all.refused)
}

/// A file without rows has no data file that could name it: the ledger does.
fn note_empty_files(change: &mut Change, loaded: &[Origin]) -> anyhow::Result<()> {
    let notes = &mut change.ledger.notes;
    let mut empty: Vec<Origin> = notes
        .get("empty_files")
        .and_then(|list| serde_json::from_value(list.clone()).ok())
        .unwrap_or_default();
    empty.extend(loaded.iter().filter(|origin| origin.rows == 0).cloned());
    notes.insert("empty_files".into(), serde_json::to_value(&empty)?);
    Ok(())
}
