//! The OpenAPI document, made of the endpoints.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use serde_json::{Map, Value, json};
use utoipa::{PartialSchema as _, ToSchema as _};

use super::endpoint::Endpoint;
use super::problem::{MEDIA, Problem};

/// Errors that an endpoint may answer with.
const ERRORS: [(u16, &str); 14] = [
    (400, "The request is not understood."),
    (401, "Nobody is logged in, or no longer."),
    (403, "Whoever is logged in may not do this."),
    (404, "It is not there, or may not be seen."),
    (406, "There is no such form of the answer."),
    (408, "The body took too long to come."),
    (409, "It contradicts what is there."),
    (413, "The request is too large."),
    (415, "The body is of another type."),
    (422, "It is understood, but cannot be done."),
    (
        429,
        "Too many requests, log-ins or queries; `Retry-After` says when to ask again.",
    ),
    (
        500,
        "A fault of the server; `instance` is the number to quote.",
    ),
    (503, "It cannot be done at this time."),
    (504, "The query took longer than it may."),
];

/// Headings of the document.
const TAGS: [(&str, &str); 13] = [
    ("session", "Log-in: who am I."),
    ("sql", "Statements, within what the caller may see."),
    (
        "metrics",
        "The semantic layer: figures that mean something.",
    ),
    (
        "tables",
        "Rows of marts and of every other table that the caller may see.",
    ),
    ("models", "How tables are made, and of what."),
    (
        "customers",
        "One customer: journey, and why its identifiers are one.",
    ),
    (
        "attribution",
        "Models of attribution, what they learnt, and their credit.",
    ),
    ("runs", "Runs of the project."),
    ("quality", "Results of checks, and rows in quarantine."),
    ("sources", "Where data comes from."),
    ("access", "Users, tokens and policy, for administrators."),
    ("audit", "The audit log, for administrators."),
    ("server", "The server itself."),
];

const ABOUT: &str = "Metrics, tables, journeys and administration of a Throughline project. Every \
answer holds what the caller may see and nothing else.\n\nWithin `/api/v1` nothing is removed or \
given another meaning: there will be more paths, parameters, fields and values of `type`, and a \
client has to bear with fields that it does not know.\n\nNumbers: exact decimals, and 64-bit keys \
(columns whose names end in `_key` or `_id`), are strings, because JSON's numbers lose digits.";

/// The document, as JSON.
pub(super) fn document(endpoints: &[Endpoint]) -> String {
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    let mut schemas = BTreeMap::new();
    for endpoint in endpoints {
        let item = paths.entry(endpoint.path).or_default();
        let method = endpoint.method.as_str().to_lowercase();
        item.insert(method, endpoint.described());
        schemas.extend(endpoint.schemas.clone());
    }
    let problem = serde_json::to_value(Problem::schema()).unwrap_or_default();
    schemas.insert(Problem::name().into_owned(), problem);
    let used = |tag: &str| {
        let mut all = endpoints.iter().filter_map(|one| one.operation.get("tags"));
        all.any(|tags| tags[0] == tag)
    };
    let tags: Vec<Value> = TAGS
        .iter()
        .filter(|(name, _)| used(name))
        .map(|(name, description)| json!({"name": name, "description": description}))
        .collect();
    let document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Throughline",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "contact": {"name": "Whoever runs this server"},
        },
        "servers": [{"url": "/", "description": "This server"}],
        "security": [{"token": []}, {"password": []}, {"page": []}],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": responses(),
            "headers": {"X-Request-Id": {
                "description": "The request, as it stands in logs.",
                "schema": {"type": "string"},
            }},
            "parameters": {"Idempotency-Key": {
                "name": "Idempotency-Key", "in": "header", "required": false,
                "description": "A new value for each change: sent again with the same one, it is \
                                answered again and not done again, for a day.",
                "schema": {
                    "type": "string", "minLength": 1, "maxLength": 255,
                    "pattern": "^[!-~]+$",
                },
            }},
            "securitySchemes": schemes(),
        },
    });
    serde_json::to_string(&document).unwrap_or_default()
}

fn responses() -> Value {
    let mut all = Map::new();
    let unchanged = "It is what `If-None-Match` says.";
    all.insert("304".to_owned(), json!({"description": unchanged}));
    // These are answered before anything of the request is understood, and without a body.
    all.insert(
        "414".to_owned(),
        json!({"description": "The address is too long."}),
    );
    all.insert(
        "431".to_owned(),
        json!({"description": "The headers are too large."}),
    );
    for (status, description) in ERRORS {
        let code = StatusCode::from_u16(status).unwrap_or_default();
        let problem = Problem::new(code, description.trim_end_matches('.'));
        let example: Value =
            serde_json::from_slice(&problem.body("0cfY2q5Lr1dGZx7tB3nWkA")).unwrap_or_default();
        let content = json!({MEDIA: {
            "schema": {"$ref": "#/components/schemas/Problem"},
            "example": example,
        }});
        let answer = json!({"description": description, "content": content});
        all.insert(status.to_string(), answer);
    }
    all.into()
}

fn schemes() -> Value {
    json!({
        "token": {
            "type": "http", "scheme": "bearer",
            "description": "A service token: `throughline token create NAME --role ROLE`.",
        },
        "password": {
            "type": "http", "scheme": "basic",
            "description": "Name and password, over TLS or within the machine.",
        },
        "page": {
            "type": "apiKey", "in": "cookie", "name": "throughline",
            "description": "The cookie of `POST /api/v1/session`. Changes also need the header \
                            `X-Throughline-CSRF`.",
        },
    })
}
