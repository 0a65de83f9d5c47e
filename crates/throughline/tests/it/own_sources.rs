//! Public exports without a kind of their own, added as the guides say: every row is in silver, in
//! quarantine with a reason or a duplicate, and the sums are those of the files, to the cent.

use std::path::Path;

use testkit::{Project, csv_rows, shared, write_guide};

use crate::PROGRAM;
use crate::real_exports::balanced;

/// A column of a file added up exactly, in units of 10^-`digits`; empty fields are nothing.
fn sum(file: &Path, column: &str, digits: usize) -> i128 {
    let rows = csv_rows(file);
    rows.iter().map(|row| fixed(&row[column], digits)).sum()
}

fn fixed(text: &str, digits: usize) -> i128 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let places = format!("{whole}{fraction:0<digits$}");
    if text.is_empty() {
        return 0;
    }
    places.parse().expect("a number")
}

/// Checks what queries (without the word `select`) give.
pub(crate) fn holds(project: &Project, facts: &[(&str, &str)]) {
    for (query, expected) in facts {
        assert_eq!(
            project.value(&format!("select {query}")),
            *expected,
            "{query}"
        );
    }
}

/// A folder of the project with these files of another, each under a name of ours.
fn copy_as(project: &Project, from: &Path, files: &[(&str, &str)]) {
    for (file, name) in files {
        project.write(name, std::fs::read(from.join(file)).expect("a file"));
    }
}

/// Writes models, each with its name.
pub(crate) fn write_models(project: &Project, models: &[(&str, &str)]) {
    for (name, sql) in models {
        project.write(&format!("models/1_silver/{name}.sql"), sql);
    }
}

#[test]
fn the_crm_guide_says_what_comes_out() {
    let project = Project::new(PROGRAM, "");
    write_guide(&project, "crm-export.md");
    balanced(&project);
    holds(
        &project,
        &[
            (
                "sum(revenue_amount) from star.fct_conversion",
                "9900.000000",
            ),
            ("count(*) from silver.deal where is_won", "2"),
            (
                "json_text(properties, 'product_id') from silver.deal \
                 where deal_id = 'crm:Q-1002'",
                "Press 200",
            ),
            ("rule from quarantine.stg_crm__deals", "type:created_at"),
            // A deal without a date is first seen when the export was made.
            (
                "cast(entered_at as text) from star.fct_deal_stage where stage = 'Prospecting'",
                "2026-03-31T00:00:00Z",
            ),
            ("count(*) from star.fct_deal_stage", "8"),
        ],
    );
}

#[test]
fn a_pipeline_comes_out_to_the_cent_and_loses_no_product() {
    let Some(data) = shared("data/maven_crm_sales") else {
        return;
    };
    let project = Project::new(PROGRAM, "");
    write_guide(&project, "crm-export.md");
    std::fs::remove_dir_all(project.dir().join("exports/crm")).unwrap();
    copy_as(
        &project,
        &data,
        &[
            ("sales_pipeline.csv", "exports/crm/pipeline_2017-12-31.csv"),
            ("accounts.csv", "exports/crm/accounts.csv"),
            ("products.csv", "exports/crm/products.csv"),
            ("sales_teams.csv", "exports/crm/sales_teams.csv"),
        ],
    );
    balanced(&project);

    let deals = csv_rows(&data.join("sales_pipeline.csv"));
    let of = |column: &str, value: &str| {
        let rows = deals.iter().filter(|row| row[column] == value);
        rows.count().to_string()
    };
    let value = sum(&data.join("sales_pipeline.csv"), "close_value", 0);
    let value = format!("{value}.000000");
    let (won, lost) = (of("deal_stage", "Won"), of("deal_stage", "Lost"));
    assert_eq!((won.as_str(), value.as_str()), ("4238", "10005534.000000"));
    let deal_count = deals.len().to_string();
    let without_account = of("account", "");
    holds(
        &project,
        &[
            ("count(*) from silver.deal", &deal_count),
            ("count(*) from quarantine.stg_crm__deals", "0"),
            (
                "count(*) from silver.deal where account_id is null",
                &without_account,
            ),
            (
                "count(*) from silver.deal where amount is null and is_closed",
                "0",
            ),
            (
                "count(*) from silver.deal where amount is not null and not is_closed",
                "0",
            ),
            (
                "count(*) from silver.deal where is_closed and not is_won",
                &lost,
            ),
            ("count(distinct currency_code) from silver.deal", "1"),
            ("count(*) from silver.deal_stage where is_won", &won),
            ("count(*) from silver.account", "85"),
            (
                "count(*) from star.dim_account where is_current and account_id is not null",
                "85",
            ),
            // Every conversion is a won deal, with its money and its company.
            (
                "count(*) from star.fct_conversion where conversion_type = 'deal_won'",
                &won,
            ),
            ("sum(revenue_amount) from star.fct_conversion", &value),
            (
                "count(*) from star.fct_conversion where account_key in (0, -1)",
                "0",
            ),
            (
                "count(*) from star.fct_deal_stage where event_date < date '2016-10-20'",
                "0",
            ),
        ],
    );
    // The same product in two spellings is one, and none is lost.
    let misspelled = of("product", "GTXPro");
    holds(
        &project,
        &[
            (
                "count(*) from silver.deal where json_text(properties, 'product_id') is null",
                "0",
            ),
            (
                "count(*) from silver.deal as deal inner join star.dim_product as product \
                 on concat('crm:', json_text(deal.properties, 'product_id')) = product.product_id \
                 where json_text(deal.properties, 'product') = 'GTXPro' \
                 and product.product_name = 'GTX Pro'",
                &misspelled,
            ),
        ],
    );
    let credit = "select model, sum(credited_amount) as credited \
                  from star.fct_attribution_credit group by model";
    for row in project.rows(credit) {
        assert_eq!(row["credited"], value.as_str(), "{row}");
    }
}

const FUNNEL: &str = "
attribution:
  lookback_days: {default: 90, deal_won: 730}
sources:
  funnel:
    zone: America/Sao_Paulo
    currency: BRL
    streams:
      leads: exports/leads.csv
      deals: exports/deals.csv
";

const FUNNEL_MODELS: [(&str, &str); 4] = [
    (
        "stg_funnel__leads",
        "-- grain: one row per marketing qualified lead
{{ config(entity='lead') }}
select
    _raw_id,
    mql_id as lead_id,
    first_contact_date as created_at,
    -- One id is the person everywhere in this funnel.
    mql_id as contact_id,
    origin as lead_source,
    landing_page_id
from {{ source('funnel', 'leads') }}
",
    ),
    (
        "stg_funnel__touches",
        "-- grain: one row per first contact of known origin
{{ config(entity='activity', rows='some') }}
select
    _raw_id,
    mql_id as activity_id,
    first_contact_date as activity_at,
    'first_contact' as activity_type,
    mql_id as contact_id,
    case origin
        when 'direct traffic' then '(direct)'
        -- The funnel names no search engine; whoever pays for the ads knows it.
        when 'paid search' then 'google'
    end as source,
    case origin
        when 'direct traffic' then '(none)'
        when 'organic search' then 'organic'
        when 'paid search' then 'cpc'
        else origin
    end as medium,
    true as is_touchpoint
from {{ source('funnel', 'leads') }}
where origin not in ('unknown', 'other', 'other publicities')
",
    ),
    (
        "stg_funnel__deals",
        "-- grain: one row per closed deal
{{ config(entity='deal') }}
select
    _raw_id,
    mql_id as deal_id,
    'won' as stage,
    true as is_closed,
    true as is_won,
    won_date as closed_at,
    sr_id as owner_id,
    business_segment,
    -- What a seller says it turns over is not what its deal is worth.
    declared_monthly_revenue
from {{ source('funnel', 'deals') }}
",
    ),
    (
        "stg_funnel__deal_contacts",
        "-- grain: one row per closed deal, for its person
{{ config(entity='deal_contact') }}
select
    _raw_id,
    mql_id as deal_id,
    mql_id as contact_id,
    true as is_primary
from {{ source('funnel', 'deals') }}
",
    ),
];

/// The channel of an origin that the funnel names.
fn channel_of(origin: &str) -> &'static str {
    match origin {
        "organic search" => "Organic Search",
        "paid search" => "Paid Search",
        "social" => "Organic Social",
        "direct traffic" => "Direct",
        "email" => "Email",
        "referral" => "Referral",
        "display" => "Display",
        _ => "(unattributed)",
    }
}

#[test]
fn leads_with_an_origin_are_credited_with_their_deals() {
    let Some(data) = shared("data/olist_funnel/data") else {
        return;
    };
    let (leads, deals) = (
        "olist_marketing_qualified_leads_dataset.csv",
        "olist_closed_deals_dataset.csv",
    );
    let project = Project::new(PROGRAM, FUNNEL);
    write_models(&project, &FUNNEL_MODELS);
    copy_as(
        &project,
        &data,
        &[(leads, "exports/leads.csv"), (deals, "exports/deals.csv")],
    );
    balanced(&project);

    let leads = csv_rows(&data.join(leads));
    let deals = csv_rows(&data.join(deals));
    let (lead_count, deal_count) = (leads.len().to_string(), deals.len().to_string());
    assert_eq!((lead_count.as_str(), deal_count.as_str()), ("8000", "842"));
    let origins: std::collections::BTreeMap<&str, (&str, &str)> = leads
        .iter()
        .map(|row| {
            let said = (row["origin"].as_str(), row["first_contact_date"].as_str());
            (row["mql_id"].as_str(), said)
        })
        .collect();
    let mut expected = std::collections::BTreeMap::<&str, i64>::new();
    for deal in &deals {
        let (origin, first) = origins[deal["mql_id"].as_str()];
        // One deal was won before its first contact: nothing led to it.
        let is_before = first <= &deal["won_date"][..first.len()];
        let channel = if is_before {
            channel_of(origin)
        } else {
            channel_of("")
        };
        *expected.entry(channel).or_default() += 1;
    }
    holds(
        &project,
        &[
            (
                "count(*) from star.fct_conversion where conversion_type = 'deal_won'",
                &deal_count,
            ),
            (
                "count(*) from star.fct_conversion where conversion_type = 'crm_lead'",
                &lead_count,
            ),
            (
                "count(*) from star.fct_conversion where revenue_amount <> 0",
                "0",
            ),
        ],
    );
    let found = project.rows(
        "select channel, cast(sum(position_sales) as bigint) as deals \
         from marts.mart_channel_daily group by channel having sum(position_sales) <> 0",
    );
    let found: std::collections::BTreeMap<&str, i64> = found
        .iter()
        .map(|row| {
            (
                row["channel"].as_str().unwrap(),
                row["deals"].as_i64().unwrap(),
            )
        })
        .collect();
    assert_eq!(found, expected);
}

const TOTALS: &str = "
sources:
  meta_totals:
    path: exports/meta_*.csv
    currency: USD
    files:
      effective_at: {file: 'meta_{date}'}
";

const TOTALS_MODELS: [(&str, &str); 1] = [(
    "stg_meta_totals__ads",
    r#"-- grain: one row per ad, age, gender and interest, over the period of a file
{{ config(entity='ad_performance') }}
select
    _raw_id,
    -- The rows' own dates are not those of the figures. The file's name gives the period's end.
    local_date(_effective_at, 'UTC') as report_date,
    'meta_ads' as platform,
    'ad' as level,
    xyz_campaign_id as campaign_id,
    fb_campaign_id as ad_group_id,
    ad_id,
    concat_ws('|', age, gender, interest) as segment,
    "Impressions" as impressions,
    "Clicks" as clicks,
    "Spent" as spend_amount,
    "Total_Conversion" as platform_conversions,
    "Approved_Conversion" as approved_conversions
from {{ source('meta_totals', 'rows') }}
"#,
)];

#[test]
fn figures_without_a_date_stand_on_the_day_that_the_file_names() {
    let Some(data) = shared("data/kag_facebook_ads") else {
        return;
    };
    let name = "KAG_conversion_data.csv";
    let project = Project::new(PROGRAM, TOTALS);
    write_models(&project, &TOTALS_MODELS);
    copy_as(&project, &data, &[(name, "exports/meta_2017-08-31.csv")]);
    balanced(&project);

    let file = data.join(name);
    // The file has nine digits after the point; a cent is ten millions of them.
    let cents = ((sum(&file, "Spent", 9) + 5_000_000) / 10_000_000).to_string();
    let clicks = sum(&file, "Clicks", 0).to_string();
    let impressions = sum(&file, "Impressions", 0).to_string();
    let claimed = sum(&file, "Total_Conversion", 0).to_string();
    assert_eq!((cents.as_str(), clicks.as_str()), ("5870523", "38165"));
    for table in [
        "silver.ad_performance",
        "star.fct_ad_performance_current where is_spend_of_record",
    ] {
        holds(
            &project,
            &[
                (
                    &format!("cast(round(sum(spend_amount) * 100) as bigint) from {table}"),
                    &cents,
                ),
                (&format!("sum(clicks) from {table}"), &clicks),
                (&format!("sum(impressions) from {table}"), &impressions),
                (
                    &format!("cast(sum(platform_conversions) as bigint) from {table}"),
                    &claimed,
                ),
                (
                    &format!("cast(max(report_date) as text) from {table}"),
                    "2017-08-31",
                ),
                (
                    &format!("cast(min(report_date) as text) from {table}"),
                    "2017-08-31",
                ),
            ],
        );
    }
    holds(
        &project,
        &[
            ("count(*) from quarantine.stg_meta_totals__ads", "0"),
            (
                "cast(round(sum(spend_reporting_amount) * 100) as bigint) \
                 from marts.mart_channel_daily where channel = 'Paid Social'",
                &cents,
            ),
        ],
    );
}

const TOY_SHOP: &str = "
sources:
  toy_shop:
    zone: UTC
    currency: USD
    files:
      null_words: ['NULL']
    streams:
      orders: [exports/orders.csv, exports/orders_again.csv]
      order_items: [exports/order_items.csv, exports/order_items_again.csv]
      refunds: exports/order_item_refunds.csv
      products: [exports/products.csv, exports/products_again.csv]
      sessions: exports/website_sessions.csv
      pageviews: exports/website_pageviews.csv
";

const PAGE_VIEWS: [(&str, &str); 1] = [(
    "stg_toy_shop__pageviews",
    "-- grain: one row per page view
{{ config(entity='web_event') }}

with pageviews as (
    select * from {{ source('toy_shop', 'pageviews') }}
),

-- A page view names its session only; whose it is, the session says.
session as (
    select website_session_id, min(user_id) as user_id
    from {{ source('toy_shop', 'sessions') }}
    group by website_session_id
),

final as (
    select
        pageviews._raw_id,
        concat('page-', pageviews.website_pageview_id) as event_id,
        pageviews.created_at as event_at,
        'page_view' as event_name,
        session.user_id as anonymous_id,
        pageviews.website_session_id as session_id,
        concat('https://toy-shop.example', pageviews.pageview_url) as page_url
    from pageviews
    left join session on pageviews.website_session_id = session.website_session_id
)

select * from final
",
)];

#[test]
fn every_file_of_the_toy_shop_flows_and_overlaps_count_once() {
    let Some(data) = shared("data/maven_fuzzy_factory") else {
        return;
    };
    let project = Project::new(PROGRAM, "");
    write_guide(&project, "orders-refunds-sessions.md");
    project.set(TOY_SHOP);
    write_models(&project, &PAGE_VIEWS);
    copy_as(
        &project,
        &data,
        &[
            ("data/orders.csv", "exports/orders.csv"),
            ("dataset/orders.csv", "exports/orders_again.csv"),
            ("data/order_items.csv", "exports/order_items.csv"),
            ("dataset/order_items.csv", "exports/order_items_again.csv"),
            (
                "data/order_item_refunds.csv",
                "exports/order_item_refunds.csv",
            ),
            ("data/products.csv", "exports/products.csv"),
            ("dataset/products.csv", "exports/products_again.csv"),
            (
                "dataset/website_sessions.csv",
                "exports/website_sessions.csv",
            ),
            (
                "dataset/website_pageviews.csv",
                "exports/website_pageviews.csv",
            ),
        ],
    );
    balanced(&project);
    let sold = sum(&data.join("data/orders.csv"), "price_usd", 6);
    let sold = format!("{}.{:06}", sold / 1_000_000, sold % 1_000_000);
    holds(
        &project,
        &[
            ("count(*) from silver.\"order\"", "32313"),
            ("sum(gross_amount) from silver.\"order\"", &sold),
            ("count(*) from silver.order_line", "40025"),
            ("count(*) from silver.product", "4"),
            ("sum(revenue_amount) from star.fct_conversion", &sold),
            (
                "count(*) from silver.web_event where event_name = 'page_view' \
                 and anonymous_id is not null",
                "5000",
            ),
            ("sum(page_view_count) from star.fct_session", "5000"),
            ("count(*) from star.fct_session", "5000"),
        ],
    );
}

#[test]
fn every_layout_of_the_ga4_samples_flows() {
    let Some(data) = shared("data/ga4_samples") else {
        return;
    };
    let project = Project::new(
        PROGRAM,
        "sources:\n  ga4:\n    kind: ga4\n    streams:\n      events:\n        \
         [exports/web.ndjson, exports/store.json, exports/app.json]\n      \
         events_flat: exports/flat.csv\n      event: exports/event.csv\n",
    );
    copy_as(
        &project,
        &data,
        &[
            ("ga4_export_web_20231005.ndjson", "exports/web.ndjson"),
            (
                "ga4_export_gms_pageview_20210128.json",
                "exports/store.json",
            ),
            (
                "ga4_firebase_android_signup_20230116.json",
                "exports/app.json",
            ),
            ("ga4_public_dataset.csv", "exports/flat.csv"),
            (
                "fivetran_seed/integration_tests/seeds/event_data.csv",
                "exports/event.csv",
            ),
        ],
    );
    balanced(&project);
    holds(
        &project,
        &[
            ("count(*) from silver.web_event", "10"),
            (
                "sum(revenue_amount) from silver.web_event where event_name = 'purchase'",
                "29.990000",
            ),
            // A day is no time: without event_timestamp nobody knows what came first.
            ("count(*) from quarantine.stg_ga4__flat_events", "100"),
            (
                "count(*) from quarantine.stg_ga4__flat_events where rule = 'required:event_at'",
                "100",
            ),
            ("count(*) from quarantine.stg_ga4__events", "0"),
            ("count(*) from quarantine.stg_ga4__fivetran_events", "0"),
        ],
    );
}
