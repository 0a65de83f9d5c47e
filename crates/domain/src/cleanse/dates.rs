//! Days in declared formats. A format is never guessed: `01/02/2022` is two days.

use chrono::{Datelike as _, NaiveDate, TimeDelta};

use super::spaces::trimmed;
use super::{Outcome, Step, changed};

/// A part of a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Day,
    Month,
    MonthName,
    Year,
    YearOfCentury,
    Sign(char),
}

/// How a day is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Format {
    /// In order; none for the days that a spreadsheet counts.
    parts: Vec<Part>,
    /// Digits follow digits, so that every part has all of its own.
    is_packed: bool,
}

/// First year of two digits that belongs to the last century, as POSIX has it.
const PIVOT: i32 = 69;

impl Format {
    /// From `dd.mm.yyyy` and the like; `mon` is a month by name; `excel` counts days since 1900.
    /// None: other letters, or not each of day, month and year once.
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim().to_lowercase();
        if text == "excel" {
            return Some(Self {
                parts: Vec::new(),
                is_packed: false,
            });
        }
        let mut parts = Vec::new();
        let mut rest = text.as_str();
        while let Some(first) = rest.chars().next() {
            let tokens = [
                ("yyyy", Part::Year),
                ("yy", Part::YearOfCentury),
                ("mon", Part::MonthName),
                ("mm", Part::Month),
                ("m", Part::Month),
                ("dd", Part::Day),
                ("d", Part::Day),
            ];
            let token = tokens.iter().find(|(token, _)| rest.starts_with(token));
            let (length, part) = match token {
                Some((token, part)) => (token.len(), *part),
                None if first.is_alphanumeric() => return None,
                None => (first.len_utf8(), Part::Sign(first)),
            };
            parts.push(part);
            rest = &rest[length..];
        }
        let count = |wanted: &[Part]| parts.iter().filter(|part| wanted.contains(part)).count();
        let is_whole = count(&[Part::Day]) == 1
            && count(&[Part::Month, Part::MonthName]) == 1
            && count(&[Part::Year, Part::YearOfCentury]) == 1;
        let is_packed = parts
            .windows(2)
            .any(|two| !two.iter().any(|part| matches!(part, Part::Sign(_))));
        is_whole.then_some(Self { parts, is_packed })
    }

    /// The day at the beginning of a text, and what follows it.
    fn read<'a>(&self, text: &'a str) -> Option<(NaiveDate, &'a str)> {
        if self.parts.is_empty() {
            return serial(text);
        }
        let (mut day, mut month, mut year) = (0, 0, 0);
        let mut rest = text;
        for part in &self.parts {
            let digits = |least: usize, most: usize| {
                let least = if self.is_packed { most } else { least };
                number(rest, least, most)
            };
            rest = match part {
                Part::Sign(' ') => {
                    // Spaces behind another sign are taken with it.
                    let read = &text[..text.len() - rest.len()];
                    let after = rest.trim_start();
                    let is_there = after.len() < rest.len() || read.ends_with(' ');
                    is_there.then_some(after)?
                }
                Part::Sign(sign) => rest.strip_prefix(*sign)?.trim_start_matches(' '),
                Part::Day => keep(&mut day, digits(1, 2)?),
                Part::Month => keep(&mut month, digits(1, 2)?),
                Part::Year => keep(&mut year, digits(4, 4)?),
                Part::YearOfCentury => {
                    let after = keep(&mut year, digits(2, 2)?);
                    year += if (year as i32) < PIVOT { 2000 } else { 1900 };
                    after
                }
                Part::MonthName => keep(&mut month, month_by_name(rest)?),
            };
        }
        let year = i32::try_from(year).ok()?;
        Some((NaiveDate::from_ymd_opt(year, month, day)?, rest))
    }
}

fn keep<'a>(place: &mut u32, (value, rest): (u32, &'a str)) -> &'a str {
    *place = value;
    rest
}

/// A number of so many digits, and what follows.
fn number(text: &str, least: usize, most: usize) -> Option<(u32, &str)> {
    let digits = text
        .bytes()
        .take_while(u8::is_ascii_digit)
        .count()
        .min(most);
    let (number, rest) = text.split_at(digits);
    (digits >= least).then_some((number.parse().ok()?, rest))
}

/// Months by the letters that their names begin with: English, German, French, Spanish, Italian,
/// Portuguese, Dutch, Polish, in small letters and in the order of the year.
const MONTHS: [&[&str]; 12] = [
    &["jan", "jän", "ene", "gen", "sty"],
    &["feb", "fév", "fev", "lut"],
    &["mar", "mär", "mrz", "maa", "mrt"],
    &["apr", "avr", "abr", "kwi"],
    &["may", "mai", "mag", "mei", "maj"],
    &["jun", "juin", "giu", "cze"],
    &["jul", "juil", "lug", "lip"],
    &["aug", "aoû", "aou", "ago", "sie"],
    &["sep", "set", "wrz"],
    &["oct", "okt", "ott", "out", "paź"],
    &["nov", "lis"],
    &["dec", "dez", "déc", "dic", "gru"],
];

fn month_by_name(text: &str) -> Option<(u32, &str)> {
    let end = text
        .find(|c: char| !c.is_alphabetic())
        .unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    let word = word.to_lowercase();
    let month = MONTHS
        .iter()
        .position(|names| names.iter().any(|name| word.starts_with(name)))?;
    // An abbreviation may end in a point.
    let rest = rest.strip_prefix('.').unwrap_or(rest);
    Some((u32::try_from(month).ok()? + 1, rest))
}

/// A day as spreadsheets count them; years 1954 to 2119, so that other numbers are none.
fn serial(text: &str) -> Option<(NaiveDate, &str)> {
    let (days, rest) = number(text, 5, 5)?;
    if !(20_000..80_000).contains(&days) || rest.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let first = NaiveDate::from_ymd_opt(1899, 12, 30)?;
    let date = first.checked_add_signed(TimeDelta::days(i64::from(days)))?;
    Some((date, rest))
}

/// What may follow a day: nothing, or a time, which stays as it is.
fn time_after<'a>(rest: &'a str, format: &Format) -> Option<std::borrow::Cow<'a, str>> {
    if rest.is_empty() {
        return Some("".into());
    }
    if format.parts.is_empty() {
        // The decimals are a part of the day.
        let part = rest.strip_prefix(['.', ','])?;
        let digits = part.get(..part.len().min(9))?;
        if part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let scale = 10_u64.checked_pow(u32::try_from(digits.len()).ok()?)?;
        let seconds = (digits.parse::<u64>().ok()? * 86_400 + scale / 2) / scale;
        let seconds = seconds.min(86_399);
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
        return Some(format!(" {hours:02}:{minutes:02}:{:02}", seconds % 60).into());
    }
    let time = rest
        .strip_prefix(['T', ' ', ','])?
        .trim_start_matches([' ', ',']);
    let starts = time.starts_with(|c: char| c.is_ascii_digit()) && time.contains(':');
    starts.then(|| format!(" {time}").into())
}

pub(super) fn date(value: &str, step: &Step) -> Outcome {
    let text = trimmed(value);
    if text.is_empty() {
        return Outcome::Same;
    }
    let read = step.formats.iter().filter_map(|format| {
        let (date, rest) = format.read(text)?;
        let time = time_after(rest, format)?;
        let (year, month, day) = (date.year(), date.month(), date.day());
        Some(format!("{year:04}-{month:02}-{day:02}{time}"))
    });
    let mut found: Vec<String> = read.collect();
    found.dedup();
    match found.as_slice() {
        [one] => changed(value, one.as_str()),
        [] if is_iso(text) => Outcome::Same,
        // No format fits, or several do and say different days.
        _ => Outcome::Flagged,
    }
}

/// `2022-01-31`, whatever follows.
fn is_iso(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 10
        && bytes[..10].iter().enumerate().all(|(at, byte)| match at {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}
