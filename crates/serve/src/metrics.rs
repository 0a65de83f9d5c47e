//! The semantic layer at work: what `domain::metrics` defines becomes SQL, tables and exports.
//!
//! `request` is what a program asks for, `compile` makes one query of it, `sql` has the parts that
//! are the same wherever a figure is computed. `tables` shows every subject as a table of the
//! schema `metrics`, with the same parts. Nothing here reads a table that is not governed: all SQL
//! goes through the session that it is given.

mod check;
mod compile;
mod day;
pub mod describe;
pub mod export;
mod labels;
mod meaning;
mod measure;
mod query;
mod request;
mod resolve;
mod rewrite;
mod sql;
mod table;
mod tables;

#[cfg(test)]
mod tests;

pub use check::check;
pub use compile::{Column, ColumnKind, Compiled, Parameter, compile};
pub use request::{Comparison, Filter, Order, Request};
pub use resolve::Refused;
pub(crate) use table::MetricsTable;
pub use tables::{ADDITIVITY, SCHEMA, UNIT, register, values, visible};
