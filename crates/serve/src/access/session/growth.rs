//! How large a single value of a query can become.
//!
//! The engine's memory pool counts what operators hold, not what an expression makes: `v || v` in
//! forty `with` queries, one upon another, would be a terabyte before anybody asked. So the size of
//! values is estimated from the plan, before anything is evaluated.

use std::cell::Cell;

use datafusion::catalog::default_table_source::source_as_provider;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, LogicalPlan, Operator, TableScan};

use super::text::too_complex;
use crate::access::error::{AccessError, Result};
use crate::access::flow::{Domain, Flow};
use crate::access::secured::SecuredTable;

/// Bytes that a stored value is taken to have.
const STORED: u64 = 64;
/// Bytes that an aggregate of many values is taken to have.
const GATHERED: u64 = 64 << 10;
/// Bytes that no value may come to have: with 8,192 rows in a batch, two gibibytes.
const MOST: u64 = 256 << 10;

/// How large the values of each column of a plan can become, in bytes.
///
/// # Errors
/// Some could become too large.
pub(super) fn check(plan: &LogicalPlan) -> Result<Vec<u64>> {
    let growth = Growth::default();
    let sizes = Flow::new(&growth).plan(plan);
    let sizes = sizes.map_err(|error| AccessError::of_planning(&error))?;
    let largest = sizes
        .iter()
        .copied()
        .max()
        .unwrap_or(0)
        .max(growth.largest.get());
    match largest > MOST {
        true => Err(too_complex(
            "a text or list of the query could become too large".to_owned(),
        )),
        false => Ok(sizes),
    }
}

#[derive(Default)]
struct Growth {
    /// The largest value that any part of the plan makes: it may only be counted afterwards.
    largest: Cell<u64>,
}

impl Domain for Growth {
    type Value = u64;

    fn column(&self, scan: &TableScan, name: &str) -> u64 {
        let provider = source_as_provider(&scan.source).ok();
        let secured = provider
            .as_ref()
            .and_then(|it| it.downcast_ref::<SecuredTable>());
        secured.map_or(0, |table| table.widest(name)).max(STORED)
    }

    fn literal(&self, value: Option<&ScalarValue>) -> u64 {
        value.map_or(8, |value| value.size() as u64)
    }

    fn any(&self, values: &[u64]) -> u64 {
        values.iter().copied().max().unwrap_or(8)
    }

    fn apply(&self, expr: &Expr, values: &[u64]) -> u64 {
        let size = self.size(expr, values);
        self.largest.set(self.largest.get().max(size));
        size
    }

    fn made(&self, _: &str, _: &str, inputs: &[(String, u64)]) -> u64 {
        let values: Vec<u64> = inputs.iter().map(|(_, size)| *size).collect();
        self.any(&values).max(GATHERED)
    }

    fn unknown(&self) -> u64 {
        STORED
    }

    fn again(&self, before: &[u64; 2], after: &u64) -> u64 {
        let first = before[1].saturating_sub(before[0]);
        let second = after.saturating_sub(before[1]);
        match (second, first) {
            (0, _) => (*after).max(before[1]),
            // The first round has nothing to be compared with.
            (_, 0) => *after,
            // As much longer as in the round before: a path, say. More: it doubles.
            _ if second <= first => GATHERED.max(*after),
            _ => u64::MAX,
        }
    }
}

impl Growth {
    fn size(&self, expr: &Expr, values: &[u64]) -> u64 {
        let sum = || {
            values
                .iter()
                .fold(0_u64, |sum, value| sum.saturating_add(*value))
        };
        let most = self.any(values);
        match expr {
            Expr::BinaryExpr(binary) if binary.op == Operator::StringConcat => sum(),
            Expr::BinaryExpr(_) | Expr::Between(_) | Expr::InList(_) => 16,
            Expr::ScalarFunction(call) => match call.func.name() {
                "concat" | "concat_ws" | "array_concat" | "array_append" | "array_prepend"
                | "make_array" | "named_struct" | "struct" | "array_union" | "map" | "to_json"
                | "array_to_string" | "arrays_zip" | "overlay" | "array_replace_all" => {
                    sum().saturating_mul(2)
                }
                "replace" | "regexp_replace" | "translate" => {
                    let with = values.get(2).copied().unwrap_or(1);
                    most.max(most.saturating_mul(with) / 2)
                }
                "repeat" | "array_repeat" => {
                    let times = match call.args.get(1) {
                        Some(Expr::Literal(ScalarValue::Int64(Some(times)), _)) => *times,
                        _ => i64::from(u16::MAX),
                    };
                    most.saturating_mul(times.max(0).unsigned_abs())
                }
                "lpad" | "rpad" | "array_resize" => match call.args.get(1) {
                    Some(Expr::Literal(ScalarValue::Int64(Some(length)), _)) => {
                        length.max(&0).unsigned_abs().saturating_mul(4)
                    }
                    _ => GATHERED,
                },
                "encode" | "to_hex" | "initcap" | "upper" | "lower" => most.saturating_mul(2),
                "length" | "character_length" | "octet_length" | "bit_length" | "strpos"
                | "ascii" | "levenshtein" | "md5" | "sha256" | "regexp_like" | "regexp_count"
                | "cardinality" | "array_length" => 64,
                _ => most,
            },
            Expr::AggregateFunction(call) => match call.func.name() {
                "string_agg" | "array_agg" => GATHERED.max(most),
                "count" | "approx_distinct" => 8,
                _ => most,
            },
            _ => most,
        }
    }
}
