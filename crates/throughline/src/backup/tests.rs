//! Backups written and read; cut off, damaged, and with what does not belong in them.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::*;

fn manifest() -> Manifest {
    Manifest::new("shop", chrono::DateTime::default())
}

/// Long and short, empty, and with a path that is longer than a tar header's name.
fn files() -> Vec<(String, Vec<u8>)> {
    let deep = format!(
        "lake/{}/{}/part.parquet",
        "zone".repeat(10),
        "table".repeat(20)
    );
    let noise: Vec<u8> = (0..100_000u32).flat_map(u32::to_le_bytes).collect();
    vec![
        ("project/throughline.yml".into(), b"name: shop\n".to_vec()),
        ("project/models/a.sql".into(), Vec::new()),
        ("state/state.db".into(), vec![7; 512]),
        (deep, noise),
    ]
}

fn write(target: &Path) -> Manifest {
    let mut writer = Writer::create(target).expect("a writer");
    for (path, content) in files() {
        writer.begin(&path, content.len() as u64).expect("begun");
        for piece in content.chunks(1000) {
            writer.write(piece).expect("written");
        }
        writer.end().expect("ended");
    }
    writer.finish(manifest()).expect("a backup")
}

/// A backup in each form.
fn both(folder: &tempfile::TempDir) -> [PathBuf; 2] {
    ["backup", "backup.tar.zst"].map(|name| {
        let target = folder.path().join(name);
        write(&target);
        target
    })
}

fn why(place: &Path) -> String {
    format!("{:#}", verify(place).expect_err("no backup"))
}

#[test]
fn what_is_written_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    for target in both(&folder) {
        let manifest = verify(&target).expect("a backup");
        assert_eq!(manifest.files.len(), 4);
        assert_eq!(manifest.bytes(), 400_523);
        let mut reader = Reader::open(&target).expect("a reader");
        for (path, content) in files() {
            let next = reader.next().expect("a file");
            assert_eq!(next, Some((path, content.len() as u64)));
            let mut read = Vec::new();
            reader.read_to_end(&mut read).expect("content");
            assert!(read == content);
        }
        // A reader may also pass over what it does not want.
        let mut reader = Reader::open(&target).expect("a reader");
        let paths = std::iter::from_fn(|| reader.next().expect("a file"));
        let count = paths.filter(|(path, _)| !path.ends_with(".json")).count();
        assert_eq!(count, 4);
    }
}

#[test]
fn the_tool_that_everybody_has_reads_the_archive() {
    let folder = tempfile::tempdir().expect("a folder");
    let [_, archive] = both(&folder);
    let plain = zstd::decode_all(std::fs::File::open(archive).expect("open")).expect("plain");
    let tar = folder.path().join("plain.tar");
    std::fs::write(&tar, plain).expect("written");
    let out = std::process::Command::new("tar")
        .arg("-tf")
        .arg(&tar)
        .output();
    let out = out.expect("tar");
    assert!(out.status.success(), "{out:?}");
    let mut wanted: Vec<String> = files().into_iter().map(|(path, _)| path).collect();
    wanted.push(MANIFEST.into());
    let listed = String::from_utf8_lossy(&out.stdout).into_owned();
    assert_eq!(listed.lines().collect::<Vec<_>>(), wanted);
}

#[test]
fn a_size_over_eight_gibibytes_is_kept() {
    for bytes in [0, 511, (1 << 33) - 1, 1 << 33, 1 << 45] {
        let mut header = Vec::new();
        tar::write_header(&mut header, "lake/a", bytes).expect("a header");
        let read = tar::read_header(&mut header.as_slice()).expect("a header");
        assert_eq!(read, Some(("lake/a".to_owned(), bytes)));
        header[0] ^= 1;
        assert!(tar::read_header(&mut header.as_slice()).is_err());
    }
}

#[test]
fn what_was_broken_off_is_no_backup() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["backup", "backup.tar.zst"] {
        let target = folder.path().join(name);
        let mut writer = Writer::create(&target).expect("a writer");
        writer.begin("project/throughline.yml", 3).expect("begun");
        writer.write(b"abc").expect("written");
        writer.end().expect("ended");
        drop(writer);
        if target.is_dir() {
            assert!(why(&target).contains("no manifest"), "{}", why(&target));
        } else {
            assert!(!target.exists(), "only a whole archive has the name");
            let part = folder.path().join("backup.tar.zst.part");
            assert!(
                why(&part).contains("is not a whole backup"),
                "{}",
                why(&part)
            );
        }
    }
    let other = tempfile::tempdir().expect("a folder");
    let [_, archive] = both(&other);
    let whole = std::fs::read(archive).expect("bytes");
    for length in [0, 10, whole.len() / 2, whole.len() - 1] {
        let cut = folder.path().join(format!("cut{length}.tar.zst"));
        std::fs::write(&cut, &whole[..length]).expect("written");
        assert!(
            why(&cut).contains("is not a whole backup"),
            "{length}: {}",
            why(&cut)
        );
    }
}

#[test]
fn what_is_damaged_missing_or_added_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let [target, archive] = both(&folder);
    let state = target.join("state/state.db");
    let whole = std::fs::read(&state).expect("bytes");
    let mut damaged = whole.clone();
    damaged[100] ^= 1;
    std::fs::write(&state, &damaged).expect("written");
    assert!(why(&target).contains("`state/state.db` is not what was written"));
    std::fs::remove_file(&state).expect("removed");
    assert!(why(&target).contains("No such file"), "{}", why(&target));
    std::fs::write(&state, whole).expect("written");
    verify(&target).expect("whole again");
    let text = std::fs::read_to_string(target.join(MANIFEST)).expect("text");
    let newer = text.replace("\"format\": 2", "\"format\": 3");
    std::fs::write(target.join(MANIFEST), newer).expect("written");
    assert!(why(&target).contains("of format 3, this program knows up to 2"));
    let leads_out = text.replace("project/models/a.sql", "project/../../a.sql");
    std::fs::write(target.join(MANIFEST), leads_out).expect("written");
    assert!(
        why(&target).contains("is no path of a backup"),
        "{}",
        why(&target)
    );

    let mut bytes = std::fs::read(&archive).expect("bytes");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    std::fs::write(&archive, bytes).expect("written");
    assert!(why(&archive).contains("is not a whole backup"));
}

#[test]
fn nothing_is_overwritten_and_a_file_that_changes_is_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    for target in both(&folder) {
        assert!(Writer::create(&target).is_err());
    }
    let mut writer = Writer::create(&folder.path().join("other")).expect("a writer");
    writer.begin("project/a", 5).expect("begun");
    writer.write(b"abc").expect("written");
    assert!(writer.end().is_err());
}
