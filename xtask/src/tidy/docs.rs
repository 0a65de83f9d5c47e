//! Rules for the documentation: links that lead somewhere, generated pages as they are generated.

use std::path::Path;
use std::sync::LazyLock;

use regex::Regex;

use super::{File, Violation};

#[expect(
    clippy::unwrap_used,
    reason = "the pattern is a constant; the tests compile it"
)]
static LINK: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\]\(([^)#\s]+)(#[^)]*)?\)").unwrap());

/// Checks every Markdown file, and the generated ones against what they are generated from.
pub(super) fn check(root: &Path, files: &[File]) -> Vec<Violation> {
    let mut found = check_links(root, files);
    let pages = match crate::generate::pages(root) {
        Ok(pages) => pages,
        Err(error) => {
            found.push(Violation {
                path: "metrics".to_owned(),
                line: 0,
                message: format!("cannot be read: {error:#}"),
            });
            vec![]
        }
    };
    for (path, text) in pages {
        if !files
            .iter()
            .any(|file| file.path == path && file.text == text)
        {
            let message = "not as generated: run `make docs`".to_owned();
            found.push(Violation {
                path: path.to_owned(),
                line: 0,
                message,
            });
        }
    }
    found
}

fn check_links(root: &Path, files: &[File]) -> Vec<Violation> {
    let mut found = Vec::new();
    for file in files.iter().filter(|file| file.extension() == "md") {
        for (number, line) in file.lines() {
            for captures in LINK.captures_iter(line) {
                let target = &captures[1];
                if target.contains("://") || target.starts_with("mailto:") {
                    continue;
                }
                if !root.join(file.folder()).join(target).exists() {
                    let message = format!("link to `{target}`, which does not exist");
                    found.push(file.violation(number, message));
                }
            }
        }
    }
    found
}
