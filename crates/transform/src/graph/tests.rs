//! Order, refusals and selectors over small projects.

use std::collections::BTreeMap;

use super::*;
use crate::project::testing::fixture;

fn manifest(files: &[(&str, &str)]) -> Manifest {
    let project = fixture(files).project();
    match Manifest::build(project, &BTreeMap::new()) {
        Ok(manifest) => manifest,
        Err(error) => panic!("{error}"),
    }
}

fn error(files: &[(&str, &str)]) -> String {
    Graph::new(&manifest(files))
        .expect_err("no error")
        .to_string()
}

/// Two sources, one entity, a star and marts.
fn shop() -> Graph {
    let manifest = manifest(&[
        (
            "throughline.yml",
            "name: x\nsources:\n  shop: {streams: {orders: a.csv}}\n  \
             till: {streams: {sales: b.csv}}\n",
        ),
        (
            "models/stg_shop__orders.sql",
            "{{ config(entity='order') }} select 1 from {{ source('shop', 'orders') }}",
        ),
        (
            "models/stg_till__orders.sql",
            "{{ config(entity='order') }} select 1 from {{ source('till', 'sales') }}",
        ),
        ("seeds/country.csv", "a\n"),
        (
            "models/3_star/fct_order.sql",
            "select * from {{ entity('order') }}",
        ),
        (
            "models/3_star/dim_country.sql",
            "select * from {{ ref('country') }}",
        ),
        (
            "models/4_marts/mart_daily.sql",
            "{{ config(materialized='table', tags=['daily', 'x']) }}\n\
             select * from {{ ref('fct_order') }}, {{ previous('mart_late') }}",
        ),
        (
            "models/4_marts/mart_late.sql",
            "{{ config(tags=['x']) }} \
             select * from {{ ref('mart_daily') }}, {{ ref('dim_country') }}",
        ),
    ]);
    Graph::new(&manifest).expect("graph")
}

fn selected(graph: &Graph, select: &[&str], exclude: &[&str]) -> String {
    let owned = |all: &[&str]| all.iter().map(|text| (*text).to_owned()).collect();
    let selection = Selection {
        select: owned(select),
        exclude: owned(exclude),
    };
    match graph.select(&selection) {
        Ok(nodes) => nodes.iter().map(Node::name).collect::<Vec<_>>().join(" "),
        Err(problem) => problem.to_string(),
    }
}

#[test]
fn what_is_read_comes_first() {
    let names: Vec<String> = shop().order().iter().map(Node::name).collect();
    assert_eq!(
        names,
        [
            "shop.orders",
            "till.sales",
            "country",
            "stg_shop__orders",
            "stg_till__orders",
            "dim_country",
            "fct_order",
            "mart_daily",
            "mart_late",
        ]
    );
    let graph = shop();
    let orders = Node::Source {
        source: "shop".into(),
        stream: "orders".into(),
    };
    let reached: Vec<String> = graph.descendants(&orders).iter().map(Node::name).collect();
    assert_eq!(
        reached,
        ["fct_order", "mart_daily", "mart_late", "stg_shop__orders"]
    );
    let fact = Node::Model("fct_order".into());
    assert_eq!(graph.parents(&fact).count(), 2);
    assert_eq!(graph.ancestors(&fact).len(), 4);
    assert_eq!(graph.models().count(), 6);
}

#[test]
fn selectors_select() {
    let graph = shop();
    let cases: &[(&[&str], &[&str], &str)] = &[
        (&["fct_order"], &[], "fct_order"),
        (&["star.fct_order"], &[], "fct_order"),
        (
            &["+fct_order"],
            &[],
            "shop.orders till.sales stg_shop__orders stg_till__orders fct_order",
        ),
        (&["fct_order+"], &[], "fct_order mart_daily mart_late"),
        (&["1+mart_daily"], &[], "fct_order mart_daily"),
        (&["fct_order+1"], &[], "fct_order mart_daily"),
        (
            &["1+fct_order+1"],
            &[],
            "stg_shop__orders stg_till__orders fct_order mart_daily",
        ),
        (
            &["@dim_country"],
            &[],
            "shop.orders till.sales country stg_shop__orders stg_till__orders \
            dim_country fct_order mart_daily mart_late",
        ),
        (&["tag:daily"], &[], "mart_daily"),
        (&["path:models/4_marts"], &[], "mart_daily mart_late"),
        (&["models/4_marts/mart_late.sql"], &[], "mart_late"),
        (&["path:models/4_marts/"], &["mart_late"], "mart_daily"),
        (&["source:shop"], &[], "shop.orders"),
        (&["source:shop+1"], &[], "shop.orders stg_shop__orders"),
        (&["entity:order"], &[], "stg_shop__orders stg_till__orders"),
        (&["entity:lead"], &[], ""),
        (&["layer:star"], &[], "dim_country fct_order"),
        (&["star"], &[], "dim_country fct_order"),
        (&["stg_*__orders"], &[], "stg_shop__orders stg_till__orders"),
        (&["config.materialized:table"], &[], "mart_daily"),
        (&["tag:x,mart_d*"], &[], "mart_daily"),
        (&["dim_country mart_late"], &[], "dim_country mart_late"),
        (&["dim_country", "mart_late"], &[], "dim_country mart_late"),
        (
            &[],
            &["silver", "layer:seeds", "source:*"],
            "dim_country fct_order mart_daily mart_late",
        ),
        (&["country"], &[], "country"),
    ];
    for (select, exclude, wanted) in cases {
        assert_eq!(
            selected(&graph, select, exclude),
            *wanted,
            "{select:?} without {exclude:?}"
        );
    }
}

#[test]
fn a_selector_that_names_nothing_is_refused() {
    let graph = shop();
    let cases = [
        (
            "fct_ordr",
            "the selector `fct_ordr` names nothing",
            "did you mean `fct_order`?",
        ),
        (
            "+fct_ordr+",
            "the selector `fct_ordr` names nothing",
            "`fct_order`?",
        ),
        (
            "tag:dayly",
            "the selector `tag:dayly` names nothing",
            "`daily`?",
        ),
        ("tags:daily", "unknown way to select `tags:`", "`tag`?"),
        ("source:shoop", "names nothing", "`shop`?"),
        ("entity:ordr", "names nothing", "`order`?"),
        ("path:models/4_mart", "names nothing", "`models/4_marts`?"),
        ("int_*", "names nothing", ""),
        ("[", "names nothing", ""),
        ("+", "names nothing", ""),
    ];
    for (selector, what, hint) in cases {
        let shown = selected(&graph, &[selector], &[]);
        assert!(
            shown.contains(what) && shown.contains(hint),
            "{selector}: {shown}"
        );
    }
}

#[test]
fn circles_are_named() {
    let shown = error(&[
        ("throughline.yml", "name: x"),
        ("models/a.sql", "select * from {{ ref('b') }}"),
        ("models/b.sql", "select * from {{ ref('c') }}"),
        ("models/c.sql", "select * from {{ ref('b') }}"),
    ]);
    assert!(shown.contains("circle: `b` reads `c` reads `b`"), "{shown}");
    let shown = error(&[
        ("throughline.yml", "name: x"),
        ("models/a.sql", "select * from {{ ref('a') }}"),
    ]);
    assert!(shown.contains("circle: `a` reads `a`"), "{shown}");
}

#[test]
fn data_flows_one_way() {
    let shown = error(&[
        ("throughline.yml", "name: x"),
        ("models/dim_a.sql", "select *\nfrom {{ ref('mart_b') }}"),
        ("models/mart_b.sql", "select 1"),
    ]);
    assert!(shown.contains("`dim_a` of the layer `star` reads `mart_b` of the layer `marts`"));
    assert!(shown.contains("--> models/dim_a.sql:2:14"), "{shown}");
    let shown = error(&[
        ("throughline.yml", "name: x\nsources: {s: {path: a.csv}}"),
        (
            "models/stg_s__a.sql",
            "select * from {{ source('s', 'rows') }}, {{ ref('stg_s__b') }}",
        ),
        (
            "models/stg_s__b.sql",
            "select * from {{ source('s', 'rows') }}",
        ),
    ]);
    assert!(
        shown.contains("silver model `stg_s__a` reads `stg_s__b`"),
        "{shown}"
    );
}

#[test]
fn a_schema_of_its_own_moves_a_model() {
    let manifest = manifest(&[
        ("throughline.yml", "name: x"),
        ("models/what.sql", "{{ config(schema='star') }} select 1"),
    ]);
    assert_eq!(manifest.models["what"].table(), "star.what");
}
