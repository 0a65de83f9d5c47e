//! The gate before a real warehouse: the demo company, as each built-in role sees it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, Utc};
use domain::config::ProjectConfig;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use lake::session::Resources;
use lake::{Lake, Location};
use serve::access::project::{History, Newest, ProjectTables, Versions};
use serve::access::{AccessError, Gate, Options, Principal, Session};
use testkit::Project;
use transform::Warehouse;
use transform::compile::Manifest;
use transform::graph::Graph;

use crate::demo_company::company;

/// Runs and versions as a test says them.
#[derive(Default)]
struct Said {
    versions: Mutex<Versions>,
    newest: Mutex<Newest>,
}

impl Said {
    fn versions(versions: Versions) -> Arc<Self> {
        Arc::new(Self {
            versions: Mutex::new(versions),
            ..Self::default()
        })
    }

    fn say(&self, ended: &str, is_running: bool) {
        *self.newest.lock().expect("alone") = Newest {
            ended: Some(ended.to_owned()),
            is_running,
        };
    }
}

impl History for Said {
    fn versions_at(
        &self,
        _: DateTime<Utc>,
    ) -> BoxFuture<'_, Result<Option<Versions>, AccessError>> {
        async { Ok(Some(self.versions.lock().expect("alone").clone())) }.boxed()
    }

    fn newest(&self) -> BoxFuture<'_, Result<Newest, AccessError>> {
        async { Ok(self.newest.lock().expect("alone").clone()) }.boxed()
    }
}

/// The version of each table that a warehouse shows.
async fn shown(warehouse: &Warehouse) -> Versions {
    let names = warehouse.lake.names().await.expect("names");
    let version = |name: String| Some((name.clone(), warehouse.version_shown(&name)?));
    names
        .iter()
        .filter_map(|name| version(name.to_string()))
        .collect()
}

/// Opens a built project as a server does.
async fn opened(project: &Project, history: Arc<Said>) -> (Gate, Arc<Warehouse>) {
    let dir = project.dir();
    let text = std::fs::read_to_string(dir.join("throughline.yml")).expect("settings");
    let config: ProjectConfig = serde_yaml_ng::from_str(&text).expect("settings");
    let state = dir.join(".throughline");
    let location = Location::from_config(&config.lake, &dir, state.join("lake")).expect("a place");
    let lake = Arc::new(Lake::open_at(location).expect("the lake"));
    let builtin = transform::builtin::models();
    let loaded = transform::project::Project::load(&dir, config, builtin.as_ref());
    let loaded = loaded.expect("the project");
    let resources = Resources {
        memory_bytes: 1 << 30,
        threads: 2,
    };
    let runtime = lake::session::runtime(&resources, &state.join("spill")).expect("a runtime");
    lake.register(&runtime);
    let key = b"a key of sixteen".to_vec();
    let warehouse = Warehouse::open(lake, &loaded, &key, &resources, runtime).await;
    let warehouse = Arc::new(warehouse.expect("the warehouse"));
    let manifest = Arc::new(Manifest::build(loaded, &BTreeMap::new()).expect("models"));
    let graph = Graph::new(&manifest).expect("an order");
    let order: Vec<String> = graph.models().map(str::to_owned).collect();
    warehouse
        .register_views(&manifest, &order)
        .await
        .expect("views");
    let tables = ProjectTables::new(warehouse.clone(), manifest, history);
    let gate = Gate::open(Arc::new(tables), Options::new(key))
        .await
        .expect("a gate");
    (gate, warehouse)
}

async fn texts(session: &Session, sql: &str) -> Vec<String> {
    let rows = session
        .query(sql)
        .await
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
    let mut all = Vec::new();
    for batch in rows
        .collect()
        .await
        .unwrap_or_else(|error| panic!("{sql}: {error}"))
    {
        let column =
            arrow_cast::cast(batch.column(0), &arrow_schema::DataType::Utf8).expect("text");
        let column = arrow_array::cast::AsArray::as_string::<i32>(&column).clone();
        all.extend(column.iter().map(|value| value.unwrap_or("-").to_owned()));
    }
    all
}

const TABLES: &str = "select table_schema || '.' || table_name from information_schema.tables where \
    table_schema <> 'information_schema' order by 1";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_role_sees_its_zones_whole_and_without_personal_data() {
    let (gate, _) = opened(company(), Arc::default()).await;
    let admin = gate
        .session(Principal::user("root", ["admin"]))
        .expect("a session");
    let all = texts(&admin, TABLES).await;
    assert!(all.iter().any(|table| table.starts_with("raw.")), "{all:?}");
    for role in ["analyst", "marketer", "viewer"] {
        let session = gate
            .session(Principal::user(role, [role]))
            .expect("a session");
        let tables = texts(&session, TABLES).await;
        assert!(
            tables.iter().any(|table| table.starts_with("marts.")),
            "{role}: {tables:?}"
        );
        let zones = [
            "raw.",
            "quarantine.",
            "staged.",
            "cleansing.",
            "parts.",
            "ops.",
            "quality.",
        ];
        let closed = tables
            .iter()
            .find(|table| zones.iter().any(|zone| table.starts_with(zone)));
        assert_eq!(closed, None, "{role}");
        let hashes = "select table_name || '.' || column_name from information_schema.columns where \
                      column_name like '%email%' or column_name like '%phone%' or column_name = \
                      'properties' order by 1";
        let hashes = texts(&session, hashes).await;
        assert!(
            hashes.iter().all(|name| !name.ends_with("_hash")),
            "{role}: {hashes:?}"
        );
        for table in tables {
            let sql = format!("select count(*) from {table}");
            assert_eq!(
                texts(&session, &sql).await,
                texts(&admin, &sql).await,
                "{role}: {table}"
            );
        }
    }
    let analyst = gate
        .session(Principal::user("ana", ["analyst"]))
        .expect("a session");
    let marts = texts(&analyst, TABLES).await;
    for built in all.iter().filter(|table| table.starts_with("marts.")) {
        assert!(marts.contains(built), "{built}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tags_follow_personal_data_and_nothing_else() {
    let (gate, _) = opened(company(), Arc::default()).await;
    let tags = gate.tags();
    let of = |schema: &str, table: &str, column: &str| {
        let tags = tags.column(schema, table, column);
        tags.iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", ")
    };
    assert_eq!(of("silver", "contact", "email_hash"), "pii: email_hash");
    assert_eq!(of("silver", "contact", "contact_id"), "");
    assert_eq!(of("silver", "identity_link", "a_value"), "pii: identifier");
    assert_eq!(of("silver", "web_event", "properties"), "unchecked");
    let tagged = tags.iter().flat_map(|(schema, table, columns)| {
        let tagged = columns.iter().filter(|(_, tags)| !tags.is_empty());
        tagged.map(move |(column, tags)| {
            let tags: Vec<_> = tags.iter().map(ToString::to_string).collect();
            format!("{schema}.{table}.{column}: {}", tags.join(", "))
        })
    });
    let open: Vec<String> = tagged
        .filter(|text| {
            text.starts_with("star.dim")
                || text.starts_with("star.fct")
                || text.starts_with("marts")
        })
        .collect();
    let none: Vec<String> = Vec::new();
    assert_eq!(open, none);
    assert_eq!(of("raw", "anything", "email"), "pii: unclear");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_past_is_read_under_the_policy_of_today() {
    let project = crate::what_is_dirty::project();
    project.json(&["run"], 0);
    let (_, warehouse) = opened(&project, Arc::default()).await;
    let versions = shown(&warehouse).await;
    project.write(
        "orders/2026-03-09.csv",
        "id,at,amount\n9,2026-03-09 10:00:00,9.50\n",
    );
    project.json(&["run"], 0);
    let (gate, _) = opened(&project, Said::versions(versions)).await;
    let ana = || Principal::user("ana", ["analyst"]);
    let now = gate.session(ana()).expect("a session");
    let past = gate
        .session_as_of(ana(), DateTime::UNIX_EPOCH)
        .await
        .expect("a session");
    let count = "select count(*) from marts.mart_day";
    assert_eq!(texts(&now, count).await, ["6"]);
    assert_eq!(texts(&past, count).await, ["5"]);
    let orders = "select count(*) from silver.order";
    assert_eq!(
        texts(&past, orders).await,
        ["5"],
        "views are of that time too"
    );
    assert_eq!(texts(&now, TABLES).await, texts(&past, TABLES).await);
    let error = past
        .query("select * from raw.shop__rows")
        .await
        .err()
        .expect("closed");
    assert_eq!(error.sqlstate(), "42P01");
    gate.set_policy(
        serve::access::Policy::parse("roles: {analyst: {grants: []}}").expect("a policy"),
    );
    assert!(
        past.query(count).await.is_err(),
        "what is forbidden today is forbidden then"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_follow_the_runs_and_see_none_half_done() {
    let project = crate::what_is_dirty::project();
    project.json(&["run"], 0);
    let history = Arc::new(Said::default());
    let (gate, warehouse) = opened(&project, history.clone()).await;
    *history.versions.lock().expect("alone") = shown(&warehouse).await;
    history.say("first", false);
    gate.catch_up().await.expect("shown");
    let session = gate
        .session(Principal::user("ana", ["analyst"]))
        .expect("a session");
    let count =
        "select count(*) from marts.mart_day d join silver.order o on o.order_id is not null";
    let prepared = session.prepare(count).await.expect("prepared");
    assert_eq!(texts(&session, count).await, ["25"]);
    assert!(!gate.catch_up().await.expect("shown"), "nothing has ended");

    project.write(
        "orders/2026-03-09.csv",
        "id,at,amount\n9,2026-03-09 10:00:00,9.50\n",
    );
    project.json(&["run"], 0);
    history.say("second", true);
    gate.catch_up().await.expect("shown");
    assert_eq!(
        texts(&session, count).await,
        ["25"],
        "while another run is at work, what the last one left is shown"
    );
    history.say("third", false);
    assert!(gate.catch_up().await.expect("shown"));
    assert_eq!(texts(&session, count).await, ["36"], "tables and views");
    let rows = session.run(&prepared, None).await.expect("runs");
    let rows = rows.collect().await.expect("rows");
    let count = arrow_cast::cast(rows[0].column(0), &arrow_schema::DataType::Int64);
    let count = count.expect("a number");
    assert_eq!(
        arrow_array::cast::AsArray::as_primitive::<arrow_array::types::Int64Type>(&count).value(0),
        36
    );
}
