//! The state database deleted: the lake knows everything that a build needs, and the runs that made
//! it what it is.

use testkit::text;

use crate::what_is_dirty::{project, table};

#[test]
fn without_its_state_a_project_builds_nothing_loses_nothing_and_knows_its_runs() {
    let project = project();
    project.json(&["run"], 0);
    let before = table(&project);
    let now = project.value("select cast(now() as text)");
    project.write(
        "orders/late.csv",
        "id,at,amount\n9,2026-03-02 23:00:00,100.00\n",
    );
    project.json(&["run"], 0);
    let after = table(&project);
    assert_ne!(before, after);

    let state = project.dir().join(".throughline");
    for entry in std::fs::read_dir(&state).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name() != "lake" && entry.path().is_dir() {
            std::fs::remove_dir_all(entry.path()).unwrap();
        } else if entry.path().is_file() {
            std::fs::remove_file(entry.path()).unwrap();
        }
    }
    let ran = project.json(&["run"], 0);
    assert_eq!(
        (&ran["built"], &ran["loaded_files"]),
        (&0.into(), &0.into())
    );
    assert_eq!(table(&project), after);
    // The first run is known again, with the versions at which it left the tables.
    let as_of = now.replace(' ', "T");
    let as_of = format!(
        "{}Z",
        as_of.trim_end_matches('Z').trim_end_matches("+00:00")
    );
    let sql = "select event_date, orders, amount from marts.mart_day order by event_date";
    let out = project.run(&["query", sql, "--format", "json", "--as-of", &as_of]);
    assert!(out.status.success(), "{}", text(&out));
    let rows: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(rows.to_string(), before);
}
