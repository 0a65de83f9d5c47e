//! Which keys of a model are dirty: for whom something changed since it was built.
//!
//! The rows that an input lost and gained since then are found by comparing the files of its two
//! versions: rows that merely moved to another file cancel out. A changed row names keys of the
//! model by a column of its own, or by the column of another input that it is joined with
//! (`keys_of`). Keys that share a group (`key_groups`) are dirty together.

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Int64Array, RecordBatch};
use datafusion::datasource::MemTable;
use futures::StreamExt as _;
use lake::{LakeError, LakeTable, Table, TableName};

use super::Context;
use super::decide::{self, Input};
use crate::compile::{ParsedModel, Target};
use crate::project::KeyRule;
use crate::{Result, Warehouse};

/// The dirty keys of a model that was built as `base`; none where it has to be built whole.
pub(super) async fn dirty(
    context: &Context<'_>,
    model: &ParsedModel,
    key: &str,
    base: &Table,
) -> Result<Option<BTreeSet<i64>>> {
    let mut keys = BTreeSet::new();
    for (name, input) in decide::inputs(context.manifest, model).tables {
        let Some(now) = context.warehouse.lake.table(&name).await? else {
            return Ok(None);
        };
        let Some(seen) = base.ledger.inputs.get(&name.to_string()) else {
            return Ok(None);
        };
        if decide::last_change(&now, &input) <= seen.batch {
            continue;
        }
        let Some(rule) = rule(context, model, key, &now) else {
            return Ok(None);
        };
        let Some(old) = version(context, &name, seen.version).await? else {
            return Ok(None);
        };
        let found = changed_values(context.warehouse, model, &rule, &input, &old, &now).await?;
        match rule.through {
            None => keys.extend(found),
            Some((through, column)) => {
                keys.extend(mapped(context, model, key, &through, &column, found).await?);
            }
        }
    }
    for (name, group) in &model.config.key_groups {
        let relation = table_of(context, name);
        keys = closed(context.warehouse, model, key, &relation, group, keys).await?;
    }
    Ok(Some(keys))
}

/// How a changed row of an input tells which keys it touches.
struct Rule {
    /// SQL over the input's row.
    value: String,
    /// The relation that has the value in a column of this name, beside the key.
    through: Option<(String, String)>,
}

fn rule(context: &Context<'_>, model: &ParsedModel, key: &str, input: &Table) -> Option<Rule> {
    if input.schema.index_of(key).is_ok() {
        return Some(Rule {
            value: format!("\"{key}\""),
            through: None,
        });
    }
    let name = &input.name.name;
    let entity = context.manifest.models.get(name)?.config.entity.clone();
    let rules = &model.config.keys_of;
    let rule = rules.get(name).or_else(|| rules.get(entity.as_deref()?))?;
    Some(match rule {
        KeyRule::Column(column) => Rule {
            value: format!("\"{column}\""),
            through: None,
        },
        KeyRule::Through {
            model,
            column,
            value,
        } => Rule {
            value: value.clone().unwrap_or_else(|| format!("\"{column}\"")),
            through: Some((table_of(context, model), column.clone())),
        },
    })
}

fn table_of(context: &Context<'_>, model: &str) -> String {
    let target = Target::Model(model.to_owned());
    context.manifest.table_of(&target)
}

/// An input as it was; none where its files are gone.
async fn version(context: &Context<'_>, name: &TableName, version: u64) -> Result<Option<Table>> {
    match context.warehouse.lake.table_at(name, version).await {
        Err(LakeError::Expired { .. }) => Ok(None),
        table => Ok(table?),
    }
}

/// The values of the rows that are in one version of an input and not in the other.
async fn changed_values(
    warehouse: &Warehouse,
    model: &ParsedModel,
    rule: &Rule,
    input: &Input,
    old: &Table,
    now: &Table,
) -> Result<BTreeSet<i64>> {
    let part = |table: &Table| match &input.part {
        Some(part) => table.part(part),
        None => table.clone(),
    };
    let (old, now) = (part(old), part(now));
    let mut values = BTreeSet::new();
    let is_comparable = old.schema == now.schema;
    let (mut gone, mut come) = (Vec::new(), Vec::new());
    for (rows, table, other) in [(&mut gone, &old, &now), (&mut come, &now, &old)] {
        let kept: HashSet<&str> = other.files.iter().map(|f| f.add.path.as_str()).collect();
        let files = LakeTable::only(table, |file| {
            !is_comparable || !kept.contains(file.add.path.as_str())
        });
        let lent = warehouse.lend(model.name(), "__changed", Arc::new(files))?;
        let value = &rule.value;
        let sql = format!("select cast({value} as bigint) as __value, * from {lent}");
        let mut stream = warehouse.sql(&sql).await?.execute_stream().await?;
        while let Some(batch) = stream.next().await {
            let batch = batch?;
            let of_row = batch.column(0).as_primitive::<Int64Type>();
            match is_comparable {
                true => rows.extend(lake::row_hashes(&batch)?.into_iter().zip(of_row)),
                false => values.extend(of_row.iter().flatten()),
            }
        }
    }
    add_unpaired(gone, come, &mut values);
    Ok(values)
}

/// Adds the values of the rows that are on one side more often than on the other.
fn add_unpaired(
    mut gone: Vec<(u64, Option<i64>)>,
    mut come: Vec<(u64, Option<i64>)>,
    values: &mut BTreeSet<i64>,
) {
    gone.sort_unstable_by_key(|row| row.0);
    come.sort_unstable_by_key(|row| row.0);
    let (mut gone, mut come) = (gone.into_iter().peekable(), come.into_iter().peekable());
    loop {
        let order = match (gone.peek(), come.peek()) {
            (None, None) => return,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(gone), Some(come)) => gone.0.cmp(&come.0),
        };
        let one_sided = match order {
            Ordering::Less => gone.next(),
            Ordering::Greater => come.next(),
            Ordering::Equal => {
                gone.next();
                come.next();
                None
            }
        };
        values.extend(one_sided.and_then(|(_, value)| value));
    }
}

/// The keys of the rows of `through` that have one of the values in `column`.
async fn mapped(
    context: &Context<'_>,
    model: &ParsedModel,
    key: &str,
    through: &str,
    column: &str,
    values: BTreeSet<i64>,
) -> Result<BTreeSet<i64>> {
    let values = lend_keys(context.warehouse, model, "__values", &values)?;
    let sql = format!(
        "select distinct t.\"{key}\" from {through} t \
         left semi join {values} v on t.\"{column}\" = v.key"
    );
    read_keys(context.warehouse, &sql).await
}

/// The keys with all that share a group with one of them, and so on.
async fn closed(
    warehouse: &Warehouse,
    model: &ParsedModel,
    key: &str,
    relation: &str,
    group: &str,
    mut keys: BTreeSet<i64>,
) -> Result<BTreeSet<i64>> {
    loop {
        let known = lend_keys(warehouse, model, "__known_keys", &keys)?;
        let sql = format!(
            "select distinct o.\"{key}\" from {relation} o left semi join \
             (select g.\"{group}\" as its_group from {relation} g \
             left semi join {known} k on g.\"{key}\" = k.key) t on o.\"{group}\" = t.its_group"
        );
        let before = keys.len();
        keys.extend(read_keys(warehouse, &sql).await?);
        if keys.len() == before {
            return Ok(keys);
        }
    }
}

/// Keys as a table with the column `key`, at hand while the model is built.
pub(super) fn lend_keys(
    warehouse: &Warehouse,
    model: &ParsedModel,
    name: &str,
    keys: &BTreeSet<i64>,
) -> Result<String> {
    let keys: Int64Array = keys.iter().copied().collect();
    let batch = RecordBatch::try_from_iter([("key", Arc::new(keys) as _)])
        .map_err(datafusion::error::DataFusionError::from)?;
    let table = MemTable::try_new(batch.schema(), vec![vec![batch]])?;
    warehouse.lend(model.name(), name, Arc::new(table))
}

async fn read_keys(warehouse: &Warehouse, sql: &str) -> Result<BTreeSet<i64>> {
    let mut keys = BTreeSet::new();
    for batch in warehouse.sql(sql).await?.collect().await? {
        keys.extend(batch.column(0).as_primitive::<Int64Type>().iter().flatten());
    }
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_rows_of_both_sides_cancel_out() {
        let mut values = BTreeSet::new();
        let gone = vec![(7, Some(1)), (9, Some(2)), (9, Some(2)), (5, Some(3))];
        let come = vec![(9, Some(2)), (7, Some(1)), (8, Some(4)), (6, None)];
        add_unpaired(gone, come, &mut values);
        // Row 9 is there once less than before, 5 went, 8 came.
        assert_eq!(values, BTreeSet::from([2, 3, 4]));
    }
}
