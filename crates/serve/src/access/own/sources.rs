//! Which columns a query's columns come from, for the lineage of own tables.

use std::collections::BTreeSet;

use datafusion::catalog::default_table_source::source_as_provider;
use datafusion::common::ScalarValue;
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, LogicalPlan, TableScan};

use crate::access::flow::{Domain, Flow};
use crate::access::secured::SecuredTable;

/// For each column of a plan the columns of tables that its values come from.
pub(super) fn sources_of(plan: &LogicalPlan) -> Result<Vec<BTreeSet<String>>> {
    Flow::new(&Sources).plan(plan)
}

struct Sources;

type Columns = BTreeSet<String>;

fn all(values: &[Columns]) -> Columns {
    values.iter().flatten().cloned().collect()
}

impl Domain for Sources {
    type Value = Columns;

    fn column(&self, scan: &TableScan, name: &str) -> Columns {
        let provider = source_as_provider(&scan.source).ok();
        let secured = provider
            .as_ref()
            .and_then(|it| it.downcast_ref::<SecuredTable>());
        let of = secured.map(|table| format!("{}.{name}", table.name()));
        of.into_iter().collect()
    }

    fn literal(&self, _: Option<&ScalarValue>) -> Columns {
        Columns::new()
    }

    fn any(&self, values: &[Columns]) -> Columns {
        all(values)
    }

    fn apply(&self, _: &Expr, values: &[Columns]) -> Columns {
        all(values)
    }

    fn made(&self, _: &str, _: &str, inputs: &[(String, Columns)]) -> Columns {
        inputs.iter().flat_map(|(_, from)| from.clone()).collect()
    }

    fn unknown(&self) -> Columns {
        Columns::new()
    }

    fn again(&self, before: &[Columns; 2], after: &Columns) -> Columns {
        before.iter().chain([after]).flatten().cloned().collect()
    }
}
