//! The guides followed to the letter over real data, with the figures that must come out.

use testkit::{Project, copy_folder, shared, write_guide};

use crate::PROGRAM;

#[test]
fn orders_refunds_and_sessions_come_out_to_the_cent() {
    let Some(data) = shared("data/maven_fuzzy_factory") else {
        return;
    };
    let project = Project::new(PROGRAM, "");
    copy_folder(&data.join("data"), &project.dir().join("exports"));
    let sessions = data.join("dataset/website_sessions.csv");
    std::fs::copy(sessions, project.dir().join("exports/website_sessions.csv")).unwrap();
    write_guide(&project, "orders-refunds-sessions.md");
    let ran = project.json(&["run"], 0);
    assert!(ran["built"].as_u64().unwrap() > 0);

    assert_eq!(
        project.value("select count(*) from silver.\"order\""),
        "32313"
    );
    let revenue = "select sum(gross_amount) from silver.\"order\"";
    assert_eq!(project.value(revenue), "1938509.750000");
    assert_eq!(
        project.value("select count(*) from silver.order_line"),
        "40025"
    );
    assert_eq!(
        project.value("select sum(revenue_amount) from silver.order_line"),
        "1938509.750000"
    );
    assert_eq!(project.value("select count(*) from silver.refund"), "1731");
    assert_eq!(
        project.value("select sum(refund_amount) from silver.refund"),
        "85338.690000"
    );

    // The star neither loses nor doubles a sale, and every model credits all of the money.
    let sales = "select count(*) from star.fct_conversion where conversion_type = 'purchase'";
    assert_eq!(project.value(sales), "32313");
    let credit = project.rows(
        "select model, sum(credited_amount) as credited from star.fct_attribution_credit \
         where conversion_type = 'purchase' group by model",
    );
    assert_eq!(credit.len(), 8);
    for row in credit {
        assert_eq!(row["credited"], "1938509.750000", "{row}");
    }
}

#[test]
fn orders_and_e_mails_come_out_of_a_json_column() {
    let Some(data) = shared("data/web_shop_two_days/data/raw") else {
        return;
    };
    let project = Project::new(PROGRAM, "");
    copy_folder(&data, &project.dir().join("exports"));
    write_guide(&project, "web-shop-events.md");
    project.json(&["run"], 0);

    assert_eq!(
        project.value("select count(*) from raw.web_shop__rows"),
        "7839"
    );
    assert_eq!(project.value("select count(*) from silver.\"order\""), "47");
    let revenue = "select sum(gross_amount) from silver.\"order\"";
    assert_eq!(project.value(revenue), "45865.600000");
    let sales = "select count(*) from star.fct_conversion where conversion_type = 'purchase'";
    assert_eq!(project.value(sales), "47");
    let hashes = "select count(distinct email_hash) from silver.web_event";
    assert_eq!(project.value(hashes), "142");
}

#[test]
fn a_file_that_fits_nothing_needs_one_entry_and_one_model() {
    let project = Project::new(PROGRAM, "reporting: {zone: Europe/Berlin, currency: EUR}");
    write_guide(&project, "add-a-source.md");
    let ran = project.json(&["run"], 0);
    let balances = ran["balances"].as_array().unwrap();
    assert_eq!(balances.len(), 1);
    for (name, rows) in [
        ("raw", 5),
        ("silver", 3),
        ("quarantine", 1),
        ("duplicates", 1),
    ] {
        assert_eq!(balances[0][name], rows, "{name}");
    }
    let first = project.rows(
        "select order_id, cast(ordered_at as text) as at, gross_amount, is_cancelled \
         from silver.\"order\" order by order_id",
    );
    assert_eq!(first[0]["order_id"], "call_centre:T-1001");
    assert_eq!(first[0]["at"], "2026-03-02T08:14:00Z");
    assert_eq!(first[0]["gross_amount"], "1200.000000");
    assert_eq!(first[2]["is_cancelled"], true);
    assert_eq!(
        project.value("select rule from quarantine.stg_call_centre__sales"),
        "type:gross_amount"
    );
    let sales = "select sum(revenue_amount) from star.fct_conversion \
                 where conversion_type = 'purchase'";
    // 1200.00 and 20.00, each without its tax.
    assert_eq!(project.value(sales), "1025.210000");
    // Corrected, the row appears; the rows of the old version are superseded.
    let file = project.dir().join("exports/calls/sales_2026-03-08.csv");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("twenty", "20,00")).unwrap();
    project.json(&["run"], 0);
    assert_eq!(project.value("select count(*) from silver.\"order\""), "4");
    let refused = "select count(*) from quarantine.stg_call_centre__sales";
    assert_eq!(project.value(refused), "0");
}
