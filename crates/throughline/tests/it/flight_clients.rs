//! The Flight SQL door with the clients that people use: ADBC and pyarrow in Python, and the JDBC
//! driver, over the demo company.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use serde_json::json;
use testkit::doors::Doors;
use testkit::{Project, plain, text};

use crate::demo_company::company;

const PASSWORD: &str = "drei blaue Kühe im Regen";
/// A role that makes tables, beside the built-in ones.
const ACCESS: &str = "
version: 1
roles:
  modeller:
    grants: [{schema: [star, marts]}]
    own_schemas: [dbt]
";

/// A copy of the demo company with its Flight SQL door open, on any free port.
struct Open {
    doors: Doors,
    /// The name of the run that left the tables as they are.
    run: String,
    project: Project,
}

impl Open {
    fn address(&self) -> String {
        self.doors.address("flight")
    }

    fn password(&self) -> String {
        plain(&self.doors.said()["first_admin"]["password"])
    }
}

fn open() -> Open {
    let project = company().copy(&[]);
    let run = plain(&project.json(&["run"], 0)["run_id"]);
    project.write("access.yml", ACCESS);
    let doors = Doors::open(&project, &["--http", "off", "--postgres", "off"]);
    Open {
        doors,
        run,
        project,
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

#[test]
fn adbc_and_pyarrow_read_the_demo_company() {
    let Some(python) = testkit::python() else {
        return;
    };
    let open = open();
    let project = &open.project;
    for (name, role) in [("ana", "analyst"), ("mona", "modeller")] {
        let add = project.command(&["user", "add", name, "--role", role]);
        let added = client(add, &format!("{PASSWORD}\n"));
        assert!(added.status.success(), "{}", text(&added));
    }
    let token = project.json(
        &["token", "create", "--role", "analyst", "--name", "bot"],
        0,
    );
    let value = |sql: &str| project.value(sql);
    let request = json!({
        "address": open.address(),
        "password": open.password(),
        "people": PASSWORD,
        "token": token["token"],
        "run": open.run,
        "orders": value("select count(*) from star.fct_order").parse::<u64>().unwrap(),
        "net": value("select sum(net_amount) from star.fct_order"),
    });
    let mut command = Command::new(python);
    command.arg(testkit::repository().join("tests/clients/flight_sql.py"));
    let out = client(command, &request.to_string());
    let told = text(&out);
    assert!(out.status.success() && told.contains("all agree"), "{told}");
}

#[test]
fn the_jdbc_driver_reads_the_demo_company() {
    let Some(driver) = testkit::flight_sql_jdbc() else {
        return;
    };
    let open = open();
    let mut command = Command::new("java");
    command
        .arg("--add-opens=java.base/java.nio=ALL-UNNAMED")
        .arg("-classpath")
        .arg(driver)
        .arg(testkit::repository().join("tests/clients/FlightSql.java"))
        .args([&open.address(), "admin", &open.password()]);
    let out = client(command, "");
    let told = text(&out);
    assert!(out.status.success(), "{told}");
    let orders = open.project.value("select count(*) from star.fct_order");
    for line in [
        "product: Throughline",
        "types: [TABLE, VIEW]",
        "tables: [fct_order, fct_order_line]",
        "columns: [order_id, order_key, order_number, ordered_at]",
        "keys: [order_key]",
        "columns of the query: n BIGINT t VARCHAR d DECIMAL day DATE b BOOLEAN at TIMESTAMP",
        &format!("row: {orders}|x|1.50|2026-01-31|true|2026-01-31T10:00:00Z"),
        "prepared: 1",
        "prepared: 1 3",
    ] {
        assert!(told.lines().any(|said| said == line), "{line}\n{told}");
    }
    for part in [
        "there is no table `no.table`",
        "is no schema of your own",
        "selec",
    ] {
        let is_part = |said: &str| said.starts_with("error: ") && said.contains(part);
        assert!(told.lines().any(is_part), "{part}\n{told}");
    }
    let failed: Vec<&str> = told
        .lines()
        .filter(|said| said.starts_with("failed: "))
        .collect();
    assert!(failed.is_empty(), "{failed:?}");
}
