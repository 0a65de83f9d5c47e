//! Amounts and counts, exact to six places.

use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub};

/// An amount in millionths.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Amount(i128);

/// How many digits stand behind the point.
const PLACES: usize = 6;

impl Amount {
    #[cfg(test)]
    pub(super) const fn of_millionths(millionths: i128) -> Self {
        Self(millionths)
    }

    /// Its size in millionths, without its sign.
    pub(super) const fn magnitude(self) -> i128 {
        self.0.abs()
    }

    /// The same without its sign.
    pub(super) const fn unsigned(self) -> Self {
        Self(self.0.abs())
    }

    /// Digits with a point, as the engine writes a decimal; digits behind the sixth are rounded.
    /// None if this is no number.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (sign, digits) = match text.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.len() + fraction.len() == 0
            || whole.len() > 20
            || !is_number(whole)
            || !is_number(fraction)
        {
            return None;
        }
        let mut millionths: i128 = format!("0{whole}").parse().ok()?;
        let mut places = fraction.bytes().map(|byte| i128::from(byte - b'0'));
        for _ in 0..PLACES {
            millionths = millionths * 10 + places.next().unwrap_or(0);
        }
        if places.next().is_some_and(|next| next >= 5) {
            millionths += 1;
        }
        Some(Self(sign * millionths))
    }

    /// Percent that this is of another, rounded up to hundredths; none of nothing.
    pub(super) fn percent_of(self, whole: Self) -> Option<Self> {
        (whole.0 != 0).then(|| {
            let hundredths = (self.0.abs() * 10_000 + whole.0.abs() - 1) / whole.0.abs();
            Self(hundredths * 10_000)
        })
    }
}

impl std::fmt::Display for Amount {
    /// Without zeros behind the last digit that says something; two places if it has any.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (whole, millionths) = (self.0.abs() / 1_000_000, self.0.abs() % 1_000_000);
        let sign = if self.0 < 0 { "-" } else { "" };
        if millionths == 0 {
            return f.pad(&format!("{sign}{whole}"));
        }
        let digits = format!("{millionths:06}");
        let kept = digits.trim_end_matches('0').len().max(2);
        f.pad(&format!("{sign}{whole}.{}", &digits[..kept]))
    }
}

impl Add for Amount {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Amount {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Neg for Amount {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl AddAssign for Amount {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sum for Amount {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, one| sum + one)
    }
}
