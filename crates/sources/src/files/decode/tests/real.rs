//! Real exports, read whole and counted by another reader. Skipped where they are not at hand.

use std::path::Path;

use super::*;
use crate::files::find::{Finding, find};

/// The files at a path below the shared data, or none if those are not there.
fn found(paths: &[&str]) -> Option<Vec<FoundFile>> {
    // Asked when the test runs: a build may be of another clone into the same target folder.
    let here = std::env::var("CARGO_MANIFEST_DIR");
    let here = here.unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").to_owned());
    let shared = Path::new(&here).join("../../../shared/data");
    if !shared.is_dir() {
        eprintln!("skipped: no shared data at `../shared/data`");
        return None;
    }
    let mut stream = stream(FileConfig::default());
    stream.paths = paths.iter().map(|&path| path.to_owned()).collect();
    let found = find(&shared, &stream);
    let is_serious = |finding: &&Finding| !matches!(finding, Finding::LeftOut { .. });
    assert_eq!(found.findings.iter().find(is_serious), None);
    assert!(!found.files.is_empty());
    Some(found.files)
}

/// Reads a file into nothing.
fn count(file: &FoundFile) -> ReadStats {
    let hash = file.content_hash().expect("a hash");
    let mut rows = 0;
    let mut sink = |batch: RecordBatch| {
        rows += batch.num_rows() as u64;
        Ok(())
    };
    let stats = read(&stream(FileConfig::default()), file, &hash, &mut sink).expect("rows");
    assert_eq!(stats.rows, rows);
    stats
}

#[test]
fn every_row_of_the_real_csv_files_is_read() {
    let Some(files) = found(&[
        "fivetran_ads/**/*.csv",
        "fivetran_hubspot/**/*.csv",
        "maven_fuzzy_factory/**/*.csv",
        "web_shop_two_days/**/*.csv",
        "online_retail/**/*.csv",
        "ga4_samples/**/*.csv",
    ]) else {
        return;
    };
    assert!(files.len() > 450, "{} files", files.len());
    let mut total = 0;
    for file in &files {
        let stats = count(file);
        let mut oracle = ::csv::ReaderBuilder::new()
            .flexible(true)
            .from_path(&file.path)
            .expect("a file");
        let header = oracle.byte_headers().expect("a header").clone();
        let rows = oracle.byte_records().map(|row| row.expect("a row"));
        let rows = rows.fold(0, |rows, row| rows + u64::from(row != header));
        assert_eq!(stats.rows, rows, "{}", file.relative);
        assert_eq!(stats.columns.len(), header.len(), "{}", file.relative);
        assert_eq!(stats.replaced_characters.count, 0, "{}", file.relative);
        total += rows;
    }
    eprintln!("{} files, {total} rows", files.len());
}

#[test]
fn known_counts_come_out() {
    let Some(files) = found(&[
        "maven_fuzzy_factory/data/orders.csv",
        "maven_fuzzy_factory/data/order_items.csv",
        "maven_fuzzy_factory/data/order_item_refunds.csv",
        "online_retail/data/retail-data/by-day",
    ]) else {
        return;
    };
    let mut by_name = std::collections::BTreeMap::<&str, u64>::new();
    for file in &files {
        let name = match file.relative.rsplit('/').next() {
            Some(name) if file.relative.starts_with("maven") => name,
            _ => "online_retail",
        };
        *by_name.entry(name).or_default() += count(file).rows;
    }
    let expected = [
        ("online_retail", 541_909),
        ("order_item_refunds.csv", 1_731),
        ("order_items.csv", 40_025),
        ("orders.csv", 32_313),
    ];
    assert_eq!(by_name, expected.into());
}

#[test]
fn the_samples_of_the_ga4_export_are_read() {
    let Some(files) = found(&["ga4_samples/*.json", "ga4_samples/*.ndjson"]) else {
        return;
    };
    for file in &files {
        let stats = count(file);
        assert!(stats.rows > 0, "{}", file.relative);
        assert_eq!(stats.malformed_rows.count, 0, "{}", file.relative);
    }
}
