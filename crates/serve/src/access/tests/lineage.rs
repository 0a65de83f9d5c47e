//! Tags follow the values.

use std::collections::BTreeMap;

use super::fixture::owner;
use crate::access::tags::{Tag, lineage::tags_of};

const EMAIL: &[&str] = &["pii: email"];
const PHONE: &[&str] = &["pii: phone"];
const BOTH: &[&str] = &["pii: email", "pii: phone"];
const HASH: &[&str] = &["pii: email_hash"];
const NONE: &[&str] = &[];

/// Queries over `T`, and the tags of their first column.
const CASES: &[(&str, &[&str])] = &[
    ("select email as x from T", EMAIL),
    ("select upper(email) || phone as x from T", BOTH),
    ("select country as x from T where email = 'a'", NONE),
    ("select count(email) as x from T", NONE),
    ("select max(email) as x from T", EMAIL),
    ("select array_agg(email) as x from T", EMAIL),
    (
        "select count(*) over (partition by email) as x from T",
        NONE,
    ),
    (
        "select lag(email) over (order by event_id) as x from T",
        EMAIL,
    ),
    ("select email is null as x from T", NONE),
    ("select email = phone as x from T", NONE),
    (
        "select case when email = '' then phone else country end as x from T",
        PHONE,
    ),
    ("select durable_key('node', email) as x from T", NONE),
    ("select pii_hash('email', email) as x from T", HASH),
    ("select md5(email) as x from T", EMAIL),
    (
        "with c as (select email as y from T) select y as x from c",
        EMAIL,
    ),
    (
        "select y as x from (select note as y from T union all select email from T)",
        EMAIL,
    ),
    ("select (select max(email) from T) as x", EMAIL),
    (
        "select e.x from (select email as x, event_id from T) e join T f on e.event_id = \
         f.event_id",
        EMAIL,
    ),
    (
        "select x from (select array_agg(email) as l from T) cross join unnest(l) as t(x)",
        EMAIL,
    ),
    (
        "with recursive r as (select email as x, 1 as n from T union all select x, n + 1 from r \
         where n < 3) select x from r",
        EMAIL,
    ),
    ("select contact as x from marts.person_view", EMAIL),
    ("select n as x from marts.person_view", NONE),
    (
        "select a_key as x from (select email as a_key from T)",
        EMAIL,
    ),
    (
        "select named_struct('e', email, 'c', country)['c'] as x from T",
        EMAIL,
    ),
    (
        "select coalesce(country, email) as x, email from T group by 1, 2",
        EMAIL,
    ),
];

#[tokio::test]
async fn tags_follow_the_values_of_columns() {
    let owner = owner().await;
    for (case, expected) in CASES {
        let sql = case.replace(" T", " marts.events");
        let frame = owner.context.sql(&sql).await.expect(&sql);
        let tags = tags_of(frame.logical_plan(), &owner.tags).expect(&sql);
        let expected = expected.iter().map(|tag| Tag::parse(tag)).collect();
        assert_eq!(tags[0], expected, "{sql}");
    }
}

#[tokio::test]
async fn what_is_not_known_counts_as_personal() {
    let owner = owner().await;
    let tags = owner.tags.column("marts", "events", "no_such");
    assert_eq!(tags, [Tag::pii("unclear")].into());
    assert_eq!(
        owner.tags.column("no", "such", "table"),
        [Tag::pii("unclear")].into()
    );
    let known: BTreeMap<_, _> = owner
        .tags
        .iter()
        .map(|(schema, table, of)| ((schema, table), of.len()))
        .collect();
    assert_eq!(known[&("marts", "events")], 9);
}
