//! Planted faults of tags are found, each with its visits, its money and what to do.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;
use testkit::{Project, copy_folder, plain};

use crate::PROGRAM;

fn scenario() -> PathBuf {
    Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/scenarios/utm_audit"
    ))
    .into()
}

/// The shop whose links were tagged by several hands; not yet built.
pub(crate) fn shop() -> Project {
    let settings = std::fs::read_to_string(scenario().join("settings.yml")).unwrap();
    let project = Project::new(PROGRAM, &settings);
    for folder in ["data", "models"] {
        copy_folder(&scenario().join(folder), &project.dir().join(folder));
    }
    project
}

/// Findings by their name and what they are about.
fn findings(project: &Project) -> BTreeMap<String, Value> {
    let rows = project.rows("select * from marts.mart_utm_audit");
    let named = rows.into_iter().map(|row| {
        let about = [
            "finding",
            "source",
            "medium",
            "campaign_name",
            "landing_page",
            "click_id_type",
        ];
        let name: Vec<String> = about.iter().map(|part| plain(&row[part])).collect();
        (name.join("|"), row)
    });
    named.collect()
}

/// finding|source|medium|campaign|page|click id, then severity, visits, conversions, suggestion.
const PLANTED: [(&str, &str, u64, u64, &str); 19] = [
    ("misspelt medium|google|ppcc|||", "error", 2, 1, "ppc"),
    ("misspelt source|gogle|cpc|||", "error", 1, 0, "google"),
    ("no medium|bing|(not set)|||", "error", 1, 0, ""),
    ("no source|(not set)|email|march||", "error", 1, 0, ""),
    ("unknown medium|agency|advertorial|||", "error", 1, 0, ""),
    (
        "template not filled in|facebook|paid_social|{{campaign.name}}||",
        "error",
        1,
        0,
        "",
    ),
    (
        "spend without visits|||Spring Sale||",
        "error",
        0,
        0,
        "spring-sal",
    ),
    ("spend without visits|||Winter Boots||", "error", 0, 0, ""),
    (
        "campaign that no platform knows|google|cpc|spring-sal||",
        "warning",
        1,
        1,
        "Spring Sale",
    ),
    (
        "campaign that no platform knows|google|cpc|unheard of||",
        "warning",
        1,
        0,
        "",
    ),
    ("no campaign|bing|cpc|||", "warning", 1, 0, ""),
    (
        "paid landing page without tags|google|cpc||shop.example/landing|gclid",
        "warning",
        1,
        0,
        "",
    ),
    (
        "paid landing page without tags|google|cpc||shop.example/landing|wbraid",
        "warning",
        1,
        0,
        "",
    ),
    (
        "paid landing page without tags|tiktok|paid_social||shop.example/tok|ttclid",
        "warning",
        1,
        1,
        "",
    ),
    (
        "paid medium on unlisted source|localpaper|cpc|||",
        "warning",
        1,
        0,
        "",
    ),
    (
        "click id without tags|l.facebook.com|referral||shop.example/post|fbclid",
        "note",
        1,
        0,
        "",
    ),
    (
        "source in several spellings|Newsletter, newsletter||||",
        "note",
        3,
        0,
        "newsletter",
    ),
    (
        "medium in several spellings||Email, email|||",
        "note",
        4,
        0,
        "email",
    ),
    (
        "campaign in several spellings|||March, march||",
        "note",
        4,
        0,
        "march",
    ),
];

#[test]
fn every_planted_fault_is_found_and_nothing_else() {
    let project = shop();
    project.json(&["run"], 0);
    let findings = findings(&project);
    for (name, severity, sessions, conversions, suggestion) in PLANTED {
        let row = findings
            .get(name)
            .unwrap_or_else(|| panic!("no `{name}` in {findings:#?}"));
        assert_eq!(row["severity"], severity, "{row}");
        assert_eq!(row["session_count"], sessions, "{row}");
        assert_eq!(row["conversion_count"], conversions, "{row}");
        assert_eq!(plain(&row["suggestion"]), suggestion, "{row}");
        assert!(plain(&row["advice"]).len() > 20, "{row}");
    }
    assert_eq!(findings.len(), PLANTED.len(), "{:#?}", findings.keys());

    // 25.50 and 4.50 of one, 8.25 of the other; what was spent before any visit is not at risk.
    let spring = &findings["spend without visits|||Spring Sale||"];
    assert_eq!(spring["spend_amount"], "30.000000", "{spring}");
    assert_eq!(spring["spend_reporting_amount"], "30.000000", "{spring}");
    let boots = &findings["spend without visits|||Winter Boots||"];
    assert_eq!(boots["spend_amount"], "8.250000", "{boots}");
    assert_eq!(boots["first_date"], "2026-03-02", "{boots}");
}

#[test]
fn the_click_report_tells_campaign_ad_group_and_ad_whatever_the_tags_say() {
    let project = shop();
    project.json(&["run"], 0);
    let rows = project.rows(
        "select s.campaign_name, s.campaign_resolution, s.keyword_text, \
         c.campaign_name as campaign, g.ad_group_id, a.ad_id from star.fct_session s \
         left join star.dim_campaign c on s.campaign_key = c.campaign_key and c.is_current \
         left join star.dim_campaign g on s.ad_group_key = g.campaign_key and g.is_current \
         left join star.dim_campaign a on s.ad_key = a.campaign_key and a.is_current \
         where s.click_id = 'CjAbC-Known1'",
    );
    let expected = serde_json::json!([{
        "campaign_name": "Old Name", "campaign_resolution": "click_id",
        "keyword_text": "shop shoes", "campaign": "Brand EU", "ad_group_id": "9011",
        "ad_id": "90111",
    }]);
    assert_eq!(Value::from(rows), expected);
    // The report comes later: a click that was unknown is known then, and its page needs no tags.
    project.write(
        "data/google/click_view.csv",
        "gclid,date,customer_id,campaign_id,ad_group_id,ad_group_ad,keyword_info_text\n\
         CjAbC-Known1,2026-03-01,7001,901,9011,customers/7001/adGroupAds/9011~90111,shop shoes\n\
         CjXyZ-Unknown,2026-03-01,7001,903,9031,customers/7001/adGroupAds/9031~90311,boots\n",
    );
    project.json(&["run"], 0);
    let findings = findings(&project);
    assert!(!findings.contains_key("spend without visits|||Winter Boots||"));
    let page = "paid landing page without tags|google|cpc||shop.example/landing|";
    assert!(!findings.contains_key(&format!("{page}gclid")));
    assert!(findings.contains_key(&format!("{page}wbraid")));
}
