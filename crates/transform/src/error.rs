//! What can go wrong when models are run.

use datafusion::error::DataFusionError;
use lake::LakeError;

use crate::project::{Problem, ProjectError};

/// An error of a run.
#[derive(Debug, thiserror::Error)]
pub enum TransformError {
    /// The project's files say what cannot be.
    #[error(transparent)]
    Project(#[from] ProjectError),
    /// One model's file says what cannot be.
    #[error("{0}")]
    Problem(#[from] Problem),
    /// The lake failed.
    #[error(transparent)]
    Lake(#[from] LakeError),
    /// A model's SQL failed.
    #[error("model `{model}` ({path}): {why}\nhint: the SQL as it ran is in `{compiled}`")]
    Model {
        /// The model.
        model: String,
        /// Its file.
        path: String,
        /// What the engine says.
        why: String,
        /// Where the compiled SQL is.
        compiled: String,
    },
    /// A silver model breaks its promise.
    #[error("model `{model}`: {why}\nhint: {hint}")]
    Silver {
        /// The model.
        model: String,
        /// What is wrong.
        why: String,
        /// What to do.
        hint: String,
    },
    /// A seed cannot be read.
    #[error("seed `{seed}` ({path}): {why}")]
    Seed {
        /// The seed.
        seed: String,
        /// Its file.
        path: String,
        /// What is wrong.
        why: String,
    },
    /// Another machine changed an input after its version was taken.
    #[error(
        "model `{model}`: another writer committed to `{input}` while it was read; nothing of this \
         build is in the table\nhint: run again: it is then decided anew from the tables as they are"
    )]
    Moved {
        /// The model.
        model: String,
        /// The input, `schema.name`.
        input: String,
    },
    /// The functions cannot be set up.
    #[error("{0}")]
    Setup(String),
    /// The engine failed outside a model.
    #[error(transparent)]
    Engine(DataFusionError),
}

impl From<DataFusionError> for TransformError {
    fn from(error: DataFusionError) -> Self {
        match LakeError::from(error) {
            LakeError::Engine(error) => Self::Engine(error),
            other => Self::Lake(other),
        }
    }
}

impl TransformError {
    /// There is no room to write: what comes next would fail in the same way.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Lake(LakeError::Full(_)))
    }
}

/// Result of a run.
pub type Result<T, E = TransformError> = std::result::Result<T, E>;
