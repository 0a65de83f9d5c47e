//! Loading small projects: what goes where, who wins, what is refused and how it is told.

use super::problem::{Place, nearest};
use super::testing::{Fixture, fixture};
use super::*;

#[test]
fn files_are_sorted_by_what_they_are() {
    let project = fixture(&[
        ("throughline.yml", "name: x"),
        ("models/3_star/orders/fct_order.sql", "select 1"),
        ("models/staging/stg_shop__orders.sql", "select 1"),
        ("models/int_links.sql", "select 1"),
        ("models/bridge_a.sql", "select 1"),
        ("models/what.sql", "select 1"),
        ("models/macros/m.sql", "{% macro a() %}{% endmacro %}"),
        ("macros/n.sql", "{% macro b() %}{% endmacro %}"),
        ("seeds/country.csv", "a,b\n"),
        (
            "seeds/s.yml",
            "seeds:\n  - name: country\n    config: {column_types: {a: bigint}}\n",
        ),
        ("models/data.csv", "not a seed"),
        ("tests/all_is_well.sql", "select 1"),
        ("quality/spend_adds_up.sql", "select 1"),
        ("models/.hidden.sql", "select 1"),
        (
            "models/3_star/star.yml",
            "models:\n- name: fct_order\n  description: Orders.\n",
        ),
    ])
    .project();
    let layers: Vec<(&str, Layer)> = project
        .models
        .values()
        .map(|m| (m.name.as_str(), m.layer))
        .collect();
    assert_eq!(
        layers,
        [
            ("stg_shop__orders", Layer::Silver),
            ("int_links", Layer::Identity),
            ("bridge_a", Layer::Star),
            ("fct_order", Layer::Star),
            ("what", Layer::Marts),
        ]
    );
    assert_eq!(
        project.models["fct_order"].properties.description,
        "Orders."
    );
    assert_eq!(project.seeds["country"].column_types()["a"], "bigint");
    assert_eq!(project.singular_tests.len(), 2);
    assert_eq!(project.macros.len(), 2);
}

#[test]
fn the_project_wins_over_the_built_in() {
    let builtin: &[(&str, &str)] = &[
        ("models/3_star/dim_a.sql", "select 'built in'"),
        ("models/3_star/dim_b.sql", "select 'built in'"),
        (
            "models/3_star/star.yml",
            "models:\n  - {name: dim_a, description: A.}\n  \
             - name: dim_b\n    description: B.\n    \
             columns: [{name: k, tests: [unique]}]\n",
        ),
        ("quality/q.sql", "select 'built in'"),
        ("models/seeds/list.csv", "a\n"),
    ];
    let project = Fixture::new(
        builtin,
        &[
            ("throughline.yml", "name: x"),
            ("models/dim_a.sql", "select 'own'"),
            (
                "models/own.yml",
                "models:\n  - name: dim_b\n    \
             columns: [{name: k, description: Key., tests: [unique, not_null]}]\n",
            ),
            ("quality/q.sql", "select 'own'"),
        ],
    )
    .project();
    let (a, b) = (&project.models["dim_a"], &project.models["dim_b"]);
    assert_eq!(
        (a.origin, a.raw_sql.as_str()),
        (Origin::Project, "select 'own'")
    );
    assert_eq!(a.properties.description, "A.");
    assert_eq!(
        (b.origin, b.properties.description.as_str()),
        (Origin::BuiltIn, "B.")
    );
    let column = &b.properties.columns[0];
    assert_eq!(
        (column.description.as_str(), column.tests.len()),
        ("Key.", 2)
    );
    assert_eq!(project.singular_tests["q"].raw_sql, "select 'own'");
    assert_eq!(project.seeds["list"].origin, Origin::BuiltIn);
}

#[test]
fn what_cannot_be_is_refused_with_advice() {
    let base = "name: x\n";
    let cases: &[(&str, &[(&str, &str)], &str)] = &[
        (
            "name: x\nsources:\n  web: {kind: ga5, streams: {}}\n",
            &[],
            "source `web` is of the unknown kind `ga5`\n --> throughline.yml:3:",
        ),
        (
            "name: x\nsources:\n  web: {kind: ga5, streams: {}}\n",
            &[],
            "did you mean `ga4`?",
        ),
        (
            "name: x\nsources:\n  web: {kind: ga4, layout: bigqery, streams: {}}\n",
            &[],
            "did you mean `bigquery`?",
        ),
        (
            "name: x\nsources:\n  Web-Shop: {path: a.csv}\n",
            &[],
            "`Web-Shop` cannot be the name of a source",
        ),
        (
            base,
            &[("models/a.sql", "select 1"), ("models/x/a.sql", "select 1")],
            "two files for `a`",
        ),
        (
            base,
            &[("models/a.sql", "select 1"), ("seeds/a.csv", "a")],
            "two files for `a`",
        ),
        (
            base,
            &[("models/Bad Name.sql", "select 1")],
            "`Bad Name` cannot be the name of a model",
        ),
        (
            base,
            &[
                ("models/a.yml", "models: [{name: aa}]"),
                ("models/a.sql", "select 1"),
            ],
            "`aa` is described but there is no such model",
        ),
        (
            base,
            &[
                ("models/a.yml", "models:\n- name: a\n- name: a\n"),
                ("models/a.sql", "select 1"),
            ],
            "`a` is described twice\n --> models/a.yml:3",
        ),
        (
            base,
            &[
                ("models/a.yml", "models: [{name: a}]"),
                ("models/b.yml", "models: [{name: a}]"),
                ("models/a.sql", "select 1"),
            ],
            "`models/a.yml` describes it too",
        ),
        (
            base,
            &[("models/a.yml", "models:\n  - nam: a\n")],
            "did you mean `name`?",
        ),
        (
            base,
            &[("models/a.yml", "models: [\n")],
            "`models/a.yml` cannot be read as YAML",
        ),
        (
            base,
            &[("models/a.yml", "sources: []\n")],
            "sources are configured in `throughline.yml`",
        ),
        (
            base,
            &[
                ("models/a.yml", "models: [{name: a, tests: [[1]]}]"),
                ("models/a.sql", "x"),
            ],
            "`[1]` is no test",
        ),
        (
            base,
            &[("models/1_silver/k/_source.yml", "kind: k\nstrems: {}\n")],
            "`streams`?",
        ),
    ];
    let builtin: &[(&str, &str)] = &[(
        "models/1_silver/ga4/_source.yml",
        "kind: ga4\nlayouts: [bigquery]\n",
    )];
    for (yml, files, what) in cases {
        let mut all = vec![("throughline.yml", *yml)];
        all.extend_from_slice(files);
        let shown = Fixture::new(builtin, &all).error();
        assert!(shown.contains(what), "{what}: {shown}");
    }
}

#[test]
fn what_is_not_text_is_refused() {
    let fixture = fixture(&[("throughline.yml", "name: x"), ("models/a.sql", "select 1")]);
    let dir = fixture.project().dir;
    std::fs::write(dir.join("models/b.sql"), [0xff, 0xfe, 0x00]).expect("written");
    assert!(fixture.error().contains("`models/b.sql` is not in UTF-8"));
}

#[test]
fn several_mistakes_are_told_together() {
    let fixture = fixture(&[
        (
            "throughline.yml",
            "name: x\nsources:\n  A: {kind: nothing, streams: {}}\n",
        ),
        ("models/a.yml", "models: [{name: b}]"),
    ]);
    let error = fixture.load().expect_err("refused");
    assert_eq!(error.problems().len(), 3, "{error}");
}

#[test]
fn empty_files_are_no_mistake() {
    let project = fixture(&[
        ("throughline.yml", "name: x"),
        ("models/a.yml", "\n# nothing\n"),
    ]);
    assert!(project.project().models.is_empty());
}

#[test]
fn models_from_a_folder_stand_in_for_the_built_in() {
    let dir = tempfile::tempdir().expect("tempdir");
    for path in [
        "models/1_silver/x.sql",
        "quality/q.sql",
        "tests/not_mine.sql",
    ] {
        let path = dir.path().join(path);
        std::fs::create_dir_all(path.parent().expect("parent")).expect("folder");
        std::fs::write(path, "select 1").expect("file");
    }
    for root in [dir.path().to_path_buf(), dir.path().join("models")] {
        let files = FolderFiles::of_models(root).files().expect("files");
        let paths: Vec<String> = files.into_iter().map(|file| file.path).collect();
        assert_eq!(paths, ["models/1_silver/x.sql", "quality/q.sql"]);
    }
}

#[test]
fn places_are_shown_in_characters() {
    let text = "eins\n\tgrün {{ blau }}\r\n";
    let at = text.find("blau").expect("there");
    let place = Place::of_range("m.sql", text, at..at + 4);
    assert_eq!((place.line, place.column, place.width), (2, 10, 4));
    let shown = Problem::new("no").at(place).to_string();
    assert_eq!(
        shown,
        "no\n --> m.sql:2:10\n  |\n2 | \tgrün {{ blau }}\n  | \t        ^^^^"
    );
    let beyond = Place::of_range("m.sql", text, 900..901);
    assert_eq!(beyond.line, 3);
    assert_eq!(Place::of_word("m.sql", text, "").line, 1);
    assert_eq!(Place::of_word("m.sql", text, "lau").line, 1);
}

#[test]
fn the_nearest_word_is_found() {
    assert_eq!(
        nearest("materialised", ["materialized", "tags"]),
        Some("materialized")
    );
    assert_eq!(nearest("odrer", ["order", "other"]), Some("order"));
    assert_eq!(nearest("Order", ["order"]), Some("order"));
    assert_eq!(nearest("xyz", ["order", "lead"]), None);
    assert_eq!(nearest("", ["order"]), None);
}

#[test]
fn a_kind_states_headings_and_words_for_nothing() {
    let kind = "kind: k\nstreams:\n  rows:\n    null_words: ['--']\n    columns:\n      - id\n      \
                - {name: spend, headings: [Cost, 'Cost ({currency})']}\n";
    let project = "name: x\nsources:\n  s:\n    kind: k\n    files: {null_words: [n/a]}\n    \
                   streams: {rows: a.csv}\n";
    let builtin: &[(&str, &str)] = &[("models/1_silver/k/_source.yml", kind)];
    let fixture = Fixture::new(builtin, &[("throughline.yml", project)]);
    let project = fixture.project();
    let stream = &project.streams()[0];
    assert_eq!(
        stream.files.headings.as_deref(),
        Some(&["Cost", "Cost ({currency})", "spend"].map(str::to_owned)[..])
    );
    assert_eq!(
        stream.files.null_words.as_deref(),
        Some(&["--", "n/a"].map(str::to_owned)[..])
    );
    let known = project.stream_kind(stream).expect("a known stream");
    assert_eq!(known.columns[0].name, "id");
    let again = serde_yaml_ng::to_string(known).expect("yaml");
    assert!(again.contains("- id\n"), "{again}");
}
