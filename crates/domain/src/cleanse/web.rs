//! Addresses on the web, and campaign values out of them.

use super::spaces::trimmed;
use super::{Outcome, Step, changed};

/// An address in its parts; path and query as they stand.
struct Address<'a> {
    scheme: String,
    /// `user:password@`, or nothing.
    user: &'a str,
    host: String,
    /// `:8080`, or nothing.
    port: &'a str,
    /// From the path on, without the fragment.
    rest: &'a str,
    fragment: Option<&'a str>,
}

impl<'a> Address<'a> {
    fn of(text: &'a str) -> Option<Self> {
        let (scheme, after) = text.split_once("://")?;
        let is_scheme = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
        if scheme.is_empty() || !scheme.chars().all(is_scheme) {
            return None;
        }
        let end = after.find(['/', '?', '#']).unwrap_or(after.len());
        let (authority, rest) = after.split_at(end);
        let at = authority.rfind('@').map_or(0, |at| at + 1);
        let (user, place) = authority.split_at(at);
        let colon = match place.rfind(':') {
            Some(colon) if place[colon + 1..].bytes().all(|byte| byte.is_ascii_digit()) => colon,
            _ => place.len(),
        };
        let (host, port) = place.split_at(colon);
        let host = host.to_lowercase();
        if host.is_empty() || host.contains(char::is_whitespace) {
            return None;
        }
        let (rest, fragment) = match rest.split_once('#') {
            Some((rest, fragment)) => (rest, Some(fragment)),
            None => (rest, None),
        };
        Some(Self {
            scheme: scheme.to_lowercase(),
            user,
            host: host.trim_end_matches('.').to_owned(),
            port,
            rest,
            fragment,
        })
    }
}

/// Tracking parameters stay: campaigns and clicks are read from them. A fragment that is a route
/// or has parameters stays too; an anchor goes.
pub(super) fn url(value: &str, _: &Step) -> Outcome {
    let text = trimmed(value);
    let Some(address) = Address::of(text) else {
        return match text.is_empty() || text.starts_with('/') {
            true => changed(value, text),
            false => Outcome::Flagged,
        };
    };
    let port = match (address.scheme.as_str(), address.port) {
        ("http", ":80") | ("https", ":443") | (_, ":") => "",
        (_, port) => port,
    };
    let kept = address
        .fragment
        .filter(|fragment| fragment.starts_with(['/', '!']) || fragment.contains('='));
    let (hash, fragment) = kept.map_or(("", ""), |fragment| ("#", fragment));
    let Address {
        scheme,
        user,
        host,
        rest,
        ..
    } = address;
    changed(
        value,
        format!("{scheme}://{user}{host}{port}{rest}{hash}{fragment}"),
    )
}

/// The host of an address, or of what looks like one without its scheme.
pub(super) fn host(value: &str, _: &Step) -> Outcome {
    let text = trimmed(value);
    let found = match Address::of(text) {
        Some(address) => Some(address.host),
        None => Address::of(&format!("http://{}", text.trim_start_matches("//")))
            .filter(|address| address.user.is_empty())
            .map(|address| address.host),
    };
    let found = found.filter(|host| host.contains('.'));
    match found {
        None if text.is_empty() => Outcome::Same,
        None => Outcome::Flagged,
        Some(host) => {
            let bare = host.strip_prefix("www.").unwrap_or(&host);
            changed(value, bare)
        }
    }
}

/// How often a value may have been encoded.
const DEPTH_MAX: usize = 3;

/// Case stays as it came. A place-holder that the platform did not fill in is flagged.
pub(super) fn utm(value: &str, _: &Step) -> Outcome {
    let mut text = trimmed(value).to_owned();
    for depth in 0..DEPTH_MAX {
        // A plus that comes out of `%2B` is one.
        match decoded(&text, depth == 0) {
            Some(decoded) if decoded != text => text = decoded,
            _ => break,
        }
    }
    let text = trimmed(&text);
    let is_unfilled = (text.starts_with("{{") && text.ends_with("}}"))
        || (text.starts_with('{') && text.ends_with('}'))
        || (text.starts_with("__") && text.ends_with("__") && text.len() > 4);
    match is_unfilled && text == value {
        true => Outcome::Flagged,
        false => changed(value, text),
    }
}

/// Percent signs, and pluses if asked for, decoded once. None: what is decoded is no text.
fn decoded(text: &str, with_pluses: bool) -> Option<String> {
    if !text.contains(['%', '+']) {
        return None;
    }
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let digits = bytes
            .get(at + 1..at + 3)
            .and_then(|pair| std::str::from_utf8(pair).ok())
            .filter(|pair| pair.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .and_then(|pair| u8::from_str_radix(pair, 16).ok());
        match (byte, digits) {
            (b'%', Some(decoded)) => {
                out.push(decoded);
                at += 2;
            }
            (b'+', _) if with_pluses => out.push(b' '),
            (byte, _) => out.push(*byte),
        }
        at += 1;
    }
    String::from_utf8(out).ok()
}
