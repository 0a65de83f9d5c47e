//! The format of a lake: in which form this program's own notes stand in it, and how an older form
//! is brought up to date.
//!
//! The format is a number in a file at the lake's root, and in the ledger of every commit. An older
//! lake goes through the steps from its format to this program's, in order; each step is marked as
//! done when it is, so that one that was broken off is taken again. A newer lake is refused: what
//! this program does not know it would overwrite.

use futures::future::BoxFuture;
use object_store::ObjectStoreExt as _;
use object_store::path::Path;
use serde_json::{Value, json};

use crate::{Lake, LakeError, LakeFile, Result};

/// The format that this program reads and writes.
pub const FORMAT: u32 = STEPS.len() as u32;

/// The file that says a lake's format.
const FILE: &str = "_throughline.json";

/// A step from one format to the next. It must come to the same if it is taken twice.
struct Step {
    /// What it does, for the message.
    what: &'static str,
    take: for<'a> fn(&'a Lake) -> BoxFuture<'a, Result<()>>,
}

/// Step n brings a lake of format n to format n + 1.
const STEPS: [Step; 2] = [
    Step {
        what: "the lake says its format",
        take: |_| Box::pin(async { Ok(()) }),
    },
    // Nothing is to be changed; but a program that does not know parts would merge their files.
    Step {
        what: "tables may be in parts",
        take: |_| Box::pin(async { Ok(()) }),
    },
];

/// A lake that was brought to a newer format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upgrade {
    /// Its format before.
    pub from: u32,
    /// Its format now.
    pub to: u32,
    /// What was done, step by step.
    pub steps: Vec<&'static str>,
}

impl std::fmt::Display for Upgrade {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { from, to, steps } = self;
        write!(
            f,
            "the lake was brought from format {from} to {to}: {}",
            steps.join("; ")
        )
    }
}

impl Lake {
    /// Brings a lake of an older format up to date, and says so if there was anything in it. To be
    /// called before anything is read.
    ///
    /// # Errors
    /// The lake is of a newer format than this program knows, or a step fails.
    pub async fn upgrade(&self) -> Result<Option<Upgrade>> {
        self.upgrade_by(&STEPS).await
    }

    async fn upgrade_by(&self, steps: &[Step]) -> Result<Option<Upgrade>> {
        let known = u32::try_from(steps.len()).unwrap_or(u32::MAX);
        let found = self.format().await?;
        if found > known {
            return Err(LakeError::Newer {
                what: format!("the lake at `{}`", self.location()),
                found,
                known,
            });
        }
        if found == known {
            return Ok(None);
        }
        if found == 0 && self.names().await?.is_empty() {
            self.mark(known).await?;
            return Ok(None);
        }
        let mut done = Vec::new();
        for (format, step) in (0..).zip(steps).skip(found as usize) {
            (step.take)(self).await?;
            self.mark(format + 1).await?;
            done.push(step.what);
        }
        Ok(Some(Upgrade {
            from: found,
            to: known,
            steps: done,
        }))
    }

    /// The file that says the format, if the lake has one: part of every copy.
    ///
    /// # Errors
    /// The store fails.
    pub async fn format_file(&self) -> Result<Option<LakeFile>> {
        match self.root_store().head(&self.format_path()?).await {
            Ok(found) => Ok(Some(LakeFile {
                path: FILE.to_owned(),
                bytes: found.size,
            })),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.failed(error)),
        }
    }

    fn format_path(&self) -> Result<Path> {
        self.place(FILE)
    }

    /// The lake's format; 0 where none is said.
    async fn format(&self) -> Result<u32> {
        let got = match self.root_store().get(&self.format_path()?).await {
            Ok(got) => got,
            Err(object_store::Error::NotFound { .. }) => return Ok(0),
            Err(error) => return Err(self.failed(error)),
        };
        let bytes = got.bytes().await.map_err(|error| self.failed(error))?;
        let said: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let format = said["format"]
            .as_u64()
            .and_then(|format| u32::try_from(format).ok());
        format.ok_or_else(|| {
            self.failed(format!(
                "`{FILE}` does not say a format\nhint: it is `{{\"format\": {FORMAT}}}`"
            ))
        })
    }

    async fn mark(&self, format: u32) -> Result<()> {
        // Nothing is written into a store that may not keep what is there.
        self.prove_conditional_put().await?;
        let text = json!({"format": format, "program": env!("CARGO_PKG_VERSION")}).to_string();
        let put = self
            .root_store()
            .put(&self.format_path()?, text.into())
            .await;
        put.map(drop).map_err(|error| self.failed(error))
    }
}

/// Refuses what a newer program noted.
pub(crate) fn refuse_newer(what: &str, noted: &Value) -> Result<()> {
    let found = noted["format"].as_u64().unwrap_or_default();
    let found = u32::try_from(found).unwrap_or(u32::MAX);
    if found > FORMAT {
        return Err(LakeError::Newer {
            what: what.to_owned(),
            found,
            known: FORMAT,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    static TAKEN: AtomicU32 = AtomicU32::new(0);

    fn step(what: &'static str, by: u32) -> Step {
        let take: [for<'a> fn(&'a Lake) -> BoxFuture<'a, Result<()>>; 2] = [
            |_| {
                TAKEN.fetch_add(1, Ordering::Relaxed);
                Box::pin(async { Ok(()) })
            },
            |lake| {
                TAKEN.fetch_add(10, Ordering::Relaxed);
                Box::pin(async move { Err(lake.failed("broken off")) })
            },
        ];
        Step {
            what,
            take: take[by as usize],
        }
    }

    /// A lake with a table.
    fn lake() -> (tempfile::TempDir, Lake) {
        let folder = tempfile::tempdir().expect("a folder");
        let log = folder.path().join("raw/a/_delta_log");
        std::fs::create_dir_all(&log).expect("a table");
        std::fs::write(log.join("00000000000000000000.json"), "{}").expect("a table");
        let lake = Lake::open(folder.path()).expect("a lake");
        (folder, lake)
    }

    #[tokio::test]
    async fn the_steps_are_taken_in_order_and_each_once() {
        let (_folder, lake) = lake();
        let broken = [step("one", 0), step("two", 1), step("three", 0)];
        lake.upgrade_by(&broken)
            .await
            .expect_err("the second step fails");
        assert_eq!(TAKEN.load(Ordering::Relaxed), 11);
        assert_eq!(lake.format().await.expect("a format"), 1);
        let whole = [step("one", 0), step("two", 0), step("three", 0)];
        let upgrade = lake
            .upgrade_by(&whole)
            .await
            .expect("upgraded")
            .expect("an upgrade");
        assert_eq!((upgrade.from, upgrade.to), (1, 3));
        assert_eq!(
            upgrade.to_string(),
            "the lake was brought from format 1 to 3: two; three"
        );
        assert_eq!(TAKEN.load(Ordering::Relaxed), 13);
        assert_eq!(lake.upgrade_by(&whole).await.expect("the same"), None);
        let error = lake
            .upgrade_by(&whole[..2])
            .await
            .expect_err("newer")
            .to_string();
        assert!(
            error.contains("is of format 3, this program knows up to 2\nhint: "),
            "{error}"
        );
    }

    #[tokio::test]
    async fn a_new_lake_is_of_this_format_and_a_broken_mark_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let lake = Lake::open(folder.path()).expect("a lake");
        assert_eq!(lake.upgrade().await.expect("new"), None);
        assert_eq!(lake.format().await.expect("a format"), FORMAT);
        std::fs::write(folder.path().join(FILE), "{}").expect("written");
        let error = lake.upgrade().await.expect_err("broken").to_string();
        assert!(error.contains("does not say a format\nhint: "), "{error}");
    }

    #[test]
    fn what_a_newer_program_noted_is_refused() {
        refuse_newer("table `a`", &json!({})).expect("older");
        refuse_newer("table `a`", &json!({"format": FORMAT})).expect("the same");
        let error = refuse_newer("table `a`", &json!({"format": FORMAT + 1}));
        assert!(matches!(error, Err(LakeError::Newer { .. })));
    }
}
