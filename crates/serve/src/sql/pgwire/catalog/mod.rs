//! Queries on the catalogue: `pg_catalog` and `information_schema`, as one principal sees them.
//!
//! Clients ask for tables and columns in the ways that PostgreSQL allows, most of which the
//! warehouse's engine does not: queries within expressions that read the rows around them, values
//! that are numbers and names at once (`'t'::regclass`), functions that give several rows among
//! columns, arrays that begin at 0. The catalogue is small, and what is asked about it is never
//! about rows; so such a query is answered here, row by row, by PostgreSQL's rules. It reads
//! nothing but a description of what its principal may see ([`World`]), made for it.

mod aggregate;
mod arrays;
mod calls;
mod eval;
mod exec;
mod expr;
mod from;
mod functions;
mod node;
mod order;
mod plan;
mod procs;
mod sets;
mod tables;
mod texts;
mod types;
mod value;
mod world;

pub(super) use exec::Run;
pub(super) use node::QueryPlan;
pub(super) use plan::Planner;
pub(super) use value::{Failure, Value};
pub(super) use world::{Attribute, Relation, SYSTEM, World};

/// Whether there is such a table; one without a schema is looked for in `pg_catalog`.
pub(super) fn has_table(schema: Option<&str>, name: &str) -> bool {
    tables::known(schema, name).is_some()
}

/// Whether a function gives rows.
pub(super) fn is_set(name: &str) -> bool {
    functions::set(name).is_some()
}

/// Whether a function is one about the catalogue, which the warehouse's engine does not have.
pub(super) fn is_about_catalog(name: &str) -> bool {
    functions::is_about_catalog(name)
}
