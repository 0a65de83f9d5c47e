//! Versions of customers, companies, products and campaigns: the shared cases, a small company
//! whose exports come late and in any order, and figures as they were and as they are.

mod company;

use std::collections::BTreeMap;

use serde_json::Value;
use testkit::{Project, shared};

use crate::PROGRAM;
use crate::own_sources::holds;
use company::{company_latest_first, export_all, run};

/// What the tables of a project say, each as its sorted rows.
fn tables(project: &Project) -> BTreeMap<&'static str, Vec<String>> {
    const QUERIES: [(&str, &str); 7] = [
        ("customer", "select * from star.dim_customer"),
        ("account", "select * from star.dim_account"),
        ("product", "select * from star.dim_product"),
        ("campaign", "select * from star.dim_campaign"),
        ("alias", "select * from star.bridge_campaign_alias"),
        ("session", "select * from star.fct_session"),
        (
            "event",
            "select event_id, customer_key, customer_version_key, account_version_key, \
             campaign_version_key from star.journey_event",
        ),
    ];
    let sorted = |sql| {
        let mut rows: Vec<String> = project.rows(sql).iter().map(Value::to_string).collect();
        rows.sort();
        assert!(!rows.is_empty(), "{sql}");
        rows
    };
    QUERIES.map(|(name, sql)| (name, sorted(sql))).into()
}

/// The versions of a member, a line each: from, to, what it says.
fn versions(project: &Project, table: &str, shown: &str, member: &str) -> Vec<String> {
    let sql = format!(
        "select concat_ws(' ', cast(cast(valid_from as date) as text), \
         cast(cast(valid_to as date) as text), {shown}) as line \
         from star.{table} where {member} order by valid_from"
    );
    let rows = project.rows(&sql);
    let line = |row: &Value| row["line"].as_str().unwrap().to_owned();
    rows.iter().map(line).collect()
}

#[test]
fn exports_in_any_order_give_the_same_versions() {
    let late = company_latest_first();
    versions_of_companies(&late);
    versions_of_customers_and_products(&late);
    campaigns_by_the_name_they_had(&late);
    names_of_campaigns_elsewhere(&late);
    figures_as_they_were_and_as_they_are(&late);
    queries_of_the_documentation(&late);

    // The same key, so that durable keys agree.
    let before = late.copy(&["lake", "exports"]);
    export_all(&before);
    run(&before, &[]);
    let (late_tables, at_once) = (tables(&late), tables(&before));
    for (name, rows) in &late_tables {
        assert_eq!(rows, &at_once[name], "{name}: late first, and all at once");
    }
    run(&late, &["--full-refresh"]);
    for (name, rows) in tables(&late) {
        assert_eq!(rows, late_tables[name], "{name}: rebuilt");
    }
}

fn versions_of_companies(project: &Project) {
    let of = |id: &str| {
        let shown = "account_name, industry, employee_count, is_deleted";
        versions(
            project,
            "dim_account",
            shown,
            &format!("account_id = 'crm:{id}'"),
        )
    };
    // A late correction has its place in time; what says the same again is no version.
    assert_eq!(
        of("A1"),
        [
            "1970-01-01 2026-01-20 Acme software 40 false",
            "2026-01-20 2026-02-01 Acme hardware 40 false",
            "2026-02-01 9999-12-31 Acme Group hardware 45 false",
        ]
    );
    // A statement that is older than the deletion does not revive; the last values stay known.
    assert_eq!(
        of("A2"),
        [
            "1970-01-01 2026-02-03 Beta food 40 false",
            "2026-02-03 2026-02-05 Beta food 60 false",
            "2026-02-05 9999-12-31 Beta food 60 true",
        ]
    );
    // What comes back as it was is a new version.
    assert_eq!(
        of("A3"),
        [
            "1970-01-01 2026-02-05 Gamma food 7 false",
            "2026-02-05 2026-03-05 Gamma food 7 true",
            "2026-03-05 9999-12-31 Gamma food 7 false",
        ]
    );
    // Two statements of one instant: the later row of the file. A value that is taken back is gone.
    assert_eq!(
        of("A4"),
        [
            "1970-01-01 2026-02-07 Delta second 3 false",
            "2026-02-07 9999-12-31 Delta second false",
        ]
    );
    // Deleted before anything else was said, and deleted again.
    assert_eq!(of("A5"), ["1970-01-01 9999-12-31 Epsilon (unknown) true"]);
    holds(
        project,
        &[
            (
                "concat_ws(' ', count(*), sum(case when is_deleted then 1 else 0 end)) \
                 from star.dim_account_current where account_id is not null",
                "5 2",
            ),
            (
                "cast(effective_from as text) from star.dim_account \
                 where account_id = 'crm:A1' and version_number = 1",
                "2026-01-05T00:00:00Z",
            ),
        ],
    );
}

fn versions_of_customers_and_products(project: &Project) {
    // Two contacts with one e-mail are one customer: the latest word counts, one that is silent
    // takes nothing back, and what a deleted contact said is gone with it.
    let shown = "lifecycle_stage, coalesce(job_title, '-'), coalesce(city, '-'), \
                 coalesce(consent_email, '-'), is_deleted";
    assert_eq!(
        versions(project, "dim_customer", shown, "company_name = 'Acme'"),
        [
            // A stage that the history tells, before the first export.
            "1970-01-01 2026-01-09 subscriber buyer Rome - false",
            "2026-01-09 2026-01-10 lead clerk Rome - false",
            "2026-01-10 2026-01-12 lead buyer Rome - false",
            "2026-01-12 2026-01-25 lead buyer Rome granted false",
            "2026-01-25 2026-02-10 customer head Rome granted false",
            "2026-02-10 2026-02-20 lead buyer Rome granted false",
            "2026-02-20 2026-02-25 lead - Rome granted false",
            "2026-02-25 2026-03-01 opportunity - Rome granted false",
            "2026-03-01 9999-12-31 opportunity - Rome denied false",
        ]
    );
    assert_eq!(
        versions(
            project,
            "dim_product",
            "category, price_amount",
            "product_id = 'crm:P1'"
        ),
        [
            "1970-01-01 2026-02-10 desks 100.000000",
            "2026-02-10 2026-03-10 office 100.000000",
            "2026-03-10 9999-12-31 office 120.000000",
        ]
    );
}

fn campaigns_by_the_name_they_had(project: &Project) {
    assert_eq!(
        versions(
            project,
            "dim_campaign",
            "campaign_name, campaign_status",
            "level = 'campaign' and campaign_id = '1'"
        ),
        [
            "1970-01-01 2026-02-01 Spring ENABLED",
            "2026-02-01 2026-03-03 Summer ENABLED",
            "2026-03-03 9999-12-31 Summer PAUSED",
        ]
    );
    let sessions = project.rows(
        "select concat_ws(' ', cast(session.session_started_at as date), session.campaign_name, \
         coalesce(campaign.campaign_id, '-'), campaign.campaign_name, \
         session.campaign_resolution) as line \
         from star.fct_session as session left join star.dim_campaign as campaign \
         on session.campaign_key = campaign.campaign_key \
         and session.session_started_at >= campaign.valid_from \
         and session.session_started_at < campaign.valid_to \
         order by line",
    );
    let lines: Vec<&str> = sessions
        .iter()
        .map(|row| row["line"].as_str().unwrap())
        .collect();
    assert_eq!(
        lines,
        [
            "2026-01-15 Autumn 2 Autumn utm_campaign",
            "2026-01-15 Spring 1 Spring utm_campaign",
            // Named before the rename became known.
            "2026-01-15 Summer 1 Spring utm_campaign",
            "2026-01-15 Twin - (unknown) ambiguous",
            // Two campaigns have exchanged their names.
            "2026-02-15 Autumn 3 Autumn utm_campaign",
            // A link keeps the old name.
            "2026-02-15 Spring 1 Summer utm_campaign",
            "2026-02-15 Winter 2 Winter utm_campaign",
            // A new campaign has the old name.
            "2026-03-15 Spring 4 Spring utm_campaign",
            // One of the two is removed: the name is the other's.
            "2026-03-15 Twin 6 Twin utm_campaign",
        ]
    );
}

fn names_of_campaigns_elsewhere(project: &Project) {
    holds(
        project,
        &[
            // The CRM goes on with the old name.
            (
                "string_agg(concat_ws(' ', cast(cast(event_at as date) as text), campaign_id), \
                 ', ' order by event_at) from (select distinct touch.event_at, \
                 campaign.campaign_id from star.int_customer_touch as touch \
                 inner join star.dim_campaign as campaign \
                 on touch.campaign_key = campaign.campaign_key \
                 where touch.touch_type = 'activity' and campaign.campaign_id is not null)",
                "2026-01-20 1, 2026-02-20 1, 2026-03-20 4",
            ),
            (
                "string_agg(concat_ws(' ', table_name, id, row_count), ', ' \
                 order by table_name) from marts.mart_data_gaps where gap = 'ambiguous campaign'",
                "fct_journey_event Twin 1, fct_session Twin 1",
            ),
            (
                "cast(min(effective_from) as text) from star.dim_campaign \
                 where level = 'campaign' and campaign_id = '4'",
                "2026-03-01T00:00:00Z",
            ),
            (
                "concat_ws(' ', campaign_key, candidate_count, is_ambiguous) \
                 from star.bridge_campaign_alias where alias_text = 'twin' \
                 and platform = 'google_ads' and valid_to = timestamp '2026-03-04'",
                "0 2 true",
            ),
        ],
    );
}

fn figures_as_they_were_and_as_they_are(project: &Project) {
    let activities = |join: &str| {
        let rows = project.rows(&format!(
            "select concat_ws(' ', version.account_name, count(*)) as line \
             from star.journey_event as event inner join {join} \
             where event.event_type = 'call' group by version.account_name order by line"
        ));
        let lines = rows
            .iter()
            .map(|row| row["line"].as_str().unwrap().to_owned());
        lines.collect::<Vec<String>>().join(", ")
    };
    assert_eq!(
        activities(
            "star.dim_account as version \
             on event.account_version_key = version.account_version_key"
        ),
        "Acme 2, Acme Group 3"
    );
    assert_eq!(
        activities(
            "star.dim_account_current as version on event.account_key = version.account_key"
        ),
        "Acme Group 5"
    );
    holds(
        project,
        &[
            // Every event finds one version of what it has, and only one.
            (
                "count(*) - (select count(*) from star.fct_journey_event) \
                 from star.journey_event",
                "0",
            ),
            (
                "string_agg(concat_ws(' ', category, amount), ', ' order by category) from ( \
                 select product.category, sum(line.revenue_amount) as amount \
                 from star.fct_order_line as line inner join star.dim_product as product \
                 on line.product_key = product.product_key \
                 and line.ordered_at >= product.valid_from and line.ordered_at < product.valid_to \
                 group by product.category)",
                "desks 100.000000, office 220.000000",
            ),
            (
                "string_agg(concat_ws(' ', campaign_name, spend), ', ' order by spend) from ( \
                 select campaign.campaign_name, sum(spend.spend_amount) as spend \
                 from star.fct_ad_performance_current as spend \
                 inner join star.dim_campaign as campaign \
                 on spend.campaign_key = campaign.campaign_key \
                 and spend.report_date >= cast(campaign.valid_from as date) \
                 and spend.report_date < cast(campaign.valid_to as date) \
                 where spend.is_spend_of_record group by campaign.campaign_name)",
                "Spring 10.000000, Summer 20.000000",
            ),
            (
                "string_agg(concat_ws(' ', category, amount), ', ' order by category) from ( \
                 select product.category, sum(line.revenue_amount) as amount \
                 from star.fct_order_line as line \
                 inner join star.dim_product_current as product \
                 on line.product_key = product.product_key group by product.category)",
                "office 320.000000",
            ),
        ],
    );
}

/// The queries that the documentation gives, each run as it stands there.
fn queries_of_the_documentation(project: &Project) {
    let page = testkit::repository().join("docs/concepts/history.md");
    let page = std::fs::read_to_string(page).unwrap();
    let queries: Vec<&str> = page
        .split("```sql\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect();
    assert!(queries.len() >= 6);
    for query in queries {
        assert!(!project.rows(query).is_empty(), "{query}");
    }
}

/// The attributes that the shared cases use.
const ATTRIBUTES: [&str; 4] = ["name", "city", "tier", "v"];

const PROBE: &str = "-- grain: one row per version of a member
{{ config(materialized='table') }}

with said as (
    select
        member,
        arrow_cast(effective, 'Timestamp(Microsecond, Some(\"UTC\"))') as effective_at,
        cast(sequence as bigint) as sequence,
        op = 'delete' as is_deleted,
        nullif(name, 'null') as name,
        nullif(city, 'null') as city,
        nullif(tier, 'null') as tier,
        nullif(v, 'null') as v
    from {{ ref('history_case') }}
),

{{ versions_of(
    'said', 'member', ['name', 'city', 'tier', 'v'], sequence=['sequence'], deleted='is_deleted'
) }}

select * from versions
";

/// An instant of a case: a text, or seconds since 1970.
fn instant(value: &Value) -> String {
    match value.as_i64() {
        Some(seconds) => chrono::DateTime::from_timestamp(seconds, 0)
            .unwrap()
            .format("%Y-%m-%dT%H:%M:%SZ")
            .to_string(),
        None => value.as_str().unwrap_or("9999-12-31T00:00:00Z").to_owned(),
    }
}

/// The attributes of a row of a case, each as JSON: `null` is one.
fn attributes(row: &Value) -> Vec<String> {
    ATTRIBUTES.map(|name| row["attrs"][name].to_string()).into()
}

#[test]
fn every_shared_case_comes_out_to_the_interval() {
    let (Some(cases), Some(random)) = (
        shared("vectors/scd2/scd2_cases.json"),
        shared("vectors/scd2/scd2_random_2000.json"),
    ) else {
        return;
    };
    let read = |path| serde_json::from_slice::<Value>(&std::fs::read(path).unwrap()).unwrap();
    let mut all = read(cases).as_array().unwrap().clone();
    all.push(read(random));

    let project = Project::new(PROGRAM, "");
    project.write("models/4_marts/mart_history_case.sql", PROBE);
    let (mut said, mut expected) = (Vec::new(), Vec::new());
    for (number, case) in all.iter().enumerate() {
        let member = |row: &Value| format!("{number}/{}", row["key"].as_str().unwrap());
        for row in case["input_in_arrival_order"].as_array().unwrap() {
            let mut fields = vec![member(row), instant(&row["ts"]), row["seq"].to_string()];
            fields.push(row["op"].as_str().unwrap().to_owned());
            fields.extend(attributes(row));
            let quoted = fields
                .iter()
                .map(|text| format!("\"{}\"", text.replace('"', "\"\"")));
            said.push(quoted.collect::<Vec<_>>().join(","));
        }
        for row in case["expected"].as_array().unwrap() {
            let mut line = vec![
                member(row),
                instant(&row["valid_from"]),
                instant(&row["valid_to"]),
            ];
            line.extend(attributes(row));
            line.push(row["is_current"].to_string());
            expected.push(line.join(" "));
        }
    }
    expected.sort();
    assert!(expected.len() > 1500);

    // As they come, and the other way round: nothing changes.
    for _ in 0..2 {
        let head = format!("member,effective,sequence,op,{}\n", ATTRIBUTES.join(","));
        project.write("seeds/history_case.csv", head + &said.join("\n") + "\n");
        project.json(&["run", "--select", "+mart_history_case"], 0);
        let rows = project.rows(
            "select concat_ws(' ', member, cast(effective_from as text), cast(valid_to as text), \
             coalesce(name, 'null'), coalesce(city, 'null'), coalesce(tier, 'null'), \
             coalesce(v, 'null'), is_current) as line \
             from marts.mart_history_case where not is_deleted",
        );
        let mut found: Vec<&str> = rows
            .iter()
            .map(|row| row["line"].as_str().unwrap())
            .collect();
        found.sort_unstable();
        assert_eq!(found, expected);
        said.reverse();
    }
}

/// Reports that are pulled every few days name campaigns, and no export lists them.
const REPORTS: &str = "
sources:
  house:
    zone: UTC
    currency: EUR
    streams:
      report: {path: exports/report_*.csv, effective_at: {file: 'report_{date}'}}
";

const REPORT_ROWS: &str = "-- grain: one row per campaign and day in one report
{{ config(entity='ad_performance') }}
select
    _raw_id, day as report_date, 'house_ads' as platform, '1' as account_id,
    'campaign' as level, id as campaign_id, name as campaign_name, spend as spend_amount,
    'EUR' as currency_code
from {{ source('house', 'report') }}
";

#[test]
fn names_in_reports_are_versions_where_nothing_else_names_a_campaign() {
    let project = Project::new(PROGRAM, REPORTS);
    project.write("models/1_silver/stg_house__report.sql", REPORT_ROWS);
    let report = |day: &str, rows: &[(&str, &str)]| {
        let lines = rows
            .iter()
            .map(|(date, name)| format!("2026-01-{date},9,{name},5\n"));
        let text = format!("day,id,name,spend\n{}", lines.collect::<String>());
        project.write(&format!("exports/report_2026-01-{day}.csv"), text);
    };
    // The second report tells the second day anew, under the name of its own time; so does the
    // fourth with all days.
    report("03", &[("01", "Old"), ("02", "Old")]);
    report("06", &[("02", "New"), ("04", "New"), ("05", "New")]);
    report("09", &[("08", "Old")]);
    report(
        "20",
        &[
            ("01", "Last"),
            ("02", "Last"),
            ("04", "Last"),
            ("08", "Last"),
        ],
    );
    project.json(&["run", "--select", "+dim_campaign"], 0);
    assert_eq!(
        versions(
            &project,
            "dim_campaign",
            "campaign_name",
            "campaign_id = '9' and level = 'campaign'"
        ),
        [
            "1970-01-01 2026-01-04 Old",
            "2026-01-04 2026-01-08 New",
            "2026-01-08 2026-01-20 Old",
            "2026-01-20 9999-12-31 Last",
        ]
    );
}
