//! Lead to won over small exports of two CRMs and lists of offline touches (`tests/exports/b2b`):
//! stages, companies by domain, buying committees and the pipeline by channel.

use std::path::Path;

use testkit::{Project, copy_folder, shared};

use crate::PROGRAM;
use crate::real_exports::balanced;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

const CRM: &[(&str, &str, &[&str])] = &[
    (
        "hubspot",
        "hubspot",
        &["company", "contact", "deal", "deal_contact", "deal_stage"],
    ),
    (
        "salesforce",
        "salesforce",
        &[
            "account",
            "campaign",
            "campaign_member",
            "contact",
            "lead",
            "lead_history",
            "opportunity",
            "opportunity_contact_role",
            "opportunity_history",
            "opportunity_stage",
            "task",
        ],
    ),
    ("lists", "offline_touches", &["costs", "touches"]),
];

/// The two CRMs and the lists, with one stage of our own in the dictionary.
fn company() -> Project {
    let mut settings = "reporting: {currency: EUR}\nvars: {offline_touches_crm: hubspot}\n\
                        sources:\n"
        .to_owned();
    for (name, kind, streams) in CRM {
        settings.push_str(&format!(
            "  {name}:\n    kind: {kind}\n    currency: EUR\n    streams:\n"
        ));
        for stream in *streams {
            settings.push_str(&format!(
                "      {stream}: exports/b2b/{name}/{stream}.csv\n"
            ));
        }
    }
    let project = Project::new(PROGRAM, &settings);
    let exports = Path::new(ROOT).join("tests/exports/b2b");
    copy_folder(&exports, &project.dir().join("exports/b2b"));
    let rules = Path::new(ROOT).join("models/seeds/funnel_stage_rule.csv");
    let rules = std::fs::read_to_string(rules).expect("the dictionary");
    project.write(
        "seeds/funnel_stage_rule.csv",
        format!("{rules}deal,4711,won\n"),
    );
    balanced(&project);
    project
}

fn holds(project: &Project, facts: &[(&str, &str)]) {
    for (query, expected) in facts {
        assert_eq!(
            project.value(&format!("select {query}")),
            *expected,
            "{query}"
        );
    }
}

/// A stage of the person whom a record speaks of, and what is asked of it.
fn stage_of(project: &Project, record: &str, stage: &str, asked: &str) -> String {
    project.value(&format!(
        "select {asked} from star.fct_funnel_stage \
         where subject_type = 'person' and funnel_stage = '{stage}' and subject_key in (\
         select subject_key from star.int_funnel_subject \
         where subject_type = 'person' and record_id = '{record}')"
    ))
}

#[test]
fn a_lead_comes_to_be_won_by_stages_that_are_known_skipped_or_out_of_order() {
    let project = company();
    let day = "cast(cast(reached_at as date) as text)";
    for (record, stage, asked, expected) in [
        ("hubspot:101", "mql", day, "2026-01-12"),
        ("hubspot:101", "sql", "basis", "stated"),
        ("hubspot:101", "won", day, "2026-03-01"),
        // HubSpot has no date of 102's sales qualification, but a deal after it.
        ("hubspot:102", "sql", "basis", "skipped"),
        ("hubspot:102", "sql", day, "2026-01-25"),
        // The deal is older than the contact.
        ("hubspot:104", "lead", "basis", "out of order"),
        ("hubspot:104", "won", "is_time_known", "true"),
        ("hubspot:105", "lead", "count(*)", "0"),
        ("salesforce:00Q1", "mql", day, "2026-01-10"),
        (
            "salesforce:00Q1",
            "opportunity",
            "record_id",
            "salesforce:0061",
        ),
        ("salesforce:00Q3", "lost", "days_since_previous", "16.0"),
        ("salesforce:00Q2", "lost", "count(*)", "0"),
    ] {
        assert_eq!(
            stage_of(&project, record, stage, asked),
            expected,
            "{record} {stage} {asked}"
        );
    }
    let mart = "from marts.mart_b2b_funnel where subject_type = 'person' and touch = 'first'";
    holds(
        &project,
        &[
            (&format!("sum(entered_count) {mart}"), "8"),
            (&format!("sum(won_count) {mart}"), "4"),
            (&format!("sum(lost_count) {mart}"), "1"),
            // A stage that only the project knows wins a deal, for the conversions as well.
            (
                "count(*) from star.fct_conversion where deal_id = 'hubspot:4'",
                "1",
            ),
            // An entry for a changed amount is no new stage.
            (
                "count(*) from star.fct_deal_stage where deal_id = 'salesforce:0061'",
                "2",
            ),
        ],
    );
    let checked = project.json(&["check"], 0);
    let mut checks = checked["checks"].as_array().unwrap().iter();
    let unknown = checks.find(|check| check["check"] == "every_stage_has_a_meaning");
    // A lead stands in `Rumour`, which no dictionary has.
    assert_eq!(unknown.unwrap()["failures"], 1);
}

#[test]
fn a_domain_is_evidence_for_a_company_and_the_crm_has_the_last_word() {
    let project = company();
    let method = |record: &str| {
        project.value(&format!(
            "select concat_ws(' ', method, account_id) from star.int_contact_account \
             where record_id = '{record}'"
        ))
    };
    assert_eq!(method("hubspot:101"), "email_domain hubspot:9001");
    assert_eq!(method("hubspot:102"), "stated hubspot:9002");
    assert_eq!(method("hubspot:103"), "free_mail");
    assert_eq!(
        method("hubspot:104"),
        "email_registrable_domain hubspot:9003"
    );
    assert_eq!(method("hubspot:105"), "ambiguous_domain");
    // The domain was read from the address before that was hashed.
    assert_eq!(method("salesforce:00Q2"), "email_domain salesforce:0012");
    assert_eq!(
        project.value("select email_domain from silver.lead where lead_id = 'salesforce:00Q4'"),
        "november-sample.com"
    );
    // Colleagues stay two people.
    assert_eq!(
        project.value(
            "select count(distinct customer_key) from identity.bridge_identity \
             where node_type = 'contact' and customer_key in (\
             select customer_key from star.int_deal_party where deal_id = 'hubspot:1')"
        ),
        "2"
    );

    let file = project.dir().join("exports/b2b/hubspot/contact.csv");
    let contacts = std::fs::read_to_string(&file).expect("contacts");
    let moved = contacts.replace("salesqualifiedlead,,", "salesqualifiedlead,9002,");
    assert_ne!(contacts, moved);
    project.write("exports/b2b/hubspot/contact.csv", moved);
    project.json(&["run"], 0);
    assert_eq!(method("hubspot:101"), "stated hubspot:9002");
    assert_eq!(
        project.value("select count(*) from star.bridge_account_contact where not is_stated"),
        "2"
    );
}

#[test]
fn offline_touches_are_credited_and_their_costs_are_spend() {
    let project = company();
    let credit = "from star.fct_attribution_credit c join star.dim_channel d \
                  on c.channel_key = d.channel_key where model = 'linear' and conversion_id in (\
                  select conversion_id from star.fct_conversion where deal_id = 'hubspot:1')";
    holds(
        &project,
        &[
            (
                &format!("sum(credited_amount) {credit} and channel = 'Event'"),
                "500.000000",
            ),
            (
                &format!("sum(credited_amount) {credit} and channel = 'Offline'"),
                "500.000000",
            ),
            // Who did not show up was not touched.
            (
                "sum(case when is_touchpoint then 1 else 0 end) from silver.activity \
                 where source_name = 'lists'",
                "3",
            ),
            (
                "method from star.int_account_touch where activity_id like '%CFO dinner%'",
                "domain",
            ),
            (
                "sum(spend_amount) from star.fct_ad_performance_current \
                 where is_spend_of_record and platform = 'offline'",
                "6262.500000",
            ),
            (
                "min(channel) from marts.mart_campaign_daily where campaign_name = 'Expo 2026'",
                "Event",
            ),
            // A task of a lead finds its person; a campaign's type says its channel.
            (
                "count(*) from star.journey_event where source_name = 'salesforce' \
                 and event_type = 'call' and identity_node_type = 'lead' and customer_key <> 0",
                "1",
            ),
            (
                "count(*) from star.int_customer_touch t join star.dim_channel d \
                 on t.channel_key = d.channel_key where d.channel = 'Event'",
                "3",
            ),
        ],
    );
}

#[test]
fn a_committee_shares_the_credit_of_its_deal() {
    let project = company();
    holds(
        &project,
        &[
            (
                "member_count from marts.mart_buying_committee \
                 where deal_id = 'hubspot:1' and member_id = 'hubspot:101'",
                "2",
            ),
            (
                "role from marts.mart_buying_committee \
                 where deal_id = 'hubspot:1' and member_id = 'hubspot:101'",
                "Decision maker",
            ),
            // The third touch is the company's, and nobody's own.
            (
                "cast(round(linear_credit_share, 4) as text) from marts.mart_buying_committee \
                 where deal_id = 'hubspot:1' and member_id = 'hubspot:101'",
                "0.6667",
            ),
            // Roles that were taken away are no part of it.
            (
                "count(*) from marts.mart_buying_committee where is_single_contact",
                "4",
            ),
            (
                "sum(open_reporting_amount) from marts.mart_pipeline_by_channel \
                 where model = 'first'",
                "500.000000",
            ),
            (
                "sum(won_reporting_amount) from marts.mart_pipeline_by_channel \
                 where model = 'time_decay'",
                "2200.000000",
            ),
            (
                "sum(lost_reporting_amount) from marts.mart_pipeline_by_channel \
                 where model = 'last'",
                "70.000000",
            ),
            (
                "sum(won_revenue_reporting_amount) from marts.mart_pipeline_by_channel \
                 where model = 'position'",
                "2200.000000",
            ),
        ],
    );
}

/// Public data: 8,000 qualified leads and 842 won deals of a marketplace, 8,800 opportunities of a
/// CRM whose stages are words alone.
#[test]
fn public_funnels_come_to_their_own_totals() {
    let (Some(olist), Some(maven)) = (shared("data/olist_funnel"), shared("data/maven_crm_sales"))
    else {
        return;
    };
    let project = Project::new(
        PROGRAM,
        "reporting: {currency: USD}\n\
         sources:\n\
         \x20 olist:\n\
         \x20   streams:\n\
         \x20     leads: exports/olist/data/olist_marketing_qualified_leads_dataset.csv\n\
         \x20     closed: exports/olist/data/olist_closed_deals_dataset.csv\n\
         \x20 maven:\n\
         \x20   path: exports/maven/sales_pipeline.csv\n",
    );
    copy_folder(&olist, &project.dir().join("exports/olist"));
    copy_folder(&maven, &project.dir().join("exports/maven"));
    project.write("models/1_silver/stg_olist__leads.sql", OLIST_LEADS);
    project.write("models/1_silver/stg_olist__deals.sql", OLIST_DEALS);
    project.write("models/1_silver/stg_maven__deals.sql", MAVEN_DEALS);
    balanced(&project);
    let mart = "from marts.mart_b2b_funnel where touch = 'last'";
    holds(
        &project,
        &[
            (
                &format!("sum(mql_count) {mart} and subject_type = 'person'"),
                "8000",
            ),
            (
                &format!("sum(won_count) {mart} and subject_type = 'person'"),
                "842",
            ),
            (
                &format!("sum(won_count) {mart} and subject_type = 'deal'"),
                "5080",
            ),
            (
                "sum(amount) from star.int_deal where source_name = 'maven' and is_won",
                "10005534.000000",
            ),
            // Without an exchange rate the total is partial, and says so.
            (
                "bool_or(is_partial) from marts.mart_pipeline_by_channel",
                "true",
            ),
        ],
    );
}

const OLIST_LEADS: &str = "-- grain: one row per qualified lead
{{ config(entity='lead') }}

with leads as (
    select * from {{ source('olist', 'leads') }}
),

closed as (
    select mql_id from {{ source('olist', 'closed') }} group by mql_id
),

final as (
    select
        leads._raw_id,
        leads.first_contact_date as effective_at,
        leads.mql_id as lead_id,
        leads.first_contact_date as created_at,
        'MQL' as status,
        leads.origin as lead_source,
        closed.mql_id as deal_id
    from leads
    left join closed on leads.mql_id = closed.mql_id
)

select * from final
";

const OLIST_DEALS: &str = "-- grain: one row per won deal
{{ config(entity='deal') }}

with closed as (
    select * from {{ source('olist', 'closed') }}
),

final as (
    select
        _raw_id,
        mql_id as deal_id,
        won_date as created_at,
        won_date as closed_at,
        'Won' as stage,
        declared_monthly_revenue as amount,
        'BRL' as currency_code
    from closed
)

select * from final
";

const MAVEN_DEALS: &str = "-- grain: one row per opportunity
{{ config(entity='deal') }}

with pipeline as (
    select * from {{ source('maven', 'rows') }}
),

final as (
    select
        _raw_id,
        opportunity_id as deal_id,
        account as account_id,
        deal_stage as stage,
        to_timestamp(nullif(engage_date, ''), '%m/%d/%Y') as created_at,
        to_timestamp(nullif(close_date, ''), '%m/%d/%Y') as closed_at,
        close_value as amount,
        'USD' as currency_code
    from pipeline
)

select * from final
";
