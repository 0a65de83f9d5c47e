//! Torture: crashes at every named point, and random histories, each compared with a rebuild.
//!
//! `make test` runs few of them, `make torture` many, with another program than the test's own
//! where `THROUGHLINE_PROGRAM` names one. All chance comes from `THROUGHLINE_SEED`.

mod company;
pub(crate) mod content;
mod crash;
mod exports;
mod history;
mod online_retail;
mod steps;

use std::process::Command;

use serde_json::Value;
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
const BUILT: [&str; 12] = [
    "target",
    ".throughline/state.db",
    ".throughline/state.db-wal",
    ".throughline/state.db-shm",
    ".throughline/lake/staged",
    ".throughline/lake/quarantine",
    ".throughline/lake/cleansing",
    ".throughline/lake/silver",
    ".throughline/lake/identity",
    ".throughline/lake/star",
    ".throughline/lake/marts",
    ".throughline/lake/seeds",
];

/// The same project with the same raw tables, and everything behind them built from nothing.
pub(crate) fn rebuilt(project: &Project) -> Project {
    let copy = project.copy(&BUILT);
    let ran = done(&copy, &["run"]).unwrap_or_else(|why| panic!("the rebuild: {why}"));
    assert_eq!(ran["loaded_files"], 0, "a rebuild loads nothing");
    copy
}

/// Runs the program, which must do all that it sets out to do; checks after publishing may fail.
fn done(project: &Project, arguments: &[&str]) -> Result<Value, String> {
    let mut all = vec!["--json", "--quiet"];
    all.extend(arguments);
    let out = project.run(&all);
    let said: Value = serde_json::from_slice(&out.stdout).unwrap_or_default();
    let models = said["models"].as_array().into_iter().flatten();
    let wrong: Vec<String> = models
        .filter(|model| !model["error"].is_null())
        .map(|m| format!("{}: {}: {}", m["model"], m["outcome"], m["error"]))
        .collect();
    let code = out.status.code();
    if matches!(code, Some(0 | 3)) && wrong.is_empty() {
        return Ok(said);
    }
    let heard = String::from_utf8_lossy(&out.stderr);
    let wrong = wrong.join("\n");
    Err(format!(
        "{arguments:?} ended with {code:?}\n{wrong}\n{heard}"
    ))
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
