//! One record: whether it is valid JSON, and what one path in it says, in one pass without a tree.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::files::decode::effective::Effective;

/// Names (or positions in a list) on the way to a value.
#[derive(Debug, Default)]
pub(in crate::files::decode) struct Path(Vec<String>);

impl Path {
    /// A dotted path.
    pub(in crate::files::decode) fn new(dotted: &str) -> Self {
        Self(
            dotted
                .trim_start_matches("$.")
                .split('.')
                .map(str::to_owned)
                .collect(),
        )
    }

    /// There is nothing to look for.
    pub(in crate::files::decode) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What a record says at the path.
#[derive(Debug, PartialEq, Eq, Default)]
pub(in crate::files::decode) struct Seen {
    /// The instant; none if nothing, or nothing readable, is there.
    pub(in crate::files::decode) at_us: Option<i64>,
    /// Something is there that is no instant.
    pub(in crate::files::decode) is_unread: bool,
}

/// Checks a record, and reads the instant at the path.
///
/// # Errors
/// The text is not exactly one JSON value.
pub(in crate::files::decode) fn inspect(
    text: &str,
    path: &Path,
    effective: &Effective,
) -> Result<Seen, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let found = if path.is_empty() {
        serde::Deserialize::deserialize(&mut deserializer).map(|IgnoredAny| None)?
    } else {
        At(&path.0).deserialize(&mut deserializer)?
    };
    deserializer.end()?;
    let Some(value) = found else {
        return Ok(Seen::default());
    };
    Ok(match effective.read(&value) {
        Ok(at_us) => Seen {
            at_us,
            is_unread: false,
        },
        Err(_) => Seen {
            at_us: None,
            is_unread: true,
        },
    })
}

/// Whether a text is exactly one JSON value.
pub(super) fn is_valid(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// Reads the scalar at the rest of a path, as text.
#[derive(Clone, Copy)]
struct At<'p>(&'p [String]);

impl<'de> DeserializeSeed<'de> for At<'_> {
    type Value = Option<Cow<'de, str>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl At<'_> {
    /// The text of a scalar, if the path ends at it.
    fn scalar<'de>(self, text: impl Into<Cow<'de, str>>) -> Option<Cow<'de, str>> {
        self.0.is_empty().then(|| text.into())
    }
}

impl<'de> Visitor<'de> for At<'_> {
    type Value = Option<Cow<'de, str>>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(self.scalar(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(self.0.is_empty().then(|| Cow::Owned(text.to_owned())))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(self.0.is_empty().then(|| Cow::Owned(number.to_string())))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(self.0.is_empty().then(|| Cow::Owned(number.to_string())))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(self.0.is_empty().then(|| Cow::Owned(number.to_string())))
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Self::Value, E> {
        Ok(self.scalar(if flag { "true" } else { "false" }))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(is_next) = map.next_key_seed(IsNext(self.0.first()))? {
            if is_next {
                found = map.next_value_seed(At(self.0.get(1..).unwrap_or_default()))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let wanted = self.0.first().and_then(|name| name.parse::<usize>().ok());
        let mut found = None;
        let mut index = 0;
        loop {
            if wanted == Some(index) {
                match list.next_element_seed(At(self.0.get(1..).unwrap_or_default()))? {
                    Some(value) => found = value,
                    None => return Ok(found),
                }
            } else if list.next_element::<IgnoredAny>()?.is_none() {
                return Ok(found);
            }
            index += 1;
        }
    }
}

/// Whether a name is the next one of the path, in whatever case: unloads of Snowflake write names
/// in capitals.
struct IsNext<'p>(Option<&'p String>);

impl<'de> DeserializeSeed<'de> for IsNext<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for IsNext<'_> {
    type Value = bool;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<bool, E> {
        Ok(self.0.is_some_and(|next| next.eq_ignore_ascii_case(name)))
    }
}
