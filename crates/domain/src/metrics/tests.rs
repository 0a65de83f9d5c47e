//! What definitions may say, and what is said of those that may not.

use super::*;

/// The definitions that are part of the program.
fn built_in() -> Vec<Source> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../metrics");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    files.sort();
    files
        .iter()
        .map(|path| Source {
            path: format!("metrics/{}", path.file_name().unwrap().to_string_lossy()),
            text: std::fs::read_to_string(path).unwrap(),
            is_project: false,
        })
        .collect()
}

#[test]
fn what_is_built_in_can_be_read() {
    if let Err(wrongs) = Layer::read(built_in()) {
        let shown: Vec<String> = wrongs.iter().map(ToString::to_string).collect();
        panic!("{}", shown.join("\n\n"));
    }
}
