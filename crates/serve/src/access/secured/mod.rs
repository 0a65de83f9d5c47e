//! A table as one principal sees it: [`SecuredTable`] and its barrier, [`SecureExec`].

mod exec;
mod inside;
mod leakproof;
mod mask;
mod table;

pub use exec::SecureExec;
pub(crate) use mask::MaskKey;
pub(crate) use table::Parts;
pub use table::SecuredTable;
