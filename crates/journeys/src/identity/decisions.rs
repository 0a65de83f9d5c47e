//! What people decided about identifiers, against or beyond the evidence.
//!
//! Of two decisions about the same pair (or the same identifier) the later one counts; at the same
//! instant the more careful one. So decisions may come in any order.

use std::collections::BTreeMap;

/// What was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// Two identifiers are one customer.
    Merge,
    /// Two identifiers are two customers.
    Unmerge,
    /// An identifier may be evidence again.
    Unblock,
    /// An identifier is no evidence.
    Block,
    /// What was seen of an identifier before is never to be joined again.
    Erase,
}

impl Action {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Merge,
        Self::Unmerge,
        Self::Unblock,
        Self::Block,
        Self::Erase,
    ];

    /// Its name in tables and files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Merge => "merge",
            Self::Unmerge => "unmerge",
            Self::Unblock => "unblock",
            Self::Block => "block",
            Self::Erase => "erase",
        }
    }

    /// The action of that name; None for any other text.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == name)
    }

    /// It is about two identifiers.
    pub fn is_of_pair(self) -> bool {
        matches!(self, Self::Merge | Self::Unmerge)
    }
}

/// The decisions that hold.
#[derive(Debug, Clone, Default)]
pub(super) struct Decisions {
    /// By pair, the smaller key first: when, and what.
    pairs: BTreeMap<(i64, i64), (i64, Action)>,
    /// By identifier: when, and whether it is blocked.
    blocks: BTreeMap<i64, (i64, Action)>,
    /// By identifier: the last erasure.
    erasures: BTreeMap<i64, i64>,
}

impl Decisions {
    /// Takes a decision. One about a pair without a second identifier says nothing.
    pub(super) fn add(&mut self, action: Action, a_key: i64, b_key: Option<i64>, at_us: i64) {
        match (action, b_key) {
            (Action::Merge | Action::Unmerge, Some(b_key)) => {
                if a_key != b_key {
                    let pair = (a_key.min(b_key), a_key.max(b_key));
                    let held = self.pairs.entry(pair).or_insert((at_us, action));
                    *held = (*held).max((at_us, action));
                }
            }
            (Action::Block | Action::Unblock, _) => {
                let held = self.blocks.entry(a_key).or_insert((at_us, action));
                *held = (*held).max((at_us, action));
            }
            (Action::Erase, _) => {
                let held = self.erasures.entry(a_key).or_insert(at_us);
                *held = (*held).max(at_us);
            }
            (Action::Merge | Action::Unmerge, None) => {}
        }
    }

    /// The pairs of that action, with the time.
    pub(super) fn pairs(&self, wanted: Action) -> impl Iterator<Item = (i64, i64, i64)> + '_ {
        let pairs = self.pairs.iter();
        pairs
            .filter(move |(_, (_, action))| *action == wanted)
            .map(|((a, b), (at_us, _))| (*a, *b, *at_us))
    }

    /// The identifiers that are no evidence.
    pub(super) fn blocked(&self) -> impl Iterator<Item = i64> + '_ {
        let blocks = self.blocks.iter();
        blocks
            .filter(|(_, (_, action))| *action == Action::Block)
            .map(|(key, _)| *key)
    }

    /// The erased identifiers, with the time.
    pub(super) fn erasures(&self) -> impl Iterator<Item = (i64, i64)> + '_ {
        self.erasures.iter().map(|(key, at_us)| (*key, *at_us))
    }
}
