//! The layers that data passes through, and which one a model belongs to.
//!
//! A model's layer is that of `config(schema=…)`, else of its numbered folder, else of its name's
//! prefix, else `marts`. A layer is also the name of the schema that its tables stand in.

use serde::{Deserialize, Serialize};

/// A layer, in the order in which data passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layer {
    /// As received.
    Raw,
    /// Reference lists in CSV files of the project.
    Seeds,
    /// One model per source entity.
    Silver,
    /// Who is who.
    Identity,
    /// Dimensions and facts.
    Star,
    /// Ready answers.
    Marts,
}

impl Layer {
    /// Those that models stand in.
    pub const OF_MODELS: [Self; 4] = [Self::Silver, Self::Identity, Self::Star, Self::Marts];

    /// The schema in SQL.
    pub fn schema(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Seeds => "seeds",
            Self::Silver => "silver",
            Self::Identity => "identity",
            Self::Star => "star",
            Self::Marts => "marts",
        }
    }

    /// The layer of models with this name.
    pub fn of_models_named(name: &str) -> Option<Self> {
        Self::OF_MODELS
            .into_iter()
            .find(|layer| layer.schema() == name)
    }

    /// By folder (`3_star`, `star`), else by prefix, else marts. `path` is that of the file.
    pub fn of_path(path: &str, name: &str) -> Self {
        let folders = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let by_folder = folders.split('/').find_map(|folder| {
            let bare = folder.split_once('_').map_or(folder, |(number, rest)| {
                if number.chars().all(|c| c.is_ascii_digit()) {
                    rest
                } else {
                    folder
                }
            });
            Self::of_models_named(bare)
        });
        by_folder.unwrap_or_else(|| Self::of_prefix(name))
    }

    fn of_prefix(name: &str) -> Self {
        match name.split_once('_').map_or("", |(prefix, _)| prefix) {
            "stg" => Self::Silver,
            "int" => Self::Identity,
            "dim" | "fct" | "bridge" => Self::Star,
            _ => Self::Marts,
        }
    }
}

impl std::fmt::Display for Layer {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.schema())
    }
}
