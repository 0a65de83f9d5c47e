//! Click ids: parameters that ad platforms put into the addresses their clicks lead to.
//!
//! From the seed `click_id`, strongest first: `parameter,source,medium,campaign,is_paid_proof,
//! decides`. Not every one proves an ad: `fbclid` is on organic clicks too.

use super::seed;
use crate::error::Result;

/// When a click id decides where a visitor came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Decides {
    /// Always, also against utm parameters.
    OverUtm,
    /// Where no utm parameter says it.
    WithoutUtm,
    /// Never: it is only kept.
    Never,
}

/// A kind of click id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClickId {
    /// Name of the parameter, in any case.
    pub parameter: String,
    /// Source it stands for; empty where it decides nothing.
    pub source: String,
    /// Medium it stands for; empty where it decides nothing.
    pub medium: String,
    /// Campaign it stands for, mostly empty.
    pub campaign: String,
    /// Only paid clicks have it.
    pub is_paid_proof: bool,
    /// When it decides.
    pub decides: Decides,
}

/// The known click ids, strongest first.
#[derive(Debug, Clone, Default)]
pub struct ClickIds {
    kinds: Vec<ClickId>,
}

impl ClickIds {
    /// From the text of the seed `click_id`. Those that decide over utm come first, then those
    /// that decide without, then the rest; among equals the order of the seed.
    ///
    /// # Errors
    /// No CSV, a missing column, a value that is not one of those allowed.
    pub fn from_csv(text: &str) -> Result<Self> {
        let columns = [
            "parameter",
            "source",
            "medium",
            "campaign",
            "is_paid_proof",
            "decides",
        ];
        let mut kinds = Vec::new();
        for row in seed::rows("click_id", text, &columns)? {
            let decides = match row.get(5) {
                "over_utm" => Decides::OverUtm,
                "without_utm" => Decides::WithoutUtm,
                "never" => Decides::Never,
                other => {
                    return Err(row.error(format!(
                        "`decides` is `{other}`, not `over_utm`, `without_utm` or `never`"
                    )));
                }
            };
            let is_paid_proof = match row.get(4) {
                "true" => true,
                "false" => false,
                other => {
                    return Err(row.error(format!(
                        "`is_paid_proof` is `{other}`, not `true` or `false`"
                    )));
                }
            };
            let kind = ClickId {
                parameter: row.get(0).to_owned(),
                source: row.get(1).to_lowercase(),
                medium: row.get(2).to_lowercase(),
                campaign: row.get(3).to_owned(),
                is_paid_proof,
                decides,
            };
            if kind.parameter.is_empty() {
                return Err(row.error("`parameter` is empty"));
            }
            if decides != Decides::Never && (kind.source.is_empty() || kind.medium.is_empty()) {
                return Err(row.error("a click id that decides needs `source` and `medium`"));
            }
            kinds.push(kind);
        }
        kinds.sort_by_key(|kind| kind.decides);
        Ok(Self { kinds })
    }

    /// Place of the kind with this parameter name, in any case; a lower place is stronger.
    pub fn place(&self, parameter: &str) -> Option<usize> {
        self.kinds
            .iter()
            .position(|kind| kind.parameter.eq_ignore_ascii_case(parameter))
    }

    /// The kind in that place.
    pub fn get(&self, place: usize) -> Option<&ClickId> {
        self.kinds.get(place)
    }
}
