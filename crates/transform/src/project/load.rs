//! From files to a project: sorts them, lays the project's over the built-in ones, gives every
//! configured source the silver models of its kind.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use domain::config::ProjectConfig;
use indexmap::IndexMap;

use super::cleansing;
use super::files::{FolderFiles, ModelFile, ModelFiles};
use super::layer::Layer;
use super::problem::{Place, Problem, ProjectError, suggestion, unless};
use super::properties::{self, Properties};
use super::source_kind::SourceKind;
use super::{MacroFile, Model, Origin, Project, Seed, SilverInstance, SingularTest};

/// Name of the file that describes a kind of source.
const SOURCE_FILE: &str = "_source.yml";
/// Name of the project's file.
const CONFIG_FILE: &str = "throughline.yml";

/// See [`Project::load`].
pub(super) fn load(
    dir: &Path,
    config: ProjectConfig,
    builtin: &dyn ModelFiles,
) -> Result<Project, ProjectError> {
    laid_over(dir, config, builtin, FolderFiles::of_project(dir).files()?)
}

/// See [`Project::built_in`].
pub(super) fn built_in(
    config: ProjectConfig,
    builtin: &dyn ModelFiles,
) -> Result<Project, ProjectError> {
    laid_over(Path::new(""), config, builtin, vec![])
}

fn laid_over(
    dir: &Path,
    config: ProjectConfig,
    builtin: &dyn ModelFiles,
    project_files: Vec<ModelFile>,
) -> Result<Project, ProjectError> {
    let mut problems = Vec::new();
    let mut files = Vec::new();
    for file in builtin.files()? {
        files.push((Origin::BuiltIn, file));
    }
    for file in project_files {
        files.push((Origin::Project, file));
    }
    let parts = Parts::sort(files, &mut problems);
    let config_text = std::fs::read_to_string(dir.join(CONFIG_FILE)).unwrap_or_default();
    check_sources(&config, &config_text, &parts.kinds, &mut problems);
    cleansing::check_streams(&config, CONFIG_FILE, &config_text, &mut problems);
    let models = models(&config, &parts, &mut problems);
    let seeds = seeds(&parts, &mut problems);
    check_names(&parts, &models, &seeds, &mut problems);
    let metrics = super::metrics::layer(parts.metrics, &mut problems);
    unless(problems)?;
    Ok(Project {
        dir: dir.to_owned(),
        config,
        source_kinds: parts.kinds,
        models,
        seeds,
        singular_tests: parts.tests,
        macros: parts.macros,
        metrics,
    })
}

/// A file with a name in SQL.
struct Named {
    origin: Origin,
    file: ModelFile,
}

/// All files, sorted by what they are.
#[derive(Default)]
struct Parts {
    kinds: IndexMap<String, SourceKind>,
    /// Folder of a `_source.yml` and the kind it describes.
    kind_folders: BTreeMap<String, String>,
    models: BTreeMap<String, Named>,
    /// Silver models of a kind, by kind and name.
    templates: BTreeMap<(String, String), Named>,
    seeds: BTreeMap<String, Named>,
    tests: IndexMap<String, SingularTest>,
    macros: Vec<MacroFile>,
    model_properties: BTreeMap<(String, Origin), Properties>,
    seed_properties: BTreeMap<(String, Origin), Properties>,
    metrics: Vec<domain::metrics::Source>,
    /// Text of every YAML file, for the places of problems.
    texts: BTreeMap<String, String>,
}

impl Parts {
    fn sort(files: Vec<(Origin, ModelFile)>, problems: &mut Vec<Problem>) -> Self {
        let mut parts = Self::default();
        // Kinds first: whether a model is a template depends on its folder.
        for (_, file) in &files {
            if file_name(&file.path) == SOURCE_FILE {
                parts.add_kind(file, problems);
            }
        }
        for (origin, file) in files {
            if file_name(&file.path) != SOURCE_FILE {
                parts.add(origin, file, problems);
            }
        }
        parts
    }

    fn add_kind(&mut self, file: &ModelFile, problems: &mut Vec<Problem>) {
        match serde_yaml_ng::from_str::<SourceKind>(&file.text) {
            Ok(kind) => {
                self.kind_folders
                    .insert(folder_of(&file.path).to_owned(), kind.kind.clone());
                self.kinds.insert(kind.kind.clone(), kind);
            }
            Err(error) => problems.push(properties::yaml_problem(&file.path, &file.text, &error)),
        }
    }

    fn add(&mut self, origin: Origin, file: ModelFile, problems: &mut Vec<Problem>) {
        let root = file.path.split('/').next().unwrap_or_default().to_owned();
        let is_below = |folder: &str| folder_of(&file.path).split('/').any(|part| part == folder);
        let ending = file.path.rsplit_once('.').map_or("", |(_, ending)| ending);
        match (ending, root.as_str()) {
            ("yml" | "yaml", "tests" | "quality") => {}
            ("yml" | "yaml", "metrics") => self.metrics.push(domain::metrics::Source {
                path: file.path,
                text: file.text,
                is_project: origin == Origin::Project,
            }),
            ("yml" | "yaml", _) => self.add_properties(origin, &file, problems),
            ("csv", _) if is_below("seeds") => {
                let named = Named { origin, file };
                add_named(
                    &mut self.seeds,
                    stem(&named.file.path).to_owned(),
                    named,
                    problems,
                );
            }
            ("sql", _) if is_below("macros") => {
                self.macros.push(MacroFile {
                    path: file.path,
                    origin,
                    text: file.text,
                });
            }
            ("sql", "tests" | "quality") => self.add_test(origin, file, problems),
            ("sql", "models") => {
                let name = stem(&file.path).to_owned();
                let kind = self.kind_folders.get(folder_of(&file.path));
                let is_template =
                    kind.is_some_and(|kind| name.starts_with(&format!("stg_{kind}__")));
                let key = kind
                    .filter(|_| is_template)
                    .map(|kind| (kind.clone(), name.clone()));
                let named = Named { origin, file };
                match key {
                    Some(key) => add_named(&mut self.templates, key, named, problems),
                    None => add_named(&mut self.models, name, named, problems),
                }
            }
            _ => {}
        }
    }

    fn add_test(&mut self, origin: Origin, file: ModelFile, problems: &mut Vec<Problem>) {
        let name = stem(&file.path).to_owned();
        if let Some(known) = self.tests.get(&name).filter(|known| known.origin == origin) {
            problems.push(stands_twice(&name, &known.path, &file.path));
            return;
        }
        let test = SingularTest {
            name: name.clone(),
            path: file.path,
            origin,
            raw_sql: file.text,
        };
        self.tests.insert(name, test);
    }

    fn add_properties(&mut self, origin: Origin, file: &ModelFile, problems: &mut Vec<Problem>) {
        let parsed = properties::parse(&file.path, &file.text, problems);
        self.texts.insert(file.path.clone(), file.text.clone());
        let lists = [
            (parsed.models, &mut self.model_properties),
            (parsed.seeds, &mut self.seed_properties),
        ];
        for (new, known) in lists {
            for (name, properties) in new {
                let key = (name, origin);
                if let Some(first) = known.get(&key) {
                    let place = Place::of_word(&file.path, &file.text, &key.0);
                    let what = format!("`{}` is described twice", key.0);
                    let why = format!("`{}` describes it too", first.path);
                    problems.push(Problem::new(what).at(place).why(why));
                    continue;
                }
                known.insert(key, properties);
            }
        }
    }

    /// What is said of a model under any of `names`: the project's words over the built-in ones,
    /// unless the project's own SQL makes those void.
    fn properties_of(&self, names: &[&str], origin: Origin) -> Properties {
        let find = |origin| {
            names
                .iter()
                .find_map(|name| self.model_properties.get(&((*name).to_owned(), origin)))
        };
        match (find(Origin::BuiltIn), find(Origin::Project)) {
            (Some(base), Some(own)) if origin == Origin::BuiltIn => {
                base.clone().merged(own.clone())
            }
            (_, Some(own)) => own.clone(),
            (Some(base), None) => base.clone(),
            (None, None) => Properties::default(),
        }
    }
}

/// Adds a file under its name; the project's file replaces a built-in one.
fn add_named<K: Ord>(
    map: &mut BTreeMap<K, Named>,
    key: K,
    named: Named,
    problems: &mut Vec<Problem>,
) {
    if let Some(known) = map.get(&key).filter(|known| known.origin == named.origin) {
        let name = stem(&named.file.path);
        problems.push(stands_twice(name, &known.file.path, &named.file.path));
        return;
    }
    map.insert(key, named);
}

fn stands_twice(name: &str, first: &str, second: &str) -> Problem {
    Problem::new(format!(
        "there are two files for `{name}`: `{first}` and `{second}`"
    ))
    .why("a file's name is the name of its table, wherever it lies")
    .hint("rename one of them")
}

fn check_sources(
    config: &ProjectConfig,
    text: &str,
    kinds: &IndexMap<String, SourceKind>,
    problems: &mut Vec<Problem>,
) {
    let place = |word: &str| Place::of_word(CONFIG_FILE, text, word);
    for (name, source) in &config.sources {
        if !is_name(name) {
            problems.push(
                Problem::new(format!("`{name}` cannot be the name of a source"))
                    .at(place(name))
                    .why("it is part of the names of tables")
                    .hint("use small letters, digits and `_`, beginning with a letter"),
            );
        }
        let Some(kind) = &source.kind else { continue };
        let Some(known) = kinds.get(kind) else {
            let what = format!("source `{name}` is of the unknown kind `{kind}`");
            let hint = suggestion(kind, kinds.keys().map(String::as_str), "kind");
            problems.push(Problem::new(what).at(place(kind)).hint(format!(
                "{hint}; or leave `kind` out and write `models/stg_{name}__….sql` yourself"
            )));
            continue;
        };
        let Some(layout) = &source.layout else {
            continue;
        };
        if !known.layouts.contains(layout) {
            let what = format!("source `{name}` has the unknown layout `{layout}`");
            let layouts = known.layouts.iter().map(String::as_str);
            let hint = suggestion(layout, layouts, &format!("layout of `{kind}`"));
            problems.push(Problem::new(what).at(place(layout)).hint(hint));
        }
    }
}

fn models(
    config: &ProjectConfig,
    parts: &Parts,
    problems: &mut Vec<Problem>,
) -> IndexMap<String, Model> {
    let mut all: BTreeMap<(Layer, String), Model> = BTreeMap::new();
    for ((kind, template), named) in &parts.templates {
        let sources = config
            .sources
            .iter()
            .filter(|(_, s)| s.kind.as_ref() == Some(kind));
        let prefix_length = format!("stg_{kind}__").len();
        for (source, _) in sources {
            let name = format!("stg_{source}__{}", &template[prefix_length..]);
            if let Some(own) = parts.models.get(&name) {
                // The project's model of the instance's name wins over the template.
                if own.origin == Origin::Project || own.origin == named.origin {
                    continue;
                }
            }
            let instance = SilverInstance {
                source: source.clone(),
                kind: kind.clone(),
            };
            let properties = parts.properties_of(&[&name, template], named.origin);
            let model = model(&name, named, properties, Some(instance));
            all.insert((model.layer, name), model);
        }
    }
    for (name, named) in &parts.models {
        let layer = Layer::of_path(&named.file.path, name);
        let mut properties = parts.properties_of(&[name], named.origin);
        let replaced = match named.origin {
            Origin::Project => replaced_template(config, parts, name),
            Origin::BuiltIn => None,
        };
        if properties == Properties::default()
            && let Some((_, template)) = &replaced
        {
            properties = parts.properties_of(&[template], Origin::Project);
        }
        let instance = replaced.map(|(instance, _)| instance);
        if !is_name(name) {
            problems.push(
                Problem::new(format!(
                    "`{}` cannot be the name of a model",
                    stem(&named.file.path)
                ))
                .at(Place::of_line(&named.file.path, &named.file.text, 1))
                .why("a file's name is the name of its table")
                .hint("use small letters, digits and `_`, beginning with a letter"),
            );
        }
        all.insert(
            (layer, name.clone()),
            model(name, named, properties, instance),
        );
    }
    all.into_iter()
        .map(|((_, name), model)| (name, model))
        .collect()
}

/// The template that a project's own silver model stands in for, wherever its file lies, and the
/// source that it is then made for: a copy of a built-in model reads what the built-in one did.
fn replaced_template(
    config: &ProjectConfig,
    parts: &Parts,
    name: &str,
) -> Option<(SilverInstance, String)> {
    config.sources.iter().find_map(|(source, settings)| {
        let entities = name.strip_prefix(&format!("stg_{source}__"))?;
        let kind = settings.kind.clone()?;
        let template = format!("stg_{kind}__{entities}");
        if !parts
            .templates
            .contains_key(&(kind.clone(), template.clone()))
        {
            return None;
        }
        let source = source.clone();
        Some((SilverInstance { source, kind }, template))
    })
}

fn model(
    name: &str,
    named: &Named,
    properties: Properties,
    instance: Option<SilverInstance>,
) -> Model {
    let layer = match instance {
        Some(_) => Layer::Silver,
        None => Layer::of_path(&named.file.path, name),
    };
    Model {
        name: name.to_owned(),
        layer,
        path: named.file.path.clone(),
        origin: named.origin,
        raw_sql: named.file.text.clone(),
        instance,
        properties,
    }
}

fn seeds(parts: &Parts, problems: &mut Vec<Problem>) -> IndexMap<String, Seed> {
    const SETTINGS: [&str; 3] = ["column_types", "tags", "meta"];
    let mut all = IndexMap::new();
    for (name, named) in &parts.seeds {
        let said = |origin| parts.seed_properties.get(&(name.clone(), origin));
        let properties = said(Origin::Project)
            .or_else(|| said(Origin::BuiltIn))
            .cloned();
        let properties = properties.unwrap_or_default();
        let unknown = properties
            .config
            .keys()
            .filter(|key| !SETTINGS.contains(&key.as_str()));
        for setting in unknown {
            let what = format!("unknown setting `{setting}` of the seed `{name}`");
            let place = properties
                .config_places
                .get(setting)
                .cloned()
                .unwrap_or_default();
            let hint = suggestion(setting, SETTINGS, "setting");
            problems.push(Problem::new(what).at(place).hint(hint));
        }
        let seed = Seed {
            name: name.clone(),
            path: named.file.path.clone(),
            origin: named.origin,
            text: named.file.text.clone(),
            properties,
        };
        all.insert(name.clone(), seed);
    }
    all
}

/// Names that mean two things, and descriptions of what there is not.
fn check_names(
    parts: &Parts,
    models: &IndexMap<String, Model>,
    seeds: &IndexMap<String, Seed>,
    problems: &mut Vec<Problem>,
) {
    for (name, seed) in seeds {
        if let Some(model) = models.get(name) {
            problems.push(stands_twice(name, &model.path, &seed.path));
        }
        if !is_name(name) {
            problems.push(
                Problem::new(format!(
                    "`{name}` cannot be the name of a seed (`{}`)",
                    seed.path
                ))
                .hint("use small letters, digits and `_`, beginning with a letter"),
            );
        }
    }
    let mut known_models: BTreeSet<&str> = models.keys().map(String::as_str).collect();
    known_models.extend(parts.templates.keys().map(|(_, name)| name.as_str()));
    let known_seeds: BTreeSet<&str> = seeds.keys().map(String::as_str).collect();
    let lists = [
        (&parts.model_properties, &known_models, "model"),
        (&parts.seed_properties, &known_seeds, "seed"),
    ];
    for (list, known, what) in lists {
        for ((name, _), properties) in list {
            if known.contains(name.as_str()) {
                continue;
            }
            let text = parts.texts.get(&properties.path).map_or("", String::as_str);
            problems.push(
                Problem::new(format!("`{name}` is described but there is no such {what}"))
                    .at(Place::of_word(&properties.path, text, name))
                    .hint(suggestion(name, known.iter().copied(), what)),
            );
        }
    }
}

/// Small letters, digits and `_`, beginning with a letter or `_`.
fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

fn file_name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

fn stem(path: &str) -> &str {
    let name = file_name(path);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}
