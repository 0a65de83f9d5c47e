//! Somebody whose identity is proved: what every door passes to the gate.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// What kind of somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A person.
    User,
    /// A program, by its service token.
    ServiceToken,
}

/// Somebody whose identity is proved.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Principal {
    /// The user's name, or the token's.
    pub name: String,
    /// Person or program.
    pub kind: Kind,
    /// Roles given to it by name; those that groups bring come from `access.yml`.
    pub roles: BTreeSet<String>,
    /// Groups it is in.
    pub groups: BTreeSet<String>,
    /// What row filters may ask of it, for example `country`.
    pub attributes: BTreeMap<String, String>,
}
