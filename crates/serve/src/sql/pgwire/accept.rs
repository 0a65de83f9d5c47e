//! Connections are taken, a bounded number of them.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use datafusion_postgres::pgwire::api::ConnectionManager;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::{AbortHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use super::start;
use crate::doors::Doors;

/// Connections of people and programs that are logged in.
const CONNECTIONS: usize = 500;
/// Connections that have not logged in yet. One more, and the one that has taken longest ends.
const STRANGERS: usize = 100;
/// How long connections may take to end once the door closes.
const GRACE: Duration = Duration::from_secs(5);

/// The protocol that a client must name that asks for TLS straight away.
pub(super) const ALPN: &[u8] = b"postgresql";

/// What all connections share.
pub(super) struct House {
    pub(super) doors: Doors,
    /// What connections are encrypted with.
    pub(super) acceptor: Option<TlsAcceptor>,
    pub(super) connections: Arc<ConnectionManager>,
    pub(super) places: Arc<Semaphore>,
    pub(super) strangers: Strangers,
    /// True once the door closes.
    pub(super) closing: watch::Receiver<bool>,
}

/// Answers clients of PostgreSQL until `stop` is done, and gives open connections a short time
/// then.
///
/// # Errors
/// The listener is broken.
pub async fn serve(
    doors: Doors,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let (close, closing) = watch::channel(false);
    let acceptor = doors.tls.as_ref().map(|tls| {
        let mut config = tls.server.as_ref().clone();
        config.alpn_protocols = vec![ALPN.to_vec()];
        TlsAcceptor::from(Arc::new(config))
    });
    let house = Arc::new(House {
        doors,
        acceptor,
        connections: Arc::new(ConnectionManager::new()),
        places: Arc::new(Semaphore::new(CONNECTIONS)),
        strangers: Strangers::default(),
        closing,
    });
    let mut open = JoinSet::new();
    tokio::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            taken = listener.accept() => match taken {
                Ok((socket, _)) => take(&house, socket, &mut open),
                // The client may have gone, or files are short for a moment.
                Err(error) => {
                    log::warn!("a connection on the Postgres wire was not taken: {error}");
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            },
            Some(ended) = open.join_next() => {
                if let Err(error) = ended && error.is_panic() {
                    log::error!("a connection on the Postgres wire ended by a fault");
                }
            }
        }
    }
    drop(listener);
    close.send_replace(true);
    let ended = async { while open.join_next().await.is_some() {} };
    // Those that are left are aborted as the set is dropped.
    let _ = tokio::time::timeout(GRACE, ended).await;
    Ok(())
}

fn take(house: &Arc<House>, socket: TcpStream, open: &mut JoinSet<()>) {
    let begun = house.clone();
    let number = house.strangers.number();
    let task = open.spawn(async move { start::begin(begun, socket, number).await });
    house.strangers.add(number, task);
}

/// The connections that have not logged in.
#[derive(Default)]
pub(super) struct Strangers(Mutex<(u64, VecDeque<(u64, AbortHandle)>)>);

impl Strangers {
    fn all(&self) -> std::sync::MutexGuard<'_, (u64, VecDeque<(u64, AbortHandle)>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn number(&self) -> u64 {
        let mut all = self.all();
        all.0 += 1;
        all.0
    }

    fn add(&self, number: u64, task: AbortHandle) {
        let mut all = self.all();
        all.1.retain(|(_, task)| !task.is_finished());
        all.1.push_back((number, task));
        if all.1.len() > STRANGERS
            && let Some((_, oldest)) = all.1.pop_front()
        {
            oldest.abort();
        }
    }

    /// It has logged in.
    pub(super) fn remove(&self, number: u64) {
        self.all().1.retain(|(other, _)| *other != number);
    }
}
