//! A run builds what is dirty and nothing else, and `plan` says so before.

use testkit::Project;

use crate::PROGRAM;

const SETTINGS: &str = "
sources:
  shop:
    path: orders/*.csv
";

const ORDERS: &str = "-- grain: one row per order
{{ config(entity='order') }}
select _raw_id, id as order_id, at as ordered_at, amount as gross_amount, 'EUR' as currency_code
from {{ source('shop', 'rows') }}
";

const DAYS: &str = "-- grain: one row per day
{{ config(materialized='incremental', event_time='event_date') }}
select event_date, count(*) as orders, sum(gross_amount) as amount
from {{ entity('order') }}
group by event_date
";

pub(crate) fn project() -> Project {
    let project = Project::new(PROGRAM, SETTINGS);
    project.write("models/1_silver/stg_shop__orders.sql", ORDERS);
    project.write("models/4_marts/mart_day.sql", DAYS);
    for day in 1..=5 {
        let rows = format!("id,at,amount\n{day},2026-03-0{day} 10:00:00,{day}.50\n");
        project.write(&format!("orders/2026-03-0{day}.csv"), rows);
    }
    project
}

pub(crate) fn table(project: &Project) -> String {
    let rows =
        project.rows("select event_date, orders, amount from marts.mart_day order by event_date");
    serde_json::to_string(&rows).unwrap()
}

#[test]
fn a_second_run_builds_nothing() {
    let project = project();
    assert!(project.json(&["run"], 0)["built"].as_u64().unwrap() > 0);
    let planned = project.json(&["plan"], 0);
    assert_eq!(planned["build"].as_array().unwrap().len(), 0, "{planned}");
    let ran = project.json(&["run"], 0);
    assert_eq!(
        (&ran["built"], &ran["loaded_files"]),
        (&0.into(), &0.into())
    );
}

#[test]
fn one_late_order_rebuilds_its_day_and_equals_a_rebuild() {
    let project = project();
    project.json(&["run"], 0);
    project.write(
        "orders/late.csv",
        "id,at,amount\n9,2026-03-02 23:00:00,100.00\n",
    );
    let planned = project.json(&["plan"], 0);
    let builds = planned["build"].as_array().unwrap();
    assert!(
        builds.iter().any(|build| build["model"] == "mart_day"),
        "{planned}"
    );
    let ran = project.json(&["run"], 0);
    let day = ran["models"]
        .as_array()
        .unwrap()
        .iter()
        .find(|m| m["model"] == "mart_day")
        .unwrap();
    assert_eq!(
        (&day["outcome"], &day["days"]),
        (&"built".into(), &1.into())
    );
    assert!(table(&project).contains("102.5"), "{}", table(&project));
    let after_one_day = table(&project);
    project.json(&["run", "--full-refresh"], 0);
    assert_eq!(table(&project), after_one_day);
}

#[test]
fn a_day_that_loses_its_only_row_is_gone_downstream() {
    let project = project();
    project.json(&["run"], 0);
    project.write(
        "orders/2026-03-03.csv",
        "id,at,amount\n3,2026-03-04 09:00:00,3.50\n",
    );
    project.json(&["run"], 0);
    assert!(
        !table(&project).contains("2026-03-03"),
        "{}",
        table(&project)
    );
    let after = table(&project);
    project.json(&["run", "--full-refresh"], 0);
    assert_eq!(table(&project), after);
}

#[test]
fn formatting_builds_nothing_and_a_change_of_sql_builds_downstream() {
    let project = project();
    project.json(&["run"], 0);
    project.write(
        "models/4_marts/mart_day.sql",
        DAYS.replace("group by", "\n  -- by day\n  group by"),
    );
    assert_eq!(project.json(&["run"], 0)["built"], 0);
    project.write(
        "models/4_marts/mart_day.sql",
        DAYS.replace("sum(gross_amount)", "max(gross_amount)"),
    );
    assert_eq!(project.json(&["run"], 0)["built"], 1);
}

#[test]
fn a_failing_check_keeps_the_table_as_it_was() {
    let project = project();
    project.write(
        "models/4_marts/mart_day.yml",
        "models:\n  - name: mart_day\n    columns:\n      - name: orders\n        tests:\n          - accepted_values: {values: [1], quote: false}\n",
    );
    project.json(&["run"], 0);
    let before = table(&project);
    project.write(
        "orders/late.csv",
        "id,at,amount\n9,2026-03-02 23:00:00,100.00\n",
    );
    let ran = project.json(&["run"], 3);
    let day = ran["models"]
        .as_array()
        .unwrap()
        .iter()
        .find(|m| m["model"] == "mart_day")
        .unwrap();
    assert_eq!(day["outcome"], "blocked");
    assert_eq!(table(&project), before);
}

#[test]
fn a_view_between_two_selected_models_shows_what_the_run_has_built() {
    let project = project();
    project.write(
        "models/4_marts/mart_shown.sql",
        "-- grain: one row per day\n{{ config(materialized='view') }}\n\
         select * from {{ ref('mart_day') }}\n",
    );
    project.write(
        "models/4_marts/mart_total.sql",
        "-- grain: one row\n{{ config(materialized='table') }}\n\
         select sum(orders) as orders from {{ ref('mart_shown') }}\n",
    );
    let total = || project.rows("select orders from marts.mart_total")[0]["orders"].clone();
    project.json(&["run"], 0);
    assert_eq!(total(), 5);
    project.write(
        "orders/late.csv",
        "id,at,amount\n9,2026-03-02 23:00:00,100.00\n",
    );
    let selected = ["stg_shop__orders", "mart_day", "mart_total"];
    let ran = project.json(&[&["run", "--select"], &selected[..]].concat(), 0);
    assert_eq!(total(), 6, "{ran}");
    let models = ran["models"].as_array().unwrap();
    assert_eq!(
        models.len(),
        selected.len(),
        "only what was selected is told: {ran}"
    );
    // It read what its mark says: the next run has nothing to make up for.
    let ran = project.json(&["run"], 0);
    let models = ran["models"].as_array().unwrap();
    let is_total = |model: &&serde_json::Value| model["model"] == "mart_total";
    let total = models.iter().find(is_total).unwrap();
    assert_eq!(total["outcome"], "up_to_date", "{total}");
}
