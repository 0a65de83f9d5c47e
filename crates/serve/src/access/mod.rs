//! Who may see what: who somebody is ([`who`]), and the principal that all doors speak of.

pub mod principal;
pub mod who;

pub use principal::{Attribute, Principal, PrincipalId, PrincipalKind};
