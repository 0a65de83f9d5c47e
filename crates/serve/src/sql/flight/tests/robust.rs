//! What is malformed, too large or never ends: the door stays open for others.

use std::time::Duration;

use arrow_flight::FlightDescriptor;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore as _, SeedableRng as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tonic::Code;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint};

use super::house::{Caller, open, open_with, ticket};
use crate::access::Limits;
use crate::tls::Tls;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_harms_nobody() {
    let open = open().await;
    let mut ana = open.caller("ana").await;
    let mut random = ChaCha8Rng::seed_from_u64(8815);
    let mut starts: Vec<Vec<u8>> = vec![
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        vec![0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0],
        vec![0; 64],
    ];
    for length in [1, 9, 200, 5_000] {
        let mut bytes = vec![0; length];
        random.fill_bytes(&mut bytes);
        starts.push(bytes.clone());
        let mut framed = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        framed.extend(bytes);
        starts.push(framed);
    }
    let mut held = Vec::new();
    for start in starts {
        let mut socket = TcpStream::connect(open.address)
            .await
            .expect("a connection");
        socket.write_all(&start).await.expect("sent");
        let mut some = [0; 64];
        let read = socket.read(&mut some);
        let _ = tokio::time::timeout(Duration::from_millis(50), read).await;
        held.push(socket);
    }
    assert_eq!(
        ana.values("select count(*) from marts.events").await,
        ["20"]
    );
    for _ in 0..50 {
        let mut bytes = vec![0; 300];
        random.fill_bytes(&mut bytes);
        let request = ana.with(FlightDescriptor::new_cmd(bytes.clone()));
        assert!(ana.client.get_flight_info(request).await.is_err());
        for action in ["CancelFlightInfo", "CancelQuery", "SetSessionOptions"] {
            let _ = ana.act(action, bytes.clone()).await;
        }
    }
    assert_eq!(
        ana.values("select count(*) from marts.events").await,
        ["20"]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_has_a_largest_size() {
    let open = open().await;
    let mut ana = open.caller("ana").await;
    let long = format!("select '{}'", "x".repeat(2 << 20));
    let status = ana
        .info_of(&long)
        .await
        .expect_err("longer than a statement may be");
    assert_eq!(status.code(), Code::ResourceExhausted, "{status}");
    let long = format!("select '{}'", "x".repeat(5 << 20));
    let status = ana
        .info_of(&long)
        .await
        .expect_err("longer than a message may be");
    assert_eq!(status.code(), Code::OutOfRange, "{status}");
    assert_eq!(ana.values("select 1").await, ["1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_connections_and_calls_leave_room_for_others() {
    let open = open().await;
    let mut silent = Vec::new();
    for _ in 0..200 {
        silent.push(
            TcpStream::connect(open.address)
                .await
                .expect("a connection"),
        );
    }
    let ana = open.caller("ana").await;
    let calls = (0..100).map(|number| {
        let mut caller = ana.clone();
        async move { caller.values(&format!("select {number}")).await }
    });
    let answers = futures::future::join_all(calls).await;
    for (number, answer) in answers.into_iter().enumerate() {
        assert_eq!(answer, [number.to_string()]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_door_that_closes_lets_calls_end() {
    let open = open().await;
    let mut ana = open.caller("ana").await;
    assert_eq!(ana.values("select 1").await, ["1"]);
    let info = ana
        .info_of("select event_id from marts.events")
        .await
        .expect("a ticket");
    let rows = ana.get(ticket(&info)).await.expect("rows");
    let (address, closed) = (open.address, open.close());
    let both = async {
        let rows = super::house::decoded(Box::pin(rows)).await;
        assert!(rows.is_ok(), "{rows:?}");
        drop(ana);
    };
    let (ended, ()) = tokio::join!(tokio::time::timeout(Duration::from_secs(8), closed), both);
    ended.expect("soon").expect("no error");
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_speaks_http_2_and_the_same_door_takes_this_machine_in_clear() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("made");
    let (certificate, key) = (
        folder.path().join("cert.pem"),
        folder.path().join("key.pem"),
    );
    std::fs::write(&certificate, made.cert.pem()).expect("written");
    std::fs::write(&key, made.signing_key.serialize_pem()).expect("written");
    let tls = Tls::load(&certificate, &key).expect("TLS");
    let open = open_with(Limits::default(), Some(tls)).await;
    let known = ClientTlsConfig::new()
        .ca_certificate(Certificate::from_pem(made.cert.pem()))
        .domain_name("localhost");
    let endpoint = Endpoint::from_shared(format!("https://{}", open.address));
    let endpoint = endpoint
        .expect("an address")
        .tls_config(known)
        .expect("TLS");
    let channel = endpoint.connect().await.expect("a connection");
    let mut ana = Caller {
        client: arrow_flight::flight_service_client::FlightServiceClient::new(channel),
        bearer: None,
        as_of: None,
    };
    ana.log_in("ana", super::house::PASSWORD)
        .await
        .expect("a log-in");
    assert_eq!(
        ana.values("select count(*) from marts.events").await,
        ["20"]
    );
    let mut clear = open.caller("ana").await;
    assert_eq!(clear.values("select 1").await, ["1"]);
}
