//! Who is who: identifiers, which of them are evidence, and the components they form.
//!
//! [`normalise`] brings an identifier into the one form in which it is compared, [`BlockList`]
//! knows the values that identify nobody, [`ComponentsBuilder`] takes edges (evidence that two
//! identifiers are one person) and gives each identifier its component. The result does not depend
//! on the order in which the edges come.

mod blocked;
mod components;
mod node_type;
mod normalise;
#[cfg(test)]
mod tests;

pub use blocked::BlockList;
pub use components::{ComponentsBuilder, Guard, GuardSettings, Node, NodeRow};
pub use node_type::NodeType;
pub use normalise::{normalise, normalise_email, normalise_phone};
