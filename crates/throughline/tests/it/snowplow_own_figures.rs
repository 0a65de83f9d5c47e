//! Sessions and users of Snowplow's own models, out of our silver by their rules: all that differs
//! between their figures and `star.fct_session` is rules, and these are written down in
//! `docs/guides/sources/snowplow.md`.

use std::collections::BTreeMap;

use testkit::{Project, copy_folder, csv_rows, plain, shared};

use crate::PROGRAM;

/// Their sessions: events more than three days after the first of a session, or sent more than
/// three days after they happened, are left out; a page view is a `page_view_id` with a page view
/// or a ping; a session without one is none. The first ping of a page view stands for five
/// seconds and each further one for ten; a session of nothing but pings begins five seconds
/// before the first.
const SESSION: &str = "
    with event as (
        select
            session_id,
            anonymous_id,
            event_at,
            event_name,
            json_text(properties, 'page_view_id') as page_view_id,
            min(event_at) over (partition by session_id) as session_start
        from silver.web_event
        where
            session_id is not null
            and cast(json_text(properties, 'dvce_sent_tstamp') as timestamp)
            <= cast(json_text(properties, 'dvce_created_tstamp') as timestamp) + interval '3 days'
    ),
    kept as (
        select * from event where event_at <= session_start + interval '3 days'
    ),
    page_view as (
        select
            session_id,
            page_view_id,
            count(distinct date_trunc('second', event_at))
                filter (where event_name = 'page_ping') as pings
        from kept
        where event_name in ('page_view', 'page_ping') and page_view_id is not null
        group by session_id, page_view_id
    ),
    viewed as (
        select
            session_id,
            count(*) as page_views,
            sum(case when pings = 0 then 0 else pings * 10 - 5 end) as engaged_time_in_s
        from page_view
        group by session_id
    ),
    spanned as (
        select
            session_id,
            min(anonymous_id) as domain_userid,
            case
                when count(*) filter (where event_name <> 'page_ping') = 0
                    then min(event_at) - interval '5 seconds'
                else min(event_at)
            end as start_tstamp,
            max(event_at) as end_tstamp
        from kept
        group by session_id
    ),
    session as (
        select
            spanned.session_id as domain_sessionid,
            spanned.domain_userid,
            spanned.start_tstamp,
            spanned.end_tstamp,
            viewed.page_views,
            viewed.engaged_time_in_s
        from spanned
        inner join viewed on spanned.session_id = viewed.session_id
    )";

/// Rows by their key, each as texts; instants as Snowplow writes them.
fn by_key(
    rows: Vec<BTreeMap<String, String>>,
    key: &str,
    columns: &[&str],
) -> BTreeMap<String, Vec<String>> {
    let value = |row: &BTreeMap<String, String>, column: &str| {
        let text = row[column].replace('T', " ");
        text.trim_end_matches('Z').to_owned()
    };
    rows.into_iter()
        .map(|row| {
            let values = columns.iter().map(|column| value(&row, column));
            (row[key].clone(), values.collect())
        })
        .collect()
}

fn asked(project: &Project, sql: &str) -> Vec<BTreeMap<String, String>> {
    let rows = project.rows(sql).into_iter();
    let texts = rows.map(|row| {
        let row = row.as_object().expect("a row").clone();
        row.into_iter()
            .map(|(name, value)| (name, plain(&value)))
            .collect()
    });
    texts.collect()
}

#[test]
fn snowplows_sessions_and_users_come_out_of_silver_by_their_rules() {
    let Some(data) = shared("data/snowplow_web_apache/integration_tests/data") else {
        return;
    };
    let project = Project::new(
        PROGRAM,
        "sources:\n  snowplow:\n    kind: snowplow\n    streams:\n      \
         events: exports/snowplow_web_events.csv\n",
    );
    copy_folder(&data.join("source"), &project.dir().join("exports"));
    project.json(&["run", "--select", "entity:web_event"], 0);

    let columns = [
        "start_tstamp",
        "end_tstamp",
        "page_views",
        "engaged_time_in_s",
    ];
    let expected = csv_rows(&data.join("expected/default/snowplow_web_sessions_expected.csv"));
    assert_eq!(expected.len(), 18);
    let expected = by_key(expected, "domain_sessionid", &columns);
    let found = asked(&project, &format!("{SESSION} select * from session"));
    assert_eq!(by_key(found, "domain_sessionid", &columns), expected);

    let columns = [&columns[..], &["sessions"]].concat();
    let expected = csv_rows(&data.join("expected/snowplow_web_users_expected.csv"));
    assert_eq!(expected.len(), 11);
    let expected = by_key(expected, "domain_userid", &columns);
    let users = "select
            domain_userid,
            min(start_tstamp) as start_tstamp,
            max(end_tstamp) as end_tstamp,
            sum(page_views) as page_views,
            sum(engaged_time_in_s) as engaged_time_in_s,
            count(*) as sessions
        from session
        where domain_userid is not null
        group by domain_userid";
    let found = asked(&project, &format!("{SESSION} {users}"));
    assert_eq!(by_key(found, "domain_userid", &columns), expected);
}
