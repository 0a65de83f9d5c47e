//! What a principal may see at this moment, shared by all that runs in its name.
//!
//! Plans and streams hold the stamp under which they were made, and compare it with the one that
//! holds now: when a policy, a principal or a tag changes, what was planned before no longer runs.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use tokio::sync::watch;

use super::error::{AccessError, Reason, Result};
use super::policy::Rights;
use super::tags::TagMap;

/// Rights, and the tags they speak of.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) rights: Rights,
    pub(crate) tags: Arc<TagMap>,
    /// Differs where anything of what may be seen differs.
    pub(crate) stamp: u64,
}

impl View {
    /// `tags_stamp` differs from one map of tags to the next.
    pub(crate) fn new(rights: Rights, tags: Arc<TagMap>, tags_stamp: u64) -> Self {
        let mut hasher = DefaultHasher::new();
        (rights.fingerprint(), tags_stamp).hash(&mut hasher);
        Self {
            stamp: hasher.finish(),
            rights,
            tags,
        }
    }
}

/// What one principal may see now; nothing at all once it is revoked.
#[derive(Debug)]
pub(crate) struct Standing {
    now: watch::Sender<Option<Arc<View>>>,
}

impl Standing {
    pub(crate) fn new(view: View) -> Self {
        Self {
            now: watch::Sender::new(Some(Arc::new(view))),
        }
    }

    /// What it may see now.
    ///
    /// # Errors
    /// It was revoked.
    pub(crate) fn view(&self) -> Result<Arc<View>> {
        self.now.borrow().clone().ok_or_else(revoked)
    }

    /// Changes what it may see; none: it is no longer known.
    pub(crate) fn set(&self, view: Option<View>) {
        self.now.send_if_modified(|now| {
            let is_new = now.as_ref().map(|now| now.stamp) != view.as_ref().map(|new| new.stamp);
            if is_new {
                *now = view.map(Arc::new);
            }
            is_new
        });
    }

    /// Whether what was planned under `stamp` may (still) run.
    ///
    /// # Errors
    /// It may not.
    pub(crate) fn check(&self, stamp: u64) -> Result<()> {
        match &*self.now.borrow() {
            None => Err(revoked()),
            Some(view) if view.stamp == stamp => Ok(()),
            Some(_) => Err(changed()),
        }
    }

    /// Ends when what was planned under `stamp` may no longer run, with why.
    pub(crate) async fn ended(&self, stamp: u64) -> AccessError {
        let mut news = self.now.subscribe();
        loop {
            if let Err(error) = self.check(stamp) {
                return error;
            }
            if news.changed().await.is_err() {
                return revoked();
            }
        }
    }
}

fn revoked() -> AccessError {
    AccessError::new(Reason::Unknown, "your access was withdrawn").hint("sign in again")
}

fn changed() -> AccessError {
    AccessError::new(
        Reason::PolicyChanged,
        "what you may see has changed since the query was planned",
    )
    .hint("run the query again")
}
