//! CSV and TSV in the state in which they really come.

use domain::config::EffectiveAt;
use domain::parse::instant_us;

use super::*;
use crate::files::decode::stats::Tally;

fn set(change: impl FnOnce(&mut FileConfig)) -> FileConfig {
    let mut files = FileConfig::default();
    change(&mut files);
    files
}

#[test]
fn an_empty_file_and_one_with_only_a_header() {
    for content in ["", "\u{feff}", "\n\n"] {
        let loaded = load("a.csv", content).expect("no rows");
        assert_eq!(loaded.stats.rows, 0);
        assert_eq!(loaded.names().len(), 7, "no column of its own");
        assert_eq!(loaded.warnings(), ["the file has no rows"]);
    }
    for content in ["id,name\n", "id,name", "\u{feff}id,name\r\n"] {
        let loaded = load("a.csv", content).expect("no rows");
        assert_eq!(loaded.stats.columns, ["id", "name"]);
        assert_eq!(
            loaded.names()[6..],
            ["id", "name", "_surplus"],
            "the columns are told"
        );
        assert_eq!(loaded.stats.rows, 0);
    }
}

#[test]
fn the_delimiter_is_recognised() {
    for (name, content, delimiter) in [
        ("a.csv", "a,b\n1,2\n", ','),
        ("a.csv", "a;b\n1;2\n", ';'),
        ("a.csv", "a\tb\n1\t2\n", '\t'),
        ("a.txt", "a|b\n1|2\n", '|'),
        ("a.tsv", "a\tb\n1\t2\n", '\t'),
        ("a.tsv", "a,b\n1,2\n", ','),
        ("a.csv", "sep=;\r\na;b\r\n1;2\r\n", ';'),
        ("a", "a,b\n1,2", ','),
    ] {
        let loaded = load(name, content).expect("rows");
        assert_eq!(loaded.stats.delimiter, Some(delimiter), "{content}");
        assert_eq!(
            (loaded.texts("a"), loaded.texts("b")),
            (vec!["1".into()], vec!["2".into()])
        );
    }
    let loaded = load_with(
        "a.csv",
        "a~b,c\n1~2,3\n",
        set(|f| f.delimiter = Some("~".into())),
    );
    assert_eq!(loaded.expect("rows").texts("b,c"), ["2,3"]);
    let loaded = load_with(
        "a.csv",
        "a\tb\n1\t2\n",
        set(|f| f.delimiter = Some("\\t".into())),
    );
    assert_eq!(loaded.expect("rows").texts("b"), ["2"]);
}

#[test]
fn a_wrong_delimiter_is_said_to_be_wrong() {
    let error = load_with(
        "a.csv",
        "a,b\n1,2\n",
        set(|f| f.delimiter = Some(";".into())),
    );
    let error = error.expect_err("an error");
    assert!(matches!(
        error,
        ReadError::WrongDelimiter {
            set: ';',
            found: ','
        }
    ));
    assert_eq!(
        error.to_string(),
        "the header has no ';', the delimiter that is set, but has ','"
    );
    // A file of one column has no delimiter at all.
    let loaded = load_with("a.csv", "a\n1\n", set(|f| f.delimiter = Some(";".into())));
    assert_eq!(loaded.expect("rows").texts("a"), ["1"]);
}

#[test]
fn encodings_by_mark_by_setting_and_by_look() {
    let text = "naïve,价格\nZoë,€\n";
    let utf_16 = |to_bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(to_bytes);
    let little: Vec<u8> = [0xff, 0xfe]
        .into_iter()
        .chain(utf_16(u16::to_le_bytes))
        .collect();
    let big: Vec<u8> = [0xfe, 0xff]
        .into_iter()
        .chain(utf_16(u16::to_be_bytes))
        .collect();
    let marked = format!("\u{feff}{text}").into_bytes();
    let unmarked = text.as_bytes().to_vec();
    for (content, encoding) in [
        (little, "UTF-16LE"),
        (big, "UTF-16BE"),
        (marked, "UTF-8"),
        (unmarked, "UTF-8"),
    ] {
        let loaded = load("a.csv", content).expect("rows");
        assert_eq!(loaded.stats.encoding, Some(encoding));
        assert_eq!(loaded.texts("naïve"), ["Zoë"]);
        assert_eq!(loaded.texts("价格"), ["€"]);
        assert_eq!(loaded.stats.replaced_characters, Tally::default());
    }
    let plain: Vec<u8> = "id,name\n1,x\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    assert_eq!(
        load("a.csv", plain).expect("rows").texts("name"),
        ["x"],
        "UTF-16 without a mark"
    );

    let windows = b"name\nZo\xeb \x80\n";
    let loaded = load_with(
        "a.csv",
        windows,
        set(|f| f.encoding = Some("windows-1252".into())),
    );
    let loaded = loaded.expect("rows");
    assert_eq!(loaded.texts("name"), ["Zoë €"]);
    assert_eq!(loaded.stats.encoding, Some("windows-1252"));
    let loaded = load("a.csv", windows).expect("rows");
    assert_eq!(loaded.texts("name"), ["Zo\u{fffd} \u{fffd}"]);
    assert_eq!(
        loaded.warnings(),
        ["2 characters are not valid UTF-8 and were replaced, the first on line 2"]
    );
}

#[test]
fn characters_are_whole_wherever_a_piece_ends() {
    let row = "é€😀,\"ü\n\"\"ß\"\n";
    let text = format!("a,b\n{}", row.repeat(50));
    for chunk_bytes in 1..40 {
        let limits = Limits {
            chunk_bytes,
            ..Limits::default()
        };
        let fixture = fixture("a.csv", &text);
        let loaded = load_file(&fixture, &stream(FileConfig::default()), limits).expect("rows");
        assert_eq!(loaded.texts("a"), vec!["é€😀"; 50]);
        assert_eq!(loaded.texts("b"), vec!["ü\n\"ß"; 50]);
    }
}

#[test]
fn ragged_rows_lose_nothing() {
    let loaded = load("a.csv", "a,b\n1\n1,2\n1,2,\"x,\"\"y\",\n\n1,2,3\n").expect("rows");
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(loaded.column("b"), [None, some("2"), some("2"), some("2")]);
    let surplus = [None, None, some(r#"["x,\"y",""]"#), some(r#"["3"]"#)];
    assert_eq!(loaded.column("_surplus"), surplus);
    assert_eq!(loaded.stats.blank_lines, 1);
    assert_eq!(
        loaded.warnings(),
        [
            "2 rows have more fields than the header, the first on line 4",
            "1 rows have fewer fields than the header, the first on line 2",
        ]
    );
}

#[test]
fn a_header_that_is_repeated_is_no_row() {
    let loaded = load("a.csv", "a, b\n1,2\na, b\n3,4\na,x\n").expect("rows");
    assert_eq!(loaded.texts("a"), ["1", "3", "a"]);
    assert_eq!(loaded.numbers("_row"), [1, 2, 3]);
    assert_eq!(
        loaded.stats.repeated_headers,
        Tally {
            count: 1,
            first_line: 3
        }
    );
    let loaded = load("a.csv", "name\nname\n").expect("rows");
    assert_eq!(
        loaded.texts("name"),
        ["name"],
        "a value can be as its only column is called"
    );
}

#[test]
fn names_are_made_unique_and_lines_are_skipped() {
    let content = "Report for\nMay\n Day ,Spend,spend,,_row\n1,2,3,4,5\n";
    let loaded = load_with("a.csv", content, set(|f| f.skip_lines = Some(2))).expect("rows");
    assert_eq!(
        loaded.stats.columns,
        ["Day", "Spend", "spend_2", "column_4", "_row_2"]
    );
    assert_eq!(loaded.texts("_row_2"), ["5"]);
}

#[test]
fn zero_bytes_and_quoted_line_ends_are_values() {
    let loaded = load("a.csv", b"a,b\nx\0y,\"1\r\n2\"\n").expect("rows");
    assert_eq!(loaded.texts("a"), ["x\0y"]);
    assert_eq!(loaded.texts("b"), ["1\r\n2"]);
    let said = "1 rows have zero bytes in their text, the first on line 2";
    assert_eq!(loaded.warnings(), [said]);
}

#[test]
fn an_empty_field_is_not_a_missing_one() {
    let loaded = load("a.csv", "a,b\n,\"\"\n \n").expect("rows");
    assert_eq!(loaded.texts("a"), ["", " "]);
    assert_eq!(loaded.column("b"), [Some(String::new()), None]);
}

#[test]
fn a_quote_that_is_never_closed_swallows_no_rows() {
    let error = load("a.csv", "a,b\n1,2\n\"x\ny\",\"oops\n3,4\n5,6\n").expect_err("an error");
    assert!(
        matches!(error, ReadError::UnclosedQuote { line: 4 }),
        "{error:?}"
    );
}

#[test]
fn a_row_may_be_long_but_not_endless() {
    let limits = Limits {
        record_bytes_max: 1_000,
        chunk_bytes: 100,
        ..Limits::default()
    };
    let load = |length: usize| {
        let text = format!("a,b\n1,2\n3,{}\n5,6\n", "x".repeat(length));
        load_file(
            &fixture("a.csv", text),
            &stream(FileConfig::default()),
            limits,
        )
    };
    assert_eq!(load(900).expect("rows").texts("b")[1].len(), 900);
    let error = load(5_000).expect_err("an error");
    assert!(
        matches!(
            error,
            ReadError::RecordTooLong {
                line: 3,
                limit_bytes: 1_000
            }
        ),
        "{error:?}"
    );
}

#[test]
fn the_limit_of_a_row_is_sixteen_mebibytes_or_as_set() {
    let mut content = b"a,b\n1,\"".to_vec();
    content.resize(RECORD_BYTES_MAX + (1 << 20), b'x');
    let error = load("a.csv", gz(&content)).expect_err("an error");
    assert!(
        matches!(error, ReadError::RecordTooLong { line: 2, .. }),
        "{error:?}"
    );
    assert!(error.hint().is_some_and(|hint| hint.contains("quote")));

    content.truncate(RECORD_BYTES_MAX + 100);
    content.extend(b"\"\n2,y\n");
    let as_set = |mebibytes: usize| {
        let mut rows = Collected::default();
        let fixture = fixture("a.csv", &content);
        let hash = fixture.file.content_hash().expect("a hash");
        let stream = stream(set(|f| f.record_max_mib = Some(mebibytes)));
        read(&stream, &fixture.file, &hash, &mut rows).map(|stats| stats.rows)
    };
    assert_eq!(as_set(17).expect("rows"), 2);
    assert!(matches!(
        as_set(1).expect_err("an error").error,
        ReadError::RecordTooLong { line: 2, .. }
    ));
    for mebibytes in [0, 1025] {
        assert!(matches!(
            as_set(mebibytes).expect_err("an error").error,
            ReadError::Setting { .. }
        ));
    }
}

#[test]
fn there_are_only_so_many_columns() {
    let names = |count: usize| {
        (0..count)
            .map(|n| format!("c{n}"))
            .collect::<Vec<_>>()
            .join(",")
    };
    let loaded = load("a.csv", format!("{}\n1\n", names(COLUMNS_MAX))).expect("rows");
    assert_eq!(loaded.stats.columns.len(), COLUMNS_MAX);
    let error = load("a.csv", names(COLUMNS_MAX + 1)).expect_err("an error");
    assert!(matches!(
        error,
        ReadError::TooManyColumns {
            columns: 4097,
            limit: 4096
        }
    ));
}

#[test]
fn how_new_a_row_is() {
    let content = "id,Synced\n1,2022-02-01 2:20:51\n2,NULL\n3,soon\n4,\n5,1643682051\n";
    let column = |name: &str| Some(EffectiveAt::Column(name.into()));
    let files = set(|f| {
        f.effective_at = column("synced");
        f.null_words = Some(vec!["NULL".into()]);
    });
    let mut stream = stream(files);
    stream.zone = Some("America/New_York".into());
    let fixture = fixture("a.csv", content);
    let loaded = load_file(&fixture, &stream, Limits::default()).expect("rows");
    let at = |text: &str| instant_us(text, None);
    assert_eq!(
        loaded.effective_at(),
        [
            at("2022-02-01T07:20:51Z"),
            None,
            None,
            None,
            at("2022-02-01T02:20:51Z")
        ]
    );
    assert_eq!(
        loaded.stats.unread_effective_at,
        Tally {
            count: 1,
            first_line: 4
        }
    );

    let loaded = load_with(
        "a.csv",
        content,
        set(|f| f.effective_at = column("_fivetran_synced")),
    );
    let loaded = loaded.expect("rows");
    assert_eq!(loaded.effective_at(), [None; 5]);
    assert_eq!(
        loaded.stats.missing_effective_at.as_deref(),
        Some("_fivetran_synced")
    );

    let pattern = EffectiveAt::File {
        file: "orders_{date}".into(),
    };
    let files = set(|f| f.effective_at = Some(pattern));
    let loaded = load_with("orders_20220201.csv", "id\n1\n", files).expect("rows");
    assert_eq!(loaded.effective_at(), [at("2022-02-01")]);
}
