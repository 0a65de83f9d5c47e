//! Fixed shares for the touches that play a part in the path: the first, the one that made a lead,
//! the one that made an opportunity, the last.

use std::borrow::Cow;

use super::{AttributionModel, Path};

/// Credit by the part that a touch plays.
///
/// Parts that meet on one touch add up. Where a milestone is missing, the parts that are there
/// share what all parts have, in their proportion. Touches without a part share `middle`; where
/// there is none, the parts share that too. One touch gets all.
#[derive(Debug, Clone, PartialEq)]
pub struct Roles {
    pub(super) name: Cow<'static, str>,
    /// Share of the first touch.
    pub(super) first: f64,
    /// Share of the last touch before the customer became a lead.
    pub(super) lead: f64,
    /// Share of the last touch before there was an opportunity.
    pub(super) opportunity: f64,
    /// Share of the last touch.
    pub(super) last: f64,
    /// Share of all other touches together.
    pub(super) middle: f64,
}

impl AttributionModel for Roles {
    fn name(&self) -> &str {
        &self.name
    }

    fn weights(&self, path: &Path<'_>, weights: &mut [f64]) {
        weights.fill(0.0);
        let Some(end) = weights.len().checked_sub(1) else {
            return;
        };
        let parts = [
            (Some(0), self.first),
            (path.lead, self.lead),
            (path.opportunity, self.opportunity),
            (Some(end), self.last),
        ];
        let all: f64 = parts.iter().map(|(_, share)| share).sum();
        let there = parts.iter().filter(|(touch, _)| touch.is_some());
        let there: f64 = there.map(|(_, share)| share).sum();
        for (touch, share) in parts {
            if let Some(weight) = touch.and_then(|touch| weights.get_mut(touch))
                && share > 0.0
            {
                *weight += share * (all / there);
            }
        }
        let others = weights.iter().filter(|weight| **weight == 0.0).count();
        let share = self.middle / others.max(1) as f64;
        for weight in weights.iter_mut().filter(|weight| **weight == 0.0) {
            *weight = share;
        }
    }
}
