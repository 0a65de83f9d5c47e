//! The one ordered pass: touches and conversions of one customer after the other, credit out.
//!
//! It holds no more than the touches of one customer within the longest look-back. Rows come in
//! the order (time, touch before conversion at the same instant, key); a row that breaks this
//! order is refused, because going on would give wrong credit in silence.

use super::{
    AttributionModel, AttributionSettings, CREDIT_UNITS, Path, Touch, split_amount, split_credit,
};
use crate::error::{JourneysError, Result};

/// A conversion to be credited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conversion {
    /// When it was, microseconds since 1970.
    pub at_us: i64,
    /// How far back a touch may lie, inclusive: [`AttributionSettings::lookback_us`] of its type.
    pub lookback_us: i64,
    /// Its money in units of 10^-6; negative for a correction, None where it has none.
    pub amount: Option<i128>,
}

/// Credit of one conversion, by one model, to one touch, or to none.
#[derive(Debug, Clone, Copy)]
pub struct CreditRow<'a, T> {
    /// Name of the model.
    pub model: &'static str,
    /// The credited touch; None where the window holds no touch and the row is `unattributed`.
    pub touch: Option<CreditedTouch<'a, T>>,
    /// Touches in the window; 0 where unattributed.
    pub path_length: u32,
    /// Its share of the conversion in units of 10^-12.
    pub credit: i64,
    /// Its share of the money in units of 10^-6.
    pub credited_amount: Option<i128>,
}

/// The touch of a [`CreditRow`].
#[derive(Debug, Clone, Copy)]
pub struct CreditedTouch<'a, T> {
    /// When it was, microseconds since 1970.
    pub at_us: i64,
    /// Its place in the path, 1-based.
    pub position: u32,
    /// What the caller gave with it.
    pub payload: &'a T,
}

/// Credits the conversions of one customer after the other. `T` is whatever the caller needs to
/// find the touch's own columns again.
#[derive(Debug)]
pub struct AttributionPass<T> {
    models: Vec<&'static dyn AttributionModel>,
    half_life_us: f64,
    lookback_max_us: i64,
    touches: Vec<Touch>,
    payloads: Vec<T>,
    /// Touches before this place are too old for any conversion to come.
    start: usize,
    last: Option<(i64, bool)>,
    weights: Vec<f64>,
    credit: Vec<i64>,
    shares: Vec<i128>,
}

impl<T> AttributionPass<T> {
    /// For the first customer, with these models (usually [`super::ALL`]).
    pub fn new(settings: &AttributionSettings, models: &[&'static dyn AttributionModel]) -> Self {
        Self {
            models: models.to_vec(),
            half_life_us: settings.half_life_us(),
            lookback_max_us: settings.lookback_max_us(),
            touches: Vec::new(),
            payloads: Vec::new(),
            start: 0,
            last: None,
            weights: Vec::new(),
            credit: Vec::new(),
            shares: Vec::new(),
        }
    }

    /// The next row is of another customer.
    pub fn begin_customer(&mut self) {
        self.touches.clear();
        self.payloads.clear();
        self.start = 0;
        self.last = None;
    }

    /// A touch of the customer.
    ///
    /// # Errors
    /// It lies before the row before it, or at the instant of a conversion that came before it.
    pub fn touch(&mut self, touch: Touch, payload: T) -> Result<()> {
        self.advance("touch", touch.at_us, false)?;
        self.touches.push(touch);
        self.payloads.push(payload);
        Ok(())
    }

    /// A conversion of the customer: `emit` gets its credit rows, model by model, each model's
    /// touches oldest first. A touch without credit gives no row. Of each model the credits sum to
    /// exactly one conversion and the money to exactly the conversion's.
    ///
    /// # Errors
    /// It lies before the row before it.
    pub fn conversion(
        &mut self,
        conversion: &Conversion,
        mut emit: impl FnMut(CreditRow<'_, T>),
    ) -> Result<()> {
        self.advance("conversion", conversion.at_us, true)?;
        let oldest_us = conversion.at_us.saturating_sub(conversion.lookback_us);
        let from = self
            .touches
            .partition_point(|touch| touch.at_us < oldest_us)
            .max(self.start);
        let touches = &self.touches[from..];
        let payloads = &self.payloads[from..];
        if touches.is_empty() {
            for model in &self.models {
                emit(CreditRow {
                    model: model.name(),
                    touch: None,
                    path_length: 0,
                    credit: CREDIT_UNITS,
                    credited_amount: conversion.amount,
                });
            }
            return Ok(());
        }
        let path_length = u32::try_from(touches.len()).unwrap_or(u32::MAX);
        let path = Path {
            touches,
            conversion_at_us: conversion.at_us,
            half_life_us: self.half_life_us,
        };
        for model in &self.models {
            self.weights.resize(touches.len(), 0.0);
            self.credit.resize(touches.len(), 0);
            self.shares.resize(touches.len(), 0);
            model.weights(&path, &mut self.weights);
            split_credit(&mut self.weights, &mut self.credit);
            if let Some(amount) = conversion.amount {
                split_amount(amount, &self.credit, &mut self.shares);
            }
            for (position, place) in (1_u32..).zip(0..touches.len()) {
                if self.credit[place] == 0 {
                    continue;
                }
                emit(CreditRow {
                    model: model.name(),
                    touch: Some(CreditedTouch {
                        at_us: touches[place].at_us,
                        position,
                        payload: &payloads[place],
                    }),
                    path_length,
                    credit: self.credit[place],
                    credited_amount: conversion.amount.map(|_| self.shares[place]),
                });
            }
        }
        Ok(())
    }

    /// What the caller gave with the oldest touch still held: whatever only older touches need can
    /// be let go.
    pub fn oldest(&self) -> Option<&T> {
        self.payloads.get(self.start)
    }

    /// Number of touches in memory: those of the longest look-back, and at most as many again.
    pub fn touches_held(&self) -> usize {
        self.touches.len()
    }

    /// Checks the order and lets go of touches that no conversion from now on can reach.
    fn advance(&mut self, what: &'static str, at_us: i64, is_conversion: bool) -> Result<()> {
        if let Some((last_at_us, _)) = self.last.filter(|&last| (at_us, is_conversion) < last) {
            return Err(JourneysError::OutOfOrder {
                what,
                at_us,
                last_at_us,
            });
        }
        self.last = Some((at_us, is_conversion));
        let oldest_us = at_us.saturating_sub(self.lookback_max_us);
        let kept = self.touches[self.start..].partition_point(|touch| touch.at_us < oldest_us);
        self.start += kept;
        if self.start > 64 && self.start * 2 > self.touches.len() {
            self.touches.drain(..self.start);
            self.payloads.drain(..self.start);
            self.start = 0;
        }
        Ok(())
    }
}
