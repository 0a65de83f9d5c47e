//! Where requests may lead, and where not.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::response::Redirect;
use axum::routing::{get, post};

use super::*;

/// Names and their addresses; a name with several answers gives them one after the other, as a
/// server does that rebinds.
struct Names(Mutex<BTreeMap<&'static str, Vec<Vec<IpAddr>>>>);

impl Resolve for Names {
    fn resolve<'a>(&'a self, host: &'a str) -> Addresses<'a> {
        let mut names = self.0.lock().expect("names");
        let answer = names.get_mut(host).map(|answers| match answers.len() {
            1 => answers[0].clone(),
            _ => answers.remove(0),
        });
        Box::pin(async move { answer.ok_or_else(|| std::io::Error::other("no such name")) })
    }
}

fn ips(texts: &[&str]) -> Vec<IpAddr> {
    texts
        .iter()
        .map(|text| text.parse().expect("an address"))
        .collect()
}

fn guard(hosts: &[&str]) -> Outgoing {
    let names = BTreeMap::from([
        (
            "public.example",
            vec![ips(&["93.184.215.14", "2606:2800:21f:cb07::1"])],
        ),
        ("127.0.0.1.nip.io", vec![ips(&["127.0.0.1"])]),
        ("localtest.me", vec![ips(&["::1"])]),
        ("mixed.example", vec![ips(&["93.184.215.14", "127.0.0.1"])]),
        (
            "mixed6.example",
            vec![ips(&["2606:2800:21f:cb07::1", "fd00::1"])],
        ),
        (
            "rebinds.example",
            vec![ips(&["93.184.215.14"]), ips(&["127.0.0.1"])],
        ),
        ("metadata.example", vec![ips(&["169.254.169.254"])]),
        ("idp.internal", vec![ips(&["10.1.2.3"])]),
        ("localhost", vec![ips(&["127.0.0.1", "::1"])]),
        ("empty.example", vec![vec![]]),
    ]);
    let hosts = hosts.iter().map(|host| (*host).to_owned());
    Outgoing::new(hosts).with_resolver(Arc::new(Names(Mutex::new(names))))
}

/// Forms of addresses that must lead nowhere.
const REFUSED: [&str; 70] = [
    "https://127.0.0.1/",
    "https://127.1/",
    "https://127.0.1/",
    "https://0177.0.0.1/",
    "https://0x7f.0.0.1/",
    "https://0x7f000001/",
    "https://2130706433/",
    "https://017700000001/",
    "https://127.0.0.1./",
    "https://127。0。0。1/",
    "https://127．0．0．1/",
    "https://１２７.0.0.1/",
    "https://⑫7.0.0.1/",
    "https://%31%32%37.0.0.1/",
    "https://localhost/",
    "https://LOCALHOST/",
    "https://localhost./",
    "https://lo\tcalhost/",
    "https://127.0.0.1.nip.io/",
    "https://localtest.me/",
    "https://mixed.example/",
    "https://mixed6.example/",
    "https://metadata.example/latest/meta-data/",
    "https://empty.example/",
    "https://unknown.example/",
    "https://0.0.0.0/",
    "https://0/",
    "https://10.0.0.1/",
    "https://10.255.255.255/",
    "https://100.64.0.1/",
    "https://100.100.100.200/",
    "https://169.254.169.254/latest/meta-data/",
    "https://0xa9fea9fe/",
    "https://2852039166/",
    "https://172.16.0.1/",
    "https://172.31.255.255/",
    "https://192.168.0.1/",
    "https://192.0.0.192/",
    "https://192.0.2.1/",
    "https://198.18.0.1/",
    "https://198.51.100.1/",
    "https://203.0.113.1/",
    "https://224.0.0.1/",
    "https://255.255.255.255/",
    "https://[::1]/",
    "https://[::]/",
    "https://[0:0:0:0:0:0:0:1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[::ffff:169.254.169.254]/",
    "https://[::127.0.0.1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[64:ff9b:1::7f00:1]/",
    "https://[2002:7f00:1::]/",
    "https://[2001:0:1::1]/",
    "https://[2001:db8::1]/",
    "https://[fe80::1]/",
    "https://[fd00:ec2::254]/",
    "https://[fc00::1]/",
    "https://[ff02::1]/",
    "https://user:password@public.example/",
    "https://public.example@127.0.0.1/",
    "https://public.example:0/",
    "http://public.example/",
    "file:///etc/passwd",
    "gopher://public.example/",
    "ftp://public.example/",
    "data:text/plain,x",
    "https://",
    "//public.example/",
];

#[tokio::test]
async fn addresses_that_lead_into_the_house_are_refused() {
    let guard = guard(&[]);
    for url in REFUSED {
        assert!(guard.pin(url).await.is_err(), "{url}");
    }
    let pinned = guard
        .pin("https://public.example/x?y")
        .await
        .expect("public");
    assert_eq!(
        pinned.addresses[0],
        "93.184.215.14:443".parse().expect("an address")
    );
    assert_eq!(pinned.addresses.len(), 2);
    assert!(guard.pin("https://1.1.1.1:8443/").await.is_ok());
    assert!(guard.pin("https://[2606:4700::1111]/").await.is_ok());
}

#[tokio::test]
async fn a_named_host_may_be_private_but_never_the_clouds_own() {
    let guard = guard(&[
        "IDP.internal",
        "127.0.0.1",
        "::1",
        "metadata.example",
        "169.254.169.254",
    ]);
    assert!(guard.pin("https://idp.internal/").await.is_ok());
    assert!(guard.pin("http://idp.internal:8080/").await.is_ok());
    assert!(guard.pin("http://127.0.0.1:9/").await.is_ok());
    assert!(guard.pin("http://[::1]:9/").await.is_ok());
    assert!(
        guard.pin("https://localhost/").await.is_err(),
        "another name of it"
    );
    assert!(guard.pin("https://metadata.example/").await.is_err());
    assert!(guard.pin("https://169.254.169.254/").await.is_err());
    assert!(
        guard
            .pin("https://[::ffff:169.254.169.254]/")
            .await
            .is_err()
    );
}

/// A server on loopback that counts who comes.
async fn listener(app: impl FnOnce(SocketAddr) -> Router) -> (SocketAddr, Arc<AtomicUsize>) {
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let address = socket.local_addr().expect("an address");
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    let app = app(address).layer(axum::middleware::from_fn(
        move |request: axum::extract::Request, next: axum::middleware::Next| {
            counted.fetch_add(1, Ordering::SeqCst);
            next.run(request)
        },
    ));
    tokio::spawn(async move { axum::serve(socket, app).await });
    (address, count)
}

#[tokio::test]
async fn nothing_reaches_a_listener_that_is_not_named() {
    let app = |_| Router::new().route("/", get(|| async { "secret" }));
    let (address, count) = listener(app).await;
    let port = address.port();
    let guard = guard(&[]);
    for host in [
        "127.0.0.1",
        "localhost",
        "127.1",
        "[::ffff:127.0.0.1]",
        "127.0.0.1.nip.io",
    ] {
        for scheme in ["http", "https"] {
            let url = format!("{scheme}://{host}:{port}/");
            assert!(guard.send(Request::get(&url)).await.is_err(), "{url}");
        }
    }
    assert_eq!(count.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_name_is_looked_up_once_for_a_request() {
    let app = |_| Router::new().route("/", get(|| async { "secret" }));
    let (_, count) = listener(app).await;
    let guard = guard(&[]);
    let pinned = guard
        .pin("https://rebinds.example/")
        .await
        .expect("public at first");
    assert_eq!(
        pinned.addresses,
        ["93.184.215.14:443".parse().expect("an address")]
    );
    // What it is by now is looked at anew, and refused.
    assert!(guard.pin("https://rebinds.example/").await.is_err());
    assert_eq!(count.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn redirects_are_looked_at_anew() {
    let app = |address: SocketAddr| {
        let to = |path: &str| format!("http://127.0.0.1:{}{path}", address.port());
        let (again, end) = (to("/loop"), to("/end"));
        Router::new()
            .route(
                "/loop",
                get(move || async move { Redirect::temporary(&again) }),
            )
            .route("/ok", get(move || async move { Redirect::temporary(&end) }))
            .route("/end", get(|| async { "end" }))
            .route(
                "/out",
                get(|| async { Redirect::temporary("http://169.254.169.254/latest") }),
            )
            .route(
                "/other",
                get(|| async { Redirect::temporary("http://localhost:1/") }),
            )
            .route(
                "/file",
                get(|| async { Redirect::temporary("file:///etc/passwd") }),
            )
            .route("/post", post(|| async { Redirect::temporary("/end") }))
            .route("/long", get(|| async { "x".repeat(2 << 20) }))
    };
    let (address, count) = listener(app).await;
    let guard = guard(&["127.0.0.1"]);
    let url = |path: &str| format!("http://127.0.0.1:{}{path}", address.port());
    let answer = guard
        .send(Request::get(&url("/ok")))
        .await
        .expect("followed");
    assert_eq!(answer.body, b"end");
    for path in ["/out", "/other", "/file"] {
        let error = guard
            .send(Request::get(&url(path)))
            .await
            .expect_err("refused");
        assert!(
            matches!(error, OutgoingError::Refused { .. }),
            "{path}: {error}"
        );
    }
    count.store(0, Ordering::SeqCst);
    assert!(guard.send(Request::get(&url("/loop"))).await.is_err());
    assert_eq!(count.load(Ordering::SeqCst), REDIRECTS_MAX + 1);
    // What changes something is not sent on.
    let request = Request {
        method: Method::POST,
        ..Request::get(&url("/post"))
    };
    let answer = guard.send(request).await.expect("an answer");
    assert!(answer.status.is_redirection());
    let error = guard
        .send(Request::get(&url("/long")))
        .await
        .expect_err("too long");
    assert!(matches!(error, OutgoingError::TooLong(_)), "{error}");
}

#[tokio::test]
async fn errors_show_no_secret_of_the_url() {
    let guard = guard(&["127.0.0.1"]);
    let urls = [
        "https://ana:hunter2@public.example/a?token=hunter2#hunter2",
        "http://127.0.0.1:1/a?token=hunter2",
        "hunter2",
    ];
    for url in urls {
        let error = guard.send(Request::get(url)).await.expect_err("refused");
        let said = format!("{error} {error:?}");
        assert!(!said.contains("hunter2"), "{said}");
    }
}
