//! `/users`: people, for administrators. A password is written and never read.

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
use crate::access::who::{Change, NewUser, Secret, Source, User as Known};

/// All users.
#[derive(Debug, Serialize, ToSchema)]
struct Users {
    /// They, by name.
    users: Vec<User>,
}

/// A user.
#[derive(Debug, Serialize, ToSchema)]
struct User {
    /// The name.
    name: String,
    /// `password`, or `oidc` for somebody whom a directory vouches for.
    source: &'static str,
    /// Roles.
    roles: BTreeSet<String>,
    /// Groups.
    groups: BTreeSet<String>,
    /// Values for row filters.
    #[schema(value_type = BTreeMap<String, Value>)]
    attributes: BTreeMap<String, Attribute>,
    /// It may not log in.
    is_disabled: bool,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// When it was changed last.
    changed_at: DateTime<Utc>,
    /// When it logged in last.
    last_login_at: Option<DateTime<Utc>>,
    /// The password that was made for it; shown this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
}

/// A user to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct UserToMake {
    /// 1 to 63 of a-z, 0-9, `.`, `_`, `-`, `@` and `+`, beginning with a letter or digit.
    #[schema(min_length = 1, max_length = 63, pattern = "^[a-z0-9][a-z0-9._@+-]*$")]
    name: String,
    /// A password; one is made and shown once without it.
    #[serde(default)]
    #[schema(min_length = 12, max_length = 1024, format = "password")]
    password: Option<String>,
    /// Roles.
    #[serde(default)]
    #[schema(value_type = Vec<String>, max_items = 100)]
    roles: BTreeSet<String>,
    /// Groups.
    #[serde(default)]
    #[schema(value_type = Vec<String>, max_items = 100)]
    groups: BTreeSet<String>,
    /// Values for row filters: texts, whole numbers, truth values, lists of texts.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, Value>)]
    attributes: BTreeMap<String, Attribute>,
}

/// What is to be another; what is not said stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct UserChange {
    /// Another password; the sessions of the page end.
    #[serde(default)]
    #[schema(min_length = 12, max_length = 1024, format = "password")]
    password: Option<String>,
    /// All roles.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    roles: Option<BTreeSet<String>>,
    /// All groups.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    groups: Option<BTreeSet<String>>,
    /// All values for row filters.
    #[serde(default)]
    #[schema(value_type = Option<BTreeMap<String, Value>>)]
    attributes: Option<BTreeMap<String, Attribute>>,
    /// It may not log in.
    #[serde(default)]
    is_disabled: Option<bool>,
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    let user = json!({
        "name": "ana", "source": "password", "roles": ["analyst"], "groups": [],
        "attributes": {"country": "DE"}, "is_disabled": false,
        "created_at": "2026-06-01T08:00:00Z", "changed_at": "2026-06-01T08:00:00Z",
        "last_login_at": null,
    });
    let new = json!({"name": "ana", "roles": ["analyst"], "attributes": {"country": "DE"}});
    vec![
        Endpoint::get("/api/v1/users", list)
            .says(
                "listUsers",
                "All users",
                "Everybody who may log in, or might again.",
            )
            .tag("access")
            .admin()
            .gives::<Users>(200, "The users.", json!({"users": [user]})),
        Endpoint::post("/api/v1/users", make)
            .says("createUser", "Make a user", "Makes a user with a password.")
            .tag("access")
            .admin()
            .body::<UserToMake>(new)
            .gives::<User>(201, "The user.", user.clone()),
        Endpoint::get("/api/v1/users/{name}", show)
            .says("getUser", "One user", "What is known of a user.")
            .tag("access")
            .admin()
            .gives::<User>(200, "The user.", user.clone()),
        Endpoint::patch("/api/v1/users/{name}", change)
            .says(
                "changeUser",
                "Change a user",
                "Changes roles, groups, attributes or the password. Running sessions follow \
                 within a second.",
            )
            .tag("access")
            .admin()
            .body::<UserChange>(json!({"roles": ["marketer"]}))
            .gives::<User>(200, "The user.", user),
        Endpoint::delete("/api/v1/users/{name}", remove)
            .says(
                "removeUser",
                "Remove a user",
                "Its tokens are revoked, its sessions end.",
            )
            .tag("access")
            .admin()
            .gives_nothing(204, "It is gone."),
    ]
}

async fn list(ask: Ask) -> Result<Response, Problem> {
    let users = ask.app.doors.who.store().users().await?;
    let users = users.into_iter().map(told).collect();
    Ok(rows::json(&Users { users }))
}

async fn show(ask: Ask, Path(name): Path<String>) -> Result<Response, Problem> {
    let user = ask.app.doors.who.store().user(&name).await?;
    Ok(rows::json(&told(user)))
}

async fn make(ask: Ask, Json(new): Json<UserToMake>) -> Result<Response, Problem> {
    let (password, is_made) = match new.password {
        Some(password) => (Secret::new(password), false),
        None => (Secret::random(24)?, true),
    };
    let who = &ask.app.doors.who;
    let new = NewUser {
        name: new.name,
        roles: new.roles,
        groups: new.groups,
        attributes: new.attributes,
    };
    let user = who.add_user(&ask.caller.actor(), &new, &password).await?;
    let mut user = told(user);
    user.password = is_made.then(|| password.expose().to_owned());
    Ok((StatusCode::CREATED, rows::json(&user)).into_response())
}

async fn change(
    ask: Ask,
    Path(name): Path<String>,
    Json(change): Json<UserChange>,
) -> Result<Response, Problem> {
    let (who, actor) = (&ask.app.doors.who, ask.caller.actor());
    let mut user = who.store().user(&name).await?;
    if let Some(password) = change.password.map(Secret::new) {
        who.set_password(&actor, &name, &password).await?;
    }
    let change = Change {
        roles: change.roles,
        groups: change.groups,
        attributes: change.attributes,
        is_disabled: change.is_disabled,
    };
    let is_some = change.roles.is_some()
        || change.groups.is_some()
        || change.attributes.is_some()
        || change.is_disabled.is_some();
    if is_some {
        user = who.change_user(&actor, &name, &change).await?;
    }
    // Running sessions need not wait until the gate looks by itself.
    ask.app.doors.gate.look().await;
    Ok(rows::json(&told(user)))
}

async fn remove(ask: Ask, Path(name): Path<String>) -> Result<Response, Problem> {
    let who = &ask.app.doors.who;
    who.remove_user(&ask.caller.actor(), &name).await?;
    ask.app.doors.gate.look().await;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn told(user: Known) -> User {
    User {
        name: user.name,
        source: match user.source {
            Source::Password => "password",
            Source::Oidc { .. } => "oidc",
        },
        roles: user.roles,
        groups: user.groups,
        attributes: user.attributes,
        is_disabled: user.is_disabled,
        created_at: user.created_at,
        changed_at: user.changed_at,
        last_login_at: user.last_login_at,
        password: None,
    }
}
