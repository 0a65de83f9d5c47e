//! `sessionize((select device_key, event_at, event_sequence, event_id, native_session_id, source,
//! medium, campaign_name, … from …))`: the events of each device, in order, cut into sessions.
//!
//! Source, medium and campaign matter only where a change of campaign cuts; an event with a null
//! source brings none.
//!
//! All columns pass through; `session_key`, `session_started_at` and `session_event_index` are
//! added. They are null where an event has no device or no time. The key of a session is made of
//! its device, its native id and the UTC day on which it starts, or of its device and its first
//! event.

use std::sync::Arc;

use arrow_array::builder::{Int32Builder, Int64Builder, TimestampMicrosecondBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use datafusion::common::plan_err;
use datafusion::error::Result;
use domain::key::KeyMaker;
use journeys::sessions::{SessionEvent, SessionPolicy, SessionSettings, Sessionizer, Traffic};
use lake::relation::{InputColumn, RelationFunction, RelationOrder, RelationState};

use super::parse::instant;

const NAME: &str = "sessionize";
const DAY_US: i64 = 86_400_000_000;
const ADDED: [&str; 3] = ["session_key", "session_started_at", "session_event_index"];

/// The relation function.
#[derive(Debug)]
pub(super) struct Sessionize {
    settings: SessionSettings,
    keys: KeyMaker,
}

impl Sessionize {
    pub(super) fn new(settings: SessionSettings, keys: KeyMaker) -> Self {
        Self { settings, keys }
    }
}

impl RelationFunction for Sessionize {
    fn name(&self) -> &str {
        NAME
    }

    fn input_columns(&self) -> Vec<InputColumn> {
        vec![
            InputColumn::required("device_key", DataType::Int64),
            InputColumn::required("event_at", instant()),
            InputColumn::optional("event_sequence", DataType::Int64),
            InputColumn::required("event_id", DataType::Utf8),
            InputColumn::optional("native_session_id", DataType::Utf8),
            InputColumn::optional("source", DataType::Utf8),
            InputColumn::optional("medium", DataType::Utf8),
            InputColumn::optional("campaign_name", DataType::Utf8),
        ]
    }

    fn output_schema(&self, input: &Schema) -> Result<Schema> {
        if let Some(taken) = ADDED.into_iter().find(|name| input.index_of(name).is_ok()) {
            return plan_err!(
                "the subquery of `{NAME}` has a column `{taken}`, which `{NAME}` adds \
                 (hint: rename it with `as`)"
            );
        }
        let mut fields = input.fields().to_vec();
        let [key, started_at, event_index] = ADDED;
        fields.push(Arc::new(Field::new(key, DataType::Int64, true)));
        fields.push(Arc::new(Field::new(started_at, instant(), true)));
        fields.push(Arc::new(Field::new(event_index, DataType::Int32, true)));
        Ok(Schema::new(fields))
    }

    fn order(&self) -> Option<RelationOrder> {
        Some(RelationOrder {
            partition_by: vec!["device_key"],
            order_by: vec!["event_at", "event_sequence", "event_id"],
        })
    }

    fn passes_rows_through(&self) -> bool {
        true
    }

    fn open(&self, input: SchemaRef, output: SchemaRef) -> Result<Box<dyn RelationState>> {
        let column = |name: &str| input.index_of(name).ok();
        Ok(Box::new(Devices {
            sessionizer: Sessionizer::new(self.settings),
            keys: self.keys.clone(),
            device: None,
            session_keys: Vec::new(),
            device_key: input.index_of("device_key")?,
            event_at: input.index_of("event_at")?,
            event_id: input.index_of("event_id")?,
            native_session_id: self
                .settings
                .tracker_ids
                .then(|| column("native_session_id"))
                .flatten(),
            traffic: match self.settings.policy {
                SessionPolicy::Ga4 => None,
                SessionPolicy::UniversalAnalytics { .. } => column("source")
                    .map(|source| [Some(source), column("medium"), column("campaign_name")]),
            },
            output,
        }))
    }
}

/// The device whose events come in.
struct Devices {
    sessionizer: Sessionizer,
    keys: KeyMaker,
    device: Option<i64>,
    /// Keys of the device's sessions, in the order in which they opened.
    session_keys: Vec<Option<i64>>,
    device_key: usize,
    event_at: usize,
    event_id: usize,
    /// Where the tracker's ids are the sessions.
    native_session_id: Option<usize>,
    /// Source, medium and campaign, where a change of them cuts.
    traffic: Option<[Option<usize>; 3]>,
    output: SchemaRef,
}

impl RelationState for Devices {
    fn push(&mut self, batch: RecordBatch) -> Result<Vec<RecordBatch>> {
        let rows = batch.num_rows();
        let devices = batch.column(self.device_key).as_primitive::<Int64Type>();
        let times = batch
            .column(self.event_at)
            .as_primitive::<TimestampMicrosecondType>();
        let event_ids = batch.column(self.event_id).as_string::<i32>();
        let native_ids = self
            .native_session_id
            .map(|index| batch.column(index).as_string::<i32>());
        let traffic = self.traffic.map(|columns| {
            columns.map(|column| column.map(|index| batch.column(index).as_string::<i32>()))
        });
        let mut session_keys = Int64Builder::with_capacity(rows);
        let mut started_at = TimestampMicrosecondBuilder::with_capacity(rows);
        let mut event_index = Int32Builder::with_capacity(rows);
        for row in 0..rows {
            if devices.is_null(row) || times.is_null(row) {
                session_keys.append_null();
                started_at.append_null();
                event_index.append_null();
                continue;
            }
            let device = devices.value(row);
            if self.device != Some(device) {
                self.device = Some(device);
                self.sessionizer.begin_device();
                self.session_keys.clear();
            }
            let event = SessionEvent {
                at_us: times.value(row),
                native_session_id: native_ids.and_then(|ids| text(ids, row)),
                traffic: traffic.and_then(|columns| came_from(columns, row)),
            };
            let step = self.sessionizer.next(&event);
            if step.is_start {
                let key = self.session_key(device, &event, text(event_ids, row));
                self.session_keys.push(key);
            }
            session_keys.append_option(self.session_keys.get(step.session).copied().flatten());
            started_at.append_value(step.started_at_us);
            event_index.append_value(i32::try_from(step.event_index).unwrap_or(i32::MAX));
        }
        let added: [ArrayRef; 3] = [
            Arc::new(session_keys.finish()),
            Arc::new(started_at.finish().with_timezone("UTC")),
            Arc::new(event_index.finish()),
        ];
        let columns = batch.columns().iter().cloned().chain(added).collect();
        Ok(vec![RecordBatch::try_new(
            Arc::clone(&self.output),
            columns,
        )?])
    }

    fn finish(&mut self) -> Result<Vec<RecordBatch>> {
        Ok(vec![])
    }

    fn memory_bytes(&self) -> usize {
        // A session is a few numbers here and in the sessionizer, and its native id.
        self.session_keys.capacity() * 96
    }
}

impl Devices {
    /// The key of the session that this event opens.
    fn session_key(
        &self,
        device: i64,
        event: &SessionEvent<'_>,
        event_id: Option<&str>,
    ) -> Option<i64> {
        let device = device.to_string();
        match event.native_session_id.filter(|id| !id.is_empty()) {
            Some(native) => {
                // The day, as an id that comes back after days is another session.
                let day = event.at_us.div_euclid(DAY_US).to_string();
                let parts = [Some("session"), Some(&*device), Some(native), Some(&*day)];
                self.keys.durable_key(&parts)
            }
            None => {
                let at = event.at_us.to_string();
                let parts = [Some("session"), Some(&*device), Some(&*at), event_id];
                self.keys.durable_key(&parts)
            }
        }
    }
}

/// Where the visitor of this event came from, if it says so.
fn came_from<'a>(columns: [Option<&'a StringArray>; 3], row: usize) -> Option<Traffic<'a>> {
    let [source, medium, campaign] = columns.map(|column| column.and_then(|c| text(c, row)));
    Some(Traffic {
        source: source?,
        medium: medium.unwrap_or_default(),
        campaign: campaign.unwrap_or_default(),
    })
}

fn text(texts: &StringArray, row: usize) -> Option<&str> {
    texts.is_valid(row).then(|| texts.value(row))
}
