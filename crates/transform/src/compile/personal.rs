//! Personal data stays out of what a file says of itself.
//!
//! A bloom filter answers "is this value in here?" to everybody who can read the file. For a key
//! that is its use; for an e-mail, hashed or not, it would be a way to ask for people.

use domain::entity::{NAME_HASH, SOUND_HASH};

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
    let plain = column
        .strip_suffix(SOUND_HASH)
        .or(column.strip_suffix(NAME_HASH));
    columns
        .flat_map(|entity| &entity.columns)
        .filter(|known| known.pii.is_some())
        .any(|known| plain.unwrap_or(column) == known.name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::compile::Manifest;
    use crate::project::testing::fixture;

    const YML: &str = "name: shop\nreporting: {zone: Europe/Berlin, currency: EUR}\n";

    fn refused(config: &str, yml: &str) -> String {
        let model =
            format!("-- grain: one row per id\n{{{{ config({config}) }}}}\nselect 1 as id\n");
        let fixture = fixture(&[
            ("throughline.yml", YML),
            ("models/4_marts/mart_id.sql", &model),
            ("models/4_marts/mart_id.yml", yml),
        ]);
        let error = Manifest::build(fixture.project(), &BTreeMap::new());
        error.expect_err("no error").to_string()
    }

    #[test]
    fn a_bloom_filter_is_never_on_personal_data() {
        let plain = "models: [{name: mart_id}]";
        for column in [
            "email",
            "email_hash",
            "phone",
            "last_name",
            "last_name_sound_hash",
        ] {
            let config = format!("materialized='table', bloom=['id', '{column}']");
            let said = refused(&config, plain);
            let named = format!("`bloom` names `{column}`, which is personal data");
            assert!(said.contains(&named), "{said}");
            assert!(said.contains("hint: look people up by a key"), "{said}");
        }
        let marked = "models: [{name: mart_id, columns: [{name: tax_id, meta: {pii: name}}]}]";
        let said = refused("materialized='table', bloom='tax_id'", marked);
        assert!(said.contains("personal"), "{said}");
    }

    #[test]
    fn a_range_is_the_first_column_of_the_sort_order() {
        let plain = "models: [{name: mart_id}]";
        let said = refused(
            "materialized='table', sort=['a', 'id'], range_by='id'",
            plain,
        );
        assert!(
            said.contains("`range_by='id'` is not the first column of `sort`"),
            "{said}"
        );
        let by_day = "materialized='incremental', event_time='d', sort='id', range_by='id'";
        let said = refused(by_day, plain);
        assert!(
            said.contains("by ranges of a key, or kept by day"),
            "{said}"
        );
    }
}
