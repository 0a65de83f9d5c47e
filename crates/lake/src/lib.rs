//! The lake: where data is kept, and the only crate that names Delta, object stores and the
//! distributed engine.
//!
//! A table is written in two steps: files first ([`FileWriter`]), then one commit
//! ([`Lake::commit`]) that names them in the log together with the table's ledger. It is read
//! through [`LakeTable`], at the version at which it was opened.

mod commit;
mod compact;
mod content;
mod copy;
pub mod crash;
mod error;
pub mod file;
mod format;
mod history;
mod layout;
mod merge;
mod name;
mod order;
mod place;
mod provider;
pub mod relation;
mod scan;
pub mod schema;
pub mod session;
mod store;
mod table;
#[cfg(test)]
mod tests;
mod vacuum;
mod window;
mod write;

pub use commit::Change;
pub use compact::{Compacted, Policy};
pub use content::row_hashes;
pub use copy::LakeFile;
pub use error::{LakeError, Result};
pub use file::{DataFile, Origin};
pub use format::{FORMAT, Upgrade};
pub use history::Commit;
pub use layout::Layout;
pub use name::TableName;
pub use object_store::ObjectStore;
pub use place::Lake;
pub use provider::LakeTable;
pub use store::Location;
pub use table::{InputMark, Ledger, Table};
pub use vacuum::{Retention, Vacuumed};
pub use write::{FileWriter, NewFile, RAW_ID, RAW_ID_ROW_BITS, conform};
