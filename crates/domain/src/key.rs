//! Durable keys and hashes of personal data, both under the project's key.
//!
//! A durable key is a keyed 64-bit hash of a natural key: the same project gives the same thing the
//! same key for ever, in any order of arrival, and nobody without the project's key can compute it.
//! Never used for security: collisions are detected where keys are stored. E-mails and telephones
//! are HMAC-SHA256 of the SHA-256 of the normalised value, so that plain and pre-hashed ones meet.

use std::hash::Hasher;

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use siphasher::sip128::{Hasher128, SipHasher24};

use crate::name::{plain_name, sound};

/// Keys that are reserved: "unknown", "not applicable", "not at this level".
pub const RESERVED_KEYS: [i64; 3] = [0, -1, -2];

/// Shortest run of digits that is taken for a telephone number.
const PHONE_DIGITS_MIN: usize = 5;

/// Makes keys and hashes under one project's key.
#[derive(Clone)]
pub struct KeyMaker {
    sip_key: [u8; 16],
    hmac: Hmac<Sha256>,
}

impl std::fmt::Debug for KeyMaker {
    /// The key itself is never shown.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("KeyMaker")
    }
}

impl KeyMaker {
    /// A maker under `key`, the project's key; any length, 32 random bytes are right.
    pub fn new(key: &[u8]) -> Self {
        // The two uses get keys of their own, so that neither tells anything of the other.
        let derived = |purpose: &[u8]| -> [u8; 32] {
            let mut hasher = Sha256::new();
            hasher.update((key.len() as u64).to_le_bytes());
            hasher.update(key);
            hasher.update(purpose);
            hasher.finalize().into()
        };
        let keys = derived(b"throughline durable key 1");
        let mut sip_key = [0; 16];
        sip_key.copy_from_slice(&keys[..16]);
        // HMAC takes a key of any length: a longer one than its block is hashed by it.
        let block = derived(b"throughline personal data 1");
        let mut padded = [0_u8; 64];
        padded[..32].copy_from_slice(&block);
        Self {
            sip_key,
            hmac: Hmac::<Sha256>::new(&padded.into()),
        }
    }

    /// The durable key of a thing: `parts` is its type, then its natural key. None if the type or
    /// the first part of the natural key is null; a null further on is a value of its own.
    pub fn durable_key(&self, parts: &[Option<&str>]) -> Option<i64> {
        if !matches!(parts, [Some(_)] | [Some(_), Some(_), ..]) {
            return None;
        }
        let mut hasher = SipHasher24::new_with_key(&self.sip_key);
        for part in parts {
            // The length before each part keeps ("ab", "c") and ("a", "bc") apart.
            match part {
                Some(text) => {
                    hasher.write(&(text.len() as u64).to_le_bytes());
                    hasher.write(text.as_bytes());
                }
                None => hasher.write(&u64::MAX.to_le_bytes()),
            }
        }
        let hash = hasher.finish128();
        Some(as_key(hash.h1, hash.h2))
    }

    /// The keyed hash of an e-mail, a telephone number, a name or the sound of a name (`kind` is
    /// `email`, `phone`, `name` or `sound`; any other is only trimmed), as 64 hex digits. A value
    /// that already is 64 hex digits is taken as the SHA-256 of the normalised value. None where
    /// nothing is left after normalising.
    pub fn pii_hash(&self, kind: &str, value: &str) -> Option<String> {
        let trimmed = value.trim();
        let digest: [u8; 32] = match as_sha256(trimmed) {
            Some(digest) => digest,
            None => Sha256::digest(normalised(kind, trimmed)?.as_bytes()).into(),
        };
        let mut hmac = self.hmac.clone();
        hmac.update(&digest);
        Some(hex::encode(hmac.finalize().into_bytes()))
    }
}

/// 64 of 128 bits, never a reserved key.
fn as_key(first: u64, second: u64) -> i64 {
    let key = i64::from_le_bytes(first.to_le_bytes());
    if RESERVED_KEYS.contains(&key) {
        // As good as any other: the hash's other half, with a bit that no reserved key has alone.
        i64::from_le_bytes(second.to_le_bytes()) & i64::MAX | 1 << 62
    } else {
        key
    }
}

fn as_sha256(value: &str) -> Option<[u8; 32]> {
    let mut digest = [0; 32];
    hex::decode_to_slice(value, &mut digest).ok()?;
    Some(digest)
}

/// An e-mail trimmed and in lower case; a telephone number as its digits with a leading `+`; a name
/// in its plain form.
fn normalised(kind: &str, value: &str) -> Option<String> {
    let normal = match kind {
        "email" => value.to_lowercase(),
        "phone" => {
            let kept: String = value
                .chars()
                .filter(|c| c.is_ascii_digit() || *c == '+')
                .collect();
            if kept.chars().filter(char::is_ascii_digit).count() < PHONE_DIGITS_MIN {
                return None;
            }
            kept
        }
        "name" => plain_name(value)?,
        // Told apart from a name that is written as another one sounds.
        "sound" => format!("sound {}", sound(value)?),
        _ => value.to_owned(),
    };
    (!normal.is_empty()).then_some(normal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn maker() -> KeyMaker {
        KeyMaker::new(b"a project's key")
    }

    #[test]
    fn keys_are_stable_for_ever() {
        // Written down once: were they to change, every table of every user would be wrong.
        let key = |parts: &[Option<&str>]| maker().durable_key(parts);
        assert_eq!(key(&[Some("device"), Some("123.456")]), Some(DEVICE_KEY));
        let hash = maker().pii_hash("email", "ada@example.com");
        assert_eq!(hash.as_deref(), Some(EMAIL_HASH));
    }

    const DEVICE_KEY: i64 = 3_256_873_688_756_333_958;
    const EMAIL_HASH: &str = "f91ca028080f7bb5e1b3bd8eeae637accc6fb9817ef62f440d3ed94f3df85f75";

    #[test]
    fn parts_do_not_run_together() {
        let key = |parts: &[Option<&str>]| maker().durable_key(parts);
        let different = [
            key(&[Some("t"), Some("ab"), Some("c")]),
            key(&[Some("t"), Some("a"), Some("bc")]),
            key(&[Some("t"), Some("abc")]),
            key(&[Some("t"), Some("abc"), None]),
            key(&[Some("t"), Some("abc"), Some("")]),
            KeyMaker::new(b"another key").durable_key(&[Some("t"), Some("abc")]),
        ];
        for (i, left) in different.iter().enumerate() {
            assert!(left.is_some());
            assert!(different[i + 1..].iter().all(|right| right != left));
        }
    }

    #[test]
    fn no_natural_key_gives_no_key() {
        assert_eq!(maker().durable_key(&[]), None);
        assert_eq!(maker().durable_key(&[None, Some("x")]), None);
        assert_eq!(maker().durable_key(&[Some("order"), None, Some("x")]), None);
        assert!(
            maker()
                .durable_key(&[Some("order"), Some("x"), None])
                .is_some()
        );
    }

    #[test]
    fn reserved_keys_are_never_given() {
        for reserved in RESERVED_KEYS {
            let hash = u64::from_le_bytes(reserved.to_le_bytes());
            for second in [0, 1, hash, u64::MAX] {
                assert!(!RESERVED_KEYS.contains(&as_key(hash, second)));
            }
        }
        assert_eq!(as_key(7, 9), 7);
    }

    #[test]
    fn plain_and_hashed_personal_data_meet() {
        let keys = maker();
        let plain = keys.pii_hash("email", " Ada@Example.com ");
        let digest = hex::encode(Sha256::digest(b"ada@example.com"));
        assert_eq!(plain, keys.pii_hash("email", &digest));
        assert_eq!(plain, keys.pii_hash("email", &digest.to_uppercase()));
        assert_eq!(
            keys.pii_hash("phone", "+49 (0) 30 / 1234-567"),
            keys.pii_hash("phone", "+490301234567")
        );
        assert_ne!(
            plain,
            KeyMaker::new(b"another").pii_hash("email", "ada@example.com")
        );
    }

    #[test]
    fn names_meet_by_what_they_are_and_by_how_they_sound() {
        let keys = maker();
        let name = |name: &str| keys.pii_hash("name", name);
        let sound = |name: &str| keys.pii_hash("sound", name);
        assert_eq!(name(" Mu\u{308}ller"), name("MÜLLER"));
        assert_ne!(name("Smith"), name("Smyth"));
        assert_eq!(sound("Smith"), sound("Smyth"));
        assert_ne!(sound("Smith"), sound("Jones"));
        assert_ne!(name("s53"), sound("Smith"));
        assert_eq!((name("-"), sound("-")), (None, None));
    }

    #[test]
    fn what_is_no_value_has_no_hash() {
        assert_eq!(maker().pii_hash("email", "  "), None);
        assert_eq!(maker().pii_hash("phone", "n/a"), None);
        assert_eq!(maker().pii_hash("phone", "+"), None);
    }
}
