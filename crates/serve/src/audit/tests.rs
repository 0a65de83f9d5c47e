//! The log as it is written, read, mended and verified.

use std::path::Path;
use std::sync::Mutex;

use chrono::TimeDelta;

use super::*;

const KEY: &[u8] = b"0123456789abcdef0123456789abcdef";

/// A clock that goes on by a second each time.
pub(super) fn clock() -> Clock {
    let begin = DateTime::from_timestamp(1_800_000_000, 0).expect("a time");
    let time = Mutex::new(begin);
    Arc::new(move || {
        let mut time = time.lock().expect("the time");
        *time += TimeDelta::seconds(1);
        *time
    })
}

pub(super) fn place(folder: &Path) -> Place {
    Place::new(
        &folder.join("audit"),
        Some(folder.join("elsewhere/anchor")),
        KEY,
    )
}

pub(super) fn event(number: u64) -> Event {
    Event::new("ana", "rest", Action::Query, Outcome::Done)
        .from("203.0.113.7".parse().ok())
        .to(format!("star.dim_customer {number}"))
        .with_sql("select \"größe\" from t where email = 'ana@x.de'")
}

async fn write(place: &Place, count: u64) {
    let audit = Audit::open(place.clone(), clock()).expect("open");
    for number in 0..count {
        audit.append(event(number)).await.expect("noted");
    }
}

fn segment(place: &Place) -> std::path::PathBuf {
    place.folder.join("000000000001.jsonl")
}

#[tokio::test]
async fn records_are_noted_in_order_and_verified() {
    let folder = tempfile::tempdir().expect("folder");
    let place = place(folder.path());
    let empty = verify(&place).expect("read");
    assert_eq!((empty.records, &empty.first_bad), (0, &None));
    write(&place, 5).await;
    write(&place, 5).await;
    let found = verify(&place).expect("read");
    assert_eq!(
        (found.records, &found.first_bad, found.torn_bytes),
        (10, &None, 0)
    );
    assert!(found.anchored.expect("an anchor") >= 2, "{found:?}");
    let records = read(&place, 0, 100).expect("read");
    assert_eq!(records.len(), 10);
    assert!(
        records
            .iter()
            .zip(1..)
            .all(|(record, seq)| record.seq == seq)
    );
    let first = &records[0];
    assert_eq!(first.detail["sql"], "select \"?\" from t where email = ?");
    assert_eq!(
        (first.principal.as_str(), first.outcome.as_str()),
        ("ana", "done")
    );
    assert_eq!(first.address.as_deref(), Some("203.0.113.7"));
    assert_eq!(
        read(&place, 7, 2).expect("read").first().expect("one").seq,
        8
    );
    assert_eq!(last_sequence(&place).expect("read"), 10);
    // Every line is JSON that others can read.
    let text = std::fs::read_to_string(segment(&place)).expect("a file");
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).expect("JSON");
        assert!(line["hash"].is_string() && line["prev"].is_string());
    }
    let other = Place::new(&place.folder, None, b"fedcba9876543210fedcba9876543210");
    let found = verify(&other).expect("read").first_bad.expect("bad");
    assert_eq!((found.seq, found.line), (1, 1));
    assert!(Audit::open(other, clock()).is_err());
}

#[tokio::test]
async fn many_write_at_once_from_several_programs() {
    let folder = tempfile::tempdir().expect("folder");
    let place = place(folder.path());
    let logs: Vec<Audit> = (0..3)
        .map(|_| Audit::open(place.clone(), clock()).expect("open"))
        .collect();
    let writes = (0..300).map(|number| {
        let log = logs[number as usize % 3].clone();
        tokio::spawn(async move { log.append(event(number)).await.expect("noted") })
    });
    let mut sequences = Vec::new();
    for write in writes.collect::<Vec<_>>() {
        sequences.push(write.await.expect("ended"));
    }
    sequences.sort_unstable();
    assert_eq!(sequences, (1..=300).collect::<Vec<u64>>());
    drop(logs);
    let found = verify(&place).expect("read");
    assert_eq!((found.records, found.first_bad), (300, None));
}

/// What a killed process leaves: a line that is not whole, at every length.
#[tokio::test]
async fn a_torn_line_is_cut_off_and_nothing_noted_is_lost() {
    let folder = tempfile::tempdir().expect("folder");
    let place = place(folder.path());
    write(&place, 3).await;
    let whole = std::fs::read(segment(&place)).expect("a file");
    let anchor = std::fs::read(place.anchor.as_ref().expect("one")).expect("a file");
    let head = std::fs::read(place.folder.join("head")).expect("a file");
    let (line, _) = chain::seal(
        &event(9),
        &Head::parse(&head, &Key::derive(KEY, PURPOSE)).expect("a head"),
        DateTime::UNIX_EPOCH,
        &Key::derive(KEY, PURPOSE),
    );
    for length in (1..line.len()).step_by(7).chain([line.len()]) {
        let torn = [&whole, &line.as_bytes()[..length]].concat();
        std::fs::write(segment(&place), torn).expect("written");
        std::fs::write(place.folder.join("head"), &head).expect("written");
        std::fs::write(place.anchor.as_ref().expect("one"), &anchor).expect("written");
        let found = verify(&place).expect("read");
        assert_eq!((found.records, found.torn_bytes), (3, length as u64));
        assert_eq!(found.first_bad, None, "{length}");
        write(&place, 1).await;
        let found = verify(&place).expect("read");
        assert_eq!(
            (found.records, found.torn_bytes, found.first_bad),
            (5, 0, None)
        );
        let records = read(&place, 3, 10).expect("read");
        assert_eq!(records[0].object, "torn line cut off");
        assert_eq!(records[0].detail["bytes"], length);
    }
    // The line was written whole, the note of it was not: it is kept.
    let kept = [&whole, line.as_bytes(), b"\n"].concat();
    std::fs::write(segment(&place), kept).expect("written");
    std::fs::write(place.folder.join("head"), &head).expect("written");
    std::fs::write(place.anchor.as_ref().expect("one"), &anchor).expect("written");
    write(&place, 1).await;
    let found = verify(&place).expect("read");
    assert_eq!((found.records, found.first_bad), (5, None));
}

#[tokio::test]
async fn what_was_changed_stops_the_log() {
    let folder = tempfile::tempdir().expect("folder");
    let place = place(folder.path());
    write(&place, 4).await;
    let whole = std::fs::read_to_string(segment(&place)).expect("a file");
    let cut: String = whole
        .lines()
        .take(3)
        .map(|line| format!("{line}\n"))
        .collect();
    std::fs::write(segment(&place), cut).expect("written");
    let error = Audit::open(place.clone(), clock())
        .expect_err("cut")
        .to_string();
    assert!(
        error.contains("the records after 3 are missing, up to 4"),
        "{error}"
    );
    assert!(error.contains("audit verify"), "{error}");
    let found = verify(&place).expect("read").first_bad.expect("bad");
    assert_eq!(
        (found.seq, found.line, found.file.as_str()),
        (4, 4, "000000000001.jsonl")
    );
    // With the note gone too, the anchor still knows.
    std::fs::remove_file(place.folder.join("head")).expect("removed");
    let found = verify(&place).expect("read").first_bad.expect("bad");
    assert_eq!(
        found.why,
        "it is missing: the anchor knows of records up to 4"
    );
    // And somebody who goes on as if nothing was is found out as well.
    write(&place, 2).await;
    let found = verify(&place).expect("read").first_bad.expect("bad");
    assert_eq!(
        (found.seq, found.why.as_str()),
        (4, "it is not the record that was noted")
    );
}

#[tokio::test]
async fn a_log_that_vanishes_under_its_writer_is_not_begun_anew() {
    let folder = tempfile::tempdir().expect("folder");
    let place = place(folder.path());
    let audit = Audit::open(place.clone(), clock()).expect("open");
    audit.append(event(1)).await.expect("noted");
    std::fs::remove_file(segment(&place)).expect("removed");
    assert!(audit.append(event(2)).await.is_err());
}

#[tokio::test]
async fn a_file_that_is_full_is_followed_by_another() {
    let folder = tempfile::tempdir().expect("folder");
    let place = place(folder.path());
    write(&place, 2).await;
    // As if the next record had found the first file full.
    let made = std::fs::write(place.folder.join("000000000003.jsonl"), "");
    made.expect("written");
    write(&place, 2).await;
    let second = std::fs::read_to_string(place.folder.join("000000000003.jsonl"));
    assert_eq!(second.expect("a file").lines().count(), 2);
    assert_eq!(verify(&place).expect("read").first_bad, None);
    assert_eq!(read(&place, 2, 10).expect("read").len(), 2);
    assert_eq!(read(&place, 0, 10).expect("read").len(), 4);
    std::fs::remove_file(segment(&place)).expect("removed");
    let found = verify(&place).expect("read").first_bad.expect("bad");
    assert_eq!((found.seq, found.file.as_str()), (1, "000000000003.jsonl"));
}

#[tokio::test]
async fn what_nobody_waits_for_is_noted_too() {
    let folder = tempfile::tempdir().expect("folder");
    let place = place(folder.path());
    let audit = Audit::open(place.clone(), clock()).expect("open");
    for number in 0..50 {
        audit.note(event(number));
    }
    assert_eq!(
        audit.append(event(50)).await.expect("noted"),
        51,
        "in their order"
    );
    audit.note(event(51));
    drop(audit);
    assert_eq!(last_sequence(&place).expect("read"), 52, "to the end");
}

#[tokio::test]
async fn only_its_owner_reads_it() {
    let folder = tempfile::tempdir().expect("folder");
    let place = place(folder.path());
    write(&place, 1).await;
    #[cfg(unix)]
    for entry in std::fs::read_dir(&place.folder).expect("a folder") {
        use std::os::unix::fs::PermissionsExt as _;
        let entry = entry.expect("an entry");
        let mode = entry.metadata().expect("about it").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", entry.file_name());
    }
}
