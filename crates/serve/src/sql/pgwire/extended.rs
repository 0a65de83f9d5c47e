//! The extended protocol: statements that are prepared, bound to values and run in parts.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{ParamValues, ScalarValue};
use datafusion::sql::sqlparser::ast::Query;
use datafusion_postgres::pgwire::messages::PgWireBackendMessage;
use datafusion_postgres::pgwire::messages::data::{NoData, ParameterDescription};
use datafusion_postgres::pgwire::messages::extendedquery::{
    Bind, BindComplete, Close, CloseComplete, Describe, Execute, Parse, ParseComplete,
    PortalSuspended, TARGET_TYPE_BYTE_PORTAL, TARGET_TYPE_BYTE_STATEMENT,
};
use datafusion_postgres::pgwire::messages::response::EmptyQueryResponse;

use super::command::{Command, Count};
use super::connection::Connection;
use super::decode;
use super::error::{PgError, Result};
use super::kinds;
use super::rows::{Cancel, Columns, Formats, OpenRows};
use super::run::{Engine, Outcome, Routed, only_command};
use super::split::{Token, tokens};
use crate::access::Statement;

/// Prepared statements that a connection may have.
const STATEMENTS: usize = 2_000;
/// Portals that a connection may have.
const PORTALS: usize = 200;
/// Values of a statement.
const VALUES: usize = 20_000;

/// A prepared statement.
#[derive(Debug)]
pub(super) struct Prepared {
    /// None: there is nothing to do.
    command: Option<Command>,
    /// A query, as the gate has planned it.
    pub(super) statement: Option<Statement>,
    /// A query on the catalogue.
    catalog: Option<(String, Box<Query>)>,
    columns: Option<Columns>,
    /// For each value the type that the client names, and the one that the statement asks for.
    parameters: Vec<(u32, Option<DataType>)>,
}

/// A statement with its values.
pub(super) struct Portal {
    prepared: Arc<Prepared>,
    values: Vec<ScalarValue>,
    formats: Formats,
    /// Its rows, once it runs.
    rows: Option<OpenRows>,
    is_done: bool,
}

impl Prepared {
    /// Prepares a statement. `types`: those that the client names, 0 for none.
    pub(super) async fn new(engine: &Engine, sql: &str, types: &[u32]) -> Result<Self> {
        let command = only_command(sql)?;
        if let Some(command) = &command {
            engine.check(command)?;
        }
        let mut prepared = Self {
            statement: None,
            catalog: None,
            columns: None,
            parameters: types.iter().map(|oid| (*oid, None)).collect(),
            command,
        };
        match &prepared.command {
            Some(Command::Query(sql)) => match engine.routed(sql).await? {
                Routed::Warehouse(sql, names) => {
                    let statement = engine.session.prepare(&sql).await?;
                    prepared.columns = Some(Columns::of(statement.schema()).named(names));
                    for (name, data) in statement.parameters() {
                        prepared.set_parameter(name, data.clone())?;
                    }
                    prepared.statement = Some(statement);
                }
                Routed::Catalog(query) => {
                    let sql = sql.clone();
                    let planned = engine.plan_catalog(&sql, &query, types).await?;
                    prepared.columns = Some(Columns::of(&planned.schema));
                    for (place, kind) in planned.parameters.into_iter().enumerate() {
                        prepared.set_parameter(&format!("${}", place + 1), None)?;
                        if let Some((own @ (0 | kinds::UNKNOWN), _)) =
                            prepared.parameters.get_mut(place)
                        {
                            *own = kind.unwrap_or(kinds::TEXT);
                        }
                    }
                    prepared.catalog = Some((sql, query));
                }
            },
            Some(Command::Execute(name, _)) => {
                prepared.columns = engine.prepared(name)?.columns.clone();
            }
            Some(command) => {
                prepared.columns = engine.shown_columns(command).as_ref().map(Columns::of);
            }
            None => {}
        }
        Ok(prepared)
    }

    fn set_parameter(&mut self, name: &str, data: Option<DataType>) -> Result<(), PgError> {
        let number = name.trim_start_matches('$').parse::<usize>().ok();
        let place = number.and_then(|number| number.checked_sub(1));
        let Some(place) = place.filter(|place| *place < VALUES) else {
            return Err(PgError::new(
                "42P02",
                format!("there is no parameter {name}"),
            ));
        };
        if self.parameters.len() <= place {
            self.parameters.resize(place + 1, (0, None));
        }
        if let Some(parameter) = self.parameters.get_mut(place) {
            parameter.1 = data;
        }
        Ok(())
    }

    /// The type of a value, as the client is told it.
    fn told(parameter: &(u32, Option<DataType>)) -> u32 {
        match parameter {
            (0 | kinds::UNKNOWN, Some(data)) => kinds::of_type(data).oid,
            (0 | kinds::UNKNOWN, None) => kinds::TEXT,
            (oid, _) => *oid,
        }
    }

    /// Values as the client has bound them.
    fn values(&self, message: &Bind) -> Result<Vec<ScalarValue>, PgError> {
        let given = message.parameters.len();
        if given != self.parameters.len() {
            let message = format!(
                "bind message supplies {given} parameters, but the prepared statement requires {}",
                self.parameters.len()
            );
            return Err(PgError::protocol(message));
        }
        let codes = Formats::new(message.parameter_format_codes.clone(), given)?;
        let all = self.parameters.iter().zip(&message.parameters).enumerate();
        let values = all.map(|(place, (parameter, bytes))| {
            let oid = Self::told(parameter);
            let is_binary = codes.is_binary(place);
            decode::parameter(bytes.as_deref(), is_binary, oid, parameter.1.as_ref())
        });
        values.collect()
    }

    /// Values as they stand in an `execute`.
    pub(super) fn literals(&self, text: &str) -> Result<Vec<ScalarValue>, PgError> {
        let literals = literals(text)?;
        if literals.len() != self.parameters.len() {
            let message = format!(
                "wrong number of parameters for prepared statement: {} are needed",
                self.parameters.len()
            );
            return Err(PgError::new("42601", message));
        }
        let all = self.parameters.iter().zip(literals);
        let values = all.map(|(parameter, literal)| {
            let bytes = literal.as_ref().map(String::as_bytes);
            decode::parameter(bytes, false, Self::told(parameter), parameter.1.as_ref())
        });
        values.collect()
    }
}

/// The literals in `('a', 1, null)`.
fn literals(text: &str) -> Result<Vec<Option<String>>, PgError> {
    let wrong = || PgError::unsupported("`execute` takes literals: texts, numbers, true, null");
    let mut all = tokens(text, VALUES)
        .into_iter()
        .map(|at| at.token)
        .peekable();
    let mut found = Vec::new();
    match all.next() {
        None => return Ok(found),
        Some(Token::Sign('(')) => {}
        Some(_) => return Err(wrong()),
    }
    loop {
        let mut value = String::new();
        let literal = loop {
            match all.next().ok_or_else(wrong)? {
                Token::Text(text) => break Some(text),
                Token::Word(word) if word == "null" => break None,
                Token::Word(word) => {
                    value.push_str(&word);
                    match all.peek() {
                        Some(Token::Sign('.')) => {
                            all.next();
                            value.push('.');
                        }
                        _ => break Some(value),
                    }
                }
                Token::Sign(sign @ ('-' | '.')) => value.push(sign),
                Token::Sign('+') => {}
                _ => return Err(wrong()),
            }
        };
        found.push(literal);
        // `'2026-01-01'::date`: the statement says which type it asks for.
        loop {
            match all.next().ok_or_else(wrong)? {
                Token::Sign(',') => break,
                Token::Sign(')') => return Ok(found),
                Token::Sign(':') | Token::Word(_) => {}
                _ => return Err(wrong()),
            }
        }
    }
}

impl Engine {
    /// Runs a prepared query.
    pub(super) async fn run_prepared(
        &self,
        prepared: &Prepared,
        values: Vec<ScalarValue>,
        cancel: &mut Cancel,
    ) -> Result<OpenRows> {
        if let Some((sql, query)) = &prepared.catalog {
            let types: Vec<u32> = prepared.parameters.iter().map(|(oid, _)| *oid).collect();
            let run = self.run_catalog(sql, query, &values, &types);
            return cancel.unless(Box::pin(run)).await;
        }
        let Some(statement) = &prepared.statement else {
            return Err(PgError::unsupported("the statement gives no rows").into());
        };
        let values = (!values.is_empty()).then(|| ParamValues::from(values));
        let rows = cancel.unless(self.session.run(statement, values)).await?;
        let mut rows = OpenRows::of_query(rows, self.zone()?);
        if let Some(columns) = &prepared.columns {
            rows.columns = columns.clone();
        }
        Ok(rows)
    }

    /// Keeps a prepared statement under a name.
    pub(super) fn keep(&mut self, name: &str, prepared: Prepared) -> Result<(), PgError> {
        if !name.is_empty() && self.statements.contains_key(name) {
            let message = format!("prepared statement \"{name}\" already exists");
            return Err(PgError::new("42P05", message));
        }
        if self.statements.len() >= STATEMENTS {
            return Err(PgError::new("53400", "too many statements are prepared")
                .hint("close or deallocate those that are not needed"));
        }
        self.statements.insert(name.to_owned(), Arc::new(prepared));
        Ok(())
    }
}

impl Connection {
    pub(super) async fn parse(&mut self, message: Parse) -> Result<()> {
        let mut cancel = self.cancel().await;
        let name = message.name.unwrap_or_default();
        let prepared = Prepared::new(&self.engine, &message.query, &message.type_oids);
        let prepared = cancel.unless(prepared).await?;
        self.engine.keep(&name, prepared)?;
        let done = ParseComplete::new();
        Ok(self.wire.put(&PgWireBackendMessage::ParseComplete(done))?)
    }

    pub(super) fn bind(&mut self, message: &Bind) -> Result<()> {
        let name = message.statement_name.as_deref().unwrap_or_default();
        let prepared = self.engine.prepared(name)?;
        if let Some(command) = &prepared.command {
            self.engine.check(command)?;
        }
        let values = prepared.values(message)?;
        let portal = message.portal_name.clone().unwrap_or_default();
        let (columns, own) = self.columns(&prepared)?;
        let codes = message.result_column_format_codes.clone();
        let formats = match (codes.is_empty(), own) {
            (true, Some(own)) => own,
            _ => Formats::new(codes, columns.map_or(0, |columns| columns.len()))?,
        };
        let known = &self.engine.portals;
        if !portal.is_empty() && known.contains_key(&portal) {
            let message = format!("cursor \"{portal}\" already exists");
            return Err(PgError::new("42P03", message).into());
        }
        if known.len() >= PORTALS {
            return Err(PgError::new("53400", "too many portals are open").into());
        }
        let bound = Portal {
            prepared,
            values,
            formats,
            rows: None,
            is_done: false,
        };
        self.engine.portals.insert(portal, bound);
        let done = BindComplete::new();
        Ok(self.wire.put(&PgWireBackendMessage::BindComplete(done))?)
    }

    /// The columns of a statement's rows; for those of a cursor also their form.
    fn columns(&mut self, prepared: &Prepared) -> Result<(Option<Columns>, Option<Formats>)> {
        match &prepared.command {
            Some(Command::Fetch(name, _)) => {
                let (columns, formats) = self.engine.cursors.columns(name)?;
                Ok((Some(columns), Some(formats)))
            }
            _ => Ok((prepared.columns.clone(), None)),
        }
    }

    pub(super) fn describe(&mut self, message: &Describe) -> Result<()> {
        let name = message.name.as_deref().unwrap_or_default();
        let (prepared, formats) = match message.target_type {
            TARGET_TYPE_BYTE_STATEMENT => {
                let prepared = self.engine.prepared(name)?;
                let types = prepared.parameters.iter().map(Prepared::told).collect();
                let told = ParameterDescription::new(types);
                self.wire
                    .put(&PgWireBackendMessage::ParameterDescription(told))?;
                (prepared, Formats::default())
            }
            TARGET_TYPE_BYTE_PORTAL => match self.engine.portals.get(name) {
                Some(portal) => (portal.prepared.clone(), portal.formats.clone()),
                // A cursor of SQL is a portal too.
                None => {
                    let cursor = self.engine.cursors.columns(name);
                    let (columns, formats) = cursor.map_err(|_| no_portal(name))?;
                    return columns.describe(&mut self.wire, &formats);
                }
            },
            _ => return Err(PgError::protocol("neither a statement nor a portal").into()),
        };
        match self.columns(&prepared)?.0 {
            Some(columns) => columns.describe(&mut self.wire, &formats),
            None => Ok(self
                .wire
                .put(&PgWireBackendMessage::NoData(NoData::new()))?),
        }
    }

    pub(super) fn close_one(&mut self, message: &Close) -> Result<()> {
        let name = message.name.as_deref().unwrap_or_default();
        match message.target_type {
            TARGET_TYPE_BYTE_STATEMENT => {
                self.engine.statements.remove(name);
            }
            TARGET_TYPE_BYTE_PORTAL => {
                if self.engine.portals.remove(name).is_none() {
                    // One that is not there is closed already.
                    let _ = self.engine.cursors.close(Some(name)).is_ok();
                }
            }
            _ => return Err(PgError::protocol("neither a statement nor a portal").into()),
        }
        Ok(self
            .wire
            .put(&PgWireBackendMessage::CloseComplete(CloseComplete::new()))?)
    }

    pub(super) async fn execute(&mut self, message: &Execute) -> Result<()> {
        let name = message.name.clone().unwrap_or_default();
        let most = usize::try_from(message.max_rows)
            .ok()
            .filter(|most| *most > 0);
        let mut cancel = self.cancel().await;
        // It is put back unless it fails or the transaction ends with it.
        let Some(mut portal) = self.engine.portals.remove(&name) else {
            let count = most.map_or(Count::All, Count::Rows);
            self.engine.check(&Command::Fetch(name.clone(), count))?;
            let cursor = self.engine.cursors.columns(&name);
            let (_, formats) = cursor.map_err(|_| no_portal(&name))?;
            let rows = Outcome::Fetch(name, count);
            return self.answer(rows, Some(&formats), &mut cancel).await;
        };
        let Some(command) = portal.prepared.command.clone() else {
            let empty = PgWireBackendMessage::EmptyQueryResponse(EmptyQueryResponse::new());
            self.engine.portals.insert(name, portal);
            return Ok(self.wire.put(&empty)?);
        };
        self.engine.check(&command)?;
        if portal.rows.is_none() && !portal.is_done {
            match &command {
                Command::Query(_) => {
                    let values = std::mem::take(&mut portal.values);
                    let rows = self
                        .engine
                        .run_prepared(&portal.prepared, values, &mut cancel);
                    portal.rows = Some(rows.await?);
                }
                _ => match self.engine.run(command.clone(), &mut cancel).await? {
                    Outcome::Rows(rows) => portal.rows = Some(rows),
                    Outcome::Execute(prepared, values) => {
                        let rows = self.engine.run_prepared(&prepared, values, &mut cancel);
                        portal.rows = Some(rows.await?);
                    }
                    other => {
                        let formats = Some(&portal.formats);
                        return self.answer(other, formats, &mut cancel).await;
                    }
                },
            }
        }
        self.send_part(&mut portal, &command, most, &mut cancel)
            .await?;
        self.engine.portals.insert(name, portal);
        Ok(())
    }

    async fn send_part(
        &mut self,
        portal: &mut Portal,
        command: &Command,
        most: Option<usize>,
        cancel: &mut Cancel,
    ) -> Result<()> {
        let Some(rows) = &mut portal.rows else {
            return self.complete("SELECT 0");
        };
        let (sent, is_all) = rows
            .send(&mut self.wire, &portal.formats, most, cancel)
            .await?;
        if !is_all {
            let more = PgWireBackendMessage::PortalSuspended(PortalSuspended::new());
            return Ok(self.wire.put(&more)?);
        }
        portal.rows = None;
        portal.is_done = true;
        match command {
            Command::Show(_) => self.complete("SHOW"),
            _ => self.complete(&format!("SELECT {sent}")),
        }
    }
}

fn no_portal(name: &str) -> PgError {
    PgError::new("34000", format!("portal \"{name}\" does not exist"))
}

impl Count {
    /// What the answer to a `fetch` is called.
    pub(super) fn tag(sent: usize) -> String {
        format!("FETCH {sent}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_taken_from_an_execute() {
        let is = |text: &str| literals(text).unwrap();
        assert!(is("").is_empty());
        let found = is("('a''b', -1.5, null, true, '2026-01-01'::date)");
        let expected = [
            Some("a'b"),
            Some("-1.5"),
            None,
            Some("true"),
            Some("2026-01-01"),
        ];
        assert_eq!(found, expected.map(|text| text.map(str::to_owned)));
        assert!(literals("(now())").is_err());
        assert!(literals("(1").is_err());
    }
}
