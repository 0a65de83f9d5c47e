//! All credit to the last touch before the conversion.

use super::{AttributionModel, Path};

/// The touch closest to the conversion gets everything.
#[derive(Debug, Clone, Copy)]
pub struct Last;

impl AttributionModel for Last {
    fn name(&self) -> &'static str {
        "last"
    }

    fn weights(&self, _path: &Path<'_>, weights: &mut [f64]) {
        weights.fill(0.0);
        if let Some(last) = weights.last_mut() {
            *last = 1.0;
        }
    }
}
