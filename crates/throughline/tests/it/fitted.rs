//! Models fitted on the paths of a month: the published example through the whole platform, frozen
//! when the month is closed, and what late data and a new edition do.

use testkit::Project;

use crate::PROGRAM;
use crate::own_sources::holds;

const SETTINGS: &str = "
reporting: {zone: Europe/Berlin, currency: EUR, week_start: monday}
site: {domains: [shop.example]}
attribution:
  lookback_days: {default: 30}
  fitted: {models: [shapley, markov_1], conversion_types: [purchase]}
sources:
  site:
    path: events/*.csv
    currency: EUR
";

const EVENTS: &str = "-- grain: one row per web event
{{ config(entity='web_event') }}
select
    _raw_id, id as event_id, at as event_at, name as event_name, visitor as anonymous_id,
    'https://shop.example/' as page_url, source as utm_source, medium as utm_medium,
    order_id, amount as revenue_amount
from {{ source('site', 'rows') }}
";

const HEAD: &str = "id,at,name,visitor,source,medium,order_id,amount\n";

/// Organic Search > Email > Paid Search converts; Organic Search and Email > Paid Search do not.
const JANUARY: &str = "\
    1,2026-01-02T10:00:00Z,page_view,a,google,organic,,\n\
    2,2026-01-05T10:00:00Z,page_view,a,news,email,,\n\
    3,2026-01-07T10:00:00Z,page_view,a,google,cpc,,\n\
    4,2026-01-07T10:05:00Z,purchase,a,,,o1,100.00\n\
    5,2026-01-03T10:00:00Z,page_view,b,google,organic,,\n\
    6,2026-01-10T10:00:00Z,page_view,c,news,email,,\n\
    7,2026-01-12T10:00:00Z,page_view,c,google,cpc,,\n";

/// It closes January.
const FEBRUARY: &str = "8,2026-02-05T10:00:00Z,page_view,d,google,organic,,\n";

/// Found out later: b had bought too, for 10.01.
const LATE: &str = "\
    9,2026-01-20T10:00:00Z,page_view,b,news,email,,\n\
    10,2026-01-20T10:05:00Z,purchase,b,,,o2,10.01\n";

fn fitted() -> Project {
    let project = Project::new(PROGRAM, SETTINGS);
    project.write("models/1_silver/stg_site__events.sql", EVENTS);
    project.write("events/january.csv", format!("{HEAD}{JANUARY}"));
    project
}

/// Channels with their credit by the fit in force.
fn credit(project: &Project, model: &str) -> String {
    project.value(&format!(
        "select string_agg(channel || ' ' || round(cast(credit as double), 6) || ' '
            || credited_reporting_amount, ', ' order by channel)
        from star.fct_channel_credit
        inner join star.dim_channel using (channel_key)
        where model = '{model}' and is_in_force and not is_unattributed"
    ))
}

const OF_JANUARY: &str =
    "Email 0.4 40.000000, Organic Search 0.2 20.000000, Paid Search 0.4 40.000000";

/// Fits of January by the chain: all, and in force.
fn fits(project: &Project) -> String {
    project.value(
        "select count(*) || ' fits, in force: ' || string_agg(case when is_in_force then
            conversion_count || ' of ' || null_count || case when is_frozen then ' frozen' else ''
            end || case when is_outdated then ' outdated' else '' end end, ', ')
        from star.fct_attribution_fit where model = 'markov_1' and period_start = '2026-01-01'",
    )
}

/// Rows by frozen weights sum to their conversions, to the cent.
fn rows_sum(project: &Project) {
    holds(
        project,
        &[
            (
                "count(*) from (
                    select credit.conversion_id, model, sum(credit) as credit,
                        sum(credit.credited_reporting_amount) as amount,
                        max(revenue_reporting_amount) as owed
                    from star.fct_attribution_credit_fit as credit
                    inner join star.fct_conversion using (conversion_id)
                    group by 1, 2) where credit <> 1 or amount <> owed",
                "0",
            ),
            (
                "count(*) from (select fit_id from star.fct_channel_credit group by fit_id
                    having sum(credit) <> max(conversion_count))",
                "0",
            ),
        ],
    );
}

#[test]
fn a_closed_month_keeps_its_fit() {
    let project = fitted();
    project.json(&["run"], 0);
    assert_eq!(credit(&project, "markov_1"), OF_JANUARY);
    // A third of 100.00 each, and one has the cent that is left over.
    holds(
        &project,
        &[(
            "min(credited_reporting_amount) || ' ' || max(credited_reporting_amount) || ' ' ||
                sum(credited_reporting_amount) || ' ' || sum(credit)
            from star.fct_channel_credit where model = 'shapley' and not is_unattributed",
            "33.330000 33.340000 100.000000 1.000000000000",
        )],
    );
    assert_eq!(fits(&project), "1 fits, in force: 1 of 2");
    rows_sum(&project);
    // By row the removal effects 1/2, 1 and 1 of the one path share its credit.
    holds(
        &project,
        &[(
            "string_agg(channel || ' ' || credit || ' ' || credited_reporting_amount, ', '
                order by touch_position)
            from star.fct_attribution_credit_fit inner join star.dim_channel using (channel_key)
            where model = 'markov_1'",
            "Organic Search 0.200000000000 20.000000, Email 0.400000000000 40.000000, \
             Paid Search 0.400000000000 40.000000",
        )],
    );

    project.write("events/february.csv", format!("{HEAD}{FEBRUARY}"));
    project.json(&["run"], 0);
    assert_eq!(fits(&project), "1 fits, in force: 1 of 2 frozen");

    // Late data give a fit of their own; the one in force stays as it was reported.
    project.write("events/late.csv", format!("{HEAD}{LATE}"));
    project.json(&["run"], 0);
    assert_eq!(credit(&project, "markov_1"), OF_JANUARY);
    assert_eq!(fits(&project), "2 fits, in force: 1 of 2 frozen outdated");
    rows_sum(&project);
    holds(
        &project,
        &[(
            "count(*) || ' ' || sum(credited_reporting_amount)
            from star.fct_attribution_credit_fit where model = 'markov_1'",
            "5 110.010000",
        )],
    );
    assert_eq!(project.json(&["run"], 0)["built"], 0);
    let anew = ["run", "--full-refresh", "--select", "int_attribution_path+"];
    project.json(&anew, 0);
    assert_eq!(fits(&project), "2 fits, in force: 1 of 2 frozen outdated");

    // Whoever wants the month anew says so; the older fits are kept.
    project.set(
        "attribution:
          lookback_days: {default: 30}
          fitted: {models: [markov_1], conversion_types: [purchase], edition: 2}",
    );
    project.json(&["run"], 0);
    assert_eq!(fits(&project), "3 fits, in force: 2 of 1 frozen");
    rows_sum(&project);
    holds(
        &project,
        &[(
            "sum(credited_reporting_amount) from star.fct_channel_credit
            where model = 'markov_1' and is_in_force",
            "110.010000",
        )],
    );
}

#[test]
fn what_was_late_is_in_a_fit_that_was_made_after_it() {
    let project = fitted();
    project.write("events/february.csv", format!("{HEAD}{FEBRUARY}"));
    project.write("events/late.csv", format!("{HEAD}{LATE}"));
    project.json(&["run"], 0);
    assert_eq!(fits(&project), "1 fits, in force: 2 of 1 frozen");
    rows_sum(&project);
}

#[test]
fn models_that_there_are_not_are_named_and_none_is_possible() {
    let project = fitted();
    project.set("attribution: {fitted: {models: [markov_9]}}");
    let out = project.run(&["run"]);
    let said = testkit::text(&out);
    assert!(!out.status.success(), "{said}");
    assert!(
        said.contains("`attribution.fitted.models` is `markov_9`"),
        "{said}"
    );
    assert!(said.contains("shapley_rate"), "{said}");
    project.set("attribution: {fitted: {models: []}}");
    project.json(&["run"], 0);
    holds(&project, &[("count(*) from star.fct_attribution_fit", "0")]);
}
