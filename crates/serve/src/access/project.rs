//! A project's warehouse behind the gate.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use datafusion::prelude::SessionContext;
use futures::future::BoxFuture;
use tokio::sync::Mutex;
use transform::Warehouse;
use transform::compile::Manifest;
use transform::graph::Graph;

use super::error::{AccessError, Reason, Result};
use super::guarded::Guarded;
use super::session::CATALOG;
use super::tags::{TagMap, of_project};
use crate::audit::Place;
use crate::audit_log::AuditLog;

/// States of the past that are kept at hand.
const KEPT: usize = 8;
/// Tables also change without a run (small files are merged): they are looked at this often.
const LOOK_AT_ALL: Duration = Duration::from_secs(600);

/// Version of each table, by `schema.name`.
pub type Versions = BTreeMap<String, u64>;

/// Knows which versions of tables belong together.
pub trait History: Send + Sync {
    /// The versions that the last run left that had ended by then; none where none had.
    ///
    /// # Errors
    /// The runs cannot be read.
    fn versions_at(&self, at: DateTime<Utc>) -> BoxFuture<'_, Result<Option<Versions>>>;

    /// The newest run that has ended.
    ///
    /// # Errors
    /// The runs cannot be read.
    fn newest(&self) -> BoxFuture<'_, Result<Newest>> {
        futures::FutureExt::boxed(async { Ok(Newest::default()) })
    }
}

/// How far runs are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Newest {
    /// The newest run that has ended.
    pub ended: Option<String>,
    /// Another is at work: some tables may be newer than others.
    pub is_running: bool,
}

/// The tables and views of a project. Its views must have been registered.
pub struct ProjectTables {
    warehouse: Arc<Warehouse>,
    manifest: Arc<Manifest>,
    history: Arc<dyn History>,
    past: Mutex<Vec<(Versions, SessionContext)>>,
    epoch: AtomicU64,
    shown: Mutex<Shown>,
    audit: Option<Place>,
}

/// What is shown.
#[derive(Default)]
struct Shown {
    newest: Newest,
    versions: Versions,
    looked_at: Option<Instant>,
}

impl ProjectTables {
    /// The tables of `warehouse`, built by the models of `manifest`.
    pub fn new(
        warehouse: Arc<Warehouse>,
        manifest: Arc<Manifest>,
        history: Arc<dyn History>,
    ) -> Self {
        Self {
            warehouse,
            manifest,
            history,
            past: Mutex::default(),
            epoch: AtomicU64::new(0),
            shown: Mutex::default(),
            audit: None,
        }
    }

    /// The same with the audit log as `ops.audit_log`. Nobody sees it but whom `access.yml` grants
    /// it.
    #[must_use]
    pub fn with_audit(mut self, place: Place) -> Self {
        self.audit = Some(place);
        self
    }

    /// The versions to show: all as they are, or while a run is at work as the last one left them.
    async fn wanted(&self, newest: &Newest) -> Result<Versions> {
        if newest.is_running && newest.ended.is_some() {
            let left = self.history.versions_at(DateTime::<Utc>::MAX_UTC).await?;
            return Ok(left.unwrap_or_default());
        }
        let tables = self.warehouse.lake.newest().await.map_err(unreadable)?;
        let versions = tables.into_iter();
        Ok(versions
            .map(|table| (table.name.to_string(), table.version))
            .collect())
    }

    async fn registered(&self, versions: &Versions) -> transform::Result<SessionContext> {
        let past = self.warehouse.at(versions).await?;
        let graph = Graph::new(&self.manifest)?;
        let order: Vec<String> = graph.models().map(str::to_owned).collect();
        past.register_views(&self.manifest, &order).await?;
        if let Some(place) = &self.audit {
            past.register("ops", "audit_log", Arc::new(AuditLog::new(place.clone())))?;
        }
        Ok(past.session)
    }
}

fn unreadable(error: impl std::fmt::Display) -> AccessError {
    log::warn!("the tables cannot be read: {error}");
    AccessError::new(Reason::Internal, "the tables cannot be read")
}

#[async_trait]
impl Guarded for ProjectTables {
    fn session(&self) -> SessionContext {
        self.warehouse.session.clone()
    }

    fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::SeqCst)
    }

    async fn catch_up(&self) -> Result<bool> {
        let mut shown = self.shown.lock().await;
        let newest = self.history.newest().await?;
        let is_fresh = shown.looked_at.is_some_and(|at| at.elapsed() < LOOK_AT_ALL);
        if is_fresh && newest.ended == shown.newest.ended {
            return Ok(false);
        }
        let versions = self.wanted(&newest).await?;
        let is_new = versions != shown.versions;
        if is_new {
            let session = self.registered(&versions).await.map_err(unreadable)?;
            let catalog = session
                .catalog(CATALOG)
                .ok_or_else(|| AccessError::new(Reason::Internal, "the catalogue is missing"))?;
            self.warehouse.session.register_catalog(CATALOG, catalog);
            self.epoch.fetch_add(1, Ordering::SeqCst);
        }
        *shown = Shown {
            newest,
            versions,
            looked_at: Some(Instant::now()),
        };
        Ok(is_new)
    }

    async fn tags(&self) -> Result<Arc<TagMap>> {
        let tags = of_project(&self.warehouse, &self.manifest).await;
        tags.map(Arc::new).map_err(|error| {
            let message = format!("the tags of the models cannot be found out: {error}");
            AccessError::new(Reason::Internal, message)
        })
    }

    async fn session_at(&self, at: DateTime<Utc>) -> Result<SessionContext> {
        let Some(versions) = self.history.versions_at(at).await? else {
            let error = AccessError::new(Reason::Invalid, format!("no run had ended by {at}"));
            return Err(error.hint("without a time the newest state is read"));
        };
        let mut past = self.past.lock().await;
        if let Some((_, session)) = past.iter().find(|(known, _)| *known == versions) {
            return Ok(session.clone());
        }
        let session = self.registered(&versions).await.map_err(|error| {
            log::warn!("the tables of {at} cannot be read: {error}");
            AccessError::new(
                Reason::Invalid,
                format!("the tables of {at} cannot be read"),
            )
            .hint("files of old versions are removed after the time that is set for it")
        })?;
        if past.len() == KEPT {
            past.remove(0);
        }
        past.push((versions, session.clone()));
        Ok(session)
    }
}
