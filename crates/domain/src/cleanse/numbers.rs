//! Amounts in the spellings of many countries, and ids that are digits.

use super::spaces::trimmed;
use super::{Outcome, Step, changed};
use crate::parse::amount;

/// Currencies by words and abbreviations that stand beside amounts; signs and ISO 4217 codes are
/// known to [`amount`].
const WORDS: [&str; 20] = [
    "euro", "eur", "us$", "usd", "chf", "fr.", "sfr.", "kr.", "kr", "zł", "zl", "kč", "kc", "ft",
    "lei", "лв.", "лв", "руб.", "r$", "rs.",
];

/// What the separators of an amount say of its decimal sign.
enum Decimals {
    By(char),
    Either,
    None,
}

pub(super) fn money(value: &str, step: &Step) -> Outcome {
    let written = step.decimal.unwrap_or('.');
    let text = trimmed(value);
    if text.is_empty() || is_plain(text, written) {
        return changed(value, text);
    }
    let bare = without_words(text);
    let sign = match (step.sign, decimals(&bare)) {
        (Some(told), _) => told,
        (None, Decimals::By(sign)) => sign,
        (None, Decimals::None) => written,
        (None, Decimals::Either) => match step.decimal {
            Some(sign) => sign,
            None => return Outcome::Flagged,
        },
    };
    match amount(&bare, sign) {
        Some(millionths) => changed(value, plain(millionths, written)),
        None => Outcome::Flagged,
    }
}

/// A sign and digits, and perhaps decimals: what need not be looked at again.
fn is_plain(text: &str, sign: char) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let text = text.strip_prefix('-').unwrap_or(text);
    match text.split_once(sign) {
        // `1.234` may be a thousand: three digits are not plain where nobody has said the sign.
        Some((whole, part)) => digits(whole) && digits(part) && part.len() != 3,
        None => digits(text),
    }
}

/// The amount without a currency's word and without the stroke that stands for no cents.
fn without_words(text: &str) -> String {
    let mut bare = text.to_owned();
    for _ in 0..2 {
        let lower = bare.to_lowercase();
        // Letters whose lower case has another length would shift what is cut.
        if lower.len() != bare.len() {
            break;
        }
        let word = WORDS.iter().find_map(|word| {
            if lower.ends_with(word) {
                return Some(0..bare.len() - word.len());
            }
            lower.starts_with(word).then_some(word.len()..bare.len())
        });
        let Some(kept) = word else { break };
        let kept = bare.get(kept).unwrap_or_default();
        bare = trimmed(kept).to_owned();
    }
    for ending in [",--", ",-", ",—", ",–", ".-", ".--", ".—", ".–"] {
        if let Some(whole) = bare.strip_suffix(ending) {
            return whole.to_owned();
        }
    }
    bare
}

fn decimals(text: &str) -> Decimals {
    let other = |sign: char| if sign == '.' { ',' } else { '.' };
    let Some(last) = text.rfind(['.', ',']) else {
        return Decimals::None;
    };
    let sign = match text.as_bytes().get(last) {
        Some(b',') => ',',
        _ => '.',
    };
    if text.contains(other(sign)) {
        return Decimals::By(sign);
    }
    if text.matches(sign).count() > 1 {
        // More than one of a kind stand between thousands.
        return Decimals::By(other(sign));
    }
    let is_digit = |c: &char| c.is_ascii_digit();
    let after = text[last + 1..].chars().take_while(is_digit).count();
    let before = text[..last].chars().rev().take_while(is_digit).count();
    let whole = &text[last - before..last];
    let is_grouped = text[..last]
        .trim_start_matches(|c: char| !c.is_ascii_digit())
        .contains(|c: char| !c.is_ascii_digit());
    let could_group = after == 3 && (1..=3).contains(&before) && !whole.starts_with('0');
    match could_group && !is_grouped {
        true => Decimals::Either,
        false => Decimals::By(sign),
    }
}

/// Millionths as digits with as many decimals as are needed.
fn plain(millionths: i128, sign: char) -> String {
    let minus = if millionths < 0 { "-" } else { "" };
    let (whole, part) = (
        millionths.unsigned_abs() / 1_000_000,
        millionths.unsigned_abs() % 1_000_000,
    );
    if part == 0 {
        return format!("{minus}{whole}");
    }
    let part = format!("{part:06}");
    // Money has two decimals where it has any.
    let kept = part.trim_end_matches('0').len().max(2);
    format!("{minus}{whole}{sign}{}", &part[..kept])
}

pub(super) fn digits(value: &str, _: &Step) -> Outcome {
    let kept: String = value.chars().filter(char::is_ascii_digit).collect();
    match kept.is_empty() {
        true if value.is_empty() => Outcome::Same,
        true => Outcome::Flagged,
        false => changed(value, kept),
    }
}

/// Digits that a spreadsheet keeps of a number.
const SPREADSHEET_DIGITS: usize = 15;

/// `1.23457E+17`, and seventeen digits or more of which all after the fifteenth are zero.
pub(super) fn long_id(value: &str, _: &Step) -> Outcome {
    let text = trimmed(value);
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let is_short = is_digits(text)
        && text.len() >= SPREADSHEET_DIGITS + 2
        && text[SPREADSHEET_DIGITS..].bytes().all(|byte| byte == b'0');
    let is_scientific = text.split_once(['e', 'E']).is_some_and(|(head, power)| {
        let (whole, part) = head.split_once(['.', ',']).unwrap_or((head, "0"));
        let power = power.strip_prefix('+').unwrap_or(power);
        // An order number may well be `12E4`: a spreadsheet writes one digit before the point.
        is_digits(whole)
            && whole.len() == 1
            && is_digits(part)
            && is_digits(power)
            && power.len() >= 2
            && (head.len() > 1 || text.contains('+'))
    });
    match is_short || is_scientific {
        true => Outcome::Flagged,
        false => Outcome::Same,
    }
}
