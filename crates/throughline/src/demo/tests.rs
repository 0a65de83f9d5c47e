//! The generator's promises: the same bytes again, as many events as asked, a truth that agrees
//! with the files, and defects that are where the list says.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{GenerateOptions, GenerateReport, generate};

fn options(events: u64, days: u32, out: &Path, threads: usize) -> GenerateOptions {
    GenerateOptions {
        events,
        days,
        seed: 7,
        out: out.to_owned(),
        threads: Some(threads),
    }
}

fn made(events: u64, days: u32) -> (tempfile::TempDir, GenerateReport) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let report = generate(&options(events, days, folder.path(), 2), &|_| {}).expect("generates");
    (folder, report)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(&next).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path)
            } else {
                all.push(path)
            }
        }
    }
    all.sort();
    all
}

fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let relative = |path: &Path| path.strip_prefix(folder).expect("below").to_owned();
    files(folder)
        .into_iter()
        .map(|path| (relative(&path), std::fs::read(&path).expect("a file")))
        .collect()
}

fn text(path: &Path) -> String {
    let bytes = std::fs::read(path).expect("a file");
    if path.extension().is_some_and(|ending| ending == "gz") {
        let mut text = String::new();
        flate2::read::GzDecoder::new(&bytes[..])
            .read_to_string(&mut text)
            .expect("gzip");
        return text;
    }
    String::from_utf8(bytes).expect("UTF-8")
}

fn split(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    let mut last = ' ';
    for c in line.chars() {
        match c {
            '"' => {
                quoted = !quoted;
                if quoted && last == '"' {
                    fields.last_mut().expect("a field").push('"');
                }
            }
            ',' if !quoted => fields.push(String::new()),
            _ => fields.last_mut().expect("a field").push(c),
        }
        last = c;
    }
    fields
}

type Row = HashMap<String, String>;

fn csv(path: &Path) -> Vec<Row> {
    let text = text(path);
    let mut lines = text.lines();
    let header = split(lines.next().expect("a header"));
    lines
        .map(|line| {
            let fields = split(line);
            assert_eq!(fields.len(), header.len(), "{line}");
            header.iter().cloned().zip(fields).collect()
        })
        .collect()
}

fn table(folder: &Path, name: &str) -> Vec<Row> {
    let below = folder.join(name);
    files(&below).iter().flat_map(|path| csv(path)).collect()
}

fn cents(text: &str) -> i64 {
    let (whole, part) = text.split_once('.').expect("two decimals");
    whole.parse::<i64>().expect("a number") * 100 + part.parse::<i64>().expect("cents")
}

fn events(folder: &Path) -> Vec<(PathBuf, usize, Result<Value, serde_json::Error>)> {
    let mut all = Vec::new();
    for path in files(&folder.join("ga4")) {
        for (index, line) in text(&path).lines().enumerate() {
            all.push((path.clone(), index + 1, serde_json::from_str(line)));
        }
    }
    all
}

fn param(event: &Value, key: &str) -> Option<String> {
    let params = event["event_params"].as_array()?;
    let found = params.iter().find(|param| param["key"] == key)?;
    let value = found["value"].as_object()?.values().next()?;
    Some(
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned),
    )
}

#[test]
fn the_same_arguments_give_the_same_bytes_whatever_the_threads() {
    let first = tempfile::tempdir().expect("a temporary folder");
    let second = tempfile::tempdir().expect("a temporary folder");
    let one = generate(&options(6_000, 20, first.path(), 1), &|_| {}).expect("generates");
    let two = generate(&options(6_000, 20, second.path(), 2), &|_| {}).expect("generates");
    assert_eq!(one, two);
    let before = contents(first.path());
    assert!(
        before == contents(second.path()),
        "two threads write something else than one"
    );
    generate(&options(6_000, 20, first.path(), 2), &|_| {}).expect("generates again");
    assert!(
        before == contents(first.path()),
        "the second time something else is written"
    );
}

#[test]
fn another_seed_is_another_world() {
    let (first, _) = made(2_000, 10);
    let second = tempfile::tempdir().expect("a temporary folder");
    let other = GenerateOptions {
        seed: 8,
        ..options(2_000, 10, second.path(), 2)
    };
    generate(&other, &|_| {}).expect("generates");
    let people = |folder: &Path| text(&folder.join("truth/people.csv"));
    assert_ne!(people(first.path()), people(second.path()));
}

#[test]
fn as_many_events_as_asked() {
    for (wanted, days) in [(3_000, 7), (20_000, 30), (40_000, 90)] {
        let (folder, report) = made(wanted, days);
        let lines = events(folder.path()).len() as u64;
        assert_eq!(lines, report.events);
        assert!(
            lines.abs_diff(wanted) * 100 <= wanted * 3,
            "{lines} of {wanted}"
        );
        assert_eq!(files(&folder.path().join("ga4")).len(), days as usize);
    }
}

#[test]
fn lines_are_sound_but_for_those_listed() {
    let (folder, _) = made(30_000, 30);
    let listed: BTreeSet<(String, String)> = csv(&folder.path().join("truth/defects.csv"))
        .into_iter()
        .filter(|defect| defect["kind"] == "malformed_line")
        .map(|defect| (defect["file"].clone(), defect["place"].clone()))
        .collect();
    assert!(!listed.is_empty());
    let mut found = BTreeSet::new();
    for (path, line, event) in events(folder.path()) {
        let is_sound = event.is_ok_and(|event| {
            let at = event["event_timestamp"].as_str().unwrap_or_default();
            at.parse::<i64>().is_ok() && event["event_name"].is_string()
        });
        if !is_sound {
            let file = path
                .strip_prefix(folder.path())
                .expect("below")
                .display()
                .to_string();
            found.insert((file, line.to_string()));
        }
    }
    assert_eq!(found, listed);
}

#[test]
fn an_event_date_is_the_day_at_home_and_sessions_are_those_of_the_truth() {
    let (folder, _) = made(20_000, 30);
    let truth: BTreeSet<String> = csv(&folder.path().join("truth/touches.csv"))
        .into_iter()
        .filter(|touch| touch["visibility"] == "seen")
        .map(|touch| format!("{}.{}", touch["device"], touch["session_id"]))
        .collect();
    let mut seen = BTreeSet::new();
    for (_, _, event) in events(folder.path()) {
        let Ok(event) = event else { continue };
        if let (Some(device), Some(session)) = (
            event["user_pseudo_id"].as_str(),
            param(&event, "ga_session_id"),
        ) {
            seen.insert(format!("{device}.{session}"));
        }
        let skews = [0, 3_600_000_000, 86_400_000_000];
        let Some(at) = event["event_timestamp"]
            .as_str()
            .and_then(|at| at.parse::<i64>().ok())
        else {
            continue;
        };
        let Some(day) = event["event_date"].as_str() else {
            continue;
        };
        let at_home = |at| {
            let zone = super::calendar::ZONES[super::calendar::HOME];
            super::calendar::utc(at)
                .with_timezone(&zone)
                .format("%Y%m%d")
                .to_string()
        };
        assert!(
            skews.iter().any(|skew| at_home(at - skew) == day),
            "{event}"
        );
    }
    assert_eq!(seen, truth);
}

/// Spend by platform, campaign and day from the latest delivery of each row.
fn spend_of_files(folder: &Path) -> BTreeMap<(String, String, String), i64> {
    let mut latest: HashMap<(String, String, String, String), (String, String, i64)> =
        HashMap::new();
    let mut take =
        |platform: &str, rows: Vec<Row>, names: [&str; 4], spend: fn(&str) -> Option<i64>| {
            for row in rows {
                let [day, unit, segment, cost] = names;
                let Some(cost) = spend(&row[cost]) else {
                    continue;
                };
                let segment = row.get(segment).cloned().unwrap_or_default();
                let day = row[day].chars().take(10).collect::<String>();
                let key = (platform.to_owned(), day, row[unit].clone(), segment);
                let synced = row["_fivetran_synced"].clone();
                let known = latest
                    .entry(key)
                    .or_insert_with(|| (synced.clone(), String::new(), cost));
                if known.0 <= synced {
                    *known = (synced, String::new(), cost);
                }
            }
        };
    let micros = |text: &str| text.parse::<i64>().ok().map(|micros| micros / 10_000);
    let decimal = |text: &str| {
        let is_decimal = text.chars().all(|c| c.is_ascii_digit() || c == '.');
        is_decimal.then(|| self::cents(text))
    };
    let google = table(folder, "google_ads/campaign_stats");
    take(
        "google_ads",
        google,
        ["date", "id", "device", "cost_micros"],
        micros,
    );
    take(
        "meta_ads",
        table(folder, "meta_ads/basic_ad"),
        ["date", "ad_id", "", "spend"],
        decimal,
    );
    let linkedin = table(folder, "linkedin_ads/ad_analytics_by_creative");
    let names = ["day", "creative_id", "", "cost_in_local_currency"];
    take("linkedin_ads", linkedin, names, decimal);
    let mut campaigns: HashMap<String, String> = HashMap::new();
    for ad in table(folder, "meta_ads/ad_history") {
        campaigns.insert(ad["id"].clone(), ad["campaign_id"].clone());
    }
    let groups: HashMap<String, String> = table(folder, "linkedin_ads/ad_campaign_history")
        .into_iter()
        .map(|row| (row["id"].clone(), row["campaign_group_id"].clone()))
        .collect();
    for creative in table(folder, "linkedin_ads/ad_creative_history") {
        campaigns.insert(
            creative["id"].clone(),
            groups[&creative["campaign_id"]].clone(),
        );
    }
    let mut sums = BTreeMap::new();
    for ((platform, day, unit, _), (_, _, spend)) in latest {
        let campaign = campaigns.get(&unit).cloned().unwrap_or(unit);
        *sums.entry((platform, campaign, day)).or_default() += spend;
    }
    sums
}

#[test]
fn spend_in_the_files_is_the_spend_of_the_truth_to_the_cent() {
    let (folder, _) = made(30_000, 60);
    let rows = csv(&folder.path().join("truth/spend.csv"));
    assert!(rows.iter().any(|row| row["is_final"] == "false"));
    let truth: BTreeMap<(String, String, String), i64> = rows
        .into_iter()
        .filter(|row| row["is_final"] == "true")
        .map(|row| {
            let key = (
                row["platform"].clone(),
                row["campaign_id"].clone(),
                row["day"].clone(),
            );
            (key, cents(&row["spend"]))
        })
        .collect();
    assert!(truth.values().sum::<i64>() > 100_000);
    assert_eq!(spend_of_files(folder.path()), truth);
}

#[test]
fn orders_in_the_files_are_the_sales_of_the_truth_to_the_cent() {
    let (folder, report) = made(40_000, 60);
    let mut latest: BTreeMap<String, Value> = BTreeMap::new();
    for path in files(&folder.path().join("shopify/orders")) {
        for line in text(&path).lines() {
            let order: Value = serde_json::from_str(line).expect("JSON");
            // An order without an id is one of the planted defects.
            if let Some(id) = order["id"].as_u64() {
                latest.insert(id.to_string(), order);
            }
        }
    }
    assert_eq!(latest.len() as u64, report.orders);
    let mut refunds = 0;
    for sale in csv(&folder.path().join("truth/sales.csv")) {
        let Some(order) = latest.get(&sale["shopify_order_id"]) else {
            assert_eq!(sale["kind"], "b2b");
            continue;
        };
        assert_eq!(order["total_price"], sale["gross"].as_str());
        assert_eq!(order["total_tax"], sale["tax"].as_str());
        assert_eq!(order["currency"], sale["currency"].as_str());
        assert_eq!(order["order_number"].to_string(), sale["order_number"]);
        assert_eq!(order["test"] == true, sale["status"] == "test");
        let given_back: i64 = order["refunds"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|refund| cents(refund["transactions"][0]["amount"].as_str().expect("text")))
            .sum();
        assert_eq!(given_back, cents(&sale["refunded"]));
        refunds += u64::from(given_back > 0);
        let lines: i64 = order["line_items"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|line| {
                let price = cents(line["price"].as_str().expect("text"));
                price * line["quantity"].as_i64().expect("a number")
            })
            .sum();
        assert_eq!(
            lines,
            cents(order["total_line_items_price"].as_str().expect("text"))
        );
        let on_top = if order["taxes_included"] == true {
            0
        } else {
            cents(&sale["tax"])
        };
        let gross = lines - cents(&sale["discount"]) + cents(&sale["shipping"]) + on_top;
        assert_eq!(gross, cents(&sale["gross"]));
    }
    assert_eq!(refunds, report.refunds);
    assert!(refunds > 0);
}

#[test]
fn purchases_of_the_website_are_those_of_the_truth() {
    let (folder, _) = made(40_000, 60);
    let mut fired: BTreeMap<String, u64> = BTreeMap::new();
    let mut lines = BTreeSet::new();
    for (_, _, event) in events(folder.path()) {
        let Ok(event) = event else { continue };
        // The same line delivered twice is one event.
        if event["event_name"] == "purchase" && lines.insert(event.to_string()) {
            let number = event["ecommerce"]["transaction_id"]
                .as_str()
                .expect("text")
                .to_owned();
            assert_eq!(param(&event, "transaction_id"), Some(number.clone()));
            *fired.entry(number).or_default() += 1;
        }
    }
    let truth: BTreeMap<String, u64> = csv(&folder.path().join("truth/sales.csv"))
        .into_iter()
        .filter(|sale| !sale["ga4_transaction_id"].is_empty())
        .map(|sale| {
            let count = sale["ga4_purchase_events"].parse().expect("a number");
            (sale["ga4_transaction_id"].clone(), count)
        })
        .collect();
    assert_eq!(fired, truth);
    assert!(
        truth.values().any(|count| *count == 2),
        "a purchase fires twice"
    );
}

#[test]
fn the_crm_knows_the_won_deals_and_no_contact_that_nobody_is() {
    let (folder, _) = made(60_000, 90);
    let mut deals: HashMap<String, Row> = HashMap::new();
    for deal in table(folder.path(), "hubspot/deal") {
        deals.insert(deal["deal_id"].clone(), deal);
    }
    let mut won = 0;
    let sales = csv(&folder.path().join("truth/sales.csv"));
    for sale in sales.iter().filter(|sale| sale["kind"] != "b2c") {
        let deal = &deals[&sale["hubspot_deal_id"]];
        assert_eq!(deal["deal_pipeline_stage_id"], "closedwon");
        assert_eq!(deal["property_amount"], sale["net"]);
        assert_eq!(deal["property_order_number"], sale["order_number"]);
        won += 1;
    }
    let closed = deals
        .values()
        .filter(|deal| deal["property_hs_is_closed_won"] == "true")
        .count();
    assert_eq!(closed, won);
    let known: BTreeSet<String> = csv(&folder.path().join("truth/people.csv"))
        .into_iter()
        .flat_map(|person| {
            let ids = person["hubspot_contact_ids"].clone();
            ids.split(';').map(str::to_owned).collect::<Vec<_>>()
        })
        .filter(|id| !id.is_empty())
        .collect();
    let delivered: BTreeSet<String> = table(folder.path(), "hubspot/contact")
        .into_iter()
        .map(|contact| contact["id"].clone())
        .filter(|id| !id.is_empty())
        .collect();
    assert_eq!(delivered, known);
    assert!(!table(folder.path(), "hubspot/contact_merge_audit").is_empty());
    let several = table(folder.path(), "hubspot/deal_contact").len();
    assert!(several > deals.len(), "deals have several contacts");
}

#[test]
fn every_kind_of_defect_is_planted() {
    let (folder, report) = made(120_000, 90);
    let defects = csv(&folder.path().join("truth/defects.csv"));
    assert_eq!(defects.len() as u64, report.defects);
    let kinds: BTreeSet<&str> = defects
        .iter()
        .map(|defect| defect["kind"].as_str())
        .collect();
    for kind in [
        "blocked_identifier",
        "bot",
        "cancelled_order",
        "clock_skew",
        "crm_merge",
        "currency_slip",
        "double_purchase",
        "duplicate_event",
        "duplicate_file",
        "email_variant",
        "late_events",
        "late_refund",
        "macro_in_utm",
        "malformed_line",
        "missing_currency",
        "missing_id",
        "missing_in_ga4",
        "new_column",
        "renamed_column",
        "self_referral",
        "shared_device",
        "test_order",
        "text_in_number",
    ] {
        assert!(kinds.contains(kind), "no {kind}");
    }
    let sessions = csv(&folder.path().join("truth/touches.csv")).len();
    assert!(defects.len() * 10 < sessions, "defects are few");
}

#[test]
fn no_identifier_belongs_to_two_people_unless_it_is_shared() {
    let (folder, _) = made(40_000, 60);
    let mut owners: HashMap<(String, String), String> = HashMap::new();
    let mut shared = 0;
    for row in csv(&folder.path().join("truth/identifiers.csv")) {
        if row["is_shared"] == "true" {
            shared += 1;
            continue;
        }
        let key = (row["type"].clone(), row["value"].clone());
        let before = owners.insert(key.clone(), row["person_id"].clone());
        assert!(
            before.is_none(),
            "{key:?} is of {} and {before:?}",
            row["person_id"]
        );
    }
    assert!(shared > 0);
}

#[test]
fn the_funnel_and_the_returns_are_believable() {
    let (folder, report) = made(120_000, 90);
    let sales = csv(&folder.path().join("truth/sales.csv"));
    let bought = sales.iter().filter(|sale| sale["kind"] == "b2c").count() as f64;
    let rate = bought / report.sessions as f64;
    assert!((0.012..0.035).contains(&rate), "conversion rate {rate}");
}

#[test]
fn rates_are_those_of_banking_days() {
    let (folder, _) = made(1_000, 90);
    let text = text(&folder.path().join("exchange_rates/eurofxref.csv"));
    assert!(text.starts_with("Date,USD,JPY,"));
    assert!(text.contains(",N/A,"));
    for (day, is_there) in [
        ("2026-04-02", true),
        ("2026-04-03", false),
        ("2026-04-06", false),
        ("2026-05-01", false),
        ("2026-06-27", false),
        ("2026-06-30", true),
    ] {
        assert_eq!(text.contains(&format!("\n{day},")), is_there, "{day}");
    }
    assert_eq!(super::calendar::easter(2024).to_string(), "2024-03-31");
    assert_eq!(super::calendar::easter(2026).to_string(), "2026-04-05");
    assert_eq!(super::calendar::easter(2038).to_string(), "2038-04-25");
}

#[test]
fn the_project_file_is_a_project_and_its_files_are_there() {
    let (folder, _) = made(3_000, 30);
    let yaml = super::project::project_yaml("sources/");
    let project: domain::config::ProjectConfig = serde_yaml_ng::from_str(&yaml).expect("parses");
    assert_eq!(project.reporting.currency, "EUR");
    let mut named = BTreeSet::new();
    for (name, source) in &project.sources {
        for stream in source.streams(name) {
            let path = stream.paths[0]
                .strip_prefix("sources/")
                .expect("below sources");
            let (parent, pattern) = path.rsplit_once('/').expect("a folder");
            let ending = pattern.rsplit('*').next().expect("an ending");
            let there: Vec<PathBuf> = files(&folder.path().join(parent))
                .into_iter()
                .filter(|file| file.display().to_string().ends_with(ending))
                .collect();
            assert!(!there.is_empty(), "{path}");
            named.extend(there);
        }
    }
    let unnamed: Vec<PathBuf> = files(folder.path())
        .into_iter()
        .filter(|file| !named.contains(file) && !file.starts_with(folder.path().join("truth")))
        .collect();
    assert!(unnamed.is_empty(), "{unnamed:?}");
}

#[test]
fn a_folder_of_somebody_else_is_left_alone() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("mine.txt"), "mine").expect("writes");
    let error = generate(&options(1_000, 5, folder.path(), 1), &|_| {}).expect_err("refuses");
    assert!(error.to_string().contains("is not empty"));
    let error = generate(&options(1_000, 1, folder.path(), 1), &|_| {}).expect_err("refuses");
    assert!(error.to_string().contains("`--days` is 1"));
    assert_eq!(files(folder.path()).len(), 1);
}
