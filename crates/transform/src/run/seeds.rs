//! Seeds: CSV files of the project or of the program become tables, whenever their text changes.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use datafusion::datasource::MemTable;
use futures::StreamExt as _;
use lake::schema::kept_schema;
use lake::{Change, FileWriter, Layout, TableName, crash};
use xxhash_rust::xxh3::xxh3_128;

use super::Context;
use crate::project::Seed;
use crate::{Result, TransformError};

fn fingerprint(seed: &Seed) -> String {
    let types = format!("{:?}", seed.column_types());
    format!(
        "{:032x}",
        xxh3_128(format!("{types}\n{}", seed.text).as_bytes())
    )
}

/// The seeds' tables that are not as their files say.
pub(super) async fn changing(context: &Context<'_>) -> Result<BTreeSet<String>> {
    let mut changing = BTreeSet::new();
    for seed in context.manifest.project.seeds.values() {
        let name = TableName::new("seeds", &seed.name);
        let table = context.warehouse.lake.table(&name).await?;
        if table.is_none_or(|table| table.ledger.fingerprint != fingerprint(seed)) {
            changing.insert(name.to_string());
        }
    }
    Ok(changing)
}

/// Makes the seeds' tables as their files say.
pub(super) async fn load(context: &Context<'_>) -> Result<()> {
    let changing = changing(context).await?;
    for seed in context.manifest.project.seeds.values() {
        let name = TableName::new("seeds", &seed.name);
        if changing.contains(&name.to_string()) {
            load_one(context, seed, &name).await?;
        } else {
            context.warehouse.catch_up(&name).await?;
        }
    }
    Ok(())
}

async fn load_one(context: &Context<'_>, seed: &Seed, name: &TableName) -> Result<()> {
    let warehouse = context.warehouse;
    let batch = parse(seed)?;
    let table = MemTable::try_new(batch.schema(), vec![vec![batch.clone()]])?;
    let given = warehouse.lend(&seed.name, "__seed", Arc::new(table))?;
    let types = seed.column_types();
    let columns: Vec<String> = batch
        .schema()
        .fields()
        .iter()
        .map(|field| match types.get(field.name()) {
            Some(kind) => format!("cast(\"{0}\" as {kind}) as \"{0}\"", field.name()),
            None => format!("\"{}\"", field.name()),
        })
        .collect();
    let failed = |error: datafusion::error::DataFusionError| TransformError::Seed {
        seed: seed.name.clone(),
        path: seed.path.clone(),
        why: error.strip_backtrace(),
    };
    let rows = warehouse
        .session
        .sql(&format!("select {} from {given}", columns.join(", ")))
        .await
        .map_err(failed)?;
    let schema = kept_schema(name, rows.schema().as_arrow())?;
    let layout = Layout::new(name.clone(), schema);
    let mut writer = FileWriter::new(layout.clone(), warehouse.lake.store(name)?);
    let mut stream = rows.execute_stream().await.map_err(failed)?;
    while let Some(batch) = stream.next().await {
        writer.write(&batch.map_err(failed)?).await?;
    }
    let base = warehouse.lake.table(name).await?;
    let mut change = Change::new(layout);
    change.adds = writer.finish().await?;
    crash::point("seed.written");
    change.overwrite = base.is_some();
    change.removes = base
        .iter()
        .flat_map(|t| t.files.iter())
        .map(|file| file.add.path.clone())
        .collect();
    change.ledger.fingerprint = fingerprint(seed);
    change.ledger.run_id = context.run_id.to_owned();
    warehouse.lake.commit(base.as_deref(), change).await?;
    crash::point("seed.committed");
    warehouse.refresh(name).await?;
    Ok(())
}

/// A seed's rows as text; an empty field is null.
fn parse(seed: &Seed) -> Result<RecordBatch> {
    let failed = |why: String| TransformError::Seed {
        seed: seed.name.clone(),
        path: seed.path.clone(),
        why,
    };
    let mut reader = csv::ReaderBuilder::new().from_reader(seed.text.as_bytes());
    let header: Vec<String> = reader
        .headers()
        .map_err(|error| failed(error.to_string()))?
        .iter()
        .map(|name| name.trim().trim_start_matches('\u{feff}').to_owned())
        .collect();
    let mut columns: Vec<Vec<Option<String>>> = vec![Vec::new(); header.len()];
    for record in reader.records() {
        let record = record.map_err(|error| failed(error.to_string()))?;
        for (index, values) in columns.iter_mut().enumerate() {
            let value = record.get(index).filter(|value| !value.is_empty());
            values.push(value.map(str::to_owned));
        }
    }
    let arrays = columns
        .into_iter()
        .map(|values| Arc::new(StringArray::from(values)) as ArrayRef);
    RecordBatch::try_from_iter_with_nullable(
        header
            .into_iter()
            .zip(arrays)
            .map(|(name, array)| (name, array, true)),
    )
    .map_err(|error| failed(error.to_string()))
}
