//! The parts of an address as they stand in it: host, path, query parameters.
//!
//! Lenient, because addresses in event data are what browsers and apps sent, not what a standard
//! says: a strange address gives what can be found in it and never an error.

use std::borrow::Cow;

/// Host in lower case, without port, user, final dot. None where the text holds no host: an
/// address without a scheme counts as one only if its host has a dot.
pub fn host(url: &str) -> Option<Cow<'_, str>> {
    let url = url.trim();
    let (rest, has_scheme) = after_scheme(url);
    let authority = &rest[..rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len())];
    let authority = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    let host = match authority.strip_prefix('[') {
        Some(address) => address.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    let host = host.trim_end_matches('.');
    let is_host = !host.is_empty()
        && (has_scheme || host.contains('.'))
        && host
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':'));
    is_host.then(|| lower(host))
}

/// Path from its first `/`; `/` where an address has a host and nothing after it; None where the
/// text holds no host.
pub fn path(url: &str) -> Option<&str> {
    let url = url.trim();
    let (rest, has_scheme) = after_scheme(url);
    if !has_scheme && rest.starts_with('/') {
        return Some(&rest[..rest.find(['?', '#']).unwrap_or(rest.len())]);
    }
    host(url)?;
    let end = rest.find(['?', '#']).unwrap_or(rest.len());
    let rest = &rest[..end];
    Some(rest.find('/').map_or("/", |start| &rest[start..]))
}

/// The names and values of the query, as they stand in it. `&amp;` counts as `&`.
pub fn params(url: &str) -> impl Iterator<Item = (&str, &str)> {
    let query = url.split_once('?').map_or("", |(_, rest)| rest);
    let query = query.split_once('#').map_or(query, |(query, _)| query);
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (name.strip_prefix("amp;").unwrap_or(name), value)
        })
}

/// The decoded value of the first parameter of that name, in any case. None where there is none.
pub fn param<'a>(url: &'a str, name: &str) -> Option<Cow<'a, str>> {
    params(url)
        .find(|(found, _)| is_name(found, name))
        .map(|(_, value)| decode(value))
}

/// The parameter's name is this one, in any case, percent-encoded or not.
pub(super) fn is_name(found: &str, name: &str) -> bool {
    found.eq_ignore_ascii_case(name)
        || (found.contains(['%', '+']) && decode(found).eq_ignore_ascii_case(name))
}

/// `+` to space, `%41` to `A`; a `%` that begins no valid pair stays as it is, bytes that are no
/// UTF-8 become the replacement character.
pub fn decode(text: &str) -> Cow<'_, str> {
    if !text.contains(['%', '+']) {
        return Cow::Borrowed(text);
    }
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let pair = || {
            let high = char::from(*bytes.get(at + 1)?).to_digit(16)?;
            let low = char::from(*bytes.get(at + 2)?).to_digit(16)?;
            u8::try_from(high * 16 + low).ok()
        };
        match byte {
            b'+' => decoded.push(b' '),
            b'%' => match pair() {
                Some(value) => {
                    decoded.push(value);
                    at += 2;
                }
                None => decoded.push(b'%'),
            },
            other => decoded.push(other),
        }
        at += 1;
    }
    Cow::Owned(match String::from_utf8(decoded) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    })
}

/// The host as people write it: without `www.`, punycode as the letters it stands for.
pub fn display_host(host: Cow<'_, str>) -> Cow<'_, str> {
    let host = match host {
        Cow::Borrowed(host) => Cow::Borrowed(without_www(host)),
        Cow::Owned(host) => match host.strip_prefix("www.").filter(|rest| rest.contains('.')) {
            Some(rest) => Cow::Owned(rest.to_owned()),
            None => Cow::Owned(host),
        },
    };
    if host.contains("xn--") {
        let (unicode, result) = idna::domain_to_unicode(&host);
        if result.is_ok() {
            return Cow::Owned(unicode);
        }
    }
    host
}

/// The host without a leading `www.`.
pub fn without_www(host: &str) -> &str {
    host.strip_prefix("www.")
        .filter(|rest| rest.contains('.'))
        .unwrap_or(host)
}

/// The host is this domain or lies below it. Both in lower case.
pub fn is_domain_or_below(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// In lower case, without a copy where it is.
pub(super) fn lower(text: &str) -> Cow<'_, str> {
    if text.chars().any(char::is_uppercase) {
        Cow::Owned(text.to_lowercase())
    } else {
        Cow::Borrowed(text)
    }
}

/// What follows `scheme://` or `//`, and whether there was one.
fn after_scheme(url: &str) -> (&str, bool) {
    if let Some(rest) = url.strip_prefix("//") {
        return (rest, true);
    }
    match url.split_once("://") {
        Some((scheme, rest))
            if !scheme.is_empty()
                && scheme
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.')) =>
        {
            (rest, true)
        }
        _ => (url, false),
    }
}
