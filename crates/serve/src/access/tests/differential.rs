//! Thousands of generated queries give the same under the policy as on tables from which the policy
//! took everything beforehand: nothing is shown too much, and no row is lost.
//!
//! `THROUGHLINE_GATE_QUERIES` says how many (300), `THROUGHLINE_GATE_SEED` which.

use std::sync::Arc;

use datafusion::arrow::datatypes::Schema;
use datafusion::catalog::MemorySchemaProvider;
use datafusion::datasource::MemTable;
use datafusion::prelude::SessionContext;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};

use super::fixture::{POLICY, ana, four, gate_with, lines, owner};
use crate::access::{AccessError, Limits, Principal, Session};

const TABLES: [&str; 5] = [
    "marts.events",
    "marts.person_view",
    "marts.open_day",
    "marts.props",
    "star.dim_person",
];

/// A column that a query can use.
#[derive(Debug, Clone)]
struct Known {
    name: String,
    is_number: bool,
}

/// Writes queries that any engine answers alike: whatever decides an order is a whole row.
struct Writer {
    random: SmallRng,
    tables: Vec<(String, Vec<Known>)>,
}

impl Writer {
    fn pick<'a, T>(random: &mut SmallRng, of: &'a [T]) -> &'a T {
        of.choose(random).expect("something to choose from")
    }

    fn value(&mut self, is_number: bool) -> String {
        let numbers = ["0", "1", "2", "3", "7", "40", "-1", "null"];
        let texts = [
            "'DE'",
            "'US'",
            "'t0'",
            "'p3'",
            "'note 1'",
            "''",
            "'anna0@CNRY.example'",
            "'gold'",
            "null",
        ];
        match is_number {
            true => (*Self::pick(&mut self.random, &numbers)).to_owned(),
            false => (*Self::pick(&mut self.random, &texts)).to_owned(),
        }
    }

    fn column(&mut self, from: &[(String, Known)], is_number: bool) -> String {
        let fitting: Vec<_> = from
            .iter()
            .filter(|(_, it)| it.is_number == is_number)
            .collect();
        match fitting.choose(&mut self.random) {
            Some((alias, known)) => format!("{alias}.\"{}\"", known.name),
            None => self.value(is_number),
        }
    }

    fn scalar(&mut self, from: &[(String, Known)], is_number: bool, depth: u32) -> String {
        if depth == 0 || self.random.random_bool(0.5) {
            return self.column(from, is_number);
        }
        let depth = depth - 1;
        match (is_number, self.random.random_range(0..5)) {
            (true, 0) => {
                let (a, b) = (
                    self.scalar(from, true, depth),
                    self.scalar(from, true, depth),
                );
                format!("({a} + {b})")
            }
            (true, 1) => format!("length({})", self.scalar(from, false, depth)),
            (true, 2) => format!("coalesce({}, 5)", self.scalar(from, true, depth)),
            (true, 3) => {
                let condition = self.condition(from, depth);
                let (a, b) = (
                    self.scalar(from, true, depth),
                    self.scalar(from, true, depth),
                );
                format!("(case when {condition} then {a} else {b} end)")
            }
            (false, 0) => format!("upper({})", self.scalar(from, false, depth)),
            (false, 1) => {
                let (a, b) = (
                    self.scalar(from, false, depth),
                    self.scalar(from, false, depth),
                );
                format!("({a} || {b})")
            }
            (false, 2) => format!("coalesce({}, 'none')", self.scalar(from, false, depth)),
            (false, 3) => format!("substr({}, 1, 3)", self.scalar(from, false, depth)),
            (is_number, _) => self.column(from, is_number),
        }
    }

    fn condition(&mut self, from: &[(String, Known)], depth: u32) -> String {
        if depth > 0 && self.random.random_bool(0.5) {
            let (a, b) = (
                self.condition(from, depth - 1),
                self.condition(from, depth - 1),
            );
            return match self.random.random_range(0..3) {
                0 => format!("({a} and {b})"),
                1 => format!("({a} or {b})"),
                _ => format!("(not {a})"),
            };
        }
        let is_number = self.random.random_bool(0.5);
        let left = self.scalar(from, is_number, depth.min(1));
        match self.random.random_range(0..9) {
            0 => format!("{left} is null"),
            1 => format!("{left} is not null"),
            2 => {
                let (a, b) = (self.value(is_number), self.value(is_number));
                format!("{left} in ({a}, {b})")
            }
            3 => {
                let (a, b) = (self.value(is_number), self.value(is_number));
                format!("{left} between {a} and {b}")
            }
            4 if !is_number => format!("{left} like '%n%'"),
            5 => {
                let right = self.scalar(from, is_number, depth.min(1));
                format!("{left} is distinct from {right}")
            }
            6 => self.asked_elsewhere(from, is_number, &left),
            kind => {
                let op = ["=", "<>", "<", ">="][kind as usize % 4];
                let right = match self.random.random_bool(0.7) {
                    true => self.value(is_number),
                    false => self.scalar(from, is_number, depth.min(1)),
                };
                format!("{left} {op} {right}")
            }
        }
    }

    /// A condition with a query of its own.
    fn asked_elsewhere(&mut self, from: &[(String, Known)], is_number: bool, left: &str) -> String {
        let (table, columns) = Self::pick(&mut self.random, &self.tables).clone();
        let of_table: Vec<_> = columns.into_iter().map(|it| ("q".to_owned(), it)).collect();
        let column = self.column(&of_table, is_number);
        let condition = self.simple(&of_table);
        match self.random.random_range(0..4) {
            0 => format!("{left} in (select {column} from {table} q where {condition})"),
            1 => {
                let outer = self.column(from, is_number);
                format!("exists (select 1 from {table} q where {condition} and {column} = {outer})")
            }
            2 => {
                let outer = self.column(from, is_number);
                format!("not exists (select 1 from {table} q where {column} = {outer})")
            }
            _ => format!("{left} = (select max({column}) from {table} q where {condition})"),
        }
    }

    /// A condition such as goes beneath the barrier.
    fn simple(&mut self, from: &[(String, Known)]) -> String {
        let is_number = self.random.random_bool(0.5);
        let column = self.column(from, is_number);
        let op = *Self::pick(&mut self.random, &["=", "<>", "<=", ">"]);
        format!("{column} {op} {}", self.value(is_number))
    }

    /// The tables of a query with their joins, and their columns.
    fn from(&mut self) -> (String, Vec<(String, Known)>) {
        let (table, columns) = Self::pick(&mut self.random, &self.tables).clone();
        let mut all: Vec<_> = columns.into_iter().map(|it| ("a".to_owned(), it)).collect();
        let mut sql = format!("{table} a");
        if self.random.random_bool(0.4) {
            let (table, columns) = Self::pick(&mut self.random, &self.tables).clone();
            let of_other: Vec<_> = columns.into_iter().map(|it| ("b".to_owned(), it)).collect();
            let kinds = ["join", "left join", "right join", "full join", "cross join"];
            let kind = *Self::pick(&mut self.random, &kinds);
            sql = format!("{sql} {kind} {table} b");
            if kind != "cross join" {
                let is_number = self.random.random_bool(0.5);
                let (left, right) = (
                    self.column(&all, is_number),
                    self.column(&of_other, is_number),
                );
                sql = format!("{sql} on {left} = {right}");
                if self.random.random_bool(0.3) {
                    sql = format!("{sql} and {}", self.simple(&of_other));
                }
            }
            all.extend(of_other);
        }
        (sql, all)
    }

    fn query(&mut self) -> String {
        let (from, columns) = self.from();
        let filter = match self.random.random_range(0..4) {
            0 => String::new(),
            1 => format!(" where {}", self.simple(&columns)),
            _ => format!(" where {}", self.condition(&columns, 2)),
        };
        match self.random.random_range(0..8) {
            0 | 1 => self.grouped(&from, &columns, &filter),
            2 => {
                let (n, t) = (self.column(&columns, true), self.column(&columns, false));
                format!(
                    "select count(*), count({t}), sum({n}), min({t}), max({t}) from {from}{filter}"
                )
            }
            3 => {
                let (n, t) = (self.column(&columns, true), self.column(&columns, false));
                format!(
                    "select {t} as t, {n} as n, rank() over (partition by {t} order by {n}) as r, \
                     count(*) over (partition by {t}) as c from {from}{filter}"
                )
            }
            4 => {
                let (a, b) = (self.listed(&columns), self.listed(&columns));
                let kind = *Self::pick(
                    &mut self.random,
                    &["union", "union all", "except", "intersect"],
                );
                let other = self.simple(&columns);
                format!(
                    "select {a} from {from}{filter} {kind} select {b} from {from} where {other}"
                )
            }
            5 => {
                let list = self.listed(&columns);
                let count = self.random.random_range(0..12);
                format!("select distinct {list} from {from}{filter} order by 1, 2, 3 limit {count}")
            }
            6 => {
                let list = self.listed(&columns);
                let (inner, outer) = (self.random.random_bool(0.5), self.value(true));
                let sql = format!("select {list} from {from}{filter}");
                match inner {
                    true => format!("with c as ({sql}) select * from c where y > {outer}"),
                    false => format!("select x, count(*), max(z) from ({sql}) s group by x"),
                }
            }
            _ => format!("select {} from {from}{filter}", self.listed(&columns)),
        }
    }

    /// Three columns of known types: text, number, text.
    fn listed(&mut self, columns: &[(String, Known)]) -> String {
        let (x, y) = (
            self.scalar(columns, false, 2),
            self.scalar(columns, true, 2),
        );
        let z = self.scalar(columns, false, 1);
        format!("cast({x} as varchar) as x, cast({y} as bigint) as y, cast({z} as varchar) as z")
    }

    fn grouped(&mut self, from: &str, columns: &[(String, Known)], filter: &str) -> String {
        let (key, number) = (
            self.scalar(columns, false, 1),
            self.scalar(columns, true, 1),
        );
        let text = self.column(columns, false);
        let having = match self.random.random_bool(0.3) {
            true => " having count(*) > 1",
            false => "",
        };
        let sets = *Self::pick(&mut self.random, &["", "", " rollup"]);
        let group = match sets {
            "" => format!("group by k{having}"),
            _ => format!("group by rollup (k){having}"),
        };
        format!(
            "select k, count(*), sum(n), count(distinct t), min(t), bool_or(n > 2) from (select \
             cast({key} as varchar) as k, cast({number} as bigint) as n, cast({text} as varchar) as \
             t from {from}{filter}) s {group}"
        )
    }
}

/// What a persona sees of its tables, in a session without any policy.
async fn copied(session: &Session) -> (SessionContext, Vec<(String, Vec<Known>)>) {
    let context = SessionContext::new_with_state(
        datafusion::execution::SessionStateBuilder::new_from_existing(
            owner().await.context.state(),
        )
        .with_catalog_list(Arc::new(
            datafusion::catalog::MemoryCatalogProviderList::new(),
        ))
        .build(),
    );
    let catalog = Arc::new(datafusion::catalog::MemoryCatalogProvider::new());
    context.register_catalog("throughline", catalog.clone());
    let mut tables = Vec::new();
    for table in TABLES {
        let Ok(rows) = session.query(&format!("select * from {table}")).await else {
            continue;
        };
        let schema: Arc<Schema> = rows.schema().clone();
        let batches = rows.collect().await.expect("rows");
        let known = schema.fields().iter().map(|field| Known {
            name: field.name().clone(),
            is_number: field.data_type().is_numeric(),
        });
        tables.push((table.to_owned(), known.collect()));
        let (zone, name) = table.split_once('.').expect("a schema");
        if context
            .catalog("throughline")
            .is_some_and(|all| all.schema(zone).is_none())
        {
            let provider = Arc::new(MemorySchemaProvider::new());
            datafusion::catalog::CatalogProvider::register_schema(&*catalog, zone, provider)
                .expect("a schema");
        }
        let provider =
            datafusion::catalog::CatalogProvider::schema(&*catalog, zone).expect("the schema");
        let copy = MemTable::try_new(schema, vec![batches]).expect("a table");
        provider
            .register_table(name.to_owned(), Arc::new(copy))
            .expect("registered");
    }
    (context, tables)
}

async fn on_copy(context: &SessionContext, sql: &str) -> Result<Vec<String>, AccessError> {
    let of_planning = |error| AccessError::of_planning(&error);
    let frame = context.sql(sql).await.map_err(of_planning)?;
    let rows = frame
        .collect()
        .await
        .map_err(|error| AccessError::of_running(&error))?;
    Ok(lines(&rows))
}

async fn on_gate(session: &Session, sql: &str) -> Result<Vec<String>, AccessError> {
    Ok(lines(&session.query(sql).await?.collect().await?))
}

fn setting(name: &str, default: u64) -> u64 {
    let text = std::env::var(name).ok();
    text.and_then(|text| text.parse().ok()).unwrap_or(default)
}

async fn compare(persona: Principal, count: u64) {
    let gate = gate_with(POLICY, Limits::default()).await;
    let session = gate.session(persona).expect("a session");
    let (context, tables) = copied(&session).await;
    let seed = setting("THROUGHLINE_GATE_SEED", 7);
    let mut writer = Writer {
        random: SmallRng::seed_from_u64(seed),
        tables,
    };
    let (mut failed, mut empty) = (0, 0);
    for number in 0..count {
        let sql = writer.query();
        let (ours, copy) = (on_gate(&session, &sql).await, on_copy(&context, &sql).await);
        match (ours, copy) {
            (Ok(ours), Ok(copy)) => {
                empty += u64::from(ours.is_empty());
                assert_eq!(ours, copy, "query {number} of seed {seed}:\n{sql}");
            }
            (Err(ours), Err(copy)) => {
                failed += 1;
                assert_eq!(ours.sqlstate(), copy.sqlstate(), "{sql}\n{ours}\n{copy}");
            }
            (ours, copy) => panic!("query {number} of seed {seed}:\n{sql}\n{ours:?}\n{copy:?}"),
        }
    }
    // A generator whose queries fail or give nothing would prove nothing.
    assert!(
        failed * 5 < count,
        "{failed} of {count} queries fail on both sides"
    );
    assert!(empty * 2 < count, "{empty} of {count} queries give nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn queries_give_the_same_as_on_a_copy_made_by_the_policy() {
    let count = setting("THROUGHLINE_GATE_QUERIES", 300);
    compare(ana(), count).await;
    compare(four(), count / 3).await;
}
