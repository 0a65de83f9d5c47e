//! The semantic layer on the demo company: every figure is the one that the marts and the facts
//! give, however it is asked for.

use serde_json::Value;
use testkit::{Project, plain};

use crate::demo_company::company;

/// The rows of `metrics query`, as texts.
fn asked(project: &Project, arguments: &[&str]) -> Vec<Vec<String>> {
    let mut all = vec!["metrics", "query"];
    all.extend(arguments);
    texts(project.json(&all, 0).as_array().unwrap())
}

fn texts(rows: &[Value]) -> Vec<Vec<String>> {
    let row = |row: &Value| row.as_object().unwrap().values().map(plain).collect();
    rows.iter().map(row).collect()
}

/// Equal as texts or as numbers to the cent of a cent.
fn same(left: &str, right: &str) -> bool {
    match (left.parse::<f64>(), right.parse::<f64>()) {
        (Ok(left), Ok(right)) => (left - right).abs() <= 0.000_05_f64.max(right.abs() * 1e-9),
        _ => left == right,
    }
}

/// What is asked for, and the SQL over marts or facts that gives the same.
const FIGURES: &[(&str, &str)] = &[
    (
        "sessions engaged_sessions page_views engagement_time engaged_rate --by channel",
        "select channel, sum(session_count), sum(engaged_session_count), sum(page_view_count), \
         sum(engagement_msec), \
         cast(sum(engaged_session_count) as double) / nullif(sum(session_count), 0) \
         from marts.mart_channel_daily group by channel having sum(session_count) > 0 \
         order by channel",
    ),
    (
        "visitors --by channel --grain day",
        "select date, channel, visitor_count from marts.mart_channel_daily \
         where session_count > 0 order by date, channel",
    ),
    (
        "spend impressions clicks ctr cpc --by channel --grain month --where channel!=Direct",
        "select cast(date_trunc('month', date) as date) as month, channel, \
         sum(spend_reporting_amount), sum(impressions), sum(clicks), \
         cast(sum(clicks) as double) / nullif(sum(impressions), 0), \
         cast(sum(spend_reporting_amount) as double) / nullif(sum(clicks), 0), false \
         from marts.mart_channel_daily where impressions > 0 \
         group by 1, 2 order by 1, 2",
    ),
    (
        "spend cpm --by campaign_id --where campaign_id!=",
        "select campaign_id, sum(spend_reporting_amount), \
         1000 * cast(sum(spend_reporting_amount) as double) / nullif(sum(impressions), 0), false \
         from marts.mart_campaign_daily where impressions > 0 and campaign_id is not null \
         group by campaign_id order by campaign_id",
    ),
    (
        "credited_sales credited_revenue credited_new_customers --by attribution_model,channel \
         --grain month",
        "select cast(date_trunc('month', date) as date) as month, model, channel, \
         sum(case when is_sale then credited_conversions else 0 end), \
         sum(case when is_sale then revenue_reporting_amount else 0 end), \
         sum(credited_new_customers), false \
         from marts.mart_attribution_compare group by 1, 2, 3 order by 1, 2, 3",
    ),
    (
        "credited_conversions --by conversion_type --where attribution_model=linear",
        "select conversion_type, sum(credited_conversions) from marts.mart_attribution_compare \
         where model = 'linear' group by 1 order by 1",
    ),
    (
        "worth.spend worth.sales worth.revenue worth.refund_amount worth.net_revenue roas net_roas \
         cpa cost_per_lead cac --by attribution_model,date_basis",
        "select model, date_basis, spend_reporting_amount, sales, revenue_reporting_amount, \
         refund_reporting_amount, net_revenue_reporting_amount, roas, net_roas, cpa, \
         cost_per_lead, cac, is_partial \
         from marts.mart_worth where period = 'all' and level = 'total' order by 1, 2",
    ),
    (
        "roas cpa cac --by channel --grain month --where attribution_model=first",
        "select period_start, member, roas, cpa, cac, is_partial from marts.mart_worth \
         where period = 'month' and level = 'channel' and model = 'first' \
         and date_basis = 'conversion' order by 1, 2",
    ),
    (
        "roas --by spend_match --grain week",
        "select period_start, member, roas, is_partial from marts.mart_worth \
         where period = 'week' and level = 'spend_match' and is_default_model \
         and date_basis = 'conversion' order by 1, 2",
    ),
    (
        "net_revenue mer",
        "select net_revenue_reporting_amount, mer, is_partial from marts.mart_worth \
         where period = 'all' and level = 'total' and is_default_model \
         and date_basis = 'conversion'",
    ),
    (
        "revenue sales new_customers average_order_value",
        "select sum(case when is_sale then revenue_reporting_amount end), \
         sum(case when is_sale then 1 else 0 end), \
         sum(case when is_new_customer then 1 else 0 end), \
         cast(sum(case when is_sale then revenue_reporting_amount end) as double) \
         / sum(case when is_sale then 1 else 0 end), bool_or(is_sale and is_partial) \
         from star.fct_conversion",
    ),
    (
        "conversion_rate --by channel",
        "select channel, cast(sum(position_sales) as double) / nullif(sum(session_count), 0) \
         from marts.mart_channel_daily group by channel \
         having sum(session_count) > 0 or sum(position_sales) > 0 order by channel",
    ),
    (
        "step_sessions step_rate --by funnel_step",
        "select step, sum(session_count), cast(sum(session_count) as double) \
         / nullif(sum(previous_step_session_count), 0) from marts.mart_funnel \
         group by step order by step",
    ),
    (
        "ltv ltv_to_cac --by month_of_life",
        "select months_since, cast(sum(cumulative_net_revenue_reporting_amount) as double) \
         / nullif(sum(customers), 0), \
         cast(sum(cumulative_net_revenue_reporting_amount) as double) \
         / nullif(sum(acquisition_spend_reporting_amount), 0), bool_or(is_partial) \
         from marts.mart_ltv_cohort where cohort_grain = 'month' and level = 'total' \
         and is_default_model and is_mature group by 1 order by 1",
    ),
    (
        "platform_conversions platform_conversion_value --by platform,conversion_group",
        "select platform, conversion_group, sum(platform_conversions), \
         coalesce(sum(platform_conversion_reporting_amount), 0), bool_or(is_partial) \
         from marts.mart_platform_conversions group by 1, 2 order by 1, 2",
    ),
    (
        "claimed_sales own_sales own_revenue platform_spend platform_roas own_roas \
         --by platform",
        "select platform, sum(platform_conversions), sum(own_sales), \
         sum(own_revenue_reporting_amount), sum(spend_reporting_amount), \
         cast(sum(platform_value_reporting_amount) as double) \
         / nullif(sum(spend_reporting_amount), 0), \
         cast(sum(own_revenue_reporting_amount) as double) \
         / nullif(sum(spend_reporting_amount), 0), bool_or(is_partial) \
         from marts.mart_reported_vs_own where level = 'platform' group by 1 order by 1",
    ),
    (
        "ad_levels.spend --by platform,ad_level",
        "select platform, level, sum(spend_reporting_amount), bool_or(is_partial) \
         from star.fct_ad_performance_current where is_in_hierarchy group by 1, 2 order by 1, 2",
    ),
    (
        "open_deals won_deals pipeline_amount won_deal_revenue win_rate --by channel",
        "select channel, sum(open_deals), sum(won_deals), sum(open_reporting_amount), \
         sum(won_revenue_reporting_amount), \
         cast(sum(won_deals) as double) / nullif(sum(won_deals + lost_deals), 0), \
         bool_or(is_partial) from marts.mart_pipeline_by_channel where model = 'position' \
         group by 1 order by 1",
    ),
    (
        "entered won entered_to_won_rate --by funnel_subject,funnel_touch",
        "select subject_type, touch, sum(entered_count), sum(won_count), \
         cast(sum(won_count) as double) / nullif(sum(entered_count), 0) \
         from marts.mart_b2b_funnel group by 1, 2 order by 1, 2",
    ),
    (
        "customers customer_net_revenue --by customer_type",
        "select customer_type, count(*), sum(net_revenue_reporting_amount), \
         coalesce(bool_or(is_partial), false) from marts.mart_customer_360 group by 1 order by 1",
    ),
    (
        "refunds refund_amount --grain month",
        "select cast(date_trunc('month', reporting_date) as date), count(*), \
         sum(refund_reporting_amount), \
         bool_or(refund_reporting_amount is null and refund_amount <> 0) \
         from star.fct_refund where is_of_conversion group by 1 order by 1",
    ),
    (
        "users active_customers",
        "select count(distinct case when event_type = 'session_start' then customer_key end), \
         count(distinct customer_key) from star.journey_event \
         where not is_bot and customer_key not in (0, -1)",
    ),
    (
        "units_sold product_revenue --by product_category",
        "select p.category, sum(l.quantity), sum(l.revenue_reporting_amount), \
         bool_or(l.revenue_reporting_amount is null and l.revenue_amount <> 0) \
         from star.fct_order_line as l \
         left join star.dim_product_current as p on l.product_key = p.product_key \
         where l.is_test is not true and l.is_cancelled is not true group by 1 order by 1",
    ),
];

#[test]
fn every_figure_is_that_of_the_marts() {
    let project = company();
    for (request, sql) in FIGURES {
        let arguments: Vec<&str> = request.split_whitespace().collect();
        let found = asked(project, &arguments);
        let wanted = texts(&project.rows(sql));
        // A small company may have nothing refunded; everything else happens in it.
        assert!(!wanted.is_empty() || sql.contains("fct_refund"), "{sql}");
        assert_eq!(
            found.len(),
            wanted.len(),
            "{request}\n{found:?}\n{wanted:?}"
        );
        for (found, wanted) in found.iter().zip(&wanted) {
            let equal = found.len() == wanted.len()
                && found
                    .iter()
                    .zip(wanted)
                    .all(|(found, wanted)| same(found, wanted));
            assert!(equal, "{request}\n{found:?}\n{wanted:?}");
        }
    }
}

#[test]
fn sql_gives_what_requests_give() {
    let project = company();
    for (request, sql) in [
        (
            "sessions visitors engaged_rate --by channel --from 2026-05-01 --to 2026-05-31",
            "select channel, sum(sessions), measure(visitors), measure(engaged_rate) \
             from metrics.sessions where day between '2026-05-01' and '2026-05-31' \
             group by channel order by channel",
        ),
        (
            "visitors --grain month",
            "select month, visitors from metrics.sessions order by month",
        ),
        (
            "worth.spend roas cac --by channel",
            "select channel, measure(spend), measure(roas), measure(cac), measure(is_partial) \
             from metrics.worth group by channel order by channel",
        ),
        (
            "credited_revenue --by attribution_model",
            "select attribution_model, sum(credited_revenue), measure(is_partial) \
             from metrics.credit group by attribution_model order by 1",
        ),
    ] {
        let arguments: Vec<&str> = request.split_whitespace().collect();
        assert_eq!(
            asked(project, &arguments),
            texts(&project.rows(sql)),
            "{request}"
        );
    }
}

#[test]
fn all_definitions_hold_on_the_tables() {
    let found = company().json(&["metrics", "check"], 0);
    assert_eq!(found["problems"], serde_json::json!([]));
    assert!(found["metrics"].as_u64() > Some(80));
}

#[test]
fn what_means_nothing_is_refused_with_the_reason() {
    let project = company();
    for (arguments, why) in [
        (
            vec!["metrics", "query", "platform_conversions"],
            "claim the same sale",
        ),
        (
            vec!["metrics", "query", "revenue_as_recorded"],
            "several currencies",
        ),
        (
            vec!["metrics", "query", "revenue", "--by", "channel"],
            "by `channel` there is",
        ),
        (
            vec![
                "metrics",
                "query",
                "credited_sales",
                "--where",
                "attribution_model=first",
                "--where",
                "attribution_model=last",
            ],
            "credits every conversion whole",
        ),
        (
            vec!["query", "select avg(engaged_rate) from metrics.sessions"],
            "a mean of ratios",
        ),
        (
            vec!["query", "select sum(visitors) from metrics.sessions"],
            "several times",
        ),
        (
            vec!["query", "select sum(spend) from metrics.ad_levels"],
            "Every level",
        ),
        (
            vec!["metrics", "show", "no_such"],
            "there is no metric `no_such`",
        ),
    ] {
        let out = project.run(&arguments);
        assert_eq!(out.status.code(), Some(1), "{arguments:?}");
        let said = testkit::text(&out);
        assert!(said.contains(why), "{arguments:?}: {said}");
    }
}

#[test]
fn a_project_adds_its_own_and_is_told_what_is_wrong() {
    let project = Project::new(crate::PROGRAM, "name: own\n");
    project.write(
        "metrics/own.yml",
        "subjects:\n  - name: sessions\n    extend: true\n    measures:\n      \
         - {name: long_sessions, description: Long., aggregate: count, \
         sql: case when duration_seconds > 60 then 1 end}\n",
    );
    let shown = project.json(&["metrics", "show", "long_sessions"], 0);
    assert_eq!(shown["full_name"], "sessions.long_sessions");
    let sql = project.json(&["metrics", "query", "long_sessions", "--sql"], 0);
    assert!(
        sql["sql"]
            .as_str()
            .unwrap()
            .contains("duration_seconds > 60")
    );
    project.write(
        "metrics/own.yml",
        "metrics:\n  - {name: m, description: M., formula: a / b}\n",
    );
    let out = project.run(&["metrics", "list"]);
    let said = testkit::text(&out);
    assert!(said.contains("there is no metric `a`"), "{said}");
    assert!(said.contains("metrics/own.yml:2"), "{said}");
}

#[test]
fn exports_hold_every_subject() {
    let project = company();
    let folder = project.path("exported");
    for (tool, files) in [("dbt", 1), ("lookml", 19), ("tableau", 18)] {
        let out = folder.join(tool);
        let said = project.json(
            &["metrics", "export", tool, "--out", out.to_str().unwrap()],
            0,
        );
        assert_eq!(said["files"].as_array().unwrap().len(), files, "{tool}");
    }
    let sources = std::fs::read_to_string(folder.join("dbt/models/throughline/sources.yml"));
    let sources: serde_yaml_ng::Value = serde_yaml_ng::from_str(&sources.unwrap()).unwrap();
    let schemas = sources["sources"].as_sequence().unwrap();
    let names: Vec<&str> = schemas
        .iter()
        .map(|s| s["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["star", "marts", "metrics"]);
    let sql = "select concat(table_schema, '.', table_name) as name from information_schema.tables";
    let known: Vec<String> = texts(&project.rows(sql)).concat();
    for schema in schemas {
        let name = schema["name"].as_str().unwrap();
        for table in schema["tables"].as_sequence().unwrap() {
            let table = format!("{name}.{}", table["name"].as_str().unwrap());
            assert!(known.contains(&table), "{table}");
        }
    }
}
