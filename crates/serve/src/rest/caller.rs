//! Who asks: a token, a name with a password, or the cookie of a page.

use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::net::SocketAddr;

use super::app::App;
use super::problem::Problem;
use crate::access::who::{Actor, Door, LoginError, Origin, Secret};
use crate::access::{Principal, Session};

/// What a page repeats with every change.
pub(super) const CSRF: &str = "x-throughline-csrf";
/// The cookie of a session over TLS, and within this machine.
const COOKIES: [&str; 2] = ["__Host-throughline", "throughline"];

/// The other end of a connection.
#[derive(Debug, Clone, Copy)]
pub struct Peer {
    /// Its address.
    pub address: SocketAddr,
    /// The connection is encrypted.
    pub is_tls: bool,
}

/// From where a request comes. Whose connection is not known comes from nowhere, in clear: nobody
/// can log in there.
pub(super) fn origin(extensions: &Extensions) -> Origin {
    let of_door = extensions.get::<ConnectInfo<Peer>>().map(|known| known.0);
    let of_axum = extensions
        .get::<ConnectInfo<SocketAddr>>()
        .map(|known| Peer {
            address: known.0,
            is_tls: false,
        });
    let peer = of_door.or(of_axum);
    Origin {
        door: Door::Rest,
        address: peer.map(|peer| peer.address.ip()),
        is_tls: peer.is_some_and(|peer| peer.is_tls),
    }
}

/// By what somebody is recognised.
#[derive(Debug, Clone)]
pub(super) enum By {
    /// A service token.
    Token,
    /// Name and password with this request.
    Password,
    /// The cookie of a page; with what its changes have to repeat.
    Page(Arc<Secret>),
}

/// Whoever was recognised.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    pub(super) principal: Principal,
    pub(super) is_admin: bool,
    pub(super) by: By,
    pub(super) origin: Origin,
}

impl Caller {
    /// Recognises whoever sent a request.
    ///
    /// # Errors
    /// Nobody is said, or wrongly: 401; too often: 429.
    pub(super) async fn of(
        app: &App,
        headers: &HeaderMap,
        origin: Origin,
    ) -> Result<Self, Problem> {
        let who = &app.doors.who;
        let (principal, by) = match said(headers)? {
            Said::Token(token) => {
                let principal = who.by_token(&token, origin).await.map_err(refused)?;
                (principal, By::Token)
            }
            Said::Password(name, password) => {
                let principal = who.by_clear_text(&name, &password, origin).await;
                (principal.map_err(refused)?, By::Password)
            }
            Said::Cookie(cookie) => match who.by_session(&cookie).await? {
                Some((principal, session)) => {
                    let csrf = Arc::new(session.csrf().clone());
                    (principal, By::Page(csrf))
                }
                None => return Err(nobody("the page's session has ended")),
            },
            Said::Nothing => return Err(nobody("this needs a log-in")),
        };
        let is_admin = app.doors.gate.rights(principal.clone()).is_admin;
        Ok(Self {
            principal,
            is_admin,
            by,
            origin,
        })
    }

    /// Refuses a change that a page did not mean: another site's, sent with the cookie of ours.
    ///
    /// # Errors
    /// What the page has to repeat is missing or wrong.
    pub(super) fn means_it(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let By::Page(csrf) = &self.by else {
            return Ok(());
        };
        let sent = headers.get(CSRF).and_then(|value| value.to_str().ok());
        match sent.is_some_and(|sent| csrf.is(sent)) {
            true => Ok(()),
            false => Err(Problem::forbidden(
                "a change with a cookie needs the page's secret in `X-Throughline-CSRF`",
            )
            .hint("GET /api/v1/session gives it as `csrf`")),
        }
    }

    /// The session in which its statements run.
    ///
    /// # Errors
    /// Nothing is known of the time.
    pub(super) async fn session(&self, app: &App, as_of: Option<&str>) -> Result<Session, Problem> {
        let principal = self.principal.clone();
        let session = app.doors.session(principal, self.origin, as_of).await;
        session.map_err(|error| match error.reason {
            // What is invalid about opening a session is the time.
            crate::access::Reason::Invalid | crate::access::Reason::Unsupported => {
                let problem = Problem::missing(error.message);
                match error.hint {
                    Some(hint) => problem.hint(hint),
                    None => problem,
                }
            }
            _ => error.into(),
        })
    }

    /// As whom it changes something.
    pub(super) fn actor(&self) -> Actor {
        Actor {
            name: self.principal.name.clone(),
            origin: self.origin,
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        // Put there by the guard; where it is not, nobody was recognised.
        let caller = parts.extensions.get::<Self>().cloned();
        caller.ok_or_else(|| nobody("this needs a log-in"))
    }
}

/// A request is refused alike however often it is tried: it says when trying helps again.
fn refused(error: LoginError) -> Problem {
    match error {
        LoginError::Slowed(slowed) => {
            let seconds = slowed.after.num_seconds() + 1;
            Problem::from(LoginError::Refused).after(seconds)
        }
        other => other.into(),
    }
}

fn nobody(detail: &str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, detail)
        .hint("send a token as `Authorization: Bearer …`; `throughline token create` makes one")
}

/// What a request says of who sent it.
enum Said {
    Token(Secret),
    Password(String, Secret),
    Cookie(Secret),
    Nothing,
}

fn said(headers: &HeaderMap) -> Result<Said, Problem> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let text = value.to_str().unwrap_or_default();
        let (scheme, rest) = text.split_once(' ').unwrap_or((text, ""));
        let rest = rest.trim();
        return match scheme.to_ascii_lowercase().as_str() {
            "bearer" if !rest.is_empty() => Ok(Said::Token(Secret::new(rest))),
            "basic" => basic(rest),
            _ => Err(nobody("`Authorization` is neither Bearer nor Basic")),
        };
    }
    Ok(match cookie(headers, &COOKIES) {
        Some(cookie) => Said::Cookie(cookie),
        None => Said::Nothing,
    })
}

fn basic(text: &str) -> Result<Said, Problem> {
    let bytes = STANDARD.decode(text).ok();
    let decoded = bytes
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .map(Secret::new);
    let pair = decoded
        .as_ref()
        .and_then(|text| text.expose().split_once(':'));
    let (name, password) = pair.ok_or_else(|| nobody("`Authorization: Basic` cannot be read"))?;
    Ok(Said::Password(name.to_owned(), Secret::new(password)))
}

/// A cookie of one of these names.
pub(super) fn cookie(headers: &HeaderMap, names: &[&str]) -> Option<Secret> {
    let all = headers.get_all(header::COOKIE).iter();
    let pairs = all
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .collect::<Vec<_>>();
    let found = names
        .iter()
        .find_map(|name| pairs.iter().find(|(known, _)| known == name));
    found.map(|(_, value)| Secret::new(*value))
}

/// The cookie that a request came with, if any.
pub(super) fn page_cookie(headers: &HeaderMap) -> Option<Secret> {
    cookie(headers, &COOKIES)
}

/// `Set-Cookie` of a page's session: for so many seconds, or to be forgotten.
pub(super) fn set_cookie(value: &str, seconds: i64, origin: Origin) -> String {
    let rest = format!("; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict");
    match origin.is_tls {
        true => format!("{}={value}{rest}; Secure", COOKIES[0]),
        false => format!("{}={value}{rest}", COOKIES[1]),
    }
}
