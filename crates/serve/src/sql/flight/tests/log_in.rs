//! Log-ins: who comes in, and who does not (any more).

use std::time::Duration;

use arrow_flight::sql::{CommandGetTables, ProstMessageExt as _};
use arrow_flight::{
    Action, BasicAuth, Criteria, Empty, FlightData, FlightDescriptor, HandshakeRequest, Ticket,
};
use chrono::TimeDelta;
use futures::StreamExt as _;
use prost::Message as _;
use tonic::{Code, Request};

use super::house::{PASSWORD, open, root, sqlstate};
use crate::access::who::{Change, Secret};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_gives_a_bearer_and_a_wrong_one_nothing() {
    let open = open().await;
    let mut ana = open.caller("ana").await;
    let counted = ana.values("select count(*) from marts.events").await;
    assert_eq!(counted, ["20"]);
    for (name, secret) in [
        ("ana", "wrong"),
        ("nobody", PASSWORD),
        ("", ""),
        ("ana", ""),
    ] {
        let mut other = open.stranger().await;
        let status = other.log_in(name, secret).await.expect_err(name);
        assert_eq!(status.code(), Code::Unauthenticated, "{name}: {status}");
        assert_eq!(status.message(), "log-in refused");
        assert_eq!(sqlstate(&status), "28P01");
        assert!(other.info_of("select 1").await.is_err());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_older_handshake_works_too() {
    let open = open().await;
    let mut caller = open.stranger().await;
    let login = BasicAuth {
        username: "ana".to_owned(),
        password: PASSWORD.to_owned(),
    };
    let said = HandshakeRequest {
        protocol_version: 0,
        payload: login.encode_to_vec().into(),
    };
    let request = Request::new(futures::stream::iter([said]));
    let mut answer = caller
        .client
        .handshake(request)
        .await
        .expect("a log-in")
        .into_inner();
    let message = answer
        .message()
        .await
        .expect("an answer")
        .expect("a bearer");
    let mut request = Request::new(FlightDescriptor::new_cmd(tables()));
    let headers = request.metadata_mut();
    headers.insert_bin(
        "auth-token-bin",
        tonic::metadata::BinaryMetadataValue::from_bytes(&message.payload),
    );
    caller.client.get_flight_info(request).await.expect("known");
    let garbage = HandshakeRequest {
        protocol_version: 0,
        payload: vec![0xff; 9].into(),
    };
    for messages in [vec![], vec![garbage]] {
        let request = Request::new(futures::stream::iter(messages));
        let status = caller.client.handshake(request).await.expect_err("nobody");
        assert_eq!(status.code(), Code::Unauthenticated);
    }
}

fn tables() -> Vec<u8> {
    CommandGetTables::default().as_any().encode_to_vec()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_answered_without_a_log_in() {
    let open = open().await;
    for bearer in [None, Some("made-up"), Some("tlt_made_up"), Some("")] {
        let mut caller = open.stranger().await;
        caller.bearer = bearer.map(str::to_owned);
        let any = tables();
        let mut refused = Vec::new();
        let descriptor = FlightDescriptor::new_cmd(any.clone());
        let request = caller.with(descriptor.clone());
        refused.push(caller.client.get_flight_info(request).await.err());
        let request = caller.with(descriptor.clone());
        refused.push(caller.client.poll_flight_info(request).await.err());
        let request = caller.with(descriptor.clone());
        refused.push(caller.client.get_schema(request).await.err());
        let request = caller.with(Ticket::new(any));
        refused.push(caller.client.do_get(request).await.err());
        let request = caller.with(Criteria::default());
        refused.push(caller.client.list_flights(request).await.err());
        let request = caller.with(Empty {});
        refused.push(caller.client.list_actions(request).await.err());
        let request = caller.with(Action::new("GetSessionOptions", vec![]));
        refused.push(caller.client.do_action(request).await.err());
        let data = FlightData::default().with_descriptor(descriptor);
        let request = caller.with(futures::stream::iter([data.clone()]));
        refused.push(caller.client.do_put(request).await.err());
        let request = caller.with(futures::stream::iter([data]));
        refused.push(caller.client.do_exchange(request).await.err());
        assert_eq!(refused.len(), 9);
        for status in refused {
            let status = status.expect("refused");
            let codes = [Code::Unauthenticated, Code::ResourceExhausted];
            assert!(codes.contains(&status.code()), "{bearer:?}: {status}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_a_bearer_or_a_password() {
    let open = open().await;
    let token = open.token("bot").await;
    let sql = "select count(*), count(phone) from marts.events";
    let mut direct = open.stranger().await;
    direct.bearer = Some(token.expose().to_owned());
    assert_eq!(direct.values(sql).await, ["20|0"]);
    let mut by_password = open.stranger().await;
    by_password
        .log_in("whoever", token.expose())
        .await
        .expect("a log-in");
    assert_ne!(by_password.bearer.as_deref(), Some(token.expose()));
    assert_eq!(by_password.values(sql).await, ["20|0"]);
    let mut by_handshake = open.stranger().await;
    let header = format!("Bearer {}", token.expose());
    by_handshake.handshake(&header).await.expect("a log-in");
    assert_eq!(by_handshake.values(sql).await, ["20|0"]);
    // Revoked, it is none any more, in whatever way it came; nor is one of the same name.
    open.doors
        .who
        .revoke_token(&root(), "bot")
        .await
        .expect("revoked");
    for mut caller in [direct, by_password, by_handshake] {
        let status = caller.info_of("select 1").await.expect_err("revoked");
        assert_eq!(status.code(), Code::Unauthenticated);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_for_another_door_is_refused() {
    let open = open().await;
    let new = crate::access::who::NewToken {
        doors: ["rest".to_owned()].into(),
        roles: ["admin".to_owned()].into(),
        ..Default::default()
    };
    let made = open.doors.who.create_token(&root(), &new).await;
    let mut caller = open.stranger().await;
    caller.bearer = Some(made.expect("a token").1.expose().to_owned());
    let status = caller.info_of("select 1").await.expect_err("another door");
    assert_eq!(status.code(), Code::Unauthenticated);
}

/// Rows for as long as one reads them.
const LONG: &str = "select a.event_id, b.email, c.country from marts.events a, marts.events b, \
    marts.events c, marts.events d, marts.events e";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_disabled_is_out_within_a_second() {
    let open = open().await;
    let mut ana = open.caller("ana").await;
    let waiting = ana.info_of("select 1").await.expect("a ticket");
    let long = ana.info_of(LONG).await.expect("a ticket");
    let mut rows = ana.get(super::house::ticket(&long)).await.expect("rows");
    rows.next().await.expect("a message").expect("rows");
    let change = Change {
        is_disabled: Some(true),
        ..Change::default()
    };
    open.doors
        .who
        .change_user(&root(), "ana", &change)
        .await
        .expect("changed");
    let ended = async {
        loop {
            match rows.next().await {
                Some(Ok(_)) => {}
                other => return other,
            }
        }
    };
    let ended = tokio::time::timeout(Duration::from_secs(1), ended).await;
    let status = ended
        .expect("within a second")
        .expect("an end")
        .expect_err("an error");
    assert_eq!(status.code(), Code::Unauthenticated, "{status}");
    for status in [
        ana.fetch(&waiting).await.expect_err("out"),
        ana.info_of("select 1").await.expect_err("out"),
        ana.act("GetSessionOptions", vec![]).await.expect_err("out"),
    ] {
        assert_eq!(status.code(), Code::Unauthenticated);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_in_ends_with_the_password_with_time_and_at_will() {
    let open = open().await;
    let mut ana = open.caller("ana").await;
    let mut four = open.caller("four").await;
    let mut mapped = open.caller("mapped").await;
    let other = Secret::new("sieben grüne Boote am Abend");
    open.doors
        .who
        .set_password(&root(), "ana", &other)
        .await
        .expect("changed");
    assert!(ana.info_of("select 1").await.is_err(), "another password");
    assert!(four.info_of("select 1").await.is_ok());
    let mut second = mapped.clone();
    mapped.act("CloseSession", vec![]).await.expect("closed");
    assert!(mapped.info_of("select 1").await.is_err(), "closed");
    assert!(
        second.info_of("select 1").await.is_err(),
        "the bearer is gone"
    );
    open.pass(TimeDelta::hours(13));
    let status = four.info_of("select 1").await.expect_err("too long idle");
    assert_eq!(status.code(), Code::Unauthenticated);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_right_holds_for_a_running_log_in() {
    let open = open().await;
    let mut four = open.caller("four").await;
    let sql = "select distinct country from marts.events";
    assert_eq!(four.values(sql).await, ["DE", "FR"]);
    let countries = crate::access::Attribute::Texts(vec!["FR".to_owned()]);
    let change = Change {
        attributes: Some([("countries".to_owned(), countries)].into()),
        ..Change::default()
    };
    open.doors
        .who
        .change_user(&root(), "four", &change)
        .await
        .expect("changed");
    assert_eq!(four.values(sql).await, ["FR"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guessing_is_slowed() {
    let open = open().await;
    let mut codes = Vec::new();
    for guess in 0..15 {
        let mut caller = open.stranger().await;
        let refused = caller.log_in("ana", &format!("guess {guess}")).await;
        codes.push(refused.expect_err("refused").code());
    }
    assert_eq!(codes[0], Code::Unauthenticated);
    assert_eq!(codes[14], Code::ResourceExhausted);
    // Somebody else comes in.
    open.caller("four").await;
}
