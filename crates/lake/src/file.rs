//! One data file of a table as the log describes it: size, rows, statistics, tags.

use std::collections::BTreeMap;

use arrow_schema::{DataType, SchemaRef};
use chrono::{DateTime, NaiveDate};
use datafusion::common::ScalarValue;
use deltalake::kernel::Add;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Key of our tag in a file's `tags`.
pub(crate) const TAG: &str = "throughline";

/// What we write beside a file into the log. It survives checkpoints, and it is committed with
/// the file itself: so the ledger can never disagree with the data.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FileTag {
    /// For tables kept by day: each day in the file and the batch in which that day last changed.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub days: BTreeMap<NaiveDate, i64>,
    /// For a table in parts: the part whose rows the file holds.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub part: String,
    /// For raw and staged tables: the source files whose rows are in this file.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub origins: Vec<Origin>,
    /// What the rows of each of its days say, as a number (see `content`).
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub day_sums: BTreeMap<NaiveDate, u64>,
    /// What its rows say, for a table that is not kept by day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sum: Option<u64>,
    /// The columns by which its writer saw its rows lie in ascending order, nulls last.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sorted: Vec<String>,
    /// The batch that added the file.
    pub batch: i64,
}

/// A source file whose rows a data file holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Key of this version of the source file.
    pub file_id: i64,
    /// Path relative to the project, with forward slashes.
    pub path: String,
    /// Hash of the bytes as they lay.
    pub content_hash: String,
    /// Rows in it.
    pub rows: i64,
    /// Size as it lay.
    #[serde(default)]
    pub bytes: u64,
    /// Which version of this path it is, 1 being the first seen.
    #[serde(default)]
    pub version: i64,
    /// A mark of the settings by which it was read; empty where none was kept.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reading: String,
}

/// A data file.
#[derive(Debug, Clone)]
pub struct DataFile {
    /// The action that added it, as it stands in the log.
    pub add: Add,
    /// Rows.
    pub rows: usize,
    /// Statistics by column name: minimum, maximum, nulls. Only of typed, impersonal columns.
    pub stats: BTreeMap<String, ColumnRange>,
    /// Our tag.
    pub tag: FileTag,
}

/// Range of a column within a file.
#[derive(Debug, Clone)]
pub struct ColumnRange {
    /// Smallest value, if known.
    pub min: Option<ScalarValue>,
    /// Largest value, if known.
    pub max: Option<ScalarValue>,
    /// Nulls, if known.
    pub nulls: Option<u64>,
}

impl DataFile {
    /// Reads what the log says of a file.
    pub fn from_add(add: Add, schema: &SchemaRef) -> Self {
        let stats: Value = add
            .stats
            .as_deref()
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or(Value::Null);
        let tag = add
            .tags
            .as_ref()
            .and_then(|tags| tags.get(TAG).cloned().flatten())
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default();
        let mut ranges = BTreeMap::new();
        for field in schema.fields() {
            let name = field.name().as_str();
            let nulls = stats["nullCount"][name].as_u64();
            let min = scalar(&stats["minValues"][name], field.data_type(), false);
            let max = scalar(&stats["maxValues"][name], field.data_type(), true);
            if nulls.is_some() || min.is_some() || max.is_some() {
                ranges.insert(name.to_owned(), ColumnRange { min, max, nulls });
            }
        }
        let rows = stats["numRecords"].as_u64().unwrap_or(0) as usize;
        Self {
            add,
            rows,
            stats: ranges,
            tag,
        }
    }

    /// First and last day of `column` in this file.
    pub fn day_range(&self, column: &str) -> Option<(NaiveDate, NaiveDate)> {
        let range = self.stats.get(column)?;
        Some((as_day(range.min.as_ref()?)?, as_day(range.max.as_ref()?)?))
    }
}

fn as_day(value: &ScalarValue) -> Option<NaiveDate> {
    match value {
        ScalarValue::Date32(Some(days)) => day_from_number(*days),
        _ => None,
    }
}

/// The day that is `days` after 1970-01-01.
pub fn day_from_number(days: i32) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(1970, 1, 1)?.checked_add_signed(chrono::Duration::days(days.into()))
}

/// Days after 1970-01-01.
pub fn day_number(day: NaiveDate) -> i32 {
    day.signed_duration_since(NaiveDate::default()).num_days() as i32
}

/// A value of the log's statistics. Instants there are cut to milliseconds, so a maximum is
/// moved up by one. Texts are not read: they may be cut short.
fn scalar(value: &Value, kind: &DataType, is_max: bool) -> Option<ScalarValue> {
    match kind {
        DataType::Int64 => value.as_i64().map(|v| ScalarValue::Int64(Some(v))),
        DataType::Boolean => value.as_bool().map(|v| ScalarValue::Boolean(Some(v))),
        DataType::Date32 => {
            let day = NaiveDate::parse_from_str(value.as_str()?, "%Y-%m-%d").ok()?;
            Some(ScalarValue::Date32(Some(day_number(day))))
        }
        DataType::Timestamp(_, zone) => {
            let at = DateTime::parse_from_rfc3339(value.as_str()?).ok()?;
            let micros = at.timestamp_micros() + if is_max { 1_000 } else { 0 };
            Some(ScalarValue::TimestampMicrosecond(
                Some(micros),
                zone.clone(),
            ))
        }
        _ => None,
    }
}

/// Now, for the log's own time stamps: no result depends on it.
#[expect(
    clippy::disallowed_methods,
    reason = "the log's own time stamps; no result depends on it"
)]
pub(crate) fn log_time_millis() -> i64 {
    chrono::Utc::now().timestamp_millis()
}
