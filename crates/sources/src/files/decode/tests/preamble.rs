//! Files as the pages of tools give them out: lines before the header.

use super::*;

fn known(headings: &[&str]) -> FileConfig {
    FileConfig {
        headings: Some(headings.iter().map(|text| (*text).to_owned()).collect()),
        ..FileConfig::default()
    }
}

const REPORT: [&str; 5] = ["Day", "Campaign", "Kampagne", "Clicks", "Cost ({currency})"];

#[test]
fn the_header_is_found_below_other_lines() {
    let content = "Campaign report\n\"1 Jan 2026 - 31 Jan 2026\"\n\nDay,Campaign,Clicks,Cost (EUR)\n\
                   2026-01-01,Brand,\"1,234\",12.50\n";
    let loaded = load_with("a.csv", content, known(&REPORT)).expect("rows");
    assert_eq!(
        loaded.stats.columns,
        ["Day", "Campaign", "Clicks", "Cost (EUR)"]
    );
    assert_eq!(loaded.texts("Clicks"), ["1,234"]);
    assert_eq!(
        loaded.texts("_preamble"),
        ["Campaign report\n\"1 Jan 2026 - 31 Jan 2026\""]
    );
    assert_eq!(loaded.stats.preamble_lines, 3);
    assert_eq!(
        loaded.warnings(),
        ["3 lines stand before the header; they are kept in `_preamble` and are no rows"]
    );
    assert_eq!(loaded.numbers("_row"), [1]);
}

#[test]
fn in_utf_16_with_tabs_too() {
    let content = "Kampagnenbericht\r\n1. Januar 2026\r\nDay\tKampagne\tClicks\r\n\
                   2026-01-01\tDächer, neu\t7\r\n";
    for big in [false, true] {
        let bytes = content.encode_utf16().flat_map(|unit| match big {
            true => unit.to_be_bytes(),
            false => unit.to_le_bytes(),
        });
        let mark = if big { [0xfe, 0xff] } else { [0xff, 0xfe] };
        let marked: Vec<u8> = mark.into_iter().chain(bytes.clone()).collect();
        for bytes in [marked, bytes.collect()] {
            let loaded = load_with("a.csv", bytes, known(&REPORT)).expect("rows");
            assert_eq!(loaded.stats.delimiter, Some('\t'));
            assert_eq!(loaded.texts("Kampagne"), ["Dächer, neu"]);
            assert_eq!(loaded.stats.preamble_lines, 2);
        }
    }
}

#[test]
fn a_line_with_few_headings_counts_only_where_no_other_has_more() {
    let content = "Campaign,Day\nDay;Campaign;Clicks\n1;2;3\n";
    let loaded = load_with("a.csv", content, known(&REPORT)).expect("rows");
    assert_eq!(loaded.stats.columns, ["Day", "Campaign", "Clicks"]);
    let content = "Campaign report\nDay,Campaign\n1,2\n";
    let loaded = load_with("a.csv", content, known(&REPORT)).expect("rows");
    assert_eq!(loaded.texts("Campaign"), ["2"]);
}

#[test]
fn without_a_preamble_or_without_headings_nothing_changes() {
    let plain = "Day,Campaign,Clicks\n1,2,3\n";
    let loaded = load_with("a.csv", plain, known(&REPORT)).expect("rows");
    assert!(!loaded.names().contains(&"_preamble".to_owned()));
    assert_eq!(loaded.stats.preamble_lines, 0);
    let report = "Report\nDay,Campaign,Clicks\n1,2,3\n";
    let loaded = load_with("a.csv", report, FileConfig::default()).expect("rows");
    assert_eq!(loaded.stats.columns, ["Report"]);
    let loaded = load_with("a.csv", report, known(&["Other", "Names"])).expect("rows");
    assert_eq!(loaded.stats.columns, ["Report"]);
    let skipped = FileConfig {
        skip_lines: Some(1),
        ..known(&["Report", "Campaign"])
    };
    let loaded = load_with("a.csv", report, skipped).expect("rows");
    assert_eq!(loaded.stats.columns, ["Day", "Campaign", "Clicks"]);
    assert_eq!(loaded.stats.preamble_lines, 0, "the project named them");
    let announced = "sep=;\nDay;Campaign;Clicks\n1;2;3\n";
    let loaded = load_with("a.csv", announced, known(&REPORT)).expect("rows");
    assert_eq!(loaded.stats.delimiter, Some(';'));
    assert_eq!(loaded.stats.preamble_lines, 0);
    // Quotes that nothing closes, blank lines, no header at all: as without headings.
    for content in ["\n\n\n", "Report \"x\nA,B\n", ""] {
        let loaded = load_with("a.csv", content, known(&REPORT)).expect("a file");
        assert_eq!(loaded.stats.preamble_lines, 0);
    }
}
