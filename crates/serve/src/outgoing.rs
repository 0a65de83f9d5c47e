//! Every request that this program sends to an address somebody gave it goes through here.
//!
//! An address is a text that leads where its author wants: to this machine, to the network around
//! it, to the cloud's metadata service. So: the URL is parsed once, the name is looked up once, all
//! its addresses must be public, and the connection goes to exactly those. A redirect is a new URL
//! and is treated so. What lies in a private network is reached only if the project names its host.

mod address;

use std::collections::BTreeSet;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, COOKIE, HeaderMap, LOCATION};
use reqwest::{Method, StatusCode};
use url::{Host, Url};

pub use address::{is_never, is_public};

/// Most redirects that are followed.
const REDIRECTS_MAX: usize = 5;
/// Longest time that a request takes, with its redirects.
const TIME_MAX: Duration = Duration::from_secs(15);
/// Most bytes of an answer.
const BYTES_MAX: usize = 1 << 20;

/// Why a request is not sent, or has no answer.
#[derive(Debug, thiserror::Error)]
pub enum OutgoingError {
    /// It leads where it must not.
    #[error("the address `{url}` is refused: {why}")]
    Refused {
        /// The address, without log-in and query.
        url: String,
        /// Why.
        why: &'static str,
    },
    /// The name is not known.
    #[error("`{0}` is not found")]
    NotFound(String),
    /// No answer came.
    #[error("no answer from `{url}`: {why}")]
    NoAnswer {
        /// The address, without log-in and query.
        url: String,
        /// What the connection says.
        why: String,
    },
    /// The answer is too long.
    #[error("the answer of `{0}` is longer than 1 MiB")]
    TooLong(String),
}

/// Addresses of a name.
pub type Addresses<'a> = Pin<Box<dyn Future<Output = std::io::Result<Vec<IpAddr>>> + Send + 'a>>;

/// Finds the addresses of a name.
pub trait Resolve: Send + Sync {
    /// All addresses of `host`.
    fn resolve<'a>(&'a self, host: &'a str) -> Addresses<'a>;
}

/// Asks the machine.
#[derive(Debug, Clone, Copy, Default)]
struct Machine;

impl Resolve for Machine {
    fn resolve<'a>(&'a self, host: &'a str) -> Addresses<'a> {
        Box::pin(async move {
            let found = tokio::net::lookup_host((host, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// A request.
#[derive(Debug, Clone)]
pub struct Request {
    /// How.
    pub method: Method,
    /// Where to.
    pub url: String,
    /// Fields of its head.
    pub headers: HeaderMap,
    /// What is sent.
    pub body: Vec<u8>,
}

impl Request {
    /// Fetches.
    pub fn get(url: &str) -> Self {
        Self {
            method: Method::GET,
            url: url.to_owned(),
            headers: HeaderMap::new(),
            body: Vec::new(),
        }
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Fields of its head.
    pub headers: HeaderMap,
    /// What was sent.
    pub body: Vec<u8>,
}

/// Sends requests to public addresses, and to hosts that the project names.
#[derive(Clone)]
pub struct Outgoing {
    private_hosts: BTreeSet<String>,
    resolver: Arc<dyn Resolve>,
}

impl std::fmt::Debug for Outgoing {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let hosts = &self.private_hosts;
        formatter
            .debug_struct("Outgoing")
            .field("private_hosts", hosts)
            .finish_non_exhaustive()
    }
}

impl Default for Outgoing {
    fn default() -> Self {
        Self::new([])
    }
}

/// A URL whose host has been looked up and found good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pinned {
    /// The URL.
    pub url: Url,
    /// The only addresses to connect to.
    pub addresses: Vec<SocketAddr>,
}

impl Outgoing {
    /// These hosts, as a URL names them (`idp.internal`, `127.0.0.1`), may lie in a private network
    /// and speak plain HTTP.
    pub fn new(private_hosts: impl IntoIterator<Item = String>) -> Self {
        let private_hosts = private_hosts
            .into_iter()
            .map(|host| host.to_ascii_lowercase());
        Self {
            private_hosts: private_hosts.collect(),
            resolver: Arc::new(Machine),
        }
    }

    /// With another way to find addresses.
    #[must_use]
    pub fn with_resolver(mut self, resolver: Arc<dyn Resolve>) -> Self {
        self.resolver = resolver;
        self
    }

    /// Looks a URL up and checks where it leads.
    ///
    /// # Errors
    /// It is none, is not to be followed, or leads where it must not.
    pub async fn pin(&self, url: &str) -> Result<Pinned, OutgoingError> {
        let parsed = Url::parse(url).map_err(|_| refused(None, "it is no URL"))?;
        let no = |why| refused(Some(&parsed), why);
        let Some(host) = parsed.host() else {
            return Err(no("it names no host"));
        };
        // As the parser writes it: octal, hexadecimal and short forms of IPv4 and other dots than
        // the full stop are gone.
        let name = host.to_string().to_ascii_lowercase();
        let name = name.trim_end_matches('.');
        let is_named = self.private_hosts.contains(name)
            || self.private_hosts.contains(name.trim_matches(['[', ']']));
        match parsed.scheme() {
            "https" => {}
            "http" if is_named => {}
            "http" => return Err(no("it is not encrypted")),
            _ => return Err(no("it is no https URL")),
        }
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return Err(no("it holds a log-in"));
        }
        let port = parsed.port_or_known_default().unwrap_or_default();
        if port == 0 {
            return Err(no("it names no port"));
        }
        let addresses = match host {
            Host::Ipv4(address) => vec![IpAddr::V4(address)],
            Host::Ipv6(address) => vec![IpAddr::V6(address)],
            Host::Domain(_) => {
                let found = self.resolver.resolve(name).await;
                found.map_err(|_| OutgoingError::NotFound(name.to_owned()))?
            }
        };
        if addresses.is_empty() {
            return Err(OutgoingError::NotFound(name.to_owned()));
        }
        // All of them: of a mixture, the connection would try the bad one too.
        if addresses.iter().any(|address| is_never(*address)) {
            return Err(no("it leads to an address that no service has"));
        }
        if !is_named && !addresses.iter().all(|address| is_public(*address)) {
            return Err(no("it leads into a private network"));
        }
        let addresses = addresses
            .into_iter()
            .map(|address| SocketAddr::new(address, port));
        Ok(Pinned {
            addresses: addresses.collect(),
            url: parsed,
        })
    }

    /// Sends a request. Redirects are followed where nothing is changed by the request (`GET`), to
    /// where the first URL might have led too; what proves who we are stays behind when the host
    /// changes.
    ///
    /// # Errors
    /// It leads where it must not, or has no answer.
    pub async fn send(&self, request: Request) -> Result<Answer, OutgoingError> {
        let shown = Url::parse(&request.url).ok();
        match tokio::time::timeout(TIME_MAX, self.follow(request)).await {
            Ok(answer) => answer,
            Err(_) => Err(no_answer(shown.as_ref(), "it took too long".to_owned())),
        }
    }

    async fn follow(&self, mut request: Request) -> Result<Answer, OutgoingError> {
        for _ in 0..=REDIRECTS_MAX {
            let pinned = self.pin(&request.url).await?;
            let answer = once(&request, &pinned).await?;
            let to = answer.headers.get(LOCATION);
            let to = to.and_then(|to| to.to_str().ok());
            let is_followed = answer.status.is_redirection() && request.method == Method::GET;
            let Some(to) = to.filter(|_| is_followed) else {
                return Ok(answer);
            };
            let next = pinned.url.join(to);
            let next = next.map_err(|_| refused(Some(&pinned.url), "its redirect is no URL"))?;
            if next.scheme() == "http" && pinned.url.scheme() == "https" {
                return Err(refused(Some(&next), "it is not encrypted"));
            }
            if next.origin() != pinned.url.origin() {
                request.headers.remove(AUTHORIZATION);
                request.headers.remove(COOKIE);
            }
            request.url = next.into();
        }
        Err(refused(
            Url::parse(&request.url).ok().as_ref(),
            "there are too many redirects",
        ))
    }
}

/// One request to pinned addresses.
async fn once(request: &Request, pinned: &Pinned) -> Result<Answer, OutgoingError> {
    let failed = |error: reqwest::Error| {
        // Without the URL: its query may hold a secret.
        no_answer(Some(&pinned.url), error.without_url().to_string())
    };
    let host = pinned.url.host_str().unwrap_or_default();
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .resolve_to_addrs(host, &pinned.addresses)
        .connect_timeout(Duration::from_secs(5))
        .build()
        .map_err(failed)?;
    let mut answer = client
        .request(request.method.clone(), pinned.url.clone())
        .headers(request.headers.clone())
        .body(request.body.clone())
        .send()
        .await
        .map_err(failed)?;
    let mut body = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(failed)? {
        if body.len() + piece.len() > BYTES_MAX {
            return Err(OutgoingError::TooLong(host.to_owned()));
        }
        body.extend_from_slice(&piece);
    }
    Ok(Answer {
        status: answer.status(),
        headers: answer.headers().clone(),
        body,
    })
}

/// A URL as it may be shown: without log-in, query and fragment.
fn shown(url: Option<&Url>) -> String {
    let Some(url) = url else {
        return "?".to_owned();
    };
    let mut url = url.clone();
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    url.to_string()
}

fn refused(url: Option<&Url>, why: &'static str) -> OutgoingError {
    OutgoingError::Refused {
        url: shown(url),
        why,
    }
}

fn no_answer(url: Option<&Url>, why: String) -> OutgoingError {
    OutgoingError::NoAnswer {
        url: shown(url),
        why,
    }
}

#[cfg(test)]
mod tests;
