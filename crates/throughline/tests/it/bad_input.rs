//! Bad files: each is told with file, cause and hint, stops nothing else, leaves nothing behind,
//! and is loaded as soon as it is mended.

use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;
use testkit::{Project, plain};

use crate::PROGRAM;

/// Streams by what is said of their files: nothing, a format and an encoding, JSON.
const SOURCES: &str = "
sources:
  calls: {path: calls/*}
  said: {path: said/*, files: {format: csv, encoding: utf-8, delimiter: ','}}
  hits: {path: hits/*}
  tables: {path: tables/*}
  named:
    path: [named/good.csv, named/missing.csv, named/folder.csv, named/pipe.csv, named/loop.csv]
  none: {path: none/*.csv}
";

const HEADER: &str = "id,at,topic\n";

/// A silver model of a stream: of text columns, or of records.
fn model(source: &str, is_record: bool) -> String {
    let columns = if is_record {
        "r['id'] as activity_id, r['at'] as activity_at, r['topic'] as subject"
    } else {
        "id as activity_id, at as activity_at, topic as subject"
    };
    let from = format!("{{{{ source('{source}', 'rows') }}}}");
    let from = if is_record {
        format!(
            "(select _raw_id, from_json(payload, 'struct<id: text, at: text, topic: text>') as r \
             from {from}) as records"
        )
    } else {
        from
    };
    format!(
        "-- grain: one row per call\n{{{{ config(entity='activity') }}}}\n\
         select _raw_id, {columns}, 'call' as activity_type from {from}\n"
    )
}

/// A project with one stream of text, and a good file in it.
fn small_project() -> Project {
    let project = Project::new(PROGRAM, "sources: {calls: {path: calls/*}}");
    project.write(
        "models/1_silver/stg_calls__calls.sql",
        model("calls", false),
    );
    let good = format!("{HEADER}good,2026-01-01 10:00:00,fine\n");
    project.write("calls/good.csv", good);
    project
}

/// A project with a good file in each stream.
fn project() -> Project {
    let project = Project::new(PROGRAM, SOURCES);
    for (source, is_record) in [
        ("calls", false),
        ("said", false),
        ("hits", true),
        ("tables", true),
        ("named", false),
        ("none", false),
    ] {
        let path = format!("models/1_silver/stg_{source}__calls.sql");
        project.write(&path, model(source, is_record));
    }
    for source in ["calls", "said", "named"] {
        let path = format!("{source}/good.csv");
        project.write(&path, format!("{HEADER}good,2026-01-01 10:00:00,fine\n"));
    }
    project.write("hits/good.ndjson", record("good"));
    project.write("tables/good.json", record("good"));
    project
}

fn record(id: &str) -> String {
    format!("{{\"id\":\"{id}\",\"at\":\"2026-01-01 10:00:00\",\"topic\":\"fine\"}}\n")
}

fn gz(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// Many good rows, to be cut off or damaged.
fn rows(count: usize) -> Vec<u8> {
    let mut text = HEADER.to_owned();
    for row in 0..count {
        text += &format!("{row},2026-01-01 10:00:00,topic {}\n", row * 7919 % 1000);
    }
    text.into_bytes()
}

fn cut(mut content: Vec<u8>) -> Vec<u8> {
    content.truncate(content.len() / 2);
    content
}

fn utf_16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// A file that is refused.
struct Bad {
    path: &'static str,
    content: Vec<u8>,
    /// The cause that is told behind the file's name.
    said: &'static str,
    /// What the hint has in it.
    hint: &'static str,
}

fn bad(
    path: &'static str,
    content: impl Into<Vec<u8>>,
    said: &'static str,
    hint: &'static str,
) -> Bad {
    let content = content.into();
    Bad {
        path,
        content,
        said,
        hint,
    }
}

/// Files of text of which nothing is said.
fn bad_calls() -> Vec<Bad> {
    let zst = [0x28, 0xb5, 0x2f, 0xfd, 0x04, 0x58, 0x29, 0x01];
    let quote = format!("{HEADER}1,2026-01-01,a\n2,2026-01-01,\"oops\n3,2026-01-01,c\n");
    let million: Vec<String> = (0..1_000_000).map(|n| format!("column{n}")).collect();
    let mut long = format!("{HEADER}1,2026-01-01,").into_bytes();
    long.resize(long.len() + 100_000_000, b'x');
    long.extend(b"\n2,2026-01-01,b\n");
    vec![
        bad(
            "calls/cut.csv.gz",
            cut(gz(&rows(500))),
            "the compressed data are cut off: the gz stream ends before its end mark",
            "fetch the file again",
        ),
        bad(
            "calls/cut.csv.zst",
            zst,
            "the compressed data are cut off: the zst stream ends before its end mark",
            "fetch the file again",
        ),
        bad(
            "calls/empty.csv.gz",
            "",
            "the compressed data are cut off: the gz stream ends before its end mark",
            "fetch the file again",
        ),
        bad(
            "calls/quote.csv",
            quote,
            "the quote that is opened on line 3 is never closed",
            "close or double the quote",
        ),
        bad(
            "calls/json.csv",
            record("x"),
            "the file's name says CSV, but it holds JSON",
            "correct or leave out the setting",
        ),
        bad(
            "calls/page.csv",
            "<!DOCTYPE html><p>please log in",
            "it is a web page (perhaps an error page instead of the export), which is not read",
            "export it as CSV",
        ),
        bad(
            "calls/book.csv",
            "PK\u{3}\u{4}xl/workbook.xml",
            "it is a zip archive or an Excel workbook, which is not read",
            "export it as CSV",
        ),
        bad(
            "calls/zeros.csv",
            vec![0; 4096],
            "it is nothing but zero bytes (perhaps its writer was cut off), which is not read",
            "export it as CSV",
        ),
        bad(
            "calls/long.csv",
            long,
            "the row that begins on line 2 is longer than 16777216 bytes",
            "record_max_mib",
        ),
        bad(
            "calls/wide.csv",
            million.join(","),
            "the header has 1000000 columns, more than 4096",
            "check `delimiter`",
        ),
    ]
}

/// Files that are not what the settings or their names say.
fn bad_others() -> Vec<Bad> {
    vec![
        bad(
            "said/json.csv",
            record("x"),
            "`format` says CSV, but it holds JSON",
            "correct or leave out the setting",
        ),
        bad(
            "said/semicolons.csv",
            "id;at;topic\n1;2026-01-01;a\n",
            "the header has no ',', the delimiter that is set, but has ';'",
            "`delimiter`",
        ),
        bad(
            "said/latin.csv",
            b"id,at,topic\n1,2026-01-01,a\n2,2026-01-01,Zo\xeb\n".to_vec(),
            "line 3 is not written in UTF-8, which `encoding` says",
            "windows-1252",
        ),
        bad(
            "said/wide.csv",
            utf_16("id,at,topic\n1,2026-01-01,a\n"),
            "line 1 is not written in UTF-8, which `encoding` says; it seems to be UTF-16LE",
            "set `encoding`",
        ),
        bad(
            "hits/rows.ndjson",
            rows(3),
            "the file's name says JSON lines, but it holds no JSON, perhaps CSV",
            "correct or leave out the setting",
        ),
        bad(
            "tables/cut.json",
            "[\n{\"id\":\"1\"},\n{\"id\":\"2",
            "broken JSON on line 3: the document ends inside the value that begins here",
            "check the document",
        ),
        bad(
            "tables/text.parquet",
            rows(3),
            "the file's name says Parquet, but it holds something else, perhaps text",
            "correct or leave out the setting",
        ),
        bad(
            "tables/cut.parquet",
            [&b"PAR1"[..], &[7; 500]].concat(),
            "cannot decode the Parquet file: ",
            "fetch the file again",
        ),
    ]
}

/// Everything that is said of a kind in all streams.
fn all_said(ran: &Value, kind: &str) -> Vec<String> {
    let loads = ran["loads"].as_array().unwrap();
    let texts = loads.iter().flat_map(|load| load[kind].as_array().unwrap());
    texts.map(plain).collect()
}

fn balanced(ran: &Value) {
    let balances = ran["balances"].as_array().unwrap();
    assert!(!balances.is_empty());
    for balance in balances {
        let count = |name: &str| balance[name].as_i64().unwrap();
        let parts = ["silver", "quarantine", "duplicates", "superseded"].map(count);
        assert_eq!(count("raw"), parts.iter().sum::<i64>(), "{balance}");
    }
}

fn good_calls(project: &Project) -> String {
    project.value("select count(*) from silver.activity where subject = 'fine'")
}

#[test]
fn bad_files_are_told_stop_nothing_and_are_loaded_once_mended() {
    let project = project();
    let all: Vec<Bad> = bad_calls().into_iter().chain(bad_others()).collect();
    for bad in &all {
        project.write(bad.path, &bad.content);
    }
    let ran = project.json(&["run"], 1);
    let errors = all_said(&ran, "errors");
    for Bad {
        path, said, hint, ..
    } in &all
    {
        let begin = format!("cannot read `{path}`: {said}");
        let told = errors.iter().find(|error| error.starts_with(&begin));
        let told = told.unwrap_or_else(|| panic!("{begin}\nis not among {errors:#?}"));
        let (_, said_hint) = told.split_once("\n  hint: ").expect("a hint");
        assert!(said_hint.contains(hint), "{told}");
    }
    // And what is named, but is not there or is no file.
    for path in [
        "named/missing.csv",
        "named/folder.csv",
        "named/pipe.csv",
        "named/loop.csv",
    ] {
        let said = format!("`{path}` leads to no file");
        assert!(
            errors.iter().any(|error| error.starts_with(&said)),
            "{said}\n{errors:#?}"
        );
    }
    assert_eq!(errors.len(), all.len() + 4, "{errors:#?}");
    let warnings = all_said(&ran, "warnings");
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(
        warnings[0].starts_with("`none/*.csv` leads to no file"),
        "{warnings:?}"
    );

    // The good files are all there, and nothing of the bad ones.
    assert_eq!(good_calls(&project), "5");
    assert_eq!(project.value("select count(*) from silver.activity"), "5");
    for stream in ["calls", "said", "hits", "tables", "named"] {
        let rows = format!("select count(*) from raw.{stream}__rows");
        assert_eq!(project.value(&rows), "1", "{stream}");
    }
    balanced(&ran);

    // Running again tries only the bad ones, and says so again.
    let again = project.json(&["run"], 1);
    assert_eq!(
        (&again["loaded_files"], &again["built"]),
        (&0.into(), &0.into())
    );
    assert_eq!(all_said(&again, "errors").len(), errors.len());
    let planned = project.json(&["plan"], 0);
    assert_eq!(planned["load"].as_array().unwrap().len(), all.len());
    let tested = project.json(&["sources", "test"], 1);
    assert_eq!(tested["failed"], all.len() + 4);

    // Mended, they are loaded.
    for (number, bad) in all.iter().enumerate() {
        mend(&project, bad.path, number);
    }
    for name in ["missing", "folder", "pipe", "loop"] {
        let row = format!("{HEADER}{name},2026-01-01 10:00:00,fine\n");
        project.write(&format!("named/{name}.csv"), row);
    }
    let mended = project.json(&["run"], 0);
    assert_eq!(mended["loaded_files"], all.len() + 4);
    assert_eq!(good_calls(&project), (5 + all.len() + 4).to_string());
    balanced(&mended);
    assert_eq!(project.json(&["run"], 0)["built"], 0);
}

/// Puts a good file in the place of a bad one, in the same form.
fn mend(project: &Project, path: &str, number: usize) {
    let text = format!("{HEADER}m{number},2026-01-01 10:00:00,fine\n");
    if path.ends_with(".parquet") {
        std::fs::remove_file(project.dir().join(path)).unwrap();
        project.write(
            &path.replace(".parquet", "_mended.json"),
            record(&format!("m{number}")),
        );
    } else if path.ends_with("json") {
        project.write(path, record(&format!("m{number}")));
    } else if path.ends_with(".gz") {
        project.write(path, gz(text.as_bytes()));
    } else {
        project.write(path, text);
    }
}

#[test]
fn people_are_told_with_the_file_the_cause_and_a_hint() {
    let project = project();
    project.write("calls/page.csv", "<html><p>please log in");
    project.write("calls/long.csv", format!("{HEADER}1,2026-01-01,a,b\n"));
    let out = project.run(&["run"]);
    assert_eq!(out.status.code(), Some(1));
    let text = String::from_utf8_lossy(&out.stderr);
    for said in [
        "error: calls.rows: cannot read `calls/page.csv`: it is a web page",
        "\n  hint: export it as CSV",
        "warning: calls.rows: calls/long.csv: 1 rows have more fields than the header, \
         the first on line 2\n  hint: such rows are in quarantine",
        "error: named.rows: `named/missing.csv` leads to no file",
    ] {
        assert!(text.contains(said), "{said}\nis not in\n{text}");
    }
}

#[test]
fn rows_that_cannot_be_read_are_in_quarantine_and_the_rest_of_the_file_is_taken() {
    let project = project();
    let fine = |id: &str| format!("{id},2026-01-01 10:00:00,fine\n");
    let ragged = [
        HEADER,
        &fine("r1"),
        "r2,2026-01-01 10:00:00,Smith, John\n",
        "r3,2026-01-01 10:00:00,fine,,\n",
        "r4\n",
        HEADER,
        "r5,2026-01-01 10:00:00,zero\0byte\n",
        &fine("r6"),
    ];
    project.write("calls/ragged.csv", ragged.concat());
    let twice = "id,at,topic,topic\ntwo,2026-01-01 10:00:00,fine,other\n";
    project.write("calls/twice.csv", twice);
    let mut odd = format!("{HEADER}{}", fine("o1")).into_bytes();
    odd.extend(b"o2,2026-01-01 10:00:00,caf\xe9\n");
    project.write("calls/odd.csv", odd);
    project.write("calls/wide.csv", utf_16(&format!("{HEADER}{}", fine("w1"))));
    for (name, content) in [("empty", ""), ("header", HEADER), ("mark", "\u{feff}")] {
        project.write(&format!("calls/{name}.csv"), content);
    }
    let lines = [
        &record("h1"),
        "{\"id\":\"h2\", oops\n",
        &record("h3"),
        "{\"id\":\"h4\",\"at",
    ];
    project.write("hits/lines.ndjson", lines.concat());
    for name in ["missing", "folder", "pipe", "loop"] {
        project.write(&format!("named/{name}.csv"), HEADER);
    }

    let ran = project.json(&["run"], 0);
    balanced(&ran);
    let rows = project.rows(
        "select file, row_number, rule, reason from quarantine.stg_calls__calls \
         union all select file, row_number, rule, reason from quarantine.stg_hits__calls \
         order by file, row_number",
    );
    let rows: Vec<String> = rows
        .iter()
        .map(|row| {
            let values = ["file", "row_number", "rule", "reason"].map(|name| plain(&row[name]));
            values.join(" | ")
        })
        .collect();
    assert_eq!(
        rows,
        [
            "calls/ragged.csv | 2 | malformed | the row has more fields than the header",
            "calls/ragged.csv | 4 | required:activity_at | `activity_at` is missing",
            "hits/lines.ndjson | 2 | malformed | the record is not valid JSON",
            "hits/lines.ndjson | 4 | malformed | the record is not valid JSON",
        ]
    );
    let ids = project.rows("select activity_id, subject from silver.activity order by 1");
    let ids: Vec<String> = ids
        .iter()
        .map(|row| format!("{}={}", plain(&row["activity_id"]), plain(&row["subject"])))
        .filter(|row| !row.ends_with("good=fine"))
        .collect();
    assert_eq!(
        ids,
        [
            "calls:o1=fine",
            "calls:o2=caf\u{fffd}",
            "calls:r1=fine",
            "calls:r3=fine",
            "calls:r5=zero\0byte",
            "calls:r6=fine",
            "calls:two=fine",
            "calls:w1=fine",
            "hits:h1=fine",
            "hits:h3=fine",
        ]
    );
    let warnings = all_said(&ran, "warnings");
    for said in [
        "calls/ragged.csv: 2 rows have more fields than the header, the first on line 3",
        "calls/ragged.csv: 1 rows have fewer fields than the header, the first on line 5",
        "calls/ragged.csv: the header is repeated 1 times, first on line 6",
        "calls/ragged.csv: 1 rows have zero bytes in their text, the first on line 7",
        "calls/odd.csv: 1 characters are not valid UTF-8 and were replaced, the first on line 3",
        "calls/empty.csv: the file has no rows",
        "calls/header.csv: the file has no rows",
        "calls/mark.csv: the file has no rows",
        "hits/lines.ndjson: 2 records are no valid JSON, the first on line 2",
    ] {
        assert!(
            warnings.iter().any(|text| text.starts_with(said)),
            "{said}\n{warnings:#?}"
        );
    }
}

#[test]
fn what_is_no_file_is_not_opened_and_a_named_export_may_be_cleared_away() {
    use std::os::unix::fs::symlink;
    let project = project();
    let named = project.dir().join("named");
    std::fs::create_dir_all(named.join("folder.csv")).unwrap();
    symlink("loop.csv", named.join("loop.csv")).unwrap();
    symlink("nowhere.csv", named.join("missing.csv")).unwrap();
    let pipe = std::process::Command::new("mkfifo")
        .arg(named.join("pipe.csv"))
        .status();
    assert!(pipe.unwrap().success());
    let ran = project.json(&["run"], 1);
    let errors = all_said(&ran, "errors");
    for said in [
        "cannot look at `named/missing.csv`: No such file",
        "`named/folder.csv` leads to no file: it is a folder without data files",
        "`named/pipe.csv` is a pipe, not a file",
        "cannot look at `named/loop.csv`: Too many levels of symbolic links",
    ] {
        assert!(
            errors.iter().any(|error| error.starts_with(said)),
            "{said}\n{errors:#?}"
        );
    }
    assert_eq!(good_calls(&project), "5");

    // An export that was loaded and is cleared away is no failure: its rows stay.
    let project = small_project();
    project.set("sources: {calls: {path: calls/good.csv}}");
    project.json(&["run"], 0);
    std::fs::remove_file(project.dir().join("calls/good.csv")).unwrap();
    let ran = project.json(&["run"], 0);
    let warnings = all_said(&ran, "warnings");
    let said = "`calls/good.csv` leads to no file";
    assert!(warnings[0].starts_with(said), "{warnings:?}");
    assert_eq!(good_calls(&project), "1");
}

#[test]
fn a_setting_that_is_corrected_reads_the_files_again() {
    let project = small_project();
    let content = b"id,at,topic\ngood,2026-01-01 10:00:00,caf\xe9\n";
    project.write("calls/good.csv", content);
    project.json(&["run"], 0);
    let topics = "select string_agg(subject, ' ' order by subject) from silver.activity";
    assert_eq!(project.value(topics), "caf\u{fffd}");
    project.set("sources:\n  calls: {path: calls/*, files: {encoding: windows-1252}}\n");
    let ran = project.json(&["run"], 0);
    assert_eq!(ran["loads"][0]["files_replaced"], 1);
    assert_eq!(project.value(topics), "caf\u{e9}");
    balanced(&ran);
    assert_eq!(project.json(&["run"], 0)["loaded_files"], 0);
}

#[test]
fn a_file_that_grows_while_it_is_loaded_is_whole_or_not_there() {
    let project = small_project();
    let path = project.dir().join("calls/grows.csv");
    std::fs::write(&path, rows(50_000)).unwrap();
    let is_done = AtomicBool::new(false);
    let ran = std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut file = std::fs::File::options().append(true).open(&path).unwrap();
            let mut id = 50_000;
            while !is_done.load(Ordering::Relaxed) && id < 200_000 {
                file.write_all(format!("{id},2026-01-01 10:00:00,late\n").as_bytes())
                    .unwrap();
                id += 1;
            }
        });
        let out = project.run(&["--json", "--quiet", "run"]);
        is_done.store(true, Ordering::Relaxed);
        out
    });
    let ran: Value = serde_json::from_slice(&ran.stdout).unwrap();
    balanced(&ran);
    let errors = all_said(&ran, "errors");
    let loaded =
        project.value("select count(*) from raw.calls__rows where _file = 'calls/grows.csv'");
    if let [error] = errors.as_slice() {
        let said = "cannot read `calls/grows.csv`: the file changed while it was read\n  hint: ";
        assert!(error.starts_with(said), "{error}");
        assert_eq!(loaded, "0");
    } else {
        assert_eq!(errors, Vec::<String>::new());
    }
    // At rest, all of it is loaded, once.
    let ran = project.json(&["run"], 0);
    balanced(&ran);
    let text = std::fs::read_to_string(&path).unwrap();
    let lines = text.lines().count() - 1;
    let count =
        "select count(distinct activity_id) from silver.activity where activity_id <> 'calls:good'";
    assert_eq!(project.value(count), lines.to_string());
}
