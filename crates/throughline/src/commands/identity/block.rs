//! `identity block` and `identity unblock`.

use anyhow::bail;
use journeys::identity::{Action, in_force};

use super::super::Exit;
use super::file::{self, Draft};
use super::graph::Known;
use super::{HINT, author, pair};
use crate::cli::DecideArgs;
use crate::project::Place;
use crate::say::Voice;

/// An identifier is no evidence from now on, or is again.
pub(super) async fn block(
    place: Place,
    value: &str,
    decide: &DecideArgs,
    blocks: bool,
    voice: Voice,
) -> anyhow::Result<Exit> {
    let (by, reason) = author(decide)?;
    let known = Known::open(place).await?;
    // What nobody has seen yet may be blocked beforehand, if it says what it is.
    let candidates = known.candidates(value).await?;
    let found = match (candidates.is_empty(), known.unseen(value).await?) {
        (true, Some(unseen)) => unseen,
        _ => known.find(value).await?,
    };
    let is_blocked = in_force(&known.decisions)
        .iter()
        .any(|one| one.action == Action::Block && one.a.1 == found.key);
    if is_blocked == blocks {
        let state = if blocks {
            "is blocked already"
        } else {
            "is not blocked by a decision"
        };
        bail!("`{}` {state}\nhint: throughline identity log", found.label);
    }
    let action = if blocks {
        Action::Block
    } else {
        Action::Unblock
    };
    let drafts = [Draft {
        action,
        a: found.id(),
        b: None,
    }];
    let before = known.evidence().await?.judged(&known.decisions)?;
    let decisions = file::append(&known.opened.place, &drafts, &by, &reason)?;
    pair::report(voice, &decisions);
    let degree = before.row(found.key).map_or(0, |row| row.degree);
    voice.line(&format!(
        "{} `{}` is linked to {degree} other identifiers\n{HINT}",
        found.node_type.as_str(),
        found.label
    ));
    Ok(Exit::Done)
}
