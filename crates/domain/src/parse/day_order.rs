//! Days whose month could be either of two numbers: `01/02/2026`.

use crate::config::DayOrder;

use super::trim;

/// Which order the text itself gives away: `31/01/2026` can only begin with the day. None where
/// both numbers could be the month, and for all other texts.
pub fn day_order(text: &str) -> Option<DayOrder> {
    let (first, second, _) = parts(text)?;
    match (number(first)?, number(second)?) {
        (13..=31, 1..=12) => Some(DayOrder::Dmy),
        (1..=12, 13..=31) => Some(DayOrder::Mdy),
        _ => None,
    }
}

/// The text with its day as ISO writes it, read in this order: `1/31/2026 8:00` with the month
/// first is `2026-01-31 8:00`. None for a text that does not begin with two numbers and a year.
pub fn iso_day(text: &str, order: DayOrder) -> Option<String> {
    let (first, second, rest) = parts(text)?;
    let (day, month) = match order {
        DayOrder::Dmy => (first, second),
        DayOrder::Mdy => (second, first),
    };
    let (year, rest) = rest.split_at_checked(4)?;
    Some(format!("{year}-{month:0>2}-{day:0>2}{rest}"))
}

/// The two numbers before the year, and the text from the year on.
fn parts(text: &str) -> Option<(&str, &str, &str)> {
    let text = trim(text);
    let separator = text.chars().find(|c| !c.is_ascii_digit())?;
    if !matches!(separator, '/' | '-' | '.') {
        return None;
    }
    let (first, rest) = text.split_once(separator)?;
    let (second, rest) = rest.split_once(separator)?;
    let is_year = rest.len() >= 4
        && rest.bytes().take(4).all(|byte| byte.is_ascii_digit())
        && rest
            .as_bytes()
            .get(4)
            .is_none_or(|byte| !byte.is_ascii_digit());
    (number(first).is_some() && number(second).is_some() && is_year)
        .then_some((first, second, rest))
}

/// A number of one or two digits.
fn number(text: &str) -> Option<u32> {
    let is_one = (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    is_one.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use DayOrder::{Dmy, Mdy};

    #[test]
    fn a_number_above_twelve_is_the_day() {
        for (text, order) in [
            ("31/01/2026", Some(Dmy)),
            ("1/31/2026", Some(Mdy)),
            ("13-9-2026 08:00", Some(Dmy)),
            ("1/2/2026", None),
            ("32/1/2026", None),
            ("2026-01-31", None),
            ("1/31/26", None),
            ("Total: 1/31/2026", None),
            ("", None),
        ] {
            assert_eq!(day_order(text), order, "{text}");
        }
    }

    #[test]
    fn a_day_is_written_as_iso_writes_it() {
        for (text, order, iso) in [
            ("1/2/2026", Mdy, Some("2026-01-02")),
            ("1/2/2026", Dmy, Some("2026-02-01")),
            (" 01.02.2026 08:15 ", Dmy, Some("2026-02-01 08:15")),
            ("2026-01-02", Mdy, None),
            ("1/2/20261", Mdy, None),
            ("x", Dmy, None),
        ] {
            assert_eq!(iso_day(text, order).as_deref(), iso, "{text}");
        }
    }
}
