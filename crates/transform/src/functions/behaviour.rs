//! What `funnel`, `paths` and `retention` have in common: their rows come customer by customer, in
//! order of time.

use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Schema};
use datafusion::common::exec_err;
use datafusion::error::Result;
use journeys::behaviour::Moment;
use lake::relation::{InputColumn, RelationOrder};

use super::parse::instant;

/// The columns that say whose a row is and when it was.
pub(super) fn who_and_when() -> Vec<InputColumn> {
    vec![
        InputColumn::required("customer_key", DataType::Int64),
        InputColumn::required("event_at", instant()),
        InputColumn::optional("event_sequence", DataType::Int64),
    ]
}

/// Customer by customer, in order of time.
pub(super) fn order() -> RelationOrder {
    RelationOrder {
        partition_by: vec!["customer_key"],
        order_by: vec!["event_at", "event_sequence"],
    }
}

/// Places of the columns of [`who_and_when`], and the customer of the row before.
#[derive(Debug)]
pub(super) struct Rows {
    function: &'static str,
    customer_key: usize,
    event_at: usize,
    event_sequence: Option<usize>,
    customer: Option<i64>,
}

/// A row of a known customer.
pub(super) struct Row {
    /// It is the first of its customer, and there was another before.
    pub(super) ends_another: bool,
    /// When it was.
    pub(super) moment: Moment,
}

impl Rows {
    pub(super) fn new(function: &'static str, input: &Schema) -> Result<Self> {
        Ok(Self {
            function,
            customer_key: input.index_of("customer_key")?,
            event_at: input.index_of("event_at")?,
            event_sequence: input.index_of("event_sequence").ok(),
            customer: None,
        })
    }

    /// Whose and when a row is; None where nobody knows the customer.
    pub(super) fn next(&mut self, batch: &RecordBatch, row: usize) -> Result<Option<Row>> {
        let Some(customer) = int(batch, self.customer_key, row) else {
            return Ok(None);
        };
        let event_at = batch
            .column(self.event_at)
            .as_primitive::<TimestampMicrosecondType>();
        if event_at.is_null(row) {
            return exec_err!(
                "`{}`: `event_at` is null (hint: leave such rows out before)",
                self.function
            );
        }
        let sequence = self.event_sequence;
        let before = self.customer.replace(customer);
        Ok(Some(Row {
            ends_another: before.is_some_and(|before| before != customer),
            moment: (
                event_at.value(row),
                sequence.and_then(|column| int(batch, column, row)),
            ),
        }))
    }

    /// There was a customer.
    pub(super) fn any(&self) -> bool {
        self.customer.is_some()
    }
}

fn int(batch: &RecordBatch, column: usize, row: usize) -> Option<i64> {
    let values = batch.column(column).as_primitive::<Int64Type>();
    values.is_valid(row).then(|| values.value(row))
}

/// The text of a row.
pub(super) fn text(texts: &StringArray, row: usize) -> Option<&str> {
    texts.is_valid(row).then(|| texts.value(row))
}

/// Whether a column is true; `without` where there is no such column.
pub(super) fn flag(batch: &RecordBatch, column: Option<usize>, row: usize, without: bool) -> bool {
    let Some(column) = column else {
        return without;
    };
    let values = batch.column(column).as_boolean();
    values.is_valid(row) && values.value(row)
}

/// A count as SQL has it.
pub(super) fn count(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A share; null of nothing.
pub(super) fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
