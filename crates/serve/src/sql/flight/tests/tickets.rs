//! Tickets and handles: whose they are, and how long they hold.

use std::time::Duration;

use arrow_flight::sql::{
    ActionCancelQueryRequest, ActionCancelQueryResult, ActionClosePreparedStatementRequest, Any,
    CommandGetTables, ProstMessageExt as _, TicketStatementQuery,
};
use arrow_flight::{CancelFlightInfoRequest, CancelFlightInfoResult, FlightInfo, Ticket};
use chrono::TimeDelta;
use futures::StreamExt as _;
use prost::Message as _;
use tonic::{Code, Status};

use super::house::{Caller, open, sqlstate, ticket};
use super::statements::{handle, info_of_prepared};
use crate::access::tests::fixture::lines;

/// What somebody is told who presents what is not theirs.
fn is_no_handle(status: &Status) {
    assert_eq!(
        (status.code(), sqlstate(status)),
        (Code::NotFound, "26000"),
        "{status}"
    );
    assert!(
        status
            .message()
            .ends_with("or its time is over\nhint: ask for a new one")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ticket_is_for_whom_it_was_given_to() {
    let open = open().await;
    let mut root = open.caller("root").await;
    let rows = root
        .info_of("select * from secret.api_keys")
        .await
        .expect("a ticket");
    let tables = CommandGetTables {
        include_schema: true,
        ..CommandGetTables::default()
    };
    let described = root.info(&tables).await.expect("a ticket");
    let prepared = handle(&mut root, "select * from secret.api_keys")
        .await
        .expect("a handle");
    let token = open.token("root").await;
    let mut of_its_name = open.stranger().await;
    of_its_name.bearer = Some(token.expose().to_owned());
    for mut other in [
        open.caller("ana").await,
        open.caller("eve").await,
        of_its_name,
    ] {
        for stolen in [&rows, &described] {
            is_no_handle(&other.fetch(stolen).await.expect_err("stolen"));
        }
        let status = info_of_prepared(&mut other, prepared.clone()).await;
        is_no_handle(&status.expect_err("stolen"));
        let close = ActionClosePreparedStatementRequest {
            prepared_statement_handle: prepared.clone(),
        };
        let status = other
            .act("ClosePreparedStatement", close.as_any().encode_to_vec())
            .await;
        is_no_handle(&status.expect_err("stolen"));
        assert_eq!(cancel(&mut other, &rows).await, "NotCancellable");
    }
    // The owner's, from another log-in too.
    let mut again = open.caller("root").await;
    assert_eq!(
        lines(&again.fetch(&rows).await.expect("rows")),
        ["ana|CNRY-key"]
    );
    assert!(again.fetch(&described).await.is_ok());
    assert!(info_of_prepared(&mut again, prepared).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ticket_that_was_changed_or_made_up_is_refused() {
    let open = open().await;
    let mut ana = open.caller("ana").await;
    let info = ana.info_of("select 1").await.expect("a ticket");
    let any = Any::decode(ticket(&info).ticket).expect("a ticket");
    let sealed: Option<TicketStatementQuery> = any.unpack().expect("a handle");
    let sealed = sealed.expect("a handle").statement_handle;
    let with = |handle: Vec<u8>| {
        let handle = TicketStatementQuery {
            statement_handle: handle.into(),
        };
        Ticket::new(handle.as_any().encode_to_vec())
    };
    for at in 0..sealed.len() {
        let mut changed = sealed.to_vec();
        changed[at] ^= 1;
        is_no_handle(&ana.get(with(changed)).await.expect_err("changed"));
    }
    for made_up in [
        vec![],
        vec![1],
        vec![3; 60],
        vec![1; 57],
        b"select 1".to_vec(),
    ] {
        is_no_handle(&ana.get(with(made_up)).await.expect_err("made up"));
    }
    for garbage in [vec![0xff; 40], b"select 1".to_vec()] {
        let status = ana.get(Ticket::new(garbage)).await.expect_err("garbage");
        assert!(
            [Code::InvalidArgument, Code::NotFound].contains(&status.code()),
            "{status}"
        );
    }
    assert!(ana.fetch(&info).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ticket_holds_for_ten_minutes_and_a_handle_while_it_is_used() {
    let open = open().await;
    let mut ana = open.caller("ana").await;
    let rows = ana.info_of("select 1").await.expect("a ticket");
    let described = ana
        .info(&CommandGetTables::default())
        .await
        .expect("a ticket");
    let prepared = handle(&mut ana, "select 1").await.expect("a handle");
    open.pass(TimeDelta::minutes(9));
    assert!(ana.fetch(&rows).await.is_ok() && ana.fetch(&described).await.is_ok());
    open.pass(TimeDelta::minutes(1));
    is_no_handle(&ana.fetch(&rows).await.expect_err("over"));
    is_no_handle(&ana.fetch(&described).await.expect_err("over"));
    for _ in 0..3 {
        open.pass(TimeDelta::hours(11));
        assert!(info_of_prepared(&mut ana, prepared.clone()).await.is_ok());
    }
    open.pass(TimeDelta::hours(11));
    assert!(ana.info_of("select 1").await.is_ok());
    open.pass(TimeDelta::hours(2));
    let status = info_of_prepared(&mut ana, prepared).await;
    is_no_handle(&status.expect_err("over"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_a_log_in_closes_what_it_has_begun() {
    let open = open().await;
    let mut ana = open.caller("ana").await;
    let mut other = open.caller("ana").await;
    let rows = ana.info_of("select 1").await.expect("a ticket");
    let prepared = handle(&mut ana, "select 1").await.expect("a handle");
    let kept = handle(&mut other, "select 1").await.expect("a handle");
    ana.act("CloseSession", vec![]).await.expect("closed");
    is_no_handle(&other.fetch(&rows).await.expect_err("closed"));
    is_no_handle(
        &info_of_prepared(&mut other, prepared)
            .await
            .expect_err("closed"),
    );
    assert!(info_of_prepared(&mut other, kept).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_principal_keeps_so_much_and_no_more() {
    let open = open().await;
    let mut ana = open.caller("ana").await;
    let mut refused = None;
    for _ in 0..1_001 {
        if let Err(status) = handle(&mut ana, "select 1").await {
            refused = Some(status);
        }
    }
    let status = refused.expect("too many");
    assert_eq!(
        (status.code(), sqlstate(&status)),
        (Code::ResourceExhausted, "53300")
    );
    let mut four = open.caller("four").await;
    assert!(handle(&mut four, "select 1").await.is_ok(), "others go on");
}

/// Cancels; gives the status.
async fn cancel(caller: &mut Caller, info: &FlightInfo) -> String {
    let request = CancelFlightInfoRequest::new(info.clone());
    let answer = caller
        .act("CancelFlightInfo", request.encode_to_vec())
        .await;
    let result = CancelFlightInfoResult::decode(answer.expect("an answer")).expect("a result");
    format!("{:?}", result.status())
}

const LONG: &str = "select a.event_id, b.email, c.country from marts.events a, marts.events b, \
    marts.events c, marts.events d, marts.events e";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_is_cancelled_by_its_flight() {
    let open = open().await;
    let mut ana = open.caller("ana").await;
    for is_old in [false, true] {
        let info = ana.info_of(LONG).await.expect("a ticket");
        let mut rows = ana.get(ticket(&info)).await.expect("rows");
        rows.next().await.expect("a message").expect("rows");
        if is_old {
            let request = ActionCancelQueryRequest {
                info: info.encode_to_vec().into(),
            };
            let answer = ana
                .act("CancelQuery", request.as_any().encode_to_vec())
                .await;
            let any = Any::decode(answer.expect("an answer")).expect("an answer");
            let result: Option<ActionCancelQueryResult> = any.unpack().expect("a result");
            assert_eq!(result.expect("a result").result, 1);
        } else {
            assert_eq!(cancel(&mut ana, &info).await, "Cancelled");
        }
        let ended = async {
            loop {
                match rows.next().await {
                    Some(Ok(_)) => {}
                    other => return other,
                }
            }
        };
        let ended = tokio::time::timeout(Duration::from_secs(5), ended).await;
        let status = ended.expect("soon").expect("an end").expect_err("an error");
        assert_eq!(
            (status.code(), sqlstate(&status)),
            (Code::Cancelled, "57014"),
            "{status}"
        );
        is_no_handle(&ana.fetch(&info).await.expect_err("cancelled"));
        assert_eq!(cancel(&mut ana, &info).await, "NotCancellable");
    }
}
