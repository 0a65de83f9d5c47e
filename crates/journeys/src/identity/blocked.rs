//! Values that stand where an identifier should, and identify nobody.
//!
//! One such value (`null`, `anonymous`, a cookie of zeros) would tie thousands of people into one
//! component. Values are compared trimmed and in lower case.

use std::collections::HashSet;

use regex::RegexSet;

use super::NodeType;
use crate::error::{JourneysError, Result};

/// Exact values, whatever the type: Segment's suggestions and what trackers write for "nothing".
const EXACT: [&str; 30] = [
    "",
    "-1",
    "null",
    "(null)",
    "<null>",
    "nil",
    "none",
    "(none)",
    "nan",
    "na",
    "n/a",
    "n.a.",
    "undefined",
    "unknown",
    "(unknown)",
    "not set",
    "(not set)",
    "not provided",
    "(not provided)",
    "anonymous",
    "anonymous user",
    "guest",
    "void",
    "empty",
    "abc123",
    "true",
    "false",
    "[object object]",
    "test",
    "redacted",
];

/// E-mail addresses that many people share or nobody has.
const EMAIL_PATTERN: &str =
    r"^(anonymous|guest|test|noreply|no-reply|no\.reply|do-not-reply|donotreply)@|^(none|na|null)@";

/// Telephone numbers that people type to get past a form.
const PHONE_PATTERN: &str = r"^\+?(0+|1+|2+|3+|4+|5+|6+|7+|8+|9+|0?123456789?0?)$";

/// The values that are no evidence: the built-in ones and the project's.
#[derive(Debug, Clone)]
pub struct BlockList {
    exact: HashSet<String>,
    patterns: RegexSet,
    email: RegexSet,
    phone: RegexSet,
}

impl BlockList {
    /// The built-in list and `blocked_values` of the project: each an exact value, or a regular
    /// expression between slashes (`/^test-/`), which matches anywhere unless it is anchored.
    ///
    /// # Errors
    /// A pattern that cannot be understood.
    pub fn new(blocked_values: &[String]) -> Result<Self> {
        let mut exact: HashSet<String> = EXACT.iter().map(|&value| value.to_owned()).collect();
        let mut patterns = Vec::new();
        for value in blocked_values {
            let value = value.trim();
            match value
                .strip_prefix('/')
                .and_then(|rest| rest.strip_suffix('/'))
            {
                Some(pattern) if !pattern.is_empty() => {
                    // Checked alone, so that the message names the one that is wrong.
                    set(&[pattern])?;
                    patterns.push(pattern);
                }
                _ => {
                    exact.insert(value.to_lowercase());
                }
            }
        }
        Ok(Self {
            exact,
            patterns: set(&patterns)?,
            email: set(&[EMAIL_PATTERN])?,
            phone: set(&[PHONE_PATTERN])?,
        })
    }

    /// This value, of this type, identifies nobody.
    pub fn is_blocked(&self, node_type: NodeType, value: &str) -> bool {
        let value = value.trim();
        // Segment's `^[0-]*$`: the empty text, zeros, a UUID of zeros.
        if value.bytes().all(|b| b == b'0' || b == b'-') {
            return true;
        }
        let value = value.to_lowercase();
        self.exact.contains(&value)
            || self.patterns.is_match(&value)
            || match node_type {
                NodeType::Email => self.email.is_match(&value),
                NodeType::Phone => self.phone.is_match(&value),
                _ => false,
            }
    }
}

fn set(patterns: &[&str]) -> Result<RegexSet> {
    regex::RegexSetBuilder::new(patterns)
        .case_insensitive(true)
        .build()
        .map_err(|source| JourneysError::Pattern {
            pattern: patterns.join("` `"),
            place: "`identity.blocked_values`".into(),
            source: Box::new(source),
        })
}
