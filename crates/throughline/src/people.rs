//! The project's users, tokens and audit log, opened for a command or for the doors.

use std::collections::BTreeMap;
use std::io::{BufRead as _, IsTerminal as _, Read as _};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use serve::access::Attribute;
use serve::access::who::{Actor, Door, Origin, Secret, Settings, Who};
use serve::audit::{self, Audit};

use crate::project::{Place, now};

/// Environment variable with the second place where the audit log's newest records are noted.
const ANCHOR_VARIABLE: &str = "THROUGHLINE_AUDIT_ANCHOR";

/// Longest line that is read as a password, in bytes.
const LINE_BYTES_MAX: u64 = 4096;

/// Opens users, tokens and the audit log for writing.
pub(crate) async fn open(place: &Place) -> anyhow::Result<Who> {
    place.config()?;
    let key = place.key()?;
    let clock = Arc::new(now);
    let audit = Audit::open(log_place(place, None)?, clock.clone())?;
    let settings = Settings::new(place.state().join("access.db"));
    Ok(Who::open(&settings, &key, audit, clock).await?)
}

/// Where the audit log lies.
pub(crate) fn log_place(place: &Place, anchor: Option<PathBuf>) -> anyhow::Result<audit::Place> {
    place.config()?;
    let variable = std::env::var_os(ANCHOR_VARIABLE).filter(|path| !path.is_empty());
    let anchor = anchor.or_else(|| variable.map(PathBuf::from));
    Ok(audit::Place::new(
        &place.state().join("audit"),
        anchor,
        &place.key()?,
    ))
}

/// Who is at the command line.
pub(crate) fn actor() -> Actor {
    Actor {
        name: crate::commands::identity::user().unwrap_or_else(|| "-".to_owned()),
        origin: Origin {
            door: Door::Command,
            address: None,
            is_tls: false,
        },
    }
}

/// A new password: made, asked for twice, or read as a line of standard input.
pub(crate) fn new_password(name: &str, is_made: bool) -> anyhow::Result<Secret> {
    if is_made {
        return Ok(Secret::random(24)?);
    }
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        let first = asked(&format!("password of `{name}`: "))?;
        if asked("the same again: ")?.is(first.expose()) {
            return Ok(first);
        }
        bail!("the two are not the same");
    }
    let mut line = String::new();
    let read = stdin.lock().take(LINE_BYTES_MAX).read_line(&mut line);
    read.context("cannot read a password from standard input")?;
    let password = Secret::new(line.trim_end_matches(['\r', '\n']));
    zeroize::Zeroize::zeroize(&mut line);
    if password.expose().is_empty() {
        bail!("there is no password on standard input\nhint: give it as a line, or use --generate");
    }
    Ok(password)
}

fn asked(what: &str) -> anyhow::Result<Secret> {
    let terminal = console::Term::stderr();
    terminal.write_str(what)?;
    Ok(Secret::new(terminal.read_secure_line()?))
}

/// `name=value` arguments. A value that is JSON is taken as such (a number, a list of texts, a text
/// in quotes), any other as a text; none if there is nothing after the `=`.
pub(crate) fn pairs(arguments: &[String]) -> anyhow::Result<Vec<(String, Option<Attribute>)>> {
    let pair = |argument: &String| {
        let Some((name, value)) = argument.split_once('=') else {
            bail!("`--attribute {argument}` is not of the form name=value");
        };
        let (name, value) = (name.trim().to_owned(), value.trim());
        let typed = serde_json::from_str(value).unwrap_or(Attribute::Text(value.to_owned()));
        Ok((name, Some(typed).filter(|_| !value.is_empty())))
    };
    arguments.iter().map(pair).collect()
}

/// The same for something new: what has no value is left out.
pub(crate) fn attributes(arguments: &[String]) -> anyhow::Result<BTreeMap<String, Attribute>> {
    let pairs = pairs(arguments)?.into_iter();
    Ok(pairs
        .filter_map(|(name, value)| Some((name, value?)))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attribute_is_typed_by_its_form() {
        let typed = |text: &str| attributes(&[text.to_owned()]).expect("read").remove("a");
        assert_eq!(typed("a=DE"), Some(Attribute::Text("DE".to_owned())));
        assert_eq!(typed("a = 7"), Some(Attribute::Integer(7)));
        assert_eq!(typed("a=\"7\""), Some(Attribute::Text("7".to_owned())));
        assert_eq!(typed("a=true"), Some(Attribute::Boolean(true)));
        let list = Attribute::Texts(vec!["DE".to_owned(), "AT".to_owned()]);
        assert_eq!(typed("a=[\"DE\", \"AT\"]"), Some(list));
        assert_eq!(typed("a=1.5"), Some(Attribute::Text("1.5".to_owned())));
        assert_eq!(typed("a={}"), Some(Attribute::Text("{}".to_owned())));
        assert_eq!(typed("a="), None);
        assert!(pairs(&["a".to_owned()]).is_err());
    }
}
