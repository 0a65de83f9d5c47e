//! How new a row is: from a column, from a path in the record, or from the file's name.

use chrono_tz::Tz;
use domain::config::{EffectiveAt, Stream};
use domain::parse::instant_us;
use regex::{Captures, Regex};

use crate::error::ReadError;

/// What says how new the rows of one file are.
#[derive(Debug)]
pub(super) struct Effective {
    pub(super) rule: Rule,
    /// Zone of times that name none.
    pub(super) zone: Option<Tz>,
    /// Texts that stand for no value.
    null_words: Vec<String>,
}

/// Where it stands.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// Nowhere.
    Unsaid,
    /// In one of these columns, the first that is there; or at a dotted path.
    Columns(Vec<String>),
    /// In the file's name, with the pattern; none if the name does not match it.
    Name { pattern: String, at_us: Option<i64> },
}

impl Effective {
    /// What the settings of the stream say for a file.
    ///
    /// # Errors
    /// The zone is not known, or the pattern is not valid.
    pub(super) fn of(stream: &Stream, relative: &str) -> Result<Self, ReadError> {
        let zone = stream.zone.as_deref().map(zone_named).transpose()?;
        let rule = match &stream.files.effective_at {
            None => Rule::Unsaid,
            Some(EffectiveAt::Column(column)) => Rule::Columns(vec![column.clone()]),
            Some(EffectiveAt::Columns(columns)) => Rule::Columns(columns.clone()),
            Some(EffectiveAt::File { file: pattern }) => {
                let at_us = in_name(pattern, relative, zone)?;
                Rule::Name {
                    pattern: pattern.clone(),
                    at_us,
                }
            }
        };
        Ok(Self {
            rule,
            zone,
            null_words: stream.files.null_words.clone().unwrap_or_default(),
        })
    }

    /// The instant that holds for all rows of the file.
    pub(super) fn of_file(&self) -> Option<i64> {
        match &self.rule {
            Rule::Name { at_us, .. } => *at_us,
            Rule::Unsaid | Rule::Columns(_) => None,
        }
    }

    /// The dotted path of records: the first that is said.
    pub(super) fn path(&self) -> Option<&str> {
        match &self.rule {
            Rule::Columns(columns) => columns.first().map(String::as_str),
            Rule::Unsaid | Rule::Name { .. } => None,
        }
    }

    /// What the file's name should say and does not.
    pub(super) fn missing_in_name(&self) -> Option<String> {
        match &self.rule {
            Rule::Name {
                pattern,
                at_us: None,
            } => Some(pattern.clone()),
            _ => None,
        }
    }

    /// The instant a text says; an error if it says something else.
    pub(super) fn read(&self, text: &str) -> Result<Option<i64>, NoInstant> {
        let text = text.trim();
        if text.is_empty() || self.null_words.iter().any(|word| word == text) {
            return Ok(None);
        }
        instant_us(text, self.zone).map(Some).ok_or(NoInstant)
    }
}

/// A text that is no instant.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NoInstant;

fn zone_named(name: &str) -> Result<Tz, ReadError> {
    name.parse().map_err(|_| ReadError::Setting {
        setting: "zone",
        value: name.to_owned(),
        cause: "no IANA zone has this name; `Europe/Berlin` is one".to_owned(),
    })
}

/// The instant in a file's name; the whole path is tried where the name alone does not match.
fn in_name(pattern: &str, relative: &str, zone: Option<Tz>) -> Result<Option<i64>, ReadError> {
    let date = r"(?<date>\d{4}-\d{2}-\d{2}|\d{8})";
    let regex =
        Regex::new(&pattern.replace("{date}", date)).map_err(|error| ReadError::Setting {
            setting: "effective_at.file",
            value: pattern.to_owned(),
            cause: error.to_string(),
        })?;
    let name = relative.rsplit('/').next().unwrap_or(relative);
    let captures = regex.captures(name).or_else(|| regex.captures(relative));
    Ok(captures.and_then(|captures| instant_of(&captures, zone)))
}

/// The instant that the named parts say; time parts that are not there are zero.
fn instant_of(captures: &Captures<'_>, zone: Option<Tz>) -> Option<i64> {
    let part = |name: &str| captures.name(name).map(|part| part.as_str());
    let two = |name: &str| part(name).unwrap_or("00");
    let date = match part("date") {
        Some(date) if date.contains('-') => date.to_owned(),
        Some(date) => {
            format!("{}-{}-{}", date.get(..4)?, date.get(4..6)?, date.get(6..)?)
        }
        None => {
            let (month, day) = (part("month").unwrap_or("01"), part("day").unwrap_or("01"));
            format!("{}-{month}-{day}", part("year")?)
        }
    };
    let time = format!(
        "{}:{:0>2}:{:0>2}",
        two("hour"),
        two("minute"),
        two("second")
    );
    instant_us(&format!("{date} {time}"), zone)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(pattern: &str, file: &str) -> Option<i64> {
        in_name(pattern, file, None).expect("a valid pattern")
    }

    #[test]
    fn the_name_of_a_file_says_how_new_it_is() {
        let day = instant_us("2024-01-31", None);
        assert_eq!(at("orders_{date}", "in/orders_2024-01-31.csv"), day);
        assert_eq!(at("orders_{date}", "in/orders_20240131.csv.gz"), day);
        assert_eq!(
            at("{date}", "in/2024-01-31/orders.csv"),
            day,
            "a folder's name"
        );
        assert_eq!(
            at(
                r"(?<year>\d{4})_(?<month>\d\d)_(?<day>\d\d)",
                "x_2024_01_31.csv"
            ),
            day
        );
        let time = r"{date}T(?<hour>\d\d)(?<minute>\d\d)(?<second>\d\d)";
        assert_eq!(
            at(time, "x_20240131T021530.csv"),
            instant_us("2024-01-31T02:15:30", None)
        );
        assert_eq!(at("orders_{date}", "orders.csv"), None);
        assert_eq!(at("orders_{date}", "orders_2024-13-31.csv"), None);
        let bad = in_name("(", "orders.csv", None);
        assert!(matches!(
            bad,
            Err(ReadError::Setting {
                setting: "effective_at.file",
                ..
            })
        ));
    }

    #[test]
    fn the_zone_of_the_source_holds_for_names_too() {
        let berlin = Some(Tz::Europe__Berlin);
        let at = in_name("{date}", "2024-07-01.csv", berlin).expect("a valid pattern");
        assert_eq!(at, instant_us("2024-06-30T22:00:00Z", None));
    }
}
