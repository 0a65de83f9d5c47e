//! Doors for SQL.

pub mod pgwire;
