//! Sources that nobody prepared, added from the guides alone: a CRM's export and an ad platform's
//! download, invented and as nasty as such files come, in at most 60 lines of YAML and SQL each;
//! and what a warehouse unloads.

use testkit::{Project, write_guide};

use crate::PROGRAM;
use crate::own_sources::{holds, write_models};
use crate::real_exports::balanced;

/// Most lines that a source may need.
const LINES_MAX: usize = 60;

/// Lines of settings (without the word `sources:`) and SQL that say something.
fn lines(settings: &str, models: &[(&str, &str)]) -> usize {
    let said = |text: &str| text.lines().filter(|line| !line.trim().is_empty()).count();
    let sql: usize = models.iter().map(|(_, sql)| said(sql)).sum();
    said(settings) - 1 + sql
}

const SALES: &str = "
sources:
  vertrieb:
    path: exports/crm/vorgaenge_*.csv
    zone: Europe/Berlin
    currency: EUR
    files:
      encoding: windows-1252
      decimal: ','
      null_words: ['k. A.', 'auf Anfrage']
      effective_at: Status seit
";

const SALES_MODELS: [(&str, &str); 4] = [
    (
        "stg_vertrieb__deals",
        r#"-- grain: one row per status of a deal
{{ config(entity='deal', rows='some') }}
select
    _raw_id,
    "Vorgangs-Nr." as deal_id,
    "Firma" as account_id,
    "Auftragswert" as amount,
    "Status" as stage,
    "Status" in ('gewonnen', 'verloren') as is_closed,
    "Status" = 'gewonnen' as is_won,
    "Angelegt_am" as created_at,
    case when "Status" in ('gewonnen', 'verloren') then "Status_seit" end as closed_at
from {{ source('vertrieb', 'rows') }}
where "Vorgangs-Nr." <> 'Summe'
"#,
    ),
    (
        "stg_vertrieb__deal_stages",
        r#"-- grain: one row per status of a deal
{{ config(entity='deal_stage', rows='some') }}
select
    _raw_id,
    "Vorgangs-Nr." as deal_id,
    "Status" as stage,
    "Status_seit" as entered_at,
    "Status" in ('gewonnen', 'verloren') as is_closed,
    "Status" = 'gewonnen' as is_won
from {{ source('vertrieb', 'rows') }}
where "Vorgangs-Nr." <> 'Summe'
"#,
    ),
    (
        "stg_vertrieb__contacts",
        r#"-- grain: one row per status of a deal, for the person it names
{{ config(entity='contact', rows='some') }}
select
    _raw_id,
    replace(lower("E-Mail"), ' ', '') as contact_id,
    replace("E-Mail", ' ', '') as email,
    "Firma" as account_id
from {{ source('vertrieb', 'rows') }}
where "E-Mail" is not null
"#,
    ),
    (
        "stg_vertrieb__deal_contacts",
        r#"-- grain: one row per deal and person
{{ config(entity='deal_contact', rows='some') }}
select
    _raw_id,
    "Vorgangs-Nr." as deal_id,
    replace(lower("E-Mail"), ' ', '') as contact_id
from {{ source('vertrieb', 'rows') }}
where "E-Mail" is not null
"#,
    ),
];

const SALES_ROWS: &str = "\
Vorgangs-Nr.;Firma;Ansprechpartner;E-Mail;Auftragswert;Status;Status seit;Angelegt am\r
V-0101;Müller & Söhne GmbH;Jörg Müller; joerg@mueller.example ;12.500,00 €;Angebot;\
03.02.2026 09:15;28.01.2026\r
V-0101;Müller & Söhne GmbH;Jörg Müller;Joerg@Mueller.example;11.900,50 €;gewonnen;\
02.03.2026 16:40;28.01.2026\r
V-0102;Bäckerei Groß;Anna Groß;anna@gross.example;980,00 €;Angebot;10.02.2026;09.02.2026\r
V-0102;Bäckerei Groß;Anna Groß;anna@gross.example;980,00 €;verloren;1.3.2026;09.02.2026\r
V-0103;Ölhandel Süd;k. A.;k. A.;auf Anfrage;Erstkontakt;20.02.2026 11:00;20.02.2026\r
V-0104;Kranbau AG;Uwe Kran;\"uwe @kranbau.example \";EUR 1.250;gewonnen;\
05.03.2026 08:00;01.03.2026\r
V-0104;Kranbau AG;Uwe Kran;\"uwe @kranbau.example \";EUR 1.250;gewonnen;\
05.03.2026 08:00;01.03.2026\r
V-0105;Kranbau AG;Uwe Kran;uwe@kranbau.example;2.400,00 €;Verhandlung;31.02.2026;01.03.2026\r
Summe;;;;15.630,50 €;;;\r
";

/// Text in Windows-1252, as far as it is used here.
fn windows_1252(text: &str) -> Vec<u8> {
    let byte = |character| match character {
        '€' => 0x80,
        other => u8::try_from(u32::from(other)).expect("a Latin letter"),
    };
    text.chars().map(byte).collect()
}

#[test]
fn an_unfamiliar_crm_is_added_in_sixty_lines() {
    assert!(lines(SALES, &SALES_MODELS) <= LINES_MAX);
    let settings = format!("reporting: {{zone: Europe/Berlin, currency: EUR}}\n{SALES}");
    let project = Project::new(PROGRAM, &settings);
    write_models(&project, &SALES_MODELS);
    project.write(
        "exports/crm/vorgaenge_2026-03-08.csv",
        windows_1252(SALES_ROWS),
    );
    balanced(&project);
    let won = "from star.fct_conversion where conversion_type = 'deal_won'";
    holds(
        &project,
        &[
            (&format!("count(*) {won}"), "2"),
            (&format!("sum(revenue_amount) {won}"), "13150.500000"),
            (
                &format!("sum(revenue_reporting_amount) {won}"),
                "13150.500000",
            ),
            (
                &format!("count(distinct customer_key) {won} and customer_key <> 0"),
                "2",
            ),
            (
                &format!("cast(conversion_at as text) {won} and deal_id = 'vertrieb:V-0101'"),
                "2026-03-02T15:40:00Z",
            ),
            // A deal's versions: two of V-0101, with the amount that each had.
            ("count(*) from silver.deal", "7"),
            (
                "count(*) from silver.deal where deal_id like '%Summe%'",
                "0",
            ),
            (
                "amount from silver.deal where stage = 'Angebot' and deal_id = 'vertrieb:V-0101'",
                "12500.000000",
            ),
            (
                "count(amount) from silver.deal where stage = 'Erstkontakt'",
                "0",
            ),
            (
                "count(*) from star.dim_account where account_name = 'vertrieb:Bäckerei Groß'",
                "1",
            ),
            // One person, however the address is written.
            ("count(distinct email_hash) from silver.contact", "3"),
            ("count(distinct contact_id) from silver.contact", "3"),
            (
                "rule from quarantine.stg_vertrieb__deal_stages",
                "type:entered_at",
            ),
            (
                "count(*) from star.fct_deal_stage where stage = 'gewonnen'",
                "2",
            ),
            (
                "sum(position_revenue_reporting_amount) from marts.mart_channel_daily",
                "13150.500000",
            ),
        ],
    );
}

const ADS: &str = "
sources:
  werbung:
    path: exports/ads/bericht_*.csv
    files:
      skip_lines: 3
      decimal: ','
      null_words: ['--']
      effective_at: {file: 'bericht_{date}'}
";

const ADS_MODELS: [(&str, &str); 2] = [
    (
        "stg_werbung__campaign_days",
        r#"-- grain: one row per day and campaign
{{ config(entity='ad_performance', rows='some') }}
select
    _raw_id,
    "Tag" as report_date,
    'werbung' as platform,
    'campaign' as level,
    "Kampagnen-ID" as campaign_id,
    "Kampagne" as campaign_name,
    "Impressionen" as impressions,
    "Klicks" as clicks,
    "Kosten" as spend_amount,
    "Währung" as currency_code,
    "Conversions" as platform_conversions
from {{ source('werbung', 'rows') }}
where "Tag" not like 'Gesamt%'
"#,
    ),
    (
        "stg_werbung__campaigns",
        r#"-- grain: one row per day and campaign, for its name and type
{{ config(entity='campaign', rows='some') }}
select
    _raw_id,
    'werbung' as platform,
    'campaign' as level,
    "Kampagnen-ID" as campaign_id,
    "Kampagne" as campaign_name,
    'search' as campaign_type
from {{ source('werbung', 'rows') }}
where "Tag" not like 'Gesamt%'
"#,
    ),
];

const ADS_HEAD: &str = "\
Kampagnenbericht\r
\"1. März 2026 - 3. März 2026\"\r
\r
Tag\tKampagnen-ID\tKampagne\tWährung\tImpressionen\tKlicks\tKosten\tConversions\r
";

const ADS_ROWS: &str = "\
01.03.2026\t88001\tFrühling – Marke\tEUR\t12.345\t321\t1.234,56\t2,50\r
01.03.2026\t88002\tFrühling – Möbel\tEUR\t1.002.003\t1.204\t987,10\t--\r
02.03.2026\t88001\tFrühling – Marke\tEUR\t9.870\t298\t1.100,00\t1.234,00\r
02.03.2026\t88002\tFrühling – Möbel\tEUR\t--\t--\t0,00\t--\r
03.03.2026\t88001\tFrühling – Marke\tEUR\t11.111\t300\t1.000,04\t0,50\r
Gesamt: Konto\t--\t--\tEUR\t1.035.329\t2.123\t4.321,70\t1.237,00\r
";

/// Text in UTF-16, low byte first, with its mark.
fn utf_16(text: &str) -> Vec<u8> {
    let units = std::iter::once(0xfeff).chain(text.encode_utf16());
    units.flat_map(u16::to_le_bytes).collect()
}

#[test]
fn an_unfamiliar_ad_platform_is_added_in_sixty_lines() {
    assert!(lines(ADS, &ADS_MODELS) <= LINES_MAX);
    let settings = format!("reporting: {{zone: Europe/Berlin, currency: EUR}}\n{ADS}");
    let project = Project::new(PROGRAM, &settings);
    write_models(&project, &ADS_MODELS);
    let file = format!("{ADS_HEAD}{ADS_ROWS}");
    project.write("exports/ads/bericht_2026-03-04.csv", utf_16(&file));
    balanced(&project);
    let paid = "from marts.mart_channel_daily where channel = 'Paid Search'";
    holds(
        &project,
        &[
            (
                &format!("sum(spend_reporting_amount) {paid}"),
                "4321.700000",
            ),
            (&format!("sum(clicks) {paid}"), "2123"),
            (&format!("sum(impressions) {paid}"), "1035329"),
            (
                "sum(spend_reporting_amount) from marts.mart_channel_daily",
                "4321.700000",
            ),
            (
                "spend_reporting_amount from marts.mart_channel_daily \
                 where date = date '2026-03-01' and channel = 'Paid Search'",
                "2221.660000",
            ),
            (
                "sum(platform_conversions) from silver.ad_performance",
                "1237.0",
            ),
            (
                "count(distinct campaign_name) from star.dim_campaign \
                 where is_current and campaign_name like 'Frühling – M%'",
                "2",
            ),
            ("count(*) from quarantine.stg_werbung__campaign_days", "0"),
        ],
    );

    // The platform restates a day: the later download counts, in whatever order they come.
    let later = "03.03.2026\t88001\tFrühling – Marke\tEUR\t11.200\t301\t1.010,04\t0,50\r\n";
    let file = format!("{ADS_HEAD}{later}");
    project.write("exports/ads/bericht_2026-03-05.csv", utf_16(&file));
    balanced(&project);
    holds(
        &project,
        &[
            (
                &format!("sum(spend_reporting_amount) {paid}"),
                "4331.700000",
            ),
            (&format!("sum(clicks) {paid}"), "2124"),
        ],
    );
}

const WAREHOUSE: &str = "
reporting: {zone: UTC, currency: EUR}
sources:
  warehouse:
    currency: EUR
    files: {format: parquet}
    streams:
      orders: {path: 'exports/orders/**/orders_*.parquet', effective_at: UPDATED_AT}
      sessions: exports/sessions/sessions_*.parquet
";

/// What Snowflake, BigQuery, Redshift and Databricks write: wide decimals, structs, lists, names in
/// capitals, times without a zone.
fn unload(project: &Project, file: &str, sql: &str) {
    let path = project.dir().join(file);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let path = path.display().to_string();
    let out = project.run(&["query", "--format", "parquet", "--output", &path, sql]);
    assert!(out.status.success(), "{}", testkit::text(&out));
}

const UNLOADED_ORDERS: &str = r#"
select
    cast(1001 as decimal(38, 0)) as "ORDER_ID",
    named_struct('id', 7, 'email', 'Lee@Example.com') as "CUSTOMER",
    cast('25.50' as decimal(38, 9)) as "TOTAL",
    'EUR' as "CURRENCY",
    'paid' as "STATUS",
    make_array(
        named_struct('sku', 'A', 'quantity', 1, 'price', cast('12.50' as decimal(10, 2))),
        named_struct('sku', 'B', 'quantity', 2, 'price', cast('6.50' as decimal(10, 2)))
    ) as "ITEMS",
    to_timestamp('2026-03-01T09:00:00') as "CREATED_AT",
    to_timestamp('2026-03-01T10:00:00') as "UPDATED_AT"
"#;

#[test]
fn a_warehouse_is_read_from_what_it_unloads() {
    let project = Project::new(PROGRAM, "");
    unload(
        &project,
        "exports/orders/dt=2026-03-01/orders_2026-03-01_0_0_0.snappy.parquet",
        UNLOADED_ORDERS,
    );
    // The next day's unload has the order again, cancelled.
    let later = UNLOADED_ORDERS
        .replace("'paid'", "'cancelled'")
        .replace("T10:00:00", "T23:00:00");
    unload(
        &project,
        "exports/orders/dt=2026-03-02/orders_2026-03-02_0_0_0.snappy.parquet",
        &format!(
            "{later} union all {}",
            UNLOADED_ORDERS.replace("1001", "1002")
        ),
    );
    unload(
        &project,
        "exports/sessions/sessions_2026-03-01_0.parquet",
        r#"select
            's1' as "SESSION_ID", to_timestamp('2026-03-01T08:50:00') as "STARTED_AT",
            'd1' as "VISITOR_ID", '7' as "USER_ID", 'https://shop.example/' as "LANDING_PAGE",
            'news' as "SOURCE", 'email' as "MEDIUM", 'spring' as "CAMPAIGN""#,
    );
    write_guide(&project, "start-where-my-data-is.md");
    project.set(WAREHOUSE);
    balanced(&project);
    holds(
        &project,
        &[
            ("count(*) from silver.\"order\"", "2"),
            (
                "is_cancelled from silver.\"order\" where order_id = 'warehouse:1001'",
                "true",
            ),
            ("sum(gross_amount) from silver.\"order\"", "51.000000"),
            ("sum(revenue_amount) from silver.order_line", "51.000000"),
            ("count(email_hash) from silver.\"order\"", "2"),
            ("sum(revenue_amount) from star.fct_conversion", "25.500000"),
            ("utm_medium from silver.web_event", "email"),
        ],
    );
}

#[test]
fn the_page_of_functions_says_what_they_give() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/reference/functions.md"
    );
    let page = std::fs::read_to_string(path).unwrap();
    let project = Project::new(PROGRAM, "");
    let mut tried = 0;
    for line in page.lines().filter(|line| line.starts_with('|')) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let &[_, _, example, gives] = cells.as_slice() else {
            continue;
        };
        let is_code = example.starts_with('`') && !example.contains("event[");
        if !is_code {
            continue;
        }
        let example = example.trim_matches('`');
        let expected = match gives {
            "null" => "",
            other => other.trim_matches('`'),
        };
        let found = project.value(&format!("select cast({example} as text)"));
        assert_eq!(found, expected, "{example}");
        tried += 1;
    }
    assert!(tried > 20, "{tried} examples are on the page");
}
