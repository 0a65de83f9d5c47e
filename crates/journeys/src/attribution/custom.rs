//! Weights that a project declares itself, under a name of its own.

use std::borrow::Cow;
use std::sync::Arc;

use domain::config::CustomWeights;

use super::{AttributionModel, Path, Roles, is_built_in};
use crate::error::{JourneysError, Result};

/// Weights by place, counted from the first touch.
#[derive(Debug, Clone, PartialEq)]
struct Places {
    name: String,
    weights: Vec<f64>,
}

impl AttributionModel for Places {
    fn name(&self) -> &str {
        &self.name
    }

    fn weights(&self, _path: &Path<'_>, weights: &mut [f64]) {
        for (place, weight) in weights.iter_mut().enumerate() {
            *weight = self.weights.get(place).copied().unwrap_or(0.0);
        }
    }
}

/// The model that `attribution.custom` declares under this name.
///
/// # Errors
/// The name is taken or is no name, or the weights are not numbers of at least 0 with one above 0.
pub(super) fn custom(name: &str, weights: &CustomWeights) -> Result<Arc<dyn AttributionModel>> {
    let wrong = |reason| {
        Err(JourneysError::CustomModel {
            name: name.to_owned(),
            reason,
        })
    };
    let is_name = name.starts_with(|first: char| first.is_ascii_lowercase())
        && name
            .chars()
            .all(|other| other.is_ascii_lowercase() || other.is_ascii_digit() || other == '_');
    if !is_name {
        return wrong("a model is named with small letters, digits and `_`");
    }
    if is_built_in(name) {
        return wrong("there is a model of this name already");
    }
    let numbers = match weights {
        CustomWeights::Places(places) => places.clone(),
        CustomWeights::Roles(roles) => vec![
            roles.first,
            roles.lead,
            roles.opportunity,
            roles.last,
            roles.middle,
        ],
    };
    if !numbers
        .iter()
        .all(|weight| weight.is_finite() && *weight >= 0.0)
    {
        return wrong("a weight is a number of at least 0");
    }
    if !numbers.iter().any(|weight| *weight > 0.0) {
        return wrong("no weight is above 0");
    }
    Ok(match weights {
        CustomWeights::Places(places) => Arc::new(Places {
            name: name.to_owned(),
            weights: places.clone(),
        }),
        CustomWeights::Roles(roles) => Arc::new(Roles {
            name: Cow::Owned(name.to_owned()),
            first: roles.first,
            lead: roles.lead,
            opportunity: roles.opportunity,
            last: roles.last,
            middle: roles.middle,
        }),
    })
}
