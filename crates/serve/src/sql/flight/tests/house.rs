//! An open door, and people in front of it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use arrow_array::RecordBatch;
use arrow_flight::decode::FlightRecordBatchStream;
use arrow_flight::error::FlightError;
use arrow_flight::flight_service_client::FlightServiceClient;
use arrow_flight::sql::client::FlightSqlServiceClient;
use arrow_flight::sql::{CommandStatementQuery, ProstMessageExt};
use arrow_flight::{Action, FlightData, FlightDescriptor, FlightInfo, HandshakeRequest, Ticket};
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use futures::future::BoxFuture;
use futures::{StreamExt as _, TryStreamExt as _};
use prost::Message as _;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status, Streaming};
use transform::compile::Manifest;
use transform::project::{EmbeddedFiles, Project};

use crate::access::error::Result;
use crate::access::tests::fixture::{self, POLICY};
use crate::access::who::password::Cost;
use crate::access::who::{Actor, Door, NewToken, NewUser, Origin, Secret, Settings, Who};
use crate::access::{Gate, Limits, Options, Policy, Principal};
use crate::audit::{Audit, Place};
use crate::doors::{Doors, Run, Runs};
use crate::tls::Tls;

pub(super) const KEY: &[u8] = b"0123456789abcdef0123456789abcdef";
pub(super) const PASSWORD: &str = "drei blaue Kühe im Regen";

/// A project without runs.
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
    now: Arc<AtomicI64>,
    stop: Option<oneshot::Sender<()>>,
    served: Option<JoinHandle<std::io::Result<()>>>,
    watch: JoinHandle<()>,
    _folder: tempfile::TempDir,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.watch.abort();
    }
}

/// Models of the same names as the fixture's tables, with keys.
const FILES: [(&str, &str); 4] = [
    (
        "throughline.yml",
        "name: shop\nreporting: {zone: Europe/Berlin, currency: EUR}\n",
    ),
    ("models/star/dim_person.sql", "select 'p' as person_id"),
    (
        "models/marts/events.sql",
        "select 1 as event_id, person_id from {{ ref('dim_person') }}",
    ),
    (
        "models/keys.yml",
        "models:\n  - name: dim_person\n    columns:\n      - {name: person_id, tests: [unique, \
         not_null]}\n  - name: events\n    columns:\n      - {name: event_id, tests: [unique, \
         not_null]}\n      - name: person_id\n        tests:\n          - relationships: {to: \
         ref('dim_person'), field: person_id}\n      - {name: salary, tests: [unique, not_null]}\n",
    ),
];

fn manifest(folder: &std::path::Path) -> Manifest {
    for (path, text) in FILES {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }
    let config = serde_yaml_ng::from_str(FILES[0].1).expect("throughline.yml");
    let project = Project::load(folder, config, &EmbeddedFiles(&[])).expect("a project");
    Manifest::build(project, &BTreeMap::new()).expect("a manifest")
}

/// The command line.
pub(super) fn root() -> Actor {
    Actor {
        name: "root".to_owned(),
        origin: Origin {
            door: Door::Command,
            address: None,
            is_tls: false,
        },
    }
}

/// The personas of the fixture who can log in with [`PASSWORD`].
pub(super) fn people() -> [Principal; 5] {
    use fixture::{admin, ana, eve, four, mapped};
    [ana(), four(), mapped(), eve(), admin()]
}

/// A door with the usual limits, in clear.
pub(super) async fn open() -> Open {
    open_with(Limits::default(), None).await
}

pub(super) async fn open_with(limits: Limits, tls: Option<Tls>) -> Open {
    let folder = tempfile::tempdir().expect("a folder");
    // A time that stands still until it is told to go on.
    let now = Arc::new(AtomicI64::new(1_700_000_000_000_000));
    let read = now.clone();
    let clock: crate::access::who::Clock = Arc::new(move || {
        let micros = read.load(Ordering::SeqCst);
        DateTime::<Utc>::from_timestamp_micros(micros).expect("a time")
    });
    let place = Place::new(&folder.path().join("audit"), None, KEY);
    let audit = Audit::open(place, clock.clone()).expect("a log");
    let settings = Settings {
        cost: Cost {
            memory_kib: 64,
            passes: 1,
        },
        ..Settings::new(folder.path().join("access.db"))
    };
    let who = Who::open(&settings, KEY, audit, clock.clone()).await;
    let who = who.expect("users");
    for person in people() {
        let new = NewUser {
            name: person.name,
            roles: person.roles,
            groups: person.groups,
            attributes: person.attributes,
        };
        let made = who.add_user(&root(), &new, &Secret::new(PASSWORD)).await;
        made.expect("a user");
    }
    let options = Options {
        limits,
        threads: 2,
        directory: Some(Arc::new(who.clone())),
        witness: Some(Arc::new(who.audit().clone())),
        ..Options::new(KEY.to_vec())
    };
    let owner = Arc::new(fixture::owner().await);
    let gate = Gate::open(owner, options).await.expect("a gate");
    gate.set_policy(Policy::parse(POLICY).expect("a policy"));
    let watch = tokio::spawn(gate.watch());
    let doors = Doors {
        gate,
        who,
        oidc: None,
        manifest: Arc::new(manifest(folder.path())),
        runs: Arc::new(NoRuns),
        tls,
        clock,
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let (stop, stopped) = oneshot::channel();
    let stopped = async {
        let _ = stopped.await;
    };
    let served = tokio::spawn(super::super::serve(doors.clone(), listener, stopped));
    Open {
        address,
        doors,
        now,
        stop: Some(stop),
        served: Some(served),
        watch,
        _folder: folder,
    }
}

impl Open {
    /// Lets time pass.
    pub(super) fn pass(&self, time: TimeDelta) {
        let micros = time.num_microseconds().expect("a short time");
        self.now.fetch_add(micros, Ordering::SeqCst);
    }

    /// Somebody without a log-in.
    pub(super) async fn stranger(&self) -> Caller {
        let endpoint = Endpoint::from_shared(format!("http://{}", self.address));
        let channel = endpoint.expect("an address").connect().await;
        Caller {
            client: FlightServiceClient::new(channel.expect("a connection")),
            bearer: None,
            as_of: None,
        }
    }

    /// Somebody who has logged in with [`PASSWORD`].
    pub(super) async fn caller(&self, name: &str) -> Caller {
        let mut caller = self.stranger().await;
        caller.log_in(name, PASSWORD).await.expect("a log-in");
        caller
    }

    /// A program with a token of these roles, for Germany.
    pub(super) async fn token(&self, name: &str) -> Secret {
        let bot = fixture::ana();
        let new = NewToken {
            name: Some(name.to_owned()),
            roles: bot.roles,
            attributes: bot.attributes,
            ..NewToken::default()
        };
        let made = self.doors.who.create_token(&root(), &new).await;
        made.expect("a token").1
    }

    /// The library's own client, logged in.
    pub(super) async fn library(&self, name: &str) -> FlightSqlServiceClient<Channel> {
        let endpoint = Endpoint::from_shared(format!("http://{}", self.address));
        let channel = endpoint.expect("an address").connect().await;
        let mut client = FlightSqlServiceClient::new(channel.expect("a connection"));
        client.handshake(name, PASSWORD).await.expect("a log-in");
        client
    }

    /// Closes the door and waits until it is closed.
    pub(super) async fn close(mut self) -> std::io::Result<()> {
        let _ = self.stop.take().expect("open").send(());
        self.served.take().expect("open").await.expect("no panic")
    }
}

/// Somebody with a connection.
#[derive(Clone)]
pub(super) struct Caller {
    pub(super) client: FlightServiceClient<Channel>,
    pub(super) bearer: Option<String>,
    pub(super) as_of: Option<&'static str>,
}

type Told<T> = std::result::Result<T, Status>;

impl Caller {
    /// A request with what it has for a log-in.
    pub(super) fn with<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        let headers = request.metadata_mut();
        if let Some(bearer) = &self.bearer {
            let value = format!("Bearer {bearer}").parse().expect("a header");
            headers.insert("authorization", value);
        }
        if let Some(as_of) = self.as_of {
            headers.insert(super::super::AS_OF, as_of.parse().expect("a header"));
        }
        request
    }

    pub(super) async fn log_in(&mut self, name: &str, secret: &str) -> Told<()> {
        use base64::Engine as _;
        let pair = format!("{name}:{secret}");
        let basic = base64::engine::general_purpose::STANDARD.encode(pair);
        self.handshake(&format!("Basic {basic}")).await
    }

    /// A handshake with such a header; takes the bearer that it gives.
    pub(super) async fn handshake(&mut self, header: &str) -> Told<()> {
        let mut request = Request::new(futures::stream::empty::<HandshakeRequest>());
        let value = header.parse().expect("a header");
        request.metadata_mut().insert("authorization", value);
        let response = self.client.handshake(request).await?;
        let bearer = response.metadata().get("authorization").expect("a bearer");
        let bearer = bearer.to_str().expect("a bearer");
        self.bearer = bearer.strip_prefix("Bearer ").map(str::to_owned);
        Ok(())
    }

    /// What is needed to fetch the answer to a command.
    pub(super) async fn info(&mut self, command: &impl ProstMessageExt) -> Told<FlightInfo> {
        let descriptor = FlightDescriptor::new_cmd(command.as_any().encode_to_vec());
        let request = self.with(descriptor);
        Ok(self.client.get_flight_info(request).await?.into_inner())
    }

    /// The same of a statement.
    pub(super) async fn info_of(&mut self, sql: &str) -> Told<FlightInfo> {
        let query = CommandStatementQuery {
            query: sql.to_owned(),
            transaction_id: None,
        };
        self.info(&query).await
    }

    /// Begins to fetch.
    pub(super) async fn get(&mut self, ticket: Ticket) -> Told<Streaming<FlightData>> {
        let request = self.with(ticket);
        Ok(self.client.do_get(request).await?.into_inner())
    }

    /// The rows of a statement.
    pub(super) async fn rows(&mut self, sql: &str) -> Told<Vec<RecordBatch>> {
        let info = self.info_of(sql).await?;
        self.fetch(&info).await
    }

    /// The rows of an answer.
    pub(super) async fn fetch(&mut self, info: &FlightInfo) -> Told<Vec<RecordBatch>> {
        let stream = self.get(ticket(info)).await?;
        decoded(stream.boxed()).await
    }

    /// The values of a statement, sorted.
    pub(super) async fn values(&mut self, sql: &str) -> Vec<String> {
        fixture::lines(&self.rows(sql).await.expect(sql))
    }

    /// Performs an action; gives the first of its results.
    pub(super) async fn act(&mut self, name: &str, body: impl Into<Bytes>) -> Told<Bytes> {
        let request = self.with(Action::new(name, body));
        let mut results = self.client.do_action(request).await?.into_inner();
        let first = results.message().await?;
        Ok(first.map(|result| result.body).unwrap_or_default())
    }
}

/// The rows of messages.
pub(super) async fn decoded(
    stream: futures::stream::BoxStream<'static, Told<FlightData>>,
) -> Told<Vec<RecordBatch>> {
    let data = stream.map_err(|status| FlightError::Tonic(Box::new(status)));
    let rows = FlightRecordBatchStream::new_from_flight_data(data);
    rows.try_collect().await.map_err(Status::from)
}

/// The one ticket of an answer.
pub(super) fn ticket(info: &FlightInfo) -> Ticket {
    let endpoint = info.endpoint.first().expect("an endpoint");
    endpoint.ticket.clone().expect("a ticket")
}

/// The SQLSTATE of an error.
pub(super) fn sqlstate(status: &Status) -> &str {
    let value = status.metadata().get(super::super::SQLSTATE);
    value
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}
