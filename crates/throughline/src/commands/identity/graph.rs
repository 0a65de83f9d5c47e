//! The graph as the identity tables and the file of decisions have it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, bail};
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{Array as _, Float64Array, Int64Array, PrimitiveArray, RecordBatch, StringArray};
use domain::key::KeyMaker;
use journeys::identity::{
    ComponentsBuilder, Decision, GraphSettings, LinkRow, Node, NodeRow, NodeType, Seen, chain,
};
use lake::LakeError;

use crate::project::{Opened, Place, now};

/// A project with identity tables.
pub(super) struct Known {
    pub(super) opened: Opened,
    pub(super) keys: KeyMaker,
    pub(super) decisions: Vec<Decision>,
}

impl Known {
    pub(super) async fn open(place: Place) -> anyhow::Result<Self> {
        let decisions = super::file::decisions(&place)?;
        let keys = KeyMaker::new(&place.key()?);
        let opened = Opened::open(place, &BTreeMap::new()).await?;
        let names = opened.lake.names().await?;
        for wanted in [
            "int_identity_edge",
            "int_identity_node_seen",
            "bridge_identity",
        ] {
            let is_it = |name: &lake::TableName| name.schema == "identity" && name.name == wanted;
            if !names.iter().any(is_it) {
                bail!("`identity.{wanted}` is not built yet\nhint: throughline run");
            }
        }
        let context = opened.context("identity", now());
        transform::run::register_views(&context).await?;
        Ok(Self {
            opened,
            keys,
            decisions,
        })
    }

    /// The rows of a query.
    pub(super) async fn rows(&self, sql: &str) -> anyhow::Result<Vec<RecordBatch>> {
        let frame = self.opened.warehouse.query(sql).await?;
        Ok(frame.collect().await.map_err(LakeError::of_reading)?)
    }

    /// The graph under these decisions: the project's, and perhaps some more.
    pub(super) async fn evidence(&self) -> anyhow::Result<Evidence> {
        let config = &self.opened.manifest.project.config;
        let mut evidence = Evidence {
            settings: GraphSettings::new(&config.identity)?,
            ends: vec![],
        };
        let nodes = "select node_key as a_key, node_type as a_type, cast(null as bigint) as b_key, \
                     cast(null as text) as b_type, first_at, last_at, \
                     case when node_type in ('contact', 'lead', 'buyer') \
                     then split_part(node_value, ':', 1) end as a_source \
                     from identity.int_identity_node_seen";
        let edges = "select a_node_key as a_key, a_type, b_node_key as b_key, b_type, first_at, \
                     last_at, cast(null as text) as a_source \
                     from identity.int_identity_edge where rule <> 'decision'";
        for sql in [nodes, edges] {
            for batch in self.rows(sql).await? {
                evidence.read(&batch)?;
            }
        }
        Ok(evidence)
    }
}

/// All links, before anything is decided.
pub(super) struct Evidence {
    settings: GraphSettings,
    ends: Vec<(Node, Option<Node>, Seen)>,
}

impl Evidence {
    fn read(&mut self, batch: &RecordBatch) -> anyhow::Result<()> {
        let (a_keys, b_keys) = (integers(batch, "a_key")?, integers(batch, "b_key")?);
        let (a_types, b_types) = (texts(batch, "a_type")?, texts(batch, "b_type")?);
        let (first, last) = (instants(batch, "first_at")?, instants(batch, "last_at")?);
        let sources = texts(batch, "a_source")?;
        let mut numbers: BTreeMap<String, u32> = BTreeMap::new();
        for row in 0..batch.num_rows() {
            let node = |keys: &Int64Array, types: &StringArray| {
                let node_type = NodeType::parse(types.value(row))?;
                Some(Node::new(keys.value(row), node_type))
            };
            let Some(mut a) = node(a_keys, a_types) else {
                continue;
            };
            if sources.is_valid(row) {
                // Only whether two sources are one matters.
                let name = sources.value(row);
                a.source = match numbers.get(name) {
                    Some(number) => *number,
                    None => {
                        let number = domain_number(name);
                        numbers.insert(name.to_owned(), number);
                        number
                    }
                };
            }
            let b = match b_keys.is_valid(row) {
                true => node(b_keys, b_types),
                false => None,
            };
            let at = |times: &PrimitiveArray<TimestampMicrosecondType>| {
                times.is_valid(row).then(|| times.value(row))
            };
            let seen = Seen {
                first_at_us: at(first),
                last_at_us: at(last),
            };
            self.ends.push((a, b, seen));
        }
        Ok(())
    }

    /// What is one customer under these decisions.
    pub(super) fn judged(&self, decisions: &[Decision]) -> anyhow::Result<Judged> {
        let mut builder = ComponentsBuilder::new(self.settings);
        for (a, b, seen) in &self.ends {
            builder.push_seen(*a, *b, *seen)?;
        }
        for one in decisions {
            let b_key = one.b.map(|(_, key)| key);
            builder.decide(one.action, one.a.1, b_key, one.at.timestamp_micros());
        }
        let (rows, links) = builder.finish_with_links();
        Ok(Judged { rows, links })
    }
}

/// A number of a source's name, the same in every batch.
fn domain_number(name: &str) -> u32 {
    // FNV-1a: a project has a handful of sources.
    let hash = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    hash | 1
}

/// Identifiers with their customers, links with whether they count.
pub(super) struct Judged {
    pub(super) rows: Vec<NodeRow>,
    pub(super) links: Vec<LinkRow>,
}

impl Judged {
    /// The row of an identifier, where evidence knows it.
    pub(super) fn row(&self, key: i64) -> Option<&NodeRow> {
        let place = self.rows.binary_search_by_key(&key, |row| row.node_key);
        place.ok().and_then(|place| self.rows.get(place))
    }

    /// The customer that an identifier belongs to; itself where nothing is known of it.
    pub(super) fn customer(&self, key: i64) -> i64 {
        self.row(key).map_or(key, |row| row.component_key)
    }

    /// Two identifiers are one customer.
    pub(super) fn is_one(&self, a: i64, b: i64) -> bool {
        self.customer(a) == self.customer(b)
    }

    /// The identifiers of a customer.
    pub(super) fn members(&self, customer: i64) -> BTreeSet<i64> {
        let rows = self.rows.iter();
        rows.filter(|row| row.component_key == customer)
            .map(|row| row.node_key)
            .collect()
    }

    /// The links from one to another, as [`chain`] finds them.
    pub(super) fn chain(&self, a: i64, b: i64, with_cut: bool) -> Option<Vec<LinkRow>> {
        let places = chain(&self.links, a, b, with_cut)?;
        Some(places.iter().map(|place| self.links[*place]).collect())
    }
}

/// A column of integers.
pub(super) fn integers<'a>(batch: &'a RecordBatch, name: &str) -> anyhow::Result<&'a Int64Array> {
    column(batch, name)
}

/// A column of texts.
pub(super) fn texts<'a>(batch: &'a RecordBatch, name: &str) -> anyhow::Result<&'a StringArray> {
    column(batch, name)
}

/// A column of numbers.
pub(super) fn numbers<'a>(batch: &'a RecordBatch, name: &str) -> anyhow::Result<&'a Float64Array> {
    column(batch, name)
}

/// A column of instants.
pub(super) fn instants<'a>(
    batch: &'a RecordBatch,
    name: &str,
) -> anyhow::Result<&'a PrimitiveArray<TimestampMicrosecondType>> {
    column(batch, name)
}

fn column<'a, T: 'static>(batch: &'a RecordBatch, name: &str) -> anyhow::Result<&'a T> {
    let column = batch.column_by_name(name);
    let column = column.and_then(|column| column.as_any().downcast_ref::<T>());
    column.with_context(|| format!("the identity tables have no usable column `{name}`"))
}
