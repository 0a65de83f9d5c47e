//! What the gate tells an audit.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::error::AccessError;
use super::principal::PrincipalId;
use super::tags::Tag;
use super::who::Origin;

/// Something that an audit wants to know of.
#[derive(Debug, Clone)]
pub enum Event {
    /// A statement was allowed and starts to run.
    Query {
        /// Who.
        principal: PrincipalId,
        /// The governed tables that it reads.
        tables: BTreeSet<String>,
        /// Tags of the columns that the principal sees of them.
        tags: BTreeSet<Tag>,
        /// Its text; its literals may be personal data.
        sql: String,
        /// The time whose tables it reads.
        as_of: Option<DateTime<Utc>>,
        /// From where it came.
        origin: Option<Origin>,
    },
    /// A statement was refused or could not be planned.
    Refused {
        /// Who.
        principal: PrincipalId,
        /// Why.
        error: AccessError,
        /// Its text; its literals may be personal data.
        sql: String,
        /// From where it came.
        origin: Option<Origin>,
    },
    /// Something of an own schema is made, changed or removed: once as it begins, once as it ends.
    Change {
        /// Who.
        principal: PrincipalId,
        /// What: the command's tag in PostgreSQL, `CREATE TABLE`.
        action: String,
        /// The schema, table or view.
        object: String,
        /// Its text; its literals may be personal data.
        sql: String,
        /// From where it came.
        origin: Option<Origin>,
        /// How it ended; none as it begins.
        outcome: Option<Result<(), AccessError>>,
    },
    /// The policy changed.
    Policy {
        /// The roles there are now.
        roles: Vec<String>,
    },
    /// A principal's rights changed, or it was revoked.
    Principal {
        /// Who.
        principal: PrincipalId,
        /// It has no access any more.
        is_revoked: bool,
    },
}

/// Somebody who takes note. It is told while a client waits, and must be quick.
pub trait Witness: Send + Sync {
    /// Takes note.
    fn note(&self, event: &Event);
}
