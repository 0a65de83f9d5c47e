//! The Postgres door with the clients that people use: psql, psycopg, SQLAlchemy, ODBC and JDBC,
//! over the demo company.

use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde::Deserialize as _;
use serde_json::{Value, json};
use testkit::{Project, plain, text};

use crate::demo_company::company;

/// Where Debian puts the JDBC driver.
const JDBC: &str = "/usr/share/java/postgresql.jar";

/// The program with its Postgres door open, which ends with the test.
struct Open {
    child: Child,
    address: String,
    token: String,
    project: Project,
}

impl Drop for Open {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn open() -> Open {
    let project = company().copy(&[]);
    project.json(&["run"], 0);
    let token = ["token", "create", "--role", "analyst", "--name", "bot"];
    let token = plain(&project.json(&token, 0)["token"]);
    let doors = [
        "--json",
        "serve",
        "--http",
        "off",
        "--flight",
        "off",
        "--postgres",
        "127.0.0.1:0",
    ];
    let mut child = project
        .command(&doors)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdout = serde_json::Deserializer::from_reader(child.stdout.take().unwrap());
    let said = Value::deserialize(&mut stdout).unwrap();
    Open {
        child,
        address: plain(&said["postgres"]),
        token,
        project,
    }
}

impl Open {
    fn count(&self) -> String {
        self.project.value("select count(*) from star.fct_order")
    }

    fn psql(&self, options: &str, commands: &str) -> Output {
        let (host, port) = self.address.rsplit_once(':').unwrap();
        let about = format!("host={host} port={port} dbname=throughline user=token {options}");
        let mut command = Command::new("psql");
        command
            .args([
                "--no-psqlrc",
                "--no-align",
                "--tuples-only",
                "--variable=ON_ERROR_STOP=1",
            ])
            .arg(about)
            .env("PGPASSWORD", &self.token);
        client(command, commands)
    }
}

/// Runs a client with something on its standard input.
fn client(mut command: Command, input: &str) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    drop(stdin);
    child.wait_with_output().unwrap()
}

fn is_there(program: &str) -> bool {
    let found = Command::new(program).arg("--version").output();
    let is_there = found.is_ok_and(|out| out.status.success());
    if !is_there {
        testkit::skip(&format!("{program} is not installed"));
    }
    is_there
}

#[test]
fn psql_describes_and_reads_the_demo_company() {
    if !is_there("psql") {
        return;
    }
    let open = open();
    let out = open.psql(
        "",
        "\\l\n\\dn\n\\dt\n\\dt star.*\n\\dv *.*\n\\d fct_order\n\\d+ star.fct_order\n\\df\n\\du\n\\di\n\
         \\dT\n\\dp\n\\dx\n\\sf\n\\conninfo\n\
         select count(*), 'orders' from star.fct_order;\n",
    );
    let told = text(&out);
    // `\sf` without a name is psql's own error; nothing else may be one.
    let errors: Vec<&str> = told
        .lines()
        .filter(|line| line.contains("ERROR") || line.contains("FATAL"))
        .collect();
    assert!(errors.is_empty(), "{errors:?}");
    for part in ["net_amount|numeric(", "star|fct_order|table|throughline"] {
        assert!(told.contains(part), "{part}\n{told}");
    }
    let out = open.psql("", "select count(*), 'orders' from star.fct_order;\n");
    assert!(text(&out).contains(&format!("{}|orders", open.count())));
    let out = open.psql(
        "",
        "\\copy (select order_key from fct_order limit 3) to stdout csv header\n",
    );
    let lines = text(&out);
    let lines = lines.lines().filter(|line| !line.is_empty());
    assert_eq!(lines.count(), 4, "{}", text(&out));
    let out = open.psql(
        "options='-c throughline.as_of=2001-01-01'",
        "select count(*) from fct_order;\n",
    );
    assert!(
        !out.status.success() || text(&out).trim() == "0",
        "{}",
        text(&out)
    );
}

#[test]
fn python_reads_the_demo_company() {
    let Some(python) = testkit::python() else {
        return;
    };
    let open = open();
    let request = json!({
        "address": open.address,
        "token": open.token,
        "orders": open.count().parse::<u64>().unwrap(),
        "net": open.project.value("select sum(net_amount) from star.fct_order"),
    });
    let mut command = Command::new(python);
    command.arg(testkit::repository().join("tests/clients/sql.py"));
    let out = client(command, &request.to_string());
    let told = text(&out);
    assert!(out.status.success() && told.contains("all agree"), "{told}");
}

#[test]
fn the_jdbc_driver_reads_the_demo_company() {
    if !Path::new(JDBC).exists() || Command::new("java").arg("-version").output().is_err() {
        eprintln!("skipped: java or {JDBC} is not installed");
        return;
    }
    let open = open();
    let mut command = Command::new("java");
    command
        .args(["-classpath", JDBC])
        .arg(testkit::repository().join("tests/clients/Sql.java"))
        .args([open.address.as_str(), "token", &open.token]);
    let out = client(command, "");
    let told = text(&out);
    assert!(out.status.success(), "{told}");
    let count = open.count();
    for line in [
        "schema star: true",
        "tables: [fct_order, fct_order_line]",
        "columns: true",
        "keys: []",
        "imported: []",
        "indexes: []",
        "types: true",
        "functions: []",
        &format!("orders: {count}"),
        &format!("in parts: {count}"),
        "error: 42P01",
    ] {
        assert!(told.lines().any(|said| said == line), "{line}\n{told}");
    }
}
