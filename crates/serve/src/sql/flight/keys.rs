//! Keys of tables, as the project's own checks state them: a column that is unique and never null
//! is a primary key, a relationship is a foreign key. Only keys whose columns the caller sees.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow_array::{ArrayRef, Int32Array, RecordBatch, StringArray, UInt8Array};
use arrow_flight::sql::{
    CommandGetCrossReference, CommandGetExportedKeys, CommandGetImportedKeys,
    CommandGetPrimaryKeys, UpdateDeleteRules,
};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use tonic::Status;
use transform::compile::{Check, CheckKind, Manifest};

use super::describe::{catalog, unreadable};
use crate::access::Session;
use crate::access::session::CATALOG;

/// A primary key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Primary {
    /// Schema and name of its table.
    table: (String, String),
    columns: Vec<String>,
    name: String,
}

/// A foreign key, of one column.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Foreign {
    /// The table that is pointed to, and its column.
    to: ((String, String), String),
    /// The table that points, and its column.
    from: ((String, String), String),
    name: String,
}

/// Which tables are asked for.
struct Asked<'a> {
    catalog: Option<&'a String>,
    schema: Option<&'a String>,
    table: &'a str,
}

impl Asked<'_> {
    fn is(&self, (schema, table): &(String, String)) -> bool {
        self.catalog.is_none_or(|name| name == CATALOG)
            && self.schema.is_none_or(|name| name == schema)
            && self.table == table
    }
}

/// The columns of a primary key's description.
pub(super) fn primary_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("catalog_name", DataType::Utf8, true),
        Field::new("db_schema_name", DataType::Utf8, true),
        Field::new("table_name", DataType::Utf8, false),
        Field::new("column_name", DataType::Utf8, false),
        Field::new("key_name", DataType::Utf8, true),
        Field::new("key_sequence", DataType::Int32, false),
    ]))
}

/// The columns of a foreign key's description.
pub(super) fn foreign_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("pk_catalog_name", DataType::Utf8, true),
        Field::new("pk_db_schema_name", DataType::Utf8, true),
        Field::new("pk_table_name", DataType::Utf8, false),
        Field::new("pk_column_name", DataType::Utf8, false),
        Field::new("fk_catalog_name", DataType::Utf8, true),
        Field::new("fk_db_schema_name", DataType::Utf8, true),
        Field::new("fk_table_name", DataType::Utf8, false),
        Field::new("fk_column_name", DataType::Utf8, false),
        Field::new("key_sequence", DataType::Int32, false),
        Field::new("fk_key_name", DataType::Utf8, true),
        Field::new("pk_key_name", DataType::Utf8, true),
        Field::new("update_rule", DataType::UInt8, false),
        Field::new("delete_rule", DataType::UInt8, false),
    ]))
}

/// The primary key of a table.
pub(super) async fn primary(
    manifest: &Manifest,
    session: &Session,
    command: &CommandGetPrimaryKeys,
) -> Result<RecordBatch, Status> {
    let asked = Asked {
        catalog: command.catalog.as_ref(),
        schema: command.db_schema.as_ref(),
        table: &command.table,
    };
    let mut found = Vec::new();
    for key in primaries(manifest) {
        if asked.is(&key.table) && is_seen(session, &key.table, &key.columns).await {
            found.push(key);
        }
    }
    let parts: Vec<(&Primary, i32, &String)> = found
        .iter()
        .flat_map(|key| {
            (1..)
                .zip(&key.columns)
                .map(move |(at, name)| (key, at, name))
        })
        .collect();
    let text = |of: &dyn Fn(&(&Primary, i32, &String)) -> String| -> ArrayRef {
        Arc::new(
            parts
                .iter()
                .map(|part| Some(of(part)))
                .collect::<StringArray>(),
        )
    };
    let columns: Vec<ArrayRef> = vec![
        text(&|_| CATALOG.to_owned()),
        text(&|(key, ..)| key.table.0.clone()),
        text(&|(key, ..)| key.table.1.clone()),
        text(&|(_, _, column)| (*column).clone()),
        text(&|(key, ..)| key.name.clone()),
        Arc::new(
            parts
                .iter()
                .map(|(_, at, _)| Some(*at))
                .collect::<Int32Array>(),
        ),
    ];
    let batch = RecordBatch::try_new(primary_schema(), columns);
    batch.map_err(|error| unreadable(error.into()))
}

/// The foreign keys that point to a table.
pub(super) async fn exported(
    manifest: &Manifest,
    session: &Session,
    command: &CommandGetExportedKeys,
) -> Result<RecordBatch, Status> {
    let asked = Asked {
        catalog: command.catalog.as_ref(),
        schema: command.db_schema.as_ref(),
        table: &command.table,
    };
    let mut found = seen(manifest, session, |key| asked.is(&key.to.0)).await;
    found.sort_by(|one, other| (&one.from, &one.name).cmp(&(&other.from, &other.name)));
    foreign(&found)
}

/// The foreign keys of a table.
pub(super) async fn imported(
    manifest: &Manifest,
    session: &Session,
    command: &CommandGetImportedKeys,
) -> Result<RecordBatch, Status> {
    let asked = Asked {
        catalog: command.catalog.as_ref(),
        schema: command.db_schema.as_ref(),
        table: &command.table,
    };
    foreign(&seen(manifest, session, |key| asked.is(&key.from.0)).await)
}

/// The foreign keys of one table that point to another.
pub(super) async fn across(
    manifest: &Manifest,
    session: &Session,
    command: &CommandGetCrossReference,
) -> Result<RecordBatch, Status> {
    let to = Asked {
        catalog: command.pk_catalog.as_ref(),
        schema: command.pk_db_schema.as_ref(),
        table: &command.pk_table,
    };
    let from = Asked {
        catalog: command.fk_catalog.as_ref(),
        schema: command.fk_db_schema.as_ref(),
        table: &command.fk_table,
    };
    foreign(
        &seen(manifest, session, |key| {
            to.is(&key.to.0) && from.is(&key.from.0)
        })
        .await,
    )
}

fn foreign(keys: &[Foreign]) -> Result<RecordBatch, Status> {
    let text = |of: &dyn Fn(&Foreign) -> String| -> ArrayRef {
        Arc::new(
            keys.iter()
                .map(|key| Some(of(key)))
                .collect::<StringArray>(),
        )
    };
    let rule = i32::from(UpdateDeleteRules::NoAction);
    let rule = u8::try_from(rule).unwrap_or_default();
    let rules: ArrayRef = Arc::new(UInt8Array::from(vec![rule; keys.len()]));
    let columns: Vec<ArrayRef> = vec![
        text(&|_| CATALOG.to_owned()),
        text(&|key| key.to.0.0.clone()),
        text(&|key| key.to.0.1.clone()),
        text(&|key| key.to.1.clone()),
        text(&|_| CATALOG.to_owned()),
        text(&|key| key.from.0.0.clone()),
        text(&|key| key.from.0.1.clone()),
        text(&|key| key.from.1.clone()),
        Arc::new(Int32Array::from(vec![1; keys.len()])),
        text(&|key| key.name.clone()),
        Arc::new(StringArray::from(vec![None::<&str>; keys.len()])),
        rules.clone(),
        rules,
    ];
    let batch = RecordBatch::try_new(foreign_schema(), columns);
    batch.map_err(|error| unreadable(error.into()))
}

/// The primary keys of all models, one for each.
fn primaries(manifest: &Manifest) -> Vec<Primary> {
    let never_null: BTreeSet<(&str, &str)> = manifest
        .checks
        .iter()
        .filter(|check| check.kind == CheckKind::NotNull && check.where_.is_none())
        .filter_map(|check| Some((check.model.as_deref()?, check.column.as_deref()?)))
        .collect();
    let key = |check: &Check| {
        let model = check.model.as_deref().filter(|_| check.where_.is_none())?;
        let columns = match &check.kind {
            CheckKind::Unique => vec![check.column.clone()?],
            CheckKind::UniqueCombination { columns } => columns.clone(),
            _ => return None,
        };
        let holds = columns
            .iter()
            .all(|name| never_null.contains(&(model, name.as_str())));
        holds.then_some(Primary {
            table: table_of(manifest, model)?,
            columns,
            name: check.name.clone(),
        })
    };
    let mut all: Vec<Primary> = manifest.checks.iter().filter_map(key).collect();
    all.sort_by(|one, other| {
        let rank = |key: &Primary| (key.table.clone(), key.columns.len(), key.name.clone());
        rank(one).cmp(&rank(other))
    });
    all.dedup_by(|one, other| one.table == other.table);
    all
}

/// The foreign keys that fit, and of which the caller sees both ends.
async fn seen(
    manifest: &Manifest,
    session: &Session,
    fits: impl Fn(&Foreign) -> bool,
) -> Vec<Foreign> {
    let mut all: Vec<Foreign> = Vec::new();
    for check in &manifest.checks {
        let Some(key) = foreign_key(manifest, check).filter(&fits) else {
            continue;
        };
        let ends = [&key.to, &key.from];
        let mut is_whole = true;
        for (table, column) in ends {
            is_whole &= is_seen(session, table, std::slice::from_ref(column)).await;
        }
        if is_whole {
            all.push(key);
        }
    }
    all.sort();
    all
}

fn foreign_key(manifest: &Manifest, check: &Check) -> Option<Foreign> {
    let CheckKind::Relationships { to, field } = &check.kind else {
        return None;
    };
    let to = split(&manifest.table_of(to))?;
    let from = table_of(manifest, check.model.as_deref()?)?;
    Some(Foreign {
        to: (to, field.clone()),
        from: (from, check.column.clone()?),
        name: check.name.clone(),
    })
}

/// Schema and name of a model's table.
fn table_of(manifest: &Manifest, model: &str) -> Option<(String, String)> {
    split(&manifest.models.get(model)?.table())
}

fn split(table: &str) -> Option<(String, String)> {
    let (schema, name) = table.split_once('.')?;
    Some((schema.to_owned(), name.to_owned()))
}

/// Whether a session shows these columns.
async fn is_seen(
    session: &Session,
    (schema, table): &(String, String),
    columns: &[String],
) -> bool {
    let Some(schema) = catalog(session).and_then(|catalog| catalog.schema(schema)) else {
        return false;
    };
    let Ok(Some(table)) = schema.table(table).await else {
        return false;
    };
    let shown = table.schema();
    columns.iter().all(|name| shown.index_of(name).is_ok())
}
