//! Torture: crashes at every named point, and random histories, each compared with a rebuild.
//!
//! `make test` runs few of them, `make torture` many, with another program than the test's own
//! where `THROUGHLINE_PROGRAM` names one. All chance comes from `THROUGHLINE_SEED`.

mod content;
mod crash;

use std::process::Command;

use testkit::Project;

/// The program under test: the test's own, or the one that the environment names.
fn program() -> String {
    std::env::var("THROUGHLINE_PROGRAM").unwrap_or_else(|_| crate::PROGRAM.to_owned())
}

/// A number that the environment sets.
fn setting(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is `{text}`, no number")),
    )
}

/// The folders of a project that a rebuild makes anew: everything but raw.
const BUILT: [&str; 11] = [
    "target",
    ".throughline/state.db",
    ".throughline/state.db-wal",
    ".throughline/state.db-shm",
    ".throughline/lake/staged",
    ".throughline/lake/quarantine",
    ".throughline/lake/silver",
    ".throughline/lake/identity",
    ".throughline/lake/star",
    ".throughline/lake/marts",
    ".throughline/lake/seeds",
];

/// The same project with the same raw tables, and everything behind them built from nothing.
fn rebuilt(project: &Project, arguments: &[&str], status: i32) -> Project {
    let copy = project.copy(&BUILT);
    let mut all = vec!["run"];
    all.extend(arguments);
    let ran = copy.json(&all, status);
    assert_eq!(ran["loaded_files"], 0, "a rebuild loads nothing");
    copy
}

/// Runs a command that is to end at a crash point. False if it never got there.
fn crashes(command: &mut Command, at: &str) -> bool {
    use std::os::unix::process::ExitStatusExt as _;
    const ABORTED: i32 = 6;
    let out = command.env(lake::crash::VARIABLE, at).output().unwrap();
    if out.status.signal() == Some(ABORTED) {
        return true;
    }
    assert!(
        out.status.success(),
        "neither crashed at {at} nor done:\n{}",
        testkit::text(&out)
    );
    false
}
