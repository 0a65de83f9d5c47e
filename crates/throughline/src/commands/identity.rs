//! `identity`: why two identifiers are one customer or two, and what people decide about it.

mod block;
mod file;
mod find;
mod graph;
mod log;
mod pair;
mod why;

use anyhow::{Context as _, bail};

use super::Exit;
use crate::cli::{DecideArgs, IdentityCommand};
use crate::project::Place;
use crate::say::Voice;

/// The command.
pub(crate) async fn identity(
    place: Place,
    command: &IdentityCommand,
    voice: Voice,
) -> anyhow::Result<Exit> {
    match command {
        IdentityCommand::Why { a, b } => why::why(place, a, b, voice).await,
        IdentityCommand::Merge { a, b, decide } => pair::merge(place, a, b, decide, voice).await,
        IdentityCommand::Unmerge { a, b, decide } => {
            pair::unmerge(place, a, b.as_deref(), decide, voice).await
        }
        IdentityCommand::Block { value, decide } => {
            block::block(place, value, decide, true, voice).await
        }
        IdentityCommand::Unblock { value, decide } => {
            block::block(place, value, decide, false, voice).await
        }
        IdentityCommand::Log => log::log(&place, voice),
    }
}

/// Who decides, and why. A reason with an e-mail address in it is refused: the file is shared, and
/// nobody could take the address out again.
fn author(decide: &DecideArgs) -> anyhow::Result<(String, String)> {
    let reason = decide.reason.trim().to_owned();
    if reason.is_empty() {
        bail!("`--reason` is empty\nhint: say why, for whoever asks in a year");
    }
    if reason.contains('@') {
        bail!(
            "the reason has an e-mail address in it\nhint: decisions are kept for ever and hold \
             identifiers as keys only; name a ticket instead"
        );
    }
    let by = match &decide.by {
        Some(by) => by.trim().to_owned(),
        None => user().context("nobody knows who decides\nhint: --by NAME")?,
    };
    if by.is_empty() {
        bail!("`--by` is empty");
    }
    Ok((by, reason))
}

/// The user of this process, by the environment or by the machine.
pub(crate) fn user() -> Option<String> {
    let names = ["USER", "LOGNAME", "USERNAME"].iter();
    let said = names.filter_map(|name| std::env::var(name).ok());
    said.map(|name| name.trim().to_owned())
        .find(|name| !name.is_empty())
        .or_else(account)
}

/// The name of the account that this process belongs to, or its number.
#[cfg(unix)]
fn account() -> Option<String> {
    use std::os::unix::fs::MetadataExt as _;
    let number = std::fs::metadata("/proc/self").ok()?.uid().to_string();
    let accounts = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let named = accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == number).then(|| name.to_owned())
    });
    Some(named.unwrap_or(format!("uid {number}")))
}

#[cfg(not(unix))]
fn account() -> Option<String> {
    None
}

/// What a decision needs to come true.
const HINT: &str = "hint: throughline run";
