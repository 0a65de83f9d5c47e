//! The tags of a project's tables: from the contract of the entities, from what the models' `.yml`
//! say, and by lineage through the models in the order in which they are built.

use std::collections::BTreeMap;

use datafusion::catalog::SchemaProvider;
use domain::entity::{Entity, entities, entity, stored_columns};
use transform::Warehouse;
use transform::compile::{Manifest, ParsedModel, Target};
use transform::graph::Graph;
use transform::project::ColumnDoc;
use transform::warehouse::Whole;

use super::lineage::{UNCHECKED, tags_of};
use super::{Tag, TagMap, Tags, UNCLEAR};

/// Columns of entities that hold identifiers of people, of whatever type.
const IDENTIFIERS: [(&str, &str); 2] = [("identity_link", "a_value"), ("identity_link", "b_value")];
/// The column in which a source's surplus is kept: no contract says what is in it.
const SURPLUS: &str = "properties";

/// The tags of all tables and views of a project.
///
/// # Errors
/// The models cannot be ordered.
pub async fn of_project(warehouse: &Warehouse, manifest: &Manifest) -> transform::Result<TagMap> {
    let mut map = TagMap::default();
    for entity in entities() {
        let columns = stored_columns(entity);
        let names = columns.iter().map(|column| column.name.clone());
        map.set(
            "silver",
            &entity.name,
            names.map(|name| of_entity(entity, name)).collect(),
        );
    }
    for (name, seed) in &manifest.project.seeds {
        let columns = columns_of(warehouse, "seeds", name).await;
        let plain = columns.into_iter().map(|column| (column, Tags::new()));
        map.set(
            "seeds",
            name,
            with_declared(plain.collect(), &seed.properties.columns),
        );
    }
    let graph = Graph::new(manifest)?;
    let order: Vec<String> = graph.models().map(str::to_owned).collect();
    for name in order {
        if let Some(model) = manifest.models.get(&name) {
            let columns = of_model(warehouse, manifest, model, &map).await;
            let declared = &model.model.properties.columns;
            map.set(
                model.layer().schema(),
                &name,
                with_declared(columns, declared),
            );
        }
    }
    Ok(map)
}

/// A column of an entity with its tags.
fn of_entity(entity: &Entity, name: String) -> (String, Tags) {
    let stored = stored_columns(entity);
    let known = stored.into_iter().find(|column| column.name == name);
    let Some(known) = known else {
        return (name, [Tag::new(UNCHECKED, "")].into());
    };
    let mut tags = Tags::new();
    if let Some(kind) = known.hash_of {
        let kind = format!("{kind:?}").to_lowercase();
        tags.insert(Tag::pii(&format!("{kind}_hash")));
    }
    if name == SURPLUS {
        tags.insert(Tag::new(UNCHECKED, ""));
    }
    if IDENTIFIERS.contains(&(entity.name.as_str(), name.as_str())) {
        tags.insert(Tag::pii("identifier"));
    }
    (name, tags)
}

/// The columns of a model's table with their tags, before what its `.yml` says.
async fn of_model(
    warehouse: &Warehouse,
    manifest: &Manifest,
    model: &ParsedModel,
    map: &TagMap,
) -> BTreeMap<String, Tags> {
    let columns = columns_of(warehouse, model.layer().schema(), model.name()).await;
    if let Some(entity) = model.config.entity.as_deref().and_then(entity) {
        return columns
            .into_iter()
            .map(|name| of_entity(entity, name))
            .collect();
    }
    let planned = planned(warehouse, manifest, model.name(), map).await;
    let inputs = || -> Tags {
        let read = model.dependencies.iter();
        let tags = read.flat_map(|read| of_input(manifest, &read.target, map));
        tags.collect()
    };
    let Some(planned) = planned else {
        // It cannot be planned while an input is missing; its table may be from before. Whatever it
        // reads may be in any of its columns.
        let mut tags = inputs();
        tags.insert(Tag::pii(UNCLEAR));
        return columns
            .into_iter()
            .map(|name| (name, tags.clone()))
            .collect();
    };
    let mut all = planned;
    for name in columns {
        // What the runner adds beside the model's own columns comes from its inputs.
        all.entry(name).or_insert_with(inputs);
    }
    all
}

fn of_input(manifest: &Manifest, target: &Target, map: &TagMap) -> Tags {
    let table = manifest.table_of(target);
    let Some((schema, name)) = table.split_once('.') else {
        return [Tag::pii(UNCLEAR)].into();
    };
    let columns = map
        .table(schema, name)
        .map(|columns| columns.values().flatten().cloned());
    match columns {
        Some(tags) => tags.collect(),
        None => [Tag::pii(UNCLEAR)].into(),
    }
}

/// The columns that a model's SQL gives, with their tags; none where it cannot be planned.
async fn planned(
    warehouse: &Warehouse,
    manifest: &Manifest,
    model: &str,
    map: &TagMap,
) -> Option<BTreeMap<String, Tags>> {
    let sql = manifest.compile(model, &Whole { manifest, model }).ok()?;
    let frame = warehouse.sql(&sql).await.ok()?;
    let plan = frame.logical_plan();
    let tags = tags_of(plan, map).ok()?;
    let names = plan
        .schema()
        .fields()
        .iter()
        .map(|field| field.name().clone());
    Some(names.zip(tags).collect())
}

async fn columns_of(warehouse: &Warehouse, schema: &str, table: &str) -> Vec<String> {
    let catalog = warehouse.session.catalog("throughline");
    let Some(schema) = catalog.and_then(|catalog| catalog.schema(schema)) else {
        return vec![];
    };
    match SchemaProvider::table(&*schema, table).await {
        Ok(Some(table)) => {
            let schema = table.schema();
            schema
                .fields()
                .iter()
                .map(|field| field.name().clone())
                .collect()
        }
        _ => vec![],
    }
}

/// With what a `.yml` says of the columns.
fn with_declared(
    mut columns: BTreeMap<String, Tags>,
    docs: &[ColumnDoc],
) -> BTreeMap<String, Tags> {
    for doc in docs {
        let Some(tags) = columns.get_mut(&doc.name) else {
            continue;
        };
        tags.retain(|tag| !doc.declassify.contains(&tag.name));
        tags.extend(doc.tags.iter().map(|tag| Tag::parse(tag)));
    }
    columns
}
