//! `fit_attribution((select path, conversions, nulls, value, fit_group, models from …))`: models
//! fitted on all paths of a group, one row per model and channel.
//!
//! `path` is a list of channels, oldest touch first. Rows may be grouped or not: equal paths are
//! added up. Whatever the order of rows and the number of threads, the result is the same. Of each
//! group and model the credits sum to its conversions and the money to its value; what no channel
//! can be credited with is a row `is_unattributed`.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Int64Type};
use arrow_array::{Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use datafusion::common::exec_err;
use datafusion::error::{DataFusionError, Result};
use journeys::attribution::fitted::{
    FittedModel, FittedSettings, GroupedPaths, PathsBuilder, fit, models,
};
use lake::relation::{InputColumn, RelationFunction, RelationState};

use self::rows::FitRows;

mod rows;

const NAME: &str = "fit_attribution";

/// Type of a sum of money.
const SUM: DataType = DataType::Decimal128(28, 6);

/// Type of a number of conversions with fractions.
const CREDITS: DataType = DataType::Decimal128(28, 12);

/// Memory of a distinct path beside its touches, and of a touch.
const PATH_BYTES: usize = 96;
const TOUCH_BYTES: usize = 4;

/// The relation function.
#[derive(Debug)]
pub(super) struct FitAttribution {
    settings: FittedSettings,
}

impl FitAttribution {
    pub(super) fn new(settings: FittedSettings) -> Self {
        Self { settings }
    }
}

impl RelationFunction for FitAttribution {
    fn name(&self) -> &str {
        NAME
    }

    fn input_columns(&self) -> Vec<InputColumn> {
        let channels = Field::new_list_field(DataType::Utf8, true);
        vec![
            InputColumn::required("path", DataType::List(Arc::new(channels))),
            InputColumn::required("conversions", DataType::Int64),
            InputColumn::optional("nulls", DataType::Int64),
            InputColumn::optional("value", SUM),
            InputColumn::optional("fit_group", DataType::Utf8),
            InputColumn::optional("models", DataType::Utf8),
        ]
    }

    fn output_schema(&self, _input: &Schema) -> Result<Schema> {
        Ok(Schema::new(rows::fields()))
    }

    fn open(&self, input: SchemaRef, output: SchemaRef) -> Result<Box<dyn RelationState>> {
        Ok(Box::new(Groups {
            settings: self.settings.clone(),
            groups: BTreeMap::new(),
            bytes: 0,
            columns: Columns {
                path: input.index_of("path")?,
                conversions: input.index_of("conversions")?,
                nulls: input.index_of("nulls").ok(),
                value: input.index_of("value").ok(),
                fit_group: input.index_of("fit_group").ok(),
                models: input.index_of("models").ok(),
            },
            output,
        }))
    }
}

/// Places of the input's columns.
#[derive(Clone, Copy)]
struct Columns {
    path: usize,
    conversions: usize,
    nulls: Option<usize>,
    value: Option<usize>,
    fit_group: Option<usize>,
    models: Option<usize>,
}

/// The paths of one group while they come in.
#[derive(Default)]
struct Group {
    /// Numbers of channels as they came; they are sorted at the end.
    numbers: HashMap<String, u32>,
    paths: PathsBuilder,
    /// Models that its rows ask for; none: those of the project.
    models: Option<String>,
}

/// All groups.
struct Groups {
    settings: FittedSettings,
    groups: BTreeMap<Option<String>, Group>,
    bytes: usize,
    columns: Columns,
    output: SchemaRef,
}

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

fn text(batch: &RecordBatch, column: Option<usize>, row: usize) -> Option<&str> {
    let texts: &StringArray = batch.column(column?).as_string();
    texts.is_valid(row).then(|| texts.value(row))
}

/// A count that may be left out but not be negative.
fn count(batch: &RecordBatch, column: Option<usize>, row: usize, name: &str) -> Result<u64> {
    let Some(column) = column else { return Ok(0) };
    let counts = batch.column(column).as_primitive::<Int64Type>();
    if counts.is_null(row) {
        return Ok(0);
    }
    match u64::try_from(counts.value(row)) {
        Ok(count) => Ok(count),
        Err(_) => exec_err!("`{NAME}`: `{name}` is negative: {}", counts.value(row)),
    }
}

impl RelationState for Groups {
    fn push(&mut self, batch: RecordBatch) -> Result<Vec<RecordBatch>> {
        let columns = self.columns;
        let paths = batch.column(columns.path).as_list::<i32>();
        let mut channels = Vec::new();
        for row in 0..batch.num_rows() {
            let name = text(&batch, columns.fit_group, row);
            let group = self.groups.entry(name.map(str::to_owned)).or_default();
            channels.clear();
            if paths.is_valid(row) {
                let steps = paths.value(row);
                let steps: &StringArray = steps.as_string();
                for step in steps {
                    let Some(step) = step else {
                        return exec_err!("`{NAME}`: a path has a step without a channel");
                    };
                    channels.push(group.number(step));
                }
            }
            let value = columns.value.map(|column| batch.column(column));
            let value = value.map(|column| column.as_primitive::<Decimal128Type>());
            let value = value.filter(|values| values.is_valid(row));
            let added = group.paths.add(
                &channels,
                count(&batch, Some(columns.conversions), row, "conversions")?,
                count(&batch, columns.nulls, row, "nulls")?,
                value.map_or(0, |values| values.value(row)),
            );
            added.map_err(failed)?;
            self.bytes += PATH_BYTES + channels.len() * TOUCH_BYTES;
            group.asked(text(&batch, columns.models, row))?;
        }
        Ok(vec![])
    }

    fn finish(&mut self) -> Result<Vec<RecordBatch>> {
        let mut rows = FitRows::default();
        for (name, group) in std::mem::take(&mut self.groups) {
            let wanted = match &group.models {
                Some(names) => models(names.split(',').map(str::trim)).map_err(failed)?,
                None => self.settings.models.clone(),
            };
            let (names, paths) = group.sorted()?;
            self.fit(&mut rows, name.as_deref(), &names, &paths, &wanted)?;
        }
        self.bytes = 0;
        let batch = rows.finish(&self.output)?;
        Ok(if batch.num_rows() > 0 {
            vec![batch]
        } else {
            vec![]
        })
    }

    fn memory_bytes(&self) -> usize {
        self.bytes
    }
}

impl Groups {
    fn fit(
        &self,
        rows: &mut FitRows,
        group: Option<&str>,
        names: &[String],
        paths: &GroupedPaths,
        models: &[FittedModel],
    ) -> Result<()> {
        let collapse = self.settings.collapse_channels_first;
        let digest = rows::digest(names, paths);
        for &model in models {
            let fitted = fit(model, paths, collapse).map_err(failed)?;
            rows.push(group, names, paths, &fitted, collapse, &digest);
        }
        Ok(())
    }
}

impl Group {
    fn number(&mut self, channel: &str) -> u32 {
        if let Some(&number) = self.numbers.get(channel) {
            return number;
        }
        let number = self.numbers.len() as u32;
        self.numbers.insert(channel.to_owned(), number);
        number
    }

    /// Notes which models a row asks for.
    fn asked(&mut self, models: Option<&str>) -> Result<()> {
        match (&self.models, models) {
            (_, None) => {}
            (None, Some(models)) => self.models = Some(models.to_owned()),
            (Some(before), Some(models)) if before == models => {}
            (Some(before), Some(models)) => {
                return exec_err!(
                    "`{NAME}`: `models` is `{before}` and `{models}` in one group (hint: it says \
                     for all rows of a group which models are fitted)"
                );
            }
        }
        Ok(())
    }

    /// The paths with channels numbered in alphabetical order, and their names.
    fn sorted(self) -> Result<(Vec<String>, GroupedPaths)> {
        let mut names: Vec<(String, u32)> = self.numbers.into_iter().collect();
        names.sort_unstable();
        let mut place = vec![0_u32; names.len()];
        for (at, (_, number)) in names.iter().enumerate() {
            place[*number as usize] = at as u32;
        }
        let mut sorted = PathsBuilder::default();
        let mut channels = Vec::new();
        for path in self.paths.finish().paths() {
            channels.clear();
            channels.extend(path.channels.iter().map(|number| place[*number as usize]));
            sorted
                .add(&channels, path.conversions, path.nulls, path.value)
                .map_err(failed)?;
        }
        let names = names.into_iter().map(|(name, _)| name).collect();
        Ok((names, sorted.finish()))
    }
}
