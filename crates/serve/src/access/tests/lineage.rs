//! Tags follow the values.

use std::collections::BTreeMap;

use super::fixture::owner;
use crate::access::tags::{Tag, lineage::tags_of};

#[tokio::test]
async fn tags_follow_the_values_of_columns() {
    let owner = owner().await;
    let from = "marts.events";
    let email: &[&str] = &["pii: email"];
    let both: &[&str] = &["pii: email", "pii: phone"];
    let cases: Vec<(String, &[&str])> = vec![
        (format!("select email as x from {from}"), email),
        (
            format!("select upper(email) || phone as x from {from}"),
            both,
        ),
        (
            format!("select country as x from {from} where email = 'a'"),
            &[],
        ),
        (format!("select count(email) as x from {from}"), &[]),
        (format!("select max(email) as x from {from}"), email),
        (format!("select array_agg(email) as x from {from}"), email),
        (
            format!("select count(*) over (partition by email) as x from {from}"),
            &[],
        ),
        (
            format!("select lag(email) over (order by event_id) as x from {from}"),
            email,
        ),
        (format!("select email is null as x from {from}"), &[]),
        (format!("select email = phone as x from {from}"), &[]),
        (
            format!("select case when email = '' then phone else country end as x from {from}"),
            &["pii: phone"],
        ),
        (
            format!("select durable_key('node', email) as x from {from}"),
            &[],
        ),
        (
            format!("select pii_hash('email', email) as x from {from}"),
            &["pii: email_hash"],
        ),
        (format!("select md5(email) as x from {from}"), email),
        (
            format!("with c as (select email as y from {from}) select y as x from c"),
            email,
        ),
        (
            format!(
                "select y as x from (select note as y from {from} union all select email from {from})"
            ),
            email,
        ),
        (
            format!("select (select max(email) from {from}) as x"),
            email,
        ),
        (
            format!(
                "select e.x from (select email as x, event_id from {from}) e join {from} f on e.event_id = f.event_id"
            ),
            email,
        ),
        (
            format!(
                "select x from (select array_agg(email) as l from {from}) cross join unnest(l) as t(x)"
            ),
            email,
        ),
        (
            format!(
                "with recursive r as (select email as x, 1 as n from {from} union all select x, n + 1 from r where n < 3) select x from r"
            ),
            email,
        ),
        (
            "select contact as x from marts.person_view".to_owned(),
            email,
        ),
        ("select n as x from marts.person_view".to_owned(), &[]),
        (
            format!("select a_key as x from (select email as a_key from {from})"),
            email,
        ),
        (
            format!("select named_struct('e', email, 'c', country)['c'] as x from {from}"),
            email,
        ),
        (
            format!("select coalesce(country, email) as x, email from {from} group by 1, 2"),
            email,
        ),
    ];
    for (sql, expected) in cases {
        let plan = owner
            .context
            .sql(&sql)
            .await
            .expect(&sql)
            .logical_plan()
            .clone();
        let tags = tags_of(&plan, &owner.tags).expect(&sql);
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
