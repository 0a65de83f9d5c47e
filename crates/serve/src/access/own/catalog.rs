//! Own schemas in the catalogue behind the gate, beside the project's.
//!
//! What is found here is what there is, for whoever may ask: the gate wraps it in the reader's
//! filters and masks like any other table. A view is planned when its name is looked up, in a
//! catalogue of its owner's: with the owner's rights of this moment, behind the owner's barriers.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_schema::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{
    CatalogProvider, CatalogProviderList as _, MemoryCatalogProviderList, SchemaProvider, Session,
    TableProvider,
};
use datafusion::common::{Column as EngineColumn, Statistics};
use datafusion::datasource::ViewTable;
use datafusion::error::{DataFusionError, Result as EngineResult};
use datafusion::execution::SessionStateBuilder;
use datafusion::logical_expr::{
    Expr, LogicalPlan, LogicalPlanBuilder, TableProviderFilterPushDown, TableType,
};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionContext;
use lake::LakeTable;

use super::OwnSchemas;
use super::names::TEMP;
use super::relation::{Body, Relation};
use super::temp::Temp;
use crate::access::error::{AccessError, Reason, Result};
use crate::access::gate::Shared;
use crate::access::session::catalog::CATALOG;
use crate::access::session::{self, Looked};
use crate::access::standing::Standing;
use crate::access::tags::lineage::tags_of;
use crate::access::tags::{Tag, Tags, UNCLEAR};

/// Views that may stand upon another.
const DEEPEST: usize = 16;

/// Where own tables are looked up: for a session, or for a view that stands so deep.
#[derive(Clone)]
struct Place {
    shared: Arc<Shared>,
    own: Arc<OwnSchemas>,
    /// All that is not own.
    base: SessionContext,
    depth: usize,
}

impl std::fmt::Debug for Place {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Place")
    }
}

/// The owner's session with the own schemas beside the project's, and `temp` as a session's
/// temporary tables.
pub(crate) fn overlay(
    shared: &Arc<Shared>,
    own: &Arc<OwnSchemas>,
    base: &SessionContext,
    temp: Option<Arc<Temp>>,
) -> SessionContext {
    let place = Place {
        shared: shared.clone(),
        own: own.clone(),
        base: base.clone(),
        depth: 0,
    };
    place.context(temp)
}

impl Place {
    fn context(&self, temp: Option<Arc<Temp>>) -> SessionContext {
        let catalogs = MemoryCatalogProviderList::new();
        let overlay = Overlay {
            place: self.clone(),
            temp,
        };
        catalogs.register_catalog(CATALOG.to_owned(), Arc::new(overlay));
        let config = self.base.copied_config();
        let state = SessionStateBuilder::new_from_existing(self.base.state())
            .with_config(config.with_create_default_catalog_and_schema(false))
            .with_catalog_list(Arc::new(catalogs))
            .build();
        SessionContext::new_with_state(state)
    }

    /// What a name leads to, rows and tags of one moment: tags are noted before the rows that
    /// need them, so what is noted after the rows were opened holds for them.
    async fn settled(
        &self,
        schema: &str,
        name: &str,
        known: &(dyn Fn() -> Option<Arc<Relation>> + Sync),
    ) -> EngineResult<Option<Arc<dyn TableProvider>>> {
        loop {
            let Some(relation) = known() else {
                return Ok(None);
            };
            let table = self.table(schema, name, &relation).await?;
            let is_settled = known().is_some_and(|now| Arc::ptr_eq(&now, &relation));
            if relation.is_view() || is_settled {
                return Ok(Some(Arc::new(table)));
            }
        }
    }

    /// What a name leads to.
    async fn table(&self, schema: &str, name: &str, relation: &Relation) -> Result<OwnTable> {
        match &relation.body {
            Body::Table { id, version, .. } => {
                let table = self.own.table(id, *version).await?;
                let inner = LakeTable::new(&table);
                Ok(OwnTable {
                    schema: inner.schema(),
                    inner: Ok(Arc::new(inner)),
                    kind: TableType::Base,
                    tags: relation.tags(),
                    widest: relation.widest(),
                    weight: 1,
                    lenders: vec![],
                })
            }
            Body::View { sql, search_path } => {
                let planned = self.view(relation, sql, search_path).await;
                Ok(planned.unwrap_or_else(|error| {
                    log::info!("own view {schema}.{name}: {error}");
                    let weight = match error.reason {
                        // Whatever reads it reads too much.
                        Reason::TooComplex => u64::MAX,
                        _ => 1,
                    };
                    OwnTable::broken(relation, weight, unreadable(schema, name, &error))
                }))
            }
        }
    }

    /// A view, as its owner may read it now.
    async fn view(&self, relation: &Relation, sql: &str, search_path: &str) -> Result<OwnTable> {
        if self.depth >= DEEPEST {
            let message = format!("more than {DEEPEST} views stand upon one another");
            return Err(AccessError::new(Reason::TooComplex, message));
        }
        let deeper = Self {
            depth: self.depth + 1,
            ..self.clone()
        };
        let standing = self.shared.standing_of(&relation.owner).await?;
        let view = standing.view()?;
        let is_admin = view.rights.is_admin;
        let owner = deeper.context(None);
        let context = session::governed(&self.shared, &standing, &owner, is_admin)?;
        session::search(&context, search_path);
        let Looked {
            plan, reads, sizes, ..
        } = session::looked_at(&self.shared, &context, None, is_admin, sql).await?;
        let of_planning = |error: DataFusionError| AccessError::of_planning(&error);
        let tags = tags_of(&plan, &view.tags).map_err(of_planning)?;
        let names: Vec<&String> = relation.columns.iter().map(|column| &column.name).collect();
        let plan = named(plan, &names).map_err(of_planning)?;
        let by_name = |at: usize| names.get(at).map(|name| (*name).clone());
        let tags = tags.into_iter().enumerate();
        let sizes = sizes.into_iter().enumerate();
        let inner = ViewTable::new(plan, None);
        Ok(OwnTable {
            schema: inner.schema(),
            inner: Ok(Arc::new(inner)),
            kind: TableType::View,
            tags: tags
                .filter_map(|(at, tags)| Some((by_name(at)?, tags)))
                .collect(),
            widest: sizes
                .filter_map(|(at, size)| Some((by_name(at)?, size)))
                .collect(),
            weight: reads.scans.max(1),
            lenders: [vec![(standing, view.stamp)], reads.lenders].concat(),
        })
    }
}

/// A plan with these names for its columns.
pub(super) fn named(plan: LogicalPlan, names: &[&String]) -> EngineResult<LogicalPlan> {
    let schema = plan.schema().clone();
    if schema.fields().len() != names.len() {
        let message = "the view has other columns than when it was made";
        return Err(AccessError::new(Reason::Invalid, message).into());
    }
    let columns = names.iter().enumerate().map(|(at, name)| {
        let column = EngineColumn::from(schema.qualified_field(at));
        Expr::Column(column).alias((*name).clone())
    });
    LogicalPlanBuilder::from(plan)
        .project(columns.collect::<Vec<_>>())?
        .build()
}

/// What a reader is told of a view that cannot be planned: nothing of what it reads.
fn unreadable(schema: &str, name: &str, error: &AccessError) -> AccessError {
    let message = match error.reason {
        Reason::TooComplex => {
            format!("the view `{schema}.{name}` reads too much, or reads itself")
        }
        _ => format!(
            "the view `{schema}.{name}` cannot be read: what it reads is not there any more, or \
             its owner may not read it any more"
        ),
    };
    AccessError::new(Reason::Denied, message).hint("its owner has to make it again")
}

/// The project's catalogue, and the own schemas.
#[derive(Debug)]
struct Overlay {
    place: Place,
    temp: Option<Arc<Temp>>,
}

impl CatalogProvider for Overlay {
    fn schema_names(&self) -> Vec<String> {
        let base = self.place.base.catalog(CATALOG);
        let mut names = base.map(|base| base.schema_names()).unwrap_or_default();
        names.extend(self.place.own.now().schemas.keys().cloned());
        if self
            .temp
            .as_ref()
            .is_some_and(|temp| !temp.names().is_empty())
        {
            names.push(TEMP.to_owned());
        }
        names
    }

    fn schema(&self, name: &str) -> Option<Arc<dyn SchemaProvider>> {
        // The project's come first: an own one cannot stand before them.
        let base = self.place.base.catalog(CATALOG);
        if let Some(known) = base.and_then(|base| base.schema(name)) {
            return Some(known);
        }
        if name == TEMP {
            let temp = self.temp.clone()?;
            return Some(Arc::new(TempSchema {
                place: self.place.clone(),
                temp,
            }));
        }
        self.place.own.now().schemas.contains_key(name).then(|| {
            Arc::new(OwnSchema {
                place: self.place.clone(),
                name: name.to_owned(),
            }) as Arc<dyn SchemaProvider>
        })
    }
}

/// An own schema.
#[derive(Debug)]
struct OwnSchema {
    place: Place,
    name: String,
}

#[async_trait]
impl SchemaProvider for OwnSchema {
    fn table_names(&self) -> Vec<String> {
        let now = self.place.own.now();
        let schema = now.schemas.get(&self.name);
        let names = schema.map(|schema| schema.relations.keys().cloned().collect());
        names.unwrap_or_default()
    }

    async fn table(&self, name: &str) -> EngineResult<Option<Arc<dyn TableProvider>>> {
        let known = || self.place.own.now().relation(&self.name, name).cloned();
        self.place.settled(&self.name, name, &known).await
    }

    async fn table_type(&self, name: &str) -> EngineResult<Option<TableType>> {
        let now = self.place.own.now();
        let relation = now.relation(&self.name, name);
        Ok(relation.map(|relation| match relation.is_view() {
            true => TableType::View,
            false => TableType::Base,
        }))
    }

    fn table_exist(&self, name: &str) -> bool {
        self.place.own.now().relation(&self.name, name).is_some()
    }
}

/// The temporary tables of a session.
#[derive(Debug)]
struct TempSchema {
    place: Place,
    temp: Arc<Temp>,
}

#[async_trait]
impl SchemaProvider for TempSchema {
    fn table_names(&self) -> Vec<String> {
        self.temp.names()
    }

    async fn table(&self, name: &str) -> EngineResult<Option<Arc<dyn TableProvider>>> {
        let known = || self.temp.get(name);
        self.place.settled(TEMP, name, &known).await
    }

    fn table_exist(&self, name: &str) -> bool {
        self.temp.get(name).is_some()
    }
}

/// An own table or view with what the gate has to know of it.
#[derive(Debug)]
pub(crate) struct OwnTable {
    inner: Result<Arc<dyn TableProvider>>,
    schema: SchemaRef,
    kind: TableType,
    tags: BTreeMap<String, Tags>,
    widest: BTreeMap<String, u64>,
    weight: u64,
    lenders: Vec<Lender>,
}

/// Somebody with whose rights a view reads, and the stamp of these rights.
pub(crate) type Lender = (Arc<Standing>, u64);

impl OwnTable {
    fn broken(relation: &Relation, weight: u64, error: AccessError) -> Self {
        Self {
            inner: Err(error),
            schema: relation.schema(),
            kind: TableType::View,
            tags: relation.tags(),
            widest: relation.widest(),
            weight,
            lenders: vec![],
        }
    }

    /// Tags of a column.
    pub(crate) fn tags(&self, column: &str) -> Tags {
        let known = self.tags.get(column).cloned();
        known.unwrap_or_else(|| [Tag::pii(UNCLEAR)].into())
    }

    /// Bytes that the longest value of a column takes at most.
    pub(crate) fn widest(&self, column: &str) -> u64 {
        self.widest.get(column).copied().unwrap_or_default()
    }

    /// How many tables it reads, each as often as it does.
    pub(crate) fn weight(&self) -> u64 {
        self.weight
    }

    /// Those with whose rights it reads, and that end what runs when they lose them.
    pub(crate) fn lenders(&self) -> &[Lender] {
        &self.lenders
    }
}

#[async_trait]
impl TableProvider for OwnTable {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        self.kind
    }

    fn get_logical_plan(&self) -> Option<Cow<'_, LogicalPlan>> {
        self.inner.as_ref().ok()?.get_logical_plan()
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> EngineResult<Vec<TableProviderFilterPushDown>> {
        match &self.inner {
            Ok(inner) => inner.supports_filters_pushdown(filters),
            Err(error) => Err(error.clone().into()),
        }
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> EngineResult<Arc<dyn ExecutionPlan>> {
        match &self.inner {
            Ok(inner) => inner.scan(session, projection, filters, limit).await,
            Err(error) => Err(error.clone().into()),
        }
    }

    fn statistics(&self) -> Option<Statistics> {
        self.inner.as_ref().ok()?.statistics()
    }
}
