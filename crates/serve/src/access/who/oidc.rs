//! Log-in by another service: OpenID Connect, authorisation code with PKCE.
//!
//! What the browser brings back is worth nothing by itself: state, nonce and PKCE verifier are kept
//! under a cookie that only this browser has, and come back once. The service's word is taken for
//! who somebody is and which groups it is in; what those may see is the project's to say.

mod settings;
mod verify;

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreErrorResponseType,
    CoreGenderClaim, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm,
    CoreProviderMetadata, CoreRevocableToken, CoreRevocationErrorResponse,
    CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AuthorizationCode, Client, ClientId, ClientSecret, CsrfToken, EmptyExtraTokenFields,
    EndpointMaybeSet, EndpointNotSet, EndpointSet, HttpRequest, HttpResponse, IdTokenFields,
    IssuerUrl, Nonce, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope,
    StandardErrorResponse, StandardTokenResponse,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::Mutex;

pub use settings::{NameClaim, OidcConfig, OidcError, OidcSettings};

use self::verify::{Claims, Refusal};
use super::login::{Origin, Who, of_user};
use super::session::NewSession;
use super::{LoginError, Secret};
use crate::access::Principal;
use crate::audit::{Action, Outcome};
use crate::outgoing::{Outgoing, OutgoingError, Request};

type Fields = IdTokenFields<
    Claims,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;

type Tokens = StandardTokenResponse<Fields, CoreTokenType>;

type Party = Client<
    Claims,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    Tokens,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// How long somebody may take to log in there.
const BEGUN_FOR: TimeDelta = TimeDelta::minutes(10);
/// What the service says of itself is asked for again after so long.
const KNOWN_FOR: TimeDelta = TimeDelta::hours(1);
/// An unknown key makes us ask again, but not more often than so.
const ASKED_AGAIN_AFTER: TimeDelta = TimeDelta::minutes(1);

/// A log-in that has begun: the browser is to be sent to `url` with the cookie set (`HttpOnly`,
/// `SameSite=Lax`, `Secure` unless on loopback).
#[derive(Debug)]
pub struct Begun {
    /// Where the browser goes.
    pub url: String,
    /// The cookie's value, for ten minutes.
    pub cookie: Secret,
}

/// What the browser brings back.
#[derive(Debug)]
pub struct Back<'a> {
    /// The parameter `state`.
    pub state: &'a str,
    /// The parameter `code`.
    pub code: Secret,
    /// The parameter `iss`, if the service sends it (RFC 9207).
    pub issuer: Option<&'a str>,
    /// The cookie of [`Begun`].
    pub cookie: &'a Secret,
}

/// A log-in that has ended well.
#[derive(Debug)]
pub struct Finished {
    /// Who it is.
    pub principal: Principal,
    /// The session of the page.
    pub session: NewSession,
    /// Where on our page the browser wanted to go.
    pub return_to: String,
}

/// What is kept between the two.
#[derive(Serialize, Deserialize)]
struct Kept {
    state: String,
    nonce: String,
    pkce: String,
    return_to: String,
}

/// A service that vouches for people.
#[derive(Debug, Clone)]
pub struct Oidc {
    settings: Arc<OidcSettings>,
    outgoing: Outgoing,
    known: Arc<Mutex<Option<(DateTime<Utc>, CoreProviderMetadata)>>>,
}

impl Oidc {
    /// A service with these settings. Nothing is asked of it yet.
    pub fn new(settings: OidcSettings) -> Self {
        let outgoing = Outgoing::new(settings.private_hosts.iter().cloned());
        Self {
            settings: Arc::new(settings),
            outgoing,
            known: Arc::default(),
        }
    }

    /// Begins a log-in. `return_to` is a path of our page; anything else is taken for `/`.
    ///
    /// # Errors
    /// The service cannot be reached, or says nothing usable of itself; it cannot be kept.
    pub async fn begin_login(&self, who: &Who, return_to: &str) -> Result<Begun, LoginError> {
        let now = who.now();
        let party = self.party(now, false).await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let mut request = party.authorize_url(
            CoreAuthenticationFlow::AuthorizationCode,
            CsrfToken::new_random,
            Nonce::new_random,
        );
        for scope in &self.settings.scopes {
            request = request.add_scope(Scope::new(scope.clone()));
        }
        let (url, state, nonce) = request.set_pkce_challenge(challenge).url();
        let kept = Kept {
            state: state.secret().clone(),
            nonce: nonce.secret().clone(),
            pkce: verifier.secret().clone(),
            return_to: path_of(return_to),
        };
        let cookie = Secret::random(43)?;
        let text = serde_json::to_string(&kept).unwrap_or_default();
        who.store
            .keep_login(&cookie, &text, now + BEGUN_FOR, now)
            .await?;
        Ok(Begun {
            url: url.to_string(),
            cookie,
        })
    }

    /// Ends a log-in with what the browser brings back.
    ///
    /// # Errors
    /// [`LoginError::Refused`] for everything that is not as it should be: why is in the audit log.
    pub async fn finish_login(
        &self,
        who: &Who,
        back: Back<'_>,
        origin: Origin,
    ) -> Result<Finished, LoginError> {
        who.slow("oidc", origin).await?;
        match self.finish(who, back).await {
            Ok((user, return_to)) => {
                let done = who.event(&user.name, origin, Action::LogIn, Outcome::Done);
                let done = done.with("by", "oidc").with("roles", json!(user.roles));
                who.audit()
                    .append(done.with("groups", json!(user.groups)))
                    .await?;
                who.store.logged_in(&user.name, who.now()).await?;
                let session = who.store.begin_session(&user.name, who.now()).await?;
                Ok(Finished {
                    principal: of_user(&user),
                    session,
                    return_to,
                })
            }
            Err(Refusal::Failed(error)) => Err(error),
            Err(Refusal::Because(why)) => {
                let refused = who.event("-", origin, Action::LogIn, Outcome::Refused);
                who.audit()
                    .append(refused.with("by", "oidc").with("why", why))
                    .await?;
                Err(LoginError::Refused)
            }
        }
    }

    async fn finish(&self, who: &Who, back: Back<'_>) -> Result<(super::User, String), Refusal> {
        let now = who.now();
        let kept = who.store.take_login(back.cookie, now).await?;
        let kept: Kept = kept
            .and_then(|text| serde_json::from_str(&text).ok())
            .ok_or(Refusal::Because("no log-in was begun in this browser"))?;
        if !Secret::new(kept.state).is(back.state) {
            return Err(Refusal::Because("the state is another one"));
        }
        if back
            .issuer
            .is_some_and(|issuer| issuer != self.settings.issuer)
        {
            return Err(Refusal::Because("the answer is of another issuer"));
        }
        let party = self.party(now, false).await?;
        let code = AuthorizationCode::new(back.code.expose().to_owned());
        let http = |request| self.http(request);
        let tokens = party
            .exchange_code(code)
            .map_err(|_| Refusal::Because("the service has no token endpoint"))?
            .set_pkce_verifier(PkceCodeVerifier::new(kept.pkce))
            .request_async(&http)
            .await
            .map_err(|_| Refusal::Because("the service did not take the code"))?;
        let nonce = Nonce::new(kept.nonce);
        let proved = match verify::verify(&party, &tokens, &nonce, &self.settings, now) {
            Err(Refusal::Because(verify::NO_KEY)) => {
                // It may have new keys.
                let party = self.party(now, true).await?;
                verify::verify(&party, &tokens, &nonce, &self.settings, now)?
            }
            other => other?,
        };
        let about = (self.settings.issuer.as_str(), proved.subject.as_str());
        let user = who.store.vouched(&proved.user, about, now).await;
        let user = user.map_err(|_| Refusal::Because("it gives no usable name"))?;
        let user = user.ok_or(Refusal::Because("somebody else has this name"))?;
        if user.is_disabled {
            return Err(Refusal::Because("disabled"));
        }
        Ok((user, kept.return_to))
    }

    /// Ourselves, as the service knows us; with what it says of itself, at most an hour old.
    async fn party(&self, now: DateTime<Utc>, is_anew: bool) -> Result<Party, LoginError> {
        let mut known = self.known.lock().await;
        let age = known.as_ref().map(|(at, _)| now - *at);
        let longest = if is_anew {
            ASKED_AGAIN_AFTER
        } else {
            KNOWN_FOR
        };
        if age.is_none_or(|age| age >= longest) {
            let http = |request| self.http(request);
            let issuer = IssuerUrl::new(self.settings.issuer.clone());
            let issuer = issuer.map_err(|_| unusable("its address is no URL"))?;
            let found = CoreProviderMetadata::discover_async(issuer, &http).await;
            // What the library says may hold parts of the answer.
            let found = found.map_err(|error| {
                log::debug!("discovery of the OIDC service: {error}");
                unusable("it cannot be reached, or says nothing usable of itself")
            })?;
            self.check_front(&found)?;
            *known = Some((now, found));
        }
        let Some((_, metadata)) = known.clone() else {
            return Err(unusable("nothing is known of it"));
        };
        let secret = self.settings.client_secret.as_ref();
        let secret = secret.map(|secret| ClientSecret::new(secret.expose().to_owned()));
        let id = ClientId::new(self.settings.client_id.clone());
        let redirect = RedirectUrl::new(self.settings.redirect_url.clone());
        let redirect = redirect.map_err(|_| unusable("our own address is no URL"))?;
        Ok(Party::from_provider_metadata(metadata, id, secret).set_redirect_uri(redirect))
    }

    /// Where the browser is sent must be as well protected as what we ask ourselves.
    fn check_front(&self, metadata: &CoreProviderMetadata) -> Result<(), LoginError> {
        let url = metadata.authorization_endpoint().url();
        let host = url.host_str().unwrap_or_default();
        match url.scheme() == "https" || self.settings.private_hosts.contains(host) {
            true => Ok(()),
            false => Err(unusable("its log-in page is not encrypted")),
        }
    }

    /// All that is asked of the service goes through the guard.
    async fn http(&self, request: HttpRequest) -> Result<HttpResponse, OutgoingError> {
        let (head, body) = request.into_parts();
        let request = Request {
            method: head.method,
            url: head.uri.to_string(),
            headers: head.headers,
            body,
        };
        let answer = self.outgoing.send(request).await?;
        let mut response = HttpResponse::new(answer.body);
        *response.status_mut() = answer.status;
        *response.headers_mut() = answer.headers;
        Ok(response)
    }
}

fn unusable(why: &'static str) -> LoginError {
    super::WhoError::Oidc(why).into()
}

/// A path of our own page; anything that could lead elsewhere is `/`.
fn path_of(return_to: &str) -> String {
    let is_ours = return_to.starts_with('/')
        && !return_to.starts_with("//")
        && !return_to.contains(['\\', '\r', '\n', '\t'])
        && return_to.len() <= 2048;
    if is_ours { return_to } else { "/" }.to_owned()
}

#[cfg(test)]
mod issuer;
#[cfg(test)]
mod tests;
