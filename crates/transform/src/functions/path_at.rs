//! `path_at((select customer_key, on_date, is_touch, event_at, touch_key, step, from_date, mark_*
//! from …))`: the path of a customer as it stands on certain days.
//!
//! A row that is no touch is a mark: for it the steps of the customer's touches come back as a
//! list, oldest first, from `from_date` on and before `on_date`; null where there are none. All
//! columns that begin with `mark_` come back with it. One ordered pass serves any number of marks.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Int64Type};
use arrow_array::{Array, ArrayRef, RecordBatch, UInt32Array};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use datafusion::arrow::compute::take;
use datafusion::common::exec_err;
use datafusion::error::Result;
use lake::relation::{InputColumn, RelationFunction, RelationOrder, RelationState};

use super::parse::instant;

const NAME: &str = "path_at";

/// The relation function.
#[derive(Debug)]
pub(super) struct PathAt;

fn is_carried(name: &str) -> bool {
    name.starts_with("mark_")
}

impl RelationFunction for PathAt {
    fn name(&self) -> &str {
        NAME
    }

    fn input_columns(&self) -> Vec<InputColumn> {
        vec![
            InputColumn::required("customer_key", DataType::Int64),
            InputColumn::required("on_date", DataType::Date32),
            InputColumn::required("is_touch", DataType::Boolean),
            InputColumn::required("event_at", instant()),
            InputColumn::required("touch_key", DataType::Int64),
            InputColumn::required("step", DataType::Utf8),
            InputColumn::required("from_date", DataType::Date32),
        ]
    }

    fn output_schema(&self, input: &Schema) -> Result<Schema> {
        let steps = Field::new_list_field(DataType::Utf8, true);
        let mut fields = vec![
            Arc::new(Field::new("customer_key", DataType::Int64, true)),
            Arc::new(Field::new("path", DataType::List(Arc::new(steps)), true)),
        ];
        let carried = input.fields().iter();
        fields.extend(carried.filter(|field| is_carried(field.name())).cloned());
        Ok(Schema::new(fields))
    }

    /// Marks of a day come before its touches, which they do not hold.
    fn order(&self) -> Option<RelationOrder> {
        Some(RelationOrder {
            partition_by: vec!["customer_key"],
            order_by: vec!["on_date", "is_touch", "event_at", "touch_key"],
        })
    }

    fn open(&self, input: SchemaRef, output: SchemaRef) -> Result<Box<dyn RelationState>> {
        let column = |name: &str| input.index_of(name);
        let fields = input.fields().iter().enumerate();
        Ok(Box::new(State {
            customer_key: column("customer_key")?,
            on_date: column("on_date")?,
            is_touch: column("is_touch")?,
            step: column("step")?,
            from_date: column("from_date")?,
            carried: fields
                .filter(|(_, field)| is_carried(field.name()))
                .map(|(index, _)| index)
                .collect(),
            customer: None,
            touches: Vec::new(),
            steps: Steps::default(),
            output,
        }))
    }
}

struct State {
    customer_key: usize,
    on_date: usize,
    is_touch: usize,
    step: usize,
    from_date: usize,
    carried: Vec<usize>,
    customer: Option<i64>,
    /// Day and step of the customer's touches so far, in order.
    touches: Vec<(i32, u32)>,
    steps: Steps,
    output: SchemaRef,
}

/// Each step's text once.
#[derive(Default)]
struct Steps {
    numbers: HashMap<Arc<str>, u32>,
    texts: Vec<Arc<str>>,
    bytes: usize,
}

impl Steps {
    fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        let text: Arc<str> = text.into();
        self.bytes += text.len();
        self.texts.push(Arc::clone(&text));
        self.numbers.insert(text, number);
        number
    }
}

impl RelationState for State {
    fn push(&mut self, batch: RecordBatch) -> Result<Vec<RecordBatch>> {
        let customers = batch.column(self.customer_key).as_primitive::<Int64Type>();
        let days = batch.column(self.on_date).as_primitive::<Date32Type>();
        let from = batch.column(self.from_date).as_primitive::<Date32Type>();
        let is_touch = batch.column(self.is_touch).as_boolean();
        let steps = batch.column(self.step).as_string::<i32>();
        let mut marks: Vec<u32> = Vec::new();
        let mut paths = ListBuilder::new(StringBuilder::new());
        for row in 0..batch.num_rows() {
            if customers.is_null(row) {
                continue;
            }
            if days.is_null(row) || is_touch.is_null(row) {
                return exec_err!(
                    "`{NAME}`: `on_date` or `is_touch` is null (hint: leave such rows out before)"
                );
            }
            if self.customer.replace(customers.value(row)) != Some(customers.value(row)) {
                self.touches.clear();
            }
            if is_touch.value(row) {
                if steps.is_valid(row) {
                    let step = self.steps.number(steps.value(row));
                    self.touches.push((days.value(row), step));
                }
                continue;
            }
            marks.push(u32::try_from(row).unwrap_or(u32::MAX));
            let first = match from.is_valid(row) {
                true => self
                    .touches
                    .partition_point(|(day, _)| *day < from.value(row)),
                false => 0,
            };
            let before = self
                .touches
                .partition_point(|(day, _)| *day < days.value(row));
            let path = self.touches.get(first..before).unwrap_or_default();
            for (_, step) in path {
                paths
                    .values()
                    .append_value(&self.steps.texts[*step as usize]);
            }
            paths.append(!path.is_empty());
        }
        if marks.is_empty() {
            return Ok(vec![]);
        }
        let marks = UInt32Array::from(marks);
        let mut columns: Vec<ArrayRef> = vec![
            take(batch.column(self.customer_key), &marks, None)?,
            Arc::new(paths.finish()),
        ];
        for column in &self.carried {
            columns.push(take(batch.column(*column), &marks, None)?);
        }
        Ok(vec![RecordBatch::try_new(
            Arc::clone(&self.output),
            columns,
        )?])
    }

    fn finish(&mut self) -> Result<Vec<RecordBatch>> {
        Ok(vec![])
    }

    fn memory_bytes(&self) -> usize {
        size_of_val(self.touches.as_slice()) + self.steps.bytes
    }
}
