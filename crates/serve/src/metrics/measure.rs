//! `measure(column)`: a figure of a table of the schema `metrics`, whatever it is made of.

use std::sync::Arc;

use arrow_schema::{DataType, Field, FieldRef};
use datafusion::common::plan_err;
use datafusion::error::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, Signature, Volatility};

/// Its name.
pub(super) const MEASURE: &str = "measure";

/// The aggregate function. It is always rewritten before it would run.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct MeasureFunction {
    signature: Signature,
}

impl MeasureFunction {
    pub(super) fn new() -> Self {
        Self {
            signature: Signature::any(1, Volatility::Immutable),
        }
    }
}

impl AggregateUDFImpl for MeasureFunction {
    fn name(&self) -> &str {
        MEASURE
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        match arguments {
            [one] => Ok(one.clone()),
            _ => plan_err!("`measure` takes one column"),
        }
    }

    fn accumulator(&self, _: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        plan_err!(
            "`measure` is for measures of the schema `metrics`, directly grouped \
             (hint: select channel, measure(engaged_rate) from metrics.sessions group by channel)"
        )
    }

    fn state_fields(&self, call: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let of = call.return_field.data_type().clone();
        Ok(vec![Arc::new(Field::new(MEASURE, of, true))])
    }
}
