//! The SELECT of each kind of check: it returns the offending rows.

use super::checks::{Check, CheckKind};
use super::dependency::{Dependency, Relations, Target};

/// The SQL of a check that is not a singular test.
pub(super) fn sql(check: &Check, relations: &dyn Relations) -> String {
    let text = |target: &Target| relations.relation(&Dependency::bounded(target.clone()));
    let own = check
        .dependencies
        .first()
        .map(|dependency| text(&dependency.target));
    let own = own.unwrap_or_default();
    let rows = match &check.where_ {
        Some(condition) => format!("(select * from {own} where {condition}\n) as checked_rows"),
        None => format!("{own} as checked_rows"),
    };
    let column = check.column.as_deref().map(quoted).unwrap_or_default();
    match &check.kind {
        CheckKind::NotNull => format!("select * from {rows} where {column} is null\n"),
        CheckKind::Unique => repeated(&rows, &[column]),
        CheckKind::UniqueCombination { columns } => repeated(
            &rows,
            &columns
                .iter()
                .map(|column| quoted(column))
                .collect::<Vec<_>>(),
        ),
        CheckKind::AcceptedValues { values } => format!(
            "select {column}, count(*) as row_count\nfrom {rows}\n\
             where {column} is not null and {column} not in ({})\ngroup by {column}\n",
            values.join(", ")
        ),
        CheckKind::Relationships { to, field } => {
            let field = quoted(field);
            format!(
                "select checked_rows.{column}, count(*) as row_count\nfrom {rows}\n\
                 left join (select distinct {field} as known_value from {}) as known_rows\n    \
                 on checked_rows.{column} = known_rows.known_value\n\
                 where checked_rows.{column} is not null and known_rows.known_value is null\n\
                 group by checked_rows.{column}\n",
                text(to)
            )
        }
        CheckKind::Expression { expression } => {
            // What is null is not true.
            format!("select * from {rows} where ({expression}\n) is not true\n")
        }
        CheckKind::Singular { raw_sql } => raw_sql.clone(),
    }
}

/// Values that stand more than once. Rows with a null in the key are no duplicates.
fn repeated(rows: &str, columns: &[String]) -> String {
    let known: Vec<String> = columns
        .iter()
        .map(|column| format!("{column} is not null"))
        .collect();
    let columns = columns.join(", ");
    format!(
        "select {columns}, count(*) as row_count\nfrom {rows}\nwhere {}\n\
         group by {columns}\nhaving count(*) > 1\n",
        known.join(" and ")
    )
}

/// A column's name, in quotes unless it is plain.
fn quoted(name: &str) -> String {
    let is_plain = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if is_plain {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}
