//! The things in Jinja that are more than a function: relations, `this`, `config`, `exceptions`.

use std::fmt;
use std::sync::Arc;

use minijinja::value::Object;
use minijinja::{Error, ErrorKind, State, Value};

use super::context::{Notes, lock, of_data, refusal, refusal_at, unforeseen};
use super::dependency::Dependency;
use super::render::Scope;
use crate::project::{ModelConfig, Problem};

/// What `ref`, `source`, `entity` and `previous` give.
#[derive(Debug)]
pub(super) struct Relation {
    /// The dependency as `{{ ref('m') }}` and what stands for it.
    pub(super) bounded: (Dependency, Option<String>),
    /// The dependency as `{{ ref('m').render() }}` and what stands for it.
    pub(super) whole: (Dependency, Option<String>),
    pub(super) schema: String,
    pub(super) name: String,
    pub(super) notes: Notes,
}

/// What can be asked of a relation.
pub(super) const RELATION_PARTS: [&str; 4] = ["schema", "name", "identifier", "table"];

impl Object for Relation {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match key.as_str()? {
            "schema" => Some(Value::from(self.schema.as_str())),
            "name" | "identifier" | "table" => Some(Value::from(self.name.as_str())),
            _ => None,
        }
    }

    fn call_method(
        self: &Arc<Self>,
        _: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        if method != "render" || !args.is_empty() {
            return Err(Error::from(ErrorKind::UnknownMethod));
        }
        lock(&self.notes).read(self.whole.0.clone());
        match &self.whole.1 {
            Some(text) => Ok(Value::from(text.as_str())),
            None => Err(unforeseen(&self.whole.0.target)),
        }
    }

    fn render(self: &Arc<Self>, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        lock(&self.notes).read(self.bounded.0.clone());
        // Without a text the file asks for other things than when it was read.
        out.write_str(self.bounded.1.as_deref().ok_or(fmt::Error)?)
    }
}

/// What `this` is.
#[derive(Debug)]
pub(super) struct This(pub(super) String);

impl Object for This {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let (schema, name) = self.0.split_once('.').unwrap_or(("", &self.0));
        match key.as_str()? {
            "schema" => Some(Value::from(schema)),
            "name" | "identifier" | "table" => Some(Value::from(name)),
            _ => None,
        }
    }

    fn call_method(
        self: &Arc<Self>,
        _: &mut State<'_, '_>,
        method: &str,
        _: &[Value],
    ) -> Result<Value, Error> {
        match method {
            "render" => Ok(Value::from(self.0.as_str())),
            _ => Err(Error::from(ErrorKind::UnknownMethod)),
        }
    }

    fn render(self: &Arc<Self>, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// What `config` is: `config(…)`, `config.get('…')`.
pub(super) struct Config {
    pub(super) scope: Arc<Scope>,
    pub(super) notes: Notes,
}

impl fmt::Debug for Config {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "config of {}", self.scope.name)
    }
}

impl Object for Config {
    fn call(self: &Arc<Self>, _: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        let mut checked = ModelConfig::default();
        for arg in args {
            let json = serde_json::to_value(arg).unwrap_or_default();
            let Some(settings) = json.as_object() else {
                let problem = Problem::new(format!("`config` cannot take `{arg}`"));
                return Err(refusal(
                    problem.hint("write `config(materialized='table')`"),
                ));
            };
            for (setting, value) in settings {
                let refused = |problem| refusal_at(problem, Some(setting.clone()));
                checked.set(setting, value).map_err(refused)?;
                lock(&self.notes)
                    .config
                    .push((setting.clone(), value.clone()));
            }
        }
        Ok(Value::from(""))
    }

    fn call_method(
        self: &Arc<Self>,
        _: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        let setting = args.first().and_then(Value::as_str);
        let ("get" | "require", Some(setting)) = (method, setting) else {
            return Err(Error::from(ErrorKind::UnknownMethod));
        };
        let notes = lock(&self.notes);
        let found = notes.config.iter().rev().find(|(name, _)| name == setting);
        if let Some((_, value)) = found {
            return Ok(of_data(value));
        }
        if method == "require" {
            return Err(refusal(Problem::new(format!("config lacks `{setting}`"))));
        }
        Ok(args.get(1).cloned().unwrap_or_else(|| Value::from(())))
    }
}

/// `exceptions.raise_compiler_error('…')` and `exceptions.warn('…')`.
#[derive(Debug)]
pub(super) struct Exceptions;

impl Object for Exceptions {
    fn call_method(
        self: &Arc<Self>,
        state: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        let message = args.first().map(ToString::to_string).unwrap_or_default();
        match method {
            "raise_compiler_error" => Err(refusal(Problem::new(message))),
            "warn" => {
                log::warn!("{}: {message}", state.name());
                Ok(Value::from(""))
            }
            _ => Err(Error::from(ErrorKind::UnknownMethod)),
        }
    }
}

/// `adapter.quote('…')`.
#[derive(Debug)]
pub(super) struct Adapter;

impl Object for Adapter {
    fn call_method(
        self: &Arc<Self>,
        _: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        match (method, args) {
            ("quote", [name]) => Ok(Value::from(format!(
                "\"{}\"",
                name.to_string().replace('"', "\"\"")
            ))),
            _ => Err(Error::from(ErrorKind::UnknownMethod)),
        }
    }
}
