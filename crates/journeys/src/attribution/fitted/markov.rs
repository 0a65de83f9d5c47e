//! Markov chains: a channel's worth is what would be lost without it.
//!
//! Removal effect of a channel: 1 - P(conversion without it) / P(conversion), where every state
//! that holds the channel leads to no conversion. Credit is in proportion to the removal effects.
//! After Anderl, Becker, von Wangenheim and Schumann, "Mapping the customer journey" (2016).

use super::chain::Chain;
use super::paths::GroupedPaths;
use super::solver::{Outcome, Solution, System};

/// What a chain says of its channels.
#[derive(Debug, Clone, PartialEq)]
pub struct Markov {
    /// Touches that a state remembers.
    pub order: usize,
    /// States of the chain, without start and ends (count).
    pub states: usize,
    /// Probability of a conversion: conversions / walks.
    pub p_conversion: f64,
    /// Expected value of a walk, in units of 10^-6.
    pub value_per_walk: f64,
    /// Removal effect on conversions by channel, in the order of [`GroupedPaths::channels`]; None
    /// where nothing converts.
    pub removal_effects: Option<Vec<f64>>,
    /// The same on value; None where the value of all walks is 0.
    pub value_removal_effects: Option<Vec<f64>>,
    /// No removal effect is further than this from the exact one, rounding aside; 0 where the
    /// chain was solved by elimination.
    pub error_bound: f64,
    /// Conversions in one of its states are worth less than nothing on average (refunds): removal
    /// effects on value then are no shares.
    pub has_negative_mean: bool,
    /// Logarithm of the probability of the paths.
    pub log_likelihood: f64,
    /// Free probabilities (count).
    pub parameters: u64,
    /// Bayesian information criterion: parameters * ln(walks) - 2 * log-likelihood. Of several
    /// orders the one with the lowest explains best what it costs.
    pub bic: f64,
}

impl Markov {
    /// Fits a chain of that order (at least 1) to the paths.
    pub fn fit(paths: &GroupedPaths, order: usize) -> Self {
        let chain = Chain::new(paths, order);
        let system = System::new(&chain, paths.channels());
        let walks = chain.walks() as f64;
        let (log_likelihood, parameters) = chain.likelihood();
        let bic = parameters as f64 * walks.max(1.0).ln() - 2.0 * log_likelihood;
        let solution = if paths.conversions() > 0 {
            Some(system.solve())
        } else {
            None
        };
        let value = |outcome: &Outcome| outcome.value;
        let conversion = |outcome: &Outcome| outcome.conversion;
        let solved = solution.as_ref();
        let removal_effects = solved.and_then(|solution| effects(solution, conversion));
        // A channel can take no more than all and give nothing: what is beyond is rounding.
        let removal_effects = removal_effects.map(|effects| {
            effects
                .iter()
                .map(|effect| effect.clamp(0.0, 1.0))
                .collect()
        });
        let whole = solved.map(|solution| solution.whole).unwrap_or_default();
        Self {
            order: chain.order(),
            states: chain.states().len(),
            p_conversion: whole.conversion,
            value_per_walk: whole.value,
            removal_effects,
            value_removal_effects: solved
                .filter(|_| paths.value() != 0)
                .and_then(|solution| effects(solution, value)),
            error_bound: solved.map_or(0.0, |solution| {
                let bound = solution.rest / solution.whole.conversion;
                if bound.is_finite() { bound } else { 1.0 }
            }),
            has_negative_mean: chain.counts.iter().any(|state| state.value < 0),
            log_likelihood,
            parameters,
            bic,
        }
    }
}

/// What share of the outcome each removal takes.
fn effects(solution: &Solution, of: impl Fn(&Outcome) -> f64) -> Option<Vec<f64>> {
    let whole = of(&solution.whole);
    if whole == 0.0 {
        return None;
    }
    let without = solution.without.iter();
    Some(without.map(|without| 1.0 - of(without) / whole).collect())
}

/// Of several orders, the one that explains the paths best for what it costs: the place of the
/// lowest [`Markov::bic`], the earlier of equals. None of none.
pub fn best_order(fits: &[Markov]) -> Option<usize> {
    let places = 0..fits.len();
    places.min_by(|&a, &b| fits[a].bic.total_cmp(&fits[b].bic).then(a.cmp(&b)))
}
