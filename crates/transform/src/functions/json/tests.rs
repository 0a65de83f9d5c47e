//! JSON: the reader against serde_json, the decoder on what real payloads do.

use arrow_array::Array;
use arrow_array::cast::AsArray;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};

use super::decode::Decoder;
use super::path::Path;
use super::read::{RawText, Reader};
use super::shape::Shape;

fn is_json(text: &str) -> bool {
    let mut reader = Reader::new(text);
    reader.skip().is_ok() && reader.end().is_ok()
}

/// Documents, and each of them cut short and with one byte changed.
fn documents() -> Vec<String> {
    let whole = [
        r#"{"a":1,"b":[true,false,null],"c":{"d":"e"}}"#,
        r#" [ 1 , -0 , 0.5 , 1e9 , -12.5E-3 , "" ] "#,
        r#"{"escapes":"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00","ключ":"значение 🚀 twelve bytes"}"#,
        r#"{"":{"":[[],{},[{}]]}}"#,
        "\"alone\"",
        "null",
        "-1.25",
        "[\n\t{\"k\": \"v\"}\r\n]",
    ];
    let mut all = Vec::new();
    for text in whole {
        all.push(text.to_owned());
        for at in 0..text.len() {
            if let Some(cut) = text.get(..at) {
                all.push(cut.to_owned());
            }
            for change in [
                "", "x", "\"", ",", "]", "}", "0", "\\", ":", " ", "\u{1}", "-", ".",
            ] {
                if let (Some(before), Some(after)) = (text.get(..at), text.get(at + 1..)) {
                    all.push(format!("{before}{change}{after}"));
                }
            }
        }
    }
    all
}

#[test]
fn takes_for_json_what_serde_takes() {
    let all = documents();
    assert!(all.len() > 2000);
    for text in all {
        // Half a surrogate pair is the one thing we let pass: text that was cut has it.
        let serde = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
        let ours = is_json(&text);
        assert!(
            ours == serde || text.contains("\\ud83d") || text.contains("\\ude00"),
            "{text}"
        );
    }
}

#[test]
fn texts_are_read_as_serde_reads_them() {
    for text in documents() {
        let Ok(serde_json::Value::Object(members)) = serde_json::from_str(&text) else {
            continue;
        };
        for (name, value) in members {
            if let Some(expected) = value.as_str() {
                let path = Path::parse(&format!("[\"{name}\"]")).unwrap();
                assert_eq!(path.find(&text).as_deref(), Some(expected), "{text}");
            }
        }
    }
    assert_eq!(
        RawText::of_raw(r#""half \ud83d here""#).unwrap().text(),
        "half \u{fffd} here"
    );
    assert_eq!(
        RawText::of_raw(r#""\ude00\ud83d\ude00""#).unwrap().text(),
        "\u{fffd}😀"
    );
}

#[test]
fn depth_has_a_limit() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(is_json(&nested(128)));
    assert!(!is_json(&nested(129)));
    assert!(!is_json(&"[".repeat(1_000_000)));
}

/// The rows that these documents give, as the engine prints them.
fn decoded(shape: &str, documents: &[Option<&str>]) -> Vec<String> {
    let shape = Shape::parse(shape).unwrap();
    let mut decoder = Decoder::new(&shape, documents.len());
    documents
        .iter()
        .for_each(|document| decoder.push(*document));
    let array = decoder.finish().unwrap();
    assert_eq!(array.data_type(), &shape.data_type());
    array.to_data().validate_full().unwrap();
    let options = FormatOptions::default().with_null("-");
    let formatter = ArrayFormatter::try_new(&array, &options).unwrap();
    (0..array.len())
        .map(|row| formatter.value(row).to_string())
        .collect()
}

#[test]
fn members_come_as_text_and_numbers_as_written() {
    let shape = "struct<a: text, b: text, c: json>";
    let rows = decoded(
        shape,
        &[
            Some(r#"{"a":"x","b":1.50,"c":{"k":[1, 2]}}"#),
            Some(r#"{"c":"t","b":12345678901234567890.123,"a":true}"#),
            Some(r#"{"a":null,"c":null,"other":{"a":"deeper"}}"#),
            Some(r#"{"a":{"no":"text"},"b":["no"],"c":[]}"#),
        ],
    );
    assert_eq!(
        rows,
        [
            "{a: x, b: 1.50, c: {\"k\":[1, 2]}}",
            "{a: true, b: 12345678901234567890.123, c: \"t\"}",
            "{a: -, b: -, c: -}",
            "{a: -, b: -, c: []}",
        ]
    );
}

#[test]
fn what_is_no_document_is_a_null_row_and_leaves_nothing_behind() {
    let rows = decoded(
        "struct<a: text, l: list<struct<k: text>>>",
        &[
            Some(r#"{"a":"1","l":[{"k":"x"},null,{"k":2},7]}"#),
            Some(r#"{"a":"2","l":[{"k":"y"},{"k":"z"}"#),
            None,
            Some(""),
            Some("[]"),
            Some("null"),
            Some(r#"{"a":"3"} {"a":"4"}"#),
            Some(r#"{"a":"5","l":[]}"#),
            Some(r#"{"l":{"k":"no list"}}"#),
        ],
    );
    assert_eq!(
        rows,
        [
            "{a: 1, l: [{k: x}, -, {k: 2}, -]}",
            "-",
            "-",
            "-",
            "-",
            "-",
            "-",
            "{a: 5, l: []}",
            "{a: -, l: -}",
        ]
    );
}

#[test]
fn of_a_repeated_member_the_last_one_counts() {
    let rows = decoded(
        "struct<a: text, s: struct<x: text, l: list<text>>>",
        &[
            Some(r#"{"a":"1","s":{"x":"p","l":["a","b"]},"a":"2","s":{"l":["c"]}}"#),
            Some(r#"{"s":{"x":"q"},"s":null,"\u0061":"escaped name"}"#),
            Some(r#"{"a":"3"}"#),
        ],
    );
    assert_eq!(
        rows,
        [
            "{a: 2, s: {x: -, l: [c]}}",
            "{a: escaped name, s: -}",
            "{a: 3, s: -}"
        ]
    );
}

#[test]
fn a_list_or_a_text_may_be_the_document() {
    assert_eq!(
        decoded("list<text>", &[Some("[1,\"b\",null]"), Some("{}")]),
        ["[1, b, -]", "-"]
    );
    assert_eq!(
        decoded("text", &[Some("\"a\\nb\""), Some("17"), Some("{}")]),
        ["a\nb", "17", "-"]
    );
}

#[test]
fn nulls_are_few_and_offsets_right() {
    let shape = Shape::parse("struct<a: text>").unwrap();
    let mut decoder = Decoder::new(&shape, 2);
    decoder.push(Some(r#"{"a":"x"}"#));
    decoder.push(Some(r#"{"a":"yz"}"#));
    let array = decoder.finish().unwrap();
    let a = array.as_struct().column(0).as_string::<i32>();
    assert_eq!((array.null_count(), a.null_count()), (0, 0));
    assert_eq!((a.value(0), a.value(1)), ("x", "yz"));
}

#[test]
fn shapes_may_be_quoted_and_broken_over_lines() {
    let shape = "struct<\n  \"my key\": text,\n  b : list< struct<k:text> >\n>";
    assert_eq!(
        decoded(shape, &[Some(r#"{"my key":1}"#)]),
        ["{my key: 1, b: -}"]
    );
    for (wrong, reason) in [
        ("struct<a: text", "`>` is missing at its end"),
        (
            "struct<a: int>",
            "`text`, `json`, `list<…>`, `struct<…>` or `columns<…>` is missing before `int>`",
        ),
        ("struct<a: text, a: text>", "`a` stands in it twice"),
        ("text, text", "the end is missing before `, text`"),
        ("struct<>", "a name is missing before `>`"),
        ("", "a name is missing at its end"),
    ] {
        assert_eq!(Shape::parse(wrong).unwrap_err(), reason, "{wrong}");
    }
}

#[test]
fn paths_walk_members_and_elements() {
    let document = r#"{"a":{"b":[{"c":"first"},{"c":2.50}],"b.c":"dotted"},"n":null,"a2":"é\n"}"#;
    for (path, expected) in [
        ("a.b[0].c", Some("first")),
        ("$.a.b[1].c", Some("2.50")),
        ("a.b[1]", Some(r#"{"c":2.50}"#)),
        ("a[\"b.c\"]", Some("dotted")),
        ("a2", Some("é\n")),
        ("n", None),
        ("a.b[2].c", None),
        ("a.b.c", None),
        ("a[0]", None),
        ("missing.deeper", None),
        ("", Some(document)),
    ] {
        assert_eq!(
            Path::parse(path).unwrap().find(document).as_deref(),
            expected,
            "{path}"
        );
    }
    assert_eq!(
        Path::parse("a")
            .unwrap()
            .find(r#"{"a":1,"a":2}"#)
            .as_deref(),
        Some("2")
    );
    assert_eq!(Path::parse("a").unwrap().find(r#"{"a":1"#), None);
    for wrong in ["a..b", "a[", "a[x]", "a[\"b", "."] {
        assert!(Path::parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn columns_of_a_row_are_texts_whatever_their_case() {
    let shape = Shape::parse("columns<id, \"Cost (EUR)\", tags, note>").unwrap();
    let mut decoder = Decoder::new(&shape, 3);
    decoder.push(Some(
        r#"{"ID":7,"cost (eur)":"1,50","tags":["a",{"b":null}],"note":null}"#,
    ));
    // As it is written wins over another case, wherever it stands among the members.
    decoder.push(Some(r#"{"id":"a\"b","other":1,"Note":true}"#));
    decoder.push(Some("no document"));
    let rows = decoder.finish().unwrap();
    let texts = |name: &str| -> Vec<Option<String>> {
        let column = rows.as_struct().column_by_name(name).unwrap();
        let column = column.as_string::<i32>();
        column.iter().map(|text| text.map(str::to_owned)).collect()
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(texts("id"), [some("7"), some("a\"b"), None]);
    assert_eq!(texts("Cost (EUR)"), [some("1,50"), None, None]);
    assert_eq!(texts("tags"), [some(r#"["a",{"b":null}]"#), None, None]);
    assert_eq!(texts("note"), [None, some("true"), None]);
}
