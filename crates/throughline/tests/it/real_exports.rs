//! Built-in silver over exports that nobody here wrote: every row is in silver, in quarantine with
//! a reason, counted as a duplicate, or superseded.

use testkit::{Project, copy_folder, shared};

use crate::PROGRAM;

pub(crate) fn balanced(project: &Project) {
    let out = project.run(&["--json", "--quiet", "run"]);
    // Real exports may break rules of ours; the books must balance all the same.
    let ran: serde_json::Value = serde_json::from_slice(&out.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", testkit::text(&out)));
    for model in ran["models"].as_array().unwrap() {
        let silver = model["table"].as_str().unwrap().starts_with("silver.");
        assert!(!silver || model["error"].is_null(), "{model}");
    }
    let balances = ran["balances"].as_array().unwrap();
    assert!(!balances.is_empty());
    for balance in balances.iter().filter(|balance| balance["rows"] == "one") {
        let of = |name: &str| balance[name].as_i64().unwrap();
        let accounted = of("silver") + of("quarantine") + of("duplicates") + of("superseded");
        assert_eq!(of("raw"), accounted, "{balance}");
        assert!(of("raw") > 0, "{balance}");
    }
}

/// `streams:` of a kind for those seeds of a folder that have this prefix.
pub(crate) fn streams(
    folder: &std::path::Path,
    kind: &str,
    prefix: &str,
    wanted: &[&str],
) -> String {
    let mut text = format!("  {kind}:\n    kind: {kind}\n    layout: fivetran\n    streams:\n");
    for name in wanted {
        let file = format!("{prefix}{name}_data.csv");
        let file = if folder.join(&file).exists() {
            file
        } else {
            format!("{prefix}{name}.csv")
        };
        assert!(folder.join(&file).exists(), "{file}");
        text.push_str(&format!("      {name}: exports/{file}\n"));
    }
    text
}

#[test]
fn hubspot_as_fivetran_lands_it() {
    let Some(seeds) = shared("data/fivetran_hubspot/integration_tests/seeds") else {
        return;
    };
    let wanted = [
        "contact",
        "company",
        "deal",
        "deal_contact",
        "deal_company",
        "deal_stage",
        "deal_pipeline",
        "deal_pipeline_stage",
        "contact_merge_audit",
        "merged_deal",
        "contact_property_history",
        "company_property_history",
        "deal_property_history",
    ];
    let settings = format!("sources:\n{}", streams(&seeds, "hubspot", "", &wanted));
    let project = Project::new(PROGRAM, &settings);
    copy_folder(&seeds, &project.dir().join("exports"));
    balanced(&project);
    assert_eq!(
        project.value("select count(*) from silver.deal_contact"),
        "11"
    );
}

#[test]
fn google_meta_and_linkedin_as_fivetran_lands_them() {
    let Some(seeds) = shared("data/fivetran_ads/integration_tests/seeds") else {
        return;
    };
    let google = [
        "account_history",
        "campaign_history",
        "ad_group_history",
        "ad_history",
        "campaign_stats",
        "ad_group_stats",
        "ad_stats",
        "account_stats",
        "keyword_stats",
    ];
    let meta = [
        "account_history",
        "campaign_history",
        "ad_set_history",
        "ad_history",
        "basic_ad",
        "basic_ad_actions",
        "basic_ad_action_values",
    ];
    let linkedin = [
        "ad_account_history",
        "ad_campaign_group_history",
        "ad_campaign_history",
        "ad_creative_history",
        "ad_analytics_by_creative",
        "ad_analytics_by_campaign",
    ];
    let settings = format!(
        "sources:\n{}{}{}",
        streams(&seeds, "google_ads", "google_ads_", &google),
        streams(&seeds, "meta_ads", "facebook_ads_", &meta),
        streams(&seeds, "linkedin_ads", "linkedin_", &linkedin),
    );
    let project = Project::new(PROGRAM, &settings);
    copy_folder(&seeds, &project.dir().join("exports"));
    balanced(&project);

    // The figures are those of the files: micros and all.
    let sum = |file: &str, column: &str| -> i128 {
        let rows = testkit::csv_rows(&seeds.join(file));
        rows.iter()
            .filter_map(|row| row[column].trim().parse::<i128>().ok())
            .sum()
    };
    let micros = sum("google_ads_campaign_stats_data.csv", "cost_micros");
    let spend = "select cast(sum(spend_amount) * 1000000 as bigint) from silver.ad_performance \
                 where platform = 'google_ads' and level = 'campaign'";
    assert_eq!(project.value(spend), micros.to_string());
    let clicks = sum("linkedin_ad_analytics_by_creative_data.csv", "clicks");
    let found = "select sum(clicks) from silver.ad_performance \
                 where platform = 'linkedin_ads' and level = 'ad'";
    let lost = "select count(*) from quarantine.stg_linkedin_ads__creative_performance";
    if project.value(lost) == "0" {
        assert_eq!(project.value(found), clicks.to_string());
    }
}

#[test]
fn samples_of_the_ga4_export() {
    let Some(data) = shared("data/ga4_samples") else {
        return;
    };
    let project = Project::new(
        PROGRAM,
        "sources:\n  ga4:\n    kind: ga4\n    streams:\n      events:\n        \
         [exports/ga4_export_web_20231005.ndjson, exports/ga4_export_gms_pageview_20210128.json, \
         exports/ga4_firebase_android_signup_20230116.json]\n      \
         events_flat: exports/ga4_public_dataset.csv\n      \
         event: exports/fivetran_seed/integration_tests/seeds/event_data.csv\n",
    );
    copy_folder(&data, &project.dir().join("exports"));
    balanced(&project);
    let names = project.rows("select distinct event_name from silver.web_event order by 1");
    let names: Vec<&str> = names
        .iter()
        .map(|row| row["event_name"].as_str().unwrap())
        .collect();
    assert!(
        names.contains(&"scroll") && names.contains(&"sign_up"),
        "{names:?}"
    );
    let at = "select cast(event_at as text) from silver.web_event where event_name = 'sign_up'";
    assert!(
        project.value(at).starts_with("2023-01-16T08:40:01.132002"),
        "{}",
        project.value(at)
    );
}

#[test]
fn salesforce_as_fivetran_lands_it() {
    let Some(seeds) = shared("data/fivetran_salesforce/integration_tests/seeds") else {
        return;
    };
    let wanted = [
        "account",
        "account_history",
        "contact",
        "contact_history",
        "event",
        "lead",
        "opportunity",
        "opportunity_history",
        "opportunity_line_item",
        "order",
        "product_2",
        "task",
        "user",
        "user_role",
    ];
    let settings = format!(
        "sources:\n{}",
        streams(&seeds, "salesforce", "sf_", &wanted)
    );
    let project = Project::new(PROGRAM, &settings);
    copy_folder(&seeds, &project.dir().join("exports"));
    balanced(&project);
    for (query, expected) in [
        (
            "cast(sum(gross_amount) * 100 as bigint) from silver.\"order\"",
            "5480060",
        ),
        (
            "cast(sum(amount) * 100 as bigint) from silver.stg_salesforce__deals",
            "2453000100",
        ),
        ("count(*) from silver.stg_salesforce__deal_versions", "10"),
        ("count(*) from silver.activity", "20"),
        // A converted lead is its contact.
        (
            "a_value || ' ' || b_value from silver.identity_link",
            "salesforce:00Q1G00000nDnM5UAK salesforce:0031G00001QtDPlQAN",
        ),
    ] {
        assert_eq!(
            project.value(&format!("select {query}")),
            expected,
            "{query}"
        );
    }
}

#[test]
fn snowplow_as_its_loaders_write_it() {
    let Some(data) = shared("data/snowplow_web_apache/integration_tests/data/source") else {
        return;
    };
    let project = Project::new(
        PROGRAM,
        "sources:\n  snowplow:\n    kind: snowplow\n    streams:\n      \
         events: exports/snowplow_web_events.csv\n      \
         spiders_and_robots: exports/snowplow_web_spider_context.csv\n      \
         ua_parser_context: exports/snowplow_web_ua_context.csv\n      \
         yauaa_context: exports/snowplow_web_yauaa_context.csv\n      \
         web_vitals: exports/snowplow_web_cwv_context.csv\n      \
         consent_preferences: exports/snowplow_web_consent_preferences.csv\n      \
         cmp_visible: exports/snowplow_web_consent_cmp_visible.csv\n  \
         vitals:\n    kind: snowplow\n    streams:\n      \
         events: exports/snowplow_web_vital_events.csv\n",
    );
    copy_folder(&data, &project.dir().join("exports"));
    balanced(&project);
    for (query, expected) in [
        (
            "count(*) from silver.web_event where source_name = 'snowplow'",
            "157",
        ),
        (
            "count(*) from silver.web_event where source_name = 'vitals'",
            "1000",
        ),
        ("count(*) from quarantine.stg_vitals__events", "1"),
        // Snowplow's models have 43: they leave out late, long and unnamed page views.
        (
            "sum(page_view_count) from star.fct_session where source_name = 'snowplow'",
            "49",
        ),
        (
            "sum(engagement_msec) from star.fct_session where source_name = 'snowplow'",
            "80000",
        ),
        ("count(*) from silver.consent", "110"),
        (
            "count(*) from silver.consent where purpose = 'ads' and state = 'granted'",
            "15",
        ),
        ("count(*) from star.fct_session where is_bot", "0"),
        (
            "count(*) from star.fct_session where source_name = 'snowplow'",
            "59",
        ),
    ] {
        assert_eq!(
            project.value(&format!("select {query}")),
            expected,
            "{query}"
        );
    }
}
