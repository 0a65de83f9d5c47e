//! What clients ask about the catalogue.

use super::house::{Client, Messages, open, shown};

fn failed(all: &Messages) -> Option<String> {
    let error = all.iter().find(|message| message.0 == 'E')?;
    Some(String::from_utf8_lossy(&error.1).replace('\0', " "))
}

async fn fine(client: &mut Client, sql: &str) -> Vec<String> {
    let all = client.simple(sql).await;
    assert_eq!(failed(&all), None, "{sql}");
    let again = client.extended(sql, &[], (0, 0)).await;
    assert_eq!(failed(&again), None, "extended: {sql}");
    assert_eq!(shown(&all), shown(&again), "{sql}");
    shown(&all)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_and_numbers_are_one_thing() {
    let open = open().await;
    let mut root = open.client("root").await;
    let same = "select 'public.ads'::regclass::oid = (select c.oid from pg_class c join \
                pg_namespace n on n.oid = c.relnamespace where relname = 'ads' \
                and nspname = 'public')";
    assert_eq!(fine(&mut root, same).await, ["t"]);
    assert_eq!(
        fine(&mut root, "select 'public.ads'::regclass").await,
        ["public.ads"]
    );
    assert_eq!(fine(&mut root, "select 'ads'::regclass").await, ["ads"]);
    assert_eq!(
        fine(&mut root, "select 1700::regtype, 'int8'::regtype::oid").await,
        ["numeric|20"]
    );
    let columns = "select attname, format_type(atttypid, atttypmod), attnum from pg_attribute \
                   where attrelid = 'public.ads'::regclass and attnum > 0 order by attnum";
    assert_eq!(
        fine(&mut root, columns).await,
        [
            "channel|text|1",
            "spend|numeric(18,2)|2",
            "clicks|bigint|3",
            "d|date|4"
        ]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_may_ask_about_the_session_beside_its_rows() {
    let open = open().await;
    let mut root = open.client("root").await;
    let sql = "select current_user, current_database(), count(*) from ads group by 1, 2";
    assert_eq!(fine(&mut root, sql).await, ["root|throughline|25"]);
    assert_eq!(fine(&mut root, "select current_schema()").await, ["star"]);
    let version = fine(&mut root, "select version()").await;
    assert!(version[0].starts_with("PostgreSQL 15.8"), "{version:?}");
    assert_eq!(
        root.rows("select relname from pg_class, ads").await,
        ["0A000"]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parameters_of_the_catalogue_are_bound() {
    let open = open().await;
    let mut root = open.client("root").await;
    let sql = "select relname from pg_class where relname = $1 and relkind = any($2) \
               and relnamespace = $3::regnamespace";
    let values: [Option<&[u8]>; 3] = [Some(b"ads"), Some(b"{r,v}"), Some(b"public")];
    let all = root.extended(sql, &values, (0, 0)).await;
    assert_eq!(shown(&all), ["ads"]);
}

/// Everything that real clients were seen to ask.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_clients_were_seen_to_ask_is_answered() {
    let folder =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/pg_client_sql");
    let Ok(files) = std::fs::read_dir(&folder) else {
        eprintln!("skipped: {} is not there", folder.display());
        return;
    };
    let open = open().await;
    let mut root = open.client("root").await;
    let mut count = 0;
    for file in files.flatten() {
        let text = std::fs::read_to_string(file.path()).expect("a file");
        for sql in statements(&text) {
            // What dbt builds stands in a schema of its own, of which other tests know.
            if sql.contains("\"dbt\"") {
                continue;
            }
            if sql.contains("$1") {
                let values: [Option<&[u8]>; 2] = [Some(b"0"), Some(b"2026-02-01")];
                let all = root.extended(&sql, &values, (0, 0)).await;
                assert_eq!(failed(&all), None, "{sql}");
            } else {
                let all = root.simple(&sql).await;
                let is_plan = sql.starts_with("DEALLOCATE");
                assert!(
                    is_plan || failed(&all).is_none(),
                    "{sql}: {:?}",
                    failed(&all)
                );
            }
            count += 1;
        }
        root.simple("rollback").await;
    }
    assert!(count > 70, "{count}");
}

/// The statements of a log of PostgreSQL.
fn statements(log: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut is_statement = false;
    for line in log.lines() {
        if let Some(rest) = line.strip_prefix("LOG:  ") {
            is_statement = true;
            let sql = rest.split_once(": ").map_or("", |(_, sql)| sql);
            found.push(sql.to_owned());
        } else if line.starts_with('\t') && is_statement {
            let last = found.last_mut().expect("a statement");
            last.push('\n');
            last.push_str(line);
        } else {
            is_statement = false;
        }
    }
    found
}
