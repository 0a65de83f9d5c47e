//! Who asks: a person or a program, after the door has made sure of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

/// What kind of principal it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PrincipalKind {
    /// A person.
    User,
    /// A program, by its service token.
    Service,
}

/// A value that a principal brings and that row filters can ask for: `{{ user.country }}`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Attribute {
    /// True or false.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A text.
    Text(String),
    /// Several texts: `country in ({{ user.countries }})`.
    Texts(Vec<String>),
}

/// Somebody whom a door has recognised. Nothing here has to be believed by the gate but what the
/// door made sure of: clients never say their roles or attributes themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    /// Name, unique among its kind; for a service the name of its token.
    pub name: String,
    /// A person or a program.
    pub kind: PrincipalKind,
    /// Roles that it holds by itself.
    pub roles: BTreeSet<String>,
    /// Groups that it belongs to; `access.yml` says which roles they bring.
    #[serde(default)]
    pub groups: BTreeSet<String>,
    /// Values for row filters.
    #[serde(default)]
    pub attributes: BTreeMap<String, Attribute>,
}

/// What a principal is known by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PrincipalId {
    /// A person or a program.
    pub kind: PrincipalKind,
    /// Its name.
    pub name: String,
}

impl Principal {
    /// A person with roles.
    pub fn user<const N: usize>(name: &str, roles: [&str; N]) -> Self {
        Self {
            name: name.to_owned(),
            kind: PrincipalKind::User,
            roles: roles.into_iter().map(str::to_owned).collect(),
            groups: BTreeSet::new(),
            attributes: BTreeMap::new(),
        }
    }

    /// A program with roles.
    pub fn service<const N: usize>(name: &str, roles: [&str; N]) -> Self {
        Self {
            kind: PrincipalKind::Service,
            ..Self::user(name, roles)
        }
    }

    /// The same with a value for row filters.
    #[must_use]
    pub fn with_attribute(mut self, name: &str, value: Attribute) -> Self {
        self.attributes.insert(name.to_owned(), value);
        self
    }

    /// The same in a group.
    #[must_use]
    pub fn in_group(mut self, group: &str) -> Self {
        self.groups.insert(group.to_owned());
        self
    }

    /// What it is known by.
    pub fn id(&self) -> PrincipalId {
        PrincipalId {
            kind: self.kind,
            name: self.name.clone(),
        }
    }
}

impl fmt::Display for PrincipalId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            PrincipalKind::User => "user",
            PrincipalKind::Service => "service",
        };
        write!(out, "{kind} `{}`", self.name)
    }
}
