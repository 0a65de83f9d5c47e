//! All credit to the first or the last touch that was paid for.

use super::{AttributionModel, Path};

/// The first touch of a paid channel; without one the first that is not direct, else the first.
#[derive(Debug, Clone, Copy)]
pub struct FirstPaid;

/// The last touch of a paid channel; without one the last that is not direct, else the last. It
/// falls back as GA4's "Google paid channels last click" does.
#[derive(Debug, Clone, Copy)]
pub struct LastPaid;

impl AttributionModel for FirstPaid {
    fn name(&self) -> &'static str {
        "first_paid"
    }

    fn weights(&self, path: &Path<'_>, weights: &mut [f64]) {
        let touches = path.touches;
        let paid = touches.iter().position(|touch| touch.is_paid);
        let known = paid.or_else(|| touches.iter().position(|touch| !touch.is_direct));
        only(known.unwrap_or(0), weights);
    }
}

impl AttributionModel for LastPaid {
    fn name(&self) -> &'static str {
        "last_paid"
    }

    fn weights(&self, path: &Path<'_>, weights: &mut [f64]) {
        let touches = path.touches;
        let paid = touches.iter().rposition(|touch| touch.is_paid);
        let known = paid.or_else(|| touches.iter().rposition(|touch| !touch.is_direct));
        only(known.unwrap_or(touches.len().saturating_sub(1)), weights);
    }
}

/// All to this touch.
fn only(touch: usize, weights: &mut [f64]) {
    weights.fill(0.0);
    if let Some(weight) = weights.get_mut(touch) {
        *weight = 1.0;
    }
}
