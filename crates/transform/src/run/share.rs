//! Queries of a model's `with` clause that are carried out once.
//!
//! The engine puts a named query into every place that reads it, and so carries it out as often.
//! Where it is small and comes of much work, `config(share=['name'])` has it carried out once; its
//! rows are then read from memory.

use std::sync::Arc;

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_schema::{Field, Schema};
use datafusion::dataframe::DataFrame;
use datafusion::datasource::MemTable;
use datafusion::error::DataFusionError;
use datafusion::physical_plan::collect_partitioned;
use datafusion::sql::parser::{DFParser, Statement};
use datafusion::sql::sqlparser::ast;
use datafusion::sql::sqlparser::dialect::GenericDialect;

use super::Context;
use crate::compile::ParsedModel;
use crate::{Result, TransformError};

/// Plans a model's SQL, its shared queries carried out and kept in memory.
///
/// # Errors
/// The SQL cannot be planned, a shared query fails, or there is none of that name.
pub(crate) async fn plan(
    context: &Context<'_>,
    model: &ParsedModel,
    sql: &str,
) -> Result<DataFrame> {
    let mut sql = sql.to_owned();
    for name in &model.config.share {
        let (alone, rest) = split(&sql, name).ok_or_else(|| no_such(model, name))?;
        let rows = context.warehouse.sql(&alone).await?;
        let table = kept(rows).await?;
        let lent =
            context
                .warehouse
                .lend(model.name(), &format!("__shared_{name}"), Arc::new(table))?;
        sql = rest.replace(PLACE, &lent);
    }
    context.warehouse.sql(&sql).await
}

/// Carries a query out. Batches say of their own whether a column is ever null: all are given one
/// word. Types are those of the plan, in which the engine has made both sides of a union agree.
async fn kept(rows: DataFrame) -> Result<MemTable> {
    let task = Arc::new(rows.task_ctx());
    let plan = rows.create_physical_plan().await?;
    let stated = plan.schema();
    let fields = stated.fields().iter().map(|field| {
        let field = Field::new(field.name(), field.data_type().clone(), true);
        Arc::new(field)
    });
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let mut partitions = collect_partitioned(plan, task).await?;
    for batch in partitions.iter_mut().flatten() {
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let columns = batch.columns().to_vec();
        *batch = RecordBatch::try_new_with_options(Arc::clone(&schema), columns, &options)
            .map_err(DataFusionError::from)?;
    }
    Ok(MemTable::try_new(schema, partitions)?)
}

/// Stands for the table that is read instead.
const PLACE: &str = "__shared_rows_of_this_query";

/// The named query with those before it, as a query of its own; and the whole with a read of
/// [`PLACE`] in its place.
fn split(sql: &str, name: &str) -> Option<(String, String)> {
    let mut whole = query(sql)?;
    let with = whole.with.as_mut()?;
    let at = with
        .cte_tables
        .iter()
        .position(|cte| cte.alias.name.value == name)?;
    let mut alone = (*with.cte_tables[at].query).clone();
    if at > 0 && alone.with.is_none() {
        let mut before = with.clone();
        before.cte_tables.truncate(at);
        alone.with = Some(before);
    }
    let read = query(&format!("select * from {PLACE}"))?;
    *with.cte_tables[at].query = read;
    Some((alone.to_string(), whole.to_string()))
}

fn query(sql: &str) -> Option<ast::Query> {
    let mut statements = DFParser::parse_sql_with_dialect(sql, &GenericDialect {}).ok()?;
    match statements.pop_front()? {
        Statement::Statement(statement) => match *statement {
            ast::Statement::Query(query) => Some(*query),
            _ => None,
        },
        _ => None,
    }
}

fn no_such(model: &ParsedModel, name: &str) -> TransformError {
    TransformError::Silver {
        model: model.name().to_owned(),
        why: format!("`share` names `{name}`, which its `with` clause does not have"),
        hint: "name a query of the outermost `with`, as `share=['name']`".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_taken_out_with_those_before_it() {
        let sql = "with a as (select 1 as x), b as (select x from a), c as (select x from b) \
                   select * from b, c";
        let (alone, rest) = split(sql, "b").unwrap();
        assert_eq!(alone, "WITH a AS (SELECT 1 AS x) SELECT x FROM a");
        assert!(
            rest.contains(&format!("b AS (SELECT * FROM {PLACE})")),
            "{rest}"
        );
        assert!(split(sql, "d").is_none());
    }
}
