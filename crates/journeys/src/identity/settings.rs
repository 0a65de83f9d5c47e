//! What a project says about the identity graph.

use domain::config::{Identity, LimitsBy};

use super::NodeType;
use crate::error::{JourneysError, Result};

/// Which link loses where a customer would have too many identifiers of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkOrder {
    /// Links are made again from the newest to the oldest: the newest wins.
    NewestFirst,
    /// Links are made in the order of time: who came first stays.
    OldestFirst,
}

/// What is evidence, and how much of it one customer may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GraphSettings {
    /// Most distinct user ids (or contacts, or buyers, of one source) of one device, cookie,
    /// telephone or order.
    pub degree_max: u32,
    /// Most distinct e-mails of one such identifier.
    pub emails_max: u32,
    /// Most identifiers that one customer may have, by type in the order of [`NodeType::ALL`];
    /// contacts, leads and buyers are counted source by source.
    pub limits: [u32; NodeType::ALL.len()],
    /// Which link loses where a limit would be passed.
    pub limits_by: LinkOrder,
}

impl GraphSettings {
    /// Every edge counts, and no customer is too large.
    pub const OFF: Self = Self {
        degree_max: u32::MAX,
        emails_max: u32::MAX,
        limits: [u32::MAX; NodeType::ALL.len()],
        limits_by: LinkOrder::NewestFirst,
    };

    /// From the project's settings.
    ///
    /// # Errors
    /// A limit of a type of identifier that there is not, or of none.
    pub fn new(config: &Identity) -> Result<Self> {
        let mut settings = Self {
            degree_max: config.degree_max,
            emails_max: config.emails_max,
            limits_by: match config.limits_by {
                LimitsBy::Newest => LinkOrder::NewestFirst,
                LimitsBy::First => LinkOrder::OldestFirst,
            },
            ..Self::OFF
        };
        for (name, most) in &config.limits {
            let wrong = |reason| JourneysError::Setting {
                setting: "identity.limits",
                value: format!("{name}: {most}"),
                reason,
            };
            if *most == 0 {
                return Err(wrong("a customer has at least one"));
            }
            let node_type = NodeType::parse(name).ok_or_else(|| {
                wrong(
                    "the types are user, contact, lead, buyer, email, phone, order, device, cookie",
                )
            })?;
            settings.limits[node_type as usize] = *most;
        }
        Ok(settings)
    }

    /// Most identifiers of that type that one customer may have; `u32::MAX` where there is no
    /// limit.
    pub(super) fn limit(&self, node_type: NodeType) -> u32 {
        self.limits[node_type as usize]
    }
}
