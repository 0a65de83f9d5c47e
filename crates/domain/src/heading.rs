//! Headings of columns, as the pages of tools write them into the files that people download: in
//! the language of the person, with blanks and signs, sometimes with the currency in brackets.

use crate::parse::is_currency_code;

/// Where a heading names the currency of its column.
const CURRENCY: &str = "{currency}";

/// A heading by which a column is known.
///
/// It matches whatever has the same letters and digits in the same order: case, blanks, underscores
/// and signs do not count (`Impr.` is `impr`, `Campaign name` is `campaign_name`), because raw
/// columns cannot keep all signs. `{currency}` stands for an ISO 4217 code in capitals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heading {
    before: String,
    after: String,
    has_currency: bool,
}

impl Heading {
    /// A heading as a kind of source states it: `Clicks`, `Amount spent ({currency})`.
    pub fn new(text: &str) -> Self {
        let (before, after, has_currency) = match text.split_once(CURRENCY) {
            Some((before, after)) => (before, after, true),
            None => (text, "", false),
        };
        Self {
            before: plain(before),
            after: plain(after),
            has_currency,
        }
    }

    /// Whether a column is headed so.
    pub fn matches(&self, column: &str) -> bool {
        match self.has_currency {
            true => self.currency(column).is_some(),
            false => !self.before.is_empty() && plain(column) == self.before,
        }
    }

    /// The currency that a column's heading names, in the place where this heading has one.
    pub fn currency(&self, column: &str) -> Option<String> {
        if !self.has_currency {
            return None;
        }
        let bare: String = column.chars().filter(|c| c.is_alphanumeric()).collect();
        bare.char_indices().find_map(|(at, _)| {
            let code = bare.get(at..at + 3).filter(|code| is_currency_code(code))?;
            let is_here =
                plain(bare.get(..at)?) == self.before && plain(bare.get(at + 3..)?) == self.after;
            is_here.then(|| code.to_owned())
        })
    }
}

/// The letters and digits of a heading, in lower case.
fn plain(text: &str) -> String {
    let letters = text.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_blanks_and_signs_do_not_count() {
        let heading = Heading::new("Campaign name");
        for column in [
            "Campaign name",
            " CAMPAIGN_NAME ",
            "CampaignName",
            "campaign name",
        ] {
            assert!(heading.matches(column), "{column}");
        }
        for column in ["Campaign", "Campaign name 2", "", "--"] {
            assert!(!heading.matches(column), "{column}");
        }
        assert!(Heading::new("Impr.").matches("Impr"));
        assert!(Heading::new("Währungscode").matches("WÄHRUNGSCODE"));
        assert!(
            !Heading::new("…").matches("--"),
            "signs alone are no heading"
        );
    }

    #[test]
    fn a_currency_stands_in_its_place_and_in_capitals() {
        let heading = Heading::new("Amount spent ({currency})");
        for column in [
            "Amount spent (EUR)",
            "Amount_spent_EUR",
            "amount spent [EUR]",
        ] {
            assert_eq!(heading.currency(column).as_deref(), Some("EUR"), "{column}");
            assert!(heading.matches(column), "{column}");
        }
        for column in ["Amount spent", "Amount spent (all)", "Amount spent (XXQ)"] {
            assert!(!heading.matches(column), "{column}");
        }
        assert!(!Heading::new("Clicks ({currency})").matches("Clicks (all)"));
        let first = Heading::new("{currency} spent");
        assert_eq!(first.currency("USD spent").as_deref(), Some("USD"));
        let within = Heading::new("Cost ({currency}) net");
        assert_eq!(within.currency("Cost (CHF) net").as_deref(), Some("CHF"));
    }
}
