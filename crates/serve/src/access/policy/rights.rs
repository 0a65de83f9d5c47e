//! What a policy lets one principal see: decided once for a principal, asked for each table.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use super::target::Target;
use super::{ADMIN, CLOSED, FilterRule, Mask, Policy, Rules};
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
        let mut hasher = DefaultHasher::new();
        (is_admin, &grants, &rules, &principal.attributes).hash(&mut hasher);
        Self {
            fingerprint: hasher.finish(),
            principal,
            is_admin,
            grants,
            rules,
        }
    }

    /// A number that differs where what may be seen differs.
    pub fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    /// Whether anything of a schema may be seen.
    pub(crate) fn has_schema(&self, schema: &str) -> bool {
        let grants = || self.grants.iter().filter_map(|grant| grant.tables.as_ref());
        self.is_admin
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
        self.is_admin || (!is_closed(schema, table) && granted())
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
        let visible = columns.iter().enumerate().filter_map(|(index, column)| {
            let granted = self.grants.iter().any(|grant| {
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
