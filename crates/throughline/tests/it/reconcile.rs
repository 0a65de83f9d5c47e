//! The warehouse beside exports of the other side: each planted gap falls to its cause, with its
//! true size.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use testkit::{Project, csv_rows, text};

use crate::PROGRAM;
use crate::demo_company::{company, number, truth};

/// Writes an export beside the project and compares with it.
pub(crate) fn against(project: &Project, name: &str, export: &str, more: &[&str]) -> Value {
    let path = project.path(name);
    std::fs::write(&path, export).unwrap();
    let path = path.display().to_string();
    let mut arguments = vec!["reconcile", "--against", &path];
    arguments.extend(more);
    let told = project.json(&arguments, 0);
    for row in told["rows"].as_array().unwrap() {
        sums_to_its_gap(row);
    }
    told
}

fn millionths(value: &Value) -> i128 {
    let text = value.as_str().unwrap_or("0");
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let sign = if whole.starts_with('-') { -1 } else { 1 };
    let whole: i128 = whole.trim_start_matches('-').parse().unwrap();
    let fraction: i128 = format!("{fraction:0<6}").parse().unwrap();
    sign * (whole * 1_000_000 + fraction)
}

fn sums_to_its_gap(row: &Value) {
    let parts = row["causes"].as_object().unwrap().values();
    let sum: i128 = parts.map(millionths).sum::<i128>() + millionths(&row["unexplained"]);
    let gap = millionths(&row["theirs"]) - millionths(&row["ours"]);
    assert_eq!((sum, gap), (gap, millionths(&row["gap"])), "{row}");
}

pub(crate) fn figure<'a>(told: &'a Value, measure: &str) -> &'a Value {
    let all = told["figures"].as_array().unwrap();
    let found = all.iter().find(|figure| figure["measure"] == measure);
    found.unwrap_or_else(|| panic!("no {measure}: {}", told["figures"]))
}

fn cause(told: &Value, measure: &str, name: &str) -> f64 {
    let causes = figure(told, measure)["causes"].as_array().unwrap();
    let found = causes.iter().find(|cause| cause["cause"] == name);
    let found = found.unwrap_or_else(|| panic!("no {name} of {measure}: {causes:?}"));
    number(found["amount"].as_str().unwrap())
}

fn assert_explained(told: &Value) {
    for figure in told["figures"].as_array().unwrap() {
        assert_eq!(figure["unexplained_in_rows"], "0", "{figure}");
    }
}

fn known<'a>(told: &'a Value, name: &str) -> (&'a str, &'a str) {
    let all = told["they"].as_array().unwrap();
    let found = all.iter().find(|known| known["name"] == name);
    let found = found.unwrap_or_else(|| panic!("nothing of {name}: {all:?}"));
    (
        found["value"].as_str().unwrap(),
        found["how"].as_str().unwrap(),
    )
}

/// What a platform showed at a time, by day and campaign.
pub(crate) fn platform_export(
    platform: &str,
    at: &str,
    names: impl Fn(&BTreeMap<String, String>) -> String,
) -> String {
    let mut last: BTreeMap<(String, String), BTreeMap<String, String>> = BTreeMap::new();
    for row in truth("spend") {
        if row["platform"] == platform && row["reported_at"].as_str() <= at {
            let id = (row["day"].clone(), row["campaign_id"].clone());
            let newer = last
                .get(&id)
                .is_none_or(|have| have["reported_at"] < row["reported_at"]);
            if newer {
                last.insert(id, row);
            }
        }
    }
    let mut export = "Day,Campaign,Currency,Cost,Impr.,Clicks\n".to_owned();
    for row in last.values() {
        export.push_str(&format!(
            "{},\"{}\",{},{},{},{}\n",
            row["day"],
            names(row),
            row["currency"],
            row["spend"],
            row["impressions"],
            row["clicks"]
        ));
    }
    export
}

/// The name that a campaign has now.
pub(crate) fn present_names() -> BTreeMap<String, String> {
    let rows = truth("campaigns");
    let now = rows.into_iter().filter(|row| row["valid_to"].is_empty());
    now.map(|row| (row["campaign_id"].clone(), row["campaign_name"].clone()))
        .collect()
}

#[test]
fn restated_spend_is_late_data_and_nothing_else() {
    let names = present_names();
    let name = |row: &BTreeMap<String, String>| names[&row["campaign_id"]].clone();
    for platform in ["google_ads", "meta_ads", "linkedin_ads"] {
        let now = platform_export(platform, "9999", name);
        let told = against(company(), &format!("{platform}_now.csv"), &now, &[]);
        assert_eq!(told["platform"], platform);
        assert_explained(&told);
        assert!(
            told["rows"]
                .as_array()
                .unwrap()
                .iter()
                .all(|row| row["gap"] == "0")
        );

        // As it was shown in the middle of it: what was restated since, from the truth.
        let at = "2026-06-15T00:00:00Z";
        let then = platform_export(platform, at, name);
        let spent = |export: &str| -> f64 {
            let lines = export.lines().skip(1);
            lines
                .filter(|line| &line[..10] <= "2026-06-13")
                .map(|line| number(line.rsplit(',').nth(2).unwrap()))
                .sum()
        };
        let wanted = spent(&then) - spent(&now);
        for said in [&["--as-of", at][..], &[]] {
            let mut more = vec!["--to", "2026-06-13"];
            more.extend(said);
            let told = against(company(), &format!("{platform}_then.csv"), &then, &more);
            assert_explained(&told);
            let late: f64 = told["figures"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|figure| figure["measure"] == "spend")
                .map(|figure| number(figure["causes"][0]["amount"].as_str().unwrap()))
                .sum();
            assert!(
                (late - wanted).abs() < 1e-6,
                "{platform}: {late}, not {wanted}"
            );
            assert!(late != 0.0, "{platform}");
        }
    }
}

#[test]
fn campaigns_are_found_by_id_and_by_the_names_they_had() {
    let by_id = platform_export("google_ads", "9999", |row| row["campaign_id"].clone());
    let by_id = by_id.replacen("Campaign", "Campaign ID", 1);
    assert_explained(&against(company(), "by_id.csv", &by_id, &[]));
    let mut first: BTreeMap<String, String> = BTreeMap::new();
    for row in truth("campaigns") {
        first
            .entry(row["campaign_id"].clone())
            .or_insert(row["campaign_name"].clone());
    }
    assert_ne!(first, present_names(), "none was renamed");
    let by_old = platform_export("google_ads", "9999", |row| {
        first[&row["campaign_id"]].clone()
    });
    assert_explained(&against(company(), "by_old_name.csv", &by_old, &[]));
}

#[test]
fn what_is_not_loaded_yet_is_late_and_what_is_wrong_stays_unexplained() {
    let mut export = platform_export("google_ads", "9999", |row| row["campaign_id"].clone())
        .replacen("Campaign", "Campaign ID", 1);
    let id = &truth("campaigns")[0]["campaign_id"];
    export.push_str(&format!("2026-07-01,{id},EUR,12.50,100,7\n"));
    export.push_str(&format!("2026-06-30,{id},EUR,3.25,0,0\n"));
    let told = against(company(), "newer.csv", &export, &[]);
    assert_eq!(cause(&told, "clicks", "late_data"), 7.0);
    assert_eq!(figure(&told, "clicks")["unexplained_in_rows"], "0");
    let euro = told["figures"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["of"] == "EUR")
        .unwrap();
    assert_eq!(euro["unexplained"], "3.25");
    assert_eq!(euro["causes"][0]["amount"], "12.50");

    let path = company().path("newer.csv").display().to_string();
    let limited = |limit: &str| {
        let out = company().run(&["reconcile", "--against", &path, "--fail-above", limit]);
        out.status.code()
    };
    assert_eq!(limited("0.01"), Some(3));
    assert_eq!(limited("5 %"), Some(0));
}

#[test]
fn downloads_are_read_as_they_come() {
    // Google's: UTF-16 with tabs, lines before the headings, totals after the rows.
    let names = present_names();
    let plain = platform_export("google_ads", "9999", |row| {
        names[&row["campaign_id"]].clone()
    });
    let mut download = "Campaign report\nApril 1, 2026 - June 30, 2026\n\
                        Day\tCampaign\tCurrency code\tCost\tImpr.\tClicks\tCTR\n"
        .to_owned();
    for line in plain.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').map(|cell| cell.trim_matches('"')).collect();
        download.push_str(&format!("{}\t--\n", cells.join("\t")));
    }
    download.push_str("Total: Campaigns\t --\tEUR\t\"12,345.67\"\t\"1,234\"\t5\t1.2%\n");
    let utf16: Vec<u8> = std::iter::once(0xfeff)
        .chain(download.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    let path = company().path("Campaign report.csv");
    std::fs::write(&path, utf16).unwrap();
    let path = path.display().to_string();
    let told = company().json(&["reconcile", "--against", &path], 0);
    assert_eq!(told["platform"], "google_ads");
    assert_explained(&told);
    assert!(
        told["remarks"].to_string().contains("1 rows of totals"),
        "{}",
        told["remarks"]
    );

    // Meta's: the first and the last day of a row, the currency in the heading, of one account.
    let mut days: BTreeMap<String, [f64; 3]> = BTreeMap::new();
    let final_rows = truth("spend").into_iter().filter(|row| {
        row["platform"] == "meta_ads" && row["currency"] == "GBP" && row["is_final"] == "true"
    });
    let mut account = String::new();
    for row in final_rows {
        let sum = days.entry(row["day"].clone()).or_default();
        for (index, name) in ["spend", "impressions", "clicks"].into_iter().enumerate() {
            sum[index] += number(&row[name]);
        }
        account.clone_from(&row["account_id"]);
    }
    let headings =
        "Reporting starts,Reporting ends,Account ID,Amount spent (GBP),Impressions,Clicks (all)";
    let mut download = format!("{headings}\n");
    for (day, [spend, impressions, clicks]) in &days {
        download.push_str(&format!(
            "{day},{day},{account},{spend:.2},{impressions},{clicks}\n"
        ));
    }
    let told = against(company(), "meta.csv", &download, &["--kind", "meta_ads"]);
    let of_account = |figure: &Value| -> bool { figure["measure"] == "spend" };
    assert!(told["figures"].as_array().unwrap().iter().any(of_account));
    let rows = told["rows"].as_array().unwrap();
    let own: Vec<&Value> = rows
        .iter()
        .filter(|row| row["account"] == account.as_str())
        .collect();
    assert!(own.len() > 20);
    assert!(own.iter().all(|row| row["gap"] == "0"), "{own:?}");

    let weeks = format!("{headings}\n2026-06-01,2026-06-07,1,5,5,5\n");
    let path = company().path("weeks.csv");
    std::fs::write(&path, weeks).unwrap();
    let out = company().run(&["reconcile", "--against", &path.display().to_string()]);
    assert!(text(&out).contains("one row a day"), "{}", text(&out));
}

/// A day of a zone.
fn day_in(zone: &str, at: &str) -> String {
    let zone: chrono_tz::Tz = zone.parse().unwrap();
    let at = chrono::DateTime::parse_from_rfc3339(at).unwrap();
    at.with_timezone(&zone).date_naive().to_string()
}

/// Purchases and sessions as GA4 would show them in a zone: what it received with consent.
pub(crate) fn ga4_export(zone: &str) -> String {
    let mut days: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for touch in truth("touches")
        .iter()
        .filter(|touch| touch["visibility"] == "seen")
    {
        days.entry(day_in(zone, &touch["at"])).or_default().0 += 1;
    }
    for sale in truth("sales")
        .iter()
        .filter(|sale| !sale["session_id"].is_empty())
    {
        let sent: u64 = sale["ga4_purchase_events"].parse().unwrap();
        days.entry(day_in(zone, &sale["at"])).or_default().1 += sent;
    }
    let mut export =
        "# ----\n# Larkfield\n# ----\n\nDate,Sessions,Ecommerce purchases\n".to_owned();
    for (day, (sessions, purchases)) in &days {
        export.push_str(&format!(
            "{},{sessions},{purchases}\n",
            day.replace('-', "")
        ));
    }
    let (sessions, purchases) = days
        .values()
        .fold((0, 0), |sum, day| (sum.0 + day.0, sum.1 + day.1));
    export.push_str(&format!("Grand total,{sessions},{purchases}\n"));
    export
}

#[test]
fn ga4_differs_by_robots_consent_duplicates_and_other_systems() {
    let sales = truth("sales");
    let count = |wanted: &dyn Fn(&BTreeMap<String, String>) -> bool| -> f64 {
        sales.iter().filter(|sale| wanted(sale)).count() as f64
    };
    let robots = truth("touches")
        .iter()
        .filter(|touch| touch["is_bot"] == "true")
        .count();
    let again: u32 = sales
        .iter()
        .filter(|sale| !sale["session_id"].is_empty())
        .map(|sale| {
            sale["ga4_purchase_events"]
                .parse::<u32>()
                .unwrap()
                .saturating_sub(1)
        })
        .sum();
    let of = |status: &'static str| {
        count(&move |sale: &BTreeMap<String, String>| {
            sale["status"] == status
                && !sale["session_id"].is_empty()
                && sale["ga4_purchase_events"] != "0"
        })
    };
    for (zone, name) in [
        ("Europe/Berlin", "ga4.csv"),
        ("America/Los_Angeles", "ga4_la.csv"),
    ] {
        let told = against(company(), name, &ga4_export(zone), &["--zone", zone]);
        assert_eq!(told["subject"], "web");
        assert_eq!(known(&told, "consent").0, "left-out");
        assert_eq!(cause(&told, "sessions", "bots"), robots as f64);
        assert_eq!(figure(&told, "sessions")["unexplained"], "0");
        let unseen = |sale: &BTreeMap<String, String>| {
            sale["status"] == "valid" && sale["session_id"].is_empty()
        };
        assert_eq!(
            cause(&told, "purchases", "consent"),
            -count(&|sale| unseen(sale) && !sale["shopify_order_id"].is_empty())
        );
        assert_eq!(
            cause(&told, "purchases", "other_systems"),
            -count(&|sale| unseen(sale) && sale["shopify_order_id"].is_empty())
        );
        assert_eq!(cause(&told, "purchases", "deduplication"), f64::from(again));
        assert_eq!(cause(&told, "purchases", "test_orders"), of("test"));
        assert_eq!(
            cause(&told, "purchases", "cancelled_orders"),
            of("cancelled")
        );
        assert_eq!(figure(&told, "purchases")["unexplained_in_rows"], "0");
        let moved = figure(&told, "purchases")["causes"].as_array().unwrap();
        let zone_moves = moved.iter().find(|one| one["cause"] == "zone").unwrap();
        assert_eq!(
            zone_moves["in_rows"] != "0",
            zone != "Europe/Berlin",
            "{zone_moves}"
        );
    }
}

#[test]
fn events_that_came_twice_and_those_of_robots_are_counted_by_the_file_itself() {
    let staged = "select cast(local_date(event_at, 'UTC') as text) as day, count(*) as n \
                  from staged.stg_ga4__events group by 1 order by 1";
    let mut export = "Date,Event count\n".to_owned();
    for row in company().rows(staged) {
        export.push_str(&format!("{},{}\n", row["day"].as_str().unwrap(), row["n"]));
    }
    let told = against(company(), "events.csv", &export, &["--zone", "UTC"]);
    let planted = truth("defects")
        .iter()
        .filter(|defect| defect["kind"] == "duplicate_event")
        .count();
    assert!(planted > 0);
    assert_eq!(cause(&told, "events", "deduplication"), planted as f64);
    assert_eq!(known(&told, "consent"), ("counted", "recognised"));
    assert_explained(&told);
}

#[test]
fn rows_too_small_to_be_shown_are_withheld() {
    let by_channel = "select cast(s.reporting_date as text) as day, c.channel, count(*) as n \
        from star.fct_session s inner join star.dim_channel c on s.channel_key = c.channel_key \
        where not s.is_bot group by 1, 2 order by 1, 2";
    let mut export =
        "Date,Session primary channel group (Default channel group),Sessions\n".to_owned();
    let mut hidden = 0;
    for row in company().rows(by_channel) {
        let count = row["n"].as_i64().unwrap();
        match count < 3 {
            true => hidden += count,
            false => export.push_str(&format!(
                "{},{},{count}\n",
                row["day"].as_str().unwrap(),
                row["channel"].as_str().unwrap()
            )),
        }
    }
    let said = ["--their", "bots=left-out", "--their", "consent=counted"];
    let told = against(company(), "channels.csv", &export, &said);
    assert_eq!(cause(&told, "sessions", "thresholds"), -(hidden as f64));
    assert_explained(&told);
}

#[test]
fn direct_visits_under_their_last_source_are_the_model() {
    let by_source = "select cast(local_date(session_started_at, 'UTC') as text) as day, \
        concat(last_non_direct_source, ' / ', last_non_direct_medium) as source, count(*) as n \
        from star.fct_session where consent_analytics <> 'denied' group by 1, 2 order by 1, 2";
    let mut export = "Date,Session source / medium,Sessions\n".to_owned();
    for row in company().rows(by_source) {
        export.push_str(&format!(
            "{},{},{}\n",
            row["day"].as_str().unwrap(),
            row["source"].as_str().unwrap(),
            row["n"]
        ));
    }
    let told = against(company(), "sources.csv", &export, &["--zone", "UTC"]);
    assert_explained(&told);
    assert_eq!(known(&told, "direct"), ("last-source", "usual"));
    let took_over = "select 2 * count(*) from star.fct_session where not is_bot \
        and ((source is distinct from last_non_direct_source) \
        or (medium is distinct from last_non_direct_medium))";
    let causes = figure(&told, "sessions")["causes"].as_array().unwrap();
    let model = causes.iter().find(|one| one["cause"] == "model").unwrap();
    assert_eq!(model["amount"], "0");
    let moved = number(model["in_rows"].as_str().unwrap());
    let wanted = number(&company().value(took_over));
    // What one visit leaves, another may fill on the same day.
    assert!(moved > 0.0 && moved <= wanted, "{moved} of {wanted}");

    // The same without the zone: it is not found out, and said to look like one.
    let told = against(company(), "sources.csv", &export, &[]);
    let remarks = told["remarks"].to_string();
    assert!(remarks.contains("--zone"), "{remarks}");
}

/// A shop's own report: orders that are no tests, on its day, in one currency; refunds on their
/// own day or on the order's.
fn shop_export(zone: &str, is_by_order: bool) -> (String, i64) {
    let mut days: BTreeMap<(String, String), (i64, i64)> = BTreeMap::new();
    let mut placed = BTreeMap::new();
    for sale in truth("sales")
        .iter()
        .filter(|sale| !sale["shopify_order_id"].is_empty())
    {
        placed.insert(sale["sale_id"].clone(), sale.clone());
        if sale["status"] != "test" {
            let id = (day_in(zone, &sale["at"]), sale["currency"].clone());
            days.entry(id).or_default().0 += 1;
        }
    }
    let mut refunded = 0;
    for refund in truth("refunds") {
        let sale = &placed[&refund["sale_id"]];
        let at = if is_by_order {
            &sale["at"]
        } else {
            &refund["at"]
        };
        let cents: i64 = refund["amount"].replace('.', "").parse().unwrap();
        refunded += cents;
        days.entry((day_in(zone, at), refund["currency"].clone()))
            .or_default()
            .1 += cents;
    }
    let mut export = "Day;Currency;Orders;Returns\n".to_owned();
    for ((day, currency), (orders, cents)) in days {
        let day: chrono::NaiveDate = day.parse().unwrap();
        // As a German spreadsheet writes it.
        export.push_str(&format!(
            "{};{currency};{orders};-{},{:02}\n",
            day.format("%d.%m.%Y"),
            cents / 100,
            cents % 100
        ));
    }
    (export, refunded)
}

#[test]
fn shop_orders_differ_by_cancelled_ones_zone_and_refund_date() {
    let cancelled = truth("sales")
        .iter()
        .filter(|sale| sale["status"] == "cancelled" && !sale["shopify_order_id"].is_empty())
        .count();
    for (zone, is_by_order) in [("Europe/Berlin", false), ("America/New_York", true)] {
        let (export, refunded) = shop_export(zone, is_by_order);
        let told = against(
            company(),
            &format!("shop_{is_by_order}.csv"),
            &export,
            &["--zone", zone],
        );
        assert_eq!(told["subject"], "shop");
        assert_eq!(cause(&told, "orders", "cancelled_orders"), cancelled as f64);
        assert_eq!(cause(&told, "orders", "test_orders"), 0.0);
        assert_explained(&told);
        if refunded > 0 {
            let wanted = if is_by_order {
                "order-date"
            } else {
                "own-date"
            };
            assert_eq!(known(&told, "refunds").0, wanted);
        }
    }
}

#[test]
fn a_platforms_last_click_on_the_clicks_day_is_model_and_click_date() {
    let own_zone = "case max(d.account_zone) when 'America/Los_Angeles' \
        then local_date(max(t.event_at), 'America/Los_Angeles') when 'Europe/London' \
        then local_date(max(t.event_at), 'Europe/London') \
        else local_date(max(t.event_at), 'Europe/Berlin') end";
    let one_zone = "local_date(max(t.event_at), 'Asia/Tokyo')";
    for (day, said) in [
        (own_zone, &[][..]),
        (one_zone, &["--zone", "Asia/Tokyo"][..]),
    ] {
        // The last click of each sale is on one campaign: its account has the greatest time.
        let clicks = format!(
            "with click as (select c.conversion_id, t.event_at, d.account_zone, \
             max(t.event_at) over (partition by c.conversion_id) as last_at \
             from star.fct_conversion c inner join star.int_customer_touch t \
             on c.customer_key = t.customer_key and t.event_at <= c.conversion_at \
             and t.event_at >= c.conversion_at - interval '30 days' \
             inner join star.dim_campaign d on t.campaign_key = d.campaign_key and d.is_current \
             where c.is_sale and not t.is_conversion and d.platform = 'google_ads' \
             and c.customer_key <> 0) \
             select cast({} as text) as day from click where event_at = last_at \
             group by conversion_id",
            day.replace("d.account", "account")
                .replace("t.event_at", "event_at")
        );
        let mut days: BTreeMap<String, u32> = BTreeMap::new();
        for row in company().rows(&clicks) {
            *days
                .entry(row["day"].as_str().unwrap().to_owned())
                .or_default() += 1;
        }
        assert!(days.values().sum::<u32>() > 5);
        let mut export = "Day,Conversions\n".to_owned();
        for (day, count) in &days {
            export.push_str(&format!("{day},{count}.0\n"));
        }
        let first = days.keys().next().unwrap().clone();
        let mut more = vec![
            "--kind",
            "google_ads",
            "--model",
            "linear",
            "--from",
            &first,
        ];
        more.extend(["--to", "2026-06-30"]);
        more.extend(said);
        let told = against(company(), "clicks.csv", &export, &more);
        // A sale after several clicks on several channels is theirs as a whole.
        assert!(cause(&told, "conversions", "model") > 0.0);
        assert_eq!(known(&told, "conversions").0, "click-date");
        assert_eq!(
            figure(&told, "conversions")["unexplained_in_rows"],
            "0",
            "{said:?}"
        );
        let late = &figure(&told, "conversions")["causes"][0];
        assert!(late["not_computable"].as_str().is_some(), "{late}");
        // What the platform claims of itself is compared with what we hold of its claims.
        assert_eq!(
            figure(&told, "platform_conversions")["theirs"],
            figure(&told, "conversions")["theirs"]
        );
    }
}

#[test]
fn claims_that_come_by_action_are_compared_by_the_one_that_is_said() {
    let claims = "select cast(report_date as text) as day, sum(platform_conversions) as n \
        from star.fct_ad_conversion where action = 'link_click' and is_current \
        and attribution_window = 'default' and platform = 'meta_ads' group by 1 order by 1";
    let mut export = "Day,Conversions\n".to_owned();
    for row in company().rows(claims) {
        export.push_str(&format!("{},{}\n", row["day"].as_str().unwrap(), row["n"]));
    }
    let said = ["--kind", "meta_ads", "--measure", "platform_conversions"];
    let with_action = [&said[..], &["--action", "link_click"]].concat();
    let told = against(company(), "actions.csv", &export, &with_action);
    assert_explained(&told);
    assert!(
        number(
            figure(&told, "platform_conversions")["ours"]
                .as_str()
                .unwrap()
        ) > 50.0
    );
    // Clicks are no sales: without a word they are not taken for them.
    let told = against(company(), "actions.csv", &export, &said);
    assert_ne!(
        figure(&told, "platform_conversions")["unexplained_in_rows"],
        "0"
    );
}

#[test]
fn what_arrived_after_the_export_is_late() {
    let project = Project::new(PROGRAM, "");
    let settings =
        "sources:\n  shop:\n    kind: shopify\n    streams:\n      orders: 'orders/*.ndjson'\n";
    project.set(settings);
    let order = |id: u32, at: &str| {
        let order = serde_json::json!({
            "id": id, "name": format!("#{id}"), "created_at": at, "updated_at": at,
            "currency": "EUR", "total_price": "10.00", "line_items": [],
        });
        format!("{order}\n")
    };
    let first = order(1, "2026-05-01T08:00:00Z") + &order(2, "2026-05-02T08:00:00Z");
    project.write("orders/a.ndjson", first);
    project.json(&["run"], 0);
    let then = project.value("select cast(now() as text) as t");
    let then = format!("{}Z", &then[..26].replace(' ', "T"));
    project.write("orders/b.ndjson", order(3, "2026-05-02T09:00:00Z"));
    project.json(&["run"], 0);
    let export = "Day,Orders\n2026-05-01,1\n2026-05-02,1\n";
    let told = against(&project, "shop.csv", export, &["--as-of", &then]);
    assert_eq!(cause(&told, "orders", "late_data"), -1.0);
    assert_explained(&told);
    // Without a time it is not guessed.
    let told = against(&project, "shop.csv", export, &[]);
    assert_eq!(figure(&told, "orders")["unexplained"], "-1");
}

#[test]
fn every_row_of_any_export_sums_to_its_gap() {
    let mut state: u64 = 20_261;
    let mut next = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let kinds: [(&str, &str, &[&str]); 4] = [
        (
            "google_ads",
            "Cost,Clicks,Conversions,Conv. value",
            &["--window", "7"],
        ),
        (
            "meta_ads",
            "Amount spent (GBP),Impressions,Purchases",
            &["--model", "first"],
        ),
        (
            "ga4",
            "Sessions,Users,Events,Purchases,Revenue",
            &["--zone", "Asia/Tokyo"],
        ),
        (
            "shopify",
            "Orders,Gross sales,Discounts,Net sales,Total sales,Returns",
            &["--zone", "UTC"],
        ),
    ];
    for (kind, measures, said) in kinds {
        let mut export = format!("Date,{measures}\n");
        let mut seen = BTreeSet::new();
        for _ in 0..25 {
            let day = format!("2026-06-{:02}", 1 + next(30));
            if seen.insert(day.clone()) {
                let figures: Vec<String> = (0..measures.split(',').count())
                    .map(|_| format!("{}.{:02}", next(500), next(100)))
                    .collect();
                export.push_str(&format!("{day},{}\n", figures.join(",")));
            }
        }
        let written = company().path(&format!("random_{kind}_rows.csv"));
        let shown = written.display().to_string();
        let mut more = vec!["--kind", kind, "--output", &shown];
        more.extend(said);
        let told = against(company(), &format!("random_{kind}.csv"), &export, &more);
        let rows = csv_rows(&written);
        assert_eq!(rows.len(), told["rows"].as_array().unwrap().len(), "{kind}");
        assert!(
            rows.len() >= seen.len() * measures.split(',').count(),
            "{kind}"
        );
    }
}

#[test]
fn what_is_no_export_is_refused_with_what_was_found() {
    let cases: [(&str, &str, &[&str], &str); 9] = [
        ("none.csv", "a,b\n1,2\n", &[], "found: a, b"),
        (
            "no_day.csv",
            "Campaign,Clicks\nx,2\n",
            &[],
            "expected: a day",
        ),
        ("no_rows.csv", "Date,Clicks\n", &[], "no rows with a day"),
        (
            "twice.csv",
            "Date,Cost\n01/02/2026,5\n",
            &[],
            "--date-format",
        ),
        (
            "word.csv",
            "Date,Cost\n2026-06-01,free of charge\n",
            &[],
            "line 2: `free of charge`",
        ),
        (
            "both.csv",
            "Date,Cost\n2026-06-01,\"1,5\"\n2026-06-02,1.25\n",
            &[],
            "decimal",
        ),
        (
            "whose.csv",
            "Date,Cost\n2026-06-01,5\n",
            &[],
            "say it with `--kind`",
        ),
        (
            "kind.csv",
            "Date,Cost\n2026-06-01,5\n",
            &["--kind", "ga5"],
            "no such platform",
        ),
        (
            "zone.csv",
            "Date,Orders\n2026-06-01,5\n",
            &["--zone", "Mars"],
            "no IANA zone",
        ),
    ];
    for (name, content, more, said) in cases {
        let path = company().path(name);
        std::fs::write(&path, content).unwrap();
        let path = path.display().to_string();
        let mut arguments = vec!["reconcile", "--against", &path];
        arguments.extend(more);
        let out = company().run(&arguments);
        assert_eq!(out.status.code(), Some(1), "{name}: {}", text(&out));
        assert!(text(&out).contains(said), "{name}: {}", text(&out));
    }
    let out = company().run(&["reconcile", "--against", "nothing.csv"]);
    assert!(text(&out).contains("there is no file"), "{}", text(&out));
}
