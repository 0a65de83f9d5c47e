//! Rules for Rust files: purpose, length, reachability, lints that are expected and not allowed.
//!
//! Function ends are found by indentation, which `cargo fmt` guarantees.

use std::sync::LazyLock;

use regex::Regex;

use super::{File, Violation};

const FILE_LINES_MAX: usize = 800;
const FUNCTION_LINES_MAX: usize = 70;

#[expect(
    clippy::unwrap_used,
    reason = "the pattern is a constant; the tests compile it"
)]
static FUNCTION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"^( *)(pub(\([a-z]+\))? )?(const )?(async )?(unsafe )?(extern "C" )?fn ([a-z0-9_]+)"#,
    )
    .unwrap()
});

#[expect(
    clippy::unwrap_used,
    reason = "the pattern is a constant; the tests compile it"
)]
static MODULE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?m)^\s*(?:pub(?:\([a-z]+\))? )?mod ([a-z0-9_]+);").unwrap());

/// Checks every Rust file.
pub(super) fn check(files: &[File]) -> Vec<Violation> {
    let mut found = Vec::new();
    for file in files.iter().filter(|file| file.extension() == "rs") {
        if !file.text.starts_with("//!") {
            found.push(file.violation(1, "begins without `//!`: say what this file is for"));
        }
        let lines = file.text.lines().count();
        if lines > FILE_LINES_MAX {
            let message = format!("{lines} lines; {FILE_LINES_MAX} are the most: split it");
            found.push(file.violation(0, message));
        }
        if !is_test(file) {
            check_functions(file, &mut found);
        }
        check_attributes(file, &mut found);
        if is_dead(file, files) {
            found.push(file.violation(0, "dead file: no `mod` names it"));
        }
    }
    found
}

fn is_test(file: &File) -> bool {
    file.name().ends_with("tests.rs") || file.path.contains("/tests/")
}

/// Functions that are too long to be read at once.
fn check_functions(file: &File, found: &mut Vec<Violation>) {
    let lines: Vec<&str> = file.text.lines().collect();
    for (start, line) in lines.iter().enumerate() {
        let Some(captures) = FUNCTION.captures(line) else {
            continue;
        };
        let end_line = format!("{}}}", &captures[1]);
        let declaration = format!("{};", &captures[1]);
        let end = lines[start..].iter().position(|line| {
            *line == end_line || line.starts_with(&declaration) || is_one_line(line)
        });
        let Some(length) = end.map(|end| end + 1) else {
            continue;
        };
        if length > FUNCTION_LINES_MAX {
            let message = format!(
                "function `{}` has {length} lines; {FUNCTION_LINES_MAX} are the most",
                &captures[8]
            );
            found.push(file.violation(start + 1, message));
        }
    }
}

/// A function without a body of its own lines: `fn f() {}`, `fn f();`.
fn is_one_line(line: &str) -> bool {
    FUNCTION.is_match(line) && (line.ends_with('}') || line.ends_with(';'))
}

fn check_attributes(file: &File, found: &mut Vec<Violation>) {
    for (number, line) in file.lines() {
        let code = line.trim_start();
        if code.starts_with("#[allow(") || code.starts_with("#![allow(") {
            let message = "`allow`: use `#[expect(lint, reason = \"…\")]`";
            found.push(file.violation(number, message));
        }
        if code.starts_with("#[ignore]") {
            found.push(file.violation(number, "`#[ignore]` without the number of an issue"));
        }
    }
}

/// A file under `src` or `tests/it` that no module declaration leads to.
fn is_dead(file: &File, files: &[File]) -> bool {
    let is_root = matches!(file.name(), "lib.rs" | "main.rs" | "build.rs");
    let in_tree = file.path.contains("/src/") || file.path.contains("/tests/it/");
    if is_root || !in_tree || file.path.contains("/bin/") {
        return false;
    }
    // `a/mod.rs` is declared where `a.rs` would be.
    let (folder, module) = if file.name() == "mod.rs" {
        file.folder()
            .rsplit_once('/')
            .unwrap_or(("", file.folder()))
    } else {
        (file.folder(), file.stem())
    };
    let parents = [
        format!("{folder}/mod.rs"),
        format!("{folder}/lib.rs"),
        format!("{folder}/main.rs"),
        format!("{folder}.rs"),
    ];
    let declared = files
        .iter()
        .filter(|other| parents.contains(&other.path))
        .any(|parent| {
            MODULE
                .captures_iter(&parent.text)
                .any(|captures| &captures[1] == module)
        });
    let by_path = files
        .iter()
        .filter(|other| other.folder() == file.folder())
        .any(|other| {
            other
                .text
                .contains(&format!("#[path = \"{}\"]", file.name()))
        });
    !declared && !by_path
}
