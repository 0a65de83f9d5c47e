//! Who gets the credit: models that weigh the touches before a conversion, and the pass that
//! applies them.
//!
//! A model is one file here and one line in [`built_in`]. It only weighs; [`split_credit`] and
//! [`split_amount`] turn weights into whole units whose sums are exact, and [`AttributionPass`]
//! walks one customer after the other.

mod credit;
mod custom;
mod first;
pub mod fitted;
mod full_path;
mod last;
mod last_non_direct;
mod linear;
mod paid;
mod participation;
mod pass;
#[cfg(test)]
mod path_tests;
mod position;
mod roles;
mod settings;
#[cfg(test)]
mod tests;
mod time_decay;
mod transform;
mod w_shaped;

use std::sync::Arc;

pub use credit::{AMOUNT_UNITS_PER_CENT, CREDIT_UNITS, split_amount, split_credit};
pub use first::First;
pub use full_path::FULL_PATH;
pub use last::Last;
pub use last_non_direct::LastNonDirect;
pub use linear::Linear;
pub use paid::{FirstPaid, LastPaid};
pub use participation::Participation;
pub use pass::{AttributionPass, Conversion, CreditRow, CreditedTouch, Milestone};
pub use position::Position;
pub use roles::Roles;
pub use settings::AttributionSettings;
pub use time_decay::TimeDecay;
pub use w_shaped::W_SHAPED;

/// A touch, as a model sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Touch {
    /// When it was, microseconds since 1970.
    pub at_us: i64,
    /// The visitor came by typing the address or from a bookmark: nothing is known.
    pub is_direct: bool,
    /// Its channel is one that is paid for.
    pub is_paid: bool,
    /// Which channel it came through, for transforms of the path that compare channels.
    pub channel: i64,
}

/// The touches before a conversion, oldest first, never empty.
#[derive(Debug, Clone, Copy, Default)]
pub struct Path<'a> {
    /// The touches in the look-back window.
    pub touches: &'a [Touch],
    /// Place of the last touch before the customer became a lead, where one did within the window.
    pub lead: Option<usize>,
    /// Place of the last touch before there was an opportunity.
    pub opportunity: Option<usize>,
    /// When the conversion was, microseconds since 1970.
    pub conversion_at_us: i64,
    /// In how many microseconds a touch loses half its weight, for models that use time.
    pub half_life_us: f64,
}

/// A rule that weighs the touches before a conversion.
pub trait AttributionModel: std::fmt::Debug + Send + Sync {
    /// Its name in tables.
    fn name(&self) -> &str;

    /// Its credits of one conversion sum to one. Where they do not, every touch gets the whole
    /// conversion, and nothing may be added up.
    fn is_additive(&self) -> bool {
        true
    }

    /// Writes one weight for each touch of the path, in its order: 0 or more, of any scale, at
    /// least one of them above 0. `weights` is as long as the path and holds no values to rely on.
    fn weights(&self, path: &Path<'_>, weights: &mut [f64]);
}

/// The models that are always computed: reports show them side by side.
pub const ALWAYS: [&str; 6] = [
    "first",
    "last",
    "last_non_direct",
    "linear",
    "position",
    "time_decay",
];

/// All models that are built in, in the order in which tables list them.
pub fn built_in() -> Vec<Arc<dyn AttributionModel>> {
    vec![
        Arc::new(First),
        Arc::new(Last),
        Arc::new(LastNonDirect),
        Arc::new(Linear),
        Arc::new(Position::U_SHAPED),
        Arc::new(TimeDecay),
        Arc::new(FirstPaid),
        Arc::new(LastPaid),
        Arc::new(Position::J_SHAPED),
        Arc::new(Position::INVERSE_J),
        Arc::new(W_SHAPED),
        Arc::new(FULL_PATH),
        Arc::new(Participation),
    ]
}

/// The built-in model of that name.
pub fn by_name(name: &str) -> Option<Arc<dyn AttributionModel>> {
    built_in().into_iter().find(|model| model.name() == name)
}

fn is_built_in(name: &str) -> bool {
    by_name(name).is_some()
}
