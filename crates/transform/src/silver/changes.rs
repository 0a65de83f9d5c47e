//! What cleansing changed, while rows pass: counted whole, and of each rule and file the first
//! values kept.

use std::collections::BTreeMap;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, RecordBatch};
use datafusion::arrow::compute;
use domain::cleanse::{Effect, mask};
use lake::RAW_ID_ROW_BITS;

use super::rules::Cleansed;
use crate::{Result, TransformError};

/// Values that are kept of one file, column, rule and effect; all are counted.
pub(super) const KEPT_MAX: usize = 1000;

/// Before a column's name: the value as it came into the rules.
pub(super) const BEFORE: &str = "__before_";

/// Where rules are declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Declared {
    /// In `throughline.yml`, for a column as received.
    Stream,
    /// In the model's `.yml`, for a column of its output.
    Model,
}

impl Declared {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Stream => "stream",
            Self::Model => "model",
        }
    }
}

/// What is counted together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) file_id: i64,
    pub(super) declared: Declared,
    pub(super) column: String,
    /// Place of the rule among those of its column.
    step: usize,
    pub(super) rule: &'static str,
    pub(super) effect: Effect,
    pub(super) is_masked: bool,
}

/// A value that is kept.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Kept {
    pub(super) raw_id: i64,
    pub(super) before: String,
    pub(super) after: Option<String>,
}

/// What is known of a key.
#[derive(Debug, Default)]
pub(super) struct Group {
    /// Values that the rule did something to.
    pub(super) count: usize,
    /// The first of them by raw id.
    pub(super) kept: Vec<Kept>,
    /// Values of rows after this one are no longer kept.
    ceiling: Option<i64>,
}

impl Group {
    fn wants(&self, raw_id: i64) -> bool {
        self.ceiling.is_none_or(|ceiling| raw_id <= ceiling)
    }

    fn keep(&mut self, kept: Kept) {
        self.kept.push(kept);
        if self.kept.len() >= 2 * KEPT_MAX {
            self.cut();
        }
    }

    /// Which values are kept depends on nothing but the rows: not on the order in which they pass.
    fn cut(&mut self) {
        self.kept.sort();
        self.kept.truncate(KEPT_MAX);
        if self.kept.len() == KEPT_MAX {
            self.ceiling = self.kept.last().map(|kept| kept.raw_id);
        }
    }
}

/// What cleansing changed.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub(super) groups: BTreeMap<Key, Group>,
}

impl Changes {
    /// Looks at the rows of a batch: their `_raw_id`, and for each cleansed column the value as it
    /// came, in a column of its name behind `prefix`.
    ///
    /// # Errors
    /// A column is no text.
    pub(super) fn take(
        &mut self,
        batch: &RecordBatch,
        columns: &[Cleansed],
        declared: Declared,
        prefix: &str,
    ) -> Result<()> {
        let Some(ids) = batch.column_by_name("_raw_id") else {
            return Ok(());
        };
        let Some(ids) = ids.as_primitive_opt::<Int64Type>() else {
            return Ok(());
        };
        for column in columns {
            let Some(values) = batch.column_by_name(&format!("{prefix}{}", column.name)) else {
                continue;
            };
            let values = compute::cast(values, &arrow_schema::DataType::Utf8).map_err(|error| {
                TransformError::from(datafusion::error::DataFusionError::from(error))
            })?;
            let values = values.as_string::<i32>();
            for row in (0..values.len()).filter(|row| values.is_valid(*row)) {
                self.value(values.value(row), ids.value(row), column, declared);
            }
        }
        Ok(())
    }

    fn value(&mut self, value: &str, raw_id: i64, column: &Cleansed, declared: Declared) {
        let groups = &mut self.groups;
        column.recipe.trace(value, |step, before, after, effect| {
            let mut steps = column.recipe.steps.iter();
            let place = steps.position(|known| std::ptr::eq(known, step));
            let key = Key {
                file_id: raw_id >> RAW_ID_ROW_BITS,
                declared,
                column: column.name.clone(),
                step: place.unwrap_or_default(),
                rule: step.rule.name,
                effect,
                is_masked: column.is_personal,
            };
            let group = groups.entry(key).or_default();
            group.count += 1;
            if group.wants(raw_id) {
                let shown = |value: &str| match column.is_personal {
                    true => mask(value),
                    false => value.to_owned(),
                };
                group.keep(Kept {
                    raw_id,
                    before: shown(before),
                    after: after.map(shown),
                });
            }
        });
    }

    /// Adds what another has seen.
    pub(super) fn add(&mut self, other: Self) {
        for (key, group) in other.groups {
            let known = self.groups.entry(key).or_default();
            known.count += group.count;
            known.kept.extend(group.kept);
        }
    }

    /// All groups in order, each with its first values.
    pub(super) fn finish(mut self) -> BTreeMap<Key, Group> {
        for group in self.groups.values_mut() {
            group.cut();
        }
        self.groups
    }
}
