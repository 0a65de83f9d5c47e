//! What every answer has: the request's id, the headers that browsers need, errors of one form.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::app::App;
use super::caller::origin;
use super::problem::{MEDIA, Problem};
use crate::access::who::Secret;

/// The header of a request's id.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest id that is taken from a client.
const ID_CHARACTERS: usize = 128;

/// The id of a request.
#[derive(Debug, Clone)]
pub(super) struct RequestId(pub(super) String);

/// Dresses an answer. The outermost of all.
pub(super) async fn dress(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let id = request_id(request.headers());
    let origin = origin(request.extensions());
    let asks = request.headers().get(header::ORIGIN).cloned();
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    request.extensions_mut().insert(RequestId(id.clone()));
    let is_preflight = method == Method::OPTIONS
        && asks.is_some()
        && request
            .headers()
            .contains_key("access-control-request-method");
    let response = if !origin.is_private() {
        // Secrets and data are not sent in clear.
        Problem::forbidden("this is answered over TLS or to this machine only")
            .hint("use https")
            .into_response()
    } else if is_preflight && may_read(&app, asks.as_ref()) {
        StatusCode::NO_CONTENT.into_response()
    } else {
        next.run(request).await
    };
    let mut response = in_form(response, &id);
    let status = response.status().as_u16();
    log::info!("rest {id} {method} {path} {status}");
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, value);
    }
    for (name, value) in ALWAYS {
        headers.insert(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if origin.is_tls {
        let hsts = HeaderValue::from_static("max-age=31536000; includeSubDomains");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, hsts);
    }
    share(&app, asks, is_preflight, headers);
    response
}

/// Headers of every answer. An answer of this door is data: no browser may run anything of it.
const ALWAYS: [(&str, &str); 6] = [
    (
        "content-security-policy",
        "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "interest-cohort=()"),
];

/// The id that a client gave, if it is one, or a new one.
fn request_id(headers: &HeaderMap) -> String {
    let given = headers
        .get(REQUEST_ID)
        .and_then(|value| value.to_str().ok());
    let is_sane = |id: &&str| {
        (8..=ID_CHARACTERS).contains(&id.len())
            && id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    match given.filter(is_sane) {
        Some(id) => id.to_owned(),
        None => Secret::random(22).map_or_else(|_| "-".to_owned(), |id| id.expose().to_owned()),
    }
}

/// Gives every error the form of errors.
fn in_form(mut response: Response, id: &str) -> Response {
    let problem = response.extensions_mut().remove::<Problem>();
    let status = response.status();
    let problem = match problem {
        Some(problem) => problem,
        None if status.is_client_error() || status.is_server_error() => Problem::of_status(status),
        None => return response,
    };
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    headers.remove(header::CONTENT_ENCODING);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA));
    *response.body_mut() = Body::from(problem.body(id));
    response
}

fn may_read(app: &App, asks: Option<&HeaderValue>) -> bool {
    let asks = asks.and_then(|origin| origin.to_str().ok());
    asks.is_some_and(|asks| app.settings.origins.iter().any(|known| known == asks))
}

/// Lets the pages of configured origins read answers. They send a token, never a cookie.
fn share(app: &App, asks: Option<HeaderValue>, is_preflight: bool, headers: &mut HeaderMap) {
    if app.settings.origins.is_empty() {
        return;
    }
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    let Some(asks) = asks.filter(|asks| may_read(app, Some(asks))) else {
        return;
    };
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, asks);
    let shared = HeaderValue::from_static(
        "etag, link, retry-after, x-request-id, x-throughline-as-of, ratelimit-limit, \
         ratelimit-remaining, ratelimit-reset",
    );
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, shared);
    headers.insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("cross-origin"),
    );
    if is_preflight {
        let methods = HeaderValue::from_static("GET, POST, PATCH, DELETE");
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
        let names = HeaderValue::from_static(
            "authorization, content-type, idempotency-key, if-none-match, x-request-id",
        );
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, names);
        headers.insert(
            header::ACCESS_CONTROL_MAX_AGE,
            HeaderValue::from_static("600"),
        );
    }
}
