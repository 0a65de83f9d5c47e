//! Functions that give several rows, and patterns.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use datafusion::sql::sqlparser::keywords::ALL_KEYWORDS;
use regex::{Regex, RegexBuilder};

use super::exec::Run;
use super::node::SetFunction;
use super::value::{Failure, Result, Row, Value};

/// Rows of a series.
const SERIES: i64 = 1_000_000;
/// Size of a pattern once it is made ready.
const PATTERN_BYTES: usize = 1 << 20;

/// The rows of a function that gives several.
pub(super) fn rows(function: SetFunction, arguments: &[Value]) -> Result<Vec<Row>> {
    let first = arguments.first().cloned().unwrap_or(Value::Null);
    let elements = first.array().unwrap_or_default();
    let place = |place: usize| i64::try_from(place).unwrap_or(i64::MAX);
    Ok(match function {
        SetFunction::Series => series(arguments)?,
        SetFunction::Subscripts => {
            let count = (1..=place(elements.len())).map(|place| vec![Value::Int(place)]);
            match arguments.get(2).and_then(Value::truth) {
                Some(true) => count.rev().collect(),
                _ => count.collect(),
            }
        }
        SetFunction::Unnest => match arguments.len() {
            0 | 1 => elements.iter().map(|value| vec![value.clone()]).collect(),
            _ => {
                let arrays: Vec<&[Value]> = arguments
                    .iter()
                    .map(|value| value.array().unwrap_or_default())
                    .collect();
                let longest = arrays.iter().map(|array| array.len()).max().unwrap_or(0);
                let value =
                    |array: &&[Value], turn| array.get(turn).cloned().unwrap_or(Value::Null);
                let row = |turn| arrays.iter().map(|array| value(array, turn)).collect();
                (0..longest).map(row).collect()
            }
        },
        SetFunction::ExpandArray => {
            let row = |(place, value): (i64, &Value)| {
                vec![Value::Record(Arc::new(vec![
                    ("x", value.clone()),
                    ("n", Value::Int(place)),
                ]))]
            };
            (1..).zip(elements).map(row).collect()
        }
        SetFunction::RegexMatches => {
            let (Some(text), Some(wanted)) = (first.text(), arguments.get(1).and_then(Value::text))
            else {
                return Ok(Vec::new());
            };
            let flags = arguments.get(2).and_then(Value::text).unwrap_or_default();
            let regex = pattern(&wanted, false, flags.contains('i'))?;
            let most = if flags.contains('g') { usize::MAX } else { 1 };
            let found = regex.captures_iter(&text).take(most).map(|found| {
                let from = usize::from(found.len() > 1);
                let groups = found.iter().skip(from);
                let groups = groups.map(|group| group.map(|group| group.as_str()).into());
                vec![groups.collect::<Vec<Value>>().into()]
            });
            found.collect()
        }
        SetFunction::SplitToTable => {
            let (Some(text), Some(between)) =
                (first.text(), arguments.get(1).and_then(Value::text))
            else {
                return Ok(Vec::new());
            };
            text.split(&*between)
                .map(|part| vec![part.into()])
                .collect()
        }
        SetFunction::Keywords => ALL_KEYWORDS
            .iter()
            .map(|word| vec![word.to_lowercase().into(), "R".into(), "reserved".into()])
            .collect(),
        SetFunction::Nothing(_) => Vec::new(),
    })
}

fn series(arguments: &[Value]) -> Result<Vec<Row>> {
    let [Some(from), Some(to)] = [0, 1].map(|at| arguments.get(at).and_then(Value::int)) else {
        return Ok(Vec::new());
    };
    let by = arguments.get(2).and_then(Value::int).unwrap_or(1);
    if by == 0 {
        return Err(Failure::new("22023", "step size cannot equal zero"));
    }
    if to.saturating_sub(from).saturating_abs() / by.saturating_abs().max(1) > SERIES {
        return Err(Failure::new("54000", "the series is too long"));
    }
    let mut rows = Vec::new();
    let mut at = from;
    while (by > 0 && at <= to) || (by < 0 && at >= to) {
        rows.push(vec![Value::Int(at)]);
        at = at.saturating_add(by);
    }
    Ok(rows)
}

thread_local! {
    /// Patterns that were made ready on this thread; most queries ask for the same few.
    static READY: RefCell<HashMap<(String, bool, bool), Arc<Regex>>> = RefCell::default();
}

/// A pattern of `like`, or a regular expression of POSIX.
pub(super) fn pattern(text: &str, is_like: bool, any_case: bool) -> Result<Arc<Regex>> {
    let key = (text.to_owned(), is_like, any_case);
    if let Some(known) = READY.with_borrow(|ready| ready.get(&key).cloned()) {
        return Ok(known);
    }
    let source = if is_like {
        of_like(text)
    } else {
        text.to_owned()
    };
    let regex = RegexBuilder::new(&source)
        .case_insensitive(any_case)
        .dot_matches_new_line(true)
        .size_limit(PATTERN_BYTES)
        .build()
        .map_err(|_| Failure::new("2201B", "invalid regular expression"))?;
    let regex = Arc::new(regex);
    READY.with_borrow_mut(|ready| {
        if ready.len() > 100 {
            ready.clear();
        }
        ready.insert(key, regex.clone());
    });
    Ok(regex)
}

/// A pattern of `like` whose sign before signs is another one, with a backslash in its place.
pub(super) fn with_backslash(_: &Run<'_>, of: &[Value]) -> Result<Value> {
    let [pattern, sign] = [0, 1].map(|at| of.get(at).and_then(Value::text).unwrap_or_default());
    let sign = sign.chars().next();
    let mut text = String::new();
    let mut chars = pattern.chars();
    while let Some(one) = chars.next() {
        let meant = if Some(one) == sign {
            chars.next()
        } else {
            None
        };
        match (meant, one) {
            (Some(meant), _) => text.extend(['\\', meant]),
            (None, '\\') => text.push_str("\\\\"),
            (None, one) => text.push(one),
        }
    }
    Ok(text.into())
}

fn of_like(text: &str) -> String {
    let mut source = "^".to_owned();
    let mut chars = text.chars();
    while let Some(one) = chars.next() {
        match one {
            '%' => source.push_str(".*"),
            '_' => source.push('.'),
            '\\' => source.push_str(&regex::escape(
                &chars.next().map(String::from).unwrap_or_default(),
            )),
            other => source.push_str(&regex::escape(&other.to_string())),
        }
    }
    source.push('$');
    source
}
