//! SCRAM-SHA-256 (RFC 5802, RFC 7677): how a password is proved over the Postgres wire without
//! being sent.
//!
//! What is kept is `StoredKey` and `ServerKey`, with which nobody can log in, and both are sealed
//! under a key made of the project's: they are quicker to try passwords against than an Argon2id
//! hash, and whoever has only the database shall not be able to.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroize as _;

use super::WhoError;
use super::password::normal;
use super::secret::{Key, Secret, mac, random_bytes};

/// The mechanism without channel binding.
pub const MECHANISM: &str = "SCRAM-SHA-256";
/// The mechanism with channel binding to the server's certificate.
pub const MECHANISM_PLUS: &str = "SCRAM-SHA-256-PLUS";

/// How often a new password is hashed; the client does the same at each log-in.
const ITERATIONS: u32 = 16_384;

/// Why an exchange ends without a log-in. The client is told no more than this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ScramError {
    /// A message is not of the form.
    #[error("malformed SCRAM message")]
    Malformed,
    /// The channel is not the one that the client means.
    #[error("SCRAM channel binding check failed")]
    Binding,
    /// The proof is wrong.
    #[error("password authentication failed")]
    Proof,
}

/// What a client's proof is checked against.
#[derive(Clone, PartialEq, Eq)]
pub struct Verifier {
    salt: [u8; 16],
    iterations: u32,
    stored_key: [u8; 32],
    server_key: [u8; 32],
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Verifier(…)")
    }
}

impl Verifier {
    /// The verifier of a password, with a new salt.
    pub(super) fn make(password: &Secret) -> Result<Self, WhoError> {
        let mut salt = [0; 16];
        random_bytes(&mut salt)?;
        Ok(Self::with(password, salt, ITERATIONS))
    }

    fn with(password: &Secret, salt: [u8; 16], iterations: u32) -> Self {
        let mut salted = salted(normal(password).expose().as_bytes(), &salt, iterations);
        let client_key = mac(&salted, &[b"Client Key"]);
        let server_key = mac(&salted, &[b"Server Key"]);
        salted.zeroize();
        Self {
            salt,
            iterations,
            stored_key: Sha256::digest(client_key).into(),
            server_key,
        }
    }

    /// The verifier of somebody who is not there: its salt is always the same for the same name,
    /// so that asking twice tells nothing, and no proof fits it.
    pub(super) fn fake(key: &Key, name: &str) -> Self {
        let mut salt = [0; 16];
        salt.copy_from_slice(&key.mac(&[b"salt", name.as_bytes()])[..16]);
        Self {
            salt,
            iterations: ITERATIONS,
            stored_key: key.mac(&[b"stored", name.as_bytes()]),
            server_key: key.mac(&[b"server", name.as_bytes()]),
        }
    }

    /// As it is kept.
    pub(super) fn seal(&self, key: &Key, name: &str) -> String {
        let mut both = [self.stored_key, self.server_key].concat();
        self.cross(key, name, &mut both);
        let check = key.mac(&[b"check", name.as_bytes(), &self.salt, &both]);
        format!(
            "1${}${}${}${}",
            self.iterations,
            STANDARD.encode(self.salt),
            STANDARD.encode(&both),
            STANDARD.encode(&check[..16])
        )
    }

    /// From what is kept; nothing if that is not as it was written.
    pub(super) fn open(key: &Key, name: &str, text: &str) -> Option<Self> {
        let mut parts = text.split('$');
        let mut next = || parts.next();
        if next()? != "1" {
            return None;
        }
        let iterations = next()?.parse().ok()?;
        let salt: [u8; 16] = STANDARD.decode(next()?).ok()?.try_into().ok()?;
        let mut both = STANDARD.decode(next()?).ok()?;
        let given = STANDARD.decode(next()?).ok()?;
        let check = key.mac(&[b"check", name.as_bytes(), &salt, &both]);
        if !bool::from(given.ct_eq(&check[..16])) {
            return None;
        }
        let mut verifier = Self {
            salt,
            iterations,
            stored_key: [0; 32],
            server_key: [0; 32],
        };
        verifier.cross(key, name, &mut both);
        verifier.stored_key = both.get(..32)?.try_into().ok()?;
        verifier.server_key = both.get(32..)?.try_into().ok()?;
        Some(verifier)
    }

    /// Seals and unseals: a pad that is used once, as the salt is random.
    fn cross(&self, key: &Key, name: &str, both: &mut [u8]) {
        let pad = |part: &[u8]| key.mac(&[b"pad", part, name.as_bytes(), &self.salt]);
        let pad = [pad(b"1"), pad(b"2")].concat();
        for (byte, pad) in both.iter_mut().zip(pad) {
            *byte ^= pad;
        }
    }
}

/// PBKDF2-HMAC-SHA-256 of one block.
fn salted(password: &[u8], salt: &[u8], iterations: u32) -> [u8; 32] {
    let mut last = mac(password, &[salt, &1_u32.to_be_bytes()]);
    let mut sum = last;
    for _ in 1..iterations {
        last = mac(password, &[&last]);
        for (sum, last) in sum.iter_mut().zip(last) {
            *sum ^= last;
        }
    }
    sum
}

/// An exchange after the server's first message.
#[derive(Debug)]
pub struct Exchange {
    verifier: Verifier,
    nonce: String,
    /// What the client's last message must say of the channel.
    binding: String,
    /// `client-first-message-bare,server-first-message`.
    said: String,
}

impl Exchange {
    /// Answers the client's first message. `certificate` is the hash of the server's certificate
    /// (`tls-server-end-point`, RFC 5929), where the channel has one and the server offered
    /// [`MECHANISM_PLUS`].
    ///
    /// # Errors
    /// The message is malformed, or says something else of the channel than is so.
    pub(super) fn begin(
        verifier: Verifier,
        mechanism: &str,
        certificate: Option<&[u8]>,
        client_first: &[u8],
        server_nonce: &Secret,
    ) -> Result<(String, Self), ScramError> {
        let text = std::str::from_utf8(client_first).map_err(|_| ScramError::Malformed)?;
        let (flag, rest) = text.split_once(',').ok_or(ScramError::Malformed)?;
        let (authzid, bare) = rest.split_once(',').ok_or(ScramError::Malformed)?;
        if !authzid.is_empty() {
            return Err(ScramError::Malformed);
        }
        let mut bound = format!("{flag},,").into_bytes();
        match (mechanism, flag, certificate) {
            (MECHANISM_PLUS, "p=tls-server-end-point", Some(hash)) => bound.extend_from_slice(hash),
            (MECHANISM, "n", _) | (MECHANISM, "y", None) => {}
            // `y`: the client could bind and thinks that the server cannot. Somebody between them
            // has taken the offer away.
            _ => return Err(ScramError::Binding),
        }
        let mut attributes = bare.split(',');
        let user = attributes.next().and_then(|part| part.strip_prefix("n="));
        let nonce = attributes.next().and_then(|part| part.strip_prefix("r="));
        let (Some(_), Some(nonce)) = (user, nonce) else {
            return Err(ScramError::Malformed);
        };
        let is_printable = |byte: u8| (0x21..=0x7e).contains(&byte);
        if nonce.is_empty() || nonce.len() > 1024 || !nonce.bytes().all(is_printable) {
            return Err(ScramError::Malformed);
        }
        let nonce = format!("{nonce}{}", server_nonce.expose());
        let salt = STANDARD.encode(verifier.salt);
        let first = format!("r={nonce},s={salt},i={}", verifier.iterations);
        let exchange = Self {
            verifier,
            nonce,
            binding: STANDARD.encode(bound),
            said: format!("{bare},{first}"),
        };
        Ok((first, exchange))
    }

    /// Checks the client's last message; gives the server's.
    ///
    /// # Errors
    /// The message is malformed, of another exchange or channel, or its proof is wrong.
    pub(super) fn end(&self, client_final: &[u8]) -> Result<String, ScramError> {
        let text = std::str::from_utf8(client_final).map_err(|_| ScramError::Malformed)?;
        let (without_proof, proof) = text.rsplit_once(",p=").ok_or(ScramError::Malformed)?;
        let proof = STANDARD.decode(proof).map_err(|_| ScramError::Malformed)?;
        let proof: [u8; 32] = proof.try_into().map_err(|_| ScramError::Malformed)?;
        let mut attributes = without_proof.split(',');
        let binding = attributes.next().and_then(|part| part.strip_prefix("c="));
        let nonce = attributes.next().and_then(|part| part.strip_prefix("r="));
        let (Some(binding), Some(nonce)) = (binding, nonce) else {
            return Err(ScramError::Malformed);
        };
        if binding != self.binding {
            return Err(ScramError::Binding);
        }
        if nonce != self.nonce {
            return Err(ScramError::Malformed);
        }
        let said = format!("{},{without_proof}", self.said);
        let signature = mac(&self.verifier.stored_key, &[said.as_bytes()]);
        let mut client_key = proof;
        for (byte, signature) in client_key.iter_mut().zip(signature) {
            *byte ^= signature;
        }
        let stored_key: [u8; 32] = Sha256::digest(client_key).into();
        if !bool::from(stored_key.ct_eq(&self.verifier.stored_key)) {
            return Err(ScramError::Proof);
        }
        let answer = mac(&self.verifier.server_key, &[said.as_bytes()]);
        Ok(format!("v={}", STANDARD.encode(answer)))
    }
}

/// A client's side, for tests.
#[cfg(test)]
pub(crate) fn client_final(password: &str, bare: &str, first: &str, header: &[u8]) -> String {
    let field = |name: &str| {
        let mut parts = first.split(',');
        parts
            .find_map(|part| part.strip_prefix(name))
            .expect("a field")
            .to_owned()
    };
    let salt = STANDARD.decode(field("s=")).expect("base64");
    let iterations = field("i=").parse().expect("a number");
    let password = normal(&Secret::new(password));
    let salted = salted(password.expose().as_bytes(), &salt, iterations);
    let client_key = mac(&salted, &[b"Client Key"]);
    let without_proof = format!("c={},r={}", STANDARD.encode(header), field("r="));
    let said = format!("{bare},{first},{without_proof}");
    let stored_key = Sha256::digest(client_key);
    let signature = mac(&stored_key, &[said.as_bytes()]);
    let proof: Vec<u8> = client_key
        .iter()
        .zip(signature)
        .map(|(a, b)| a ^ b)
        .collect();
    format!("{without_proof},p={}", STANDARD.encode(proof))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The exchange of RFC 7677, section 3.
    #[test]
    fn the_exchange_of_the_standard() {
        let salt = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").expect("base64");
        let salt: [u8; 16] = salt.try_into().expect("sixteen bytes");
        let verifier = Verifier::with(&Secret::new("pencil"), salt, 4096);
        let nonce = Secret::new("%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0");
        let first = b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
        let begun = Exchange::begin(verifier, MECHANISM, None, first, &nonce);
        let (said, exchange) = begun.expect("begun");
        assert_eq!(
            said,
            "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
             s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
        );
        let last = b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                     p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
        let answer = exchange.end(last).expect("the proof fits");
        assert_eq!(answer, "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
    }

    fn begun(
        mechanism: &str,
        certificate: Option<&[u8]>,
        first: &str,
    ) -> Result<(String, Exchange), ScramError> {
        let verifier = Verifier::with(&Secret::new("pencil case"), [3; 16], 4096);
        let nonce = Secret::new("server");
        Exchange::begin(verifier, mechanism, certificate, first.as_bytes(), &nonce)
    }

    #[test]
    fn a_channel_is_bound_to_its_certificate() {
        let first = "p=tls-server-end-point,,n=,r=abc";
        let (said, exchange) = begun(MECHANISM_PLUS, Some(b"hash"), first).expect("begun");
        let header = b"p=tls-server-end-point,,hash";
        let last = client_final("pencil case", "n=,r=abc", &said, header);
        assert!(exchange.end(last.as_bytes()).is_ok());
        // Somebody in between has another certificate.
        let header = b"p=tls-server-end-point,,other";
        let last = client_final("pencil case", "n=,r=abc", &said, header);
        assert_eq!(exchange.end(last.as_bytes()), Err(ScramError::Binding));
    }

    #[test]
    fn a_downgrade_is_refused() {
        let refused = [
            (MECHANISM, Some(&b"hash"[..]), "y,,n=,r=abc"),
            (MECHANISM, Some(b"hash"), "p=tls-server-end-point,,n=,r=abc"),
            (MECHANISM, None, "p=tls-server-end-point,,n=,r=abc"),
            (MECHANISM_PLUS, None, "p=tls-server-end-point,,n=,r=abc"),
            (MECHANISM_PLUS, Some(b"hash"), "n,,n=,r=abc"),
            (MECHANISM_PLUS, Some(b"hash"), "p=tls-unique,,n=,r=abc"),
            ("MD5", None, "n,,n=,r=abc"),
        ];
        for (mechanism, certificate, first) in refused {
            let answer = begun(mechanism, certificate, first).err();
            assert_eq!(answer, Some(ScramError::Binding), "{mechanism} {first}");
        }
        assert!(begun(MECHANISM, None, "y,,n=,r=abc").is_ok());
        assert!(begun(MECHANISM, Some(b"hash"), "n,,n=,r=abc").is_ok());
    }

    #[test]
    fn malformed_messages_are_refused() {
        let first = [
            "",
            "n",
            "n,",
            "n,,",
            "n,,n=",
            "n,,n=,r=",
            "n,,r=abc",
            "n,a=admin,n=,r=abc",
            "n,,m=x,n=,r=abc",
            "n,,n=,r=a\u{7f}b",
            "n,,n=,r=é",
        ];
        for first in first {
            let answer = begun(MECHANISM, None, first).err();
            assert_eq!(answer, Some(ScramError::Malformed), "{first}");
        }
        let (said, exchange) = begun(MECHANISM, None, "n,,n=,r=abc").expect("begun");
        let good = client_final("pencil case", "n=,r=abc", &said, b"n,,");
        assert!(exchange.end(good.as_bytes()).is_ok());
        let wrong = client_final("pencil cases", "n=,r=abc", &said, b"n,,");
        assert_eq!(exchange.end(wrong.as_bytes()), Err(ScramError::Proof));
        // The nonce of another exchange.
        let (other, _) = begun(MECHANISM, None, "n,,n=,r=abd").expect("begun");
        let reused = client_final("pencil case", "n=,r=abd", &other, b"n,,");
        assert_eq!(exchange.end(reused.as_bytes()), Err(ScramError::Malformed));
        for last in [
            "",
            "p=",
            "c=biws,r=abcserver",
            "c=biws,r=abcserver,p=AAAA",
            "\u{0}",
        ] {
            assert!(exchange.end(last.as_bytes()).is_err(), "{last}");
        }
    }

    #[test]
    fn what_is_kept_is_sealed() {
        let key = Key::derive(b"0123456789abcdef", "scram");
        let verifier = Verifier::make(&Secret::new("pencil case")).expect("made");
        let kept = verifier.seal(&key, "ana");
        assert_eq!(Verifier::open(&key, "ana", &kept), Some(verifier.clone()));
        assert_eq!(Verifier::open(&key, "bob", &kept), None, "another's");
        let other = Key::derive(b"fedcba9876543210", "scram");
        assert_eq!(Verifier::open(&other, "ana", &kept), None, "another key");
        assert!(!kept.contains(&STANDARD.encode(verifier.stored_key)));
        assert_eq!(Verifier::open(&key, "ana", ""), None);
        assert_eq!(format!("{verifier:?}"), "Verifier(…)");
    }

    #[test]
    fn who_is_not_there_has_a_salt_that_stays() {
        let key = Key::derive(b"0123456789abcdef", "fake");
        let one = Verifier::fake(&key, "nobody");
        assert_eq!(one, Verifier::fake(&key, "nobody"));
        assert_ne!(one.salt, Verifier::fake(&key, "nobody2").salt);
        assert_eq!(one.iterations, ITERATIONS, "as a real one");
    }
}
