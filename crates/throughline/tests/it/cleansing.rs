//! Values are cleansed by declared rules before they are cast, and what was changed is kept and
//! counted, file by file.

use serde_json::Value;
use testkit::{Project, plain};

use crate::PROGRAM;

const SETTINGS: &str = "
reporting: {zone: Europe/Berlin, currency: EUR, home_country: DE}
sources:
  shop:
    streams:
      orders:
        path: orders/*.csv
        delimiter: ';'
        decimal: ','
        cleanse: {'*': [trim, null_words], 'customer e-mail': [email]}
";

const MODEL: &str = "-- grain: one row per order
{{ config(entity='order') }}
select
    _raw_id,
    \"Order_No.\" as order_id,
    \"Order_No.\" as order_number,
    placed as ordered_at,
    total as gross_amount,
    currency as currency_code,
    \"Customer_e-mail\" as email,
    phone,
    coupon,
    landing as landing_url,
    campaign
from {{ source('shop', 'orders') }}
";

const YML: &str = "models:
  - name: stg_shop__orders
    columns:
      - name: order_id
        cleanse: [homoglyphs, upper, long_id]
      - name: ordered_at
        cleanse: [{date: dd.mm.yyyy}]
      - name: gross_amount
        cleanse: [money]
      - {name: currency_code, cleanse: [currency]}
      - {name: phone, cleanse: [phone]}
      - {name: coupon, cleanse: [html_entities, unquote, excel_text, nfc]}
      - {name: landing_url, cleanse: [url]}
      - {name: campaign, cleanse: [utm, lower]}
";

const HEADER: &str =
    "Order No.;placed;total;currency;Customer e-mail;phone;coupon;landing;campaign\n";

/// Cyrillic letters in the number, a space that nobody sees, and what Germans write.
const DIRTY: &str = "\
\u{a0}аb-1;31.01.2026 10:00;1.234,56 €;€;Ann Lee <ann@Example.COM>;030 / 123 45-67;'007;\
HTTPS://Shop.Example.com:443/a?gclid=X#top;Spring%20Sale
ab-2;2026-02-01 10:00;(12,50);EUR;bob@example.com;n/a;\"&#252;ber\";https://shop.example.com/b;spring sale
ab-3;02/03/2026;5;EUR;-;12;x;;
1.23457E+17;01.02.2026;7;EUR;;;;;
";

const CLEAN: &str = "\
AB-1;2026-01-31 10:00;1234,56;EUR;ann@example.com;+49301234567;X;https://shop.example.com/;a
";

fn project() -> Project {
    let project = Project::new(PROGRAM, SETTINGS);
    project.write("models/1_silver/stg_shop__orders.sql", MODEL);
    project.write("models/1_silver/stg_shop__orders.yml", YML);
    project
}

fn file(project: &Project, name: &str, rows: &str) {
    project.write(&format!("orders/{name}.csv"), format!("{HEADER}{rows}"));
}

/// Rows of a query as texts, the columns with `|` between.
fn lines(project: &Project, sql: &str) -> Vec<String> {
    let line = |row: &Value| {
        let cells = row.as_object().unwrap().values().map(plain);
        cells.collect::<Vec<_>>().join("|")
    };
    project.rows(sql).iter().map(line).collect()
}

const COUNTS: &str = "select declared_in, column_name, rule, effect, sum(value_count) as n \
    from quality.cleansing group by 1, 2, 3, 4 order by 1 desc, 2, 3, 4";

#[test]
fn dirt_is_taken_off_and_what_was_changed_is_told() {
    let project = project();
    file(&project, "1", DIRTY);
    let ran = project.json(&["run"], 0);
    let balance = &ran["balances"][0];
    // A day that could be two is no day: its row waits in quarantine, and is told of all the same.
    assert_eq!(
        (&balance["silver"], &balance["quarantine"]),
        (&3.into(), &1.into())
    );
    assert_eq!(
        lines(
            &project,
            "select order_id, ordered_at, gross_amount, currency_code, coupon, landing_url, \
             properties from silver.order order by ordered_at",
        ),
        [
            "shop:AB-1|2026-01-31T10:00:00Z|1234.560000|EUR|007|\
             https://shop.example.com/a?gclid=X|{\"campaign\":\"spring sale\"}",
            "shop:1.23457E+17|2026-02-01T00:00:00Z|7.000000|EUR||\
             |{}",
            "shop:AB-2|2026-02-01T10:00:00Z|-12.500000|EUR|über|\
             https://shop.example.com/b|{\"campaign\":\"spring sale\"}",
        ]
    );
    let hashed = "select count(*) as n from silver.order where email_hash = pii_hash('email', \
                  'ann@example.com') and phone_hash = pii_hash('phone', '+49301234567')";
    assert_eq!(project.value(hashed), "1");
    let counts = lines(&project, COUNTS);
    assert_eq!(
        counts,
        [
            "stream|Customer_e-mail|email|changed|1",
            "stream|Customer_e-mail|null_words|emptied|1",
            "stream|Order_No.|trim|changed|1",
            "stream|phone|null_words|emptied|1",
            "model|campaign|lower|changed|1",
            "model|campaign|utm|changed|1",
            "model|coupon|excel_text|changed|1",
            "model|coupon|html_entities|changed|1",
            "model|currency_code|currency|changed|1",
            "model|gross_amount|money|changed|2",
            "model|landing_url|url|changed|1",
            "model|order_id|homoglyphs|changed|1",
            "model|order_id|long_id|flagged|1",
            "model|order_id|upper|changed|3",
            "model|ordered_at|date|changed|2",
            "model|ordered_at|date|flagged|1",
            "model|phone|phone|changed|1",
            "model|phone|phone|flagged|1",
        ]
    );
    let told = |rule: &str, effect: &str| -> i64 {
        let all = ran["cleansed"].as_array().unwrap().iter();
        let of_rule = all.filter(|row| row["rule"] == rule);
        of_rule.map(|row| row[effect].as_i64().unwrap()).sum()
    };
    assert_eq!(
        (told("upper", "changed"), told("null_words", "emptied")),
        (3, 2)
    );
    assert_eq!((told("date", "flagged"), told("phone", "flagged")), (1, 1));
}

#[test]
fn values_are_kept_in_clear_only_where_they_are_nobodys() {
    let project = project();
    file(&project, "1", DIRTY);
    project.json(&["run"], 0);
    let kept = |column: &str| {
        let sql = format!(
            "select row_number, rule, value_before, value_after, is_masked from quality.cleansing \
             where column_name = '{column}' order by rule, row_number"
        );
        lines(&project, &sql)
    };
    assert_eq!(
        kept("gross_amount"),
        [
            "1|money|1.234,56 €|1234,56|false",
            "2|money|(12,50)|-12,50|false"
        ]
    );
    assert_eq!(
        kept("phone"),
        [
            "2|null_words|a/a||true",
            "1|phone|0 / 0 0-0|+0|true",
            "3|phone|0|0|true"
        ]
    );
    assert_eq!(
        kept("Customer_e-mail"),
        ["1|email|Aa Aa <a@Aa.A>|a@a.a|true", "3|null_words|-||true"]
    );
    // Each change is tied to the row as it was received.
    let found = "select count(*) as n from quality.cleansing c inner join raw.shop__orders r \
                 on r._raw_id = c._raw_id where c.file = r._file and c.row_number = r._row";
    let all = "select sum(value_count) as n from quality.cleansing";
    assert_eq!(project.value(found), project.value(all));
}

#[test]
fn changes_come_and_go_with_their_file_and_a_rebuild_says_the_same() {
    let project = project();
    file(&project, "1", DIRTY);
    project.json(&["run"], 0);
    let of_one = lines(&project, COUNTS);
    file(&project, "2", "zz-1;01.03.2026;1;EUR;;;;;\n");
    project.json(&["run"], 0);
    let upper = "select sum(value_count) as n from quality.cleansing where rule = 'upper'";
    assert_eq!(project.value(upper), "4");
    // The provider mends the second file, and then the first.
    file(&project, "2", "ZZ-1;2026-03-01;1;EUR;;;;;\n");
    project.json(&["run"], 0);
    assert_eq!(lines(&project, COUNTS), of_one);
    file(&project, "1", CLEAN);
    project.json(&["run"], 0);
    assert_eq!(lines(&project, COUNTS), Vec::<String>::new());
    file(&project, "1", DIRTY);
    project.json(&["run"], 0);
    let all = "select * from quality.cleansing order by _raw_id, column_name, rule, effect";
    let incremental = lines(&project, all);
    project.json(&["run", "--full-refresh"], 0);
    assert_eq!(lines(&project, all), incremental);
    assert_eq!(lines(&project, COUNTS), of_one);
    assert_eq!(project.json(&["run"], 0)["built"], 0);
}

#[test]
fn rules_that_change_or_go_are_carried_out_anew() {
    let project = project();
    file(&project, "1", CLEAN);
    project.json(&["run"], 0);
    let id = "select order_id from silver.order";
    assert_eq!(project.value(id), "shop:AB-1");
    let yml = "models: [{name: stg_shop__orders, columns: [{name: order_id, cleanse: lower}]}]";
    project.write("models/1_silver/stg_shop__orders.yml", yml);
    project.set(
        "sources: {shop: {streams: {orders: {path: 'orders/*.csv', delimiter: ';', decimal: ','}}}}",
    );
    project.json(&["run"], 0);
    assert_eq!(project.value(id), "shop:ab-1");
    assert_eq!(lines(&project, COUNTS), ["model|order_id|lower|changed|1"]);
    project.write("models/1_silver/stg_shop__orders.yml", "models: []");
    let ran = project.json(&["run"], 0);
    assert_eq!(project.value(id), "shop:AB-1");
    assert_eq!(ran["cleansed"].as_array().unwrap().len(), 0);
}

#[test]
fn all_changes_are_counted_and_the_first_of_a_file_are_kept() {
    let project = project();
    let rows = |count: usize| -> String {
        let row = |k: usize| format!("a-{k};2026-01-{:02};1;EUR;;;;;\n", k % 28 + 1);
        (0..count).map(row).collect()
    };
    file(&project, "1", &rows(2500));
    file(&project, "2", &rows(999));
    project.json(&["run"], 0);
    let found = lines(
        &project,
        "select file, sum(value_count) as n, count(row_number) as kept, max(row_number) as last \
         from quality.cleansing where rule = 'upper' group by file order by file",
    );
    assert_eq!(
        found,
        ["orders/1.csv|2500|1000|1000", "orders/2.csv|999|999|999"]
    );
    let total = "select value_count from quality.cleansing_count where rule = 'upper'";
    assert_eq!(project.value(total), "3499");
}

#[test]
fn what_is_no_rule_or_no_column_is_refused_with_its_place() {
    let project = project();
    file(&project, "1", CLEAN);
    let refused = |path: &str, text: &str| {
        project.write(path, text);
        let out = project.run(&["plan"]);
        assert!(!out.status.success());
        testkit::text(&out)
    };
    let yml = "models/1_silver/stg_shop__orders.yml";
    let said = refused(yml, &YML.replace("[money]", "[monney]"));
    assert!(
        said.contains("there is no cleansing rule `monney`"),
        "{said}"
    );
    assert!(said.contains("stg_shop__orders.yml:9:"), "{said}");
    assert!(said.contains("did you mean `money`?"), "{said}");
    let said = refused(yml, &YML.replace("dd.mm.yyyy", "dd.mm"));
    assert!(said.contains("`date` takes formats of"), "{said}");
    project.write(yml, YML);
    let mart = "-- grain: one row per id\nselect 1 as id\n";
    project.write("models/4_marts/mart_id.sql", mart);
    let path = "models/4_marts/mart_id.yml";
    let said = refused(
        path,
        "models: [{name: mart_id, columns: [{name: id, cleanse: trim}]}]",
    );
    assert!(said.contains("`id` of `mart_id` has `cleanse`"), "{said}");
    project.write(path, "models: [{name: mart_id}]");
    let settings = std::fs::read_to_string(project.dir().join("throughline.yml")).unwrap();
    let said = refused(
        "throughline.yml",
        &settings.replace("null_words", "nullwords"),
    );
    assert!(said.contains("throughline.yml:"), "{said}");
    assert!(said.contains("did you mean `null_words`?"), "{said}");
    // Which columns there are is known only when files are read.
    let failed = |yml_text: &str, settings: &str| {
        project.write(yml, yml_text);
        project.write("throughline.yml", settings);
        let ran = project.json(&["run"], 1);
        let mut models = ran["models"].as_array().unwrap().iter();
        let model = models.find(|model| model["model"] == "stg_shop__orders");
        model.unwrap()["error"].as_str().unwrap().to_owned()
    };
    let said = failed(&YML.replace("name: campaign", "name: campain"), &settings);
    assert!(said.contains("names the column `campain`"), "{said}");
    let said = failed(YML, &settings.replace("customer e-mail", "customer mail"));
    assert!(said.contains("names the column `customer mail`"), "{said}");
}

#[test]
fn the_guide_is_followed_and_names_every_rule() {
    let project = Project::new(PROGRAM, "");
    testkit::write_guide(&project, "cleansing.md");
    let header = "Number,Placed on,Total,Customer e-mail,Phone,Landing page,Campaign\n";
    let rows = "\u{a0}аb-1,31.12.2025,\"1.234,56 €\",Ann Lee <ann@Example.COM>,030 1234567,\
                HTTPS://Shop.Example.com:443/A#top,Spring%20Sale\n\
                AB-2,2026-01-02,\"(12,50)\",-,n/a,,\n\
                AB-3,03.01.2026,twenty,,,,\n";
    project.write("exports/orders_1.csv", format!("{header}{rows}"));
    let ran = project.json(&["run"], 0);
    assert_eq!(ran["balances"][0]["quarantine"], 1);
    let found = lines(
        &project,
        "select order_id, gross_amount, landing_url from silver.order order by order_id",
    );
    assert_eq!(
        found,
        [
            "wholesale:AB-1|1234.560000|https://shop.example.com/A",
            "wholesale:AB-2|-12.500000|"
        ]
    );
    let told = lines(
        &project,
        "select column_name, rule, effect, value_count from quality.cleansing_count \
         where rule in ('money', 'email') order by 1, 2, 3",
    );
    assert_eq!(
        told,
        [
            "Customer_e-mail|email|changed|1",
            "gross_amount|money|changed|2",
            "gross_amount|money|flagged|1"
        ]
    );
    let guide = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/guides/cleansing.md"
    );
    let guide = std::fs::read_to_string(guide).unwrap();
    let rules = domain::cleanse::RULES.iter();
    for rule in rules {
        let row = format!("| `{}` | {} |", rule.name, rule.doc);
        assert!(guide.contains(&row), "the guide lacks `{row}`");
    }
}

#[test]
fn columns_of_documents_are_cleansed_in_the_model() {
    let settings = "
sources:
  calls:
    path: calls/*.ndjson
    files: {cleanse: {topic: trim}}
";
    let project = Project::new(PROGRAM, settings);
    project.write(
        "models/1_silver/stg_calls__calls.sql",
        "-- grain: one row per call\n{{ config(entity='activity') }}\n\
         select _raw_id, json_text(payload, 'id') as activity_id, 'call' as activity_type, \
         json_text(payload, 'at') as activity_at, json_text(payload, 'topic') as subject\n\
         from {{ source('calls', 'rows') }}\n",
    );
    project.write(
        "calls/1.ndjson",
        "{\"id\": \"1\", \"at\": \"2026-01-01 10:00:00\", \"topic\": \"  HELP \"}\n",
    );
    let ran = project.json(&["run"], 1);
    assert!(
        ran["models"]
            .to_string()
            .contains("its files hold documents"),
        "{ran}"
    );
    // The model's columns have no such limit.
    project.set("sources: {calls: {path: 'calls/*.ndjson'}}");
    project.write(
        "models/1_silver/stg_calls__calls.yml",
        "models: [{name: stg_calls__calls, columns: [{name: subject, cleanse: [trim, lower]}]}]",
    );
    project.json(&["run"], 0);
    assert_eq!(project.value("select subject from silver.activity"), "help");
    assert_eq!(lines(&project, COUNTS).len(), 2);
}
