//! Listing in a folder made for the test.

use std::fs;

use domain::config::{FileConfig, FileFormat};
use tempfile::TempDir;

use super::*;

fn stream(paths: &[&str]) -> Stream {
    Stream {
        source: "shop".to_owned(),
        name: "orders".to_owned(),
        kind: None,
        paths: paths.iter().map(|&path| path.to_owned()).collect(),
        files: FileConfig::default(),
        zone: None,
        currency: None,
    }
}

/// A folder with a project in it and data inside and beside the project.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for file in [
        "project/in/b.csv",
        "project/in/a.csv",
        "project/in/2024/01/c.csv.gz",
        "project/in/.hidden.csv",
        "project/in/_SUCCESS",
        "project/in/d.csv.part",
        "project/in/README.md",
        "project/odd[1].csv",
        "beside/e.json",
    ] {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        fs::write(path, file).expect("a file");
    }
    folder
}

fn names(paths: &[&str]) -> (Vec<String>, Vec<Finding>) {
    let folder = folder();
    let found = find(&folder.path().join("project"), &stream(paths));
    (
        found.files.into_iter().map(|file| file.relative).collect(),
        found.findings,
    )
}

#[test]
fn paths_globs_and_folders() {
    let none: Vec<Finding> = Vec::new();
    assert_eq!(
        names(&["in/a.csv"]),
        (vec!["in/a.csv".to_owned()], none.clone())
    );
    assert_eq!(names(&["./in/../in/a.csv"]).0, ["in/a.csv"]);
    assert_eq!(
        names(&["in/*.csv"]),
        (vec!["in/a.csv".into(), "in/b.csv".into()], none.clone())
    );
    let all = ["in/2024/01/c.csv.gz", "in/a.csv", "in/b.csv"];
    assert_eq!(
        names(&["in/**/*.csv*"]).0,
        [&all[..], &["in/d.csv.part"]].concat()
    );
    assert_eq!(
        names(&["in/a.csv", "in/?.csv", "in/*.csv"]).0,
        ["in/a.csv", "in/b.csv"]
    );
    assert_eq!(names(&["odd[1].csv"]).0, ["odd[1].csv"]);
    assert_eq!(
        names(&["../beside/*.json"]),
        (vec!["../beside/e.json".into()], none)
    );
    assert_eq!(names(&["in/2024/**"]).0, ["in/2024/01/c.csv.gz"]);
    let (files, findings) = names(&["in"]);
    assert_eq!(files, all);
    let left_out = Finding::LeftOut {
        path: "in".into(),
        count: 3,
        example: "README.md".into(),
    };
    assert_eq!(findings, [left_out]);
}

#[test]
fn an_absolute_path_is_named_relative_to_the_project() {
    let folder = folder();
    let path = folder.path().join("beside/e.json");
    let found = find(
        &folder.path().join("project"),
        &stream(&[&path.to_string_lossy()]),
    );
    assert_eq!(found.files[0].relative, "../beside/e.json");
}

#[test]
fn what_is_not_there_is_a_finding() {
    let (files, findings) = names(&["in/none/*.csv", "in/a.csv", "nowhere.csv"]);
    assert_eq!(files, ["in/a.csv"]);
    assert_eq!(findings.len(), 2);
    assert_eq!(
        findings[0].to_string(),
        "`in/none/*.csv` leads to no file; only `in` exists"
    );
    assert_eq!(findings[1].to_string(), "`nowhere.csv` leads to no file");
    let errors: Vec<bool> = findings.iter().map(Finding::is_error).collect();
    assert_eq!(errors, [false, true], "a glob may wait for its files");
    let (_, findings) = names(&["in/**csv"]);
    assert!(
        matches!(findings[0], Finding::BadGlob { .. }),
        "{findings:?}"
    );
}

#[test]
fn a_format_that_is_set_takes_files_of_any_name() {
    let folder = folder();
    let mut stream = stream(&["in"]);
    stream.files.format = Some(FileFormat::Csv);
    let found = find(&folder.path().join("project"), &stream);
    assert!(
        found
            .files
            .iter()
            .any(|file| file.relative == "in/README.md")
    );
}

#[test]
fn a_file_knows_its_content() {
    let folder = folder();
    let project = folder.path().join("project");
    let found = find(&project, &stream(&["in/a.csv", "in/b.csv"]));
    let hash = |index: usize| found.files[index].content_hash().expect("a hash");
    assert_eq!(found.files[0].size_bytes, 16);
    assert_eq!(hash(0).len(), 32);
    assert_ne!(hash(0), hash(1));
    assert_eq!(
        hash(0),
        format!("{:032x}", xxhash_rust::xxh3::xxh3_128(b"project/in/a.csv"))
    );
    let gone = FoundFile {
        path: project.join("gone.csv"),
        ..found.files[0].clone()
    };
    assert!(matches!(gone.content_hash(), Err(ReadError::Gone)));
}

#[test]
fn ids_hold_the_file_and_the_row() {
    let first = id::file_id("shop", "orders", "a.csv", "00");
    assert_eq!(first, id::file_id("shop", "orders", "a.csv", "00"));
    assert!((0..1 << 34).contains(&first));
    for other in [
        id::file_id("shop", "orders", "a.csv", "01"),
        id::file_id("shop", "orders", "b.csv", "00"),
        id::file_id("shop", "lines", "a.csv", "00"),
    ] {
        assert_ne!(first, other);
    }
    let last = (1 << 29) - 1;
    assert_eq!(id::raw_id((1 << 34) - 1, last), i64::MAX);
    assert_eq!(id::raw_id(first, 7) & last, 7);
    assert_eq!(id::raw_id(first, 7) >> 29, first);
}

/// The findings for a folder with things in it that are no files, by paths to them.
#[cfg(unix)]
fn findings_of(paths: &[&str]) -> (Vec<String>, Vec<String>) {
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    let folder = folder();
    let inside = folder.path().join("project/odd");
    fs::create_dir_all(inside.join("a.csv")).expect("a folder named like a file");
    fs::write(inside.join("good.csv"), "a\n1\n").expect("a file");
    symlink("nowhere.csv", inside.join("dangling.csv")).expect("a link");
    symlink("loop.csv", inside.join("loop.csv")).expect("a link");
    symlink("good.csv", inside.join("link.csv")).expect("a link");
    symlink("..", inside.join("up")).expect("a link");
    symlink("..", inside.join("up2")).expect("a link");
    symlink("/dev/zero", inside.join("device.csv")).expect("a link");
    let _socket = UnixListener::bind(inside.join("socket.csv")).expect("a socket");
    let pipe = std::process::Command::new("mkfifo")
        .arg(inside.join("pipe.csv"))
        .status();
    assert!(pipe.expect("mkfifo").success());
    let found = find(&folder.path().join("project"), &stream(paths));
    (
        found.files.into_iter().map(|file| file.relative).collect(),
        found.findings.iter().map(ToString::to_string).collect(),
    )
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_said_to_be_so_and_never_opened() {
    for (path, said) in [
        ("odd/pipe.csv", "`odd/pipe.csv` is a pipe, not a file"),
        ("odd/socket.csv", "`odd/socket.csv` is a socket, not a file"),
        ("odd/device.csv", "`odd/device.csv` is a device, not a file"),
        (
            "odd/dangling.csv",
            "cannot look at `odd/dangling.csv`: No such file",
        ),
        (
            "odd/loop.csv",
            "cannot look at `odd/loop.csv`: Too many levels",
        ),
        (
            "odd/good.csv/x.csv",
            "cannot look at `odd/good.csv/x.csv`: Not a directory",
        ),
        (
            "odd/a.csv",
            "`odd/a.csv` leads to no file: it is a folder without data files",
        ),
    ] {
        let (files, findings) = findings_of(&[path]);
        assert_eq!(files, Vec::<String>::new(), "{path}");
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert!(findings[0].starts_with(said), "{findings:?}");
    }
    // In a folder and by a glob the good files are taken all the same, each once.
    let good = ["odd/good.csv", "odd/link.csv"];
    let (files, findings) = findings_of(&["odd"]);
    assert_eq!(files, good);
    assert_eq!(findings.len(), 7, "{findings:?}");
    let link = "`odd/up` is a link to a folder, which is not followed";
    assert!(
        findings.iter().any(|finding| finding == link),
        "{findings:?}"
    );
    let (files, findings) = findings_of(&["odd/*.csv"]);
    assert_eq!(
        (files, findings.len()),
        (good.map(str::to_owned).to_vec(), 5),
        "{findings:?}"
    );
    // Links to folders above make no circle.
    let (files, _) = findings_of(&["odd/**/good.csv"]);
    assert_eq!(files, ["odd/good.csv"]);
}
