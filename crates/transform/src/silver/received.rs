//! Received rows under the names by which a model reads them.
//!
//! A file of text has columns, one of records (JSON, Parquet, Avro …) has documents. A model of a
//! kind that declares its columns need not know which: it reads the declared columns from both, in
//! whatever case the file writes them, as texts; null words and empty texts are null, and a column
//! that a file lacks is there as null.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow_schema::SchemaRef;
use domain::cleanse::Defaults;
use domain::config::Stream;
use lake::{LakeTable, Origin, Table, TableName};

use super::rules::{self, Cleansed};
use super::stage::current_files;
use crate::compile::{ParsedModel, Target};
use crate::run::Context;
use crate::{Result, Warehouse};

/// Raw columns that the program wrote; all others are the provider's, as received.
pub(super) const META: [&str; 9] = [
    "_raw_id",
    "_file_id",
    "_file",
    "_row",
    "_effective_at",
    "_row_hash",
    "_loaded_at",
    SURPLUS,
    MALFORMED,
];

/// Raw column of what a row of text has beyond the header: a JSON list of texts.
pub(super) const SURPLUS: &str = "_surplus";

/// Raw column of records: `payload` is not valid JSON.
pub(super) const MALFORMED: &str = "_malformed";

/// Raw column of a record: the document.
pub(super) const PAYLOAD: &str = "payload";

/// Registers all current raw rows that a model reads.
pub(crate) async fn register_all_sources(context: &Context<'_>, model: &ParsedModel) -> Result<()> {
    register_sources(context, model, ("", ""), &BTreeMap::new()).await?;
    Ok(())
}

/// Name of what was received of a stream that has cleansing rules, as it came.
pub(super) fn received_name(source: &str, stream: &str) -> String {
    format!("__received_{source}__{stream}")
}

/// Registers the raw rows that a model reads: of its first stream those of `files`, of others all
/// that are current. Gives the columns of its first stream that are cleansed.
pub(super) async fn register_sources(
    context: &Context<'_>,
    model: &ParsedModel,
    primary: (&str, &str),
    files: &BTreeMap<i64, Origin>,
) -> Result<Vec<Cleansed>> {
    let streams = context.manifest.project.streams();
    let country = context
        .manifest
        .project
        .config
        .reporting
        .home_country
        .as_ref();
    let mut cleansed = Vec::new();
    for dependency in &model.dependencies {
        let Target::Source { source, stream } = &dependency.target else {
            continue;
        };
        let Some(settings) = streams
            .iter()
            .find(|known| known.source == *source && known.name == *stream)
        else {
            continue;
        };
        let name = TableName::new("raw", format!("{source}__{stream}"));
        let raw = context.warehouse.lake.table(&name).await?;
        let wanted: BTreeSet<i64> = if (source.as_str(), stream.as_str()) == primary {
            files.keys().copied().collect()
        } else {
            raw.as_deref()
                .map(current_files)
                .unwrap_or_default()
                .into_keys()
                .collect()
        };
        let declared = context.manifest.project.stream_kind(settings);
        let declared = declared
            .map(|kind| kind.columns.clone())
            .unwrap_or_default();
        let (warehouse, model) = (context.warehouse, model.name());
        match raw.as_deref() {
            Some(raw) => {
                let defaults = rules::defaults(country, Some(settings));
                let kept = (&wanted, declared.as_slice(), &defaults);
                let columns = register_source(warehouse, model, settings, raw, kept).await?;
                if (source.as_str(), stream.as_str()) == primary {
                    cleansed = columns;
                }
            }
            None => {
                let name = format!("{source}__{stream}");
                register_nothing(warehouse, model, &name, &declared).await?;
            }
        }
    }
    Ok(cleansed)
}

async fn register_source(
    warehouse: &Warehouse,
    model: &str,
    stream: &Stream,
    raw: &Table,
    (files, declared, defaults): (&BTreeSet<i64>, &[String], &Defaults),
) -> Result<Vec<Cleansed>> {
    let name = format!("{}__{}", stream.source, stream.name);
    let scan = LakeTable::only(raw, |file| {
        file.tag
            .origins
            .iter()
            .any(|origin| files.contains(&origin.file_id))
    });
    let mut others = raw.files.iter().flat_map(|file| &file.tag.origins);
    let mixed = others.any(|origin| !files.contains(&origin.file_id));
    let received = warehouse.lend(model, &format!("__raw_{name}"), Arc::new(scan))?;
    let null_words = stream.files.null_words.as_deref().unwrap_or_default();
    let filter = match files.is_empty() {
        true => " where false".to_owned(),
        false if mixed => {
            let ids: Vec<String> = files.iter().map(i64::to_string).collect();
            format!(" where \"_file_id\" in ({})", ids.join(", "))
        }
        false => String::new(),
    };
    let rows = format!("{received}{filter}");
    let sql = columns_read(&raw.schema, declared, null_words, &rows);
    let view = warehouse.sql(&sql).await?;
    let columns: Vec<String> = provided(view.schema().as_arrow())
        .map(str::to_owned)
        .collect();
    let cleansed = rules::of_stream(model, stream, &columns, defaults)?;
    if cleansed.is_empty() {
        warehouse.lend(model, &name, view.into_view())?;
        return Ok(cleansed);
    }
    let all = view
        .schema()
        .fields()
        .iter()
        .map(|field| field.name().clone());
    let all: Vec<String> = all.collect();
    let as_received = received_name(&stream.source, &stream.name);
    let as_received = warehouse.lend(model, &as_received, view.into_view())?;
    let list = all.iter().map(|column| {
        let shown = quoted_name(column);
        match cleansed.iter().find(|rules| rules.name == *column) {
            Some(rules) => {
                let spec = quoted_text(rules.recipe.spec());
                format!("cleanse({shown}, {spec}) as {shown}")
            }
            None => shown,
        }
    });
    let list = list.collect::<Vec<_>>().join(", ");
    let sql = format!("select {list} from {as_received}");
    let view = warehouse.sql(&sql).await?.into_view();
    warehouse.lend(model, &name, view)?;
    Ok(cleansed)
}

/// The columns of a provider's that are texts.
fn provided(schema: &arrow_schema::Schema) -> impl Iterator<Item = &str> {
    use arrow_schema::DataType::{LargeUtf8, Utf8, Utf8View};
    let fields = schema.fields().iter();
    let texts = fields.filter(|field| matches!(field.data_type(), Utf8 | LargeUtf8 | Utf8View));
    let names = texts.map(|field| field.name().as_str());
    names.filter(|name| !META.contains(name) && *name != PAYLOAD)
}

/// The query that gives raw rows their columns.
fn columns_read(raw: &SchemaRef, declared: &[String], null_words: &[String], rows: &str) -> String {
    let has_documents = raw.column_with_name(PAYLOAD).is_some();
    let reads_documents = has_documents && !declared.is_empty();
    let mut named = named_columns(raw, declared);
    for name in declared {
        if !named.iter().any(|(known, _)| known == name) {
            named.push((name, Vec::new()));
        }
    }
    let nulls = std::iter::once("").chain(null_words.iter().map(String::as_str));
    let nulls: Vec<String> = nulls.map(quoted_text).collect();
    let nulls = nulls.join(", ");
    let is_ours = |name: &str| META.contains(&name) || (has_documents && name == PAYLOAD);
    let (mut inner, mut outer) = (Vec::new(), Vec::new());
    for (name, columns) in &named {
        let shown = quoted_name(name);
        if is_ours(name) {
            inner.push(shown.clone());
            outer.push(shown);
            continue;
        }
        let stated =
            |value: String| format!("case when {value} in ({nulls}) then null else {value} end");
        let mut values: Vec<String> = columns.iter().map(|name| quoted_name(name)).collect();
        inner.extend(values.iter().cloned());
        if reads_documents && declared.iter().any(|known| known == name) {
            values.push(format!("__document[{}]", quoted_text(name)));
        }
        let mut values: Vec<String> = values.into_iter().map(stated).collect();
        let value = match values.len() {
            0 => "cast(null as text)".to_owned(),
            1 => values.remove(0),
            _ => format!("coalesce({})", values.join(", ")),
        };
        outer.push(format!("{value} as {shown}"));
    }
    if reads_documents {
        let members: Vec<String> = declared.iter().map(|name| quoted_name(name)).collect();
        let shape = quoted_text(&format!("columns<{}>", members.join(", ")));
        inner.push(format!("from_json({PAYLOAD}, {shape}) as __document"));
        let inner = inner.join(", ");
        return format!(
            "select {} from (select {inner} from {rows})",
            outer.join(", ")
        );
    }
    format!("select {} from {rows}", outer.join(", "))
}

fn quoted_name(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn quoted_text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The columns of a raw table under the names by which a model reads them. Where a file writes a
/// declared column in another case, as unloads of Snowflake do, it is read under the declared name.
fn named_columns<'a>(raw: &'a SchemaRef, declared: &'a [String]) -> Vec<(&'a str, Vec<&'a str>)> {
    let mut named: Vec<(&str, Vec<&str>)> = Vec::new();
    for field in raw.fields() {
        let column = field.name().as_str();
        let is_exact = META.contains(&column) || declared.iter().any(|name| name == column);
        let other = declared
            .iter()
            .find(|name| name.eq_ignore_ascii_case(column));
        let shown = other.filter(|_| !is_exact).map_or(column, String::as_str);
        match named.iter_mut().find(|(name, _)| *name == shown) {
            Some((_, columns)) => columns.push(column),
            None => named.push((shown, vec![column])),
        }
    }
    named
}

/// Registers a stream of which nothing was delivered yet: no rows, with the columns that the kind
/// declares.
async fn register_nothing(
    warehouse: &Warehouse,
    model: &str,
    name: &str,
    declared: &[String],
) -> Result<()> {
    let instant = crate::warehouse::cast("null", domain::entity::ColumnKind::Instant);
    let mut list = vec![
        "cast(null as bigint) as \"_raw_id\"".to_owned(),
        "cast(null as bigint) as \"_file_id\"".to_owned(),
        "cast(null as text) as \"_file\"".to_owned(),
        "cast(null as bigint) as \"_row\"".to_owned(),
        format!("{instant} as \"_effective_at\""),
    ];
    let payload = ["payload".to_owned()];
    let columns = if declared.is_empty() {
        &payload[..]
    } else {
        declared
    };
    list.extend(
        columns
            .iter()
            .map(|column| format!("cast(null as text) as \"{column}\"")),
    );
    let sql = format!("select {} where false", list.join(", "));
    let view = warehouse.sql(&sql).await?.into_view();
    warehouse.lend(model, name, view)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use arrow_schema::{DataType, Field, Schema};

    use super::*;

    #[test]
    fn a_declared_column_is_found_in_any_case_and_others_keep_theirs() {
        let names = ["_raw_id", "AD_ID", "ad_id", "Day", "day_name", "Extra"];
        let fields = names.map(|name| Field::new(name, DataType::Utf8, true));
        let raw: SchemaRef = Arc::new(Schema::new(fields.to_vec()));
        let declared = ["ad_id", "day", "DAY_NAME"].map(str::to_owned);
        let found = named_columns(&raw, &declared);
        let wanted: [(&str, Vec<&str>); 5] = [
            ("_raw_id", vec!["_raw_id"]),
            ("ad_id", vec!["AD_ID", "ad_id"]),
            ("day", vec!["Day"]),
            ("DAY_NAME", vec!["day_name"]),
            ("Extra", vec!["Extra"]),
        ];
        assert_eq!(found, wanted);
    }
}
