//! What is a session: the events of one device, in order, cut at pauses.
//!
//! [`Sessionizer`] is fed the events of one device by (time, sequence, event id) and says for each
//! in which session it is. It sees one event at a time, keeps a few numbers a session, and
//! allocates only when a session opens. It never sorts: the order is the caller's promise.

mod sessionizer;
mod settings;
#[cfg(test)]
mod tests;

pub use sessionizer::{SessionEvent, SessionStep, Sessionizer, Traffic};
pub use settings::{SessionPolicy, SessionSettings};
