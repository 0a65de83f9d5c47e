//! The files of a stream: paths and globs are expanded, folders listed, nothing is opened.
//!
//! What is not there is a [`Finding`], not an error: other paths and other sources go on. The
//! order is that of the relative paths, so that it is the same on every machine.

use std::collections::BTreeMap;
use std::fs::{DirEntry, Metadata};
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

/// Signs that make a path a glob.
const GLOB_SIGNS: [char; 3] = ['*', '?', '['];

/// `*` stays within a folder, and a name with a dot at its beginning is hidden.
const GLOB_OPTIONS: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

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
        /// The path relative to the project where it names one file or folder; none for a glob,
        /// which may have nothing to match yet.
        named: Option<String>,
    },
    /// An address of a store or a website.
    #[error("`{path}` is an address: files are read from folders of this machine only")]
    Address {
        /// As the project says it.
        path: String,
        /// How its files come here.
        fetch: &'static str,
    },
    /// Something that has the name of a file and is none: a pipe, a device, a socket. It is never
    /// opened, because reading a pipe may wait for ever.
    #[error("`{path}` is {what}, not a file")]
    NotAFile {
        /// Relative to the project.
        path: String,
        /// What it is, with its article.
        what: &'static str,
    },
    /// A link to a folder, within a folder.
    #[error("`{path}` is a link to a folder, which is not followed")]
    FolderLink {
        /// Relative to the project.
        path: String,
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
    #[error("cannot look at `{path}`: {cause}")]
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
            Self::NoMatch { path, existing, .. } if path == existing => {
                ": it is a folder without data files".to_owned()
            }
            Self::NoMatch { existing, .. } if !existing.is_empty() => {
                format!("; only `{existing}` exists")
            }
            _ => String::new(),
        }
    }

    /// Something that was named cannot be read: the run has failed, whatever else it does. A glob
    /// that matches nothing yet, and what a folder holds beside its data, are no failures.
    pub fn is_error(&self) -> bool {
        match self {
            Self::NoMatch { named, .. } => named.is_some(),
            Self::BadGlob { .. }
            | Self::Unreadable { .. }
            | Self::NotAFile { .. }
            | Self::Address { .. } => true,
            Self::LeftOut { .. } | Self::FolderLink { .. } => false,
        }
    }

    /// What the user can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NoMatch { .. } => {
                "paths are relative to the project folder; `**` stands for folders at any depth"
            }
            Self::Address { fetch, .. } => fetch,
            Self::NotAFile { .. } => "let its writer write a file, and name that",
            Self::FolderLink { .. } => "name the folder itself among the stream's paths",
            Self::BadGlob { .. } => "`**` must stand alone between slashes; close every `[`",
            Self::Unreadable { .. } => {
                "let the user that runs this read it; a link must lead to a file that is there"
            }
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

/// How the files of an address come to this machine; none for a path.
fn how_to_fetch(path: &str) -> Option<&'static str> {
    let (scheme, _) = path.split_once("://")?;
    let is_scheme = !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_scheme.then(|| match scheme.to_ascii_lowercase().as_str() {
        "s3" | "s3a" | "s3n" => {
            "fetch them first, for example `aws s3 sync s3://bucket/folder data/folder`, and name \
             that folder"
        }
        "gs" | "gcs" => {
            "fetch them first, for example `gcloud storage rsync -r gs://bucket/folder \
             data/folder`, and name that folder"
        }
        "az" | "azure" | "abfs" | "abfss" | "adl" | "wasb" | "wasbs" => {
            "fetch them first, for example with `azcopy sync`, and name the folder that they land in"
        }
        "http" | "https" | "ftp" | "ftps" => {
            "fetch them first, for example `curl --create-dirs -o data/export.csv ADDRESS`, and \
             name that file"
        }
        "sftp" | "scp" | "ssh" | "rsync" => {
            "fetch them first, for example with `rsync -a`, and name the folder that they land in"
        }
        "file" => "name the path without `file://`",
        _ => "fetch them first, and name the folder that they land in",
    })
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
        if let Some(fetch) = how_to_fetch(path).filter(|_| literal.symlink_metadata().is_err()) {
            self.findings.push(Finding::Address {
                path: path.to_owned(),
                fetch,
            });
            return;
        }
        let said_before = self.findings.len();
        // What exists under this very name is meant, even if the name looks like a glob.
        let found = match std::fs::metadata(&literal) {
            Ok(metadata) if metadata.is_dir() => self.folder(path, &literal),
            Ok(_) => self.take(literal.clone()),
            Err(_) if path.contains(GLOB_SIGNS) => self.glob(path),
            // What is there and cannot be looked at: a link that leads nowhere or in a circle, a
            // folder that is closed.
            Err(error)
                if error.kind() != std::io::ErrorKind::NotFound
                    || literal.symlink_metadata().is_ok() =>
            {
                self.unreadable(&literal, &error);
                return;
            }
            Err(_) => 0,
        };
        let said = self.findings.get(said_before..).unwrap_or_default();
        let is_said = said.iter().any(Finding::is_error);
        if found == 0 && !is_said {
            let existing = self.existing_part(path);
            // A folder may wait for its files, but not one that is called as a file is.
            let waits = literal.is_dir() && !has_ending(path);
            let named = !waits && !path.contains(GLOB_SIGNS);
            self.findings.push(Finding::NoMatch {
                path: path.to_owned(),
                existing,
                named: named.then(|| relative(&self.base, &literal)),
            });
        }
    }

    /// Takes what a glob matches; how many files that are.
    fn glob(&mut self, path: &str) -> u64 {
        if let Err(error) = Pattern::new(path) {
            let cause = error.msg.to_owned();
            self.findings.push(Finding::BadGlob {
                path: path.to_owned(),
                cause,
            });
            return 0;
        }
        let from = if Path::new(path).is_absolute() {
            PathBuf::from("/")
        } else {
            self.base.clone()
        };
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        self.matching(&from, &parts, 0)
    }

    /// Takes what the parts of a glob match below a folder. `**` follows no links: two that lead
    /// back up would make more paths than can ever be walked.
    fn matching(&mut self, folder: &Path, parts: &[&str], depth: usize) -> u64 {
        match parts {
            [] => 0,
            ["**", rest @ ..] => {
                let below = if rest.is_empty() { &["*"] } else { rest };
                let mut count = self.matching(folder, below, depth);
                for entry in self.entries(folder) {
                    let name = entry.file_name().to_string_lossy().into_owned();
                    let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
                    if is_folder && !name.starts_with('.') && depth < FOLDER_DEPTH_MAX {
                        count += self.matching(&entry.path(), parts, depth + 1);
                    }
                }
                count
            }
            [part, rest @ ..] if part.contains(GLOB_SIGNS) => {
                let Ok(pattern) = Pattern::new(part) else {
                    return 0;
                };
                let mut count = 0;
                for entry in self.entries(folder) {
                    let name = entry.file_name().to_string_lossy().into_owned();
                    if pattern.matches_with(&name, GLOB_OPTIONS) {
                        count += self.matched(entry.path(), rest, depth);
                    }
                }
                count
            }
            [part, rest @ ..] => {
                let path = folder.join(part);
                match path.symlink_metadata() {
                    Ok(_) => self.matched(path, rest, depth),
                    Err(_) => 0,
                }
            }
        }
    }

    /// Takes what one part of a glob matched, or goes on below it.
    fn matched(&mut self, path: PathBuf, rest: &[&str], depth: usize) -> u64 {
        match (path.is_dir(), rest.is_empty()) {
            (true, true) => 0,
            (true, false) => self.matching(&path, rest, depth),
            (false, true) => self.take(path),
            (false, false) => 0,
        }
    }

    /// What lies in a folder, in the order of the names.
    fn entries(&mut self, folder: &Path) -> Vec<DirEntry> {
        match std::fs::read_dir(folder) {
            Ok(entries) => {
                let mut entries: Vec<_> = entries.flatten().collect();
                entries.sort_by_key(DirEntry::file_name);
                entries
            }
            Err(error) => {
                self.unreadable(folder, &error);
                Vec::new()
            }
        }
    }

    /// Takes the data files in a folder and below; how many those are.
    fn folder(&mut self, path: &str, folder: &Path) -> u64 {
        let mut count = 0;
        let mut left_out: (u64, Option<String>) = (0, None);
        let mut open = vec![(folder.to_owned(), 0)];
        while let Some((folder, depth)) = open.pop() {
            for entry in self.entries(&folder) {
                let name = entry.file_name().to_string_lossy().into_owned();
                // A link to a folder is not followed: it may lead back up.
                let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
                let is_link = entry.file_type().is_ok_and(|kind| kind.is_symlink());
                if is_folder && !is_hidden(&name) && depth < FOLDER_DEPTH_MAX {
                    open.push((entry.path(), depth + 1));
                } else if is_link && !is_hidden(&name) && entry.path().is_dir() {
                    let path = relative(&self.base, &entry.path());
                    self.findings.push(Finding::FolderLink { path });
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
        !plain.contains('.') || has_ending(plain) || self.takes_any_name
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
            let path = relative(&self.base, &path);
            let what = kind_of(&metadata);
            self.findings.push(Finding::NotAFile { path, what });
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
            .take_while(|part| !part.as_os_str().to_string_lossy().contains(GLOB_SIGNS))
            .collect();
        plain
            .ancestors()
            .find(|part| !part.as_os_str().is_empty() && self.base.join(part).exists())
            .map(|part| part.to_string_lossy().into_owned())
            .unwrap_or_default()
    }
}

/// What something is that is no file.
fn kind_of(metadata: &Metadata) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt as _;
        let kind = metadata.file_type();
        if kind.is_fifo() {
            return "a pipe";
        }
        if kind.is_socket() {
            return "a socket";
        }
        if kind.is_block_device() || kind.is_char_device() {
            return "a device";
        }
    }
    if metadata.is_dir() {
        "a folder"
    } else {
        "something else"
    }
}

/// Whether a name ends as data files do.
fn has_ending(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let (plain, _) = super::decode::format::without_compression(&lower);
    let ending = plain.rsplit_once('.').map(|(_, ending)| ending);
    ending.is_some_and(|ending| ENDINGS.contains(&ending))
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
