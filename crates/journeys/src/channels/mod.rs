//! Which channel: from a page's address and referrer to source, medium and campaign, from these to
//! the default channel group of GA4; and which visitors are robots.
//!
//! What changes is data: [`TrafficRules`], [`ChannelRules`] and [`BotPatterns`] are built from the
//! text of seeds (`models/seeds/*.csv`) that a project may replace. The functions are pure and
//! allocate little; a caller that sees the same value many times may cache its result.

mod bots;
mod click_id;
mod group;
mod referrer;
mod seed;
#[cfg(test)]
mod tests;
mod traffic;
pub mod url;

pub use bots::BotPatterns;
pub use click_id::{ClickId, ClickIds, Decides};
pub use group::{ChannelRules, SourceLists, UNASSIGNED};
pub use referrer::{ReferrerHost, ReferrerHosts};
pub use traffic::{Resolution, TrafficInput, TrafficRules, TrafficSource};
