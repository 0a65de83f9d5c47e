//! The one commit layer: how files come into a table and leave it.
//!
//! Every commit carries an application transaction (the table's name and its own batch number), a
//! uuid of its own and the table's ledger. It goes on top of exactly the version that it was
//! decided from, or not at all: never is it put on top of another's. After any error the log is
//! read back and the uuids say whether the commit is in it, so that "error" means absent and "done"
//! means present; only where the log itself cannot be read is the answer [`LakeError::Unclear`].

use std::collections::HashMap;
use std::sync::Arc;

use arrow_schema::SchemaRef;
use deltalake::DeltaTable;
use deltalake::kernel::engine::arrow_conversion::TryIntoKernel as _;
use deltalake::kernel::transaction::{CommitBuilder, CommitProperties};
use deltalake::kernel::{Action, Add, MetadataExt as _, Remove, StructType, Transaction};
use deltalake::operations::create::CreateBuilder;
use deltalake::protocol::{DeltaOperation, SaveMode};
use deltalake::table::state::DeltaTableState;

use crate::error::DeltaContext;
use crate::file::{FileTag, TAG};
use crate::layout::{self, Layout};
use crate::table::{Ledger, Table, read_ledger};
use crate::write::NewFile;
use crate::{Lake, LakeError, Result, TableName, crash, schema};

/// Key of our entry in the commit's information.
pub(crate) const METADATA_KEY: &str = "throughline";

/// A checkpoint of the log is written every so many commits.
const CHECKPOINT_INTERVAL: u64 = 20;

/// What a commit does to a table.
#[derive(Debug, Clone)]
pub struct Change {
    /// How the table is laid out; creates the table where there is none.
    pub layout: Layout,
    /// Files that come in.
    pub adds: Vec<NewFile>,
    /// Paths of files that leave.
    pub removes: Vec<String>,
    /// All rows are replaced: the table's columns become exactly the layout's.
    pub overwrite: bool,
    /// The same rows come in and leave: nobody downstream has anything to do.
    pub rearranges: bool,
    /// The rows were built again and came out as they were: nobody downstream has anything to do.
    pub is_as_before: bool,
    /// What the table is to remember. `batch` and `commit_uuid` are set by the commit.
    pub ledger: Ledger,
}

impl Change {
    /// A change of the table with `layout` that does nothing yet.
    pub fn new(layout: Layout) -> Self {
        Self {
            layout,
            adds: Vec::new(),
            removes: Vec::new(),
            overwrite: false,
            rearranges: false,
            is_as_before: false,
            ledger: Ledger::default(),
        }
    }

    fn changes_rows(&self) -> bool {
        !self.rearranges
            && !self.is_as_before
            && (!self.adds.is_empty() || !self.removes.is_empty())
    }
}

impl Lake {
    /// Takes the files out of a change that came out as the table was, and removes them: the table
    /// keeps its files, and the commit only notes what was seen.
    ///
    /// # Errors
    /// The store cannot be reached.
    pub async fn discard(&self, change: &mut Change) -> Result<()> {
        let store = self.store(&change.layout.table)?;
        change.removes.clear();
        change.overwrite = false;
        crash::point("model.before_discard");
        for file in change.adds.drain(..) {
            // One that stays is named in no log; vacuum finds it.
            let path = object_store::path::Path::from(file.add.path.as_str());
            if let Err(error) = object_store::ObjectStoreExt::delete(&store, &path).await {
                log::debug!("{} is left to vacuum: {error}", file.add.path);
            }
        }
        crash::point("model.discarded");
        Ok(())
    }

    /// Commits `change` on top of `base` (the table as it was read, `None` where there is none)
    /// and gives the table as it then is.
    ///
    /// # Errors
    /// Another writer committed to the table since `base`, a column changed its type, or the
    /// store failed: then the commit is not in the table. Only after [`LakeError::Unclear`] it
    /// may be.
    pub async fn commit(&self, base: Option<&Table>, mut change: Change) -> Result<Arc<Table>> {
        let name = change.layout.table.clone();
        let batch = base.map_or(0, |table| table.ledger.batch) + 1;
        change.ledger.format = crate::FORMAT;
        change.ledger.batch = batch;
        change.ledger.commit_uuid = uuid::Uuid::new_v4().to_string();
        change.ledger.data_batch = match base {
            Some(base) if !change.changes_rows() => base.ledger.data_batch,
            _ => batch,
        };
        let adds = tagged(&change, batch);
        let metadata = serde_json::to_string(&change.ledger).map_err(|error| LakeError::Log {
            table: name.to_string(),
            why: error.to_string(),
        })?;
        let properties = CommitProperties::default()
            .with_metadata([(METADATA_KEY.to_owned(), metadata.into())])
            .with_application_transaction(Transaction::new(name.to_string(), batch))
            // Rows were decided from `base`: on top of another's commit they could be wrong.
            .with_max_retries(0);
        self.prove_conditional_put().await?;
        let answer = match base {
            None => self.create(&change, adds, properties).await,
            Some(table) => self.append(table, &change, adds, properties).await,
        };
        match answer {
            Ok(delta) => {
                let table = self.as_table(&name, delta, change.ledger);
                table
                    .map(|table| self.keep(table))
                    .map_err(|error| unclear(&name, error))
            }
            Err(error) => {
                let uuid = &change.ledger.commit_uuid;
                self.decide(&name, base, uuid, error).await
            }
        }
    }

    /// What became of the commit with this uuid on top of `base`, after an error: the table as it
    /// now is, or an error that says that it is not there. The error may have come after the
    /// commit took effect, and others may have built upon it: the log knows.
    pub(crate) async fn decide(
        &self,
        name: &TableName,
        base: Option<&Table>,
        uuid: &str,
        error: LakeError,
    ) -> Result<Arc<Table>> {
        let now = self.reload(name).await;
        let now = now.map_err(|error| unclear(name, error))?;
        let next = base.map_or(0, |table| table.version + 1);
        let Some(now) = now.filter(|table| table.version >= next) else {
            return Err(error);
        };
        for version in next..=now.version {
            let ledger = read_ledger(name, &now.delta, version).await;
            let ledger = ledger.map_err(|error| unclear(name, error))?;
            if ledger.commit_uuid == uuid {
                return Ok(now);
            }
        }
        Err(LakeError::Conflict {
            table: name.to_string(),
            version: next,
        })
    }

    async fn create(
        &self,
        change: &Change,
        adds: Vec<Action>,
        properties: CommitProperties,
    ) -> Result<DeltaTable> {
        let name = &change.layout.table;
        let columns = kernel_schema(name, &change.layout.schema)?;
        let stats = change.layout.stats_columns();
        let mut configuration = HashMap::from([
            (
                "delta.checkpointInterval".to_owned(),
                Some(CHECKPOINT_INTERVAL.to_string()),
            ),
            (
                "delta.enableExpiredLogCleanup".to_owned(),
                Some("false".to_owned()),
            ),
        ]);
        if stats.is_empty() {
            configuration.insert("delta.dataSkippingNumIndexedCols".into(), Some("0".into()));
        } else {
            configuration.insert(
                "delta.dataSkippingStatsColumns".into(),
                Some(stats.join(",")),
            );
        }
        let own = change.layout.table_properties().into_iter();
        configuration.extend(own.map(|(name, value)| (name, Some(value))));
        crash::point("commit.before_create");
        let created = CreateBuilder::new()
            // Delta knows nothing of our own properties, and carries them.
            .with_raise_if_key_not_exists(false)
            .with_log_store(self.log_store(name)?)
            .with_table_name(name.name.clone())
            .with_columns(columns.fields().cloned())
            .with_configuration(configuration)
            .with_actions(adds)
            .with_commit_properties(properties)
            .await
            .during(name, "creating the table")?;
        crash::point("commit.created");
        Ok(created)
    }

    async fn append(
        &self,
        table: &Table,
        change: &Change,
        mut actions: Vec<Action>,
        properties: CommitProperties,
    ) -> Result<DeltaTable> {
        let name = &table.name;
        let state = table
            .delta
            .snapshot()
            .during(name, "reading the snapshot")?;
        let wanted = if change.overwrite {
            change.layout.schema.clone()
        } else {
            schema::merged(name, &table.schema, &change.layout.schema)?
        };
        let properties_changed = layout::changed(state.metadata().configuration(), &change.layout);
        if wanted != table.schema || !properties_changed.is_empty() {
            let columns = kernel_schema(name, &wanted)?;
            let mut metadata = state.metadata().clone();
            for (property, value) in properties_changed {
                metadata = match value {
                    Some(value) => metadata.add_config_key(property.to_owned(), value),
                    None => metadata.remove_config_key(property),
                }
                .during(name, "changing the layout")?;
            }
            let metadata = metadata
                .with_schema(&columns)
                .during(name, "changing the columns")?;
            actions.insert(0, Action::Metadata(metadata));
        }
        for path in &change.removes {
            let file = table.files.iter().find(|file| &file.add.path == path);
            if let Some(file) = file {
                actions.push(Action::Remove(removal(&file.add, !change.rearranges)));
            }
        }
        let mode = if change.overwrite {
            SaveMode::Overwrite
        } else {
            SaveMode::Append
        };
        let operation = match change.rearranges {
            true => DeltaOperation::Optimize {
                predicate: None,
                target_size: 0,
            },
            false => DeltaOperation::Write {
                mode,
                partition_by: None,
                predicate: None,
            },
        };
        log(table, state, actions, operation, properties).await
    }
}

/// Puts the next entry into the table's log, and a checkpoint where one is due.
async fn log(
    table: &Table,
    state: &DeltaTableState,
    actions: Vec<Action>,
    operation: DeltaOperation,
    properties: CommitProperties,
) -> Result<DeltaTable> {
    let name = &table.name;
    let prepared = CommitBuilder::from(properties)
        .with_actions(actions)
        .build(Some(state), table.delta.log_store(), operation)
        .into_prepared_commit_future()
        .await
        .during(name, "preparing a commit")?;
    crash::point("commit.before_log");
    let logged = prepared.await.during(name, "committing")?;
    crash::point("commit.logged");
    let makes_checkpoint = (logged.version + 1).is_multiple_of(CHECKPOINT_INTERVAL);
    if makes_checkpoint {
        crash::point("commit.before_checkpoint");
    }
    let done = logged.await.during(name, "writing a checkpoint")?;
    if makes_checkpoint {
        crash::point("commit.checkpointed");
    }
    // The snapshot that the library brought up to date: nothing need be read again.
    let mut delta = DeltaTable::new(table.delta.log_store());
    delta.state = Some(done.snapshot());
    Ok(delta)
}

/// The commit may be in the table, and this error hides it.
fn unclear(table: &TableName, source: LakeError) -> LakeError {
    LakeError::Unclear {
        table: table.to_string(),
        source: Box::new(source),
    }
}

/// The files as actions of the log, each with our tag.
fn tagged(change: &Change, batch: i64) -> Vec<Action> {
    let mut actions = Vec::with_capacity(change.adds.len());
    for file in &change.adds {
        let days = file
            .days
            .iter()
            .map(|day| (*day, file.unchanged.get(day).copied().unwrap_or(batch)));
        let tag = FileTag {
            days: days.collect(),
            part: file.part.clone(),
            origins: file.origins.clone(),
            day_sums: file.day_sums.clone(),
            sum: file.sum,
            sorted: file.sorted.clone(),
            batch,
        };
        let mut add = file.add.clone();
        // A tag is plain data: writing it as JSON cannot fail.
        let text = serde_json::to_string(&tag).unwrap_or_default();
        add.tags = Some(HashMap::from([(TAG.to_owned(), Some(text))]));
        actions.push(Action::Add(add));
    }
    actions
}

fn removal(add: &Add, data_change: bool) -> Remove {
    Remove {
        path: add.path.clone(),
        data_change,
        deletion_timestamp: Some(crate::file::log_time_millis()),
        extended_file_metadata: Some(true),
        partition_values: Some(add.partition_values.clone()),
        size: Some(add.size),
        tags: None,
        deletion_vector: None,
        base_row_id: None,
        default_row_commit_version: None,
    }
}

fn kernel_schema(table: &TableName, schema: &SchemaRef) -> Result<StructType> {
    schema
        .as_ref()
        .try_into_kernel()
        .map_err(|error: arrow_schema::ArrowError| LakeError::Log {
            table: table.to_string(),
            why: error.to_string(),
        })
}

/// Opens a Delta table, or says that there is none.
pub(crate) async fn open(
    name: &TableName,
    log_store: deltalake::logstore::LogStoreRef,
    version: Option<u64>,
) -> Result<Option<DeltaTable>> {
    if !log_store
        .is_delta_table_location()
        .await
        .during(name, "looking for the table")?
    {
        return Ok(None);
    }
    let mut table = DeltaTable::new(log_store);
    match version {
        None => table.load().await.during(name, "loading the table")?,
        Some(version) => table
            .load_version(version)
            .await
            .during(name, "loading a version")?,
    }
    Ok(Some(table))
}
