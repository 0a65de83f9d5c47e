//! What definitions may say, and what is said of those that may not.

use super::*;

/// The definitions that are part of the program.
fn built_in() -> Vec<Source> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../metrics");
    let entries = std::fs::read_dir(folder).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let source = |path: &std::path::PathBuf| Source {
        path: format!("metrics/{}", path.file_name().unwrap().to_string_lossy()),
        text: std::fs::read_to_string(path).unwrap(),
        is_project: false,
    };
    files.iter().map(source).collect()
}

fn source(path: &str, text: &str, is_project: bool) -> Source {
    Source {
        path: path.into(),
        text: text.into(),
        is_project,
    }
}

const VISITS: &str = "
dimensions:
  - name: channel
    description: Channel.
    table: star.dim_channel
    key: channel_key
    column: channel
  - {name: currency, description: Currency.}
subjects:
  - name: visits
    description: Visits.
    table: star.fct_visit
    time: {column: day}
    dimensions:
      - {name: channel, column: channel_key}
      - {name: currency}
    measures:
      - {name: visits, description: Visits., aggregate: count}
      - {name: people, description: People., aggregate: count_distinct, column: person}
      - {name: per_person, description: Visits of one., ratio: {of: visits, per: people}}
      - {name: value, description: V., type: money, currency: reporting, aggregate: sum, column: v}
";

fn visits(more: &str) -> Result<Layer, Vec<Wrong>> {
    Layer::read(vec![
        source("metrics/visits.yml", VISITS, false),
        source("metrics/own.yml", more, true),
    ])
}

#[test]
fn what_is_built_in_can_be_read() {
    if let Err(wrongs) = Layer::read(built_in()) {
        let shown: Vec<String> = wrongs.iter().map(ToString::to_string).collect();
        panic!("{}", shown.join("\n\n"));
    }
}

#[test]
fn every_built_in_figure_is_found_by_its_short_name_and_says_what_it_means() {
    let layer = Layer::read(built_in()).unwrap();
    assert!(layer.all().len() > 80, "{}", layer.all().len());
    for found in layer.all() {
        let name = layer.short_name(found);
        assert_eq!(layer.find(&Name::parse(&name)), Ok(found));
        assert!(found.description().ends_with('.'), "{name}");
        assert!(layer.formula(found).is_ok(), "{name}");
    }
}

#[test]
fn a_project_adds_replaces_and_extends() {
    let layer = visits(
        "
subjects:
  - name: visits
    extend: true
    measures:
      - name: visits
        description: Long visits.
        aggregate: count
        filters: [{column: long, is: true}]
      - {name: longest, description: The longest., type: seconds, aggregate: max, column: seconds}
metrics:
  - name: value_of_a_visit
    description: Value.
    type: money
    currency: reporting
    formula: value / visits
",
    )
    .unwrap();
    let subject = &layer.subjects["visits"];
    assert_eq!(subject.table.as_deref(), Some("star.fct_visit"));
    assert_eq!(subject.measures.len(), 5);
    assert_eq!(
        subject.measure("visits").unwrap().description,
        "Long visits."
    );
    let found = layer.find(&Name::parse("value_of_a_visit")).unwrap();
    assert_eq!(layer.additivity(found), Additivity::Ratio);
    let names = layer.formula(found).unwrap();
    let names: Vec<String> = names.names().iter().map(ToString::to_string).collect();
    assert_eq!(names, ["visits.value", "visits.visits"]);
    assert_eq!(
        layer.place("metric", "value_of_a_visit"),
        Some(("metrics/own.yml", 12))
    );
}

/// A file of a project, the line that is wrong, and what is said of it.
const WRONG: &[(&str, usize, &str)] = &[
    (
        "subjects:\n  - name: x\n    tabel: star.y",
        3,
        "unknown field `tabel`",
    ),
    (
        "subjects:\n  - {name: x, description: X.}",
        2,
        "has no `table`",
    ),
    (
        "subjects:\n  - {name: nobody, extend: true}",
        2,
        "no subject `nobody` to extend",
    ),
    (
        "subjects:\n  - {name: x, description: X., table: star.y, dimensions: [{name: planet}]}",
        2,
        "unknown dimension `planet`",
    ),
    (
        "subjects:\n  - {name: x, description: X., table: y}",
        2,
        "does not say schema and table",
    ),
    (
        "\nsubjects:\n  - name: visits\n    extend: true\n    measures:\n      - {name: m, description: M., aggregate: sum, column: c}",
        6,
        "does not say its `type`",
    ),
    (
        "subjects:\n  - name: visits\n    extend: true\n    measures:\n      - {name: m, description: M., type: money, aggregate: sum, column: c}",
        5,
        "does not say its `currency`",
    ),
    (
        "subjects:\n  - name: visits\n    extend: true\n    measures:\n      - {name: m, description: M., aggregate: count, ratio: {of: a, per: b}}",
        5,
        "needs one of `aggregate`, `ratio` and `formula`",
    ),
    (
        "subjects:\n  - name: visits\n    extend: true\n    measures:\n      - {name: m, description: M., formula: visits + value}",
        5,
        "adds a count and money in the currency `reporting`",
    ),
    (
        "subjects:\n  - name: visits\n    extend: true\n    measures:\n      - {name: m, description: M., formula: m / visits}",
        5,
        "`visits.m` is made of itself",
    ),
    (
        "subjects:\n  - name: visits\n    extend: true\n    measures:\n      - {name: m, description: M., formula: visits / }",
        5,
        "it ends where a measure or a number should follow",
    ),
    (
        "subjects:\n  - name: visits\n    extend: true\n    measures:\n      - {name: m, description: M., aggregate: count, filters: [{column: c}]}",
        5,
        "needs a `column` and one comparison",
    ),
    (
        "subjects:\n  - name: visits\n    extend: true\n    defaults: [{dimension: channel, is: {setting: a.b}}]",
        2,
        "unknown setting `a.b`",
    ),
    (
        "metrics:\n  - {name: visits, description: V., formula: visits.visits}",
        2,
        "has the name of a measure of `visits`",
    ),
    (
        "metrics:\n  - {name: day, description: D., formula: visits}",
        2,
        "`day` is reserved",
    ),
    (
        "metrics:\n  - {name: Ñ, description: D., formula: visits}",
        2,
        "cannot be the name",
    ),
    (
        "metrics:\n  - {name: m, description: M., formula: nothing}",
        2,
        "no metric `nothing`",
    ),
];

#[test]
fn what_is_wrong_is_said_with_its_place() {
    for &(text, line, what) in WRONG {
        let wrongs = visits(text).unwrap_err();
        let shown: Vec<String> = wrongs.iter().map(ToString::to_string).collect();
        let found = wrongs
            .iter()
            .any(|wrong| wrong.to_string().contains(what) && wrong.line == line);
        assert!(found, "{what} on line {line}: {}", shown.join("\n\n"));
    }
}

#[test]
fn one_name_stands_for_one_thing() {
    let twice = "subjects:\n  - {name: s, description: S., table: a.b, measures: [{name: visits, \
                 description: V., aggregate: count}]}";
    let wrongs = visits(twice).unwrap_err();
    assert!(
        wrongs
            .iter()
            .any(|wrong| wrong.what.contains("is also a measure of"))
    );
    let yields = twice.replace("table: a.b", "table: a.b, yields: true");
    let layer = visits(&yields).unwrap();
    let found = layer.find(&Name::parse("visits")).unwrap();
    assert_eq!(found.full_name(), "visits.visits");
    let found = layer.find(&Name::parse("s.visits")).unwrap();
    assert_eq!(layer.short_name(found), "s.visits");
}

#[test]
fn formulas_bind_as_in_arithmetic() {
    let formula = Formula::parse("a - 2 * (b + c) / d").unwrap();
    assert!(formula.divides());
    assert_eq!(formula.names().len(), 4);
    let Formula::Of(_, operator, _) = formula else {
        panic!("no sum");
    };
    assert_eq!(operator, Operator::Minus);
    for wrong in ["a +", "(a", "a b", "1.2.3", "a & b", "", "a..", "2a"] {
        assert!(Formula::parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_coarser_grain_holds_whole_buckets_of_a_finer_one() {
    assert!(Grain::Month.holds(Grain::Day));
    assert!(Grain::Year.holds(Grain::Month));
    assert!(!Grain::Month.holds(Grain::Week));
    assert!(!Grain::Day.holds(Grain::Month));
    assert!(Grain::Week.holds(Grain::Week));
}
