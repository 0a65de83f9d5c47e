//! Shapley values: a channel's worth is what it adds, on average over all orders of joining.
//!
//! With v(S) = conversions of paths whose channels are all in S the game is additive over paths,
//! and the value of a channel is the sum of conversions / distinct channels over the paths that
//! hold it: exact for any number of channels (Zhao, Mahboobi, Bagheri 2018). With v(S) = their
//! conversion rate, which sees paths that did not convert, all subsets are counted.

use std::collections::BTreeMap;

use super::chain::Sum;
use super::paths::GroupedPaths;

/// Channels up to which all subsets are counted.
pub const GAME_CHANNELS_MAX: usize = 20;

/// More channels than subsets can be counted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "{channels} channels are too many for all their subsets: at most {GAME_CHANNELS_MAX} (hint: \
     group channels, or use `shapley`, which is exact for any number)"
)]
pub struct TooManyChannels {
    /// Channels of the paths.
    pub channels: usize,
}

/// One number per channel for conversions and for value (10^-6).
#[derive(Debug, Clone, PartialEq)]
pub struct Worth {
    /// In the order of [`GroupedPaths::channels`].
    pub conversions: Vec<f64>,
    /// In the same order.
    pub value: Vec<f64>,
}

/// Distinct channels of a path as places in the list of channels, ascending.
fn distinct(paths: &GroupedPaths, channels: &[u32]) -> Vec<usize> {
    let known = paths.channels();
    let mut places: Vec<usize> = channels
        .iter()
        .filter_map(|channel| known.binary_search(channel).ok())
        .collect();
    places.sort_unstable();
    places.dedup();
    places
}

/// Shapley values of the game of sums: they sum to all conversions and to all value.
pub fn shapley(paths: &GroupedPaths) -> Worth {
    // By number of distinct channels, in whole numbers: no order of adding changes them.
    let mut sums: Vec<BTreeMap<usize, (u64, i128)>> = vec![BTreeMap::new(); paths.channels().len()];
    for path in paths.paths().iter().filter(|path| path.conversions > 0) {
        let held = distinct(paths, &path.channels);
        for &channel in &held {
            let sum = sums[channel].entry(held.len()).or_default();
            sum.0 += path.conversions;
            sum.1 += path.value;
        }
    }
    let total = |of: fn(&(u64, i128)) -> f64| -> Vec<f64> {
        let channels = sums.iter().map(|sums| {
            let mut sum = Sum::default();
            for (distinct, counts) in sums {
                sum.add(of(counts) / *distinct as f64);
            }
            sum.total()
        });
        channels.collect()
    };
    Worth {
        conversions: total(|counts| counts.0 as f64),
        value: total(|counts| counts.1 as f64),
    }
}

/// The same by place in the path: each occurrence of a channel gets its even part of the channel's
/// share, 1 / (distinct channels * occurrences). Conversions by (channel, position from 1).
pub fn shapley_ordered(paths: &GroupedPaths) -> BTreeMap<(u32, usize), f64> {
    let mut sums: BTreeMap<(u32, usize), BTreeMap<usize, u64>> = BTreeMap::new();
    for path in paths.paths() {
        let held = distinct(paths, &path.channels).len();
        for (position, channel) in path.channels.iter().enumerate() {
            let times = path.channels.iter().filter(|other| *other == channel);
            let parts = held * times.count();
            *sums
                .entry((*channel, position + 1))
                .or_default()
                .entry(parts)
                .or_default() += path.conversions;
        }
    }
    let summed = sums.into_iter().map(|(place, parts)| {
        let mut sum = Sum::default();
        for (parts, conversions) in parts {
            sum.add(conversions as f64 / parts as f64);
        }
        (place, sum.total())
    });
    summed.collect()
}

/// Shapley values of the game of rates: v(S) = conversions (value) / walks of the paths whose
/// channels are all in S, 0 where there are none. They sum to the rate of all paths; one may be
/// negative: with this channel less is converted.
///
/// # Errors
/// There are more than [`GAME_CHANNELS_MAX`] channels.
pub fn shapley_rate(paths: &GroupedPaths) -> Result<Worth, TooManyChannels> {
    let channels = paths.channels().len();
    if channels > GAME_CHANNELS_MAX {
        return Err(TooManyChannels { channels });
    }
    let mut walks = vec![0_i128; 1 << channels];
    let mut conversions = walks.clone();
    let mut value = walks.clone();
    for path in paths.paths() {
        let set = distinct(paths, &path.channels)
            .iter()
            .fold(0_usize, |set, channel| set | 1 << channel);
        walks[set] += i128::from(path.conversions) + i128::from(path.nulls);
        conversions[set] += i128::from(path.conversions);
        value[set] += path.value;
    }
    for sums in [&mut walks, &mut conversions, &mut value] {
        over_subsets(sums, channels);
    }
    let rate = |of: &[i128]| -> Vec<f64> {
        let rates = of.iter().zip(&walks);
        rates
            .map(|(&sum, &walks)| {
                if walks == 0 {
                    0.0
                } else {
                    sum as f64 / walks as f64
                }
            })
            .collect()
    };
    Ok(Worth {
        conversions: game(&rate(&conversions), channels),
        value: game(&rate(&value), channels),
    })
}

/// Turns what stands at each set into the sum over its subsets.
fn over_subsets(sums: &mut [i128], channels: usize) {
    for channel in 0..channels {
        let bit = 1 << channel;
        for set in 0..sums.len() {
            if set & bit != 0 {
                sums[set] += sums[set ^ bit];
            }
        }
    }
}

/// Shapley values of any game given by its value for every set of players (bits).
pub(super) fn game(worth: &[f64], players: usize) -> Vec<f64> {
    // |S|! (n - |S| - 1)! / n! = 1 / (n * C(n - 1, |S|))
    let mut weights = vec![1.0 / players.max(1) as f64; players];
    let mut choose = 1.0;
    for (size, weight) in weights.iter_mut().enumerate() {
        *weight /= choose;
        choose = choose * (players - 1 - size) as f64 / (size + 1) as f64;
    }
    let one = |player: usize| {
        let bit = 1 << player;
        let mut by_size = vec![Sum::default(); players];
        for set in (0..worth.len()).filter(|set| set & bit == 0) {
            by_size[set.count_ones() as usize].add(worth[set | bit] - worth[set]);
        }
        let mut sum = Sum::default();
        for (added, weight) in by_size.iter().zip(&weights) {
            sum.add(added.total() * weight);
        }
        sum.total()
    };
    (0..players).map(one).collect()
}

/// Value of the game of sums for every set of channels, for tests of [`shapley`].
#[cfg(test)]
pub(super) fn sums_of_sets(paths: &GroupedPaths) -> Vec<f64> {
    let channels = paths.channels().len();
    let mut sums = vec![0_i128; 1 << channels];
    for path in paths.paths() {
        let held = distinct(paths, &path.channels);
        let set = held.iter().fold(0_usize, |set, channel| set | 1 << channel);
        sums[set] += i128::from(path.conversions);
    }
    over_subsets(&mut sums, channels);
    sums.into_iter().map(|sum| sum as f64).collect()
}
