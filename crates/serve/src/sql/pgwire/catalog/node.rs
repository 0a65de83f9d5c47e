//! A query on the catalogue once its names are resolved.

use std::sync::Arc;

use regex::Regex;

use super::exec::Run;
use super::tables::Table;
use super::value::{Result, Value};

/// A function: its arguments are evaluated first.
pub(super) type Function = fn(&Run<'_>, &[Value]) -> Result<Value>;

/// An expression.
#[derive(Debug, Clone)]
pub(super) enum Node {
    Value(Value),
    /// A column: how many queries further out, and its place in that query's row.
    Column(usize, usize),
    Parameter(usize),
    /// A function; the flag: null as soon as one argument is.
    Call(Function, bool, Vec<Node>),
    And(Box<Node>, Box<Node>),
    Or(Box<Node>, Box<Node>),
    Not(Box<Node>),
    Compare(Comparison, Box<Node>, Box<Node>),
    Calculate(char, Box<Node>, Box<Node>),
    Concat(Box<Node>, Box<Node>),
    /// A pattern that is known, or one that is made for each row; the flags: case counts, negated.
    Matches(Box<Node>, Pattern, bool),
    IsNull(Box<Node>),
    Is(Box<Node>, bool),
    Distinct(Box<Node>, Box<Node>),
    In(Box<Node>, Vec<Node>),
    Case(Option<Box<Node>>, Vec<(Node, Node)>, Option<Box<Node>>),
    Coalesce(Vec<Node>),
    Cast(Box<Node>, u32, u32),
    Array(Vec<Node>),
    Row(Vec<Node>),
    ArrayOf(Arc<QueryPlan>),
    Scalar(Arc<QueryPlan>),
    Exists(Arc<QueryPlan>),
    InQuery(Box<Node>, Arc<QueryPlan>),
    /// Some or all elements of an array compare so; the flag: all.
    Any(Comparison, Box<Node>, Box<Node>, bool),
    AnyQuery(Comparison, Box<Node>, Arc<QueryPlan>, bool),
    /// An element; the number: where the array begins.
    Index(Box<Node>, Box<Node>, i64),
    Slice(Box<Node>, Option<Box<Node>>, Option<Box<Node>>),
    Field(Box<Node>, String),
    /// A value of a function that gives several rows, of an aggregate, of a window.
    Set(usize),
    Aggregate(usize),
    Window(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    /// A regular expression or a pattern of `like` that a text matches; the flags: without regard
    /// to case, negated.
    Regex(bool, bool),
    Like(bool, bool),
}

#[derive(Debug, Clone)]
pub(super) enum Pattern {
    Known(Arc<Regex>),
    /// Made for each row: of a `like`, and whether case counts.
    Made(Box<Node>, bool, bool),
}

/// A query.
#[derive(Debug)]
pub(in crate::sql::pgwire) struct QueryPlan {
    /// By which its result is remembered.
    pub(super) id: usize,
    /// It reads nothing of the queries around it: its result is the same for all their rows.
    pub(super) is_alone: bool,
    pub(in crate::sql::pgwire) names: Vec<String>,
    pub(in crate::sql::pgwire) kinds: Vec<u32>,
    pub(super) body: Body,
    /// Places of the result by which it is sorted: whether downward, and nulls first.
    pub(super) order: Vec<(usize, bool, bool)>,
    pub(super) limit: Option<Node>,
    pub(super) offset: Option<Node>,
}

#[derive(Debug)]
pub(super) enum Body {
    Select(Box<SelectPlan>),
    Values(Vec<Vec<Node>>),
    Union(Arc<QueryPlan>, Arc<QueryPlan>, SetOperation, bool),
    Nested(Arc<QueryPlan>),
    /// A `with` query that reads itself: how it begins, how it goes on, and its number.
    Recursive(Arc<QueryPlan>, Arc<QueryPlan>, usize, bool),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SetOperation {
    Union,
    Intersect,
    Except,
}

#[derive(Debug)]
pub(super) struct SelectPlan {
    pub(super) steps: Vec<Step>,
    /// What no step could check.
    pub(super) filters: Vec<Node>,
    pub(super) sets: Vec<(SetFunction, Vec<Node>)>,
    pub(super) group: Option<Group>,
    pub(super) windows: Vec<WindowCall>,
    /// The columns, and behind them what it is only sorted by.
    pub(super) columns: Vec<Node>,
    /// How many of them are shown.
    pub(super) shown: usize,
    pub(super) is_distinct: bool,
    /// Width of a row of what it reads.
    pub(super) width: usize,
}

#[derive(Debug)]
pub(super) struct Group {
    pub(super) keys: Vec<Node>,
    pub(super) aggregates: Vec<AggregateCall>,
    pub(super) having: Option<Node>,
}

#[derive(Debug)]
pub(super) struct AggregateCall {
    pub(super) name: &'static str,
    pub(super) arguments: Vec<Node>,
    pub(super) is_distinct: bool,
    pub(super) filter: Option<Node>,
    pub(super) order: Vec<(Node, bool, bool)>,
}

#[derive(Debug)]
pub(super) struct WindowCall {
    pub(super) name: &'static str,
    pub(super) partition: Vec<Node>,
    pub(super) order: Vec<(Node, bool, bool)>,
}

/// One thing that is joined to those before it.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) source: Source,
    pub(super) join: Join,
    /// Where its columns begin in the row, and how many they are.
    pub(super) start: usize,
    pub(super) width: usize,
    /// What must be equal, before and in it.
    pub(super) keys: Vec<(Node, Node)>,
    /// What else must hold for rows to be joined.
    pub(super) on: Vec<Node>,
    /// What must hold for its own rows.
    pub(super) own: Vec<Node>,
    /// What must hold afterwards.
    pub(super) then: Vec<Node>,
    /// It reads what stands before it.
    pub(super) is_lateral: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Join {
    Inner,
    Left,
    Right,
    Full,
}

#[derive(Debug)]
pub(super) enum Source {
    Table(&'static Table),
    Query(Arc<QueryPlan>),
    /// The rows so far of the `with` query that reads itself.
    Working(usize),
    /// A function that gives rows; the flag: with a number for each.
    Function(SetFunction, Vec<Node>, bool),
    /// A function that gives a value.
    Value(Node, bool),
    /// Several joined in parentheses.
    Nested(Box<SelectPlan>),
}

/// Functions that give several rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SetFunction {
    Series,
    Subscripts,
    Unnest,
    ExpandArray,
    RegexMatches,
    SplitToTable,
    /// Names of keywords.
    Keywords,
    /// Those that give no rows here.
    Nothing(usize),
}

impl std::fmt::Debug for Table {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.name)
    }
}
