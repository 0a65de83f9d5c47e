//! What is checked before a request comes to its handler, and what is done with its answer.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest as _, Sha256};

use super::app::App;
use super::body;
use super::caller::{Caller, origin};
use super::endpoint::{Access, Rules};
use super::media::Media;
use super::meter::Left;
use super::params::Params;
use super::problem::Problem;
use super::repeats::{Answer, Begun};

/// Marks an answer whose body is in memory as a whole, so that it can have an entity tag.
#[derive(Debug, Clone, Copy)]
pub(super) struct Whole;

/// Longest answer that is kept for a repeated request.
const KEPT_BYTES: usize = 1 << 20;

/// Guards one endpoint.
pub(super) async fn guard(
    State((app, rules)): State<(App, Arc<Rules>)>,
    mut request: Request,
    next: Next,
) -> Response {
    let (caller, left) = match admitted(&app, &rules, &mut request).await {
        Ok(admitted) => admitted,
        Err(problem) => return problem.into_response(),
    };
    let headers = request.headers().clone();
    let is_read = [Method::GET, Method::HEAD].contains(request.method());
    let response = match rules.changes {
        true => changed(&app, caller.as_ref(), request, next).await,
        false => next.run(request).await,
    };
    let mut response = match is_read && response.status() == StatusCode::OK {
        true => tagged(&headers, response).await,
        false => response,
    };
    left.write(response.headers_mut());
    response
}

/// Recognises the caller and checks the request.
async fn admitted(
    app: &App,
    rules: &Rules,
    request: &mut Request,
) -> Result<(Option<Caller>, Left), Problem> {
    let origin = origin(request.extensions());
    let caller = match rules.access {
        Access::Open => None,
        Access::LoggedIn | Access::Admin => Some(Caller::of(app, request.headers(), origin).await?),
    };
    let name = match (&caller, origin.address) {
        (Some(caller), _) => caller.principal.id().to_string(),
        (None, Some(address)) => address.to_string(),
        (None, None) => String::new(),
    };
    let left = app.meter.count(&name, app.now())?;
    if let Some(caller) = &caller {
        if rules.access == Access::Admin && !caller.is_admin {
            return Err(Problem::forbidden("this is for administrators"));
        }
        if request.method() != Method::GET && request.method() != Method::HEAD {
            caller.means_it(request.headers())?;
        }
    }
    let query = request.uri().query().unwrap_or_default();
    let params = match rules.offered.is_empty() {
        // What a directory sends back is its own choice.
        true => Params::of_others(query, &rules.known),
        false => Params::read(query, &rules.known, rules.takes_conditions)?,
    };
    let format = params
        .get("format")
        .filter(|_| rules.known.contains(&"format"));
    let media = match rules.offered.is_empty() {
        true => Media::Json,
        false => Media::asked(request.headers(), format, rules.offered)?,
    };
    let extensions = request.extensions_mut();
    extensions.insert(params);
    extensions.insert(media);
    if let Some(caller) = &caller {
        extensions.insert(caller.clone());
    }
    Ok((caller, left))
}

/// Runs a change: to its end, even if the client goes; and once per `Idempotency-Key`.
async fn changed(app: &App, caller: Option<&Caller>, request: Request, next: Next) -> Response {
    let key = request.headers().get("idempotency-key").cloned();
    let (Some(key), Some(caller), Method::POST) = (key, caller, request.method().clone()) else {
        return to_its_end(next.run(request)).await;
    };
    let (parts, sent) = request.into_parts();
    let bytes = match body::read(app, sent).await {
        Ok(bytes) => bytes,
        Err(problem) => return problem.into_response(),
    };
    let id = caller.principal.id().to_string();
    let place = [id.as_str(), "POST", parts.uri.path()];
    let key = key.to_str().unwrap_or_default();
    let begun = match app.repeats.begin(key, &place, &bytes, app.now()) {
        Ok(Begun::New(begun)) => begun,
        Ok(Begun::Done(answer)) => return again(*answer),
        Err(problem) => return problem.into_response(),
    };
    let request = Request::from_parts(parts, Body::from(bytes));
    let app = app.clone();
    to_its_end(async move {
        let (response, answer) = kept(next.run(request).await).await;
        app.repeats.end(begun, answer);
        response
    })
    .await
}

/// An answer that was given before.
fn again(answer: Answer) -> Response {
    let mut response = (answer.status, answer.headers, answer.body).into_response();
    let replayed = HeaderValue::from_static("true");
    response
        .headers_mut()
        .insert("idempotency-replayed", replayed);
    response
}

/// Does something even if nobody waits for it any more: a change is not left half done.
async fn to_its_end(work: impl Future<Output = Response> + Send + 'static) -> Response {
    let done = tokio::spawn(work).await;
    done.unwrap_or_else(|error| Problem::internal(&error).into_response())
}

/// An answer, and what is kept of it; nothing of errors: what failed may be tried again.
async fn kept(response: Response) -> (Response, Option<Answer>) {
    if !response.status().is_success() {
        return (response, None);
    }
    let (parts, body) = response.into_parts();
    match to_bytes(body, KEPT_BYTES).await {
        Ok(body) => {
            let answer = Answer {
                status: parts.status,
                headers: parts.headers.clone(),
                body: body.clone(),
            };
            (Response::from_parts(parts, Body::from(body)), Some(answer))
        }
        Err(error) => (Problem::internal(&error).into_response(), None),
    }
}

/// Gives an answer its entity tag, or says that the client has it already.
async fn tagged(asked: &HeaderMap, mut response: Response) -> Response {
    let vary = HeaderValue::from_static("accept, authorization, cookie");
    response.headers_mut().append(header::VARY, vary);
    if response.extensions_mut().remove::<Whole>().is_none() {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(body) = to_bytes(body, usize::MAX).await else {
        return Problem::internal(&"a body in memory cannot be read").into_response();
    };
    let mut hasher = Sha256::new();
    // Another form of the same has another tag: the bytes that are sent differ.
    for name in [header::CONTENT_TYPE, header::LINK] {
        let value = parts
            .headers
            .get(name)
            .map_or(&b""[..], HeaderValue::as_bytes);
        hasher.update((value.len() as u64).to_be_bytes());
        hasher.update(value);
    }
    let encodings = asked.get(header::ACCEPT_ENCODING);
    let encodings = encodings.map_or(&b""[..], HeaderValue::as_bytes);
    hasher.update((encodings.len() as u64).to_be_bytes());
    hasher.update(encodings);
    hasher.update(&body);
    let tag = format!("\"{}\"", hex::encode(&hasher.finalize()[..16]));
    let cached = HeaderValue::from_static("private, no-cache");
    parts.headers.insert(header::CACHE_CONTROL, cached);
    let known = asked.get_all(header::IF_NONE_MATCH).iter();
    let known = known.filter_map(|value| value.to_str().ok());
    let is_known = known.flat_map(|text| text.split(',')).any(|one| {
        let one = one.trim();
        one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag
    });
    if let Ok(value) = HeaderValue::from_str(&tag) {
        parts.headers.insert(header::ETAG, value);
    }
    if is_known {
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove(header::CONTENT_TYPE);
        parts.headers.remove(header::CONTENT_LENGTH);
        return Response::from_parts(parts, Body::empty());
    }
    Response::from_parts(parts, Body::from(body))
}
