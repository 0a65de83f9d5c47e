//! `/session`: who am I, and the sessions of the page.

use axum::extract::{FromRequest as _, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::app::App;
use super::body::Json;
use super::caller::{By, Caller, origin, page_cookie, set_cookie};
use super::endpoint::Endpoint;
use super::problem::Problem;
use super::rows;
use crate::access::Principal;
use crate::access::who::{NewSession, Origin, Secret};

/// Name and password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LogIn {
    /// The user's name.
    #[schema(min_length = 1, max_length = 255)]
    name: String,
    /// Its password.
    #[schema(min_length = 1, max_length = 1024, format = "password")]
    password: String,
}

/// Who is logged in.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct WhoAmI {
    /// The name.
    name: String,
    /// `user` or `service`.
    kind: &'static str,
    /// The roles that it has been given.
    roles: Vec<String>,
    /// The groups that it is in.
    groups: Vec<String>,
    /// It sees everything, and may change users, tokens and policy.
    is_admin: bool,
    /// By what it was recognised: `token`, `password` or `page`.
    by: &'static str,
    /// What a page has to send as `X-Throughline-CSRF` with every change.
    #[serde(skip_serializing_if = "Option::is_none")]
    csrf: Option<String>,
    /// When the page's session ends in any case; told at log-in.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<DateTime<Utc>>,
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    let me = json!({
        "name": "ana", "kind": "user", "roles": ["analyst"], "groups": [], "is_admin": false,
        "by": "page", "csrf": "3vXo0v0rD0m5vB1vYw5mJ7l9Y8sY2Vd1r3k5pQ6nT4c",
    });
    let login = json!({"name": "ana", "password": "several words only you put together"});
    vec![
        Endpoint::get("/api/v1/session", who_am_i)
            .says(
                "getSession",
                "Who am I?",
                "Who the caller is, and what it holds.",
            )
            .tag("session")
            .gives::<WhoAmI>(200, "The caller.", me.clone()),
        Endpoint::post("/api/v1/session", log_in)
            .says(
                "logIn",
                "Log in to the page",
                "Begins a session by name and password, and sets its cookie. Programs use tokens \
                 instead.",
            )
            .tag("session")
            .open()
            .body::<LogIn>(login)
            .gives::<WhoAmI>(200, "Logged in; the cookie is set.", me),
        Endpoint::delete("/api/v1/session", log_out)
            .says(
                "logOut",
                "Log out of the page",
                "Ends the session of the cookie.",
            )
            .tag("session")
            .gives_nothing(204, "Logged out."),
    ]
}

async fn who_am_i(caller: Caller) -> Response {
    let (by, csrf) = match &caller.by {
        By::Token => ("token", None),
        By::Password => ("password", None),
        By::Page(csrf) => ("page", Some(csrf.expose().to_owned())),
    };
    let mut me = described(&caller.principal, caller.is_admin, by);
    me.csrf = csrf;
    rows::json(&me)
}

async fn log_in(State(app): State<App>, request: Request) -> Result<Response, Problem> {
    let origin = origin(request.extensions());
    from_here(request.headers())?;
    let Json(LogIn { name, password }) = Json::from_request(request, &app).await?;
    let password = Secret::new(password);
    let (principal, session) = app
        .doors
        .who
        .begin_session(&name, &password, origin)
        .await?;
    let is_admin = app.doors.gate.rights(principal.clone()).is_admin;
    let mut me = described(&principal, is_admin, "page");
    me.csrf = Some(session.csrf.expose().to_owned());
    me.expires_at = Some(session.expires_at);
    let mut response = rows::json(&me);
    response
        .headers_mut()
        .insert(header::SET_COOKIE, cookie(&app, &session, origin)?);
    Ok(response)
}

async fn log_out(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if let (By::Page(_), Some(cookie)) = (&caller.by, page_cookie(&headers)) {
        app.doors.who.log_out(&cookie, caller.origin).await?;
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    let gone = set_cookie("", 0, caller.origin);
    if let Ok(value) = HeaderValue::from_str(&gone) {
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
    Ok(response)
}

/// `Set-Cookie` of a session that has begun.
pub(super) fn cookie(
    app: &App,
    session: &NewSession,
    origin: Origin,
) -> Result<HeaderValue, Problem> {
    let seconds = (session.expires_at - app.now()).num_seconds().max(0);
    let text = set_cookie(session.cookie.expose(), seconds, origin);
    HeaderValue::from_str(&text).map_err(|error| Problem::internal(&error))
}

/// Refuses a log-in that another site's page sends: somebody would be logged in as another.
fn from_here(headers: &HeaderMap) -> Result<(), Problem> {
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    match site {
        None | Some(b"same-origin" | b"none") => Ok(()),
        Some(_) => Err(Problem::forbidden("another site's page cannot log in here")),
    }
}

fn described(principal: &Principal, is_admin: bool, by: &'static str) -> WhoAmI {
    WhoAmI {
        name: principal.name.clone(),
        kind: match principal.kind {
            crate::access::PrincipalKind::User => "user",
            crate::access::PrincipalKind::Service => "service",
        },
        roles: principal.roles.iter().cloned().collect(),
        groups: principal.groups.iter().cloned().collect(),
        is_admin,
        by,
        csrf: None,
        expires_at: None,
    }
}
