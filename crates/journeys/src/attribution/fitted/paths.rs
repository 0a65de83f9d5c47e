//! Paths as fitted models read them: each distinct path once, with how often it ended how.

use std::collections::HashMap;

/// A row of paths that means nothing, and so is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// Nothing that could have been credited.
    #[error("a path has no touch (hint: conversions without a touch stay unattributed)")]
    Empty,
    /// Money that no conversion brought.
    #[error("a path has a value but no conversion")]
    ValueWithoutConversion,
    /// Counts or values beyond what can be summed exactly.
    #[error("the counts or values of the paths are too large to be summed")]
    TooLarge,
}

/// How often one distinct path was walked, and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupedPath {
    /// Channels of its touches, oldest first; any numbers.
    pub channels: Vec<u32>,
    /// Walks that ended in a conversion; one of value 0 counts as any other.
    pub conversions: u64,
    /// Walks that ended without one.
    pub nulls: u64,
    /// Value of its conversions in units of 10^-6, refunds taken off.
    pub value: i128,
}

/// Distinct paths in an order of their own, whatever the order in which they came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupedPaths {
    paths: Vec<GroupedPath>,
    channels: Vec<u32>,
    conversions: u64,
    nulls: u64,
    value: i128,
}

/// What is kept of one path while rows come in.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    conversions: u64,
    nulls: u64,
    value: i128,
}

/// Takes rows in any order and groups them.
#[derive(Debug, Default)]
pub struct PathsBuilder {
    paths: HashMap<Vec<u32>, Counts>,
    total: Counts,
}

impl PathsBuilder {
    /// Adds one row: `conversions` and `nulls` walks of `channels`, with `value` (10^-6) in all.
    /// A row without any walk is left out.
    ///
    /// # Errors
    /// The path is empty, has a value without a conversion, or sums would overflow.
    pub fn add(
        &mut self,
        channels: &[u32],
        conversions: u64,
        nulls: u64,
        value: i128,
    ) -> Result<(), PathError> {
        if channels.is_empty() {
            return Err(PathError::Empty);
        }
        if conversions == 0 && value != 0 {
            return Err(PathError::ValueWithoutConversion);
        }
        if conversions == 0 && nulls == 0 {
            return Ok(());
        }
        let row = Counts {
            conversions,
            nulls,
            value,
        };
        self.total = self.total.plus(row)?;
        if let Some(counts) = self.paths.get_mut(channels) {
            *counts = counts.plus(row)?;
        } else {
            self.paths.insert(channels.to_vec(), row);
        }
        Ok(())
    }

    /// The distinct paths, sorted by their channels.
    pub fn finish(self) -> GroupedPaths {
        let grouped = self.paths.into_iter();
        let grouped = grouped.map(|(channels, counts)| GroupedPath {
            channels,
            conversions: counts.conversions,
            nulls: counts.nulls,
            value: counts.value,
        });
        let mut paths: Vec<GroupedPath> = grouped.collect();
        paths.sort_unstable_by(|a, b| a.channels.cmp(&b.channels));
        let mut channels: Vec<u32> = Vec::new();
        for path in &paths {
            channels.extend_from_slice(&path.channels);
            if channels.len() > 65_536 {
                channels.sort_unstable();
                channels.dedup();
            }
        }
        channels.sort_unstable();
        channels.dedup();
        GroupedPaths {
            paths,
            channels,
            conversions: self.total.conversions,
            nulls: self.total.nulls,
            value: self.total.value,
        }
    }
}

impl Counts {
    fn plus(self, other: Self) -> Result<Self, PathError> {
        let walks = self
            .conversions
            .checked_add(self.nulls)
            .and_then(|walks| walks.checked_add(other.conversions))
            .and_then(|walks| walks.checked_add(other.nulls));
        let value = self.value.checked_add(other.value);
        match (walks, value) {
            (Some(_), Some(value)) => Ok(Self {
                conversions: self.conversions + other.conversions,
                nulls: self.nulls + other.nulls,
                value,
            }),
            _ => Err(PathError::TooLarge),
        }
    }
}

impl GroupedPaths {
    /// The paths, sorted by their channels.
    pub fn paths(&self) -> &[GroupedPath] {
        &self.paths
    }

    /// Every channel of any path, ascending.
    pub fn channels(&self) -> &[u32] {
        &self.channels
    }

    /// Conversions of all paths.
    pub fn conversions(&self) -> u64 {
        self.conversions
    }

    /// Walks of all paths that ended without a conversion. Where there are none every path
    /// converts, and a removal effect is only the share of the paths that hold the channel.
    pub fn nulls(&self) -> u64 {
        self.nulls
    }

    /// Value of all conversions in units of 10^-6.
    pub fn value(&self) -> i128 {
        self.value
    }

    /// The same paths with repeats of a channel taken as one touch.
    pub fn collapsed(&self) -> Self {
        let mut paths: HashMap<Vec<u32>, Counts> = HashMap::new();
        for path in &self.paths {
            let mut channels = path.channels.clone();
            channels.dedup();
            let counts = paths.entry(channels).or_default();
            counts.conversions += path.conversions;
            counts.nulls += path.nulls;
            counts.value += path.value;
        }
        let total = Counts {
            conversions: self.conversions,
            nulls: self.nulls,
            value: self.value,
        };
        PathsBuilder { paths, total }.finish()
    }
}
