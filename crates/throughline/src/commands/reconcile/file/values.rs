//! Days and numbers as exports write them.

use anyhow::bail;
use chrono::NaiveDate;

use crate::commands::reconcile::amount::Amount;

/// Words with which rows of totals begin.
const TOTALS: [&str; 18] = [
    "total",
    "totals",
    "grand total",
    "summary",
    "gesamt",
    "gesamtsumme",
    "gesamtergebnis",
    "summe",
    "totaux",
    "total général",
    "totale",
    "totali",
    "total general",
    "totales",
    "suma",
    "totaal",
    "totalt",
    "somme",
];

/// Whether a cell says that its row is a sum of others.
pub(super) fn is_total(cell: &str) -> bool {
    let text = cell.trim().to_lowercase();
    TOTALS.iter().any(|word| {
        text.strip_prefix(word).is_some_and(|rest| {
            rest.is_empty() || rest.trim_start().starts_with(':') || rest.starts_with(" -")
        })
    })
}

/// How a file writes its days.
pub(super) struct Dates {
    format: Option<String>,
    /// With slashes: whether the month stands first.
    is_month_first: bool,
}

/// Forms that say by themselves what is what.
const CLEAR: [&str; 8] = [
    "%Y-%m-%d",
    "%Y%m%d",
    "%Y/%m/%d",
    "%d.%m.%Y",
    "%b %d, %Y",
    "%B %d, %Y",
    "%d %b %Y",
    "%d %B %Y",
];

impl Dates {
    /// What the days of a file show about their form.
    ///
    /// # Errors
    /// Slashes could be read both ways.
    pub(super) fn of(cells: &[&str], format: Option<&str>) -> anyhow::Result<Self> {
        let mut dates = Self {
            format: format.map(str::to_owned),
            is_month_first: false,
        };
        if format.is_some() {
            return Ok(dates);
        }
        let mut proofs = [false; 2];
        let mut example = None;
        for cell in cells {
            let Some((first, second)) = slashed(cell) else {
                continue;
            };
            example.get_or_insert(*cell);
            proofs[0] |= second > 12;
            proofs[1] |= first > 12;
        }
        match (example, proofs) {
            (Some(_), [true, false]) => dates.is_month_first = true,
            (Some(cell), [false, false] | [true, true]) => bail!(
                "days such as `{cell}` can be read in two ways\nhint: say which with \
                 `--date-format %m/%d/%Y` or `--date-format %d/%m/%Y`"
            ),
            _ => {}
        }
        Ok(dates)
    }

    /// A day; none if the text is none.
    pub(super) fn day(&self, text: &str) -> Option<NaiveDate> {
        let text = text.trim();
        if let Some(format) = &self.format {
            return NaiveDate::parse_from_str(text, format).ok();
        }
        if slashed(text).is_some() {
            let form = if self.is_month_first {
                "%m/%d/%Y"
            } else {
                "%d/%m/%Y"
            };
            return NaiveDate::parse_from_str(text, form).ok();
        }
        // A time of day may follow.
        let day = match text.get(..10) {
            Some(start) if text.contains([':', 'T']) => start,
            _ => text,
        };
        CLEAR
            .iter()
            .find_map(|form| NaiveDate::parse_from_str(day, form).ok())
            .filter(|day| (1990..2200).contains(&chrono::Datelike::year(day)))
    }
}

/// The two numbers of `12/31/2026` that may be month and day.
fn slashed(cell: &str) -> Option<(u32, u32)> {
    let mut parts = cell.trim().split('/');
    let (first, second) = (parts.next()?, parts.next()?);
    let year = parts.next()?;
    if year.len() != 4 || parts.next().is_some() {
        return None;
    }
    Some((first.parse().ok()?, second.parse().ok()?))
}

/// How a file writes its numbers.
pub(super) struct Numbers {
    is_comma_decimal: bool,
}

impl Numbers {
    /// What the numbers of a file show about their form: `1,234` alone shows nothing, `12,50` does.
    ///
    /// # Errors
    /// Some have a decimal comma, others a decimal point.
    pub(super) fn of(cells: &[&str]) -> anyhow::Result<Self> {
        let comma = cells.iter().find(|cell| decimal(cell) == Some(','));
        let point = cells.iter().find(|cell| decimal(cell) == Some('.'));
        if let (Some(comma), Some(point)) = (comma, point) {
            bail!("`{comma}` has a decimal comma and `{point}` a decimal point");
        }
        Ok(Self {
            is_comma_decimal: comma.is_some(),
        })
    }

    /// A number; `Ok(None)` for an empty cell.
    ///
    /// # Errors
    /// The text is no number.
    pub(super) fn amount(&self, cell: &str) -> anyhow::Result<Option<Amount>> {
        let text = bare(cell);
        if text.is_empty() {
            if cell.trim().chars().any(char::is_alphanumeric) && !is_null(cell) {
                bail!("it has no digits");
            }
            return Ok(None);
        }
        let (grouping, decimal) = if self.is_comma_decimal {
            ('.', ",")
        } else {
            (',', ".")
        };
        let text = text.replace(grouping, "").replace(decimal, ".");
        match Amount::parse(&text) {
            Some(amount) if !cell.contains('%') => Ok(Some(amount)),
            _ => bail!("a number has digits, one decimal sign and at most a currency"),
        }
    }
}

fn is_null(cell: &str) -> bool {
    ["n/a", "na", "null", "none", "(not set)"].contains(&cell.trim().to_lowercase().as_str())
}

/// A number without currency, spaces and signs of grouping that cannot be decimal ones; in
/// parentheses it is negative.
fn bare(cell: &str) -> String {
    let cell = cell.trim();
    let is_negative = cell.starts_with('(') && cell.ends_with(')')
        || cell.contains(['-', '\u{2212}']) && cell.contains(|c: char| c.is_ascii_digit());
    // A currency is at most three letters; a longer word makes it no number.
    let letters = cell.chars().filter(|c| c.is_alphabetic()).count();
    if letters > 3 {
        return if is_null(cell) {
            String::new()
        } else {
            "?".to_owned()
        };
    }
    let digits: String = cell
        .chars()
        .filter(|c| c.is_ascii_digit() || matches!(c, '.' | ','))
        .collect();
    match digits.chars().any(|c| c.is_ascii_digit()) {
        true if is_negative => format!("-{digits}"),
        true => digits,
        false => String::new(),
    }
}

/// The sign that is surely a decimal one in a number.
fn decimal(cell: &str) -> Option<char> {
    let text = bare(cell);
    let last = text.rfind([',', '.'])?;
    let sign = text[last..].chars().next()?;
    let other = if sign == ',' { '.' } else { ',' };
    let behind = text.len() - last - 1;
    let is_alone = text.matches(sign).count() == 1;
    // 1.234,56 and 12,5 show it; 1,234 and 1,234,567 do not; 0,123 does.
    (is_alone
        && (text.contains(other) || behind != 3 || text.trim_start_matches('-').starts_with('0')))
    .then_some(sign)
}
