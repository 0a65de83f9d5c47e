//! Which links of a graph count: erasures, blocks, the degree guard, limits, and what was decided.
//!
//! Each step looks at all links at once, or takes them in an order that their own times, types and
//! keys give. So nothing here depends on the order in which the links came.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::components::{Cut, Guard, NEVER};
use super::forest::Forest;
use super::settings::{GraphSettings, LinkOrder};
use super::{NodeType, components};

/// What is known of one identifier; together, because an edge touches all of it at once.
#[derive(Debug, Clone, Copy)]
pub(super) struct NodeState {
    pub(super) key: i64,
    pub(super) first_at_us: i64,
    pub(super) last_at_us: i64,
    pub(super) source: u32,
    pub(super) node_type: NodeType,
    /// When it was erased last; [`components::NEVER`] backwards where it was not.
    pub(super) erased_at_us: i64,
}

impl NodeState {
    /// The canonical node of a component has the smallest rank.
    pub(super) fn rank(&self) -> (NodeType, i64, i64) {
        (self.node_type, self.first_at_us, self.key)
    }

    /// What limits count it as: its type, and the source where that matters.
    fn kind(&self) -> (NodeType, u32) {
        match self.node_type {
            NodeType::Contact | NodeType::Lead | NodeType::Buyer => (self.node_type, self.source),
            other => (other, 0),
        }
    }
}

/// A link between two identifiers, by their numbers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Link {
    pub(super) a: u32,
    pub(super) b: u32,
    pub(super) first_at_us: i64,
    pub(super) last_at_us: i64,
    /// A person decided it.
    pub(super) is_decided: bool,
    pub(super) cut: Option<Cut>,
}

impl Link {
    /// It counts, and is not only decided.
    fn is_evidence(&self) -> bool {
        self.cut.is_none() && !self.is_decided
    }
}

/// Identifiers and links while it is found out which links count.
#[derive(Debug)]
pub(super) struct Graph {
    pub(super) nodes: Vec<NodeState>,
    pub(super) links: Vec<Link>,
    pub(super) guard: Vec<Option<Guard>>,
    /// Pairs that are two customers.
    pub(super) apart: Vec<(u32, u32)>,
}

impl Graph {
    /// Cuts the links that do not count.
    pub(super) fn cut(&mut self, settings: &GraphSettings, degree: &[u32]) {
        self.cut_erased();
        self.cut_blocked();
        self.cut_direct();
        self.guard_shared(settings, degree);
        self.cut_guarded();
        self.cut_above_limits(settings);
        self.cut_apart();
    }

    /// The components that the links make that count.
    pub(super) fn forest(&self) -> Forest {
        let mut forest = Forest::new(self.nodes.len());
        for link in self.links.iter().filter(|link| link.cut.is_none()) {
            forest.union(link.a as usize, link.b as usize);
        }
        forest
    }

    /// What was seen before an erasure never joins again; an identifier that was not seen since
    /// belongs to nobody.
    fn cut_erased(&mut self) {
        for (node, guard) in self.nodes.iter_mut().zip(&mut self.guard) {
            if node.erased_at_us == components::LONG_AGO {
                continue;
            }
            if node.last_at_us < node.erased_at_us {
                *guard = Some(Guard::Erased);
            } else {
                node.first_at_us = node.first_at_us.max(node.erased_at_us);
            }
        }
        for link in &mut self.links {
            let erased = [link.a, link.b].map(|end| self.nodes[end as usize].erased_at_us);
            if erased.iter().any(|at_us| link.last_at_us < *at_us) {
                link.cut = Some(Cut::Erased);
            }
        }
    }

    fn cut_blocked(&mut self) {
        for link in self.links.iter_mut().filter(|link| link.cut.is_none()) {
            let is_blocked = |end: u32| self.guard[end as usize] == Some(Guard::Blocked);
            if is_blocked(link.a) || is_blocked(link.b) {
                link.cut = Some(Cut::Blocked);
            }
        }
    }

    /// A link between two that are decided to be two is no evidence, of sharing neither.
    fn cut_direct(&mut self) {
        if self.apart.is_empty() {
            return;
        }
        let mut apart: Vec<(u32, u32)> = self.apart.clone();
        apart.sort_unstable();
        for link in self.links.iter_mut().filter(|link| link.cut.is_none()) {
            let pair = (link.a.min(link.b), link.a.max(link.b));
            if apart.binary_search(&pair).is_ok() {
                link.cut = Some(Cut::Apart);
            }
        }
    }

    /// Those that count once: a source states that two contacts (or users …) are one, or, if it is
    /// asked for, a decision does.
    fn aliases(&self, with_decided: bool) -> Forest {
        let mut forest = Forest::new(self.nodes.len());
        for link in self.links.iter().filter(|link| link.cut.is_none()) {
            let (a, b) = (link.a as usize, link.b as usize);
            let is_stated = !link.is_decided && self.nodes[a].kind() == self.nodes[b].kind();
            if is_stated || (link.is_decided && with_decided) {
                forest.union(a, b);
            }
        }
        forest
    }

    /// Which identifiers are linked to too many people. Links are distinct by now.
    fn guard_shared(&mut self, settings: &GraphSettings, degree: &[u32]) {
        let mut aliases = self.aliases(true);
        let least = settings.degree_max.min(settings.emails_max);
        // (shared identifier, type of the person, source of the person, person), one a link.
        let mut persons: Vec<(u32, NodeType, u32, usize)> = Vec::new();
        let links = self.links.iter().filter(|link| !link.is_decided);
        for link in links.filter(|link| link.cut.is_none()) {
            for (shared, person) in [(link.a, link.b), (link.b, link.a)] {
                if degree[shared as usize] <= least
                    || self.nodes[shared as usize].node_type.is_person()
                {
                    continue;
                }
                let state = &self.nodes[person as usize];
                let source = match state.node_type {
                    NodeType::Email => 0,
                    other if other.counts_as_person() => state.source,
                    _ => continue,
                };
                let one = aliases.find(person as usize);
                persons.push((shared, state.node_type, source, one));
            }
        }
        persons.sort_unstable();
        persons.dedup();
        for run in persons.chunk_by(|a, b| (a.0, a.1, a.2) == (b.0, b.1, b.2)) {
            let (shared, person_type, ..) = run[0];
            let (most, why) = match person_type {
                NodeType::Email => (settings.emails_max, Guard::Emails),
                _ => (settings.degree_max, Guard::Degree),
            };
            if run.len() > most as usize {
                let current = &mut self.guard[shared as usize];
                *current = Some(current.map_or(why, |before: Guard| before.min(why)));
            }
        }
    }

    fn cut_guarded(&mut self) {
        let links = self.links.iter_mut().filter(|link| !link.is_decided);
        for link in links.filter(|link| link.cut.is_none()) {
            let guards = [link.a, link.b].map(|end| self.guard[end as usize]);
            if let Some(guard) = guards.into_iter().flatten().min() {
                link.cut = Some(Cut::from(guard));
            }
        }
    }

    /// In components with too many identifiers of a type, links are made again one by one, and the
    /// one that would pass a limit is cut. Components are those of the evidence: whole customers
    /// are merged by decision, whatever limits say.
    fn cut_above_limits(&mut self, settings: &GraphSettings) {
        let mut forest = Forest::new(self.nodes.len());
        for link in self.links.iter().filter(|link| link.is_evidence()) {
            forest.union(link.a as usize, link.b as usize);
        }
        let mut aliases = self.aliases(false);
        let mut members: Vec<(usize, (NodeType, u32), usize)> = Vec::new();
        for (number, node) in self.nodes.iter().enumerate() {
            if settings.limit(node.node_type) < u32::MAX {
                members.push((forest.find(number), node.kind(), aliases.find(number)));
            }
        }
        members.sort_unstable();
        members.dedup();
        let mut crowded = vec![false; self.nodes.len()];
        let mut is_any = false;
        for run in members.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
            let (root, (node_type, _), _) = run[0];
            if run.len() > settings.limit(node_type) as usize {
                crowded[root] = true;
                is_any = true;
            }
        }
        if !is_any {
            return;
        }
        let mut order: Vec<usize> = (0..self.links.len())
            .filter(|at| self.links[*at].is_evidence())
            .filter(|at| crowded[forest.find(self.links[*at].a as usize)])
            .collect();
        match settings.limits_by {
            LinkOrder::NewestFirst => order.sort_by_cached_key(|at| self.newest_first(*at)),
            LinkOrder::OldestFirst => order.sort_by_cached_key(|at| self.oldest_first(*at)),
        }
        let mut sets = Sets::new(self, settings, &mut aliases);
        for at in order {
            let link = &mut self.links[at];
            if !sets.join(link.a as usize, link.b as usize) {
                link.cut = Some(Cut::Limit);
            }
        }
    }

    /// The newest first; at one instant those of the stronger types.
    fn newest_first(&self, at: usize) -> (Reverse<i64>, u16, [(NodeType, i64); 2]) {
        let link = &self.links[at];
        let (sum, ends) = self.strength(link);
        (Reverse(link.last_at_us), sum, ends)
    }

    /// The oldest first; at one instant those of the stronger types.
    fn oldest_first(&self, at: usize) -> (i64, u16, [(NodeType, i64); 2]) {
        let link = &self.links[at];
        let (sum, ends) = self.strength(link);
        (link.first_at_us, sum, ends)
    }

    fn strength(&self, link: &Link) -> (u16, [(NodeType, i64); 2]) {
        let mut ends = [link.a, link.b].map(|end| {
            let node = &self.nodes[end as usize];
            (node.node_type, node.key)
        });
        ends.sort_unstable();
        let sum = ends.iter().map(|(node_type, _)| *node_type as u16).sum();
        (sum, ends)
    }

    /// Where two that are decided to be two are still in one component, its links are made again
    /// from the oldest on, and the one that would join them is cut.
    fn cut_apart(&mut self) {
        let mut forest = self.forest();
        let mut apart: HashMap<usize, Vec<(usize, usize)>> = HashMap::new();
        for (a, b) in &self.apart {
            let (a, b) = (*a as usize, *b as usize);
            if forest.find(a) == forest.find(b) {
                apart.entry(forest.find(a)).or_default().push((a, b));
            }
        }
        if apart.is_empty() {
            return;
        }
        let mut order: Vec<usize> = (0..self.links.len())
            .filter(|at| self.links[*at].cut.is_none())
            .filter(|at| apart.contains_key(&forest.find(self.links[*at].a as usize)))
            .collect();
        order.sort_by_cached_key(|at| self.oldest_first(*at));
        let mut made = Forest::new(self.nodes.len());
        for at in order {
            let link = &mut self.links[at];
            let (a, b) = (link.a as usize, link.b as usize);
            let (of_a, of_b) = (made.find(a), made.find(b));
            let pairs = apart.get(&forest.find(a)).map_or(&[][..], Vec::as_slice);
            let is_forbidden = pairs.iter().any(|(c, d)| {
                let ends = (made.find(*c), made.find(*d));
                ends == (of_a, of_b) || ends == (of_b, of_a)
            });
            if is_forbidden && of_a != of_b {
                link.cut = Some(Cut::Apart);
            } else {
                made.union(a, b);
            }
        }
    }
}

/// Sets of identifiers that are being joined, with what limits count in each.
struct Sets<'a> {
    forest: Forest,
    /// By set: kind and identifier, where two that are one by a source's word are one.
    counted: HashMap<usize, Vec<((NodeType, u32), usize)>>,
    settings: &'a GraphSettings,
}

impl<'a> Sets<'a> {
    fn new(graph: &Graph, settings: &'a GraphSettings, aliases: &mut Forest) -> Self {
        let counted = graph.nodes.iter().enumerate();
        let counted = counted.filter(|(_, node)| settings.limit(node.node_type) < u32::MAX);
        Self {
            forest: Forest::new(graph.nodes.len()),
            counted: counted
                .map(|(number, node)| (number, vec![(node.kind(), aliases.find(number))]))
                .collect(),
            settings,
        }
    }

    /// Joins the sets of two identifiers; false where the limits forbid it.
    fn join(&mut self, a: usize, b: usize) -> bool {
        let (a, b) = (self.forest.find(a), self.forest.find(b));
        if a == b {
            return true;
        }
        let of = |set: usize| self.counted.get(&set).map_or(&[][..], Vec::as_slice);
        let mut both = [of(a), of(b)].concat();
        both.sort_unstable();
        both.dedup();
        let mut kinds = both.chunk_by(|one, other| one.0 == other.0);
        if kinds.any(|run| run.len() > self.settings.limit(run[0].0.0) as usize) {
            return false;
        }
        self.counted.remove(&a);
        self.counted.remove(&b);
        self.forest.union(a, b);
        let root = self.forest.find(a);
        if !both.is_empty() {
            self.counted.insert(root, both);
        }
        true
    }
}

/// The earliest of two times, where [`NEVER`] is none.
pub(super) fn known(at_us: i64) -> Option<i64> {
    (at_us != NEVER && at_us != components::LONG_AGO).then_some(at_us)
}
