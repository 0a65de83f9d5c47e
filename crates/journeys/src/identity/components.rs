//! Edges in, components out: a union-find over dense numbers, with a degree guard before it.
//!
//! An identifier that can be shared (device, cookie, telephone, order) and is linked to too many
//! people is no evidence: its edges are left out and it stands alone, with the guard said. The
//! guard looks at all edges at once, so neither it nor anything else here depends on the order of
//! the input. Nothing is thrown away: every identifier comes back.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::NodeType;
use crate::error::{JourneysError, Result};

/// How many people a shared identifier may be linked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GuardSettings {
    /// Most distinct user ids (or contacts, or buyers, of one source) of one such identifier.
    pub degree_max: u32,
    /// Most distinct e-mails of one such identifier.
    pub emails_max: u32,
}

impl GuardSettings {
    /// No guard: every edge counts.
    pub const OFF: Self = Self {
        degree_max: u32::MAX,
        emails_max: u32::MAX,
    };
}

impl From<&domain::config::Identity> for GuardSettings {
    fn from(config: &domain::config::Identity) -> Self {
        Self {
            degree_max: config.degree_max,
            emails_max: config.emails_max,
        }
    }
}

/// Why an identifier's edges are no evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Guard {
    /// Linked to more user ids, contacts or buyers than `degree_max`.
    Degree,
    /// Linked to more e-mails than `emails_max`.
    Emails,
}

impl Guard {
    /// Its name in tables: `degree`, `emails`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Degree => "degree",
            Self::Emails => "emails",
        }
    }
}

/// One end of an edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Node {
    /// Durable key of the identifier.
    pub key: i64,
    /// Its type.
    pub node_type: NodeType,
    /// Any number that tells sources apart, 0 where unknown. Two contacts of one source are two
    /// people; a contact of each of two sources may be one.
    pub source: u32,
}

impl Node {
    /// An identifier of which the source is unknown or does not matter.
    pub fn new(key: i64, node_type: NodeType) -> Self {
        Self {
            key,
            node_type,
            source: 0,
        }
    }
}

/// One identifier with its component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeRow {
    /// Its durable key.
    pub node_key: i64,
    /// Its type.
    pub node_type: NodeType,
    /// Earliest time of any link it is part of, microseconds since 1970.
    pub first_at_us: Option<i64>,
    /// Number of distinct identifiers it is linked to, guarded edges included.
    pub degree: u32,
    /// Why its edges were left out.
    pub guard: Option<Guard>,
    /// Key of the component's canonical node: strongest type, then earliest, then smallest key.
    pub component_key: i64,
    /// Number of identifiers in the component.
    pub component_size: u32,
}

/// No time known.
const NEVER: i64 = i64::MAX;
/// Edges are made distinct when this many have gathered, then at each doubling.
const DEDUPE_EDGES_MIN: usize = 1 << 20;

/// Takes edges in any order, gives every identifier its component.
///
/// Memory: about 40 bytes an identifier and 8 a distinct edge.
#[derive(Debug)]
pub struct ComponentsBuilder {
    settings: GuardSettings,
    index: HashMap<i64, u32, BuildHasherDefault<KeyHasher>>,
    nodes: Vec<NodeState>,
    /// Two dense numbers, the smaller one above.
    edges: Vec<u64>,
    dedupe_at: usize,
}

/// What is known of one identifier; together, because an edge touches all of it at once.
#[derive(Debug, Clone, Copy)]
struct NodeState {
    key: i64,
    first_at_us: i64,
    source: u32,
    node_type: NodeType,
}

impl NodeState {
    /// The canonical node of a component has the smallest rank.
    fn rank(&self) -> (NodeType, i64, i64) {
        (self.node_type, self.first_at_us, self.key)
    }
}

impl ComponentsBuilder {
    /// An empty graph.
    pub fn new(settings: GuardSettings) -> Self {
        Self::with_capacity(settings, 0)
    }

    /// An empty graph with room for so many identifiers.
    pub fn with_capacity(settings: GuardSettings, nodes: usize) -> Self {
        Self {
            settings,
            index: HashMap::with_capacity_and_hasher(nodes, BuildHasherDefault::default()),
            nodes: Vec::with_capacity(nodes),
            edges: Vec::new(),
            dedupe_at: DEDUPE_EDGES_MIN,
        }
    }

    /// Adds an edge, or without `b` a node alone. The same edge may come many times.
    ///
    /// # Errors
    /// More identifiers than 32 bits can number.
    pub fn push(
        &mut self,
        a_key: i64,
        a_type: NodeType,
        b: Option<(i64, NodeType)>,
        linked_at_us: Option<i64>,
    ) -> Result<()> {
        let b = b.map(|(key, node_type)| Node::new(key, node_type));
        self.push_nodes(Node::new(a_key, a_type), b, linked_at_us)
    }

    /// As [`Self::push`], for callers that know the sources of the identifiers.
    ///
    /// # Errors
    /// More identifiers than 32 bits can number.
    pub fn push_nodes(
        &mut self,
        a: Node,
        b: Option<Node>,
        linked_at_us: Option<i64>,
    ) -> Result<()> {
        let at_us = linked_at_us.unwrap_or(NEVER);
        let a = self.number(a, at_us)?;
        let Some(b) = b else { return Ok(()) };
        let b = self.number(b, at_us)?;
        if a != b {
            self.edges
                .push(u64::from(a.min(b)) << 32 | u64::from(a.max(b)));
            if self.edges.len() >= self.dedupe_at {
                self.dedupe();
                self.dedupe_at = DEDUPE_EDGES_MIN.max(self.edges.len() * 2);
            }
        }
        Ok(())
    }

    /// Number of identifiers so far.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Nothing was pushed yet.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// All identifiers with their components, sorted by key.
    pub fn finish(mut self) -> Vec<NodeRow> {
        self.dedupe();
        self.index = HashMap::default();
        let degree = self.degrees();
        let guard = self.guards(&degree);
        let mut forest = Forest::new(self.nodes.len());
        for (a, b) in ends(&self.edges) {
            if guard[a].is_none() && guard[b].is_none() {
                forest.union(a, b);
            }
        }
        self.edges = Vec::new();
        let (canonical, size) = self.canonical(&mut forest);
        let mut order: Vec<(i64, u32)> = self.nodes.iter().map(|node| node.key).zip(0..).collect();
        order.sort_unstable();
        order
            .into_iter()
            .map(|(node_key, number)| {
                let number = number as usize;
                let root = forest.find(number);
                let node = &self.nodes[number];
                NodeRow {
                    node_key,
                    node_type: node.node_type,
                    first_at_us: (node.first_at_us != NEVER).then_some(node.first_at_us),
                    degree: degree[number],
                    guard: guard[number],
                    component_key: self.nodes[canonical[root] as usize].key,
                    component_size: size[root],
                }
            })
            .collect()
    }

    /// The dense number of a node. What two mentions say differently is settled without regard to
    /// which came first: the stronger type, the larger source, the earlier time.
    fn number(&mut self, node: Node, at_us: i64) -> Result<u32> {
        let next = u32::try_from(self.nodes.len()).map_err(|_| JourneysError::TooManyNodes {
            limit: u64::from(u32::MAX),
        })?;
        let number = *self.index.entry(node.key).or_insert(next);
        if number == next {
            let Node {
                key,
                node_type,
                source,
            } = node;
            self.nodes.push(NodeState {
                key,
                first_at_us: at_us,
                source,
                node_type,
            });
        } else {
            let known = &mut self.nodes[number as usize];
            known.node_type = known.node_type.min(node.node_type);
            known.source = known.source.max(node.source);
            known.first_at_us = known.first_at_us.min(at_us);
        }
        Ok(number)
    }

    fn dedupe(&mut self) {
        self.edges.sort_unstable();
        self.edges.dedup();
    }

    fn degrees(&self) -> Vec<u32> {
        let mut degree = vec![0_u32; self.nodes.len()];
        for (a, b) in ends(&self.edges) {
            degree[a] += 1;
            degree[b] += 1;
        }
        degree
    }

    /// Which identifiers are linked to too many people. Edges are distinct by now.
    fn guards(&self, degree: &[u32]) -> Vec<Option<Guard>> {
        let mut guard = vec![None; self.nodes.len()];
        let least = self.settings.degree_max.min(self.settings.emails_max);
        // (shared identifier, type of the person, source of the person), one for each edge.
        let mut persons: Vec<(u32, NodeType, u32)> = Vec::new();
        for (a, b) in ends(&self.edges) {
            for (shared, person) in [(a, b), (b, a)] {
                if degree[shared] <= least || self.nodes[shared].node_type.is_person() {
                    continue;
                }
                let person = &self.nodes[person];
                let person_type = person.node_type;
                let source = match person_type {
                    NodeType::Email => 0,
                    _ if person_type.counts_as_person() => person.source,
                    _ => continue,
                };
                // Numbers came from u32, so this never truncates.
                persons.push((shared as u32, person_type, source));
            }
        }
        persons.sort_unstable();
        for run in persons.chunk_by(|a, b| a == b) {
            let (shared, person_type, _) = run[0];
            let (most, why) = match person_type {
                NodeType::Email => (self.settings.emails_max, Guard::Emails),
                _ => (self.settings.degree_max, Guard::Degree),
            };
            if run.len() > most as usize {
                let current = &mut guard[shared as usize];
                *current = Some(current.map_or(why, |before: Guard| before.min(why)));
            }
        }
        guard
    }

    /// For each root: the canonical node and the number of nodes.
    fn canonical(&self, forest: &mut Forest) -> (Vec<u32>, Vec<u32>) {
        let nodes = self.nodes.len();
        let mut canonical: Vec<u32> = (0..).take(nodes).collect();
        let mut size = vec![0_u32; nodes];
        for (number, node) in (0_u32..).zip(&self.nodes) {
            let root = forest.find(number as usize);
            size[root] += 1;
            if node.rank() < self.nodes[canonical[root] as usize].rank() {
                canonical[root] = number;
            }
        }
        (canonical, size)
    }
}

/// The two ends of each edge.
fn ends(edges: &[u64]) -> impl Iterator<Item = (usize, usize)> + '_ {
    edges
        .iter()
        .map(|edge| ((edge >> 32) as usize, (edge & 0xffff_ffff) as usize))
}

/// Union-find with path halving; the larger tree takes the smaller one.
struct Forest {
    parent: Vec<u32>,
    size: Vec<u32>,
}

impl Forest {
    fn new(nodes: usize) -> Self {
        Self {
            parent: (0..).take(nodes).collect(),
            size: vec![1; nodes],
        }
    }

    fn find(&mut self, mut node: usize) -> usize {
        while self.parent[node] as usize != node {
            let above = self.parent[node] as usize;
            self.parent[node] = self.parent[above];
            node = self.parent[node] as usize;
        }
        node
    }

    fn union(&mut self, a: usize, b: usize) {
        let (a, b) = (self.find(a), self.find(b));
        if a == b {
            return;
        }
        let (large, small) = if self.size[a] < self.size[b] {
            (b, a)
        } else {
            (a, b)
        };
        // Numbers came from u32, so this never truncates.
        self.parent[small] = large as u32;
        self.size[large] += self.size[small];
    }
}

/// Hash of a 64-bit key by one folded multiplication: keys are hashes already, but tests and
/// sequences are not, so the bits are spread once more.
#[derive(Debug, Default)]
struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(u64::from(byte));
        }
    }

    fn write_u64(&mut self, value: u64) {
        let product = u128::from(self.0 ^ value ^ 0x9e37_79b9_7f4a_7c15)
            * u128::from(0xa076_1d64_78bd_642f_u64);
        self.0 = (product >> 64) as u64 ^ product as u64;
    }

    fn write_i64(&mut self, value: i64) {
        self.write_u64(value as u64);
    }
}
