//! Plain CSV files, as the demo company's truth is written.

use std::collections::BTreeMap;
use std::path::Path;

/// The rows of a CSV file, each by column name.
pub fn csv_rows(path: &Path) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(path).expect("a CSV file");
    let header = reader.headers().expect("a header").clone();
    let records = reader.records().map(|record| record.expect("a record"));
    records
        .map(|record| {
            let pairs = header.iter().zip(record.iter());
            pairs
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect()
        })
        .collect()
}
