//! Received rows under the names by which a model reads them.
//!
//! A file of text has columns, one of records (JSON, Parquet, Avro …) has documents. A model of a
//! kind that declares its columns need not know which: it reads the declared columns from both, in
//! whatever case the file writes them or by their headings, as texts; null words and empty texts
//! are null, and a column that a file lacks is there as null.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow_schema::SchemaRef;
use domain::cleanse::Defaults;
use domain::config::Stream;
use domain::heading::Heading;
use lake::{LakeTable, Origin, Table, TableName};

use super::rules::{self, Cleansed};
use super::stage::current_files;
use crate::compile::{ParsedModel, Target};
use crate::project::KindColumn;
use crate::run::Context;
use crate::{Result, Warehouse};

/// Raw columns that the program wrote; all others are the provider's, as received.
pub(super) const META: [&str; 10] = [
    "_raw_id",
    "_file_id",
    "_file",
    "_row",
    "_effective_at",
    "_row_hash",
    "_loaded_at",
    SURPLUS,
    MALFORMED,
    PREAMBLE,
];

/// Raw column of what a row of text has beyond the header: a JSON list of texts.
pub(super) const SURPLUS: &str = "_surplus";

/// Raw column of the lines before a file's header.
const PREAMBLE: &str = "_preamble";

/// Column of streams with headings: the currency that a heading of the file names.
const HEADING_CURRENCY: &str = "_heading_currency";

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
    (files, declared, defaults): (&BTreeSet<i64>, &[KindColumn], &Defaults),
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
fn columns_read(
    raw: &SchemaRef,
    declared: &[KindColumn],
    null_words: &[String],
    rows: &str,
) -> String {
    let has_documents = raw.column_with_name(PAYLOAD).is_some();
    let reads_documents = has_documents && !declared.is_empty();
    let named = named_columns(raw, declared);
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
        if reads_documents && declared.iter().any(|known| known.name == *name) {
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
    if declared.iter().any(KindColumn::has_headings) {
        outer.extend(of_headings(raw, declared));
    }
    if reads_documents {
        let members = declared.iter().map(|column| quoted_name(&column.name));
        let members: Vec<String> = members.collect();
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

/// What streams with headings have beside their columns: the lines before the header, where no file
/// had any, and the currency that a heading names.
fn of_headings(raw: &SchemaRef, declared: &[KindColumn]) -> Vec<String> {
    let mut columns = Vec::new();
    if raw.column_with_name(PREAMBLE).is_none() {
        columns.push(format!("cast(null as text) as \"{PREAMBLE}\""));
    }
    let headings = declared.iter().flat_map(|column| &column.headings);
    let mut cases = String::new();
    for heading in headings.map(|text| Heading::new(text)) {
        for field in raw.fields() {
            if let Some(currency) = heading.currency(field.name()) {
                let column = quoted_name(field.name());
                cases.push_str(&format!(" when has_text({column}) then '{currency}'"));
            }
        }
    }
    let currency = match cases.is_empty() {
        true => "cast(null as text)".to_owned(),
        false => format!("case{cases} end"),
    };
    columns.push(format!("{currency} as \"{HEADING_CURRENCY}\""));
    columns
}

/// The columns of a raw table under the names by which a model reads them. Where a file writes a
/// declared column in another case, as unloads of Snowflake do, or under one of its headings, it is
/// read under the declared name. Declared columns that no file has come last, with nothing.
fn named_columns<'a>(
    raw: &'a SchemaRef,
    declared: &'a [KindColumn],
) -> Vec<(&'a str, Vec<&'a str>)> {
    let mut named: Vec<(&str, Vec<&str>)> = Vec::new();
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    let headings: Vec<Vec<Heading>> = declared.iter().map(headings_of).collect();
    for field in raw.fields() {
        let column = field.name().as_str();
        let is_ours = META.contains(&column);
        // A heading that is stated counts before a column's own name, which may be another's
        // heading (LinkedIn's `Campaign ID` is our ad group's).
        let by_heading = || {
            let known = declared.iter().zip(&headings);
            let found = known.filter_map(|(kind, headings)| {
                let place = headings
                    .iter()
                    .position(|heading| heading.matches(column))?;
                Some((kind.name.as_str(), place, place == kind.headings.len()))
            });
            let best = found.min_by_key(|(_, _, is_own_name)| *is_own_name);
            best.map(|(name, place, _)| (name, place))
        };
        let in_case = |kind: &&KindColumn| kind.name.eq_ignore_ascii_case(column);
        let exact = declared.iter().find(|kind| kind.name == column);
        let (shown, place) = match exact.or_else(|| declared.iter().find(in_case)) {
            _ if is_ours => (column, 0),
            Some(kind) if !kind.has_headings() => (kind.name.as_str(), 0),
            _ => by_heading().unwrap_or((column, 0)),
        };
        places.insert(column, place);
        match named.iter_mut().find(|(name, _)| *name == shown) {
            Some((_, columns)) => columns.push(column),
            None => named.push((shown, vec![column])),
        }
    }
    for (_, columns) in &mut named {
        columns.sort_by_key(|column| places.get(column).copied().unwrap_or_default());
    }
    for kind in declared {
        if !named.iter().any(|(known, _)| *known == kind.name) {
            named.push((&kind.name, Vec::new()));
        }
    }
    named
}

/// The headings of a column, its own name last; none where it is known by its name alone.
fn headings_of(column: &KindColumn) -> Vec<Heading> {
    match column.has_headings() {
        false => vec![],
        true => {
            let all = column.headings.iter().chain([&column.name]);
            all.map(|text| Heading::new(text)).collect()
        }
    }
}

/// Registers a stream of which nothing was delivered yet: no rows, with the columns that the kind
/// declares.
async fn register_nothing(
    warehouse: &Warehouse,
    model: &str,
    name: &str,
    declared: &[KindColumn],
) -> Result<()> {
    let instant = crate::warehouse::cast("null", domain::entity::ColumnKind::Instant);
    let mut list = vec![
        "cast(null as bigint) as \"_raw_id\"".to_owned(),
        "cast(null as bigint) as \"_file_id\"".to_owned(),
        "cast(null as text) as \"_file\"".to_owned(),
        "cast(null as bigint) as \"_row\"".to_owned(),
        "cast(null as bigint) as \"_row_hash\"".to_owned(),
        format!("{instant} as \"_effective_at\""),
    ];
    let mut columns: Vec<&str> = declared.iter().map(|kind| kind.name.as_str()).collect();
    if declared.iter().any(KindColumn::has_headings) {
        columns.extend([PREAMBLE, HEADING_CURRENCY]);
    }
    if columns.is_empty() {
        columns.push(PAYLOAD);
    }
    let nothing = columns
        .iter()
        .map(|name| format!("cast(null as text) as \"{name}\""));
    list.extend(nothing);
    let sql = format!("select {} where false", list.join(", "));
    let view = warehouse.sql(&sql).await?.into_view();
    warehouse.lend(model, name, view)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use arrow_schema::{DataType, Field, Schema};

    use super::*;

    fn kind(name: &str, headings: &[&str]) -> KindColumn {
        KindColumn {
            name: name.to_owned(),
            headings: headings.iter().map(|text| (*text).to_owned()).collect(),
        }
    }

    fn raw(names: &[&str]) -> SchemaRef {
        let fields = names
            .iter()
            .map(|name| Field::new(*name, DataType::Utf8, true));
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    }

    #[test]
    fn a_declared_column_is_found_in_any_case_and_others_keep_theirs() {
        let raw = raw(&["_raw_id", "AD_ID", "ad_id", "Day", "day_name", "Extra"]);
        let declared = ["ad_id", "day", "DAY_NAME", "gone"].map(|name| kind(name, &[]));
        let found = named_columns(&raw, &declared);
        let wanted: [(&str, Vec<&str>); 6] = [
            ("_raw_id", vec!["_raw_id"]),
            ("ad_id", vec!["AD_ID", "ad_id"]),
            ("day", vec!["Day"]),
            ("DAY_NAME", vec!["day_name"]),
            ("Extra", vec!["Extra"]),
            ("gone", vec![]),
        ];
        assert_eq!(found, wanted);
    }

    #[test]
    fn a_column_is_found_by_its_headings_the_preferred_one_first() {
        let raw = raw(&[
            "Clicks_all",
            "Link_clicks",
            "Kampagne",
            "SPEND",
            "Amount_spent_EUR",
        ]);
        let declared = [
            kind("clicks", &["Link clicks", "Clicks (all)"]),
            kind("campaign_name", &["Campaign", "Kampagne"]),
            kind("spend", &["Amount spent ({currency})"]),
        ];
        let wanted: [(&str, Vec<&str>); 3] = [
            ("clicks", vec!["Link_clicks", "Clicks_all"]),
            ("campaign_name", vec!["Kampagne"]),
            ("spend", vec!["Amount_spent_EUR", "SPEND"]),
        ];
        assert_eq!(named_columns(&raw, &declared), wanted);
        let beside = of_headings(&raw, &declared);
        assert_eq!(beside.len(), 2);
        assert_eq!(
            beside[1],
            "case when has_text(\"Amount_spent_EUR\") then 'EUR' end as \"_heading_currency\""
        );
    }
}
