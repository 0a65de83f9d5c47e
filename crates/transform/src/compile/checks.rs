//! The checks of a project: the tests of its `.yml` files and its singular tests, typed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Manifest;
use super::dependency::{Dependency, Target};
use super::render::Scope;
use crate::project::problem::suggestion;
use crate::project::{ColumnDoc, ModelConfig, Problem, Properties, Severity, TestSpec};

/// What a check asserts.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckKind {
    /// The column is never null.
    NotNull,
    /// No value of the column stands twice.
    Unique,
    /// The column has only these values, or null.
    AcceptedValues {
        /// The values as SQL literals.
        values: Vec<String>,
    },
    /// Every value of the column stands in a column of another relation, or is null.
    Relationships {
        /// The other relation.
        to: Target,
        /// Its column.
        field: String,
    },
    /// No combination of these columns stands twice.
    UniqueCombination {
        /// The columns.
        columns: Vec<String>,
    },
    /// An SQL condition is true in every row.
    Expression {
        /// The condition.
        expression: String,
    },
    /// A SELECT of the project returns nothing.
    Singular {
        /// SQL with Jinja.
        raw_sql: String,
    },
}

/// Kinds of test that a `.yml` can name.
const KINDS: [&str; 6] = [
    "not_null",
    "unique",
    "accepted_values",
    "relationships",
    "unique_combination_of_columns",
    "expression_is_true",
];

/// A check, ready to run: its SELECT returns the offending rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Check {
    /// Its name, unique: `not_null_fct_order_order_id`, or that of its file.
    pub name: String,
    /// What it asserts.
    pub kind: CheckKind,
    /// The model or seed it is about; for a singular test the last model that it reads.
    pub model: Option<String>,
    /// The column it is about.
    pub column: Option<String>,
    /// What failing does.
    pub severity: Severity,
    /// SQL condition that says which rows are looked at.
    pub where_: Option<String>,
    /// What it means, if somebody said so.
    pub description: String,
    /// Words to select by.
    pub tags: Vec<String>,
    /// What it reads, its model included.
    pub dependencies: Vec<Dependency>,
    /// Where it is written.
    pub path: String,
}

/// Arguments of a test, after the settings that all kinds share.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    name: Option<String>,
    description: Option<String>,
    severity: Option<String>,
    #[serde(rename = "where")]
    where_: Option<String>,
    tags: Option<Vec<String>>,
    enabled: Option<bool>,
    #[serde(default)]
    #[expect(dead_code, reason = "kept for people, not read")]
    meta: Option<Value>,
    values: Option<Vec<Value>>,
    quote: Option<bool>,
    to: Option<String>,
    field: Option<String>,
    combination_of_columns: Option<Vec<String>>,
    expression: Option<String>,
}

/// All checks of a project; what is wrong with them goes to `problems`.
pub(super) fn collect(manifest: &Manifest, problems: &mut Vec<Problem>) -> Vec<Check> {
    let mut all: BTreeMap<String, Check> = BTreeMap::new();
    let mut found = Vec::new();
    for parsed in manifest.models.values() {
        let target = Target::Model(parsed.model.name.clone());
        found.extend(of_properties(manifest, &target, &parsed.model.properties));
    }
    for seed in manifest.project.seeds.values() {
        found.extend(of_properties(
            manifest,
            &Target::Seed(seed.name.clone()),
            &seed.properties,
        ));
    }
    found.extend(singular(manifest));
    for check in found {
        match check {
            Ok(Some(mut check)) => {
                // The same test on the same column with other arguments gets a number.
                let mut name = check.name.clone();
                let mut number = 2;
                while all.contains_key(&name) {
                    name = format!("{}_{number}", check.name);
                    number += 1;
                }
                check.name.clone_from(&name);
                all.insert(name, check);
            }
            Ok(None) => {}
            Err(problem) => problems.push(*problem),
        }
    }
    all.into_values().collect()
}

type Found = Result<Option<Check>, Box<Problem>>;

fn of_properties(manifest: &Manifest, target: &Target, properties: &Properties) -> Vec<Found> {
    let of_model = properties
        .tests
        .iter()
        .map(|test| typed(manifest, target, None, test));
    let of_columns = properties.columns.iter().flat_map(|column| {
        column
            .tests
            .iter()
            .map(move |test| typed(manifest, target, Some(column), test))
    });
    of_model.chain(of_columns).collect()
}

fn typed(
    manifest: &Manifest,
    target: &Target,
    column: Option<&ColumnDoc>,
    test: &TestSpec,
) -> Found {
    let wrong = |problem: Problem| Box::new(problem.at(test.place.clone()));
    if !KINDS.contains(&test.kind.as_str()) {
        let what = format!("there is no test `{}`", test.kind);
        let hint = suggestion(&test.kind, KINDS, "test");
        return Err(wrong(Problem::new(what).hint(format!(
            "{hint}; anything else can be a SELECT in `tests/<name>.sql`"
        ))));
    }
    let arguments = arguments(&test.arguments).map_err(|problem| {
        wrong(Problem {
            what: format!("`{}`: {}", test.kind, problem.what),
            ..problem
        })
    })?;
    if arguments.enabled == Some(false) {
        return Ok(None);
    }
    let severity = severity(arguments.severity.as_deref()).map_err(wrong)?;
    let column_name = column.map(|column| column.name.clone());
    let kind = kind(manifest, test, &arguments, column_name.as_deref()).map_err(wrong)?;
    let Some(kind) = kind else { return Ok(None) };
    let own = Dependency::bounded(target.clone());
    let mut dependencies = vec![own];
    if let CheckKind::Relationships { to, .. } = &kind {
        let to = Dependency::bounded(to.clone());
        if !dependencies.contains(&to) {
            dependencies.push(to);
        }
    }
    let name = arguments.name.unwrap_or_else(|| {
        let column = column_name
            .as_ref()
            .map_or(String::new(), |name| format!("_{name}"));
        format!("{}_{}{column}", test.kind, target.name())
    });
    Ok(Some(Check {
        name,
        kind,
        model: Some(target.name().to_owned()),
        column: column_name,
        severity,
        where_: arguments.where_,
        description: arguments.description.unwrap_or_default(),
        tags: arguments.tags.unwrap_or_default(),
        dependencies,
        path: test.place.path.clone(),
    }))
}

fn arguments(given: &Map<String, Value>) -> Result<Arguments, Problem> {
    serde_json::from_value(Value::Object(given.clone())).map_err(|error| {
        let message = error.to_string();
        let mut quoted = message.split('`').skip(1).step_by(2);
        if message.starts_with("unknown field") {
            let unknown = quoted.next().unwrap_or_default();
            let known: Vec<&str> = quoted.collect();
            return Problem::new(format!("unknown argument `{unknown}`"))
                .hint(suggestion(unknown, known, "argument"));
        }
        Problem::new(format!("its arguments cannot be read: {message}"))
    })
}

fn severity(given: Option<&str>) -> Result<Severity, Problem> {
    let mut config = ModelConfig::default();
    if let Some(severity) = given {
        config.set("severity", &Value::String(severity.to_lowercase()))?;
    }
    Ok(config.severity)
}

/// What the test asserts; none where it is about something that this project leaves out.
fn kind(
    manifest: &Manifest,
    test: &TestSpec,
    given: &Arguments,
    column: Option<&str>,
) -> Result<Option<CheckKind>, Problem> {
    let lacks = |argument: &str| Problem::new(format!("`{}` needs `{argument}`", test.kind));
    let needs_column = || {
        let why = "it is about a column";
        column
            .map(|_| ())
            .ok_or_else(|| lacks("a column").why(why).hint("put it below one"))
    };
    Ok(Some(match test.kind.as_str() {
        "not_null" => {
            needs_column()?;
            CheckKind::NotNull
        }
        "unique" => {
            needs_column()?;
            CheckKind::Unique
        }
        "accepted_values" => {
            needs_column()?;
            let values = given.values.as_ref().filter(|values| !values.is_empty());
            let is_quoted = given.quote.unwrap_or(true);
            let values = values.ok_or_else(|| lacks("values"))?;
            CheckKind::AcceptedValues {
                values: values
                    .iter()
                    .map(|value| literal(value, is_quoted))
                    .collect(),
            }
        }
        "relationships" => {
            needs_column()?;
            let to = given.to.as_deref().ok_or_else(|| lacks("to"))?;
            let field = given.field.clone().ok_or_else(|| lacks("field"))?;
            match relation_named(manifest, to)? {
                Some(to) => CheckKind::Relationships { to, field },
                None => return Ok(None),
            }
        }
        "unique_combination_of_columns" => {
            let columns = given
                .combination_of_columns
                .clone()
                .filter(|all| !all.is_empty());
            let columns = columns.ok_or_else(|| lacks("combination_of_columns"))?;
            CheckKind::UniqueCombination { columns }
        }
        _ => {
            let expression = given
                .expression
                .clone()
                .ok_or_else(|| lacks("expression"))?;
            // Below a column, dbt lets the expression begin with an operator.
            let column = column
                .map(|column| format!("{column} "))
                .unwrap_or_default();
            CheckKind::Expression {
                expression: format!("{column}{expression}"),
            }
        }
    }))
}

fn literal(value: &Value, is_quoted: bool) -> String {
    match value {
        Value::String(text) if is_quoted => format!("'{}'", text.replace('\'', "''")),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// What `ref('m')` or `entity('e')` in a `.yml` means; none for a model that is left out.
fn relation_named(manifest: &Manifest, text: &str) -> Result<Option<Target>, Problem> {
    // The same Jinja as in a model, so that everything works that works there.
    let template = format!("{{{{ {} }}}}", text.trim().trim_matches(['{', '}']));
    let rendered = manifest
        .renderer
        .render("", &template, Scope::of_test("relationships"));
    let rendered = rendered.map_err(|problem| Problem {
        place: None,
        ..problem
    })?;
    let target = rendered
        .dependencies
        .into_iter()
        .next()
        .map(|dependency| dependency.target);
    let target = target.ok_or_else(|| {
        Problem::new(format!("`to: {text}` names no relation"))
            .hint("write `to: ref('dim_customer')`")
    })?;
    let is_left_out = manifest
        .left_out
        .iter()
        .any(|out| out.model == target.name());
    Ok((!is_left_out || !matches!(target, Target::Model(_))).then_some(target))
}

fn singular(manifest: &Manifest) -> Vec<Found> {
    let tests = manifest.project.singular_tests.values();
    tests
        .map(|test| one_singular(manifest, test).map_err(Box::new))
        .collect()
}

fn one_singular(
    manifest: &Manifest,
    test: &crate::project::SingularTest,
) -> Result<Option<Check>, Problem> {
    let scope = Scope::of_test(&test.name);
    let rendered = manifest.renderer.render(&test.path, &test.raw_sql, scope)?;
    let mut config = ModelConfig::default();
    for (setting, value) in &rendered.config {
        config.set(setting, value)?;
    }
    let is_left_out = |dependency: &Dependency| {
        let name = dependency.target.name();
        matches!(dependency.target, Target::Model(_))
            && manifest.left_out.iter().any(|out| out.model == name)
    };
    if !config.enabled || rendered.dependencies.iter().any(is_left_out) {
        return Ok(None);
    }
    // The model that is built last decides when the test can run.
    let models = rendered
        .dependencies
        .iter()
        .filter_map(|dependency| match &dependency.target {
            Target::Model(name) => manifest.models.get(name),
            _ => None,
        });
    let last = models.max_by_key(|parsed| (parsed.layer(), parsed.model.name.clone()));
    let comment = test
        .raw_sql
        .lines()
        .find_map(|line| line.trim().strip_prefix("--"));
    Ok(Some(Check {
        name: test.name.clone(),
        kind: CheckKind::Singular {
            raw_sql: test.raw_sql.clone(),
        },
        model: last.map(|parsed| parsed.model.name.clone()),
        column: None,
        severity: config.severity,
        where_: None,
        description: comment.unwrap_or_default().trim().to_owned(),
        tags: config.tags,
        dependencies: rendered.dependencies.into_iter().collect(),
        path: test.path.clone(),
    }))
}
