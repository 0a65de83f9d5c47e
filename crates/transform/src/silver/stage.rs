//! Staging: raw rows of new source files, through the model's SQL, into good rows and bad.
//!
//! Work is by source file: a file is staged whole, once, until the model or its contract changes
//! or the provider replaces the file. What was staged stands in the tags of the staged table's
//! files, so a run that is killed anywhere finds its way.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, BooleanArray, RecordBatch};
use datafusion::arrow::compute;
use datafusion::dataframe::DataFrame;
use futures::StreamExt as _;
use lake::schema::kept_schema;
use lake::{Change, FileWriter, LakeTable, Layout, Ledger, Origin, Table, TableName, crash};

use super::changes::{BEFORE, Changes, Declared};
use super::cleansing;
use super::contract::{Contract, RULE};
use super::quarantine::{self, Bad};
use super::received::{received_name, register_sources};
use super::rules::{self, Cleansed};
use super::typed::typed;
use crate::compile::{Dependency, Manifest, ParsedModel, Relations, Target};
use crate::project::Rows;
use crate::run::Context;
use crate::warehouse::lent;
use crate::{Result, TransformError};

/// What staging came to.
#[derive(Debug, Clone, Copy, Default)]
pub struct Staged {
    /// Source files read.
    pub files: usize,
    /// Rows of theirs that are good.
    pub good: usize,
    /// Rows of theirs that went to quarantine.
    pub bad: usize,
    /// The staged table has another content than before.
    pub changed: bool,
}

/// The source files of a raw table whose rows count: of each path the newest version.
pub fn current_files(raw: &Table) -> BTreeMap<i64, Origin> {
    let mut newest: BTreeMap<String, Origin> = BTreeMap::new();
    for origin in raw.origins().into_values() {
        match newest.get(&origin.path) {
            Some(known) if known.version >= origin.version => {}
            _ => {
                newest.insert(origin.path.clone(), origin);
            }
        }
    }
    newest
        .into_values()
        .map(|origin| (origin.file_id, origin))
        .collect()
}

/// Name of a model's staged table.
pub fn staged_name(model: &str) -> TableName {
    TableName::new("staged", model)
}

/// What is to be staged, and why.
#[derive(Debug, Clone, Default)]
pub struct Work {
    /// Source files whose rows are read.
    pub new: BTreeMap<i64, Origin>,
    /// Source files whose rows leave.
    pub gone: BTreeSet<i64>,
    /// Everything is staged anew.
    pub whole: bool,
    /// What the staged table is to remember of its inputs.
    pub inputs: BTreeMap<String, lake::InputMark>,
    /// Fingerprint of model and contract.
    pub fingerprint: String,
}

impl Work {
    /// There is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.new.is_empty() && self.gone.is_empty() && !self.whole
    }
}

/// Finds out what is to be staged for a silver model.
///
/// # Errors
/// A table cannot be read.
pub async fn work(context: &Context<'_>, model: &ParsedModel, anew: bool) -> Result<Work> {
    let lake = &context.warehouse.lake;
    let contract = contract_of(context.manifest, model)?;
    let mut work = Work {
        fingerprint: format!("{}|{}", model.fingerprint, contract.fingerprint()),
        ..Work::default()
    };
    let Some((source, stream)) = primary(model) else {
        return Ok(work);
    };
    let mut current = BTreeMap::new();
    for (name, is_primary) in raw_tables(model, (source, stream)) {
        if let Some(raw) = lake.table(&name).await? {
            work.inputs.insert(name.to_string(), raw.mark());
            if is_primary {
                current = current_files(&raw);
            }
        }
    }
    let Some(staged) = lake.table(&staged_name(model.name())).await? else {
        work.whole = true;
        work.new = current;
        return Ok(work);
    };
    // A second source is a look-up: when it changes, every row may change.
    let lookups_changed = work.inputs.iter().any(|(name, mark)| {
        *name != format!("raw.{source}__{stream}")
            && staged
                .ledger
                .inputs
                .get(name)
                .is_none_or(|seen| seen.batch < mark.batch)
    });
    if anew || lookups_changed || staged.ledger.fingerprint != work.fingerprint {
        work.whole = true;
        work.new = current;
        return Ok(work);
    }
    let mut seen: BTreeSet<i64> = staged.origins().into_keys().collect();
    seen.extend(barren(&staged.ledger));
    // The quarantine and what was cleansed are committed first: a run that was killed in between
    // may have left rows there of a file that was never staged and is replaced by now.
    let mut beside = vec![quarantine::quarantine_name(model.name())];
    let had_rules = context.warehouse.has(cleansing::ZONE, model.name());
    if had_rules || !contract.cleansing.is_empty() {
        beside.push(cleansing::cleansing_name(model.name()));
    }
    for name in &beside {
        if let Some(table) = lake.table(name).await? {
            let origins = table.origins().into_keys();
            seen.extend(origins.filter(|id| !current.contains_key(id)));
        }
    }
    work.gone = seen
        .iter()
        .filter(|id| !current.contains_key(id))
        .copied()
        .collect();
    work.new = current
        .into_iter()
        .filter(|(id, _)| !seen.contains(id))
        .collect();
    Ok(work)
}

fn primary(model: &ParsedModel) -> Option<(&str, &str)> {
    model
        .dependencies
        .iter()
        .find_map(|dependency| match &dependency.target {
            Target::Source { source, stream } => Some((source.as_str(), stream.as_str())),
            _ => None,
        })
}

fn raw_tables(model: &ParsedModel, primary: (&str, &str)) -> Vec<(TableName, bool)> {
    let sources = model
        .dependencies
        .iter()
        .filter_map(|dependency| match &dependency.target {
            Target::Source { source, stream } => Some((source.as_str(), stream.as_str())),
            _ => None,
        });
    sources
        .map(|(source, stream)| {
            (
                TableName::new("raw", format!("{source}__{stream}")),
                (source, stream) == primary,
            )
        })
        .collect()
}

/// The contract of a silver model, with the settings of its (first) stream.
///
/// # Errors
/// Its cleansing rules are none.
pub(super) fn contract_of(manifest: &Manifest, model: &ParsedModel) -> Result<Contract> {
    let (source, stream) = primary(model).unwrap_or_default();
    let streams = manifest.project.streams();
    let settings = streams
        .iter()
        .find(|known| known.source == source && known.name == stream);
    let entity = model
        .config
        .entity
        .as_deref()
        .and_then(domain::entity::entity);
    let entity = entity.unwrap_or(&domain::entity::entities()[0]);
    let country = manifest.project.config.reporting.home_country.as_ref();
    let read = streams.iter().filter(|stream| {
        let mut targets = model.dependencies.iter().map(|read| &read.target);
        targets.any(|target| {
            matches!(target, Target::Source { source, stream: name }
                if *source == stream.source && *name == stream.name)
        })
    });
    let mut contract = Contract::new(entity, source, settings);
    contract.hashes_names = manifest.project.config.identity.probable_links.enabled;
    contract.cleansed = rules::of_model(model, entity, &rules::defaults(country, settings))?;
    contract.cleansing = rules::fingerprint(
        &contract.cleansed,
        read.map(|stream| (stream, rules::defaults(country, Some(stream)))),
    );
    Ok(contract)
}

fn barren(ledger: &Ledger) -> Vec<i64> {
    let list = ledger
        .notes
        .get("barren")
        .and_then(|value| value.as_array());
    list.into_iter()
        .flatten()
        .filter_map(serde_json::Value::as_i64)
        .collect()
}

/// Stages what `work` says for a silver model.
///
/// # Errors
/// The model's SQL fails, it gives another number of rows than it promises, or a table fails.
pub async fn stage(context: &Context<'_>, model: &ParsedModel, work: &Work) -> Result<Staged> {
    let warehouse = context.warehouse;
    let name = staged_name(model.name());
    let base = warehouse.lake.table(&name).await?;
    let mut contract = contract_of(context.manifest, model)?;
    let (source, stream) = primary(model).ok_or_else(|| TransformError::Silver {
        model: model.name().to_owned(),
        why: "it reads no source".into(),
        hint: "read raw rows with {{ source('…', '…') }}".into(),
    })?;
    let received = register_sources(context, model, (source, stream), &work.new).await?;
    let relations = Bounded {
        model: model.name(),
    };
    let sql = context.manifest.compile(model.name(), &relations)?;
    context.write_compiled(model.name(), &sql)?;
    let raw = lent(model.name(), &format!("{source}__{stream}"));
    let expected: i64 = work.new.values().map(|origin| origin.rows).sum();
    let typed = match typed(context, model, &contract, &sql, &raw).await {
        Err(_) if expected == 0 => {
            // Without a row yet, what was received has none of the columns that the model names: a
            // stream that waits for its first good file stops nothing.
            contract.cleansed.clear();
            typed(context, model, &contract, &contract.no_rows(), &raw).await?
        }
        typed => typed?,
    };

    let schema = output_schema(&name, &typed)?;
    let layout = Layout {
        interval: contract.entity.interval_column().map(str::to_owned),
        stats: vec!["_raw_id".into()],
        ..Layout::new(name.clone(), schema)
    };
    let cleansed = Arc::new(std::mem::take(&mut contract.cleansed));
    let has_rules = !cleansed.is_empty() || !received.is_empty();
    let split = split(context, model, typed, &layout, &work.new, cleansed).await?;
    let (written, bad, mut changes) = split;
    let good: usize = written.iter().map(|file| file.rows).sum();
    check_rows(model, good + bad.len(), expected)?;
    let result = Staged {
        files: work.new.len(),
        good,
        bad: bad.len(),
        changed: true,
    };

    let leaving: BTreeSet<i64> = work.new.keys().chain(&work.gone).copied().collect();
    let place = (source, stream);
    quarantine::replace(context, model, place, bad, &leaving, work).await?;

    if !received.is_empty() {
        changed_in_received(context, model, place, &received, &mut changes).await?;
    }
    let changes = has_rules.then_some(changes);
    cleansing::replace(context, model, place, changes, &leaving, work).await?;

    publish_staged(context, base, layout, written, work).await?;
    Ok(result)
}

/// Looks at what cleansing does to the received columns of a stream.
async fn changed_in_received(
    context: &Context<'_>,
    model: &ParsedModel,
    (source, stream): (&str, &str),
    received: &[Cleansed],
    changes: &mut Changes,
) -> Result<()> {
    let names = received.iter();
    let names = names.map(|column| format!(", \"{}\"", column.name.replace('"', "\"\"")));
    let rows = lent(model.name(), &received_name(source, stream));
    let sql = format!("select _raw_id{} from {rows}", names.collect::<String>());
    let mut rows = context.warehouse.sql(&sql).await?.execute_stream().await?;
    while let Some(batch) = rows.next().await {
        changes.take(&batch?, received, Declared::Stream, "")?;
    }
    Ok(())
}

/// Commits the staged rows: in the place of all where everything was staged anew, else beside those
/// that stay.
async fn publish_staged(
    context: &Context<'_>,
    base: Option<Arc<Table>>,
    layout: Layout,
    written: Vec<lake::NewFile>,
    work: &Work,
) -> Result<()> {
    let warehouse = context.warehouse;
    let mut change = Change::new(layout.clone());
    let origins = written.iter().flat_map(|file| &file.origins);
    let with_rows: BTreeSet<i64> = origins.map(|origin| origin.file_id).collect();
    let new = work.new.keys().copied();
    let mut still_barren: BTreeSet<i64> = new.filter(|id| !with_rows.contains(id)).collect();
    change.adds = written;
    if let Some(base) = &base {
        if work.whole {
            change.overwrite = true;
            change.removes = base.files.iter().map(|f| f.add.path.clone()).collect();
            let days = base.days().into_keys();
            touch(&mut change.ledger, days, base.ledger.batch + 1);
        } else {
            still_barren.extend(barren(&base.ledger));
            change.ledger = base.ledger.clone();
            remove_files(context, base, &work.gone, &layout, &mut change).await?;
        }
    }
    still_barren.retain(|id| !work.gone.contains(id));
    let barren = serde_json::json!(still_barren);
    change.ledger.fingerprint = work.fingerprint.clone();
    change.ledger.inputs = work.inputs.clone();
    change.ledger.run_id = context.run_id.to_owned();
    change.ledger.notes.insert("barren".into(), barren);
    crash::point("staged.written");
    context.unmoved(&layout.table.name, &change.ledger.inputs)?;
    warehouse.lake.commit(base.as_deref(), change).await?;
    crash::point("staged.committed");
    warehouse.refresh(&layout.table).await?;
    Ok(())
}

fn touch(ledger: &mut Ledger, days: impl IntoIterator<Item = chrono::NaiveDate>, batch: i64) {
    ledger
        .emptied
        .extend(days.into_iter().map(|day| (day, batch)));
}

/// Takes the rows of source files that were replaced out of the staged table.
async fn remove_files(
    context: &Context<'_>,
    base: &Arc<Table>,
    gone: &BTreeSet<i64>,
    layout: &Layout,
    change: &mut Change,
) -> Result<()> {
    let hit = |file: &&lake::DataFile| {
        file.tag
            .origins
            .iter()
            .any(|origin| gone.contains(&origin.file_id))
    };
    let paths: Vec<String> = base
        .files
        .iter()
        .filter(hit)
        .map(|file| file.add.path.clone())
        .collect();
    if paths.is_empty() {
        return Ok(());
    }
    let days = base
        .files
        .iter()
        .filter(hit)
        .flat_map(|file| file.tag.days.keys().copied());
    touch(
        &mut change.ledger,
        days.collect::<Vec<_>>(),
        base.ledger.batch + 1,
    );
    let table = LakeTable::only(base, |file| paths.contains(&file.add.path));
    let list: Vec<String> = gone.iter().map(i64::to_string).collect();
    let warehouse = context.warehouse;
    let staged = warehouse.lend(&base.name.name, "__staged", Arc::new(table))?;
    let rest = warehouse
        .sql(&format!(
            "select * from {staged} where (_raw_id >> 29) not in ({})",
            list.join(", ")
        ))
        .await?;
    let mut writer = FileWriter::new(layout.clone(), warehouse.lake.store(&base.name)?)
        .with_origins(
            base.origins()
                .into_values()
                .filter(|o| !gone.contains(&o.file_id)),
        );
    let mut rows = rest.execute_stream().await?;
    while let Some(batch) = rows.next().await {
        writer.write(&batch?).await?;
    }
    change.adds.extend(writer.finish().await?);
    change.removes.extend(paths);
    Ok(())
}

fn check_rows(model: &ParsedModel, given: usize, expected: i64) -> Result<()> {
    if model.config.rows != Rows::One || given as i64 == expected {
        return Ok(());
    }
    Err(TransformError::Silver {
        model: model.name().to_owned(),
        why: format!("{expected} raw rows gave {given} rows; one row in must be one row out"),
        hint: "no `where`, `join` or `distinct` in silver; or say {{ config(rows='some') }} if it \
               takes only some rows, {{ config(rows='many') }} if one row gives several"
            .into(),
    })
}

/// Relations of a silver model: its sources, bounded to the files that are staged.
struct Bounded<'a> {
    model: &'a str,
}

impl Relations for Bounded<'_> {
    fn relation(&self, dependency: &Dependency) -> String {
        match &dependency.target {
            Target::Source { source, stream } => lent(self.model, &format!("{source}__{stream}")),
            Target::Seed(name) => format!("seeds.\"{name}\""),
            other => other.to_string(),
        }
    }

    fn this(&self) -> String {
        format!("silver.\"{}\"", self.model)
    }

    fn is_incremental(&self) -> bool {
        false
    }
}

fn output_schema(name: &TableName, typed: &DataFrame) -> Result<arrow_schema::SchemaRef> {
    let fields: Vec<_> = typed
        .schema()
        .as_arrow()
        .fields()
        .iter()
        .filter(|field| field.name() != RULE && !field.name().starts_with(BEFORE))
        .cloned()
        .collect();
    Ok(kept_schema(name, &arrow_schema::Schema::new(fields))?)
}

/// Runs the rows apart: good ones to files, bad ones to a list.
async fn split(
    context: &Context<'_>,
    model: &ParsedModel,
    typed: DataFrame,
    layout: &Layout,
    origins: &BTreeMap<i64, Origin>,
    cleansed: Arc<Vec<Cleansed>>,
) -> Result<(Vec<lake::NewFile>, Vec<Bad>, Changes)> {
    let streams = typed
        .execute_stream_partitioned()
        .await
        .map_err(|error| context.model_error(model, error.into()))?;
    let store = context.warehouse.lake.store(&layout.table)?;
    let mut tasks = tokio::task::JoinSet::new();
    for mut rows in streams {
        let mut writer =
            FileWriter::new(layout.clone(), store.clone()).with_origins(origins.values().cloned());
        let cleansed = Arc::clone(&cleansed);
        tasks.spawn(async move {
            let mut bad = Vec::new();
            let mut changes = Changes::default();
            while let Some(batch) = rows.next().await {
                let batch = batch?;
                changes.take(&batch, &cleansed, Declared::Model, BEFORE)?;
                let good = separate(&batch, &mut bad)?;
                writer.write(&good).await?;
            }
            Ok::<_, TransformError>((writer.finish().await?, bad, changes))
        });
    }
    let (mut files, mut bad, mut changes) = (Vec::new(), Vec::new(), Changes::default());
    while let Some(done) = tasks.join_next().await {
        let done = done.map_err(|error| TransformError::Setup(error.to_string()))?;
        let (new_files, new_bad, new_changes) =
            done.map_err(|error| context.model_error(model, error))?;
        files.extend(new_files);
        bad.extend(new_bad);
        changes.add(new_changes);
    }
    bad.sort();
    Ok((files, bad, changes))
}

/// The good rows of a batch; its bad ones are added to `bad`.
fn separate(batch: &RecordBatch, bad: &mut Vec<Bad>) -> Result<RecordBatch> {
    let engine = |error: datafusion::arrow::error::ArrowError| {
        TransformError::from(datafusion::error::DataFusionError::from(error))
    };
    let Some(rules) = batch.column_by_name(RULE) else {
        return Ok(batch.clone());
    };
    if rules.null_count() == rules.len() {
        return Ok(batch.clone());
    }
    let texts = compute::cast(rules, &arrow_schema::DataType::Utf8).map_err(engine)?;
    let texts = texts.as_string::<i32>();
    let ids = batch
        .column_by_name("_raw_id")
        .map(|ids| ids.as_primitive::<Int64Type>().clone());
    if let Some(ids) = ids {
        for row in 0..batch.num_rows() {
            if texts.is_valid(row) {
                bad.push(Bad {
                    raw_id: ids.value(row),
                    rule: texts.value(row).to_owned(),
                });
            }
        }
    }
    let keep: BooleanArray = (0..texts.len())
        .map(|row| Some(texts.is_null(row)))
        .collect();
    compute::filter_record_batch(batch, &keep).map_err(engine)
}
