//! The built-in models: part of the program, or read from a folder while they are being written.

use crate::project::{EmbeddedFiles, FolderFiles, ModelFiles};

static FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/builtin.rs"));

/// Environment variable that names a folder with models in place of the built-in ones.
pub const MODELS_VARIABLE: &str = "THROUGHLINE_MODELS";

/// The built-in models.
pub fn models() -> Box<dyn ModelFiles> {
    match std::env::var_os(MODELS_VARIABLE) {
        Some(folder) => Box::new(FolderFiles::of_models(folder)),
        None => Box::new(EmbeddedFiles(FILES)),
    }
}
