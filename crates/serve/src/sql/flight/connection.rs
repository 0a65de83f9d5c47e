//! Connections as they come in: over TLS, or in clear from this machine alone.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::Stream;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::Sleep;
use tokio_rustls::TlsAcceptor;
use tonic::transport::server::Connected;

use crate::access::who::{Door, Origin};

/// Connections at a time.
const CONNECTIONS: usize = 1_024;
/// How long a connection may stay without a log-in.
const UNKNOWN: Duration = Duration::from_secs(20);
/// How long a handshake of TLS may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// First byte of a handshake of TLS.
const TLS: u8 = 0x16;
/// The protocol of gRPC, as TLS calls it.
const HTTP2: &[u8] = b"h2";

/// The other end of a connection.
#[derive(Debug, Clone)]
pub(super) struct Peer {
    pub(super) origin: Origin,
    /// No other connection has it.
    pub(super) number: u64,
    is_known: Arc<AtomicBool>,
}

impl Peer {
    /// Somebody has logged in: the connection may stay.
    pub(super) fn known(&self) {
        self.is_known.store(true, Ordering::Relaxed);
    }
}

/// A connection.
pub(super) struct Connection {
    inside: Inside,
    peer: Peer,
    /// When it ends unless somebody has logged in by then.
    unknown: Option<Pin<Box<Sleep>>>,
    _permit: OwnedSemaphorePermit,
}

enum Inside {
    Clear(TcpStream),
    Tls(Box<tokio_rustls::server::TlsStream<TcpStream>>),
}

impl Connected for Connection {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Peer {
        self.peer.clone()
    }
}

/// The connections that come in at a listener, which is closed once the stream is dropped.
pub(super) fn incoming(
    listener: TcpListener,
    tls: Option<&ServerConfig>,
) -> impl Stream<Item = io::Result<Connection>> {
    let tls = tls.map(|config| {
        let mut config = config.clone();
        config.alpn_protocols = vec![HTTP2.to_vec()];
        TlsAcceptor::from(Arc::new(config))
    });
    let (send, mut connections) = mpsc::channel(16);
    tokio::spawn(accept(listener, tls, send));
    futures::stream::poll_fn(move |context| connections.poll_recv(context).map(|one| one.map(Ok)))
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, send: mpsc::Sender<Connection>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let count = AtomicU64::new(0);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = send.closed() => return,
        };
        let Ok((socket, address)) = accepted else {
            // Too many files are open, most likely: some will be closed.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        // Those who come in vain are not told why: each answer would take what there is too
        // little of.
        let Ok(permit) = places.clone().try_acquire_owned() else {
            continue;
        };
        let number = count.fetch_add(1, Ordering::Relaxed);
        let (tls, send) = (tls.clone(), send.clone());
        tokio::spawn(async move {
            let begun = tokio::time::timeout(HANDSHAKE, begin(socket, address, tls));
            if let Ok(Some((inside, is_tls))) = begun.await {
                let connection = Connection::new(inside, address, is_tls, number, permit);
                // The door may have been closed meanwhile.
                let _ = send.send(connection).await;
            }
        });
    }
}

/// Begins TLS where the client does; what is in clear is for this machine alone.
async fn begin(
    socket: TcpStream,
    address: SocketAddr,
    tls: Option<TlsAcceptor>,
) -> Option<(Inside, bool)> {
    // Small answers are not to wait for more.
    let _ = socket.set_nodelay(true);
    let mut first = [0];
    if socket.peek(&mut first).await.ok()? == 0 {
        return None;
    }
    if first == [TLS] {
        let stream = tls?.accept(socket).await.ok()?;
        return Some((Inside::Tls(Box::new(stream)), true));
    }
    let is_local = address.ip().to_canonical().is_loopback();
    is_local.then_some((Inside::Clear(socket), false))
}

impl Connection {
    fn new(
        inside: Inside,
        address: SocketAddr,
        is_tls: bool,
        number: u64,
        permit: OwnedSemaphorePermit,
    ) -> Self {
        let origin = Origin {
            door: Door::Flight,
            address: Some(address.ip()),
            is_tls,
        };
        Self {
            inside,
            peer: Peer {
                origin,
                number,
                is_known: Arc::default(),
            },
            unknown: Some(Box::pin(tokio::time::sleep(UNKNOWN))),
            _permit: permit,
        }
    }

    /// Ready with an error once it has been open for too long without a log-in.
    fn check(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        let Some(unknown) = &mut self.unknown else {
            return Ok(());
        };
        if self.peer.is_known.load(Ordering::Relaxed) {
            self.unknown = None;
            return Ok(());
        }
        match unknown.as_mut().poll(context) {
            Poll::Ready(()) => Err(io::ErrorKind::TimedOut.into()),
            Poll::Pending => Ok(()),
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check(context)?;
        match &mut self.inside {
            Inside::Clear(stream) => Pin::new(stream).poll_read(context, buffer),
            Inside::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.inside {
            Inside::Clear(stream) => Pin::new(stream).poll_write(context, bytes),
            Inside::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.inside {
            Inside::Clear(stream) => Pin::new(stream).poll_flush(context),
            Inside::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.inside {
            Inside::Clear(stream) => Pin::new(stream).poll_shutdown(context),
            Inside::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
