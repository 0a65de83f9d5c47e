//! Amounts as people and tools write them, exactly, in millionths.

use super::trim;

/// Largest number of digits of an amount in millionths: DECIMAL(18,6).
const UNITS_LIMIT: i128 = 1_000_000_000_000_000_000;

/// Digits after the decimal sign that are kept.
const SCALE: i32 = 6;

/// An amount in millionths (`1.5` is `1_500_000`), rounded half to even beyond six digits.
///
/// `decimal` is the decimal sign, `.` or `,`. Understood beside plain digits: thousands separators
/// in groups of three (`,` or `.`, whichever is not the decimal sign, `'`, spaces), a currency
/// sign or ISO 4217 code before or after, a sign before or after, negatives in parentheses,
/// exponents. `None`: anything else (`1,234,56`, `12abc`, `5%`, `NaN`), and more than 18 digits.
pub fn amount(text: &str, decimal: char) -> Option<i128> {
    if decimal == '.'
        && let Some(units) = plain(text.as_bytes())
    {
        return Some(units);
    }
    let Dressed { core, is_negative } = undress(trim(text), Some(decimal))?;
    let units = number(core, decimal)?;
    Some(if is_negative { -units } else { units })
}

/// An amount whose decimal sign is not known: `None` where two signs give two amounts (`1.234`),
/// so that nothing is guessed.
pub fn amount_either(text: &str) -> Option<i128> {
    match (amount(text, '.'), amount(text, ',')) {
        (Some(point), Some(comma)) => (point == comma).then_some(point),
        (point, comma) => point.or(comma),
    }
}

/// The decimal sign that a number gives away, a percentage too: `,` for `1.234,56`, `1.234.567`
/// and `12,5`, `.` for `1,234.56`, none for `12` and for `1.234`, which can be either.
///
/// `is_count`: it is a number of things, which has no decimals, so that `1.234` can only be
/// thousands and gives `,`.
pub fn decimal_sign(text: &str, is_count: bool) -> Option<char> {
    let core = undress(trim(trim(text).trim_end_matches('%')), None)?.core;
    let of = |sign: char| core.matches(sign).count();
    let other = |sign: char| if sign == '.' { ',' } else { '.' };
    let sign = match (of('.'), of(',')) {
        (0, 0) => return None,
        (1, 0) => one_sign(core, '.', is_count)?,
        (0, 1) => one_sign(core, ',', is_count)?,
        (_, 0) => other('.'),
        (0, _) => other(','),
        _ if core.rfind('.') > core.rfind(',') => '.',
        _ => ',',
    };
    number(core, sign).map(|_| sign)
}

/// The decimal sign of a number that has this sign once and the other one not.
fn one_sign(core: &str, sign: char, is_count: bool) -> Option<char> {
    let (before, after) = core.split_once(sign)?;
    let is_group = after.len() == 3 && (1..=3).contains(&before.len()) && before != "0";
    match (is_group, is_count) {
        (false, _) => Some(sign),
        (true, true) => Some(if sign == '.' { ',' } else { '.' }),
        (true, false) => None,
    }
}

/// `-?digits[.up to six digits]` and nothing else: nearly all values are so.
fn plain(bytes: &[u8]) -> Option<i128> {
    let (is_negative, digits) = match bytes {
        [b'-', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    // 17 digits and a point cannot overflow 64 bits with the six places filled up.
    if digits.is_empty() || digits.len() > 13 || !digits[0].is_ascii_digit() {
        return None;
    }
    let mut value = 0_i64;
    let mut places: Option<u32> = None;
    for &byte in digits {
        match byte {
            b'0'..=b'9' => {
                value = value * 10 + i64::from(byte - b'0');
                places = places.map(|count| count + 1);
            }
            b'.' if places.is_none() => places = Some(0),
            _ => return None,
        }
    }
    let missing = 6_u32.checked_sub(places.unwrap_or(0))?;
    let units = i128::from(value) * 10_i128.pow(missing);
    (units < UNITS_LIMIT).then_some(if is_negative { -units } else { units })
}

/// A number without its sign, currency and parentheses.
struct Dressed<'a> {
    core: &'a str,
    is_negative: bool,
}

/// Takes sign, currency, parentheses and, where the decimal sign is known, the dashes for no cents
/// off, each at most once.
fn undress(text: &str, decimal: Option<char>) -> Option<Dressed<'_>> {
    let mut rest = text;
    let mut sign: Option<bool> = None;
    let mut has_currency = false;
    let mut in_parentheses = false;
    loop {
        let before = rest.len();
        if let Some(bare) = decimal.and_then(|sign| without_empty_cents(rest, sign)) {
            rest = bare;
        } else if sign.is_none() {
            if let Some(after) = rest.strip_prefix(['-', '\u{2212}']) {
                (sign, rest) = (Some(true), trim(after));
            } else if let Some(after) = rest.strip_prefix('+') {
                (sign, rest) = (Some(false), trim(after));
            } else if let Some(start) = rest.strip_suffix(['-', '\u{2212}']) {
                (sign, rest) = (Some(true), trim(start));
            }
        }
        if !has_currency && let Some(bare) = without_currency(rest) {
            (has_currency, rest) = (true, trim(bare));
        }
        if !in_parentheses
            && let Some(inner) = rest
                .strip_prefix('(')
                .and_then(|rest| rest.strip_suffix(')'))
        {
            (in_parentheses, rest) = (true, trim(inner));
        }
        if rest.len() == before {
            break;
        }
    }
    if in_parentheses && sign.is_some() {
        return None;
    }
    Some(Dressed {
        core: rest,
        is_negative: in_parentheses || sign == Some(true),
    })
}

/// The text without the dashes that stand for no cents: `2.400,-` is 2400, and nothing negative.
fn without_empty_cents(text: &str, decimal: char) -> Option<&str> {
    let bare = text.trim_end_matches(['-', '\u{2013}', '\u{2014}', '\u{2212}']);
    let whole = bare.strip_suffix(decimal)?;
    let has_dash = bare.len() < text.len();
    (has_dash && whole.ends_with(|c: char| c.is_ascii_digit())).then_some(whole)
}

/// The text without a currency sign or code at one of its ends.
fn without_currency(text: &str) -> Option<&str> {
    const SIGNS: [char; 14] = [
        '$', '€', '£', '¥', '₹', '₽', '₺', '₩', '₪', '₫', '₴', '₱', '฿', '₦',
    ];
    if let Some(rest) = text
        .strip_prefix(SIGNS)
        .or_else(|| text.strip_suffix(SIGNS))
    {
        return Some(rest);
    }
    if let Some((code, rest)) = text.split_at_checked(3)
        && is_currency_code(code)
    {
        return Some(rest);
    }
    // Dollars of a country: CA$, A$, R$.
    if let Some((country, rest)) = text.split_once('$')
        && (1..=2).contains(&country.len())
        && country.bytes().all(|byte| byte.is_ascii_uppercase())
    {
        return Some(rest);
    }
    let (rest, code) = text.split_at_checked(text.len().checked_sub(3)?)?;
    is_currency_code(code).then_some(rest)
}

/// Codes of ISO 4217 in use, three letters each, in order.
const CURRENCY_CODES: &str = "AEDAFNALLAMDANGAOAARSAUDAWGAZNBAMBBDBDTBGNBHDBIFBMDBNDBOBBRLBSDBTN\
BWPBYNBZDCADCDFCHFCLPCNYCOPCRCCUPCVECZKDJFDKKDOPDZDEGPERNETBEURFJDFKPGBPGELGHSGIPGMDGNFGTQGYDHKD\
HNLHTGHUFIDRILSINRIQDIRRISKJMDJODJPYKESKGSKHRKMFKPWKRWKWDKYDKZTLAKLBPLKRLRDLSLLYDMADMDLMGAMKDMMK\
MNTMOPMRUMURMVRMWKMXNMYRMZNNADNGNNIONOKNPRNZDOMRPABPENPGKPHPPKRPLNPYGQARRONRSDRUBRWFSARSBDSCRSDG\
SEKSGDSHPSLESOSSRDSSPSTNSVCSYPSZLTHBTJSTMTTNDTOPTRYTTDTWDTZSUAHUGXUSDUYUUZSVESVNDVUVWSTXAFXCDXOF\
XPFYERZARZMWZWG";

/// Whether the text is one of [`CURRENCY_CODES`], in capitals.
pub(crate) fn is_currency_code(code: &str) -> bool {
    code.bytes().all(|byte| byte.is_ascii_uppercase())
        && CURRENCY_CODES
            .as_bytes()
            .chunks_exact(3)
            .any(|known| known == code.as_bytes())
}

/// A bare number: digits, perhaps in groups, a fraction, an exponent.
fn number(text: &str, decimal: char) -> Option<i128> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent_of(exponent)?)),
        None => (text, None),
    };
    let (whole, fraction) = match mantissa.split_once(decimal) {
        Some((whole, fraction)) => (whole, fraction),
        None => (mantissa, ""),
    };
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !all_digits(fraction) {
        return None;
    }
    if !all_digits(whole) && (exponent.is_some() || !is_grouped(whole, decimal)) {
        return None;
    }
    let mut digits = Digits::default();
    for byte in whole.bytes().filter(u8::is_ascii_digit) {
        digits.push(byte, false)?;
    }
    for byte in fraction.bytes() {
        digits.push(byte, true)?;
    }
    digits.units(exponent.unwrap_or(0))
}

/// The exponent of scientific notation, within reason.
fn exponent_of(text: &str) -> Option<i32> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || digits.len() > 3 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let value: i32 = digits.parse().ok()?;
    Some(if text.starts_with('-') { -value } else { value })
}

/// One to three digits, then groups of three behind one and the same separator.
fn is_grouped(text: &str, decimal: char) -> bool {
    let Some(separator) = text.chars().find(|c| !c.is_ascii_digit()) else {
        return true;
    };
    let is_known = matches!(
        separator,
        ',' | '.' | '\'' | '\u{2019}' | ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}'
    );
    if !is_known || separator == decimal {
        return false;
    }
    let mut groups = text.split(separator);
    let is_digits = |group: &str| group.bytes().all(|byte| byte.is_ascii_digit());
    groups
        .next()
        .is_some_and(|first| (1..=3).contains(&first.len()) && is_digits(first))
        && groups.all(|group| group.len() == 3 && is_digits(group))
}

/// Digits read so far: their value, how many stand after the decimal sign, and whether some that
/// no longer fit were not zero.
#[derive(Default)]
struct Digits {
    value: i128,
    places: i32,
    has_more: bool,
}

impl Digits {
    /// Takes one digit; `None` when the whole part has more digits than any amount has.
    fn push(&mut self, byte: u8, is_fraction: bool) -> Option<()> {
        const FULL: i128 = 10_i128.pow(36);
        if self.value < FULL {
            self.value = self.value * 10 + i128::from(byte - b'0');
            self.places += i32::from(is_fraction);
        } else if is_fraction {
            self.has_more |= byte != b'0';
        } else {
            return None;
        }
        Some(())
    }

    /// The value in millionths, times ten to the `exponent`.
    fn units(&self, exponent: i32) -> Option<i128> {
        if self.value == 0 {
            return Some(0);
        }
        let shift = SCALE - self.places + exponent;
        let units = if shift >= 0 {
            let factor = 10_i128.checked_pow(shift.unsigned_abs())?;
            self.value.checked_mul(factor)?
        } else {
            match 10_i128.checked_pow(shift.unsigned_abs()) {
                Some(divisor) => self.divided(divisor),
                None => 0,
            }
        };
        (units < UNITS_LIMIT).then_some(units)
    }

    /// The value divided, rounded half to even.
    fn divided(&self, divisor: i128) -> i128 {
        let quotient = self.value / divisor;
        let remainder = self.value % divisor;
        let half = divisor / 2;
        let is_up = remainder > half || (remainder == half && (self.has_more || quotient % 2 == 1));
        quotient + i128::from(is_up)
    }
}
