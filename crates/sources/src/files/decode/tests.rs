//! Files made of bytes in the test, read whole: what comes out, and how it fails.

mod bad;
mod json;
mod preamble;
mod real;
mod text;

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, TimestampMicrosecondType};
use domain::config::{Compression, FileConfig};
use tempfile::TempDir;

use super::*;
use crate::sink::{Collected, SinkError};

/// A stream with these settings.
fn stream(files: FileConfig) -> Stream {
    Stream {
        source: "shop".to_owned(),
        name: "orders".to_owned(),
        kind: None,
        paths: Vec::new(),
        files,
        zone: None,
        currency: None,
    }
}

/// A file in a folder of its own.
struct Fixture {
    _folder: TempDir,
    path: PathBuf,
    file: FoundFile,
}

fn fixture(name: &str, content: impl AsRef<[u8]>) -> Fixture {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    fs::write(&path, content).expect("a file");
    let file = FoundFile::at(&path, format!("in/{name}")).expect("a file");
    Fixture {
        _folder: folder,
        path,
        file,
    }
}

/// What a file came to.
#[derive(Debug)]
struct Loaded {
    stats: ReadStats,
    rows: Collected,
}

impl Loaded {
    /// All values of a text column.
    fn column(&self, name: &str) -> Vec<Option<String>> {
        let of_batch = |batch: &RecordBatch| {
            let column = batch
                .column_by_name(name)
                .unwrap_or_else(|| panic!("no `{name}`"));
            let values = column.as_string::<i32>().iter();
            values
                .map(|value| value.map(str::to_owned))
                .collect::<Vec<_>>()
        };
        self.rows.batches.iter().flat_map(of_batch).collect()
    }

    /// All values of a text column, which has no nulls.
    fn texts(&self, name: &str) -> Vec<String> {
        self.column(name)
            .into_iter()
            .map(|value| value.expect("a value"))
            .collect()
    }

    fn numbers(&self, name: &str) -> Vec<i64> {
        let of_batch = |batch: &RecordBatch| {
            let column = batch
                .column_by_name(name)
                .unwrap_or_else(|| panic!("no `{name}`"));
            column.as_primitive::<Int64Type>().values().to_vec()
        };
        self.rows.batches.iter().flat_map(of_batch).collect()
    }

    fn effective_at(&self) -> Vec<Option<i64>> {
        let of_batch = |batch: &RecordBatch| {
            let column = batch.column_by_name("_effective_at").expect("the column");
            column
                .as_primitive::<TimestampMicrosecondType>()
                .iter()
                .collect::<Vec<_>>()
        };
        self.rows.batches.iter().flat_map(of_batch).collect()
    }

    fn malformed(&self) -> Vec<bool> {
        let of_batch = |batch: &RecordBatch| {
            let column = batch.column_by_name("_malformed").expect("the column");
            column.as_boolean().iter().flatten().collect::<Vec<_>>()
        };
        self.rows.batches.iter().flat_map(of_batch).collect()
    }

    fn names(&self) -> Vec<String> {
        let schema = self.rows.schema.as_ref().expect("an opened sink");
        schema
            .fields()
            .iter()
            .map(|field| field.name().clone())
            .collect()
    }

    fn warnings(&self) -> Vec<String> {
        self.stats
            .warnings()
            .iter()
            .map(ToString::to_string)
            .collect()
    }
}

fn load_file(fixture: &Fixture, stream: &Stream, limits: Limits) -> Result<Loaded, ReadError> {
    let mut rows = Collected::default();
    let hash = fixture.file.content_hash()?;
    let stats = read_within(stream, &fixture.file, &hash, &mut rows, limits)?;
    assert_eq!(
        stats.rows,
        rows.batches
            .iter()
            .map(|batch| batch.num_rows() as u64)
            .sum::<u64>()
    );
    assert_eq!(stats.batches, rows.batches.len() as u64);
    Ok(Loaded { stats, rows })
}

fn load_with(
    name: &str,
    content: impl AsRef<[u8]>,
    files: FileConfig,
) -> Result<Loaded, ReadError> {
    load_file(&fixture(name, content), &stream(files), Limits::default())
}

/// Reads with nothing set.
fn load(name: &str, content: impl AsRef<[u8]>) -> Result<Loaded, ReadError> {
    load_with(name, content, FileConfig::default())
}

fn gz(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content).expect("compressed");
    encoder.finish().expect("compressed")
}

fn zst(content: &[u8]) -> Vec<u8> {
    zstd::encode_all(content, 1).expect("compressed")
}

/// Rows `n,<n>` below a header.
fn many_rows(count: usize) -> String {
    let mut text = "name,number\n".to_owned();
    for number in 1..=count {
        text.push_str(&format!("n,{number}\n"));
    }
    text
}

#[test]
fn rows_know_where_they_are_from() {
    let fixture = fixture("orders.csv", "id,total\n1,2.50\n2,3.50\n");
    let loaded = load_file(&fixture, &stream(FileConfig::default()), Limits::default());
    let loaded = loaded.expect("rows");
    let columns: [&str; 9] = [
        "_raw_id",
        "_file_id",
        "_file",
        "_row",
        "_effective_at",
        "_row_hash",
        "id",
        "total",
        "_surplus",
    ];
    assert_eq!(loaded.names(), columns);
    let hash = fixture.file.content_hash().expect("a hash");
    let file_id = id::file_id("shop", "orders", "in/orders.csv", &hash);
    assert_eq!(loaded.numbers("_file_id"), [file_id, file_id]);
    assert_eq!(loaded.numbers("_row"), [1, 2]);
    assert_eq!(
        loaded.numbers("_raw_id"),
        [id::raw_id(file_id, 1), id::raw_id(file_id, 2)]
    );
    assert_eq!(
        loaded.numbers("_row_hash"),
        [id::row_hash(b"1,2.50"), id::row_hash(b"2,3.50")]
    );
    assert_eq!(loaded.texts("_file"), ["in/orders.csv", "in/orders.csv"]);
    assert_eq!(loaded.effective_at(), [None, None]);
    assert_eq!(loaded.texts("total"), ["2.50", "3.50"]);
    assert_eq!(loaded.column("_surplus"), [None, None]);
    assert_eq!(loaded.warnings(), Vec::<String>::new());
}

#[test]
fn rows_come_in_batches() {
    let loaded = load("rows.csv", many_rows(20_000)).expect("rows");
    let sizes: Vec<_> = loaded
        .rows
        .batches
        .iter()
        .map(RecordBatch::num_rows)
        .collect();
    assert_eq!(sizes, [8192, 8192, 3616]);
    assert_eq!(loaded.numbers("_row"), (1..=20_000).collect::<Vec<_>>());
    let record = format!("{{\"a\":\"{}\"}}\n", "x".repeat(1 << 20));
    let loaded = load("large.ndjson", record.repeat(20)).expect("rows");
    let sizes: Vec<_> = loaded
        .rows
        .batches
        .iter()
        .map(RecordBatch::num_rows)
        .collect();
    assert_eq!(sizes, [8, 8, 4], "eight mebibytes at most");
}

#[test]
fn compressed_files_of_several_members() {
    let (head, tail) = ("a,b\n1,2\n", "3,4\n");
    let members = [gz(head.as_bytes()), gz(tail.as_bytes())].concat();
    let frames = [zst(head.as_bytes()), zst(tail.as_bytes())].concat();
    for (name, content, compression) in [
        ("x.csv.gz", members.clone(), Compression::Gz),
        ("x.csv", members, Compression::Gz),
        ("x.csv.zst", frames, Compression::Zst),
        (
            "x.csv.gz",
            [head, tail].concat().into_bytes(),
            Compression::None,
        ),
    ] {
        let loaded = load(name, content).expect("rows");
        assert_eq!(loaded.stats.compression, compression, "{name}");
        assert_eq!(loaded.texts("b"), ["2", "4"], "{name}");
    }
}

#[test]
fn a_file_that_is_cut_off_is_an_error_at_whatever_place() {
    let text = many_rows(2_000);
    for (name, whole) in [
        ("x.csv.gz", gz(text.as_bytes())),
        ("x.csv.zst", zst(text.as_bytes())),
    ] {
        for length in [5, 20, whole.len() / 2, whole.len() - 1] {
            let error = load(name, &whole[..length]).expect_err("an error");
            assert!(
                matches!(error, ReadError::Truncated { .. }),
                "{name} {length}: {error:?}"
            );
            assert!(error.hint().is_some());
        }
        let error = load(name, b"").expect_err("an error");
        assert!(
            matches!(error, ReadError::Truncated { .. }),
            "{name} empty: {error:?}"
        );
    }
    let mut damaged = gz(text.as_bytes());
    let middle = damaged.len() / 2;
    damaged[middle..middle + 8].fill(0xff);
    let error = load("x.csv.gz", damaged).expect_err("an error");
    assert!(matches!(error, ReadError::Damaged { .. }), "{error:?}");
}

#[test]
fn what_is_no_data_is_said_to_be_so() {
    for (content, what) in [
        (&b"PK\x03\x04rest"[..], "a zip archive or an Excel workbook"),
        (b"%PDF-1.7", "a PDF document"),
        (
            b"\n<!DOCTYPE html><p>log in",
            "a web page (perhaps an error page instead of the export)",
        ),
    ] {
        let error = load("export.csv", content).expect_err("an error");
        assert_eq!(
            error.to_string(),
            format!("it is {what}, which is not read")
        );
    }
    let twice = gz(&gz(b"a,b\n"));
    assert!(matches!(
        load("x.csv.gz", twice),
        Err(ReadError::NotReadable { .. })
    ));
}

#[test]
fn a_folder_is_no_file_and_what_is_gone_is_gone() {
    let fixture = fixture("a.csv", "a\n1\n");
    let folder = fixture.path.parent().expect("a folder").to_owned();
    assert!(matches!(
        FoundFile::at(&folder, "in"),
        Err(ReadError::NotAFile)
    ));
    let as_folder = FoundFile {
        path: folder.clone(),
        ..fixture.file.clone()
    };
    let mut sink = Collected::default();
    let stream = stream(FileConfig::default());
    let error = read(&stream, &as_folder, "", &mut sink).expect_err("an error");
    assert!(matches!(error.error, ReadError::NotAFile), "{error:?}");
    let gone = FoundFile {
        path: folder.join("b.csv"),
        ..fixture.file.clone()
    };
    let error = read(&stream, &gone, "", &mut sink).expect_err("an error");
    assert!(matches!(error.error, ReadError::Gone), "{error:?}");
    assert_eq!(
        error.to_string(),
        "cannot read `in/a.csv`: the file no longer exists"
    );
}

#[cfg(unix)]
#[test]
fn a_file_that_may_not_be_read() {
    use std::os::unix::fs::PermissionsExt;
    let fixture = fixture("a.csv", "a\n1\n");
    let none = fs::Permissions::from_mode(0o000);
    fs::set_permissions(&fixture.path, none).expect("permissions");
    if fs::File::open(&fixture.path).is_ok() {
        eprintln!("skipped: this user may read everything");
    } else {
        assert!(matches!(
            fixture.file.content_hash(),
            Err(ReadError::NoPermission)
        ));
        let stream = stream(FileConfig::default());
        let error = read(&stream, &fixture.file, "", &mut Collected::default());
        assert!(matches!(
            error.expect_err("an error").error,
            ReadError::NoPermission
        ));
    }
    let refused: ReadError = std::io::Error::from(std::io::ErrorKind::PermissionDenied).into();
    assert!(matches!(refused, ReadError::NoPermission));
}

/// Reads a file that something happens to after its first batch.
fn load_while(fixture: &Fixture, happens: impl Fn()) -> Result<ReadStats, FileError> {
    let hash = fixture.file.content_hash().expect("a hash");
    let mut sink = |_: RecordBatch| -> Result<(), SinkError> {
        happens();
        Ok(())
    };
    read(
        &stream(FileConfig::default()),
        &fixture.file,
        &hash,
        &mut sink,
    )
}

#[test]
fn a_file_that_changes_while_it_is_read_is_left_for_the_next_run() {
    let text = many_rows(200_000);
    let grown = fixture("grows.csv", &text);
    let append = || {
        let mut file = fs::File::options()
            .append(true)
            .open(&grown.path)
            .expect("the file");
        file.write_all(b"n,0\n").expect("written");
    };
    let error = load_while(&grown, append).expect_err("an error");
    assert!(error.is_changing(), "{error:?}");
    assert!(
        load_while(&grown, || ())
            .expect_err("an error")
            .is_changing(),
        "found before"
    );

    // The same size and the same time, but other content: the hash tells.
    let same = fixture("same.csv", &text);
    let times = fs::metadata(&same.path)
        .and_then(|metadata| metadata.modified())
        .expect("a time");
    let replace = || {
        fs::write(&same.path, text.replace('n', "m")).expect("written");
        let file = fs::File::options()
            .write(true)
            .open(&same.path)
            .expect("the file");
        file.set_modified(times).expect("a time");
    };
    assert!(
        load_while(&same, replace)
            .expect_err("an error")
            .is_changing()
    );

    let deleted = fixture("deleted.csv", &text);
    let error = load_while(&deleted, || {
        let _ = fs::remove_file(&deleted.path);
    });
    assert!(matches!(
        error.expect_err("an error").error,
        ReadError::Gone
    ));
}

#[test]
fn content_that_returns_gets_other_ids() {
    let fixture = fixture("a.csv", "a\n1\n");
    let hash = fixture.file.content_hash().expect("a hash");
    let stream = stream(FileConfig::default());
    let ids = |identity: &str| {
        let mut rows = Collected::default();
        let stats = read(&stream, &fixture.file, identity, &mut rows).expect("rows");
        Loaded { stats, rows }.numbers("_file_id")
    };
    let again = format!("{hash}#3");
    assert_eq!(
        ids(&again),
        [id::file_id("shop", "orders", "in/a.csv", &again)]
    );
    assert_ne!(ids(&again), ids(&hash));
}

#[test]
fn a_sink_can_end_the_reading() {
    let fixture = fixture("a.csv", "a\n1\n");
    let hash = fixture.file.content_hash().expect("a hash");
    let mut closed = |_: RecordBatch| Err(SinkError::closed());
    let error = read(
        &stream(FileConfig::default()),
        &fixture.file,
        &hash,
        &mut closed,
    );
    assert!(matches!(
        error.expect_err("an error").error,
        ReadError::Sink(_)
    ));
}

#[test]
fn more_rows_than_ids_are_an_error() {
    let limits = Limits {
        rows_max: 2,
        ..Limits::default()
    };
    for (name, content) in [("a.csv", "a\n1\n2\n3\n"), ("a.json", "[{},{},{}]")] {
        let error = load_file(
            &fixture(name, content),
            &stream(FileConfig::default()),
            limits,
        );
        assert!(
            matches!(error, Err(ReadError::TooManyRows { limit: 2 })),
            "{error:?}"
        );
    }
}

#[test]
fn settings_that_are_not_valid_are_named() {
    let with = |change: fn(&mut Stream)| {
        let mut stream = stream(FileConfig::default());
        change(&mut stream);
        let error = load_file(&fixture("a.csv", "a\n1\n"), &stream, Limits::default());
        match error.expect_err("an error") {
            ReadError::Setting { setting, .. } => setting,
            error => panic!("{error:?}"),
        }
    };
    assert_eq!(
        with(|stream| stream.zone = Some("Mars/Olympus".into())),
        "zone"
    );
    assert_eq!(
        with(|stream| stream.files.encoding = Some("klingon".into())),
        "encoding"
    );
    assert_eq!(
        with(|stream| stream.files.delimiter = Some("::".into())),
        "delimiter"
    );
}
