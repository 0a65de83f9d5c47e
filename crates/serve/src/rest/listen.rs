//! Connections: encrypted where there is a certificate, within limits, ended when told to.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Bytes, HttpBody};
use axum::extract::ConnectInfo;
use axum::http::Request;
use axum::{BoxError, Router};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tower::Service;

use super::app::Settings;
use super::caller::Peer;
use crate::doors::Doors;

/// A client has so long for its TLS handshake, and for the head of each request.
const HEAD_TIME: Duration = Duration::from_secs(15);
/// Longest head of a request, in bytes.
const HEAD_BYTES: usize = 32 << 10;
/// Streams that one connection of HTTP/2 may have at a time.
const STREAMS: u32 = 64;
/// After an error of the listener (no more files may be open) it is asked again so late.
const PAUSE: Duration = Duration::from_millis(100);

/// Answers connections until `stop` is done.
pub(super) async fn listen(
    router: Router,
    doors: Doors,
    settings: Settings,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    let tls = doors.tls.as_ref().map(|tls| {
        let mut config = tls.server.as_ref().clone();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        TlsAcceptor::from(Arc::new(config))
    });
    let (closing, closed) = watch::channel(false);
    let places = Arc::new(Semaphore::new(settings.connections));
    let mut open = JoinSet::new();
    let mut stop = pin!(stop);
    loop {
        let accepted = tokio::select! {
            () = &mut stop => break,
            // Those that have ended are forgotten.
            Some(_) = open.join_next() => continue,
            accepted = accept(&listener, &places) => accepted,
        };
        let Some((stream, address, place)) = accepted else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let (router, tls, closed) = (router.clone(), tls.clone(), closed.clone());
        open.spawn(async move {
            let _place = place;
            answer(router, tls, stream, address, closed).await;
        });
    }
    drop(listener);
    let _ = closing.send(true);
    let all = async { while open.join_next().await.is_some() {} };
    if tokio::time::timeout(settings.grace, all).await.is_err() {
        log::warn!("connections of the rest door were cut");
        open.shutdown().await;
    }
    Ok(())
}

/// The next connection, once there is a place for it; none if there was an error.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit)> {
    let place = places.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, address)) => Some((stream, address, place)),
        Err(error) => {
            log::warn!("a connection to the rest door failed: {error}");
            None
        }
    }
}

async fn answer(
    router: Router,
    tls: Option<TlsAcceptor>,
    stream: TcpStream,
    address: SocketAddr,
    closed: watch::Receiver<bool>,
) {
    // Answers are not held back to be sent together.
    let _ = stream.set_nodelay(true);
    let Some(tls) = tls else {
        return connection(
            router,
            stream,
            Peer {
                address,
                is_tls: false,
            },
            closed,
        )
        .await;
    };
    match tokio::time::timeout(HEAD_TIME, tls.accept(stream)).await {
        Ok(Ok(stream)) => {
            connection(
                router,
                stream,
                Peer {
                    address,
                    is_tls: true,
                },
                closed,
            )
            .await
        }
        Ok(Err(error)) => log::debug!("a TLS handshake with {address} failed: {error}"),
        Err(_) => log::debug!("a TLS handshake with {address} took too long"),
    }
}

async fn connection<S>(router: Router, stream: S, peer: Peer, mut closed: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = Known { router, peer };
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(HEAD_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(HEAD_BYTES as u32)
        .keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(HEAD_TIME);
    let service = TowerToHyperService::new(service);
    let told = async {
        // An error means that nobody is there any more who could say it.
        let _ = closed.wait_for(|is_closed| *is_closed).await;
    };
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = told => {
            connection.as_mut().graceful_shutdown();
            connection.as_mut().await
        }
    };
    if let Err(error) = ended {
        log::debug!("a connection of {} ended: {error}", peer.address);
    }
}

/// The router, told who is at the other end.
#[derive(Clone)]
struct Known {
    router: Router,
    peer: Peer,
}

impl<B> Service<Request<B>> for Known
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = <Router as Service<Request<B>>>::Response;
    type Error = <Router as Service<Request<B>>>::Error;
    type Future = <Router as Service<Request<B>>>::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        <Router as Service<Request<B>>>::poll_ready(&mut self.router, context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        request.extensions_mut().insert(ConnectInfo(self.peer));
        self.router.call(request)
    }
}
