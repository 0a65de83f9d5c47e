//! The file of decisions: CSV that is only ever added to, with identifiers as keys.

use chrono::{DateTime, SecondsFormat, Utc};

use super::{Action, NodeType};
use crate::error::{JourneysError, Result};

/// The file's columns.
pub const DECISION_COLUMNS: [&str; 9] = [
    "decision_id",
    "decided_at",
    "decided_by",
    "action",
    "a_type",
    "a_key",
    "b_type",
    "b_key",
    "reason",
];

/// One decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Its number, from 1 on.
    pub id: u64,
    /// When it was taken.
    pub at: DateTime<Utc>,
    /// Who took it.
    pub by: String,
    /// What was decided.
    pub action: Action,
    /// The identifier, or the first of two.
    pub a: (NodeType, i64),
    /// The second of two.
    pub b: Option<(NodeType, i64)>,
    /// Why.
    pub reason: String,
}

impl Decision {
    /// The two identifiers in one order, whichever was named first; None where it is about one.
    pub fn pair(&self) -> Option<(i64, i64)> {
        let (a, b) = (self.a.1, self.b?.1);
        Some((a.min(b), a.max(b)))
    }

    /// Its line in the file, with the line's end.
    pub fn line(&self) -> String {
        let (b_type, b_key) = match self.b {
            Some((node_type, key)) => (node_type.as_str(), key.to_string()),
            None => ("", String::new()),
        };
        let fields = [
            self.id.to_string(),
            self.at.to_rfc3339_opts(SecondsFormat::Micros, true),
            self.by.clone(),
            self.action.as_str().to_owned(),
            self.a.0.as_str().to_owned(),
            self.a.1.to_string(),
            b_type.to_owned(),
            b_key,
            self.reason.clone(),
        ];
        let fields: Vec<String> = fields.iter().map(|field| quoted(field)).collect();
        format!("{}\n", fields.join(","))
    }
}

/// A field that needs it in quotes; on one line, so that a decision is a line.
fn quoted(field: &str) -> String {
    let field = field.split_whitespace().collect::<Vec<_>>().join(" ");
    match field.contains([',', '"']) {
        true => format!("\"{}\"", field.replace('"', "\"\"")),
        false => field,
    }
}

/// The decisions of a file's text, in its order.
///
/// # Errors
/// A line that is no decision.
pub fn read_decisions(text: &str) -> Result<Vec<Decision>> {
    let mut reader = csv::ReaderBuilder::new().from_reader(text.as_bytes());
    let wrong = |line: u64, reason: String| JourneysError::Seed {
        seed: "identity_decision",
        line,
        reason,
    };
    let header = reader
        .headers()
        .map_err(|error| wrong(1, error.to_string()))?;
    let header: Vec<String> = header
        .iter()
        .map(|name| name.trim().trim_start_matches('\u{feff}').to_owned())
        .collect();
    let mut places = [0; DECISION_COLUMNS.len()];
    for (place, name) in places.iter_mut().zip(DECISION_COLUMNS) {
        let found = header.iter().position(|column| column == name);
        *place = found.ok_or_else(|| wrong(1, format!("there is no column `{name}`")))?;
    }
    let mut decisions = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| wrong(0, error.to_string()))?;
        let line = record.position().map_or(0, csv::Position::line);
        let fields = places.map(|place| record.get(place).unwrap_or_default().trim());
        decisions.push(decision(fields).map_err(|reason| wrong(line, reason))?);
    }
    Ok(decisions)
}

fn decision(fields: [&str; DECISION_COLUMNS.len()]) -> Result<Decision, String> {
    let [id, at, by, action, a_type, a_key, b_type, b_key, reason] = fields;
    let node = |node_type: &str, key: &str| -> Result<(NodeType, i64), String> {
        let found = NodeType::parse(node_type);
        let found = found.ok_or_else(|| format!("`{node_type}` is no type of identifier"))?;
        let key = key.parse().map_err(|_| format!("`{key}` is no key"))?;
        Ok((found, key))
    };
    let action = action.to_lowercase();
    let action =
        Action::parse(&action).ok_or_else(|| format!("`{action}` is no kind of decision"))?;
    let at = DateTime::parse_from_rfc3339(at).map_err(|_| format!("`{at}` is no time"))?;
    Ok(Decision {
        id: id.parse().map_err(|_| format!("`{id}` is no number"))?,
        at: at.to_utc(),
        by: by.to_owned(),
        action,
        a: node(a_type, a_key)?,
        b: match action.is_of_pair() {
            true => Some(node(b_type, b_key)?),
            false => None,
        },
        reason: reason.to_owned(),
    })
}

/// The decisions that no later one stands against, in their order: of those about one pair, or one
/// identifier, the last; at one instant the more careful one.
pub fn in_force(decisions: &[Decision]) -> Vec<&Decision> {
    let subject = |one: &Decision| {
        let kind = match one.action {
            Action::Merge | Action::Unmerge => 0,
            Action::Block | Action::Unblock => 1,
            Action::Erase => 2,
        };
        (kind, one.pair().unwrap_or((one.a.1, one.a.1)))
    };
    let stands = |one: &&Decision| {
        let rank = (one.at, one.action, one.id);
        let mut others = decisions
            .iter()
            .filter(|other| subject(other) == subject(one));
        others.all(|other| (other.at, other.action, other.id) <= rank)
    };
    decisions.iter().filter(stands).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let at = DateTime::parse_from_rfc3339("2026-03-01T10:00:00.000001Z").expect("a time");
        let merge = Decision {
            id: 1,
            at: at.to_utc(),
            by: "ada".into(),
            action: Action::Merge,
            a: (NodeType::User, -5),
            b: Some((NodeType::Email, 7)),
            reason: "one person, \"two\"\naccounts".into(),
        };
        let unmerge = Decision {
            id: 2,
            action: Action::Unmerge,
            a: (NodeType::Email, 7),
            b: Some((NodeType::User, -5)),
            reason: "no".into(),
            ..merge.clone()
        };
        let erase = Decision {
            id: 3,
            action: Action::Erase,
            b: None,
            ..unmerge.clone()
        };
        let header = DECISION_COLUMNS.join(",");
        let text = format!(
            "{header}\n{}{}{}",
            merge.line(),
            unmerge.line(),
            erase.line()
        );
        assert_eq!(text.lines().count(), 4);
        let found = read_decisions(&text).expect("decisions");
        assert_eq!(found[0].reason, "one person, \"two\" accounts");
        assert_eq!(found[1..], [unmerge, erase]);
        let stand: Vec<u64> = in_force(&found).iter().map(|one| one.id).collect();
        assert_eq!(stand, [2, 3]);
        let broken = text.replace(",merge,", ",marry,");
        let error = read_decisions(&broken)
            .expect_err("no such thing")
            .to_string();
        assert!(
            error.contains("line 2") && error.contains("`marry`"),
            "{error}"
        );
        assert!(read_decisions("a,b\n").is_err());
    }
}
