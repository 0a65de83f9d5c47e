//! The chain solved: how likely a walk converts, and what it is worth, with and without each
//! channel.
//!
//! Small chains are solved by elimination of one state after the other. No subtraction takes part,
//! so nothing cancels and the result is exact to rounding. Large sparse ones are swept until what
//! is still on its way is less than [`REST_MAX`] of the result: that rest is a bound of the error,
//! not an estimate. Both give the same on every chain.

use super::chain::Chain;

/// Of the probability of a conversion, what sweeps may leave undecided.
pub(super) const REST_MAX: f64 = 1e-13;

/// Multiplications up to which all eliminations together are cheap.
const ELIMINATION_COST_MAX: f64 = 2e8;

/// Sweeps after which a chain of up to [`ELIMINATION_STATES_MAX`] states is eliminated instead.
const SWEEPS_BEFORE_ELIMINATION: usize = 2_000;

/// Sweeps after which a chain is given up; its bound says how far it came.
const SWEEPS_MAX: usize = 200_000;

/// States up to which a dense matrix is kept.
const ELIMINATION_STATES_MAX: usize = 3_000;

/// Channels whose removal is solved in one go.
const WIDTH: usize = 8;

/// What a walk is expected to bring.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Outcome {
    /// Probability of a conversion.
    pub(super) conversion: f64,
    /// Expected value, 10^-6.
    pub(super) value: f64,
}

/// What came of all solves of one chain.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Solution {
    /// With all channels.
    pub(super) whole: Outcome,
    /// Without each channel, in the order asked for.
    pub(super) without: Vec<Outcome>,
    /// No probability is further than this from the exact one; 0 where all were eliminated.
    pub(super) rest: f64,
}

/// The chain as probabilities.
pub(super) struct System {
    starts: Vec<f64>,
    /// Place in `next` where the transitions of a state begin; one more for the end.
    begin: Vec<usize>,
    next: Vec<(u32, f64)>,
    conversion: Vec<f64>,
    null: Vec<f64>,
    /// Expected value upon ending in the state times the probability of it.
    value: Vec<f64>,
    /// Largest mean value of a state, either sign.
    value_max: f64,
    /// Places of each state's channels in the list of channels, each once.
    held: Vec<Vec<u32>>,
    channels: usize,
}

impl System {
    /// Of a chain and the channels, ascending.
    pub(super) fn new(chain: &Chain, channels: &[u32]) -> Self {
        let walks = chain.walks() as f64;
        let count = chain.states().len();
        let mut system = Self {
            starts: Vec::with_capacity(count),
            begin: vec![0],
            next: Vec::new(),
            conversion: Vec::with_capacity(count),
            null: Vec::with_capacity(count),
            value: Vec::with_capacity(count),
            value_max: 0.0,
            held: Vec::with_capacity(count),
            channels: channels.len(),
        };
        for (state, counts) in chain.states().iter().zip(&chain.counts) {
            let leaving = counts.leaving() as f64;
            system.starts.push(counts.starts as f64 / walks);
            let next = counts.next.iter();
            system
                .next
                .extend(next.map(|&(to, count)| (to, count as f64 / leaving)));
            system.begin.push(system.next.len());
            system.conversion.push(counts.conversions as f64 / leaving);
            system.null.push(counts.nulls as f64 / leaving);
            // Mean value of a conversion here, times its probability: the conversions cancel.
            system.value.push(counts.value as f64 / leaving);
            if counts.conversions > 0 {
                let mean = counts.value as f64 / counts.conversions as f64;
                system.value_max = system.value_max.max(mean.abs());
            }
            let mut held: Vec<u32> = state
                .iter()
                .filter_map(|channel| channels.binary_search(channel).ok())
                .map(|place| place as u32)
                .collect();
            held.sort_unstable();
            held.dedup();
            system.held.push(held);
        }
        system
    }

    fn states(&self) -> usize {
        self.starts.len()
    }

    fn next(&self, state: usize) -> &[(u32, f64)] {
        &self.next[self.begin[state]..self.begin[state + 1]]
    }

    /// With all channels and without each.
    pub(super) fn solve(&self) -> Solution {
        let cost = (self.states() as f64).powi(3) / 3.0 * (self.channels + 1) as f64;
        if cost <= ELIMINATION_COST_MAX {
            return self.eliminate();
        }
        let is_small = self.states() <= ELIMINATION_STATES_MAX;
        let sweeps_max = if is_small {
            SWEEPS_BEFORE_ELIMINATION
        } else {
            SWEEPS_MAX
        };
        match self.sweep(sweeps_max) {
            (solution, true) => solution,
            (_, false) if is_small => self.eliminate(),
            (solution, false) => solution,
        }
    }

    /// One elimination for each channel, and one with all of them.
    pub(super) fn eliminate(&self) -> Solution {
        let channels = 0..self.channels as u32;
        Solution {
            whole: self.eliminated(None),
            without: channels
                .map(|removed| self.eliminated(Some(removed)))
                .collect(),
            rest: 0.0,
        }
    }

    /// The states left in, in the order in which they are eliminated: those with few neighbours
    /// first, as each one joins its neighbours with each other.
    fn kept(&self, removed: Option<u32>) -> Vec<usize> {
        let is_kept = |state: &usize| removed.is_none_or(|gone| !self.held[*state].contains(&gone));
        let mut entering = vec![0_usize; self.states()];
        for (to, _) in &self.next {
            entering[*to as usize] += 1;
        }
        let mut kept: Vec<usize> = (0..self.states()).filter(is_kept).collect();
        kept.sort_by_key(|&state| (entering[state] * self.next(state).len(), state));
        kept
    }

    fn eliminated(&self, removed: Option<u32>) -> Outcome {
        let kept = self.kept(removed);
        let mut matrix = Elimination::new(self, &kept);
        for state in 0..kept.len() {
            matrix.eliminate(state);
        }
        let start = matrix.row(kept.len());
        Outcome {
            conversion: start[kept.len()],
            value: start[kept.len() + 2],
        }
    }

    /// Sweeps until the rest is small enough or the sweeps are used up, and whether it is.
    pub(super) fn sweep(&self, sweeps_max: usize) -> (Solution, bool) {
        let order = self.backwards();
        let mut solution = Solution {
            whole: Outcome::default(),
            without: Vec::with_capacity(self.channels),
            rest: 0.0,
        };
        // The last column of a block of WIDTH has nothing removed: it is solved with each block.
        let mut is_done = true;
        let mut first = 0;
        loop {
            let width = WIDTH.min(self.channels - first);
            let mut sweeps = Sweeps::new(self, first as u32);
            let mut left = sweeps_max;
            let mut done = false;
            while !done && left > 0 {
                sweeps.sweep(&order);
                left -= 1;
                done = sweeps.is_done();
            }
            is_done &= done;
            let result = sweeps.results();
            solution.whole = result[WIDTH];
            solution.without.extend_from_slice(&result[..width]);
            solution.rest = solution.rest.max(sweeps.rest());
            first += width;
            if first >= self.channels || !is_done {
                return (solution, is_done);
            }
        }
    }

    /// The states so that what follows a state mostly comes before it: along a way without a loop
    /// one sweep is enough.
    fn backwards(&self) -> Vec<u32> {
        let mut seen = vec![false; self.states()];
        let mut order = Vec::with_capacity(self.states());
        let mut stack: Vec<(usize, usize)> = Vec::new();
        for root in 0..self.states() {
            if self.starts[root] == 0.0 || std::mem::replace(&mut seen[root], true) {
                continue;
            }
            stack.push((root, self.begin[root]));
            while let Some((state, at)) = stack.pop() {
                if at == self.begin[state + 1] {
                    order.push(state as u32);
                    continue;
                }
                stack.push((state, at + 1));
                let next = self.next[at].0 as usize;
                if !std::mem::replace(&mut seen[next], true) {
                    stack.push((next, self.begin[next]));
                }
            }
        }
        order
    }
}

/// Rows of the states left in and of the start: to each state, to conversion, to elsewhere, value.
struct Elimination {
    states: usize,
    width: usize,
    cells: Vec<f64>,
}

impl Elimination {
    fn new(system: &System, kept: &[usize]) -> Self {
        let states = kept.len();
        let width = states + 3;
        let mut place = vec![usize::MAX; system.states()];
        for (at, &state) in kept.iter().enumerate() {
            place[state] = at;
        }
        let mut cells = vec![0.0; width * (states + 1)];
        for (row, &state) in cells.chunks_mut(width).zip(kept) {
            let mut elsewhere = system.null[state];
            for &(to, probability) in system.next(state) {
                match place[to as usize] {
                    usize::MAX => elsewhere += probability,
                    to => row[to] = probability,
                }
            }
            row[states] = system.conversion[state];
            row[states + 1] = elsewhere;
            row[states + 2] = system.value[state];
        }
        for (state, &probability) in system.starts.iter().enumerate() {
            let to = place[state];
            let to = if to == usize::MAX { states + 1 } else { to };
            cells[width * states + to] += probability;
        }
        Self {
            states,
            width,
            cells,
        }
    }

    fn row(&self, row: usize) -> &[f64] {
        &self.cells[row * self.width..(row + 1) * self.width]
    }

    /// Leads what comes to the state on to what follows it.
    fn eliminate(&mut self, state: usize) {
        let (before, after) = self.cells.split_at_mut((state + 1) * self.width);
        let row = &before[state * self.width..];
        let (later, value) = row[state + 1..].split_at(self.width - state - 2);
        // What leaves it, by itself: 1 minus what stays would cancel.
        let leaves: f64 = later.iter().sum();
        if leaves <= 0.0 {
            return;
        }
        for other in after.chunks_mut(self.width) {
            let share = other[state] / leaves;
            if share == 0.0 {
                continue;
            }
            for (to, &add) in other[state + 1..].iter_mut().zip(later.iter().chain(value)) {
                *to += share * add;
            }
        }
        debug_assert!(state < self.states, "the start is not eliminated");
    }
}

/// One column for each channel of a block, and one with nothing removed.
const COLUMNS: usize = WIDTH + 1;

/// Expected outcomes from each state, from below, and how much of a walk is still on its way.
struct Sweeps<'a> {
    system: &'a System,
    first: u32,
    conversion: Vec<[f64; COLUMNS]>,
    value: Vec<[f64; COLUMNS]>,
    moving: Vec<f64>,
}

impl<'a> Sweeps<'a> {
    fn new(system: &'a System, first: u32) -> Self {
        let states = system.states();
        let values = if system.value_max > 0.0 { states } else { 0 };
        Self {
            system,
            first,
            conversion: vec![[0.0; COLUMNS]; states],
            value: vec![[0.0; COLUMNS]; values],
            moving: vec![1.0; states],
        }
    }

    fn sweep(&mut self, order: &[u32]) {
        let system = self.system;
        let has_values = !self.value.is_empty();
        for &state in order {
            let state = state as usize;
            let mut conversion = [system.conversion[state]; COLUMNS];
            let mut value = [system.value[state]; COLUMNS];
            let mut moving = 0.0;
            for &(to, probability) in system.next(state) {
                let to = to as usize;
                moving += probability * self.moving[to];
                for (sum, next) in conversion.iter_mut().zip(&self.conversion[to]) {
                    *sum += probability * next;
                }
                if has_values {
                    for (sum, next) in value.iter_mut().zip(&self.value[to]) {
                        *sum += probability * next;
                    }
                }
            }
            for held in &system.held[state] {
                let column = held.wrapping_sub(self.first) as usize;
                if column < WIDTH {
                    conversion[column] = 0.0;
                    value[column] = 0.0;
                }
            }
            self.conversion[state] = conversion;
            if has_values {
                self.value[state] = value;
            }
            self.moving[state] = moving;
        }
    }

    /// What the start expects of each state.
    fn at_start(&self, of: impl Fn(usize) -> f64) -> f64 {
        let starts = self.system.starts.iter().enumerate();
        let from = starts.filter(|(_, share)| **share > 0.0);
        from.map(|(state, share)| share * of(state)).sum()
    }

    /// No probability misses more than this: all of it would have to convert.
    fn rest(&self) -> f64 {
        self.at_start(|state| self.moving[state])
    }

    fn is_done(&self) -> bool {
        let rest = self.rest();
        if rest == 0.0 {
            return true;
        }
        let conversion = self.at_start(|state| self.conversion[state][WIDTH]);
        if rest > REST_MAX * conversion {
            return false;
        }
        if self.value.is_empty() {
            return true;
        }
        let value = self.at_start(|state| self.value[state][WIDTH]).abs();
        // Where refunds leave next to nothing the money decides nothing either.
        rest * self.system.value_max <= REST_MAX * value.max(1.0)
    }

    fn results(&self) -> [Outcome; COLUMNS] {
        std::array::from_fn(|column| Outcome {
            conversion: self.at_start(|state| self.conversion[state][column]),
            value: if self.value.is_empty() {
                0.0
            } else {
                self.at_start(|state| self.value[state][column])
            },
        })
    }
}
