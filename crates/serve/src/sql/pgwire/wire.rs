//! The bytes of one connection: whole messages in, whole messages out.
//!
//! A message is cut out of the stream before anything looks into it, and no more of it is kept
//! than its phase allows. What the library reads from it cannot reach the next one, and a message
//! that it stumbles over is an error of that message.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf as _, BufMut as _, BytesMut};
use datafusion_postgres::pgwire::api::{
    ClientInfo, DefaultClient, PgWireConnectionState, SessionExtensions,
};
use datafusion_postgres::pgwire::messages::response::TransactionStatus;
use datafusion_postgres::pgwire::messages::startup::SecretKey;
use datafusion_postgres::pgwire::messages::{
    DecodeContext, PgWireBackendMessage, PgWireFrontendMessage, ProtocolVersion,
};
use futures::Sink;
use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::error::PgError;

/// Bytes of a message before log-in.
pub(super) const STARTUP_BYTES_MAX: usize = 10_000;
/// Bytes of a message afterwards: a statement with its parameters.
pub(super) const MESSAGE_BYTES_MAX: usize = 16 << 20;
/// Bytes that are gathered before they are sent.
const GATHERED_BYTES: usize = 64 << 10;
/// How long a client may take to read what it asked for.
const WRITE_TIME: Duration = Duration::from_secs(300);

/// A stream of bytes, in the clear or not.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Sync + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Stream for T {}

/// One connection.
pub(super) struct Wire {
    stream: Box<dyn Stream>,
    read: BytesMut,
    out: BytesMut,
    /// Where the last whole message ends that waits to be sent.
    whole: usize,
    info: DefaultClient<()>,
}

/// What reading a message came to.
#[derive(Debug)]
pub(super) enum Read {
    Message(PgWireFrontendMessage),
    /// A message that cannot be understood. The next one can.
    Garbled(PgError),
    /// The client has gone, or what it sends are no messages.
    End(Option<PgError>),
}

impl Wire {
    pub(super) fn new(stream: Box<dyn Stream>, address: SocketAddr, is_tls: bool) -> Self {
        let mut info = DefaultClient::new(address, is_tls);
        info.set_state(PgWireConnectionState::AwaitingStartup);
        Self {
            stream,
            read: BytesMut::new(),
            out: BytesMut::new(),
            whole: 0,
            info,
        }
    }

    /// Bytes that were read before it was known what they begin.
    pub(super) fn unread(&mut self, bytes: &[u8]) {
        self.read.extend_from_slice(bytes);
    }

    /// The next message.
    ///
    /// # Errors
    /// The connection is broken.
    pub(super) async fn next(&mut self, most: usize) -> io::Result<Read> {
        let has_kind = !matches!(self.info.state, PgWireConnectionState::AwaitingStartup);
        let offset = usize::from(has_kind);
        loop {
            if let Some(length) = self.length(offset) {
                if length < 4 || length > most {
                    let error = PgError::fatal("08P01", "invalid message length");
                    return Ok(Read::End(Some(error)));
                }
                if self.read.len() >= length + offset {
                    let mut message = self.read.split_to(length + offset);
                    return Ok(self.decode(&mut message));
                }
                self.read.reserve(length + offset - self.read.len());
            }
            if self.stream.read_buf(&mut self.read).await? == 0 {
                return Ok(Read::End(None));
            }
        }
    }

    fn length(&self, offset: usize) -> Option<usize> {
        let mut four = self.read.get(offset..offset + 4)?;
        usize::try_from(four.get_i32()).ok().or(Some(0))
    }

    fn decode(&self, message: &mut BytesMut) -> Read {
        let mut context = DecodeContext::new(self.info.protocol_version);
        context.awaiting_frontend_ssl = false;
        context.awaiting_frontend_startup =
            matches!(self.info.state, PgWireConnectionState::AwaitingStartup);
        let decoded = catch_unwind(AssertUnwindSafe(|| {
            PgWireFrontendMessage::decode(message, &context)
        }));
        match decoded {
            Ok(Ok(Some(message))) => Read::Message(message),
            Ok(Err(error)) if context.awaiting_frontend_startup => {
                Read::End(Some(PgError::fatal("08P01", error.to_string())))
            }
            Ok(Err(error)) => Read::Garbled(PgError::protocol(error.to_string())),
            Ok(Ok(None)) | Err(_) => Read::Garbled(PgError::protocol("the message is garbled")),
        }
    }

    /// A message, to be sent with those after it.
    ///
    /// # Errors
    /// It cannot be written down.
    pub(super) fn put(&mut self, message: &PgWireBackendMessage) -> io::Result<()> {
        self.out.truncate(self.whole);
        message.encode(&mut self.out)?;
        self.whole = self.out.len();
        Ok(())
    }

    /// A message of this kind, written by hand.
    pub(super) fn put_raw<E>(
        &mut self,
        kind: u8,
        body: impl FnOnce(&mut BytesMut) -> Result<(), E>,
    ) -> Result<(), E> {
        self.out.truncate(self.whole);
        self.out.put_u8(kind);
        let start = self.out.len();
        self.out.put_i32(0);
        body(&mut self.out)?;
        let length = i32::try_from(self.out.len() - start).unwrap_or(i32::MAX);
        if let Some(place) = self.out.get_mut(start..start + 4) {
            place.copy_from_slice(&length.to_be_bytes());
        }
        self.whole = self.out.len();
        Ok(())
    }

    /// Sends what waits, if it is much.
    pub(super) async fn flush_much(&mut self) -> io::Result<()> {
        match self.whole >= GATHERED_BYTES {
            true => self.flush_all().await,
            false => Ok(()),
        }
    }

    /// Sends what waits.
    pub(super) async fn flush_all(&mut self) -> io::Result<()> {
        // A message that something stumbled over while it was written is not sent.
        self.out.truncate(self.whole);
        self.whole = 0;
        let send = async {
            while self.out.has_remaining() {
                if self.stream.write_buf(&mut self.out).await? == 0 {
                    return Err(io::ErrorKind::WriteZero.into());
                }
            }
            self.stream.flush().await
        };
        match tokio::time::timeout(WRITE_TIME, send).await {
            Ok(done) => done,
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }

    /// Says the last word.
    pub(super) async fn close(&mut self, last: Option<PgError>) {
        if let Some(error) = last {
            let message = PgWireBackendMessage::ErrorResponse(error.response());
            if self.put(&message).is_err() {
                return;
            }
        }
        // Nobody may be there to read it.
        let _ = self.flush_all().await;
        let _ = tokio::time::timeout(Duration::from_secs(5), self.stream.shutdown()).await;
    }
}

impl Sink<PgWireBackendMessage> for Wire {
    type Error = io::Error;

    fn poll_ready(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.whole >= GATHERED_BYTES {
            true => self.as_mut().poll_flush(context),
            false => Poll::Ready(Ok(())),
        }
    }

    fn start_send(mut self: Pin<&mut Self>, message: PgWireBackendMessage) -> io::Result<()> {
        self.put(&message)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.out.truncate(this.whole);
        while this.out.has_remaining() {
            let sent = ready!(Pin::new(&mut this.stream).poll_write(context, &this.out))?;
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            this.out.advance(sent);
            this.whole = this.out.len();
        }
        Pin::new(&mut this.stream).poll_flush(context)
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.as_mut().poll_flush(context))?;
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

impl ClientInfo for Wire {
    fn socket_addr(&self) -> SocketAddr {
        self.info.socket_addr
    }

    fn is_secure(&self) -> bool {
        self.info.is_secure
    }

    fn protocol_version(&self) -> ProtocolVersion {
        self.info.protocol_version
    }

    fn set_protocol_version(&mut self, version: ProtocolVersion) {
        self.info.set_protocol_version(version);
    }

    fn pid_and_secret_key(&self) -> (i32, SecretKey) {
        self.info.pid_and_secret_key()
    }

    fn set_pid_and_secret_key(&mut self, pid: i32, secret_key: SecretKey) {
        self.info.set_pid_and_secret_key(pid, secret_key);
    }

    fn state(&self) -> PgWireConnectionState {
        self.info.state
    }

    fn set_state(&mut self, new_state: PgWireConnectionState) {
        self.info.set_state(new_state);
    }

    fn transaction_status(&self) -> TransactionStatus {
        self.info.transaction_status
    }

    fn set_transaction_status(&mut self, new_status: TransactionStatus) {
        self.info.set_transaction_status(new_status);
    }

    fn metadata(&self) -> &HashMap<String, String> {
        self.info.metadata()
    }

    fn metadata_mut(&mut self) -> &mut HashMap<String, String> {
        self.info.metadata_mut()
    }

    fn session_extensions(&self) -> &SessionExtensions {
        self.info.session_extensions()
    }

    fn sni_server_name(&self) -> Option<&str> {
        None
    }

    fn client_certificates<'a>(&self) -> Option<&[CertificateDer<'a>]> {
        None
    }
}
