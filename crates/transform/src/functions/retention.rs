//! `retention((select customer_key, event_at from …), period => 'week', periods => 12, unbounded =>
//! true, zone => 'Europe/Berlin')`: how many customers of each cohort come back.
//!
//! The first row of a customer makes the cohort; with `is_start`, the first that is one. All rows
//! after it are returns; with `is_return`, those that are. Days are those of the zone, the
//! project's if none is given.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Float64Array, Int32Array, Int64Array, RecordBatch,
};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use chrono_tz::Tz;
use datafusion::common::{exec_err, plan_err};
use datafusion::error::Result;
use domain::config::{Reporting, WeekStart};
use journeys::behaviour::{Period, Retention as Counter, RetentionRow, RetentionSettings};
use lake::relation::{
    InputColumn, RelationArgument, RelationFunction, RelationOrder, RelationState,
};

use super::arguments::Arguments;
use super::behaviour::{self, Rows, count, ratio};
use super::parse::day_in;

const NAME: &str = "retention";
const ARGUMENTS: [&str; 4] = ["period", "periods", "unbounded", "zone"];

/// The relation function.
#[derive(Debug)]
pub(super) struct Retention {
    /// The zone as it is written.
    zone: String,
    week: Period,
    settings: RetentionSettings,
}

impl Retention {
    pub(super) fn new(reporting: &Reporting) -> Self {
        let week = match reporting.week_start {
            WeekStart::Monday => Period::WeekFromMonday,
            WeekStart::Sunday => Period::WeekFromSunday,
        };
        Self {
            zone: reporting.zone.clone(),
            week,
            settings: RetentionSettings {
                period: week,
                periods: None,
                unbounded: false,
            },
        }
    }
}

impl RelationFunction for Retention {
    fn name(&self) -> &str {
        NAME
    }

    fn with_arguments(
        &self,
        arguments: &[RelationArgument],
    ) -> Result<Option<Arc<dyn RelationFunction>>> {
        let arguments = Arguments::new(NAME, &ARGUMENTS, arguments)?.all_named()?;
        let period = arguments.word(
            "period",
            &[
                ("day", Period::Day),
                ("week", self.week),
                ("month", Period::Month),
            ],
        )?;
        let periods: Option<u16> = arguments.value("periods", 12)?;
        let zone = arguments.text("zone").unwrap_or(&self.zone);
        if zone.parse::<Tz>().is_err() {
            return plan_err!("`{NAME}`: there is no zone `{zone}` (hint: 'Europe/Berlin')");
        }
        Ok(Some(Arc::new(Self {
            zone: zone.to_owned(),
            week: self.week,
            settings: RetentionSettings {
                period: period.unwrap_or(self.week),
                periods: periods.map(i32::from),
                unbounded: arguments.value("unbounded", true)?.unwrap_or(false),
            },
        })))
    }

    fn input_columns(&self) -> Vec<InputColumn> {
        let mut columns = behaviour::who_and_when();
        columns.push(InputColumn::optional("is_start", DataType::Boolean));
        columns.push(InputColumn::optional("is_return", DataType::Boolean));
        columns
    }

    fn output_schema(&self, _input: &Schema) -> Result<Schema> {
        Ok(Schema::new(vec![
            Field::new("cohort_date", DataType::Date32, false),
            Field::new("cohort_customer_count", DataType::Int64, false),
            Field::new("period_number", DataType::Int32, false),
            Field::new("period_date", DataType::Date32, false),
            Field::new("customer_count", DataType::Int64, false),
            Field::new("retention_rate", DataType::Float64, true),
            Field::new("is_immature", DataType::Boolean, false),
        ]))
    }

    fn order(&self) -> Option<RelationOrder> {
        Some(behaviour::order())
    }

    fn single_partition(&self) -> bool {
        true
    }

    fn open(&self, input: SchemaRef, output: SchemaRef) -> Result<Box<dyn RelationState>> {
        let Ok(zone) = self.zone.parse() else {
            return exec_err!("`{NAME}`: there is no zone `{}`", self.zone);
        };
        Ok(Box::new(State {
            retention: Some(Counter::new(self.settings)),
            rows: Rows::new(NAME, &input)?,
            zone,
            is_start: input.index_of("is_start").ok(),
            is_return: input.index_of("is_return").ok(),
            output,
        }))
    }
}

struct State {
    /// None after the end.
    retention: Option<Counter>,
    rows: Rows,
    zone: Tz,
    is_start: Option<usize>,
    is_return: Option<usize>,
    output: SchemaRef,
}

impl RelationState for State {
    fn push(&mut self, batch: RecordBatch) -> Result<Vec<RecordBatch>> {
        let Some(retention) = &mut self.retention else {
            return Ok(vec![]);
        };
        for row in 0..batch.num_rows() {
            let Some(when) = self.rows.next(&batch, row)? else {
                continue;
            };
            if when.ends_another {
                retention.end_customer();
            }
            let Some(day) = day_in(self.zone, when.moment.0) else {
                continue;
            };
            let is_start = behaviour::flag(&batch, self.is_start, row, true);
            let is_return = behaviour::flag(&batch, self.is_return, row, true);
            retention.row(day, is_start, is_return);
        }
        Ok(vec![])
    }

    fn finish(&mut self) -> Result<Vec<RecordBatch>> {
        let Some(retention) = self.retention.take() else {
            return Ok(vec![]);
        };
        let rows = retention.finish();
        let dates = |day: fn(&RetentionRow) -> i32| {
            Arc::new(Date32Array::from_iter_values(rows.iter().map(day)))
        };
        let counts = |number: fn(&RetentionRow) -> u64| {
            Arc::new(Int64Array::from_iter_values(
                rows.iter().map(|row| count(number(row))),
            ))
        };
        let columns: Vec<ArrayRef> = vec![
            dates(|row| row.cohort_day),
            counts(|row| row.cohort_customers),
            Arc::new(Int32Array::from_iter_values(
                rows.iter().map(|row| row.period_number),
            )),
            dates(|row| row.period_day),
            counts(|row| row.customers),
            Arc::new(Float64Array::from_iter(
                rows.iter()
                    .map(|row| ratio(row.customers, row.cohort_customers)),
            )),
            Arc::new(BooleanArray::from_iter(
                rows.iter().map(|row| Some(row.is_immature)),
            )),
        ];
        Ok(vec![RecordBatch::try_new(
            Arc::clone(&self.output),
            columns,
        )?])
    }

    fn memory_bytes(&self) -> usize {
        self.retention.as_ref().map_or(0, Counter::memory_bytes)
    }
}
