//! A small warehouse full of canaries, and who looks at it.
//!
//! Rows that a persona must not see, and every raw value of a masked or denied column, hold a
//! canary. A canary in any byte that comes out is a leak.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::{Int64Array, RecordBatch, StringArray};
use async_trait::async_trait;
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::catalog::MemorySchemaProvider;
use datafusion::datasource::MemTable;
use datafusion::prelude::SessionContext;
use domain::key::KeyMaker;
use lake::session::Resources;
use transform::functions::{ChannelSeeds, FunctionContext, register};

use crate::access::guarded::Guarded;
use crate::access::tags::{Tag, TagMap, Tags, lineage::tags_of};
use crate::access::{AccessError, Attribute, Gate, Limits, Options, Policy, Principal, Session};

/// Stands in every value that nobody of the personas may see.
pub(crate) const CANARY: &str = "CNRY";
/// Stands in every number that nobody of them may see.
pub(crate) const NUMBER: &str = "77077";

/// The policy of the fixture.
pub(crate) const POLICY: &str = "
version: 1
roles:
  analyst_de:
    description: Germany, with masks.
    grants:
      - table: [marts.events, marts.open_day, marts.person_view, marts.props, star.dim_person]
    deny:
      - table: marts.events
        columns: [salary]
      - tag: secret
    row_filters:
      - table: marts.*
        having: [country]
        where: country = {{ user.country }}
    masks:
      - tag: {pii: email}
        mask: hash
      - tag: {pii: phone}
        mask: 'null'
  reader_four:
    grants:
      - table: marts.events
        columns: [event_id, country, phone, email]
    row_filters:
      - table: marts.events
        where: country in ({{ user.countries }})
    masks:
      - columns: phone
        mask: last_four
      - columns: email
        sql: left({{ column }}, 2) || '…'
  by_mapping:
    grants: [{table: marts.events, columns: [event_id, country]}]
    row_filters:
      - table: marts.events
        where: country in (select m.country from secret.mapping m where m.login = {{ user.name }})
policies:
  deny:
    - table: secret.*
groups:
  german: [analyst_de]
";

pub(crate) struct Owner {
    pub(crate) context: SessionContext,
    pub(crate) tags: Arc<TagMap>,
}

#[async_trait]
impl Guarded for Owner {
    fn session(&self) -> SessionContext {
        self.context.clone()
    }

    async fn tags(&self) -> Result<Arc<TagMap>, AccessError> {
        Ok(self.tags.clone())
    }
}

/// Germany's analyst: a row filter, masks, a denied column.
pub(crate) fn ana() -> Principal {
    Principal::user("ana", ["analyst_de"]).with_attribute("country", Attribute::Text("DE".into()))
}

/// The same by a group, as a program.
pub(crate) fn bot() -> Principal {
    Principal::service("bot", [])
        .in_group("german")
        .with_attribute("country", Attribute::Text("DE".into()))
}

/// A few columns, another mask, several countries.
pub(crate) fn four() -> Principal {
    let countries = Attribute::Texts(vec!["DE".into(), "FR".into()]);
    Principal::user("four", ["reader_four"]).with_attribute("countries", countries)
}

/// A filter that asks another table.
pub(crate) fn mapped() -> Principal {
    Principal::user("mapped", ["by_mapping"])
}

/// Nobody: no role at all.
pub(crate) fn eve() -> Principal {
    Principal::user("eve", ["no_such_role"])
}

pub(crate) fn admin() -> Principal {
    Principal::user("root", ["admin"])
}

/// How many rows the fixture has; every third is German.
pub(crate) const ROWS: i64 = 60;

pub(crate) fn country(id: i64) -> &'static str {
    ["DE", "US", "FR"][(id % 3) as usize]
}

fn texts(name: &str) -> Field {
    Field::new(name, DataType::Utf8, true)
}

fn numbers(name: &str) -> Field {
    Field::new(name, DataType::Int64, true)
}

fn events() -> (Arc<Schema>, Vec<RecordBatch>) {
    let schema = Arc::new(Schema::new(vec![
        numbers("event_id"),
        texts("tenant"),
        texts("country"),
        texts("person_id"),
        texts("email"),
        texts("phone"),
        numbers("salary"),
        numbers("revenue"),
        texts("note"),
    ]));
    let batch = |from: i64, to: i64| {
        let ids: Vec<i64> = (from..to).collect();
        let text = |make: &dyn Fn(i64) -> String| {
            Arc::new(
                ids.iter()
                    .map(|id| Some(make(*id)))
                    .collect::<StringArray>(),
            )
        };
        let is_open = |id: i64| country(id) == "DE";
        // What is not German is hidden, and its other values are canaries.
        let hidden = |id: i64, open: String| match is_open(id) {
            true => open,
            false => format!("{CANARY}-{id}"),
        };
        let revenue = ids.iter().map(|id| match country(*id) {
            "US" => Some(0),
            "DE" if id % 4 == 0 => None,
            _ => Some(id % 7 + 1),
        });
        let revenue: Int64Array = revenue.collect();
        let salary: Int64Array = ids.iter().map(|id| Some(7_707_700_000 + id)).collect();
        let note: StringArray = ids
            .iter()
            .map(|id| (id % 5 != 0).then(|| hidden(*id, format!("note {}", id % 4))))
            .collect();
        RecordBatch::try_new(
            schema.clone(),
            vec![
                Arc::new(Int64Array::from(ids.clone())),
                text(&|id| hidden(id, format!("t{}", id % 2))),
                text(&|id| country(id).to_owned()),
                text(&|id| hidden(id, format!("p{}", id % 6))),
                text(&|id| format!("anna{}@{CANARY}.example", id % 6)),
                text(&|id| format!("+49{CANARY}{id:03}")),
                Arc::new(salary),
                Arc::new(revenue),
                Arc::new(note),
            ],
        )
        .expect("a batch")
    };
    (
        schema.clone(),
        vec![batch(0, 20), batch(20, 40), batch(40, ROWS)],
    )
}

fn one(fields: Vec<Field>, columns: Vec<Vec<Option<&str>>>) -> (Arc<Schema>, Vec<RecordBatch>) {
    let schema = Arc::new(Schema::new(fields));
    let arrays = columns.into_iter().map(|column| {
        Arc::new(column.into_iter().collect::<StringArray>()) as arrow_array::ArrayRef
    });
    let batch = RecordBatch::try_new(schema.clone(), arrays.collect()).expect("a batch");
    (schema, vec![batch])
}

/// A session with all functions of the program and nothing in it.
fn empty() -> SessionContext {
    let seeds = ChannelSeeds {
        referrer_host: include_str!("../../../../../models/seeds/referrer_host.csv"),
        click_id: include_str!("../../../../../models/seeds/click_id.csv"),
        channel_source: include_str!("../../../../../models/seeds/channel_source.csv"),
        channel_rule: include_str!("../../../../../models/seeds/channel_rule.csv"),
        bot_pattern: include_str!("../../../../../models/seeds/bot_pattern.csv"),
    };
    let settings = "name: shop\nreporting: {zone: Europe/Berlin, currency: EUR}\n";
    let settings = serde_yaml_ng::from_str(settings).expect("settings");
    let functions = FunctionContext::new(KeyMaker::new(b"a project's key"), &settings, &seeds);
    let resources = Resources {
        memory_bytes: 1 << 30,
        threads: 2,
    };
    let spill = std::env::temp_dir().join("throughline-gate-tests");
    let runtime = lake::session::runtime(&resources, &spill).expect("a runtime");
    let builder = lake::session::builder(&resources, runtime);
    let state = register(builder, &functions.expect("functions")).build();
    SessionContext::new_with_state(state)
}

/// The tables: schema, name, columns and rows.
fn tables() -> [(&'static str, &'static str, (Arc<Schema>, Vec<RecordBatch>)); 6] {
    let keys = one(
        vec![texts("login"), texts("api_key")],
        vec![vec![Some("ana")], vec![Some("CNRY-key")]],
    );
    let mapping = one(
        vec![texts("login"), texts("country")],
        vec![
            vec![Some("mapped"), Some("ana")],
            vec![Some("DE"), Some("US")],
        ],
    );
    let person = one(
        vec![texts("person_id"), texts("email"), texts("segment")],
        vec![
            vec![Some("p0"), Some("p3"), Some("p9")],
            vec![Some("anna0@CNRY.example"), Some("anna3@CNRY.example"), None],
            vec![Some("gold"), None, Some("new")],
        ],
    );
    let props = one(
        vec![texts("country"), texts("props")],
        vec![
            vec![Some("DE"), Some("US")],
            vec![Some("{\"a\": \"1\"}"), Some("{\"a\": \"CNRY\"}")],
        ],
    );
    [
        ("raw", "events", events()),
        ("marts", "events", events()),
        ("marts", "props", props),
        ("star", "dim_person", person),
        ("secret", "api_keys", keys),
        ("secret", "mapping", mapping),
    ]
}

/// The session of the owner: tables, views, and all functions of the program.
pub(crate) async fn owner() -> Owner {
    let context = empty();
    let catalog = context.catalog("throughline").expect("the catalogue");
    for schema in ["raw", "marts", "star", "secret"] {
        let provider = Arc::new(MemorySchemaProvider::new());
        catalog.register_schema(schema, provider).expect("a schema");
    }
    let mut tags = TagMap::default();
    let secret = [("email", Tag::pii("email")), ("phone", Tag::pii("phone"))];
    let of = |schema: &Schema| -> BTreeMap<String, Tags> {
        let columns = schema.fields().iter().map(|field| {
            let tagged = secret.iter().filter(|(of, _)| of == field.name());
            let tags = tagged.map(|(_, tag)| tag.clone()).collect();
            (field.name().clone(), tags)
        });
        columns.collect()
    };
    for (schema, name, (columns, rows)) in tables() {
        tags.set(schema, name, of(&columns));
        let rows = rows.into_iter().map(|batch| vec![batch]).collect();
        let table = MemTable::try_new(columns, rows).expect("a table");
        let provider = catalog.schema(schema).expect("the schema");
        provider
            .register_table(name.to_owned(), Arc::new(table))
            .expect("registered");
    }
    view(&context, &mut tags, "marts.person_view", PERSON_VIEW).await;
    view(&context, &mut tags, "marts.open_day", OPEN_DAY).await;
    view(
        &context,
        &mut tags,
        "marts.closed_view",
        "select * from raw.events",
    )
    .await;
    Owner {
        context,
        tags: Arc::new(tags),
    }
}

/// A view whose e-mail has another name, and whose inside reads what its readers may not.
const PERSON_VIEW: &str = "select e.country, upper(e.email) as contact, count(*) as n, \
    min(e.note) as note from raw.events e left join star.dim_person p on e.person_id = p.person_id \
    where e.event_id % 2 = 0 group by e.country, upper(e.email)";
/// A view without anything to mask or filter, over rows that hide some.
const OPEN_DAY: &str = "select event_id % 10 as day, count(*) as n, sum(revenue) as revenue \
    from raw.events where revenue > 0 and tenant not like 'CNRY%' group by event_id % 10";

async fn view(context: &SessionContext, tags: &mut TagMap, name: &str, sql: &str) {
    let frame = context.sql(sql).await.expect("a view");
    let plan = frame.logical_plan();
    let names = plan
        .schema()
        .fields()
        .iter()
        .map(|field| field.name().clone());
    let found = tags_of(plan, tags).expect("tags");
    let (schema, table) = name.split_once('.').expect("a schema");
    tags.set(schema, table, names.zip(found).collect());
    let provider = context
        .catalog("throughline")
        .and_then(|catalog| catalog.schema(schema));
    let provider = provider.expect("the schema");
    provider
        .register_table(table.to_owned(), frame.into_view())
        .expect("registered");
}

pub(crate) async fn gate_with(policy: &str, limits: Limits) -> Gate {
    let mut options = Options::new(b"a project's key".to_vec());
    options.limits = limits;
    options.threads = 2;
    let gate = Gate::open(Arc::new(owner().await), options)
        .await
        .expect("a gate");
    gate.set_policy(Policy::parse(policy).expect("a policy"));
    gate
}

pub(crate) async fn gate() -> Gate {
    gate_with(POLICY, Limits::default()).await
}

/// All that a client gets to see of a statement: rows and names and types of columns, or the error.
pub(crate) async fn shown(session: &Session, sql: &str) -> Result<String, AccessError> {
    let rows = session.query(sql).await?;
    let schema = format!("{:?}", rows.schema());
    let batches = rows.collect().await?;
    let table = pretty_format_batches(&batches).expect("a table");
    Ok(format!("{table}\n{schema}"))
}

/// The values of a result, sorted.
pub(crate) async fn values(session: &Session, sql: &str) -> Vec<String> {
    let batches = session
        .query(sql)
        .await
        .expect(sql)
        .collect()
        .await
        .expect(sql);
    lines(&batches)
}

pub(crate) fn lines(batches: &[RecordBatch]) -> Vec<String> {
    let table = pretty_format_batches(batches).expect("a table").to_string();
    let rows = table.lines().filter(|line| line.starts_with('|')).skip(1);
    let plain = |line: &str| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        cells.join("|")
    };
    let mut rows: Vec<String> = rows.map(plain).collect();
    rows.sort();
    rows
}

/// No canary in what a client sees.
pub(crate) fn is_clean(seen: &Result<String, AccessError>) -> bool {
    let text = match seen {
        Ok(text) => text.clone(),
        Err(error) => format!("{error} {error:?}"),
    };
    let upper = text.to_uppercase();
    // A canary's bytes in other dresses.
    let hex = hex::encode(CANARY);
    let turned: String = CANARY.chars().rev().collect();
    !upper.contains(CANARY)
        && !upper.contains(&hex.to_uppercase())
        && !upper.contains(&turned)
        && !text.contains(NUMBER)
}
