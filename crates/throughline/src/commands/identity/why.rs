//! `identity why`: the chain of evidence between two identifiers, or why there is none.

use std::collections::BTreeMap;

use arrow_array::Array as _;
use chrono::{DateTime, SecondsFormat};
use journeys::identity::{Action, Cut, Decision, LinkRow, NodeType, in_force};
use serde_json::{Value, json};

use super::super::Exit;
use super::find::Found;
use super::graph::{Judged, Known, instants, integers, numbers, texts};
use crate::project::Place;
use crate::say::Voice;

/// The command.
pub(super) async fn why(place: Place, a: &str, b: &str, voice: Voice) -> anyhow::Result<Exit> {
    let known = Known::open(place).await?;
    let (a, b) = (known.find(a).await?, known.find(b).await?);
    let judged = known.evidence().await?.judged(&known.decisions)?;
    let answer = known.answer(&judged, &a, &b).await?;
    voice.result(&answer);
    if !voice.json {
        for line in lines(&answer) {
            voice.line(&line);
        }
    }
    Ok(Exit::Done)
}

/// The rule of links that are a guess, which the project takes for evidence.
const PROBABLE: &str = "probable";

/// What states a link.
#[derive(Debug, Clone)]
struct Stated {
    rule: String,
    source: String,
    first_at_us: Option<i64>,
    last_at_us: Option<i64>,
    count: i64,
    raw_id: Option<i64>,
}

impl Known {
    /// The whole answer.
    pub(super) async fn answer(
        &self,
        judged: &Judged,
        a: &Found,
        b: &Found,
    ) -> anyhow::Result<Value> {
        let is_one = judged.is_one(a.key, b.key);
        let links = judged.chain(a.key, b.key, !is_one);
        let mut labels = BTreeMap::from([(a.key, a.label.clone()), (b.key, b.label.clone())]);
        let links = links.unwrap_or_default();
        self.label(&mut labels, &links).await?;
        let mut chain = Vec::new();
        let mut at = a.key;
        for link in &links {
            let to = if link.a_key == at {
                link.b_key
            } else {
                link.a_key
            };
            chain.push(json!({
                "from": node(judged, &labels, at),
                "to": node(judged, &labels, to),
                "counts": link.cut.is_none(),
                "cut": link.cut.map(Cut::as_str),
                "why_cut": link.cut.map(|cut| self.said(cut, judged, &labels, link)),
                "evidence": self.evidence_of(link).await?,
            }));
            at = to;
        }
        let reason = match (is_one, links.is_empty()) {
            (true, _) => Value::Null,
            (false, true) => "no_evidence".into(),
            (false, false) => {
                let cut = links.iter().find_map(|link| link.cut);
                cut.map(Cut::as_str).into()
            }
        };
        Ok(json!({
            "a": node(judged, &labels, a.key),
            "b": node(judged, &labels, b.key),
            "is_one_customer": is_one,
            "reason": reason,
            "chain": chain,
            "owners": self.owners(&[a, b], &labels).await?,
        }))
    }

    /// What identifiers on the way are called.
    async fn label(
        &self,
        labels: &mut BTreeMap<i64, String>,
        links: &[LinkRow],
    ) -> anyhow::Result<()> {
        let keys = links.iter().flat_map(|link| [link.a_key, link.b_key]);
        let keys: Vec<String> = keys
            .filter(|key| !labels.contains_key(key))
            .map(|key| key.to_string())
            .collect();
        if keys.is_empty() {
            return Ok(());
        }
        let sql = format!(
            "select node_key, node_type, node_value from identity.int_identity_node_seen \
             where node_key in ({})",
            keys.join(", ")
        );
        for batch in self.rows(&sql).await? {
            let (keys, types) = (integers(&batch, "node_key")?, texts(&batch, "node_type")?);
            let values = texts(&batch, "node_value")?;
            for row in 0..batch.num_rows() {
                let value = values.value(row);
                let is_hash = matches!(types.value(row), "email" | "phone");
                let short = value.get(..12).filter(|_| is_hash);
                let label = short.map_or(value.to_owned(), |short| format!("{short}…"));
                labels.insert(keys.value(row), label);
            }
        }
        Ok(())
    }

    /// What states a link, with the row of the earliest record.
    async fn evidence_of(&self, link: &LinkRow) -> anyhow::Result<Vec<Value>> {
        if link.is_decided {
            let pair = (link.a_key.min(link.b_key), link.a_key.max(link.b_key));
            let merge = in_force(&self.decisions)
                .into_iter()
                .find(|one| one.action == Action::Merge && one.pair() == Some(pair));
            return Ok(merge.map(decision).into_iter().collect());
        }
        let mut evidence = Vec::new();
        for one in self.stated(link).await? {
            let row = match one.raw_id {
                Some(raw_id) => self.raw_row(&one.source, raw_id).await?,
                None => None,
            };
            if one.rule == PROBABLE {
                evidence.push(self.probable(link, &one).await?);
                continue;
            }
            evidence.push(json!({
                "rule": one.rule,
                "source": one.source,
                "first_at": time(one.first_at_us),
                "last_at": time(one.last_at_us),
                "count": one.count,
                "raw_id": one.raw_id.map(|raw_id| raw_id.to_string()),
                "file": row.as_ref().map(|(file, _)| file),
                "row": row.as_ref().map(|(_, row)| row),
            }));
        }
        Ok(evidence)
    }

    async fn stated(&self, link: &LinkRow) -> anyhow::Result<Vec<Stated>> {
        let (a, b) = (link.a_key, link.b_key);
        let sql = format!(
            "select rule, source_name, first_at, last_at, evidence_count, evidence_raw_id \
             from identity.int_identity_edge where rule <> 'decision' \
             and ((a_node_key = {a} and b_node_key = {b}) \
             or (a_node_key = {b} and b_node_key = {a})) \
             order by first_at, rule, source_name"
        );
        let mut found = Vec::new();
        for batch in self.rows(&sql).await? {
            let (rules, sources) = (texts(&batch, "rule")?, texts(&batch, "source_name")?);
            let (first, last) = (instants(&batch, "first_at")?, instants(&batch, "last_at")?);
            let counts = integers(&batch, "evidence_count")?;
            let raw = integers(&batch, "evidence_raw_id")?;
            for row in 0..batch.num_rows() {
                found.push(Stated {
                    rule: rules.value(row).to_owned(),
                    source: sources.value(row).to_owned(),
                    first_at_us: first.is_valid(row).then(|| first.value(row)),
                    last_at_us: last.is_valid(row).then(|| last.value(row)),
                    count: counts.value(row),
                    raw_id: raw.is_valid(row).then(|| raw.value(row)),
                });
            }
        }
        Ok(found)
    }

    /// How probable a link is that is no more than that.
    async fn probable(&self, link: &LinkRow, one: &Stated) -> anyhow::Result<Value> {
        let sql = format!(
            "select match_probability, agreement from identity.int_probable_link \
             where a_key = {} and b_key = {}",
            link.a_key.min(link.b_key),
            link.a_key.max(link.b_key)
        );
        let mut said = json!({ "rule": one.rule, "source": one.source, "count": one.count });
        for batch in self.rows(&sql).await? {
            let agreement = texts(&batch, "agreement")?;
            let probability = numbers(&batch, "match_probability")?;
            if batch.num_rows() > 0 {
                said["match_probability"] = probability.value(0).into();
                said["agreement"] = agreement.value(0).into();
            }
        }
        Ok(said)
    }

    /// The file and the row in it that a raw row came from.
    async fn raw_row(&self, source: &str, raw_id: i64) -> anyhow::Result<Option<(String, i64)>> {
        let names = self.opened.lake.names().await?;
        let prefix = format!("{source}__");
        let own = names.iter().filter(|name| name.schema == "raw");
        for name in own.filter(|name| name.name.starts_with(&prefix)) {
            let sql = format!(
                "select \"_file\", \"_row\" from raw.\"{}\" where \"_raw_id\" = {raw_id} limit 1",
                name.name
            );
            for batch in self.rows(&sql).await? {
                if batch.num_rows() > 0 {
                    let (files, rows) = (texts(&batch, "_file")?, integers(&batch, "_row")?);
                    return Ok(Some((files.value(0).to_owned(), rows.value(0))));
                }
            }
        }
        Ok(None)
    }

    /// Whose the shared devices among these are, and when.
    async fn owners(
        &self,
        all: &[&Found],
        labels: &BTreeMap<i64, String>,
    ) -> anyhow::Result<Vec<Value>> {
        let devices = all.iter().filter(|one| one.node_type == NodeType::Device);
        let keys: Vec<String> = devices.map(|one| one.key.to_string()).collect();
        if keys.is_empty() {
            return Ok(vec![]);
        }
        let sql = format!(
            "select identity_node_id, customer_key, valid_from, valid_to \
             from identity.bridge_identity where identity_node_id in ({0}) and identity_node_id in \
             (select identity_node_id from identity.bridge_identity group by identity_node_id \
             having count(*) > 1) order by identity_node_id, valid_from",
            keys.join(", ")
        );
        let mut owners = Vec::new();
        for batch in self.rows(&sql).await? {
            let nodes = integers(&batch, "identity_node_id")?;
            let customers = integers(&batch, "customer_key")?;
            let (from, to) = (
                instants(&batch, "valid_from")?,
                instants(&batch, "valid_to")?,
            );
            for row in 0..batch.num_rows() {
                owners.push(json!({
                    "device": labels.get(&nodes.value(row)),
                    "customer_key": customers.value(row).to_string(),
                    "valid_from": time(Some(from.value(row))),
                    "valid_to": time(Some(to.value(row))),
                }));
            }
        }
        Ok(owners)
    }

    /// Why a link does not count, in words.
    fn said(
        &self,
        cut: Cut,
        judged: &Judged,
        labels: &BTreeMap<i64, String>,
        link: &LinkRow,
    ) -> String {
        let guarded = [link.a_key, link.b_key]
            .into_iter()
            .filter_map(|key| judged.row(key))
            .find(|row| {
                row.guard
                    .is_some_and(|guard| guard.as_str() == cut.as_str())
            });
        let who = guarded.map_or("one of the two".to_owned(), |row| {
            let label = labels.get(&row.node_key).map_or("", String::as_str);
            format!("{} {label}", row.node_type.as_str())
        });
        let identity = &self.opened.manifest.project.config.identity;
        match cut {
            Cut::Erased => "it was seen before an erasure, and not since".to_owned(),
            Cut::Blocked => format!("{who} is blocked by a decision"),
            Cut::Degree => format!(
                "{who} is linked to more people than identity.degree_max ({}): it is shared",
                identity.degree_max
            ),
            Cut::Emails => format!(
                "{who} is linked to more e-mails than identity.emails_max ({}): it is shared",
                identity.emails_max
            ),
            Cut::Limit => {
                let limits = identity.limits.iter();
                let limits: Vec<String> = limits
                    .map(|(name, most)| format!("{name}: {most}"))
                    .collect();
                format!(
                    "one customer would have more than identity.limits allow ({}), and other links \
                     won",
                    limits.join(", ")
                )
            }
            Cut::Apart => "a decision (unmerge) keeps its two sides apart".to_owned(),
        }
    }
}

/// An identifier of an answer.
fn node(judged: &Judged, labels: &BTreeMap<i64, String>, key: i64) -> Value {
    let row = judged.row(key);
    json!({
        "type": row.map(|row| row.node_type.as_str()),
        "key": key.to_string(),
        "label": labels.get(&key),
        "customer_key": judged.customer(key).to_string(),
        "guard": row.and_then(|row| row.guard).map(|guard| guard.as_str()),
    })
}

fn decision(one: &Decision) -> Value {
    let at = one.at.to_rfc3339_opts(SecondsFormat::Micros, true);
    json!({
        "rule": "decision",
        "source": "identity_decision",
        "first_at": at,
        "last_at": at,
        "count": 1,
        "decision_id": one.id,
        "decided_by": one.by,
        "reason": one.reason,
    })
}

fn time(at_us: Option<i64>) -> Option<String> {
    let at = DateTime::from_timestamp_micros(at_us?)?;
    Some(at.to_rfc3339_opts(SecondsFormat::AutoSi, true))
}

/// The answer for people.
pub(super) fn lines(answer: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or("?").to_owned();
    let name = |node: &Value| format!("{} {}", text(&node["type"]), text(&node["label"]));
    let customer = |node: &Value| text(&node["customer_key"]);
    let (a, b) = (&answer["a"], &answer["b"]);
    let chain = answer["chain"].as_array().map_or(&[][..], Vec::as_slice);
    let is_one = answer["is_one_customer"] == true;
    let mut lines = vec![match is_one {
        true => format!("one customer: {}", customer(a)),
        false => format!("two customers: {} and {}", customer(a), customer(b)),
    }];
    match (is_one, chain.is_empty()) {
        (true, true) => lines.push("it is one identifier".to_owned()),
        (false, true) => lines.push("no evidence links them".to_owned()),
        (false, false) => lines.push("these links would join them:".to_owned()),
        (true, false) => {}
    }
    lines.extend(
        chain
            .first()
            .map(|link| format!("  {}", name(&link["from"]))),
    );
    for link in chain {
        for one in link["evidence"].as_array().into_iter().flatten() {
            lines.push(format!("    {}", stated(one)));
        }
        if let Some(why) = link["why_cut"].as_str() {
            lines.push(format!("    does not count: {why}"));
        }
        lines.push(format!("  {}", name(&link["to"])));
    }
    for owner in answer["owners"].as_array().into_iter().flatten() {
        lines.push(format!(
            "device {} belongs to {} from {} to {}",
            text(&owner["device"]),
            text(&owner["customer_key"]),
            text(&owner["valid_from"]),
            text(&owner["valid_to"])
        ));
    }
    lines
}

/// What states a link, on one line.
fn stated(one: &Value) -> String {
    let text = |name: &str| one[name].as_str().unwrap_or("?").to_owned();
    if one["rule"] == "decision" {
        return format!(
            "decision {} by {}, {}: {}",
            one["decision_id"],
            text("decided_by"),
            text("first_at"),
            text("reason")
        );
    }
    if one["rule"] == PROBABLE {
        let probability = one["match_probability"].as_f64().unwrap_or_default();
        return format!("probable, {probability:.4}: {}", text("agreement"));
    }
    let times = match one["first_at"] == one["last_at"] {
        true => text("first_at"),
        false => format!("{} to {}", text("first_at"), text("last_at")),
    };
    let count = one["count"].as_i64().unwrap_or_default();
    let place = match one["file"].as_str() {
        Some(file) => format!(", {file} row {}", one["row"]),
        None => String::new(),
    };
    let rows = if count == 1 { "row" } else { "rows" };
    format!(
        "{} of {}, {times}, {count} {rows}{place}",
        text("rule"),
        text("source")
    )
}
