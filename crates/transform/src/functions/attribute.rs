//! `attribute((select customer_key, event_at, is_conversion, touch_key, is_direct, conversion_key,
//! conversion_type, amount, touch_* from …))`: the credit of each conversion by each model.
//!
//! One ordered pass per customer computes all models. Of each conversion and model the credits sum
//! to one and the money to the conversion's money; a conversion without a touch in its look-back
//! has a row `is_unattributed`. All input columns that begin with `touch_` come back from the
//! credited touch. A conversion without a customer has no touches.
//!
//! Three columns may be left out: `is_paid` (the touch was paid for), `channel_key` (transforms of
//! the path compare it) and `milestone` (`lead`, `opportunity`: the touch made one, or, where there
//! is no `touch_key`, the customer became one then, to which the touch before has led).

use std::collections::VecDeque;
use std::sync::Arc;

use arrow_array::builder::{
    BooleanBuilder, Decimal128Builder, Int32Builder, Int64Builder, StringBuilder,
    TimestampMicrosecondBuilder,
};
use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, RecordBatch, new_null_array};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use datafusion::arrow::compute::interleave;
use datafusion::common::{exec_err, plan_err};
use datafusion::error::{DataFusionError, Result};
use domain::config::PathTransform;
use journeys::attribution::{
    AttributionPass, AttributionSettings, Conversion, CreditRow, Milestone, Touch,
};
use journeys::error::JourneysError;
use lake::relation::{InputColumn, RelationFunction, RelationOrder, RelationState};
use xxhash_rust::xxh3::xxh3_64;

use super::parse::{AMOUNT, instant};

const NAME: &str = "attribute";

/// Rows after which a batch goes out.
const BATCH_ROWS: usize = 8192;

/// Type of a share of a conversion.
const CREDIT: DataType = DataType::Decimal128(18, 12);

/// Memory of a touch while a conversion may still reach it, beside its columns.
const TOUCH_BYTES: usize = 48;

/// The relation function.
#[derive(Debug)]
pub(super) struct Attribute {
    settings: AttributionSettings,
}

impl Attribute {
    pub(super) fn new(settings: AttributionSettings) -> Self {
        Self { settings }
    }
}

/// The columns that come out before the touch's own.
fn credit_fields() -> Vec<Field> {
    vec![
        Field::new("customer_key", DataType::Int64, true),
        Field::new("conversion_key", DataType::Int64, true),
        Field::new("conversion_type", DataType::Utf8, true),
        Field::new("conversion_at", instant(), false),
        Field::new("model", DataType::Utf8, false),
        Field::new("touch_key", DataType::Int64, true),
        Field::new("touch_at", instant(), true),
        Field::new("touch_position", DataType::Int32, true),
        Field::new("path_length", DataType::Int32, false),
        Field::new("credit", CREDIT, false),
        Field::new("credited_amount", AMOUNT, true),
        Field::new("is_unattributed", DataType::Boolean, false),
    ]
}

/// A column of the touch that comes back as it is.
fn is_carried(name: &str) -> bool {
    name.starts_with("touch_") && name != "touch_key"
}

impl RelationFunction for Attribute {
    fn name(&self) -> &str {
        NAME
    }

    fn input_columns(&self) -> Vec<InputColumn> {
        vec![
            InputColumn::required("customer_key", DataType::Int64),
            InputColumn::required("event_at", instant()),
            InputColumn::required("is_conversion", DataType::Boolean),
            InputColumn::required("touch_key", DataType::Int64),
            InputColumn::required("is_direct", DataType::Boolean),
            InputColumn::required("conversion_key", DataType::Int64),
            InputColumn::required("conversion_type", DataType::Utf8),
            InputColumn::optional("amount", AMOUNT),
            InputColumn::optional("is_paid", DataType::Boolean),
            InputColumn::optional("channel_key", DataType::Int64),
            InputColumn::optional("milestone", DataType::Utf8),
        ]
    }

    fn output_schema(&self, input: &Schema) -> Result<Schema> {
        let compares_channels =
            self.settings.transforms().iter().any(|transform| {
                matches!(transform, PathTransform::Exposure | PathTransform::First)
            });
        if compares_channels && input.index_of("channel_key").is_err() {
            return plan_err!(
                "`{NAME}` compares channels, as `attribution.path_transforms` asks, and its \
                 subquery has no column `channel_key` \
                 (hint: durable_key('channel', …) makes one of a name)"
            );
        }
        let mut fields = credit_fields();
        for field in input
            .fields()
            .iter()
            .filter(|field| is_carried(field.name()))
        {
            if fields.iter().any(|other| other.name() == field.name()) {
                return plan_err!(
                    "the subquery of `{NAME}` has a column `{}`, which `{NAME}` adds \
                     (hint: rename it with `as`)",
                    field.name()
                );
            }
            fields.push(field.as_ref().clone().with_nullable(true));
        }
        Ok(Schema::new(fields))
    }

    fn order(&self) -> Option<RelationOrder> {
        Some(RelationOrder {
            partition_by: vec!["customer_key"],
            order_by: vec![
                "event_at",
                "is_conversion",
                "touch_key",
                "conversion_key",
                "milestone",
            ],
        })
    }

    fn open(&self, input: SchemaRef, output: SchemaRef) -> Result<Box<dyn RelationState>> {
        let column = |name: &str| input.index_of(name);
        let models = self
            .settings
            .models()
            .map_err(|error| DataFusionError::External(Box::new(error)))?;
        let carried = input.fields().iter().enumerate();
        let carried = carried.filter(|(_, field)| is_carried(field.name()));
        Ok(Box::new(Customers {
            pass: AttributionPass::new(&self.settings, models),
            settings: self.settings.clone(),
            customer: None,
            carried: carried.map(|(index, _)| index).collect(),
            batches: VecDeque::new(),
            batches_dropped: 0,
            touches: 0,
            rows: CreditRows::default(),
            columns: Columns {
                customer_key: column("customer_key")?,
                event_at: column("event_at")?,
                is_conversion: column("is_conversion")?,
                touch_key: column("touch_key")?,
                is_direct: column("is_direct")?,
                conversion_key: column("conversion_key")?,
                conversion_type: column("conversion_type")?,
                amount: column("amount").ok(),
                is_paid: column("is_paid").ok(),
                channel_key: column("channel_key").ok(),
                milestone: column("milestone").ok(),
            },
            output,
        }))
    }
}

/// Places of the input's columns.
#[derive(Clone, Copy)]
struct Columns {
    customer_key: usize,
    event_at: usize,
    is_conversion: usize,
    touch_key: usize,
    is_direct: usize,
    conversion_key: usize,
    conversion_type: usize,
    amount: Option<usize>,
    is_paid: Option<usize>,
    channel_key: Option<usize>,
    milestone: Option<usize>,
}

/// Where a touch stands, so that its own columns are found again.
#[derive(Debug, Clone, Copy)]
struct Place {
    touch_key: Option<i64>,
    /// Number of its batch since the start.
    batch: usize,
    row: usize,
}

/// The customer whose rows come in.
struct Customers {
    pass: AttributionPass<Place>,
    settings: AttributionSettings,
    /// None before the first row; the key itself may be null.
    customer: Option<Option<i64>>,
    /// Places of the touch's own columns in the input.
    carried: Vec<usize>,
    /// The touch's own columns, of the batches that a conversion may still reach.
    batches: VecDeque<Vec<ArrayRef>>,
    /// Number of batches let go.
    batches_dropped: usize,
    touches: usize,
    rows: CreditRows,
    columns: Columns,
    output: SchemaRef,
}

impl RelationState for Customers {
    fn push(&mut self, batch: RecordBatch) -> Result<Vec<RecordBatch>> {
        let carried = self
            .carried
            .iter()
            .map(|&index| Arc::clone(batch.column(index)))
            .collect();
        self.batches.push_back(carried);
        let mut ready = Vec::new();
        for row in 0..batch.num_rows() {
            self.row(&batch, row)?;
            if self.rows.len() >= BATCH_ROWS {
                ready.push(self.flush()?);
            }
        }
        if self.rows.len() > 0 {
            ready.push(self.flush()?);
        }
        self.let_go();
        Ok(ready)
    }

    fn finish(&mut self) -> Result<Vec<RecordBatch>> {
        Ok(vec![])
    }

    fn memory_bytes(&self) -> usize {
        let arrays = self.batches.iter().flatten();
        // Of a slice only its own part: several batches may share one buffer.
        let bytes: usize = arrays
            .map(|array| array.to_data().get_slice_memory_size().unwrap_or_default())
            .sum();
        bytes + self.touches * TOUCH_BYTES
    }
}

impl Customers {
    /// Takes one row: a touch is remembered, a conversion is credited.
    fn row(&mut self, batch: &RecordBatch, row: usize) -> Result<()> {
        let columns = self.columns;
        let customer = int(batch, columns.customer_key, row);
        if self.customer != Some(customer) || customer.is_none() {
            self.customer = Some(customer);
            self.pass.begin_customer();
            self.touches = 0;
        }
        let event_at = batch
            .column(columns.event_at)
            .as_primitive::<TimestampMicrosecondType>();
        let is_conversion = batch.column(columns.is_conversion).as_boolean();
        for (name, is_null) in [
            ("event_at", event_at.is_null(row)),
            ("is_conversion", is_conversion.is_null(row)),
        ] {
            if is_null {
                return exec_err!("`{NAME}`: `{name}` is null (hint: leave such rows out before)");
            }
        }
        let at_us = event_at.value(row);
        if is_conversion.value(row) {
            return self.conversion(batch, row, customer, at_us);
        }
        if customer.is_none() {
            return Ok(());
        }
        let touch_key = int(batch, columns.touch_key, row);
        let milestone = self.milestone(batch, row)?;
        if touch_key.is_some() || milestone.is_none() {
            let touch = Touch {
                at_us,
                is_direct: flag(batch, columns.is_direct, row),
                is_paid: columns
                    .is_paid
                    .is_some_and(|column| flag(batch, column, row)),
                channel: columns
                    .channel_key
                    .and_then(|column| int(batch, column, row))
                    .unwrap_or_default(),
            };
            let place = Place {
                touch_key,
                batch: self.batches_dropped + self.batches.len() - 1,
                row,
            };
            self.touches += 1;
            self.pass.touch(touch, place).map_err(external)?;
        }
        if let Some(milestone) = milestone {
            self.touches += 1;
            self.pass.milestone(milestone, at_us).map_err(external)?;
        }
        Ok(())
    }

    /// The milestone that a row states.
    fn milestone(&self, batch: &RecordBatch, row: usize) -> Result<Option<Milestone>> {
        let Some(column) = self.columns.milestone else {
            return Ok(None);
        };
        let names = batch.column(column).as_string::<i32>();
        match names.is_valid(row).then(|| names.value(row)) {
            None => Ok(None),
            Some("lead") => Ok(Some(Milestone::Lead)),
            Some("opportunity") => Ok(Some(Milestone::Opportunity)),
            Some(other) => {
                exec_err!("`{NAME}`: there is no milestone `{other}` (hint: lead or opportunity)")
            }
        }
    }

    fn conversion(
        &mut self,
        batch: &RecordBatch,
        row: usize,
        customer: Option<i64>,
        at_us: i64,
    ) -> Result<()> {
        let types = batch
            .column(self.columns.conversion_type)
            .as_string::<i32>();
        let conversion_type = types.is_valid(row).then(|| types.value(row));
        let amount = self.columns.amount.and_then(|index| {
            let amounts = batch.column(index).as_primitive::<Decimal128Type>();
            amounts.is_valid(row).then(|| amounts.value(row))
        });
        let lookback_us = self
            .settings
            .lookback_us(conversion_type.unwrap_or_default());
        let conversion = Conversion {
            at_us,
            lookback_us,
            amount,
            kind: xxh3_64(conversion_type.unwrap_or_default().as_bytes()),
            milestone: self.milestone(batch, row)?,
        };
        let conversion_key = int(batch, self.columns.conversion_key, row);
        let dropped = self.batches_dropped;
        let rows = &mut self.rows;
        self.pass
            .conversion(&conversion, |credit| {
                rows.customer_key.append_option(customer);
                rows.conversion_key.append_option(conversion_key);
                rows.conversion_type.append_option(conversion_type);
                rows.conversion_at.append_value(at_us);
                rows.credit(&credit, dropped);
            })
            .map_err(external)
    }

    fn flush(&mut self) -> Result<RecordBatch> {
        let (mut columns, places) = self.rows.finish()?;
        for place in 0..self.carried.len() {
            // The first one is the touch of rows that have none.
            let Some(first) = self.batches.front() else {
                continue;
            };
            let none = new_null_array(first[place].data_type(), 1);
            let mut arrays: Vec<&dyn Array> = vec![&none];
            arrays.extend(self.batches.iter().map(|batch| batch[place].as_ref()));
            columns.push(interleave(&arrays, &places)?);
        }
        Ok(RecordBatch::try_new(Arc::clone(&self.output), columns)?)
    }

    /// Lets go of the batches that no conversion from now on can reach.
    fn let_go(&mut self) {
        let next = self.batches_dropped + self.batches.len();
        let oldest = self.pass.oldest().map_or(next, |place| place.batch);
        while self.batches_dropped < oldest && self.batches.pop_front().is_some() {
            self.batches_dropped += 1;
        }
    }
}

fn external(error: JourneysError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

fn flag(batch: &RecordBatch, column: usize, row: usize) -> bool {
    let values = batch.column(column).as_boolean();
    values.is_valid(row) && values.value(row)
}

fn int(batch: &RecordBatch, column: usize, row: usize) -> Option<i64> {
    let values = batch.column(column).as_primitive::<Int64Type>();
    values.is_valid(row).then(|| values.value(row))
}

/// Credit rows on their way out.
#[derive(Default)]
struct CreditRows {
    customer_key: Int64Builder,
    conversion_key: Int64Builder,
    conversion_type: StringBuilder,
    conversion_at: TimestampMicrosecondBuilder,
    model: StringBuilder,
    touch_key: Int64Builder,
    touch_at: TimestampMicrosecondBuilder,
    touch_position: Int32Builder,
    path_length: Int32Builder,
    credit: Decimal128Builder,
    credited_amount: Decimal128Builder,
    is_unattributed: BooleanBuilder,
    /// Of each row the batch held (0: none, 1: the first held) and the row of its touch.
    places: Vec<(usize, usize)>,
}

impl CreditRows {
    fn len(&self) -> usize {
        self.places.len()
    }

    fn credit(&mut self, credit: &CreditRow<'_, Place>, batches_dropped: usize) {
        let count = |count: u32| i32::try_from(count).unwrap_or(i32::MAX);
        self.model.append_value(credit.model);
        self.path_length.append_value(count(credit.path_length));
        self.credit.append_value(i128::from(credit.credit));
        self.credited_amount.append_option(credit.credited_amount);
        self.is_unattributed.append_value(credit.touch.is_none());
        self.touch_key
            .append_option(credit.touch.and_then(|touch| touch.payload.touch_key));
        self.touch_at
            .append_option(credit.touch.map(|touch| touch.at_us));
        self.touch_position
            .append_option(credit.touch.map(|touch| count(touch.position)));
        self.places.push(credit.touch.map_or((0, 0), |touch| {
            (touch.payload.batch - batches_dropped + 1, touch.payload.row)
        }));
    }

    /// The columns of [`credit_fields`] and the places; it is empty afterwards.
    fn finish(&mut self) -> Result<(Vec<ArrayRef>, Vec<(usize, usize)>)> {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.customer_key.finish()),
            Arc::new(self.conversion_key.finish()),
            Arc::new(self.conversion_type.finish()),
            Arc::new(self.conversion_at.finish().with_timezone("UTC")),
            Arc::new(self.model.finish()),
            Arc::new(self.touch_key.finish()),
            Arc::new(self.touch_at.finish().with_timezone("UTC")),
            Arc::new(self.touch_position.finish()),
            Arc::new(self.path_length.finish()),
            Arc::new(self.credit.finish().with_precision_and_scale(18, 12)?),
            Arc::new(
                self.credited_amount
                    .finish()
                    .with_precision_and_scale(18, 6)?,
            ),
            Arc::new(self.is_unattributed.finish()),
        ];
        Ok((columns, std::mem::take(&mut self.places)))
    }
}
