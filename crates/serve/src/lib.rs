//! Data goes out: rows of a query in the form that a person, a tool or a program wants, and the
//! gate that decides which.

pub mod access;
pub mod audit;
pub mod audit_log;
pub mod format;
pub mod metrics;
pub mod outgoing;
pub mod pg_login;

pub use format::{Format, write};
