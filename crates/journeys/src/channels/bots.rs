//! Which user agents are robots.
//!
//! From the seed `bot_pattern`: `pattern,match`. `any_case` is a text that is found in any case
//! (`bot`), `contains` one in exactly this case, `starts_with` one at the beginning, `not` a text
//! in any case that hides what lies in it (`cubot` is a telephone), `regex` a regular expression.
//! The judgement is by name alone: a robot that says it is a browser is not found here.

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, MatchKind};
use regex::RegexSet;

use super::seed;
use crate::error::{JourneysError, Result};

/// The patterns that robots are known by.
#[derive(Debug, Clone)]
pub struct BotPatterns {
    any_case: AhoCorasick,
    /// Patterns of `any_case` from this place on are exceptions.
    not_from: usize,
    contains: AhoCorasick,
    starts_with: Vec<String>,
    regexes: RegexSet,
}

impl BotPatterns {
    /// From the text of the seed `bot_pattern`.
    ///
    /// # Errors
    /// No CSV, a missing column, an empty pattern, an unknown `match`, a regular expression that
    /// cannot be understood.
    pub fn from_csv(text: &str) -> Result<Self> {
        let (mut any_case, mut not) = (Vec::new(), Vec::new());
        let (mut contains, mut starts_with, mut regexes) = (Vec::new(), Vec::new(), Vec::new());
        for row in seed::rows("bot_pattern", text, &["pattern", "match"])? {
            let list = match row.get(1) {
                "any_case" => &mut any_case,
                "not" => &mut not,
                "contains" => &mut contains,
                "starts_with" => &mut starts_with,
                "regex" => &mut regexes,
                other => return Err(row.error(format!("`match` is `{other}`, which is unknown"))),
            };
            if row.get(0).is_empty() {
                return Err(row.error("`pattern` is empty"));
            }
            list.push(row.get(0).to_owned());
        }
        let not_from = any_case.len();
        any_case.extend(not);
        Ok(Self {
            any_case: automaton(&any_case, true)?,
            not_from,
            contains: automaton(&contains, false)?,
            starts_with,
            regexes: RegexSet::new(&regexes).map_err(|source| JourneysError::Pattern {
                pattern: regexes.join("` `"),
                place: "seed `bot_pattern`".into(),
                source: Box::new(source),
            })?,
        })
    }

    /// This user agent names a robot. An empty one says nothing, so it is none.
    pub fn is_bot(&self, user_agent: &str) -> bool {
        // The longest match at the leftmost place: an exception that begins before a pattern
        // swallows it.
        self.any_case
            .find_iter(user_agent)
            .any(|found| found.pattern().as_usize() < self.not_from)
            || self.contains.is_match(user_agent)
            || self
                .starts_with
                .iter()
                .any(|start| user_agent.starts_with(start.as_str()))
            || self.regexes.is_match(user_agent)
    }
}

fn automaton(patterns: &[String], ignore_case: bool) -> Result<AhoCorasick> {
    AhoCorasickBuilder::new()
        .match_kind(MatchKind::LeftmostLongest)
        .ascii_case_insensitive(ignore_case)
        .build(patterns)
        .map_err(|error| JourneysError::Seed {
            seed: "bot_pattern",
            line: 0,
            reason: error.to_string(),
        })
}
