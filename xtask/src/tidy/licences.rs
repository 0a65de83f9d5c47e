//! Every dependency's licence is one that `deny.toml` allows.
//!
//! `cargo deny` checks the same and more; this holds where it is not installed.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail};
use serde::Deserialize;

use super::{File, Violation, find};

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    license: Option<String>,
    source: Option<String>,
}

/// Checks the packages that `cargo metadata` knows.
pub(super) fn check(root: &Path, files: &[File]) -> anyhow::Result<Vec<Violation>> {
    let rules = find(files, "deny.toml")?;
    let lock = find(files, "Cargo.lock")?;
    let (allowed, excepted) = parse_rules(&rules.text);
    let mut found = Vec::new();
    for package in packages(root)?
        .iter()
        .filter(|package| package.source.is_some())
    {
        let licence = package.license.as_deref().unwrap_or_default();
        if !excepted.contains(package.name.as_str()) && !is_allowed(licence, &allowed) {
            let name = format!("{} {}", package.name, package.version);
            let message = format!("`{name}` is licensed `{licence}`, which deny.toml forbids");
            found.push(lock.violation(0, message));
        }
    }
    Ok(found)
}

fn packages(root: &Path) -> anyhow::Result<Vec<Package>> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1"])
        .args(["--filter-platform", "x86_64-unknown-linux-gnu"])
        .current_dir(root)
        .output()
        .context("run `cargo metadata`")?;
    if !output.status.success() {
        bail!(
            "`cargo metadata` failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let metadata: Metadata = serde_json::from_slice(&output.stdout)?;
    Ok(metadata.packages)
}

/// The licences in `allow`, and the crates in `exceptions`.
pub(super) fn parse_rules(text: &str) -> (BTreeSet<&str>, BTreeSet<&str>) {
    let quoted = |text: &'_ str| -> Vec<(usize, usize)> {
        let marks: Vec<usize> = text.match_indices('"').map(|(at, _)| at).collect();
        marks
            .chunks_exact(2)
            .map(|pair| (pair[0] + 1, pair[1]))
            .collect()
    };
    let mut allowed = BTreeSet::new();
    if let Some((_, rest)) = text.split_once("\nallow = [")
        && let Some((list, _)) = rest.split_once("\n]")
    {
        allowed.extend(quoted(list).into_iter().map(|(from, to)| &list[from..to]));
    }
    let excepted = text
        .split("crate = \"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next());
    (allowed, excepted.collect())
}

/// Whether an SPDX expression can be met with the allowed licences alone.
///
/// `/` is the old spelling of `OR`; `AND` binds more tightly than `OR`.
pub(super) fn is_allowed(expression: &str, allowed: &BTreeSet<&str>) -> bool {
    let spaced = expression
        .replace('(', " ( ")
        .replace(')', " ) ")
        .replace('/', " OR ");
    let tokens: Vec<&str> = spaced.split_whitespace().collect();
    let mut parser = Expression {
        tokens: &tokens,
        allowed,
    };
    parser.either() && parser.tokens.is_empty()
}

struct Expression<'text> {
    tokens: &'text [&'text str],
    allowed: &'text BTreeSet<&'text str>,
}

impl Expression<'_> {
    fn take(&mut self, word: &str) -> bool {
        let is_next = self.tokens.first() == Some(&word);
        if is_next {
            self.tokens = &self.tokens[1..];
        }
        is_next
    }

    fn either(&mut self) -> bool {
        let mut met = self.both();
        while self.take("OR") {
            met |= self.both();
        }
        met
    }

    fn both(&mut self) -> bool {
        let mut met = self.one();
        while self.take("AND") {
            met &= self.one();
        }
        met
    }

    fn one(&mut self) -> bool {
        if self.take("(") {
            let met = self.either();
            return self.take(")") && met;
        }
        let Some((name, rest)) = self.tokens.split_first() else {
            return false;
        };
        self.tokens = rest;
        if self.take("WITH") {
            let Some((exception, rest)) = self.tokens.split_first() else {
                return false;
            };
            self.tokens = rest;
            return self
                .allowed
                .contains(format!("{name} WITH {exception}").as_str());
        }
        self.allowed.contains(name)
    }
}
