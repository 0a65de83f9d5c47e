//! A project on disk: where its parts are, its key, its lock, and how it is opened.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use chrono::{DateTime, Utc};
use domain::config::ProjectConfig;
use lake::session::Resources;
use lake::{Lake, Location};
use orchestrate::RunLog;
use transform::Warehouse;
use transform::compile::Manifest;
use transform::project::Project;

/// Name of the project's file.
pub(crate) const CONFIG: &str = "throughline.yml";
/// Name of the file that holds the project's key, as hexadecimal digits.
pub(crate) const KEY_FILE: &str = "throughline.key";
/// Environment variable that holds the key instead.
const KEY_VARIABLE: &str = "THROUGHLINE_KEY";
/// Environment variable for the memory of the engine, in MiB.
const MEMORY_VARIABLE: &str = "THROUGHLINE_MEMORY_MB";
/// Folder of everything that the program keeps.
const STATE: &str = ".throughline";

/// Where a project's parts are.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// The project's folder.
    pub(crate) dir: PathBuf,
}

impl Place {
    pub(crate) fn new(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
        }
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.dir.join(STATE)
    }

    /// Where the project's tables lie.
    pub(crate) fn lake(&self, config: &ProjectConfig) -> anyhow::Result<Location> {
        let default = self.state().join("lake");
        Ok(Location::from_config(&config.lake, &self.dir, default)?)
    }

    pub(crate) fn target(&self) -> PathBuf {
        self.dir.join("target")
    }

    /// Reads `throughline.yml`.
    pub(crate) fn config(&self) -> anyhow::Result<ProjectConfig> {
        let path = self.dir.join(CONFIG);
        let text = std::fs::read_to_string(&path).with_context(|| {
            format!(
                "there is no readable `{CONFIG}` in `{}`\nhint: make a project with `throughline init DIR`, \
                 or name one with `--project DIR`",
                self.dir.display()
            )
        })?;
        format(&text)?;
        lake_settings(&text)?;
        let config: ProjectConfig = serde_yaml_ng::from_str(&text).map_err(|error| {
            let place = error.location().map(|at| {
                let line = text.lines().nth(at.line().saturating_sub(1)).unwrap_or("");
                let caret = " ".repeat(at.column().saturating_sub(1));
                format!("\n  --> {CONFIG}:{}:{}\n  {line}\n  {caret}^", at.line(), at.column())
            });
            let said = error
                .to_string()
                .replace(
                    "data did not match any variant of untagged enum StreamConfig",
                    "a stream is a path, or a `path:` with settings of its files",
                )
                .replace(
                    "data did not match any variant of untagged enum EffectiveAt",
                    "`effective_at` is a column, a list of columns of which a file has one, or \
                     `{file: pattern}`",
                );
            anyhow::anyhow!(
                "`{CONFIG}` cannot be understood: {said}{}\nhint: every setting is described in docs/guides/start.md",
                place.unwrap_or_default()
            )
        })?;
        file_settings(&text)?;
        if config.reporting.zone.parse::<chrono_tz::Tz>().is_err() {
            bail!(
                "`{CONFIG}`: `reporting.zone` is `{}`, which is no IANA zone\nhint: for example Europe/Berlin",
                config.reporting.zone
            );
        }
        Ok(config)
    }

    /// The project's key, from the environment or its file.
    pub(crate) fn key(&self) -> anyhow::Result<Vec<u8>> {
        let text = match std::env::var(KEY_VARIABLE) {
            Ok(text) => text,
            Err(_) => {
                let path = self.dir.join(KEY_FILE);
                std::fs::read_to_string(&path).with_context(|| {
                    format!(
                        "the project's key `{}` cannot be read\nhint: `throughline init` makes it; \
                         with another key than before no person would be found again",
                        path.display()
                    )
                })?
            }
        };
        let key = hex::decode(text.trim()).context("the project's key is not hexadecimal")?;
        if key.len() < 16 {
            bail!("the project's key is shorter than 16 bytes");
        }
        Ok(key)
    }

    /// Takes the project for this process: two runs at once would build the same things twice.
    pub(crate) fn lock(&self) -> anyhow::Result<File> {
        std::fs::create_dir_all(self.state())?;
        let path = self.state().join("lock");
        let file =
            File::create(&path).with_context(|| format!("cannot make `{}`", path.display()))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(std::fs::TryLockError::WouldBlock) => bail!(
                "another run is at work in this project\nhint: wait for it; the lock goes with its process"
            ),
            Err(std::fs::TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("cannot lock `{}`", path.display()))
            }
        }
    }
}

/// The format of `throughline.yml` that this program knows.
const FORMAT: u64 = 1;

/// Refuses settings of another format. This is looked at first: they may have other names.
fn format(text: &str) -> anyhow::Result<()> {
    // What is no YAML is told later, with its place.
    let whole: serde_yaml_ng::Value = serde_yaml_ng::from_str(text).unwrap_or_default();
    match whole["version"].as_u64() {
        Some(version) if version > FORMAT => bail!(
            "`{CONFIG}` is of format {version}, this program knows up to {FORMAT}\nhint: update the program; \
             nothing was changed"
        ),
        Some(0) => bail!(
            "`{CONFIG}` is of format 0, which there never was\nhint: write `version: {FORMAT}`"
        ),
        _ => Ok(()),
    }
}

/// Refuses a setting of the lake that is not one, without showing its value: it may be a secret.
fn lake_settings(text: &str) -> anyhow::Result<()> {
    // What is no YAML is told later, with its place.
    let whole: serde_yaml_ng::Value = serde_yaml_ng::from_str(text).unwrap_or_default();
    let settings = whole["lake"].as_mapping().into_iter().flatten();
    for setting in settings.filter_map(|(key, _)| key.as_str()) {
        if !LAKE_SETTINGS.contains(&setting) {
            bail!(
                "`{CONFIG}`: `lake` has the unknown setting `{setting}`\nhint: it has {}; credentials come \
                 from the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN …)",
                LAKE_SETTINGS.join(", ")
            );
        }
    }
    Ok(())
}

/// Settings of the lake.
const LAKE_SETTINGS: [&str; 4] = ["location", "endpoint", "region", "allow_http"];

/// Settings that a stream's files can have.
const FILE_SETTINGS: [&str; 14] = [
    "path",
    "format",
    "compression",
    "delimiter",
    "encoding",
    "null_words",
    "decimal",
    "day_order",
    "skip_lines",
    "headings",
    "record_max_mib",
    "records",
    "effective_at",
    "cleanse",
];

/// Refuses a setting of files that is not one: a misspelt one would be ignored in silence.
fn file_settings(text: &str) -> anyhow::Result<()> {
    let whole: serde_yaml_ng::Value = serde_yaml_ng::from_str(text)?;
    let sources = whole["sources"].as_mapping();
    for (source, about) in sources.into_iter().flatten() {
        let source = source.as_str().unwrap_or_default();
        let streams = about["streams"].as_mapping();
        let streams = streams
            .into_iter()
            .flatten()
            .map(|(name, about)| (name.as_str(), about));
        for (name, about) in streams.chain([(Some("files"), &about["files"])]) {
            let settings = about.as_mapping().into_iter().flatten();
            for setting in settings.filter_map(|(key, _)| key.as_str()) {
                let known = name != Some("files") || setting != "path";
                if !FILE_SETTINGS.contains(&setting) || !known {
                    let hint = transform::project::problem::suggestion(
                        setting,
                        FILE_SETTINGS,
                        "setting of files",
                    );
                    bail!(
                        "`{CONFIG}`: source `{source}`, `{}` has the unknown setting `{setting}`\nhint: {hint}",
                        name.unwrap_or_default()
                    );
                }
            }
        }
    }
    Ok(())
}

/// An open project.
pub(crate) struct Opened {
    pub(crate) place: Place,
    pub(crate) manifest: Manifest,
    pub(crate) lake: Arc<Lake>,
    pub(crate) warehouse: Warehouse,
    pub(crate) log: RunLog,
}

impl Opened {
    /// Opens a project with variables from the command line.
    pub(crate) async fn open(
        place: Place,
        vars: &BTreeMap<String, serde_json::Value>,
    ) -> anyhow::Result<Self> {
        let config = place.config()?;
        let lake = Arc::new(Lake::open_at(place.lake(&config)?)?);
        if let Some(said) = lake.upgrade().await? {
            crate::say::upgrade(&said.to_string());
        }
        let key = place.key()?;
        let builtin = transform::builtin::models();
        let project = Project::load(&place.dir, config, builtin.as_ref())?;
        let resources = resources()?;
        let runtime = lake::session::runtime(&resources, &place.state().join("spill"))?;
        lake.register(&runtime);
        let warehouse = Warehouse::open(lake.clone(), &project, &key, &resources, runtime).await?;
        let manifest = Manifest::build(project, vars)?;
        let log = RunLog::open(&place.state().join("state.db")).await?;
        if let Some(said) = log.upgraded() {
            crate::say::upgrade(&said);
        }
        crate::recover::recover(&log, &lake).await?;
        Ok(Self {
            place,
            manifest,
            lake,
            warehouse,
            log,
        })
    }

    /// What the parts of a run need to know.
    pub(crate) fn context<'a>(
        &'a self,
        run_id: &'a str,
        now: DateTime<Utc>,
    ) -> transform::run::Context<'a> {
        transform::run::Context {
            warehouse: &self.warehouse,
            manifest: &self.manifest,
            run_id,
            now,
            target: self.place.target(),
        }
    }
}

fn resources() -> anyhow::Result<Resources> {
    let mut resources = Resources::default();
    if let Ok(text) = std::env::var(MEMORY_VARIABLE) {
        let mebibytes: usize = text.trim().parse().with_context(|| {
            format!("`{MEMORY_VARIABLE}` is `{text}`, it must be a number of MiB")
        })?;
        resources.memory_bytes = mebibytes << 20;
    }
    Ok(resources)
}

/// Now: the one place that reads the clock.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the clock"
)]
pub(crate) fn now() -> DateTime<Utc> {
    Utc::now()
}
