//! What models can say in Jinja: `config`, `ref`, `source`, `entity`, `var`, `this` and the rest.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use minijinja::value::{Kwargs, Rest, Serde};
use minijinja::{Error, ErrorKind, Value};

use super::dependency::{Dependency, Target};
use super::objects::{Adapter, Config, Exceptions, RELATION_PARTS, Relation, This};
use super::render::{Rendered, Scope};
use crate::project::problem::suggestion;
use crate::project::{Problem, Project, SourceKind};

/// What a file asks for, noted while it is rendered.
pub(super) type Notes = Arc<Mutex<Rendered>>;

/// What the whole project knows.
pub(super) struct Known {
    models: BTreeMap<String, &'static str>,
    seeds: BTreeSet<String>,
    /// Streams by source.
    sources: BTreeMap<String, BTreeSet<String>>,
    kinds: BTreeMap<String, SourceKind>,
    vars: BTreeMap<String, Value>,
    project: Value,
    /// Settings of each source that a silver model may ask for.
    source_settings: BTreeMap<String, Value>,
    /// Everything that can stand first in an expression, for advice.
    pub(super) names: BTreeSet<String>,
}

/// Names that models can use, beside macros.
const NAMES: [&str; 20] = [
    "config",
    "ref",
    "source",
    "entity",
    "previous",
    "var",
    "this",
    "is_incremental",
    "in_part",
    "project",
    "model",
    "source_name",
    "source_settings",
    "exceptions",
    "adapter",
    "log",
    "execute",
    "range",
    "namespace",
    "dict",
];

impl Known {
    pub(super) fn new(
        project: &Project,
        vars: &BTreeMap<String, serde_json::Value>,
        macros: &BTreeSet<String>,
    ) -> Self {
        let mut sources: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut source_settings = BTreeMap::new();
        for (name, source) in &project.config.sources {
            let streams = source.streams(name);
            // What a model of a kind must know of how the files of a stream are written.
            let written = streams.iter().map(|stream| {
                let files = &stream.files;
                let said =
                    serde_json::json!({"decimal": files.decimal, "day_order": files.day_order});
                (stream.name.clone(), said)
            });
            let written: serde_json::Map<_, _> = written.collect();
            let names = streams.into_iter().map(|stream| stream.name);
            sources.insert(name.clone(), names.collect());
            let settings = serde_json::json!({
                "name": name,
                "kind": source.kind,
                "layout": source.layout,
                "zone": source.zone,
                "currency": source.currency,
                "streams": written,
            });
            source_settings.insert(name.clone(), of_data(settings));
        }
        let all_vars = project.config.vars.iter().chain(vars);
        let models = project
            .models
            .values()
            .map(|m| (m.name.clone(), m.layer.schema()));
        let kinds = project.source_kinds.iter();
        Self {
            models: models.collect(),
            seeds: project.seeds.keys().cloned().collect(),
            sources,
            kinds: kinds
                .map(|(name, kind)| (name.clone(), kind.clone()))
                .collect(),
            vars: all_vars.map(|(k, v)| (k.clone(), of_data(v))).collect(),
            project: of_data(&project.config),
            source_settings,
            names: NAMES
                .iter()
                .map(|name| (*name).to_owned())
                .chain(macros.clone())
                .collect(),
        }
    }

    /// Names below `object` (`project.reporting`), for advice.
    pub(super) fn attributes(&self, object: &str) -> Vec<String> {
        let mut parts = object.split('.');
        let mut value = match parts.next() {
            Some("project") => self.project.clone(),
            Some("this") => return RELATION_PARTS.map(str::to_owned).to_vec(),
            _ => return vec![],
        };
        for part in parts {
            value = value.get_attr(part).unwrap_or_default();
        }
        let keys = value.try_iter().into_iter().flatten();
        keys.filter_map(|key| key.as_str().map(str::to_owned))
            .collect()
    }
}

/// The names that a file with this scope can use.
pub(super) fn context(known: &Arc<Known>, scope: &Arc<Scope>, notes: &Notes) -> Value {
    let mut names: BTreeMap<&'static str, Value> = BTreeMap::new();
    let shared = Shared {
        known: known.clone(),
        scope: scope.clone(),
        notes: notes.clone(),
    };
    let config = Config {
        scope: scope.clone(),
        notes: notes.clone(),
    };
    names.insert("config", Value::from_object(config));
    let s = shared.clone();
    let reference = move |args: Rest<Value>, named: Kwargs| s.reference(&args, &named);
    names.insert("ref", Value::from_function(reference));
    let s = shared.clone();
    let source = move |args: Rest<Value>| s.source(&args);
    names.insert("source", Value::from_function(source));
    let s = shared.clone();
    names.insert(
        "entity",
        Value::from_function(move |name: String| s.entity(name)),
    );
    let s = shared.clone();
    names.insert(
        "previous",
        Value::from_function(move |name: String| s.previous(name)),
    );
    let s = shared.clone();
    let var = move |name: String, default: Option<Value>| s.var(&name, default);
    names.insert("var", Value::from_function(var));
    names.insert(
        "env_var",
        Value::from_function(|_: Rest<Value>| no_env_var()),
    );
    let is_incremental = scope.is_incremental;
    names.insert(
        "is_incremental",
        Value::from_function(move || is_incremental),
    );
    let s = shared.clone();
    let in_part = move |part: String| s.in_part(&part);
    names.insert("in_part", Value::from_function(in_part));
    names.insert("project", known.project.clone());
    names.insert("execute", Value::from(true));
    names.insert("exceptions", Value::from_object(Exceptions));
    names.insert("adapter", Value::from_object(Adapter));
    let name = scope.name.clone();
    let log = move |message: Value, _: Kwargs| {
        log::info!("{name}: {message}");
        String::new()
    };
    names.insert("log", Value::from_function(log));
    if let Some(this) = &scope.this {
        names.insert("this", Value::from_object(This(this.clone())));
        names.insert("model", of_data(serde_json::json!({"name": scope.name})));
    }
    if let Some(instance) = &scope.instance {
        let settings = known
            .source_settings
            .get(&instance.source)
            .cloned()
            .unwrap_or_default();
        names.insert("source_name", Value::from(instance.source.as_str()));
        names.insert("source_settings", settings);
    }
    Value::from(names)
}

#[derive(Clone)]
struct Shared {
    known: Arc<Known>,
    scope: Arc<Scope>,
    notes: Notes,
}

impl Shared {
    /// Whether a part of the model's rows is asked for: always where all are.
    fn in_part(&self, part: &str) -> bool {
        self.scope.part.as_deref().is_none_or(|asked| asked == part)
    }

    fn reference(&self, args: &[Value], named: &Kwargs) -> Result<Value, Error> {
        let part: Option<String> = named.get("part")?;
        named.assert_all_used()?;
        let names: Vec<&str> = args.iter().filter_map(Value::as_str).collect();
        let name = match (names.as_slice(), args.len()) {
            ([name], 1) | ([_, name], 2) => (*name).to_owned(),
            _ => {
                let problem = Problem::new("`ref` takes the name of a model in quotes");
                return Err(refusal(problem.hint("write `{{ ref('fct_order') }}`")));
            }
        };
        if self.known.seeds.contains(&name) {
            return self.relation(Target::Seed(name));
        }
        self.check_model(&name)?;
        self.relation_in(Target::Model(name), part)
    }

    fn check_model(&self, name: &str) -> Result<(), Error> {
        if self.known.models.contains_key(name) {
            return Ok(());
        }
        let seeds = self.known.seeds.iter();
        let known: Vec<&str> = self
            .known
            .models
            .keys()
            .chain(seeds)
            .map(String::as_str)
            .collect();
        let hint = if domain::entity::entity(name).is_some() {
            format!("it is an entity: write `{{{{ entity('{name}') }}}}`")
        } else {
            suggestion(name, known, "model")
        };
        Err(refusal(
            Problem::new(format!("there is no model or seed `{name}`")).hint(hint),
        ))
    }

    fn source(&self, args: &[Value]) -> Result<Value, Error> {
        let names: Vec<&str> = args.iter().filter_map(Value::as_str).collect();
        let ([source, stream], 2) = (names.as_slice(), args.len()) else {
            let problem = Problem::new("`source` takes the names of a source and of its stream");
            return Err(refusal(
                problem.hint("write `{{ source('shop', 'orders') }}`"),
            ));
        };
        if let Some(instance) = &self.scope.instance
            && instance.kind == *source
        {
            return self.stream_of_kind(&instance.source, source, stream);
        }
        let Some(streams) = self.known.sources.get(*source) else {
            let known = self.known.sources.keys().map(String::as_str);
            let problem = Problem::new(format!("there is no source `{source}`"));
            return Err(refusal(
                problem
                    .why("`sources:` in `throughline.yml` does not name it")
                    .hint(suggestion(source, known, "source")),
            ));
        };
        if !streams.contains(*stream) {
            let known = streams.iter().map(String::as_str);
            let hint = suggestion(stream, known, &format!("stream of `{source}`"));
            let problem = Problem::new(format!("source `{source}` has no stream `{stream}`"));
            return Err(refusal(problem.hint(hint)));
        }
        let (source, stream) = ((*source).to_owned(), (*stream).to_owned());
        self.relation(Target::Source { source, stream })
    }

    /// A stream that a built-in silver model names: it may be missing in this project.
    fn stream_of_kind(&self, source: &str, kind: &str, stream: &str) -> Result<Value, Error> {
        if let Some(known) = self.known.kinds.get(kind)
            && !known.streams.contains_key(stream)
        {
            let names = known.streams.keys().map(String::as_str);
            let hint = suggestion(stream, names, &format!("stream of `{kind}`"));
            let what = format!("the kind `{kind}` has no stream `{stream}`");
            return Err(refusal(
                Problem::new(what).why("see its `_source.yml`").hint(hint),
            ));
        }
        let is_there = self
            .known
            .sources
            .get(source)
            .is_some_and(|all| all.contains(stream));
        if !is_there {
            let missing = format!("{source}.{stream}");
            lock(&self.notes).missing_streams.insert(missing);
        }
        self.relation(Target::Source {
            source: source.to_owned(),
            stream: stream.to_owned(),
        })
    }

    fn entity(&self, name: String) -> Result<Value, Error> {
        if domain::entity::entity(&name).is_none() {
            let known = domain::entity::entities()
                .iter()
                .map(|entity| entity.name.as_str());
            let hint = suggestion(&name, known, "entity");
            return Err(refusal(
                Problem::new(format!("there is no entity `{name}`")).hint(hint),
            ));
        }
        self.relation(Target::Entity(name))
    }

    fn previous(&self, name: String) -> Result<Value, Error> {
        self.check_model(&name)?;
        self.relation(Target::Previous(name))
    }

    fn var(&self, name: &str, default: Option<Value>) -> Result<Value, Error> {
        if let Some(value) = self.known.vars.get(name).cloned().or(default) {
            return Ok(value);
        }
        let known = self.known.vars.keys().map(String::as_str);
        let hint = suggestion(name, known, "variable");
        let hint = format!("{hint}; or give a default: `var('{name}', …)`");
        let problem = Problem::new(format!("variable `{name}` has no value"));
        Err(refusal(
            problem
                .why("`vars:` in `throughline.yml` does not name it")
                .hint(hint),
        ))
    }

    fn relation(&self, target: Target) -> Result<Value, Error> {
        self.relation_in(target, None)
    }

    fn relation_in(&self, target: Target, part: Option<String>) -> Result<Value, Error> {
        let of = |is_bounded| {
            let dependency = Dependency {
                target: target.clone(),
                is_bounded,
                part: part.clone(),
            };
            let text = match &self.scope.relations {
                None => Some(self.while_parsing(&dependency)),
                Some(relations) => relations.get(&dependency).cloned(),
            };
            (dependency, text)
        };
        let (bounded, whole) = (of(true), of(false));
        if bounded.1.is_none() && whole.1.is_none() {
            return Err(unforeseen(&target));
        }
        let (schema, name) = self.parts(&target);
        let notes = self.notes.clone();
        Ok(Value::from_object(Relation {
            bounded,
            whole,
            schema,
            name,
            notes,
        }))
    }

    fn parts(&self, target: &Target) -> (String, String) {
        let name = target.name().to_owned();
        match target {
            Target::Source { source, stream } => ("raw".into(), format!("{source}__{stream}")),
            Target::Seed(_) => ("seeds".into(), name),
            Target::Entity(_) => ("silver".into(), name),
            Target::Model(_) | Target::Previous(_) => {
                let schema = self.known.models.get(&name).copied().unwrap_or_default();
                (schema.to_owned(), name)
            }
        }
    }

    /// What stands for a relation while settings and dependencies are learnt; it is also what the
    /// fingerprint sees, so it must tell all dependencies apart.
    fn while_parsing(&self, dependency: &Dependency) -> String {
        let (schema, name) = self.parts(&dependency.target);
        let use_of_it = match (&dependency.target, dependency.is_bounded) {
            (Target::Previous(_), _) => "__previous",
            (_, true) => "",
            (_, false) => "__whole",
        };
        let part = dependency.part.iter().map(|part| format!("__part_{part}"));
        format!("{schema}.{name}{use_of_it}{}", part.collect::<String>())
    }
}

/// Data of the project as a value of the template engine.
pub(super) fn of_data(data: impl serde::Serialize) -> Value {
    Value::from(Serde(data))
}

pub(super) fn lock(notes: &Notes) -> std::sync::MutexGuard<'_, Rendered> {
    notes.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A problem on its way through the template engine; the renderer finds it and adds the place.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) problem: Problem,
    /// The word to point at, where it is not the whole call.
    pub(super) word: Option<String>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.problem.what)
    }
}

impl std::error::Error for Refusal {}

pub(super) fn refusal(problem: Problem) -> Error {
    refusal_at(problem, None)
}

pub(super) fn refusal_at(problem: Problem, word: Option<String>) -> Error {
    let what = problem.what.clone();
    Error::new(ErrorKind::InvalidOperation, what).with_source(Refusal { problem, word })
}

pub(super) fn unforeseen(target: &Target) -> Error {
    let problem = Problem::new(format!("`{target}` was not there when the model was read"));
    refusal(
        problem
            .why("what a model reads may depend on nothing but the project and `is_incremental()`"),
    )
}

fn no_env_var() -> Result<Value, Error> {
    let problem = Problem::new("`env_var` is not available in models")
        .why("the same project must give the same tables anywhere, and secrets stay out of SQL")
        .hint("use `var('…')` and set it under `vars:` in `throughline.yml`");
    Err(refusal(problem))
}
