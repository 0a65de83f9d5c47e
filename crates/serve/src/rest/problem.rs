//! Errors as clients get them: RFC 9457 `application/problem+json`. A handler returns a
//! [`Problem`]; its body is written where the request's id is known. None holds a value of a row.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::access::error::{AccessError, Reason};
use crate::access::who::{LoginError, WhoError};
use crate::metrics::Refused;

/// Media type of errors.
pub(super) const MEDIA: &str = "application/problem+json";

/// Why a request was not answered (RFC 9457).
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(example = json!({
    "type": "urn:throughline:problem:not-found",
    "title": "Not found",
    "status": 404,
    "detail": "there is no table `marts.worth`, or you may not read it",
    "hint": "GET /api/v1/tables lists what you may read",
    "instance": "urn:throughline:request:5f0c1d2e3a4b5c6d7e8f9a0b1c2d3e4f",
    "code": "42P01"
}))]
pub(super) struct Problem {
    /// What kind of error it is: it stays the same where texts change.
    #[serde(rename = "type")]
    kind: String,
    /// The kind in words.
    title: String,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What happened, in one sentence.
    detail: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    /// The request, as it stands in logs.
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<String>,
    /// SQLSTATE, where a statement failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(skip)]
    retry_after: Option<i64>,
}

/// Kind and title of each status that is answered.
fn kind(status: StatusCode) -> (&'static str, &'static str) {
    match status {
        StatusCode::BAD_REQUEST => ("bad-request", "Bad request"),
        StatusCode::UNAUTHORIZED => ("not-logged-in", "Not logged in"),
        StatusCode::FORBIDDEN => ("forbidden", "Forbidden"),
        StatusCode::NOT_FOUND => ("not-found", "Not found"),
        StatusCode::METHOD_NOT_ALLOWED => ("method-not-allowed", "Method not allowed"),
        StatusCode::NOT_ACCEPTABLE => ("not-acceptable", "Not acceptable"),
        StatusCode::REQUEST_TIMEOUT => ("request-timeout", "Request timeout"),
        StatusCode::CONFLICT => ("conflict", "Conflict"),
        StatusCode::PAYLOAD_TOO_LARGE => ("too-large", "Too large"),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => ("unsupported-media-type", "Unsupported media type"),
        StatusCode::UNPROCESSABLE_ENTITY => ("unprocessable", "Cannot be done as asked"),
        StatusCode::TOO_MANY_REQUESTS => ("too-many-requests", "Too many requests"),
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => ("headers-too-large", "Headers too large"),
        StatusCode::SERVICE_UNAVAILABLE => ("unavailable", "Unavailable"),
        StatusCode::GATEWAY_TIMEOUT => ("timeout", "It took too long"),
        status if status.is_client_error() => ("bad-request", "Bad request"),
        _ => ("internal", "Internal error"),
    }
}

impl Problem {
    /// An error with its sentence.
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        let (kind, title) = kind(status);
        Self {
            kind: format!("urn:throughline:problem:{kind}"),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: detail.into(),
            hint: None,
            instance: None,
            code: None,
            retry_after: None,
        }
    }

    /// 400 with its sentence.
    pub(super) fn bad(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// 403 with its sentence.
    pub(super) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, detail)
    }

    /// 404 with its sentence.
    pub(super) fn missing(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// 422 with its sentence.
    pub(super) fn unprocessable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
    }

    /// 500. Why is for the log, not for the client.
    pub(super) fn internal(why: &dyn std::fmt::Display) -> Self {
        log::error!("a request failed: {why}");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the request failed inside the server",
        )
        .hint("quote `instance` to whoever runs the server")
    }

    /// For an answer that has no body of its own: an unknown route, a wrong method.
    pub(super) fn of_status(status: StatusCode) -> Self {
        let detail = match status {
            StatusCode::NOT_FOUND => "there is nothing at this path",
            StatusCode::METHOD_NOT_ALLOWED => "this path does not take this method",
            StatusCode::PAYLOAD_TOO_LARGE => "the request is larger than it may be",
            _ => "the request cannot be answered",
        };
        let problem = Self::new(status, detail);
        match status {
            StatusCode::NOT_FOUND => problem.hint("all paths: GET /api/v1/openapi.json"),
            StatusCode::METHOD_NOT_ALLOWED => problem.hint("`Allow` names those that it takes"),
            _ => problem,
        }
    }

    /// The same with what to do.
    #[must_use]
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same, to be tried again after so many seconds.
    #[must_use]
    pub(super) fn after(mut self, seconds: i64) -> Self {
        self.retry_after = Some(seconds.max(1));
        self
    }

    /// Its HTTP status.
    pub(super) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Its body, for the request of this id.
    pub(super) fn body(mut self, request_id: &str) -> Vec<u8> {
        self.instance = Some(format!("urn:throughline:request:{request_id}"));
        serde_json::to_vec(&self).unwrap_or_default()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA));
        if self.status == StatusCode::UNAUTHORIZED.as_u16() {
            let scheme = HeaderValue::from_static("Bearer realm=\"throughline\"");
            headers.insert(header::WWW_AUTHENTICATE, scheme);
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl From<AccessError> for Problem {
    fn from(error: AccessError) -> Self {
        let status = match error.reason {
            Reason::Denied | Reason::ReadOnly => StatusCode::FORBIDDEN,
            Reason::Unknown => StatusCode::UNAUTHORIZED,
            Reason::PolicyChanged | Reason::Exists | Reason::InUse | Reason::Conflict => {
                StatusCode::CONFLICT
            }
            Reason::Syntax | Reason::Setting => StatusCode::BAD_REQUEST,
            Reason::NoTable | Reason::NoSchema => StatusCode::NOT_FOUND,
            Reason::Full => StatusCode::INSUFFICIENT_STORAGE,
            Reason::TooComplex => StatusCode::PAYLOAD_TOO_LARGE,
            Reason::Cancelled => StatusCode::GATEWAY_TIMEOUT,
            Reason::OutOfMemory => StatusCode::SERVICE_UNAVAILABLE,
            Reason::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Reason::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Reason::NoColumn
            | Reason::NoFunction
            | Reason::Invalid
            | Reason::Unsupported
            | Reason::OtherKind
            | Reason::TooManyRows
            | Reason::DivisionByZero
            | Reason::BadValue
            | Reason::OutOfRange
            | Reason::Failed => StatusCode::UNPROCESSABLE_ENTITY,
        };
        let mut problem = Self::new(status, error.message.clone());
        problem.hint = error.hint.clone();
        problem.code = Some(error.sqlstate().to_owned());
        match error.reason {
            Reason::TooMany | Reason::OutOfMemory => problem.after(5),
            _ => problem,
        }
    }
}

impl From<LoginError> for Problem {
    fn from(error: LoginError) -> Self {
        match &error {
            LoginError::Refused => Self::new(StatusCode::UNAUTHORIZED, error.to_string())
                .hint("name and password, or the token, do not fit, or not any more"),
            LoginError::Slowed(slowed) => {
                let seconds = slowed.after.num_milliseconds().div_euclid(1_000) + 1;
                Self::new(StatusCode::TOO_MANY_REQUESTS, error.to_string()).after(seconds)
            }
            LoginError::NotPrivate => {
                Self::forbidden(error.to_string()).hint("use https, or log in on this machine")
            }
            LoginError::Failed(why) => {
                log::error!("a log-in failed: {why}");
                Self::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string()).after(5)
            }
        }
    }
}

impl From<WhoError> for Problem {
    fn from(error: WhoError) -> Self {
        let status = match &error {
            WhoError::Exists { .. } | WhoError::LastAdmin(_) | WhoError::NotLocal(_) => {
                StatusCode::CONFLICT
            }
            WhoError::Missing { .. } => StatusCode::NOT_FOUND,
            WhoError::Name { .. } | WhoError::Weak(_) | WhoError::Expiry => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            _ => return Self::internal(&error),
        };
        let text = error.to_string();
        let (detail, hint) = text.split_once("\nhint: ").unwrap_or((&text, ""));
        let problem = Self::new(status, detail);
        // The advice of a command line is none here.
        match hint.is_empty() || hint.starts_with("throughline ") {
            true => problem,
            false => problem.hint(hint),
        }
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        let mut detail = refused.what;
        if let Some(why) = refused.why {
            detail = format!("{detail}: {why}");
        }
        let problem = Self::unprocessable(detail);
        match refused.hint {
            Some(hint) => problem.hint(hint),
            None => problem,
        }
    }
}
