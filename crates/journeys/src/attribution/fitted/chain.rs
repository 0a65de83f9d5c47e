//! From paths to a Markov chain of order k: its states and the counts of its transitions.
//!
//! A state is a run of k touches; a path shorter than that is one state. The states before and
//! after (start, conversion, no conversion) are of another type, so that a channel may have any
//! name. Equal states in a row are one: they change no removal effect.

use std::collections::HashMap;

use super::paths::{GroupedPath, GroupedPaths};

/// Where a transition leads to, or from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Node {
    /// Before the first touch.
    Start,
    /// A run of touches, by its place in [`Chain::states`].
    State(u32),
    /// The path ended in a conversion.
    Conversion,
    /// The path ended without one.
    Null,
}

/// How often one state followed another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Transition {
    /// Where from.
    pub from: Node,
    /// Where to.
    pub to: Node,
    /// How often.
    pub count: u64,
    /// As a share of all transitions from there.
    pub probability: f64,
}

/// What is known of one state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct StateCounts {
    /// Paths that begin in it.
    pub(super) starts: u64,
    /// Conversions of paths that end in it.
    pub(super) conversions: u64,
    /// Paths that end in it without a conversion.
    pub(super) nulls: u64,
    /// Value of those conversions, 10^-6.
    pub(super) value: i128,
    /// States that follow, with how often, ascending.
    pub(super) next: Vec<(u32, u64)>,
    /// How often it followed itself; left out of the chain.
    pub(super) repeats: u64,
}

impl StateCounts {
    /// Transitions that leave it, to whatever end.
    pub(super) fn leaving(&self) -> u64 {
        let next: u64 = self.next.iter().map(|(_, count)| count).sum();
        next + self.conversions + self.nulls
    }
}

/// A Markov chain of order k as counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    order: usize,
    states: Vec<Box<[u32]>>,
    pub(super) counts: Vec<StateCounts>,
    walks: u64,
}

impl Chain {
    /// Of that order, at least 1.
    pub fn new(paths: &GroupedPaths, order: usize) -> Self {
        let mut builder = Builder {
            order: order.max(1),
            ..Builder::default()
        };
        for path in paths.paths() {
            builder.path(path);
        }
        builder.finish(paths.conversions() + paths.nulls())
    }

    /// Its order.
    pub fn order(&self) -> usize {
        self.order
    }

    /// The runs of touches that are its states.
    pub fn states(&self) -> &[Box<[u32]>] {
        &self.states
    }

    /// Walks of all paths.
    pub fn walks(&self) -> u64 {
        self.walks
    }

    /// All transitions, sorted.
    pub fn transitions(&self) -> Vec<Transition> {
        let mut all = Vec::new();
        for (state, counts) in self.counts.iter().enumerate() {
            let from = Node::State(state as u32);
            let leaving = counts.leaving();
            let mut add = |from: Node, to: Node, count: u64, of: u64| {
                if count > 0 {
                    all.push(Transition {
                        from,
                        to,
                        count,
                        probability: count as f64 / of as f64,
                    });
                }
            };
            add(Node::Start, from, counts.starts, self.walks);
            for &(next, count) in &counts.next {
                add(from, Node::State(next), count, leaving);
            }
            add(from, Node::Conversion, counts.conversions, leaving);
            add(from, Node::Null, counts.nulls, leaving);
        }
        all.sort_unstable_by_key(|transition| (transition.from, transition.to));
        all
    }

    /// Logarithm of the probability of all paths under this chain, and the number of its free
    /// parameters. Repeats count here, so that chains of other orders explain the same touches.
    pub fn likelihood(&self) -> (f64, u64) {
        let mut sum = Sum::default();
        let mut parameters = 0_u64;
        let mut row = |counts: &mut dyn Iterator<Item = u64>, total: u64| {
            let mut targets = 0_u64;
            for count in counts.filter(|count| *count > 0) {
                sum.add(count as f64 * (count as f64 / total as f64).ln());
                targets += 1;
            }
            parameters += targets.saturating_sub(1);
        };
        row(
            &mut self.counts.iter().map(|counts| counts.starts),
            self.walks,
        );
        for counts in &self.counts {
            let ends = [counts.conversions, counts.nulls, counts.repeats];
            let total = counts.leaving() + counts.repeats;
            let next = counts.next.iter().map(|(_, count)| *count);
            row(&mut next.chain(ends), total);
        }
        (sum.total(), parameters)
    }
}

/// A sum whose rounding errors are carried along.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sum {
    sum: f64,
    lost: f64,
}

impl Sum {
    pub(super) fn add(&mut self, value: f64) {
        let next = self.sum + value;
        self.lost += if self.sum.abs() >= value.abs() {
            (self.sum - next) + value
        } else {
            (value - next) + self.sum
        };
        self.sum = next;
    }

    pub(super) fn total(self) -> f64 {
        self.sum + self.lost
    }
}

/// What follows a state when the next touch has that channel.
struct Edge {
    channel: u32,
    to: u32,
    count: u64,
}

#[derive(Default)]
struct Builder {
    order: usize,
    numbers: HashMap<Box<[u32]>, u32>,
    states: Vec<Box<[u32]>>,
    counts: Vec<StateCounts>,
    /// By state, sorted by channel: a state and the next channel say what the next state is.
    edges: Vec<Vec<Edge>>,
}

impl Builder {
    fn path(&mut self, path: &GroupedPath) {
        let walks = path.conversions + path.nulls;
        let length = self.order.min(path.channels.len());
        let Some(first) = path.channels.get(..length) else {
            return;
        };
        let mut state = self.state(first);
        self.counts[state as usize].starts += walks;
        for run in path.channels.windows(length).skip(1) {
            state = self.follow(state, run, walks);
        }
        let counts = &mut self.counts[state as usize];
        counts.conversions += path.conversions;
        counts.nulls += path.nulls;
        counts.value += path.value;
    }

    /// Counts the step to that run of touches, and gives its state.
    fn follow(&mut self, state: u32, run: &[u32], walks: u64) -> u32 {
        let channel = run[run.len() - 1];
        let edges = &mut self.edges[state as usize];
        match edges.binary_search_by_key(&channel, |edge| edge.channel) {
            Ok(place) => {
                edges[place].count += walks;
                edges[place].to
            }
            Err(place) => {
                let to = self.state(run);
                let edge = Edge {
                    channel,
                    to,
                    count: walks,
                };
                self.edges[state as usize].insert(place, edge);
                to
            }
        }
    }

    fn state(&mut self, run: &[u32]) -> u32 {
        if let Some(&known) = self.numbers.get(run) {
            return known;
        }
        let number = self.states.len() as u32;
        self.numbers.insert(run.into(), number);
        self.states.push(run.into());
        self.counts.push(StateCounts::default());
        self.edges.push(Vec::new());
        number
    }

    fn finish(mut self, walks: u64) -> Chain {
        for (from, edges) in self.edges.into_iter().enumerate() {
            let counts = &mut self.counts[from];
            for edge in edges {
                if edge.to as usize == from {
                    counts.repeats += edge.count;
                } else {
                    counts.next.push((edge.to, edge.count));
                }
            }
            counts.next.sort_unstable();
        }
        Chain {
            order: self.order,
            states: self.states,
            counts: self.counts,
            walks,
        }
    }
}
