//! `demo`: the demo company from nothing to the figures that a marketer asks for first.

mod questions;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use chrono::TimeDelta;
use serde_json::json;
use serve::access::who::NewToken;

use super::serve::{Kind, Open};
use super::{Exit, generate, init, run};
use crate::cli::{DemoArgs, RunArgs, ServeArgs};
use crate::demo::{GenerateOptions, project::project_yaml};
use crate::people;
use crate::project::{CONFIG, Opened, Place, now};
use crate::say::Voice;

/// How the names begin of the tokens with which the demo shows its doors.
const TOKEN: &str = "demo-";
/// Folder of the generated files, inside the project.
const SOURCES: &str = "sources";

/// The command.
pub(crate) async fn demo(args: &DemoArgs, voice: Voice) -> anyhow::Result<Exit> {
    let clock = std::time::Instant::now();
    let place = Place::new(&args.dir);
    std::fs::create_dir_all(&args.dir)?;
    let options = GenerateOptions {
        events: args.events,
        days: args.days,
        seed: args.seed,
        out: args.dir.join(SOURCES),
        threads: None,
    };
    voice.note(&format!("the demo company, in {}", args.dir.display()));
    if !args.dir.join(CONFIG).exists() {
        init::create(&args.dir, &project_yaml(SOURCES))?;
    }
    let generated = generate::with_progress(&options, voice)?;
    voice.note(&format!(
        "generated {} events of {} people, {} sales and {} planted defects in {:.1} s",
        generated.events,
        generated.people,
        generated.sales,
        generated.defects,
        clock.elapsed().as_secs_f64()
    ));
    let lock = place.lock()?;
    let opened = Opened::open(place, &std::collections::BTreeMap::new()).await?;
    let ran = run::run_opened(&opened, &RunArgs::default(), voice).await?;
    drop(lock);
    let context = opened.context(&ran.run_id, now());
    transform::run::register_views(&context).await?;
    let human = Voice {
        json: false,
        ..voice
    };
    if !voice.json {
        run::say(&ran, human);
        questions::answer(&opened, human).await?;
    }
    voice.result(&json!({
        "project": args.dir,
        "run_id": ran.run_id,
        "built": ran.report.built,
        "events": generated.events,
        "seconds": clock.elapsed().as_secs_f64(),
        "checks": ran.report.checks,
        "balances": ran.report.balances,
    }));
    voice.line(&format!(
        "\ndone in {:.1} s. To look further:",
        clock.elapsed().as_secs_f64()
    ));
    look_further(&args.dir, voice);
    drop(opened);
    match args.no_serve {
        true => Ok(ran.exit),
        false => open_doors(&args.dir, voice).await,
    }
}

/// What to try next.
fn look_further(dir: &Path, voice: Voice) {
    let dir = dir.display();
    for command in [
        format!(
            "throughline --project {dir} query \"select * from marts.mart_channel_daily limit 10\""
        ),
        format!(
            "throughline --project {dir} query \"select table_schema, table_name from information_schema.tables\""
        ),
        format!("throughline --project {dir} sales"),
        format!("throughline --project {dir} worth"),
        format!("throughline --project {dir} linkability"),
        format!("throughline --project {dir} plan"),
        format!("throughline --project {dir} check"),
        format!("the truth behind the data: {dir}/{SOURCES}/truth"),
    ] {
        voice.line(&format!("  {command}"));
    }
}

/// Opens the doors of the demo company, with a token that may read it for a day, and says how to
/// come in.
async fn open_doors(dir: &Path, voice: Voice) -> anyhow::Result<Exit> {
    let open = Open::doors(Place::new(dir), &ServeArgs::default(), voice).await?;
    let actor = people::actor();
    for old in open.doors.who.store().tokens().await? {
        if old.name.starts_with(TOKEN) && old.is_live(now()) {
            open.doors.who.revoke_token(&actor, &old.name).await?;
        }
    }
    let new = NewToken {
        name: Some(format!("{TOKEN}{}", now().format("%Y%m%dT%H%M%S%3f"))),
        owner: None,
        roles: BTreeSet::from(["analyst".to_owned()]),
        attributes: BTreeMap::new(),
        doors: BTreeSet::new(),
        expires_at: Some(now() + TimeDelta::days(1)),
    };
    let (_, token) = open.doors.who.create_token(&actor, &new).await?;
    voice.line("\nThe doors are open on this machine:\n");
    open.tell(voice);
    voice.line("\nA token that may read for a day, and what to do with it:\n");
    for line in examples(&open, token.expose()) {
        voice.line(&format!("  {line}"));
    }
    open.until_told(voice).await
}

/// Commands that work as they stand.
fn examples(open: &Open, token: &str) -> Vec<String> {
    let sql = "select * from marts.mart_channel_daily limit 10";
    let mut lines = vec![format!("export TOKEN={token}")];
    if let Some(at) = open.address(Kind::Postgres) {
        let url = format!("postgresql://token:$TOKEN@{at}/throughline");
        lines.push(format!("psql \"{url}\" -c \"{sql}\""));
        lines.push(format!(
            "pip install 'psycopg[binary]'; python3 -c \"import psycopg; print(psycopg.connect('{url}').execute('{sql}').fetchall())\""
        ));
    }
    if let Some(at) = open.address(Kind::Http) {
        lines.push(format!(
            "curl -H \"Authorization: Bearer $TOKEN\" http://{at}/api/v1/metrics"
        ));
    }
    if let Some(at) = open.address(Kind::Flight) {
        lines.push(format!(
            "pip install adbc-driver-flightsql pyarrow; python3 -c \"import adbc_driver_flightsql.dbapi \
             as db; c = db.connect('grpc://{at}', db_kwargs={{'adbc.flight.sql.authorization_header': \
             'Bearer $TOKEN'}}).cursor(); c.execute('{sql}'); print(c.fetch_arrow_table())\""
        ));
    }
    lines
}
