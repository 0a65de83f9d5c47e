//! Who somebody is: people with passwords, programs with tokens, browsers with sessions, and those
//! whom another service vouches for.
//!
//! [`Store`] keeps them in `.throughline/access.db`; [`Who`] proves who somebody is, slows whoever
//! guesses, and writes all of it to the audit log. What a principal may see is not decided here.

mod certificate;
mod error;
mod login;
pub mod oidc;
pub mod password;
pub mod scram;
mod secret;
mod session;
mod store;
mod throttle;
mod token;

pub use certificate::end_point;
pub use error::{LoginError, WhoError};
pub use login::{Actor, Clock, Door, Origin, ScramLogin, Settings, Who, WireMethod};
pub use secret::{Key, Secret, check_project_key};
pub use session::{NewSession, Session};
pub use store::{
    ADMIN, Change, Found, NewToken, NewUser, Source, Store, TokenRecord, User, check_name,
};
pub use throttle::{Limits, Slowed, Throttle};
pub use token::is_like as is_like_token;
