//! What a call of a relation function says beside its subquery, read by name.

use std::fmt::Display;
use std::str::FromStr;

use datafusion::common::plan_err;
use datafusion::error::Result;
use lake::relation::RelationArgument;

/// The arguments of one call.
pub(super) struct Arguments<'a> {
    function: &'static str,
    /// Names that the function knows.
    names: &'static [&'static str],
    given: &'a [RelationArgument],
}

impl<'a> Arguments<'a> {
    /// # Errors
    /// A name that is not known, or that is given twice.
    pub(super) fn new(
        function: &'static str,
        names: &'static [&'static str],
        given: &'a [RelationArgument],
    ) -> Result<Self> {
        for (place, argument) in given.iter().enumerate() {
            let Some(name) = &argument.name else { continue };
            if !names.contains(&name.as_str()) {
                return plan_err!(
                    "`{function}` knows no `{name}` (hint: one of {})",
                    names.join(", ")
                );
            }
            if given[..place]
                .iter()
                .any(|other| other.name == argument.name)
            {
                return plan_err!("`{function}` is given `{name}` twice");
            }
        }
        Ok(Self {
            function,
            names,
            given,
        })
    }

    /// Those that are given by their place.
    pub(super) fn unnamed(&self) -> Vec<&'a str> {
        let unnamed = self.given.iter().filter(|argument| argument.name.is_none());
        unnamed.map(|argument| argument.value.as_str()).collect()
    }

    /// # Errors
    /// An argument without a name.
    pub(super) fn all_named(self) -> Result<Self> {
        match self.unnamed().first() {
            None => Ok(self),
            Some(value) => plan_err!(
                "`{}` cannot tell what `{value}` is (hint: write one of {} and `=>` before it)",
                self.function,
                self.names.join(", ")
            ),
        }
    }

    /// The text given under this name.
    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        let given = self.given.iter();
        let mut named = given.filter(|argument| argument.name.as_deref() == Some(name));
        named.next().map(|argument| argument.value.as_str())
    }

    /// A number or a boolean.
    ///
    /// # Errors
    /// It cannot be read as one.
    pub(super) fn value<T: FromStr>(&self, name: &str, example: impl Display) -> Result<Option<T>> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        match text.parse() {
            Ok(value) => Ok(Some(value)),
            Err(_) => plan_err!(
                "`{}` cannot take `{text}` as `{name}` (hint: {name} => {example})",
                self.function
            ),
        }
    }

    /// A length of time in microseconds: `30 minutes`, `7 days`.
    ///
    /// # Errors
    /// It cannot be read as one.
    pub(super) fn duration_us(&self, name: &str) -> Result<Option<i64>> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        match duration_us(text) {
            Some(duration_us) => Ok(Some(duration_us)),
            None => plan_err!(
                "`{}` cannot take `{text}` as `{name}` (hint: {name} => '7 days'; \
                 seconds, minutes, hours, days or weeks)",
                self.function
            ),
        }
    }

    /// One of some words.
    ///
    /// # Errors
    /// Another word.
    pub(super) fn word<T: Copy>(&self, name: &str, words: &[(&str, T)]) -> Result<Option<T>> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        match words.iter().find(|(word, _)| *word == text) {
            Some((_, value)) => Ok(Some(*value)),
            None => {
                let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
                plan_err!(
                    "`{}` knows no {name} `{text}` (hint: one of {})",
                    self.function,
                    words.join(", ")
                )
            }
        }
    }
}

fn duration_us(text: &str) -> Option<i64> {
    let (number, unit) = text.trim().split_once(' ')?;
    let seconds: i64 = match unit.trim().trim_end_matches('s') {
        "second" => 1,
        "minute" => 60,
        "hour" => 3_600,
        "day" => 86_400,
        "week" => 604_800,
        _ => return None,
    };
    let number: i64 = number.parse().ok().filter(|number| *number >= 0)?;
    number.checked_mul(seconds)?.checked_mul(1_000_000)
}
