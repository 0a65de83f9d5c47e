//! `identity log`: who decided what, when and why.

use chrono::SecondsFormat;
use journeys::identity::{Decision, in_force};
use serde_json::{Value, json};

use super::super::Exit;
use super::file;
use crate::project::Place;
use crate::say::Voice;

/// The command.
pub(super) fn log(place: &Place, voice: Voice) -> anyhow::Result<Exit> {
    let decisions = file::decisions(place)?;
    let stand: Vec<u64> = in_force(&decisions).iter().map(|one| one.id).collect();
    let rows: Vec<Value> = decisions
        .iter()
        .map(|one| {
            let mut row = row(one);
            row["is_in_force"] = stand.contains(&one.id).into();
            row
        })
        .collect();
    voice.result(&json!({"decisions": rows}));
    if decisions.is_empty() {
        voice.line("nothing was decided yet");
    }
    for one in &decisions {
        let node = |(node_type, key): (journeys::identity::NodeType, i64)| {
            format!("{} {key}", node_type.as_str())
        };
        let b = one.b.map_or(String::new(), |b| format!(" and {}", node(b)));
        let past = if stand.contains(&one.id) {
            ""
        } else {
            " (no longer in force)"
        };
        voice.line(&format!(
            "{}  {}  {}  {} {}{b}: {}{past}",
            one.id,
            one.at.to_rfc3339_opts(SecondsFormat::Secs, true),
            one.by,
            one.action.as_str(),
            node(one.a),
            one.reason
        ));
    }
    Ok(Exit::Done)
}

/// A decision for programs; keys as texts, which no program rounds.
pub(super) fn row(one: &Decision) -> Value {
    json!({
        "decision_id": one.id,
        "decided_at": one.at.to_rfc3339_opts(SecondsFormat::Micros, true),
        "decided_by": one.by,
        "action": one.action.as_str(),
        "a_type": one.a.0.as_str(),
        "a_key": one.a.1.to_string(),
        "b_type": one.b.map(|(node_type, _)| node_type.as_str()),
        "b_key": one.b.map(|(_, key)| key.to_string()),
        "reason": one.reason,
    })
}
