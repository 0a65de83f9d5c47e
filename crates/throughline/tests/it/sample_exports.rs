//! Built-in silver over small exports of our own (`tests/exports`), for kinds of which no public
//! data is at hand.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use testkit::{Project, copy_folder, csv_rows, repository};

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
    copy_folder(
        &repository().join("tests/exports"),
        &project.dir().join("exports"),
    );
    project
}

/// Each query has this one value.
pub(crate) fn holds(project: &Project, facts: &[(&str, &str)]) {
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
                "revenue_amount from star.fct_conversion where evidence_count = 2",
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

/// What the calls of `tests/exports/segment` come to.
const SEGMENT: &[(&str, &str)] = &[
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
];

const SEGMENT_STREAMS: &[&str] = &[
    "pages",
    "screens",
    "identifies",
    "users",
    "groups",
    "aliases",
];

const SEGMENT_TRACKS: &[&str] = &[
    "tracks",
    "product_added",
    "order_completed",
    "order_refunded",
    "signed_up",
    "segment_consent_preference_updated",
];

/// The files of the stream `tracks`.
fn tracks(ending: &str) -> String {
    let files: Vec<String> = SEGMENT_TRACKS
        .iter()
        .map(|name| format!("exports/segment/{name}.{ending}"))
        .collect();
    format!("      tracks: [{}]\n", files.join(", "))
}

#[test]
fn events_of_segment_in_two_tables_count_once() {
    let project = over(&[("segment", SEGMENT_STREAMS)], &tracks("csv"));
    balanced(&project);
    holds(&project, SEGMENT);
}

/// Rows of a CSV as Parquet with the names of columns in capitals, as Snowflake unloads them.
fn parquet_in_capitals(csv: &Path) -> Vec<u8> {
    let rows = csv_rows(csv);
    let names: Vec<String> = rows[0].keys().cloned().collect();
    let columns = names.iter().map(|name| {
        let stated = |row: &BTreeMap<String, String>| {
            Some(row[name].clone()).filter(|value| !value.is_empty())
        };
        let values: StringArray = rows.iter().map(stated).collect();
        (name.to_uppercase(), Arc::new(values) as ArrayRef, true)
    });
    let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    let mut file = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    file
}

#[test]
fn parquet_in_capitals_is_read_as_csv_is() {
    let mut settings = "sources:\n  segment:\n    kind: segment\n    streams:\n".to_owned();
    for stream in SEGMENT_STREAMS {
        settings.push_str(&format!(
            "      {stream}: exports/segment/{stream}.parquet\n"
        ));
    }
    let project = Project::new(PROGRAM, &format!("{settings}{}", tracks("parquet")));
    let samples = repository().join("tests/exports/segment");
    for name in SEGMENT_STREAMS.iter().chain(SEGMENT_TRACKS) {
        let content = parquet_in_capitals(&samples.join(format!("{name}.csv")));
        project.write(&format!("exports/segment/{name}.parquet"), content);
    }
    balanced(&project);
    holds(&project, SEGMENT);

    // The rows are the same ones, up to where they came from.
    let text = over(&[("segment", SEGMENT_STREAMS)], &tracks("csv"));
    let key = std::fs::read(project.dir().join("throughline.key")).unwrap();
    text.write("throughline.key", key);
    balanced(&text);
    for table in ["web_event", "identity_link", "consent", "account"] {
        let rows = format!("select * exclude (_raw_id) from silver.{table} order by 1, 2, 3, 4");
        let (found, wanted) = (project.rows(&rows), text.rows(&rows));
        assert_eq!(found.len(), wanted.len(), "{table}");
        for (found, wanted) in found.iter().zip(&wanted) {
            for (column, value) in wanted.as_object().unwrap() {
                assert_eq!(&found[column], value, "{table}.{column} of {wanted}");
            }
        }
    }
}
