//! Nothing hidden comes out by way of own tables and views.

use futures::StreamExt as _;

use super::fixture::{CANARY, admin, is_clean, shown, values};
use super::own::{Place, done, guest, maker, policy, refused};
use crate::access::{Attribute, Policy, Principal};

/// Tables and views that Germany's analyst makes of what it sees.
const MADE: &[&str] = &[
    "create table dbt_ana.a as select * from marts.events",
    "create view dbt_ana.b as select * from marts.events",
    "create table dbt_ana.c as select email as note, phone as p, country from marts.events",
    "create view dbt_ana.d as select upper(email) || phone as x from marts.events",
    "create table dbt_ana.e as select a.email as x from dbt_ana.a a union all select note from \
     marts.events",
    "create table dbt_ana.f as select max(email) as x, array_agg(email) as y from dbt_ana.b",
    "create view dbt_ana.g (k, l) as select contact, n from marts.person_view",
    "create table dbt_ana.h (x text, y text)",
    "insert into dbt_ana.h (y) select email from marts.events",
    "insert into dbt_ana.h (x) select x from dbt_ana.d",
    "create table dbt_ana.i as select * from dbt_ana.h",
    "alter table dbt_ana.i rename column y to country",
    "alter table dbt_ana.i rename to j",
    "create view dbt_ana.k as select country as harmless from dbt_ana.j",
    "create table dbt_ana.l as with c as (select email from marts.events where country = 'US' or \
     1 = 1) select email as x from c",
    "create temp table m as select email as x from marts.events",
    "create table dbt_ana.n as select x from m",
    "create view dbt_ana.o as select (select min(email) from marts.events) as x",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_canary_comes_out_by_way_of_a_table() {
    let place = Place::new();
    let gate = place.gate().await;
    let ana = gate.session(maker()).expect("a session");
    done(&ana, "create schema dbt_ana").await;
    for sql in MADE {
        done(&ana, sql).await;
    }
    let other = Principal::user("bo", ["analyst_de", "guest"])
        .with_attribute("country", Attribute::Text("FR".into()));
    let readers = [maker(), guest(), other, admin()];
    let sql = "select table_name from information_schema.tables where table_schema = 'dbt_ana'";
    let names = values(&ana, sql).await;
    assert_eq!(names.len(), 13, "{names:?}");
    for reader in readers {
        let session = gate.session(reader).expect("a session");
        for name in &names {
            let seen = shown(&session, &format!("select * from dbt_ana.{name}")).await;
            assert!(seen.is_ok(), "{name}: {seen:?}");
            assert!(is_clean(&seen), "{name}: {seen:?}");
            let odd = format!("select cast(t as bigint) from (select * from dbt_ana.{name}) t");
            assert!(is_clean(&shown(&session, &odd).await), "{name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tags_mask_what_others_made() {
    let place = Place::new();
    let gate = place.gate().await;
    let root = gate.session(admin()).expect("a session");
    let reader = gate.session(guest()).expect("a session");
    done(&root, "create schema dbt").await;
    for sql in [
        "create table dbt.t as select email as a, phone as b from marts.events",
        "create view dbt.v as select a || '!' as x, lower(b) as y from dbt.t",
        "create table dbt.u as select x as z from dbt.v",
        "create table dbt.w (q text)",
        "insert into dbt.w select z from dbt.u",
        "update dbt.w set q = (select max(a) from dbt.t) where q is not null",
    ] {
        done(&root, sql).await;
    }
    let seen = shown(&root, "select * from dbt.t").await.expect("rows");
    assert!(seen.contains(CANARY), "the administrator sees them");
    assert_eq!(values(&reader, "select distinct a from dbt.t").await, [""]);
    assert_eq!(values(&reader, "select distinct x from dbt.v").await, [""]);
    assert_eq!(values(&reader, "select distinct z from dbt.u").await, [""]);
    assert_eq!(values(&reader, "select distinct q from dbt.w").await, [""]);
    let phones = values(&reader, "select b from dbt.t where b like '****%'").await;
    assert_eq!(phones.len(), 60, "last four");
    assert_eq!(
        values(&reader, "select count(*) from dbt.t where a like '%CNRY%'").await,
        ["0"]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_view_reads_with_its_owners_rights_of_now() {
    let place = Place::new();
    let gate = place.gate().await;
    let ana = gate.session(maker()).expect("a session");
    let reader = gate.session(guest()).expect("a session");
    done(&ana, "create schema dbt_ana").await;
    done(
        &ana,
        "create view dbt_ana.v as select country, note from marts.events",
    )
    .await;
    done(
        &ana,
        "create view dbt_ana.w as select country from dbt_ana.v",
    )
    .await;
    let sql = "select distinct country from dbt_ana.w";
    assert_eq!(values(&reader, sql).await, ["DE"]);
    // The administrator who reads it does not lend it more.
    let root = gate.session(admin()).expect("a session");
    assert_eq!(values(&root, sql).await, ["DE"]);
    let mut in_france = maker();
    in_france
        .attributes
        .insert("country".into(), Attribute::Text("FR".into()));
    gate.changed(in_france);
    assert_eq!(values(&reader, sql).await, ["FR"]);
    // A running query ends as soon as the owner's rights do.
    let long =
        "select a.country from dbt_ana.v a, dbt_ana.v b, dbt_ana.v c, dbt_ana.v d, dbt_ana.v e";
    let mut rows = reader.query(long).await.expect("rows");
    rows.next().await.expect("a batch").expect("rows");
    let none = policy().replace("[marts.events, marts.open_day", "[marts.open_day");
    gate.set_policy(Policy::parse(&none).expect("a policy"));
    let ended = async { while let Some(Ok(_)) = rows.next().await {} };
    tokio::time::timeout(std::time::Duration::from_secs(5), ended)
        .await
        .expect("ended");
    let error = reader.query(sql).await.err().expect("gone");
    assert_eq!(error.sqlstate(), "42501", "{error}");
    assert!(!error.to_string().contains("marts.events"), "{error}");
    let sql = "select count(*) from information_schema.tables where table_schema = 'dbt_ana'";
    assert_eq!(
        values(&reader, sql).await,
        ["2"],
        "a view that cannot be read is listed"
    );
    gate.set_policy(Policy::parse(&policy()).expect("a policy"));
    assert_eq!(
        values(&reader, "select distinct country from dbt_ana.v").await,
        ["FR"]
    );
    gate.revoke(&maker().id());
    let error = reader
        .query("select * from dbt_ana.v")
        .await
        .err()
        .expect("revoked");
    assert_eq!(error.sqlstate(), "42501", "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn others_can_be_kept_out_and_in() {
    let place = Place::new();
    let gate = place.gate().await;
    let ana = gate.session(maker()).expect("a session");
    done(&ana, "create schema dbt_ana").await;
    done(
        &ana,
        "create table dbt_ana.t as select country, note from marts.events",
    )
    .await;
    let eve = gate.session(super::fixture::eve()).expect("a session");
    let four = gate.session(super::fixture::four()).expect("a session");
    for session in [&eve, &four] {
        let error = session
            .query("select * from dbt_ana.t")
            .await
            .err()
            .expect("hidden");
        assert_eq!(error.sqlstate(), "42P01");
        let sql = "select count(*) from information_schema.schemata where schema_name = 'dbt_ana'";
        assert_eq!(values(session, sql).await, ["0"]);
    }
    // A row filter that is about columns holds for own tables too.
    let filter = "  row_filters:\n    - having: [country]\n      where: country = 'FR'\n      \
                  except: [modeller]\n  deny:\n";
    let text = policy().replace("policies:\n  deny:\n", &format!("policies:\n{filter}"));
    gate.set_policy(Policy::parse(&text).expect("a policy"));
    let reader = gate.session(guest()).expect("a session");
    assert_eq!(
        values(&reader, "select count(*) from dbt_ana.t").await,
        ["0"]
    );
    assert_eq!(values(&ana, "select count(*) from dbt_ana.t").await, ["20"]);
    // Who may write no more may read no more either.
    let text = policy().replace("[dbt, \"dbt_{{ user.name }}\"]", "[dbt]");
    gate.set_policy(Policy::parse(&text).expect("a policy"));
    assert!(ana.query("select * from dbt_ana.t").await.is_err());
    assert_eq!(
        refused(&ana, "drop table dbt_ana.t").await.sqlstate(),
        "42501"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_puts_a_table_in_the_place_of_one_that_a_policy_asks() {
    let place = Place::new();
    let gate = place.gate().await;
    let mut mapped = super::fixture::mapped();
    mapped.roles.insert("modeller".to_owned());
    let session = gate.session(mapped).expect("a session");
    let sql = "select distinct country from marts.events";
    assert_eq!(values(&session, sql).await, ["DE"]);
    done(&session, "create schema dbt").await;
    done(
        &session,
        "create temp table mapping as select 'mapped' as login, 'US' as country",
    )
    .await;
    done(
        &session,
        "create temp table events as select 'US' as country",
    )
    .await;
    done(
        &session,
        "create table dbt.mapping as select 'mapped' as login, 'US' as country",
    )
    .await;
    for schema in ["secret", "marts"] {
        let sql = format!("create table {schema}.mapping as select 'mapped' as login");
        assert_eq!(refused(&session, &sql).await.sqlstate(), "42501");
    }
    assert_eq!(values(&session, sql).await, ["DE"]);
    session.set("search_path", "dbt").expect("set");
    assert_eq!(values(&session, sql).await, ["DE"]);
}
