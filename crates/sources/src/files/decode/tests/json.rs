//! JSON in its shapes, and Parquet as JSON.

use std::sync::Arc;

use ::parquet::arrow::ArrowWriter;
use ::parquet::basic::Compression as PageCompression;
use ::parquet::file::properties::WriterProperties;
use arrow_array::builder::{Int64Builder, ListBuilder};
use arrow_array::{
    ArrayRef, Date32Array, Decimal128Array, Float64Array, Int64Array, StringArray, StructArray,
    TimestampMicrosecondArray,
};
use arrow_schema::{DataType, Field};
use domain::config::EffectiveAt;
use domain::parse::instant_us;

use super::*;

fn at_records(path: &str) -> FileConfig {
    FileConfig {
        records: Some(path.to_owned()),
        ..FileConfig::default()
    }
}

#[test]
fn one_record_however_the_file_is_laid_out() {
    let record = r#"{"a":[1,{"b":"},]\"{"}],"c":null}"#;
    for (name, content) in [
        ("a.json", record.to_owned()),
        ("a.json", format!(" \n{record}\n\n")),
        ("a.json", format!("[{record}]")),
        ("a.json", format!("[\n {record}\n]\n")),
        ("a.ndjson", format!("{record}\r\n")),
        ("a.jsonl", format!("\u{feff}{record}")),
        ("a.ndjson", format!("[{record}]")),
        ("a", record.to_owned()),
    ] {
        let loaded = load(name, &content).expect("a row");
        assert_eq!(loaded.texts("payload"), [record], "{content}");
        assert_eq!(loaded.malformed(), [false], "{content}");
        let columns = loaded.names();
        assert_eq!(columns[6..], ["payload", "_malformed"]);
    }
}

#[test]
fn several_records_however_they_are_parted() {
    let expected = ["{\"a\":1}", "{\"a\":2}", "{\"a\":3}"];
    for (name, content) in [
        ("a.ndjson", "{\"a\":1}\n{\"a\":2}\n\n{\"a\":3}"),
        ("a.json", "{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n"),
        ("a.json", "[{\"a\":1},{\"a\":2},{\"a\":3}]"),
        ("a.json", "[\n{\"a\":1}\n,\n{\"a\":2},{\"a\":3}\n]"),
        ("a.json", "{\"a\":1}{\"a\":2} {\"a\":3}"),
        ("a.ndjson", "{\"a\":1}{\"a\":2}\n{\"a\":3}"),
        ("a.json", "[{\"a\":1},{\"a\":2}]\n{\"a\":3}"),
    ] {
        let loaded = load(name, content).expect("rows");
        assert_eq!(loaded.texts("payload"), expected, "{content}");
        assert_eq!(loaded.numbers("_row"), [1, 2, 3]);
    }
    let loaded = load("a.json", "{\n\"a\": 1\n}\n{\n\"a\": 2\n}\n").expect("rows");
    assert_eq!(
        loaded.texts("payload"),
        ["{\n\"a\": 1\n}", "{\n\"a\": 2\n}"]
    );
}

#[test]
fn records_at_a_path() {
    for (content, path, expected) in [
        (
            "{\"data\":{\"items\":[{\"a\":1},{\"a\":2}],\"next\":null}}",
            "data.items",
            2,
        ),
        (
            "{\"x\":[[\"data\",{}]],\"data\":{\"items\":[{\"a\":1}]}}",
            "$.data.items",
            1,
        ),
        (
            "{\"pages\":[{\"items\":[1,2]},{\"items\":[]},{\"items\":[3]}]}",
            "pages.items",
            3,
        ),
        ("{\"data\":{\"a\":1}}", "data", 1),
        ("{\"data\":[]}", "data", 0),
        ("{\"data\":null}", "data", 0),
        (
            "{\"data\":[{\"a\":1}]}\n{\"data\":[{\"a\":2}]}\n{\"other\":1}",
            "data",
            2,
        ),
        ("[{\"data\":[{\"a\":1}]},{\"data\":[{\"a\":2}]}]", "data", 2),
    ] {
        let loaded = load_with("a.json", content, at_records(path)).expect("rows");
        assert_eq!(loaded.stats.rows, expected, "{content}");
    }
    let content = "{\"meta\":{},\"data\":{\"rows\":[{\"a\":1}]}}";
    let error = load_with("a.json", content, at_records("data.items")).expect_err("an error");
    assert_eq!(
        error.to_string(),
        "no document has records at `data.items`; at `data` there is: `rows`"
    );
    assert!(error.hint().is_some());
}

#[test]
fn a_line_that_is_no_json_is_kept() {
    let content = "{\"a\":1}\n{\"a\":\n{\"a\":\"\u{1}\"}\nnot json\n{\"a\":2}x\n{\"a\":2}";
    let loaded = load("a.ndjson", content).expect("rows");
    let payloads = [
        "{\"a\":1}",
        "{\"a\":",
        "{\"a\":\"\u{1}\"}",
        "not json",
        "{\"a\":2}x",
        "{\"a\":2}",
    ];
    assert_eq!(loaded.texts("payload"), payloads);
    assert_eq!(loaded.malformed(), [false, true, true, true, true, false]);
    assert_eq!(
        loaded.warnings(),
        ["4 records are no valid JSON, the first on line 2"]
    );
    let loaded = load("a.json", "[{\"a\":1},{\"a\":1,},{\"a\":2}]").expect("rows");
    assert_eq!(loaded.malformed(), [false, true, false]);
}

#[test]
fn a_document_that_is_broken_is_an_error() {
    for (content, line) in [
        ("[{\"a\":1},\n{\"a\":2}", 2),
        ("[{\"a\":1},\n{\"a\":2", 2),
        ("[\n{\"a\":1}\n,oops]", 3),
        ("[\n{\"a\":\"1]\n", 2),
    ] {
        match load("a.json", content) {
            Err(ReadError::JsonBroken { line: at, .. }) => assert_eq!(at, line, "{content}"),
            other => panic!("{content}: {other:?}"),
        }
    }
    for content in [
        "{\"data\":[{\"a\":1}",
        "{\"x\":",
        "{\"x\":}",
        "{\"x\"}",
        "{\"x\":[1}",
        "{x:1}",
    ] {
        let error = load_with("a.json", content, at_records("data"));
        assert!(
            matches!(error, Err(ReadError::JsonBroken { .. })),
            "{content}: {error:?}"
        );
    }
    assert_eq!(load("a.json", "").expect("no rows").stats.rows, 0);
    assert_eq!(load("a.json", "[]").expect("no rows").stats.rows, 0);
}

#[test]
fn records_are_whole_wherever_a_piece_ends() {
    let record = r#"{"é":"\"\\😀","n":[1.5e3,true,null]}"#;
    let skipped = r#"{"skip":{"é":["\"}]😀",1]},"data":["#;
    for chunk_bytes in 1..30 {
        let limits = Limits {
            chunk_bytes,
            ..Limits::default()
        };
        for (content, files) in [
            ([record; 9].join("\n"), FileConfig::default()),
            (
                format!("[{}]", [record; 9].join(" , ")),
                FileConfig::default(),
            ),
            (
                format!("{skipped}{}]}}", [record; 9].join(",")),
                at_records("data"),
            ),
        ] {
            let fixture = fixture("a.json", &content);
            let loaded = load_file(&fixture, &stream(files), limits).expect("rows");
            assert_eq!(loaded.texts("payload"), vec![record; 9], "{content}");
        }
    }
}

#[test]
fn a_record_may_be_long_but_not_endless() {
    let limits = Limits {
        record_bytes_max: 1_000,
        chunk_bytes: 100,
        ..Limits::default()
    };
    let long = "x".repeat(5_000);
    for (name, content, files) in [
        (
            "a.ndjson",
            format!("{{\"a\":1}}\n\"{long}\"\n"),
            FileConfig::default(),
        ),
        ("a.json", format!("[1,\n\"{long}\"]"), FileConfig::default()),
    ] {
        let error = load_file(&fixture(name, content), &stream(files), limits);
        assert!(
            matches!(error, Err(ReadError::RecordTooLong { line: 2, .. })),
            "{error:?}"
        );
    }
    // What is left out may be of any length.
    let content = format!("{{\"skip\":\"{long}\",\"data\":[1]}}");
    let loaded = load_file(
        &fixture("a.json", content),
        &stream(at_records("data")),
        limits,
    );
    assert_eq!(loaded.expect("rows").stats.rows, 1);
}

#[test]
fn how_new_a_record_is() {
    let content = "{\"meta\":{\"at\":[0,\"2022-02-01T02:20:51Z\"]}}\n\
                   {\"meta\":{\"at\":[0,1643682051000]}}\n\
                   {\"meta\":{\"at\":[0,1643682051.5]}}\n\
                   {\"meta\":{\"at\":[0]}}\n{\"meta\":null}\n{\"meta\":{\"at\":[0,\"soon\"]}}\nx\n";
    let files = FileConfig {
        effective_at: Some(EffectiveAt::Column("meta.at.1".into())),
        ..FileConfig::default()
    };
    let loaded = load_with("a.ndjson", content, files).expect("rows");
    let at = instant_us("2022-02-01T02:20:51Z", None);
    let half_later = at.map(|at| at + 500_000);
    assert_eq!(
        loaded.effective_at(),
        [at, at, half_later, None, None, None, None]
    );
    assert_eq!(loaded.stats.unread_effective_at.count, 1);
    assert_eq!(loaded.stats.malformed_rows.first_line, 7);
}

/// A Parquet file with a column of each kind.
pub(super) fn parquet_bytes(compression: PageCompression) -> Vec<u8> {
    let mut list = ListBuilder::new(Int64Builder::new());
    list.append_value([Some(1), None]);
    list.append_null();
    let nested = StructArray::from(vec![(
        Arc::new(Field::new("key", DataType::Utf8, true)),
        Arc::new(StringArray::from(vec![Some("k\n\"é"), None])) as ArrayRef,
    )]);
    let at = vec![Some(1_643_682_051_000_000), None];
    let money = Decimal128Array::from(vec![Some(12_345_678_901_234_567), None]);
    let columns: Vec<(&str, ArrayRef)> = vec![
        (
            "id",
            Arc::new(Int64Array::from(vec![Some(9_007_199_254_740_993), Some(2)])),
        ),
        (
            "ratio",
            Arc::new(Float64Array::from(vec![Some(0.5), Some(f64::NAN)])),
        ),
        ("day", Arc::new(Date32Array::from(vec![Some(19_024), None]))),
        (
            "at",
            Arc::new(TimestampMicrosecondArray::from(at).with_timezone("UTC")),
        ),
        (
            "money",
            Arc::new(money.with_precision_and_scale(18, 2).expect("a decimal")),
        ),
        ("list", Arc::new(list.finish())),
        ("nested", Arc::new(nested)),
    ];
    let batch = RecordBatch::try_from_iter(columns).expect("a batch");
    let properties = WriterProperties::builder()
        .set_compression(compression)
        .build();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties));
    let writer_ref = writer.as_mut().expect("a writer");
    writer_ref.write(&batch).expect("written");
    writer.expect("a writer").close().expect("written");
    bytes
}

#[test]
fn parquet_becomes_json_without_loss() {
    let expected = [
        concat!(
            r#"{"id":9007199254740993,"ratio":0.5,"day":"2022-02-01","#,
            r#""at":"2022-02-01T02:20:51Z","money":123456789012345.67,"#,
            r#""list":[1,null],"nested":{"key":"k\n\"é"}}"#
        ),
        r#"{"id":2,"ratio":null,"nested":{}}"#,
    ];
    for compression in [
        PageCompression::UNCOMPRESSED,
        PageCompression::SNAPPY,
        PageCompression::GZIP(Default::default()),
        PageCompression::ZSTD(Default::default()),
    ] {
        let files = FileConfig {
            effective_at: Some(EffectiveAt::Column("at".into())),
            ..FileConfig::default()
        };
        // The content, not the name, says that it is Parquet.
        let loaded = load_with("a.bin", parquet_bytes(compression), files).expect("rows");
        assert_eq!(loaded.texts("payload"), expected);
        assert_eq!(loaded.stats.format, FileFormat::Parquet);
        assert_eq!(
            loaded.effective_at(),
            [instant_us("2022-02-01T02:20:51Z", None), None]
        );
        assert_eq!(loaded.malformed(), [false, false]);
    }
}

#[test]
fn parquet_that_is_cut_off_is_an_error() {
    let bytes = parquet_bytes(PageCompression::UNCOMPRESSED);
    let error = load("a.parquet", &bytes[..bytes.len() / 2]).expect_err("an error");
    assert!(matches!(error, ReadError::Parquet(_)), "{error:?}");
    let error = load("a.parquet", &bytes[..bytes.len() - 1]).expect_err("an error");
    assert!(matches!(error, ReadError::Parquet(_)), "{error:?}");
    let error = load("a.parquet.gz", gz(&bytes)).expect_err("an error");
    assert!(matches!(error, ReadError::NotReadable { .. }), "{error:?}");
}
