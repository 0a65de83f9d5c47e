//! Other engines read the tables as they lie: rows, smallest and largest values and sums of every
//! table of the star and the marts are those that Throughline itself gives.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use testkit::{Project, plain};

/// The zones whose tables are for everybody.
const ZONES: [&str; 2] = ["star", "marts"];

/// What the readers know of a column.
fn kind(data_type: &str) -> &'static str {
    match data_type {
        "Int64" => "int",
        "Date32" => "date",
        kind if kind.starts_with("Decimal128") => "decimal",
        _ => "other",
    }
}

/// Every table with its columns and what Throughline says of it, as the script wants it.
fn tables(project: &Project) -> BTreeMap<String, Value> {
    let ran = project.json(&["run"], 0);
    let kept: Vec<&String> = ran["versions"].as_object().unwrap().keys().collect();
    let rows = project.rows(
        "select table_schema, table_name, column_name, data_type \
         from information_schema.columns order by table_schema, table_name, ordinal_position",
    );
    let mut columns: BTreeMap<String, Vec<(String, &str)>> = BTreeMap::new();
    for row in &rows {
        let (zone, table) = (plain(&row["table_schema"]), plain(&row["table_name"]));
        let name = format!("{zone}.{table}");
        if ZONES.contains(&zone.as_str()) && kept.contains(&&name) {
            let about = (plain(&row["column_name"]), kind(&plain(&row["data_type"])));
            columns.entry(name).or_default().push(about);
        }
    }
    let asked: Vec<String> = columns
        .iter()
        .map(|(table, columns)| {
            format!(
                "select '{table}' as t, {} as said from {table}",
                said(columns)
            )
        })
        .collect();
    let rows = project.rows(&asked.join(" union all "));
    let answers = rows.iter().map(|row| {
        let table = plain(&row["t"]);
        let answer: Vec<String> = plain(&row["said"]).split('|').map(str::to_owned).collect();
        let about = json!({"columns": columns[&table], "answer": answer});
        (table, about)
    });
    answers.collect()
}

/// What is asked of a table, as one text.
fn said(columns: &[(String, &str)]) -> String {
    let mut parts = vec!["count(*)".to_owned()];
    for (name, kind) in columns {
        parts.push(format!("count(\"{name}\")"));
        match *kind {
            "int" | "date" => {
                parts.push(format!("min(\"{name}\")"));
                parts.push(format!("max(\"{name}\")"));
            }
            "decimal" => parts.push(format!("sum(\"{name}\")")),
            _ => {}
        }
    }
    let texts: Vec<String> = parts
        .iter()
        .map(|part| format!("coalesce(cast({part} as text), '')"))
        .collect();
    texts.join(" || '|' || ")
}

/// Lets the engines read; each must agree on every table.
fn read(python: &Path, jars: Option<&Path>, request: &Value) {
    let script = testkit::repository().join("tests/readers/read_tables.py");
    let mut child = Command::new(python)
        .arg(script)
        .envs(jars.map(|jars| ("DELTA_SPARK_JARS", jars)))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(request.to_string().as_bytes()).unwrap();
    drop(stdin);
    let out = child.wait_with_output().unwrap();
    eprintln!("{}", testkit::text(&out));
    assert!(out.status.success(), "{}", testkit::text(&out));
    let count = request["tables"].as_object().unwrap().len();
    assert!(count > 20, "{count} tables");
    for engine in request["engines"].as_array().unwrap() {
        let line = format!("{count} of {count} tables agree");
        let told = testkit::text(&out);
        let mut lines = told.lines();
        let agrees = lines.any(|said| said.starts_with(&plain(engine)) && said.ends_with(&line));
        assert!(agrees, "{engine}:\n{told}");
    }
}

#[test]
fn deltalake_polars_duckdb_and_chdb_read_every_table_as_it_lies() {
    let Some(python) = testkit::python() else {
        return;
    };
    let project = &*crate::kill::COMPANY;
    let request = json!({
        "lake": project.dir().join(".throughline/lake"),
        "engines": ["deltalake", "polars", "duckdb", "chdb"],
        "tables": tables(project),
    });
    read(&python, None, &request);
}

#[test]
fn deltalake_and_duckdb_read_every_table_in_a_bucket() {
    let (Some(python), Some(company)) = (testkit::python(), crate::lake_on_s3::COMPANY.as_ref())
    else {
        return;
    };
    let request = json!({
        "lake": format!("s3://lake/{}", crate::lake_on_s3::PREFIX),
        "engines": ["deltalake", "duckdb"],
        "s3": {
            "endpoint": company.server.url(),
            "key": "somebody",
            "secret": "anything",
            "region": "us-east-1",
        },
        "tables": tables(&company.project),
    });
    read(&python, None, &request);
}

#[test]
fn delta_spark_reads_every_table_as_it_lies() {
    let Some((python, jars)) = testkit::spark() else {
        return;
    };
    let project = &*crate::kill::COMPANY;
    let request = json!({
        "lake": project.dir().join(".throughline/lake"),
        "engines": ["spark"],
        "tables": tables(project),
    });
    read(&python, Some(&jars), &request);
}
