//! Which models are fitted, as a project sets it.

use super::FittedModel;
use crate::error::{JourneysError, Result};

/// What fitting needs of `attribution.fitted` in `throughline.yml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FittedSettings {
    /// The models, each once, in the order of [`FittedModel::ALL`].
    pub models: Vec<FittedModel>,
    /// Repeats of a channel are one touch before states are made of touches.
    pub collapse_channels_first: bool,
}

impl FittedSettings {
    /// From the project's settings.
    ///
    /// # Errors
    /// A model that there is not.
    pub fn new(config: &domain::config::FittedAttribution) -> Result<Self> {
        Ok(Self {
            models: models(config.models.iter().map(String::as_str))?,
            collapse_channels_first: config.collapse_channels_first,
        })
    }
}

/// The models of those names, each once, in the order of tables.
///
/// # Errors
/// A model that there is not.
pub fn models<'a>(names: impl Iterator<Item = &'a str>) -> Result<Vec<FittedModel>> {
    let mut models = Vec::new();
    for name in names {
        let model = FittedModel::by_name(name).ok_or_else(|| JourneysError::Setting {
            setting: "attribution.fitted.models",
            value: name.to_owned(),
            reason: "the models that can be fitted are markov_1, markov_2, markov_3, shapley and \
                     shapley_rate",
        })?;
        models.push(model);
    }
    models.sort_unstable();
    models.dedup();
    Ok(models)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_come_once_and_unknown_ones_are_named() {
        let known = models(["shapley", "markov_1", "shapley"].into_iter()).unwrap();
        assert_eq!(known, [FittedModel::Markov(1), FittedModel::Shapley]);
        let error = models(["markov_9"].into_iter()).unwrap_err().to_string();
        assert!(
            error.contains("`markov_9`") && error.contains("markov_3"),
            "{error}"
        );
    }
}
