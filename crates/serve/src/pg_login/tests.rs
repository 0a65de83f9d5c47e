//! Connections that begin, message by message.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chrono::DateTime;
use datafusion_postgres::pgwire::api::auth::DefaultServerParameterProvider;
use datafusion_postgres::pgwire::api::query::SimpleQueryHandler;
use datafusion_postgres::pgwire::api::results::Response;
use datafusion_postgres::pgwire::api::{ClientPortalStore, PgWireServerHandlers};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::access::who::password::Cost;
use crate::access::who::scram::client_final;
use crate::access::who::{Actor, NewToken, NewUser, Settings};
use crate::audit::{Audit, Place};

const KEY: &[u8] = b"0123456789abcdef0123456789abcdef";
const PASSWORD: &str = "drei blaue Kühe im Regen";

struct Handlers(Arc<PgLogin<DefaultServerParameterProvider>>, Arc<Queries>);

/// Counts the queries that it would have answered.
#[derive(Default)]
struct Queries(AtomicUsize);

#[async_trait]
impl SimpleQueryHandler for Queries {
    async fn do_query<C>(&self, client: &mut C, _query: &str) -> PgWireResult<Vec<Response>>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        principal(client)?;
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(vec![Response::EmptyQuery])
    }
}

impl PgWireServerHandlers for Handlers {
    fn startup_handler(&self) -> Arc<impl StartupHandler> {
        self.0.clone()
    }

    fn simple_query_handler(&self) -> Arc<impl SimpleQueryHandler> {
        self.1.clone()
    }
}

/// A door on loopback, with a user `ana` and a token.
struct House {
    address: std::net::SocketAddr,
    token: Secret,
    queries: Arc<Queries>,
    _folder: tempfile::TempDir,
}

async fn house() -> House {
    let folder = tempfile::tempdir().expect("folder");
    let clock = Arc::new(|| DateTime::UNIX_EPOCH);
    let place = Place::new(&folder.path().join("audit"), None, KEY);
    let audit = Audit::open(place, clock.clone()).expect("a log");
    let settings = Settings {
        cost: Cost {
            memory_kib: 64,
            passes: 1,
        },
        ..Settings::new(folder.path().join("access.db"))
    };
    let who = Who::open(&settings, KEY, audit, clock).await.expect("open");
    let origin = Origin {
        door: Door::Command,
        address: None,
        is_tls: false,
    };
    let by = Actor {
        name: "root".to_owned(),
        origin,
    };
    let new = NewUser {
        name: "ana".to_owned(),
        ..NewUser::default()
    };
    who.add_user(&by, &new, &Secret::new(PASSWORD))
        .await
        .expect("made");
    let (_, token) = who
        .create_token(&by, &NewToken::default())
        .await
        .expect("made");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let queries = Arc::new(Queries::default());
    let counted = queries.clone();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let parameters = Arc::new(DefaultServerParameterProvider::default());
            let login = Arc::new(PgLogin::new(who.clone(), parameters));
            let serve = datafusion_postgres::pgwire::tokio::process_socket;
            tokio::spawn(serve(socket, None, Handlers(login, counted.clone())));
        }
    });
    House {
        address,
        token,
        queries,
        _folder: folder,
    }
}

/// The other end of a connection.
struct Client(TcpStream);

impl Client {
    async fn begin(house: &House, parameters: &[(&str, &str)]) -> Self {
        let mut body = 196_608_u32.to_be_bytes().to_vec();
        for (name, value) in parameters {
            body.extend_from_slice(format!("{name}\0{value}\0").as_bytes());
        }
        body.push(0);
        let mut socket = TcpStream::connect(house.address).await.expect("connected");
        let length = (body.len() as u32 + 4).to_be_bytes();
        socket
            .write_all(&[&length[..], &body].concat())
            .await
            .expect("sent");
        Self(socket)
    }

    async fn send(&mut self, body: &[u8]) {
        let length = (body.len() as u32 + 4).to_be_bytes();
        let message = [b"p", &length[..], body].concat();
        self.0.write_all(&message).await.expect("sent");
    }

    /// The next message: its letter and its content.
    async fn next(&mut self) -> (char, Vec<u8>) {
        let read = async {
            let kind = self.0.read_u8().await.expect("a message");
            let length = self.0.read_u32().await.expect("a length") as usize;
            let mut body = vec![0; length - 4];
            self.0.read_exact(&mut body).await.expect("a message");
            (char::from(kind), body)
        };
        tokio::time::timeout(Duration::from_secs(20), read)
            .await
            .expect("in time")
    }

    /// The next is a request for a secret: its code and what comes with it.
    async fn asked(&mut self) -> (u32, Vec<u8>) {
        let (kind, body) = self.next().await;
        assert_eq!(kind, 'R', "{}", String::from_utf8_lossy(&body));
        let code = u32::from_be_bytes(body[..4].try_into().expect("four bytes"));
        (code, body[4..].to_vec())
    }

    /// The next is an error: its code.
    async fn refused(&mut self) -> String {
        let (kind, body) = self.next().await;
        let text = String::from_utf8_lossy(&body).into_owned();
        assert_eq!(kind, 'E', "{text}");
        let code = text.split('\0').find_map(|field| field.strip_prefix('C'));
        code.expect("a code").to_owned()
    }

    /// Proves a password; gives the answer's code, or that of the error.
    async fn scram(&mut self, password: &str) -> Result<u32, String> {
        let (code, mechanisms) = self.asked().await;
        assert_eq!((code, mechanisms), (10, b"SCRAM-SHA-256\0\0".to_vec()));
        let first = b"n,,n=,r=abcdef";
        let length = (first.len() as u32).to_be_bytes();
        self.send(&[b"SCRAM-SHA-256\0", &length[..], first].concat())
            .await;
        let (code, said) = self.asked().await;
        assert_eq!(code, 11);
        let said = String::from_utf8(said).expect("text");
        let last = client_final(password, "n=,r=abcdef", &said, b"n,,");
        self.send(last.as_bytes()).await;
        let (kind, body) = self.next().await;
        match kind {
            'R' => Ok(u32::from_be_bytes(
                body[..4].try_into().expect("four bytes"),
            )),
            _ => Err(String::from_utf8_lossy(&body).into_owned()),
        }
    }
}

#[tokio::test]
async fn a_user_proves_its_password() {
    let house = house().await;
    let mut client = Client::begin(&house, &[("user", "Ana"), ("database", DATABASE)]).await;
    assert_eq!(client.scram(PASSWORD).await, Ok(12));
    assert_eq!(client.asked().await, (0, vec![]));
    let mut client = Client::begin(&house, &[("user", "ana")]).await;
    let error = client.scram("wrong").await.expect_err("wrong");
    assert!(error.contains("C28P01\0"), "{error}");
    assert!(!error.contains("wrong"), "{error}");
}

#[tokio::test]
async fn a_token_is_given_in_clear_from_here() {
    let house = house().await;
    for name in ["token", "tableau"] {
        let mut client = Client::begin(&house, &[("user", name), ("database", DATABASE)]).await;
        assert_eq!(client.asked().await.0, 3);
        client
            .send(format!("{}\0", house.token.expose()).as_bytes())
            .await;
        assert_eq!(client.asked().await, (0, vec![]));
    }
    let mut client = Client::begin(&house, &[("user", "token")]).await;
    assert_eq!(client.asked().await.0, 3);
    client.send(b"tlt_wrong\0").await;
    assert_eq!(client.refused().await, "28P01");
}

#[tokio::test]
async fn what_there_is_not_is_refused() {
    let house = house().await;
    let mut client = Client::begin(&house, &[("database", DATABASE)]).await;
    assert_eq!(client.refused().await, "28000");
    let mut client = Client::begin(&house, &[("user", "ana"), ("replication", "true")]).await;
    assert_eq!(client.refused().await, "0A000");
    let mut client = Client::begin(&house, &[("user", "ana"), ("database", "../secret")]).await;
    assert_eq!(client.scram(PASSWORD).await, Ok(12));
    assert_eq!(client.refused().await, "3D000");
}

const QUERY: &[u8] = b"Q\0\0\0\x0dselect 1\0";
/// `Parse` of an empty statement, and `Sync`.
const EXTENDED: &[u8] = b"P\0\0\0\x08\0\0\0\0S\0\0\0\x04";

/// After a refusal the library takes the connection for ready: it must be worth nothing.
#[tokio::test]
async fn nobody_gets_an_answer_without_a_log_in() {
    let house = house().await;
    // Before it is known who asks; in a simple and in an extended query.
    for early in [QUERY, EXTENDED] {
        let mut client = Client::begin(&house, &[("user", "ana")]).await;
        assert_eq!(client.asked().await.0, 10);
        let pressing = [early, QUERY, QUERY].concat();
        client.0.write_all(&pressing).await.expect("sent");
        let mut all = Vec::new();
        // The connection is closed in the end, one way or the other.
        let _ = client.0.read_to_end(&mut all).await;
        assert_eq!(all.first(), Some(&b'E'));
    }
    // After a wrong secret, in one go with queries.
    let mut client = Client::begin(&house, &[("user", "token")]).await;
    assert_eq!(client.asked().await.0, 3);
    let wrong = b"p\0\0\0\x0atlt_x\0";
    let pressing = [&wrong[..], QUERY, EXTENDED, QUERY].concat();
    client.0.write_all(&pressing).await.expect("sent");
    let mut all = Vec::new();
    let _ = client.0.read_to_end(&mut all).await;
    assert!(!all.windows(2).any(|pair| pair == b"I\0"), "{all:?}");
    assert_eq!(house.queries.0.load(Ordering::SeqCst), 0);
    // So that the test would have seen one.
    let mut client = Client::begin(&house, &[("user", "token"), ("database", DATABASE)]).await;
    assert_eq!(client.asked().await.0, 3);
    client
        .send(format!("{}\0", house.token.expose()).as_bytes())
        .await;
    client.0.write_all(QUERY).await.expect("sent");
    while client.next().await.0 != 'I' {}
    assert_eq!(house.queries.0.load(Ordering::SeqCst), 1);
}
