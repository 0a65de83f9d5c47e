//! `backup`: the project as it is at one state, in a folder or a file.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use lake::{Lake, LakeFile};
use orchestrate::RunLog;
use serde_json::json;
use serve::access::{own, policy};
use serve::{audit, copies};

use super::Exit;
use crate::backup::{AUDIT, LAKE, Manifest, PROJECT, STATE, TableEntry, Writer};
use crate::cli::BackupArgs;
use crate::project::{CONFIG, KEY_FILE, Place, now};
use crate::say::Voice;

/// Folders of a project that people write.
const FOLDERS: [&str; 6] = ["models", "macros", "seeds", "tests", "quality", "metrics"];

/// Users and tokens.
const USERS: &str = "access.db";

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
    users(place, &mut writer).await?;
    own_tables(place, lake.location(), &mut writer).await?;
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
    for name in [CONFIG, policy::FILE, ".gitignore"] {
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

/// A name for a copy that is at hand for as long as it is written to the backup.
fn beside(place: &Place, name: &str) -> PathBuf {
    let own = std::process::id();
    place.state().join(format!("backup-{own}-{name}"))
}

/// Puts a copy into the backup, and removes it.
fn take(
    copied: Result<(), impl Into<anyhow::Error>>,
    copy: &Path,
    name: &str,
    writer: &mut Writer,
) -> anyhow::Result<()> {
    let written = match copied {
        Ok(()) => writer.copy(&format!("{STATE}{name}"), copy),
        Err(error) => Err(error.into()),
    };
    let _ = std::fs::remove_file(copy);
    written
}

/// The log of runs, as it is at one instant.
async fn state(place: &Place, writer: &mut Writer) -> anyhow::Result<()> {
    let path = place.state().join("state.db");
    if !path.is_file() {
        return Ok(());
    }
    let copy = beside(place, "state.db");
    let log = RunLog::open(&path).await?;
    let copied = log.copy_to(&copy).await;
    log.close().await;
    take(copied, &copy, "state.db", writer)
}

/// Users and tokens, without open sessions, and then the audit log: it tells of all of them.
async fn users(place: &Place, writer: &mut Writer) -> anyhow::Result<()> {
    let path = place.state().join(USERS);
    if path.is_file() {
        let copy = beside(place, USERS);
        let copied = copies::users(&path, &copy).await;
        take(copied, &copy, USERS, writer)?;
    }
    audit::files(&place.state().join(AUDIT), &mut |file| {
        let path = format!("{STATE}{AUDIT}/{}", file.name);
        writer.begin(&path, file.content.len() as u64)?;
        writer.write(&file.content)?;
        writer.end()
    })?;
    Ok(())
}

/// The list of own tables, and each table as it is at the version that the list names: what is
/// added meanwhile may have tags that the list does not know yet.
async fn own_tables(
    place: &Place,
    project: &lake::Location,
    writer: &mut Writer,
) -> anyhow::Result<()> {
    let path = place.state().join(own::FILE);
    if !path.is_file() {
        return Ok(());
    }
    let copy = beside(place, own::FILE);
    let copied = copies::own_tables(&path, &copy).await;
    let tables = match copied.is_ok() {
        true => own::tables_in(&copy).await?,
        false => vec![],
    };
    take(copied, &copy, own::FILE, writer)?;
    let lake = Lake::open_at(own::lake_of(project))?;
    let within = |file: &LakeFile| format!("{LAKE}{}/{}", own::LAKE, file.path);
    if let Some(file) = lake.format_file().await? {
        copy_to(&lake, &file, &within(&file), writer).await?;
    }
    for (name, version) in tables {
        let table = lake.table_at(&name, version).await?;
        let table = table.with_context(|| format!("own table `{name}` is gone"))?;
        for file in lake.files_of(&table).await? {
            copy_to(&lake, &file, &within(&file), writer).await?;
        }
    }
    Ok(())
}

async fn copy_table(lake: &Lake, table: &lake::Table, writer: &mut Writer) -> anyhow::Result<()> {
    for file in lake.files_of(table).await? {
        copy_file(lake, &file, writer).await?;
    }
    Ok(())
}

async fn copy_file(lake: &Lake, file: &LakeFile, writer: &mut Writer) -> anyhow::Result<()> {
    copy_to(lake, file, &format!("{LAKE}{}", file.path), writer).await
}

async fn copy_to(
    lake: &Lake,
    file: &LakeFile,
    path: &str,
    writer: &mut Writer,
) -> anyhow::Result<()> {
    writer.begin(path, file.bytes)?;
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
