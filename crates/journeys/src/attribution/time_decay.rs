//! A touch loses half its weight in every half-life that passes before the conversion.

use super::{AttributionModel, Path};

/// Weight 2^(-age / half-life). Ages are counted from the newest touch, which changes no
/// proportion and keeps very old paths from vanishing in the last bits.
#[derive(Debug, Clone, Copy)]
pub struct TimeDecay;

impl AttributionModel for TimeDecay {
    fn name(&self) -> &'static str {
        "time_decay"
    }

    fn weights(&self, path: &Path<'_>, weights: &mut [f64]) {
        let newest_us = path.touches.last().map_or(0, |touch| touch.at_us);
        for (weight, touch) in weights.iter_mut().zip(path.touches) {
            let age_us = newest_us.saturating_sub(touch.at_us) as f64;
            *weight = (-age_us / path.half_life_us).exp2();
        }
    }
}
