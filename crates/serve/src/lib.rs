//! Data goes out: rows of a query in the form that a person, a tool or a program wants, and the
//! gate that decides which.

pub mod access;
pub mod audit;
pub mod audit_log;
pub mod copies;
pub mod doors;
pub mod format;
pub mod metrics;
pub mod outgoing;
pub mod pg_login;
pub mod rest;
pub mod sql;
pub mod tls;

pub use doors::{Doors, Run, Runs};
pub use format::{Format, write};
pub use tls::Tls;
