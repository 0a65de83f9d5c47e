//! Files that are not what they are said to be, or no longer whole: each is refused with what,
//! where and why, or its rows are taken and the damage is counted.

use ::parquet::basic::Compression as PageCompression;
use domain::config::FileFormat;

use super::json::parquet_bytes;
use super::*;

/// A file that is refused.
struct Refused {
    name: &'static str,
    content: Vec<u8>,
    files: FileConfig,
    /// What is said.
    message: &'static str,
}

fn refused(name: &'static str, content: impl Into<Vec<u8>>, message: &'static str) -> Refused {
    Refused {
        name,
        content: content.into(),
        files: FileConfig::default(),
        message,
    }
}

impl Refused {
    fn said_to_be(mut self, format: FileFormat) -> Self {
        self.files.format = Some(format);
        self
    }

    fn encoded_as(mut self, encoding: &str) -> Self {
        self.files.encoding = Some(encoding.to_owned());
        self
    }

    fn compressed_as(mut self, compression: Compression) -> Self {
        self.files.compression = Some(compression);
        self
    }
}

fn utf_16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

const CSV: &str = "id,name\n1,Kim\n2,Zoë\n";
const JSON: &str = "{\"id\":1}\n{\"id\":2}\n";

/// Files of another format than is said.
fn misdeclared() -> Vec<Refused> {
    let parquet = || parquet_bytes(PageCompression::UNCOMPRESSED);
    vec![
        refused("a.csv", JSON, "the file's name says CSV, but it holds JSON"),
        refused("a.dat", JSON, "`format` says CSV, but it holds JSON").said_to_be(FileFormat::Csv),
        refused(
            "a.tsv",
            "[{\"id\":1}]",
            "the file's name says TSV, but it holds JSON",
        ),
        refused(
            "a.csv",
            parquet(),
            "the file's name says CSV, but it holds Parquet",
        ),
        refused("a", parquet(), "`format` says CSV, but it holds Parquet")
            .said_to_be(FileFormat::Csv),
        refused(
            "a.json",
            parquet(),
            "the file's name says JSON, but it holds Parquet",
        ),
        refused(
            "a.json",
            CSV,
            "the file's name says JSON, but it holds no JSON, perhaps CSV",
        ),
        refused(
            "a.ndjson",
            CSV,
            "the file's name says JSON lines, but it holds no JSON, perhaps CSV",
        ),
        refused(
            "a.parquet",
            JSON,
            "the file's name says Parquet, but it holds JSON",
        ),
        refused(
            "a.parquet",
            CSV,
            "the file's name says Parquet, but it holds something else, perhaps text",
        ),
        refused(
            "a.parquet",
            "",
            "the file's name says Parquet, but it holds nothing",
        ),
        refused(
            "a.csv",
            gz(CSV.as_bytes()),
            "`compression` says none, but it holds gz",
        )
        .compressed_as(Compression::None),
        refused(
            "a.csv",
            zst(CSV.as_bytes()),
            "`compression` says gz, but it holds zst",
        )
        .compressed_as(Compression::Gz),
        refused(
            "a.csv.gz",
            CSV,
            "`compression` says gz, but it holds bytes that are not compressed by it",
        )
        .compressed_as(Compression::Gz),
        refused(
            "a.csv",
            "",
            "the compressed data are cut off: the zst stream ends before its end mark",
        )
        .compressed_as(Compression::Zst),
        refused(
            "a.csv",
            vec![0; 100],
            "it is nothing but zero bytes (perhaps its writer was cut off), which is not read",
        ),
        refused(
            "a.csv",
            (0..200).map(|n| n % 32).collect::<Vec<u8>>(),
            "it is binary data, which is not read",
        ),
    ]
}

/// Files in another encoding than is said.
fn wrongly_encoded() -> Vec<Refused> {
    let mut late = "id,name\n".to_owned().into_bytes();
    late.extend("1,Kim\n".repeat(200_000).into_bytes());
    late.extend(b"2,Zo\xeb\n");
    vec![
        refused(
            "a.csv",
            b"id,name\n1,Kim\n2,Zo\xeb\n",
            "line 3 is not written in UTF-8, which `encoding` says",
        )
        .encoded_as("utf-8"),
        refused(
            "late.csv",
            late,
            "line 200002 is not written in UTF-8, which `encoding` says",
        )
        .encoded_as("utf-8"),
        refused(
            "a.csv",
            CSV,
            "line 3 is not written in windows-1252, which `encoding` says; it seems to be UTF-8",
        )
        .encoded_as("latin1"),
        refused(
            "a.csv",
            utf_16(CSV),
            "line 1 is not written in UTF-8, which `encoding` says; it seems to be UTF-16LE",
        )
        .encoded_as("utf-8"),
        refused(
            "a.ndjson",
            JSON,
            "line 1 is not written in UTF-16LE, which `encoding` says; it seems to be UTF-8",
        )
        .encoded_as("utf-16le"),
    ]
}

#[test]
fn what_is_refused_is_refused_with_its_reason_and_a_hint() {
    for case in misdeclared().into_iter().chain(wrongly_encoded()) {
        let error = load_with(case.name, &case.content, case.files)
            .map(|loaded| loaded.stats)
            .expect_err(case.message);
        assert_eq!(error.to_string(), case.message);
        assert!(error.hint().is_some(), "{error}");
        let error = FileError {
            file: format!("in/{}", case.name),
            error,
        };
        let wanted = format!("cannot read `in/{}`: {}", case.name, case.message);
        assert_eq!(error.to_string(), wanted);
    }
}

#[test]
fn what_is_not_said_is_recognised() {
    let parquet = parquet_bytes(PageCompression::SNAPPY);
    assert_eq!(load("export", parquet).expect("rows").stats.rows, 2);
    assert_eq!(
        load("export", JSON).expect("rows").stats.format,
        FileFormat::Json
    );
    // Names in brackets are a header, as SQL Server writes it.
    let loaded = load("a.csv", "[id],[name]\n1,x\n").expect("rows");
    assert_eq!(loaded.stats.columns, ["[id]", "[name]"]);
    // Most letters of this UTF-16 are not Latin.
    let greek = "όνομα,ποσό\nΖωή,12,5\nΆννα,3,10\n1,2\n3,4\n5,6\n7,8\n";
    let loaded = load("a.csv", utf_16(greek)).expect("rows");
    assert_eq!(loaded.stats.encoding, Some("UTF-16LE"));
    assert_eq!(loaded.texts("όνομα")[0], "Ζωή");
    // Bytes that are no UTF-8 in the middle of a file of which nothing is said.
    let mut content = CSV.repeat(20_000).into_bytes();
    content.extend(b"3,Ren\xe9\n4,\xff\xfe\n");
    let loaded = load("a.csv", content).expect("rows");
    assert_eq!(loaded.stats.replaced_characters.count, 3);
    assert_eq!(loaded.stats.replaced_characters.first_line, 60_001);
    assert_eq!(loaded.stats.rows, 40_002);
}

#[test]
fn a_last_line_that_is_cut_is_a_row_of_its_own() {
    let loaded = load("a.ndjson", "{\"id\":1}\n{\"id\":2}\n{\"id\":3,\"na").expect("rows");
    assert_eq!(loaded.malformed(), [false, false, true]);
    assert_eq!(loaded.stats.malformed_rows.first_line, 3);
    let loaded = load("a.csv", "id,name\n1,Kim\n2,Zo\n3").expect("rows");
    assert_eq!(loaded.column("name")[2], None);
    assert_eq!(loaded.stats.short_rows.first_line, 4);
    let hints = loaded
        .stats
        .warnings()
        .into_iter()
        .filter_map(|warning| warning.hint());
    assert!(hints.into_iter().any(|hint| hint.contains("cut off")));
}

#[test]
fn a_million_columns_and_a_million_fields() {
    let many = (0..1_000_000)
        .map(|n| format!("c{n}"))
        .collect::<Vec<_>>()
        .join(",");
    let error = load("a.csv", &many).expect_err("an error");
    assert_eq!(
        error.to_string(),
        "the header has 1000000 columns, more than 4096"
    );
    let loaded = load("a.csv", format!("a,b\n1,2\n{many}\n3,4\n")).expect("rows");
    assert_eq!(loaded.texts("a"), ["1", "c0", "3"]);
    assert_eq!(loaded.stats.long_rows.first_line, 3);
}

/// What is read of a sink that counts only.
fn count(name: &str, content: Vec<u8>) -> Result<ReadStats, FileError> {
    let fixture = fixture(name, content);
    let hash = fixture.file.content_hash().expect("a hash");
    let mut sink = |_: RecordBatch| -> Result<(), SinkError> { Ok(()) };
    read(
        &stream(FileConfig::default()),
        &fixture.file,
        &hash,
        &mut sink,
    )
}

#[test]
fn little_that_unpacks_to_much_is_read_in_pieces() {
    // Each piece is 1 MiB of rows, of which gzip leaves a few kilobytes.
    let rows = "1,the same row again and again\n".repeat(32 << 10);
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(b"id,text\n").expect("compressed");
    for _ in 0..64 {
        encoder.write_all(rows.as_bytes()).expect("compressed");
    }
    let bomb = encoder.finish().expect("compressed");
    assert!(bomb.len() < 1 << 20, "{} bytes", bomb.len());
    assert_eq!(count("a.csv.gz", bomb).expect("rows").rows, 64 << 15);

    // Without line ends it is one row, which ends at the limit.
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).expect("an encoder");
    for _ in 0..256 {
        encoder.write_all(&[b'x'; 1 << 20]).expect("compressed");
    }
    let bomb = encoder.finish().expect("compressed");
    let error = count("a.csv.zst", bomb).expect_err("an error");
    assert!(
        matches!(error.error, ReadError::RecordTooLong { line: 1, .. }),
        "{error:?}"
    );
}

#[cfg(unix)]
#[test]
fn a_pipe_is_not_waited_for() {
    let fixture = fixture("a.csv", CSV);
    fs::remove_file(&fixture.path).expect("removed");
    let made = std::process::Command::new("mkfifo")
        .arg(&fixture.path)
        .status();
    assert!(made.expect("mkfifo").success());
    assert!(matches!(
        fixture.file.content_hash(),
        Err(ReadError::NotAFile)
    ));
    let error = read(
        &stream(FileConfig::default()),
        &fixture.file,
        "",
        &mut Collected::default(),
    );
    assert!(matches!(
        error.expect_err("an error").error,
        ReadError::NotAFile
    ));
}

#[test]
fn parquet_is_one_and_the_same_file_all_the_while() {
    let whole = parquet_bytes(PageCompression::UNCOMPRESSED);
    let fixture = fixture("a.parquet", &whole);
    let hash = fixture.file.content_hash().expect("a hash");
    let times = fs::metadata(&fixture.path)
        .and_then(|metadata| metadata.modified())
        .expect("time");
    // The same size and time, other content: one digit of a value.
    let at = whole
        .windows(4)
        .position(|bytes| bytes == b"k\n\"\xc3")
        .expect("the value");
    let mut other = whole;
    other[at] = b'K';
    fs::write(&fixture.path, other).expect("written");
    let file = fs::File::options()
        .write(true)
        .open(&fixture.path)
        .expect("the file");
    file.set_modified(times).expect("a time");
    let stream = stream(FileConfig::default());
    let error = read(&stream, &fixture.file, &hash, &mut Collected::default());
    assert!(error.expect_err("an error").is_changing());
}
