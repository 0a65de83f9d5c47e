//! `funnel((select customer_key, event_at, step from …), 'view', 'cart', 'buy', within => '7 days',
//! step_order => 'strict')`: how many customers pass each step, and how long it takes them.
//!
//! `event_sequence` may be given, to order rows of one instant; without it they are taken in the
//! order of the steps. Rows of other steps count for `strict` alone.

use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, Float64Array, Int32Array, Int64Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use datafusion::common::plan_err;
use datafusion::error::Result;
use journeys::behaviour::{Funnel as Counter, FunnelSettings, StepOrder};
use lake::relation::{
    InputColumn, RelationArgument, RelationFunction, RelationOrder, RelationState,
};

use super::arguments::Arguments;
use super::behaviour::{self, Rows, count, ratio};

const NAME: &str = "funnel";
const ARGUMENTS: [&str; 2] = ["within", "step_order"];
/// A row's steps are the bits of one number.
const STEPS_MAX: usize = 64;
const SECOND_US: f64 = 1e6;

/// The relation function; without steps before a call has given them.
#[derive(Debug, Default)]
pub(super) struct Funnel {
    steps: Vec<String>,
    within_us: Option<i64>,
    order: Option<StepOrder>,
}

impl RelationFunction for Funnel {
    fn name(&self) -> &str {
        NAME
    }

    fn with_arguments(
        &self,
        arguments: &[RelationArgument],
    ) -> Result<Option<Arc<dyn RelationFunction>>> {
        let arguments = Arguments::new(NAME, &ARGUMENTS, arguments)?;
        let steps: Vec<String> = arguments.unnamed().into_iter().map(Into::into).collect();
        let order = arguments.word(
            "step_order",
            &[
                ("ordered", StepOrder::Ordered),
                ("strict", StepOrder::Strict),
                ("any", StepOrder::Any),
            ],
        )?;
        if steps.is_empty() || steps.len() > STEPS_MAX {
            return plan_err!(
                "`{NAME}` takes 1 to {STEPS_MAX} steps, not {} \
                 (hint: {NAME}((select …), 'view', 'buy'))",
                steps.len()
            );
        }
        let is_double = |place: usize| steps[..place].contains(&steps[place]);
        if order == Some(StepOrder::Any) && (0..steps.len()).any(is_double) {
            return plan_err!("`{NAME}` in any order cannot have a step twice");
        }
        Ok(Some(Arc::new(Self {
            within_us: arguments.duration_us("within")?,
            order,
            steps,
        })))
    }

    fn input_columns(&self) -> Vec<InputColumn> {
        let mut columns = behaviour::who_and_when();
        columns.push(InputColumn::required("step", DataType::Utf8));
        columns
    }

    fn output_schema(&self, _input: &Schema) -> Result<Schema> {
        Ok(Schema::new(vec![
            Field::new("step_number", DataType::Int32, false),
            Field::new("step", DataType::Utf8, true),
            Field::new("customer_count", DataType::Int64, false),
            Field::new("step_rate", DataType::Float64, true),
            Field::new("total_rate", DataType::Float64, true),
            Field::new("average_seconds", DataType::Float64, true),
            Field::new("median_seconds", DataType::Float64, true),
        ]))
    }

    fn order(&self) -> Option<RelationOrder> {
        Some(behaviour::order())
    }

    fn single_partition(&self) -> bool {
        true
    }

    fn open(&self, input: SchemaRef, output: SchemaRef) -> Result<Box<dyn RelationState>> {
        let order = self.order.unwrap_or(StepOrder::Ordered);
        let funnel = Counter::new(FunnelSettings {
            steps: self.steps.len(),
            within_us: self.within_us,
            order,
        });
        Ok(Box::new(State {
            funnel: Some(funnel),
            rows: Rows::new(NAME, &input)?,
            step: input.index_of("step")?,
            steps: self.steps.clone(),
            has_order: order != StepOrder::Any,
            output,
        }))
    }
}

struct State {
    /// None after the end.
    funnel: Option<Counter>,
    rows: Rows,
    step: usize,
    steps: Vec<String>,
    has_order: bool,
    output: SchemaRef,
}

impl RelationState for State {
    fn push(&mut self, batch: RecordBatch) -> Result<Vec<RecordBatch>> {
        let Some(funnel) = &mut self.funnel else {
            return Ok(vec![]);
        };
        let names = batch.column(self.step).as_string::<i32>();
        for row in 0..batch.num_rows() {
            let Some(when) = self.rows.next(&batch, row)? else {
                continue;
            };
            if when.ends_another {
                funnel.end_customer();
            }
            let name = behaviour::text(names, row);
            let steps = self.steps.iter().enumerate();
            let steps = steps.filter(|(_, step)| name == Some(step.as_str()));
            let steps = steps.fold(0_u64, |bits, (place, _)| bits | (1 << place));
            funnel.row(when.moment, steps);
        }
        Ok(vec![])
    }

    fn finish(&mut self) -> Result<Vec<RecordBatch>> {
        let Some(mut funnel) = self.funnel.take() else {
            return Ok(vec![]);
        };
        if self.rows.any() {
            funnel.end_customer();
        }
        let rows = funnel.finish();
        let mut names = StringBuilder::new();
        for step in &self.steps {
            // In any order a row is no step by name.
            names.append_option(self.has_order.then_some(step));
        }
        let all = rows.first().map_or(0, |row| row.customers);
        let before = |place: usize| {
            place
                .checked_sub(1)
                .map_or(all, |place| rows[place].customers)
        };
        let seconds = |us: Option<f64>| us.map(|us| us / SECOND_US);
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int32Array::from_iter_values((1..).take(rows.len()))),
            Arc::new(names.finish()),
            Arc::new(Int64Array::from_iter_values(
                rows.iter().map(|row| count(row.customers)),
            )),
            Arc::new(Float64Array::from_iter(
                rows.iter()
                    .enumerate()
                    .map(|(place, row)| ratio(row.customers, before(place))),
            )),
            Arc::new(Float64Array::from_iter(
                rows.iter().map(|row| ratio(row.customers, all)),
            )),
            Arc::new(Float64Array::from_iter(
                rows.iter().map(|row| seconds(row.average_us)),
            )),
            Arc::new(Float64Array::from_iter(
                rows.iter().map(|row| seconds(row.median_us)),
            )),
        ];
        Ok(vec![RecordBatch::try_new(
            Arc::clone(&self.output),
            columns,
        )?])
    }

    fn memory_bytes(&self) -> usize {
        self.funnel.as_ref().map_or(0, Counter::memory_bytes)
    }
}
