//! What a policy lets one principal see: decided once for a principal, asked for each table.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use super::target::{Pattern, Target};
use super::{ADMIN, CLOSED, FilterRule, Mask, Policy, Rules};
use crate::access::own::{TEMP, is_reserved};
use crate::access::principal::Principal;
use crate::access::tags::Tags;

/// What one principal may see.
#[derive(Debug, Clone)]
pub struct Rights {
    /// Who.
    pub principal: Arc<Principal>,
    /// It sees everything.
    pub is_admin: bool,
    grants: Vec<Target>,
    /// Schemas in which it may make tables and views.
    own: Vec<Pattern>,
    /// The rules that hold for it: those for everybody, then those of each role.
    rules: Vec<Rules>,
    fingerprint: u64,
}

/// What a principal may see of one table. There is at least one column.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TableRights {
    pub(crate) columns: Vec<ColumnRights>,
    pub(crate) filters: Vec<FilterRule>,
}

/// A column that a principal may see.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ColumnRights {
    /// Its place in the table.
    pub(crate) index: usize,
    pub(crate) mask: Option<Mask>,
}

/// A column as a policy sees it.
pub(crate) struct Seen<'a> {
    pub(crate) name: &'a str,
    pub(crate) tags: Tags,
}

impl Rights {
    /// What `policy` lets `principal` see.
    pub fn of(policy: &Policy, principal: Arc<Principal>) -> Self {
        let mut held: BTreeSet<String> = principal.roles.clone();
        held.extend(policy.roles_of_groups(&principal.groups));
        let mut roles: BTreeSet<String> = BTreeSet::new();
        for role in &held {
            roles.insert(role.clone());
            let included = policy.roles.get(role).map(|role| &role.includes);
            roles.extend(included.into_iter().flatten().cloned());
        }
        let is_admin = roles.contains(ADMIN);
        let known: Vec<_> = roles
            .iter()
            .filter_map(|role| policy.roles.get(role))
            .collect();
        let own = known.iter().map(|role| &role.rules);
        let rules = std::iter::once(&policy.everywhere).chain(own);
        let rules: Vec<Rules> = rules.map(|rules| holding(rules, &roles)).collect();
        let grants: Vec<Target> = known.iter().flat_map(|role| role.grants.clone()).collect();
        let own = known.iter().flat_map(|role| &role.own);
        let own: Vec<Pattern> = own.filter_map(|own| own.of(&principal.name)).collect();
        let mut hasher = DefaultHasher::new();
        (is_admin, &grants, &own, &rules, &principal.attributes).hash(&mut hasher);
        Self {
            fingerprint: hasher.finish(),
            principal,
            is_admin,
            grants,
            own,
            rules,
        }
    }

    /// Whether it may make, change and remove tables and views of a schema.
    pub fn may_write(&self, schema: &str) -> bool {
        let is_own = || self.own.iter().any(|own| own.matches(schema));
        !is_reserved(schema) && (self.is_admin || is_own())
    }

    /// Whether there is any such schema.
    pub fn may_write_any(&self) -> bool {
        self.is_admin || !self.own.is_empty()
    }

    /// The names and patterns of the schemas that its roles name.
    pub fn own_schemas(&self) -> impl Iterator<Item = &str> {
        self.own.iter().map(|own| own.0.as_str())
    }

    /// Whether all tables of a schema may be read because they are its own. Temporary tables are
    /// in nobody else's session.
    fn owns(&self, schema: &str) -> bool {
        schema == TEMP || self.may_write(schema)
    }

    /// A number that differs where what may be seen differs.
    pub fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    /// Whether anything of a schema may be seen.
    pub(crate) fn has_schema(&self, schema: &str) -> bool {
        let grants = || self.grants.iter().filter_map(|grant| grant.tables.as_ref());
        self.is_admin
            || self.owns(schema)
            || (!CLOSED.contains(&schema)
                && grants().flatten().any(|table| table.schema.matches(schema)))
    }

    /// Whether anything of a table may be granted, as far as its name says.
    pub(crate) fn may_have(&self, schema: &str, table: &str) -> bool {
        let granted = || {
            self.grants
                .iter()
                .any(|grant| grant.has_table(schema, table))
        };
        self.is_admin || self.owns(schema) || (!is_closed(schema, table) && granted())
    }

    /// What may be seen of a table; none where nothing.
    pub(crate) fn table(
        &self,
        schema: &str,
        table: &str,
        columns: &[Seen<'_>],
    ) -> Option<TableRights> {
        if self.is_admin {
            let all = (0..columns.len()).map(|index| ColumnRights { index, mask: None });
            return Some(TableRights {
                columns: all.collect(),
                filters: vec![],
            });
        }
        if !self.may_have(schema, table) || self.is_denied(schema, table) {
            return None;
        }
        let is_own = self.owns(schema);
        let visible = columns.iter().enumerate().filter_map(|(index, column)| {
            let granted = is_own
                || self.grants.iter().any(|grant| {
                    grant.has_table(schema, table) && grant.has_column(column.name, &column.tags)
                });
            let denied = self.rules.iter().flat_map(|rules| &rules.deny).any(|rule| {
                rule.on.has_table(schema, table) && rule.on.has_column(column.name, &column.tags)
            });
            (granted && !denied).then(|| ColumnRights {
                index,
                mask: self.mask(schema, table, column),
            })
        });
        let visible: Vec<ColumnRights> = visible.collect();
        if visible.is_empty() {
            return None;
        }
        let filters = self.rules.iter().flat_map(|rules| &rules.filters);
        let filters = filters.filter(|rule| applies(rule, schema, table, columns));
        Some(TableRights {
            columns: visible,
            filters: filters.cloned().collect(),
        })
    }

    fn is_denied(&self, schema: &str, table: &str) -> bool {
        let mut denials = self.rules.iter().flat_map(|rules| &rules.deny);
        denials.any(|rule| rule.on.is_whole() && rule.on.has_table(schema, table))
    }

    /// In each list the first rule that fits counts; if lists say different things, nothing of the
    /// value is shown.
    fn mask(&self, schema: &str, table: &str, column: &Seen<'_>) -> Option<Mask> {
        let first = |rules: &Rules| {
            let mut masks = rules.masks.iter();
            let fits = masks.find(|rule| {
                rule.on.has_table(schema, table) && rule.on.has_column(column.name, &column.tags)
            });
            fits.map(|rule| rule.mask.clone())
        };
        let masks: Vec<Mask> = self.rules.iter().filter_map(first).collect();
        let agreed = masks.first()?.clone();
        match masks.iter().all(|mask| *mask == agreed) {
            true => Some(agreed),
            false => Some(Mask::Null),
        }
    }
}

/// The rules that hold for somebody with these roles.
fn holding(rules: &Rules, roles: &BTreeSet<String>) -> Rules {
    let holds = |except: &BTreeSet<String>| except.is_disjoint(roles);
    let mut rules = rules.clone();
    rules.deny.retain(|rule| holds(&rule.except));
    rules.filters.retain(|rule| holds(&rule.except));
    rules.masks.retain(|rule| holds(&rule.except));
    rules
}

pub(super) fn applies(rule: &FilterRule, schema: &str, table: &str, columns: &[Seen<'_>]) -> bool {
    let has = |pattern: &super::Pattern| columns.iter().any(|column| pattern.matches(column.name));
    let tagged = || {
        columns
            .iter()
            .any(|column| rule.on.has_column(column.name, &column.tags))
    };
    rule.on.has_table(schema, table) && rule.having.iter().all(has) && tagged()
}

/// What is closed to all but the administrator.
fn is_closed(schema: &str, table: &str) -> bool {
    CLOSED.contains(&schema) || (schema, table) == ("quality", "cleansing")
}
