//! The lake's tables, as SQL sees them: a schema for each zone, and the views of the project.
//!
//! A warehouse holds one session whose catalogue is kept in step with the lake: a table that was
//! committed is registered anew, at its new version. All queries of a process read through it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use datafusion::catalog::{
    CatalogProvider as _, CatalogProviderList as _, MemoryCatalogProvider,
    MemoryCatalogProviderList, MemorySchemaProvider, TableProvider,
};
use datafusion::dataframe::DataFrame;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::prelude::{SQLOptions, SessionContext};
use domain::config::ProjectConfig;
use domain::entity::{ColumnKind, Entity, entities, stored_columns};
use domain::key::KeyMaker;
use lake::session::Resources;
use lake::{Lake, LakeTable, Table, TableName};

use crate::compile::{Dependency, Manifest, Relations, Target};
use crate::functions::{self, ChannelSeeds, FunctionContext};
use crate::project::{Materialized, Project};
use crate::{Result, TransformError, named_windows, silver};

/// The zones, each a schema in SQL.
pub const ZONES: [&str; 11] = [
    "raw",
    "staged",
    "quarantine",
    "cleansing",
    "quality",
    "silver",
    "identity",
    "star",
    "marts",
    "seeds",
    "ops",
];

/// Schema of what is at hand while `model` is built: its bounded inputs and intermediate rows.
/// Each model has its own, so that models can be built side by side.
pub fn work_of(model: &str) -> String {
    format!("work_{model}")
}

/// How often cleansing did what.
const COUNTS: &str = "select model_name, source_name, stream_name, declared_in, column_name, rule, \
    effect, count(distinct file) as files, sum(value_count) as value_count \
    from quality.cleansing \
    group by model_name, source_name, stream_name, declared_in, column_name, rule, effect";

/// Schema of the parts of tables that are kept in parts: what `ref('…', part='…')` reads.
const PARTS: &str = "parts";

/// Name of the catalogue.
const CATALOG: &str = "throughline";

/// SQL for one part of a model's table.
pub fn part_of(model: &str, part: &str) -> String {
    format!("{PARTS}.\"{model}.{part}\"")
}

/// The lake in SQL.
pub struct Warehouse {
    /// The lake.
    pub lake: Arc<Lake>,
    /// The session.
    pub session: SessionContext,
    /// Held while an entity's union is registered: two silver models of one entity may be
    /// published at a time, and the later one must see the earlier.
    registering: tokio::sync::Mutex<()>,
    /// The version at which each table is registered: what a query reads. The lake may know a
    /// newer one that another machine made.
    shown: Mutex<BTreeMap<String, u64>>,
}

impl Warehouse {
    /// Opens the warehouse of a project over `lake`, with all its tables registered.
    ///
    /// # Errors
    /// A setting or seed cannot be understood, or a table cannot be read.
    pub async fn open(
        lake: Arc<Lake>,
        project: &Project,
        key: &[u8],
        resources: &Resources,
        runtime: Arc<RuntimeEnv>,
    ) -> Result<Self> {
        let context = function_context(project, key)?;
        let builder = lake::session::builder(resources, runtime);
        let state = functions::register(builder, &context).build();
        let session = SessionContext::new_with_state(state);
        let catalog = session
            .catalog(CATALOG)
            .ok_or_else(|| TransformError::Setup("the catalogue is missing".into()))?;
        for zone in ZONES.into_iter().chain([PARTS]) {
            catalog.register_schema(zone, Arc::new(MemorySchemaProvider::new()))?;
        }
        let warehouse = Self {
            lake,
            session,
            registering: tokio::sync::Mutex::new(()),
            shown: Mutex::default(),
        };
        for table in warehouse.lake.tables().await? {
            warehouse.show(&table)?;
        }
        Ok(warehouse)
    }

    /// The same warehouse as it was: each table at the version that `versions` says for it
    /// (`schema.name`); a table that is not named was not there. Views are not registered.
    ///
    /// # Errors
    /// A version cannot be read (any more).
    pub async fn at(&self, versions: &BTreeMap<String, u64>) -> Result<Self> {
        let catalog = MemoryCatalogProvider::new();
        for zone in ZONES.into_iter().chain([PARTS]) {
            catalog.register_schema(zone, Arc::new(MemorySchemaProvider::new()))?;
        }
        let catalogs = MemoryCatalogProviderList::new();
        catalogs.register_catalog(CATALOG.to_owned(), Arc::new(catalog));
        let state = SessionStateBuilder::new_from_existing(self.session.state())
            .with_catalog_list(Arc::new(catalogs))
            .build();
        let past = Self {
            lake: self.lake.clone(),
            session: SessionContext::new_with_state(state),
            registering: tokio::sync::Mutex::new(()),
            shown: Mutex::default(),
        };
        for name in self.lake.names().await? {
            if let Some(version) = versions.get(&name.to_string())
                && let Some(table) = self.lake.table_at(&name, *version).await?
            {
                past.show(&table)?;
            }
        }
        Ok(past)
    }

    /// Registers a table at its newest version and gives it, if it exists.
    ///
    /// # Errors
    /// The table cannot be read.
    pub async fn refresh(&self, name: &TableName) -> Result<Option<Arc<Table>>> {
        let table = self.lake.table(name).await?;
        match &table {
            Some(table) => self.show(table)?,
            None => {
                self.deregister(&name.schema, &name.name)?;
                self.shown().remove(&name.to_string());
            }
        }
        Ok(table)
    }

    /// Registers a table at its newest version if it is not. True if it was not.
    ///
    /// # Errors
    /// The table cannot be read.
    pub async fn catch_up(&self, name: &TableName) -> Result<bool> {
        let newest = self.lake.table(name).await?.map(|table| table.version);
        if newest == self.version_shown(&name.to_string()) {
            return Ok(false);
        }
        self.refresh(name).await?;
        Ok(true)
    }

    /// The version at which queries read a table (`schema.name`), if they can.
    pub fn version_shown(&self, name: &str) -> Option<u64> {
        self.shown().get(name).copied()
    }

    fn show(&self, table: &Table) -> Result<()> {
        let name = &table.name;
        self.register(&name.schema, &name.name, Arc::new(LakeTable::new(table)))?;
        for part in &table.ledger.parts {
            let rows = LakeTable::new(&table.part(part));
            self.register(PARTS, &format!("{}.{part}", name.name), Arc::new(rows))?;
        }
        self.shown().insert(name.to_string(), table.version);
        Ok(())
    }

    fn shown(&self) -> MutexGuard<'_, BTreeMap<String, u64>> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Registers anything that can be scanned under `schema.name`, over what is there.
    ///
    /// # Errors
    /// There is no such schema.
    pub fn register(&self, schema: &str, name: &str, table: Arc<dyn TableProvider>) -> Result<()> {
        let provider = self.schema(schema)?;
        provider.deregister_table(name)?;
        provider.register_table(name.to_owned(), table)?;
        Ok(())
    }

    /// Registers something that is at hand while `model` is built, and gives what stands for it in
    /// SQL.
    ///
    /// # Errors
    /// The catalogue refuses.
    pub fn lend(&self, model: &str, name: &str, table: Arc<dyn TableProvider>) -> Result<String> {
        let schema = work_of(model);
        let catalog = self
            .session
            .catalog(CATALOG)
            .ok_or_else(|| TransformError::Setup("the catalogue is missing".into()))?;
        if catalog.schema(&schema).is_none() {
            catalog.register_schema(&schema, Arc::new(MemorySchemaProvider::new()))?;
        }
        self.register(&schema, name, table)?;
        Ok(lent(model, name))
    }

    /// Forgets what was at hand while `model` was built.
    ///
    /// # Errors
    /// The catalogue refuses.
    pub fn take_back(&self, model: &str) -> Result<()> {
        if let Some(catalog) = self.session.catalog(CATALOG) {
            catalog.deregister_schema(&work_of(model), true)?;
        }
        Ok(())
    }

    /// Forgets `schema.name`.
    ///
    /// # Errors
    /// There is no such schema.
    pub fn deregister(&self, schema: &str, name: &str) -> Result<()> {
        self.schema(schema)?.deregister_table(name)?;
        Ok(())
    }

    fn schema(&self, schema: &str) -> Result<Arc<dyn datafusion::catalog::SchemaProvider>> {
        self.session
            .catalog(CATALOG)
            .and_then(|catalog| catalog.schema(schema))
            .ok_or_else(|| TransformError::Setup(format!("there is no schema `{schema}`")))
    }

    /// A query.
    ///
    /// # Errors
    /// It cannot be planned.
    pub async fn sql(&self, sql: &str) -> Result<DataFrame> {
        self.planned(sql, &SQLOptions::new()).await
    }

    /// A query of a user: it may read, and nothing else.
    ///
    /// # Errors
    /// It cannot be planned, or it would change something.
    pub async fn query(&self, sql: &str) -> Result<DataFrame> {
        let options = SQLOptions::new()
            .with_allow_ddl(false)
            .with_allow_dml(false)
            .with_allow_statements(false);
        self.planned(sql, &options).await
    }

    async fn planned(&self, sql: &str, options: &SQLOptions) -> Result<DataFrame> {
        let statement = named_windows::parse(&self.session, sql)?;
        let plan = self.session.state().statement_to_plan(statement).await?;
        options.verify_plan(&plan)?;
        Ok(self.session.execute_logical_plan(plan).await?)
    }

    /// Registers the views: one per entity, and the project's `view` models. Models that cannot be
    /// planned (because what they read is not built yet) are left out and named.
    ///
    /// # Errors
    /// The catalogue refuses.
    pub async fn register_views(
        &self,
        manifest: &Manifest,
        order: &[String],
    ) -> Result<Vec<String>> {
        for entity in entities() {
            self.register_entity(manifest, entity).await?;
        }
        self.register_cleansing(manifest).await?;
        let mut missing = Vec::new();
        for name in order {
            let Some(parsed) = manifest.models.get(name) else {
                continue;
            };
            if parsed.config.materialized != Materialized::View || parsed.config.entity.is_some() {
                continue;
            }
            if self.register_view(manifest, name).await.is_err() {
                missing.push(name.clone());
            }
        }
        Ok(missing)
    }

    /// Whether there is such a table.
    pub(crate) fn has(&self, schema: &str, name: &str) -> bool {
        self.schema(schema)
            .is_ok_and(|schema| schema.table_exist(name))
    }

    /// Registers `quality.cleansing`, what cleansing changed for every model, and
    /// `quality.cleansing_count`, how often.
    ///
    /// # Errors
    /// The catalogue refuses.
    pub async fn register_cleansing(&self, manifest: &Manifest) -> Result<()> {
        let _held = self.registering.lock().await;
        let schema = silver::cleansing_schema();
        let names = schema.fields().iter().map(|field| field.name().as_str());
        let list = names.collect::<Vec<_>>().join(", ");
        let models = manifest.models.keys();
        let models = models.filter(|model| self.has(silver::CLEANSING, model));
        let mut parts: Vec<String> = models
            .map(|model| {
                let zone = silver::CLEANSING;
                format!("select '{model}' as model_name, {list} from {zone}.\"{model}\"")
            })
            .collect();
        if parts.is_empty() {
            let fields = schema.fields().iter();
            let nothing = fields.map(|field| {
                format!(
                    "arrow_cast(null, '{}') as {}",
                    field.data_type(),
                    field.name()
                )
            });
            let nothing = nothing.collect::<Vec<_>>().join(", ");
            parts.push(format!("select '' as model_name, {nothing} where false"));
        }
        let all = self.session.sql(&parts.join(" union all ")).await?;
        self.register("quality", "cleansing", all.into_view())?;
        let counts = self.session.sql(COUNTS).await?;
        self.register("quality", "cleansing_count", counts.into_view())
    }

    /// Registers one `view` model.
    ///
    /// # Errors
    /// Its SQL cannot be planned.
    pub async fn register_view(&self, manifest: &Manifest, name: &str) -> Result<()> {
        let sql = manifest.compile(
            name,
            &Whole {
                manifest,
                model: name,
            },
        )?;
        let plan = self.sql(&sql).await?;
        let schema = manifest
            .models
            .get(name)
            .map_or("marts", |model| model.layer().schema());
        self.register(schema, name, plan.into_view())
    }

    /// Registers `silver.<entity>`: the union by name of the silver models that promise it.
    ///
    /// # Errors
    /// The catalogue refuses.
    pub async fn register_entity(&self, manifest: &Manifest, entity: &Entity) -> Result<()> {
        let _held = self.registering.lock().await;
        let columns = stored_columns(entity);
        let mut parts = Vec::new();
        for model in manifest.models_of_entity(&entity.name) {
            if !self
                .session
                .table_exist(format!("silver.\"{}\"", model.name()))?
            {
                continue;
            }
            let known = self
                .session
                .table(format!("silver.\"{}\"", model.name()))
                .await?;
            let list: Vec<String> = columns
                .iter()
                .map(|column| {
                    match known
                        .schema()
                        .has_column_with_unqualified_name(&column.name)
                    {
                        true => format!("\"{}\"", column.name),
                        false => {
                            format!("{} as \"{}\"", cast("null", column.kind), column.name)
                        }
                    }
                })
                .collect();
            parts.push(format!(
                "select {} from silver.\"{}\"",
                list.join(", "),
                model.name()
            ));
        }
        if parts.is_empty() {
            let list: Vec<String> = columns
                .iter()
                .map(|column| format!("{} as \"{}\"", cast("null", column.kind), column.name))
                .collect();
            parts.push(format!("select {} where false", list.join(", ")));
        }
        let plan = self.session.sql(&parts.join(" union all ")).await?;
        self.register("silver", &entity.name, plan.into_view())
    }
}

/// SQL that gives `value` the type in which silver holds a kind of column.
pub fn cast(value: &str, kind: ColumnKind) -> String {
    let arrow = match kind {
        ColumnKind::Text | ColumnKind::Json => "Utf8",
        ColumnKind::Integer => "Int64",
        ColumnKind::Amount => "Decimal128(18, 6)",
        ColumnKind::Rate => "Decimal128(18, 8)",
        ColumnKind::Number => "Float64",
        ColumnKind::Boolean => "Boolean",
        ColumnKind::Instant => "Timestamp(Microsecond, Some(\"UTC\"))",
        ColumnKind::Day => "Date32",
    };
    format!("arrow_cast({value}, '{arrow}')")
}

fn function_context(project: &Project, key: &[u8]) -> Result<FunctionContext> {
    let seed = |name: &str| {
        project
            .seeds
            .get(name)
            .map(|seed| seed.text.as_str())
            .ok_or_else(|| {
                TransformError::Setup(format!("the seed `{name}` is missing from the models"))
            })
    };
    let seeds = ChannelSeeds {
        referrer_host: seed("referrer_host")?,
        click_id: seed("click_id")?,
        channel_source: seed("channel_source")?,
        channel_rule: seed("channel_rule")?,
        bot_pattern: seed("bot_pattern")?,
    };
    let config: &ProjectConfig = &project.config;
    FunctionContext::new(KeyMaker::new(key), config, &seeds)
        .map_err(|error| TransformError::Setup(error.to_string()))
}

/// SQL for something lent to a model under `name`.
pub fn lent(model: &str, name: &str) -> String {
    format!("\"{}\".\"{name}\"", work_of(model))
}

/// Every relation whole and at its newest version.
pub struct Whole<'a> {
    /// All models.
    pub manifest: &'a Manifest,
    /// The model that is compiled.
    pub model: &'a str,
}

impl Relations for Whole<'_> {
    fn relation(&self, dependency: &Dependency) -> String {
        self.manifest.relation_of(dependency)
    }

    fn this(&self) -> String {
        self.manifest
            .table_of(&Target::Model(self.model.to_owned()))
    }

    fn is_incremental(&self) -> bool {
        false
    }
}
