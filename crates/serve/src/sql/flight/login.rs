//! Log-ins: who a call is from, and what its client has set.
//!
//! A handshake with name and password begins a session of the user in [`Who`], of which only the
//! hash is kept there; the client gets a bearer of its own, of which only the hash is kept here. So
//! a log-in ends with its user, with the user's password, after a time without calls, and with this
//! process. Programs may send their service token with every call instead: then each connection is
//! a log-in. Whether a log-in still holds is looked up at every call.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::TimeDelta;
use tonic::Status;

use super::connection::Peer;
use super::{error, header};
use crate::access::who::{LoginError, Origin, Secret, WhoError, is_like_token};
use crate::access::{AccessError, Principal, PrincipalId, Session};
use crate::doors::Doors;

/// A log-in of a service token ends after so long without a call.
const IDLE: TimeDelta = TimeDelta::hours(12);
/// It ends after so long in any case.
const LONGEST: TimeDelta = TimeDelta::days(7);
/// Log-ins of one principal at a time; the one that was used longest ago gives way.
const OF_ONE: usize = 256;
/// Letters of a bearer: 256 random bits.
const LETTERS: usize = 43;
/// States of the past that one log-in has sessions for at a time.
const STATES: usize = 8;

/// What a log-in rests on.
enum Proof {
    /// A session of a user.
    Session(Secret),
    /// A service token, by its id.
    Token(String),
}

/// What a client has set for its log-in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Options {
    /// The state of the tables that it reads.
    pub(super) as_of: Option<String>,
    /// Settings of the gate's sessions.
    pub(super) settings: BTreeMap<String, String>,
}

/// One log-in.
pub(super) struct Login {
    /// No other log-in has it.
    pub(super) number: u64,
    proof: Proof,
    origin: Origin,
    begun: i64,
    used: AtomicI64,
    options: Mutex<Options>,
    sessions: Mutex<BTreeMap<String, Arc<Session>>>,
    owner: PrincipalId,
}

/// Who a call is from, after it was looked up.
pub(super) struct Caller {
    pub(super) login: Arc<Login>,
    pub(super) principal: Principal,
    /// The state of the tables that this call asks for.
    pub(super) as_of: Option<String>,
}

impl Caller {
    pub(super) fn id(&self) -> PrincipalId {
        self.principal.id()
    }

    /// The state of the tables that it reads; empty: the newest.
    pub(super) fn snapshot(&self) -> String {
        let set = || self.login.options().as_of.clone();
        self.as_of.clone().or_else(set).unwrap_or_default()
    }

    /// The session to run its statements in.
    ///
    /// # Errors
    /// There is no such state of the tables.
    pub(super) async fn session(&self, doors: &Doors) -> Result<Arc<Session>, AccessError> {
        let (snapshot, options) = (self.snapshot(), self.login.options().clone());
        let known = self.login.sessions().get(&snapshot).cloned();
        // A session stays closed once its principal was revoked, also if it comes back.
        if let Some(session) = known
            && let Ok(before) = session.principal()
        {
            if *before != self.principal {
                doors.gate.changed(self.principal.clone());
            }
            return Ok(session);
        }
        let session = self.login.open(doors, &self.principal, &snapshot, &options);
        let session = session.await?;
        let mut sessions = self.login.sessions();
        if sessions.len() >= STATES {
            sessions.clear();
        }
        sessions.insert(snapshot, session.clone());
        Ok(session)
    }
}

impl Login {
    /// A session about a state of the tables with these settings.
    ///
    /// # Errors
    /// There is no such state, or a setting is refused.
    pub(super) async fn open(
        &self,
        doors: &Doors,
        principal: &Principal,
        snapshot: &str,
        options: &Options,
    ) -> Result<Arc<Session>, AccessError> {
        let as_of = Some(snapshot).filter(|text| !text.is_empty());
        let session = doors.session(principal.clone(), self.origin, as_of).await?;
        for (name, value) in &options.settings {
            session.set(name, value)?;
        }
        Ok(Arc::new(session))
    }

    /// What its client has set.
    pub(super) fn options(&self) -> MutexGuard<'_, Options> {
        self.options.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets other options for the statements that come.
    pub(super) fn set_options(&self, options: Options) {
        *self.options() = options;
        self.sessions().clear();
    }

    fn sessions(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Session>>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How a log-in is known: the hash of a bearer, or that of a token on one connection.
type Known = ([u8; 32], Option<u64>);

/// All log-ins at this door.
pub(super) struct Logins {
    doors: Doors,
    count: AtomicU64,
    all: Mutex<HashMap<Known, Arc<Login>>>,
}

impl Logins {
    pub(super) fn new(doors: Doors) -> Self {
        Self {
            doors,
            count: AtomicU64::new(0),
            all: Mutex::default(),
        }
    }

    /// Logs in with a name and a password, or a token in its place; gives the bearer.
    ///
    /// # Errors
    /// They do not go together; too many attempts.
    pub(super) async fn by_name(
        &self,
        name: &str,
        secret: &Secret,
        peer: &Peer,
    ) -> Result<Secret, LoginError> {
        if is_like_token(secret) {
            return self.by_token(secret, peer).await;
        }
        let who = &self.doors.who;
        let (principal, session) = who.begin_session(name, secret, peer.origin).await?;
        peer.known();
        self.begin(&principal, Proof::Session(session.cookie), peer.origin)
    }

    /// Logs in with a service token; gives a bearer for it.
    ///
    /// # Errors
    /// The token is refused; too many attempts.
    pub(super) async fn by_token(&self, token: &Secret, peer: &Peer) -> Result<Secret, LoginError> {
        let principal = self.doors.who.by_token(token, peer.origin).await?;
        peer.known();
        self.begin(&principal, Proof::Token(token_id(token)), peer.origin)
    }

    fn begin(
        &self,
        principal: &Principal,
        proof: Proof,
        origin: Origin,
    ) -> Result<Secret, LoginError> {
        let bearer = Secret::random(LETTERS)?;
        self.keep((bearer.sha256(), None), principal, proof, origin);
        Ok(bearer)
    }

    /// Who a call is from, by what stands in its headers.
    ///
    /// # Errors
    /// Nobody, or nobody any more.
    pub(super) async fn caller(
        &self,
        headers: &tonic::codegen::http::HeaderMap,
        peer: &Peer,
    ) -> Result<Caller, Status> {
        let bearer = header::bearer(headers).ok_or_else(error::nobody)?;
        let login = match is_like_token(&bearer) {
            true => self.of_token(&bearer, peer).await,
            false => Ok(self.all().get(&(bearer.sha256(), None)).cloned()),
        };
        let login = login.map_err(|error| error::of_login(&error))?;
        let login = login.ok_or_else(error::nobody)?;
        let principal = self.again(&login).await;
        let Some(principal) = principal.map_err(|error| error::of_login(&error))? else {
            self.end(&login);
            return Err(error::nobody());
        };
        peer.known();
        Ok(Caller {
            login,
            principal,
            as_of: header::as_of(headers)?,
        })
    }

    /// The log-in of a token on a connection, begun with its first call.
    async fn of_token(
        &self,
        token: &Secret,
        peer: &Peer,
    ) -> Result<Option<Arc<Login>>, LoginError> {
        let known = (token.sha256(), Some(peer.number));
        if let Some(login) = self.all().get(&known).cloned() {
            return Ok(Some(login));
        }
        let principal = self.doors.who.by_token(token, peer.origin).await?;
        let proof = Proof::Token(token_id(token));
        Ok(Some(self.keep(known, &principal, proof, peer.origin)))
    }

    /// Whose log-in it is, as that stands now; none if it does not hold any more.
    async fn again(&self, login: &Login) -> Result<Option<Principal>, LoginError> {
        let now = self.now();
        let used = login.used.swap(now, Ordering::Relaxed);
        let who = &self.doors.who;
        let id = match &login.proof {
            Proof::Session(cookie) => {
                let found = who.by_session(cookie).await?;
                return Ok(found.map(|(principal, _)| principal));
            }
            Proof::Token(id) => id,
        };
        if now - used > micros(IDLE) || now - login.begun > micros(LONGEST) {
            return Ok(None);
        }
        let record = match who.store().token(id).await {
            Ok(record) => record,
            Err(WhoError::Missing { .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        // Another token may have its name by now.
        let door = login.origin.door.as_str();
        let holds = record.token_id == *id
            && record.name == login.owner.name
            && record.revoked_at.is_none()
            && record
                .expires_at
                .is_none_or(|time| time.timestamp_micros() > now)
            && (record.doors.is_empty() || record.doors.contains(door));
        match holds {
            true => who.again(&Principal::service(&record.name, [])).await,
            false => Ok(None),
        }
    }

    fn keep(
        &self,
        known: Known,
        principal: &Principal,
        proof: Proof,
        origin: Origin,
    ) -> Arc<Login> {
        let now = self.now();
        let login = Arc::new(Login {
            number: self.count.fetch_add(1, Ordering::Relaxed),
            proof,
            origin,
            begun: now,
            used: AtomicI64::new(now),
            options: Mutex::default(),
            sessions: Mutex::default(),
            owner: principal.id(),
        });
        let used = |login: &Login| login.used.load(Ordering::Relaxed);
        let mut all = self.all();
        all.retain(|_, login| now - used(login) <= micros(LONGEST));
        let mut own: Vec<(i64, Known)> = all
            .iter()
            .filter(|(_, other)| other.owner == login.owner)
            .map(|(known, other)| (used(other), *known))
            .collect();
        own.sort_unstable();
        for (_, oldest) in own.iter().take((own.len() + 1).saturating_sub(OF_ONE)) {
            all.remove(oldest);
        }
        all.insert(known, login.clone());
        login
    }

    /// Ends a log-in at the wish of its client.
    ///
    /// # Errors
    /// It cannot be noted.
    pub(super) async fn log_out(&self, login: &Login) -> Result<(), LoginError> {
        self.end(login);
        match &login.proof {
            Proof::Session(cookie) => self.doors.who.log_out(cookie, login.origin).await,
            Proof::Token(_) => Ok(()),
        }
    }

    fn end(&self, login: &Login) {
        self.all().retain(|_, other| other.number != login.number);
    }

    fn now(&self) -> i64 {
        (self.doors.clock)().timestamp_micros()
    }

    fn all(&self) -> MutexGuard<'_, HashMap<Known, Arc<Login>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn micros(time: TimeDelta) -> i64 {
    time.num_microseconds().unwrap_or(i64::MAX)
}

/// The part of a token that may be seen.
fn token_id(token: &Secret) -> String {
    let id = token.expose().split('_').nth(1);
    id.unwrap_or_default().to_owned()
}
