//! The form of `access.yml`, as serde reads it. What it means is decided in `read`.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::access::who::oidc::OidcConfig;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    #[serde(default)]
    pub(super) version: Option<u64>,
    #[serde(default)]
    pub(super) roles: BTreeMap<String, Role>,
    #[serde(default)]
    pub(super) policies: Policies,
    #[serde(default)]
    pub(super) groups: BTreeMap<String, Many>,
    #[serde(default)]
    pub(super) oidc: Option<OidcConfig>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Role {
    #[serde(default)]
    pub(super) description: String,
    #[serde(default)]
    pub(super) includes: Many,
    #[serde(default)]
    pub(super) grants: Vec<Grant>,
    #[serde(default)]
    pub(super) deny: Vec<Deny>,
    #[serde(default)]
    pub(super) row_filters: Vec<RowFilter>,
    #[serde(default)]
    pub(super) masks: Vec<Mask>,
    /// Schemas in which its holders may make tables and views.
    #[serde(default, alias = "own_schema")]
    pub(super) own_schemas: Many,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Policies {
    #[serde(default)]
    pub(super) deny: Vec<Deny>,
    #[serde(default)]
    pub(super) row_filters: Vec<RowFilter>,
    #[serde(default)]
    pub(super) masks: Vec<Mask>,
}

/// One text or a list of them.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum Many {
    #[default]
    None,
    One(String),
    List(Vec<String>),
}

impl Many {
    pub(super) fn list(&self) -> Vec<String> {
        match self {
            Self::None => vec![],
            Self::One(one) => vec![one.clone()],
            Self::List(all) => all.clone(),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Grant {
    #[serde(default, alias = "schemas")]
    pub(super) schema: Many,
    #[serde(default, alias = "tables")]
    pub(super) table: Many,
    #[serde(default, alias = "column")]
    pub(super) columns: Option<Many>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Deny {
    #[serde(default, alias = "schemas")]
    pub(super) schema: Many,
    #[serde(default, alias = "tables")]
    pub(super) table: Many,
    #[serde(default, alias = "column")]
    pub(super) columns: Option<Many>,
    #[serde(default)]
    pub(super) tag: Option<TagOf>,
    #[serde(default)]
    pub(super) except: Many,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RowFilter {
    #[serde(default, alias = "schemas")]
    pub(super) schema: Many,
    #[serde(default, alias = "tables")]
    pub(super) table: Many,
    /// Only tables with all of these columns.
    #[serde(default)]
    pub(super) having: Many,
    /// Only tables with a column of this tag.
    #[serde(default)]
    pub(super) tag: Option<TagOf>,
    #[serde(rename = "where")]
    pub(super) condition: String,
    #[serde(default)]
    pub(super) except: Many,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Mask {
    #[serde(default, alias = "schemas")]
    pub(super) schema: Many,
    #[serde(default, alias = "tables")]
    pub(super) table: Many,
    #[serde(default, alias = "column")]
    pub(super) columns: Option<Many>,
    #[serde(default)]
    pub(super) tag: Option<TagOf>,
    /// `null`, `hash`, `last_four` or `sql`.
    pub(super) mask: Option<String>,
    /// The expression of `mask: sql`.
    #[serde(default)]
    pub(super) sql: Option<String>,
    /// The same value gets the same hash in all columns that are masked so.
    #[serde(default)]
    pub(super) joinable: bool,
    #[serde(default)]
    pub(super) except: Many,
}

/// `tag: pii`, or `tag: {pii: email}`.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum TagOf {
    Name(String),
    Pair(BTreeMap<String, String>),
}
