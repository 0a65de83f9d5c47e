//! Which keys tie which systems, and which records of a sale meet: against the demo company's
//! truth, and in a company whose systems write their keys badly.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;
use testkit::{Project, copy_folder, csv_rows, plain};

use crate::PROGRAM;
use crate::demo_company::{COMPANY, truth};

fn scenario() -> PathBuf {
    Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/scenarios/linkability"
    ))
    .into()
}

/// The company whose systems write their keys badly, with more settings; not yet built.
fn badly_kept(more: &str) -> Project {
    let settings = std::fs::read_to_string(scenario().join("settings.yml")).unwrap();
    let project = Project::new(PROGRAM, &format!("{settings}{more}"));
    for folder in ["data", "models"] {
        copy_folder(&scenario().join(folder), &project.dir().join(folder));
    }
    project
}

/// The rows of `linkability`, by record type, key and target type.
fn keys(project: &Project) -> BTreeMap<String, Value> {
    let report = project.json(&["linkability"], 0);
    let rows = report["keys"].as_array().unwrap().iter();
    rows.map(|row| {
        let name = ["record_type", "join_key", "target_type"].map(|part| plain(&row[part]));
        (name.join(" "), row.clone())
    })
    .collect()
}

fn count(row: &Value, name: &str) -> usize {
    let number = row[name].as_u64();
    number.unwrap_or_else(|| panic!("no count `{name}` in {row}")) as usize
}

#[test]
fn planted_sales_of_several_systems_meet_and_none_counts_twice() {
    // The conversion of every record, by the number that the truth knows it by.
    let rows = COMPANY.project.rows(
        "select e.evidence_type as kind, cast(e.conversion_id as text) as sale, \
         case when e.evidence_type = 'web' then w.order_reference \
           else substr(e.evidence_id, strpos(e.evidence_id, ':') + 1) end as number \
         from star.fct_conversion_evidence e left join star.int_web_conversion w \
         on e.evidence_id = cast(w.event_id as text)",
    );
    let mut sale_of: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for row in &rows {
        let key = (plain(&row["kind"]), plain(&row["number"]));
        sale_of.entry(key).or_default().insert(plain(&row["sale"]));
    }
    let (mut planted, mut met) = (0, 0);
    for sale in truth("sales")
        .iter()
        .filter(|sale| sale["status"] == "valid")
    {
        let records = [
            ("order", "shopify_order_id"),
            ("web", "ga4_transaction_id"),
            ("deal", "hubspot_deal_id"),
        ];
        let records = records.map(|(kind, column)| (kind.to_owned(), sale[column].clone()));
        let named: Vec<_> = records
            .iter()
            .filter(|(_, number)| !number.is_empty())
            .collect();
        if named.len() < 2 {
            continue;
        }
        planted += 1;
        let found: Vec<_> = named.iter().map(|record| sale_of.get(*record)).collect();
        let sales: BTreeSet<&String> = found.iter().flatten().copied().flatten().collect();
        met += usize::from(found.iter().all(Option::is_some) && sales.len() == 1);
    }
    assert!(planted > 15, "{planted}");
    assert!(met * 1000 >= planted * 995, "{met} of {planted}");

    let report = COMPANY.project.json(&["sales"], 0);
    let total = &report["total"];
    assert_eq!(count(total, "naming_sale_count"), planted, "{total}");
    assert_eq!(count(total, "matched_sale_count"), met, "{total}");
    assert_eq!(count(total, "counted_twice_count"), 0, "{total}");
}

#[test]
fn coverage_and_matches_are_those_of_the_truth() {
    let keys = keys(&COMPANY.project);
    let sales = truth("sales");
    let valid = || sales.iter().filter(|sale| sale["status"] == "valid");
    let orders = &keys["order transaction_id web"];
    let in_shop = valid().filter(|sale| !sale["shopify_order_id"].is_empty());
    assert_eq!(count(orders, "record_count"), in_shop.count(), "{orders}");
    let seen = valid().filter(|sale| !sale["ga4_transaction_id"].is_empty());
    assert_eq!(count(orders, "matched_count"), seen.count(), "{orders}");
    let purchases = &keys["web transaction_id order"];
    assert_eq!(purchases["match_rate"], 1.0, "{purchases}");

    // Cookies in the CRM's own files, and those that the site saw.
    let touches = truth("touches");
    let seen = touches.iter().filter(|touch| touch["visibility"] == "seen");
    let devices: BTreeSet<&String> = seen.map(|touch| &touch["device"]).collect();
    let mut contacts: BTreeMap<String, (String, bool, BTreeSet<String>)> = BTreeMap::new();
    let folder = COMPANY.project.dir().join("generated/hubspot/contact");
    for file in std::fs::read_dir(folder).unwrap() {
        let rows = csv_rows(&file.unwrap().path());
        for row in rows.into_iter().filter(|row| !row["id"].is_empty()) {
            let contact = contacts.entry(row["id"].clone()).or_default();
            if row["_fivetran_synced"] > contact.0 {
                contact.0 = row["_fivetran_synced"].clone();
                contact.1 = row["_fivetran_deleted"] == "true";
            }
            contact.2.insert(row["property_ga_client_id"].clone());
        }
    }
    let kept = || contacts.values().filter(|(_, is_deleted, _)| !is_deleted);
    let clients = &keys["contact client_id web"];
    assert_eq!(count(clients, "record_count"), kept().count(), "{clients}");
    let carrying = kept().filter(|(_, _, cookies)| cookies.iter().any(|c| !c.is_empty()));
    assert_eq!(
        count(clients, "carrying_count"),
        carrying.count(),
        "{clients}"
    );
    let matched = kept().filter(|(_, _, cookies)| cookies.iter().any(|c| devices.contains(c)));
    assert_eq!(
        count(clients, "matched_count"),
        matched.count(),
        "{clients}"
    );

    // The site never sends HubSpot's cookie: nothing can match, and that is what is said.
    let cookie = &keys["contact tracking_cookie web"];
    assert_eq!(cookie["finding"], "not_on_other_side", "{cookie}");
    assert_eq!(count(cookie, "matched_count"), 0, "{cookie}");
}

#[test]
fn badly_kept_keys_are_found_out_with_what_to_mend() {
    let project = badly_kept("");
    project.json(&["run"], 0);
    let keys = keys(&project);
    let findings = [
        ("contact client_id web", "written_differently"),
        ("contact gclid web", "written_differently"),
        ("contact tracking_cookie web", "partly_matched"),
        ("contact user_id web", "unusable"),
        ("lead client_id web", "damaged"),
        ("lead gclid web", "not_carried"),
        ("order client_id web", "good"),
        ("order transaction_id web", "written_differently"),
        ("web transaction_id order", "written_differently"),
        ("deal order_number order", "partly_carried"),
        ("invoice deal_id deal", "partly_carried"),
    ];
    for (name, finding) in findings {
        assert_eq!(keys[name]["finding"], finding, "{}", keys[name]);
    }
    let client = &keys["contact client_id web"];
    assert_eq!(count(client, "written_differently_count"), 20, "{client}");
    assert!(plain(&client["advice"]).contains("GA1.1."), "{client}");
    // One client id of the fair's list was never cut; its lead is older than the site's events.
    let lead = &keys["lead client_id web"];
    assert_eq!(count(lead, "damaged_count"), 6, "{lead}");
    assert_eq!(count(lead, "outside_history_count"), 1, "{lead}");
    // Fifteen cookies are stated on page views: through them all of the deals' money is linked.
    let cookie = &keys["contact tracking_cookie web"];
    assert_eq!(count(cookie, "matched_count"), 15, "{cookie}");
    assert_eq!(
        cookie["unlinked_revenue_reporting_amount"], "0.000000",
        "{cookie}"
    );
    let order = &keys["order client_id web"];
    assert_eq!(
        order["linked_revenue_reporting_amount"], "542.000000",
        "{order}"
    );

    // Without the prefix, ten purchases on the web and ten orders in the till are up to 23 sales.
    let report = project.json(&["sales"], 0);
    let total = &report["total"];
    assert_eq!(count(total, "sale_count"), 23, "{total}");
    assert_eq!(count(total, "unmatched_sale_count"), 8, "{total}");
    assert!(count(total, "possibly_twice_count") >= 8, "{total}");
    let billed = report["pairs"].as_array().unwrap().iter();
    let billed = billed
        .filter(|pair| pair["sale_key"] == "deal_id")
        .collect::<Vec<_>>();
    assert_eq!(
        billed[0]["amount_difference_reporting_amount"], "5.000000",
        "{billed:?}"
    );

    let shown = project.run(&["linkability"]);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("What to mend:"), "{shown}");
    let shown = project.run(&["sales"]);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("0 order numbers under two sales"), "{shown}");
}

#[test]
fn a_project_changes_the_rules_by_which_sales_meet() {
    let pattern = "vars:\n  order_reference_pattern: '([0-9]+)$'\n";
    let project = badly_kept(pattern);
    project.json(&["run"], 0);
    let total = project.json(&["sales"], 0)["total"].clone();
    assert_eq!(count(&total, "sale_count"), 15, "{total}");
    assert_eq!(total["match_rate"], 1.0, "{total}");

    // What names no order meets the order of its customer and money; the order gives the money.
    project.set(
        "vars:\n  sale_precedence: [order, invoice]\n  sale_amount_tolerance: 0.01\n  sale_keys: \
         [web.transaction_id, web.customer, deal.order_number, deal.customer, \
         deal.invoice_number, invoice.order_number, invoice.deal_id]\n",
    );
    project.json(&["run"], 0);
    let total = project.json(&["sales"], 0)["total"].clone();
    assert_eq!(count(&total, "sale_count"), 12, "{total}");
    // The invoice of 85 for a deal of 80 is refused by the tolerance.
    assert_eq!(count(&total, "refused_sale_count"), 1, "{total}");
    assert_eq!(count(&total, "counted_twice_count"), 0, "{total}");
    let revenue = "select sum(revenue_amount) from star.fct_conversion where is_sale";
    assert_eq!(project.value(revenue), "1624.000000");
    let by = "select matched_by from star.fct_conversion_evidence where evidence_id = 'crm:D7'";
    assert_eq!(project.value(by), "customer, invoice_number");

    project.set("vars:\n  sale_precedence: [ordr]\n");
    let refused = project.run(&["run"]);
    assert_eq!(refused.status.code(), Some(1));
    let said = testkit::text(&refused);
    assert!(
        said.contains("`ordr`") && said.contains("payment"),
        "{said}"
    );
}

#[test]
fn without_a_build_the_reports_say_what_to_do() {
    let project = Project::new(PROGRAM, "");
    for command in ["linkability", "sales"] {
        let out = project.run(&[command]);
        assert_eq!(out.status.code(), Some(1));
        let said = testkit::text(&out);
        assert!(said.contains("hint: throughline run"), "{said}");
    }
    // A project without sources has nothing to link, and says so.
    project.json(&["run"], 0);
    assert_eq!(
        project.json(&["linkability"], 0)["keys"],
        serde_json::json!([])
    );
    let total = project.json(&["sales"], 0)["total"].clone();
    assert_eq!(count(&total, "sale_count"), 0, "{total}");
}
