//! Log-in: a password, a token, a SCRAM exchange or a session becomes a principal. And changes of
//! users and tokens. All of it stands in the audit log.

mod changes;

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::{Semaphore, watch};

use super::password::Cost;
use super::scram::{Exchange, MECHANISM_PLUS, Verifier};
use super::session::{NewSession, Session};
use super::store::{Found, Store, TokenRecord, User};
use super::throttle::{Limits, Throttle};
use super::{LoginError, Secret, WhoError, token};
use crate::access::{Principal, PrincipalKind};
use crate::audit::{Action, Audit, Event, Outcome};

/// What time it is.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// Where somebody comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Door {
    /// The page.
    Page,
    /// REST.
    Rest,
    /// The Postgres wire.
    Postgres,
    /// Arrow Flight SQL.
    Flight,
    /// The command line.
    Command,
}

impl Door {
    /// As it stands in the audit log, and as tokens are bound to it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Rest => "rest",
            Self::Postgres => "postgres",
            Self::Flight => "flight",
            Self::Command => "command",
        }
    }
}

/// From where somebody comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// The door.
    pub door: Door,
    /// The other end's address.
    pub address: Option<IpAddr>,
    /// The connection is encrypted.
    pub is_tls: bool,
}

impl Origin {
    /// Whether a secret may be sent here: over TLS, or within this machine.
    pub fn is_private(&self) -> bool {
        self.is_tls || self.is_local()
    }

    /// Whether the other end is on this machine.
    pub fn is_local(&self) -> bool {
        self.door == Door::Command
            || self
                .address
                .is_some_and(|address| address.to_canonical().is_loopback())
    }
}

/// Who changes something, and from where.
#[derive(Debug, Clone)]
pub struct Actor {
    /// Its name: a principal's, or the account's at the command line.
    pub name: String,
    /// From where.
    pub origin: Origin,
}

/// What there is to choose.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where users and tokens are kept, for example `.throughline/access.db`.
    pub database: PathBuf,
    /// What a password's hash costs.
    pub cost: Cost,
    /// How soon guessing is slowed.
    pub limits: Limits,
}

impl Settings {
    /// The default ones.
    pub fn new(database: PathBuf) -> Self {
        Self {
            database,
            cost: Cost::default(),
            limits: Limits::default(),
        }
    }
}

/// How somebody is asked for a secret on the Postgres wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WireMethod {
    /// SCRAM-SHA-256: the password is proved, not sent.
    Scram,
    /// As it is: for service tokens, over TLS or within this machine.
    ClearText,
}

/// A SCRAM exchange that waits for the client's last message.
#[derive(Debug)]
pub struct ScramLogin {
    name: String,
    user: Option<User>,
    exchange: Exchange,
}

/// Hashes that are computed at once: each takes its memory.
const HASHES_AT_ONCE: usize = 4;

/// Changes are looked for so often.
const LOOKED_EVERY: Duration = Duration::from_millis(250);

/// Proves who somebody is.
#[derive(Clone)]
pub struct Who {
    pub(super) store: Store,
    audit: Audit,
    throttle: Arc<Throttle>,
    hashing: Arc<Semaphore>,
    clock: Clock,
}

impl std::fmt::Debug for Who {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Who")
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}

impl Who {
    /// Opens what is kept.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub async fn open(
        settings: &Settings,
        project_key: &[u8],
        audit: Audit,
        clock: Clock,
    ) -> Result<Self, WhoError> {
        Ok(Self {
            store: Store::open(&settings.database, project_key, settings.cost).await?,
            audit,
            throttle: Arc::new(Throttle::new(settings.limits)),
            hashing: Arc::new(Semaphore::new(HASHES_AT_ONCE)),
            clock,
        })
    }

    /// Closes what is kept: what stands in the files beside it is brought into it.
    pub async fn close(self) {
        self.store.close().await;
    }

    /// What is kept of users and tokens, for reading.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The audit log.
    pub fn audit(&self) -> &Audit {
        &self.audit
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        (self.clock)()
    }

    /// Logs in by name and password.
    ///
    /// # Errors
    /// [`LoginError::Refused`] for every reason that has to do with name and password.
    pub async fn by_password(
        &self,
        name: &str,
        password: &Secret,
        origin: Origin,
    ) -> Result<Principal, LoginError> {
        self.private(origin).await?;
        self.slow(name, origin).await?;
        let found = self.store.find(name).await?;
        let hash = found
            .as_ref()
            .and_then(usable)
            .and_then(|found| found.password_hash.clone());
        let fits = self.fits(hash, password).await?;
        let user = found
            .filter(|found| fits && usable(found).is_some())
            .map(|found| found.user);
        self.password_ended(name, user, origin, "password").await
    }

    /// Logs in by a service token.
    ///
    /// # Errors
    /// [`LoginError::Refused`] for every reason that has to do with the token.
    pub async fn by_token(&self, token: &Secret, origin: Origin) -> Result<Principal, LoginError> {
        self.private(origin).await?;
        let now = self.now();
        let proved = self.store.prove_token(token, now).await?;
        let door = origin.door.as_str();
        let taken = |record: &TokenRecord| record.doors.is_empty() || record.doors.contains(door);
        if let Some(record) = proved.filter(taken) {
            let principal = of_token(&record);
            // Programs send their token with every request: that they come is noted where they
            // begin a connection, not at each.
            if origin.door != Door::Rest {
                let done = self.event(&principal.name, origin, Action::LogIn, Outcome::Done);
                self.audit
                    .append(done.with("by", "token").with("token", record.token_id))
                    .await?;
            }
            return Ok(principal);
        }
        // Only wrong ones are slowed: they cannot be guessed, but they fill the log.
        self.slow("token", origin).await?;
        let refused = self.event("-", origin, Action::LogIn, Outcome::Refused);
        let id = token::id(token).map(str::to_owned);
        self.audit
            .append(refused.with("by", "token").with("token", id))
            .await?;
        Err(LoginError::Refused)
    }

    /// Logs in by what was sent in clear: a token, if it has the form of one, else a password.
    ///
    /// # Errors
    /// As [`Who::by_token`] and [`Who::by_password`].
    pub async fn by_clear_text(
        &self,
        name: &str,
        secret: &Secret,
        origin: Origin,
    ) -> Result<Principal, LoginError> {
        match token::is_like(secret) {
            true => self.by_token(secret, origin).await,
            false => self.by_password(name, secret, origin).await,
        }
    }

    /// How somebody of this name is asked for its secret on the Postgres wire, before anything
    /// else is known of it.
    ///
    /// Users prove their password by SCRAM. Whoever calls itself `token`, or as a token is called,
    /// is asked for it in clear where that is safe. From another machine, a name that nobody has
    /// is asked as a user is, so that asking tells nobody who exists; within this machine, where
    /// there is nothing to find out that way, any other name may come with a token.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn wire_method(&self, name: &str, origin: Origin) -> Result<WireMethod, LoginError> {
        if !origin.is_private() || self.store.find(name).await?.is_some() {
            return Ok(WireMethod::Scram);
        }
        let is_token = name.eq_ignore_ascii_case("token")
            || self
                .store
                .live_token(&name.to_ascii_lowercase(), self.now())
                .await?
                .is_some();
        Ok(match is_token || origin.is_local() {
            true => WireMethod::ClearText,
            false => WireMethod::Scram,
        })
    }

    /// Answers the first message of a SCRAM exchange; gives the server's first message.
    /// `certificate` is the hash of the server's certificate where there is TLS.
    ///
    /// # Errors
    /// Too many attempts, or a malformed message. Whether there is such a user does not show.
    pub async fn begin_scram(
        &self,
        name: &str,
        mechanism: &str,
        certificate: Option<&[u8]>,
        client_first: &[u8],
        origin: Origin,
    ) -> Result<(String, ScramLogin), LoginError> {
        self.slow(name, origin).await?;
        let name = name.trim().to_ascii_lowercase();
        let found = self.store.find(&name).await?;
        let kept = found
            .as_ref()
            .and_then(usable)
            .and_then(|found| found.scram.as_deref());
        let fake = Verifier::fake(&self.store.fake_key, &name);
        let known = kept.and_then(|kept| Verifier::open(&self.store.scram_key, &name, kept));
        let user = found.filter(|_| known.is_some()).map(|found| found.user);
        let nonce = Secret::random(24)?;
        let verifier = known.unwrap_or(fake);
        let begun = Exchange::begin(verifier, mechanism, certificate, client_first, &nonce);
        match begun {
            Ok((said, exchange)) => Ok((
                said,
                ScramLogin {
                    name,
                    user,
                    exchange,
                },
            )),
            Err(error) => {
                let refused = self.event("-", origin, Action::LogIn, Outcome::Refused);
                self.audit
                    .append(refused.with("by", "scram").with("why", error.to_string()))
                    .await?;
                Err(LoginError::Refused)
            }
        }
    }

    /// Checks the last message of a SCRAM exchange; gives the server's last message and who it is.
    ///
    /// # Errors
    /// [`LoginError::Refused`] for every reason that has to do with the exchange.
    pub async fn end_scram(
        &self,
        login: ScramLogin,
        client_final: &[u8],
        origin: Origin,
    ) -> Result<(String, Principal), LoginError> {
        let answer = login.exchange.end(client_final);
        let user = login.user.filter(|_| answer.is_ok());
        let principal = self
            .password_ended(&login.name, user, origin, "scram")
            .await?;
        let said = answer.map_err(|_| LoginError::Refused)?;
        Ok((said, principal))
    }

    /// The mechanisms to offer on a connection: with channel binding where the certificate's hash
    /// is known.
    pub fn scram_mechanisms(has_certificate: bool) -> Vec<String> {
        let plain = super::scram::MECHANISM.to_owned();
        match has_certificate {
            true => vec![plain, MECHANISM_PLUS.to_owned()],
            false => vec![plain],
        }
    }

    /// Logs in to the page by name and password.
    ///
    /// # Errors
    /// As [`Who::by_password`].
    pub async fn begin_session(
        &self,
        name: &str,
        password: &Secret,
        origin: Origin,
    ) -> Result<(Principal, NewSession), LoginError> {
        let principal = self.by_password(name, password, origin).await?;
        let session = self
            .store
            .begin_session(&principal.name, self.now())
            .await?;
        Ok((principal, session))
    }

    /// Who a cookie stands for, as it is now.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn by_session(
        &self,
        cookie: &Secret,
    ) -> Result<Option<(Principal, Session)>, LoginError> {
        let Some(session) = self.store.session(cookie, self.now()).await? else {
            return Ok(None);
        };
        let found = self.store.find(&session.user).await?;
        let user = found
            .filter(|found| !found.user.is_disabled)
            .map(|found| found.user);
        Ok(user.map(|user| (of_user(&user), session)))
    }

    /// Ends a session of the page.
    ///
    /// # Errors
    /// It cannot be noted.
    pub async fn log_out(&self, cookie: &Secret, origin: Origin) -> Result<(), LoginError> {
        if let Some(user) = self.store.end_session(cookie).await? {
            let done = self.event(&user, origin, Action::LogOut, Outcome::Done);
            self.audit.append(done).await?;
        }
        Ok(())
    }

    /// A principal as it is now; none if it may not do anything any more. To be asked again when
    /// [`Store::epoch`] has risen, and for a token in any case before it is used long: it may have
    /// expired.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn again(&self, principal: &Principal) -> Result<Option<Principal>, LoginError> {
        Ok(match principal.kind {
            PrincipalKind::User => {
                let found = self.store.find(&principal.name).await?;
                let user = found.filter(|found| !found.user.is_disabled);
                user.map(|found| of_user(&found.user))
            }
            PrincipalKind::Service => {
                let record = self.store.live_token(&principal.name, self.now()).await?;
                record.map(|record| of_token(&record))
            }
        })
    }

    /// Tells of every change of users and tokens, by this process or another, well within a second:
    /// then [`Who::again`] is to be asked about everybody who is at work. So it is when changes
    /// cannot be seen: the answer will be an error. It ends with its last receiver.
    pub fn changes(&self) -> watch::Receiver<i64> {
        let (sender, receiver) = watch::channel(0);
        let store = self.store.clone();
        tokio::spawn(async move {
            loop {
                let epoch = store.epoch().await.unwrap_or(-1);
                sender.send_if_modified(|known| std::mem::replace(known, epoch) != epoch);
                tokio::select! {
                    () = sender.closed() => return,
                    () = tokio::time::sleep(LOOKED_EVERY) => {}
                }
            }
        });
        receiver
    }

    /// Whether a password fits a hash, found out on a thread of its own, a few at a time.
    async fn fits(&self, hash: Option<String>, password: &Secret) -> Result<bool, LoginError> {
        let permit = self.hashing.clone().acquire_owned().await;
        let (hasher, password) = (self.store.hasher.clone(), password.clone());
        let work = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            hasher.verify(hash.as_deref(), &password)
        });
        Ok(work.await.map_err(|_| WhoError::Hash)?)
    }

    /// Notes how a log-in with a password ended.
    async fn password_ended(
        &self,
        name: &str,
        user: Option<User>,
        origin: Origin,
        by: &str,
    ) -> Result<Principal, LoginError> {
        let Some(user) = user else {
            // A name that nobody has may be a password that was typed in the wrong place.
            let known = self.store.find(name).await?.map(|found| found.user);
            let who = known.as_ref().map_or("-", |user| user.name.as_str());
            let why = match &known {
                None => "no such user",
                Some(user) if user.is_disabled => "disabled",
                Some(_) => "wrong password",
            };
            let refused = self.event(who, origin, Action::LogIn, Outcome::Refused);
            self.audit
                .append(refused.with("by", by).with("why", why))
                .await?;
            return Err(LoginError::Refused);
        };
        let done = self.event(&user.name, origin, Action::LogIn, Outcome::Done);
        self.audit.append(done.with("by", by)).await?;
        self.throttle.succeeded(name, origin.address);
        self.store.logged_in(&user.name, self.now()).await?;
        Ok(of_user(&user))
    }

    async fn private(&self, origin: Origin) -> Result<(), LoginError> {
        if origin.is_private() {
            return Ok(());
        }
        self.slow("", origin).await?;
        let refused = self.event("-", origin, Action::LogIn, Outcome::Refused);
        self.audit
            .append(refused.with("why", "a secret was sent in clear"))
            .await?;
        Err(LoginError::NotPrivate)
    }

    pub(super) async fn slow(&self, name: &str, origin: Origin) -> Result<(), LoginError> {
        let Err(slowed) = self.throttle.begin(name, origin.address, self.now()) else {
            return Ok(());
        };
        if slowed.is_first {
            let refused = self.event("-", origin, Action::LogIn, Outcome::Refused);
            self.audit
                .append(refused.with("why", "too many attempts"))
                .await?;
        }
        Err(slowed.into())
    }

    pub(super) fn event(
        &self,
        principal: &str,
        origin: Origin,
        action: Action,
        outcome: Outcome,
    ) -> Event {
        Event::new(principal, origin.door.as_str(), action, outcome).from(origin.address)
    }
}

/// A user that may log in by a password.
fn usable(found: &Found) -> Option<&Found> {
    (!found.user.is_disabled && found.password_hash.is_some()).then_some(found)
}

pub(super) fn of_user(user: &User) -> Principal {
    Principal {
        name: user.name.clone(),
        kind: PrincipalKind::User,
        roles: user.roles.clone(),
        groups: user.groups.clone(),
        attributes: user.attributes.clone(),
    }
}

fn of_token(record: &TokenRecord) -> Principal {
    Principal {
        name: record.name.clone(),
        kind: PrincipalKind::Service,
        roles: record.roles.clone(),
        groups: std::collections::BTreeSet::new(),
        attributes: record.attributes.clone(),
    }
}

#[cfg(test)]
pub(super) mod tests;
