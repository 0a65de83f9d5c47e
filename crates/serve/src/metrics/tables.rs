//! Every subject as a table of the schema `metrics`: its dimensions, its time buckets and its
//! measures are columns. The tables hold no rows: `rewrite` puts in the query that a use of them
//! means. What a session may not read is not there: a measure whose columns are hidden is no
//! column.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Weak};

use arrow_schema::Schema;
use datafusion::catalog::{
    CatalogProviderList, MemoryCatalogProviderList, SchemaProvider, TableProvider,
};
use datafusion::common::{ParamValues, ScalarValue, plan_err};
use datafusion::datasource::provider_as_source;
use datafusion::error::Result;
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::TableSource;
use datafusion::prelude::SessionContext;
use domain::config::ProjectConfig;
use domain::metrics::Layer;
use tonic::async_trait;

use super::compile::{Compiled, Parameter};
use super::measure::MeasureFunction;
use super::rewrite::Rewrite;
use super::table::MetricsTable;

/// Name of the schema.
pub const SCHEMA: &str = "metrics";
/// Key of a field's metadata that says what may be done with its figures.
pub const ADDITIVITY: &str = "throughline.additivity";
/// Key of a field's metadata that says what it is counted in.
pub const UNIT: &str = "throughline.unit";
/// The column that says whether money of a row is missing.
pub(super) const IS_PARTIAL: &str = "is_partial";

/// Makes the schema `metrics` and the function `measure` part of a session. What the tables show is
/// read through the session's own catalogue when a query names them, so that its row filters, masks
/// and hidden columns hold.
///
/// # Errors
/// The session has no default catalogue, or it refuses the schema.
pub fn register(
    context: &SessionContext,
    layer: Arc<Layer>,
    config: Arc<ProjectConfig>,
) -> Result<()> {
    let name = context
        .state()
        .config_options()
        .catalog
        .default_catalog
        .clone();
    let Some(catalog) = context.catalog(&name) else {
        return plan_err!("the session has no catalogue `{name}`");
    };
    let state = context.state();
    // The schema is part of the catalogue: it must not hold it, nor a state that does.
    let schema = MetricsSchema {
        layer,
        config,
        catalogs: Arc::downgrade(state.catalog_list()),
        catalog: name,
        functions: Arc::new(
            SessionStateBuilder::new_from_existing(state)
                .with_catalog_list(Arc::new(MemoryCatalogProviderList::new()))
                .build(),
        ),
    };
    catalog.register_schema(SCHEMA, Arc::new(schema))?;
    context.register_udaf(MeasureFunction::new().into());
    context.add_analyzer_rule(Arc::new(Rewrite));
    Ok(())
}

/// The columns of every subject that the session may read, by subject: which metrics and dimensions
/// a program may be offered. The session must be one that [`register`] was given.
///
/// # Errors
/// A table cannot be looked up.
pub async fn visible(context: &SessionContext) -> Result<BTreeMap<String, Vec<String>>> {
    let name = context
        .state()
        .config_options()
        .catalog
        .default_catalog
        .clone();
    let schema = context
        .catalog(&name)
        .and_then(|catalog| catalog.schema(SCHEMA));
    let mut visible = BTreeMap::new();
    let Some(schema) = schema else {
        return Ok(visible);
    };
    for name in schema.table_names() {
        if let Some(table) = schema.table(&name).await? {
            let columns = table.schema();
            let columns = columns.fields().iter().map(|field| field.name().clone());
            visible.insert(name, columns.collect());
        }
    }
    Ok(visible)
}

/// A parameter of a compiled request, as the engine takes it.
impl From<&Parameter> for ScalarValue {
    fn from(value: &Parameter) -> Self {
        match value {
            Parameter::Text(text) => Self::Utf8(Some(text.clone())),
            Parameter::Integer(value) => Self::Int64(Some(*value)),
            Parameter::Boolean(value) => Self::Boolean(Some(*value)),
            Parameter::Day(day) => Self::Date32(Some(*day)),
        }
    }
}

/// The values of a compiled request, for `DataFrame::with_param_values`.
pub fn values(compiled: &Compiled) -> ParamValues {
    let values: Vec<ScalarValue> = compiled.parameters.iter().map(ScalarValue::from).collect();
    ParamValues::from(values)
}

/// The schema.
struct MetricsSchema {
    layer: Arc<Layer>,
    config: Arc<ProjectConfig>,
    /// The catalogues that it is part of.
    catalogs: Weak<dyn CatalogProviderList>,
    /// The one that has the tables.
    catalog: String,
    /// A state that knows the session's functions and settings, and no tables.
    functions: Arc<SessionState>,
}

impl fmt::Debug for MetricsSchema {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("MetricsSchema").finish_non_exhaustive()
    }
}

#[async_trait]
impl SchemaProvider for MetricsSchema {
    fn table_names(&self) -> Vec<String> {
        self.layer.subjects.keys().cloned().collect()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let Some(subject) = self.layer.subjects.get(name) else {
            return Ok(None);
        };
        let mut sources = BTreeMap::new();
        let labels = self.layer.dimensions_of(subject);
        let labels = labels.filter_map(|(_, dimension)| dimension.table.as_deref());
        for table in subject.table.as_deref().into_iter().chain(labels) {
            if !sources.contains_key(table)
                && let Some(source) = self.source(table).await?
            {
                sources.insert(table.to_owned(), source);
            }
        }
        // What may not be read, or is not built, is not there.
        if !subject
            .table
            .as_ref()
            .is_some_and(|table| sources.contains_key(table))
        {
            return Ok(None);
        }
        let mut table = MetricsTable {
            layer: self.layer.clone(),
            config: self.config.clone(),
            subject: subject.clone(),
            schema: Arc::new(Schema::empty()),
            state: self.functions.clone(),
            sources,
        };
        table.schema = table.visible();
        let any = !table.schema.fields().is_empty();
        Ok(any.then(|| Arc::new(table) as Arc<dyn TableProvider>))
    }

    fn table_exist(&self, name: &str) -> bool {
        self.layer.subjects.contains_key(name)
    }
}

impl MetricsSchema {
    /// A table as the session shows it, if it does.
    async fn source(&self, table: &str) -> Result<Option<Arc<dyn TableSource>>> {
        let Some((schema, name)) = table.split_once('.') else {
            return Ok(None);
        };
        let catalogs = self.catalogs.upgrade();
        let catalog = catalogs.and_then(|all| all.catalog(&self.catalog));
        let Some(schema) = catalog.and_then(|catalog| catalog.schema(schema)) else {
            return Ok(None);
        };
        Ok(schema.table(name).await?.map(provider_as_source))
    }
}
