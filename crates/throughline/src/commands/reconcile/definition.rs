//! How the other side counts: as was said, as its figures show, or as is usual for its kind.

use std::collections::BTreeMap;

use anyhow::bail;

use super::amount::Amount;
use super::waterfall::{Atom, Cause, Day, Definition, RowId, Side, rest, waterfall};
use super::words::Subject;

/// What can be said with `--their`: name, cause, our word, their word.
const WORDS: [(&str, Cause, &str, &str); 8] = [
    ("bots", Cause::Bots, "left-out", "counted"),
    ("consent", Cause::Consent, "counted", "left-out"),
    ("duplicates", Cause::Duplicates, "once", "counted"),
    ("tests", Cause::Tests, "left-out", "counted"),
    ("cancelled", Cause::Cancelled, "left-out", "counted"),
    ("refunds", Cause::RefundDate, "own-date", "order-date"),
    ("conversions", Cause::ClickDate, "own-date", "click-date"),
    ("direct", Cause::Model, "direct", "last-source"),
];

/// How one thing came to be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    Said,
    Recognised,
    Usual,
}

impl How {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Said => "said",
            Self::Recognised => "recognised",
            Self::Usual => "usual",
        }
    }
}

/// One thing that is known of how they count.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) name: &'static str,
    pub(super) value: String,
    pub(super) how: How,
}

/// What `--their name=value` says.
///
/// # Errors
/// The name or the value is none of those there are.
pub(super) fn said(texts: &[String]) -> anyhow::Result<BTreeMap<Cause, bool>> {
    let mut said = BTreeMap::new();
    for text in texts {
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        let known = WORDS.iter().find(|(known, ..)| *known == name.trim());
        match known {
            Some((_, cause, ours, _)) if *ours == value.trim() => said.insert(*cause, false),
            Some((_, cause, _, theirs)) if *theirs == value.trim() => said.insert(*cause, true),
            _ => {
                let all: Vec<String> = WORDS
                    .iter()
                    .map(|(name, _, ours, theirs)| format!("{name}={ours} or {theirs}"))
                    .collect();
                bail!(
                    "`--their {text}` is not understood\nhint: {}",
                    all.join(", ")
                );
            }
        };
    }
    Ok(said)
}

/// Whether the other side usually counts otherwise than we do.
fn usual(subject: Subject, cause: Cause) -> bool {
    match (subject, cause) {
        // What GA4 hands out it has counted, robots that we recognise among it. What it received
        // without consent is handed out too, and not counted.
        (
            Subject::Web,
            Cause::Bots | Cause::Consent | Cause::Tests | Cause::Cancelled | Cause::Model,
        ) => true,
        (Subject::Shop, Cause::Duplicates | Cause::Cancelled) => true,
        (Subject::Ads, Cause::ClickDate) => true,
        _ => false,
    }
}

/// Whether the atoms would differ by a cause at all.
fn matters(atoms: &[Atom], cause: Cause) -> bool {
    atoms.iter().any(|atom| match cause {
        Cause::RefundDate | Cause::ClickDate => atom.days[1] != atom.days[2],
        _ => atom.sides.iter().any(|(of, _)| *of == cause),
    })
}

/// The two data sets that are compared.
pub(super) struct Compared<'a> {
    pub(super) subject: Subject,
    pub(super) atoms: &'a [Atom],
    pub(super) theirs: &'a BTreeMap<RowId, Amount>,
    pub(super) range: (Day, Day),
    /// Whether rows are told apart by more than the day.
    pub(super) is_split: bool,
}

impl Compared<'_> {
    fn rest(&self, definition: &Definition) -> i128 {
        let rows = waterfall(self.atoms, self.theirs, definition, self.range);
        rest(&rows)
    }

    /// What date of theirs a subject has.
    fn is_askable(&self, cause: Cause) -> bool {
        match cause {
            Cause::RefundDate => self.subject == Subject::Shop,
            Cause::ClickDate => self.subject == Subject::Ads,
            Cause::Model => self.subject == Subject::Web && self.is_split,
            _ => true,
        }
    }

    /// The definition under which the least remains unexplained. What was said stays, `fixed` is
    /// always so; of equals the usual one is taken.
    pub(super) fn definition(
        &self,
        said: &BTreeMap<Cause, bool>,
        fixed: Definition,
    ) -> (Definition, Vec<Known>) {
        let asked: Vec<_> = WORDS
            .iter()
            .filter(|(_, cause, ..)| self.is_askable(*cause) && matters(self.atoms, *cause))
            .collect();
        let of = |switches: &[bool]| {
            let mut definition = fixed.clone();
            let on = asked.iter().zip(switches).filter(|(_, on)| **on);
            definition
                .switched
                .extend(on.map(|((_, cause, ..), _)| *cause));
            definition
        };
        let start: Vec<bool> = asked
            .iter()
            .map(|(_, cause, ..)| {
                said.get(cause)
                    .copied()
                    .unwrap_or_else(|| usual(self.subject, *cause))
            })
            .collect();
        let free: Vec<usize> = (0..asked.len())
            .filter(|index| !said.contains_key(&asked[*index].1))
            .collect();
        let mut best = (self.rest(&of(&start)), 0, start.clone());
        for mask in 1..(1u32 << free.len()) {
            let mut switches = start.clone();
            for (bit, index) in free.iter().enumerate() {
                switches[*index] ^= mask & (1 << bit) != 0;
            }
            let changed = mask.count_ones();
            let rest = self.rest(&of(&switches));
            if (rest, changed) < (best.0, best.1) {
                best = (rest, changed, switches);
            }
        }
        let known = asked
            .iter()
            .enumerate()
            .map(|(index, (name, cause, ours, theirs))| Known {
                name,
                value: if best.2[index] { *theirs } else { *ours }.to_owned(),
                how: match said.contains_key(cause) {
                    true => How::Said,
                    false if best.2[index] == start[index] => How::Usual,
                    false => How::Recognised,
                },
            })
            .collect();
        (of(&best.2), known)
    }

    /// The report of ours that their export agrees with best, if that is not the newest and leaves
    /// at most half as much unexplained: when their export was made.
    pub(super) fn when_made(&self) -> Option<i64> {
        // Going through the reports in the order of time, each changes some rows.
        let mut changes: BTreeMap<i64, Vec<(RowId, Amount)>> = BTreeMap::new();
        let mut measures: BTreeMap<usize, (i128, i128)> = BTreeMap::new();
        let mut figures: BTreeMap<RowId, Amount> = BTreeMap::new();
        let within = |day: Day| (self.range.0..=self.range.1).contains(&day);
        for atom in self.atoms {
            let (Some((from, to)), Some(day)) =
                (atom.known, atom.days[0].filter(|day| within(*day)))
            else {
                continue;
            };
            let id = (atom.measure, atom.key, day);
            changes.entry(from).or_default().push((id, atom.amount));
            if let Some(to) = to {
                changes.entry(to).or_default().push((id, -atom.amount));
            }
            measures.entry(atom.measure).or_default();
        }
        for ((measure, ..), theirs) in self.theirs {
            if let Some((rest, all)) = measures.get_mut(measure) {
                *rest += theirs.magnitude();
                *all += theirs.magnitude();
            }
        }
        let mut best: Option<(i128, i64)> = None;
        let mut last = None;
        for (at, changed) in changes {
            for (id, amount) in changed {
                let theirs = self.theirs.get(&id).copied().unwrap_or_default();
                let figure = figures.entry(id).or_default();
                let before = (theirs - *figure).magnitude();
                *figure += amount;
                if let Some((rest, _)) = measures.get_mut(&id.0) {
                    *rest += (theirs - *figure).magnitude() - before;
                }
            }
            let rest = measures
                .values()
                .map(|(rest, all)| rest.saturating_mul(1_000_000) / (*all).max(1))
                .sum();
            // Of equals the latest.
            if best.is_none_or(|(least, _)| rest <= least) {
                best = Some((rest, at));
            }
            last = Some(rest);
        }
        let (least, at) = best?;
        (least <= last? / 2 && Some(least) != last).then_some(at)
    }
}

/// Two states of the warehouse as one: what is only in the newer one is ours alone, what was only
/// in the older one theirs.
pub(super) fn late(now: Vec<Atom>, then: Vec<Atom>) -> Vec<Atom> {
    let marked = |atoms: Vec<Atom>, side: Side| {
        atoms.into_iter().map(move |mut atom| {
            atom.sides.push((Cause::Late, side));
            atom
        })
    };
    marked(now, Side::Ours)
        .chain(marked(then, Side::Theirs))
        .collect()
}
