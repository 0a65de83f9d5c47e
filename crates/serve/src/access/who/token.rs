//! The form of service tokens: `tlt_<id>_<secret><check>`.
//!
//! The prefix and the check let scanners of source code know a token when they see one, without
//! asking anybody: `tlt_[0-9A-Za-z]{10}_[0-9A-Za-z]{49}`, where the last six letters follow from
//! those before. The secret is 43 letters of 62, that is 256 random bits. Only SHA-256 of the whole
//! is kept.

use sha2::{Digest as _, Sha256};

use super::WhoError;
use super::secret::{LETTERS, Secret};

/// What every token begins with.
pub(super) const PREFIX: &str = "tlt_";
/// Letters of the id.
const ID: usize = 10;
/// Letters of the secret.
const SECRET: usize = 43;
/// Letters of the check.
const CHECK: usize = 6;
/// Letters of the whole.
const LENGTH: usize = PREFIX.len() + ID + 1 + SECRET + CHECK;

/// A new token: its id, which may be seen, and the whole.
pub(super) fn make() -> Result<(String, Secret), WhoError> {
    let id = Secret::random(ID)?.expose().to_owned();
    let secret = Secret::random(SECRET)?;
    let mut text = format!("{PREFIX}{id}_{}", secret.expose());
    let check = check(&text);
    text.push_str(&check);
    Ok((id, Secret::new(text)))
}

/// Whether a text claims to be a token; it may be a wrong one.
pub fn is_like(text: &Secret) -> bool {
    text.expose().starts_with(PREFIX)
}

/// The id of a token that is well formed.
pub(super) fn id(token: &Secret) -> Option<&str> {
    let text = token.expose();
    if text.len() != LENGTH || !text.is_ascii() {
        return None;
    }
    let (rest, check_given) = text.split_at(LENGTH - CHECK);
    let (id, secret) = rest.strip_prefix(PREFIX)?.split_once('_')?;
    let letters = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let is_formed = id.len() == ID && secret.len() == SECRET && letters(id) && letters(secret);
    (is_formed && check(rest) == check_given).then_some(id)
}

/// Six letters that follow from a text: the first 32 bits of its SHA-256, in base 62.
fn check(text: &str) -> String {
    let hash = Sha256::digest(text.as_bytes());
    let mut number = u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]);
    let mut letters = [b'0'; CHECK];
    for letter in letters.iter_mut().rev() {
        *letter = LETTERS[(number % 62) as usize];
        number /= 62;
    }
    letters.map(char::from).iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_known_by_its_form() {
        let (id, token) = make().expect("a token");
        assert_eq!(token.expose().len(), 64);
        assert_eq!(super::id(&token), Some(id.as_str()));
        assert!(is_like(&token));
        let (_, other) = make().expect("a token");
        assert_ne!(token.expose(), other.expose());
    }

    #[test]
    fn every_single_change_is_seen() {
        let (_, token) = make().expect("a token");
        let text = token.expose();
        for at in 0..text.len() {
            for instead in ["0", "z", "_", " ", "é", ""] {
                let mut changed = text.to_owned();
                changed.replace_range(at..=at, instead);
                let wrong = Secret::new(changed.clone());
                assert!(
                    changed == text || super::id(&wrong).is_none(),
                    "{at} {instead}"
                );
            }
        }
        assert!(super::id(&Secret::new("")).is_none());
        assert!(super::id(&Secret::new("tlt_")).is_none());
    }

    #[test]
    fn the_check_is_as_documented() {
        // Another program can compute it: SHA-256, four bytes, base 62 of 0-9A-Za-z.
        assert_eq!(check("tlt_"), {
            let hash = Sha256::digest(b"tlt_");
            let number = hash[..4]
                .iter()
                .fold(0_u64, |sum, byte| sum * 256 + u64::from(*byte));
            let digit = |power: u32| LETTERS[(number / 62_u64.pow(power) % 62) as usize];
            (0..6)
                .rev()
                .map(|power| char::from(digit(power)))
                .collect::<String>()
        });
    }
}
