//! Which cleansing rules a silver model's values go through: those of its columns, declared in its
//! `.yml`, and those of its streams' columns, declared in `throughline.yml`.

use std::sync::Arc;

use domain::cleanse::{Defaults, EDITION, Mistake, Recipe};
use domain::config::Stream;
use domain::entity::Entity;
use serde_json::Value;

use crate::compile::ParsedModel;
use crate::project::problem::suggestion;
use crate::{Result, TransformError};

/// Name that stands for every column of a stream.
const EVERY: &str = "*";

/// Rules for values by which people are reached.
const PERSONAL: [&str; 2] = ["email", "phone"];

/// A column and its rules.
#[derive(Debug, Clone)]
pub(super) struct Cleansed {
    /// The column.
    pub(super) name: String,
    /// Its rules.
    pub(super) recipe: Arc<Recipe>,
    /// Its values are not to be kept in clear.
    pub(super) is_personal: bool,
}

/// What a project says where a rule is told nothing.
pub(super) fn defaults(country: Option<&String>, stream: Option<&Stream>) -> Defaults {
    let decimal = stream.and_then(|stream| stream.files.decimal.as_deref());
    Defaults {
        country: country.cloned(),
        decimal: decimal.and_then(|sign| sign.chars().next()),
    }
}

/// The columns of a model's output that have rules.
///
/// # Errors
/// A rule is none; loading the project has checked them.
pub(super) fn of_model(
    model: &ParsedModel,
    entity: &Entity,
    defaults: &Defaults,
) -> Result<Vec<Cleansed>> {
    let columns = model.model.properties.columns.iter();
    let with_rules = columns.filter_map(|column| Some((column, column.cleanse.as_ref()?)));
    let cleansed = with_rules.map(|(column, declared)| {
        let promised = entity.column(&column.name);
        let marked = column.meta.get("pii").is_some_and(|pii| !pii.is_null());
        let recipe = Recipe::new(declared, defaults);
        let recipe = recipe.map_err(|mistake| refused(model.name(), mistake))?;
        let mut steps = recipe.steps.iter();
        // Whoever declares these says what the column holds.
        let reaches_people = steps.any(|step| PERSONAL.contains(&step.rule.name));
        let is_personal = promised.is_some_and(|column| column.pii.is_some());
        Ok(Cleansed {
            name: column.name.clone(),
            recipe: Arc::new(recipe),
            is_personal: marked || is_personal || reaches_people,
        })
    });
    cleansed.collect()
}

/// The columns of a stream that have rules: `*` for all of them, then each one's own. What a
/// stream's columns mean is not known, so that all of them may be personal.
///
/// # Errors
/// A column with rules is not among `columns`.
pub(super) fn of_stream(
    model: &str,
    stream: &Stream,
    columns: &[String],
    defaults: &Defaults,
) -> Result<Vec<Cleansed>> {
    let Some(declared) = &stream.files.cleanse else {
        return Ok(Vec::new());
    };
    let named = |column: &str| {
        let mut own = declared.iter();
        own.find(|(name, _)| raw_name(name).eq_ignore_ascii_case(&raw_name(column)))
    };
    let is_there = |name: &String| {
        let mut columns = columns.iter();
        name == EVERY || columns.any(|known| raw_name(known).eq_ignore_ascii_case(&raw_name(name)))
    };
    if columns.is_empty() && !declared.is_empty() {
        return Err(TransformError::Silver {
            model: model.to_owned(),
            why: format!(
                "`cleanse` of the stream `{}.{}` names columns, and its files hold documents",
                stream.source, stream.name
            ),
            hint: "declare the rules for columns of the model, in the `.yml` beside it".into(),
        });
    }
    if let Some(unknown) = declared.keys().find(|name| !is_there(name)) {
        return Err(TransformError::Silver {
            model: model.to_owned(),
            why: format!(
                "`cleanse` of the stream `{}.{}` names the column `{unknown}`, which its files do \
                 not have",
                stream.source, stream.name
            ),
            hint: suggestion(unknown, columns.iter().map(String::as_str), "column"),
        });
    }
    let mut cleansed = Vec::new();
    for column in columns {
        let every = declared.get(EVERY).into_iter();
        let own = named(column).map(|(_, rules)| rules);
        let rules: Vec<Value> = every.chain(own).flat_map(listed).cloned().collect();
        if rules.is_empty() {
            continue;
        }
        let recipe = Recipe::new(&Value::Array(rules), defaults);
        cleansed.push(Cleansed {
            name: column.clone(),
            recipe: Arc::new(recipe.map_err(|mistake| refused(model, mistake))?),
            is_personal: true,
        });
    }
    Ok(cleansed)
}

fn listed(declared: &Value) -> &[Value] {
    match declared {
        Value::Array(list) => list,
        one => std::slice::from_ref(one),
    }
}

/// A header as a raw table may spell it: signs that its columns cannot have are told apart from
/// none.
fn raw_name(name: &str) -> String {
    let letters = name.trim().chars();
    let plain = letters.map(|c| if c.is_alphanumeric() { c } else { '_' });
    let mut plain: String = plain.collect();
    while plain.contains("__") {
        plain = plain.replace("__", "_");
    }
    plain.trim_matches('_').to_owned()
}

fn refused(model: &str, mistake: Mistake) -> TransformError {
    TransformError::Silver {
        model: model.to_owned(),
        why: mistake.what,
        hint: mistake.hint,
    }
}

/// What cleansing depends on, as one text; empty where there is none.
pub(super) fn fingerprint<'a>(
    columns: &[Cleansed],
    streams: impl Iterator<Item = (&'a Stream, Defaults)>,
) -> String {
    let columns = columns.iter();
    let mut parts: Vec<String> = columns
        .map(|column| format!("{}={}", column.name, column.recipe.spec()))
        .collect();
    for (stream, defaults) in streams {
        for (column, declared) in stream.files.cleanse.iter().flatten() {
            let recipe = Recipe::new(declared, &defaults);
            let spec = recipe.map_or(String::new(), |recipe| recipe.spec().to_owned());
            parts.push(format!("{}.{}.{column}={spec}", stream.source, stream.name));
        }
    }
    match parts.is_empty() {
        true => String::new(),
        false => format!("|cleanse {EDITION} {}", parts.join(";")),
    }
}
