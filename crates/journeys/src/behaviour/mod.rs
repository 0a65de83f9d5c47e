//! What customers do one after the other: funnels, paths, retention.
//!
//! Each takes the rows of one customer after the other, in order of time, and holds what it counts.
//! Rows of one instant are put in an order of their own, so that arrival decides nothing.

mod funnel;
mod paths;
mod retention;
#[cfg(test)]
mod tests;

pub use funnel::{Funnel, FunnelRow, FunnelSettings, StepOrder};
pub use paths::{PathRow, PathSettings, PathStep, Paths};
pub use retention::{Period, Retention, RetentionRow, RetentionSettings};

/// When a row was: its instant in microseconds since 1970, and its number within it where the
/// source gives one.
pub type Moment = (i64, Option<i64>);
