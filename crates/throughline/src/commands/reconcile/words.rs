//! What the columns of an export are called, and what they mean.
//!
//! The list here is English. Other languages are those of the kinds of source: where a kind says
//! that `Kosten` heads the same column as `Cost`, it means the same here.

use domain::heading::Heading;
use transform::project::{KindColumn, SourceKind};

/// What rows are told apart by, beside the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Dimension {
    Platform,
    Account,
    Campaign,
    Channel,
    Source,
    Medium,
    Currency,
}

impl Dimension {
    pub(super) const ALL: [Self; 7] = [
        Self::Platform,
        Self::Account,
        Self::Campaign,
        Self::Channel,
        Self::Source,
        Self::Medium,
        Self::Currency,
    ];

    /// Its column in our queries and in what is told.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Platform => "platform",
            Self::Account => "account",
            Self::Campaign => "campaign",
            Self::Channel => "channel",
            Self::Source => "source",
            Self::Medium => "medium",
            Self::Currency => "currency",
        }
    }
}

/// A column of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Column {
    Day,
    /// The last day of what a row covers.
    LastDay,
    Of(Dimension),
    CampaignId,
    SourceMedium,
    Measure(&'static str),
}

/// Headings, as [`plain`] makes them. Measures have the names of our queries.
const HEADINGS: &[(Column, &[&str])] = &[
    (
        Column::Day,
        &[
            "date",
            "day",
            "report date",
            "reporting date",
            "reporting starts",
            "start date",
            "start date in utc",
            "time period",
            "order date",
            "sale date",
        ],
    ),
    (
        Column::LastDay,
        &["reporting ends", "end date", "end date in utc"],
    ),
    (
        Column::Of(Dimension::Platform),
        &["platform", "network platform", "ad platform"],
    ),
    (
        Column::Of(Dimension::Account),
        &[
            "account",
            "account id",
            "customer id",
            "ad account id",
            "advertiser id",
        ],
    ),
    (Column::CampaignId, &["campaign id"]),
    (
        Column::Of(Dimension::Campaign),
        &["campaign", "campaign name", "session campaign"],
    ),
    (
        Column::Of(Dimension::Channel),
        &[
            "channel",
            "channel group",
            "default channel group",
            "session default channel group",
            "session primary channel group default channel group",
            "session primary channel group",
        ],
    ),
    (
        Column::SourceMedium,
        &["source medium", "session source medium"],
    ),
    (Column::Of(Dimension::Source), &["source", "session source"]),
    (Column::Of(Dimension::Medium), &["medium", "session medium"]),
    (
        Column::Of(Dimension::Currency),
        &["currency", "currency code", "account currency"],
    ),
    (
        Column::Measure("spend"),
        &[
            "spend",
            "cost",
            "amount spent",
            "spend amount",
            "total spent",
            "ad spend",
            "ad cost",
        ],
    ),
    (
        Column::Measure("clicks"),
        &["link clicks", "clicks", "clicks all"],
    ),
    (
        Column::Measure("impressions"),
        &["impressions", "impr", "paid impressions"],
    ),
    (
        Column::Measure("conversions"),
        &["conversions", "platform conversions"],
    ),
    (
        Column::Measure("conversion_value"),
        &[
            "conversion value",
            "conv value",
            "conversions value",
            "total conversion value",
            "purchase conversion value",
            "purchases conversion value",
            "platform conversion value",
        ],
    ),
    (Column::Measure("sessions"), &["sessions", "visits"]),
    (
        Column::Measure("users"),
        &["users", "total users", "active users", "visitors"],
    ),
    (Column::Measure("events"), &["events", "event count"]),
    (
        Column::Measure("purchases"),
        &[
            "purchases",
            "ecommerce purchases",
            "transactions",
            "website purchases",
        ],
    ),
    (
        Column::Measure("revenue"),
        &[
            "revenue",
            "purchase revenue",
            "total revenue",
            "ecommerce revenue",
        ],
    ),
    (
        Column::Measure("orders"),
        &["orders", "total orders", "order count", "number of orders"],
    ),
    (Column::Measure("gross_sales"), &["gross sales", "gross"]),
    (Column::Measure("discounts"), &["discounts", "discount"]),
    (
        Column::Measure("refunds"),
        &[
            "refunds",
            "returns",
            "refund",
            "refunded",
            "sales reversals",
        ],
    ),
    (Column::Measure("net_sales"), &["net sales", "net"]),
    (
        Column::Measure("shipping"),
        &["shipping", "shipping charges"],
    ),
    (Column::Measure("taxes"), &["taxes", "tax"]),
    (Column::Measure("total_sales"), &["total sales"]),
];

/// A heading without what varies: case, marks, a currency in parentheses, which is given beside.
pub(super) fn plain(heading: &str) -> (String, Option<String>) {
    let mut text = heading.trim().to_owned();
    let mut currency = None;
    if let (Some(start), Some(end)) = (text.rfind('('), text.rfind(')'))
        && let Some(code) = text.get(start + 1..end)
        && code.len() == 3
        && code.bytes().all(|byte| byte.is_ascii_uppercase())
    {
        currency = Some(code.to_owned());
        text.truncate(start);
    }
    let spaced: String = text
        .to_lowercase()
        .chars()
        .filter(|c| !matches!(c, '.' | '\u{feff}'))
        .map(|c| if c.is_alphanumeric() { c } else { ' ' })
        .collect();
    (
        spaced.split_whitespace().collect::<Vec<_>>().join(" "),
        currency,
    )
}

/// What a heading means, if it is known in English, and how much it is preferred to others of the
/// same meaning: the smaller, the more.
fn english(plain: &str) -> Option<(Column, usize)> {
    HEADINGS.iter().find_map(|(column, names)| {
        let place = names.iter().position(|name| *name == plain)?;
        Some((*column, place))
    })
}

/// What the headings of a file mean.
#[derive(Debug, Default)]
pub(super) struct Words {
    /// Headings of the kinds of source, with what they mean; of the best kind first.
    translated: Vec<(Heading, Column, usize)>,
}

impl Words {
    /// The words of the kinds of source. Where two kinds differ, the one that is said counts, else
    /// the one that knows more of these headings.
    pub(super) fn of<'a>(
        kinds: impl Iterator<Item = &'a SourceKind>,
        said: Option<&str>,
        headings: &[String],
    ) -> Self {
        let mut all: Vec<_> = kinds
            .map(|kind| {
                let words = translated(kind);
                let knows = |heading: &&String| words.iter().any(|word| word.0.matches(heading));
                let count = headings.iter().filter(knows).count();
                let is_said = said == Some(kind.kind.as_str());
                ((is_said, count), words)
            })
            .collect();
        // Kinds come by name; the sort keeps that order among equals.
        all.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
        Self {
            translated: all.into_iter().flat_map(|(_, words)| words).collect(),
        }
    }

    /// What a heading means, and how much it is preferred to others of the same meaning: the
    /// smaller, the more. Beside it, the currency that it names.
    pub(super) fn meaning(&self, heading: &str) -> (Option<(Column, usize)>, Option<String>) {
        let (plain, currency) = plain(heading);
        if let Some(found) = english(&plain) {
            return (Some(found), currency);
        }
        let mut words = self.translated.iter();
        match words.find(|(word, ..)| word.matches(heading) || word.matches(&plain)) {
            Some((word, column, place)) => {
                let currency = word.currency(heading).or(currency);
                (Some((*column, *place)), currency)
            }
            None => (None, None),
        }
    }
}

/// The headings of a kind whose column is one that the English list knows.
fn translated(kind: &SourceKind) -> Vec<(Heading, Column, usize)> {
    let columns = kind.streams.values().flat_map(|stream| &stream.columns);
    // Ours are compared by the account's id.
    let headed = columns.filter(|column| column.has_headings() && column.name != "account_name");
    let mut words = Vec::new();
    for column in headed {
        if let Some((meaning, place)) = of_column(column, Subject::of_kind(&kind.kind)) {
            let headings = column.headings.iter();
            words.extend(headings.map(|text| (Heading::new(text), meaning, place)));
        }
    }
    words
}

/// What a column of a kind means: what the first of its headings does that is known in English and
/// fits what the kind is about, else what its own name does.
fn of_column(column: &KindColumn, subject: Subject) -> Option<(Column, usize)> {
    let fits = |found: &(Column, usize)| match found.0 {
        Column::Measure(name) => subject.measures().contains(&name),
        _ => true,
    };
    let names = column.headings.iter().chain([&column.name]);
    names
        .filter_map(|name| english(&plain(name.trim_end_matches(" ({currency})")).0))
        .find(fits)
}

/// Measures that are money.
pub(super) fn is_money(measure: &str) -> bool {
    matches!(
        measure,
        "spend"
            | "conversion_value"
            | "platform_conversion_value"
            | "revenue"
            | "gross_sales"
            | "discounts"
            | "refunds"
            | "net_sales"
            | "shipping"
            | "taxes"
            | "total_sales"
    )
}

/// What an export is about, and which of our queries answer it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    /// An ad platform's figures.
    Ads,
    /// A shop's orders and refunds.
    Shop,
    /// A website's sessions, events and purchases.
    Web,
}

impl Subject {
    /// Its measures.
    pub(super) const fn measures(self) -> &'static [&'static str] {
        match self {
            Self::Ads => &[
                "spend",
                "clicks",
                "impressions",
                "conversions",
                "conversion_value",
                "purchases",
                "revenue",
            ],
            Self::Shop => &[
                "orders",
                "gross_sales",
                "discounts",
                "refunds",
                "net_sales",
                "shipping",
                "taxes",
                "total_sales",
            ],
            Self::Web => &["sessions", "users", "events", "purchases", "revenue"],
        }
    }

    /// What it can be told apart by.
    pub(super) const fn dimensions(self) -> &'static [Dimension] {
        match self {
            Self::Ads => &[
                Dimension::Platform,
                Dimension::Account,
                Dimension::Campaign,
                Dimension::Currency,
            ],
            Self::Shop => &[Dimension::Currency],
            Self::Web => &[
                Dimension::Campaign,
                Dimension::Channel,
                Dimension::Source,
                Dimension::Medium,
            ],
        }
    }

    /// The subject of a kind: `ga4`, `shopify`, else an ad platform.
    pub(super) fn of_kind(kind: &str) -> Self {
        match kind {
            "ga4" | "web" | "snowplow" | "segment" => Self::Web,
            "shopify" | "shop" => Self::Shop,
            _ => Self::Ads,
        }
    }

    /// The subject that most of these measures belong to; none if they are of none.
    pub(super) fn of_measures(measures: &[&str]) -> Option<Self> {
        // A shop's and an ad platform's words are their own; purchases are said by all.
        let own: [(Self, &[&str]); 3] = [
            (Self::Ads, &["spend", "clicks", "impressions"]),
            (Self::Shop, Self::Shop.measures()),
            (Self::Web, &["sessions", "users", "events"]),
        ];
        let score = |of: &[&str]| measures.iter().filter(|one| of.contains(one)).count();
        own.iter()
            .map(|(subject, of)| (score(of), *subject))
            .filter(|(score, _)| *score > 0)
            .max_by_key(|(score, subject)| (*score, *subject == Self::Web))
            .map(|(_, subject)| subject)
            .or_else(|| (score(Self::Web.measures()) > 0).then_some(Self::Web))
            .or_else(|| (score(Self::Ads.measures()) > 0).then_some(Self::Ads))
    }
}
