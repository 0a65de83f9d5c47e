//! Spend and worth: a small shop whose every figure is worked out by hand, and the demo company,
//! whose marts must hold what the facts do.

use std::path::Path;

use serde_json::Value;
use testkit::{Project, copy_folder};

use crate::PROGRAM;
use crate::demo_company::COMPANY;
use crate::own_sources::holds;

/// The small shop, with more settings; not yet built.
fn shop(more: &str) -> Project {
    let scenario = Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/scenarios/worth"
    ));
    let settings = std::fs::read_to_string(scenario.join("settings.yml")).unwrap();
    let project = Project::new(PROGRAM, &format!("{settings}{more}"));
    for folder in ["data", "models"] {
        copy_folder(&scenario.join(folder), &project.dir().join(folder));
    }
    project
}

/// The figures of a row of `worth`, as one text; what is null is a dash.
fn figures(rows: &Value, name: &str, columns: &[&str]) -> String {
    let rows = rows.as_array().unwrap();
    let row = rows.iter().find(|row| row["member"] == name);
    let row = row.unwrap_or_else(|| panic!("no `{name}`"));
    of(row, columns)
}

fn of(row: &Value, columns: &[&str]) -> String {
    let number = |column: &&str| {
        let value = match &row[*column] {
            Value::String(text) => text.parse::<f64>().unwrap(),
            Value::Null => return "-".to_owned(),
            other => other.as_f64().unwrap(),
        };
        format!("{value:.2}")
    };
    let numbers: Vec<String> = columns.iter().map(number).collect();
    numbers.join(" ")
}

const SUMS: [&str; 7] = [
    "spend_reporting_amount",
    "revenue_reporting_amount",
    "net_revenue_reporting_amount",
    "sales",
    "roas",
    "cpa",
    "cac",
];

/// Spend: brand 100 + 50 + 80, display 30; prospects 250 USD at 0.8 and 100 USD at 0.625, each at
/// the rate of its own day; lookalike 40 GBP without a rate. Sales: 200 + 100 + 320 (400 USD) + 120
/// + 60 + 90 + 30 + 70, and 55 GBP without a rate. One refund of 50.
#[test]
fn a_small_shop_is_worth_what_it_is_by_hand() {
    let project = shop("");
    project.json(&["run"], 0);
    by_conversion(&project);
    by_touch(&project);
    cohorts(&project);
    reported(&project);
}

fn by_conversion(project: &Project) {
    let worth = project.json(&["worth"], 0);
    let total = &worth["total"];
    assert_eq!(
        of(total, &SUMS),
        "522.50 990.00 940.00 9.00 1.89 58.06 74.64"
    );
    assert_eq!(of(total, &["mer", "unconverted_rows"]), "1.80 2.00");
    assert_eq!(total["is_partial"], true);
    assert_eq!(worth["as_of"], "2026-03-15");

    let channels = &worth["channels"];
    for (channel, expected) in [
        ("Paid Search", "260.00 450.00 400.00 4.00 1.73 65.00 86.67"),
        // Half of the sale in dollars: the other half is organic's.
        (
            "Paid Social",
            "262.50 160.00 160.00 0.50 0.61 525.00 525.00",
        ),
        // Nothing was spent: no ratio, neither 0 nor infinity.
        ("Organic Search", "0.00 160.00 160.00 0.50 - - -"),
        ("Email", "0.00 90.00 90.00 1.00 - - -"),
        ("(unattributed)", "0.00 130.00 130.00 2.00 - - -"),
        ("Direct", "0.00 0.00 0.00 1.00 - - -"),
    ] {
        assert_eq!(figures(channels, channel, &SUMS), expected, "{channel}");
    }
    assert_eq!(channels.as_array().unwrap().len(), 6);

    // What cannot meet stands in rows of its own.
    let matches = &worth["spend_match"];
    for (name, expected) in [
        ("matched", "492.50 540.00 490.00 3.50 1.10 140.71 197.00"),
        ("unmatched spend", "30.00 0.00 0.00 0.00 0.00 - -"),
        ("unmatched revenue", "0.00 70.00 70.00 1.00 - - -"),
        ("no spend", "0.00 250.00 250.00 2.50 - - -"),
        ("unattributed", "0.00 130.00 130.00 2.00 - - -"),
    ] {
        assert_eq!(figures(matches, name, &SUMS), expected, "{name}");
    }
    holds(
        project,
        &[
            // The refund is on its own day, and not on the sale's.
            (
                "concat_ws(' ', date, refund_reporting_amount, net_revenue_reporting_amount) \
                 from marts.mart_worth_daily where date_basis = 'conversion' \
                 and model = 'linear' and refund_reporting_amount <> 0",
                "2026-02-20 50.000000 -50.000000",
            ),
            // A sum of ratios is none; the view takes them again. January: 610 of 380.
            (
                "concat_ws(' ', revenue_reporting_amount, spend_reporting_amount, \
                 round(mer, 6), unconverted_rows) from marts.mart_worth \
                 where date_basis = 'conversion' and model = 'linear' and period = 'month' \
                 and level = 'total' and period_start = date '2026-01-01'",
                "610.000000 380.000000 1.605263 1",
            ),
            (
                "count(*) from marts.mart_worth_daily \
                 where spend_reporting_amount = 0 \
                 and coalesce(roas, net_roas, cpa, cac) is not null",
                "0",
            ),
        ],
    );
}

fn by_touch(project: &Project) {
    let worth = project.json(&["worth", "--by", "touch"], 0);
    assert_eq!(
        of(&worth["total"], &SUMS),
        "522.50 990.00 940.00 9.00 1.89 58.06 74.64"
    );
    let day = |date: &str| {
        format!(
            "concat_ws(' ', revenue_reporting_amount, refund_reporting_amount, \
             spend_reporting_amount, sales, roas, is_mature) from marts.mart_worth_daily \
             where date_basis = 'touch' and model = 'linear' and campaign_name = 'brand' \
             and date = '{date}'"
        )
    };
    holds(
        project,
        &[
            // The click of 5 January led to a sale on the 6th and to its refund in February.
            (
                &day("2026-01-05"),
                "200.000000 50.000000 100.000000 1.000000000000 2.0 true",
            ),
            // That of 3 February led to two sales, one of them in March.
            (
                &day("2026-02-03"),
                "180.000000 0.000000 80.000000 2.000000000000 2.25 true",
            ),
            // Thirty days may pass before a sale: 14 February is not over on 15 March.
            (
                "concat_ws(' ', min(case when not is_mature then date end), \
                 max(case when is_mature then date end)) from marts.mart_worth_daily \
                 where date_basis = 'touch'",
                "2026-02-14 2026-02-12",
            ),
        ],
    );
    // The first touch alone: all of the sale in dollars is social's.
    let first = project.json(&["worth", "--model", "first"], 0);
    assert_eq!(
        figures(&first["channels"], "Paid Social", &SUMS),
        "262.50 320.00 320.00 1.00 1.22 262.50 262.50"
    );
    let failed = project.run(&["worth", "--model", "guess"]);
    assert_eq!(failed.status.code(), Some(1));
    assert!(testkit::text(&failed).contains("there is: first, first_paid, last"));
}

/// January: three customers for 380; 610, then 100 less a refund of 50. February: four for 142.50.
fn cohorts(project: &Project) {
    let worth = project.json(&["worth"], 0);
    let rows = worth["cohorts"].as_array().unwrap();
    let columns = [
        "customers",
        "acquisition_spend_reporting_amount",
        "cac",
        "months_since",
        "cumulative_net_revenue_reporting_amount",
        "ltv",
        "ltv_to_cac",
        "payback_month",
    ];
    let cohorts: Vec<String> = rows.iter().map(|row| of(row, &columns)).collect();
    assert_eq!(
        cohorts,
        [
            "3.00 380.00 126.67 1.00 660.00 220.00 1.74 0.00",
            "4.00 142.50 35.62 0.00 220.00 55.00 1.54 0.00",
        ]
    );
    let cell = |model: &str, cohort: &str, channel: &str, month: u32| {
        format!(
            "concat_ws(' ', customers, order_count, cumulative_net_revenue_reporting_amount, \
             is_mature, coalesce(cast(ltv as text), '-'), \
             coalesce(cast(payback_month as text), '-')) from marts.mart_ltv_cohort \
             where cohort_grain = 'month' and model = '{model}' \
             and cohort_start = '{cohort}' and channel = '{channel}' and months_since = {month}"
        )
    };
    holds(
        project,
        &[
            // By the first touch social has won one customer and paid back; by half, not yet.
            (
                &cell("first", "2026-01-01", "Paid Social", 1),
                "1.000000000000 0.000000000000 320.000000 true 320.0 0",
            ),
            (
                &cell("linear", "2026-01-01", "Paid Social", 1),
                "0.500000000000 0.000000000000 160.000000 true 320.0 -",
            ),
            // March is not over: the money stands there, the ratio does not.
            (
                &cell("linear", "2026-02-01", "(all channels)", 1),
                "4.000000000000 1.000000000000 280.000000 false - 0",
            ),
            // Of month 1 only January has lived it: 660 of 3, and not 940 of 7.
            (
                "string_agg(concat_ws(' ', cohort_count, customers, round(ltv, 4)), ', ' \
                 order by months_since) from marts.mart_ltv_curve \
                 where cohort_grain = 'month' and model = 'linear' and level = 'total'",
                "2 7.000000000000 118.5714, 1 3.000000000000 220.0",
            ),
            // The sale that came back in the week of 5 January: 31 days later, in month 1.
            (
                "string_agg(concat_ws(' ', months_since, net_revenue_reporting_amount), ', ' \
                 order by months_since) from marts.mart_ltv_cohort where cohort_grain = 'week' \
                 and model = 'linear' and level = 'total' and cohort_start = '2026-01-05'",
                "0 200.000000, 1 50.000000, 2 0.000000",
            ),
            // Of the goods only the lamp's cost is known.
            (
                "concat_ws(' ', sum(uncosted_rows), sum(unconverted_rows), \
                 sum(margin_reporting_amount)) from marts.mart_ltv_cohort \
                 where cohort_grain = 'month' and model = 'linear' and level = 'total' \
                 and cohort_start is not null",
                "8 1 0.000000",
            ),
        ],
    );
}

fn reported(project: &Project) {
    holds(
        project,
        &[
            // Three claimed, two of them for views; nothing of ours on that day.
            (
                "concat_ws(' ', claim_kind, platform_conversions, platform_value_reporting_amount, \
                 own_sales, gap_sales, gap_by_view_sales, gap_unexplained_sales, \
                 gap_by_view_reporting_amount, claims_not_of_record) \
                 from marts.mart_reported_vs_own \
                 where level = 'campaign' and platform = 'meta_ads' and date = '2026-01-10'",
                "purchase 3.000000000000 1200.000000 0.000000000000 3.000000000000 \
                 2.000000000000 1.000000000000 800.000000 2",
            ),
            // On the 13th half a sale by our model, none by the last click: organic came later.
            (
                "concat_ws(' ', own_sales, last_click_sales, touched_sale_count, gap_sales, \
                 gap_by_model_sales, gap_unexplained_sales) from marts.mart_reported_vs_own \
                 where level = 'campaign' and platform = 'meta_ads' and date = '2026-01-13'",
                "0.500000000000 0.000000000000 1 -0.500000000000 -0.500000000000 0.000000000000",
            ),
            // The CRM has won what the shop sold, at its own amount.
            (
                "concat_ws(' ', own_revenue_reporting_amount, crm_won_deals, \
                 crm_won_reporting_amount) from marts.mart_reported_vs_own \
                 where level = 'campaign' and campaign_name = 'brand' and date = '2026-03-02'",
                "60.000000 1.000000000000 65.000000",
            ),
            // A visit of an ad whose campaign nobody knows is the platform's all the same.
            (
                "concat_ws(' ', sum(platform_conversions), sum(own_sales), \
                 sum(own_unmatched_sales), sum(spend_reporting_amount)) \
                 from marts.mart_reported_vs_own \
                 where level = 'platform' and platform = 'google_ads'",
                "3.000000000000 4.000000000000 1.000000000000 260.000000",
            ),
            (
                "concat_ws(' ', own_sales, own_unmatched_sales) from marts.mart_reported_vs_own \
                 where level = 'campaign' and is_unmatched",
                "1.000000000000 1.000000000000",
            ),
            (
                "count(*) from marts.mart_reported_vs_own \
                 where level not in ('campaign', 'account', 'platform')",
                "0",
            ),
        ],
    );
}

/// The margin is 0.55 of what is sold, but 50 of the lamp's 120; display seeks nobody new; Google
/// dates by the click and counts for seven days.
#[test]
fn what_the_project_says_of_margins_dates_and_windows_holds() {
    let project = shop(
        "vars:\n  margin_rate: 0.55\n  retention_campaigns: ['display%']\n  \
         platform_dates: {google_ads: click}\n  platform_windows: {google_ads: 7}\n",
    );
    // A deal of nobody we know: no customer, no cohort, but revenue.
    let deals = project.dir().join("data/deals.csv");
    let known = std::fs::read_to_string(&deals).unwrap();
    let unknown = "Q2,2026-03-01T10:00:00Z,2026-03-10T12:00:00Z,10.00,";
    std::fs::write(&deals, format!("{known}{unknown}\n")).unwrap();
    project.json(&["run"], 0);
    let cohort = |cohort: &str| {
        format!(
            "string_agg(concat_ws(' ', months_since, cumulative_margin_reporting_amount, \
             acquisition_spend_reporting_amount, coalesce(cast(payback_month as text), '-')), ', ' \
             order by months_since) from marts.mart_ltv_cohort where cohort_grain = 'month' \
             and model = 'linear' and level = 'total' and cohort_start = '{cohort}'"
        )
    };
    let gap = |date: &str| {
        format!(
            "concat_ws(' ', gap_sales, gap_by_model_sales, gap_by_day_sales, gap_by_window_sales, \
             gap_by_view_sales, gap_unexplained_sales) from marts.mart_reported_vs_own \
             where level = 'campaign' and campaign_name = 'brand' and date = '{date}'"
        )
    };
    let zeros = |numbers: [&str; 6]| numbers.map(|n| format!("{n}.000000000000")).join(" ");
    holds(
        &project,
        &[
            // 610 * 0.55, then 50 * 0.55: paid back in month 1.
            (
                &cohort("2026-01-01"),
                "0 335.500000 350.000000 1, 1 363.000000 350.000000 1, \
                 2 363.000000 350.000000 1",
            ),
            // 50 + (30 + 70) * 0.55, then 33 in a month that is not over: not yet.
            (
                &cohort("2026-02-01"),
                "0 105.000000 142.500000 -, 1 138.000000 142.500000 -",
            ),
            (
                "concat_ws(' ', spend_reporting_amount, acquisition_spend_reporting_amount, \
                 round(cac, 4)) from marts.mart_worth where level = 'total' and period = 'all' \
                 and model = 'linear' and date_basis = 'touch'",
                "522.500000 492.500000 70.3571",
            ),
            (
                "concat_ws(' ', customers, order_count, net_revenue_reporting_amount) \
                 from marts.mart_ltv_cohort where cohort_start is null \
                 and cohort_grain = 'month' and model = 'linear' and level = 'total'",
                "0.000000000000 1.000000000000 10.000000",
            ),
            // Two claimed on the day of the click; our one sale of it is a day later.
            (&gap("2026-01-05"), &zeros(["2", "0", "1", "0", "0", "1"])),
            (&gap("2026-01-06"), &zeros(["-1", "0", "-1", "0", "0", "0"])),
            // The click of that day brought two sales, the second after 27 days.
            (&gap("2026-02-03"), &zeros(["0", "0", "1", "-1", "0", "0"])),
        ],
    );
}

/// Nothing sold yet: spend is there, and whatever would divide by a sale is not.
#[test]
fn spend_without_sales_has_no_costs_per_sale() {
    let project = shop("");
    for name in ["orders", "refunds", "deals", "visits"] {
        let path = project.dir().join(format!("data/{name}.csv"));
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, format!("{}\n", text.lines().next().unwrap())).unwrap();
    }
    project.json(&["run"], 0);
    let worth = project.json(&["worth"], 0);
    assert_eq!(of(&worth["total"], &SUMS), "522.50 0.00 0.00 0.00 0.00 - -");
    assert_eq!(
        figures(&worth["spend_match"], "unmatched spend", &SUMS),
        "522.50 0.00 0.00 0.00 0.00 - -"
    );
}

#[test]
fn the_demo_companys_marts_hold_what_the_facts_do() {
    let project = &COMPANY.project;
    let spend = project.value(
        "select sum(spend_reporting_amount) from star.fct_ad_performance_current \
         where is_spend_of_record",
    );
    let revenue = project
        .value("select sum(revenue_reporting_amount) from star.fct_conversion where is_sale");
    let refund = project.value(
        "select coalesce(sum(refund_reporting_amount), 0) from star.fct_refund \
         where is_of_conversion",
    );
    let sums = "concat_ws(' ', sum(spend_reporting_amount), sum(revenue_reporting_amount), \
                sum(refund_reporting_amount))";
    let expected = format!("{spend} {revenue} {refund}");
    for basis in ["conversion", "touch"] {
        for model in ["first", "linear", "position", "time_decay"] {
            let rows = format!("where date_basis = '{basis}' and model = '{model}'");
            holds(
                project,
                &[(
                    &format!("{sums} from marts.mart_worth_daily {rows}"),
                    &expected,
                )],
            );
        }
    }
    for grain in ["month", "week"] {
        for level in ["channel", "total"] {
            for model in ["first", "position"] {
                let rows = format!(
                    "where cohort_grain = '{grain}' and level = '{level}' and model = '{model}'"
                );
                let cohorts = "concat_ws(' ', sum(case when months_since = 0 \
                     then acquisition_spend_reporting_amount end), \
                     sum(revenue_reporting_amount), sum(refund_reporting_amount))";
                holds(
                    project,
                    &[(
                        &format!("{cohorts} from marts.mart_ltv_cohort {rows}"),
                        &expected,
                    )],
                );
            }
        }
    }
    let by_platform = "select string_agg(concat(platform, ' ', spend), ', ' order by platform) \
         from (select platform, sum(spend_reporting_amount) as spend from";
    assert_eq!(
        project.value(&format!(
            "{by_platform} marts.mart_reported_vs_own where level = 'campaign' group by platform)"
        )),
        project.value(&format!(
            "{by_platform} star.fct_ad_performance_current where is_spend_of_record \
             group by platform)"
        ))
    );
}
