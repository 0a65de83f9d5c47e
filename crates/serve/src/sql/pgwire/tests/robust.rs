//! Garbage, floods and giants: the door stands, and others are served.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::house::{Client, open};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_ends_a_connection_and_nothing_else() {
    let open = open().await;
    let mut ana = open.client("ana").await;
    let beginnings: [&[u8]; 8] = [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\0\0\0\0\0\0\0\0",
        b"\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x7f\xff\xff\xff\0\x03\0\0",
        b"\0\0\0\x09\0\x03\0\0\0",
        b"\0\0\0\x08\x04\xd2\x16\x2f\0\0\0\x08\x04\xd2\x16\x30\0\0\0\x08\x04\xd2\x16\x2f",
        b"\x16\x03\x01",
        b"\0\0\0\x10\x04\xd2\x16\x2e\0\0\0\x01\0\0\0\x01",
    ];
    for bytes in beginnings {
        let mut client = Client::connect(open.address).await;
        client.socket.write_all(bytes).await.expect("sent");
        client.socket.shutdown().await.expect("no more");
        let mut answer = Vec::new();
        // The connection ends, one way or the other.
        let _ = client.socket.read_to_end(&mut answer).await;
    }
    assert_eq!(ana.rows("select 1").await, ["1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbled_messages_are_errors() {
    let open = open().await;
    // Each kind of message with too little in it, and with nonsense.
    for kind in b"BCDEPQpdcfXHSF@" {
        for body in [
            &b""[..],
            b"\0",
            b"\xff\xff\xff\xff\xff\xff",
            b"S",
            b"x\0y\0\x7f\xff",
        ] {
            let mut client = open.client("ana").await;
            client.send(*kind, body).await;
            client.socket.shutdown().await.expect("no more");
            let mut answer = Vec::new();
            let _ = client.socket.read_to_end(&mut answer).await;
        }
    }
    let mut lengths = open.client("ana").await;
    lengths
        .socket
        .write_all(b"Q\x7f\xff\xff\xff")
        .await
        .expect("sent");
    assert_eq!(lengths.next().await.0, 'E');
    let mut ana = open.client("ana").await;
    assert_eq!(ana.rows("select 1").await, ["1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn giants_are_refused() {
    let open = open().await;
    let mut ana = open.client("ana").await;
    let terms = vec!["1"; 5_000].join("+");
    let nested = format!("{}1{}", "(".repeat(3_000), ")".repeat(3_000));
    let long = format!("select '{}'", "x".repeat(2 << 20));
    let any = format!(
        "select * from pg_class where {}",
        ["oid = 1"; 5_000].join(" or ")
    );
    let lots = ["pg_attribute"; 9].join(" cross join ");
    for sql in [
        format!("select {terms}"),
        format!("select {nested}"),
        long,
        any,
    ] {
        let seen = ana.rows(&sql).await;
        assert_eq!(seen, ["54001"], "{}", &sql[..40]);
        let all = ana.extended(&sql, &[], (0, 0)).await;
        assert!(all.iter().any(|message| message.0 == 'E'));
    }
    let seen = ana.rows(&format!("select count(*) from {lots}")).await;
    assert!(
        seen == ["54000"] || seen == ["57014"] || seen == ["42712"],
        "{seen:?}"
    );
    assert_eq!(ana.rows("select 1").await, ["1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_of_strangers_keeps_nobody_out() {
    let open = open().await;
    let mut ana = open.client("ana").await;
    let mut crowd = Vec::new();
    for _ in 0..300 {
        crowd.push(Client::connect(open.address).await);
    }
    let mut four = open.client("four").await;
    assert_eq!(four.rows("select 1").await, ["1"]);
    assert_eq!(ana.rows("select 1").await, ["1"]);
    // The first of them were shown out.
    let mut first = crowd.remove(0);
    assert_eq!(first.socket.read(&mut [0]).await.ok().unwrap_or(0), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_is_no_end_to_prepared_statements_but_a_bound() {
    let open = open().await;
    let mut ana = open.client("ana").await;
    for number in 0..2_100 {
        ana.send(b'P', format!("s{number}\0select 1\0\0\0").as_bytes())
            .await;
    }
    ana.send(b'S', b"").await;
    let all = ana.until_ready().await;
    assert!(all.iter().any(|message| message.0 == 'E'));
    assert_eq!(ana.rows("select 1").await, ["1"]);
}
