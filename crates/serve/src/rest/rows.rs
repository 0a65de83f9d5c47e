//! Answers with rows: what is short as a whole, with an entity tag; what is long as it is made.

use arrow_array::RecordBatch;
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, SecondsFormat, Utc};
use datafusion::arrow::datatypes::SchemaRef;
use futures::stream::BoxStream;
use futures::{StreamExt as _, stream};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::ask::Ask;
use super::caller::By;
use super::encode::{Encoder, columns};
use super::guard::Whole;
use super::media::Media;
use super::problem::Problem;
use crate::access::error::Result as AccessResult;
use crate::access::{Rows, Session};
use crate::audit::{Action, Event, Outcome};

/// An answer of so many bytes is not held back until it is whole.
const WHOLE_BYTES: usize = 512 << 10;
/// The time whose tables were read.
pub(super) const AS_OF: HeaderName = HeaderName::from_static("x-throughline-as-of");
/// Asks for texts in CSV as they are.
const CSV_TEXT: &str = "x-throughline-csv-text";

/// Rows of a query.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RowsAnswer {
    /// The columns, in their order.
    columns: Vec<ColumnAnswer>,
    /// The rows, as objects by the names of the columns.
    rows: Vec<Map<String, Value>>,
    /// How many rows there are here.
    row_count: u64,
    /// There were more than asked for.
    is_truncated: bool,
}

/// A column of an answer.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ColumnAnswer {
    /// Its name.
    name: String,
    /// Its type, as SQL calls it.
    #[serde(rename = "type")]
    kind: String,
}

/// What is known of an answer before its rows are.
pub(super) struct Answer {
    pub(super) media: Media,
    /// Name of the file that it is.
    pub(super) name: String,
    /// Fields of the JSON object before the rows; the columns, where it has none.
    pub(super) head: Map<String, Value>,
    /// Fields after the rows.
    pub(super) tail: Map<String, Value>,
    /// At most so many rows.
    pub(super) limit: Option<u64>,
    pub(super) as_of: Option<DateTime<Utc>>,
    is_raw: bool,
}

impl Answer {
    /// An answer with the rows of a session.
    ///
    /// # Errors
    /// The request asks for texts as they are and does not come from a program.
    pub(super) fn new(ask: &Ask, name: &str, session: &Session) -> Result<Self, Problem> {
        let asked = ask.headers.get(CSV_TEXT).map(HeaderValue::as_bytes);
        let is_raw = match (asked, &ask.caller.by) {
            (None | Some(b"inert"), _) => false,
            (Some(b"as-is"), By::Token) => true,
            (Some(b"as-is"), _) => {
                let detail = "texts as they are, formulas among them, are given to programs only";
                return Err(Problem::forbidden(detail).hint("log in with a token"));
            }
            _ => {
                let detail = "`X-Throughline-CSV-Text` is neither inert nor as-is";
                return Err(Problem::bad(detail));
            }
        };
        Ok(Self {
            media: ask.media,
            name: name.to_owned(),
            head: Map::new(),
            tail: Map::new(),
            limit: None,
            as_of: session.as_of(),
            is_raw,
        })
    }

    /// Writes rows as they come.
    ///
    /// # Errors
    /// The query fails before there is much of an answer. If it fails later, the body ends early,
    /// so that the client notices.
    pub(super) async fn stream(self, rows: Rows) -> Result<Response, Problem> {
        let schema = rows.schema().clone();
        self.write(schema, rows.boxed()).await
    }

    /// Writes rows that are there.
    ///
    /// # Errors
    /// A column has no form.
    pub(super) async fn page(
        self,
        schema: SchemaRef,
        batches: Vec<RecordBatch>,
    ) -> Result<Response, Problem> {
        let batches = stream::iter(batches.into_iter().map(Ok));
        self.write(schema, batches.boxed()).await
    }

    async fn write(
        mut self,
        schema: SchemaRef,
        rows: BoxStream<'static, AccessResult<RecordBatch>>,
    ) -> Result<Response, Problem> {
        if !self.head.contains_key("columns") {
            self.head.insert("columns".to_owned(), columns(&schema));
        }
        let (head, tail) = (
            std::mem::take(&mut self.head),
            std::mem::take(&mut self.tail),
        );
        let mut encoder = Encoder::new(self.media, &schema, head, tail, self.is_raw)?;
        let mut first = encoder.begin()?;
        let mut source = Source {
            rows,
            encoder,
            left: self.limit,
            is_done: false,
        };
        while first.len() < WHOLE_BYTES {
            match source.next().await {
                Some(bytes) => first.extend(bytes?),
                None => {
                    let mut response = Response::new(Body::from(first));
                    response.extensions_mut().insert(Whole);
                    return Ok(self.with_headers(response));
                }
            }
        }
        let rest = stream::unfold(source, |mut source| async move {
            let next = source.next().await?;
            if let Err(error) = &next {
                log::warn!("an answer broke off: {}", error.message);
            }
            Some((next, source))
        });
        let body = stream::once(async move { Ok(first) }).chain(rest);
        Ok(self.with_headers(Body::from_stream(body).into_response()))
    }

    fn with_headers(&self, mut response: Response) -> Response {
        let headers = response.headers_mut();
        let kind = HeaderValue::from_static(self.media.content_type());
        headers.insert(header::CONTENT_TYPE, kind);
        headers.insert(AS_OF, as_of_text(self.as_of));
        if self.media.is_file() {
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-' || c == '.';
            let name: String = self.name.chars().filter(|c| plain(*c)).take(100).collect();
            let text = format!("attachment; filename=\"{name}.{}\"", self.media.name());
            if let Ok(value) = HeaderValue::from_str(&text) {
                headers.insert(header::CONTENT_DISPOSITION, value);
            }
        }
        response
    }
}

fn as_of_text(as_of: Option<DateTime<Utc>>) -> HeaderValue {
    let text = as_of.map(|at| at.to_rfc3339_opts(SecondsFormat::AutoSi, true));
    let value = text.and_then(|text| HeaderValue::from_str(&text).ok());
    value.unwrap_or(HeaderValue::from_static("newest"))
}

/// Rows on their way to bytes.
struct Source {
    rows: BoxStream<'static, AccessResult<RecordBatch>>,
    encoder: Encoder,
    left: Option<u64>,
    is_done: bool,
}

impl Source {
    async fn next(&mut self) -> Option<AccessResult<Vec<u8>>> {
        loop {
            if self.is_done {
                return None;
            }
            let batch = match self.rows.next().await {
                None => {
                    self.is_done = true;
                    return Some(self.encoder.end(false));
                }
                Some(Err(error)) => {
                    self.is_done = true;
                    return Some(Err(error));
                }
                Some(Ok(batch)) => batch,
            };
            let rows = batch.num_rows() as u64;
            let written = match self.left {
                Some(left) if rows > left => {
                    self.is_done = true;
                    let some = batch.slice(0, usize::try_from(left).unwrap_or(usize::MAX));
                    // Dropped with what is left of it: the query ends.
                    self.rows = stream::empty().boxed();
                    self.last(&some)
                }
                _ => self.encoder.batch(&batch),
            };
            if let Some(left) = &mut self.left {
                *left = left.saturating_sub(rows);
            }
            if written.is_err() {
                self.is_done = true;
            }
            if !matches!(&written, Ok(bytes) if bytes.is_empty()) {
                return Some(written);
            }
        }
    }

    fn last(&mut self, batch: &RecordBatch) -> AccessResult<Vec<u8>> {
        let mut bytes = self.encoder.batch(batch)?;
        bytes.extend(self.encoder.end(true)?);
        Ok(bytes)
    }
}

/// Notes that rows leave in a file, before they do.
///
/// # Errors
/// It cannot be noted: then nothing leaves.
pub(super) async fn note_export(ask: &Ask, tables: &str) -> Result<(), Problem> {
    if !ask.media.is_file() {
        return Ok(());
    }
    let caller = &ask.caller;
    let door = caller.origin.door.as_str();
    let event = Event::new(&caller.principal.name, door, Action::Export, Outcome::Begun);
    let event = event
        .from(caller.origin.address)
        .to(tables)
        .with("format", ask.media.name())
        .with("request", ask.id.as_ref().map(|id| id.0.clone()));
    let noted = ask.app.doors.who.audit().append(event).await;
    noted.map(|_| ()).map_err(|error| Problem::internal(&error))
}

/// A JSON answer.
pub(super) fn json<T: Serialize>(value: &T) -> Response {
    match serde_json::to_vec(value) {
        Ok(bytes) => {
            let mut response = Response::new(Body::from(bytes));
            let kind = HeaderValue::from_static("application/json");
            response.headers_mut().insert(header::CONTENT_TYPE, kind);
            response.extensions_mut().insert(Whole);
            response
        }
        Err(error) => Problem::internal(&error).into_response(),
    }
}
