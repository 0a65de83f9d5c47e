//! Full path, also called Z-shaped: as the W, and the touch that closed.

use std::borrow::Cow;

use super::Roles;

/// 22.5 % each to the first touch, the lead's, the opportunity's and the last, 10 % to the others.
pub const FULL_PATH: Roles = Roles {
    name: Cow::Borrowed("full_path"),
    first: 0.225,
    lead: 0.225,
    opportunity: 0.225,
    last: 0.225,
    middle: 0.1,
};
