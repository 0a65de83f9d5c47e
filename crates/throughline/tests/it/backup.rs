//! A backup is the project at one state, or it is none; restored, it is that project.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use testkit::{Project, text};

use crate::kill::{COMPANY, contents};
use crate::lake_on_s3::STATE;

/// Backs a project up to a new place beside it.
fn back_up(project: &Project, name: &str, options: &[&str]) -> PathBuf {
    let target = project.path(name);
    let shown = target.display().to_string();
    let mut all = vec!["backup", &shown];
    all.extend(options);
    project.json(&all, 0);
    target
}

/// A place with no project in it yet, but with the variables of one.
fn nowhere(like: &Project) -> Project {
    let place = like.copy(&STATE);
    std::fs::remove_dir_all(place.dir()).unwrap();
    place
}

/// The project out of a backup.
fn restored(like: &Project, backup: &Path) -> Project {
    let place = nowhere(like);
    let out = restore(&place, backup, &[]);
    assert!(out.status.success(), "{}", text(&out));
    place
}

fn restore(place: &Project, backup: &Path, options: &[&str]) -> std::process::Output {
    let (backup, dir) = (
        backup.display().to_string(),
        place.dir().display().to_string(),
    );
    let mut all = vec!["restore", &backup, &dir];
    all.extend(options);
    place.run(&all)
}

fn is_up_to_date(project: &Project) {
    let planned = project.json(&["plan"], 0);
    assert_eq!(planned["build"], serde_json::json!([]));
    assert_eq!(planned["load"], serde_json::json!([]));
    let ran = project.json(&["run"], 0);
    assert_eq!(
        (&ran["built"], &ran["loaded_files"]),
        (&0.into(), &0.into())
    );
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn what_is_restored_is_up_to_date_and_has_the_same_tables() {
    let company = COMPANY.copy(&[]);
    let wanted = contents(&company);
    assert!(wanted.len() > 50, "{} tables", wanted.len());
    for name in ["backup", "backup.tar.zst"] {
        let backup = back_up(&company, name, &[]);
        let project = restored(&company, &backup);
        assert!(
            !project.dir().join("generated").exists(),
            "no sources were asked for"
        );
        assert_eq!(contents(&project), wanted, "{name}");
        is_up_to_date(&project);
        #[cfg(unix)]
        {
            let secret = match backup.is_dir() {
                true => backup.join("project/throughline.key"),
                false => backup,
            };
            assert_eq!(mode(&secret), 0o600, "{name}");
            assert_eq!(mode(&project.dir().join("throughline.key")), 0o600);
        }
        // What was run before is remembered.
        let before = project.run(&["query", "--as-of", "2999-01-01", "select 1"]);
        assert!(before.status.success(), "{}", text(&before));
    }
}

#[test]
fn users_tokens_rules_and_the_audit_log_come_back() {
    let project = Project::new(crate::PROGRAM, "");
    let roles = "roles: {modeller: {grants: [{schema: marts}], own_schemas: [dbt]}}\n";
    project.write("access.yml", roles);
    project.json(
        &["user", "add", "ana", "--role", "modeller", "--generate"],
        0,
    );
    project.json(
        &["token", "create", "--name", "dbt", "--role", "modeller"],
        0,
    );
    let wanted = |project: &Project| {
        let users = project.json(&["user", "list"], 0);
        (users, project.json(&["token", "list"], 0))
    };
    let before = wanted(&project);
    for name in ["backup", "backup.tar.zst"] {
        let backup = back_up(&project, name, &[]);
        let restored = restored(&project, &backup);
        assert_eq!(wanted(&restored), before, "{name}");
        let path = restored.dir().join("access.yml");
        assert_eq!(std::fs::read_to_string(path).unwrap(), roles);
        let out = restored.run(&["audit", "verify"]);
        assert!(out.status.success(), "{}", text(&out));
        // The log goes on where it was.
        restored.json(&["user", "disable", "ana"], 0);
        assert!(restored.run(&["audit", "verify"]).status.success());
        #[cfg(unix)]
        {
            let state = restored.dir().join(".throughline");
            assert_eq!(mode(&state.join("access.db")), 0o600);
            assert_eq!(mode(&state.join("audit/head")), 0o600);
            assert_eq!(mode(&state.join("audit")), 0o700);
        }
    }
}

#[test]
fn the_key_may_be_left_out_and_the_sources_taken_along() {
    let company = COMPANY.copy(&[]);
    let backup = back_up(&company, "backup", &["--without-key", "--with-sources"]);
    assert!(!backup.join("project/throughline.key").exists());
    let project = restored(&company, &backup);
    let out = project.run(&["plan"]);
    assert_eq!(out.status.code(), Some(1));
    assert!(text(&out).contains("the project's key"), "{}", text(&out));
    let key = "throughline.key";
    std::fs::copy(company.dir().join(key), project.dir().join(key)).unwrap();
    is_up_to_date(&project);
    let listed = project.json(&["sources", "list"], 0);
    for stream in listed["streams"].as_array().unwrap() {
        assert_ne!(stream["files"], 0, "{stream}");
        assert_eq!(stream["new_files"], 0, "{stream}");
    }
}

#[test]
fn nothing_is_overwritten_and_half_a_backup_is_none() {
    let project = crate::what_is_dirty::project();
    project.json(&["run"], 0);
    let backup = back_up(&project, "backup", &[]);
    let again = project.run(&["backup", &backup.display().to_string()]);
    assert_eq!(again.status.code(), Some(1));
    assert!(
        text(&again).contains("is not empty\nhint: "),
        "{}",
        text(&again)
    );

    let used = nowhere(&project);
    used.write("note.txt", "mine");
    let out = restore(&used, &backup, &[]);
    assert_eq!(out.status.code(), Some(1));
    assert!(
        text(&out).contains("is not empty\nhint: restore to a new folder"),
        "{}",
        text(&out)
    );
    assert_eq!(std::fs::read_dir(used.dir()).unwrap().count(), 1);

    // One byte of one data file.
    let lake = backup.join("lake/marts/mart_day");
    let mut files = std::fs::read_dir(&lake)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let data = files
        .find(|path| path.extension().is_some_and(|end| end == "parquet"))
        .unwrap();
    let mut bytes = std::fs::read(&data).unwrap();
    bytes[20] ^= 1;
    std::fs::write(&data, bytes).unwrap();
    let place = nowhere(&project);
    let out = restore(&place, &backup, &[]);
    assert_eq!(out.status.code(), Some(1));
    assert!(
        text(&out).contains("is not what was written: it is damaged"),
        "{}",
        text(&out)
    );
    assert!(
        !place.dir().exists() && !place.path("p.part").exists(),
        "nothing is left"
    );

    // Broken off before the manifest.
    std::fs::remove_file(backup.join("manifest.json")).unwrap();
    let out = restore(&place, &backup, &[]);
    assert!(text(&out).contains("it has no manifest"), "{}", text(&out));
    assert!(!place.dir().exists(), "nothing is left");
}

#[test]
fn a_backup_that_is_killed_is_whole_or_none() {
    let project = COMPANY.copy(&[]);
    let (target, part) = (project.path("b.tar.zst"), project.path("b.tar.zst.part"));
    let mut child = project
        .command(&["backup", &target.display().to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // As soon as something is written.
    while !std::fs::metadata(&part).is_ok_and(|file| file.len() > 0) {
        if child.try_wait().unwrap().is_some() {
            break;
        }
        std::thread::yield_now();
    }
    child.kill().unwrap(); // SIGKILL
    child.wait().unwrap();
    if target.exists() {
        restored(&project, &target);
        return;
    }
    let place = nowhere(&project);
    let out = restore(&place, &part, &[]);
    assert_eq!(out.status.code(), Some(1));
    assert!(
        text(&out).contains("is not a whole backup\nhint: "),
        "{}",
        text(&out)
    );
    assert!(!place.dir().exists());
    // The next one takes no notice of what is left.
    let backup = back_up(&project, "b.tar.zst", &[]);
    is_up_to_date(&restored(&project, &backup));
}

#[test]
fn a_backup_taken_while_a_run_commits_can_be_carried_on() {
    let project = COMPANY.copy(&STATE);
    let mut child = project
        .command(&["run"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The program waits for nobody: each backup is taken somewhere in the run's way.
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut backups = Vec::new();
    let mut published = 0;
    for line in lines {
        let line = line.unwrap();
        if line.starts_with("loaded") || line.starts_with("built") {
            published += 1;
            if published % 25 == 3 {
                let name = format!("backup{published}");
                backups.push(back_up(&project, &name, &["--with-sources"]));
            }
        }
    }
    assert!(child.wait().unwrap().success());
    assert!(backups.len() >= 3, "{backups:?}");
    let wanted = contents(&COMPANY);
    let mut built = Vec::new();
    for backup in backups {
        let project = restored(&project, &backup);
        let ran = project.json(&["run"], 0);
        built.push(ran["built"].as_u64().unwrap());
        assert_eq!(contents(&project), wanted, "{}", backup.display());
    }
    assert!(
        built[0] > 0,
        "{built:?} tables were built after the backups"
    );
}

#[test]
fn a_lake_in_a_bucket_is_backed_up_and_restored_to_a_folder_or_an_empty_bucket() {
    let Some(company) = crate::lake_on_s3::COMPANY.as_ref() else {
        return;
    };
    let beside = company.project.copy(&["generated"]);
    let backup = back_up(&beside, "backup.tar.zst", &[]);
    let wanted = contents(&COMPANY);

    // Its own settings lead to where the lake still is: nothing is overwritten there.
    let place = nowhere(&beside);
    let out = restore(&place, &backup, &[]);
    assert_eq!(out.status.code(), Some(1));
    assert!(text(&out).contains("has tables already"), "{}", text(&out));
    assert!(!place.dir().exists());

    for lake in [
        "lake: {}\n".to_owned(),
        crate::lake_on_s3::settings(&company.server, "again"),
    ] {
        let other = beside.copy(&["generated"]);
        other.set(&lake);
        let config = other.dir().join("throughline.yml").display().to_string();
        let place = nowhere(&beside);
        let out = restore(&place, &backup, &["--config", &config]);
        assert!(out.status.success(), "{}", text(&out));
        assert_eq!(contents(&place), wanted, "{lake}");
        is_up_to_date(&place);
    }
}
