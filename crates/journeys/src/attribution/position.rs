//! Fixed shares for the first and the last touch, the rest evenly to those between.

use std::borrow::Cow;

use super::Roles;

/// Credit by place in the path. One touch gets all; two share in the proportion first : last.
#[derive(Debug, Clone, Copy)]
pub struct Position;

impl Position {
    /// 40 % first, 40 % last, 20 % between: what is meant by "position based".
    pub const U_SHAPED: Roles = Self::shares("position", 0.4, 0.4);

    /// 20 % first, 60 % last: for those who care who closes.
    pub const J_SHAPED: Roles = Self::shares("j_shaped", 0.2, 0.6);

    /// 60 % first, 20 % last: for those who care who opens.
    pub const INVERSE_J: Roles = Self::shares("inverse_j", 0.6, 0.2);

    /// A form with other shares; what first and last leave of 1 goes to the touches between.
    pub const fn shares(name: &'static str, first: f64, last: f64) -> Roles {
        Roles {
            name: Cow::Borrowed(name),
            first,
            lead: 0.0,
            opportunity: 0.0,
            last,
            middle: 1.0 - first - last,
        }
    }
}
