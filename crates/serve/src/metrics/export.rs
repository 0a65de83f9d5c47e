//! Definitions for other tools, over the schemas that the Postgres wire shows. All of them ask the
//! schema `metrics`, so that a figure is computed in one place, and what may not be added is
//! refused there and not added here.

mod dbt;
mod lookml;
mod tableau;

pub use dbt::dbt;
pub use lookml::lookml;
pub use tableau::tableau;

/// A file of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportFile {
    /// Its path below the export's folder.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// Where a tool finds the Postgres wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Door {
    /// Host.
    pub host: String,
    /// Port.
    pub port: u16,
}

/// Name of the database on the Postgres wire.
pub const DATABASE: &str = "throughline";
