//! How a connection begins: encryption, log-in, and then its answers.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use datafusion_postgres::pgwire::api::auth::{ServerParameterProvider, StartupHandler as _};
use datafusion_postgres::pgwire::api::{ClientInfo, METADATA_USER, PgWireConnectionState};
use datafusion_postgres::pgwire::messages::{PgWireBackendMessage, PgWireFrontendMessage};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::accept::{ALPN, House};
use super::connection;
use super::error::{PgError, of_library};
use super::settings;
use super::wire::{Read, STARTUP_BYTES_MAX, Wire};
use crate::pg_login::{self, PgLogin};

/// How long a client may take until it is logged in.
const START_TIME: Duration = Duration::from_secs(30);
/// What a client sends that wants TLS.
const TLS_REQUEST: u32 = 80_877_103;
/// What a client sends that wants Kerberos.
const GSS_REQUEST: u32 = 80_877_104;

/// What a client is told of the server.
struct Parameters;

impl ServerParameterProvider for Parameters {
    fn server_parameters<C: ClientInfo>(&self, client: &C) -> Option<HashMap<String, String>> {
        let user = client.metadata().get(METADATA_USER);
        let told = settings::told_at_first(user.map_or("", String::as_str));
        Some(told.into_iter().collect())
    }
}

/// From the first byte to the last.
pub(super) async fn begin(house: Arc<House>, socket: TcpStream, number: u64) {
    let begun = tokio::time::timeout(START_TIME, open(&house, socket)).await;
    house.strangers.remove(number);
    // What went wrong before log-in is the client's.
    let Ok(Ok(Some(wire))) = begun else {
        return;
    };
    connection::serve(house, wire).await;
}

/// A connection that is logged in; none for one that had something else to say.
async fn open(house: &House, socket: TcpStream) -> io::Result<Option<Wire>> {
    socket.set_nodelay(true)?;
    let address = socket.peer_addr()?;
    let Some(mut wire) = negotiate(house, socket, address).await? else {
        return Ok(None);
    };
    if !address.ip().to_canonical().is_loopback() && !wire.is_secure() {
        let error = match house.doors.tls {
            Some(_) => PgError::fatal("28000", "this server takes no connection without TLS")
                .hint("connect with sslmode=require"),
            None => PgError::fatal("28000", "without TLS only connections from here are taken")
                .hint("start the server with --tls-cert and --tls-key"),
        };
        wire.close(Some(error)).await;
        return Ok(None);
    }
    let certificate = house.doors.tls.as_ref();
    let login = PgLogin::new(house.doors.who.clone(), Arc::new(Parameters))
        .with_connections(house.connections.clone())
        .with_certificate(certificate.and_then(|tls| tls.certificate.clone()));
    match log_in(house, &mut wire, &login).await? {
        true => Ok(Some(wire)),
        false => Ok(None),
    }
}

/// Settles whether the connection is encrypted.
async fn negotiate(
    house: &House,
    mut socket: TcpStream,
    address: SocketAddr,
) -> io::Result<Option<Wire>> {
    let acceptor = house.acceptor.as_ref();
    let mut first = [0; 1];
    socket.peek(&mut first).await?;
    if first == [0x16] {
        return match acceptor {
            Some(acceptor) => encrypted(acceptor, socket, address, true).await,
            None => Ok(None),
        };
    }
    // Each kind of request may come once.
    for _ in 0..3 {
        let mut request = [0; 8];
        socket.read_exact(&mut request).await?;
        let [length, code] = [&request[..4], &request[4..]].map(|four| {
            four.iter()
                .fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte))
        });
        match (code, acceptor) {
            // What comes in the clear behind the request is taken for TLS, never for a message.
            (TLS_REQUEST, Some(acceptor)) if length == 8 => {
                socket.write_all(b"S").await?;
                return encrypted(acceptor, socket, address, false).await;
            }
            (TLS_REQUEST | GSS_REQUEST, _) if length == 8 => socket.write_all(b"N").await?,
            _ => {
                let mut wire = Wire::new(Box::new(socket), address, false);
                wire.unread(&request);
                return Ok(Some(wire));
            }
        }
    }
    Ok(None)
}

async fn encrypted(
    acceptor: &TlsAcceptor,
    socket: TcpStream,
    address: SocketAddr,
    is_direct: bool,
) -> io::Result<Option<Wire>> {
    let stream = acceptor.accept(socket).await?;
    if is_direct && stream.get_ref().1.alpn_protocol() != Some(ALPN) {
        return Ok(None);
    }
    Ok(Some(Wire::new(Box::new(stream), address, true)))
}

/// True once it is known who it is.
async fn log_in(house: &House, wire: &mut Wire, login: &PgLogin<Parameters>) -> io::Result<bool> {
    loop {
        let message = match wire.next(STARTUP_BYTES_MAX).await? {
            Read::Message(message) => message,
            Read::Garbled(error) => {
                let error = PgError {
                    is_fatal: true,
                    ..error
                };
                wire.close(Some(error)).await;
                return Ok(false);
            }
            Read::End(error) => {
                wire.close(error).await;
                return Ok(false);
            }
        };
        if let PgWireFrontendMessage::CancelRequest(request) = message {
            let connections = &house.connections;
            connections.cancel(request.pid, &request.secret_key).await;
            return Ok(false);
        }
        if let Err(error) = login.on_startup(wire, message).await {
            let message = PgWireBackendMessage::ErrorResponse(of_library(error));
            wire.put(&message)?;
            wire.close(None).await;
            return Ok(false);
        }
        // The library says that any connection is ready once it has had an error; this one has not.
        let is_ready = matches!(wire.state(), PgWireConnectionState::ReadyForQuery);
        if is_ready && pg_login::principal(wire).is_ok() {
            return Ok(true);
        }
    }
}
