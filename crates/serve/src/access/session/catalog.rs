//! The catalogue of one session: only what its principal may see is in it.
//!
//! Nothing is copied when a session begins. A name is looked up among the owner's tables when a
//! statement is planned, and comes out as the principal's [`SecuredTable`]: so a session reads what
//! is newest, and lists what its principal may see now.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::information_schema::InformationSchemaProvider;
use datafusion::catalog::{
    CatalogProvider, CatalogProviderList as _, MemoryCatalogProvider, MemoryCatalogProviderList,
    SchemaProvider, TableProvider,
};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::TableType;
use datafusion::prelude::SessionContext;

use super::super::secured::{MaskKey, Parts, SecuredTable};
use super::super::standing::Standing;

/// Name of the catalogue, the owner's and every session's.
pub(crate) const CATALOG: &str = "throughline";
/// The schema that describes the others.
const INFORMATION_SCHEMA: &str = "information_schema";
/// A table of it that tells of the server's settings.
const SETTINGS: &str = "df_settings";

/// All that is needed to show an owner's tables to a principal.
#[derive(Clone)]
pub(crate) struct Shown {
    pub(crate) owner: SessionContext,
    pub(crate) standing: Arc<Standing>,
    pub(crate) key: MaskKey,
}

impl std::fmt::Debug for Shown {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Shown")
    }
}

/// The catalogue of a session.
#[derive(Debug, Clone)]
pub(crate) struct GovernedCatalog {
    shown: Shown,
    /// What the doors add (`pg_catalog`); also the place for a schema of the principal's own.
    added: Arc<MemoryCatalogProvider>,
}

impl GovernedCatalog {
    pub(crate) fn new(shown: Shown) -> Self {
        Self {
            shown,
            added: Arc::new(MemoryCatalogProvider::new()),
        }
    }

    /// What describes this catalogue. It is made anew each time: one that the catalogue kept would
    /// keep the catalogue for ever.
    fn information(&self) -> Information {
        let list = MemoryCatalogProviderList::new();
        list.register_catalog(CATALOG.to_owned(), Arc::new(self.clone()));
        Information(InformationSchemaProvider::new(Arc::new(list)))
    }

    fn is_governed(&self, schema: &str) -> bool {
        let view = self.shown.standing.view();
        let owner = self.shown.owner.catalog(CATALOG);
        view.is_ok_and(|view| view.rights.has_schema(schema))
            && owner.is_some_and(|owner| owner.schema(schema).is_some())
            && !schema.starts_with("work_")
    }
}

impl CatalogProvider for GovernedCatalog {
    fn schema_names(&self) -> Vec<String> {
        let owner = self.shown.owner.catalog(CATALOG);
        let of_owner = owner.map(|owner| owner.schema_names()).unwrap_or_default();
        let mut names: Vec<String> = of_owner
            .into_iter()
            .filter(|name| self.is_governed(name))
            .chain(self.added.schema_names())
            .collect();
        names.sort();
        names.dedup();
        names
    }

    fn schema(&self, name: &str) -> Option<Arc<dyn SchemaProvider>> {
        if name == INFORMATION_SCHEMA {
            return Some(Arc::new(self.information()));
        }
        // The owner's come first: what is added cannot shadow them.
        if self.is_governed(name) {
            return Some(Arc::new(GovernedSchema {
                shown: self.shown.clone(),
                name: name.to_owned(),
            }));
        }
        self.added.schema(name)
    }

    fn register_schema(
        &self,
        name: &str,
        schema: Arc<dyn SchemaProvider>,
    ) -> Result<Option<Arc<dyn SchemaProvider>>> {
        self.added.register_schema(name, schema)
    }
}

/// A schema of the owner, as a principal sees it.
#[derive(Debug)]
struct GovernedSchema {
    shown: Shown,
    name: String,
}

impl GovernedSchema {
    fn of_owner(&self) -> Option<Arc<dyn SchemaProvider>> {
        self.shown.owner.catalog(CATALOG)?.schema(&self.name)
    }

    fn may_have(&self, table: &str) -> bool {
        let view = self.shown.standing.view();
        view.is_ok_and(|view| view.rights.may_have(&self.name, table))
    }
}

#[async_trait]
impl SchemaProvider for GovernedSchema {
    fn table_names(&self) -> Vec<String> {
        let owner = self.of_owner();
        let names = owner.map(|schema| schema.table_names()).unwrap_or_default();
        let mut names: Vec<String> = names
            .into_iter()
            .filter(|name| self.may_have(name))
            .collect();
        names.sort();
        names
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>, DataFusionError> {
        let (Some(schema), true) = (self.of_owner(), self.may_have(name)) else {
            return Ok(None);
        };
        let Some(inner) = schema.table(name).await? else {
            return Ok(None);
        };
        let secured = SecuredTable::new(Parts {
            schema_name: self.name.clone(),
            table_name: name.to_owned(),
            inner,
            owner: self.shown.owner.state(),
            standing: self.shown.standing.clone(),
            view: self.shown.standing.view()?,
            key: self.shown.key.clone(),
        });
        Ok(secured.map(|table| Arc::new(table) as Arc<dyn TableProvider>))
    }

    async fn table_type(&self, name: &str) -> Result<Option<TableType>> {
        let table = self.table(name).await?;
        Ok(table.map(|table| table.table_type()))
    }

    fn table_exist(&self, name: &str) -> bool {
        self.may_have(name)
            && self
                .of_owner()
                .is_some_and(|schema| schema.table_exist(name))
    }
}

/// `information_schema` without the server's settings.
#[derive(Debug)]
struct Information(InformationSchemaProvider);

#[async_trait]
impl SchemaProvider for Information {
    fn table_names(&self) -> Vec<String> {
        let mut names = self.0.table_names();
        names.retain(|name| name != SETTINGS);
        names
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>, DataFusionError> {
        match name == SETTINGS {
            true => Ok(None),
            false => self.0.table(name).await,
        }
    }

    fn table_exist(&self, name: &str) -> bool {
        name != SETTINGS && self.0.table_exist(name)
    }
}
