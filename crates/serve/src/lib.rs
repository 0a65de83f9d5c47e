//! Data goes out: rows of a query in the form that a person, a tool or a program wants, to those
//! who may see them.

pub mod access;
pub mod audit;
pub mod audit_log;
pub mod format;
pub mod outgoing;
pub mod pg_login;

pub use format::{Format, write};
