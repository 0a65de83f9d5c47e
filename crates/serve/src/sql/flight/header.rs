//! What stands in the headers of a call.

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use tonic::Status;
use tonic::codegen::http::HeaderMap;

use super::error;
use crate::access::who::Secret;

/// The state of the tables that a call asks for: a time, a day, or the name of a run.
pub const AS_OF: &str = "x-throughline-as-of";
/// Where clients of the older handshake of Flight send their bearer.
const OLD_BEARER: &str = "auth-token-bin";
/// Where all others do.
const AUTHORIZATION: &str = "authorization";
/// Longest header that is looked at, in bytes.
const LONGEST: usize = 4_096;
/// Longest text of a state, in bytes.
const AS_OF_LONGEST: usize = 256;

/// Base64 with or without its padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The bearer, or the service token, that a call comes with.
pub(super) fn bearer(headers: &HeaderMap) -> Option<Secret> {
    if let Some(text) = credentials(headers, "bearer") {
        return Some(Secret::new(text));
    }
    let old = headers.get(OLD_BEARER)?.as_bytes();
    let old = BASE64.decode(old.get(..old.len().min(LONGEST))?).ok()?;
    String::from_utf8(old).ok().map(Secret::new)
}

/// The name and the password that a handshake comes with.
pub(super) fn name_and_password(headers: &HeaderMap) -> Option<(String, Secret)> {
    let text = BASE64.decode(credentials(headers, "basic")?).ok()?;
    let text = String::from_utf8(text).ok()?;
    let (name, password) = text.split_once(':')?;
    Some((name.to_owned(), Secret::new(password)))
}

fn credentials<'a>(headers: &'a HeaderMap, scheme: &str) -> Option<&'a str> {
    let text = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (said, rest) = text.split_once(' ')?;
    let fits = text.len() <= LONGEST && said.eq_ignore_ascii_case(scheme);
    fits.then(|| rest.trim())
}

/// The state of the tables that it asks for.
///
/// # Errors
/// It cannot be read.
pub(super) fn as_of(headers: &HeaderMap) -> Result<Option<String>, Status> {
    let Some(value) = headers.get(AS_OF) else {
        return Ok(None);
    };
    let text = value.to_str().ok().map(str::trim);
    match text.filter(|text| text.len() <= AS_OF_LONGEST) {
        Some("") => Ok(None),
        Some(text) => Ok(Some(text.to_owned())),
        None => Err(error::malformed("the header x-throughline-as-of")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &'static str, value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().expect("a header"));
        headers
    }

    #[test]
    fn credentials_are_read_from_their_header_alone() {
        let bearer = |headers: &HeaderMap| bearer(headers).map(|text| text.expose().to_owned());
        assert_eq!(
            bearer(&with(AUTHORIZATION, "Bearer abc")),
            Some("abc".into())
        );
        assert_eq!(
            bearer(&with(AUTHORIZATION, "bearer  abc ")),
            Some("abc".into())
        );
        assert_eq!(bearer(&with(AUTHORIZATION, "Basic abc")), None);
        assert_eq!(bearer(&with(AUTHORIZATION, "abc")), None);
        assert_eq!(bearer(&with(OLD_BEARER, "YWJj")), Some("abc".into()));
        assert_eq!(bearer(&with(OLD_BEARER, "!")), None);
        let long = format!("Bearer {}", "a".repeat(LONGEST));
        assert_eq!(bearer(&with(AUTHORIZATION, &long)), None);
        let basic = |text: &str| {
            let found = name_and_password(&with(AUTHORIZATION, text));
            found.map(|(name, password)| format!("{name}|{}", password.expose()))
        };
        // `ana:a:b`, with and without its padding.
        assert_eq!(basic("Basic YW5hOmE6Yg=="), Some("ana|a:b".into()));
        assert_eq!(basic("basic YW5hOmE6Yg"), Some("ana|a:b".into()));
        for wrong in ["Basic", "Basic YW5h", "Basic //8=", "Bearer YW5hOmE6Yg=="] {
            assert_eq!(basic(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_state_is_a_short_text() {
        let read = |text: &str| as_of(&with(AS_OF, text)).ok();
        assert_eq!(read(" 2026-06-30 "), Some(Some("2026-06-30".to_owned())));
        assert_eq!(read(""), Some(None));
        assert_eq!(read(&"9".repeat(257)), None);
        assert!(as_of(&HeaderMap::new()).expect("none").is_none());
    }
}
