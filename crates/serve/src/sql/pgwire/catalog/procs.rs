//! Functions as `pg_proc` lists them: those that read and write the values of types.

use super::types::TYPES;

/// Number of the first; those of PostgreSQL's own below 10,000 are other functions' there too.
const FIRST: u32 = 14_000;
/// What a function does with a type: reads and writes it as text, and in binary.
const ENDS: [&str; 4] = ["in", "out", "recv", "send"];

/// All of them with their numbers.
pub(super) fn all() -> impl Iterator<Item = (u32, String)> {
    let names = TYPES.iter().map(|one| one.name).chain(["array_", "range_"]);
    let names = names.flat_map(|name| ENDS.map(|end| format!("{name}{end}")));
    (FIRST..).zip(names)
}

/// The number of a function; 0 if it is not listed.
pub(super) fn oid(name: &str) -> u32 {
    let name = name.strip_prefix("pg_catalog.").unwrap_or(name);
    all().find(|(_, own)| own == name).map_or(0, |(oid, _)| oid)
}

/// The name of a function.
pub(super) fn name(oid: i64) -> String {
    let found = all().find(|(own, _)| i64::from(*own) == oid);
    found.map_or_else(|| oid.to_string(), |(_, name)| name)
}
