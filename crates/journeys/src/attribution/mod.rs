//! Who gets the credit: models that weigh the touches before a conversion, and the pass that
//! applies them.
//!
//! A model is one file here and one line in [`ALL`]. It only weighs; [`split_credit`] and
//! [`split_amount`] turn weights into whole units whose sums are exact, and [`AttributionPass`]
//! walks one customer after the other.

mod credit;
mod first;
mod last;
mod last_non_direct;
mod linear;
mod pass;
mod position;
mod settings;
#[cfg(test)]
mod tests;
mod time_decay;

pub use credit::{AMOUNT_UNITS_PER_CENT, CREDIT_UNITS, split_amount, split_credit};
pub use first::First;
pub use last::Last;
pub use last_non_direct::LastNonDirect;
pub use linear::Linear;
pub use pass::{AttributionPass, Conversion, CreditRow, CreditedTouch};
pub use position::Position;
pub use settings::AttributionSettings;
pub use time_decay::TimeDecay;

/// A touch, as a model sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Touch {
    /// When it was, microseconds since 1970.
    pub at_us: i64,
    /// The visitor came by typing the address or from a bookmark: nothing is known.
    pub is_direct: bool,
}

/// The touches before a conversion, oldest first, never empty.
#[derive(Debug, Clone, Copy)]
pub struct Path<'a> {
    /// The touches in the look-back window.
    pub touches: &'a [Touch],
    /// When the conversion was, microseconds since 1970.
    pub conversion_at_us: i64,
    /// In how many microseconds a touch loses half its weight, for models that use time.
    pub half_life_us: f64,
}

/// A rule that weighs the touches before a conversion.
pub trait AttributionModel: std::fmt::Debug + Sync {
    /// Its name in tables.
    fn name(&self) -> &'static str;

    /// Writes one weight for each touch of the path, in its order: 0 or more, of any scale, at
    /// least one of them above 0. `weights` is as long as the path and holds no values to rely on.
    fn weights(&self, path: &Path<'_>, weights: &mut [f64]);
}

/// The models, in the order in which tables list them.
pub const ALL: &[&dyn AttributionModel] = &[
    &First,
    &Last,
    &LastNonDirect,
    &Linear,
    &Position::U_SHAPED,
    &TimeDecay,
];

/// The model of that name.
pub fn by_name(name: &str) -> Option<&'static dyn AttributionModel> {
    ALL.iter().copied().find(|model| model.name() == name)
}
