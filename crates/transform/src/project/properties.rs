//! What `.yml` files say of models and seeds: descriptions, columns, tests, settings.
//!
//! The syntax is dbt's: `tests` or `data_tests`, a test as a name or as a map of its arguments, its
//! settings inside or under `config:`. Nothing here knows what a test does.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::cleansing;
use super::problem::{Place, Problem, suggestion};

/// What a `.yml` says of one model or seed.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Properties {
    /// What it is.
    pub description: String,
    /// Its columns, as far as they are described.
    pub columns: Vec<ColumnDoc>,
    /// Tests of the whole model.
    pub tests: Vec<TestSpec>,
    /// The `config:` block.
    pub config: Map<String, Value>,
    /// Where each setting of it stands.
    #[serde(skip)]
    pub config_places: BTreeMap<String, Place>,
    /// The file that says it, for messages.
    pub path: String,
    /// Anything else one wants to keep with it.
    pub meta: Map<String, Value>,
}

/// What a `.yml` says of a column.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct ColumnDoc {
    /// Its name.
    pub name: String,
    /// What it means, with its unit.
    pub description: String,
    /// Its type, if stated.
    pub data_type: Option<String>,
    /// The rules that its values go through before they are cast, as written; silver only.
    pub cleanse: Option<Value>,
    /// Its tests.
    pub tests: Vec<TestSpec>,
    /// What kind of data it holds, for policies: `confidential`, `pii: email`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Names of tags that end here, though what it is made from has them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub declassify: Vec<String>,
    /// Anything else one wants to keep with it.
    pub meta: Map<String, Value>,
    /// Where it stands, as near as known.
    #[serde(skip)]
    pub place: Place,
}

/// A test as written.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TestSpec {
    /// Its kind: `not_null`, `unique` …
    pub kind: String,
    /// Its arguments and settings, `arguments:` and `config:` flattened.
    pub arguments: Map<String, Value>,
    /// Where it stands, as near as known.
    #[serde(skip)]
    pub place: Place,
}

impl Properties {
    /// These words with those of `over` on top: texts and settings replace, tests add up.
    pub(super) fn merged(mut self, over: Self) -> Self {
        if !over.description.is_empty() {
            self.description = over.description;
        }
        for column in over.columns {
            match self
                .columns
                .iter_mut()
                .find(|known| known.name == column.name)
            {
                Some(known) => known.merge(column),
                None => self.columns.push(column),
            }
        }
        add_tests(&mut self.tests, over.tests);
        self.config.extend(over.config);
        self.config_places.extend(over.config_places);
        self.meta.extend(over.meta);
        self.path = over.path;
        self
    }
}

impl ColumnDoc {
    fn merge(&mut self, over: Self) {
        if !over.description.is_empty() {
            self.description = over.description;
        }
        if over.data_type.is_some() {
            self.data_type = over.data_type;
        }
        if over.cleanse.is_some() {
            (self.cleanse, self.place) = (over.cleanse, over.place);
        }
        add_tests(&mut self.tests, over.tests);
        for tag in over.tags {
            if !self.tags.contains(&tag) {
                self.tags.push(tag);
            }
        }
        self.declassify.extend(over.declassify);
        self.meta.extend(over.meta);
    }
}

/// Adds the tests that are not there yet.
fn add_tests(known: &mut Vec<TestSpec>, new: Vec<TestSpec>) {
    for test in new {
        let is_there = known
            .iter()
            .any(|old| old.kind == test.kind && old.arguments == test.arguments);
        if !is_there {
            known.push(test);
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    #[serde(default)]
    #[expect(dead_code, reason = "dbt users write it; there is one version")]
    version: Option<u32>,
    #[serde(default)]
    models: Option<Vec<RawModel>>,
    #[serde(default)]
    seeds: Option<Vec<RawModel>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawModel {
    name: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    config: Option<Map<String, Value>>,
    #[serde(default)]
    columns: Option<Vec<RawColumn>>,
    #[serde(default, alias = "data_tests")]
    tests: Option<Vec<Value>>,
    #[serde(default)]
    meta: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawColumn {
    name: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    data_type: Option<String>,
    #[serde(default)]
    cleanse: Option<Value>,
    #[serde(default, alias = "data_tests")]
    tests: Option<Vec<Value>>,
    #[serde(default)]
    pii: Option<String>,
    #[serde(default)]
    tags: Option<Names>,
    #[serde(default)]
    declassify: Option<Names>,
    #[serde(default)]
    meta: Option<Map<String, Value>>,
}

/// One name or a list of them.
#[derive(Deserialize)]
#[serde(untagged)]
enum Names {
    One(String),
    List(Vec<String>),
}

impl Names {
    fn list(names: Option<Self>) -> Vec<String> {
        match names {
            None => vec![],
            Some(Self::One(one)) => vec![one],
            Some(Self::List(all)) => all,
        }
    }
}

/// What one `.yml` file says, by name of model or seed.
#[derive(Debug, Default)]
pub(super) struct PropertiesFile {
    pub(super) models: BTreeMap<String, Properties>,
    pub(super) seeds: BTreeMap<String, Properties>,
}

/// Reads a file of properties; what is wrong goes to `problems`.
pub(super) fn parse(path: &str, text: &str, problems: &mut Vec<Problem>) -> PropertiesFile {
    let raw: RawFile = match serde_yaml_ng::from_str::<Option<RawFile>>(text) {
        Ok(Some(raw)) => raw,
        Ok(None) => return PropertiesFile::default(),
        Err(error) => {
            problems.push(yaml_problem(path, text, &error));
            return PropertiesFile::default();
        }
    };
    let mut reader = Reader {
        path,
        text,
        from_line: 0,
        problems,
    };
    PropertiesFile {
        models: reader.all(raw.models.unwrap_or_default()),
        seeds: reader.all(raw.seeds.unwrap_or_default()),
    }
}

/// A YAML error, at its place.
pub(super) fn yaml_problem(path: &str, text: &str, error: &serde_yaml_ng::Error) -> Problem {
    let message = error.to_string();
    let plain = message.split(" at line ").next().unwrap_or(&message);
    let mut problem = Problem::new(format!("`{path}` cannot be read as YAML")).why(plain);
    if let Some(location) = error.location() {
        let mut place = Place::of_line(path, text, location.line());
        // Past the end of the line there is nothing to point at.
        if location.column() <= place.source_line.chars().count() {
            place.column = location.column();
            place.width = 1;
        }
        problem = problem.at(place);
    }
    let mut quoted = message.split('`').skip(1).step_by(2);
    if message.contains("unknown field")
        && let Some(unknown) = quoted.next()
    {
        let known: Vec<&str> = quoted.collect();
        problem = problem.hint(if unknown == "sources" {
            "sources are configured in `throughline.yml`".to_owned()
        } else {
            suggestion(unknown, known, "such field")
        });
    }
    problem
}

struct Reader<'a> {
    path: &'a str,
    text: &'a str,
    /// Lines before this one (0-based) belong to models already read.
    from_line: usize,
    problems: &'a mut Vec<Problem>,
}

impl Reader<'_> {
    fn all(&mut self, raw: Vec<RawModel>) -> BTreeMap<String, Properties> {
        self.from_line = 0;
        let mut all: BTreeMap<String, Properties> = BTreeMap::new();
        for model in raw {
            let name = model.name.clone();
            let line = self.find_line(&name);
            self.from_line = line;
            if all.contains_key(&name) {
                let problem = Problem::new(format!("`{name}` is described twice"));
                self.problems.push(
                    problem
                        .at(Place::of_line(self.path, self.text, line))
                        .hint("put all that is said of it into one entry"),
                );
                continue;
            }
            let properties = self.model(model, line);
            all.insert(name, properties);
        }
        all
    }

    fn model(&mut self, raw: RawModel, line: usize) -> Properties {
        let mut columns: Vec<ColumnDoc> = Vec::new();
        let tests = self.tests(raw.tests, line);
        for column in raw.columns.unwrap_or_default() {
            let line = self.find_line(&column.name);
            if columns.iter().any(|known| known.name == column.name) {
                let what = format!(
                    "column `{}` of `{}` is described twice",
                    column.name, raw.name
                );
                let place = Place::of_line(self.path, self.text, line);
                self.problems.push(Problem::new(what).at(place));
                continue;
            }
            if let Some(declared) = &column.cleanse {
                let check = cleansing::check(declared, self.path, self.text, line);
                self.problems.extend(check.err());
            }
            let mut tags = Names::list(column.tags);
            let mut meta = column.meta.unwrap_or_default();
            if let Some(kind) = column.pii {
                meta.insert("pii".to_owned(), Value::String(kind));
            }
            if let Some(kind) = meta.get("pii").and_then(Value::as_str) {
                tags.push(format!("pii: {kind}"));
            }
            columns.push(ColumnDoc {
                cleanse: column.cleanse,
                tests: self.tests(column.tests, line),
                tags,
                declassify: Names::list(column.declassify),
                name: column.name,
                description: column.description,
                data_type: column.data_type,
                meta,
                place: Place::of_line(self.path, self.text, line),
            });
        }
        let config = raw.config.unwrap_or_default();
        let place = |name: &String| Place::of_word_from(self.path, self.text, name, line);
        Properties {
            description: raw.description,
            columns,
            tests,
            config_places: config
                .keys()
                .map(|name| (name.clone(), place(name)))
                .collect(),
            config,
            path: self.path.to_owned(),
            meta: raw.meta.unwrap_or_default(),
        }
    }

    /// The line on which an entry with this name begins, after those already read.
    fn find_line(&self, name: &str) -> usize {
        let is_it = |line: &str| {
            line.split_once("name:").is_some_and(|(_, rest)| {
                let value = rest.split(['#', ',', '}']).next().unwrap_or_default();
                value.trim().trim_matches(['"', '\'']) == name
            })
        };
        let lines = self.text.lines().enumerate().skip(self.from_line);
        lines
            .into_iter()
            .find(|(_, line)| is_it(line))
            .map_or(self.from_line.max(1), |(at, _)| at + 1)
    }

    fn tests(&mut self, raw: Option<Vec<Value>>, line: usize) -> Vec<TestSpec> {
        let specs = raw
            .unwrap_or_default()
            .into_iter()
            .map(|value| self.test(value, line));
        specs.collect::<Vec<_>>().into_iter().flatten().collect()
    }

    fn test(&mut self, value: Value, line: usize) -> Option<TestSpec> {
        let spec = |kind: String, arguments: Map<String, Value>| TestSpec {
            kind: bare(&kind).to_owned(),
            arguments: flattened(arguments),
            place: Place::of_word_from(self.path, self.text, &kind, line),
        };
        let shown = value.to_string();
        match value {
            Value::String(kind) => return Some(spec(kind, Map::new())),
            Value::Object(map) => {
                // dbt also lets `test_name` say the kind, beside the arguments.
                if let Some(kind) = map.get("test_name").and_then(Value::as_str) {
                    let kind = kind.to_owned();
                    return Some(spec(kind, map));
                }
                let mut entries = map.into_iter();
                match (entries.next(), entries.next()) {
                    (Some((kind, Value::Object(arguments))), None) => {
                        return Some(spec(kind, arguments));
                    }
                    (Some((kind, Value::Null)), None) => return Some(spec(kind, Map::new())),
                    _ => {}
                }
            }
            _ => {}
        }
        self.problems.push(
            Problem::new(format!("`{shown}` is no test"))
                .at(Place::of_line(self.path, self.text, line))
                .hint("write a name, `not_null`, or a name with arguments indented below it"),
        );
        None
    }
}

/// The kind without the package that dbt users write before it.
fn bare(kind: &str) -> &str {
    kind.strip_prefix("dbt_utils.")
        .or_else(|| kind.strip_prefix("dbt."))
        .unwrap_or(kind)
}

fn flattened(arguments: Map<String, Value>) -> Map<String, Value> {
    let mut flat = Map::new();
    for (name, value) in arguments {
        match (name.as_str(), value) {
            ("test_name", _) => {}
            ("arguments" | "config", Value::Object(inner)) => flat.extend(inner),
            (_, value) => {
                flat.insert(name, value);
            }
        }
    }
    flat
}
