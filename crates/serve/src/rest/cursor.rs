//! Where the next page begins: opaque, signed, good for one caller and one order of one table.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

use super::problem::Problem;
use crate::access::who::Key;

/// Bytes of the signature.
const SIGNATURE: usize = 16;

/// The last row of a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Cursor {
    /// Its values in the columns of the order, as texts.
    pub(super) last: Vec<Option<String>>,
    /// How many rows with just these values have been given.
    pub(super) given: u64,
}

impl Cursor {
    /// The text for a client. `place`: for whom, of which table, in which order.
    pub(super) fn seal(&self, key: &Key, place: &[&str]) -> String {
        let content = serde_json::to_vec(self).unwrap_or_default();
        let mut bytes = signature(key, place, &content).to_vec();
        bytes.extend(content);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads what a client sends.
    ///
    /// # Errors
    /// It is none of ours, or was given to another, or for another table or order.
    pub(super) fn open(text: &str, key: &Key, place: &[&str]) -> Result<Self, Problem> {
        let wrong = || {
            Problem::missing("there is no such page")
                .hint("`cursor` is given by the page before, for the same caller, path and `sort`")
        };
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| wrong())?;
        let (given, content) = bytes.split_at_checked(SIGNATURE).ok_or_else(wrong)?;
        let is_ours: bool = signature(key, place, content).ct_eq(given).into();
        if !is_ours {
            return Err(wrong());
        }
        serde_json::from_slice(content).map_err(|_| wrong())
    }
}

fn signature(key: &Key, place: &[&str], content: &[u8]) -> [u8; SIGNATURE] {
    let mut parts: Vec<&[u8]> = place.iter().map(|part| part.as_bytes()).collect();
    parts.push(content);
    let mac = key.mac(&parts);
    let mut signature = [0; SIGNATURE];
    signature.copy_from_slice(&mac[..SIGNATURE]);
    signature
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_good_for_one_place_only() {
        let key = Key::derive(b"0123456789abcdef", "test");
        let cursor = Cursor {
            last: vec![Some("a".to_owned()), None],
            given: 2,
        };
        let text = cursor.seal(&key, &["ana", "marts.events", "day"]);
        let open = |text: &str, place: &[&str]| Cursor::open(text, &key, place).ok();
        assert_eq!(open(&text, &["ana", "marts.events", "day"]), Some(cursor));
        assert_eq!(open(&text, &["bob", "marts.events", "day"]), None);
        assert_eq!(open(&text, &["ana", "marts.events", "-day"]), None);
        for at in 0..text.len() {
            let mut changed = text.clone();
            let other = if &text[at..=at] == "A" { "B" } else { "A" };
            changed.replace_range(at..=at, other);
            assert_eq!(
                open(&changed, &["ana", "marts.events", "day"]),
                None,
                "{at}"
            );
        }
        for text in ["", "A", "not base64!", "AAAAAAAAAAAAAAAAAAAAAAAA"] {
            assert_eq!(open(text, &["ana", "marts.events", "day"]), None);
        }
    }
}
