//! Edges in, components out: a union-find over dense numbers, with what limits it before it.
//!
//! An identifier that can be shared (device, cookie, telephone, order) and is linked to too many
//! people is no evidence: its edges are left out and it stands alone, with the guard said. Where a
//! customer would still have too many identifiers of a type, the links that lose are cut; what
//! people decided holds against all evidence. Nothing here depends on the order of the input, and
//! nothing is thrown away: every identifier comes back.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use super::NodeType;
use super::decisions::{Action, Decisions};
use super::forest::Forest;
use super::graph::{Graph, Link, NodeState, known};
use super::key_hasher::KeyHasher;
use super::settings::GraphSettings;
use crate::error::{JourneysError, Result};

/// Why an identifier's edges are no evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Guard {
    /// It was erased, and was not seen since.
    Erased,
    /// It was decided to be no evidence.
    Blocked,
    /// Linked to more user ids, contacts or buyers than `degree_max`.
    Degree,
    /// Linked to more e-mails than `emails_max`.
    Emails,
}

impl Guard {
    /// Its name in tables: `erased`, `blocked`, `degree`, `emails`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Erased => "erased",
            Self::Blocked => "blocked",
            Self::Degree => "degree",
            Self::Emails => "emails",
        }
    }
}

/// Why a link does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cut {
    /// It was seen before one of its ends was erased, and not since.
    Erased,
    /// One of its ends is decided to be no evidence.
    Blocked,
    /// One of its ends is linked to more people than `degree_max`.
    Degree,
    /// One of its ends is linked to more e-mails than `emails_max`.
    Emails,
    /// It would give a customer more identifiers of a type than `limits` allow.
    Limit,
    /// It would join two that are decided to be two.
    Apart,
}

impl Cut {
    /// Its name: `erased`, `blocked`, `degree`, `emails`, `limit`, `unmerged`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Erased => "erased",
            Self::Blocked => "blocked",
            Self::Degree => "degree",
            Self::Emails => "emails",
            Self::Limit => "limit",
            Self::Apart => "unmerged",
        }
    }
}

impl From<Guard> for Cut {
    fn from(guard: Guard) -> Self {
        match guard {
            Guard::Erased => Self::Erased,
            Guard::Blocked => Self::Blocked,
            Guard::Degree => Self::Degree,
            Guard::Emails => Self::Emails,
        }
    }
}

/// When a link, or an identifier alone, was seen; microseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Seen {
    /// First; None where nobody knows.
    pub first_at_us: Option<i64>,
    /// Last; None where nobody knows.
    pub last_at_us: Option<i64>,
}

impl Seen {
    /// At one instant only.
    pub fn once(at_us: Option<i64>) -> Self {
        Self {
            first_at_us: at_us,
            last_at_us: at_us,
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
    /// When it was erased last, microseconds since 1970: what is older is nobody's.
    pub erased_at_us: Option<i64>,
    /// Key of the component's canonical node: strongest type, then earliest, then smallest key.
    pub component_key: i64,
    /// Number of identifiers in the component.
    pub component_size: u32,
}

/// One link, with whether it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkRow {
    /// Key of one end.
    pub a_key: i64,
    /// Key of the other.
    pub b_key: i64,
    /// When it was first and last seen.
    pub seen: Seen,
    /// A person decided it.
    pub is_decided: bool,
    /// Why it does not count.
    pub cut: Option<Cut>,
}

/// No first time known.
pub(super) const NEVER: i64 = i64::MAX;
/// No last time known; never erased.
pub(super) const LONG_AGO: i64 = i64::MIN;
/// Edges are made distinct when this many have gathered, then at each doubling.
const DEDUPE_EDGES_MIN: usize = 1 << 20;

/// Takes edges in any order, gives every identifier its component.
///
/// Memory: about 50 bytes an identifier and 24 a distinct edge, twice that while it finishes.
#[derive(Debug)]
pub struct ComponentsBuilder {
    settings: GraphSettings,
    index: HashMap<i64, u32, BuildHasherDefault<KeyHasher>>,
    nodes: Vec<NodeState>,
    edges: Vec<Edge>,
    dedupe_at: usize,
    decisions: Decisions,
}

#[derive(Debug, Clone, Copy)]
struct Edge {
    /// Two dense numbers, the smaller one above.
    ends: u64,
    first_at_us: i64,
    last_at_us: i64,
}

impl ComponentsBuilder {
    /// An empty graph.
    pub fn new(settings: GraphSettings) -> Self {
        Self {
            settings,
            index: HashMap::default(),
            nodes: Vec::new(),
            edges: Vec::new(),
            dedupe_at: DEDUPE_EDGES_MIN,
            decisions: Decisions::default(),
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
        self.push_seen(Node::new(a_key, a_type), b, Seen::once(linked_at_us))
    }

    /// As [`Self::push`], for callers that know the sources of the identifiers, and when the edge
    /// was first and last seen.
    ///
    /// # Errors
    /// More identifiers than 32 bits can number.
    pub fn push_seen(&mut self, a: Node, b: Option<Node>, seen: Seen) -> Result<()> {
        let first_at_us = seen.first_at_us.unwrap_or(NEVER);
        let last_at_us = seen.last_at_us.unwrap_or(LONG_AGO);
        let a = self.number(a, first_at_us, last_at_us)?;
        let Some(b) = b else { return Ok(()) };
        let b = self.number(b, first_at_us, last_at_us)?;
        if a != b {
            self.edges.push(Edge {
                ends: u64::from(a.min(b)) << 32 | u64::from(a.max(b)),
                first_at_us,
                last_at_us,
            });
            if self.edges.len() >= self.dedupe_at {
                self.dedupe();
                self.dedupe_at = DEDUPE_EDGES_MIN.max(self.edges.len() * 2);
            }
        }
        Ok(())
    }

    /// Adds what somebody decided of one identifier or of two. Identifiers that no edge names are
    /// passed over.
    pub fn decide(&mut self, action: Action, a_key: i64, b_key: Option<i64>, at_us: i64) {
        self.decisions.add(action, a_key, b_key, at_us);
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
    pub fn finish(self) -> Vec<NodeRow> {
        let (graph, degree) = self.judged();
        rows(&graph, &degree)
    }

    /// All identifiers with their components, and all links with whether they count.
    pub fn finish_with_links(self) -> (Vec<NodeRow>, Vec<LinkRow>) {
        let (graph, degree) = self.judged();
        let key = |number: u32| graph.nodes[number as usize].key;
        let links = graph.links.iter().map(|link| LinkRow {
            a_key: key(link.a),
            b_key: key(link.b),
            seen: Seen {
                first_at_us: known(link.first_at_us),
                last_at_us: known(link.last_at_us),
            },
            is_decided: link.is_decided,
            cut: link.cut,
        });
        let links = links.collect();
        (rows(&graph, &degree), links)
    }

    /// The graph with the links that do not count cut, and how many others each identifier is
    /// linked to.
    fn judged(mut self) -> (Graph, Vec<u32>) {
        self.dedupe();
        let mut degree = vec![0_u32; self.nodes.len()];
        let mut links: Vec<Link> = Vec::with_capacity(self.edges.len());
        for edge in std::mem::take(&mut self.edges) {
            // Two halves of 32 bits each.
            let (a, b) = ((edge.ends >> 32) as u32, (edge.ends & 0xffff_ffff) as u32);
            degree[a as usize] += 1;
            degree[b as usize] += 1;
            links.push(Link {
                a,
                b,
                first_at_us: edge.first_at_us,
                last_at_us: edge.last_at_us,
                is_decided: false,
                cut: None,
            });
        }
        let mut guard = vec![None; self.nodes.len()];
        let number = |key: i64| self.index.get(&key).copied();
        for (key, at_us) in self.decisions.erasures() {
            if let Some(number) = number(key) {
                self.nodes[number as usize].erased_at_us = at_us;
            }
        }
        for number in self.decisions.blocked().filter_map(number) {
            guard[number as usize] = Some(Guard::Blocked);
        }
        let pair = |(a, b, at_us)| Some((number(a)?, number(b)?, at_us));
        for (a, b, at_us) in self.decisions.pairs(Action::Merge).filter_map(pair) {
            links.push(Link {
                a: a.min(b),
                b: a.max(b),
                first_at_us: at_us,
                last_at_us: at_us,
                is_decided: true,
                cut: None,
            });
        }
        let apart = self.decisions.pairs(Action::Unmerge).filter_map(pair);
        let apart = apart.map(|(a, b, _)| (a.min(b), a.max(b))).collect();
        let mut graph = Graph {
            nodes: self.nodes,
            links,
            guard,
            apart,
        };
        graph.cut(&self.settings, &degree);
        (graph, degree)
    }

    /// The dense number of a node. What two mentions say differently is settled without regard to
    /// which came first: the stronger type, the larger source, the earlier time.
    fn number(&mut self, node: Node, first_at_us: i64, last_at_us: i64) -> Result<u32> {
        let next = u32::try_from(self.nodes.len()).map_err(|_| JourneysError::TooManyNodes {
            limit: u64::from(u32::MAX),
        })?;
        let number = *self.index.entry(node.key).or_insert(next);
        if number == next {
            self.nodes.push(NodeState {
                key: node.key,
                first_at_us,
                last_at_us,
                source: node.source,
                node_type: node.node_type,
                erased_at_us: LONG_AGO,
            });
        } else {
            let known = &mut self.nodes[number as usize];
            known.node_type = known.node_type.min(node.node_type);
            known.source = known.source.max(node.source);
            known.first_at_us = known.first_at_us.min(first_at_us);
            known.last_at_us = known.last_at_us.max(last_at_us);
        }
        Ok(number)
    }

    /// One edge for each pair, first seen at the earliest and last at the latest time of all.
    fn dedupe(&mut self) {
        self.edges.sort_unstable_by_key(|edge| edge.ends);
        self.edges.dedup_by(|edge, kept| {
            let is_same = edge.ends == kept.ends;
            if is_same {
                kept.first_at_us = kept.first_at_us.min(edge.first_at_us);
                kept.last_at_us = kept.last_at_us.max(edge.last_at_us);
            }
            is_same
        });
    }
}

/// All identifiers with their components, sorted by key.
fn rows(graph: &Graph, degree: &[u32]) -> Vec<NodeRow> {
    let mut forest = graph.forest();
    let (canonical, size) = canonical(&graph.nodes, &mut forest);
    let mut order: Vec<(i64, u32)> = graph.nodes.iter().map(|node| node.key).zip(0..).collect();
    order.sort_unstable();
    order
        .into_iter()
        .map(|(node_key, number)| {
            let number = number as usize;
            let root = forest.find(number);
            let node = &graph.nodes[number];
            NodeRow {
                node_key,
                node_type: node.node_type,
                first_at_us: known(node.first_at_us),
                degree: degree[number],
                guard: graph.guard[number],
                erased_at_us: known(node.erased_at_us),
                component_key: graph.nodes[canonical[root] as usize].key,
                component_size: size[root],
            }
        })
        .collect()
}

/// For each root: the canonical node and the number of nodes.
fn canonical(nodes: &[NodeState], forest: &mut Forest) -> (Vec<u32>, Vec<u32>) {
    let mut canonical: Vec<u32> = (0..).take(nodes.len()).collect();
    let mut size = vec![0_u32; nodes.len()];
    for (number, node) in (0_u32..).zip(nodes) {
        let root = forest.find(number as usize);
        size[root] += 1;
        if node.rank() < nodes[canonical[root] as usize].rank() {
            canonical[root] = number;
        }
    }
    (canonical, size)
}
