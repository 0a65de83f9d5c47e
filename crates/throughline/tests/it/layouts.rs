//! Built-in silver in the layouts that a vendor's data comes in beside Fivetran's tables: its own
//! API, the CSVs of its pages, an older product. Small exports of our own (`tests/exports`).

use std::path::Path;

use testkit::{Project, copy_folder, text};

use crate::PROGRAM;
use crate::real_exports::balanced;
use crate::sample_exports::holds;

const EXPORTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/exports");

/// A project with these sources over the small exports, built; its books balance.
fn built(sources: &str) -> Project {
    let project = Project::new(PROGRAM, &format!("sources:\n{sources}"));
    copy_folder(Path::new(EXPORTS), &project.dir().join("exports"));
    balanced(&project);
    project
}

/// `streams:` of files that are called like their streams, but for an ending.
fn streams(kind: &str, names: &[&str], ending: &str) -> String {
    let mut text = format!("  {kind}:\n    kind: {kind}\n    streams:\n");
    for name in names {
        text.push_str(&format!("      {name}: exports/{kind}/{name}{ending}\n"));
    }
    text
}

const HUBSPOT_API: &str = "  hubspot:
    kind: hubspot
    layout: api
    files: {records: results}
    streams:
      contacts: exports/hubspot/contacts_*.json
      companies: exports/hubspot/companies.json
      deals: {path: exports/hubspot/deals.ndjson, records: ''}
      pipelines: exports/hubspot/pipelines.json
      meetings: exports/hubspot/meetings.json
      calls: exports/hubspot/calls.json
      form_submissions: exports/hubspot/form_submissions_*.json
      email_events: {path: exports/hubspot/email_events.json, records: events}
      email_campaigns: {path: exports/hubspot/email_campaigns.ndjson, records: ''}
";

const HUBSPOT_BY_ITS_API_FACTS: &[(&str, &str)] = &[
    ("count(*) from silver.contact", "3"),
    (
        "client_id from silver.contact where contact_id = 'hubspot:101'",
        "111.222",
    ),
    // The company is named by the association alone.
    (
        "email_domain from silver.contact where contact_id = 'hubspot:101'",
        "example.com",
    ),
    (
        "string_agg(subject, ',' order by activity_at) from silver.activity \
         where activity_type = 'stage_change' and contact_id = 'hubspot:101'",
        "lead,opportunity,customer",
    ),
    (
        "account_id from silver.contact where contact_id = 'hubspot:101'",
        "hubspot:501",
    ),
    ("count(*) from silver.contact where is_deleted", "1"),
    (
        "domain from silver.account where account_id = 'hubspot:502'",
        "sam.example",
    ),
    // Merged contacts come under an old and a new property; one is in both.
    (
        "string_agg(b_value, ',' order by b_value) from silver.identity_link \
         where rule = 'crm_merge'",
        "hubspot:104,hubspot:105",
    ),
    (
        "count(*) from silver.identity_link where rule = 'crm_email'",
        "1",
    ),
    // A stage of the company's own is won because its pipeline says so.
    (
        "string_agg(deal_id, ',' order by deal_id) from silver.deal where is_won",
        "hubspot:900",
    ),
    (
        "amount from silver.deal where deal_id = 'hubspot:900'",
        "1200.500000",
    ),
    (
        "order_id from silver.deal where deal_id = 'hubspot:900'",
        "1001",
    ),
    // The newest version, though the older one stands below it.
    (
        "deal_name from silver.deal where deal_id = 'hubspot:902' \
         order by effective_at desc limit 1",
        "Open",
    ),
    (
        "string_agg(stage, ',' order by entered_at) from silver.deal_stage \
         where deal_id = 'hubspot:900'",
        "appointmentscheduled,qualifiedtobuy,77001",
    ),
    (
        "entered_at from silver.deal_stage where deal_id = 'hubspot:901'",
        "2026-02-11T07:30:00Z",
    ),
    (
        "string_agg(contact_id, ',' order by contact_id) from silver.deal_contact",
        "hubspot:101,hubspot:102",
    ),
    (
        "count(*) from silver.stg_hubspot__api_contact_property_changes",
        "4",
    ),
    // With one contact it is that contact's, with two it is nobody's alone.
    (
        "contact_id from silver.activity where activity_id = 'hubspot:k1'",
        "hubspot:101",
    ),
    (
        "json_text(properties, 'contact_ids') from silver.activity \
         where activity_id = 'hubspot:m1'",
        "101;102",
    ),
    (
        "count(*) from silver.activity where contact_id is null",
        "4",
    ),
    // The form's id stands in the file's name.
    (
        "count(*) from silver.activity where activity_type = 'form' \
         and json_text(properties, 'form_id') = '0b6c1a52-6b43-4b0e-8f05-0a1f6f0d8d11'",
        "2",
    ),
    (
        "string_agg(event_type, ',' order by event_at) from silver.email_event",
        "sent,delivered,open,click,unsubscribe,bounce,spam",
    ),
    ("count(*) from silver.email_event where is_bot", "1"),
    (
        "string_agg(distinct campaign_name, ',') from silver.email_event",
        "Winter 2026",
    ),
    (
        "sum(revenue_amount) from star.fct_conversion where conversion_type = 'deal_won'",
        "1200.500000",
    ),
];

#[test]
fn hubspot_by_its_api() {
    let project = built(HUBSPOT_API);
    holds(&project, HUBSPOT_BY_ITS_API_FACTS);
}

const HUBSPOT_BY_THE_CSVS_OF_ITS_PAGES_FACTS: &[(&str, &str)] = &[
    (
        "string_agg(lifecycle_stage, ',' order by contact_id) from silver.contact",
        "customer,lead",
    ),
    (
        "concat(subject, ' ', contact_id, ' ', activity_at) from silver.activity",
        "lead hubspot:201 2026-01-05T09:00:00Z",
    ),
    // Of two associated companies the first one is the contact's.
    (
        "account_id from silver.contact where contact_id = 'hubspot:201'",
        "hubspot:601",
    ),
    (
        "created_at from silver.contact where contact_id = 'hubspot:201'",
        "2026-01-05T09:00:00Z",
    ),
    (
        "annual_revenue_amount from silver.account where account_id = 'hubspot:601'",
        "1000000.000000",
    ),
    (
        "b_value from silver.identity_link where rule = 'crm_merge'",
        "hubspot:205",
    ),
    (
        "stage from silver.deal where deal_id = 'hubspot:301'",
        "Closed Won",
    ),
    // The label says it where the property is left empty.
    (
        "concat(is_closed, ' ', is_won) from silver.deal where deal_id = 'hubspot:302'",
        "true false",
    ),
    ("count(*) from silver.deal_contact", "4"),
    (
        "sum(revenue_amount) from star.fct_conversion where conversion_type = 'deal_won'",
        "2400.000000",
    ),
];

#[test]
fn hubspot_by_the_csvs_of_its_pages() {
    let project = built(
        "  hubspot:\n    kind: hubspot\n    layout: export\n    zone: Europe/Berlin\n    \
         streams:\n      \
         contact_export: exports/hubspot/contact_export.csv\n      \
         company_export: exports/hubspot/company_export.csv\n      \
         deal_export: exports/hubspot/deal_export.csv\n",
    );
    holds(&project, HUBSPOT_BY_THE_CSVS_OF_ITS_PAGES_FACTS);
}

const HUBSPOT_AS_AIRBYTE_LANDS_IT_FACTS: &[(&str, &str)] = &[
    (
        "concat(amount, ' ', is_won, ' ', account_id) from silver.deal",
        "750.250000 true hubspot:510",
    ),
    (
        "string_agg(contact_id, ',' order by contact_id) from silver.deal_contact",
        "hubspot:110,hubspot:111",
    ),
    (
        "concat(contact_id, ' ', account_id) from silver.activity",
        "hubspot:110 hubspot:510",
    ),
];

#[test]
fn hubspot_as_airbyte_lands_it() {
    let project = built(
        "  hubspot:\n    kind: hubspot\n    layout: api\n    \
         files: {records: _airbyte_data}\n    streams:\n      \
         deals: exports/hubspot/airbyte_deals.jsonl\n      \
         calls: exports/hubspot/airbyte_calls.jsonl\n",
    );
    holds(&project, HUBSPOT_AS_AIRBYTE_LANDS_IT_FACTS);
}

const MAILS_OF_HUBSPOT_BY_FIVETRAN_FACTS: &[(&str, &str)] = &[
    // A change of a subscription is what the table beside it says.
    (
        "string_agg(event_type, ',' order by event_at) from silver.email_event",
        "sent,open,click,unsubscribe,status_change",
    ),
    (
        "concat(subject, '|', campaign_name) from silver.email_event \
         where email_event_id = 'f-1'",
        "Winter sale|Winter 2026",
    ),
    (
        "json_text(properties, 'utm_campaign') from silver.email_event \
         where link_url is not null",
        "winter",
    ),
    ("email_event_id from silver.email_event where is_bot", "f-2"),
];

#[test]
fn mails_of_hubspot_by_fivetran() {
    let names = [
        "email_campaign",
        "email_event",
        "email_event_click",
        "email_event_sent",
        "email_event_status_change",
    ];
    let project = built(&streams("hubspot", &names, ".csv"));
    holds(&project, MAILS_OF_HUBSPOT_BY_FIVETRAN_FACTS);
}

const VISITS_OF_UNIVERSAL_ANALYTICS_FACTS: &[(&str, &str)] = &[
    // Five visits, of which one was delivered twice and one goes over midnight.
    ("count(*) from silver.web_event", "13"),
    ("count(*) from star.fct_session", "4"),
    (
        "count(*) from silver.web_event where event_name = 'page_view'",
        "8",
    ),
    (
        "string_agg(event_name, ',' order by event_sequence) from silver.web_event \
         where anonymous_id = '1234.5678' and session_number = 1",
        "page_view,page_view,view_item,add_to_cart,play_intro,page_view,purchase",
    ),
    // Millionths; in the currency of the sale where it is said.
    (
        "concat(revenue_amount, ' ', currency_code) from silver.web_event \
         where order_id = 'T-1'",
        "24.500000 EUR",
    ),
    (
        "tax_amount from silver.web_event where order_id = 'T-1'",
        "1.800000",
    ),
    (
        "revenue_amount from silver.web_event where order_id = 'T-2'",
        "5.000000",
    ),
    // The visit as the day's table has it, though the intraday one came too.
    ("sum(engagement_msec) from silver.web_event", "60000"),
    (
        "count(*) from silver.web_event where gclid is not null",
        "1",
    ),
    // The source that was carried over to a direct visit is no source of it.
    (
        "string_agg(source, ',' order by session_started_at) from star.fct_session",
        "google,blog.example.org,google,(direct)",
    ),
    (
        "count(*) from star.fct_conversion where conversion_type = 'purchase'",
        "2",
    ),
];

#[test]
fn visits_of_universal_analytics() {
    let project = built(
        "  web:\n    kind: ga4\n    layout: universal\n    currency: USD\n    streams:\n      \
         ga_sessions: exports/universal/ga_sessions_*.ndjson\n",
    );
    holds(&project, VISITS_OF_UNIVERSAL_ANALYTICS_FACTS);
}

const SALESFORCE_BY_ITS_OWN_EXPORTS_FACTS: &[(&str, &str)] = &[
    ("count(*) from silver.lead", "3"),
    (
        "concat(client_id, ' ', gclid) from silver.lead \
         where lead_id = 'salesforce:00Q1'",
        "111.222 Cj0sf",
    ),
    (
        "deal_id from silver.lead where lead_id = 'salesforce:00Q1'",
        "salesforce:0061",
    ),
    (
        "string_agg(rule, ',' order by rule) from silver.identity_link",
        "crm_conversion,crm_email,crm_merge,crm_order,crm_phone",
    ),
    (
        "user_id from silver.contact where contact_id = 'salesforce:0031'",
        "u-1",
    ),
    ("domain from silver.account", "park.example"),
    // Two versions of one opportunity, in two spellings of the columns.
    ("count(*) from silver.deal", "4"),
    (
        "stage from silver.deal where deal_id = 'salesforce:0062' \
         order by effective_at desc limit 1",
        "Closed Won",
    ),
    (
        "closed_at from silver.deal where deal_id = 'salesforce:0061'",
        "2026-02-20T15:30:00Z",
    ),
    (
        "order_id from silver.deal where deal_id = 'salesforce:0061'",
        "1001",
    ),
    (
        "string_agg(stage, ',' order by entered_at) from silver.deal_stage",
        "Prospecting,Closed Won",
    ),
    (
        "contact_id from silver.deal_contact where is_primary",
        "salesforce:0031",
    ),
    (
        "string_agg(activity_type, ',' order by activity_at) from silver.activity",
        "campaign_member,campaign_response,call,meeting",
    ),
    (
        "concat(contact_id, ' ', lead_id, ' ', medium) from silver.activity \
         where activity_type = 'campaign_response'",
        "salesforce:0031 salesforce:00Q1 trade show",
    ),
    ("campaign_name from silver.campaign", "Fair 2026"),
    // An order that names its opportunity: one sale. A draft is none, a reduction is a refund.
    (
        "order_id from silver.deal where deal_id = 'salesforce:0062' \
         order by effective_at desc limit 1",
        "8011",
    ),
    (
        "string_agg(status, ',' order by order_id) from silver.\"order\" where not is_cancelled",
        "Activated",
    ),
    (
        "concat(order_id, ' ', refund_amount) from silver.refund",
        "salesforce:8011 20.000000",
    ),
    (
        "concat(product_id, ' ', revenue_amount) from silver.order_line",
        "salesforce:01t1 120.000000",
    ),
    (
        "count(*) from star.fct_conversion where conversion_type = 'purchase'",
        "1",
    ),
    (
        "sum(revenue_amount) from star.fct_conversion where conversion_type = 'deal_won'",
        "1200.500000",
    ),
];

#[test]
fn salesforce_by_its_own_exports() {
    let files = [
        ("account_export", "Account.csv"),
        ("campaign_export", "Campaign.csv"),
        ("campaign_member_export", "CampaignMember.csv"),
        ("contact_export", "Contact.csv"),
        ("event_export", "Event.csv"),
        ("lead_export", "Lead.csv"),
        ("order_export", "Order.csv"),
        ("order_item_export", "OrderItem.csv"),
        ("product_2_export", "Product2.csv"),
        (
            "opportunity_contact_role_export",
            "OpportunityContactRole.csv",
        ),
        ("opportunity_history_export", "OpportunityHistory.csv"),
        ("task_export", "Task.csv"),
    ];
    let mut sources = "  salesforce:\n    kind: salesforce\n    layout: export\n    \
                       streams:\n      opportunity_export: [exports/salesforce/Opportunity.csv, \
                       exports/salesforce/opportunity_changed.csv]\n"
        .to_owned();
    for (stream, file) in files {
        sources.push_str(&format!("      {stream}: exports/salesforce/{file}\n"));
    }
    let project = built(&sources);
    holds(&project, SALESFORCE_BY_ITS_OWN_EXPORTS_FACTS);
}

const SHOPIFY_BY_FIVETRAN_FACTS: &[(&str, &str)] = &[
    ("count(*) from silver.\"order\"", "4"),
    // The newer version of an order that came twice.
    (
        "status from silver.\"order\" where order_id = 'shopify:6602'",
        "partially_refunded",
    ),
    (
        "sum(gross_amount) from silver.\"order\" \
         where not is_cancelled and currency_code = 'EUR'",
        "79.900000",
    ),
    // The newer connector's names of the same things.
    (
        "concat(gross_amount, ' ', currency_code, ' ', status) from silver.\"order\" \
         where order_id = 'shopify:6604'",
        "55.000000 USD paid",
    ),
    (
        "concat(anonymous_id, ' ', coupon, ' ', item_quantity, ' ', shipping_amount) \
         from silver.\"order\" where order_id = 'shopify:6601'",
        "111.222 WINTER 3 4.900000",
    ),
    (
        "sum(revenue_amount) from silver.order_line where currency_code = 'EUR'",
        "75.000000",
    ),
    (
        "concat(unit_price_amount, ' ', revenue_amount) from silver.order_line \
         where order_id = 'shopify:6604'",
        "27.500000 50.000000",
    ),
    // What was paid back, not what failed; without a transaction the lines with their tax.
    (
        "string_agg(cast(refund_amount as text), ',' order by refund_id) \
         from silver.refund",
        "9.000000,26.500000",
    ),
    (
        "concat(sku, ' ', price_amount) from silver.product \
         where product_id = 'shopify:901'",
        "CUP-R 20.000000",
    ),
    (
        "count(*) from silver.identity_link where a_type = 'buyer'",
        "3",
    ),
    ("count(*) from star.fct_conversion", "3"),
];

#[test]
fn shopify_by_fivetran() {
    let names = [
        "customer",
        "discount_allocation",
        "order_discount_code",
        "order_line",
        "order_line_refund",
        "order_note_attribute",
        "product",
        "product_variant",
        "refund",
        "transaction",
    ];
    let mut sources = streams("shopify", &names, ".csv");
    sources.push_str(
        "      order: [exports/shopify/order.csv, exports/shopify/shopify_gql_order_data.csv]\n",
    );
    let project = built(&sources);
    holds(&project, SHOPIFY_BY_FIVETRAN_FACTS);
}

const SHOPIFY_BY_ITS_PAGE_OF_ORDERS_FACTS: &[(&str, &str)] = &[
    // Four lines are three orders; the voided one is no sale.
    ("count(*) from silver.\"order\"", "3"),
    ("count(*) from silver.order_line", "4"),
    (
        "sum(gross_amount) from silver.\"order\" where not is_cancelled",
        "79.900000",
    ),
    (
        "concat(anonymous_id, ' ', session_id, ' ', item_quantity) from silver.\"order\" \
         where order_number = '2001'",
        "111.222 1767605400 3",
    ),
    (
        "ordered_at from silver.\"order\" where order_number = '2002'",
        "2026-01-06T22:30:00Z",
    ),
    (
        "sum(revenue_amount) from silver.order_line where order_id = 'shopify:5501'",
        "45.000000",
    ),
    ("sum(refund_amount) from silver.refund", "10.000000"),
    ("count(*) from star.fct_conversion", "2"),
];

#[test]
fn shopify_by_its_page_of_orders() {
    let project = built(
        "  shopify:\n    kind: shopify\n    layout: export\n    streams:\n      \
         orders_export: exports/shopify/orders_export_*.csv\n",
    );
    holds(&project, SHOPIFY_BY_ITS_PAGE_OF_ORDERS_FACTS);
}

#[test]
fn init_recognises_layouts() {
    let project = Project::new(PROGRAM, "");
    copy_folder(Path::new(EXPORTS), &project.path("exports"));
    let out = project.run(&["init", "../found", "--yes", "--from", "../exports"]);
    assert!(out.status.success(), "{}", text(&out));
    let written = std::fs::read_to_string(project.path("found/throughline.yml")).unwrap();
    for line in [
        "contact_export: ['../exports/hubspot/contact_export.csv', ",
        "deal_export: ['../exports/hubspot/deal_export.csv', ",
        "deals: '../exports/hubspot/deals.ndjson'",
        "contacts: {path: '../exports/hubspot/contacts_*.json', records: 'results'}",
        "pipelines: {path: '../exports/hubspot/pipelines.json', records: 'results'}",
        "lead_export: '../exports/salesforce/Lead.csv'",
        "opportunity_history_export: '../exports/salesforce/OpportunityHistory.csv'",
        "order_export: '../exports/salesforce/Order.csv'",
        "product_2_export: '../exports/salesforce/Product2.csv'",
        "orders_export: '../exports/shopify/orders_export_1.csv'",
        "order_line: '../exports/shopify/order_line.csv'",
        "ga_sessions: ",
    ] {
        assert!(written.contains(line), "{line} is missing in\n{written}");
    }
}
