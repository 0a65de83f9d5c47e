//! `attribution.touches: event`: each event of a visit that brings another source is a touch.

use serde_json::Value;
use testkit::Project;

use crate::PROGRAM;
use crate::own_sources::write_models;
use crate::real_exports::balanced;

const SOURCES: &str = "
sources:
  site:
    zone: UTC
    currency: EUR
    streams:
      events: exports/events_*.csv
";

const MODELS: [(&str, &str); 1] = [(
    "stg_site__events",
    "-- grain: one row per event
{{ config(entity='web_event') }}
select
    _raw_id,
    id as event_id,
    at as event_at,
    name as event_name,
    'd1' as anonymous_id,
    user_id,
    concat('https://shop.example/', page) as page_url,
    order_id,
    amount as revenue_amount
from {{ source('site', 'events') }}
",
)];

/// A visit by an ad, which sees the ad's tags twice and then comes again by a newsletter; a direct
/// visit on the next day, which buys for 90.
const EVENTS: &str = "id,at,name,user_id,page,order_id,amount
1,2026-03-01T23:50:00Z,page_view,,?utm_source=google&utm_medium=cpc&utm_campaign=spring,,
2,2026-03-01T23:51:00Z,scroll,,?utm_source=google&utm_medium=cpc&utm_campaign=spring,,
3,2026-03-02T00:05:00Z,page_view,u1,?utm_source=news&utm_medium=email&utm_campaign=may,,
4,2026-03-02T00:06:00Z,page_view,u1,shoes,,
5,2026-03-03T09:00:00Z,page_view,,,,
6,2026-03-03T09:20:00Z,purchase,u1,thanks,1001,90
";

/// Known a day late: between the two, an ad of another site.
const LATE: &str = "id,at,name,user_id,page,order_id,amount
7,2026-03-01T23:55:00Z,page_view,,?utm_source=bing&utm_medium=cpc&utm_campaign=spring,,
";

fn project(settings: &str) -> Project {
    let project = Project::new(
        PROGRAM,
        &format!("reporting: {{currency: EUR}}\n{settings}{SOURCES}"),
    );
    write_models(&project, &MODELS);
    project.write("exports/events_1.csv", EVENTS);
    project
}

/// Kind, source and linear credit of each touch of the purchase, in order.
fn path(project: &Project) -> Vec<String> {
    let rows = project.rows(
        "select a.touch_type, c.channel, cast(a.credited_amount as double) as amount
         from star.fct_attribution_credit as a
         inner join star.dim_channel as c on a.channel_key = c.channel_key
         where a.model = 'linear' and a.conversion_type = 'purchase'
         order by a.touch_position",
    );
    let text = |row: &Value, name: &str| testkit::plain(&row[name]);
    rows.iter()
        .map(|row| {
            format!(
                "{} {} {}",
                text(row, "touch_type"),
                text(row, "channel"),
                text(row, "amount")
            )
        })
        .collect()
}

#[test]
fn a_touch_is_a_visit_unless_the_project_says_event() {
    let by_visit = project("");
    balanced(&by_visit);
    assert_eq!(
        path(&by_visit),
        ["session Paid Search 45.0", "session Direct 45.0"]
    );
    let by_event = project("attribution: {touches: event}\n");
    balanced(&by_event);
    assert_eq!(
        path(&by_event),
        [
            "event Paid Search 30.0",
            "event Email 30.0",
            "session Direct 30.0"
        ]
    );
    by_event.json(&["check"], 0);
    let parameters = by_event.rows(
        "select json_text(parameters, 'touches') as touches from star.dim_attribution_model \
         where model = 'linear'",
    );
    assert_eq!(parameters[0]["touches"], "event");
}

#[test]
fn an_event_that_comes_late_takes_its_place_in_the_path() {
    let project = project("attribution: {touches: event}\n");
    balanced(&project);
    project.write("exports/events_2.csv", LATE);
    balanced(&project);
    let late = [
        "event Paid Search 22.5",
        "event Paid Search 22.5",
        "event Email 22.5",
        "session Direct 22.5",
    ];
    assert_eq!(path(&project), late);
    project.json(&["run", "--full-refresh"], 0);
    assert_eq!(path(&project), late);
    project.json(&["check"], 0);
}
