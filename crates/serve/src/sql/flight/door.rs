//! The calls of Flight: log-in, descriptions, and all that is not about one statement.

use std::time::Duration;

use arrow_flight::flight_service_server::FlightService;
use arrow_flight::sql::{Any, TicketStatementQuery};
use arrow_flight::{
    Action, BasicAuth, Criteria, Empty, FlightData, FlightDescriptor, FlightInfo, HandshakeRequest,
    HandshakeResponse, PollInfo, SchemaResult, Ticket,
};
use bytes::Bytes;
use prost::Message as _;
use tonic::metadata::AsciiMetadataValue;
use tonic::{Request, Response, Status, Streaming};

use super::connection::Peer;
use super::seal::Purpose;
use super::service::{Sql, caller};
use super::{actions, describe, error, header};
use crate::access::who::Secret;

/// How long a handshake waits for what the client has to say.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// The door: what it does not answer itself, [`Sql`] does.
#[derive(Clone)]
pub(super) struct Door(pub(super) Sql);

#[tonic::async_trait]
impl FlightService for Door {
    type HandshakeStream = <Sql as FlightService>::HandshakeStream;
    type ListFlightsStream = <Sql as FlightService>::ListFlightsStream;
    type DoGetStream = <Sql as FlightService>::DoGetStream;
    type DoPutStream = <Sql as FlightService>::DoPutStream;
    type DoActionStream = <Sql as FlightService>::DoActionStream;
    type ListActionsStream = <Sql as FlightService>::ListActionsStream;
    type DoExchangeStream = <Sql as FlightService>::DoExchangeStream;

    async fn handshake(
        &self,
        request: Request<Streaming<HandshakeRequest>>,
    ) -> Result<Response<Self::HandshakeStream>, Status> {
        let peer = request.extensions().get::<Peer>().cloned();
        let peer = peer.ok_or_else(error::nobody)?;
        let headers = request.metadata().clone().into_headers();
        let logins = &self.0.0.logins;
        let (bearer, is_old) = if let Some((name, secret)) = header::name_and_password(&headers) {
            (logins.by_name(&name, &secret, &peer).await, false)
        } else if let Some(token) = header::bearer(&headers) {
            (logins.by_token(&token, &peer).await, false)
        } else {
            // Nobody is known yet: what is read for them at a time is bounded.
            let permit = self.0.0.handshakes.try_acquire();
            let _permit = permit.map_err(|_| error::busy())?;
            let (name, secret) = said(request.into_inner()).await?;
            (logins.by_name(&name, &secret, &peer).await, true)
        };
        let bearer = bearer.map_err(|error| error::of_login(&error))?;
        welcome(&bearer, is_old)
    }

    async fn list_flights(
        &self,
        request: Request<Criteria>,
    ) -> Result<Response<Self::ListFlightsStream>, Status> {
        caller(&request)?;
        // Tables are found by Flight SQL's own calls.
        Ok(Response::new(Box::pin(futures::stream::empty())))
    }

    async fn get_flight_info(
        &self,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        let caller = caller(&request)?;
        let command = request.get_ref().cmd.clone();
        let Some(described) = describe::read(&command)? else {
            return self.0.get_flight_info(request).await;
        };
        let schema = describe::schema(&described);
        let info = self.0.0.info_of_description(&caller, &schema, &command)?;
        Ok(Response::new(info.with_descriptor(request.into_inner())))
    }

    async fn poll_flight_info(
        &self,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<PollInfo>, Status> {
        let info = self.get_flight_info(request).await?.into_inner();
        // Rows are made while they are fetched, so it is ready at once.
        let info = PollInfo::new().with_info(info);
        Ok(Response::new(info))
    }

    async fn get_schema(
        &self,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<SchemaResult>, Status> {
        let info = self.get_flight_info(request).await?.into_inner();
        Ok(Response::new(SchemaResult {
            schema: info.schema,
        }))
    }

    async fn do_get(
        &self,
        request: Request<Ticket>,
    ) -> Result<Response<Self::DoGetStream>, Status> {
        let caller = caller(&request)?;
        let ticket = request.get_ref().ticket.clone();
        if describe::read(&ticket)?.is_some() {
            // The specification lets a client make a ticket of a command.
            return Ok(Response::new(self.0.described(&caller, &ticket).await?));
        }
        let handle = handle(&ticket)?;
        if Purpose::of(&handle) == Some(Purpose::Description) {
            let command = self.0.0.description(&caller, &handle)?;
            return Ok(Response::new(self.0.described(&caller, &command).await?));
        }
        self.0.do_get(request).await
    }

    async fn do_put(
        &self,
        request: Request<Streaming<FlightData>>,
    ) -> Result<Response<Self::DoPutStream>, Status> {
        caller(&request)?;
        self.0.do_put(request).await
    }

    async fn do_exchange(
        &self,
        request: Request<Streaming<FlightData>>,
    ) -> Result<Response<Self::DoExchangeStream>, Status> {
        caller(&request)?;
        Err(error::unsupported(
            "nothing is exchanged here",
            "run a query",
        ))
    }

    async fn do_action(
        &self,
        request: Request<Action>,
    ) -> Result<Response<Self::DoActionStream>, Status> {
        caller(&request)?;
        self.0.do_action(request).await
    }

    async fn list_actions(
        &self,
        request: Request<Empty>,
    ) -> Result<Response<Self::ListActionsStream>, Status> {
        caller(&request)?;
        let listed = actions::listed().map(Ok);
        Ok(Response::new(Box::pin(futures::stream::iter(listed))))
    }
}

/// Name and password as the older handshake sends them: in its first message.
async fn said(mut messages: Streaming<HandshakeRequest>) -> Result<(String, Secret), Status> {
    let first = tokio::time::timeout(HANDSHAKE, messages.message()).await;
    let first = first.map_err(|_| error::nobody())??;
    let payload = first.ok_or_else(error::nobody)?.payload;
    let login = BasicAuth::decode(payload).map_err(|_| error::nobody())?;
    match login.username.is_empty() && login.password.is_empty() {
        true => Err(error::nobody()),
        false => Ok((login.username, Secret::new(login.password))),
    }
}

/// The bearer, in a header; in a message too for those who wait for one.
fn welcome(bearer: &Secret, is_old: bool) -> Result<Response<Messages>, Status> {
    let text = format!("Bearer {}", bearer.expose());
    let mut value = AsciiMetadataValue::try_from(text)
        .map_err(|_| error::internal("the bearer cannot be sent"))?;
    value.set_sensitive(true);
    let payload = match is_old {
        true => Bytes::copy_from_slice(bearer.expose().as_bytes()),
        false => Bytes::new(),
    };
    let message = HandshakeResponse {
        protocol_version: 0,
        payload,
    };
    let messages: Messages = Box::pin(futures::stream::iter([Ok(message)]));
    let mut response = Response::new(messages);
    response.metadata_mut().insert("authorization", value);
    Ok(response)
}

type Messages = <Sql as FlightService>::HandshakeStream;

/// The handle in a ticket of a statement.
fn handle(ticket: &Bytes) -> Result<Bytes, Status> {
    let any = Any::decode(ticket.clone()).map_err(|_| error::malformed("the ticket"))?;
    let handle = any.unpack::<TicketStatementQuery>();
    let handle = handle.map_err(|_| error::malformed("the ticket"))?;
    let handle = handle.map(|ticket| ticket.statement_handle);
    handle.ok_or_else(|| error::no_handle("ticket"))
}
