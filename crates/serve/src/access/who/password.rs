//! Passwords: which are refused, and how they are kept.
//!
//! They are kept as Argon2id hashes that also take a key made of the project's: whoever has only
//! the database cannot try passwords against it.

use argon2::password_hash::{PasswordHash, PasswordHasher as _, PasswordVerifier as _, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};

use super::WhoError;
use super::secret::{Key, Secret, random_bytes};

/// Fewest characters of a password.
pub const LENGTH_MIN: usize = 12;

/// Most bytes of a password: hashing a longer one is work for nothing.
pub const BYTES_MAX: usize = 1024;

/// Why a password is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Weak {
    /// Too short.
    #[error("it has fewer than {LENGTH_MIN} characters")]
    Short,
    /// Too long.
    #[error("it has more than {BYTES_MAX} bytes")]
    Long,
    /// It has characters that cannot be typed everywhere.
    #[error("it has control characters")]
    Control,
    /// It is made of the user's name.
    #[error("it is made of the user's name")]
    Name,
    /// It is made of words that everybody tries first.
    #[error("it is made of words that are tried first, or of few different characters")]
    Known,
}

/// Words that passwords are made of when nobody thinks; what is left without them must do.
const WORDS: [&str; 42] = [
    "throughline",
    "administrator",
    "password",
    "passwort",
    "passphrase",
    "motdepasse",
    "contrasena",
    "qwertyuiop",
    "qwertzuiop",
    "asdfghjkl",
    "1q2w3e4r5t",
    "qazwsx",
    "azerty",
    "qwerty",
    "qwertz",
    "zxcvbn",
    "changeme",
    "changeit",
    "default",
    "letmein",
    "welcome",
    "willkommen",
    "iloveyou",
    "monkey",
    "dragon",
    "football",
    "baseball",
    "sunshine",
    "princess",
    "superset",
    "postgres",
    "tableau",
    "metabase",
    "databricks",
    "secret",
    "example",
    "system",
    "admin",
    "login",
    "guest",
    "test",
    "root",
];

/// Refuses a password that somebody could guess.
///
/// # Errors
/// What is wrong with it.
pub fn check(name: &str, password: &Secret) -> Result<(), Weak> {
    let text = password.expose();
    if text.len() > BYTES_MAX {
        return Err(Weak::Long);
    }
    if text.chars().any(char::is_control) {
        return Err(Weak::Control);
    }
    if text.chars().count() < LENGTH_MIN {
        return Err(Weak::Short);
    }
    let plain = text.to_lowercase();
    let name = name.to_lowercase();
    let backwards: String = name.chars().rev().collect();
    for own in [name.as_str(), backwards.as_str()] {
        if own.len() >= 3 && strength(&plain.replace(own, "")) < 8 && plain.contains(own) {
            return Err(Weak::Name);
        }
    }
    if strength(&without_words(&plain)) < 8 || strength(&without_words(&spelt(&plain))) < 6 {
        return Err(Weak::Known);
    }
    Ok(())
}

/// How many characters there are that do not merely go on from the one before (`aaaa`, `1234`).
fn strength(text: &str) -> usize {
    let mut count = 0;
    let mut before: Option<u32> = None;
    let mut different = std::collections::BTreeSet::new();
    for character in text.chars().map(u32::from) {
        if before.is_none_or(|before| character.abs_diff(before) > 1) {
            count += 1;
            different.insert(character);
        }
        before = Some(character);
    }
    count.min(different.len() * 2)
}

fn without_words(text: &str) -> String {
    let mut text = text.to_owned();
    for word in WORDS {
        text = text.replace(word, "");
    }
    text
}

/// With digits and signs as the letters that they stand for in `p4$$w0rd`.
fn spelt(text: &str) -> String {
    let letter = |character| match character {
        '0' => 'o',
        '1' | '!' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        other => other,
    };
    text.chars().map(letter).collect()
}

/// What a hash costs.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    /// Memory, in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
}

impl Default for Cost {
    /// What OWASP recommends: 19 MiB, two passes, one lane.
    fn default() -> Self {
        Self {
            memory_kib: 19_456,
            passes: 2,
        }
    }
}

/// Makes hashes and tries passwords against them.
#[derive(Debug, Clone)]
pub(super) struct Hasher {
    pepper: Key,
    cost: Cost,
}

impl Hasher {
    pub(super) fn new(pepper: Key, cost: Cost) -> Self {
        Self { pepper, cost }
    }

    fn argon2(&self) -> Result<Argon2<'_>, WhoError> {
        let params = Params::new(self.cost.memory_kib, self.cost.passes, 1, None);
        let params = params.map_err(|_| WhoError::Hash)?;
        let (algorithm, version) = (Algorithm::Argon2id, Version::V0x13);
        Argon2::new_with_secret(self.pepper.bytes(), algorithm, version, params)
            .map_err(|_| WhoError::Hash)
    }

    /// The hash of a password, with its salt and cost, as a PHC string.
    pub(super) fn hash(&self, password: &Secret) -> Result<String, WhoError> {
        let mut salt = [0; 16];
        random_bytes(&mut salt)?;
        let salt = SaltString::encode_b64(&salt).map_err(|_| WhoError::Hash)?;
        let text = normal(password);
        let hash = self
            .argon2()?
            .hash_password(text.expose().as_bytes(), &salt);
        Ok(hash.map_err(|_| WhoError::Hash)?.to_string())
    }

    /// Whether the password is the one of the hash. Where there is no hash, the same work is done
    /// for nothing, so that nobody learns from the time who exists.
    pub(super) fn verify(&self, hash: Option<&str>, password: &Secret) -> bool {
        let text = normal(password);
        let Ok(argon2) = self.argon2() else {
            return false;
        };
        match hash.and_then(|hash| PasswordHash::new(hash).ok()) {
            Some(hash) => argon2
                .verify_password(text.expose().as_bytes(), &hash)
                .is_ok(),
            None => {
                let mut out = [0; 32];
                let _ = argon2.hash_password_into(text.expose().as_bytes(), &[7; 16], &mut out);
                false
            }
        }
    }
}

/// The password as SASLprep makes it (RFC 4013): one that is typed in another way is the same.
/// What cannot be normalised stays as it is, as in PostgreSQL.
pub(super) fn normal(password: &Secret) -> Secret {
    match stringprep::saslprep(password.expose()) {
        Ok(text) => Secret::new(text.into_owned()),
        Err(_) => password.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUICK: Cost = Cost {
        memory_kib: 64,
        passes: 1,
    };

    #[test]
    fn guessable_passwords_are_refused() {
        let refused = [
            ("ana", "", Weak::Short),
            ("ana", "hunter2", Weak::Short),
            ("ana", "Tr0ub4dor&3", Weak::Short),
            ("ana", "password1234", Weak::Known),
            ("ana", "P4$$w0rdP4$$w0rd", Weak::Known),
            ("ana", "adminadminadmin", Weak::Known),
            ("ana", "changeme-changeme", Weak::Known),
            ("ana", "throughline2026!", Weak::Known),
            ("ana", "123456789012", Weak::Known),
            ("ana", "aaaaaaaaaaaaaaaa", Weak::Known),
            ("ana", "abababababababab", Weak::Known),
            ("ana", "abcdefghijklmnop", Weak::Known),
            ("ana", "qwertyuiop1234", Weak::Known),
            ("ana", "postgrespostgres", Weak::Known),
            ("ana.marketing", "ana.marketing", Weak::Name),
            ("ana.marketing", "Ana.Marketing1", Weak::Name),
            ("ana.marketing", "gnitekram.ana", Weak::Name),
            ("ana", "correct horse\u{7}battery", Weak::Control),
        ];
        for (name, password, why) in refused {
            assert_eq!(check(name, &Secret::new(password)), Err(why), "{password}");
        }
        assert_eq!(
            check("ana", &Secret::new("x".repeat(2000))),
            Err(Weak::Long)
        );
    }

    #[test]
    fn others_are_taken() {
        let taken = [
            "correct horse battery staple",
            "Vh7kQp2mWz9x",
            "drei blaue Kühe im Regen",
            "tr0ub4dor&3-plus-more",
            "パスワードではない長い文字列です",
            "ana isst gern Rhabarber",
        ];
        for password in taken {
            assert_eq!(check("ana", &Secret::new(password)), Ok(()), "{password}");
        }
        for _ in 0..200 {
            let random = Secret::random(24).expect("random");
            assert_eq!(check("admin", &random), Ok(()), "{}", random.expose());
        }
    }

    #[test]
    fn a_hash_fits_its_password_and_its_key_alone() {
        let hasher = Hasher::new(Key::derive(b"0123456789abcdef", "p"), QUICK);
        let password = Secret::new("correct horse battery staple");
        let hash = hasher.hash(&password).expect("hash");
        assert!(hash.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{hash}");
        assert!(hasher.verify(Some(&hash), &password));
        assert!(!hasher.verify(Some(&hash), &Secret::new("correct horse battery stapl")));
        assert!(!hasher.verify(None, &password));
        assert!(!hasher.verify(Some("nonsense"), &password));
        assert_ne!(hash, hasher.hash(&password).expect("hash"), "another salt");
        let other = Hasher::new(Key::derive(b"fedcba9876543210", "p"), QUICK);
        assert!(!other.verify(Some(&hash), &password));
        // A hash of an older cost is still tried.
        let dearer = Hasher::new(Key::derive(b"0123456789abcdef", "p"), Cost::default());
        assert!(dearer.verify(Some(&hash), &password));
    }

    #[test]
    fn a_password_typed_in_another_way_is_the_same() {
        let hasher = Hasher::new(Key::derive(b"0123456789abcdef", "p"), QUICK);
        let hash = hasher.hash(&Secret::new("blaue K\u{fc}he im Regen"));
        let hash = hash.expect("hash");
        // A no-break space instead of a space, a compatibility form instead of a letter.
        let typed = Secret::new("blaue\u{a0}K\u{fc}he im Re\u{ff47}en");
        assert!(hasher.verify(Some(&hash), &typed));
    }
}
