//! Where model files come from: a folder, or the program itself.

use std::path::{Path, PathBuf};

use super::problem::{Problem, ProjectError};

/// A text file of a project or of the built-in models.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelFile {
    /// Path with `/`, relative to the project: `models/3_star/fct_order.sql`.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// A place that model files come from.
pub trait ModelFiles {
    /// All SQL and YAML files, and the CSV files of seeds, in the order of their paths.
    ///
    /// # Errors
    /// A file or folder cannot be read.
    fn files(&self) -> Result<Vec<ModelFile>, ProjectError>;
}

/// Files that are part of the program: path and text of each.
#[derive(Debug, Clone, Copy)]
pub struct EmbeddedFiles(pub &'static [(&'static str, &'static str)]);

impl ModelFiles for EmbeddedFiles {
    fn files(&self) -> Result<Vec<ModelFile>, ProjectError> {
        let file = |(path, text): &(&str, &str)| ModelFile {
            path: (*path).to_owned(),
            text: (*text).to_owned(),
        };
        let mut files: Vec<ModelFile> = self.0.iter().map(file).collect();
        files.sort_by(|left, right| left.path.cmp(&right.path));
        Ok(files)
    }
}

/// Files below a folder.
#[derive(Debug, Clone)]
pub struct FolderFiles {
    dir: PathBuf,
    roots: &'static [&'static str],
}

const ENDINGS: [&str; 3] = ["sql", "yml", "yaml"];
/// Deeper folders than this are a loop or a mistake.
const DEPTH_MAX: usize = 16;

impl FolderFiles {
    /// The files of a project in `dir`.
    pub fn of_project(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            roots: &["models", "macros", "seeds", "tests", "quality", "metrics"],
        }
    }

    /// Models in the place of the built-in ones: `dir` holds `models`, `quality` and `metrics`, or
    /// is the `models` folder itself with the others beside it.
    pub fn of_models(dir: impl Into<PathBuf>) -> Self {
        let dir: PathBuf = dir.into();
        let is_models = dir.join("1_silver").is_dir() && !dir.join("models").is_dir();
        let parent = dir
            .parent()
            .filter(|_| is_models && dir.ends_with("models"));
        let dir = parent.map(Path::to_path_buf).unwrap_or(dir);
        Self {
            dir,
            roots: &["models", "quality", "metrics"],
        }
    }
}

impl ModelFiles for FolderFiles {
    fn files(&self) -> Result<Vec<ModelFile>, ProjectError> {
        let mut files = Vec::new();
        for root in self.roots {
            walk(&self.dir.join(root), root, 0, &mut files)?;
        }
        files.sort_by(|left, right| left.path.cmp(&right.path));
        Ok(files)
    }
}

fn walk(
    folder: &Path,
    shown: &str,
    depth: usize,
    files: &mut Vec<ModelFile>,
) -> Result<(), ProjectError> {
    let unreadable = |path: &str| {
        let path = path.to_owned();
        move |source| ProjectError::Read { path, source }
    };
    if !folder.is_dir() {
        return Ok(());
    }
    if depth > DEPTH_MAX {
        let what = format!("folder `{shown}` lies more than {DEPTH_MAX} folders deep");
        return Err(Problem::new(what)
            .hint("is there a link to a folder above it?")
            .into());
    }
    for entry in std::fs::read_dir(folder).map_err(unreadable(shown))? {
        let entry = entry.map_err(unreadable(shown))?;
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|name| !name.starts_with('.')) else {
            continue;
        };
        let path = entry.path();
        let shown = format!("{shown}/{name}");
        if path.is_dir() {
            walk(&path, &shown, depth + 1, files)?;
            continue;
        }
        let ending = path
            .extension()
            .and_then(|ending| ending.to_str())
            .unwrap_or_default();
        // A CSV elsewhere is somebody's data, and may be large.
        let is_seed = ending == "csv" && shown.split('/').any(|folder| folder == "seeds");
        if !ENDINGS.contains(&ending) && !is_seed {
            continue;
        }
        let bytes = std::fs::read(&path).map_err(unreadable(&shown))?;
        let text = String::from_utf8(bytes).map_err(|_| {
            Problem::new(format!("`{shown}` is not in UTF-8")).hint("save it as UTF-8")
        })?;
        let text = text
            .strip_prefix('\u{feff}')
            .map(str::to_owned)
            .unwrap_or(text);
        files.push(ModelFile { path: shown, text });
    }
    Ok(())
}
