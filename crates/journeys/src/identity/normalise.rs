//! The one form in which an identifier is compared.
//!
//! Light on purpose: what is certain is done (case of an e-mail, punctuation of a telephone
//! number); what is a guess is not (plus and dot folding of e-mails, a country for a national
//! number).

use std::borrow::Cow;

use super::NodeType;

/// A number with fewer digits is no telephone number.
const PHONE_DIGITS_MIN: usize = 5;
/// E.164 has at most 15 digits; a national prefix of two is allowed for.
const PHONE_DIGITS_MAX: usize = 17;

/// The value in its comparable form, or None where nothing is left of it.
///
/// E-mail: [`normalise_email`]; telephone: [`normalise_phone`]; all others are trimmed and keep
/// their case, because ids of systems are case-sensitive.
pub fn normalise(node_type: NodeType, value: &str) -> Option<Cow<'_, str>> {
    match node_type {
        NodeType::Email => normalise_email(value),
        NodeType::Phone => normalise_phone(value).map(Cow::Owned),
        _ => {
            let value = value.trim();
            (!value.is_empty()).then_some(Cow::Borrowed(value))
        }
    }
}

/// An e-mail address trimmed and in lower case; `mailto:` is taken off. None where it is empty.
/// A text without `@` passes: it may be a hash that a source made.
pub fn normalise_email(value: &str) -> Option<Cow<'_, str>> {
    let mut value = value.trim();
    if let Some(prefix) = value.get(..7)
        && prefix.eq_ignore_ascii_case("mailto:")
    {
        value = value[7..].trim_start();
    }
    if value.is_empty() {
        return None;
    }
    let is_lower = !value.chars().any(|c| c.is_uppercase());
    Some(if is_lower {
        Cow::Borrowed(value)
    } else {
        Cow::Owned(value.to_lowercase())
    })
}

/// A telephone number as `+` and digits where it is international (`+…` or `00…`), else as its
/// digits. Extensions (`ext. 12`, `x12`) and the trunk zero of `+49 (0)30` are taken off. None
/// where it is no telephone number: letters in it, fewer than 5 or more than 17 digits.
pub fn normalise_phone(value: &str) -> Option<String> {
    let lower = value.trim().to_lowercase();
    let text = lower.strip_prefix("tel:").unwrap_or(&lower);
    let text = match text.find(['e', 'x', '#', ';']) {
        Some(at) => text[..at].trim_end(),
        None => text.trim(),
    };
    let is_plus = text.starts_with('+') || text.starts_with("(+");
    let text = if is_plus {
        text.replacen("(0)", "", 1)
    } else {
        text.to_owned()
    };
    let mut digits = String::with_capacity(text.len() + 1);
    for c in text.chars() {
        match c {
            '0'..='9' => digits.push(c),
            c if c.is_alphabetic() => return None,
            _ => {}
        }
    }
    let is_international = is_plus || digits.starts_with("00");
    if !is_plus && is_international {
        digits.drain(..2);
    }
    if !(PHONE_DIGITS_MIN..=PHONE_DIGITS_MAX).contains(&digits.len()) {
        return None;
    }
    if is_international {
        digits.insert(0, '+');
    }
    Some(digits)
}
