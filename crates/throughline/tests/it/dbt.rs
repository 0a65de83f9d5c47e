//! dbt builds, tests and documents a small project on top of the demo company, in a schema of its
//! own behind the Postgres door; a backup takes it along.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use testkit::{Project, repository, text};

use crate::demo_company::company;

/// Who dbt is.
const ROLES: &str = "version: 1
roles:
  modeller:
    description: Makes tables in the schema dbt.
    grants: [{schema: [star, marts]}]
    deny: [{tag: pii}, {tag: unchecked}]
    own_schemas: [dbt]
  reader:
    grants: [{schema: dbt}]
";

/// `throughline serve`, until it is dropped.
struct Serving {
    child: Child,
    address: String,
}

impl Serving {
    fn of(project: &Project) -> Self {
        let doors = [
            "--http",
            "off",
            "--flight",
            "off",
            "--postgres",
            "127.0.0.1:0",
        ];
        let mut command = project.command(&[&["serve", "--json"], &doors[..]].concat());
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("serving");
        let mut line = String::new();
        let out = child.stdout.take().expect("its output");
        BufReader::new(out).read_line(&mut line).expect("a line");
        let said: Value = serde_json::from_str(&line).expect("JSON");
        let address = said["postgres"].as_str().expect("an address").to_owned();
        Self { child, address }
    }

    fn port(&self) -> &str {
        self.address.rsplit(':').next().expect("a port")
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn token(project: &Project, name: &str, role: &str) -> String {
    let arguments = ["token", "create", "--name", name, "--role", role];
    let made = project.json(&arguments, 0);
    made["token"].as_str().expect("a token").to_owned()
}

/// One run of dbt.
struct Dbt<'a> {
    program: PathBuf,
    folder: &'a Path,
    port: &'a str,
    token: &'a str,
}

impl Dbt<'_> {
    /// Runs a command; gives what it says of each node, by name.
    fn run(&self, arguments: &[&str]) -> Vec<(String, String)> {
        let out = Command::new(&self.program)
            .args(arguments)
            .args(["--project-dir", ".", "--profiles-dir", "."])
            .current_dir(self.folder)
            .env("THROUGHLINE_PORT", self.port)
            .env("THROUGHLINE_TOKEN", self.token)
            .env("DBT_SEND_ANONYMOUS_USAGE_STATS", "false")
            .output()
            .expect("dbt");
        assert!(out.status.success(), "{arguments:?}: {}", text(&out));
        let results = self.json("run_results.json");
        let results = results["results"].as_array().expect("results").clone();
        let one = |result: &Value| {
            let name = result["unique_id"].as_str().unwrap_or_default();
            let status = result["status"].as_str().unwrap_or_default();
            (name.to_owned(), status.to_owned())
        };
        results.iter().map(one).collect()
    }

    fn json(&self, name: &str) -> Value {
        let path = self.folder.join("target").join(name);
        let text = std::fs::read_to_string(path).expect("a file of dbt");
        serde_json::from_str(&text).expect("JSON")
    }
}

/// One value, asked by psycopg.
fn value(program: &Path, serving: &Serving, token: &str, sql: &str) -> String {
    const ASK: &str = "
import sys, psycopg2
port, token, sql = sys.argv[1:]
c = psycopg2.connect(host='127.0.0.1', port=port, user='token', password=token,
                     dbname='throughline')
c.autocommit = True
q = c.cursor()
try:
    q.execute(sql)
    print(q.fetchone()[0] if q.description else q.statusmessage)
except psycopg2.Error as error:
    print(error.pgcode)
";
    let python = program.with_file_name("python");
    let out = Command::new(python)
        .args(["-c", ASK, serving.port(), token, sql])
        .output()
        .expect("python");
    assert!(out.status.success(), "{sql}: {}", text(&out));
    String::from_utf8(out.stdout)
        .expect("text")
        .trim()
        .to_owned()
}

fn is_well(results: &[(String, String)]) {
    let wrong: Vec<_> = results
        .iter()
        .filter(|(_, status)| status != "success" && status != "pass")
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn dbt_builds_tests_and_documents_itself() {
    let Some(program) = testkit::dbt() else {
        return;
    };
    let project = company().copy(&[]);
    project.write("access.yml", ROLES);
    let folder = project.folder().join("dbt");
    testkit::copy_folder(&repository().join("tests/dbt/project"), &folder);
    let serving = Serving::of(&project);
    let own = token(&project, "dbt", "modeller");
    let reader = token(&project, "tableau", "reader");
    let dbt = Dbt {
        program: program.clone(),
        folder: &folder,
        port: serving.port(),
        token: &own,
    };
    // First into an empty schema, then over what is there, then all anew.
    let doubled: &[&str] = &["build", "--vars", "{factor: 2}"];
    for arguments in [&["build"][..], doubled, &["build", "--full-refresh"]] {
        let results = dbt.run(arguments);
        assert_eq!(results.len(), 16, "{results:?}");
        is_well(&results);
    }
    let ask = |token: &str, sql: &str| value(&program, &serving, token, sql);
    let orders = project.value("select count(*) from star.fct_order where not is_test");
    assert_eq!(ask(&own, "select count(*) from dbt.stg_order"), orders);
    assert_eq!(ask(&reader, "select count(*) from dbt.order_seen"), orders);
    assert_eq!(
        ask(&reader, "select sum(orders) from dbt.revenue_day"),
        orders
    );
    let left = "select count(*) from information_schema.tables where table_schema = 'dbt'";
    assert_eq!(ask(&own, left), "6", "nothing is left over");
    // The snapshot has what each order was before and after, and after that.
    let states = "select count(*) from dbt.order_state where dbt_valid_to is not null";
    let changed = project.value(
        "select count(*) from star.fct_order where not is_test and net_reporting_amount <> 0",
    );
    let twice = 2 * changed.parse::<i64>().expect("a number");
    assert_eq!(ask(&own, states), twice.to_string());
    is_well(&dbt.run(&["docs", "generate"]));
    let catalog = dbt.json("catalog.json");
    let stg_order = &catalog["nodes"]["model.company.stg_order"];
    assert_eq!(stg_order["metadata"]["type"], "VIEW", "{catalog}");
    assert!(stg_order["columns"]["order_id"].is_object(), "{catalog}");
    let said = &stg_order["columns"]["order_id"]["comment"];
    assert_eq!(said, "The shop's number of the order.", "{catalog}");
    let sources = &catalog["sources"]["source.company.star.fct_order"];
    assert!(
        sources["columns"]
            .as_object()
            .is_some_and(|all| all.len() > 10)
    );
    // The reader reads and no more, and nobody makes anything elsewhere.
    for (token, sql) in [
        (&reader, "drop table dbt.revenue_day"),
        (&reader, "create table dbt.x as select 1 as a"),
        (&own, "create table marts.x as select 1 as a"),
        (&own, "delete from star.fct_order"),
    ] {
        assert_eq!(ask(token, sql), "42501", "{sql}");
    }
    assert_eq!(ask(&reader, "select 1 from star.fct_order"), "42P01");
    comes_back(&project, &program, &orders, (&own, &reader), serving);
}

/// A backup that is taken while the doors are open has all of it.
fn comes_back(
    project: &Project,
    program: &Path,
    orders: &str,
    (own, reader): (&str, &str),
    serving: Serving,
) {
    let backup = project.path("backup.tar.zst").display().to_string();
    project.json(&["backup", &backup], 0);
    drop(serving);
    let restored = project.copy(&[]);
    std::fs::remove_dir_all(restored.dir()).expect("removed");
    let dir = restored.dir().display().to_string();
    let out = restored.run(&["restore", &backup, &dir]);
    assert!(out.status.success(), "{}", text(&out));
    let verified = restored.run(&["audit", "verify"]);
    assert!(verified.status.success(), "{}", text(&verified));
    let again = Serving::of(&restored);
    let ask = |token: &str, sql: &str| value(program, &again, token, sql);
    assert_eq!(ask(reader, "select count(*) from dbt.order_seen"), orders);
    assert_eq!(ask(reader, "select count(*) from dbt.stg_order"), orders);
    assert_eq!(
        ask(own, "create table dbt.more as select 1 as a"),
        "SELECT 1"
    );
}
