//! Lenient reading of text values: instants, days, amounts and booleans in the spellings that
//! real exports use.
//!
//! Lenient about the spelling, strict about the meaning: a text that could mean two things
//! (`01/02/2022`, `1,234,56`, `12abc`) is `None`, never a guess. Nothing here allocates (but
//! [`iso_day`], for the few files that need it), fails or looks at a clock, because it runs on tens
//! of millions of values. Plain ISO instants and plain numbers are recognised first.

mod amount;
mod day_order;
mod time;

pub(crate) use amount::is_currency_code;
pub use amount::{amount, amount_either, decimal_sign};
pub use day_order::{day_order, iso_day};
pub use time::{day, instant_us};

/// `true` for true, t, yes, y, on and 1, `false` for false, f, no, n, off and 0, in any case.
/// `1.0` and `0.0` count too, because tools that know no missing booleans write those.
pub fn boolean(text: &str) -> Option<bool> {
    let text = trim(text);
    let is = |words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is(&["true", "1", "yes", "t", "y", "on", "1.0"]) {
        Some(true)
    } else if is(&["false", "0", "no", "f", "n", "off", "0.0"]) {
        Some(false)
    } else {
        None
    }
}

/// The text without white space (non-breaking spaces too) at its ends.
fn trim(text: &str) -> &str {
    // Most values begin and end with a letter or a digit: look no further then.
    let bytes = text.as_bytes();
    match (bytes.first(), bytes.last()) {
        (Some(first), Some(last))
            if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() =>
        {
            text
        }
        _ => text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}'),
    }
}

#[cfg(test)]
mod tests;
