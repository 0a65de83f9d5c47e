//! The mechanism, with two small functions that need order, keys and nothing else.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, Int64Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::error::Result;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::memory_pool::GreedyMemoryPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::{SessionConfig, SessionContext};

use super::{InputColumn, RelationFunction, RelationOrder, RelationState, with_relation_functions};

/// `running((select k, v, … ))`: the running sum of `v` in each `k`, all columns passed through.
#[derive(Debug)]
struct Running;

struct RunningState {
    output: SchemaRef,
    k: usize,
    v: usize,
    last: Option<i64>,
    sum: i64,
}

impl RelationFunction for Running {
    fn name(&self) -> &str {
        "running"
    }

    fn input_columns(&self) -> Vec<InputColumn> {
        vec![
            InputColumn::required("k", DataType::Int64),
            InputColumn::required("v", DataType::Int64),
            InputColumn::optional("sequence", DataType::Int64),
        ]
    }

    fn output_schema(&self, input: &Schema) -> Result<Schema> {
        let mut fields = input.fields().to_vec();
        fields.push(Arc::new(Field::new("running_sum", DataType::Int64, false)));
        Ok(Schema::new(fields))
    }

    fn order(&self) -> Option<RelationOrder> {
        Some(RelationOrder {
            partition_by: vec!["k"],
            order_by: vec!["v", "sequence"],
        })
    }

    fn passes_rows_through(&self) -> bool {
        true
    }

    fn open(&self, input: SchemaRef, output: SchemaRef) -> Result<Box<dyn RelationState>> {
        let (k, v) = (input.index_of("k")?, input.index_of("v")?);
        Ok(Box::new(RunningState {
            output,
            k,
            v,
            last: None,
            sum: 0,
        }))
    }
}

impl RelationState for RunningState {
    fn push(&mut self, batch: RecordBatch) -> Result<Vec<RecordBatch>> {
        let (keys, values) = (batch.column(self.k), batch.column(self.v));
        let (keys, values) = (
            keys.as_primitive::<Int64Type>(),
            values.as_primitive::<Int64Type>(),
        );
        let sums = (0..batch.num_rows()).map(|row| {
            let key = keys.is_valid(row).then(|| keys.value(row));
            if key != self.last {
                (self.last, self.sum) = (key, 0);
            }
            self.sum += if values.is_valid(row) {
                values.value(row)
            } else {
                0
            };
            self.sum
        });
        let sums: ArrayRef = Arc::new(Int64Array::from_iter_values(sums));
        let columns = batch.columns().iter().cloned().chain([sums]).collect();
        Ok(vec![RecordBatch::try_new(self.output.clone(), columns)?])
    }

    fn finish(&mut self) -> Result<Vec<RecordBatch>> {
        Ok(vec![])
    }

    fn memory_bytes(&self) -> usize {
        64
    }
}

/// `counted((select …))`: one row with the number of rows.
#[derive(Debug)]
struct Counted;

struct CountedState(SchemaRef, i64);

impl RelationFunction for Counted {
    fn name(&self) -> &str {
        "counted"
    }

    fn input_columns(&self) -> Vec<InputColumn> {
        vec![]
    }

    fn output_schema(&self, _input: &Schema) -> Result<Schema> {
        Ok(Schema::new(vec![Field::new("n", DataType::Int64, false)]))
    }

    fn open(&self, _input: SchemaRef, output: SchemaRef) -> Result<Box<dyn RelationState>> {
        Ok(Box::new(CountedState(output, 0)))
    }
}

impl RelationState for CountedState {
    fn push(&mut self, batch: RecordBatch) -> Result<Vec<RecordBatch>> {
        self.1 += batch.num_rows() as i64;
        Ok(vec![])
    }

    fn finish(&mut self) -> Result<Vec<RecordBatch>> {
        let count: ArrayRef = Arc::new(Int64Array::from(vec![self.1]));
        Ok(vec![RecordBatch::try_new(self.0.clone(), vec![count])?])
    }

    fn memory_bytes(&self) -> usize {
        // So that a small pool is too small.
        self.1 as usize * 100
    }
}

fn session(threads: usize, memory_bytes: usize) -> SessionContext {
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(GreedyMemoryPool::new(memory_bytes)))
        .build_arc()
        .unwrap();
    let builder = SessionStateBuilder::new()
        .with_config(
            SessionConfig::new()
                .with_target_partitions(threads)
                .with_batch_size(3),
        )
        .with_runtime_env(runtime)
        .with_default_features();
    // In two calls: both count.
    let builder = with_relation_functions(builder, vec![Arc::new(Running)]);
    let builder = with_relation_functions(builder, vec![Arc::new(Counted)]);
    SessionContext::new_with_state(builder.build())
}

async fn rows(context: &SessionContext, sql: &str) -> String {
    let batches = context.sql(sql).await.unwrap().collect().await.unwrap();
    pretty_format_batches(&batches).unwrap().to_string()
}

async fn plan(context: &SessionContext, sql: &str) -> String {
    rows(context, &format!("explain format indent {sql}")).await
}

async fn failure(context: &SessionContext, sql: &str) -> String {
    match context.sql(sql).await {
        Err(error) => error.to_string(),
        Ok(frame) => frame.collect().await.unwrap_err().to_string(),
    }
}

const NUMBERS: &str = "select value % 7 as k, (value * 37) % 101 as v, value as sequence, \
    'row ' || value as name from generate_series(1, 200)";

#[tokio::test]
async fn rows_come_in_order_and_all_columns_pass() {
    let context = session(3, usize::MAX);
    let sql = "select k, v, name, running_sum from running((
            select column1 as k, column2 as v, column3 as name
            from (values (2, 5, 'b'), (1, 3, 'c'), (2, 1, 'a'), (null, 9, 'e'), (1, null, 'd'))
        )) order by k, v";
    assert_eq!(
        rows(&context, sql).await,
        "+---+---+------+-------------+\n\
         | k | v | name | running_sum |\n\
         +---+---+------+-------------+\n\
         | 1 | 3 | c    | 3           |\n\
         | 1 |   | d    | 3           |\n\
         | 2 | 1 | a    | 1           |\n\
         | 2 | 5 | b    | 6           |\n\
         |   | 9 | e    | 9           |\n\
         +---+---+------+-------------+"
    );
}

#[tokio::test]
async fn one_thread_and_many_give_the_same() {
    let sql = format!("select * from running(({NUMBERS})) order by sequence");
    let alone = rows(&session(1, usize::MAX), &sql).await;
    assert_eq!(alone, rows(&session(4, usize::MAX), &sql).await);
    let window = format!(
        "select *, sum(v) over (partition by k order by v, sequence) as running_sum \
         from ({NUMBERS}) order by sequence"
    );
    assert_eq!(alone, rows(&session(2, usize::MAX), &window).await);
}

#[tokio::test]
async fn the_input_is_split_by_key_and_sorted_once() {
    let context = session(4, usize::MAX);
    let sql = format!("select k, max(running_sum) from running(({NUMBERS})) group by k");
    let plan = plan(&context, &sql).await;
    assert!(plan.contains("RelationFunctionExec: running"), "{plan}");
    // The groups are kept together below, so grouping by the key needs no other split or sort.
    assert_eq!(
        plan.matches("RepartitionExec: partitioning=Hash").count(),
        1,
        "{plan}"
    );
    assert_eq!(plan.matches("SortExec").count(), 1, "{plan}");
    assert!(
        plan.contains("k@0 ASC NULLS LAST, v@1 ASC NULLS LAST"),
        "{plan}"
    );
}

#[tokio::test]
async fn columns_nobody_asks_for_are_not_read() {
    let context = session(2, usize::MAX);
    context
        .sql("create table t (k bigint, v bigint, wide text, name text)")
        .await
        .unwrap();
    let read = plan(
        &context,
        "select name, running_sum from running((select * from t))",
    )
    .await;
    let scan = read
        .lines()
        .find(|line| line.contains("TableScan: t"))
        .unwrap();
    assert!(scan.contains("projection=[k, v, name]"), "{read}");
    let all = plan(&context, "select * from running((select * from t))").await;
    let scan = all
        .lines()
        .find(|line| line.contains("TableScan: t"))
        .unwrap();
    assert!(scan.contains("wide"), "{all}");
}

#[tokio::test]
async fn pruning_keeps_unions_and_joins_right() {
    let context = session(2, usize::MAX);
    let sql = format!(
        "with r as (select * from running(({NUMBERS})))
         select sum(a.running_sum + b.v) as total, count(*) as n
         from (select k, running_sum from r union all select v, sequence from r) a
         inner join r as b on a.k = b.sequence"
    );
    let window = sql.replace(
        &format!("running(({NUMBERS}))"),
        &format!(
            "(select *, sum(v) over (partition by k order by v, sequence) as running_sum \
             from ({NUMBERS}))"
        ),
    );
    assert_eq!(rows(&context, &sql).await, rows(&context, &window).await);
}

#[tokio::test]
async fn only_predicates_on_the_key_go_below() {
    let context = session(2, usize::MAX);
    let sql = format!("select count(*) as n, max(running_sum) as m from running(({NUMBERS})) ");
    let by_key = rows(&context, &format!("{sql} where k = 3")).await;
    assert_eq!(
        by_key,
        rows(&context, &format!("{sql} where k + 0 = 3 or v < -1")).await
    );
    let by_value = plan(&context, &format!("{sql} where v > 50")).await;
    let (filter, function) = (
        by_value.find("FilterExec").unwrap(),
        by_value.find("RelationFunctionExec").unwrap(),
    );
    assert!(filter < function, "{by_value}");
    let by_key = plan(&context, &format!("{sql} where k = 3")).await;
    let (filter, function) = (
        by_key.find("FilterExec").unwrap(),
        by_key.find("RelationFunctionExec").unwrap(),
    );
    assert!(function < filter, "{by_key}");
}

#[tokio::test]
async fn types_are_cast_and_names_qualify() {
    let context = session(2, usize::MAX);
    let sql = "select running.k, r.running_sum from running((
            select cast(1 as int) as k, '41' as v union all select 1, '1'
        )) inner join running((select 1 as k, 7 as v)) as r on r.k = running.k";
    assert_eq!(
        rows(&context, sql).await,
        "+---+-------------+\n| k | running_sum |\n+---+-------------+\n\
         | 1 | 7           |\n| 1 | 7           |\n+---+-------------+"
    );
}

#[tokio::test]
async fn a_function_without_order_sees_everything_once() {
    let context = session(4, usize::MAX);
    let sql = format!("select n from counted(({NUMBERS} union all {NUMBERS}))");
    assert_eq!(
        rows(&context, &sql).await,
        "+-----+\n| n   |\n+-----+\n| 400 |\n+-----+"
    );
    let empty = format!("select n from COUNTED(({NUMBERS} limit 0))");
    assert_eq!(
        rows(&context, &empty).await,
        "+---+\n| n |\n+---+\n| 0 |\n+---+"
    );
}

#[tokio::test]
async fn memory_is_accounted() {
    let context = session(1, 10_000);
    let error = failure(&context, &format!("select n from counted(({NUMBERS}))")).await;
    assert!(error.contains("RelationFunctionExec[counted 0]"), "{error}");
}

#[tokio::test]
async fn wrong_calls_say_what_is_wrong() {
    let context = session(1, usize::MAX);
    let error = failure(&context, "select * from running((select 1 as k, 2 as w))").await;
    assert!(
        error.contains("has no column `v`") && error.contains("`k`, `w`"),
        "{error}"
    );
    let error = failure(&context, "select * from running(1, 2)").await;
    assert!(error.contains("takes one subquery"), "{error}");
    let error = failure(&context, "select * from running()").await;
    assert!(error.contains("takes one subquery"), "{error}");
    let twice = "select * from running((select a.k, b.k, 1 as v from \
                 (select 1 as k) a cross join (select 1 as k) b))";
    let error = failure(&context, twice).await;
    assert!(
        error.contains("two columns `k`") || error.contains("k"),
        "{error}"
    );
}
