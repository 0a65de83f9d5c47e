//! A project as it lies on disk: the built-in models with the project's own over them.
//!
//! Loading reads files, decides layers, gives every configured source its silver models and refuses
//! what cannot be, with all problems at once. It renders no Jinja (that is `compile`'s) and touches
//! no table.

mod cleansing;
pub mod config;
pub mod files;
pub mod layer;
mod load;
mod metrics;
pub mod problem;
pub mod properties;
pub mod source_kind;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use domain::config::{ProjectConfig, Stream};
use indexmap::IndexMap;

pub use config::{BatchSize, KeyRule, Materialized, ModelConfig, Rows, Severity, Strategy};
pub use files::{EmbeddedFiles, FolderFiles, ModelFile, ModelFiles};
pub use layer::Layer;
pub use problem::{Place, Problem, ProjectError};
pub use properties::{ColumnDoc, Properties, TestSpec};
pub use source_kind::{KindColumn, SourceKind, StreamKind};

/// Where a file comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// It is part of the program.
    BuiltIn,
    /// It lies in the project's folder.
    Project,
}

/// The source that a silver model was instantiated for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SilverInstance {
    /// Name of the source.
    pub source: String,
    /// Its kind.
    pub kind: String,
}

/// A model's file.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// Its name, which is that of its table.
    pub name: String,
    /// Its layer by folder and name; `config(schema=…)` may change it.
    pub layer: Layer,
    /// Path for messages and for `path:` selectors: `models/3_star/fct_order.sql`.
    pub path: String,
    /// Where it comes from.
    pub origin: Origin,
    /// The file's text: SQL with Jinja.
    pub raw_sql: String,
    /// The source it was made for, if it is a built-in silver model.
    pub instance: Option<SilverInstance>,
    /// What its `.yml` says.
    pub properties: Properties,
}

/// A seed: a CSV file that becomes a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Seed {
    /// Its name, which is that of its table.
    pub name: String,
    /// Path for messages.
    pub path: String,
    /// Where it comes from.
    pub origin: Origin,
    /// The file's text.
    pub text: String,
    /// What its `.yml` says; `column_types` are in its `config`.
    pub properties: Properties,
}

impl Seed {
    /// SQL types of columns that shall not be text, by name.
    pub fn column_types(&self) -> IndexMap<String, String> {
        let types = self
            .properties
            .config
            .get("column_types")
            .and_then(|types| types.as_object());
        let pairs = types.into_iter().flatten();
        pairs
            .filter_map(|(name, kind)| Some((name.clone(), kind.as_str()?.to_owned())))
            .collect()
    }
}

/// A singular test: a SELECT that returns the offending rows.
#[derive(Debug, Clone, PartialEq)]
pub struct SingularTest {
    /// Its name, a sentence that is true if it returns nothing.
    pub name: String,
    /// Path for messages.
    pub path: String,
    /// Where it comes from.
    pub origin: Origin,
    /// The file's text.
    pub raw_sql: String,
}

/// A file of macros.
#[derive(Debug, Clone, PartialEq)]
pub struct MacroFile {
    /// Path for messages.
    pub path: String,
    /// Where it comes from.
    pub origin: Origin,
    /// The file's text.
    pub text: String,
}

/// A project as it lies on disk.
#[derive(Debug, Clone)]
pub struct Project {
    /// Its folder.
    pub dir: PathBuf,
    /// Its `throughline.yml`.
    pub config: ProjectConfig,
    /// The kinds of source there are, by name.
    pub source_kinds: IndexMap<String, SourceKind>,
    /// Its models by name, in the order of layer and name. Silver models of streams that are not
    /// configured are still here; `compile` leaves them out.
    pub models: IndexMap<String, Model>,
    /// Its seeds by name.
    pub seeds: IndexMap<String, Seed>,
    /// Its singular tests by name.
    pub singular_tests: IndexMap<String, SingularTest>,
    /// Its macros: built-in ones first, so that the project's win.
    pub macros: Vec<MacroFile>,
    /// What its figures are: the semantic layer.
    pub metrics: domain::metrics::Layer,
}

impl Project {
    /// Loads the project in `dir`.
    ///
    /// # Errors
    /// A file cannot be read; or files or `throughline.yml` say what cannot be (all such problems
    /// together).
    pub fn load(
        dir: &Path,
        config: ProjectConfig,
        builtin: &dyn ModelFiles,
    ) -> Result<Self, ProjectError> {
        load::load(dir, config, builtin)
    }

    /// What is built in, without the files of any project.
    ///
    /// # Errors
    /// The built-in files contradict the settings or one another.
    pub fn built_in(config: ProjectConfig, builtin: &dyn ModelFiles) -> Result<Self, ProjectError> {
        load::built_in(config, builtin)
    }

    /// All configured streams, with what their kinds know of them filled in, by source and name.
    pub fn streams(&self) -> Vec<Stream> {
        let mut all = Vec::new();
        for (name, source) in &self.config.sources {
            for mut stream in source.streams(name) {
                if let Some(known) = self.stream_kind(&stream) {
                    let files = &mut stream.files;
                    files.effective_at = files
                        .effective_at
                        .take()
                        .or_else(|| known.effective_at.clone());
                    files.records = files.records.take().or_else(|| known.records.clone());
                    let headings = known.headings();
                    if !headings.is_empty() {
                        files.headings = files.headings.take().or(Some(headings));
                    }
                    if !known.null_words.is_empty() {
                        let mut words = known.null_words.clone();
                        words.extend(files.null_words.take().unwrap_or_default());
                        files.null_words = Some(words);
                    }
                }
                all.push(stream);
            }
        }
        all
    }

    /// What the stream's kind knows of it.
    pub fn stream_kind(&self, stream: &Stream) -> Option<&StreamKind> {
        self.source_kinds
            .get(stream.kind.as_deref()?)?
            .streams
            .get(&stream.name)
    }
}
