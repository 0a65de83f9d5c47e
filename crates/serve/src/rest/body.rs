//! The JSON body of a request, within its limits.

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::app::App;
use super::problem::Problem;

/// A JSON body of a known shape.
#[derive(Debug)]
pub(super) struct Json<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<App> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        is_json(&parts.headers)?;
        let bytes = read(app, body).await?;
        // An array is no object, though serde would take one for a struct.
        let object = serde_json::from_slice::<Value>(&bytes).and_then(|value| match value {
            Value::Object(_) => serde_json::from_value(value),
            _ => Err(serde::de::Error::custom("it is no object")),
        });
        match object {
            Ok(value) => Ok(Self(value)),
            // What serde says names fields, and repeats what the client itself sent.
            Err(error) if error.is_data() => Err(Problem::unprocessable(format!(
                "the body is not as it should be: {error}"
            ))
            .hint("its schema is in GET /api/v1/openapi.json")),
            Err(error) => Err(Problem::bad(format!("the body is no JSON: {error}"))),
        }
    }
}

/// Reads a body, within the time and size that there is for it.
///
/// # Errors
/// It is too large, takes too long, or breaks off.
pub(super) async fn read(app: &App, body: Body) -> Result<Bytes, Problem> {
    let most = app.settings.body_bytes;
    match tokio::time::timeout(app.settings.body_time, to_bytes(body, most)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) => {
            let text = error.to_string();
            Err(match text.contains("limit") {
                true => Problem::new(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    format!("the body has more than {most} bytes"),
                ),
                false => Problem::bad("the body broke off"),
            })
        }
        Err(_) => Err(Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "the body took too long to come",
        )),
    }
}

fn is_json(headers: &HeaderMap) -> Result<(), Problem> {
    let value = headers.get(header::CONTENT_TYPE);
    let text = value
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = text.split(';').next().unwrap_or_default().trim();
    match essence.eq_ignore_ascii_case("application/json") {
        true => Ok(()),
        false => Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "the body has to be JSON",
        )
        .hint("Content-Type: application/json")),
    }
}
