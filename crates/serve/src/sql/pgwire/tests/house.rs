//! An open door, and somebody in front of it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use arrow_array::{Date32Array, Decimal128Array, Int64Array, RecordBatch, StringArray};
use chrono::{DateTime, Utc};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::catalog::MemorySchemaProvider;
use datafusion::datasource::MemTable;
use futures::future::BoxFuture;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use transform::compile::Manifest;
use transform::project::{EmbeddedFiles, Project};

use crate::access::error::Result;
use crate::access::tests::fixture::{self, POLICY};
use crate::access::who::password::Cost;
use crate::access::who::scram::client_final;
use crate::access::who::{Actor, Door, NewToken, NewUser, Origin, Secret, Settings, Who};
use crate::access::{Gate, Limits, Options, Policy};
use crate::audit::{Audit, Place};
use crate::doors::{Doors, Run, Runs};

const KEY: &[u8] = b"0123456789abcdef0123456789abcdef";
pub(super) const PASSWORD: &str = "drei blaue Kühe im Regen";
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

struct NoRuns;

impl Runs for NoRuns {
    fn newest(&self, _: u32) -> BoxFuture<'_, Result<Vec<Run>>> {
        Box::pin(async { Ok(vec![]) })
    }

    fn one<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Option<Run>>> {
        Box::pin(async { Ok(None) })
    }
}

/// An open door.
pub(super) struct Open {
    pub(super) address: SocketAddr,
    pub(super) doors: Doors,
    _folder: tempfile::TempDir,
}

fn root() -> Actor {
    Actor {
        name: "root".to_owned(),
        origin: Origin {
            door: Door::Command,
            address: None,
            is_tls: false,
        },
    }
}

/// A table of ads, as those who captured what clients ask had it.
fn ads() -> Arc<MemTable> {
    let schema = Arc::new(Schema::new(vec![
        Field::new("channel", DataType::Utf8, true),
        Field::new("spend", DataType::Decimal128(18, 2), true),
        Field::new("clicks", DataType::Int64, true),
        Field::new("d", DataType::Date32, true),
    ]));
    let rows = 0..25_i32;
    let spend: Decimal128Array = rows
        .clone()
        .map(|row| Some(i128::from(row) * 125))
        .collect();
    let spend = spend.with_precision_and_scale(18, 2).expect("a decimal");
    let batch = RecordBatch::try_new(
        schema.clone(),
        vec![
            Arc::new(
                rows.clone()
                    .map(|row| Some(["a", "b"][row as usize % 2]))
                    .collect::<StringArray>(),
            ),
            Arc::new(spend),
            Arc::new(
                rows.clone()
                    .map(|row| Some(i64::from(row)))
                    .collect::<Int64Array>(),
            ),
            Arc::new(rows.map(|row| Some(20_480 + row)).collect::<Date32Array>()),
        ],
    );
    let table = MemTable::try_new(schema, vec![vec![batch.expect("a batch")]]);
    Arc::new(table.expect("a table"))
}

/// Those who can log in with [`PASSWORD`].
async fn add_people(who: &Who) {
    let people = [
        fixture::ana(),
        fixture::four(),
        fixture::mapped(),
        fixture::eve(),
        fixture::admin(),
    ];
    for person in people {
        let new = NewUser {
            name: person.name,
            roles: person.roles,
            groups: person.groups,
            attributes: person.attributes,
        };
        who.add_user(&root(), &new, &Secret::new(PASSWORD))
            .await
            .expect("a user");
    }
}

pub(super) async fn open() -> Open {
    open_with(Limits::default()).await
}

pub(super) async fn open_with(limits: Limits) -> Open {
    let folder = tempfile::tempdir().expect("a folder");
    let clock: crate::access::who::Clock = Arc::new(|| DateTime::<Utc>::UNIX_EPOCH);
    let place = Place::new(&folder.path().join("audit"), None, KEY);
    let audit = Audit::open(place, clock.clone()).expect("a log");
    let settings = Settings {
        cost: Cost {
            memory_kib: 64,
            passes: 1,
        },
        ..Settings::new(folder.path().join("access.db"))
    };
    let who = Who::open(&settings, KEY, audit, clock.clone())
        .await
        .expect("users");
    add_people(&who).await;
    let options = Options {
        limits,
        threads: 2,
        ..Options::new(KEY.to_vec())
    };
    let owner = fixture::owner().await;
    let catalog = owner.context.catalog("throughline").expect("the catalogue");
    catalog
        .register_schema("public", Arc::new(MemorySchemaProvider::new()))
        .expect("a schema");
    for schema in ["star", "public"] {
        let schema = catalog.schema(schema).expect("the schema");
        schema
            .register_table("ads".to_owned(), ads())
            .expect("registered");
    }
    let gate = Gate::open(Arc::new(owner), options).await.expect("a gate");
    gate.set_policy(Policy::parse(POLICY).expect("a policy"));
    let text = "name: shop\nreporting: {zone: Europe/Berlin, currency: EUR}\n";
    let config = serde_yaml_ng::from_str(text).expect("throughline.yml");
    let project = Project::load(folder.path(), config, &EmbeddedFiles(&[])).expect("a project");
    let manifest = Manifest::build(project, &BTreeMap::new()).expect("a manifest");
    let doors = Doors {
        gate,
        who,
        oidc: None,
        manifest: Arc::new(manifest),
        runs: Arc::new(NoRuns),
        tls: None,
        clock,
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(super::super::serve(
        doors.clone(),
        listener,
        std::future::pending(),
    ));
    Open {
        address,
        doors,
        _folder: folder,
    }
}

impl Open {
    /// Somebody who is logged in.
    pub(super) async fn client(&self, name: &str) -> Client {
        self.client_with(name, &[]).await
    }

    pub(super) async fn client_with(&self, name: &str, more: &[(&str, &str)]) -> Client {
        let mut client = Client::connect(self.address).await;
        let mut parameters = vec![("user", name), ("database", "throughline")];
        parameters.extend_from_slice(more);
        client.begin(&parameters).await;
        client.prove(PASSWORD).await;
        client
    }

    /// A program that is logged in by its token.
    pub(super) async fn program(&self) -> Client {
        let bot = fixture::ana();
        let new = NewToken {
            name: Some("bot".to_owned()),
            roles: bot.roles,
            attributes: bot.attributes,
            ..NewToken::default()
        };
        let made = self.doors.who.create_token(&root(), &new).await;
        let token = made.expect("a token").1;
        let mut client = Client::connect(self.address).await;
        client.begin(&[("user", "token")]).await;
        assert_eq!(client.next().await.0, 'R');
        let secret = format!("{}\0", token.expose());
        client.send(b'p', secret.as_bytes()).await;
        client.until_ready().await;
        client
    }
}

/// The other end of a connection.
pub(super) struct Client {
    pub(super) socket: TcpStream,
    /// The number and the key by which its query can be cancelled.
    pub(super) key: Vec<u8>,
    pub(super) parameters: BTreeMap<String, String>,
}

/// What came for a statement: each message's letter and content.
pub(super) type Messages = Vec<(char, Vec<u8>)>;

impl Client {
    pub(super) async fn connect(address: SocketAddr) -> Self {
        Self {
            socket: TcpStream::connect(address).await.expect("connected"),
            key: Vec::new(),
            parameters: BTreeMap::new(),
        }
    }

    pub(super) async fn begin(&mut self, parameters: &[(&str, &str)]) {
        let mut body = 196_608_u32.to_be_bytes().to_vec();
        for (name, value) in parameters {
            body.extend_from_slice(format!("{name}\0{value}\0").as_bytes());
        }
        body.push(0);
        let length = (body.len() as u32 + 4).to_be_bytes();
        let message = [&length[..], &body].concat();
        self.socket.write_all(&message).await.expect("sent");
    }

    pub(super) async fn send(&mut self, kind: u8, body: &[u8]) {
        let length = (body.len() as u32 + 4).to_be_bytes();
        let message = [&[kind][..], &length, body].concat();
        self.socket.write_all(&message).await.expect("sent");
    }

    pub(super) async fn next(&mut self) -> (char, Vec<u8>) {
        let read = async {
            let kind = self.socket.read_u8().await.expect("a message");
            let length = self.socket.read_u32().await.expect("a length") as usize;
            let mut body = vec![0; length - 4];
            self.socket.read_exact(&mut body).await.expect("a message");
            (char::from(kind), body)
        };
        tokio::time::timeout(PATIENCE, read).await.expect("in time")
    }

    async fn prove(&mut self, password: &str) {
        assert_eq!(self.next().await.0, 'R');
        let first = b"n,,n=,r=abcdef";
        let length = (first.len() as u32).to_be_bytes();
        self.send(b'p', &[b"SCRAM-SHA-256\0", &length[..], first].concat())
            .await;
        let (_, said) = self.next().await;
        let said = String::from_utf8(said[4..].to_vec()).expect("text");
        let last = client_final(password, "n=,r=abcdef", &said, b"n,,");
        self.send(b'p', last.as_bytes()).await;
        self.until_ready().await;
    }

    /// All messages until the next may be sent.
    pub(super) async fn until_ready(&mut self) -> Messages {
        let mut all = Vec::new();
        loop {
            let (kind, body) = self.next().await;
            match kind {
                'K' => self.key.clone_from(&body),
                'S' => {
                    let text = String::from_utf8_lossy(&body).into_owned();
                    let mut parts = text.split('\0');
                    let name = parts.next().unwrap_or_default().to_owned();
                    self.parameters
                        .insert(name, parts.next().unwrap_or_default().to_owned());
                }
                _ => {}
            }
            all.push((kind, body));
            if kind == 'Z' {
                return all;
            }
        }
    }

    /// Sends a text in the simple protocol.
    pub(super) async fn simple(&mut self, sql: &str) -> Messages {
        self.send(b'Q', format!("{sql}\0").as_bytes()).await;
        self.until_ready().await
    }

    /// Prepares, binds, describes and runs a statement in the extended protocol. `formats`: that of
    /// the values, and of the columns.
    pub(super) async fn extended(
        &mut self,
        sql: &str,
        values: &[Option<&[u8]>],
        formats: (i16, i16),
    ) -> Messages {
        self.send(b'P', format!("\0{sql}\0\0\0").as_bytes()).await;
        self.send(b'D', b"S\0").await;
        self.bind("", values, formats).await;
        self.send(b'E', b"\0\0\0\0\0").await;
        self.send(b'S', b"").await;
        self.until_ready().await
    }

    pub(super) async fn bind(
        &mut self,
        statement: &str,
        values: &[Option<&[u8]>],
        formats: (i16, i16),
    ) {
        let mut body = format!("\0{statement}\0").into_bytes();
        body.extend_from_slice(&1_i16.to_be_bytes());
        body.extend_from_slice(&formats.0.to_be_bytes());
        body.extend_from_slice(&(values.len() as i16).to_be_bytes());
        for value in values {
            match value {
                None => body.extend_from_slice(&(-1_i32).to_be_bytes()),
                Some(value) => {
                    body.extend_from_slice(&(value.len() as i32).to_be_bytes());
                    body.extend_from_slice(value);
                }
            }
        }
        body.extend_from_slice(&1_i16.to_be_bytes());
        body.extend_from_slice(&formats.1.to_be_bytes());
        self.send(b'B', &body).await;
    }

    /// The rows of a statement, values joined by `|`; an error's code in their place.
    pub(super) async fn rows(&mut self, sql: &str) -> Vec<String> {
        shown(&self.simple(sql).await)
    }
}

/// The rows among messages, values joined by `|`, or the code of an error.
pub(super) fn shown(messages: &Messages) -> Vec<String> {
    let mut rows = Vec::new();
    for (kind, body) in messages {
        match kind {
            'D' => {
                let values = fields(body).into_iter().map(|value| match value {
                    None => "∅".to_owned(),
                    Some(value) => String::from_utf8_lossy(&value).into_owned(),
                });
                rows.push(values.collect::<Vec<_>>().join("|"));
            }
            'E' => rows.push(code(body)),
            _ => {}
        }
    }
    rows
}

/// The values of a row.
pub(super) fn fields(mut row: &[u8]) -> Vec<Option<Vec<u8>>> {
    let count = i16::from_be_bytes([row[0], row[1]]);
    row = &row[2..];
    let mut values = Vec::new();
    for _ in 0..count {
        let length = i32::from_be_bytes(row[..4].try_into().expect("four bytes"));
        row = &row[4..];
        values.push(match usize::try_from(length) {
            Err(_) => None,
            Ok(length) => {
                let value = row[..length].to_vec();
                row = &row[length..];
                Some(value)
            }
        });
    }
    values
}

/// The code of an error.
pub(super) fn code(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body).into_owned();
    let code = text.split('\0').find_map(|field| field.strip_prefix('C'));
    code.expect("a code").to_owned()
}

/// What the statements among messages were called, in order.
pub(super) fn tags(messages: &Messages) -> Vec<String> {
    let done = messages.iter().filter(|(kind, _)| *kind == 'C');
    let tag = |body: &[u8]| {
        String::from_utf8_lossy(body)
            .trim_end_matches('\0')
            .to_owned()
    };
    done.map(|(_, body)| tag(body)).collect()
}

/// How the transaction stands at the end of messages.
pub(super) fn status(messages: &Messages) -> char {
    let (_, body) = messages.last().expect("a message");
    char::from(body[0])
}

/// Names and types of the columns among messages.
pub(super) fn columns(messages: &Messages) -> Vec<(String, u32)> {
    let Some((_, body)) = messages.iter().find(|(kind, _)| *kind == 'T') else {
        return Vec::new();
    };
    let mut rest = &body[2..];
    let mut found = Vec::new();
    while let Some(end) = rest.iter().position(|byte| *byte == 0) {
        let name = String::from_utf8_lossy(&rest[..end]).into_owned();
        let fixed = &rest[end + 1..];
        found.push((
            name,
            u32::from_be_bytes(fixed[6..10].try_into().expect("four bytes")),
        ));
        rest = &fixed[18..];
    }
    found
}
