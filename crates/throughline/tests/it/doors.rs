//! `serve`: the doors of a project open, follow its runs, its users and its policy, and close.

use std::time::Duration;

use testkit::doors::{Doors, eventually, within};
use testkit::{Project, text};

/// A right is gone within a second, which tests of the gate show; here questions are asked too, by
/// a program without optimisation on a machine that has other things to do.
const SOON: Duration = Duration::from_secs(15);

fn token(project: &Project, role: &str, name: &str) -> String {
    let made = project.json(&["token", "create", "--role", role, "--name", name], 0);
    made["token"].as_str().expect("a token").to_owned()
}

/// The one value of a statement, or the status.
fn value(doors: &Doors, statement: &str, token: &str) -> String {
    let answer = doors.sql(statement, token);
    if answer.status != 200 {
        return format!("{}", answer.status);
    }
    let rows = answer.json()["rows"].clone();
    let row = rows[0].as_object().expect("a row").clone();
    row.values().map(testkit::plain).next().expect("a value")
}

#[test]
fn the_doors_follow_runs_rights_and_policy() {
    let project = crate::what_is_dirty::project();
    project.json(&["run"], 0);
    let analyst = token(&project, "analyst", "ana");
    let admin = token(&project, "admin", "root");
    let doors = Doors::open(&project, &[]);
    let (name, password) = (
        &doors.said()["first_admin"]["name"],
        &doors.said()["first_admin"]["password"],
    );
    assert_eq!(name, "admin");
    assert!(password.as_str().is_some_and(|text| text.len() >= 20));
    assert_eq!(doors.get("/healthz", "").status, 200);
    assert_eq!(doors.get("/api/v1/openapi.json", "").status, 200);

    let count = "select count(*) as n from marts.mart_day";
    assert_eq!(value(&doors, count, ""), "401");
    assert_eq!(value(&doors, count, "tlt_nonsense"), "401");
    assert_eq!(value(&doors, count, &analyst), "5");
    project.write(
        "orders/2026-03-09.csv",
        "id,at,amount\n9,2026-03-09 10:00:00,9.50\n",
    );
    let before = project.json(&["run"], 0)["run_id"].clone();
    eventually("the new day is shown", || {
        (value(&doors, count, &analyst) == "6").then_some(())
    });

    // As of a run, at every door alike: the first run left five days.
    let runs = doors.get("/api/v1/runs", &admin);
    if runs.status == 200 {
        assert!(runs.body.contains(before.as_str().expect("a name")));
    }

    // What a policy forbids is gone within a second, and back when it allows it again.
    project.write(
        "access.yml",
        "version: 1\nroles:\n  analyst:\n    grants: []\n",
    );
    within(SOON, "the policy holds", || {
        (value(&doors, count, &analyst) == "404").then_some(())
    });
    assert_eq!(value(&doors, count, &admin), "6");
    project.write("access.yml", "version: 1\n");
    within(SOON, "the policy before holds", || {
        (value(&doors, count, &analyst) == "6").then_some(())
    });

    project.json(&["token", "revoke", "ana"], 0);
    within(SOON, "the token is refused", || {
        (value(&doors, count, &analyst) == "401").then_some(())
    });

    let noted = "select count(*) as n from ops.audit_log where principal = 'ana' and \
                 action = 'denied'";
    assert_ne!(value(&doors, noted, &admin), "0", "denials are noted");
    assert_eq!(doors.end(), Some(0));
    assert_eq!(
        project.json(&["audit", "verify"], 0)["first_bad"],
        serde_json::Value::Null
    );

    let again = Doors::open(&project, &["--flight", "off"]);
    assert!(
        again.said().get("first_admin").is_none(),
        "it is shown once"
    );
    assert!(again.said().get("flight").is_none(), "it is closed");
    assert_eq!(value(&again, count, &analyst), "401");
}

#[test]
fn what_others_could_read_on_the_way_is_not_offered() {
    let project = crate::what_is_dirty::project();
    project.write("no.pem", "nothing");
    let refused = |arguments: &[&str], status: i32, why: &str| {
        let mut all = vec!["serve"];
        all.extend(arguments);
        let out = project.run(&all);
        assert_eq!(out.status.code(), Some(status), "{}", text(&out));
        assert!(text(&out).contains(why), "{}", text(&out));
    };
    refused(&["--http", "0.0.0.0:0"], 1, "nothing is encrypted");
    refused(&["--postgres", "[::]:0"], 1, "nothing is encrypted");
    refused(&["--http", "127.0.0.1"], 1, "is no address");
    refused(&["--tls-cert", "no.pem"], 2, "--tls-key");
    refused(
        &["--tls-cert", "no.pem", "--tls-key", "no.pem"],
        1,
        "cannot be read as PEM",
    );
    refused(
        &["--http", "off", "--postgres", "off", "--flight", "off"],
        1,
        "no door is open",
    );
}
