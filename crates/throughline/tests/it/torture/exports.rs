//! The demo company's exports in any order: every built-in kind of source, late and in parts.
//!
//! The history files of a CRM and of ad platforms come before or after the events that need them,
//! and half of every tenth file comes again as a file of its own.

use std::path::{Path, PathBuf};

use rand::seq::SliceRandom as _;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use testkit::Project;

use super::content::differences;
use super::{done, program, rebuilt, setting};

fn files_below(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_below(&path, files);
        } else {
            files.push(path);
        }
    }
}

#[test]
fn exports_in_any_order_equal_their_rebuild() {
    let seed = setting("THROUGHLINE_SEED").unwrap_or(1);
    // A rebuild after each part in the long run, after the last one in the short run.
    let is_long = setting("THROUGHLINE_HISTORIES").is_some();
    let parts = if is_long { 12 } else { 3 };
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let project = Project::new(&program(), "");
    let made = project.path("made");
    let out = project.run(&[
        "generate",
        "--events",
        "1500",
        "--days",
        "8",
        "--seed",
        "3",
        "--out",
        &made.display().to_string(),
    ]);
    assert!(out.status.success(), "{}", testkit::text(&out));
    project.set(&crate::demo_company::settings("sources"));
    let mut files = Vec::new();
    files_below(&made, &mut files);
    files.retain(|file| !file.starts_with(made.join("truth")));
    files.sort();
    files.shuffle(&mut random);
    // A path without a glob names a file that has to be there.
    files.sort_by_key(|file| !file.ends_with("shopify/products.ndjson"));
    let share = files.len().div_ceil(parts);
    for (number, part) in files.chunks(share).enumerate() {
        for file in part {
            let relative = file.strip_prefix(&made).unwrap().display().to_string();
            let content = std::fs::read(file).unwrap();
            project.write(&format!("sources/{relative}"), &content);
            if random.random_bool(0.1) && relative.ends_with(".csv") {
                let (stem, half) = (relative.trim_end_matches(".csv"), half(&content));
                project.write(&format!("sources/{stem}_again.csv"), half);
            }
        }
        let when = format!("seed {seed}, part {} of {parts}", number + 1);
        done(&project, &["run"]).unwrap_or_else(|why| panic!("{when}: {why}"));
        let again = done(&project, &["run"]).unwrap_or_else(|why| panic!("{when}: {why}"));
        assert_eq!(again["built"], 0, "{when}: {}", again["models"]);
        if is_long || number + 1 == parts {
            let different = differences(&project, &rebuilt(&project), &[]);
            assert!(different.is_empty(), "{when}:\n{}", different.join("\n"));
        }
    }
}

/// A CSV file's header and the first half of its lines.
fn half(content: &[u8]) -> Vec<u8> {
    let lines: Vec<&[u8]> = content.split_inclusive(|byte| *byte == b'\n').collect();
    lines[..lines.len().div_ceil(2)].concat()
}
