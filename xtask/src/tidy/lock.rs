//! One version each of the engine's parts: two would be two sets of types that do not fit.

use std::collections::BTreeMap;

use super::{File, Violation, find};

const ONE_VERSION: [&str; 9] = [
    "arrow",
    "arrow-array",
    "arrow-schema",
    "datafusion",
    "datafusion-common",
    "deltalake",
    "deltalake-core",
    "object_store",
    "parquet",
];

/// Checks `Cargo.lock`.
pub(super) fn check(files: &[File]) -> anyhow::Result<Vec<Violation>> {
    let lock = find(files, "Cargo.lock")?;
    let versions = versions(&lock.text);
    let doubled = ONE_VERSION.iter().filter_map(|name| {
        let of_name = versions.get(name)?;
        (of_name.len() > 1).then(|| {
            let message = format!(
                "`{name}` in {} versions: {}",
                of_name.len(),
                of_name.join(", ")
            );
            lock.violation(0, message)
        })
    });
    Ok(doubled.collect())
}

/// The versions of every package, by name.
pub(super) fn versions(lock: &str) -> BTreeMap<&str, Vec<&str>> {
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut name = "";
    for line in lock.lines() {
        let value = |key: &str| {
            line.strip_prefix(key)?
                .strip_prefix(" = \"")?
                .strip_suffix('"')
        };
        if let Some(found) = value("name") {
            name = found;
        } else if let Some(version) = value("version") {
            versions.entry(name).or_default().push(version);
        }
    }
    versions
}
