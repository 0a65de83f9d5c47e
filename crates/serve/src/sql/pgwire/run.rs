//! Commands are done.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::timezone::Tz;
use arrow_array::{RecordBatch, StringArray};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::ScalarValue;
use datafusion::sql::sqlparser::ast::Query;
use datafusion_postgres::pgwire::messages::response::TransactionStatus;
use tokio::sync::Mutex;

use super::accept::House;
use super::command::{Command, command};
use super::copy::CopyOptions;
use super::cursor::Cursors;
use super::describe::Described;
use super::error::{PgError, Result};
use super::extended::{Portal, Prepared};
use super::route::{self, Route};
use super::rows::{Cancel, OpenRows};
use super::settings;
use crate::access::who::Origin;
use crate::access::{Principal, Session};

/// How a transaction stands. All are read-only: there is nothing to be undone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Transaction {
    None,
    Open,
    Failed,
}

/// What a connection has and remembers.
pub(super) struct Engine {
    pub(super) house: Arc<House>,
    principal: Principal,
    origin: Origin,
    pub(super) session: Session,
    /// The number by which other connections know this one.
    pub(super) pid: i32,
    pub(super) described: Mutex<Described>,
    pub(super) transaction: Transaction,
    savepoints: Vec<String>,
    /// Settings that were only set until the transaction ends, as they were before.
    locals: Vec<(String, Option<String>)>,
    /// What the client has set.
    set: BTreeMap<String, String>,
    /// What holds again after a reset: what the client asked for as it connected.
    first: BTreeMap<String, String>,
    pub(super) statements: BTreeMap<String, Arc<Prepared>>,
    pub(super) portals: BTreeMap<String, Portal>,
    pub(super) cursors: Cursors,
    /// What the client is to be told before the next answer.
    pub(super) told: Vec<(&'static str, String)>,
    pub(super) warnings: Vec<PgError>,
}

/// Which engine answers a query.
pub(super) enum Routed {
    /// The warehouse's: the text for it, and the names of the columns where they are others.
    Warehouse(String, Option<Vec<Option<String>>>),
    Catalog(Box<Query>),
}

/// What a command came to.
pub(super) enum Outcome {
    /// Rows to be sent.
    Rows(OpenRows),
    /// Rows to be sent as `copy` has them.
    Copy(OpenRows, CopyOptions),
    /// It is done; what it is called in the answer.
    Done(String),
    /// Rows of a cursor are to be sent.
    Fetch(String, super::command::Count),
    /// A prepared statement is to be run with these values.
    Execute(Arc<Prepared>, Vec<ScalarValue>),
}

impl Engine {
    /// A session for somebody who has just logged in.
    pub(super) async fn new(
        house: Arc<House>,
        principal: Principal,
        origin: Origin,
        parameters: BTreeMap<String, String>,
        pid: i32,
    ) -> Result<Self> {
        let doors = &house.doors;
        let as_of = parameters.get(settings::AS_OF).map(String::as_str);
        let session = doors.session(principal.clone(), origin, as_of).await?;
        let mut engine = Self {
            house,
            principal,
            origin,
            session,
            pid,
            described: Mutex::default(),
            transaction: Transaction::None,
            savepoints: Vec::new(),
            locals: Vec::new(),
            set: BTreeMap::new(),
            first: BTreeMap::new(),
            statements: BTreeMap::new(),
            portals: BTreeMap::new(),
            cursors: Cursors::default(),
            told: Vec::new(),
            warnings: Vec::new(),
        };
        for (name, value) in &parameters {
            if name != settings::AS_OF {
                engine.apply(name, value)?;
            }
        }
        engine.first = parameters.clone();
        engine.set = parameters;
        Ok(engine)
    }

    /// The zone that times are shown in.
    pub(super) fn zone(&self) -> Result<Tz, PgError> {
        let zone = self.session.setting("timezone").unwrap_or_default();
        let zone = zone.parse().or_else(|_| "UTC".parse());
        zone.map_err(|_| PgError::new("22023", "there is no such time zone"))
    }

    pub(super) fn status(&self) -> TransactionStatus {
        match self.transaction {
            Transaction::None => TransactionStatus::Idle,
            Transaction::Open => TransactionStatus::Transaction,
            Transaction::Failed => TransactionStatus::Error,
        }
    }

    /// A statement has failed.
    pub(super) fn fail(&mut self) {
        if self.transaction == Transaction::Open {
            self.transaction = Transaction::Failed;
        }
    }

    /// Whether a command is answered as the transaction stands.
    pub(super) fn check(&self, command: &Command) -> Result<(), PgError> {
        let is_end = matches!(
            command,
            Command::Commit | Command::Rollback | Command::RollbackTo(_)
        );
        match self.transaction == Transaction::Failed && !is_end {
            true => Err(PgError::aborted()),
            false => Ok(()),
        }
    }

    /// Finds out which engine answers a query.
    pub(super) async fn routed(&self, sql: &str) -> Result<Routed> {
        let text = sql.to_owned();
        let found = self.session.aside(sql, move |_| Ok(route::route(&text)));
        match found.await?? {
            Route::Warehouse(names) => Ok(Routed::Warehouse(sql.to_owned(), names)),
            Route::Catalog(query) => Ok(Routed::Catalog(query)),
            Route::Mixed(statement) => {
                let world = self.world().await?;
                let written = self.session.aside(sql, move |_| {
                    let mut value = |query| Self::literal(&world, &query);
                    Ok(route::written_out(*statement, &mut value))
                });
                let (sql, names) = written.await??;
                Ok(Routed::Warehouse(sql, names))
            }
        }
    }

    /// Runs a query without parameters.
    pub(super) async fn query(&self, sql: &str, cancel: &mut Cancel) -> Result<OpenRows> {
        match self.routed(sql).await? {
            Routed::Catalog(query) => {
                let run = self.run_catalog(sql, &query, &[], &[]);
                cancel.unless(Box::pin(run)).await
            }
            Routed::Warehouse(sql, names) => {
                let rows = cancel.unless(self.session.query(&sql)).await?;
                Ok(OpenRows::of_query(rows, self.zone()?).named(names))
            }
        }
    }

    /// Does a command.
    pub(super) async fn run(&mut self, command: Command, cancel: &mut Cancel) -> Result<Outcome> {
        self.check(&command)?;
        let done = |tag: &str| Ok(Outcome::Done(tag.to_owned()));
        match command {
            Command::Query(sql) => Ok(Outcome::Rows(self.query(&sql, cancel).await?)),
            Command::Change(sql) => {
                let changed = cancel.unless(Box::pin(self.session.change(&sql))).await?;
                let notice = changed.notice.map(|notice| PgError::new("00000", notice));
                self.warnings.extend(notice);
                *self.described.get_mut() = None;
                Ok(Outcome::Done(changed.tag))
            }
            Command::CopyOut(sql, options) => {
                Ok(Outcome::Copy(self.query(&sql, cancel).await?, options))
            }
            Command::Begin
            | Command::Commit
            | Command::Rollback
            | Command::Savepoint(_)
            | Command::Release(_)
            | Command::RollbackTo(_) => self.transact(command).await,
            Command::Set(name, value, is_local) => {
                self.set(name, value, is_local).await?;
                done("SET")
            }
            Command::SetTransaction => done("SET"),
            Command::Show(name) => Ok(Outcome::Rows(self.show(&name)?)),
            Command::Reset(name) => {
                self.reset(name.as_deref()).await?;
                done("RESET")
            }
            Command::Discard(what) => self.discard(&what).await,
            Command::Prepare(name, sql) => {
                if !matches!(only_command(&sql)?, Some(Command::Query(_))) {
                    return Err(PgError::unsupported("only queries are prepared").into());
                }
                let prepared = cancel.unless(Prepared::new(self, &sql, &[])).await?;
                self.keep(&name, prepared)?;
                done("PREPARE")
            }
            Command::Execute(name, values) => {
                let prepared = self.prepared(&name)?;
                let values = prepared.literals(&values)?;
                Ok(Outcome::Execute(prepared, values))
            }
            Command::Deallocate(name) => {
                match name {
                    None => self.statements.clear(),
                    Some(name) => {
                        self.prepared(&name)?;
                        self.statements.remove(&name);
                    }
                }
                done("DEALLOCATE")
            }
            Command::Declare { .. }
            | Command::Fetch(..)
            | Command::Move(..)
            | Command::Close(_) => self.cursor(command, cancel).await,
            Command::Unlisten => done("UNLISTEN"),
        }
    }

    /// Does something with a cursor.
    async fn cursor(&mut self, command: Command, cancel: &mut Cancel) -> Result<Outcome> {
        let done = |tag: &str| Ok(Outcome::Done(tag.to_owned()));
        match command {
            Command::Declare {
                name,
                is_binary,
                is_held,
                query,
            } => {
                if !is_held && self.transaction == Transaction::None {
                    let message = "DECLARE CURSOR can only be used in transaction blocks";
                    return Err(PgError::new("25P01", message)
                        .hint("begin a transaction, or declare it `with hold`")
                        .into());
                }
                self.cursors.check(&name)?;
                let rows = self.query(&query, cancel).await?;
                self.cursors.open(name, rows, is_binary, is_held);
                done("DECLARE CURSOR")
            }
            Command::Fetch(name, count) => Ok(Outcome::Fetch(name, count)),
            Command::Move(name, count) => {
                let passed = self.cursors.pass(&name, count, cancel).await?;
                done(&format!("MOVE {passed}"))
            }
            Command::Close(name) => {
                self.cursors.close(name.as_deref())?;
                done(if name.is_some() {
                    "CLOSE CURSOR"
                } else {
                    "CLOSE CURSOR ALL"
                })
            }
            _ => Err(PgError::syntax("this is nothing that a cursor does").into()),
        }
    }

    /// A prepared statement, of SQL or of the protocol: they share their names.
    pub(super) fn prepared(&self, name: &str) -> Result<Arc<Prepared>, PgError> {
        let known = self.statements.get(name).cloned();
        known.ok_or_else(|| {
            let message = format!("prepared statement \"{name}\" does not exist");
            PgError::new("26000", message)
        })
    }

    async fn transact(&mut self, command: Command) -> Result<Outcome> {
        let tag = match command {
            Command::Begin => {
                if self.transaction != Transaction::None {
                    let message = "there is already a transaction in progress";
                    self.warnings.push(PgError::new("25001", message));
                }
                self.transaction = Transaction::Open;
                "BEGIN"
            }
            Command::Savepoint(name) => {
                self.in_transaction("SAVEPOINT")?;
                self.savepoints.push(name);
                "SAVEPOINT"
            }
            Command::Release(name) => {
                let at = self.savepoint(&name)?;
                self.savepoints.truncate(at);
                "RELEASE"
            }
            Command::RollbackTo(name) => {
                let at = self.savepoint(&name)?;
                self.savepoints.truncate(at + 1);
                self.transaction = Transaction::Open;
                "ROLLBACK"
            }
            command => {
                if self.transaction == Transaction::None {
                    let message = "there is no transaction in progress";
                    self.warnings.push(PgError::new("25P01", message));
                }
                let has_failed = self.transaction == Transaction::Failed;
                self.end_transaction().await?;
                match command == Command::Commit && !has_failed {
                    true => "COMMIT",
                    false => "ROLLBACK",
                }
            }
        };
        Ok(Outcome::Done(tag.to_owned()))
    }

    fn in_transaction(&self, what: &str) -> Result<(), PgError> {
        match self.transaction == Transaction::None {
            true => {
                let message = format!("{what} can only be used in transaction blocks");
                Err(PgError::new("25P01", message))
            }
            false => Ok(()),
        }
    }

    fn savepoint(&self, name: &str) -> Result<usize, PgError> {
        self.in_transaction("SAVEPOINT")?;
        let at = self.savepoints.iter().rposition(|own| own == name);
        at.ok_or_else(|| PgError::new("3B001", format!("savepoint \"{name}\" does not exist")))
    }

    pub(super) async fn end_transaction(&mut self) -> Result<()> {
        self.transaction = Transaction::None;
        self.savepoints.clear();
        self.cursors.end_transaction();
        self.portals.clear();
        for (name, before) in std::mem::take(&mut self.locals).into_iter().rev() {
            match before {
                Some(value) => self.set(name, value, false).await?,
                None => self.reset(Some(&name)).await?,
            }
        }
        Ok(())
    }

    /// What a setting is.
    pub(super) fn setting(&self, name: &str) -> Option<String> {
        if name == settings::AS_OF {
            return Some(self.set.get(name).cloned().unwrap_or_default());
        }
        match name {
            "session_authorization" | "role" => return Some(self.principal.name.clone()),
            "transaction_isolation_level" => return self.setting("transaction_isolation"),
            _ => {}
        }
        let fixed = settings::fixed(name).map(str::to_owned);
        fixed
            .or_else(|| self.session.setting(name))
            .or_else(|| self.set.get(name).cloned())
            .or_else(|| settings::meaningless_value(name).map(str::to_owned))
    }

    async fn set(&mut self, name: String, value: String, is_local: bool) -> Result<()> {
        if is_local {
            if self.transaction == Transaction::None {
                let message = "SET LOCAL can only be used in transaction blocks";
                self.warnings.push(PgError::new("25P01", message));
                return Ok(());
            }
            self.locals
                .push((name.clone(), self.set.get(&name).cloned()));
        }
        if value.eq_ignore_ascii_case("default") {
            return Box::pin(self.reset(Some(&name))).await;
        }
        if name == settings::AS_OF {
            return self.move_to(&value).await;
        }
        self.apply(&name, &value)?;
        self.set.insert(name, value);
        Ok(())
    }

    /// Lets a setting hold.
    fn apply(&mut self, name: &str, value: &str) -> Result<(), PgError> {
        *self.described.get_mut() = None;
        if settings::fixed(name).is_some() {
            let message = format!("parameter \"{name}\" cannot be changed");
            return Err(PgError::new("55P02", message));
        }
        let value = settings::checked(name, value)?;
        if !settings::is_meaningless(name) {
            self.session.set(name, &value)?;
        }
        if let Some(told) = settings::told(name) {
            self.told.push((told, value));
        }
        Ok(())
    }

    /// Lets the connection read the tables of another time.
    async fn move_to(&mut self, as_of: &str) -> Result<()> {
        let doors = &self.house.doors;
        let as_of = as_of.trim();
        let principal = self.principal.clone();
        self.session = doors.session(principal, self.origin, Some(as_of)).await?;
        *self.described.get_mut() = None;
        self.set
            .insert(settings::AS_OF.to_owned(), as_of.to_owned());
        for (name, value) in self.set.clone() {
            if name != settings::AS_OF {
                self.apply(&name, &value)?;
            }
        }
        Ok(())
    }

    async fn reset(&mut self, name: Option<&str>) -> Result<()> {
        let all: Vec<String> = match name {
            Some(name) => vec![name.to_owned()],
            None => self.set.keys().cloned().collect(),
        };
        let doors = &self.house.doors;
        for name in all {
            self.set.remove(&name);
            if let Some(value) = self.first.get(&name) {
                self.set.insert(name, value.clone());
            }
        }
        // What a setting is at first, a new session knows.
        let as_of = self.set.get(settings::AS_OF).map(String::as_str);
        *self.described.get_mut() = None;
        let before = std::mem::replace(
            &mut self.session,
            doors
                .session(self.principal.clone(), self.origin, as_of)
                .await?,
        );
        for (name, value) in self.set.clone() {
            if name != settings::AS_OF {
                self.apply(&name, &value)?;
            }
        }
        for name in settings::SESSION {
            let (was, is) = (before.setting(name), self.session.setting(name));
            if let Some(told) = settings::told(name)
                && was != is
            {
                self.told.push((told, is.unwrap_or_default()));
            }
        }
        Ok(())
    }

    async fn discard(&mut self, what: &str) -> Result<Outcome> {
        match what {
            "all" => {
                if self.transaction != Transaction::None {
                    let message = "DISCARD ALL cannot run inside a transaction block";
                    return Err(PgError::new("25001", message).into());
                }
                self.statements.clear();
                self.portals.clear();
                self.cursors.close(None)?;
                self.reset(None).await?;
            }
            "plans" | "sequences" | "temp" | "temporary" => {}
            _ => return Err(PgError::syntax("`discard` needs `all`").into()),
        }
        Ok(Outcome::Done(format!("DISCARD {}", what.to_uppercase())))
    }

    fn show(&self, name: &str) -> Result<OpenRows, PgError> {
        let fault = |_| PgError::new("XX000", "settings cannot be shown");
        if name == "all" {
            let all = self.all_settings();
            let column = |of: &dyn Fn(&(String, String)) -> String| {
                Arc::new(
                    all.iter()
                        .map(|pair| Some(of(pair)))
                        .collect::<StringArray>(),
                )
            };
            let batch = RecordBatch::try_new(
                schema_of(&["name", "setting", "description"]),
                vec![
                    column(&|pair| pair.0.clone()),
                    column(&|pair| pair.1.clone()),
                    column(&|_| String::new()),
                ],
            );
            return Ok(OpenRows::of_batch(batch.map_err(fault)?, self.zone()?));
        }
        let value = self.setting(name).ok_or_else(|| {
            let message = format!("unrecognized configuration parameter \"{name}\"");
            PgError::new("42704", message)
        })?;
        let schema = schema_of(&[settings::told(name).unwrap_or(name)]);
        let batch = RecordBatch::try_new(schema, vec![Arc::new(StringArray::from(vec![value]))]);
        Ok(OpenRows::of_batch(batch.map_err(fault)?, self.zone()?))
    }

    /// All settings with what they are.
    pub(super) fn all_settings(&self) -> Vec<(String, String)> {
        let names = settings::fixed_names().chain(settings::SESSION);
        let names = names.chain(settings::meaningless());
        let names = names.chain([settings::AS_OF]).map(str::to_owned);
        let mut names: Vec<String> = names.chain(self.set.keys().cloned()).collect();
        names.sort();
        names.dedup();
        let known = names.into_iter().map(|name| {
            let value = self.setting(&name).unwrap_or_default();
            (name, value)
        });
        known.collect()
    }

    /// The columns that a command's rows have, where it gives rows.
    pub(super) fn shown_columns(&self, command: &Command) -> Option<SchemaRef> {
        match command {
            Command::Show(name) if name == "all" => {
                Some(schema_of(&["name", "setting", "description"]))
            }
            Command::Show(name) => Some(schema_of(&[settings::told(name).unwrap_or(name)])),
            _ => None,
        }
    }
}

fn schema_of(names: &[&str]) -> SchemaRef {
    let fields = names
        .iter()
        .map(|name| Field::new(*name, DataType::Utf8, true));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// The one command of a statement in the extended protocol.
pub(super) fn only_command(sql: &str) -> Result<Option<Command>, PgError> {
    match super::split::statements(sql).as_slice() {
        [] => Ok(None),
        [one] => command(one).map(Some),
        _ => Err(PgError::syntax(
            "cannot insert multiple commands into a prepared statement",
        )),
    }
}
