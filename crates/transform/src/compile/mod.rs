//! From files with Jinja to SQL.
//!
//! [`Manifest::build`] renders every model twice (as on a first build and on later ones) to learn
//! its settings and what it reads; [`Manifest::compile`] renders it with what the runner puts in
//! the place of each relation. No SQL is run or understood here, and nothing outside the project's
//! files is read: no environment, no clock.

pub mod checks;
mod checks_sql;
mod context;
pub mod dependency;
mod fingerprint;
mod objects;
mod personal;
mod references;
mod render;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use indexmap::IndexMap;
use serde_json::Value;

use crate::project::problem::{suggestion, unless};
use crate::project::{Layer, Model, ModelConfig, Origin, Place, Problem, Project, ProjectError};

pub use checks::{Check, CheckKind};
pub use dependency::{Dependency, Relations, Target};
pub use fingerprint::normalised_sql;

use render::{Rendered, Renderer, Scope};

/// A model, with what its Jinja says.
#[derive(Debug, Clone, PartialEq)]
pub struct ParsedModel {
    /// Its file. The layer is the final one.
    pub model: Model,
    /// Its settings.
    pub config: ModelConfig,
    /// What it reads, on a first build or on later ones, sorted; before all the first stream that
    /// the text reads: a silver model gives its rows, and looks up those of others.
    pub dependencies: Vec<Dependency>,
    /// For a model in parts: what each of them reads.
    pub parts: BTreeMap<String, Vec<Dependency>>,
    /// Changes when the SQL that would run changes, and not with formatting. Covers macros,
    /// variables and settings; not the functions of the engine nor the data.
    pub fingerprint: String,
}

impl ParsedModel {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.model.name
    }

    /// Its layer.
    pub fn layer(&self) -> Layer {
        self.model.layer
    }

    /// Its table: `star.fct_order`.
    pub fn table(&self) -> String {
        format!("{}.{}", self.model.layer.schema(), self.model.name)
    }

    /// Its parts, and what each reads: one without a name where it is not in parts.
    pub fn parts(&self) -> Vec<(&str, &[Dependency])> {
        if self.parts.is_empty() {
            return vec![("", &self.dependencies)];
        }
        let parts = self.parts.iter();
        parts
            .map(|(part, reads)| (part.as_str(), reads.as_slice()))
            .collect()
    }
}

/// A model that is not built, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Its name.
    pub model: String,
    /// The streams that it reads and that are not configured; empty where it is switched off.
    pub missing_streams: Vec<String>,
}

impl LeftOut {
    /// Why it is not built.
    pub fn why(&self) -> String {
        let name = &self.model;
        if self.missing_streams.is_empty() {
            return format!("`{name}` is switched off by `enabled`");
        }
        let streams = self.missing_streams.join("`, `");
        format!("`{name}` is left out, because no source has the streams `{streams}`")
    }
}

/// All that a project says, with its Jinja evaluated.
#[derive(Debug)]
pub struct Manifest {
    /// The project as it lies on disk.
    pub project: Project,
    /// The models that can be built by name, in the order of layer and name.
    pub models: IndexMap<String, ParsedModel>,
    /// The models that are not built.
    pub left_out: Vec<LeftOut>,
    /// All checks, in the order of their names.
    pub checks: Vec<Check>,
    renderer: Renderer,
}

impl Manifest {
    /// Evaluates a project. `vars` go over those of `throughline.yml`.
    ///
    /// # Errors
    /// All problems in the models' files together.
    pub fn build(project: Project, vars: &BTreeMap<String, Value>) -> Result<Self, ProjectError> {
        let renderer = Renderer::new(&project, vars)?;
        let mut problems = Vec::new();
        let mut models = IndexMap::new();
        let mut left_out = Vec::new();
        let mut read_streams = BTreeSet::new();
        for model in project.models.values() {
            match parse_model(&renderer, &project, model) {
                Ok(Parsed::Model(parsed)) => {
                    for dependency in &parsed.dependencies {
                        if let Target::Source { source, stream } = &dependency.target {
                            read_streams.insert((source.clone(), stream.clone()));
                        }
                    }
                    models.insert(model.name.clone(), *parsed);
                }
                Ok(Parsed::LeftOut(why)) => left_out.push(why),
                Err(problem) => problems.push(problem),
            }
        }
        models.sort_by(|left_name, left: &ParsedModel, right_name, right| {
            (left.layer(), left_name).cmp(&(right.layer(), right_name))
        });
        if problems.is_empty() {
            references::check_parts(&models, &mut problems);
            references::check_keys(&models, &mut problems);
            references::check_streams(&project, &read_streams, &mut problems);
            references::check_references(&models, &left_out, &mut problems);
        }
        let mut manifest = Self {
            project,
            models,
            left_out,
            checks: vec![],
            renderer,
        };
        manifest.checks = checks::collect(&manifest, &mut problems);
        unless(problems)?;
        Ok(manifest)
    }

    /// The SQL of a model, ending in a line break, without a `;`.
    ///
    /// # Errors
    /// There is no such model, or its Jinja fails.
    pub fn compile(&self, model: &str, relations: &dyn Relations) -> Result<String, Problem> {
        let parsed = self.models.get(model).ok_or_else(|| {
            let known = self.models.keys().map(String::as_str);
            Problem::new(format!("there is no model `{model}`"))
                .hint(suggestion(model, known, "model"))
        })?;
        let scope = Scope::of_model(&parsed.model).with_relations(&parsed.dependencies, relations);
        Ok(self
            .renderer
            .render(&parsed.model.path, &parsed.model.raw_sql, scope)?
            .sql)
    }

    /// The SQL of a check: a SELECT that returns the offending rows.
    ///
    /// # Errors
    /// The Jinja of a singular test fails.
    pub fn check_sql(&self, check: &Check, relations: &dyn Relations) -> Result<String, Problem> {
        if let CheckKind::Singular { raw_sql } = &check.kind {
            let scope = Scope::of_test(&check.name).with_relations(&check.dependencies, relations);
            return Ok(self.renderer.render(&check.path, raw_sql, scope)?.sql);
        }
        Ok(checks_sql::sql(check, relations))
    }

    /// The silver models that promise an entity, in the order of their names.
    pub fn models_of_entity<'a>(
        &'a self,
        entity: &'a str,
    ) -> impl Iterator<Item = &'a ParsedModel> {
        self.models.values().filter(move |parsed| {
            parsed.layer() == Layer::Silver && parsed.config.entity.as_deref() == Some(entity)
        })
    }

    /// What stands for a dependency where nothing is bounded.
    pub fn relation_of(&self, dependency: &Dependency) -> String {
        match &dependency.part {
            Some(part) => crate::warehouse::part_of(dependency.target.name(), part),
            None => self.table_of(&dependency.target),
        }
    }

    /// The table that stands for a target where nothing is bounded.
    pub fn table_of(&self, target: &Target) -> String {
        match target {
            Target::Source { source, stream } => format!("raw.{source}__{stream}"),
            Target::Seed(name) => format!("seeds.{name}"),
            Target::Entity(name) => format!("silver.{name}"),
            Target::Model(name) | Target::Previous(name) => match self.models.get(name) {
                Some(parsed) => parsed.table(),
                None => name.clone(),
            },
        }
    }

    /// Writes every model's SQL, as on a first build with whole inputs, to
    /// `<target_dir>/compiled/<layer>/<name>.sql`.
    ///
    /// # Errors
    /// A file cannot be written, or a model's Jinja fails.
    pub fn write_compiled(&self, target_dir: &Path) -> Result<(), ProjectError> {
        for name in self.models.keys() {
            let relations = WholeTables {
                manifest: self,
                model: name,
            };
            let sql = self.compile(name, &relations)?;
            self.write_compiled_sql(target_dir, name, &sql)?;
        }
        Ok(())
    }

    /// Writes the SQL of one model as it is run.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write_compiled_sql(
        &self,
        target_dir: &Path,
        model: &str,
        sql: &str,
    ) -> Result<(), ProjectError> {
        let layer = self
            .models
            .get(model)
            .map_or(Layer::Marts, ParsedModel::layer);
        let folder = target_dir.join("compiled").join(layer.schema());
        let file = folder.join(format!("{model}.sql"));
        let written = std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&file, sql));
        written.map_err(|source| {
            let path = format!("compiled/{}/{model}.sql", layer.schema());
            ProjectError::Write { path, source }
        })
    }
}

/// Relations as on a first build of everything.
struct WholeTables<'a> {
    manifest: &'a Manifest,
    model: &'a str,
}

impl Relations for WholeTables<'_> {
    fn relation(&self, dependency: &Dependency) -> String {
        self.manifest.relation_of(dependency)
    }

    fn this(&self) -> String {
        self.manifest
            .table_of(&Target::Model(self.model.to_owned()))
    }

    fn is_incremental(&self) -> bool {
        false
    }
}

enum Parsed {
    Model(Box<ParsedModel>),
    LeftOut(LeftOut),
}

/// Refuses cleansing where nothing carries it out.
fn check_cleansing(model: &Model, config: &ModelConfig) -> Result<(), Problem> {
    let columns = &model.properties.columns;
    let cleansed = columns.iter().find(|column| column.cleanse.is_some());
    match cleansed {
        Some(column) if config.entity.is_none() || model.layer != Layer::Silver => {
            let what = format!("`{}` of `{}` has `cleanse`", column.name, model.name);
            Err(Problem::new(what)
                .at(column.place.clone())
                .why("values are cleansed before the contract of a silver model's entity")
                .hint("declare it for the silver model that reads the column from its source"))
        }
        _ => Ok(()),
    }
}

fn parse_model(renderer: &Renderer, project: &Project, model: &Model) -> Result<Parsed, Problem> {
    let first = renderer.render(&model.path, &model.raw_sql, Scope::of_model(model))?;
    let later_scope = Scope::of_model(model).incremental();
    let later = renderer.render(&model.path, &model.raw_sql, later_scope)?;
    let mut config = ModelConfig::default();
    for (setting, value) in &model.properties.config {
        config.set(setting, value).map_err(|problem| Problem {
            place: model.properties.config_places.get(setting).cloned(),
            ..problem
        })?;
    }
    for (setting, value) in &first.config {
        // A call of `config` has checked it already.
        config.set(setting, value)?;
    }
    config
        .complete()
        .and_then(|()| personal::check_bloom(model, &config))
        .map_err(|problem| problem.at(Place::of_word(&model.path, &model.raw_sql, "config")))?;
    check_cleansing(model, &config)?;
    let mut model = model.clone();
    if model.instance.is_none() || model.origin == Origin::Project {
        model.layer = config.schema.unwrap_or(model.layer);
    }
    let Rendered {
        missing_streams, ..
    } = &first;
    let missing = missing_streams
        .union(&later.missing_streams)
        .cloned()
        .collect::<Vec<_>>();
    if !config.enabled || !missing.is_empty() {
        let missing_streams = if config.enabled { missing } else { vec![] };
        return Ok(Parsed::LeftOut(LeftOut {
            model: model.name,
            missing_streams,
        }));
    }
    let mut dependencies = &first.dependencies | &later.dependencies;
    let mut parts = BTreeMap::new();
    for part in &config.parts {
        let scope = || Scope::of_model(&model).of_part(part);
        let first = renderer.render(&model.path, &model.raw_sql, scope())?;
        let later = renderer.render(&model.path, &model.raw_sql, scope().incremental())?;
        let reads = &first.dependencies | &later.dependencies;
        dependencies.extend(reads.iter().cloned());
        parts.insert(part.clone(), reads.into_iter().collect());
    }
    let fingerprint = fingerprint::fingerprint(project, &config, &[&first.sql, &later.sql]);
    let mut dependencies: Vec<Dependency> = dependencies.into_iter().collect();
    // The stream whose rows it gives; the others are looked up.
    dependencies.sort_by_key(|dependency| first.first_source.as_ref() != Some(dependency));
    Ok(Parsed::Model(Box::new(ParsedModel {
        model,
        config,
        dependencies,
        parts,
        fingerprint,
    })))
}
