//! Rules for every text file: spaces, widths, leftovers, paths of one machine.

use std::sync::LazyLock;

use regex::Regex;

use super::{File, Violation};

const COLUMNS_MAX: usize = 100;

#[expect(
    clippy::unwrap_used,
    reason = "the pattern is a constant; the tests compile it"
)]
static LEFTOVER: LazyLock<Regex> = LazyLock::new(|| {
    // Written in parts, so that this file does not contain what it looks for.
    let pattern = [
        r"\b(to",
        r"do!|unimple",
        r"mented!|FIX",
        r"ME\b|X",
        // Three X are also a currency, and a task may be to do: these markers have a colon.
        r"XX:|TO",
        r"DO[:(])",
    ];
    Regex::new(&pattern.concat()).unwrap()
});

#[expect(
    clippy::unwrap_used,
    reason = "the pattern is a constant; the tests compile it"
)]
static MACHINE_PATH: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"(^|[\s"'`(=:])/(home|Users|root|work)/[A-Za-z.]"#).unwrap());

/// Checks every file.
pub(super) fn check(files: &[File]) -> Vec<Violation> {
    let mut found = Vec::new();
    for file in files {
        if matches!(file.extension(), "csv" | "json" | "html") || file.name() == "Cargo.lock" {
            continue;
        }
        if !file.text.is_empty() && !file.text.ends_with('\n') {
            found.push(file.violation(0, "the last line has no line end"));
        }
        for (number, line) in file.lines() {
            check_line(file, number, line, &mut found);
        }
    }
    found
}

fn check_line(file: &File, number: usize, line: &str, found: &mut Vec<Violation>) {
    let is_prose = file.extension() == "md";
    if !is_prose && line.ends_with([' ', '\t']) {
        found.push(file.violation(number, "space at the end of the line"));
    }
    if matches!(file.extension(), "rs" | "sql" | "yml" | "toml") && line.contains('\t') {
        found.push(file.violation(number, "tab; use spaces"));
    }
    let columns = line.chars().count();
    let is_code = matches!(file.extension(), "rs" | "sql" | "sh" | "ts" | "svelte");
    // A web address cannot be broken over two lines, and rustfmt leaves texts in quotes alone.
    let is_text =
        file.extension() == "rs" && (line.contains('"') || line.trim_end().ends_with('\\'));
    if is_code && columns > COLUMNS_MAX && !line.contains("://") && !is_text {
        found.push(file.violation(
            number,
            format!("{columns} columns; {COLUMNS_MAX} are the most"),
        ));
    }
    if !is_prose && let Some(leftover) = LEFTOVER.find(line) {
        let message = format!("leftover `{}`: do it, or open an issue", leftover.as_str());
        found.push(file.violation(number, message));
    }
    if MACHINE_PATH.is_match(line) {
        found.push(file.violation(number, "a path of one machine"));
    }
}
