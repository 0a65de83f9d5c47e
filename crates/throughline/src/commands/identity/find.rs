//! What somebody typed, as an identifier: hashed as the models hash it, and looked up.

use std::collections::BTreeMap;

use anyhow::bail;
use journeys::identity::{NodeType, normalise_phone};

use super::graph::{Known, integers, texts};

/// An identifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) node_type: NodeType,
    pub(super) key: i64,
    /// What it is called in answers: as typed, or as the tables have it. Never an e-mail that the
    /// reader did not type.
    pub(super) label: String,
}

impl Found {
    pub(super) fn id(&self) -> (NodeType, i64) {
        (self.node_type, self.key)
    }
}

impl Known {
    /// The identifier that a text means.
    ///
    /// # Errors
    /// Nobody knows it, or it could be several.
    pub(super) async fn find(&self, text: &str) -> anyhow::Result<Found> {
        let mut found = self.candidates(text).await?;
        match found.len() {
            0 => bail!(
                "nothing is known of `{text}`\nhint: an e-mail, telephone, user id, device, order \
                 number, `source:id` of a contact, lead or buyer, or a customer's key; \
                 `type:value` where it could be several"
            ),
            1 => Ok(found.remove(0)),
            _ => {
                let names: Vec<String> = found
                    .iter()
                    .map(|one| format!("`{}:{}`", one.node_type.as_str(), text.trim()))
                    .collect();
                bail!("`{text}` could be {}\nhint: say which", names.join(" or "))
            }
        }
    }

    /// The identifiers that a text may mean and that are there.
    pub(super) async fn candidates(&self, text: &str) -> anyhow::Result<Vec<Found>> {
        let meant = self.meant(text).await?;
        if meant.is_empty() {
            return Ok(vec![]);
        }
        let keys: Vec<String> = meant.keys().map(i64::to_string).collect();
        let sql = format!(
            "select node_key, node_type from identity.int_identity_node_seen \
             where node_key in ({}) order by node_type, node_key",
            keys.join(", ")
        );
        let mut found = Vec::new();
        for batch in self.rows(&sql).await? {
            let (keys, types) = (integers(&batch, "node_key")?, texts(&batch, "node_type")?);
            for row in 0..batch.num_rows() {
                let key = keys.value(row);
                let Some(node_type) = NodeType::parse(types.value(row)) else {
                    continue;
                };
                let typed = meant.get(&key).copied().flatten();
                // A customer's key names whatever identifier it is the key of.
                if typed.is_none_or(|typed| typed == node_type) {
                    let label = text.trim().to_owned();
                    found.push(Found {
                        node_type,
                        key,
                        label,
                    });
                }
            }
        }
        // An order is known by its number and by the shop's id: one text, one order.
        let is_order = |one: &Found| one.node_type == NodeType::Order;
        if found.len() > 1 && found.iter().all(is_order) {
            found.truncate(1);
        }
        Ok(found)
    }

    /// An identifier of the type that the text itself says, though nobody has seen it yet.
    pub(super) async fn unseen(&self, text: &str) -> anyhow::Result<Option<Found>> {
        let (said, rest) = split(text);
        let node_type = match said {
            Some(node_type) => node_type,
            None if rest.contains('@') => NodeType::Email,
            None => return Ok(None),
        };
        let made = self.keys_of(node_type, rest).await?;
        Ok(made.first().map(|key| Found {
            node_type,
            key: *key,
            label: text.trim().to_owned(),
        }))
    }

    /// The keys that a text may have, with their type; none for a key that was typed itself.
    async fn meant(&self, text: &str) -> anyhow::Result<BTreeMap<i64, Option<NodeType>>> {
        let mut meant = BTreeMap::new();
        let (said, rest) = split(text);
        if let Some(node_type) = said {
            for key in self.keys_of(node_type, rest).await? {
                meant.insert(key, Some(node_type));
            }
        }
        for node_type in NodeType::ALL {
            for key in self.keys_of(node_type, text.trim()).await? {
                meant.insert(key, Some(node_type));
            }
        }
        if let Ok(key) = text.trim().parse::<i64>() {
            meant.insert(key, None);
        }
        Ok(meant)
    }

    async fn keys_of(&self, node_type: NodeType, text: &str) -> anyhow::Result<Vec<i64>> {
        let mut values: Vec<String> = Vec::new();
        match node_type {
            NodeType::Email => values.extend(self.keys.pii_hash("email", text)),
            NodeType::Phone => {
                values.extend(self.keys.pii_hash("phone", text));
                let normal = normalise_phone(text);
                values.extend(normal.and_then(|number| self.keys.pii_hash("phone", &number)));
            }
            NodeType::Order => {
                let bare = text.split_once(':').map_or(text, |(_, id)| id);
                for text in [text, bare] {
                    values.extend(self.order_reference(text).await?);
                }
            }
            _ => values.push(text.to_owned()),
        }
        // The hash itself, as it stands in the tables.
        if matches!(node_type, NodeType::Email | NodeType::Phone) {
            values.push(text.to_owned());
        }
        let mut keys: Vec<i64> = values
            .iter()
            .filter(|value| !value.is_empty())
            .filter_map(|value| {
                let parts = [Some("node"), Some(node_type.as_str()), Some(value.as_str())];
                self.keys.durable_key(&parts)
            })
            .collect();
        keys.dedup();
        Ok(keys)
    }

    /// An order's number as the models bring it to one form.
    async fn order_reference(&self, text: &str) -> anyhow::Result<Option<String>> {
        let plain = text.trim().trim_start_matches('#');
        let plain = (!plain.is_empty()).then(|| plain.to_owned());
        let vars = &self.opened.manifest.project.config.vars;
        let pattern = vars.get("order_reference_pattern");
        let pattern = pattern
            .and_then(serde_json::Value::as_str)
            .unwrap_or_default();
        if pattern.is_empty() {
            return Ok(plain);
        }
        let quoted = |text: &str| text.replace('\'', "''");
        let sql = format!(
            "select regexp_match('{}', '{}')[1] as reference",
            quoted(text.trim()),
            quoted(pattern)
        );
        for batch in self.rows(&sql).await? {
            let references = texts(&batch, "reference")?;
            if let Some(reference) = references.iter().flatten().next() {
                return Ok(Some(reference.to_owned()));
            }
        }
        Ok(plain)
    }
}

/// A type that a text begins with, and the rest.
fn split(text: &str) -> (Option<NodeType>, &str) {
    let text = text.trim();
    match text.split_once(':') {
        Some((name, rest)) => match NodeType::parse(&name.to_lowercase()) {
            Some(node_type) => (Some(node_type), rest.trim()),
            None => (None, text),
        },
        None => (None, text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_may_be_said() {
        assert_eq!(split("User: 17"), (Some(NodeType::User), "17"));
        assert_eq!(split(" hubspot:17 "), (None, "hubspot:17"));
        assert_eq!(split("a@b.example"), (None, "a@b.example"));
    }
}
