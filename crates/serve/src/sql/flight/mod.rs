//! Arrow Flight SQL: results as Arrow, for notebooks and programs (ADBC, JDBC).
//!
//! A call comes in over a connection ([`connection`]), past the guard ([`guard`]) that knows who it
//! is from ([`login`]), to the door ([`door`], [`service`]). Statements run in the caller's session
//! of the gate; what is to be fetched later is kept ([`kept`]) under names that nobody else can use
//! ([`seal`]). Descriptions ([`describe`]) come out of the same session's catalogue.

mod actions;
mod connection;
mod describe;
mod door;
mod error;
mod guard;
mod header;
mod house;
mod info;
mod kept;
mod keys;
mod login;
mod options;
mod parameters;
mod placeholders;
mod run;
mod seal;
mod service;
mod stream;
#[cfg(test)]
mod tests;
mod work;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use arrow_flight::flight_service_server::FlightServiceServer;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tonic::transport::Server;

use crate::doors::Doors;
use door::Door;
use guard::Guard;
use house::House;
use service::Sql;

pub use error::SQLSTATE;
pub use header::AS_OF;

/// Largest message that is read, in bytes; the gate's limit of a statement is below it.
const MESSAGE: usize = 4 << 20;
/// Calls at a time on one connection; more wait.
const CALLS: usize = 64;
/// Streams at a time on one connection; the other end is told not to open more.
const STREAMS: u32 = 128;
/// Largest headers of a call, in bytes.
const HEADERS: u32 = 32 << 10;
/// How often a silent connection is asked whether it is still there, and how long it may take to
/// answer.
const ASKED_EVERY: Duration = Duration::from_secs(30);
const ANSWERS_WITHIN: Duration = Duration::from_secs(20);
/// How long calls may go on once the door is to be closed.
const GRACE: Duration = Duration::from_secs(5);

/// Serves until `stop` is done and calls have ended, or a little later.
///
/// # Errors
/// The machine gives no random numbers.
pub async fn serve(
    doors: Doors,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let tls = doors.tls.as_ref().map(|tls| tls.server.clone());
    let house = Arc::new(House::new(doors).map_err(io::Error::other)?);
    let inside = FlightServiceServer::new(Door(Sql(house.clone())))
        .max_decoding_message_size(MESSAGE)
        .max_encoding_message_size(usize::MAX);
    let (stopping, mut stopped) = watch::channel(false);
    let stop = async move {
        stop.await;
        let _ = stopping.send(true);
    };
    let incoming = connection::incoming(listener, tls.as_deref());
    let served = Server::builder()
        .concurrency_limit_per_connection(CALLS)
        .max_concurrent_streams(STREAMS)
        .http2_max_header_list_size(HEADERS)
        .http2_keepalive_interval(Some(ASKED_EVERY))
        .http2_keepalive_timeout(Some(ANSWERS_WITHIN))
        .add_service(Guard::new(house, inside))
        .serve_with_incoming_shutdown(incoming, stop);
    let late = async {
        // The sender goes with `served`, which has then ended.
        let _ = stopped.wait_for(|is_stopped| *is_stopped).await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        ended = served => ended.map_err(io::Error::other),
        () = late => Ok(()),
    }
}
