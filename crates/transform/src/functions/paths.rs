//! `paths((select customer_key, event_at, step from …), start => 'view', end => 'buy', max_steps =>
//! 5, collapse => true)`: the paths that customers take, and how often.
//!
//! Without `is_conversion` a customer has one path, from the first `start` to the first `end` after
//! it. With it every conversion ends a path, what comes after begins another, and what is left at
//! the end is a path that did not convert. `value` adds up over the conversions of a path.

use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::cast::AsArray;
use arrow_array::types::Decimal128Type;
use arrow_array::{Array, ArrayRef, Decimal128Array, Int32Array, Int64Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use datafusion::common::plan_err;
use datafusion::error::Result;
use journeys::behaviour::{PathRow, PathSettings, PathStep, Paths as Counter};
use lake::relation::{
    InputColumn, RelationArgument, RelationFunction, RelationOrder, RelationState,
};

use super::arguments::Arguments;
use super::behaviour::{self, Rows, count};
use super::parse::AMOUNT;

const NAME: &str = "paths";
const ARGUMENTS: [&str; 4] = ["start", "end", "max_steps", "collapse"];
const MAX_STEPS_DEFAULT: usize = 20;
/// Rows of a batch that comes out.
const BATCH_ROWS: usize = 8192;
/// A sum of amounts.
const TOTAL: DataType = DataType::Decimal128(28, 6);

/// The relation function.
#[derive(Debug)]
pub(super) struct Paths {
    settings: PathSettings,
}

impl Paths {
    pub(super) fn new() -> Self {
        Self {
            settings: PathSettings {
                start: None,
                end: None,
                has_conversions: false,
                max_steps: MAX_STEPS_DEFAULT,
                collapse: false,
            },
        }
    }
}

impl RelationFunction for Paths {
    fn name(&self) -> &str {
        NAME
    }

    fn with_arguments(
        &self,
        arguments: &[RelationArgument],
    ) -> Result<Option<Arc<dyn RelationFunction>>> {
        let arguments = Arguments::new(NAME, &ARGUMENTS, arguments)?.all_named()?;
        let text = |name| arguments.text(name).map(str::to_owned);
        let settings = PathSettings {
            start: text("start"),
            end: text("end"),
            has_conversions: false,
            max_steps: arguments
                .value("max_steps", 5)?
                .unwrap_or(MAX_STEPS_DEFAULT),
            collapse: arguments.value("collapse", true)?.unwrap_or(false),
        };
        if settings.max_steps == 0 {
            return plan_err!("`{NAME}` needs at least one step (hint: max_steps => 5)");
        }
        if settings.start.is_some() && settings.start == settings.end {
            return plan_err!("`{NAME}` cannot begin and end with the same step");
        }
        Ok(Some(Arc::new(Self { settings })))
    }

    fn input_columns(&self) -> Vec<InputColumn> {
        let mut columns = behaviour::who_and_when();
        columns.push(InputColumn::required("step", DataType::Utf8));
        columns.push(InputColumn::optional("is_conversion", DataType::Boolean));
        columns.push(InputColumn::optional("value", AMOUNT));
        columns
    }

    fn output_schema(&self, input: &Schema) -> Result<Schema> {
        if self.settings.end.is_some() && input.index_of("is_conversion").is_ok() {
            return plan_err!(
                "`{NAME}` is given `end`, and a column `is_conversion` (hint: leave one of them out)"
            );
        }
        Ok(Schema::new(vec![
            Field::new("path", DataType::Utf8, true),
            Field::new("step_count", DataType::Int32, false),
            Field::new("path_count", DataType::Int64, false),
            Field::new("conversion_count", DataType::Int64, false),
            Field::new("unconverted_count", DataType::Int64, false),
            Field::new("value", TOTAL, true),
        ]))
    }

    fn order(&self) -> Option<RelationOrder> {
        Some(behaviour::order())
    }

    fn single_partition(&self) -> bool {
        true
    }

    fn open(&self, input: SchemaRef, output: SchemaRef) -> Result<Box<dyn RelationState>> {
        let is_conversion = input.index_of("is_conversion").ok();
        let settings = PathSettings {
            has_conversions: is_conversion.is_some(),
            ..self.settings.clone()
        };
        Ok(Box::new(State {
            paths: Some(Counter::new(settings)),
            rows: Rows::new(NAME, &input)?,
            step: input.index_of("step")?,
            is_conversion,
            value: input.index_of("value").ok(),
            output,
        }))
    }
}

struct State {
    /// None after the end.
    paths: Option<Counter>,
    rows: Rows,
    step: usize,
    is_conversion: Option<usize>,
    value: Option<usize>,
    output: SchemaRef,
}

impl RelationState for State {
    fn push(&mut self, batch: RecordBatch) -> Result<Vec<RecordBatch>> {
        let Some(paths) = &mut self.paths else {
            return Ok(vec![]);
        };
        let names = batch.column(self.step).as_string::<i32>();
        let values = self
            .value
            .map(|column| batch.column(column).as_primitive::<Decimal128Type>());
        for row in 0..batch.num_rows() {
            let Some(when) = self.rows.next(&batch, row)? else {
                continue;
            };
            if when.ends_another {
                paths.end_customer();
            }
            let step = PathStep {
                step: behaviour::text(names, row),
                is_conversion: behaviour::flag(&batch, self.is_conversion, row, false),
                value: values
                    .filter(|values| values.is_valid(row))
                    .map(|values| values.value(row)),
            };
            if step.step.is_some() || step.is_conversion {
                paths.row(when.moment, step);
            }
        }
        Ok(vec![])
    }

    fn finish(&mut self) -> Result<Vec<RecordBatch>> {
        let Some(mut paths) = self.paths.take() else {
            return Ok(vec![]);
        };
        if self.rows.any() {
            paths.end_customer();
        }
        let rows = paths.finish();
        rows.chunks(BATCH_ROWS)
            .map(|rows| batch(rows, &self.output))
            .collect()
    }

    fn memory_bytes(&self) -> usize {
        self.paths.as_ref().map_or(0, Counter::memory_bytes)
    }
}

fn batch(rows: &[PathRow], output: &SchemaRef) -> Result<RecordBatch> {
    let mut texts = StringBuilder::new();
    for row in rows {
        texts.append_option(row.path.as_deref());
    }
    let values: Decimal128Array = rows.iter().map(|row| row.value).collect();
    let numbers = |number: fn(&PathRow) -> u64| {
        Arc::new(Int64Array::from_iter_values(
            rows.iter().map(|row| count(number(row))),
        ))
    };
    let columns: Vec<ArrayRef> = vec![
        Arc::new(texts.finish()),
        Arc::new(Int32Array::from_iter_values(
            rows.iter()
                .map(|row| i32::try_from(row.steps).unwrap_or(i32::MAX)),
        )),
        numbers(|row| row.paths),
        numbers(|row| row.conversions),
        numbers(|row| row.paths - row.conversions),
        Arc::new(values.with_precision_and_scale(28, 6)?),
    ];
    Ok(RecordBatch::try_new(Arc::clone(output), columns)?)
}
