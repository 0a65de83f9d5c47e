//! `maintain` merges files and removes those that nobody can read; figures and runs do not notice.

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
{{ config(materialized='incremental', event_time='event_date', bloom='orders') }}
select event_date, count(*) as orders, sum(gross_amount) as amount
from {{ entity('order') }}
group by event_date
";

fn table(project: &Project) -> String {
    let rows =
        project.rows("select event_date, orders, amount from marts.mart_day order by event_date");
    serde_json::to_string(&rows).unwrap()
}

fn files(project: &Project, table: &str) -> usize {
    let folder = project.dir().join(".throughline/lake").join(table);
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .filter(|path| path.extension().is_some_and(|kind| kind == "parquet"))
        .count()
}

#[test]
fn files_are_merged_and_removed_and_nobody_notices() {
    let project = Project::new(PROGRAM, SETTINGS);
    project.write("models/1_silver/stg_shop__orders.sql", ORDERS);
    project.write("models/4_marts/mart_day.sql", DAYS);
    let mut runs = Vec::new();
    for day in 1..=5 {
        let rows = format!("id,at,amount\n{day},2026-03-0{day} 10:00:00,{day}.50\n");
        project.write(&format!("orders/2026-03-0{day}.csv"), rows);
        let ran = project.json(&["run"], 0);
        runs.push(ran["run_id"].as_str().unwrap().to_owned());
    }
    let before = table(&project);
    assert_eq!(files(&project, "raw/shop__rows"), 5);

    let planned = project.json(&["maintain", "--dry-run", "--keep-days", "0"], 0);
    assert_eq!(planned["dry_run"], true, "{planned}");
    assert_eq!(files(&project, "raw/shop__rows"), 5);
    let done = project.json(&["maintain"], 0);
    let raw = done["tables"].as_array().unwrap().iter();
    let raw = raw
        .clone()
        .find(|table| table["table"] == "raw.shop__rows")
        .unwrap();
    assert_eq!(
        (
            &raw["files_merged"],
            &raw["files_written"],
            &raw["files_removed"]
        ),
        (&5.into(), &1.into(), &0.into()),
        "{raw}"
    );
    assert_eq!(table(&project), before);
    let planned = project.json(&["plan"], 0);
    assert_eq!(planned["build"].as_array().unwrap().len(), 0, "{planned}");
    let ran = project.json(&["run"], 0);
    assert_eq!(
        (&ran["built"], &ran["loaded_files"]),
        (&0.into(), &0.into())
    );

    // What was the state after the second run is there as long as it is kept, and then says so.
    let id = &runs[2];
    let at = format!(
        "{}-{}-{}T{}:{}:{}Z",
        &id[..4],
        &id[4..6],
        &id[6..8],
        &id[9..11],
        &id[11..13],
        &id[13..15]
    );
    let sql = "select count(*) as days from marts.mart_day";
    let second = project.json(&["query", sql, "--as-of", &at], 0);
    let days = second[0]["days"].as_i64().unwrap();
    assert!((1..=2).contains(&days), "{second}");
    project.json(&["maintain", "--keep-days", "0", "--grace-hours", "0"], 0);
    let out = project.run(&["query", sql, "--as-of", &at]);
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert_eq!(out.status.code(), Some(1), "{said}");
    assert!(
        said.contains("has expired: its files are removed"),
        "{said}"
    );

    // One more day, an older one replaced, and all of it built again: the same figures.
    assert_eq!(table(&project), before);
    project.write(
        "orders/2026-03-06.csv",
        "id,at,amount\n6,2026-03-06 10:00:00,6.50\n",
    );
    project.write(
        "orders/2026-03-02.csv",
        "id,at,amount\n2,2026-03-02 11:00:00,7.50\n",
    );
    project.json(&["run"], 0);
    let after = table(&project);
    assert!(after.contains("2026-03-06") && after != before, "{after}");
    project.json(&["run", "--full-refresh"], 0);
    assert_eq!(table(&project), after);
    let again = project.json(&["maintain", "--keep-days", "0"], 0);
    let merged = again["tables"].as_array().unwrap().iter();
    let merged: u64 = merged
        .map(|table| table["files_merged"].as_u64().unwrap())
        .sum();
    let last = project.json(&["maintain", "--keep-days", "0"], 0);
    let nothing = last["tables"].as_array().unwrap().iter();
    assert!(
        merged > 0 && nothing.clone().all(|table| table["files_merged"] == 0),
        "{last}"
    );
}
