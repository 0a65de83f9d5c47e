//! Log-in and the audit log as the gate knows them: where principals are looked up while they have
//! sessions, and who takes note of what they do.

use std::collections::BTreeSet;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde_json::Value;

use super::error::{AccessError, Reason, Result};
use super::guarded::Directory;
use super::principal::{Principal, PrincipalId};
use super::tags::Tag;
use super::who::{Origin, Who};
use super::witness::{Event, Witness};
use crate::audit::{self, Action, Audit, Outcome};

/// The one who is looked up needs nothing but what it is known by.
fn known_as(id: &PrincipalId) -> Principal {
    Principal {
        kind: id.kind,
        ..Principal::user(&id.name, [])
    }
}

impl Directory for Who {
    fn current<'a>(&'a self, id: &'a PrincipalId) -> BoxFuture<'a, Result<Option<Principal>>> {
        async move {
            let found = self.again(&known_as(id)).await;
            found.map_err(|error| {
                AccessError::new(Reason::Internal, "users cannot be looked up")
                    .hint(error.to_string())
            })
        }
        .boxed()
    }
}

/// Notes what the audit log is to know: queries on tagged data, refusals for want of rights, and
/// changes of rights. What cannot be parsed or planned is no matter of rights.
impl Witness for Audit {
    fn note(&self, event: &Event) {
        let event = match event {
            Event::Query { tags, .. } if tags.is_empty() => return,
            Event::Query {
                principal,
                tables,
                tags,
                sql,
                as_of,
                origin,
            } => {
                let noted = at(principal, *origin, Action::Query, Outcome::Begun)
                    .to(joined(tables))
                    .with("tags", texts(tags))
                    .with_sql(sql);
                match as_of {
                    Some(time) => noted.with("as_of", time.to_rfc3339()),
                    None => noted,
                }
            }
            Event::Refused {
                principal,
                error,
                sql,
                origin,
            } if is_matter_of_rights(error.reason) => {
                at(principal, *origin, Action::Denied, Outcome::Refused)
                    .with("sqlstate", error.sqlstate())
                    .with_sql(sql)
            }
            Event::Refused { .. } => return,
            Event::Change {
                principal,
                action,
                object,
                sql,
                origin,
                outcome,
            } => {
                let end = match outcome {
                    None => Outcome::Begun,
                    Some(Ok(())) => Outcome::Done,
                    Some(Err(_)) => Outcome::Failed,
                };
                let noted = at(principal, *origin, Action::OwnChange, end)
                    .to(object.clone())
                    .with("statement", action.clone());
                match outcome {
                    None => noted.with_sql(sql),
                    Some(Ok(())) => noted,
                    Some(Err(error)) => noted.with("sqlstate", error.sqlstate()),
                }
            }
            Event::Policy { roles } => {
                audit::Event::new("-", "gate", Action::PolicyChange, Outcome::Done)
                    .to("access.yml")
                    .with("roles", roles.clone())
            }
            Event::Principal {
                principal,
                is_revoked,
            } => at(principal, None, Action::UserChange, Outcome::Done)
                .to("sessions")
                .with("is_revoked", *is_revoked),
        };
        Self::note(self, event);
    }
}

fn is_matter_of_rights(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::Denied | Reason::Unknown | Reason::NoTable | Reason::NoColumn | Reason::Setting
    )
}

fn at(who: &PrincipalId, from: Option<Origin>, action: Action, end: Outcome) -> audit::Event {
    let door = from.map_or("gate", |origin| origin.door.as_str());
    audit::Event::new(&who.name, door, action, end).from(from.and_then(|origin| origin.address))
}

fn joined(tables: &BTreeSet<String>) -> String {
    let names: Vec<&str> = tables.iter().map(String::as_str).collect();
    names.join(", ")
}

fn texts(tags: &BTreeSet<Tag>) -> Value {
    tags.iter()
        .map(|tag| Value::String(tag.to_string()))
        .collect()
}
