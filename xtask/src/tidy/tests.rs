//! The repository is tidy, and the rules see what they are for.

use super::*;

fn file(path: &str, text: &str) -> File {
    File {
        path: path.into(),
        text: text.into(),
    }
}

fn messages(violations: &[Violation]) -> Vec<String> {
    violations.iter().map(ToString::to_string).collect()
}

#[test]
fn the_repository_is_tidy() {
    let violations = check(&crate::root()).unwrap();
    assert!(
        violations.is_empty(),
        "not tidy:\n{}",
        messages(&violations).join("\n")
    );
}

#[test]
fn text_rules_see_width_leftovers_and_machine_paths() {
    let long = format!("// {}\n", "x".repeat(100));
    let address = format!("// https://example.com/{}\n", "x".repeat(100));
    let leftover = ["// FIX", "ME: later\n"].concat();
    let path = "let path = \"/ho".to_owned() + "me/somebody/data\";\n";
    let files = [
        file("a.rs", &long),
        file("b.rs", &address),
        file("c.rs", &leftover),
        file("d.rs", &path),
        file("e.rs", "let page = \"https://example.com/home/sale\";\n"),
        file("f.sql", "select 1 \n"),
        file("g.rs", "no end"),
        file(
            "h.rs",
            &["let currency = \"X", "XX\"; // not a leftover\n"].concat(),
        ),
    ];
    let found = messages(&text::check(&files));
    assert_eq!(
        found,
        [
            "a.rs:1: 103 columns; 100 are the most".to_owned(),
            ["c.rs:1: leftover `FIX", "ME`: do it, or open an issue"].concat(),
            "d.rs:1: a path of one machine".to_owned(),
            "f.sql:1: space at the end of the line".to_owned(),
            "g.rs:0: the last line has no line end".to_owned(),
        ]
    );
}

#[test]
fn rust_rules_see_purpose_length_and_dead_files() {
    let long = format!(
        "//! Doc.\npub fn long() {{\n{}}}\n",
        "    work();\n".repeat(69)
    );
    let short = format!(
        "//! Doc.\npub fn short() {{\n{}}}\n",
        "    work();\n".repeat(68)
    );
    let files = [
        file(
            "crates/a/src/lib.rs",
            "//! Doc.\nmod long;\npub mod short;\nmod folder;\n",
        ),
        file("crates/a/src/long.rs", &long),
        file("crates/a/src/short.rs", &short),
        file("crates/a/src/folder/mod.rs", "//! Doc.\nmod inner;\n"),
        file(
            "crates/a/src/folder/inner.rs",
            "//! Doc.\n#[allow(dead_code)]\nfn f() {}\n",
        ),
        file("crates/a/src/folder/dead.rs", "fn f() {}\n"),
    ];
    assert_eq!(
        messages(&rust::check(&files)),
        [
            "crates/a/src/long.rs:2: function `long` has 71 lines; 70 are the most",
            "crates/a/src/folder/inner.rs:2: `allow`: use `#[expect(lint, reason = \"…\")]`",
            "crates/a/src/folder/dead.rs:1: begins without `//!`: say what this file is for",
            "crates/a/src/folder/dead.rs:0: dead file: no `mod` names it",
        ]
    );
}

const MAP: &str = "\
Text.
<!-- arrows: tidy reads this list -->
```text
domain:
lake: domain
serve: domain lake
```
<!-- end of arrows -->
";

#[test]
fn arrows_see_a_new_arrow_a_lost_one_and_a_foreign_engine() {
    let files = [
        file("ARCHITECTURE.md", MAP),
        file("Cargo.toml", "[workspace]\n"),
        file(
            "crates/domain/Cargo.toml",
            "[dependencies]\nlake.workspace = true\n",
        ),
        file(
            "crates/lake/Cargo.toml",
            "[dependencies]\ndomain.workspace = true\ndeltalake = \"1\"\n",
        ),
        file(
            "crates/serve/Cargo.toml",
            "[dependencies]\ndomain = { path = \"../domain\" }\n\n[dev-dependencies.deltalake]\n",
        ),
    ];
    assert_eq!(
        messages(&arrows::check(&files).unwrap()),
        [
            "crates/domain/Cargo.toml:0: arrow `domain → lake` is not in ARCHITECTURE.md",
            "ARCHITECTURE.md:0: arrow `serve → lake` is no longer in crates/serve/Cargo.toml",
            "crates/serve/Cargo.toml:0: names `deltalake`; only lake may",
        ]
    );
}

#[test]
fn lock_sees_two_versions() {
    let package = |version| format!("[[package]]\nname = \"arrow\"\nversion = \"{version}\"\n\n");
    let files = [file(
        "Cargo.lock",
        &(package("58.0.0") + &package("59.0.0")),
    )];
    assert_eq!(
        messages(&lock::check(&files).unwrap()),
        ["Cargo.lock:0: `arrow` in 2 versions: 58.0.0, 59.0.0"]
    );
}

#[test]
fn models_see_layers_grain_form_and_cycles() {
    let grain = "-- grain: one row per thing\n";
    let files = [
        file(
            "models/3_star/dim_a.sql",
            &format!("{grain}select a from {{{{ ref('mart_a') }}}}\n"),
        ),
        file(
            "models/3_star/dim_b.sql",
            "select A.a AS b from {{ ref('dim_a') }} as A\n",
        ),
        file(
            "models/3_star/star.yml",
            "models:\n  - name: dim_a\n  - {name: mart_a}\n",
        ),
        file(
            "models/4_marts/mart_a.sql",
            &format!("{grain}select b from {{{{ ref('dim_a') }}}}\n"),
        ),
        file("models/seeds/words.csv", "a\n"),
        file(
            "quality/sentence.sql",
            "  select * from words join {{ ref('words') }} join {{ ref('gone') }}\n",
        ),
    ];
    let mut found = models::check(&files);
    found.sort();
    assert_eq!(
        messages(&found),
        [
            "models/3_star/dim_a.sql:0: reaches itself through its refs",
            "models/3_star/dim_a.sql:2: ref to `mart_a` of layer 4 from layer 3",
            "models/3_star/dim_b.sql:0: no `.yml` describes it: add `- name: …` with description \
             and tests",
            "models/3_star/dim_b.sql:1: `AS`: keywords are lower case",
            "models/3_star/dim_b.sql:1: no `-- grain: one row per …` at its head",
            "models/4_marts/mart_a.sql:0: reaches itself through its refs",
            "quality/sentence.sql:1: `select *` over a join, or at the end: name the columns",
            "quality/sentence.sql:1: indented by 2; 4 spaces a step",
            "quality/sentence.sql:1: ref to `gone`, which does not exist",
        ]
    );
}

#[test]
fn a_star_may_take_over_one_relation_but_no_join() {
    let text = "\
-- grain: one row per order
with orders as (
    select * from {{ entity('order') }}
),

both as (
    select *, 1 as part from orders

    union all

    select *, 2 as part
    from orders
    where order_id = 'join'
),

wide as (
    select *
    from both
    inner join orders on true
)

select * from wide
";
    let with_rest = text.replace("from wide", "from wide where true");
    let files = [
        file("models/3_star/dim_a.sql", text),
        file("models/3_star/dim_b.sql", &with_rest),
        file("models/a.yml", "- name: dim_a\n- name: dim_b\n"),
    ];
    let message = "`select *` over a join, or at the end: name the columns";
    assert_eq!(
        messages(&models::check(&files)),
        [
            format!("models/3_star/dim_a.sql:17: {message}"),
            format!("models/3_star/dim_b.sql:17: {message}"),
            format!("models/3_star/dim_b.sql:22: {message}"),
        ]
    );
}

#[test]
fn licences_are_met_by_what_is_allowed() {
    let rules = "[licenses]\nallow = [\n    \"MIT\",\n    \"Apache-2.0 WITH LLVM-exception\",\n]\n\
                 exceptions = [{ crate = \"odd\", allow = [\"MPL-2.0\"] }]\n";
    let (allowed, excepted) = licences::parse_rules(rules);
    assert_eq!(excepted.into_iter().collect::<Vec<_>>(), ["odd"]);
    for good in [
        "MIT",
        "MIT/GPL-3.0",
        "GPL-3.0 OR MIT",
        "(GPL-3.0 OR MIT) AND MIT",
    ] {
        assert!(licences::is_allowed(good, &allowed), "{good}");
    }
    assert!(licences::is_allowed(
        "Apache-2.0 WITH LLVM-exception",
        &allowed
    ));
    for bad in [
        "",
        "GPL-3.0",
        "MIT AND GPL-3.0",
        "Apache-2.0",
        "GPL-3.0 OR MIT AND GPL-2.0",
    ] {
        assert!(!licences::is_allowed(bad, &allowed), "{bad}");
    }
}
