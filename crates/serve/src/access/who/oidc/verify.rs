//! Is what the service says of somebody its own word, for us, now?

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use openidconnect::core::{CoreGenderClaim, CoreJwsSigningAlgorithm};
use openidconnect::{
    AccessTokenHash, AdditionalClaims, ClaimsVerificationError, IdTokenClaims, Nonce,
    OAuth2TokenResponse as _, SignatureVerificationError, TokenResponse as _,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::settings::{NameClaim, OidcSettings};
use super::{Party, Tokens};
use crate::access::who::store::NewUser;
use crate::access::who::{LoginError, WhoError};

/// Clocks differ by no more than this.
const SKEW: TimeDelta = TimeDelta::seconds(60);
/// A token that was made longer ago than this was not made for this log-in.
const MADE_WITHIN: TimeDelta = TimeDelta::minutes(30);

/// Signatures that are taken: those that only the service can make. Not `none`, and none with a
/// shared secret, for which a public key could be passed off.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// No key of the service fits the token.
pub(super) const NO_KEY: &str = "its token is signed with no key of the service";

/// Why a log-in does not end well.
pub(super) enum Refusal {
    /// It is not as it should be.
    Because(&'static str),
    /// It could not be found out.
    Failed(LoginError),
}

impl From<WhoError> for Refusal {
    fn from(error: WhoError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<LoginError> for Refusal {
    fn from(error: LoginError) -> Self {
        Self::Failed(error)
    }
}

/// Claims that OpenID Connect does not name: groups, and `nbf` of JWT.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Claims {
    #[serde(flatten)]
    more: BTreeMap<String, Value>,
}

impl AdditionalClaims for Claims {}

/// Somebody for whom the service has vouched.
pub(super) struct Proved {
    pub(super) user: NewUser,
    pub(super) subject: String,
}

/// Checks a token: who signed it, for whom, when, in answer to what.
pub(super) fn verify(
    party: &Party,
    tokens: &Tokens,
    nonce: &Nonce,
    settings: &OidcSettings,
    now: DateTime<Utc>,
) -> Result<Proved, Refusal> {
    let token = tokens
        .id_token()
        .ok_or(Refusal::Because("it gives no id token"))?;
    let verifier = party
        .id_token_verifier()
        .set_allowed_algs(ALGORITHMS)
        .set_time_fn(move || now - SKEW)
        .set_issue_time_verifier_fn(move |made| {
            let age = now - made;
            match age <= MADE_WITHIN && age >= -SKEW {
                true => Ok(()),
                false => Err("made at another time".to_owned()),
            }
        });
    let claims = token
        .claims(&verifier, nonce)
        .map_err(|error| because(&error))?;
    if let Some(party) = claims.authorized_party()
        && party.as_str() != settings.client_id
    {
        return Err(Refusal::Because("its token was made for another party"));
    }
    let more = &claims.additional_claims().more;
    if let Some(from) = more.get("nbf") {
        let from = from
            .as_f64()
            .and_then(|from| DateTime::from_timestamp(from as i64, 0));
        if from.is_none_or(|from| from > now + SKEW) {
            return Err(Refusal::Because("its token is not valid yet"));
        }
    }
    if let Some(hash) = claims.access_token_hash() {
        let key = token
            .signing_key(&verifier)
            .map_err(|_| Refusal::Because(NO_KEY))?;
        let algorithm = token.signing_alg().map_err(|_| Refusal::Because(NO_KEY))?;
        let due = AccessTokenHash::from_token(tokens.access_token(), algorithm, key);
        if due.map_err(|_| Refusal::Because(NO_KEY))? != *hash {
            return Err(Refusal::Because("its two tokens do not belong together"));
        }
    }
    let name = name(claims, settings.name_claim)?;
    let groups = groups(more.get(&settings.groups_claim));
    let roles = groups
        .iter()
        .filter_map(|group| settings.group_roles.get(group));
    Ok(Proved {
        subject: claims.subject().as_str().to_owned(),
        user: NewUser {
            name,
            roles: roles.flatten().cloned().collect(),
            groups,
            attributes: BTreeMap::new(),
        },
    })
}

/// What somebody is called here.
fn name(claims: &IdTokenClaims<Claims, CoreGenderClaim>, by: NameClaim) -> Result<String, Refusal> {
    let name = match by {
        NameClaim::Sub => Some(claims.subject().as_str()),
        NameClaim::PreferredUsername => claims.preferred_username().map(|name| name.as_str()),
        // Where it is not verified, anybody may have typed it.
        NameClaim::Email if claims.email_verified() != Some(true) => {
            return Err(Refusal::Because("its e-mail is not said to be verified"));
        }
        NameClaim::Email => claims.email().map(|email| email.as_str()),
    };
    let name = name.ok_or(Refusal::Because("it gives no usable name"))?;
    Ok(name.to_owned())
}

/// The library's reasons may hold claims; ours do not.
fn because(error: &ClaimsVerificationError) -> Refusal {
    Refusal::Because(match error {
        ClaimsVerificationError::Expired(_) => "its token has expired, or is of another time",
        ClaimsVerificationError::InvalidAudience(_) => "its token was made for somebody else",
        ClaimsVerificationError::InvalidIssuer(_) => "its token was made by somebody else",
        ClaimsVerificationError::InvalidNonce(_) => "its token answers another log-in",
        ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoSignature) => {
            "its token is not signed"
        }
        ClaimsVerificationError::SignatureVerification(
            SignatureVerificationError::NoMatchingKey,
        ) => NO_KEY,
        ClaimsVerificationError::SignatureVerification(
            SignatureVerificationError::DisallowedAlg(_),
        ) => "its token is signed in a way that is not taken",
        ClaimsVerificationError::SignatureVerification(_) => "its token's signature is wrong",
        _ => "its token is not of a form that is taken",
    })
}

/// Groups: a list of texts, or one.
fn groups(claim: Option<&Value>) -> BTreeSet<String> {
    let texts: Vec<&str> = match claim {
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(one)) => vec![one.as_str()],
        _ => Vec::new(),
    };
    let usable = texts.into_iter().map(str::trim).filter(|text| {
        !text.is_empty() && text.len() <= 128 && !text.chars().any(char::is_control)
    });
    usable.map(str::to_owned).collect()
}
