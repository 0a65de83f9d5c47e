//! A project's warehouse behind the gate.

use std::collections::BTreeMap;
use std::sync::Arc;

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
use super::tags::{TagMap, of_project};

/// States of the past that are kept at hand.
const KEPT: usize = 8;

/// Version of each table, by `schema.name`.
pub type Versions = BTreeMap<String, u64>;

/// Knows which versions of tables belong together.
pub trait History: Send + Sync {
    /// The versions that the last run left that had ended by then; none where none had.
    ///
    /// # Errors
    /// The runs cannot be read.
    fn versions_at(&self, at: DateTime<Utc>) -> BoxFuture<'_, Result<Option<Versions>>>;
}

/// The tables and views of a project. Its views must have been registered.
pub struct ProjectTables {
    warehouse: Arc<Warehouse>,
    manifest: Arc<Manifest>,
    history: Arc<dyn History>,
    past: Mutex<Vec<(Versions, SessionContext)>>,
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
        }
    }

    async fn registered(&self, versions: &Versions) -> transform::Result<SessionContext> {
        let past = self.warehouse.at(versions).await?;
        let graph = Graph::new(&self.manifest)?;
        let order: Vec<String> = graph.models().map(str::to_owned).collect();
        past.register_views(&self.manifest, &order).await?;
        Ok(past.session)
    }
}

#[async_trait]
impl Guarded for ProjectTables {
    fn session(&self) -> SessionContext {
        self.warehouse.session.clone()
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
