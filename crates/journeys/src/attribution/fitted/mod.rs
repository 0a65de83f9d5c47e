//! Models that are fitted on many paths: Markov chains and Shapley values.
//!
//! Unlike the rules of this folder's parent they need paths that did not convert too, and they
//! credit channels, not touches. Everything is exact: no simulation, no seed, and no result depends
//! on the order of rows.

mod chain;
mod markov;
mod paths;
mod settings;
mod shapley;
mod solver;
#[cfg(test)]
mod tests;
mod units;

pub use chain::{Chain, Node, Transition};
pub use markov::{Markov, best_order};
pub use paths::{GroupedPath, GroupedPaths, PathError, PathsBuilder};
pub use settings::{FittedSettings, models};
pub use shapley::{
    GAME_CHANNELS_MAX, TooManyChannels, Worth, shapley, shapley_ordered, shapley_rate,
};

use super::CREDIT_UNITS;

/// A model that is fitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FittedModel {
    /// Markov chain of that order, 1 to 3.
    Markov(u8),
    /// Shapley values over conversions of channel sets.
    Shapley,
    /// Shapley values over conversion rates of channel sets.
    ShapleyRate,
}

impl FittedModel {
    /// All, in the order in which tables list them.
    pub const ALL: [Self; 5] = [
        Self::Markov(1),
        Self::Markov(2),
        Self::Markov(3),
        Self::Shapley,
        Self::ShapleyRate,
    ];

    /// Its name in tables and settings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Markov(1) => "markov_1",
            Self::Markov(2) => "markov_2",
            Self::Markov(_) => "markov_3",
            Self::Shapley => "shapley",
            Self::ShapleyRate => "shapley_rate",
        }
    }

    /// The model of that name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|model| model.name() == name)
    }
}

/// What a fit says of one channel.
#[derive(Debug, Clone, PartialEq)]
pub struct ChannelCredit {
    /// The channel.
    pub channel: u32,
    /// Markov: removal effect on conversions. Shapley: its worth in the game. None where nothing
    /// converts.
    pub effect: Option<f64>,
    /// The same for value, in units of 10^-6 where it is a worth; None without value.
    pub value_effect: Option<f64>,
    /// Its conversions in units of [`CREDIT_UNITS`].
    pub credit: i128,
    /// Its value in units of 10^-6.
    pub value: i128,
}

/// One fitted model.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    /// Which model.
    pub model: FittedModel,
    /// What it says of each channel, ascending. With what is unattributed the credits sum to the
    /// conversions and the values to the value, to the last unit.
    pub channels: Vec<ChannelCredit>,
    /// Conversions that no channel can be credited with, in units of [`CREDIT_UNITS`].
    pub unattributed_credit: i128,
    /// Value that no channel can be credited with, in units of 10^-6.
    pub unattributed_value: i128,
    /// The chain behind it, of Markov models.
    pub markov: Option<Markov>,
}

/// Fits one model. `collapse_channels_first` takes repeats of a channel as one touch before states
/// are made of touches, which at order 2 and above is another model.
///
/// # Errors
/// [`FittedModel::ShapleyRate`] has too many channels.
pub fn fit(
    model: FittedModel,
    paths: &GroupedPaths,
    collapse_channels_first: bool,
) -> Result<Fit, TooManyChannels> {
    let collapsed;
    let paths = if collapse_channels_first {
        collapsed = paths.collapsed();
        &collapsed
    } else {
        paths
    };
    let (effects, value_effects, markov) = match model {
        FittedModel::Markov(order) => {
            let fit = Markov::fit(paths, usize::from(order));
            let effects = fit.removal_effects.clone();
            (effects, fit.value_removal_effects.clone(), Some(fit))
        }
        FittedModel::Shapley => worth(shapley(paths), paths),
        FittedModel::ShapleyRate => worth(shapley_rate(paths)?, paths),
    };
    let whole = i128::from(paths.conversions()) * i128::from(CREDIT_UNITS);
    let credits = effects
        .as_deref()
        .and_then(|effects| units::split(whole, effects));
    let values = value_effects
        .as_deref()
        .and_then(|effects| units::split_cents(paths.value(), effects));
    let at = |all: &Option<Vec<i128>>, place: usize| all.as_ref().map_or(0, |all| all[place]);
    let channels = paths.channels().iter().enumerate();
    let channels = channels.map(|(place, &channel)| ChannelCredit {
        channel,
        effect: effects.as_ref().map(|effects| effects[place]),
        value_effect: value_effects.as_ref().map(|effects| effects[place]),
        credit: at(&credits, place),
        value: at(&values, place),
    });
    Ok(Fit {
        model,
        channels: channels.collect(),
        unattributed_credit: if credits.is_some() { 0 } else { whole },
        unattributed_value: if values.is_some() { 0 } else { paths.value() },
        markov,
    })
}

type Effects = (Option<Vec<f64>>, Option<Vec<f64>>, Option<Markov>);

/// A worth as effects: none where there is nothing to share.
fn worth(worth: Worth, paths: &GroupedPaths) -> Effects {
    (
        (paths.conversions() > 0).then_some(worth.conversions),
        (paths.value() != 0).then_some(worth.value),
        None,
    )
}
