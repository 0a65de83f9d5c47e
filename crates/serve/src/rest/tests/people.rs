//! Who gets in: by token, by password, by the page's cookie; and who does not.

use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::house::{House, PASSWORD};

fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{password}")))
}

#[tokio::test]
async fn a_caller_is_recognised_by_what_it_sends() {
    let house = House::new().await;
    let me = house.get("/api/v1/session").as_("ana").send().await;
    assert_eq!(me.status, 200, "{}", me.text());
    assert_eq!(me.json()["by"], "token");
    assert_eq!(me.json()["roles"], json!(["analyst_de"]));
    let me = house
        .get("/api/v1/session")
        .with("authorization", &basic("ana", PASSWORD));
    assert_eq!(me.send().await.json()["by"], "password");
    // A token may stand in the place of a password, for programs that know nothing else.
    let token = house.tokens["ana"].clone();
    let me = house
        .get("/api/v1/session")
        .with("authorization", &basic("token", &token));
    assert_eq!(me.send().await.status, 200);
    let admin = house.get("/api/v1/session").as_("admin").send().await;
    assert_eq!(admin.json()["is_admin"], true);
    for wrong in [
        "Bearer nonsense".to_owned(),
        "Bearer".to_owned(),
        "Digest x".to_owned(),
        "Basic !!!".to_owned(),
        basic("ana", "wrong"),
        format!("Bearer {}x", &token[..token.len() - 1]),
    ] {
        let refused = house
            .get("/api/v1/session")
            .with("authorization", &wrong)
            .send()
            .await;
        assert_eq!(refused.status, 401, "{wrong}");
        assert_eq!(refused.header("content-type"), "application/problem+json");
        assert!(refused.header("www-authenticate").starts_with("Bearer"));
        assert!(!refused.text().contains(&token[20..]), "{}", refused.text());
    }
    assert_eq!(house.get("/api/v1/session").send().await.status, 401);
}

#[tokio::test]
async fn nothing_is_answered_in_clear_to_another_machine() {
    let house = House::new().await;
    for path in ["/healthz", "/api/v1/openapi.json", "/api/v1/session"] {
        let far = house
            .get(path)
            .as_("ana")
            .from("203.0.113.9", false)
            .send()
            .await;
        assert_eq!(far.status, 403, "{path}");
        let far = house
            .get(path)
            .as_("ana")
            .from("203.0.113.9", true)
            .send()
            .await;
        assert_eq!(far.status, 200, "{path}");
        assert!(far.header("strict-transport-security").contains("max-age"));
    }
    // Who is at the other end is not known.
    let request = axum::http::Request::get("/healthz").body(axum::body::Body::empty());
    let router = house.router.clone();
    let answer = tower::ServiceExt::oneshot(router, request.expect("a request")).await;
    assert_eq!(answer.expect("an answer").status(), 403);
}

#[tokio::test]
async fn a_page_logs_in_changes_and_logs_out() {
    let house = House::new().await;
    let login = json!({"name": "root", "password": PASSWORD});
    let begun = house.post("/api/v1/session", &login).send().await;
    assert_eq!(begun.status, 200, "{}", begun.text());
    let set = begun.header("set-cookie").to_owned();
    assert!(
        set.contains("HttpOnly") && set.contains("SameSite=Strict"),
        "{set}"
    );
    assert!(!set.contains("Secure"), "on loopback there is no TLS");
    let cookie = set.split(';').next().expect("a cookie").to_owned();
    let csrf = begun.json()["csrf"].as_str().expect("a secret").to_owned();
    let over_tls = house
        .post("/api/v1/session", &login)
        .from("203.0.113.9", true)
        .send()
        .await;
    let secure = over_tls.header("set-cookie");
    assert!(
        secure.starts_with("__Host-") && secure.contains("Secure"),
        "{secure}"
    );

    let me = house
        .get("/api/v1/session")
        .with("cookie", &cookie)
        .send()
        .await;
    assert_eq!(
        (me.status.as_u16(), me.json()["by"].clone()),
        (200, json!("page"))
    );
    assert_eq!(me.json()["csrf"], json!(csrf));

    // Another site can have the browser send the cookie, but not the secret.
    let statement = json!({"statement": "select 1 as n"});
    let forged = house
        .post("/api/v1/sql", &statement)
        .with("cookie", &cookie);
    assert_eq!(forged.send().await.status, 403);
    let wrong = house
        .post("/api/v1/sql", &statement)
        .with("cookie", &cookie);
    assert_eq!(
        wrong
            .with("x-throughline-csrf", "guess")
            .send()
            .await
            .status,
        403
    );
    let ours = house
        .post("/api/v1/sql", &statement)
        .with("cookie", &cookie);
    let ours = ours.with("x-throughline-csrf", &csrf).send().await;
    assert_eq!(ours.status, 200, "{}", ours.text());
    let forged = house
        .post("/api/v1/session", &login)
        .with("sec-fetch-site", "cross-site");
    assert_eq!(forged.send().await.status, 403);

    let out = house
        .ask(Method::DELETE, "/api/v1/session")
        .with("cookie", &cookie);
    assert_eq!(out.send().await.status, 403);
    let out = house
        .ask(Method::DELETE, "/api/v1/session")
        .with("cookie", &cookie);
    let out = out.with("x-throughline-csrf", &csrf).send().await;
    assert_eq!(out.status, 204);
    assert!(out.header("set-cookie").contains("Max-Age=0"));
    let gone = house
        .get("/api/v1/session")
        .with("cookie", &cookie)
        .send()
        .await;
    assert_eq!(gone.status, 401);
}

#[tokio::test]
async fn guessing_is_slowed() {
    let house = House::new().await;
    let login = json!({"name": "ana", "password": "wrong wrong wrong"});
    let mut last = house.post("/api/v1/session", &login).send().await;
    for _ in 0..30 {
        last = house.post("/api/v1/session", &login).send().await;
    }
    assert_eq!(last.status, 429, "{}", last.text());
    let seconds: i64 = last.header("retry-after").parse().expect("seconds");
    assert!(seconds >= 1);
}

#[tokio::test]
async fn a_revoked_token_is_refused_at_once() {
    let house = House::new().await;
    assert_eq!(house.sql("select 1").as_("ana").send().await.status, 200);
    let revoke = house.ask(Method::DELETE, "/api/v1/tokens/ana").as_("admin");
    assert_eq!(revoke.send().await.status, 204);
    assert_eq!(house.sql("select 1").as_("ana").send().await.status, 401);
}

#[tokio::test]
async fn a_directory_that_is_not_there_is_not_asked() {
    let house = House::new().await;
    for path in ["/auth/oidc/start", "/auth/oidc/callback?state=a&code=b"] {
        assert_eq!(house.get(path).send().await.status, 404, "{path}");
    }
}
