//! How a gate is made.

use std::path::PathBuf;
use std::sync::Arc;

use domain::config::ProjectConfig;
use domain::metrics::Layer;

use super::guarded::Directory;
use super::limits::Limits;
use super::own::OwnSettings;
use super::witness::Witness;

/// How a gate is made.
pub struct Options {
    /// The project's `access.yml`; none: the built-in roles alone.
    pub file: Option<PathBuf>,
    /// The project's key: keys of masks are made from it.
    pub key: Vec<u8>,
    /// What queries may use.
    pub limits: Limits,
    /// Threads that plan and run queries.
    pub threads: usize,
    /// Where principals are looked up while they have sessions.
    pub directory: Option<Arc<dyn Directory>>,
    /// Where the users' own tables are kept; none: nobody may make any.
    pub own: Option<OwnSettings>,
    /// Who takes note.
    pub witness: Option<Arc<dyn Witness>>,
    /// The semantic layer that sessions have as the schema `metrics`.
    pub metrics: Option<(Arc<Layer>, Arc<ProjectConfig>)>,
}

impl Options {
    /// The built-in roles, default limits.
    pub fn new(key: Vec<u8>) -> Self {
        Self {
            file: None,
            key,
            limits: Limits::default(),
            threads: std::thread::available_parallelism().map_or(2, usize::from),
            directory: None,
            own: None,
            witness: None,
            metrics: None,
        }
    }
}
