//! What a principal may see, described for queries on the catalogue, and their answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, NullArray, RecordBatch, StringArray,
};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::TableType;
use datafusion::sql::sqlparser::ast::{self, Query};
use transform::project::properties::Properties;

use super::catalog::{Attribute, Failure, Planner, QueryPlan, Relation, Run, SYSTEM, Value, World};
use super::error::{PgError, Result};
use super::kinds;
use super::rows::OpenRows;
use super::run::Engine;
use super::settings;
use crate::access::session::CATALOG;
use crate::access::{AccessError, OwnSchemas, Reason};

/// How long a description is used again: rights that change hold within a second.
const FRESH: Duration = Duration::from_millis(300);

/// A description, when it was made, and of which state of the users' own schemas.
pub(super) type Described = Option<(Instant, Option<i64>, Arc<World>)>;

impl From<Failure> for PgError {
    fn from(failure: Failure) -> Self {
        Self::new(failure.code, failure.message)
    }
}

/// Columns and types of parameters of a query on the catalogue.
pub(super) struct Planned {
    pub(super) schema: SchemaRef,
    pub(super) parameters: Vec<Option<u32>>,
}

/// Wants a query to end as soon as nobody waits for it.
struct Wanted(Arc<AtomicBool>);

impl Drop for Wanted {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Engine {
    /// What the principal sees now.
    pub(super) async fn world(&self) -> Result<Arc<World>, AccessError> {
        let own = self.house.doors.gate.own();
        let state = own.map(|own| own.state());
        let known = self.described.lock().await.clone();
        if let Some((made, known, world)) = known
            && made.elapsed() < FRESH
            && known == state
        {
            return Ok(world);
        }
        let (schemas, relations) = self.relations().await?;
        let settings = self.all_settings().into_iter();
        let mut world = World {
            user: self.session.principal()?.name.clone(),
            version: format!("PostgreSQL {}, columnar", settings::SERVER_VERSION),
            schema: self.session.setting("search_path").unwrap_or_default(),
            pid: self.pid,
            settings: settings.collect(),
            own: settings::meaningless().map(str::to_owned).collect(),
            ..World::default()
        };
        world.describe(schemas, relations);
        let world = Arc::new(world);
        *self.described.lock().await = Some((Instant::now(), state, world.clone()));
        Ok(world)
    }

    async fn relations(&self) -> Result<(Vec<String>, Vec<Relation>), AccessError> {
        let mut relations = Vec::new();
        let Some(catalog) = self.session.context().catalog(CATALOG) else {
            return Ok((Vec::new(), relations));
        };
        let schemas = catalog.schema_names();
        for schema in schemas
            .iter()
            .filter(|name| !SYSTEM.contains(&name.as_str()))
        {
            let Some(provider) = catalog.schema(schema) else {
                continue;
            };
            for name in provider.table_names() {
                // One that has gone meanwhile, or that cannot be read, is not listed.
                let Ok(Some(table)) = provider.table(&name).await else {
                    continue;
                };
                let mut models = self.house.doors.manifest.project.models.values();
                let model =
                    models.find(|model| model.name == name && model.layer.schema() == schema);
                let said = model.map(|model| &model.properties);
                let columns = table.schema();
                let columns = columns.fields().iter().map(|field| attribute(field, said));
                let mut relation = Relation {
                    oid: 0,
                    schema: schema.clone(),
                    name,
                    is_view: table.table_type() == TableType::View,
                    comment: said.and_then(|said| comment(&said.description)),
                    columns: columns.collect(),
                };
                if let Some(own) = self.house.doors.gate.own() {
                    add_comments(&mut relation, own);
                }
                relations.push(relation);
            }
        }
        Ok((schemas, relations))
    }

    /// Looks at a query on the catalogue. `types`: those of its parameters that the client names.
    pub(super) async fn plan_catalog(
        &self,
        sql: &str,
        query: &Query,
        types: &[u32],
    ) -> Result<Planned> {
        let world = self.world().await?;
        let query = query.clone();
        let types: Vec<Option<u32>> = types
            .iter()
            .map(|oid| Some(*oid).filter(|oid| !matches!(*oid, 0 | kinds::UNKNOWN)))
            .collect();
        let planned = self.session.aside(sql, move |_| {
            let mut planner = Planner::new(&world, types);
            let plan = planner.query(&query, None).map_err(refused)?;
            Ok(Planned {
                schema: schema(&plan),
                parameters: planner.parameters,
            })
        });
        Ok(planned.await?)
    }

    /// Answers a query on the catalogue.
    pub(super) async fn run_catalog(
        &self,
        sql: &str,
        query: &Query,
        values: &[ScalarValue],
        types: &[u32],
    ) -> Result<OpenRows> {
        let world = self.world().await?;
        let query = query.clone();
        let values: Vec<Value> = values.iter().map(value).collect();
        let types: Vec<Option<u32>> = types.iter().map(|oid| Some(*oid)).collect();
        let stop = Arc::new(AtomicBool::new(false));
        let wanted = Wanted(stop.clone());
        let answered = self.session.aside(sql, move |deadline| {
            let mut planner = Planner::new(&world, types);
            let plan = planner.query(&query, None).map_err(refused)?;
            let run = Run::new(&world, &values, deadline, &stop);
            let rows = run.query(&plan, None).map_err(refused)?;
            batch(&plan, &rows, &world)
        });
        let batch = answered.await?;
        drop(wanted);
        Ok(OpenRows::of_batch(batch, self.zone()?))
    }

    /// What the catalogue says to one expression, as a literal.
    pub(super) fn literal(world: &World, query: &Query) -> Result<ast::Value, PgError> {
        let plan = Planner::new(world, Vec::new()).query(query, None)?;
        let stop = AtomicBool::new(false);
        let deadline = Instant::now() + Duration::from_secs(1);
        let rows = Run::new(world, &[], deadline, &stop).query(&plan, None)?;
        let value = rows.first().and_then(|row| row.first());
        let kind = plan.kinds.first().copied().unwrap_or(kinds::TEXT);
        let value = value.map_or(Value::Null, |value| world.shown(value, kind));
        Ok(match value {
            Value::Null => ast::Value::Null,
            Value::Bool(truth) => ast::Value::Boolean(truth),
            Value::Int(number) => ast::Value::Number(number.to_string(), false),
            other => {
                let text = other.text().unwrap_or_default();
                ast::Value::SingleQuotedString(text.to_string())
            }
        })
    }
}

fn refused(failure: Failure) -> AccessError {
    let reason = match failure.code {
        "42P01" => Reason::NoTable,
        "42703" => Reason::NoColumn,
        "42883" => Reason::NoFunction,
        "57014" => Reason::Cancelled,
        "54001" => Reason::TooComplex,
        "54000" => Reason::TooManyRows,
        "0A000" => Reason::Unsupported,
        "22012" => Reason::DivisionByZero,
        "22P02" => Reason::BadValue,
        "42601" => Reason::Syntax,
        "42704" => Reason::Setting,
        _ => Reason::Invalid,
    };
    AccessError::new(reason, failure.message)
}

/// What is said of a thing, if anything is.
fn comment(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn attribute(field: &Field, said: Option<&Properties>) -> Attribute {
    let kind = kinds::of_field(field);
    let mut columns = said.into_iter().flat_map(|said| &said.columns);
    let own = columns.find(|column| column.name == *field.name());
    Attribute {
        name: field.name().clone(),
        kind: kind.oid,
        modifier: kind.modifier,
        is_nullable: field.is_nullable(),
        comment: own.and_then(|own| comment(&own.description)),
    }
}

/// What `comment on` said of an own table.
fn add_comments(relation: &mut Relation, own: &OwnSchemas) {
    let Some(known) = own.relation(&relation.schema, &relation.name) else {
        return;
    };
    relation.comment.clone_from(&known.comment);
    for column in &mut relation.columns {
        let mut columns = known.columns.iter();
        let same = columns.find(|known| known.name == column.name);
        column.comment = same.and_then(|same| same.comment.clone());
    }
}

/// The type that a column of the catalogue is sent in.
fn sent(kind: u32) -> u32 {
    match kind {
        kinds::BOOL
        | kinds::INT2
        | kinds::INT4
        | kinds::INT8
        | kinds::OID
        | kinds::XID
        | kinds::FLOAT4
        | kinds::FLOAT8
        | kinds::NUMERIC
        | kinds::NAME
        | kinds::CHAR
        | kinds::VARCHAR
        | kinds::JSON
        | kinds::INT2VECTOR
        | kinds::OIDVECTOR
        | kinds::TIMESTAMPTZ => kind,
        array if kinds::element_of(array).is_some_and(|own| own == sent(own)) => array,
        _ => kinds::TEXT,
    }
}

fn schema(plan: &QueryPlan) -> SchemaRef {
    let columns = plan.names.iter().zip(&plan.kinds);
    let fields = columns.map(|(name, kind)| {
        let kind = sent(*kind);
        let data = match kind {
            kinds::BOOL => DataType::Boolean,
            kinds::FLOAT4 | kinds::FLOAT8 => DataType::Float64,
            kinds::INT2 | kinds::INT4 | kinds::INT8 | kinds::OID | kinds::XID => DataType::Int64,
            kinds::TIMESTAMPTZ => DataType::Null,
            array if kinds::element_of(array).is_some() => {
                DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true)))
            }
            _ => DataType::Utf8,
        };
        let named = [(kinds::KIND.to_owned(), kind.to_string())];
        Field::new(name, data, true).with_metadata(named.into())
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

fn batch(plan: &QueryPlan, rows: &[Vec<Value>], world: &World) -> Result<RecordBatch, AccessError> {
    let schema = schema(plan);
    let mut columns: Vec<ArrayRef> = Vec::new();
    for (place, (field, kind)) in schema.fields().iter().zip(&plan.kinds).enumerate() {
        let values = rows
            .iter()
            .map(|row| row.get(place).unwrap_or(&Value::Null));
        columns.push(match field.data_type() {
            DataType::Boolean => Arc::new(values.map(Value::truth).collect::<BooleanArray>()),
            DataType::Int64 => Arc::new(values.map(Value::int).collect::<Int64Array>()),
            DataType::Float64 => Arc::new(values.map(Value::float).collect::<Float64Array>()),
            DataType::Null => Arc::new(NullArray::new(rows.len())),
            DataType::List(_) => {
                let mut lists = ListBuilder::new(StringBuilder::new());
                for value in values {
                    let texts = value.array().map(|all| {
                        all.iter()
                            .map(|one| one.text().map(|text| text.to_string()))
                    });
                    lists.append_option(texts);
                }
                Arc::new(lists.finish())
            }
            _ => {
                let texts = values.map(|value| match (value, *kind) {
                    (Value::Array(all), kinds::INT2VECTOR | kinds::OIDVECTOR) => {
                        let all: Vec<_> = all.iter().filter_map(Value::text).collect();
                        Some(all.join(" "))
                    }
                    _ => world
                        .shown(value, *kind)
                        .text()
                        .map(|text| text.to_string()),
                });
                Arc::new(texts.collect::<StringArray>())
            }
        });
    }
    let options = arrow_array::RecordBatchOptions::new().with_row_count(Some(rows.len()));
    RecordBatch::try_new_with_options(schema, columns, &options)
        .map_err(|_| AccessError::new(Reason::Internal, "the catalogue's answer cannot be sent"))
}

/// A parameter's value as one of the catalogue.
fn value(value: &ScalarValue) -> Value {
    if value.is_null() {
        return Value::Null;
    }
    match value {
        ScalarValue::Boolean(Some(truth)) => Value::Bool(*truth),
        ScalarValue::Float32(Some(number)) => Value::Float((*number).into()),
        ScalarValue::Float64(Some(number)) => Value::Float(*number),
        ScalarValue::List(list) => {
            let values = list.values();
            let all = (0..arrow_array::Array::len(values)).map(|place| {
                let one = ScalarValue::try_from_array(values, place);
                one.map_or(Value::Null, |one| self::value(&one))
            });
            all.collect::<Vec<_>>().into()
        }
        other => match other.cast_to(&DataType::Int64) {
            Ok(ScalarValue::Int64(Some(number))) if other.data_type().is_integer() => {
                Value::Int(number)
            }
            _ => other.to_string().into(),
        },
    }
}
