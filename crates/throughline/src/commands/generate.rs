//! `generate`: the demo company's source files alone.

use serde_json::json;

use super::Exit;
use crate::cli::GenerateArgs;
use crate::demo::{self, GenerateOptions};
use crate::say::{Progress, Voice};

/// The command.
pub(crate) fn generate(args: &GenerateArgs, voice: Voice) -> anyhow::Result<Exit> {
    let options = GenerateOptions {
        events: args.events,
        days: args.days,
        seed: args.seed,
        out: args.out.clone(),
        threads: args.threads,
    };
    let report = with_progress(&options, voice)?;
    voice.result(&json!({
        "events": report.events,
        "sessions": report.sessions,
        "people": report.people,
        "sales": report.sales,
        "orders": report.orders,
        "refunds": report.refunds,
        "defects": report.defects,
        "out": args.out,
    }));
    voice.line(&format!(
        "{} events in {} sessions of {} people, {} sales, {} refunds, {} planted defects in {}",
        report.events,
        report.sessions,
        report.people,
        report.sales,
        report.refunds,
        report.defects,
        args.out.display()
    ));
    Ok(Exit::Done)
}

/// Generates, and says how far it is.
pub(super) fn with_progress(
    options: &GenerateOptions,
    voice: Voice,
) -> anyhow::Result<demo::GenerateReport> {
    let progress = Progress::new(voice);
    let report = demo::generate(options, &|step| {
        progress.say(
            &format!("generating: {}", step.step),
            &format!("{}/{}", step.done, step.total),
        );
    });
    progress.end();
    report
}
