//! The project's file of decisions, `seeds/identity_decision.csv`.

use std::fs::File;
use std::io::{Read as _, Seek as _, Write as _};
use std::path::PathBuf;

use anyhow::Context as _;
use journeys::identity::{Action, DECISION_COLUMNS, Decision, NodeType, read_decisions};

use crate::project::{Place, now};

/// Its name.
const NAME: &str = "identity_decision.csv";

/// What is to be written down.
pub(super) struct Draft {
    pub(super) action: Action,
    pub(super) a: (NodeType, i64),
    pub(super) b: Option<(NodeType, i64)>,
}

fn path(place: &Place) -> PathBuf {
    place.dir.join("seeds").join(NAME)
}

/// All decisions so far; none where there is no file.
pub(super) fn decisions(place: &Place) -> anyhow::Result<Vec<Decision>> {
    let path = path(place);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(vec![]),
        Err(error) => {
            return Err(error).with_context(|| format!("cannot read `{}`", path.display()));
        }
    };
    read_decisions(&text).with_context(|| format!("`{}` cannot be understood", path.display()))
}

/// Drafts as decisions, taken now, after those that are there.
pub(super) fn drafted(
    drafts: &[Draft],
    before: &[Decision],
    by: &str,
    reason: &str,
) -> Vec<Decision> {
    let last = before.iter().map(|one| one.id).max().unwrap_or_default();
    // What is decided later is later, whatever the clock says.
    let at = before.iter().map(|one| one.at).max();
    let at = at.map_or(now(), |at| {
        now().max(at + chrono::Duration::microseconds(1))
    });
    let drafts = drafts.iter().zip(last + 1..);
    drafts
        .map(|(draft, id)| Decision {
            id,
            at,
            by: by.to_owned(),
            action: draft.action,
            a: draft.a,
            b: draft.b,
            reason: reason.to_owned(),
        })
        .collect()
}

/// Adds decisions at the file's end, on disk when it returns.
pub(super) fn append(
    place: &Place,
    drafts: &[Draft],
    by: &str,
    reason: &str,
) -> anyhow::Result<Vec<Decision>> {
    let path = path(place);
    let said = || format!("cannot write `{}`", path.display());
    std::fs::create_dir_all(place.dir.join("seeds")).with_context(said)?;
    let mut file = File::options()
        .read(true)
        .append(true)
        .create(true)
        .open(&path)
        .with_context(said)?;
    // Two at once would give one number twice. The lock goes with the file.
    file.lock().with_context(said)?;
    let mut text = String::new();
    file.rewind().with_context(said)?;
    file.read_to_string(&mut text).with_context(said)?;
    let before = match text.is_empty() {
        true => vec![],
        false => read_decisions(&text)
            .with_context(|| format!("`{}` cannot be understood", path.display()))?,
    };
    let decisions = drafted(drafts, &before, by, reason);
    let mut added = String::new();
    if text.is_empty() {
        added.push_str(&DECISION_COLUMNS.join(","));
        added.push('\n');
    } else if !text.ends_with('\n') {
        added.push('\n');
    }
    for decision in &decisions {
        added.push_str(&decision.line());
    }
    file.write_all(added.as_bytes()).with_context(said)?;
    file.sync_all().with_context(said)?;
    Ok(decisions)
}
