//! Ways round a policy, collected and of our own. None of them may show a canary to anybody.

use super::fixture::{ana, bot, eve, four, gate, is_clean, mapped, shown, values};
use crate::access::Reason;

/// Statements that may give rows or fail, but never show what is hidden. `T` is the table.
pub(crate) const TRICKS: &[&str] = &[
    // Errors of hidden rows, and errors that print values.
    "select * from T where 1/revenue > 0",
    "select * from T where 10 % revenue = 1",
    "select * from T where cast(email as int) = 1",
    "select * from T where cast(phone as bigint) > 1",
    "select cast(email || 'x' as int) from T",
    "select cast(tenant as int) from T",
    "select cast(note as date) from T",
    "select arrow_cast(note, 'Int32') from T",
    "select to_timestamp(note) from T",
    "select case when country = 'US' then 1/0 else 1 end from T",
    "select * from T where case when country='US' then 1/0 else 1 end = 1",
    "select * from T where regexp_like('x', email)",
    "select * from T where regexp_like('x', '(' || tenant)",
    "select * from T where country='US' or 1=1",
    "select * from T where not (country='DE')",
    "select * from T where country is distinct from 'DE'",
    "select * from T where country <> 'DE' or true",
    "select * from T where coalesce(null, country) = 'US'",
    "select * from T where country = 'US' and country = 'DE'",
    "select * from T where (country = 'US') is not false",
    "select * from T where tenant like 'CNRY%' or tenant is null",
    "select try_cast(email as bigint), count(*) from T group by 1",
    "select arrow_cast(revenue, 'Decimal128(2,0)') from T",
    "select 9223372036854775807 + revenue from T",
    "select decode(email, 'hex') from T",
    "select date_trunc(note, now()) from T",
    "select substr(email, revenue - 5, -1) from T",
    // Masked and denied columns in every place of a statement.
    "select email from T where email = 'anna0@CNRY.example'",
    "select count(*) from T where email like 'anna%'",
    "select count(*) from T where email in ('anna0@CNRY.example', 'x')",
    "select count(*) from T where email between 'anna' and 'annb'",
    "select email, count(*) from T group by email",
    "select count(distinct email), min(email), max(email) from T",
    "select string_agg(email, ','), array_agg(email) from T",
    "select string_agg(phone, ','), array_agg(phone) from T",
    "select approx_distinct(email) from T",
    "select first_value(email order by event_id), last_value(email order by event_id) from T",
    "select approx_percentile_cont(salary, 0.5) from T",
    "select event_id from T order by salary limit 1",
    "select event_id from T order by email limit 3",
    "select salary from T",
    "select t.salary from T t",
    "select max(salary) from T",
    "select event_id from T having max(salary) > 100",
    "select count(*) filter (where salary > 1) from T",
    "select event_id, row_number() over (order by salary) from T",
    "select event_id from T qualify row_number() over (order by salary) = 1",
    "select e.event_id from T e join (values ('anna0@CNRY.example')) v(e2) on e.email = v.e2",
    "select * from T a join T b using (email)",
    "select * from T a natural join T b",
    "select a.email, b.email from T a join T b on upper(a.email) = upper(b.email)",
    "select lag(email) over (order by event_id) from T",
    "select md5(email), length(email), octet_length(email), ascii(email), reverse(email) from T",
    "select encode(email, 'hex'), encode(email, 'base64'), sha256(email) from T",
    "select encode(phone, 'hex'), reverse(phone), upper(phone) from T",
    "select email::text || '', concat(email, phone), concat_ws(',', email, note) from T",
    "select replace(email, 'anna', ''), split_part(email, '@', 2), substr(email, 1, 3) from T",
    "select greatest(email, ''), coalesce(phone, email), nullif(email, 'x') from T",
    "select struct(email, phone) from T",
    "select named_struct('e', email)['e'] from T",
    "select make_array(email, phone) from T",
    "select unnest(make_array(email, phone)) from T",
    "select unnest(array_agg(email)) from T",
    "select map(['e'], [email]) from T",
    "select levenshtein(email, 'anna0@x.example') from T",
    "select email is null, phone is null, phone is not null from T",
    "select email as salary, phone as email from T",
    "select country as email from T where country <> 'DE'",
    "select count(*) from T where phone is not null",
    "select to_json(named_struct('e', email)) from T",
    "select json_text(props, '$.a') from marts.props",
    "select props from marts.props where country = 'US'",
    "select clean_text(email), first_text(phone, email) from T",
    "select url_host(email), text_digest(email) from T",
    // Shapes of plans.
    "with recursive r as (select event_id, email, 1 as n from T union all \
     select event_id, email, n + 1 from r where n < 3) select * from r",
    "with recursive r as (select 0 as n union all select n + 1 from r where n < \
     (select count(*) from T)) select max(n) from r",
    "select * from T union select * from T where country = 'US'",
    "select email from T except select email from T where country = 'DE'",
    "select tenant from T intersect select tenant from T where country <> 'DE'",
    "select tenant from T union all select email from star.dim_person",
    "select a.event_id, x.email from T a, lateral (select email from T b where b.event_id = \
     a.event_id) x",
    "select a.event_id from T a cross join T b where b.country = 'US'",
    "select 1 from T limit (select count(*) from T where country = 'US')",
    "select event_id from T order by (select max(email) from T)",
    "select (select max(tenant) from T), (select min(email) from T where country = 'US')",
    "select * from T where exists (select 1 from T t2 where t2.country = 'US')",
    "select * from T where event_id in (select event_id from T where country <> 'DE')",
    "select * from T where event_id not in (select event_id from T)",
    "select * from T where event_id = any (select event_id from T where country = 'US')",
    "select min(tenant), max(tenant), min(event_id), max(event_id), count(*) from T",
    "select min(person_id), max(person_id), min(note), max(note) from T",
    "select * from T limit 10",
    "select * from T order by event_id desc limit 3",
    "select tenant from T order by tenant limit 1",
    "select * from T left join star.dim_person p on T.person_id = p.person_id where p.email is null",
    "select p.person_id from star.dim_person p left join T e on e.person_id = p.person_id where \
     e.event_id is null",
    "select p.* from star.dim_person p left anti join T e on e.person_id = p.person_id",
    "select p.* from star.dim_person p right join T e on e.email = p.email",
    "select p.email, e.email from star.dim_person p full join T e on e.email = p.email",
    "select country, count(*) from T group by rollup (country)",
    "select country, tenant, count(*) from T group by cube (country, tenant)",
    "select distinct on (country) country, tenant, email from T order by country, tenant",
    "select * from (select * from T) where 1/(case when country = 'US' then 0 else 1 end) = 1",
    "table marts.events",
    "select * from (table marts.events)",
    "values ((select max(tenant) from T))",
    "select * from marts.person_view",
    "select * from marts.person_view where contact like 'ANNA%'",
    "select * from marts.person_view where 1/(n - n) > 0 and country = 'US'",
    "select * from marts.person_view where cast(note as int) = 1",
    "select contact, length(contact) from marts.person_view",
    "select * from marts.open_day where 1/(day - 1) > 0",
    "select * from marts.open_day where cast(n as varchar) = 'x'",
    "select * from sessionize((select tenant as device_key, now() as event_at, event_id from T))",
    "select * from connected_components((select email as a_key, 'x' as a_type, phone as b_key, \
     'y' as b_type, now() as linked_at from T))",
    "select * from connected_components((select event_id as a_key, tenant as a_type, event_id as \
     b_key, note as b_type, now() as linked_at from T))",
    "select * from paths((select event_id as customer_key, now() as event_at, tenant as step from T))",
    "select * from paths((select event_id as customer_key, now() as event_at, email as step from T))",
    "select sum_money(arrow_cast(revenue, 'Decimal128(18, 6)'), note) from T",
    // Round the catalogue.
    "select * from 's3://lake/mart/events/part-0.parquet'",
    "select * from '/etc/passwd'",
    "select * from 'file:///etc/passwd'",
    "select * from \"/etc/passwd\"",
    "select * from read_parquet('/tmp/x.parquet')",
    "select * from read_csv('/etc/passwd')",
    "select * from delta_scan('/tmp/x')",
    "select * from glob('/*')",
    "select * from parquet_metadata('/tmp/x')",
    "select * from raw.events",
    "select * from throughline.raw.events",
    "select * from \"throughline\".\"raw\".\"events\"",
    "select * from secret.api_keys",
    "select * from secret.mapping",
    "select * from marts.closed_view",
    "select * from parts.\"events.web\"",
    "select * from work_x.events",
    "select * from datafusion.public.events",
    "select * from marts.events$history",
    "select * from \"marts\".\"events$files\"",
    "select * from table_changes('marts.events', 1)",
    "select * from marts.\"events@v1\"",
    "select * from marts.events version as of 1",
    "select * from marts.events for system_time as of '2020-01-01'",
    "select * from information_schema.views",
    "select * from information_schema.tables",
    "select * from information_schema.columns",
    "select * from information_schema.schemata",
    "select * from information_schema.df_settings",
    "select * from information_schema.routines",
    "select * from pg_catalog.pg_stats",
    "select * from pg_catalog.pg_class",
    "show all",
    "show tables",
    "show columns from marts.events",
    "show columns from secret.api_keys",
    "show columns from raw.events",
    "show create table marts.person_view",
    "show functions",
    "describe marts.events",
    "describe secret.api_keys",
    "describe raw.events",
    "select input_file_name() from T",
    "select pii_hash('email', 'anna0@CNRY.example')",
    "select durable_key('node', 'email', 'x')",
    "select current_setting('app.tenant')",
    "select set_config('role', 'admin', false)",
    "with events as (select 1 as event_id, 'x' as country) select * from events",
    "with mapping as (select 'four' as login, 'US' as country) select * from T",
    "select * from T, (select 'US' as country) as c where T.country = c.country",
];

/// Statements that must be refused, whoever sends them.
pub(crate) const REFUSED: &[&str] = &[
    "with x as (delete from marts.events returning *) select * from x",
    "with x as (update marts.events set country = 'DE' returning *) select * from x",
    "with x as (insert into marts.events values (1)) select 1",
    "delete from marts.events",
    "update marts.events set country = 'DE'",
    "insert into marts.events select * from marts.events",
    "truncate table marts.events",
    "merge into marts.events t using marts.events s on t.event_id = s.event_id when matched then \
     delete",
    "explain analyze delete from marts.events",
    "select * into marts.copied from marts.events",
    "create table marts.copied as select * from marts.events",
    "create view marts.v as select * from marts.events",
    "create or replace view marts.person_view as select 1",
    "create temporary table events as select 1",
    "create schema mine",
    "create database x",
    "create external table x stored as csv location '/etc/passwd'",
    "create function f(a int) returns int return a + 1",
    "drop table marts.events",
    "drop view marts.person_view",
    "drop schema marts cascade",
    "alter table marts.events add column x int",
    "copy marts.events to '/tmp/out.csv'",
    "copy (select 1) to './out.csv'",
    "copy marts.events from '/etc/passwd'",
    "explain copy (select 1) to './out.csv'",
    "explain analyze copy (select 1) to './out.csv'",
    "call something()",
    "prepare p as delete from marts.events",
    "prepare p as select * from marts.events",
    "execute p",
    "deallocate p",
    "set datafusion.catalog.information_schema = true",
    "set datafusion.runtime.memory_limit = '100G'",
    "set datafusion.execution.batch_size = 1",
    "set search_path = secret",
    "set role admin",
    "set session authorization root",
    "reset all",
    "begin",
    "commit",
    "grant select on marts.events to ana",
    "revoke select on marts.events from ana",
    "create role x",
    "use secret",
    "listen x",
    "vacuum",
    "analyze marts.events",
    "load 'x'",
    "lock table marts.events",
    "select * from marts.events for update",
    "select 1; select 2",
    "select 1; drop table marts.events",
    "",
    ";",
    "--",
];

/// A trick about the table of events.
pub(crate) fn about_events(trick: &str) -> String {
    let sql = trick
        .replace("T.", "events.")
        .replace(" T ", " marts.events ");
    match sql.strip_suffix(" T") {
        Some(rest) => format!("{rest} marts.events"),
        None => sql
            .replace(" T)", " marts.events)")
            .replace(" T,", " marts.events,"),
    }
}

#[tokio::test]
async fn no_trick_shows_a_canary() {
    let gate = gate().await;
    for persona in [ana(), bot(), four(), mapped(), eve()] {
        let name = persona.name.clone();
        let session = gate.session(persona).expect("a session");
        let mut failed = Vec::new();
        for trick in TRICKS {
            let sql = about_events(trick);
            let seen = shown(&session, &sql).await;
            assert!(is_clean(&seen), "{name}: {sql}\n{seen:?}");
            let prepared = session.prepare(&sql).await.map(|it| format!("{it:?}"));
            let prepared = prepared.map(|text| text.replace(&sql, ""));
            assert!(is_clean(&prepared), "{name}: {sql}\n{prepared:?}");
            if let Err(error) = &seen
                && error.reason == Reason::Internal
            {
                failed.push(format!("{name}: {sql}: {error}"));
            }
        }
        assert!(failed.is_empty(), "{}", failed.join("\n"));
        assert_eq!(
            values(&session, "select 1").await,
            ["1"],
            "{name} can go on"
        );
    }
}

#[tokio::test]
async fn a_session_reads_and_nothing_else() {
    let gate = gate().await;
    for persona in [ana(), super::fixture::admin()] {
        let session = gate.session(persona).expect("a session");
        for sql in REFUSED {
            let seen = shown(&session, sql).await;
            let error = seen.expect_err(sql);
            assert!(
                !matches!(error.reason, Reason::Internal),
                "{sql}: {error:?}"
            );
            assert!(session.prepare(sql).await.is_err(), "{sql}");
        }
        let still = "select count(*) from marts.events";
        assert_ne!(values(&session, still).await, ["0"]);
    }
}

#[tokio::test]
async fn explain_is_for_administrators() {
    let gate = gate().await;
    let plain = "explain select * from marts.events where country = 'US'";
    let other = [
        "explain analyze select 1",
        "explain verbose select 1",
        "explain format tree select 1",
    ];
    let session = gate.session(ana()).expect("a session");
    for sql in other.into_iter().chain([plain]) {
        let error = shown(&session, sql).await.expect_err(sql);
        assert_eq!(error.sqlstate(), "42501", "{sql}: {error}");
    }
    let admin = gate.session(super::fixture::admin()).expect("a session");
    assert!(
        shown(&admin, plain)
            .await
            .expect("a plan")
            .contains("SecureExec")
    );
}

#[tokio::test]
async fn what_is_shown_is_what_the_policy_says() {
    let gate = gate().await;
    let session = gate.session(ana()).expect("a session");
    let count = values(
        &session,
        "select count(*), count(distinct country) from marts.events",
    )
    .await;
    assert_eq!(count, ["20|1"]);
    let masked = "select count(*), count(phone), count(distinct email), min(length(email)), \
                  max(length(email)) from marts.events";
    assert_eq!(values(&session, masked).await, ["20|0|2|32|32"]);
    let hashes = "select count(*) from marts.events e join marts.events f on e.email = f.email";
    assert_eq!(values(&session, hashes).await, ["200"]);
    // Hashes of another table are others: they cannot be joined unless the policy says so.
    let across = "select count(*) from marts.events e join star.dim_person p on e.email = p.email";
    assert_eq!(values(&session, across).await, ["0"]);
    let error = shown(&session, "select salary from marts.events")
        .await
        .expect_err("denied");
    assert_eq!(error.sqlstate(), "42703", "{error}");
    let error = shown(&session, "select * from secret.api_keys")
        .await
        .expect_err("denied");
    assert_eq!(error.sqlstate(), "42P01", "{error}");
    let unknown = shown(&session, "select * from secret.no_such")
        .await
        .expect_err("unknown");
    assert_eq!(
        unknown.message.replace("no_such", "api_keys"),
        error.message,
        "what is forbidden looks as what is not there"
    );

    let session = gate.session(four()).expect("a session");
    let sql = "select country, phone, email from marts.events where event_id in (0, 1, 2)";
    let seen = values(&session, sql).await;
    assert_eq!(seen, ["DE|****Y000|an…", "FR|****Y002|an…"]);
    let error = shown(&session, "select tenant from marts.events")
        .await
        .expect_err("denied");
    assert_eq!(error.sqlstate(), "42703");

    let session = gate.session(mapped()).expect("a session");
    let sql = "select distinct country from marts.events";
    assert_eq!(values(&session, sql).await, ["DE"]);

    let session = gate.session(eve()).expect("a session");
    let sql = "select count(*) from information_schema.tables where table_schema <> \
               'information_schema'";
    assert_eq!(values(&session, sql).await, ["0"]);
}

#[tokio::test]
async fn a_filter_without_its_attribute_shows_nothing() {
    let gate = gate().await;
    let nobody = crate::access::Principal::user("new", ["analyst_de"]);
    let session = gate.session(nobody).expect("a session");
    let error = shown(&session, "select * from marts.events")
        .await
        .expect_err("no attribute");
    assert_eq!(error.sqlstate(), "42501");
    assert!(error.message.contains("`country`"), "{error}");
    let listed = "select count(*) from information_schema.columns where table_name = 'events'";
    assert_eq!(values(&session, listed).await, ["8"]);
}
