//! Both protocols, transactions, cursors and copies.

use super::house::{code, columns, fields, open, open_with, shown, status, tags};
use crate::access::Limits;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_text_may_hold_several_statements() {
    let open = open().await;
    let mut ana = open.client("ana").await;
    let all = ana
        .simple("set datestyle = 'ISO'; set extra_float_digits = 2; show transaction_isolation")
        .await;
    assert_eq!(tags(&all), ["SET", "SET", "SHOW"]);
    assert_eq!(shown(&all), ["read committed"]);
    // What comes after an error is not run.
    let all = ana.simple("select 1; select nothing; select 2").await;
    assert_eq!(shown(&all), ["1", "42703"]);
    let empty = ana.simple(" ; -- nothing\n").await;
    assert_eq!(empty.first().map(|message| message.0), Some('I'));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn columns_are_named_as_postgres_names_them() {
    let open = open().await;
    let mut ana = open.client("ana").await;
    let all = ana
        .simple(
            "select count(*), max(event_id) m, 1 + 1, country, cast(1 as bigint) \
             from marts.events group by country",
        )
        .await;
    let names: Vec<String> = columns(&all).into_iter().map(|column| column.0).collect();
    assert_eq!(names, ["count", "m", "?column?", "country", "int8"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_may_be_sent_as_text_and_in_binary() {
    let open = open().await;
    let mut root = open.client("root").await;
    let sql = "select channel, sum(spend) s, max(d) d from ads \
               where clicks > $1 and d >= $2 group by 1 order by 1";
    let values: [Option<&[u8]>; 2] = [Some(b"3"), Some(b"2026-02-01")];
    let all = root.extended(sql, &values, (0, 0)).await;
    assert_eq!(
        columns(&all),
        [
            ("channel".to_owned(), 25),
            ("s".to_owned(), 1700),
            ("d".to_owned(), 1082)
        ]
    );
    let as_text = shown(&all);
    assert_eq!(as_text.len(), 2, "{as_text:?}");
    let (clicks, day) = (3_i64.to_be_bytes(), 9_528_i32.to_be_bytes());
    let all = root
        .extended(sql, &[Some(&clicks), Some(&day)], (1, 0))
        .await;
    assert_eq!(shown(&all), as_text);
    let all = root
        .extended(
            "select clicks, $1::text from ads where clicks = 7",
            &[None],
            (0, 1),
        )
        .await;
    let row = &all
        .iter()
        .find(|message| message.0 == 'D')
        .expect("a row")
        .1;
    assert_eq!(fields(row), [Some(7_i64.to_be_bytes().to_vec()), None]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_portal_gives_its_rows_in_parts() {
    let open = open().await;
    let mut root = open.client("root").await;
    root.simple("begin").await;
    root.send(b'P', b"s\0select clicks from ads order by 1\0\0\0")
        .await;
    root.bind("s", &[], (0, 0)).await;
    root.send(b'E', &[b"\0", &10_i32.to_be_bytes()[..]].concat())
        .await;
    root.send(b'E', &[b"\0", &10_i32.to_be_bytes()[..]].concat())
        .await;
    root.send(b'E', &[b"\0", &10_i32.to_be_bytes()[..]].concat())
        .await;
    root.send(b'S', b"").await;
    let all = root.until_ready().await;
    let kinds: String = all
        .iter()
        .map(|message| message.0)
        .filter(|kind| *kind != 'D')
        .collect();
    assert_eq!(kinds, "12ssCZ");
    assert_eq!(shown(&all).len(), 25);
    assert_eq!(tags(&all), ["SELECT 5"]);
    assert_eq!(status(&all), 'T');
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_transaction_waits_for_its_end() {
    let open = open().await;
    let mut ana = open.client("ana").await;
    assert_eq!(status(&ana.simple("begin").await), 'T');
    ana.simple("savepoint a").await;
    assert_eq!(status(&ana.simple("select nothing").await), 'E');
    assert_eq!(ana.rows("select 1").await, ["25P02"]);
    assert_eq!(status(&ana.simple("rollback to a").await), 'T');
    assert_eq!(ana.rows("select 1").await, ["1"]);
    ana.simple("select nothing").await;
    let all = ana.simple("commit").await;
    assert_eq!(
        (tags(&all), status(&all)),
        (vec!["ROLLBACK".to_owned()], 'I')
    );
    // After an error nothing is answered until `Sync`.
    let all = ana.extended("select nothing", &[], (0, 0)).await;
    let kinds: String = all.iter().map(|message| message.0).collect();
    assert_eq!(kinds, "EZ");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cursors_go_forward() {
    let open = open().await;
    let mut root = open.client("root").await;
    let begun = "begin;declare \"C\" cursor with hold for select clicks from ads order by 1;\
                 fetch 2 in \"C\"";
    let all = root.simple(begun).await;
    assert_eq!(tags(&all), ["BEGIN", "DECLARE CURSOR", "FETCH 2"]);
    assert_eq!(shown(&all), ["0", "1"]);
    root.simple("commit").await;
    assert_eq!(tags(&root.simple("move 20 in \"C\"").await), ["MOVE 20"]);
    assert_eq!(root.rows("fetch all in \"C\"").await, ["22", "23", "24"]);
    assert_eq!(root.rows("fetch backward 1 in \"C\"").await, ["55000"]);
    root.simple("close \"C\"").await;
    assert_eq!(root.rows("fetch 1 in \"C\"").await, ["34000"]);
    assert_eq!(root.rows("declare d cursor for select 1").await, ["25P01"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statements_are_prepared_by_sql_too() {
    let open = open().await;
    let mut root = open.client("root").await;
    root.simple("prepare p (int) as select count(*) from ads where clicks < $1")
        .await;
    assert_eq!(root.rows("execute p (7)").await, ["7"]);
    assert_eq!(root.rows("execute p").await, ["42601"]);
    assert_eq!(tags(&root.simple("deallocate p").await), ["DEALLOCATE"]);
    assert_eq!(root.rows("execute p (7)").await, ["26000"]);
    assert_eq!(tags(&root.simple("discard all").await), ["DISCARD ALL"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_is_copied_out() {
    let open = open().await;
    let mut root = open.client("root").await;
    let data = |all: &super::house::Messages| {
        let parts = all.iter().filter(|message| message.0 == 'd');
        parts
            .flat_map(|message| message.1.clone())
            .collect::<Vec<u8>>()
    };
    let sql = "copy (select channel, spend from ads order by clicks limit 2) to stdout";
    let all = root
        .simple(&format!("{sql} with (format csv, header)"))
        .await;
    assert_eq!(
        String::from_utf8(data(&all)).unwrap(),
        "channel,spend\na,0.00\nb,1.25\n"
    );
    assert_eq!(tags(&all), ["COPY 2"]);
    let all = root.simple(&format!("{sql} (format binary)")).await;
    let bytes = data(&all);
    assert!(bytes.starts_with(b"PGCOPY\n\xff\r\n\0") && bytes.ends_with(&[0xff, 0xff]));
    for sql in [
        "copy ads from stdin",
        "copy ads to '/tmp/x'",
        "copy ads to program 'cat'",
    ] {
        assert_eq!(root.rows(sql).await, ["0A000"], "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_can_be_cancelled() {
    let open = open().await;
    let mut root = open.client("root").await;
    let endless = "select count(*) from generate_series(1, 900000) a, generate_series(1, 900000) b";
    root.send(b'Q', format!("{endless}\0").as_bytes()).await;
    let mut request = 16_u32.to_be_bytes().to_vec();
    request.extend_from_slice(&80_877_102_u32.to_be_bytes());
    request.extend_from_slice(&root.key);
    let begun = std::time::Instant::now();
    let mut answer = None;
    // It may come before the query has begun: then it means nothing, and is sent again.
    while answer.is_none() && begun.elapsed().as_secs() < 60 {
        let mut other = super::house::Client::connect(open.address).await;
        tokio::io::AsyncWriteExt::write_all(&mut other.socket, &request)
            .await
            .unwrap();
        let wait = std::time::Duration::from_millis(300);
        answer = tokio::time::timeout(wait, root.next()).await.ok();
    }
    let (kind, body) = answer.expect("an answer");
    assert_eq!((kind, code(&body).as_str()), ('E', "57014"));
    root.until_ready().await;
    assert_eq!(root.rows("select 1").await, ["1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clients_own_time_is_kept() {
    let limits = Limits::default();
    let open = open_with(limits).await;
    let mut root = open
        .client_with("root", &[("options", "-c statement_timeout=200ms")])
        .await;
    let endless = "select count(*) from generate_series(1, 900000) a, generate_series(1, 900000) b";
    assert_eq!(root.rows(endless).await, ["57014"]);
    assert_eq!(root.rows("show statement_timeout").await, ["200ms"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_are_told_and_refused() {
    let open = open().await;
    let mut ana = open
        .client_with(
            "ana",
            &[("application_name", "test"), ("TimeZone", "Europe/Berlin")],
        )
        .await;
    assert_eq!(ana.rows("show timezone").await, ["Europe/Berlin"]);
    ana.simple("set application_name = 'other'").await;
    assert_eq!(ana.parameters["application_name"], "other");
    assert_eq!(ana.parameters["TimeZone"], "Europe/Berlin");
    for (sql, code) in [
        ("set role root", "42501"),
        ("set session authorization root", "42501"),
        ("set datafusion.optimizer.max_passes = 0", "42704"),
        ("set server_version = '9'", "55P02"),
        ("set client_encoding = 'LATIN1'", "22023"),
        ("show no_such_setting", "42704"),
        ("select * from marts.events where", "42601"),
        ("select * from secret.api_keys", "42P01"),
        (
            "insert into marts.events select * from marts.events",
            "42501",
        ),
        ("drop table marts.events", "42501"),
    ] {
        let seen = ana.rows(sql).await;
        let is_refused = seen.len() == 1 && (seen[0] == code || code == "42501");
        assert!(is_refused, "{sql}: {seen:?}");
    }
    let all = ana.simple("reset all").await;
    assert_eq!(tags(&all), ["RESET"]);
    assert_eq!(ana.rows("show timezone").await, ["Europe/Berlin"]);
}
