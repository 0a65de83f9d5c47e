//! Chance that can be repeated: every draw comes from the seed and from what is drawn for.
//!
//! The world is never kept: a person, a session, an ad day is made again whenever it is needed,
//! from a generator seeded by its own index. So nothing here depends on order or threads.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// A stable hash of numbers under a seed.
pub(crate) fn mix(seed: u64, parts: &[u64]) -> u64 {
    let mut state = scramble(seed ^ 0x9e37_79b9_7f4a_7c15);
    for part in parts {
        state = scramble(state ^ scramble(part.wrapping_add(0x9e37_79b9_7f4a_7c15)));
    }
    state
}

fn scramble(mut value: u64) -> u64 {
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// A hash as a number from 0 (included) to 1 (excluded).
pub(crate) fn share(seed: u64, parts: &[u64]) -> f64 {
    (mix(seed, parts) >> 11) as f64 / (1u64 << 53) as f64
}

/// What a stream of draws is for, so that two streams of one thing never meet.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose {
    /// A unit of the world: its people, its plans.
    Unit = 1,
    /// What happens within a session.
    Session,
    /// The id of a click.
    Click,
    /// The figures of an ad on a day.
    Figures,
    /// Products, rates and the like.
    World,
    /// Planted defects of a file.
    Defect,
}

/// A seeded generator with the draws that the demo company needs.
pub(crate) struct Dice(ChaCha8Rng);

impl Dice {
    /// Dice for one purpose and thing.
    pub(crate) fn new(seed: u64, purpose: Purpose, parts: &[u64]) -> Self {
        let base = mix(seed, &[purpose as u64]);
        Self(ChaCha8Rng::seed_from_u64(mix(base, parts)))
    }

    /// 64 random bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// From 0 (included) to 1 (excluded).
    pub(crate) fn share(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// True with this probability.
    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.share() < probability
    }

    /// A whole number below `bound`; 0 where `bound` is 0.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.bits()) * bound as u128) >> 64) as usize
    }

    /// A whole number between the two, both included.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below((high - low).max(0) as usize + 1) as i64
    }

    /// A number around `mean` with a long tail, at most twelve times the mean.
    pub(crate) fn waiting(&mut self, mean: f64) -> f64 {
        (-(1.0 - self.share()).ln() * mean).min(mean * 12.0)
    }

    /// An index, drawn by weight.
    pub(crate) fn weighted(&mut self, weights: &[f64]) -> usize {
        let total: f64 = weights.iter().sum();
        let mut rest = self.share() * total;
        for (index, weight) in weights.iter().enumerate() {
            rest -= weight;
            if rest < 0.0 {
                return index;
            }
        }
        weights.len().saturating_sub(1)
    }

    /// Random characters of an alphabet.
    pub(crate) fn text(&mut self, alphabet: &[u8], length: usize) -> String {
        (0..length)
            .map(|_| char::from(alphabet[self.below(alphabet.len())]))
            .collect()
    }
}

/// Letters of URL-safe base 64.
pub(crate) const URL_SAFE: &[u8] =
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/// Hexadecimal digits.
pub(crate) const HEX: &[u8] = b"0123456789abcdef";
