//! The waterfall: from our figure to theirs, one change of definition at a time, in a fixed order.
//!
//! A figure is a sum of atoms. An atom says on which day it counts under each definition, and
//! which of the two sides counts it at all. So every step is a sum of its own, and what the steps
//! and the unexplained rest add up to is the gap, exactly.

use std::collections::BTreeMap;

use super::amount::Amount;

/// Why two figures differ. The order is the order of the steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Cause {
    /// What arrived, or was restated, after their export was made; or is not loaded yet.
    Late,
    /// Events of robots.
    Bots,
    /// What was measured, or sold, without the consent that the other side needs.
    Consent,
    /// What is recorded several times and counted once.
    Duplicates,
    /// Test orders.
    Tests,
    /// Cancelled orders.
    Cancelled,
    /// Sales that only a CRM or a billing system records.
    Systems,
    /// Attribution: model and window.
    Model,
    /// The day's zone.
    Zone,
    /// Refunds on the order's day instead of their own.
    RefundDate,
    /// Conversions on the click's day instead of their own.
    ClickDate,
    /// Rows that the other side withholds because they are small.
    Thresholds,
}

impl Cause {
    /// All, in the order of the steps.
    pub(super) const ALL: [Self; 12] = [
        Self::Late,
        Self::Bots,
        Self::Consent,
        Self::Duplicates,
        Self::Tests,
        Self::Cancelled,
        Self::Systems,
        Self::Model,
        Self::Zone,
        Self::RefundDate,
        Self::ClickDate,
        Self::Thresholds,
    ];

    /// Its name for programs.
    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::Late => "late_data",
            Self::Bots => "bots",
            Self::Consent => "consent",
            Self::Duplicates => "deduplication",
            Self::Tests => "test_orders",
            Self::Cancelled => "cancelled_orders",
            Self::Systems => "other_systems",
            Self::Model => "model",
            Self::Zone => "zone",
            Self::RefundDate => "refund_date",
            Self::ClickDate => "click_date",
            Self::Thresholds => "thresholds",
        }
    }

    /// Its name for people.
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Late => "late data",
            Self::Bots => "bots",
            Self::Consent => "consent",
            Self::Duplicates => "de-duplication",
            Self::Tests => "test orders",
            Self::Cancelled => "cancelled orders",
            Self::Systems => "other systems",
            Self::Model => "model",
            Self::Zone => "zone",
            Self::RefundDate => "refund date",
            Self::ClickDate => "click date",
            Self::Thresholds => "thresholds",
        }
    }

    /// The word that the queries use for who counts what.
    pub(super) const fn side(self) -> &'static str {
        match self {
            Self::Late => "late",
            Self::Bots => "bots",
            Self::Consent => "consent",
            Self::Duplicates => "duplicates",
            Self::Tests => "tests",
            Self::Cancelled => "cancelled",
            Self::Systems => "systems",
            Self::Model => "model",
            Self::Zone | Self::RefundDate | Self::ClickDate | Self::Thresholds => "",
        }
    }
}

/// Who counts an atom, as far as one cause goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// We do, they do not.
    Ours,
    /// They do, we do not.
    Theirs,
}

/// A day, as days since the year 1.
pub(super) type Day = i32;

/// A part of a figure that counts, or does not, as a whole.
#[derive(Debug, Clone)]
pub(super) struct Atom {
    /// Index of its measure and of what its row is about (a campaign, a channel).
    pub(super) measure: usize,
    pub(super) key: usize,
    /// Its day by our definition, in their zone, and in their zone by their date; none where it
    /// does not count.
    pub(super) days: [Option<Day>; 3],
    /// When this was believed (microseconds since 1970); none for ever.
    pub(super) known: Option<(i64, Option<i64>)>,
    /// Who counts it, where both do not.
    pub(super) sides: Vec<(Cause, Side)>,
    pub(super) amount: Amount,
}

/// How the other side counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Definition {
    /// Causes in which they count otherwise than we do.
    pub(super) switched: Vec<Cause>,
    /// When their export was made (microseconds since 1970); none for now.
    pub(super) as_of: Option<i64>,
}

/// What a row of the comparison is about: measure, key, day.
pub(super) type RowId = (usize, usize, Day);

/// Figures of a row.
#[derive(Debug, Clone, Default)]
pub(super) struct Row {
    /// Theirs; none if their export has no such row.
    pub(super) theirs: Option<Amount>,
    pub(super) ours: Amount,
    /// What each cause adds to ours on the way to theirs.
    pub(super) parts: BTreeMap<Cause, Amount>,
}

impl Row {
    pub(super) fn gap(&self) -> Amount {
        self.theirs.unwrap_or_default() - self.ours
    }

    /// What ours would be by their definition, as far as it can be worked out.
    pub(super) fn recomputed(&self) -> Amount {
        self.parts.values().fold(self.ours, |sum, part| sum + *part)
    }

    pub(super) fn unexplained(&self) -> Amount {
        self.theirs.unwrap_or_default() - self.recomputed()
    }

    /// Gives what is left to a cause.
    pub(super) fn explain(&mut self, cause: Cause) {
        let rest = self.unexplained();
        if rest != Amount::default() {
            *self.parts.entry(cause).or_default() += rest;
        }
    }
}

impl Atom {
    /// Its day after the first so many steps; none if it does not count then.
    fn after(&self, steps: usize, definition: &Definition) -> Option<Day> {
        let is_on = |cause: Cause| (cause as usize) < steps && definition.switched.contains(&cause);
        if let Some((from, to)) = self.known {
            let counts = match definition.as_of.filter(|_| is_on(Cause::Late)) {
                Some(at) => from <= at && to.is_none_or(|to| at < to),
                None => to.is_none(),
            };
            if !counts {
                return None;
            }
        }
        let counts = |(cause, side): &(Cause, Side)| match side {
            Side::Ours => !is_on(*cause),
            Side::Theirs => is_on(*cause),
        };
        if !self.sides.iter().all(counts) {
            return None;
        }
        if is_on(Cause::RefundDate) || is_on(Cause::ClickDate) {
            return self.days[2];
        }
        self.days[usize::from(is_on(Cause::Zone))]
    }
}

/// Works the figures of all rows out. `theirs` has their rows; ours are added where they are on a
/// day within the range.
pub(super) fn waterfall(
    atoms: &[Atom],
    theirs: &BTreeMap<RowId, Amount>,
    definition: &Definition,
    range: (Day, Day),
) -> BTreeMap<RowId, Row> {
    let mut rows: BTreeMap<RowId, Row> = BTreeMap::new();
    for (id, amount) in theirs {
        rows.entry(*id).or_default().theirs = Some(*amount);
    }
    let within = |day: Option<Day>| day.filter(|day| (range.0..=range.1).contains(day));
    for atom in atoms {
        let mut before = atom.after(0, definition);
        if let Some(day) = within(before) {
            rows.entry((atom.measure, atom.key, day)).or_default().ours += atom.amount;
        }
        for cause in Cause::ALL {
            if !definition.switched.contains(&cause) {
                continue;
            }
            let now = atom.after(cause as usize + 1, definition);
            if now != before {
                for (day, amount) in [(before, -atom.amount), (now, atom.amount)] {
                    if let Some(day) = within(day) {
                        let row = rows.entry((atom.measure, atom.key, day)).or_default();
                        *row.parts.entry(cause).or_default() += amount;
                    }
                }
                before = now;
            }
        }
    }
    for row in rows.values_mut() {
        row.parts.retain(|_, part| *part != Amount::default());
    }
    // What neither side has in the end was only passing through.
    rows.retain(|_, row| {
        row.theirs.is_some() || row.ours != Amount::default() || !row.parts.is_empty()
    });
    rows
}

/// What a definition leaves unexplained, in millionths of what is compared, over all measures.
pub(super) fn rest(rows: &BTreeMap<RowId, Row>) -> i128 {
    let mut sums: BTreeMap<usize, (i128, i128)> = BTreeMap::new();
    for ((measure, ..), row) in rows {
        let sum = sums.entry(*measure).or_default();
        sum.0 += row.unexplained().magnitude();
        sum.1 += row.theirs.unwrap_or_default().magnitude();
    }
    sums.values()
        .map(|(rest, all)| rest.saturating_mul(1_000_000) / (*all).max(1))
        .fold(0, i128::saturating_add)
}
