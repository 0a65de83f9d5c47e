//! `probable_links((select record_key, source, name_last, date_birth, … from …))`: records that
//! are probably one person, with how probable it is.
//!
//! A column's name says how it is compared: `name_…` (alike, or of one sound), `code_…` and
//! `date_…` (edits), `exact_…` (equal or not), `sound_x` (the sound of `x`, where `x` is a hash).
//! `block_…` are blocking keys; without any, they are made of the fields. `show => 'weights'` gives
//! what was learnt instead, `show => 'blocks'` what was compared and what was left out.

use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use datafusion::arrow::compute::cast;
use datafusion::common::{exec_err, plan_err};
use datafusion::error::{DataFusionError, Result};
use journeys::error::JourneysError;
use journeys::identity::probable::{
    BlockingRow, Layout, ProbableSettings, RecordsBuilder, Scored, WeightRow,
};
use lake::relation::{InputColumn, RelationArgument, RelationFunction, RelationState};

use super::arguments::Arguments;

const NAME: &str = "probable_links";
const ARGUMENTS: [&str; 4] = ["report_from", "block_max", "within_source", "show"];
const KEY: &str = "record_key";

/// Rows of a batch that comes out.
const BATCH_ROWS: usize = 8192;

/// What comes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Show {
    Links,
    Weights,
    Blocks,
}

/// The relation function.
#[derive(Debug)]
pub(super) struct ProbableLinks {
    settings: ProbableSettings,
    show: Show,
}

impl ProbableLinks {
    pub(super) fn new() -> Self {
        Self {
            settings: ProbableSettings::default(),
            show: Show::Links,
        }
    }
}

impl RelationFunction for ProbableLinks {
    fn name(&self) -> &str {
        NAME
    }

    fn with_arguments(
        &self,
        arguments: &[RelationArgument],
    ) -> Result<Option<Arc<dyn RelationFunction>>> {
        let arguments = Arguments::new(NAME, &ARGUMENTS, arguments)?.all_named()?;
        let known = self.settings;
        let settings = ProbableSettings::new(
            arguments
                .value("report_from", 0.9)?
                .unwrap_or(known.report_from),
            arguments
                .value("block_max", known.block_max)?
                .unwrap_or(known.block_max),
            arguments
                .value("within_source", false)?
                .unwrap_or(known.within_source),
        );
        let settings = match settings {
            Ok(settings) => settings,
            Err(error) => return plan_err!("`{NAME}`: {error}"),
        };
        let show = arguments.word(
            "show",
            &[
                ("links", Show::Links),
                ("weights", Show::Weights),
                ("blocks", Show::Blocks),
            ],
        )?;
        Ok(Some(Arc::new(Self {
            settings,
            show: show.unwrap_or(Show::Links),
        })))
    }

    fn input_columns(&self) -> Vec<InputColumn> {
        vec![InputColumn::required(KEY, DataType::Int64)]
    }

    fn reads_all_columns(&self) -> bool {
        true
    }

    fn output_schema(&self, input: &Schema) -> Result<Schema> {
        if let Err(error) = layout(input) {
            return plan_err!("`{NAME}`: {error}");
        }
        let text = |name| Field::new(name, DataType::Utf8, false);
        let count = |name| Field::new(name, DataType::Int64, false);
        let number = |name| Field::new(name, DataType::Float64, false);
        Ok(Schema::new(match self.show {
            Show::Links => vec![
                count("a_key"),
                count("b_key"),
                number("match_weight"),
                number("match_probability"),
                text("agreement"),
                text("blocking_rule"),
            ],
            Show::Weights => vec![
                text("field"),
                text("level"),
                number("m_probability"),
                number("u_probability"),
                number("match_weight"),
            ],
            Show::Blocks => vec![
                text("blocking_rule"),
                count("block_count"),
                count("pair_count"),
                count("block_size_max"),
                count("left_out_block_count"),
                count("left_out_record_count"),
            ],
        }))
    }

    fn open(&self, input: SchemaRef, output: SchemaRef) -> Result<Box<dyn RelationState>> {
        let key = input.index_of(KEY)?;
        Ok(Box::new(State {
            records: Some(RecordsBuilder::new(layout(&input).map_err(external)?)),
            settings: self.settings,
            show: self.show,
            key,
            output,
        }))
    }
}

/// What the columns are for.
fn layout(input: &Schema) -> std::result::Result<Layout, JourneysError> {
    let names: Vec<&str> = input
        .fields()
        .iter()
        .map(|field| field.name().as_str())
        .collect();
    Layout::new(&names)
}

fn external(error: JourneysError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

/// The records while they come in.
struct State {
    /// None after the end.
    records: Option<RecordsBuilder>,
    settings: ProbableSettings,
    show: Show,
    /// Place of the key.
    key: usize,
    output: SchemaRef,
}

impl RelationState for State {
    fn push(&mut self, batch: RecordBatch) -> Result<Vec<RecordBatch>> {
        let Some(records) = &mut self.records else {
            return Ok(vec![]);
        };
        let keys = batch.column(self.key).as_primitive::<Int64Type>();
        let texts: Vec<ArrayRef> = batch
            .columns()
            .iter()
            .map(|column| Ok(cast(column, &DataType::Utf8)?))
            .collect::<Result<_>>()?;
        let texts: Vec<&StringArray> = texts.iter().map(|text| text.as_string()).collect();
        let mut values: Vec<Option<&str>> = Vec::with_capacity(texts.len());
        for row in 0..batch.num_rows() {
            if keys.is_null(row) {
                return exec_err!("`{NAME}`: a record has no key (hint: leave such rows out)");
            }
            values.clear();
            values.extend(
                texts
                    .iter()
                    .map(|text| text.is_valid(row).then(|| text.value(row))),
            );
            records.push(keys.value(row), &values).map_err(external)?;
        }
        Ok(vec![])
    }

    fn finish(&mut self) -> Result<Vec<RecordBatch>> {
        let Some(records) = self.records.take() else {
            return Ok(vec![]);
        };
        let records = records.finish().map_err(external)?;
        match self.show {
            Show::Blocks => Ok(vec![blocks(
                &records.blocking(&self.settings),
                &self.output,
            )?]),
            Show::Weights => {
                let scored = records.scored(&self.settings);
                Ok(vec![weights(&scored.weights, &self.output)?])
            }
            Show::Links => {
                let scored = records.scored(&self.settings);
                drop(records);
                links(&scored, &self.output)
            }
        }
    }

    fn memory_bytes(&self) -> usize {
        self.records
            .as_ref()
            .map_or(0, RecordsBuilder::memory_bytes)
    }
}

fn links(scored: &Scored, output: &SchemaRef) -> Result<Vec<RecordBatch>> {
    let chunks = scored.links.chunks(BATCH_ROWS).map(|links| {
        let mut agreements = StringBuilder::new();
        let mut rules = StringBuilder::new();
        for link in links {
            agreements.append_value(scored.agreement(link.pattern));
            let rule = scored.blocking.get(usize::from(link.rule));
            rules.append_value(rule.map_or("", |row| row.rule.as_str()));
        }
        let keys = |key: Vec<i64>| -> ArrayRef { Arc::new(Int64Array::from(key)) };
        let numbers = |values: Vec<f64>| -> ArrayRef { Arc::new(Float64Array::from(values)) };
        let columns: Vec<ArrayRef> = vec![
            keys(links.iter().map(|link| link.a_key).collect()),
            keys(links.iter().map(|link| link.b_key).collect()),
            numbers(links.iter().map(|link| link.match_weight).collect()),
            numbers(links.iter().map(|link| link.match_probability).collect()),
            Arc::new(agreements.finish()),
            Arc::new(rules.finish()),
        ];
        Ok(RecordBatch::try_new(Arc::clone(output), columns)?)
    });
    chunks.collect()
}

fn weights(rows: &[WeightRow], output: &SchemaRef) -> Result<RecordBatch> {
    let texts = |text: &dyn Fn(&WeightRow) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.iter().map(text)))
    };
    let numbers = |number: &dyn Fn(&WeightRow) -> f64| -> ArrayRef {
        Arc::new(Float64Array::from_iter_values(rows.iter().map(number)))
    };
    let columns = vec![
        texts(&|row| row.field.clone()),
        texts(&|row| row.level.as_str().to_owned()),
        numbers(&|row| row.m),
        numbers(&|row| row.u),
        numbers(&|row| row.bits),
    ];
    Ok(RecordBatch::try_new(Arc::clone(output), columns)?)
}

fn blocks(rows: &[BlockingRow], output: &SchemaRef) -> Result<RecordBatch> {
    let counts = |count: &dyn Fn(&BlockingRow) -> u64| -> ArrayRef {
        // Counts of records and of pairs that were made: far below 2^63.
        let counts = rows
            .iter()
            .map(|row| i64::try_from(count(row)).unwrap_or(i64::MAX));
        Arc::new(Int64Array::from_iter_values(counts))
    };
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values(
            rows.iter().map(|row| &row.rule),
        )),
        counts(&|row| row.block_count),
        counts(&|row| row.pair_count),
        counts(&|row| row.size_max),
        counts(&|row| row.left_out_block_count),
        counts(&|row| row.left_out_record_count),
    ];
    Ok(RecordBatch::try_new(Arc::clone(output), columns)?)
}
