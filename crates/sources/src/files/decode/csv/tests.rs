//! The scanner against the `csv` crate, and unquoting.

use proptest::prelude::*;

use super::scan::{Scan, Scanner};

/// All records of a text, with the fields of each; fed in pieces of growing size, as a stream is.
fn records(text: &str, delimiter: u8, piece: usize) -> Result<Vec<Vec<String>>, u64> {
    let mut scanner = Scanner::new(delimiter);
    let mut records = Vec::new();
    let (mut start, mut end) = (0, piece.min(text.len()));
    while start < text.len() {
        while !text.is_char_boundary(end) {
            end += 1;
        }
        match scanner.scan(&text.as_bytes()[start..end], end == text.len()) {
            Scan::More => end = (end + piece).min(text.len()),
            Scan::Unclosed { lines } => return Err(lines),
            Scan::Record(step) => {
                let record = &text[start..start + step.end];
                let mut scratch = String::new();
                let fields = scanner.fields().iter();
                if !record.is_empty() {
                    let fields = fields.map(|f| f.text(record, &mut scratch).to_owned());
                    records.push(fields.collect());
                }
                start += step.next;
                end = end.max((start + 1).min(text.len()));
            }
        }
    }
    Ok(records)
}

/// The same by the `csv` crate.
fn oracle(text: &str, delimiter: u8) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(text.as_bytes());
    let records = reader.records().map(|record| record.expect("a record"));
    records
        .map(|record| record.iter().map(str::to_owned).collect())
        .collect()
}

#[test]
fn fields_as_they_come() {
    let read = |text: &str| records(text, b',', 1).expect("closed quotes");
    assert_eq!(read("a,b\nc,d"), [["a", "b"], ["c", "d"]]);
    assert_eq!(read("a,\r\n,\r\n"), [["a", ""], ["", ""]]);
    assert_eq!(read("a\rb\r"), [["a"], ["b"]]);
    assert_eq!(read("\"a,\nb\",\"c\"\"d\"\n"), [["a,\nb", "c\"d"]]);
    assert_eq!(read("\"\"\n\n\n\"\"\"\"\n"), [[""], ["\""]]);
    assert_eq!(read("5\" pipe,\"a\"b\"c\"\n"), [["5\" pipe", "ab\"c\""]]);
    assert_eq!(read("\"a,b\" "), [["a,b "]]);
    assert_eq!(read("a\0b,é\n"), [["a\0b", "é"]]);
    assert_eq!(records("a,b\n1,\"2\n3,4\n", b',', 3), Err(0));
    assert_eq!(records("\"x\ny\",\"2\n3,4\n", b',', 3), Err(1));
}

proptest! {
    #[test]
    fn every_text_is_read_as_by_the_csv_crate(
        text in "([a,;\n\r \"é]|\"a,b\"|\"a\"\"\n\"){0,40}",
        piece in 1_usize..20,
    ) {
        if let Ok(read) = records(&text, b',', piece) {
            prop_assert_eq!(&read, &oracle(&text, b','));
        }
    }

    #[test]
    fn what_was_written_is_read(
        rows in prop::collection::vec(
            prop::collection::vec("\\PC{0,5}|[\",\n\r;]{0,4}", 2..5),
            1..8,
        ),
        piece in 1_usize..50,
    ) {
        let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
        for row in &rows {
            writer.write_record(row).expect("a record");
        }
        let text = String::from_utf8(writer.into_inner().expect("bytes")).expect("text");
        prop_assert_eq!(records(&text, b',', piece).expect("closed quotes"), rows);
    }
}
