//! Data goes out: rows of a query in the form that a person, a tool or a program wants.

pub mod format;
pub mod metrics;

pub use format::{Format, write};
