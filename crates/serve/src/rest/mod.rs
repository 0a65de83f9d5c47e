//! The REST door: `/api/v1`, for programs and for the page.
//!
//! An endpoint is one function in the file of its resource, and one line in that file's
//! `endpoints`: what it does, who may ask ([`endpoint`]), how the document describes it
//! ([`document`]). [`guard`] recognises the caller and checks the request before the function is
//! called; [`dress`] gives every answer, errors too, the same form. Data comes from a governed
//! session only: no endpoint decides what a caller may see.

mod app;
mod ask;
mod attribution;
mod audit;
mod body;
mod caller;
mod conditions;
mod csv;
mod cursor;
mod customers;
mod document;
mod dress;
mod encode;
mod endpoint;
mod guard;
mod listen;
mod media;
mod meter;
mod metrics;
mod models;
mod oidc;
mod page;
mod params;
mod policy;
mod problem;
mod quality;
mod repeats;
mod rows;
mod runs;
mod server;
mod session;
mod sources;
mod sql;
mod tables;
#[cfg(test)]
mod tests;
mod tokens;
mod users;

use std::io;
use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use tokio::net::TcpListener;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate as _};

pub use app::Settings;
pub use caller::Peer;
pub use meter::Rate;

use app::App;
use endpoint::Endpoint;

use crate::doors::Doors;

/// Answers connections until `stop` is done and those that are open have ended, or have had a
/// little time to.
///
/// # Errors
/// The listener cannot be used.
pub async fn serve(
    doors: Doors,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    serve_with(doors, Settings::default(), listener, stop).await
}

/// The same with other settings.
///
/// # Errors
/// The listener cannot be used.
pub async fn serve_with(
    doors: Doors,
    settings: Settings,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let router = router_with(doors.clone(), settings.clone());
    listen::listen(router, doors, settings, listener, stop).await
}

/// All paths. Whoever calls it without [`serve`] has to say who is at the other end, by an
/// extension `ConnectInfo<Peer>`: nobody else is answered.
pub fn router(doors: Doors) -> Router {
    router_with(doors, Settings::default())
}

/// The same with other settings.
pub fn router_with(doors: Doors, settings: Settings) -> Router {
    let endpoints = endpoints();
    let document = document::document(&endpoints);
    let app = App::new(doors, settings, document);
    let mut router = Router::new();
    for endpoint in endpoints {
        let state = (app.clone(), Arc::new(endpoint.rules));
        let route = endpoint
            .route
            .layer(from_fn_with_state(state, guard::guard));
        router = router.route(endpoint.path, route);
    }
    let files = DefaultPredicate::new().and(NotForContentType::const_new(
        "application/vnd.apache.parquet",
    ));
    router
        .layer(CompressionLayer::new().compress_when(files))
        .layer(from_fn_with_state(app.clone(), dress::dress))
        .with_state(app)
}

/// The OpenAPI document, as JSON.
pub fn openapi() -> String {
    document::document(&endpoints())
}

/// All endpoints, resource by resource.
fn endpoints() -> Vec<Endpoint> {
    let resources = [
        session::endpoints(),
        oidc::endpoints(),
        sql::endpoints(),
        metrics::endpoints(),
        tables::endpoints(),
        models::endpoints(),
        customers::endpoints(),
        attribution::endpoints(),
        runs::endpoints(),
        quality::endpoints(),
        sources::endpoints(),
        users::endpoints(),
        tokens::endpoints(),
        policy::endpoints(),
        audit::endpoints(),
        server::endpoints(),
    ];
    resources.into_iter().flatten().collect()
}
