//! Exports of a small layer, whole, and those of the built-in one by what must hold of them.

use std::path::Path;

use transform::project::Project;

use super::{config, layer};
use crate::metrics::export::{Door, ExportFile, dbt, lookml, tableau};

/// Environment variable that has the expected files written anew.
const WRITE: &str = "THROUGHLINE_WRITE_GOLDEN";

/// Compares files with those below `tests/golden`.
fn golden(folder: &str, files: &[ExportFile]) {
    let root = std::env::var("CARGO_MANIFEST_DIR").unwrap();
    let root = Path::new(&root)
        .join("src/metrics/tests/golden")
        .join(folder);
    for file in files {
        let path = root.join(&file.path);
        if std::env::var_os(WRITE).is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &file.text).unwrap();
        }
        let wanted = std::fs::read_to_string(&path);
        let wanted = wanted.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(file.text, wanted, "{}: set {WRITE}", path.display());
    }
}

fn door() -> Door {
    Door {
        host: "figures.example".into(),
        port: 5433,
    }
}

/// The built-in models and metrics.
fn built_in() -> Project {
    Project::built_in(config(), transform::builtin::models().as_ref()).unwrap()
}

#[test]
fn dbt_is_told_of_tables_columns_and_measures() {
    let mut project = built_in();
    project.models.retain(|name, _| name == "dim_channel");
    project.metrics = layer();
    golden("dbt", &dbt(&project));
}

#[test]
fn looker_asks_for_measures() {
    golden("lookml", &lookml(&layer(), &config()));
}

#[test]
fn tableau_adds_what_may_be_added_and_asks_for_the_rest() {
    golden("tableau", &tableau(&layer(), &config(), &door()));
}

#[test]
fn built_in_exports_are_well_formed() {
    let project = built_in();
    let subjects = project.metrics.subjects.len();
    for file in lookml(&project.metrics, &project.config) {
        let open = file.text.matches('{').count();
        assert_eq!(open, file.text.matches('}').count(), "{}", file.path);
        let quotes = file.text.matches('"').count() - file.text.matches("\\\"").count();
        assert_eq!(quotes % 2, 0, "{}", file.path);
    }
    let files = tableau(&project.metrics, &project.config, &door());
    assert_eq!(files.len(), subjects);
    for file in files {
        elements_are_closed(&file.text);
    }
    let sources = &dbt(&project)[0].text;
    for name in ["fct_conversion", "mart_channel_daily", "sessions"] {
        assert!(
            sources.contains(&format!("      - name: {name}\n")),
            "{name}"
        );
    }
    assert!(!sources.contains("name: int_"));
}

/// Every element of an XML text is closed, in order, and no attribute holds what it must not.
fn elements_are_closed(text: &str) {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        assert!(!rest[..at].contains('>'), "{}", &rest[..at]);
        let end = rest.find('>').unwrap();
        let element = &rest[at + 1..end];
        rest = &rest[end + 1..];
        if element.starts_with(['?', '!']) || element.ends_with('/') {
            continue;
        }
        assert_eq!(element.matches('\'').count() % 2, 0, "{element}");
        match element.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name)),
            None => open.push(element.split(' ').next().unwrap()),
        }
    }
    assert!(open.is_empty(), "{open:?}");
}
