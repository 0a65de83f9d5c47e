//! A small company: three exports of its CRM, shop, website and ads, with what is late, deleted,
//! renamed and said twice.

use testkit::Project;

use crate::PROGRAM;
use crate::own_sources::write_models;

const SETTINGS: &str = "
reporting: {zone: UTC, currency: EUR, week_start: monday}
sources:
  crm:
    zone: UTC
    currency: EUR
    streams:
      accounts: {path: exports/accounts_*.csv, effective_at: changed}
      contacts: {path: exports/contacts_*.csv, effective_at: changed}
      calls: exports/calls_*.csv
      stages: exports/stages_*.csv
      products: {path: exports/products_*.csv, effective_at: {file: 'products_{date}'}}
      lines: exports/lines_*.csv
  mail:
    zone: UTC
    streams:
      people: {path: exports/people_*.csv, effective_at: changed}
      answers: exports/answers_*.csv
  site:
    zone: UTC
    streams:
      hits: exports/hits_*.csv
  google_ads:
    kind: google_ads
    layout: fivetran
    streams:
      account_history: exports/account_*.csv
      campaign_history: exports/campaigns_*.csv
      campaign_stats: exports/stats_*.csv
";

const MODELS: [(&str, &str); 10] = [
    (
        "stg_crm__accounts",
        "-- grain: one row per company in one export
{{ config(entity='account') }}
select
    _raw_id, id as account_id, name as account_name, industry, employees as employee_count,
    deleted as is_deleted
from {{ source('crm', 'accounts') }}
",
    ),
    (
        "stg_crm__contacts",
        "-- grain: one row per contact in one export
{{ config(entity='contact') }}
select
    _raw_id, id as contact_id, email, company as company_name, stage as lifecycle_stage,
    title as job_title, city, deleted as is_deleted
from {{ source('crm', 'contacts') }}
",
    ),
    (
        "stg_mail__people",
        "-- grain: one row per person in one export
{{ config(entity='contact') }}
select
    _raw_id, id as contact_id, email, company as company_name, stage as lifecycle_stage,
    title as job_title, deleted as is_deleted
from {{ source('mail', 'people') }}
",
    ),
    (
        "stg_mail__answers",
        "-- grain: one row per answer
{{ config(entity='consent') }}
select _raw_id, id as consent_id, answered as consent_at, email, purpose, state
from {{ source('mail', 'answers') }}
",
    ),
    (
        "stg_crm__calls",
        "-- grain: one row per call
{{ config(entity='activity') }}
select
    _raw_id, id as activity_id, called as activity_at, 'call' as activity_type,
    contact as contact_id, account as account_id, campaign as campaign_name,
    'phone' as source, 'offline' as medium, campaign is not null as is_touchpoint
from {{ source('crm', 'calls') }}
",
    ),
    (
        "stg_crm__stage_changes",
        "-- grain: one row per stage that a contact came into
{{ config(entity='activity') }}
select
    _raw_id, concat(contact, stage) as activity_id, changed as activity_at,
    'stage_change' as activity_type, stage as subject, contact as contact_id
from {{ source('crm', 'stages') }}
",
    ),
    (
        "stg_crm__products",
        "-- grain: one row per product in one price list
{{ config(entity='product') }}
select
    _raw_id, id as product_id, name as product_name, category, price as price_amount,
    'EUR' as currency_code
from {{ source('crm', 'products') }}
",
    ),
    (
        "stg_crm__lines",
        "-- grain: one row per line of an order
{{ config(entity='order_line') }}
select
    _raw_id, order_id, '1' as line_id, ordered as ordered_at, product as product_id,
    '1' as quantity, amount as revenue_amount, 'EUR' as currency_code
from {{ source('crm', 'lines') }}
",
    ),
    (
        "stg_crm__orders",
        "-- grain: one row per order
{{ config(entity='order') }}
select
    _raw_id, order_id, ordered as ordered_at, amount as gross_amount, 'EUR' as currency_code
from {{ source('crm', 'lines') }}
",
    ),
    (
        "stg_site__hits",
        "-- grain: one row per page view
{{ config(entity='web_event') }}
select
    _raw_id, id as event_id, at as event_at, 'page_view' as event_name, device as anonymous_id,
    concat('https://site.example/?utm_source=google&utm_medium=cpc&utm_campaign=', campaign)
        as page_url
from {{ source('site', 'hits') }}
",
    ),
];

/// Per stream: name, header, and the rows of the three exports.
const STREAMS: [(&str, &str, [&str; 3]); 12] = [
    (
        "accounts",
        "id,name,industry,employees,deleted,changed",
        [
            "A1,Acme,software,40,false,2026-01-05\n\
             A2,Beta,food,40,false,2026-01-06\n\
             A3,Gamma,food,7,false,2026-01-06\n\
             A4,Delta,first,3,false,2026-01-07\n\
             A4,Delta,second,3,false,2026-01-07\n\
             A5,Epsilon,,,true,2026-01-08\n",
            "A1,Acme Group,hardware,45,false,2026-02-01\n\
             A2,,,,true,2026-02-05\n\
             A3,,,,true,2026-02-05\n\
             A4,Delta,second,,false,2026-02-07\n",
            "A1,Acme,hardware,40,false,2026-01-20\n\
             A1,Acme Group,hardware,45,false,2026-03-01\n\
             A2,Beta,food,60,false,2026-02-03\n\
             A3,Gamma,food,7,false,2026-03-05\n\
             A5,,,,true,2026-03-06\n",
        ],
    ),
    (
        "contacts",
        "id,email,company,stage,title,city,deleted,changed",
        [
            "C1,ann@acme.example,Acme,lead,buyer,Rome,false,2026-01-10\n",
            "",
            "C1,ann@acme.example,Acme,lead,,Rome,false,2026-02-20\n",
        ],
    ),
    (
        "people",
        "id,email,company,stage,title,deleted,changed",
        [
            "",
            "M1,ann@acme.example,Acme,customer,head,false,2026-01-25\n\
             M1,,,,,true,2026-02-10\n",
            "M1,ann@acme.example,Acme,lead,clerk,false,2026-01-09\n",
        ],
    ),
    (
        "answers",
        "id,email,purpose,state,answered",
        [
            "1,ann@acme.example,email,granted,2026-01-12\n",
            "",
            "2,ann@acme.example,email,denied,2026-03-01\n",
        ],
    ),
    (
        "calls",
        "id,contact,account,campaign,called",
        [
            "1,C1,A1,,2026-01-12 09:00:00\n2,C1,A1,Spring,2026-01-20 09:00:00\n",
            "3,C1,A1,Spring,2026-02-20 09:00:00\n4,C1,A1,Twin,2026-02-21 09:00:00\n",
            "5,C1,A1,Spring,2026-03-20 09:00:00\n",
        ],
    ),
    (
        "stages",
        "contact,stage,changed",
        [
            "",
            "C1,opportunity,2026-02-25\n",
            "C1,subscriber,2026-01-08\n",
        ],
    ),
    (
        "products",
        "id,name,category,price",
        [
            "P1,Desk,desks,100\n",
            "P1,Desk,office,100\n",
            "P1,Desk,office,120\n",
        ],
    ),
    (
        "lines",
        "order_id,ordered,product,amount",
        [
            "O1,2026-01-20 10:00:00,P1,100\n",
            "O2,2026-02-20 10:00:00,P1,100\n",
            "O3,2026-03-20 10:00:00,P1,120\n",
        ],
    ),
    (
        "hits",
        "id,at,device,campaign",
        [
            "1,2026-01-15 10:00:00,d1,Spring\n2,2026-01-15 10:00:00,d2,Autumn\n\
             3,2026-01-15 10:00:00,d3,Summer\n4,2026-01-15 10:00:00,d4,Twin\n",
            "5,2026-02-15 10:00:00,d5,Spring\n6,2026-02-15 10:00:00,d6,Autumn\n\
             7,2026-02-15 10:00:00,d7,Winter\n",
            "8,2026-03-15 10:00:00,d8,Spring\n9,2026-03-15 10:00:00,d9,Twin\n",
        ],
    ),
    (
        "stats",
        "_fivetran_synced,customer_id,date,id,ad_network_type,device,impressions,clicks,\
         cost_micros,conversions,conversions_value",
        [
            "2026-01-16,100,2026-01-15,1,SEARCH,MOBILE,100,10,10000000,0,0\n",
            "2026-02-16,100,2026-02-15,1,SEARCH,MOBILE,100,10,20000000,0,0\n",
            "",
        ],
    ),
    // Older than any campaign.
    (
        "account",
        "id,updated_at,currency_code,descriptive_name,time_zone",
        ["", "100,2020-01-01 00:00:00,EUR,House,Etc/UTC\n", ""],
    ),
    (
        "campaigns",
        "id,updated_at,customer_id,name,status,advertising_channel_type",
        [
            "1,2026-01-01 00:00:00,100,Spring,ENABLED,SEARCH\n\
             2,2026-01-01 00:00:00,100,Autumn,ENABLED,SEARCH\n\
             3,2026-01-01 00:00:00,100,Winter,ENABLED,SEARCH\n\
             5,2026-01-01 00:00:00,100,Twin,ENABLED,SEARCH\n\
             6,2026-01-01 00:00:00,100,Twin,ENABLED,SEARCH\n",
            "1,2026-02-01 00:00:00,100,Summer,ENABLED,SEARCH\n\
             2,2026-02-01 00:00:00,100,Winter,ENABLED,SEARCH\n\
             3,2026-02-01 00:00:00,100,Autumn,ENABLED,SEARCH\n",
            "4,2026-03-01 00:00:00,100,Spring,ENABLED,SEARCH\n\
             1,2026-03-03 00:00:00,100,Summer,PAUSED,SEARCH\n\
             5,2026-03-04 00:00:00,100,Twin,REMOVED,SEARCH\n",
        ],
    ),
];

/// Writes the files of one export, from 0.
fn export(project: &Project, number: usize) {
    for (stream, header, exports) in STREAMS {
        let text = format!("{header}\n{}", exports[number]);
        let name = format!("exports/{stream}_2026-0{}-10.csv", number + 1);
        project.write(&name, text);
    }
}

/// Writes the files of all exports.
pub(super) fn export_all(project: &Project) {
    (0..3).for_each(|number| export(project, number));
}

/// Runs what the tables of [`super::tables`] need.
pub(super) fn run(project: &Project, arguments: &[&str]) {
    const WANTED: [&str; 5] = [
        "+journey_event",
        "+fct_session",
        "+int_customer_touch",
        "+dim_product",
        "+fct_order_line",
    ];
    let mut all = vec!["run"];
    all.extend(arguments);
    all.push("--select");
    all.extend(WANTED);
    project.json(&all, 0);
}

/// The company with its exports in an order in which they never come, and a run after each.
pub(super) fn company_latest_first() -> Project {
    let project = Project::new(PROGRAM, SETTINGS);
    write_models(&project, &MODELS);
    for number in [2, 0, 1] {
        export(&project, number);
        run(&project, &[]);
    }
    project.json(&["run"], 0);
    project
}
