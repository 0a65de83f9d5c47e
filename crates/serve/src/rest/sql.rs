//! `/sql`: a statement, within what the caller may see.

use axum::response::Response;
use datafusion::common::{ParamValues, ScalarValue};
use datafusion::error::DataFusionError;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::ask::Ask;
use super::body::Json;
use super::endpoint::Endpoint;
use super::problem::Problem;
use super::rows::{Answer, RowsAnswer, note_export};
use crate::access::Statement;

/// A statement.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Sql {
    /// The statement: one `select`.
    #[schema(min_length = 1, max_length = 1048576)]
    statement: String,
    /// Values of `$1`, `$2` …: texts, numbers, truth values or nulls.
    #[serde(default)]
    parameters: Vec<Value>,
    /// Reads the tables as they were: a time, a day, or the name of a run.
    #[serde(default)]
    #[schema(max_length = 255)]
    as_of: Option<String>,
    /// At most so many rows; as many as the server gives without it.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 9223372036854775807_i64)]
    limit: Option<u64>,
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    let example = json!({
        "statement": "select channel, channel_group from star.dim_channel \
                      where channel_group = $1 order by channel",
        "parameters": ["Paid"],
        "limit": 100,
    });
    let answer = json!({
        "columns": [
            {"name": "channel", "type": "text"}, {"name": "channel_group", "type": "text"},
        ],
        "rows": [{"channel": "Paid Search", "channel_group": "Paid"}],
        "row_count": 1,
        "is_truncated": false,
    });
    vec![
        Endpoint::post("/api/v1/sql", run)
            .says(
                "runSql",
                "Run a statement",
                "Runs one statement that reads. It sees the tables, rows and values that the \
                 caller may see. Long answers are sent as they are made: one that fails on the \
                 way breaks off.",
            )
            .tag("sql")
            .asks()
            .body::<Sql>(example)
            .gives_rows::<RowsAnswer>("The rows.", answer),
    ]
}

async fn run(ask: Ask, Json(sql): Json<Sql>) -> Result<Response, Problem> {
    if sql
        .limit
        .is_some_and(|limit| i64::try_from(limit).map_or(true, |limit| limit == 0))
    {
        return Err(Problem::unprocessable(
            "`limit` is at least 1 and at most 9223372036854775807",
        ));
    }
    let session = ask.caller.session(&ask.app, sql.as_of.as_deref()).await?;
    let mut answer = Answer::new(&ask, "rows", &session)?;
    answer.limit = sql.limit;
    let rows = match sql.parameters.is_empty() {
        true => session.query(&sql.statement).await?,
        false => {
            let statement = session.prepare(&sql.statement).await?;
            let values = bound(&statement, &sql.parameters)?;
            session.run(&statement, Some(values)).await?
        }
    };
    let tables: Vec<&str> = rows.tables().collect();
    note_export(&ask, &tables.join(", ")).await?;
    answer.stream(rows).await
}

/// The values of a statement's parameters, in the types that it gives them.
pub(super) fn bound(statement: &Statement, values: &[Value]) -> Result<ParamValues, Problem> {
    let known = statement.parameters();
    if known.len() > values.len() {
        let detail = format!("the statement has {} parameters", known.len());
        return Err(Problem::unprocessable(format!(
            "{detail}, and {} came",
            values.len()
        )));
    }
    let values = values.iter().enumerate().map(|(at, value)| {
        let name = format!("${}", at + 1);
        let scalar = scalar(value)
            .ok_or_else(|| Problem::unprocessable(format!("`{name}` is no value of a column")))?;
        let kind = known.iter().find(|(known, _)| *known == name);
        match kind.and_then(|(_, kind)| kind.as_ref()) {
            Some(kind) => scalar.cast_to(kind).map_err(|_: DataFusionError| {
                let kind = super::encode::type_name(kind);
                Problem::unprocessable(format!("`{name}` cannot be read as {kind}"))
            }),
            None => Ok(scalar),
        }
    });
    Ok(ParamValues::from(values.collect::<Result<Vec<_>, _>>()?))
}

fn scalar(value: &Value) -> Option<ScalarValue> {
    Some(match value {
        Value::Null => ScalarValue::Null,
        Value::Bool(value) => ScalarValue::Boolean(Some(*value)),
        Value::String(text) => ScalarValue::Utf8(Some(text.clone())),
        Value::Number(number) => match number.as_i64() {
            Some(number) => ScalarValue::Int64(Some(number)),
            None => ScalarValue::Float64(number.as_f64()),
        },
        Value::Array(_) | Value::Object(_) => return None,
    })
}
