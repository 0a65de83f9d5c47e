//! What a handler is given of a request that the guard has let through.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri};

use super::app::App;
use super::caller::Caller;
use super::dress::RequestId;
use super::endpoint::AS_OF;
use super::media::Media;
use super::params::Params;
use super::problem::Problem;
use crate::access::Session;

/// A request by somebody who was recognised.
pub(super) struct Ask {
    pub(super) app: App,
    pub(super) caller: Caller,
    /// The form of the answer.
    pub(super) media: Media,
    pub(super) params: Params,
    pub(super) headers: HeaderMap,
    pub(super) uri: Uri,
    pub(super) id: Option<RequestId>,
}

impl Ask {
    /// The session in which its statements run, as of the time that its parameters say.
    ///
    /// # Errors
    /// Nothing is known of the time.
    pub(super) async fn session(&self) -> Result<Session, Problem> {
        self.caller
            .session(&self.app, self.params.get(AS_OF.name))
            .await
    }
}

impl FromRequestParts<App> for Ask {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        Ok(Self {
            app: app.clone(),
            caller: Caller::from_request_parts(parts, app).await?,
            media: Media::from_request_parts(parts, app).await?,
            params: Params::from_request_parts(parts, app).await?,
            headers: parts.headers.clone(),
            uri: parts.uri.clone(),
            id: parts.extensions.get::<RequestId>().cloned(),
        })
    }
}
