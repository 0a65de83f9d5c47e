//! W-shaped: the first touch, the one that made a lead and the one that made an opportunity.

use std::borrow::Cow;

use super::Roles;

/// 30 % each to the first touch, the lead's and the opportunity's, 10 % to the others.
pub const W_SHAPED: Roles = Roles {
    name: Cow::Borrowed("w_shaped"),
    first: 0.3,
    lead: 0.3,
    opportunity: 0.3,
    last: 0.0,
    middle: 0.1,
};
