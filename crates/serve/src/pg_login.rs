//! How a connection on the Postgres wire begins: who it is, before anything else is answered.
//!
//! [`PgLogin`] is the door's `StartupHandler`; one is made for each connection. Afterwards the
//! principal stands in the session's extensions, and its name is the connection's `user`.
//!
//! After an error the protocol's library takes any connection for ready, and reads on even from one
//! that it has closed. So whoever answers a query asks [`principal`] first, and answers nothing
//! without one.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use datafusion_postgres::pgwire::api::auth::{
    ServerParameterProvider, StartupHandler, finish_authentication, protocol_negotiation,
    save_startup_parameters_to_metadata,
};
use datafusion_postgres::pgwire::api::{
    ClientInfo, ConnectionManager, METADATA_USER, PgWireConnectionState,
    PidSecretKeyGenerator as _, RandomPidSecretKeyGenerator,
};
use datafusion_postgres::pgwire::error::{ErrorInfo, PgWireError, PgWireResult};
use datafusion_postgres::pgwire::messages::startup::{
    Authentication, PasswordMessageFamily, Startup,
};
use datafusion_postgres::pgwire::messages::{PgWireBackendMessage, PgWireFrontendMessage};
use futures::{Sink, SinkExt as _};
use tokio::sync::Mutex;

use crate::access::Principal;
use crate::access::who::{Door, LoginError, Origin, ScramLogin, Secret, Who, WireMethod};

/// The one database that there is.
pub const DATABASE: &str = "throughline";

/// Gives each connection a number of its own.
static NUMBERS: LazyLock<RandomPidSecretKeyGenerator> = LazyLock::new(Default::default);

/// Longest name or database that is looked at.
const NAME_BYTES_MAX: usize = 256;

/// Finds out who a connection is.
pub struct PgLogin<P> {
    who: Who,
    parameters: Arc<P>,
    connections: Option<Arc<ConnectionManager>>,
    certificate: Option<Arc<[u8]>>,
    state: Mutex<State>,
}

/// How far it is.
enum State {
    Begun,
    ClearText,
    Scram,
    ScramAnswered(Box<ScramLogin>),
    Ended,
}

impl<P> PgLogin<P> {
    /// For one connection, which is told these parameters when it is known who it is.
    pub fn new(who: Who, parameters: Arc<P>) -> Self {
        Self {
            who,
            parameters,
            connections: None,
            certificate: None,
            state: Mutex::new(State::Begun),
        }
    }

    /// Makes the connection known to whoever cancels queries.
    #[must_use]
    pub fn with_connections(mut self, connections: Arc<ConnectionManager>) -> Self {
        self.connections = Some(connections);
        self
    }

    /// Offers SCRAM bound to the server's certificate, of which this is the hash
    /// ([`crate::access::who::end_point`]).
    #[must_use]
    pub fn with_certificate(mut self, hash: Option<Arc<[u8]>>) -> Self {
        self.certificate = hash;
        self
    }

    /// The hash of the certificate, where there is TLS.
    fn certificate(&self, origin: Origin) -> Option<&[u8]> {
        self.certificate.as_deref().filter(|_| origin.is_tls)
    }

    /// Asks for a secret.
    async fn ask(
        &self,
        startup: &Startup,
        origin: Origin,
    ) -> PgWireResult<(State, Authentication)> {
        let name = checked(&startup.parameters)?;
        let method = self
            .who
            .wire_method(name, origin)
            .await
            .map_err(|error| said(error, name))?;
        Ok(match method {
            WireMethod::ClearText => (State::ClearText, Authentication::CleartextPassword),
            WireMethod::Scram => {
                let mechanisms = Who::scram_mechanisms(self.certificate(origin).is_some());
                (State::Scram, Authentication::SASL(mechanisms))
            }
        })
    }

    /// Takes the next message; gives what is to be answered, and the principal at the end.
    async fn take(
        &self,
        name: &str,
        message: PasswordMessageFamily,
        origin: Origin,
    ) -> PgWireResult<(Option<Authentication>, Option<Principal>)> {
        let mut state = self.state.lock().await;
        match std::mem::replace(&mut *state, State::Ended) {
            State::ClearText => {
                let password = Secret::new(message.into_password()?.password);
                let principal = self.who.by_clear_text(name, &password, origin).await;
                Ok((None, Some(principal.map_err(|error| said(error, name))?)))
            }
            State::Scram => {
                let first = message.into_sasl_initial_response()?;
                let data = first.data.unwrap_or_default();
                let certificate = self.certificate(origin);
                let begun =
                    self.who
                        .begin_scram(name, &first.auth_method, certificate, &data, origin);
                let (answer, login) = begun.await.map_err(|error| said(error, name))?;
                *state = State::ScramAnswered(Box::new(login));
                Ok((Some(Authentication::SASLContinue(answer.into())), None))
            }
            State::ScramAnswered(login) => {
                let last = message.into_sasl_response()?;
                let ended = self.who.end_scram(*login, &last.data, origin).await;
                let (answer, principal) = ended.map_err(|error| said(error, name))?;
                Ok((
                    Some(Authentication::SASLFinal(answer.into())),
                    Some(principal),
                ))
            }
            State::Begun | State::Ended => Err(PgWireError::InvalidSASLState),
        }
    }

    /// The connection is somebody's now.
    fn admit<C: ClientInfo>(&self, client: &mut C, principal: Principal) {
        client
            .metadata_mut()
            .insert(METADATA_USER.to_owned(), principal.name.clone());
        let (pid, key) = NUMBERS.generate(client);
        client.set_pid_and_secret_key(pid, key.clone());
        if let Some(connections) = &self.connections {
            let (handle, guard) = connections.register(pid, key);
            client.session_extensions().insert(handle);
            client.session_extensions().insert(guard);
        }
        client.session_extensions().insert(principal);
    }
}

#[async_trait]
impl<P: ServerParameterProvider> StartupHandler for PgLogin<P> {
    async fn on_startup<C>(
        &self,
        client: &mut C,
        message: PgWireFrontendMessage,
    ) -> PgWireResult<()>
    where
        C: ClientInfo + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let origin = Origin {
            door: Door::Postgres,
            address: Some(client.socket_addr().ip()),
            is_tls: client.is_secure(),
        };
        match message {
            PgWireFrontendMessage::Startup(startup) => {
                protocol_negotiation(client, &startup).await?;
                save_startup_parameters_to_metadata(client, &startup);
                let (state, request) = self.ask(&startup, origin).await?;
                *self.state.lock().await = state;
                client.set_state(PgWireConnectionState::AuthenticationInProgress);
                client
                    .send(PgWireBackendMessage::Authentication(request))
                    .await?;
            }
            PgWireFrontendMessage::PasswordMessageFamily(message) => {
                let name = client
                    .metadata()
                    .get(METADATA_USER)
                    .cloned()
                    .unwrap_or_default();
                let database = client.metadata().get("database").cloned();
                let (answer, principal) = self.take(&name, message, origin).await?;
                if let Some(answer) = answer {
                    client
                        .send(PgWireBackendMessage::Authentication(answer))
                        .await?;
                }
                let Some(principal) = principal else {
                    return Ok(());
                };
                // Only now: whether there is a database is nobody's business before.
                if let Some(other) = database.filter(|name| name != DATABASE) {
                    let text = format!("database \"{}\" does not exist", shown(&other));
                    return Err(fatal("3D000", text, Some("there is one: throughline")));
                }
                self.admit(client, principal);
                finish_authentication(client, self.parameters.as_ref()).await?;
            }
            _ => {
                let text = "nothing is answered before log-in".to_owned();
                return Err(fatal("08P01", text, None));
            }
        }
        Ok(())
    }
}

/// Whose connection it is.
///
/// # Errors
/// Nobody's: its log-in has not ended well.
pub fn principal(client: &impl ClientInfo) -> PgWireResult<Arc<Principal>> {
    let principal = client.session_extensions().get::<Principal>();
    principal.ok_or_else(|| fatal("28000", "nobody is logged in".to_owned(), None))
}

/// The user's name, if there is one, and nothing is asked for that there is not.
fn checked(parameters: &BTreeMap<String, String>) -> PgWireResult<&str> {
    if parameters
        .values()
        .any(|value| value.len() > NAME_BYTES_MAX * 4)
    {
        return Err(PgWireError::InvalidStartupMessage);
    }
    let replication = parameters.get("replication").map(String::as_str);
    if !matches!(replication, None | Some("false" | "off" | "no" | "0")) {
        return Err(fatal("0A000", "there is no replication".to_owned(), None));
    }
    match parameters.get(METADATA_USER) {
        Some(name) if !name.is_empty() && name.len() <= NAME_BYTES_MAX => Ok(name),
        _ => Err(fatal("28000", "no user name is given".to_owned(), None)),
    }
}

/// What a client is told.
fn said(error: LoginError, name: &str) -> PgWireError {
    match error {
        LoginError::Refused => {
            let text = format!(
                "password authentication failed for user \"{}\"",
                shown(name)
            );
            fatal("28P01", text, None)
        }
        LoginError::Slowed(_) => fatal("28000", error.to_string(), None),
        LoginError::NotPrivate => fatal(
            "28000",
            error.to_string(),
            Some("connect with sslmode=require"),
        ),
        LoginError::Failed(why) => {
            log::error!("log-in on the Postgres wire: {why}");
            fatal(
                "58000",
                "log-in is not possible at the moment".to_owned(),
                None,
            )
        }
    }
}

/// What a client sent, as it may come back to it.
fn shown(text: &str) -> String {
    text.chars()
        .filter(|one| !one.is_control())
        .take(63)
        .collect()
}

fn fatal(code: &str, message: String, hint: Option<&str>) -> PgWireError {
    let mut info = ErrorInfo::new("FATAL".to_owned(), code.to_owned(), message);
    info.hint = hint.map(str::to_owned);
    PgWireError::UserError(Box::new(info))
}

#[cfg(test)]
mod tests;
