//! Which models weigh, how far back a touch may lie, how fast it fades, what a path is made of.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::config::{CustomWeights, PathRestart, PathTransform};

use super::custom::custom;
use super::{ALWAYS, AttributionModel, built_in, is_built_in};
use crate::error::{JourneysError, Result};

const DAY_US: i64 = 86_400_000_000;
/// Look-back where the project names none.
const LOOKBACK_DAYS_DEFAULT: u32 = 90;

/// The project's attribution settings in microseconds.
#[derive(Debug, Clone, PartialEq)]
pub struct AttributionSettings {
    lookback_us: BTreeMap<String, i64>,
    lookback_default_us: i64,
    half_life_us: f64,
    models: Vec<String>,
    custom: BTreeMap<String, CustomWeights>,
    transforms: Vec<PathTransform>,
    restart: PathRestart,
}

impl AttributionSettings {
    /// From `attribution:` of `throughline.yml`.
    ///
    /// # Errors
    /// A half-life that is not above 0, a model that there is not, custom weights that are none.
    pub fn new(config: &domain::config::Attribution) -> Result<Self> {
        let half_life_us = config.half_life_days * DAY_US as f64;
        if !(half_life_us.is_finite() && half_life_us > 0.0) {
            return Err(JourneysError::Setting {
                setting: "attribution.half_life_days",
                value: config.half_life_days.to_string(),
                reason: "a half-life is a number of days above 0",
            });
        }
        let mut lookback_us: BTreeMap<String, i64> = config
            .lookback_days
            .iter()
            .map(|(conversion_type, &days)| (conversion_type.clone(), i64::from(days) * DAY_US))
            .collect();
        let lookback_default_us = lookback_us
            .remove("default")
            .unwrap_or(i64::from(LOOKBACK_DAYS_DEFAULT) * DAY_US);
        for (name, weights) in &config.custom {
            custom(name, weights)?;
        }
        for name in &config.models {
            if !is_built_in(name) && !config.custom.contains_key(name) {
                let known = built_in();
                let known = known.iter().map(|model| model.name());
                let known: Vec<&str> = known
                    .chain(config.custom.keys().map(String::as_str))
                    .collect();
                return Err(JourneysError::UnknownModel {
                    name: name.clone(),
                    known: known.join(", "),
                });
            }
        }
        Ok(Self {
            lookback_us,
            lookback_default_us,
            half_life_us,
            models: config.models.clone(),
            custom: config.custom.clone(),
            transforms: config.path_transforms.clone(),
            restart: config.path_restart,
        })
    }

    /// The models to compute: those that always are, those that the project asks for, and the ones
    /// it declares.
    ///
    /// # Errors
    /// Custom weights that are none; [`Self::new`] has refused them before.
    pub fn models(&self) -> Result<Vec<Arc<dyn AttributionModel>>> {
        let asked = |name: &str| ALWAYS.contains(&name) || self.models.iter().any(|m| m == name);
        let mut models = built_in();
        models.retain(|model| asked(model.name()));
        for (name, weights) in &self.custom {
            models.push(custom(name, weights)?);
        }
        Ok(models)
    }

    /// What is taken out of a path before it is weighed.
    pub fn transforms(&self) -> &[PathTransform] {
        &self.transforms
    }

    /// Whether a path begins anew after a conversion.
    pub fn restart(&self) -> PathRestart {
        self.restart
    }

    /// How far before a conversion of this type a touch may lie, inclusive.
    pub fn lookback_us(&self, conversion_type: &str) -> i64 {
        self.lookback_us
            .get(conversion_type)
            .copied()
            .unwrap_or(self.lookback_default_us)
    }

    /// The longest look-back of all types: an older touch can be forgotten.
    pub fn lookback_max_us(&self) -> i64 {
        self.lookback_us
            .values()
            .copied()
            .fold(self.lookback_default_us, i64::max)
    }

    /// In how many microseconds a touch loses half its weight.
    pub fn half_life_us(&self) -> f64 {
        self.half_life_us
    }
}
