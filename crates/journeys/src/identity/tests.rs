//! Components against the shared graphs, the guard, and independence from order.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use proptest::prelude::*;

use super::{
    BlockList, ComponentsBuilder, GraphSettings, Guard, Node, NodeRow, NodeType, Seen, normalise,
    normalise_phone,
};
use crate::vectors;

const GUARD: GraphSettings = GraphSettings {
    degree_max: 1,
    emails_max: 2,
    ..GraphSettings::OFF
};

type Edge = ((i64, NodeType), Option<(i64, NodeType)>, Option<i64>);

fn components(settings: GraphSettings, edges: &[Edge]) -> Vec<NodeRow> {
    let mut builder = ComponentsBuilder::new(settings);
    for &((key, node_type), b, at_us) in edges {
        builder.push(key, node_type, b, at_us).expect("few nodes");
    }
    builder.finish()
}

fn row(rows: &[NodeRow], key: i64) -> &NodeRow {
    rows.iter()
        .find(|row| row.node_key == key)
        .expect("every node comes back")
}

#[test]
fn normalises_by_type() {
    let check = |node_type, value: &str, expected: Option<&str>| {
        assert_eq!(
            normalise(node_type, value).as_deref(),
            expected,
            "{value:?}"
        );
    };
    check(
        NodeType::Email,
        "  Jane.Doe+x@Example.COM ",
        Some("jane.doe+x@example.com"),
    );
    check(NodeType::Email, "MAILTO: a@b.c", Some("a@b.c"));
    check(NodeType::Email, "ÄNNE@MÜLLER.de", Some("änne@müller.de"));
    check(NodeType::Email, "   ", None);
    check(NodeType::User, " AbC ", Some("AbC"));
    check(NodeType::Device, "\t", None);
    check(NodeType::Phone, "+49 (0)30 / 123-456", Some("+4930123456"));
    check(NodeType::Phone, "0049 30 123456", Some("+4930123456"));
    check(
        NodeType::Phone,
        "tel:+1 (415) 555-2671 ext. 12",
        Some("+14155552671"),
    );
    check(NodeType::Phone, "(030) 123456", Some("030123456"));
    check(NodeType::Phone, "call me", None);
    check(NodeType::Phone, "12", None);
    check(NodeType::Phone, "123456789012345678901", None);
}

#[test]
fn blocks_what_identifies_nobody() {
    let list = BlockList::new(&["/^test-/".into(), "Kiosk ".into()]).expect("valid patterns");
    for value in [
        "",
        "0",
        "000",
        "---",
        "-1",
        " NULL ",
        "Anonymous",
        "(not set)",
        "undefined",
        "test-17",
        "kiosk",
    ] {
        assert!(list.is_blocked(NodeType::User, value), "{value:?}");
    }
    assert!(list.is_blocked(NodeType::Device, "00000000-0000-0000-0000-000000000000"));
    assert!(list.is_blocked(NodeType::Email, "NoReply@shop.example"));
    assert!(list.is_blocked(NodeType::Phone, "+1111111111"));
    for value in ["17", "u-0", "my-test-17", "anonymously"] {
        assert!(!list.is_blocked(NodeType::User, value), "{value:?}");
    }
    assert!(
        !list.is_blocked(NodeType::User, "noreply@shop.example"),
        "only as an e-mail"
    );
    assert!(!list.is_blocked(NodeType::Email, "jane@example.com"));
    let error = BlockList::new(&["/(/".into()]).expect_err("an open bracket");
    assert!(error.to_string().contains("`(`"), "{error}");
}

#[test]
fn blocks_what_the_vectors_block() {
    let Some(json) = vectors::json("identity/merge_protection_cases.json") else {
        return;
    };
    let list = BlockList::new(&[]).expect("no patterns");
    for value in json["blocked_exact"].as_array().expect("a list") {
        let value = value.as_str().expect("text");
        assert!(list.is_blocked(NodeType::Email, value), "{value:?}");
    }
}

#[test]
fn chooses_the_canonical_node() {
    let edges: Vec<Edge> = vec![
        ((9, NodeType::Device), Some((5, NodeType::Email)), Some(10)),
        ((5, NodeType::Email), Some((7, NodeType::User)), Some(30)),
        ((3, NodeType::User), Some((5, NodeType::Email)), Some(40)),
        ((1, NodeType::Cookie), None, None),
    ];
    let rows = components(GUARD, &edges);
    let keys: Vec<i64> = rows.iter().map(|row| row.node_key).collect();
    assert_eq!(keys, [1, 3, 5, 7, 9]);
    for key in [3, 5, 7, 9] {
        // Both are users; 7 was there first.
        assert_eq!(row(&rows, key).component_key, 7);
        assert_eq!(row(&rows, key).component_size, 4);
    }
    assert_eq!(row(&rows, 1).component_key, 1);
    assert_eq!(row(&rows, 1).first_at_us, None);
    assert_eq!(row(&rows, 5).first_at_us, Some(10));
    assert_eq!(row(&rows, 5).degree, 3);
}

#[test]
fn guards_shared_identifiers() {
    let (kiosk, mail, phone) = (100, 200, 300);
    let edges: Vec<Edge> = vec![
        ((kiosk, NodeType::Device), Some((1, NodeType::User)), None),
        ((2, NodeType::User), Some((kiosk, NodeType::Device)), None),
        // The same edge twice is one neighbour.
        ((3, NodeType::User), Some((mail, NodeType::Email)), None),
        ((3, NodeType::User), Some((mail, NodeType::Email)), None),
        ((4, NodeType::User), Some((mail, NodeType::Email)), None),
        ((phone, NodeType::Phone), Some((11, NodeType::Email)), None),
        ((phone, NodeType::Phone), Some((12, NodeType::Email)), None),
        ((phone, NodeType::Phone), Some((13, NodeType::Email)), None),
    ];
    let rows = components(GUARD, &edges);
    assert_eq!(row(&rows, kiosk).guard, Some(Guard::Degree));
    assert_eq!(row(&rows, kiosk).component_key, kiosk);
    assert_eq!(row(&rows, kiosk).degree, 2);
    assert_ne!(row(&rows, 1).component_key, row(&rows, 2).component_key);
    // An e-mail names a person: it is not watched.
    assert_eq!(row(&rows, mail).guard, None);
    assert_eq!(row(&rows, 3).component_key, row(&rows, 4).component_key);
    assert_eq!(row(&rows, phone).guard, Some(Guard::Emails));
    assert_eq!(row(&rows, 11).component_size, 1);
}

#[test]
fn guards_contacts_source_by_source() {
    let contact = |key, source| Node {
        key,
        node_type: NodeType::Contact,
        source,
    };
    let phone = Node::new(9, NodeType::Phone);
    let build = |contacts: &[Node]| {
        let mut builder = ComponentsBuilder::new(GUARD);
        for contact in contacts {
            builder
                .push_seen(*contact, Some(phone), Seen::default())
                .expect("few nodes");
        }
        row(&builder.finish(), 9).guard
    };
    assert_eq!(
        build(&[contact(1, 1), contact(2, 2)]),
        None,
        "one in each CRM"
    );
    assert_eq!(
        build(&[contact(1, 1), contact(2, 1)]),
        Some(Guard::Degree),
        "two in one CRM"
    );
}

#[test]
fn canonical_node_as_in_the_vectors() {
    let Some(json) = vectors::json("identity/latest_wins_erasure_canonical.json") else {
        return;
    };
    let cases = json.as_array().expect("a list").iter();
    for case in cases.filter(|case| case["kind"] == "canonical_id") {
        let mut builder = ComponentsBuilder::new(GraphSettings::OFF);
        let identifiers = case["identifiers"].as_array().expect("a list");
        let mut values: Vec<&str> = identifiers
            .iter()
            .map(|one| one["value"].as_str().expect("text"))
            .collect();
        values.sort_unstable();
        let key = |value: &str| values.iter().position(|one| *one == value).expect("known") as i64;
        for one in identifiers {
            let node_type = vector_type(one["type"].as_str().expect("text"));
            let at = format!("{}T00:00:00Z", one["first_seen"].as_str().expect("text"));
            let at_us = vectors::micros(&at);
            let value = key(one["value"].as_str().expect("text"));
            // A later cookie that knows all of them; its type is the weakest.
            let hub = Some((1000, NodeType::Cookie));
            builder
                .push(value, node_type, None, Some(at_us))
                .expect("few nodes");
            builder
                .push(value, node_type, hub, None)
                .expect("few nodes");
        }
        let rows = builder.finish();
        let expected = key(case["expected"].as_str().expect("text"));
        assert!(
            rows.iter().all(|row| row.component_key == expected),
            "{case}"
        );
    }
}

/// The vectors' types. Their guard watches all but user ids, so e-mails stand in as telephones.
fn vector_type(name: &str) -> NodeType {
    match name {
        "user_id" => NodeType::User,
        "email" | "phone" => NodeType::Phone,
        "device" => NodeType::Device,
        _ => NodeType::Cookie,
    }
}

fn gz_rows(name: &str) -> Option<Vec<BTreeMap<String, String>>> {
    let file = std::fs::File::open(vectors::path(name)?).expect("a readable vector file");
    let mut text = String::new();
    flate2::read::GzDecoder::new(file)
        .read_to_string(&mut text)
        .expect("gzip of UTF-8");
    Some(vectors::csv_rows(&text))
}

type Id = (String, String);

/// The components of the shared graph, as sets of identifiers.
fn graph(
    settings: GraphSettings,
    is_blocked: impl Fn(&Id) -> bool,
) -> Option<BTreeSet<BTreeSet<Id>>> {
    let edges = gz_rows("identity/graph_20000_edges.csv.gz")?;
    let mut ids: Vec<Id> = Vec::new();
    let mut numbers: BTreeMap<Id, i64> = BTreeMap::new();
    let mut builder = ComponentsBuilder::new(settings);
    for edge in &edges {
        let mut ends = Vec::new();
        for side in ["a", "b"] {
            let id = (
                edge[&format!("type_{side}")].clone(),
                edge[&format!("value_{side}")].clone(),
            );
            if is_blocked(&id) {
                continue;
            }
            let number = *numbers.entry(id.clone()).or_insert_with(|| {
                ids.push(id.clone());
                ids.len() as i64 - 1
            });
            ends.push((number, vector_type(&id.0)));
        }
        if let Some((key, node_type)) = ends.first().copied() {
            builder
                .push(key, node_type, ends.get(1).copied(), None)
                .expect("few nodes");
        }
    }
    let mut sets: BTreeMap<i64, BTreeSet<Id>> = BTreeMap::new();
    for row in builder.finish() {
        sets.entry(row.component_key)
            .or_default()
            .insert(ids[row.node_key as usize].clone());
    }
    Some(sets.into_values().collect())
}

fn expected_graph(name: &str) -> Option<BTreeSet<BTreeSet<Id>>> {
    let mut sets: BTreeMap<Id, BTreeSet<Id>> = BTreeMap::new();
    for row in gz_rows(&format!("identity/graph_20000_components_{name}.csv.gz"))? {
        let label = (
            row["component_min_type"].clone(),
            row["component_min_value"].clone(),
        );
        sets.entry(label)
            .or_default()
            .insert((row["type"].clone(), row["value"].clone()));
    }
    Some(sets.into_values().collect())
}

#[test]
fn components_of_the_shared_graph() {
    let Some(json) = vectors::json("identity/merge_protection_cases.json") else {
        return;
    };
    let texts = |name: &str| -> Vec<String> {
        let list = json[name].as_array().expect("a list");
        list.iter()
            .map(|value| value.as_str().expect("text").to_owned())
            .collect()
    };
    let exact = texts("blocked_exact");
    let patterns = regex::RegexSet::new(texts("blocked_regex")).expect("valid patterns");
    let is_blocked = |id: &Id| {
        let value = id.1.trim().to_lowercase();
        exact.contains(&value) || patterns.is_match(&value)
    };
    let five = GraphSettings {
        degree_max: 5,
        ..GraphSettings::OFF
    };
    assert_eq!(graph(GraphSettings::OFF, |_| false), expected_graph("all"));
    assert_eq!(
        graph(GraphSettings::OFF, is_blocked),
        expected_graph("blocked_removed")
    );
    assert_eq!(
        graph(five, is_blocked),
        expected_graph("blocked_removed_degree5")
    );
}

#[test]
fn components_of_the_merge_cases() {
    let Some(json) = vectors::json("identity/merge_protection_cases.json") else {
        return;
    };
    for case in json["cases"].as_array().expect("a list") {
        let mut names: Vec<String> = Vec::new();
        let mut builder = ComponentsBuilder::new(GraphSettings::OFF);
        let list = BlockList::new(&[]).expect("no patterns");
        for event in case["events"].as_array().expect("a list") {
            let mut first = None;
            for id in event["ids"].as_array().expect("a list") {
                let (kind, value) = (id[0].as_str().expect("text"), id[1].as_str().expect("text"));
                let node_type = if kind == "email" {
                    NodeType::Email
                } else {
                    NodeType::Cookie
                };
                if list.is_blocked(node_type, value) {
                    continue;
                }
                let value = value.trim();
                let value = if kind == "email" {
                    value.to_lowercase()
                } else {
                    value.to_owned()
                };
                let name = format!("{kind}:{value}");
                let known = names.iter().position(|one| *one == name);
                let number = known.unwrap_or_else(|| {
                    names.push(name);
                    names.len() - 1
                }) as i64;
                builder
                    .push(number, node_type, first, None)
                    .expect("few nodes");
                first = first.or(Some((number, node_type)));
            }
        }
        let mut sets: BTreeMap<i64, BTreeSet<String>> = BTreeMap::new();
        for row in builder.finish() {
            sets.entry(row.component_key)
                .or_default()
                .insert(names[row.node_key as usize].clone());
        }
        let found: BTreeSet<BTreeSet<String>> = sets.into_values().collect();
        let expected: BTreeSet<BTreeSet<String>> = case["expected_no_limits"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|set| {
                let set = set.as_array().expect("a list").iter();
                set.map(|id| id.as_str().expect("text").to_owned())
                    .collect()
            })
            .collect();
        assert_eq!(found, expected, "{}", case["name"]);
    }
}

#[test]
fn phone_text_of_any_kind_is_harmless() {
    for text in ["+", "(+", "00", "ext", "+(0)", "tel:", "٠١٢٣٤٥٦٧"] {
        assert_eq!(normalise_phone(text), None, "{text:?}");
    }
}

fn edge() -> impl Strategy<Value = Edge> {
    // A key always has one type, as in real use where the type is part of the key.
    let node = (0_i64..40).prop_map(|key| (key, NodeType::ALL[(key % 9) as usize]));
    (
        node.clone(),
        proptest::option::weighted(0.9, node),
        proptest::option::of(0_i64..50),
    )
}

/// The same by repeated spreading: slow and obvious.
fn spread(rows: &[NodeRow], edges: &[Edge]) -> BTreeMap<i64, i64> {
    let mut label: BTreeMap<i64, i64> = rows
        .iter()
        .map(|row| (row.node_key, row.node_key))
        .collect();
    loop {
        let before = label.clone();
        for (a, b, _) in edges {
            let Some(b) = b else { continue };
            if row(rows, a.0).guard.is_none() && row(rows, b.0).guard.is_none() {
                let least = label[&a.0].min(label[&b.0]);
                label.insert(a.0, least);
                label.insert(b.0, least);
            }
        }
        if label == before {
            return label;
        }
    }
}

proptest! {
    #[test]
    fn order_and_repetition_change_nothing(
        edges in proptest::collection::vec(edge(), 0..120),
        seed in proptest::collection::vec(any::<u32>(), 240),
    ) {
        let expected = components(GUARD, &edges);
        let mut shuffled: Vec<Edge> = edges.iter().chain(&edges).copied().collect();
        for place in (1..shuffled.len()).rev() {
            shuffled.swap(place, seed[place] as usize % (place + 1));
        }
        let turned: Vec<Edge> = shuffled
            .iter()
            .enumerate()
            .map(|(place, &(a, b, at_us))| match b {
                Some(b) if place % 2 == 0 => (b, Some(a), at_us),
                _ => (a, b, at_us),
            })
            .collect();
        prop_assert_eq!(components(GUARD, &turned), expected);
    }

    #[test]
    fn components_are_what_spreading_finds(edges in proptest::collection::vec(edge(), 0..80)) {
        let rows = components(GUARD, &edges);
        let label = spread(&rows, &edges);
        for a in &rows {
            let members: Vec<&NodeRow> =
                rows.iter().filter(|b| label[&b.node_key] == label[&a.node_key]).collect();
            prop_assert_eq!(a.component_size as usize, members.len());
            prop_assert!(members.iter().all(|b| b.component_key == a.component_key));
            let canonical = members
                .iter()
                .min_by_key(|b| (b.node_type, b.first_at_us.unwrap_or(i64::MAX), b.node_key));
            prop_assert_eq!(canonical.map(|b| b.node_key), Some(a.component_key));
        }
    }
}
