//! People and programs that may log in, at the command line; and the audit log of it, which
//! nobody changes unseen, not even a process that is killed.

use std::io::Write as _;
use std::process::{Child, Output, Stdio};

use serde_json::Value;
use testkit::{Project, text};

use crate::PROGRAM;

const PASSWORD: &str = "drei blaue Kühe im Regen";

/// Runs the program with a line of standard input.
fn with_line(project: &Project, arguments: &[&str], line: &str) -> Output {
    let mut command = project.command(arguments);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    writeln!(child.stdin.take().unwrap(), "{line}").unwrap();
    child.wait_with_output().unwrap()
}

fn add(project: &Project, name: &str, options: &[&str]) -> Output {
    let mut all = vec!["--json", "user", "add", name];
    all.extend(options);
    with_line(project, &all, PASSWORD)
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect()
}

#[test]
fn a_user_is_added_changed_and_removed() {
    let project = Project::new(PROGRAM, "");
    let options = [
        "--role",
        "analyst",
        "--group",
        "staff",
        "--attribute",
        "country=DE",
    ];
    let made = add(&project, "Ana@X.de", &options);
    assert!(made.status.success(), "{}", text(&made));
    let made: Value = serde_json::from_slice(&made.stdout).unwrap();
    assert_eq!(
        (&made["name"], &made["roles"]),
        (&"ana@x.de".into(), &vec!["analyst"].into())
    );
    assert_eq!(made["attributes"]["country"], "DE");
    assert_eq!(made["password"], Value::Null, "it was given");

    let options = [
        "user", "roles", "ana@x.de", "--add", "builder", "--remove", "analyst",
    ];
    assert_eq!(
        project.json(&options, 0)["roles"],
        serde_json::json!(["builder"])
    );
    assert_eq!(
        project.json(&["user", "disable", "ana@x.de"], 0)["is_disabled"],
        true
    );
    assert_eq!(
        project.json(&["user", "enable", "ana@x.de"], 0)["is_disabled"],
        false
    );
    let other = with_line(
        &project,
        &["user", "password", "ana@x.de"],
        "vier grüne Hühner",
    );
    assert!(other.status.success(), "{}", text(&other));
    assert_eq!(
        names(&project.json(&["user", "list"], 0)["users"]),
        ["ana@x.de"]
    );
    project.json(&["user", "remove", "ana@x.de"], 0);
    assert!(names(&project.json(&["user", "list"], 0)["users"]).is_empty());

    let log = project.json(&["audit", "log", "--action", "user_change"], 0);
    let what: Vec<&str> = log["records"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|record| record["outcome"] == "done")
        .map(|record| record["detail"]["what"].as_str().unwrap())
        .collect();
    let expected = [
        "made",
        "changed",
        "disabled",
        "enabled",
        "password changed",
        "removed",
    ];
    assert_eq!(what, expected);
    assert_eq!(project.json(&["audit", "verify"], 0)["records"], 12);
}

#[test]
fn a_password_is_made_on_request_and_a_weak_one_refused() {
    let project = Project::new(PROGRAM, "");
    let made = project.json(
        &["user", "add", "admin", "--role", "admin", "--generate"],
        0,
    );
    let password = made["password"].as_str().unwrap();
    assert_eq!(password.len(), 24);
    let again = project.run(&["user", "password", "admin", "--generate", "--quiet"]);
    let printed = String::from_utf8_lossy(&again.stdout).into_owned();
    assert_eq!(printed.trim().len(), 24, "alone on standard output");
    assert_ne!(printed.trim(), password);
    for weak in ["password1234", "hunter2", "", "bobbobbobbob"] {
        let out = with_line(&project, &["user", "add", "bob"], weak);
        assert_eq!(out.status.code(), Some(1), "{weak}");
        let said = text(&out);
        assert!(
            said.contains("hint:") && (weak.is_empty() || !said.contains(weak)),
            "{said}"
        );
    }
    let last = project.run(&["user", "remove", "admin"]);
    assert_eq!(last.status.code(), Some(1));
    assert!(
        text(&last).contains("the last who can administer"),
        "{}",
        text(&last)
    );
    assert_eq!(
        project
            .run(&["user", "add", "eve", "secret-argument"])
            .status
            .code(),
        Some(2)
    );
}

#[test]
fn a_token_is_shown_once_and_revoked() {
    let project = Project::new(PROGRAM, "");
    let made = project.json(&["token", "create", "--role", "analyst", "--name", "bi"], 0);
    let token = made["token"].as_str().unwrap();
    assert!(token.starts_with("tlt_") && token.len() == 64, "{token}");
    assert!(made["expires_at"].is_string());
    let plain = project.run(&["token", "create", "--role", "analyst", "--expires", "never"]);
    let printed = String::from_utf8_lossy(&plain.stdout).into_owned();
    assert_eq!(
        printed.trim().len(),
        64,
        "alone on standard output: {}",
        text(&plain)
    );
    let list = project.json(&["token", "list"], 0);
    assert_eq!(list["tokens"].as_array().unwrap().len(), 2);
    let said = format!("{list} {}", text(&project.run(&["token", "list", "-vv"])));
    assert!(!said.contains(&token[15..]), "{said}");
    assert!(project.json(&["token", "revoke", "bi"], 0)["revoked_at"].is_string());
    let taken = project.run(&["token", "create", "--role", "analyst", "--name", "bi"]);
    assert!(
        text(&taken).contains("there is a token `bi` already"),
        "{}",
        text(&taken)
    );
    assert_eq!(
        project.run(&["token", "create"]).status.code(),
        Some(2),
        "without a role"
    );
    let wrong = project.run(&["token", "create", "--role", "a", "--expires", "soon"]);
    assert!(text(&wrong).contains("hint: 30d"), "{}", text(&wrong));
    assert_eq!(
        project.run(&["token", "revoke", "nobody"]).status.code(),
        Some(1)
    );

    // Neither token nor hash of a password stands in the log.
    let log = project
        .json(&["audit", "log", "--action", "token_change"], 0)
        .to_string();
    assert!(
        log.contains("\"bi\"") && !log.contains(&token[15..]),
        "{log}"
    );
    // With another key of the project nothing is taken for right.
    std::fs::write(
        project.dir().join("throughline.key"),
        "0123456789abcdef".repeat(4),
    )
    .unwrap();
    let other = project.run(&["token", "list"]);
    assert_eq!(other.status.code(), Some(1), "{}", text(&other));
}

#[test]
fn a_changed_log_is_named_and_nothing_goes_on() {
    let project = Project::new(PROGRAM, "");
    let anchor = project.path("anchor").display().to_string();
    let project = project.with_env("THROUGHLINE_AUDIT_ANCHOR", &anchor);
    for name in ["one", "two", "three", "four"] {
        project.json(&["token", "create", "--role", "analyst", "--name", name], 0);
    }
    let found = project.json(&["audit", "verify"], 0);
    assert_eq!(found["records"], 8);
    assert!(found["anchored"].as_u64() >= Some(4), "{found}");
    assert_eq!(found["first_bad"], Value::Null);
    let path = project.dir().join(".throughline/audit/000000000001.jsonl");
    let whole = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, whole.replace("\"two\"", "\"owt\"")).unwrap();
    let found = project.json(&["audit", "verify"], 3);
    assert_eq!(
        (&found["first_bad"]["seq"], &found["first_bad"]["line"]),
        (&3.into(), &3.into())
    );
    let said = text(&project.run(&["audit", "verify"]));
    assert!(
        said.contains("record 3 is not as it was written: its content was changed"),
        "{said}"
    );
    // Without its last record, and without the note of it.
    let cut: String = whole
        .lines()
        .take(7)
        .map(|line| format!("{line}\n"))
        .collect();
    std::fs::write(&path, cut).unwrap();
    let stopped = project.run(&["token", "create", "--role", "analyst"]);
    assert_eq!(stopped.status.code(), Some(1));
    assert!(
        text(&stopped).contains("throughline audit verify"),
        "{}",
        text(&stopped)
    );
    std::fs::remove_file(project.dir().join(".throughline/audit/head")).unwrap();
    assert_eq!(project.json(&["audit", "verify"], 3)["first_bad"]["seq"], 8);
    // As it was, it is right again.
    std::fs::write(&path, whole).unwrap();
    project.json(&["token", "create", "--role", "analyst"], 0);
    assert_eq!(project.json(&["audit", "verify"], 0)["records"], 11);
}

/// Programs are killed while they make tokens. Every token that was printed is there and in the
/// log, and the log holds.
#[test]
fn a_killed_process_loses_nothing_that_was_acknowledged() {
    let project = Project::new(PROGRAM, "");
    project.json(&["token", "create", "--role", "analyst"], 0);
    let begin = |number: usize| -> Child {
        let name = format!("t{number}");
        let mut command = project.command(&["token", "create", "--role", "x", "--name", &name]);
        command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let mut acknowledged = Vec::new();
    let mut killed = 0;
    for round in 0..8 {
        let mut children: Vec<(usize, Child)> = (0..4)
            .map(|lane| (round * 4 + lane, begin(round * 4 + lane)))
            .collect();
        // One of them to its end, the others at whatever they have come to by then, or a bit later.
        let (first, child) = children.remove(0);
        let out = child.wait_with_output().unwrap();
        assert!(out.status.success(), "{}", text(&out));
        acknowledged.push(format!("t{first}"));
        for (number, mut child) in children {
            if number % 3 != 0 {
                child.kill().unwrap();
            }
            let out = child.wait_with_output().unwrap();
            killed += usize::from(!out.status.success());
            if out.stdout.len() >= 64 {
                acknowledged.push(format!("t{number}"));
            }
        }
    }
    assert!(killed > 0, "none was killed in time");
    assert_eq!(
        project.json(&["audit", "verify"], 0)["first_bad"],
        Value::Null
    );
    let list = project.json(&["token", "list"], 0);
    let tokens = names(&list["tokens"]);
    let log = project.json(&["audit", "log", "--count", "1000"], 0);
    let noted: Vec<&str> = log["records"]
        .as_array()
        .unwrap()
        .iter()
        .map(|record| record["object"].as_str().unwrap())
        .collect();
    for name in &acknowledged {
        assert!(
            tokens.contains(&name.as_str()) && noted.contains(&name.as_str()),
            "{name}"
        );
    }
}
