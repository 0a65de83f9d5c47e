//! Statements that change something in an own schema, one by one.
//!
//! Each takes effect by itself, as it ends: there are no transactions over several of them. One
//! that fails leaves what was there before.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::names::{self, Name, TEMP};
use super::registry::{Edit, State};
use super::relation::{Body, Column, Relation};
use super::statement::{self, Commented, NewTable, Step, Wanted};
use super::{OwnSchemas, rows};
use crate::access::error::{AccessError, Reason, Result};
use crate::access::session::Session;
use crate::access::session::settings::schema_of;
use crate::access::witness::Event;

/// Longest `insert … values`, in bytes.
pub const INSERT_BYTES: usize = 16 << 20;

/// What a statement changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// The command's tag as PostgreSQL has it: `CREATE VIEW`, `SELECT 42`, `INSERT 0 3`.
    pub tag: String,
    /// Rows that were written, changed or removed; none where it is not about rows.
    pub rows: Option<u64>,
    /// What the client may want to know: that there was nothing to do, for example.
    pub notice: Option<String>,
}

impl Changed {
    pub(super) fn new(tag: &str) -> Self {
        Self {
            tag: tag.to_owned(),
            rows: None,
            notice: None,
        }
    }

    pub(super) fn rows(tag: &str, rows: u64) -> Self {
        Self {
            rows: Some(rows),
            ..Self::new(&format!("{tag} {rows}"))
        }
    }

    fn skipped(tag: &str, notices: Vec<String>) -> Self {
        Self {
            notice: (!notices.is_empty()).then(|| notices.join("; ")),
            ..Self::new(tag)
        }
    }
}

/// A table or view that a statement is about, where its principal may change it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Target {
    pub(super) schema: String,
    pub(super) name: String,
}

impl Target {
    pub(super) fn is_temp(&self) -> bool {
        self.schema == TEMP
    }

    /// `dbt.orders`.
    pub(super) fn shown(&self) -> String {
        format!("{}.{}", self.schema, self.name)
    }
}

impl Session {
    /// Runs a statement that changes something in a schema of the principal's own: `create`,
    /// `drop` and `alter` of schemas, tables and views, `insert`, `delete`, `update`, `truncate`,
    /// `comment`. It takes effect when this returns, for all sessions, or not at all.
    ///
    /// # Errors
    /// It is another statement; the schema is not the principal's own; what it asks for is not
    /// there, is there already, or cannot be read; there is no room.
    pub async fn change(&self, sql: &str) -> Result<Changed> {
        let wanted = match self.wanted(sql).await {
            Ok(wanted) => wanted,
            Err(error) => {
                self.refused(&error, sql);
                return Err(error);
            }
        };
        let mut noted = Noted {
            session: self,
            wanted: &wanted,
            sql,
            has_ended: false,
        };
        noted.note(None);
        let done = Box::pin(self.done(&wanted, sql)).await;
        noted.has_ended = true;
        noted.note(Some(done.as_ref().map(|_| ()).map_err(Clone::clone)));
        done
    }

    /// Reads the statement, and makes sure that it is about own schemas alone.
    async fn wanted(&self, sql: &str) -> Result<Wanted> {
        self.own()?;
        rows::check(sql, &self.shared.limits)?;
        let text = sql.to_owned();
        // On a large stack: a statement's tree is as deep as it is long.
        let read = async move { statement::read(&text) };
        let wanted = self.shared.in_time(self.deadline(), read).await?;
        for name in wanted.names() {
            self.target(name)?;
        }
        for schema in wanted.schemas() {
            self.may_write(schema)?;
        }
        Ok(wanted)
    }

    async fn done(&self, wanted: &Wanted, sql: &str) -> Result<Changed> {
        match wanted {
            Wanted::CreateSchema {
                name,
                if_not_exists,
            } => self.create_schema(name, *if_not_exists).await,
            Wanted::DropSchema {
                names,
                if_exists,
                cascade,
            } => self.drop_schemas(names, *if_exists, *cascade).await,
            Wanted::CreateView {
                name,
                or_replace,
                columns,
                query,
            } => {
                let target = self.target(name)?;
                self.create_view(&target, *or_replace, columns, query).await
            }
            Wanted::CreateTable { new, columns } => {
                let target = self.new_target(new)?;
                self.create_table(&target, new, columns).await
            }
            Wanted::CreateTableAs {
                new,
                columns,
                query,
            } => {
                let target = self.new_target(new)?;
                self.create_table_as(&target, new, columns, query).await
            }
            Wanted::Drop {
                is_view,
                names,
                if_exists,
                cascade,
            } => self.drop_all(*is_view, names, *if_exists, *cascade).await,
            Wanted::Rename {
                is_view,
                name,
                if_exists,
                to,
            } => {
                self.rename(*is_view, &self.target(name)?, *if_exists, to)
                    .await
            }
            Wanted::Alter {
                name,
                if_exists,
                steps,
            } => self.alter_steps(name, *if_exists, steps).await,
            Wanted::Comment { on, text } => self.comment(on, text.as_deref()).await,
            Wanted::CreateIndex { on } => {
                self.known(&self.target(on)?)?;
                let notice = "indexes are not kept: there is nothing that would need one";
                Ok(Changed::skipped("CREATE INDEX", vec![notice.to_owned()]))
            }
            of_rows => self.rows_changed(of_rows, sql).await,
        }
    }

    /// Statements that change rows.
    async fn rows_changed(&self, wanted: &Wanted, sql: &str) -> Result<Changed> {
        match wanted {
            Wanted::Insert {
                name,
                columns,
                query,
                is_values,
            } => {
                let target = self.target(name)?;
                self.insert(&target, columns, query, *is_values).await
            }
            Wanted::Delete {
                name,
                alias,
                condition,
            } => {
                let target = self.target(name)?;
                self.delete(&target, alias.as_deref(), condition.as_deref(), sql)
                    .await
            }
            Wanted::Update(update) => {
                let target = self.target(&update.name)?;
                self.update(&target, update, sql).await
            }
            Wanted::Truncate { names, if_exists } => self.truncate(names, *if_exists).await,
            _ => Err(statement::read_only_error()),
        }
    }

    /// The own schemas, where this session may change any.
    pub(super) fn own(&self) -> Result<&Arc<OwnSchemas>> {
        if self.as_of().is_some() {
            let message = "a session that reads the past changes nothing";
            return Err(AccessError::new(Reason::ReadOnly, message));
        }
        let may = self.standing.view()?.rights.may_write_any();
        match (&self.shared.own, may) {
            (Some(own), true) => Ok(own),
            _ => Err(statement_denied()),
        }
    }

    /// Refuses a schema that is not the principal's own. Whether it exists is not said.
    fn may_write(&self, schema: &str) -> Result<()> {
        let view = self.standing.view()?;
        if view.rights.may_write(schema) {
            return Ok(());
        }
        let own: Vec<String> = view
            .rights
            .own_schemas()
            .map(|own| format!("`{own}`"))
            .collect();
        let message = format!("`{schema}` is no schema of your own");
        Err(
            AccessError::new(Reason::Denied, message).hint(match own.is_empty() {
                true => "choose a name that is none of the warehouse's schemas".to_owned(),
                false => format!("yours: {}", own.join(", ")),
            }),
        )
    }

    /// Where a name leads to: to a temporary table, or into an own schema.
    pub(super) fn target(&self, name: &Name) -> Result<Target> {
        let is_temp = |name: &str| {
            self.temp
                .as_ref()
                .is_some_and(|temp| temp.get(name).is_some())
        };
        let schema = match &name.schema {
            Some(schema) => schema.clone(),
            None if is_temp(&name.name) => TEMP.to_owned(),
            None => schema_of(self.context()),
        };
        if schema != TEMP {
            self.may_write(&schema)?;
        }
        Ok(Target {
            schema,
            name: name.name.clone(),
        })
    }

    fn new_target(&self, new: &NewTable) -> Result<Target> {
        names::check(&new.name.name)?;
        if !new.is_temporary {
            return self.target(&new.name);
        }
        match new.name.schema.as_deref() {
            None | Some(TEMP) => Ok(Target {
                schema: TEMP.to_owned(),
                name: new.name.name.clone(),
            }),
            Some(_) => Err(statement::refused("a temporary table is in no schema")),
        }
    }

    /// What a name leads to.
    pub(super) fn known(&self, target: &Target) -> Result<Arc<Relation>> {
        let found = match &self.temp {
            Some(temp) if target.is_temp() => temp.get(&target.name),
            _ => self
                .own()?
                .now()
                .relation(&target.schema, &target.name)
                .cloned(),
        };
        found.ok_or_else(|| {
            AccessError::new(Reason::NoTable, format!("there is no `{}`", target.shown()))
        })
    }

    async fn create_schema(&self, name: &str, if_not_exists: bool) -> Result<Changed> {
        let tag = "CREATE SCHEMA";
        names::check(name)?;
        let own = self.own()?;
        let (at, owner, most) = (own.time(), self.id().name.clone(), own.limits.schemas);
        let done = own.registry.edit(|edit| {
            if edit.state.schemas.contains_key(name) {
                return Ok(false);
            }
            if edit.state.schemas.len() >= most {
                let message = format!("there are {most} own schemas already");
                return Err(AccessError::new(Reason::Full, message));
            }
            edit.add_schema(name, &owner, at);
            Ok(true)
        });
        match (done.await?, if_not_exists) {
            (true, _) => Ok(Changed::new(tag)),
            (false, true) => {
                let notice = format!("schema `{name}` already exists, skipping");
                Ok(Changed::skipped(tag, vec![notice]))
            }
            (false, false) => Err(exists("schema", name)),
        }
    }

    async fn drop_schemas(
        &self,
        all: &[String],
        if_exists: bool,
        cascade: bool,
    ) -> Result<Changed> {
        let rights = self.standing.view()?;
        let mine = |schema: &str| rights.rights.may_write(schema);
        let mut skipped = Vec::new();
        let done = self.own()?.registry.edit(|edit| {
            for name in all {
                let Some(schema) = edit.state.schemas.get(name) else {
                    if !if_exists {
                        let message = format!("there is no schema `{name}`");
                        return Err(AccessError::new(Reason::NoSchema, message));
                    }
                    skipped.push(format!("schema `{name}` does not exist, skipping"));
                    continue;
                };
                if !cascade && !schema.relations.is_empty() {
                    let message = format!("there is something in the schema `{name}`");
                    return Err(AccessError::new(Reason::InUse, message)
                        .hint("`drop schema … cascade` removes it too"));
                }
                let names: Vec<String> = schema.relations.keys().cloned().collect();
                for relation in names {
                    remove(edit, name, &relation, &mine);
                }
                edit.remove_schema(name);
            }
            Ok(())
        });
        done.await?;
        Ok(Changed::skipped("DROP SCHEMA", skipped))
    }

    async fn create_view(
        &self,
        target: &Target,
        or_replace: bool,
        columns: &[String],
        query: &str,
    ) -> Result<Changed> {
        names::check(&target.name)?;
        let own = self.own()?;
        free(&own.now(), target, or_replace.then_some(true))?;
        let planned = self.looked_at(query).await?;
        if planned
            .reads
            .tables
            .iter()
            .any(|table| table.starts_with("pg_temp."))
        {
            return Err(statement::refused("a view cannot read a temporary table"));
        }
        let columns = self.columns(&planned, columns, false)?;
        let (owner, at) = (self.principal()?.as_ref().clone(), own.time());
        let relation = Relation {
            body: Body::View {
                sql: query.to_owned(),
                search_path: schema_of(self.context()),
            },
            owner,
            columns,
            comment: None,
            reads: planned.reads.tables.clone(),
            created_at: at,
            changed_at: at,
        };
        drop(planned);
        let most = own.limits.relations;
        let done = own.registry.edit(|edit| {
            free(&edit.state, target, or_replace.then_some(true))?;
            room_for_one(&edit.state, target, most)?;
            if reads_itself(&edit.state, &target.shown(), &relation.reads) {
                let message = format!("`{}` would read itself", target.shown());
                return Err(AccessError::new(Reason::Invalid, message));
            }
            edit.put(&target.schema, &target.name, relation);
            Ok(())
        });
        done.await?;
        Ok(Changed::new("CREATE VIEW"))
    }

    async fn drop_all(
        &self,
        is_view: bool,
        all: &[Name],
        if_exists: bool,
        cascade: bool,
    ) -> Result<Changed> {
        let tag = if is_view { "DROP VIEW" } else { "DROP TABLE" };
        let view = self.standing.view()?;
        let mine = |schema: &str| view.rights.may_write(schema);
        let targets = all.iter().map(|name| self.target(name));
        let targets: Vec<Target> = targets.collect::<Result<_>>()?;
        let mut skipped = Vec::new();
        for target in targets.iter().filter(|target| target.is_temp()) {
            let gone = self
                .temp
                .as_ref()
                .is_some_and(|temp| temp.remove(&target.name));
            if !gone && !if_exists {
                return Err(no_table(target));
            }
        }
        let done = self.own()?.registry.edit(|edit| {
            for target in targets.iter().filter(|target| !target.is_temp()) {
                let Some(known) = edit.state.relation(&target.schema, &target.name) else {
                    if !if_exists {
                        return Err(no_table(target));
                    }
                    skipped.push(format!("`{}` does not exist, skipping", target.shown()));
                    continue;
                };
                right_kind(known, target, is_view)?;
                let others = dependents(&edit.state, &target.shown(), &mine);
                if let (Some((schema, name)), false) = (others.first(), cascade) {
                    let message = format!("`{schema}.{name}` reads `{}`", target.shown());
                    return Err(AccessError::new(Reason::InUse, message)
                        .hint("`drop … cascade` removes what reads it too"));
                }
                remove(edit, &target.schema, &target.name, &mine);
            }
            Ok(())
        });
        done.await?;
        Ok(Changed::skipped(tag, skipped))
    }

    async fn rename(
        &self,
        is_view: bool,
        target: &Target,
        if_exists: bool,
        to: &str,
    ) -> Result<Changed> {
        let tag = if is_view { "ALTER VIEW" } else { "ALTER TABLE" };
        names::check(to)?;
        let known = match self.known(target) {
            Ok(known) => known,
            Err(_) if if_exists => {
                let notice = format!("`{}` does not exist, skipping", target.shown());
                return Ok(Changed::skipped(tag, vec![notice]));
            }
            Err(error) => return Err(error),
        };
        // `alter table` renames views too, as in PostgreSQL.
        if is_view {
            right_kind(&known, target, true)?;
        }
        let new = Target {
            schema: target.schema.clone(),
            name: to.to_owned(),
        };
        if let (Some(temp), true) = (&self.temp, target.is_temp()) {
            if temp.get(to).is_some() {
                return Err(exists("table", to));
            }
            temp.rename(&target.name, to);
            return Ok(Changed::new(tag));
        }
        let done = self.own()?.registry.edit(|edit| {
            if edit.state.relation(&target.schema, &target.name).is_none() {
                return Err(no_table(target));
            }
            free(&edit.state, &new, None)?;
            edit.rename(&target.schema, &target.name, to);
            Ok(())
        });
        done.await?;
        Ok(Changed::new(tag))
    }

    async fn alter_steps(&self, name: &Name, if_exists: bool, steps: &[Step]) -> Result<Changed> {
        let target = self.target(name)?;
        match self.known(&target) {
            Err(_) if if_exists => {
                let notice = format!("`{}` does not exist, skipping", target.shown());
                return Ok(Changed::skipped("ALTER TABLE", vec![notice]));
            }
            Err(error) => return Err(error),
            Ok(known) => right_kind(&known, &target, false)?,
        }
        self.alter(&target, steps).await?;
        Ok(Changed::new("ALTER TABLE"))
    }

    async fn truncate(&self, all: &[Name], if_exists: bool) -> Result<Changed> {
        for name in all {
            let target = self.target(name)?;
            match self.known(&target) {
                Err(_) if if_exists => continue,
                Err(error) => return Err(error),
                Ok(known) => right_kind(&known, &target, false)?,
            }
            self.empty(&target).await?;
        }
        Ok(Changed::new("TRUNCATE TABLE"))
    }

    async fn comment(&self, on: &Commented, text: Option<&str>) -> Result<Changed> {
        let (Commented::Relation(name) | Commented::Column(name, _)) = on;
        let target = self.target(name)?;
        let said = |relation: &Relation| {
            let mut relation = relation.clone();
            let text = text.map(str::to_owned);
            match on {
                Commented::Relation(_) => relation.comment = text,
                Commented::Column(_, column) => {
                    let mut columns = relation.columns.iter_mut();
                    let found = columns.find(|known| known.name == *column);
                    let found = found.ok_or_else(|| no_column(&target, column))?;
                    found.comment = text;
                }
            }
            Ok(relation)
        };
        self.replace(&target, said).await?;
        Ok(Changed::new("COMMENT"))
    }

    /// Puts what a change makes of a table or view in its place.
    pub(super) async fn replace(
        &self,
        target: &Target,
        change: impl FnOnce(&Relation) -> Result<Relation>,
    ) -> Result<()> {
        if let (Some(temp), true) = (&self.temp, target.is_temp()) {
            let new = change(self.known(target)?.as_ref())?;
            temp.put(&target.name, new);
            return Ok(());
        }
        let done = self.own()?.registry.edit(|edit| {
            let known = edit.state.relation(&target.schema, &target.name).cloned();
            let known = known.ok_or_else(|| no_table(target))?;
            let new = change(&known)?;
            edit.put(&target.schema, &target.name, new);
            Ok(())
        });
        done.await
    }
}

/// A change that is noted as it begins and as it ends, even if nobody waits for its end any more.
struct Noted<'a> {
    session: &'a Session,
    wanted: &'a Wanted,
    sql: &'a str,
    has_ended: bool,
}

impl Noted<'_> {
    fn note(&self, outcome: Option<Result<()>>) {
        self.session.shared.note(&Event::Change {
            principal: self.session.id().clone(),
            action: self.wanted.action().to_owned(),
            object: self.wanted.object(),
            sql: self.sql.to_owned(),
            origin: self.session.origin(),
            outcome,
        });
    }
}

impl Drop for Noted<'_> {
    fn drop(&mut self) {
        if !self.has_ended {
            let error = AccessError::new(Reason::Cancelled, "the statement was cancelled");
            self.note(Some(Err(error)));
        }
    }
}

fn statement_denied() -> AccessError {
    let error = statement::read_only_error();
    error.hint("a role with `own_schemas` in `access.yml` may make tables and views there")
}

pub(super) fn no_table(target: &Target) -> AccessError {
    AccessError::new(Reason::NoTable, format!("there is no `{}`", target.shown()))
}

pub(super) fn no_column(target: &Target, column: &str) -> AccessError {
    let message = format!("`{}` has no column `{column}`", target.shown());
    AccessError::new(Reason::NoColumn, message)
}

pub(super) fn exists(kind: &str, name: &str) -> AccessError {
    AccessError::new(Reason::Exists, format!("{kind} `{name}` already exists"))
}

/// Refuses a table where a view is meant, or the other way round.
pub(super) fn right_kind(known: &Relation, target: &Target, is_view: bool) -> Result<()> {
    if known.is_view() == is_view {
        return Ok(());
    }
    let kind = if is_view { "view" } else { "table" };
    let message = format!("`{}` is not a {kind}", target.shown());
    Err(AccessError::new(Reason::OtherKind, message))
}

/// Refuses a name that is taken, or whose schema is not there. `replaced`: whether a view (or a
/// table) of that name may be.
pub(super) fn free(state: &State, target: &Target, replaced: Option<bool>) -> Result<()> {
    if !target.is_temp() && !state.schemas.contains_key(&target.schema) {
        let message = format!("there is no schema `{}`", target.schema);
        return Err(AccessError::new(Reason::NoSchema, message).hint("`create schema` first"));
    }
    match (state.relation(&target.schema, &target.name), replaced) {
        (None, _) => Ok(()),
        (Some(known), Some(is_view)) => right_kind(known, target, is_view),
        (Some(_), None) => Err(exists("relation", &target.shown())),
    }
}

pub(super) fn room_for_one(state: &State, target: &Target, most: usize) -> Result<()> {
    let schema = state.schemas.get(&target.schema);
    let count = schema.map_or(0, |schema| schema.relations.len());
    match count >= most && state.relation(&target.schema, &target.name).is_none() {
        true => Err(AccessError::new(
            Reason::Full,
            format!("there are {most} tables and views in the schema already"),
        )),
        false => Ok(()),
    }
}

/// Views that read a table or view, in schemas that the principal may change.
fn dependents(state: &State, of: &str, mine: &dyn Fn(&str) -> bool) -> Vec<(String, String)> {
    let all = state.relations();
    let reading = all.filter(|(schema, _, relation)| {
        relation.is_view() && relation.reads.contains(of) && mine(schema)
    });
    reading
        .map(|(schema, name, _)| (schema.to_owned(), name.to_owned()))
        .collect()
}

/// Removes a table or view and the principal's own views that read it.
fn remove(edit: &mut Edit, schema: &str, name: &str, mine: &dyn Fn(&str) -> bool) {
    let mut open = vec![(schema.to_owned(), name.to_owned())];
    while let Some((schema, name)) = open.pop() {
        if edit.state.relation(&schema, &name).is_none() {
            continue;
        }
        edit.remove(&schema, &name);
        open.extend(dependents(&edit.state, &format!("{schema}.{name}"), mine));
    }
}

/// Whether a view that reads these would in the end read itself.
fn reads_itself(state: &State, name: &str, reads: &BTreeSet<String>) -> bool {
    let mut open: Vec<String> = reads.iter().cloned().collect();
    let mut seen = BTreeSet::new();
    while let Some(next) = open.pop() {
        if next == name {
            return true;
        }
        if !seen.insert(next.clone()) {
            continue;
        }
        let known = state
            .relations()
            .find(|(schema, name, _)| format!("{schema}.{name}") == next);
        if let Some((_, _, relation)) = known
            && relation.is_view()
        {
            open.extend(relation.reads.iter().cloned());
        }
    }
    false
}

/// The columns that a comparison of rows needs: all, quoted.
pub(super) fn quoted_columns(columns: &[Column]) -> Vec<String> {
    let names = columns.iter();
    names
        .map(|column| crate::access::policy::condition::quoted(&column.name))
        .collect()
}
