//! Raw rows become entities: typed, checked, split from quarantine, without duplicates.
//!
//! Two steps. *Staging* reads the raw rows of source files that are new, runs the model's SQL,
//! casts by the contract, and writes good rows to `staged.<model>` and bad ones to
//! `quarantine.<model>`: JSON is decoded once in its life. *Publishing* takes the staged rows of
//! the days that changed, keeps one of each key, and replaces those days of `silver.<model>`.
//! Arrival order never decides:
//! of one key the latest `effective_at` wins, then the greater raw id.
//! It never looks at what rows mean; that is the model's SQL.

pub mod account;
mod changes;
mod cleansing;
mod contract;
mod publish;
mod quarantine;
mod received;
mod rules;
mod stage;
mod typed;

pub use cleansing::{Cleansing, cleansing_name, cleansings};
pub(crate) use cleansing::{ZONE as CLEANSING, schema as cleansing_schema};
pub use contract::Contract;
pub(crate) use publish::{add_moved_days, publish};
pub use quarantine::quarantine_name;
pub(crate) use received::register_all_sources;
pub use stage::{Staged, Work, current_files, stage, staged_name, work};
