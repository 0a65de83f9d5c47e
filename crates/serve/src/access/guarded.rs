//! What stands behind the gate.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use datafusion::prelude::SessionContext;
use futures::future::BoxFuture;

use super::error::{AccessError, Reason, Result};
use super::principal::{Principal, PrincipalId};
use super::tags::TagMap;

/// All tables and views with the owner's rights, in the catalogue `throughline`.
#[async_trait]
pub trait Guarded: Send + Sync {
    /// The session that has them as they are. It stays the same: its catalogue is changed as a
    /// whole when a run has ended.
    fn session(&self) -> SessionContext;

    /// How often the catalogue has been changed. A statement that was planned while it changed is
    /// planned again, so that it reads one state of all tables.
    fn epoch(&self) -> u64 {
        0
    }

    /// Looks whether a run has ended since, and shows what it left; true if so.
    ///
    /// # Errors
    /// What it left cannot be read; what was shown before is shown on.
    async fn catch_up(&self) -> Result<bool> {
        Ok(false)
    }

    /// The tags of their columns.
    ///
    /// # Errors
    /// They cannot be found out.
    async fn tags(&self) -> Result<Arc<TagMap>>;

    /// A session that has them as they were at a time.
    ///
    /// # Errors
    /// Nothing is known of that time.
    async fn session_at(&self, at: DateTime<Utc>) -> Result<SessionContext> {
        let message = format!("the tables of {at} cannot be read here");
        Err(AccessError::new(Reason::Unsupported, message))
    }
}

/// Where principals are looked up while they have sessions.
pub trait Directory: Send + Sync {
    /// The principal as it is now; none: it has no access any more.
    ///
    /// # Errors
    /// The directory cannot be asked; what was known before then holds on.
    fn current<'a>(&'a self, id: &'a PrincipalId) -> BoxFuture<'a, Result<Option<Principal>>>;
}
