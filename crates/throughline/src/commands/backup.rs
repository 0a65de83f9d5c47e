//! `backup`: the project as it is at one state, in a folder or a file.

use std::io;
use std::path::Path;

use anyhow::Context as _;
use lake::{Lake, LakeFile};
use orchestrate::RunLog;
use serde_json::json;

use super::Exit;
use crate::backup::{LAKE, Manifest, PROJECT, STATE, TableEntry, Writer};
use crate::cli::BackupArgs;
use crate::project::{CONFIG, KEY_FILE, Place, now};
use crate::say::Voice;

/// Folders of a project that people write.
const FOLDERS: [&str; 6] = ["models", "macros", "seeds", "tests", "quality", "metrics"];

/// Folders deeper than this are a loop or a mistake.
const DEPTH_MAX: usize = 32;

/// The command.
pub(crate) async fn backup(place: &Place, args: &BackupArgs, voice: Voice) -> anyhow::Result<Exit> {
    let config = place.config()?;
    let lake = Lake::open_at(place.lake(&config)?)?;
    if let Some(said) = lake.upgrade().await? {
        crate::say::upgrade(&said.to_string());
    }
    let mut manifest = Manifest::new(&config.name, now());
    let mut writer = Writer::create(&args.target)?;
    settings(place, &mut writer)?;
    if args.with_sources {
        sources(place, &config, &mut writer, voice)?;
    }
    let key = place.dir.join(KEY_FILE);
    if !args.without_key && key.is_file() {
        writer.copy(&format!("{PROJECT}{KEY_FILE}"), &key)?;
        manifest.has_key = true;
    }
    // The runs are copied before the tables: what they tell of is then in the tables.
    state(place, &mut writer).await?;
    if let Some(file) = lake.format_file().await? {
        copy_file(&lake, &file, &mut writer).await?;
    }
    let tables = lake.consistent().await?;
    for table in &tables {
        let copied = copy_table(&lake, table, &mut writer).await;
        copied.with_context(|| {
            format!(
                "cannot copy table `{}`\nhint: run the backup again",
                table.name
            )
        })?;
    }
    manifest.tables = tables
        .iter()
        .map(|table| TableEntry {
            name: table.name.to_string(),
            version: table.version,
            rows: table.rows(),
        })
        .collect();
    let manifest = writer.finish(manifest)?;
    say(&manifest, args, voice);
    Ok(Exit::Done)
}

/// The files that people write.
fn settings(place: &Place, writer: &mut Writer) -> anyhow::Result<()> {
    for name in [CONFIG, ".gitignore"] {
        let path = place.dir.join(name);
        if path.is_file() {
            writer.copy(&format!("{PROJECT}{name}"), &path)?;
        }
    }
    for folder in FOLDERS {
        copy_folder(&place.dir.join(folder), folder, 0, writer)?;
    }
    Ok(())
}

fn copy_folder(
    folder: &Path,
    shown: &str,
    depth: usize,
    writer: &mut Writer,
) -> anyhow::Result<()> {
    if !folder.is_dir() || depth > DEPTH_MAX {
        return Ok(());
    }
    let mut entries = std::fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let shown = format!("{shown}/{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &shown, depth + 1, writer)?;
        } else if entry.path().is_file() {
            writer.copy(&format!("{PROJECT}{shown}"), &entry.path())?;
        }
    }
    Ok(())
}

/// The source files that lie in the project's folder.
fn sources(
    place: &Place,
    config: &domain::config::ProjectConfig,
    writer: &mut Writer,
    voice: Voice,
) -> anyhow::Result<()> {
    let mut copied = std::collections::BTreeSet::new();
    for (name, source) in &config.sources {
        for stream in source.streams(name) {
            for file in ::sources::find(&place.dir, &stream).files {
                if file.relative.starts_with("../") {
                    voice.warn(&format!(
                        "warning: `{}` lies outside of the project and is not copied",
                        file.relative
                    ));
                } else if copied.insert(file.relative.clone()) {
                    writer.copy(&format!("{PROJECT}{}", file.relative), &file.path)?;
                }
            }
        }
    }
    Ok(())
}

/// The state database, as it is at one instant.
async fn state(place: &Place, writer: &mut Writer) -> anyhow::Result<()> {
    let path = place.state().join("state.db");
    if !path.is_file() {
        return Ok(());
    }
    let beside = place
        .state()
        .join(format!("backup-{}.db", std::process::id()));
    let log = RunLog::open(&path).await?;
    let copied = log.copy_to(&beside).await;
    log.close().await;
    let written = match copied {
        Ok(()) => writer.copy(STATE, &beside),
        Err(error) => Err(error.into()),
    };
    let _ = std::fs::remove_file(&beside);
    written
}

async fn copy_table(lake: &Lake, table: &lake::Table, writer: &mut Writer) -> anyhow::Result<()> {
    for file in lake.files_of(table).await? {
        copy_file(lake, &file, writer).await?;
    }
    Ok(())
}

async fn copy_file(lake: &Lake, file: &LakeFile, writer: &mut Writer) -> anyhow::Result<()> {
    writer.begin(&format!("{LAKE}{}", file.path), file.bytes)?;
    lake.read_file(&file.path, &mut |piece| writer.write(piece))
        .await?;
    writer.end()?;
    Ok(())
}

fn say(manifest: &Manifest, args: &BackupArgs, voice: Voice) {
    let target = args.target.display().to_string();
    let rows: usize = manifest.tables.iter().map(|table| table.rows).sum();
    voice.result(&json!({
        "backup": target,
        "tables": manifest.tables.len(),
        "rows": rows,
        "files": manifest.files.len(),
        "bytes": manifest.bytes(),
        "has_key": manifest.has_key,
    }));
    voice.line(&format!(
        "backed up `{}` to {target}: {} tables, {rows} rows, {} files, {:.1} MB",
        manifest.project,
        manifest.tables.len(),
        manifest.files.len(),
        manifest.bytes() as f64 / 1e6
    ));
    if manifest.has_key {
        voice.note("it holds the project's key: keep it as secret as that");
    } else {
        voice.note("it does not hold the project's key: without the key no person is found again");
    }
}
