//! Fixed shares for the first and the last touch, the rest evenly to those between.

use super::{AttributionModel, Path};

/// Credit by place in the path. One touch gets all; two share in the proportion first : last.
#[derive(Debug, Clone, Copy)]
pub struct Position {
    name: &'static str,
    first: f64,
    last: f64,
}

impl Position {
    /// 40 % first, 40 % last, 20 % between: what is meant by "position based".
    pub const U_SHAPED: Self = Self::new("position", 0.4, 0.4);

    /// A form with other shares; what first and last leave of 1 goes to the touches between.
    pub const fn new(name: &'static str, first: f64, last: f64) -> Self {
        Self { name, first, last }
    }
}

impl AttributionModel for Position {
    fn name(&self) -> &'static str {
        self.name
    }

    fn weights(&self, _path: &Path<'_>, weights: &mut [f64]) {
        match weights {
            [] => {}
            [only] => *only = 1.0,
            [first, between @ .., last] => {
                *first = self.first;
                *last = self.last;
                let rest = 1.0 - self.first - self.last;
                let share = rest / between.len().max(1) as f64;
                between.fill(share);
            }
        }
    }
}
