//! Runs the SQL models over the lake.
//!
//! `project` reads files, `compile` evaluates their Jinja, `graph` orders and selects them,
//! `functions` gives SQL what it cannot say well, `silver` turns raw rows into entities and
//! quarantine, `run` finds out what is dirty and builds just that.

pub mod builtin;
pub mod compile;
mod error;
pub mod functions;
pub mod graph;
mod named_windows;
pub mod project;
pub mod run;
pub mod silver;
pub mod warehouse;

pub use error::{Result, TransformError};
pub use named_windows::parse;
pub use warehouse::Warehouse;
