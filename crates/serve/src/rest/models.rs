//! `/models` and `/lineage`: how tables are made, and of what.

use std::collections::BTreeSet;

use axum::extract::Path;
use axum::response::Response;
use serde::Serialize;
use serde_json::json;
use transform::compile::ParsedModel;
use transform::graph::{Graph, Node};
use utoipa::ToSchema;

use super::ask::Ask;
use super::endpoint::{Endpoint, Param};
use super::problem::Problem;
use super::{rows, tables};

/// All models that make tables that the caller may see.
#[derive(Debug, Serialize, ToSchema)]
struct Models {
    /// They, in the order of their layers.
    models: Vec<ModelName>,
}

/// A model in a list.
#[derive(Debug, Serialize, ToSchema)]
struct ModelName {
    /// Its name, which is that of its table.
    name: String,
    /// Schema of its table.
    schema: String,
    /// `table`, `view` or `incremental`.
    materialized: String,
    /// What it is.
    description: String,
}

/// A model.
#[derive(Debug, Serialize, ToSchema)]
struct Model {
    /// Its name, which is that of its table.
    name: String,
    /// Schema of its table.
    schema: String,
    /// `table`, `view` or `incremental`.
    materialized: String,
    /// What it is.
    description: String,
    /// The file that it is written in.
    path: String,
    /// The columns that the caller may see.
    columns: Vec<tables::Column>,
    /// What it reads.
    parents: Vec<NodeName>,
    /// What reads it.
    children: Vec<NodeName>,
    /// SQL with Jinja, as it is written; for administrators.
    sql: Option<String>,
}

/// A part of the lineage.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
struct NodeName {
    /// `model`, `seed` or `source`.
    kind: &'static str,
    /// Its name; of a stream of a source, `source.stream`.
    name: String,
}

/// What is made of what.
#[derive(Debug, Serialize, ToSchema)]
struct Lineage {
    /// Models, seeds and streams of sources.
    nodes: Vec<NodeName>,
    /// What reads what.
    edges: Vec<Edge>,
}

/// Something that is read.
#[derive(Debug, Serialize, ToSchema)]
struct Edge {
    /// What is read.
    from: NodeName,
    /// What reads it.
    to: NodeName,
}

const MODEL: Param = Param {
    name: "model",
    schema: r#"{"type": "string", "minLength": 1}"#,
    description: "Only what this model is made of, and what is made of it.",
};

pub(super) fn endpoints() -> Vec<Endpoint> {
    let parent = json!({"kind": "model", "name": "fct_order"});
    let child = json!({"kind": "model", "name": "mart_worth"});
    let name = json!({
        "name": "mart_worth", "schema": "marts", "materialized": "table",
        "description": "What customers are worth.",
    });
    let model = json!({
        "name": "mart_worth", "schema": "marts", "materialized": "table",
        "description": "What customers are worth.", "path": "models/4_marts/mart_worth.sql",
        "columns": [], "parents": [parent], "children": [], "sql": null,
    });
    let lineage = json!({
        "nodes": [parent, child], "edges": [{"from": parent, "to": child}],
    });
    vec![
        Endpoint::get("/api/v1/models", list)
            .says(
                "listModels",
                "All models",
                "The models whose tables the caller may see.",
            )
            .tag("models")
            .gives::<Models>(200, "The models.", json!({"models": [name]})),
        Endpoint::get("/api/v1/models/{name}", show)
            .says(
                "getModel",
                "One model",
                "What a table is, and what it is made of.",
            )
            .tag("models")
            .gives::<Model>(200, "The model.", model),
        Endpoint::get("/api/v1/lineage", lineage_of)
            .says(
                "getLineage",
                "Lineage",
                "What is made of what, as far as the caller may see it.",
            )
            .tag("models")
            .takes(&[MODEL])
            .gives::<Lineage>(200, "The lineage.", lineage)
            .errors(&[404]),
    ]
}

/// What of the project a caller may know.
struct Known {
    tables: BTreeSet<String>,
    is_admin: bool,
}

impl Known {
    async fn to(ask: &Ask) -> Result<Self, Problem> {
        let session = ask.session().await?;
        Ok(Self {
            tables: tables::names(&session),
            is_admin: ask.caller.is_admin,
        })
    }

    fn model(&self, model: &ParsedModel) -> bool {
        self.is_admin || self.tables.contains(&model.table())
    }

    fn node(&self, ask: &Ask, node: &Node) -> bool {
        match node {
            Node::Source { .. } => self.is_admin,
            Node::Seed(name) => self.is_admin || self.tables.contains(&format!("seeds.{name}")),
            Node::Model(name) => {
                let model = ask.app.doors.manifest.models.get(name);
                model.is_some_and(|model| self.model(model))
            }
        }
    }
}

async fn list(ask: Ask) -> Result<Response, Problem> {
    let known = Known::to(&ask).await?;
    let models = ask.app.doors.manifest.models.values();
    let models = models
        .filter(|model| known.model(model))
        .map(|model| ModelName {
            name: model.name().to_owned(),
            schema: model.layer().schema().to_owned(),
            materialized: materialized(model),
            description: model.model.properties.description.trim().to_owned(),
        });
    Ok(rows::json(&Models {
        models: models.collect(),
    }))
}

async fn show(ask: Ask, Path(name): Path<String>) -> Result<Response, Problem> {
    let known = Known::to(&ask).await?;
    let manifest = ask.app.doors.manifest.clone();
    let model = manifest
        .models
        .get(&name)
        .filter(|model| known.model(model));
    let model = model.ok_or_else(|| missing(&name))?;
    let schema = model.layer().schema().to_owned();
    let session = ask.session().await?;
    // A model that was never built has no table yet.
    let columns = match tables::visible(&session, &schema, &name).await {
        Ok(visible) => tables::columns(&ask, &schema, &name, &visible),
        Err(_) => vec![],
    };
    let graph = graph(&ask)?;
    let node = Node::Model(name.clone());
    let told = |node: &&Node| known.node(&ask, node);
    Ok(rows::json(&Model {
        materialized: materialized(model),
        description: model.model.properties.description.trim().to_owned(),
        path: model.model.path.clone(),
        columns,
        parents: graph.parents(&node).filter(told).map(named).collect(),
        children: graph.children(&node).filter(told).map(named).collect(),
        sql: known.is_admin.then(|| model.model.raw_sql.clone()),
        schema,
        name,
    }))
}

async fn lineage_of(ask: Ask) -> Result<Response, Problem> {
    let known = Known::to(&ask).await?;
    let graph = graph(&ask)?;
    let mut wanted: BTreeSet<Node> = graph.order().iter().cloned().collect();
    if let Some(name) = ask.params.get(MODEL.name) {
        let node = Node::Model(name.to_owned());
        if !graph.order().contains(&node) || !known.node(&ask, &node) {
            return Err(missing(name));
        }
        wanted = graph.ancestors(&node);
        wanted.extend(graph.descendants(&node));
        wanted.insert(node);
    }
    wanted.retain(|node| known.node(&ask, node));
    let edges = wanted.iter().flat_map(|node| {
        let parents = graph.parents(node).filter(|parent| wanted.contains(parent));
        parents.map(|parent| Edge {
            from: named(parent),
            to: named(node),
        })
    });
    Ok(rows::json(&Lineage {
        edges: edges.collect(),
        nodes: wanted.iter().map(named).collect(),
    }))
}

fn graph(ask: &Ask) -> Result<Graph, Problem> {
    Graph::new(&ask.app.doors.manifest).map_err(|error| Problem::internal(&error))
}

fn missing(name: &str) -> Problem {
    let shown: String = name.chars().filter(|c| !c.is_control()).take(63).collect();
    Problem::missing(format!(
        "there is no model `{shown}`, or you may not see it"
    ))
    .hint("GET /api/v1/models lists them")
}

fn named(node: &Node) -> NodeName {
    NodeName {
        kind: match node {
            Node::Model(_) => "model",
            Node::Seed(_) => "seed",
            Node::Source { .. } => "source",
        },
        name: node.name(),
    }
}

fn materialized(model: &ParsedModel) -> String {
    let text = serde_json::to_value(model.config.materialized).unwrap_or_default();
    text.as_str().unwrap_or_default().to_owned()
}
