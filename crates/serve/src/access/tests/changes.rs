//! Policies, principals and files change while queries run.

use std::time::Duration;

use futures::StreamExt as _;

use super::fixture::{POLICY, admin, ana, gate, values};
use crate::access::{Attribute, Policy, Principal};

/// Rows for as long as one reads them.
const LONG: &str = "select a.event_id, b.email, c.country from marts.events a, marts.events b, \
    marts.events c, marts.events d, marts.events e";

fn in_france() -> Principal {
    Principal::user("ana", ["analyst_de"]).with_attribute("country", Attribute::Text("FR".into()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_stream_ends_when_the_policy_changes() {
    let gate = gate().await;
    let session = gate.session(ana()).expect("a session");
    let mut rows = session.query(LONG).await.expect("rows");
    rows.next().await.expect("a batch").expect("rows");
    let other = session.query("select 1").await.expect("rows");
    gate.set_policy(
        Policy::parse(&POLICY.replace("columns: [salary]", "columns: [salary, note]"))
            .expect("a policy"),
    );
    let ended = tokio::time::timeout(Duration::from_secs(1), rows.next()).await;
    let error = ended
        .expect("within a second")
        .expect("an end")
        .expect_err("an error");
    assert_eq!(error.sqlstate(), "0A000", "{error}");
    assert!(rows.next().await.is_none());
    drop(other);
    // The session itself goes on, with what holds now.
    let sql = "select count(*) from information_schema.columns where table_name = 'events'";
    assert_eq!(values(&session, sql).await, ["7"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_waits_for_its_reader_ends_too() {
    let gate = gate().await;
    let session = gate.session(ana()).expect("a session");
    let mut rows = session.query(LONG).await.expect("rows");
    rows.next().await.expect("a batch").expect("rows");
    tokio::time::sleep(Duration::from_millis(100)).await;
    gate.revoke(&ana().id());
    let error = rows.next().await.expect("an end").expect_err("revoked");
    assert_eq!(error.sqlstate(), "28000", "{error}");
    let error = session.query("select 1").await.err().expect("revoked");
    assert_eq!(error.sqlstate(), "28000");
    // Who signs in again starts anew.
    let again = gate.session(ana()).expect("a session");
    assert_eq!(
        values(&again, "select count(*) from marts.events").await,
        ["20"]
    );
    assert!(
        session.query("select 1").await.is_err(),
        "the old session stays closed"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_concern_a_principal_does_not_end_its_streams() {
    let gate = gate().await;
    let session = gate.session(ana()).expect("a session");
    let mut rows = session.query(LONG).await.expect("rows");
    rows.next().await.expect("a batch").expect("rows");
    let other = "  reader_four:\n    deny: [{table: marts.props}]\n";
    gate.set_policy(Policy::parse(&POLICY.replace("  reader_four:\n", other)).expect("a policy"));
    gate.revoke(&admin().id());
    for _ in 0..5 {
        rows.next().await.expect("a batch").expect("rows");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_prepared_statement_runs_under_what_holds_then() {
    let gate = gate().await;
    let session = gate.session(ana()).expect("a session");
    let sql = "select distinct country from marts.events";
    let statement = session.prepare(sql).await.expect("prepared");
    let all = session
        .prepare("select * from marts.events")
        .await
        .expect("prepared");
    gate.changed(in_france());
    let rows = session
        .run(&statement, None)
        .await
        .expect("runs")
        .collect()
        .await
        .expect("rows");
    assert_eq!(super::fixture::lines(&rows), ["FR"]);
    gate.set_policy(
        Policy::parse(&POLICY.replace("[salary]", "[salary, note]")).expect("a policy"),
    );
    let error = session.run(&all, None).await.err().expect("other columns");
    assert_eq!(error.sqlstate(), "0A000", "{error}");
    let none = "roles: {analyst_de: {grants: [{table: marts.props}]}}";
    gate.set_policy(Policy::parse(none).expect("a policy"));
    let error = session.run(&statement, None).await.err().expect("denied");
    assert_eq!(error.sqlstate(), "42P01", "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_made_before_does_not_run_after() {
    let gate = gate().await;
    let session = gate.session(ana()).expect("a session");
    // A door that plans through the context meets the barrier all the same.
    let frame = session
        .context()
        .sql("select * from marts.events")
        .await
        .expect("planned");
    gate.changed(in_france());
    let error = frame.collect().await.expect_err("planned before");
    let error = crate::access::AccessError::of_running(&error);
    assert_eq!(error.sqlstate(), "0A000", "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_file_is_read_again_when_it_changes() {
    let folder = std::env::temp_dir().join(format!("throughline-gate-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join("access.yml");
    std::fs::write(&file, POLICY).expect("written");
    let mut options = crate::access::Options::new(b"key".to_vec());
    options.file = Some(file.clone());
    let owner = std::sync::Arc::new(super::fixture::owner().await);
    let gate = crate::access::Gate::open(owner, options)
        .await
        .expect("a gate");
    let watch = tokio::spawn(gate.watch());
    let session = gate.session(ana()).expect("a session");
    let mut rows = session.query(LONG).await.expect("rows");
    rows.next().await.expect("a batch").expect("rows");
    // A file that cannot be understood changes nothing.
    std::fs::write(&file, "roles: {analyst_de: {grant: []}}").expect("written");
    assert!(gate.reload().is_err());
    rows.next().await.expect("a batch").expect("rows");
    std::fs::remove_file(&file).expect("removed");
    assert!(gate.reload().is_err());
    rows.next().await.expect("a batch").expect("rows");
    std::fs::write(&file, POLICY.replace("[salary]", "[salary, note]")).expect("written");
    let ended = async { while let Some(Ok(_)) = rows.next().await {} };
    let ended = tokio::time::timeout(Duration::from_secs(1), ended).await;
    assert!(ended.is_ok(), "within a second");
    watch.abort();
    std::fs::remove_dir_all(&folder).expect("removed");
}
