//! A session: one principal, a catalogue of what it may see, and the only way to run a statement.

pub(crate) mod catalog;
mod functions;
mod growth;
mod rows;
pub(crate) mod settings;
pub(crate) mod statement;
mod stop;
pub(crate) mod text;

use std::sync::Arc;
use std::time::Instant;

use chrono::{DateTime, Utc};
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::catalog::{CatalogProviderList as _, MemoryCatalogProviderList};
use datafusion::common::ParamValues;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::context::SessionState;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::SessionContext;

use super::error::{AccessError, Reason, Result};
use super::gate::Shared;
use super::limits::{Limits, Permit};
use super::own::{Temp, overlay};
use super::principal::{Principal, PrincipalId};
use super::standing::Standing;
use super::who::Origin;
use super::witness::Event;
pub(crate) use catalog::CATALOG;
use catalog::{GovernedCatalog, Shown};
pub(crate) use statement::Reads;

pub use rows::{Canceller, Rows};

/// How the errors begin of functions that would make too much.
pub(crate) const BOUND: &str = "too much:";

/// One principal's session. Cheap to make; statements of one session may run side by side.
pub struct Session {
    pub(crate) shared: Arc<Shared>,
    pub(crate) standing: Arc<Standing>,
    id: PrincipalId,
    context: SessionContext,
    as_of: Option<DateTime<Utc>>,
    origin: Option<Origin>,
    settings: settings::Settings,
    /// Its temporary tables; none where there are no own schemas.
    pub(crate) temp: Option<Arc<Temp>>,
}

/// A statement that was looked at and planned. It is planned anew each time it runs, so that it
/// reads what is newest and what its principal may see then.
#[derive(Debug, Clone)]
pub struct Statement {
    sql: Arc<str>,
    schema: SchemaRef,
    parameters: Vec<(String, Option<DataType>)>,
}

impl Statement {
    /// The columns of its result.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Its parameters (`$1` …) in order, with their types where the statement tells them.
    pub fn parameters(&self) -> &[(String, Option<DataType>)] {
        &self.parameters
    }

    /// Its text.
    pub fn sql(&self) -> &str {
        &self.sql
    }
}

/// A plan that was looked at, and what was found.
pub(crate) struct Looked {
    pub(crate) state: SessionState,
    pub(crate) plan: LogicalPlan,
    pub(crate) reads: Reads,
    /// How large the values of each of its columns can become, in bytes.
    pub(crate) sizes: Vec<u64>,
}

/// A plan that may run.
pub(crate) struct Planned {
    pub(crate) state: SessionState,
    pub(crate) plan: LogicalPlan,
    pub(crate) reads: Reads,
    pub(crate) sizes: Vec<u64>,
    pub(crate) stamp: u64,
    /// Leave to plan and run it, until both have ended.
    pub(crate) permit: Permit,
}

impl Session {
    pub(crate) fn new(
        shared: Arc<Shared>,
        standing: Arc<Standing>,
        id: PrincipalId,
        owner: SessionContext,
        as_of: Option<DateTime<Utc>>,
    ) -> Result<Self> {
        let is_admin = standing.view()?.rights.is_admin;
        // Own tables have no past: who looks back sees the project's alone.
        let own = shared.own.as_ref().filter(|_| as_of.is_none());
        let temp = own.map(|own| Arc::new(Temp::new(own.clone())));
        let owner = match own {
            Some(own) => overlay(&shared, own, &owner, temp.clone()),
            None => owner,
        };
        Ok(Self {
            context: governed(&shared, &standing, &owner, is_admin)?,
            shared,
            standing,
            id,
            as_of,
            origin: None,
            settings: settings::Settings::default(),
            temp,
        })
    }

    /// The same with the place where its client came in, for the audit log.
    #[must_use]
    pub fn from(mut self, origin: Origin) -> Self {
        self.origin = Some(origin);
        self
    }

    /// From where its client came.
    pub fn origin(&self) -> Option<Origin> {
        self.origin
    }

    /// Whose session it is, as it stands now.
    ///
    /// # Errors
    /// The principal was revoked.
    pub fn principal(&self) -> Result<Arc<Principal>> {
        Ok(self.standing.view()?.rights.principal.clone())
    }

    /// What its principal is known by.
    pub fn id(&self) -> &PrincipalId {
        &self.id
    }

    /// The time whose tables it reads; none: the newest.
    pub fn as_of(&self) -> Option<DateTime<Utc>> {
        self.as_of
    }

    /// The governed catalogue and functions, for doors that describe them in a way of their own
    /// (`pg_catalog`). Everything in it is behind the barrier, but a statement that is run through
    /// it has no limits and no audit: run statements by [`Session::run`].
    pub fn context(&self) -> &SessionContext {
        &self.context
    }

    /// Looks at a statement and plans it.
    ///
    /// # Errors
    /// It does anything but read, reads what the principal may not, or cannot be planned.
    pub async fn prepare(&self, sql: &str) -> Result<Statement> {
        let planned = self.planned(sql, self.deadline(), text::check).await?;
        let schema = Arc::new(planned.plan.schema().as_arrow().clone());
        let known = planned.plan.get_parameter_types();
        let known = known.map_err(|error| AccessError::of_planning(&error))?;
        let mut parameters: Vec<_> = known.into_iter().collect();
        let number = |name: &str| {
            name.trim_start_matches('$')
                .parse::<u32>()
                .unwrap_or(u32::MAX)
        };
        parameters.sort_by_key(|(name, _)| (number(name), name.clone()));
        Ok(Statement {
            sql: sql.into(),
            schema,
            parameters,
        })
    }

    /// Runs a prepared statement.
    ///
    /// # Errors
    /// As [`Session::prepare`]; its result would have other columns than when it was prepared; too
    /// many queries run.
    pub async fn run(&self, statement: &Statement, values: Option<ParamValues>) -> Result<Rows> {
        Box::pin(self.start(&statement.sql, values, Some(&statement.schema))).await
    }

    /// Runs a statement without parameters.
    ///
    /// # Errors
    /// As [`Session::prepare`]; too many queries run.
    pub async fn query(&self, sql: &str) -> Result<Rows> {
        Box::pin(self.start(sql, None, None)).await
    }

    async fn start(
        &self,
        sql: &str,
        values: Option<ParamValues>,
        promised: Option<&SchemaRef>,
    ) -> Result<Rows> {
        let deadline = self.deadline();
        let mut planned = self.planned(sql, deadline, text::check).await?;
        if let Some(promised) = promised
            && !is_same(promised, planned.plan.schema().as_arrow())
        {
            let message = "the result would have other columns than when it was prepared";
            return Err(AccessError::new(Reason::PolicyChanged, message).hint("prepare it again"));
        }
        let of_planning = |error| AccessError::of_planning(&error);
        if let Some(values) = values {
            let bound = planned.plan.with_param_values(values);
            planned.plan = bound.map_err(of_planning)?;
        }
        let unbound = planned.plan.get_parameter_names().map_err(of_planning)?;
        if let Some(name) = unbound.iter().min() {
            let message = format!("the parameter `{name}` has no value");
            return Err(AccessError::new(Reason::Invalid, message));
        }
        self.started(planned, sql, deadline).await
    }

    /// Starts what was planned.
    pub(crate) async fn started(
        &self,
        planned: Planned,
        sql: &str,
        deadline: Instant,
    ) -> Result<Rows> {
        self.note(&planned.reads, sql);
        Box::pin(rows::start(
            &self.shared,
            self.standing.clone(),
            planned,
            deadline,
        ))
        .await
    }

    /// When a statement that starts now must have ended.
    pub(crate) fn deadline(&self) -> Instant {
        let most = self.shared.limits.time;
        Instant::now() + self.settings.time().map_or(most, |asked| asked.min(most))
    }

    fn note(&self, reads: &Reads, sql: &str) {
        self.shared.note(&Event::Query {
            principal: self.id.clone(),
            tables: reads.tables.clone(),
            tags: reads.tags.clone(),
            sql: sql.to_owned(),
            as_of: self.as_of,
            origin: self.origin,
        });
    }

    /// Plans a statement on the gate's own threads: their stacks are large, and a panic or an
    /// endless plan there is an error here. `check` measures the text before it is parsed.
    pub(crate) async fn planned(
        &self,
        sql: &str,
        deadline: Instant,
        check: fn(&str, &Limits) -> Result<()>,
    ) -> Result<Planned> {
        let planned = async {
            check(sql, &self.shared.limits)?;
            let permit = self.shared.admission.admit(&self.id).await?;
            let job = plan(
                self.context.clone(),
                self.temp.clone(),
                self.standing.clone(),
                self.shared.clone(),
                sql.to_owned(),
                permit,
            );
            // What the engine does while it plans is large, and doors hold it many times over.
            self.shared.in_time(deadline, Box::pin(job)).await
        };
        let planned = planned.await;
        if let Err(error) = &planned {
            self.refused(error, sql);
        }
        planned
    }

    /// Does something else with a statement in the way that queries are run: it is measured first,
    /// waits its turn, has the time of a query and the stack of one. `work` reads nothing but what
    /// it was given.
    ///
    /// # Errors
    /// The principal was revoked, the statement is too large, too many queries run, or `work`
    /// fails.
    pub(crate) async fn aside<T: Send + 'static>(
        &self,
        sql: &str,
        work: impl FnOnce(Instant) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let deadline = self.deadline();
        let done = async {
            text::check(sql, &self.shared.limits)?;
            self.standing.view()?;
            let permit = self.shared.admission.admit(&self.id).await?;
            let job = async move {
                let _permit = permit;
                work(deadline)
            };
            self.shared.in_time(deadline, job).await
        };
        let done = done.await;
        if let Err(error) = &done {
            self.refused(error, sql);
        }
        done
    }

    /// Takes note of a statement that was refused.
    pub(crate) fn refused(&self, error: &AccessError, sql: &str) {
        self.shared.note(&Event::Refused {
            principal: self.id.clone(),
            error: error.clone(),
            sql: sql.to_owned(),
            origin: self.origin,
        });
    }
}

async fn plan(
    context: SessionContext,
    temp: Option<Arc<Temp>>,
    standing: Arc<Standing>,
    shared: Arc<Shared>,
    sql: String,
    permit: Permit,
) -> Result<Planned> {
    let view = standing.view()?;
    let is_admin = view.rights.is_admin;
    let looked = looked_at(&shared, &context, temp.as_deref(), is_admin, &sql).await?;
    // What was planned while the policy changed is refused by its tables when it is run.
    Ok(Planned {
        state: looked.state,
        plan: looked.plan,
        reads: looked.reads,
        sizes: looked.sizes,
        stamp: view.stamp,
        permit,
    })
}

/// Looks at a query and plans it: as a statement of a session, or as the inside of a view.
pub(crate) async fn looked_at(
    shared: &Shared,
    context: &SessionContext,
    temp: Option<&Temp>,
    is_admin: bool,
    sql: &str,
) -> Result<Looked> {
    let of_planning = |error| AccessError::of_planning(&error);
    let limits = &shared.limits;
    let sql = sql.trim().trim_end_matches(';');
    let mut parsed = transform::parse(context, sql).map_err(of_planning)?;
    statement::check(&parsed, is_admin, limits)?;
    if let Some(temp) = temp {
        temp.qualify(&mut parsed);
    }
    let state = context.state();
    let plan = of_one_state(&state, shared, parsed).await?;
    let schema = &state.config_options().catalog.default_schema;
    let reads = statement::verify(&plan, schema, is_admin)?;
    if reads.scans > limits.tables as u64 {
        let message = format!(
            "the statement and the views in it read more than {} tables",
            limits.tables
        );
        return Err(text::too_complex(message));
    }
    let sizes = growth::check(&plan)?;
    Ok(Looked {
        state,
        plan,
        reads,
        sizes,
    })
}

/// A plan whose tables all belong to one state: while it was made, no run's tables were shown.
async fn of_one_state(
    state: &SessionState,
    shared: &Shared,
    parsed: datafusion::sql::parser::Statement,
) -> Result<LogicalPlan> {
    loop {
        let epoch = shared.guarded.epoch();
        let plan = state.statement_to_plan(parsed.clone()).await;
        if shared.guarded.epoch() == epoch {
            return plan.map_err(|error| AccessError::of_planning(&error));
        }
    }
}

/// The owner's engine with a principal's catalogue, the functions that may be called, and nothing
/// that could make, write or open anything else.
pub(crate) fn governed(
    shared: &Shared,
    standing: &Arc<Standing>,
    owner: &SessionContext,
    is_admin: bool,
) -> Result<SessionContext> {
    let shown = Shown {
        owner: owner.clone(),
        standing: standing.clone(),
        key: shared.mask_key.clone(),
    };
    let catalogs = MemoryCatalogProviderList::new();
    catalogs.register_catalog(CATALOG.to_owned(), Arc::new(GovernedCatalog::new(shown)));
    let owner = owner.state();
    let scalars = functions::scalars(owner.scalar_functions().iter(), is_admin);
    let tables = functions::tables(owner.table_functions());
    let tables = tables
        .into_iter()
        .map(|table| (table.name().to_owned(), table));
    let tables = tables.collect();
    // The catalogue describes itself, without the settings that the engine would show.
    let config = owner
        .config()
        .clone()
        .with_information_schema(false)
        .with_create_default_catalog_and_schema(false);
    let mut builder = SessionStateBuilder::new_from_existing(owner)
        .with_config(config)
        .with_catalog_list(Arc::new(catalogs))
        .with_scalar_functions(scalars)
        .with_table_functions(tables)
        .with_table_factories(Default::default())
        .with_file_formats(vec![]);
    *builder.function_factory() = None;
    *builder.cache_factory() = None;
    let context = SessionContext::new_with_state(builder.build());
    shared.add_metrics(&context)?;
    Ok(context)
}

/// Lets names without a schema be looked up in this one.
pub(crate) fn search(context: &SessionContext, schema: &str) {
    let state = context.state_ref();
    let mut state = state.write();
    let options = state.config_mut().options_mut();
    schema.clone_into(&mut options.catalog.default_schema);
}

fn is_same(promised: &SchemaRef, schema: &datafusion::arrow::datatypes::Schema) -> bool {
    let shape = |schema: &datafusion::arrow::datatypes::Schema| {
        let fields = schema.fields().iter();
        fields
            .map(|field| (field.name().clone(), field.data_type().clone()))
            .collect::<Vec<_>>()
    };
    shape(promised) == shape(schema)
}
