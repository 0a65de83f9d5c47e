//! The rows of own tables: made, added to, replaced.
//!
//! What is written comes out of an ordinary query of the principal's session, within its limits and
//! behind its barriers, and its columns bring their tags along.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef};
use datafusion::common::{Column as EngineColumn, ScalarValue};
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast};
use datafusion::prelude::SessionContext;
use futures::StreamExt as _;
use lake::LakeTable;

use super::change::{
    Changed, Target, exists, free, no_column, no_table, quoted_columns, right_kind, room_for_one,
};
use super::relation::{Body, Column, Relation};
use super::sources::sources_of;
use super::statement::{NewTable, Step, Typed, refused};
use super::write::{Fresh, Written};
use super::{names, rows, table_name, unkept};
use crate::access::error::{AccessError, Reason, Result};
use crate::access::policy::condition::quoted;
use crate::access::secured::SecuredTable;
use crate::access::session::catalog::CATALOG;
use crate::access::session::{Planned, Session, text};
use crate::access::tags::lineage::tags_of;

fn of_planning(error: datafusion::error::DataFusionError) -> AccessError {
    AccessError::of_planning(&error)
}

impl Session {
    /// Plans a query of a statement.
    pub(super) async fn looked_at(&self, query: &str) -> Result<Planned> {
        let planned = self.planned(query, self.deadline(), text::check).await?;
        no_parameters(planned)
    }

    /// The columns that a query gives, with their tags and where they come from. `names`: those
    /// that the statement gives them. `is_kept`: as the lake keeps them.
    pub(super) fn columns(
        &self,
        planned: &Planned,
        names: &[String],
        is_kept: bool,
    ) -> Result<Vec<Column>> {
        let schema = planned.plan.schema().as_arrow();
        if names.len() > schema.fields().len() {
            let message = "more columns are named than the query gives";
            return Err(AccessError::new(Reason::Syntax, message));
        }
        let kinds = match is_kept {
            true => kept(schema)?,
            false => Arc::new(schema.clone()),
        };
        let view = self.standing.view()?;
        let tags = tags_of(&planned.plan, &view.tags).map_err(of_planning)?;
        let sources = sources_of(&planned.plan).map_err(of_planning)?;
        let mut columns: Vec<Column> = Vec::new();
        for (at, field) in kinds.fields().iter().enumerate() {
            let name = names.get(at).cloned();
            let name = name.unwrap_or_else(|| names::of_column(schema.field(at).name(), at));
            names::check(&name)?;
            let mut column = Column::new(&name, field.data_type());
            column.tags = tags
                .get(at)
                .into_iter()
                .flatten()
                .map(ToString::to_string)
                .collect();
            column.from = sources.get(at).cloned().unwrap_or_default();
            column.widest = planned.sizes.get(at).copied().unwrap_or_default();
            columns.push(column);
        }
        no_doubles(&columns)?;
        Ok(columns)
    }

    /// `create table` with its columns.
    pub(super) async fn create_table(
        &self,
        target: &Target,
        new: &NewTable,
        columns: &[Typed],
    ) -> Result<Changed> {
        if let Some(skipped) = self.taken(target, new, "CREATE TABLE")? {
            return Ok(skipped);
        }
        let schema = self.typed(columns).await?;
        let columns: Vec<Column> = schema
            .fields()
            .iter()
            .map(|field| Column::new(field.name(), field.data_type()))
            .collect();
        no_doubles(&columns)?;
        for column in &columns {
            names::check(&column.name)?;
        }
        let none = futures::stream::empty().boxed();
        self.make(target, new, columns, Default::default(), none)
            .await?;
        Ok(Changed::new("CREATE TABLE"))
    }

    /// `create table … as`.
    pub(super) async fn create_table_as(
        &self,
        target: &Target,
        new: &NewTable,
        columns: &[String],
        query: &str,
    ) -> Result<Changed> {
        if let Some(skipped) = self.taken(target, new, "CREATE TABLE AS")? {
            return Ok(skipped);
        }
        let deadline = self.deadline();
        let mut planned = self.looked_at(query).await?;
        let columns = self.columns(&planned, columns, true)?;
        let kinds = kinds(&columns, &planned)?;
        let all: Vec<Option<usize>> = (0..kinds.fields().len()).map(Some).collect();
        planned.plan = projected(planned.plan, &kinds, &all)?;
        let reads = planned.reads.tables.clone();
        let found = self.started(planned, query, deadline).await?;
        let rows = self
            .make(target, new, columns, reads, found.boxed())
            .await?;
        Ok(Changed::rows("SELECT", rows))
    }

    /// Whether a table is there already that need not be made.
    fn taken(&self, target: &Target, new: &NewTable, tag: &str) -> Result<Option<Changed>> {
        let own = self.own()?;
        let replaced = new.or_replace.then_some(false);
        if !target.is_temp() {
            // The schema has to be there in any case.
            let free = free(&own.now(), target, replaced);
            return match free {
                Err(error) if error.reason == Reason::Exists && new.if_not_exists => {
                    Ok(Some(skipped(target, tag)))
                }
                other => other.map(|()| None),
            };
        }
        match (self.known(target), new.if_not_exists, new.or_replace) {
            (Ok(_), true, _) => Ok(Some(skipped(target, tag))),
            (Ok(_), false, false) => Err(exists("relation", &target.name)),
            _ => Ok(None),
        }
    }

    /// Writes rows, makes a table of them and puts it under its name.
    async fn make(
        &self,
        target: &Target,
        new: &NewTable,
        mut columns: Vec<Column>,
        reads: std::collections::BTreeSet<String>,
        found: futures::stream::BoxStream<'_, Result<arrow_array::RecordBatch>>,
    ) -> Result<u64> {
        let own = self.own()?;
        let schema = of_columns(&columns);
        let fresh = Fresh::new(own)?;
        let written = own
            .write(&fresh.id, &schema, found, self.room(target)?)
            .await?;
        let (rows, bytes) = (written.rows, written.bytes);
        widen(&mut columns, &written, true);
        let table = own.commit(&fresh.id, &schema, None, written.files).await?;
        let at = own.time();
        let relation = Relation {
            body: Body::Table {
                id: fresh.id.clone(),
                version: table.version,
                rows,
                bytes,
            },
            owner: self.principal()?.as_ref().clone(),
            columns,
            comment: None,
            reads,
            created_at: at,
            changed_at: at,
        };
        if let (Some(temp), true) = (&self.temp, target.is_temp()) {
            temp.put(&target.name, relation);
            fresh.keep();
            return Ok(rows);
        }
        let most = own.limits.relations;
        let replaced = new.or_replace.then_some(false);
        let done = own.registry.edit(|edit| {
            free(&edit.state, target, replaced)?;
            room_for_one(&edit.state, target, most)?;
            edit.put(&target.schema, &target.name, relation);
            Ok(())
        });
        done.await?;
        fresh.keep();
        Ok(rows)
    }

    /// Bytes that a schema has room for.
    fn room(&self, target: &Target) -> Result<u64> {
        let own = self.own()?;
        let used = match &self.temp {
            Some(temp) if target.is_temp() => temp.bytes(),
            _ => {
                let now = own.now();
                let schema = now.schemas.get(&target.schema);
                let all = schema
                    .into_iter()
                    .flat_map(|schema| schema.relations.values());
                all.map(|relation| relation.bytes()).sum()
            }
        };
        Ok(own.limits.bytes.saturating_sub(used))
    }

    /// `insert into`.
    pub(super) async fn insert(
        &self,
        target: &Target,
        named: &[String],
        query: &str,
        is_values: bool,
    ) -> Result<Changed> {
        let own = self.own()?.clone();
        let (known, _lock) = self.locked(target).await?;
        let table = self.rows_of(&known, target).await?;
        let deadline = self.deadline();
        let check = if is_values { rows::check } else { text::check };
        let planned = no_parameters(self.planned(query, deadline, check).await?)?;
        let given = planned.plan.schema().fields().len();
        let places = places(&known, target, named, given)?;
        let mut bring = vec![Column::new("", &DataType::Null); known.columns.len()];
        let reads = planned.reads.tables.clone();
        if !reads.is_empty() {
            bring = self.brought(&planned, &places)?;
        }
        let mut planned = planned;
        planned.plan = projected(planned.plan, &table.schema, &places)?;
        let found = self.started(planned, query, deadline).await?;
        let id = known.id().unwrap_or_default();
        let written = own
            .write(id, &table.schema, found, self.room(target)?)
            .await?;
        if written.rows == 0 {
            return Ok(Changed::rows("INSERT 0", 0));
        }
        widen(&mut bring, &written, false);
        // What is masked is known to be so before the first row of it can be read.
        let is_same = |relation: &Relation| relation.id() == Some(id);
        self.replace(target, |relation| {
            let mut relation = relation.clone();
            if is_same(&relation) {
                relation.absorb(&bring, &reads);
            }
            Ok(relation)
        })
        .await?;
        let added = (written.rows, written.bytes);
        let table = own
            .commit(id, &table.schema, Some(&table), written.files)
            .await?;
        let at = own.time();
        self.replace(target, |relation| {
            let mut relation = relation.clone();
            relation.changed_at = at;
            if let Body::Table {
                id: now,
                version,
                rows,
                bytes,
            } = &mut relation.body
                && now == id
            {
                *version = table.version;
                *rows += added.0;
                *bytes += added.1;
            }
            Ok(relation)
        })
        .await?;
        Ok(Changed::rows("INSERT 0", added.0))
    }

    /// What a query brings to the columns of a table that its own go to.
    fn brought(&self, planned: &Planned, places: &[Option<usize>]) -> Result<Vec<Column>> {
        let from = self.columns_by_place(planned)?;
        let one = |place: &Option<usize>| {
            let column = place.and_then(|at| from.get(at)).cloned();
            column.unwrap_or_else(|| Column::new("", &DataType::Null))
        };
        Ok(places.iter().map(one).collect())
    }

    /// What a query's columns bring, whatever they are called.
    fn columns_by_place(&self, planned: &Planned) -> Result<Vec<Column>> {
        let count = planned.plan.schema().fields().len();
        let names: Vec<String> = (0..count).map(|at| format!("c{at}")).collect();
        self.columns(planned, &names, false)
    }

    /// A table whose rows are to change, and the leave to do so.
    pub(super) async fn locked(
        &self,
        target: &Target,
    ) -> Result<(Arc<Relation>, tokio::sync::OwnedMutexGuard<()>)> {
        loop {
            let known = self.known(target)?;
            right_kind(&known, target, false)?;
            let id = known.id().unwrap_or_default().to_owned();
            let waited = tokio::time::timeout_at(self.deadline().into(), self.own()?.lock(&id));
            let lock = waited.await.map_err(|_| {
                let message = format!("others change `{}` for too long", target.shown());
                AccessError::new(Reason::Conflict, message)
            })?;
            // Who had it before may have put another table in its place.
            if self.known(target)?.id() == Some(id.as_str()) {
                return Ok((self.known(target)?, lock));
            }
        }
    }

    async fn rows_of(&self, known: &Relation, target: &Target) -> Result<Arc<lake::Table>> {
        match &known.body {
            Body::Table { id, version, .. } => self.own()?.table(id, *version).await,
            Body::View { .. } => Err(no_table(target)),
        }
    }

    /// `delete`: the rows that stay become the table.
    pub(super) async fn delete(
        &self,
        target: &Target,
        alias: Option<&str>,
        condition: Option<&str>,
        sql: &str,
    ) -> Result<Changed> {
        let (known, _lock) = self.locked(target).await?;
        let before = count(&known);
        let Some(condition) = condition else {
            self.empty_locked(target, &known).await?;
            return Ok(Changed::rows("DELETE", before));
        };
        self.whole(target).await?;
        let columns = quoted_columns(&known.columns).join(", ");
        let from = from(target, alias);
        let query = format!("select {columns} from {from} where ({condition}) is not true");
        let left = self.rewritten(target, &known, &query, sql, None).await?;
        Ok(Changed::rows("DELETE", before.saturating_sub(left)))
    }

    /// Refuses a table of which the principal does not see all: what is hidden would be lost.
    pub(super) async fn whole(&self, target: &Target) -> Result<()> {
        let catalog = self.context().catalog(CATALOG);
        let schema = catalog.and_then(|catalog| catalog.schema(&target.schema));
        let table = match schema {
            Some(schema) => schema.table(&target.name).await.map_err(of_planning)?,
            None => None,
        };
        let is_whole = table.is_some_and(|table| {
            let secured = table.downcast_ref::<SecuredTable>();
            secured.is_some_and(SecuredTable::is_whole)
        });
        match is_whole {
            true => Ok(()),
            false => Err(AccessError::new(
                Reason::Denied,
                format!(
                    "rows or values of `{}` are hidden from you or masked",
                    target.shown()
                ),
            )
            .hint("its rows cannot be changed one by one; make the table again")),
        }
    }

    /// Puts what a query over a table gives in the place of its rows. `exactly`: how many rows
    /// these must be.
    pub(super) async fn rewritten(
        &self,
        target: &Target,
        known: &Relation,
        query: &str,
        sql: &str,
        exactly: Option<u64>,
    ) -> Result<u64> {
        let table = self.rows_of(known, target).await?;
        let deadline = self.deadline();
        let mut planned = self.looked_at(query).await?;
        let bring = self.columns_by_place(&planned)?;
        let reads = planned.reads.tables.clone();
        let all: Vec<Option<usize>> = (0..known.columns.len()).map(Some).collect();
        planned.plan = projected(planned.plan, &table.schema, &all)?;
        let found = self.started(planned, sql, deadline).await?;
        let own = target.shown();
        let change = move |relation: &mut Relation| {
            let mut bring = bring;
            for column in &mut bring {
                // Of its own rows everything is known.
                column
                    .from
                    .retain(|from| !from.starts_with(&format!("{own}.")));
            }
            let reads = reads.into_iter().filter(|read| *read != own).collect();
            relation.absorb(&bring, &reads);
        };
        let swap = Swap {
            target,
            known,
            exactly,
        };
        self.swapped(&swap, &table.schema, found.boxed(), change)
            .await
    }

    /// Empties a table.
    pub(super) async fn empty(&self, target: &Target) -> Result<()> {
        let (known, _lock) = self.locked(target).await?;
        self.empty_locked(target, &known).await
    }

    async fn empty_locked(&self, target: &Target, known: &Relation) -> Result<()> {
        let table = self.rows_of(known, target).await?;
        let none = futures::stream::empty().boxed();
        let swap = Swap {
            target,
            known,
            exactly: None,
        };
        self.swapped(&swap, &table.schema, none, |_| {}).await?;
        Ok(())
    }

    /// Writes rows as a new table and puts it in the place of the one that is known.
    async fn swapped(
        &self,
        swap: &Swap<'_>,
        schema: &SchemaRef,
        found: futures::stream::BoxStream<'_, Result<arrow_array::RecordBatch>>,
        change: impl FnOnce(&mut Relation),
    ) -> Result<u64> {
        let Swap {
            target,
            known,
            exactly,
        } = swap;
        let own = self.own()?.clone();
        let fresh = Fresh::new(&own)?;
        // The old rows go: their room is free.
        let room = self.room(target)?.saturating_add(known.bytes());
        let written = own.write(&fresh.id, schema, found, room).await?;
        let (rows, bytes) = (written.rows, written.bytes);
        if exactly.is_some_and(|exactly| exactly != rows) {
            let message = "more than one row says what a row of the table becomes";
            return Err(AccessError::new(Reason::Invalid, message));
        }
        let table = own.commit(&fresh.id, schema, None, written.files).await?;
        let at = own.time();
        let done = self.replace(target, |now| {
            if now.id() != known.id() {
                let message = format!("`{}` was changed by somebody else", target.shown());
                return Err(AccessError::new(Reason::Conflict, message).hint("try again"));
            }
            let mut new = now.clone();
            change(&mut new);
            new.changed_at = at;
            new.body = Body::Table {
                id: fresh.id.clone(),
                version: table.version,
                rows,
                bytes,
            };
            Ok(new)
        });
        done.await?;
        fresh.keep();
        Ok(rows)
    }

    /// Adds, drops and renames columns: the table is written again, whatever of it is seen.
    pub(super) async fn alter(&self, target: &Target, steps: &[Step]) -> Result<()> {
        let (known, _lock) = self.locked(target).await?;
        let table = self.rows_of(&known, target).await?;
        // The new columns: what they are called, and which old one they are.
        let mut columns: Vec<(Column, Option<usize>)> = known
            .columns
            .iter()
            .cloned()
            .enumerate()
            .map(|(at, column)| (column, Some(at)))
            .collect();
        for step in steps {
            self.step(target, &mut columns, step).await?;
        }
        if columns.is_empty() {
            return Err(AccessError::new(
                Reason::Invalid,
                "a table has a column at least",
            ));
        }
        let (columns, from): (Vec<Column>, Vec<Option<usize>>) = columns.into_iter().unzip();
        no_doubles(&columns)?;
        let schema = of_columns(&columns);
        let source = provider_as_source(Arc::new(LakeTable::new(&table)));
        let plan = LogicalPlanBuilder::scan("own", source, None)
            .and_then(LogicalPlanBuilder::build)
            .map_err(of_planning)?;
        let plan = projected(plan, &schema, &from)?;
        let state = self.shared.guarded.session().state();
        let context = SessionContext::new_with_state(state);
        let frame = context
            .execute_logical_plan(plan)
            .await
            .map_err(of_planning)?;
        let of_running = |error| AccessError::of_running(&error);
        let found = frame.execute_stream().await.map_err(of_running)?;
        let found = found.map(move |batch| batch.map_err(of_running));
        let change = move |relation: &mut Relation| relation.columns = columns;
        let swap = Swap {
            target,
            known: &known,
            exactly: None,
        };
        self.swapped(&swap, &schema, found.boxed(), change).await?;
        Ok(())
    }

    async fn step(
        &self,
        target: &Target,
        columns: &mut Vec<(Column, Option<usize>)>,
        step: &Step,
    ) -> Result<()> {
        let place = |columns: &[(Column, Option<usize>)], name: &str| {
            columns.iter().position(|(known, _)| known.name == name)
        };
        match step {
            Step::Add {
                column,
                if_not_exists,
            } => {
                names::check(&column.name)?;
                match (place(columns, &column.name), if_not_exists) {
                    (Some(_), true) => {}
                    (Some(_), false) => return Err(exists("column", &column.name)),
                    (None, _) => {
                        let schema = self.typed(std::slice::from_ref(column)).await?;
                        let kind = schema.field(0).data_type();
                        columns.push((Column::new(&column.name, kind), None));
                    }
                }
            }
            Step::Drop { column, if_exists } => match (place(columns, column), if_exists) {
                (Some(at), _) => {
                    columns.remove(at);
                }
                (None, true) => {}
                (None, false) => return Err(no_column(target, column)),
            },
            Step::Rename { from, to } => {
                names::check(to)?;
                let at = place(columns, from).ok_or_else(|| no_column(target, from))?;
                if let Some((column, _)) = columns.get_mut(at) {
                    column.name.clone_from(to);
                }
            }
        }
        Ok(())
    }

    /// The types that SQL's names of types mean, as the lake keeps them.
    async fn typed(&self, columns: &[Typed]) -> Result<SchemaRef> {
        let nulls = columns.iter().enumerate().map(|(at, column)| {
            let kind = match column.kind.to_uppercase().as_str() {
                "JSON" | "JSONB" | "UUID" => "VARCHAR",
                _ => &column.kind,
            };
            format!("cast(null as {kind}) as c{at}")
        });
        let nulls: Vec<String> = nulls.collect();
        let planned = self
            .looked_at(&format!("select {}", nulls.join(", ")))
            .await?;
        let schema = planned.plan.schema().as_arrow();
        let fields = schema.fields().iter().zip(columns);
        let fields =
            fields.map(|(field, column)| Field::new(&column.name, field.data_type().clone(), true));
        kept(&Schema::new(fields.collect::<Vec<_>>()))
    }
}

/// A table whose rows are replaced as a whole.
struct Swap<'a> {
    target: &'a Target,
    known: &'a Relation,
    /// How many rows there must be afterwards, if that is known.
    exactly: Option<u64>,
}

fn skipped(target: &Target, tag: &str) -> Changed {
    Changed {
        notice: Some(format!("`{}` already exists, skipping", target.shown())),
        ..Changed::new(tag)
    }
}

fn no_parameters(planned: Planned) -> Result<Planned> {
    match planned.plan.get_parameter_types() {
        Ok(parameters) if parameters.is_empty() => Ok(planned),
        _ => Err(
            refused("a statement that changes something takes no parameters")
                .hint("write the values into it"),
        ),
    }
}

/// The rows of a table.
pub(super) fn count(known: &Relation) -> u64 {
    match known.body {
        Body::Table { rows, .. } => rows,
        Body::View { .. } => 0,
    }
}

/// A table as a query names it.
pub(super) fn from(target: &Target, alias: Option<&str>) -> String {
    let table = format!("{}.{}", quoted(&target.schema), quoted(&target.name));
    match alias {
        Some(alias) => format!("{table} as {alias}"),
        None => table,
    }
}

/// Types as the lake keeps them.
fn kept(schema: &Schema) -> Result<SchemaRef> {
    let name = table_name("new");
    lake::schema::kept_schema(&name, schema).map_err(|error| match error {
        lake::LakeError::ColumnType { column, kind, .. } => {
            let message = format!("column `{column}` is of type {kind}, which tables do not keep");
            AccessError::new(Reason::Invalid, message).hint("cast it to text, for example")
        }
        other => unkept(&other),
    })
}

/// The types of columns that a query gives.
fn kinds(columns: &[Column], planned: &Planned) -> Result<SchemaRef> {
    let kept = kept(planned.plan.schema().as_arrow())?;
    let fields = columns.iter().zip(kept.fields());
    let fields = fields.map(|(column, field)| field.as_ref().clone().with_name(&column.name));
    Ok(Arc::new(Schema::new(fields.collect::<Vec<_>>())))
}

/// The types of columns, as they are noted.
fn of_columns(columns: &[Column]) -> SchemaRef {
    use std::str::FromStr as _;
    let fields = columns.iter().map(|column| {
        let kind = DataType::from_str(&column.kind).unwrap_or(DataType::Utf8);
        Field::new(&column.name, kind, true)
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// A plan with the columns of `schema`: each one of the plan's, or null.
fn projected(
    plan: LogicalPlan,
    schema: &SchemaRef,
    places: &[Option<usize>],
) -> Result<LogicalPlan> {
    let of_plan = plan.schema().clone();
    let columns = schema.fields().iter().zip(places).map(|(field, place)| {
        let value = match place {
            Some(at) => Expr::Column(EngineColumn::from(of_plan.qualified_field(*at))),
            None => Expr::Literal(ScalarValue::Null, None),
        };
        cast(value, field.data_type().clone()).alias(field.name())
    });
    LogicalPlanBuilder::from(plan)
        .project(columns.collect::<Vec<_>>())
        .and_then(LogicalPlanBuilder::build)
        .map_err(of_planning)
}

/// For each column of a table the place of what is inserted there, if anything is.
fn places(
    known: &Relation,
    target: &Target,
    named: &[String],
    given: usize,
) -> Result<Vec<Option<usize>>> {
    let wrong = |message: &str| Err(AccessError::new(Reason::Syntax, message));
    let expected = match named.len() {
        0 => known.columns.len(),
        named => named,
    };
    if given > expected {
        return wrong("the insert has more values than columns");
    }
    if given < expected && !named.is_empty() {
        return wrong("the insert has fewer values than columns");
    }
    if named.is_empty() {
        let all = (0..known.columns.len()).map(|at| (at < given).then_some(at));
        return Ok(all.collect());
    }
    let mut places = vec![None; known.columns.len()];
    for (from, name) in named.iter().enumerate() {
        let at = known.columns.iter().position(|column| column.name == *name);
        let at = at.ok_or_else(|| no_column(target, name))?;
        match places.get_mut(at) {
            Some(place @ None) => *place = Some(from),
            _ => return wrong("the insert names a column twice"),
        }
    }
    Ok(places)
}

/// Notes how long the values are that were written.
fn widen(columns: &mut [Column], written: &Written, is_all: bool) {
    for (column, widest) in columns.iter_mut().zip(&written.widest) {
        column.widest = match is_all {
            true => *widest,
            false => column.widest.max(*widest),
        };
    }
}

fn no_doubles(columns: &[Column]) -> Result<()> {
    let mut seen = std::collections::BTreeSet::new();
    for column in columns {
        if !seen.insert(column.name.to_lowercase()) {
            let message = format!("column `{}` is there twice", column.name);
            return Err(AccessError::new(Reason::Invalid, message).hint("name it by `as`"));
        }
    }
    Ok(())
}
