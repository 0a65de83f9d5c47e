//! Selectors, as in dbt: `fct_order`, `+fct_order`, `fct_order+1`, `@fct_order`, `tag:daily`,
//! `path:models/4_marts`, `source:shop`, `entity:order`, `layer:star`, `stg_ga4__*`.
//!
//! A blank between selectors means "or", a comma means "and". A selector that names nothing is an
//! error, so that a misspelt name never builds nothing in silence.

use std::collections::BTreeSet;

use glob::Pattern;

use super::{Graph, Node};
use crate::project::problem::suggestion;
use crate::project::{Layer, Problem};

/// What `--select` and `--exclude` say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Selectors, each of which may hold several with blanks between; none selects everything.
    pub select: Vec<String>,
    /// What is left out of it.
    pub exclude: Vec<String>,
}

/// Ways to select, before the colon.
const METHODS: [&str; 6] = [
    "tag",
    "path",
    "source",
    "entity",
    "layer",
    "config.materialized",
];

impl Selection {
    /// Everything.
    pub fn all() -> Self {
        Self::default()
    }

    /// This, and nothing excluded.
    pub fn of(select: &str) -> Self {
        Self {
            select: vec![select.to_owned()],
            exclude: vec![],
        }
    }
}

/// One selector: `2+name+1`, `@name`.
struct Selector<'a> {
    text: &'a str,
    /// How many steps up; none for no step.
    up: usize,
    down: usize,
    is_at: bool,
}

impl<'a> Selector<'a> {
    fn parse(text: &'a str) -> Self {
        if let Some(text) = text.strip_prefix('@') {
            return Self {
                text,
                up: 0,
                down: usize::MAX,
                is_at: true,
            };
        }
        let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
        let steps = |text: &str| text.parse().unwrap_or(usize::MAX);
        let (up, text) = match text.split_once('+') {
            Some((count, rest)) if digits(count) && !rest.is_empty() => (steps(count), rest),
            _ => (0, text),
        };
        let (down, text) = match text.rsplit_once('+') {
            Some((rest, count)) if digits(count) => (steps(count), rest),
            _ => (0, text),
        };
        Self {
            text,
            up,
            down,
            is_at: false,
        }
    }
}

impl Graph {
    /// The selected nodes, in the order in which they are built.
    ///
    /// # Errors
    /// A selector names nothing that there is.
    pub fn select(&self, selection: &Selection) -> Result<Vec<Node>, Problem> {
        let selected = match split(&selection.select) {
            none if none.is_empty() => self.facts.keys().cloned().collect(),
            some => self.union(&some)?,
        };
        let excluded = self.union(&split(&selection.exclude))?;
        let is_selected = |node: &&Node| selected.contains(node) && !excluded.contains(node);
        Ok(self.order.iter().filter(is_selected).cloned().collect())
    }

    fn union(&self, selectors: &[&str]) -> Result<BTreeSet<Node>, Problem> {
        let mut all = BTreeSet::new();
        for selector in selectors {
            all.append(&mut self.intersection(selector)?);
        }
        Ok(all)
    }

    fn intersection(&self, selector: &str) -> Result<BTreeSet<Node>, Problem> {
        let mut all: Option<BTreeSet<Node>> = None;
        for part in selector.split(',').filter(|part| !part.is_empty()) {
            let found = self.one(part)?;
            all = Some(match all {
                Some(all) => all.intersection(&found).cloned().collect(),
                None => found,
            });
        }
        Ok(all.unwrap_or_default())
    }

    fn one(&self, text: &str) -> Result<BTreeSet<Node>, Problem> {
        let selector = Selector::parse(text);
        let found = self.matching(selector.text)?;
        let mut all = found.clone();
        for node in &found {
            all.append(&mut self.reached(node, &self.parents, selector.up));
            all.append(&mut self.reached(node, &self.children, selector.down));
        }
        if selector.is_at {
            for node in all.clone() {
                all.append(&mut self.ancestors(&node));
            }
        }
        Ok(all)
    }

    /// The nodes that a selector without `+` and `@` names.
    fn matching(&self, text: &str) -> Result<BTreeSet<Node>, Problem> {
        let found = match text.split_once(':') {
            // What is known but empty is no mistake.
            Some((method, value)) => return self.by_method(method, value),
            None if text.contains('/') => self.by_path(text),
            None => self.by_name(text),
        };
        if found.is_empty() {
            Err(self.unknown(text))
        } else {
            Ok(found)
        }
    }

    fn by_method(&self, method: &str, value: &str) -> Result<BTreeSet<Node>, Problem> {
        let found = match method {
            "path" => self.by_path(value),
            "source" => self.nodes(|node| match node {
                Node::Source { source, stream } => {
                    fits(value, source) || fits(value, &format!("{source}.{stream}"))
                }
                _ => false,
            }),
            "tag" => self.with_facts(|facts| facts.tags.iter().any(|tag| fits(value, tag))),
            "entity" => {
                self.with_facts(|facts| facts.entity.as_ref().is_some_and(|name| fits(value, name)))
            }
            "layer" => self.with_facts(|facts| fits(value, facts.layer.schema())),
            "config.materialized" => self.with_facts(|facts| fits(value, &facts.materialized)),
            _ => {
                let hint = suggestion(method, METHODS, "way to select");
                let what = format!("unknown way to select `{method}:`");
                return Err(Problem::new(what).hint(hint));
            }
        };
        // An entity that no source gives, and a layer without models, are known but empty.
        let is_known = match method {
            "entity" => domain::entity::entity(value).is_some(),
            "layer" => Layer::of_models_named(value).is_some() || value == "seeds",
            "config.materialized" => ["view", "table", "incremental"].contains(&value),
            _ => false,
        };
        if found.is_empty() && !is_known {
            return Err(self.unknown_value(method, value));
        }
        Ok(found)
    }

    /// Models, seeds and streams by name; a whole layer by its name.
    fn by_name(&self, name: &str) -> BTreeSet<Node> {
        let found = self.nodes(|node| match node {
            Node::Source { source, stream } => fits(name, &format!("{source}.{stream}")),
            Node::Seed(known) | Node::Model(known) => {
                let schema = self
                    .facts
                    .get(node)
                    .map_or("", |facts| facts.layer.schema());
                fits(name, known) || name == format!("{schema}.{known}")
            }
        });
        if found.is_empty() {
            self.with_facts(|facts| facts.layer.schema() == name)
        } else {
            found
        }
    }

    fn by_path(&self, path: &str) -> BTreeSet<Node> {
        let path = path.trim_start_matches("./").trim_end_matches('/');
        self.with_facts(|facts| {
            let known = &facts.path;
            known
                .strip_prefix(path)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                || fits(path, known)
        })
    }

    fn nodes(&self, is_meant: impl Fn(&Node) -> bool) -> BTreeSet<Node> {
        self.facts
            .keys()
            .filter(|node| is_meant(node))
            .cloned()
            .collect()
    }

    fn with_facts(&self, is_meant: impl Fn(&super::Facts) -> bool) -> BTreeSet<Node> {
        let found = self.facts.iter().filter(|(_, facts)| is_meant(facts));
        found.map(|(node, _)| node.clone()).collect()
    }

    fn unknown(&self, text: &str) -> Problem {
        if let Some(out) = self.left_out.iter().find(|out| out.model == text) {
            return Problem::new(format!("`{text}` is not built")).why(out.why());
        }
        let mut known: Vec<String> = self.facts.keys().map(Node::name).collect();
        known.extend(Layer::OF_MODELS.map(|layer| layer.schema().to_owned()));
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        Problem::new(format!("the selector `{text}` names nothing"))
            .hint(suggestion(text, known, "model"))
    }

    fn unknown_value(&self, method: &str, value: &str) -> Problem {
        let all = self.facts.iter();
        let known: BTreeSet<String> = match method {
            "tag" => all.flat_map(|(_, facts)| facts.tags.clone()).collect(),
            "source" => all
                .filter_map(|(node, _)| match node {
                    Node::Source { source, .. } => Some(source.clone()),
                    _ => None,
                })
                .collect(),
            "entity" => domain::entity::entities()
                .iter()
                .map(|e| e.name.clone())
                .collect(),
            "layer" => Layer::OF_MODELS
                .map(|layer| layer.schema().to_owned())
                .into(),
            "path" => all
                .filter_map(|(_, facts)| Some(facts.path.rsplit_once('/')?.0.to_owned()))
                .collect(),
            _ => ["view", "table", "incremental"].map(str::to_owned).into(),
        };
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        Problem::new(format!("the selector `{method}:{value}` names nothing"))
            .hint(suggestion(value, known, method))
    }
}

fn split(selectors: &[String]) -> Vec<&str> {
    selectors
        .iter()
        .flat_map(|selector| selector.split_whitespace())
        .collect()
}

/// Whether `name` is what `wanted` says, with `*` and `?` in it.
fn fits(wanted: &str, name: &str) -> bool {
    if wanted.contains(['*', '?', '[']) {
        return Pattern::new(wanted).is_ok_and(|pattern| pattern.matches(name));
    }
    wanted == name
}
