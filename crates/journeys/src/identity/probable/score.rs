//! What each pair is worth, and which are probably one.

use super::ProbableSettings;
use super::blocking::{BlockingRow, Rule, each_pair, rules};
use super::field::Level;
use super::records::{Column, Pattern, Records};
use super::text::Scratch;
use super::train::{Weights, prior, train};

/// Two records that are probably one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ProbableLink {
    /// Key of the one: the smaller key.
    pub a_key: i64,
    /// Key of the other.
    pub b_key: i64,
    /// Bits for one person against two: log2(p / (1 - p)) of the probability.
    pub match_weight: f64,
    /// Probability that the two are one.
    pub match_probability: f64,
    /// How far they agree.
    pub pattern: Pattern,
    /// The pass that brought them together first, by its place.
    pub rule: u16,
}

/// What a level of a field is worth.
#[derive(Debug, Clone, PartialEq)]
pub struct WeightRow {
    /// The field.
    pub field: String,
    /// The level.
    pub level: Level,
    /// Share of pairs of one person that agree so far.
    pub m: f64,
    /// Share of pairs of two people that do.
    pub u: f64,
    /// log2(m / u); for exact agreement, of a value as frequent as the average one.
    pub bits: f64,
}

/// All that came of comparing records.
#[derive(Debug)]
pub struct Scored {
    /// Links, by their keys.
    pub links: Vec<ProbableLink>,
    /// The blocking passes.
    pub blocking: Vec<BlockingRow>,
    /// What agreement is worth.
    pub weights: Vec<WeightRow>,
    /// Share of all pairs that are one.
    pub prior: f64,
    fields: Vec<String>,
}

impl Scored {
    /// The fields of a link that both records have, and how far they agree:
    /// `last close, birth exact`.
    pub fn agreement(&self, pattern: Pattern) -> String {
        let fields = self.fields.iter().enumerate();
        let known = fields.filter_map(|(place, name)| {
            let level = pattern.level(place)?;
            Some(format!("{name} {}", level.as_str()))
        });
        known.collect::<Vec<String>>().join(", ")
    }
}

/// Weights of pairs are counted by steps of so many to the bit, up to so many bits.
const STEPS: f64 = 16.0;
const BITS_MAX: f64 = 120.0;
/// The share of pairs that are one may come out this many times larger than it was learnt.
const PRIOR_GROWTH: f64 = 16.0;

impl Records {
    /// The blocking passes, without comparing anything.
    pub fn blocking(&self, settings: &ProbableSettings) -> Vec<BlockingRow> {
        rules(self, settings).iter().map(Rule::row).collect()
    }

    /// Compares the records.
    pub fn scored(&self, settings: &ProbableSettings) -> Scored {
        let rules = rules(self, settings);
        let weights = train(self, &rules, settings);
        let scorer = Scorer::new(self, weights);
        let (links, prior) = scorer.links(&rules, settings);
        let names = self.layout.fields.iter().map(|field| field.name.clone());
        Scored {
            links,
            blocking: rules.iter().map(Rule::row).collect(),
            weights: scorer.rows(),
            prior,
            fields: names.collect(),
        }
    }
}

/// Weighs pairs.
struct Scorer<'a> {
    records: &'a Records,
    weights: Weights,
    /// What levels are worth, by field.
    bits: Vec<[f64; Level::ALL.len()]>,
    /// What exact agreement is worth, by field and number of records that have the value.
    exact: Vec<Vec<f64>>,
}

impl<'a> Scorer<'a> {
    fn new(records: &'a Records, weights: Weights) -> Self {
        let exact = records.columns.iter().enumerate();
        let exact = exact.map(|(field, column)| by_frequency(column, field, &weights));
        Self {
            records,
            bits: weights.all_bits(),
            exact: exact.collect(),
            weights,
        }
    }

    fn weight(&self, a: usize, pattern: Pattern) -> f64 {
        let mut sum = 0.0;
        for (field, column) in self.records.columns.iter().enumerate() {
            sum += match pattern.level(field) {
                None => 0.0,
                Some(Level::Exact) => {
                    let count = column.counts[column.numbers[a] as usize] as usize;
                    let known = &self.exact[field];
                    known.get(count).or(known.last()).copied().unwrap_or(0.0)
                }
                Some(level) => self.bits[field][level as usize],
            };
        }
        sum
    }

    /// The links, and the share of pairs that are one.
    fn links(&self, rules: &[Rule], settings: &ProbableSettings) -> (Vec<ProbableLink>, f64) {
        let prior_max = (self.weights.prior * PRIOR_GROWTH).min(0.5);
        let least = odds(settings.report_from) - odds(prior_max);
        let slots = (2.0 * BITS_MAX * STEPS) as usize + 1;
        let mut histogram = vec![0_u64; slots];
        let mut scratch = Scratch::default();
        let mut links = Vec::new();
        for at in 0..rules.len() {
            each_pair(rules, at, |a, b, is_new| {
                if !is_new || !self.records.may_be_one(a, b, settings.within_source) {
                    return;
                }
                let pattern = self.records.pattern(a, b, &mut scratch);
                let weight = self.weight(a, pattern);
                let place = (weight.clamp(-BITS_MAX, BITS_MAX) + BITS_MAX) * STEPS;
                histogram[(place.round() as usize).min(slots - 1)] += 1;
                if weight >= least {
                    links.push(ProbableLink {
                        a_key: self.records.keys[a],
                        b_key: self.records.keys[b],
                        match_weight: weight,
                        match_probability: 0.0,
                        pattern,
                        rule: u16::try_from(at).unwrap_or(u16::MAX),
                    });
                }
            });
        }
        let counted = histogram
            .iter()
            .enumerate()
            .filter(|(_, count)| **count > 0);
        let counted: Vec<(f64, f64)> = counted
            .map(|(place, count)| (place as f64 / STEPS - BITS_MAX, *count as f64))
            .collect();
        let all_pairs = self.records.pairs(settings.within_source).max(1.0);
        let share = prior(&counted, all_pairs).min(prior_max);
        for link in &mut links {
            link.match_weight += odds(share);
            link.match_probability = 1.0 / (1.0 + (-link.match_weight).exp2());
        }
        links.retain(|link| link.match_probability >= settings.report_from);
        links.sort_unstable_by_key(|link| (link.a_key, link.b_key));
        (links, share)
    }

    fn rows(&self) -> Vec<WeightRow> {
        let fields = self.records.layout.fields.iter().enumerate();
        let rows = fields.flat_map(|(field, named)| {
            let levels = Level::ALL.into_iter().rev();
            let there = levels.filter(move |level| self.weights.m[field][*level as usize] > 0.0);
            there.map(move |level| WeightRow {
                field: named.name.clone(),
                level,
                m: self.weights.m[field][level as usize],
                u: self.weights.u[field][level as usize],
                bits: self.bits[field][level as usize],
            })
        });
        rows.collect()
    }
}

/// log2(p / (1 - p)).
fn odds(probability: f64) -> f64 {
    (probability / (1.0 - probability)).log2()
}

/// What exact agreement on a value is worth, by the number of records that have it: a frequent
/// value is worth less. How many strangers have it is told by those records that are not the two
/// of the pair, and of a value that nobody else has by what is known of the field.
fn by_frequency(column: &Column, field: usize, weights: &Weights) -> Vec<f64> {
    let most = column.counts[1..].iter().max().copied().unwrap_or(0);
    let present = column.present().max(1) as f64;
    let exact = Level::Exact as usize;
    let (m, u) = (weights.m[field][exact], weights.u[field][exact]);
    let unseen = u.min(1.0 / present);
    let worth = (0..=most).map(|count| {
        let others = f64::from(count.saturating_sub(2)) / present;
        (m / (others + unseen).min(1.0)).log2()
    });
    worth.collect()
}
