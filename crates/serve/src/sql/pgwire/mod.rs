//! The door for clients of PostgreSQL: psql, JDBC, ODBC and all that speak its wire protocol.
//!
//! The messages are those of the `pgwire` library, log-in is [`crate::pg_login`]. Everything after
//! it is answered here: what a connection asks for is run in one governed
//! [`crate::access::Session`] of its own, and what it asks about the catalogue is answered from
//! what that session may see.

mod accept;
mod catalog;
mod command;
mod connection;
mod copy;
mod cursor;
mod decode;
mod describe;
mod encode;
mod error;
mod extended;
mod kinds;
mod names;
mod oids;
mod route;
mod rows;
mod run;
mod settings;
mod simple;
mod split;
mod start;
#[cfg(test)]
mod tests;
mod wire;

pub use accept::serve;
