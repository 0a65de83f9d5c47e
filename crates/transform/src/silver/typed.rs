//! A silver model's rows, typed: what it selects, with what only the raw row knows (when its file
//! was true, whether it could be parsed), through the contract.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, BooleanArray, TimestampMicrosecondArray};
use arrow_schema::{DataType, TimeUnit};
use datafusion::common::cast::as_int64_array;
use datafusion::common::{Column, DFSchema};
use datafusion::dataframe::DataFrame;
use datafusion::execution::FunctionRegistry as _;
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Volatility, cast, create_udf};
use datafusion::prelude::{Expr, col, lit};
use lake::RAW_ID_ROW_BITS;

use super::changes::BEFORE;
use super::contract::Contract;
use super::received::{MALFORMED, SURPLUS};
use crate::compile::ParsedModel;
use crate::project::problem::suggestion;
use crate::run::Context;
use crate::{Result, TransformError, Warehouse};

/// The rows of a model's SQL with the contract carried out; `raw` is what it reads.
///
/// # Errors
/// The SQL fails, or it does not say which raw row a row comes from.
pub(super) async fn typed(
    context: &Context<'_>,
    model: &ParsedModel,
    contract: &Contract,
    sql: &str,
    raw: &str,
) -> Result<DataFrame> {
    let warehouse = context.warehouse;
    let plan = warehouse
        .sql(sql)
        .await
        .map_err(|error| context.model_error(model, error))?;
    gives_what_it_must(model, contract, plan.schema())?;
    let schema = plan.schema().clone();
    let mut joins = String::new();
    let effective = match effective(warehouse, raw).await? {
        Effective::PerFile(times) => per_file_time(times).call(vec![col("_raw_id")]),
        Effective::PerRow => {
            joins = format!(
                " left join (select _raw_id as __id, _effective_at as __at from {raw}) f \
                 on m._raw_id = f.__id"
            );
            col("__at")
        }
    };
    let broken = broken(warehouse, raw).await?;
    let has_broken = !broken.is_empty();
    let malformed = match has_broken {
        true => is_one_of(broken).call(vec![col("_raw_id")]),
        false => lit(false),
    };
    let given = match joins.is_empty() {
        true => plan,
        false => {
            let selected = warehouse.lend(model.name(), "__selected", plan.into_view())?;
            warehouse
                .sql(&format!("select * from {selected} m{joins}"))
                .await?
        }
    };
    let mut columns = cleansed(warehouse, model, contract, &schema)?;
    columns.push(effective.alias("__effective_at"));
    columns.push(malformed.alias("__malformed"));
    let given = given.select(columns)?;
    let given = warehouse.lend(model.name(), "__given", given.into_view())?;
    let typed_sql = contract.typed_sql(&given, &schema, has_broken);
    warehouse
        .sql(&typed_sql)
        .await
        .map_err(|error| context.model_error(model, error))
}

/// A model's output has `_raw_id` and every column that its entity requires.
fn gives_what_it_must(model: &ParsedModel, contract: &Contract, given: &DFSchema) -> Result<()> {
    let wrong = |why: String, hint: String| TransformError::Silver {
        model: model.name().to_owned(),
        why,
        hint,
    };
    if !given.has_column_with_unqualified_name("_raw_id") {
        return Err(wrong(
            "it does not give the column `_raw_id`".into(),
            "select `_raw_id` from the source: it ties a row to what was received".into(),
        ));
    }
    let mut required = contract
        .entity
        .columns
        .iter()
        .filter(|column| column.required);
    match required.find(|column| !given.has_column_with_unqualified_name(&column.name)) {
        Some(domain::entity::Column { name, .. }) => Err(wrong(
            format!(
                "it does not give `{name}`, which the entity `{}` requires",
                contract.entity.name
            ),
            format!("select something as `{name}`; docs/reference/entities.md says what"),
        )),
        None => Ok(()),
    }
}

/// The columns of a model's output, cleansed where they have rules, with what they were before.
fn cleansed(
    warehouse: &Warehouse,
    model: &ParsedModel,
    contract: &Contract,
    schema: &DFSchema,
) -> Result<Vec<Expr>> {
    let refuse = |why: String, hint: &str| TransformError::Silver {
        model: model.name().to_owned(),
        why,
        hint: hint.to_owned(),
    };
    let is_there = |name: &str| schema.has_column_with_unqualified_name(name);
    if let Some(missing) = contract.cleansed.iter().find(|c| !is_there(&c.name)) {
        let why = format!(
            "`cleanse` names the column `{}`, which it does not give",
            missing.name
        );
        let columns = schema.fields().iter().map(|field| field.name().as_str());
        return Err(refuse(why, &suggestion(&missing.name, columns, "column")));
    }
    let mut columns = Vec::new();
    for field in schema.fields() {
        let name = field.name();
        let column = Expr::from(Column::from_name(name));
        let Some(rules) = contract.cleansed.iter().find(|rules| rules.name == *name) else {
            columns.push(column);
            continue;
        };
        use DataType::{LargeUtf8, Null, Utf8, Utf8View};
        if !matches!(field.data_type(), Utf8 | LargeUtf8 | Utf8View | Null) {
            let kind = field.data_type();
            return Err(refuse(
                format!("`cleanse` names the column `{name}`, which it gives as {kind}"),
                "rules are for texts: let the model give the column as it was received",
            ));
        }
        let text = cast(column, Utf8);
        let rules = lit(rules.recipe.spec());
        let function = warehouse.session.udf("cleanse")?;
        columns.push(function.call(vec![text.clone(), rules]).alias(name));
        columns.push(text.alias(format!("{BEFORE}{name}")));
    }
    Ok(columns)
}

/// How `_effective_at` varies: where a file has one time, no row need be joined.
enum Effective {
    PerFile(HashMap<i64, i64>),
    PerRow,
}

async fn effective(warehouse: &Warehouse, raw: &str) -> Result<Effective> {
    let sql = format!(
        "select _file_id, min(_effective_at), max(_effective_at), \
         count(*) - count(_effective_at) from {raw} group by _file_id"
    );
    let mut times = HashMap::new();
    for batch in warehouse.sql(&sql).await?.collect().await? {
        let files = batch.column(0).as_primitive::<Int64Type>();
        let first = batch.column(1).as_primitive::<TimestampMicrosecondType>();
        let last = batch.column(2).as_primitive::<TimestampMicrosecondType>();
        let missing = batch.column(3).as_primitive::<Int64Type>();
        for row in 0..batch.num_rows() {
            if first.is_null(row) {
                continue;
            }
            if first.value(row) != last.value(row) || missing.value(row) > 0 {
                return Ok(Effective::PerRow);
            }
            times.insert(files.value(row), first.value(row));
        }
    }
    Ok(Effective::PerFile(times))
}

/// The raw ids of rows that could not be read as what they should be: records that are no JSON, and
/// rows of text with more fields than the header has names, because nobody can say which of their
/// values belongs where. Empty fields at a row's end are no such thing.
async fn broken(warehouse: &Warehouse, raw: &str) -> Result<HashSet<i64>> {
    let received = warehouse.session.table(raw).await?;
    let has = |name: &str| received.schema().has_column_with_unqualified_name(name);
    let surplus = r#"translate(_surplus, '[]", ', '') <> ''"#;
    let conditions: Vec<&str> = [(SURPLUS, surplus), (MALFORMED, MALFORMED)]
        .into_iter()
        .filter(|(column, _)| has(column))
        .map(|(_, condition)| condition)
        .collect();
    if conditions.is_empty() {
        return Ok(HashSet::new());
    }
    let sql = format!(
        "select _raw_id from {raw} where {}",
        conditions.join(" or ")
    );
    let mut found = HashSet::new();
    for batch in warehouse.sql(&sql).await?.collect().await? {
        found.extend(batch.column(0).as_primitive::<Int64Type>().values());
    }
    Ok(found)
}

/// `_raw_id` to the time of its file.
fn per_file_time(times: HashMap<i64, i64>) -> ScalarUDF {
    let kind = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    raw_lookup("__effective_at_of", kind, move |ids| {
        let times = ids
            .iter()
            .map(|id| times.get(&(id? >> RAW_ID_ROW_BITS)).copied());
        let times: TimestampMicrosecondArray = times.collect();
        Arc::new(times.with_timezone("UTC"))
    })
}

/// `_raw_id` to whether it is one of these.
pub(super) fn is_one_of(wanted: HashSet<i64>) -> ScalarUDF {
    let kind = DataType::Boolean;
    raw_lookup("__is_one_of", kind, move |ids| {
        let found = ids.iter().map(|id| Some(wanted.contains(&id?)));
        Arc::new(found.collect::<BooleanArray>())
    })
}

fn raw_lookup(
    name: &str,
    returns: DataType,
    find: impl Fn(&arrow_array::Int64Array) -> ArrayRef + Send + Sync + 'static,
) -> ScalarUDF {
    create_udf(
        name,
        vec![DataType::Int64],
        returns,
        Volatility::Stable,
        Arc::new(move |arguments: &[ColumnarValue]| {
            let ids = ColumnarValue::values_to_arrays(arguments)?;
            let ids = as_int64_array(&ids[0])?;
            Ok(ColumnarValue::Array(find(ids)))
        }),
    )
}
