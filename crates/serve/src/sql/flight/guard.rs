//! Nobody comes past here without a log-in: it is looked up before anything of a call is read.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use arrow_flight::flight_service_server::FlightServiceServer;
use tonic::body::Body;
use tonic::codegen::http::{Request, Response};
use tonic::codegen::{BoxFuture, Service};
use tonic::server::NamedService;

use super::connection::Peer;
use super::door::Door;
use super::error;
use super::house::House;

/// The one call that needs no log-in: it is how one logs in.
const HANDSHAKE: &str = "/arrow.flight.protocol.FlightService/Handshake";

/// The door with its guard.
#[derive(Clone)]
pub(super) struct Guard {
    house: Arc<House>,
    inside: FlightServiceServer<Door>,
}

impl Guard {
    pub(super) fn new(house: Arc<House>, inside: FlightServiceServer<Door>) -> Self {
        Self { house, inside }
    }
}

impl NamedService for Guard {
    const NAME: &'static str = <FlightServiceServer<Door> as NamedService>::NAME;
}

impl Service<Request<Body>> for Guard {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Self::Error>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let (house, mut inside) = (self.house.clone(), self.inside.clone());
        Box::pin(async move {
            if request.uri().path() != HANDSHAKE {
                let peer = request.extensions().get::<Peer>().cloned();
                let caller = match peer {
                    Some(peer) => house.logins.caller(request.headers(), &peer).await,
                    None => Err(error::nobody()),
                };
                match caller {
                    Ok(caller) => request.extensions_mut().insert(Arc::new(caller)),
                    Err(status) => return Ok(status.into_http()),
                };
            }
            inside.call(request).await
        })
    }
}
