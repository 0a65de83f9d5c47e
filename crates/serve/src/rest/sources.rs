//! `/sources`: where data comes from.

use axum::response::Response;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::ask::Ask;
use super::endpoint::Endpoint;
use super::problem::Problem;
use super::rows;

/// The sources of the project.
#[derive(Debug, Serialize, ToSchema)]
struct Sources {
    /// They, by name.
    sources: Vec<Source>,
}

/// A source.
#[derive(Debug, Serialize, ToSchema)]
struct Source {
    /// Its name in `throughline.yml`.
    name: String,
    /// Which built-in models read it; null for one of the project's own.
    kind: Option<String>,
    /// Which shape the kind comes in, where there are several.
    layout: Option<String>,
    /// Its streams.
    streams: Vec<String>,
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    let source = json!({
        "name": "shopify", "kind": "shopify", "layout": null, "streams": ["orders", "refunds"],
    });
    vec![
        Endpoint::get("/api/v1/sources", list)
            .says(
                "listSources",
                "All sources",
                "Where the project's data comes from.",
            )
            .tag("sources")
            .gives::<Sources>(200, "The sources.", json!({"sources": [source]})),
    ]
}

async fn list(ask: Ask) -> Result<Response, Problem> {
    let sources = ask.app.doors.manifest.project.config.sources.iter();
    let sources = sources.map(|(name, source)| Source {
        name: name.clone(),
        kind: source.kind.clone(),
        layout: source.layout.clone(),
        streams: match source.streams.is_empty() {
            true => vec!["rows".to_owned()],
            false => source.streams.keys().cloned().collect(),
        },
    });
    Ok(rows::json(&Sources {
        sources: sources.collect(),
    }))
}
