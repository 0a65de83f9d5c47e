//! The ways round a policy, at this door: no canary in any byte that is sent.

use arrow_flight::FlightInfo;
use futures::StreamExt as _;
use prost::Message as _;
use tonic::Status;

use super::house::{Caller, Open, open, ticket};
use super::statements::{handle, info_of_prepared};
use crate::access::tests::fixture::{CANARY, NUMBER};
use crate::access::tests::tricks::{REFUSED, TRICKS, about_events};

/// A canary in the dresses that bytes of Arrow and of gRPC can give it.
fn is_clean(bytes: &[u8]) -> bool {
    let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
    let upper = text.to_uppercase();
    let turned: String = CANARY.chars().rev().collect();
    // The numbers that nobody may see lie between these, in whatever width they are sent.
    let hidden = 7_707_700_000_i64..7_707_700_100;
    let is_number = |window: &[u8]| {
        let number = <[u8; 8]>::try_from(window).map(i64::from_le_bytes);
        number.is_ok_and(|number| hidden.contains(&number))
    };
    !upper.contains(CANARY)
        && !upper.contains(&hex::encode(CANARY).to_uppercase())
        && !upper.contains(&turned)
        && !text.contains(NUMBER)
        && !bytes.windows(8).any(is_number)
}

fn of_status(status: &Status) -> Vec<u8> {
    let mut bytes = status.message().as_bytes().to_vec();
    bytes.extend_from_slice(status.details());
    bytes.extend_from_slice(format!("{:?}", status.metadata()).as_bytes());
    bytes
}

/// All that comes back, without the statement itself where it is repeated.
async fn all_of(caller: &mut Caller, info: Result<FlightInfo, Status>) -> Vec<u8> {
    let mut info = match info {
        Ok(info) => info,
        Err(status) => return of_status(&status),
    };
    let mut bytes = Vec::new();
    let rows = caller.get(ticket(&info)).await;
    info.flight_descriptor = None;
    bytes.extend(info.encode_to_vec());
    match rows {
        Err(status) => bytes.extend(of_status(&status)),
        Ok(mut rows) => {
            while let Some(message) = rows.next().await {
                match message {
                    Ok(message) => bytes.extend(message.encode_to_vec()),
                    Err(status) => bytes.extend(of_status(&status)),
                }
            }
        }
    }
    bytes
}

async fn try_all(open: &Open, name: &str, bearer: Option<String>) {
    let mut caller = match bearer {
        None => open.caller(name).await,
        Some(_) => open.stranger().await,
    };
    caller.bearer = bearer.or(caller.bearer);
    for trick in TRICKS {
        let sql = about_events(trick);
        let info = caller.info_of(&sql).await;
        let seen = all_of(&mut caller, info).await;
        assert!(
            is_clean(&seen),
            "{name}: {sql}\n{}",
            String::from_utf8_lossy(&seen)
        );
        let prepared = handle(&mut caller, &sql).await;
        let seen = match prepared {
            Err(status) => of_status(&status),
            Ok(handle) => {
                let info = info_of_prepared(&mut caller, handle).await;
                all_of(&mut caller, info).await
            }
        };
        assert!(
            is_clean(&seen),
            "{name}, prepared: {sql}\n{}",
            String::from_utf8_lossy(&seen)
        );
    }
    assert_eq!(caller.values("select 1").await, ["1"], "{name} can go on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_trick_shows_a_canary_to_a_filtered_user() {
    try_all(&open().await, "ana", None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_trick_shows_a_canary_to_a_token() {
    let open = open().await;
    let token = open.token("bot").await.expose().to_owned();
    try_all(&open, "bot", Some(token)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_trick_shows_a_canary_to_others() {
    let open = open().await;
    for name in ["four", "mapped", "eve"] {
        try_all(&open, name, None).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_canary_would_be_seen() {
    let open = open().await;
    let mut root = open.caller("root").await;
    for sql in [
        "select api_key from secret.api_keys",
        "select salary from marts.events",
        "select encode(email, 'hex') from marts.events",
    ] {
        let info = root.info_of(sql).await;
        assert!(!is_clean(&all_of(&mut root, info).await), "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_refused_is_refused_in_both_forms() {
    let open = open().await;
    for name in ["ana", "root"] {
        let mut caller = open.caller(name).await;
        for sql in REFUSED {
            let status = match caller.info_of(sql).await {
                Err(status) => status,
                // What changes something is refused when it is to be done.
                Ok(info) => caller.fetch(&info).await.expect_err(sql),
            };
            assert_ne!(status.code(), tonic::Code::Internal, "{sql}: {status}");
            if let Ok(handle) = handle(&mut caller, sql).await {
                let info = info_of_prepared(&mut caller, handle).await;
                assert!(caller.fetch(&info.expect(sql)).await.is_err(), "{sql}");
            }
        }
        assert_ne!(
            caller.values("select count(*) from marts.events").await,
            ["0"]
        );
    }
}
