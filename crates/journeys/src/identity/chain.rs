//! By which links two identifiers hang together.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::components::{LinkRow, NodeRow};

/// The shortest chain of links from one identifier to another, as their places in `links`; of two
/// chains of one length that with the smaller keys. Only links that count are used, unless
/// `with_cut`. None where there is no chain.
pub fn chain(links: &[LinkRow], from: i64, to: i64, with_cut: bool) -> Option<Vec<usize>> {
    let mut beside: BTreeMap<i64, Vec<(i64, usize)>> = BTreeMap::new();
    for (place, link) in links.iter().enumerate() {
        if with_cut || link.cut.is_none() {
            beside
                .entry(link.a_key)
                .or_default()
                .push((link.b_key, place));
            beside
                .entry(link.b_key)
                .or_default()
                .push((link.a_key, place));
        }
    }
    for ends in beside.values_mut() {
        // A link of evidence is told before a decision, one that counts before one that is cut.
        ends.sort_unstable_by_key(|(key, place)| {
            let link = &links[*place];
            (*key, link.cut.is_some(), link.is_decided, *place)
        });
    }
    let mut came: BTreeMap<i64, (i64, usize)> = BTreeMap::new();
    let mut waiting = VecDeque::from([from]);
    while let Some(key) = waiting.pop_front() {
        if key == to {
            break;
        }
        for (next, place) in beside.get(&key).into_iter().flatten() {
            if *next != from && !came.contains_key(next) {
                came.insert(*next, (key, *place));
                waiting.push_back(*next);
            }
        }
    }
    let mut places = Vec::new();
    let mut key = to;
    while key != from {
        let (before, place) = came.get(&key)?;
        places.push(*place);
        key = *before;
    }
    places.reverse();
    Some(places)
}

/// The identifiers of the component of one, itself included.
pub fn members(rows: &[NodeRow], key: i64) -> BTreeSet<i64> {
    let own = rows.iter().find(|row| row.node_key == key);
    let component = own.map(|row| row.component_key);
    rows.iter()
        .filter(|row| Some(row.component_key) == component)
        .map(|row| row.node_key)
        .chain([key])
        .collect()
}
