//! Renders one file with Jinja and notes what it asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use minijinja::{AutoEscape, Environment, ErrorKind, UndefinedBehavior};
use regex::Regex;
use serde_json::Value;

use super::context::{self, Known, Refusal};
use super::dependency::{Dependency, Relations, Target};
use super::fingerprint::{normalised_sql, without_semicolon};
use crate::project::problem::{nearest, unless};
use crate::project::{
    MacroFile, Model, Origin, Place, Problem, Project, ProjectError, SilverInstance,
};

/// Name of the template that holds all macros.
const MACROS: &str = "macros";
/// Calls within calls after which a macro is taken for one that never ends.
const DEPTH_MAX: usize = 100;

/// What a rendered file is and what stands for what it asks for.
#[derive(Clone)]
pub(super) struct Scope {
    /// Name of the model or test.
    pub(super) name: String,
    /// `schema.name` of the model; tests have none.
    pub(super) this: Option<String>,
    /// The source that a built-in silver model was made for.
    pub(super) instance: Option<SilverInstance>,
    /// What `is_incremental()` answers.
    pub(super) is_incremental: bool,
    /// The part that is rendered; none for the whole model.
    pub(super) part: Option<String>,
    /// What stands for each relation; none while parsing.
    pub(super) relations: Option<Arc<BTreeMap<Dependency, String>>>,
}

impl Scope {
    pub(super) fn of_model(model: &Model) -> Self {
        Self {
            name: model.name.clone(),
            this: Some(format!("{}.{}", model.layer.schema(), model.name)),
            instance: model.instance.clone(),
            is_incremental: false,
            part: None,
            relations: None,
        }
    }

    pub(super) fn of_test(name: &str) -> Self {
        let name = name.to_owned();
        Self {
            name,
            this: None,
            instance: None,
            is_incremental: false,
            part: None,
            relations: None,
        }
    }

    pub(super) fn incremental(mut self) -> Self {
        self.is_incremental = true;
        self
    }

    pub(super) fn of_part(mut self, part: &str) -> Self {
        self.part = Some(part.to_owned());
        self
    }

    pub(super) fn with_relations(
        mut self,
        dependencies: &[Dependency],
        relations: &dyn Relations,
    ) -> Self {
        let pairs = dependencies
            .iter()
            .map(|dep| (dep.clone(), relations.relation(dep)));
        self.relations = Some(Arc::new(pairs.collect()));
        self.is_incremental = relations.is_incremental();
        self.part = relations.part().map(str::to_owned);
        if self.this.is_some() {
            self.this = Some(relations.this());
        }
        self
    }
}

/// What a rendered file asked for.
#[derive(Debug, Default)]
pub(super) struct Rendered {
    pub(super) sql: String,
    pub(super) config: Vec<(String, Value)>,
    pub(super) dependencies: BTreeSet<Dependency>,
    /// The first stream that its text reads.
    pub(super) first_source: Option<Dependency>,
    /// Streams that it reads and that its source does not have, as `source.stream`.
    pub(super) missing_streams: BTreeSet<String>,
}

impl Rendered {
    /// Notes what the text reads.
    pub(super) fn read(&mut self, dependency: Dependency) {
        if self.first_source.is_none() && matches!(dependency.target, Target::Source { .. }) {
            self.first_source = Some(dependency.clone());
        }
        self.dependencies.insert(dependency);
    }
}

/// Renders the files of one project.
pub(super) struct Renderer {
    environment: Environment<'static>,
    known: Arc<Known>,
    macros: Macros,
}

impl std::fmt::Debug for Renderer {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Renderer({} macros)", self.macros.names.len())
    }
}

/// All macro files as one template.
struct Macros {
    text: String,
    /// Where in `text` each file lies.
    files: Vec<(Range<usize>, String)>,
    names: BTreeSet<String>,
    /// What stands before a model's text, on its first line, to make the macros known.
    prelude: String,
}

impl Renderer {
    pub(super) fn new(
        project: &Project,
        vars: &BTreeMap<String, Value>,
    ) -> Result<Self, ProjectError> {
        let macros = Macros::new(&project.macros)?;
        let known = Arc::new(Known::new(project, vars, &macros.names));
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.set_debug(true);
        environment.set_recursion_limit(DEPTH_MAX);
        let added = environment.add_template_owned(MACROS, macros.text.clone());
        let error = added.err();
        let renderer = Self {
            environment,
            known,
            macros,
        };
        match error {
            Some(error) => Err(renderer.problem("", "", &error).into()),
            None => Ok(renderer),
        }
    }

    /// Renders `text`, the content of the file at `path`.
    pub(super) fn render(&self, path: &str, text: &str, scope: Scope) -> Result<Rendered, Problem> {
        let scope_name = scope.name.clone();
        let notes = Arc::new(Mutex::new(Rendered::default()));
        let context = context::context(&self.known, &Arc::new(scope), &notes);
        // On the same line, so that the lines of the file keep their numbers.
        let whole = format!("{}{text}", self.macros.prelude);
        let sql = self
            .environment
            .render_named_str(path, &whole, context)
            .map_err(|error| self.problem(path, text, &error))?;
        let mut notes = std::mem::take(&mut *notes.lock().unwrap_or_else(PoisonError::into_inner));
        notes.sql = without_semicolon(&sql);
        if normalised_sql(&notes.sql).is_empty() {
            let what = format!("`{}` says nothing: the model is empty", scope_name);
            return Err(Problem::new(what).at(Place::of_line(path, text, 1)));
        }
        Ok(notes)
    }

    /// Tells an error of the template engine as a problem in the user's file.
    fn problem(&self, path: &str, text: &str, error: &minijinja::Error) -> Problem {
        let mut chain: Vec<&(dyn std::error::Error + 'static)> = vec![error];
        while let Some(next) = chain.last().and_then(|last| last.source()) {
            chain.push(next);
        }
        let ours = chain
            .iter()
            .find_map(|cause| cause.downcast_ref::<Refusal>());
        let errors: Vec<&minijinja::Error> = chain
            .iter()
            .filter_map(|cause| cause.downcast_ref())
            .collect();
        let root = errors.last().copied().unwrap_or(error);
        let placed = errors
            .iter()
            .rev()
            .find(|error| error.line().is_some())
            .copied();
        let place = placed.and_then(|error| self.place(path, text, error));
        let Some(refusal) = ours else {
            return self.plain_problem(text, root, place);
        };
        let is_here = placed.is_some_and(|error| error.name() != Some(MACROS));
        let word = refusal.word.as_deref().filter(|_| is_here);
        let place = word.map(|word| Place::of_word(path, text, word)).or(place);
        Problem {
            place: refusal.problem.place.clone().or(place),
            ..refusal.problem.clone()
        }
    }

    fn place(&self, path: &str, text: &str, error: &minijinja::Error) -> Option<Place> {
        let line = error.line()?;
        if error.name() == Some(MACROS) {
            let start = match error.range() {
                Some(range) => range.start,
                None => self
                    .macros
                    .text
                    .split_inclusive('\n')
                    .take(line - 1)
                    .map(str::len)
                    .sum(),
            };
            let (file, path) = self
                .macros
                .files
                .iter()
                .find(|(file, _)| file.contains(&start))?;
            let text = &self.macros.text[file.clone()];
            let range = error.range().unwrap_or(start..start);
            let end = range.end.saturating_sub(file.start);
            return Some(Place::of_range(path, text, start - file.start..end));
        }
        let skipped = self.macros.prelude.len();
        match error.range() {
            Some(range) if range.start >= skipped => {
                let range = range.start - skipped..range.end.saturating_sub(skipped);
                Some(Place::of_range(path, text, range))
            }
            _ => Some(Place::of_line(path, text, line)),
        }
    }

    /// An error of the template engine's own in our words.
    fn plain_problem(
        &self,
        text: &str,
        error: &minijinja::Error,
        mut place: Option<Place>,
    ) -> Problem {
        let detail = error.detail().unwrap_or_default();
        let meant = place.as_ref().map(marked).unwrap_or_default();
        let problem = match error.kind() {
            ErrorKind::UndefinedError => {
                let undefined = self.undefined(text, &meant);
                if let Some(place) = place.as_mut().filter(|_| meant.starts_with(&undefined)) {
                    place.width = undefined.chars().count().max(1);
                }
                let problem = match undefined.as_str() {
                    "" => Problem::new("something undefined is used"),
                    name if name.contains('.') => Problem::new(format!("`{name}` is undefined")),
                    name => Problem::new(format!("undefined variable `{name}`")),
                };
                with_hint(problem, self.hint_for(text, &undefined))
            }
            ErrorKind::UnknownFunction => {
                let name = first_name(&meant);
                let problem = Problem::new(format!("unknown function or macro `{name}`"));
                with_hint(problem, self.hint_for(text, &name))
            }
            ErrorKind::SyntaxError => Problem::new("the Jinja cannot be read").why(detail),
            kind => {
                let problem = Problem::new(format!("the Jinja fails: {kind}"));
                if detail.is_empty() {
                    problem
                } else {
                    problem.why(detail)
                }
            }
        };
        Problem { place, ..problem }
    }

    /// The first part of a dotted expression that is not there: `projct` of `projct.name`,
    /// `project.nam` of `project.nam.x`.
    fn undefined(&self, text: &str, meant: &str) -> String {
        let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
        let dotted = &meant[..meant.find(|c| !is_name(c)).unwrap_or(meant.len())];
        let first = first_name(dotted);
        if !self.known.names.contains(&first) && !set_names(text).any(|name| name == first) {
            return first;
        }
        let mut object = first;
        for part in dotted.split('.').skip(1) {
            let known = self.known.attributes(&object);
            let is_there = known.iter().any(|name| name == part);
            object = format!("{object}.{part}");
            if !is_there {
                break;
            }
        }
        object
    }

    fn hint_for(&self, text: &str, meant: &str) -> Option<String> {
        if meant.starts_with("source_name") || meant.starts_with("source_settings") {
            return Some(
                "only a model that a source of a kind has knows its source: call a copy of a \
                 built-in model `stg_<source>__<what>.sql`, with the source's name in \
                 `throughline.yml`, or put it into `models/1_silver/<kind>/`"
                    .to_owned(),
            );
        }
        if let Some((object, attribute)) = meant.rsplit_once('.') {
            let known = self.known.attributes(object);
            let near = nearest(attribute, known.iter().map(String::as_str))?;
            return Some(format!("did you mean `{object}.{near}`?"));
        }
        let known = self.known.names.iter().map(String::as_str);
        let near = nearest(meant, known.chain(set_names(text)))?;
        Some(format!("did you mean `{near}`?"))
    }
}

/// Names that the file itself sets.
fn set_names(text: &str) -> impl Iterator<Item = &str> {
    static SET: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"\{%-?\s*(?:set|for)\s+(\w+)").ok());
    let found = SET
        .iter()
        .flat_map(move |pattern| pattern.captures_iter(text));
    found.filter_map(|found| Some(found.get(1)?.as_str()))
}

fn with_hint(problem: Problem, hint: Option<String>) -> Problem {
    match hint {
        Some(hint) => problem.hint(hint),
        None => problem,
    }
}

/// The part of the line that the place marks.
fn marked(place: &Place) -> String {
    let skipped = place.column.saturating_sub(1);
    place
        .source_line
        .chars()
        .skip(skipped)
        .take(place.width)
        .collect()
}

fn first_name(text: &str) -> String {
    text.chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect()
}

impl Macros {
    fn new(files: &[MacroFile]) -> Result<Self, ProjectError> {
        let mut problems = Vec::new();
        let mut macros = Self {
            text: String::new(),
            files: vec![],
            names: BTreeSet::new(),
            prelude: String::new(),
        };
        let mut homes: BTreeMap<(Origin, String), String> = BTreeMap::new();
        for file in files {
            for name in macro_names(&file.text) {
                let home = homes.insert((file.origin, name.clone()), file.path.clone());
                if let Some(first) = home {
                    let what = format!("there are two macros `{name}`");
                    problems.push(
                        Problem::new(what)
                            .at(Place::of_word(&file.path, &file.text, &name))
                            .why(format!("`{first}` has one too")),
                    );
                }
                macros.names.insert(name);
            }
            let start = macros.text.len();
            macros.text.push_str(&file.text);
            macros.text.push('\n');
            macros
                .files
                .push((start..macros.text.len(), file.path.clone()));
        }
        unless(problems)?;
        if !macros.names.is_empty() {
            let names = macros
                .names
                .iter()
                .map(String::as_str)
                .collect::<Vec<_>>()
                .join(", ");
            macros.prelude = format!("{{% from '{MACROS}' import {names} %}}");
        }
        Ok(macros)
    }
}

/// Names of the macros that a file defines.
fn macro_names(text: &str) -> Vec<String> {
    static MACRO: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"\{%-?\s*macro\s+(\w+)\s*\(").ok());
    let found = MACRO.iter().flat_map(|pattern| pattern.captures_iter(text));
    found
        .filter_map(|found| Some(found.get(1)?.as_str().to_owned()))
        .collect()
}
