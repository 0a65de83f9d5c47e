//! `connected_components((select a_key, a_type, b_key, b_type, linked_at from …))`: which
//! identifiers belong together, and which of them stands for them all.
//!
//! `b_key` null is an identifier alone. `a_source` and `b_source` may be given: two contacts of one
//! source are two people, a contact of each of two sources may be one. `last_at` is when the link
//! was seen last, where that is not `linked_at`. A row with `decision` (`merge`, `unmerge`,
//! `block`, `unblock`, `erase`) is no evidence, but what somebody decided at `linked_at`.

use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, TimestampMicrosecondType};
use arrow_array::{
    Array, ArrayRef, Int32Array, Int64Array, PrimitiveArray, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use datafusion::common::exec_err;
use datafusion::error::{DataFusionError, Result};
use journeys::identity::{Action, ComponentsBuilder, GraphSettings, Node, NodeRow, NodeType, Seen};
use lake::relation::{InputColumn, RelationFunction, RelationState};
use xxhash_rust::xxh3::xxh3_64;

use super::keys::node_type;
use super::parse::instant;

const NAME: &str = "connected_components";

/// Rows of a batch that comes out.
const BATCH_ROWS: usize = 8192;

/// Memory per identifier and per edge while the graph is built, and per row that comes out of it.
const IDENTIFIER_BYTES: usize = 64;
const EDGE_BYTES: usize = 56;
const ROW_BYTES: usize = size_of::<NodeRow>();

/// The relation function.
#[derive(Debug)]
pub(super) struct ConnectedComponents {
    settings: GraphSettings,
}

impl ConnectedComponents {
    pub(super) fn new(settings: GraphSettings) -> Self {
        Self { settings }
    }
}

impl RelationFunction for ConnectedComponents {
    fn name(&self) -> &str {
        NAME
    }

    fn input_columns(&self) -> Vec<InputColumn> {
        vec![
            InputColumn::required("a_key", DataType::Int64),
            InputColumn::required("a_type", DataType::Utf8),
            InputColumn::required("b_key", DataType::Int64),
            InputColumn::required("b_type", DataType::Utf8),
            InputColumn::required("linked_at", instant()),
            InputColumn::optional("a_source", DataType::Utf8),
            InputColumn::optional("b_source", DataType::Utf8),
            InputColumn::optional("last_at", instant()),
            InputColumn::optional("decision", DataType::Utf8),
        ]
    }

    fn output_schema(&self, _input: &Schema) -> Result<Schema> {
        Ok(Schema::new(vec![
            Field::new("node_key", DataType::Int64, false),
            Field::new("node_type", DataType::Utf8, false),
            Field::new("first_at", instant(), true),
            Field::new("degree", DataType::Int32, false),
            Field::new("guard", DataType::Utf8, true),
            Field::new("component_key", DataType::Int64, false),
            Field::new("component_size", DataType::Int32, false),
            Field::new("erased_at", instant(), true),
        ]))
    }

    fn open(&self, input: SchemaRef, output: SchemaRef) -> Result<Box<dyn RelationState>> {
        Ok(Box::new(Graph {
            builder: Some(ComponentsBuilder::new(self.settings)),
            edges: 0,
            nodes: 0,
            a_source: input.index_of("a_source").ok(),
            b_source: input.index_of("b_source").ok(),
            last_at: input.index_of("last_at").ok(),
            decision: input.index_of("decision").ok(),
            input,
            output,
        }))
    }
}

/// The graph while its edges come in.
struct Graph {
    /// None after the end.
    builder: Option<ComponentsBuilder>,
    edges: usize,
    nodes: usize,
    a_source: Option<usize>,
    b_source: Option<usize>,
    last_at: Option<usize>,
    decision: Option<usize>,
    input: SchemaRef,
    output: SchemaRef,
}

/// One end of the edges of a batch.
struct Ends<'a> {
    keys: &'a PrimitiveArray<Int64Type>,
    types: &'a StringArray,
    sources: Option<&'a StringArray>,
    /// The type's text before, which most often comes again.
    last: Option<(&'a str, NodeType)>,
}

impl<'a> Ends<'a> {
    fn new(
        batch: &'a RecordBatch,
        schema: &Schema,
        key: &str,
        node_type: &str,
        source: Option<usize>,
    ) -> Result<Self> {
        Ok(Self {
            keys: batch.column(schema.index_of(key)?).as_primitive(),
            types: batch.column(schema.index_of(node_type)?).as_string(),
            sources: source.map(|index| batch.column(index).as_string()),
            last: None,
        })
    }

    /// The identifier of a row, None where its key is null.
    fn get(&mut self, row: usize) -> Result<Option<Node>> {
        if self.keys.is_null(row) {
            return Ok(None);
        }
        if self.types.is_null(row) {
            return exec_err!("`{NAME}`: identifier {} has no type", self.keys.value(row));
        }
        let name = self.types.value(row);
        let found = match self.last {
            Some((before, found)) if before == name => found,
            _ => node_type(NAME, name)?,
        };
        self.last = Some((name, found));
        // The number of a source is made of its name alone, so that no order of rows changes it.
        let source = match self.sources {
            Some(sources) if sources.is_valid(row) => {
                (xxh3_64(sources.value(row).as_bytes()) >> 32) as u32 | 1
            }
            _ => 0,
        };
        Ok(Some(Node {
            key: self.keys.value(row),
            node_type: found,
            source,
        }))
    }
}

impl RelationState for Graph {
    fn push(&mut self, batch: RecordBatch) -> Result<Vec<RecordBatch>> {
        let Some(builder) = &mut self.builder else {
            return Ok(vec![]);
        };
        let mut a_ends = Ends::new(&batch, &self.input, "a_key", "a_type", self.a_source)?;
        let mut b_ends = Ends::new(&batch, &self.input, "b_key", "b_type", self.b_source)?;
        let linked_at = batch.column(self.input.index_of("linked_at")?);
        let linked_at = linked_at.as_primitive::<TimestampMicrosecondType>();
        let last_at = self.last_at.map(|index| batch.column(index));
        let last_at = last_at.map(|column| column.as_primitive::<TimestampMicrosecondType>());
        let decisions: Option<&StringArray> =
            self.decision.map(|index| batch.column(index).as_string());
        for row in 0..batch.num_rows() {
            let at_us = linked_at.is_valid(row).then(|| linked_at.value(row));
            let last_us = last_at.filter(|last_at| last_at.is_valid(row));
            let seen = Seen {
                first_at_us: at_us,
                last_at_us: last_us.map(|last_at| last_at.value(row)).or(at_us),
            };
            let (a, b) = match (a_ends.get(row)?, b_ends.get(row)?) {
                (Some(a), b) => (a, b),
                (None, Some(b)) => (b, None),
                (None, None) => continue,
            };
            if let Some(name) = decisions.filter(|decisions| decisions.is_valid(row)) {
                let name = name.value(row);
                let Some(action) = Action::parse(name) else {
                    return exec_err!("`{NAME}` knows no decision `{name}`");
                };
                let b_key = b.map(|b| b.key);
                builder.decide(action, a.key, b_key, at_us.unwrap_or_default());
                continue;
            }
            self.edges += usize::from(b.is_some());
            builder
                .push_seen(a, b, seen)
                .map_err(|error| DataFusionError::External(Box::new(error)))?;
        }
        self.nodes = builder.len();
        Ok(vec![])
    }

    fn finish(&mut self) -> Result<Vec<RecordBatch>> {
        let Some(builder) = self.builder.take() else {
            return Ok(vec![]);
        };
        let rows = builder.finish();
        rows.chunks(BATCH_ROWS)
            .map(|rows| batch(rows, &self.output))
            .collect()
    }

    fn memory_bytes(&self) -> usize {
        // The rows that will come out are counted from the start: all are there at the end.
        self.nodes * (IDENTIFIER_BYTES + ROW_BYTES) + self.edges * EDGE_BYTES
    }
}

fn batch(rows: &[NodeRow], output: &SchemaRef) -> Result<RecordBatch> {
    // Counts are far below 2^31: there are at most 2^32 identifiers and memory ends before.
    let count = |count: u32| i32::try_from(count).unwrap_or(i32::MAX);
    let mut types = StringBuilder::with_capacity(rows.len(), rows.len() * 6);
    let mut guards = StringBuilder::with_capacity(rows.len(), 0);
    for row in rows {
        types.append_value(row.node_type.as_str());
        guards.append_option(row.guard.map(|guard| guard.as_str()));
    }
    let first_at = rows
        .iter()
        .map(|row| row.first_at_us)
        .collect::<TimestampMicrosecondArray>();
    let erased_at = rows
        .iter()
        .map(|row| row.erased_at_us)
        .collect::<TimestampMicrosecondArray>();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter_values(
            rows.iter().map(|row| row.node_key),
        )),
        Arc::new(types.finish()),
        Arc::new(first_at.with_timezone("UTC")),
        Arc::new(Int32Array::from_iter_values(
            rows.iter().map(|row| count(row.degree)),
        )),
        Arc::new(guards.finish()),
        Arc::new(Int64Array::from_iter_values(
            rows.iter().map(|row| row.component_key),
        )),
        Arc::new(Int32Array::from_iter_values(
            rows.iter().map(|row| count(row.component_size)),
        )),
        Arc::new(erased_at.with_timezone("UTC")),
    ];
    Ok(RecordBatch::try_new(Arc::clone(output), columns)?)
}
