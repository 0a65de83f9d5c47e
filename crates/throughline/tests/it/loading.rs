//! Files come in exactly once, whatever they look like.

use testkit::{Project, plain};

use crate::PROGRAM;

const SOURCE: &str = "
sources:
  calls:
    path: calls/*
    files: {null_words: ['NULL'], effective_at: {file: '{date}'}}
";

const MODEL: &str = "-- grain: one row per call
{{ config(entity='activity') }}
select _raw_id, id as activity_id, at as activity_at, 'call' as activity_type, topic as subject
from {{ source('calls', 'rows') }}
";

fn project() -> Project {
    let project = Project::new(PROGRAM, SOURCE);
    project.write("models/1_silver/stg_calls__calls.sql", MODEL);
    project
}

fn calls(project: &Project) -> Vec<String> {
    let rows = project.rows("select activity_id, subject from silver.activity order by 1");
    let text = |row: &serde_json::Value| {
        format!("{}={}", plain(&row["activity_id"]), plain(&row["subject"]))
    };
    rows.iter().map(text).collect()
}

#[test]
fn a_new_file_and_a_replaced_file_are_each_loaded_once() {
    let project = project();
    project.write(
        "calls/2026-01-01.csv",
        "id,at,topic\n1,2026-01-01 10:00:00,a\n2,2026-01-01 11:00:00,NULL\n",
    );
    project.json(&["run"], 0);
    assert_eq!(calls(&project), ["calls:1=a", "calls:2="]);

    project.write(
        "calls/2026-01-02.csv",
        "id,at,topic\n3,2026-01-02 10:00:00,c\n",
    );
    let ran = project.json(&["run"], 0);
    assert_eq!(ran["loaded_files"], 1);
    assert_eq!(calls(&project), ["calls:1=a", "calls:2=", "calls:3=c"]);

    // The provider sends the first day again: one call is gone, one is new.
    project.write(
        "calls/2026-01-01.csv",
        "id,at,topic\n1,2026-01-01 10:00:00,b\n4,2026-01-01 12:00:00,d\n",
    );
    let ran = project.json(&["run"], 0);
    assert_eq!(ran["loads"][0]["files_replaced"], 1);
    assert_eq!(calls(&project), ["calls:1=b", "calls:3=c", "calls:4=d"]);
    assert_eq!(ran["balances"][0]["superseded"], 2);

    // And then as it was at first.
    project.write(
        "calls/2026-01-01.csv",
        "id,at,topic\n1,2026-01-01 10:00:00,a\n2,2026-01-01 11:00:00,NULL\n",
    );
    project.json(&["run"], 0);
    assert_eq!(calls(&project), ["calls:1=a", "calls:2=", "calls:3=c"]);
    assert_eq!(project.json(&["run"], 0)["built"], 0);
}

#[test]
fn columns_come_go_and_are_renamed_and_stop_nothing() {
    let project = project();
    project.write(
        "calls/2026-01-01.csv",
        "id,at,topic\n1,2026-01-01 10:00:00,a\n",
    );
    project.write(
        "calls/2026-01-02.csv",
        "id;at;topic;Agent Name\n2;2026-01-02 10:00:00;b;Kim\n",
    );
    project.write("calls/2026-01-03.csv", "at,id\n2026-01-03 10:00:00,3\n");
    project.write(
        "calls/2026-01-04.csv",
        "ID,At,Subject line\n4,2026-01-04 10:00:00,d\n",
    );
    let ran = project.json(&["run"], 0);
    assert_eq!(ran["loaded_files"], 4);
    assert_eq!(
        calls(&project),
        ["calls:1=a", "calls:2=b", "calls:3=", "calls:4="]
    );
    let columns =
        project.rows("select \"Agent_Name\", \"Subject_line\" from raw.calls__rows order by _file");
    assert_eq!(plain(&columns[1]["Agent_Name"]), "Kim");
    assert_eq!(plain(&columns[3]["Subject_line"]), "d");
}

#[test]
fn what_breaks_the_contract_is_in_quarantine_with_its_reason() {
    let project = project();
    project.write(
        "calls/2026-01-01.csv",
        "id,at,topic\n1,2026-01-01 10:00:00,a\n,2026-01-01 10:00:00,no id\n3,yesterday,b\n1,2026-01-01 10:00:00,a\n",
    );
    let ran = project.json(&["run"], 0);
    let balance = &ran["balances"][0];
    assert_eq!(
        (
            &balance["raw"],
            &balance["silver"],
            &balance["quarantine"],
            &balance["duplicates"]
        ),
        (&4.into(), &1.into(), &2.into(), &1.into())
    );
    let rows = project.rows(
        "select rule, reason, row_number, payload from quarantine.stg_calls__calls order by row_number",
    );
    assert_eq!(rows[0]["rule"], "required:activity_id");
    assert_eq!(rows[1]["rule"], "type:activity_at");
    assert!(rows[1]["payload"].as_str().unwrap().contains("yesterday"));
    assert_eq!(rows[1]["row_number"], 3);
}

#[test]
fn a_file_that_cannot_be_read_stops_only_itself() {
    let project = project();
    project.write(
        "calls/2026-01-01.csv",
        "id,at,topic\n1,2026-01-01 10:00:00,a\n",
    );
    let mut cut = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    cut.extend([1, 2, 3]);
    project.write("calls/2026-01-02.csv.gz", cut);
    let ran = project.json(&["run"], 1);
    assert_eq!(ran["loaded_files"], 1);
    let error = ran["loads"][0]["errors"][0].as_str().unwrap();
    assert!(error.contains("2026-01-02.csv.gz"), "{error}");
    assert_eq!(calls(&project), ["calls:1=a"]);
}

#[test]
fn a_project_folder_can_be_copied() {
    let project = project();
    project.write(
        "calls/2026-01-01.csv",
        "id,at,topic\n1,2026-01-01 10:00:00,a\n",
    );
    project.json(&["run"], 0);
    let copy = project.path("copy");
    testkit::copy_folder(&project.dir(), &copy);
    std::fs::remove_dir_all(project.dir()).unwrap();
    std::fs::rename(copy, project.path("moved")).unwrap();
    let moved = project.path("moved").display().to_string();
    let ran = project.json(&["--project", &moved, "run"], 0);
    assert_eq!(
        (&ran["built"], &ran["loaded_files"]),
        (&0.into(), &0.into())
    );
}
