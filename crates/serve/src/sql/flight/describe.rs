//! Descriptions: catalogues, schemas, tables, keys, types, and the server itself. All of it out of
//! the catalogue of the caller's own session, which holds only what it may see.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow_array::{RecordBatch, StringArray};
use arrow_flight::error::FlightError;
use arrow_flight::sql::metadata::{GetDbSchemasBuilder, GetTablesBuilder, SqlInfoDataBuilder};
use arrow_flight::sql::{
    Any, Command, CommandGetDbSchemas, CommandGetTables, CommandGetXdbcTypeInfo,
};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use bytes::Bytes;
use datafusion::catalog::CatalogProvider;
use datafusion::logical_expr::TableType;
use prost::Message as _;
use tonic::Status;

use super::house::House;
use super::login::Caller;
use super::stream::plain_schema;
use super::{error, info, keys};
use crate::access::Session;
use crate::access::session::CATALOG;

/// Longest pattern in bytes, and longest list of what is asked for.
const LONGEST: usize = 1_000;
/// Kinds of tables.
const TABLE: &str = "TABLE";
const VIEW: &str = "VIEW";

/// The command of a description; none if it is another one.
///
/// # Errors
/// It cannot be read.
pub(super) fn read(command: &Bytes) -> Result<Option<Command>, Status> {
    let malformed = || error::malformed("the command");
    let any = Any::decode(command.clone()).map_err(|_| malformed())?;
    let command = Command::try_from(any).map_err(|_| malformed())?;
    let is_description = matches!(
        command,
        Command::CommandGetCatalogs(_)
            | Command::CommandGetDbSchemas(_)
            | Command::CommandGetTables(_)
            | Command::CommandGetTableTypes(_)
            | Command::CommandGetSqlInfo(_)
            | Command::CommandGetXdbcTypeInfo(_)
            | Command::CommandGetPrimaryKeys(_)
            | Command::CommandGetExportedKeys(_)
            | Command::CommandGetImportedKeys(_)
            | Command::CommandGetCrossReference(_)
    );
    Ok(is_description.then_some(command))
}

/// The columns of a description.
pub(super) fn schema(command: &Command) -> SchemaRef {
    match command {
        Command::CommandGetCatalogs(_) => one_column("catalog_name"),
        Command::CommandGetTableTypes(_) => one_column("table_type"),
        Command::CommandGetDbSchemas(command) => {
            GetDbSchemasBuilder::from(command.clone()).schema()
        }
        Command::CommandGetTables(command) => GetTablesBuilder::from(command.clone()).schema(),
        Command::CommandGetPrimaryKeys(_) => keys::primary_schema(),
        Command::CommandGetExportedKeys(_)
        | Command::CommandGetImportedKeys(_)
        | Command::CommandGetCrossReference(_) => keys::foreign_schema(),
        Command::CommandGetSqlInfo(_) => Arc::new(SqlInfoDataBuilder::schema().clone()),
        Command::CommandGetXdbcTypeInfo(_) => {
            arrow_flight::sql::metadata::XdbcTypeInfoDataBuilder::new().schema()
        }
        _ => Arc::new(Schema::empty()),
    }
}

fn one_column(name: &str) -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new(name, DataType::Utf8, false)]))
}

/// The rows of a description.
pub(super) async fn rows(
    house: &House,
    caller: &Caller,
    command: Command,
) -> Result<RecordBatch, Status> {
    check(&command)?;
    let session = house.session(caller).await?;
    let manifest = &house.doors.manifest;
    match command {
        Command::CommandGetCatalogs(_) => texts("catalog_name", &[CATALOG]),
        Command::CommandGetTableTypes(_) => texts("table_type", &[TABLE, VIEW]),
        Command::CommandGetDbSchemas(command) => schemas(&session, command),
        Command::CommandGetTables(command) => tables(&session, command).await,
        Command::CommandGetPrimaryKeys(command) => {
            keys::primary(manifest, &session, &command).await
        }
        Command::CommandGetExportedKeys(command) => {
            keys::exported(manifest, &session, &command).await
        }
        Command::CommandGetImportedKeys(command) => {
            keys::imported(manifest, &session, &command).await
        }
        Command::CommandGetCrossReference(command) => {
            keys::across(manifest, &session, &command).await
        }
        Command::CommandGetSqlInfo(command) => {
            let all = info::server().map_err(unreadable)?;
            let asked: BTreeSet<u32> = command.info.into_iter().collect();
            all.record_batch(asked).map_err(unreadable)
        }
        Command::CommandGetXdbcTypeInfo(CommandGetXdbcTypeInfo { data_type }) => {
            let all = info::types().map_err(unreadable)?;
            all.record_batch(data_type).map_err(unreadable)
        }
        _ => Err(error::no_handle("ticket")),
    }
}

/// Patterns and lists as long as anybody needs; each is gone through for every table.
fn check(command: &Command) -> Result<(), Status> {
    let is_long = |text: &Option<String>| text.as_ref().is_some_and(|text| text.len() > LONGEST);
    let is_too_much = match command {
        Command::CommandGetDbSchemas(command) => is_long(&command.db_schema_filter_pattern),
        Command::CommandGetTables(command) => {
            is_long(&command.db_schema_filter_pattern)
                || is_long(&command.table_name_filter_pattern)
                || command.table_types.len() > LONGEST
        }
        Command::CommandGetSqlInfo(command) => command.info.len() > LONGEST,
        _ => false,
    };
    match is_too_much {
        true => Err(error::malformed("so long a filter")),
        false => Ok(()),
    }
}

fn texts(name: &str, values: &[&str]) -> Result<RecordBatch, Status> {
    let values = Arc::new(StringArray::from(values.to_vec()));
    let batch = RecordBatch::try_new(one_column(name), vec![values]);
    batch.map_err(|error| unreadable(error.into()))
}

fn schemas(session: &Session, command: CommandGetDbSchemas) -> Result<RecordBatch, Status> {
    let mut builder = GetDbSchemasBuilder::from(command);
    for name in catalog(session)
        .map(|all| all.schema_names())
        .unwrap_or_default()
    {
        builder.append(CATALOG, name);
    }
    builder.build().map_err(unreadable)
}

async fn tables(session: &Session, command: CommandGetTables) -> Result<RecordBatch, Status> {
    let fits =
        |pattern: Option<&String>, name: &str| pattern.is_none_or(|pattern| like(pattern, name));
    let mut builder = GetTablesBuilder::from(command.clone());
    let catalog = catalog(session);
    let schemas = catalog.iter().flat_map(|catalog| {
        let names = catalog.schema_names().into_iter();
        names.filter_map(|name| Some((catalog.schema(&name)?, name)))
    });
    for (schema, schema_name) in schemas {
        if !fits(command.db_schema_filter_pattern.as_ref(), &schema_name) {
            continue;
        }
        for name in schema.table_names() {
            if !fits(command.table_name_filter_pattern.as_ref(), &name) {
                continue;
            }
            // One that the caller may not read after all is left out, whatever the reason.
            let Ok(Some(table)) = schema.table(&name).await else {
                continue;
            };
            let kind = match table.table_type() {
                TableType::View => VIEW,
                _ => TABLE,
            };
            let columns = promised(&table.schema());
            let appended = builder.append(CATALOG, &schema_name, &name, kind, &columns);
            appended.map_err(unreadable)?;
        }
    }
    builder.build().map_err(unreadable)
}

/// A table's columns in the types in which its rows are sent, and whether they can be null.
fn promised(columns: &SchemaRef) -> Schema {
    let plain = plain_schema(columns);
    let fields = plain.fields().iter().zip(columns.fields());
    let fields = fields.map(|(plain, field)| {
        let plain = plain.as_ref().clone();
        plain.with_nullable(field.is_nullable())
    });
    Schema::new(fields.collect::<Vec<_>>())
}

/// The catalogue of a session.
pub(super) fn catalog(session: &Session) -> Option<Arc<dyn CatalogProvider>> {
    session.context().catalog(CATALOG)
}

/// Whether a name fits a pattern: `%` stands for any letters, `_` for one, `\` before them for
/// themselves.
fn like(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let (mut at, mut here) = (0, 0);
    // Where the last `%` stands, and up to where it has taken letters.
    let mut any: Option<(usize, usize)> = None;
    while here < name.len() {
        let (length, is_wild) = match (pattern.get(at), pattern.get(at + 1)) {
            (Some('\\'), Some('%' | '_' | '\\')) => (2, false),
            (Some('_'), _) => (1, true),
            _ => (1, false),
        };
        let letter = pattern.get(at + length - 1);
        if length == 1 && letter == Some(&'%') {
            any = Some((at, here));
            at += 1;
        } else if letter.is_some() && (is_wild || letter == name.get(here)) {
            at += length;
            here += 1;
        } else if let Some((place, taken)) = any {
            any = Some((place, taken + 1));
            at = place + 1;
            here = taken + 1;
        } else {
            return false;
        }
    }
    pattern
        .get(at..)
        .is_some_and(|rest| rest.iter().all(|letter| *letter == '%'))
}

/// A description that cannot be made. What the library says is about the server, not about rows.
pub(super) fn unreadable(error: FlightError) -> Status {
    log::error!("a description at the Flight SQL door: {error}");
    error::internal("the description cannot be made")
}

#[cfg(test)]
mod tests {
    use super::like;

    #[test]
    fn patterns_are_those_of_like() {
        for (pattern, name, fits) in [
            ("events", "events", true),
            ("events", "event", false),
            ("", "", true),
            ("", "a", false),
            ("%", "", true),
            ("%", "anything", true),
            ("fct%", "fct_order", true),
            ("%order", "fct_order", true),
            ("%o%d%r", "fct_order", true),
            ("fct_order", "fctxorder", true),
            ("fct\\_order", "fctxorder", false),
            ("fct\\_order", "fct_order", true),
            ("a\\%", "a%", true),
            ("a\\%", "ab", false),
            ("a%%b", "ab", true),
            ("_", "", false),
            ("_%", "ä", true),
            ("%aab", "aaaab", true),
        ] {
            assert_eq!(like(pattern, name), fits, "{pattern} {name}");
        }
    }
}
