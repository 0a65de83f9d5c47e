//! Policies as code: what `access.yml` says, and what follows from it for a principal.
//!
//! Grants add up, and so do restrictions: a row must pass the filters of all of a principal's
//! roles, a denial by one of them wins over every grant. Nothing is granted that no rule grants.

mod check;
pub(crate) mod condition;
mod raw;
mod read;
mod rights;
mod seen;
pub(crate) mod target;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use condition::Condition;
use target::{OwnPattern, Pattern, Target};

use super::who::oidc::OidcConfig;

pub(crate) use check::check;
pub use rights::Rights;
pub(crate) use rights::{Seen, TableRights};
pub(crate) use seen::tables_of;
pub use seen::{SeenColumn, SeenTable};

/// The role that sees everything.
pub const ADMIN: &str = "admin";

/// Schemas that no role but [`ADMIN`] can be given: rows as they came, before any check.
pub const CLOSED: [&str; 5] = ["raw", "quarantine", "staged", "cleansing", "parts"];

/// Name of the file in a project.
pub const FILE: &str = "access.yml";

/// What `access.yml` and the built-in roles say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    roles: BTreeMap<String, Role>,
    everywhere: Rules,
    groups: BTreeMap<String, BTreeSet<String>>,
    oidc: Option<OidcConfig>,
}

/// A role.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Role {
    pub(crate) description: String,
    /// It is one of the program's, not of the file.
    pub(crate) is_built_in: bool,
    /// The role itself and all that it includes.
    pub(crate) includes: BTreeSet<String>,
    pub(crate) grants: Vec<Target>,
    pub(crate) rules: Rules,
    /// Schemas in which its holders may make tables and views.
    pub(crate) own: Vec<OwnPattern>,
}

/// Restrictions.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct Rules {
    pub(crate) deny: Vec<DenyRule>,
    pub(crate) filters: Vec<FilterRule>,
    pub(crate) masks: Vec<MaskRule>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct DenyRule {
    pub(crate) on: Target,
    pub(crate) except: BTreeSet<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct FilterRule {
    pub(crate) on: Target,
    /// Only tables with all of these columns.
    pub(crate) having: Vec<Pattern>,
    pub(crate) condition: Condition,
    pub(crate) except: BTreeSet<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct MaskRule {
    pub(crate) on: Target,
    pub(crate) mask: Mask,
    pub(crate) except: BTreeSet<String>,
}

/// What is shown in the place of a value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Mask {
    /// Nothing.
    Null,
    /// A keyed hash.
    Hash {
        /// The same value has the same hash in all columns masked so, not only in its own.
        joinable: bool,
    },
    /// The last four characters, behind stars; nothing of short values.
    LastFour,
    /// An expression of the row.
    Sql(Expression),
}

/// The expression of a mask.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Expression(pub(crate) Condition);

impl Policy {
    /// The built-in roles alone: what holds in a project without `access.yml`.
    pub fn built_in() -> Self {
        read::built_in()
    }

    /// Reads `access.yml`.
    ///
    /// # Errors
    /// All that is wrong in it, each with its line, why and what to do.
    pub fn parse(text: &str) -> Result<Self, transform::project::ProjectError> {
        read::parse(text)
    }

    /// The roles there are, with their descriptions, [`ADMIN`] first.
    pub fn roles(&self) -> Vec<(&str, &str)> {
        let admin = (ADMIN, "Sees everything, with the rows as they came.");
        let roles = self.roles.iter();
        let named = roles.map(|(name, role)| (name.as_str(), role.description.as_str()));
        [admin].into_iter().chain(named).collect()
    }

    /// The service that vouches for people, if the file names one.
    pub fn oidc(&self) -> Option<&OidcConfig> {
        self.oidc.as_ref()
    }

    /// Whether there is such a role.
    pub fn has_role(&self, name: &str) -> bool {
        name == ADMIN || self.roles.contains_key(name)
    }

    /// The roles that membership in `groups` brings.
    pub fn roles_of_groups(&self, groups: &BTreeSet<String>) -> BTreeSet<String> {
        let known = groups.iter().filter_map(|group| self.groups.get(group));
        known.flatten().cloned().collect()
    }
}
