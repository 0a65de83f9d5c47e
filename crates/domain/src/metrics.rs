//! The semantic layer as data: which figures there are, of which rows, and what may be added.
//!
//! `written` is `metrics/*.yml` as typed, `formula` the arithmetic between measures, `layer` all
//! files together, checked and looked up. What a definition means in SQL is `serve`'s; nothing here
//! knows the engine.

mod check;
mod formula;
mod layer;
mod written;

#[cfg(test)]
mod tests;

pub use formula::{Formula, Name, Operator};
pub use layer::{Found, Layer, Source, Wrong};
pub use written::{
    Additivity, Aggregate, Condition, DefaultValue, Dimension, DimensionType, File, Grain, Measure,
    Metric, NeverAcross, Ratio, Scalar, Subject, SubjectDimension, TimeColumn, Unit,
};
