//! Money that is planned, spent and claimed: budgets against spend, names of campaigns, platform
//! conversions counted once, yen and won, and totals that say what they lack.

use testkit::Project;

use crate::PROGRAM;

/// Two ad accounts whose days are not the project's: yen with a rate, won without one.
const ADS: &str = "\
reporting: {zone: Europe/Berlin, currency: EUR, week_start: monday}
sources:
  google_ads:
    kind: google_ads
    layout: fivetran
    streams:
      account_history: exports/google_accounts.csv
      campaign_history: exports/google_campaigns.csv
      campaign_stats: exports/google_stats.csv
  meta_ads:
    kind: meta_ads
    layout: fivetran
    streams:
      account_history: exports/meta_accounts.csv
      campaign_history: exports/meta_campaigns.csv
      ad_history: exports/meta_ads.csv
      basic_ad: exports/meta_stats.csv
      basic_ad_actions: exports/meta_actions.csv
      basic_ad_action_values: exports/meta_values.csv
  rates:
    kind: exchange_rates
    streams:
      rates: exports/rates.csv
";

const FILES: [(&str, &str); 10] = [
    (
        "google_accounts.csv",
        "id,updated_at,currency_code,descriptive_name,time_zone\n\
         100,2026-01-01 00:00:00,JPY,Tokyo,Asia/Tokyo\n",
    ),
    (
        "google_campaigns.csv",
        "id,updated_at,customer_id,name,status,advertising_channel_type\n\
         1,2026-01-01 00:00:00,100,JP_search_sales_new_202601,ENABLED,SEARCH\n\
         2,2026-01-01 00:00:00,100,JP_search_brand,ENABLED,SEARCH\n",
    ),
    // Millionths of a yen, although a yen has no cents.
    (
        "google_stats.csv",
        "_fivetran_synced,customer_id,date,id,ad_network_type,device,impressions,clicks,\
         cost_micros,conversions,conversions_value\n\
         2026-01-31 00:00:00,100,2026-01-01,1,SEARCH,MOBILE,100,10,1500000000,1,8000\n\
         2026-01-31 00:00:00,100,2026-01-20,1,SEARCH,MOBILE,200,20,2000000000,2,9000\n\
         2026-01-31 00:00:00,100,2026-01-20,2,SEARCH,MOBILE,50,5,500000000,0,0\n",
    ),
    (
        "meta_accounts.csv",
        "id,name,account_status,currency,timezone_name,_fivetran_synced\n\
         200,Seoul,ACTIVE,KRW,Asia/Seoul,2026-01-01 00:00:00\n",
    ),
    (
        "meta_campaigns.csv",
        "id,account_id,name,status,updated_time,_fivetran_synced\n\
         21,200,KR_social_leads_all_202601,ACTIVE,2026-01-01 00:00:00,2026-01-01 00:00:00\n",
    ),
    (
        "meta_ads.csv",
        "id,account_id,campaign_id,ad_set_id,name,status,updated_time,_fivetran_synced\n\
         31,200,21,25,One,ACTIVE,2026-01-01 00:00:00,2026-01-01 00:00:00\n\
         32,200,21,25,Two,ACTIVE,2026-01-01 00:00:00,2026-01-01 00:00:00\n",
    ),
    (
        "meta_stats.csv",
        "ad_id,date,account_id,impressions,inline_link_clicks,spend,_fivetran_synced\n\
         31,2026-01-19,200,1000,30,45000,2026-01-21 00:00:00\n\
         32,2026-01-19,200,900,20,5000,2026-01-21 00:00:00\n",
    ),
    // One purchase under three names, in three windows; the second ad has the pixel's name alone.
    (
        "meta_actions.csv",
        "ad_id,date,index,action_type,value,_1_d_view,_7_d_click,_fivetran_synced\n\
         31,2026-01-19,0,omni_purchase,3,1,2,2026-01-21 00:00:00\n\
         31,2026-01-19,1,purchase,3,1,2,2026-01-21 00:00:00\n\
         31,2026-01-19,2,offsite_conversion.fb_pixel_purchase,3,1,2,2026-01-21 00:00:00\n\
         31,2026-01-19,3,lead,4,0,4,2026-01-21 00:00:00\n\
         31,2026-01-19,4,offsite_conversion.custom.77,9,0,9,2026-01-21 00:00:00\n\
         32,2026-01-19,0,offsite_conversion.fb_pixel_purchase,2,0,2,2026-01-21 00:00:00\n\
         32,2026-01-19,1,app_custom_event.fb_mobile_purchase,5,0,5,2026-01-21 00:00:00\n",
    ),
    (
        "meta_values.csv",
        "ad_id,date,index,action_type,value,_1_d_view,_7_d_click,_fivetran_synced\n\
         31,2026-01-19,0,omni_purchase,60000,20000,40000,2026-01-21 00:00:00\n\
         31,2026-01-19,1,purchase,60000,20000,40000,2026-01-21 00:00:00\n\
         31,2026-01-19,2,offsite_conversion.fb_pixel_purchase,60000,20000,40000,\
         2026-01-21 00:00:00\n",
    ),
    (
        "rates.csv",
        "date,from,to,rate\n2026-01-01,EUR,JPY,160\n2026-01-19,EUR,JPY,160\n",
    ),
];

fn company(more: &str) -> Project {
    let project = Project::new(PROGRAM, &format!("{ADS}{more}"));
    for (name, text) in FILES {
        project.write(&format!("exports/{name}"), text);
    }
    project
}

/// Each query gives one value.
fn all(project: &Project, expected: &[(&str, &str)]) {
    for (query, value) in expected {
        assert_eq!(
            project.value(&format!("select {query}")),
            *value,
            "select {query}"
        );
    }
}

const PLAN: &str = "  plan:
    kind: plan
    streams:
      targets: exports/plan.csv
      months: exports/months.csv
";

#[test]
fn budgets_are_spread_to_the_cent_and_paced_in_their_currency() {
    let project = company(PLAN);
    project.write(
        "exports/plan.csv",
        "plan,version,platform,market,campaign_name,measure,period,amount,currency\n\
         media,v9,Google Ads,,,spend,2026-01,999,JPY\n\
         media,v10,Google Ads,,,spend,2026-01,6201,JPY\n\
         media,v10,,JP,,spend,2026-Q1,100.01,EUR\n\
         media,v10,,,jp search brand,spend,2026-01,1000,JPY\n\
         media,v10,meta,,,spend,Jan 2026,90,EUR\n\
         media,v10,google,,,cpc,01/2026,90,JPY\n\
         media,v10,google,,,spend,2026-13,90,JPY\n\
         media,v10,google,,Never heard of,spend,2026-01,7,JPY\n",
    );
    project.write(
        "exports/months.csv",
        "Plan,Platform,Measure,Currency,2026-01,Feb 2026,2026-Q2,Total\n\
         goals,google_ads,clicks,,70,,100,170\n\
         goals,meta_ads,clicks,,,,,0\n",
    );
    name_campaigns(&project);
    project.json(&["run"], 0);
    spread(&project);
    paced(&project);
}

/// What is no budget says so; the days of each sum to its amount.
fn spread(project: &Project) {
    all(
        project,
        &[
            // A period that is none, and a row in which no month is filled, say so.
            ("count(*) from quarantine.stg_plan__targets", "1"),
            ("count(*) from quarantine.stg_plan__months", "1"),
            // The tenth version takes the place of the ninth.
            (
                "count(*) from star.int_target where plan_name = 'media'",
                "6",
            ),
            (
                "count(*) from (select budget_day.target_key \
                 from star.fct_budget_day as budget_day \
                 inner join star.int_target as target \
                 on budget_day.target_key = target.target_key \
                 where not target.is_ratio \
                 group by budget_day.target_key, target.amount \
                 having sum(budget_day.day_amount) <> target.amount)",
                "0",
            ),
            // Yen have no cents.
            (
                "count(distinct day_amount) from star.fct_budget_day \
                 where scope = 'platform=google_ads' and metric = 'spend'",
                "2",
            ),
            (
                "count(*) from star.fct_budget_day \
                 where currency_code = 'JPY' and not is_ratio and day_amount <> round(day_amount)",
                "0",
            ),
            (
                "max(day_amount) - min(day_amount) from star.fct_budget_day \
                 where scope = 'market=JP'",
                "0.010000",
            ),
        ],
    );
}

/// Against what was spent so far, in the plan's own currency.
fn paced(project: &Project) {
    all(
        project,
        &[
            // 4000 yen in 20 of 31 days.
            (
                "concat_ws(' ', currency_code, budget_amount, actual_amount, expected_amount, \
                 forecast_amount, days_elapsed, status) from marts.mart_pacing \
                 where scope = 'platform=google_ads' and metric = 'spend'",
                "JPY 6201.000000 4000.000000 4000.000000 6200.000000 20 running",
            ),
            // They are 25 euros; a name that breaks the convention elsewhere has its market.
            (
                "concat_ws(' ', actual_amount, expected_amount, unconverted_rows, status) \
                 from marts.mart_pacing where scope = 'market=JP'",
                "25.000000 22.220000 0 running",
            ),
            (
                "actual_amount from marts.mart_pacing where scope = 'campaign=jp search brand'",
                "500.000000",
            ),
            // Won are no euros, and nothing says what they are worth.
            (
                "concat_ws(' ', coalesce(cast(actual_amount as text), 'unknown'), \
                 unconverted_rows, is_partial) from marts.mart_pacing \
                 where scope = 'platform=meta_ads' and metric = 'spend'",
                "unknown 1 true",
            ),
            // A name that nobody bears spends nothing, and that is said.
            (
                "concat_ws(' ', id, amount) from marts.mart_data_gaps \
                 where gap = 'plan without a match'",
                "media: spend of platform=google_ads|campaign=Never heard of 7.000000",
            ),
            (
                "concat_ws(' ', budget_amount, actual_amount) from marts.mart_pacing \
                 where scope = 'platform=google_ads' and metric = 'cpc'",
                "90.000000 114.285714",
            ),
            (
                "concat_ws(' ', actual_amount, expected_amount) from marts.mart_pacing \
                 where scope = 'platform=google_ads' and metric = 'clicks' \
                 and period_start = '2026-01-01'",
                "35.000000 45.160000",
            ),
        ],
    );
}

#[test]
fn money_of_an_unknown_currency_is_never_taken_for_that_of_the_plan() {
    let project = company(PLAN);
    project.write(
        "exports/meta_accounts.csv",
        "id,name,account_status,_fivetran_synced\n200,Seoul,ACTIVE,2026-01-01 00:00:00\n",
    );
    project.write(
        "exports/plan.csv",
        "platform,account_id,measure,period,amount,currency\n\
         meta_ads,act_200,spend,2026-01,90,EUR\n",
    );
    project.write("exports/months.csv", "Platform,Measure,2026-01\n");
    project.json(&["run"], 0);
    all(
        &project,
        &[
            (
                "concat_ws(' ', coalesce(cast(actual_amount as text), 'unknown'), \
                 unconverted_rows) from marts.mart_pacing",
                "unknown 1",
            ),
            (
                "string_agg(concat_ws(' ', table_name, amount), '; ' order by table_name) \
                 from marts.mart_data_gaps where gap = 'no currency'",
                "fct_ad_conversion 60000.000000; fct_ad_performance 50000.000000",
            ),
        ],
    );

    // The source says both.
    let settings = ADS.replace(
        "    kind: meta_ads\n",
        "    kind: meta_ads\n    currency: KRW\n    zone: Asia/Seoul\n",
    );
    project.set(&format!("{settings}{PLAN}"));
    project.json(&["run"], 0);
    all(
        &project,
        &[
            (
                "concat_ws(' ', min(currency_code), min(account_zone), sum(spend_amount)) \
                 from star.fct_ad_performance_current \
                 where is_spend_of_record and platform = 'meta_ads'",
                "KRW Asia/Seoul 50000.000000",
            ),
            (
                "concat_ws(' ', currency_code, account_zone) from star.dim_source_account \
                 where platform = 'meta_ads'",
                "KRW Asia/Seoul",
            ),
        ],
    );
}

#[test]
fn names_of_campaigns_are_read_by_the_convention_of_the_project() {
    let project = company("");
    name_campaigns(&project);
    project.json(&["run"], 0);
    all(
        &project,
        &[
            (
                "string_agg(part || '=' || value, ' ' order by position) \
                 from star.bridge_campaign_name_part as part \
                 inner join star.dim_campaign as campaign \
                 on part.campaign_key = campaign.campaign_key and campaign.is_current \
                 where campaign.campaign_id = '1'",
                "market=JP channel=search objective=sales audience=new yyyymm=202601",
            ),
            (
                "problems from star.int_campaign_naming where campaign_name = 'JP_search_brand'",
                "`objective` `brand` is not in the list; `audience` is missing; \
                 `yyyymm` is missing",
            ),
            // What it spent cannot be told by audience.
            (
                "concat_ws(' ', campaign_name, spend_amount, currency_code, \
                 spend_reporting_amount) from marts.mart_naming_violations",
                "JP_search_brand 500.000000 JPY 3.125000",
            ),
            ("count(*) from star.int_campaign_naming where is_valid", "2"),
        ],
    );

    // A convention that cannot be read is an error, and says why.
    project.write(
        "seeds/campaign_naming.csv",
        "naming,platform,pattern,priority\nhouse,*,{market}_{channel}-{yyyymm},1\n",
    );
    project.write("seeds/campaign_naming_value.csv", "naming,part,value\n");
    let out = project.run(&["run"]);
    assert_eq!(out.status.code(), Some(3), "{}", testkit::text(&out));
    assert!(
        testkit::text(&out).contains("campaign_naming_is_understood"),
        "{}",
        testkit::text(&out)
    );
    all(
        &project,
        &[(
            "problem from star.int_campaign_naming_problem",
            "`{channel}-{yyyymm}` is no part, as {market}, {note?} or {rest*}; \
             `_` must stand between all parts",
        )],
    );
}

fn name_campaigns(project: &Project) {
    project.write(
        "seeds/campaign_naming.csv",
        "naming,platform,pattern,priority\n\
         house,*,{market}_{channel}_{objective}_{audience}_{yyyymm},1\n",
    );
    project.write(
        "seeds/campaign_naming_value.csv",
        "naming,part,value\nhouse,market,/[A-Z]{2}/\nhouse,objective,sales\n\
         house,objective,leads\n",
    );
}

#[test]
fn a_purchase_that_a_platform_reports_under_many_names_counts_once() {
    let project = company("");
    project.json(&["run"], 0);
    all(
        &project,
        &[
            // Three of the first ad by the widest name; pixel and app of the second.
            (
                "sum(platform_conversions) from star.fct_ad_conversion_current \
                 where is_conversion_of_record and conversion_group = 'purchase'",
                "10.0",
            ),
            (
                "concat_ws(' ', platform_conversions, platform_conversion_amount, currency_code, \
                 level, attribution_window, account_zone) from marts.mart_platform_conversions \
                 where conversion_group = 'purchase'",
                "10.0 60000.000000 KRW ad default Asia/Seoul",
            ),
            // A lead is no purchase, and an action that nobody knows is its own kind.
            (
                "string_agg(concat_ws('=', conversion_group, platform_conversions), ' ' \
                 order by conversion_group) from marts.mart_platform_conversions \
                 where platform = 'meta_ads'",
                "lead=4.0 offsite_conversion.custom.77=9.0 purchase=10.0",
            ),
            // Google tells no actions, but conversions beside its spend.
            (
                "string_agg(concat_ws(' ', date, conversion_group, level, platform_conversions, \
                 platform_conversion_amount, currency_code), '; ' order by date) \
                 from marts.mart_platform_conversions where platform = 'google_ads'",
                "2026-01-01 conversions campaign 1.0 8000.000000 JPY; \
                 2026-01-20 conversions campaign 2.0 9000.000000 JPY",
            ),
            // All is still there: names and windows stand side by side.
            (
                "count(*) from star.fct_ad_conversion_current where level = 'ad'",
                "21",
            ),
            (
                "count(distinct attribution_window) from star.fct_ad_conversion_current",
                "3",
            ),
        ],
    );
}

#[test]
fn yen_and_won_in_other_zones_keep_their_day_and_missing_rates_stop_nothing() {
    let project = company(SHOP);
    for (name, text) in SHOP_FILES {
        project.write(name, text);
    }
    project.json(&["run"], 0);
    all(
        &project,
        &[
            // Millionths of a yen; the account's day, and the zone that it is of.
            (
                "concat_ws(' ', sum(spend_amount), min(report_date), max(report_date), \
                 min(account_zone), min(currency_code)) from star.fct_ad_performance_current \
                 where is_spend_of_record and platform = 'google_ads'",
                "4000.000000 2026-01-01 2026-01-20 Asia/Tokyo JPY",
            ),
            (
                "concat_ws(' ', sum(spend_amount), min(report_date), min(account_zone), \
                 min(currency_code), count(spend_reporting_amount)) \
                 from star.fct_ad_performance_current \
                 where is_spend_of_record and platform = 'meta_ads'",
                "50000.000000 2026-01-19 Asia/Seoul KRW 0",
            ),
            // The total of all channels is that of the yen, and says that it lacks something.
            (
                "concat_ws(' ', sum(spend_reporting_amount), sum(unconverted_rows), \
                 bool_or(is_partial)) from marts.mart_channel_daily where date = '2026-01-19'",
                "0.000000 2 true",
            ),
            (
                "concat_ws(' ', sum(spend_reporting_amount), sum(unconverted_rows), \
                 bool_or(is_partial)) from marts.mart_channel_daily where date = '2026-01-20'",
                "15.625000 0 false",
            ),
            (
                "concat_ws(' ', campaign_name, account_zone, spend_reporting_amount, \
                 unconverted_rows, is_partial) from marts.mart_campaign_daily \
                 where platform = 'meta_ads'",
                "KR_social_leads_all_202601 Asia/Seoul 0.000000 1 true",
            ),
            // A sale in won beside one in euros.
            (
                "concat_ws(' ', sum(revenue_reporting_amount), sum(unconverted_rows), \
                 bool_or(is_partial)) from marts.mart_attribution_compare \
                 where model = 'linear' and is_sale",
                "100.000000 1 true",
            ),
        ],
    );
    gaps(&project);
}

/// What is missing, how much of it, and that each says what to do.
fn gaps(project: &Project) {
    all(
        project,
        &[
            (
                "string_agg(concat_ws(' ', table_name, currency_code, first_date, row_count, \
                 amount), '; ' order by table_name) from marts.mart_data_gaps \
                 where gap = 'no exchange rate'",
                "fct_ad_conversion KRW 2026-01-19 1 60000.000000; \
                 fct_ad_performance KRW 2026-01-19 1 50000.000000; \
                 fct_conversion KRW 2026-01-19 1 30000.000000; \
                 fct_order_line KRW 2026-01-19 1 30000.000000",
            ),
            (
                "string_agg(concat_ws(' ', id, currency_code, row_count, amount), '; ' \
                 order by id) from marts.mart_data_gaps where gap = 'unknown product'",
                "shop:P-9 KRW 1 30000.000000",
            ),
            (
                "count(*) from marts.mart_data_gaps where hint is null or hint = ''",
                "0",
            ),
        ],
    );

    // The rate arrives: nothing is missing any more.
    project.write(
        "exports/rates.csv",
        "date,from,to,rate\n2026-01-01,EUR,JPY,160\n2026-01-19,EUR,JPY,160\n\
         2026-01-19,EUR,KRW,1600\n",
    );
    project.json(&["run"], 0);
    all(
        project,
        &[
            (
                "count(*) from marts.mart_data_gaps where gap = 'no exchange rate'",
                "0",
            ),
            (
                "concat_ws(' ', sum(spend_reporting_amount), sum(unconverted_rows), \
                 bool_or(is_partial)) from marts.mart_channel_daily where date = '2026-01-19'",
                "31.250000 0 false",
            ),
        ],
    );
}

/// A shop that sells in euros and in won, with a catalogue that lacks a product.
const SHOP: &str = "  shop:
    streams:
      orders: exports/orders.csv
      lines: exports/lines.csv
      products: exports/products.csv
";

const SHOP_FILES: [(&str, &str); 6] = [
    (
        "exports/orders.csv",
        "id,at,total,currency\nO-1,2026-01-19T10:00:00Z,100,EUR\n\
         O-2,2026-01-19T11:00:00Z,30000,KRW\n",
    ),
    (
        "exports/lines.csv",
        "order,line,at,product,total,currency\nO-1,1,2026-01-19T10:00:00Z,P-1,100,EUR\n\
         O-2,1,2026-01-19T11:00:00Z,P-9,30000,KRW\n",
    ),
    ("exports/products.csv", "id,name\nP-1,Pot\n"),
    (
        "models/1_silver/stg_shop__orders.sql",
        "-- grain: one row per order\n{{ config(entity='order') }}\nselect _raw_id, \
         id as order_id, at as ordered_at, total as gross_amount, currency as currency_code \
         from {{ source('shop', 'orders') }}\n",
    ),
    (
        "models/1_silver/stg_shop__lines.sql",
        "-- grain: one row per line\n{{ config(entity='order_line') }}\nselect _raw_id, \
         \"order\" as order_id, line as line_id, at as ordered_at, product as product_id, \
         total as revenue_amount, currency as currency_code from {{ source('shop', 'lines') }}\n",
    ),
    (
        "models/1_silver/stg_shop__products.sql",
        "-- grain: one row per product\n{{ config(entity='product') }}\nselect _raw_id, \
         id as product_id, name as product_name from {{ source('shop', 'products') }}\n",
    ),
];
