//! `serve`: the doors of a project: REST, the Postgres wire and Arrow Flight SQL, behind one gate.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail};
use serde_json::json;
use serve::access::project::ProjectTables;
use serve::access::who::oidc::{Oidc, OidcSettings};
use serve::access::who::{Clock, Secret};
use serve::access::{Gate, Options, OwnSettings, policy};
use serve::{Doors, Tls};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::Exit;
use crate::cli::ServeArgs;
use crate::history::ProjectRuns;
use crate::people;
use crate::project::{Opened, Place, now};
use crate::say::Voice;

/// The doors, with their names and where they open if nothing is said.
const DOORS: [(Kind, &str, &str); 3] = [
    (Kind::Http, "http", "127.0.0.1:8080"),
    (Kind::Postgres, "postgres", "127.0.0.1:5433"),
    (Kind::Flight, "flight", "127.0.0.1:8815"),
];
/// Closes a door.
const OFF: &str = "off";

/// A door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// REST.
    Http,
    /// The Postgres wire.
    Postgres,
    /// Arrow Flight SQL.
    Flight,
}

/// A door that is about to open.
struct Listening {
    kind: Kind,
    name: &'static str,
    address: SocketAddr,
    listener: TcpListener,
}

/// The command.
pub(crate) async fn serve(place: Place, args: &ServeArgs, voice: Voice) -> anyhow::Result<Exit> {
    let open = Open::doors(place, args, voice).await?;
    open.tell(voice);
    open.until_told(voice).await
}

/// Doors that are open as soon as somebody waits for their end.
pub(super) struct Open {
    listening: Vec<Listening>,
    pub(super) doors: Doors,
    first_admin: Option<(String, Secret)>,
}

impl Open {
    /// Opens a project and takes the addresses.
    pub(super) async fn doors(
        place: Place,
        args: &ServeArgs,
        voice: Voice,
    ) -> anyhow::Result<Self> {
        let tls = tls(args.tls_cert.as_deref(), args.tls_key.as_deref())?;
        let listening = listen(args, tls.is_some(), voice).await?;
        let opened = Opened::open(place, &BTreeMap::new()).await?;
        let doors = doors(opened, tls).await?;
        for sentence in doors.gate.misfits().await {
            voice.warn(&format!("warning: access.yml: {sentence}"));
        }
        let first_admin = doors.who.first_admin(&people::actor()).await?;
        Ok(Self {
            listening,
            doors,
            first_admin,
        })
    }

    /// Where a door is.
    pub(super) fn address(&self, kind: Kind) -> Option<SocketAddr> {
        let found = self.listening.iter().find(|one| one.kind == kind);
        found.map(|one| one.address)
    }

    /// Says where the doors are and how to come in.
    pub(super) fn tell(&self, voice: Voice) {
        let mut result: serde_json::Map<_, _> = self
            .listening
            .iter()
            .map(|one| (one.name.to_owned(), json!(one.address.to_string())))
            .collect();
        for one in &self.listening {
            let how = how(one, self.doors.tls.is_some());
            voice.line(&format!("{:<10} {how}", one.name));
        }
        if let Some((name, password)) = &self.first_admin {
            let admin = json!({"name": name, "password": password.expose()});
            result.insert("first_admin".to_owned(), admin);
            voice.line(&format!(
                "\nthe first administrator is `{name}`, with the password\n  {}\nit is shown once; \
                 give it another with `throughline user password {name}`",
                password.expose()
            ));
        }
        voice.result(&result.into());
        voice.line(
            "\nmore people: throughline user add NAME --role ROLE   \
             programs: throughline token create --role ROLE\nCtrl-C ends it",
        );
    }

    /// Serves until the program is told to end, or a door fails.
    pub(super) async fn until_told(self, voice: Voice) -> anyhow::Result<Exit> {
        let watched = tokio::spawn(self.doors.gate.watch());
        let ended = run(self.listening, &self.doors).await;
        watched.abort();
        voice.note("the doors are closed");
        ended.map(|()| Exit::Done)
    }
}

/// Runs the doors until the program is told to end, or one of them fails.
async fn run(listening: Vec<Listening>, doors: &Doors) -> anyhow::Result<()> {
    let (stop, stopped) = watch::channel(false);
    let mut open = JoinSet::new();
    for one in listening {
        let (doors, mut stopped) = (doors.clone(), stopped.clone());
        let stop = async move {
            // An error means that nobody is there any more who could say it.
            let _ = stopped.wait_for(|is_stopped| *is_stopped).await;
        };
        open.spawn(async move {
            let (name, listener) = (one.name, one.listener);
            let ended = match one.kind {
                Kind::Http => serve::rest::serve(doors, listener, stop).await,
                Kind::Postgres => serve::sql::pgwire::serve(doors, listener, stop).await,
                Kind::Flight => serve::sql::flight::serve(doors, listener, stop).await,
            };
            ended.with_context(|| format!("the door `{name}` failed"))
        });
    }
    let first = tokio::select! {
        () = signalled() => Ok(()),
        ended = open.join_next() => match ended {
            Some(Ok(ended)) => ended,
            Some(Err(error)) => Err(error.into()),
            None => Ok(()),
        },
    };
    let _ = stop.send(true);
    while open.join_next().await.is_some() {}
    first
}

/// Ends when somebody wants the program to end.
async fn signalled() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut term) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = term.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}

/// Everything that the doors share.
pub(super) async fn doors(opened: Opened, tls: Option<Tls>) -> anyhow::Result<Doors> {
    let key = opened.place.key()?;
    let who = people::open(&opened.place).await?;
    let runs = Arc::new(ProjectRuns(opened.log));
    let manifest = Arc::new(opened.manifest);
    let warehouse = Arc::new(opened.warehouse);
    let log = people::log_place(&opened.place, None)?;
    let tables = ProjectTables::new(warehouse, manifest.clone(), runs.clone()).with_audit(log);
    let project = &manifest.project;
    let lake = opened.place.lake(&project.config)?;
    let clock: Clock = Arc::new(now);
    let own = OwnSettings::new(&lake, &opened.place.state(), clock.clone());
    let options = Options {
        own: Some(own),
        file: Some(opened.place.dir.join(policy::FILE)),
        directory: Some(Arc::new(who.clone())),
        witness: Some(Arc::new(who.audit().clone())),
        metrics: Some((
            Arc::new(project.metrics.clone()),
            Arc::new(project.config.clone()),
        )),
        ..Options::new(key)
    };
    let gate = Gate::open(Arc::new(tables), options).await?;
    let shown = gate.catch_up().await.map_err(|error| anyhow!("{error}"));
    shown.context("the tables cannot be shown")?;
    let policy = gate.policy();
    let oidc = policy.oidc().cloned().unwrap_or_default();
    let oidc = OidcSettings::read(&oidc, |name| std::env::var(name).ok())?;
    Ok(Doors {
        gate,
        who,
        oidc: oidc.map(|settings| Arc::new(Oidc::new(settings))),
        manifest,
        runs,
        tls,
        clock,
    })
}

fn tls(certificate: Option<&Path>, key: Option<&Path>) -> anyhow::Result<Option<Tls>> {
    match (certificate, key) {
        (Some(certificate), Some(key)) => Ok(Some(Tls::load(certificate, key)?)),
        (None, None) => Ok(None),
        _ => bail!("TLS needs both --tls-cert and --tls-key"),
    }
}

fn is_taken(bound: &std::io::Result<TcpListener>) -> bool {
    let error = bound.as_ref().err();
    error.is_some_and(|error| error.kind() == ErrorKind::AddrInUse)
}

/// Takes the addresses. One that was asked for must be free; a door for which nothing was said
/// opens elsewhere if its usual address is taken.
async fn listen(args: &ServeArgs, is_tls: bool, voice: Voice) -> anyhow::Result<Vec<Listening>> {
    let mut listening = Vec::new();
    for (kind, name, usual) in DOORS {
        let asked = match kind {
            Kind::Http => &args.http,
            Kind::Postgres => &args.postgres,
            Kind::Flight => &args.flight,
        };
        let text = asked.as_deref().unwrap_or(usual);
        if text == OFF {
            continue;
        }
        let address = address(name, text)?;
        if !address.ip().is_loopback() && !is_tls {
            bail!(
                "`--{name} {text}` can be reached from other machines, and nothing is encrypted\n\
                 hint: give --tls-cert and --tls-key, or an address of this machine (127.0.0.1:{})",
                address.port()
            );
        }
        let mut bound = TcpListener::bind(address).await;
        if asked.is_none() && is_taken(&bound) {
            voice.warn(&format!(
                "warning: {usual} is taken: the door `{name}` opens at another address"
            ));
            bound = TcpListener::bind(SocketAddr::new(address.ip(), 0)).await;
        }
        let listener = bound.with_context(|| {
            format!("cannot listen on `{text}`\nhint: give another address with --{name}")
        })?;
        listening.push(Listening {
            kind,
            name,
            address: listener.local_addr()?,
            listener,
        });
    }
    match listening.is_empty() {
        true => bail!("no door is open\nhint: give one an address, for example --http 127.0.0.1:0"),
        false => Ok(listening),
    }
}

/// `127.0.0.1:8080`, `[::1]:8080`, `:8080` and `8080` for this machine, `localhost:8080`.
fn address(name: &str, text: &str) -> anyhow::Result<SocketAddr> {
    let port = text.strip_prefix(':').unwrap_or(text);
    let whole = match port.parse::<u16>() {
        Ok(port) => format!("127.0.0.1:{port}"),
        Err(_) => text.replace("localhost:", "127.0.0.1:"),
    };
    whole.parse().with_context(|| {
        format!("`--{name} {text}` is no address\nhint: for example 127.0.0.1:8080, or `{OFF}`")
    })
}

/// How a door is used.
fn how(one: &Listening, is_tls: bool) -> String {
    let (host, port) = (one.address.ip(), one.address.port());
    match (one.kind, is_tls) {
        (Kind::Http, false) => format!("http://{}/api/v1/openapi.json", one.address),
        (Kind::Http, true) => format!("https://{}/api/v1/openapi.json", one.address),
        (Kind::Postgres, false) => {
            format!("psql \"host={host} port={port} dbname=throughline user=NAME\"")
        }
        (Kind::Postgres, true) => {
            format!("psql \"host={host} port={port} dbname=throughline user=NAME sslmode=require\"")
        }
        (Kind::Flight, false) => format!("grpc://{} (Arrow Flight SQL)", one.address),
        (Kind::Flight, true) => format!("grpc+tls://{} (Arrow Flight SQL)", one.address),
    }
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn an_address_may_be_short() {
        let read = |text| address("http", text).expect("an address").to_string();
        assert_eq!(read("8080"), "127.0.0.1:8080");
        assert_eq!(read(":8080"), "127.0.0.1:8080");
        assert_eq!(read("localhost:0"), "127.0.0.1:0");
        assert_eq!(read("[::1]:5433"), "[::1]:5433");
        assert_eq!(read("0.0.0.0:1"), "0.0.0.0:1");
        assert!(address("http", "example.com").is_err());
    }
}
