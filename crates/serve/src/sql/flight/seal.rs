//! Tickets and handles: what they look like, and that nobody can make one or use another's.
//!
//! A handle names something that is kept here ([`super::kept`]); a ticket of a description holds
//! the command itself. Both end in an HMAC under a key that lives as long as the process, over the
//! principal they were given to, so that another's does not fit.

use bytes::{BufMut as _, Bytes, BytesMut};
use subtle::ConstantTimeEq as _;

use crate::access::who::{Key, Secret, WhoError};
use crate::access::{PrincipalId, PrincipalKind};

/// Bytes of an HMAC.
const MAC: usize = 32;
/// Bytes before the content: what it is, and until when it holds.
const HEAD: usize = 9;
/// Letters of the key: 256 random bits.
const LETTERS: usize = 43;

/// Bytes that name what is kept.
pub(super) type Id = [u8; 16];

/// What a sealed text is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The rows of a statement.
    Rows,
    /// A prepared statement.
    Prepared,
    /// A description of tables, types or the server.
    Description,
}

impl Purpose {
    fn byte(self) -> u8 {
        match self {
            Self::Rows => 1,
            Self::Prepared => 2,
            Self::Description => 3,
        }
    }

    /// What a text claims to be for.
    pub(super) fn of(sealed: &[u8]) -> Option<Self> {
        let all = [Self::Rows, Self::Prepared, Self::Description];
        let first = sealed.first()?;
        all.into_iter().find(|one| one.byte() == *first)
    }
}

/// Makes and opens them.
#[derive(Debug)]
pub(super) struct Seal(Key);

impl Seal {
    /// With a new key.
    ///
    /// # Errors
    /// The machine gives no random numbers.
    pub(super) fn new() -> Result<Self, WhoError> {
        let secret = Secret::random(LETTERS)?;
        let key = Key::derive(secret.expose().as_bytes(), "flight-ticket");
        Ok(Self(key))
    }

    /// Seals a content for a principal, until a time in microseconds. `snapshot` is the state of
    /// the tables that it is about; it is not in the text, and has to be known to open it.
    pub(super) fn close(
        &self,
        purpose: Purpose,
        until: i64,
        content: &[u8],
        owner: &PrincipalId,
        snapshot: &str,
    ) -> Bytes {
        let mut text = BytesMut::with_capacity(HEAD + content.len() + MAC);
        text.put_u8(purpose.byte());
        text.put_i64(until);
        text.put_slice(content);
        let mac = self.mac(&text, owner, snapshot);
        text.put_slice(&mac);
        text.freeze()
    }

    /// The content of a sealed text, if it is this principal's and its time is not over.
    pub(super) fn open<'a>(
        &self,
        purpose: Purpose,
        sealed: &'a [u8],
        now: i64,
        owner: &PrincipalId,
        snapshot: &str,
    ) -> Option<&'a [u8]> {
        let (text, mac) = sealed.split_at_checked(sealed.len().checked_sub(MAC)?)?;
        let fits = bool::from(self.mac(text, owner, snapshot).ct_eq(mac));
        let (head, content) = text.split_at_checked(HEAD)?;
        let (first, until) = head.split_first()?;
        let until = i64::from_be_bytes(until.try_into().ok()?);
        (fits && *first == purpose.byte() && now < until).then_some(content)
    }

    fn mac(&self, text: &[u8], owner: &PrincipalId, snapshot: &str) -> [u8; MAC] {
        let kind: &[u8] = match owner.kind {
            PrincipalKind::User => b"user",
            PrincipalKind::Service => b"service",
        };
        self.0
            .mac(&[text, kind, owner.name.as_bytes(), snapshot.as_bytes()])
    }
}

/// What a sealed text names, before it is known whether it fits.
pub(super) fn id(sealed: &[u8]) -> Option<Id> {
    let end = sealed.len().checked_sub(MAC)?;
    sealed.get(HEAD..end)?.try_into().ok()
}

/// A new name, which nobody can guess.
pub(super) fn new_id() -> Result<Id, WhoError> {
    let random = Secret::random(LETTERS)?.sha256();
    let mut id = Id::default();
    for (byte, random) in id.iter_mut().zip(random) {
        *byte = random;
    }
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ana() -> PrincipalId {
        PrincipalId {
            kind: PrincipalKind::User,
            name: "ana".to_owned(),
        }
    }

    #[test]
    fn a_sealed_text_fits_its_owner_purpose_snapshot_and_time_alone() {
        let seal = Seal::new().expect("a key");
        let id = new_id().expect("a name");
        let sealed = seal.close(Purpose::Rows, 100, &id, &ana(), "day");
        let open = |purpose, now, owner: &PrincipalId, snapshot| {
            seal.open(purpose, &sealed, now, owner, snapshot)
        };
        assert_eq!(open(Purpose::Rows, 99, &ana(), "day"), Some(&id[..]));
        assert_eq!(super::id(&sealed), Some(id));
        assert_eq!(open(Purpose::Rows, 100, &ana(), "day"), None);
        assert_eq!(open(Purpose::Prepared, 99, &ana(), "day"), None);
        assert_eq!(open(Purpose::Rows, 99, &ana(), ""), None);
        let bot = PrincipalId {
            kind: PrincipalKind::Service,
            ..ana()
        };
        assert_eq!(open(Purpose::Rows, 99, &bot, "day"), None);
        let other = Seal::new().expect("a key");
        assert_eq!(other.open(Purpose::Rows, &sealed, 99, &ana(), "day"), None);
    }

    #[test]
    fn every_changed_bit_and_every_shorter_text_is_refused() {
        let seal = Seal::new().expect("a key");
        let sealed = seal.close(Purpose::Rows, 100, b"0123456789abcdef", &ana(), "");
        let opens = |text: &[u8]| seal.open(Purpose::Rows, text, 1, &ana(), "").is_some();
        assert!(opens(&sealed));
        for bit in 0..sealed.len() * 8 {
            let mut changed = sealed.to_vec();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(!opens(&changed), "bit {bit}");
        }
        for length in 0..sealed.len() {
            assert!(!opens(&sealed[..length]), "{length} bytes");
            let _ = (id(&sealed[..length]), Purpose::of(&sealed[..length]));
        }
    }
}
