//! `maintain`: small files are merged, logs shortened, and what nobody can read any more removed.
//!
//! Nothing that a reader can ask for is lost: versions within the retention stay, and so do those
//! that a table's ledger names. A run after it has nothing to do.

use std::collections::{BTreeMap, BTreeSet};

use chrono::Duration;
use lake::{Lake, Policy, Retention, TableName, Vacuumed};
use serde_json::json;

use super::Exit;
use crate::cli::MaintainArgs;
use crate::project::{Opened, Place, now};
use crate::say::Voice;

/// What was done to one table.
struct Done {
    name: TableName,
    merged: usize,
    written: usize,
    checkpoint: bool,
    vacuumed: Vacuumed,
}

/// The command.
pub(crate) async fn maintain(
    place: Place,
    args: &MaintainArgs,
    voice: Voice,
) -> anyhow::Result<Exit> {
    let lock = place.lock()?;
    let opened = Opened::open(place, &BTreeMap::new()).await?;
    let named = named_versions(&opened.lake).await?;
    let mut done = Vec::new();
    for name in opened.lake.names().await? {
        let versions = named.get(&name.to_string()).cloned().unwrap_or_default();
        done.push(table(&opened, name, versions, args).await?);
    }
    drop(lock);
    say(&done, args, voice);
    Ok(Exit::Done)
}

async fn table(
    opened: &Opened,
    name: TableName,
    versions: BTreeSet<u64>,
    args: &MaintainArgs,
) -> anyhow::Result<Done> {
    let lake = &opened.lake;
    let (mut merged, mut written, mut checkpoint) = (0, 0, false);
    if !args.dry_run {
        let session = &opened.warehouse.session;
        if let Some(done) = lake.compact(session, &name, Policy::ON_DEMAND).await? {
            (merged, written) = (done.files_merged, done.files_written);
            opened.warehouse.refresh(&name).await?;
        }
        checkpoint = lake.checkpoint(&name).await?;
    }
    let retention = Retention {
        since: now() - Duration::days(args.keep_days.into()),
        orphans_since: now() - Duration::hours(args.grace_hours.into()),
        versions,
    };
    let vacuumed = lake.vacuum(&name, &retention, args.dry_run).await?;
    Ok(Done {
        name,
        merged,
        written,
        checkpoint,
        vacuumed,
    })
}

/// The versions that ledgers name, by table: an incremental build compares with what it read last.
async fn named_versions(lake: &Lake) -> anyhow::Result<BTreeMap<String, BTreeSet<u64>>> {
    let mut named: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
    for table in lake.tables().await? {
        for (input, mark) in &table.ledger.inputs {
            named.entry(input.clone()).or_default().insert(mark.version);
        }
    }
    Ok(named)
}

/// After a run: tables in which many small files have come together are compacted. Gives their
/// new versions.
pub(crate) async fn after_run(opened: &Opened) -> anyhow::Result<BTreeMap<String, u64>> {
    let mut versions = BTreeMap::new();
    for name in opened.lake.names().await? {
        let session = &opened.warehouse.session;
        let done = opened
            .lake
            .compact(session, &name, Policy::AFTER_A_RUN)
            .await?;
        if let Some(done) = done {
            opened.warehouse.refresh(&name).await?;
            versions.insert(name.to_string(), done.table.version);
        }
    }
    Ok(versions)
}

fn say(done: &[Done], args: &MaintainArgs, voice: Voice) {
    let tables: Vec<_> = done
        .iter()
        .map(|done| {
            json!({
                "table": done.name.to_string(),
                "files_merged": done.merged,
                "files_written": done.written,
                "checkpoint": done.checkpoint,
                "files_removed": done.vacuumed.files,
                "bytes_removed": done.vacuumed.bytes,
                "log_files_removed": done.vacuumed.log_files,
                "oldest_version": done.vacuumed.oldest,
            })
        })
        .collect();
    voice.result(&json!({"dry_run": args.dry_run, "tables": tables}));
    let would = if args.dry_run {
        "would remove"
    } else {
        "removed"
    };
    for done in done {
        let Vacuumed {
            files, log_files, ..
        } = done.vacuumed;
        if done.merged + files + log_files > 0 {
            voice.line(&format!(
                "{:<44} {} small files became {}, {would} {files} files and {log_files} of the log",
                done.name, done.merged, done.written
            ));
        }
    }
    let files: usize = done.iter().map(|done| done.vacuumed.files).sum();
    let bytes: u64 = done.iter().map(|done| done.vacuumed.bytes).sum();
    voice.note(&format!(
        "{} tables, {would} {files} files of {:.1} MB; versions of the last {} days stay readable",
        done.len(),
        bytes as f64 / 1e6,
        args.keep_days
    ));
}
