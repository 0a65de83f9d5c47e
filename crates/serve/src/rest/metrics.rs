//! `/metrics` and `/dimensions`: the semantic layer.

use std::collections::BTreeMap;

use axum::extract::Path;
use axum::response::Response;
use domain::metrics::{Grain, Name};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::ask::Ask;
use super::body::Json;
use super::endpoint::{AS_OF, Endpoint, Param};
use super::params::Params;
use super::problem::Problem;
use super::rows::{self, Answer, note_export};
use crate::metrics::{Comparison, Filter, Order, Request, compile, describe, values, visible};

/// What is asked for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct MetricsQuery {
    /// Names of metrics.
    #[schema(min_items = 1)]
    metrics: Vec<String>,
    /// What the figures are grouped by.
    #[serde(default)]
    dimensions: Vec<String>,
    /// Width of the time buckets: `day`, `week`, `month`, `quarter` or `year`; one figure for all
    /// days without it.
    #[serde(default)]
    grain: Option<String>,
    /// First day.
    #[serde(default)]
    #[schema(format = "date")]
    from: Option<String>,
    /// Last day.
    #[serde(default)]
    #[schema(format = "date")]
    to: Option<String>,
    /// Which rows count; all must hold.
    #[serde(default)]
    filters: Vec<MetricsFilter>,
    /// The order of the rows.
    #[serde(default)]
    order: Vec<MetricsOrder>,
    /// At most so many rows.
    #[serde(default)]
    #[schema(minimum = 1)]
    limit: Option<u64>,
    /// So many rows are left out first.
    #[serde(default)]
    offset: Option<u64>,
    /// A last row over everything, computed anew and not added up.
    #[serde(default)]
    totals: bool,
    /// Reads the tables as they were: a time, a day, or the name of a run.
    #[serde(default)]
    as_of: Option<String>,
}

/// A condition on a dimension.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct MetricsFilter {
    /// The dimension.
    dimension: String,
    /// `in`, `not_in`, `is`, `is_not`, `less`, `at_most`, `greater`, `at_least`, `contains`,
    /// `starts_with`, `is_null` or `is_not_null`; `in` without it.
    #[serde(default)]
    op: Option<String>,
    /// Texts, whole numbers or truth values.
    #[serde(default)]
    values: Vec<Value>,
}

/// A part of the order.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct MetricsOrder {
    /// A metric, dimension or grain of the request.
    by: String,
    /// The greatest first.
    #[serde(default)]
    descending: bool,
}

/// All metrics.
#[derive(Debug, Serialize, ToSchema)]
struct Metrics {
    /// They.
    #[schema(value_type = Vec<Metric>)]
    metrics: Vec<describe::MetricInfo>,
}

/// A metric.
#[derive(Serialize, ToSchema)]
struct Metric {
    /// The shortest name under which it can be asked for.
    name: String,
    /// `subject.measure`, or the name of a metric of several subjects.
    full_name: String,
    /// Its name for people.
    label: String,
    /// What it means.
    description: String,
    /// What it is counted in.
    unit: String,
    /// ISO 4217 code of money; none where rows say it.
    currency: Option<String>,
    /// The dimension that says the currency of a row.
    currency_dimension: Option<String>,
    /// What may be done with its figures once they are grouped.
    additivity: String,
    /// The same in words.
    additivity_note: String,
    /// The arithmetic, for what is made of other measures.
    formula: Option<String>,
    /// The subjects whose rows it is made of.
    subjects: Vec<String>,
    /// The dimensions that it can be grouped and filtered by.
    dimensions: Vec<String>,
    /// The grains that it can be had by.
    grains: Vec<String>,
    /// Dimensions that a request must group by or filter to one value.
    never_across: Vec<Value>,
    /// What holds for dimensions that a request says nothing of.
    defaults: Vec<Value>,
}

/// All dimensions.
#[derive(Debug, Serialize, ToSchema)]
struct Dimensions {
    /// They.
    #[schema(value_type = Vec<Dimension>)]
    dimensions: Vec<describe::DimensionInfo>,
}

/// A dimension.
#[derive(Serialize, ToSchema)]
struct Dimension {
    /// Its name.
    name: String,
    /// Its name for people.
    label: String,
    /// What it means.
    description: String,
    /// Type of its values.
    #[serde(rename = "type")]
    kind: String,
    /// The subjects that have it.
    subjects: Vec<String>,
}

/// Figures.
#[derive(Serialize, ToSchema)]
struct Figures {
    /// The columns, with what they mean.
    columns: Vec<Value>,
    /// The rows, as objects by the names of the columns.
    rows: Vec<Map<String, Value>>,
    /// How many rows there are here.
    row_count: u64,
    /// There were more than are here.
    is_truncated: bool,
}

const TEXT: &str = r#"{"type": "string", "pattern": "^[^, ]+(,[^, ]+)*$"}"#;
const DAY: &str = r#"{"type": "string", "format": "date"}"#;
const GRAIN: &str = r#"{"type": "string", "enum": ["day", "week", "month", "quarter", "year"]}"#;
const COUNT: &str = r#"{"type": "integer", "minimum": 0}"#;
const ROWS: &str = r#"{"type": "integer", "minimum": 1}"#;
const FLAG: &str = r#"{"type": "boolean"}"#;

/// Parameters of the form that fits into a link.
const PARAMS: [Param; 9] = [
    param(
        "metrics",
        TEXT,
        "Names of metrics, with commas between them.",
    ),
    param(
        "dimensions",
        TEXT,
        "What the figures are grouped by, with commas.",
    ),
    param("grain", GRAIN, "Width of the time buckets."),
    param("from", DAY, "First day."),
    param("to", DAY, "Last day."),
    param(
        "order",
        TEXT,
        "Columns that the rows are ordered by, `-` for descending.",
    ),
    param("limit", ROWS, "At most so many rows."),
    param("offset", COUNT, "So many rows are left out first."),
    param("totals", FLAG, "A last row over everything."),
];

const fn param(name: &'static str, schema: &'static str, description: &'static str) -> Param {
    Param {
        name,
        schema,
        description,
    }
}

/// A metric, a dimension, a request and figures, for the document.
fn examples() -> [Value; 4] {
    let metric = json!({
        "name": "roas", "full_name": "roas", "label": "ROAS",
        "description": "Revenue for each unit of spend.", "unit": "ratio", "currency": null,
        "currency_dimension": null, "additivity": "ratio",
        "additivity_note": "worked out anew from its parts", "formula": "revenue / spend",
        "subjects": ["orders", "ads"], "dimensions": ["channel"], "grains": ["day", "week"],
        "never_across": [], "defaults": [],
    });
    let dimension = json!({
        "name": "channel", "label": "Channel", "description": "Channel of the last touch.",
        "type": "text", "subjects": ["orders"],
    });
    let query = json!({
        "metrics": ["credited_revenue"], "dimensions": ["channel"], "grain": "week",
        "from": "2026-06-01", "to": "2026-06-30",
        "filters": [{"dimension": "channel", "op": "in", "values": ["Email", "Paid Search"]}],
        "order": [{"by": "credited_revenue", "descending": true}],
    });
    let figures = json!({
        "columns": [
            {"name": "week", "label": "Week", "description": "First day of it.", "kind": "time"},
            {"name": "credited_revenue", "label": "Revenue", "description": "By the default model.",
             "kind": "metric",
             "unit": "money", "currency": "EUR", "additivity": "sum"},
        ],
        "rows": [{"week": "2026-06-01", "credited_revenue": "1204.500000000"}],
        "row_count": 1, "is_truncated": false,
    });
    [metric, dimension, query, figures]
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    let [metric, dimension, query, figures] = examples();
    vec![
        Endpoint::get("/api/v1/metrics", list)
            .says(
                "listMetrics",
                "All metrics",
                "Every figure that can be asked for.",
            )
            .tag("metrics")
            .gives::<Metrics>(200, "The metrics.", json!({"metrics": [metric]})),
        Endpoint::get("/api/v1/metrics/{name}", show)
            .says(
                "getMetric",
                "One metric",
                "What a figure means and can be had by.",
            )
            .tag("metrics")
            .gives::<Metric>(200, "The metric.", metric),
        Endpoint::get("/api/v1/dimensions", dimensions)
            .says(
                "listDimensions",
                "All dimensions",
                "What figures can be grouped by.",
            )
            .tag("metrics")
            .gives::<Dimensions>(200, "The dimensions.", json!({"dimensions": [dimension]})),
        Endpoint::post("/api/v1/metrics/query", query_by_body)
            .says(
                "queryMetrics",
                "Figures",
                "Computes metrics by dimensions. A sum that would mean nothing is refused, with \
                 the reason.",
            )
            .tag("metrics")
            .asks()
            .body::<MetricsQuery>(query)
            .gives_rows::<Figures>("The figures.", figures.clone()),
        Endpoint::get("/api/v1/metrics/query", query_by_link)
            .says(
                "queryMetricsByLink",
                "Figures, by a link",
                "The same as a link. Every other parameter is a filter on a dimension: \
                 `channel=Email` (several: one of them), `channel[not_in]=Email`, \
                 `day_of_week[at_least]=3`, `channel[is_null]=`.",
            )
            .tag("metrics")
            .takes(&PARAMS)
            .needs("metrics")
            .takes(&[AS_OF])
            .takes_conditions()
            .gives_rows::<Figures>("The figures.", figures),
    ]
}

async fn list(ask: Ask) -> Result<Response, Problem> {
    let offered = Offered::to(&ask).await?;
    let project = &ask.app.doors.manifest.project;
    let mut metrics = describe::metrics(&project.metrics, &project.config);
    metrics.retain(|metric| offered.has(metric));
    Ok(rows::json(&Metrics { metrics }))
}

async fn show(ask: Ask, Path(name): Path<String>) -> Result<Response, Problem> {
    let missing = |why: String| Problem::missing(why).hint("GET /api/v1/metrics lists them all");
    let project = &ask.app.doors.manifest.project;
    let found = project.metrics.find(&Name::parse(&name));
    let found = found.map_err(|why| missing(why.to_string()))?;
    let metric = describe::metric(&project.metrics, &project.config, found);
    match Offered::to(&ask).await?.has(&metric) {
        true => Ok(rows::json(&metric)),
        false => Err(missing(
            "you may not read what this metric is made of".to_owned(),
        )),
    }
}

async fn dimensions(ask: Ask) -> Result<Response, Problem> {
    let offered = Offered::to(&ask).await?;
    let mut dimensions = describe::dimensions(&ask.app.doors.manifest.project.metrics);
    for dimension in &mut dimensions {
        let name = dimension.name.clone();
        dimension
            .subjects
            .retain(|subject| offered.column(subject, &name));
    }
    dimensions.retain(|dimension| !dimension.subjects.is_empty());
    Ok(rows::json(&Dimensions { dimensions }))
}

/// What of the semantic layer the caller may read.
struct Offered(BTreeMap<String, Vec<String>>);

impl Offered {
    async fn to(ask: &Ask) -> Result<Self, Problem> {
        let session = ask.session().await?;
        let found = visible(session.context()).await;
        let found = found.map_err(|error| crate::access::AccessError::of_planning(&error))?;
        Ok(Self(found))
    }

    fn column(&self, subject: &str, name: &str) -> bool {
        let columns = self.0.get(subject);
        columns.is_some_and(|columns| columns.iter().any(|known| known == name))
    }

    fn has(&self, metric: &describe::MetricInfo) -> bool {
        match metric.full_name.split_once('.') {
            Some((subject, measure)) => self.column(subject, measure),
            None => metric
                .subjects
                .iter()
                .all(|subject| self.0.contains_key(subject)),
        }
    }
}

async fn query_by_body(ask: Ask, Json(asked): Json<MetricsQuery>) -> Result<Response, Problem> {
    if asked.limit == Some(0) {
        return Err(Problem::unprocessable("`limit` is at least 1"));
    }
    let request = asked.request()?;
    answer(&ask, request).await
}

async fn query_by_link(ask: Ask) -> Result<Response, Problem> {
    let request = by_link(&ask.params)?;
    answer(&ask, request).await
}

async fn answer(ask: &Ask, request: Request) -> Result<Response, Problem> {
    let project = &ask.app.doors.manifest.project;
    let compiled = compile(&project.metrics, &project.config, &request)?;
    let session = ask
        .caller
        .session(&ask.app, request.as_of.as_deref())
        .await?;
    let mut answer = Answer::new(ask, "metrics", &session)?;
    let columns = serde_json::to_value(&compiled.columns).unwrap_or_default();
    answer.head.insert("columns".to_owned(), columns);
    let statement = session.prepare(&compiled.sql).await?;
    let rows = session.run(&statement, Some(values(&compiled))).await?;
    note_export(ask, &compiled.tables.join(", ")).await?;
    answer.stream(rows).await
}

impl MetricsQuery {
    fn request(self) -> Result<Request, Problem> {
        let filters = self.filters.into_iter().map(|filter| {
            Ok(Filter {
                op: comparison(filter.op.as_deref())?,
                dimension: filter.dimension,
                values: filter.values,
            })
        });
        let order = self.order.into_iter().map(|order| Order {
            by: order.by,
            descending: order.descending,
        });
        Ok(Request {
            metrics: self.metrics,
            dimensions: self.dimensions,
            grain: grain(self.grain.as_deref())?,
            from: self.from,
            to: self.to,
            filters: filters.collect::<Result<_, Problem>>()?,
            order: order.collect(),
            limit: self.limit,
            offset: self.offset,
            totals: self.totals,
            as_of: self.as_of,
        })
    }
}

fn comparison(name: Option<&str>) -> Result<Comparison, Problem> {
    let Some(name) = name else {
        return Ok(Comparison::In);
    };
    let mut all = Comparison::ALL.iter();
    let found = all.find(|(known, _)| *known == name);
    found.map(|(_, op)| *op).ok_or_else(|| {
        let names = Comparison::ALL.map(|(name, _)| name);
        Problem::unprocessable("there is no such comparison")
            .hint(format!("one of {}", names.join(", ")))
    })
}

fn grain(name: Option<&str>) -> Result<Option<Grain>, Problem> {
    let Some(name) = name else {
        return Ok(None);
    };
    let found = Grain::ALL.into_iter().find(|grain| grain.name() == name);
    found.map(Some).ok_or_else(|| {
        let names = Grain::ALL.map(|grain| grain.name());
        Problem::unprocessable("there is no such grain")
            .hint(format!("one of {}", names.join(", ")))
    })
}

/// The request of a link.
fn by_link(params: &Params) -> Result<Request, Problem> {
    let order = params.list("order")?.into_iter().map(|part| {
        let by = part.strip_prefix('-').unwrap_or(&part).to_owned();
        let descending = part.starts_with('-');
        Order { by, descending }
    });
    let mut filters: Vec<Filter> = Vec::new();
    let known = |name: &str| {
        PARAMS.iter().any(|param| param.name == name) || name == AS_OF.name || name == "format"
    };
    for (name, value) in params.0.iter().filter(|(name, _)| !known(name)) {
        let (dimension, op) = match name.strip_suffix(']').and_then(|name| name.split_once('[')) {
            Some((dimension, op)) => (dimension, comparison(Some(op))?),
            None => (name.as_str(), Comparison::In),
        };
        let values = match op {
            Comparison::IsNull | Comparison::IsNotNull => vec![],
            _ => vec![json!(value)],
        };
        let same = filters
            .iter_mut()
            .find(|known| known.dimension == dimension && known.op == op);
        match (same, op) {
            (Some(known), Comparison::In | Comparison::NotIn) => known.values.extend(values),
            _ => filters.push(Filter {
                dimension: dimension.to_owned(),
                op,
                values,
            }),
        }
    }
    let metrics = params.list("metrics")?;
    if metrics.is_empty() {
        return Err(Problem::bad("`metrics` is missing").hint("GET /api/v1/metrics lists them"));
    }
    Ok(Request {
        metrics,
        dimensions: params.list("dimensions")?,
        grain: grain(params.get("grain"))?,
        from: params.get("from").map(str::to_owned),
        to: params.get("to").map(str::to_owned),
        filters,
        order: order.collect(),
        limit: params.number("limit", 1..=u64::MAX)?,
        offset: params.number("offset", 0..=u64::MAX)?,
        totals: params.flag("totals")?,
        as_of: params.get("as_of").map(str::to_owned),
    })
}
