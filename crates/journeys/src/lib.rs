//! Who is who, what is a session, which channel, who gets the credit: pure functions.
//!
//! Everything here is a function of data and settings: no engine, no I/O, no clock, no order of
//! arrival. Lists that change (search engines, source categories, channel rules, crawlers) are data
//! and come in as CSV text. What calls this crate reads the rows, drives these types, and writes
//! what they return.

pub mod attribution;
pub mod behaviour;
pub mod channels;
pub mod error;
pub mod identity;
pub mod sessions;

pub use error::JourneysError;

#[cfg(test)]
mod vectors;
