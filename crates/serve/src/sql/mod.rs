//! SQL for tools that speak a protocol of databases.

pub mod flight;
pub mod pgwire;
