//! `ops.audit_log`: the audit log as a table, for administrators.
//!
//! It is read when it is queried, and always whole: a filter chooses rows, it saves no reading.

use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::{ArrayRef, RecordBatch, TimestampMicrosecondArray, UInt64Array};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result as EngineResult;
use datafusion::datasource::MemTable;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;

use crate::audit::{self, AuditError, Place, Record};

/// Records of a batch.
const BATCH_ROWS: usize = 8_192;

/// The columns of the table.
pub fn schema() -> SchemaRef {
    let utc = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let text = |name: &str, is_nullable| Field::new(name, DataType::Utf8, is_nullable);
    Arc::new(Schema::new(vec![
        Field::new("seq", DataType::UInt64, false),
        Field::new("noted_at", utc, false),
        text("principal", false),
        text("address", true),
        text("door", false),
        text("action", false),
        text("object", false),
        text("outcome", false),
        text("detail", false),
    ]))
}

/// The audit log as a table.
#[derive(Debug, Clone)]
pub struct AuditLog {
    place: Place,
}

impl AuditLog {
    /// The log in this place.
    pub fn new(place: Place) -> Self {
        Self { place }
    }

    /// The records, in batches.
    fn batches(&self) -> EngineResult<Vec<RecordBatch>> {
        let failed = |error: AuditError| DataFusionError::External(Box::new(error));
        let records = audit::read(&self.place, 0, usize::MAX).map_err(failed)?;
        records.chunks(BATCH_ROWS).map(batch).collect()
    }
}

#[async_trait]
impl TableProvider for AuditLog {
    fn schema(&self) -> SchemaRef {
        schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> EngineResult<Arc<dyn ExecutionPlan>> {
        let log = self.clone();
        let read = tokio::task::spawn_blocking(move || log.batches()).await;
        let batches = read.map_err(|error| DataFusionError::External(Box::new(error)))??;
        let table = MemTable::try_new(schema(), vec![batches])?;
        table.scan(state, projection, filters, limit).await
    }
}

/// Records as rows.
fn batch(records: &[Record]) -> EngineResult<RecordBatch> {
    let text = |of: &dyn Fn(&Record) -> Option<String>| -> ArrayRef {
        let mut builder = StringBuilder::new();
        for record in records {
            builder.append_option(of(record));
        }
        Arc::new(builder.finish())
    };
    let sequences = UInt64Array::from_iter_values(records.iter().map(|record| record.seq));
    let times = records.iter().map(|record| record.at.timestamp_micros());
    let times = TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC");
    let columns = vec![
        Arc::new(sequences) as ArrayRef,
        Arc::new(times),
        text(&|record| Some(record.principal.clone())),
        text(&|record| record.address.clone()),
        text(&|record| Some(record.door.clone())),
        text(&|record| Some(record.action.clone())),
        text(&|record| Some(record.object.clone())),
        text(&|record| Some(record.outcome.clone())),
        text(&|record| serde_json::to_string(&record.detail).ok()),
    ];
    Ok(RecordBatch::try_new(schema(), columns)?)
}

#[cfg(test)]
mod tests {
    use datafusion::prelude::SessionContext;

    use super::*;
    use crate::audit::{Action, Audit, Event, Outcome};

    #[tokio::test]
    async fn the_log_can_be_queried() {
        let folder = tempfile::tempdir().expect("folder");
        let place = Place::new(folder.path(), None, b"0123456789abcdef");
        let clock = Arc::new(|| chrono::DateTime::UNIX_EPOCH);
        let log = Audit::open(place.clone(), clock).expect("open");
        for name in ["ana", "bob", "ana"] {
            let event = Event::new(name, "rest", Action::Denied, Outcome::Refused);
            log.append(event.with("why", "no role"))
                .await
                .expect("noted");
        }
        let context = SessionContext::new();
        context
            .register_table("audit_log", Arc::new(AuditLog::new(place)))
            .expect("registered");
        let sql = "select principal, count(*) as n, max(seq) as last, min(detail) as detail
                   from audit_log where action = 'denied' group by 1 order by 1";
        let rows = context
            .sql(sql)
            .await
            .expect("planned")
            .collect()
            .await
            .expect("rows");
        let shown = datafusion::arrow::util::pretty::pretty_format_batches(&rows);
        let shown = shown.expect("shown").to_string();
        assert!(
            shown.contains("| ana       | 2 | 3    | {\"why\":\"no role\"} |"),
            "{shown}"
        );
    }
}
