//! A table (or view) as one principal sees it.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow_schema::{Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::error::Result as EngineResult;
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;

use super::exec::{SecureExec, hidden};
use super::inside::Inside;
use super::leakproof::is_leakproof;
use super::mask::MaskKey;
use crate::access::error::Result;
use crate::access::own::{Lender, OwnTable};
use crate::access::policy::TableRights;
use crate::access::standing::{Standing, View};

/// A larger limit is none; with an offset added it can be more than the engine can count.
const LARGEST_LIMIT: usize = 1 << 40;

/// Under which rights a plan was made.
#[derive(Debug, Clone)]
pub(crate) struct Under {
    /// `star.fct_order`.
    pub(crate) table: Arc<str>,
    pub(crate) standing: Arc<Standing>,
    pub(crate) stamp: u64,
}

impl Under {
    /// Whether they still hold.
    pub(crate) fn check(&self) -> Result<()> {
        self.standing.check(self.stamp)
    }
}

/// A table or view with a principal's filters and masks applied inside its scan.
///
/// Its columns are those that the principal may see, masked ones under their own name and type. A
/// view is governed like a table: what it reads, it reads with the owner's rights.
#[derive(Debug)]
pub struct SecuredTable {
    schema_name: String,
    table_name: String,
    inner: Arc<dyn TableProvider>,
    owner: SessionState,
    rights: TableRights,
    view: Arc<View>,
    under: Under,
    key: MaskKey,
    schema: SchemaRef,
    /// A table of which all rows and all values of its columns are shown.
    is_open: bool,
}

/// What a [`SecuredTable`] is made from.
pub(crate) struct Parts {
    pub(crate) schema_name: String,
    pub(crate) table_name: String,
    pub(crate) inner: Arc<dyn TableProvider>,
    pub(crate) owner: SessionState,
    pub(crate) standing: Arc<Standing>,
    pub(crate) view: Arc<View>,
    pub(crate) key: MaskKey,
}

impl SecuredTable {
    /// The table as `parts.view` lets it be seen; none where nothing of it may be.
    pub(crate) fn new(parts: Parts) -> Option<Self> {
        let Parts {
            schema_name,
            table_name,
            inner,
            owner,
            standing,
            view,
            key,
        } = parts;
        let whole = inner.schema();
        let own = inner.downcast_ref::<OwnTable>();
        let tags = |column: &str| match own {
            // Own tables come and go: they bring their tags with them.
            Some(own) => own.tags(column),
            None => view.tags.column(&schema_name, &table_name, column),
        };
        let columns: Vec<_> = whole
            .fields()
            .iter()
            .map(|field| crate::access::policy::Seen {
                name: field.name(),
                tags: tags(field.name()),
            })
            .collect();
        let rights = view.rights.table(&schema_name, &table_name, &columns)?;
        let fields = rights.columns.iter().map(|column| {
            let field = whole.field(column.index);
            // A mask may give null; what else is noted of the field is not for everybody.
            let is_nullable = field.is_nullable() || column.mask.is_some();
            Field::new(field.name(), field.data_type().clone(), is_nullable)
        });
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let shows_all =
            rights.filters.is_empty() && rights.columns.iter().all(|column| column.mask.is_none());
        let is_open = shows_all && inner.get_logical_plan().is_none();
        let places: Vec<usize> = rights.columns.iter().map(|column| column.index).collect();
        let schema = match whole.project(&places) {
            Ok(as_it_is) if is_open => Arc::new(as_it_is),
            _ => schema,
        };
        let table: Arc<str> = format!("{schema_name}.{table_name}").into();
        Some(Self {
            under: Under {
                table,
                standing,
                stamp: view.stamp,
            },
            schema_name,
            table_name,
            inner,
            owner,
            rights,
            view,
            key,
            schema,
            is_open,
        })
    }

    /// `star.fct_order`.
    pub fn name(&self) -> &str {
        &self.under.table
    }

    /// The tags of the columns that the principal sees, for the audit.
    pub fn tags(&self) -> BTreeSet<crate::access::tags::Tag> {
        let columns = self.schema.fields().iter();
        columns
            .flat_map(|field| self.tags_of(field.name()))
            .collect()
    }

    /// The tags of a column.
    pub(crate) fn tags_of(&self, column: &str) -> crate::access::tags::Tags {
        match self.own() {
            Some(own) => own.tags(column),
            None => {
                let tags = &self.view.tags;
                tags.column(&self.schema_name, &self.table_name, column)
            }
        }
    }

    fn own(&self) -> Option<&OwnTable> {
        self.inner.downcast_ref::<OwnTable>()
    }

    /// Bytes that the longest value of a column takes at most; 0 where that is not known.
    pub(crate) fn widest(&self, column: &str) -> u64 {
        self.own().map_or(0, |own| own.widest(column))
    }

    /// How many tables it stands for: of an own view those that it reads.
    pub(crate) fn weight(&self) -> u64 {
        self.own().map_or(1, OwnTable::weight)
    }

    /// Those with whose rights an own view reads.
    pub(crate) fn lenders(&self) -> &[Lender] {
        self.own().map_or(&[], OwnTable::lenders)
    }

    /// Whether its principal sees all of it as it is: every row, every column, every value.
    pub(crate) fn is_whole(&self) -> bool {
        self.is_open && self.schema.fields().len() == self.inner.schema().fields().len()
    }

    fn is_masked(&self, name: &str) -> bool {
        let mut columns = self.schema.fields().iter().zip(&self.rights.columns);
        !columns.any(|(field, rights)| field.name() == name && rights.mask.is_none())
    }

    /// What goes beneath the barrier of a user's condition.
    fn goes_beneath(&self, filter: &Expr) -> bool {
        match self.is_open {
            true => !filter.is_volatile(),
            false => is_leakproof(filter, &self.schema, &|name| !self.is_masked(name)),
        }
    }

    async fn open(
        &self,
        session: &dyn Session,
        projection: &[usize],
        filters: &[Expr],
        limit: Option<usize>,
    ) -> EngineResult<Arc<dyn ExecutionPlan>> {
        let columns = projection.iter().map(|at| self.rights.columns[*at].index);
        let columns = columns.collect();
        self.inner
            .scan(session, Some(&columns), filters, limit)
            .await
    }

    async fn closed(
        &self,
        projection: &[usize],
        filters: &[Expr],
        limit: Option<usize>,
    ) -> EngineResult<Arc<dyn ExecutionPlan>> {
        let inside = Inside {
            state: &self.owner,
            schema: &self.schema_name,
            table: &self.table_name,
            inner: &self.inner,
            rights: &self.rights,
            principal: &self.view.rights.principal,
            key: &self.key,
            seen: &self.schema,
        };
        inside.plan(projection, filters, limit).await
    }

    /// What the engine may take for the number of rows: so that it joins the small to the large.
    /// Where rows are hidden it is guessed from the name alone, which tells nothing of them.
    fn rows(&self) -> usize {
        let table = self.table_name.as_str();
        match table.split('_').next() {
            Some("dim") => 10_000,
            Some("fct" | "int" | "bridge") => 1_000_000,
            _ if table == "journey_event" => 1_000_000,
            _ => 100_000,
        }
    }
}

#[async_trait]
impl TableProvider for SecuredTable {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        self.inner.table_type()
    }

    // Neither its plan nor its definition nor its statistics: they tell of the inside.

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> EngineResult<Vec<TableProviderFilterPushDown>> {
        let each = filters
            .iter()
            .map(|filter| match self.goes_beneath(filter) {
                // Inexact: it is asked again above the barrier.
                true => TableProviderFilterPushDown::Inexact,
                false => TableProviderFilterPushDown::Unsupported,
            });
        Ok(each.collect())
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> EngineResult<Arc<dyn ExecutionPlan>> {
        self.under.check()?;
        let all: Vec<usize>;
        let projection = match projection {
            Some(places) => places.as_slice(),
            None => {
                all = (0..self.rights.columns.len()).collect();
                &all
            }
        };
        let filters: Vec<Expr> = filters
            .iter()
            .filter(|filter| self.goes_beneath(filter))
            .cloned()
            .collect();
        // Beneath a condition that is asked again above, a limit could cut off what would pass it.
        let limit = limit.filter(|rows| filters.is_empty() && *rows < LARGEST_LIMIT);
        let inside = if self.is_open {
            self.open(session, projection, &filters, limit).await
        } else {
            self.closed(projection, &filters, limit).await
        };
        let inside = inside.map_err(|error| hidden(self.name(), error))?;
        let rows = (!self.is_open).then(|| self.rows());
        let schema = match self.is_open {
            true => inside.schema(),
            false => Arc::new(self.schema.project(projection)?),
        };
        Ok(Arc::new(SecureExec::new(
            inside,
            schema,
            self.under.clone(),
            self.is_open,
            rows,
        )))
    }
}
