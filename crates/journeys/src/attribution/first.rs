//! All credit to the first touch of the window.

use super::{AttributionModel, Path};

/// The touch that made the customer known gets everything.
#[derive(Debug, Clone, Copy)]
pub struct First;

impl AttributionModel for First {
    fn name(&self) -> &'static str {
        "first"
    }

    fn weights(&self, _path: &Path<'_>, weights: &mut [f64]) {
        weights.fill(0.0);
        if let Some(first) = weights.first_mut() {
            *first = 1.0;
        }
    }
}
