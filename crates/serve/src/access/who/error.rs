//! What can go wrong with users, tokens and sessions. No message holds a secret.

use super::password::Weak;
use super::throttle::Slowed;
use crate::audit::AuditError;

/// Why something about users, tokens or sessions could not be done.
#[derive(Debug, thiserror::Error)]
pub enum WhoError {
    /// The database fails.
    #[error("the users in `{path}`: {source}")]
    Database {
        /// The file.
        path: String,
        /// What the database says.
        source: sqlx::Error,
    },
    /// The file cannot be made.
    #[error("the users in `{path}`: {source}")]
    File {
        /// The file.
        path: String,
        /// What the machine says.
        source: std::io::Error,
    },
    /// A newer program wrote it.
    #[error(
        "the users in `{path}` are of format {found}, this program knows up to {known}\n\
         hint: update the program; nothing was changed"
    )]
    Newer {
        /// The file.
        path: String,
        /// Its format.
        found: usize,
        /// The newest format that is known.
        known: usize,
    },
    /// It was made under another project key.
    #[error(
        "the users in `{path}` were made under another project key\n\
         hint: bring that key back; without it no password fits, and `access.db` must be made anew"
    )]
    OtherKey {
        /// The file.
        path: String,
    },
    /// The project's key could be guessed.
    #[error("the project's key could be guessed\nhint: `throughline init` makes a good one")]
    WeakKey,
    /// The machine gives no random numbers.
    #[error("the machine gives no random numbers")]
    Random,
    /// A hash could not be made.
    #[error("a hash could not be made")]
    Hash,
    /// A name that no user, token, role, group or attribute can have.
    #[error("`{name}` is no name\nhint: {hint}")]
    Name {
        /// What was given.
        name: String,
        /// What a name is.
        hint: &'static str,
    },
    /// It is there already.
    #[error("there is a {what} `{name}` already")]
    Exists {
        /// User or token.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// It is not there.
    #[error("there is no {what} `{name}`\nhint: throughline {what} list")]
    Missing {
        /// User or token.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// The password is refused.
    #[error(
        "the password is refused: {0}\n\
         hint: several words that only you put together, or what a password manager makes"
    )]
    Weak(#[from] Weak),
    /// Nobody could administer any more.
    #[error(
        "`{0}` is the last who can administer\n\
         hint: give another user a password and the role `admin` first"
    )]
    LastAdmin(String),
    /// Somebody whom another service vouches for has no password here.
    #[error("`{0}` logs in by another service and has no password here")]
    NotLocal(String),
    /// The time lies in the past, or further ahead than can be said.
    #[error("a token cannot expire then\nhint: a time ahead, within ten years")]
    Expiry,
    /// The service that vouches for people cannot be used.
    #[error("the OIDC service: {0}")]
    Oidc(&'static str),
    /// The audit log cannot be written, so nothing is done.
    #[error(transparent)]
    Audit(#[from] AuditError),
}

/// Why somebody is not logged in. What a client is told is the text; it is the same for a wrong
/// password, an unknown name and a disabled user.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// Name and secret do not go together, or not any more.
    #[error("log-in refused")]
    Refused,
    /// Too many attempts.
    #[error(transparent)]
    Slowed(#[from] Slowed),
    /// The secret would have been, or was, sent in clear.
    #[error("a secret is taken over TLS or from this machine only")]
    NotPrivate,
    /// It could not be found out; why is for the log, not for the client.
    #[error("log-in is not possible at the moment")]
    Failed(#[source] Box<WhoError>),
}

impl From<WhoError> for LoginError {
    fn from(error: WhoError) -> Self {
        Self::Failed(Box::new(error))
    }
}

impl From<AuditError> for LoginError {
    fn from(error: AuditError) -> Self {
        WhoError::from(error).into()
    }
}
