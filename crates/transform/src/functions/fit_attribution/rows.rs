//! What `fit_attribution` gives: one row per group, model and channel, each with what the fit was
//! made of.

use std::sync::Arc;

use arrow_array::builder::{
    BooleanBuilder, Decimal128Builder, Float64Builder, Int64Builder, StringBuilder,
};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, SchemaRef};
use datafusion::error::Result;
use journeys::attribution::fitted::{ChannelCredit, Fit, FittedModel, GroupedPaths};
use xxhash_rust::xxh3::Xxh3;

use super::{CREDITS, SUM};

/// The columns that come out.
pub(super) fn fields() -> Vec<Field> {
    vec![
        Field::new("fit_group", DataType::Utf8, true),
        Field::new("model", DataType::Utf8, false),
        Field::new("channel", DataType::Utf8, true),
        Field::new("is_unattributed", DataType::Boolean, false),
        Field::new("effect", DataType::Float64, true),
        Field::new("value_effect", DataType::Float64, true),
        Field::new("credit", CREDITS, false),
        Field::new("credited_value", SUM, false),
        Field::new("parameters", DataType::Utf8, false),
        Field::new("input_digest", DataType::Utf8, false),
        Field::new("path_count", DataType::Int64, false),
        Field::new("conversion_count", DataType::Int64, false),
        Field::new("null_count", DataType::Int64, false),
        Field::new("has_nulls", DataType::Boolean, false),
        Field::new("total_value", SUM, false),
        Field::new("has_negative_mean", DataType::Boolean, false),
        Field::new("state_count", DataType::Int64, true),
        Field::new("parameter_count", DataType::Int64, true),
        Field::new("log_likelihood", DataType::Float64, true),
        Field::new("bic", DataType::Float64, true),
        Field::new("error_bound", DataType::Float64, false),
    ]
}

/// What the paths are, as 16 hexadecimal digits: the same paths give the same digits.
pub(super) fn digest(names: &[String], paths: &GroupedPaths) -> String {
    let mut hasher = Xxh3::new();
    let mut text = |text: &str| {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    };
    for path in paths.paths() {
        text(&format!(
            "{} {} {} {}",
            path.channels.len(),
            path.conversions,
            path.nulls,
            path.value
        ));
        for channel in &path.channels {
            text(&names[*channel as usize]);
        }
    }
    format!("{:016x}", hasher.digest())
}

/// Rows while they are made.
pub(super) struct FitRows {
    fit_group: StringBuilder,
    model: StringBuilder,
    channel: StringBuilder,
    is_unattributed: BooleanBuilder,
    effect: Float64Builder,
    value_effect: Float64Builder,
    credit: Decimal128Builder,
    credited_value: Decimal128Builder,
    parameters: StringBuilder,
    input_digest: StringBuilder,
    path_count: Int64Builder,
    conversion_count: Int64Builder,
    null_count: Int64Builder,
    has_nulls: BooleanBuilder,
    total_value: Decimal128Builder,
    has_negative_mean: BooleanBuilder,
    state_count: Int64Builder,
    parameter_count: Int64Builder,
    log_likelihood: Float64Builder,
    bic: Float64Builder,
    error_bound: Float64Builder,
}

impl Default for FitRows {
    fn default() -> Self {
        Self {
            fit_group: StringBuilder::new(),
            model: StringBuilder::new(),
            channel: StringBuilder::new(),
            is_unattributed: BooleanBuilder::new(),
            effect: Float64Builder::new(),
            value_effect: Float64Builder::new(),
            credit: Decimal128Builder::new().with_data_type(CREDITS),
            credited_value: Decimal128Builder::new().with_data_type(SUM),
            parameters: StringBuilder::new(),
            input_digest: StringBuilder::new(),
            path_count: Int64Builder::new(),
            conversion_count: Int64Builder::new(),
            null_count: Int64Builder::new(),
            has_nulls: BooleanBuilder::new(),
            total_value: Decimal128Builder::new().with_data_type(SUM),
            has_negative_mean: BooleanBuilder::new(),
            state_count: Int64Builder::new(),
            parameter_count: Int64Builder::new(),
            log_likelihood: Float64Builder::new(),
            bic: Float64Builder::new(),
            error_bound: Float64Builder::new(),
        }
    }
}

/// A count in 64 bits; counts are of rows that are there.
fn whole(count: impl TryInto<i64>) -> i64 {
    count.try_into().unwrap_or(i64::MAX)
}

impl FitRows {
    /// The channels of one fit, and what is left without one.
    pub(super) fn push(
        &mut self,
        group: Option<&str>,
        names: &[String],
        paths: &GroupedPaths,
        fit: &Fit,
        collapse: bool,
        digest: &str,
    ) {
        let parameters = match fit.model {
            FittedModel::Markov(order) => {
                format!("order={order} collapse_channels_first={collapse}")
            }
            _ => String::new(),
        };
        let rest = ChannelCredit {
            channel: 0,
            effect: None,
            value_effect: None,
            credit: fit.unattributed_credit,
            value: fit.unattributed_value,
        };
        let has_rest = rest.credit != 0 || rest.value != 0;
        let named = |credit| (Some(names), credit);
        let rest = has_rest.then_some((None, &rest));
        for (names, credit) in fit.channels.iter().map(named).chain(rest) {
            self.fit_group.append_option(group);
            self.parameters.append_value(&parameters);
            self.input_digest.append_value(digest);
            self.credited(fit.model, names, credit);
            self.made_of(paths, fit);
        }
    }

    fn credited(&mut self, model: FittedModel, names: Option<&[String]>, row: &ChannelCredit) {
        // A worth of money comes in millionths; a removal effect is a share.
        let unit = match model {
            FittedModel::Markov(_) => 1.0,
            _ => 1e6,
        };
        self.model.append_value(model.name());
        let name = names.map(|names| names[row.channel as usize].as_str());
        self.channel.append_option(name);
        self.is_unattributed.append_value(name.is_none());
        self.effect.append_option(row.effect);
        self.value_effect
            .append_option(row.value_effect.map(|effect| effect / unit));
        self.credit.append_value(row.credit);
        self.credited_value.append_value(row.value);
    }

    fn made_of(&mut self, paths: &GroupedPaths, fit: &Fit) {
        let chain = fit.markov.as_ref();
        self.path_count.append_value(whole(paths.paths().len()));
        self.conversion_count
            .append_value(whole(paths.conversions()));
        self.null_count.append_value(whole(paths.nulls()));
        self.has_nulls.append_value(paths.nulls() > 0);
        self.total_value.append_value(paths.value());
        self.has_negative_mean
            .append_value(chain.is_some_and(|chain| chain.has_negative_mean));
        self.state_count
            .append_option(chain.map(|chain| whole(chain.states)));
        self.parameter_count
            .append_option(chain.map(|chain| whole(chain.parameters)));
        self.log_likelihood
            .append_option(chain.map(|chain| chain.log_likelihood));
        self.bic.append_option(chain.map(|chain| chain.bic));
        self.error_bound
            .append_value(chain.map_or(0.0, |chain| chain.error_bound));
    }

    /// All rows.
    pub(super) fn finish(mut self, output: &SchemaRef) -> Result<RecordBatch> {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.fit_group.finish()),
            Arc::new(self.model.finish()),
            Arc::new(self.channel.finish()),
            Arc::new(self.is_unattributed.finish()),
            Arc::new(self.effect.finish()),
            Arc::new(self.value_effect.finish()),
            Arc::new(self.credit.finish()),
            Arc::new(self.credited_value.finish()),
            Arc::new(self.parameters.finish()),
            Arc::new(self.input_digest.finish()),
            Arc::new(self.path_count.finish()),
            Arc::new(self.conversion_count.finish()),
            Arc::new(self.null_count.finish()),
            Arc::new(self.has_nulls.finish()),
            Arc::new(self.total_value.finish()),
            Arc::new(self.has_negative_mean.finish()),
            Arc::new(self.state_count.finish()),
            Arc::new(self.parameter_count.finish()),
            Arc::new(self.log_likelihood.finish()),
            Arc::new(self.bic.finish()),
            Arc::new(self.error_bound.finish()),
        ];
        Ok(RecordBatch::try_new(Arc::clone(output), columns)?)
    }
}
