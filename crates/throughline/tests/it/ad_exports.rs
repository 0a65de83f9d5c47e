//! Ad platforms over the tables that Fivetran lands: per platform and level, spend, impressions and
//! clicks are the sums of the files.

use testkit::{Project, copy_folder, shared};

use crate::PROGRAM;
use crate::real_exports::{balanced, streams};

/// One platform: its kind, the prefix of its files, its streams, and streams whose file has
/// another name.
struct Platform {
    kind: &'static str,
    prefix: &'static str,
    streams: &'static [&'static str],
    renamed: &'static [(&'static str, &'static str)],
    /// By level: millionths of spend, impressions, clicks.
    sums: &'static [(&'static str, i64, i64, i64)],
}

/// Loads the platforms side by side and compares their sums.
fn flow(platforms: &[Platform]) -> Option<Project> {
    let seeds = shared("data/fivetran_ads/integration_tests/seeds")?;
    let mut settings = "sources:\n".to_owned();
    for platform in platforms {
        settings.push_str(&streams(
            &seeds,
            platform.kind,
            platform.prefix,
            platform.streams,
        ));
        for (stream, file) in platform.renamed {
            settings.push_str(&format!("      {stream}: exports/{file}\n"));
        }
    }
    let project = Project::new(PROGRAM, &settings);
    copy_folder(&seeds, &project.dir().join("exports"));
    balanced(&project);
    for platform in platforms {
        for (level, spend, impressions, clicks) in platform.sums {
            let kind = platform.kind;
            let found = project.value(&format!(
                "select concat_ws(' ', cast(cast(sum(spend_amount) * 1000000 as bigint) as text), \
                 cast(sum(impressions) as text), cast(sum(clicks) as text)) \
                 from silver.ad_performance where platform = '{kind}' and level = '{level}'"
            ));
            assert_eq!(
                found,
                format!("{spend} {impressions} {clicks}"),
                "{kind} {level}"
            );
        }
    }
    Some(project)
}

#[test]
fn microsoft_and_tiktok() {
    let microsoft = Platform {
        kind: "microsoft_ads",
        prefix: "microsoft_ads_",
        streams: &[
            "account_history",
            "campaign_history",
            "ad_group_history",
            "ad_history",
            "keyword_history",
            "account_performance_daily_report",
            "campaign_performance_daily_report",
            "ad_group_performance_daily_report",
            "ad_performance_daily_report",
            "keyword_performance_daily_report",
            "geographic_performance_daily_report",
        ],
        renamed: &[(
            "search_query_performance_daily_report",
            "microsoft_ads_search_performance_daily_report_data.csv",
        )],
        sums: &[
            ("account", 0, 5, 4),
            ("campaign", 946_340_000, 7569, 592),
            ("ad_group", 102_230_000, 431, 15),
            ("ad", 208_360_000, 860, 28),
            ("keyword", 38_300_000, 65, 8),
            ("search_term", 66_110_000, 270, 25),
            ("geo", 147_000_000, 5050, 505),
        ],
    };
    let tiktok = Platform {
        kind: "tiktok_ads",
        prefix: "tiktok_",
        streams: &[
            "advertiser",
            "campaign_history",
            "adgroup_history",
            "ad_history",
            "campaign_report_hourly",
            "adgroup_report_hourly",
            "ad_report_hourly",
            "campaign_country_report",
        ],
        renamed: &[],
        sums: &[
            ("campaign", 444_792_000, 34_470, 244),
            ("ad_group", 50_150_000, 6502, 69),
            ("ad", 2_660_000, 69, 2),
            ("geo", 1_486_100_000, 98_200, 2065),
        ],
    };
    let Some(project) = flow(&[microsoft, tiktok]) else {
        return;
    };
    // Hours stand side by side.
    let hours = "select count(distinct segment) from silver.ad_performance \
                 where platform = 'tiktok_ads' and level = 'campaign'";
    assert_eq!(project.value(hours), "4");
    let zone = "select distinct account_zone from silver.campaign \
                where platform = 'microsoft_ads' and level = 'account'";
    assert_eq!(project.value(zone), "America/Los_Angeles");
}

#[test]
fn pinterest_reddit_and_snapchat() {
    let pinterest = Platform {
        kind: "pinterest_ads",
        prefix: "pinterest_",
        streams: &[
            "advertiser_history",
            "campaign_history",
            "ad_group_history",
            "pin_promotion_history",
            "keyword_history",
            "advertiser_report",
            "campaign_report",
            "ad_group_report",
            "pin_promotion_report",
            "keyword_report",
            "pin_promotion_targeting_report",
            "targeting_geo",
            "targeting_geo_region",
        ],
        renamed: &[],
        sums: &[
            ("account", 33_975_000, 165_000, 4950),
            ("campaign", 12_375_000, 165_000, 4950),
            ("ad_group", 123_700_000, 165_000, 4950),
            ("ad", 1_237_500, 165_000, 4950),
            ("keyword", 4_725_000_000, 63_000, 1890),
        ],
    };
    let reddit = Platform {
        kind: "reddit_ads",
        prefix: "reddit_ads_",
        streams: &[
            "account",
            "business_account",
            "campaign",
            "ad_group",
            "ad",
            "account_report",
            "campaign_report",
            "ad_group_report",
            "ad_report",
            "campaign_country_report",
            "campaign_country_conversions_report",
        ],
        renamed: &[
            (
                "account_conversions_report",
                "reddit_ads_account_conversions.csv",
            ),
            (
                "campaign_conversions_report",
                "reddit_ads_campaign_conversions.csv",
            ),
            (
                "ad_group_conversions_report",
                "reddit_ads_ad_group_conversions.csv",
            ),
            ("ad_conversions_report", "reddit_ads_ad_conversions.csv"),
        ],
        sums: &[
            ("account", 12_970_777_467, 3_469_863, 8815),
            ("campaign", 12_970_777_467, 3_469_863, 8815),
            ("ad_group", 5_197_444_278, 1_250_457, 3587),
            ("ad", 5_035_019_678, 1_209_985, 3458),
            ("geo", 3_425_000_000, 1281, 115),
        ],
    };
    let snapchat = Platform {
        kind: "snapchat_ads",
        prefix: "snapchat_",
        streams: &[
            "ad_account_history",
            "campaign_history",
            "ad_squad_history",
            "ad_history",
            "creative_history",
            "creative_url_tag_history",
            "campaign_hourly_report",
            "ad_squad_hourly_report",
            "ad_hourly_report",
            "campaign_geo_country_daily_report",
            "campaign_geo_region_daily_report",
        ],
        renamed: &[],
        sums: &[
            ("campaign", 1_013_488, 5142, 7),
            ("ad_group", 8_787_343, 2131, 29),
            ("ad", 2_513_448_305, 362_452, 1448),
            ("geo", 2_508_700, 19_100, 6900),
        ],
    };
    let Some(project) = flow(&[pinterest, reddit, snapchat]) else {
        return;
    };
    // Hours do not replace each other; windows stand side by side; fractions of counts are refused.
    for (query, expected) in [
        // Reddit's ads are not in its structure: their money is that of the reported campaigns.
        (
            "cast(sum(spend_amount) * 1000000 as bigint) from star.fct_ad_performance_current \
             where platform = 'reddit_ads' and is_spend_of_record",
            "12970777467",
        ),
        (
            "count(*) from star.fct_ad_performance_current where platform = 'snapchat_ads' \
             and level = 'ad' and record_kind = 'reported'",
            "1212",
        ),
        (
            "count(*) from silver.ad_conversion where platform = 'reddit_ads'",
            "224",
        ),
        (
            "count(*) from quarantine.stg_pinterest_ads__geo_performance",
            "5",
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
fn x_amazon_and_apple() {
    let x = Platform {
        kind: "x_ads",
        prefix: "twitter_",
        streams: &[
            "account_history",
            "campaign_history",
            "line_item_history",
            "promoted_tweet_history",
            "tweet",
            "tweet_url",
            "account_report",
            "campaign_report",
            "line_item_report",
            "promoted_tweet_report",
            "line_item_keywords_report",
            "campaign_locations_report",
            "campaign_regions_report",
        ],
        renamed: &[],
        sums: &[
            ("campaign", 138_535_734, 9876, 955),
            ("ad_group", 77_605_132, 53_520, 26),
            ("ad", 1_390_824_997, 554_124, 431),
            ("geo", 2_208_400, 26_280, 322),
        ],
    };
    let amazon = Platform {
        kind: "amazon_ads",
        prefix: "amazon_ads_",
        streams: &[
            "profile",
            "portfolio_history",
            "campaign_history",
            "ad_group_history",
            "product_ad_history",
            "keyword_history",
            "campaign_level_report",
            "ad_group_level_report",
            "advertised_product_report",
            "targeting_keyword_report",
            "search_term_ad_keyword_report",
        ],
        renamed: &[],
        sums: &[
            ("campaign", 1_670_000, 1095, 2),
            ("ad_group", 7_760_000, 2355, 6),
            ("ad", 431_860_000, 115_539, 174),
            ("keyword", 2_036_170_000, 336_850, 1007),
            ("search_term", 21_220_000, 5628, 13),
        ],
    };
    let apple = Platform {
        kind: "apple_ads",
        prefix: "apple_search_",
        streams: &[
            "organization",
            "campaign_history",
            "ad_group_history",
            "ad_history",
            "keyword_history",
            "campaign_report",
            "ad_group_report",
            "keyword_report",
            "search_term_report",
        ],
        // The sample's name of this table is an older one.
        renamed: &[("ad_level_report", "apple_search_ad_report_data.csv")],
        sums: &[
            ("campaign", 100_000_000, 6336, 129),
            ("ad_group", 100_000_000, 6336, 129),
            ("ad", 6_160_000, 852, 8),
            ("keyword", 37_700_000, 2878, 63),
            ("search_term", 100_000_000, 6336, 129),
        ],
    };
    let Some(project) = flow(&[x, amazon, apple]) else {
        return;
    };
    for (query, expected) in [
        // Windows of Amazon stand side by side, and are not added.
        (
            "cast(sum(conversion_amount) as bigint) from silver.ad_conversion \
             where platform = 'amazon_ads' and attribution_window = '30d_click'",
            "1318",
        ),
        // X writes the account's midnight in UTC: 07:00 is the same day in Los Angeles.
        (
            "cast(min(report_date) as text) from silver.ad_performance \
             where platform = 'x_ads' and level = 'campaign'",
            "2021-08-25",
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
fn midnight_of_an_account_is_its_own_day() {
    let project = Project::new(
        PROGRAM,
        "sources:\n  x_ads:\n    kind: x_ads\n    streams:\n      \
         campaign_report: campaign_report.csv\n",
    );
    project.write(
        "campaign_report.csv",
        "campaign_id,account_id,date,placement,impressions,url_clicks,billed_charge_local_micro\n\
         c1,a1,2022-05-04 15:00:00,ALL_ON_TWITTER,10,1,1000000\n",
    );
    project.json(&["run"], 0);
    let day = "select cast(report_date as text) from silver.ad_performance";
    assert_eq!(project.value(day), "2022-05-05");
}
