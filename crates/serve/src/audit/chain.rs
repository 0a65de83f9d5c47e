//! A record as a line, and how lines hang together.
//!
//! A line is a JSON object whose last two fields are `hash`, the SHA-256 of all that stands before
//! them (the hash of the line before is part of that), and `mac`, the HMAC-SHA-256 of `hash` under
//! the log's key. Anybody can follow the hashes; only who has the key can make a line that holds.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::{Event, at_text};
use crate::access::who::Key;

/// A record of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// From 1, without gaps.
    pub seq: u64,
    /// When it was noted.
    pub at: DateTime<Utc>,
    /// Who; `-` for somebody unknown.
    pub principal: String,
    /// From where.
    pub address: Option<String>,
    /// At which door.
    pub door: String,
    /// What.
    pub action: String,
    /// To what.
    pub object: String,
    /// How it ended.
    pub outcome: String,
    /// What else is to be known.
    #[serde(default)]
    pub detail: Map<String, Value>,
}

/// Where a log stands: its newest record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The newest record's sequence; 0 for an empty log.
    pub seq: u64,
    /// When it was noted.
    pub at: String,
    /// The newest record's hash.
    pub hash: String,
    /// Signature of the three.
    #[serde(default)]
    pub mac: String,
}

/// A line that has been read.
pub(super) struct Line {
    pub(super) record: Record,
    pub(super) prev: String,
    pub(super) hash: String,
    mac: String,
    /// What the hash should be.
    hash_due: String,
}

/// What the first line names as the hash of the line before.
pub(super) const NO_HASH: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Between a line's content and its hash, its hash and its signature, and after that.
const HASH: &str = ",\"hash\":\"";
const MAC: &str = "\",\"mac\":\"";
const END: &str = "\"}";
/// Letters of a hash.
const DIGITS: usize = 64;

/// Writes an event as the line after `last`; gives the line, without its end, and the new head.
pub(super) fn seal(event: &Event, last: &Head, at: DateTime<Utc>, key: &Key) -> (String, Head) {
    #[derive(Serialize)]
    struct Content<'a> {
        seq: u64,
        at: String,
        principal: &'a str,
        address: Option<String>,
        door: &'a str,
        action: &'a str,
        object: &'a str,
        outcome: super::Outcome,
        detail: &'a Map<String, Value>,
        prev: &'a str,
    }
    let seq = last.seq + 1;
    let content = Content {
        seq,
        at: at_text(at),
        principal: &event.principal,
        address: event.address.map(|address| address.to_string()),
        door: &event.door,
        action: event.action.as_str(),
        object: &event.object,
        outcome: event.outcome,
        detail: &event.detail,
        prev: &last.hash,
    };
    // Texts, numbers and maps with text keys can always be written as JSON.
    let mut line = serde_json::to_string(&content).unwrap_or_default();
    line.pop();
    let hash = hex::encode(Sha256::digest(line.as_bytes()));
    let mac = hex::encode(key.mac(&[b"record", hash.as_bytes()]));
    line.push_str(&format!("{HASH}{hash}{MAC}{mac}{END}"));
    let head = Head {
        seq,
        at: at_text(at),
        hash,
        mac: String::new(),
    };
    (line, head.signed(key))
}

/// Reads a line; none if it is not of the form.
pub(super) fn parse(line: &[u8]) -> Option<Line> {
    let text = std::str::from_utf8(line).ok()?;
    let (content, rest) = cut(text, HASH.len() + DIGITS + MAC.len() + DIGITS + END.len())?;
    let rest = rest.strip_prefix(HASH)?.strip_suffix(END)?;
    let (hash, rest) = cut_at(rest, DIGITS)?;
    let mac = rest.strip_prefix(MAC)?;
    let whole: Value = serde_json::from_str(text).ok()?;
    let prev = whole.get("prev")?.as_str()?.to_owned();
    Some(Line {
        record: serde_json::from_value(whole).ok()?,
        prev,
        hash: hash.to_owned(),
        mac: mac.to_owned(),
        hash_due: hex::encode(Sha256::digest(content.as_bytes())),
    })
}

/// A text without its last bytes, and these.
fn cut(text: &str, last: usize) -> Option<(&str, &str)> {
    cut_at(text, text.len().checked_sub(last)?)
}

fn cut_at(text: &str, at: usize) -> Option<(&str, &str)> {
    text.is_char_boundary(at).then(|| text.split_at(at))
}

impl Line {
    /// What is wrong with it as the line after `last`; none if it is right.
    pub(super) fn wrong_after(&self, last: &Head, key: &Key) -> Option<&'static str> {
        let mac = hex::encode(key.mac(&[b"record", self.hash.as_bytes()]));
        if self.record.seq > last.seq + 1 {
            return Some("records before it are missing");
        }
        if self.record.seq != last.seq + 1 {
            return Some("it does not stand in its place");
        }
        if self.hash != self.hash_due {
            return Some("its content was changed");
        }
        if !bool::from(mac.as_bytes().ct_eq(self.mac.as_bytes())) {
            return Some("its signature is not by this project's key");
        }
        (self.prev != last.hash).then_some("the record before it is not the one that it followed")
    }

    pub(super) fn head(&self, key: &Key) -> Head {
        let head = Head {
            seq: self.record.seq,
            at: at_text(self.record.at),
            hash: self.hash.clone(),
            mac: String::new(),
        };
        head.signed(key)
    }
}

impl Head {
    /// The head of an empty log.
    pub(super) fn empty() -> Self {
        Self {
            seq: 0,
            at: String::new(),
            hash: NO_HASH.to_owned(),
            mac: String::new(),
        }
    }

    fn due(&self, key: &Key) -> String {
        let seq = self.seq.to_be_bytes();
        hex::encode(key.mac(&[b"head", &seq, self.at.as_bytes(), self.hash.as_bytes()]))
    }

    fn signed(mut self, key: &Key) -> Self {
        self.mac = self.due(key);
        self
    }

    /// A head as it is noted; none if it is not by this key.
    pub(super) fn parse(line: &[u8], key: &Key) -> Option<Self> {
        let head: Self = serde_json::from_slice(line).ok()?;
        let fits = bool::from(head.due(key).as_bytes().ct_eq(head.mac.as_bytes()));
        fits.then_some(head)
    }

    pub(super) fn line(&self) -> String {
        let mut line = serde_json::to_string(self).unwrap_or_default();
        line.push('\n');
        line
    }
}
