//! Own schemas: what may be made, changed and removed there, and what is left of it after failures.

use std::sync::{Arc, Mutex};

use tempfile::TempDir;

use super::fixture::{POLICY, admin, ana, eve, four, owner, shown, values};
use crate::access::own::OwnSettings;
use crate::access::witness::{Event, Witness};
use crate::access::{AccessError, Changed, Gate, Options, Policy, Principal, Session};

/// The fixture's policy with people who make tables, and one who reads them.
pub(super) fn policy() -> String {
    let roles = "  modeller:
    own_schemas: [dbt, \"dbt_{{ user.name }}\"]
  guest:
    grants: [{schema: [dbt, \"dbt_*\"]}]
    masks:
      - tag: {pii: email}
        mask: 'null'
      - tag: {pii: phone}
        mask: last_four
  team:
    own_schemas: dbt
policies:
";
    POLICY.replace("policies:\n", roles)
}

/// Germany's analyst, who makes tables.
pub(super) fn maker() -> Principal {
    let mut maker = ana();
    maker.roles.insert("modeller".to_owned());
    maker
}

pub(super) fn guest() -> Principal {
    Principal::user("guest", ["guest"])
}

/// What the gate tells an audit.
#[derive(Default)]
pub(super) struct Heard(pub(super) Mutex<Vec<String>>);

impl Witness for Heard {
    fn note(&self, event: &Event) {
        let said = match event {
            Event::Change {
                action,
                object,
                outcome,
                ..
            } => match outcome {
                None => format!("{action} {object}"),
                Some(Ok(())) => format!("{action} {object}: done"),
                Some(Err(error)) => format!("{action} {object}: {}", error.sqlstate()),
            },
            Event::Refused { error, .. } => format!("refused: {}", error.sqlstate()),
            Event::Query { tables, .. } => format!("query: {}", tables.len()),
            _ => return,
        };
        self.0.lock().expect("a lock").push(said);
    }
}

pub(super) struct Place {
    pub(super) folder: TempDir,
    pub(super) heard: Arc<Heard>,
}

impl Place {
    pub(super) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder"),
            heard: Arc::default(),
        }
    }

    pub(super) fn settings(&self) -> OwnSettings {
        let lake = lake::Location::Folder(self.folder.path().join("lake"));
        let clock = Arc::new(|| chrono::DateTime::UNIX_EPOCH);
        OwnSettings::new(&lake, &self.folder.path().join("state"), clock)
    }

    pub(super) async fn gate_with(&self, settings: OwnSettings) -> Gate {
        let mut options = Options::new(b"a project's key".to_vec());
        options.threads = 2;
        options.own = Some(settings);
        options.witness = Some(self.heard.clone());
        let gate = Gate::open(Arc::new(owner().await), options).await;
        let gate = gate.expect("a gate");
        gate.set_policy(Policy::parse(&policy()).expect("a policy"));
        gate
    }

    pub(super) async fn gate(&self) -> Gate {
        self.gate_with(self.settings()).await
    }
}

pub(super) async fn done(session: &Session, sql: &str) -> Changed {
    session
        .change(sql)
        .await
        .unwrap_or_else(|error| panic!("{sql}: {error}"))
}

pub(super) async fn refused(session: &Session, sql: &str) -> AccessError {
    let error = session.change(sql).await.err();
    error.unwrap_or_else(|| panic!("not refused: {sql}"))
}

/// A statement of each kind about a table `T` or its schema `S`.
const KINDS: &[(&str, &str)] = &[
    ("create schema if not exists S", "CREATE SCHEMA"),
    (
        "create table S.t as select event_id, country, email from marts.events",
        "SELECT 20",
    ),
    (
        "create or replace view S.v as select event_id from S.t",
        "CREATE VIEW",
    ),
    (
        "create table S.c (a integer, b text, at timestamp, n numeric(10, 2))",
        "CREATE TABLE",
    ),
    (
        "insert into S.c (a, b) values (1, 'x'), (-2, null)",
        "INSERT 0 2",
    ),
    (
        "insert into S.c (a) select event_id from S.v",
        "INSERT 0 20",
    ),
    (
        "insert into throughline.S.c values (3, 'y', '2026-01-02 03:04:05', 1.5)",
        "INSERT 0 1",
    ),
    ("update S.c set b = 'z', n = 2 where b = 'y'", "UPDATE 1"),
    (
        "update S.c set b = o.k from (values (3, 'w')) as o (j, k) where S.c.a = o.j and b = 'z'",
        "UPDATE 1",
    ),
    (
        "update S.c as t set b = 'z' from S.c as o where t.b = o.b and o.b = 'w'",
        "UPDATE 1",
    ),
    ("delete from S.c where a < 0", "DELETE 1"),
    (
        "delete from S.c as k where (a, b) in (select a, b from S.c where b = 'z')",
        "DELETE 1",
    ),
    (
        "alter table S.c add column d date, drop column n",
        "ALTER TABLE",
    ),
    ("alter table S.c rename column d to e", "ALTER TABLE"),
    ("comment on column S.c.e is 'a day'", "COMMENT"),
    ("comment on table S.c is $x$it's$x$", "COMMENT"),
    ("create index if not exists i on S.c (a)", "CREATE INDEX"),
    ("alter table S.c rename to d", "ALTER TABLE"),
    ("alter view S.v rename to w", "ALTER VIEW"),
    ("truncate table S.d", "TRUNCATE TABLE"),
    ("drop view if exists S.w cascade", "DROP VIEW"),
    ("drop table S.d", "DROP TABLE"),
    ("drop table if exists S.d cascade", "DROP TABLE"),
    ("drop schema S cascade", "DROP SCHEMA"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_kind_of_statement_works_in_an_own_schema_and_nowhere_else() {
    let place = Place::new();
    let gate = place.gate().await;
    let root = gate.session(admin()).expect("a session");
    done(&root, "create schema dbt_bo").await;
    for (who, schema) in [(maker(), "dbt_ana"), (maker(), "dbt"), (admin(), "dbt_x")] {
        let is_admin = who == admin();
        let session = gate.session(who).expect("a session");
        for (sql, tag) in KINDS {
            let changed = done(&session, &sql.replace("S", schema)).await;
            let tag = match is_admin {
                true => tag.replace("20", "60"),
                false => (*tag).to_owned(),
            };
            assert_eq!(changed.tag, tag, "{sql}");
        }
    }
    let ours = [
        "dbt_bo",
        "marts",
        "star",
        "raw",
        "pg_catalog",
        "information_schema",
        "metrics",
    ];
    let session = gate.session(maker()).expect("a session");
    for (sql, _) in KINDS {
        for schema in ours {
            let error = refused(&session, &sql.replace("S", schema)).await;
            assert_eq!(error.sqlstate(), "42501", "{sql} {schema}: {error}");
        }
    }
    for who in [ana(), eve(), four(), guest()] {
        let session = gate.session(who).expect("a session");
        for (sql, _) in KINDS {
            let error = refused(&session, &sql.replace("S", "dbt")).await;
            assert_eq!(error.sqlstate(), "42501", "{sql}: {error}");
        }
    }
    for schema in ["marts", "secret", "pg_catalog", "ops", "own", "work_x"] {
        let error = refused(&root, &format!("create table {schema}.t (a int)")).await;
        assert!(
            ["42501", "3F000"].contains(&error.sqlstate()),
            "{schema}: {error}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_such_statement_is_refused() {
    let place = Place::new();
    let gate = place.gate().await;
    let session = gate.session(maker()).expect("a session");
    done(&session, "create schema dbt").await;
    done(&session, "create table dbt.t as select 1 as a").await;
    let cases = [
        ("grant select on dbt.t to public", "42501"),
        ("revoke all on dbt.t from public", "42501"),
        ("create table dbt.u (a int primary key)", "0A000"),
        ("create table dbt.u (a int not null)", "0A000"),
        ("create table dbt.u (a int default 1)", "0A000"),
        ("create materialized view dbt.u as select 1", "0A000"),
        (
            "insert into dbt.t values (1) on conflict do nothing",
            "0A000",
        ),
        ("insert into dbt.t values (1) returning a", "0A000"),
        ("insert into dbt.t values ($1)", "0A000"),
        (
            "merge into dbt.t using dbt.t b on true when matched then delete",
            "0A000",
        ),
        (
            "create external table dbt.u stored as csv location '/etc/passwd'",
            "42601",
        ),
        (
            "create function dbt.f() returns int as 'select 1' language sql",
            "42501",
        ),
        ("copy dbt.t to '/tmp/x'", "42501"),
        ("set role admin", "42501"),
        ("select 1", "42501"),
        ("create table dbt.u as delete from dbt.t", "42501"),
        (
            "create table dbt.u as with x as (delete from dbt.t returning *) select * from x",
            "42501",
        ),
        (
            "create view dbt.u as select a into dbt.y from dbt.t",
            "42501",
        ),
        ("drop table dbt.t; drop schema dbt", "42601"),
        ("create table other.dbt.u (a int)", "0A000"),
        ("alter table dbt.t rename to marts.t", "0A000"),
        ("insert into dbt.t (b) values (1)", "42703"),
        ("insert into dbt.t values (1, 2)", "42601"),
        ("insert into dbt.nothing values (1)", "42P01"),
        ("create table dbt.t (a int)", "42P07"),
        ("drop view dbt.t", "42809"),
        ("create table nowhere.t (a int)", "42501"),
        ("create schema dbt", "42P07"),
        ("create table dbt_ana.t (a int)", "3F000"),
        ("create table dbt.u as select 1 as a, 2 as \"A\"", "42000"),
        (
            "create table dbt.u as select interval '1 day' as a",
            "42000",
        ),
    ];
    for (sql, state) in cases {
        let error = refused(&session, sql).await;
        assert_eq!(error.sqlstate(), state, "{sql}: {error}");
    }
    assert_eq!(values(&session, "select * from dbt.t").await, ["1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_is_replaced_by_renaming_as_dbt_does() {
    let place = Place::new();
    let gate = place.gate().await;
    let session = gate.session(maker()).expect("a session");
    let reader = gate.session(guest()).expect("a session");
    done(&session, "create schema if not exists \"dbt\"").await;
    let prepared = session.prepare("select 1").await.expect("prepared");
    for round in 1..3_i64 {
        let sql = format!(
            "/* {{\"app\": \"dbt\"}} */\n create  table \"throughline\".\"dbt\".\"m__dbt_tmp\"\n \
             as\n (\n select {round} as n, channel from (select country as channel from \
             marts.events) x\n );"
        );
        assert_eq!(done(&session, &sql).await.tag, "SELECT 20");
        if round > 1 {
            done(&session, "alter table dbt.m rename to m__dbt_backup").await;
        }
        let rename = "alter table \"throughline\".\"dbt\".\"m__dbt_tmp\" rename to \"m\"";
        done(&session, rename).await;
        let drop = "drop table if exists \"throughline\".\"dbt\".\"m__dbt_backup\" cascade";
        let dropped = done(&session, drop).await;
        assert_eq!(dropped.notice.is_some(), round == 1);
        let sql = "select distinct n from dbt.m";
        assert_eq!(values(&session, sql).await, [round.to_string()]);
        assert_eq!(values(&reader, sql).await, [round.to_string()]);
    }
    session.run(&prepared, None).await.expect("runs");
    // A statement that was prepared before reads what is there now.
    let prepared = reader
        .prepare("select count(*) from dbt.m")
        .await
        .expect("prepared");
    done(&session, "delete from dbt.m").await;
    let rows = reader
        .run(&prepared, None)
        .await
        .expect("runs")
        .collect()
        .await
        .expect("rows");
    assert_eq!(super::fixture::lines(&rows), ["0"]);
    done(&session, "drop table dbt.m").await;
    assert_eq!(
        reader
            .run(&prepared, None)
            .await
            .err()
            .expect("gone")
            .sqlstate(),
        "42P01"
    );
    let sql = "select table_name from information_schema.tables where table_schema = 'dbt'";
    assert!(values(&session, sql).await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn own_tables_are_there_after_a_restart() {
    let place = Place::new();
    let listed = {
        let gate = place.gate().await;
        let session = gate.session(maker()).expect("a session");
        done(&session, "create schema dbt").await;
        done(
            &session,
            "create table dbt.t as select event_id, email from marts.events",
        )
        .await;
        done(
            &session,
            "create view dbt.v as select email as x from dbt.t",
        )
        .await;
        done(&session, "create temp table gone as select 1 as a").await;
        gate.own().expect("own").list()
    };
    assert_eq!(listed.len(), 2);
    let gate = place.gate().await;
    let own = gate.own().expect("own");
    assert_eq!(own.list(), listed);
    let kept = own.lake.names().await.expect("names");
    assert_eq!(kept.len(), 1, "what has no name was removed: {kept:?}");
    let session = gate.session(maker()).expect("a session");
    let sql = "select count(*), count(x) from dbt.v";
    assert_eq!(values(&session, sql).await, ["20|20"]);
    // What erasure needs: where rows are, their tags, where they come from.
    let table = listed.iter().find(|listed| listed.name == "t").expect("t");
    let email = table
        .relation
        .columns
        .iter()
        .find(|column| column.name == "email");
    let email = email.expect("email");
    assert_eq!(email.tags, ["pii: email".to_owned()].into());
    assert_eq!(email.from, ["marts.events.email".to_owned()].into());
    assert!(table.table.is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_leaves_what_was_there() {
    let place = Place::new();
    let gate = place.gate().await;
    let session = gate.session(maker()).expect("a session");
    done(&session, "create schema dbt").await;
    done(
        &session,
        "create table dbt.t as select event_id as n from marts.events",
    )
    .await;
    // A row that fails, after others were written.
    let sql = "insert into dbt.t select 10 / (n - 3) from dbt.t";
    assert_eq!(refused(&session, sql).await.sqlstate(), "22012");
    let sql = "create table dbt.u as select 10 / (n - 3) as x from dbt.t";
    assert_eq!(refused(&session, sql).await.sqlstate(), "22012");
    let sql = "update dbt.t set n = o.n from dbt.t o where o.n < 9";
    let error = refused(&session, sql).await;
    assert!(error.to_string().contains("more than one row"), "{error}");
    let sql = "update dbt.t set n = 10 / (n - 3)";
    assert_eq!(refused(&session, sql).await.sqlstate(), "22012");
    assert_eq!(
        values(&session, "select count(*), sum(n) from dbt.t").await,
        ["20|570"]
    );
    // The files are written, and the list cannot be.
    gate.own().expect("own").registry.break_it().await;
    for sql in [
        "create table dbt.u as select 1 as a",
        "insert into dbt.t values (1)",
        "delete from dbt.t where n = 0",
        "alter table dbt.t rename to u",
        "drop table dbt.t",
    ] {
        assert_eq!(refused(&session, sql).await.sqlstate(), "XX000", "{sql}");
    }
    assert_eq!(
        values(&session, "select count(*), sum(n) from dbt.t").await,
        ["20|570"]
    );
    drop((session, gate));
    let gate = place.gate().await;
    let session = gate.session(maker()).expect("a session");
    assert_eq!(
        values(&session, "select count(*), sum(n) from dbt.t").await,
        ["20|570"]
    );
    let kept = gate.own().expect("own").lake.names().await.expect("names");
    assert_eq!(kept.len(), 1, "{kept:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn temporary_tables_are_in_one_session() {
    let place = Place::new();
    let gate = place.gate().await;
    let session = gate.session(maker()).expect("a session");
    let other = gate.session(maker()).expect("a session");
    done(&session, "create schema dbt").await;
    let sql =
        "create temporary table \"t__dbt_tmp\" as (select event_id as id, email from marts.events)";
    assert_eq!(done(&session, sql).await.tag, "SELECT 20");
    let sql = "select column_name from information_schema.columns where table_name = 't__dbt_tmp'";
    assert_eq!(values(&session, sql).await, ["email", "id"]);
    assert!(values(&other, sql).await.is_empty());
    let sql = "select count(*) from \"t__dbt_tmp\"";
    assert_eq!(values(&session, sql).await, ["20"]);
    assert!(other.query(sql).await.is_err());
    done(
        &session,
        "create table dbt.t as select * from t__dbt_tmp where id < 30",
    )
    .await;
    // An incremental model: delete and insert.
    let sql = "delete from \"throughline\".\"dbt\".\"t\" as DBT_INTERNAL_DEST where (id) in (\
               select distinct id from \"t__dbt_tmp\" as DBT_INTERNAL_SOURCE)";
    let error = refused(&session, sql).await;
    assert_eq!(
        error.sqlstate(),
        "42501",
        "masked values cannot be written again: {error}"
    );
    done(
        &session,
        "create table dbt.u as select id from t__dbt_tmp where id < 30",
    )
    .await;
    assert_eq!(
        done(&session, &sql.replace("\"t\"", "\"u\"")).await.tag,
        "DELETE 10"
    );
    let sql =
        "insert into \"throughline\".\"dbt\".\"u\" (\"id\") (select \"id\" from \"t__dbt_tmp\")";
    assert_eq!(done(&session, sql).await.tag, "INSERT 0 20");
    assert_eq!(
        refused(&session, "create view dbt.v as select * from t__dbt_tmp")
            .await
            .sqlstate(),
        "0A000"
    );
    // A name of a query stands before that of a table.
    let sql = "with t__dbt_tmp as (select 1 as a) select a from t__dbt_tmp";
    assert_eq!(values(&session, sql).await, ["1"]);
    done(&session, "drop table if exists t__dbt_tmp").await;
    assert!(session.query("select 1 from t__dbt_tmp").await.is_err());
    assert_eq!(
        refused(
            &gate.session(guest()).expect("a session"),
            "create temp table x as select 1 as a"
        )
        .await
        .sqlstate(),
        "42501"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_own_schema_has_limits() {
    let place = Place::new();
    let mut settings = place.settings();
    settings.limits.bytes = 20_000;
    settings.limits.relations = 3;
    let gate = place.gate_with(settings).await;
    let session = gate.session(maker()).expect("a session");
    done(&session, "create schema dbt").await;
    let sql = "create table dbt.a as select uuid() as u from generate_series(1, 2000)";
    assert_eq!(refused(&session, sql).await.sqlstate(), "53100");
    done(
        &session,
        "create table dbt.a as select uuid() as u from generate_series(1, 100)",
    )
    .await;
    let sql = "insert into dbt.a select uuid() from generate_series(1, 2000)";
    assert_eq!(refused(&session, sql).await.sqlstate(), "53100");
    assert_eq!(
        values(&session, "select count(*) from dbt.a").await,
        ["100"]
    );
    done(&session, "create view dbt.b as select 1 as x").await;
    done(&session, "create view dbt.c as select 1 as x").await;
    assert_eq!(
        refused(&session, "create view dbt.d as select 1 as x")
            .await
            .sqlstate(),
        "53100"
    );
    assert_eq!(
        refused(&session, "create table dbt.d (x int)")
            .await
            .sqlstate(),
        "53100"
    );
    done(&session, "create or replace view dbt.c as select 2 as x").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn views_cannot_be_piled_up_without_end() {
    let place = Place::new();
    let gate = place.gate().await;
    let session = gate.session(maker()).expect("a session");
    done(&session, "create schema dbt").await;
    done(&session, "create table dbt.v0 as select 'x' as a").await;
    for at in 1..=7 {
        let before = at - 1;
        let sql = format!(
            "create view dbt.v{at} as select a from dbt.v{before} union all \
             select a from dbt.v{before}"
        );
        done(&session, &sql).await;
    }
    assert_eq!(
        values(&session, "select count(*) from dbt.v7").await,
        ["128"]
    );
    let sql = "create view dbt.v8 as select a from dbt.v7 union all select a from dbt.v7";
    assert_eq!(refused(&session, sql).await.sqlstate(), "54001");
    // One after another, until there are too many.
    done(&session, "create view dbt.w0 as select a from dbt.v0").await;
    let mut deepest = 0;
    for at in 1..40 {
        let before = at - 1;
        let sql = format!("create view dbt.w{at} as select a from dbt.w{before}");
        let made = session.change(&sql);
        match made.await {
            Ok(_) => deepest = at,
            Err(_) => break,
        }
    }
    assert!((10..=16).contains(&deepest), "{deepest}");
    // Nor can one read itself, by whatever way.
    let sql = "create or replace view dbt.w1 as select a from dbt.w5";
    assert_eq!(refused(&session, sql).await.sqlstate(), "42000");
    done(&session, "create table dbt.x as select 'y' as a").await;
    done(&session, "create view dbt.y as select a from dbt.x").await;
    done(&session, "alter table dbt.x rename to z").await;
    done(&session, "alter view dbt.y rename to x").await;
    let error = session
        .query("select * from dbt.x")
        .await
        .err()
        .expect("a circle");
    assert_eq!(error.sqlstate(), "54001", "{error}");
    // Values do not grow from table to table either.
    done(
        &session,
        "create table dbt.g as select repeat('x', 3000) as a",
    )
    .await;
    done(
        &session,
        "create table dbt.h as select repeat(a, 80) as a from dbt.g",
    )
    .await;
    let sql = "create table dbt.j as select a || a as a from dbt.h";
    assert_eq!(refused(&session, sql).await.sqlstate(), "54001");
    done(&session, "create view dbt.i as select a from dbt.h").await;
    assert!(session.query("select a || a from dbt.i").await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_are_noted_as_they_begin_and_end() {
    let place = Place::new();
    let gate = place.gate().await;
    let session = gate.session(maker()).expect("a session");
    done(&session, "create schema dbt").await;
    refused(&session, "create schema dbt").await;
    refused(&session, "drop table marts.events").await;
    done(
        &session,
        "create table dbt.t as select 1 as a from marts.events",
    )
    .await;
    let heard = place.heard.0.lock().expect("a lock").clone();
    assert_eq!(
        heard,
        [
            "CREATE SCHEMA dbt",
            "CREATE SCHEMA dbt: done",
            "CREATE SCHEMA dbt",
            "CREATE SCHEMA dbt: 42P07",
            "refused: 42501",
            "CREATE TABLE AS dbt.t",
            "query: 1",
            "CREATE TABLE AS dbt.t: done",
        ]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_reads_a_table_is_asked_before_it_is_dropped() {
    let place = Place::new();
    let gate = place.gate().await;
    let session = gate.session(maker()).expect("a session");
    done(&session, "create schema dbt").await;
    done(&session, "create table dbt.t as select 1 as a").await;
    done(&session, "create view dbt.v as select a from dbt.t").await;
    done(&session, "create view dbt.w as select a from dbt.v").await;
    assert_eq!(
        refused(&session, "drop table dbt.t").await.sqlstate(),
        "2BP01"
    );
    assert_eq!(
        refused(&session, "drop schema dbt").await.sqlstate(),
        "2BP01"
    );
    assert!(shown(&session, "select a from dbt.w").await.is_ok());
    done(&session, "drop table dbt.t cascade").await;
    let sql = "select count(*) from information_schema.tables where table_schema = 'dbt'";
    assert_eq!(values(&session, sql).await, ["0"]);
}
