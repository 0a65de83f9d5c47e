//! Files: found, told apart by their content, and decoded into raw rows.

pub(crate) mod decode;
pub(crate) mod find;
pub(crate) mod id;
pub(crate) mod schema;
