//! The REST door of the demo company: what tools find that read and try its document, and what one
//! customer did.

use std::process::Command;

use serde_json::Value;
use testkit::doors::Doors;
use testkit::{Project, repository, text};
use testkit::{linters, schemathesis};

/// Examples of each operation that schemathesis makes; it always makes those at the limits too.
const EXAMPLES: &str = "3";

fn token(project: &Project, role: &str) -> String {
    let made = project.json(&["token", "create", "--role", role, "--name", role], 0);
    made["token"].as_str().expect("a token").to_owned()
}

/// The demo company with its doors open, and the token of an administrator.
fn open() -> (Project, Doors, String) {
    let project = crate::demo_company::company().copy(&[]);
    let admin = token(&project, "admin");
    let doors = Doors::open(&project, &[]);
    (project, doors, admin)
}

/// What schemathesis does: what it makes anew each time is for long runs
/// (`THROUGHLINE_FUZZ=1`), a test finds the same each time.
fn phases() -> String {
    let fuzzing = match std::env::var("THROUGHLINE_FUZZ") {
        Ok(_) => ",fuzzing",
        Err(_) => "",
    };
    format!("examples,coverage{fuzzing},stateful")
}

/// Schemathesis tries what the document promises: every answer has a form that it names, what is
/// not well formed is refused, and nobody is answered who has not logged in.
#[test]
fn the_document_is_kept() {
    let Some(schemathesis) = schemathesis() else {
        return;
    };
    let (project, doors, admin) = open();
    let url = format!("http://{}", doors.address("http"));
    let tried = Command::new(schemathesis)
        .arg("--config-file")
        .arg(repository().join("tests/rest/schemathesis.toml"))
        .args(["run", &format!("{url}/api/v1/openapi.json"), "--url", &url])
        .args(["--header", &format!("Authorization: Bearer {admin}")])
        .args(["--max-examples", EXAMPLES, "--seed", "7", "--no-color"])
        .args(["--phases", &phases()])
        // It would revoke the token that it comes with.
        .args(["--exclude-operation-id", "revokeToken"])
        .current_dir(project.folder())
        .output()
        .expect("schemathesis");
    assert!(tried.status.success(), "{}", text(&tried));
    let still = doors.get("/api/v1/session", &admin);
    assert_eq!(still.status, 200, "it was logged in to the end");
}

#[test]
fn the_document_lints_clean() {
    let Some([redocly, spectral]) = linters() else {
        return;
    };
    let project = Project::new(
        env!("CARGO_BIN_EXE_throughline"),
        "name: shop\nversion: 1\n",
    );
    project.write("openapi.json", serve::rest::openapi());
    let folder = repository().join("tests/rest");
    let lint = |program, arguments: [&str; 3], ruleset: &str| {
        let linted = Command::new(program)
            .args(arguments)
            .arg(folder.join(ruleset))
            .current_dir(project.dir())
            .output()
            .expect("a linter");
        assert!(linted.status.success(), "{}", text(&linted));
        text(&linted)
    };
    let said = lint(
        redocly,
        ["lint", "openapi.json", "--config"],
        "redocly.yaml",
    );
    assert!(!said.contains("Warning was generated"), "{said}");
    let said = lint(
        spectral,
        ["lint", "openapi.json", "--ruleset"],
        "spectral.yaml",
    );
    assert!(!said.contains("warning"), "{said}");
}

/// The journey that REST finds from a customer's identifiers is the one that the view has.
#[test]
fn a_journey_is_that_of_the_view() {
    let (_project, doors, admin) = open();
    let asked = |statement: &str| -> Vec<Value> {
        let answer = doors.sql(statement, &admin);
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()["rows"].as_array().expect("rows").clone()
    };
    let most = asked(
        "select customer_key, count(*) as n from star.journey_event where customer_key > 0 or \
         customer_key < -1 group by customer_key order by n desc, customer_key limit 5",
    );
    let deals = asked(
        "select customer_key, count(*) as n from star.journey_event where deal_key not in (-1, 0) \
         and customer_key <> 0 group by customer_key order by n desc, customer_key limit 3",
    );
    for row in most.iter().chain(&deals) {
        let key = row["customer_key"].as_str().expect("a key");
        let path = format!("/api/v1/customers/{key}/journey?limit=10000&fields=event_id,event_at");
        let answer = doors.get(&path, &admin);
        assert_eq!(answer.status, 200, "{}", answer.body);
        let found = answer.json()["rows"].as_array().expect("rows").clone();
        let expected = asked(&format!(
            "select event_id, event_at from star.journey_event where customer_key = {key} \
             order by event_at, event_id"
        ));
        assert!(!expected.is_empty());
        assert_eq!(found, expected, "customer {key}");
        let customer = doors.get(&format!("/api/v1/customers/{key}"), &admin);
        assert_eq!(customer.json()["customer"]["customer_key"], key);
        let identity = doors.get(&format!("/api/v1/identity/{key}"), &admin).json();
        assert!(
            identity["identifiers"]
                .as_array()
                .is_some_and(|all| !all.is_empty())
        );
        assert!(identity["links"].is_array());
    }
    assert_eq!(doors.get("/api/v1/customers/12345", &admin).status, 404);
}

/// Pages of a mart by each built-in role, followed to the end, are what SQL gives.
#[test]
fn pages_of_a_mart_are_its_rows() {
    let (project, doors, _) = open();
    let viewer = token(&project, "viewer");
    let count = doors.sql(
        "select count(*) as n from marts.mart_channel_daily",
        &viewer,
    );
    let count = count.json()["rows"][0]["n"].as_u64().expect("a count");
    let mut next = Some("/api/v1/tables/marts/mart_channel_daily/rows?limit=500".to_owned());
    let mut rows = std::collections::BTreeSet::new();
    while let Some(path) = next {
        let page = doors.get(&path, &viewer).json();
        for row in page["rows"].as_array().expect("rows") {
            assert!(rows.insert(row.to_string()), "twice: {row}");
        }
        next = page["next"].as_str().map(str::to_owned);
    }
    assert_eq!(rows.len() as u64, count);
    let denied = doors.get("/api/v1/tables/star/dim_customer/rows", &viewer);
    assert_eq!(denied.status, 404);
}
