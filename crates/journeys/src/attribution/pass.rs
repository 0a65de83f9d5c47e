//! The one ordered pass: touches and conversions of one customer after the other, credit out.
//!
//! It holds no more than the touches and milestones of one customer within the longest look-back,
//! and for each type of conversion where its path begins anew. Rows come in
//! the order (time, touch before conversion at the same instant, key); a row that breaks this
//! order is refused, because going on would give wrong credit in silence.

use std::collections::VecDeque;
use std::sync::Arc;

use domain::config::{PathRestart, PathTransform};

use super::{
    AttributionModel, AttributionSettings, CREDIT_UNITS, Path, Touch, split_amount, split_credit,
    transform,
};
use crate::error::{JourneysError, Result};

/// A step on the way to a sale, to which the touch before it has led.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Milestone {
    /// The customer became a lead.
    Lead,
    /// An opportunity was made.
    Opportunity,
}

/// A conversion to be credited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Conversion {
    /// When it was, microseconds since 1970.
    pub at_us: i64,
    /// How far back a touch may lie, inclusive: [`AttributionSettings::lookback_us`] of its type.
    pub lookback_us: i64,
    /// Its money in units of 10^-6; negative for a correction, None where it has none.
    pub amount: Option<i128>,
    /// A number that stands for its type: what starts a path anew by type is told by it.
    pub kind: u64,
    /// It is a milestone itself, to which the last touch before it has led.
    pub milestone: Option<Milestone>,
}

/// Credit of one conversion, by one model, to one touch, or to none.
#[derive(Debug, Clone, Copy)]
pub struct CreditRow<'a, T> {
    /// Name of the model.
    pub model: &'a str,
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

/// A milestone, and where it stands among the touches.
#[derive(Debug, Clone, Copy)]
struct Passed {
    milestone: Milestone,
    at_us: i64,
    /// Number of touches before it, of all since the customer's first.
    touches: usize,
}

/// Where the paths of a type of conversion begin anew.
#[derive(Debug, Clone, Copy)]
struct Restart {
    kind: u64,
    at_us: i64,
    /// Number of touches before the latest conversion, of all since the customer's first.
    touches: usize,
    /// The same for the latest one at an earlier instant.
    touches_before: usize,
}

/// Credits the conversions of one customer after the other. `T` is whatever the caller needs to
/// find the touch's own columns again.
#[derive(Debug)]
pub struct AttributionPass<T> {
    models: Vec<Arc<dyn AttributionModel>>,
    half_life_us: f64,
    lookback_max_us: i64,
    transforms: Vec<PathTransform>,
    restart: PathRestart,
    touches: Vec<Touch>,
    payloads: Vec<T>,
    /// Touches before this place are too old for any conversion to come.
    start: usize,
    /// Number of touches let go since the customer's first.
    let_go: usize,
    milestones: VecDeque<Passed>,
    restarts: Vec<Restart>,
    last: Option<(i64, bool)>,
    /// Places of the path's touches, and the touches themselves where a transform drops some.
    kept: Vec<usize>,
    path: Vec<Touch>,
    weights: Vec<f64>,
    credit: Vec<i64>,
    shares: Vec<i128>,
}

impl<T> AttributionPass<T> {
    /// For the first customer, with these models (usually [`AttributionSettings::models`]).
    pub fn new(settings: &AttributionSettings, models: Vec<Arc<dyn AttributionModel>>) -> Self {
        Self {
            models,
            half_life_us: settings.half_life_us(),
            lookback_max_us: settings.lookback_max_us(),
            transforms: settings.transforms().to_vec(),
            restart: settings.restart(),
            touches: Vec::new(),
            payloads: Vec::new(),
            start: 0,
            let_go: 0,
            milestones: VecDeque::new(),
            restarts: Vec::new(),
            last: None,
            kept: Vec::new(),
            path: Vec::new(),
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
        self.let_go = 0;
        self.milestones.clear();
        self.restarts.clear();
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

    /// The customer passed a milestone: the touch before it has led there.
    ///
    /// # Errors
    /// It lies before the row before it, or at the instant of a conversion that came before it.
    pub fn milestone(&mut self, milestone: Milestone, at_us: i64) -> Result<()> {
        self.advance("milestone", at_us, false)?;
        self.passed(milestone, at_us);
        Ok(())
    }

    fn passed(&mut self, milestone: Milestone, at_us: i64) {
        self.milestones.push_back(Passed {
            milestone,
            at_us,
            touches: self.let_go + self.touches.len(),
        });
    }

    /// A conversion of the customer: `emit` gets its credit rows, model by model, each model's
    /// touches oldest first. A touch without credit gives no row. Of each additive model the
    /// credits sum to exactly one conversion and the money to exactly the conversion's.
    ///
    /// # Errors
    /// It lies before the row before it.
    pub fn conversion(
        &mut self,
        conversion: &Conversion,
        mut emit: impl FnMut(CreditRow<'_, T>),
    ) -> Result<()> {
        self.advance("conversion", conversion.at_us, true)?;
        if let Some(milestone) = conversion.milestone {
            self.passed(milestone, conversion.at_us);
        }
        let oldest_us = conversion.at_us.saturating_sub(conversion.lookback_us);
        let from = self
            .touches
            .partition_point(|touch| touch.at_us < oldest_us)
            .max(self.start)
            .max(self.begins(conversion));
        self.take_path(from);
        if self.kept.is_empty() {
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
        let path = Path {
            touches: &self.path,
            lead: self.part(Milestone::Lead, oldest_us),
            opportunity: self.part(Milestone::Opportunity, oldest_us),
            conversion_at_us: conversion.at_us,
            half_life_us: self.half_life_us,
        };
        let path_length = u32::try_from(path.touches.len()).unwrap_or(u32::MAX);
        for model in &self.models {
            self.weights.resize(path.touches.len(), 0.0);
            self.credit.resize(path.touches.len(), 0);
            self.shares.resize(path.touches.len(), 0);
            if model.is_additive() {
                model.weights(&path, &mut self.weights);
                split_credit(&mut self.weights, &mut self.credit);
                if let Some(amount) = conversion.amount {
                    split_amount(amount, &self.credit, &mut self.shares);
                }
            } else {
                self.credit.fill(CREDIT_UNITS);
                self.shares.fill(conversion.amount.unwrap_or_default());
            }
            for (position, place) in (1_u32..).zip(0..path.touches.len()) {
                if self.credit[place] == 0 {
                    continue;
                }
                emit(CreditRow {
                    model: model.name(),
                    touch: Some(CreditedTouch {
                        at_us: path.touches[place].at_us,
                        position,
                        payload: &self.payloads[self.kept[place]],
                    }),
                    path_length,
                    credit: self.credit[place],
                    credited_amount: conversion.amount.map(|_| self.shares[place]),
                });
            }
        }
        Ok(())
    }

    /// Place of the first touch that an earlier conversion has not used up, and notes this one.
    /// Conversions of one instant have the same path.
    fn begins(&mut self, conversion: &Conversion) -> usize {
        let kind = match self.restart {
            PathRestart::Never => return 0,
            PathRestart::SameType => conversion.kind,
            PathRestart::Any => 0,
        };
        let now = Restart {
            kind,
            at_us: conversion.at_us,
            touches: self.let_go + self.touches.len(),
            touches_before: 0,
        };
        let known = self.restarts.iter_mut().find(|known| known.kind == kind);
        let begins = match known {
            None => {
                self.restarts.push(now);
                0
            }
            Some(known) if known.at_us == now.at_us => known.touches_before,
            Some(known) => {
                let touches_before = known.touches;
                *known = Restart {
                    touches_before,
                    ..now
                };
                touches_before
            }
        };
        begins.saturating_sub(self.let_go)
    }

    /// Takes the touches from this place on, as the transforms leave them.
    fn take_path(&mut self, from: usize) {
        self.kept.clear();
        self.kept
            .extend(from.min(self.touches.len())..self.touches.len());
        transform::apply(&self.transforms, &self.touches, &mut self.kept);
        let touches = &self.touches;
        self.path.clear();
        self.path
            .extend(self.kept.iter().map(|&place| touches[place]));
    }

    /// Place in the path of the touch that led to the first such milestone within the window.
    fn part(&self, milestone: Milestone, oldest_us: i64) -> Option<usize> {
        let passed = self.milestones.iter();
        let mut passed =
            passed.filter(|passed| passed.milestone == milestone && passed.at_us >= oldest_us);
        passed.find_map(|passed| {
            let touches = passed.touches.saturating_sub(self.let_go);
            self.kept
                .partition_point(|&place| place < touches)
                .checked_sub(1)
        })
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
            self.let_go += self.start;
            self.start = 0;
        }
        while self
            .milestones
            .front()
            .is_some_and(|passed| passed.at_us < oldest_us)
        {
            self.milestones.pop_front();
        }
        Ok(())
    }
}
