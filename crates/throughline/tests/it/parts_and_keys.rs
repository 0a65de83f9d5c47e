//! Dirt that is finer than a table: parts of days, keys, and rows that came out as they were.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use testkit::Project;

use crate::PROGRAM;
use crate::torture::content::tables;

const SETTINGS: &str = "
sources:
  shop:
    streams: {orders: 'orders/*.csv', refunds: 'refunds/*.csv'}
";

const ORDERS: &str = "-- grain: one row per order
{{ config(entity='order') }}
select _raw_id, id as order_id, at as ordered_at, buyer as buyer_id, amount as gross_amount,
    'EUR' as currency_code
from {{ source('shop', 'orders') }}
";

const REFUNDS: &str = "-- grain: one row per refund
{{ config(entity='refund') }}
select _raw_id, id as refund_id, at as refunded_at, order_id, amount as refund_amount,
    'EUR' as currency_code
from {{ source('shop', 'refunds') }}
";

const EVENTS: &str = "-- grain: one row per order or refund
{{ config(materialized='incremental', event_time='event_date', parts=['order', 'refund']) }}
{% if in_part('order') %}
select event_date, 'order' as kind, order_id as id from {{ entity('order') }}
{% endif %}
{% if in_part('order') and in_part('refund') %}union all{% endif %}
{% if in_part('refund') %}
select event_date, 'refund' as kind, refund_id as id from {{ entity('refund') }}
{% endif %}
";

const ORDER_DAYS: &str = "-- grain: one row per day
{{ config(materialized='incremental', event_time='event_date') }}
select event_date, count(*) as orders from {{ ref('fct_event', part='order') }} group by event_date
";

const WEEK: &str = "-- grain: one row
{{ config(materialized='table') }}
select sum(orders) as orders from {{ ref('mart_order_day') }}
";

const PURCHASES: &str = "-- grain: one row per order of a buyer
{{ config(materialized='table') }}
select cast(split_part(buyer_id, ':', 2) as bigint) as buyer_key, order_id, gross_amount
from {{ entity('order') }}
";

const BUYERS: &str = "-- grain: one row per order of a buyer, with its share
{{ config(materialized='incremental', incremental_strategy='replace_key', unique_key='buyer_key',
    sort=['buyer_key', 'order_id'], stats=['buyer_key']) }}
select buyer_key, order_id, gross_amount,
    count(*) over (partition by buyer_key) as order_count
from {{ ref('int_purchase') }}
";

fn project() -> Project {
    let project = Project::new(PROGRAM, SETTINGS);
    for (path, sql) in [
        ("1_silver/stg_shop__orders.sql", ORDERS),
        ("1_silver/stg_shop__refunds.sql", REFUNDS),
        ("3_star/fct_event.sql", EVENTS),
        ("3_star/int_purchase.sql", PURCHASES),
        ("3_star/int_buyer.sql", BUYERS),
        ("4_marts/mart_order_day.sql", ORDER_DAYS),
        ("4_marts/mart_order_week.sql", WEEK),
    ] {
        project.write(&format!("models/{path}"), sql);
    }
    for day in 1..=5 {
        let at = format!("2026-03-0{day} 10:00:00");
        project.write(
            &format!("orders/2026-03-0{day}.csv"),
            format!("id,at,buyer,amount\no{day},{at},{},{day}.50\n", day % 3),
        );
    }
    project.write(
        "refunds/1.csv",
        "id,at,order_id,amount\nr1,2026-03-02 09:00:00,o1,1.00\n",
    );
    project
}

/// What became of each model in a run.
fn outcomes(ran: &Value) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let models = ran["models"].as_array().unwrap().iter();
    models
        .map(|m| (text(&m["model"]), text(&m["outcome"])))
        .collect()
}

fn paths(project: &Project, table: &str) -> BTreeSet<String> {
    let files = tables(project)[table].files.clone();
    files.iter().map(|file| file.add.path.clone()).collect()
}

fn rows(project: &Project, table: &str) -> String {
    let rows = project.rows(&format!("select * from {table} order by 1, 2, 3"));
    serde_json::to_string(&rows).unwrap()
}

#[test]
fn a_refund_leaves_the_orders_of_its_day_alone() {
    let project = project();
    project.json(&["run"], 0);
    let before = tables(&project)["star.fct_event"].part("order");
    project.write(
        "refunds/2.csv",
        "id,at,order_id,amount\nr2,2026-03-03 09:00:00,o2,2.00\n",
    );
    let ran = project.json(&["run"], 0);
    let became = outcomes(&ran);
    assert_eq!(became["fct_event"], "built", "{ran}");
    assert_eq!(became["mart_order_day"], "up_to_date", "{ran}");
    let after = &tables(&project)["star.fct_event"];
    let names = |table: &lake::Table| -> Vec<String> {
        table
            .files
            .iter()
            .map(|file| file.add.path.clone())
            .collect()
    };
    assert_eq!(names(&before), names(&after.part("order")));
    assert_eq!((before.rows(), after.part("refund").rows()), (5, 2));
    let all = rows(&project, "star.fct_event");
    project.json(&["run", "--full-refresh"], 0);
    assert_eq!(rows(&project, "star.fct_event"), all);
}

#[test]
fn a_day_that_loses_all_rows_of_a_part_loses_them() {
    let project = project();
    project.json(&["run"], 0);
    project.write(
        "refunds/1.csv",
        "id,at,order_id,amount\nr1,2026-03-04 09:00:00,o1,1.00\n",
    );
    project.json(&["run"], 0);
    let all = rows(&project, "star.fct_event");
    assert!(!all.contains("2026-03-02\",\"kind\":\"refund"), "{all}");
    assert_eq!(project.json(&["run"], 0)["built"], 0);
    project.json(&["run", "--full-refresh"], 0);
    assert_eq!(rows(&project, "star.fct_event"), all);
}

#[test]
fn rows_that_come_out_as_they_were_build_nothing_downstream() {
    let project = project();
    project.json(&["run"], 0);
    let files = paths(&project, "marts.mart_order_day");
    // Another amount: the count of the day's orders is what it was.
    project.write(
        "orders/2026-03-03.csv",
        "id,at,buyer,amount\no3,2026-03-03 10:00:00,0,33.50\n",
    );
    let ran = project.json(&["run"], 0);
    let became = outcomes(&ran);
    assert_eq!(became["int_purchase"], "built", "{ran}");
    assert_eq!(became["fct_event"], "built", "{ran}");
    assert_eq!(became["mart_order_day"], "up_to_date", "{ran}");
    assert_eq!(became["mart_order_week"], "up_to_date", "{ran}");
    assert_eq!(paths(&project, "marts.mart_order_day"), files);
    assert_eq!(project.json(&["run"], 0)["built"], 0);
}

#[test]
fn only_the_rows_of_dirty_keys_that_differ_are_exchanged() {
    let project = project();
    project.json(&["run"], 0);
    let first = paths(&project, "star.int_buyer");
    // A new buyer: the rows of the others stay where they lie.
    project.write(
        "orders/2026-03-06.csv",
        "id,at,buyer,amount\no6,2026-03-06 10:00:00,7,6.50\n",
    );
    project.json(&["run"], 0);
    let second = paths(&project, "star.int_buyer");
    assert!(
        first.is_subset(&second) && second.len() == first.len() + 1,
        "{second:?}"
    );
    // Another order of theirs changes the row that is there, and only its file.
    project.write(
        "orders/2026-03-07.csv",
        "id,at,buyer,amount\no7,2026-03-07 10:00:00,7,7.50\n",
    );
    project.json(&["run"], 0);
    let third = paths(&project, "star.int_buyer");
    assert!(
        first.is_subset(&third) && third.len() == second.len(),
        "{third:?}"
    );
    // An order changes hands: both buyers are dirty.
    project.write(
        "orders/2026-03-01.csv",
        "id,at,buyer,amount\no1,2026-03-01 10:00:00,7,1.50\n",
    );
    project.json(&["run"], 0);
    let found = rows(&project, "star.int_buyer");
    assert_eq!(found.matches("\"order_count\":3").count(), 3, "{found}");
    assert_eq!(project.json(&["run"], 0)["built"], 0);
    project.json(&["run", "--full-refresh"], 0);
    assert_eq!(rows(&project, "star.int_buyer"), found);
}

#[test]
fn a_part_that_is_not_there_is_told() {
    let project = project();
    project.write(
        "models/4_marts/mart_order_day.sql",
        ORDER_DAYS.replace("part='order'", "part='ordr'"),
    );
    let out = project.run(&["run"]);
    let told = String::from_utf8_lossy(&out.stderr).into_owned();
    assert_eq!(out.status.code(), Some(1), "{told}");
    assert!(told.contains("`fct_event` has no part `ordr`"), "{told}");
    assert!(told.contains("order"), "{told}");
}

#[test]
fn a_log_that_cannot_be_made_again_is_only_added_to() {
    let project = project();
    let log = "-- grain: one row per order that changed hands
{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false) }}
select old.order_id, old.buyer_key as old_buyer_key, new.buyer_key
from {{ previous('int_purchase') }} as old
inner join {{ ref('int_purchase').render() }} as new on old.order_id = new.order_id
where old.buyer_key <> new.buyer_key
";
    project.write("models/3_star/int_hand.sql", log);
    project.json(&["run"], 0);
    project.write(
        "orders/2026-03-01.csv",
        "id,at,buyer,amount\no1,2026-03-01 10:00:00,7,1.50\n",
    );
    project.json(&["run"], 0);
    let found = rows(&project, "star.int_hand");
    assert!(found.contains("\"buyer_key\":\"7\""), "{found}");
    project.json(&["run", "--full-refresh"], 0);
    assert_eq!(rows(&project, "star.int_hand"), found);
    project.write("models/3_star/int_hand.sql", log.replace("<>", "!="));
    project.json(&["run"], 0);
    assert_eq!(rows(&project, "star.int_hand"), found);
    // What it was built from is removed: nothing is known of what moved in between.
    project.json(&["run", "--full-refresh", "--select", "int_purchase"], 0);
    let upkeep = ["maintain", "--keep-days", "0", "--grace-hours", "0"];
    project.json(&upkeep, 0);
    project.json(&["run"], 0);
    assert_eq!(rows(&project, "star.int_hand"), found);
}
