//! What a program asks for: figures, by what, of which days and rows.

use domain::metrics::Grain;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A request for figures.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Request {
    /// Names of metrics: `revenue`, or `worth.sales` where several subjects have the name.
    pub metrics: Vec<String>,
    /// What they are grouped by. Every subject of the metrics must have each.
    pub dimensions: Vec<String>,
    /// Width of the time buckets; one figure for all days without it.
    pub grain: Option<Grain>,
    /// First day, as `2026-01-31`.
    pub from: Option<String>,
    /// Last day.
    pub to: Option<String>,
    /// Which rows count; all must hold.
    pub filters: Vec<Filter>,
    /// The order of the rows; by time and dimensions without it, and where it leaves a tie.
    pub order: Vec<Order>,
    /// At most so many rows.
    pub limit: Option<u64>,
    /// So many rows are left out first.
    pub offset: Option<u64>,
    /// A last row over everything, computed anew and not added up.
    pub totals: bool,
    /// The state of the tables: a time or a run. Whoever opens the session looks it up.
    pub as_of: Option<String>,
}

/// A condition on a dimension.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// The dimension.
    pub dimension: String,
    /// The comparison.
    #[serde(default)]
    pub op: Comparison,
    /// Texts, whole numbers or booleans. They become parameters of the query, never its text.
    #[serde(default)]
    pub values: Vec<Value>,
}

/// How a dimension is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Comparison {
    /// It has one of the values.
    #[default]
    In,
    /// It has none of the values, or no value.
    NotIn,
    /// It has this value.
    Is,
    /// It has another value, or none.
    IsNot,
    /// It is less than the value.
    Less,
    /// It is the value or less.
    AtMost,
    /// It is greater than the value.
    Greater,
    /// It is the value or greater.
    AtLeast,
    /// A text that has the value in it; upper and lower case count.
    Contains,
    /// A text that begins with the value; upper and lower case count.
    StartsWith,
    /// It has no value.
    IsNull,
    /// It has a value.
    IsNotNull,
}

impl Comparison {
    /// All, by the names that they have in requests.
    pub const ALL: [(&'static str, Self); 12] = [
        ("in", Self::In),
        ("not_in", Self::NotIn),
        ("is", Self::Is),
        ("is_not", Self::IsNot),
        ("less", Self::Less),
        ("at_most", Self::AtMost),
        ("greater", Self::Greater),
        ("at_least", Self::AtLeast),
        ("contains", Self::Contains),
        ("starts_with", Self::StartsWith),
        ("is_null", Self::IsNull),
        ("is_not_null", Self::IsNotNull),
    ];
}

/// A part of the order of rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// A metric, dimension or grain of the request.
    pub by: String,
    /// The greatest first.
    #[serde(default)]
    pub descending: bool,
}

impl Filter {
    /// The one value that it leaves, if it leaves just one.
    pub fn pins(&self) -> Option<&Value> {
        match (self.op, self.values.as_slice()) {
            (Comparison::Is | Comparison::In, [one]) if !one.is_null() => Some(one),
            _ => None,
        }
    }
}
