//! The settings that a client may send.
//!
//! A few mean something here; those that clients of PostgreSQL send as they connect are remembered
//! and given back. Everything else is refused: the engine's own settings (memory, folders, what its
//! optimizer does) are not a client's.

use std::collections::BTreeMap;
use std::str::FromStr as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arrow_array::timezone::Tz;
use datafusion::prelude::SessionContext;

use super::Session;
use super::catalog::CATALOG;
use super::statement::DESCRIBING;
use crate::access::error::{AccessError, Reason, Result};

/// Settings that are only remembered, with what they are at first.
const REMEMBERED: [(&str, &str); 14] = [
    ("application_name", ""),
    ("bytea_output", "hex"),
    ("client_encoding", "UTF8"),
    ("client_min_messages", "notice"),
    ("datestyle", "ISO, MDY"),
    ("default_transaction_isolation", "read committed"),
    ("default_transaction_read_only", "on"),
    ("extra_float_digits", "1"),
    ("geqo", "off"),
    ("intervalstyle", "postgres"),
    ("lock_timeout", "0"),
    ("idle_in_transaction_session_timeout", "0"),
    ("standard_conforming_strings", "on"),
    ("transaction_isolation", "read committed"),
];

/// What a session's client has set.
#[derive(Debug, Default)]
pub(super) struct Settings {
    remembered: Mutex<BTreeMap<String, String>>,
}

impl Settings {
    fn all(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The time that the client gives its queries.
    pub(super) fn time(&self) -> Option<Duration> {
        let text = self.all().get("statement_timeout").cloned()?;
        duration(&text).filter(|time| !time.is_zero())
    }
}

impl Session {
    /// Sets a setting as a client asks for it: `search_path` (a schema that its principal sees; of
    /// several the first), `timezone`, `statement_timeout` (never above the gate's own limit), and
    /// those that are only remembered.
    ///
    /// # Errors
    /// There is no such setting, it may not be set, or not to this.
    pub fn set(&self, name: &str, value: &str) -> Result<()> {
        let name = name.to_lowercase();
        let value = value.trim().trim_matches(['\'', '"']);
        match name.as_str() {
            "search_path" => self.set_schema(value)?,
            "timezone" | "time zone" => self.set_zone(value)?,
            "statement_timeout" if duration(value).is_none() => {
                return Err(not_this(
                    &name,
                    "a number of milliseconds, or a time such as 30s",
                ));
            }
            "statement_timeout" => {}
            other if REMEMBERED.iter().any(|(known, _)| *known == other) => {}
            _ => {
                let message = format!("the setting `{name}` may not be set");
                return Err(AccessError::new(Reason::Setting, message)
                    .hint("search_path, timezone and statement_timeout may be"));
            }
        }
        let name = name.replace("time zone", "timezone");
        self.settings.all().insert(name, value.to_owned());
        Ok(())
    }

    /// What a setting is, as a client asks for it.
    pub fn setting(&self, name: &str) -> Option<String> {
        let name = name.to_lowercase().replace("time zone", "timezone");
        if let Some(value) = self.settings.all().get(&name) {
            return Some(value.clone());
        }
        match name.as_str() {
            "search_path" => Some(schema_of(&self.context)),
            "timezone" => Some("UTC".to_owned()),
            "statement_timeout" => Some(self.shared.limits.time.as_millis().to_string()),
            other => {
                let mut known = REMEMBERED.iter();
                let found = known.find(|(name, _)| *name == other);
                found.map(|(_, value)| (*value).to_owned())
            }
        }
    }

    fn set_schema(&self, path: &str) -> Result<()> {
        let asked = path
            .split(',')
            .map(|part| part.trim().trim_matches(['\'', '"']).to_lowercase());
        let catalog = self.context.catalog(CATALOG);
        let seen = catalog
            .map(|catalog| catalog.schema_names())
            .unwrap_or_default();
        let known = |name: &String| seen.contains(name) || DESCRIBING.contains(&name.as_str());
        // `"$user", public` is what clients send who mean nothing by it.
        let mut named = asked.filter(|name| !["$user", "public", ""].contains(&name.as_str()));
        let Some(first) = named.next() else {
            return Ok(());
        };
        if !known(&first) {
            let message = format!("there is no schema `{first}`, or you may not read it");
            return Err(AccessError::new(Reason::NoTable, message));
        }
        super::search(&self.context, &first);
        Ok(())
    }

    fn set_zone(&self, zone: &str) -> Result<()> {
        let zone = match zone.to_lowercase().as_str() {
            "default" | "local" => "UTC",
            _ => zone,
        };
        if Tz::from_str(zone).is_err() {
            return Err(not_this("timezone", "an IANA zone such as Europe/Berlin"));
        }
        let state = self.context.state_ref();
        state.write().config_mut().options_mut().execution.time_zone = Some(zone.to_owned());
        Ok(())
    }
}

/// The schema in which names without one are looked up.
pub(crate) fn schema_of(context: &SessionContext) -> String {
    context
        .state_ref()
        .read()
        .config_options()
        .catalog
        .default_schema
        .clone()
}

fn not_this(name: &str, hint: &str) -> AccessError {
    let message = format!("`{name}` cannot be set to this");
    AccessError::new(Reason::Setting, message).hint(hint)
}

/// Milliseconds, or a number with `ms`, `s`, `min` or `h`.
fn duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let number: u64 = text[..digits].parse().ok()?;
    let unit = match text[digits..].trim() {
        "" | "ms" => 1,
        "s" => 1_000,
        "min" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    Some(Duration::from_millis(number.checked_mul(unit)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        let seconds = |text: &str| duration(text).map(|time| time.as_secs_f64());
        assert_eq!(seconds("1500"), Some(1.5));
        assert_eq!(seconds("30s"), Some(30.0));
        assert_eq!(seconds("2 min"), Some(120.0));
        assert_eq!(seconds("soon"), None);
        assert_eq!(seconds("-1"), None);
        assert_eq!(seconds("9223372036854775807h"), None);
    }
}
