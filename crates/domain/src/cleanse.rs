//! Cleansing rules: what a value can be freed of before it is cast, each rule a pure function.
//!
//! One list ([`RULES`]) names them all. A column declares which of them run, in which order
//! (a [`Recipe`]). A rule is strict about meaning: what it is not sure of it leaves as it is and
//! flags, so that the contract, and whoever reads the counts, sees the value as it came.

mod contact;
mod dates;
mod letters;
mod numbers;
mod recipe;
mod spaces;
#[cfg(test)]
mod tests;
mod web;
mod words;
mod wrapping;

use std::fmt::Write as _;

pub use contact::{Country, country};
pub use dates::Format;
pub use recipe::{Defaults, Effect, Mistake, Recipe, Step};

/// Counts up when a rule comes to mean something else: what was cleansed by it is made again.
pub const EDITION: u32 = 1;

/// What a rule makes of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The value is as the rule wants it.
    Same,
    /// It is this instead.
    Changed(String),
    /// It stands for no value.
    Emptied,
    /// It is not as the rule wants it and cannot be mended without a guess: it stays.
    Flagged,
}

/// What a rule is told beside the value: `{rule: argument}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// Nothing.
    Nothing,
    /// A country, as `DE`; the project's home country without it.
    Country,
    /// The decimal sign; told by each value, and by the stream's where one could be either.
    Sign,
    /// Words, beside those that it knows.
    Words,
    /// One format or several: `dd.mm.yyyy`.
    Formats,
}

/// A rule: how it is called, what it does, and the function that does it.
#[derive(Debug)]
pub struct Rule {
    /// Its name, as a recipe says it.
    pub name: &'static str,
    /// What it can be told.
    pub takes: Takes,
    /// What it does, for the guide.
    pub doc: &'static str,
    apply: fn(&str, &Step) -> Outcome,
}

const fn rule(
    name: &'static str,
    takes: Takes,
    apply: fn(&str, &Step) -> Outcome,
    doc: &'static str,
) -> Rule {
    Rule {
        name,
        takes,
        doc,
        apply,
    }
}

use Takes::{Country as OfCountry, Formats, Nothing, Sign, Words};

/// All rules.
#[rustfmt::skip]
pub static RULES: [Rule; 24] = [
    rule("trim", Nothing, spaces::trim, "White space of any kind and invisible signs off both ends."),
    rule("collapse", Nothing, spaces::collapse, "As `trim`, and each run of white space is one space."),
    rule("invisible", Nothing, spaces::invisible, "Zero-width, direction and control signs taken out."),
    rule("nfc", Nothing, letters::nfc, "Letters with accents as one sign each (Unicode NFC)."),
    rule("mojibake", Nothing, letters::mojibake, "UTF-8 that was read as Windows-1252, read again."),
    rule("homoglyphs", Nothing, letters::homoglyphs, "Look-alikes of Latin letters become those."),
    rule("lower", Nothing, letters::lower, "Small letters."),
    rule("upper", Nothing, letters::upper, "Capital letters."),
    rule("title", Nothing, letters::title, "Each word with a capital, the rest small."),
    rule("null_words", Words, words::null_words, "Words for \"no value\" become null."),
    rule("unquote", Nothing, wrapping::unquote, "Quotes round the whole value taken off."),
    rule("excel_text", Nothing, wrapping::excel_text, "Excel's marks of text taken off."),
    rule("html_entities", Nothing, wrapping::html_entities, "`&amp;` and the like become signs."),
    rule("email", Nothing, contact::email, "The bare address, its domain in small letters."),
    rule("phone", OfCountry, contact::phone, "A telephone number as E.164: `+49301234567`."),
    rule("url", Nothing, web::url, "Scheme and host small, no default port, no anchor."),
    rule("host", Nothing, web::host, "The host alone, small, without `www.`."),
    rule("utm", Nothing, web::utm, "Percent signs and pluses of a campaign value decoded."),
    rule("money", Sign, numbers::money, "An amount as plain digits, whatever its separators."),
    rule("date", Formats, dates::date, "A day in one of these formats as `yyyy-mm-dd`."),
    rule("currency", Nothing, words::currency, "A currency's sign or name as its ISO 4217 code."),
    rule("boolean", Nothing, words::boolean, "Yes and no in several languages as `true`, `false`."),
    rule("digits", Nothing, numbers::digits, "Everything that is no digit taken out."),
    rule("long_id", Nothing, numbers::long_id, "Ids that a spreadsheet has cut short are flagged."),
];

/// The rule with this name.
pub fn find(name: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.name == name)
}

/// What of a value may be shown where it may be personal: its shape. Each run of small letters is
/// `a`, of capitals `A`, of digits `0`, of other letters `x`; signs stay, unusual ones as `<a0>`.
pub fn mask(value: &str) -> String {
    let mut shape = String::new();
    let mut last = None;
    for character in value.chars() {
        let class = match character {
            c if c.is_numeric() => Some('0'),
            c if c.is_lowercase() => Some('a'),
            c if c.is_uppercase() => Some('A'),
            c if c.is_alphabetic() => Some('x'),
            _ => None,
        };
        match class {
            Some(class) if last == Some(class) => {}
            Some(class) => shape.push(class),
            None if character.is_ascii_graphic() || character == ' ' => shape.push(character),
            None => {
                // Writing to a text cannot fail.
                let _ = write!(shape, "<{:x}>", u32::from(character));
            }
        }
        last = class;
    }
    shape
}

/// What a rule gives where it changed something.
fn changed(before: &str, after: impl AsRef<str> + Into<String>) -> Outcome {
    match after.as_ref() == before {
        true => Outcome::Same,
        false => Outcome::Changed(after.into()),
    }
}
