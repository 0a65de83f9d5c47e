//! Files that people download from the pages of ad platforms and of GA4: lines before the header,
//! rows that are sums, headings and numbers in the person's language, UTF-16 with tabs.

use std::path::{Path, PathBuf};

use testkit::{Project, text};

use crate::PROGRAM;
use crate::real_exports::balanced;

pub(crate) fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/exports/downloads")
}

pub(crate) fn sample(name: &str) -> String {
    std::fs::read_to_string(samples().join(name)).unwrap()
}

/// A project with one source of a kind whose stream `report` reads `in/*.csv`.
pub(crate) fn reports_of(kind: &str, more: &str) -> Project {
    let settings = format!(
        "sources:\n  {kind}:\n    kind: {kind}\n    layout: download\n{more}    streams:\n      \
         report: in/*.csv\n"
    );
    Project::new(PROGRAM, &settings)
}

/// `text` with commas outside of quotes as tabs, in UTF-16, as `CSV (Excel)` comes.
fn as_excel(text: &str) -> Vec<u8> {
    let mut is_quoted = false;
    let mut tabs = String::from('\u{feff}');
    for character in text.chars() {
        match character {
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => tabs.push('\t'),
            '\n' => tabs.push_str("\r\n"),
            other => tabs.push(other),
        }
    }
    tabs.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// Builds the silver of a kind's reports, and nothing that follows from it.
fn staged(project: &Project, kind: &str) {
    let model = format!("stg_{kind}__report");
    let out = project.run(&["run", "--select", &model]);
    assert!(out.status.success(), "{}", text(&out));
}

pub(crate) fn holds(project: &Project, facts: &[(&str, &str)]) {
    for (query, expected) in facts {
        assert_eq!(
            project.value(&format!("select {query}")),
            *expected,
            "{query}"
        );
    }
}

/// Sums of the good rows of all files, and of what is counted of them.
pub(crate) const SUMS: &str = "concat_ws(' ', sum(spend_amount), sum(impressions), sum(clicks), count(*)) \
                    from silver.ad_performance";

#[test]
fn a_german_report_is_read_as_it_is_meant() {
    let project = reports_of("google_ads", "");
    project.write("in/bericht.csv", sample("google_campaigns_de.csv"));
    balanced(&project);
    holds(
        &project,
        &[
            (SUMS, "2334.900000 15444 140 4"),
            (
                "count(distinct currency_code) from silver.ad_performance",
                "1",
            ),
            (
                "min(currency_code) || min(level) from silver.ad_performance",
                "EURcampaign",
            ),
            // `1.000` and `1.200` are thousands, because other numbers of the file say so.
            (
                "spend_amount from silver.ad_performance where report_date = '2026-09-02'",
                "1000.000000",
            ),
            // A campaign may be called so; only rows without a day are totals.
            (
                "spend_amount from silver.ad_performance where campaign_name = 'Total Sanierung'",
                "0.440000",
            ),
            (
                "sum(platform_conversions) from silver.ad_performance",
                "4.0",
            ),
            (
                "sum(platform_conversion_amount) from silver.ad_performance",
                "1520.000000",
            ),
            ("count(*) from quarantine.stg_google_ads__report", "0"),
            (
                "sum(spend_amount) from star.fct_ad_performance \
                 where is_current and is_spend_of_record",
                "2334.900000",
            ),
        ],
    );
}

#[test]
fn an_english_report_in_utf_16_is_the_same_as_in_utf_8() {
    let english = sample("google_campaigns_en.csv");
    for bytes in [english.clone().into_bytes(), as_excel(&english)] {
        let project = reports_of("google_ads", "");
        project.write("in/report.csv", bytes);
        let out = project.run(&["run"]);
        assert!(out.status.success(), "{}", text(&out));
        assert!(
            text(&out).contains("2 lines stand before the header"),
            "{}",
            text(&out)
        );
        holds(
            &project,
            &[
                (SUMS, "1035.940000 11774 97 4"),
                (
                    "min(account_id) || min(currency_code) from silver.ad_performance",
                    "1234567890CAD",
                ),
                ("count(distinct segment) from silver.ad_performance", "2"),
                (
                    "count(*) from star.dim_campaign where is_current and level = 'campaign' \
                     and campaign_name = 'Brand - Search'",
                    "1",
                ),
            ],
        );
    }
}

#[test]
fn search_terms_stay_apart_and_an_unknown_breakdown_is_added_up() {
    let project = reports_of("google_ads", "");
    project.write("in/termes.csv", sample("google_search_terms_fr.csv"));
    balanced(&project);
    holds(
        &project,
        &[
            (SUMS, "1034.840000 11834 96 3"),
            (
                "min(level) || max(level) from silver.ad_performance",
                "search_termsearch_term",
            ),
            (
                "ad_group_id from silver.ad_performance where impressions = 100",
                "Toitures / Neuf",
            ),
            (
                "coalesce(sum(spend_amount), 0) from star.fct_ad_performance \
                 where is_spend_of_record",
                "0.000000",
            ),
        ],
    );
}

#[test]
fn ads_manager_in_two_languages_without_its_summary_row() {
    let project = reports_of("meta_ads", "");
    project.write("in/de.csv", sample("meta_ads_de.csv"));
    project.write("in/es.csv", sample("meta_campaigns_es.csv"));
    balanced(&project);
    holds(
        &project,
        &[
            (
                "concat_ws(' ', sum(spend_amount), sum(impressions), sum(clicks), count(*)) \
                 from silver.ad_performance where currency_code = 'EUR' and level = 'ad'",
                "81.345000 7530 70 4",
            ),
            (
                "concat_ws(' ', sum(spend_amount), sum(impressions), sum(clicks), count(*)) \
                 from silver.ad_performance where currency_code = 'USD' and level = 'campaign'",
                "30.030000 3000 36 2",
            ),
            // The row of a week is of no day.
            ("count(*) from quarantine.stg_meta_ads__report", "1"),
            (
                "min(rule) from quarantine.stg_meta_ads__report",
                "required:report_date",
            ),
            // Ad sets of two campaigns that are called alike are two.
            (
                "count(distinct ad_group_id) from silver.ad_performance where level = 'ad'",
                "2",
            ),
            // Two currencies are never one account.
            (
                "count(*) from (select account_id from star.fct_ad_performance \
                 where is_current and level = 'account' group by account_id \
                 having count(distinct currency_code) > 1)",
                "0",
            ),
        ],
    );
}

#[test]
fn linkedin_tiktok_and_microsoft() {
    let facts: [(&str, &str, &str, &str); 3] = [
        (
            "linkedin_ads",
            "linkedin_campaigns_en.csv",
            "1100.000000 3300 15 3",
            "ad_group",
        ),
        (
            "tiktok_ads",
            "tiktok_ads_en.csv",
            "25.000000 3000 30 3",
            "ad",
        ),
        (
            "microsoft_ads",
            "microsoft_campaigns_en.csv",
            "337.520000 1648 103 3",
            "campaign",
        ),
    ];
    for (kind, file, sums, level) in facts {
        let project = reports_of(kind, "");
        project.write("in/report.csv", sample(file));
        balanced(&project);
        holds(
            &project,
            &[
                (SUMS, sums),
                ("min(level) from silver.ad_performance", level),
                ("max(level) from silver.ad_performance", level),
                ("min(report_date) from silver.ad_performance", "2026-09-01"),
                (
                    "sum(spend_amount) from star.fct_ad_performance \
                     where is_current and is_spend_of_record",
                    sums.split(' ').next().unwrap(),
                ),
            ],
        );
        let last = "max(report_date) from silver.ad_performance";
        let day = if kind == "tiktok_ads" { "02" } else { "03" };
        holds(&project, &[(last, &format!("2026-09-{day}"))]);
    }
}

#[test]
fn what_a_later_download_says_of_a_day_counts() {
    let project = reports_of("google_ads", "");
    let head = "Campaign report\nDay,Campaign,Currency code,Cost,Impr.,Clicks\n";
    let first = format!("{head}2026-09-01,Brand,EUR,10.00,100,1\n2026-09-02,Brand,EUR,5.00,50,1\n");
    // The name sorts before the first: the last day that a file has says how new it is.
    let later = format!(
        "{head}2026-09-01,Brand,EUR,9.50,100,1\n2026-09-03,Brand,EUR,4.00,40,1\nTotal: \
         Account,--,EUR,13.50,140,2\n"
    );
    project.write("in/report (1).csv", &first);
    project.write("in/a report.csv", &later);
    balanced(&project);
    let current = "sum(spend_amount) from star.fct_ad_performance \
                   where is_current and is_spend_of_record";
    holds(&project, &[(current, "18.500000")]);
}

#[test]
fn a_number_that_could_be_two_is_not_guessed() {
    let ambiguous = "Report\nDay,Campaign,Currency code,Cost,Impr.,Clicks\n\
                     2026-09-01,Brand,EUR,1.234,100,1\n2026-09-02,Brand,EUR,7,50,1\n";
    let spend = "coalesce(sum(spend_amount), 0) from silver.stg_google_ads__report";
    for (files, expected, refused) in [
        ("", "7.000000", "1"),
        ("    files: {decimal: ','}\n", "1241.000000", "0"),
        ("    files: {decimal: '.'}\n", "8.234000", "0"),
    ] {
        let project = reports_of("google_ads", files);
        project.write("in/report.csv", ambiguous);
        staged(&project, "google_ads");
        holds(
            &project,
            &[
                (spend, expected),
                ("count(*) from quarantine.stg_google_ads__report", refused),
            ],
        );
    }
    // A count of `1.234` can only be thousands, and tells of the file's other numbers.
    let project = reports_of("google_ads", "");
    project.write("in/report.csv", ambiguous.replace(",100,", ",1.100,"));
    staged(&project, "google_ads");
    holds(&project, &[(spend, "1241.000000")]);
}

#[test]
fn a_day_that_could_be_two_is_not_guessed() {
    let ambiguous = "Gregorian date,Campaign name,Currency code,Spend,Impressions,Clicks\n\
                     3/4/2026,Brand,EUR,1.50,100,1\n4/4/2026,Brand,EUR,2.50,100,1\n";
    let days = "coalesce(string_agg(cast(report_date as text), ' ' order by report_date), '') \
                from silver.stg_microsoft_ads__report";
    for (files, expected) in [
        ("", ""),
        ("    files: {day_order: dmy}\n", "2026-04-03 2026-04-04"),
        ("    files: {day_order: mdy}\n", "2026-03-04 2026-04-04"),
    ] {
        let project = reports_of("microsoft_ads", files);
        project.write("in/report.csv", ambiguous);
        staged(&project, "microsoft_ads");
        holds(&project, &[(days, expected)]);
    }
    let project = reports_of("microsoft_ads", "");
    let decided = format!("{ambiguous}13/4/2026,Brand,EUR,1.00,10,1\n");
    project.write("in/report.csv", decided);
    staged(&project, "microsoft_ads");
    holds(&project, &[(days, "2026-04-03 2026-04-04 2026-04-13")]);
}

#[test]
fn reports_of_ga4_are_there_to_compare_with_and_counted_nowhere() {
    let settings = "sources:\n  ga4:\n    kind: ga4\n    layout: download\n    streams:\n      \
                    traffic_report: in/*.csv\n";
    let project = Project::new(PROGRAM, settings);
    project.write("in/en.csv", sample("ga4_traffic_en.csv"));
    project.write("in/de.csv", sample("ga4_daily_de.csv"));
    let out = project.run(&["run"]);
    assert!(out.status.success(), "{}", text(&out));
    holds(
        &project,
        &[
            (
                "concat_ws(' ', sum(sessions), sum(event_count), sum(total_revenue_amount), \
                 min(first_date), max(last_date), min(property_name)) \
                 from silver.stg_ga4__traffic_report where channel is not null",
                "17245 98404 21799.990000 2026-09-01 2026-09-30 Example shop - GA4",
            ),
            (
                "concat_ws(' ', sum(sessions), sum(total_revenue_amount), count(*)) \
                 from silver.stg_ga4__traffic_report where source_medium is not null",
                "2243 2500.500000 3",
            ),
            ("count(*) from silver.web_event", "0"),
            ("count(*) from star.fct_session", "0"),
        ],
    );
}

#[test]
fn init_recognises_downloads_by_their_headings() {
    let folder = tempfile::tempdir().unwrap();
    let exports = folder.path().join("exports");
    testkit::copy_folder(&samples(), &exports);
    let excel = as_excel(&sample("google_campaigns_en.csv"));
    std::fs::write(exports.join("excel.csv"), excel).unwrap();
    std::fs::write(exports.join("other.csv"), "Name,Price\nx,1\n").unwrap();
    let project = folder.path().join("p").display().to_string();
    let from = exports.display().to_string();
    // What lies where somebody happens to stand has no part in it.
    std::fs::create_dir(folder.path().join("models")).unwrap();
    std::fs::write(folder.path().join("models/exchange_rates.yml"), "models: {").unwrap();
    let out = std::process::Command::new(PROGRAM)
        .current_dir(folder.path())
        .args(["init", &project, "--yes", "--from", &from])
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", text(&out));
    assert!(text(&out).contains("`../exports/other.csv` was not recognised"));
    let config = std::fs::read_to_string(folder.path().join("p/throughline.yml")).unwrap();
    let config: serde_yaml_ng::Value = serde_yaml_ng::from_str(&config).unwrap();
    for (kind, stream, files) in [
        ("google_ads", "report", 4),
        ("meta_ads", "report", 2),
        ("linkedin_ads", "report", 1),
        ("tiktok_ads", "report", 1),
        ("microsoft_ads", "report", 1),
        ("ga4", "traffic_report", 2),
    ] {
        let paths = &config["sources"][kind]["streams"][stream];
        let count = paths.as_sequence().map_or(1, Vec::len);
        assert!(!paths.is_null(), "{kind}");
        assert_eq!(count, files, "{kind}: {paths:?}");
    }
}

#[test]
fn a_source_of_ones_own_finds_its_header_too() {
    let settings = "sources:\n  partner:\n    path: in/*.csv\n    currency: EUR\n    files:\n      \
                    headings: [Kampagne, Datum, Ausgaben]\n      decimal: ','\n";
    let project = Project::new(PROGRAM, settings);
    project.write(
        "in/partner.csv",
        "Partnerbericht\nStand: 04.09.2026; vorläufig\n\nDatum;Kampagne;Ausgaben\n\
         01.09.2026;Herbst;1.234,50\n",
    );
    project.write(
        "models/1_silver/stg_partner__spend.sql",
        "-- grain: one row per campaign and day\n{{ config(entity='ad_performance') }}\n\
         select _raw_id, \"Datum\" as report_date, 'partner' as platform, 'campaign' as level, \
         \"Kampagne\" as campaign_id, \"Ausgaben\" as spend_amount \
         from {{ source('partner', 'rows') }}\n",
    );
    balanced(&project);
    let spend = "sum(spend_amount) from silver.ad_performance";
    holds(&project, &[(spend, "1234.500000")]);
}

#[test]
fn a_report_that_is_not_understood_is_in_quarantine_and_not_gone() {
    let project = reports_of("google_ads", "");
    // No heading of it is known; days by week; days that are not there.
    project.write("in/unknown.csv", "Aaa,Bbb,Ccc\n2026-09-01,Brand,12.34\n");
    project.write(
        "in/weeks.csv",
        "Report\nWeek,Campaign,Currency code,Cost\n2026-08-31,Brand,CAD,70.00\n\
         Total: Account,--,CAD,70.00\n",
    );
    project.write(
        "in/days.csv",
        "Day,Campaign,Currency code,Cost,Impr.\n2026-09-01,Brand,CAD,twelve,1\n",
    );
    staged(&project, "google_ads");
    holds(
        &project,
        &[
            ("count(*) from silver.stg_google_ads__report", "0"),
            (
                "count(*) from quarantine.stg_google_ads__report \
                 where rule = 'required:report_date'",
                "2",
            ),
            (
                "count(*) from quarantine.stg_google_ads__report where rule = 'type:spend_amount'",
                "1",
            ),
        ],
    );
}
