//! The command line as typed.

use std::path::PathBuf;

use chrono::NaiveDate;
use clap::{Args, Parser, Subcommand, ValueEnum};

/// Customer journeys from the exports a company already has.
#[derive(Debug, Parser)]
#[command(name = "throughline", version, about, propagate_version = true)]
pub(crate) struct Cli {
    /// The project's folder.
    #[arg(long, global = true, value_name = "DIR", default_value = ".")]
    pub(crate) project: PathBuf,
    /// Print the result as JSON on standard output; all else goes to standard error.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Print only the result and errors.
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// Print more; twice for each step and the engine's own log.
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a project: throughline.yml, its key, and folders for models, seeds and tests.
    Init(InitArgs),
    /// The demo company: make its sources, load, build and check them, and print what a marketer
    /// asks first.
    Demo(DemoArgs),
    /// Make only the demo company's source files, at any size, with the truth beside them.
    Generate(GenerateArgs),
    /// The project's sources and the files they lead to.
    #[command(subcommand)]
    Sources(SourcesCommand),
    /// Say what `run` would load and build, and why.
    Plan(RunArgs),
    /// Load new files and build what is dirty.
    Run(RunArgs),
    /// Run the checks on the tables as they are.
    Check(CheckArgs),
    /// Run a query.
    Query(QueryArgs),
    /// Which key ties which records to which side: how many carry it, how many are found there,
    /// what revenue that links, and what to mend.
    Linkability,
    /// Which records of sales were brought together, by which key, and what was not.
    Sales,
    /// Merge small files, write checkpoints, and remove files that nobody can read any more.
    Maintain(MaintainArgs),
    /// Copy the project to a folder or a file: settings, models, key, runs, and all tables as they
    /// are at one state. A run may be at work meanwhile.
    Backup(BackupArgs),
    /// Make a project out of a backup, in an empty folder.
    Restore(RestoreArgs),
    /// Look for what could go wrong: disk, clock, project, sources.
    Doctor,
}

#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// The new project's folder.
    pub(crate) dir: PathBuf,
    /// A folder with exports: sources are written for the files that are recognised.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) from: Option<PathBuf>,
    /// Ask nothing; take the flags and the defaults.
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// Name of the project; the folder's without it.
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// IANA zone in which days are reported, for example Europe/Berlin.
    #[arg(long, value_name = "ZONE")]
    pub(crate) zone: Option<String>,
    /// ISO 4217 code of the currency in which money is reported.
    #[arg(long, value_name = "CODE")]
    pub(crate) currency: Option<String>,
    /// First day of a week.
    #[arg(long, value_enum)]
    pub(crate) week_start: Option<WeekStartArg>,
    /// ISO 3166 code of the home country.
    #[arg(long, value_name = "CODE")]
    pub(crate) home_country: Option<String>,
    /// Own domains, separated by commas.
    #[arg(long, value_delimiter = ',', value_name = "DOMAIN")]
    pub(crate) domains: Option<Vec<String>>,
    /// Domains of payment providers and log-in pages, separated by commas.
    #[arg(long, value_delimiter = ',', value_name = "DOMAIN")]
    pub(crate) payment_referrals: Option<Vec<String>>,
    /// Attribution model that reports show first.
    #[arg(long, value_name = "MODEL")]
    pub(crate) default_model: Option<String>,
    /// How many days before a conversion a touch may lie.
    #[arg(long, value_name = "DAYS")]
    pub(crate) lookback: Option<u32>,
    /// What net revenue leaves out, of: tax, shipping, refunds; `none` for nothing.
    #[arg(long, value_delimiter = ',', value_name = "WHAT")]
    pub(crate) net_without: Option<Vec<String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum WeekStartArg {
    Monday,
    Sunday,
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// The demo's folder.
    #[arg(long, value_name = "DIR", default_value = "throughline-demo")]
    pub(crate) dir: PathBuf,
    /// About how many website events.
    #[arg(long, default_value_t = 250_000)]
    pub(crate) events: u64,
    /// Over how many days.
    #[arg(long, default_value_t = 90)]
    pub(crate) days: u32,
    /// Where all chance comes from.
    #[arg(long, default_value_t = 42)]
    pub(crate) seed: u64,
    /// End by printing, without a page. (There is no page yet: the demo always ends by printing.)
    #[arg(long)]
    pub(crate) no_serve: bool,
}

#[derive(Debug, Args)]
pub(crate) struct GenerateArgs {
    /// About how many website events.
    #[arg(long)]
    pub(crate) events: u64,
    /// Over how many days; the last is 2026-06-30.
    #[arg(long, default_value_t = 90)]
    pub(crate) days: u32,
    /// Where all chance comes from.
    #[arg(long, default_value_t = 42)]
    pub(crate) seed: u64,
    /// The folder to write into.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Threads to use; all without it.
    #[arg(long)]
    pub(crate) threads: Option<usize>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SourcesCommand {
    /// Each stream, the files it leads to, and what is loaded of it.
    List,
    /// Read every new file without loading it, and say what would go wrong.
    Test {
        /// Only this source.
        source: Option<String>,
    },
}

#[derive(Debug, Args, Clone, Default)]
pub(crate) struct RunArgs {
    /// Only these models, as in dbt: `name`, `+name`, `name+`, `tag:x`, `path:…`, `source:…`,
    /// `entity:…`, `layer:…`.
    #[arg(long, short, num_args = 1.., value_name = "SELECTOR")]
    pub(crate) select: Vec<String>,
    /// All but these.
    #[arg(long, num_args = 1.., value_name = "SELECTOR")]
    pub(crate) exclude: Vec<String>,
    /// Build from the beginning, whatever is there.
    #[arg(long)]
    pub(crate) full_refresh: bool,
    /// Build from this day on, dirty or not.
    #[arg(long, value_name = "YYYY-MM-DD", requires = "to")]
    pub(crate) from: Option<NaiveDate>,
    /// Build up to this day, dirty or not.
    #[arg(long, value_name = "YYYY-MM-DD", requires = "from")]
    pub(crate) to: Option<NaiveDate>,
    /// A variable of the models: name=value. May be given several times.
    #[arg(long = "var", value_name = "NAME=VALUE")]
    pub(crate) vars: Vec<String>,
    /// Which engine does the work. Only `local` exists today.
    #[arg(long, value_enum, default_value_t = Engine::Local)]
    pub(crate) engine: Engine,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Engine {
    #[default]
    Local,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// Only checks of these models.
    #[arg(long, short, num_args = 1.., value_name = "SELECTOR")]
    pub(crate) select: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct MaintainArgs {
    /// What was the newest state within so many days can still be read, with `--as-of` too.
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
    pub(crate) keep_days: u32,
    /// Files that no log names stay so long: a writer may be about to commit them.
    #[arg(long, value_name = "HOURS", default_value_t = 24)]
    pub(crate) grace_hours: u32,
    /// Only say what would be removed. Nothing is merged or written.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct QueryArgs {
    /// The query. `-` reads it from standard input.
    pub(crate) sql: String,
    /// Form of the result.
    #[arg(long, short, value_enum)]
    pub(crate) format: Option<FormatArg>,
    /// Read all tables as they were after the last run that had ended at this time (RFC 3339, or a
    /// day).
    #[arg(long, value_name = "TIME")]
    pub(crate) as_of: Option<String>,
    /// Write to this file instead of standard output.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FormatArg {
    Table,
    Json,
    Csv,
    Parquet,
}

#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    /// A new or empty folder, or a new file whose name ends with `.tar.zst`.
    pub(crate) target: PathBuf,
    /// Leave the project's key out. Without it no person is found again: keep it elsewhere.
    #[arg(long)]
    pub(crate) without_key: bool,
    /// Copy the source files inside the project's folder too.
    #[arg(long)]
    pub(crate) with_sources: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// The backup.
    pub(crate) backup: PathBuf,
    /// The project's folder: new, or empty.
    pub(crate) dir: PathBuf,
    /// Use this file as `throughline.yml`, for example to put the lake elsewhere.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}
