//! Two runs at once: on one project the second is refused, and of two machines that share a lake
//! each commit is one's or the other's, never lost and never doubled.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use testkit::{Project, text};

use crate::lake_on_s3::STATE;

#[test]
fn a_second_run_of_one_project_is_refused() {
    let project = crate::kill::COMPANY.copy(&STATE);
    let mut first = project
        .command(&["run"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It has the lock from before its first line.
    let mut said = BufReader::new(first.stderr.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    let second = project.run(&["run"]);
    assert_eq!(second.status.code(), Some(1), "{}", text(&second));
    assert!(
        text(&second).contains("another run is at work"),
        "{}",
        text(&second)
    );
    assert!(text(&second).contains("hint:"), "{}", text(&second));
    std::io::copy(&mut said, &mut std::io::sink()).unwrap();
    assert!(first.wait().unwrap().success());
    assert_eq!(project.json(&["run"], 0)["built"], 0);
}

/// Runs both at the same time, again and again until both have nothing left to do. Gives what the
/// losers were told.
fn race(machines: &[Project; 2]) -> String {
    let mut told = String::new();
    for _ in 0..200 {
        let running = machines.each_ref().map(|machine| {
            machine
                .command(&["--quiet", "run"])
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        });
        let ended = running.map(|child| child.wait_with_output().unwrap());
        let failed = ended.iter().filter(|out| !out.status.success());
        let words: String = failed.map(text).collect();
        if words.is_empty() {
            return told;
        }
        told.push_str(&words);
    }
    panic!("the two never come to an end:\n{told}");
}

#[test]
fn two_machines_on_one_lake_lose_and_double_nothing() {
    let alone = &*crate::kill::COMPANY;
    let shared = tempfile::tempdir().unwrap();
    let lake = shared.path().join("lake").display().to_string();
    let machines = [alone.copy(&STATE), alone.copy(&STATE)];
    for machine in &machines {
        machine.set(&format!("lake:\n  location: '{lake}'\n"));
    }
    let told = race(&machines);
    assert!(
        told.contains("another writer committed version"),
        "they never met:\n{told}"
    );
    let wanted = crate::kill::contents(alone);
    for machine in &machines {
        let found = crate::kill::contents(machine);
        let differ: Vec<_> = found.iter().filter(|line| !wanted.contains(line)).collect();
        assert!(differ.is_empty(), "{differ:#?}\n{told}");
        assert_eq!(found.len(), wanted.len());
        assert_eq!(machine.json(&["run"], 0)["built"], 0);
    }
}

/// A second shop, whose orders go into the same entity.
const SECOND: &str = "
sources:
  shop:
    path: orders/*.csv
  second:
    path: second/*.csv
";

fn signal(name: &str, process: u32) {
    let mut kill = Command::new("kill");
    kill.args([name, &process.to_string()]);
    assert!(kill.status().unwrap().success());
}

/// One machine is halted with the lake open; another builds a new input of a model. Going on, the
/// first must not take that input for one that it has read.
#[test]
fn a_machine_that_slept_does_not_mark_what_it_has_not_read() {
    let shared = tempfile::tempdir().unwrap();
    let sleeper = crate::what_is_dirty::project();
    sleeper.set(&format!(
        "lake:\n  location: '{}'\n",
        shared.path().display()
    ));
    sleeper.json(&["run"], 0);
    sleeper.set(SECOND);
    let model = "-- grain: one row per order\n{{ config(entity='order') }}\n\
        select _raw_id, 'b' || id as order_id, at as ordered_at, amount as gross_amount, \
        'EUR' as currency_code from {{ source('second', 'rows') }}\n";
    sleeper.write("models/1_silver/stg_second__orders.sql", model);
    sleeper.write(
        "second/a.csv",
        "id,at,amount\n1,2026-03-02 10:00:00,1000.00\n",
    );
    let other = sleeper.copy(&STATE);

    let mut asleep = sleeper
        .command(&["run"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(asleep.stderr.take().unwrap()).lines();
    let loaded = lines.find(|line| line.as_ref().unwrap().starts_with("loaded"));
    assert!(loaded.is_some());
    signal("-STOP", asleep.id());
    other.json(&["run", "--select", "stg_second__orders"], 0);
    signal("-CONT", asleep.id());
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    // It may have been told that the other was first; then it runs again.
    if !asleep.wait().unwrap().success() {
        sleeper.json(&["run"], 0);
    }
    let found = crate::what_is_dirty::table(&sleeper);
    assert!(found.contains("1002.5"), "{found}\n{rest:#?}");
    assert_eq!(sleeper.json(&["run"], 0)["built"], 0);
}
