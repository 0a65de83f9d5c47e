//! The files of a stream: paths and globs are expanded, folders listed, nothing is opened.
//!
//! What is not there is a [`Finding`], not an error: other paths and other sources go on. The
//! order is that of the relative paths, so that it is the same on every machine.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::path::{Component, Path, PathBuf};
use std::time::UNIX_EPOCH;

use domain::config::Stream;
use glob::{MatchOptions, Pattern};

use crate::error::ReadError;
use crate::files::id;

/// Endings that a folder's files are taken by, after `.gz` or `.zst` is taken off.
const ENDINGS: [&str; 9] = [
    "csv", "tsv", "tab", "txt", "json", "jsonl", "ndjson", "parquet", "pq",
];

/// Folders deeper than this below the one that is named are not entered.
const FOLDER_DEPTH_MAX: usize = 32;

/// What the paths of a stream lead to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// The files, by relative path.
    pub files: Vec<FoundFile>,
    /// What the user should know.
    pub findings: Vec<Finding>,
}

/// A file, as it was when it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundFile {
    /// Where to open it.
    pub path: PathBuf,
    /// Its path relative to the project, with forward slashes; `../` where it lies outside.
    pub relative: String,
    /// Its size.
    pub size_bytes: u64,
    /// When it was last modified, in microseconds since 1970.
    pub modified_us: i64,
}

impl FoundFile {
    /// A file by its path.
    ///
    /// # Errors
    /// It is not there, not a file, or not accessible.
    pub fn at(path: &Path, relative: impl Into<String>) -> Result<Self, ReadError> {
        let metadata = std::fs::metadata(path)?;
        if !metadata.is_file() {
            return Err(ReadError::NotAFile);
        }
        Ok(Self::of(path.to_owned(), relative.into(), &metadata))
    }

    fn of(path: PathBuf, relative: String, metadata: &Metadata) -> Self {
        let (size_bytes, modified_us) = (metadata.len(), modified_us(metadata));
        Self {
            path,
            relative,
            size_bytes,
            modified_us,
        }
    }

    /// The hash of its content. This reads the whole file: keep it with size and time, and ask
    /// only when those are new. Files may be hashed in parallel.
    ///
    /// # Errors
    /// The file cannot be opened or read.
    pub fn content_hash(&self) -> Result<String, ReadError> {
        id::content_hash(&self.path)
    }

    /// Whether size and time are still those that were found.
    pub(crate) fn is_unchanged(&self, metadata: &Metadata) -> bool {
        metadata.len() == self.size_bytes && modified_us(metadata) == self.modified_us
    }
}

/// Microseconds since 1970; 0 where the file system keeps no times.
fn modified_us(metadata: &Metadata) -> i64 {
    let Ok(modified) = metadata.modified() else {
        return 0;
    };
    match modified.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_micros()).unwrap_or(i64::MAX),
        Err(before) => -i64::try_from(before.duration().as_micros()).unwrap_or(i64::MAX),
    }
}

/// What the user should know about the paths of a stream.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Finding {
    /// A path or glob that leads to no file.
    #[error("`{path}` leads to no file{}", self.detail())]
    NoMatch {
        /// As the project says it.
        path: String,
        /// The longest part of it that exists, relative to the project; empty if none does.
        existing: String,
    },
    /// A glob that is not one.
    #[error("`{path}` is no valid glob: {cause}")]
    BadGlob {
        /// As the project says it.
        path: String,
        /// What is wrong.
        cause: String,
    },
    /// Something on the way that may not be read.
    #[error("cannot look into `{path}`: {cause}")]
    Unreadable {
        /// Relative to the project.
        path: String,
        /// What the operating system says.
        cause: String,
    },
    /// Files of a folder that are not taken, because of their names.
    #[error("{count} files in `{path}` are left out by their names, e.g. `{example}`")]
    LeftOut {
        /// As the project says it.
        path: String,
        /// How many.
        count: u64,
        /// The first of them.
        example: String,
    },
}

impl Finding {
    fn detail(&self) -> String {
        match self {
            Self::NoMatch { existing, .. } if !existing.is_empty() => {
                format!("; only `{existing}` exists")
            }
            _ => String::new(),
        }
    }

    /// What the user can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NoMatch { .. } => {
                "paths are relative to the project folder; `**` stands for folders at any depth"
            }
            Self::BadGlob { .. } => "`**` must stand alone between slashes; close every `[`",
            Self::Unreadable { .. } => "let the user that runs this read it",
            Self::LeftOut { .. } => "name them by a glob, or set `format`, if they are data",
        }
    }
}

/// The files that a stream's paths lead to.
///
/// A path that is a folder means all data files in it and below; files that begin with `.` or
/// `_`, and such as are still being written (`.tmp`, `.part` …), are not taken. In a glob `*`
/// stays within one folder, `**` does not.
pub fn find(project_dir: &Path, stream: &Stream) -> Found {
    let mut finder = Finder {
        base: std::path::absolute(project_dir).unwrap_or_else(|_| project_dir.to_owned()),
        takes_any_name: stream.files.format.is_some(),
        files: BTreeMap::new(),
        findings: Vec::new(),
    };
    for path in &stream.paths {
        finder.expand(path);
    }
    Found {
        files: finder.files.into_values().collect(),
        findings: finder.findings,
    }
}

struct Finder {
    base: PathBuf,
    takes_any_name: bool,
    files: BTreeMap<String, FoundFile>,
    findings: Vec<Finding>,
}

impl Finder {
    /// Takes the files of one path or glob.
    fn expand(&mut self, path: &str) {
        let literal = self.base.join(path);
        // What exists under this very name is meant, even if the name looks like a glob.
        let found = match std::fs::metadata(&literal) {
            Ok(metadata) if metadata.is_dir() => self.folder(path, &literal),
            Ok(_) => self.take(literal),
            Err(_) if path.contains(['*', '?', '[']) => self.glob(path),
            Err(error) => {
                if error.kind() == std::io::ErrorKind::PermissionDenied {
                    self.unreadable(&literal, &error);
                }
                0
            }
        };
        if found == 0 {
            let existing = self.existing_part(path);
            self.findings.push(Finding::NoMatch {
                path: path.to_owned(),
                existing,
            });
        }
    }

    /// Takes what a glob matches; how many files that are.
    fn glob(&mut self, path: &str) -> u64 {
        let options = MatchOptions {
            case_sensitive: true,
            require_literal_separator: true,
            require_literal_leading_dot: true,
        };
        let below = if path.ends_with("**") { "/*" } else { "" };
        let pattern = if Path::new(path).is_absolute() {
            format!("{path}{below}")
        } else {
            format!(
                "{}/{path}{below}",
                Pattern::escape(&self.base.to_string_lossy())
            )
        };
        let entries = match glob::glob_with(&pattern, options) {
            Ok(entries) => entries,
            Err(error) => {
                let cause = error.msg.to_owned();
                self.findings.push(Finding::BadGlob {
                    path: path.to_owned(),
                    cause,
                });
                return 0;
            }
        };
        let mut count = 0;
        for entry in entries {
            match entry {
                Ok(file) if file.is_dir() => {}
                Ok(file) => count += self.take(file),
                Err(error) => self.unreadable(error.path(), error.error()),
            }
        }
        count
    }

    /// Takes the data files in a folder and below; how many those are.
    fn folder(&mut self, path: &str, folder: &Path) -> u64 {
        let mut count = 0;
        let mut left_out: (u64, Option<String>) = (0, None);
        let mut open = vec![(folder.to_owned(), 0)];
        while let Some((folder, depth)) = open.pop() {
            let entries = match std::fs::read_dir(&folder) {
                Ok(entries) => entries,
                Err(error) => {
                    self.unreadable(&folder, &error);
                    continue;
                }
            };
            let mut entries: Vec<_> = entries.flatten().collect();
            entries.sort_by_key(std::fs::DirEntry::file_name);
            for entry in entries {
                let name = entry.file_name().to_string_lossy().into_owned();
                // A link to a folder is not followed: it may lead back up.
                let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
                if is_folder && !is_hidden(&name) && depth < FOLDER_DEPTH_MAX {
                    open.push((entry.path(), depth + 1));
                } else if !is_folder && self.is_data(&name) {
                    count += self.take(entry.path());
                } else if !is_folder && !name.starts_with('.') {
                    left_out.0 += 1;
                    left_out.1.get_or_insert(name);
                }
            }
        }
        if let (left_out, Some(example)) = left_out {
            let path = path.to_owned();
            self.findings.push(Finding::LeftOut {
                path,
                count: left_out,
                example,
            });
        }
        count
    }

    fn is_data(&self, name: &str) -> bool {
        const UNFINISHED: [&str; 6] = [".tmp", ".part", ".partial", ".crdownload", ".swp", "~"];
        let lower = name.to_ascii_lowercase();
        if is_hidden(&lower) || UNFINISHED.iter().any(|ending| lower.ends_with(ending)) {
            return false;
        }
        let (plain, _) = super::decode::format::without_compression(&lower);
        let is_known = match plain.rsplit_once('.') {
            Some((_, ending)) => ENDINGS.contains(&ending),
            None => true,
        };
        is_known || self.takes_any_name
    }

    /// Takes one file; 1 if it is one.
    fn take(&mut self, path: PathBuf) -> u64 {
        let metadata = match std::fs::metadata(&path) {
            Ok(metadata) => metadata,
            Err(error) => {
                self.unreadable(&path, &error);
                return 0;
            }
        };
        if !metadata.is_file() {
            return 0;
        }
        let relative = relative(&self.base, &path);
        let file = FoundFile::of(path, relative.clone(), &metadata);
        self.files.entry(relative).or_insert(file);
        1
    }

    fn unreadable(&mut self, path: &Path, error: &std::io::Error) {
        let path = relative(&self.base, path);
        self.findings.push(Finding::Unreadable {
            path,
            cause: error.to_string(),
        });
    }

    /// The longest part of a path, before its first wildcard, that exists.
    fn existing_part(&self, path: &str) -> String {
        let plain: PathBuf = Path::new(path)
            .components()
            .take_while(|part| !part.as_os_str().to_string_lossy().contains(['*', '?', '[']))
            .collect();
        plain
            .ancestors()
            .find(|part| !part.as_os_str().is_empty() && self.base.join(part).exists())
            .map(|part| part.to_string_lossy().into_owned())
            .unwrap_or_default()
    }
}

/// Names that folders keep for themselves: `.git`, `_SUCCESS`, `_delta_log`.
fn is_hidden(name: &str) -> bool {
    name.starts_with(['.', '_'])
}

/// A path seen from a folder, both absolute, with forward slashes.
fn relative(base: &Path, path: &Path) -> String {
    let base = normal(base);
    let path = normal(path);
    let shared = base.iter().zip(&path).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..", base.len() - shared).map(str::to_owned);
    up.chain(path[shared..].iter().cloned())
        .collect::<Vec<_>>()
        .join("/")
}

/// The names a path consists of, without `.` and `..`.
fn normal(path: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => names.push(name.to_string_lossy().into_owned()),
            Component::ParentDir => {
                names.pop();
            }
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    names
}

#[cfg(test)]
mod tests;
