//! Where the shared vectors lie, for tests. They are read, never copied; where they are absent the
//! tests that need them say so and pass.

use std::path::PathBuf;

/// The file under `shared/vectors`, or None with a message where it is absent.
pub(crate) fn path(name: &str) -> Option<PathBuf> {
    // Asked when the test runs: a build may be of another clone into the same target folder.
    let here = std::env::var("CARGO_MANIFEST_DIR");
    let here = here.unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").to_owned());
    let path = PathBuf::from(here)
        .join("../../../shared/vectors")
        .join(name);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: {} is absent", path.display());
    None
}

/// Its text.
pub(crate) fn text(name: &str) -> Option<String> {
    path(name).map(|path| std::fs::read_to_string(path).expect("a readable vector file"))
}

/// Its JSON.
pub(crate) fn json(name: &str) -> Option<serde_json::Value> {
    text(name).map(|text| serde_json::from_str(&text).expect("vectors are JSON"))
}

/// Microseconds since 1970 of an RFC 3339 text.
pub(crate) fn micros(text: &str) -> i64 {
    chrono::DateTime::parse_from_rfc3339(text)
        .expect("an RFC 3339 time")
        .timestamp_micros()
}

/// Rows of a CSV text as (header name -> value).
pub(crate) fn csv_rows(text: &str) -> Vec<std::collections::BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().expect("a header").clone();
    reader
        .records()
        .map(|row| {
            let row = row.expect("a CSV row");
            header
                .iter()
                .map(str::to_owned)
                .zip(row.iter().map(str::to_owned))
                .collect()
        })
        .collect()
}
