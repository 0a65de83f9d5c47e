//! All credit to the last touch that is not direct; where all are direct, to the last one.

use super::{AttributionModel, Path};

/// As the last touch, but a direct visit does not take the credit from what came before.
#[derive(Debug, Clone, Copy)]
pub struct LastNonDirect;

impl AttributionModel for LastNonDirect {
    fn name(&self) -> &'static str {
        "last_non_direct"
    }

    fn weights(&self, path: &Path<'_>, weights: &mut [f64]) {
        weights.fill(0.0);
        let chosen = path.touches.iter().rposition(|touch| !touch.is_direct);
        let chosen = chosen.or_else(|| path.touches.len().checked_sub(1));
        if let Some(weight) = chosen.and_then(|touch| weights.get_mut(touch)) {
            *weight = 1.0;
        }
    }
}
