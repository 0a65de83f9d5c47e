//! The command line: exit statuses, formats, and errors that say what to do.

use testkit::{Project, text};

use crate::PROGRAM;

#[test]
fn exit_statuses_tell_usage_from_failure() {
    let project = Project::new(PROGRAM, "");
    assert_eq!(project.run(&["no-such-command"]).status.code(), Some(2));
    assert_eq!(
        project
            .run(&["--project", "/no/such/folder", "run"])
            .status
            .code(),
        Some(1)
    );
    assert_eq!(
        project.run(&["query", "select 1 as one"]).status.code(),
        Some(0)
    );
}

#[test]
fn a_missing_project_says_what_to_do() {
    let project = Project::new(PROGRAM, "");
    let out = project.run(&["--project", "/no/such/folder", "plan"]);
    assert!(text(&out).contains("throughline init"), "{}", text(&out));
}

#[test]
fn a_setting_that_is_not_one_is_shown_where_it_stands() {
    let project = Project::new(PROGRAM, "");
    let path = project.dir().join("throughline.yml");
    let config = std::fs::read_to_string(&path)
        .unwrap()
        .replace("week_start", "weekstart");
    std::fs::write(path, config).unwrap();
    let out = project.run(&["plan"]);
    assert_eq!(out.status.code(), Some(1));
    let said = text(&out);
    assert!(
        said.contains("weekstart") && said.contains("throughline.yml:"),
        "{said}"
    );
}

#[test]
fn an_unknown_source_in_a_model_is_shown_with_a_caret() {
    let project = Project::new(PROGRAM, "");
    let sql = "-- grain: x\nselect * from {{ ref('fct_ordr') }}\n";
    project.write("models/4_marts/mart_x.sql", sql);
    let said = text(&project.run(&["run"]));
    assert!(
        said.contains("mart_x.sql:2") && said.contains('^'),
        "{said}"
    );
    assert!(
        said.contains("fct_order"),
        "the nearest name is offered: {said}"
    );
}

#[test]
fn results_come_as_csv_with_a_header_json_and_table() {
    let project = Project::new(PROGRAM, "");
    let sql = "select 1 as a, 'x,y' as b, cast(null as text) as c";
    let csv = project.run(&["query", sql, "--format", "csv"]);
    assert_eq!(String::from_utf8_lossy(&csv.stdout), "a,b,c\n1,\"x,y\",\n");
    let empty = project.run(&["query", "select 1 as a where false", "--format", "csv"]);
    assert_eq!(String::from_utf8_lossy(&empty.stdout), "a\n");
    let rows = project.rows(sql);
    assert_eq!(rows[0]["b"], "x,y");
    assert!(rows[0]["c"].is_null());
    let big = project.rows("select arrow_cast(9007199254740993, 'Int64') as customer_key");
    assert_eq!(big[0]["customer_key"], "9007199254740993");
    let long = project.run(&[
        "query",
        "select repeat('x', 70000) as a, 1 as b union select 'y', 2",
    ]);
    let long = String::from_utf8_lossy(&long.stdout);
    assert_eq!(long.lines().count(), 4);
    assert!(long.lines().any(|line| line.len() > 70_000));
    assert!(long.lines().all(|line| line.chars().count() < 70_010));
}

#[test]
fn a_query_can_only_read() {
    let project = Project::new(PROGRAM, "");
    for sql in [
        "create table t as select 1",
        "copy (select 1) to '/tmp/x.csv'",
        "set a = 1",
    ] {
        assert_eq!(project.run(&["query", sql]).status.code(), Some(1), "{sql}");
    }
}

#[test]
fn doctor_finds_a_missing_key() {
    let project = Project::new(PROGRAM, "");
    assert_eq!(project.json(&["doctor"], 0)["problems"], 0);
    std::fs::remove_file(project.dir().join("throughline.key")).unwrap();
    assert_eq!(project.json(&["doctor"], 1)["problems"], 1);
}

#[test]
fn a_misspelt_setting_of_files_is_not_ignored() {
    let settings = "sources: {shop: {streams: {orders: {path: x.csv, delimeter: ';'}}}}";
    let project = Project::new(PROGRAM, settings);
    let said = text(&project.run(&["plan"]));
    assert!(
        said.contains("`delimeter`") && said.contains("`delimiter`"),
        "{said}"
    );
}
