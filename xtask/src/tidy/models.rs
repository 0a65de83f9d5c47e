//! Rules for SQL models: layers, grain, form. Light: patterns on text, not a parser.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::Regex;

use super::{File, Violation};

#[expect(
    clippy::unwrap_used,
    reason = "the pattern is a constant; the tests compile it"
)]
static REF: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"\bref\(\s*['"]([^'"]+)['"]\s*\)"#).unwrap());

#[expect(
    clippy::unwrap_used,
    reason = "the pattern is a constant; the tests compile it"
)]
static QUOTED: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"'[^']*'|"[^"]*"|--.*$|\{#.*?#\}|\{%.*?%\}"#).unwrap());

#[expect(
    clippy::unwrap_used,
    reason = "the pattern is a constant; the tests compile it"
)]
static KEYWORD: LazyLock<Regex> = LazyLock::new(|| {
    let words = "SELECT|FROM|WHERE|JOIN|LEFT|INNER|UNION|WITH|CASE|WHEN|THEN|ELSE|AND|OR|NOT|NULL\
                 |ON|AS|IN|IS|OVER|GROUP|ORDER|PARTITION|BY|HAVING|DISTINCT|CAST|SUM|COUNT";
    Regex::new(&format!(r"\b({words})\b")).unwrap()
});

#[expect(
    clippy::unwrap_used,
    reason = "the pattern is a constant; the tests compile it"
)]
static STAR: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"select( distinct)? \*").unwrap());

#[expect(
    clippy::unwrap_used,
    reason = "the pattern is a constant; the tests compile it"
)]
static STAR_WHOLE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^select \* from [a-z_0-9]+\s*$").unwrap());

/// Checks all models, macros excepted where a rule is about models.
pub(super) fn check(files: &[File]) -> Vec<Violation> {
    let described = described_names(files);
    let models: Vec<&File> = files
        .iter()
        .filter(|file| file.path.starts_with("models/") && file.extension() == "sql")
        .filter(|file| layer(file).is_some())
        .collect();
    let layers: BTreeMap<&str, u32> = models
        .iter()
        .filter_map(|model| Some((model.stem(), layer(model)?)))
        .collect();
    let mut known: BTreeSet<&str> = layers.keys().copied().collect();
    known.extend(seeds(files));

    let mut found = Vec::new();
    let mut names: BTreeMap<&str, &File> = BTreeMap::new();
    for model in &models {
        if let Some(other) = names.insert(model.stem(), model) {
            found.push(model.violation(0, format!("the same name as {}", other.path)));
        }
        if !described.contains(model.stem()) {
            let message = "no `.yml` describes it: add `- name: …` with description and tests";
            found.push(model.violation(0, message));
        }
        if !model
            .text
            .lines()
            .take(5)
            .any(|line| line.starts_with("-- grain: "))
        {
            found.push(model.violation(1, "no `-- grain: one row per …` at its head"));
        }
        check_refs(model, &layers, &known, &mut found);
    }
    for file in files.iter().filter(|file| is_project_sql(file)) {
        check_form(file, &mut found);
        for (number, name) in refs(file).filter(|(_, name)| !known.contains(name)) {
            found.push(file.violation(number, format!("ref to `{name}`, which does not exist")));
        }
    }
    found.extend(cycles(&models));
    found
}

fn is_project_sql(file: &File) -> bool {
    file.extension() == "sql"
        && (file.path.starts_with("models/") || file.path.starts_with("quality/"))
}

/// The number that the folder under `models/` begins with.
fn layer(file: &File) -> Option<u32> {
    file.path
        .strip_prefix("models/")?
        .split(['_', '/'])
        .next()?
        .parse()
        .ok()
}

fn seeds(files: &[File]) -> impl Iterator<Item = &str> {
    files
        .iter()
        .filter(|file| file.path.starts_with("models/seeds/"))
        .map(File::stem)
}

/// Names that a `.yml` beside the models describes.
fn described_names(files: &[File]) -> BTreeSet<&str> {
    files
        .iter()
        .filter(|file| file.path.starts_with("models/") && file.extension() == "yml")
        .flat_map(|file| file.text.lines())
        .filter_map(|line| {
            let rest = line
                .trim_start()
                .trim_start_matches("- ")
                .trim_start_matches('{');
            let name = rest.strip_prefix("name: ")?;
            name.split([',', '}', ' ']).next()
        })
        .collect()
}

/// The refs of a file with their lines; `previous('…')` is none.
fn refs(file: &File) -> impl Iterator<Item = (usize, &str)> {
    file.lines().flat_map(|(number, line)| {
        REF.captures_iter(line)
            .filter_map(move |captures| Some((number, captures.get(1)?.as_str())))
    })
}

fn check_refs(
    model: &File,
    layers: &BTreeMap<&str, u32>,
    known: &BTreeSet<&str>,
    found: &mut Vec<Violation>,
) {
    let Some(own) = layer(model) else { return };
    for (number, name) in refs(model).filter(|(_, name)| known.contains(name)) {
        let Some(other) = layers.get(name) else {
            continue;
        };
        if *other > own {
            let message = format!("ref to `{name}` of layer {other} from layer {own}");
            found.push(model.violation(number, message));
        }
    }
    for (number, line) in model.lines() {
        let code = without_comment(line);
        if own > 1 && (code.contains(" source(") || code.contains("{source(")) {
            found.push(model.violation(number, "names a source; only silver may, read an entity"));
        }
    }
}

fn without_comment(line: &str) -> &str {
    line.split("--").next().unwrap_or(line)
}

fn check_form(file: &File, found: &mut Vec<Violation>) {
    let lines: Vec<&str> = file.text.lines().collect();
    let mut in_comment = false;
    for (index, line) in lines.iter().enumerate() {
        let number = index + 1;
        // A comment of Jinja over several lines is prose.
        let was_in_comment = in_comment;
        if line.contains("{#") {
            in_comment = !line.contains("#}");
        } else if line.contains("#}") {
            in_comment = false;
        }
        if was_in_comment || in_comment {
            continue;
        }
        let code = QUOTED.replace_all(line, "''");
        if let Some(keyword) = KEYWORD.find(&code) {
            let message = format!("`{}`: keywords are lower case", keyword.as_str());
            found.push(file.violation(number, message));
        }
        let indent = line.len() - line.trim_start_matches(' ').len();
        if indent % 4 != 0 && !line.trim().is_empty() {
            found.push(file.violation(number, format!("indented by {indent}; 4 spaces a step")));
        }
        if STAR.is_match(&code) && !may_select_all(&lines, index) {
            let message = "`select *` over a join, or at the end: name the columns";
            found.push(file.violation(number, message));
        }
    }
}

/// Within a CTE a star may take over one relation, but not a join: there the columns are named, so
/// that nothing comes in twice or unseen. At the outermost it is the last line and nothing else.
fn may_select_all(lines: &[&str], index: usize) -> bool {
    let line = lines[index];
    if !line.starts_with(' ') {
        let is_last = lines[index + 1..].iter().all(|line| line.trim().is_empty());
        return STAR_WHOLE.is_match(line) && is_last;
    }
    let is_end = |line: &&&str| {
        let code = line.trim();
        code.is_empty() || code.starts_with(')') || code.starts_with("union")
    };
    let statement = lines[index..].iter().take_while(|line| !is_end(line));
    !statement.into_iter().any(|line| line.contains(" join "))
}

/// A model that reaches itself through refs.
fn cycles(models: &[&File]) -> Vec<Violation> {
    let edges: BTreeMap<&str, Vec<&str>> = models
        .iter()
        .map(|model| (model.stem(), refs(model).map(|(_, name)| name).collect()))
        .collect();
    let mut found = Vec::new();
    for model in models {
        let mut seen = BTreeSet::new();
        let mut stack = edges.get(model.stem()).cloned().unwrap_or_default();
        while let Some(name) = stack.pop() {
            if name == model.stem() {
                found.push(model.violation(0, "reaches itself through its refs"));
                break;
            }
            if seen.insert(name) {
                stack.extend(edges.get(name).into_iter().flatten());
            }
        }
    }
    found
}
