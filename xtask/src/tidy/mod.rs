//! The style and the structure of the repository, as a test.
//!
//! Every rule is a function from the repository's files to violations, each with the file, the
//! line and what to do. Rules read text by simple patterns: they hold the line, they do not parse.
//! Nothing here changes a file.

mod arrows;
mod docs;
mod licences;
mod lock;
mod models;
mod rust;
mod text;

#[cfg(test)]
mod tests;

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// A place that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Violation {
    /// File, relative to the root.
    path: String,
    /// Line, from 1; 0 for the whole file.
    line: usize,
    /// What is wrong and what to do.
    message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}: {}", self.path, self.line, self.message)
    }
}

/// A file of the repository.
#[derive(Debug, Clone)]
pub(crate) struct File {
    /// Path relative to the root, with `/`.
    path: String,
    /// Its text.
    text: String,
}

impl File {
    fn extension(&self) -> &str {
        Path::new(&self.path)
            .extension()
            .and_then(|end| end.to_str())
            .unwrap_or_default()
    }

    fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    fn stem(&self) -> &str {
        self.name().split('.').next().unwrap_or_default()
    }

    fn folder(&self) -> &str {
        self.path.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    fn violation(&self, line: usize, message: impl Into<String>) -> Violation {
        Violation {
            path: self.path.clone(),
            line,
            message: message.into(),
        }
    }

    /// Its lines with their numbers from 1.
    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line))
    }
}

/// Folders that hold nothing of ours.
const FOLDERS_SKIPPED: [&str; 5] = ["target", "node_modules", ".git", ".throughline", "dist"];

/// Files that are read; all others (images, data) are left alone.
const EXTENSIONS: [&str; 15] = [
    "rs", "sql", "md", "yml", "yaml", "toml", "sh", "csv", "ts", "svelte", "css", "html", "json",
    "lock", "",
];

/// Reads the text files of the repository, in the order of their paths.
pub(crate) fn read_files(root: &Path) -> anyhow::Result<Vec<File>> {
    let mut files = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        let full = root.join(&folder);
        for entry in std::fs::read_dir(&full).with_context(|| format!("list {}", full.display()))? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = folder.join(&name);
            if entry.file_type()?.is_dir() {
                if !FOLDERS_SKIPPED.contains(&name.as_str()) {
                    folders.push(path);
                }
                continue;
            }
            let extension = path
                .extension()
                .and_then(|end| end.to_str())
                .unwrap_or_default();
            if !EXTENSIONS.contains(&extension) {
                continue;
            }
            let Ok(text) = std::fs::read_to_string(entry.path()) else {
                continue;
            };
            files.push(File {
                path: path.to_string_lossy().replace('\\', "/"),
                text,
            });
        }
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(files)
}

/// Every violation in the repository, in the order of path and line.
///
/// # Errors
/// When a file cannot be read, or one that a rule relies on is missing.
pub(crate) fn check(root: &Path) -> anyhow::Result<Vec<Violation>> {
    let files = read_files(root)?;
    let mut all = Vec::new();
    all.extend(text::check(&files));
    all.extend(rust::check(&files));
    all.extend(models::check(&files));
    all.extend(arrows::check(&files)?);
    all.extend(lock::check(&files)?);
    all.extend(docs::check(root, &files));
    all.extend(licences::check(root, &files)?);
    all.sort();
    Ok(all)
}

/// The file at a path.
fn find<'files>(files: &'files [File], path: &str) -> anyhow::Result<&'files File> {
    files
        .iter()
        .find(|file| file.path == path)
        .with_context(|| format!("`{path}` is missing"))
}
