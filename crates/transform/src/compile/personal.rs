//! Personal data stays out of what a file says of itself.
//!
//! A bloom filter answers "is this value in here?" to everybody who can read the file. For a key
//! that is its use; for an e-mail, hashed or not, it would be a way to ask for people.

use crate::project::{Model, ModelConfig, Problem};

/// Refuses bloom filters on personal data.
///
/// # Errors
/// A column of `bloom` is personal.
pub(super) fn check_bloom(model: &Model, config: &ModelConfig) -> Result<(), Problem> {
    for column in &config.bloom {
        let described = model.properties.columns.iter();
        let marked = described
            .filter(|doc| &doc.name == column)
            .any(|doc| doc.meta.get("pii").is_some_and(|pii| !pii.is_null()));
        if marked || is_personal(column) {
            return Err(
                Problem::new(format!("`bloom` names `{column}`, which is personal data"))
                    .why("whoever can read a file could ask its filter for a person")
                    .hint("look people up by a key: a node, a customer, an order"),
            );
        }
    }
    Ok(())
}

/// The name is that of a personal column of an entity, or of its hash.
fn is_personal(column: &str) -> bool {
    let columns = domain::entity::entities().iter();
    columns
        .flat_map(|entity| &entity.columns)
        .filter(|known| known.pii.is_some())
        .any(|known| column.strip_suffix("_hash").unwrap_or(column) == known.name)
}
