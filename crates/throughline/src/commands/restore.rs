//! `restore`: a project out of a backup.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use lake::{Lake, Location};
use serde_json::json;

use super::Exit;
use crate::backup::{AUDIT, LAKE, Manifest, PROJECT, Reader, STATE, private_folder, verify};
use crate::cli::RestoreArgs;
use crate::project::{CONFIG, KEY_FILE, Place};
use crate::say::Voice;

/// The command.
pub(crate) async fn restore(args: &RestoreArgs, voice: Voice) -> anyhow::Result<Exit> {
    refuse_used(&args.dir)?;
    // All of it is read before anything is written.
    let manifest = verify(&args.backup)?;
    let part = beside(&args.dir)?;
    let restored = restore_to(args, &part).await;
    let placed = match restored {
        Ok(lake) => place(&part, &args.dir).map(|()| lake),
        Err(error) => {
            std::fs::remove_dir_all(&part).ok();
            Err(error)
        }
    }?;
    say(&manifest, args, &placed, voice);
    Ok(Exit::Done)
}

/// Refuses a folder with anything in it.
fn refuse_used(dir: &Path) -> anyhow::Result<()> {
    let shown = dir.display();
    match std::fs::read_dir(dir) {
        Ok(mut entries) => match entries.next() {
            Some(_) => bail!("`{shown}` is not empty\nhint: restore to a new folder"),
            None => Ok(()),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error).with_context(|| format!("cannot use `{shown}`")),
    }
}

/// The folder beside the project's in which it is restored, so that it appears whole.
fn beside(dir: &Path) -> anyhow::Result<PathBuf> {
    let dir = std::path::absolute(dir)?;
    let mut name = dir.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part = dir.with_file_name(name);
    if part.exists() {
        bail!(
            "`{}` is there: a restore is at work, or was broken off\nhint: remove it if none is at work",
            part.display()
        );
    }
    std::fs::create_dir_all(&part).with_context(|| format!("cannot make `{}`", part.display()))?;
    Ok(part)
}

/// Puts the restored project in its place.
fn place(part: &Path, dir: &Path) -> anyhow::Result<()> {
    if dir.is_dir() {
        std::fs::remove_dir(dir)?;
    }
    std::fs::rename(part, dir).with_context(|| {
        let (part, dir) = (part.display(), dir.display());
        format!("cannot move `{part}` to `{dir}`\nhint: it is whole: move it yourself")
    })
}

/// Restores the files: first the project's own, which say where the lake lies.
async fn restore_to(args: &RestoreArgs, part: &Path) -> anyhow::Result<Location> {
    let place = Place::new(part);
    let mut reader = Reader::open(&args.backup)?;
    let mut lake: Option<Lake> = None;
    while let Some((path, _)) = reader.next()? {
        if let Some(relative) = path.strip_prefix(PROJECT) {
            write(&part.join(relative), relative == KEY_FILE, &mut reader)?;
        } else if let Some(relative) = path.strip_prefix(STATE) {
            // Users and the audit log are their owner's alone, and so is all beside them.
            write(&place.state().join(relative), true, &mut reader)?;
        } else if let Some(relative) = path.strip_prefix(LAKE) {
            if lake.is_none() {
                lake = Some(open_lake(args, &place).await?);
            }
            if let Some(lake) = &lake {
                lake.write_file(relative, &mut reader).await?;
            }
        }
    }
    let lake = match lake {
        Some(lake) => lake,
        None => open_lake(args, &place).await?,
    };
    Ok(lake.location().clone())
}

/// Opens the lake where the settings put it. It must be empty: nothing is ever overwritten.
async fn open_lake(args: &RestoreArgs, place: &Place) -> anyhow::Result<Lake> {
    if let Some(config) = &args.config {
        std::fs::copy(config, place.dir.join(CONFIG))
            .with_context(|| format!("cannot copy `{}`", config.display()))?;
    }
    let lake = Lake::open_at(place.lake(&place.config()?)?)?;
    let names = lake.names().await?;
    if let Some(name) = names.first() {
        bail!(
            "the lake at `{}` has tables already, for example `{name}`\nhint: give another \
             `lake.location` by `--config FILE`, or empty that one",
            lake.location()
        );
    }
    Ok(lake)
}

fn write(path: &Path, is_secret: bool, from: &mut Reader) -> anyhow::Result<()> {
    write_file(path, is_secret, from).with_context(|| format!("cannot write `{}`", path.display()))
}

#[cfg_attr(not(unix), expect(unused_variables, reason = "only unix has modes"))]
fn write_file(path: &Path, is_secret: bool, from: &mut Reader) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        match folder.ends_with(AUDIT) {
            true => private_folder(folder)?,
            false => std::fs::create_dir_all(folder)?,
        }
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(if is_secret { 0o600 } else { 0o644 });
    }
    let mut file = options.open(path)?;
    io::copy(from, &mut file)?;
    file.sync_all()
}

fn say(manifest: &Manifest, args: &RestoreArgs, lake: &Location, voice: Voice) {
    let dir = args.dir.display().to_string();
    // A lake in the project's folder moved with it.
    let lake = match lake {
        Location::Folder(_) => String::new(),
        Location::S3 { .. } => format!(", its lake at {lake}"),
    };
    voice.result(&json!({
        "project": dir,
        "tables": manifest.tables.len(),
        "files": manifest.files.len(),
        "bytes": manifest.bytes(),
        "created_at": manifest.created_at,
        "has_key": manifest.has_key,
    }));
    voice.line(&format!(
        "restored `{}` as of {} to {dir}{lake}: {} tables, {} files",
        manifest.project,
        manifest.created_at.format("%Y-%m-%d %H:%M:%S UTC"),
        manifest.tables.len(),
        manifest.files.len()
    ));
    if !manifest.has_key {
        voice.warn(&format!(
            "the backup has no key: put the project's `{KEY_FILE}` into {dir} before you run"
        ));
    }
    voice.note(&format!("next: throughline --project {dir} plan"));
}
