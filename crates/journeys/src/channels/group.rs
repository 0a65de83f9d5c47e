//! The default channel group: GA4's ordered rules over source, medium and campaign.
//!
//! From the seeds `channel_source` (`source,category`: what kind of site a source is) and
//! `channel_rule` (`priority,channel,source_category,source,medium,campaign`, and where a project
//! wants them `valid_from,valid_to`). All conditions of a rule must hold, an empty one always does;
//! of the rules that hold the one with the lowest priority wins, the earlier one of equals. A
//! condition is a list of values (`display|banner`) or `~` and a regular expression that must match
//! the whole text. Matching knows no case. A rule with days judges only visits of these days, both
//! ends among them: rules that change leave history as it was judged.

use std::borrow::Cow;
use std::collections::HashMap;

use chrono::NaiveDate;
use regex::{Regex, RegexBuilder};

use super::{seed, url};
use crate::error::{JourneysError, Result};

/// The channel where no rule holds.
pub const UNASSIGNED: &str = "Unassigned";

/// Most distinct conditions: each result is one bit while a row is judged.
const CONDITIONS_MAX: usize = 64;

/// What kind of site a source is.
#[derive(Debug, Clone, Default)]
pub struct SourceLists {
    category_by_source: HashMap<String, String>,
}

impl SourceLists {
    /// From the text of the seed `channel_source`. Of two rows with one source the later one
    /// counts.
    ///
    /// # Errors
    /// No CSV, a missing column, an empty source or category.
    pub fn from_csv(text: &str) -> Result<Self> {
        let mut category_by_source = HashMap::new();
        for row in seed::rows("channel_source", text, &["source", "category"])? {
            let (source, category) = (row.get(0).to_lowercase(), row.get(1).to_lowercase());
            if source.is_empty() || category.is_empty() {
                return Err(row.error("`source` and `category` must have values"));
            }
            category_by_source.insert(source, category);
        }
        Ok(Self { category_by_source })
    }

    /// The category of a source (trimmed, lower case): `search`, `social`, `shopping`, `video`.
    pub fn category(&self, source: &str) -> Option<&str> {
        self.category_by_source.get(source).map(String::as_str)
    }
}

/// The ordered rules.
#[derive(Debug, Clone)]
pub struct ChannelRules {
    lists: SourceLists,
    rules: Vec<Rule>,
    conditions: Vec<Condition>,
}

#[derive(Debug, Clone)]
struct Rule {
    priority: u32,
    channel: String,
    /// Bits of the conditions that must hold.
    needs: u64,
    /// First day that it judges; every one without it.
    valid_from: Option<NaiveDate>,
    /// Last day that it judges; every one without it.
    valid_to: Option<NaiveDate>,
}

impl Rule {
    /// Whether it judges visits of this day; without a day whether it has no end.
    fn is_valid(&self, day: Option<NaiveDate>) -> bool {
        match day {
            None => self.valid_to.is_none(),
            Some(day) => {
                self.valid_from.is_none_or(|from| from <= day)
                    && self.valid_to.is_none_or(|to| day <= to)
            }
        }
    }
}

#[derive(Debug, Clone)]
struct Condition {
    field: usize,
    text: String,
    test: Test,
}

#[derive(Debug, Clone)]
enum Test {
    OneOf(Vec<String>),
    Matches(Regex),
}

impl ChannelRules {
    /// From the text of the seed `channel_rule`, over these lists.
    ///
    /// # Errors
    /// No CSV, a missing column, a pattern or a day that cannot be understood, more than 64
    /// distinct conditions.
    pub fn from_csv(text: &str, lists: SourceLists) -> Result<Self> {
        let columns = [
            "priority",
            "channel",
            "source_category",
            "source",
            "medium",
            "campaign",
        ];
        let mut conditions: Vec<Condition> = Vec::new();
        let mut rules = Vec::new();
        for row in seed::rows_with("channel_rule", text, &columns, &["valid_from", "valid_to"])? {
            let priority = row
                .get(0)
                .parse()
                .map_err(|_| row.error(format!("`priority` is `{}`, not a number", row.get(0))))?;
            let channel = row.get(1).to_owned();
            if channel.is_empty() {
                return Err(row.error("`channel` is empty"));
            }
            let (valid_from, valid_to) = (day(&row, 6)?, day(&row, 7)?);
            if valid_from.zip(valid_to).is_some_and(|(from, to)| from > to) {
                return Err(row.error("`valid_from` is after `valid_to`"));
            }
            rules.push(Rule {
                priority,
                channel,
                needs: needs(&row, &mut conditions)?,
                valid_from,
                valid_to,
            });
        }
        rules.sort_by_key(|rule| rule.priority);
        Ok(Self {
            lists,
            rules,
            conditions,
        })
    }

    /// Whether a rule is bound to days: only then does the channel depend on the day.
    pub fn is_dated(&self) -> bool {
        let mut rules = self.rules.iter();
        rules.any(|rule| rule.valid_from.is_some() || rule.valid_to.is_some())
    }

    /// The channel of this source, medium and campaign; absent and empty mean the same. Judged by
    /// the rules of that day; without one by those that have no end.
    pub fn channel_group(
        &self,
        source: Option<&str>,
        medium: Option<&str>,
        campaign: Option<&str>,
        day: Option<NaiveDate>,
    ) -> &str {
        let clean = |text: Option<&str>| -> Cow<'_, str> {
            Cow::Owned(url::lower(text.unwrap_or_default().trim()).into_owned())
        };
        let (source, medium, campaign) = (clean(source), clean(medium), clean(campaign));
        let category = self.lists.category(&source).unwrap_or_default();
        let fields: [&str; FIELDS] = [category, &source, &medium, &campaign];
        let (mut judged, mut holds) = (0_u64, 0_u64);
        for rule in self.rules.iter().filter(|rule| rule.is_valid(day)) {
            let mut open = rule.needs & !judged;
            // A rule that already fails need not be looked at further.
            if rule.needs & judged & !holds != 0 {
                continue;
            }
            while open != 0 {
                let place = open.trailing_zeros() as usize;
                open &= open - 1;
                judged |= 1 << place;
                let condition = &self.conditions[place];
                if condition.holds(fields[condition.field]) {
                    holds |= 1 << place;
                } else {
                    break;
                }
            }
            if rule.needs & !holds == 0 {
                return &rule.channel;
            }
        }
        UNASSIGNED
    }

    /// The channels, in the order of their rules, [`UNASSIGNED`] last.
    pub fn channels(&self) -> Vec<&str> {
        let mut channels: Vec<&str> = Vec::new();
        for rule in &self.rules {
            if !channels.contains(&rule.channel.as_str()) {
                channels.push(&rule.channel);
            }
        }
        channels.retain(|channel| *channel != UNASSIGNED);
        channels.push(UNASSIGNED);
        channels
    }

    /// The lists the rules look sources up in.
    pub fn lists(&self) -> &SourceLists {
        &self.lists
    }
}

/// Category of the source, source, medium, campaign.
const FIELDS: usize = 4;

impl Condition {
    fn holds(&self, value: &str) -> bool {
        match &self.test {
            Test::OneOf(values) => values.iter().any(|one| one == value),
            Test::Matches(pattern) => pattern.is_match(value),
        }
    }
}

/// Bits of the conditions of a rule; a condition that no rule before had is added.
fn needs(row: &seed::SeedRow, conditions: &mut Vec<Condition>) -> Result<u64> {
    let mut needs = 0;
    for field in 0..FIELDS {
        let text = row.get(2 + field);
        if text.is_empty() {
            continue;
        }
        let known = conditions
            .iter()
            .position(|c| c.field == field && c.text == text);
        let place = match known {
            Some(place) => place,
            None if conditions.len() == CONDITIONS_MAX => {
                return Err(row.error(format!("more than {CONDITIONS_MAX} distinct conditions")));
            }
            None => {
                conditions.push(Condition {
                    field,
                    text: text.to_owned(),
                    test: test(text)?,
                });
                conditions.len() - 1
            }
        };
        needs |= 1_u64 << place;
    }
    Ok(needs)
}

/// The day in that column of the rule, if there is one.
fn day(row: &seed::SeedRow, column: usize) -> Result<Option<NaiveDate>> {
    let text = row.get(column);
    if text.is_empty() {
        return Ok(None);
    }
    match NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        Ok(day) => Ok(Some(day)),
        Err(_) => Err(row.error(format!("`{text}` is no day of the form 2026-05-13"))),
    }
}

fn test(text: &str) -> Result<Test> {
    let Some(pattern) = text.strip_prefix('~') else {
        let values = text
            .split('|')
            .map(|value| value.trim().to_lowercase())
            .collect();
        return Ok(Test::OneOf(values));
    };
    RegexBuilder::new(&format!("^(?:{})$", pattern.trim()))
        .case_insensitive(true)
        .dot_matches_new_line(true)
        .build()
        .map(Test::Matches)
        .map_err(|source| JourneysError::Pattern {
            pattern: pattern.trim().to_owned(),
            place: "seed `channel_rule`".into(),
            source: Box::new(source),
        })
}
