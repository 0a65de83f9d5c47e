//! `doctor`: what could go wrong, looked for before it does.

use std::io::Write as _;
use std::path::Path;

use lake::Lake;
use serde_json::json;

use super::Exit;
use crate::project::{CONFIG, Place, now};
use crate::say::Voice;

struct Finding {
    name: &'static str,
    ok: bool,
    text: String,
}

/// The command.
pub(crate) async fn doctor(place: &Place, voice: Voice) -> anyhow::Result<Exit> {
    let mut findings = vec![project(place), key(place), fsync(place), clock()];
    findings.extend(space(place));
    findings.push(lake(place).await);
    if findings.iter().all(|finding| finding.ok) {
        findings.push(tables(place).await);
    }
    let failed = findings.iter().filter(|finding| !finding.ok).count();
    for finding in &findings {
        let mark = if finding.ok { "ok     " } else { "PROBLEM" };
        voice.line(&format!("{mark}  {:<9} {}", finding.name, finding.text));
    }
    let list: Vec<_> = findings
        .iter()
        .map(|finding| json!({"name": finding.name, "ok": finding.ok, "text": finding.text}))
        .collect();
    voice.result(&json!({"findings": list, "problems": failed}));
    Ok(if failed > 0 { Exit::Failed } else { Exit::Done })
}

fn project(place: &Place) -> Finding {
    match place.config() {
        Ok(config) => Finding {
            name: "project",
            ok: true,
            text: format!("`{}` with {} sources", config.name, config.sources.len()),
        },
        Err(error) => Finding {
            name: "project",
            ok: false,
            text: error.to_string(),
        },
    }
}

fn key(place: &Place) -> Finding {
    match place.key() {
        Ok(key) => Finding {
            name: "key",
            ok: true,
            text: format!("{} bytes", key.len()),
        },
        Err(error) => Finding {
            name: "key",
            ok: false,
            text: error.to_string(),
        },
    }
}

/// Writes, syncs and hard-links a file: what a commit needs of the disk.
fn fsync(place: &Place) -> Finding {
    let try_it = || -> std::io::Result<f64> {
        std::fs::create_dir_all(place.state())?;
        let path = place.state().join("doctor");
        let link = place.state().join("doctor.link");
        let clock = std::time::Instant::now();
        let mut file = std::fs::File::create(&path)?;
        file.write_all(&[0; 4096])?;
        file.sync_data()?;
        let seconds = clock.elapsed().as_secs_f64();
        let _ = std::fs::remove_file(&link);
        let linked = std::fs::hard_link(&path, &link);
        std::fs::remove_file(&path)?;
        linked?;
        std::fs::remove_file(&link)?;
        Ok(seconds)
    };
    match try_it() {
        Ok(seconds) => Finding {
            name: "disk",
            ok: true,
            text: format!("writes, syncs (4 KiB in {:.1} ms) and links", seconds * 1e3),
        },
        Err(error) => Finding {
            name: "disk",
            ok: false,
            text: format!(
                "`{}` cannot be written, synced and linked: {error}\n  hint: the lake needs a file system with hard links",
                place.state().display()
            ),
        },
    }
}

/// Asks the lake's store to overwrite what it was told to keep.
async fn lake(place: &Place) -> Finding {
    let try_it = async {
        let location = place.lake(&place.config()?)?;
        let text = format!("{location} keeps what is there (conditional put)");
        Lake::open_at(location)?.prove_conditional_put().await?;
        anyhow::Ok(text)
    };
    let (ok, text) = match try_it.await {
        Ok(text) => (true, text),
        Err(error) => (false, format!("{error:#}")),
    };
    Finding {
        name: "lake",
        ok,
        text,
    }
}

fn clock() -> Finding {
    let now = now();
    let sane = now.timestamp() > 1_735_689_600;
    Finding {
        name: "clock",
        ok: sane,
        text: if sane {
            format!("{}", now.format("%Y-%m-%d %H:%M:%S UTC"))
        } else {
            format!("{now} lies before 2025\n  hint: set the machine's clock")
        },
    }
}

/// Free space, where `df` can tell.
fn space(place: &Place) -> Option<Finding> {
    let output = std::process::Command::new("df")
        .args(["-Pk", "--"])
        .arg(existing(&place.dir))
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let free: u64 = text
        .lines()
        .nth(1)?
        .split_whitespace()
        .nth(3)?
        .parse()
        .ok()?;
    let gigabytes = free / (1 << 20);
    Some(Finding {
        name: "space",
        ok: gigabytes >= 1,
        text: if gigabytes >= 1 {
            format!("{gigabytes} GiB free")
        } else {
            "less than 1 GiB free\n  hint: the lake, the spill folder and the files of a run need room".into()
        },
    })
}

fn existing(path: &Path) -> &Path {
    if path.exists() { path } else { Path::new(".") }
}

async fn tables(place: &Place) -> Finding {
    let opened =
        crate::project::Opened::open(place.clone(), &std::collections::BTreeMap::new()).await;
    match opened {
        Ok(opened) => {
            let models = opened.manifest.models.len();
            let tables = opened
                .lake
                .names()
                .await
                .map(|names| names.len())
                .unwrap_or(0);
            Finding {
                name: "models",
                ok: true,
                text: format!("{models} models compile, {tables} tables in the lake open"),
            }
        }
        Err(error) => Finding {
            name: "models",
            ok: false,
            text: format!("`{CONFIG}` or the models: {error:#}"),
        },
    }
}
