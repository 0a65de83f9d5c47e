//! What agreement is worth: u from the data as it is, m by expectation maximisation.
//!
//! m is the share of pairs of one person that agree at a level, u that of pairs of two people. u
//! comes from how often values occur and from pairs drawn at random, less the pairs among them that
//! are one person. m is learnt from the pairs of each blocking pass; what a pass blocks on it
//! cannot learn (all its pairs agree), so other passes do, and their answers are averaged by the
//! number of pairs that they found to be one.

use std::collections::HashMap;

use super::ProbableSettings;
use super::blocking::{Rule, each_pair};
use super::field::{Compare, LEVELS, Level};
use super::records::{Column, Pattern, Records, pairs_of};
use super::text::Scratch;

/// Shares by level, [`Level::Different`] first.
pub(super) type Shares = [f64; LEVELS];

/// Pairs drawn at random to learn how alike two strangers are.
const RANDOM_PAIRS: u64 = 100_000;
/// Pairs of a pass that are learnt from.
const TRAINING_PAIRS: f64 = 1_000_000.0;
/// What is believed of m before anything is seen counts as much as so many pairs.
const PRIOR_PAIRS: f64 = 10.0;
/// What is believed of a pass's strangers (that they are like all strangers) likewise.
const PRIOR_STRANGERS: f64 = 100.0;
const ROUNDS: usize = 3;
const PRIOR_STEPS_MAX: usize = 500;
const STEPS_MAX: usize = 25;
const STEP_MIN: f64 = 5e-4;
/// A field of which so many pairs of a pass agree is what the pass blocks on.
const BLOCKED_ON: f64 = 0.97;
/// Believed to be one before anything is seen: without it, no pair at all would be, and none could
/// be told from another.
const HALF_A_PAIR: f64 = 0.5;
/// Shares are never none, and never all.
const SHARE_MIN: f64 = 1e-9;

/// How many pairs there are of each pattern, in its order.
#[derive(Debug)]
struct Counts {
    fields: usize,
    /// By pattern, then by field; [`UNKNOWN`] where one of two does not say.
    levels: Vec<u8>,
    /// By pattern.
    counts: Vec<f64>,
}

const UNKNOWN: usize = LEVELS;

impl Counts {
    fn new(counts: HashMap<Pattern, u64>, fields: usize) -> Self {
        let mut listed: Vec<(Pattern, u64)> = counts.into_iter().collect();
        listed.sort_unstable();
        let level =
            |pattern: Pattern, field| pattern.level(field).map_or(UNKNOWN as u8, |l| l as u8);
        let levels = listed
            .iter()
            .flat_map(|(pattern, _)| (0..fields).map(|field| level(*pattern, field)));
        Self {
            fields,
            levels: levels.collect(),
            counts: listed.iter().map(|(_, count)| *count as f64).collect(),
        }
    }

    fn each(&self) -> impl Iterator<Item = (&[u8], f64)> {
        self.levels
            .chunks_exact(self.fields)
            .zip(self.counts.iter().copied())
    }
}

/// What was learnt.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Weights {
    /// By field.
    pub(super) m: Vec<Shares>,
    /// By field.
    pub(super) u: Vec<Shares>,
    /// Share of pairs that are one, among all pairs.
    pub(super) prior: f64,
}

impl Weights {
    /// What a level of a field is worth, in bits. To agree less is never worth more: where so few
    /// pairs were seen that it would be, it is worth as much.
    pub(super) fn bits(&self, field: usize, level: Level) -> f64 {
        let shares = self.m[field]
            .iter()
            .zip(&self.u[field])
            .skip(level as usize);
        let there = shares.filter(|(m, _)| **m > 0.0);
        there
            .map(|(m, u)| (m / u).log2())
            .fold(f64::INFINITY, f64::min)
    }

    /// The same of all levels, by field.
    pub(super) fn all_bits(&self) -> Vec<[f64; LEVELS]> {
        let fields = 0..self.m.len();
        fields
            .map(|field| Level::ALL.map(|level| self.bits(field, level)))
            .collect()
    }
}

/// What a pattern is worth, in bits, whatever the values.
fn pattern_bits(levels: &[u8], bits: &[[f64; LEVELS]]) -> f64 {
    let levels = levels.iter().zip(bits);
    levels
        .filter_map(|(level, bits)| bits.get(usize::from(*level)))
        .sum()
}

/// Learns from the pairs of the passes.
pub(super) fn train(records: &Records, rules: &[Rule], settings: &ProbableSettings) -> Weights {
    let seen = Seen::new(records, rules, settings);
    let all_pairs = records.pairs(settings.within_source).max(1.0);
    let strangers = Strangers::new(records, settings);
    let mut weights = Weights {
        m: records.columns.iter().map(believed).collect(),
        u: strangers.all.clone(),
        prior: (1.0 / all_pairs).clamp(SHARE_MIN, 0.5),
    };
    for _ in 0..ROUNDS {
        weights.m = m_of_passes(records, rules, &seen, &weights);
        weights.prior = seen.prior(&weights, all_pairs);
        weights.u = strangers.without(&weights);
    }
    weights
}

/// What is believed of m before anything is seen; none for levels that a field does not have.
fn believed(column: &Column) -> Shares {
    match column.compare() {
        Compare::Name => [0.06, 0.06, 0.08, 0.80],
        Compare::Code | Compare::Date => [0.06, 0.04, 0.08, 0.82],
        Compare::Exact if column.sounds.is_some() => [0.10, 0.05, 0.0, 0.85],
        Compare::Exact => [0.15, 0.0, 0.0, 0.85],
    }
}

/// The patterns of the pairs of the passes.
struct Seen {
    /// By pass, of all its pairs, or of a sample of them.
    by_rule: Vec<Counts>,
    /// Of all pairs, each once.
    all: Counts,
}

impl Seen {
    fn new(records: &Records, rules: &[Rule], settings: &ProbableSettings) -> Self {
        let mut scratch = Scratch::default();
        let mut all: HashMap<Pattern, u64> = HashMap::new();
        let mut by_rule = Vec::with_capacity(rules.len());
        for (at, rule) in rules.iter().enumerate() {
            let one_in = (rule.pair_count() / TRAINING_PAIRS).ceil().max(1.0) as u64;
            let mut own: HashMap<Pattern, u64> = HashMap::new();
            each_pair(rules, at, |a, b, is_new| {
                if !records.may_be_one(a, b, settings.within_source) {
                    return;
                }
                let is_sampled =
                    one_in == 1 || mixed(records.keys[a], records.keys[b]).is_multiple_of(one_in);
                if !is_new && !is_sampled {
                    return;
                }
                let pattern = records.pattern(a, b, &mut scratch);
                *all.entry(pattern).or_default() += u64::from(is_new);
                *own.entry(pattern).or_default() += u64::from(is_sampled);
            });
            by_rule.push(Counts::new(own, records.columns.len()));
        }
        Self {
            by_rule,
            all: Counts::new(all, records.columns.len()),
        }
    }

    /// The share of all pairs that are one: the one under which as many are expected as there
    /// are. Pairs that no pass brought together are two people.
    fn prior(&self, weights: &Weights, all_pairs: f64) -> f64 {
        let by_level: Vec<Shares> = weights.all_bits();
        let bits = self.all.each();
        let bits = bits.map(|(levels, count)| (pattern_bits(levels, &by_level), count));
        prior(&bits.collect::<Vec<_>>(), all_pairs)
    }
}

/// A number of a pair that says nothing of it.
fn mixed(a: i64, b: i64) -> u64 {
    // The finaliser of SplitMix64.
    let mut bits = (a as u64).rotate_left(32) ^ (b as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ bits >> 31
}

/// The most likely share of pairs that are one, given what the pairs that were compared are worth
/// in bits and how many there are of each worth.
pub(super) fn prior(bits: &[(f64, f64)], all_pairs: f64) -> f64 {
    let worth: Vec<(f64, f64)> = bits
        .iter()
        .map(|(bits, count)| (bits.exp2(), *count))
        .collect();
    let mut share: f64 = 0.01;
    for _ in 0..PRIOR_STEPS_MAX {
        let expected: f64 = worth
            .iter()
            .map(|(worth, count)| count * probability(*worth, share))
            .sum();
        let next = ((expected + HALF_A_PAIR) / (all_pairs + 1.0)).min(0.5);
        let is_settled = (next - share).abs() <= share * 1e-6;
        share = next;
        if is_settled {
            break;
        }
    }
    share
}

/// The probability that a pair is one, if agreement is worth so many times what it is for two.
fn probability(worth: f64, prior: f64) -> f64 {
    let one = worth * prior;
    if one.is_infinite() {
        return 1.0;
    }
    one / (one + 1.0 - prior)
}

/// How alike any two records are.
struct Strangers {
    /// By field.
    all: Vec<Shares>,
    /// The least that can be said of a share, by field.
    least: Vec<f64>,
    levels: Vec<[bool; LEVELS]>,
}

impl Strangers {
    fn new(records: &Records, settings: &ProbableSettings) -> Self {
        let sampled = sample(records, settings);
        let mut strangers = Self {
            all: Vec::new(),
            least: Vec::new(),
            levels: Vec::new(),
        };
        for (column, seen) in records.columns.iter().zip(sampled) {
            let pairs = pairs_of(column.present());
            // How often values occur says exactly how often two records agree.
            let counts = column.counts[1..].iter();
            let equal: f64 = counts.map(|count| pairs_of(u64::from(*count))).sum();
            let exact = (equal + 0.5) / (pairs + 1.0);
            let levels = believed(column).map(|share| share > 0.0);
            let others = &levels[..LEVELS - 1];
            let others = others.iter().filter(|there| **there).count() as f64;
            let unequal: u64 = seen[..LEVELS - 1].iter().sum();
            let mut shares = [0.0; LEVELS];
            for level in 0..LEVELS - 1 {
                if levels[level] {
                    let share = (seen[level] as f64 + 0.5) / (unequal as f64 + 0.5 * others);
                    shares[level] = share * (1.0 - exact);
                }
            }
            shares[LEVELS - 1] = exact;
            strangers.all.push(shares);
            strangers.least.push(0.5 / (pairs + 1.0));
            strangers.levels.push(levels);
        }
        strangers
    }

    /// How alike two people are: what is left of all pairs without those that are one.
    fn without(&self, weights: &Weights) -> Vec<Shares> {
        let prior = weights.prior;
        let fields = self.all.iter().enumerate();
        let left = fields.map(|(field, all)| {
            let mut shares = [0.0; LEVELS];
            for level in 0..LEVELS {
                if self.levels[field][level] {
                    let left = all[level] - prior * weights.m[field][level];
                    // What is left of almost nothing is noise.
                    shares[level] = left.max(self.least[field]).max(SHARE_MIN);
                }
            }
            scaled(shares)
        });
        left.collect()
    }
}

/// Levels of pairs drawn at random (of all pairs where they are few), by field.
fn sample(records: &Records, settings: &ProbableSettings) -> Vec<[u64; LEVELS]> {
    let mut seen = vec![[0; LEVELS]; records.columns.len()];
    let mut scratch = Scratch::default();
    let mut count = |a: usize, b: usize| {
        if !records.may_be_one(a, b, settings.within_source) {
            return;
        }
        for (column, seen) in records.columns.iter().zip(&mut seen) {
            if let Some(level) = column.level(a, b, &mut scratch) {
                seen[level as usize] += 1;
            }
        }
    };
    let records_count = records.len() as u64;
    if pairs_of(records_count) <= RANDOM_PAIRS as f64 {
        for a in 0..records.len() {
            for b in a + 1..records.len() {
                count(a, b);
            }
        }
        return seen;
    }
    // Records stand in the order of their keys: the draw is the same whatever order they came in.
    for draw in 0..RANDOM_PAIRS {
        let number = mixed(draw as i64, records_count as i64);
        let a = ((number >> 32) * records_count) >> 32;
        let b = ((number & 0xffff_ffff) * records_count) >> 32;
        if a != b {
            count(a.min(b) as usize, a.max(b) as usize);
        }
    }
    seen
}

/// m, learnt pass by pass and averaged.
fn m_of_passes(records: &Records, rules: &[Rule], seen: &Seen, weights: &Weights) -> Vec<Shares> {
    let beliefs: Vec<Shares> = records.columns.iter().map(believed).collect();
    let mut sums = vec![([0.0; LEVELS], 0.0); records.columns.len()];
    for (rule, counts) in rules.iter().zip(&seen.by_rule) {
        let held = held(rule, counts, records.columns.len());
        let pass = Pass::learn(counts, &held, &beliefs, weights);
        for (field, (sum, total)) in sums.iter_mut().enumerate() {
            let (m, u) = (pass.m[field], &weights.u[field]);
            let exact = Level::Exact as usize;
            // To agree must speak for one person: else the pass found something else than people.
            if held[field] || m[exact] <= u[exact] || m[0] >= u[0] {
                continue;
            }
            for level in 0..LEVELS {
                sum[level] += m[level] * pass.expected;
            }
            *total += pass.expected;
        }
    }
    let fields = sums.into_iter().zip(beliefs);
    let averaged = fields.map(|((sum, total), belief)| match total > 0.0 {
        true => sum.map(|share| share / total),
        false => belief,
    });
    averaged.collect()
}

/// The fields that a pass cannot learn: it blocks on them, or on what they say too.
fn held(rule: &Rule, counts: &Counts, fields: usize) -> Vec<bool> {
    let mut held = vec![false; fields];
    for (field, held) in held.iter_mut().enumerate() {
        let (mut agree, mut known) = (0.0, 0.0);
        for (levels, count) in counts.each() {
            match usize::from(levels[field]) {
                UNKNOWN => {}
                0 => known += count,
                _ => {
                    known += count;
                    agree += count;
                }
            }
        }
        *held = rule.fields.contains(&field) || agree >= BLOCKED_ON * known;
    }
    held
}

/// What one pass taught.
struct Pass {
    m: Vec<Shares>,
    u: Vec<Shares>,
    /// Pairs of it that are one.
    expected: f64,
}

impl Pass {
    /// Expectation maximisation over the pairs of a pass. Its strangers are learnt too: those of
    /// one town, or one company, are more alike than any two.
    fn learn(counts: &Counts, held: &[bool], beliefs: &[Shares], weights: &Weights) -> Self {
        let total: f64 = counts.counts.iter().sum();
        let mut pass = Self {
            m: weights.m.clone(),
            u: weights.u.clone(),
            expected: 0.0,
        };
        let mut share: f64 = 0.1;
        for _ in 0..STEPS_MAX {
            let (of_one, of_two) = pass.expect(counts, held, share);
            let next = (pass.expected / total.max(1.0)).clamp(1e-6, 1.0 - 1e-6);
            let mut step = (next - share).abs();
            share = next;
            for field in (0..held.len()).filter(|field| !held[*field]) {
                let learnt = with_belief(&of_one[field], &beliefs[field], PRIOR_PAIRS);
                for (new, old) in learnt.iter().zip(&pass.m[field]) {
                    step = step.max((new - old).abs());
                }
                pass.m[field] = learnt;
                pass.u[field] = with_belief(&of_two[field], &weights.u[field], PRIOR_STRANGERS);
            }
            if step < STEP_MIN {
                break;
            }
        }
        pass
    }

    /// Counts of levels among pairs of one person and among those of two, as far as it is known
    /// which are which.
    fn expect(&mut self, counts: &Counts, held: &[bool], share: f64) -> (Vec<Seens>, Vec<Seens>) {
        let fields = held.len();
        let mut worth = vec![[1.0; UNKNOWN + 1]; fields];
        for field in (0..fields).filter(|field| !held[*field]) {
            let levels = self.m[field].iter().zip(&self.u[field]).take(LEVELS);
            for (worth, (m, u)) in worth[field].iter_mut().zip(levels) {
                // What never occurs is worth nothing, either way.
                if *u > 0.0 {
                    *worth = m / u;
                }
            }
        }
        let mut of_one = vec![[0.0; UNKNOWN + 1]; fields];
        let mut of_two = of_one.clone();
        self.expected = 0.0;
        for (levels, count) in counts.each() {
            let mut product = 1.0;
            for (worth, level) in worth.iter().zip(levels) {
                product *= worth[usize::from(*level)];
            }
            let one = probability(product, share) * count;
            self.expected += one;
            for (field, level) in levels.iter().enumerate() {
                of_one[field][usize::from(*level)] += one;
                of_two[field][usize::from(*level)] += count - one;
            }
        }
        (of_one, of_two)
    }
}

/// Pairs by level, and those of which it is not known.
type Seens = [f64; UNKNOWN + 1];

/// Shares of what was seen, and of what was believed before as of so many pairs.
fn with_belief(seen: &Seens, belief: &Shares, pairs: f64) -> Shares {
    let total: f64 = seen[..LEVELS].iter().sum::<f64>() + pairs;
    let mut shares = [0.0; LEVELS];
    for level in 0..LEVELS {
        if belief[level] > 0.0 {
            shares[level] = ((seen[level] + belief[level] * pairs) / total).max(SHARE_MIN);
        }
    }
    scaled(shares)
}

fn scaled(shares: Shares) -> Shares {
    let sum: f64 = shares.iter().sum();
    shares.map(|share| share / sum)
}
