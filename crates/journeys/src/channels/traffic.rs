//! Where a visitor came from: the address of the page, its parameters, the referrer.
//!
//! In this order: a click id that decides over utm (Google's), utm parameters, other click ids
//! that prove an ad, the referrer (own pages and payment pages are none), nothing. Source and
//! medium come in lower case, campaign, term, content and click id in the case they were sent in;
//! what is missing has GA4's words: `(not set)`, `(direct)`, `(none)`.

use std::borrow::Cow;

use super::click_id::{ClickId, ClickIds, Decides};
use super::referrer::ReferrerHosts;
use super::url;
use crate::error::Result;

const NOT_SET: &str = "(not set)";
const AI_ASSISTANT: &str = "ai-assistant";
/// The parameters that say where a visitor came from.
const UTM: [&str; 6] = [
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "utm_term",
    "utm_content",
    "utm_id",
];

/// What is known of a visit's origin. Absent, empty and blank mean the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TrafficInput<'a> {
    /// Address of the page, with its parameters.
    pub page_url: Option<&'a str>,
    /// Address of the page before it.
    pub referrer_url: Option<&'a str>,
    /// `utm_source`, where the source keeps it in a column; stronger than the page's address.
    pub utm_source: Option<&'a str>,
    /// `utm_medium`, likewise.
    pub utm_medium: Option<&'a str>,
    /// `utm_campaign`, likewise.
    pub utm_campaign: Option<&'a str>,
    /// `utm_term`, likewise.
    pub utm_term: Option<&'a str>,
    /// `utm_content`, likewise.
    pub utm_content: Option<&'a str>,
    /// `gclid`, likewise.
    pub gclid: Option<&'a str>,
    /// The referrer says nothing (GA4's parameter of this name).
    pub ignore_referrer: bool,
}

/// What decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolution {
    /// A click id.
    ClickId,
    /// utm parameters.
    Utm,
    /// The referrer.
    Referrer,
    /// Nothing: the visit is direct, or goes on.
    None,
}

impl Resolution {
    /// Its name in tables: `click_id`, `utm`, `referrer`, `none`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ClickId => "click_id",
            Self::Utm => "utm",
            Self::Referrer => "referrer",
            Self::None => "none",
        }
    }
}

/// Where a visitor came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrafficSource<'a> {
    /// Source: `google`, `newsletter`, a host, `(direct)`.
    pub source: Cow<'a, str>,
    /// Medium: `cpc`, `email`, `organic`, `referral`, `(none)`.
    pub medium: Cow<'a, str>,
    /// Campaign: its name, `(organic)`, `(referral)`, `(direct)`, `(not set)`.
    pub campaign: Cow<'a, str>,
    /// `utm_term`.
    pub term: Option<Cow<'a, str>>,
    /// `utm_content`.
    pub content: Option<Cow<'a, str>>,
    /// The strongest click id of the address, never changed in case.
    pub click_id: Option<Cow<'a, str>>,
    /// Its parameter: `gclid`, `msclkid` …
    pub click_id_type: Option<&'a str>,
    /// What decided.
    pub resolution: Resolution,
}

/// Finds out where visitors came from.
#[derive(Debug, Clone)]
pub struct TrafficRules {
    hosts: ReferrerHosts,
    click_ids: ClickIds,
    ignored_domains: Vec<String>,
}

impl TrafficRules {
    /// From the texts of the seeds `referrer_host` and `click_id` and the project's site: its own
    /// domains and its payment referrals are no sources, nor is anything below them.
    ///
    /// # Errors
    /// A seed that cannot be understood.
    pub fn new(
        referrer_host_csv: &str,
        click_id_csv: &str,
        site: &domain::config::Site,
    ) -> Result<Self> {
        let ignored_domains = site
            .domains
            .iter()
            .chain(&site.payment_referrals)
            // A project may write a domain, or paste an address.
            .filter_map(|text| url::host(text).map(|host| url::without_www(&host).to_owned()))
            .collect();
        Ok(Self {
            hosts: ReferrerHosts::from_csv(referrer_host_csv)?,
            click_ids: ClickIds::from_csv(click_id_csv)?,
            ignored_domains,
        })
    }

    /// Whether the address has a utm parameter or a click id that the seed knows: without one, and
    /// without a referrer of another site, it brings no source.
    pub fn has_parameters(&self, page_url: &str) -> bool {
        url::params(page_url).any(|(name, _)| {
            UTM.iter().any(|utm| url::is_name(name, utm)) || self.click_ids.place(name).is_some()
        })
    }

    /// Where this visitor came from.
    pub fn traffic_source<'a>(&'a self, input: &TrafficInput<'a>) -> TrafficSource<'a> {
        let Found {
            source,
            medium,
            campaign,
            term,
            content,
            click,
        } = self.find(input);
        let kind = click
            .as_ref()
            .and_then(|(place, _)| self.click_ids.get(*place));
        let decides = kind.map_or(Decides::Never, |kind| kind.decides);
        let has_utm = source.is_some() || medium.is_some() || campaign.is_some();
        let (origin, resolution) = match kind {
            Some(kind)
                if decides == Decides::OverUtm || (decides == Decides::WithoutUtm && !has_utm) =>
            {
                (Origin::of_click_id(kind, campaign), Resolution::ClickId)
            }
            _ if has_utm => (
                self.origin_of_utm(source, medium, campaign),
                Resolution::Utm,
            ),
            _ => match self.origin_of_referrer(input) {
                Some(origin) => (origin, Resolution::Referrer),
                None => (Origin::direct(), Resolution::None),
            },
        };
        TrafficSource {
            source: origin.source,
            medium: origin.medium,
            campaign: origin.campaign,
            term,
            content,
            click_id: click.map(|(_, value)| value),
            click_id_type: kind.map(|kind| kind.parameter.as_str()),
            resolution,
        }
    }

    /// What the columns and the page's address say.
    fn find<'a>(&self, input: &TrafficInput<'a>) -> Found<'a> {
        let given = |value: Option<&'a str>| value.and_then(|value| said(Cow::Borrowed(value)));
        let mut found = Found {
            source: given(input.utm_source),
            medium: given(input.utm_medium),
            campaign: given(input.utm_campaign),
            term: given(input.utm_term),
            content: given(input.utm_content),
            click: None,
        };
        if let (Some(value), Some(place)) = (given(input.gclid), self.click_ids.place("gclid")) {
            found.click = Some((place, value));
        }
        for (name, value) in input.page_url.into_iter().flat_map(url::params) {
            self.take(&mut found, name, value);
        }
        found.source = found.source.map(lower);
        found.medium = found.medium.map(lower);
        // GA4 writes these where nothing was said.
        if found.source.as_deref() == Some("(direct)") {
            (found.source, found.medium, found.campaign) = (None, None, None);
        }
        found
    }

    /// Takes one parameter of the page's address, unless it was said before.
    fn take<'a>(&self, found: &mut Found<'a>, name: &'a str, value: &'a str) {
        let part = match () {
            () if url::is_name(name, "utm_source") => &mut found.source,
            () if url::is_name(name, "utm_medium") => &mut found.medium,
            () if url::is_name(name, "utm_campaign") => &mut found.campaign,
            () if url::is_name(name, "utm_term") => &mut found.term,
            () if url::is_name(name, "utm_content") => &mut found.content,
            () => {
                if let Some(place) = self.click_ids.place(name)
                    && found.click.as_ref().is_none_or(|(best, _)| place < *best)
                    && let Some(value) = said(url::decode(value)).filter(|value| is_id(value))
                {
                    found.click = Some((place, value));
                }
                return;
            }
        };
        if part.is_none() {
            *part = said(url::decode(value));
        }
    }

    fn origin_of_utm<'a>(
        &'a self,
        source: Option<Cow<'a, str>>,
        medium: Option<Cow<'a, str>>,
        campaign: Option<Cow<'a, str>>,
    ) -> Origin<'a> {
        // AI assistants tag their links with a source alone (`utm_source=chatgpt.com`).
        let known = match (&source, &medium) {
            (Some(source), None) => self.hosts.find(source).filter(|h| h.medium == AI_ASSISTANT),
            _ => None,
        };
        if let Some(known) = known {
            return Origin {
                source: Cow::Borrowed(&known.source),
                medium: Cow::Borrowed(&known.medium),
                campaign: campaign.unwrap_or(Cow::Borrowed(&known.campaign)),
            };
        }
        let or_not_set = |part: Option<Cow<'a, str>>| part.unwrap_or(Cow::Borrowed(NOT_SET));
        Origin {
            source: or_not_set(source),
            medium: or_not_set(medium),
            campaign: or_not_set(campaign),
        }
    }

    /// What the referrer says; None where there is none, or it is one of the company's own.
    fn origin_of_referrer<'a>(&'a self, input: &TrafficInput<'a>) -> Option<Origin<'a>> {
        if input.ignore_referrer {
            return None;
        }
        let host = url::host(input.referrer_url?)?;
        if self
            .ignored_domains
            .iter()
            .any(|domain| url::is_domain_or_below(&host, domain))
        {
            return None;
        }
        if let Some(page_host) = input.page_url.and_then(url::host)
            && is_same_site(&host, &page_host)
        {
            return None;
        }
        if let Some(known) = self.hosts.find(&host) {
            return Some(Origin {
                source: Cow::Borrowed(&known.source),
                medium: Cow::Borrowed(&known.medium),
                campaign: Cow::Borrowed(&known.campaign),
            });
        }
        Some(Origin {
            source: url::display_host(host),
            medium: Cow::Borrowed("referral"),
            campaign: Cow::Borrowed("(referral)"),
        })
    }
}

/// What the columns and the page's address say.
struct Found<'a> {
    source: Option<Cow<'a, str>>,
    medium: Option<Cow<'a, str>>,
    campaign: Option<Cow<'a, str>>,
    term: Option<Cow<'a, str>>,
    content: Option<Cow<'a, str>>,
    /// Place of the strongest click id, and its value.
    click: Option<(usize, Cow<'a, str>)>,
}

/// Source, medium and campaign.
struct Origin<'a> {
    source: Cow<'a, str>,
    medium: Cow<'a, str>,
    campaign: Cow<'a, str>,
}

impl<'a> Origin<'a> {
    fn direct() -> Self {
        Self {
            source: Cow::Borrowed("(direct)"),
            medium: Cow::Borrowed("(none)"),
            campaign: Cow::Borrowed("(direct)"),
        }
    }

    fn of_click_id(kind: &'a ClickId, campaign: Option<Cow<'a, str>>) -> Self {
        let known = if kind.campaign.is_empty() {
            NOT_SET
        } else {
            &kind.campaign
        };
        Self {
            source: Cow::Borrowed(&kind.source),
            medium: Cow::Borrowed(&kind.medium),
            campaign: campaign.unwrap_or(Cow::Borrowed(known)),
        }
    }
}

/// The trimmed value, unless it says that nothing was said.
fn said(value: Cow<'_, str>) -> Option<Cow<'_, str>> {
    let value = match value {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) if text.trim().len() == text.len() => Cow::Owned(text),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    };
    let is_nothing = value.is_empty()
        || ["(not set)", "null", "undefined"]
            .iter()
            .any(|word| value.eq_ignore_ascii_case(word));
    (!is_nothing).then_some(value)
}

/// A click id and not a template that nobody filled in (`{gclid}`).
fn is_id(value: &str) -> bool {
    !value.starts_with(['{', '[', '%', '$', '<'])
}

fn lower(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.chars().any(char::is_uppercase) {
        Cow::Owned(text.to_lowercase())
    } else {
        text
    }
}

/// One is the other or lies below it, `www.` aside.
fn is_same_site(host: &str, page_host: &str) -> bool {
    let (host, page_host) = (url::without_www(host), url::without_www(page_host));
    url::is_domain_or_below(host, page_host) || url::is_domain_or_below(page_host, host)
}
