//! The tags of a project's tables: from the contract of the entities, from what the models' `.yml`
//! say, and by lineage through the models in the order in which they are built.

use std::collections::BTreeMap;

use datafusion::catalog::SchemaProvider;
use datafusion::logical_expr::LogicalPlan;
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
    let mut models = Vec::new();
    let graph = Graph::new(manifest)?;
    for name in graph.models() {
        if let Some(model) = manifest.models.get(name) {
            let columns = columns_of(warehouse, model.layer().schema(), name).await;
            let untagged = columns.iter().map(|column| (column.clone(), Tags::new()));
            map.set(model.layer().schema(), name, untagged.collect());
            models.push(Known {
                plan: planned(warehouse, manifest, name).await,
                model,
                columns,
            });
        }
    }
    // A model may read what an earlier build of a later one gave, or of itself: so again and
    // again, until nothing more is tagged.
    for _ in 0..ROUNDS {
        let before = map.clone();
        for known in &models {
            let columns = known.tagged(manifest, &map);
            let declared = &known.model.model.properties.columns;
            let schema = known.model.layer().schema();
            map.set(schema, known.model.name(), with_declared(columns, declared));
        }
        if map == before {
            break;
        }
    }
    Ok(map)
}

/// Tags come to rest after as many rounds as models are read backwards, which is once or twice.
const ROUNDS: usize = 8;

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

/// A model with what it takes to follow tags through it.
struct Known<'a> {
    model: &'a ParsedModel,
    /// None where it cannot be planned.
    plan: Option<LogicalPlan>,
    /// Of its table, where there is one.
    columns: Vec<String>,
}

impl Known<'_> {
    /// The columns of its table with their tags, before what its `.yml` says.
    fn tagged(&self, manifest: &Manifest, map: &TagMap) -> BTreeMap<String, Tags> {
        if let Some(entity) = self.model.config.entity.as_deref().and_then(entity) {
            let columns = self.columns.iter().cloned();
            return columns.map(|name| of_entity(entity, name)).collect();
        }
        let inputs = || -> Tags {
            let read = self.model.dependencies.iter();
            let tags = read.flat_map(|read| of_input(manifest, &read.target, map));
            tags.collect()
        };
        let found = self.plan.as_ref().and_then(|plan| {
            let names = plan
                .schema()
                .fields()
                .iter()
                .map(|field| field.name().clone());
            Some(names.zip(tags_of(plan, map).ok()?).collect())
        });
        let Some(mut all): Option<BTreeMap<String, Tags>> = found else {
            // It cannot be planned while an input is missing; its table may be from before.
            // Whatever it reads may be in any of its columns.
            let mut tags = inputs();
            tags.insert(Tag::pii(UNCLEAR));
            let columns = self.columns.iter().cloned();
            return columns.map(|name| (name, tags.clone())).collect();
        };
        for name in &self.columns {
            // What the runner adds beside the model's own columns comes from its inputs.
            all.entry(name.clone()).or_insert_with(inputs);
        }
        all
    }
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

/// The plan of a model's SQL over whole tables; none where it cannot be planned.
async fn planned(warehouse: &Warehouse, manifest: &Manifest, model: &str) -> Option<LogicalPlan> {
    let sql = manifest.compile(model, &Whole { manifest, model }).ok()?;
    let frame = warehouse.sql(&sql).await.ok()?;
    Some(frame.logical_plan().clone())
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
