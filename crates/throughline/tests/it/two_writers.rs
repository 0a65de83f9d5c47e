//! Two runs at once: on one project the second is refused, and of two machines that share a lake
//! each commit is one's or the other's, never lost and never doubled.

use std::process::Stdio;

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
    let mut said = std::io::BufReader::new(first.stderr.take().unwrap());
    let mut line = String::new();
    std::io::BufRead::read_line(&mut said, &mut line).unwrap();
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
        assert_eq!(crate::kill::contents(machine), wanted);
        assert_eq!(machine.json(&["run"], 0)["built"], 0);
    }
}
