//! Secrets, and the keys that are made of the project's.
//!
//! Neither can be printed by mistake: `Debug` shows nothing of them, there is no `Display` and no
//! `Serialize`, and their memory is overwritten when they go.

use std::fmt;

use hmac::{Hmac, Mac as _};
use rand::TryRngCore as _;
use rand::rngs::OsRng;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize as _, Zeroizing};

use super::WhoError;

/// A text that must not be seen.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Takes a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself: for a hash, a header, or the one time that it is shown to its owner.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Random letters and digits, each of 62 alike: 43 of them are 256 bits.
    ///
    /// # Errors
    /// The machine gives no random numbers.
    pub fn random(letters: usize) -> Result<Self, WhoError> {
        let mut text = String::with_capacity(letters);
        let mut bytes = Zeroizing::new([0_u8; 64]);
        while text.len() < letters {
            random_bytes(bytes.as_mut())?;
            // 248 is the largest multiple of 62 in a byte: above it, some would be likelier.
            let fair = bytes.iter().filter(|byte| **byte < 248);
            for byte in fair.take(letters - text.len()) {
                text.push(char::from(LETTERS[usize::from(byte % 62)]));
            }
        }
        Ok(Self(text))
    }

    /// Its SHA-256. Only for secrets that are random: a password needs a slow hash.
    pub fn sha256(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }

    /// Whether it is this text; how long that takes tells nothing but the lengths.
    pub fn is(&self, text: &str) -> bool {
        self.0.as_bytes().ct_eq(text.as_bytes()).into()
    }
}

/// What random texts are made of.
pub(super) const LETTERS: &[u8; 62] =
    b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// Fills bytes from the machine's source of random numbers.
pub(super) fn random_bytes(bytes: &mut [u8]) -> Result<(), WhoError> {
    OsRng.try_fill_bytes(bytes).map_err(|_| WhoError::Random)
}

/// A key of 256 bits.
#[derive(Clone)]
pub struct Key([u8; 32]);

impl Key {
    /// The key for one purpose, made of the project's: whoever has it knows no other.
    pub fn derive(project_key: &[u8], purpose: &str) -> Self {
        Self(mac(
            project_key,
            &[b"throughline/", purpose.as_bytes(), b"/1"],
        ))
    }

    /// HMAC-SHA-256 of these parts, each with its length before it.
    pub fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut all = Vec::new();
        for part in parts {
            all.extend_from_slice(&(part.len() as u64).to_be_bytes());
            all.extend_from_slice(part);
        }
        mac(&self.0, &[&all])
    }

    /// The bytes, for a function that takes a key.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Key(…)")
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// HMAC-SHA-256 of parts, one after the other.
pub(super) fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    // HMAC takes a key of any length: this cannot fail.
    let Ok(mut hmac) = Hmac::<Sha256>::new_from_slice(key) else {
        return [0; 32];
    };
    for part in parts {
        hmac.update(part);
    }
    hmac.finalize().into_bytes().into()
}

/// Refuses a project's key that everybody could guess.
///
/// # Errors
/// It is shorter than 16 bytes, or has fewer than eight different ones.
pub fn check_project_key(key: &[u8]) -> Result<(), WhoError> {
    let different: std::collections::BTreeSet<u8> = key.iter().copied().collect();
    if key.len() < 16 || different.len() < 8 {
        return Err(WhoError::WeakKey);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_shown() {
        let secret = Secret::new("hunter2-hunter2");
        let key = Key::derive(b"0123456789abcdef", "test");
        let said = format!("{secret:?} {secret:#?} {key:?} {:?}", Some(&secret));
        assert!(!said.contains("hunter2"), "{said}");
        assert_eq!(said, "Secret(…) Secret(…) Key(…) Some(Secret(…))");
        assert!(secret.is("hunter2-hunter2") && !secret.is("hunter2-hunter3"));
    }

    #[test]
    fn random_texts_use_every_letter_alike() {
        let text = Secret::random(62_000).expect("random");
        let mut counts = [0_u32; 256];
        for byte in text.expose().bytes() {
            counts[usize::from(byte)] += 1;
        }
        for letter in LETTERS {
            let count = counts[usize::from(*letter)];
            assert!((800..1_200).contains(&count), "{letter}: {count}");
        }
    }

    #[test]
    fn keys_differ_by_purpose_and_parts_by_where_they_end() {
        let one = Key::derive(b"0123456789abcdef", "a");
        let other = Key::derive(b"0123456789abcdef", "b");
        assert_ne!(one.mac(&[b"x"]), other.mac(&[b"x"]));
        assert_ne!(one.mac(&[b"ab", b"c"]), one.mac(&[b"a", b"bc"]));
    }

    #[test]
    fn a_guessable_key_is_refused() {
        assert!(check_project_key(&[0; 32]).is_err());
        assert!(check_project_key(b"0123456789").is_err());
        assert!(check_project_key(b"0123456789abcdef").is_ok());
    }
}
