//! Statements that want to take the process down.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use futures::StreamExt as _;

use super::fixture::{POLICY, ana, gate_with, shown};
use crate::access::{Limits, Reason};

/// Nothing here may take longer, whatever it asks for.
const TIME: Duration = Duration::from_secs(3);

fn limits() -> Limits {
    Limits {
        time: TIME,
        memory_bytes: 64 << 20,
        spill_bytes: 64 << 20,
        rows: 100_000,
        ..Limits::default()
    }
}

fn repeated(count: usize, part: &str, between: &str) -> String {
    vec![part; count].join(between)
}

fn nested(count: usize, before: &str, inside: &str, after: &str) -> String {
    format!("{}{inside}{}", before.repeat(count), after.repeat(count))
}

/// Statements with a part that is repeated: what, what goes before, how often, the part, between.
const REPEATED: &[(&str, &str, usize, &str, &str)] = &[
    ("terms of a sum", "select ", 2_000, "1", "+"),
    ("terms of a large sum", "select ", 100_000, "1", "+"),
    ("terms of a concatenation", "select ", 1_500, "'a'", "||"),
    ("minus signs", "select 1", 5_000, "", "- 1"),
    ("nots", "select true and ", 5_000, "not true", " and "),
    ("casts", "select 1", 20_000, "::int", ""),
    (
        "subscripts",
        "select a from (select [1] as a) where a",
        20_000,
        "[1]",
        "",
    ),
    ("unions", "", 50_000, "select 1", " union all "),
    ("some unions", "", 90, "select 1", " union all "),
    ("excepts", "", 3_000, "select 1", " except "),
    ("a long text", "select '", 10 << 20, "x", ""),
    ("a million commas", "select ", 1_000_000, "1", ","),
    ("dots", "select ", 5_000, "a", "."),
    ("a wide values", "values ", 10_000, "(1)", ","),
    ("open parentheses", "select ", 100_000, "(", ""),
    ("comments", "select 1 ", 50_000, "/*", ""),
    ("many nots", "select ", 5_000, "not ", ""),
];

/// Statements with a part that is nested: what, how deep, before, inside, after.
const NESTED: &[(&str, usize, &str, &str, &str)] = &[
    ("parentheses", 5_000, "(", "1", ")"),
    ("many parentheses", 400_000, "(", "1", ")"),
    ("brackets", 5_000, "[", "1", "]"),
    ("cases", 2_000, "case when true then ", "1", " end"),
    ("functions", 3_000, "abs(", "1", ")"),
    ("ifs", 500, "coalesce(null, ", "1", ")"),
    ("some parentheses", 35, "(", "1", ")"),
    ("some functions", 35, "abs(", "1", ")"),
    ("subqueries", 1_000, "(select ", "1", ")"),
];

/// Texts that a parser or planner chokes on. Each must end, in whatever way.
fn statements() -> Vec<(&'static str, String)> {
    let mut all = Vec::new();
    for (what, start, count, part, between) in REPEATED {
        all.push((*what, format!("{start}{}", repeated(*count, part, between))));
    }
    for (what, count, before, inside, after) in NESTED {
        let sql = format!("select {}", nested(*count, before, inside, after));
        all.push((*what, sql));
    }
    let groups = |sets: &str| format!("select count(*) from marts.events group by {sets}");
    let cube = groups(&format!("cube({})", repeated(20, "country", ",")));
    all.push(("cube", cube));
    let sets = groups(&format!(
        "grouping sets ({})",
        repeated(500, "(country)", ",")
    ));
    all.push(("many groups", sets));
    all.extend(wide());
    all.extend(doubling());
    all
}

/// Conditions of many terms, joins of many tables.
fn wide() -> Vec<(&'static str, String)> {
    let terms = |count: usize, what: &str, between: &str| {
        let each = (0..count).map(|n| what.replace('#', &n.to_string()));
        let terms = each.collect::<Vec<_>>().join(between);
        format!("select count(*) from marts.events where {terms}")
    };
    let list: Vec<String> = (0..20_000).map(|n| n.to_string()).collect();
    let joins = (0..1_000).map(|n| format!(" cross join (select 1) t{n}"));
    vec![
        (
            "ors of 100 thousand",
            terms(100_000, "event_id = #", " or "),
        ),
        ("ors of 450", terms(450, "event_id = #", " or ")),
        ("ors of 280", terms(280, "revenue + event_id = #", " or ")),
        ("ands", terms(600, "event_id <> #", " and ")),
        ("likes", terms(280, "note like '%#%'", " or ")),
        (
            "a wide in",
            terms(1, &format!("event_id in ({})", list.join(",")), ""),
        ),
        (
            "joins",
            format!("select 1 from (select 1) t{}", joins.collect::<String>()),
        ),
    ]
}

/// Queries upon queries, each with twice or ten times as much as the one before.
fn doubling() -> Vec<(&'static str, String)> {
    let upon = |count: usize, first: &str, next: &str, last: &str| {
        let mut sql = format!("with c0 as ({first})");
        for n in 1..count {
            let before = format!("c{}", n - 1);
            let _ = write!(sql, ", c{n} as ({})", next.replace('#', &before));
        }
        format!("{sql} {}", last.replace('#', &format!("c{}", count - 1)))
    };
    let text = "select v || v as v from #";
    let list = "select array_concat(v, v) as v from #";
    let table = "select a.v from # a cross join # b";
    let replaced = "select replace(v, 'x', 'xxxxxxxxxx') as v from #";
    let x = "select 'x' as v";
    vec![
        (
            "doubling texts",
            upon(40, x, text, "select length(v) from #"),
        ),
        (
            "doubling texts in a filter",
            upon(40, x, text, "select 1 from # where v = ''"),
        ),
        (
            "doubling lists",
            upon(40, "select [1] as v", list, "select cardinality(v) from #"),
        ),
        (
            "doubling tables",
            upon(30, "select 1 as v", table, "select count(*) from #"),
        ),
        (
            "replacing",
            upon(12, x, replaced, "select length(v) from #"),
        ),
    ]
}

/// Short statements that want much.
const GREEDY: &[&str] = &[
    "select count(*) from generate_series(1, 1000000000000)",
    "select * from range(0, 1000000000000)",
    "select count(*) from generate_series(timestamp '1970-01-01', timestamp '2262-01-01', interval \
     '1 millisecond')",
    "select length(repeat('x', 2147483647))",
    "select length(repeat('x', 1000000)) from marts.events a, marts.events b, marts.events c",
    "select repeat(note, event_id * 10000000) from marts.events",
    "select length(lpad('x', 2147483647, 'y'))",
    "select rpad(note, 1000000000) from marts.events",
    "select cardinality(array_repeat(1, 2000000000))",
    "select cardinality(array_resize([1], 2000000000, 0))",
    "select cardinality(range(0, 10000000000))",
    "select regexp_replace(repeat('a', 30), '(a+)+$', 'b')",
    "select regexp_like(repeat('a', 1000), '^(a?){1000}a{1000}$')",
    "select regexp_like('x', 'a{1000}{1000}{1000}')",
    "select count(*) from marts.events a, marts.events b, marts.events c, marts.events d, \
     marts.events e, marts.events f, marts.events g, marts.events h",
    "select a.event_id from marts.events a, marts.events b, marts.events c, marts.events d, \
     marts.events e order by a.note || b.note || c.note || d.note || e.note",
    "select array_agg(a.note || b.note || c.note) from marts.events a, marts.events b, \
     marts.events c, marts.events d, marts.events e, marts.events f",
    "select count(distinct a.event_id * b.event_id * c.event_id + d.event_id * e.event_id) from \
     marts.events a, marts.events b, marts.events c, marts.events d, marts.events e, marts.events f",
    "with recursive r as (select 1 as n union all select n + 1 from r) select count(*) from r",
    "with recursive r as (select 1 as n union all select n + 1 from r) select * from r",
    "with recursive r as (select 1 as n union all select a.n + b.n from r a, r b) select count(*) \
     from r",
    "with recursive r as (select 'x' as v, 1 as n union all select v || v, n + 1 from r where n < \
     60) select max(length(v)) from r",
    "with recursive r as (select 'x' as v union all select v || 'x' from r) select max(length(v)) \
     from r",
    "select factorial(1000000)",
    "select power(10, 400), exp(100000)",
    "select 9999999999999999999999999999999999999 * 9999999999999999999999999999999999999",
    "select date '9999-12-31' + interval '1000000000 years'",
    "select make_date(2147483647, 1, 1)",
    "select chr(2147483647), chr(-1)",
    "select substr('x', -9223372036854775808, 9223372036854775807)",
    "select split_part('a', 'a', -9223372036854775808)",
    "select left('x', -9223372036854775808), right('x', -9223372036854775808)",
    "select array_slice([1, 2, 3], -9223372036854775808, 9223372036854775807)",
    "select round(1.5, 2147483647), round(1.5, -2147483648)",
    "select gcd(-9223372036854775808, -1), lcm(9223372036854775807, 2)",
    "select abs(-9223372036854775808), -9223372036854775808 / -1, -9223372036854775808 % -1",
    "select date_bin(interval '0 seconds', now(), now())",
    "select date_trunc('century', timestamp '0001-01-01')",
    "select to_timestamp(9223372036854775807), from_unixtime(9223372036854775807)",
    "select overlay('abc' placing 'x' from -5 for 9223372036854775807)",
    "select nth_value(event_id, 9223372036854775807) over (order by event_id) from marts.events",
    "select ntile(0) over (order by event_id) from marts.events",
    "select lag(event_id, -9223372036854775808) over (order by event_id) from marts.events",
    "select sum(event_id) over (order by event_id rows between 9223372036854775807 preceding and \
     9223372036854775807 following) from marts.events",
    "select approx_percentile_cont(event_id, 0.5, 1000000000) from marts.events",
    "select * from marts.events limit 9223372036854775807 offset 9223372036854775807",
    "select string_agg(repeat('x', 1000), '') from marts.events a, marts.events b, marts.events c, \
     marts.events d",
    "select concat(string_agg(note, ''), string_agg(note, ''), string_agg(note, '')) from \
     marts.events a, marts.events b, marts.events c, marts.events d",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_statement_takes_the_process_down() {
    let gate = gate_with(POLICY, limits()).await;
    let session = gate.session(ana()).expect("a session");
    let all = statements();
    let greedy = GREEDY.iter().map(|sql| (*sql, (*sql).to_owned()));
    let mut wrong = Vec::new();
    for (what, sql) in all.into_iter().chain(greedy) {
        let started = Instant::now();
        let seen = shown(&session, &sql).await;
        let took = started.elapsed();
        if took > TIME + Duration::from_secs(4) {
            wrong.push(format!("{what} took {took:?}"));
        }
        if let Err(error) = &seen
            && (error.reason == Reason::Internal || error.message.len() > 2_000)
        {
            wrong.push(format!("{what}: {error:?}"));
        }
        // On a machine that has much else to do, the first may come to its time limit.
        let mut still = shown(&session, "select 1").await;
        if still.is_err() {
            still = shown(&session, "select 1").await;
        }
        if still.is_err() {
            wrong.push(format!(
                "after {what}: {:?} {still:?}",
                started.elapsed() - took
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_usual_is_not_refused() {
    let gate = gate_with(POLICY, limits()).await;
    let session = gate.session(ana()).expect("a session");
    let many = (0..200)
        .map(|n| format!("event_id = {n}"))
        .collect::<Vec<_>>()
        .join(" or ");
    let list = (0..5_000)
        .map(|n| n.to_string())
        .collect::<Vec<_>>()
        .join(",");
    let usual = [
        format!("select count(*) from marts.events where {many}"),
        format!("select count(*) from marts.events where event_id in ({list})"),
        format!("select {} from marts.events limit 1", repeated(300, "event_id + 1", ",")
            .split(',').enumerate().map(|(n, part)| format!("{part} as c{n}"))
            .collect::<Vec<_>>().join(",")),
        "select * from generate_series(1, 1000)".to_owned(),
        "select lpad(country, 10, '.'), repeat('-', 20) from marts.events".to_owned(),
        "select string_agg(note, ', ' order by note) || '!' from marts.events".to_owned(),
        "with recursive r as (select 1 as n, 'a' as path union all select n + 1, path || '/a' from \
         r where n < 50) select max(length(path)) from r".to_owned(),
    ];
    for sql in usual {
        assert!(
            shown(&session, &sql).await.is_ok(),
            "{:?}",
            shown(&session, &sql).await
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_are_kept_and_told() {
    let mut limits = limits();
    limits.rows = 1_000;
    limits.queries_of_one = 1;
    limits.wait = Duration::from_millis(500);
    limits.time = Duration::from_secs(2);
    let gate = gate_with(POLICY, limits).await;
    let session = gate.session(ana()).expect("a session");
    let wide = "select a.event_id from marts.events a, marts.events b, marts.events c";
    let error = shown(&session, wide).await.expect_err("too many rows");
    assert_eq!(error.sqlstate(), "54000", "{error}");
    let endless = "with recursive r as (select 1 as n union all select n + 1 from r) select n from r \
                   where n < 0";
    let error = shown(&session, endless).await.expect_err("too long");
    assert_eq!(error.sqlstate(), "57014", "{error}");
    let sorted = "select a.event_id, b.note from marts.events a, marts.events b, marts.events c, \
                  marts.events d, marts.events e order by a.note || b.note || c.note || d.note";
    let error = shown(&session, sorted).await.expect_err("too much");
    assert!(
        ["53200", "57014", "54000"].contains(&error.sqlstate()),
        "{error}"
    );

    // Another principal, whom the work of the one before does not concern.
    let session = gate.session(super::fixture::bot()).expect("a session");
    // One query of this principal runs; the next has to wait, and then is told so.
    let rows = session.query(endless).await.expect("the first");
    let error = session.query("select 1").await.err().expect("the second");
    assert_eq!(error.sqlstate(), "53300", "{error}");
    let canceller = rows.canceller();
    canceller.cancel();
    let mut rows = rows;
    let error = rows.next().await.expect("an end").expect_err("cancelled");
    assert_eq!(error.sqlstate(), "57014");
    drop(rows);
    // Its place is free as soon as its work has ended.
    for _ in 0..20 {
        if shown(&session, "select 1").await.is_ok() {
            return;
        }
    }
    panic!("the place of a cancelled query is never free again");
}
