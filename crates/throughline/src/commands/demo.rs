//! `demo`: the demo company from nothing to the figures that a marketer asks for first.

mod questions;

use serde_json::json;

use super::{Exit, generate, init, run};
use crate::cli::{DemoArgs, RunArgs};
use crate::demo::{GenerateOptions, project::project_yaml};
use crate::project::{CONFIG, Opened, Place, now};
use crate::say::Voice;

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
    let dir = args.dir.display();
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
    Ok(ran.exit)
}
