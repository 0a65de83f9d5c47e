//! The gate: who may see what, for all doors alike.
//!
//! A door recognises a [`Principal`] and asks the [`Gate`] for a [`Session`]; all it then does is
//! to run statements there and to send rows on. What may be seen is said in `access.yml`
//! ([`policy`]); it is applied inside the scan of each table, behind a barrier ([`secured`]), so
//! that errors, statistics and plans tell nothing of what is hidden. Who somebody is, [`who`] says.

pub mod error;
mod flow;
pub mod gate;
pub mod guarded;
mod joined;
pub mod limits;
pub mod options;
pub mod own;
pub mod policy;
mod pool;
pub mod principal;
pub mod project;
pub mod secured;
pub mod session;
mod standing;
pub mod tags;
#[cfg(test)]
pub(crate) mod tests;
pub mod who;
pub mod witness;

pub use error::{AccessError, Reason};
pub use gate::Gate;
pub use guarded::{Directory, Guarded};
pub use limits::Limits;
pub use options::Options;
pub use own::{Changed, OwnLimits, OwnSchemas, OwnSettings};
pub use policy::Policy;
pub use principal::{Attribute, Principal, PrincipalId, PrincipalKind};
pub use session::{Canceller, Rows, Session, Statement};
pub use witness::{Event, Witness};
