//! What is built after what: the graph of sources, seeds and models.
//!
//! Arrows come from what models read; `entity('e')` reads every silver model with that entity.
//! Built once per manifest; it refuses cycles and models that read a higher layer. It runs nothing.

mod select;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::compile::{LeftOut, Manifest, ParsedModel, Target};
use crate::project::problem::unless;
use crate::project::{Layer, Place, Problem, ProjectError};

pub use select::Selection;

/// A node of the graph.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Node {
    /// A stream of a source.
    Source {
        /// Name of the source.
        source: String,
        /// Name of the stream.
        stream: String,
    },
    /// A seed.
    Seed(String),
    /// A model.
    Model(String),
}

impl Node {
    /// The name alone; of a stream, `source.stream`.
    pub fn name(&self) -> String {
        match self {
            Self::Source { source, stream } => format!("{source}.{stream}"),
            Self::Seed(name) | Self::Model(name) => name.clone(),
        }
    }

    /// The model's name, if it is one.
    pub fn as_model(&self) -> Option<&str> {
        match self {
            Self::Model(name) => Some(name),
            Self::Source { .. } | Self::Seed(_) => None,
        }
    }
}

/// What selectors look at in a node.
#[derive(Debug, Clone)]
struct Facts {
    layer: Layer,
    path: String,
    tags: Vec<String>,
    entity: Option<String>,
    materialized: String,
}

/// The graph of a manifest.
#[derive(Debug, Clone)]
pub struct Graph {
    facts: BTreeMap<Node, Facts>,
    /// What a node reads.
    parents: BTreeMap<Node, BTreeSet<Node>>,
    /// What reads a node.
    children: BTreeMap<Node, BTreeSet<Node>>,
    order: Vec<Node>,
    left_out: Vec<LeftOut>,
}

impl Graph {
    /// The graph of a manifest.
    ///
    /// # Errors
    /// Models read each other in a circle, or one reads what it must not.
    pub fn new(manifest: &Manifest) -> Result<Self, ProjectError> {
        let mut graph = Self {
            facts: facts(manifest),
            parents: BTreeMap::new(),
            children: BTreeMap::new(),
            order: vec![],
            left_out: manifest.left_out.clone(),
        };
        let mut problems = Vec::new();
        for parsed in manifest.models.values() {
            let node = Node::Model(parsed.name().to_owned());
            for dependency in &parsed.dependencies {
                if let Some(problem) = refused(manifest, parsed, &dependency.target) {
                    problems.push(problem);
                }
                for parent in nodes_of(manifest, &dependency.target) {
                    graph
                        .children
                        .entry(parent.clone())
                        .or_default()
                        .insert(node.clone());
                    graph
                        .parents
                        .entry(node.clone())
                        .or_default()
                        .insert(parent);
                }
            }
        }
        unless(problems)?;
        graph.order = graph.sorted()?;
        Ok(graph)
    }

    /// All nodes, what is read before what reads it; among equals by layer and name.
    pub fn order(&self) -> &[Node] {
        &self.order
    }

    /// The models in the order in which they are built.
    pub fn models(&self) -> impl Iterator<Item = &str> {
        self.order.iter().filter_map(Node::as_model)
    }

    /// What a node reads.
    pub fn parents(&self, node: &Node) -> impl Iterator<Item = &Node> {
        self.parents.get(node).into_iter().flatten()
    }

    /// What reads a node.
    pub fn children(&self, node: &Node) -> impl Iterator<Item = &Node> {
        self.children.get(node).into_iter().flatten()
    }

    /// All that a node reads, directly or not, without itself.
    pub fn ancestors(&self, node: &Node) -> BTreeSet<Node> {
        self.reached(node, &self.parents, usize::MAX)
    }

    /// All that reads a node, directly or not, without itself.
    pub fn descendants(&self, node: &Node) -> BTreeSet<Node> {
        self.reached(node, &self.children, usize::MAX)
    }

    fn reached(
        &self,
        from: &Node,
        arrows: &BTreeMap<Node, BTreeSet<Node>>,
        steps_max: usize,
    ) -> BTreeSet<Node> {
        let mut reached = BTreeSet::new();
        let mut edge = BTreeSet::from([from]);
        for _ in 0..steps_max {
            let next: BTreeSet<&Node> = edge
                .iter()
                .filter_map(|node| arrows.get(*node))
                .flatten()
                .collect();
            edge = next
                .into_iter()
                .filter(|node| reached.insert((*node).clone()))
                .collect();
            if edge.is_empty() {
                break;
            }
        }
        reached
    }

    /// Kahn's algorithm; the least of what can come next comes next.
    fn sorted(&self) -> Result<Vec<Node>, ProjectError> {
        let place = |node: &Node| (self.facts.get(node).map(|facts| facts.layer), node.clone());
        let mut waiting: BTreeMap<&Node, usize> = BTreeMap::new();
        for node in self.facts.keys() {
            waiting.insert(node, self.parents(node).count());
        }
        let free = waiting.iter().filter(|(_, count)| **count == 0);
        let mut ready: BTreeSet<_> = free.map(|(node, _)| place(node)).collect();
        let mut order = Vec::with_capacity(self.facts.len());
        while let Some((_, node)) = ready.pop_first() {
            for child in self.children(&node) {
                if let Some(count) = waiting.get_mut(child) {
                    *count -= 1;
                    if *count == 0 {
                        ready.insert(place(child));
                    }
                }
            }
            order.push(node);
        }
        if order.len() == self.facts.len() {
            return Ok(order);
        }
        let done: BTreeSet<&Node> = order.iter().collect();
        let left = waiting
            .keys()
            .copied()
            .filter(|node| !done.contains(node))
            .collect();
        Err(self.cycle(&left).into())
    }

    /// One circle among the nodes that never became ready.
    fn cycle(&self, left: &BTreeSet<&Node>) -> Problem {
        let mut path: Vec<&Node> = left.first().copied().into_iter().collect();
        while let Some(last) = path.last() {
            // Every one of them reads another of them, so this ends where it has been before.
            let Some(next) = self.parents(last).find(|parent| left.contains(parent)) else {
                break;
            };
            if let Some(start) = path.iter().position(|node| *node == next) {
                path.drain(..start);
                path.push(next);
                break;
            }
            path.push(next);
        }
        let names: Vec<String> = path
            .iter()
            .map(|node| format!("`{}`", node.name()))
            .collect();
        Problem::new(format!(
            "models read each other in a circle: {}",
            names.join(" reads ")
        ))
        .hint("take one `ref` out, or read the last build with `previous('…')`")
    }
}

/// What `target` is made of.
fn nodes_of(manifest: &Manifest, target: &Target) -> Vec<Node> {
    match target {
        Target::Source { source, stream } => {
            vec![Node::Source {
                source: source.clone(),
                stream: stream.clone(),
            }]
        }
        Target::Seed(name) => vec![Node::Seed(name.clone())],
        Target::Model(name) => vec![Node::Model(name.clone())],
        Target::Entity(entity) => manifest
            .models_of_entity(entity)
            .map(|parsed| Node::Model(parsed.name().to_owned()))
            .collect(),
        Target::Previous(_) => vec![],
    }
}

/// Why a model must not read `target`, if it must not.
fn refused(manifest: &Manifest, parsed: &ParsedModel, target: &Target) -> Option<Problem> {
    let layer = parsed.layer();
    let (read, name) = match target {
        Target::Source { .. } => return None,
        Target::Seed(name) => (Layer::Seeds, name),
        Target::Entity(name) => (Layer::Silver, name),
        Target::Model(name) | Target::Previous(name) => (manifest.models.get(name)?.layer(), name),
    };
    let model = &parsed.model;
    let place = || Place::of_word(&model.path, &model.raw_sql, name);
    if layer == Layer::Silver {
        let what = format!("silver model `{}` reads `{name}`", model.name);
        return Some(
            Problem::new(what)
                .at(place())
                .why("a silver model reads `source(…)` alone: one raw row in, its rows out")
                .hint("join and look up in a later layer, over `entity(…)`"),
        );
    }
    (read > layer).then(|| {
        let what = format!(
            "`{}` of the layer `{layer}` reads `{name}` of the layer `{read}`",
            model.name
        );
        Problem::new(what)
            .at(place())
            .why("data flows one way: silver, identity, star, marts")
            .hint(format!(
                "move `{}` to `{read}` or later, or read a lower model",
                model.name
            ))
    })
}

fn facts(manifest: &Manifest) -> BTreeMap<Node, Facts> {
    let mut all = BTreeMap::new();
    let plain = |layer: Layer, path: &str| Facts {
        layer,
        path: path.to_owned(),
        tags: vec![],
        entity: None,
        materialized: String::new(),
    };
    for stream in manifest.project.streams() {
        let node = Node::Source {
            source: stream.source,
            stream: stream.name,
        };
        all.insert(node, plain(Layer::Raw, ""));
    }
    for seed in manifest.project.seeds.values() {
        all.insert(
            Node::Seed(seed.name.clone()),
            plain(Layer::Seeds, &seed.path),
        );
    }
    for parsed in manifest.models.values() {
        let materialized = serde_json::to_value(parsed.config.materialized).unwrap_or_default();
        let facts = Facts {
            tags: parsed.config.tags.clone(),
            entity: parsed.config.entity.clone(),
            materialized: materialized.as_str().unwrap_or_default().to_owned(),
            ..plain(parsed.layer(), &parsed.model.path)
        };
        all.insert(Node::Model(parsed.name().to_owned()), facts);
    }
    all
}
