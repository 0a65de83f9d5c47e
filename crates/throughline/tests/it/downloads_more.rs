//! Files from the pages of Pinterest, Reddit, Snapchat, X, Amazon and Apple Ads; and that no
//! platform's file is taken for another's.

use std::path::Path;

use testkit::{Project, text};

use crate::PROGRAM;
use crate::downloads::{SUMS, holds, reports_of, sample, samples};
use crate::real_exports::balanced;

/// The kind that each sample is of.
const KINDS: [(&str, &str); 17] = [
    ("amazon_campaigns_en.csv", "amazon_ads"),
    ("amazon_search_terms_de.csv", "amazon_ads"),
    ("apple_keywords_en.csv", "apple_ads"),
    ("ga4_daily_de.csv", "ga4"),
    ("ga4_traffic_en.csv", "ga4"),
    ("google_campaigns_de.csv", "google_ads"),
    ("google_campaigns_en.csv", "google_ads"),
    ("google_search_terms_fr.csv", "google_ads"),
    ("linkedin_campaigns_en.csv", "linkedin_ads"),
    ("meta_ads_de.csv", "meta_ads"),
    ("meta_campaigns_es.csv", "meta_ads"),
    ("microsoft_campaigns_en.csv", "microsoft_ads"),
    ("pinterest_ad_groups_en.csv", "pinterest_ads"),
    ("reddit_ads_en.csv", "reddit_ads"),
    ("snapchat_ad_sets_en.csv", "snapchat_ads"),
    ("tiktok_ads_en.csv", "tiktok_ads"),
    ("x_ad_groups_en.csv", "x_ads"),
];

/// The kind that a file with this name and content is recognised as; what was said without one.
fn recognised(content: &str, path: &str) -> Result<String, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("exports").join(path);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, content).unwrap();
    let project = folder.path().join("p").display().to_string();
    let from = folder.path().join("exports").display().to_string();
    let out = std::process::Command::new(PROGRAM)
        .args(["init", &project, "--yes", "--from", &from])
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", text(&out));
    let config = std::fs::read_to_string(Path::new(&project).join("throughline.yml")).unwrap();
    let config: serde_yaml_ng::Value = serde_yaml_ng::from_str(&config).unwrap();
    let sources = config["sources"].as_mapping().unwrap();
    let mut kinds = sources.keys().map(|kind| kind.as_str().unwrap().to_owned());
    kinds.next().ok_or_else(|| text(&out))
}

#[test]
fn every_sample_is_recognised_by_its_headings_alone() {
    let all = std::fs::read_dir(samples()).unwrap().count();
    assert_eq!(all, KINDS.len(), "a sample is not in the list");
    for (file, kind) in KINDS {
        let found = recognised(&sample(file), "data.csv");
        assert_eq!(found.as_deref(), Ok(kind), "{file}");
    }
}

#[test]
fn headings_that_several_platforms_share_are_left_to_the_person() {
    let plain = "Date,Campaign name,Cost,Impressions,Clicks\n2026-09-01,Brand,1.50,100,1\n";
    let said = recognised(plain, "data.csv").unwrap_err();
    assert!(said.contains("its headings fit"), "{said}");
    assert!(said.contains("google_ads"), "{said}");
    assert!(said.contains("tiktok_ads"), "{said}");
    let found = recognised(plain, "tiktok-ads/data.csv");
    assert_eq!(found.as_deref(), Ok("tiktok_ads"));
}

#[test]
fn each_platforms_report_gives_its_sums() {
    let facts: [(&str, &str, &str, &str, &str); 7] = [
        (
            "pinterest_ads",
            "pinterest_ad_groups_en.csv",
            "1870.750000 24000 435 3",
            "ad_group",
            "2026-09-01 2026-09-13",
        ),
        (
            "reddit_ads",
            "reddit_ads_en.csv",
            "35.000000 17000 60 3",
            "ad",
            "2026-09-01 2026-09-02",
        ),
        (
            "snapchat_ads",
            "snapchat_ad_sets_en.csv",
            "60.000000 15500 115 2",
            "ad_group",
            "2026-09-01 2026-09-02",
        ),
        (
            "x_ads",
            "x_ad_groups_en.csv",
            "80.000000 8000 42 3",
            "ad_group",
            "2026-09-01 2026-09-02",
        ),
        (
            "amazon_ads",
            "amazon_campaigns_en.csv",
            "30.200000 2600 61 3",
            "campaign",
            "2026-09-01 2026-09-02",
        ),
        (
            "amazon_ads",
            "amazon_search_terms_de.csv",
            "1028.100000 2170 47 3",
            "search_term",
            "2026-09-01 2026-09-02",
        ),
        (
            "apple_ads",
            "apple_keywords_en.csv",
            "25.000000 2100 50 3",
            "keyword",
            "2026-09-01 2026-09-02",
        ),
    ];
    for (kind, file, sums, level, days) in facts {
        let project = reports_of(kind, "    currency: EUR\n");
        project.write("in/report.csv", sample(file));
        balanced(&project);
        holds(
            &project,
            &[
                (SUMS, sums),
                (
                    "min(level) || max(level) from silver.ad_performance",
                    &level.repeat(2),
                ),
                (
                    "concat_ws(' ', min(report_date), max(report_date)) from silver.ad_performance",
                    days,
                ),
            ],
        );
        // Keywords and search terms are part of what their campaigns spend, and never added to it.
        let is_part = ["keyword", "search_term"].contains(&level);
        let of_record = sums.split(' ').next().filter(|_| !is_part);
        let spend = "coalesce(sum(spend_amount), 0) from star.fct_ad_performance \
                     where is_current and is_spend_of_record";
        holds(&project, &[(spend, of_record.unwrap_or("0.000000"))]);
    }
}

/// A project of several sources, each with its sample.
fn all_of(kinds: &[(&str, &str)]) -> Project {
    let mut settings = "sources:\n".to_owned();
    for (kind, _) in kinds {
        settings.push_str(&format!(
            "  {kind}:\n    kind: {kind}\n    layout: download\n    streams:\n      report: \
             {kind}/*.csv\n"
        ));
    }
    let project = Project::new(PROGRAM, &settings);
    for (kind, file) in kinds {
        project.write(&format!("{kind}/report.csv"), sample(file));
    }
    project
}

#[test]
fn what_each_page_writes_in_its_own_way() {
    let project = all_of(&[
        ("pinterest_ads", "pinterest_ad_groups_en.csv"),
        ("reddit_ads", "reddit_ads_en.csv"),
        ("snapchat_ads", "snapchat_ad_sets_en.csv"),
        ("x_ads", "x_ad_groups_en.csv"),
        ("amazon_ads", "amazon_search_terms_de.csv"),
        ("apple_ads", "apple_keywords_en.csv"),
    ]);
    let out = project.run(&["run"]);
    assert!(out.status.success(), "{}", text(&out));
    holds(
        &project,
        &[
            // Pinterest's column `Ad group` is an id; conversions are checkouts.
            (
                "ad_group_id || ' ' || ad_group_name || ' ' || platform_conversions || ' ' || \
                 json_text(properties, 'total_conversions') \
                 from silver.stg_pinterest_ads__report \
                 where ad_group_name = 'Scarves' and report_date = '2026-09-01'",
                "2680000000001 Scarves 4.0 14",
            ),
            // One ad in two communities is two rows.
            (
                "string_agg(segment, ' ' order by segment) from silver.stg_reddit_ads__report \
                 where report_date = '2026-09-01'",
                "community=r/gaming community=r/pcgaming",
            ),
            // A day from midnight to midnight is one; a month is none.
            (
                "string_agg(rule, ' ') from quarantine.stg_snapchat_ads__report",
                "required:report_date",
            ),
            // Clicks are those on links.
            (
                "sum(clicks) || ' ' || sum(cast(json_text(properties, 'all_clicks') as bigint)) \
                 from silver.stg_x_ads__report",
                "42 105",
            ),
            // A search term may begin with a word of totals.
            (
                "count(*) from silver.stg_amazon_ads__report \
                 where segment like '%search_term=gesamt kochmesser'",
                "1",
            ),
            (
                "sum(platform_conversions) || ' ' || sum(platform_conversion_amount) \
                 from silver.stg_amazon_ads__report",
                "5.0 300.000000",
            ),
            // Currency and zone stand above the table.
            (
                "min(currency_code) || ' ' || min(account_zone) from silver.stg_apple_ads__report",
                "EUR Europe/Berlin",
            ),
        ],
    );
}

#[test]
fn ga4s_purchases_are_read_in_other_languages() {
    let settings = "sources:\n  ga4:\n    kind: ga4\n    layout: download\n    streams:\n      \
                    traffic_report: in/*.csv\n";
    let project = Project::new(PROGRAM, settings);
    project.write(
        "in/fr.csv",
        "# Exemple\n# 20260901-20260930\n\nGroupe de canaux,Sessions,Sessions avec engagement,\
         Utilisateurs actifs,Achats d'e-commerce,Revenus issus des achats\n\
         Organic Search,\"1 200\",800,900,12,\"1 250,50\"\n",
    );
    project.write(
        "in/it.csv",
        "# Esempio\n# 20260901-20260930\n\nSorgente/mezzo della sessione,Sessioni,\
         Sessioni con coinvolgimento,Utenti totali,Entrate totali\n\
         google / organic,1.300,700,1.000,\"99,90\"\n",
    );
    let out = project.run(&["run"]);
    assert!(out.status.success(), "{}", text(&out));
    holds(
        &project,
        &[
            (
                "concat_ws(' ', sessions, engaged_sessions, users, purchases, \
                 purchase_revenue_amount, first_date) from silver.stg_ga4__traffic_report \
                 where channel = 'Organic Search'",
                "1200 800 900 12.0 1250.500000 2026-09-01",
            ),
            (
                "concat_ws(' ', sessions, users, total_revenue_amount) \
                 from silver.stg_ga4__traffic_report where source_medium = 'google / organic'",
                "1300 1000 99.900000",
            ),
        ],
    );
}
