//! `/tables`: what the caller may see, and its rows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow_schema::SchemaRef;
use axum::extract::Path;
use axum::response::Response;
use serde::Serialize;
use serde_json::{Map, Value, json};
use transform::compile::Manifest;
use transform::project::Properties;
use utoipa::ToSchema;

use super::ask::Ask;
use super::conditions::is_comparable;
use super::encode::type_name;
use super::endpoint::{Endpoint, Param};
use super::page::{self, Of};
use super::problem::Problem;
use super::rows;
use crate::access::Session;
use crate::access::policy::Seen;
use crate::access::session::catalog::CATALOG;

/// Schemas that describe others.
const DESCRIBING: [&str; 2] = ["information_schema", "pg_catalog"];

/// All tables that the caller may see.
#[derive(Debug, Serialize, ToSchema)]
struct Tables {
    /// They, by schema and name.
    tables: Vec<TableName>,
}

/// A table in a list.
#[derive(Debug, Serialize, ToSchema)]
struct TableName {
    /// Its schema.
    schema: String,
    /// Its name.
    name: String,
    /// What it is.
    description: String,
}

/// A table.
#[derive(Debug, Serialize, ToSchema)]
struct Table {
    /// Its schema.
    schema: String,
    /// Its name.
    name: String,
    /// What it is.
    description: String,
    /// The columns whose values together are there once; none if they are not known or not seen.
    key: Vec<String>,
    /// The columns that the caller may see.
    columns: Vec<Column>,
}

/// A column.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Column {
    /// Its name.
    name: String,
    /// Its type, as SQL calls it.
    #[serde(rename = "type")]
    kind: String,
    /// What it means, with its unit.
    description: String,
    /// What kind of data it holds: `pii: email`.
    tags: Vec<String>,
    /// The caller sees something else in the place of its values.
    is_masked: bool,
}

/// Rows of a table.
#[derive(Serialize, ToSchema)]
pub(super) struct RowsPage {
    /// The columns, in their order.
    columns: Vec<rows::ColumnAnswer>,
    /// The rows, as objects by the names of the columns.
    rows: Vec<Map<String, Value>>,
    /// How many rows there are here.
    row_count: u64,
    /// There is another page.
    is_truncated: bool,
    /// Where the next page begins; null after the last.
    cursor: Option<String>,
    /// The next page, as a path of this server; null after the last.
    next: Option<String>,
}

const SCHEMA: Param = Param {
    name: "schema",
    schema: r#"{"type": "string", "examples": ["marts"]}"#,
    description: "Only tables of this schema.",
};

/// An example of a page.
pub(super) fn example() -> Value {
    json!({
        "columns": [
            {"name": "date", "type": "date"}, {"name": "channel", "type": "text"},
            {"name": "net_revenue", "type": "decimal(38,9)"},
        ],
        "rows": [{"date": "2026-06-30", "channel": "Email", "net_revenue": "1204.500000000"}],
        "row_count": 1, "is_truncated": true, "cursor": "b2Zmc2V0",
        "next": "/api/v1/tables/marts/mart_worth_daily/rows?limit=1&cursor=b2Zmc2V0",
    })
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    let column = json!({
        "name": "channel", "type": "text", "description": "Name of the channel.", "tags": [],
        "is_masked": false,
    });
    let name = json!({
        "schema": "marts", "name": "mart_worth_daily", "description": "Figures by day and channel.",
    });
    let table = json!({
        "schema": "marts", "name": "mart_worth_daily", "description": "Figures by day and channel.",
        "key": ["date"], "columns": [column],
    });
    vec![
        Endpoint::get("/api/v1/tables", list)
            .says(
                "listTables",
                "All tables",
                "The tables that the caller may see.",
            )
            .tag("tables")
            .takes(&[SCHEMA])
            .gives::<Tables>(200, "The tables.", json!({"tables": [name]})),
        Endpoint::get("/api/v1/tables/{schema}/{table}", show)
            .says(
                "getTable",
                "One table",
                "Its columns, as far as the caller may see them.",
            )
            .tag("tables")
            .gives::<Table>(200, "The table.", table),
        Endpoint::get("/api/v1/tables/{schema}/{table}/rows", table_rows)
            .says(
                "listRows",
                "Rows of a table",
                "Pages of rows. Every other parameter is a condition on a column, and all must \
                 hold: `channel=Email` (several: one of them), `channel[in]=Email,Direct`, \
                 `net_revenue[gte]=10`, and so on with `ne` (another value, or none), `gt`, `lt`, \
                 `lte`, `contains`, `starts_with`, `is_null` (`true` or `false`). A column that \
                 has the name of a parameter is asked as `limit[eq]=3`.",
            )
            .tag("tables")
            .takes(&page::PARAMS)
            .takes_conditions()
            .gives_rows::<RowsPage>("The rows.", example()),
    ]
}

async fn list(ask: Ask) -> Result<Response, Problem> {
    let session = ask.session().await?;
    let described = descriptions(&ask.app.doors.manifest);
    let asked = ask.params.get("schema");
    let tables = names(&session).into_iter().filter_map(|full| {
        let (schema, name) = full.split_once('.')?;
        asked
            .is_none_or(|asked| asked == schema)
            .then(|| TableName {
                schema: schema.to_owned(),
                name: name.to_owned(),
                description: described.get(&full).cloned().unwrap_or_default(),
            })
    });
    Ok(rows::json(&Tables {
        tables: tables.collect(),
    }))
}

async fn show(
    ask: Ask,
    Path((schema, table)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let session = ask.session().await?;
    let visible = visible(&session, &schema, &table).await?;
    let properties = properties(&ask.app.doors.manifest, &schema, &table);
    Ok(rows::json(&Table {
        description: properties.map_or_else(String::new, |known| known.description.clone()),
        key: key(&ask, &schema, &table, &visible),
        columns: columns(&ask, &schema, &table, &visible),
        schema,
        name: table,
    }))
}

async fn table_rows(
    ask: Ask,
    Path((schema, table)): Path<(String, String)>,
) -> Result<Response, Problem> {
    page::page(&ask, Of::table(&schema, &table)).await
}

/// The columns of a table that a session shows.
///
/// # Errors
/// It shows no such table; one that is not there and one that may not be seen look alike.
pub(super) async fn visible(
    session: &Session,
    schema: &str,
    table: &str,
) -> Result<SchemaRef, Problem> {
    let missing = || {
        let shown =
            |text: &str| -> String { text.chars().filter(|c| !c.is_control()).take(63).collect() };
        let (schema, table) = (shown(schema), shown(table));
        Problem::missing(format!(
            "there is no table `{schema}.{table}`, or you may not read it"
        ))
        .hint("GET /api/v1/tables lists what you may read")
    };
    // The session's own principal may have been revoked meanwhile.
    session.principal()?;
    let catalog = session.context().catalog(CATALOG);
    let provider = catalog
        .and_then(|catalog| catalog.schema(schema))
        .ok_or_else(missing)?;
    let found = provider.table(table).await;
    let found = found.map_err(|error| crate::access::AccessError::of_planning(&error))?;
    Ok(found.ok_or_else(missing)?.schema())
}

/// The columns with what is known of them.
pub(super) fn columns(ask: &Ask, schema: &str, table: &str, visible: &SchemaRef) -> Vec<Column> {
    let tags = ask.app.doors.gate.tags();
    let masked = masked(ask, schema, table, visible);
    let properties = properties(&ask.app.doors.manifest, schema, table);
    let described = |name: &str| {
        let columns = properties
            .map(|known| known.columns.as_slice())
            .unwrap_or_default();
        let found = columns.iter().find(|column| column.name == name);
        found.map_or_else(String::new, |column| column.description.clone())
    };
    let fields = visible.fields().iter().zip(masked);
    let all = fields.map(|(field, is_masked)| Column {
        name: field.name().clone(),
        kind: type_name(field.data_type()),
        description: described(field.name()),
        tags: tags
            .column(schema, table, field.name())
            .iter()
            .map(ToString::to_string)
            .collect(),
        is_masked,
    });
    all.collect()
}

/// Of each column, whether the principal sees something else in the place of its values.
fn masked(ask: &Ask, schema: &str, table: &str, visible: &SchemaRef) -> Vec<bool> {
    let tags = ask.app.doors.gate.tags();
    let seen: Vec<Seen<'_>> = visible
        .fields()
        .iter()
        .map(|field| Seen {
            name: field.name(),
            tags: tags.column(schema, table, field.name()),
        })
        .collect();
    let rights = ask.app.doors.gate.rights(ask.caller.principal.clone());
    let rights = rights.table(schema, table, &seen);
    let of = |index: usize| {
        let columns = rights.as_ref().map(|rights| rights.columns.as_slice());
        let mut columns = columns.unwrap_or_default().iter();
        columns.any(|column| column.index == index && column.mask.is_some())
    };
    (0..seen.len()).map(of).collect()
}

/// The columns whose values together are there once, if some are known, and the principal sees them
/// as they are; none otherwise.
pub(super) fn key(
    ask: &Ask,
    schema: &str,
    table: &str,
    visible: &arrow_schema::Schema,
) -> Vec<String> {
    let Some(properties) = properties(&ask.app.doors.manifest, schema, table) else {
        return vec![];
    };
    let has = |column: &transform::project::ColumnDoc, kind: &str| {
        column.tests.iter().any(|test| test.kind == kind)
    };
    let alone = properties
        .columns
        .iter()
        .filter(|column| has(column, "unique") && has(column, "not_null"))
        .map(|column| vec![column.name.clone()]);
    let tests = properties.tests.iter();
    let together = tests
        .filter(|test| test.kind == "unique_combination_of_columns")
        .filter_map(|test| {
            let columns = test.arguments.get("combination_of_columns");
            let columns = columns
                .or_else(|| test.arguments.get("columns"))?
                .as_array()?;
            let names = columns.iter().map(|name| name.as_str().map(str::to_owned));
            names.collect::<Option<Vec<String>>>()
        });
    let masked = masked(ask, schema, table, &Arc::new(visible.clone()));
    let is_plain = |name: &String| {
        let found = visible.column_with_name(name);
        found.is_some_and(|(at, field)| {
            masked.get(at) == Some(&false) && is_comparable(field.data_type())
        })
    };
    let mut known = alone.chain(together);
    known
        .find(|names| names.iter().all(is_plain))
        .unwrap_or_default()
}

/// The tables that a session shows, as `schema.name`.
pub(super) fn names(session: &Session) -> BTreeSet<String> {
    let Some(catalog) = session.context().catalog(CATALOG) else {
        return BTreeSet::new();
    };
    let schemas = catalog.schema_names().into_iter();
    let schemas = schemas.filter(|name| !DESCRIBING.contains(&name.as_str()));
    let tables = schemas.flat_map(|schema| {
        let names = catalog.schema(&schema).map(|found| found.table_names());
        let names = names.unwrap_or_default().into_iter();
        names.map(move |name| format!("{schema}.{name}"))
    });
    tables.collect()
}

/// What the project says of a table.
pub(super) fn properties<'a>(
    manifest: &'a Manifest,
    schema: &str,
    table: &str,
) -> Option<&'a Properties> {
    if schema == "seeds" {
        return manifest
            .project
            .seeds
            .get(table)
            .map(|seed| &seed.properties);
    }
    let model = manifest.models.get(table)?;
    (model.layer().schema() == schema).then_some(&model.model.properties)
}

/// The descriptions of all tables, by schema and name.
fn descriptions(manifest: &Manifest) -> BTreeMap<String, String> {
    let models = manifest.models.values().map(|model| {
        let description = model.model.properties.description.trim().to_owned();
        (model.table(), description)
    });
    let seeds = manifest.project.seeds.values().map(|seed| {
        let description = seed.properties.description.trim().to_owned();
        (format!("seeds.{}", seed.name), description)
    });
    models.chain(seeds).collect()
}
