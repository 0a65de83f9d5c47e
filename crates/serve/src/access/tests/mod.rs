//! The gate under attack. Everything here goes through [`Gate`] and [`Session`], as a door does.

mod catalogue;
mod changes;
mod differential;
pub(crate) mod fixture;
mod lineage;
mod own;
mod own_secrets;
mod pathological;
pub(crate) mod tricks;
