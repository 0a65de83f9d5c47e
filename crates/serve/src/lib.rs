//! Data goes out: rows of a query in the form that a person, a tool or a program wants, and the
//! gate that decides which.

pub mod access;
pub mod format;
pub mod metrics;

pub use format::{Format, write};
