//! Which conditions of a user may be applied beneath the barrier.
//!
//! Only such as cannot fail on any value, and that ask only for what the user sees as it is: a
//! comparison of an unmasked column with a literal of the column's own type. Everything else
//! (casts, arithmetic, functions) could fail on a hidden row and so tell of it.

use datafusion::arrow::datatypes::Schema;
use datafusion::common::{Column, ScalarValue};
use datafusion::logical_expr::{Between, BinaryExpr, Expr, Operator, expr::InList};

/// Whether `expr` may be applied beneath the barrier of a table with this schema.
pub(super) fn is_leakproof(expr: &Expr, schema: &Schema, is_plain: &dyn Fn(&str) -> bool) -> bool {
    let known = |column: &Expr| match column {
        Expr::Column(Column { name, .. }) if is_plain(name) => schema
            .field_with_name(name)
            .ok()
            .map(|field| field.data_type()),
        _ => None,
    };
    let fits = |column: &Expr, value: &Expr| match (known(column), value) {
        (Some(kind), Expr::Literal(value, _)) => is_same(kind, value),
        _ => false,
    };
    match expr {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => match op {
            Operator::Eq
            | Operator::NotEq
            | Operator::Lt
            | Operator::LtEq
            | Operator::Gt
            | Operator::GtEq => fits(left, right) || fits(right, left),
            Operator::And | Operator::Or => {
                is_leakproof(left, schema, is_plain) && is_leakproof(right, schema, is_plain)
            }
            _ => false,
        },
        Expr::InList(InList { expr, list, .. }) => list.iter().all(|value| fits(expr, value)),
        Expr::Between(Between {
            expr, low, high, ..
        }) => fits(expr, low) && fits(expr, high),
        Expr::IsNull(column) | Expr::IsNotNull(column) => known(column).is_some(),
        _ => false,
    }
}

fn is_same(kind: &datafusion::arrow::datatypes::DataType, value: &ScalarValue) -> bool {
    *kind == value.data_type() && !kind.is_nested()
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::datatypes::{DataType, Field};
    use datafusion::prelude::{cast, col, lit};

    use super::*;

    #[test]
    fn only_what_cannot_fail_goes_beneath() {
        let schema = Schema::new(vec![
            Field::new("country", DataType::Utf8, true),
            Field::new("email", DataType::Utf8, true),
            Field::new("revenue", DataType::Int64, true),
        ]);
        let is_plain = |name: &str| name != "email";
        let beneath = |expr: Expr| is_leakproof(&expr, &schema, &is_plain);
        assert!(beneath(col("country").eq(lit("DE"))));
        assert!(beneath(lit(5_i64).lt(col("revenue"))));
        assert!(beneath(col("revenue").between(lit(1_i64), lit(2_i64))));
        assert!(beneath(
            col("country").in_list(vec![lit("DE"), lit("AT")], true)
        ));
        assert!(beneath(
            col("country").is_null().or(col("revenue").eq(lit(1_i64)))
        ));
        assert!(!beneath(col("email").eq(lit("a@b.example"))));
        assert!(!beneath(col("email").is_null()));
        assert!(!beneath(
            col("country").eq(lit("DE")).or(col("email").is_null())
        ));
        assert!(!beneath(lit(1_i64).eq(lit(10_i64) / col("revenue"))));
        assert!(!beneath(
            cast(col("country"), DataType::Int64).eq(lit(1_i64))
        ));
        assert!(!beneath(col("revenue").eq(lit(1_i32))));
        assert!(!beneath(col("country").like(lit("D%"))));
        assert!(!beneath(col("country").eq(col("country"))));
    }
}
