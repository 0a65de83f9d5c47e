//! A connection after log-in: messages come, answers go, until one side has had enough.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use datafusion_postgres::pgwire::api::{ClientInfo as _, ConnectionHandle};
use datafusion_postgres::pgwire::messages::response::ReadyForQuery;
use datafusion_postgres::pgwire::messages::startup::ParameterStatus;
use datafusion_postgres::pgwire::messages::{PgWireBackendMessage, PgWireFrontendMessage};
use futures::FutureExt as _;
use tokio::sync::watch;

use super::accept::House;
use super::error::{PgError, Result, Stop};
use super::rows::Cancel;
use super::run::Engine;
use super::settings;
use super::wire::{MESSAGE_BYTES_MAX, Read, Wire};
use crate::access::who::{Door, Origin};
use crate::pg_login;

/// How long a connection may say nothing.
const IDLE_TIME: Duration = Duration::from_secs(4 * 3_600);

/// A connection that is logged in.
pub(super) struct Connection {
    pub(super) wire: Wire,
    pub(super) engine: Engine,
}

/// Answers a connection until it ends.
pub(super) async fn serve(house: Arc<House>, mut wire: Wire) {
    let Ok(_place) = house.places.clone().try_acquire_owned() else {
        let error = PgError::fatal("53300", "too many connections are open")
            .hint("close those that are not needed");
        return wire.close(Some(error)).await;
    };
    match begin(&house, &wire).await {
        Ok(engine) => {
            let connection = Connection { wire, engine };
            connection.converse(&house).await;
        }
        Err(Stop::Failed(error)) => {
            let error = PgError {
                is_fatal: true,
                ..error
            };
            wire.close(Some(error)).await;
        }
        Err(Stop::Gone) => {}
    }
}

async fn begin(house: &Arc<House>, wire: &Wire) -> Result<Engine> {
    let principal =
        pg_login::principal(wire).map_err(|_| PgError::fatal("28000", "nobody is logged in"))?;
    let origin = Origin {
        door: Door::Postgres,
        address: Some(wire.socket_addr().ip()),
        is_tls: wire.is_secure(),
    };
    let mut parameters = BTreeMap::new();
    for (name, value) in wire.metadata() {
        let name = name.to_lowercase();
        match name.as_str() {
            "user" | "database" | "replication" => {}
            "options" => parameters.extend(settings::options(value)),
            other if other.starts_with("_pq_.") => {}
            _ => {
                parameters.insert(name, value.clone());
            }
        }
    }
    let (pid, _) = wire.pid_and_secret_key();
    Engine::new(
        house.clone(),
        principal.as_ref().clone(),
        origin,
        parameters,
        pid,
    )
    .await
}

impl Connection {
    async fn converse(mut self, house: &House) {
        let mut closing = house.closing.clone();
        let mut is_skipping = false;
        // What it asked for as it connected.
        if self.tell().is_err() || self.wire.flush_all().await.is_err() {
            return;
        }
        loop {
            let next = tokio::time::timeout(IDLE_TIME, self.wire.next(MESSAGE_BYTES_MAX));
            let next = tokio::select! {
                next = next => next,
                () = closed(&mut closing) => {
                    let error = PgError::fatal("57P01", "the server is going away");
                    return self.wire.close(Some(error)).await;
                }
            };
            let message = match next {
                Err(_) => {
                    let error = PgError::fatal("57P05", "the connection was idle for too long");
                    return self.wire.close(Some(error)).await;
                }
                Ok(Err(_)) => return,
                Ok(Ok(Read::End(error))) => return self.wire.close(error).await,
                Ok(Ok(Read::Garbled(error))) => {
                    let error = PgError {
                        is_fatal: true,
                        ..error
                    };
                    return self.wire.close(Some(error)).await;
                }
                Ok(Ok(Read::Message(message))) => message,
            };
            match self.on_message(message, &mut is_skipping).await {
                Ok(true) => {}
                Ok(false) | Err(Stop::Gone) => return,
                Err(Stop::Failed(error)) => return self.wire.close(Some(error)).await,
            }
        }
    }

    /// Answers a message; false at the end.
    async fn on_message(
        &mut self,
        message: PgWireFrontendMessage,
        is_skipping: &mut bool,
    ) -> Result<bool> {
        match message {
            PgWireFrontendMessage::Terminate(_) => return Ok(false),
            PgWireFrontendMessage::Sync(_) => {
                *is_skipping = false;
                self.ready().await?;
            }
            PgWireFrontendMessage::Flush(_) => self.wire.flush_all().await?,
            PgWireFrontendMessage::Query(query) => {
                *is_skipping = false;
                let done = AssertUnwindSafe(self.simple(&query.query))
                    .catch_unwind()
                    .await;
                self.after(done)?;
                self.ready().await?;
            }
            _ if *is_skipping => {}
            PgWireFrontendMessage::CopyData(_)
            | PgWireFrontendMessage::CopyDone(_)
            | PgWireFrontendMessage::CopyFail(_) => {}
            message => {
                let done = AssertUnwindSafe(self.extended(message))
                    .catch_unwind()
                    .await;
                *is_skipping = !self.after(done)?;
                self.wire.flush_much().await?;
            }
        }
        Ok(true)
    }

    async fn extended(&mut self, message: PgWireFrontendMessage) -> Result<()> {
        match message {
            PgWireFrontendMessage::Parse(parse) => self.parse(parse).await,
            PgWireFrontendMessage::Bind(bind) => self.bind(&bind),
            PgWireFrontendMessage::Describe(describe) => self.describe(&describe),
            PgWireFrontendMessage::Execute(execute) => self.execute(&execute).await,
            PgWireFrontendMessage::Close(close) => self.close_one(&close),
            _ => Err(PgError::fatal("08P01", "this message has no place here").into()),
        }
    }

    /// Tells of an error, if there was one; true if there was none.
    fn after(&mut self, done: std::thread::Result<Result<()>>) -> Result<bool> {
        let error = match done {
            Ok(Ok(())) => return Ok(true),
            Ok(Err(Stop::Failed(error))) => error,
            Ok(Err(gone)) => return Err(gone),
            Err(_) => {
                log::error!("a statement on the Postgres wire met a fault");
                PgError::new("XX000", "the statement failed inside the server")
            }
        };
        self.engine.fail();
        if error.is_fatal {
            return Err(error.into());
        }
        self.tell()?;
        self.wire
            .put(&PgWireBackendMessage::ErrorResponse(error.response()))?;
        Ok(false)
    }

    /// Tells what has changed and what is odd.
    pub(super) fn tell(&mut self) -> Result<()> {
        for (name, value) in std::mem::take(&mut self.engine.told) {
            let told = ParameterStatus::new(name.to_owned(), value);
            self.wire
                .put(&PgWireBackendMessage::ParameterStatus(told))?;
        }
        for warning in std::mem::take(&mut self.engine.warnings) {
            self.wire
                .put(&PgWireBackendMessage::NoticeResponse(warning.warning()))?;
        }
        Ok(())
    }

    /// The next message may come.
    async fn ready(&mut self) -> Result<()> {
        if self.engine.transaction == super::run::Transaction::None {
            // Portals live as long as their transaction.
            self.engine.portals.clear();
        }
        let ready = ReadyForQuery::new(self.engine.status());
        self.wire.put(&PgWireBackendMessage::ReadyForQuery(ready))?;
        Ok(self.wire.flush_all().await?)
    }

    /// What fires when another connection asks that this one's query ends.
    pub(super) async fn cancel(&self) -> Cancel {
        let handle = self
            .wire
            .session_extensions()
            .get::<Arc<ConnectionHandle>>();
        match handle {
            Some(handle) => Cancel::new(Some(handle.start_query().await)),
            None => Cancel::new(None),
        }
    }
}

/// Waits until the door closes.
async fn closed(closing: &mut watch::Receiver<bool>) {
    // Nobody who could say it means that it is closed.
    let _ = closing.wait_for(|is_closing| *is_closing).await.is_ok();
}
