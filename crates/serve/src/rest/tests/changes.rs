//! Changes by administrators: users, tokens, once per `Idempotency-Key`; and limits of asking.

use axum::http::Method;
use chrono::TimeDelta;
use serde_json::json;

use super::house::House;
use crate::rest::{Rate, Settings};

#[tokio::test]
async fn users_are_made_changed_and_removed() {
    let house = House::new().await;
    let new = json!({"name": "bob", "roles": ["analyst_de"], "attributes": {"country": "DE"}});
    let made = house.post("/api/v1/users", &new).as_("admin").send().await;
    assert_eq!(made.status, 201, "{}", made.text());
    let password = made.json()["password"]
        .as_str()
        .expect("shown once")
        .to_owned();
    assert!(password.len() >= 24);
    let again = house.post("/api/v1/users", &new).as_("admin").send().await;
    assert_eq!(again.status, 409);
    let shown = house.get("/api/v1/users/bob").as_("admin").send().await;
    assert!(shown.json().get("password").is_none());
    assert!(
        !house
            .get("/api/v1/users")
            .as_("admin")
            .send()
            .await
            .text()
            .contains(&password)
    );
    let login = json!({"name": "bob", "password": password});
    assert_eq!(
        house.post("/api/v1/session", &login).send().await.status,
        200
    );
    let change = json!({"is_disabled": true});
    let changed = house
        .ask(Method::PATCH, "/api/v1/users/bob")
        .json(&change)
        .as_("admin");
    assert_eq!(changed.send().await.json()["is_disabled"], true);
    assert_eq!(
        house.post("/api/v1/session", &login).send().await.status,
        401
    );
    let weak = json!({"name": "eva", "password": "password1234"});
    assert_eq!(
        house
            .post("/api/v1/users", &weak)
            .as_("admin")
            .send()
            .await
            .status,
        422
    );
    let gone = house.ask(Method::DELETE, "/api/v1/users/bob").as_("admin");
    assert_eq!(gone.send().await.status, 204);
    let gone = house.get("/api/v1/users/bob").as_("admin").send().await;
    assert_eq!(gone.status, 404);
    let last = house.ask(Method::DELETE, "/api/v1/users/root").as_("admin");
    assert_eq!(
        last.send().await.status,
        409,
        "the last administrator stays"
    );
}

#[tokio::test]
async fn a_change_is_made_once_for_a_key() {
    let house = House::new().await;
    let new = json!({"name": "nightly", "roles": ["analyst_de"]});
    let send = |key: &str, body: &serde_json::Value| {
        let ask = house.post("/api/v1/tokens", body).as_("admin");
        ask.with("idempotency-key", key)
    };
    let first = send("k1", &new).send().await;
    assert_eq!(first.status, 201, "{}", first.text());
    assert!(
        first.json()["token"]
            .as_str()
            .is_some_and(|token| token.starts_with("tlt_"))
    );
    let again = send("k1", &new).send().await;
    assert_eq!((again.status, &again.body), (first.status, &first.body));
    assert_eq!(again.header("idempotency-replayed"), "true");
    let tokens = house.get("/api/v1/tokens").as_("admin").send().await.json();
    let named = tokens["tokens"].as_array().expect("tokens").iter();
    assert_eq!(named.filter(|token| token["name"] == "nightly").count(), 1);
    let other = json!({"name": "hourly", "roles": ["analyst_de"]});
    assert_eq!(send("k1", &other).send().await.status, 422);
    assert_eq!(send("k2", &new).send().await.status, 409);
    // What failed may be tried again under its key.
    assert_eq!(send("k2", &other).send().await.status, 201);
    assert_eq!(send("", &other).send().await.status, 400);
    house.later(TimeDelta::hours(25));
    assert_eq!(send("k1", &other).send().await.status, 409);
}

#[tokio::test]
async fn asking_has_a_rate() {
    let settings = Settings {
        rate: Rate {
            a_minute: 5,
            a_day: 8,
        },
        ..Settings::default()
    };
    let house = House::with(settings).await;
    let ask = || house.get("/api/v1/session").as_("ana");
    let first = ask().send().await;
    assert_eq!(first.header("ratelimit-limit"), "5");
    assert_eq!(first.header("ratelimit-remaining"), "4");
    for _ in 0..4 {
        assert_eq!(ask().send().await.status, 200);
    }
    let slowed = ask().send().await;
    assert_eq!(slowed.status, 429);
    assert!(
        slowed
            .header("retry-after")
            .parse::<u32>()
            .expect("seconds")
            >= 1
    );
    assert_eq!(
        house.get("/api/v1/session").as_("four").send().await.status,
        200
    );
    house.later(TimeDelta::hours(1));
    for _ in 0..3 {
        assert_eq!(ask().send().await.status, 200);
    }
    let spent = ask().send().await;
    assert!(spent.text().contains("quota"), "{}", spent.text());
}

#[tokio::test]
async fn a_csv_for_people_holds_no_formulas() {
    let house = House::new().await;
    let sql = "select '=1+1' as \"=name\", '-1' as text, -1 as number";
    let csv = |ask: super::house::Ask<'_>| ask.with("accept", "text/csv");
    let inert = csv(house.sql(sql).as_("ana")).send().await;
    assert_eq!(
        inert.text(),
        "\"'=name\",text,number\r\n\"'=1+1\",\"'-1\",-1\r\n"
    );
    let raw = csv(house.sql(sql).as_("ana")).with("x-throughline-csv-text", "as-is");
    assert_eq!(
        raw.send().await.text(),
        "=name,text,number\r\n=1+1,-1,-1\r\n"
    );
    let wrong = csv(house.sql(sql).as_("ana")).with("x-throughline-csv-text", "other");
    assert_eq!(wrong.send().await.status, 400);
}

#[tokio::test]
async fn administrators_see_how_the_server_is_kept() {
    let house = House::new().await;
    let get = |path: &str| house.get(path).as_("admin");
    let policy = get("/api/v1/policy").send().await.json();
    let roles = policy["roles"].as_array().expect("roles").iter();
    assert!(
        roles.clone().any(|role| role["name"] == "analyst_de"),
        "{policy}"
    );
    let path = "/api/v1/policy/roles/analyst_de?table=marts.events";
    let sees = get(path).send().await.json();
    assert_eq!(sees["tables"][0]["hidden_columns"], json!(["salary"]));
    let columns = sees["tables"][0]["columns"].as_array().expect("columns");
    let email = columns
        .iter()
        .find(|column| column["name"] == "email")
        .expect("email");
    assert_eq!(email["mask"], "hash");
    assert_eq!(get("/api/v1/policy/roles/none").send().await.status, 404);
    let log = get("/api/v1/audit?after=0&limit=2").send().await.json();
    assert_eq!(log["records"].as_array().expect("records").len(), 2);
    let next = format!("/api/v1/audit?limit=1&after={}", log["after"]);
    assert_eq!(get(&next).send().await.json()["records"][0]["seq"], 3);
    let run = "/api/v1/runs/20260101T000000000000Z";
    assert!(get(run).send().await.json()["report"].is_object());
    assert!(house.get(run).as_("ana").send().await.json()["report"].is_null());
    let checks = "/api/v1/quality/results";
    assert_eq!(get(checks).send().await.json()["checks"][0]["check"], "a");
    let others = house.get(checks).as_("ana").send().await.json();
    assert_eq!(
        (&others["checks"], &others["balances"]),
        (&json!([]), &json!(null))
    );
}

#[tokio::test]
async fn a_table_is_shown_as_it_is_seen() {
    let house = House::new().await;
    let names = |answer: &serde_json::Value| -> Vec<String> {
        let tables = answer["tables"].as_array().expect("tables").iter();
        tables
            .map(|one| format!("{}.{}", one["schema"], one["name"]).replace('"', ""))
            .collect()
    };
    let ana = house.get("/api/v1/tables").as_("ana").send().await.json();
    let expected = [
        "marts.events",
        "marts.open_day",
        "marts.person_view",
        "marts.props",
        "star.dim_person",
    ];
    assert_eq!(names(&ana), expected);
    let eve = house.get("/api/v1/tables").as_("eve").send().await.json();
    assert_eq!(names(&eve), Vec::<String>::new());
    let star = house
        .get("/api/v1/tables?schema=star")
        .as_("ana")
        .send()
        .await
        .json();
    assert_eq!(names(&star), ["star.dim_person"]);
    let table = house
        .get("/api/v1/tables/marts/events")
        .as_("ana")
        .send()
        .await
        .json();
    let columns = table["columns"].as_array().expect("columns");
    let one = |name: &str| columns.iter().find(|column| column["name"] == name);
    assert!(one("salary").is_none());
    let email = one("email").expect("email");
    assert_eq!(
        (&email["tags"], &email["is_masked"]),
        (&json!(["pii: email"]), &json!(true))
    );
    assert_eq!(one("country").expect("country")["is_masked"], false);
    // One that may not be seen looks as one that is not there.
    let hidden = house
        .get("/api/v1/tables/secret/mapping")
        .as_("ana")
        .send()
        .await;
    let none = house
        .get("/api/v1/tables/secret/nothing")
        .as_("ana")
        .send()
        .await;
    let text = |answer: &super::house::Answer| {
        let mut problem = answer.json();
        problem["instance"] = json!(null);
        problem
            .to_string()
            .replace("mapping", "?")
            .replace("nothing", "?")
    };
    assert_eq!((hidden.status, text(&hidden)), (none.status, text(&none)));
}
