//! What a client sets for its log-in, and `as of`.

use std::collections::HashMap;

use prost::Message as _;
use tonic::Code;

use super::super::options::{GetResult, OptionValue, SetRequest, SetResult, Value, Wrong};
use super::house::{Caller, open, sqlstate};

async fn set(caller: &mut Caller, options: Vec<(&str, OptionValue)>) -> HashMap<String, i32> {
    let options = options.into_iter();
    let request = SetRequest {
        options: options
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    };
    let answer = caller
        .act("SetSessionOptions", request.encode_to_vec())
        .await;
    let result = SetResult::decode(answer.expect("an answer")).expect("a result");
    let errors = result.errors.into_iter();
    errors.map(|(name, error)| (name, error.value)).collect()
}

async fn get(caller: &mut Caller) -> HashMap<String, String> {
    let answer = caller
        .act("GetSessionOptions", vec![])
        .await
        .expect("an answer");
    let result = GetResult::decode(answer).expect("a result");
    let options = result.options.into_iter();
    options
        .map(|(name, value)| (name, value.as_text().unwrap_or_default()))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_sets_what_is_its_own() {
    let open = open().await;
    let mut ana = open.caller("ana").await;
    let first = get(&mut ana).await;
    assert_eq!(first["catalog"], "throughline");
    assert_eq!(first["timezone"], "UTC");
    assert!(!first.contains_key("as_of"));
    let timeout = OptionValue {
        value: Some(Value::Integer(60_000)),
    };
    let wrong = set(
        &mut ana,
        vec![
            ("schema", OptionValue::text("marts")),
            ("timezone", OptionValue::text("Europe/Berlin")),
            ("statement_timeout", timeout),
            ("catalog", OptionValue::text("throughline")),
        ],
    )
    .await;
    assert!(wrong.is_empty(), "{wrong:?}");
    assert_eq!(ana.values("select count(*) from events").await, ["20"]);
    let now = get(&mut ana).await;
    assert_eq!(now["schema"], "marts");
    assert_eq!(now["timezone"], "Europe/Berlin");
    assert_eq!(now["statement_timeout"], "60000");
    // Another log-in of the same principal has its own.
    let mut other = open.caller("ana").await;
    assert!(other.info_of("select 1 from events").await.is_err());
    let none = OptionValue { value: None };
    assert!(set(&mut ana, vec![("schema", none)]).await.is_empty());
    assert!(ana.info_of("select 1 from events").await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_set_is_said_and_the_rest_holds() {
    let open = open().await;
    let mut ana = open.caller("ana").await;
    let wrong = set(
        &mut ana,
        vec![
            ("schema", OptionValue::text("secret")),
            ("datafusion.runtime.memory_limit", OptionValue::text("100G")),
            ("role", OptionValue::text("admin")),
            ("timezone", OptionValue::text("Nowhere")),
            ("catalog", OptionValue::text("other")),
            ("as_of", OptionValue::text("yesterday")),
            ("statement_timeout", OptionValue::text("50ms")),
        ],
    )
    .await;
    let of = |name: &str| {
        wrong
            .get(name)
            .and_then(|value| Wrong::try_from(*value).ok())
    };
    for name in ["schema", "timezone", "catalog", "as_of"] {
        assert_eq!(of(name), Some(Wrong::Value), "{name}");
    }
    for name in ["role", "datafusion.runtime.memory_limit"] {
        assert_eq!(of(name), Some(Wrong::Name), "{name}");
    }
    assert_eq!(of("statement_timeout"), None);
    let long = "select count(*) from marts.events a, marts.events b, marts.events c, \
                marts.events d, marts.events e, marts.events f";
    let status = ana.rows(long).await.expect_err("too long");
    assert_eq!(
        (status.code(), sqlstate(&status)),
        (Code::DeadlineExceeded, "57014"),
        "{status}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn as_of_is_asked_for_by_a_header() {
    let open = open().await;
    let mut ana = open.caller("ana").await;
    // The fixture has no past: that is said, and the newest is not given instead.
    ana.as_of = Some("2026-06-30");
    let status = ana.info_of("select 1").await.expect_err("no past");
    assert_eq!(
        (status.code(), sqlstate(&status)),
        (Code::Unimplemented, "0A000"),
        "{status}"
    );
    ana.as_of = Some("yesterday");
    let status = ana.info_of("select 1").await.expect_err("no time");
    assert_eq!(status.code(), Code::InvalidArgument, "{status}");
    ana.as_of = Some("");
    assert_eq!(ana.values("select 1").await, ["1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_has_options_of_its_own_on_each_connection() {
    let open = open().await;
    let token = open.token("bot").await;
    let (mut one, mut other) = (open.stranger().await, open.stranger().await);
    for caller in [&mut one, &mut other] {
        caller.bearer = Some(token.expose().to_owned());
    }
    assert!(
        set(&mut one, vec![("schema", OptionValue::text("marts"))])
            .await
            .is_empty()
    );
    assert!(one.info_of("select 1 from events").await.is_ok());
    assert!(other.info_of("select 1 from events").await.is_err());
}
