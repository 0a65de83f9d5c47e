//! `/auth/oidc`: log-in by another's directory, with code and PKCE.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use super::app::App;
use super::caller::{cookie, origin};
use super::endpoint::{Endpoint, Param};
use super::params::Params;
use super::problem::Problem;
use super::session;
use crate::access::who::oidc::{Back, Oidc};
use crate::access::who::{Origin, Secret};

/// The cookie that a log-in is brought back with.
const COOKIE: &str = "throughline-oidc";
/// It is kept for so many seconds.
const SECONDS: i64 = 600;

pub(super) fn endpoints() -> Vec<Endpoint> {
    let text = r#"{"type": "string"}"#;
    let one = |name, description| Param {
        name,
        schema: text,
        description,
    };
    let back = [
        one("state", "What the log-in began with."),
        one("code", "What the directory vouches with."),
        one("iss", "The directory (RFC 9207)."),
        one("session_state", "Not used."),
        one("scope", "Not used."),
        one("error", "Why the directory does not vouch."),
        one("error_description", "The same in words."),
        one("error_uri", "The same at length."),
    ];
    vec![
        Endpoint::get("/auth/oidc/start", start)
            .says(
                "startOidc",
                "Log in by the directory",
                "Sends the browser to the directory that vouches for people.",
            )
            .tag("session")
            .open()
            .any_form()
            .takes(&[one("return_to", "Path of our page to come back to.")])
            .gives_nothing(303, "To the directory.")
            .errors(&[404]),
        Endpoint::get("/auth/oidc/callback", callback)
            .says(
                "finishOidc",
                "Come back from the directory",
                "Ends the log-in with what the browser brings back, and sets the page's cookie.",
            )
            .tag("session")
            .open()
            .any_form()
            .takes(&back)
            .gives_nothing(303, "Logged in; back to the page.")
            .errors(&[401, 404]),
    ]
}

fn directory(app: &App) -> Result<std::sync::Arc<Oidc>, Problem> {
    let found = app.doors.oidc.clone();
    found.ok_or_else(|| Problem::missing("no directory vouches for people here"))
}

async fn start(State(app): State<App>, request: Request) -> Result<Response, Problem> {
    let origin = origin(request.extensions());
    let params = request
        .extensions()
        .get::<Params>()
        .cloned()
        .unwrap_or_default();
    let return_to = params.get("return_to").unwrap_or("/");
    let (directory, who) = (directory(&app)?, app.doors.who.clone());
    let return_to = return_to.to_owned();
    let begun = aside(move || async move { directory.begin_login(&who, &return_to).await });
    let begun = begun.await??;
    // Lax: the browser comes back from another site.
    let set = set(begun.cookie.expose(), SECONDS, origin)?;
    see(&begun.url, [set])
}

async fn callback(State(app): State<App>, request: Request) -> Result<Response, Problem> {
    let origin = origin(request.extensions());
    let params = request
        .extensions()
        .get::<Params>()
        .cloned()
        .unwrap_or_default();
    let directory = directory(&app)?;
    let refused = |detail: &str| {
        Problem::new(StatusCode::UNAUTHORIZED, detail).hint("begin again at /auth/oidc/start")
    };
    if params.get("error").is_some() {
        return Err(refused("the directory does not vouch for you"));
    }
    let known = begun(request.headers());
    let cookie =
        known.ok_or_else(|| refused("this browser has not begun a log-in, or too long ago"))?;
    let (Some(state), Some(code)) = (params.get("state"), params.get("code")) else {
        return Err(refused("the directory brought back neither state nor code"));
    };
    let (state, code) = (state.to_owned(), Secret::new(code));
    let (who, issuer) = (app.doors.who.clone(), params.get("iss").map(str::to_owned));
    let finished = aside(move || async move {
        let back = Back {
            state: &state,
            code,
            issuer: issuer.as_deref(),
            cookie: &cookie,
        };
        directory.finish_login(&who, back, origin).await
    });
    let finished = finished.await??;
    let page = session::cookie(&app, &finished.session, origin)?;
    see(&finished.return_to, [page, set("", 0, origin)?])
}

/// Does something on a thread of its own: what asks the directory cannot change threads.
async fn aside<T: Send + 'static, F: Future<Output = T>>(
    work: impl FnOnce() -> F + Send + 'static,
) -> Result<T, Problem> {
    let here = tokio::runtime::Handle::current();
    let done = tokio::task::spawn_blocking(move || here.block_on(work())).await;
    done.map_err(|error| Problem::internal(&error))
}

fn begun(headers: &HeaderMap) -> Option<Secret> {
    cookie(headers, &[COOKIE])
}

fn set(value: &str, seconds: i64, origin: Origin) -> Result<HeaderValue, Problem> {
    let secure = if origin.is_tls { "; Secure" } else { "" };
    let text = format!(
        "{COOKIE}={value}; Path=/auth/oidc; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"
    );
    HeaderValue::from_str(&text).map_err(|error| Problem::internal(&error))
}

fn see<const N: usize>(url: &str, cookies: [HeaderValue; N]) -> Result<Response, Problem> {
    let to = HeaderValue::from_str(url).map_err(|error| Problem::internal(&error))?;
    let mut response = StatusCode::SEE_OTHER.into_response();
    response.headers_mut().insert(header::LOCATION, to);
    for cookie in cookies {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}
