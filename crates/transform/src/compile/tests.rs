//! Golden tests: small projects, their SQL, their checks and their errors as a user sees them.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::json;

use super::*;
use crate::project::testing::{Fixture, fixture};
use crate::project::{Materialized, Severity, Strategy};

fn manifest(files: &[(&str, &str)]) -> Manifest {
    let fixture = fixture(files);
    match Manifest::build(fixture.project(), &BTreeMap::new()) {
        Ok(manifest) => manifest,
        Err(error) => panic!("{error}"),
    }
}

fn error(files: &[(&str, &str)]) -> String {
    let fixture = fixture(files);
    Manifest::build(fixture.project(), &BTreeMap::new())
        .expect_err("no error")
        .to_string()
}

/// What the runner would say: whole relations in brackets, bounded ones in braces.
struct Told {
    is_incremental: bool,
}

impl Relations for Told {
    fn relation(&self, dependency: &Dependency) -> String {
        let name = dependency.target.to_string();
        if dependency.is_bounded {
            format!("<{name}>")
        } else {
            format!("<whole {name}>")
        }
    }

    fn this(&self) -> String {
        "<this>".into()
    }

    fn is_incremental(&self) -> bool {
        self.is_incremental
    }
}

fn compiled(manifest: &Manifest, model: &str, is_incremental: bool) -> String {
    manifest
        .compile(model, &Told { is_incremental })
        .expect("compiles")
}

const YML: &str = "name: shop\nreporting: {zone: Europe/Berlin, currency: EUR}\nvars: {days: 3}\n\
    sources:\n  shop: {path: 'orders.csv'}\n";

#[test]
fn a_model_becomes_sql() {
    let manifest = manifest(&[
        ("throughline.yml", YML),
        (
            "macros/money.sql",
            "{% macro in_cents(column) %}({{ column }} * 100){% endmacro %}",
        ),
        (
            "models/4_marts/mart_orders.sql",
            "-- grain: one row per day\n\
             {{ config(materialized='incremental', event_time='order_date', lookback=2, \
             tags=['x']) }}\n\
             select {{ in_cents('amount') }} as cents, '{{ project.reporting.currency }}' as code\n\
             from {{ ref('fct_order') }}\n\
             join {{ ref('fct_order').render() }} using (id)\n\
             join {{ entity('order') }} using (id)\n\
             {% if is_incremental() %}\n\
             where day > (select max(day) from {{ this }}) - {{ var('days') }} \
             - {{ var('no', 1) }}\n\
             and id in (select id from {{ previous('mart_orders') }})\n\
             {% endif %};\n",
        ),
        (
            "models/3_star/fct_order.sql",
            "select * from {{ source('shop', 'rows') }}",
        ),
    ]);
    let parsed = &manifest.models["mart_orders"];
    assert_eq!(parsed.table(), "marts.mart_orders");
    assert_eq!(parsed.config.materialized, Materialized::Incremental);
    assert_eq!(parsed.config.strategy, Some(Strategy::ReplaceInterval));
    assert_eq!(parsed.config.lookback, 2);
    assert_eq!(parsed.config.tags, ["x"]);
    let uses: Vec<(String, bool)> = parsed
        .dependencies
        .iter()
        .map(|d| (d.target.to_string(), d.is_bounded))
        .collect();
    assert_eq!(
        uses,
        [
            ("entity('order')".to_owned(), true),
            ("ref('fct_order')".to_owned(), false),
            ("ref('fct_order')".to_owned(), true),
            ("previous('mart_orders')".to_owned(), true),
        ]
    );
    let first = compiled(&manifest, "mart_orders", false);
    assert_eq!(
        first,
        "-- grain: one row per day\n\n\
         select (amount * 100) as cents, 'EUR' as code\n\
         from <ref('fct_order')>\n\
         join <whole ref('fct_order')> using (id)\n\
         join <entity('order')> using (id)\n"
    );
    let later = compiled(&manifest, "mart_orders", true);
    assert!(
        later
            .contains("from <this>) - 3 - 1\nand id in (select id from <previous('mart_orders')>)")
    );
}

#[test]
fn the_stream_that_a_text_reads_first_gives_the_rows() {
    let yml = "name: x\nsources:\n  crm:\n    streams: {campaign: 'c/*.csv', member: 'm/*.csv'}\n";
    let manifest = manifest(&[
        ("throughline.yml", yml),
        (
            "models/1_silver/stg_crm__members.sql",
            "select m.* from {{ source('crm', 'member') }} m \
             left join {{ source('crm', 'campaign') }} c on m.campaign_id = c.id",
        ),
    ]);
    let reads = manifest.models["stg_crm__members"].dependencies.iter();
    let names: Vec<&str> = reads.map(|read| read.target.name()).collect();
    assert_eq!(names, ["member", "campaign"]);
}

#[test]
fn macros_call_each_other_and_the_project_wins() {
    let builtin: &[(&str, &str)] = &[(
        "models/macros/a.sql",
        "{% macro outer(x) %}[{{ inner(x) }} {{ ref('fct_a') }}]{% endmacro %}\n\
         {% macro inner(x, y=none) %}{{ x }}{% endmacro %}",
    )];
    let fixture = Fixture::new(
        builtin,
        &[
            ("throughline.yml", "name: x"),
            (
                "macros/b.sql",
                "{% macro inner(x) %}own {{ x }}{% endmacro %}",
            ),
            ("models/fct_a.sql", "select 1"),
            (
                "models/mart_b.sql",
                "select '{{ outer('z') }}' {{ ',' if false }}",
            ),
        ],
    );
    let manifest = Manifest::build(fixture.project(), &BTreeMap::new()).expect("builds");
    assert_eq!(
        compiled(&manifest, "mart_b", false),
        "select '[own z <ref('fct_a')>]'\n"
    );
    assert_eq!(manifest.models["mart_b"].dependencies.len(), 1);
}

#[test]
fn silver_is_made_for_every_source_of_its_kind() {
    let builtin: &[(&str, &str)] = &[
        (
            "models/1_silver/ga4/_source.yml",
            "kind: ga4\nstreams:\n  events: {doc: x, effective_at: at, columns: [a]}\n  \
             users: {}\n",
        ),
        (
            "models/1_silver/ga4/stg_ga4__events.sql",
            "{{ config(entity='web_event') }} select '{{ source_name }}' \
             from {{ source('ga4', 'events') }}",
        ),
        (
            "models/1_silver/ga4/stg_ga4__users.sql",
            "{{ config(entity='contact') }} select 1 from {{ source('ga4', 'users') }}",
        ),
        (
            "models/1_silver/ga4/ga4.yml",
            "models:\n  - name: stg_ga4__events\n    \
             columns: [{name: event_id, tests: [not_null]}]\n  \
             - name: stg_ga4__users\n    columns: [{name: id, tests: [unique]}]\n",
        ),
    ];
    let fixture = Fixture::new(
        builtin,
        &[
            (
                "throughline.yml",
                "name: x\nsources:\n  web: {kind: ga4, streams: {events: a.json}}\n  \
             app: {kind: ga4, streams: {events: b.json, users: c.json}}\n",
            ),
            (
                "models/stg_app__events.sql",
                "{{ config(entity='web_event') }} select 'own' from {{ source('app', 'events') }}",
            ),
        ],
    );
    let project = fixture.project();
    let at = project.streams()[0].files.effective_at.clone();
    assert_eq!(at, Some(domain::config::EffectiveAt::Column("at".into())));
    let manifest = Manifest::build(project, &BTreeMap::new()).expect("builds");
    let names: Vec<&String> = manifest.models.keys().collect();
    assert_eq!(
        names,
        ["stg_app__events", "stg_app__users", "stg_web__events"]
    );
    assert_eq!(
        manifest.left_out,
        [LeftOut {
            model: "stg_web__users".into(),
            missing_streams: vec!["web.users".into()]
        }]
    );
    assert_eq!(
        compiled(&manifest, "stg_web__events", false),
        "select 'web' from <source('web', 'events')>\n"
    );
    assert!(compiled(&manifest, "stg_app__events", false).contains("'own'"));
    let checks: Vec<&str> = manifest
        .checks
        .iter()
        .map(|check| check.name.as_str())
        .collect();
    assert_eq!(
        checks,
        [
            "not_null_stg_app__events_event_id",
            "not_null_stg_web__events_event_id",
            "unique_stg_app__users_id",
        ]
    );
    assert_eq!(manifest.models_of_entity("web_event").count(), 2);
}

#[test]
fn errors_show_the_place_and_what_to_do() {
    let shown = error(&[
        ("throughline.yml", YML),
        (
            "models/mart_a.sql",
            "select 1\n\nwhere currency = '{{ projct.name }}'\n",
        ),
    ]);
    assert_eq!(
        shown,
        "undefined variable `projct`\n \
         --> models/mart_a.sql:3:22\n  \
         |\n3 | where currency = '{{ projct.name }}'\n  \
         |                      ^^^^^^\n  \
         hint: did you mean `project`?"
    );
}

#[test]
fn every_mistake_gets_advice() {
    let cases = [
        (
            "{{ ref('fct_ordr') }}",
            "there is no model or seed `fct_ordr`",
            "did you mean `fct_order`?",
        ),
        (
            "{{ ref('order') }}",
            "there is no model or seed `order`",
            "entity('order')",
        ),
        (
            "{{ entity('ordr') }}",
            "there is no entity `ordr`",
            "did you mean `order`?",
        ),
        (
            "{{ source('shp', 'rows') }}",
            "there is no source `shp`",
            "did you mean `shop`?",
        ),
        (
            "{{ source('shop', 'row') }}",
            "source `shop` has no stream `row`",
            "`rows`?",
        ),
        (
            "{{ var('dayz') }}",
            "variable `dayz` has no value",
            "did you mean `days`?",
        ),
        (
            "{{ env_var('HOME') }}",
            "`env_var` is not available",
            "var('…')",
        ),
        (
            "{{ config(materialised='table') }}",
            "unknown setting `materialised`",
            "`materialized`?",
        ),
        (
            "{{ config(materialized='tabel') }}",
            "cannot be `tabel`",
            "`view`, `table`",
        ),
        (
            "{{ config(lookback='two') }}",
            "`lookback` cannot be `two`",
            "a whole number",
        ),
        (
            "{{ config(entity='web_events') }}",
            "unknown entity `web_events`",
            "`web_event`?",
        ),
        (
            "{{ config(materialized='incremental', incremental_strategy='replace_interval') }}",
            "`replace_interval` needs `event_time`",
            "add `event_time=",
        ),
        (
            "{{ project.reporting.curency }}",
            "`project.reporting.curency` is undefined",
            "`project.reporting.currency`?",
        ),
        (
            "{{ in_cent('a') }}",
            "unknown function or macro `in_cent`",
            "`in_cents`?",
        ),
        ("{{ in_cents(1, 2, 3) }}", "too many arguments", ""),
        ("{{ 'a' | uper }}", "unknown filter", ""),
        ("{% if true %}", "the Jinja cannot be read", ""),
        (
            "{{ exceptions.raise_compiler_error('not so') }}",
            "not so",
            "",
        ),
        (
            "{{ fails() }}",
            "there is no model or seed `nothing`",
            "--> macros/money.sql:2:",
        ),
        ("", "the model is empty", ""),
    ];
    for (sql, what, hint) in cases {
        let shown = error(&[
            ("throughline.yml", YML),
            (
                "macros/money.sql",
                "{% macro in_cents(column) %}({{ column }} * 100){% endmacro %}\n\
                 {% macro fails() %}{{ ref('nothing') }}{% endmacro %}",
            ),
            (
                "models/3_star/fct_order.sql",
                "select * from {{ source('shop', 'rows') }}",
            ),
            (
                "models/4_marts/mart_a.sql",
                &if sql.is_empty() {
                    "-- one\n".to_owned()
                } else {
                    format!("-- one\n{sql} select 1")
                },
            ),
        ]);
        assert!(shown.contains(what), "{sql}: {shown}");
        assert!(shown.contains(hint), "{sql}: {shown}");
        assert!(
            shown.contains(" --> m") || sql.is_empty(),
            "{sql}: no place in {shown}"
        );
    }
}

#[test]
fn an_endless_macro_ends() {
    let shown = error(&[
        ("throughline.yml", "name: x"),
        ("macros/a.sql", "{% macro a() %}{{ a() }}{% endmacro %}"),
        ("models/m.sql", "select {{ a() }}"),
    ]);
    assert!(shown.contains("the Jinja fails"), "{shown}");
}

#[test]
fn normalising_keeps_words_apart_and_quotes_whole() {
    assert_eq!(normalised_sql("Select  a . b , c"), "select a.b,c");
    assert_eq!(
        normalised_sql("select 'it''s -- No' --x\n, \"A b\""),
        "select'it''s -- No',\"A b\""
    );
    assert_eq!(normalised_sql("$$ A  b $$ $1"), "$$ A  b $$ $1");
    assert_eq!(normalised_sql("'never ends"), "'never ends");
    assert_eq!(normalised_sql("/* never ends"), "");
    assert_eq!(normalised_sql("größe  ÄÖ"), "größe äö");
}

#[test]
fn tests_become_selects() {
    let manifest = manifest(&[
        ("throughline.yml", YML),
        ("models/dim_customer.sql", "select 1 as customer_key"),
        ("models/fct_order.sql", "select 1 as id"),
        (
            "models/star.yml",
            r#"
version: 2
models:
  - name: fct_order
    description: Orders.
    config: {materialized: table, tags: [daily]}
    data_tests:
      - dbt_utils.unique_combination_of_columns:
          combination_of_columns: [id, Line]
      - expression_is_true: {expression: "amount >= 0", name: amounts_are_positive}
    columns:
      - name: id
        description: Its id.
        tests:
          - unique
          - not_null: {severity: warn, where: "day > date '2024-01-01'"}
      - name: status
        tests:
          - accepted_values:
              arguments: {values: [open, "it's"]}
              config: {severity: warn}
          - accepted_values: {values: [1, 2], quote: false}
      - name: customer_key
        tests:
          - relationships: {to: ref('dim_customer'), field: customer_key}
"#,
        ),
        (
            "tests/orders_have_customers.sql",
            "-- Every order has a customer.\n{{ config(severity='warn', tags=['x']) }}\n\
             select * from {{ ref('fct_order') }} where customer_key is null;",
        ),
    ]);
    let parsed = &manifest.models["fct_order"];
    assert_eq!(parsed.config.materialized, Materialized::Table);
    assert_eq!(parsed.model.properties.columns[0].description, "Its id.");
    let sql: BTreeMap<&str, String> = manifest
        .checks
        .iter()
        .map(|check| {
            let sql = manifest
                .check_sql(
                    check,
                    &Told {
                        is_incremental: false,
                    },
                )
                .expect("sql");
            (check.name.as_str(), sql)
        })
        .collect();
    let names: Vec<&str> = sql.keys().copied().collect();
    assert_eq!(
        names,
        [
            "accepted_values_fct_order_status",
            "accepted_values_fct_order_status_2",
            "amounts_are_positive",
            "not_null_fct_order_id",
            "orders_have_customers",
            "relationships_fct_order_customer_key",
            "unique_combination_of_columns_fct_order",
            "unique_fct_order_id",
        ]
    );
    assert_eq!(
        sql["unique_fct_order_id"],
        "select id, count(*) as row_count\nfrom <ref('fct_order')> as checked_rows\n\
         where id is not null\ngroup by id\nhaving count(*) > 1\n"
    );
    assert_eq!(
        sql["not_null_fct_order_id"],
        "select * from (select * from <ref('fct_order')> where day > date '2024-01-01'\n) \
         as checked_rows where id is null\n"
    );
    assert!(sql["accepted_values_fct_order_status"].contains("status not in ('open', 'it''s')"));
    assert!(sql["accepted_values_fct_order_status_2"].contains("status not in (1, 2)"));
    assert!(sql["unique_combination_of_columns_fct_order"].contains("group by id, \"Line\""));
    assert!(sql["amounts_are_positive"].contains("where (amount >= 0\n) is not true"));
    assert!(sql["relationships_fct_order_customer_key"].contains(
        "left join (select distinct customer_key as known_value from <ref('dim_customer')>)"
    ));
    assert_eq!(
        sql["orders_have_customers"],
        "-- Every order has a customer.\n\n\
         select * from <ref('fct_order')> where customer_key is null\n"
    );
    let find = |name: &str| {
        manifest
            .checks
            .iter()
            .find(|check| check.name == name)
            .expect(name)
    };
    assert_eq!(find("not_null_fct_order_id").severity, Severity::Warn);
    assert_eq!(
        find("accepted_values_fct_order_status").severity,
        Severity::Warn
    );
    assert_eq!(find("unique_fct_order_id").severity, Severity::Error);
    let singular = find("orders_have_customers");
    assert_eq!(singular.model.as_deref(), Some("fct_order"));
    assert_eq!(singular.description, "Every order has a customer.");
    assert_eq!(singular.severity, Severity::Warn);
    assert_eq!(
        find("relationships_fct_order_customer_key")
            .dependencies
            .len(),
        2
    );
}

#[test]
fn wrong_tests_are_refused() {
    let cases = [
        (
            "columns: [{name: a, tests: [not_nul]}]",
            "there is no test `not_nul`",
            "`not_null`?",
        ),
        (
            "columns: [{name: a, tests: [accepted_values]}]",
            "needs `values`",
            "",
        ),
        (
            "columns: [{name: a, tests: [{unique: {sevrity: warn}}]}]",
            "`sevrity`",
            "`severity`?",
        ),
        (
            "columns: [{name: a, tests: [{unique: {severity: bad}}]}]",
            "cannot be `bad`",
            "`warn`",
        ),
        ("tests: [unique]", "needs `a column`", "put it below one"),
        (
            "columns: [{name: a, tests: [{relationships: {to: ref('mm'), field: a}}]}]",
            "no model or seed `mm`",
            "",
        ),
        (
            "config: {materialized: big}",
            "cannot be `big`",
            "models/m.yml",
        ),
        (
            "config: {nothing: 1}",
            "unknown setting `nothing`",
            "models/m.yml",
        ),
    ];
    for (said, what, hint) in cases {
        let yml = format!("models:\n  - name: m\n    {said}\n");
        let shown = error(&[
            ("throughline.yml", "name: x"),
            ("models/m.sql", "select 1"),
            ("models/m.yml", &yml),
        ]);
        assert!(
            shown.contains(what) && shown.contains(hint),
            "{said}: {shown}"
        );
    }
}

#[test]
fn vars_given_on_the_way_win() {
    let fixture = fixture(&[
        ("throughline.yml", YML),
        (
            "models/m.sql",
            "select {{ var('days') }}, '{{ var('mood', 'good') }}'",
        ),
    ]);
    let vars = BTreeMap::from([("days".to_owned(), json!(9))]);
    let manifest = Manifest::build(fixture.project(), &vars).expect("builds");
    assert_eq!(compiled(&manifest, "m", false), "select 9, 'good'\n");
}

#[test]
fn models_that_are_switched_off_are_left_out() {
    let files = [
        ("throughline.yml", "name: x"),
        ("models/a.sql", "{{ config(enabled=false) }} select 1"),
        ("models/b.sql", "select * from {{ ref('a') }}"),
    ];
    let manifest = manifest(&files[..2]);
    assert_eq!(manifest.left_out[0].model, "a");
    assert!(error(&files).contains("model `b` reads `a`, which is not built"));
}

#[test]
fn compiled_sql_is_written() {
    let manifest = manifest(&[
        ("throughline.yml", YML),
        (
            "models/fct_a.sql",
            "select * from {{ source('shop', 'rows') }}",
        ),
        (
            "models/b.sql",
            "select * from {{ ref('fct_a') }} join {{ entity('order') }} using (a)",
        ),
        ("seeds/c.csv", "a,b\n1,2\n"),
        ("models/d.sql", "select * from {{ ref('c') }}"),
    ]);
    let target = tempfile::tempdir().expect("tempdir");
    manifest.write_compiled(target.path()).expect("written");
    let read =
        |path: &str| std::fs::read_to_string(target.path().join(Path::new(path))).expect(path);
    assert_eq!(
        read("compiled/star/fct_a.sql"),
        "select * from raw.shop__rows\n"
    );
    assert_eq!(
        read("compiled/marts/b.sql"),
        "select * from star.fct_a join silver.order using (a)\n"
    );
    assert_eq!(read("compiled/marts/d.sql"), "select * from seeds.c\n");
}

#[test]
fn unknown_streams_of_a_kind_are_refused_unless_read() {
    let builtin: &[(&str, &str)] = &[(
        "models/1_silver/crm/_source.yml",
        "kind: crm\nstreams: {contacts: {}}\n",
    )];
    let yml = "name: x\nsources:\n  crm: {kind: crm, streams: {contact: a.csv}}\n";
    let fixture_without = Fixture::new(builtin, &[("throughline.yml", yml)]);
    let shown = Manifest::build(fixture_without.project(), &BTreeMap::new())
        .expect_err("refused")
        .to_string();
    assert!(shown.contains("has the stream `contact`"), "{shown}");
    assert!(shown.contains("did you mean `contacts`?") && shown.contains("throughline.yml:3"));
    let fixture_with = Fixture::new(
        builtin,
        &[
            ("throughline.yml", yml),
            (
                "models/stg_crm__own.sql",
                "select * from {{ source('crm', 'contact') }}",
            ),
        ],
    );
    assert!(Manifest::build(fixture_with.project(), &BTreeMap::new()).is_ok());
}

#[test]
fn a_manifest_can_be_shared_between_threads() {
    fn shared<T: Send + Sync>(_: &T) {}
    shared(&manifest(&[("throughline.yml", "name: x")]));
}

#[test]
fn mistakes_in_yml_are_shown_where_they_stand() {
    let shown = error(&[
        ("throughline.yml", "name: x"),
        ("models/m.sql", "select 1"),
        ("models/n.sql", "select 1"),
        (
            "models/m.yml",
            "models:\n  - name: m\n    columns:\n      - name: a\n        tests: [unique]\n  \
             - name: n\n    config:\n      lookback: x\n    columns:\n      - name: a\n        \
             tests:\n          - unique\n          - not_nul\n",
        ),
    ]);
    let config = "`lookback` cannot be `x`\n --> models/m.yml:8:7\n  |\n8 |       lookback: x\n  \
        |       ^^^^^^^^\n";
    assert!(shown.contains(config), "{shown}");
}

#[test]
fn only_the_last_semicolon_goes() {
    let cases = [
        ("select 1;", "select 1\n"),
        ("select 1; -- done\n;\n", "select 1 -- done\n"),
        ("select ';' ; /* ; */", "select ';'  /* ; */\n"),
        ("select 1; select 2", "select 1; select 2\n"),
        ("select 1 -- a;", "select 1 -- a;\n"),
        ("", "\n"),
    ];
    for (sql, wanted) in cases {
        assert_eq!(fingerprint::without_semicolon(sql), wanted);
    }
    assert_eq!(fingerprint::without_semicolon(&";".repeat(100_000)), "\n");
}

#[test]
fn no_text_makes_the_reader_of_sql_fail() {
    let pieces = [
        "'", "\"", "$", "$a$", "--", "/*", "*/", "\n", ";", "ä", " ", "x", "\u{2003}",
    ];
    let mut state = 7_u64;
    for _ in 0..20_000 {
        let mut sql = String::new();
        for _ in 0..12 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let choice = usize::try_from(state >> 33).expect("31 bits") % pieces.len();
            sql.push_str(pieces[choice]);
        }
        let normal = normalised_sql(&sql);
        assert!(normal.len() <= 2 * sql.len() + 2);
        fingerprint::without_semicolon(&sql);
    }
}
