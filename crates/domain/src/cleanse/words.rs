//! Values that are words: for no value, for yes and no, for a currency.

use super::spaces::trimmed;
use super::{Outcome, Step, changed};
use crate::parse::is_currency_code;

/// Words for "no value", in small letters. Not among them, because they may be values: `na`
/// (Namibia), `no`, `0`, `(none)` (a medium), `other`.
const NULL_WORDS: [&str; 58] = [
    "-",
    "--",
    "---",
    "–",
    "—",
    ".",
    "?",
    "n/a",
    "n.a.",
    "n/d",
    "n.d.",
    "#n/a",
    "#n/v",
    "#na",
    "#nv",
    "#null!",
    "#value!",
    "#wert!",
    "#valeur!",
    "#ref!",
    "#bezug!",
    "#div/0!",
    "#name?",
    "#num!",
    "#zahl!",
    "null",
    "(null)",
    "[null]",
    "<null>",
    "\\n",
    "nil",
    "none",
    "nan",
    "nat",
    "<na>",
    "undefined",
    "unknown",
    "(unknown)",
    "unbekannt",
    "inconnu",
    "desconocido",
    "sconosciuto",
    "onbekend",
    "nieznany",
    "missing",
    "(not set)",
    "not set",
    "not available",
    "not applicable",
    "not provided",
    "(not provided)",
    "k.a.",
    "k. a.",
    "keine angabe",
    "tbd",
    "(blank)",
    "(empty)",
    "empty",
];

pub(super) fn null_words(value: &str, step: &Step) -> Outcome {
    let text = trimmed(value);
    if text.is_empty() {
        return Outcome::Emptied;
    }
    let longest = step.words.iter().map(String::len).max().unwrap_or(0);
    // Words are short: most values need not be looked up.
    if text.len() > longest.max(16) {
        return Outcome::Same;
    }
    let lower = text.to_lowercase();
    let is_known = NULL_WORDS.contains(&lower.as_str()) || step.words.contains(&lower);
    match is_known {
        true => Outcome::Emptied,
        false => Outcome::Same,
    }
}

const YES: [&str; 22] = [
    "true",
    "t",
    "1",
    "1.0",
    "yes",
    "y",
    "on",
    "x",
    "✓",
    "ja",
    "j",
    "wahr",
    "oui",
    "o",
    "vrai",
    "sí",
    "si",
    "s",
    "verdadero",
    "vero",
    "sim",
    "tak",
];

const NO: [&str; 19] = [
    "false", "f", "0", "0.0", "no", "n", "off", "✗", "nein", "falsch", "non", "faux", "falso",
    "nee", "nej", "não", "nao", "nie", "onwaar",
];

pub(super) fn boolean(value: &str, _: &Step) -> Outcome {
    let word = trimmed(value).to_lowercase();
    match word.as_str() {
        "" => Outcome::Same,
        word if YES.contains(&word) => changed(value, "true"),
        word if NO.contains(&word) => changed(value, "false"),
        _ => Outcome::Flagged,
    }
}

/// Signs and names that mean one currency. Not among them: `$`, `kr`, `¥`, which are those of
/// several.
const CURRENCIES: [(&str, &str); 34] = [
    ("€", "EUR"),
    ("euro", "EUR"),
    ("euros", "EUR"),
    ("us$", "USD"),
    ("us dollar", "USD"),
    ("us dollars", "USD"),
    ("u.s. dollar", "USD"),
    ("£", "GBP"),
    ("pound sterling", "GBP"),
    ("british pound", "GBP"),
    ("swiss franc", "CHF"),
    ("schweizer franken", "CHF"),
    ("sfr", "CHF"),
    ("sfr.", "CHF"),
    ("zł", "PLN"),
    ("kč", "CZK"),
    ("ft", "HUF"),
    ("forint", "HUF"),
    ("₹", "INR"),
    ("₺", "TRY"),
    ("₽", "RUB"),
    ("₴", "UAH"),
    ("₪", "ILS"),
    ("₩", "KRW"),
    ("฿", "THB"),
    ("r$", "BRL"),
    ("a$", "AUD"),
    ("au$", "AUD"),
    ("ca$", "CAD"),
    ("c$", "CAD"),
    ("nz$", "NZD"),
    ("hk$", "HKD"),
    ("mx$", "MXN"),
    ("yen", "JPY"),
];

pub(super) fn currency(value: &str, _: &Step) -> Outcome {
    let text = trimmed(value);
    if text.is_empty() {
        return Outcome::Same;
    }
    let upper = text.to_uppercase();
    if is_currency_code(&upper) {
        return changed(value, upper);
    }
    let lower = text.to_lowercase();
    let known = CURRENCIES.iter().find(|(name, _)| *name == lower);
    known.map_or(Outcome::Flagged, |(_, code)| changed(value, *code))
}
