//! Hosts that are known as sources: search engines, social networks, AI assistants.
//!
//! From the seed `referrer_host`: `host,source,medium`. A host is written in one of three forms:
//! `search.brave.com` (this host, with or without `www.`), `*.linkedin.com` (whatever lies below
//! it), `google.*` (with any country's ending: `google.de`, `google.co.uk`). An exact host is
//! stronger than one below, the longer one below is stronger than the shorter one.

use std::collections::HashMap;

use super::{seed, url};
use crate::error::Result;

/// Second-level names under which countries give out domains.
const SECOND_LEVELS: [&str; 9] = ["co", "com", "org", "net", "or", "ne", "ac", "edu", "gov"];

/// What a known host means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferrerHost {
    /// Source, e.g. `google`.
    pub source: String,
    /// Medium: `organic`, `referral`, `ai-assistant`.
    pub medium: String,
    /// The medium in parentheses: what GA4 shows as the campaign of such a visit.
    pub campaign: String,
}

/// The known hosts.
#[derive(Debug, Clone, Default)]
pub struct ReferrerHosts {
    exact: HashMap<String, ReferrerHost>,
    below: HashMap<String, ReferrerHost>,
    any_ending: HashMap<String, ReferrerHost>,
}

impl ReferrerHosts {
    /// From the text of the seed `referrer_host`. Of two rows with one host the later one counts,
    /// so that a project can put its own rows after the built-in ones.
    ///
    /// # Errors
    /// No CSV, a missing column, an empty host, source or medium.
    pub fn from_csv(text: &str) -> Result<Self> {
        let mut hosts = Self::default();
        for row in seed::rows("referrer_host", text, &["host", "source", "medium"])? {
            let host = row.get(0).to_lowercase();
            let (source, medium) = (row.get(1).to_lowercase(), row.get(2).to_lowercase());
            if host.is_empty() || source.is_empty() || medium.is_empty() {
                return Err(row.error("`host`, `source` and `medium` must have values"));
            }
            let campaign = format!("({medium})");
            let meaning = ReferrerHost {
                source,
                medium,
                campaign,
            };
            if let Some(domain) = host.strip_prefix("*.") {
                hosts.below.insert(domain.to_owned(), meaning);
            } else if let Some(base) = host.strip_suffix(".*") {
                hosts.any_ending.insert(base.to_owned(), meaning);
            } else {
                hosts
                    .exact
                    .insert(url::without_www(&host).to_owned(), meaning);
            }
        }
        Ok(hosts)
    }

    /// What this host means, if it is known. The host is in lower case.
    pub fn find(&self, host: &str) -> Option<&ReferrerHost> {
        let host = url::without_www(host);
        if let Some(found) = self.exact.get(host) {
            return Some(found);
        }
        let mut rest = host;
        while let Some((_, above)) = rest.split_once('.') {
            if let Some(found) = self.below.get(above) {
                return Some(found);
            }
            rest = above;
        }
        self.any_ending.get(without_ending(host)?)
    }
}

/// The host without its country's ending (`.com`, `.de`, `.co.uk`).
fn without_ending(host: &str) -> Option<&str> {
    let (base, ending) = host.rsplit_once('.')?;
    if ending == "com" {
        return Some(base);
    }
    if ending.len() != 2 {
        return None;
    }
    match base.rsplit_once('.') {
        Some((shorter, second)) if SECOND_LEVELS.contains(&second) => Some(shorter),
        _ => Some(base),
    }
}
