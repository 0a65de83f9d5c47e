//! `decimal_sign`, `day_order`, `iso_day`: how a file writes numbers and days, from its values; and
//! the decimal sign that `to_amount`, `to_number` and `to_integer` are given.

use std::sync::Arc;

use arrow_array::StringArray;
use arrow_schema::DataType;
use datafusion::common::exec_err;
use datafusion::error::Result;
use domain::config::DayOrder;
use domain::parse;

use super::keys::pair;
use super::text::{Text, TextFunction};

pub(super) fn functions() -> Vec<TextFunction> {
    let text = || DataType::Utf8;
    vec![
        TextFunction::new(
            "decimal_sign",
            1..=2,
            "decimal_sign(text) or decimal_sign(text, 'count')",
            text(),
            |texts, rows| {
                let [values, kinds] = pair(texts);
                let signs = (0..rows).map(|row| {
                    let is_count = kinds.get(row) == Some("count");
                    parse::decimal_sign(values.get(row)?, is_count).map(String::from)
                });
                Ok(Arc::new(signs.collect::<StringArray>()))
            },
        ),
        TextFunction::new(
            "day_order",
            1..=1,
            "day_order(text)",
            text(),
            |texts, rows| {
                let [values, _] = pair(texts);
                let orders = (0..rows).map(|row| {
                    Some(match parse::day_order(values.get(row)?)? {
                        DayOrder::Dmy => "dmy",
                        DayOrder::Mdy => "mdy",
                    })
                });
                Ok(Arc::new(orders.collect::<StringArray>()))
            },
        ),
        TextFunction::new(
            "iso_day",
            2..=2,
            "iso_day(text, 'dmy') or iso_day(text, 'mdy')",
            text(),
            iso_days,
        ),
    ]
}

/// Days as ISO writes them; a text that is no such day, or whose order is null, stays as it is.
fn iso_days(texts: &[Text<'_>], rows: usize) -> Result<arrow_array::ArrayRef> {
    let [values, orders] = pair(texts);
    let days = (0..rows).map(|row| {
        let Some(text) = values.get(row) else {
            return Ok(None);
        };
        let order = match orders.get(row) {
            None => return Ok(Some(text.to_owned())),
            Some("dmy") => DayOrder::Dmy,
            Some("mdy") => DayOrder::Mdy,
            Some(other) => {
                return exec_err!("`iso_day` knows no order `{other}` (hint: `dmy` or `mdy`)");
            }
        };
        Ok(Some(
            parse::iso_day(text, order).unwrap_or_else(|| text.to_owned()),
        ))
    });
    Ok(Arc::new(days.collect::<Result<StringArray>>()?))
}

/// What stands before the decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// This sign.
    Known(char),
    /// Nobody knows: what can be read in one way alone is read.
    Unknown,
}

impl Sign {
    fn named(name: Option<&str>) -> Result<Self> {
        match name {
            None | Some("" | ".") => Ok(Self::Known('.')),
            Some(",") => Ok(Self::Known(',')),
            Some("?") => Ok(Self::Unknown),
            Some(other) => exec_err!(
                "there is no decimal sign `{other}` (hint: `.`, `,`, or `?` where it is not known)"
            ),
        }
    }

    /// An amount in millionths.
    pub(super) fn amount(self, text: &str) -> Option<i128> {
        match self {
            Self::Known(sign) => parse::amount(text, sign),
            Self::Unknown => parse::amount_either(text),
        }
    }
}

/// The decimal signs that a call names in its second argument: one for all rows, or one per row.
pub(super) struct Signs<'a> {
    texts: Option<Text<'a>>,
    constant: Option<Sign>,
}

impl<'a> Signs<'a> {
    /// The signs of a call.
    ///
    /// # Errors
    /// The sign is none.
    pub(super) fn of(texts: &[Text<'a>]) -> Result<Self> {
        let constant = match texts.get(1) {
            None => Some(Sign::Known('.')),
            Some(Text::Constant(name)) => Some(Sign::named(*name)?),
            Some(Text::Column(_)) => None,
        };
        let texts = texts.get(1).copied();
        Ok(Self { texts, constant })
    }

    /// The sign of a row.
    ///
    /// # Errors
    /// The sign is none.
    pub(super) fn get(&self, row: usize) -> Result<Sign> {
        match (self.constant, self.texts) {
            (Some(sign), _) => Ok(sign),
            (None, Some(texts)) => Sign::named(texts.get(row)),
            (None, None) => Ok(Sign::Known('.')),
        }
    }
}
