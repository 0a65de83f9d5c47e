//! The same credit to every touch; a channel that touches twice is credited twice.

use super::{AttributionModel, Path};

/// Every touch gets the same.
#[derive(Debug, Clone, Copy)]
pub struct Linear;

impl AttributionModel for Linear {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn weights(&self, _path: &Path<'_>, weights: &mut [f64]) {
        weights.fill(1.0);
    }
}
