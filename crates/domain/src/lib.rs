//! The nouns of Throughline: what a project is, what an entity promises, how keys are made.
//!
//! No I/O and no engine: everything here is data and functions of data. It is small and changes
//! slowly, because every other crate is built on it.

pub mod cleanse;
pub mod config;
pub mod entity;
pub mod heading;
pub mod key;
pub mod metrics;
pub mod name;
pub mod parse;
