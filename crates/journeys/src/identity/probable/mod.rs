//! Records that are probably one person: scored links, after Fellegi and Sunter (1969).
//!
//! Pairs of records that share a blocking key are compared field by field. Each field is worth
//! log2(m / u) bits, where m is how often records of one person agree so far and u how often those
//! of two people do; together with the share of pairs that are one at all this is a probability.
//! Both are learnt from the records themselves. No result depends on the order in which records
//! come, and nothing is drawn that a second run would draw otherwise.
//!
//! What comes out is a guess with a number on it. Nothing that is sure is ever made of it here.

use domain::config::ProbableLinks;

mod blocking;
mod field;
mod records;
mod score;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_known;
mod text;
mod train;

pub use blocking::BlockingRow;
pub use field::{Compare, Field, Layout, Level};
pub use records::{Pattern, Records, RecordsBuilder};
pub use score::{ProbableLink, Scored, WeightRow};

use crate::error::{JourneysError, Result};

/// Most records of a block that is compared, where nothing is said.
pub const BLOCK_MAX: u32 = 200;

/// How records are compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ProbableSettings {
    /// Pairs below this probability do not come out.
    pub report_from: f64,
    /// Blocks of more records than this are left out.
    pub block_max: u32,
    /// Two records of one source may be one.
    pub within_source: bool,
}

impl Default for ProbableSettings {
    fn default() -> Self {
        Self {
            report_from: 0.5,
            block_max: BLOCK_MAX,
            within_source: true,
        }
    }
}

impl ProbableSettings {
    /// As given.
    ///
    /// # Errors
    /// A probability that is none; a block that holds no pair.
    pub fn new(report_from: f64, block_max: u32, within_source: bool) -> Result<Self> {
        if !(report_from > 0.0 && report_from <= 1.0) {
            return Err(JourneysError::Setting {
                setting: "report_from",
                value: report_from.to_string(),
                reason: "it is a probability: above 0, at most 1",
            });
        }
        if block_max < 2 {
            return Err(JourneysError::Setting {
                setting: "block_max",
                value: block_max.to_string(),
                reason: "a block of less than two records holds no pair",
            });
        }
        Ok(Self {
            report_from,
            block_max,
            within_source,
        })
    }
}

/// Whether what a project says of probable links can be used.
///
/// # Errors
/// A probability that is none; links that would be evidence without being reported.
pub fn check(config: &ProbableLinks) -> Result<()> {
    ProbableSettings::new(1.0, config.block_max, true).map_err(|_| JourneysError::Setting {
        setting: "identity.probable_links.block_max",
        value: config.block_max.to_string(),
        reason: "a block of less than two records holds no pair (hint: 200)",
    })?;
    let is_probability = |value: f64| value > 0.0 && value <= 1.0;
    if !is_probability(config.report_from) {
        return Err(JourneysError::Setting {
            setting: "identity.probable_links.report_from",
            value: config.report_from.to_string(),
            reason: "it is a probability: above 0, at most 1 (hint: 0.9)",
        });
    }
    let Some(as_evidence_from) = config.as_evidence_from else {
        return Ok(());
    };
    let refused = |reason| {
        Err(JourneysError::Setting {
            setting: "identity.probable_links.as_evidence_from",
            value: as_evidence_from.to_string(),
            reason,
        })
    };
    if !is_probability(as_evidence_from) {
        return refused("it is a probability: above 0, at most 1 (hint: 0.99; null for never)");
    }
    if as_evidence_from < config.report_from {
        return refused(
            "only links that are reported can be evidence (hint: at least \
             identity.probable_links.report_from)",
        );
    }
    if !config.enabled {
        return refused(
            "there are no links to make evidence of (hint: identity.probable_links.enabled: true)",
        );
    }
    Ok(())
}
