//! The matrix of rights: every route of the document, for nobody, each persona and an
//! administrator. A route without a row here fails.

use std::collections::BTreeMap;

use axum::http::Method;
use serde_json::Value;

use super::house::{House, PERSONAS};

/// Who may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum May {
    Anybody,
    LoggedIn,
    Admin,
}

use May::{Admin, Anybody, LoggedIn};

const MATRIX: [(&str, May); 43] = [
    ("DELETE /api/v1/session", LoggedIn),
    ("DELETE /api/v1/tokens/{name}", Admin),
    ("DELETE /api/v1/users/{name}", Admin),
    ("GET /api/v1/attribution/credit", LoggedIn),
    ("GET /api/v1/attribution/fits", LoggedIn),
    ("GET /api/v1/attribution/models", LoggedIn),
    ("GET /api/v1/audit", Admin),
    ("GET /api/v1/customers/{key}", LoggedIn),
    ("GET /api/v1/customers/{key}/journey", LoggedIn),
    ("GET /api/v1/dimensions", LoggedIn),
    ("GET /api/v1/identity/{key}", LoggedIn),
    ("GET /api/v1/lineage", LoggedIn),
    ("GET /api/v1/metrics", LoggedIn),
    ("GET /api/v1/metrics/query", LoggedIn),
    ("GET /api/v1/metrics/{name}", LoggedIn),
    ("GET /api/v1/models", LoggedIn),
    ("GET /api/v1/models/{name}", LoggedIn),
    ("GET /api/v1/openapi.json", Anybody),
    ("GET /api/v1/policy", Admin),
    ("GET /api/v1/policy/roles/{role}", Admin),
    ("GET /api/v1/quality/quarantine", Admin),
    ("GET /api/v1/quality/quarantine/{table}", Admin),
    ("GET /api/v1/quality/results", LoggedIn),
    ("GET /api/v1/runs", LoggedIn),
    ("GET /api/v1/runs/{id}", LoggedIn),
    ("GET /api/v1/session", LoggedIn),
    ("GET /api/v1/sources", LoggedIn),
    ("GET /api/v1/tables", LoggedIn),
    ("GET /api/v1/tables/{schema}/{table}", LoggedIn),
    ("GET /api/v1/tables/{schema}/{table}/rows", LoggedIn),
    ("GET /api/v1/tokens", Admin),
    ("GET /api/v1/tokens/{name}", Admin),
    ("GET /api/v1/users", Admin),
    ("GET /api/v1/users/{name}", Admin),
    ("GET /auth/oidc/callback", Anybody),
    ("GET /auth/oidc/start", Anybody),
    ("GET /healthz", Anybody),
    ("GET /readyz", Anybody),
    ("PATCH /api/v1/users/{name}", Admin),
    ("POST /api/v1/metrics/query", LoggedIn),
    ("POST /api/v1/policy/reload", Admin),
    ("POST /api/v1/sql", LoggedIn),
    ("POST /api/v1/users", Admin),
];
/// Log-in is open, and says 401 itself; tokens are made by administrators.
const BESIDE: [(&str, May); 2] = [
    ("POST /api/v1/session", Anybody),
    ("POST /api/v1/tokens", Admin),
];

fn operations() -> BTreeMap<String, Value> {
    let document: Value = serde_json::from_str(&crate::rest::openapi()).expect("JSON");
    let mut all = BTreeMap::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("methods") {
            let name = format!("{} {path}", method.to_uppercase());
            all.insert(name, operation.clone());
        }
    }
    all
}

fn rows() -> BTreeMap<&'static str, May> {
    MATRIX.into_iter().chain(BESIDE).collect()
}

#[test]
fn every_route_has_a_row_and_every_row_a_route() {
    let operations = operations();
    let named: Vec<&str> = operations.keys().map(String::as_str).collect();
    assert_eq!(named, rows().keys().copied().collect::<Vec<_>>());
    for (name, operation) in &operations {
        for field in ["operationId", "summary", "description", "tags", "responses"] {
            assert!(operation.get(field).is_some(), "{name} has no {field}");
        }
        let is_open = operation.get("security").is_some();
        assert_eq!(is_open, rows()[name.as_str()] == Anybody, "{name}");
    }
}

#[tokio::test]
async fn each_route_is_answered_to_whom_it_is_for() {
    let house = House::new().await;
    let operations = operations();
    let mut cells = 0;
    for (name, may) in rows() {
        let (method, path) = name.split_once(' ').expect("a method");
        let method: Method = method.parse().expect("a method");
        let path = path
            .replace("{schema}", "marts")
            .replace("{table}", "events")
            .replace("{key}", "1")
            .replace("{role}", "analyst_de")
            .replace("{id}", "none")
            .replace("{name}", "nobody-of-this-name");
        let body = &operations[name]["requestBody"]["content"]["application/json"]["example"];
        let everybody = PERSONAS.into_iter().map(Some).chain([None, Some("admin")]);
        for persona in everybody {
            // Requests that change something are not to change it for the next one.
            if persona == Some("admin") && method == Method::POST && may == Admin {
                continue;
            }
            let mut ask = house.ask(method.clone(), &path);
            if !body.is_null() {
                ask = ask.json(body);
            }
            if let Some(persona) = persona {
                ask = ask.as_(persona);
            }
            let answer = ask.send().await;
            let status = answer.status.as_u16();
            let told = format!("{name} for {persona:?}: {status} {}", answer.text());
            match (may, persona) {
                (Anybody, _) => {
                    assert!(
                        status != 403 && (status != 401 || path.ends_with("session")),
                        "{told}"
                    );
                }
                (_, None) => assert_eq!(status, 401, "{told}"),
                (LoggedIn, Some(_)) => assert!(status != 401 && status != 403, "{told}"),
                (Admin, Some("admin")) => assert!(status != 401 && status != 403, "{told}"),
                (Admin, Some(_)) => assert_eq!(status, 403, "{told}"),
            }
            assert!(status != 500, "{told}");
            assert!(
                !answer.text().contains("CNRY") || persona == Some("admin"),
                "{told}"
            );
            cells += 1;
        }
    }
    assert!(cells > 260, "{cells}");
}
