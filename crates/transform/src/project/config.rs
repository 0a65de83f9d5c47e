//! What `config(…)` of a model says, typed.
//!
//! Values come from the `config:` block of a `.yml` and from `{{ config(…) }}` in the SQL, which
//! wins. An unknown setting or a wrong value is refused with advice.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Serialize;
use serde_json::Value;

use super::layer::Layer;
use super::problem::{Problem, suggestion};

/// How a model becomes a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Materialized {
    /// Computed on every read.
    #[default]
    View,
    /// Rebuilt whole.
    Table,
    /// Only what changed.
    Incremental,
}

/// How an incremental model takes in what changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// Rows are only added.
    Append,
    /// Whole intervals of `event_time` are replaced.
    ReplaceInterval,
    /// The rows of those values of `unique_key` for which something changed are replaced.
    ReplaceKey,
}

/// How a changed row of an input tells which keys of the model it touches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum KeyRule {
    /// This column of the input is the key, under another name.
    Column(String),
    /// A value of the input stands beside the key in another one.
    Through {
        /// A model that the model reads too and that has its key.
        model: String,
        /// The column of that model that holds the value.
        column: String,
        /// SQL over the input's row that gives the value; the column of that name where it is not
        /// said.
        value: Option<String>,
    },
}

/// Length of an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum BatchSize {
    #[default]
    Day,
    Month,
    Year,
}

/// How many silver rows one raw row gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rows {
    /// Exactly one.
    #[default]
    One,
    /// One or none.
    Some,
    /// Any number.
    Many,
}

/// What a failed check does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Blocks publishing.
    #[default]
    Error,
    /// Is reported.
    Warn,
}

/// The settings of a model or of a singular test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ModelConfig {
    /// How it becomes a table. Silver models with an entity do not use it.
    pub materialized: Materialized,
    /// For `incremental`: `incremental_strategy`; by `event_time` where it is not said.
    pub strategy: Option<Strategy>,
    /// DATE column of the output that names the interval.
    pub event_time: Option<String>,
    /// First day that is built.
    pub begin: Option<NaiveDate>,
    /// Length of an interval.
    pub batch_size: BatchSize,
    /// Intervals before a dirty one that are read too.
    pub lookback: u32,
    /// Intervals after a dirty one that are read too.
    pub lookahead: u32,
    /// Look-back of single inputs, by name, where it differs from that of the others.
    pub lookback_of: BTreeMap<String, u32>,
    /// Queries of its `with` clause that are carried out once and kept in memory while it is
    /// built: small ones that it reads several times.
    pub share: Vec<String>,
    /// Parts of its rows that come from different inputs, and of which each keeps its own days: a
    /// change of one leaves the files of the others as they are. The SQL asks `in_part('…')`.
    pub parts: Vec<String>,
    /// For `replace_key`: which keys a changed row of an input touches, by the name of the model or
    /// entity, for inputs that do not have the key themselves.
    pub keys_of: BTreeMap<String, KeyRule>,
    /// For `replace_key`: by model, the column whose equal values tie keys together.
    pub key_groups: BTreeMap<String, String>,
    /// False for a log that cannot be made again: it is only ever added to, whatever is asked for.
    pub full_refresh: bool,
    /// Columns that together are unique.
    pub unique_key: Vec<String>,
    /// Columns by which files are sorted.
    pub sort: Vec<String>,
    /// The first sort column, a 64-bit key, by whose ranges files are split.
    pub range_by: Option<String>,
    /// Columns that rows are looked up by: they get bloom filters. Never personal data.
    pub bloom: Vec<String>,
    /// Columns with statistics; the lake's choice where it is not said.
    pub stats: Option<Vec<String>>,
    /// Entity that a silver model promises.
    pub entity: Option<String>,
    /// How many silver rows one raw row gives.
    pub rows: Rows,
    /// Layer, where neither folder nor name says it.
    pub schema: Option<Layer>,
    /// For tests: what failing does.
    pub severity: Severity,
    /// Words to select by.
    pub tags: Vec<String>,
    /// False: the model is left out.
    pub enabled: bool,
}

impl Default for ModelConfig {
    fn default() -> Self {
        Self {
            materialized: Materialized::default(),
            strategy: None,
            event_time: None,
            begin: None,
            batch_size: BatchSize::default(),
            lookback: 0,
            lookahead: 0,
            lookback_of: BTreeMap::new(),
            share: vec![],
            parts: vec![],
            full_refresh: true,
            keys_of: BTreeMap::new(),
            key_groups: BTreeMap::new(),
            unique_key: vec![],
            sort: vec![],
            range_by: None,
            bloom: vec![],
            stats: None,
            entity: None,
            rows: Rows::default(),
            schema: None,
            severity: Severity::default(),
            tags: vec![],
            enabled: true,
        }
    }
}

/// Settings that `config` knows.
pub const SETTINGS: [&str; 25] = [
    "materialized",
    "incremental_strategy",
    "event_time",
    "begin",
    "batch_size",
    "lookback",
    "lookahead",
    "lookback_of",
    "share",
    "parts",
    "full_refresh",
    "keys_of",
    "key_groups",
    "unique_key",
    "sort",
    "range_by",
    "bloom",
    "stats",
    "entity",
    "rows",
    "schema",
    "severity",
    "tags",
    "enabled",
    "meta",
];

impl ModelConfig {
    /// Takes in one setting. Tags add up, all else replaces.
    ///
    /// # Errors
    /// The setting is unknown, or the value is not one it takes.
    pub fn set(&mut self, setting: &str, value: &Value) -> Result<(), Problem> {
        let given = Given { setting, value };
        match setting {
            "materialized" => {
                self.materialized = given.one_of(&[
                    ("view", Materialized::View),
                    ("table", Materialized::Table),
                    ("incremental", Materialized::Incremental),
                ])?;
            }
            "incremental_strategy" => {
                self.strategy = Some(given.one_of(&[
                    ("append", Strategy::Append),
                    ("replace_interval", Strategy::ReplaceInterval),
                    ("replace_key", Strategy::ReplaceKey),
                    ("delete+insert", Strategy::ReplaceKey),
                    ("microbatch", Strategy::ReplaceInterval),
                ])?);
            }
            "event_time" => self.event_time = Some(given.text()?),
            "begin" => self.begin = Some(given.day()?),
            "batch_size" => {
                self.batch_size = given.one_of(&[
                    ("day", BatchSize::Day),
                    ("month", BatchSize::Month),
                    ("year", BatchSize::Year),
                ])?;
            }
            "lookback" => self.lookback = given.count()?,
            "lookahead" => self.lookahead = given.count()?,
            "lookback_of" => self.lookback_of = given.counts()?,
            "share" => self.share = given.texts()?,
            "parts" => self.parts = given.texts()?,
            "full_refresh" => self.full_refresh = given.boolean()?,
            "keys_of" => self.keys_of = given.key_rules()?,
            "key_groups" => self.key_groups = given.pairs()?,
            "unique_key" => self.unique_key = given.texts()?,
            "sort" => self.sort = given.texts()?,
            "range_by" => self.range_by = Some(given.text()?),
            "bloom" => self.bloom = given.texts()?,
            "stats" => self.stats = Some(given.texts()?),
            "entity" => self.entity = Some(given.entity()?),
            "rows" => {
                self.rows = given.one_of(&[
                    ("one", Rows::One),
                    ("some", Rows::Some),
                    ("many", Rows::Many),
                ])?;
            }
            "schema" => {
                self.schema = Some(given.one_of(&Layer::OF_MODELS.map(|l| (l.schema(), l)))?);
            }
            "severity" => {
                self.severity =
                    given.one_of(&[("error", Severity::Error), ("warn", Severity::Warn)])?;
            }
            "tags" => self.add_tags(given.texts()?),
            "enabled" => self.enabled = given.boolean()?,
            "meta" => {}
            _ => {
                return Err(
                    Problem::new(format!("unknown setting `{setting}` in config"))
                        .hint(suggestion(setting, SETTINGS, "setting")),
                );
            }
        }
        Ok(())
    }

    /// Intervals of the input `name` that are read before a dirty one.
    pub fn lookback_into(&self, name: &str) -> u32 {
        self.lookback_of.get(name).copied().unwrap_or(self.lookback)
    }

    fn add_tags(&mut self, tags: Vec<String>) {
        for tag in tags {
            if !self.tags.contains(&tag) {
                self.tags.push(tag);
            }
        }
    }

    /// Checks what single settings cannot, and fills in the strategy.
    ///
    /// # Errors
    /// Settings that do not go together.
    pub fn complete(&mut self) -> Result<(), Problem> {
        self.check_range()?;
        self.check_parts()?;
        if self.materialized != Materialized::Incremental {
            if self.strategy.is_some() {
                return Err(Problem::new(
                    "`incremental_strategy` is given but the model is not incremental",
                )
                .hint("add `materialized='incremental'`, or take the strategy out"));
            }
            return Ok(());
        }
        let by_event_time = if self.event_time.is_some() {
            Strategy::ReplaceInterval
        } else {
            Strategy::Append
        };
        let strategy = *self.strategy.get_or_insert(by_event_time);
        if strategy == Strategy::ReplaceInterval && self.event_time.is_none() {
            return Err(Problem::new("`replace_interval` needs `event_time`")
                .why("the intervals are those of a DATE column of the model's output")
                .hint("add `event_time='event_date'` with the name of that column"));
        }
        if strategy == Strategy::ReplaceKey && self.unique_key.len() != 1 {
            return Err(
                Problem::new("`replace_key` needs one column as `unique_key`")
                    .why("the rows of a key are replaced together, all that there are of it")
                    .hint("add `unique_key='customer_key'` with the name of a 64-bit key"),
            );
        }
        Ok(())
    }
}

impl ModelConfig {
    fn check_parts(&self) -> Result<(), Problem> {
        let is_by_day = self.materialized == Materialized::Incremental && self.event_time.is_some();
        if self.parts.is_empty() || is_by_day {
            return Ok(());
        }
        Err(Problem::new("`parts` needs a table that is kept by day")
            .why("parts are days that change by themselves")
            .hint("add `materialized='incremental'` and `event_time`, or take `parts` out"))
    }

    fn check_range(&self) -> Result<(), Problem> {
        let Some(range) = &self.range_by else {
            return Ok(());
        };
        if self.materialized == Materialized::View || self.event_time.is_some() {
            return Err(
                Problem::new(format!("`range_by='{range}'` needs a table of its own"))
                    .why("files are split by ranges of a key, or kept by day, not both")
                    .hint("take `range_by` out, or keep the model as `materialized='table'`"),
            );
        }
        if self.sort.first() == Some(range) {
            return Ok(());
        }
        Err(Problem::new(format!(
            "`range_by='{range}'` is not the first column of `sort`"
        ))
        .why("a file holds a range of keys only if its rows lie in their order")
        .hint(format!("add `sort=['{range}', …]`")))
    }
}

/// A setting with its value, and how to read it.
struct Given<'a> {
    setting: &'a str,
    value: &'a Value,
}

impl Given<'_> {
    fn wrong(&self, wanted: &str) -> Problem {
        Problem::new(format!("`{}` cannot be `{}`", self.setting, self.shown()))
            .hint(format!("give {wanted}"))
    }

    fn shown(&self) -> String {
        match self.value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }

    fn one_of<T: Copy>(&self, choices: &[(&str, T)]) -> Result<T, Problem> {
        let text = self.value.as_str().unwrap_or_default();
        let found = choices.iter().find(|(name, _)| *name == text);
        found.map(|(_, choice)| *choice).ok_or_else(|| {
            let names: Vec<String> = choices
                .iter()
                .map(|(name, _)| format!("`{name}`"))
                .collect();
            self.wrong(&format!("one of {}", names.join(", ")))
        })
    }

    fn text(&self) -> Result<String, Problem> {
        match self.value.as_str() {
            Some(text) if !text.trim().is_empty() => Ok(text.to_owned()),
            _ => Err(self.wrong("a name in quotes")),
        }
    }

    fn texts(&self) -> Result<Vec<String>, Problem> {
        let wanted = "a name in quotes, or a list of them";
        match self.value {
            Value::String(text) if !text.trim().is_empty() => Ok(vec![text.clone()]),
            Value::Array(items) => items
                .iter()
                .map(|item| {
                    item.as_str()
                        .map(str::to_owned)
                        .ok_or_else(|| self.wrong(wanted))
                })
                .collect(),
            _ => Err(self.wrong(wanted)),
        }
    }

    fn boolean(&self) -> Result<bool, Problem> {
        self.value
            .as_bool()
            .ok_or_else(|| self.wrong("`true` or `false`"))
    }

    fn count(&self) -> Result<u32, Problem> {
        let count = self
            .value
            .as_u64()
            .and_then(|count| u32::try_from(count).ok());
        count.ok_or_else(|| self.wrong("a whole number, 0 or more"))
    }

    fn counts(&self) -> Result<BTreeMap<String, u32>, Problem> {
        let wanted = "names with whole numbers, as `{'ad_click': 30}`";
        let entries = self.value.as_object().ok_or_else(|| self.wrong(wanted))?;
        entries
            .iter()
            .map(|(name, value)| {
                let count = value.as_u64().and_then(|count| u32::try_from(count).ok());
                Ok((name.clone(), count.ok_or_else(|| self.wrong(wanted))?))
            })
            .collect()
    }

    fn pairs(&self) -> Result<BTreeMap<String, String>, Problem> {
        let wanted = "names with columns, as `{'int_conversion_party': 'conversion_id'}`";
        let entries = self.value.as_object().ok_or_else(|| self.wrong(wanted))?;
        let pair = |(name, value): (&String, &Value)| {
            let value = value.as_str().ok_or_else(|| self.wrong(wanted))?;
            Ok((name.clone(), value.to_owned()))
        };
        entries.iter().map(pair).collect()
    }

    fn key_rules(&self) -> Result<BTreeMap<String, KeyRule>, Problem> {
        let wanted = "inputs with the column that is the key, as `{'int_component': 'node_key'}`, \
                      that leads to it, as `{'int_session': 'bridge_identity.identity_node_id'}`, \
                      or with an expression beside it, as \
                      `{'contact': ['bridge_identity.identity_node_id', '…']}`";
        let entries = self.value.as_object().ok_or_else(|| self.wrong(wanted))?;
        let rule = |(name, given): (&String, &Value)| {
            let (place, value) = match given {
                Value::String(place) => (Some(place.as_str()), None),
                Value::Array(both) => match both.as_slice() {
                    [place, value] => (place.as_str(), value.as_str().map(str::to_owned)),
                    _ => (None, None),
                },
                _ => (None, None),
            };
            let place = place.ok_or_else(|| self.wrong(wanted))?;
            let rule = match (place.split_once('.'), value) {
                (Some((model, column)), value) => KeyRule::Through {
                    model: model.to_owned(),
                    column: column.to_owned(),
                    value,
                },
                (None, None) => KeyRule::Column(place.to_owned()),
                (None, Some(_)) => return Err(self.wrong(wanted)),
            };
            Ok((name.clone(), rule))
        };
        entries.iter().map(rule).collect()
    }

    fn day(&self) -> Result<NaiveDate, Problem> {
        let text = self.value.as_str().unwrap_or_default();
        let day = text.get(..10).unwrap_or(text);
        NaiveDate::parse_from_str(day, "%Y-%m-%d").map_err(|_| self.wrong("a day as `2024-01-31`"))
    }

    fn entity(&self) -> Result<String, Problem> {
        let name = self.text()?;
        if domain::entity::entity(&name).is_some() {
            return Ok(name);
        }
        let known = domain::entity::entities()
            .iter()
            .map(|entity| entity.name.as_str());
        Err(Problem::new(format!("unknown entity `{name}`"))
            .hint(suggestion(&name, known, "entity")))
    }
}
