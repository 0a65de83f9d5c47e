//! A page of a table: conditions, order, columns, and where the next page begins.
//!
//! The next page begins after the last row of this one, by its values and not by its number, so
//! that every row comes once even if others come or go in between. The order is made whole by the
//! table's key, or, where none is known or to be seen, by a hash of all columns.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{Schema, SchemaRef};
use axum::http::{HeaderValue, Uri, header};
use axum::response::Response;
use datafusion::arrow::compute::concat_batches;
use datafusion::common::{ParamValues, ScalarValue};
use serde_json::Value;

use super::ask::Ask;
use super::conditions::{Where, field, is_comparable, quoted, text_of, value_of};
use super::cursor::Cursor;
use super::endpoint::{AS_OF, CURSOR, FIELDS, FORMAT, LIMIT, Param, SORT};
use super::params::Params;
use super::problem::Problem;
use super::rows::{Answer, note_export};
use super::tables;
use crate::access::{AccessError, Reason, Session};

/// Rows of a page if nothing is said.
const ROWS: u64 = 100;
/// Rows of the longest page.
const ROWS_MAX: u64 = 10_000;
/// Columns of an order.
const SORT_MAX: usize = 16;
/// What begins the names of columns that are read for the cursor only.
const HIDDEN: &str = "~";

/// Parameters of a page.
pub(super) const PARAMS: [Param; 5] = [LIMIT, CURSOR, SORT, FIELDS, AS_OF];
const KNOWN: [&str; 6] = [
    LIMIT.name,
    CURSOR.name,
    SORT.name,
    FIELDS.name,
    AS_OF.name,
    FORMAT.name,
];

/// Of what.
pub(super) struct Of<'a> {
    schema: &'a str,
    table: &'a str,
    /// A query in the place of a table, with the value of its `$1`, and the columns whose values
    /// together are there once.
    query: Option<(String, ScalarValue, &'a [&'a str])>,
    /// The order, if nothing is said.
    order: &'a str,
}

impl<'a> Of<'a> {
    /// A whole table, in the order of its key.
    pub(super) fn table(schema: &'a str, table: &'a str) -> Self {
        Self {
            schema,
            table,
            query: None,
            order: "",
        }
    }

    /// The rows of a query.
    pub(super) fn query(
        name: &'a str,
        sql: String,
        value: ScalarValue,
        key: &'a [&'a str],
    ) -> Self {
        Self {
            schema: "",
            table: name,
            query: Some((sql, value, key)),
            order: "",
        }
    }

    /// The same in another order.
    pub(super) fn ordered(mut self, order: &'a str) -> Self {
        self.order = order;
        self
    }

    /// As the audit log and cursors name it.
    fn name(&self) -> String {
        match &self.query {
            None => format!("{}.{}", self.schema, self.table),
            Some((_, value, _)) => format!("{} of {value}", self.table),
        }
    }

    /// As SQL reads it.
    fn from(&self) -> String {
        match &self.query {
            None => format!("{}.{}", quoted(self.schema), quoted(self.table)),
            Some((sql, ..)) => format!("({sql}) as {}", quoted(self.table)),
        }
    }

    /// Its columns.
    async fn columns(&self, session: &Session) -> Result<SchemaRef, Problem> {
        match &self.query {
            None => tables::visible(session, self.schema, self.table).await,
            Some((sql, ..)) => Ok(session.prepare(sql).await?.schema().clone()),
        }
    }

    /// The columns whose values together are there once, if they are known and seen.
    fn key(&self, ask: &Ask, schema: &Schema) -> Vec<String> {
        match &self.query {
            None => tables::key(ask, self.schema, self.table, schema),
            Some((_, _, key)) => key.iter().map(|name| (*name).to_owned()).collect(),
        }
    }
}

/// A column of an order.
struct Sort {
    /// What the order is by, as SQL.
    by: String,
    descending: bool,
    kind: arrow_schema::DataType,
}

/// Answers with a page.
pub(super) async fn page(ask: &Ask, of: Of<'_>) -> Result<Response, Problem> {
    let (app, params) = (&ask.app, &ask.params);
    let session = ask.session().await?;
    let schema = of.columns(&session).await?;
    let fields = chosen(params, &schema)?;
    let limit = params.number(LIMIT.name, 1..=ROWS_MAX)?.unwrap_or(ROWS);
    let sort = params.get(SORT.name).unwrap_or(of.order);
    let order = order(ask, &of, &schema, sort)?;
    let name = of.name();
    let place = place(ask, &name, sort, &order);
    let place: Vec<&str> = place.iter().map(String::as_str).collect();
    let cursor = match params.get(CURSOR.name) {
        Some(text) => Some(Cursor::open(text, &app.cursor_key, &place)?),
        None => None,
    };
    let mut conditions = Where::default();
    if let Some((_, value, _)) = &of.query {
        conditions.value(value.clone());
    }
    conditions.read(params, &KNOWN, &schema)?;
    if let Some(cursor) = &cursor {
        after(&mut conditions, &order, cursor)?;
    }
    let skipped = cursor.as_ref().map_or(0, |cursor| cursor.given);
    let mut sql = text(&of, &fields, &order, &conditions.tests);
    // One more than asked for, to see whether there is another page.
    sql.push_str(&format!(" limit {} offset {skipped}", limit + 1));
    let rows = run(&session, &sql, conditions.values).await?;
    let (rows, next) = cut(rows, &order, limit, cursor.as_ref());
    let next = next.map(|cursor| cursor.seal(&app.cursor_key, &place));
    let visible: Vec<usize> = (0..fields.len()).collect();
    let rows = rows.project(&visible);
    let rows = rows.map_err(|error| Problem::internal(&error))?;
    note_export(ask, &name).await?;
    let answer = Answer::new(ask, of.table, &session)?;
    linked(answer, rows, next, &ask.uri).await
}

/// For whom, of which table, in which order a cursor is.
fn place(ask: &Ask, name: &str, sort: &str, order: &[Sort]) -> Vec<String> {
    let id = ask.caller.principal.id().to_string();
    let by = order.iter().map(|sort| sort.by.clone());
    [id, name.to_owned(), sort.to_owned()]
        .into_iter()
        .chain(by)
        .collect()
}

/// The answer, with the way to the next page.
async fn linked(
    mut answer: Answer,
    rows: RecordBatch,
    next: Option<String>,
    uri: &Uri,
) -> Result<Response, Problem> {
    let link = next.as_deref().map(|cursor| link(uri, cursor));
    let says = |text: &Option<String>| text.clone().map_or(Value::Null, Value::String);
    let tail = &mut answer.tail;
    tail.insert("is_truncated".to_owned(), next.is_some().into());
    tail.insert("cursor".to_owned(), says(&next));
    tail.insert("next".to_owned(), says(&link));
    let mut response = answer.page(rows.schema(), vec![rows]).await?;
    let link = link.map(|link| format!("<{link}>; rel=\"next\""));
    if let Some(value) = link.and_then(|link| HeaderValue::from_str(&link).ok()) {
        response.headers_mut().insert(header::LINK, value);
    }
    Ok(response)
}

/// The columns of the answer.
fn chosen<'a>(params: &Params, schema: &'a Schema) -> Result<Vec<&'a str>, Problem> {
    let asked = params.list(FIELDS.name)?;
    let mut names = Vec::new();
    for name in &asked {
        let name = field(schema, name)?.name().as_str();
        if names.contains(&name) {
            return Err(Problem::bad(format!("`fields` has `{name}` twice")));
        }
        names.push(name);
    }
    match asked.is_empty() {
        true => Ok(schema
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .collect()),
        false => Ok(names),
    }
}

/// The order, made whole.
fn order(ask: &Ask, of: &Of<'_>, schema: &Schema, sort: &str) -> Result<Vec<Sort>, Problem> {
    let mut order: Vec<Sort> = Vec::new();
    for part in sort.split(',').map(str::trim).filter(|_| !sort.is_empty()) {
        let (name, descending) = match part.strip_prefix('-') {
            Some(name) => (name, true),
            None => (part, false),
        };
        let field = field(schema, name)?;
        if !is_comparable(field.data_type()) {
            return Err(Problem::bad(format!("`{name}` has no order")));
        }
        let by = quoted(field.name());
        if order.iter().any(|known| known.by == by) {
            return Err(Problem::bad(format!("`sort` has `{name}` twice")));
        }
        order.push(Sort {
            by,
            descending,
            kind: field.data_type().clone(),
        });
    }
    if order.len() > SORT_MAX {
        return Err(Problem::bad(format!(
            "`sort` has more than {SORT_MAX} columns"
        )));
    }
    let mut ties = Vec::new();
    for name in of.key(ask, schema) {
        let kind = field(schema, &name)?.data_type().clone();
        ties.push((quoted(&name), kind));
    }
    if ties.is_empty() {
        ties.push((hash(schema), arrow_schema::DataType::Utf8));
    }
    for (by, kind) in ties {
        if !order.iter().any(|known| known.by == by) {
            order.push(Sort {
                by,
                descending: false,
                kind,
            });
        }
    }
    Ok(order)
}

/// A hash of all columns that have a text.
fn hash(schema: &Schema) -> String {
    let columns = schema
        .fields()
        .iter()
        .filter(|field| is_comparable(field.data_type()));
    let texts: Vec<String> = columns
        .map(|field| {
            format!(
                "coalesce(cast({} as varchar), chr(30))",
                quoted(field.name())
            )
        })
        .collect();
    match texts.is_empty() {
        true => "''".to_owned(),
        false => format!("md5(concat_ws(chr(31), {}))", texts.join(", ")),
    }
}

/// Leaves out what came up to a cursor.
fn after(conditions: &mut Where, order: &[Sort], cursor: &Cursor) -> Result<(), Problem> {
    let wrong = || Problem::missing("there is no such page");
    if cursor.last.len() != order.len() {
        return Err(wrong());
    }
    let mut ways: Vec<String> = Vec::new();
    let mut same: Vec<String> = Vec::new();
    for (sort, last) in order.iter().zip(&cursor.last) {
        let by = &sort.by;
        let Some(last) = last else {
            // Nulls are last: nothing comes after them.
            same.push(format!("{by} is null"));
            continue;
        };
        let value = value_of(&sort.kind, Some(last)).ok_or_else(wrong)?;
        let value = conditions.value(value);
        let sign = if sort.descending { "<" } else { ">" };
        let further = format!("({by} {sign} {value} or {by} is null)");
        let way = same.iter().cloned().chain([further]).collect::<Vec<_>>();
        ways.push(way.join(" and "));
        same.push(format!("{by} = {value}"));
    }
    // Rows like the last one: those that were given are skipped by their number.
    ways.push(same.join(" and "));
    conditions.tests.push(format!("({})", ways.join(" or ")));
    Ok(())
}

fn text(of: &Of<'_>, fields: &[&str], order: &[Sort], tests: &[String]) -> String {
    let mut columns: Vec<String> = fields.iter().map(|name| quoted(name)).collect();
    let mut sorts = Vec::new();
    for (at, sort) in order.iter().enumerate() {
        columns.push(format!("{} as \"{HIDDEN}{at}\"", sort.by));
        let direction = if sort.descending { "desc" } else { "asc" };
        sorts.push(format!("{} {direction} nulls last", sort.by));
    }
    let condition = match tests.is_empty() {
        true => String::new(),
        false => format!(" where {}", tests.join(" and ")),
    };
    format!(
        "select {} from {}{condition} order by {}",
        columns.join(", "),
        of.from(),
        sorts.join(", ")
    )
}

async fn run(
    session: &Session,
    sql: &str,
    values: Vec<ScalarValue>,
) -> Result<RecordBatch, Problem> {
    let statement = session.prepare(sql).await?;
    let values = (!values.is_empty()).then(|| ParamValues::from(values));
    let rows = session.run(&statement, values).await?;
    let schema: SchemaRef = Arc::new(rows.schema().as_ref().clone());
    let batches = rows.collect().await?;
    let schema = batches.first().map_or(schema, RecordBatch::schema);
    concat_batches(&schema, &batches).map_err(|_| {
        let message = "the rows cannot be put together";
        AccessError::new(Reason::Internal, message).into()
    })
}

/// The rows of the page, and where the next begins.
fn cut(
    rows: RecordBatch,
    order: &[Sort],
    limit: u64,
    before: Option<&Cursor>,
) -> (RecordBatch, Option<Cursor>) {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    if rows.num_rows() <= limit {
        return (rows, None);
    }
    let rows = rows.slice(0, limit);
    let first = rows.num_columns() - order.len();
    let of = |row: usize| -> Vec<Option<String>> {
        let columns = rows.columns().iter().skip(first);
        columns.map(|column| text_of(column, row)).collect()
    };
    let last = of(limit - 1);
    let like = (0..limit).rev().take_while(|row| of(*row) == last).count();
    let given = match before {
        // The whole page is like the row before it.
        Some(before) if like == limit && before.last == last => before.given + like as u64,
        _ => like as u64,
    };
    (rows, Some(Cursor { last, given }))
}

/// The same request for the next page.
fn link(uri: &Uri, cursor: &str) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    let pairs = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    for (name, value) in pairs.filter(|(name, _)| name != CURSOR.name) {
        query.append_pair(&name, &value);
    }
    query.append_pair(CURSOR.name, cursor);
    format!("{}?{}", uri.path(), query.finish())
}
