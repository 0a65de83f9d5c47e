//! `/customers` and `/identity`: one customer, what it did, and why its identifiers are one.

use axum::extract::Path;
use axum::response::Response;
use datafusion::common::{ParamValues, ScalarValue};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::ask::Ask;
use super::conditions::quoted;
use super::encode::Encoder;
use super::endpoint::Endpoint;
use super::media::Media;
use super::page::{self, Of};
use super::problem::Problem;
use super::tables::{RowsPage, visible};
use super::{rows, tables};
use crate::access::Session;

/// A customer.
#[derive(Serialize, ToSchema)]
struct Customer {
    /// What is known of it today, by the columns of `star.dim_customer_current`.
    customer: Map<String, Value>,
}

/// Why identifiers are one customer.
#[derive(Serialize, ToSchema)]
struct Evidence {
    /// The customer.
    customer_key: String,
    /// Its identifiers, each with when it was the customer's.
    identifiers: Vec<Map<String, Value>>,
    /// Which of them were seen together, where and how often; null where the caller may not see it.
    links: Option<Vec<Map<String, Value>>>,
    /// Decisions of people on its identifiers; null where the caller may not see them.
    decisions: Option<Vec<Map<String, Value>>>,
}

/// Columns of a journey, as far as they are seen.
const EVENT: [&str; 18] = [
    "event_id",
    "event_at",
    "event_type",
    "event_group",
    "event_detail",
    "source_name",
    "session_id",
    "channel_key",
    "source",
    "medium",
    "campaign_name",
    "referrer_host",
    "deal_key",
    "order_reference",
    "revenue_amount",
    "currency_code",
    "engagement_msec",
    "is_touchpoint",
];
/// What the columns of other tables are called in a journey: table, its key, columns.
const LABELS: [(&str, &str, &[&str]); 2] = [
    ("dim_channel", "channel_key", &["channel", "channel_group"]),
    ("dim_page", "page_key", &["path"]),
];
/// Evidence of one customer, at most.
const EVIDENCE_ROWS: usize = 10_000;

pub(super) fn endpoints() -> Vec<Endpoint> {
    let customer = json!({"customer": {"customer_key": "6005701625270029004", "country": "DE"}});
    let evidence = json!({
        "customer_key": "6005701625270029004",
        "identifiers": [{"identity_node_id": "12", "node_type": "device",
                         "valid_from": "2026-04-03T15:57:16Z"}],
        "links": [{"a_node_key": "12", "b_node_key": "13", "rule": "login",
                   "evidence_count": 3}],
        "decisions": null,
    });
    vec![
        Endpoint::get("/api/v1/customers/{key}", show)
            .says(
                "getCustomer",
                "One customer",
                "What is known of a customer today.",
            )
            .tag("customers")
            .takes(&[super::endpoint::AS_OF])
            .gives::<Customer>(200, "The customer.", customer)
            .errors(&[409, 422, 504]),
        Endpoint::get("/api/v1/customers/{key}/journey", journey)
            .says(
                "getJourney",
                "What one customer did",
                "The events of a customer, oldest first: each is that of its own identifier, else \
                 of its session, its deal or its device. Every other parameter is a condition on \
                 a column, as for rows of tables.",
            )
            .tag("customers")
            .takes(&page::PARAMS)
            .takes_conditions()
            .gives_rows::<RowsPage>("The events.", tables::example()),
        Endpoint::get("/api/v1/identity/{key}", evidence_of)
            .says(
                "getIdentity",
                "Why it is one customer",
                "The identifiers of a customer and what links them, as `throughline identity` \
                 tells it.",
            )
            .tag("customers")
            .takes(&[super::endpoint::AS_OF])
            .gives::<Evidence>(200, "The evidence.", evidence)
            .errors(&[409, 422, 504]),
    ]
}

async fn show(ask: Ask, Path(key): Path<String>) -> Result<Response, Problem> {
    let key = number(&key)?;
    let session = ask.session().await?;
    let sql = "select * from star.dim_customer_current where customer_key = $1 limit 1";
    let mut found = values(&session, sql, key).await?;
    match found.pop() {
        Some(customer) => Ok(rows::json(&Customer { customer })),
        None => Err(missing()),
    }
}

async fn journey(ask: Ask, Path(key): Path<String>) -> Result<Response, Problem> {
    let key = ScalarValue::Int64(Some(number(&key)?));
    let session = ask.session().await?;
    let source = events(&session).await?;
    let of = Of::query("journey", source, key, &["event_id"]);
    page::page(&ask, of.ordered("event_at,event_id")).await
}

/// The events of the customer `$1`, as `star.journey_event` has them, found from its identifiers:
/// to ask the view itself would look at everybody's.
async fn events(session: &Session) -> Result<String, Problem> {
    let seen = visible(session, "star", "fct_journey_event").await?;
    let mut columns: Vec<String> = EVENT
        .iter()
        .filter(|name| seen.column_with_name(name).is_some())
        .map(|name| format!("event.{name}"))
        .collect();
    let mut joins = String::new();
    for (table, key, labels) in LABELS {
        let Ok(label) = visible(session, "star", table).await else {
            continue;
        };
        let has = |name: &str| label.column_with_name(name).is_some();
        if !has(key) || seen.column_with_name(key).is_none() {
            continue;
        }
        let names = labels.iter().filter(|name| has(name));
        columns.extend(names.map(|name| format!("{table}.{name}")));
        joins.push_str(&format!(
            " left join star.{table} on event.{key} = {table}.{key}"
        ));
    }
    // The parts that a policy may hide, or that a project does not have.
    let mut ways = vec![OWN.to_owned()];
    for (table, key, rest) in [
        (
            "int_session",
            "session_id",
            "event.identity_node_id = event.anonymous_node_id",
        ),
        (
            "int_deal_customer",
            "deal_key",
            "event.identity_node_id = 0",
        ),
    ] {
        if visible(session, "star", table).await.is_ok() {
            ways.push(format!(
                "select event.* from star.fct_journey_event as event inner join (select \
                 part.{key}, node.valid_from, node.valid_to from star.{table} as part inner join \
                 node on part.identity_node_id = node.node_key) as part on event.{key} = \
                 part.{key} where event.event_at >= part.valid_from and event.event_at < \
                 part.valid_to and {rest}"
            ));
        }
    }
    Ok(format!(
        "with node as (select identity_node_id as node_key, valid_from, valid_to from \
         identity.bridge_identity where customer_key = $1), event as ({}) select {} from event\
         {joins}",
        ways.join(" union all "),
        columns.join(", ")
    ))
}

/// Events of the customer's own identifiers.
const OWN: &str = "select event.* from star.fct_journey_event as event inner join node on \
                   event.identity_node_id = node.node_key where event.event_at >= \
                   node.valid_from and event.event_at < node.valid_to and \
                   (event.identity_node_id <> event.anonymous_node_id or event.session_id is null)";

async fn evidence_of(ask: Ask, Path(key): Path<String>) -> Result<Response, Problem> {
    let key = number(&key)?;
    let session = ask.session().await?;
    let bridge = select(
        &session,
        "bridge_identity",
        "customer_key = $1",
        "valid_from",
    )
    .await?;
    let identifiers = values(&session, &bridge, key).await?;
    if identifiers.is_empty() {
        return Err(missing());
    }
    let mine = "(select identity_node_id from identity.bridge_identity where customer_key = $1)";
    let both = format!("a_node_key in {mine} and (b_node_key is null or b_node_key in {mine})");
    let links = optional(&session, "int_identity_edge", &both, "first_at", key).await?;
    let either = format!("node_key in {mine}");
    let decisions = format!("decision is not null and {either}");
    let decisions = optional(&session, "int_identity_link", &decisions, "linked_at", key).await?;
    Ok(rows::json(&Evidence {
        customer_key: key.to_string(),
        identifiers,
        links,
        decisions,
    }))
}

/// Rows of a table of the schema `identity`; none where the caller may not see it.
async fn optional(
    session: &Session,
    table: &str,
    condition: &str,
    order: &str,
    key: i64,
) -> Result<Option<Vec<Map<String, Value>>>, Problem> {
    match select(session, table, condition, order).await {
        Ok(sql) => Ok(Some(values(session, &sql, key).await?)),
        Err(problem) if problem.status() == axum::http::StatusCode::NOT_FOUND => Ok(None),
        Err(problem) => Err(problem),
    }
}

async fn select(
    session: &Session,
    table: &str,
    condition: &str,
    order: &str,
) -> Result<String, Problem> {
    let seen = visible(session, "identity", table).await?;
    let names = seen.fields().iter().map(|field| quoted(field.name()));
    let names = names.collect::<Vec<_>>().join(", ");
    Ok(format!(
        "select {names} from identity.{table} where {condition} order by {order} limit \
         {EVIDENCE_ROWS}"
    ))
}

/// Rows of a statement about one customer, as JSON objects.
async fn values(
    session: &Session,
    sql: &str,
    key: i64,
) -> Result<Vec<Map<String, Value>>, Problem> {
    let statement = session.prepare(sql).await?;
    let key = ParamValues::from(vec![ScalarValue::Int64(Some(key))]);
    let rows = session.run(&statement, Some(key)).await?;
    let schema = rows.schema().clone();
    let mut encoder = Encoder::new(Media::Ndjson, &schema, Map::new(), Map::new(), false)?;
    let mut all = Vec::new();
    for batch in rows.collect().await? {
        let lines = encoder.batch(&batch)?;
        let lines = lines.split(|byte| *byte == b'\n');
        let parsed = lines.filter_map(|line| serde_json::from_slice(line).ok());
        all.extend(parsed);
    }
    Ok(all)
}

fn number(key: &str) -> Result<i64, Problem> {
    key.parse().map_err(|_| missing())
}

fn missing() -> Problem {
    Problem::missing("there is no such customer, or you may not see it")
        .hint("a key is what `customer_key` is in tables")
}
