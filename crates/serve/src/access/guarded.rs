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
    /// The session that has them as they are.
    fn session(&self) -> SessionContext;

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
