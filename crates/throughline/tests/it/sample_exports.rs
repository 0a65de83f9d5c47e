//! Built-in silver over small exports of our own (`tests/exports`), for kinds of which no public
//! data is at hand.

use std::path::Path;

use testkit::{Project, copy_folder};

use crate::PROGRAM;
use crate::real_exports::balanced;

/// A project over the samples of some kinds; each stream is a file of its name.
fn over(kinds: &[(&str, &[&str])], more: &str) -> Project {
    let mut settings = "sources:\n".to_owned();
    for (kind, streams) in kinds {
        settings.push_str(&format!("  {kind}:\n    kind: {kind}\n    streams:\n"));
        for stream in *streams {
            settings.push_str(&format!("      {stream}: exports/{kind}/{stream}.csv\n"));
        }
    }
    let project = Project::new(PROGRAM, &format!("{settings}{more}"));
    let samples = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/exports"));
    copy_folder(samples, &project.dir().join("exports"));
    project
}

fn holds(project: &Project, facts: &[(&str, &str)]) {
    for (query, expected) in facts {
        assert_eq!(
            project.value(&format!("select {query}")),
            *expected,
            "{query}"
        );
    }
}

const STRIPE: &[&str] = &[
    "invoice",
    "invoice_line_item",
    "charge",
    "refund",
    "credit_note",
    "dispute",
    "customer",
    "product",
    "price",
];

#[test]
fn a_payment_at_stripe_is_one_sale() {
    let project = over(&[("stripe", STRIPE)], "");
    balanced(&project);
    holds(
        &project,
        &[
            (
                "sum(gross_amount) from silver.invoice where not is_void and currency_code = 'EUR'",
                "198.000000",
            ),
            // Thousandths and whole units, as the currency has them.
            (
                "gross_amount from silver.invoice where invoice_id = 'stripe:in_7'",
                "12.345000",
            ),
            (
                "gross_amount from silver.invoice where invoice_id = 'stripe:in_2'",
                "5000.000000",
            ),
            (
                "count(*) from silver.\"order\" where not is_cancelled and not is_test",
                "2",
            ),
            (
                "order_id from silver.refund where refund_id = 'stripe:re_4'",
                "stripe:in_7",
            ),
            (
                "refund_amount from silver.refund where refund_id = 'stripe:re_3'",
                "0.000000",
            ),
            (
                "sum(refund_amount) from silver.refund where currency_code = 'EUR'",
                "29.000000",
            ),
            ("count(*) from star.int_sale_record where is_of_record", "6"),
            ("count(*) from star.fct_conversion", "6"),
        ],
    );
}

#[test]
fn a_shop_and_its_till_count_a_sale_once() {
    let shop = "  shopify:\n    kind: shopify\n    streams:\n      \
                orders: exports/shopify/orders.ndjson\n";
    let project = over(&[("stripe", STRIPE)], shop);
    balanced(&project);
    holds(
        &project,
        &[
            ("count(*) from star.fct_conversion", "6"),
            // A payment that states no tax does not replace the order's net.
            (
                "sum(revenue_amount) from star.fct_conversion where order_id is not null \
                 and source_of_record = 'order' and source_name = 'shopify'",
                "66.390000",
            ),
        ],
    );
}

#[test]
fn mails_of_klaviyo_and_mailchimp() {
    let project = over(
        &[
            (
                "klaviyo",
                &["event", "person", "campaign", "flow", "metric"],
            ),
            (
                "mailchimp",
                &[
                    "campaign",
                    "campaign_recipient",
                    "campaign_recipient_activity",
                    "automation",
                    "automation_email",
                    "automation_recipient",
                    "automation_recipient_activity",
                    "unsubscribe",
                    "member",
                    "list",
                ],
            ),
        ],
        "",
    );
    balanced(&project);
    holds(
        &project,
        &[
            (
                "count(*) from silver.email_event where source_name = 'klaviyo'",
                "7",
            ),
            (
                "count(*) from silver.email_event where source_name = 'mailchimp'",
                "9",
            ),
            ("count(*) from silver.activity", "2"),
            (
                "json_text(properties, 'utm_campaign') from silver.email_event \
                 where email_event_id = 'e3'",
                "Spring (c1)",
            ),
            (
                "count(*) from quarantine.stg_mailchimp__campaign_sends",
                "1",
            ),
        ],
    );
}

#[test]
fn events_of_segment_in_two_tables_count_once() {
    let tracks = "      tracks: [exports/segment/tracks.csv, exports/segment/product_added.csv, \
                  'exports/segment/order_*.csv', exports/segment/signed_up.csv, \
                  exports/segment/segment_consent_preference_updated.csv]\n";
    let streams: &[&str] = &[
        "pages",
        "screens",
        "identifies",
        "users",
        "groups",
        "aliases",
    ];
    let project = over(&[("segment", streams)], tracks);
    balanced(&project);
    holds(
        &project,
        &[
            (
                "count(*) from silver.web_event where event_name = 'purchase'",
                "3",
            ),
            (
                "sum(revenue_amount) from silver.web_event where event_name = 'purchase'",
                "189.600000",
            ),
            (
                "count(*) from silver.web_event where event_name = 'page_view'",
                "6",
            ),
            (
                "count(*) from silver.web_event where user_id like '%@%'",
                "0",
            ),
            (
                "count(*) from star.fct_conversion where conversion_type = 'purchase'",
                "3",
            ),
            ("count(*) from silver.consent", "2"),
            ("count(*) from quarantine.stg_segment__tracks", "1"),
        ],
    );
}
