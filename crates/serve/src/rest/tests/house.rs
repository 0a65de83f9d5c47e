//! A door over the gate's fixture, with personas that hold tokens.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use chrono::{DateTime, TimeDelta, Utc};
use domain::config::ProjectConfig;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde_json::{Value, json};
use tower::ServiceExt as _;
use transform::compile::Manifest;
use transform::project::Project;

use crate::access::tests::fixture;
use crate::access::who::password::Cost;
use crate::access::who::{Actor, Clock, Door, NewToken, NewUser, Origin, Secret, Settings, Who};
use crate::access::{Attribute, Principal};
use crate::audit::{Audit, Place};
use crate::doors::{Doors, Run, Runs};
use crate::rest::{Peer, router_with};

const KEY: &[u8] = b"0123456789abcdef0123456789abcdef";
/// The password of the user `ana`.
pub(super) const PASSWORD: &str = "drei blaue Kühe im Regen";
/// All who ask, with what they are called in the tests.
pub(super) const PERSONAS: [&str; 4] = ["ana", "four", "mapped", "eve"];

/// A door and who may knock.
pub(super) struct House {
    pub(super) router: Router,
    pub(super) doors: Doors,
    pub(super) place: Place,
    pub(super) tokens: BTreeMap<&'static str, String>,
    time: Arc<Mutex<DateTime<Utc>>>,
    _folder: tempfile::TempDir,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(super) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().expect("a text"))
    }

    /// The rows of an answer in JSON.
    pub(super) fn rows(&self) -> Vec<Value> {
        assert_eq!(self.status, 200, "{}", self.text());
        self.json()["rows"].as_array().expect("rows").clone()
    }
}

/// A request that is being put together.
pub(super) struct Ask<'a> {
    house: &'a House,
    request: Request<Body>,
}

impl Ask<'_> {
    pub(super) fn as_(self, persona: &str) -> Self {
        let token = self.house.tokens[persona].clone();
        self.with("authorization", &format!("Bearer {token}"))
    }

    pub(super) fn with(mut self, name: &'static str, value: &str) -> Self {
        let value = value.parse().expect("a value");
        self.request.headers_mut().insert(name, value);
        self
    }

    pub(super) fn json(mut self, body: &Value) -> Self {
        *self.request.body_mut() = Body::from(body.to_string());
        self.with("content-type", "application/json")
    }

    pub(super) fn raw(mut self, body: impl Into<Body>) -> Self {
        *self.request.body_mut() = body.into();
        self
    }

    pub(super) fn from(mut self, address: &str, is_tls: bool) -> Self {
        let address: SocketAddr = format!("{address}:40000").parse().expect("an address");
        let peer = Peer { address, is_tls };
        self.request.extensions_mut().insert(ConnectInfo(peer));
        self
    }

    pub(super) async fn send(self) -> Answer {
        let response = self.house.router.clone().oneshot(self.request).await;
        let (parts, body) = response.expect("an answer").into_parts();
        let body = to_bytes(body, usize::MAX).await.expect("a whole body");
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: body.to_vec(),
        }
    }
}

impl House {
    pub(super) async fn new() -> Self {
        Self::with(crate::rest::Settings::default()).await
    }

    pub(super) async fn with(settings: crate::rest::Settings) -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let begin = DateTime::from_timestamp(1_800_000_000, 0).expect("a time");
        let time = Arc::new(Mutex::new(begin));
        let clock: Clock = {
            let time = time.clone();
            Arc::new(move || *time.lock().expect("the time"))
        };
        let place = Place::new(&folder.path().join("audit"), None, KEY);
        let audit = Audit::open(place.clone(), clock.clone()).expect("a log");
        let cost = Cost {
            memory_kib: 64,
            passes: 1,
        };
        let database = Settings {
            cost,
            ..Settings::new(folder.path().join("access.db"))
        };
        let who = Who::open(&database, KEY, audit, clock.clone())
            .await
            .expect("open");
        let doors = Doors {
            gate: fixture::gate().await,
            who,
            oidc: None,
            manifest: Arc::new(manifest()),
            runs: Arc::new(NoRuns),
            tls: None,
            clock,
        };
        let mut house = Self {
            router: router_with(doors.clone(), settings),
            doors,
            place,
            tokens: BTreeMap::new(),
            time,
            _folder: folder,
        };
        house.invite().await;
        house
    }

    async fn invite(&mut self) {
        let (who, by) = (&self.doors.who, actor());
        let ana = fixture::ana();
        let new = NewUser {
            name: ana.name.clone(),
            roles: ana.roles.clone(),
            attributes: ana.attributes.clone(),
            ..NewUser::default()
        };
        let password = Secret::new(PASSWORD);
        who.add_user(&by, &new, &password).await.expect("ana");
        let admin = NewUser {
            name: "root".to_owned(),
            roles: BTreeSet::from(["admin".to_owned()]),
            ..NewUser::default()
        };
        who.add_user(&by, &admin, &password).await.expect("root");
        let countries = Attribute::Texts(vec!["DE".into(), "FR".into()]);
        let all: [(&'static str, Principal); 5] = [
            ("ana", ana),
            (
                "four",
                fixture::four().with_attribute("countries", countries),
            ),
            ("mapped", fixture::mapped()),
            ("eve", fixture::eve()),
            ("admin", fixture::admin()),
        ];
        for (name, principal) in all {
            let new = NewToken {
                name: Some(name.to_owned()),
                roles: principal.roles,
                attributes: principal.attributes,
                ..NewToken::default()
            };
            let (_, secret) = who.create_token(&by, &new).await.expect("a token");
            self.tokens.insert(name, secret.expose().to_owned());
        }
    }

    pub(super) fn later(&self, by: TimeDelta) {
        *self.time.lock().expect("the time") += by;
    }

    pub(super) fn ask(&self, method: Method, path: &str) -> Ask<'_> {
        let request = Request::builder().method(method).uri(path);
        let ask = Ask {
            house: self,
            request: request.body(Body::empty()).expect("a request"),
        };
        ask.from("127.0.0.1", false)
    }

    pub(super) fn get(&self, path: &str) -> Ask<'_> {
        self.ask(Method::GET, path)
    }

    pub(super) fn post(&self, path: &str, body: &Value) -> Ask<'_> {
        self.ask(Method::POST, path).json(body)
    }

    pub(super) fn sql(&self, statement: &str) -> Ask<'_> {
        self.post("/api/v1/sql", &json!({"statement": statement}))
    }
}

fn actor() -> Actor {
    Actor {
        name: "test".to_owned(),
        origin: Origin {
            door: Door::Command,
            address: None,
            is_tls: false,
        },
    }
}

fn manifest() -> Manifest {
    let config: ProjectConfig = serde_json::from_value(json!({"name": "x"})).expect("settings");
    let models = transform::builtin::models();
    let project = Project::built_in(config, models.as_ref()).expect("a project");
    Manifest::build(project, &BTreeMap::new()).expect("a manifest")
}

/// One run, long ago.
struct NoRuns;

impl Runs for NoRuns {
    fn newest(&self, _: u32) -> BoxFuture<'_, crate::access::error::Result<Vec<Run>>> {
        async { Ok(vec![run()]) }.boxed()
    }

    fn one<'a>(
        &'a self,
        run_id: &'a str,
    ) -> BoxFuture<'a, crate::access::error::Result<Option<Run>>> {
        async move { Ok(Some(run()).filter(|run| run.run_id == run_id)) }.boxed()
    }
}

fn run() -> Run {
    Run {
        run_id: "20260101T000000000000Z".to_owned(),
        started_at: DateTime::UNIX_EPOCH,
        ended_at: Some(DateTime::UNIX_EPOCH),
        status: "done".to_owned(),
        report: json!({"report": {"checks": [
            {"check": "a", "model": "mart_worth", "severity": "error", "failures": 0,
             "error": null},
        ], "balances": [{"source": "shop"}]}}),
    }
}
