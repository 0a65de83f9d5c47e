//! Participation: every touch gets the whole conversion. It answers "in how much did it take
//! part?" and must never be added up.

use super::{AttributionModel, Path};

/// Every touch gets all of it.
#[derive(Debug, Clone, Copy)]
pub struct Participation;

impl AttributionModel for Participation {
    fn name(&self) -> &'static str {
        "participation"
    }

    fn is_additive(&self) -> bool {
        false
    }

    fn weights(&self, _path: &Path<'_>, weights: &mut [f64]) {
        weights.fill(1.0);
    }
}
