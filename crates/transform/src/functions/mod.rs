//! The SQL functions of Throughline, as the engine sees them.
//!
//! Thin adapters: what a function means stands in `domain` (keys, lenient reading) and `journeys`
//! (channels, sessions, identity, attribution). They are pure functions of their arguments and of
//! the project's settings, so that the engine may fold constants and share common parts.

use std::sync::Arc;

use datafusion::execution::SessionStateBuilder;
use datafusion::logical_expr::{AggregateUDF, ScalarUDF};
use domain::config::{ProjectConfig, Reporting};
use domain::key::KeyMaker;
use journeys::attribution::AttributionSettings;
use journeys::attribution::fitted::FittedSettings;
use journeys::channels::{BotPatterns, ChannelRules, SourceLists, TrafficRules};
use journeys::error::JourneysError;
use journeys::identity::{BlockList, GraphSettings, probable as probable_links};
use journeys::sessions::SessionSettings;
use lake::relation::{RelationFunction, with_relation_functions};

mod arguments;
mod attribute;
mod behaviour;
mod clean;
mod cleanse;
mod components;
mod fit_attribution;
mod funnel;
mod json;
mod keys;
mod kv;
mod meaning;
mod money;
mod parse;
mod path_at;
mod paths;
mod probable;
mod retention;
mod sessionize;
#[cfg(test)]
mod tests;
mod text;
mod traffic;
mod url;
mod written;

pub(crate) use meaning::meaning;

/// Texts of the seeds (CSV with a header) that channels, referrers and robots are known by.
#[derive(Debug, Clone, Copy)]
pub struct ChannelSeeds<'a> {
    /// `referrer_host.csv`: hosts of search engines, social networks, AI assistants.
    pub referrer_host: &'a str,
    /// `click_id.csv`: parameters that ad platforms add to addresses.
    pub click_id: &'a str,
    /// `channel_source.csv`: what kind of site a source is.
    pub channel_source: &'a str,
    /// `channel_rule.csv`: the ordered rules of the default channel group.
    pub channel_rule: &'a str,
    /// `bot_pattern.csv`: user agents of robots.
    pub bot_pattern: &'a str,
}

/// What the functions know of the project. Cheap to clone.
#[derive(Debug, Clone)]
pub struct FunctionContext {
    keys: KeyMaker,
    traffic: Arc<TrafficRules>,
    channels: Arc<ChannelRules>,
    bots: Arc<BotPatterns>,
    blocked: Arc<BlockList>,
    sessions: SessionSettings,
    attribution: AttributionSettings,
    identity: GraphSettings,
    reporting: Reporting,
    fitted: FittedSettings,
}

impl FunctionContext {
    /// From the project's key, its settings and its seeds.
    ///
    /// # Errors
    /// A seed or a setting that cannot be understood.
    pub fn new(
        keys: KeyMaker,
        config: &ProjectConfig,
        seeds: &ChannelSeeds<'_>,
    ) -> Result<Self, JourneysError> {
        probable_links::check(&config.identity.probable_links)?;
        let traffic = TrafficRules::new(seeds.referrer_host, seeds.click_id, &config.site)?;
        let lists = SourceLists::from_csv(seeds.channel_source)?;
        Ok(Self {
            keys,
            traffic: Arc::new(traffic),
            channels: Arc::new(ChannelRules::from_csv(seeds.channel_rule, lists)?),
            bots: Arc::new(BotPatterns::from_csv(seeds.bot_pattern)?),
            blocked: Arc::new(BlockList::new(&config.identity.blocked_values)?),
            sessions: SessionSettings::new(&config.sessions, &config.reporting.zone)?,
            attribution: AttributionSettings::new(&config.attribution)?,
            identity: GraphSettings::new(&config.identity)?,
            reporting: config.reporting.clone(),
            fitted: FittedSettings::new(&config.attribution.fitted)?,
        })
    }

    fn scalars(&self) -> Vec<ScalarUDF> {
        let mut all = vec![
            ScalarUDF::new_from_impl(json::FromJson::new()),
            ScalarUDF::new_from_impl(json::ToJson::new()),
            ScalarUDF::new_from_impl(kv::KvText::new()),
            ScalarUDF::new_from_impl(kv::KvCanonical::new()),
            ScalarUDF::new_from_impl(clean::TextIf::new()),
            ScalarUDF::new_from_impl(parse::LocalDate::new()),
        ];
        let texts = [
            vec![json::json_text()],
            clean::functions(),
            cleanse::functions(),
            keys::functions(&self.keys, &self.blocked),
            parse::functions(),
            written::functions(),
            url::functions(),
            traffic::functions(&self.traffic, &self.channels, &self.bots),
        ];
        all.extend(texts.into_iter().flatten().map(ScalarUDF::new_from_impl));
        all
    }

    fn relations(&self) -> Vec<Arc<dyn RelationFunction>> {
        vec![
            Arc::new(components::ConnectedComponents::new(self.identity)),
            Arc::new(sessionize::Sessionize::new(
                self.sessions,
                self.keys.clone(),
            )),
            Arc::new(attribute::Attribute::new(self.attribution.clone())),
            Arc::new(funnel::Funnel::default()),
            Arc::new(path_at::PathAt),
            Arc::new(paths::Paths::new()),
            Arc::new(probable::ProbableLinks::new()),
            Arc::new(retention::Retention::new(&self.reporting)),
            Arc::new(fit_attribution::FitAttribution::new(self.fitted.clone())),
        ]
    }
}

/// Adds all functions to a session. It sets the query planner: see [`with_relation_functions`].
pub fn register(
    mut builder: SessionStateBuilder,
    context: &FunctionContext,
) -> SessionStateBuilder {
    // With it the engine would copy `from_json(…)` or `traffic_source(…)` to every place where a
    // field of the result is used, and so parse each document once for each field.
    let settings = builder.config().get_or_insert_default();
    settings
        .options_mut()
        .optimizer
        .enable_leaf_expression_pushdown = false;
    let scalars = builder.scalar_functions().get_or_insert_default();
    scalars.extend(context.scalars().into_iter().map(Arc::new));
    let aggregates = builder.aggregate_functions().get_or_insert_default();
    aggregates.push(Arc::new(
        AggregateUDF::new_from_impl(money::SumMoney::new()),
    ));
    with_relation_functions(builder, context.relations())
}
