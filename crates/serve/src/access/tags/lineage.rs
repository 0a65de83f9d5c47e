//! Tags of what a plan gives, from the tags of what it reads.
//!
//! What is followed is the flow of values: a column that is computed from a tagged one is tagged.
//! What only decides (a filter, a join's condition, the `when` of a `case`, a comparison) is not.
//! Declared declassifiers end a flow: a count says nothing of single values, a keyed hash of an
//! identifier is a pseudonym that nobody can turn back.

use datafusion::catalog::default_table_source::source_as_provider;
use datafusion::common::ScalarValue;
use datafusion::error::Result;
use datafusion::logical_expr::expr::{AggregateFunction, ScalarFunction, WindowFunction};
use datafusion::logical_expr::{Expr, LogicalPlan, Operator, TableScan, WindowFunctionDefinition};

use super::{PII, Tag, TagMap, Tags, UNCLEAR};
use crate::access::flow::{Domain, Flow};
use crate::access::secured::SecuredTable;
use crate::metrics::MetricsTable;

/// Functions whose result says nothing of single values, or nothing that could be turned back.
const DECLASSIFIERS: [&str; 14] = [
    "count",
    "approx_distinct",
    "regr_count",
    "row_number",
    "rank",
    "dense_rank",
    "percent_rank",
    "cume_dist",
    "ntile",
    "grouping",
    "durable_key",
    "is_blocked_identifier",
    "has_text",
    "is_bot",
];

/// Functions that give a keyed hash of personal data: a pseudonym.
const PSEUDONYMS: [&str; 1] = ["pii_hash"];

/// Functions that take one named value out of a document: what was unchecked in it was chosen.
const CHOOSING: [&str; 5] = [
    "json_text",
    "get_field",
    "from_json",
    "kv_text",
    "url_param",
];

/// The relation functions of the program. What they make are keys, counts, times and credits…
const RELATIONS: [&str; 7] = [
    "attribute",
    "connected_components",
    "fit_attribution",
    "funnel",
    "paths",
    "retention",
    "sessionize",
];

/// … but for these: function, column, and the columns of the input that it is made from.
const MADE: [(&str, &str, &[&str]); 5] = [
    ("connected_components", "node_key", &["a_key", "b_key"]),
    ("connected_components", "component_key", &["a_key", "b_key"]),
    ("connected_components", "node_type", &["a_type", "b_type"]),
    ("paths", "path", &["step"]),
    ("fit_attribution", "channel", &["path"]),
];

/// The schema of parts of tables.
const PARTS: &str = "parts";

/// The schema of names without a schema.
const DEFAULT_SCHEMA: &str = "star";

/// Name of the tag of documents whose content no contract names.
pub const UNCHECKED: &str = "unchecked";

/// The tags of each column of `plan`, by its place.
///
/// # Errors
/// The plan is not one.
pub fn tags_of(plan: &LogicalPlan, tags: &TagMap) -> Result<Vec<Tags>> {
    Flow::new(&Lineage { tags }).plan(plan)
}

struct Lineage<'a> {
    tags: &'a TagMap,
}

impl Domain for Lineage<'_> {
    type Value = Tags;

    fn column(&self, scan: &TableScan, name: &str) -> Tags {
        // Behind the gate a table knows itself, by whatever name a query reads it.
        if let Ok(provider) = source_as_provider(&scan.source)
            && let Some(secured) = provider.downcast_ref::<SecuredTable>()
        {
            return secured.tags_of(name);
        }
        // A metric may be made from all that its tables show.
        if let Ok(provider) = source_as_provider(&scan.source)
            && let Some(metrics) = provider.downcast_ref::<MetricsTable>()
        {
            let sources = metrics.sources.values();
            let providers = sources.filter_map(|source| source_as_provider(source).ok());
            let tags = providers.filter_map(|provider| {
                let secured = provider.downcast_ref::<SecuredTable>();
                secured.map(SecuredTable::tags)
            });
            return tags.flatten().collect();
        }
        match scan.table_name.schema() {
            // A part of a table that is kept in parts: `model.part`.
            Some(PARTS) => {
                let model = scan.table_name.table().split('.').next();
                self.tags.of_model(model.unwrap_or_default(), name)
            }
            Some(schema) => self.tags.column(schema, scan.table_name.table(), name),
            // A table function: `generate_series()`.
            None if scan.table_name.table().ends_with("()") => Tags::new(),
            None => self
                .tags
                .column(DEFAULT_SCHEMA, scan.table_name.table(), name),
        }
    }

    fn literal(&self, _: Option<&ScalarValue>) -> Tags {
        Tags::new()
    }

    fn any(&self, values: &[Tags]) -> Tags {
        values.iter().flatten().cloned().collect()
    }

    fn apply(&self, expr: &Expr, values: &[Tags]) -> Tags {
        let all = self.any(values);
        match expr {
            Expr::ScalarFunction(ScalarFunction { func, .. }) => of_function(func.name(), all),
            Expr::AggregateFunction(AggregateFunction { func, .. }) => {
                of_function(func.name(), all)
            }
            Expr::WindowFunction(window) => {
                let WindowFunction { fun, .. } = &**window;
                match fun {
                    WindowFunctionDefinition::AggregateUDF(function) => {
                        of_function(function.name(), all)
                    }
                    WindowFunctionDefinition::WindowUDF(function) => {
                        of_function(function.name(), all)
                    }
                }
            }
            Expr::BinaryExpr(binary) if is_test(binary.op) => Tags::new(),
            Expr::IsNull(_)
            | Expr::IsNotNull(_)
            | Expr::IsTrue(_)
            | Expr::IsFalse(_)
            | Expr::IsUnknown(_)
            | Expr::IsNotTrue(_)
            | Expr::IsNotFalse(_)
            | Expr::IsNotUnknown(_)
            | Expr::Like(_)
            | Expr::SimilarTo(_)
            | Expr::Between(_)
            | Expr::InList(_)
            | Expr::Exists(_)
            | Expr::InSubquery(_)
            | Expr::SetComparison(_) => Tags::new(),
            _ => all,
        }
    }

    fn made(&self, function: &str, column: &str, inputs: &[(String, Tags)]) -> Tags {
        let from = MADE
            .iter()
            .find(|(made_by, name, _)| *made_by == function && *name == column);
        let is_from = |name: &String| match from {
            Some((_, _, from)) => from.contains(&name.as_str()),
            // What is not a function of ours may be made from anything.
            None => !RELATIONS.contains(&function),
        };
        let tags = inputs.iter().filter(|(name, _)| is_from(name));
        tags.flat_map(|(_, tags)| tags.clone()).collect()
    }

    fn unknown(&self) -> Tags {
        [Tag::pii(UNCLEAR)].into()
    }

    fn again(&self, before: &[Tags; 2], after: &Tags) -> Tags {
        before.iter().chain([after]).flatten().cloned().collect()
    }
}

/// It says true or false of values.
fn is_test(op: Operator) -> bool {
    matches!(
        op,
        Operator::Eq
            | Operator::NotEq
            | Operator::Lt
            | Operator::LtEq
            | Operator::Gt
            | Operator::GtEq
            | Operator::And
            | Operator::Or
            | Operator::IsDistinctFrom
            | Operator::IsNotDistinctFrom
            | Operator::RegexMatch
            | Operator::RegexIMatch
            | Operator::RegexNotMatch
            | Operator::RegexNotIMatch
            | Operator::LikeMatch
            | Operator::ILikeMatch
            | Operator::NotLikeMatch
            | Operator::NotILikeMatch
    )
}

fn of_function(name: &str, tags: Tags) -> Tags {
    if DECLASSIFIERS.contains(&name) {
        return Tags::new();
    }
    let changed = tags.into_iter().filter_map(|tag| {
        if PSEUDONYMS.contains(&name) && tag.name == PII {
            return Some(pseudonym(&tag));
        }
        (tag.name != UNCHECKED || !CHOOSING.contains(&name)).then_some(tag)
    });
    changed.collect()
}

/// The tag of a keyed hash of what has `tag`.
fn pseudonym(tag: &Tag) -> Tag {
    match tag.value.ends_with("_hash") {
        true => tag.clone(),
        false => Tag::pii(&format!("{}_hash", tag.value)),
    }
}
