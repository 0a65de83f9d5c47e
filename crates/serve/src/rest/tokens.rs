//! `/tokens`: what programs log in with, for administrators. A token is shown once.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::ask::Ask;
use super::body::Json;
use super::endpoint::Endpoint;
use super::problem::Problem;
use super::rows;
use crate::access::Attribute;
use crate::access::who::{NewToken, TokenRecord};

/// All tokens.
#[derive(Debug, Serialize, ToSchema)]
struct Tokens {
    /// They, by name; the revoked and expired ones too.
    tokens: Vec<Token>,
}

/// A token.
#[derive(Debug, Serialize, ToSchema)]
struct Token {
    /// The part of it that may be seen.
    token_id: String,
    /// Its name.
    name: String,
    /// The user that it belongs to.
    owner: Option<String>,
    /// Roles.
    roles: BTreeSet<String>,
    /// Values for row filters.
    #[schema(value_type = BTreeMap<String, Value>)]
    attributes: BTreeMap<String, Attribute>,
    /// The doors that take it; all if there is none.
    doors: BTreeSet<String>,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// When it ends.
    expires_at: Option<DateTime<Utc>>,
    /// When it was used last, to the minute.
    last_used_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    revoked_at: Option<DateTime<Utc>>,
    /// The token itself; shown this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

/// A token to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TokenToMake {
    /// Its name; one is made of its role without it.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 63, pattern = "^[a-z0-9][a-z0-9._@+-]*$")]
    name: Option<String>,
    /// The user that it belongs to: it ends with that user.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 63)]
    owner: Option<String>,
    /// Roles.
    #[schema(value_type = Vec<String>, max_items = 100)]
    roles: BTreeSet<String>,
    /// Values for row filters: texts, whole numbers, truth values, lists of texts.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, Value>)]
    attributes: BTreeMap<String, Attribute>,
    /// The doors that take it: `rest`, `postgres`, `flight`, `page`; all without it.
    #[serde(default)]
    #[schema(value_type = Vec<String>, max_items = 4)]
    doors: BTreeSet<String>,
    /// When it ends, within ten years; never without it.
    #[serde(default)]
    expires_at: Option<DateTime<Utc>>,
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    let token = json!({
        "token_id": "9XaV35Ax5P", "name": "nightly", "owner": null, "roles": ["analyst"],
        "attributes": {}, "doors": ["rest"], "created_at": "2026-06-01T08:00:00Z",
        "expires_at": null, "last_used_at": null, "revoked_at": null,
    });
    let new = json!({"name": "nightly", "roles": ["analyst"], "doors": ["rest"]});
    vec![
        Endpoint::get("/api/v1/tokens", list)
            .says(
                "listTokens",
                "All tokens",
                "The tokens, without their secrets.",
            )
            .tag("access")
            .admin()
            .gives::<Tokens>(200, "The tokens.", json!({"tokens": [token]})),
        Endpoint::post("/api/v1/tokens", make)
            .says(
                "createToken",
                "Make a token",
                "Makes a token, and shows it this once.",
            )
            .tag("access")
            .admin()
            .body::<TokenToMake>(new)
            .gives::<Token>(201, "The token.", token.clone())
            .errors(&[404]),
        Endpoint::get("/api/v1/tokens/{name}", show)
            .says(
                "getToken",
                "One token",
                "What is known of a token, by its name or id.",
            )
            .tag("access")
            .admin()
            .gives::<Token>(200, "The token.", token),
        Endpoint::delete("/api/v1/tokens/{name}", revoke)
            .says(
                "revokeToken",
                "Revoke a token",
                "It ends at once; it stays in the list.",
            )
            .tag("access")
            .admin()
            .gives_nothing(204, "It is revoked."),
    ]
}

async fn list(ask: Ask) -> Result<Response, Problem> {
    let tokens = ask.app.doors.who.store().tokens().await?;
    let tokens = tokens.into_iter().map(told).collect();
    Ok(rows::json(&Tokens { tokens }))
}

async fn show(ask: Ask, Path(name): Path<String>) -> Result<Response, Problem> {
    let token = ask.app.doors.who.store().token(&name).await?;
    Ok(rows::json(&told(token)))
}

async fn make(ask: Ask, Json(new): Json<TokenToMake>) -> Result<Response, Problem> {
    let new = NewToken {
        name: new.name,
        owner: new.owner,
        roles: new.roles,
        attributes: new.attributes,
        doors: new.doors,
        expires_at: new.expires_at,
    };
    let actor = ask.caller.actor();
    let (record, secret) = ask.app.doors.who.create_token(&actor, &new).await?;
    let mut token = told(record);
    token.token = Some(secret.expose().to_owned());
    Ok((StatusCode::CREATED, rows::json(&token)).into_response())
}

async fn revoke(ask: Ask, Path(name): Path<String>) -> Result<Response, Problem> {
    let who = &ask.app.doors.who;
    who.revoke_token(&ask.caller.actor(), &name).await?;
    ask.app.doors.gate.look().await;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn told(record: TokenRecord) -> Token {
    Token {
        token_id: record.token_id,
        name: record.name,
        owner: record.owner,
        roles: record.roles,
        attributes: record.attributes,
        doors: record.doors,
        created_at: record.created_at,
        expires_at: record.expires_at,
        last_used_at: record.last_used_at,
        revoked_at: record.revoked_at,
        token: None,
    }
}
