//! A project of an older program opens, and says what was brought up to date; one of a newer
//! program is refused, and nothing of it is changed.

use std::path::{Path, PathBuf};

use testkit::{Project, text};

use crate::what_is_dirty::{project, table};

/// Where SQLite keeps the number that a program may set (`pragma user_version`).
const USER_VERSION_AT: std::ops::Range<usize> = 60..64;

/// A project that was run.
fn ran() -> Project {
    let project = project();
    project.json(&["run"], 0);
    project
}

fn lake(project: &Project) -> PathBuf {
    project.dir().join(".throughline/lake")
}

fn state(project: &Project) -> PathBuf {
    project.dir().join(".throughline/state.db")
}

/// Brings what SQLite keeps beside the log of runs into it.
fn settle(project: &Project) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let log = orchestrate::RunLog::open(&state(project)).await.unwrap();
        log.close().await;
    });
}

/// Sets the format of the log of runs, which no program has open.
fn set_state(project: &Project, format: u32) {
    settle(project);
    let mut bytes = std::fs::read(state(project)).unwrap();
    bytes[USER_VERSION_AT].copy_from_slice(&format.to_be_bytes());
    std::fs::write(state(project), bytes).unwrap();
}

fn state_format(project: &Project) -> u32 {
    settle(project);
    let bytes = std::fs::read(state(project)).unwrap();
    u32::from_be_bytes(bytes[USER_VERSION_AT].try_into().unwrap())
}

/// All commits of a lake.
fn commits(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(commits(&path));
        } else if path
            .parent()
            .is_some_and(|folder| folder.ends_with("_delta_log"))
            && path.extension().is_some_and(|ending| ending == "json")
        {
            found.push(path);
        }
    }
    found
}

/// Puts another format into the notes of a commit; none takes it out.
fn set_commit(path: &Path, format: Option<u32>) {
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().map(|line| {
        let mut action: serde_json::Value = serde_json::from_str(line).unwrap();
        let noted = &mut action["commitInfo"]["throughline"];
        let Some(ledger) = noted.as_str() else {
            return line.to_owned();
        };
        let mut ledger: serde_json::Value = serde_json::from_str(ledger).unwrap();
        match format {
            Some(format) => ledger["format"] = format.into(),
            None => drop(ledger.as_object_mut().unwrap().remove("format")),
        }
        *noted = ledger.to_string().into();
        action.to_string()
    });
    let lines: Vec<String> = lines.collect();
    std::fs::write(path, lines.join("\n") + "\n").unwrap();
}

/// Every file of a project with its content.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(files(&path));
        } else {
            all.push((path.clone(), std::fs::read(path).unwrap()));
        }
    }
    all.sort();
    all
}

#[test]
fn a_project_from_before_formats_were_said_opens_and_says_so_once() {
    let project = ran();
    let before = table(&project);
    assert_eq!(state_format(&project), 2);
    std::fs::remove_file(lake(&project).join("_throughline.json")).unwrap();
    for commit in commits(&lake(&project)) {
        set_commit(&commit, None);
    }
    set_state(&project, 0);

    let out = project.run(&["run"]);
    assert!(out.status.success(), "{}", text(&out));
    for said in [
        "note: the lake was brought from format 0 to 2: the lake says its format; tables may be in \
         parts",
        "note: the log of runs was brought from format 0 to 2",
        "0 tables built",
    ] {
        assert!(text(&out).contains(said), "{said}\n{}", text(&out));
    }
    assert_eq!(table(&project), before);
    assert_eq!(state_format(&project), 2);
    let again = project.run(&["run"]);
    assert!(!text(&again).contains("was brought"), "{}", text(&again));
    // It goes on as any other.
    project.write(
        "orders/new.csv",
        "id,at,amount\n8,2026-03-08 10:00:00,8.50\n",
    );
    project.json(&["run"], 0);
    assert!(table(&project).contains("2026-03-08"));
}

/// What a newer program may have left.
type Newer = fn(&Project);

#[test]
fn what_a_newer_program_wrote_is_refused_and_left_alone() {
    let project = ran();
    let cases: [(&str, Newer); 4] = [
        ("the lake at", |project| {
            let marker = lake(project).join("_throughline.json");
            std::fs::write(marker, "{\"format\": 7, \"other\": []}").unwrap();
        }),
        ("table `marts.mart_day`", |project| {
            let commits = commits(&lake(project).join("marts/mart_day"));
            set_commit(commits.iter().max().unwrap(), Some(7));
        }),
        ("the run log", |project| set_state(project, 7)),
        ("`throughline.yml`", |project| {
            project.set("version: 7\nfuture: true\n")
        }),
    ];
    for (what, makes_newer) in cases {
        let newer = project.copy(&[]);
        makes_newer(&newer);
        let (before, runs) = (files(&lake(&newer)), std::fs::read(state(&newer)).unwrap());
        for command in ["plan", "run"] {
            let out = newer.run(&[command]);
            assert_eq!(out.status.code(), Some(1), "{what}\n{}", text(&out));
            let said = text(&out);
            assert!(said.contains(what), "{what}\n{said}");
            assert!(
                said.contains("is of format 7, this program knows up to"),
                "{what}\n{said}"
            );
            assert!(said.contains("hint: update the program"), "{what}\n{said}");
        }
        assert!(
            files(&lake(&newer)) == before,
            "{what}: the lake was changed"
        );
        assert!(
            std::fs::read(state(&newer)).unwrap() == runs,
            "{what}: the log was changed"
        );
    }
}
