//! Columns of raw tables: names that Delta can hold, and the union over all files.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, TimestampMicrosecondArray};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef, TimeUnit};
use chrono::{DateTime, Utc};

/// The column that says when a row was loaded.
const LOADED_AT: &str = "_loaded_at";

/// Names for the columns of a file: characters that a Delta column cannot have become `_`, and a
/// name that differs from a known one only in case is the known one.
pub(super) fn names(schema: &SchemaRef, known: Option<&SchemaRef>) -> Vec<String> {
    let mut taken = BTreeSet::new();
    let mut names = Vec::new();
    for field in schema.fields() {
        let mut name = clean(field.name());
        let same = known.into_iter().flat_map(|known| known.fields().iter());
        let mut same = same.filter(|known| known.name().eq_ignore_ascii_case(&name));
        if let Some(known) = same.next() {
            known.name().clone_into(&mut name);
        }
        let mut unique = name.clone();
        let mut number = 2;
        while !taken.insert(unique.to_lowercase()) {
            unique = format!("{name}_{number}");
            number += 1;
        }
        names.push(unique);
    }
    names
}

fn clean(name: &str) -> String {
    let mut cleaned = String::with_capacity(name.len());
    for character in name.trim().chars() {
        let bad = matches!(
            character,
            ' ' | ',' | ';' | '{' | '}' | '(' | ')' | '=' | '"' | '`'
        ) || character.is_control();
        if !bad {
            cleaned.push(character);
        } else if !cleaned.ends_with('_') {
            cleaned.push('_');
        }
    }
    let cleaned = if cleaned.len() > 1 {
        cleaned.trim_end_matches('_')
    } else {
        &cleaned
    };
    if cleaned.is_empty() {
        "column".to_owned()
    } else {
        cleaned.to_owned()
    }
}

/// The schema of a file's raw rows under these names.
pub(super) fn raw_schema(schema: &SchemaRef, names: &[String]) -> SchemaRef {
    let mut fields: Vec<Field> = schema
        .fields()
        .iter()
        .zip(names)
        .map(|(field, name)| Field::new(name, field.data_type().clone(), true))
        .collect();
    let instant = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    fields.push(Field::new(LOADED_AT, instant, true));
    Arc::new(Schema::new(fields))
}

/// A batch as raw rows.
pub(super) fn raw_batch(
    batch: &RecordBatch,
    schema: &SchemaRef,
    now: DateTime<Utc>,
) -> Result<RecordBatch, ArrowError> {
    let loaded = TimestampMicrosecondArray::from_value(now.timestamp_micros(), batch.num_rows())
        .with_timezone("UTC");
    let mut columns: Vec<ArrayRef> = batch.columns().to_vec();
    columns.push(Arc::new(loaded));
    RecordBatch::try_new(schema.clone(), columns)
}

/// The columns of all schemas, in the order in which they first come.
pub(super) fn union(base: Option<&SchemaRef>, others: &[SchemaRef]) -> SchemaRef {
    let mut fields: Vec<Arc<Field>> = Vec::new();
    for schema in base.into_iter().chain(others) {
        for field in schema.fields() {
            if !fields.iter().any(|known| known.name() == field.name()) {
                fields.push(field.clone());
            }
        }
    }
    Arc::new(Schema::new(fields))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(names: &[&str]) -> SchemaRef {
        let field = |name: &&str| Field::new(*name, DataType::Utf8, true);
        Arc::new(Schema::new(names.iter().map(field).collect::<Vec<_>>()))
    }

    #[test]
    fn names_become_what_delta_can_hold() {
        let found = names(
            &schema(&["Amount spent (EUR)", "id", "ID", "a=b", ""]),
            None,
        );
        assert_eq!(found, ["Amount_spent_EUR", "id", "ID_2", "a_b", "column"]);
    }

    #[test]
    fn a_name_in_another_case_is_the_known_column() {
        let known = schema(&["Campaign_Id"]);
        assert_eq!(
            names(&schema(&["campaign id", "campaign_id"]), Some(&known))[1],
            "Campaign_Id_2"
        );
        assert_eq!(
            names(&schema(&["CAMPAIGN_ID"]), Some(&known)),
            ["Campaign_Id"]
        );
    }
}
