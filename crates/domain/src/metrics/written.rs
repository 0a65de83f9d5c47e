//! `metrics/*.yml` as typed. Unknown keys are refused.

use serde::{Deserialize, Serialize};

/// A whole file.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct File {
    /// Dimensions that subjects share: a figure by one of them means the same everywhere.
    pub dimensions: Vec<Dimension>,
    /// What is measured, each over the rows of one table.
    pub subjects: Vec<Subject>,
    /// Figures made of measures of several subjects.
    pub metrics: Vec<Metric>,
}

/// What figures are grouped and filtered by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dimension {
    /// Its name in requests and in SQL.
    pub name: String,
    /// Its name for people.
    #[serde(default)]
    pub label: Option<String>,
    /// What it means.
    pub description: String,
    /// Type of its values.
    #[serde(default, rename = "type")]
    pub kind: DimensionType,
    /// The table that has its label (`star.dim_channel`); none where the subject's own column is
    /// the value.
    #[serde(default)]
    pub table: Option<String>,
    /// The table's column that a subject's column is joined with: one row for each.
    #[serde(default)]
    pub key: Option<String>,
    /// The table's column that is shown.
    #[serde(default)]
    pub column: Option<String>,
}

/// Type of a dimension's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DimensionType {
    /// UTF-8 text.
    #[default]
    Text,
    /// 64 bits; a key is one too.
    Integer,
    /// Calendar day.
    Day,
    /// True or false.
    Boolean,
}

/// What is measured over the rows of one table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// Its name: that of its table in the schema `metrics`.
    pub name: String,
    /// The rest is laid over the subject of this name that is there already.
    #[serde(default)]
    pub extend: bool,
    /// Its name for people.
    #[serde(default)]
    pub label: Option<String>,
    /// What a row is, and which rows count.
    #[serde(default)]
    pub description: String,
    /// The table: `star.fct_session`.
    #[serde(default)]
    pub table: Option<String>,
    /// Measures of other subjects win where a name stands for both.
    #[serde(default)]
    pub yields: bool,
    /// The day that its figures stand on.
    #[serde(default)]
    pub time: Option<TimeColumn>,
    /// Rows that count; the others do not exist for it.
    #[serde(default)]
    pub filters: Vec<Condition>,
    /// What holds for a dimension that a request neither groups nor filters by.
    #[serde(default)]
    pub defaults: Vec<DefaultValue>,
    /// Dimensions over which none of its measures may be added.
    #[serde(default)]
    pub never_across: Vec<NeverAcross>,
    /// Its dimensions.
    #[serde(default)]
    pub dimensions: Vec<SubjectDimension>,
    /// Its measures.
    #[serde(default)]
    pub measures: Vec<Measure>,
}

/// The day that a subject's figures stand on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeColumn {
    /// A column of calendar days.
    pub column: String,
    /// The finest grain that the column has.
    #[serde(default)]
    pub grain: Grain,
    /// Which day it is.
    #[serde(default)]
    pub description: String,
}

/// Width of a time bucket, in the reporting zone. Weeks begin where the project says.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Grain {
    /// Calendar day.
    #[default]
    Day,
    /// Seven days.
    Week,
    /// Calendar month.
    Month,
    /// Calendar quarter.
    Quarter,
    /// Calendar year.
    Year,
}

impl Grain {
    /// From fine to coarse.
    pub const ALL: [Self; 5] = [
        Self::Day,
        Self::Week,
        Self::Month,
        Self::Quarter,
        Self::Year,
    ];

    /// Its name, which is also that of its column in SQL.
    pub fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Year => "year",
        }
    }

    /// What its column holds.
    pub fn description(self) -> &'static str {
        match self {
            Self::Day => "The day.",
            Self::Week => "First day of the week.",
            Self::Month => "First day of the month.",
            Self::Quarter => "First day of the quarter.",
            Self::Year => "First day of the year.",
        }
    }

    /// Whether buckets of this width are made of whole ones of the other.
    pub fn holds(self, finer: Self) -> bool {
        self == finer || (finer < self && finer != Self::Week) || finer == Self::Day
    }
}

/// A dimension as a subject has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubjectDimension {
    /// Name of a shared dimension.
    pub name: String,
    /// The subject's column: the value, or the key of the dimension's table. The name without it.
    #[serde(default)]
    pub column: Option<String>,
    /// An SQL expression of the subject's columns in place of a column.
    #[serde(default)]
    pub sql: Option<String>,
    /// The subject's column is the value, though the dimension has a table.
    #[serde(default)]
    pub is_label: bool,
}

/// What holds for a dimension that a request does not speak of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DefaultValue {
    /// The dimension.
    pub dimension: String,
    /// Its value.
    pub is: Scalar,
}

/// A dimension over which a measure may not be added.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NeverAcross {
    /// The dimension.
    pub dimension: String,
    /// Why, as a sentence for whoever asked for it.
    pub why: String,
}

/// A condition on a column, with one comparison.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Condition {
    /// The column.
    pub column: String,
    /// It has this value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is: Option<Scalar>,
    /// It has another value, or none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_not: Option<Scalar>,
    /// It has one of these values.
    #[serde(rename = "in", skip_serializing_if = "Option::is_none")]
    pub one_of: Option<Vec<Scalar>>,
    /// It has none of these values, or no value.
    #[serde(rename = "not_in", skip_serializing_if = "Option::is_none")]
    pub none_of: Option<Vec<Scalar>>,
    /// It has no value, or it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_null: Option<bool>,
}

/// A value in a definition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Scalar {
    /// True or false.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A text; a day is `2026-01-31`.
    Text(String),
    /// What the project's settings say: `{setting: attribution.default_model}`.
    Setting {
        /// Its name.
        setting: String,
    },
}

/// A figure over the rows of a subject, or between its other measures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measure {
    /// Its name in requests and in SQL.
    pub name: String,
    /// Its name for people.
    #[serde(default)]
    pub label: Option<String>,
    /// What it means.
    pub description: String,
    /// What it is counted in; `count` for counts, `rate` for a ratio without it.
    #[serde(default, rename = "type")]
    pub unit: Option<Unit>,
    /// For money: `reporting`, or the dimension that says the currency.
    #[serde(default)]
    pub currency: Option<String>,
    /// How rows become a figure.
    #[serde(default)]
    pub aggregate: Option<Aggregate>,
    /// The column that is aggregated; none where rows are counted.
    #[serde(default)]
    pub column: Option<String>,
    /// An SQL expression of the subject's columns in place of a column.
    #[serde(default)]
    pub sql: Option<String>,
    /// Rows that count for this measure.
    #[serde(default)]
    pub filters: Vec<Condition>,
    /// For `last`: the column whose last value counts.
    #[serde(default)]
    pub over: Option<String>,
    /// SQL that is true of a row whose money is missing for want of an exchange rate.
    #[serde(default)]
    pub partial: Option<String>,
    /// One measure per unit of another.
    #[serde(default)]
    pub ratio: Option<Ratio>,
    /// Arithmetic between measures: `revenue - refunds`.
    #[serde(default)]
    pub formula: Option<String>,
    /// Dimensions over which it may not be added, beside those of its subject.
    #[serde(default)]
    pub never_across: Vec<NeverAcross>,
    /// Only other measures use it.
    #[serde(default)]
    pub hidden: bool,
}

/// One measure per unit of another: recomputed after grouping, null where the denominator is zero.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ratio {
    /// What is divided.
    pub of: String,
    /// What it is divided by.
    pub per: String,
    /// A factor: 1000 for the cost of a thousand.
    #[serde(default = "one")]
    pub times: u32,
    /// Null, too, where there is nothing to divide: what nothing was spent on has no cost.
    #[serde(default)]
    pub null_if_nothing: bool,
}

fn one() -> u32 {
    1
}

/// A figure made of measures of several subjects, each aggregated by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metric {
    /// Its name in requests.
    pub name: String,
    /// Its name for people.
    #[serde(default)]
    pub label: Option<String>,
    /// What it means.
    pub description: String,
    /// What it is counted in; `rate` for a ratio without it.
    #[serde(default, rename = "type")]
    pub unit: Option<Unit>,
    /// For money: `reporting`.
    #[serde(default)]
    pub currency: Option<String>,
    /// One measure per unit of another: `subject.measure`.
    #[serde(default)]
    pub ratio: Option<Ratio>,
    /// Arithmetic between measures.
    #[serde(default)]
    pub formula: Option<String>,
}

/// How rows become a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aggregate {
    /// Added up; nothing is 0.
    Sum,
    /// How many rows; with a column, how many that have a value.
    Count,
    /// How many different values.
    CountDistinct,
    /// The least value.
    Min,
    /// The greatest value.
    Max,
    /// The mean of the values.
    Average,
    /// Added up over the rows with the last value of the column `over`, within each time bucket.
    Last,
}

/// What a measure is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// A number of things; credit may split them.
    Count,
    /// Money of one currency.
    Money,
    /// Milliseconds.
    Milliseconds,
    /// Seconds.
    Seconds,
    /// Days.
    Days,
    /// A share or a return: a plain ratio.
    Rate,
    /// Anything else.
    Number,
}

/// What may be done with figures of a measure once they are grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Additivity {
    /// They may be added.
    Sum,
    /// Things that stand in several groups would count several times.
    Distinct,
    /// They may be added over anything but the column whose last value counts.
    Last,
    /// Only the least of them, or the greatest, means something.
    Extreme,
    /// It has to be computed anew from its parts.
    Ratio,
}
