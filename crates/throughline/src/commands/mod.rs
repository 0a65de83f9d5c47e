//! The commands, one file each.

mod audit;
mod backup;
mod channels;
mod check;
mod demo;
mod doctor;
mod generate;
pub(crate) mod identity;
mod init;
mod linkability;
mod maintain;
mod metrics;
mod plan;
mod policy;
mod query;
mod reconcile;
mod report;
mod restore;
mod run;
mod sales;
mod serve;
mod sources;
mod token;
mod user;
mod worth;

use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::bail;
use transform::graph::{Graph, Selection};

use crate::cli::{Cli, Command, RunArgs};
use crate::project::{Opened, Place};
use crate::say::Voice;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Done,
    Failed,
    FailedChecks,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::FailedChecks => 3,
        })
    }
}

/// Runs the command.
pub(crate) async fn run(cli: Cli) -> anyhow::Result<Exit> {
    let voice = Voice {
        quiet: cli.quiet,
        json: cli.json,
    };
    let place = Place::new(&cli.project);
    match cli.command {
        Command::Init(args) => init::init(&args, voice),
        Command::Demo(args) => Box::pin(demo::demo(&args, voice)).await,
        Command::Generate(args) => generate::generate(&args, voice),
        Command::Sources(command) => sources::sources(place, &command, voice).await,
        Command::Plan(args) => Box::pin(plan::plan(place, &args, voice)).await,
        Command::Run(args) => Box::pin(run::run(place, &args, voice)).await,
        Command::Check(args) => Box::pin(check::check(place, &args, voice)).await,
        Command::Query(args) => Box::pin(query::query(place, &args, voice)).await,
        Command::Linkability => Box::pin(linkability::linkability(place, voice)).await,
        Command::Sales => Box::pin(sales::sales(place, voice)).await,
        Command::Worth(args) => Box::pin(worth::worth(place, &args, voice)).await,
        Command::Metrics(command) => Box::pin(metrics::metrics(place, &command, voice)).await,
        Command::Channels(command) => Box::pin(channels::channels(place, &command, voice)).await,
        Command::Reconcile(args) => Box::pin(reconcile::reconcile(place, &args, voice)).await,
        Command::Identity(command) => Box::pin(identity::identity(place, &command, voice)).await,
        Command::Maintain(args) => Box::pin(maintain::maintain(place, &args, voice)).await,
        Command::Backup(args) => Box::pin(backup::backup(&place, &args, voice)).await,
        Command::Restore(args) => Box::pin(restore::restore(&args, voice)).await,
        Command::Serve(args) => Box::pin(serve::serve(place, &args, voice)).await,
        Command::User(command) => Box::pin(user::user(&place, &command, voice)).await,
        Command::Token(command) => Box::pin(token::token(&place, &command, voice)).await,
        Command::Role(command) => Box::pin(policy::role(place, &command, voice)).await,
        Command::Policy(command) => Box::pin(policy::policy(place, &command, voice)).await,
        Command::Audit(command) => audit::audit(&place, &command, voice),
        Command::Doctor => doctor::doctor(&place, voice).await,
    }
}

/// `name=value` of the command line; a value that is JSON is taken as such.
fn variables(args: &RunArgs) -> anyhow::Result<BTreeMap<String, serde_json::Value>> {
    let mut variables = BTreeMap::new();
    for text in &args.vars {
        let Some((name, value)) = text.split_once('=') else {
            bail!("`--var {text}` is not of the form name=value");
        };
        let value = serde_json::from_str(value).unwrap_or_else(|_| value.into());
        variables.insert(name.trim().to_owned(), value);
    }
    Ok(variables)
}

/// The models that the command line selects; none for all.
fn selected(
    opened: &Opened,
    select: &[String],
    exclude: &[String],
) -> anyhow::Result<Option<Vec<String>>> {
    if select.is_empty() && exclude.is_empty() {
        return Ok(None);
    }
    let graph = Graph::new(&opened.manifest)?;
    let selection = Selection {
        select: select.to_vec(),
        exclude: exclude.to_vec(),
    };
    let nodes = graph.select(&selection)?;
    Ok(Some(
        nodes
            .iter()
            .filter_map(|node| node.as_model())
            .map(str::to_owned)
            .collect(),
    ))
}

/// What a run is asked for.
fn options(opened: &Opened, args: &RunArgs) -> anyhow::Result<transform::run::Options> {
    let days = args.from.zip(args.to);
    if days.is_some_and(|(from, to)| from > to) {
        bail!("`--from` is after `--to`");
    }
    Ok(transform::run::Options {
        only: selected(opened, &args.select, &args.exclude)?,
        full_refresh: args.full_refresh,
        days,
    })
}
