//! The ways round a policy, at this door: no canary in any byte that is sent.

use super::house::{Client, Messages, open};
use crate::access::tests::fixture::{CANARY, NUMBER};
use crate::access::tests::tricks::{REFUSED, TRICKS, about_events};

fn is_clean(messages: &Messages) -> bool {
    let bytes: Vec<u8> = messages
        .iter()
        .flat_map(|message| message.1.clone())
        .collect();
    let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
    let upper = text.to_uppercase();
    let turned: String = CANARY.chars().rev().collect();
    let hidden = 7_707_700_000_i64..7_707_700_100;
    let is_number = |window: &[u8]| {
        let number = <[u8; 8]>::try_from(window).map(i64::from_be_bytes);
        number.is_ok_and(|number| hidden.contains(&number))
    };
    !upper.contains(CANARY)
        && !upper.contains(&hex::encode(CANARY).to_uppercase())
        && !upper.contains(&turned)
        && !text.contains(NUMBER)
        && !bytes.windows(8).any(is_number)
}

fn lines(messages: &Messages) -> String {
    let lines = messages
        .iter()
        .map(|(kind, body)| format!("{kind} {}", String::from_utf8_lossy(body)));
    lines.collect::<Vec<_>>().join("\n")
}

async fn try_all(mut client: Client) {
    for trick in TRICKS {
        let sql = about_events(trick);
        let seen = client.simple(&sql).await;
        assert!(is_clean(&seen), "{sql}\n{}", lines(&seen));
        for format in [0, 1] {
            let seen = client.extended(&sql, &[], (0, format)).await;
            assert!(is_clean(&seen), "{sql}\n{}", lines(&seen));
        }
        let seen = client.simple(&format!("copy ({sql}) to stdout csv")).await;
        assert!(is_clean(&seen), "{sql}\n{}", lines(&seen));
    }
    assert_eq!(client.rows("select 1").await, ["1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_trick_shows_a_canary_to_a_filtered_user() {
    let open = open().await;
    try_all(open.client("ana").await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_trick_shows_a_canary_to_a_token() {
    let open = open().await;
    try_all(open.program().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_trick_shows_a_canary_to_others() {
    let open = open().await;
    for name in ["four", "mapped", "eve"] {
        try_all(open.client(name).await).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_canary_would_be_seen() {
    let open = open().await;
    let mut root = open.client("root").await;
    for sql in [
        "select api_key from secret.api_keys",
        "select salary from marts.events",
    ] {
        assert!(!is_clean(&root.simple(sql).await), "{sql}");
        assert!(!is_clean(&root.extended(sql, &[], (0, 1)).await), "{sql}");
    }
}

/// How statements begin that a session refuses and this door carries out, without harm.
const OFFERED: [&str; 9] = [
    "prepare p as select",
    "execute p",
    "deallocate p",
    "set search_path",
    "reset all",
    "begin",
    "commit",
    "listen",
    "select 1; select 2",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_refused_is_refused_in_both_protocols() {
    let open = open().await;
    for name in ["ana", "root"] {
        let mut client = open.client(name).await;
        let is_empty = |sql: &str| ["", ";", "--"].contains(&sql);
        let is_offered =
            |sql: &str| is_empty(sql) || OFFERED.iter().any(|one| sql.starts_with(one));
        for sql in REFUSED.iter().filter(|sql| !is_offered(sql)) {
            let all = client.simple(sql).await;
            let seen = lines(&all);
            assert!(all.iter().any(|message| message.0 == 'E'), "{sql}: {seen}");
            let all = client.extended(sql, &[], (0, 0)).await;
            assert!(
                all.iter().any(|message| message.0 == 'E'),
                "{sql}: {}",
                lines(&all)
            );
        }
        assert_ne!(
            client.rows("select count(*) from marts.events").await,
            ["0"]
        );
    }
}

/// What the catalogue says of what somebody may not see: nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_catalogue_shows_nothing_that_is_hidden() {
    let open = open().await;
    let mut ana = open.client("ana").await;
    let tables = "select table_schema || '.' || table_name from information_schema.tables \
                  where table_schema not in ('pg_catalog', 'information_schema') order by 1";
    let seen = ana.rows(tables).await;
    assert_eq!(
        seen,
        [
            "marts.events",
            "marts.open_day",
            "marts.person_view",
            "marts.props",
            "star.dim_person"
        ]
    );
    for sql in [
        "select relname from pg_class where relname in ('api_keys', 'mapping')",
        "select attname from pg_attribute where attname in ('salary', 'api_key', 'login')",
        "select nspname from pg_namespace where nspname in ('secret', 'raw')",
        "select column_name from information_schema.columns where column_name = 'salary'",
        "select 1 where to_regclass('secret.api_keys') is not null",
        "select rolname from pg_roles where rolname not in ('ana', 'throughline')",
        "select * from pg_stats",
        "select * from pg_stat_activity",
        "select * from pg_authid",
        "select * from pg_policies",
    ] {
        assert_eq!(ana.rows(sql).await, Vec::<String>::new(), "{sql}");
    }
    assert_eq!(
        ana.rows("select 'secret.api_keys'::regclass").await,
        ["42P01"]
    );
    assert_eq!(ana.rows("select 'secret'::regnamespace").await.len(), 1);
    let mut eve = open.client("eve").await;
    assert_eq!(eve.rows(tables).await, Vec::<String>::new());
}
