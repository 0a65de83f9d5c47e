//! `/policy`: roles, and who sees what, for administrators. It is written in `access.yml`.

use axum::extract::Path;
use axum::response::Response;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::ask::Ask;
use super::endpoint::{Endpoint, Param};
use super::problem::Problem;
use super::rows;
use crate::access::Principal;
use crate::access::policy::SeenTable;

/// The policy.
#[derive(Debug, Serialize, ToSchema)]
struct Policy {
    /// The roles that there are.
    roles: Vec<Role>,
    /// What does not fit the tables there are, as sentences.
    misfits: Vec<String>,
}

/// A role.
#[derive(Debug, Serialize, ToSchema)]
struct Role {
    /// Its name.
    name: String,
    /// What it is for.
    description: String,
}

/// What a role sees.
#[derive(Debug, Serialize, ToSchema)]
struct RoleSees {
    /// The role.
    role: String,
    /// It sees everything.
    is_admin: bool,
    /// The tables of which it sees something.
    #[schema(value_type = Vec<TableSeen>)]
    tables: Vec<SeenTable>,
}

/// A table of which a role sees something.
#[derive(Serialize, ToSchema)]
struct TableSeen {
    /// Its schema.
    schema: String,
    /// Its name.
    table: String,
    /// The columns that are seen.
    columns: Vec<ColumnSeen>,
    /// The columns that are not.
    hidden_columns: Vec<String>,
    /// Conditions that rows must meet, all of them.
    row_filters: Vec<String>,
}

/// A column that a role sees.
#[derive(Serialize, ToSchema)]
struct ColumnSeen {
    /// Its name.
    name: String,
    /// Its tags.
    tags: Vec<String>,
    /// What stands in its place; null: the value itself.
    mask: Option<String>,
}

/// Whether it was read anew.
#[derive(Debug, Serialize, ToSchema)]
struct Reloaded {
    /// `access.yml` had changed.
    is_changed: bool,
}

const TABLE: Param = Param {
    name: "table",
    schema: r#"{"type": "string", "minLength": 1}"#,
    description: "Only this table, as `marts.mart_worth`.",
};

pub(super) fn endpoints() -> Vec<Endpoint> {
    let role = json!({"name": "viewer", "description": "Reads marts, without personal data."});
    let sees = json!({
        "role": "viewer", "is_admin": false,
        "tables": [{
            "schema": "marts", "table": "mart_worth", "hidden_columns": [], "row_filters": [],
            "columns": [{"name": "customer_key", "tags": [], "mask": null}],
        }],
    });
    vec![
        Endpoint::get("/api/v1/policy", show)
            .says(
                "getPolicy",
                "The policy",
                "The roles, and what of the policy fits nothing.",
            )
            .tag("access")
            .admin()
            .gives::<Policy>(200, "The policy.", json!({"roles": [role], "misfits": []})),
        Endpoint::get("/api/v1/policy/roles/{role}", role_sees)
            .says(
                "getRole",
                "What a role sees",
                "Tables, columns, masks and row filters.",
            )
            .tag("access")
            .admin()
            .takes(&[TABLE])
            .gives::<RoleSees>(200, "What it sees.", sees),
        Endpoint::post("/api/v1/policy/reload", reload)
            .says(
                "reloadPolicy",
                "Read the policy anew",
                "Reads `access.yml` now; the server also does so by itself within a second.",
            )
            .tag("access")
            .admin()
            .gives::<Reloaded>(200, "It holds.", json!({"is_changed": true})),
    ]
}

async fn show(ask: Ask) -> Result<Response, Problem> {
    let gate = &ask.app.doors.gate;
    let policy = gate.policy();
    let roles = policy.roles().into_iter().map(|(name, description)| Role {
        name: name.to_owned(),
        description: description.to_owned(),
    });
    Ok(rows::json(&Policy {
        roles: roles.collect(),
        misfits: gate.misfits().await,
    }))
}

async fn role_sees(ask: Ask, Path(role): Path<String>) -> Result<Response, Problem> {
    let gate = &ask.app.doors.gate;
    if !gate.policy().has_role(&role) {
        return Err(Problem::missing("there is no such role").hint("GET /api/v1/policy lists them"));
    }
    // Somebody who holds this role and nothing else: nobody logs in by this name.
    let holder = Principal::user("-", [role.as_str()]);
    let is_admin = gate.rights(holder.clone()).is_admin;
    let mut tables = gate.seen_by(holder).await;
    if let Some(wanted) = ask.params.get(TABLE.name) {
        tables.retain(|one| format!("{}.{}", one.schema, one.table) == wanted);
    }
    Ok(rows::json(&RoleSees {
        role,
        is_admin,
        tables,
    }))
}

async fn reload(ask: Ask) -> Result<Response, Problem> {
    let reloaded = ask.app.doors.gate.reload();
    let is_changed = reloaded.map_err(|error| Problem::unprocessable(error.to_string()))?;
    Ok(rows::json(&Reloaded { is_changed }))
}
