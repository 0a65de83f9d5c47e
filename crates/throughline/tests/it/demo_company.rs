//! The demo company against its truth: who is who, what was sold, what was spent, who gets credit.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use testkit::{Project, csv_rows, plain};

use crate::PROGRAM;

/// The `sources:` and settings of the demo company over generated files in a folder.
pub(crate) fn settings(folder: &str) -> String {
    let source = include_str!("../../src/demo/project.rs");
    let text = source
        .split("r#\"")
        .nth(1)
        .and_then(|rest| rest.split("\"#").next());
    text.expect("the template").replace("{sources}", folder)
}

pub(crate) struct Company {
    pub(crate) project: Project,
    ran: serde_json::Value,
}

/// Built once for all tests: it is the same for each.
pub(crate) static COMPANY: LazyLock<Company> = LazyLock::new(|| {
    let project = Project::new(PROGRAM, "");
    let out = project.dir().join("generated").display().to_string();
    let made = project.run(&[
        "generate", "--events", "20000", "--days", "40", "--seed", "11", "--out", &out,
    ]);
    assert!(made.status.success(), "{}", testkit::text(&made));
    project.set(&settings("generated"));
    // The truth as a seed, so that it can be compared in SQL.
    for name in ["identifiers", "sales", "spend"] {
        let from = project.dir().join(format!("generated/truth/{name}.csv"));
        let to = project.dir().join(format!("seeds/truth_{name}.csv"));
        std::fs::copy(from, to).unwrap();
    }
    let ran = project.json(&["run"], 0);
    Company { project, ran }
});

/// The demo company's project, loaded and built.
pub(crate) fn company() -> &'static Project {
    &COMPANY.project
}

/// A table of its truth.
pub(crate) fn truth(name: &str) -> Vec<BTreeMap<String, String>> {
    csv_rows(
        &COMPANY
            .project
            .dir()
            .join(format!("generated/truth/{name}.csv")),
    )
}

pub(crate) fn number(text: &str) -> f64 {
    text.parse()
        .unwrap_or_else(|_| panic!("`{text}` is no number"))
}

#[test]
fn every_source_balances() {
    let balances = COMPANY.ran["balances"].as_array().unwrap();
    assert!(balances.len() > 20);
    for balance in balances.iter().filter(|balance| balance["rows"] == "one") {
        let of = |name: &str| balance[name].as_i64().unwrap();
        let accounted = of("silver") + of("quarantine") + of("duplicates") + of("superseded");
        assert_eq!(of("raw"), accounted, "{balance}");
    }
}

#[test]
fn all_checks_pass() {
    for check in COMPANY.ran["checks"].as_array().unwrap() {
        assert!(check["error"].is_null(), "{check}");
        assert!(
            check["severity"] == "warn" || check["failures"] == 0,
            "{check}"
        );
    }
}

/// The identifiers of the truth with the customers that they were put to.
const NODES: &str = "with node as (select i.person_id, i.evidence_group, b.customer_key \
    from seeds.truth_identifiers i inner join identity.bridge_identity b \
    on b.identity_node_id = case i.type \
      when 'email_sha256' then durable_key('node', 'email', pii_hash('email', i.value)) \
      when 'phone' then durable_key('node', 'phone', pii_hash('phone', i.value)) \
      when 'hubspot_contact' then durable_key('node', 'contact', 'hubspot:' || i.value) \
      when 'shopify_customer' then durable_key('node', 'buyer', 'shopify:' || i.value) \
      when 'order_number' then durable_key('node', 'order', i.value) \
      else durable_key('node', i.type, i.value) end \
    where i.is_shared = 'false' and b.valid_to = to_instant('9999-12-31'))";

/// Pairs of identifiers that are one customer: how many of them are one person, and how many of
/// the pairs that some record links are found.
#[test]
fn identity_is_precise_and_finds_what_is_linked() {
    let pairs = |by: &str| {
        format!(
            "(select coalesce(sum(n * (n - 1) / 2), 0) \
             from (select count(*) as n from node group by {by}))"
        )
    };
    let sql = format!(
        "{NODES}, one as (select 1) select {} as together, {} as right, {} as linked, {} as found \
         from one",
        pairs("customer_key"),
        pairs("customer_key, person_id"),
        pairs("evidence_group"),
        pairs("customer_key, evidence_group"),
    );
    let row = &COMPANY.project.rows(&sql)[0];
    let of = |name: &str| number(&plain(&row[name]));
    assert!(of("linked") > 500.0, "{row}");
    let (precision, recall) = (of("right") / of("together"), of("found") / of("linked"));
    assert!(precision >= 0.999, "precision {precision}: {row}");
    assert!(recall >= 0.98, "recall {recall}: {row}");
}

/// The revenue of customers who are several people, against all.
#[test]
fn hardly_any_revenue_lies_with_customers_who_are_several_people() {
    let sql = format!(
        "{NODES}, several as (select customer_key from node group by customer_key \
         having count(distinct person_id) > 1) \
         select coalesce(sum(case when s.customer_key is not null then c.revenue_reporting_amount \
         end), 0) as of_several, sum(c.revenue_reporting_amount) as total \
         from star.fct_conversion c left join several s on c.customer_key = s.customer_key \
         where c.is_sale"
    );
    let row = &COMPANY.project.rows(&sql)[0];
    let of = |name: &str| number(&plain(&row[name]));
    assert!(
        of("total") > 0.0 && of("of_several") <= 0.001 * of("total"),
        "{row}"
    );
}

#[test]
fn no_sale_is_counted_twice_and_none_is_lost() {
    let wanted = truth("sales")
        .into_iter()
        .filter(|sale| sale["status"] == "valid")
        .count();
    let sales = "select count(*) from star.fct_conversion \
                 where is_sale";
    assert_eq!(COMPANY.project.value(sales), wanted.to_string());
    let twice = "select count(*) from (select order_key from star.fct_conversion \
                 where order_key not in (0, -1) group by order_key having count(*) > 1)";
    assert_eq!(COMPANY.project.value(twice), "0");
}

#[test]
fn spend_by_platform_and_day_is_the_truth_to_the_cent() {
    let mut wanted: BTreeMap<String, i64> = BTreeMap::new();
    for row in truth("spend")
        .into_iter()
        .filter(|row| row["is_final"] == "true")
    {
        let cents = (number(&row["spend"]) * 100.0).round() as i64;
        *wanted
            .entry(format!(
                "{}|{}|{}",
                row["platform"], row["day"], row["currency"]
            ))
            .or_default() += cents;
    }
    let rows = COMPANY.project.rows(
        "select platform, cast(report_date as text) as day, currency_code, \
         cast(round(sum(spend_amount) * 100, 0) as bigint) as cents \
         from star.fct_ad_performance_current where is_spend_of_record group by 1, 2, 3",
    );
    let found: BTreeMap<String, i64> = rows
        .iter()
        .map(|row| {
            let key = ["platform", "day", "currency_code"]
                .map(|name| plain(&row[name]))
                .join("|");
            (key, row["cents"].as_i64().unwrap())
        })
        .filter(|(_, cents)| *cents != 0)
        .collect();
    wanted.retain(|_, cents| *cents != 0);
    assert_eq!(found, wanted);
}

#[test]
fn credits_sum_to_their_conversions_to_the_cent() {
    let wrong = COMPANY.project.rows(
        "with credit as (select conversion_id, model, sum(credit) as credit, \
           sum(credited_amount) as amount from star.fct_attribution_credit group by 1, 2) \
         select c.conversion_id, m.model, credit.credit, credit.amount, c.revenue_amount \
         from star.fct_conversion c cross join star.dim_attribution_model m \
         left join credit on credit.conversion_id = c.conversion_id and credit.model = m.model \
         where m.model_kind = 'rule' and m.is_additive and (coalesce(credit.credit, 0) <> 1 \
           or coalesce(credit.amount, 0) <> coalesce(c.revenue_amount, 0)) limit 5",
    );
    assert!(wrong.is_empty(), "{wrong:?}");
    let models = "select count(distinct model) from star.fct_attribution_credit";
    assert_eq!(COMPANY.project.value(models), "8");
}

/// Every line that was broken on purpose is in quarantine, found by its file and line.
#[test]
fn planted_malformed_lines_are_in_quarantine() {
    let rows = COMPANY
        .project
        .rows("select file, row_number from quarantine.stg_ga4__events");
    let found: Vec<String> = rows
        .iter()
        .map(|row| format!("{}:{}", plain(&row["file"]), plain(&row["row_number"])))
        .collect();
    let planted = truth("defects")
        .into_iter()
        .filter(|defect| defect["kind"] == "malformed_line");
    let mut count = 0;
    for defect in planted.filter(|defect| defect["file"].starts_with("ga4/")) {
        let place = format!("generated/{}:{}", defect["file"], defect["place"]);
        assert!(
            found.contains(&place),
            "{place} ({}) is not in {found:?}",
            defect["what"]
        );
        count += 1;
    }
    assert!(count > 0);
}
