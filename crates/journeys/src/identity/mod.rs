//! Who is who: identifiers, which of them are evidence, and the components they form.
//!
//! [`normalise`] brings an identifier into the one form in which it is compared, [`BlockList`]
//! knows the values that identify nobody, [`ComponentsBuilder`] takes edges (evidence that two
//! identifiers are one person) and gives each identifier its component. The result does not depend
//! on the order in which the edges come. [`chain`] tells by which links two identifiers are one.

mod blocked;
mod chain;
mod components;
mod decision_file;
mod decisions;
mod forest;
mod graph;
mod key_hasher;
mod node_type;
mod normalise;
pub mod probable;
mod settings;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_rules;

pub use blocked::BlockList;
pub use chain::{chain, members};
pub use components::{ComponentsBuilder, Cut, Guard, LinkRow, Node, NodeRow, Seen};
pub use decision_file::{DECISION_COLUMNS, Decision, in_force, read_decisions};
pub use decisions::Action;
pub use node_type::NodeType;
pub use normalise::{normalise, normalise_email, normalise_phone};
pub use settings::{GraphSettings, LinkOrder};
