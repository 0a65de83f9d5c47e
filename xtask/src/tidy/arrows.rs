//! Which crate may use which: the list in `ARCHITECTURE.md` and the manifests say the same.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};

use super::{File, Violation, find};

const MAP: &str = "ARCHITECTURE.md";
const BEGIN: &str = "<!-- arrows: tidy reads this list -->";
const END: &str = "<!-- end of arrows -->";

/// The crates that may name a part of the engine, beginning with the most closely held.
const ENGINE: [(&str, &[&str]); 4] = [
    ("deltalake", &["lake"]),
    ("object_store", &["lake"]),
    ("datafusion-distributed", &["lake"]),
    ("datafusion", &["lake", "transform", "serve"]),
];

/// What a manifest depends on.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Dependencies {
    /// At run time.
    pub(super) normal: Vec<String>,
    /// In tests and build scripts.
    pub(super) other: Vec<String>,
}

/// Checks the manifests against the list, and the engine's names against those who may use them.
pub(super) fn check(files: &[File]) -> anyhow::Result<Vec<Violation>> {
    let map = find(files, MAP)?;
    let stated = parse_list(&map.text)?;
    let manifests: BTreeMap<&str, (&File, Dependencies)> = files
        .iter()
        .filter(|file| file.name() == "Cargo.toml" && file.path != "Cargo.toml")
        .map(|file| {
            let name = file.folder().rsplit('/').next().unwrap_or_default();
            (name, (file, parse_manifest(&file.text)))
        })
        .collect();
    let mut found = Vec::new();
    for (name, (file, dependencies)) in &manifests {
        let Some(allowed) = stated.get(*name) else {
            found.push(map.violation(0, format!("crate `{name}` is not in the list of arrows")));
            continue;
        };
        let is_ours = |dependency: &&String| manifests.contains_key(dependency.as_str());
        let actual: Vec<&String> = dependencies.normal.iter().filter(is_ours).collect();
        for dependency in actual
            .iter()
            .filter(|dependency| !allowed.contains(dependency))
        {
            let message = format!("arrow `{name} → {dependency}` is not in {MAP}");
            found.push(file.violation(0, message));
        }
        for arrow in allowed.iter().filter(|arrow| !actual.contains(arrow)) {
            let message = format!("arrow `{name} → {arrow}` is no longer in {}", file.path);
            found.push(map.violation(0, message));
        }
        found.extend(check_engine(name, file, dependencies));
    }
    for name in stated
        .keys()
        .filter(|name| !manifests.contains_key(name.as_str()))
    {
        found.push(map.violation(0, format!("there is no crate `{name}`")));
    }
    Ok(found)
}

fn check_engine(name: &str, file: &File, dependencies: &Dependencies) -> Vec<Violation> {
    let all = dependencies.normal.iter().chain(&dependencies.other);
    all.filter_map(|dependency| {
        let (_, allowed) = ENGINE
            .iter()
            .find(|(part, _)| dependency == part || dependency.starts_with(&format!("{part}-")))?;
        (!allowed.contains(&name)).then(|| {
            let message = format!("names `{dependency}`; only {} may", allowed.join(", "));
            file.violation(0, message)
        })
    })
    .collect()
}

/// The list: lines such as `serve: domain lake transform`.
pub(super) fn parse_list(text: &str) -> anyhow::Result<BTreeMap<String, Vec<String>>> {
    let (_, rest) = text
        .split_once(BEGIN)
        .with_context(|| format!("{MAP} has no `{BEGIN}`"))?;
    let (list, _) = rest
        .split_once(END)
        .with_context(|| format!("{MAP} has no `{END}`"))?;
    let mut arrows = BTreeMap::new();
    for line in list
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with("```"))
    {
        let Some((name, targets)) = line.split_once(':') else {
            bail!("{MAP}: `{line}` is no line of the list of arrows");
        };
        let targets = targets.split_whitespace().map(str::to_owned).collect();
        arrows.insert(name.trim().to_owned(), targets);
    }
    Ok(arrows)
}

/// The names that a manifest's dependency tables begin their lines with.
pub(super) fn parse_manifest(text: &str) -> Dependencies {
    let mut dependencies = Dependencies::default();
    let mut table = String::new();
    for line in text.lines().map(str::trim) {
        if let Some(header) = line.strip_prefix('[') {
            table = header.trim_end_matches(']').to_owned();
            // `[dependencies.name]` is a dependency too.
            if let Some((kind, name)) = table.rsplit_once('.')
                && kind.ends_with("dependencies")
            {
                dependencies.add(kind, name);
            }
        } else if table.ends_with("dependencies") && !line.is_empty() && !line.starts_with('#') {
            let end = line.find(['.', ' ', '=']).unwrap_or(line.len());
            dependencies.add(&table, &line[..end]);
        }
    }
    dependencies
}

impl Dependencies {
    fn add(&mut self, table: &str, name: &str) {
        let is_other = table.contains("dev-") || table.contains("build-");
        let list = if is_other {
            &mut self.other
        } else {
            &mut self.normal
        };
        list.push(name.trim_matches('"').to_owned());
    }
}
