//! Limits, decisions and erasures: against the shared cases, and whatever the order.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::Value;

use super::{
    Action, BlockList, ComponentsBuilder, Cut, GraphSettings, Guard, LinkOrder, LinkRow, Node,
    NodeRow, NodeType, Seen, chain, members,
};
use crate::vectors;

/// Limits of the types that are named, none for the others; no degree guard.
fn limits(order: LinkOrder, limits: &[(NodeType, u32)]) -> GraphSettings {
    let mut settings = GraphSettings {
        limits_by: order,
        ..GraphSettings::OFF
    };
    for (node_type, most) in limits {
        settings.limits[*node_type as usize] = *most;
    }
    settings
}

/// A graph of identifiers that are named `type:value`, numbered in the order of their names.
struct Named {
    names: Vec<String>,
    builder: ComponentsBuilder,
}

impl Named {
    fn new(settings: GraphSettings, names: impl IntoIterator<Item = String>) -> Self {
        let names: BTreeSet<String> = names.into_iter().collect();
        Self {
            names: names.into_iter().collect(),
            builder: ComponentsBuilder::new(settings),
        }
    }

    fn key(&self, name: &str) -> i64 {
        self.names
            .binary_search_by(|one| one.as_str().cmp(name))
            .expect("a known name") as i64
    }

    fn link(&mut self, a: &str, b: Option<&str>, at: i64) {
        let node = |name: &str| Node::new(self.key(name), node_type(name));
        let (a, b) = (node(a), b.map(node));
        self.builder
            .push_seen(a, b, Seen::once(Some(at)))
            .expect("few nodes");
    }

    fn sets(&self, rows: &[NodeRow]) -> BTreeSet<BTreeSet<String>> {
        let mut sets: BTreeMap<i64, BTreeSet<String>> = BTreeMap::new();
        for row in rows {
            let name = self.names[row.node_key as usize].clone();
            sets.entry(row.component_key).or_default().insert(name);
        }
        sets.into_values().collect()
    }

    fn finish(&mut self) -> (Vec<NodeRow>, Vec<LinkRow>) {
        let empty = ComponentsBuilder::new(GraphSettings::OFF);
        std::mem::replace(&mut self.builder, empty).finish_with_links()
    }
}

fn node_type(name: &str) -> NodeType {
    match name.split(':').next().expect("a type") {
        "crmid" | "user_id" => NodeType::User,
        "email" => NodeType::Email,
        "phone" | "android.id" => NodeType::Phone,
        "ecid" | "anonymous_id" => NodeType::Device,
        other => panic!("no type `{other}`"),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn sets(value: &Value) -> BTreeSet<BTreeSet<String>> {
    let set = |set: &Value| list(set).iter().map(|name| text(name).to_owned()).collect();
    list(value).iter().map(set).collect()
}

#[test]
fn the_newest_link_wins_as_in_the_vectors() {
    let Some(json) = vectors::json("identity/newest_link_wins_cases.json") else {
        return;
    };
    let unique = [(NodeType::User, 1), (NodeType::Email, 1)];
    for case in list(&json["cases"]) {
        let links: Vec<(&str, &str, i64)> = list(&case["links"])
            .iter()
            .map(|link| {
                (
                    text(&link[0]),
                    text(&link[1]),
                    link[2].as_i64().expect("a time"),
                )
            })
            .collect();
        let names = links
            .iter()
            .flat_map(|(a, b, _)| [(*a).to_owned(), (*b).to_owned()]);
        let mut graph = Named::new(limits(LinkOrder::NewestFirst, &unique), names);
        for (a, b, at) in &links {
            graph.link(a, Some(b), *at);
        }
        let (rows, found) = graph.finish();
        assert_eq!(
            graph.sets(&rows),
            sets(&case["expected_components"]),
            "{}",
            case["name"]
        );
        let pair = |a: &str, b: &str| {
            let (a, b) = (graph.key(a), graph.key(b));
            (a.min(b), a.max(b))
        };
        let removed: BTreeSet<(i64, i64)> = list(&case["expected_removed_links"])
            .iter()
            .map(|link| pair(text(&link[0]), text(&link[1])))
            .collect();
        let cut: BTreeSet<(i64, i64)> = found
            .iter()
            .filter(|link| link.cut == Some(Cut::Limit))
            .map(|link| (link.a_key.min(link.b_key), link.a_key.max(link.b_key)))
            .collect();
        assert_eq!(cut, removed, "{}", case["name"]);
    }
}

/// The identifiers of an event that name somebody, as `type:value`.
fn usable(event: &Value) -> Vec<String> {
    let blocked = BlockList::new(&["/^anonymous@/".into()]).expect("valid patterns");
    let ids = list(&event["ids"]).iter().filter_map(|id| {
        let (kind, value) = (text(&id[0]), text(&id[1]).trim());
        let kind_of = if kind == "email" {
            NodeType::Email
        } else {
            NodeType::User
        };
        (!blocked.is_blocked(kind_of, value)).then(|| format!("{kind}:{value}"))
    });
    ids.collect()
}

/// Segment takes an event's identifiers together and leaves out the weakest where a limit would be
/// passed; we take them in pairs, the strongest first, and cut the pair.
#[test]
fn who_came_first_stays_as_in_the_vectors() {
    let Some(json) = vectors::json("identity/merge_protection_cases.json") else {
        return;
    };
    for case in list(&json["cases"]) {
        let limit = |name: &str| case["config"][name]["limit"].as_u64().expect("a limit") as u32;
        let most = [
            (NodeType::User, limit("user_id")),
            (NodeType::Email, limit("email")),
            (NodeType::Phone, limit("android.id")),
            (NodeType::Device, limit("anonymous_id")),
        ];
        let events = list(&case["events"]);
        for turned in [false, true] {
            let mut graph = Named::new(
                limits(LinkOrder::OldestFirst, &most),
                events.iter().flat_map(usable),
            );
            let mut in_order: Vec<&Value> = events.iter().collect();
            if turned {
                in_order.reverse();
            }
            for event in in_order {
                let at = vectors::micros(text(&event["time"]));
                let ids = usable(event);
                for (place, a) in ids.iter().enumerate() {
                    graph.link(a, None, at);
                    for b in &ids[place + 1..] {
                        graph.link(a, Some(b), at);
                    }
                }
            }
            let (rows, _) = graph.finish();
            let expected = &case["expected_with_merge_protection"];
            let profiles = expected["profiles"].as_object().expect("an object");
            let mut wanted: BTreeSet<BTreeSet<String>> = profiles
                .values()
                .map(|set| list(set).iter().map(|name| text(name).to_owned()).collect())
                .collect();
            // An identifier that Segment leaves without a profile stands alone here.
            for name in &graph.names {
                if !wanted.iter().any(|set| set.contains(name)) {
                    wanted.insert(BTreeSet::from([name.clone()]));
                }
            }
            assert_eq!(graph.sets(&rows), wanted, "{}", case["name"]);
            for event in events {
                // An event belongs to whom its strongest identifier belongs.
                let strongest = usable(event).into_iter().min_by_key(|name| node_type(name));
                let profile = expected["event_profile"][text(&event["id"])].as_str();
                assert_eq!(strongest.is_some(), profile.is_some(), "{}", event["id"]);
                let (Some(strongest), Some(profile)) = (strongest, profile) else {
                    continue;
                };
                let own = members(&rows, graph.key(&strongest));
                let theirs: BTreeSet<i64> = list(&profiles[profile])
                    .iter()
                    .map(|name| graph.key(text(name)))
                    .collect();
                assert_eq!(own, theirs, "{} of {}", event["id"], case["name"]);
            }
        }
    }
}

#[test]
fn what_was_erased_stays_so_as_in_the_vectors() {
    let Some(json) = vectors::json("identity/latest_wins_erasure_canonical.json") else {
        return;
    };
    for case in list(&json) {
        let kind = text(&case["kind"]);
        if !kind.starts_with("erasure") {
            continue;
        }
        let edges = list(&case["edges"]).iter();
        let edges: Vec<(&str, &str)> = edges.map(|edge| (text(&edge[0]), text(&edge[1]))).collect();
        let news: Vec<(Vec<&str>, i64)> = case["new_events"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|event| {
                let at = vectors::micros(&format!("{}T00:00:00Z", text(&event["time"])));
                (list(&event["ids"]).iter().map(text).collect(), at)
            })
            .collect();
        let names: Vec<String> = edges
            .iter()
            .flat_map(|(a, b)| [*a, *b])
            .chain(news.iter().flat_map(|(ids, _)| ids.iter().copied()))
            .map(str::to_owned)
            .collect();
        let erased_at = vectors::micros("2026-02-01T00:00:00Z");
        let mut graph = Named::new(GraphSettings::OFF, names.clone());
        // Twice: what is replayed changes nothing.
        for _ in 0..2 {
            for (a, b) in &edges {
                graph.link(a, Some(b), erased_at - 1);
            }
        }
        // The whole profile goes: that of the erased one at that time.
        let mut before = Named::new(GraphSettings::OFF, names);
        for (a, b) in &edges {
            before.link(a, Some(b), erased_at - 1);
        }
        let erased = members(&before.finish().0, graph.key(text(&case["erase"])));
        for key in &erased {
            graph.builder.decide(Action::Erase, *key, None, erased_at);
        }
        for (ids, at) in &news {
            graph.link(ids[0], ids.get(1).copied(), *at);
        }
        let (rows, _) = graph.finish();
        let is_there = |row: &&NodeRow| row.guard != Some(Guard::Erased);
        let after: Vec<NodeRow> = rows.iter().filter(is_there).cloned().collect();
        assert_eq!(graph.sets(&after), sets(&case["expected_after"]), "{kind}");
        if let Some(suppressed) = case["expected_suppressed"].as_array() {
            let keys: BTreeSet<i64> = suppressed
                .iter()
                .map(|name| graph.key(text(name)))
                .collect();
            let gone = rows.iter().filter(|row| row.guard == Some(Guard::Erased));
            assert_eq!(
                gone.map(|row| row.node_key).collect::<BTreeSet<_>>(),
                keys,
                "{kind}"
            );
        }
        for row in after.iter().filter(|row| erased.contains(&row.node_key)) {
            assert_eq!(row.erased_at_us, Some(erased_at));
            assert!(row.first_at_us >= Some(erased_at), "its life began anew");
        }
    }
}

#[test]
fn contacts_are_limited_source_by_source() {
    let settings = limits(LinkOrder::NewestFirst, &[(NodeType::Contact, 1)]);
    let build = |sources: [u32; 2]| {
        let mut builder = ComponentsBuilder::new(settings);
        let mail = Node::new(9, NodeType::Email);
        for (key, source) in [1, 2].into_iter().zip(sources) {
            let contact = Node {
                key,
                node_type: NodeType::Contact,
                source,
            };
            builder
                .push_seen(contact, Some(mail), Seen::once(Some(key)))
                .expect("few nodes");
        }
        let rows = builder.finish();
        (
            rows[0].component_key,
            rows[1].component_key,
            rows[2].component_key,
        )
    };
    assert_eq!(build([1, 2]), (1, 1, 1), "one in each CRM");
    assert_eq!(build([1, 1]), (1, 2, 2), "the newer keeps the address");
}

#[test]
fn a_merge_holds_against_guard_and_limits() {
    let settings = GraphSettings {
        degree_max: 1,
        ..limits(LinkOrder::NewestFirst, &[(NodeType::User, 1)])
    };
    let build = |decisions: &[(Action, i64, Option<i64>, i64)]| {
        let mut builder = ComponentsBuilder::new(settings);
        for (user, at) in [(1, 10), (2, 20)] {
            let device = Some((9, NodeType::Device));
            builder
                .push(user, NodeType::User, device, Some(at))
                .expect("few nodes");
        }
        for (action, a, b, at) in decisions {
            builder.decide(*action, *a, *b, *at);
        }
        let rows = builder.finish();
        let guard = rows[2].guard;
        (
            rows.iter().map(|row| row.component_key).collect::<Vec<_>>(),
            guard,
        )
    };
    let (merge, unmerge) = (Action::Merge, Action::Unmerge);
    let before = (vec![1, 2, 9], Some(Guard::Degree));
    assert_eq!(build(&[]), before);
    assert_eq!(
        build(&[(merge, 2, Some(1), 100)]),
        (vec![1, 1, 1], None),
        "one person, twice"
    );
    let undone = [(merge, 1, Some(2), 100), (unmerge, 2, Some(1), 200)];
    assert_eq!(build(&undone), before);
    // That the device is not the first one's leaves it to the second.
    assert_eq!(build(&[(unmerge, 9, Some(1), 100)]), (vec![1, 2, 2], None));
    let blocked = (vec![1, 2, 9], Some(Guard::Blocked));
    assert_eq!(build(&[(Action::Block, 9, None, 100)]), blocked);
    let unblocked = [
        (Action::Unblock, 9, None, 200),
        (Action::Block, 9, None, 100),
    ];
    assert_eq!(build(&unblocked), before);
}

#[test]
fn contacts_that_a_source_calls_one_count_once() {
    let settings = GraphSettings {
        degree_max: 1,
        ..limits(LinkOrder::NewestFirst, &[(NodeType::Contact, 1)])
    };
    let contact = |key| Node {
        key,
        node_type: NodeType::Contact,
        source: 1,
    };
    let build = |merged: bool| {
        let mut builder = ComponentsBuilder::new(settings);
        for key in [1, 2] {
            for other in [Node::new(8, NodeType::Email), Node::new(9, NodeType::Phone)] {
                let seen = Seen::once(Some(key));
                builder
                    .push_seen(contact(key), Some(other), seen)
                    .expect("few nodes");
            }
        }
        if merged {
            let seen = Seen::once(Some(0));
            builder
                .push_seen(contact(1), Some(contact(2)), seen)
                .expect("few nodes");
        }
        let rows = builder.finish();
        rows.iter().map(|row| row.component_key).collect::<Vec<_>>()
    };
    assert_eq!(build(false), [1, 2, 2, 9], "the telephone is shared");
    assert_eq!(build(true), [1, 1, 1, 1]);
}

#[test]
fn a_merge_joins_whole_customers() {
    let settings = limits(
        LinkOrder::NewestFirst,
        &[(NodeType::User, 1), (NodeType::Contact, 1)],
    );
    let mut builder = ComponentsBuilder::new(settings);
    for (user, contact, mail) in [(1, 11, 21), (2, 12, 22)] {
        for (a, b, b_type) in [
            (user, contact, NodeType::Contact),
            (user, mail, NodeType::Email),
        ] {
            builder
                .push(a, NodeType::User, Some((b, b_type)), Some(a))
                .expect("few nodes");
        }
    }
    builder.decide(Action::Merge, 1, Some(2), 100);
    let rows = builder.finish();
    assert!(rows.iter().all(|row| row.component_size == 6), "{rows:?}");
}

#[test]
fn an_unmerge_cuts_the_link_that_came_last() {
    let build = |apart: Option<(i64, i64)>| {
        let mut builder = ComponentsBuilder::new(GraphSettings::OFF);
        let links = [(1, 2, 10), (2, 3, 40), (3, 4, 20), (1, 5, 50), (5, 4, 30)];
        for (a, b, at) in links {
            builder
                .push(a, NodeType::Email, Some((b, NodeType::Email)), Some(at))
                .expect("few nodes");
        }
        if let Some((a, b)) = apart {
            builder.decide(Action::Unmerge, a, Some(b), 1000);
        }
        builder.finish_with_links()
    };
    let (rows, links) = build(None);
    assert!(rows.iter().all(|row| row.component_size == 5));
    assert_eq!(
        chain(&links, 1, 4, true).map(|places| places.len()),
        Some(2)
    );
    let (rows, links) = build(Some((1, 4)));
    assert_eq!(members(&rows, 1), BTreeSet::from([1, 2]));
    assert_eq!(members(&rows, 4), BTreeSet::from([3, 4, 5]));
    let cut = links.iter().filter(|link| link.cut == Some(Cut::Apart));
    let cut: BTreeSet<(i64, i64)> = cut.map(|link| (link.a_key, link.b_key)).collect();
    assert_eq!(cut.len(), 2, "one on each way");
    assert_eq!(chain(&links, 1, 4, false), None);
    assert!(chain(&links, 1, 4, true).is_some());
    assert_eq!(chain(&links, 1, 1, false), Some(vec![]));
    assert_eq!(chain(&links, 1, 99, true), None);
}

type Edge = (i64, i64, i64);
type Decided = (Action, i64, i64, i64);

fn typed(key: i64) -> Node {
    Node {
        key,
        node_type: NodeType::ALL[(key % 9) as usize],
        source: (key % 2) as u32,
    }
}

fn build(settings: GraphSettings, edges: &[Edge], decisions: &[Decided]) -> Vec<NodeRow> {
    let mut builder = ComponentsBuilder::new(settings);
    for (a, b, at) in edges {
        builder
            .push_seen(typed(*a), Some(typed(*b)), Seen::once(Some(*at)))
            .expect("few nodes");
    }
    for (action, a, b, at) in decisions {
        builder.decide(*action, *a, action.is_of_pair().then_some(*b), *at);
    }
    builder.finish()
}

fn edges() -> impl Strategy<Value = Vec<Edge>> {
    proptest::collection::vec((0_i64..40, 0_i64..40, 0_i64..50), 0..90)
}

fn decisions() -> impl Strategy<Value = Vec<Decided>> {
    let action = (0_usize..5).prop_map(|place| Action::ALL[place]);
    proptest::collection::vec((action, 0_i64..40, 0_i64..40, 0_i64..80), 0..12)
}

fn settings() -> impl Strategy<Value = GraphSettings> {
    (1_u32..4, 1_u32..4, any::<bool>()).prop_map(|(most, degree_max, newest)| {
        let order = if newest {
            LinkOrder::NewestFirst
        } else {
            LinkOrder::OldestFirst
        };
        GraphSettings {
            degree_max,
            emails_max: 2,
            ..limits(
                order,
                &[
                    (NodeType::User, most),
                    (NodeType::Contact, 1),
                    (NodeType::Email, 2),
                ],
            )
        }
    })
}

/// The same in another order, with repetitions.
fn shuffled<T: Clone>(all: &[T], seed: &[u32]) -> Vec<T> {
    let mut shuffled: Vec<T> = all.iter().chain(all).cloned().collect();
    for place in (1..shuffled.len()).rev() {
        shuffled.swap(place, seed[place % seed.len()] as usize % (place + 1));
    }
    shuffled
}

proptest! {
    #[test]
    fn no_order_of_arrival_or_of_decisions_matters(
        settings in settings(),
        edges in edges(),
        decisions in decisions(),
        seed in proptest::collection::vec(any::<u32>(), 200),
    ) {
        let expected = build(settings, &edges, &decisions);
        let turned: Vec<Edge> = shuffled(&edges, &seed)
            .into_iter()
            .enumerate()
            .map(|(place, (a, b, at))| if place % 2 == 0 { (b, a, at) } else { (a, b, at) })
            .collect();
        let told = shuffled(&decisions, &seed);
        prop_assert_eq!(build(settings, &turned, &told), expected);
    }

    #[test]
    fn what_is_decided_holds(
        settings in settings(),
        edges in edges(),
        decisions in decisions(),
    ) {
        let mut builder = ComponentsBuilder::new(settings);
        for (a, b, at) in &edges {
            builder
                .push_seen(typed(*a), Some(typed(*b)), Seen::once(Some(*at)))
                .expect("few nodes");
        }
        for (action, a, b, at) in &decisions {
            builder.decide(*action, *a, action.is_of_pair().then_some(*b), *at);
        }
        let (rows, links) = builder.finish_with_links();
        let component: BTreeMap<i64, i64> =
            rows.iter().map(|row| (row.node_key, row.component_key)).collect();
        for link in &links {
            let is_one = component[&link.a_key] == component[&link.b_key];
            prop_assert!(link.cut.is_some() || is_one);
        }
        // The later of two decisions about one pair counts.
        for (action, a, b, at) in decisions.iter().filter(|one| one.0 == Action::Unmerge) {
            let is_last = decisions.iter().all(|(other, c, d, then)| {
                !other.is_of_pair() || (a.min(b), a.max(b)) != (c.min(d), c.max(d))
                    || (then, other) <= (at, action)
            });
            let there = component.get(a).zip(component.get(b)).filter(|_| a != b && is_last);
            prop_assert!(there.is_none_or(|(a, b)| a != b));
        }
    }

    #[test]
    fn an_unmerge_after_a_merge_restores_what_was(
        settings in settings(),
        edges in edges(),
        decisions in decisions(),
        a in 0_i64..40,
        b in 0_i64..40,
    ) {
        let before = build(settings, &edges, &decisions);
        let is_apart = !members(&before, a).contains(&b);
        let is_new = !decisions.iter().any(|one| one.0.is_of_pair()
            && (one.1.min(one.2), one.1.max(one.2)) == (a.min(b), a.max(b)));
        prop_assume!(a != b && is_apart && is_new);
        // What the evidence links directly, and something cuts, is a link that an unmerge is about.
        prop_assume!(!edges.iter().any(|(c, d, _)| (c.min(d), c.max(d)) == (&a.min(b), &a.max(b))));
        let mut told = decisions.clone();
        told.extend([(Action::Merge, a, b, 100), (Action::Unmerge, b, a, 101)]);
        prop_assert_eq!(build(settings, &edges, &told), before);
    }

    /// What is decided in one part of the graph leaves the others as they are.
    #[test]
    fn a_decision_touches_only_what_hangs_together(
        settings in settings(),
        edges in edges(),
        a in 0_i64..40,
        b in 0_i64..40,
        action in 0_usize..5,
    ) {
        let before = build(settings, &edges, &[]);
        let after = build(settings, &edges, &[(Action::ALL[action], a, b, 60)]);
        // By all links, whether they count or not.
        let whole = build(GraphSettings::OFF, &edges, &[]);
        let (of_a, of_b) = (members(&whole, a), members(&whole, b));
        for (was, is) in before.iter().zip(&after) {
            if !of_a.contains(&was.node_key) && !of_b.contains(&was.node_key) {
                prop_assert_eq!(was, is);
            }
        }
    }
}
