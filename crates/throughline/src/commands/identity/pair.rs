//! `identity merge` and `identity unmerge`.

use anyhow::bail;
use journeys::identity::{Action, Decision, NodeType, in_force};
use serde_json::json;

use super::super::Exit;
use super::file::{self, Draft};
use super::find::Found;
use super::graph::{Evidence, Judged, Known};
use super::{HINT, author, why};
use crate::cli::DecideArgs;
use crate::project::Place;
use crate::say::Voice;

/// Two identifiers are one customer.
pub(super) async fn merge(
    place: Place,
    a: &str,
    b: &str,
    decide: &DecideArgs,
    voice: Voice,
) -> anyhow::Result<Exit> {
    let (by, reason) = author(decide)?;
    let known = Known::open(place).await?;
    let (a, b) = (known.find(a).await?, known.find(b).await?);
    let evidence = known.evidence().await?;
    let before = evidence.judged(&known.decisions)?;
    if before.is_one(a.key, b.key) {
        bail!(
            "`{}` and `{}` are one customer already\nhint: throughline identity why",
            a.label,
            b.label
        );
    }
    let mut drafts = vec![Draft {
        action: Action::Merge,
        a: a.id(),
        b: Some(b.id()),
    }];
    // Whole customers are merged: what kept any two of their identifiers apart holds no longer.
    for one in in_force(&known.decisions) {
        let customers = one
            .pair()
            .map(|(c, d)| (before.customer(c), before.customer(d)));
        let (of_a, of_b) = (before.customer(a.key), before.customer(b.key));
        let is_between = customers == Some((of_a, of_b)) || customers == Some((of_b, of_a));
        let is_new = one.pair() != Some((a.key.min(b.key), a.key.max(b.key)));
        if one.action == Action::Unmerge && is_between && is_new {
            drafts.push(Draft {
                action: Action::Merge,
                a: one.a,
                b: one.b,
            });
        }
    }
    let after = judged(&known, &evidence, &drafts, &by, &reason)?;
    if !after.is_one(a.key, b.key) {
        let answer = known.answer(&after, &a, &b).await?;
        bail!(
            "`{}` and `{}` would still be two customers:\n  {}\nhint: take back the decision that \
             keeps them apart (`throughline identity log`)",
            a.label,
            b.label,
            why::lines(&answer)[1..].join("\n  ")
        );
    }
    let decisions = file::append(&known.opened.place, &drafts, &by, &reason)?;
    report(voice, &decisions);
    let customer = after.customer(a.key);
    let size = after.members(customer).len();
    voice.line(&format!(
        "one customer of {size} identifiers: {customer}\n{HINT}"
    ));
    Ok(Exit::Done)
}

/// Two identifiers are two customers; or, of one customer, what was merged there is not.
pub(super) async fn unmerge(
    place: Place,
    a: &str,
    b: Option<&str>,
    decide: &DecideArgs,
    voice: Voice,
) -> anyhow::Result<Exit> {
    let (by, reason) = author(decide)?;
    let known = Known::open(place).await?;
    let evidence = known.evidence().await?;
    let a = known.find(a).await?;
    let Some(b) = b else {
        return whole(&known, &evidence, &a, (&by, &reason), voice);
    };
    let b = known.find(b).await?;
    if a.key == b.key {
        bail!("`{}` and `{}` are one identifier", a.label, b.label);
    }
    let mut drafts: Vec<Draft> = Vec::new();
    let mut after = evidence.judged(&known.decisions)?;
    if !after.is_one(a.key, b.key) {
        bail!(
            "`{}` and `{}` are two customers already\nhint: throughline identity why",
            a.label,
            b.label
        );
    }
    // Merges on the way go first, the last one first: what was before them comes back.
    while after.is_one(a.key, b.key) {
        let links = after.chain(a.key, b.key, false).unwrap_or_default();
        let merges = links.iter().filter(|link| link.is_decided);
        let last = merges.max_by_key(|link| link.seen.first_at_us);
        let pair = last.and_then(|link| merged_pair(&known.decisions, link.a_key, link.b_key));
        let (one, other) = pair.unwrap_or((a.id(), b.id()));
        drafts.push(Draft {
            action: Action::Unmerge,
            a: one,
            b: Some(other),
        });
        after = judged(&known, &evidence, &drafts, &by, &reason)?;
        if pair.is_none() {
            break;
        }
    }
    let decisions = file::append(&known.opened.place, &drafts, &by, &reason)?;
    report(voice, &decisions);
    let customers = [&a, &b].map(|one| (one, after.customer(one.key)));
    for (one, customer) in customers {
        let size = after.members(customer).len();
        voice.line(&format!(
            "`{}`: {customer}, of {size} identifiers",
            one.label
        ));
    }
    voice.line(HINT);
    Ok(Exit::Done)
}

/// Takes back all merges inside a customer.
fn whole(
    known: &Known,
    evidence: &Evidence,
    of: &Found,
    (by, reason): (&str, &str),
    voice: Voice,
) -> anyhow::Result<Exit> {
    let before = evidence.judged(&known.decisions)?;
    let customer = before.customer(of.key);
    let merges = in_force(&known.decisions).into_iter().filter(|one| {
        let is_inside = before.customer(one.a.1) == customer;
        one.action == Action::Merge && is_inside && before.row(one.a.1).is_some()
    });
    let drafts: Vec<Draft> = merges
        .map(|merge| Draft {
            action: Action::Unmerge,
            a: merge.a,
            b: merge.b,
        })
        .collect();
    if drafts.is_empty() {
        bail!(
            "nobody merged anything into customer {customer}\nhint: name two of its identifiers \
             that are two people: throughline identity unmerge A B --reason …"
        );
    }
    let after = judged(known, evidence, &drafts, by, reason)?;
    let decisions = file::append(&known.opened.place, &drafts, by, reason)?;
    report(voice, &decisions);
    let members = before.members(customer);
    let mut parts: Vec<i64> = members.iter().map(|key| after.customer(*key)).collect();
    parts.sort_unstable();
    parts.dedup();
    voice.line(&format!("{} customers out of one\n{HINT}", parts.len()));
    Ok(Exit::Done)
}

/// The graph as it would be after these decisions.
fn judged(
    known: &Known,
    evidence: &Evidence,
    drafts: &[Draft],
    by: &str,
    reason: &str,
) -> anyhow::Result<Judged> {
    let mut decisions = known.decisions.clone();
    decisions.extend(file::drafted(drafts, &known.decisions, by, reason));
    evidence.judged(&decisions)
}

type Node = (NodeType, i64);

/// The pair of the merge in force between two identifiers.
fn merged_pair(decisions: &[Decision], a: i64, b: i64) -> Option<(Node, Node)> {
    let pair = Some((a.min(b), a.max(b)));
    let merges = in_force(decisions).into_iter();
    let found = merges
        .into_iter()
        .find(|one| one.action == Action::Merge && one.pair() == pair);
    found.and_then(|one| Some((one.a, one.b?)))
}

/// What was written down.
pub(super) fn report(voice: Voice, decisions: &[Decision]) {
    voice.result(&json!({
        "decisions": decisions.iter().map(super::log::row).collect::<Vec<_>>()
    }));
    for one in decisions {
        voice.line(&format!("decision {}: {}", one.id, one.action.as_str()));
    }
}
