//! Names of own schemas, tables and columns.

use datafusion::sql::sqlparser::ast::{Ident, ObjectName, ObjectNamePart};
use transform::warehouse::ZONES;

use crate::access::error::{AccessError, Reason, Result};
use crate::access::session::catalog::CATALOG;

/// The schema of a session's temporary tables.
pub const TEMP: &str = "pg_temp";
/// Bytes of a name, as in PostgreSQL.
const LONGEST: usize = 63;
/// Names that are the program's beside its zones.
const RESERVED: [&str; 6] = [
    "information_schema",
    "metrics",
    "own",
    "parts",
    "throughline",
    "datafusion",
];
/// Schemas whose names begin so are the program's.
const PREFIXES: [&str; 2] = ["pg_", "work_"];

/// Whether a schema of this name is the program's, and can be nobody's own.
pub fn is_reserved(schema: &str) -> bool {
    let lower = schema.to_lowercase();
    ZONES.contains(&lower.as_str())
        || RESERVED.contains(&lower.as_str())
        || PREFIXES.iter().any(|prefix| lower.starts_with(prefix))
}

/// The name of a table or view as a statement says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name {
    /// None: the one of the search path.
    pub(crate) schema: Option<String>,
    pub(crate) name: String,
}

impl std::fmt::Display for Name {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.schema {
            Some(schema) => write!(out, "{schema}.{}", self.name),
            None => write!(out, "{}", self.name),
        }
    }
}

/// A word as SQL takes it: in lower case unless it is quoted.
pub(crate) fn word(ident: &Ident) -> String {
    match ident.quote_style {
        Some(_) => ident.value.clone(),
        None => ident.value.to_lowercase(),
    }
}

pub(crate) fn words(name: &ObjectName) -> Result<Vec<String>> {
    let part = |part: &ObjectNamePart| match part {
        ObjectNamePart::Identifier(ident) => Ok(word(ident)),
        ObjectNamePart::Function(_) => Err(AccessError::new(
            Reason::Syntax,
            "this is no name of a table",
        )),
    };
    name.0.iter().map(part).collect()
}

/// A table's name: with a schema, and before that the database, or without.
pub(crate) fn table(name: &ObjectName) -> Result<Name> {
    let words = words(name)?;
    match words.as_slice() {
        [name] => Ok(Name {
            schema: None,
            name: name.clone(),
        }),
        [schema, name] => Ok(Name {
            schema: Some(schema.clone()),
            name: name.clone(),
        }),
        [database, schema, name] if database == CATALOG => Ok(Name {
            schema: Some(schema.clone()),
            name: name.clone(),
        }),
        _ => Err(no_database(name)),
    }
}

/// A schema's name, alone or after the database.
pub(crate) fn schema(name: &ObjectName) -> Result<String> {
    let words = words(name)?;
    match words.as_slice() {
        [schema] => Ok(schema.clone()),
        [database, schema] if database == CATALOG => Ok(schema.clone()),
        _ => Err(no_database(name)),
    }
}

fn no_database(name: &ObjectName) -> AccessError {
    let message = format!("`{name}` is in another database");
    AccessError::new(Reason::Unsupported, message).hint(format!("the only database is `{CATALOG}`"))
}

/// Refuses a name that could not be kept, or not be shown.
pub(crate) fn check(name: &str) -> Result<()> {
    let is_plain = !name.is_empty()
        && name.len() <= LONGEST
        && !name.chars().any(|c| c.is_control() || "\"/\\*".contains(c));
    match is_plain {
        true => Ok(()),
        false => Err(AccessError::new(
            Reason::Syntax,
            format!("a name has 1 to {LONGEST} bytes, and no quotes, slashes or stars"),
        )),
    }
}

/// The name that PostgreSQL gives a column: that of a function for a call, else as it is.
pub(crate) fn of_column(name: &str, at: usize) -> String {
    let is_word =
        |text: &str| !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '_');
    if is_word(name) {
        return name.to_owned();
    }
    let head = name.split('(').next().unwrap_or_default();
    let head = head.rsplit('.').next().unwrap_or_default();
    match name.contains('(') && is_word(head) {
        true => head.to_lowercase(),
        false => match name.contains(['(', '\'', '"']) || name.starts_with(char::is_numeric) {
            true => format!("column{}", at + 1),
            false => name.to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_the_programs_is_reserved() {
        for name in [
            "star",
            "Star",
            "RAW",
            "pg_catalog",
            "metrics",
            "ops",
            "work_x",
        ] {
            assert!(is_reserved(name), "{name}");
        }
        for name in ["dbt", "public", "ana@shop.example", "starry"] {
            assert!(!is_reserved(name), "{name}");
        }
    }

    #[test]
    fn columns_without_a_name_get_one() {
        let cases = [
            ("channel", "channel"),
            ("Total Sales", "Total Sales"),
            ("sum(star.fct_order.revenue)", "sum"),
            ("count(*)", "count"),
            ("Int64(1)", "int64"),
            ("a + Int64(1)", "column3"),
        ];
        for (name, expected) in cases {
            assert_eq!(of_column(name, 2), expected, "{name}");
        }
    }
}
