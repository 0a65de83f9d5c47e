//! The server itself: whether it lives, whether it can answer, and what it can be asked.

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::app::App;
use super::endpoint::Endpoint;
use super::guard::Whole;
use super::problem::Problem;
use super::rows;

/// How the server is.
#[derive(Debug, Serialize, ToSchema)]
struct Health {
    /// `ok`.
    #[schema(example = "ok")]
    status: &'static str,
    /// Version of the program.
    version: &'static str,
}

const OK: Health = Health {
    status: "ok",
    version: env!("CARGO_PKG_VERSION"),
};

pub(super) fn endpoints() -> Vec<Endpoint> {
    let example = || json!({"status": "ok", "version": "0.1.0"});
    let document = json!({"type": "object"});
    vec![
        Endpoint::get("/healthz", live)
            .says(
                "getHealth",
                "Does it live?",
                "Whether the program answers at all.",
            )
            .tag("server")
            .open()
            .gives::<Health>(200, "It lives.", example()),
        Endpoint::get("/readyz", ready)
            .says(
                "getReadiness",
                "Can it answer?",
                "Whether users and runs can be read.",
            )
            .tag("server")
            .open()
            .gives::<Health>(200, "It can answer.", example()),
        Endpoint::get("/api/v1/openapi.json", openapi)
            .says(
                "getOpenapi",
                "This document",
                "The OpenAPI 3.1 document of this version.",
            )
            .tag("server")
            .open()
            .gives_other(200, "The document.", "application/json", document),
    ]
}

async fn live() -> Response {
    rows::json(&OK)
}

async fn ready(State(app): State<App>) -> Result<Response, Problem> {
    let unready = |detail: &str| {
        let status = axum::http::StatusCode::SERVICE_UNAVAILABLE;
        Problem::new(status, detail).after(5)
    };
    let users = app.doors.who.store().epoch().await;
    users.map_err(|_| unready("users cannot be read"))?;
    let runs = app.doors.runs.newest(1).await;
    runs.map_err(|_| unready("the runs cannot be read"))?;
    Ok(rows::json(&OK))
}

async fn openapi(State(app): State<App>) -> Response {
    let kind = HeaderValue::from_static("application/json");
    let mut response = ([(header::CONTENT_TYPE, kind)], app.document.clone()).into_response();
    response.extensions_mut().insert(Whole);
    response
}
