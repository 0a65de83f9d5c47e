//! What a model reads.

use serde::{Deserialize, Serialize};

/// A thing that a model can read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// `source('s', 't')`: the current raw rows of a stream.
    Source {
        /// Name of the source in `throughline.yml` (never its kind).
        source: String,
        /// Name of the stream.
        stream: String,
    },
    /// `ref('…')` of a seed.
    Seed(String),
    /// `entity('…')`: the generated union of the silver models with this entity.
    Entity(String),
    /// `ref('…')` of a model.
    Model(String),
    /// `previous('…')`: the rows of a model as of this model's last build. No arrow in the graph.
    Previous(String),
}

impl Target {
    /// The name alone: of the model, seed, entity or stream.
    pub fn name(&self) -> &str {
        match self {
            Self::Source { stream, .. } => stream,
            Self::Seed(name) | Self::Entity(name) | Self::Model(name) | Self::Previous(name) => {
                name
            }
        }
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Source { source, stream } => write!(out, "source('{source}', '{stream}')"),
            Self::Seed(name) | Self::Model(name) => write!(out, "ref('{name}')"),
            Self::Entity(name) => write!(out, "entity('{name}')"),
            Self::Previous(name) => write!(out, "previous('{name}')"),
        }
    }
}

/// One use of a target by a model. A model that uses one both ways has two.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Dependency {
    /// What is read.
    pub target: Target,
    /// True for `{{ ref('m') }}`, whose days the runner bounds in an interval model; false for
    /// `{{ ref('m').render() }}`, the whole of it.
    pub is_bounded: bool,
    /// `{{ ref('m', part='web') }}`: one part of a model in parts.
    pub part: Option<String>,
}

impl Dependency {
    /// `{{ ref('m') }}` and the like.
    pub fn bounded(target: Target) -> Self {
        Self {
            target,
            is_bounded: true,
            part: None,
        }
    }
}

/// What the runner says to put into the SQL.
pub trait Relations {
    /// SQL that can stand after `from`: `star.fct_order`, or a subquery in parentheses.
    fn relation(&self, dependency: &Dependency) -> String;

    /// The table of the model that is compiled.
    fn this(&self) -> String;

    /// What `is_incremental()` answers.
    fn is_incremental(&self) -> bool;

    /// The part of the model that is compiled; none for all of it.
    fn part(&self) -> Option<&str> {
        None
    }
}
